/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest-events.h"

#include "core/text.h"
#include "deliver/sheet.h"
#include "store/ledger.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* One line of output: cleared before raised before case at the same moment and condition. */
enum class { CLASS_CLEARED, CLASS_RAISED, CLASS_CASE };

struct event {
	const struct verdict *verdict;
	enum class class;
	size_t arrival;
	char *line; /* NULL: the ledger had nothing to say */
};

static int order_names(const struct plan *plan, const struct verdict *a, const struct verdict *b)
{
	const struct monitor *ma = &plan->monitors[a->monitor], *mb = &plan->monitors[b->monitor];
	int d = strcmp(plan->sites[ma->site].id, plan->sites[mb->site].id);
	if (d == 0)
		d = strcmp(ma->factor, mb->factor);
	if (d == 0)
		d = strcmp(alert_kind_name(a->kind), alert_kind_name(b->kind));
	return d;
}

static int order_moment(const struct plan *plan, const struct event *a, const struct event *b)
{
	int d = (a->verdict->time_ms > b->verdict->time_ms) -
		(a->verdict->time_ms < b->verdict->time_ms);
	return d != 0 ? d : order_names(plan, a->verdict, b->verdict);
}

/* As it happened, entry by entry: an alert may begin and end in one moment, and its case follows
 * its raise. */
static int order_happened(const void *left, const void *right, void *context)
{
	const struct event *a = left, *b = right;
	int d = order_moment(context, a, b);
	if (d == 0)
		d = (a->verdict->limit > b->verdict->limit) -
		    (a->verdict->limit < b->verdict->limit);
	if (d == 0)
		d = (a->arrival > b->arrival) - (a->arrival < b->arrival);
	if (d == 0)
		d = (a->class > b->class) - (a->class < b->class);
	return d;
}

/* As it is printed, within one moment. */
static int order_printed(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	int d = (a->class > b->class) - (a->class < b->class);
	if (d == 0)
		d = (a->verdict->limit > b->verdict->limit) -
		    (a->verdict->limit < b->verdict->limit);
	if (d == 0)
		d = (a->arrival > b->arrival) - (a->arrival < b->arrival);
	return d;
}

/* What the ledger announces for one verdict: the alert's line, and those of cases. */
struct announced {
	struct backtest_events *events;
	size_t verdict;
	struct text alert, of_case;
};

static void add_line(struct text *out, const struct plan *plan, const struct ledger_event *event)
{
	if (out->length > 0)
		text_char(out, '\n');
	text_add(out, "{\"type\":");
	text_json(out, event->type + strlen("ducha."));
	text_add(out, ",\"time\":\"");
	text_time(out, event->at_ms, &plan->zone, 3);
	text_add(out, "\",\"data\":");
	text_add(out, event->json);
	text_char(out, '}');
}

static void tell_fate(const struct announced *a, const struct ledger_event *event)
{
	json_t *data = json_loads(event->json, 0, NULL);
	const struct backtest_fate fate = {
		.verdict = a->verdict,
		.case_id = event->case_id,
		.number = json_words(data, "number"),
		.opened = strcmp(event->type, "ducha.case.opened") == 0,
	};
	a->events->fate(a->events->context, &fate);
	json_decref(data);
}

static bool take_event(void *context, const struct ledger_event *event)
{
	struct announced *a = context;
	bool is_case = strncmp(event->type, "ducha.case.", 11) == 0;
	struct text *out = is_case ? &a->of_case : &a->alert;
	if (is_case && out->length > 0)
		return true; /* that it is linked to another case is no event of the data */
	a->events->cases += strcmp(event->type, "ducha.case.opened") == 0;
	if (is_case && a->events->fate != NULL)
		tell_fate(a, event);
	add_line(out, a->events->plan, event);
	return !out->failed;
}

/* @e is an alert's event, the one behind it is for what its case says. */
static bool settle(struct announced *a, struct ledger *ledger, struct event *e)
{
	a->verdict = e->arrival;
	a->alert = a->of_case = (struct text){0};
	bool good = ledger_apply(ledger, e->verdict, 1, e->verdict->time_ms, NULL) == 0;
	e[0].line = a->alert.at;
	e[1].line = a->of_case.at;
	a->events->raised += a->alert.at != NULL && e->class == CLASS_RAISED;
	a->events->cleared += a->alert.at != NULL && e->class == CLASS_CLEARED;
	return good;
}

static size_t lay_out(struct event *events, const struct verdict *verdicts, size_t n_verdicts)
{
	size_t n = 0;
	for (size_t i = 0; i < n_verdicts; i++) {
		const struct verdict *v = &verdicts[i];
		enum class class = v->type == VERDICT_RAISED ? CLASS_RAISED : CLASS_CLEARED;
		events[n++] = (struct event){.verdict = v, .class = class, .arrival = i};
		events[n++] = (struct event){.verdict = v, .class = CLASS_CASE, .arrival = i};
	}
	return n;
}

static void print_moment(FILE *out, struct event *events, size_t n)
{
	qsort(events, n, sizeof *events, order_printed);
	for (size_t i = 0; i < n; i++) {
		if (events[i].line != NULL && out != NULL) {
			fputs(events[i].line, out);
			fputc('\n', out);
		}
		free(events[i].line);
	}
}

bool backtest_events(struct backtest_events *b, const struct verdict *verdicts, size_t n_verdicts)
{
	struct ledger *ledger = NULL;
	struct event *events = calloc(2 * n_verdicts + 1, sizeof *events);
	struct announced announced = {.events = b};
	bool good = events != NULL && ledger_open(&ledger, NULL, b->plan) == 0 &&
		    ledger_hold(ledger, take_event, &announced) == 0;
	size_t n = good ? lay_out(events, verdicts, n_verdicts) : 0, from = 0;
	if (good)
		qsort_r(events, n, sizeof *events, order_happened, (void *)(uintptr_t)b->plan);
	for (size_t i = 0; good && i < n; i += 2) {
		good = settle(&announced, ledger, &events[i]);
		if (i + 2 < n && order_moment(b->plan, &events[i], &events[i + 2]) == 0)
			continue;
		print_moment(b->out, &events[from], i + 2 - from);
		from = i + 2;
	}
	ledger_close(ledger);
	free(events);
	return good;
}
