/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/office-parts.h"

#include "core/casewords.h"
#include "deliver/advice.h"
#include "serve/redact.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of the small curve, in units of its viewBox. */
enum { SPARK_STEP = 4, SPARK_WIDTH = SPARK_STEP * SPARK_COLUMNS, SPARK_HEIGHT = 22 };

bool office_named(const struct office_page *page, uint32_t site)
{
	return page->office->sees_persons || redact_names(page->plan, site);
}

static uint32_t monitor_kinds(const struct office_page *page, uint32_t monitor)
{
	uint32_t kinds = ledger_active_kinds(page->office->setup->ledger, monitor);
	return page->office->sees_persons
		       ? kinds
		       : redact_kinds(page->plan, page->plan->monitors[monitor].site, kinds);
}

static uint32_t site_kinds(const struct office_page *page, uint32_t site)
{
	const struct site *s = &page->plan->sites[site];
	uint32_t kinds = 0;
	for (uint32_t m = 0; m < s->n_monitors; m++)
		kinds |= monitor_kinds(page, s->first_monitor + m);
	return kinds;
}

/* What stands for the site: a monitor with an alert, else one with limits, else the first. */
static uint32_t chosen_monitor(const struct office_page *page, const struct site *site)
{
	uint32_t limited = NO_INDEX;
	for (uint32_t m = site->first_monitor; m < site->first_monitor + site->n_monitors; m++) {
		if ((monitor_kinds(page, m) & (1u << ALERT_EXCEEDANCE)) != 0)
			return m;
		if (limited == NO_INDEX && page->plan->monitors[m].n_limits > 0)
			limited = m;
	}
	return limited != NO_INDEX ? limited : site->first_monitor;
}

/* --- the small curve --- */

struct spark_scale {
	float low, high;
};

static int spark_y(const struct spark_scale *scale, float value)
{
	float range = scale->high - scale->low;
	float share = range > 0 ? (value - scale->low) / range : 0.5f;
	return 1 + (int)lroundf((SPARK_HEIGHT - 2) * (1 - share));
}

static size_t spark_scale(const struct spark *spark, int64_t newest, struct spark_scale *scale)
{
	size_t n = 0;
	for (size_t i = 0; i < SPARK_COLUMNS; i++) {
		const struct spark_column *c = &spark->at[i];
		if (c->number <= newest - SPARK_COLUMNS || c->number > newest)
			continue;
		scale->low = n == 0 || c->low < scale->low ? c->low : scale->low;
		scale->high = n == 0 || c->high > scale->high ? c->high : scale->high;
		n++;
	}
	return n;
}

/* Results that are held for hours are joined, as long as their monitor is not silent. A column that
 * stands alone is a dot. */
static void spark_path(struct text *out, const struct spark *spark, int64_t newest,
		       const struct spark_scale *scale, int64_t apart)
{
	int64_t last = INT64_MIN;
	for (int64_t number = newest - SPARK_COLUMNS + 1; number <= newest; number++) {
		const struct spark_column *c = &spark->at[(uint64_t)number % SPARK_COLUMNS];
		int x = (int)(number - (newest - SPARK_COLUMNS)) * SPARK_STEP - 3;
		if (c->number != number)
			continue;
		text_format(out, "%c%d %dV%d",
			    last != INT64_MIN && number - last <= apart ? 'L' : 'M', x,
			    spark_y(scale, c->low), spark_y(scale, c->high));
		last = number;
	}
}

/* How many columns there may be from one result to the next: two and a half of what is due, or what
 * the monitor is called stale after. */
static int64_t spark_apart(const struct monitor *m)
{
	double due_ms =
		m->expected_per_hour > 0 ? 3600e3 / m->expected_per_hour : (double)m->interval_ms;
	double apart_ms = due_ms > 0 ? 2.5 * due_ms : (double)m->stale_after_ms;
	return 1 + (int64_t)(apart_ms * SPARK_COLUMNS / 86400e3);
}

