/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/report-tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500 };
#define DAY_MS INT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)

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
	const struct report_covers *covers;
	struct report_alerts *by_monitor;
};

static void take_alert(const struct taking *taking, const json_t *alert)
{
	const struct report *report = taking->report;
	const char *site = json_words(alert, "site"), *factor = json_words(alert, "factor");
	uint32_t monitor = site == NULL || factor == NULL
				   ? NO_INDEX
				   : plan_monitor(report->plan, site, factor);
	int64_t raised_ms = json_ms(alert, "raised_at"), cleared_ms = json_ms(alert, "cleared_at");
	struct span active = {raised_ms, cleared_ms == 0 ? report->now_ms : cleared_ms}, within;
	bool exceeds = json_is(alert, "kind", "exceedance");
	if (monitor == NO_INDEX)
		return;
	struct report_alerts *a = &taking->by_monitor[monitor];
	if (raised_ms >= report->span.start_ms && raised_ms < report->span.end_ms) {
		a->n++;
		a->exceedances += exceeds;
	}
	if (common(active, report->span, &within))
		report_time(&a->active, within);
	report_alarm(report, alert, active, a);
	active.start_ms = json_ms(alert, "began_at");
	if (exceeds)
		report_touch(report, taking->covers, monitor,
			     average_named(json_words(alert, "average")), active, a);
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
			take_alert(taking, alert);
		filter.after = json_integer_value(json_object_get(json, "next"));
		json_decref(json);
	} while (r == 0 && filter.after != 0);
	text_deinit(&page);
	return r;
}

int report_alerts(const struct report *report, struct report_alerts *by_monitor)
{
	struct report_covers covers = {0};
	const struct taking taking = {report, &covers, by_monitor};
	int r = report_covers(report, &covers);
	if (r == 0)
		r = take_alerts(&taking);
	if (r == 0)
		report_touch_windows(report, &covers, by_monitor);
	for (uint32_t i = 0; r == 0 && i < report->plan->n_monitors; i++) {
		by_monitor[i].active_ms = report_times_ms(&by_monitor[i].active);
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

static struct report_group *group_of(struct report_groups *g, const char *by, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->at[i].by, by) == 0 && strcmp(g->at[i].name, name) == 0)
			return &g->at[i];
	if (g->n == g->room) {
		size_t room = g->room == 0 ? 32 : 2 * g->room;
		void *more = reallocarray(g->at, room, sizeof *g->at);
		if (more == NULL)
			return NULL;
		g->at = more;
		g->room = room;
	}
	struct report_group new = {.by = strdup(by), .name = strdup(name)};
	if (new.by == NULL || new.name == NULL) {
		free(new.by);
		free(new.name);
		return NULL;
	}
	g->at[g->n] = new;
	return &g->at[g->n++];
}

struct report_case {
	bool registered, verified, withdrawn, closed, on_time, repeated;
	double days;
};

static void group_add(struct report_groups *g, const char *by, const char *name,
		      const struct report_case *c)
{
	struct report_group *group = group_of(g, by, name == NULL ? SAY("not given") : name);
	if (group == NULL) {
		g->failed = true;
		return;
	}
	group->registered += c->registered;
	group->verified += c->registered && c->verified;
	group->withdrawn += c->withdrawn;
	group->repeated += c->registered && c->repeated;
	group->closed += c->closed;
	group->on_time += c->closed && c->on_time;
	group->days += c->closed ? c->days : 0;
}

static bool was_overdue(const json_t *c)
{
	const json_t *step;
	size_t i;
	json_array_foreach(json_object_get(c, "history"), i,
			   step) if (json_is(step, "action", "overdue")) return true;
	return false;
}

static bool within(struct span span, int64_t at_ms)
{
	return at_ms >= span.start_ms && at_ms < span.end_ms;
}

struct sorting {
	const struct report *report;
	struct report_groups *groups;
	struct report_alerts *by_monitor;
	int r;
};

