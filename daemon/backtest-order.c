/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest-order.h"

#include "core/clue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct place {
	int64_t clock_ms;
	const char *line;
	size_t number;
	bool last; /* of one moment: it asks what the others showed at it */
};

struct backtest_order {
	const struct plan *plan;
	int64_t *clock_ms; /* by monitor */
	struct place *places;
	size_t n, room;
	bool disorder;
	char *copy;
};

static bool looks_across(const struct plan *plan, uint32_t monitor)
{
	const struct monitor *m = &plan->monitors[monitor];
	const struct clue_rules *rules = m->clues;
	return rules != NULL && (rules->n_contradictions > 0 || rules->next_alike != monitor);
}

bool backtest_order_matters(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_monitors; i++)
		if (looks_across(plan, i))
			return true;
	return false;
}

int backtest_order_new(struct backtest_order **out, const struct plan *plan)
{
	struct backtest_order *o = calloc(1, sizeof *o);
	if (o == NULL)
		return -ENOMEM;
	o->plan = plan;
	o->clock_ms = calloc(plan->n_monitors + 1, sizeof *o->clock_ms);
	if (o->clock_ms == NULL) {
		backtest_order_free(o);
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan->n_monitors; i++)
		o->clock_ms[i] = INT64_MIN;
	*out = o;
	return 0;
}

struct backtest_order *backtest_order_free(struct backtest_order *order)
{
	if (order == NULL)
		return NULL;
	free(order->clock_ms);
	free(order->places);
	free(order->copy);
	free(order);
	return NULL;
}

static int by_clock(const void *left, const void *right)
{
	const struct place *a = left, *b = right;
	if (a->clock_ms != b->clock_ms)
		return a->clock_ms < b->clock_ms ? -1 : 1;
	if (a->last != b->last)
		return a->last ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

static struct place place_of(struct backtest_order *o, uint32_t monitor, int64_t time_ms,
			     const char *line)
{
	const struct place *before = o->n > 0 ? &o->places[o->n - 1] : NULL;
	struct place place = {.line = line, .number = o->n};
	if (monitor == NO_INDEX) {
		place.clock_ms = before == NULL ? INT64_MIN : before->clock_ms;
		place.last = before != NULL && before->last;
		return place;
	}
	if (time_ms > o->clock_ms[monitor])
		o->clock_ms[monitor] = time_ms;
	place.clock_ms = o->clock_ms[monitor];
	place.last = o->plan->monitors[monitor].zero_beside;
	return place;
}

bool backtest_order_add(struct backtest_order *order, uint32_t monitor, int64_t time_ms,
			const char *line)
{
	if (order->n == order->room) {
		size_t room = order->room == 0 ? 4096 : 2 * order->room;
		struct place *more = reallocarray(order->places, room, sizeof *more);
		if (more == NULL)
			return false;
		order->places = more;
		order->room = room;
	}
	const struct place place = place_of(order, monitor, time_ms, line);
	if (order->n > 0 && by_clock(&order->places[order->n - 1], &place) > 0)
		order->disorder = true;
	order->places[order->n++] = place;
	return true;
}

/* A line with its end; a last one without gets its own. */
static char *put_line(char *to, const struct recording *rows, const char *line)
{
	size_t rest = (size_t)(rows->at + rows->size - line);
	const char *end = memchr(line, '\n', rest);
	size_t length = end == NULL ? rest : (size_t)(end - line);
	memcpy(to, line, length);
	to[length] = '\n';
	return to + length + 1;
}

bool backtest_order_rows(struct backtest_order *order, struct recording *rows)
{
	if (!order->disorder)
		return true;
	order->copy = malloc(rows->size + 1);
	if (order->copy == NULL)
		return false;
	qsort(order->places, order->n, sizeof *order->places, by_clock);
	char *to = order->copy;
	for (size_t i = 0; i < order->n; i++)
		to = put_line(to, rows, order->places[i].line);
	*rows = (struct recording){.at = order->copy, .size = (size_t)(to - order->copy)};
	return true;
}
