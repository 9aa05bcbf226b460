/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/rain.h"
#include "deliver/report-tables.h"
#include "store/ledger-instruments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HOUR_MS 3600e3

struct tables {
	const struct report *report;
	struct report_writer *writer;
	struct report_alerts *alerts; /* by monitor */
	struct report_groups groups;
};

/* The part of the span that has passed. */
static struct span passed(const struct report *report)
{
	struct span span = report->span;
	if (report->now_ms < span.end_ms)
		span.end_ms = report->now_ms > span.start_ms ? report->now_ms : span.start_ms;
	return span;
}

/* --- monitors: valid share, means, compliance --- */

struct sums {
	struct tally_sum load;
	struct tally_count count;
	int64_t days; /* with a valid reading */
	double means; /* of their means */
	double sum;   /* of all valid readings */
	int64_t first_ms;
	const struct report *report;
	const struct monitor *monitor;
	struct report_alerts *alerts; /* NULL: days are not judged */
};

static bool sum_row(void *context, const struct tally_row *row)
{
	struct sums *s = context;
	const struct tally_count *c = &row->count;
	if (s->alerts != NULL)
		report_day(s->report, s->monitor, row, s->alerts);
	s->load.load += row->sum.load;
	s->load.excess += row->sum.excess;
	s->load.covered_ms += row->sum.covered_ms;
	s->count.n += c->n;
	if (c->valid == 0)
		return true;
	s->count.low = s->days == 0 || c->low < s->count.low ? c->low : s->count.low;
	s->count.high = s->days == 0 || c->high > s->count.high ? c->high : s->count.high;
	s->count.valid += c->valid;
	s->means += c->sum / (double)c->valid;
	s->sum += c->sum;
	s->days++;
	return true;
}

static bool first_row(void *context, const struct tally_row *row)
{
	*(int64_t *)context = row->span.start_ms;
	return false;
}

static bool first_setting(void *context, const struct instrument_view *view)
{
	*(int64_t *)context = view->since_ms;
	return false;
}

/* Of a monitor that has never sent anything: since when the daemon has it. */
static int first_known(const struct report *report, const struct monitor *m, int64_t *first_ms)
{
	return *first_ms != INT64_MAX
		       ? 0
		       : ledger_instrument(report->ledger, report->plan->sites[m->site].id,
					   m->factor, first_setting, first_ms);
}

static int sum_monitor(const struct report *report, uint32_t monitor, struct report_alerts *alerts,
		       struct sums *s)
{
	int r = 0;
	*s = (struct sums){.first_ms = INT64_MAX,
			   .report = report,
			   .monitor = &report->plan->monitors[monitor],
			   .alerts = alerts};
	if (report->tallies != NULL)
		r = tallies_rows(report->tallies, monitor, TALLY_DAY, report->span, sum_row, s);
	if (r == 0 && report->tallies != NULL)
		r = tallies_rows(report->tallies, monitor, TALLY_DAY,
				 (struct span){INT64_MIN, INT64_MAX}, first_row, &s->first_ms);
	return r == 0 ? first_known(report, s->monitor, &s->first_ms) : r;
}

/* Does the configuration say how often a reading is due? */
static bool has_rate(const struct monitor *m)
{
	return m->expected_per_hour > 0 || m->interval_ms > 0;
}

/* Readings due since the monitor's first day; 0 where nobody knows how many. */
static double readings_due(const struct report *report, const struct monitor *m,
			   const struct sums *s)
{
	struct span span = passed(report);
	if (s->first_ms > span.start_ms)
		span.start_ms = s->first_ms;
	double hours = (double)(span.end_ms - span.start_ms) / HOUR_MS;
	if (hours <= 0)
		return 0;
	return m->expected_per_hour > 0 ? m->expected_per_hour * hours
	       : m->interval_ms > 0     ? HOUR_MS / (double)m->interval_ms * hours
					: 0;
}

static struct report_value share_of(int64_t n, double due)
{
	double share = due > 0 ? (double)n / due : 0;
	return report_number(due > 0, share > 1 ? 1 : share);
}

static const char *share_note(const struct report *report, const struct sums *s,
			      struct report_value sent, struct report_value valid)
{
	if (s->count.n == 0 && s->first_ms < passed(report).end_ms)
		return SAY("nothing was sent");
	if (!has_rate(s->monitor) && s->count.n > 0)
		return SAY("shares not known: no sampling rate is configured");
	if (sent.has_number && sent.number < RATE_PERCENT / 100.0)
		return SAY("transmission rate below 90 %");
	return valid.has_number && valid.number < RATE_PERCENT / 100.0
		       ? SAY("valid share below 90 %")
		       : NULL;
}

