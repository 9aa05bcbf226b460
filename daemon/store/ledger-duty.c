/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include "core/duty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_CURSOR "duty/digest"
enum { DIGEST_MOST = 100 };

static const struct duty *duty_of(const struct ledger *ledger)
{
	const struct case_rules *rules = ledger->plan->rules;
	return rules == NULL || rules->duty.n == 0 ? NULL : &rules->duty;
}

/* --- calling --- */

static int call(struct ledger *ledger, int64_t id, enum site_kind kind, int64_t raised_ms,
		int calls, int64_t now_ms)
{
	const struct duty *duty = duty_of(ledger);
	const char *person = duty_person(duty, &ledger->plan->zone, raised_ms, calls);
	int64_t next_ms = duty_next(duty, kind, now_ms, calls + 1);

	ledger->timed = true;
	int r = sql_do(ledger->sql[SQL_CALL_SET], "iiz", id, (int64_t)calls + 1, next_ms);
	return r == 0 ? ledger_call_event(ledger, id, person, calls + 1, next_ms, now_ms) : r;
}

static int wait_for_digest(struct ledger *ledger, int64_t id, int64_t now_ms)
{
	int64_t at_ms = duty_digest(duty_of(ledger), &ledger->plan->zone, now_ms);

	ledger->timed = true;
	int r = sql_do(ledger->sql[SQL_DIGEST_SET], "i", id);
	return r == 0 ? sql_do(ledger->sql[SQL_CURSOR_ONCE], "ti", DIGEST_CURSOR, at_ms) : r;
}

static bool is_flood(const struct verdict *v)
{
	return v->kind == ALERT_FAULT && v->reason != NULL &&
	       strcmp(v->reason, own_fault_name(OWN_FLOOD)) == 0;
}

static int flood_goes_on(struct ledger *ledger, bool *flood)
{
	sqlite3_stmt *find = ledger->sql[SQL_ALERT_ACTIVE];
	const struct verdict flood_is = {.kind = ALERT_FAULT,
					 .monitor = NO_INDEX,
					 .connection = NO_INDEX,
					 .reason = own_fault_name(OWN_FLOOD)};
	char key[256];

	verdict_key(ledger->plan, &flood_is, key, sizeof key);
	sql_bind(find, "t", key);
	int r = sql_step(find, flood);
	sql_reset(find);
	return r;
}

/* As its case is judged, whether it has one or not. */
static int facts_of(struct ledger *ledger, const struct verdict *v, double peak,
		    struct severity_facts *facts)
{
	const struct monitor *m = &ledger->plan->monitors[v->monitor];
	const struct site *site = &ledger->plan->sites[m->site];

	*facts = (struct severity_facts){.kind = site->kind,
					 .factor = m->factor,
					 .has_peak = v->has_value,
					 .peak = peak,
					 .has_limit = v->has_limit,
					 .limit = v->limit_value};
	if (v->kind != ALERT_EXCEEDANCE)
		return 0;
	facts->has_multiple = v->has_limit && v->has_value &&
			      case_multiple(m, v->bound, peak, v->limit_value, &facts->multiple);
	return ledger_severity(ledger, site->id, v->average, v->time_ms, facts);
}

int ledger_duty_raise(struct ledger *ledger, const struct verdict *v, int64_t id, int64_t now_ms)
{
	struct severity_facts facts;
	bool flood;
	if (duty_of(ledger) != NULL && is_flood(v))
		return call(ledger, id, SITE_OUTFALL, now_ms, 0, now_ms);
	if (duty_of(ledger) == NULL || v->monitor == NO_INDEX)
		return 0;
	int r = facts_of(ledger, v, v->peak_value, &facts);
	if (r == 0)
		r = flood_goes_on(ledger, &flood);
	if (r != 0)
		return r;
	if (!duty_rings(v->kind, &facts, v->raised_ms, now_ms, flood))
		return wait_for_digest(ledger, id, now_ms);
	return call(ledger, id, facts.kind, now_ms, 0, now_ms);
}

int ledger_duty_worse(struct ledger *ledger, const struct verdict *v, int64_t id, double peak,
		      int64_t now_ms)
{
	struct severity_facts facts;
	if (duty_of(ledger) == NULL || v->monitor == NO_INDEX)
		return 0;
	int r = facts_of(ledger, v, peak, &facts);
	if (r != 0 || !duty_rings(v->kind, &facts, v->time_ms, now_ms, true))
		return r;
	return call(ledger, id, facts.kind, now_ms, 0, now_ms);
}

/* --- later --- */

static int call_again(struct ledger *ledger, int64_t now_ms, bool *more)
{
	sqlite3_stmt *due = ledger->sql[SQL_CALL_DUE];
	int64_t id = 0, raised_ms = 0;
	enum site_kind kind = SITE_OUTFALL;
	int calls = 0;

	sql_bind(due, "i", now_ms);
	int r = sql_step(due, more);
	if (r == 0 && *more) {
		const char *site = sql_text(due, 1);
		uint32_t index = site == NULL ? NO_INDEX : plan_site(ledger->plan, site);
		id = sqlite3_column_int64(due, 0);
		raised_ms = sqlite3_column_int64(due, 2);
		calls = sqlite3_column_int(due, 3);
		if (index != NO_INDEX)
			kind = ledger->plan->sites[index].kind;
	}
	sql_reset(due);
	if (r != 0 || !*more)
		return r;
	if (duty_of(ledger) != NULL)
		return call(ledger, id, kind, raised_ms, calls, now_ms);
	ledger->timed = true; /* the roster is gone */
	return sql_do(ledger->sql[SQL_CALL_SET], "iiz", id, (int64_t)calls, (int64_t)0);
}

/* The ids of what waits, oldest first, and how many there are in all. */
static int digest_ids(struct ledger *ledger, int64_t ids[DIGEST_MOST], size_t *n, int64_t *all)
{
	sqlite3_stmt *list = ledger->sql[SQL_DIGEST_LIST];
	bool row;

	*n = 0;
	*all = 0;
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		if (*n < DIGEST_MOST)
			ids[(*n)++] = sqlite3_column_int64(list, 0);
		++*all;
	}
	sql_reset(list);
	return r;
}

static int digest(struct ledger *ledger, int64_t now_ms)
{
	const struct duty *duty = duty_of(ledger);
	int64_t ids[DIGEST_MOST], all;
	size_t n;

	int r = digest_ids(ledger, ids, &n, &all);
	if (r == 0 && n > 0 && duty != NULL)
		r = ledger_digest_event(ledger, duty_person(duty, &ledger->plan->zone, now_ms, 0),
					ids, n, all, now_ms);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_DIGEST_DONE], "");
	if (r == 0)
		r = sql_do(ledger->sql[SQL_CURSOR_DROP], "t", DIGEST_CURSOR);
	ledger->timed = true;
	return r;
}

int ledger_duty_tick(struct ledger *ledger, int64_t now_ms, bool *more)
{
	sqlite3_stmt *get = ledger->sql[SQL_GET_CURSOR];
	bool row, waits = false;

	int r = call_again(ledger, now_ms, more);
	if (r != 0 || *more)
		return r;
	sql_bind(get, "t", DIGEST_CURSOR);
	r = sql_step(get, &row);
	if (r == 0)
		waits = row && sqlite3_column_int64(get, 0) <= now_ms;
	sql_reset(get);
	*more = waits;
	return r == 0 && waits ? digest(ledger, now_ms) : r;
}
