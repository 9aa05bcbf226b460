/* SPDX-License-Identifier: Apache-2.0 */
/* What comes from a broker: from the message to samples at the door, and the wait for the commit.
 */
#include "base/log.h"
#include "drivers/mqtt/cut.h"
#include "drivers/mqtt/internal.h"
#include "drivers/mqtt/payload.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FULL_PAUSE_MS = 20 }; /* each try leaves a gap in the ring's numbers, so not too often */

struct message {
	struct client *client;
	const char *topic;
	const MQTTAsync_message *paho;
	bool store; /* the sender may forget it only when it is on disk */
	int64_t until_ms;
	uint64_t newest; /* for door_wait_stored() */
	bool refused;    /* by a full ring */
	uint64_t frame;
};

static void point_submit(struct message *message, const struct sample *sample)
{
	struct client *client = message->client;
	struct mqtt *mqtt = client->mqtt;
	uint64_t seq = 0;
	enum door_result result = door_submit(mqtt->host.door, sample, &seq);
	while (result == DOOR_FULL && message->store && mqtt_now_ms() < message->until_ms) {
		door_flush(mqtt->host.door);
		nanosleep(&(struct timespec){.tv_nsec = FULL_PAUSE_MS * 1000000}, NULL);
		result = door_submit(mqtt->host.door, sample, &seq);
	}
	if (result == DOOR_FULL) {
		metric_add(mqtt->ring_full, 1);
		message->refused = true;
		return;
	}
	if (seq > message->newest)
		message->newest = seq;
	client->wants->taken[client->wants->n_taken++] = *door_handed(mqtt->host.door);
}

static void point_refuse(struct message *message, uint32_t i, const char *cause)
{
	struct client *client = message->client;
	metric_add(client->mqtt->bad_payload, 1);
	if (log_due(&client->wants->refused[i]))
		log_event(LOGGED_PAYLOAD, ABOUT(.connection = client->config->id),
			  "%s: unusable message on \"%.200s\": %s", client->config->id,
			  message->topic, cause);
}

/* A retained message is handed out anew at each subscription. Without a time of its own it would
 * turn an old value into a new reading. */
static bool is_stale_copy(const struct message *message, const struct mqtt_point *point)
{
	bool timed = point->value != NULL && point->time != NULL;
	if (!message->paho->retained || timed)
		return false;
	log_debug("%s: retained message on \"%.200s\" has no time, left out",
		  message->client->config->id, message->topic);
	return true;
}

/* Return: false where there is nothing to hand in. */
static bool point_sample(struct message *message, uint32_t i, struct sample *out)
{
	const struct mqtt_point *point = &message->client->config->points[i];
	struct payload payload;
	if (is_stale_copy(message, point))
		return false;
	size_t n = (size_t)message->paho->payloadlen;
	enum payload_result result = payload_map(point, message->paho->payload, n, &payload);
	if (result != PAYLOAD_VALUE && result != PAYLOAD_NO_VALUE) {
		point_refuse(message, i, payload.cause);
		return false;
	}
	bool has_value = result == PAYLOAD_VALUE;
	bool faulty = !has_value && payload.flag == FLAG_NORMAL;
	*out = (struct sample){.monitor = point->monitor,
			       .has_time = payload.has_time,
			       .measured_ms = payload.time_ms,
			       .has_value = has_value,
			       .value = payload.value,
			       .flag = faulty ? FLAG_FAULT : payload.flag,
			       .raw = payload.raw,
			       .frame = message->frame};
	return true;
}

/* What a message holds is of one moment: all of it is shown before any is handed in. */
static void message_take(struct message *message)
{
	struct wants *wants = message->client->wants;
	struct door *door = message->client->mqtt->host.door;
	size_t n = interest_match(&wants->interest, message->topic, wants->hits), samples = 0;
	wants->n_taken = 0;
	if (n > 0)
		message->frame =
			door_frame(door, FRAME_MQTT, message->topic, strlen(message->topic),
				   message->paho->payload, (size_t)message->paho->payloadlen);
	for (size_t i = 0; i < n; i++)
		samples += point_sample(message, wants->hits[i], &wants->samples[samples]);
	for (size_t i = 0; i < samples; i++)
		door_show(door, &wants->samples[i]);
	for (size_t i = 0; i < samples; i++)
		point_submit(message, &wants->samples[i]);
}

/* Lock held. The broker is to keep this message and send it again. */
static void message_leave(const struct client *client, const char *why)
{
	log_debug("a message is not acknowledged (%s): its connection is cut", why);
	cut(client->port);
}

/* What a full ring refused is neither judged nor recorded, so the sender has to keep it. */
static void message_store(const struct message *message)
{
	const struct client *client = message->client;
	const struct wants *wants = client->wants;
	struct door *door = client->mqtt->host.door;
	int timeout_ms = client->config->ack_timeout_ms;
	door_flush(door);
	if (!message->store)
		return;
	if (message->refused)
		message_leave(client, "the ring is full");
	else if (wants->n_taken > 0 && !door_wait_stored(door, message->newest, timeout_ms) &&
		 !door_unrecorded(door, wants->taken, wants->n_taken, message->newest, timeout_ms))
		message_leave(client, "the disk");
}

void message_in(struct client *client, const char *topic, const MQTTAsync_message *paho)
{
	struct mqtt *mqtt = client->mqtt;
	pthread_mutex_lock(&mqtt->next);
	pthread_mutex_lock(&mqtt->lock);
	pthread_mutex_unlock(&mqtt->next);
	if (mqtt->closed || client->stuck) { /* what the configuration gave may be gone */
		message_leave(client, "it came after the end");
		pthread_mutex_unlock(&mqtt->lock);
		return;
	}
	struct message message = {.client = client,
				  .topic = topic,
				  .paho = paho,
				  .store = paho->qos > 0 && client->config->ack == MQTT_ACK_STORED,
				  .until_ms = mqtt_now_ms() + client->config->ack_timeout_ms};
	if (!client->muted) {
		message_take(&message);
		message_store(&message);
	}
	pthread_mutex_unlock(&mqtt->lock);
}
