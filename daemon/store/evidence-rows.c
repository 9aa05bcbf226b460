/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-rows.h"

#include "seal/hash.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row of the case. */
struct row_seen {
	uint8_t kind;
	int64_t ref, entry; /* entry: its newest; 0: none */
	uint8_t is[CHAIN_HASH_BYTES], said[CHAIN_HASH_BYTES];
};

struct rows_walk {
	struct ledger *ledger;
	struct evidence_rows *out;
	struct row_seen *at; /* by kind and ref */
	size_t n;
};

/* Files of the days that readings of the case may lie in, one more on either side: a file may be
 * named by the day before, and a digest waits for what is late. */
#define DAY_MS "86400000"
#define DAY_NAME(time) "strftime('%Y-%m-%d', (" time ") / 1000, 'unixepoch')"
#define OF_ITS_TIME                                                                                \
	"name >= (SELECT " DAY_NAME("min(began) - " DAY_MS) " FROM its) AND name < "               \
							    "(SELECT " DAY_NAME(                   \
								    "max(coalesce(cleared, "       \
								    "raised)) + 3 * " DAY_MS) " F" \
											      "RO" \
											      "M " \
											      "it" \
											      "s)"

static const char rows_of_case[] =
	"WITH its AS (SELECT * FROM alerts WHERE case_id = ?1 OR id IN (SELECT alert_id FROM"
	" left_episodes WHERE case_id = ?1)) "
	"SELECT 1, id FROM cases WHERE id = ?1 UNION ALL SELECT 21, id FROM cases WHERE id = ?1"
	" UNION ALL SELECT 2, id FROM alerts WHERE case_id = ?1 OR id IN (SELECT alert_id FROM"
	" left_episodes WHERE case_id = ?1) UNION ALL SELECT 15, id FROM left_episodes"
	" WHERE case_id = ?1"
	" UNION ALL SELECT 3, id FROM history WHERE case_id = ?1 UNION ALL SELECT 8, case_id FROM"
	" case_digests WHERE case_id = ?1 UNION ALL SELECT 11, id FROM marks WHERE id IN (SELECT"
	" mark_id FROM recomputed WHERE case_id = ?1) UNION ALL SELECT 12, id FROM recomputed WHERE"
	" case_id = ?1 UNION ALL SELECT 9, id FROM chain_days WHERE " OF_ITS_TIME
	" UNION ALL SELECT 10, id FROM frames_gone WHERE " OF_ITS_TIME
	" UNION ALL SELECT 14, id FROM instruments WHERE (site, factor) IN (SELECT site, factor"
	" FROM its UNION SELECT site, factor FROM cases WHERE id = ?1) ORDER BY 1, 2";

/* --- a row as text --- */

/* One that can be told from an integer, and read back as it was. */
static void double_write(struct text *out, double value)
{
	char number[40];

	snprintf(number, sizeof number, "%.17g", value);
	text_add(out, number);
	text_add(out, strpbrk(number, ".ein") == NULL ? ".0" : "");
}

/* A hash: bytes that are no text. */
static void blob_write(struct text *out, const uint8_t *bytes, int n)
{
	text_add(out, "{\"hex\":\"");
	for (int i = 0; i < n; i++)
		text_format(out, "%02x", bytes[i]);
	text_add(out, "\"}");
}

static void cell_write(struct text *out, sqlite3_stmt *row, int column)
{
	text_add(out, column > 0 ? "," : "");
	text_json(out, sqlite3_column_name(row, column));
	text_char(out, ':');
	if (sqlite3_column_type(row, column) == SQLITE_INTEGER)
		text_format(out, "%lld", (long long)sqlite3_column_int64(row, column));
	else if (sqlite3_column_type(row, column) == SQLITE_FLOAT)
		double_write(out, sqlite3_column_double(row, column));
	else if (sqlite3_column_type(row, column) == SQLITE_BLOB)
		blob_write(out, sqlite3_column_blob(row, column),
			   sqlite3_column_bytes(row, column));
	else
		text_json(out, sql_text(row, column));
}

