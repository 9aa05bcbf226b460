/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A sealed store that is altered again and again: its files in memory, and which of its cells are
 * evidence. Whoever adds a table or a column says here which it is.
 */
#include "forge.h"

#include "store/evidence.h"

#include <glob.h>
#include <sqlite3.h>
#include <sys/stat.h>

/* --- a store, each file of it in memory --- */

struct file {
	char path[256];
	struct text now, before; /* whole; before: as it was earlier, length 0: it was not there */
};

static struct {
	struct file at[24];
	size_t n;
	char directory[64], anchor[CHAIN_HEX_BYTES];
	uint64_t random;
} store;

static inline size_t dice(size_t n)
{
	return (size_t)(test_random(&store.random) % n);
}

static inline bool slurp(const char *path, struct text *out)
{
	char block[65536];
	size_t n;
	FILE *f = fopen(path, "re");
	text_clear(out);
	if (f == NULL)
		return false;
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		text_add_n(out, block, n);
	fclose(f);
	return true;
}

static inline void put(const char *path, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline void remember(const char *pattern, bool before)
{
	char path[256];
	glob_t found;
	snprintf(path, sizeof path, "%s/%s", store.directory, pattern);
	assert_int_equal(glob(path, 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		size_t at = 0;
		while (at < store.n && strcmp(store.at[at].path, found.gl_pathv[i]) != 0)
			at++;
		assert_true(at < sizeof store.at / sizeof store.at[0]);
		store.n += at == store.n;
		snprintf(store.at[at].path, sizeof store.at[at].path, "%s", found.gl_pathv[i]);
		slurp(found.gl_pathv[i], before ? &store.at[at].before : &store.at[at].now);
	}
	globfree(&found);
}

static inline void remember_all(bool before)
{
	remember("daybook/*.db", before);
	remember("daybook/*.frames", before);
	remember("ledger.db", before);
	remember("seals/*", before);
	remember("attachments/*", before);
}

/* A file that is kept with the case; each life brings another. */
static inline void attach(struct life *life, int64_t at_ms)
{
	struct case_order order = {.by = "Officer A", .user = "uid 7", .file = "report.txt"};
	struct text out = {0}, bytes = {0};
	text_format(&bytes, "what was seen at %lld, and by whom", (long long)at_ms);
	assert_int_equal(
		ledger_attach(life->ledger, 1, &order, bytes.at, bytes.length, at_ms, &out), 0);
	text_deinit(&out);
	text_deinit(&bytes);
}

static inline void live(int64_t at_ms, uint32_t monitor, int64_t roll_ms)
{
	struct life life;
	life_at(at_ms);
	life_begin(&life, store.directory, roll_ms);
	life_batch(&life, 8, at_ms);
	life_frames(&life, at_ms + 8500);
	life_alert(&life, monitor, at_ms, false);
	life_gap(&life, at_ms + 9000);
	life_batch(&life, 4, at_ms + 10000);
	life_act(&life, 1, ACTION_NOTE, at_ms + 11000);
	life_frames(&life, at_ms + 11000);
	life_mark(&life, at_ms + 11500);
	attach(&life, at_ms + 11700);
	life_end(&life, true);
}

static inline void remove_below(const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", store.directory, name);
	assert_int_equal(remove(path), 0);
}

/* A day of before all cases, with frames. */
static inline void live_quietly(int64_t at_ms)
{
	struct life life;
	life_at(at_ms);
	life_begin(&life, store.directory, 0);
	life_batch(&life, 6, at_ms);
	life_frames(&life, at_ms + 7000);
	life_end(&life, true);
}

/* The frames of a day go, and then the day. */
static inline void live_tidily(int64_t at_ms)
{
	struct life life;
	life_at(at_ms);
	life_begin(&life, store.directory, 0);
	assert_int_equal(ledger_retire_frames(life.ledger, "2025-12-31.db", 111, at_ms), 0);
	assert_int_equal(ledger_retire_day(life.ledger, "2025-12-31.db", at_ms), 0);
	life_end(&life, true);
	remove_below("daybook/2025-12-31.db");
	remove_below("daybook/2025-12-31.frames");
}

enum { LEFT_CASE = 2 };

/* An alert that a later case takes over, one that somebody acknowledges, and a digest. */
static inline void live_busily(int64_t at_ms)
{
	struct life life;
	struct text out = {0};
	struct evidence_case e;
	struct verdict end = life_verdict(VERDICT_CLEARED, 1, at_ms, at_ms + 9000);
	struct shelf_order shelf = {.site = "outfall-3",
				    .factor = "w01018",
				    .reason = "works",
				    .by = "Officer A",
				    .until_ms = at_ms + 3600000};
	life_at(at_ms);
	life_begin(&life, store.directory, 0);
	life_batch(&life, 4, at_ms);
	life_alert(&life, 1, at_ms, true);
	assert_int_equal(ledger_acknowledge(life.ledger, 1, "Officer A", at_ms + 1000, &out), 0);
	life_leave(&life, LEFT_CASE, at_ms + 2000);
	assert_int_equal(ledger_apply(life.ledger, &end, 1, at_ms + 9000, NULL), 0);
	assert_int_equal(ledger_shelve(life.ledger, &shelf, at_ms + 9500), 0);
	assert_int_equal(ledger_evidence(life.ledger, 1, &e), 0);
	assert_int_equal(ledger_evidence_put(
				 life.ledger, &e,
				 "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917",
				 7),
			 0);
	evidence_deinit(&e);
	life_end(&life, true);
	text_deinit(&out);
}

/* --- which cells are evidence --- */

/* All columns are but @free. Alerts and cases are quiet in this store, so all of them show. */
struct table {
	const char *name, *key;
	bool ledger;
	const char *free[4];
	/* read from the store */
	char columns[64][24];
	size_t n_columns;
};
static struct table tables[] = {
	{.name = "readings", .key = "seq"},
	{.name = "monitors", .key = "id", .free = {"latest"}}, /* a hint for the next start */
	{.name = "gaps", .key = "rowid"},
	{.name = "blocks", .key = "first"},
	{.name = "frames", .key = "batch"},
	{.name = "chain", .key = "batch"},
	{.name = "chain_begin", .key = "rowid"},
	{.name = "chain", .key = "number", .ledger = true},
	{.name = "cases", .key = "id", .ledger = true, .free = {"timer", "reminded"}},
	{.name = "alerts", .key = "id", .ledger = true, .free = {"calls", "call_at", "digest"}},
	{.name = "history", .key = "id", .ledger = true},
	{.name = "instruments", .key = "id", .ledger = true},
	{.name = "events", .key = "id", .ledger = true},
	{.name = "marks", .key = "id", .ledger = true},
	{.name = "recomputed", .key = "id", .ledger = true},
	{.name = "shelves", .key = "id", .ledger = true},
	{.name = "case_digests", .key = "case_id", .ledger = true},
	{.name = "left_episodes", .key = "id", .ledger = true},
	{.name = "chain_days", .key = "id", .ledger = true},
	{.name = "frames_gone", .key = "id", .ledger = true},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* Tables that prove nothing, and why. */
static const struct {
	const char *name, *why;
} no_evidence[] = {
	{"rings", "how far each producer of a life was recorded: what comes twice is known by it"},
	{"named", "the judge's snapshot, and what was removed a second time, for people"},
	{"cursors", "how far each receiver has come"},
	{"sqlite_sequence", "the greatest ids; numbers has them, too"},
};

static inline bool is_ledger(const struct file *file)
{
	return strstr(file->path, "ledger.db") != NULL;
}

static inline bool is_database(const struct file *file)
{
	return is_ledger(file) || strstr(file->path, ".db") != NULL;
}

static inline bool is_free(const struct table *t, const char *column)
{
	for (size_t i = 0; i < sizeof t->free / sizeof t->free[0] && t->free[i] != NULL; i++)
		if (strcmp(t->free[i], column) == 0)
			return true;
	return false;
}

static inline struct table *table_find(const char *name, bool ledger)
{
	for (size_t i = 0; i < TABLES; i++)
		if (strcmp(tables[i].name, name) == 0 && tables[i].ledger == ledger)
			return &tables[i];
	return NULL;
}

static inline void columns_read(sqlite3 *db, struct table *t)
{
	sqlite3_stmt *list;
	t->n_columns = 0;
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info(?1)", -1, &list, NULL),
		SQLITE_OK);
	sqlite3_bind_text(list, 1, t->name, -1, SQLITE_STATIC);
	while (sqlite3_step(list) == SQLITE_ROW) {
		const char *column = (const char *)sqlite3_column_text(list, 0);
		if (!is_free(t, column))
			snprintf(t->columns[t->n_columns++], sizeof t->columns[0], "%s", column);
	}
	sqlite3_finalize(list);
	assert_true(t->n_columns > 0);
}

/* Each table of a database is evidence, or none for a reason; and each has rows in this store. */
static inline void tables_check(const char *path, bool ledger)
{
	sqlite3 *db;
	sqlite3_stmt *list;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT name FROM sqlite_master WHERE type = 'table'",
					    -1, &list, NULL),
			 SQLITE_OK);
	while (sqlite3_step(list) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(list, 0);
		struct table *t = table_find(name, ledger);
		bool known = t != NULL;
		for (size_t i = 0; i < sizeof no_evidence / sizeof no_evidence[0]; i++)
			known |= strcmp(no_evidence[i].name, name) == 0;
		if (!known)
			fail_msg("table %s: is it evidence? say so in mutated.h", name);
		if (t != NULL)
			columns_read(db, t);
	}
	sqlite3_finalize(list);
	sqlite3_close(db);
}

