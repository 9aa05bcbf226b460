/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Supervision case (挂号 … 销号): the administrative side of an alert.
 *
 * An alert begins and ends by itself; a case is registered by the daemon, carries a number, and
 * ends only by a person. This file holds the rules that need no database: which action leads from
 * which status to which, which multiple and severity a case has, when an alert joins an open case.
 */
#include "core/verdict.h"

struct text;

enum case_status {
	CASE_REGISTERED,
	CASE_ASSIGNED,
	CASE_RECTIFYING,
	CASE_REVIEW,
	CASE_CLOSED,
	CASE_WITHDRAWN,
	CASE_STATUSES
};

enum case_action {
	ACTION_ACCEPT,
	ACTION_ASSIGN,
	ACTION_PLAN,
	ACTION_RECTIFIED,
	ACTION_RETURN,
	ACTION_CLOSE,
	ACTION_REOPEN,
	ACTION_WITHDRAW,
	ACTION_EXTEND,
	ACTION_TRANSFER,
	ACTION_MERGE,
	ACTION_FEEDBACK,
	ACTION_ATTACH,
	ACTION_NOTE,
	CASE_ACTIONS
};

enum case_need { NEED_NOTE = 1, NEED_UNIT = 2, NEED_REASON = 4, NEED_DUE = 8 };
enum severity { SEVERITY_GENERAL, SEVERITY_SERIOUS, SEVERITY_GRAVE, SEVERITIES };

const char *case_status_name(enum case_status status);
const char *case_action_name(enum case_action action);
const char *severity_name(enum severity severity);
/** case_action_find() - Return: the action of this name, CASE_ACTIONS if unknown. */
enum case_action case_action_find(const char *name);
bool case_status_open(enum case_status status);

/**
 * case_step() - the life cycle's table (interface: Alerts and cases)
 * Return: true and @to (may equal @from) if @action is allowed in @from.
 */
bool case_step(enum case_status from, enum case_action action, enum case_status *to);
/** case_needs() - Return: OR of enum case_need that the action's body must have */
unsigned case_needs(enum case_action action);

/**
 * case_multiple() - 超标倍数 = peak / limit - 1
 * Return: true and @out; false where there is none: min limits, pH, dissolved oxygen, temperature,
 * limit 0 (环办〔2011〕22号).
 */
bool case_multiple(const struct monitor *monitor, enum bound bound, double peak, double limit,
		   double *out);
/** case_severity() - the steps of a site kind for a multiple; general where there is none */
enum severity case_severity(enum site_kind kind, bool has_multiple, double multiple);
/** case_wanted() - does this raised alert open (or join) a case at its site? */
bool case_wanted(const struct plan *plan, const struct verdict *raised);
/** case_number() - writes the number from plan->case_number, as 五环督挂〔2026〕1号 */
void case_number(const struct plan *plan, int64_t year, int64_t seq, struct text *out);