static bool is_repeated(struct sorting *s, const json_t *c)
{
	bool before = false;
	int r = ledger_complained(s->report->ledger, json_integer_value(json_object_get(c, "id")),
				  YEAR_MS, &before);
	s->r = s->r == 0 ? r : s->r;
	return before;
}

/* Withdrawn because nothing was wrong with the water. */
static bool is_unfounded(const json_t *c)
{
	static const char *const reasons[] = {"instrument_fault", "maintenance", "marked",
					      "unfounded"};
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (json_is(c, "withdrawn_reason", reasons[i]))
			return json_is(c, "status", "withdrawn");
	return false;
}

static void take_monitor(const struct sorting *s, const json_t *c, const struct report_case *one)
{
	const char *site = json_words(c, "site"), *factor = json_words(c, "factor");
	uint32_t monitor = site == NULL || factor == NULL
				   ? NO_INDEX
				   : plan_monitor(s->report->plan, site, factor);
	if (monitor == NO_INDEX || !one->registered || !json_is(c, "source", "automatic"))
		return;
	struct report_alerts *a = &s->by_monitor[monitor];
	a->registered++;
	a->verified += one->verified;
	a->withdrawn += json_is(c, "status", "withdrawn");
	a->unfounded += is_unfounded(c);
}

static void take_groups(const struct sorting *s, const json_t *c, const struct report_case *one)
{
	const struct plan *plan = s->report->plan;
	const struct site none = {.id = NULL};
	const char *id = json_words(c, "site");
	uint32_t index = id == NULL ? NO_INDEX : plan_site(plan, id);
	const struct site *site = index == NO_INDEX ? &none : &plan->sites[index];
	struct report_groups *g = s->groups;
	group_add(g, "total", "", one);
	group_add(g, "subdistrict", site->subdistrict, one);
	group_add(g, "leader", json_words(json_object_get(c, "responsible"), "leader"), one);
	group_add(g, "river", site->river, one);
	group_add(g, "source", json_words(c, "source"), one);
	group_add(g, "level", json_words(c, "level"), one);
	group_add(g, "kind", json_words(c, "kind"), one);
}

static void take_case(void *context, const json_t *c)
{
	struct sorting *s = context;
	int64_t opened_ms = json_ms(c, "opened_at"), ended_ms = json_case_ended(c);
	bool ended = ended_ms != 0 && within(s->report->span, ended_ms);
	struct report_case one = {.registered = within(s->report->span, opened_ms),
				  .verified = json_is_true(json_object_get(c, "verified")),
				  .withdrawn = ended && json_is(c, "status", "withdrawn"),
				  .closed = ended && json_is(c, "status", "closed"),
				  .on_time = !was_overdue(c),
				  .days = (double)(ended_ms - opened_ms) / (double)DAY_MS};
	if (!one.registered && !ended)
		return;
	one.repeated = one.registered && is_repeated(s, c);
	take_groups(s, c, &one);
	take_monitor(s, c, &one);
}

static int by_place(const void *a, const void *b)
{
	static const char *const order[] = {"total",  "subdistrict", "leader", "river",
					    "source", "level",       "kind"};
	const struct report_group *x = a, *y = b;
	for (size_t i = 0; strcmp(x->by, y->by) != 0 && i < sizeof order / sizeof order[0]; i++) {
		if (strcmp(order[i], x->by) == 0)
			return -1;
		if (strcmp(order[i], y->by) == 0)
			return 1;
	}
	return strcmp(x->name, y->name);
}

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

int report_cases(const struct report *report, struct report_groups *groups,
		 struct report_alerts *by_monitor)
{
	struct sorting sorting = {report, groups, by_monitor, 0};
	int r = report_each_case(report, take_case, &sorting);
	if (groups->n > 0)
		qsort(groups->at, groups->n, sizeof *groups->at, by_place);
	if (r == 0)
		r = sorting.r;
	return r == 0 && groups->failed ? -ENOMEM : r;
}

void report_groups_deinit(struct report_groups *groups)
{
	for (size_t i = 0; i < groups->n; i++) {
		free(groups->at[i].by);
		free(groups->at[i].name);
	}
	free(groups->at);
}