/* --- rows, to see which differ --- */

struct row {
	int64_t key;
	uint64_t hash;
};
struct rows {
	struct row at[1000];
	size_t n;
};

static inline void hash_add_bytes(uint64_t *hash, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < n; i++)
		*hash = (*hash ^ at[i]) * UINT64_C(1099511628211);
}

/* Of a text and of bytes the daybook's chain holds the bytes: which of the two it is called is no evidence. */
static inline void hash_add_cell(uint64_t *hash, sqlite3_stmt *row, int column)
{
	int type = sqlite3_column_type(row, column);
	if (type == SQLITE_BLOB)
		type = SQLITE_TEXT;
	double value = sqlite3_column_double(row, column);
	int64_t number = sqlite3_column_int64(row, column);
	hash_add_bytes(hash, &type, sizeof type);
	if (type == SQLITE_FLOAT)
		hash_add_bytes(hash, &value, sizeof value);
	else if (type == SQLITE_INTEGER)
		hash_add_bytes(hash, &number, sizeof number);
	else if (type != SQLITE_NULL) {
		int n = sqlite3_column_bytes(row, column);
		hash_add_bytes(hash, &n, sizeof n);
		if (n > 0)
			hash_add_bytes(hash, sqlite3_column_blob(row, column), (size_t)n);
	}
}

