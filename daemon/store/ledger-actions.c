/* SPDX-License-Identifier: Apache-2.0 */
#include "core/refusal.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <string.h>

/* One action on its way: what the case is, and what it becomes. */
struct deed {
	struct ledger *ledger;
	const struct case_order *order;
	int64_t now_ms;
	struct case_row row; /* as it is; the clock as it becomes */
	enum case_status from, to;
	int64_t rival;   /* another open case of the same identity, which forbids to reopen */
	bool loud;       /* an alert of the case is active */
	struct text why; /* refused: a sentence */
	unsigned lacks;  /* refused: OR of enum closing_lack */
	struct compliance data;
};

static int deed_rival(struct deed *d)
{
	sqlite3_stmt *find = d->ledger->sql[SQL_CASE_RIVAL];
	bool row;

	if (!d->row.automatic)
		return 0;
	sql_bind(find, "tttti", d->row.site, d->row.factor, d->row.kind, d->row.average, d->row.id);
	int r = sql_step(find, &row);
	d->rival = r == 0 && row ? sqlite3_column_int64(find, 0) : 0;
	sql_reset(find);
	return r;
}

static int deed_read(struct deed *d, int64_t id)
{
	sqlite3_stmt *loud = d->ledger->sql[SQL_CASE_LOUD];

	int r = ledger_case_row(d->ledger, id, &d->row);
	d->from = d->row.clock.status;
	if (r == 0)
		r = deed_rival(d);
	if (r != 0)
		return r;
	sql_bind(loud, "i", id);
	r = sql_step(loud, &d->loud);
	sql_reset(loud);
	return r;
}

/* --- what the table allows, and what an action asks beside it --- */

static bool deed_allowed(struct deed *d, enum case_action action, enum case_status *to)
{
	if (!case_step(d->from, action, to)) {
		text_format(&d->why, "a case that is %s does not take the action %s",
			    case_status_name(d->from), case_action_name(action));
		return false;
	}
	if (action == ACTION_ACCEPT && d->row.clock.verified) {
		text_add(&d->why, refusal_text(REFUSE_ACCEPTED));
		return false;
	}
	if (action == ACTION_REOPEN && d->rival != 0) {
		text_format(&d->why,
			    "case %lld of the same site, factor, kind and averaging is open",
			    (long long)d->rival);
		return false;
	}
	return true;
}

static bool too_loud(const struct deed *d)
{
	const struct case_rules *rules = d->ledger->plan->rules;
	return d->loud && (rules == NULL || rules->closing.clear);
}

static int ask_sentence(struct deed *d, const char *sentence)
{
	if (sentence == NULL)
		return 0;
	text_add(&d->why, sentence);
	return LEDGER_REFUSED;
}

/* What is lacking, and of it how much. */
static void lack_text(const struct deed *d, unsigned lack, struct text *out)
{
	text_add(out, closing_lack_text(lack));
	if (lack == LACK_CHECKERS && d->ledger->plan->rules->n_officers > 0)
		text_add(out, ", of the officers who may close or return");
	if (lack == LACK_DAYS)
		text_format(out, " (%d of %d)%s", d->data.days, d->data.needed,
			    d->data.why.at == NULL ? "" : d->data.why.at);
}

static void lacks_text(struct deed *d)
{
	const char *comma = " ";

	text_add(&d->why, "the case cannot be closed yet; it lacks:");
	for (unsigned i = 0; i < CLOSING_LACKS; i++) {
		if ((d->lacks & 1u << i) == 0)
			continue;
		text_add(&d->why, comma);
		lack_text(d, 1u << i, &d->why);
		comma = "; ";
	}
}

static int ask_close(struct deed *d)
{
	if (d->ledger->plan->rules == NULL)
		return ask_sentence(d, d->loud ? refusal_text(REFUSE_LOUD) : NULL);
	int r = ledger_case_lacks(d->ledger, &d->row, d->order, d->now_ms, d->loud, &d->lacks,
				  &d->data);
	if (r != 0 || d->lacks == 0)
		return r;
	if (d->lacks == LACK_CLEAR)
		return ask_sentence(d, refusal_text(REFUSE_LOUD));
	lacks_text(d);
	return LEDGER_REFUSED;
}

static int ask_due(struct deed *d, bool whole)
{
	if (d->order->due_ms == 0)
		return 0;
	return ask_sentence(d, deadline_plan(d->ledger->plan, &d->row.clock, d->order->due_ms,
					     whole, d->now_ms));
}

