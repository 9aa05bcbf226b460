/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/internal.h"

#include "core/sealline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MOMENTS = 5 };
#define SPARE_ROOM INT64_C(8388608)

int copy_failed(struct copy *c, int r, const char *format, ...)
{
	char what[COPY_PATH_BYTES + 200], sentence[sizeof what + 200];
	va_list list;

	if (c->said)
		return r;
	va_start(list, format);
	vsnprintf(what, sizeof what, format, list);
	va_end(list);
	bool whole = strstr(format, ": ") != NULL; /* it says why */
	snprintf(sentence, sizeof sentence, "%s%s%s", what, whole ? "" : ": ",
		 whole ? "" : strerror(-r));
	c->said = true;
	c->setup->failed(c->setup->context, sentence);
	return r;
}

/* --- what there is --- */

static bool ends(const char *name, const char *tail)
{
	size_t length = strlen(name), n = strlen(tail);

	return length >= n && strcmp(name + length - n, tail) == 0;
}

/* What belongs to a database, or is about to become something. */
static bool is_beside(const char *name)
{
	static const char *const tails[] = {"-wal", "-shm", "-journal", ".new", ".part", ".copy"};

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
		if (ends(name, tails[i]))
			return true;
	return name[0] == '.' || strcmp(name, "lock") == 0;
}

typedef int (*name_fn)(struct copy *c, const char *name);

/* The files of a folder ("": the top), the last by name first. What is no file is passed over. */
static int names_each(struct copy *c, const char *folder, name_fn fn)
{
	char path[COPY_PATH_BYTES], name[COPY_NAME_BYTES];
	struct dirent **names;
	struct stat about;
	int r = 0;

	copy_from(c, path, folder);
	int n = scandir(path, &names, NULL, versionsort);
	if (n < 0)
		return errno == ENOENT ? 0 : copy_failed(c, -errno, "%s", path);
	for (int i = n - 1; i >= 0; i--) {
		snprintf(name, sizeof name, "%s%s%s", folder, folder[0] != '\0' ? "/" : "",
			 names[i]->d_name);
		copy_from(c, path, name);
		if (r == 0 && !is_beside(names[i]->d_name) && lstat(path, &about) == 0 &&
		    S_ISREG(about.st_mode))
			r = fn(c, name);
		free(names[i]);
	}
	free(names);
	return r;
}

static const char *const folders[] = {"daybook", "seals", "attachments", "rejected"};
enum { FOLDERS = sizeof folders / sizeof folders[0] };

/* --- before it begins --- */

static int size_add(struct copy *c, const char *name)
{
	char path[COPY_PATH_BYTES];
	struct stat about;

	copy_from(c, path, name);
	if (stat(path, &about) == 0)
		c->of += about.st_size;
	return 0;
}

static int room_check(struct copy *c)
{
	struct statvfs disk;

	int r = names_each(c, "", size_add);
	for (size_t i = 0; r == 0 && i < FOLDERS; i++)
		r = names_each(c, folders[i], size_add);
	if (r != 0)
		return r;
	if (statvfs(c->setup->to, &disk) != 0)
		return copy_failed(c, -errno, "%s", c->setup->to);
	int64_t free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
	if (free_bytes >= c->of + SPARE_ROOM)
		return 0;
	return copy_failed(c, -ENOSPC, "%s: there is no room: %lld MiB are needed, %lld are free",
			   c->setup->to, (long long)((c->of + SPARE_ROOM) >> 20),
			   (long long)(free_bytes >> 20));
}

