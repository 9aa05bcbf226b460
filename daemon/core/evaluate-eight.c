/* SPDX-License-Identifier: Apache-2.0 */
/* The largest moving mean of eight hours in a day, and whether the day has enough of them. */
#include "core/evaluate-state.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { HOUR_MS = 3600000, DAY_HOURS = 48 };

int eights_new(struct evaluator *e)
{
	e->eights = calloc(e->n_limits + 1, sizeof *e->eights);
	bool failed = e->eights == NULL;
	for (uint32_t i = 0, at = 0; i < e->plan->n_monitors; i++)
		for (size_t j = 0; j < e->plan->monitors[i].n_limits && !failed; j++, at++) {
			if (e->plan->monitors[i].limits[j].average != AVERAGE_DAY_8H)
				continue;
			e->eights[at] = calloc(1, sizeof **e->eights);
			failed = e->eights[at] == NULL;
		}
	return failed ? -ENOMEM : 0;
}

void eights_free(struct evaluator *e)
{
	for (size_t i = 0; e->eights != NULL && i < e->n_limits; i++)
		free(e->eights[i]);
	free(e->eights);
}

/* The mean of an hour, NAN where too little of it is valid, or nothing was discharged. */
static double hour_mean(const struct evaluator *e, uint32_t monitor, const struct limit *l,
			const struct window *hour)
{
	double due;
	if (not_applicable(e, monitor, hour, &due) || !share_suffices(l, hour, due))
		return NAN;
	double mean = window_mean(hour);
	return isfinite(mean) ? mean : NAN;
}

void eight_weigh(const struct evaluator *e, const struct window *day, struct judged *j)
{
	uint32_t at = e->first_limit[j->monitor] + j->limit;
	const struct limit *l = &e->plan->monitors[j->monitor].limits[j->limit];
	double hours[DAY_HOURS];
	size_t n = 0;
	for (int64_t ms = day->span.start_ms; ms + HOUR_MS <= day->span.end_ms && n < DAY_HOURS;
	     ms += HOUR_MS) {
		const struct window hour = eight_hour(e->eights[at], ms);
		hours[n++] = hour_mean(e, j->monitor, l, &hour);
	}
	const struct eight_day found = eight_day(hours, n, l->min_valid * EIGHT_HOURS);
	j->means = found.n;
	if (found.n == 0)
		return;
	judged_settle(e, j, found.largest);
	if (found.n < EIGHT_MEANS && j->outcome == OUTCOME_COMPLIES)
		j->outcome = OUTCOME_UNDETERMINED;
}
