/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-file.h"

#include "base/log.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * latest: of each monitor the newest sequence in blocks that are closed, so that a start finds the
 * last readings without going through the file.
 */
static const char day_schema[] =
	"CREATE TABLE readings(seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, ring INTEGER NOT "
	"NULL,"
	" rseq INTEGER NOT NULL, monitor INTEGER NOT NULL, measured_ms INTEGER NOT NULL,"
	" received_ms INTEGER NOT NULL, value REAL, flag TEXT NOT NULL, raw INTEGER NOT NULL);"
	"CREATE TABLE monitors(id INTEGER PRIMARY KEY, site TEXT NOT NULL, factor TEXT NOT NULL,"
	" latest INTEGER NOT NULL DEFAULT 0, UNIQUE(site, factor));"
	"CREATE TABLE blocks(first INTEGER PRIMARY KEY, last INTEGER NOT NULL,"
	" min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL);"
	"CREATE TABLE rings(boot INTEGER NOT NULL, ring INTEGER NOT NULL, rseq INTEGER NOT NULL,"
	" PRIMARY KEY(boot, ring)) WITHOUT ROWID;";

/* Since version 2: readings that were judged and passed over, while the disk was behind. */
static const char day_schema_2[] =
	"CREATE TABLE gaps(monitor INTEGER NOT NULL, from_ms INTEGER NOT NULL,"
	" to_ms INTEGER NOT NULL, count INTEGER NOT NULL);";

/*
 * Since version 3: the chain, one row a commit (core/chain.h). chain_begin, one row, says behind
 * which batch the file goes on, and what was in it before it was chained.
 */
static const char day_schema_3[] =
	"CREATE TABLE chain(batch INTEGER PRIMARY KEY, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, monitors INTEGER NOT NULL, gaps INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL, mono_ms INTEGER NOT NULL, clock_error_us INTEGER NOT NULL,"
	" hash BLOB NOT NULL);"
	"CREATE TABLE chain_begin(batch INTEGER NOT NULL, hash BLOB NOT NULL, seq INTEGER NOT NULL,"
	" monitors INTEGER NOT NULL, gaps INTEGER NOT NULL, name TEXT NOT NULL);";

/* Since version 4: which bytes of the file of frames (daybook-frames.h) a batch brought. */
static const char day_schema_4[] =
	"CREATE TABLE frames(batch INTEGER PRIMARY KEY, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, digest BLOB NOT NULL);"
	"PRAGMA user_version=4;";

const char *const day_schemas[DAY_VERSION] = {day_schema, day_schema_2, day_schema_3, day_schema_4};

/* "2026-01-02.db" or "2026-01-02.7.db" */
static bool day_name_valid(const char *name)
{
	static const char shape[] = "dddd-dd-dd.";
	size_t i = 0;

	for (; shape[i] != '\0'; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)name[i]) : name[i] != shape[i])
			return false;
	size_t digits = strspn(name + i, "0123456789");
	if (digits > 0 && digits < 10 && name[i + digits] == '.')
		i += digits + 1;
	return strcmp(name + i, "db") == 0;
}

static int day_name_compare(const void *a, const void *b)
{
	return strverscmp(((const struct day_name *)a)->text, ((const struct day_name *)b)->text);
}

int day_list(const char *directory, struct day_name **out, size_t *n)
{
	struct day_name *names = NULL;
	size_t capacity = 0;
	DIR *dir = opendir(directory);

	*out = NULL;
	*n = 0;
	if (dir == NULL)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (!day_name_valid(entry->d_name))
			continue;
		if (*n == capacity) {
			void *grown = reallocarray(names, capacity * 2 + 16, sizeof *names);
			if (grown == NULL) {
				free(names);
				closedir(dir);
				*n = 0;
				return -ENOMEM;
			}
			names = grown;
			capacity = capacity * 2 + 16;
		}
		snprintf(names[*n].text, sizeof names[*n].text, "%.31s", entry->d_name);
		++*n;
	}
	closedir(dir);
	if (*n > 0)
		qsort(names, *n, sizeof *names, day_name_compare);
	*out = names;
	return 0;
}

int64_t day_of(const struct zone *zone, int64_t wall_ms)
{
	int64_t local_s =
		(wall_ms >= 0 ? wall_ms : wall_ms - 999) / 1000 + zone_offset_s(zone, wall_ms);
	return (local_s >= 0 ? local_s : local_s - 86399) / 86400;
}

