/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evaluate.h"

#include "core/caserules.h"
#include "core/evaluate-state.h"
#include "core/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PEAK_EVERY_NS 10000000000

/* --- levels --- */

static struct level level_exceedance(const struct limit *l)
{
	return (struct level){
		.has_max = l->has_max,
		.has_min = l->has_min,
		.max = l->max,
		.min = l->min,
		.clear_max = l->max - l->deadband,
		.clear_min = l->min + l->deadband,
		.derived = l->derived || l->average != AVERAGE_INSTANT,
		.clear_derived = l->derived || l->average != AVERAGE_INSTANT || l->deadband != 0,
	};
}

static struct level level_warning(const struct limit *l)
{
	struct level level = level_exceedance(l);
	level.max = l->max * l->warn_at;
	level.min = l->min / l->warn_at;
	level.clear_max = level.max - l->deadband;
	level.clear_min = level.min + l->deadband;
	level.derived = level.clear_derived = true;
	return level;
}

static int compare(double value, double threshold, bool derived)
{
	return derived ? compare12(value, threshold) : (value > threshold) - (value < threshold);
}

bool level_violated(const struct level *level, double value, enum bound *bound)
{
	if (level->has_max && compare(value, level->max, level->derived) > 0)
		*bound = BOUND_MAX;
	else if (level->has_min && compare(value, level->min, level->derived) < 0)
		*bound = BOUND_MIN;
	else
		return false;
	return true;
}

static bool level_cleared(const struct level *level, double value)
{
	return (!level->has_max || compare(value, level->clear_max, level->clear_derived) <= 0) &&
	       (!level->has_min || compare(value, level->clear_min, level->clear_derived) >= 0);
}

/* --- instant limits ---
 *
 *   value  max ─────────┬──────╳──╳──╳───────────────────────
 *          max-deadband ┼───────────────╳──────────╳──╳──────
 *                       on_since ─► raised         off_since ─► cleared
 *                       └ on_delay, on_count ┘     └ off_delay, off_count ┘
 */

static void track_extremes(struct track *t, const struct step *s)
{
	if (s->value > t->highest) {
		t->highest = s->value;
		t->highest_ms = s->time_ms;
	}
	if (s->value < t->lowest) {
		t->lowest = s->value;
		t->lowest_ms = s->time_ms;
	}
}

static void track_begin(struct track *t, const struct step *s, int64_t since_ms)
{
	t->on_run = true;
	t->on_since_ms = since_ms;
	t->on_results = t->on_readings = 0;
	t->highest = t->lowest = s->value;
	t->highest_ms = t->lowest_ms = s->time_ms;
}

static void track_raise(struct evaluator *e, const struct condition *c, struct track *t,
			const struct step *s, enum bound bound)
{
	bool high = bound == BOUND_MAX;
	t->alert = (struct alert_state){
		.bound = bound,
		.has_value = true,
		.began_ms = t->on_since_ms,
		.value = s->value,
		.last = s->value,
		.readings = t->on_readings,
		.peak = high ? t->highest : t->lowest,
		.peak_ms = high ? t->highest_ms : t->lowest_ms,
	};
	t->off_run = false;
	alert_raise(e, c, &t->alert, s->time_ms, s->mono_ns);
}

static void track_idle(struct evaluator *e, const struct condition *c, struct track *t,
		       const struct limit *l, const struct level *level, const struct step *s,
		       int64_t since_ms)
{
	enum bound bound;
	if (!level_violated(level, s->judged, &bound)) {
		t->on_run = false;
		return;
	}
	if (!t->on_run)
		track_begin(t, s, since_ms);
	t->on_results += s->result;
	t->on_readings += s->readings;
	track_extremes(t, s);
	if (s->time_ms - t->on_since_ms >= l->on_delay_ms && t->on_results >= l->on_count)
		track_raise(e, c, t, s, bound);
}

