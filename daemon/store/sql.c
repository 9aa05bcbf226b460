/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sql.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int sql_io_error(sqlite3 *db)
{
	int error = db != NULL ? sqlite3_system_errno(db) : 0;
	return error > 0 ? -error : -EIO;
}

int sql_error(sqlite3 *db, int rc)
{
	int extended = db != NULL && rc != SQLITE_OK ? sqlite3_extended_errcode(db) : rc;

	if ((extended & 0xff) != (rc & 0xff))
		extended = rc;
	if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC)
		return SQL_FATAL;
	if (extended == SQLITE_READONLY_DBMOVED) /* somebody took the file away */
		return -EUCLEAN;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_MISUSE:
	case SQLITE_ERROR:
		return -EINVAL;
	default:
		return sql_io_error(db);
	}
}

bool sql_damaged(int r)
{
	return r == -EUCLEAN;
}

int sql_open(sqlite3 **out, const char *path, int flags)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				 NULL);
	int r = sql_error(db, rc);

	if (r == 0) {
		sqlite3_busy_timeout(db, 2000);
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		r = sql_exec(db, "PRAGMA cell_size_check=1; PRAGMA foreign_keys=1; PRAGMA "
				 "temp_store=MEMORY");
	}
	if (r != 0)
		db = sql_close(db);
	*out = db;
	return r;
}

sqlite3 *sql_close(sqlite3 *db)
{
	if (db != NULL)
		sqlite3_close_v2(db);
	return NULL;
}

int sql_exec(sqlite3 *db, const char *sql)
{
	return sql_error(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

int sql_number(sqlite3 *db, const char *sql, int64_t missing, int64_t *out)
{
	sqlite3_stmt *statement = NULL;
	bool row = false;

	*out = missing;
	int r = sql_error(db, sqlite3_prepare_v2(db, sql, -1, &statement, NULL));
	if (r != 0)
		return r;
	r = sql_step(statement, &row);
	if (r == 0 && row && sqlite3_column_type(statement, 0) != SQLITE_NULL)
		*out = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return r;
}

int sql_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql)
{
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
	const char *file = rc == SQLITE_ERROR ? sqlite3_db_filename(db, "main") : NULL;
	if (rc == SQLITE_ERROR)
		log_warnx("%s: %s", file != NULL && file[0] != '\0' ? file : "sqlite",
			  sqlite3_errmsg(db));
	return sql_error(db, rc);
}

void sql_rollback(sqlite3 *db)
{
	if (db != NULL && sqlite3_get_autocommit(db) == 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

static void sql_bind_list(sqlite3_stmt *statement, const char *types, va_list list)
{
	for (int i = 1; types[i - 1] != '\0'; i++) {
		bool has = true;
		int64_t number;
		const char *text;

		switch (types[i - 1]) {
		case 'i':
			sqlite3_bind_int64(statement, i, va_arg(list, int64_t));
			break;
		case 'z':
			number = va_arg(list, int64_t);
			if (number != 0)
				sqlite3_bind_int64(statement, i, number);
			else
				sqlite3_bind_null(statement, i);
			break;
		case 'b':
			sqlite3_bind_int(statement, i, va_arg(list, int));
			break;
		case 't':
			text = va_arg(list, const char *);
			sqlite3_bind_text(statement, i, text, -1, SQLITE_STATIC);
			break;
		case 'h':
			sqlite3_bind_blob(statement, i, va_arg(list, const uint8_t *), 32,
					  SQLITE_STATIC);
			break;
		case 'o':
			has = va_arg(list, int) != 0;
			__attribute__((fallthrough));
		default: {
			double value = va_arg(list, double);
			if (has)
				sqlite3_bind_double(statement, i, value);
			else
				sqlite3_bind_null(statement, i);
		}
		}
	}
}

void sql_bind(sqlite3_stmt *statement, const char *types, ...)
{
	va_list list;

	va_start(list, types);
	sql_bind_list(statement, types, list);
	va_end(list);
}

int sql_step(sqlite3_stmt *statement, bool *row)
{
	int rc = statement != NULL ? sqlite3_step(statement) : SQLITE_BUSY;

	*row = rc == SQLITE_ROW;
	return sql_error(sqlite3_db_handle(statement), rc);
}

void sql_reset(sqlite3_stmt *statement)
{
	if (statement == NULL)
		return;
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

int sql_do(sqlite3_stmt *statement, const char *types, ...)
{
	va_list list;
	bool row;

	va_start(list, types);
	sql_bind_list(statement, types, list);
	va_end(list);
	int r = sql_step(statement, &row);
	sql_reset(statement);
	return r;
}

int sql_put_blob(sqlite3_stmt *put, const char *name, const void *data, size_t size)
{
	bool row;
	sqlite3_bind_text(put, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(put, 2, size > 0 ? data : "", size, SQLITE_STATIC);
	int r = sql_step(put, &row);
	sql_reset(put);
	return r;
}

static int copy_blob(sqlite3_stmt *row, void **data, size_t *size)
{
	*size = (size_t)sqlite3_column_bytes(row, 0);
	*data = malloc(*size + 1);
	if (*data == NULL)
		return -ENOMEM;
	if (*size > 0)
		memcpy(*data, sqlite3_column_blob(row, 0), *size);
	return 0;
}

int sql_get_blob(sqlite3_stmt *get, const char *name, void **data, size_t *size)
{
	bool row;
	*data = NULL;
	*size = 0;
	sql_bind(get, "t", name);
	int r = sql_step(get, &row);
	if (r == 0)
		r = row ? copy_blob(get, data, size) : -ENOENT;
	sql_reset(get);
	return r;
}

const char *sql_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

bool sql_hash(sqlite3_stmt *statement, int column, uint8_t out[32])
{
	if (sqlite3_column_type(statement, column) != SQLITE_BLOB ||
	    sqlite3_column_bytes(statement, column) != 32)
		return false;
	memcpy(out, sqlite3_column_blob(statement, column), 32);
	return true;
}

bool sql_double(sqlite3_stmt *statement, int column, double *out)
{
	*out = sqlite3_column_double(statement, column);
	return sqlite3_column_type(statement, column) != SQLITE_NULL;
}

int sql_set_aside(const char *path)
{
	static const char *const tails[] = {"-wal", "-shm", "-journal", ""};
	char from[4096], to[4200];
	long long now = (long long)time(NULL);

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		snprintf(from, sizeof from, "%s%s", path, tails[i]);
		snprintf(to, sizeof to, "%s.corrupt-%lld%s", path, now, tails[i]);
		if (rename(from, to) != 0 && errno != ENOENT) {
			int error = errno;
			log_warn("%s: damaged, and cannot be set aside", from);
			return -error;
		}
	}
	log_event(LOGGED_DAMAGED, ABOUT_NOTHING,
		  "%s: damaged; set aside as %s, a new one begins. Keep it: "
		  "\"sqlite3 FILE .recover\" may read most of it",
		  path, to);
	return 0;
}

int sql_sync_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) == 0 ? 0 : SQL_FATAL;
	close(fd);
	return r;
}
