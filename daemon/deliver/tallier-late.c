/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings that came late and lie beyond an instant limit. The judge goes by the order in which
 * readings come and raises no alert for them, but a report may not count their day as one that
 * complies: such a day is judged anew by all its readings in the order of their times.
 */
#include "deliver/tallier-internal.h"

/* Without a limit of days; where there is one, a day is what its mean says, late or not. */
static bool is_beyond(const struct monitor *m, const struct reading *r)
{
	bool beyond = false;
	for (size_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		if (l->average == AVERAGE_DAY)
			return false;
		beyond |=
			l->average == AVERAGE_INSTANT && limit_beyond(l, r->measured_ms, r->value);
	}
	return beyond;
}

/* After a restart nothing newer is known at first: then what was under way for long is late. */
static bool is_late(const int64_t *newest_ms, const struct reading *r)
{
	return *newest_ms != 0 ? r->measured_ms < *newest_ms
			       : r->measured_ms < r->received_ms - TALLY_GRACE_MS;
}

void late_take(struct tallier *t, const struct reading *r)
{
	int64_t *newest_ms = &t->monitor_ms[r->monitor];
	const struct monitor *m = &t->setup.plan->monitors[r->monitor];
	bool late = is_late(newest_ms, r);
	if (r->measured_ms > *newest_ms)
		*newest_ms = r->measured_ms;
	if (t->setup.late == NULL || !late || !r->has_value || r->flag != FLAG_NORMAL ||
	    !is_beyond(m, r))
		return;
	tallier_keep(t, tallies_put_late(t->store, r->monitor, tallier_day(t, r->measured_ms),
					 TALLY_LATE));
	tallier_redo(t, m->site, r->measured_ms);
}

int late_judge(struct tallier *t, uint32_t monitor, struct span day)
{
	int64_t late, beyond = 0;
	int r = tallies_get_late(t->store, monitor, day.start_ms, &late);
	if (r != 0 || late == 0 || t->setup.late == NULL)
		return r;
	r = t->setup.late(t->setup.context, t->setup.plan, t->reader, &t->marks, monitor, day,
			  &beyond);
	return r != 0 ? r
		      : tallies_put_late(t->store, monitor, day, beyond > 0 ? beyond : TALLY_LATE);
}