/* Is NAME, or a damaged NAME set aside, in the directory? */
static int day_used(const char *directory, const char *name, bool *used)
{
	size_t length = strlen(name);
	DIR *dir = opendir(directory);

	*used = false;
	if (dir == NULL)
		return -errno;
	for (struct dirent *entry; !*used && (entry = readdir(dir)) != NULL;)
		*used = strncmp(entry->d_name, name, length) == 0;
	closedir(dir);
	return 0;
}

int day_choose(const char *directory, const struct zone *zone, int64_t wall_ms,
	       struct day_name *out)
{
	struct civil day = zone_civil(zone, wall_ms);
	bool used = true;

	for (unsigned i = 0; used; i++) {
		int n = snprintf(out->text, sizeof out->text, "%04d-%02d-%02d", (int)day.year,
				 day.month, day.day);
		if (i > 0)
			n += snprintf(out->text + n, sizeof out->text - (size_t)n, ".%u", i);
		snprintf(out->text + n, sizeof out->text - (size_t)n, ".db");
		int r = day_used(directory, out->text, &used);
		if (r != 0)
			return r;
	}
	return 0;
}

static int day_schema_begin(sqlite3 *db, const char *path)
{
	int64_t version;
	int r = sql_number(db, "PRAGMA user_version", 0, &version);

	if (r != 0 || version == DAY_VERSION)
		return r;
	if (version > DAY_VERSION) {
		log_warnx("%s: written by a newer ducha", path);
		return -EPROTONOSUPPORT;
	}
	r = sql_exec(db, "BEGIN IMMEDIATE");
	for (; r == 0 && version < DAY_VERSION; version++)
		r = sql_exec(db, day_schemas[version]);
	if (r == 0)
		r = sql_exec(db, "COMMIT");
	sql_rollback(db);
	return r;
}

/* Checkpoints are ours alone: SQLite's own would hide a failed fsync. */
int day_open_write(sqlite3 **out, const char *path)
{
	sqlite3 *db;
	int r = sql_open(&db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	if (r == 0)
		r = sql_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
				 " PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=8388608;"
				 " PRAGMA cache_size=-512");
	if (r == 0)
		r = day_schema_begin(db, path);
	if (r != 0)
		db = sql_close(db);
	*out = db;
	return r;
}

/* A kill while the file was made, before its log was, leaves a journal to be rolled back. */
static int roll_back(const char *path)
{
	sqlite3 *db;
	int64_t schema;
	int r = sql_open(&db, path, SQLITE_OPEN_READWRITE);

	if (r == 0)
		r = sql_number(db, "PRAGMA schema_version", 0, &schema);
	sql_close(db);
	return r;
}

int day_open_read(sqlite3 **out, const char *path)
{
	int64_t schema;
	int r = sql_open(out, path, SQLITE_OPEN_READONLY);

	if (r != 0 || sql_number(*out, "PRAGMA schema_version", 0, &schema) != -EROFS)
		return r;
	*out = sql_close(*out);
	r = roll_back(path);
	return r != 0 ? r : sql_open(out, path, SQLITE_OPEN_READONLY);
}

int day_chain_head(sqlite3 *db, struct chain_head *out)
{
	sqlite3_stmt *last = NULL;
	int64_t tables = 0;
	bool row = false;

	*out = (struct chain_head){0};
	int r = sql_number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'chain'", 0,
			   &tables);
	if (r != 0 || tables == 0)
		return r;
	r = sql_prepare(db, &last, "SELECT batch, hash FROM chain ORDER BY batch DESC LIMIT 1");
	if (r == 0)
		r = sql_step(last, &row);
	if (r == 0 && row) {
		out->number = sqlite3_column_int64(last, 0);
		if (!sql_hash(last, 1, out->hash))
			r = -EUCLEAN;
	}
	sqlite3_finalize(last);
	return r;
}

int day_batches(sqlite3 *db, int64_t *first, int64_t *last)
{
	struct chain_head head;

	*first = 0;
	int r = day_chain_head(db, &head);
	if (r == 0 && head.number != 0)
		r = sql_number(db, "SELECT min(batch) FROM chain", 0, first);
	*last = head.number;
	return r;
}

