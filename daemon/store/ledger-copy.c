/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole copy of the ledger, ledger.base, behind which ledger.since goes on.
 *
 * It is made a piece at a time on the ledger's own connection, so that others come between; what
 * they write meanwhile SQLite carries along. The copy is checked before it takes the place of the
 * one before it: so every page of the ledger is read, and one that is damaged is found, at the
 * latest a day after, and with no more waiting than for a piece.
 */
#include "store/ledger-internal.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	PIECE_PAGES = 128,
	MOST_RECORDS = 20000,
	DAY_MS = 86400000,
	SETTLED_MS = 30000,
	AGAIN_MS = 600000
};
#define LEAST_BYTES INT64_C(8388608)
#define MOST_BYTES INT64_C(67108864)

struct copying {
	char path[4200], next[4210];
	sqlite3 *into;
	sqlite3_backup *backup;
	uint64_t life;
	int64_t number;
};

static int number_in(sqlite3 *db, int64_t *out)
{
	int64_t version;
	int r = sql_number(db, "PRAGMA user_version", 0, &version);

	*out = -1;
	return r != 0 || version != LEDGER_VERSION
		       ? r
		       : sql_number(db, "SELECT value FROM cursors WHERE name = 'ledger/number'",
				    -1, out);
}

int64_t ledger_copy_number(const char *directory)
{
	char path[4200];
	sqlite3 *db = NULL;
	int64_t number = -1;

	snprintf(path, sizeof path, "%s/ledger.base", directory);
	if (access(path, F_OK) != 0)
		return -1;
	int r = sql_open(&db, path, SQLITE_OPEN_READONLY);
	if (r == 0)
		r = number_in(db, &number);
	sql_close(db);
	return r == 0 ? number : -1;
}

int ledger_sound(sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	bool row = false;

	int r = sql_prepare(db, &statement, "PRAGMA quick_check(1)");
	if (r != 0)
		return r;
	r = sql_step(statement, &row);
	if (r == 0 && (!row || strcmp(sql_text(statement, 0), "ok") != 0))
		r = -EUCLEAN;
	sqlite3_finalize(statement);
	return r;
}

/* --- making it --- */

/* The ledger that the copy is of may have been replaced meanwhile. */
static bool is_same_life(const struct ledger *ledger, const struct copying *c)
{
	return ledger->db != NULL && !ledger->damaged && atomic_load(&ledger->mended) == c->life;
}

