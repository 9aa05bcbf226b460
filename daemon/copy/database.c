/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database of a daemon that goes on, as of one moment. Its own file is opened by SQLite alone: to
 * close another descriptor of it would drop the locks that a connection of this process holds.
 */
#include "copy/internal.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A daemon waits two seconds for the ledger, and tries again after that; what was read once is in
 * memory the next time. */
enum { HELD_MS = 1500, TRIES = 5, PAGES = 256 };

static int64_t mono_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- through SQLite --- */

static int pages_step(struct copy *c, sqlite3_backup *backup, int64_t until_ms)
{
	int rc = SQLITE_OK, left = 0;

	while (rc == SQLITE_OK) {
		rc = sqlite3_backup_step(backup, PAGES);
		int now = sqlite3_backup_remaining(backup);
		copy_went(c, left > now ? (int64_t)(left - now) * 4096 : 0);
		left = now;
		if (rc == SQLITE_OK && until_ms != 0 && mono_ms() > until_ms)
			return -ETIME;
	}
	return rc == SQLITE_DONE ? 0 : rc == SQLITE_BUSY || rc == SQLITE_LOCKED ? -EBUSY : -EIO;
}

static int pages_copy(struct copy *c, sqlite3 *from, sqlite3 *to, bool logged)
{
	int64_t tables;
	int r = sql_exec(to, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY");

	if (r == 0)
		r = sql_exec(from, "BEGIN");
	if (r == 0) /* the moment */
		r = sql_number(from, "SELECT count(*) FROM sqlite_master", 0, &tables);
	int64_t began_ms = mono_ms();
	sqlite3_backup *backup = r == 0 ? sqlite3_backup_init(to, "main", from, "main") : NULL;
	if (r == 0 && backup == NULL)
		r = sql_error(to, sqlite3_errcode(to));
	if (r == 0)
		r = pages_step(c, backup, logged ? 0 : began_ms + HELD_MS);
	int rc = sqlite3_backup_finish(backup);
	if (r == 0 && rc != SQLITE_OK)
		r = sql_error(to, rc);
	sql_rollback(from);
	if (!logged)
		c->sum->held_ms = mono_ms() - began_ms;
	return r;
}

static int base_copy_once(struct copy *c, const char *from_path, const char *to_path, bool logged)
{
	sqlite3 *from = NULL, *to = NULL;

	unlink(to_path);
	int r = sql_open(&from, from_path, SQLITE_OPEN_READONLY);
	if (r == 0)
		r = sql_open(&to, to_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = pages_copy(c, from, to, logged);
	sql_close(to);
	sql_close(from);
	return r;
}

static int file_settle(const char *path, mode_t mode)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int r = fd < 0 || fchmod(fd, mode) != 0 || fsync(fd) != 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static int base_copy(struct copy *c, const char *name, bool logged)
{
	char from[COPY_PATH_BYTES], to[COPY_PATH_BYTES];
	struct stat was;
	int r = -ETIME;

	copy_from(c, from, name);
	copy_to(c, to, name);
	if (stat(from, &was) != 0)
		return -errno;
	for (int tries = 0; (r == -ETIME || r == -EBUSY) && tries < TRIES; tries++)
		r = base_copy_once(c, from, to, logged);
	if (r == 0)
		r = file_settle(to, was.st_mode & 0777);
	return r == 0 ? copied_note(c, name, &was, false) : r;
}

/* --- as bytes, where nobody writes --- */

static int64_t size_of(const struct copy *c, const char *name, const char *tail)
{
	char path[COPY_PATH_BYTES], whole[COPY_NAME_BYTES + 16];
	struct stat about;

	snprintf(whole, sizeof whole, "%s%s", name, tail);
	copy_from(c, path, whole);
	return stat(path, &about) == 0 ? about.st_size : -1;
}

/* With what a daemon that was killed left beside it. Return: -EAGAIN: somebody writes to it */
static int bytes_copy(struct copy *c, const char *name, const char *tail)
{
	char beside[COPY_NAME_BYTES + 16];
	int64_t size = size_of(c, name, tail);
	int r = file_copy(c, name, false);

	snprintf(beside, sizeof beside, "%s%s", name, tail);
	if (r == 0 && size > 0)
		r = file_copy(c, beside, false);
	if (r != 0)
		return r;
	return copied_find(c, name)->whole && size_of(c, name, tail) == size &&
			       file_unchanged(c, name)
		       ? 0
		       : -EAGAIN;
}

static void drop(const struct copy *c, const char *name, const char *tail)
{
	char path[COPY_PATH_BYTES], whole[COPY_NAME_BYTES + 16];

	snprintf(whole, sizeof whole, "%s%s", name, tail);
	copy_to(c, path, whole);
	unlink(path);
}

/* A log that holds something and has its index is somebody's: SQLite reads both. Without an index
 * nobody has it open, and to open it would make one. */
static int logged_copy(struct copy *c, const char *name)
{
	bool open = size_of(c, name, "-wal") > 0 && size_of(c, name, "-shm") >= 0;
	int r = open ? -EAGAIN : bytes_copy(c, name, "-wal");

	if (r != -EAGAIN)
		return r;
	drop(c, name, "-wal");
	return base_copy(c, name, true);
}

int database_copy(struct copy *c, const char *name, bool logged)
{
	char path[COPY_PATH_BYTES];

	copy_from(c, path, name);
	if (access(path, F_OK) != 0)
		return errno == ENOENT ? -ENOENT : copy_failed(c, -errno, "%s", path);
	bool journal = !logged && size_of(c, name, "-journal") > 0;
	int r = logged ? logged_copy(c, name) : base_copy(c, name, false);
	if (r == -EROFS && journal) /* nobody has it open: whoever reads it rolls it back */
		r = bytes_copy(c, name, "-journal");
	if (r == -ETIME || r == -EBUSY)
		return copy_failed(c, r,
				   "%s: it cannot be read within the time that a daemon waits for "
				   "it; try again, or stop the daemon",
				   path);
	return r == 0 || r == -ENOENT || r == -EAGAIN ? r : copy_failed(c, r, "%s", path);
}
