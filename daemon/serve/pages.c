/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pages.h"

#include "core/csv.h"
#include "serve/redact.h"
#include "store/ledger-marks.h"
#include "store/tallies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t page_mono_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec;
}

/* --- health --- */

static void health_reasons(const char *line, struct text *out)
{
	bool first = true;
	text_add(out, ",\"reasons\":[");
	while (line != NULL && *line != '\0') {
		struct text one = {0};
		size_t length = strcspn(line, "\n");
		text_add_n(&one, line, length);
		if (length > 0) {
			text_add(out, first ? "" : ",");
			text_json(out, one.at);
			first = false;
		}
		text_deinit(&one);
		line += length + (line[length] == '\n');
	}
	text_add(out, "]");
}

static void health_counts(const struct serve_setup *setup, struct text *out)
{
	size_t alerts = 0, cases = 0;
	for (int kind = 0; kind < ALERT_KINDS; kind++)
		alerts += ledger_active_count(setup->ledger, (enum alert_kind)kind);
	for (int status = 0; status < CASE_STATUSES; status++)
		if (case_status_open((enum case_status)status))
			cases += ledger_case_count(setup->ledger, (enum case_status)status);
	text_format(out, ",\"sites\":%zu,\"monitors\":%zu,\"connections\":%zu",
		    setup->plan->n_sites, setup->plan->n_monitors, setup->plan->n_connections);
	text_format(out, ",\"readings\":%lld,\"alerts_active\":%zu,\"cases_open\":%zu",
		    (long long)daybook_sequence(setup->daybook), alerts, cases);
}

unsigned page_health(const struct serve_setup *setup, int64_t started_mono_s, struct text *out)
{
	struct text reasons = {0};
	bool well = setup->health == NULL || setup->health(setup->context, &reasons);
	text_add(out,
		 well ? "{\"status\":\"ok\",\"version\":" : "{\"status\":\"failing\",\"version\":");
	text_json(out, setup->version);
	text_add(out, ",\"node\":");
	text_json(out, setup->plan->node);
	text_add(out, ",\"language\":");
	text_json(out, setup->plan->language);
	char *directory = setup->directory == NULL ? NULL : realpath(setup->directory, NULL);
	text_add(out, ",\"directory\":");
	text_json(out, directory);
	free(directory);
	text_format(out, ",\"uptime_s\":%lld", (long long)(page_mono_s() - started_mono_s));
	health_counts(setup, out);
	if (!well)
		health_reasons(reasons.at, out);
	text_add(out, "}\n");
	text_deinit(&reasons);
	return well ? 200 : 503;
}

/* --- READING --- */

/* @monitor: NO_INDEX where the plan has it no more. A mark over the reading comes last. */
static void reading_json(struct text *out, const struct plan *plan, struct ledger *ledger,
			 uint32_t monitor, const char *site, const char *factor,
			 const struct reading *reading)
{
	enum flag mark;
	const char flag[2] = {(char)reading->flag, '\0'};
	text_add(out, "{\"time\":\"");
	text_time(out, reading->measured_ms, &plan->zone, 3);
	text_add(out, "\",\"received_at\":\"");
	text_time(out, reading->received_ms, &plan->zone, 3);
	text_add(out, "\",\"site\":");
	text_json(out, site);
	text_add(out, ",\"factor\":");
	text_json(out, factor);
	text_add(out, ",\"value\":");
	if (reading->has_value)
		text_double(out, reading->value);
	else
		text_add(out, "null");
	text_add(out, ",\"flag\":");
	text_json(out, flag);
	if (ledger_marked(ledger, monitor, reading->measured_ms, &mark))
		text_format(out, ",\"mark\":\"%c\"", (char)mark);
	text_char(out, '}');
}

static bool row_json(void *context, const struct daybook_row *row)
{
	struct page_readings *page = context;
	if (page->n++ > 0)
		text_char(page->out, ',');
	reading_json(page->out, page->plan, page->ledger, row->monitor, row->site, row->factor,
		     &row->reading);
	page->last = row->sequence;
	return !page->out->failed;
}

static bool row_csv(void *context, const struct daybook_row *row)
{
	struct page_readings *page = context;
	struct text *out = page->out;
	page->n++;
	page->last = row->sequence;
	csv_reading(out, &page->plan->zone, row->site, row->factor, &row->reading);
	return !out->failed;
}

int page_readings_json(struct page_readings *page, struct daybook_reader *reader,
		       const struct daybook_query *query)
{
	text_add(page->out, "{\"readings\":[");
	int result = daybook_range(reader, query, row_json, page);
	if (result != 0)
		return result;
	text_char(page->out, ']');
	if (page->n >= query->limit)
		text_format(page->out, ",\"next\":%lld", (long long)page->last);
	text_add(page->out, "}\n");
	return 0;
}

int page_readings_csv(struct page_readings *page, struct daybook_reader *reader,
		      const struct daybook_query *query, int64_t *next)
{
	text_add(page->out, "time,received_at,site,factor,value,flag\n");
	int result = daybook_range(reader, query, row_csv, page);
	*next = page->n >= query->limit ? page->last : 0;
	return result;
}

/* --- sites --- */

