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

/* What the ledger announced for one verdict: the alert's line, and perhaps its case's. */
struct announced {
	struct backtest_events *events;
	size_t verdict;
	int64_t after;
	char *alert, *of_case;
	bool failed;
};

static char *line_of(const struct plan *plan, const struct ledger_event *event)
{
	const char *data = strstr(event->json, "\"data\":"); /* the event's last member */
	struct text line = {0};
	if (data == NULL)
		return NULL;
	text_add(&line, "{\"type\":");
	text_json(&line, event->type + strlen("ducha."));
	text_add(&line, ",\"time\":\"");
	text_time(&line, event->at_ms, &plan->zone, 3);
	text_add(&line, "\",");
	text_add(&line, data);
	return line.failed ? (text_deinit(&line), NULL) : line.at;
}

static void tell_fate(const struct announced *a, const struct ledger_event *event)
{
	json_t *root = json_loads(event->json, 0, NULL);
	const struct backtest_fate fate = {
		.verdict = a->verdict,
		.case_id = event->case_id,
		.number = json_words(json_object_get(root, "data"), "number"),
		.opened = strcmp(event->type, "ducha.case.opened") == 0,
	};
	a->events->fate(a->events->context, &fate);
	json_decref(root);
}

static bool take_event(void *context, const struct ledger_event *event)
{
	struct announced *a = context;
	bool is_case = strncmp(event->type, "ducha.case.", 11) == 0;
	char **place = is_case ? &a->of_case : &a->alert;
	a->after = event->id;
	a->events->cases += strcmp(event->type, "ducha.case.opened") == 0;
	if (is_case && a->events->fate != NULL)
		tell_fate(a, event);
	*place = line_of(a->events->plan, event);
	a->failed |= *place == NULL;
	return true;
}

/* @e is an alert's event, the one behind it is for what its case says. */
static bool settle(struct backtest_events *b, struct ledger *ledger, struct event *e,
		   int64_t *after)
{
	struct announced a = {.events = b, .verdict = e->arrival, .after = *after};
	bool good = ledger_apply(ledger, e->verdict, 1, e->verdict->time_ms, NULL) == 0 &&
		    ledger_events(ledger, *after, 16, take_event, &a) == 0 && !a.failed;
	*after = a.after;
	e[0].line = a.alert;
	e[1].line = a.of_case;
	b->raised += a.alert != NULL && e->class == CLASS_RAISED;
	b->cleared += a.alert != NULL && e->class == CLASS_CLEARED;
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
	int64_t after = 0;
	bool good = events != NULL && ledger_open(&ledger, NULL, b->plan) == 0 &&
		    ledger_hold(ledger) == 0;
	size_t n = good ? lay_out(events, verdicts, n_verdicts) : 0, from = 0;
	if (good)
		qsort_r(events, n, sizeof *events, order_happened, (void *)(uintptr_t)b->plan);
	for (size_t i = 0; good && i < n; i += 2) {
		good = settle(b, ledger, &events[i], &after);
		if (i + 2 < n && order_moment(b->plan, &events[i], &events[i + 2]) == 0)
			continue;
		print_moment(b->out, &events[from], i + 2 - from);
		from = i + 2;
	}
	ledger_close(ledger);
	free(events);
	return good;
}