static void track_active(struct evaluator *e, const struct condition *c, struct track *t,
			 const struct limit *l, const struct level *level, const struct step *s)
{
	struct alert_state *a = &t->alert;
	double before = a->peak;
	if (a->bound == BOUND_MAX ? s->value > a->peak : s->value < a->peak) {
		a->peak = s->value;
		a->peak_ms = s->time_ms;
	}
	a->last = s->value;
	a->readings += s->readings;
	a->dirty = true;
	alert_goes_on(e, c, a, before, s->time_ms);
	if (!level_cleared(level, s->judged)) {
		t->off_run = false;
		return;
	}
	if (!t->off_run) {
		t->off_run = true;
		t->off_since_ms = s->time_ms;
		t->off_results = 0;
	}
	t->off_results += s->result;
	if (s->time_ms - t->off_since_ms < l->off_delay_ms || t->off_results < l->off_count)
		return;
	alert_clear(e, c, a, s->time_ms);
	t->on_run = t->off_run = false;
}

static void track_feed(struct evaluator *e, const struct condition *c, struct track *t,
		       const struct level *level, const struct step *s, int64_t since_ms)
{
	const struct limit *l = &e->plan->monitors[c->monitor].limits[c->limit];
	if (step_breaks(s, l->on_delay_ms))
		t->on_run = false;
	if (step_breaks(s, l->off_delay_ms))
		t->off_run = false;
	if (t->alert.active)
		track_active(e, c, t, l, level, s);
	else
		track_idle(e, c, t, l, level, s, since_ms);
}

static bool at_rest(const struct track *t)
{
	return !t->alert.active && !t->on_run;
}

/* A limit's exceedance, then its warning, which an active exceedance silences. */
void limit_feed(struct evaluator *e, uint32_t monitor, uint32_t limit, const struct step *s,
		int64_t since_ms)
{
	const struct limit *l = &e->plan->monitors[monitor].limits[limit];
	uint32_t at = e->first_limit[monitor] + limit;
	struct limit_state *state = &e->limits[at];
	enum bound bound;
	/* Most values comply, and there is nothing to do. */
	if (l->warn_at == 0 && at_rest(&state->exceedance) &&
	    !level_violated(&e->exceedance[at], s->judged, &bound))
		return;
	struct condition c = {monitor, NO_INDEX, limit, ALERT_EXCEEDANCE, NULL};
	bool was_active = state->exceedance.alert.active;
	track_feed(e, &c, &state->exceedance, &e->exceedance[at], s, since_ms);
	if (l->warn_at == 0)
		return;
	c.kind = ALERT_WARNING;
	struct track *warning = &e->rests[at].warning;
	if (state->exceedance.alert.active) {
		alert_clear(e, &c, &warning->alert, s->time_ms);
		*warning = (struct track){0};
		return;
	}
	if (was_active)
		*warning = (struct track){0};
	track_feed(e, &c, warning, &e->warning[at], s, since_ms);
}

void limit_rest(struct evaluator *e, uint32_t monitor, uint32_t limit, int64_t time_ms)
{
	struct limit_state *state = &e->limits[e->first_limit[monitor] + limit];
	struct limit_rest *rest = &e->rests[e->first_limit[monitor] + limit];
	struct condition c = {monitor, NO_INDEX, limit, ALERT_EXCEEDANCE, NULL};
	alert_clear(e, &c, &state->exceedance.alert, time_ms);
	c.kind = ALERT_WARNING;
	alert_clear(e, &c, &rest->warning.alert, time_ms);
	c.kind = ALERT_UNDETERMINED;
	alert_clear(e, &c, &rest->undetermined, time_ms);
	state->exceedance = (struct track){0};
	if (e->plan->monitors[monitor].limits[limit].warn_at > 0)
		rest->warning = (struct track){0};
}

static void limits_feed(struct evaluator *e, uint32_t monitor, struct step *s)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	for (uint32_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		if (l->average != AVERAGE_INSTANT)
			continue;
		if (!limit_in_force(l, s->time_ms)) {
			limit_rest(e, monitor, i, s->time_ms);
			continue;
		}
		bool rounded = l->compare == COMPARE_ROUNDED;
		s->judged = rounded ? round_even(s->value, l->decimals) : s->value;
		limit_feed(e, monitor, i, s, s->time_ms);
	}
}

static void track_unknown(struct track *t)
{
	t->off_run = false;
	t->on_readings += t->on_run;
	t->alert.readings += t->alert.active;
}

/* A reading without flag N neither breaks nor completes a violation, but it breaks a recovery. */
static void limits_unknown(struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	uint32_t first = e->first_limit[monitor];
	for (uint32_t i = 0; i < m->n_limits; i++) {
		if (m->limits[i].average != AVERAGE_INSTANT)
			continue;
		track_unknown(&e->limits[first + i].exceedance);
		if (m->limits[i].warn_at > 0)
			track_unknown(&e->rests[first + i].warning);
	}
}

