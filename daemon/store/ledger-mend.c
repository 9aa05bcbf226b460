/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A damaged ledger: another takes its place, made of its copy and the records since
 * (ledger-rebuild.c), which is what was lost, whole. Where these are not whole either, what can be
 * read of the damaged one goes into a new one, row by row, and behind it what only the copy still
 * has.
 *
 * Each row is looked up by its id, so that an unreadable page costs the rows on it and no more. A
 * copy is read, never the file itself, which stays as it was found under ledger.db.corrupt-SECONDS.
 * Where even its first page cannot be read, the copy gets the head of a good file.
 *
 *   ledger.base + ledger.since ─────────────────► ledger.db.new ──rename──► ledger.db
 *   ledger.db ──copy──► ledger.db.copy ──rows─────────┘
 *       └──link──► ledger.db.corrupt-SECONDS
 *
 * The rename comes last and takes the damaged file's place in one step: a crash before it finds the
 * damaged ledger again, and mends it again.
 */
#include "store/ledger-internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_BYTES = 100, PAGE_ROWS = 64 }; /* no page of 4 KiB holds more rows of ours */

struct mend {
	char path[4200], copy[4210], fresh[4210], again[4210], aside[4300];
	sqlite3 *from, *into;
	int64_t kept, unreadable;
	bool gone; /* there is no damaged file */
	struct rebuilt rebuilt;
};

/* --- the copy --- */

static int copy_bytes(int from, int to)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(from, bytes, sizeof bytes)) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return errno != 0 ? -errno : -ENOSPC;
	return n < 0 ? -errno : 0;
}

