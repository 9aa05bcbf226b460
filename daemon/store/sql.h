/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SQL: the few things that ledger and daybook do alike with SQLite. Private to the store.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifndef SQLITE_ENABLE_SESSION /* declares sessions, with which Debian's library is built */
#define SQLITE_ENABLE_SESSION
#define SQLITE_ENABLE_PREUPDATE_HOOK
#endif
#include <sqlite3.h>

/* A failed fsync; equal to LEDGER_FATAL and DAYBOOK_FATAL. */
enum { SQL_FATAL = 1 };

/**
 * sql_error() - a result code of @db in our grammar
 * Return: 0 (OK, ROW, DONE), SQL_FATAL, else negative errno: -ENOSPC full, -EBUSY locked, -EUCLEAN
 * damaged, otherwise the system's errno or -EIO.
 */
int sql_error(sqlite3 *db, int rc);
/** sql_damaged() - is this result of sql_error() a damaged file? */
bool sql_damaged(int r);

/** sql_open() - with the settings that every connection of the store has. *out is NULL on failure.
 */
int sql_open(sqlite3 **out, const char *path, int flags);
sqlite3 *sql_close(sqlite3 *db);
int sql_exec(sqlite3 *db, const char *sql);
/** sql_number() - the first column of the first row, @missing where there is none or NULL */
int sql_number(sqlite3 *db, const char *sql, int64_t missing, int64_t *out);
int sql_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql);
/** sql_rollback() - end a transaction, if one is open, whatever its state */
void sql_rollback(sqlite3 *db);

/**
 * sql_bind() - bind from 1 on; text must live until sql_reset()
 * @types: i int64_t, z int64_t (0: NULL), b bool as int, t text (NULL: NULL), d double,
 *         o bool and double (false: NULL), h blob of 32 bytes
 */
void sql_bind(sqlite3_stmt *statement, const char *types, ...);
/** sql_step() - Return: 0 and *row, else as sql_error(); -EBUSY of NULL: no file is open now */
int sql_step(sqlite3_stmt *statement, bool *row);
void sql_reset(sqlite3_stmt *statement); /* NULL: nothing */
/** sql_do() - bind, step once, reset */
int sql_do(sqlite3_stmt *statement, const char *types, ...);
/** sql_put_blob() - run an upsert of (name, value) */
int sql_put_blob(sqlite3_stmt *put, const char *name, const void *data, size_t size);
/** sql_get_blob() - run a select of one blob by name into *data, which the caller frees. Return: 0,
 * -ENOENT, -ENOMEM, else as sql_step(); *data is then NULL. */
int sql_get_blob(sqlite3_stmt *get, const char *name, void **data, size_t *size);
const char *sql_text(sqlite3_stmt *statement,
		     int column); /* NULL: null; valid until step or reset */
/** sql_double() - Return: false where the column is null (*out is then 0) */
bool sql_double(sqlite3_stmt *statement, int column, double *out);
/** sql_hash() - Return: false where the column is no blob of 32 bytes */
bool sql_hash(sqlite3_stmt *statement, int column, uint8_t out[32]);

/** sql_set_aside() - rename a damaged database and what belongs to it to NAME.corrupt-SECONDS */
int sql_set_aside(const char *path);
/** sql_sync_directory() - make new names in it durable. Return: 0, SQL_FATAL, -errno. */
int sql_sync_directory(const char *path);
