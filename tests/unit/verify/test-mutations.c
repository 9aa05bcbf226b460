/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random mutations of a sealed store: bytes of the seals, keys, frames and attachments, cells and
 * rows of the tables, files put back to what they were a while ago. Each must be found, and the
 * place that is named must be the one: the file, and the row, batch, entry or seal of it that was
 * altered, of several the first. An anchor is used only where what is left is whole in itself: what
 * was put back, or cut off behind.
 * DUCHA_MUTATIONS says how many (10,000; the long tier does 100,000 beside).
 */
#include "mutated.h"

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
	return t->columns[dice(t->n_columns)];
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

/* --- the place that has to be named --- */

enum { WAYS = 8, WAY_DELETE = 2, WAY_CUT = 3, WAY_REWRITE = 6, WAY_WORDS = 7 };

/* A batch of a file of the daybook, as it was sealed. */
struct link {
	const struct file *file;
	int64_t batch, first, last, monitors, gaps;
};

static struct {
	struct link links[64];
	size_t n_links;
	struct rows before[sizeof store.at / sizeof store.at[0]][TABLES];
	int64_t case_of[64]; /* of an alert */
} sealed;

/* What may be named: the begin of the sentence, and numbers of which one has to follow it. */
static struct {
	char begin[128];
	bool any;
	int64_t numbers[4000];
	size_t n;
	const char *word; /* instead of a number */
} place;

static void place_add(int64_t number)
{
	if (place.n < sizeof place.numbers / sizeof place.numbers[0])
		place.numbers[place.n++] = number;
}

/* Of what a link says; 0: nothing. */
static void place_add_some(int64_t number)
{
	if (number != 0)
		place_add(number);
}

static void links_read(sqlite3 *db, const struct file *file)
{
	sqlite3_stmt *list;
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT batch, first, last, monitors, gaps FROM chain"
					    " ORDER BY batch",
					    -1, &list, NULL),
			 SQLITE_OK);
	while (sqlite3_step(list) == SQLITE_ROW) {
		assert_true(sealed.n_links < sizeof sealed.links / sizeof sealed.links[0]);
		sealed.links[sealed.n_links++] = (struct link){file,
							       sqlite3_column_int64(list, 0),
							       sqlite3_column_int64(list, 1),
							       sqlite3_column_int64(list, 2),
							       sqlite3_column_int64(list, 3),
							       sqlite3_column_int64(list, 4)};
	}
	sqlite3_finalize(list);
}

static void cases_read(sqlite3 *db)
{
	for (int64_t id = 1; id < 64; id++) {
		char sql[80];
		snprintf(sql, sizeof sql, "SELECT case_id FROM alerts WHERE id = %lld",
			 (long long)id);
		sealed.case_of[id] = number(db, sql);
	}
}

static void sealed_read(void)
{
	for (size_t i = 0; i < store.n; i++) {
		const struct file *file = &store.at[i];
		if (!is_database(file))
			continue;
		sqlite3 *db = open_table(file);
		for (size_t t = 0; t < TABLES; t++)
			if (tables[t].ledger == is_ledger(file))
				assert_true(rows_read(db, &tables[t], &sealed.before[i][t]));
		if (is_ledger(file))
			cases_read(db);
		else
			links_read(db, file);
		sqlite3_close(db);
		restore(file);
	}
}

/* The batch that brought a reading, a monitor or a gap. */
static void batch_add(const struct file *file, const struct table *t, int64_t key)
{
	for (size_t i = 0; i < sealed.n_links; i++) {
		const struct link *l = &sealed.links[i];
		bool reading = t->name[0] == 'r' && l->first <= key && key <= l->last;
		bool monitor = t->name[0] == 'm' && key <= l->monitors;
		bool gap = t->name[0] == 'g' && key <= l->gaps;
		if (l->file != file || (!reading && !monitor && !gap))
			continue;
		place_add(l->batch);
		return;
	}
}

