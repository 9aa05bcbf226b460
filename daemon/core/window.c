/* SPDX-License-Identifier: Apache-2.0 */
#include "core/window.h"

#include "core/number.h"

#include <math.h>

enum { HOUR_MS = 3600000 };

static int64_t floor_to(int64_t ms, int64_t unit)
{
	int64_t rest = ms % unit;
	return ms - (rest < 0 ? rest + unit : rest);
}

/* The moment between @low and @high (exclusive) from which on the zone's offset is another. */
static int64_t change_between(const struct zone *zone, int64_t low, int64_t high)
{
	int32_t offset = zone_offset_s(zone, low);
	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		if (zone_offset_s(zone, middle) == offset)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static struct span hour_span(const struct zone *zone, int64_t wall_ms)
{
	int64_t offset_ms = (int64_t)zone_offset_s(zone, wall_ms) * 1000;
	struct span span = {.start_ms = floor_to(wall_ms + offset_ms, HOUR_MS) - offset_ms};
	span.end_ms = span.start_ms + HOUR_MS;
	if (zone_offset_s(zone, span.start_ms) * (int64_t)1000 != offset_ms)
		span.start_ms = change_between(zone, span.start_ms, wall_ms);
	if (zone_offset_s(zone, span.end_ms - 1) * (int64_t)1000 != offset_ms)
		span.end_ms = change_between(zone, wall_ms, span.end_ms - 1);
	return span;
}

static struct span day_span(const struct zone *zone, int64_t wall_ms)
{
	struct civil day = zone_civil(zone, wall_ms);
	day.hour = day.minute = day.second = 0;
	struct span span = {.start_ms = zone_wall_ms(zone, &day, 0)};
	/* 26 to 47 hours on is always within the next day, however long this one is. */
	day = zone_civil(zone, span.start_ms + 36 * (int64_t)HOUR_MS);
	day.hour = day.minute = day.second = 0;
	span.end_ms = zone_wall_ms(zone, &day, 0);
	return span;
}

struct span window_span(const struct zone *zone, enum average average, int64_t wall_ms)
{
	return average == AVERAGE_HOUR ? hour_span(zone, wall_ms) : day_span(zone, wall_ms);
}

void windows_start(struct windows *windows, const struct zone *zone, enum average average,
		   int64_t start_ms)
{
	*windows = (struct windows){.next = window_span(zone, average, start_ms)};
}

static void total_add(struct total *t, double value)
{
	double sum = t->sum + value;
	t->rest += fabs(t->sum) >= fabs(value) ? (t->sum - sum) + value : (value - sum) + t->sum;
	t->sum = sum;
}

void window_merge(struct window *w, const struct window *more)
{
	w->n += more->n;
	w->aside += more->aside;
	total_add(&w->sum, more->sum.sum);
	total_add(&w->weight, more->weight.sum);
	w->sum.rest += more->sum.rest;
	w->weight.rest += more->weight.rest;
}

void window_add(struct window *w, double value, double weight)
{
	total_add(&w->sum, value * weight);
	total_add(&w->weight, weight);
	w->n++;
}

/* One from which something was set aside says another thing than one without anything. */
static bool is_empty(const struct window *w)
{
	return w->n == 0 && w->aside == 0;
}

struct window *window_find(struct window *open, size_t n, int64_t wall_ms)
{
	for (size_t i = 0; i < n; i++)
		if (wall_ms >= open[i].span.start_ms && wall_ms < open[i].span.end_ms)
			return &open[i];
	return NULL;
}

struct window *window_place(struct window *open, size_t n)
{
	struct window *last = &open[0];
	for (size_t i = 0; i < n; i++) {
		if (open[i].span.end_ms == 0)
			return &open[i];
		if (open[i].span.start_ms > last->span.start_ms)
			last = &open[i];
	}
	return last;
}

/* The window that holds a moment, NULL where it was judged already. */
static struct window *window_at(struct windows *windows, const struct zone *zone,
				enum average average, int64_t wall_ms)
{
	if (wall_ms < windows->next.start_ms)
		return NULL;
	struct window *w = window_find(windows->open, WINDOWS_OPEN, wall_ms);
	if (w == NULL) {
		w = window_place(windows->open, WINDOWS_OPEN);
		*w = (struct window){.span = window_span(zone, average, wall_ms)};
	}
	return w;
}

void windows_add(struct windows *windows, const struct zone *zone, enum average average,
		 int64_t wall_ms, double value, double weight)
{
	struct window *w = window_at(windows, zone, average, wall_ms);
	if (w != NULL)
		window_add(w, value, weight);
}

void windows_set_aside(struct windows *windows, const struct zone *zone, enum average average,
		       int64_t wall_ms)
{
	struct window *w = window_at(windows, zone, average, wall_ms);
	if (w != NULL)
		w->aside++;
}

void window_refill(struct window *open, size_t n, const struct window *contents)
{
	if (is_empty(contents))
		return;
	struct window *w = window_find(open, n, contents->span.start_ms);
	if (w == NULL) {
		w = window_place(open, n);
		*w = (struct window){.span = contents->span};
	}
	window_merge(w, contents);
}

void windows_refill(struct windows *windows, const struct window *contents)
{
	if (contents->span.start_ms >= windows->next.start_ms)
		window_refill(windows->open, WINDOWS_OPEN, contents);
}

static bool any_open(const struct windows *windows)
{
	for (size_t i = 0; i < WINDOWS_OPEN; i++)
		if (windows->open[i].span.end_ms != 0)
			return true;
	return false;
}

bool windows_take(struct windows *windows, const struct zone *zone, enum average average,
		  int64_t clock_ms, int64_t grace_ms, int64_t alike_ms, struct window *out)
{
	if (clock_ms < windows->next.end_ms + grace_ms)
		return false;
	struct window *w = window_find(windows->open, WINDOWS_OPEN, windows->next.start_ms);
	*out = w != NULL ? *w : (struct window){.span = windows->next};
	if (w != NULL)
		*w = (struct window){0};
	int64_t from_ms = windows->next.end_ms;
	/* Empty windows after an empty one say nothing new: a clock that leaps years is no long
	 * loop. */
	if (is_empty(out) && out->span.start_ms >= alike_ms && !any_open(windows) &&
	    clock_ms - grace_ms > from_ms)
		from_ms = window_span(zone, average, clock_ms - grace_ms).start_ms;
	windows->next = window_span(zone, average, from_ms);
	return true;
}

double window_mean(const struct window *window)
{
	return (window->sum.sum + window->sum.rest) / (window->weight.sum + window->weight.rest);
}

enum outcome mean_outcome(const struct limit *limit, int64_t start_ms, double mean, double n,
			  double due)
{
	double judged =
		limit->compare == COMPARE_ROUNDED ? round_even(mean, limit->decimals) : mean;
	if (!limit_in_force(limit, start_ms))
		return OUTCOME_NONE;
	if (n == 0 || compare12(n, limit->min_valid * due) < 0 || !isfinite(mean))
		return OUTCOME_UNDETERMINED;
	return (limit->has_max && compare12(judged, limit->max) > 0) ||
			       (limit->has_min && compare12(judged, limit->min) < 0)
		       ? OUTCOME_EXCEEDS
		       : OUTCOME_COMPLIES;
}

bool limit_beyond(const struct limit *limit, int64_t at_ms, double value)
{
	double judged =
		limit->compare == COMPARE_ROUNDED ? round_even(value, limit->decimals) : value;
	return limit_in_force(limit, at_ms) &&
	       ((limit->has_max && judged > limit->max) || (limit->has_min && judged < limit->min));
}
