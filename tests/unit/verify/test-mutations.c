/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random mutations of a sealed store: bytes of the seals, keys, frames and attachments, cells and
 * rows of the tables, files put back to what they were a while ago. Each must be found, with its
 * place.
 * DUCHA_MUTATIONS says how many (10,000; the long tier does 100,000 beside).
 */
#include "forge.h"

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

static size_t dice(size_t n)
{
	return (size_t)(test_random(&store.random) % n);
}

static bool slurp(const char *path, struct text *out)
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

static void put(const char *path, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void remember(const char *pattern, bool before)
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

static void remember_all(bool before)
{
	remember("daybook/*.db", before);
	remember("daybook/*.frames", before);
	remember("ledger.db", before);
	remember("seals/*", before);
	remember("attachments/*", before);
}

/* A file that is kept with the case; each life brings another. */
static void attach(struct life *life, int64_t at_ms)
{
	struct case_order order = {.by = "Officer A", .user = "uid 7", .file = "report.txt"};
	struct text out = {0}, bytes = {0};
	text_format(&bytes, "what was seen at %lld, and by whom", (long long)at_ms);
	assert_int_equal(
		ledger_attach(life->ledger, 1, &order, bytes.at, bytes.length, at_ms, &out), 0);
	text_deinit(&out);
	text_deinit(&bytes);
}

static void live(int64_t at_ms, uint32_t monitor, int64_t roll_ms)
{
	struct life life;
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

static void build(const char *directory)
{
	struct verify_sum sum;
	struct said said;
	snprintf(store.directory, sizeof store.directory, "%s", directory);
	live(NOW, 0, 1);
	remember_all(true);
	live(NOW + 60000, 1, 0);
	live(NOW + DAY_MS, 0, 0);
	remember_all(false);
	assert_int_equal(verify_with(directory, NULL, &said, &sum), VERIFY_CLEAN);
	chain_hex(store.anchor, sum.last_hash, sizeof sum.last_hash);
	assert_int_equal(verify_with(directory, store.anchor, &said, &sum), VERIFY_CLEAN);
}

/* Bytes without lines. */
static bool is_plain(const struct file *file)
{
	return strstr(file->path, ".frames") != NULL || strstr(file->path, "/attachments/") != NULL;
}

static bool is_text(const struct file *file)
{
	return strstr(file->path, "/seals/") != NULL || is_plain(file);
}

/* --- mutations of text; each says what it did, or does nothing and returns false --- */

struct bytes {
	char at[65536];
	size_t n;
};

static bool text_flip(struct bytes *b, char *what)
{
	size_t at = dice(b->n), bit = dice(8);
	b->at[at] ^= (char)(1u << bit);
	sprintf(what, "bit %zu of byte %zu", bit, at);
	return true;
}

static bool text_cut(struct bytes *b, char *what)
{
	b->n = dice(b->n);
	sprintf(what, "cut to %zu bytes", b->n);
	return true;
}

static bool text_delete(struct bytes *b, char *what)
{
	size_t at = dice(b->n), n = 1 + dice(b->n - at < 200 ? b->n - at : 200);
	memmove(b->at + at, b->at + at + n, b->n - at - n);
	b->n -= n;
	sprintf(what, "%zu bytes deleted at %zu", n, at);
	return true;
}

static bool text_insert(struct bytes *b, char *what)
{
	size_t at = dice(b->n + 1), n = 1 + dice(40);
	memmove(b->at + at + n, b->at + at, b->n - at);
	for (size_t i = 0; i < n; i++)
		b->at[at + i] = (char)(1 + dice(255));
	b->n += n;
	sprintf(what, "%zu bytes inserted at %zu", n, at);
	return true;
}

/* The line that begins at or behind @at; 0 length: there is none. */
static size_t line_at(const struct bytes *b, size_t number, size_t *length)
{
	size_t from = 0;
	for (; number > 0; number--)
		from = (size_t)((char *)memchr(b->at + from, '\n', b->n - from) - b->at) + 1;
	*length = (size_t)((char *)memchr(b->at + from, '\n', b->n - from) - b->at) + 1 - from;
	return from;
}

static size_t lines_of(const struct bytes *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->at[i] == '\n';
	return n;
}

static bool text_line(struct bytes *b, char *what)
{
	size_t number = dice(lines_of(b)), length, from = line_at(b, number, &length);
	bool twice = dice(2) != 0;
	if (twice)
		memmove(b->at + from + length, b->at + from, b->n - from);
	else
		memmove(b->at + from, b->at + from + length, b->n - from - length);
	b->n = twice ? b->n + length : b->n - length;
	sprintf(what, "line %zu %s", number + 1, twice ? "twice" : "deleted");
	return true;
}

static void lines_swap(struct bytes *b, size_t former, size_t later, char *what)
{
	static char copy[sizeof b->at];
	size_t lf, ll, f = line_at(b, former, &lf), l = line_at(b, later, &ll), n = l - f - lf;
	memcpy(copy, b->at, b->n);
	memcpy(b->at + f, copy + l, ll);
	memcpy(b->at + f + ll, copy + f + lf, n);
	memcpy(b->at + f + ll + n, copy + f, lf);
	sprintf(what, "lines %zu and %zu swapped", former + 1, later + 1);
}

/* Two lines change places, or their signatures do. */
static bool text_swap(struct bytes *b, char *what)
{
	size_t n = lines_of(b), a = dice(n), c = dice(n), la, lc;
	char *first = b->at + line_at(b, a, &la), *second = b->at + line_at(b, c, &lc);
	size_t digits = 128; /* the signatures */
	if (a == c)
		return false;
	if (dice(2) == 0) {
		lines_swap(b, a < c ? a : c, a < c ? c : a, what);
		return true;
	}
	for (size_t i = 0; i < digits; i++) {
		char t = first[la - 1 - digits + i];
		first[la - 1 - digits + i] = second[lc - 1 - digits + i];
		second[lc - 1 - digits + i] = t;
	}
	sprintf(what, "signatures of lines %zu and %zu swapped", a + 1, c + 1);
	return true;
}

static bool mutate_text(const struct file *file, char *what)
{
	static bool (*const ways[])(struct bytes *, char *) = {text_flip,   text_cut,  text_delete,
							       text_insert, text_line, text_swap};
	static struct bytes b;
	assert_true(file->now.length < sizeof b.at - 1000);
	memcpy(b.at, file->now.at, file->now.length);
	b.n = file->now.length;
	size_t n_ways = is_plain(file) ? 4 : sizeof ways / sizeof ways[0]; /* it has no lines */
	if (!ways[dice(n_ways)](&b, what) ||
	    (b.n == file->now.length && memcmp(b.at, file->now.at, b.n) == 0))
		return false;
	put(file->path, b.at, b.n);
	return true;
}

/* --- mutations of tables --- */

/* Which cells are sealed. Rows of alerts and cases are quiet in this store, so all of them are. */
static const struct table {
	const char *name, *key;
	bool ledger;
	const char *columns[40];
} tables[] = {
	{"readings",
	 "seq",
	 false,
	 {"seq", "boot", "ring", "rseq", "monitor", "measured_ms", "received_ms", "value", "flag",
	  "raw"}},
	{"monitors", "id", false, {"id", "site", "factor"}},
	{"gaps", "rowid", false, {"monitor", "from_ms", "to_ms", "count"}},
	{"blocks", "first", false, {"first", "last", "min_ms", "max_ms"}},
	{"frames", "batch", false, {"batch", "first", "last", "digest"}},
	{"chain",
	 "batch",
	 false,
	 {"batch", "first", "last", "monitors", "gaps", "at_ms", "mono_ms", "clock_error_us",
	  "hash"}},
	{"chain_begin", "rowid", false, {"batch", "hash", "seq", "monitors", "gaps", "name"}},
	{"chain", "number", true, {"number", "kind", "ref", "digest", "hash"}},
	{"cases",
	 "id",
	 true,
	 {"year",    "seq",        "site",     "site_name",    "factor",      "kind",
	  "average", "severity",   "status",   "verified",     "level",       "source",
	  "opened",  "closed",     "due",      "limit_value",  "first_value", "peak_value",
	  "peak_at", "last_value", "multiple", "limit_source", "in_charge",   "leader",
	  "team",    "title",      "document", "reopened",     "withdrawn"}},
	{"alerts",
	 "id",
	 true,
	 {"key", "site", "factor", "kind", "bound", "began", "raised", "cleared", "value",
	  "limit_value", "peak", "peak_at", "last", "multiple", "reason", "readings", "case_id",
	  "acknowledged", "acknowledged_by"}},
	{"history",
	 "id",
	 true,
	 {"case_id", "at", "action", "by", "note", "unit", "leader", "team", "reason", "due",
	  "sha256", "escalation", "user"}},
	{"instruments", "id", true, {"at", "site", "factor", "low", "high", "scale", "shift"}},
	{"events", "id", true, {"at", "type", "site", "case_id", "json"}},
	{"marks",
	 "id",
	 true,
	 {"at", "site", "factor", "from_at", "to_at", "flag", "reason", "by", "file", "sha256",
	  "bytes"}},
	{"recomputed",
	 "id",
	 true,
	 {"mark_id", "site", "factor", "average", "limit_key", "start_at", "end_at", "before",
	  "after", "was", "became", "limit_value", "case_id"}},
};

static sqlite3 *open_table(const struct file *file)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(file->path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL);
	if (strstr(file->path, "ledger.db") != NULL)
		sqlite3_exec(db, "PRAGMA journal_mode=OFF", NULL, NULL, NULL);
	return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	int64_t n = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_finalize(statement);
	return n;
}

/* A row's key, at random. */
static int64_t some_row(sqlite3 *db, const struct table *t)
{
	char sql[256];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", t->name);
	int64_t n = number(db, sql);
	if (n == 0)
		return -1;
	snprintf(sql, sizeof sql, "SELECT %s FROM %s LIMIT 1 OFFSET %zu", t->key, t->name,
		 dice((size_t)n));
	return number(db, sql);
}

static const char *some_column(const struct table *t)
{
	size_t n = 0;
	while (t->columns[n] != NULL)
		n++;
	return t->columns[dice(n)];
}

/* SQL with a table's names in it: $t, its key $k, a column $c, and keys of two rows $a and $b. */
static void expand(char *out, const char *sql, const struct table *t, const char *column, int64_t a,
		   int64_t b)
{
	for (; *sql != '\0'; sql++) {
		if (*sql != '$') {
			*out++ = *sql;
			continue;
		}
		switch (*++sql) {
		case 't':
			out += sprintf(out, "%s", t->name);
			break;
		case 'k':
			out += sprintf(out, "%s", t->key);
			break;
		case 'c':
			out += sprintf(out, "%s", column);
			break;
		default:
			out += sprintf(out, "%lld", (long long)(*sql == 'a' ? a : b));
		}
	}
	*out = '\0';
}

/* Return: whether a row was changed. */
static bool apply(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK && sqlite3_changes(db) > 0;
}

static bool table_flip(sqlite3 *db, const struct table *t, char *what)
{
	static const char *const values[] = {
		"$c + 1",    "NULL", "'x'",          "7",       "0.5", "x'00'",
		"$c || '0'", "-$c",  "zeroblob(32)", "$c << 1",
	};
	char sql[200];
	const char *value = values[dice(sizeof values / sizeof values[0])];
	snprintf(sql, sizeof sql, "UPDATE $t SET $c = %s WHERE $k = $a AND $c IS NOT (%s)", value,
		 value);
	expand(what, sql, t, some_column(t), some_row(db, t), 0);
	return apply(db, what);
}

/* The last blocks may be missing: what is in none is gone through row by row. */
static bool may_miss(const struct table *t)
{
	return strcmp(t->name, "blocks") == 0;
}

static bool table_delete(sqlite3 *db, const struct table *t, char *what)
{
	if (may_miss(t))
		return false;
	snprintf(what, 400, "DELETE FROM %s WHERE %s = %lld", t->name, t->key,
		 (long long)some_row(db, t));
	return apply(db, what);
}

static bool table_cut(sqlite3 *db, const struct table *t, char *what)
{
	if (may_miss(t))
		return false;
	snprintf(what, 400, "DELETE FROM %s WHERE %s >= %lld", t->name, t->key,
		 (long long)some_row(db, t));
	return apply(db, what);
}

/* The columns but the key, so that a copy gets a key of its own. */
static void other_columns(sqlite3 *db, const struct table *t, char *out, size_t size)
{
	sqlite3_stmt *list;
	char sql[128];
	size_t n = 0;
	snprintf(sql, sizeof sql, "PRAGMA table_info(%s)", t->name);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &list, NULL), SQLITE_OK);
	for (out[0] = '\0'; sqlite3_step(list) == SQLITE_ROW;) {
		const char *name = (const char *)sqlite3_column_text(list, 1);
		if (strcmp(name, t->key) != 0)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "", name);
	}
	sqlite3_finalize(list);
}

