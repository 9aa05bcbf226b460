/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/publisher.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MS = 250, STOP_MS = 2000, KEEPALIVE_S = 30, SLOTS = 64 };

/* The context of Paho's calls: which batch they speak of. */
struct slot {
	struct publisher *publisher;
};

struct publisher {
	struct publisher_setup setup;
	MQTTAsync handle;
	char *uri;
	struct slot slots[SLOTS];
	char said[160];
	pthread_mutex_t lock;
	pthread_cond_t changed; /* on CLOCK_MONOTONIC */
	/* under the lock */
	unsigned batch; /* its slot is batch % SLOTS */
	size_t open;    /* of the batch: sent, and not acknowledged */
	bool failed;    /* the batch */
	bool connected, ended;
	char why[120];
};

/* --- Paho's thread --- */

static void settle(struct slot *slot, bool good, bool connected, const char *why)
{
	struct publisher *p = slot->publisher;
	pthread_mutex_lock(&p->lock);
	p->connected |= connected;
	if (slot == &p->slots[p->batch % SLOTS]) {
		p->failed |= !good;
		p->open -= p->open > 0;
		if (!good)
			snprintf(p->why, sizeof p->why, "%s", why);
		pthread_cond_broadcast(&p->changed);
	}
	pthread_mutex_unlock(&p->lock);
}

static void on_connected(void *context, MQTTAsync_successData *data)
{
	(void)data;
	settle(context, true, true, "");
}

static void on_published(void *context, MQTTAsync_successData *data)
{
	(void)data;
	settle(context, true, false, "");
}

static void on_failure(void *context, MQTTAsync_failureData *data)
{
	char why[120];
	const char *text = data == NULL ? NULL : data->message;
	snprintf(why, sizeof why, "%s (%d)", text == NULL ? "no reason given" : text,
		 data == NULL ? 0 : data->code);
	settle(context, false, false, why);
}

