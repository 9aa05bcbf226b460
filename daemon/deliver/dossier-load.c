/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a case of a load rests on: the load of the permit's year, added up day by day, against what
 * is permitted in it.
 */
#include "deliver/dossier-parts.h"

#include "core/tally.h"
#include "store/tallies.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- adding up --- */

struct adding {
	struct dossier_load *load;
	const struct monitor *monitor;
	const struct zone *zone;
	int64_t now_ms;
	double sum; /* in the monitor's load unit */
};

static double tonnes(const struct monitor *m, double load)
{
	return load / m->permit_load * m->permit_tonnes;
}

static void point(struct adding *a, int64_t at_ms)
{
	const struct reading reading = {.measured_ms = at_ms,
					.value = tonnes(a->monitor, a->sum),
					.has_value = true,
					.flag = FLAG_NORMAL};
	chart_feed(a->load->chart, &reading, 0);
}

static bool add_day(void *context, const struct tally_row *day)
{
	struct adding *a = context;
	struct dossier_month *month =
		&a->load->months[zone_civil(a->zone, day->span.start_ms).month - 1];
	a->load->readings += day->count.n;
	a->load->valid += day->count.valid;
	if (day->sum.covered_ms == 0)
		return true;
	if (a->load->chart->n == 0)
		point(a, day->span.start_ms);
	a->sum += day->sum.load;
	month->load += tonnes(a->monitor, day->sum.load);
	month->covered_ms += day->sum.covered_ms;
	a->load->total = tonnes(a->monitor, a->sum);
	point(a, (day->span.end_ms < a->now_ms ? day->span.end_ms : a->now_ms) - 1);
	return true;
}

/* A case may go on into the next year, and reach a share of that one's permit. */
int64_t load_began(const json_t *c)
{
	const json_t *episodes = json_object_get(c, "episodes");
	size_t n = json_array_size(episodes);
	int64_t ms = n == 0 ? 0 : json_ms(json_array_get(episodes, n - 1), "began_at");
	return ms == 0 ? json_ms(c, "opened_at") : ms;
}

/* Until now or the year's end, and to the end of a month, so that there is room to read it in. */
static void begin(struct dossier_load *load, const struct dossier *dossier, const struct monitor *m)
{
	int64_t to_ms = month_of(&dossier->plan->zone, dossier->now_ms).end_ms;
	struct chart *chart = load->chart;
	if (to_ms > load->year.end_ms)
		to_ms = load->year.end_ms;
	chart_begin(chart, &dossier->plan->zone, load->year.start_ms, to_ms, 0);
	chart->sums = true;
	chart->name = factor_words(dossier->words, m);
	chart->unit = alert_unit(m, ALERT_LOAD);
	chart->decimals = alert_decimals(m, ALERT_LOAD);
	for (size_t i = 0; i < m->n_permit_shares && chart->n_limits < CHART_LIMITS; i++)
		chart->limits[chart->n_limits++] = (struct chart_level){
			m->permit_shares[i].share * m->permit_tonnes, m->permit_shares[i].share};
}

/* Of the year that is drawn. */
static void shade(struct chart *chart, const struct dossier *dossier)
{
	const json_t *episode, *episodes = json_object_get(dossier->c, "episodes");
	int64_t from_ms = INT64_MAX, to_ms = INT64_MIN;
	size_t i;
	json_array_foreach(episodes, i, episode)
	{
		int64_t began = json_ms(episode, "began_at"), ended = json_ms(episode, "ended_at");
		ended = ended == 0 ? dossier->now_ms : ended;
		if (began < chart->from_ms)
			continue;
		from_ms = began < from_ms ? began : from_ms;
		to_ms = ended > to_ms ? ended : to_ms;
	}
	if (from_ms < to_ms)
		chart->episodes[chart->n_episodes++] = (struct chart_span){from_ms, to_ms};
}

int dossier_load(const struct dossier *dossier, const char *directory, struct dossier_load *load)
{
	const struct plan *plan = dossier->plan;
	const char *site = json_words(dossier->c, "site"),
		   *factor = json_words(dossier->c, "factor");
	uint32_t monitor =
		site == NULL || factor == NULL ? NO_INDEX : plan_monitor(plan, site, factor);
	struct tallies *tallies = NULL;
	if (monitor == NO_INDEX || plan->monitors[monitor].permit_load <= 0)
		return 0;
	load->chart = malloc(sizeof *load->chart);
	if (load->chart == NULL)
		return -ENOMEM;
	load->year = year_of(&plan->zone, load_began(dossier->c));
	begin(load, dossier, &plan->monitors[monitor]);
	shade(load->chart, dossier);
	struct adding adding = {.load = load,
				.monitor = &plan->monitors[monitor],
				.zone = &plan->zone,
				.now_ms = dossier->now_ms};
	int r = tallies_read(&tallies, directory, plan);
	if (r == 0)
		r = tallies_rows(tallies, monitor, TALLY_DAY, load->year, add_day, &adding);
	tallies_close(tallies);
	return r == -ENOENT ? 0 : r;
}

