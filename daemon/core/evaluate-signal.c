/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions of the signal, apart from any limit: flat, step, beyond the range, silent. */
#include "core/evaluate-state.h"
#include "core/number.h"

#include <math.h>

static void flat_begin(struct monitor_state *m, const struct step *s)
{
	m->flat_run = true;
	m->flat_since_ms = s->time_ms;
	m->flat_results = 0;
	m->flat_low = m->flat_high = s->value;
}

void signal_flat(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct monitor *plan = &e->plan->monitors[monitor];
	struct monitor_state *m = &e->monitors[monitor];
	struct alert_state *flat = &e->alerts[monitor].flat;
	struct condition c = condition_of(monitor, ALERT_FLAT);
	if (plan->flat_after_ms == 0 && plan->flat_count == 0)
		return;
	if (step_breaks(s, plan->flat_after_ms))
		m->flat_run = false;
	if (plan->detection_limit > 0 && s->value <= plan->detection_limit) {
		alert_clear(e, &c, flat, s->time_ms);
		m->flat_run = false;
		return;
	}
	double low = fmin(m->flat_low, s->value), high = fmax(m->flat_high, s->value);
	if (!m->flat_run) {
		flat_begin(m, s);
	} else if (compare12(high, low + plan->flat_band) > 0) {
		alert_clear(e, &c, flat, s->time_ms);
		flat_begin(m, s);
	} else {
		m->flat_low = low;
		m->flat_high = high;
	}
	m->flat_results += s->result;
	bool long_enough =
		plan->flat_after_ms > 0 && s->time_ms - m->flat_since_ms >= plan->flat_after_ms;
	bool often_enough = plan->flat_count > 0 && m->flat_results >= plan->flat_count;
	if (!flat->active && (long_enough || often_enough))
		alert_raise_value(e, &c, flat, s, m->flat_since_ms);
}

static bool differs_by(double size, double value, double last)
{
	return compare12(value, last + size) > 0 || compare12(value, last - size) < 0;
}

/* INFINITY: no limit in force has a max. */
static double lowest_max(const struct monitor *m, int64_t time_ms)
{
	double lowest = INFINITY;
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].has_max && limit_in_force(&m->limits[i], time_ms))
			lowest = fmin(lowest, m->limits[i].max);
	return lowest;
}

/* Where little is nearly nothing, a few times of it is no sign: it has to come near the limit. */
static bool leaps(const struct monitor *m, const struct step *s, double last)
{
	return m->step_times > 0 && compare12(s->value, m->step_times * fmax(last, 0)) > 0 &&
	       compare12(s->value, m->step_share * lowest_max(m, s->time_ms)) > 0;
}

/* Within an hour the whole hour's change is allowed, or noise would be a step. */
static double allowed_step(const struct monitor *m, int64_t since_ms)
{
	const double hour_ms = 3600000;
	return m->max_step_hour * fmax(1, (double)since_ms / hour_ms);
}

enum step_rule step_rule(const struct monitor *plan, const struct step *s, double last,
			 int64_t last_ms, double *allowed)
{
	*allowed = plan->max_step;
	if (plan->max_step > 0 && differs_by(plan->max_step, s->value, last))
		return STEP_MAX;
	*allowed = allowed_step(plan, s->time_ms - last_ms);
	if (plan->max_step_hour > 0 && differs_by(*allowed, s->value, last))
		return STEP_HOUR;
	*allowed = plan->step_share * lowest_max(plan, s->time_ms);
	return leaps(plan, s, last) ? STEP_TIMES : STEP_NONE;
}