/* With a date: until then there is a plan. */
static int ask_assign(struct deed *d)
{
	struct case_clock *clock = &d->row.clock;

	if (clock->status != CASE_ASSIGNED) {
		clock->status = CASE_ASSIGNED;
		deadline_begin(d->ledger->plan, clock, d->now_ms);
	}
	return ask_due(d, true);
}

static int ask_plan(struct deed *d)
{
	const struct case_order *o = d->order;
	struct case_clock *clock = &d->row.clock;
	bool begins = clock->status == CASE_ASSIGNED, later = clock->track != TRACK_IMMEDIATE;

	if (o->track != NULL)
		clock->track = case_track_find(o->track);
	else if (clock->track == TRACK_NONE)
		clock->track = TRACK_PLANNED;
	clock->status = CASE_RECTIFYING;
	if (begins) {
		deadline_begin(d->ledger->plan, clock, d->now_ms);
	} else if (clock->track == TRACK_IMMEDIATE && later) {
		clock->fixed = false;
		deadline_tighten(d->ledger->plan, clock);
	}
	int r = ask_due(d, o->step == NULL);
	/* whoever puts it right at once has named its day by that */
	clock->fixed |= clock->track == TRACK_IMMEDIATE;
	return r;
}

/* With a step it strikes off that step, and the case stays where it is; without one, all have to
 * be. */
static int ask_rectified(struct deed *d)
{
	int open = 0;

	const struct case_rules *rules = d->ledger->plan->rules;
	bool whole = d->order->step == NULL;

	if (whole && (rules == NULL || !rules->closing.steps))
		return 0;
	int r = ledger_steps_open(d->ledger, d->row.id, d->order->step, &open);
	if (r == 0 && whole && open > 0)
		r = ask_sentence(d, refusal_text(REFUSE_STEPS));
	if (r == 0 && !whole && open == 0)
		r = ask_sentence(d, refusal_text(REFUSE_NO_STEP));
	if (!whole)
		d->to = d->row.clock.status;
	return r;
}

/* A case is merged into one that lives, or linked to any other. */
static int ask_other(struct deed *d)
{
	struct case_row other;
	bool merges = d->order->action == ACTION_MERGE;

	if (d->order->other == 0)
		return 0;
	int r = d->order->other == d->row.id ? LEDGER_UNKNOWN
					     : ledger_case_row(d->ledger, d->order->other, &other);
	if (r == LEDGER_UNKNOWN) {
		text_format(&d->why, "there is no other case %lld", (long long)d->order->other);
		return LEDGER_INCOMPLETE;
	}
	if (r == 0 && merges && !case_status_open(other.clock.status))
		r = ask_sentence(d, refusal_text(REFUSE_MERGE));
	return r;
}

static int deed_ask(struct deed *d)
{
	switch (d->order->action) {
	case ACTION_CLOSE:
		return ask_close(d);
	case ACTION_ASSIGN:
		return ask_assign(d);
	case ACTION_PLAN:
		return ask_plan(d);
	case ACTION_RECTIFIED:
		return ask_rectified(d);
	case ACTION_EXTEND:
		return ask_sentence(d, deadline_extend(d->ledger->plan, &d->row.clock,
						       d->order->due_ms, d->now_ms));
	case ACTION_MERGE:
	case ACTION_LINK:
		return ask_other(d);
	case ACTION_ACCEPT:
	case ACTION_RETURN:
	case ACTION_REOPEN:
	case ACTION_WITHDRAW:
	case ACTION_TRANSFER:
	case ACTION_FEEDBACK:
	case ACTION_ATTACH:
	case ACTION_NOTE:
	case ACTION_LEVEL:
	case CASE_ACTIONS:
	default:
		return 0;
	}
}

/* --- refusing --- */

/* Return: OR of 1 << action: what the case takes as it is. */
static unsigned deeds_allowed(struct deed *d)
{
	unsigned allowed = 0;
	enum case_status to;

	for (int i = 0; i < CASE_ACTIONS; i++)
		if (deed_allowed(d, (enum case_action)i, &to))
			allowed |= 1u << i;
	return too_loud(d) ? allowed & ~(1u << ACTION_CLOSE) : allowed;
}

int ledger_allowed(struct ledger *ledger, int64_t id, unsigned *allowed)
{
	struct deed deed = {.ledger = ledger};

	pthread_mutex_lock(&ledger->lock);
	int r = deed_read(&deed, id);
	pthread_mutex_unlock(&ledger->lock);
	*allowed = r == 0 ? deeds_allowed(&deed) : 0;
	text_deinit(&deed.why);
	return r;
}