enum { REMARKS = 3 };
static void monitor_remarks(const struct report_alerts *a, const char *shares,
			    struct report_remark remarks[REMARKS + 1])
{
	size_t n = 0;
	if (a->late_readings > 0)
		remarks[n++] = (struct report_remark){
			SAY("{n} valid readings beyond a limit, on days for which some came late, "
			    "are in no alert; those days count as exceeding"),
			a->late_readings};
	if (a->recomputed > 0)
		remarks[n++] = (struct report_remark){
			SAY("{n} means were computed anew since data were marked"),
			a->recomputed};
	remarks[n] = (struct report_remark){shares, 0};
	remarks[n + 1] = (struct report_remark){NULL, 0};
}

static const struct report_column monitor_columns[] = {
	{"site", "site", CELL_SITE, 0},
	{"factor", "factor code", CELL_KEY, 0},
	{"factor_name", "factor name", CELL_TEXT, 0},
	{"unit", "measured in", CELL_TEXT, 0},
	{"days", "days", CELL_COUNT, 0},
	{"readings", "readings", CELL_COUNT, 0},
	{"sent_share", "transmission rate", CELL_SHARE, 0},
	{"valid_share", "valid share", CELL_SHARE, 0},
	{"mean", "mean", CELL_NUMBER, 3},
	{"sum", "sum", CELL_NUMBER, 1},
	{"lowest", "lowest", CELL_NUMBER, 3},
	{"highest", "highest", CELL_NUMBER, 3},
	{"exceedances", "exceedances", CELL_COUNT, 0},
	{"judged_days", "judged days", CELL_COUNT, 0},
	{"exceeding_days", "exceeding days", CELL_COUNT, 0},
	{"compliance", "compliance rate", CELL_SHARE, 0},
	{"note", "note", CELL_NOTE, 0},
};

static void monitor_row(struct tables *t, uint32_t monitor, const struct sums *s)
{
	const struct report *report = t->report;
	const struct monitor *m = s->monitor;
	const struct report_alerts *a = &t->alerts[monitor];
	int judged = report_count_days(&a->judged), exceeding = report_count_days(&a->exceeding);
	int good = judged > exceeding ? judged - exceeding : 0;
	double due = readings_due(report, m, s);
	bool is_rain = strcmp(m->factor, RAIN_FACTOR) == 0;
	struct report_value sent = share_of(s->count.n, due), valid = share_of(s->count.valid, due);
	struct report_remark remarks[REMARKS + 1];
	monitor_remarks(a, share_note(report, s, sent, valid), remarks);
	const struct report_value values[] = {
		report_text(report->plan->sites[m->site].id),
		report_text(m->factor),
		report_text(factor_words(report->words, m)),
		report_text(m->unit),
		report_count(s->days),
		report_count(s->count.n),
		sent,
		valid,
		report_measure(s->days > 0 && !m->no_mean,
			       s->days > 0 ? s->means / (double)s->days : 0, m->decimals),
		report_measure(s->days > 0 && is_rain, s->sum, m->decimals),
		report_measure(s->days > 0, s->count.low, m->decimals),
		report_measure(s->days > 0, s->count.high, m->decimals),
		report_count(a->exceedances),
		report_number(m->n_limits > 0, judged),
		report_number(m->n_limits > 0, exceeding),
		report_number(judged > 0, judged > 0 ? (double)good / (double)judged : 0),
		{.remarks = remarks},
	};
	t->writer->row(t->writer, monitor_columns, values, COUNT(monitor_columns));
}

static int write_monitors(struct tables *t)
{
	int r = 0;
	t->writer->begin(t->writer, "monitors", SAY("Monitors"), monitor_columns,
			 COUNT(monitor_columns));
	for (uint32_t i = 0; r == 0 && i < t->report->plan->n_monitors; i++) {
		struct sums sums;
		r = sum_monitor(t->report, i, &t->alerts[i], &sums);
		if (t->report->tallies != NULL)
			report_settle_days(sums.monitor, &t->alerts[i]);
		if (r == 0)
			monitor_row(t, i, &sums);
	}
	t->writer->end(t->writer);
	return r;
}

/* --- loads against permits --- */

static const struct report_column load_columns[] = {
	{"site", "site", CELL_SITE, 0},
	{"factor", "factor code", CELL_KEY, 0},
	{"factor_name", "factor name", CELL_TEXT, 0},
	{"load", "discharged", CELL_NUMBER, 3},
	{"unit", "measured in", CELL_TEXT, 0},
	{"covered", "share of time covered", CELL_SHARE, 0},
	{"excess", "above target", CELL_NUMBER, 3},
	{"permit_tonnes_year", "permit t/a", CELL_NUMBER, 3},
	{"permit_share", "share of permit", CELL_SHARE, 0},
};

