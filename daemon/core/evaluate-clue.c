/* SPDX-License-Identifier: Apache-2.0 */
/* Clues: what several results, or several monitors, show together (core/clue.h). */
#include "core/evaluate-state.h"
#include "core/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below half the shortest time between results that are watched for it. */
#define ALIKE_WITHIN_MS 420000
#define WEEK_MS 604800000

#define NEGATIVE_FLOW "negative_flow"
static const char *const reasons[CLUES] = {
	[CLUE_CLIPPED] = "clipped",     [CLUE_WEAK_FLAT] = "weak_flat",
	[CLUE_REPEATING] = "repeating", [CLUE_FLAGGED] = "flagged",
	[CLUE_SHUT] = "shut",           [CLUE_SHUT_OVER] = "shut_over_limit",
	[CLUE_SETTLED] = "settled",     [CLUE_ALIKE] = "alike"};

static const struct clue_rules *rules_of(const struct evaluator *e, uint32_t monitor)
{
	return e->plan->monitors[monitor].clues;
}

static bool measures_gate(const struct site *site, uint32_t monitor)
{
	return site->has_flow && site->flow_monitor == monitor && site->has_gate &&
	       site->gate_below > 0;
}

static struct clue_state *state_of(const struct evaluator *e, uint32_t monitor)
{
	return &e->clues[rules_of(e, monitor) - e->plan->clues];
}

static struct condition clue_of(uint32_t monitor, const char *reason)
{
	struct condition c = condition_of(monitor, ALERT_CLUE);
	c.reason = reason;
	return c;
}

/* --- conditions that hold for some results in a row, and for some time --- */

static void hold(struct evaluator *e, const struct condition *c, struct clue_hold *h, bool holds,
		 uint32_t count, const struct step *s)
{
	if (!holds) {
		h->on = false;
		alert_clear(e, c, &h->alert, s->time_ms);
		return;
	}
	if (!h->on)
		*h = (struct clue_hold){.on = true, .since_ms = s->time_ms, .alert = h->alert};
	h->results++;
	bool long_enough = s->time_ms - h->since_ms >= rules_of(e, c->monitor)->hold_ms;
	if (!h->alert.active && h->results >= count && long_enough)
		alert_raise_value(e, c, &h->alert, s, h->since_ms);
}

static void judge_clipped(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	struct condition c = clue_of(monitor, reasons[CLUE_CLIPPED]);
	if (rules->clipped_count > 0)
		hold(e, &c, &state_of(e, monitor)->clipped,
		     compare12(s->value, rules->clipped_from) >= 0, rules->clipped_count, s);
}

static double allowed(const struct contradiction *x, double other)
{
	return x->times * (x->kind == CONTRADICTION_SATURATION ? oxygen_saturation(other) : other);
}

static void judge_contradictions(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	for (size_t i = 0; i < rules->n_contradictions; i++) {
		const struct contradiction *x = &rules->contradictions[i];
		const struct monitor_state *other = &e->monitors[x->other];
		struct condition c = clue_of(monitor, x->reason);
		if (!other->has_valid || llabs(s->time_ms - other->valid_ms) > rules->within_ms)
			continue; /* not known: neither breaks nor completes */
		hold(e, &c, &state_of(e, monitor)->contradictions[i],
		     compare12(s->value, allowed(x, other->valid_value)) > 0,
		     rules->contradicts_count, s);
	}
}

/* A meter that runs backwards is no sign of a standstill, and its gate does not shut. */
static void judge_negative(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct site *site = &e->plan->sites[e->plan->monitors[monitor].site];
	struct condition c = clue_of(monitor, NEGATIVE_FLOW);
	if (measures_gate(site, monitor) && rules_of(e, monitor)->contradicts_count > 0)
		hold(e, &c, &state_of(e, monitor)->negative, s->value <= -site->gate_below,
		     rules_of(e, monitor)->contradicts_count, s);
}

/* --- conditions of the newest results together --- */

