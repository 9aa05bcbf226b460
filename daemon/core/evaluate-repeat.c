/* SPDX-License-Identifier: Apache-2.0 */
/* Saying again what lasts, to somebody who may have lost it. */
#include "core/evaluate-state.h"

static void repeat(struct evaluator *e, struct condition c, const struct alert_state *a)
{
	if (a->active)
		alert_say(e, VERDICT_RAISED, &c, a, a->raised_ms, 0);
}

static void repeat_limit(struct evaluator *e, uint32_t monitor, uint32_t limit)
{
	uint32_t at = e->first_limit[monitor] + limit;
	const struct limit_rest *rest = &e->rests[at];

	repeat(e, (struct condition){monitor, NO_INDEX, limit, ALERT_EXCEEDANCE, NULL},
	       &e->limits[at].exceedance.alert);
	repeat(e, (struct condition){monitor, NO_INDEX, limit, ALERT_WARNING, NULL},
	       &rest->warning.alert);
	repeat(e, (struct condition){monitor, NO_INDEX, limit, ALERT_UNDETERMINED, NULL},
	       &rest->undetermined);
}

static void repeat_signal(struct evaluator *e, uint32_t monitor)
{
	const struct monitor_alerts *alerts = &e->alerts[monitor];
	struct condition range = condition_of(monitor, ALERT_CLUE);

	range.reason = "over_range";
	repeat(e, condition_of(monitor, ALERT_STALE), &alerts->stale);
	repeat(e, condition_of(monitor, ALERT_FLAT), &alerts->flat);
	repeat(e, condition_of(monitor, ALERT_STEP), &alerts->step);
	repeat(e, range, &alerts->over_range);
	range.reason = "under_range";
	repeat(e, range, &alerts->under_range);
	range.reason = signal_code_reason(&e->monitors[monitor]);
	repeat(e, range, &alerts->impossible);
	range.reason = "out_of_order";
	repeat(e, range, &alerts->late);
}

void evaluator_repeat(struct evaluator *e)
{
	for (uint32_t i = 0; i < e->plan->n_monitors; i++) {
		for (uint32_t limit = 0; limit < e->plan->monitors[i].n_limits; limit++)
			repeat_limit(e, i, limit);
		repeat_signal(e, i);
		clues_repeat(e, i);
	}
	for (uint32_t i = 0; i < e->plan->n_connections; i++)
		repeat(e, (struct condition){NO_INDEX, i, NO_INDEX, ALERT_CONNECTION, NULL},
		       &e->links[i].alert);
	for (int i = 0; i < OWN_FAULTS; i++) {
		struct condition own = condition_of(NO_INDEX, ALERT_FAULT);
		own.reason = own_fault_name((enum own_fault)i);
		repeat(e, own, &e->own[i]);
	}
}
