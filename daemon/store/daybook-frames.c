/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-frames.h"

#include "seal/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void day_frames_path(char *out, size_t size, const char *path)
{
	size_t stem = strlen(path) - strlen(".db");

	snprintf(out, size, "%.*s.frames", (int)stem, path);
}

int day_frames_prepare(sqlite3 *db, sqlite3_stmt **out)
{
	int64_t tables = 0;
	int r = sql_number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'frames'", 0,
			   &tables);

	*out = NULL;
	if (r != 0 || tables == 0)
		return r;
	return sql_prepare(db, out, "SELECT first, last, digest FROM frames WHERE batch = ?1");
}

int day_frames_of(sqlite3_stmt *statement, int64_t batch, struct chain_frames *out)
{
	bool row = false;

	*out = (struct chain_frames){0};
	if (statement == NULL)
		return 0;
	sql_bind(statement, "i", batch);
	int r = sql_step(statement, &row);
	if (r == 0 && row) {
		out->first = sqlite3_column_int64(statement, 0);
		out->last = sqlite3_column_int64(statement, 1);
		if (!sql_hash(statement, 2, out->digest))
			r = -EUCLEAN;
	}
	sql_reset(statement);
	return r;
}

int day_frames_remove(const char *path)
{
	char frames[4300];

	day_frames_path(frames, sizeof frames, path);
	return unlink(frames) == 0 || errno == ENOENT ? 0 : -errno;
}

static int cut(const struct day_frames *frames)
{
	struct stat about;

	if (stat(frames->path, &about) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (about.st_size <= frames->end)
		return 0;
	return truncate(frames->path, frames->end) == 0 ? 0 : -errno;
}

int day_frames_connect(struct day_frames *frames, sqlite3 *db, const char *path)
{
	day_frames_path(frames->path, sizeof frames->path, path);
	frames->fd = -1;
	int r = frames->hash == NULL ? hash_new(&frames->hash) : 0;
	if (r == 0)
		r = sql_prepare(db, &frames->add, "INSERT INTO frames VALUES(?1, ?2, ?3, ?4)");
	if (r == 0)
		r = day_frames_resync(frames, db);
	return r == 0 ? cut(frames) : r;
}

void day_frames_disconnect(struct day_frames *frames)
{
	if (frames->add != NULL && frames->fd >= 0)
		close(frames->fd);
	frames->fd = -1;
	sqlite3_finalize(frames->add);
	frames->add = NULL;
	frames->hash = hash_free(frames->hash);
}

int day_frames_resync(struct day_frames *frames, sqlite3 *db)
{
	int r = sql_number(db, "SELECT max(last) FROM frames", 0, &frames->end);

	frames->next = frames->end;
	return r;
}

static int file_open(struct day_frames *frames)
{
	char folder[4300];

	frames->fd = open(frames->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (frames->fd < 0)
		return -errno;
	snprintf(folder, sizeof folder, "%s", frames->path);
	*strrchr(folder, '/') = '\0';
	return sql_sync_directory(folder);
}

int day_frames_add(struct day_frames *frames, const uint8_t *bytes, size_t n)
{
	int r = frames->fd < 0 ? file_open(frames) : 0;

	if (r != 0)
		return r;
	if (frames->next == frames->end)
		hash_begin(frames->hash);
	hash_add(frames->hash, bytes, n);
	while (n > 0) {
		ssize_t written = pwrite(frames->fd, bytes, n, frames->next);
		if (written < 0)
			return -errno;
		frames->next += written;
		bytes += written;
		n -= (size_t)written;
	}
	return 0;
}

int day_frames_end(struct day_frames *frames, int64_t batch, struct chain_frames *out)
{
	*out = (struct chain_frames){.first = frames->end, .last = frames->next};
	if (out->first == out->last)
		return 0;
	if (fdatasync(frames->fd) != 0)
		return SQL_FATAL;
	int r = hash_end(frames->hash, out->digest);
	return r == 0 ? sql_do(frames->add, "iiih", batch, out->first, out->last, out->digest) : r;
}

void day_frames_done(struct day_frames *frames)
{
	frames->end = frames->next;
}
