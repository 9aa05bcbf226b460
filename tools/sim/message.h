/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Message: the payload that an instrument or a small logger publishes over MQTT, either one plain
 * number or a JSON object with the values and their time.
 */
#include "sim/signal.h"

struct message_value {
	char *name;
	char *pointer; /* where in the object (RFC 6901, object members only); NULL: plain number */
	struct signal signal;
};

struct message {
	char *topic;
	char *time; /* pointer to epoch milliseconds; NULL: none */
	struct message_value *values;
	size_t n_values;
};

enum message_result { MESSAGE_READY = 0, MESSAGE_SILENT };

/** message_pointer_is_good() - names at least one member, each by at least one character */
bool message_pointer_is_good(const char *pointer);
/**
 * message_text() - the payload of one moment
 * @wall_ms: what the publisher's clock shows
 * @out: free() it; NaN is null in JSON and "NaN" as a plain number
 * Return: enum message_result, -ENOMEM, or -EINVAL when one pointer runs through another's value.
 */
int message_text(const struct message *m, int64_t time_ms, int64_t wall_ms, char **out);
