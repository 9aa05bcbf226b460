/* SPDX-License-Identifier: Apache-2.0 */
/* The rain beside each case of exceedance that was registered in the span of a report. */
#include "deliver/rain.h"
#include "deliver/report-tables.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct report_column columns[] = {
	{"case", "case number", CELL_KEY, 0},
	{"site", "site", CELL_SITE, 0},
	{"factor", "factor code", CELL_KEY, 0},
	{"began", "began", CELL_KEY, 0},
	{"gauge", "rain gauge", CELL_SITE, 0},
	{"rain_mm", "rain of that day and the day before, mm", CELL_NUMBER, 1},
	{"readings", "readings", CELL_COUNT, 0},
	{"valid", "valid readings", CELL_COUNT, 0},
	{"note", "note", CELL_WORD, 0},
};

struct rains {
	const struct report *report;
	struct report_writer *writer;
	int r;
};

static bool add_day(void *context, const struct tally_row *row)
{
	struct tally_count *count = context;
	count->n += row->count.n;
	count->valid += row->count.valid;
	count->sum += row->count.sum;
	return true;
}

/* The day in which it began, and the one before it. */
static struct span days_of(const struct zone *zone, int64_t began_ms)
{
	struct span span = window_span(zone, AVERAGE_DAY, began_ms);
	span.start_ms = window_span(zone, AVERAGE_DAY, span.start_ms - 1).start_ms;
	return span;
}

static void rain_row(const struct rains *rains, const json_t *c, uint32_t gauge, int64_t began_ms,
		     const struct tally_count *fell)
{
	const struct plan *plan = rains->report->plan;
	const struct sheet sheet = {.zone = &plan->zone};
	char began[SHEET_TIME_BYTES];
	const struct report_value values[] = {
		report_text(json_words(c, "number")),
		report_text(json_words(c, "site")),
		report_text(json_words(c, "factor")),
		report_text(sheet_moment(&sheet, began_ms, began)),
		report_text(plan->sites[plan->monitors[gauge].site].id),
		report_number(fell->valid > 0, fell->sum),
		report_count(fell->n),
		report_count(fell->valid),
		report_text(fell->valid > 0 ? SAY("rain excuses nothing") : SAY("rain not known")),
	};
	rains->writer->row(rains->writer, columns, values, COUNT(columns));
}

static void take_case(void *context, const json_t *c)
{
	struct rains *rains = context;
	const struct report *report = rains->report;
	int64_t opened_ms = json_ms(c, "opened_at"),
		began_ms = json_ms(json_array_get(json_object_get(c, "episodes"), 0), "began_at");
	uint32_t gauge = rain_beside(report->plan, c);
	struct tally_count fell = {0};
	if (gauge == NO_INDEX || opened_ms < report->span.start_ms ||
	    opened_ms >= report->span.end_ms)
		return;
	if (began_ms == 0)
		began_ms = opened_ms;
	if (report->tallies != NULL && rains->r == 0)
		rains->r = tallies_rows(report->tallies, gauge, TALLY_DAY,
					days_of(&report->plan->zone, began_ms), add_day, &fell);
	rain_row(rains, c, gauge, began_ms, &fell);
}

static bool has_gauge(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_sites; i++)
		if (rain_gauge(plan, i) != NO_INDEX)
			return true;
	return false;
}

int report_rain(const struct report *report, struct report_writer *writer)
{
	struct rains rains = {report, writer, 0};
	if (!has_gauge(report->plan))
		return 0;
	writer->begin(writer, "rain", SAY("Rain beside exceedances"), columns, COUNT(columns));
	int r = report_each_case(report, take_case, &rains);
	writer->end(writer);
	return r != 0 ? r : rains.r;
}
