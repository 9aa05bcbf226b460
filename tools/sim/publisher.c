/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/publisher.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { GOODBYE_MS = 1000, KEEP_ALIVE_S = 20, RETRY_MIN_S = 1, RETRY_MAX_S = 4, CONNECT_S = 2 };

struct publisher {
	MQTTAsync client;
	int bell;
	atomic_bool is_connected, said_goodbye;
	atomic_uint_fast64_t sent, done, failed; /* relaxed: counters */
};

static void publisher_ring(struct publisher *p)
{
	uint64_t one = 1;
	ssize_t n = write(p->bell, &one, sizeof one);
	(void)n; /* full: it rings already */
}

static void publisher_on_connected(void *context, char *cause)
{
	struct publisher *p = context;
	(void)cause;
	atomic_store(&p->is_connected, true);
	publisher_ring(p);
}

static void publisher_on_lost(void *context, char *cause)
{
	struct publisher *p = context;
	(void)cause;
	atomic_store(&p->is_connected, false);
	publisher_ring(p);
}

static int publisher_on_message(void *context, char *topic, int length, MQTTAsync_message *message)
{
	(void)context;
	(void)length;
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

static void publisher_on_done(void *context, MQTTAsync_successData *data)
{
	struct publisher *p = context;
	(void)data;
	atomic_fetch_add_explicit(&p->done, 1, memory_order_relaxed);
	publisher_ring(p);
}

static void publisher_on_failed(void *context, MQTTAsync_failureData *data)
{
	struct publisher *p = context;
	(void)data;
	atomic_fetch_add_explicit(&p->failed, 1, memory_order_relaxed);
	publisher_ring(p);
}

static void publisher_on_goodbye(void *context, MQTTAsync_successData *data)
{
	struct publisher *p = context;
	(void)data;
	atomic_store(&p->said_goodbye, true);
	publisher_ring(p);
}

static void publisher_on_first_refused(void *context, MQTTAsync_failureData *data);

static int publisher_connect(struct publisher *p)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	options.keepAliveInterval = KEEP_ALIVE_S;
	options.cleansession = 0; /* else what is under way is lost with the connection */
	options.maxInflight = PUBLISHER_WINDOW;
	options.automaticReconnect = 1;
	options.minRetryInterval = RETRY_MIN_S;
	options.maxRetryInterval = RETRY_MAX_S;
	options.connectTimeout = CONNECT_S;
	options.onFailure = publisher_on_first_refused;
	options.context = p;
	return MQTTAsync_connect(p->client, &options) == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

/* Paho retries by itself, also after a first attempt that failed; this only tells the owner. */
static void publisher_on_first_refused(void *context, MQTTAsync_failureData *data)
{
	struct publisher *p = context;
	(void)data;
	publisher_ring(p);
}

static int publisher_start(struct publisher *p, const char *uri, const char *client_id)
{
	MQTTAsync_init_options init = MQTTAsync_init_options_initializer;
	MQTTAsync_global_init(&init);
	if (MQTTAsync_create(&p->client, uri, client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL) !=
	    MQTTASYNC_SUCCESS)
		return -EINVAL;
	MQTTAsync_setCallbacks(p->client, p, publisher_on_lost, publisher_on_message, NULL);
	MQTTAsync_setConnected(p->client, p, publisher_on_connected);
	return publisher_connect(p);
}

int publisher_new(struct publisher **out, const char *uri, const char *client_id)
{
	struct publisher *p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	p->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int error = p->bell < 0 ? -errno : publisher_start(p, uri, client_id);
	if (error != 0) {
		publisher_free(p);
		return error;
	}
	*out = p;
	return 0;
}

static int64_t publisher_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Destroying a client that is still connecting crashes Paho 1.3.12: then it is left to the exit. */
static bool publisher_say_goodbye(struct publisher *p)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
	options.onSuccess = publisher_on_goodbye;
	options.context = p;
	options.timeout = GOODBYE_MS;
	if (!atomic_load(&p->is_connected) ||
	    MQTTAsync_disconnect(p->client, &options) != MQTTASYNC_SUCCESS)
		return false;
	int64_t end = publisher_now_ms() + GOODBYE_MS, now;
	while (!atomic_load(&p->said_goodbye) && (now = publisher_now_ms()) < end) {
		struct pollfd bell = {.fd = p->bell, .events = POLLIN};
		if (poll(&bell, 1, (int)(end - now)) > 0)
			publisher_heard(p);
	}
	return atomic_load(&p->said_goodbye);
}

struct publisher *publisher_free(struct publisher *p)
{
	if (p == NULL)
		return NULL;
	if (p->client != NULL && !publisher_say_goodbye(p))
		return NULL;
	if (p->client != NULL)
		MQTTAsync_destroy(&p->client);
	if (p->bell >= 0)
		close(p->bell);
	free(p);
	return NULL;
}

bool publisher_is_connected(const struct publisher *p)
{
	return atomic_load(&p->is_connected);
}

struct publisher_counts publisher_counts(const struct publisher *p)
{
	return (struct publisher_counts){
		.sent = atomic_load_explicit(&p->sent, memory_order_relaxed),
		.done = atomic_load_explicit(&p->done, memory_order_relaxed),
		.failed = atomic_load_explicit(&p->failed, memory_order_relaxed),
	};
}

bool publisher_has_room(const struct publisher *p)
{
	struct publisher_counts c = publisher_counts(p);
	return publisher_is_connected(p) && c.sent - c.done - c.failed < PUBLISHER_WINDOW;
}

int publisher_send(struct publisher *p, const char *topic, const char *payload, int qos)
{
	MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
	if (!publisher_has_room(p))
		return -EAGAIN;
	response.onSuccess = publisher_on_done;
	response.onFailure = publisher_on_failed;
	response.context = p;
	atomic_fetch_add_explicit(&p->sent, 1, memory_order_relaxed);
	if (MQTTAsync_send(p->client, topic, (int)strlen(payload), payload, qos, 0, &response) ==
	    MQTTASYNC_SUCCESS)
		return 0;
	atomic_fetch_add_explicit(&p->failed, 1, memory_order_relaxed);
	return -EIO;
}

int publisher_fd(const struct publisher *p)
{
	return p->bell;
}

void publisher_heard(struct publisher *p)
{
	uint64_t rings;
	ssize_t n = read(p->bell, &rings, sizeof rings);
	(void)n; /* nothing rang: just as well */
}
