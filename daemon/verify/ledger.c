/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: its chain, and that every row is what its newest entry says. The file is copied into
 * memory first, since a reader that takes its time would hold up a daemon that writes.
 */
#include "store/chainrows.h"
#include "verify/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *table, *id, *what;
} tables[CHAIN_KINDS] = {
	[CHAIN_CASE] = {"cases", "id", "case"},
	[CHAIN_ALERT] = {"alerts", "id", "alert"},
	[CHAIN_HISTORY] = {"history", "id", "step"},
	[CHAIN_EVENT] = {"events", "id", "event"},
	[CHAIN_SHELF] = {"shelves", "id", "shelf"},
	[CHAIN_DIGEST] = {"case_digests", "case_id", "digest of case"},
	[CHAIN_DAY] = {"chain_days", "id", "removed day"},
	[CHAIN_FRAMES] = {"frames_gone", "id", "removal of frames"},
	[CHAIN_MARK] = {"marks", "id", "mark"},
	[CHAIN_CHANGE] = {"recomputed", "id", "change by a mark"},
	[CHAIN_INSTRUMENT] = {"instruments", "id", "setting of an instrument"},
	[CHAIN_LEFT] = {"left_episodes", "id", "episode taken over"},
	[CHAIN_OPENED] = {"cases", "id", "registration of case"},
	[CHAIN_RAISED] = {"alerts", "id", "begin of alert"},
	[CHAIN_CLEARED] = {"(SELECT id FROM alerts WHERE cleared IS NOT NULL)", "id",
			   "end of alert"},
	[CHAIN_ACKNOWLEDGED] = {"(SELECT id FROM alerts WHERE acknowledged IS NOT NULL)", "id",
				"acknowledgement of alert"},
	[CHAIN_SETTLED] = {"(SELECT id FROM alerts WHERE settled <> 0)", "id", "settling of alert"},
	[CHAIN_COURSE] = {"cases", "id", "course of case"},
};

const char *row_name(uint8_t kind)
{
	return tables[kind].what;
}

/* --- a copy in memory --- */

static int ledger_copy(struct verify *v, sqlite3 **out)
{
	char path[4400];

	*out = NULL;
	snprintf(path, sizeof path, "%s/ledger.db", v->setup->directory);
	if (access(path, F_OK) != 0)
		return verify_bad(v, "ledger.db: there is no such file");
	return copy_open(out, path);
}

/* --- the chain --- */

/* Which kinds of rows are known never becomes less, or rows of those left out could be anything. */
static int format_take(struct verify *v, const struct chain_entry *e)
{
	if (e->ref < v->format)
		return verify_bad(v,
				  "ledger.db: entry %lld of the chain says format %lld behind "
				  "format %lld",
				  (long long)e->number, (long long)e->ref, (long long)v->format);
	if (e->ref > CHAIN_FORMAT_NOW)
		return verify_bad(v,
				  "ledger.db: entry %lld of the chain says format %lld, of a later "
				  "version: verify with that",
				  (long long)e->number, (long long)e->ref);
	while (v->format < e->ref)
		v->format_from[++v->format] = e->number;
	return 0;
}

static int pruned_take(struct verify *v, const struct chain_entry *e)
{
	if (e->ref > v->newest_event)
		return verify_bad(v,
				  "ledger.db: entry %lld of the chain removes events up to %lld, "
				  "but there were %lld",
				  (long long)e->number, (long long)e->ref,
				  (long long)v->newest_event);
	v->pruned = e->ref > v->pruned ? e->ref : v->pruned;
	return 0;
}

/* A second entry of a row that is never rewritten says that it was. */
static int newest_put(struct verify *v, sqlite3_stmt *put, const struct chain_entry *e,
		      bool *changed)
{
	bool once = chain_is_once(e->kind);

	if (e->kind == CHAIN_EVENT && e->ref > v->newest_event)
		v->newest_event = e->ref;
	int r = sql_do(put, "iihii", (int64_t)e->kind, e->ref, e->digest, (int64_t)!once,
		       e->number);
	*changed = r == 0 && sqlite3_changes(sqlite3_db_handle(put)) > 0;
	if (r == 0 && once && !*changed)
		return verify_bad(v,
				  "ledger.db: entry %lld of the chain: %s %lld has one already, "
				  "and is never rewritten",
				  (long long)e->number, tables[e->kind].what, (long long)e->ref);
	return r;
}

