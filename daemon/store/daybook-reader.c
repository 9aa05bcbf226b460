/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-reader.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_OPEN = 4 };

int daybook_reader_open(struct daybook_reader **out, const char *directory, const struct plan *plan)
{
	struct daybook_reader *reader = calloc(1, sizeof *reader);

	*out = reader;
	if (reader == NULL)
		return -ENOMEM;
	reader->plan = plan;
	int n = snprintf(reader->directory, sizeof reader->directory, "%s/daybook", directory);
	int r = n > 0 && (size_t)n < sizeof reader->directory ? 0 : -ENAMETOOLONG;
	if (r == 0)
		r = reader_refresh(reader);
	if (r != 0)
		*out = daybook_reader_close(reader);
	return r;
}

static void file_close(struct reader_file *file)
{
	sqlite3_finalize(file->after);
	sqlite3_finalize(file->range);
	file->after = file->range = NULL;
	file->db = sql_close(file->db);
	day_monitors_free(&file->monitors);
}

struct daybook_reader *daybook_reader_close(struct daybook_reader *reader)
{
	if (reader == NULL)
		return NULL;
	for (size_t i = 0; i < reader->n_files; i++)
		file_close(&reader->files[i]);
	for (size_t i = 0; i < reader->n_factors; i++)
		free(reader->factors[i]);
	free(reader->factors);
	free(reader->files);
	free(reader);
	return NULL;
}

/* --- files --- */

static void file_evict(struct daybook_reader *reader)
{
	struct reader_file *oldest = NULL;
	size_t n = 0;

	for (size_t i = 0; i < reader->n_files; i++) {
		struct reader_file *file = &reader->files[i];
		if (file->db == NULL)
			continue;
		n++;
		if (oldest == NULL || file->used < oldest->used)
			oldest = file;
	}
	if (n >= FILES_OPEN)
		file_close(oldest);
}

static int file_prepare(struct reader_file *file)
{
	int r = sql_prepare(file->db, &file->after,
			    DAY_COLUMNS "WHERE seq > ?1 ORDER BY seq LIMIT ?2");
	if (r == 0)
		r = sql_prepare(file->db, &file->range,
				DAY_COLUMNS "WHERE seq BETWEEN ?1 AND ?2 AND measured_ms >= ?3"
					    " AND measured_ms < ?4 AND (?5 = 0 OR monitor = ?5)");
	return r;
}

int reader_use(struct daybook_reader *reader, struct reader_file *file)
{
	char path[4200];
	int r = 0;

	file->used = ++reader->clock;
	if (file->db != NULL)
		return 0;
	file_evict(reader);
	snprintf(path, sizeof path, "%s/%s", reader->directory, file->name.text);
	r = day_open_read(&file->db, path);
	if (r == 0)
		r = file_prepare(file);
	if (r != 0)
		file_close(file);
	return r;
}

int reader_monitors(struct daybook_reader *reader, struct reader_file *file)
{
	int64_t newest;
	int r = sql_number(file->db, "SELECT max(id) FROM monitors", 0, &newest);

	if (r == 0 && newest >= (int64_t)file->monitors.n)
		r = day_monitors_read(file->db, reader->plan, &file->monitors);
	return r;
}

/* A file that cannot be read is passed over: the rest of the daybook is still there. */
static int file_look(struct daybook_reader *reader, struct reader_file *file)
{
	char path[4200];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/%s", reader->directory, file->name.text);
	int r = day_open_read(&db, path);
	if (r == 0)
		r = sql_number(db, "SELECT min(seq) FROM readings", 0, &file->first);
	bool odd = r == 0 && file->first != 0 && day_shape(db) == -EINVAL;
	if (odd)
		log_warnx("%s: no daybook as ducha makes it (%s); its readings are left out", path,
			  sqlite3_errmsg(db));
	else if (sql_damaged(r))
		log_warnx("%s: damaged; its readings are left out", path);
	file->damaged = odd || sql_damaged(r);
	if (file->damaged)
		file->first = 0;
	sql_close(db);
	/* not ready yet (no tables, or gone meanwhile): the next look tells */
	return r == -ENOMEM ? r : 0;
}

static int file_compare(const void *a, const void *b)
{
	const struct reader_file *x = a, *y = b;

	if (x->first != 0 && y->first != 0)
		return x->first < y->first ? -1 : x->first > y->first;
	if (x->first != y->first)
		return x->first != 0 ? -1 : 1;
	return strcmp(x->name.text, y->name.text);
}

static bool name_listed(const struct day_name *names, size_t n, const char *name)
{
	for (size_t i = n; i-- > 0;)
		if (strcmp(names[i].text, name) == 0)
			return true;
	return false;
}

