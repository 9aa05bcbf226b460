/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/tallier-internal.h"

#include "core/array.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	ROWS_AT_ONCE = 20000,
	PASS_EVERY_MS = 2000,
	KEEP_EVERY_MS = 10000,
	NICE = 10,
	SET_BACK_DAYS = 31, /* so far a clock that ran ahead is believed to have reached */
};

void tallier_keep(struct tallier *t, int r)
{
	if (t->result == 0)
		t->result = r;
}

struct span tallier_day(const struct tallier *t, int64_t wall_ms)
{
	return window_span(&t->setup.plan->zone, AVERAGE_DAY, wall_ms);
}

/* --- hours and days --- */

static void hour_closed(void *context, const struct tally *tally, struct span hour,
			const struct tally_sum *sums)
{
	struct tallier *t = context;
	struct span day = tallier_day(t, hour.start_ms);
	t->closed = true;
	for (uint32_t i = 0; i < tally->site->n_monitors; i++) {
		uint32_t monitor = tally->site->first_monitor + i;
		if (!tally_counts(t->setup.plan, monitor))
			continue;
		tallier_keep(t, tallies_put_hour(t->store, monitor, hour, &sums[i]));
		tallier_keep(t, tallies_sum_day(t->store, monitor, day));
		if (permits_has(t, monitor))
			permits_hour(t, monitor, hour, &sums[i]);
	}
}

/* The open hour as far as it has come. */
static void hour_so_far(struct tallier *t, const struct tally *tally)
{
	struct span day = tallier_day(t, tally->hour.start_ms);
	for (uint32_t i = 0; i < tally->site->n_monitors; i++) {
		uint32_t monitor = tally->site->first_monitor + i;
		if (tally->sums[i].covered_ms == 0)
			continue;
		tallier_keep(t, tallies_put_hour(t->store, monitor, tally->hour, &tally->sums[i]));
		tallier_keep(t, tallies_sum_day(t->store, monitor, day));
	}
}

void tallier_count(struct tally_count *c, struct span day, const struct reading *r)
{
	c->n++;
	if (!r->has_value || r->flag != FLAG_NORMAL)
		return;
	c->low = c->valid == 0 || r->value < c->low ? r->value : c->low;
	c->high = c->valid == 0 || r->value > c->high ? r->value : c->high;
	c->sum += r->value;
	c->hours |= hour_of_day(day, r->measured_ms);
	c->valid++;
}

static void day_write(struct tallier *t, uint32_t monitor, struct open_day *day)
{
	if (day->span.end_ms != 0 && day->count.n > 0)
		tallier_keep(t, tallies_count(t->store, monitor, day->span, &day->count, false));
	*day = (struct open_day){0};
}

/* The two newest days of a monitor are counted in memory; an older one makes room. */
static void count(struct tallier *t, const struct reading *r)
{
	struct open_day *days = t->days[r->monitor];
	size_t at = 0;
	while (at < DAYS_OPEN &&
	       (r->measured_ms < days[at].span.start_ms || r->measured_ms >= days[at].span.end_ms))
		at++;
	if (at == DAYS_OPEN) {
		at = days[0].span.start_ms <= days[1].span.start_ms ? 0 : 1;
		t->closed |= days[at].count.n > 0; /* the position goes to the file with it */
		day_write(t, r->monitor, &days[at]);
		days[at].span = tallier_day(t, r->measured_ms);
	}
	tallier_count(&days[at].count, days[at].span, r);
}

int tallier_number(struct tallier *t, const char *name, int64_t *out)
{
	void *data;
	size_t size;
	*out = 0;
	int r = tallies_get(t->store, name, &data, &size);
	if (r == 0 && size == sizeof *out)
		memcpy(out, data, sizeof *out);
	free(data);
	return r == -ENOENT ? 0 : r;
}

/* --- rows --- */

void tallier_redo(struct tallier *t, uint32_t site, int64_t late_ms)
{
	int64_t day_ms = tallier_day(t, late_ms).start_ms;
	for (size_t i = 0; i < t->n_redo; i++)
		if (t->redo[i].site == site && t->redo[i].day_ms == day_ms) {
			if (t->redo[i].late_ms < late_ms)
				t->redo[i].late_ms = late_ms;
			return;
		}
	void *at = array_room(t->redo, t->n_redo, &t->redo_room, sizeof *t->redo);
	if (at == NULL) {
		t->failed = true;
		return;
	}
	t->redo = at;
	t->redo[t->n_redo++] = (struct redo){site, day_ms, late_ms};
}