static int copy_begin(struct ledger *ledger, struct copying *c)
{
	unlink(c->next);
	int r = sql_open(&c->into, c->next, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = sql_exec(c->into, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
	pthread_mutex_lock(&ledger->lock);
	c->life = atomic_load(&ledger->mended);
	if (r == 0 && !is_same_life(ledger, c))
		r = -EAGAIN;
	if (r == 0)
		c->backup = sqlite3_backup_init(c->into, "main", ledger->db, "main");
	if (r == 0 && c->backup == NULL)
		r = sql_error(c->into, sqlite3_errcode(c->into));
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

/* Return: as sql_error(); *done: that was all. */
static int copy_piece(struct ledger *ledger, struct copying *c, bool *done)
{
	int r = -EAGAIN;

	pthread_mutex_lock(&ledger->lock);
	if (is_same_life(ledger, c)) {
		int rc = sqlite3_backup_step(c->backup, PIECE_PAGES);
		*done = rc == SQLITE_DONE;
		r = rc == SQLITE_OK || *done ? 0 : sql_error(NULL, rc);
	}
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

static void copy_end(struct ledger *ledger, struct copying *c)
{
	pthread_mutex_lock(&ledger->lock);
	if (c->backup != NULL)
		sqlite3_backup_finish(c->backup);
	c->backup = NULL;
	pthread_mutex_unlock(&ledger->lock);
	c->into = sql_close(c->into);
}

static int copy_sync(const struct copying *c)
{
	int fd = open(c->next, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) == 0 ? 0 : SQL_FATAL;
	close(fd);
	return r;
}

static int copy_check(struct copying *c)
{
	int r = sql_open(&c->into, c->next, SQLITE_OPEN_READONLY);
	if (r == 0)
		r = ledger_sound(c->into);
	if (r == 0)
		r = number_in(c->into, &c->number);
	c->into = sql_close(c->into);
	return r;
}

/* The records behind it stay; those before are in it. */
static int copy_take_place(struct ledger *ledger, const struct copying *c)
{
	int r = -EAGAIN;

	pthread_mutex_lock(&ledger->lock);
	if (is_same_life(ledger, c) && !ledger->unsettled) {
		r = rename(c->next, c->path) == 0 ? sql_sync_directory(ledger->directory) : -errno;
		if (r == 0)
			r = since_drop(&ledger->since, ledger->directory, c->number);
		atomic_store(&ledger->copy_due, r != 0);
	}
	if (r == SQL_FATAL)
		ledger->fatal = true;
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

static bool has_room(const char *path)
{
	struct statvfs disk;
	struct stat file;

	return stat(path, &file) == 0 && statvfs(path, &disk) == 0 &&
	       (int64_t)(disk.f_bavail * disk.f_frsize) > 2 * file.st_size;
}

/* What was found is mended by the next transaction. */
static void copy_found(struct ledger *ledger, const struct copying *c)
{
	pthread_mutex_lock(&ledger->lock);
	if (is_same_life(ledger, c)) {
		log_warnx("%s/ledger.db: a check of its copy finds it damaged", ledger->directory);
		ledger->damaged = true;
	}
	pthread_mutex_unlock(&ledger->lock);
}

int ledger_copy(struct ledger *ledger)
{
	struct copying c = {.into = NULL};
	bool done = false;
	char path[4200];

	snprintf(path, sizeof path, "%s/ledger.db", ledger->directory);
	snprintf(c.path, sizeof c.path, "%s/ledger.base", ledger->directory);
	snprintf(c.next, sizeof c.next, "%s.new", c.path);
	if (!has_room(path))
		return -ENOSPC;
	int r = copy_begin(ledger, &c);
	while (r == 0 && !done)
		r = copy_piece(ledger, &c, &done);
	copy_end(ledger, &c);
	if (r == 0)
		r = copy_sync(&c);
	if (r == 0)
		r = copy_check(&c);
	if (sql_damaged(r) || r == -EIO)
		copy_found(ledger, &c);
	if (r == 0)
		r = copy_take_place(ledger, &c);
	if (r != 0)
		unlink(c.next);
	return r;
}

/* --- when --- */

static bool is_long(struct ledger *ledger)
{
	char path[4200];
	struct stat file;

	snprintf(path, sizeof path, "%s/ledger.db", ledger->directory);
	int64_t most = stat(path, &file) == 0 ? file.st_size / 4 : 0;
	most = most < LEAST_BYTES ? LEAST_BYTES : most > MOST_BYTES ? MOST_BYTES : most;
	pthread_mutex_lock(&ledger->lock);
	bool is = ledger->since.last.at > most || ledger->since.records > MOST_RECORDS;
	pthread_mutex_unlock(&ledger->lock);
	return is;
}

/* A start has other things to do first. */
static bool is_due(struct ledger *ledger, int64_t mono_ms)
{
	if (ledger->begun_ms == 0)
		ledger->begun_ms = ledger->copied_ms = mono_ms;
	if (atomic_load(&ledger->copy_due))
		return mono_ms >= ledger->begun_ms + SETTLED_MS;
	return mono_ms >= ledger->copied_ms + DAY_MS || is_long(ledger);
}

int ledger_keep_copy(struct ledger *ledger, int64_t mono_ms)
{
	if (ledger->directory == NULL || !is_due(ledger, mono_ms))
		return 0;
	int r = ledger_copy(ledger);
	if (r == 0 || sql_damaged(r))
		ledger->copied_ms = mono_ms;
	else
		ledger->begun_ms = mono_ms + AGAIN_MS - SETTLED_MS;
	return r == -EAGAIN || r == -ENOSPC ? 0 : r;
}
