/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On which days a monitor exceeds.
 *
 * With a limit of day means, a day is what its mean says, with all that was marked since: the plain
 * mean of what was added up (store/tallies.h). A mean that is weighted, of results, or taken while
 * the site discharges cannot be told from that sum; there the judge's alerts speak, and the windows
 * that marks have changed since, and whether the day's data suffice is told by the plain mean but
 * where no discharge is no lack of data. Without a limit of day means, a day exceeds that an
 * exceedance touches and in which a valid reading that nobody has marked lies beyond a limit: an
 * alert that is to clear, or waits for data, goes on over days that comply. A day that exceeds by
 * readings which came late, and so raised no alert, exceeds as well (tallier-late.c). A limit of
 * the means of hours, or of eight, is counted by them alone: by the windows from that which raised
 * the alert to those that cleared it, without those of which the data did not suffice.
 */
#include "deliver/report-tables.h"
#include "core/array.h"
#include "core/compliance.h"
#include "store/ledger-marks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

enum report_basis report_basis(const struct monitor *m)
{
	bool plain = !m->gated && m->settle_results == 0, day = false;
	for (size_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		if (l->average != AVERAGE_DAY)
			continue;
		day = true;
		plain &= !l->by_flow && !l->of_results;
	}
	return !day ? BASIS_TOUCHED : plain ? BASIS_MEANS : BASIS_WINDOWS;
}

/* --- by the means of days --- */

static enum outcome day_outcome(const struct monitor *m, const struct tally_row *day)
{
	const struct tally_count *c = &day->count;
	double mean = c->valid > 0 ? c->sum / (double)c->valid : 0;
	enum outcome worst = OUTCOME_NONE;
	for (size_t i = 0; i < m->n_limits; i++) {
		enum outcome one = OUTCOME_NONE;
		if (m->limits[i].average == AVERAGE_DAY)
			one = mean_outcome(
				&m->limits[i], day->span.start_ms, mean, (double)c->valid,
				monitor_due(m, (double)(day->span.end_ms - day->span.start_ms)));
		if (one == OUTCOME_EXCEEDS)
			return one;
		worst = one > worst ? one : worst;
	}
	return worst;
}

/* Has the day a valid reading beyond a limit in force? A mean beyond it has one, too. */
static bool day_beyond(const struct monitor *m, const struct tally_row *day)
{
	const struct tally_count *c = &day->count;
	for (size_t i = 0; i < m->n_limits; i++)
		if (limit_beyond(&m->limits[i], day->span.start_ms, c->high) ||
		    limit_beyond(&m->limits[i], day->span.start_ms, c->low))
			return true;
	return false;
}

/* What came late is in no alert, but its day exceeds no less; one that an alert touches counts
 * once.
 */
static void take_late(const struct report *report, const struct tally_row *day,
		      struct report_alerts *a)
{
	if (report_has_day(report, &a->exceeding, day->span.start_ms))
		return;
	report_set_days(report, &a->late, day->span);
	a->late_readings += day->late;
}

void report_day(const struct report *report, const struct monitor *m, const struct tally_row *day,
		struct report_alerts *a)
{
	const enum report_basis basis = report_basis(m);
	if (basis == BASIS_TOUCHED || (basis == BASIS_WINDOWS && m->gated)) {
		if (m->n_limits > 0 && day->count.valid > 0)
			report_set_days(report, &a->judged, day->span);
		if (day->count.valid > 0 && day_beyond(m, day))
			report_set_days(report, &a->beyond, day->span);
		if (basis == BASIS_TOUCHED && day->late > 0)
			take_late(report, day, a);
		return;
	}
	enum outcome outcome =
		day->span.end_ms <= report->now_ms ? day_outcome(m, day) : OUTCOME_NONE;
	if (outcome == OUTCOME_COMPLIES || outcome == OUTCOME_EXCEEDS)
		report_set_days(report, &a->judged, day->span);
	if (outcome == OUTCOME_EXCEEDS && basis == BASIS_MEANS)
		report_set_days(report, &a->exceeding, day->span);
}