static bool table_insert(sqlite3 *db, const struct table *t, char *what)
{
	char columns[600], sql[1600];
	int64_t from = some_row(db, t), to = (int64_t)dice(1000);
	other_columns(db, t, columns, sizeof columns);
	sprintf(what, "row %lld of %s again as %lld", (long long)from, t->name, (long long)to);
	snprintf(sql, sizeof sql, "INSERT INTO %s(%s, %s) SELECT %lld, %s FROM %s WHERE %s = %lld",
		 t->name, t->key, columns, (long long)to, columns, t->name, t->key,
		 (long long)from);
	return apply(db, sql);
}

/* Two rows of different content change keys. */
static bool table_swap(sqlite3 *db, const struct table *t, char *what)
{
	const char *column = some_column(t);
	int64_t a = some_row(db, t), b = some_row(db, t);
	expand(what,
	       "UPDATE $t SET $c = (SELECT o.$c FROM $t o WHERE o.$k = CASE $t.$k WHEN $a THEN $b"
	       " ELSE $a END) WHERE $k IN ($a, $b) AND (SELECT count(DISTINCT coalesce(o.$c,"
	       " 'none')) FROM $t o WHERE o.$k IN ($a, $b)) = 2",
	       t, column, a, b);
	return strcmp(column, t->key) != 0 && apply(db, what);
}