static void judge_course(struct evaluator *e, uint32_t monitor, enum clue clue, bool holds,
			 uint32_t results, const struct step *s)
{
	struct clue_state *state = state_of(e, monitor);
	struct alert_state *a = &state->alerts[clue];
	struct condition c = clue_of(monitor, reasons[clue]);
	if (!holds)
		alert_clear(e, &c, a, s->time_ms);
	else if (!a->active)
		alert_raise_value(e, &c, a, s, series_time(&state->series, results - 1));
}

static void judge_weak_flat(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	const struct series *series = &state_of(e, monitor)->series;
	bool flat = e->alerts[monitor].flat.active;
	if (rules->weak_flat_count == 0 || series->n < rules->weak_flat_count || flat)
		return;
	bool holds = s->value > e->plan->monitors[monitor].detection_limit &&
		     series_steady(series, rules->weak_flat_count, rules->weak_flat_share);
	judge_course(e, monitor, CLUE_WEAK_FLAT, holds, rules->weak_flat_count, s);
}

static void judge_repeating(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	const struct series *series = &state_of(e, monitor)->series;
	if (rules->repeating_count == 0 || series->n < SERIES_DIFFERENT)
		return;
	uint32_t pattern = series_pattern(series, rules->repeating_count);
	uint32_t results = pattern > rules->repeating_count ? pattern : rules->repeating_count;
	judge_course(e, monitor, CLUE_REPEATING, pattern > 0, results, s);
}

/* --- the same course at two sites ---
 *
 * Two monitors of one factor are compared result by result, by whichever comes later, where their
 * measured times lie within seven minutes. One of the two keeps the run.
 */

static bool keeps(const struct evaluator *e, uint32_t keeper, uint32_t other)
{
	const struct clue_state *state = state_of(e, keeper);
	return state->alike_results > 0 && strcmp(state->alike, rules_of(e, other)->alike) == 0;
}

static void run_alike(struct evaluator *e, uint32_t keeper, uint32_t other, bool same,
		      const struct step *s)
{
	const struct clue_rules *rules = rules_of(e, keeper);
	struct clue_state *state = state_of(e, keeper);
	struct condition c = clue_of(keeper, rules_of(e, other)->alike);
	struct alert_state *a = &state->alerts[CLUE_ALIKE];
	if (!same) {
		alert_clear(e, &c, a, s->time_ms);
		state->alike_results = 0;
		return;
	}
	if (state->alike_results++ == 0)
		state->alike_since_ms = s->time_ms;
	if (!a->active && state->alike_results >= rules->alike_count &&
	    series_different(&state->series, rules->alike_count))
		alert_raise_value(e, &c, a, s, state->alike_since_ms);
}

static void compare_curves(struct evaluator *e, uint32_t mine, uint32_t other, const struct step *s)
{
	const struct series *theirs = &state_of(e, other)->series;
	struct clue_state *state = state_of(e, mine);
	if (theirs->n == 0 || llabs(s->time_ms - series_time(theirs, 0)) > ALIKE_WITHIN_MS)
		return;
	bool same = series_value(theirs, 0) == s->value;
	if (keeps(e, mine, other)) {
		run_alike(e, mine, other, same, s);
	} else if (keeps(e, other, mine)) {
		run_alike(e, other, mine, same, s);
	} else if (same && state->alike_results == 0) {
		snprintf(state->alike, sizeof state->alike, "%s", rules_of(e, other)->alike);
		run_alike(e, mine, other, same, s);
	}
}

static void judge_alike(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	if (rules->alike_count == 0)
		return;
	for (uint32_t other = rules->next_alike; other != monitor;
	     other = rules_of(e, other)->next_alike)
		compare_curves(e, monitor, other, s);
}

static void break_course(struct clue_state *state)
{
	series_clear(&state->series);
	if (!state->alerts[CLUE_ALIKE].active)
		state->alike_results = 0;
}

/* What a gap leaves of the runs: nothing. Alerts stay until a result says otherwise. */
static void break_runs(struct clue_state *state)
{
	break_course(state);
	state->clipped.on = state->negative.on = false;
	for (size_t i = 0; i < CONTRADICTIONS_MOST; i++)
		state->contradictions[i].on = false;
}

