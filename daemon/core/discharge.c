/* SPDX-License-Identifier: Apache-2.0 */
#include "core/discharge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE_POINTS = 512, LIVE_PERIODS = 64 };

bool discharge_init(struct discharge *d, const struct site *site, const struct monitor *flow)
{
	*d = (struct discharge){
		.in_use = true,
		.gates = site->has_gate,
		.below = site->gate_below,
		.for_ms = site->gate_for_ms,
		.hold_ms = flow->stale_after_ms,
		.points = calloc(LIVE_POINTS, sizeof *d->points),
		.points_room = LIVE_POINTS,
		.shut = calloc(LIVE_PERIODS, sizeof *d->shut),
		.shut_room = LIVE_PERIODS,
		.newest_ms = INT64_MIN,
	};
	return d->points != NULL && d->shut != NULL;
}

void discharge_deinit(struct discharge *d)
{
	free(d->points);
	free(d->shut);
}

/* A place for one more: of a full live list the older half goes, any other grows. */
static bool make_room(const struct discharge *d, void **list, size_t *n, size_t *room, size_t size)
{
	if (*n < *room)
		return true;
	if (!d->grows) {
		size_t gone = *room / 2;
		memmove(*list, (char *)*list + gone * size, (*n - gone) * size);
		*n -= gone;
		return true;
	}
	void *more = realloc(*list, 2 * *room * size);
	if (more == NULL)
		return false;
	*list = more;
	*room *= 2;
	return true;
}

/* The running low as a period, which may be empty; what its last reading does not speak for is
 * unknown, and unknown is open. */
static struct span running(const struct discharge *d)
{
	struct span span = {.start_ms = d->low_ms + d->for_ms, .end_ms = INT64_MAX};
	if (d->hold_ms > 0)
		span.end_ms = d->points[d->n_points - 1].time_ms + d->hold_ms + 1;
	return span;
}

static void end_low(struct discharge *d, int64_t time_ms)
{
	struct span span = running(d);
	d->low = false;
	if (span.end_ms > time_ms)
		span.end_ms = time_ms;
	if (span.start_ms >= span.end_ms)
		return;
	void *list = d->shut;
	d->failed |= !make_room(d, &list, &d->n_shut, &d->shut_room, sizeof *d->shut);
	d->shut = list;
	if (!d->failed)
		d->shut[d->n_shut++] = span;
}

/* A meter's zero is off to either side by as much; a flow that runs backwards is no standstill. */
static bool is_low(const struct discharge *d, double value)
{
	return fabs(value) < d->below;
}

static void gate(struct discharge *d, int64_t time_ms, double value)
{
	if (d->low && d->hold_ms > 0 && time_ms - d->points[d->n_points - 1].time_ms > d->hold_ms)
		end_low(d, time_ms);
	if (d->low && !is_low(d, value))
		end_low(d, time_ms);
	else if (!d->low && is_low(d, value)) {
		d->low = true;
		d->low_ms = time_ms;
	}
}

void discharge_add(struct discharge *d, int64_t time_ms, double value)
{
	if (d->n_points > 0 && time_ms < d->points[d->n_points - 1].time_ms)
		return;
	if (d->gates)
		gate(d, time_ms, value);
	void *list = d->points;
	d->failed |= !make_room(d, &list, &d->n_points, &d->points_room, sizeof *d->points);
	d->points = list;
	if (!d->failed)
		d->points[d->n_points++] = (struct flow_point){time_ms, value};
}

void discharge_save(const struct discharge *d, struct discharge_record *out)
{
	const size_t most = sizeof out->shut / sizeof out->shut[0];
	size_t n = d->n_shut < most ? d->n_shut : most;
	memset(out, 0, sizeof *out);
	out->low = d->low;
	out->low_ms = d->low_ms;
	out->has_last = d->n_points > 0;
	if (out->has_last)
		out->last = d->points[d->n_points - 1];
	out->n_shut = (uint32_t)n;
	for (size_t i = 0; i < n; i++)
		out->shut[i] = d->shut[d->n_shut - n + i];
}

void discharge_load(struct discharge *d, const struct discharge_record *record)
{
	if (!record->has_last || record->n_shut > sizeof record->shut / sizeof record->shut[0])
		return;
	d->points[0] = record->last;
	d->n_points = 1;
	d->low = record->low && d->gates;
	d->low_ms = record->low_ms;
	d->n_shut = record->n_shut;
	memcpy(d->shut, record->shut, d->n_shut * sizeof *d->shut);
}

