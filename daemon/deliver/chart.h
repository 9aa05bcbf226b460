/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Chart: readings as a curve of bounded size, however many there are.
 *
 * Time is cut into columns, one a pixel; each keeps the first, last, lowest and highest valid
 * value, so that a single reading above the limit among a million stays to be seen. Flags are kept
 * as bits of the column, and so are later marks over the readings; silence longer than the monitor
 * allows breaks the line and is listed. The same serves for a sum that grows, such as the load of a
 * year, a value at the end of each day.
 */
#include "core/reading.h"
#include "deliver/sheet.h"

enum {
	CHART_COLUMNS = 720,
	CHART_GAPS = 6,
	CHART_LIMITS = 4,
	CHART_EPISODES = 400,
	CHART_ROWS = 16
};

struct chart_column {
	double first, last, low, high; /* of valid readings; meaningful where n > 0 */
	double marked;                 /* a value that does not count; where marked_value */
	uint32_t n;
	uint8_t flags, marks;      /* bits of chart_flag(): raw ones; later marks */
	bool marked_value, broken; /* broken: silence lies before the first */
};

struct chart_span {
	int64_t from_ms, to_ms;
};

/* Of the table beside the curve: a stretch of time that begins at a full hour, or the like. */
struct chart_row {
	double low, high; /* of valid readings; meaningful where n > 0 */
	uint32_t n;
	uint8_t flags, marks;
};

/* A level across the chart: a limit, or a share of what a permit allows in a year. */
struct chart_level {
	double at;
	double share; /* 0: a limit; 1: the permit itself */
};

struct chart {
	int64_t from_ms, to_ms;
	int64_t silent_ms; /* a longer time between readings is a gap; 0: none is */
	struct chart_column at[CHART_COLUMNS];
	struct chart_row rows[CHART_ROWS];
	int64_t rows_from_ms, row_ms;
	size_t n, valid;
	double low, high;                   /* of valid readings; meaningful where valid > 0 */
	int64_t last_ms;                    /* of the newest reading fed; 0: none */
	struct chart_span gaps[CHART_GAPS]; /* the first ones */
	size_t n_gaps;
	uint64_t unrecorded; /* readings that were judged and are in no daybook */
	bool sums;           /* what is fed is a sum since the year's beginning, and no reading */
	/* what is drawn over it */
	struct chart_level limits[CHART_LIMITS];
	size_t n_limits;
	struct chart_span episodes[CHART_EPISODES];
	size_t n_episodes;
	const char *unit, *name;
	int decimals;
};

/** chart_begin() - an empty one over from_ms <= measured < to_ms
 * @zone: whose full hours and days the table has */
void chart_begin(struct chart *chart, const struct zone *zone, int64_t from_ms, int64_t to_ms,
		 int64_t silent_ms);
/**
 * chart_feed() - one reading; by measured time, a late one is drawn and makes no gap
 * @mark: the flag of a later mark over it; 0: none
 */
void chart_feed(struct chart *chart, const struct reading *reading, uint8_t mark);
/** chart_end() - silence up to @until_ms, where no reading could follow any more */
void chart_end(struct chart *chart, int64_t until_ms);

/** chart_svg() - with title and description as its text alternative
 * @place: on its page: 0 for the first, whose pattern all share */
void chart_svg(struct sheet *sheet, const struct chart *chart, unsigned place);
/** chart_table() - count, lowest, highest and flags, stretch by stretch */
void chart_table(struct sheet *sheet, const struct chart *chart);

/** chart_whole() - a row of a table: from, to, and the same of all of it */
void chart_whole(struct sheet *sheet, const struct chart *chart);

/** chart_flags(), chart_marks() - of all readings, as bits */
uint8_t chart_flags(const struct chart *chart);
uint8_t chart_marks(const struct chart *chart);
/** chart_flag_hatched() - is a time with one of these flags hatched? */
bool chart_flag_hatched(uint8_t bits);
/** chart_flag(), chart_flag_word() - bit of a flag; its English word, "maintenance" */
uint8_t chart_flag(uint8_t flag);
const char *chart_flag_word(uint8_t bit);
