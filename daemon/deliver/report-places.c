/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a report about places and papers: water sources, monitors with cases, documents. */
#include "deliver/report-tables.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- water sources --- */

static const struct report_column source_columns[] = {
	{"site", "site", CELL_SITE, 0},
	{"judged_days", "judged days", CELL_COUNT, 0},
	{"exceeding_days", "exceeding days", CELL_COUNT, 0},
	{"compliance", "compliance rate", CELL_SHARE, 0},
};

/* A day of a site exceeds with any of its factors. */
static void add_days(struct report_days *into, const struct report_days *days)
{
	for (size_t i = 0; i < COUNT(into->bits); i++)
		into->bits[i] |= days->bits[i];
}

static void source_row(const struct site *site, struct report_writer *writer,
		       const struct report_alerts *by_monitor)
{
	struct report_days judged = {0}, exceeding = {0};
	for (uint32_t i = site->first_monitor; i < site->first_monitor + site->n_monitors; i++) {
		add_days(&judged, &by_monitor[i].judged);
		add_days(&exceeding, &by_monitor[i].exceeding);
	}
	add_days(&judged, &exceeding);
	int n = report_count_days(&judged), bad = report_count_days(&exceeding);
	const struct report_value values[] = {
		report_text(site->id),
		report_count(n),
		report_count(bad),
		report_number(n > 0, n > 0 ? (double)(n - bad) / n : 0),
	};
	writer->row(writer, source_columns, values, COUNT(source_columns));
}

void report_water_sources(const struct report *report, struct report_writer *writer,
			  const struct report_alerts *by_monitor)
{
	writer->begin(writer, "water_sources", SAY("Compliance of water sources"), source_columns,
		      COUNT(source_columns));
	for (uint32_t i = 0; i < report->plan->n_sites; i++)
		if (report->plan->sites[i].kind == SITE_WATER_SOURCE)
			source_row(&report->plan->sites[i], writer, by_monitor);
	writer->end(writer);
}

/* --- the cases of each monitor --- */

static const struct report_column monitor_columns[] = {
	{"site", "site", CELL_SITE, 0},
	{"factor", "factor code", CELL_KEY, 0},
	{"factor_name", "factor name", CELL_TEXT, 0},
	{"registered", "cases registered", CELL_COUNT, 0},
	{"verified", "verified", CELL_COUNT, 0},
	{"withdrawn", "withdrawn", CELL_COUNT, 0},
	{"unfounded", "of these no finding", CELL_COUNT, 0},
	{"false_share", "false rate", CELL_SHARE, 0},
};

static void cases_row(const struct report *report, struct report_writer *writer,
		      const struct monitor *m, const struct report_alerts *a)
{
	const struct report_value values[] = {
		report_text(report->plan->sites[m->site].id),
		report_text(m->factor),
		report_text(factor_words(report->words, m)),
		report_count(a->registered),
		report_count(a->verified),
		report_count(a->withdrawn),
		report_count(a->unfounded),
		report_number(a->decided > 0,
			      a->decided > 0 ? (double)a->unfounded / (double)a->decided : 0),
	};
	writer->row(writer, monitor_columns, values, COUNT(monitor_columns));
}

void report_monitor_cases(const struct report *report, struct report_writer *writer,
			  const struct report_alerts *by_monitor)
{
	writer->begin(writer, "monitor_cases", SAY("Cases registered automatically, by monitor"),
		      monitor_columns, COUNT(monitor_columns));
	for (uint32_t i = 0; i < report->plan->n_monitors; i++)
		if (by_monitor[i].registered + by_monitor[i].verified + by_monitor[i].withdrawn > 0)
			cases_row(report, writer, &report->plan->monitors[i], &by_monitor[i]);
	writer->end(writer);
}

/* --- documents --- */

static const struct report_column document_columns[] = {
	{"case", "case number", CELL_KEY, 0},
	{"site", "site", CELL_SITE, 0},
	{"at", "time", CELL_KEY, 0},
	{"action", "step taken", CELL_STEP, 0},
	{"relation", "kind of document", CELL_CODE, 0},
	{"document", "document", CELL_TEXT, 0},
};

struct documents {
	const struct report *report;
	struct report_writer *writer;
};

static void document_row(const struct documents *d, const json_t *c, const json_t *step)
{
	char moment[SHEET_TIME_BYTES];
	const char *type = json_words(step, "type"), *relation = json_words(step, "relation");
	const struct sheet sheet = {.zone = &d->report->plan->zone};
	const struct report_value values[] = {
		report_text(json_words(c, "number")),
		report_text(json_words(c, "site")),
		report_text(sheet_moment(&sheet, json_ms(step, "at"), moment)),
		report_text(json_words(step, "action")),
		report_text(relation != NULL ? relation : type),
		report_text(json_words(step, "document")),
	};
	d->writer->row(d->writer, document_columns, values, COUNT(document_columns));
}

static void take_documents(void *context, const json_t *c)
{
	const struct documents *d = context;
	const struct span span = d->report->span;
	const json_t *step;
	size_t i;
	bool listed = json_is(c, "source", "city") || json_is(c, "source", "province");
	json_array_foreach(json_object_get(c, "history"), i, step)
	{
		int64_t at_ms = json_ms(step, "at");
		if (json_is(step, "action", "registered") && !listed)
			continue; /* the number of a complaint */
		bool told = json_words(step, "document") != NULL ||
			    json_is(step, "type", "delivery") || json_is(step, "type", "release");
		if (told && at_ms >= span.start_ms && at_ms < span.end_ms)
			document_row(d, c, step);
	}
}

int report_documents(const struct report *report, struct report_writer *writer)
{
	struct documents documents = {report, writer};
	writer->begin(writer, "documents", SAY("Documents of cases"), document_columns,
		      COUNT(document_columns));
	int r = report_each_case(report, take_documents, &documents);
	writer->end(writer);
	return r;
}