static void add_row(struct tallier *t, const struct daybook_row *row, const struct reading *r)
{
	uint32_t site = t->setup.plan->monitors[row->monitor].site;
	struct tally *tally = &t->sites[site];
	if (tally->plan == NULL || !tally_counts(t->setup.plan, row->monitor))
		return;
	if (!tally_add(tally, r, row->sequence) && row->sequence > t->counted)
		tallier_redo(t, site, r->measured_ms);
	if (tally->n_events >= TALLY_WAITING_MOST)
		tally_until(tally, tally->events[tally->n_events / 2].time_ms, hour_closed, t);
	t->failed |= tally->failed;
}

/* --- classes --- */

static void take_latest(struct tallier *t, const struct reading *r)
{
	struct tally_value *latest = &t->latest[r->monitor];
	if (!section_counts(t->setup.plan, r->monitor) || !r->has_value || r->flag != FLAG_NORMAL ||
	    r->measured_ms < latest->at_ms)
		return;
	*latest = (struct tally_value){.valid = true, .value = r->value, .at_ms = r->measured_ms};
}

static void class_section(struct tallier *t, uint32_t site, int64_t at_ms)
{
	const struct site *s = &t->setup.plan->sites[site];
	struct section_class section;
	section_begin(&section);
	for (uint32_t i = s->first_monitor; i < s->first_monitor + s->n_monitors; i++)
		if (t->latest[i].at_ms > at_ms - SECTION_FRESH_MS)
			section_take(&section, t->setup.plan, i, t->latest[i].value);
	if (section.class != SECTION_UNKNOWN)
		tallier_keep(t, tallies_put_section(t->store, site, at_ms, &section));
}

/* At each full hour; hours that were passed over have no class. */
static void class_sections(struct tallier *t, int64_t clock_ms)
{
	const struct plan *plan = t->setup.plan;
	int64_t hour_ms = window_span(&plan->zone, AVERAGE_HOUR, clock_ms).start_ms;
	if (hour_ms <= t->classed_ms)
		return;
	t->classed_ms = hour_ms;
	t->closed = true;
	for (uint32_t i = 0; i < plan->n_sites; i++)
		if (section_is(plan, i))
			class_section(t, i, hour_ms);
}

static void keep_latest(struct tallier *t)
{
	for (uint32_t i = 0; i < t->setup.plan->n_monitors; i++)
		if (t->latest[i].valid) {
			tallier_keep(t, tallies_put_latest(t->store, i, t->latest[i].at_ms,
							   t->latest[i].value));
			t->latest[i].valid = false;
		}
	tallier_keep(t, tallies_put(t->store, "classed", &t->classed_ms, sizeof t->classed_ms));
}

static int recall_latest(struct tallier *t)
{
	int r = tallier_number(t, "classed", &t->classed_ms);
	for (uint32_t i = 0; r == 0 && i < t->setup.plan->n_monitors; i++) {
		t->latest[i] = (struct tally_value){0};
		if (section_counts(t->setup.plan, i))
			r = tallies_get_latest(t->store, i, &t->latest[i].at_ms,
					       &t->latest[i].value);
	}
	return r;
}

static bool take_row(void *context, const struct daybook_row *row)
{
	struct tallier *t = context;
	struct reading room;
	t->cursor = row->sequence;
	if (row->monitor == NO_INDEX)
		return true;
	const struct reading *r = marks_reading(&t->marks, &row->reading, &room);
	if (row->sequence > t->from)
		add_row(t, row, r);
	if (row->sequence > t->minuted)
		minutes_count(t, r, row->sequence);
	if (row->sequence > t->counted) {
		count(t, r);
		take_latest(t, r);
		late_take(t, r);
		if (r->received_ms > t->newest_ms)
			t->newest_ms = r->received_ms;
	}
	return !t->failed;
}

/* --- what lasts over a restart --- */

/* Of a site: how far it has come, and what its monitors said last. */
struct kept_value {
	char factor[24];
	struct tally_value value;
};
struct kept_site {
	int64_t at_ms, count_ms;
	double count;
	uint32_t has_count, n;
	struct kept_value values[];
};

