/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-internal.h"

#include "base/log.h"
#include "seal/hash.h"
#include "store/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what is there --- */

struct found {
	struct day_name name;
	int64_t first, last, boot;
	struct chain_head head;
	bool foreign; /* its tables are none of ours: nothing is written to it any more */
};

static int found_shape(sqlite3 *db, const char *path, struct found *file)
{
	struct schema_odd odd;
	char words[160];
	int r = day_schema_check(db, &odd);

	file->foreign = r == SCHEMA_ODD;
	if (file->foreign)
		log_event(LOGGED_DAMAGED, ABOUT_NOTHING,
			  "%s: %s: another program has changed it since; it stays as it is, and "
			  "readings go on in another file",
			  path, schema_words(&odd, words));
	return file->foreign || r == -EPROTONOSUPPORT ? 0 : r;
}

/* A file that cannot be read is set aside; *damaged says so. */
static int found_read(struct daybook *daybook, struct found *file, bool *damaged)
{
	char path[4200];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/%s", daybook->directory, file->name.text);
	int r = day_open_read(&db, path);
	if (r == 0)
		r = day_bounds(db, &file->first, &file->last);
	if (r == 0)
		r = sql_number(db, "SELECT max(boot) FROM rings", 0, &file->boot);
	if (r == 0)
		r = day_chain_head(db, &file->head);
	if (r == 0)
		r = found_shape(db, path, file);
	sql_close(db);
	if (!sql_damaged(r) && r != -EINVAL)
		return r;
	if (r == -EINVAL) { /* no tables: a crash between making the file and its tables */
		file->first = file->last = file->boot = 0;
		return 0;
	}
	*damaged = true;
	file->name.text[0] = '\0';
	file->first = file->last = file->boot = 0;
	return sql_set_aside(path);
}

static int found_compare(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->last != 0 && y->last != 0)
		return x->last < y->last ? -1 : x->last > y->last;
	return strverscmp(x->name.text, y->name.text);
}

static int found_list(struct daybook *daybook, struct found **out, size_t *n, bool *damaged)
{
	struct day_name *names;
	size_t kept = 0;

	*out = NULL;
	*n = 0;
	int r = day_list(daybook->directory, &names, n);
	struct found *files = r == 0 ? calloc(*n + 1, sizeof *files) : NULL;
	if (r == 0 && files == NULL)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < *n; i++) {
		files[kept].name = names[i];
		r = found_read(daybook, &files[kept], damaged);
		kept += files[kept].name.text[0] != '\0';
	}
	free(names);
	if (r == 0 && kept > 1)
		qsort(files, kept, sizeof *files, found_compare);
	*out = files;
	*n = kept;
	return r;
}

/* --- latest readings --- */

static int latest_rows(struct daybook *daybook, sqlite3 *db, const struct day_monitors *monitors,
		       const char *sql)
{
	sqlite3_stmt *list = NULL;
	struct daybook_row row;
	bool more = false;
	int64_t id;

	int r = sql_prepare(db, &list, sql);
	if (r == 0)
		r = sql_step(list, &more);
	for (; r == 0 && more; r = sql_step(list, &more)) {
		day_row(list, &row, &id);
		if (id < 0 || (size_t)id >= monitors->n || monitors->at[id].site == NULL)
			continue;
		uint32_t monitor = monitors->at[id].monitor;
		if (monitor == NO_INDEX)
			continue;
		row.reading.monitor = monitor;
		daybook->by.latest[monitor] = row.reading;
	}
	sqlite3_finalize(list);
	return r;
}

/* A missing latest reading harms nobody: errors are left to the readers of the file. */
static void latest_load(struct daybook *daybook, const struct found *file)
{
	struct day_monitors monitors = {0};
	char path[4200];
	sqlite3 *db;

	if (file->last == 0)
		return;
	snprintf(path, sizeof path, "%s/%s", daybook->directory, file->name.text);
	int r = day_open_read(&db, path);
	if (r == 0)
		r = day_monitors_read(db, daybook->plan, &monitors);
	if (r == 0)
		r = latest_rows(daybook, db, &monitors,
				DAY_COLUMNS
				"WHERE seq IN (SELECT latest FROM monitors) ORDER BY seq");
	if (r == 0)
		r = latest_rows(daybook, db, &monitors,
				DAY_COLUMNS
				"WHERE seq > (SELECT coalesce(max(last), 0) FROM blocks)"
				" ORDER BY seq");
	day_monitors_free(&monitors);
	sql_close(db);
}

