/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Schema: has a database the tables, indices and triggers that a daemon makes, word for word?
 *
 * A table that lost its key can hold a row twice, one with a condition refuses what it likes, one
 * that compares otherwise finds other rows: nothing of that shows in the rows that are hashed. So
 * all of sqlite_master is compared with that of an empty database which the same steps made. The
 * steps give the same words whichever version a file began with, as each is made on the former one.
 */
#include "store/sql.h"

enum { SCHEMA_ODD = 2 }; /* SQL_FATAL is 1 */

/* What is other than a daemon makes it. */
struct schema_odd {
	char type[16], name[80]; /* such as table, cases */
	bool missing;
};

/** schema_words() - what is wrong, for a sentence behind the file's name; valid with @odd */
const char *schema_words(const struct schema_odd *odd, char out[160]);

/**
 * ledger_schema_check(), day_schema_check() - by the steps up to the version that @db says it has;
 * any thread, the empty ones are made once in a process
 *
 * Return: 0; SCHEMA_ODD; -EPROTONOSUPPORT of a later version; else as sql_step().
 */
int ledger_schema_check(sqlite3 *db, struct schema_odd *odd);
int day_schema_check(sqlite3 *db, struct schema_odd *odd);
