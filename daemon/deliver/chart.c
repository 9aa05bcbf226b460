/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/chart.h"

#include "core/tally.h"
#include "deliver/label-room.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the drawing, in units of its viewBox. */
enum {
	LEFT = 64,
	TOP = 14,
	PLOT_HEIGHT = 230,
	WIDTH = LEFT + CHART_COLUMNS + 8,
	HEIGHT = TOP + PLOT_HEIGHT + 42
};
#define DAY_MS INT64_C(86400000)
_Static_assert((int)LABEL_COLUMNS == (int)CHART_COLUMNS, "a label is placed by the columns");

static const struct {
	char flag;
	const char *word;
} flags[] = {
	{FLAG_STOPPED, SAY("flag F: stopped")},
	{FLAG_MAINTENANCE, SAY("flag M: maintenance")},
	{FLAG_SET, SAY("flag S: set by hand")},
	{FLAG_FAULT, SAY("flag D: instrument fault")},
	{FLAG_CALIBRATION, SAY("flag C: calibration")},
	{FLAG_OVER_RANGE, SAY("flag T: beyond the range")},
	{FLAG_COMMUNICATION, SAY("flag B: communication failure")},
};
enum { FLAGS = sizeof flags / sizeof flags[0] };

uint8_t chart_flag(uint8_t flag)
{
	for (unsigned i = 0; i < FLAGS; i++)
		if (flags[i].flag == (char)flag)
			return (uint8_t)(1u << i);
	return 0;
}

const char *chart_flag_word(uint8_t bit)
{
	for (unsigned i = 0; i < FLAGS; i++)
		if (bit == 1u << i)
			return flags[i].word;
	return NULL;
}

bool chart_flag_hatched(uint8_t bits)
{
	return (bits & (chart_flag(FLAG_MAINTENANCE) | chart_flag(FLAG_CALIBRATION) |
			chart_flag(FLAG_FAULT) | chart_flag(FLAG_STOPPED))) != 0;
}

uint8_t chart_flags(const struct chart *chart)
{
	uint8_t bits = 0;
	for (size_t i = 0; i < CHART_COLUMNS; i++)
		bits |= chart->at[i].flags;
	return bits;
}

uint8_t chart_marks(const struct chart *chart)
{
	uint8_t bits = 0;
	for (size_t i = 0; i < CHART_COLUMNS; i++)
		bits |= chart->at[i].marks;
	return bits;
}

/* --- taking readings in --- */

/* So long that a dozen of them or so fill the time. */
static int64_t row_of(int64_t span)
{
	static const int64_t minutes[] = {1,   5,   10,   15,   30,   60,    120,   180,
					  360, 720, 1440, 2880, 7200, 14400, 43200, 129600};
	const size_t n = sizeof minutes / sizeof minutes[0];
	size_t i = 0;
	while (i < n && span / (minutes[i] * 60000) > CHART_ROWS - 2)
		i++;
	return i < n ? minutes[i] * 60000 : span / (CHART_ROWS - 2) + 1;
}

void chart_begin(struct chart *chart, const struct zone *zone, int64_t from_ms, int64_t to_ms,
		 int64_t silent_ms)
{
	const int64_t offset_ms = (int64_t)zone_offset_s(zone, from_ms) * 1000;
	*chart = (struct chart){.from_ms = from_ms,
				.to_ms = to_ms > from_ms ? to_ms : from_ms + 1,
				.silent_ms = silent_ms,
				.decimals = -1};
	chart->row_ms = row_of(chart->to_ms - from_ms);
	chart->rows_from_ms = (from_ms + offset_ms) / chart->row_ms * chart->row_ms - offset_ms;
}

static int64_t span_ms(const struct chart *chart)
{
	return chart->to_ms - chart->from_ms;
}

static size_t column_of(const struct chart *chart, int64_t time_ms)
{
	double share = (double)(time_ms - chart->from_ms) / (double)span_ms(chart);
	return (size_t)fmin(share * CHART_COLUMNS, CHART_COLUMNS - 1);
}

/* Return: true where the silence was longer than it may be. */
static bool gap_feed(struct chart *chart, int64_t until_ms)
{
	int64_t since_ms = chart->last_ms == 0 ? chart->from_ms : chart->last_ms;
	if (chart->silent_ms == 0 || until_ms - since_ms <= chart->silent_ms)
		return false;
	if (chart->n_gaps < CHART_GAPS)
		chart->gaps[chart->n_gaps] = (struct chart_span){since_ms, until_ms};
	chart->n_gaps++;
	return true;
}

