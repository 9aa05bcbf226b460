/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a row of the ledger was written is known from outside of it: its entry lies between two
 * seals. What it says of itself must agree, and while no daemon ran nothing was written.
 */
#include "verify/internal.h"

#include <stdio.h>

/* Between reading the clock and the commit a disk may be waited for, while seals go on. */
enum { COMMIT_MS = 600000, EVENTS_MS = 24 * 3600 * 1000 };

/* Rows that say when they were written, and are never rewritten. */
static const struct {
	uint8_t kind;
	const char *table, *at;
} written[] = {
	{CHAIN_HISTORY, "history", "at"},
	{CHAIN_EVENT, "events", "at"},
	{CHAIN_MARK, "marks", "at"},
	{CHAIN_INSTRUMENT, "instruments", "at"},
	{CHAIN_LEFT, "left_episodes", "at"},
	{CHAIN_OPENED, "cases", "opened"},
	{CHAIN_DAY, "chain_days", "removed"},
	{CHAIN_FRAMES, "frames_gone", "removed"},
	{CHAIN_ACKNOWLEDGED, "alerts", "acknowledged"},
};

size_t seals_before(const struct verify *v, int64_t number)
{
	size_t low = 0, high = v->n_seals;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (v->seals[middle].ledger.number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* --- what rows say --- */

/* A clock that was set in between is in one of the two seals, as it was or as it is. */
static int row_check(struct verify *v, uint8_t kind, int64_t number, int64_t id, int64_t at_ms)
{
	size_t later = seals_before(v, number);

	if (later == 0)
		return 0;
	int64_t from_ms = v->seals[later - 1].time_ms, to_ms = from_ms;
	bool sealed = later < v->n_seals;
	if (sealed && v->seals[later].time_ms < from_ms)
		from_ms = v->seals[later].time_ms;
	if (sealed && v->seals[later].time_ms > to_ms)
		to_ms = v->seals[later].time_ms;
	if (at_ms >= from_ms - COMMIT_MS && (!sealed || at_ms <= to_ms + COMMIT_MS))
		return 0;
	char said[32];
	snprintf(said, sizeof said, "%s", time_of(at_ms));
	if (!sealed) {
		verify_note(v, "ledger.db: %s %lld lies behind the last seal, of %s, and says %s",
			    row_name(kind), (long long)id, time_of(from_ms), said);
		return 0;
	}
	return verify_bad(
		v, "ledger.db: %s %lld says %s, but was written about %s, as seal %lld shows",
		row_name(kind), (long long)id, said, time_of(to_ms),
		(long long)v->seals[later].number);
}

/* Rows that were there before the chain knew their kind have entries of a later time. */
static int rows_check(struct verify *v, sqlite3 *db, size_t i)
{
	int format = chain_format_of(written[i].kind);
	sqlite3_stmt *list = NULL;
	char sql[200];
	bool row = false;

	snprintf(sql, sizeof sql,
		 "SELECT n.number, t.id, t.%s FROM newest n JOIN %s t ON t.id = n.ref"
		 " WHERE n.kind = %u AND n.number > ?1 ORDER BY n.number",
		 written[i].at, written[i].table, written[i].kind);
	int r = sql_prepare(db, &list, sql);
	if (r == 0) {
		sql_bind(list, "i",
			 v->format_from[format > CHAIN_FORMAT_STRICT ? format
								     : CHAIN_FORMAT_STRICT]);
		r = sql_step(list, &row);
	}
	while (r == 0 && row) {
		r = row_check(v, written[i].kind, sqlite3_column_int64(list, 0),
			      sqlite3_column_int64(list, 1), sqlite3_column_int64(list, 2));
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

/* --- while no daemon ran --- */

static bool was_strict(const struct verify *v, const struct seal_known *seal)
{
	int64_t from = v->format_from[CHAIN_FORMAT_STRICT];

	return from != 0 && from <= seal->ledger.number;
}

/* It holds for versions whose chain says so, and a new one may first chain what is there. */
static bool upgraded(const struct verify *v, const struct seal_known *stop, int64_t until)
{
	bool yes = !was_strict(v, stop);

	for (int format = CHAIN_FORMAT_STRICT; format <= CHAIN_FORMAT_NOW; format++)
		yes |= v->format_from[format] > stop->ledger.number &&
		       v->format_from[format] <= until;
	return yes;
}

static int stop_check(struct verify *v, const struct seal_known *stop,
		      const struct seal_known *start)
{
	bool entry = start->ledger.number != stop->ledger.number;

	if ((!entry && start->daybook.number == stop->daybook.number) ||
	    upgraded(v, stop, start->ledger.number))
		return 0;
	if (start->reason != SEAL_START) { /* as a full disk leaves it */
		verify_note(v, "the start after seal %lld was not sealed at once",
			    (long long)stop->number);
		return 0;
	}
	return verify_bad(v,
			  "%s: %s %lld is behind seal %lld, that of a clean stop, and before seal "
			  "%lld, that of the start after it: no daemon wrote it",
			  stop->file, entry ? "entry of the ledger" : "batch",
			  (long long)(entry ? stop->ledger.number : stop->daybook.number) + 1,
			  (long long)stop->number, (long long)start->number);
}

/* A daemon may have begun since the seals were read; what it wrote is behind its own seal. */
int stopped(struct verify *v, bool *yes)
{
	const struct seal_known *last = v->n_seals > 0 ? &v->seals[v->n_seals - 1] : NULL;
	bool resumed = false;
	int r = 0;

	*yes = last != NULL && last->reason == SEAL_STOP && was_strict(v, last);
	if (*yes)
		r = seals_resumed(v, &resumed);
	*yes &= !resumed;
	return r;
}

static int tail_check(struct verify *v)
{
	const struct seal_known *stop = v->n_seals > 0 ? &v->seals[v->n_seals - 1] : NULL;
	bool yes = false;

	if (stop == NULL || v->sum->entries <= stop->ledger.number ||
	    upgraded(v, stop, v->sum->entries))
		return 0;
	int r = stopped(v, &yes);
	if (r != 0 || !yes)
		return r;
	return verify_bad(v,
			  "ledger.db: entry %lld of the chain is behind seal %lld, that of a clean "
			  "stop: no daemon wrote it",
			  (long long)stop->ledger.number + 1, (long long)stop->number);
}

static int stops_check(struct verify *v)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < v->n_seals; i++)
		if (v->seals[i - 1].reason == SEAL_STOP)
			r = stop_check(v, &v->seals[i - 1], &v->seals[i]);
	return r == 0 ? tail_check(v) : r;
}

/* --- events that were removed --- */

/* A daemon leaves them for a day. */
static void young_name(struct verify *v, int64_t number, int64_t event, int64_t entry)
{
	size_t removed = seals_before(v, number), made = seals_before(v, entry);

	if (made == 0 || removed == v->n_seals)
		return;
	int64_t age_ms = v->seals[removed].time_ms - v->seals[made - 1].time_ms;
	if (age_ms < EVENTS_MS - COMMIT_MS)
		verify_note(v,
			    "ledger.db: event %lld was removed %lld minutes after it came at most, "
			    "and not after a day: the clock was set, or no daemon removed it",
			    (long long)event, (long long)age_ms / 60000);
}

static int pruned_check(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(
		db, &list,
		"SELECT c.number, n.ref, n.number FROM chain c JOIN newest n ON n.kind = 4"
		" AND n.ref = (SELECT max(ref) FROM newest WHERE kind = 4 AND ref <= c.ref)"
		" WHERE c.kind = 7 AND c.number > ?1 ORDER BY c.number");
	if (r == 0) {
		sql_bind(list, "i", v->format_from[CHAIN_FORMAT_STRICT]);
		r = sql_step(list, &row);
	}
	for (; r == 0 && row; r = sql_step(list, &row))
		young_name(v, sqlite3_column_int64(list, 0), sqlite3_column_int64(list, 1),
			   sqlite3_column_int64(list, 2));
	sqlite3_finalize(list);
	return r;
}

int times_check(struct verify *v, sqlite3 *db)
{
	int r = stops_check(v);

	if (v->format < CHAIN_FORMAT_STRICT)
		return r;
	for (size_t i = 0; r == 0 && i < sizeof written / sizeof written[0]; i++)
		r = rows_check(v, db, i);
	return r == 0 ? pruned_check(v, db) : r;
}