/* What a batch brought, which is in none when its link is gone; a link's hash is in the next. */
static void link_add(const struct file *file, int64_t batch)
{
	int64_t first = 0, last = 0, reading = 0;
	place_add(batch + 1);
	for (size_t i = 0; i < sealed.n_links; i++) {
		const struct link *l = &sealed.links[i];
		if (l->file != file)
			continue;
		first = first == 0 ? l->batch : first;
		last = l->batch + 1;
		if (l->batch >= batch && reading == 0)
			reading = l->first; /* the first behind it that is in none */
		if (l->batch != batch)
			continue;
		for (int64_t s = l->first; s <= l->last; s++)
			place_add_some(s);
		place_add_some(l->gaps);
		place_add_some(l->monitors);
	}
	place_add_some(first); /* where a row came that is no batch of it: the next that has to be */
	place_add_some(last);
	place_add_some(reading);
}

static void key_add(const struct file *file, const struct table *t, int64_t key, int64_t entries)
{
	bool chain = strcmp(t->name, "chain") == 0;
	place_add(key);
	if (!t->ledger && chain)
		link_add(file, key);
	else if (!t->ledger)
		batch_add(file, t, key);
	else if (chain)
		place_add(key < 1 ? 1 : key > entries ? entries + 1 : key);
	else if (strcmp(t->name, "alerts") == 0 && key > 0 && key < 64)
		place_add(sealed.case_of[key]); /* its values show when its alerts are over */
}

/* Rows that are there once, or otherwise. Of what is gone only the first is to be named. */
static void differences_add(const struct file *file, const struct table *t, size_t way,
			    const struct rows *a, const struct rows *b)
{
	const struct rows *chain =
		&sealed.before[file - store.at][table_find("chain", t->ledger) - tables];
	int64_t entries = chain->at[chain->n - 1].key;
	bool first = way == WAY_DELETE || way == WAY_CUT;
	for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
		bool left = j == b->n || (i < a->n && a->at[i].key < b->at[j].key);
		bool right = i == a->n || (j < b->n && b->at[j].key < a->at[i].key);
		if (left || right || a->at[i].hash != b->at[j].hash) {
			key_add(file, t, left ? a->at[i].key : b->at[j].key, entries);
			if (first)
				return;
		}
		i += !right;
		j += !left;
	}
	if (way == WAY_REWRITE)
		place_add(entries + 1);
}

/* Where no row is named: begins, and what a daemon never writes. */
static bool is_wordless(const struct table *t)
{
	return strcmp(t->name, "chain_begin") == 0 || strcmp(t->name, "blocks") == 0;
}

static void place_of_rows(const struct file *file, const struct table *t, size_t way, sqlite3 *db)
{
	static struct rows after;
	const struct rows *before = &sealed.before[file - store.at][t - tables];
	int name = (int)strlen(said_of(file)) - (t->ledger ? 0 : 2); /* its frames, too */
	snprintf(place.begin, sizeof place.begin, "%.*s", name, said_of(file));
	place.word = way == WAY_WORDS			? t->name
		     : strcmp(t->name, "chain") == 0 ? "it has no chain"
						     : "holds what is none";
	place.any = way != WAY_WORDS && is_wordless(t);
	if (way == WAY_WORDS)
		return;
	assert_true(rows_read(db, t, &after));
	differences_add(file, t, way, before, &after);
	if (strcmp(t->name, "alerts") == 0 && t->ledger)
		for (int64_t id = 1; id < 64; id++) {
			char sql[80];
			snprintf(sql, sizeof sql, "SELECT case_id FROM alerts WHERE id = %lld",
				 (long long)id);
			if (number(db, sql) != sealed.case_of[id])
				place_add(number(db, sql));
		}
}

/* Does the sentence say one of the numbers? Not in brackets, where times stand. */
static bool number_said(const char *said)
{
	const char *end = strstr(said, " (");
	size_t n = end != NULL ? (size_t)(end - said) : strlen(said);
	for (size_t i = 0; i < n; i++) {
		if (said[i] < '0' || said[i] > '9')
			continue;
		bool minus = i > 0 && said[i - 1] == '-';
		int64_t value = strtoll(said + i - minus, NULL, 10);
		for (size_t k = 0; k < place.n; k++)
			if (place.numbers[k] == value)
				return true;
		i += strspn(said + i, "0123456789");
	}
	return false;
}