/* A row as a daemon found it, which was not what its newest entry said: it is bad, and said when
 * all that the ledger holds now was looked at. */
static int outside_take(struct verify *v, sqlite3_stmt *put, const struct chain_entry *e)
{
	struct chain_entry row = *e;
	bool changed;

	row.kind = (uint8_t)(e->ref & 255);
	row.ref = e->ref / 256;
	if (row.kind >= CHAIN_KINDS || tables[row.kind].table == NULL || chain_is_once(row.kind))
		return verify_bad(v, "ledger.db: entry %lld of the chain is none",
				  (long long)e->number);
	if (v->outside.entry == 0)
		v->outside = (struct outside){e->number, row.kind, row.ref};
	return newest_put(v, put, &row, &changed);
}

static int outside_end(struct verify *v)
{
	const struct outside *o = &v->outside;

	if (o->entry == 0)
		return 0;
	size_t later = seals_before(v, o->entry);
	const char *when =
		later < v->n_seals ? time_of(v->seals[later].time_ms) : "the last seal, or later";
	return verify_bad(v,
			  "ledger.db: %s %lld was changed by somebody else, as a daemon found it: "
			  "entry %lld of the chain, of about %s, says so",
			  tables[o->kind].what, (long long)o->ref, (long long)o->entry, when);
}

static int entry_take(struct verify *v, sqlite3_stmt *put, const struct chain_entry *e,
		      bool *changed)
{
	switch (e->kind) {
	case CHAIN_DAYBOOK:
		return marks_add(&v->daybook, e->ref, e->digest, -e->number);
	case CHAIN_PRUNED:
		return pruned_take(v, e);
	case CHAIN_FORMAT:
		return format_take(v, e);
	case CHAIN_OUTSIDE:
		return outside_take(v, put, e);
	default:
		return newest_put(v, put, e, changed);
	}
}

static int entry_check(struct verify *v, sqlite3_stmt *row, struct chain_head *head,
		       sqlite3_stmt *put)
{
	struct chain_entry e = {.number = sqlite3_column_int64(row, 0),
				.kind = (uint8_t)sqlite3_column_int(row, 1),
				.ref = sqlite3_column_int64(row, 2)};
	uint8_t hash[CHAIN_HASH_BYTES];
	bool changed = false;

	if (e.number != head->number + 1)
		return verify_bad(v, "ledger.db: entry %lld of the chain is missing",
				  (long long)head->number + 1);
	if (!cells_are(row, "iiibb") || e.kind == 0 || e.kind >= CHAIN_KINDS ||
	    e.kind != sqlite3_column_int64(row, 1) || !sql_hash(row, 3, e.digest) ||
	    !sql_hash(row, 4, hash))
		return verify_bad(v, "ledger.db: entry %lld of the chain is none",
				  (long long)e.number);
	int r = hash_entry(v->hash, head, &e);
	if (r == 0 && memcmp(hash, head->hash, sizeof hash) != 0)
		return verify_bad(v, "ledger.db: entry %lld of the chain: its hash is not right",
				  (long long)e.number);
	verify_anchor(v, head->hash);
	if (r == 0)
		r = marks_check(v, &v->ledger, "ledger.db: entry", head);
	v->sum->entries++;
	if (r == 0)
		r = entry_take(v, put, &e, &changed);
	return r == 0 ? group_take(v, &e, changed) : r;
}

static int chain_walk(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *list = NULL, *put = NULL;
	struct chain_head head = {0};
	bool row = false;

	int r = sql_exec(db,
			 "CREATE TEMP TABLE newest(kind INTEGER, ref INTEGER, digest BLOB,"
			 " number INTEGER, last INTEGER, PRIMARY KEY(kind, ref)) WITHOUT ROWID");
	if (r == 0)
		r = sql_prepare(
			db, &list,
			"SELECT number, kind, ref, digest, hash FROM chain ORDER BY number");
	if (r == 0)
		r = sql_prepare(
			db, &put,
			"INSERT INTO newest VALUES(?1, ?2, ?3, ?5, ?5) ON CONFLICT DO UPDATE"
			" SET digest = excluded.digest, last = excluded.last WHERE ?4 AND digest "
			"<> excluded.digest");
	marks_sort(&v->ledger);
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		r = entry_check(v, list, &head, put);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	sqlite3_finalize(put);
	if (r == 0) /* what was cut off may have told of what is left */
		r = marks_end(v, &v->ledger, "ledger.db: entry", head.number);
	return r == 0 ? group_end(v) : r;
}