static void load_row(struct tables *t, uint32_t monitor, const struct sums *s)
{
	const struct report *report = t->report;
	const struct monitor *m = &report->plan->monitors[monitor];
	struct span span = passed(report);
	double length_ms = (double)(span.end_ms - span.start_ms);
	const struct report_value values[] = {
		report_text(report->plan->sites[m->site].id),
		report_text(m->factor),
		report_text(factor_words(report->words, m)),
		report_number(true, s->load.load),
		report_text(m->load_unit),
		report_number(length_ms > 0,
			      length_ms > 0 ? (double)s->load.covered_ms / length_ms : 0),
		report_number(m->has_target, s->load.excess),
		report_number(m->permit_load > 0, m->permit_tonnes),
		report_number(m->permit_load > 0,
			      m->permit_load > 0 ? s->load.load / m->permit_load : 0),
	};
	t->writer->row(t->writer, load_columns, values, COUNT(load_columns));
}

static int write_loads(struct tables *t)
{
	const struct plan *plan = t->report->plan;
	int r = 0;
	t->writer->begin(t->writer, "loads", SAY("Discharged loads"), load_columns,
			 COUNT(load_columns));
	for (uint32_t i = 0; r == 0 && i < plan->n_monitors; i++) {
		struct sums sums;
		if (!tally_wanted(plan, plan->monitors[i].site) || !tally_counts(plan, i))
			continue;
		r = sum_monitor(t->report, i, NULL, &sums);
		if (r == 0)
			load_row(t, i, &sums);
	}
	t->writer->end(t->writer);
	return r;
}

/* --- classes of sections, month by month --- */

static const struct report_column section_columns[] = {
	{"site", "site", CELL_SITE, 0},
	{"month", "month", CELL_KEY, 0},
	{"class", "class", CELL_WORD, 0},
	{"worst", "worst factor", CELL_KEY, 0},
	{"worst_name", "factor name", CELL_TEXT, 0},
	{"target", "target", CELL_WORD, 0},
	{"met", "target met", CELL_WORD, 0},
};

static void section_row(struct tables *t, uint32_t site, struct span month,
			const struct section_class *section)
{
	const struct plan *plan = t->report->plan;
	int target = plan->sites[site].target_class;
	struct civil first = zone_civil(&plan->zone, month.start_ms);
	char name[24];
	snprintf(name, sizeof name, "%04d-%02d", (int)first.year, first.month);
	const struct report_value values[] = {
		report_text(plan->sites[site].id),
		report_text(name),
		report_text(section_name(section->class)),
		report_text(plan->monitors[section->monitor].factor),
		report_text(factor_words(t->report->words, &plan->monitors[section->monitor])),
		report_text(section_name(target)),
		report_text(target == 0                ? NULL
			    : section->class <= target ? SAY("yes")
						       : SAY("no")),
	};
	t->writer->row(t->writer, section_columns, values, COUNT(section_columns));
}

static int write_section(struct tables *t, uint32_t site)
{
	const struct report *report = t->report;
	struct span span = passed(report);
	struct section_class section;
	int r = 0;
	for (struct span month = month_of(&report->plan->zone, span.start_ms);
	     r == 0 && report->tallies != NULL && month.start_ms < span.end_ms;
	     month = month_of(&report->plan->zone, month.end_ms)) {
		r = tallies_section(report->tallies, site, month, &section);
		if (r == 0 && section.class != SECTION_UNKNOWN)
			section_row(t, site, month, &section);
	}
	return r;
}

static int write_sections(struct tables *t)
{
	int r = 0;
	t->writer->begin(t->writer, "sections", SAY("Classes of sections"), section_columns,
			 COUNT(section_columns));
	for (uint32_t i = 0; r == 0 && i < t->report->plan->n_sites; i++)
		if (section_is(t->report->plan, i))
			r = write_section(t, i);
	t->writer->end(t->writer);
	return r;
}

/* --- cases --- */

static const struct report_column case_columns[] = {
	{"by", "by", CELL_WORD, 0},
	{"name", "name of the group", CELL_WORD, 0},
	{"registered", "cases registered", CELL_COUNT, 0},
	{"verified", "verified", CELL_COUNT, 0},
	{"withdrawn", "withdrawn", CELL_COUNT, 0},
	{"closed", "closed", CELL_COUNT, 0},
	{"on_time_share", "closed on time", CELL_SHARE, 0},
	{"mean_days", "mean days", CELL_NUMBER, 1},
	{"repeated", "repeated complaints", CELL_COUNT, 0},
	{"reopened", "taken up again", CELL_COUNT, 0},
};