static void keep_site(struct tallier *t, const struct tally *tally)
{
	uint32_t n = tally->site->n_monitors;
	size_t size = sizeof(struct kept_site) + n * sizeof(struct kept_value);
	struct kept_site *kept = calloc(1, size);
	char name[128];
	if (kept == NULL) {
		t->failed = true;
		return;
	}
	kept->at_ms = tally->at_ms;
	kept->count_ms = tally->count_ms;
	kept->count = tally->count;
	kept->has_count = tally->has_count;
	kept->n = n;
	for (uint32_t i = 0; i < n; i++) {
		const char *factor = t->setup.plan->monitors[tally->site->first_monitor + i].factor;
		snprintf(kept->values[i].factor, sizeof kept->values[i].factor, "%s", factor);
		kept->values[i].value = tally->values[i];
	}
	snprintf(name, sizeof name, "site/%s", tally->site->id);
	tallier_keep(t, tallies_put(t->store, name, kept, size));
	free(kept);
}

static void recall_values(struct tallier *t, struct tally *tally, const struct kept_site *kept)
{
	const struct site *site = tally->site;
	for (uint32_t i = 0; i < kept->n; i++)
		for (uint32_t j = 0; j < site->n_monitors; j++) {
			const struct monitor *m = &t->setup.plan->monitors[site->first_monitor + j];
			if (strncmp(m->factor, kept->values[i].factor,
				    sizeof kept->values[i].factor) == 0)
				tally->values[j] = kept->values[i].value;
		}
	tally->has_count = kept->has_count != 0;
	tally->count = kept->count;
	tally->count_ms = kept->count_ms;
}

static int recall_site(struct tallier *t, struct tally *tally)
{
	struct kept_site *kept;
	char name[128];
	size_t size;
	snprintf(name, sizeof name, "site/%s", tally->site->id);
	int r = tallies_get(t->store, name, (void **)&kept, &size);
	if (r != 0)
		return r == -ENOENT ? 0 : r;
	if (size >= sizeof *kept && size == sizeof *kept + kept->n * sizeof *kept->values) {
		tally_begin(tally, kept->at_ms);
		recall_values(t, tally, kept);
		for (uint32_t i = 0; r == 0 && i < tally->site->n_monitors; i++)
			r = tallies_get_hour(t->store, tally->site->first_monitor + i,
					     tally->hour.start_ms, &tally->sums[i]);
	}
	free(kept);
	return r;
}

/* --- a pass --- */

/* Everything in memory to the file; the cursor stays before the oldest row that waits. */
static void keep_all(struct tallier *t, int64_t until_ms)
{
	const struct plan *plan = t->setup.plan;
	int64_t from = t->cursor > t->from ? t->cursor : t->from;
	int64_t counted = t->cursor > t->counted ? t->cursor : t->counted;
	for (uint32_t i = 0; i < plan->n_monitors; i++)
		for (size_t j = 0; j < DAYS_OPEN; j++)
			day_write(t, i, &t->days[i][j]);
	for (uint32_t i = 0; i < plan->n_sites; i++) {
		struct tally *tally = &t->sites[i];
		if (tally->plan == NULL)
			continue;
		int64_t oldest = tally_oldest(tally);
		if (oldest - 1 < from)
			from = oldest - 1;
		if (!tally->begun)
			continue;
		hour_so_far(t, tally);
		keep_site(t, tally);
	}
	for (size_t i = 0; i < t->n_redo; i++)
		tallier_keep(t, tallies_again(t->store, t->redo[i].site, t->redo[i].day_ms,
					      t->redo[i].late_ms));
	keep_latest(t);
	tallier_keep(t, tallies_put(t->store, "from", &from, sizeof from));
	tallier_keep(t, tallies_put(t->store, "cursor", &counted, sizeof counted));
	tallier_keep(t, tallies_put(t->store, "until", &until_ms, sizeof until_ms));
	tallier_keep(t, tallies_put(t->store, "marked", &t->marked, sizeof t->marked));
}

/* A clock that ran ahead and was set back: what was added up beyond the present is done again. */
static void set_back(struct tallier *t, uint32_t site, int64_t until_ms)
{
	struct tally *tally = &t->sites[site];
	for (int i = 0; i < SET_BACK_DAYS && until_ms + i * DAY_MS < tally->at_ms + DAY_MS; i++)
		tallier_redo(t, site, until_ms + i * DAY_MS);
	memset(tally->sums, 0, tally->site->n_monitors * sizeof *tally->sums);
	memset(tally->values, 0, tally->site->n_monitors * sizeof *tally->values);
	tally->has_count = false;
	tally_begin(tally, until_ms);
}

