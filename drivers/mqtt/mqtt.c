/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MQTT driver, on Paho's asynchronous client.
 *
 *   connect ──► connected: link up, subscribe to all ──► message: map, hand in, wait for the commit
 *      ▲            │                                         └─► return 1: Paho sends the PUBACK
 *      └────────────┴─ connection lost: link down; Paho tries again after 1 to 30 s, with jitter
 *
 * Paho acknowledges a QoS 1 message as soon as messageArrived() returns, whatever it returns, and
 * a 0 only moves the message into memory. So the callback itself waits until the readings are on
 * disk, at most ack_timeout_ms, and always returns 1.
 *
 * Paho calls back from two threads, and a watch of our own makes a third: one mutex makes them one
 * user of the door. It is never held while Paho is called, whose own mutex is held in callbacks.
 *
 * At the end a stream of messages can keep Paho from disconnecting for seconds. What comes when the
 * door is closed is not acknowledged: its connection is cut first (cut.h).
 */
#include "base/log.h"
#include "drivers/mqtt/cut.h"
#include "drivers/mqtt/internal.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CONNECT_S = 10,
	RETRY_MIN_S = 1,
	RETRY_MAX_S = 30,
	FIRST_CONNECT_MS = 10000, /* after that a broker never reached is a lost link */
	NUDGE_MS = 120000,        /* Paho's retries may stop after a long outage: start them anew */
	STOP_MS = 2000,
	FILTERS_PER_REQUEST = 256,
	REFUSED_SUBSCRIPTION = 0x80, /* MQTT 3.1.1, 3.9.3 */
};

int64_t mqtt_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Lock held. Return: false when @until_ms has passed. */
static bool wait_until(struct mqtt *mqtt, int64_t until_ms)
{
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
	return pthread_cond_timedwait(&mqtt->changed, &mqtt->lock, &until) != ETIMEDOUT;
}

/* --- link --- */

static int on_message(void *context, char *topic, int topic_bytes, MQTTAsync_message *paho)
{
	/* A topic that holds a NUL is longer than its text, and no filter of ours can mean it. */
	if (topic_bytes == 0 || strlen(topic) == (size_t)topic_bytes)
		message_in(context, topic, paho);
	MQTTAsync_freeMessage(&paho);
	MQTTAsync_free(topic);
	return 1;
}

/* Lock held. */
static void client_link(struct client *client, bool up)
{
	if (client->mqtt->closed || client->muted)
		return; /* what the configuration gave may be gone */
	client->connected = up;
	client->was_connected = client->was_connected || up;
	client->since_ms = mqtt_now_ms();
	metric_set(client->up, up);
	door_link(client->mqtt->host.door, client->config->connection, up);
}

static void on_subscribe_failure(void *context, MQTTAsync_failureData *failure)
{
	const struct subscription *subscription = context;
	const struct client *client = subscription->client;
	log_event(LOGGED_SUBSCRIPTION, ABOUT(.connection = client->config->id),
		  "%s: subscription to \"%s\"%s refused (%d)", client->config->id,
		  subscription->filters[0], subscription->n > 1 ? " and more" : "",
		  failure != NULL ? failure->code : 0);
}

static void on_subscribed(void *context, MQTTAsync_successData *success)
{
	const struct subscription *subscription = context;
	const struct client *client = subscription->client;
	const int *granted = subscription->n > 1 ? success->alt.qosList : &success->alt.qos;
	for (size_t i = 0; granted != NULL && i < subscription->n; i++) {
		const char *filter = subscription->filters[i];
		if (granted[i] == REFUSED_SUBSCRIPTION)
			log_event(LOGGED_SUBSCRIPTION, ABOUT(.connection = client->config->id),
				  "%s: subscription to \"%s\" refused", client->config->id, filter);
		else if (granted[i] < client->config->qos)
			log_warnx("%s: \"%s\" comes with QoS %d only", client->config->id, filter,
				  granted[i]);
	}
}

