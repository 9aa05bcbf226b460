/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-stock.h"

#include "store/daybook-frames.h"
#include "store/daybook-reader.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK_BYTES = 512, HELD_FILES = 2 };

static const char *const file_tails[] = {"", "-wal", "-shm"};

static void file_path(const struct daybook_reader *reader, const struct reader_file *file,
		      const char *tail, char *out, size_t size)
{
	snprintf(out, size, "%s/%s%s", reader->directory, file->name.text, tail);
}

static int64_t file_bytes(const struct daybook_reader *reader, const struct reader_file *file)
{
	struct stat status;
	char path[4300];
	int64_t bytes = 0;

	for (size_t i = 0; i < sizeof file_tails / sizeof file_tails[0]; i++) {
		file_path(reader, file, file_tails[i], path, sizeof path);
		if (stat(path, &status) == 0)
			bytes += (int64_t)status.st_blocks * BLOCK_BYTES;
	}
	return bytes;
}

static int64_t frames_bytes(const struct daybook_reader *reader, const struct reader_file *file)
{
	char path[4300], frames[4300];
	struct stat status;

	file_path(reader, file, "", path, sizeof path);
	day_frames_path(frames, sizeof frames, path);
	return stat(frames, &status) == 0 ? (int64_t)status.st_blocks * BLOCK_BYTES : 0;
}

/* Those that get no more rows are looked into once. */
static int file_times(struct daybook_reader *reader, struct reader_file *file)
{
	int r = file->sealed ? 0 : reader_use(reader, file);

	return r == 0 && !file->sealed ? reader_seal(file) : r;
}

/* How many of the files in the reader's order have rows. */
static size_t files_with_rows(const struct daybook_reader *reader)
{
	size_t n = 0;

	while (n < reader->n_files && reader->files[n].first != 0)
		n++;
	return n;
}

int daybook_stock(struct daybook_reader *reader, struct stock_file **out, size_t *n)
{
	int r = reader_refresh(reader);
	size_t all = r == 0 ? files_with_rows(reader) : 0;
	struct stock_file *files = calloc(all + 1, sizeof *files);

	*out = files;
	*n = 0;
	if (files == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < all; i++) {
		struct reader_file *file = &reader->files[i];
		bool held = i + HELD_FILES >= all;
		int looked = held ? 0 : file_times(reader, file);
		files[i] = (struct stock_file){.day = day_number(&file->name),
					       .first = file->first,
					       .last = reader_end(reader, i) - 1,
					       .from_ms = file->sealed ? file->min_ms : INT64_MIN,
					       .to_ms = file->sealed ? file->max_ms : INT64_MAX,
					       .bytes = file_bytes(reader, file),
					       .frames_bytes = frames_bytes(reader, file),
					       .held = held};
		if (looked == -ENOMEM)
			r = looked;
	}
	*n = r == 0 ? all : 0;
	return r;
}

static struct reader_file *file_find(struct daybook_reader *reader, int64_t first)
{
	for (size_t i = 0; i < reader->n_files; i++)
		if (reader->files[i].first == first)
			return &reader->files[i];
	return NULL;
}

int daybook_holds(struct daybook_reader *reader, int64_t first, int64_t from_ms, int64_t to_ms,
		  bool *holds)
{
	struct reader_file *file = file_find(reader, first);
	sqlite3_stmt *find = NULL;

	*holds = false;
	int r = file == NULL ? -ENOENT : reader_use(reader, file);
	if (r == 0)
		r = sql_prepare(
			file->db, &find,
			"SELECT 1 FROM blocks b JOIN readings r ON r.seq BETWEEN b.first AND"
			" b.last WHERE b.min_ms <= ?2 AND b.max_ms >= ?1 AND r.measured_ms"
			" BETWEEN ?1 AND ?2 UNION ALL SELECT 1 FROM readings WHERE seq >"
			" (SELECT coalesce(max(last), 0) FROM blocks) AND measured_ms"
			" BETWEEN ?1 AND ?2 LIMIT 1");
	if (r == 0) {
		sql_bind(find, "ii", from_ms, to_ms);
		r = sql_step(find, holds);
	}
	sqlite3_finalize(find);
	return r;
}

/* Row by row: grouped by SQLite they would all be sorted, in memory. */
static int rows_count(struct reader_file *file, int64_t after, struct gap *gaps)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(file->db, &list,
			    "SELECT monitor, measured_ms FROM readings WHERE seq > ?1");
	if (r != 0)
		return r;
	sql_bind(list, "i", after);
	for (r = sql_step(list, &row); r == 0 && row; r = sql_step(list, &row)) {
		int64_t id = sqlite3_column_int64(list, 0), at_ms = sqlite3_column_int64(list, 1);
		if (id < 0 || (size_t)id >= file->monitors.n)
			continue;
		struct gap *gap = &gaps[id];
		if (gap->count++ == 0)
			gap->from_ms = gap->to_ms = at_ms;
		gap->from_ms = at_ms < gap->from_ms ? at_ms : gap->from_ms;
		gap->to_ms = at_ms > gap->to_ms ? at_ms : gap->to_ms;
	}
	sqlite3_finalize(list);
	return r;
}