/* A row that is never rewritten is, and an entry behind the others says with a hash that is right
 * what it is now, as one does who has read how the chain is made. */
static bool table_rewrite(sqlite3 *db, const struct table *t, char *what)
{
	static const struct {
		const char *table;
		uint8_t kind;
	} kinds[] = {{"history", CHAIN_HISTORY},
		     {"events", CHAIN_EVENT},
		     {"marks", CHAIN_MARK},
		     {"recomputed", CHAIN_CHANGE},
		     {"instruments", CHAIN_INSTRUMENT}};
	struct forger f = {.db = db};
	int64_t row = some_row(db, t);
	size_t i = 0, n = sizeof kinds / sizeof kinds[0];
	while (t->ledger && i < n && strcmp(kinds[i].table, t->name) != 0)
		i++;
	if (!t->ledger || i == n)
		return false;
	expand(what, "UPDATE $t SET $c = $c || '0' WHERE $k = $a AND $c IS NOT NULL", t,
	       some_column(t), row, 0);
	if (!apply(db, what))
		return false;
	assert_int_equal(hash_new(&f.hash), 0);
	forge_append(&f, kinds[i].kind, row);
	f.hash = hash_free(f.hash);
	strcat(what, ", and an entry of it");
	return true;
}

/* A table that takes what a daemon's does not. */
static bool table_words(sqlite3 *db, const struct table *t, char *what)
{
	char sql[300];
	snprintf(sql, sizeof sql,
		 "UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE name = '%s'"
		 " AND sql LIKE '%% NOT NULL%%'",
		 t->name);
	sprintf(what, "%s without NOT NULL", t->name);
	return sqlite3_exec(db, "PRAGMA writable_schema=1", NULL, NULL, NULL) == SQLITE_OK &&
	       apply(db, sql);
}

