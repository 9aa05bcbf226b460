/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper.h"

#include "base/log.h"
#include "base/pulse.h"
#include "flow/bell.h"
#include "flow/clock.h"
#include "keeper-gaps.h"
#include "store/daybook-stock.h"
#include "store/meanfile.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

enum {
	ROUND_MS = 5000,
	ROUND_SHARE = 100,    /* at most this part of the time is spent looking, but */
	REST_MOST_MS = 20000, /* a disk that holds a look up for long may be filling meanwhile */
	WRITTEN_MS = 10000,
	FILE_BYTES_LEAST = 1 << 20,
	SAID_MS = 24 * 3600 * 1000, /* so long a removal is said */
};

struct removals {
	const char *cursor; /* of the ledger: wall clock of the last one */
	int64_t last_ms;
};

struct keeper {
	struct keeper_setup setup;
	struct pulse pulse;
	struct daybook_reader *reader;
	struct store_use use;
	int64_t most_bytes; /* as of the last look */
	struct removals early, unsent;
	int64_t noted;  /* first sequence of the file whose gaps were noted last */
	bool gaps_kept; /* the ledger has some */
	_Atomic bool faults[OWN_FAULTS];
	_Atomic int64_t bytes;
	struct metric *by_age, *for_room, *lost;
	struct metric *means_by_age, *means_for_room;
	struct log_repeat trouble;
	struct bell bell;
	pthread_t thread;
	_Atomic bool stop;
	bool started;

	pthread_mutex_t lock; /* guards what follows */
	struct gap *gaps;     /* by monitor; count 0: none */
	bool offered;         /* they are in the recorder's transaction */
	_Atomic bool waiting; /* there are some; written under lock */
};

/* --- gap records --- */

int keeper_gaps(struct keeper *k, struct daybook *daybook)
{
	int r = 0;
	if (!atomic_load_explicit(&k->waiting, memory_order_acquire))
		return 0;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; r == 0 && i < k->setup.plan->n_monitors; i++)
		if (k->gaps[i].count > 0)
			r = daybook_append_gap(daybook, &k->gaps[i], clock_wall_ms());
	k->offered = r == 0;
	pthread_mutex_unlock(&k->lock);
	return r;
}

void keeper_gaps_written(struct keeper *k)
{
	if (!atomic_load_explicit(&k->waiting, memory_order_acquire))
		return;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; k->offered && i < k->setup.plan->n_monitors; i++)
		k->gaps[i].count = 0;
	if (k->offered)
		atomic_store(&k->waiting, false);
	k->offered = false;
	pthread_mutex_unlock(&k->lock);
}

static void wait_for_gaps(struct keeper *k)
{
	int64_t until_ns = clock_mono_ns() + WRITTEN_MS * (int64_t)1000000;
	while (atomic_load(&k->waiting) && !atomic_load(&k->stop) && clock_mono_ns() < until_ns)
		bell_pause(&k->bell, 50);
}

static void gap_widen(struct gap *gap, const struct gap *by)
{
	if (gap->count == 0) {
		*gap = *by;
		return;
	}
	gap->count += by->count;
	gap->from_ms = by->from_ms < gap->from_ms ? by->from_ms : gap->from_ms;
	gap->to_ms = by->to_ms > gap->to_ms ? by->to_ms : gap->to_ms;
}

struct unsent {
	struct keeper *keeper;
	uint64_t count;
};

/* Gaps that could not be written yet grow. */
static bool gap_note(void *context, const char *site, const char *factor, const struct gap *gap)
{
	struct unsent *u = context;
	struct keeper *k = u->keeper;
	(void)site;
	(void)factor;
	u->count += gap->count;
	if (gap->monitor == NO_INDEX)
		return true;
	pthread_mutex_lock(&k->lock);
	gap_widen(&k->gaps[gap->monitor], gap);
	k->offered = false; /* what is in the open transaction lacks this */
	atomic_store_explicit(&k->waiting, true, memory_order_release);
	pthread_mutex_unlock(&k->lock);
	return true;
}

/* --- looking --- */

static void trouble(struct keeper *k, const char *what, int r)
{
	if (r > 0) {
		k->setup.fatal(k->setup.context);
	} else if (log_due(&k->trouble)) {
		errno = -r;
		log_warn("%s: %s", k->setup.directory, what);
	}
}