static void spark_draw(struct office_page *page, uint32_t monitor)
{
	struct spark spark;
	struct spark_scale scale = {0};
	const struct monitor *m = &page->plan->monitors[monitor];
	struct text low = {0}, high = {0};
	int64_t newest = sparks_number(page->office->now_ms);
	sparks_copy(page->office->sparks, monitor, &spark);
	if (spark_scale(&spark, newest, &scale) == 0) {
		sheet_markup(&page->sheet, page->curves ? "<span>" : "<span class=\"unread\">");
		sheet_say(&page->sheet, page->curves ? SAY("no data") : SAY("being read"));
		sheet_markup(&page->sheet, "</span>");
		return;
	}
	text_fixed(&low, (double)scale.low, m->decimals);
	text_fixed(&high, (double)scale.high, m->decimals);
	text_format(page->sheet.out,
		    "<svg class=\"spark\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
		    (int)SPARK_WIDTH, (int)SPARK_HEIGHT);
	sheet_phrase(&page->sheet, SAY("last day: {low} to {high} {unit}"), "low", low.at, "high",
		     high.at, "unit", m->unit, NULL);
	sheet_markup(&page->sheet, "\"><path d=\"");
	spark_path(page->sheet.out, &spark, newest, &scale, spark_apart(m));
	sheet_markup(&page->sheet, "\"/></svg>");
	text_deinit(&low);
	text_deinit(&high);
}

/* --- rows --- */

/* Which share of its permit a site has used is the alert's to say, and the case's. */
static const char *alert_words(enum alert_kind kind)
{
	return kind == ALERT_LOAD ? SAY("load near or above the permit")
				  : kind_words(alert_kind_name(kind));
}

/* Has any of its monitors never sent anything? */
static bool is_silent(const struct office_page *page, uint32_t site)
{
	const struct site *s = &page->plan->sites[site];
	struct reading latest;
	bool silent = false;
	for (uint32_t m = s->first_monitor; m < s->first_monitor + s->n_monitors; m++)
		silent |= !daybook_latest(page->office->setup->daybook, m, &latest);
	return silent;
}

static void site_state(struct office_page *page, uint32_t site)
{
	static const enum alert_kind order[] = {
		ALERT_EXCEEDANCE, ALERT_LOAD, ALERT_STALE, ALERT_CONNECTION,   ALERT_FAULT,
		ALERT_WARNING,    ALERT_STEP, ALERT_FLAT,  ALERT_UNDETERMINED, ALERT_CLUE};
	uint32_t kinds = site_kinds(page, site);
	bool silent = is_silent(page, site);
	const char *comma = "";
	text_format(page->sheet.out, "<td class=\"%s\">",
		    (kinds & (1u << ALERT_EXCEEDANCE)) != 0 ? "bad"
		    : kinds != 0 || silent                  ? "odd"
							    : "good");
	if (silent)
		sheet_say(&page->sheet, SAY("a monitor has no data"));
	else if (kinds == 0)
		sheet_say(&page->sheet,
			  office_named(page, site) ? SAY("normal") : SAY("data come"));
	comma = silent ? ", " : "";
	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
		if ((kinds & (1u << order[i])) == 0)
			continue;
		text_add(page->sheet.out, comma);
		sheet_say(&page->sheet, alert_words(order[i]));
		comma = ", ";
	}
	sheet_markup(&page->sheet, "</td>");
}

/* The time of today; with the day where it is another's, and the year where that is. */
static void latest_moment(struct office_page *page, int64_t at_ms)
{
	char moment[SHEET_TIME_BYTES], now[SHEET_TIME_BYTES];
	sheet_moment(&page->sheet, at_ms, moment);
	sheet_moment(&page->sheet, page->office->now_ms, now);
	int from = strncmp(moment, now, 10) == 0 ? 11 : strncmp(moment, now, 4) == 0 ? 5 : 0;
	text_format(page->sheet.out, " <small>%.*s</small>", 16 - from, moment + from);
}

static void site_latest(struct office_page *page, uint32_t monitor)
{
	const struct monitor *m = &page->plan->monitors[monitor];
	struct reading latest;
	struct text value = {0};
	sheet_markup(&page->sheet, "<span class=\"f\">");
	sheet_text(&page->sheet, factor_words(page->sheet.words, m));
	sheet_markup(&page->sheet, "</span></td><td>");
	if (daybook_latest(page->office->setup->daybook, monitor, &latest)) {
		if (latest.has_value)
			text_fixed(&value, latest.value, m->decimals);
		text_char(&value, ' ');
		text_add(&value, m->unit);
		sheet_text(&page->sheet, value.at);
		latest_moment(page, latest.measured_ms);
	} else {
		text_char(page->sheet.out, '-');
	}
	text_deinit(&value);
}