static void refuse_allowed(struct deed *d, struct text *out)
{
	bool first = true;
	unsigned allowed = deeds_allowed(d) & ~(1u << d->order->action);

	text_add(out, ",\"allowed\":[");
	for (int i = 0; i < CASE_ACTIONS; i++) {
		enum case_action action = (enum case_action)i;
		if ((allowed & 1u << i) == 0)
			continue;
		text_add(out, first ? "" : ",");
		text_json(out, case_action_name(action));
		first = false;
	}
	text_add(out, "]");
}

static void refuse_missing(const struct deed *d, struct text *out)
{
	bool first = true;

	text_add(out, ",\"missing\":[");
	for (unsigned i = 0; i < CLOSING_LACKS; i++) {
		if ((d->lacks & 1u << i) == 0)
			continue;
		text_add(out, first ? "" : ",");
		text_json(out, closing_lack_name(1u << i));
		first = false;
	}
	text_add(out, "]");
	if ((d->lacks & LACK_DAYS) != 0)
		text_format(out, ",\"days\":[%s]", d->data.json.at == NULL ? "" : d->data.json.at);
}

static void refuse(struct deed *d, int r, struct text *out)
{
	text_clear(out);
	text_add(out, "{\"error\":");
	text_json(out, d->why.at);
	if (r == LEDGER_REFUSED)
		refuse_allowed(d, out);
	if (d->lacks != 0)
		refuse_missing(d, out);
	text_add(out, "}");
}

/* --- doing --- */

/* A stage ends where the status, or what is asked of it, becomes another. */
static void deed_clock(struct deed *d)
{
	struct case_clock *clock = &d->row.clock;
	enum stage before = deadline_stage(clock->status, clock->verified);
	bool reopens = d->order->action == ACTION_REOPEN;

	clock->verified |= case_verifies(d->order->action);
	if (reopens && d->from == CASE_WITHDRAWN)
		clock->track = TRACK_NONE; /* it is registered anew, and planned anew */
	enum stage after = deadline_stage(d->to, clock->verified);
	if (d->order->action == ACTION_RETURN) {
		deadline_again(d->ledger->plan, clock, d->now_ms);
	} else if (after == STAGE_CHECK && before == STAGE_RECTIFY) {
		deadline_check(d->ledger->plan, clock, d->now_ms);
	} else if (after != STAGE_NONE && (after != before || reopens)) {
		clock->status = d->to;
		deadline_begin(d->ledger->plan, clock, d->now_ms);
	}
	clock->status = d->to;
}

static bool names_people(enum case_action action)
{
	return action == ACTION_ASSIGN || action == ACTION_TRANSFER || action == ACTION_PLAN;
}

static int deed_row(struct deed *d)
{
	const struct case_order *o = d->order;
	const struct case_row *row = &d->row;
	enum case_action action = o->action;
	bool people = names_people(action), reopens = action == ACTION_REOPEN;
	bool lists = action == ACTION_LEVEL, merges = action == ACTION_MERGE;
	int64_t closed_ms = reopens ? 0 : action == ACTION_CLOSE ? d->now_ms : row->closed_ms;
	const char *reason = reopens ? NULL : merges ? "merged" : o->reason;

	if (reason == NULL && !reopens && row->reason[0] != '\0')
		reason = row->reason;
	return sql_do(d->ledger->sql[SQL_CASE_ACT], "itbztzittttti", row->id,
		      case_status_name(row->clock.status), (int)row->clock.verified, closed_ms,
		      reason,
		      reopens  ? (int64_t)0
		      : merges ? o->other
			       : row->merged_into,
		      (int64_t)(row->reopened + (reopens && d->from == CASE_CLOSED)),
		      people ? o->unit : NULL, people ? o->leader : NULL, people ? o->team : NULL,
		      case_track_name(row->clock.track), lists ? o->level : NULL,
		      (int64_t)(row->restored + (reopens && d->from == CASE_WITHDRAWN)));
}

/* Which other case the step is about as well, and the word for it there; 0: none. */
static int64_t other_of(const struct deed *d, const char **action)
{
	enum case_action deed = d->order->action;

	*action = deed == ACTION_MERGE    ? "merged"
		  : deed == ACTION_REOPEN ? "parted"
					  : case_action_name(ACTION_LINK);
	if (deed == ACTION_REOPEN)
		return d->row.merged_into;
	return deed == ACTION_MERGE || deed == ACTION_LINK ? d->order->other : 0;
}

/* The other case says the same, from its side. */
static int deed_other(struct deed *d)
{
	const char *action;
	int64_t other = other_of(d, &action);
	struct case_order theirs = {.by = d->order->by,
				    .user = d->order->user,
				    .note = d->order->note,
				    .relation = case_relation_back(d->order->relation),
				    .other = d->row.id};

	if (other == 0)
		return 0;
	int r = ledger_history(d->ledger, other, d->now_ms, action, &theirs, 0);
	return r == 0 ? ledger_case_event(d->ledger, other, "ducha.case.updated", d->now_ms) : r;
}