static void look(struct keeper *k)
{
	struct statvfs disk;
	int r = store_use(k->setup.directory, &k->use);
	if (r == 0 && statvfs(k->setup.directory, &disk) != 0)
		r = -errno;
	if (r != 0) {
		trouble(k, "cannot be looked through", r);
		return;
	}
	/* no good readings go for what was set aside, while the disk has room for both */
	k->most_bytes = stock_most(k->setup.max_bytes + k->use.aside_bytes,
				   (int64_t)(disk.f_blocks * disk.f_frsize));
	struct stock_room room = {.used_bytes = k->use.bytes,
				  .most_bytes = k->most_bytes,
				  .disk_free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize),
				  .disk_all_bytes = (int64_t)(disk.f_blocks * disk.f_frsize)};
	atomic_store(&k->bytes, k->use.bytes);
	atomic_store(&k->faults[OWN_FILLING],
		     stock_filling(&room, atomic_load(&k->faults[OWN_FILLING])));
	atomic_store(&k->faults[OWN_DAMAGED], k->use.damaged > 0);
}

static void look_back(struct keeper *k, const struct removals *removals, enum own_fault fault)
{
	int64_t now_ms = clock_wall_ms();
	atomic_store(&k->faults[fault],
		     removals->last_ms > now_ms - SAID_MS && removals->last_ms <= now_ms + SAID_MS);
}

static void removed(struct keeper *k, struct removals *removals)
{
	removals->last_ms = clock_wall_ms();
	int r = ledger_put_cursor(k->setup.ledger, removals->cursor, removals->last_ms);
	if (r != 0)
		trouble(k, "a removal cannot be noted", r);
}

/* --- taking away --- */

static int keep_gaps(struct keeper *k)
{
	pthread_mutex_lock(&k->lock);
	int r = gaps_keep(k->setup.ledger, k->setup.plan, k->gaps);
	pthread_mutex_unlock(&k->lock);
	k->gaps_kept |= r == 0;
	return r;
}

static void drop_gaps(struct keeper *k)
{
	if (k->gaps_kept && !atomic_load(&k->waiting))
		k->gaps_kept = gaps_forget(k->setup.ledger) != 0;
}

/* Once for each file, however often its removal is tried. */
static int note_unsent(struct keeper *k, const struct stock_file *file, int64_t sent)
{
	struct unsent u = {.keeper = k};
	int r = k->noted == file->first
			? 0
			: daybook_unsent(k->reader, file->first, sent, gap_note, &u);
	if (r == 0)
		k->noted = file->first;
	if (u.count > 0) {
		metric_add(k->lost, (int64_t)u.count);
		log_event(LOGGED_UNSENT_GONE, ABOUT_NOTHING,
			  "no room: %llu readings go that InfluxDB has not had",
			  (unsigned long long)u.count);
		removed(k, &k->unsent);
		wait_for_gaps(k);
	}
	return r == 0 && atomic_load(&k->waiting) ? keep_gaps(k) : r;
}

/* Nothing goes without a record of it, which says also where a chain of readings goes on. */
static int note_removal(struct keeper *k, const struct stock_file *file, enum stock_why why)
{
	struct text text = {0};
	char name[64];
	text_add(&text, "{");
	int r = daybook_removal(k->reader, file->first, &text);
	text_add(&text, ",\"at\":\"");
	text_time(&text, clock_wall_ms(), &k->setup.plan->zone, 3);
	text_format(&text, "\",\"why\":\"%s\"}", why == STOCK_AGE ? "age" : "room");
	snprintf(name, sizeof name, "removed/%lld", (long long)file->first);
	if (r == 0)
		r = text.failed ? -ENOMEM : ledger_put(k->setup.ledger, name, text.at, text.length);
	text_deinit(&text);
	return r;
}

/* Where its chain ended stays in the ledger. */
static int retire(struct keeper *k, const struct stock_file *file)
{
	const char *name = daybook_name(k->reader, file->first);

	return name == NULL ? -ENOENT : ledger_retire_day(k->setup.ledger, name, clock_wall_ms());
}