static void add_up(struct tallier *t, int64_t until_ms)
{
	for (uint32_t i = 0; i < t->setup.plan->n_sites; i++) {
		struct tally *tally = &t->sites[i];
		if (tally->plan == NULL)
			continue;
		if (tally->begun && tally->at_ms > t->now_ms + TALLY_GRACE_MS)
			set_back(t, i, until_ms);
		tally_until(tally, until_ms, hour_closed, t);
	}
}

int tallier_settle(struct tallier *t, int64_t until_ms)
{
	t->result = 0;
	int r = tallies_begin(t->store);
	if (r != 0)
		return r;
	keep_all(t, until_ms);
	minutes_keep(t);
	t->n_redo = 0;
	return tallies_end(t->store, t->result);
}

static int take_rows(struct tallier *t, bool *more)
{
	int64_t before = t->cursor;
	int r = daybook_after(t->reader, t->cursor, ROWS_AT_ONCE, take_row, t);
	*more = t->cursor >= before + ROWS_AT_ONCE;
	return r == 0 && t->failed ? -ENOMEM : r;
}

static bool keep_due(const struct tallier *t)
{
	return t->closed || t->n_redo > 0 || t->now_ms - t->kept_ms >= KEEP_EVERY_MS ||
	       t->now_ms < t->kept_ms;
}

/* What was read since, up to a moment, to the file as far as it is due. Rows that were counted
 * before and are read again bring nothing. */
static void work_up(struct tallier *t, bool more, int64_t until_ms)
{
	if (t->cursor < t->counted)
		return;
	add_up(t, until_ms);
	class_sections(t, until_ms);
	if (!more && !keep_due(t))
		return;
	keep_all(t, until_ms);
	room_prune(t);
	t->kept_ms = t->now_ms;
	t->n_redo = 0;
}

/* One transaction's worth of rows. @more: there may be more of them. */
static int step(struct tallier *t, bool *more)
{
	bool minutes = false;
	t->closed = false;
	t->result = 0;
	int r = tallies_begin(t->store);
	if (r != 0)
		return r;
	r = take_rows(t, more);
	int64_t clock_ms = *more && t->newest_ms < t->now_ms ? t->newest_ms : t->now_ms;
	if (r == 0) {
		work_up(t, *more, clock_ms - TALLY_GRACE_MS);
		minutes = minutes_due(t);
		if (minutes)
			minutes_keep(t);
		r = t->failed ? -ENOMEM : t->result;
	}
	r = tallies_end(t->store, r);
	if (r == 0 && t->cursor > t->counted)
		t->counted = t->cursor;
	if (r == 0)
		r = room_give(t);
	return r == 0 && minutes ? minutes_file(t, clock_ms - TALLY_GRACE_MS) : r;
}

/* --- the thread --- */

/* Committed one by one, in order; what cannot be is offered again. */
static int offer_all(struct tallier *t)
{
	size_t done = 0;
	int r = 0;
	while (r == 0 && done < t->n_verdicts) {
		r = t->setup.commit(t->setup.context, &t->verdicts[done]);
		done += r == 0;
	}
	if (done > 0)
		memmove(t->verdicts, t->verdicts + done,
			(t->n_verdicts - done) * sizeof *t->verdicts);
	t->n_verdicts -= done;
	return r;
}

int tallier_round(struct tallier *t, int64_t now_ms, bool redo)
{
	bool more = true;
	t->now_ms = now_ms;
	int r = marks_take(t);
	while (r == 0 && more && !pause_stopped(&t->pause)) {
		r = step(t, &more);
		pause_beat(&t->pause);
	}
	if (r == 0 && !more && redo)
		r = anew_due(t, now_ms - TALLY_GRACE_MS);
	return r == 0 ? offer_all(t) : r;
}

int tallier_pass(struct tallier *t, int64_t now_ms)
{
	t->kept_ms = t->minuted_ms = INT64_MAX;
	return tallier_round(t, now_ms, true);
}

