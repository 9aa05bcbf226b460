/* SPDX-License-Identifier: Apache-2.0 */
/* Marks over what is evaluated, and the windows that one given afterwards touches. */
#include "core/evaluate-state.h"

void evaluator_marks(struct evaluator *e, const struct marks *marks)
{
	e->marks = marks;
}

/* --- until when a day may be marked --- */

int64_t held_due_ms(const struct plan *plan, const struct limit *l, const struct window *held)
{
	struct civil day = zone_civil(&plan->zone, held->span.end_ms);
	day.hour = (int)(l->mark_until_ms / 3600000);
	day.minute = (int)(l->mark_until_ms / 60000 % 60);
	day.second = 0;
	return zone_wall_ms(&plan->zone, &day, 0);
}

/* --- windows looked up again --- */

static void empty(struct window *w)
{
	*w = (struct window){.span = w->span};
}

static bool touches(const struct window *w, int64_t from_ms, int64_t to_ms)
{
	return w->span.end_ms != 0 && w->span.start_ms < to_ms && w->span.end_ms > from_ms;
}

void evaluator_reopen(struct evaluator *e, uint32_t monitor, int64_t from_ms, int64_t to_ms)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	struct limit_rest *rests = &e->rests[e->first_limit[monitor]];
	awaiting_pass(e, m->site, INT64_MAX); /* what is looked up again holds them */
	for (size_t i = 0; i < m->n_limits; i++) {
		if (m->limits[i].average == AVERAGE_INSTANT)
			continue;
		rests[i].windows.waits = true;
		for (size_t j = 0; j < WINDOWS_OPEN; j++)
			if (touches(&rests[i].windows.open[j], from_ms, to_ms))
				empty(&rests[i].windows.open[j]);
		if (touches(&rests[i].held, from_ms, to_ms))
			empty(&rests[i].held);
		struct eight *eight = e->eights[e->first_limit[monitor] + i];
		for (size_t j = 0; eight != NULL && j < EIGHT_OPEN; j++)
			if (touches(&eight->hours[j], from_ms, to_ms))
				empty(&eight->hours[j]);
	}
}

int64_t evaluator_next_window(const struct evaluator *e, uint32_t monitor, uint32_t limit)
{
	return e->rests[e->first_limit[monitor] + limit].windows.next.start_ms;
}

int64_t evaluator_open_since(const struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	int64_t since_ms = INT64_MAX;
	for (size_t i = 0; i < m->n_limits; i++) {
		const struct limit_rest *rest = &e->rests[e->first_limit[monitor] + i];
		if (m->limits[i].average == AVERAGE_INSTANT)
			continue;
		if (rest->windows.next.start_ms < since_ms)
			since_ms = rest->windows.next.start_ms;
		if (rest->held.span.end_ms != 0 && rest->held.span.start_ms < since_ms)
			since_ms = rest->held.span.start_ms;
	}
	return since_ms;
}

bool evaluator_reopened(const struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	for (size_t i = 0; i < m->n_limits; i++)
		if (e->rests[e->first_limit[monitor] + i].windows.waits)
			return true;
	return false;
}

void evaluator_refill(struct evaluator *e, uint32_t monitor, uint32_t limit,
		      const struct window *contents)
{
	struct limit_rest *rest = &e->rests[e->first_limit[monitor] + limit];
	struct eight *eight = e->eights[e->first_limit[monitor] + limit];
	if (eight != NULL && contents->span.start_ms < rest->windows.next.start_ms)
		return;
	if (eight != NULL)
		window_refill(eight->hours, EIGHT_OPEN, contents);
	else if (rest->held.span.end_ms != 0 && rest->held.span.start_ms == contents->span.start_ms)
		window_merge(&rest->held, contents);
	else
		windows_refill(&rest->windows, contents);
}

void evaluator_go_on(struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].average != AVERAGE_INSTANT)
			e->rests[e->first_limit[monitor] + i].windows.waits = false;
}

void evaluator_unhear(struct evaluator *e, uint32_t monitor, int64_t from_ms, int64_t to_ms)
{
	uint32_t site = e->plan->monitors[monitor].site;
	if (e->discharges[site].in_use && e->plan->sites[site].flow_monitor == monitor)
		discharge_unhear(&e->discharges[site], from_ms, to_ms);
}

/* --- who looks on --- */

void evaluator_watch(struct evaluator *e, judged_fn fn, void *context)
{
	e->watch = fn;
	e->watching = context;
}

static void each_open(const struct window *open, size_t n, struct judged j, judged_fn fn,
		      void *context)
{
	for (size_t i = 0; i < n; i++) {
		j.window = &open[i];
		if (open[i].span.end_ms != 0)
			fn(context, &j);
	}
}

void evaluator_wait_no_more(struct evaluator *e)
{
	awaiting_end(e);
}

void evaluator_each_open(const struct evaluator *e, uint32_t monitor, judged_fn fn, void *context)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	for (uint32_t i = 0; i < m->n_limits; i++) {
		uint32_t at = e->first_limit[monitor] + i;
		const struct judged j = {.monitor = monitor, .limit = i};
		each_open(e->rests[at].windows.open, WINDOWS_OPEN, j, fn, context);
		if (e->eights[at] != NULL)
			each_open(e->eights[at]->hours, EIGHT_OPEN, j, fn, context);
	}
}
