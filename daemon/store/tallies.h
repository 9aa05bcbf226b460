/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tallies: minutes, hours and days added up from the daybooks: loads, and counts and means of
 * readings.
 *
 * directory/tally.db beside the ledger, in a file of its own: it is read at length by reports, and
 * a reader of the ledger's file would hold up the commit of a case. journal_mode=WAL, one writer;
 * readers see the last commit and hold nobody up. Where the daybooks have been read to stands in
 * the same file and moves in the same transaction, so a crash costs time and never counts twice.
 * What is damaged is set aside and added up anew from the daybooks that are left. Minutes go to a
 * file a day (store/meanfile.h) once their hour is over.
 *
 * One thread owns each object. Loads are in the factor's load unit, of the flow m³ (core/tally.h).
 */
#include "core/minute.h"
#include "core/section.h"
#include "core/tally.h"

struct tallies;

enum { TALLIES_FATAL = 1 }; /* an fsync failed, as LEDGER_FATAL */

/** tallies_open() - for writing. Return: 0, TALLIES_FATAL, negative errno. */
int tallies_open(struct tallies **out, const char *directory, const struct plan *plan);
/** tallies_read() - for reading. Return: 0; -ENOENT while nothing was added up; negative errno. */
int tallies_read(struct tallies **out, const char *directory, const struct plan *plan);
struct tallies *tallies_close(struct tallies *tallies);

/* --- writing, within a transaction --- */

int tallies_begin(struct tallies *tallies);
/** tallies_end() - commit if @r is 0, else roll back. Return: @r or the commit's result */
int tallies_end(struct tallies *tallies, int r);
/** tallies_put() - a small named value, replaced whole */
int tallies_put(struct tallies *tallies, const char *name, const void *data, size_t size);
/** tallies_get() - memory that the caller frees. Return: 0, -ENOENT, other negative errno. */
int tallies_get(struct tallies *tallies, const char *name, void **data, size_t *size);

/** tallies_put_hour() - in place of what was there */
int tallies_put_hour(struct tallies *tallies, uint32_t monitor, struct span hour,
		     const struct tally_sum *sum);
/** tallies_get_hour() - zeros where there is none */
int tallies_get_hour(struct tallies *tallies, uint32_t monitor, int64_t start_ms,
		     struct tally_sum *sum);

/** tallies_count() - add to a day's counts; @anew: put in place of them */
int tallies_count(struct tallies *tallies, uint32_t monitor, struct span day,
		  const struct tally_count *count, bool anew);
/**
 * tallies_put_late() - of a day to which valid readings beyond an instant limit came late
 * @late: how many lie beyond a limit, where it exceeds by its readings in the order of their times;
 * TALLY_LATE where it does not, or is to be judged by them; 0: none came late
 */
enum { TALLY_LATE = -1 };
int tallies_put_late(struct tallies *tallies, uint32_t monitor, struct span day, int64_t late);
int tallies_get_late(struct tallies *tallies, uint32_t monitor, int64_t day_ms, int64_t *late);
/** tallies_sum_day() - a day's load from its hours, which were put before */
int tallies_sum_day(struct tallies *tallies, uint32_t monitor, struct span day);
/** tallies_forget_hours() - of a span */
int tallies_forget_hours(struct tallies *tallies, uint32_t monitor, struct span span);
/** tallies_prune() - hours that began before a moment */
int tallies_prune(struct tallies *tallies, int64_t before_ms);
/** tallies_oldest_hour() - when the oldest hour begins; INT64_MAX: there is none */
int tallies_oldest_hour(struct tallies *tallies, int64_t *start_ms);
/** tallies_shrink() - what was pruned gives its room back, for which as much again is needed for a
 * while; in no transaction */
int tallies_shrink(struct tallies *tallies);

/** tallies_put_minutes() - an hour of a monitor, in place of what was there; @hour since 1970 */
int tallies_put_minutes(struct tallies *tallies, uint32_t monitor, int64_t hour,
			const struct minute minutes[static HOUR_MINUTES]);
/**
 * tallies_get_minutes() - what there is of an hour, empty where there is nothing
 * @upto: out: readings up to this sequence are in it beside those up to the position in the file; 0
 * but where tally.db was lost
 */
int tallies_get_minutes(struct tallies *tallies, uint32_t monitor, int64_t hour,
			struct minute minutes[static HOUR_MINUTES], int64_t *upto);
