/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meanfile.h"

#include "base/log.h"
#include "core/zone.h"
#include "store/sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MEAN_VERSION = 1 };

static const char schema[] =
	"CREATE TABLE monitors(id INTEGER PRIMARY KEY, site TEXT NOT NULL, factor TEXT NOT NULL,"
	" UNIQUE(site, factor));"
	"CREATE TABLE hours(hour INTEGER PRIMARY KEY, upto INTEGER NOT NULL);"
	"CREATE TABLE minutes(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"PRAGMA user_version=1;";

enum mean_sql {
	MEAN_MONITOR_ADD,
	MEAN_MONITOR_FIND,
	MEAN_PUT,
	MEAN_GET,
	MEAN_UPTO_PUT,
	MEAN_UPTO_GET,
	MEAN_STATEMENTS
};

static const char *const texts[MEAN_STATEMENTS] = {
	[MEAN_MONITOR_ADD] = "INSERT OR IGNORE INTO monitors(site, factor) VALUES(?1, ?2)",
	[MEAN_MONITOR_FIND] = "SELECT id FROM monitors WHERE site = ?1 AND factor = ?2",
	[MEAN_PUT] = "INSERT OR REPLACE INTO minutes VALUES(?1, ?2)",
	[MEAN_GET] = "SELECT data FROM minutes WHERE id = ?1",
	[MEAN_UPTO_PUT] = "INSERT OR REPLACE INTO hours VALUES(?1, ?2)",
	[MEAN_UPTO_GET] = "SELECT upto FROM hours WHERE hour = ?1",
};

struct meanfile {
	char path[4300];
	int64_t day;
	sqlite3 *db;
	sqlite3_stmt *sql[MEAN_STATEMENTS];
};

/* --- names and numbers --- */

static int64_t divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int64_t mean_hour(int64_t wall_ms)
{
	return divide(wall_ms, MEAN_HOUR_MS);
}

int64_t mean_day(int64_t hour)
{
	return divide(hour, DAY_HOURS);
}

void meanfile_folder(const char *directory, char out[static 4200])
{
	snprintf(out, 4200, "%s/means", directory);
}

static int meanfile_new(struct meanfile **out, const char *directory, int64_t day)
{
	const struct zone utc = {0};
	struct civil civil = zone_civil(&utc, day * DAY_HOURS * MEAN_HOUR_MS);
	struct meanfile *file = calloc(1, sizeof *file);
	char folder[4200];

	*out = file;
	if (file == NULL)
		return -ENOMEM;
	meanfile_folder(directory, folder);
	file->day = day;
	snprintf(file->path, sizeof file->path, "%s/%04d-%02d-%02d.db", folder, (int)civil.year,
		 civil.month, civil.day);
	return 0;
}

/* Rows lie by hour, and within it by monitor. */
static int64_t row_id(int64_t hour, int64_t monitor)
{
	return (hour - mean_day(hour) * DAY_HOURS) << 32 | monitor;
}

/* --- opening --- */

static int prepare(struct meanfile *file)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < MEAN_STATEMENTS; i++)
		r = sql_prepare(file->db, &file->sql[i], texts[i]);
	return r;
}

static void disconnect(struct meanfile *file)
{
	for (size_t i = 0; i < MEAN_STATEMENTS; i++) {
		sqlite3_finalize(file->sql[i]);
		file->sql[i] = NULL;
	}
	file->db = sql_close(file->db);
}

struct meanfile *meanfile_close(struct meanfile *file)
{
	if (file != NULL)
		disconnect(file);
	free(file);
	return NULL;
}

int64_t meanfile_day(const struct meanfile *file)
{
	return file->day;
}