static void files_drop(struct daybook_reader *reader, const struct day_name *names, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < reader->n_files; i++) {
		if (name_listed(names, n, reader->files[i].name.text))
			reader->files[kept++] = reader->files[i];
		else
			file_close(&reader->files[i]);
	}
	reader->n_files = kept;
}

static bool file_known(const struct daybook_reader *reader, const char *name)
{
	for (size_t i = reader->n_files; i-- > 0;)
		if (strcmp(reader->files[i].name.text, name) == 0)
			return true;
	return false;
}

static int files_add(struct daybook_reader *reader, const struct day_name *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (file_known(reader, names[i].text))
			continue;
		void *grown =
			reallocarray(reader->files, reader->n_files + 1, sizeof *reader->files);
		if (grown == NULL)
			return -ENOMEM;
		reader->files = grown;
		reader->files[reader->n_files++] = (struct reader_file){.name = names[i]};
	}
	return 0;
}

int reader_refresh(struct daybook_reader *reader)
{
	struct day_name *names;
	size_t n;

	int r = day_list(reader->directory, &names, &n);
	if (r == -ENOENT)
		return 0;
	if (r != 0)
		return r;
	files_drop(reader, names, n);
	r = files_add(reader, names, n);
	free(names);
	for (size_t i = 0; r == 0 && i < reader->n_files; i++)
		if (reader->files[i].first == 0 && !reader->files[i].damaged)
			r = file_look(reader, &reader->files[i]);
	if (reader->n_files > 1)
		qsort(reader->files, reader->n_files, sizeof *reader->files, file_compare);
	return r;
}

int64_t reader_end(const struct daybook_reader *reader, size_t file)
{
	if (file + 1 < reader->n_files && reader->files[file + 1].first != 0)
		return reader->files[file + 1].first;
	return INT64_MAX;
}

/* --- in order of arrival --- */

static int row_name(struct daybook_reader *reader, struct reader_file *file,
		    struct daybook_row *row, int64_t id)
{
	if (id < 0 || id >= (int64_t)file->monitors.n || file->monitors.at[id].site == NULL) {
		int r = reader_monitors(reader, file);
		if (r != 0)
			return r;
	}
	if (id < 0 || id >= (int64_t)file->monitors.n || file->monitors.at[id].site == NULL)
		return -EUCLEAN;
	const struct day_monitor *m = &file->monitors.at[id];
	row->site = m->site;
	row->factor = m->factor;
	row->monitor = row->reading.monitor = m->monitor;
	return 0;
}

struct after_walk {
	int64_t after;
	size_t left;
	bool more;
	daybook_row_fn fn;
	void *context;
};

static int file_after(struct daybook_reader *reader, struct reader_file *file,
		      struct after_walk *walk)
{
	struct daybook_row row;
	bool there = false;
	int64_t id;

	int r = reader_use(reader, file);
	if (r != 0)
		return r;
	sql_bind(file->after, "ii", walk->after,
		 walk->left < INT64_MAX ? (int64_t)walk->left : INT64_MAX);
	r = sql_step(file->after, &there);
	while (r == 0 && there && walk->more) {
		day_row(file->after, &row, &id);
		r = row_name(reader, file, &row, id);
		if (r != 0)
			break;
		walk->after = row.sequence;
		walk->left--;
		walk->more = walk->fn(walk->context, &row);
		if (walk->more)
			r = sql_step(file->after, &there);
	}
	sql_reset(file->after);
	return r;
}

int daybook_after(struct daybook_reader *reader, int64_t after, size_t limit, daybook_row_fn fn,
		  void *context)
{
	struct after_walk walk = {after, limit, true, fn, context};

	int r = reader_refresh(reader);
	for (size_t i = 0; r == 0 && i < reader->n_files && walk.left > 0 && walk.more; i++) {
		struct reader_file *file = &reader->files[i];
		if (file->first == 0 || reader_end(reader, i) <= walk.after + 1)
			continue;
		r = file_after(reader, file, &walk);
		if (sql_damaged(r)) {
			if (!file->told)
				log_warnx("%s/%s: damaged; its readings after %lld are left out",
					  reader->directory, file->name.text,
					  (long long)walk.after);
			file->told = true;
			r = 0;
		}
	}
	return r;
}

int daybook_tail(struct daybook_reader *reader, size_t rows, daybook_row_fn fn, void *context)
{
	int64_t last = 0;

	int r = reader_refresh(reader);
	for (size_t i = reader->n_files; r == 0 && last == 0 && i-- > 0;) {
		if (reader->files[i].first == 0)
			continue;
		r = reader_use(reader, &reader->files[i]);
		if (r == 0)
			r = sql_number(reader->files[i].db, "SELECT max(seq) FROM readings", 0,
				       &last);
	}
	if (r != 0)
		return r;
	return daybook_after(reader, (uint64_t)last > rows ? last - (int64_t)rows : 0, rows, fn,
			     context);
}