/* Two daemons on one store would tear the sequence. The lock ends with the process. */
static int daybook_lock(struct daybook *daybook)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/lock", daybook->directory);
	daybook->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (daybook->lock_fd < 0)
		return -errno;
	if (flock(daybook->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	log_warnx("%s: another daemon writes here", daybook->directory);
	return -EBUSY;
}

/* --- tables by monitor --- */

static bool tables_alloc(struct daybook_tables *t, const struct plan *plan)
{
	size_t n = plan->n_monitors + 1;
	t->ids = calloc(n, sizeof *t->ids);
	t->newest = calloc(n, sizeof *t->newest);
	t->fresh = calloc(n, sizeof *t->fresh);
	t->is_fresh = calloc(n, sizeof *t->is_fresh);
	t->latest = calloc(n, sizeof *t->latest);
	return t->ids != NULL && t->newest != NULL && t->fresh != NULL && t->is_fresh != NULL &&
	       t->latest != NULL;
}

static void tables_deinit(struct daybook_tables *t)
{
	free(t->ids);
	free(t->newest);
	free(t->fresh);
	free(t->is_fresh);
	free(t->latest);
}

int daybook_tables_new(struct daybook_tables **out, const struct plan *plan)
{
	struct daybook_tables *tables = calloc(1, sizeof *tables);
	if (tables != NULL && !tables_alloc(tables, plan))
		tables = daybook_tables_free(tables);
	*out = tables;
	return tables == NULL ? -ENOMEM : 0;
}

struct daybook_tables *daybook_tables_free(struct daybook_tables *tables)
{
	if (tables != NULL)
		tables_deinit(tables);
	free(tables);
	return NULL;
}

/* No transaction is open, so nothing is fresh. */
void daybook_succeed(struct daybook *daybook, struct daybook_tables *tables,
		     const struct plan_change *change)
{
	struct daybook_tables old = daybook->by;
	size_t n = change->to->n_monitors;
	plan_carry(tables->ids, old.ids, change->monitors, n, sizeof *old.ids);
	plan_carry(tables->newest, old.newest, change->monitors, n, sizeof *old.newest);
	plan_carry(tables->latest, old.latest, change->monitors, n, sizeof *old.latest);
	for (uint32_t i = 0; i < n; i++)
		if (tables->latest[i].flag != 0)
			tables->latest[i].monitor = i;
	daybook->by = *tables;
	daybook->plan = change->to;
	*tables = old;
}

/* --- opening --- */

static int daybook_alloc(struct daybook *daybook, const char *directory, const struct plan *plan)
{
	daybook->lock_fd = -1;
	pthread_mutex_init(&daybook->lock, NULL);
	daybook->plan = plan;
	if (!tables_alloc(&daybook->by, plan))
		return -ENOMEM;
	if (mkdir(directory, 0750) != 0 && errno != EEXIST)
		return -errno;
	int length =
		snprintf(daybook->directory, sizeof daybook->directory, "%s/daybook", directory);
	if (length < 0 || (size_t)length >= sizeof daybook->directory)
		return -ENAMETOOLONG;
	if (mkdir(daybook->directory, 0750) != 0 && errno != EEXIST)
		return -errno;
	int r = daybook_lock(daybook);
	return r == 0 ? sql_sync_directory(directory) : r;
}

static int daybook_stand(struct daybook *daybook, const struct found *files, size_t n, bool damaged)
{
	struct daybook_mark mark;

	daybook_mark_read(&mark, daybook->directory);
	for (size_t i = 0; i < n; i++) {
		if (files[i].last > daybook->floor)
			daybook->floor = files[i].last;
		if (files[i].boot > mark.boot)
			mark.boot = files[i].boot;
		if (files[i].head.number > daybook->chain.head.number)
			daybook->chain.head = files[i].head;
	}
	/* the newest file is not there any more */
	bool gone = !damaged && daybook->floor < mark.known;
	atomic_store(&daybook->sequence, gone ? mark.known : daybook->floor);
	if (gone)
		daybook->floor = mark.reserved;
	if (damaged)
		daybook->floor += DAMAGED_ROWS;
	daybook->boot = mark.boot + 1;
	daybook->head = daybook->chain.head;
	int r = daybook_mark(daybook);
	if (r != 0 || n == 0)
		return r;
	for (size_t i = n >= 2 ? n - 2 : 0; i < n; i++)
		latest_load(daybook, &files[i]);
	return damaged || gone || files[n - 1].foreign
		       ? 0
		       : daybook_connect(daybook, &files[n - 1].name);
}

int daybook_open(struct daybook **out, const char *directory, const struct plan *plan)
{
	struct daybook *daybook = calloc(1, sizeof *daybook);
	struct found *files = NULL;
	bool damaged = false;
	size_t n = 0;

	*out = NULL;
	if (daybook == NULL)
		return -ENOMEM;
	int r = daybook_alloc(daybook, directory, plan);
	if (r == 0)
		r = found_list(daybook, &files, &n, &damaged);
	if (r == 0)
		r = daybook_stand(daybook, files, n, damaged);
	if (sql_damaged(r)) {
		daybook->floor = daybook_sequence(daybook) + DAMAGED_ROWS;
		r = sql_set_aside(daybook->path);
	}
	free(files);
	if (r != 0)
		daybook = daybook_close(daybook);
	*out = daybook;
	return r;
}

struct daybook *daybook_close(struct daybook *daybook)
{
	if (daybook == NULL)
		return NULL;
	if (daybook->db != NULL) {
		sql_rollback(daybook->db);
		daybook_disconnect(daybook);
	}
	if (daybook->lock_fd >= 0)
		close(daybook->lock_fd);
	hash_free(daybook->chain.hash);
	pthread_mutex_destroy(&daybook->lock);
	tables_deinit(&daybook->by);
	free(daybook);
	return NULL;
}
