/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tally.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_FIRST = 64 };

bool tally_wanted(const struct plan *plan, uint32_t site)
{
	const struct site *s = &plan->sites[site];
	return s->has_flow && plan->monitors[s->flow_monitor].load_times > 0;
}

bool tally_counts(const struct plan *plan, uint32_t monitor)
{
	return plan->monitors[monitor].load_times > 0;
}

bool tally_init(struct tally *t, const struct plan *plan, uint32_t site)
{
	const struct site *s = &plan->sites[site];
	*t = (struct tally){.plan = plan,
			    .site = s,
			    .values = calloc(s->n_monitors + 1, sizeof *t->values),
			    .sums = calloc(s->n_monitors + 1, sizeof *t->sums)};
	return t->values != NULL && t->sums != NULL;
}

void tally_deinit(struct tally *t)
{
	free(t->values);
	free(t->sums);
	free(t->events);
}

void tally_begin(struct tally *t, int64_t at_ms)
{
	t->begun = true;
	t->at_ms = at_ms;
	t->hour = window_span(&t->plan->zone, AVERAGE_HOUR, at_ms);
}

static const struct monitor *monitor_at(const struct tally *t, uint32_t place)
{
	return &t->plan->monitors[t->site->first_monitor + place];
}

static uint32_t flow_place(const struct tally *t)
{
	return t->site->flow_monitor - t->site->first_monitor;
}

static bool flow_counts(const struct tally *t)
{
	return t->plan->monitors[t->site->flow_monitor].rollover > 0;
}

/* --- what waits --- */

static bool make_room(struct tally *t)
{
	if (t->n_events < t->room)
		return true;
	size_t room = t->room == 0 ? EVENTS_FIRST : 2 * t->room;
	struct tally_event *more = realloc(t->events, room * sizeof *more);
	if (more == NULL)
		return false;
	t->events = more;
	t->room = room;
	return true;
}

bool tally_add(struct tally *t, const struct reading *r, int64_t sequence)
{
	if (t->begun && r->measured_ms < t->at_ms)
		return false;
	if (!make_room(t)) {
		t->failed = true;
		return true;
	}
	size_t at = t->n_events++;
	for (; at > 0 && t->events[at - 1].time_ms > r->measured_ms; at--)
		t->events[at] = t->events[at - 1];
	t->events[at] = (struct tally_event){.time_ms = r->measured_ms,
					     .sequence = sequence,
					     .value = r->value,
					     .monitor = r->monitor - t->site->first_monitor,
					     .valid = r->has_value && r->flag == FLAG_NORMAL};
	return true;
}

int64_t tally_oldest(const struct tally *t)
{
	int64_t oldest = INT64_MAX;
	for (size_t i = 0; i < t->n_events; i++)
		if (t->events[i].sequence < oldest)
			oldest = t->events[i].sequence;
	return oldest;
}

/* --- adding up --- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How far of a span that begins at at_ms a value speaks; 0 where it does not. */
static int64_t spoken_ms(const struct tally *t, const struct tally_value *v, int64_t to_ms)
{
	int64_t end_ms = earlier(to_ms, v->until_ms);
	return v->valid && end_ms > t->at_ms ? end_ms - t->at_ms : 0;
}

/* From at_ms on, within one hour, nothing changes but that values cease to speak. */
static void add_up(struct tally *t, int64_t to_ms)
{
	const uint32_t flow = flow_place(t);
	const struct tally_value *q = &t->values[flow];
	int64_t flows_ms = spoken_ms(t, q, to_ms);
	double m3_s = q->value < 0 ? 0 : q->value;
	for (uint32_t i = 0; flows_ms > 0 && i < t->site->n_monitors; i++) {
		const struct monitor *m = monitor_at(t, i);
		const struct tally_value *c = &t->values[i];
		int64_t both_ms = earlier(flows_ms, spoken_ms(t, c, to_ms));
		if (both_ms == 0 || m->load_times <= 0)
			continue;
		double m3 = m3_s * (double)both_ms / 1000;
		t->sums[i].covered_ms += both_ms;
		t->sums[i].load += i == flow ? m3 : c->value * m->load_times * m3;
		if (i != flow && m->has_target && c->value > m->target)
			t->sums[i].excess += (c->value - m->target) * m->load_times * m3;
	}
	t->at_ms = to_ms;
}

static bool silent(const struct tally *t)
{
	const struct tally_value *q = &t->values[flow_place(t)];
	return !q->valid || q->until_ms <= t->at_ms;
}

static bool hour_empty(const struct tally *t)
{
	for (uint32_t i = 0; i < t->site->n_monitors; i++)
		if (t->sums[i].covered_ms > 0)
			return false;
	return true;
}

static void close_hour(struct tally *t, tally_hour_fn fn, void *context)
{
	if (!hour_empty(t) && fn != NULL)
		fn(context, t, t->hour, t->sums);
	memset(t->sums, 0, t->site->n_monitors * sizeof *t->sums);
}

