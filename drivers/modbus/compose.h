/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Compose: the registers of one point become one value, its flag and its time. Pure.
 *
 *   number = first register(s) + plus · times + …        unless one of them is no number
 *   value  = number · 10^exponent · factor · scale + offset
 *   flag   = N, or the first other one that a status says; D where there is no value
 *   time   = the instrument's, where its clock can be right
 *
 * Error values (`invalid`) are compared with the first number before it is scaled, exactly; with
 * float32 as the nearest float32, so that -9999.9 is found.
 */
#include "core/reading.h"
#include "drivers/modbus/codec.h"

enum { MODBUS_PLACE_BYTES = 12 }; /* the widest: a civil time of six registers */

/* The registers of a point as they arrive, in one reply or several. Place 0 is the point's own. */
struct modbus_words {
	uint16_t have; /* bit i: place i is here */
	uint8_t at[1 + MODBUS_EXTRAS_MOST][MODBUS_PLACE_BYTES];
};

struct modbus_result {
	bool has_value, has_time;
	double value; /* finite where has_value */
	enum flag flag;
	uint64_t raw;        /* the first number's bytes */
	int64_t measured_ms; /* wall clock, where has_time */
};

/** modbus_places() - how many places @point has, its own included */
static inline size_t modbus_places(const struct modbus_point *point)
{
	return 1 + (point->more == NULL ? 0 : point->more->n_extras);
}
/** modbus_place() - place @i of @point. @width: out, its registers (1 for a bit) */
struct modbus_place modbus_place(const struct modbus_point *point, size_t i, uint16_t *width);

/** modbus_gather() - take those places of @point that @reply holds */
void modbus_gather(const struct modbus_point *point, const struct modbus_request *request,
		   const struct modbus_reply *reply, struct modbus_words *words);

/**
 * modbus_compose() - what the words of @point say, all of which are there
 * @zone: of instruments that show local time
 *
 * A time before 2001 or no time of the calendar is that of a clock that was never set: has_time is
 * false. What lies in the future is the door's business.
 */
struct modbus_result modbus_compose(const struct modbus_point *point,
				    const struct modbus_words *words, const struct zone *zone);