static int write_cases(struct tables *t)
{
	t->writer->begin(t->writer, "cases", SAY("Cases"), case_columns, COUNT(case_columns));
	for (size_t i = 0; i < t->groups.n; i++) {
		const struct report_group *group = &t->groups.at[i];
		const struct report_counts *g = &group->n;
		double closed = g->closed > 0 ? (double)g->closed : 1;
		const struct report_value values[] = {
			report_text(group->by),
			report_text(group->name),
			report_count(g->registered),
			report_count(g->verified),
			report_count(g->withdrawn),
			report_count(g->closed),
			report_number(g->closed > 0, (double)g->on_time / closed),
			report_number(g->closed > 0, g->days / closed),
			report_count(g->repeated),
			report_count(g->reopened),
		};
		t->writer->row(t->writer, case_columns, values, COUNT(case_columns));
	}
	t->writer->end(t->writer);
	return 0;
}

/* --- the monitors that cost most attention (ISA-18.2: bad actors) --- */

static const struct report_column worst_columns[] = {
	{"site", "site", CELL_SITE, 0},
	{"factor", "factor code", CELL_KEY, 0},
	{"factor_name", "factor name", CELL_TEXT, 0},
	{"alerts", "alerts", CELL_COUNT, 0},
	{"hours_active", "hours active", CELL_NUMBER, 1},
	{"chattering", "chattering", CELL_COUNT, 0},
	{"standing", "standing", CELL_COUNT, 0},
};

/* The worst that is not worse than the last one given: more alerts, then longer, then first. */
static uint32_t next_worst(const struct tables *t, const bool *given)
{
	uint32_t worst = NO_INDEX;
	for (uint32_t i = 0; i < t->report->plan->n_monitors; i++) {
		const struct report_alerts *a = &t->alerts[i];
		const struct report_alerts *w = worst == NO_INDEX ? NULL : &t->alerts[worst];
		if (given[i] || (a->n == 0 && a->active_ms == 0))
			continue;
		if (w == NULL || a->n > w->n || (a->n == w->n && a->active_ms > w->active_ms))
			worst = i;
	}
	return worst;
}

static int write_worst(struct tables *t)
{
	const struct plan *plan = t->report->plan;
	bool *given = calloc(plan->n_monitors + 1, sizeof *given);
	if (given == NULL)
		return -ENOMEM;
	t->writer->begin(t->writer, "worst_monitors", SAY("Monitors with most alerts"),
			 worst_columns, COUNT(worst_columns));
	for (int n = 0; n < REPORT_WORST; n++) {
		uint32_t i = next_worst(t, given);
		if (i == NO_INDEX)
			break;
		given[i] = true;
		const struct report_value values[] = {
			report_text(plan->sites[plan->monitors[i].site].id),
			report_text(plan->monitors[i].factor),
			report_text(factor_words(t->report->words, &plan->monitors[i])),
			report_count(t->alerts[i].n),
			report_number(true, (double)t->alerts[i].active_ms / HOUR_MS),
			report_count(t->alerts[i].chattering),
			report_count(t->alerts[i].standing),
		};
		t->writer->row(t->writer, worst_columns, values, COUNT(worst_columns));
	}
	t->writer->end(t->writer);
	free(given);
	return 0;
}

/* --- elsewhere --- */

static int write_water_sources(struct tables *t)
{
	report_water_sources(t->report, t->writer, t->alerts);
	return 0;
}

static int write_monitor_cases(struct tables *t)
{
	report_monitor_cases(t->report, t->writer, t->alerts);
	return 0;
}

static int write_documents(struct tables *t)
{
	return report_documents(t->report, t->writer);
}

static int write_rain(struct tables *t)
{
	return report_rain(t->report, t->writer);
}

int report_tables(const struct report *report, struct report_writer *writer)
{
	int (*const parts[])(struct tables *) = {
		write_monitors,      write_loads, write_sections,  write_water_sources, write_cases,
		write_monitor_cases, write_rain,  write_documents, write_worst};
	struct tables t = {.report = report, .writer = writer};
	t.alerts = calloc(report->plan->n_monitors + 1, sizeof *t.alerts);
	int r = t.alerts == NULL ? -ENOMEM : report_alerts(report, t.alerts);
	if (r == 0)
		r = report_cases(report, &t.groups, t.alerts);
	for (size_t i = 0; r == 0 && i < COUNT(parts); i++)
		r = parts[i](&t);
	report_groups_deinit(&t.groups);
	report_alerts_free(report, t.alerts);
	return r;
}
