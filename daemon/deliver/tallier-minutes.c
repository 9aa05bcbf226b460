/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minutes: of each monitor the two newest hours are in memory, whole, and go to the file every few
 * minutes, with a position of their own, so that an hour is written some dozen times and not with
 * every pass. A start reads the rows behind that position again.
 */
#include "deliver/tallier-internal.h"

#include "store/meanfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEEP_MINUTES_MS INT64_C(300000)
/* So many rows are read again at a start, at most. */
#define KEEP_MINUTES_ROWS INT64_C(500000)

int minutes_init(struct tallier *t)
{
	for (size_t i = 0; i < HOURS_OPEN; i++) {
		t->hours[i] = calloc(t->setup.plan->n_monitors + 1, sizeof *t->hours[i]);
		if (t->hours[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

void minutes_deinit(struct tallier *t)
{
	for (size_t i = 0; i < HOURS_OPEN; i++)
		free(t->hours[i]);
}

int minutes_recall(struct tallier *t)
{
	for (size_t i = 0; i < HOURS_OPEN; i++)
		for (uint32_t j = 0; j < t->setup.plan->n_monitors; j++)
			t->hours[i][j].used = false;
	t->crowded = false;
	t->minuted_ms = 0;
	return tallier_number(t, "minuted", &t->minuted);
}

/* --- an hour --- */

static void hour_write(struct tallier *t, uint32_t monitor, struct open_hour *h)
{
	if (h->used && h->changed)
		tallier_keep(t, tallies_put_minutes(t->store, monitor, mean_hour(h->start_ms),
						    h->minutes));
	h->changed = false;
}

static void hour_take_up(struct tallier *t, uint32_t monitor, struct open_hour *h, int64_t wall_ms)
{
	int64_t hour = mean_hour(wall_ms);

	h->used = true;
	h->changed = false;
	h->start_ms = hour * HOUR_MS;
	tallier_keep(t, tallies_get_minutes(t->store, monitor, hour, h->minutes, &h->upto));
}

static bool hour_holds(const struct open_hour *h, int64_t wall_ms)
{
	return h->used && wall_ms >= h->start_ms && wall_ms - h->start_ms < HOUR_MS;
}

/* The older of the two makes room; what of it went to the file is not behind the position there
 * until that is kept, too, in the same transaction. */
static struct open_hour *hour_of(struct tallier *t, uint32_t monitor, int64_t wall_ms)
{
	struct open_hour *a = &t->hours[0][monitor], *b = &t->hours[1][monitor];

	if (hour_holds(a, wall_ms))
		return a;
	if (hour_holds(b, wall_ms))
		return b;
	if (a->used && (!b->used || b->start_ms < a->start_ms))
		a = b;
	t->crowded |= a->used && a->changed;
	hour_write(t, monitor, a);
	hour_take_up(t, monitor, a, wall_ms);
	return a;
}

static void hour_add(struct open_hour *h, const struct reading *r)
{
	minute_add(&h->minutes[(r->measured_ms - h->start_ms) / MINUTE_MS], r->value);
	h->changed = true;
}

static bool is_valid(const struct reading *r)
{
	return r->has_value && r->flag == FLAG_NORMAL;
}

void minutes_count(struct tallier *t, const struct reading *r, int64_t sequence)
{
	if (!is_valid(r))
		return;
	struct open_hour *h = hour_of(t, r->monitor, r->measured_ms);
	if (sequence > h->upto)
		hour_add(h, r);
}

/* --- to the files --- */

bool minutes_due(const struct tallier *t)
{
	return t->crowded || t->cursor - t->minuted >= KEEP_MINUTES_ROWS ||
	       t->now_ms - t->minuted_ms >= KEEP_MINUTES_MS || t->now_ms < t->minuted_ms;
}

void minutes_keep(struct tallier *t)
{
	for (size_t i = 0; i < HOURS_OPEN; i++)
		for (uint32_t j = 0; j < t->setup.plan->n_monitors; j++)
			hour_write(t, j, &t->hours[i][j]);
	if (t->cursor > t->minuted)
		t->minuted = t->cursor;
	t->minuted_ms = t->now_ms;
	t->crowded = false;
	tallier_keep(t, tallies_put(t->store, "minuted", &t->minuted, sizeof t->minuted));
}

int minutes_file(struct tallier *t, int64_t before_ms)
{
	bool more = true, filed = false;
	int r = 0;

	while (r == 0 && more && !pause_stopped(&t->pause)) {
		r = tallies_file_minutes(t->store, mean_hour(before_ms), t->minuted, &more);
		filed |= more;
		pause_beat(&t->pause);
	}
	if (r == 0 && filed)
		r = tallies_checkpoint(t->store);
	if (r < 0 && log_due(&t->unfiled)) {
		errno = -r;
		log_warn("tally: minutes cannot go to the file of their day; it is tried again");
	}
	if (r == 0)
		t->unfiled = (struct log_repeat){0};
	return r < 0 ? 0 : r;
}

/* --- anew --- */

static void hour_clear(struct open_hour *h, struct span day)
{
	for (int i = 0; i < HOUR_MINUTES; i++) {
		int64_t start_ms = h->start_ms + i * MINUTE_MS;
		if (start_ms >= day.start_ms && start_ms < day.end_ms)
			h->minutes[i] = (struct minute){0};
	}
	h->changed = true;
}

void minutes_again(struct tallier *t, struct open_hour *h, struct span day, const struct reading *r)
{
	if (!hour_holds(h, r->measured_ms)) {
		hour_write(t, r->monitor, h);
		hour_take_up(t, r->monitor, h, r->measured_ms);
		hour_clear(h, day);
	}
	if (is_valid(r))
		hour_add(h, r);
}

void minutes_again_end(struct tallier *t, struct open_hour *h, uint32_t monitor)
{
	hour_write(t, monitor, h);
	for (size_t i = 0; i < HOURS_OPEN; i++)
		t->hours[i][monitor].used = false;
}
