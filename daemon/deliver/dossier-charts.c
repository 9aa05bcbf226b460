/* SPDX-License-Identifier: Apache-2.0 */
/* The curves of a dossier: the case's own factor, and those that have joined. */
#include "deliver/dossier-parts.h"

#include <stdio.h>

static void legend_key(struct parts *parts, const char *class, const char *english)
{
	text_format(parts->sheet.out, "<span class=\"key %s\"></span>", class);
	sheet_say(&parts->sheet, english);
}

static void legend_flags(struct parts *parts, const char *english, uint8_t flags)
{
	struct sheet *sheet = &parts->sheet;
	if (flags == 0)
		return;
	sheet_markup(sheet, "<p class=\"legend\">");
	sheet_say(sheet, english);
	for (unsigned bit = 1; bit < 128; bit <<= 1)
		if ((flags & bit) != 0) {
			text_char(sheet->out, ' ');
			sheet_say(sheet, chart_flag_word((uint8_t)bit));
			text_char(sheet->out, ';');
		}
	sheet_markup(sheet, "</p>\n");
}

static void chart_legend(struct parts *parts, const struct chart *chart)
{
	struct sheet *sheet = &parts->sheet;
	uint8_t flags = chart_flags(chart), marks = chart_marks(chart);
	sheet_markup(sheet, "<p class=\"legend\">");
	if (chart->n_episodes > 0)
		legend_key(parts, "key-episode", SAY("episode"));
	if (chart_flag_hatched(flags) || marks != 0)
		legend_key(parts, "key-hatched",
			   SAY("maintenance, calibration, fault, standstill"));
	if (chart->n_gaps > 0)
		legend_key(parts, "key-silent", SAY("no readings"));
	sheet_markup(sheet, "</p>\n");
	legend_flags(parts, SAY("Readings with these flags reach no limit (circles):"), flags);
	legend_flags(parts,
		     SAY("Marked later, in brackets; they reach no limit, and the flag that they "
			 "came with stands before:"),
		     marks);
}

static void chart_unrecorded(struct parts *parts, const struct chart *chart)
{
	char count[24];
	if (chart->unrecorded == 0)
		return;
	snprintf(count, sizeof count, "%llu", (unsigned long long)chart->unrecorded);
	sheet_markup(&parts->sheet, "<p>");
	sheet_phrase(&parts->sheet,
		     SAY("Readings that were judged and could not be stored: {count}."), "count",
		     count, NULL);
	sheet_markup(&parts->sheet, "</p>\n");
}

static void chart_missing(struct parts *parts, const struct chart *chart, bool cut)
{
	char from[SHEET_TIME_BYTES], to[SHEET_TIME_BYTES], count[24];
	if (cut) {
		sheet_markup(&parts->sheet, "<p>");
		sheet_phrase(&parts->sheet,
			     SAY("There are too many readings for one page: those after {time} are "
				 "not drawn."),
			     "time", sheet_moment(&parts->sheet, chart->last_ms, from), NULL);
		sheet_markup(&parts->sheet, "</p>\n");
	}
	if (chart->n_gaps == 0)
		return;
	snprintf(count, sizeof count, "%zu", chart->n_gaps);
	sheet_markup(&parts->sheet, "<p>");
	sheet_phrase(&parts->sheet, SAY("Times without readings: {count}. The first ones:"),
		     "count", count, NULL);
	sheet_markup(&parts->sheet, "</p><ul>\n");
	for (size_t i = 0; i < chart->n_gaps && i < CHART_GAPS; i++) {
		sheet_markup(&parts->sheet, "<li>");
		sheet_phrase(&parts->sheet, SAY("from {from} to {to}"), "from",
			     sheet_moment(&parts->sheet, chart->gaps[i].from_ms, from), "to",
			     sheet_moment(&parts->sheet, chart->gaps[i].to_ms, to), NULL);
		sheet_markup(&parts->sheet, "</li>\n");
	}
	sheet_markup(&parts->sheet, "</ul>\n");
}

/* Flat lines, steps and silence have no limit, and no averaging. */
static void caption(struct parts *parts, const struct chart *chart)
{
	const char *average = json_words(parts->dossier->c, "average");
	sheet_markup(&parts->sheet, "<figcaption>");
	sheet_phrase(&parts->sheet,
		     chart->unit[0] == '\0' ? SAY("{factor}, as measured.")
					    : SAY("{factor} in {unit}, as measured."),
		     "factor", chart->name, "unit", chart->unit, NULL);
	if (average != NULL && chart->n_limits > 0) {
		text_char(parts->sheet.out, ' ');
		sheet_phrase(&parts->sheet, SAY("Averaging of the limit: {average}."), "average",
			     sheet_word(&parts->sheet, average), NULL);
	}
	sheet_markup(&parts->sheet, "</figcaption></figure>\n");
}