int daybook_unsent(struct daybook_reader *reader, int64_t first, int64_t after, daybook_gap_fn fn,
		   void *context)
{
	struct reader_file *file = file_find(reader, first);
	struct gap *gaps = NULL;
	bool more = true;

	int r = file == NULL ? -ENOENT : reader_use(reader, file);
	if (r == 0)
		r = reader_monitors(reader, file);
	if (r == 0 && (gaps = calloc(file->monitors.n + 1, sizeof *gaps)) == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = rows_count(file, after, gaps);
	for (size_t i = 0; r == 0 && more && i < file->monitors.n; i++) {
		const struct day_monitor *m = &file->monitors.at[i];
		gaps[i].monitor = m->monitor;
		if (gaps[i].count > 0 && m->site != NULL)
			more = fn(context, m->site, m->factor, &gaps[i]);
	}
	free(gaps);
	return r;
}

/* Files of before the chain have none. */
static int last_link(sqlite3 *db, struct text *out)
{
	sqlite3_stmt *link = NULL;
	int64_t chained = 0;
	bool row = false;

	int r = sql_number(db, "SELECT count(*) FROM sqlite_master WHERE name = 'chain'", 0,
			   &chained);
	if (r != 0 || chained == 0)
		return r;
	r = sql_prepare(db, &link,
			"SELECT batch, lower(hex(hash)) FROM chain ORDER BY batch DESC LIMIT 1");
	if (r == 0)
		r = sql_step(link, &row);
	if (r == 0 && row)
		text_format(out, ",\"batch\":%lld,\"hash\":\"%s\"",
			    (long long)sqlite3_column_int64(link, 0), sql_text(link, 1));
	sqlite3_finalize(link);
	return r;
}

int daybook_removal(struct daybook_reader *reader, int64_t first, struct text *out)
{
	struct reader_file *file = file_find(reader, first);
	int64_t last = 0;

	int r = file == NULL ? -ENOENT : reader_use(reader, file);
	if (r == 0)
		r = sql_number(file->db, "SELECT max(seq) FROM readings", 0, &last);
	if (r != 0)
		return r;
	text_format(out, "\"file\":\"%s\",\"first\":%lld,\"last\":%lld", file->name.text,
		    (long long)first, (long long)last);
	r = last_link(file->db, out);
	return r == 0 && out->failed ? -ENOMEM : r;
}

const char *daybook_name(struct daybook_reader *reader, int64_t first)
{
	const struct reader_file *file = file_find(reader, first);

	return file != NULL ? file->name.text : NULL;
}

int daybook_remove(struct daybook_reader *reader, int64_t first)
{
	struct reader_file *file = file_find(reader, first);
	char path[4300];

	if (file == NULL)
		return -ENOENT;
	/* itself last, so that a crash leaves a file that goes again; a reader that came meanwhile
	 * may have made the others anew */
	static const char *const order[] = {"-wal", "-shm", "", "-wal", "-shm"};
	file_path(reader, file, "", path, sizeof path);
	int r = day_frames_remove(path);
	if (r != 0)
		return r;
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		file_path(reader, file, order[i], path, sizeof path);
		if (unlink(path) != 0 && errno != ENOENT)
			return -errno;
	}
	r = sql_sync_directory(reader->directory);
	return r == 0 ? reader_refresh(reader) : r;
}

int daybook_remove_frames(struct daybook_reader *reader, int64_t first)
{
	struct reader_file *file = file_find(reader, first);
	char path[4300];

	if (file == NULL)
		return -ENOENT;
	file_path(reader, file, "", path, sizeof path);
	int r = day_frames_remove(path);
	return r == 0 ? sql_sync_directory(reader->directory) : r;
}

/* --- the whole store --- */

int store_use(const char *directory, struct store_use *out)
{
	char *const roots[] = {(char *)(uintptr_t)directory, NULL};
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);

	*out = (struct store_use){0};
	if (walk == NULL)
		return -errno;
	for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
		if (entry->fts_info != FTS_F && entry->fts_info != FTS_D)
			continue;
		int64_t bytes = (int64_t)entry->fts_statp->st_blocks * BLOCK_BYTES;
		bool aside = entry->fts_level > 0 && strstr(entry->fts_name, ".corrupt-");
		out->bytes += bytes;
		out->aside_bytes += aside ? bytes : 0;
		out->damaged += aside;
	}
	fts_close(walk);
	return 0;
}