/* Return: false: they cannot be read */
static inline bool rows_read(sqlite3 *db, const struct table *t, struct rows *out)
{
	sqlite3_stmt *list = NULL;
	char sql[1800];
	size_t n = (size_t)snprintf(sql, sizeof sql, "SELECT %s", t->key);
	for (size_t i = 0; i < t->n_columns; i++)
		n += (size_t)snprintf(sql + n, sizeof sql - n, ", %s", t->columns[i]);
	snprintf(sql + n, sizeof sql - n, " FROM %s ORDER BY 1", t->name);
	int rc = sqlite3_prepare_v2(db, sql, -1, &list, NULL);
	for (out->n = 0; rc == SQLITE_OK && (rc = sqlite3_step(list)) == SQLITE_ROW;
	     rc = SQLITE_OK) {
		if (out->n == sizeof out->at / sizeof out->at[0])
			break;
		struct row *row = &out->at[out->n++];
		row->key = sqlite3_column_int64(list, 0);
		row->hash = UINT64_C(14695981039346656037);
		for (int i = 1; i < sqlite3_column_count(list); i++)
			hash_add_cell(&row->hash, list, i);
	}
	sqlite3_finalize(list);
	return rc == SQLITE_DONE;
}

static inline void build(const char *directory)
{
	struct verify_sum sum;
	struct said said;
	snprintf(store.directory, sizeof store.directory, "%s", directory);
	live_quietly(NOW - 2 * DAY_MS);
	live(NOW, 0, 1);
	live_tidily(NOW + 30000);
	remember_all(true);
	live(NOW + 60000, 1, 0);
	live(NOW + DAY_MS, 0, 0);
	live_busily(NOW + DAY_MS + 60000);
	remember_all(false);
	for (size_t i = 0; i < store.n; i++)
		if (is_database(&store.at[i]))
			tables_check(store.at[i].path, is_ledger(&store.at[i]));
	assert_int_equal(verify_with(directory, NULL, &said, &sum), VERIFY_CLEAN);
	chain_hex(store.anchor, sum.last_hash, sizeof sum.last_hash);
	assert_int_equal(verify_with(directory, store.anchor, &said, &sum), VERIFY_CLEAN);
}

static inline void restore(const struct file *file)
{
	char log[300];
	snprintf(log, sizeof log, "%s-wal", file->path);
	remove(log);
	snprintf(log, sizeof log, "%s-shm", file->path);
	remove(log);
	put(file->path, file->now.at, file->now.length);
}

static inline size_t how_many(void)
{
	const char *given = getenv("DUCHA_MUTATIONS");
	if (given != NULL)
		return strtoul(given, NULL, 10);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return 500; /* the plain build does them all */
#else
	return 10000;
#endif
}

static inline void forget_all(void)
{
	for (size_t i = 0; i < store.n; i++) {
		text_deinit(&store.at[i].now);
		text_deinit(&store.at[i].before);
	}
}

/* A path as the verifier says it. */
static inline const char *said_of(const struct file *file)
{
	return file->path + strlen(store.directory) + 1;
}
