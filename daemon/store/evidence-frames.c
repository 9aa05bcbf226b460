/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-frames.h"

#include "store/daybook-frames.h"
#include "store/evidence-days.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A batch brings what came within a moment; more than this is no daybook of ours. */
#define BATCH_BYTES_MOST INT64_C(0x10000000)

struct walk {
	int64_t from, until; /* batches */
	evidence_frames_fn fn;
	void *context;
	uint8_t *bytes;
	/* the file on its way */
	const struct day_name *name;
	sqlite3 *db;
	sqlite3_stmt *rows;
	int fd;
};

static bool bytes_read(struct walk *w, int64_t first, size_t n)
{
	uint8_t *grown = realloc(w->bytes, n);
	size_t got = 0;

	if (grown == NULL)
		return false;
	w->bytes = grown; /* without a file pread() fails */
	for (ssize_t some = 1; got < n && some > 0; got += some > 0 ? (size_t)some : 0)
		some = pread(w->fd, grown + got, n - got, first + (int64_t)got);
	return got == n;
}

/* Return: true to go on. */
static bool row_take(struct walk *w)
{
	int64_t first = sqlite3_column_int64(w->rows, 1), last = sqlite3_column_int64(w->rows, 2);
	struct evidence_batch_frames frames = {.batch = sqlite3_column_int64(w->rows, 0),
					       .file = w->name->text};

	if (first < 0 || last <= first || last - first > BATCH_BYTES_MOST ||
	    !sql_hash(w->rows, 3, frames.digest))
		return true;
	if (bytes_read(w, first, (size_t)(last - first))) {
		frames.bytes = w->bytes;
		frames.n = (size_t)(last - first);
	}
	return w->fn(w->context, &frames);
}

/* Return: 0, negative errno, 1 to go no further. */
static int rows_walk(struct walk *w)
{
	bool row = false, more = true;

	int r = sql_prepare(
		w->db, &w->rows,
		"SELECT batch, first, last, digest FROM frames WHERE batch BETWEEN ?1 AND ?2"
		" ORDER BY batch");
	if (r == 0) {
		sql_bind(w->rows, "ii", w->from, w->until);
		r = sql_step(w->rows, &row);
	}
	while (r == 0 && row && more) {
		more = row_take(w);
		r = sql_step(w->rows, &row);
	}
	sqlite3_finalize(w->rows);
	return r == 0 && !more ? 1 : r;
}

static int file_walk(void *context, const char *path, const struct day_name *name)
{
	struct walk *w = context;
	char frames[4300];
	int64_t tables = 0;

	w->name = name;
	day_frames_path(frames, sizeof frames, path);
	w->fd = open(frames, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 && errno != ENOENT)
		return -errno;
	int r = day_open_read(&w->db, path);
	if (r == 0)
		r = sql_number(w->db, "SELECT count(*) FROM sqlite_master WHERE name = 'frames'", 0,
			       &tables);
	if (r == 0 && tables > 0)
		r = rows_walk(w);
	w->db = sql_close(w->db);
	if (w->fd >= 0)
		close(w->fd);
	return r;
}

int evidence_frames(const char *directory, int64_t from, int64_t until, evidence_frames_fn fn,
		    void *context)
{
	struct walk w = {.from = from, .until = until, .fn = fn, .context = context};

	int r = evidence_days_in_order(directory, file_walk, &w);
	free(w.bytes);
	return r;
}