static bool mutate_table(const struct file *file, char *what)
{
	static bool (*const ways[])(sqlite3 *, const struct table *, char *) = {
		table_flip,   table_flip, table_delete,  table_cut,
		table_insert, table_swap, table_rewrite, table_words};
	const struct table *t;
	bool ledger = strstr(file->path, "ledger.db") != NULL;
	do
		t = &tables[dice(sizeof tables / sizeof tables[0])];
	while (t->ledger != ledger);
	sqlite3 *db = open_table(file);
	bool done = ways[dice(sizeof ways / sizeof ways[0])](db, t, what);
	sqlite3_close(db);
	return done;
}

/* --- mutations of files --- */

static bool replay(const struct file *file, char *what)
{
	if (file->before.length == file->now.length &&
	    memcmp(file->before.at, file->now.at, file->now.length) == 0)
		return false;
	if (file->before.length == 0)
		assert_int_equal(remove(file->path), 0);
	else
		put(file->path, file->before.at, file->before.length);
	sprintf(what, "the old copy is back");
	return true;
}

static bool mutate(const struct file *file, char *what)
{
	if (dice(20) == 0)
		return replay(file, what);
	return is_text(file) ? mutate_text(file, what) : mutate_table(file, what);
}

static void restore(const struct file *file)
{
	char log[300];
	snprintf(log, sizeof log, "%s-wal", file->path);
	remove(log);
	snprintf(log, sizeof log, "%s-shm", file->path);
	remove(log);
	put(file->path, file->now.at, file->now.length);
}

