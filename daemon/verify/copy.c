/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database as a copy in memory. A kill in the midst of a commit leaves a journal beside the file;
 * that is rolled back in a second copy on disk, since what is verified is never written to.
 */
#include "verify/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_pages(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");

	if (backup == NULL)
		return sql_error(to, sqlite3_errcode(to));
	int rc = sqlite3_backup_step(backup, -1);
	sqlite3_backup_finish(backup);
	return rc == SQLITE_DONE ? 0 : sql_error(from, rc != SQLITE_OK ? rc : SQLITE_IOERR);
}

static int copy_from(sqlite3 **out, const char *path, int flags)
{
	sqlite3 *file = NULL;
	int r = sql_open(&file, path, flags);

	if (r == 0)
		r = sql_open(out, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (r == 0)
		r = copy_pages(*out, file);
	sql_close(file);
	if (r != 0)
		*out = sql_close(*out);
	return r;
}

static int copy_bytes(int from, int to)
{
	struct stat about;
	if (fstat(from, &about) != 0)
		return -errno;
	for (off_t left = about.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	return 0;
}

static int copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = in < 0 || out < 0 ? -errno : copy_bytes(in, out);

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

int copy_rolled_back(sqlite3 **out, const char *path)
{
	const char *place = getenv("TMPDIR");
	char folder[512], file[600], journal[600], from[4500];

	snprintf(folder, sizeof folder, "%.400s/ducha-verify-XXXXXX",
		 place != NULL ? place : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -errno;
	snprintf(file, sizeof file, "%s/copy.db", folder);
	snprintf(journal, sizeof journal, "%s/copy.db-journal", folder);
	snprintf(from, sizeof from, "%s-journal", path);
	int r = copy_file(path, file);
	if (r == 0)
		r = copy_file(from, journal);
	if (r == 0)
		r = copy_from(out, file, SQLITE_OPEN_READWRITE);
	unlink(journal);
	unlink(file);
	rmdir(folder);
	return r;
}

int copy_open(sqlite3 **out, const char *path)
{
	*out = NULL;
	int r = copy_from(out, path, SQLITE_OPEN_READONLY);
	return r == -EROFS ? copy_rolled_back(out, path) : r;
}
