/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema.h"

#include "store/daybook-file.h"
#include "store/ledger-schema.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* With the indices that a table brings by itself, which have no text. */
static const char all[] = "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
			  " ORDER BY type, name";

static int order_of(sqlite3_stmt *is, bool there, sqlite3_stmt *made, bool wanted)
{
	if (!there || !wanted)
		return there ? -1 : 1;
	int order = strcmp(sql_text(is, 0), sql_text(made, 0));
	return order != 0 ? order : strcmp(sql_text(is, 1), sql_text(made, 1));
}

static bool is_alike(sqlite3_stmt *is, sqlite3_stmt *made)
{
	return strcmp(sql_text(is, 2), sql_text(made, 2)) == 0 &&
	       strcmp(sql_text(is, 3), sql_text(made, 3)) == 0;
}

static int odd_take(struct schema_odd *odd, sqlite3_stmt *row, bool missing)
{
	snprintf(odd->type, sizeof odd->type, "%s", sql_text(row, 0));
	snprintf(odd->name, sizeof odd->name, "%s", sql_text(row, 1));
	odd->missing = missing;
	return SCHEMA_ODD;
}

static bool has_names(sqlite3_stmt *row)
{
	for (int i = 0; i < 4; i++)
		if (sql_text(row, i) == NULL)
			return false;
	return true;
}

static int lists_compare(sqlite3_stmt *is, sqlite3_stmt *made, struct schema_odd *odd)
{
	bool there = false, wanted = false;

	for (;;) {
		int r = sql_step(is, &there);
		if (r == 0)
			r = sql_step(made, &wanted);
		if (r != 0 || (!there && !wanted))
			return r;
		if (there && !has_names(is))
			return -EUCLEAN;
		int order = order_of(is, there, made, wanted);
		if (order != 0 || !is_alike(is, made))
			return odd_take(odd, order > 0 ? made : is, order > 0);
	}
}

static int compare(sqlite3 *db, sqlite3 *like, struct schema_odd *odd)
{
	sqlite3_stmt *is = NULL, *made = NULL;

	int r = sql_prepare(db, &is, all);
	if (r == 0)
		r = sql_prepare(like, &made, all);
	if (r == 0)
		r = lists_compare(is, made, odd);
	sqlite3_finalize(is);
	sqlite3_finalize(made);
	return r;
}

const char *schema_words(const struct schema_odd *odd, char out[160])
{
	snprintf(out, 160, "the %s %s is %s", odd->type, odd->name,
		 odd->missing ? "missing" : "none that a daemon makes");
	return out;
}

/* Empty databases, by version. Made once in a process, as the steps cost more than all else that is
 * verified of a small store; only under the lock. */
struct made {
	const char *const *steps;
	int versions;
	pthread_mutex_t lock;
	sqlite3 **of;
};

static int made_like(struct made *made, int64_t version, sqlite3 **like)
{
	*like = made->of[version];
	if (*like != NULL)
		return 0;
	int r = sql_open(like, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	for (int64_t i = 0; r == 0 && i < version; i++)
		r = sql_exec(*like, made->steps[i]);
	made->of[version] = r == 0 ? *like : sql_close(*like);
	return r;
}

static int check(sqlite3 *db, struct made *made, struct schema_odd *odd)
{
	sqlite3 *like = NULL;
	int64_t version = 0;

	int r = sql_number(db, "PRAGMA user_version", 0, &version);
	if (r == 0 && (version < 0 || version > made->versions))
		r = -EPROTONOSUPPORT;
	if (r != 0)
		return r;
	pthread_mutex_lock(&made->lock);
	r = made_like(made, version, &like);
	if (r == 0)
		r = compare(db, like, odd);
	pthread_mutex_unlock(&made->lock);
	return r;
}

int ledger_schema_check(sqlite3 *db, struct schema_odd *odd)
{
	static sqlite3 *of[LEDGER_VERSION + 1];
	static struct made made = {ledger_schemas, LEDGER_VERSION, PTHREAD_MUTEX_INITIALIZER, of};

	return check(db, &made, odd);
}

int day_schema_check(sqlite3 *db, struct schema_odd *odd)
{
	static sqlite3 *of[DAY_VERSION + 1];
	static struct made made = {day_schemas, DAY_VERSION, PTHREAD_MUTEX_INITIALIZER, of};

	return check(db, &made, odd);
}
