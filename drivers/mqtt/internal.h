/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The MQTT driver's inside, shared by its parts: mqtt.c (links, the watch, birth and death),
 * message.c (what comes in), next.c (the next plan of a reload).
 */
#include "base/pulse.h"
#include "drivers/driver.h"
#include "drivers/mqtt/interest.h"
#include "drivers/mqtt/mqtt.h"

#include <MQTTAsync.h>
#include <pthread.h>

struct client;

struct subscription {
	const struct client *client;
	char *const *filters;
	size_t n;
};

/* What is wanted from a broker. Paho may still report on the older wants of a client. */
struct wants {
	struct interest interest;
	int *qos; /* by filter */
	struct subscription *subscriptions;
	struct log_repeat *refused; /* by point */
	uint32_t *hits;             /* points of the message at hand */
	struct reading *taken;      /* what the door took of it */
	struct sample *samples;     /* what it holds */
	size_t n_taken;
	struct wants *older;
};

struct client {
	struct mqtt_connection own; /* its texts are ours; points and connection under mqtt.lock */
	const struct mqtt_connection *config; /* own */
	struct mqtt *mqtt;
	MQTTAsync handle;
	char *uri;
	uint16_t port;
	struct metric *up;
	/* Under mqtt.lock: */
	struct wants *wants; /* ours, or another's while that one waits for our end */
	struct wants *owned;
	bool begun, muted; /* muted: it serves no connection of the plan any more */
	bool stuck;        /* Paho did not end it */
	bool wants_more;   /* wants changed: to be subscribed to */
	bool connected, was_connected, disconnect_done;
	int64_t since_ms; /* of the last change, monotonic */
};

struct mqtt {
	struct driver_host host;
	struct pulse pulse; /* of the watch */
	struct metric *bad_payload, *ring_full;
	/* next: who waits for the lock; so a stream of messages, one behind the other, lets others
	 * have their turn. Taken before it, and let go with it at hand. */
	pthread_mutex_t next;
	pthread_mutex_t lock; /* the door, and what is said above */
	pthread_cond_t changed;
	bool watching, stopping, closed;
	struct client *nudged; /* the watch is in Paho for it */
	size_t n_clients, n_leaving;
	struct client **clients, **leaving;
	bool haunted; /* a client could not be ended: what it touches stays */
};

/* --- mqtt.c --- */

/** mqtt_now_ms() - monotonic */
int64_t mqtt_now_ms(void);
/** mqtt_new() - all of it but what speaks to a broker */
int mqtt_new(struct mqtt **out, const struct driver_host *host,
	     const struct mqtt_connection *configs, size_t n);
void mqtt_free(struct mqtt *mqtt);
/** client_same_settings() - does one client serve for both? */
bool client_same_settings(const struct mqtt_connection *a, const struct mqtt_connection *b);
void client_free(struct client *client);
/** client_begin() - connect. Return: 0, negative errno. */
int client_begin(struct client *client);
/**
 * client_end() - disconnect and destroy
 *
 * A client may only be destroyed when its disconnect has been reported: destroying one that is
 * connecting crashes or hangs (Paho 1.3.12). Else it stays behind, with all that its callbacks
 * touch. Return: true where nothing of Paho's refers to us any more.
 */
bool client_end(struct client *client);
void client_subscribe(const struct client *client, struct wants *wants);

/* --- message.c --- */

/** message_in() - a message of a client, on Paho's thread: returns when it may be acknowledged */
void message_in(struct client *client, const char *topic, const MQTTAsync_message *paho);

/* --- next.c: as in drivers/driver.h --- */

int mqtt_prepare(const struct driver_host *host, const void *connections, size_t n,
		 const void *instance, void **next);
void *mqtt_succeed(void *next, void *instance);
void mqtt_drop(void *next);
bool mqtt_hold(void *instance, int timeout_ms);
void mqtt_release(void *instance);