void report_settle_days(const struct monitor *m, struct report_alerts *a)
{
	const enum report_basis basis = report_basis(m);
	for (size_t i = 0; i < sizeof a->judged.bits / sizeof a->judged.bits[0]; i++)
		if (basis == BASIS_TOUCHED)
			a->exceeding.bits[i] =
				(a->exceeding.bits[i] & a->beyond.bits[i]) |
				((a->by_means.bits[i] | a->late.bits[i]) & a->judged.bits[i]);
		else
			a->judged.bits[i] |= a->exceeding.bits[i];
}

/* --- by what was judged --- */

void report_set_days(const struct report *report, struct report_days *days, struct span span)
{
	const struct zone *zone = &report->plan->zone;
	int64_t first = zone_day(zone, report->span.start_ms);
	if (span.start_ms < report->span.start_ms)
		span.start_ms = report->span.start_ms;
	if (span.end_ms > report->span.end_ms)
		span.end_ms = report->span.end_ms;
	if (span.start_ms >= span.end_ms)
		return;
	int64_t last = zone_day(zone, span.end_ms - 1) - first;
	for (int64_t day = zone_day(zone, span.start_ms) - first; day <= last && day < REPORT_DAYS;
	     day++)
		days->bits[day / 64] |= UINT64_C(1) << (day % 64);
}

bool report_has_day(const struct report *report, const struct report_days *days, int64_t at_ms)
{
	const struct zone *zone = &report->plan->zone;
	int64_t day = zone_day(zone, at_ms) - zone_day(zone, report->span.start_ms);
	return day >= 0 && day < REPORT_DAYS &&
	       (days->bits[day / 64] & UINT64_C(1) << (day % 64)) != 0;
}

static void add_cover(struct report_covers *covers, const struct recomputed_window *w)
{
	void *at = array_room(covers->at, covers->n, &covers->room, sizeof *covers->at);
	if (at == NULL) {
		covers->failed = true;
		return;
	}
	covers->at = at;
	covers->at[covers->n++] = *w;
}

static void take_window(void *context, const struct recomputed_window *window)
{
	add_cover(context, window);
}

/* A mark over readings, as a window of which nothing exceeds. */
static void take_marks(const struct report *report, const struct marks *marks,
		       struct report_covers *covers)
{
	for (uint32_t i = 0; i < marks->n_monitors; i++)
		for (uint32_t j = marks->first[i]; j < marks->first[i + 1]; j++) {
			const struct mark_span *s = &marks->spans[j];
			if (s->to_ms > report->span.start_ms && s->from_ms < report->span.end_ms)
				add_cover(covers, &(struct recomputed_window){
							  .monitor = i,
							  .average = AVERAGE_INSTANT,
							  .span = {s->from_ms, s->to_ms}});
		}
}

int report_covers(const struct report *report, struct report_covers *covers)
{
	struct marks marks = {0};
	int r = ledger_recomputed(report->ledger, report->span, take_window, covers);
	if (r == 0)
		r = ledger_marks(report->ledger, ledger_mark_last(report->ledger), &marks);
	if (r == 0 && marks.n_monitors > 0)
		take_marks(report, &marks, covers);
	marks_deinit(&marks);
	return r == 0 && covers->failed ? -ENOMEM : r;
}

void report_cover(const struct report *report, struct report_covers *covers, uint32_t monitor,
		  const json_t *alert)
{
	int64_t began_ms = json_ms(alert, "began_at"), cleared_ms = json_ms(alert, "cleared_at");
	/* it is cleared at the end of the first window of which the data suffice */
	int64_t end_ms = cleared_ms == 0 ? report->now_ms : cleared_ms - HOUR_MS;
	if (json_is(alert, "average", "hour") && end_ms > report->span.start_ms &&
	    began_ms < report->span.end_ms)
		add_cover(covers, &(struct recomputed_window){.monitor = monitor,
							      .average = AVERAGE_HOUR,
							      .span = {began_ms, end_ms}});
}