static bool is_empty(const char *path)
{
	struct dirent *entry;
	DIR *folder = opendir(path);
	bool empty = folder != NULL;

	while (empty && (entry = readdir(folder)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (folder != NULL)
		closedir(folder);
	return empty;
}

static bool is_store(const char *path)
{
	char ledger[PATH_MAX + 16];
	struct stat about;

	snprintf(ledger, sizeof ledger, "%s/ledger.db", path);
	return stat(ledger, &about) == 0;
}

static bool is_within(const char *path, const char *folder)
{
	char a[PATH_MAX], b[PATH_MAX];

	if (realpath(path, a) == NULL || realpath(folder, b) == NULL)
		return false;
	size_t n = strlen(b);
	return strncmp(a, b, n) == 0 && (a[n] == '/' || a[n] == '\0');
}

static int unfinished(struct copy *c, bool begin)
{
	char path[COPY_PATH_BYTES];

	copy_to(c, path, COPY_UNFINISHED);
	if (!begin)
		return unlink(path) == 0 ? folder_sync(c, "") : copy_failed(c, -errno, "%s", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return copy_failed(c, -errno, "%s", path);
	close(fd);
	return folder_sync(c, "");
}

static int target_make(struct copy *c)
{
	const char *from = c->setup->from, *to = c->setup->to;

	if (!is_store(from))
		return copy_failed(c, -ENOENT, "%s: there is no ledger.db in it", from);
	if (mkdir(to, 0750) != 0 && errno != EEXIST)
		return copy_failed(c, -errno, "%s", to);
	if (is_within(to, from)) {
		if (is_empty(to))
			rmdir(to);
		return copy_failed(c, -EEXIST, "%s: it lies in the store itself", to);
	}
	if (!is_empty(to))
		return copy_failed(c, -EEXIST, "%s: it is no empty directory", to);
	int r = room_check(c);
	return r == 0 ? unfinished(c, true) : r;
}

/* --- what takes long, and stays as it is --- */

static int gone_is_fine(int r)
{
	return r == -ENOENT || r == -EAGAIN ? 0 : r;
}

static int plain_copy(struct copy *c, const char *name)
{
	return file_unchanged(c, name) ? 0 : gone_is_fine(file_copy(c, name, false));
}

static bool is_top_special(const char *name)
{
	return strcmp(name, "ledger.db") == 0 || strcmp(name, "tally.db") == 0 ||
	       strcmp(name, COPY_UNFINISHED) == 0;
}

/* numbers, spare and what was set aside. */
static int top_copy(struct copy *c, const char *name)
{
	return is_top_special(name) ? 0 : plain_copy(c, name);
}

static bool is_day(const char *name)
{
	return ends(name, ".db");
}

/* What its log holds is not in the file, which stays as it is meanwhile. */
static bool has_log(const struct copy *c, const char *name)
{
	char path[COPY_PATH_BYTES], log[COPY_NAME_BYTES + 8];
	struct stat about;

	snprintf(log, sizeof log, "%s-wal", name);
	copy_from(c, path, log);
	return stat(path, &about) == 0 && about.st_size > 0;
}

/* Days that are closed: the newest has a log, and so has one that a kill left. */
static int closed_copy(struct copy *c, const char *name)
{
	return is_day(name) && has_log(c, name) ? 0 : plain_copy(c, name);
}

static int bulk_copy(struct copy *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < FOLDERS; i++) {
		r = gone_is_fine(folder_make(c, folders[i]));
		if (r == 0 && strcmp(folders[i], "seals") != 0)
			r = names_each(c, folders[i], closed_copy);
	}
	return r;
}

/* --- the moment --- */

static int lines_copy(struct copy *c, const char *name)
{
	return file_unchanged(c, name) ? 0 : gone_is_fine(file_copy(c, name, true));
}

static bool is_seals(const char *name)
{
	return ends(name, ".seals");
}

static int seals_copy_one(struct copy *c, const char *name)
{
	return is_seals(name) ? lines_copy(c, name) : plain_copy(c, name);
}

/* The keys first, and again: a seal by a key that came meanwhile would have none. The newest seals
 * before those of earlier days, which had their last line before the first of the newest. */
static int seals_copy(struct copy *c)
{
	int r = 0;

	do {
		r = gone_is_fine(file_copy(c, "seals/keys", true));
		if (r == 0)
			r = names_each(c, "seals", seals_copy_one);
	} while (r == 0 && copied_find(c, "seals/keys") != NULL &&
		 !file_unchanged(c, "seals/keys"));
	return r;
}

/* Frames that were there, and go: the ledger says it by then. */
static int frames_copy(struct copy *c, const char *name)
{
	bool had = copied_find(c, name) != NULL;
	int r = file_unchanged(c, name) ? 0 : file_copy(c, name, false);

	return r == -ENOENT ? had ? -EAGAIN : 0 : r;
}

static int day_copy(struct copy *c, const char *name)
{
	char frames[COPY_NAME_BYTES];

	if (!is_day(name))
		return 0;
	bool kept = !has_log(c, name) && file_unchanged(c, name);
	int r = kept ? 0 : database_copy(c, name, true);
	snprintf(frames, sizeof frames, "%.*s.frames", (int)(strlen(name) - 3), name);
	if (r == 0)
		r = frames_copy(c, frames);
	return r == -ENOENT ? -EAGAIN : r;
}

/* Days that the keeper has taken away: the ledger, which is read next, says so. */
static int gone_drop(struct copy *c)
{
	char from[COPY_PATH_BYTES], to[COPY_PATH_BYTES];

	for (size_t i = 0; i < c->n; i++) {
		copy_from(c, from, c->at[i].name);
		copy_to(c, to, c->at[i].name);
		if (strncmp(c->at[i].name, "daybook/", 8) != 0 || access(from, F_OK) == 0 ||
		    errno != ENOENT)
			continue;
		if (unlink(to) != 0 && errno != ENOENT)
			return copy_failed(c, -errno, "%s", to);
	}
	return 0;
}

static const struct copied *newest_seals(const struct copy *c)
{
	const struct copied *newest = NULL;

	for (size_t i = 0; i < c->n; i++)
		if (is_seals(c->at[i].name) &&
		    (newest == NULL || strcmp(c->at[i].name, newest->name) > 0))
			newest = &c->at[i];
	return newest;
}

/* The last line of the copied seals. Return: false: there is none */
static bool last_seal(const struct copy *c, const char *name, struct seal_line *out)
{
	char path[COPY_PATH_BYTES], tail[2 * SEAL_LINE_MOST];
	size_t length;

	copy_to(c, path, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t at = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
	ssize_t n = fd < 0 ? 0 : pread(fd, tail, sizeof tail, at);
	if (fd >= 0)
		close(fd);
	if (n < 2 || tail[n - 1] != '\n')
		return false;
	const char *before = memrchr(tail, '\n', (size_t)n - 1);
	const char *line = before == NULL ? tail : before + 1;
	return seal_line_parse(line, (size_t)(tail + n - 1 - line), out, &length) == NULL;
}

static int newer_find(struct copy *c, const char *name)
{
	return is_seals(name) && copied_find(c, name) == NULL ? -EAGAIN : 0;
}

/* Behind the seal of a clean stop nothing is written: a daemon that began since has its own. */
static int begun_check(struct copy *c)
{
	const struct copied *newest = newest_seals(c);
	struct seal_line last;

	if (newest == NULL || !last_seal(c, newest->name, &last) || last.reason != SEAL_STOP)
		return 0;
	return file_unchanged(c, newest->name) ? names_each(c, "seals", newer_find) : -EAGAIN;
}

static int tally_copy(struct copy *c)
{
	int r = database_copy(c, "tally.db", true);

	return r == -ENOENT ? 0 : r;
}

static int moment_copy(struct copy *c)
{
	int r = names_each(c, "", top_copy);

	if (r == 0)
		r = seals_copy(c);
	if (r == 0)
		r = tally_copy(c);
	if (r == 0)
		r = gone_drop(c);
	if (r == 0)
		r = database_copy(c, "ledger.db", false);
	if (r == 0)
		r = names_each(c, "daybook", day_copy);
	if (r == 0)
		r = names_each(c, "attachments", plain_copy);
	return r == 0 ? begun_check(c) : r;
}

static int finish(struct copy *c)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < FOLDERS; i++)
		if (folder_make(c, folders[i]) == 0)
			r = folder_sync(c, folders[i]);
	return r == 0 ? unfinished(c, false) : r;
}

int copy_store(const struct copy_setup *setup, struct copy_sum *sum)
{
	struct copy c = {.setup = setup, .sum = sum};
	int tries = 0;

	*sum = (struct copy_sum){0};
	int r = target_make(&c);
	if (r == 0)
		r = bulk_copy(&c);
	if (r == 0)
		do {
			r = moment_copy(&c);
		} while (r == -EAGAIN && ++tries < MOMENTS);
	if (r == 0)
		r = finish(&c);
	if (r == -EAGAIN)
		copy_failed(&c, r, "%s: files went while they were copied; try again", setup->from);
	if (r != 0)
		copy_failed(&c, r, "%s", setup->from);
	free(c.at);
	return r;
}
