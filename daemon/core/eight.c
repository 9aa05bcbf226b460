/* SPDX-License-Identifier: Apache-2.0 */
#include "core/eight.h"

#include "core/number.h"

#include <math.h>

enum { HOUR_MS = 3600000 };

void eight_add(struct eight *eight, const struct zone *zone, int64_t next_ms, int64_t wall_ms,
	       double value)
{
	if (wall_ms < next_ms)
		return;
	struct window *w = window_find(eight->hours, EIGHT_OPEN, wall_ms);
	if (w == NULL) {
		struct span day = window_span(zone, AVERAGE_DAY, wall_ms);
		struct span hour = {.start_ms = wall_ms - (wall_ms - day.start_ms) % HOUR_MS};
		hour.end_ms = hour.start_ms + HOUR_MS;
		if (hour.end_ms > day.end_ms)
			return;
		w = window_place(eight->hours, EIGHT_OPEN);
		*w = (struct window){.span = hour};
	}
	window_add(w, value, 1);
}

struct window eight_hour(const struct eight *eight, int64_t start_ms)
{
	for (size_t i = 0; i < EIGHT_OPEN; i++)
		if (eight->hours[i].span.start_ms == start_ms && eight->hours[i].n > 0)
			return eight->hours[i];
	return (struct window){.span = {start_ms, start_ms + HOUR_MS}};
}

uint64_t eight_readings(const struct eight *eight, struct span day)
{
	uint64_t n = 0;
	for (size_t i = 0; i < EIGHT_OPEN; i++)
		if (eight->hours[i].span.start_ms >= day.start_ms &&
		    eight->hours[i].span.end_ms <= day.end_ms)
			n += eight->hours[i].n;
	return n;
}

bool eight_any(const struct eight *eight)
{
	for (size_t i = 0; i < EIGHT_OPEN; i++)
		if (eight->hours[i].n > 0)
			return true;
	return false;
}

void eight_drop(struct eight *eight, int64_t end_ms)
{
	for (size_t i = 0; i < EIGHT_OPEN; i++)
		if (eight->hours[i].span.end_ms <= end_ms)
			eight->hours[i] = (struct window){0};
}

struct eight_day eight_day(const double *hours, size_t n, double least)
{
	struct eight_day day = {.largest = -INFINITY};
	for (size_t first = 0; first + EIGHT_HOURS <= n; first++) {
		double sum = 0;
		uint32_t valid = 0;
		for (size_t i = first; i < first + EIGHT_HOURS; i++) {
			if (isnan(hours[i]))
				continue;
			sum += hours[i];
			valid++;
		}
		if (valid == 0 || compare12(valid, least) < 0)
			continue;
		day.n++;
		day.largest = fmax(day.largest, sum / valid);
	}
	return day;
}