/* Which of several periods it is. */
static void caption_period(struct parts *parts, const struct dossier_panel *panel, size_t periods)
{
	char number[24], count[24], from[SHEET_TIME_BYTES], to[SHEET_TIME_BYTES];
	if (periods < 2)
		return;
	snprintf(number, sizeof number, "%zu", panel->number);
	snprintf(count, sizeof count, "%zu", periods);
	sheet_markup(&parts->sheet, "<h3>");
	sheet_phrase(&parts->sheet, SAY("Period {number} of {count}: {from} to {to}"), "number",
		     number, "count", count, "from",
		     sheet_moment(&parts->sheet, panel->chart->from_ms, from), "to",
		     sheet_moment(&parts->sheet, panel->chart->to_ms, to), NULL);
	sheet_markup(&parts->sheet, "</h3>\n");
}

static void draw(struct parts *parts, const struct dossier_panel *panel, size_t periods)
{
	const struct chart *chart = panel->chart;
	caption_period(parts, panel, periods);
	sheet_markup(&parts->sheet, "<figure>");
	chart_svg(&parts->sheet, chart, parts->pictures++);
	caption(parts, chart);
	chart_legend(parts, chart);
	chart_missing(parts, chart, panel->cut);
	chart_unrecorded(parts, chart);
	if (periods == 1)
		chart_table(&parts->sheet, chart);
}

static bool has_readings(const struct dossier_panels *panels)
{
	for (size_t i = 0; panels != NULL && i < panels->n; i++)
		if (panels->at[i].chart->n > 0)
			return true;
	return false;
}

static void say(struct parts *parts, const char *english)
{
	sheet_markup(&parts->sheet, "<p>");
	sheet_say(&parts->sheet, english);
	sheet_markup(&parts->sheet, "</p>\n");
}

static void say_periods(struct parts *parts, const struct dossier_panels *panels)
{
	char count[24], drawn[24];
	snprintf(count, sizeof count, "%zu", panels->periods);
	snprintf(drawn, sizeof drawn, "%zu", panels->n);
	sheet_markup(&parts->sheet, "<p>");
	sheet_phrase(&parts->sheet,
		     panels->periods == panels->n
			     ? SAY("More than a day lies between its episodes; each of the {count} "
				   "periods is drawn by itself.")
			     : SAY("More than a day lies between its episodes; of the {count} "
				   "periods {drawn} are drawn, each by itself: the worst, and the "
				   "newest."),
		     "count", count, "drawn", drawn, NULL);
	sheet_markup(&parts->sheet, "</p>\n");
}

/* Of several periods one table, a row each, so that there is room for the pictures. */
static void table_of_periods(struct parts *parts, const struct dossier_panels *panels)
{
	static const char *const heads[] = {SAY("From"),   SAY("To"),      SAY("Valid readings"),
					    SAY("Lowest"), SAY("Highest"), SAY("Flags")};
	struct sheet *sheet = &parts->sheet;
	sheet_markup(sheet, "<p class=\"legend\">");
	sheet_say(sheet, SAY("The same readings as a table"));
	sheet_markup(sheet, "</p>");
	sheet_table(sheet, "readings", heads, sizeof heads / sizeof heads[0]);
	for (size_t i = 0; i < panels->n; i++)
		chart_whole(sheet, panels->at[i].chart);
	sheet_table_end(sheet);
}

static void draw_panels(struct parts *parts, const struct dossier_panels *panels)
{
	if (panels->periods > 1 && panels->n > 1)
		say_periods(parts, panels);
	for (size_t i = 0; i < panels->n; i++)
		if (panels->at[i].chart->n > 0) {
			draw(parts, &panels->at[i], panels->periods);
		} else {
			caption_period(parts, &panels->at[i], panels->periods);
			say(parts, SAY("The store has no readings of this time any more, or never "
				       "had any."));
		}
	if (panels->periods > 1)
		table_of_periods(parts, panels);
}

void part_chart(struct parts *parts)
{
	const struct dossier *dossier = parts->dossier;
	const struct dossier_panels *panels = dossier->panels;
	if (panels == NULL && !dossier->unread)
		return;
	part_begin(parts, SAY("Readings"));
	if (panels == NULL)
		say(parts, SAY("The readings could not be read; the daemon's log says why."));
	else
		draw_panels(parts, panels);
	for (size_t i = 0; dossier->further != NULL && i < dossier->further->n; i++)
		if (has_readings(&dossier->further->at[i]))
			draw_panels(parts, &dossier->further->at[i]);
	part_end(parts);
}
