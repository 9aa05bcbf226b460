/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/linefile.h"

#include "core/sealline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4400 };

int sync_folder(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) == 0 ? 0 : LINE_FILE_FATAL;
	close(fd);
	return r;
}

static int add(int fd, const struct text *line)
{
	struct stat before;

	if (fstat(fd, &before) != 0)
		return -errno;
	ssize_t n = write(fd, line->at, line->length);
	if (n == (ssize_t)line->length)
		return fdatasync(fd) == 0 ? 0 : LINE_FILE_FATAL;
	int r = n < 0 ? -errno : -ENOSPC;
	return ftruncate(fd, before.st_size) == 0 ? r : LINE_FILE_FATAL;
}

int line_file_add(const char *directory, const char *name, const struct text *line)
{
	char path[PATH_BYTES];
	struct text whole = {0};

	snprintf(path, sizeof path, "%s/%s", directory, name);
	text_add_n(&whole, line->at, line->length);
	text_char(&whole, '\n');
	bool is_new = access(path, F_OK) != 0;
	int r = line->failed || whole.failed ? -ENOMEM : 0;
	int fd = r == 0 ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1;
	if (r == 0 && fd < 0)
		r = -errno;
	if (r == 0)
		r = add(fd, &whole);
	if (fd >= 0)
		close(fd);
	text_deinit(&whole);
	return r == 0 && is_new ? sync_folder(directory) : r;
}

/* Where the last whole line begins and ends in the last bytes of the file. */
static bool last_line(const char *tail, size_t n, size_t *from, size_t *until)
{
	const char *end = n > 0 ? memrchr(tail, '\n', n) : NULL;

	if (end == NULL)
		return false;
	const char *former = end > tail ? memrchr(tail, '\n', (size_t)(end - tail)) : NULL;
	*from = former == NULL ? 0 : (size_t)(former - tail) + 1;
	*until = (size_t)(end - tail);
	return true;
}

static int read_last(int fd, struct text *out)
{
	char tail[2 * SEAL_LINE_MOST];
	struct stat status;
	size_t from, until;

	if (fstat(fd, &status) != 0)
		return -errno;
	off_t at = status.st_size > (off_t)sizeof tail ? status.st_size - (off_t)sizeof tail : 0;
	ssize_t n = pread(fd, tail, sizeof tail, at);
	if (n < 0)
		return -errno;
	bool any = last_line(tail, (size_t)n, &from, &until);
	if (!any && at > 0)
		return -EBADMSG;
	off_t whole = any ? at + (off_t)until + 1 : 0;
	if (whole < status.st_size && ftruncate(fd, whole) != 0)
		return -errno;
	if (any)
		text_add_n(out, tail + from, until - from);
	return out->failed ? -ENOMEM : 0;
}

int line_file_last(const char *directory, const char *name, struct text *out)
{
	char path[PATH_BYTES];

	text_clear(out);
	snprintf(path, sizeof path, "%s/%s", directory, name);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	int r = read_last(fd, out);
	close(fd);
	return r;
}
