/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minutes of the tallies. An hour lies in tally.db, where it changes in the same transaction as
 * the position that it is added up to, until it is over; then it goes to the file of its day, and
 * from tally.db only once it is there. Who reads looks here first and there afterwards, so what is
 * on its way is found once.
 */
#include "store/daybook-file.h"
#include "store/tallies-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of an hour of a monitor in tally.db; ids of monitors are small. */
static int64_t row_id(int64_t hour, int64_t monitor)
{
	return (int64_t)((uint64_t)hour << 32) + monitor;
}

static int64_t hour_of(int64_t id)
{
	return id >> 32;
}

/* --- one hour --- */

void tallies_leave_day(struct tallies *t)
{
	t->day = meanfile_close(t->day);
}

/* Have the file open that an hour is in. Return: 0, -ENOENT, others. */
static int use_day(struct tallies *t, int64_t hour)
{
	if (t->day != NULL && meanfile_day(t->day) == mean_day(hour))
		return 0;
	tallies_leave_day(t);
	return meanfile_read(&t->day, t->directory, mean_day(hour));
}

int tallies_put_minutes(struct tallies *t, uint32_t monitor, int64_t hour,
			const struct minute minutes[static HOUR_MINUTES])
{
	sqlite3_stmt *put = t->sql[MINUTES_PUT];
	uint8_t packed[MINUTES_PACKED_MOST];
	int64_t id;
	bool row;

	int r = tallies_id(t, monitor, true, &id);
	if (r != 0)
		return r;
	sqlite3_bind_int64(put, 1, row_id(hour, id));
	sqlite3_bind_blob64(put, 2, packed, minutes_pack(minutes, packed), SQLITE_STATIC);
	r = sql_step(put, &row);
	sql_reset(put);
	return r;
}

/* In tally.db. */
static int get_waiting(struct tallies *t, int64_t id, int64_t hour,
		       struct minute minutes[static HOUR_MINUTES], bool *found)
{
	sqlite3_stmt *get = t->sql[MINUTES_GET];

	*found = false;
	memset(minutes, 0, HOUR_MINUTES * sizeof *minutes);
	if (id == 0)
		return 0;
	sql_bind(get, "i", row_id(hour, id));
	int r = sql_step(get, found);
	if (r == 0 && *found &&
	    !minutes_unpack(minutes, sqlite3_column_blob(get, 0),
			    (size_t)sqlite3_column_bytes(get, 0)))
		r = -EUCLEAN;
	sql_reset(get);
	return r;
}

/* What is damaged there is not known: the next that is put into it sets it aside. */
static int get_filed(struct tallies *t, uint32_t monitor, int64_t hour,
		     struct minute minutes[static HOUR_MINUTES], bool *found, int64_t *upto)
{
	const struct monitor *m = &t->plan->monitors[monitor];
	int r = use_day(t, hour);

	if (r == 0)
		r = meanfile_upto(t->day, hour, upto);
	if (r == 0 && *upto > 0)
		r = meanfile_get(t->day, t->plan->sites[m->site].id, m->factor, hour, minutes,
				 found);
	if (sql_damaged(r))
		memset(minutes, 0, HOUR_MINUTES * sizeof *minutes);
	return r == -ENOENT || sql_damaged(r) ? 0 : r;
}

int tallies_get_minutes(struct tallies *t, uint32_t monitor, int64_t hour,
			struct minute minutes[static HOUR_MINUTES], int64_t *upto)
{
	bool found;
	int64_t id;

	*upto = 0;
	int r = tallies_id(t, monitor, false, &id);
	if (r == 0)
		r = get_waiting(t, id, hour, minutes, &found);
	return r == 0 && !found ? get_filed(t, monitor, hour, minutes, &found, upto) : r;
}

/* --- hours that are over --- */

/* The oldest and the newest hour in tally.db. */
static int waiting_ends(struct tallies *t, bool *any, int64_t *oldest, int64_t *newest)
{
	sqlite3_stmt *ends = t->sql[MINUTES_ENDS];
	bool row;

	int r = sql_step(ends, &row);
	*any = r == 0 && row && sqlite3_column_type(ends, 0) != SQLITE_NULL;
	*oldest = *any ? hour_of(sqlite3_column_int64(ends, 0)) : 0;
	*newest = *any ? hour_of(sqlite3_column_int64(ends, 1)) : 0;
	sql_reset(ends);
	return r;
}