static bool place_said(const char *said)
{
	size_t n = strlen(place.begin);
	if (strncmp(said, place.begin, n) != 0)
		return false;
	said += n;
	if (n > 0)
		said += strcspn(said, ":"); /* the rest of the file's name */
	return place.any || (place.word != NULL && strstr(said, place.word) != NULL) ||
	       number_said(said);
}

static bool mutate_table(const struct file *file, char *what)
{
	static bool (*const table_ways[WAYS])(sqlite3 *, const struct table *, char *) = {
		table_flip,   table_flip, table_delete,  table_cut,
		table_insert, table_swap, table_rewrite, table_words};
	const struct table *t;
	size_t way = dice(WAYS);
	do
		t = &tables[dice(TABLES)];
	while (t->ledger != is_ledger(file));
	sqlite3 *db = open_table(file);
	bool done = table_ways[way](db, t, what);
	if (done)
		place_of_rows(file, t, way, db);
	sqlite3_close(db);
	return done;
}

/* --- mutations of files --- */

/* Is what is left the begin of what was there? Then it is the end that is missed, in what speaks of
 * it or comes behind it. */
static bool is_cut(const struct file *file)
{
	struct text is = {0};
	slurp(file->path, &is);
	bool yes = is.length < file->now.length &&
		   (is.length == 0 || memcmp(is.at, file->now.at, is.length) == 0);
	text_deinit(&is);
	return yes;
}

static bool is_of_seals(const struct file *file)
{
	return strstr(file->path, "/seals/") != NULL;
}

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

/* A file of seals that lost its end is whole in itself. */
static void place_of_file(const struct file *file)
{
	bool ends = is_of_seals(file) && is_cut(file);
	int name = (int)strlen(said_of(file));
	const char *stem = strstr(said_of(file), ".db");
	if (stem != NULL && !is_ledger(file))
		name = (int)(stem - said_of(file));
	bool keys = strcmp(said_of(file), "seals/keys") == 0; /* named by a seal that misses its key */
	snprintf(place.begin, sizeof place.begin, "%.*s", ends || keys ? 0 : name, said_of(file));
	place.any = !keys || ends;
	place.word = "seals/keys";
}

static bool mutate(const struct file *file, char *what, bool *replayed)
{
	place.n = 0;
	place.any = false;
	*replayed = dice(20) == 0;
	bool done = *replayed       ? replay(file, what)
		    : is_text(file) ? mutate_text(file, what)
				    : mutate_table(file, what);
	if (done && (*replayed || is_text(file)))
		place_of_file(file);
	return done;
}

static void check_found(const struct file *file, bool replayed, const char *what)
{
	struct verify_sum sum;
	struct said said;
	bool alone = !replayed && !(is_of_seals(file) && is_cut(file));
	int r = verify_with(store.directory, alone ? NULL : store.anchor, &said, &sum);
	if (r != VERIFY_BAD || !place_said(said.bad))
		fail_msg("not found, or not there (%d, %s): %s: %s", r, said.bad, file->path, what);
}

static void test_every_mutation_is_found_at_its_place(void **state)
{
	static char what[1000];
	size_t wanted = how_many(), found = 0;
	bool replayed;
	store.random = test_seed();
	build(*state);
	sealed_read();
	check_clean(store.directory);
	while (found < wanted) {
		const struct file *file = &store.at[dice(store.n)];
		if (!is_text(file) && dice(2) == 0)
			continue; /* tables take the longest */
		if (mutate(file, what, &replayed)) {
			check_found(file, replayed, what);
			found++;
		}
		restore(file);
	}
	check_clean(store.directory);
	forget_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_mutation_is_found_at_its_place, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