/* All from the file: after a failed write memory and file may differ. */
static int recall(struct tallier *t)
{
	const struct plan *plan = t->setup.plan;
	int r = tallier_number(t, "cursor", &t->counted);
	if (r == 0)
		r = tallier_number(t, "from", &t->from);
	if (r == 0)
		r = minutes_recall(t);
	if (r == 0)
		r = tallier_number(t, "marked", &t->marked);
	if (r == 0)
		r = recall_latest(t);
	if (t->counted > t->setup.newest)
		t->counted = t->from = t->minuted = 0; /* of another daybook */
	t->cursor = t->from < t->minuted ? t->from : t->minuted;
	t->newest_ms = 0;
	t->failed = false;
	t->n_verdicts = 0;
	memset(t->days, 0, plan->n_monitors * sizeof *t->days);
	memset(t->monitor_ms, 0, plan->n_monitors * sizeof *t->monitor_ms);
	for (uint32_t i = 0; r == 0 && i < plan->n_sites; i++) {
		tally_deinit(&t->sites[i]);
		t->sites[i] = (struct tally){0};
		if (!tally_wanted(plan, i))
			continue;
		r = tally_init(&t->sites[i], plan, i) ? recall_site(t, &t->sites[i]) : -ENOMEM;
	}
	for (uint32_t i = 0; i < plan->n_monitors; i++)
		t->permits[i] = (struct permit){0};
	if (r == 0)
		r = ledger_open_alerts(t->setup.ledger, permits_recall_alert, t);
	return r == 0 ? permits_recall(t, NO_INDEX) : r;
}

static void pass_or_recall(struct tallier *t)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int r = tallier_round(t, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
			      pause_now_ms() >= t->redo_at_ms);
	if (r == 0) {
		t->trouble = (struct log_repeat){0};
		return;
	}
	if (r == TALLIES_FATAL) {
		t->setup.fatal(t->setup.context);
		return;
	}
	errno = -r;
	if (log_due(&t->trouble))
		log_warn("tally: the daybooks cannot be added up; it is tried again");
	recall(t);
}

static void *tallier_run(void *context)
{
	struct tallier *t = context;
	(void)pthread_setname_np(pthread_self(), "tallier");
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* of this thread alone, on Linux */
	while (!pause_stopped(&t->pause)) {
		int64_t until_ms = pause_now_ms() + PASS_EVERY_MS;
		pass_or_recall(t);
		while (!pause_stopped(&t->pause) && pause_now_ms() < until_ms)
			pause_until(&t->pause, until_ms);
	}
	return NULL;
}

/* --- setting up --- */

static int tallier_init(struct tallier *t, const struct tallier_setup *setup)
{
	const struct plan *plan = setup->plan;
	t->setup = *setup;
	t->sites = calloc(plan->n_sites + 1, sizeof *t->sites);
	t->days = calloc(plan->n_monitors + 1, sizeof *t->days);
	t->permits = calloc(plan->n_monitors + 1, sizeof *t->permits);
	t->latest = calloc(plan->n_monitors + 1, sizeof *t->latest);
	t->monitor_ms = calloc(plan->n_monitors + 1, sizeof *t->monitor_ms);
	if (t->sites == NULL || t->days == NULL || t->permits == NULL || t->latest == NULL ||
	    t->monitor_ms == NULL)
		return -ENOMEM;
	int r = minutes_init(t);
	if (r == 0)
		r = pause_init(&t->pause, setup->heartbeat);
	if (r == 0)
		r = tallies_open(&t->store, setup->directory, plan);
	if (r == 0)
		r = daybook_reader_open(&t->reader, setup->directory, plan);
	return r == 0 ? recall(t) : r;
}

int tallier_new(struct tallier **out, const struct tallier_setup *setup)
{
	struct tallier *t = calloc(1, sizeof *t);
	*out = NULL;
	if (t == NULL)
		return -ENOMEM;
	int r = tallier_init(t, setup);
	if (r != 0)
		t = tallier_free(t);
	*out = t;
	return r;
}

int tallier_start(struct tallier *t)
{
	int r = pthread_create(&t->thread, NULL, tallier_run, t);
	t->started = r == 0;
	return -r;
}

void tallier_stop(struct tallier *t)
{
	if (!t->started)
		return;
	pause_stop(&t->pause);
	pthread_join(t->thread, NULL);
	t->started = false;
}

struct tallier *tallier_free(struct tallier *t)
{
	if (t == NULL)
		return NULL;
	tallier_stop(t);
	for (size_t i = 0; t->sites != NULL && i < t->setup.plan->n_sites; i++)
		tally_deinit(&t->sites[i]);
	daybook_reader_close(t->reader);
	tallies_close(t->store);
	pause_deinit(&t->pause);
	free(t->sites);
	free(t->days);
	free(t->permits);
	free(t->latest);
	free(t->monitor_ms);
	free(t->verdicts);
	free(t->redo);
	marks_deinit(&t->marks);
	minutes_deinit(t);
	free(t);
	return NULL;
}
