/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/report-tables.h"
#include "store/ledger-marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500 };

/* A page of the ledger as JSON; NULL: @r says why. */
static json_t *page_load(struct text *page, int *r)
{
	json_t *json =
		*r == 0 && page->at != NULL ? json_loadb(page->at, page->length, 0, NULL) : NULL;
	if (*r == 0 && json == NULL)
		*r = -ENOMEM;
	text_clear(page);
	return json;
}

/* --- alerts --- */

/* Return: true where some of @active is within @span. */
static bool common(struct span active, struct span span, struct span *out)
{
	out->start_ms = active.start_ms > span.start_ms ? active.start_ms : span.start_ms;
	out->end_ms = active.end_ms < span.end_ms ? active.end_ms : span.end_ms;
	return out->end_ms > out->start_ms;
}

struct taking {
	const struct report *report;
	struct report_covers *covers;
	struct report_alerts *by_monitor;
	void (*take)(const struct taking *taking, uint32_t monitor, const json_t *alert);
};

static bool is_kind(const json_t *alert, enum alert_kind kind)
{
	return json_is(alert, "kind", alert_kind_name(kind));
}

static void take_cover(const struct taking *taking, uint32_t monitor, const json_t *alert)
{
	if (is_kind(alert, ALERT_UNDETERMINED))
		report_cover(taking->report, taking->covers, monitor, alert);
}

static void take_alert(const struct taking *taking, uint32_t monitor, const json_t *alert)
{
	const struct report *report = taking->report;
	int64_t raised_ms = json_ms(alert, "raised_at"), cleared_ms = json_ms(alert, "cleared_at");
	struct span active = {raised_ms, cleared_ms == 0 ? report->now_ms : cleared_ms}, within;
	bool exceeds = is_kind(alert, ALERT_EXCEEDANCE);
	struct report_alerts *a = &taking->by_monitor[monitor];
	if (raised_ms >= report->span.start_ms && raised_ms < report->span.end_ms) {
		a->n++;
		a->exceedances += exceeds;
	}
	if (common(active, report->span, &within))
		times_add(&a->active, within);
	report_alarm(report, alert, active, a);
	if (exceeds)
		report_touch(report, taking->covers, monitor, alert, a);
}

static void take_one(const struct taking *taking, const json_t *alert)
{
	const char *site = json_words(alert, "site"), *factor = json_words(alert, "factor");
	uint32_t monitor = site == NULL || factor == NULL
				   ? NO_INDEX
				   : plan_monitor(taking->report->plan, site, factor);
	if (monitor != NO_INDEX)
		taking->take(taking, monitor, alert);
}

static int take_alerts(const struct taking *taking)
{
	struct alert_filter filter = {.active = -1, .limit = PAGE};
	struct text page = {0};
	int r = 0;
	do {
		r = ledger_alerts_json(taking->report->ledger, &filter, &page);
		json_t *json = page_load(&page, &r), *alert;
		size_t i;
		json_array_foreach(json_object_get(json, "alerts"), i, alert)
			take_one(taking, alert);
		filter.after = json_integer_value(json_object_get(json, "next"));
		json_decref(json);
	} while (r == 0 && filter.after != 0);
	text_deinit(&page);
	return r;
}

static bool judges_hours(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_monitors; i++)
		for (size_t j = 0; j < plan->monitors[i].n_limits; j++)
			if (plan->monitors[i].limits[j].average == AVERAGE_HOUR)
				return true;
	return false;
}

/* Each once, though several limits may be of the same means. */
static void count_recomputed(const struct report_covers *covers, struct report_alerts *by_monitor)
{
	for (size_t i = 0; i < covers->n; i++) {
		const struct recomputed_window *w = &covers->at[i], *before = w - (i > 0);
		bool again = i > 0 && before->monitor == w->monitor &&
			     before->average == w->average &&
			     before->span.start_ms == w->span.start_ms;
		by_monitor[w->monitor].recomputed += w->average != AVERAGE_INSTANT && !again;
	}
}

int report_alerts(const struct report *report, struct report_alerts *by_monitor)
{
	struct report_covers covers = {0};
	struct taking taking = {report, &covers, by_monitor, take_cover};
	int r = report_covers(report, &covers);
	count_recomputed(&covers, by_monitor);
	if (r == 0 && judges_hours(report->plan))
		r = take_alerts(&taking);
	if (r == 0 && covers.failed)
		r = -ENOMEM;
	report_covers_sort(&covers);
	taking.take = take_alert;
	if (r == 0)
		r = take_alerts(&taking);
	if (r == 0)
		report_touch_windows(report, &covers, by_monitor);
	for (uint32_t i = 0; r == 0 && i < report->plan->n_monitors; i++) {
		by_monitor[i].active_ms = times_ms(&by_monitor[i].active);
		r = by_monitor[i].active.failed ? -ENOMEM : 0;
	}
	report_covers_deinit(&covers);
	return r;
}

void report_alerts_free(const struct report *report, struct report_alerts *by_monitor)
{
	for (uint32_t i = 0; by_monitor != NULL && i < report->plan->n_monitors; i++)
		free(by_monitor[i].active.at);
	free(by_monitor);
}

/* --- cases --- */

int report_each_case(const struct report *report, void (*fn)(void *context, const json_t *c),
		     void *context)
{
	struct case_filter filter = {.all = true, .to_ms = report->span.end_ms, .limit = PAGE};
	struct text page = {0};
	int r = 0;
	do {
		r = ledger_cases_json(report->ledger, &filter, &page);
		json_t *json = page_load(&page, &r), *c;
		size_t i;
		json_array_foreach(json_object_get(json, "cases"), i, c) fn(context, c);
		filter.after = json_integer_value(json_object_get(json, "next"));
		json_decref(json);
	} while (r == 0 && filter.after != 0);
	text_deinit(&page);
	return r;
}