static int by_start(const void *a, const void *b)
{
	const struct recomputed_window *x = a, *y = b;
	return x->span.start_ms < y->span.start_ms ? -1 : x->span.start_ms > y->span.start_ms;
}

void report_covers_sort(struct report_covers *covers)
{
	if (covers->n > 0)
		qsort(covers->at, covers->n, sizeof *covers->at, by_start);
}

void report_covers_deinit(struct report_covers *covers)
{
	free(covers->at);
}

/* What of an alert is left beside the windows that no longer exceed. */
static void touch(const struct report *report, const struct report_covers *covers, uint32_t monitor,
		  enum average average, struct span span, struct report_days *days)
{
	for (size_t i = 0; i < covers->n; i++) {
		const struct recomputed_window *w = &covers->at[i];
		if (w->monitor != monitor || w->average != average || w->exceeds ||
		    w->span.end_ms <= span.start_ms || w->span.start_ms >= span.end_ms)
			continue;
		report_set_days(report, days, (struct span){span.start_ms, w->span.start_ms});
		span.start_ms = w->span.end_ms;
	}
	report_set_days(report, days, span);
}

/* How many good windows cleared it, by the limit that it is of. */
static int64_t windows_to_clear(const struct monitor *m, enum average average, const json_t *alert)
{
	double level = json_number_value(json_object_get(alert, "limit"));
	for (size_t i = 0; i < m->n_limits; i++) {
		const struct limit *l = &m->limits[i];
		double own = json_is(alert, "bound", "min") ? l->min : l->max;
		if (l->average == average && !(own < level) && !(own > level) && l->off_count > 0)
			return l->off_count;
	}
	return 1;
}

void report_touch(const struct report *report, const struct report_covers *covers, uint32_t monitor,
		  const json_t *alert, struct report_alerts *a)
{
	const struct monitor *m = &report->plan->monitors[monitor];
	const enum report_basis basis = report_basis(m);
	enum average average = average_named(json_words(alert, "average"));
	int64_t cleared_ms = json_ms(alert, "cleared_at");
	struct span span = {json_ms(alert, "began_at"),
			    cleared_ms == 0 ? report->now_ms : cleared_ms};
	bool by_means = basis == BASIS_TOUCHED && average != AVERAGE_INSTANT;
	if (basis == BASIS_MEANS || (basis == BASIS_WINDOWS && average != AVERAGE_DAY))
		return;
	/* a mean is said at the end of its window, and cleared at the end of the last good one */
	if (average != AVERAGE_INSTANT)
		span.end_ms -= windows_to_clear(m, average, alert) *
			       (average_daily(average) ? DAY_MS : HOUR_MS);
	touch(report, covers, monitor, average, span, by_means ? &a->by_means : &a->exceeding);
}

void report_touch_windows(const struct report *report, const struct report_covers *covers,
			  struct report_alerts *by_monitor)
{
	for (size_t i = 0; i < covers->n; i++) {
		const struct recomputed_window *w = &covers->at[i];
		const enum report_basis basis = report_basis(&report->plan->monitors[w->monitor]);
		if (w->exceeds && (basis == BASIS_TOUCHED ||
				   (basis == BASIS_WINDOWS && w->average == AVERAGE_DAY)))
			report_set_days(report,
					w->average == AVERAGE_HOUR
						? &by_monitor[w->monitor].by_means
						: &by_monitor[w->monitor].exceeding,
					w->span);
	}
}

int report_count_days(const struct report_days *days)
{
	int n = 0;
	for (size_t i = 0; i < sizeof days->bits / sizeof days->bits[0]; i++)
		n += __builtin_popcountll(days->bits[i]);
	return n;
}
