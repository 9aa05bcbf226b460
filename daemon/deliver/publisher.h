/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Publisher: an MQTT client that hands over messages with QoS 1 and knows which the broker has.
 *
 * Messages are sent in batches: begin, send some, flush. Paho calls back on its own thread; one
 * mutex, never held while Paho is called, makes what it says ours. What it says late, of an earlier
 * batch, does not count. One thread owns it; no call outlives its time, but for Paho's look-up of
 * the broker's name.
 */
#include "deliver/pause.h"

struct publisher;

struct publisher_setup {
	const char *url, *client_id;                /* mqtt:// or mqtts:// */
	const char *username, *password;            /* NULL: none */
	const char *ca_file, *cert_file, *key_file; /* NULL: the system's, none, none */
	int64_t timeout_ms;
	struct pause *pause; /* beaten while it waits; stopped, it gives up */
};

enum publisher_result {
	PUBLISHER_DONE,
	PUBLISHER_FAILED, /* publisher_why() says why */
	PUBLISHER_STOPPED,
};

int publisher_new(struct publisher **out, const struct publisher_setup *setup);
struct publisher *publisher_free(struct publisher *publisher);
void publisher_begin(struct publisher *publisher);
/** publisher_send() - one message, after connecting where there is no connection */
enum publisher_result publisher_send(struct publisher *publisher, const char *topic,
				     const char *payload);
/** publisher_flush() - wait until the broker has acknowledged all that was sent since the begin */
enum publisher_result publisher_flush(struct publisher *publisher);
const char *publisher_why(const struct publisher *publisher);
