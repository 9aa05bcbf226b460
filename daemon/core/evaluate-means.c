/* SPDX-License-Identifier: Apache-2.0 */
/* Mean limits: the windows of a monitor, and what a window that is over says. */
#include "core/compliance.h"
#include "core/evaluate-state.h"
#include "core/number.h"

#include <math.h>

/* Readings due in a window while the site discharges, but for those set aside; 0: unknown. */
static double readings_due(const struct monitor *m, const struct window *w, int64_t shut_ms)
{
	double length_ms = (double)(w->span.end_ms - w->span.start_ms - shut_ms);
	return fmax(0, monitor_due(m, length_ms) - (double)w->aside);
}

bool share_suffices(const struct limit *l, const struct window *w, double due)
{
	return w->n > 0 && compare12((double)w->n, l->min_valid * due) >= 0 &&
	       w->weight.sum + w->weight.rest > 0;
}

bool not_applicable(const struct evaluator *e, uint32_t monitor, const struct window *w,
		    double *due)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	const struct discharge *d = discharge_of(e, monitor);
	int64_t shut_ms = d == NULL ? 0 : discharge_shut_ms(d, w->span);
	*due = readings_due(m, w, shut_ms);
	if ((shut_ms == 0 && w->aside == 0) || w->n > 0)
		return false;
	bool known = m->expected_per_hour > 0 || m->interval_ms > 0;
	return shut_ms == w->span.end_ms - w->span.start_ms || (known && *due < 1);
}

static void undetermined(struct evaluator *e, uint32_t monitor, uint32_t limit,
			 const struct window *w)
{
	uint32_t at = e->first_limit[monitor] + limit;
	struct limit_rest *rest = &e->rests[at];
	struct condition c = {monitor, NO_INDEX, limit, ALERT_UNDETERMINED, NULL};
	e->limits[at].exceedance.off_run = rest->warning.off_run = false;
	if (rest->undetermined.active)
		return;
	rest->undetermined = (struct alert_state){.began_ms = w->span.start_ms};
	alert_raise(e, &c, &rest->undetermined, w->span.end_ms, 0);
}

void judged_settle(const struct evaluator *e, struct judged *j, double mean)
{
	const struct limit *l = &e->plan->monitors[j->monitor].limits[j->limit];
	enum bound bound;
	j->mean = mean;
	j->outcome = OUTCOME_UNDETERMINED;
	if (!isfinite(mean))
		return;
	j->judged = l->compare == COMPARE_ROUNDED ? round_even(mean, l->decimals) : mean;
	j->outcome = level_violated(&e->exceedance[e->first_limit[j->monitor] + j->limit],
				    j->judged, &bound)
			     ? OUTCOME_EXCEEDS
			     : OUTCOME_COMPLIES;
}

/* What a window comes to; the mean where it has one. */
static struct judged window_weigh(const struct evaluator *e, uint32_t monitor, uint32_t limit,
				  const struct window *w)
{
	const struct limit *l = &e->plan->monitors[monitor].limits[limit];
	struct judged j = {.monitor = monitor, .limit = limit, .window = w};
	if (!limit_in_force(l, w->span.start_ms) || not_applicable(e, monitor, w, &j.due))
		return j;
	j.outcome = OUTCOME_UNDETERMINED;
	if (l->average == AVERAGE_DAY_8H)
		eight_weigh(e, w, &j);
	else if (share_suffices(l, w, j.due))
		judged_settle(e, &j, window_mean(w));
	return j;
}

static void window_judge(struct evaluator *e, uint32_t monitor, uint32_t limit,
			 const struct window *w)
{
	const struct limit *l = &e->plan->monitors[monitor].limits[limit];
	const struct judged j = window_weigh(e, monitor, limit, w);
	if (l->average == AVERAGE_DAY_8H)
		eight_drop(e->eights[e->first_limit[monitor] + limit], w->span.end_ms);
	if (e->watch != NULL)
		e->watch(e->watching, &j);
	if (j.outcome == OUTCOME_NONE) {
		if (!limit_in_force(l, w->span.start_ms))
			limit_rest(e, monitor, limit, w->span.end_ms);
		return;
	}
	if (j.outcome == OUTCOME_UNDETERMINED) {
		undetermined(e, monitor, limit, w);
		return;
	}
	struct condition c = {monitor, NO_INDEX, limit, ALERT_UNDETERMINED, NULL};
	struct limit_rest *rest = &e->rests[e->first_limit[monitor] + limit];
	alert_clear(e, &c, &rest->undetermined, w->span.end_ms);
	const struct step s = {.time_ms = w->span.end_ms,
			       .value = j.mean,
			       .judged = j.judged,
			       .result = true,
			       .readings = (uint32_t)w->n};
	limit_feed(e, monitor, limit, &s, w->span.start_ms);
	if (l->mark_until_ms != 0 && j.outcome == OUTCOME_EXCEEDS)
		rest->held = *w;
}

