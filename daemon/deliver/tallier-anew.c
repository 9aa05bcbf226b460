/* SPDX-License-Identifier: Apache-2.0 */
/* Days that are added up again, because of late or marked readings. A restart finds them in the
 * file. */
#include "core/number.h"
#include "deliver/tallier-internal.h"

#include <errno.h>
#include <stdlib.h>

enum { REDO_REST = 20 }; /* times as long as it took last, before days are done again */

struct anew {
	struct tallier *t;
	const struct site *site;
	struct tally tally;
	struct span day;
	int64_t until_ms;           /* hours that end by then are complete */
	struct tally_count *counts; /* by place at the site */
	struct open_hour *hours;    /* the same */
	double *before;             /* the same: the year's load until now */
};

static void anew_hour(void *context, const struct tally *tally, struct span hour,
		      const struct tally_sum *sums)
{
	struct anew *a = context;
	if (hour.start_ms < a->day.start_ms || hour.start_ms >= a->day.end_ms ||
	    hour.end_ms > a->until_ms)
		return;
	for (uint32_t i = 0; i < tally->site->n_monitors; i++)
		if (tally_counts(a->t->setup.plan, tally->site->first_monitor + i))
			tallier_keep(a->t,
				     tallies_put_hour(a->t->store, tally->site->first_monitor + i,
						      hour, &sums[i]));
}

static bool anew_row(void *context, const struct daybook_row *row)
{
	struct anew *a = context;
	struct tallier *t = a->t;
	struct reading room;
	if (row->monitor == NO_INDEX || row->sequence > t->counted)
		return true;
	const struct reading *r = marks_reading(&t->marks, &row->reading, &room);
	if (a->tally.plan != NULL && tally_counts(t->setup.plan, row->monitor))
		tally_add(&a->tally, r, row->sequence);
	if (r->measured_ms >= a->day.start_ms && r->measured_ms < a->day.end_ms) {
		uint32_t place = row->monitor - a->site->first_monitor;
		tallier_count(&a->counts[place], a->day, r);
		minutes_again(t, &a->hours[place], a->day, r);
	}
	return !a->tally.failed;
}

static int64_t longest_hold(const struct plan *plan, const struct site *site)
{
	int64_t hold_ms = 0;
	for (uint32_t i = 0; i < site->n_monitors; i++)
		if (plan->monitors[site->first_monitor + i].hold_ms > hold_ms)
			hold_ms = plan->monitors[site->first_monitor + i].hold_ms;
	return hold_ms;
}

/* The rows of a day and of what speaks into it, an hour at a time. */
static int anew_read(struct anew *a, uint32_t site)
{
	struct tallier *t = a->t;
	int64_t hold_ms = longest_hold(t->setup.plan, a->site);
	int64_t end_ms = a->day.end_ms + hold_ms;
	int r = 0;
	for (int64_t at = a->day.start_ms - hold_ms; r == 0 && at < end_ms; at += HOUR_MS) {
		const struct daybook_query query = {.site = site,
						    .monitor = NO_INDEX,
						    .from_ms = at,
						    .to_ms = at + HOUR_MS < end_ms ? at + HOUR_MS
										   : end_ms,
						    .limit = SIZE_MAX};
		r = daybook_range(t->reader, &query, anew_row, a);
		if (a->tally.plan != NULL)
			tally_until(&a->tally, query.to_ms, anew_hour, a);
		pause_beat(&t->pause);
	}
	return r == 0 && a->tally.failed ? -ENOMEM : r;
}

static void anew_days(struct anew *a)
{
	struct tallier *t = a->t;
	for (uint32_t i = 0; i < a->site->n_monitors; i++) {
		uint32_t monitor = a->site->first_monitor + i;
		minutes_again_end(t, &a->hours[i], monitor);
		if (a->counts[i].n > 0)
			tallier_keep(t,
				     tallies_count(t->store, monitor, a->day, &a->counts[i], true));
		if (a->tally.plan != NULL && tally_counts(t->setup.plan, monitor))
			tallier_keep(t, tallies_sum_day(t->store, monitor, a->day));
		tallier_keep(t, late_judge(t, monitor, a->day));
	}
}

/* Of readings that are no longer kept what was added up stays. */
static bool anew_empty(const struct anew *a)
{
	for (uint32_t i = 0; i < a->site->n_monitors; i++)
		if (a->counts[i].n > 0)
			return false;
	return true;
}

/* What memory counted of the day is among the rows that were read. */
static void anew_forget(struct anew *a)
{
	struct tallier *t = a->t;
	int64_t end_ms = a->until_ms < a->day.end_ms ? a->until_ms : a->day.end_ms;
	for (uint32_t i = 0; i < a->site->n_monitors; i++) {
		uint32_t monitor = a->site->first_monitor + i;
		for (size_t j = 0; j < DAYS_OPEN; j++)
			if (t->days[monitor][j].span.start_ms == a->day.start_ms)
				t->days[monitor][j] = (struct open_day){0};
		tallier_keep(t, tallies_forget_hours(t->store, monitor,
						     (struct span){a->day.start_ms, end_ms}));
	}
}

