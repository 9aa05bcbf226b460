/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Meanfile: the minutes of one day of UTC, directory/means/YYYY-MM-DD.db.
 *
 * A file a day, so that what is over goes whole and its room with it. One row for an hour of a
 * monitor (core/minute.h), in the order of hours, as which they come. Of each hour the file says
 * up to which sequence of the daybook its readings are in it, so that an hour which is added up
 * anew, because tally.db was lost, takes none twice.
 *
 * One writer, the tallier, in one transaction for each hour; whoever reads has a connection of its
 * own. Hours are counted from 1970, as days are (zone_day() of UTC).
 */
#include "core/minute.h"
#include "core/stock.h"
#include "core/zone.h"

#include <stdbool.h>

#define MEAN_HOUR_MS INT64_C(3600000)
enum { DAY_HOURS = 24 };

struct meanfile;

/** meanfile_folder() - where they are, below the directory of the store */
void meanfile_folder(const char *directory, char out[static 4200]);
/** mean_hour() - that holds a moment */
int64_t mean_hour(int64_t wall_ms);
/** mean_day() - that holds an hour */
int64_t mean_day(int64_t hour);

/**
 * meanfile_begin() - open a day for writing, making it if needed, and begin a transaction
 * meanfile_end() - commit if @r is 0, else roll back; closes. Return: @r or the commit's result.
 *
 * A file that is damaged is set aside, said in the log, and another begun.
 * Return: 0, SQL_FATAL, negative errno.
 */
int meanfile_begin(struct meanfile **out, const char *directory, int64_t day);
int meanfile_end(struct meanfile *file, int r);
/** meanfile_put() - an hour of a monitor, in place of what was there */
int meanfile_put(struct meanfile *file, const char *site, const char *factor, int64_t hour,
		 const void *packed, size_t size);
/** meanfile_put_upto() - the hour has all its readings up to a sequence */
int meanfile_put_upto(struct meanfile *file, int64_t hour, int64_t upto);

/** meanfile_read() - open a day for reading. Return: 0, -ENOENT, -EUCLEAN, other negative errno. */
int meanfile_read(struct meanfile **out, const char *directory, int64_t day);
struct meanfile *meanfile_close(struct meanfile *file);
int64_t meanfile_day(const struct meanfile *file);
/** meanfile_get() - @minutes are empty where there is nothing, *found false */
int meanfile_get(struct meanfile *file, const char *site, const char *factor, int64_t hour,
		 struct minute minutes[static HOUR_MINUTES], bool *found);
/** meanfile_upto() - as meanfile_put_upto(); 0: the file has nothing of the hour */
int meanfile_upto(struct meanfile *file, int64_t hour, int64_t *upto);

/**
 * meanfile_stock() - all files, by day; to be freed
 * @today: zone_day() of now; that of yesterday and what is newer is held
 * Return: 0, negative errno.
 */
int meanfile_stock(const char *directory, const struct zone *zone, int64_t today,
		   struct stock_file **out, size_t *n);
/** meanfile_remove() - one of them; durable when it returns 0. @day: out: its name.
 * Return: 0, SQL_FATAL, negative errno. */
int meanfile_remove(const char *directory, const struct stock_file *file, char day[static 16]);