/* --- connections --- */

/* Apart, as flow_feed(): a reading like most others passes without what these need. */
__attribute__((noinline)) static void link_feed(struct evaluator *e, const struct reading *r)
{
	struct alert_state *a = &e->links[r->monitor].alert;
	struct condition c = {NO_INDEX, r->monitor, NO_INDEX, ALERT_CONNECTION, NULL};
	if (r->kind == SLOT_LINK_DOWN) {
		if (a->active)
			return;
		*a = (struct alert_state){.began_ms = r->measured_ms};
		alert_raise(e, &c, a, r->received_ms, r->received_mono_ns);
		return;
	}
	if (!a->active)
		return;
	alert_clear(e, &c, a, r->received_ms);
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		struct monitor_state *m = &e->monitors[i];
		if (e->plan->monitors[i].connection != r->monitor)
			continue;
		m->heard_ms = r->received_ms;
		m->heard_mono_ns = r->received_mono_ns;
	}
}

/* --- the daemon itself --- */

void evaluator_own_fault(struct evaluator *e, enum own_fault fault, bool holds, int64_t wall_ms,
			 int64_t mono_ns)
{
	struct alert_state *a = &e->own[fault];
	struct condition c = condition_of(NO_INDEX, ALERT_FAULT);
	c.reason = own_fault_name(fault);
	if (holds && !a->active) {
		*a = (struct alert_state){.began_ms = wall_ms};
		alert_raise(e, &c, a, wall_ms, mono_ns);
	} else if (!holds) {
		alert_clear(e, &c, a, wall_ms);
	}
}

/* --- the outside --- */

enum flag quality_closely(const struct monitor *monitor, double value)
{
	if (signal_is_dead(monitor, value))
		return FLAG_FAULT;
	if (monitor->has_range && (value < monitor->range_low || value > monitor->range_high))
		return FLAG_OVER_RANGE;
	bool nothing = signal_is_impossible(monitor, value) || signal_is_fill(monitor, value);
	return nothing ? FLAG_FAULT : FLAG_NORMAL;
}

void quality_begin(struct monitor *m)
{
	m->plain_low = -m->codes_from;
	m->plain_high = m->codes_from;
	if (m->has_dead) /* with all that equals it at 12 digits */
		m->plain_low = fmax(m->plain_low, m->dead_at + fabs(m->dead_at) * 1e-9);
	if (m->has_most)
		m->plain_high = fmin(m->plain_high, m->most);
	if (!m->has_range)
		return;
	m->plain_low = fmax(m->plain_low, m->range_low);
	m->plain_high = fmin(m->plain_high, m->range_high);
}

/* A new result, for counts: later than the last reading, and none that the instrument still holds.
 */
static bool is_result(const struct monitor_state *m, const struct reading *r, int64_t cycle_ms)
{
	bool held = cycle_ms > 0 && r->value == m->result_value &&
		    r->measured_ms - m->result_ms < cycle_ms;
	return r->measured_ms > m->valid_ms && !held;
}

struct step reading_step(const struct evaluator *e, const struct reading *r)
{
	const struct monitor *plan = &e->plan->monitors[r->monitor];
	const struct monitor_state *m = &e->monitors[r->monitor];
	struct step s = {.time_ms = r->measured_ms,
			 .mono_ns = r->received_mono_ns,
			 .value = r->value,
			 .judged = r->value,
			 .result = true,
			 .readings = 1};
	if (!m->has_valid)
		return s;
	if (e->traits[r->monitor] & TRAIT_FLOW)
		step_pause(e, r, &s);
	else
		s.gap = plan->stale_after_ms > 0 &&
			r->measured_ms - m->valid_ms > plan->stale_after_ms;
	s.result = is_result(m, r, plan->cycle_ms);
	return s;
}

