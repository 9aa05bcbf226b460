/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Eight: the hours of which a day's largest moving mean of eight hours is made (ozone, GB
 * 3095-2012, 3.9 and table 1; HJ 663-2013 says which of them a day must have).
 *
 *   0h    1h    2h  …  7h    8h    9h  …  23h   24h   hours of the day, counted from its start
 *   ├─────┴─────┴──  ──┴─────┤                        the first of seventeen means,
 *         ├─────┴──  ──┴─────┴─────┤                  the second, of which each moves on by an hour
 *
 * A day's hours are kept until the day is judged, so that late values still enter them; a grace of
 * a day leaves three days open at most. A day of 23 or 25 hours has so many, and what is left
 * of a day behind its last whole hour belongs to none.
 */
#include "core/window.h"

enum {
	EIGHT_HOURS = 8,
	EIGHT_MEANS = 14, /* that a day must have, unless the largest of fewer exceeds */
	EIGHT_OPEN = 80
};

struct eight {
	struct window hours[EIGHT_OPEN];
};

/** eight_add() - a valid value at @wall_ms; ignored before @next_ms, where the next day to be
 * judged begins */
void eight_add(struct eight *eight, const struct zone *zone, int64_t next_ms, int64_t wall_ms,
	       double value);
/** eight_hour() - what there is of the hour that begins at @start_ms, empty for nothing */
struct window eight_hour(const struct eight *eight, int64_t start_ms);
/** eight_readings() - in all hours of a day */
uint64_t eight_readings(const struct eight *eight, struct span day);
/** eight_any() - is there any hour with readings? */
bool eight_any(const struct eight *eight);
/** eight_drop() - forget the hours of a day that was judged, and older ones */
void eight_drop(struct eight *eight, int64_t end_ms);

/* The means of eight hours that a day has, and the largest of them. */
struct eight_day {
	uint32_t n;
	double largest;
};
/**
 * eight_day() - from the means of a day's hours in their order, NAN where one has none
 * @least: so many of eight hours must have a mean; at least one has
 */
struct eight_day eight_day(const double *hours, size_t n, double least);
