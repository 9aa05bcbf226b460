/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 1 << 20 };

void copy_from(const struct copy *c, char path[COPY_PATH_BYTES], const char *name)
{
	snprintf(path, COPY_PATH_BYTES, "%s/%s", c->setup->from, name);
}

void copy_to(const struct copy *c, char path[COPY_PATH_BYTES], const char *name)
{
	snprintf(path, COPY_PATH_BYTES, "%s/%s", c->setup->to, name);
}

void copy_went(struct copy *c, int64_t bytes)
{
	c->sum->bytes += bytes;
	if (c->setup->went != NULL)
		c->setup->went(c->setup->context, c->sum->bytes, c->of);
}

/* --- what was copied --- */

struct copied *copied_find(struct copy *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->at[i].name, name) == 0)
			return &c->at[i];
	return NULL;
}

int copied_note(struct copy *c, const char *name, const struct stat *was, bool whole)
{
	struct copied *file = copied_find(c, name);

	if (file == NULL && c->n == c->capacity) {
		size_t more = c->capacity * 2 + 64;
		void *grown = reallocarray(c->at, more, sizeof *c->at);
		if (grown == NULL)
			return -ENOMEM;
		c->at = grown;
		c->capacity = more;
	}
	if (file == NULL) {
		file = &c->at[c->n++];
		snprintf(file->name, sizeof file->name, "%s", name);
		c->sum->files++;
	}
	file->was = *was;
	file->whole = whole;
	return 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool file_unchanged(struct copy *c, const char *name)
{
	const struct copied *file = copied_find(c, name);
	char path[COPY_PATH_BYTES];
	struct stat now;

	copy_from(c, path, name);
	return file != NULL && file->whole && stat(path, &now) == 0 && same(&file->was, &now);
}

/* --- bytes --- */

static int write_all(int fd, const char *at, size_t n)
{
	while (n > 0) {
		ssize_t written = write(fd, at, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		at += written;
		n -= (size_t)written;
	}
	return 0;
}

/* How much of the last block belongs to whole lines; a line is shorter than a block. */
static size_t whole_lines(const char *block, size_t n)
{
	const char *end = n > 0 ? memrchr(block, '\n', n) : NULL;

	return end == NULL ? 0 : (size_t)(end - block) + 1;
}

/* No more than there was at the begin, lest what grows is followed for ever. */
static int bytes_copy(struct copy *c, int in, int out, int64_t size, bool lines)
{
	char *block = malloc(BLOCK_BYTES);
	int64_t at = 0;
	int r = block == NULL ? -ENOMEM : 0;

	while (r == 0 && at < size) {
		size_t most = size - at < BLOCK_BYTES ? (size_t)(size - at) : BLOCK_BYTES;
		ssize_t n = pread(in, block, most, at);
		if (n <= 0) {
			r = n < 0 ? -errno : 0; /* it was cut meanwhile */
			break;
		}
		size_t keep = lines ? whole_lines(block, (size_t)n) : (size_t)n;
		if (keep == 0)
			break;
		r = write_all(out, block, keep);
		at += (int64_t)keep;
		copy_went(c, (int64_t)keep);
	}
	free(block);
	return r == 0 && fsync(out) != 0 ? -errno : r;
}

static int file_write(struct copy *c, const char *name, int in, const struct stat *was, bool lines)
{
	char path[COPY_PATH_BYTES];

	copy_to(c, path, name);
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, was->st_mode & 0777);
	if (out < 0)
		return copy_failed(c, -errno, "%s", path);
	int r = bytes_copy(c, in, out, was->st_size, lines);
	close(out);
	return r == 0 ? 0 : copy_failed(c, r, "%s", path);
}

int file_copy(struct copy *c, const char *name, bool lines)
{
	char path[COPY_PATH_BYTES];
	struct stat was, now;

	copy_from(c, path, name);
	int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (in < 0)
		return errno == ENOENT ? -ENOENT : copy_failed(c, -errno, "%s", path);
	int r = fstat(in, &was) != 0 ? copy_failed(c, -errno, "%s", path) : 0;
	if (r == 0)
		r = file_write(c, name, in, &was, lines);
	bool whole = r == 0 && fstat(in, &now) == 0 && same(&was, &now);
	close(in);
	return r == 0 ? copied_note(c, name, &was, whole) : r;
}

/* --- folders --- */

int folder_make(struct copy *c, const char *name)
{
	char from[COPY_PATH_BYTES], to[COPY_PATH_BYTES];
	struct stat about;

	copy_from(c, from, name);
	copy_to(c, to, name);
	if (stat(from, &about) != 0)
		return errno == ENOENT ? -ENOENT : copy_failed(c, -errno, "%s", from);
	if (mkdir(to, about.st_mode & 0777) != 0 && errno != EEXIST)
		return copy_failed(c, -errno, "%s", to);
	return 0;
}

int folder_sync(struct copy *c, const char *name)
{
	char path[COPY_PATH_BYTES];

	copy_to(c, path, name);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 || fsync(fd) != 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return r == 0 ? 0 : copy_failed(c, r, "%s", path);
}