static int take_away(struct keeper *k, const struct stock_file *file, enum stock_why why,
		     const struct stock_rules *rules)
{
	int r = file->last > rules->sent ? note_unsent(k, file, rules->sent) : 0;
	if (r == 0)
		r = note_removal(k, file, why);
	if (r == 0)
		r = retire(k, file);
	if (r == 0)
		r = daybook_remove(k->reader, file->first);
	if (r != 0)
		return r;
	metric_add(why == STOCK_AGE ? k->by_age : k->for_room, 1);
	if (why == STOCK_ROOM && stock_early(file, STOCK_READINGS, rules))
		removed(k, &k->early);
	log_info("readings %lld to %lld removed: %s", (long long)file->first, (long long)file->last,
		 why == STOCK_AGE ? "their time is over" : "there is no room");
	return 0;
}

/* That they are gone is in the ledger before they are. */
static int take_frames(struct keeper *k, const struct stock_file *file, enum stock_why why)
{
	const char *name = daybook_name(k->reader, file->first);

	int r = name == NULL ? -ENOENT
			     : ledger_retire_frames(k->setup.ledger, name, file->frames_bytes,
						    clock_wall_ms());
	if (r == 0)
		r = daybook_remove_frames(k->reader, file->first);
	if (r == 0)
		log_info("frames of readings %lld to %lld removed: %s", (long long)file->first,
			 (long long)file->last,
			 why == STOCK_AGE ? "their time is over" : "there is no room");
	return r;
}

/* What cannot be looked into stays. */
static bool holds(void *context, const struct stock_file *file, const struct stock_span *span)
{
	struct keeper *k = context;
	bool there = true;

	return daybook_holds(k->reader, file->first, span->from_ms, span->to_ms, &there) != 0 ||
	       there;
}

/* What an episode that goes on needs ends with tomorrow: beyond are absurd times alone. */
static void spans_end(const struct keeper *k, struct stock_span *spans, size_t n)
{
	const struct zone *zone = &k->setup.plan->zone;
	int64_t end_ms = zone_day_ms(zone, zone_day(zone, clock_wall_ms()) + 2) - 1;

	for (size_t i = 0; i < n; i++)
		if (spans[i].to_ms == INT64_MAX && spans[i].from_ms < end_ms)
			spans[i].to_ms = end_ms;
}

static int take_minutes(struct keeper *k, const struct stock_file *file, enum stock_why why,
			const struct stock_rules *rules)
{
	char day[16];
	int r = meanfile_remove(k->setup.directory, file, day);

	if (r != 0)
		return r;
	metric_add(why == STOCK_AGE ? k->means_by_age : k->means_for_room, 1);
	if (why == STOCK_ROOM && stock_early(file, STOCK_MINUTES, rules))
		removed(k, &k->early);
	log_info("means of minutes of %s removed: %s", day,
		 why == STOCK_AGE ? "their time is over" : "there is no room");
	return 0;
}

/* A year of them; who adds them up says when they are gone. */
static void ask_hours(struct keeper *k, int64_t from_ms)
{
	int64_t before_ms = year_of(&k->setup.plan->zone, from_ms).end_ms;

	if (atomic_exchange(&k->setup.hours->drop_before_ms, before_ms) != before_ms)
		removed(k, &k->early);
}

/* What there is; the lists are the caller's to free, whatever is returned. */
static int list_stock(struct keeper *k, const struct stock_rules *rules,
		      struct stock_file *files[2], struct stock *stock)
{
	int r = daybook_stock(k->reader, &files[0], &stock->n_readings);

	if (r == 0)
		stock_settle(files[0], stock->n_readings, rules->today);
	if (r == 0)
		r = meanfile_stock(k->setup.directory, &k->setup.plan->zone, rules->today,
				   &files[1], &stock->n_minutes);
	stock->readings = files[0];
	stock->minutes = files[1];
	stock->hours_from_ms = atomic_load(&k->setup.hours->from_ms);
	return r;
}

/* Return: 0 and whether one file was taken away; SQL_FATAL, negative errno. */
static int take_chosen(struct keeper *k, const struct stock *stock, const struct stock_rules *rules,
		       bool *taken)
{
	struct stock_choice c = stock_choose(stock, rules);

	*taken = c.why != STOCK_STAYS;
	if (c.why == STOCK_STAYS)
		return 0;
	switch (c.class) {
	case STOCK_FRAMES:
		return take_frames(k, &stock->readings[c.which], c.why);
	case STOCK_READINGS:
		return take_away(k, &stock->readings[c.which], c.why, rules);
	case STOCK_MINUTES:
		return take_minutes(k, &stock->minutes[c.which], c.why, rules);
	case STOCK_HOURS:
	case STOCK_CLASSES:
	default:
		ask_hours(k, stock->hours_from_ms);
		*taken = false;
		return 0;
	}
}

