/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Payload: the bytes of a message to a value and its time. Pure.
 *
 * A payload is a plain decimal number, or JSON in which the point's pointers (RFC 6901) find the
 * value and perhaps the time. What is not quite right is refused whole: a guess about a value is
 * worse than none.
 */
#include "core/reading.h"
#include "drivers/mqtt/mqtt.h"

enum {
	PAYLOAD_BYTES = 65536, /* the largest that is looked at */
	PAYLOAD_DEPTH = 32,    /* of arrays and objects */
};

enum payload_result {
	PAYLOAD_VALUE = 0, /* a finite value */
	PAYLOAD_NO_VALUE,  /* null, or the text NaN: the device says it has none */
	PAYLOAD_NOT_A_NUMBER,
	PAYLOAD_BAD_JSON,
	PAYLOAD_NOT_FOUND,
	PAYLOAD_WRONG_TYPE,
	PAYLOAD_BAD_TIME,
	PAYLOAD_BAD_FLAG,
	PAYLOAD_TOO_BIG,
};

struct payload {
	double value; /* scaled; where PAYLOAD_VALUE */
	uint64_t raw; /* the number as received: the bits of its double */
	bool has_time;
	int64_t time_ms; /* wall clock, ms since 1970 */
	enum flag flag; /* normal where the payload has none */
	char cause[160]; /* why it is refused, for the log */
};

/** payload_map() - what the @n bytes say for @point; no allocation outlives it */
enum payload_result payload_map(const struct mqtt_point *point, const void *bytes, size_t n,
				struct payload *out);

/** payload_time() - RFC 3339 with offset. Return: true and the ms since 1970, cut, not rounded */
bool payload_time(const char *text, size_t n, int64_t *ms);