/* Nothing is compared across a gap: what lies behind it is no step, and ends one. */
void signal_step(struct evaluator *e, uint32_t monitor, const struct step *s)
{
	const struct monitor *plan = &e->plan->monitors[monitor];
	struct monitor_state *m = &e->monitors[monitor];
	struct alert_state *step = &e->alerts[monitor].step;
	struct condition c = condition_of(monitor, ALERT_STEP);
	double allowed;
	if (!m->has_valid)
		return;
	bool steps = !s->gap && !s->stood &&
		     step_rule(plan, s, m->valid_value, m->valid_ms, &allowed) != STEP_NONE;
	if (!steps)
		alert_clear(e, &c, step, s->time_ms);
	else if (!step->active)
		alert_raise_value(e, &c, step, s, s->time_ms);
}

static bool inside(const struct monitor *m, bool has, double bound)
{
	return has && bound >= m->range_low && bound <= m->range_high;
}

static bool limit_in_range(const struct monitor *m)
{
	for (size_t i = 0; i < m->n_limits; i++)
		if (inside(m, m->limits[i].has_max, m->limits[i].max) ||
		    inside(m, m->limits[i].has_min, m->limits[i].min))
			return true;
	return false;
}

bool signal_is_dead(const struct monitor *m, double value)
{
	return m->has_dead && compare12(value, m->dead_at) <= 0;
}

bool signal_is_impossible(const struct monitor *m, double value)
{
	if (m->has_most && value > m->most)
		return true;
	for (size_t i = 0; i < m->n_own_codes; i++)
		if (value == m->own_codes[i])
			return true;
	if (fabs(value) < m->codes_from)
		return false;
	if (m->unreal_from > 0 && fabs(value) >= m->unreal_from)
		return true;
	if (m->has_range && value >= m->range_low && value <= m->range_high)
		return false;
	for (size_t i = 0; i < m->n_codes; i++)
		if (value == m->codes[i])
			return true;
	return false;
}

/* float32 has 7 digits, and its own idea of 9999.9. */
bool signal_is_fill(const struct monitor *m, double value)
{
	if (m->n_fills == 0 || value < m->codes_from)
		return false;
	for (size_t i = 0; i < m->n_fills; i++)
		if (fabs(value - m->fills[i]) <= 1e-7 * m->fills[i])
			return true;
	return false;
}

/* What lies below the range is no water: a logger's code, or a current loop that is dead. */
static void signal_under_range(struct evaluator *e, uint32_t monitor, const struct reading *r,
			       const struct step *s)
{
	const struct monitor *plan = &e->plan->monitors[monitor];
	struct alert_state *under_range = &e->alerts[monitor].under_range;
	struct condition c = condition_of(monitor, ALERT_CLUE);
	bool low = (plan->has_range && r->value < plan->range_low) ||
		   signal_is_dead(plan, r->value);
	bool below = r->beside || (plan->under_range && low);
	bool set_aside = r->flag == FLAG_FAULT || r->flag == FLAG_OVER_RANGE;
	c.reason = "under_range";
	if (below && set_aside && !under_range->active)
		alert_raise_value(e, &c, under_range, s, s->time_ms);
	else if (r->flag == FLAG_NORMAL)
		alert_clear(e, &c, under_range, s->time_ms);
}

bool signal_says_low(const struct monitor *m)
{
	return m->under_range || m->zero_beside || m->low_beside;
}

/* A value above the range is flagged T and reaches no limit; where a limit lies inside the range
 * that would hide an exceedance, so it is a clue. */
void signal_range(struct evaluator *e, uint32_t monitor, const struct reading *r)
{
	const struct monitor *plan = &e->plan->monitors[monitor];
	struct alert_state *over_range = &e->alerts[monitor].over_range;
	struct condition c = condition_of(monitor, ALERT_CLUE);
	c.reason = "over_range";
	if (!r->has_value)
		return;
	struct step s = {
		.time_ms = r->measured_ms, .mono_ns = r->received_mono_ns, .value = r->value};
	bool above = plan->has_range && r->value > plan->range_high;
	if (above && r->flag == FLAG_OVER_RANGE && !over_range->active && limit_in_range(plan))
		alert_raise_value(e, &c, over_range, &s, s.time_ms);
	else if (r->flag == FLAG_NORMAL)
		alert_clear(e, &c, over_range, r->measured_ms);
	if (signal_says_low(plan))
		signal_under_range(e, monitor, r, &s);
}

