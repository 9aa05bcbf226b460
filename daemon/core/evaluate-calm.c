/* SPDX-License-Identifier: Apache-2.0 */
/* Calm: when a reading that complies with everything needs no closer look. */
#include "core/evaluate-state.h"

#include <math.h>

/* How much rounding may take a value up or down, and more. */
static double slack_of(const struct limit *l)
{
	return l->compare == COMPARE_ROUNDED ? pow(10, -l->decimals) : 0;
}

/* Comparing to 12 digits keeps the order, so what is within the bound by all digits complies. */
static void narrow(struct calm *c, const struct level *level, double slack)
{
	if (level->has_max)
		c->high = fmin(c->high, level->max - slack);
	if (level->has_min)
		c->low = fmax(c->low, level->min + slack);
}

/* Nothing but what is read is asked of a reading, unless by a limit. */
static bool plain_signal(const struct evaluator *e, uint32_t monitor)
{
	const unsigned others = TRAIT_FLOW | TRAIT_STEP | TRAIT_FLAT | TRAIT_CLUES;
	return (e->traits[monitor] & others) == 0;
}

void calm_begin(struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	struct calm *c = &e->calms[monitor];
	*c = (struct calm){.possible = plain_signal(e, monitor),
			   .means = (e->traits[monitor] & TRAIT_MEANS) != 0,
			   .low = m->has_range ? m->range_low : -INFINITY,
			   .high = m->has_range ? m->range_high : INFINITY,
			   .cycle_ms = m->cycle_ms,
			   .stale_ns =
				   m->stale_after_ms > 0 ? m->stale_after_ms * 1000000 : INT64_MAX};
	if (m->has_dead)
		c->low = fmax(c->low, m->dead_at);
	for (size_t i = 0; i < m->n_limits; i++) {
		uint32_t at = e->first_limit[monitor] + (uint32_t)i;
		if (m->limits[i].average != AVERAGE_INSTANT)
			continue;
		narrow(c, &e->exceedance[at], slack_of(&m->limits[i]));
		if (m->limits[i].warn_at > 0)
			narrow(c, &e->warning[at], slack_of(&m->limits[i]));
	}
}

static bool at_rest(const struct track *t)
{
	return !t->alert.active && !t->on_run;
}

void calm_settle(struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	const struct monitor_alerts *a = &e->alerts[monitor];
	struct calm *c = &e->calms[monitor];
	if (!c->possible)
		return;
	bool calm = e->monitors[monitor].has_valid && !e->monitors[monitor].astray &&
		    !a->stale.active && !a->flat.active && !a->step.active &&
		    !a->over_range.active && !a->under_range.active && !a->impossible.active;
	for (size_t i = 0; calm && i < m->n_limits; i++) {
		uint32_t at = e->first_limit[monitor] + (uint32_t)i;
		if (m->limits[i].average == AVERAGE_INSTANT)
			calm = at_rest(&e->limits[at].exceedance) &&
			       (m->limits[i].warn_at == 0 || at_rest(&e->rests[at].warning));
	}
	c->on = calm;
}