static int file_rows(struct tallies *t, struct meanfile *file, int64_t from, int64_t to,
		     int64_t upto)
{
	sqlite3_stmt *list = t->sql[MINUTES_LIST];
	int64_t before = INT64_MIN;
	bool row = false;
	int r;

	sql_bind(list, "ii", row_id(from, 0), row_id(to, 0));
	while ((r = sql_step(list, &row)) == 0 && row) {
		int64_t hour = hour_of(sqlite3_column_int64(list, 0));
		r = meanfile_put(file, sql_text(list, 1), sql_text(list, 2), hour,
				 sqlite3_column_blob(list, 3),
				 (size_t)sqlite3_column_bytes(list, 3));
		if (r == 0 && hour != before)
			r = meanfile_put_upto(file, hour, upto);
		before = hour;
		if (r != 0)
			break;
	}
	sql_reset(list);
	return r;
}

/* Hours from <= hour < to, of one day. */
static int file_hours(struct tallies *t, int64_t from, int64_t to, int64_t upto)
{
	struct meanfile *file;
	int r = meanfile_begin(&file, t->directory, mean_day(from));

	if (r == 0)
		r = meanfile_end(file, file_rows(t, file, from, to, upto));
	if (r == 0)
		r = tallies_begin(t);
	return r != 0 ? r
		      : tallies_end(t, sql_do(t->sql[MINUTES_DROP], "ii", row_id(from, 0),
					      row_id(to, 0)));
}

int tallies_file_minutes(struct tallies *t, int64_t before_hour, int64_t upto, bool *more)
{
	int64_t oldest, newest;
	bool any;

	int r = waiting_ends(t, &any, &oldest, &newest);
	*more = r == 0 && any && oldest < before_hour;
	if (!*more)
		return r;
	int64_t end = (mean_day(oldest) + 1) * DAY_HOURS;
	return file_hours(t, oldest, end < before_hour ? end : before_hour, upto);
}

/* --- reading --- */

/* Days that there may be anything of. */
static int days_known(struct tallies *t, int64_t *first, int64_t *last)
{
	struct day_name *names;
	char folder[4200];
	bool any;
	size_t n;

	int r = waiting_ends(t, &any, first, last);
	*first = any ? mean_day(*first) : INT64_MAX;
	*last = any ? mean_day(*last) : INT64_MIN;
	meanfile_folder(t->directory, folder);
	int listed = r == 0 ? day_list(folder, &names, &n) : -ENOENT;
	if (listed != 0)
		return r == 0 && listed != -ENOENT ? listed : r;
	for (size_t i = 0; i < n; i++) {
		int64_t day = day_number(&names[i]);
		*first = day < *first ? day : *first;
		*last = day > *last ? day : *last;
	}
	free(names);
	return 0;
}

struct minutes_query {
	struct tallies *tallies;
	uint32_t monitor;
	struct span span;
	minute_fn fn;
	void *context;
	bool more;
};

static void give_hour(struct minutes_query *q, int64_t hour, const struct minute *minutes)
{
	for (int i = 0; i < HOUR_MINUTES && q->more; i++) {
		int64_t start_ms = hour * MEAN_HOUR_MS + i * MINUTE_MS;
		if (minutes[i].n > 0 && start_ms >= q->span.start_ms && start_ms < q->span.end_ms)
			q->more = q->fn(q->context, start_ms, &minutes[i]);
	}
}

static int read_day(struct minutes_query *q, int64_t day)
{
	struct minute minutes[HOUR_MINUTES];
	int64_t hour = day * DAY_HOURS, end = hour + DAY_HOURS, upto;
	int64_t from = mean_hour(q->span.start_ms), to = mean_hour(q->span.end_ms) + 1;
	int r = 0;

	for (hour = from > hour ? from : hour; r == 0 && q->more && hour < end && hour < to;
	     hour++) {
		r = tallies_get_minutes(q->tallies, q->monitor, hour, minutes, &upto);
		if (r == 0)
			give_hour(q, hour, minutes);
	}
	return r;
}

int tallies_minutes(struct tallies *t, uint32_t monitor, struct span span, minute_fn fn,
		    void *context)
{
	struct minutes_query q = {t, monitor, span, fn, context, true};
	int64_t first, last, from = mean_day(mean_hour(span.start_ms)),
			     to = mean_day(mean_hour(span.end_ms));

	int r = days_known(t, &first, &last);
	for (int64_t day = first > from ? first : from;
	     r == 0 && q.more && day <= last && day <= to; day++)
		r = read_day(&q, day);
	tallies_leave_day(t);
	return r;
}