/* The beginning of last year: what comes late, or is marked, may change its load still. */
static int64_t hours_stay_ms(const struct zone *zone, int64_t age_ms)
{
	return year_of(zone, year_of(zone, age_ms).start_ms - 1).start_ms;
}

/* Return: as take_chosen() */
static int take_next(struct keeper *k, bool *taken)
{
	int64_t age_ms = k->setup.age_ms(k->setup.context);
	struct stock_file *files[2] = {0};
	struct stock_span *spans = NULL;
	struct stock stock = {0};
	struct stock_rules rules = {.today = zone_day(&k->setup.plan->zone, age_ms),
				    .keep_days = k->setup.keep_days,
				    .keep_frames = k->setup.keep_frames,
				    .keep_minutes = k->setup.keep_minutes,
				    .hours_stay_ms = hours_stay_ms(&k->setup.plan->zone, age_ms),
				    .used_bytes = k->use.bytes,
				    .most_bytes = k->most_bytes,
				    .sent = INT64_MAX,
				    .holds = holds,
				    .context = k};
	*taken = false;
	if (k->setup.exports)
		rules.sent = ledger_cursor(k->setup.ledger, "influx/readings", 0);
	int r = ledger_needs(k->setup.ledger, &spans, &rules.n_spans);
	rules.spans = spans;
	spans_end(k, spans, rules.n_spans);
	if (r == 0)
		r = list_stock(k, &rules, files, &stock);
	if (r == 0)
		r = take_chosen(k, &stock, &rules, taken);
	free(files[0]);
	free(files[1]);
	free(spans);
	*taken &= r == 0;
	return r;
}

/* On a full disk the record of what goes has no room, and nothing would ever go. */
static bool take_one(struct keeper *k)
{
	bool taken = false;
	int r = take_next(k, &taken);
	while (r == -ENOSPC && !atomic_load(&k->stop) &&
	       reserve_give(k->setup.reserve, RESERVE_WORK))
		r = take_next(k, &taken);
	if (r != 0)
		trouble(k, "what may go cannot be removed", r);
	return taken;
}

static void keeper_round(struct keeper *k)
{
	drop_gaps(k);
	look(k);
	while (!atomic_load(&k->stop) && take_one(k)) {
		pulse_beat(&k->pulse);
		look(k);
	}
	reserve_refill(k->setup.reserve);
	int r = ledger_keep_copy(k->setup.ledger, clock_mono_ns() / 1000000);
	if (r != 0)
		trouble(k, "the ledger cannot be copied", r);
	look_back(k, &k->early, OWN_REMOVED_EARLY);
	look_back(k, &k->unsent, OWN_REMOVED_UNSENT);
}

static int64_t rest_until_ns(int64_t began_ns, int64_t ended_ns)
{
	int64_t rest_ns = (ended_ns - began_ns) * ROUND_SHARE,
		most_ns = REST_MOST_MS * INT64_C(1000000);

	return ended_ns + (rest_ns < most_ns ? rest_ns : most_ns);
}

/* ROUND_MS at least; woken it goes on at once. */
static void keeper_rest(struct keeper *k, int64_t until_ns)
{
	do {
		pulse_beat(&k->pulse);
		bell_pause(&k->bell, ROUND_MS);
	} while (!atomic_load(&k->stop) && clock_mono_ns() < until_ns);
}

static void *keeper_run(void *context)
{
	struct keeper *k = context;
	pulse_begin(&k->pulse, PULSE_SLOW, "keeper", NULL);
	while (!atomic_load(&k->stop)) {
		int64_t began_ns = clock_mono_ns();
		keeper_round(k);
		keeper_rest(k, rest_until_ns(began_ns, clock_mono_ns()));
	}
	pulse_end(&k->pulse);
	return NULL;
}

/* --- birth and death --- */

static double keeper_bytes(void *context)
{
	return (double)atomic_load(&((struct keeper *)context)->bytes);
}