static void valid_feed(struct evaluator *e, const struct reading *r)
{
	struct monitor_state *m = &e->monitors[r->monitor];
	unsigned traits = e->traits[r->monitor];
	if (traits & TRAIT_FLOW)
		discharge_hear(e, r);
	struct step s = reading_step(e, r);
	if (traits & TRAIT_FLOW) {
		bool counts = reading_settled(e, r);
		m->lull = !counts && s.gap;
		m->stood = !counts && s.stood;
		if (!counts)
			return;
	}
	if (traits & TRAIT_MEANS)
		means_add(e, r, s.result);
	if (traits & TRAIT_STEP)
		signal_step(e, r->monitor, &s);
	if (s.result) {
		m->result_ms = r->measured_ms;
		m->result_value = r->value;
	}
	m->has_valid = true;
	m->valid_ms = r->measured_ms;
	m->valid_value = r->value;
	if (traits & TRAIT_INSTANT)
		limits_feed(e, r->monitor, &s);
	if (traits & TRAIT_FLAT)
		signal_flat(e, r->monitor, &s);
	if (traits & TRAIT_CLUES)
		clues_result(e, r->monitor, &s);
}

/*
 * A reading that complies while nothing is raised or about to be: all that the long way would do
 * with it. Return: false if it is another one, and nothing was done.
 */
static bool calm_feed(struct evaluator *e, const struct reading *r)
{
	const struct calm *c = &e->calms[r->monitor];
	struct monitor_state *m = &e->monitors[r->monitor];
	bool complies = r->value >= c->low && r->value <= c->high;
	if (!c->on || !complies || r->flag != FLAG_NORMAL || !r->has_value ||
	    r->measured_ms < m->newest_ms)
		return false;
	bool result = is_result(m, r, c->cycle_ms);
	if (c->means)
		means_add(e, r, result);
	if (result) {
		m->result_ms = r->measured_ms;
		m->result_value = r->value;
	}
	m->newest_ms = m->valid_ms = m->heard_measured_ms = r->measured_ms;
	m->valid_value = r->value;
	m->heard_ms = r->received_ms;
	m->heard_mono_ns = r->received_mono_ns;
	return true;
}

/* @heard: by its raw flag, whatever a mark says of its value */
static void value_feed(struct evaluator *e, const struct reading *r, bool heard)
{
	struct monitor_state *m = &e->monitors[r->monitor];
	bool valid = r->flag == FLAG_NORMAL && r->has_value;
	unsigned traits = e->traits[r->monitor];
	bool shut = (traits & TRAIT_FLOW) && reading_shut(e, r);
	if (m->has_reading && r->measured_ms < m->newest_ms) {
		if (valid && !shut)
			means_add(e, r, true);
		late_heard(e, r);
		return; /* late: recorded and in its window, no more */
	}
	if (m->astray)
		late_in_order(e, r);
	m->has_reading = true;
	m->newest_ms = r->measured_ms;
	if (heard)
		signal_heard(e, r);
	if (traits & TRAIT_CLUES)
		clues_heard(e, r, shut);
	if (shut)
		return;
	if (traits & TRAIT_RANGE)
		signal_range(e, r->monitor, r);
	if (r->flag != FLAG_NORMAL || m->impossible)
		signal_impossible(e, r->monitor, r);
	if (valid)
		valid_feed(e, r);
	else
		limits_unknown(e, r->monitor);
}

/* Apart: what a marked reading needs room for would be cleared at each. */
__attribute__((noinline)) static void marked_feed(struct evaluator *e, const struct reading *raw,
						  bool heard)
{
	struct reading room;
	value_feed(e, marks_reading(e->marks, raw, &room), heard);
}

/* The long way, behind which the monitor may be calm. */
static void restless_feed(struct evaluator *e, const struct reading *r, bool heard)
{
	value_feed(e, r, heard);
	calm_settle(e, r->monitor);
}

void reading_feed(struct evaluator *e, const struct reading *r, bool heard)
{
	if (e->marks != NULL)
		marked_feed(e, r, heard);
	else if (!calm_feed(e, r))
		restless_feed(e, r, heard);
}

/* Of a flow, for which others may wait, or of a monitor that may wait for it. */
__attribute__((noinline)) static void flow_feed(struct evaluator *e, const struct reading *r,
						bool heard)
{
	if (awaiting_add(e, r))
		return;
	reading_feed(e, r, heard);
	awaiting_pass(e, e->plan->monitors[r->monitor].site, r->received_ms);
}