/* --- the rows --- */

static int row_check(struct verify *v, sqlite3_stmt *one, sqlite3_stmt *find, uint8_t kind,
		     int64_t id)
{
	uint8_t digest[CHAIN_HASH_BYTES], is[CHAIN_HASH_BYTES];
	bool row = false, known = false;

	sql_bind(one, "i", id);
	sql_bind(find, "ii", (int64_t)kind, id);
	int r = sql_step(one, &row);
	if (r == 0)
		r = ledger_chain_digest(v->hash, one, kind, is);
	if (r == 0)
		r = sql_step(find, &known);
	known = known && sql_hash(find, 0, digest);
	sql_reset(one);
	sql_reset(find);
	if (r == 0 && !known)
		return verify_bad(v, "ledger.db: %s %lld is in no entry of the chain",
				  tables[kind].what, (long long)id);
	if (r == 0 && memcmp(is, digest, sizeof is) != 0)
		return verify_bad(v, "ledger.db: %s %lld is not what the chain says",
				  tables[kind].what, (long long)id);
	return r;
}

static int rows_walk(struct verify *v, sqlite3 *db, uint8_t kind, sqlite3_stmt *find)
{
	sqlite3_stmt *list = NULL, *one = NULL;
	int64_t id, last = INT64_MIN;
	char sql[128];
	bool row = false;

	snprintf(sql, sizeof sql, "SELECT %s FROM %s ORDER BY 1", tables[kind].id,
		 tables[kind].table);
	int r = sql_prepare(db, &list, sql);
	if (r == 0)
		r = sql_prepare(db, &one, ledger_chain_row[kind]);
	if (r == 0)
		r = sql_step(list, &row);
	for (; r == 0 && row; last = id) {
		id = sqlite3_column_int64(list, 0);
		r = id > last ? row_check(v, one, find, kind, id)
			      : verify_bad(v, "ledger.db: %s %lld is there twice",
					   tables[kind].what, (long long)id);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	sqlite3_finalize(one);
	return r;
}

/* Entries of rows that are gone. Events are an outbox: the oldest are pruned, which an entry says.
 */
static int gone_check(struct verify *v, sqlite3 *db, uint8_t kind)
{
	char sql[256];
	int64_t ref;

	snprintf(sql, sizeof sql,
		 "SELECT ref FROM newest WHERE kind = %u AND ref > %lld AND ref NOT IN"
		 " (SELECT %s FROM %s) ORDER BY ref LIMIT 1",
		 kind, (long long)(kind == CHAIN_EVENT ? v->pruned : INT64_MIN), tables[kind].id,
		 tables[kind].table);
	int r = sql_number(db, sql, 0, &ref);
	if (r == 0 && ref != 0)
		return verify_bad(v, "ledger.db: %s %lld is missing", tables[kind].what,
				  (long long)ref);
	return r;
}

static int rows_check(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *find = NULL;

	if (v->format <
	    chain_format_of(CHAIN_FRAMES)) /* of an earlier version; this is a copy in memory */
		(void)sql_exec(db, "ALTER TABLE history ADD COLUMN user TEXT");
	int r = sql_prepare(db, &find, "SELECT digest FROM newest WHERE kind = ?1 AND ref = ?2");
	for (uint8_t kind = 0; r == 0 && kind < CHAIN_KINDS; kind++) {
		if (tables[kind].table == NULL ||
		    (v->format < chain_format_of(kind) && chain_format_of(kind) > 1))
			continue;
		r = rows_walk(v, db, kind, find);
		if (r == 0)
			r = gone_check(v, db, kind);
	}
	sqlite3_finalize(find);
	return r;
}

static bool day_take(struct removed_day *day, sqlite3_stmt *row)
{
	snprintf(day->name, sizeof day->name, "%s",
		 sql_text(row, 0) != NULL ? sql_text(row, 0) : "");
	day->first = sqlite3_column_int64(row, 1);
	day->last.number = sqlite3_column_int64(row, 2);
	day->sequence = sqlite3_column_int64(row, 4);
	day->entry = sqlite3_column_int64(row, 5);
	return sql_hash(row, 3, day->last.hash);
}

/* The days that were removed; between them lie those that open cases need. */
static int days_read(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *list = NULL;
	int64_t n = 0;
	bool row = false;

	int r = sql_number(db, "SELECT count(*) FROM chain_days", 0, &n);
	if (r == 0)
		v->days = calloc((size_t)n + 1, sizeof *v->days);
	if (r == 0 && v->days == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = sql_prepare(db, &list,
				"SELECT name, first_batch, last_batch, hash, first, (SELECT number"
				" FROM newest WHERE kind = 9 AND ref = id) FROM chain_days"
				" ORDER BY first_batch");
	if (r == 0)
		r = sql_step(list, &row);
	for (; r == 0 && row && v->n_days < (size_t)n; r = sql_step(list, &row))
		if (!day_take(&v->days[v->n_days++], list)) {
			sqlite3_finalize(list);
			return -EUCLEAN;
		}
	sqlite3_finalize(list);
	if (r == 0 && v->n_days < (size_t)n)
		r = -EUCLEAN;
	if (r == 0 && n > 0)
		verify_note(v,
			    "%lld days up to daybook/%s were removed; their last hashes are kept",
			    (long long)n, v->days[n - 1].name);
	return r;
}

/* In a ledger of an earlier version there is no such table, and nothing was removed. */
static int frames_read(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *list = NULL;
	int64_t n = 0;
	bool row = false;

	free(v->frames_gone);
	v->frames_gone = NULL;
	v->n_frames_gone = 0;
	int r = sql_number(db, "SELECT count(*) FROM frames_gone", 0, &n);
	if (r == 0)
		v->frames_gone = calloc((size_t)n + 1, sizeof *v->frames_gone);
	if (r != 0 || v->frames_gone == NULL)
		return r != 0 ? r : -ENOMEM;
	r = sql_prepare(db, &list,
			"SELECT f.name, max(c.number) FROM frames_gone f LEFT JOIN chain c"
			" ON c.kind = 10 AND c.ref = f.id GROUP BY f.id");
	if (r == 0)
		r = sql_step(list, &row);
	for (; r == 0 && row && v->n_frames_gone < (size_t)n; r = sql_step(list, &row)) {
		struct removed_frames *gone = &v->frames_gone[v->n_frames_gone++];
		gone->entry = sqlite3_column_int64(list, 1);
		snprintf(gone->name, sizeof gone->name, "%s",
			 sql_text(list, 0) != NULL ? sql_text(list, 0) : "");
	}
	sqlite3_finalize(list);
	return r;
}

int64_t frames_gone_entry(const struct verify *v, const char *name)
{
	for (size_t i = 0; i < v->n_frames_gone; i++)
		if (strcmp(v->frames_gone[i].name, name) == 0)
			return v->frames_gone[i].entry;
	return 0;
}

/* Frames go with their day, and before it. */
static bool frames_known(const struct verify *v, const char *name)
{
	for (size_t i = 0; i < v->n_days; i++)
		if (strcmp(v->days[i].name, name) == 0)
			return true;
	return frames_gone_entry(v, name) != 0;
}

bool frames_are_gone(struct verify *v, const char *name)
{
	sqlite3 *db = NULL;

	if (frames_known(v, name))
		return true;
	int r = ledger_copy(v, &db);
	if (r == 0)
		r = frames_read(v, db);
	sql_close(db);
	return r == 0 && frames_known(v, name);
}

int verify_ledger(struct verify *v)
{
	sqlite3 *db = NULL;

	int r = ledger_copy(v, &db);
	if (r == 0)
		r = structure_ledger(v, db);
	if (r == 0)
		r = structure_check(v, "", "ledger.db", db, "PRAGMA integrity_check(1)");
	if (r == 0)
		r = chain_walk(v, db);
	if (r == 0)
		r = rows_check(v, db);
	if (r == 0)
		r = active_check(v, db);
	if (r == 0)
		r = times_check(v, db);
	if (r == 0)
		r = attachments_check(v, db);
	if (r == 0)
		r = days_read(v, db);
	if (r == 0 && v->format >= chain_format_of(CHAIN_FRAMES))
		r = frames_read(v, db);
	if (r == 0)
		r = needs_read(v, db);
	if (r == 0 && v->n_frames_gone > 0)
		verify_note(v, "the frames of %zu days were removed before their readings",
			    v->n_frames_gone);
	if (r == 0)
		r = outside_end(v);
	r = verify_unreadable(v, "", "ledger.db", db, r);
	sql_close(db);
	return r;
}
