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
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4400 };

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

/* With what lies beside it under @tail: a journal, or a log without its index. */
static int copy_beside(sqlite3 **out, const char *path, const char *tail)
{
	const char *place = getenv("TMPDIR");
	char folder[512], file[600], journal[600], from[4500];

	snprintf(folder, sizeof folder, "%.400s/ducha-verify-XXXXXX",
		 place != NULL ? place : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -errno;
	snprintf(file, sizeof file, "%s/copy.db", folder);
	snprintf(journal, sizeof journal, "%s/copy.db%s", folder, tail);
	snprintf(from, sizeof from, "%s%s", path, tail);
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

int copy_rolled_back(sqlite3 **out, const char *path)
{
	return copy_beside(out, path, "-journal");
}

int copy_open(sqlite3 **out, const char *path)
{
	*out = NULL;
	int r = copy_from(out, path, SQLITE_OPEN_READONLY);
	return r == -EROFS ? copy_rolled_back(out, path) : r;
}

int copy_or_open(sqlite3 **out, const char *path)
{
	char log[PATH_BYTES + 8], uri[3 * PATH_BYTES + 32], *end = uri;
	static const char hex[] = "0123456789abcdef";

	struct stat journal;
	snprintf(log, sizeof log, "%s-journal", path);
	if (stat(log, &journal) == 0 && journal.st_size > 0)
		return copy_rolled_back(out, path);
	snprintf(log, sizeof log, "%s-wal", path);
	bool logged = access(log, F_OK) == 0;
	snprintf(log, sizeof log, "%s-shm", path);
	if (logged && access(log, F_OK) != 0) /* to open it would make one */
		return copy_beside(out, path, "-wal");
	if (logged)
		return sql_open(out, path, SQLITE_OPEN_READONLY);
	end += sprintf(end, "file:");
	for (const char *c = path; *c != '\0'; c++) {
		if (strchr("%?#", *c) == NULL) {
			*end++ = *c;
			continue;
		}
		*end++ = '%';
		*end++ = hex[(unsigned char)*c >> 4];
		*end++ = hex[*c & 15];
	}
	strcpy(end, "?immutable=1");
	return sql_open(out, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}