void client_subscribe(const struct client *client, struct wants *wants)
{
	for (size_t first = 0; first < wants->interest.n_filters; first += FILTERS_PER_REQUEST) {
		size_t n = wants->interest.n_filters - first;
		if (n > FILTERS_PER_REQUEST)
			n = FILTERS_PER_REQUEST;
		struct subscription *own = &wants->subscriptions[first / FILTERS_PER_REQUEST];
		*own = (struct subscription){
			.client = client, .filters = wants->interest.filters + first, .n = n};
		MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
		options.onSuccess = on_subscribed;
		options.onFailure = on_subscribe_failure;
		options.context = own;
		int rc = MQTTAsync_subscribeMany(client->handle, (int)n,
						 wants->interest.filters + first,
						 wants->qos + first, &options);
		if (rc != MQTTASYNC_SUCCESS)
			log_event(LOGGED_SUBSCRIPTION, ABOUT(.connection = client->config->id),
				  "%s: cannot subscribe (%d)", client->config->id, rc);
	}
}

static void on_connected(void *context, char *cause)
{
	(void)cause;
	struct client *client = context;
	pthread_mutex_lock(&client->mqtt->lock);
	bool closed = client->mqtt->closed || client->muted;
	struct wants *wants = client->wants;
	client_link(client, true);
	pthread_mutex_unlock(&client->mqtt->lock);
	if (closed)
		return;
	log_event(LOGGED_CONNECTION_BACK, ABOUT(.connection = client->config->id), "%s: connected",
		  client->config->id);
	client_subscribe(client, wants); /* each time: the broker may have forgotten us */
}

static void on_connection_lost(void *context, char *cause)
{
	struct client *client = context;
	pthread_mutex_lock(&client->mqtt->lock);
	if (!client->mqtt->closed && !client->muted)
		log_event(LOGGED_CONNECTION_LOST, ABOUT(.connection = client->config->id),
			  "%s: connection lost (%s), trying again", client->config->id,
			  cause != NULL ? cause : "no reason given");
	client_link(client, false);
	pthread_mutex_unlock(&client->mqtt->lock);
}

/* MQTT 3.1.1, 3.2.2.3 */
static const char *refusal(int code)
{
	static const char *const names[] = {
		[1] = "protocol version refused", [2] = "client id refused",
		[3] = "server unavailable",       [4] = "bad user name or password",
		[5] = "not authorized",
	};
	if (code > 0 && code < (int)(sizeof names / sizeof *names))
		return names[code];
	const char *text = MQTTAsync_strerror(code);
	return text != NULL ? text : "unknown reason";
}

static void on_connect_failure(void *context, MQTTAsync_failureData *failure)
{
	const struct client *client = context;
	const char *why = "no reason given";
	if (failure != NULL)
		why = failure->message != NULL && failure->code <= 0 ? failure->message
								     : refusal(failure->code);
	log_event(LOGGED_CONNECTION_LOST, ABOUT(.connection = client->config->id),
		  "%s: cannot connect to %s (%s), trying again", client->config->id,
		  client->config->uri, why);
}

static void on_disconnected(void *context)
{
	struct client *client = context;
	pthread_mutex_lock(&client->mqtt->lock);
	client->disconnect_done = true;
	pthread_cond_broadcast(&client->mqtt->changed);
	pthread_mutex_unlock(&client->mqtt->lock);
}

static void on_disconnect_success(void *context, MQTTAsync_successData *success)
{
	(void)success;
	on_disconnected(context);
}

static void on_disconnect_failure(void *context, MQTTAsync_failureData *failure)
{
	(void)failure;
	on_disconnected(context);
}

/* --- watch --- */

/* Lock held. Return: true where Paho is to be pushed to try again. */
static bool client_watch(struct client *client)
{
	int64_t waited_ms = mqtt_now_ms() - client->since_ms;
	if (client->connected || !client->begun)
		return false;
	if (!client->was_connected && waited_ms >= FIRST_CONNECT_MS) {
		log_event(LOGGED_CONNECTION_LOST, ABOUT(.connection = client->config->id),
			  "%s: no connection within %d s, going on trying", client->config->id,
			  FIRST_CONNECT_MS / 1000);
		client_link(client, false);
		client->was_connected = true;
		return false;
	}
	if (waited_ms < NUDGE_MS)
		return false;
	client->since_ms = mqtt_now_ms();
	return true;
}