static void end_shut_over(struct evaluator *e, uint32_t monitor, int64_t time_ms)
{
	struct clue_state *state = state_of(e, monitor);
	struct condition c = clue_of(monitor, reasons[CLUE_SHUT_OVER]);
	state->shut_over = false;
	alert_clear(e, &c, &state->alerts[CLUE_SHUT_OVER], time_ms);
}

/* Long since the last was set aside. */
static void forget_settled(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	struct clue_state *state = state_of(e, monitor);
	struct condition c = clue_of(monitor, reasons[CLUE_SETTLED]);
	if (state->settled_results == 0 || s->time_ms - state->settled_ms <= WEEK_MS)
		return;
	state->settled_results = 0;
	alert_clear(e, &c, &state->alerts[CLUE_SETTLED], s->time_ms);
}

/* Results that follow the water from minute to minute are no course. */
static bool is_near(const struct clue_rules *rules, const struct series *series,
		    const struct step *s)
{
	return rules->apart_ms > 0 && series->n > 0 &&
	       s->time_ms - series_time(series, 0) < rules->apart_ms;
}

void clues_result(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	if (rules_of(e, monitor) == NULL)
		return;
	struct clue_state *state = state_of(e, monitor);
	if (s->gap || s->stood)
		break_runs(state);
	if (!s->result)
		return;
	forget_settled(e, monitor, s);
	if (state->shut_over)
		end_shut_over(e, monitor, s->time_ms);
	if (is_near(rules_of(e, monitor), &state->series, s))
		break_course(state);
	series_add(&state->series, s->time_ms, s->value);
	judge_clipped(e, monitor, s);
	judge_contradictions(e, monitor, s);
	judge_negative(e, monitor, s);
	judge_weak_flat(e, monitor, s);
	judge_repeating(e, monitor, s);
	judge_alike(e, monitor, s);
}

/* --- what is not judged, and yet says something --- */

/* "Stopped" is believed where no flow says otherwise. */
static bool set_aside(const struct evaluator *e, const struct reading *r, bool shut)
{
	bool flows = discharge_of(e, r->monitor) != NULL;
	return !shut && (r->flag == FLAG_MAINTENANCE || r->flag == FLAG_CALIBRATION ||
			 r->flag == FLAG_SET || (r->flag == FLAG_STOPPED && flows));
}

/* A person's flag cannot hide an exceedance for ever: after a while it is a clue itself. */
static void judge_flagged(struct evaluator *e, const struct reading *r, bool shut)
{
	const struct monitor *m = &e->plan->monitors[r->monitor];
	struct clue_state *state = state_of(e, r->monitor);
	struct alert_state *a = &state->alerts[CLUE_FLAGGED];
	struct condition c = clue_of(r->monitor, reasons[CLUE_FLAGGED]);
	if (m->clues->flagged_after_ms == 0)
		return;
	bool gap = m->stale_after_ms > 0 && r->measured_ms - state->flagged_ms > m->stale_after_ms;
	if (!set_aside(e, r, shut)) {
		state->flagged = false;
		alert_clear(e, &c, a, r->measured_ms);
		return;
	}
	if (!state->flagged || gap)
		state->flagged_since_ms = r->measured_ms;
	state->flagged = true;
	state->flagged_ms = r->measured_ms;
	if (!a->active && r->measured_ms - state->flagged_since_ms >= m->clues->flagged_after_ms)
		alert_raise_reading(e, &c, a, r, state->flagged_since_ms);
}

static bool shut_result(const struct monitor *m, const struct clue_state *state,
			const struct reading *r)
{
	bool held = m->cycle_ms > 0 && r->value == state->shut_value &&
		    r->measured_ms - state->shut_ms < m->cycle_ms;
	return state->shut_results == 0 || (r->measured_ms > state->shut_ms && !held);
}

