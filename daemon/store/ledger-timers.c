/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"
#include "store/milestone.h"

enum { TICK_MOST = 256 }; /* things said in one go; the rest a second later */

int ledger_recount_timer(struct ledger *ledger)
{
	sqlite3_stmt *next = ledger->sql[SQL_TIMER_NEXT];
	int64_t timer = INT64_MAX;
	bool row;

	int r = sql_step(next, &row);
	if (r == 0 && row && sqlite3_column_type(next, 0) != SQLITE_NULL)
		timer = sqlite3_column_int64(next, 0);
	sql_reset(next);
	atomic_store_explicit(&ledger->timer, timer, memory_order_relaxed);
	return r;
}

int64_t ledger_timer(const struct ledger *ledger)
{
	return atomic_load_explicit(&ledger->timer, memory_order_relaxed);
}

/* The case whose timer is the first to have gone off; 0: none. */
static int due_case(struct ledger *ledger, int64_t now_ms, int64_t *id)
{
	sqlite3_stmt *due = ledger->sql[SQL_CASE_DUE];
	bool row;

	*id = 0;
	sql_bind(due, "i", now_ms);
	int r = sql_step(due, &row);
	if (r == 0 && row)
		*id = sqlite3_column_int64(due, 0);
	sql_reset(due);
	return r;
}

static int say(struct ledger *ledger, int64_t id, enum deadline_word word,
	       const struct case_order *order, int escalation, int64_t now_ms)
{
	static const char *const steps[2][2] = {{"reminded", "overdue"},
						{"step_reminded", "step_overdue"}};
	bool overdue = word == DEADLINE_OVERDUE;

	int r = ledger_history(ledger, id, now_ms, steps[order->step != NULL][overdue], order,
			       escalation);
	if (r == 0)
		r = ledger_case_event(
			ledger, id, overdue ? "ducha.case.overdue" : "ducha.case.updated", now_ms);
	return r;
}

/* A milestone that passes is overdue itself; the case's own deadline and escalation stay. */
static int milestone_tell(struct ledger *ledger, int64_t id, const struct case_clock *clock,
			  int64_t now_ms)
{
	struct case_parts parts = {0};
	struct milestone m;

	int r = ledger_case_history(ledger, id, &parts);
	int64_t at_ms =
		r != 0 ? 0
		       : milestone_next(ledger->plan, clock, parts.history, parts.n_history, &m);
	if (at_ms != 0 && at_ms <= now_ms) {
		const struct case_order order = {
			.by = BY_DAEMON, .step = m.step, .due_ms = m.due_ms};
		struct case_clock own =
			milestone_clock(ledger->plan, clock, parts.history, parts.n_history, &m);
		r = say(ledger, id, deadline_tell(ledger->plan, &own, now_ms), &order, 0, now_ms);
	}
	case_parts_deinit(&parts);
	return r;
}

static int case_tell(struct ledger *ledger, int64_t id, int64_t now_ms)
{
	static const struct case_order daemon = {.by = BY_DAEMON};
	struct case_row row;

	int r = ledger_case_row(ledger, id, &row);
	if (r != 0)
		return r;
	enum deadline_word word = deadline_tell(ledger->plan, &row.clock, now_ms);
	if (word == DEADLINE_NOTHING)
		r = milestone_tell(ledger, id, &row.clock, now_ms);
	if (r == 0)
		r = ledger_case_clock(ledger, id, &row.clock);
	if (r == 0 && word != DEADLINE_NOTHING)
		r = say(ledger, id, word, &daemon, row.clock.escalation, now_ms);
	return r;
}

/* One thing, in one transaction. @more: there was something. */
static int tick_once(struct ledger *ledger, int64_t now_ms, bool *more)
{
	int64_t id = 0;
	size_t ended = 0;

	int r = ledger_begin(ledger);
	if (r == 0)
		r = due_case(ledger, now_ms, &id);
	if (r == 0 && id != 0)
		r = case_tell(ledger, id, now_ms);
	if (r == 0 && id == 0)
		r = ledger_shelves_over(ledger, NULL, NULL, BY_DAEMON, now_ms, &ended);
	*more = id != 0;
	if (r == 0 && id == 0)
		r = ledger_duty_tick(ledger, now_ms, more);
	return ledger_end(ledger, r);
}

int ledger_tick(struct ledger *ledger, int64_t now_ms)
{
	bool more = now_ms >= ledger_timer(ledger);
	int r = 0;

	for (int i = 0; i < TICK_MOST && more && r == 0; i++)
		r = tick_once(ledger, now_ms, &more);
	return r;
}