static void valid_feed(struct chart *chart, struct chart_column *column, double value)
{
	if (column->n++ == 0)
		column->first = column->low = column->high = value;
	column->last = value;
	column->low = fmin(column->low, value);
	column->high = fmax(column->high, value);
	if (chart->valid++ == 0)
		chart->low = chart->high = value;
	chart->low = fmin(chart->low, value);
	chart->high = fmax(chart->high, value);
}

static void row_feed(struct chart *chart, const struct reading *reading, uint8_t mark, bool valid)
{
	int64_t at = (reading->measured_ms - chart->rows_from_ms) / chart->row_ms;
	struct chart_row *row = &chart->rows[at < CHART_ROWS ? at : CHART_ROWS - 1];
	if (!valid) {
		row->flags |= chart_flag(reading->flag);
		row->marks |= chart_flag(mark);
		return;
	}
	row->low = row->n == 0 ? reading->value : fmin(row->low, reading->value);
	row->high = row->n == 0 ? reading->value : fmax(row->high, reading->value);
	row->n++;
}

void chart_feed(struct chart *chart, const struct reading *reading, uint8_t mark)
{
	int64_t time_ms = reading->measured_ms;
	if (time_ms < chart->from_ms || time_ms >= chart->to_ms)
		return;
	struct chart_column *column = &chart->at[column_of(chart, time_ms)];
	if (gap_feed(chart, time_ms) && column->n == 0)
		column->broken = true;
	if (time_ms > chart->last_ms)
		chart->last_ms = time_ms;
	chart->n++;
	bool valid = reading->flag == FLAG_NORMAL && mark == 0 && reading->has_value;
	row_feed(chart, reading, mark, valid);
	if (valid) {
		valid_feed(chart, column, reading->value);
		return;
	}
	column->flags |= chart_flag(reading->flag);
	column->marks |= chart_flag(mark);
	if (reading->has_value) {
		column->marked = reading->value;
		column->marked_value = true;
	}
}

void chart_end(struct chart *chart, int64_t until_ms)
{
	gap_feed(chart, until_ms < chart->to_ms ? until_ms : chart->to_ms);
}

/* --- scales --- */

struct scale {
	double low, high, step; /* of the values on the left */
};