static int keeper_show(struct keeper *k)
{
	static const char *const help = "Files of readings that were removed";
	static const char *const means = "Days of means of minutes that were removed";
	struct metrics *m = k->setup.metrics;
	k->by_age = metrics_counter(m, "ducha_files_removed_total", help, "reason=\"age\"");
	k->for_room = metrics_counter(m, "ducha_files_removed_total", help, "reason=\"room\"");
	k->means_by_age = metrics_counter(m, "ducha_means_removed_total", means, "reason=\"age\"");
	k->means_for_room =
		metrics_counter(m, "ducha_means_removed_total", means, "reason=\"room\"");
	k->lost = metrics_counter(m, "ducha_unrecorded_total",
				  "Samples that were acknowledged or read but not recorded",
				  "reason=\"removed\"");
	if (k->by_age == NULL || k->for_room == NULL || k->lost == NULL ||
	    k->means_by_age == NULL || k->means_for_room == NULL)
		return -ENOMEM;
	return metrics_gauge_read(m, "ducha_store_bytes", "What the store takes on disk", "",
				  keeper_bytes, k);
}

static void take_up(struct keeper *k)
{
	k->early.cursor = "keeper/removed-early";
	k->unsent.cursor = "keeper/removed-unsent";
	k->early.last_ms = ledger_cursor(k->setup.ledger, k->early.cursor, 0);
	k->unsent.last_ms = ledger_cursor(k->setup.ledger, k->unsent.cursor, 0);
	look(k);
	look_back(k, &k->early, OWN_REMOVED_EARLY);
	look_back(k, &k->unsent, OWN_REMOVED_UNSENT);
}

int keeper_new(struct keeper **out, const struct keeper_setup *setup)
{
	struct keeper *k = calloc(1, sizeof *k);
	*out = k;
	if (k == NULL)
		return -ENOMEM;
	k->setup = *setup;
	k->bell.fd = -1;
	pthread_mutex_init(&k->lock, NULL);
	k->gaps = calloc(setup->plan->n_monitors + 1, sizeof *k->gaps);
	int r = k->gaps == NULL ? -ENOMEM : bell_init(&k->bell);
	if (r == 0)
		r = daybook_reader_open(&k->reader, setup->directory, setup->plan);
	if (r == 0)
		r = keeper_show(k);
	if (r == 0)
		take_up(k);
	return r;
}

struct keeper *keeper_free(struct keeper *k)
{
	if (k == NULL)
		return NULL;
	if (k->bell.fd >= 0)
		bell_deinit(&k->bell);
	daybook_reader_close(k->reader);
	pthread_mutex_destroy(&k->lock);
	free(k->gaps);
	free(k);
	return NULL;
}

/* Gaps of monitors that are gone are counted, and have no record. */
static void carry_gaps(struct keeper *k, struct keeper *next, const struct plan_change *change)
{
	struct gap *gaps = k->gaps;
	plan_carry(next->gaps, gaps, change->monitors, change->to->n_monitors, sizeof *gaps);
	for (uint32_t i = 0; i < change->to->n_monitors; i++)
		next->gaps[i].monitor = i;
	k->gaps = next->gaps;
	next->gaps = gaps;
}

void keeper_succeed(struct keeper *k, struct keeper *next, const struct plan_change *change)
{
	if (next != NULL) {
		struct daybook_reader *reader = k->reader;
		carry_gaps(k, next, change);
		k->reader = next->reader;
		next->reader = reader;
		k->setup = next->setup;
	}
	(void)keeper_show(k); /* all of it is there */
}

int keeper_recall(struct keeper *k)
{
	int n = gaps_recall(k->setup.ledger, k->setup.plan, k->gaps);
	k->gaps_kept = n > 0;
	atomic_store(&k->waiting, n > 0);
	return n < 0 ? n : 0;
}

int keeper_start(struct keeper *k)
{
	atomic_store(&k->stop, false);
	int r = -pthread_create(&k->thread, NULL, keeper_run, k);
	k->started = r == 0;
	return r;
}

void keeper_stop(struct keeper *k)
{
	if (!k->started)
		return;
	atomic_store(&k->stop, true);
	bell_ring_always(&k->bell);
	pthread_join(k->thread, NULL);
	k->started = false;
}

int64_t keeper_file_bytes(int64_t max_bytes)
{
	return max_bytes / 8 > FILE_BYTES_LEAST ? max_bytes / 8 : FILE_BYTES_LEAST;
}

bool keeper_fault(const struct keeper *k, enum own_fault fault)
{
	return atomic_load_explicit(&k->faults[fault], memory_order_relaxed);
}