int day_shape(sqlite3 *db)
{
	return sql_exec(db, DAY_COLUMNS "LIMIT 0; SELECT id, site, factor FROM monitors LIMIT 0;"
					" SELECT first, last, min_ms, max_ms FROM blocks LIMIT 0");
}

int day_bounds(sqlite3 *db, int64_t *first, int64_t *last)
{
	int r = sql_number(db, "SELECT min(seq) FROM readings", 0, first);
	if (r == 0)
		r = sql_number(db, "SELECT max(seq) FROM readings", 0, last);
	return r;
}

int day_tail(sqlite3 *db, struct day_block *out)
{
	sqlite3_stmt *tail = NULL;
	bool row = false;

	*out = (struct day_block){0};
	int r = sql_prepare(
		db, &tail,
		"SELECT min(seq), max(seq), min(measured_ms), max(measured_ms) FROM readings"
		" WHERE seq > (SELECT coalesce(max(last), 0) FROM blocks)");
	if (r != 0)
		return r;
	r = sql_step(tail, &row);
	if (r == 0 && row)
		*out = (struct day_block){
			sqlite3_column_int64(tail, 0), sqlite3_column_int64(tail, 1),
			sqlite3_column_int64(tail, 2), sqlite3_column_int64(tail, 3)};
	sqlite3_finalize(tail);
	return r;
}

static int day_monitor_put(struct day_monitors *monitors, sqlite3_stmt *row,
			   const struct plan *plan)
{
	size_t id = (size_t)sqlite3_column_int64(row, 0);

	if (id >= monitors->capacity) {
		size_t more = monitors->capacity * 2 > id ? monitors->capacity * 2 : id + 1;
		void *grown = reallocarray(monitors->at, more, sizeof *monitors->at);
		if (grown == NULL)
			return -ENOMEM;
		monitors->at = grown;
		memset(monitors->at + monitors->capacity, 0,
		       (more - monitors->capacity) * sizeof *monitors->at);
		monitors->capacity = more;
	}
	monitors->n = id + 1; /* rows come by id: those beyond were not read yet */
	struct day_monitor *m = &monitors->at[id];
	m->site = strdup(sql_text(row, 1));
	m->factor = strdup(sql_text(row, 2));
	if (m->site == NULL || m->factor == NULL)
		return -ENOMEM;
	m->monitor = plan_monitor(plan, m->site, m->factor);
	return 0;
}

int day_monitors_read(sqlite3 *db, const struct plan *plan, struct day_monitors *out)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	day_monitors_free(out);
	int r = sql_prepare(db, &list, "SELECT id, site, factor FROM monitors ORDER BY id");
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		r = day_monitor_put(out, list, plan);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

void day_monitors_free(struct day_monitors *monitors)
{
	for (size_t i = 0; i < monitors->n; i++) {
		free(monitors->at[i].site);
		free(monitors->at[i].factor);
	}
	free(monitors->at);
	*monitors = (struct day_monitors){0};
}

void day_row(sqlite3_stmt *statement, struct daybook_row *out, int64_t *id)
{
	const char *flag = sql_text(statement, 8);
	struct reading *reading = &out->reading;

	*out = (struct daybook_row){.sequence = sqlite3_column_int64(statement, 0),
				    .monitor = NO_INDEX,
				    .boot = sqlite3_column_int64(statement, 1)};
	*id = sqlite3_column_int64(statement, 4);
	reading->ring = (uint8_t)sqlite3_column_int(statement, 2);
	reading->seq = (uint64_t)sqlite3_column_int64(statement, 3);
	reading->measured_ms = sqlite3_column_int64(statement, 5);
	reading->received_ms = sqlite3_column_int64(statement, 6);
	reading->has_value = sql_double(statement, 7, &reading->value);
	reading->flag = flag != NULL ? (uint8_t)flag[0] : 0;
	reading->raw = (uint64_t)sqlite3_column_int64(statement, 9);
	reading->monitor = NO_INDEX;
}

int64_t day_number(const struct day_name *name)
{
	static const struct zone utc;
	struct civil day = {0};
	int year = 1970;

	if (sscanf(name->text, "%d-%d-%d", &year, &day.month, &day.day) != 3)
		return 0;
	day.year = year;
	return zone_wall_ms(&utc, &day, 0) / 86400000;
}
