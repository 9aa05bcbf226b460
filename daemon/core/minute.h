/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Minute: how many valid readings a minute had, their mean, the smallest and the largest.
 *
 * They outlast the readings, so they have to be small: an hour of a monitor is packed into one
 * record, which names the minutes that had any and says of each what cannot be told from the rest.
 *
 *   tag  1 byte    decimals 0 to 9: integers of that many decimals; or 4, 8 bytes a value
 *   has  8 bytes   bit 0 is the hour's first minute
 *   then of each   how many; the smallest (as a step from that of the minute before);
 *                  where there are two or more the largest, where these differ the mean
 *
 * The smallest and the largest come back as they were, to 12 digits, which is what people read; so
 * does the mean, but of values that are all 32-bit floats, whose mean is kept as one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MINUTE_MS INT64_C(60000)

struct minute {
	uint32_t n;            /* 0: no valid reading, and the rest says nothing */
	double sum, low, high; /* in the monitor's unit */
};

enum { HOUR_MINUTES = 60, MINUTES_PACKED_MOST = 9 + HOUR_MINUTES * 29 };

/** minute_add() - a valid reading; what is not finite is none */
void minute_add(struct minute *minute, double value);

/** minutes_any() - has the hour a reading? */
bool minutes_any(const struct minute hour[static HOUR_MINUTES]);
/** minutes_pack() - Return: bytes of @out that are used */
size_t minutes_pack(const struct minute hour[static HOUR_MINUTES],
		    uint8_t out[static MINUTES_PACKED_MOST]);
/** minutes_unpack() - Return: false if it is no packed hour; @hour is then empty */
bool minutes_unpack(struct minute hour[static HOUR_MINUTES], const uint8_t *data, size_t size);