static int shelve(struct deed *d, const char *factor, int64_t until_ms)
{
	const struct shelf_order shelf = {
		.site = d->row.site,
		.factor = factor,
		.reason = d->order->note,
		.by = d->order->by,
		.until_ms = until_ms,
	};
	return ledger_shelf_add(d->ledger, &shelf, d->row.id, d->now_ms);
}

static int shelve_joined(struct deed *d, int64_t until_ms)
{
	sqlite3_stmt *factors = d->ledger->sql[SQL_CASE_FACTORS];
	bool row;

	sql_bind(factors, "it", d->row.id, d->row.factor);
	int r = sql_step(factors, &row);
	for (; r == 0 && row; r = r == 0 ? sql_step(factors, &row) : r)
		if (strcmp(sql_text(factors, 0), d->row.factor) != 0)
			r = shelve(d, sql_text(factors, 0), until_ms);
	sql_reset(factors);
	return r;
}

/* An instrument's fault, said by a person: its alerts open no case until it is mended. */
static int deed_shelve(struct deed *d)
{
	const struct plan *plan = d->ledger->plan;
	const struct case_order *o = d->order;
	const struct term term = {TERM_WORKDAYS,
				  plan->rules == NULL ? 0 : plan->rules->fault_shelve_workdays};

	if (o->action != ACTION_WITHDRAW || term.n == 0 || d->row.factor[0] == '\0' ||
	    strcmp(o->reason, "instrument_fault") != 0)
		return 0;
	int64_t until_ms = term_end(term, d->now_ms, &plan->rules->workdays, &plan->zone);
	int r = shelve(d, d->row.factor, until_ms);
	return r == 0 ? shelve_joined(d, until_ms) : r;
}

static int deed_do(struct deed *d)
{
	const char *event =
		d->order->action == ACTION_CLOSE ? "ducha.case.closed" : "ducha.case.updated";

	deed_clock(d);
	int r = deed_row(d);
	if (r == 0)
		r = ledger_history(d->ledger, d->row.id, d->now_ms,
				   case_action_name(d->order->action), d->order, 0);
	if (r == 0) /* which looks at the history */
		r = ledger_case_clock(d->ledger, d->row.id, &d->row.clock);
	if (r == 0)
		r = d->order->action == ACTION_REOPEN
			    ? ledger_shelves_reopened(d->ledger, d->row.id, d->order->by, d->now_ms)
			    : deed_shelve(d);
	if (r == 0)
		r = ledger_case_event(d->ledger, d->row.id, event, d->now_ms);
	return r == 0 ? deed_other(d) : r;
}

static int deed_check(struct deed *d)
{
	const char *lacks = order_lacks(d->order);

	if (lacks != NULL) {
		text_format(&d->why, "%s needs %s", case_action_name(d->order->action), lacks);
		return LEDGER_INCOMPLETE;
	}
	if (order_two_days(d->order)) {
		text_add(&d->why, refusal_text(REFUSE_TWO_DAYS));
		return LEDGER_INCOMPLETE;
	}
	return deed_allowed(d, d->order->action, &d->to) ? deed_ask(d) : LEDGER_REFUSED;
}

static int act(struct ledger *ledger, int64_t id, const struct case_order *order, int64_t now_ms,
	       struct text *out)
{
	struct deed deed = {.ledger = ledger, .order = order, .now_ms = now_ms};

	int r = deed_read(&deed, id);
	if (r == 0) {
		r = deed_check(&deed);
		if (r == LEDGER_INCOMPLETE || r == LEDGER_REFUSED)
			refuse(&deed, r, out);
	}
	if (r == 0)
		r = deed_do(&deed);
	if (r == 0)
		r = ledger_case_text(ledger, id, EPISODES_ALL, out);
	compliance_deinit(&deed.data);
	text_deinit(&deed.why);
	return r;
}

int ledger_act(struct ledger *ledger, int64_t id, const struct case_order *order, int64_t now_ms,
	       struct text *out)
{
	struct case_order dated = *order;
	struct text document = {0};

	dated.document = order_document(order, &document);
	int r = ledger_begin(ledger);
	if (r == 0)
		r = act(ledger, id, &dated, now_ms, out);
	r = ledger_end(ledger, document.failed && r == 0 ? -ENOMEM : r);
	text_deinit(&document);
	return r;
}