void dossier_load_deinit(struct dossier_load *load)
{
	free(load->chart);
}

/* --- writing --- */

static void caption(struct parts *parts, const struct dossier_load *load)
{
	struct sheet *sheet = &parts->sheet;
	struct text permit = {0};
	char from[SHEET_TIME_BYTES];
	text_double(&permit, parts->monitor->permit_tonnes);
	sheet_markup(sheet, "<figcaption>");
	sheet_phrase(sheet,
		     SAY("Load of {factor} in {unit}, added up since {from}; permitted in the "
			 "year: {permit} {unit}."),
		     "factor", load->chart->name, "unit", load->chart->unit, "from",
		     sheet_moment(sheet, load->year.start_ms, from), "permit", permit.at, NULL);
	sheet_markup(sheet, "</figcaption></figure>\n<p class=\"legend\">"
			    "<span class=\"key key-episode\"></span>");
	sheet_say(sheet, SAY("since a share of the permit that is warned of was reached"));
	sheet_markup(sheet, "</p>\n");
	text_deinit(&permit);
}

static void month_row(struct parts *parts, const struct dossier_load *load, int month, double sum)
{
	struct sheet *sheet = &parts->sheet;
	const int decimals = load->chart->decimals;
	const struct dossier_month *m = &load->months[month];
	struct civil first = {.year = zone_civil(sheet->zone, load->year.start_ms).year,
			      .month = month + 1,
			      .day = 1};
	struct span span = month_of(sheet->zone, zone_wall_ms(sheet->zone, &first, 0));
	if (span.end_ms > parts->dossier->now_ms)
		span.end_ms = parts->dossier->now_ms;
	double length_ms = (double)(span.end_ms - span.start_ms);
	text_format(sheet->out, "<tr><th scope=\"row\">%04d-%02d</th><td>", (int)first.year,
		    first.month);
	text_fixed(sheet->out, m->load, decimals < 0 ? 3 : decimals);
	sheet_markup(sheet, "</td><td>");
	text_fixed(sheet->out, sum, decimals < 0 ? 3 : decimals);
	sheet_markup(sheet, "</td><td>");
	text_fixed(sheet->out, 100 * sum / parts->monitor->permit_tonnes, 1);
	sheet_markup(sheet, "%</td><td>");
	text_fixed(sheet->out, length_ms > 0 ? 100 * (double)m->covered_ms / length_ms : 0, 1);
	sheet_markup(sheet, "%</td></tr>\n");
}

static void months(struct parts *parts, const struct dossier_load *load)
{
	static const char *const heads[] = {SAY("month"), SAY("Discharged in the month, t"),
					    SAY("Since the beginning of the year, t"),
					    SAY("share of permit"), SAY("share of time covered")};
	double sum = 0;
	sheet_table(&parts->sheet, "readings", heads, sizeof heads / sizeof heads[0]);
	for (int month = 0; month < 12; month++) {
		sum += load->months[month].load;
		if (load->months[month].covered_ms > 0)
			month_row(parts, load, month, sum);
	}
	sheet_table_end(&parts->sheet);
}

void part_load(struct parts *parts)
{
	const struct dossier_load *load = parts->dossier->load;
	struct sheet *sheet = &parts->sheet;
	if (!json_is(parts->dossier->c, "kind", "load") ||
	    !json_is(parts->dossier->c, "source", "automatic"))
		return;
	part_begin(parts, SAY("Load of the year against the permit"));
	if (load == NULL || load->chart == NULL || load->chart->n == 0) {
		sheet_markup(sheet, "<p>");
		sheet_say(sheet, SAY("What was discharged in the year could not be read."));
		sheet_markup(sheet, "</p>\n");
	} else {
		sheet_markup(sheet, "<figure>");
		chart_svg(sheet, load->chart, parts->pictures++);
		caption(parts, load);
		months(parts, load);
	}
	part_end(parts);
}
