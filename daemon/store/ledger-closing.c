/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"
#include "store/milestone.h"

#include <string.h>

static bool step_is(const struct history_view *h, const char *action)
{
	return strcmp(h->action, action) == 0;
}

int ledger_steps_open(struct ledger *ledger, int64_t id, const char *step, int *open)
{
	struct case_parts parts = {0};

	int r = ledger_case_history(ledger, id, &parts);
	if (r == 0)
		*open = milestones_open(parts.history, parts.n_history, step);
	case_parts_deinit(&parts);
	return r;
}

/* Whoever has reported rectification, of the case or of a step, at any time in its life, does not
 * judge it: neither closes, nor checked, nor approves. Who planned or passed on what the enterprise
 * says has judged nothing yet, and may. */
static bool judges_itself(const struct case_rules *rules, const struct case_parts *parts,
			  const struct case_order *order)
{
	for (size_t i = 0; i < parts->n_history; i++) {
		const char *who = parts->history[i].order.by;
		if (step_is(&parts->history[i], "rectified") &&
		    (names_share(rules, order->by, who) ||
		     names_share(rules, order->checkers, who) ||
		     names_share(rules, order->approved_by, who)))
			return true;
	}
	return false;
}

/* A file stands for one thing: that as which it was attached last. */
static bool attached_again(const struct case_parts *parts, size_t at)
{
	for (size_t i = at + 1; i < parts->n_history; i++) {
		const char *sha256 = parts->history[i].order.sha256;
		if (sha256 != NULL && strcmp(sha256, parts->history[at].order.sha256) == 0)
			return true;
	}
	return false;
}

static void facts_attachment(struct closing_facts *f, const char *type)
{
	if (strcmp(type, "record") == 0)
		f->record = true;
	else if (strcmp(type, "laboratory") == 0)
		f->laboratory = true;
	else if (strcmp(type, "release") == 0)
		f->release = true;
	else
		f->attachments++;
}

/* The history since the case was opened or taken up again; what the check found counts only after
 * the last report of rectification, for it is that which was checked. */
static void facts_history(struct closing_facts *f, const struct case_parts *parts)
{
	for (size_t i = 0; i < parts->n_history; i++) {
		const struct history_view *h = &parts->history[i];
		if (step_is(h, "reopen"))
			*f = (struct closing_facts){.plan = f->plan &&
							    reopened_from(parts->history, i) !=
								    CASE_WITHDRAWN};
		if (step_is(h, "rectified") && h->order.step == NULL)
			f->record = f->laboratory = false;
		f->plan |= step_is(h, "plan");
		if (h->order.sha256 != NULL && h->order.type != NULL && !attached_again(parts, i))
			facts_attachment(f, h->order.type);
	}
}

static void facts_row(struct closing_facts *f, const struct case_row *row)
{
	f->kind = row->clock.kind;
	f->severity = row->clock.severity;
	f->track = row->clock.track;
	f->unit = row->has_unit;
	f->leader = row->has_leader;
	f->team = row->has_team;
}

/* Is it so of the case, or of one that was merged into it? */
static int any_of(struct ledger *ledger, enum ledger_sql what, int64_t id, bool *found)
{
	sqlite3_stmt *find = ledger->sql[what];

	sql_bind(find, "i", id);
	int r = sql_step(find, found);
	sql_reset(find);
	return r;
}

int ledger_case_lacks(struct ledger *ledger, const struct case_row *row,
		      const struct case_order *order, int64_t now_ms, bool loud, unsigned *lacks,
		      struct compliance *data)
{
	const struct case_rules *rules = ledger->plan->rules;
	struct closing_facts f = {0};
	struct case_parts parts = {0};
	bool listed = false;

	int r = ledger_case_history(ledger, row->id, &parts);
	if (r == 0) {
		facts_history(&f, &parts);
		f.judges_itself = judges_itself(rules, &parts, order);
		f.open_steps = milestones_open(parts.history, parts.n_history, NULL);
	}
	case_parts_deinit(&parts);
	facts_row(&f, row);
	if (r == 0)
		r = any_of(ledger, SQL_CASE_MONITORS, row->id, &f.exceedance);
	if (r == 0)
		r = any_of(ledger, SQL_CASE_LISTED, row->id, &listed);
	f.district = !listed;
	data->needed = f.exceedance ? rules->closing.compliant_days[f.kind] : 0;
	if (r == 0 && data->needed > 0)
		r = ledger_compliance(ledger, row, now_ms, data);
	f.alert_active = loud;
	f.compliant_days = data->days;
	f.checkers = names_count(rules, order->checkers,
				 rules->may[ACTION_CLOSE] | rules->may[ACTION_RETURN]);
	f.approved =
		order->approved_by != NULL && officer_is(rules, order->approved_by, ROLE_LEADER);
	*lacks = closing_lacks(&rules->closing, &f);
	return r;
}