static void on_lost(void *context, char *cause)
{
	struct publisher *p = context;
	pthread_mutex_lock(&p->lock);
	p->connected = false;
	p->failed = true;
	snprintf(p->why, sizeof p->why, "%s", cause == NULL ? "connection lost" : cause);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static int on_message(void *context, char *topic, int bytes, MQTTAsync_message *message)
{
	(void)context;
	(void)bytes;
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

static void on_ended(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void on_disconnected(void *context, MQTTAsync_successData *data)
{
	(void)data;
	on_ended(context);
}

static void on_not_disconnected(void *context, MQTTAsync_failureData *data)
{
	(void)data;
	on_ended(context);
}

/* --- the owner's thread --- */

static bool is_connected(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	bool connected = p->connected;
	pthread_mutex_unlock(&p->lock);
	return connected;
}

/* Lock held. */
static void doze(struct publisher *p)
{
	int64_t until_ms = pause_now_ms() + STEP_MS;
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
	pthread_cond_timedwait(&p->changed, &p->lock, &until);
}

/* Asks for the end of the connection and waits for it. Return: whether it has ended. */
static bool end_connection(struct publisher *p, int timeout_ms)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
	int64_t until_ms = pause_now_ms() + STOP_MS;
	options.timeout = timeout_ms;
	options.onSuccess = on_disconnected;
	options.onFailure = on_not_disconnected;
	options.context = p;
	bool known = is_connected(p);
	int rc = MQTTAsync_disconnect(p->handle, &options);
	pthread_mutex_lock(&p->lock);
	while (rc == MQTTASYNC_SUCCESS && !p->ended && pause_now_ms() < until_ms)
		doze(p);
	bool ended = p->ended || (rc == MQTTASYNC_DISCONNECTED && !known);
	pthread_mutex_unlock(&p->lock);
	return ended;
}

/* A connection over which no answer comes may be dead without a word of it; the next message goes
 * over a new one. */
static void let_go(struct publisher *p)
{
	if (!is_connected(p))
		return;
	end_connection(p, 0);
	pthread_mutex_lock(&p->lock);
	p->connected = p->ended = false;
	pthread_mutex_unlock(&p->lock);
}

void publisher_begin(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	p->batch++;
	p->open = 0;
	p->failed = false;
	pthread_mutex_unlock(&p->lock);
}

enum publisher_result publisher_flush(struct publisher *p)
{
	int64_t until_ms = pause_now_ms() + p->setup.timeout_ms;
	pthread_mutex_lock(&p->lock);
	while (p->open > 0 && !p->failed && !pause_stopped(p->setup.pause) &&
	       pause_now_ms() < until_ms) {
		doze(p);
		pause_beat(p->setup.pause);
	}
	bool done = p->open == 0 && !p->failed, silent = p->open > 0 && !p->failed;
	snprintf(p->said, sizeof p->said, "MQTT: %s", p->failed ? p->why : "no answer in time");
	pthread_mutex_unlock(&p->lock);
	if (done)
		return PUBLISHER_DONE;
	if (pause_stopped(p->setup.pause))
		return PUBLISHER_STOPPED;
	if (silent)
		let_go(p);
	return PUBLISHER_FAILED;
}

/* Return: the context for a call to Paho that will be answered. */
static struct slot *expect(struct publisher *p)
{
	pthread_mutex_lock(&p->lock);
	p->open++;
	struct slot *slot = &p->slots[p->batch % SLOTS];
	pthread_mutex_unlock(&p->lock);
	return slot;
}

static enum publisher_result not_begun(struct publisher *p, const char *what, int rc)
{
	snprintf(p->said, sizeof p->said, "MQTT: cannot %s (%d)", what, rc);
	return PUBLISHER_FAILED;
}

static enum publisher_result connect_to(struct publisher *p)
{
	const struct publisher_setup *setup = &p->setup;
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
	tls.trustStore = setup->ca_file;
	tls.keyStore = setup->cert_file;
	tls.privateKey = setup->key_file;
	tls.enabledCipherSuites = "DEFAULT:@SECLEVEL=2"; /* which has no TLS below 1.2 */
	tls.enableServerCertAuth = 1;
	tls.verify = 1; /* the certificate is the host's */
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	options.keepAliveInterval = KEEPALIVE_S;
	options.cleansession = 1;
	options.MQTTVersion = MQTTVERSION_3_1_1;
	options.username = setup->username;
	options.password = setup->password;
	options.connectTimeout = (int)(setup->timeout_ms / 1000) + 1;
	options.onSuccess = on_connected;
	options.onFailure = on_failure;
	if (strncmp(p->uri, "ssl", 3) == 0)
		options.ssl = &tls;
	publisher_begin(p);
	options.context = expect(p);
	int rc = MQTTAsync_connect(p->handle, &options);
	return rc == MQTTASYNC_SUCCESS ? publisher_flush(p) : not_begun(p, "connect", rc);
}

enum publisher_result publisher_send(struct publisher *p, const char *topic, const char *payload)
{
	if (!is_connected(p)) { /* only before the first message of a batch; later it has failed */
		enum publisher_result result = connect_to(p);
		if (result != PUBLISHER_DONE)
			return result;
	}
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	options.onSuccess = on_published;
	options.onFailure = on_failure;
	options.context = expect(p);
	int rc = MQTTAsync_send(p->handle, topic, (int)strlen(payload), payload, 1, 0, &options);
	if (rc == MQTTASYNC_DISCONNECTED)
		on_lost(p, NULL);
	return rc == MQTTASYNC_SUCCESS ? PUBLISHER_DONE : not_begun(p, "publish", rc);
}

const char *publisher_why(const struct publisher *p)
{
	return p->said;
}

/* --- birth and death --- */

/* Destroying a client that is connecting crashes or hangs (Paho 1.3.12): without the report of its
 * disconnect it stays behind, with all that its callbacks touch. */
static bool client_end(struct publisher *p)
{
	if (p->handle == NULL)
		return true;
	bool ended = end_connection(p, STOP_MS / 2);
	if (ended)
		MQTTAsync_destroy(&p->handle);
	return ended;
}

struct publisher *publisher_free(struct publisher *p)
{
	if (p == NULL || !client_end(p))
		return NULL;
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p->uri);
	free(p);
	return NULL;
}

static int client_create(struct publisher *p)
{
	const char *rest = strstr(p->setup.url, "://");
	bool tls = strncmp(p->setup.url, "mqtts:", 6) == 0;
	if (rest == NULL)
		return -EINVAL;
	if (asprintf(&p->uri, "%s%s", tls ? "ssl" : "tcp", rest) < 0) {
		p->uri = NULL;
		return -ENOMEM;
	}
	int rc = MQTTAsync_create(&p->handle, p->uri, p->setup.client_id,
				  MQTTCLIENT_PERSISTENCE_NONE, NULL);
	if (rc == MQTTASYNC_SUCCESS)
		rc = MQTTAsync_setCallbacks(p->handle, p, on_lost, on_message, NULL);
	return rc == MQTTASYNC_SUCCESS ? 0 : -EINVAL;
}

int publisher_new(struct publisher **out, const struct publisher_setup *setup)
{
	struct publisher *p = calloc(1, sizeof *p);
	pthread_condattr_t attributes;
	if (p == NULL)
		return -ENOMEM;
	p->setup = *setup;
	for (size_t i = 0; i < SLOTS; i++)
		p->slots[i].publisher = p;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&p->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	int rc = client_create(p);
	if (rc != 0)
		publisher_free(p);
	else
		*out = p;
	return rc;
}
