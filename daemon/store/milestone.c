/* SPDX-License-Identifier: Apache-2.0 */
#include "store/milestone.h"

#include <string.h>

static bool is(const struct history_view *h, const char *action)
{
	return strcmp(h->action, action) == 0;
}

static bool same_step(const struct history_view *h, const char *step)
{
	return h->order.step != NULL && strcmp(h->order.step, step) == 0;
}

enum case_status reopened_from(const struct history_view *history, size_t at)
{
	if (!is(&history[at], "reopen"))
		return CASE_STATUSES;
	while (at-- > 0) {
		if (is(&history[at], "close"))
			return CASE_CLOSED;
		if (is(&history[at], "withdraw") || is(&history[at], "merge"))
			return CASE_WITHDRAWN;
	}
	return CASE_STATUSES;
}

bool milestone_at(const struct history_view *history, size_t n, size_t at, struct milestone *out)
{
	const struct history_view *plans = &history[at];

	*out = (struct milestone){.step = plans->order.step,
				  .planned_ms = plans->at_ms,
				  .due_ms = plans->order.due_ms,
				  .at = at};
	if (!is(plans, "plan") || out->step == NULL)
		return false;
	for (size_t i = at + 1; i < n; i++) {
		if (reopened_from(history, i) == CASE_WITHDRAWN)
			return false;
		if (!same_step(&history[i], out->step))
			continue;
		if (is(&history[i], "plan"))
			return false;
		if (is(&history[i], "rectified") && out->done_ms == 0)
			out->done_ms = history[i].at_ms;
	}
	return true;
}

int milestones_open(const struct history_view *history, size_t n, const char *step)
{
	struct milestone m;
	int open = 0;

	for (size_t i = 0; i < n; i++)
		open += milestone_at(history, n, i, &m) && m.done_ms == 0 &&
			(step == NULL || strcmp(m.step, step) == 0);
	return open;
}

struct case_clock milestone_clock(const struct plan *plan, const struct case_clock *clock,
				  const struct history_view *history, size_t n,
				  const struct milestone *milestone)
{
	struct case_clock own = *clock;

	own.stage_ms = milestone->planned_ms;
	own.due_ms = milestone->due_ms;
	own.reminded = own.escalation = 0;
	for (size_t i = milestone->at + 1; i < n; i++) {
		if (!same_step(&history[i], milestone->step))
			continue;
		if (is(&history[i], "step_reminded"))
			deadline_tell(plan, &own, history[i].at_ms);
		else if (is(&history[i], "step_overdue"))
			own.escalation = ESCALATIONS;
	}
	return own;
}

int64_t milestone_next(const struct plan *plan, const struct case_clock *clock,
		       const struct history_view *history, size_t n, struct milestone *out)
{
	int64_t first_ms = 0;
	struct milestone m;

	for (size_t i = 0; clock->status == CASE_RECTIFYING && i < n; i++) {
		if (!milestone_at(history, n, i, &m) || m.done_ms != 0)
			continue;
		const struct case_clock own = milestone_clock(plan, clock, history, n, &m);
		int64_t at_ms = deadline_timer(plan, &own);
		if (at_ms == 0 || (first_ms != 0 && at_ms >= first_ms))
			continue;
		first_ms = at_ms;
		*out = m;
	}
	return first_ms;
}