static void row_write(struct text *out, const struct row_seen *seen, sqlite3_stmt *row)
{
	text_format(out, "{\"kind\":%u,\"ref\":%lld,\"cells\":{", seen->kind, (long long)seen->ref);
	for (int i = 0; i < sqlite3_column_count(row); i++)
		cell_write(out, row, i);
	text_add(out, "}}\n");
}

static int row_read(struct rows_walk *w, struct row_seen *seen)
{
	struct ledger_chain *chain = &w->ledger->chain;
	sqlite3_stmt *one = chain->rows[seen->kind];
	bool row = false;

	sql_bind(one, "i", seen->ref);
	int r = sql_step(one, &row);
	if (r == 0 && row) {
		row_write(&w->out->rows, seen, one);
		r = ledger_chain_digest(chain->hash, one, seen->kind, seen->is);
	}
	sql_reset(one);
	return r;
}

static int row_add(struct rows_walk *w, uint8_t kind, int64_t ref)
{
	void *grown = reallocarray(w->at, w->n + 1, sizeof *w->at);

	if (grown == NULL)
		return -ENOMEM;
	w->at = grown;
	w->at[w->n] = (struct row_seen){.kind = kind, .ref = ref};
	return row_read(w, &w->at[w->n++]);
}

static int rows_list(struct rows_walk *w, int64_t id)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(w->ledger->db, &list, rows_of_case);
	if (r == 0) {
		sql_bind(list, "i", id);
		r = sql_step(list, &row);
	}
	while (r == 0 && row) {
		r = row_add(w, (uint8_t)sqlite3_column_int(list, 0), sqlite3_column_int64(list, 1));
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r == 0 && w->out->rows.failed ? -ENOMEM : r;
}

/* --- their entries --- */

static int seen_compare(const void *a, const void *b)
{
	const struct row_seen *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static void entry_take(struct rows_walk *w, sqlite3_stmt *row)
{
	struct row_seen key = {.kind = (uint8_t)sqlite3_column_int(row, 1),
			       .ref = sqlite3_column_int64(row, 2)};
	struct row_seen *seen = bsearch(&key, w->at, w->n, sizeof *w->at, seen_compare);

	if (seen != NULL && sql_hash(row, 3, seen->said))
		seen->entry = sqlite3_column_int64(row, 0);
}

static int entries_take(struct rows_walk *w)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(w->ledger->db, &list,
			    "SELECT number, kind, ref, digest FROM chain WHERE kind IN (1, 2, 3, 8,"
			    " 9, 10, 11, 12, 14, 15, 21) ORDER BY number");
	if (r == 0)
		r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row))
		entry_take(w, list);
	sqlite3_finalize(list);
	return r;
}

static void rows_judge(struct rows_walk *w)
{
	static const char *const what[CHAIN_KINDS] = {
		[CHAIN_CASE] = "case",
		[CHAIN_ALERT] = "alert",
		[CHAIN_HISTORY] = "step",
		[CHAIN_DIGEST] = "digest of case",
		[CHAIN_DAY] = "removed day",
		[CHAIN_FRAMES] = "removal of frames",
		[CHAIN_MARK] = "mark",
		[CHAIN_INSTRUMENT] = "instrument",
		[CHAIN_CHANGE] = "change by a mark",
		[CHAIN_LEFT] = "episode taken over",
		[CHAIN_COURSE] = "course of case",
	};
	struct evidence_rows *out = w->out;

	for (size_t i = 0; i < w->n; i++) {
		const struct row_seen *seen = &w->at[i];
		if (out->bad[0] == '\0' &&
		    (seen->entry == 0 || memcmp(seen->is, seen->said, sizeof seen->is) != 0))
			snprintf(out->bad, sizeof out->bad,
				 "ledger.db: %s %lld is not what the chain says", what[seen->kind],
				 (long long)seen->ref);
		if (seen->kind == CHAIN_DAY)
			out->days_gone++;
		if (seen->entry > out->last)
			out->last = seen->entry;
		if (seen->entry != 0 && (out->first == 0 || seen->entry < out->first))
			out->first = seen->entry;
	}
}

