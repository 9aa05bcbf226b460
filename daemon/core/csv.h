/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * CSV of recorded readings, as --backtest and the simulator's replay take it.
 *
 * The first line names the columns time, site, factor, value and optionally flag, in any order;
 * further columns are passed over. Fields may stand in double quotes and have blanks around them.
 * An empty value, NA or NaN is no reading: it only says that time went on. A flag in the last
 * column may be left out of a row. Pure functions over one line.
 */
#include "core/reading.h"
#include "core/zone.h"

#include <stdio.h>

struct text;

enum csv_column { CSV_TIME, CSV_SITE, CSV_FACTOR, CSV_VALUE, CSV_FLAG, CSV_COLUMNS };

struct csv_header {
	int place[CSV_COLUMNS]; /* which field of a row, -1: absent */
	int n_fields;
	bool usual; /* time,site,factor,value[,flag], and no other */
};

struct csv_row {
	int64_t time_ms;
	const char *time; /* into the line, as the names; what time_ms was read from */
	size_t time_length;
	const char *site, *factor; /* into the line, not NUL-terminated */
	size_t site_length, factor_length;
	bool has_value;
	double value; /* finite */
	enum flag flag;
};

/**
 * csv_header() - the first line, without its line end (a byte order mark is passed over)
 * @why: a sentence if it is refused, at least 128 bytes
 */
bool csv_header(const char *line, size_t length, struct csv_header *out, char *why,
		size_t why_size);

/* One line of a file, and what one look over it has found. */
struct csv_line {
	const char *at;
	size_t length;   /* without its end */
	size_t taken;    /* with its end */
	bool plain;      /* short, without quotes and blanks, and then */
	uint64_t commas; /* a bit for each, the first byte's lowest */
};

/** csv_line() - the line that begins at @from; no byte at @to or behind it is read */
void csv_line(const char *from, const char *to, struct csv_line *out);

/**
 * csv_row() - one further line, without its line end
 * @zone: for times without offset
 * @out: zeros, or the row before, whose line is still there: a time that reads the same is taken
 * over
 */
bool csv_row(const char *line, size_t length, const struct csv_header *header,
	     const struct zone *zone, struct csv_row *out, char *why, size_t why_size);
/** csv_row_of() - the same of a line that was looked over */
bool csv_row_of(const struct csv_line *line, const struct csv_header *header,
		const struct zone *zone, struct csv_row *out, char *why, size_t why_size);

/**
 * csv_row_like() - the row that begins at @from, if it is as most are: of the usual columns, of the
 * monitor that is expected, of the time of the row before or another of ten digits, and flagged N
 * @names: "site,factor,", @length bytes
 * @row: the row before, whose line is still there, and then this one
 * Return: the bytes it takes, its end included; 0: another row, for csv_line(), and @row is as it
 * was.
 */
size_t csv_row_like(const char *from, const char *to, const struct csv_header *header,
		    const char *names, size_t length, struct csv_row *row);

/* One field, without its quotes and the blanks around it; not NUL-terminated. */
struct csv_field {
	const char *at;
	size_t length;
};
enum { CSV_FIELDS_MAX = 64 };
/** csv_split() - any line, for other tables. Return: how many fields, -1 where a quote stays open
 * or there are too many */
int csv_split(const char *line, size_t length, struct csv_field out[CSV_FIELDS_MAX]);

/** decimal_parse() - a whole decimal number such as -1.5e3; no hex, no infinity, no locale.
 * Return: false if it is none or overflows. */
bool decimal_parse(const char *text, size_t length, double *out);

/** csv_reading() - a reading as a line of /api/v1/readings: time, received_at, site, factor, value,
 * flag, and the line end */
void csv_reading(struct text *out, const struct zone *zone, const char *site, const char *factor,
		 const struct reading *reading);