/* Loads of the day's year of the monitors that have a permit, by place at the site. */
static int anew_loads(const struct anew *a, double *out)
{
	struct tallier *t = a->t;
	struct span year = year_of(&t->setup.plan->zone, a->day.start_ms);
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < a->site->n_monitors; i++)
		if (permits_has(t, a->site->first_monitor + i))
			r = tallies_load(t->store, a->site->first_monitor + i, year, &out[i]);
	return r;
}

static int note_load(struct anew *a, uint32_t monitor, double before, double after)
{
	const struct tallier_setup *setup = &a->t->setup;
	const struct monitor *m = &setup->plan->monitors[monitor];
	struct text note = {0};
	double tonnes = m->permit_tonnes / m->permit_load;
	setup->note(setup->context, before * tonnes, after * tonnes, permit_reached(m, after) == 0,
		    &note);
	int r = note.failed ? -ENOMEM
			    : ledger_note_load(setup->ledger, monitor,
					       year_of(&setup->plan->zone, a->day.start_ms),
					       note.at, a->t->now_ms);
	text_deinit(&note);
	return r;
}

/* The case of a load that has changed says so. */
static int anew_note(struct anew *a)
{
	double *after = calloc(a->site->n_monitors + 1, sizeof *after);
	int r = after == NULL ? -ENOMEM : anew_loads(a, after);
	for (uint32_t i = 0; r == 0 && i < a->site->n_monitors; i++)
		if (a->t->setup.note != NULL && compare12(a->before[i], after[i]) != 0)
			r = note_load(a, a->site->first_monitor + i, a->before[i], after[i]);
	free(after);
	return r;
}

/* Return: 0, -ENODATA where the day's readings are no longer kept, others. */
static int anew_write(struct anew *a, uint32_t site)
{
	struct tallier *t = a->t;
	t->result = 0;
	int r = tallies_begin(t->store);
	if (r != 0)
		return r;
	r = anew_loads(a, a->before);
	anew_forget(a);
	if (r == 0)
		r = anew_read(a, site);
	if (r == 0 && anew_empty(a))
		r = -ENODATA;
	if (r == 0)
		anew_days(a);
	tallier_keep(t, tallies_not_again(t->store, site, a->day.start_ms));
	return tallies_end(t->store, r == 0 ? t->result : r);
}

static int anew_pass_over(struct anew *a, uint32_t site)
{
	int r = tallies_begin(a->t->store);
	if (r == 0)
		r = tallies_not_again(a->t->store, site, a->day.start_ms);
	return tallies_end(a->t->store, r);
}

static int redo_day(struct tallier *t, uint32_t site, int64_t day_ms)
{
	const struct plan *plan = t->setup.plan;
	struct anew a = {.t = t, .site = &plan->sites[site], .day = tallier_day(t, day_ms)};
	bool good = true;
	a.until_ms = t->sites[site].begun ? t->sites[site].hour.start_ms : a.day.end_ms;
	a.counts = calloc(plan->sites[site].n_monitors + 1, sizeof *a.counts);
	if (a.counts != NULL && t->sites[site].plan != NULL)
		good = tally_init(&a.tally, plan, site);
	a.hours = calloc(plan->sites[site].n_monitors + 1, sizeof *a.hours);
	a.before = calloc(plan->sites[site].n_monitors + 1, sizeof *a.before);
	good = good && a.counts != NULL && a.hours != NULL && a.before != NULL;
	int r = good ? anew_write(&a, site) : -ENOMEM;
	if (r == -ENODATA)
		r = anew_pass_over(&a, site);
	if (r == 0)
		r = permits_recall(t, site);
	if (r == 0)
		r = anew_note(&a);
	tally_deinit(&a.tally);
	free(a.counts);
	free(a.hours);
	free(a.before);
	return r;
}

int anew_due(struct tallier *t, int64_t until_ms)
{
	int64_t began_ms = pause_now_ms();
	uint32_t site;
	int64_t day_ms = 0;
	int r = 0;
	bool settled = false; /* what is written of a day goes as far as the file says, else a kill
				 counts twice */
	do {
		r = tallies_next_again(
			t->store,
			window_span(&t->setup.plan->zone, AVERAGE_HOUR, until_ms).start_ms, &site,
			&day_ms);
		if (r == 0 && site != NO_INDEX && !settled)
			r = tallier_settle(t, until_ms);
		settled = true;
		if (r == 0 && site != NO_INDEX)
			r = redo_day(t, site, day_ms);
	} while (r == 0 && site != NO_INDEX && !pause_stopped(&t->pause));
	t->redo_at_ms = pause_now_ms() + REDO_REST * (pause_now_ms() - began_ms);
	return r;
}