void evaluator_feed(struct evaluator *e, const struct reading *r)
{
	bool heard = r->flag != FLAG_COMMUNICATION;
	e->flood.now_ms = r->received_ms;
	if (r->kind != SLOT_VALUE)
		link_feed(e, r);
	else if (e->traits[r->monitor] & TRAIT_FLOW)
		flow_feed(e, r, heard);
	else
		reading_feed(e, r, heard);
}

void evaluator_clock(struct evaluator *e, uint32_t monitor, int64_t wall_ms, int64_t mono_ns,
		     bool reached)
{
	if (mono_ns - e->monitors[monitor].heard_mono_ns >= e->calms[monitor].stale_ns)
		signal_silence(e, monitor, mono_ns, reached);
	if (e->traits[monitor] & TRAIT_MEANS)
		evaluator_windows(e, monitor, wall_ms);
}

void evaluator_reach_back(struct evaluator *e, uint32_t monitor, int64_t wall_ms)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	struct limit_rest *rests = &e->rests[e->first_limit[monitor]];
	if (e->monitors[monitor].has_reading)
		return;
	for (uint32_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].average != AVERAGE_INSTANT &&
		    wall_ms < rests[i].windows.next.start_ms)
			windows_start(&rests[i].windows, &e->plan->zone, m->limits[i].average,
				      wall_ms);
}

static void say_peak(struct evaluator *e, uint32_t monitor, uint32_t limit, enum alert_kind kind,
		     struct alert_state *a, int64_t wall_ms, int64_t mono_ns)
{
	struct condition c = {monitor, NO_INDEX, limit, kind, NULL};
	if (!a->active || !a->dirty || mono_ns - a->said_mono_ns < PEAK_EVERY_NS)
		return;
	a->dirty = false;
	a->said_mono_ns = mono_ns;
	alert_say(e, VERDICT_PEAK, &c, a, wall_ms, 0);
}

/* Somebody is called by alerts, whom a flood of them would drown. */
static bool has_duty(const struct plan *plan)
{
	return plan->rules != NULL && plan->rules->duty.n > 0;
}

/* A flood that lasts since the last life, whose alerts are not known any more. */
static void flood_goes_on(struct flood *flood, int64_t wall_ms)
{
	for (size_t i = 0; i < FLOOD_ENDS; i++)
		flood->raised_ms[i] = wall_ms;
	flood->next = FLOOD_ENDS;
}

/* More than ten alerts in ten minutes are a flood, until fewer than five are (IEC
 * 62682:2014, 16.5). */
static void judge_flood(struct evaluator *e, int64_t wall_ms, int64_t mono_ns)
{
	uint32_t n = 0;
	if (e->own[OWN_FLOOD].active && e->flood.raised_ms[0] == 0)
		flood_goes_on(&e->flood, wall_ms);
	for (size_t i = 0; i <= FLOOD_BEGINS; i++) {
		int64_t at_ms = e->flood.raised_ms[i];
		n += at_ms != 0 && at_ms <= wall_ms && wall_ms - at_ms < FLOOD_WITHIN_MS;
	}
	if (!has_duty(e->plan))
		return;
	bool goes_on = e->own[OWN_FLOOD].active && n >= FLOOD_ENDS;
	evaluator_own_fault(e, OWN_FLOOD, n > FLOOD_BEGINS || goes_on, wall_ms, mono_ns);
}

void evaluator_tick(struct evaluator *e, int64_t wall_ms, int64_t mono_ns)
{
	e->flood.now_ms = wall_ms;
	for (uint32_t i = 0; i < e->plan->n_sites; i++)
		awaiting_pass(e, i, wall_ms);
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		struct limit_state *states = &e->limits[e->first_limit[i]];
		struct limit_rest *rests = &e->rests[e->first_limit[i]];
		evaluator_clock(e, i, wall_ms, mono_ns, false);
		for (uint32_t j = 0; j < e->plan->monitors[i].n_limits; j++) {
			say_peak(e, i, j, ALERT_EXCEEDANCE, &states[j].exceedance.alert, wall_ms,
				 mono_ns);
			say_peak(e, i, j, ALERT_WARNING, &rests[j].warning.alert, wall_ms, mono_ns);
		}
	}
	judge_flood(e, wall_ms, mono_ns);
}