static int copy_make(const struct mend *m)
{
	int from = open(m->path, O_RDONLY | O_CLOEXEC), r = from < 0 ? -errno : 0;
	int to = r == 0 ? open(m->copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (r == 0 && to < 0)
		r = -errno;
	if (r == 0)
		r = copy_bytes(from, to);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return r;
}

/* The head of the new file, without its length and its list of free pages. */
static int copy_behead(const struct mend *m)
{
	unsigned char head[HEAD_BYTES];
	int good = open(m->fresh, O_RDONLY | O_CLOEXEC), bad = open(m->copy, O_RDWR | O_CLOEXEC);
	int r = good < 0 || bad < 0 ? -errno : 0;

	if (r == 0 && pread(good, head, sizeof head, 0) != HEAD_BYTES)
		r = -EIO;
	memset(head + 32, 0, 8);             /* free pages: none */
	head[92] = (unsigned char)~head[24]; /* not the change counter: the length is the file's */
	if (r == 0 && pwrite(bad, head, sizeof head, 0) != HEAD_BYTES)
		r = -EIO;
	if (good >= 0)
		close(good);
	if (bad >= 0)
		close(bad);
	return r;
}

static bool copy_opens(struct mend *m)
{
	int64_t tables = 0;
	int r = sql_open(&m->from, m->copy, SQLITE_OPEN_READWRITE);

	if (r == 0)
		r = sql_number(m->from, "SELECT count(*) FROM sqlite_master", 0, &tables);
	if (r != 0 || tables == 0)
		m->from = sql_close(m->from);
	return m->from != NULL;
}

/* --- its rows --- */

/* One table: how its rows are read and written. */
struct table {
	const char *name;
	bool has_rowid;
	char columns[2048], places[512];
};

static bool column_known(struct mend *m, const char *table, const char *column)
{
	sqlite3_stmt *find = NULL;
	bool row = false;

	int r = sql_prepare(m->into, &find, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2");
	if (r == 0) {
		sql_bind(find, "tt", table, column);
		r = sql_step(find, &row);
	}
	sqlite3_finalize(find);
	return r != 0 || row;
}

/* Those of the damaged file: a table only ever gets further ones, unless by another program. */
static int table_columns(struct mend *m, struct table *t)
{
	sqlite3_stmt *list = NULL;
	size_t n = 0, at = 0, place = 0;
	bool row = false;

	int r = sql_prepare(m->from, &list, "SELECT name FROM pragma_table_info(?1)");
	if (r == 0) {
		sql_bind(list, "t", t->name);
		r = sql_step(list, &row);
	}
	for (; r == 0 && row && at < sizeof t->columns && place < sizeof t->places;
	     r = sql_step(list, &row)) {
		if (!column_known(m, t->name, sql_text(list, 0)))
			continue;
		at += (size_t)snprintf(t->columns + at, sizeof t->columns - at, "%s\"%s\"",
				       n > 0 ? "," : "", sql_text(list, 0));
		place += (size_t)snprintf(t->places + place, sizeof t->places - place, "%s?",
					  n++ > 0 ? "," : "");
	}
	sqlite3_finalize(list);
	return r == 0 && n == 0 ? -EUCLEAN : r;
}

static int row_copy(struct mend *m, sqlite3_stmt *get, sqlite3_stmt *put)
{
	bool row;

	for (int i = 0; i < sqlite3_column_count(get); i++)
		sqlite3_bind_value(put, i + 1, sqlite3_column_value(get, i));
	int r = sql_step(put, &row);
	sql_reset(put);
	m->kept += r == 0 ? sqlite3_changes(m->into) : 0;
	return r;
}

/* @from: a table, and perhaps a condition; what cannot be read is @otherwise. */
static int64_t number_or(struct mend *m, const char *what, const char *from, int64_t otherwise)
{
	char sql[256];
	int64_t value;

	snprintf(sql, sizeof sql, "SELECT %s FROM %s", what, from);
	return sql_number(m->from, sql, otherwise, &value) == 0 ? value : otherwise;
}

/* Where ids begin and end; where that cannot be read, as many as there is room for. */
static void ids_of(struct mend *m, const char *name, int64_t *first, int64_t *last)
{
	char row[128];
	snprintf(row, sizeof row, "sqlite_sequence WHERE name = '%s'", name);
	int64_t given = number_or(m, "seq", row, 0);
	int64_t room = number_or(m, "page_count", "pragma_page_count", 0) * PAGE_ROWS;

	*first = number_or(m, "min(rowid)", name, 1);
	*last = number_or(m, "max(rowid)", name, given > room ? given : room);
	if (*last < given)
		*last = given;
}

/* Return: an error of the new ledger; what the damaged one refuses is counted and passed over. */
static int rows_by_id(struct mend *m, const struct table *t, sqlite3_stmt *get, sqlite3_stmt *put)
{
	int64_t first, last;
	bool row;
	int r = 0;

	ids_of(m, t->name, &first, &last);
	for (int64_t id = first; r == 0 && id <= last; id++) {
		sql_bind(get, "i", id);
		if (sql_step(get, &row) != 0)
			m->unreadable++;
		else if (row)
			r = row_copy(m, get, put);
		sql_reset(get);
	}
	return r;
}

static int rows_in_order(struct mend *m, sqlite3_stmt *get, sqlite3_stmt *put)
{
	bool row = false;
	int r = 0, read = sql_step(get, &row);

	for (; r == 0 && read == 0 && row; read = sql_step(get, &row))
		r = row_copy(m, get, put);
	m->unreadable += read != 0;
	return r;
}

static int table_copy(struct mend *m, struct table *t)
{
	sqlite3_stmt *get = NULL, *put = NULL;
	char sql[4096];

	if (table_columns(m, t) != 0) {
		m->unreadable++;
		return 0;
	}
	snprintf(sql, sizeof sql, "SELECT %s FROM \"%s\"%s", t->columns, t->name,
		 t->has_rowid ? " WHERE rowid = ?1" : "");
	bool readable = sql_prepare(m->from, &get, sql) == 0;
	snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO \"%s\"(%s) VALUES(%s)", t->name,
		 t->columns, t->places);
	int r = sql_prepare(m->into, &put, sql);
	m->unreadable += !readable;
	if (r == 0 && readable)
		r = t->has_rowid ? rows_by_id(m, t, get, put) : rows_in_order(m, get, put);
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	return r;
}

static int tables_copy(struct mend *m)
{
	sqlite3_stmt *list = NULL;
	bool row = false;
	int r = sql_prepare(m->into, &list,
			    "SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_master"
			    " WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
			    " ORDER BY rowid");
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		struct table t = {.name = sql_text(list, 0),
				  .has_rowid = sqlite3_column_int(list, 1) == 0};
		r = table_copy(m, &t);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

/* --- the new ledger --- */

/* An alert whose case is lost would join no other: it is raised anew and opens one, in whose
 * history it says so (ledger_case_raise()). */
static const char mend_alerts[] = "DELETE FROM alerts WHERE cleared IS NULL AND case_id IS NOT NULL"
				  " AND case_id NOT IN (SELECT id FROM cases)";

static int fresh_fill(struct mend *m)
{
	int r = sql_exec(m->into, "PRAGMA foreign_keys=0; BEGIN IMMEDIATE");

	if (r == 0)
		r = tables_copy(m);
	if (r == 0)
		r = sql_exec(m->into, "COMMIT");
	sql_rollback(m->into);
	m->from = sql_close(m->from);
	return r;
}

/* Return: 0, also where nothing of the damaged file can be read. */
static int fresh_of_damaged(struct mend *m)
{
	int r = copy_make(m);

	m->gone = r == -ENOENT;
	if (r == -ENOSPC || r == -ENOMEM)
		return r;
	if (r == 0 && !copy_opens(m)) {
		r = copy_behead(m);
		if (r == 0)
			(void)copy_opens(m);
	}
	return m->from != NULL ? fresh_fill(m) : 0;
}

/* Rows that are there already stay: they are newer. */
static int fresh_of_rebuilt(struct mend *m)
{
	if (sql_open(&m->from, m->again, SQLITE_OPEN_READONLY) != 0)
		return 0;
	return fresh_fill(m);
}

/* For whoever opens a case that may have had another one before (ledger-cases.c). */
static int fresh_remember(struct mend *m)
{
	sqlite3_stmt *put = NULL;
	const char *name = strrchr(m->aside, '/') + 1;

	int r = sql_prepare(m->into, &put,
			    "INSERT OR REPLACE INTO named VALUES('" LEDGER_LOST "', ?1)");
	if (r == 0)
		r = sql_do(put, "t", m->gone ? "" : name);
	sqlite3_finalize(put);
	if (r == 0)
		r = sql_prepare(m->into, &put,
				"INSERT OR REPLACE INTO cursors VALUES('" LEDGER_LOST "', ?1)");
	if (r == 0)
		r = sql_do(put, "i", (int64_t)time(NULL) * 1000);
	sqlite3_finalize(put);
	return r;
}

static int fresh_of_rows(struct mend *m)
{
	unlink(m->fresh);
	int r = sql_open(&m->into, m->fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = sql_exec(m->into, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA");
	if (r == 0)
		r = ledger_schema_begin(m->into, m->fresh);
	if (r == 0)
		r = fresh_of_damaged(m);
	if (r == 0)
		r = fresh_of_rebuilt(m);
	if (r == 0)
		r = sql_exec(m->into, mend_alerts);
	return r == 0 ? fresh_remember(m) : r;
}

/* Or is there a bad sector in it? */
static bool is_readable(const char *directory, const char *name)
{
	char path[4200], bytes[65536];
	ssize_t n;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT;
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		continue;
	close(fd);
	return n == 0;
}

/* Where copy and records are of no use, whatever is left of the damaged file has to do; where they
 * only cannot be put together now, they can later. */
static int fresh_make(struct mend *m, const char *directory)
{
	int r = ledger_rebuild(directory, m->again, &m->rebuilt);

	if (r != 0 && r != -ENOENT && r != -EUCLEAN &&
	    (r == SQL_FATAL ||
	     (is_readable(directory, "ledger.base") && is_readable(directory, "ledger.since"))))
		return r;
	m->rebuilt.whole = m->rebuilt.whole && r == 0;
	if (!m->rebuilt.whole)
		return fresh_of_rows(m);
	m->gone = access(m->path, F_OK) != 0;
	return rename(m->again, m->fresh) == 0 ? 0 : -errno;
}

static void mend_say(const struct mend *m)
{
	const char *what = m->gone ? "gone" : "damaged";
	char kept[4400] = "";

	if (!m->gone)
		snprintf(kept, sizeof kept, "; it is kept as %s", m->aside);
	if (m->rebuilt.whole)
		log_event(LOGGED_DAMAGED, ABOUT_NOTHING,
			  "%s: %s; made again, whole, from its copy and the %lld transactions "
			  "since%s",
			  m->path, what, (long long)m->rebuilt.records, kept);
	else if (m->kept == 0)
		log_event(
			LOGGED_DAMAGED, ABOUT_NOTHING,
			"%s: %s, and nothing can be read of it or of its copy; a new one begins%s",
			m->path, what, kept);
	else
		log_event(LOGGED_DAMAGED, ABOUT_NOTHING,
			  "%s: %s, and its copy is not whole either; %lld rows were read from both "
			  "into a new ledger, up to %lld could not be%s",
			  m->path, what, (long long)m->kept, (long long)m->unreadable, kept);
}

/* A journal of the damaged file must not be taken for the new one's; an empty one says nothing. */
static int journal_aside(const struct mend *m)
{
	char journal[4210], journal_aside[4400];
	struct stat status;

	snprintf(journal, sizeof journal, "%s-journal", m->path);
	snprintf(journal_aside, sizeof journal_aside, "%s-journal", m->aside);
	if (lstat(journal, &status) != 0)
		return errno == ENOENT ? 0 : -errno;
	bool empty = S_ISREG(status.st_mode) && status.st_size == 0;
	int r = empty ? unlink(journal) : rename(journal, journal_aside);
	return r == 0 ? 0 : -errno;
}

/* What cannot have a second name (a folder, a file of somebody else) is renamed at once: killed
 * between, the next start finds the ledger gone. */
static int damaged_aside(const struct mend *m)
{
	if (m->gone || link(m->path, m->aside) == 0)
		return 0;
	return rename(m->path, m->aside) == 0 ? 0 : -errno;
}

static int fresh_take_place(const struct mend *m)
{
	int r = journal_aside(m);
	if (r == 0)
		r = damaged_aside(m);
	if (r == 0 && rename(m->fresh, m->path) != 0)
		r = -errno;
	if (r == 0)
		mend_say(m);
	return r;
}

/* Each damaged file is kept, also two of one second. */
static void aside_name(struct mend *m)
{
	long long seconds = (long long)time(NULL);
	struct stat status;

	do
		snprintf(m->aside, sizeof m->aside, "%s.corrupt-%lld", m->path, seconds++);
	while (lstat(m->aside, &status) == 0);
}

int ledger_mend(const char *directory)
{
	struct mend m = {.from = NULL};

	snprintf(m.path, sizeof m.path, "%s/ledger.db", directory);
	snprintf(m.copy, sizeof m.copy, "%s.copy", m.path);
	snprintf(m.fresh, sizeof m.fresh, "%s.new", m.path);
	snprintf(m.again, sizeof m.again, "%s.again", m.path);
	aside_name(&m);
	int r = fresh_make(&m, directory);
	m.from = sql_close(m.from);
	m.into = sql_close(m.into);
	unlink(m.copy);
	unlink(m.again);
	if (r == 0)
		r = fresh_take_place(&m);
	return r == 0 ? sql_sync_directory(directory) : r;
}