void discharge_set_back(struct discharge *d, int64_t wall_ms)
{
	while (d->n_points > 0 && d->points[d->n_points - 1].time_ms > wall_ms)
		d->n_points--;
	while (d->n_shut > 0 && d->shut[d->n_shut - 1].end_ms > wall_ms)
		d->n_shut--;
	d->low = false;
}

static void unhear_points(struct discharge *d, int64_t from_ms, int64_t to_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n_points; i++)
		if (d->points[i].time_ms < from_ms || d->points[i].time_ms >= to_ms)
			d->points[kept++] = d->points[i];
	d->n_points = kept;
}

/* Unknown is open: what lies within is cut off, and of a period around it the rest stays. */
static void unhear_periods(struct discharge *d, int64_t from_ms, int64_t to_ms)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n_shut; i++) {
		struct span s = d->shut[i];
		if (s.start_ms < from_ms && s.end_ms > from_ms)
			s.end_ms = from_ms;
		else if (s.start_ms >= from_ms && s.start_ms < to_ms)
			s.start_ms = s.end_ms < to_ms ? s.end_ms : to_ms;
		if (s.start_ms < s.end_ms)
			d->shut[kept++] = s;
	}
	d->n_shut = kept;
}

void discharge_unhear(struct discharge *d, int64_t from_ms, int64_t to_ms)
{
	if (d->low && d->low_ms >= from_ms && d->low_ms < to_ms)
		d->low = false;
	unhear_points(d, from_ms, to_ms);
	unhear_periods(d, from_ms, to_ms);
	if (d->n_points == 0)
		d->low = false;
}

bool discharge_flow(const struct discharge *d, int64_t time_ms, double *out)
{
	size_t low = 0, high = d->n_points; /* points before low are at or before the moment */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (d->points[middle].time_ms <= time_ms)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || (d->hold_ms > 0 && time_ms - d->points[low - 1].time_ms > d->hold_ms))
		return false;
	*out = d->points[low - 1].value;
	return true;
}

/* How many ended periods begin at or before a moment. */
static size_t begun(const struct discharge *d, int64_t time_ms)
{
	size_t low = 0, high = d->n_shut;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (d->shut[middle].start_ms <= time_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool discharge_shut(const struct discharge *d, int64_t time_ms, int64_t *end_ms)
{
	size_t n = begun(d, time_ms);
	struct span span = n > 0 ? d->shut[n - 1] : (struct span){0};
	if (n == 0 || time_ms >= span.end_ms) {
		if (!d->low)
			return false;
		span = running(d);
	}
	*end_ms = span.end_ms;
	return time_ms >= span.start_ms && time_ms < span.end_ms;
}

int64_t discharge_returned(const struct discharge *d, int64_t time_ms)
{
	struct span last = d->low ? running(d) : (struct span){0};
	if (d->low && last.start_ms < last.end_ms && last.end_ms <= time_ms)
		return last.end_ms;
	size_t n = begun(d, time_ms);
	while (n > 0 && d->shut[n - 1].end_ms > time_ms)
		n--;
	return n > 0 ? d->shut[n - 1].end_ms : INT64_MIN;
}

int64_t discharge_settled(const struct discharge *d)
{
	struct span last = d->low ? running(d) : (struct span){0};
	if (d->low)
		return last.end_ms == INT64_MAX ? last.start_ms : last.end_ms;
	return d->n_shut > 0 ? d->shut[d->n_shut - 1].end_ms : INT64_MIN;
}

static int64_t common_ms(struct span a, struct span b)
{
	int64_t from = a.start_ms > b.start_ms ? a.start_ms : b.start_ms;
	int64_t to = a.end_ms < b.end_ms ? a.end_ms : b.end_ms;
	return to > from ? to - from : 0;
}

int64_t discharge_shut_ms(const struct discharge *d, struct span span)
{
	int64_t total = d->low ? common_ms(running(d), span) : 0;
	for (size_t n = begun(d, span.end_ms); n > 0; n--) {
		if (d->shut[n - 1].end_ms <= span.start_ms)
			break;
		total += common_ms(d->shut[n - 1], span);
	}
	return total;
}
