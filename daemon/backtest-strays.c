/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest-strays.h"

#include "core/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NEWEST = 8 };
_Static_assert((int)NEWEST > (int)STRAYS_IN_A_ROW, "strays, and one before them");

/* What a monitor's rows look like: the newest ones, and those behind that may show them strays. */
struct course {
	struct stray newest[NEWEST]; /* a ring, each later than the one before it */
	size_t n, next;
	size_t suspects;           /* the last so many of them */
	size_t behind;             /* rows behind those, as they should be */
	int64_t first_ms, last_ms; /* of those rows */
};

struct backtest_strays {
	struct course *courses; /* by monitor */
	struct stray *found;
	size_t n, room;
	char *copy;
};

int backtest_strays_new(struct backtest_strays **out, const struct plan *plan)
{
	struct backtest_strays *s = calloc(1, sizeof *s);
	if (s == NULL)
		return -ENOMEM;
	s->courses = calloc(plan->n_monitors + 1, sizeof *s->courses);
	if (s->courses == NULL) {
		backtest_strays_free(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

struct backtest_strays *backtest_strays_free(struct backtest_strays *s)
{
	if (s == NULL)
		return NULL;
	free(s->courses);
	free(s->found);
	free(s->copy);
	free(s);
	return NULL;
}

/* 0: the newest. */
static const struct stray *newest(const struct course *c, size_t back)
{
	return &c->newest[(c->next - 1 - back) % NEWEST];
}

static void newest_add(struct course *c, const struct stray *row)
{
	c->newest[c->next++ % NEWEST] = *row;
	c->n += c->n < NEWEST;
	c->suspects = 0;
}

/* A row long before the newest one: how many of those before it may be strays? */
static void suspect(struct course *c, int64_t time_ms)
{
	size_t n = 0;
	while (n < c->n && newest(c, n)->time_ms - time_ms > STRAY_AHEAD_MS)
		n++;
	bool goes_on = n <= STRAYS_IN_A_ROW && (n == c->n || newest(c, n)->time_ms <= time_ms);
	c->suspects = goes_on ? n : 0;
	c->behind = goes_on;
	c->first_ms = c->last_ms = time_ms;
}

static bool find(struct backtest_strays *s, struct course *c)
{
	bool any = c->suspects < c->n;
	int64_t came_ms = any ? newest(c, c->suspects)->time_ms : c->first_ms;
	for (; c->suspects > 0; c->suspects--, c->n--, c->next--) {
		struct stray *more = array_room(s->found, s->n, &s->room, sizeof *more);
		if (more == NULL)
			return false;
		s->found = more;
		s->found[s->n] = *newest(c, 0);
		s->found[s->n].came_ms = came_ms;
		s->found[s->n].again = c->suspects > 1;
		s->found[s->n++].after_ms = c->first_ms;
	}
	return true;
}

/* A row before the newest one. */
static bool before_newest(struct backtest_strays *s, struct course *c, const struct stray *row)
{
	if (c->suspects == 0)
		suspect(c, row->time_ms);
	else if (newest(c, c->suspects - 1)->time_ms - row->time_ms <= STRAY_AHEAD_MS)
		c->suspects = 0; /* the rows behind have come as far */
	else if (row->time_ms >= c->last_ms) {
		c->last_ms = row->time_ms;
		c->behind++;
	}
	if (c->suspects == 0 || c->behind < STRAY_BEHIND)
		return true;
	if (!find(s, c))
		return false;
	newest_add(c, row);
	return true;
}

bool backtest_strays_add(struct backtest_strays *s, uint32_t monitor, const struct csv_row *row,
			 const char *line)
{
	struct course *c = &s->courses[monitor];
	const struct stray now = {.monitor = monitor,
				  .line = line,
				  .time_ms = row->time_ms,
				  .has_value = row->has_value,
				  .value = row->value};
	if (c->n > 0 && row->time_ms < newest(c, 0)->time_ms)
		return before_newest(s, c, &now);
	newest_add(c, &now);
	return true;
}

const struct stray *backtest_strays_found(const struct backtest_strays *s, size_t *n)
{
	*n = s->n;
	return s->found;
}

static int by_line(const void *left, const void *right)
{
	const struct stray *a = left, *b = right;
	return (a->line > b->line) - (a->line < b->line);
}

bool backtest_strays_drop(struct backtest_strays *s, struct recording *rows)
{
	const char *from = rows->at, *end = rows->at + rows->size;
	char *to = s->copy = malloc(rows->size + 1);
	if (to == NULL)
		return false;
	qsort(s->found, s->n, sizeof *s->found, by_line);
	for (size_t i = 0; i < s->n; i++) {
		size_t before = (size_t)(s->found[i].line - from);
		memcpy(to, from, before);
		to += before;
		from = memchr(s->found[i].line, '\n', (size_t)(end - s->found[i].line));
	}
	memcpy(to, from, (size_t)(end - from));
	to += end - from;
	*rows = (struct recording){.at = s->copy, .size = (size_t)(to - s->copy)};
	return true;
}

struct verdict stray_verdict(const struct stray *stray, enum verdict_type type)
{
	return (struct verdict){
		.type = type,
		.kind = ALERT_CLUE,
		.monitor = stray->monitor,
		.connection = NO_INDEX,
		.limit = NO_INDEX,
		.time_ms = type == VERDICT_RAISED ? stray->came_ms : stray->after_ms,
		.began_ms = stray->came_ms,
		.raised_ms = stray->came_ms,
		.has_value = stray->has_value,
		.value = stray->value,
		.peak_value = stray->value,
		.peak_ms = stray->came_ms,
		.last_value = stray->value,
		.readings = 1,
		.reason = "dated_ahead",
	};
}
