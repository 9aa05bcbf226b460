/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settling: the first results after the flow, or the instrument, is back are of old water in the
 * pipes, and count for nothing (settle_results).
 *
 * A rule that sets results aside may not hide an exceedance for ever (ISA-18.2: what suppresses is
 * limited and recorded). Never more than settle_results are set aside in a row, however often the
 * flow comes and goes; a stop shorter than the time between two results leaves none that is of old
 * water alone; what is set aside is not due in a mean; and what lies beyond a limit there time and
 * again is a clue.
 *
 * How far results lie apart is a monitor's own pace: the time between its last two, less what the
 * flow stood. Where nobody said how often they come (monitor.own_pace) a silence is one against
 * that.
 */
#include "core/evaluate-state.h"

/* Two results are missing, and some: as config/practice.c has it of a rate that is known. */
static bool within_pace(const struct monitor_state *m, int64_t ms)
{
	return 4 * ms <= 9 * m->pace_ms;
}

struct pause pause_before(const struct evaluator *e, uint32_t monitor, int64_t from_ms,
			  int64_t to_ms)
{
	const struct discharge *d = discharge_of(e, monitor);
	struct pause p = {.ran_ms = to_ms - from_ms};
	if (d == NULL || discharge_returned(d, to_ms) <= from_ms)
		return p;
	int64_t shut_ms = discharge_shut_ms(d, (struct span){from_ms, to_ms});
	p.stood = true;
	p.stood_ms = shut_ms + d->for_ms;
	p.ran_ms -= shut_ms;
	return p;
}

bool pause_is_gap(const struct evaluator *e, uint32_t monitor, const struct pause *p)
{
	const struct monitor *plan = &e->plan->monitors[monitor];
	const struct monitor_state *m = &e->monitors[monitor];
	return plan->stale_after_ms > 0 && p->ran_ms > plan->stale_after_ms &&
	       !(plan->own_pace && within_pace(m, p->ran_ms));
}

bool step_breaks(const struct step *s, int64_t lasting_ms)
{
	return s->gap || (s->stood && lasting_ms > 0);
}

void step_pause(const struct evaluator *e, const struct reading *r, struct step *s)
{
	const struct monitor_state *m = &e->monitors[r->monitor];
	/* Readings that were set aside were seen; what broke the runs before them still does. */
	int64_t last_ms = m->has_seen && m->seen_ms > m->valid_ms ? m->seen_ms : m->valid_ms;
	const struct pause p = pause_before(e, r->monitor, last_ms, r->measured_ms);
	s->gap = m->lull || pause_is_gap(e, r->monitor, &p);
	s->stood = m->stood || p.stood;
}

/* The instrument came back; at a pace that is not known yet nobody can tell. */
static bool instrument_returned(const struct evaluator *e, uint32_t monitor, const struct pause *p)
{
	const struct monitor_state *m = &e->monitors[monitor];
	bool unknown = e->plan->monitors[monitor].own_pace && m->pace_ms == 0;
	return m->has_seen && !unknown && pause_is_gap(e, monitor, p);
}

/* The flow came back after a stop that lasts longer than results lie apart. */
static bool flow_returned(const struct evaluator *e, const struct reading *r, const struct pause *p)
{
	const struct discharge *d = discharge_of(e, r->monitor);
	struct monitor_state *m = &e->monitors[r->monitor];
	int64_t returned_ms = d == NULL ? INT64_MIN : discharge_returned(d, r->measured_ms);
	if (returned_ms <= m->returned_ms)
		return false;
	m->returned_ms = returned_ms;
	return !m->has_seen || p->stood_ms >= m->pace_ms;
}

static bool seen_anew(const struct evaluator *e, const struct reading *r)
{
	const struct monitor *plan = &e->plan->monitors[r->monitor];
	const struct monitor_state *m = &e->monitors[r->monitor];
	bool held = plan->cycle_ms > 0 && r->value == m->seen_value &&
		    r->measured_ms - m->seen_result_ms < plan->cycle_ms;
	return !m->has_seen || (r->measured_ms > m->seen_ms && !held);
}

static void see(struct evaluator *e, const struct reading *r, bool anew)
{
	struct monitor_state *m = &e->monitors[r->monitor];
	if (anew && m->has_seen)
		m->pace_ms = pause_before(e, r->monitor, m->seen_result_ms, r->measured_ms).ran_ms;
	if (anew) {
		m->seen_result_ms = r->measured_ms;
		m->seen_value = r->value;
	}
	m->has_seen = true;
	m->seen_ms = r->measured_ms;
}

/* One more new result: is it set aside? */
static bool sets_aside(struct monitor_state *m, bool back, uint32_t most)
{
	if ((!back && !m->settling) || m->settled == most) {
		m->settled = 0;
		return false;
	}
	m->settled++;
	return true;
}

bool reading_settled(struct evaluator *e, const struct reading *r)
{
	const struct monitor *plan = &e->plan->monitors[r->monitor];
	struct monitor_state *m = &e->monitors[r->monitor];
	if (plan->settle_results == 0 && !plan->own_pace)
		return true;
	const struct pause p = pause_before(e, r->monitor, m->seen_ms, r->measured_ms);
	bool flow = flow_returned(e, r, &p), back = flow || instrument_returned(e, r->monitor, &p);
	bool anew = back || seen_anew(e, r);
	if (anew)
		m->settling = sets_aside(m, back, plan->settle_results);
	see(e, r, anew);
	if (!m->settling)
		return true;
	means_set_aside(e, r, anew);
	if (anew && (e->traits[r->monitor] & TRAIT_CLUES))
		clues_set_aside(e, r);
	return false;
}
