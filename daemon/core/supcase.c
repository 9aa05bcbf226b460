/* SPDX-License-Identifier: Apache-2.0 */
#include "core/supcase.h"

#include "core/text.h"

#include <math.h>
#include <string.h>

/*
 *                    accept      assign        plan          rectified   return
 *   registered ──┐   (stays) ──► assigned ──► rectifying ──► review ──► rectifying
 *                │                                             │ close
 *   withdrawn ◄──┴── withdraw (from every open status)         ▼
 *       │ reopen ──► registered              closed ── reopen ──► rectifying
 *
 *   extend: any open status, unchanged. transfer, feedback, attach, note: any, unchanged.
 *   merge: any, becomes withdrawn (the case lives on in another).
 */
enum { NO = -1, SAME = -2 };

static const signed char steps[CASE_ACTIONS][CASE_STATUSES] = {
	/*                    registered       assigned         rectifying       review closed
	   withdrawn */
	[ACTION_ACCEPT] = {SAME, NO, NO, NO, NO, NO},
	[ACTION_ASSIGN] = {CASE_ASSIGNED, CASE_ASSIGNED, NO, NO, NO, NO},
	[ACTION_PLAN] = {NO, CASE_RECTIFYING, CASE_RECTIFYING, NO, NO, NO},
	[ACTION_RECTIFIED] = {NO, NO, CASE_REVIEW, NO, NO, NO},
	[ACTION_RETURN] = {NO, NO, NO, CASE_RECTIFYING, NO, NO},
	[ACTION_CLOSE] = {NO, NO, NO, CASE_CLOSED, NO, NO},
	[ACTION_REOPEN] = {NO, NO, NO, NO, CASE_RECTIFYING, CASE_REGISTERED},
	[ACTION_WITHDRAW] = {CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN, NO,
			     NO},
	[ACTION_EXTEND] = {SAME, SAME, SAME, SAME, NO, NO},
	[ACTION_TRANSFER] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_MERGE] = {CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN, CASE_WITHDRAWN,
			  CASE_WITHDRAWN, CASE_WITHDRAWN},
	[ACTION_FEEDBACK] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_ATTACH] = {SAME, SAME, SAME, SAME, SAME, SAME},
	[ACTION_NOTE] = {SAME, SAME, SAME, SAME, SAME, SAME},
};

static const struct {
	const char *name;
	unsigned needs;
} actions[CASE_ACTIONS] = {
	[ACTION_ACCEPT] = {"accept", 0},
	[ACTION_ASSIGN] = {"assign", NEED_UNIT},
	[ACTION_PLAN] = {"plan", NEED_NOTE},
	[ACTION_RECTIFIED] = {"rectified", 0},
	[ACTION_RETURN] = {"return", NEED_NOTE},
	[ACTION_CLOSE] = {"close", NEED_NOTE},
	[ACTION_REOPEN] = {"reopen", NEED_NOTE},
	[ACTION_WITHDRAW] = {"withdraw", NEED_REASON | NEED_NOTE},
	[ACTION_EXTEND] = {"extend", NEED_DUE | NEED_NOTE},
	[ACTION_TRANSFER] = {"transfer", NEED_NOTE},
	[ACTION_MERGE] = {"merge", NEED_NOTE},
	[ACTION_FEEDBACK] = {"feedback", NEED_NOTE},
	[ACTION_ATTACH] = {"attach", NEED_NOTE},
	[ACTION_NOTE] = {"note", NEED_NOTE},
};

const char *case_status_name(enum case_status status)
{
	static const char *const names[CASE_STATUSES] = {"registered", "assigned", "rectifying",
							 "review",     "closed",   "withdrawn"};
	return names[status];
}

const char *case_action_name(enum case_action action)
{
	return actions[action].name;
}

const char *severity_name(enum severity severity)
{
	static const char *const names[SEVERITIES] = {"general", "serious", "grave"};
	return names[severity];
}

enum case_action case_action_find(const char *name)
{
	unsigned i = 0;
	while (i < CASE_ACTIONS && strcmp(actions[i].name, name) != 0)
		i++;
	return (enum case_action)i;
}

bool case_status_open(enum case_status status)
{
	return status != CASE_CLOSED && status != CASE_WITHDRAWN;
}

bool case_step(enum case_status from, enum case_action action, enum case_status *to)
{
	signed char step = steps[action][from];
	if (step == NO)
		return false;
	*to = step == SAME ? from : (enum case_status)step;
	return true;
}

unsigned case_needs(enum case_action action)
{
	return actions[action].needs;
}

bool case_multiple(const struct monitor *monitor, enum bound bound, double peak, double limit,
		   double *out)
{
	if (bound != BOUND_MAX || monitor->no_multiple || limit == 0 || !isfinite(peak / limit))
		return false;
	*out = peak / limit - 1;
	return true;
}

/* Steps by the share over the limit; a water source knows no general case. */
enum severity case_severity(enum site_kind kind, bool has_multiple, double multiple)
{
	double over = has_multiple ? multiple : 0;
	if (kind == SITE_WATER_SOURCE)
		return over > 0.5 ? SEVERITY_GRAVE : SEVERITY_SERIOUS;
	if (over >= 2) /* at least three times the limit */
		return SEVERITY_GRAVE;
	return over > 0.5 ? SEVERITY_SERIOUS : SEVERITY_GENERAL;
}

bool case_wanted(const struct plan *plan, const struct verdict *raised)
{
	if (raised->monitor == NO_INDEX)
		return false;
	const struct monitor *m = &plan->monitors[raised->monitor];
	if (raised->kind == ALERT_EXCEEDANCE && raised->limit != NO_INDEX)
		return m->limits[raised->limit].opens_case;
	return (plan->sites[m->site].opens & (1u << raised->kind)) != 0;
}

void case_number(const struct plan *plan, int64_t year, int64_t seq, struct text *out)
{
	const char *at = plan->case_number;
	while (*at != '\0') {
		if (strncmp(at, "{prefix}", 8) == 0) {
			text_add(out, plan->case_prefix);
			at += 8;
		} else if (strncmp(at, "{year}", 6) == 0) {
			text_format(out, "%lld", (long long)year);
			at += 6;
		} else if (strncmp(at, "{seq}", 5) == 0) {
			text_format(out, "%lld", (long long)seq);
			at += 5;
		} else {
			text_char(out, *at++);
		}
	}
}