static void shut_add(struct clue_state *state, const struct reading *r)
{
	if (state->shut_results++ == 0) {
		state->shut_since_ms = r->measured_ms;
		state->shut_low = state->shut_high = r->value;
	}
	state->shut_low = fmin(state->shut_low, r->value);
	state->shut_high = fmax(state->shut_high, r->value);
	state->shut_ms = r->measured_ms;
	state->shut_value = r->value;
}

static void judge_shut(struct evaluator *e, const struct reading *r, bool shut)
{
	const struct monitor *m = &e->plan->monitors[r->monitor];
	struct clue_state *state = state_of(e, r->monitor);
	struct alert_state *a = &state->alerts[CLUE_SHUT];
	struct condition c = clue_of(r->monitor, reasons[CLUE_SHUT]);
	if (m->clues->shut_count == 0)
		return;
	if (!shut) {
		state->shut_results = 0;
		alert_clear(e, &c, a, r->measured_ms);
		return;
	}
	if (r->flag != FLAG_NORMAL || !r->has_value || !shut_result(m, state, r))
		return;
	shut_add(state, r);
	double change = state->shut_high - state->shut_low;
	if (!a->active && state->shut_results >= m->clues->shut_count &&
	    state->shut_high > m->detection_limit &&
	    compare12(change, m->clues->shut_share * state->shut_high) > 0)
		alert_raise_reading(e, &c, a, r, state->shut_since_ms);
}

/* Whatever the limit's averaging. */
static bool beyond_limit(const struct evaluator *e, const struct reading *r)
{
	const struct monitor *m = &e->plan->monitors[r->monitor];
	enum bound bound;
	for (uint32_t i = 0; i < m->n_limits; i++)
		if (limit_in_force(&m->limits[i], r->measured_ms) &&
		    level_violated(&e->exceedance[e->first_limit[r->monitor] + i], r->value,
				   &bound))
			return true;
	return false;
}

/* A gate cannot hide an exceedance for ever: a standstill is believed for a while. Moments of flow
 * in between are no end of it, unless a result counts. */
static void judge_shut_over(struct evaluator *e, const struct reading *r, bool shut)
{
	int64_t after_ms = rules_of(e, r->monitor)->shut_after_ms;
	struct clue_state *state = state_of(e, r->monitor);
	struct alert_state *a = &state->alerts[CLUE_SHUT_OVER];
	struct condition c = clue_of(r->monitor, reasons[CLUE_SHUT_OVER]);
	if (after_ms == 0 || !shut || r->flag != FLAG_NORMAL || !r->has_value)
		return;
	if (!beyond_limit(e, r)) {
		end_shut_over(e, r->monitor, r->measured_ms);
		return;
	}
	if (!state->shut_over)
		state->shut_over_ms = r->measured_ms;
	state->shut_over = true;
	if (!a->active && r->measured_ms - state->shut_over_ms >= after_ms)
		alert_raise_reading(e, &c, a, r, state->shut_over_ms);
}

void clues_set_aside(struct evaluator *e, const struct reading *r)
{
	const struct clue_rules *rules = rules_of(e, r->monitor);
	struct clue_state *state = state_of(e, r->monitor);
	struct alert_state *a = &state->alerts[CLUE_SETTLED];
	struct condition c = clue_of(r->monitor, reasons[CLUE_SETTLED]);
	if (rules->shut_count == 0)
		return;
	if (!beyond_limit(e, r)) {
		state->settled_results = 0;
		alert_clear(e, &c, a, r->measured_ms);
		return;
	}
	if (state->settled_results++ == 0)
		state->settled_since_ms = r->measured_ms;
	state->settled_ms = r->measured_ms;
	if (!a->active && state->settled_results >= rules->shut_count)
		alert_raise_reading(e, &c, a, r, state->settled_since_ms);
}

void clues_heard(struct evaluator *e, const struct reading *r, bool shut)
{
	if (rules_of(e, r->monitor) == NULL)
		return;
	judge_flagged(e, r, shut);
	judge_shut(e, r, shut);
	judge_shut_over(e, r, shut);
}

/* --- across restarts --- */