/* A time in which the flow says nothing is passed over at once, however long. */
static void advance(struct tally *t, int64_t to_ms, tally_hour_fn fn, void *context)
{
	while (t->at_ms < to_ms) {
		bool passes = silent(t) && to_ms >= t->hour.end_ms;
		int64_t step_ms = passes ? to_ms : earlier(to_ms, t->hour.end_ms);
		if (passes)
			t->at_ms = step_ms;
		else
			add_up(t, step_ms);
		if (t->at_ms < t->hour.end_ms)
			continue;
		close_hour(t, fn, context);
		t->hour = window_span(&t->plan->zone, AVERAGE_HOUR, t->at_ms);
	}
}

/* --- values --- */

static void say(struct tally *t, uint32_t place, int64_t time_ms, bool valid, double value)
{
	t->values[place] =
		(struct tally_value){.valid = valid,
				     .value = value,
				     .at_ms = time_ms,
				     .until_ms = time_ms + monitor_at(t, place)->hold_ms};
}

/* How much a counter went on; false: it was reset, or so long ago that it says nothing. */
static bool counted(const struct monitor *m, double from, double to, double *out)
{
	*out = to - from;
	if (*out < 0)
		*out += m->rollover;
	return *out >= 0 && *out < m->rollover / 2;
}

/* The flow from a counter's last reading to its next, @next; NULL: there is none. */
static void say_counted(struct tally *t, const struct tally_event *next)
{
	const uint32_t flow = flow_place(t);
	const struct monitor *m = monitor_at(t, flow);
	double m3;
	t->values[flow].valid = false;
	if (next == NULL || !next->valid || !t->has_count || next->time_ms <= t->count_ms ||
	    next->time_ms - t->count_ms > m->hold_ms || !counted(m, t->count, next->value, &m3))
		return;
	double seconds = (double)(next->time_ms - t->count_ms) / 1000;
	say(t, flow, t->count_ms, true, m3 * m->load_times / seconds);
	t->values[flow].until_ms = next->time_ms;
}

static const struct tally_event *next_flow(const struct tally *t, size_t from, int64_t until_ms)
{
	for (size_t i = from; i < t->n_events && t->events[i].time_ms <= until_ms; i++)
		if (t->events[i].monitor == flow_place(t))
			return &t->events[i];
	return NULL;
}

static void take(struct tally *t, size_t at, int64_t until_ms)
{
	const struct tally_event *e = &t->events[at];
	const struct monitor *m = monitor_at(t, e->monitor);
	t->sums[e->monitor].readings++;
	if (e->monitor != flow_place(t)) {
		say(t, e->monitor, e->time_ms, e->valid, e->value);
		return;
	}
	if (!flow_counts(t)) {
		say(t, e->monitor, e->time_ms, e->valid, e->value * m->load_times);
		return;
	}
	t->has_count = e->valid;
	t->count = e->value;
	t->count_ms = e->time_ms;
	say_counted(t, next_flow(t, at + 1, until_ms));
}

/* A counter's last reading says nothing before the next: what lies behind it waits for that. */
static int64_t settled_until(const struct tally *t, int64_t until_ms)
{
	int64_t hold_ms = monitor_at(t, flow_place(t))->hold_ms;
	bool has = t->has_count;
	int64_t last_ms = t->count_ms;
	if (!flow_counts(t))
		return until_ms;
	for (size_t i = 0; i < t->n_events && t->events[i].time_ms <= until_ms; i++)
		if (t->events[i].monitor == flow_place(t)) {
			has = t->events[i].valid;
			last_ms = t->events[i].time_ms;
		}
	return has && until_ms - last_ms <= hold_ms ? earlier(until_ms, last_ms) : until_ms;
}

void tally_until(struct tally *t, int64_t until_ms, tally_hour_fn fn, void *context)
{
	int64_t settled_ms = settled_until(t, until_ms);
	size_t n = 0;
	if (!t->begun && t->n_events > 0 && t->events[0].time_ms <= settled_ms)
		tally_begin(t, t->events[0].time_ms);
	if (!t->begun || settled_ms < t->at_ms)
		return;
	if (flow_counts(t))
		say_counted(t, next_flow(t, 0, settled_ms));
	for (; n < t->n_events && t->events[n].time_ms < settled_ms; n++) {
		advance(t, t->events[n].time_ms, fn, context);
		take(t, n, settled_ms);
	}
	advance(t, settled_ms, fn, context);
	if (n > 0)
		memmove(t->events, t->events + n, (t->n_events - n) * sizeof *t->events);
	t->n_events -= n;
}

/* --- years and months --- */

struct span year_of(const struct zone *zone, int64_t wall_ms)
{
	struct civil first = {.year = zone_civil(zone, wall_ms).year, .month = 1, .day = 1};
	struct civil next = {.year = first.year + 1, .month = 1, .day = 1};
	return (struct span){zone_wall_ms(zone, &first, 0), zone_wall_ms(zone, &next, 0)};
}

struct span month_of(const struct zone *zone, int64_t wall_ms)
{
	struct civil now = zone_civil(zone, wall_ms);
	struct civil first = {.year = now.year, .month = now.month, .day = 1};
	struct civil next = {
		.year = now.year + now.month / 12, .month = now.month % 12 + 1, .day = 1};
	return (struct span){zone_wall_ms(zone, &first, 0), zone_wall_ms(zone, &next, 0)};
}
