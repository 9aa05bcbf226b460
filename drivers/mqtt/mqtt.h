/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * MQTT connections as assemble.c hands them over.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_ack { MQTT_ACK_STORED, MQTT_ACK_RECEIVED };

struct mqtt_point {
	uint32_t monitor;
	const char *topic; /* filter; may hold + and # */
	const char *value; /* JSON pointer (RFC 6901); NULL: the payload is a plain number */
	const char *time;  /* JSON pointer; NULL: the receipt is the time */
	const char *flag;  /* JSON pointer to an HJ 212 data flag; NULL: all are normal */
	double scale, offset;
};

struct mqtt_connection {
	uint32_t connection;
	const char *id;
	const char *uri; /* mqtt://host:port or mqtts://host:port */
	const char *client_id;
	int qos; /* 0 or 1 */
	bool clean_session;
	int keepalive_s, ack_timeout_ms;
	enum mqtt_ack ack;
	const char *username, *password, *ca_file, *cert_file, *key_file; /* NULL: none */
	const struct mqtt_point *points;
	size_t n_points;
};