int ledger_evidence_rows(struct ledger *ledger, int64_t id, struct evidence_rows *out)
{
	struct rows_walk w = {.ledger = ledger, .out = out};

	*out = (struct evidence_rows){0};
	if (ledger->chain.hash == NULL)
		return -ENOTSUP;
	pthread_mutex_lock(&ledger->lock);
	int r = ledger_case_text(ledger, id, EPISODES_ALL, &out->json);
	if (r == 0)
		r = rows_list(&w, id);
	if (r == 0)
		r = entries_take(&w);
	pthread_mutex_unlock(&ledger->lock);
	if (r == 0)
		rows_judge(&w);
	free(w.at);
	return r == 0 && out->json.failed ? -ENOMEM : r;
}

void evidence_rows_deinit(struct evidence_rows *rows)
{
	text_deinit(&rows->json);
	text_deinit(&rows->rows);
}

/* --- the chain between --- */

static void entry_write(struct text *out, const struct chain_entry *e,
			const uint8_t hash[CHAIN_HASH_BYTES])
{
	char digest[CHAIN_HEX_BYTES], hex[CHAIN_HEX_BYTES];

	chain_hex(digest, e->digest, CHAIN_HASH_BYTES);
	chain_hex(hex, hash, CHAIN_HASH_BYTES);
	text_format(out, "%lld,%u,%lld,%s,%s\n", (long long)e->number, e->kind, (long long)e->ref,
		    digest, hex);
}

static int entry_follow(struct hash *hash, sqlite3_stmt *row, struct chain_head *head,
			struct text *out, char *bad, size_t size)
{
	struct chain_entry e = {.number = sqlite3_column_int64(row, 0),
				.kind = (uint8_t)sqlite3_column_int(row, 1),
				.ref = sqlite3_column_int64(row, 2)};
	uint8_t said[CHAIN_HASH_BYTES];
	int64_t before = head->number;

	if (!sql_hash(row, 3, e.digest) || !sql_hash(row, 4, said))
		return -EUCLEAN;
	int r = hash_entry(hash, head, &e);
	if (r == 0 && bad[0] == '\0' &&
	    (e.number != before + 1 || memcmp(said, head->hash, sizeof said) != 0))
		snprintf(bad, size,
			 "ledger.db: entry %lld of the chain does not follow the one "
			 "before it",
			 (long long)e.number);
	entry_write(out, &e, said);
	return r;
}

/* *head: the entry before; of the very first one there is none. */
static int entry_before(struct ledger *ledger, int64_t first, struct chain_head *head)
{
	sqlite3_stmt *one = NULL;
	bool row = false;

	*head = (struct chain_head){.number = first - 1};
	int r = sql_prepare(ledger->db, &one, "SELECT hash FROM chain WHERE number = ?1");
	if (r == 0) {
		sql_bind(one, "i", first - 1);
		r = sql_step(one, &row);
	}
	if (r == 0 && row && !sql_hash(one, 0, head->hash))
		r = -EUCLEAN;
	sqlite3_finalize(one);
	return r;
}

static int entries_write(struct ledger *ledger, struct chain_head *head, int64_t last,
			 struct text *out, char *bad, size_t size)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(ledger->db, &list,
			    "SELECT number, kind, ref, digest, hash FROM chain"
			    " WHERE number > ?1 AND number <= ?2 ORDER BY number");
	if (r == 0) {
		sql_bind(list, "ii", head->number, last);
		r = sql_step(list, &row);
	}
	while (r == 0 && row) {
		r = entry_follow(ledger->chain.hash, list, head, out, bad, size);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

int ledger_evidence_entries(struct ledger *ledger, int64_t first, struct chain_head *head,
			    struct text *out, char *bad, size_t size)
{
	char hex[CHAIN_HEX_BYTES];
	int64_t last = head->number;

	bad[0] = '\0';
	text_add(out, "number,kind,ref,digest,hash\n");
	pthread_mutex_lock(&ledger->lock);
	int r = entry_before(ledger, first, head);
	if (r == 0) {
		chain_hex(hex, head->hash, sizeof head->hash);
		text_format(out, "%lld,,,,%s\n", (long long)head->number, hex);
		r = entries_write(ledger, head, last, out, bad, size);
	}
	pthread_mutex_unlock(&ledger->lock);
	return r == 0 && out->failed ? -ENOMEM : r;
}
