/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structure of a database: what is hashed is read row by row from the tables, so a table has to
 * be one, and an index may not show what the table does not.
 */
#include "store/schema.h"
#include "verify/internal.h"

#include <errno.h>
#include <string.h>

static int schema_said(struct verify *v, const char *folder, const char *name, sqlite3 *db,
		       int (*check)(sqlite3 *db, struct schema_odd *odd))
{
	struct schema_odd odd;
	char words[160];
	int r = check(db, &odd);

	if (r == -EPROTONOSUPPORT)
		return verify_bad(v, "%s%s: it is of a later version: verify with that", folder,
				  name);
	return r == SCHEMA_ODD ? verify_bad(v, "%s%s: %s", folder, name, schema_words(&odd, words))
			       : r;
}

int structure_ledger(struct verify *v, sqlite3 *db)
{
	return schema_said(v, "", "ledger.db", db, ledger_schema_check);
}

int structure_day(struct verify *v, const char *name, sqlite3 *db)
{
	return schema_said(v, "daybook/", name, db, day_schema_check);
}

int structure_check(struct verify *v, const char *folder, const char *name, sqlite3 *db,
		    const char *pragma)
{
	sqlite3_stmt *check = NULL;
	bool row = false;

	int r = sql_prepare(db, &check, pragma);
	if (r == 0)
		r = sql_step(check, &row);
	const char *said = r == 0 && row ? sql_text(check, 0) : NULL;
	if (said != NULL && sqlite3_stricmp(said, "ok") != 0)
		r = verify_bad(v, "%s%s: it is damaged (%s)" COPY_HINT, folder, name, said);
	sqlite3_finalize(check);
	return r;
}
