/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments: the files of cases and marks, of which the ledger keeps size and SHA-256. No rule
 * removes one. What nobody names was left by a kill before the ledger spoke of it, and is no
 * evidence.
 */
#include "verify/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4400, NAME_BYTES = 2 * CHAIN_HASH_BYTES };

/* Each with who names it: a step of a case, or a mark. */
static const char named[] =
	"SELECT sha256, bytes, file, 'step ' || id || ' of case ' || case_id, 0, id FROM history"
	" WHERE sha256 IS NOT NULL UNION ALL SELECT sha256, bytes, file, 'mark ' || id, 1, id"
	" FROM marks WHERE sha256 IS NOT NULL ORDER BY 5, 6";

static int missing(struct verify *v, sqlite3_stmt *row, const char *how)
{
	const char *file = sql_text(row, 2);

	return verify_bad(v, "attachments/%s: %s (%s of %s)", sql_text(row, 0), how,
			  file != NULL ? file : "a file", sql_text(row, 3));
}

static int bytes_digest(struct verify *v, int fd, uint8_t out[CHAIN_HASH_BYTES])
{
	uint8_t block[65536];
	ssize_t n;

	hash_begin(v->digest);
	while ((n = read(fd, block, sizeof block)) > 0)
		hash_add(v->digest, block, (size_t)n);
	return n < 0 ? -errno : hash_end(v->digest, out);
}

static int file_check(struct verify *v, sqlite3_stmt *row, int fd)
{
	uint8_t is[CHAIN_HASH_BYTES];
	char hex[CHAIN_HEX_BYTES];
	struct stat about;

	if (fstat(fd, &about) != 0)
		return -errno;
	if (!S_ISREG(about.st_mode))
		return missing(v, row, "it is no file");
	if (about.st_size != sqlite3_column_int64(row, 1))
		return missing(v, row, "it has not the size that it had");
	int r = bytes_digest(v, fd, is);
	chain_hex(hex, is, sizeof is);
	if (r == 0 && strcmp(hex, sql_text(row, 0)) != 0)
		return missing(v, row, "it is not what it was");
	v->sum->attachments++;
	return r;
}

static int one_check(struct verify *v, sqlite3_stmt *row)
{
	const char *name = sql_text(row, 0);
	uint8_t hash[CHAIN_HASH_BYTES];
	char path[PATH_BYTES];

	if (strlen(name) != NAME_BYTES || !chain_unhex(hash, sizeof hash, name))
		return verify_bad(v, "ledger.db: %s names a file by what is no SHA-256",
				  sql_text(row, 3));
	snprintf(path, sizeof path, "%s/attachments/%s", v->setup->directory, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return missing(v, row, errno == ENOENT ? "there is no such file" : strerror(errno));
	int r = file_check(v, row, fd);
	close(fd);
	return r;
}

static int is_named(sqlite3_stmt *find, const char *name, bool *yes)
{
	sql_bind(find, "t", name);
	int r = sql_step(find, yes);
	sql_reset(find);
	return r;
}

static int unnamed_note(struct verify *v, sqlite3_stmt *find)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	int r = 0;

	snprintf(path, sizeof path, "%s/attachments", v->setup->directory);
	DIR *folder = opendir(path);
	while (r == 0 && folder != NULL && (entry = readdir(folder)) != NULL) {
		bool yes = entry->d_name[0] == '.';
		if (!yes)
			r = is_named(find, entry->d_name, &yes);
		if (r == 0 && !yes)
			verify_note(v, "attachments/%s: no case and no mark names it",
				    entry->d_name);
	}
	if (folder != NULL)
		closedir(folder);
	return r;
}

int attachments_check(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *list = NULL, *find = NULL;
	bool row = false;

	int r = sql_prepare(db, &list, named);
	if (r == 0)
		r = sql_prepare(db, &find,
				"SELECT 1 FROM history WHERE sha256 = ?1 UNION ALL"
				" SELECT 1 FROM marks WHERE sha256 = ?1");
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		r = one_check(v, list);
		if (r == 0)
			r = sql_step(list, &row);
	}
	if (r == 0)
		r = unnamed_note(v, find);
	sqlite3_finalize(list);
	sqlite3_finalize(find);
	return r;
}