/**
 * tallies_file_minutes() - the oldest day of which hours before @before_hour wait goes to its file
 * (store/meanfile.h); in no transaction
 * @upto: what was put holds the readings up to this sequence
 * @more: there may be another. Return: 0, TALLIES_FATAL, negative errno.
 */
int tallies_file_minutes(struct tallies *tallies, int64_t before_hour, int64_t upto, bool *more);

/** tallies_checkpoint() - the log gives its room back, unless somebody reads; in no transaction */
int tallies_checkpoint(struct tallies *tallies);

/** tallies_again() - a day has to be added up anew, since readings came late or were marked, the
 * latest of them measured at @late_ms */
int tallies_again(struct tallies *tallies, uint32_t site, int64_t day_ms, int64_t late_ms);
/** tallies_next_again() - one whose latest is before @before_ms; *site NO_INDEX: there is none */
int tallies_next_again(struct tallies *tallies, int64_t before_ms, uint32_t *site, int64_t *day_ms);
/** tallies_waits() - has the day that starts then to be added up anew? */
int tallies_waits(struct tallies *tallies, uint32_t site, int64_t day_ms, bool *waits);
int tallies_not_again(struct tallies *tallies, uint32_t site, int64_t day_ms);

/* --- reading --- */

struct tally_row {
	struct span span;
	struct tally_sum sum;
	struct tally_count count; /* of days, months and years */
	int64_t late;             /* of days: tallies_put_late() */
};
enum tally_period { TALLY_HOUR, TALLY_DAY, TALLY_MONTH, TALLY_YEAR };
typedef bool (*tally_row_fn)(void *context, const struct tally_row *row);

/** tallies_rows() - what there is of a monitor in from_ms <= start < to_ms, oldest first; months
 * and years are the sums of their days in it. Return: 0, negative errno. */
int tallies_rows(struct tallies *tallies, uint32_t monitor, enum tally_period period,
		 struct span span, tally_row_fn fn, void *context);
typedef bool (*minute_fn)(void *context, int64_t start_ms, const struct minute *minute);
/** tallies_minutes() - those of a monitor with a valid reading that begin in from_ms <= start <
 * to_ms, oldest first. Return: 0, negative errno. */
int tallies_minutes(struct tallies *tallies, uint32_t monitor, struct span span, minute_fn fn,
		    void *context);
/** tallies_load() - the load of the hours that begin in a span */
int tallies_load(struct tallies *tallies, uint32_t monitor, struct span span, double *load);
/** tallies_until() - everything measured before was added up; 0: nothing was */
int64_t tallies_until(struct tallies *tallies);
/** tallies_marked() - the newest mark that was taken up; days that it touches are added up anew */
int64_t tallies_marked(struct tallies *tallies);

/* --- classes of sections --- */

/** tallies_put_latest(), tallies_get_latest() - the newest valid value of a monitor; *at_ms 0: none
 */
int tallies_put_latest(struct tallies *tallies, uint32_t monitor, int64_t at_ms, double value);
int tallies_get_latest(struct tallies *tallies, uint32_t monitor, int64_t *at_ms, double *value);
/** tallies_put_section() - the class of a section at a moment; once */
int tallies_put_section(struct tallies *tallies, uint32_t site, int64_t at_ms,
			const struct section_class *section);
struct section_row {
	int64_t id, at_ms;
	const char *site, *worst; /* valid during the call */
	int class;
};
typedef bool (*section_row_fn)(void *context, const struct section_row *row);
/** tallies_sections() - those with id > @after, oldest first */
int tallies_sections(struct tallies *tallies, int64_t after, size_t limit, section_row_fn fn,
		     void *context);
int64_t tallies_section_last(struct tallies *tallies); /* newest id, 0: none */

/** tallies_mean() - the mean of the means of a span's days with a valid reading, and how many */
int tallies_mean(struct tallies *tallies, uint32_t monitor, struct span span, double *mean,
		 int64_t *days);
/**
 * tallies_section() - the class of a section by the means of a span, rounded to the factors'
 * decimals as GB 3838-2002 has its assessment done. pH is judged value by value, and left out.
 */
int tallies_section(struct tallies *tallies, uint32_t site, struct span span,
		    struct section_class *out);