static struct alert_state *contradiction_place(const struct clue_rules *rules,
					       struct clue_state *state, const char *reason)
{
	for (size_t i = 0; i < rules->n_contradictions; i++)
		if (strcmp(rules->contradictions[i].reason, reason) == 0)
			return &state->contradictions[i].alert;
	return NULL;
}

static bool still_alike(const struct evaluator *e, uint32_t monitor, const char *reason)
{
	uint32_t other = rules_of(e, monitor)->next_alike;
	while (other != monitor && strcmp(rules_of(e, other)->alike, reason) != 0)
		other = rules_of(e, other)->next_alike;
	return other != monitor;
}

static struct alert_state *alike_place(struct evaluator *e, uint32_t monitor, const char *reason)
{
	struct clue_state *state = state_of(e, monitor);
	if (rules_of(e, monitor)->alike_count == 0 || !still_alike(e, monitor, reason))
		return NULL;
	if (strcmp(state->alike, reason) != 0 || state->alike_results == 0) {
		snprintf(state->alike, sizeof state->alike, "%s", reason);
		state->alike_results = 1;
	}
	return &state->alerts[CLUE_ALIKE];
}

struct alert_state *clue_place(struct evaluator *e, uint32_t monitor, const char *reason)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	if (rules == NULL || reason == NULL)
		return NULL;
	struct clue_state *state = state_of(e, monitor);
	const int64_t wanted[CLUES] = {[CLUE_CLIPPED] = rules->clipped_count,
				       [CLUE_WEAK_FLAT] = rules->weak_flat_count,
				       [CLUE_REPEATING] = rules->repeating_count,
				       [CLUE_FLAGGED] = rules->flagged_after_ms,
				       [CLUE_SHUT] = rules->shut_count,
				       [CLUE_SHUT_OVER] = rules->shut_after_ms,
				       [CLUE_SETTLED] = rules->shut_count,
				       [CLUE_ALIKE] = 0};
	if (strcmp(reason, reasons[CLUE_CLIPPED]) == 0)
		return wanted[CLUE_CLIPPED] > 0 ? &state->clipped.alert : NULL;
	if (strcmp(reason, NEGATIVE_FLOW) == 0)
		return rules->contradicts_count > 0 ? &state->negative.alert : NULL;
	for (size_t i = 0; i < CLUES; i++)
		if (wanted[i] > 0 && strcmp(reason, reasons[i]) == 0)
			return &state->alerts[i];
	if (strncmp(reason, "alike ", 6) == 0)
		return alike_place(e, monitor, reason);
	return contradiction_place(rules, state, reason);
}

static void repeat_clue(struct evaluator *e, uint32_t monitor, const char *reason,
			const struct alert_state *a)
{
	struct condition c = clue_of(monitor, reason);
	if (a->active)
		alert_say(e, VERDICT_RAISED, &c, a, a->raised_ms, 0);
}

void clues_repeat(struct evaluator *e, uint32_t monitor)
{
	const struct clue_rules *rules = rules_of(e, monitor);
	if (rules == NULL)
		return;
	const struct clue_state *state = state_of(e, monitor);
	repeat_clue(e, monitor, reasons[CLUE_CLIPPED], &state->clipped.alert);
	repeat_clue(e, monitor, NEGATIVE_FLOW, &state->negative.alert);
	for (size_t i = 0; i < rules->n_contradictions; i++)
		repeat_clue(e, monitor, rules->contradictions[i].reason,
			    &state->contradictions[i].alert);
	for (size_t i = 0; i < CLUES; i++)
		repeat_clue(e, monitor, i == CLUE_ALIKE ? state->alike : reasons[i],
			    &state->alerts[i]);
}

void clues_forget_alerts(struct clue_state *state)
{
	state->clipped.alert.active = state->negative.alert.active = false;
	for (size_t i = 0; i < CONTRADICTIONS_MOST; i++)
		state->contradictions[i].alert.active = false;
	for (size_t i = 0; i < CLUES; i++)
		state->alerts[i].active = false;
}

void clues_set_back(struct clue_state *state)
{
	break_runs(state);
	state->flagged = state->shut_over = false;
	state->shut_results = state->settled_results = 0;
}