static void monitor_json(const struct serve_setup *setup, uint32_t index, bool open,
			 struct text *out)
{
	const struct plan *plan = setup->plan;
	const struct monitor *monitor = &plan->monitors[index];
	const char *site = plan->sites[monitor->site].id;
	uint32_t kinds = ledger_active_kinds(setup->ledger, index);
	struct reading latest;
	const char *comma = "";
	if (open)
		kinds = redact_kinds(plan, monitor->site, kinds);
	text_add(out, "{\"factor\":");
	text_json(out, monitor->factor);
	text_add(out, ",\"factor_name\":");
	text_json(out, monitor->factor_name);
	text_add(out, ",\"unit\":");
	text_json(out, monitor->unit);
	text_format(out, ",\"decimals\":%d,\"connection\":", monitor->decimals);
	text_json(out, plan->connections[monitor->connection].id);
	text_add(out, ",\"latest\":");
	if (daybook_latest(setup->daybook, index, &latest))
		reading_json(out, plan, setup->ledger, index, site, monitor->factor, &latest);
	else
		text_add(out, "null");
	text_add(out, ",\"alerts\":[");
	for (int kind = 0; kind < ALERT_KINDS; kind++) {
		if ((kinds & (1u << kind)) == 0)
			continue;
		text_add(out, comma);
		text_json(out, alert_kind_name((enum alert_kind)kind));
		comma = ",";
	}
	text_add(out, "],\"shelved\":");
	(void)ledger_shelf_json(setup->ledger, site, monitor->factor, !open, out);
	text_char(out, '}');
}

static void class_json(const struct plan *plan, const char *of, const struct section_class *section,
		       struct text *out)
{
	text_format(out, ",\"%s_class\":", of);
	if (section->class == SECTION_UNKNOWN)
		text_add(out, "null");
	else
		text_format(out, "%d", section->class);
	text_add(out, strcmp(of, "section") == 0 ? ",\"worst\":" : ",\"month_worst\":");
	text_json(out, section->class == SECTION_UNKNOWN ? NULL
							 : plan->monitors[section->monitor].factor);
}

/* By the newest valid values of the last day, and by the means of the running month. */
static void section_json(const struct serve_setup *setup, uint32_t index, struct tallies *tallies,
			 int64_t now_ms, struct text *out)
{
	const struct plan *plan = setup->plan;
	const struct site *site = &plan->sites[index];
	struct section_class current, month;
	struct reading latest;
	if (!section_is(plan, index))
		return;
	section_begin(&current);
	section_begin(&month);
	for (uint32_t i = site->first_monitor; i < site->first_monitor + site->n_monitors; i++)
		if (daybook_latest(setup->daybook, i, &latest) && latest.has_value &&
		    latest.flag == FLAG_NORMAL && latest.measured_ms > now_ms - SECTION_FRESH_MS)
			section_take(&current, plan, i, latest.value);
	if (tallies != NULL &&
	    tallies_section(tallies, index, month_of(&plan->zone, now_ms), &month) != 0)
		section_begin(&month);
	text_add(out, ",\"target_class\":");
	if (site->target_class == 0)
		text_add(out, "null");
	else
		text_format(out, "%d", site->target_class);
	class_json(plan, "section", &current, out);
	class_json(plan, "month", &month, out);
}

static int64_t page_wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void site_json(const struct serve_setup *setup, uint32_t index, struct tallies *tallies,
		      int64_t now_ms, bool open, struct text *out)
{
	const struct site *site = &setup->plan->sites[index];
	text_add(out, "{\"id\":");
	text_json(out, site->id);
	text_add(out, ",\"name\":");
	text_json(out, site->name);
	text_add(out, ",\"kind\":");
	text_json(out, site_kind_name(site->kind));
	section_json(setup, index, tallies, now_ms, out);
	text_add(out, ",\"monitors\":[");
	for (uint32_t m = 0; m < site->n_monitors; m++) {
		text_add(out, m == 0 ? "" : ",");
		monitor_json(setup, site->first_monitor + m, open, out);
	}
	text_add(out, "]}");
}

void page_sites(const struct serve_setup *setup, const char *site, bool open, struct text *out)
{
	const struct plan *plan = setup->plan;
	struct tallies *tallies = NULL;
	int64_t now_ms = page_wall_ms();
	const char *comma = "";
	if (tallies_read(&tallies, setup->directory, plan) != 0)
		tallies = NULL;
	text_add(out, "{\"sites\":[");
	for (uint32_t i = 0; i < plan->n_sites; i++) {
		if (site != NULL && i != plan_site(plan, site))
			continue;
		text_add(out, comma);
		site_json(setup, i, tallies, now_ms, open, out);
		comma = ",";
	}
	tallies_close(tallies);
	text_add(out, "]}\n");
}

/* --- gaps --- */

struct page_gaps {
	struct text *out;
	const struct plan *plan;
	size_t n, limit;
};

static bool gap_json(void *context, const char *site, const char *factor, const struct gap *gap)
{
	struct page_gaps *page = context;
	text_add(page->out, page->n == 0 ? "{\"site\":" : ",{\"site\":");
	text_json(page->out, site);
	text_add(page->out, ",\"factor\":");
	text_json(page->out, factor);
	text_add(page->out, ",\"from\":\"");
	text_time(page->out, gap->from_ms, &page->plan->zone, 3);
	text_add(page->out, "\",\"to\":\"");
	text_time(page->out, gap->to_ms, &page->plan->zone, 3);
	text_format(page->out, "\",\"count\":%llu}", (unsigned long long)gap->count);
	return ++page->n < page->limit;
}

int page_gaps(struct text *out, const struct plan *plan, struct daybook_reader *reader,
	      const struct query *query)
{
	struct page_gaps page = {.out = out, .plan = plan, .limit = query->limit};
	text_add(out, "{\"gaps\":[");
	int r = daybook_gaps(reader, query->site, query->factor,
			     query->has_from ? query->from_ms : 0,
			     query->has_to ? query->to_ms : INT64_MAX, gap_json, &page);
	text_add(out, "]}\n");
	return r;
}