static void *watch_run(void *context)
{
	struct mqtt *mqtt = context;
	pulse_begin(&mqtt->pulse, PULSE_SLOW, "broker watch", NULL);
	pthread_mutex_lock(&mqtt->lock);
	while (!mqtt->stopping) {
		pulse_beat(&mqtt->pulse);
		for (size_t i = 0; !mqtt->stopping && i < mqtt->n_clients; i++) {
			if (!client_watch(mqtt->clients[i]))
				continue;
			mqtt->nudged = mqtt->clients[i];
			pthread_mutex_unlock(&mqtt->lock);
			(void)MQTTAsync_reconnect(mqtt->nudged->handle);
			pthread_mutex_lock(&mqtt->lock);
			mqtt->nudged = NULL;
			pthread_cond_broadcast(&mqtt->changed);
		}
		int64_t until_ms = mqtt_now_ms() + 1000;
		while (!mqtt->stopping && wait_until(mqtt, until_ms))
			;
	}
	pulse_end(&mqtt->pulse);
	mqtt->watching = false;
	pthread_cond_broadcast(&mqtt->changed);
	pthread_mutex_unlock(&mqtt->lock);
	return NULL;
}

static int watch_start(struct mqtt *mqtt)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_t thread;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	mqtt->watching = true;
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&thread, &attributes, watch_run, mqtt);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	mqtt->watching = error == 0;
	return -error;
}

/* --- birth --- */

static void wants_free(struct wants *wants)
{
	while (wants != NULL) {
		struct wants *older = wants->older;
		interest_deinit(&wants->interest);
		free(wants->qos);
		free(wants->subscriptions);
		free(wants->refused);
		free(wants->hits);
		free(wants->taken);
		free(wants->samples);
		free(wants);
		wants = older;
	}
}

static int wants_new(struct wants **out, const struct mqtt_connection *config)
{
	size_t n = config->n_points + 1;
	struct wants *wants = calloc(1, sizeof *wants);
	if (wants == NULL)
		return -ENOMEM;
	int error = interest_init(&wants->interest, config->points, n - 1);
	wants->qos = calloc(n, sizeof *wants->qos);
	wants->subscriptions = calloc(n / FILTERS_PER_REQUEST + 1, sizeof *wants->subscriptions);
	wants->refused = calloc(n, sizeof *wants->refused);
	wants->hits = calloc(n, sizeof *wants->hits);
	wants->taken = calloc(n, sizeof *wants->taken);
	wants->samples = calloc(n, sizeof *wants->samples);
	if (error != 0 || wants->qos == NULL || wants->subscriptions == NULL ||
	    wants->refused == NULL || wants->hits == NULL || wants->taken == NULL ||
	    wants->samples == NULL) {
		wants_free(wants);
		return -ENOMEM;
	}
	for (size_t i = 0; i < wants->interest.n_filters; i++)
		wants->qos[i] = config->qos;
	*out = wants;
	return 0;
}

/* Texts of a connection's settings. */
static const size_t texts[] = {
	offsetof(struct mqtt_connection, id),        offsetof(struct mqtt_connection, uri),
	offsetof(struct mqtt_connection, client_id), offsetof(struct mqtt_connection, username),
	offsetof(struct mqtt_connection, password),  offsetof(struct mqtt_connection, ca_file),
	offsetof(struct mqtt_connection, cert_file), offsetof(struct mqtt_connection, key_file),
};
enum { TEXTS = sizeof texts / sizeof *texts };

static const char **text_of(struct mqtt_connection *config, size_t i)
{
	return (const char **)(void *)((char *)config + texts[i]);
}

