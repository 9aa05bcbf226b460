/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Publisher: one MQTT client (Paho, asynchronous) that sends what the instruments say.
 *
 * Paho's threads only count and ring a bell; everything else happens in the caller's thread.
 * Messages wait for nobody: at most PUBLISHER_WINDOW are under way, and who wants to send more
 * waits for the bell. A QoS 1 message is under way until its PUBACK, a QoS 0 message until it is
 * written; what is under way when the connection breaks is sent again by Paho.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PUBLISHER_WINDOW = 200 };

struct publisher;

struct publisher_counts {
	uint64_t sent, done, failed; /* sent = done + failed + under way */
};

/**
 * publisher_new() - starts to connect, and connects again whenever the broker was away
 * @uri: mqtt://host:port or tcp://host:port
 * Return: 0 or negative errno (-EINVAL: Paho does not take the URI).
 */
int publisher_new(struct publisher **out, const char *uri, const char *client_id);
/** publisher_free() - disconnects, one second at most */
struct publisher *publisher_free(struct publisher *p);
bool publisher_is_connected(const struct publisher *p);
/** publisher_has_room() - connected, and fewer than the window under way */
bool publisher_has_room(const struct publisher *p);
/** publisher_send() - Return: 0; -EAGAIN without room; -EIO when Paho refuses. */
int publisher_send(struct publisher *p, const char *topic, const char *payload, int qos);
/** publisher_fd() - readable after any change; publisher_heard() makes it unreadable again */
int publisher_fd(const struct publisher *p);
void publisher_heard(struct publisher *p);
struct publisher_counts publisher_counts(const struct publisher *p);