/* The time for marking is over: the alert of a mean that stands may open its case. */
static void held_judge(struct evaluator *e, uint32_t monitor, uint32_t limit, int64_t due_ms)
{
	uint32_t at = e->first_limit[monitor] + limit;
	const struct condition c = {monitor, NO_INDEX, limit, ALERT_EXCEEDANCE, NULL};
	const struct alert_state *a = &e->limits[at].exceedance.alert;
	const struct window held = e->rests[at].held;
	e->rests[at].held = (struct window){0};
	if (a->active && window_weigh(e, monitor, limit, &held).outcome == OUTCOME_EXCEEDS)
		alert_say(e, VERDICT_SETTLED, &c, a, due_ms, 0);
}

void means_add(struct evaluator *e, const struct reading *r, bool result)
{
	const struct monitor *m = &e->plan->monitors[r->monitor];
	struct limit_rest *rests = &e->rests[e->first_limit[r->monitor]];
	for (uint32_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		double weight;
		if (l->average == AVERAGE_INSTANT || (l->of_results && !result) ||
		    !reading_weight(e, l, r, &weight))
			continue;
		if (l->average == AVERAGE_DAY_8H)
			eight_add(e->eights[e->first_limit[r->monitor] + i], &e->plan->zone,
				  rests[i].windows.next.start_ms, r->measured_ms, r->value);
		else
			windows_add(&rests[i].windows, &e->plan->zone, l->average, r->measured_ms,
				    r->value, weight);
	}
}

void means_set_aside(struct evaluator *e, const struct reading *r, bool result)
{
	const struct monitor *m = &e->plan->monitors[r->monitor];
	struct limit_rest *rests = &e->rests[e->first_limit[r->monitor]];
	for (uint32_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		bool enters = result || !l->of_results;
		if (enters && l->average != AVERAGE_INSTANT && l->average != AVERAGE_DAY_8H)
			windows_set_aside(&rests[i].windows, &e->plan->zone, l->average,
					  r->measured_ms);
	}
}

/* From when on empty windows say the same: behind the limit's dates and what the flow did. */
static int64_t windows_alike(const struct evaluator *e, uint32_t monitor, uint32_t limit)
{
	const struct limit *l = &e->plan->monitors[monitor].limits[limit];
	const struct eight *eight = e->eights[e->first_limit[monitor] + limit];
	if (eight != NULL && eight_any(eight))
		return INT64_MAX;
	const struct discharge *d = discharge_of(e, monitor);
	int64_t from_ms = d == NULL ? INT64_MIN : discharge_settled(d);
	if (l->valid_from_ms != 0 && l->valid_from_ms > from_ms)
		from_ms = l->valid_from_ms;
	if (l->valid_to_ms != 0 && l->valid_to_ms > from_ms)
		from_ms = l->valid_to_ms;
	return from_ms;
}

/* windows_take(), with the readings of a day whose hours lie apart. */
static bool take_window(struct evaluator *e, uint32_t monitor, uint32_t limit, int64_t wall_ms,
			struct window *out)
{
	const struct limit *l = &e->plan->monitors[monitor].limits[limit];
	uint32_t at = e->first_limit[monitor] + limit;
	int64_t alike_ms = windows_alike(e, monitor, limit);
	bool taken = windows_take(&e->rests[at].windows, &e->plan->zone, l->average, wall_ms,
				  l->grace_ms, alike_ms, out);
	if (taken && e->eights[at] != NULL)
		out->n = eight_readings(e->eights[at], out->span);
	return taken;
}

/* In the order of time: a window's time for marking ends before the next one does. */
static void limit_windows(struct evaluator *e, uint32_t monitor, uint32_t limit, int64_t wall_ms)
{
	const struct limit *l = &e->plan->monitors[monitor].limits[limit];
	struct limit_rest *rest = &e->rests[e->first_limit[monitor] + limit];
	for (;;) {
		struct window w;
		int64_t due_ms = rest->held.span.end_ms == 0 ? INT64_MAX
							     : held_due_ms(e->plan, l, &rest->held);
		if (wall_ms >= due_ms)
			held_judge(e, monitor, limit, due_ms);
		else if (take_window(e, monitor, limit, wall_ms, &w))
			window_judge(e, monitor, limit, &w);
		else
			break;
	}
}

void evaluator_windows(struct evaluator *e, uint32_t monitor, int64_t wall_ms)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	struct limit_rest *rests = &e->rests[e->first_limit[monitor]];
	for (uint32_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		bool idle = wall_ms < rests[i].windows.next.end_ms + l->grace_ms &&
			    rests[i].held.span.end_ms == 0;
		if (l->average == AVERAGE_INSTANT || idle || rests[i].windows.waits)
			continue;
		awaiting_window(e, monitor, wall_ms - l->grace_ms);
		limit_windows(e, monitor, i, wall_ms);
	}
}
