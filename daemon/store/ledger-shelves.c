/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ledger_shelved(struct ledger *ledger, const char *site, const char *factor, bool *shelved)
{
	sqlite3_stmt *find = ledger->sql[SQL_SHELF_FIND];

	sql_bind(find, "tt", site, factor);
	int r = sql_step(find, shelved);
	sql_reset(find);
	return r;
}

int ledger_shelf_add(struct ledger *ledger, const struct shelf_order *order, int64_t case_id,
		     int64_t now_ms)
{
	ledger->timed = true;
	return sql_do(ledger->sql[SQL_SHELF_ADD], "ttiittz", order->site, order->factor, now_ms,
		      order->until_ms, order->reason != NULL ? order->reason : "", order->by,
		      case_id);
}

/* One that ends: its monitor, in copies. @id 0: there is none. */
struct shelf_end {
	int64_t id, case_id;
	char *site, *factor;
};

/* The first row of a statement that is bound. */
static int shelf_next(sqlite3_stmt *over, struct shelf_end *out)
{
	bool row;

	*out = (struct shelf_end){0};
	int r = sql_step(over, &row);
	if (r == 0 && row) {
		out->id = sqlite3_column_int64(over, 0);
		out->site = strdup(sql_text(over, 1));
		out->factor = sql_text(over, 2) != NULL ? strdup(sql_text(over, 2)) : NULL;
		out->case_id = sqlite3_column_int64(over, 3);
		if (out->site == NULL || (sql_text(over, 2) != NULL && out->factor == NULL))
			r = -ENOMEM;
	}
	sql_reset(over);
	return r;
}

static int shelf_over(struct ledger *ledger, const char *site, const char *factor, int64_t now_ms,
		      struct shelf_end *out)
{
	sqlite3_stmt *over = ledger->sql[SQL_SHELF_OVER];

	/* a shelf of a site alone has no factor; without a site only the time counts */
	sql_bind(over, "itt", site == NULL ? now_ms : INT64_MIN, site, factor);
	return shelf_next(over, out);
}

/* What is still active opens its case; @shelf is used up. */
static int shelf_end(struct ledger *ledger, struct shelf_end *shelf, const char *by, int64_t now_ms)
{
	int r = sql_do(ledger->sql[SQL_SHELF_END], "iit", shelf->id, now_ms, by);

	if (r == 0)
		r = ledger_alerts_adopt(ledger, shelf->site, shelf->factor, shelf->case_id, now_ms);
	ledger->timed = true;
	return r;
}

static void shelf_deinit(struct shelf_end *shelf)
{
	free(shelf->site);
	free(shelf->factor);
}

int ledger_shelves_over(struct ledger *ledger, const char *site, const char *factor, const char *by,
			int64_t now_ms, size_t *ended)
{
	struct shelf_end shelf;
	int r;

	*ended = 0;
	do {
		r = shelf_over(ledger, site, factor, now_ms, &shelf);
		if (r == 0 && shelf.id != 0) {
			r = shelf_end(ledger, &shelf, by, now_ms);
			++*ended;
		}
		shelf_deinit(&shelf);
	} while (r == 0 && shelf.id != 0);
	return r;
}

int ledger_shelves_reopened(struct ledger *ledger, int64_t case_id, const char *by, int64_t now_ms)
{
	struct shelf_end shelf;
	int r;

	do {
		sql_bind(ledger->sql[SQL_SHELF_CASE], "i", case_id);
		r = shelf_next(ledger->sql[SQL_SHELF_CASE], &shelf);
		shelf.case_id = 0; /* whose alerts stay with it */
		if (r == 0 && shelf.id != 0)
			r = shelf_end(ledger, &shelf, by, now_ms);
		shelf_deinit(&shelf);
	} while (r == 0 && shelf.id != 0);
	return r;
}

int ledger_shelves_calm(struct ledger *ledger, const char *site, const char *factor, int64_t now_ms)
{
	int r = sql_do(ledger->sql[SQL_SHELF_CALM], "ttit", site, factor, now_ms, BY_DAEMON);

	ledger->timed |= r == 0 && sqlite3_changes(ledger->db) > 0;
	return r;
}

int ledger_shelve(struct ledger *ledger, const struct shelf_order *order, int64_t now_ms)
{
	int r = ledger_begin(ledger);

	if (r == 0)
		r = ledger_shelf_add(ledger, order, 0, now_ms);
	return ledger_end(ledger, r);
}

int ledger_unshelve(struct ledger *ledger, const char *site, const char *factor, const char *by,
		    int64_t now_ms)
{
	size_t ended = 0;
	int r = ledger_begin(ledger);

	if (r == 0)
		r = ledger_shelves_over(ledger, site, factor, by, now_ms, &ended);
	if (r == 0 && ended == 0)
		r = LEDGER_UNKNOWN;
	return ledger_end(ledger, r);
}

int ledger_shelves_json(struct ledger *ledger, bool all, struct text *out)
{
	size_t n = 0;
	bool row;

	text_add(out, "{\"shelves\":[");
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_SHELF_LIST];
	sql_bind(list, "b", (int)all);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		text_add(out, n++ > 0 ? "," : "");
		json_shelf(out, ledger->plan,
			   &(struct shelf_view){.id = sqlite3_column_int64(list, 0),
						.site = sql_text(list, 1),
						.factor = sql_text(list, 2),
						.began_ms = sqlite3_column_int64(list, 3),
						.until_ms = sqlite3_column_int64(list, 4),
						.reason = sql_text(list, 5),
						.by = sql_text(list, 6),
						.case_id = sqlite3_column_int64(list, 7),
						.ended_ms = sqlite3_column_int64(list, 8),
						.ended_by = sql_text(list, 9)});
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	text_add(out, "]}");
	return r == 0 && out->failed ? -ENOMEM : r;
}

int ledger_shelf_json(struct ledger *ledger, const char *site, const char *factor, bool persons,
		      struct text *out)
{
	bool row;

	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *last = ledger->sql[SQL_SHELF_LAST];
	sql_bind(last, "tt", site, factor);
	int r = sql_step(last, &row);
	if (r != 0 || !row) {
		text_add(out, "null");
	} else {
		text_add(out, "{\"until\":\"");
		text_time(out, sqlite3_column_int64(last, 0), &ledger->plan->zone, 3);
		text_add(out, "\"");
		for (int i = 1; persons && i <= 2; i++) {
			text_add(out, i == 1 ? ",\"reason\":" : ",\"by\":");
			text_json(out, sql_text(last, i));
		}
		text_char(out, '}');
	}
	sql_reset(last);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

int ledger_acknowledge(struct ledger *ledger, int64_t id, const char *by, int64_t now_ms,
		       struct text *out)
{
	bool row = false;

	int r = ledger_begin(ledger);
	sqlite3_stmt *set = ledger->sql[SQL_ALERT_ACKNOWLEDGE];
	ledger->timed = true; /* nobody else is called */
	if (r == 0) {
		sql_bind(set, "iit", id, now_ms, by);
		r = sql_step(set, &row);
		sql_reset(set);
	}
	if (r == 0 && !row)
		r = LEDGER_UNKNOWN;
	if (r == 0)
		r = ledger_alert_text(ledger, id, out);
	return ledger_end(ledger, r);
}
