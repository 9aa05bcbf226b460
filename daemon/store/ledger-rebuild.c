/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger made again from its copy, ledger.base, and the records of each transaction since.
 */
#include "store/ledger-internal.h"

#include "store/schema.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static int base_copy(const char *directory, sqlite3 *into)
{
	char path[4200];
	sqlite3 *from = NULL;

	snprintf(path, sizeof path, "%s/ledger.base", directory);
	int r = sql_open(&from, path, SQLITE_OPEN_READONLY);
	sqlite3_backup *backup = r == 0 ? sqlite3_backup_init(into, "main", from, "main") : NULL;
	if (r == 0 && backup == NULL)
		r = -ENOMEM;
	if (backup != NULL) {
		int rc = sqlite3_backup_step(backup, -1);
		sqlite3_backup_finish(backup);
		r = rc == SQLITE_DONE ? 0 : sql_error(NULL, rc);
	}
	sql_close(from);
	return r;
}

/* One that cannot be applied ends it: the rest builds on it. */
static int records_apply(struct since *since, sqlite3 *into, struct rebuilt *out)
{
	int r = sql_exec(into, "PRAGMA foreign_keys=0; BEGIN IMMEDIATE");

	if (r == 0)
		r = since_each(since, out->number, ledger_since_apply, into);
	if (r == -EUCLEAN || r == -EEXIST) {
		out->whole = false;
		r = 0;
	}
	if (r == 0)
		r = sql_exec(into, "COMMIT");
	sql_rollback(into);
	return r;
}

/* Does its chain stand where the newest record says? */
static int records_check(const struct since *since, sqlite3 *into, struct rebuilt *out)
{
	int64_t number, head;
	int r = sql_number(into, "SELECT value FROM cursors WHERE name = 'ledger/number'", 0,
			   &number);

	if (r == 0)
		r = sql_number(into, "SELECT max(number) FROM chain", 0, &head);
	if (r != 0)
		return r;
	out->whole = out->whole && number == since->last.number && head == since->last.head;
	out->records = number - out->number;
	out->number = number;
	return 0;
}

static int records_take(const char *directory, sqlite3 *into, struct rebuilt *out)
{
	struct since since;

	since_init(&since);
	int r = since_open(&since, directory);
	if (r == -ENOENT || r == -EUCLEAN || (r == 0 && since.first.number > out->number)) {
		out->whole = false; /* the copy alone */
		since_close(&since);
		return 0;
	}
	if (r == 0)
		out->whole = since.whole;
	if (r == 0)
		r = records_apply(&since, into, out);
	if (r == 0)
		r = records_check(&since, into, out);
	since_close(&since);
	return r;
}

/* A copy is of no use where another program had changed the tables. */
static int rebuilt_check(sqlite3 *into)
{
	struct schema_odd odd;
	int r = ledger_sound(into);

	if (r == 0)
		r = ledger_schema_check(into, &odd);
	return r == SCHEMA_ODD ? -EUCLEAN : r;
}

int ledger_rebuild(const char *directory, const char *path, struct rebuilt *out)
{
	sqlite3 *into = NULL;

	*out = (struct rebuilt){.number = ledger_copy_number(directory)};
	if (out->number < 0)
		return -ENOENT;
	unlink(path);
	int r = sql_open(&into, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = sql_exec(into, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA");
	if (r == 0)
		r = base_copy(directory, into);
	if (r == 0)
		r = records_take(directory, into, out);
	if (r == 0)
		r = rebuilt_check(into);
	sql_close(into);
	if (r != 0)
		unlink(path);
	return r;
}
