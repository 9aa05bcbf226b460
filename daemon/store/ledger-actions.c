/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include <string.h>

/* What an action changes of the case's row. */
struct case_state {
	enum case_status status;
	bool verified, loud; /* loud: an alert of the case is active */
	int64_t closed_ms;
	int64_t rival; /* another open case of the same identity, which forbids to reopen; 0: none
			*/
};

static int state_rival(struct ledger *ledger, sqlite3_stmt *one, struct case_state *state)
{
	sqlite3_stmt *find = ledger->sql[SQL_CASE_OPEN];
	bool row;

	sql_bind(find, "tttt", sql_text(one, 3), sql_text(one, 5), sql_text(one, 7),
		 sql_text(one, 8));
	int r = sql_step(find, &row);
	state->rival = r == 0 && row ? sqlite3_column_int64(find, 0) : 0;
	sql_reset(find);
	return r;
}

static int state_read(struct ledger *ledger, int64_t id, struct case_state *state)
{
	sqlite3_stmt *one = ledger->sql[SQL_CASE_ONE], *loud = ledger->sql[SQL_CASE_LOUD];
	bool row;

	sql_bind(one, "i", id);
	int r = sql_step(one, &row);
	if (r == 0 && !row)
		r = LEDGER_UNKNOWN;
	if (r == 0) {
		state->status = ledger_status(sql_text(one, 11));
		state->verified = sqlite3_column_int(one, 12) != 0;
		state->closed_ms = sqlite3_column_int64(one, 17);
		r = state_rival(ledger, one, state);
	}
	sql_reset(one);
	if (r != 0)
		return r;
	sql_bind(loud, "i", id);
	r = sql_step(loud, &state->loud);
	sql_reset(loud);
	return r;
}

static const char *order_lacks(const struct case_order *order)
{
	unsigned needs = case_needs(order->action);

	if ((needs & NEED_UNIT) != 0 && (order->unit == NULL || *order->unit == '\0'))
		return "unit";
	if ((needs & NEED_REASON) != 0 && (order->reason == NULL || *order->reason == '\0'))
		return "reason";
	if ((needs & NEED_DUE) != 0 && order->due_ms == 0)
		return "due";
	if ((needs & NEED_NOTE) != 0 && (order->note == NULL || *order->note == '\0'))
		return "note";
	return NULL;
}

/* Return: why not, as a sentence in @why, or NULL. */
static bool state_allows(const struct case_state *state, enum case_action action,
			 enum case_status *to, struct text *why)
{
	if (!case_step(state->status, action, to)) {
		text_format(why, "a case that is %s does not take the action %s",
			    case_status_name(state->status), case_action_name(action));
		return false;
	}
	if (action == ACTION_CLOSE && state->loud) {
		text_add(why, "the case cannot be closed while an alert of it is active");
		return false;
	}
	if (action == ACTION_REOPEN && state->rival != 0) {
		text_format(why, "case %lld of the same site, factor, kind and averaging is open",
			    (long long)state->rival);
		return false;
	}
	return true;
}

static void refuse(const struct case_state *state, const char *why, struct text *out)
{
	struct text ignored = {0};
	enum case_status to;
	bool first = true;

	text_add(out, "{\"error\":");
	text_json(out, why);
	text_add(out, ",\"allowed\":[");
	for (int i = 0; i < CASE_ACTIONS; i++) {
		if (!state_allows(state, (enum case_action)i, &to, &ignored))
			continue;
		text_add(out, first ? "" : ",");
		text_json(out, case_action_name((enum case_action)i));
		first = false;
	}
	text_add(out, "]}");
	text_deinit(&ignored);
}

static int act(struct ledger *ledger, int64_t id, const struct case_order *order,
	       struct case_state *state, enum case_status to, int64_t now_ms)
{
	bool moves = order->action == ACTION_ASSIGN || order->action == ACTION_TRANSFER;

	if (to == CASE_CLOSED && order->action == ACTION_CLOSE)
		state->closed_ms = now_ms;
	if (order->action == ACTION_REOPEN)
		state->closed_ms = 0;
	int r = sql_do(ledger->sql[SQL_CASE_ACT], "itbzzttt", id, case_status_name(to),
		       (int)(state->verified || order->action == ACTION_ACCEPT), state->closed_ms,
		       order->action == ACTION_EXTEND ? order->due_ms : (int64_t)0,
		       moves ? order->unit : NULL, moves ? order->leader : NULL,
		       moves ? order->team : NULL);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_HISTORY_ADD], "iitttttttz", id, now_ms,
			   case_action_name(order->action), order->by, order->note, order->unit,
			   order->leader, order->team, order->reason, order->due_ms);
	if (r == 0)
		r = ledger_case_event(ledger, id,
				      order->action == ACTION_CLOSE ? "ducha.case.closed"
								    : "ducha.case.updated",
				      now_ms);
	return r;
}

static int act_checked(struct ledger *ledger, int64_t id, const struct case_order *order,
		       int64_t now_ms, struct text *out)
{
	struct case_state state = {0};
	struct text why = {0};
	enum case_status to;

	int r = state_read(ledger, id, &state);
	if (r != 0)
		return r;
	const char *lacks = order_lacks(order);
	if (lacks != NULL) {
		text_format(out, "{\"error\":\"%s needs %s\"}", case_action_name(order->action),
			    lacks);
		return LEDGER_INCOMPLETE;
	}
	if (state_allows(&state, order->action, &to, &why)) {
		r = act(ledger, id, order, &state, to, now_ms);
		if (r == 0)
			r = ledger_case_text(ledger, id, EPISODES_ALL, out);
	} else {
		refuse(&state, why.at, out);
		r = LEDGER_REFUSED;
	}
	text_deinit(&why);
	return r;
}

int ledger_act(struct ledger *ledger, int64_t id, const struct case_order *order, int64_t now_ms,
	       struct text *out)
{
	int r = ledger_begin(ledger);

	if (r == 0)
		r = act_checked(ledger, id, order, now_ms, out);
	return ledger_end(ledger, r);
}
