/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of a database: what is hashed is read row by row from the tables, so a table has to
 * be one, and an index may not show what the table does not.
 */
#include "store/ledger-schema.h"
#include "verify/internal.h"

#include <pthread.h>
#include <string.h>

/* A view or a computed column can say one thing now and another later. A trigger of the daemon's
 * does nothing but refuse; another could write what it likes when the daemon does. */
static const char strange[] =
	"SELECT m.name FROM sqlite_master m WHERE m.type = 'view' OR (m.type = 'table' AND (m.sql"
	" LIKE 'CREATE VIRTUAL%' OR EXISTS(SELECT 1 FROM pragma_table_xinfo(m.name) x"
	" WHERE x.hidden > 1))) OR (m.type = 'trigger' AND (m.sql NOT LIKE"
	" '% BEGIN SELECT RAISE(ABORT, ''%''); END' OR m.sql LIKE '%;%;%')) LIMIT 1";

static int strange_check(struct verify *v, const char *folder, const char *name, sqlite3 *db)
{
	sqlite3_stmt *find = NULL;
	bool row = false;

	int r = sql_prepare(db, &find, strange);
	if (r == 0)
		r = sql_step(find, &row);
	if (r == 0 && row)
		r = verify_bad(v, "%s%s: %s is no table and no trigger as a daemon makes it",
			       folder, name, sql_text(find, 0));
	sqlite3_finalize(find);
	return r;
}

/* --- indices: what is looked up by one that leaves rows out is not found --- */

/* Those that a table brings by itself have no text. */
static const char indices[] = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS"
			      " NOT NULL ORDER BY name";

static int index_odd(struct verify *v, const char *folder, const char *name, sqlite3_stmt *is,
		     bool there, sqlite3_stmt *made, bool wanted)
{
	int order = !there ? 1 : !wanted ? -1 : strcmp(sql_text(is, 0), sql_text(made, 0));

	if (order > 0)
		return verify_bad(v, "%s%s: the index %s is missing", folder, name,
				  sql_text(made, 0));
	if (order == 0 && strcmp(sql_text(is, 1), sql_text(made, 1)) == 0)
		return 0;
	return verify_bad(v, "%s%s: the index %s is none that a daemon makes", folder, name,
			  sql_text(is, 0));
}

/* @like: an empty one as a daemon makes it */
static int indices_compare(struct verify *v, const char *folder, const char *name, sqlite3 *db,
			   sqlite3 *like)
{
	sqlite3_stmt *is = NULL, *made = NULL;
	bool there = false, wanted = false;

	int r = sql_prepare(db, &is, indices);
	if (r == 0)
		r = sql_prepare(like, &made, indices);
	do {
		if (r == 0)
			r = sql_step(is, &there);
		if (r == 0)
			r = sql_step(made, &wanted);
		if (r == 0 && (there || wanted))
			r = index_odd(v, folder, name, is, there, made, wanted);
	} while (r == 0 && (there || wanted));
	sqlite3_finalize(is);
	sqlite3_finalize(made);
	return r;
}

/* An empty ledger as a daemon of that version makes it. Made once in a process, as the steps of the
 * schema cost more than all else that is verified of a small store; only under its lock. */
static struct {
	pthread_mutex_t lock;
	sqlite3 *of[LEDGER_VERSION + 1];
} made = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int made_like(int64_t version, sqlite3 **like)
{
	*like = made.of[version];
	if (*like != NULL)
		return 0;
	int r = sql_open(like, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	for (int64_t i = 0; r == 0 && i < version; i++)
		r = sql_exec(*like, ledger_schemas[i]);
	made.of[version] = r == 0 ? *like : sql_close(*like);
	return r;
}

int structure_ledger(struct verify *v, sqlite3 *db)
{
	sqlite3 *like = NULL;
	int64_t version = 0;

	int r = sql_number(db, "PRAGMA user_version", 0, &version);
	if (r == 0 && (version < 0 || version > LEDGER_VERSION))
		return verify_bad(v, "ledger.db: it is of a later version: verify with that");
	pthread_mutex_lock(&made.lock);
	if (r == 0)
		r = made_like(version, &like);
	if (r == 0)
		r = indices_compare(v, "", "ledger.db", db, like);
	pthread_mutex_unlock(&made.lock);
	return r;
}

int structure_day(struct verify *v, const char *name, sqlite3 *db)
{
	sqlite3 *none = NULL;

	int r = sql_open(&none, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = indices_compare(v, "daybook/", name, db, none);
	sql_close(none);
	return r;
}

int structure_check(struct verify *v, const char *folder, const char *name, sqlite3 *db,
		    const char *pragma)
{
	sqlite3_stmt *check = NULL;
	bool row = false;

	int r = strange_check(v, folder, name, db);
	if (r == 0)
		r = sql_prepare(db, &check, pragma);
	if (r == 0)
		r = sql_step(check, &row);
	const char *said = r == 0 && row ? sql_text(check, 0) : NULL;
	if (said != NULL && sqlite3_stricmp(said, "ok") != 0)
		r = verify_bad(v, "%s%s: it is damaged (%s)", folder, name, said);
	sqlite3_finalize(check);
	return r;
}