static const char *text_in(const struct mqtt_connection *config, size_t i)
{
	return *(const char *const *)(const void *)((const char *)config + texts[i]);
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool client_same_settings(const struct mqtt_connection *a, const struct mqtt_connection *b)
{
	bool same = a->qos == b->qos && a->clean_session == b->clean_session &&
		    a->keepalive_s == b->keepalive_s;
	for (size_t i = 0; i < TEXTS; i++)
		same = same && same_text(text_in(a, i), text_in(b, i));
	return same;
}

/* A client may live longer than the configuration that it was made from. */
static bool own_settings(struct client *client, const struct mqtt_connection *config)
{
	bool all = true;
	client->own = *config;
	client->config = &client->own;
	for (size_t i = 0; i < TEXTS; i++) {
		const char *text = text_in(config, i);
		*text_of(&client->own, i) = text == NULL ? NULL : strdup(text);
		all = all && (text == NULL || text_in(&client->own, i) != NULL);
	}
	return all;
}

static bool is_tls(const struct mqtt_connection *config)
{
	return strncmp(config->uri, "mqtts://", 8) == 0;
}

static int client_create(struct client *client)
{
	const struct mqtt_connection *config = client->config;
	const char *rest = strstr(config->uri, "://");
	if (rest == NULL)
		return -EINVAL;
	if (asprintf(&client->uri, "%s%s", is_tls(config) ? "ssl" : "tcp", rest) < 0) {
		client->uri = NULL;
		return -ENOMEM;
	}
	int rc = MQTTAsync_create(&client->handle, client->uri, config->client_id,
				  MQTTCLIENT_PERSISTENCE_NONE, NULL);
	if (rc == MQTTASYNC_SUCCESS)
		rc = MQTTAsync_setCallbacks(client->handle, client, on_connection_lost, on_message,
					    NULL);
	if (rc == MQTTASYNC_SUCCESS)
		rc = MQTTAsync_setConnected(client->handle, client, on_connected);
	if (rc != MQTTASYNC_SUCCESS)
		log_warnx("%s: no MQTT client for %s (%d)", config->id, config->uri, rc);
	return rc == MQTTASYNC_SUCCESS ? 0 : -EINVAL;
}

static int client_metrics(struct client *client)
{
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\"", client->config->id);
	client->up = metrics_gauge(client->mqtt->host.metrics, "ducha_connections_up",
				   "1 while the connection answers", labels);
	return client->up != NULL ? 0 : -ENOMEM;
}

void client_free(struct client *client)
{
	for (size_t i = 0; i < TEXTS; i++)
		free((void *)(uintptr_t)text_in(&client->own, i));
	wants_free(client->owned);
	free(client->uri);
	free(client);
}

static int client_new(struct client **out, struct mqtt *mqtt, const struct mqtt_connection *config)
{
	struct client *client = calloc(1, sizeof *client);
	if (client == NULL)
		return -ENOMEM;
	client->mqtt = mqtt;
	client->port = cut_port(config->uri);
	client->since_ms = mqtt_now_ms();
	int error = own_settings(client, config) ? 0 : -ENOMEM;
	if (error == 0)
		error = wants_new(&client->owned, config);
	if (error == 0)
		error = client_metrics(client);
	client->wants = client->owned;
	if (error != 0)
		client_free(client);
	else
		*out = client;
	return error;
}