/* Its tables are made in the transaction that fills them first. */
static int connect_writing(struct meanfile *file)
{
	int64_t version;
	int r = sql_open(&file->db, file->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	if (r == 0)
		r = sql_exec(file->db, "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;"
				       "BEGIN IMMEDIATE");
	if (r == 0)
		r = sql_number(file->db, "PRAGMA user_version", 0, &version);
	if (r == 0 && version == 0)
		r = sql_exec(file->db, schema);
	else if (r == 0 && version != MEAN_VERSION)
		r = -EUCLEAN;
	if (r == 0)
		r = prepare(file);
	if (r != 0)
		disconnect(file);
	return r;
}

static int make_folder(const char *directory)
{
	char folder[4200];

	meanfile_folder(directory, folder);
	if (mkdir(folder, 0750) != 0)
		return errno == EEXIST ? 0 : -errno;
	return sql_sync_directory(directory);
}

int meanfile_begin(struct meanfile **out, const char *directory, int64_t day)
{
	int r = meanfile_new(out, directory, day);

	if (r == 0)
		r = make_folder(directory);
	if (r == 0)
		r = connect_writing(*out);
	if (sql_damaged(r)) {
		log_warnx("%s: damaged, or of another version; another is begun", (*out)->path);
		r = sql_set_aside((*out)->path);
		if (r == 0)
			r = connect_writing(*out);
	}
	if (r != 0)
		*out = meanfile_close(*out);
	return r;
}

int meanfile_end(struct meanfile *file, int r)
{
	if (r == 0)
		r = sql_exec(file->db, "COMMIT");
	if (r != 0)
		sql_rollback(file->db);
	meanfile_close(file);
	return r;
}

/* Not read-only: what a kill left half done is undone by whoever opens it next. */
int meanfile_read(struct meanfile **out, const char *directory, int64_t day)
{
	struct stat about;
	int r = meanfile_new(out, directory, day);

	if (r == 0 && stat((*out)->path, &about) != 0)
		r = -errno;
	if (r == 0)
		r = sql_open(&(*out)->db, (*out)->path, SQLITE_OPEN_READWRITE);
	if (r == 0)
		r = prepare(*out);
	if (r != 0)
		*out = meanfile_close(*out);
	return r == -EINVAL ? -ENOENT : r; /* nothing is in it yet */
}

/* --- writing --- */

static int find_monitor(struct meanfile *file, const char *site, const char *factor, int64_t *id)
{
	sqlite3_stmt *find = file->sql[MEAN_MONITOR_FIND];
	bool row;

	sql_bind(find, "tt", site, factor);
	int r = sql_step(find, &row);
	*id = r == 0 && row ? sqlite3_column_int64(find, 0) : 0;
	sql_reset(find);
	return r;
}

int meanfile_put(struct meanfile *file, const char *site, const char *factor, int64_t hour,
		 const void *packed, size_t size)
{
	sqlite3_stmt *put = file->sql[MEAN_PUT];
	int64_t id;
	bool row;

	int r = find_monitor(file, site, factor, &id);
	if (r == 0 && id == 0) {
		r = sql_do(file->sql[MEAN_MONITOR_ADD], "tt", site, factor);
		if (r == 0)
			r = find_monitor(file, site, factor, &id);
	}
	if (r != 0)
		return r;
	sqlite3_bind_int64(put, 1, row_id(hour, id));
	sqlite3_bind_blob64(put, 2, packed, size, SQLITE_STATIC);
	r = sql_step(put, &row);
	sql_reset(put);
	return r;
}

int meanfile_put_upto(struct meanfile *file, int64_t hour, int64_t upto)
{
	return sql_do(file->sql[MEAN_UPTO_PUT], "ii", hour, upto);
}

/* --- reading --- */

int meanfile_get(struct meanfile *file, const char *site, const char *factor, int64_t hour,
		 struct minute minutes[static HOUR_MINUTES], bool *found)
{
	sqlite3_stmt *get = file->sql[MEAN_GET];
	int64_t id;

	*found = false;
	memset(minutes, 0, HOUR_MINUTES * sizeof *minutes);
	int r = find_monitor(file, site, factor, &id);
	if (r != 0 || id == 0)
		return r;
	sql_bind(get, "i", row_id(hour, id));
	r = sql_step(get, found);
	if (r == 0 && *found &&
	    !minutes_unpack(minutes, sqlite3_column_blob(get, 0),
			    (size_t)sqlite3_column_bytes(get, 0)))
		r = -EUCLEAN;
	sql_reset(get);
	return r;
}

int meanfile_upto(struct meanfile *file, int64_t hour, int64_t *upto)
{
	sqlite3_stmt *get = file->sql[MEAN_UPTO_GET];
	bool row;

	sql_bind(get, "i", hour);
	int r = sql_step(get, &row);
	*upto = r == 0 && row ? sqlite3_column_int64(get, 0) : 0;
	sql_reset(get);
	return r;
}
