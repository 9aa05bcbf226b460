/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery type "mqtt": each event as CloudEvents JSON with QoS 1, by a client of its own at the
 * broker of a configured connection. It is delivered when the broker has acknowledged it.
 */
#include "deliver/courier-type.h"
#include "deliver/publisher.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mqtt {
	struct courier_host host;
	struct publisher *publisher;
};

static void topic_fill(struct text *out, const char *pattern, const char *node, const char *event)
{
	for (const char *at = pattern; *at != '\0';) {
		if (strncmp(at, "{node}", 6) == 0) {
			text_add(out, node);
			at += 6;
		} else if (strncmp(at, "{event}", 7) == 0) {
			text_add(out, event);
			at += 7;
		} else {
			text_char(out, *at++);
		}
	}
}

static enum courier_outcome mqtt_send(void *state, const struct outbox_event *event,
				      struct courier_answer *answer)
{
	struct mqtt *mqtt = state;
	struct text topic = {0};
	topic_fill(&topic, mqtt->host.setup->topic, mqtt->host.plan->node, event->type);
	if (topic.failed) {
		text_deinit(&topic);
		return courier_errno(answer, "topic", ENOMEM);
	}
	publisher_begin(mqtt->publisher);
	enum publisher_result result = publisher_send(mqtt->publisher, topic.at, event->json);
	if (result == PUBLISHER_DONE)
		result = publisher_flush(mqtt->publisher);
	text_deinit(&topic);
	snprintf(answer->text, sizeof answer->text, "%s",
		 result == PUBLISHER_DONE ? "acknowledged" : publisher_why(mqtt->publisher));
	return result == PUBLISHER_DONE      ? COURIER_DELIVERED
	       : result == PUBLISHER_STOPPED ? COURIER_STOPPED
					     : COURIER_UNREACHABLE;
}

static void mqtt_close(void *state)
{
	struct mqtt *mqtt = state;
	publisher_free(mqtt->publisher);
	free(mqtt);
}

static int mqtt_open(void **state, const struct courier_host *host)
{
	const struct delivery_setup *setup = host->setup;
	struct mqtt *mqtt = calloc(1, sizeof *mqtt);
	if (mqtt == NULL)
		return -ENOMEM;
	mqtt->host = *host;
	int rc = publisher_new(&mqtt->publisher,
			       &(struct publisher_setup){.url = setup->url,
							 .client_id = setup->client_id,
							 .username = setup->username,
							 .password = setup->password,
							 .ca_file = setup->ca_file,
							 .cert_file = setup->cert_file,
							 .key_file = setup->key_file,
							 .timeout_ms = setup->timeout_ms,
							 .pause = host->pause});
	if (rc != 0)
		free(mqtt);
	else
		*state = mqtt;
	return rc;
}

const struct courier_type courier_mqtt = {
	.name = "mqtt",
	.longest_pause_ms = 60000,
	.open = mqtt_open,
	.send = mqtt_send,
	.close = mqtt_close,
};