static uint8_t traits_of(const struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	unsigned traits = m->stale_after_ms > 0 ? TRAIT_SILENCE : 0;
	for (uint32_t i = 0; i < m->n_limits; i++)
		traits |= m->limits[i].average == AVERAGE_INSTANT ? TRAIT_INSTANT : TRAIT_MEANS;
	if (discharge_concerns(e, monitor))
		traits |= TRAIT_FLOW;
	if (monitor_looks_for_steps(m))
		traits |= TRAIT_STEP;
	if (m->flat_after_ms != 0 || m->flat_count != 0)
		traits |= TRAIT_FLAT;
	if (m->has_range || m->has_dead || signal_says_low(m))
		traits |= TRAIT_RANGE;
	if (m->clues != NULL)
		traits |= TRAIT_CLUES;
	return (uint8_t)traits;
}

static void start_monitor(struct evaluator *e, uint32_t monitor, int64_t start_ms,
			  int64_t start_mono_ns)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	struct monitor_state *state = &e->monitors[monitor];
	state->heard_ms = state->heard_measured_ms = start_ms;
	state->heard_mono_ns = start_mono_ns;
	e->traits[monitor] = traits_of(e, monitor);
	for (uint32_t i = 0; i < m->n_limits; i++) {
		uint32_t at = e->first_limit[monitor] + i;
		e->exceedance[at] = level_exceedance(&m->limits[i]);
		if (m->limits[i].warn_at > 0)
			e->warning[at] = level_warning(&m->limits[i]);
		if (m->limits[i].average != AVERAGE_INSTANT)
			windows_start(&e->rests[at].windows, &e->plan->zone, m->limits[i].average,
				      start_ms);
	}
	calm_begin(e, monitor);
}

int evaluator_new(struct evaluator **out, const struct plan *plan, int64_t start_ms,
		  int64_t start_mono_ns, verdict_fn emit, void *context)
{
	struct evaluator *e = calloc(1, sizeof *e);
	if (e == NULL)
		return -ENOMEM;
	*e = (struct evaluator){.plan = plan, .emit = emit, .context = context};
	for (size_t i = 0; i < plan->n_monitors; i++)
		e->n_limits += plan->monitors[i].n_limits;
	e->monitors = calloc(plan->n_monitors + 1, sizeof *e->monitors);
	e->alerts = calloc(plan->n_monitors + 1, sizeof *e->alerts);
	e->calms = calloc(plan->n_monitors + 1, sizeof *e->calms);
	e->traits = calloc(plan->n_monitors + 1, sizeof *e->traits);
	e->first_limit = calloc(plan->n_monitors + 1, sizeof *e->first_limit);
	e->limits = calloc(e->n_limits + 1, sizeof *e->limits);
	e->rests = calloc(e->n_limits + 1, sizeof *e->rests);
	e->exceedance = calloc(e->n_limits + 1, sizeof *e->exceedance);
	e->warning = calloc(e->n_limits + 1, sizeof *e->warning);
	e->links = calloc(plan->n_connections + 1, sizeof *e->links);
	e->clues = calloc(plan->n_clues + 1, sizeof *e->clues);
	if (e->monitors == NULL || e->alerts == NULL || e->rests == NULL || e->calms == NULL ||
	    e->traits == NULL || e->first_limit == NULL || e->limits == NULL ||
	    e->exceedance == NULL || e->warning == NULL || e->links == NULL || e->clues == NULL ||
	    discharges_new(e) < 0 || eights_new(e) < 0 || awaiting_new(e) < 0) {
		evaluator_free(e);
		return -ENOMEM;
	}
	uint32_t next = 0;
	for (uint32_t i = 0; i < plan->n_monitors; i++) {
		e->first_limit[i] = next;
		next += (uint32_t)plan->monitors[i].n_limits;
		start_monitor(e, i, start_ms, start_mono_ns);
	}
	*out = e;
	return 0;
}

struct evaluator *evaluator_free(struct evaluator *e)
{
	if (e == NULL)
		return NULL;
	free(e->monitors);
	free(e->alerts);
	free(e->calms);
	free(e->traits);
	free(e->first_limit);
	free(e->limits);
	free(e->rests);
	free(e->exceedance);
	free(e->warning);
	free(e->links);
	free(e->clues);
	discharges_free(e);
	eights_free(e);
	free(e->awaiting);
	free(e);
	return NULL;
}