const char *signal_code_reason(const struct monitor_state *m)
{
	return m->filled ? "fill_code" : "impossible";
}

void signal_impossible(struct evaluator *e, uint32_t monitor, const struct reading *r)
{
	struct monitor_state *m = &e->monitors[monitor];
	struct monitor_alerts *alerts = &e->alerts[monitor];
	struct condition c = condition_of(monitor, ALERT_CLUE);
	bool said = alerts->over_range.active || alerts->under_range.active;
	if (r->flag == FLAG_NORMAL) {
		c.reason = signal_code_reason(m);
		alert_clear(e, &c, &alerts->impossible, r->measured_ms);
		m->impossible = false;
		return;
	}
	bool set_aside = r->flag == FLAG_FAULT || r->flag == FLAG_OVER_RANGE;
	if (said || alerts->impossible.active || !set_aside || !r->has_value)
		return;
	bool impossible = signal_is_impossible(&e->plan->monitors[monitor], r->value);
	if (!impossible && !signal_is_fill(&e->plan->monitors[monitor], r->value))
		return;
	m->impossible = true;
	m->filled = !impossible;
	c.reason = signal_code_reason(m);
	struct step s = {
		.time_ms = r->measured_ms, .mono_ns = r->received_mono_ns, .value = r->value};
	alert_raise_value(e, &c, &alerts->impossible, &s, s.time_ms);
}

/* --- silence --- */

static bool behind_lost_link(const struct evaluator *e, uint32_t monitor)
{
	uint32_t connection = e->plan->monitors[monitor].connection;
	return connection != NO_INDEX && e->links[connection].alert.active;
}

void signal_heard(struct evaluator *e, const struct reading *r)
{
	struct monitor_state *m = &e->monitors[r->monitor];
	struct alert_state *stale = &e->alerts[r->monitor].stale;
	/* A row without a value may have moved the clock beyond this reading: no alert ends before
	 * it was raised. */
	if (stale->active) {
		struct condition c = condition_of(r->monitor, ALERT_STALE);
		bool before = r->received_ms < stale->raised_ms;
		alert_clear(e, &c, stale, before ? stale->raised_ms : r->received_ms);
	}
	m->heard_ms = r->received_ms;
	m->heard_measured_ms = r->measured_ms;
	m->heard_mono_ns = r->received_mono_ns;
}

void signal_silence(struct evaluator *e, uint32_t monitor, int64_t mono_ns, bool reached)
{
	struct monitor_state *m = &e->monitors[monitor];
	struct alert_state *stale = &e->alerts[monitor].stale;
	int64_t after_ms = e->plan->monitors[monitor].stale_after_ms;
	if (after_ms == 0 || mono_ns - m->heard_mono_ns < after_ms * 1000000 || stale->active ||
	    behind_lost_link(e, monitor))
		return;
	for (;;) {
		int64_t silent_ns = mono_ns - m->heard_mono_ns;
		if (silent_ns < after_ms * 1000000 || (silent_ns == after_ms * 1000000 && !reached))
			return;
		int64_t excused_ms = silence_from(e, monitor) - m->heard_ms;
		if (excused_ms == 0)
			break;
		if (excused_ms > silent_ns / 1000000)
			return;
		m->heard_ms += excused_ms;
		m->heard_mono_ns += excused_ms * 1000000;
	}
	*stale = (struct alert_state){.began_ms = m->heard_measured_ms,
				      .has_value = m->has_valid,
				      .value = m->valid_value,
				      .last = m->valid_value,
				      .peak = m->valid_value,
				      .peak_ms = m->valid_ms};
	struct condition c = condition_of(monitor, ALERT_STALE);
	alert_raise(e, &c, stale, m->heard_ms + after_ms, 0);
}