/* 1, 2 or 5 times a power of ten, so that about five of them fill @range. */
static double nice_step(double range)
{
	double power = pow(10, floor(log10(range / 5)));
	double share = range / 5 / power;
	return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

static struct scale scale_of(const struct chart *chart)
{
	double low = INFINITY, high = -INFINITY;
	if (chart->valid > 0) {
		low = chart->low;
		high = chart->high;
	}
	for (size_t i = 0; i < chart->n_limits; i++) {
		low = fmin(low, chart->limits[i].at);
		high = fmax(high, chart->limits[i].at);
	}
	if (!(low <= high))
		low = high = 0;
	double range = fmax(high - low, fmax(fabs(high) * 0.1, 1e-6));
	struct scale scale = {.step = nice_step(range * 1.1)};
	scale.low = floor((low - range * 0.05) / scale.step) * scale.step;
	scale.high = ceil((high + range * 0.05) / scale.step) * scale.step;
	if (low >= 0 && scale.low < 0)
		scale.low = 0;
	return scale;
}

static double y_of(const struct scale *scale, double value)
{
	double share = (value - scale->low) / (scale->high - scale->low);
	return TOP + PLOT_HEIGHT * (1 - fmin(fmax(share, 0), 1));
}

static void number(struct sheet *sheet, double value)
{
	text_fixed(sheet->out, value, 1);
}

static void attribute(struct sheet *sheet, const char *name, double value)
{
	text_format(sheet->out, " %s=\"", name);
	number(sheet, value);
	text_char(sheet->out, '"');
}

static double x_of(const struct chart *chart, int64_t time_ms)
{
	double share = (double)(time_ms - chart->from_ms) / (double)span_ms(chart);
	return LEFT + CHART_COLUMNS * fmin(fmax(share, 0), 1);
}

/* --- the parts of the drawing --- */

static void rectangle(struct sheet *sheet, const char *class, double x, double width)
{
	text_format(sheet->out, "<rect class=\"%s\"", class);
	attribute(sheet, "x", x);
	attribute(sheet, "y", TOP);
	attribute(sheet, "width", fmax(width, 1.5));
	attribute(sheet, "height", PLOT_HEIGHT);
	sheet_markup(sheet, "/>");
}

static void line(struct sheet *sheet, const char *class, double x1, double y1, double x2, double y2)
{
	text_format(sheet->out, "<line class=\"%s\"", class);
	attribute(sheet, "x1", x1);
	attribute(sheet, "y1", y1);
	attribute(sheet, "x2", x2);
	attribute(sheet, "y2", y2);
	sheet_markup(sheet, "/>");
}

static void label_begin(struct sheet *sheet, const char *class, double x, double y)
{
	text_format(sheet->out, "<text class=\"%s\"", class);
	attribute(sheet, "x", x);
	attribute(sheet, "y", y);
	text_char(sheet->out, '>');
}

static void label(struct sheet *sheet, const char *class, double x, double y, const char *words)
{
	label_begin(sheet, class, x, y);
	sheet_text(sheet, words);
	sheet_markup(sheet, "</text>");
}

static void draw_values(struct sheet *sheet, const struct scale *scale)
{
	int decimals = scale->step >= 1 ? 0 : (int)ceil(-log10(scale->step) - 1e-9);
	for (double value = scale->low; value <= scale->high + scale->step / 2;
	     value += scale->step) {
		struct text words = {0};
		double y = y_of(scale, value);
		text_fixed(&words, value, decimals > 9 ? 9 : decimals);
		line(sheet, "grid", LEFT, y, LEFT + CHART_COLUMNS, y);
		label(sheet, "value", LEFT - 6, y + 4, words.at);
		text_deinit(&words);
	}
}

static void draw_time(struct sheet *sheet, const struct chart *chart, int64_t time_ms,
		      const char *words, const char *below)
{
	double x = x_of(chart, time_ms);
	line(sheet, "grid", x, TOP, x, TOP + PLOT_HEIGHT);
	label(sheet, "time", x, TOP + PLOT_HEIGHT + 16, words);
	if (below[0] != '\0')
		label(sheet, "time", x, TOP + PLOT_HEIGHT + 32, below);
}

static int64_t tick_ms(int64_t span)
{
	static const int64_t minutes[] = {1,   2,   5,   10,   15,   30,   60,   120,
					  180, 360, 720, 1440, 2880, 7200, 14400};
	const size_t n = sizeof minutes / sizeof minutes[0];
	size_t i = 0;
	while (i + 1 < n && span / (minutes[i] * 60000) > 6)
		i++;
	return minutes[i] * 60000;
}

/* Times at whole hours or days of the zone, and the date where it begins or changes. */
static void draw_hours(struct sheet *sheet, const struct chart *chart, int64_t tick)
{
	const int64_t offset = (int64_t)zone_offset_s(sheet->zone, chart->from_ms) * 1000;
	int64_t day = INT64_MIN;
	char words[40], date[40];
	for (int64_t t = ((chart->from_ms + offset) / tick + 1) * tick - offset; t < chart->to_ms;
	     t += tick) {
		struct civil c = zone_civil(sheet->zone, t);
		bool new_day = zone_day(sheet->zone, t) != day;
		day = zone_day(sheet->zone, t);
		snprintf(date, sizeof date, "%04d-%02d-%02d", (int)c.year, c.month, c.day);
		snprintf(words, sizeof words, "%02d:%02d", c.hour, c.minute);
		if (tick >= DAY_MS)
			draw_time(sheet, chart, t, date, "");
		else
			draw_time(sheet, chart, t, words, new_day ? date : "");
	}
}

static void draw_months(struct sheet *sheet, const struct chart *chart)
{
	char words[40];
	for (int64_t t = month_of(sheet->zone, chart->from_ms).end_ms; t < chart->to_ms;
	     t = month_of(sheet->zone, t).end_ms) {
		struct civil c = zone_civil(sheet->zone, t);
		snprintf(words, sizeof words, "%04d-%02d", (int)c.year, c.month);
		draw_time(sheet, chart, t, words, "");
	}
}

static void draw_times(struct sheet *sheet, const struct chart *chart)
{
	if (span_ms(chart) > 70 * DAY_MS && span_ms(chart) <= 400 * DAY_MS)
		draw_months(sheet, chart);
	else
		draw_hours(sheet, chart,
			   span_ms(chart) > 70 * DAY_MS ? span_ms(chart) / 6
							: tick_ms(span_ms(chart)));
}

/* Maintenance and its like, and whatever was marked later: columns without a valid reading between
 * two such are part of it. */
static void draw_hatched(struct sheet *sheet, const struct chart *chart)
{
	size_t from = CHART_COLUMNS, to = 0;
	for (size_t i = 0; i <= CHART_COLUMNS; i++) {
		bool ends = i == CHART_COLUMNS || chart->at[i].n > 0 || chart->at[i].broken;
		if (from < CHART_COLUMNS && ends) {
			rectangle(sheet, "hatched", LEFT + (double)from, (double)(to - from + 1));
			from = CHART_COLUMNS;
		}
		if (i < CHART_COLUMNS &&
		    (chart->at[i].marks != 0 || chart_flag_hatched(chart->at[i].flags))) {
			from = from == CHART_COLUMNS ? i : from;
			to = i;
		}
	}
}

/* "limit 50", "80% of the permit: 4", "permit 5" */
static void level_name(struct sheet *sheet, const struct chart_level *level)
{
	struct text at = {0}, share = {0};
	text_double(&at, level->at);
	text_double(&share, round(1e4 * level->share) / 100);
	sheet_phrase(sheet,
		     level->share <= 0  ? SAY("limit {at}")
		     : level->share < 1 ? SAY("{share}% of the permit: {at}")
					: SAY("permit {at}"),
		     "at", at.at, "share", share.at, NULL);
	text_deinit(&at);
	text_deinit(&share);
}

static bool is_share(const struct chart_level *level)
{
	return level->share > 0 && level->share < 1;
}

static void draw_limits(struct sheet *sheet, const struct chart *chart, const struct scale *scale)
{
	for (size_t i = 0; i < chart->n_limits; i++) {
		const struct chart_level *level = &chart->limits[i];
		double y = y_of(scale, level->at);
		line(sheet, is_share(level) ? "limit share" : "limit", LEFT, y,
		     LEFT + CHART_COLUMNS, y);
	}
}

/* Where the curve and the readings that stand apart are drawn. */
static void curve_room(const struct chart *chart, const struct scale *scale,
		       struct label_room *room)
{
	bool joined = false;
	label_room_begin(room, LEFT, TOP, TOP + PLOT_HEIGHT);
	for (size_t i = 0; i < CHART_COLUMNS; i++) {
		const struct chart_column *c = &chart->at[i];
		joined = joined && (c->n > 0 ? !c->broken : c->flags == 0);
		if (c->n == 0)
			continue;
		label_room_point(room, i, y_of(scale, c->first), joined);
		label_room_point(room, i, y_of(scale, c->low), true);
		label_room_point(room, i, y_of(scale, c->high), true);
		label_room_point(room, i, y_of(scale, c->last), true);
		joined = true;
	}
}

/* Beside their lines, not over the curve; a share lies close below the whole, and is named below
 * itself. */
static void draw_limit_names(struct sheet *sheet, const struct chart *chart,
			     const struct scale *scale)
{
	struct label_room room;
	curve_room(chart, scale, &room);
	for (size_t i = 0; i < chart->n_limits; i++) {
		const struct chart_level *level = &chart->limits[i];
		struct text name = {0};
		struct sheet inner = {&name, sheet->words, sheet->zone};
		level_name(&inner, level);
		const struct label_place at =
			label_room_find(&room, label_width(name.at == NULL ? "" : name.at),
					y_of(scale, level->at), is_share(level));
		label_begin(sheet, "limit-name", at.x, at.y);
		sheet_markup(sheet, name.at == NULL ? "" : name.at);
		sheet_markup(sheet, "</text>");
		text_deinit(&name);
	}
}

static void path_to(struct sheet *sheet, char how, size_t column, double y)
{
	text_format(sheet->out, "%c%d ", how, (int)(LEFT + column));
	number(sheet, y);
}

static void draw_curve(struct sheet *sheet, const struct chart *chart, const struct scale *scale)
{
	char how = 'M';
	sheet_markup(sheet, "<path class=\"curve\" d=\"");
	for (size_t i = 0; i < CHART_COLUMNS; i++) {
		const struct chart_column *c = &chart->at[i];
		if (c->n == 0) {
			how = c->flags != 0 ? 'M' : how;
			continue;
		}
		path_to(sheet, c->broken ? 'M' : how, i, y_of(scale, c->first));
		how = 'L';
		if (c->n == 1) {
			sheet_markup(sheet, "h.5");
			continue;
		}
		path_to(sheet, how, i, y_of(scale, c->low));
		path_to(sheet, how, i, y_of(scale, c->high));
		path_to(sheet, how, i, y_of(scale, c->last));
	}
	sheet_markup(sheet, "\"/>");
}

/* Single readings that stand apart, and those with a flag; no more than one in six columns. */
static void draw_marks(struct sheet *sheet, const struct chart *chart, const struct scale *scale)
{
	size_t next = 0;
	for (size_t i = 0; i < CHART_COLUMNS; i++) {
		const struct chart_column *c = &chart->at[i];
		if (i < next || !c->marked_value)
			continue;
		sheet_markup(sheet, "<circle class=\"marked\" r=\"2.5\"");
		attribute(sheet, "cx", LEFT + (double)i);
		attribute(sheet, "cy", y_of(scale, c->marked));
		sheet_markup(sheet, "/>");
		next = i + 6;
	}
}

/* Letters of flags as they came, and in brackets those of later marks. */
enum { LETTERS_BYTES = 2 * FLAGS + 3 };
static size_t letters_of(char *out, unsigned bits, unsigned marks)
{
	size_t n = 0;
	for (unsigned f = 0; f < FLAGS; f++)
		if ((bits & (1u << f)) != 0)
			out[n++] = flags[f].flag;
	if (marks != 0)
		out[n++] = '(';
	for (unsigned f = 0; f < FLAGS; f++)
		if ((marks & (1u << f)) != 0)
			out[n++] = flags[f].flag;
	if (marks != 0)
		out[n++] = ')';
	out[n] = '\0';
	return n;
}

/* Along the top, where they begin. */
static void draw_letters(struct sheet *sheet, const struct chart *chart)
{
	unsigned bits_before = 0, marks_before = 0;
	size_t next = 0;
	for (size_t i = 0; i < CHART_COLUMNS; i++) {
		const struct chart_column *c = &chart->at[i];
		char letters[LETTERS_BYTES];
		size_t n = letters_of(letters, c->flags & ~bits_before, c->marks & ~marks_before);
		if (c->n > 0 || c->flags != 0 || c->marks != 0) {
			bits_before = c->flags;
			marks_before = c->marks;
		}
		if (n == 0 || i < next)
			continue;
		label(sheet, "flag", LEFT + (double)i, TOP + 10, letters);
		next = i + 4 + 6 * n;
	}
}

static void draw_gaps(struct sheet *sheet, const struct chart *chart)
{
	for (size_t i = 0; i < chart->n_gaps && i < CHART_GAPS; i++) {
		double x = x_of(chart, chart->gaps[i].from_ms);
		rectangle(sheet, "silent", x, x_of(chart, chart->gaps[i].to_ms) - x);
	}
}

static void draw_episodes(struct sheet *sheet, const struct chart *chart)
{
	for (size_t i = 0; i < chart->n_episodes; i++) {
		const struct chart_span *e = &chart->episodes[i];
		if (e->to_ms < chart->from_ms || e->from_ms >= chart->to_ms)
			continue;
		double x = x_of(chart, e->from_ms);
		rectangle(sheet, "episode", x, x_of(chart, e->to_ms) - x);
	}
}

/* --- the text alternative --- */

static const char *value_words(struct text *out, double value, int decimals)
{
	text_clear(out);
	if (decimals < 0)
		text_double(out, value);
	else
		text_fixed(out, value, decimals);
	return out->at;
}

static void describe(struct sheet *sheet, const struct chart *chart)
{
	char from[SHEET_TIME_BYTES], to[SHEET_TIME_BYTES], count[24];
	struct text low = {0}, high = {0};
	snprintf(count, sizeof count, "%zu", chart->n);
	sheet_moment(sheet, chart->from_ms, from);
	sheet_moment(sheet, chart->to_ms, to);
	value_words(&low, chart->low, chart->decimals);
	value_words(&high, chart->high, chart->decimals);
	if (chart->sums)
		sheet_phrase(sheet,
			     SAY("From {from} on the load grew to {high} {unit}; the levels of the "
				 "permit are drawn across."),
			     "from", from, "high", high.at, "unit", chart->unit, NULL);
	else if (chart->valid == 0)
		sheet_phrase(sheet, SAY("There is no valid reading from {from} to {to}."), "from",
			     from, "to", to, NULL);
	else
		sheet_phrase(sheet,
			     SAY("{count} readings from {from} to {to}; the valid ones lie between "
				 "{low} and "
				 "{high} {unit}."),
			     "count", count, "from", from, "to", to, "low", low.at, "high", high.at,
			     "unit", chart->unit, NULL);
	text_deinit(&low);
	text_deinit(&high);
}

/* The names of title and description are its own; the pattern is the page's. */
static void svg_head(struct sheet *sheet, const struct chart *chart, unsigned place)
{
	text_format(sheet->out,
		    "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"chart-title-%u "
		    "chart-text-%u\"><title id=\"chart-title-%u\">",
		    (int)WIDTH, (int)HEIGHT, place, place, place);
	sheet_phrase(sheet,
		     chart->sums ? SAY("Load of {factor} since the beginning of the year")
				 : SAY("Readings of {factor}"),
		     "factor", chart->name, NULL);
	text_format(sheet->out, "</title><desc id=\"chart-text-%u\">", place);
	describe(sheet, chart);
	sheet_markup(sheet, "</desc>");
	if (place == 0)
		sheet_markup(sheet,
			     "<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" "
			     "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
			     "<line class=\"hatch\" x1=\"0\" y1=\"0\" x2=\"0\" "
			     "y2=\"6\"/></pattern></defs>");
}

void chart_svg(struct sheet *sheet, const struct chart *chart, unsigned place)
{
	struct scale scale = scale_of(chart);
	svg_head(sheet, chart, place);
	draw_episodes(sheet, chart);
	draw_gaps(sheet, chart);
	draw_values(sheet, &scale);
	draw_times(sheet, chart);
	draw_hatched(sheet, chart);
	draw_limits(sheet, chart, &scale);
	draw_curve(sheet, chart, &scale);
	draw_marks(sheet, chart, &scale);
	draw_letters(sheet, chart);
	draw_limit_names(sheet, chart, &scale);
	sheet_markup(sheet, "</svg>");
}

/* --- the same as a table --- */

static void cells(struct sheet *sheet, const struct chart *chart, const struct chart_row *row)
{
	struct text words = {0};
	char letters[LETTERS_BYTES];
	text_format(sheet->out, "<td>%u</td><td>", (unsigned)row->n);
	sheet_text(sheet, row->n == 0 ? "-" : value_words(&words, row->low, chart->decimals));
	sheet_markup(sheet, "</td><td>");
	sheet_text(sheet, row->n == 0 ? "-" : value_words(&words, row->high, chart->decimals));
	sheet_markup(sheet, "</td><td>");
	letters_of(letters, row->flags, row->marks);
	sheet_text(sheet, letters);
	sheet_markup(sheet, "</td></tr>");
	text_deinit(&words);
}

static void table_row(struct sheet *sheet, const struct chart *chart, size_t at)
{
	const int64_t from_ms = chart->rows_from_ms + (int64_t)at * chart->row_ms;
	sheet_markup(sheet, "<tr><th scope=\"row\">");
	sheet_time(sheet, from_ms > chart->from_ms ? from_ms : chart->from_ms);
	sheet_markup(sheet, "</th>");
	cells(sheet, chart, &chart->rows[at]);
}

void chart_whole(struct sheet *sheet, const struct chart *chart)
{
	const struct chart_row all = {.low = chart->low,
				      .high = chart->high,
				      .n = (uint32_t)chart->valid,
				      .flags = chart_flags(chart),
				      .marks = chart_marks(chart)};
	sheet_markup(sheet, "<tr><th scope=\"row\">");
	sheet_time(sheet, chart->from_ms);
	sheet_markup(sheet, "</th><td>");
	sheet_time(sheet, chart->to_ms);
	sheet_markup(sheet, "</td>");
	cells(sheet, chart, &all);
}

void chart_table(struct sheet *sheet, const struct chart *chart)
{
	static const char *const heads[] = {SAY("From"), SAY("Valid readings"), SAY("Lowest"),
					    SAY("Highest"), SAY("Flags")};
	sheet_markup(sheet, "<p class=\"legend\">");
	sheet_say(sheet, SAY("The same readings as a table"));
	sheet_markup(sheet, "</p>");
	sheet_table(sheet, "readings", heads, sizeof heads / sizeof heads[0]);
	for (size_t at = 0;
	     at < CHART_ROWS && chart->rows_from_ms + (int64_t)at * chart->row_ms < chart->to_ms;
	     at++)
		table_row(sheet, chart, at);
	sheet_table_end(sheet);
}
