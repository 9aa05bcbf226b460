/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of a database: what is hashed is read row by row from the tables, so a table has to
 * be one, and an index may not show what the table does not.
 */
#include "verify/internal.h"

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
