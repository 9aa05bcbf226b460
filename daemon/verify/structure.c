/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of a database: what is hashed is read row by row from the tables, so a table has to
 * be one, and an index may not show what the table does not.
 */
#include "verify/internal.h"


/* A view or a computed column can say one thing now and another later. */
static const char strange[] =
	"SELECT name FROM sqlite_master WHERE type = 'view' OR (type = 'table' AND (sql LIKE"
	" 'CREATE VIRTUAL%' OR sql LIKE '%GENERATED%' OR sql LIKE '% AS (%' OR sql LIKE '% AS(%'))"
	" LIMIT 1";

static int strange_check(struct verify *v, const char *folder, const char *name, sqlite3 *db)
{
	sqlite3_stmt *find = NULL;
	bool row = false;

	int r = sql_prepare(db, &find, strange);
	if (r == 0)
		r = sql_step(find, &row);
	if (r == 0 && row)
		r = verify_bad(v, "%s%s: %s is no table as a daemon makes it", folder, name,
			       sql_text(find, 0));
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
