/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The tables of a report, as texts. Private to report*.c.
 */
#include "deliver/report.h"
#include "deliver/times.h"

/* CELL_KEY: a text that is not broken; CELL_WORD: one of ours; CELL_CODE: of the API; CELL_SITE:
 * its id; on a page the name that the office knows it by; CELL_STEP: an action of a history;
 * CELL_NOTE: sentences of ours */
enum report_cell {
	CELL_TEXT,
	CELL_KEY,
	CELL_SITE,
	CELL_WORD,
	CELL_CODE,
	CELL_STEP,
	CELL_NOTE,
	CELL_NUMBER,
	CELL_SHARE,
	CELL_COUNT
};

struct report_column {
	const char *name, *head; /* in CSV, on a page */
	enum report_cell cell;
	int decimals; /* of a number on a page */
};

/* A sentence, with a number in its place {n}. */
struct report_remark {
	const char *sentence;
	int64_t n;
};

struct report_value {
	const char *text;                    /* NULL: none; lives as long as the tables */
	const struct report_remark *remarks; /* of a note: up to one without a sentence */
	double number;
	bool has_number, has_decimals;
	int decimals; /* on a page, where they are not the column's */
};

static inline struct report_value report_text(const char *text)
{
	return (struct report_value){.text = text};
}

static inline struct report_value report_number(bool has, double number)
{
	return (struct report_value){.has_number = has, .number = number};
}

/** report_measure() - as a factor's values are given */
static inline struct report_value report_measure(bool has, double number, int decimals)
{
	return (struct report_value){
		.has_number = has, .number = number, .has_decimals = true, .decimals = decimals};
}

static inline struct report_value report_count(int64_t n)
{
	return report_number(true, (double)n);
}

/* Who takes the tables, row by row. */
struct report_writer {
	void (*begin)(struct report_writer *writer, const char *name, const char *heading,
		      const struct report_column *columns, size_t n);
	void (*row)(struct report_writer *writer, const struct report_column *columns,
		    const struct report_value *values, size_t n);
	void (*end)(struct report_writer *writer);
};

/** report_tables() - gather and write all of them. Return: as report_html(). */
int report_tables(const struct report *report, struct report_writer *writer);

/* --- report-ledger.c: what the ledger has of a span --- */

enum { REPORT_WORST = 10, REPORT_DAYS = 366, RATE_PERCENT = 90 };

/* Days of the span, a bit each. */
struct report_days {
	uint64_t bits[REPORT_DAYS / 64 + 1];
};

/* When alerts of one limit of a monitor were raised last. */
enum { REPORT_RECENT = 12 };
struct report_recent {
	char kind[16], average[8];
	double limit;
	int64_t at_ms[2];
};

/* Of one monitor. */
struct report_alerts {
	int64_t n, exceedances;
	struct times active;          /* of all its alerts, within the span */
	int64_t active_ms;            /* of the same, each moment once */
	int64_t chattering, standing; /* report-alarms.c */
	struct report_recent recent[REPORT_RECENT];
	struct report_days judged, exceeding;
	struct report_days beyond;   /* with a valid reading beyond a limit */
	struct report_days by_means; /* with a mean of hours beyond a limit */
	struct report_days late;     /* that exceed by late readings, and touch no alert */
	int64_t late_readings;       /* of those days, beyond a limit */
	int64_t recomputed;          /* means that marks have changed */
	/* cases of its own; decided: verified, or withdrawn since nothing was wrong (unfounded) */
	int64_t registered, verified, withdrawn, decided, unfounded;
};
int report_alerts(const struct report *report, struct report_alerts *by_monitor);
void report_alerts_free(const struct report *report, struct report_alerts *by_monitor);

/** report_alarm() - one alert, newest first: was it the first of three within ten minutes, and was
 * it on for a day at a stretch? */
void report_alarm(const struct report *report, const json_t *alert, struct span active,
		  struct report_alerts *alerts);

/* --- report-days.c: which days exceed --- */

enum report_basis { BASIS_MEANS, BASIS_WINDOWS, BASIS_TOUCHED };
enum report_basis report_basis(const struct monitor *monitor);
/** report_day() - what was added up of a day: is it judged, and does it exceed? */
void report_day(const struct report *report, const struct monitor *monitor,
		const struct tally_row *day, struct report_alerts *alerts);
/** report_settle_days() - once all of a monitor's days are told: a day that exceeds is a judged
 * one, and an alert that goes on in silence touches days of which nothing is known */
void report_settle_days(const struct monitor *monitor, struct report_alerts *alerts);
bool report_has_day(const struct report *report, const struct report_days *days, int64_t at_ms);
void report_set_days(const struct report *report, struct report_days *days, struct span span);
int report_count_days(const struct report_days *days);

/* Windows that a mark has changed, and marks themselves as such of averaging instant. */
struct report_covers {
	struct recomputed_window *at;
	size_t n, room;
	bool failed;
};
int report_covers(const struct report *report, struct report_covers *covers);
/** report_cover() - an alert that says that means of hours could not be told: windows that exceed
 * in no alert which goes on over them */
void report_cover(const struct report *report, struct report_covers *covers, uint32_t monitor,
		  const json_t *alert);
/** report_covers_sort() - by their time, once all are there */
void report_covers_sort(struct report_covers *covers);
void report_covers_deinit(struct report_covers *covers);
/** report_touch() - an exceedance from its beginning to its clear: the days that it makes exceed */
void report_touch(const struct report *report, const struct report_covers *covers, uint32_t monitor,
		  const json_t *alert, struct report_alerts *alerts);
/** report_touch_windows() - the days of the windows that exceed by a mark */
void report_touch_windows(const struct report *report, const struct report_covers *covers,
			  struct report_alerts *by_monitor);

/* --- report-cases.c --- */

/* What was done in the span: steps, not cases. */
struct report_counts {
	int64_t registered, verified, withdrawn, closed, on_time, reopened;
	int64_t repeated; /* of the registered: complaints at a site that had one in the year before
			   */
	double days;      /* from registration, or reopening, to closing: a sum over the closed */
};
struct report_group {
	char *by, *name;
	struct report_counts n;
};
struct report_groups {
	struct report_group *at;
	size_t n, room;
	bool failed;
};
/** report_each_case() - all that were registered before the span ends, newest first.
 * Return: 0, negative errno, a result of the ledger. */
int report_each_case(const struct report *report, void (*fn)(void *context, const json_t *c),
		     void *context);
/** report_cases() - "total" first, then by subdistrict, leader, river, source, level, kind, each
 * in the order of their names; and of each monitor */
int report_cases(const struct report *report, struct report_groups *groups,
		 struct report_alerts *by_monitor);
void report_groups_deinit(struct report_groups *groups);

/* --- report-places.c: tables of sites, monitors and documents --- */

/** report_water_sources() - on how many of the judged days everything complied */
void report_water_sources(const struct report *report, struct report_writer *writer,
			  const struct report_alerts *by_monitor);
/** report_monitor_cases() - how many of a monitor's cases were no finding */
void report_monitor_cases(const struct report *report, struct report_writer *writer,
			  const struct report_alerts *by_monitor);
/** report_rain() - report-rain.c: of each case of exceedance, where there is a rain gauge.
 * Return: 0, negative errno, a result of the ledger. */
int report_rain(const struct report *report, struct report_writer *writer);
/** report_documents() - documents that steps of cases name in the span: decisions on penalties,
 * transfers, orders, delivery slips */
int report_documents(const struct report *report, struct report_writer *writer);