static int client_connect(struct client *client)
{
	const struct mqtt_connection *config = client->config;
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
	tls.trustStore = config->ca_file;
	tls.keyStore = config->cert_file;
	tls.privateKey = config->key_file;
	tls.enabledCipherSuites = "DEFAULT:@SECLEVEL=2"; /* which has no TLS below 1.2 */
	tls.enableServerCertAuth = 1;
	tls.verify = 1; /* the certificate is the host's */
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	options.keepAliveInterval = config->keepalive_s;
	options.cleansession = config->clean_session;
	options.MQTTVersion = MQTTVERSION_3_1_1;
	options.username = config->username;
	options.password = config->password;
	options.connectTimeout = CONNECT_S;
	options.automaticReconnect = 1;
	options.minRetryInterval = RETRY_MIN_S;
	options.maxRetryInterval = RETRY_MAX_S;
	options.onFailure = on_connect_failure;
	options.context = client;
	if (is_tls(config))
		options.ssl = &tls;
	int rc = MQTTAsync_connect(client->handle,
				   &options); /* only queued: Paho's thread connects */
	if (rc != MQTTASYNC_SUCCESS)
		log_warnx("%s: cannot begin to connect (%d)", config->id, rc);
	return rc == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

int client_begin(struct client *client)
{
	int error = client_create(client);
	if (error == 0)
		error = client_connect(client);
	pthread_mutex_lock(&client->mqtt->lock);
	client->begun = error == 0;
	client->since_ms = mqtt_now_ms();
	pthread_mutex_unlock(&client->mqtt->lock);
	return error;
}

static struct metric *unrecorded(struct metrics *metrics, const char *reason)
{
	char labels[64];
	snprintf(labels, sizeof labels, "reason=\"%s\"", reason);
	return metrics_counter(metrics, "ducha_unrecorded_total",
			       "Samples that were acknowledged or read but not recorded", labels);
}

static int mqtt_metrics(struct mqtt *mqtt)
{
	struct metrics *metrics = mqtt->host.metrics;
	mqtt->bad_payload = unrecorded(metrics, "payload");
	mqtt->ring_full = unrecorded(metrics, "ring");
	return mqtt->bad_payload != NULL && mqtt->ring_full != NULL ? 0 : -ENOMEM;
}

static int mqtt_alloc(struct mqtt **out, const struct driver_host *host, size_t n)
{
	struct mqtt *mqtt = calloc(1, sizeof *mqtt);
	struct client **clients = calloc(n + 1, sizeof(struct client *));
	if (mqtt == NULL || clients == NULL) {
		free(mqtt);
		free(clients);
		return -ENOMEM;
	}
	mqtt->host = *host;
	mqtt->clients = clients;
	pthread_mutex_init(&mqtt->next, NULL);
	pthread_mutex_init(&mqtt->lock, NULL);
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&mqtt->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	*out = mqtt;
	return 0;
}

void mqtt_free(struct mqtt *mqtt)
{
	for (size_t i = 0; i < mqtt->n_clients; i++)
		client_free(mqtt->clients[i]);
	pthread_cond_destroy(&mqtt->changed);
	pthread_mutex_destroy(&mqtt->lock);
	pthread_mutex_destroy(&mqtt->next);
	free(mqtt->clients);
	free(mqtt);
}

int mqtt_new(struct mqtt **out, const struct driver_host *host,
	     const struct mqtt_connection *configs, size_t n)
{
	struct mqtt *mqtt = NULL;
	int error = mqtt_alloc(&mqtt, host, n);
	if (error != 0)
		return error;
	error = mqtt_metrics(mqtt);
	for (size_t i = 0; error == 0 && i < n; i++) {
		error = client_new(&mqtt->clients[i], mqtt, &configs[i]);
		mqtt->n_clients += error == 0;
	}
	if (error != 0)
		mqtt_free(mqtt);
	else
		*out = mqtt;
	return error;
}

/* --- death --- */

bool client_end(struct client *client)
{
	struct mqtt *mqtt = client->mqtt;
	if (client->handle == NULL)
		return true;
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
	options.timeout = STOP_MS / 2;
	options.onSuccess = on_disconnect_success;
	options.onFailure = on_disconnect_failure;
	options.context = client;
	if (MQTTAsync_disconnect(client->handle, &options) != MQTTASYNC_SUCCESS)
		return false;
	int64_t until_ms = mqtt_now_ms() + STOP_MS;
	pthread_mutex_lock(&mqtt->lock);
	while (!client->disconnect_done && wait_until(mqtt, until_ms))
		;
	bool done = client->disconnect_done;
	pthread_mutex_unlock(&mqtt->lock);
	if (done)
		MQTTAsync_destroy(&client->handle);
	return done;
}

/* Return: true when the watch has ended. It may be held up in Paho by a name server. */
static bool watch_end(struct mqtt *mqtt)
{
	int64_t until_ms = mqtt_now_ms() + STOP_MS;
	pthread_mutex_lock(&mqtt->lock);
	mqtt->stopping = true;
	pthread_cond_broadcast(&mqtt->changed);
	while (mqtt->watching && wait_until(mqtt, until_ms))
		;
	bool ended = !mqtt->watching;
	pthread_mutex_unlock(&mqtt->lock);
	return ended;
}

static void mqtt_stop(void *instance)
{
	struct mqtt *mqtt = instance;
	bool ended = watch_end(mqtt);
	for (size_t i = 0; i < mqtt->n_clients; i++)
		ended = client_end(mqtt->clients[i]) && ended;
	pthread_mutex_lock(&mqtt->lock);
	mqtt->closed = true;
	pthread_mutex_unlock(&mqtt->lock);
	if (ended && !mqtt->haunted)
		mqtt_free(mqtt);
}

static int mqtt_start(const struct driver_host *host, const void *connections, size_t n,
		      void **instance)
{
	struct mqtt *mqtt = NULL;
	int error = mqtt_new(&mqtt, host, connections, n);
	if (error != 0)
		return error;
	for (size_t i = 0; error == 0 && i < n; i++)
		error = client_begin(mqtt->clients[i]);
	if (error == 0)
		error = watch_start(mqtt);
	if (error != 0)
		mqtt_stop(mqtt);
	else
		*instance = mqtt;
	return error;
}

const struct driver mqtt_driver = {.name = "mqtt",
				   .start = mqtt_start,
				   .prepare = mqtt_prepare,
				   .succeed = mqtt_succeed,
				   .drop = mqtt_drop,
				   .hold = mqtt_hold,
				   .release = mqtt_release,
				   .stop = mqtt_stop};