static size_t how_many(void)
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

/* Only what was put back, or cut off the seals, is whole in itself. */
static const char *needs_anchor(const struct file *file, const char *what)
{
	bool replayed = strstr(what, "the old copy is back") != NULL;
	return replayed || is_text(file) ? store.anchor : NULL;
}

/* Of a table the ledger or the daybook is named. */
static const char *place_of(const struct file *file)
{
	if (is_text(file))
		return "";
	return strstr(file->path, "ledger.db") != NULL ? "ledger.db" : "daybook";
}

static void test_every_mutation_is_found(void **state)
{
	static char what[1000];
	struct verify_sum sum;
	struct said said;
	size_t wanted = how_many(), found = 0;
	store.random = test_seed();
	build(*state);
	while (found < wanted) {
		const struct file *file = &store.at[dice(store.n)];
		if (!is_text(file) && dice(2) == 0)
			continue; /* tables take the longest */
		bool done = mutate(file, what);
		if (done) {
			int r = verify_with(store.directory, needs_anchor(file, what), &said, &sum);
			if (r != VERIFY_BAD || said.bad[0] == '\0' ||
			    strstr(said.bad, place_of(file)) == NULL)
				fail_msg("not found (%d, %s): %s: %s", r, said.bad, file->path,
					 what);
			found++;
		}
		restore(file);
	}
	assert_int_equal(verify_with(store.directory, store.anchor, &said, &sum), VERIFY_CLEAN);
	for (size_t i = 0; i < store.n; i++) {
		text_deinit(&store.at[i].now);
		text_deinit(&store.at[i].before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_mutation_is_found, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
