/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cases of a report: what was done to them in its time.
 *
 * Every count is of steps, which are only ever added to (store/ledger.h), and each step belongs to
 * the leader and the level that the case had then. So what happened later, such as that a closed
 * case is reopened or merged, changes no report of a time before; and the months of a year add up
 * to it.
 */
#include "deliver/report-tables.h"

#include "core/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define YEAR_MS (365 * DAY_MS)

/* --- groups --- */

static struct report_group *group_of(struct report_groups *g, const char *by, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->at[i].by, by) == 0 && strcmp(g->at[i].name, name) == 0)
			return &g->at[i];
	void *at = array_room(g->at, g->n, &g->room, sizeof *g->at);
	if (at == NULL)
		return NULL;
	g->at = at;
	struct report_group new = {.by = strdup(by), .name = strdup(name)};
	if (new.by == NULL || new.name == NULL) {
		free(new.by);
		free(new.name);
		return NULL;
	}
	g->at[g->n] = new;
	return &g->at[g->n++];
}

static void group_add(struct report_groups *g, const char *by, const char *name,
		      const struct report_counts *counts)
{
	struct report_group *group = group_of(g, by, name == NULL ? SAY("not given") : name);
	if (group == NULL) {
		g->failed = true;
		return;
	}
	group->n.registered += counts->registered;
	group->n.verified += counts->verified;
	group->n.withdrawn += counts->withdrawn;
	group->n.closed += counts->closed;
	group->n.on_time += counts->on_time;
	group->n.reopened += counts->reopened;
	group->n.repeated += counts->repeated;
	group->n.days += counts->days;
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

/* --- the course of a case --- */

struct sorting {
	const struct report *report;
	struct report_groups *groups;
	struct report_alerts *by_monitor;
	int r;
};

/* Of one case, as it is after each of its steps. */
struct course {
	struct sorting *sorting;
	const json_t *c;
	const struct site *site;
	const char *leader, *level;
	int64_t since_ms; /* its registration, or when it was reopened */
	bool verified, ended, overdue;
	bool found, false_alarm; /* decided within the span */
};

static bool within(struct span span, int64_t at_ms)
{
	return at_ms >= span.start_ms && at_ms < span.end_ms;
}

static void count(const struct course *course, const struct report_counts *counts)
{
	struct report_groups *g = course->sorting->groups;
	group_add(g, "total", "", counts);
	group_add(g, "subdistrict", course->site->subdistrict, counts);
	group_add(g, "leader", course->leader, counts);
	group_add(g, "river", course->site->river, counts);
	group_add(g, "source", json_words(course->c, "source"), counts);
	group_add(g, "level", course->level, counts);
	group_add(g, "kind", json_words(course->c, "kind"), counts);
}

/* NULL: no monitor's, or registered by a person. */
static struct report_alerts *monitor_of(const struct course *course)
{
	const char *site = json_words(course->c, "site"), *factor = json_words(course->c, "factor");
	uint32_t monitor = site == NULL || factor == NULL
				   ? NO_INDEX
				   : plan_monitor(course->sorting->report->plan, site, factor);
	return monitor == NO_INDEX || !json_is(course->c, "source", "automatic")
		       ? NULL
		       : &course->sorting->by_monitor[monitor];
}

/* Withdrawn because nothing was wrong with the water. */
static bool is_unfounded(const json_t *step)
{
	static const char *const reasons[] = {"instrument_fault", "maintenance", "marked",
					      "unfounded"};
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (json_is(step, "reason", reasons[i]))
			return true;
	return false;
}

static bool is_repeated(struct sorting *s, const json_t *c)
{
	bool before = false;
	int r = ledger_complained(s->report->ledger, json_integer_value(json_object_get(c, "id")),
				  YEAR_MS, &before);
	s->r = s->r == 0 ? r : s->r;
	return before;
}

static bool verifies(const json_t *step)
{
	enum case_action action = case_action_find(json_words(step, "action"));
	return action != CASE_ACTIONS && case_verifies(action);
}

/* What a step counts as; what is done to a case that has ended is no second end. */
static struct report_counts counts_of(const struct course *course, const json_t *step)
{
	bool closes = json_is(step, "action", "close") && !course->ended;
	bool withdraws = !course->ended &&
			 (json_is(step, "action", "withdraw") || json_is(step, "action", "merge"));
	return (struct report_counts){
		.verified = verifies(step) && !course->verified,
		.closed = closes,
		.on_time = closes && !course->overdue,
		.withdrawn = withdraws,
		.reopened = json_is(step, "action", "reopen") && course->ended,
		.days = closes ? (double)(json_ms(step, "at") - course->since_ms) / (double)DAY_MS
			       : 0,
	};
}

static void take_people(struct course *course, const json_t *step)
{
	const char *leader = json_words(step, "leader"), *level = json_words(step, "level");
	course->leader = leader != NULL ? leader : course->leader;
	course->level = level != NULL ? level : course->level;
}

static void go_on(struct course *course, const json_t *step, const struct report_counts *counts)
{
	if (json_is(step, "action", "overdue"))
		course->overdue = true;
	course->verified |= counts->verified > 0;
	course->ended |= counts->closed + counts->withdrawn > 0;
	if (counts->reopened == 0)
		return;
	course->ended = course->overdue = false;
	course->since_ms = json_ms(step, "at");
}

static void take_step(struct course *course, const json_t *step)
{
	struct report_alerts *a = monitor_of(course);
	take_people(course, step);
	struct report_counts counts = counts_of(course, step);
	if (within(course->sorting->report->span, json_ms(step, "at"))) {
		if (counts.verified + counts.withdrawn + counts.closed + counts.reopened > 0)
			count(course, &counts);
		if (a != NULL) {
			a->verified += counts.verified;
			a->withdrawn += counts.withdrawn;
		}
		course->found |= counts.verified > 0;
		course->false_alarm |= counts.withdrawn > 0 && is_unfounded(step);
	}
	go_on(course, step, &counts);
}

/* --- a case --- */

/* Who led it, or which level it had, before any step said so: what it has, where none did. */
static const char *at_first(const json_t *c, const char *member, const char *now,
			    const char *otherwise)
{
	const json_t *step;
	size_t i;
	json_array_foreach(json_object_get(c, "history"), i, step)
	{
		if (json_words(step, member) != NULL)
			return otherwise;
	}
	return now;
}

static struct course course_of(struct sorting *s, const json_t *c)
{
	static const struct site none = {.id = NULL};
	const struct plan *plan = s->report->plan;
	const char *id = json_words(c, "site");
	uint32_t index = id == NULL ? NO_INDEX : plan_site(plan, id);
	const struct site *site = index == NO_INDEX ? &none : &plan->sites[index];
	return (struct course){
		.sorting = s,
		.c = c,
		.site = site,
		.leader = at_first(c, "leader",
				   json_words(json_object_get(c, "responsible"), "leader"),
				   site->responsible.leader),
		.level = at_first(c, "level", json_words(c, "level"), "district"),
		.since_ms = json_ms(c, "opened_at"),
	};
}

static void take_case(void *context, const json_t *c)
{
	struct sorting *s = context;
	struct course course = course_of(s, c);
	struct report_alerts *a = monitor_of(&course);
	const json_t *history = json_object_get(c, "history");
	take_people(&course, json_array_get(history, 0)); /* as it was registered */
	if (within(s->report->span, course.since_ms)) {
		count(&course, &(const struct report_counts){.registered = 1,
							     .repeated = is_repeated(s, c)});
		if (a != NULL)
			a->registered++;
	}
	for (size_t i = 1; i < json_array_size(history); i++)
		take_step(&course, json_array_get(history, i));
	if (a == NULL)
		return;
	a->decided += course.found || course.false_alarm;
	a->unfounded += course.false_alarm;
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
