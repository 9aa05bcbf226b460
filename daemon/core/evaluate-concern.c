/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evaluate-state.h"

static bool track_concerned(const struct track *track)
{
	return track->on_run || track->alert.active;
}

/* A mean is known at its window's end only: of its readings those count that are beyond the limit
 * by themselves. */
static bool limit_concerned(const struct evaluator *e, uint32_t at, const struct limit *limit,
			    const struct reading *r)
{
	enum bound bound;

	if (track_concerned(&e->limits[at].exceedance))
		return true;
	if (limit->warn_at > 0 && track_concerned(&e->rests[at].warning))
		return true;
	return limit->average != AVERAGE_INSTANT &&
	       (e->rests[at].undetermined.active ||
		(r->has_value && level_violated(&e->exceedance[at], r->value, &bound)));
}

static bool signal_concerned(const struct evaluator *e, uint32_t monitor)
{
	const struct monitor_alerts *a = &e->alerts[monitor];
	uint8_t traits = e->traits[monitor];

	return ((traits & TRAIT_SILENCE) != 0 && a->stale.active) ||
	       ((traits & TRAIT_FLAT) != 0 && a->flat.active) ||
	       ((traits & TRAIT_STEP) != 0 && a->step.active) ||
	       ((traits & TRAIT_RANGE) != 0 && (a->over_range.active || a->under_range.active)) ||
	       e->monitors[monitor].impossible || (e->monitors[monitor].astray && a->late.active);
}

static bool clues_concerned(const struct evaluator *e, const struct monitor *monitor)
{
	if (monitor->clues == NULL)
		return false;
	const struct clue_state *state = &e->clues[monitor->clues - e->plan->clues];
	for (size_t i = 0; i < CLUES; i++)
		if (state->alerts[i].active)
			return true;
	return false;
}

bool evaluator_looks_back(const struct evaluator *e, uint32_t monitor)
{
	return (e->traits[monitor] & (TRAIT_MEANS | TRAIT_FLAT | TRAIT_CLUES)) != 0;
}

bool evaluator_concern(const struct evaluator *e, const struct reading *r)
{
	const struct monitor *monitor = &e->plan->monitors[r->monitor];
	uint32_t first = e->first_limit[r->monitor];

	for (uint32_t i = 0; i < monitor->n_limits; i++)
		if (limit_concerned(e, first + i, &monitor->limits[i], r))
			return true;
	return signal_concerned(e, r->monitor) || clues_concerned(e, monitor);
}
