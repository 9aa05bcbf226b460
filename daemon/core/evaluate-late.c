/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Late: what is older than the newest reading of its monitor goes by instant limits and the
 * signal's conditions, and rightly so where messages have crossed. But one reading that was dated
 * ahead, or a clock that was set back, makes all that follows late, and nobody would know that
 * nothing is judged: several late ones in a row, each newer than the one before it, are a clue.
 */
#include "core/evaluate-state.h"

static struct condition late_of(uint32_t monitor)
{
	struct condition c = condition_of(monitor, ALERT_CLUE);
	c.reason = "out_of_order";
	return c;
}

void late_heard(struct evaluator *e, const struct reading *r)
{
	uint32_t wanted = e->plan->monitors[r->monitor].late_count;
	struct late_run *run = &e->alerts[r->monitor].late_run;
	struct alert_state *a = &e->alerts[r->monitor].late;
	struct condition c = late_of(r->monitor);
	if (wanted == 0)
		return;
	if (run->late == 0 || r->measured_ms <= run->last_ms)
		*run = (struct late_run){.since_ms = r->measured_ms};
	run->last_ms = r->measured_ms;
	run->late++;
	e->monitors[r->monitor].astray = true;
	e->calms[r->monitor].on = false;
	if (!a->active && run->late >= wanted)
		alert_raise_reading(e, &c, a, r, run->since_ms);
}

/* As many in a row end it: while a logger catches up, what it measures now comes between. */
void late_in_order(struct evaluator *e, const struct reading *r)
{
	struct late_run *run = &e->alerts[r->monitor].late_run;
	struct alert_state *a = &e->alerts[r->monitor].late;
	struct condition c = late_of(r->monitor);
	run->late = 0;
	if (a->active && ++run->in_order < e->plan->monitors[r->monitor].late_count)
		return;
	alert_clear(e, &c, a, r->measured_ms);
	e->monitors[r->monitor].astray = false;
}