static void site_row(struct office_page *page, uint32_t index)
{
	const struct site *site = &page->plan->sites[index];
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "<tr><th scope=\"row\"><a href=\"");
	office_site_link(page, site->id);
	sheet_markup(sheet, "\">");
	sheet_text(sheet, site->name);
	sheet_markup(sheet, "</a></th><td>");
	sheet_code(sheet, site_kind_name(site->kind));
	sheet_markup(sheet, "</td>");
	site_state(page, index);
	sheet_markup(sheet, "<td>");
	if (page->open_cases[index] > 0)
		text_format(sheet->out, "%u", (unsigned)page->open_cases[index]);
	sheet_markup(sheet, "</td><td>");
	if (site->n_monitors > 0) {
		uint32_t monitor = chosen_monitor(page, site);
		site_latest(page, monitor);
		sheet_markup(sheet, "</td><td>");
		spark_draw(page, monitor);
	} else {
		sheet_markup(sheet, "</td><td></td><td>");
	}
	sheet_markup(sheet, "</td></tr>\n");
}

/* The sites of this page of the list, or the one that is asked for. */
static void shown(const struct office_page *page, uint32_t *from, uint32_t *to)
{
	const struct query *query = page->office->query;
	size_t begin = query->page * OFFICE_SITES, n = page->plan->n_sites;
	if (query->site != NULL) {
		*from = plan_site(page->plan, query->site);
		*to = *from + 1;
		return;
	}
	*from = (uint32_t)(begin < n ? begin : n);
	*to = (uint32_t)(begin + OFFICE_SITES < n ? begin + OFFICE_SITES : n);
}

void office_sites(struct office_page *page)
{
	static const char *const heads[] = {
		SAY("Site"),   SAY("Kind of site"), SAY("State"),   SAY("open cases"),
		SAY("Factor"), SAY("Newest value"), SAY("Last day")};
	struct sheet *sheet = &page->sheet;
	uint32_t from, to;
	shown(page, &from, &to);
	sheet_table(sheet, "wide", heads, sizeof heads / sizeof heads[0]);
	for (uint32_t i = from; i < to; i++)
		site_row(page, i);
	sheet_table_end(sheet);
	if (page->office->query->site == NULL)
		office_pages(page, page->plan->n_sites, OFFICE_SITES);
}

/* --- what alerts ask for --- */

/* Exceedances by kind of site, other alerts once. */
static bool told_already(uint32_t *told, enum alert_kind kind, enum site_kind site)
{
	unsigned bit = kind == ALERT_EXCEEDANCE ? ALERT_KINDS + (unsigned)site : (unsigned)kind;
	bool before = (*told & (1u << bit)) != 0;
	*told |= 1u << bit;
	return before;
}

static void advice_row(struct office_page *page, enum alert_kind kind, enum site_kind site)
{
	struct advice advice = advice_of(kind, site);
	struct sheet *sheet = &page->sheet;
	sheet_markup(sheet, "<tr><th scope=\"row\">");
	sheet_say(sheet, alert_words(kind));
	if (kind == ALERT_EXCEEDANCE) {
		sheet_markup(sheet, " <small>");
		sheet_code(sheet, site_kind_name(site));
		sheet_markup(sheet, "</small>");
	}
	sheet_markup(sheet, "</th><td>");
	sheet_say(sheet, advice.consequence);
	sheet_markup(sheet, "</td><td>");
	sheet_say(sheet, advice.action);
	sheet_markup(sheet, "</td><td>");
	sheet_say(sheet, advice.time);
	sheet_markup(sheet, "</td></tr>\n");
}

static void advice_begin(struct office_page *page)
{
	static const char *const heads[] = {SAY("Alert"), SAY("What it means"), SAY("What to do"),
					    SAY("How soon")};
	sheet_markup(&page->sheet, "<section><h2>");
	sheet_say(&page->sheet, SAY("Active alerts: what to do"));
	sheet_markup(&page->sheet, "</h2>");
	sheet_table(&page->sheet, "wide", heads, sizeof heads / sizeof heads[0]);
}

void office_alerts(struct office_page *page)
{
	uint32_t from, to, told = 0;
	shown(page, &from, &to);
	for (uint32_t i = from; i < to; i++) {
		enum site_kind site = page->plan->sites[i].kind;
		uint32_t kinds = site_kinds(page, i);
		for (int kind = 0; kind < ALERT_KINDS; kind++) {
			if ((kinds & (1u << kind)) == 0)
				continue;
			if (told == 0)
				advice_begin(page);
			if (!told_already(&told, (enum alert_kind)kind, site))
				advice_row(page, (enum alert_kind)kind, site);
		}
	}
	if (told == 0)
		return;
	sheet_table_end(&page->sheet);
	sheet_markup(&page->sheet, "</section>\n");
}
