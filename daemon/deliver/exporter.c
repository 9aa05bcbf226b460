/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch is under way at a time. `done` lines of it are settled (stored, or refused for good and
 * their text on disk); `part` is how many of the next ones go into one request. It shrinks to find
 * a bad line or to fit a server's limit, and the cursor moves when all lines are settled.
 */
#include "deliver/exporter.h"

#include "base/log.h"
#include "deliver/batch.h"
#include "deliver/behind.h"
#include "deliver/influx.h"
#include "deliver/pause.h"
#include "deliver/rejects.h"
#include "deliver/section-feed.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_PAUSE_MS = 1000,
	REFUSED_PAUSES = 5, /* a server that must be set right first is left in peace longer */
	LONGEST_PAUSE_MS = 60000,
	STORE_EVERY_MS = 1000,
	PATIENCE = 3,    /* tries of a whole batch that a server fails at */
	GROW_AFTER = 64, /* batches that fit, before a larger one is tried again */
	EVENTS_AT_ONCE = 256,
	BATCH_BYTES = 4 << 20, /* text of one batch, however many lines are allowed */
	PART_BATCHES = 4,      /* a backlog of more of them: what is new goes ahead */
	PART_LINES = 1000,     /* but not of fewer lines */
	LOST_TOUCH = 4,        /* so many times that: what went ahead has fallen behind itself */
};

enum source { SOURCE_BACKLOG, SOURCE_FRESH, SOURCE_EVENTS, SOURCE_SECTIONS };
static const char *const case_events[] = {"case.*", "seal.anchored"};
static const struct outbox_filter case_filter = {.events = case_events, .n_events = 2};

struct exporter {
	struct exporter_setup setup;
	char *directory;
	struct influx *influx;
	struct daybook_reader *reader;
	struct outbox events;
	struct section_feed sections;
	struct behind behind; /* the readings' cursors */
	int64_t stored_ms, fresh_ms, end;
	struct metric *ok, *rejected, *error, *skipped;
	struct pause pause;
	pthread_t thread;
	bool started;

	struct batch batch;
	enum source source;
	size_t done, part;
	size_t bad;  /* of the lines from `done` to before this one is one that is refused; 0:
			unknown */
	size_t most; /* lines in a batch at present; a 413 lowers it */
	unsigned failures, tries;
	unsigned good;   /* whole batches since the last 413 */
	bool suspect;    /* the server fails at this batch: look for a line that is to blame */
	bool probing;    /* the next line is tried, to see whether the server takes anything */
	char blame[512]; /* what it said to the suspect line */
	enum influx_verdict said;
	struct log_repeat refusals, store_trouble, skips, sizes;
};

/* --- cursors --- */

static int64_t exporter_backlog(struct exporter *e)
{
	return behind_waiting(&e->behind, daybook_sequence(e->setup.daybook)) +
	       outbox_pending(&e->events) + section_feed_pending(&e->sections);
}

static double backlog_value(void *context)
{
	return (double)exporter_backlog(context);
}

static void exporter_store(struct exporter *e)
{
	int rc = behind_store(&e->behind);
	if (rc == 0)
		rc = outbox_store(&e->events);
	if (rc == 0)
		rc = section_feed_store(&e->sections);
	e->stored_ms = pause_now_ms();
	if (rc == 0) {
		e->store_trouble = (struct log_repeat){0};
	} else if (log_due(&e->store_trouble)) {
		errno = rc < 0 ? -rc : EIO;
		log_warn("influx: cannot store how far it has come; a restart would send lines "
			 "again");
	}
}

/* A crash only repeats lines that are stored already, so there is no hurry. */
static void exporter_store_at_times(struct exporter *e)
{
	if (pause_now_ms() - e->stored_ms < STORE_EVERY_MS)
		return;
	section_feed_look(&e->sections);
	exporter_store(e);
}

/* --- pauses --- */

static void exporter_wait(struct exporter *e, int64_t ms)
{
	int64_t until = pause_now_ms() + ms;
	while (!pause_stopped(&e->pause) && pause_now_ms() < until) {
		pause_until(&e->pause, until);
		outbox_scan(&e->events);
		exporter_store_at_times(e);
	}
}

static void exporter_back_off(struct exporter *e, int64_t first_ms)
{
	exporter_wait(e, pause_growing_ms(e->failures++, first_ms, LONGEST_PAUSE_MS));
}

/* --- filling --- */

static void exporter_begin(struct exporter *e, enum source source)
{
	batch_clear(&e->batch);
	e->source = source;
	e->done = e->bad = 0;
	e->tries = 0;
	e->suspect = e->probing = false;
}

static bool fill_row(void *context, const struct daybook_row *row)
{
	struct exporter *e = context;
	if (row->sequence > e->end)
		return false;
	batch_add_row(&e->batch, e->setup.plan, row);
	return !e->batch.failed && e->batch.text.length < BATCH_BYTES;
}

static int fill_range(struct exporter *e, enum source source, int64_t after, int64_t end)
{
	exporter_begin(e, source);
	e->end = end;
	if (daybook_sequence(e->setup.daybook) <= after)
		return 0;
	return daybook_after(e->reader, after, e->most, fill_row, e);
}

/* Lets what is new go ahead of a long backlog. Return: true if some of it is due. */
static bool fresh_is_due(struct exporter *e)
{
	int64_t newest = daybook_sequence(e->setup.daybook);
	int64_t fresh = behind_fresh(&e->behind, newest);
	int64_t far = (int64_t)e->setup.batch_lines * PART_BATCHES;
	far = far > PART_LINES ? far : PART_LINES;
	bool parted = fresh >= 0;
	if (parted ? fresh > far * LOST_TOUCH : behind_waiting(&e->behind, newest) > far) {
		behind_part(&e->behind, newest, (int64_t)e->most);
		return true;
	}
	return parted && fresh > 0 &&
	       (fresh >= (int64_t)e->most || pause_now_ms() - e->fresh_ms >= e->setup.flush_ms);
}

static int fill_readings(struct exporter *e)
{
	if (fresh_is_due(e)) {
		e->fresh_ms = pause_now_ms();
		return fill_range(e, SOURCE_FRESH, atomic_load(&e->behind.to), INT64_MAX);
	}
	int64_t end = behind_end(&e->behind);
	int rc = fill_range(e, SOURCE_BACKLOG, atomic_load(&e->behind.passed), end);
	if (rc != 0 || e->batch.last != 0 || end == INT64_MAX)
		return rc;
	behind_pass(&e->behind, end); /* a file that is gone ends the backlog early */
	return fill_range(e, SOURCE_BACKLOG, atomic_load(&e->behind.passed), INT64_MAX);
}

static int fill_events(struct exporter *e)
{
	exporter_begin(e, SOURCE_EVENTS);
	int rc = outbox_scan(&e->events);
	int64_t after = atomic_load(&e->events.passed), scanned = atomic_load(&e->events.scanned);
	if (rc != 0 || scanned == after)
		return rc;
	struct outbox_events events;
	size_t limit = e->most < EVENTS_AT_ONCE ? e->most : EVENTS_AT_ONCE;
	rc = outbox_fetch(&e->events, after, limit, &events);
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < events.n && events.at[i].id <= scanned; i++)
		batch_add_event(&e->batch, e->setup.plan, &events.at[i]);
	outbox_events_deinit(&events);
	return 0;
}

/* An hourly handful: when there is nothing else. */
static int fill_sections(struct exporter *e)
{
	exporter_begin(e, SOURCE_SECTIONS);
	return section_feed_fill(&e->sections, e->most, &e->batch);
}

/* Takes what the other source has, else what the same has. Return: true if something is there. */
static bool exporter_fill(struct exporter *e)
{
	bool events_next = e->source != SOURCE_EVENTS;
	int rc = events_next ? fill_events(e) : fill_readings(e);
	if (rc == 0 && e->batch.last == 0)
		rc = events_next ? fill_readings(e) : fill_events(e);
	if (rc == 0 && e->batch.last == 0)
		rc = fill_sections(e);
	if (rc == 0 && e->batch.failed)
		rc = -ENOMEM;
	if (rc != 0) {
		batch_clear(&e->batch);
		errno = rc < 0 ? -rc : EIO;
		if (log_due(&e->store_trouble))
			log_warn("influx: cannot read what is to be sent");
		exporter_back_off(e, e->setup.pause_ms);
		return false;
	}
	e->part = e->batch.n;
	return e->batch.last != 0;
}

/* --- settling --- */

static void exporter_advance(struct exporter *e)
{
	struct batch *batch = &e->batch;
	switch (e->source) {
	case SOURCE_BACKLOG:
		behind_pass(&e->behind, batch->last);
		break;
	case SOURCE_FRESH:
		behind_pass_fresh(&e->behind, batch->last);
		break;
	case SOURCE_EVENTS:
		outbox_pass(&e->events, batch->last, batch->events);
		break;
	case SOURCE_SECTIONS:
		section_feed_pass(&e->sections, batch->last);
		break;
	}
	if (batch->skipped > 0) {
		metric_add(e->skipped, batch->skipped);
		if (log_due(&e->skips))
			log_warnx("influx: %" PRId64
				  " readings of sites that are no longer configured "
				  "stay in the daybook only",
				  batch->skipped);
	}
	if (e->most < e->setup.batch_lines && ++e->good >= GROW_AFTER) {
		e->good = 0;
		e->most = e->most * 2 < e->setup.batch_lines ? e->most * 2 : e->setup.batch_lines;
	}
	batch_clear(batch);
	exporter_store_at_times(e);
}

static void settle(struct exporter *e, size_t lines)
{
	e->done += lines;
	e->failures = e->tries = 0;
	size_t rest = e->batch.n - e->done, suspect = e->bad > e->done ? e->bad - e->done : 0;
	e->part = suspect > 1 ? suspect / 2 : suspect == 1 ? 1 : rest;
	if (e->part > e->most)
		e->part = e->most;
	if (rest == 0)
		exporter_advance(e);
}

static const char *source_name(enum source source)
{
	return source == SOURCE_EVENTS     ? "events"
	       : source == SOURCE_SECTIONS ? "sections"
					   : "readings";
}

/* Puts @lines from `done` on aside for good; if that fails they stay, and the answer will repeat.
 */
static void reject(struct exporter *e, size_t lines, int64_t dropped, const char *why)
{
	char name[128];
	snprintf(name, sizeof name, "influx-%s-%020" PRId64 "-%06zu.lp", source_name(e->source),
		 e->batch.first, e->done);
	size_t length;
	const char *text = batch_part(&e->batch, e->done, lines, &length);
	int rc = rejects_keep(e->directory, name, why, text, length);
	if (rc != 0) {
		errno = -rc;
		if (log_due(&e->store_trouble))
			log_warn("influx: cannot keep refused lines in %s/rejected, they wait",
				 e->directory);
		exporter_back_off(e, e->setup.pause_ms);
		return;
	}
	if (dropped > (int64_t)lines)
		dropped = (int64_t)lines;
	metric_add(e->rejected, dropped);
	metric_add(e->ok, (int64_t)lines - dropped);
	if (log_due(&e->refusals))
		log_event(LOGGED_INFLUX_REFUSED, ABOUT(.delivery = "influx"),
			  "influx: the database refused lines for good (%s); their text is in "
			  "%s/rejected/%s",
			  why, e->directory, name);
	settle(e, lines);
}

/* --- answers --- */

static const char *trouble_text(enum influx_verdict verdict)
{
	switch (verdict) {
	case INFLUX_REFUSED:
		return "the server does not take our lines, check url, database and user";
	case INFLUX_BUSY:
		return "the server asks us to wait";
	case INFLUX_UNKNOWN:
		return "no answer";
	case INFLUX_DOUBTFUL:
		return "the server fails";
	case INFLUX_TOO_LARGE:
	case INFLUX_ACCEPTED:
	case INFLUX_PARTIAL:
	case INFLUX_MALFORMED:
	case INFLUX_STOPPED:
		break;
	}
	return "trouble";
}

static void say_trouble(struct exporter *e, const struct influx_answer *answer)
{
	if (e->said == answer->verdict)
		return;
	e->said = answer->verdict;
	log_event(LOGGED_INFLUX_STOPPED, ABOUT(.delivery = "influx"),
		  "influx: %s (%ld %s); %" PRId64 " lines wait in the store",
		  trouble_text(answer->verdict), answer->status, answer->text, exporter_backlog(e));
}

static void say_good(struct exporter *e)
{
	if (e->said != INFLUX_ACCEPTED)
		log_event(LOGGED_INFLUX_AGAIN, ABOUT(.delivery = "influx"),
			  "influx: writing again, %" PRId64 " lines waited", exporter_backlog(e));
	e->said = INFLUX_ACCEPTED;
}

/* The server takes lines, so the suspect one is to blame, or it takes none. */
static void on_probe(struct exporter *e, const struct influx_answer *answer)
{
	e->probing = false;
	if (answer->verdict == INFLUX_ACCEPTED || answer->verdict == INFLUX_PARTIAL) {
		reject(e, 1, 1, e->blame);
		return;
	}
	batch_clear(&e->batch);
	exporter_back_off(e, e->setup.pause_ms);
}

static void on_accepted(struct exporter *e, size_t lines)
{
	say_good(e);
	e->refusals = (struct log_repeat){0};
	metric_add(e->ok, (int64_t)lines);
	settle(e, lines);
}

/* One of the lines just sent is refused: the first half of them next. */
static void narrow(struct exporter *e)
{
	e->bad = e->done + e->part;
	e->part /= 2;
}

static void on_malformed(struct exporter *e, const struct influx_answer *answer)
{
	if (e->part == 1)
		reject(e, 1, 1, answer->text);
	else
		narrow(e);
}

static void on_too_large(struct exporter *e, const struct influx_answer *answer)
{
	if (e->part == 1) {
		reject(e, 1, 1, answer->text);
		return;
	}
	e->part /= 2;
	e->most = e->part;
	e->good = 0;
	if (log_due(&e->sizes))
		log_info("influx: the server wants smaller batches, trying %zu lines", e->most);
}

/*
 * A server error may come from one line or from the server's own state. Whole batch first, some
 * times; then halves down to one line; then that line is blamed only if the server takes another.
 */
static void on_doubtful(struct exporter *e, const struct influx_answer *answer)
{
	if (answer->status >= 500 && !e->suspect && ++e->tries < PATIENCE) {
		exporter_back_off(e, e->setup.pause_ms);
		return;
	}
	e->suspect = true;
	if (e->part > 1) {
		narrow(e);
	} else if (e->done + 1 < e->batch.n) {
		snprintf(e->blame, sizeof e->blame, "%s", answer->text);
		e->probing = true;
	} else {
		batch_clear(&e->batch);
		exporter_back_off(e, e->setup.pause_ms);
	}
}

static void on_trouble(struct exporter *e, const struct influx_answer *answer)
{
	say_trouble(e, answer);
	if (answer->verdict == INFLUX_DOUBTFUL) {
		on_doubtful(e, answer);
	} else if (answer->verdict == INFLUX_BUSY && answer->retry_after_ms > 0) {
		e->failures++;
		exporter_wait(e, answer->retry_after_ms +
					 pause_growing_ms(0, e->setup.pause_ms, e->setup.pause_ms));
	} else {
		exporter_back_off(e,
				  e->setup.pause_ms *
					  (answer->verdict == INFLUX_REFUSED ? REFUSED_PAUSES : 1));
	}
}

static void on_answer(struct exporter *e, const struct influx_answer *answer)
{
	bool stored = answer->verdict == INFLUX_ACCEPTED || answer->verdict == INFLUX_PARTIAL;
	if (!stored && answer->verdict != INFLUX_STOPPED)
		metric_add(e->error, (int64_t)(e->probing ? 1 : e->part));
	if (e->probing) {
		on_probe(e, answer);
		return;
	}
	switch (answer->verdict) {
	case INFLUX_ACCEPTED:
		on_accepted(e, e->part);
		break;
	case INFLUX_PARTIAL:
		reject(e, e->part, influx_dropped(answer->text), answer->text);
		break;
	case INFLUX_MALFORMED:
		on_malformed(e, answer);
		break;
	case INFLUX_TOO_LARGE:
		on_too_large(e, answer);
		break;
	case INFLUX_DOUBTFUL:
	case INFLUX_REFUSED:
	case INFLUX_BUSY:
	case INFLUX_UNKNOWN:
		on_trouble(e, answer);
		break;
	case INFLUX_STOPPED:
		break;
	}
}

/* --- the thread --- */

static void exporter_send(struct exporter *e)
{
	struct influx_answer answer;
	size_t length;
	const char *text = e->probing ? batch_part(&e->batch, e->done + 1, 1, &length)
				      : batch_part(&e->batch, e->done, e->part, &length);
	if (influx_write(e->influx, text, length, &answer) != 0) {
		exporter_back_off(e, e->setup.pause_ms);
		return;
	}
	on_answer(e, &answer);
}

/* Waits for something to send, and then flush_ms for more, unless a whole batch is there. */
static void exporter_gather(struct exporter *e)
{
	while (!pause_stopped(&e->pause) && exporter_backlog(e) == 0) {
		exporter_store_at_times(e);
		pause_for_news(&e->pause);
	}
	int64_t until = pause_now_ms() + e->setup.flush_ms;
	while (!pause_stopped(&e->pause) && pause_now_ms() < until &&
	       exporter_backlog(e) < (int64_t)e->setup.batch_lines)
		pause_for_news_until(&e->pause, until);
	exporter_store_at_times(e);
}

static void *exporter_run(void *context)
{
	struct exporter *e = context;
	(void)pthread_setname_np(pthread_self(), "exporter");
	while (!pause_stopped(&e->pause)) {
		pause_beat(&e->pause);
		if (e->batch.last == 0) {
			exporter_gather(e);
			if (pause_stopped(&e->pause))
				break;
			if (!exporter_fill(e)) {
				pause_for_news(&e->pause);
				continue;
			}
			if (e->batch.n == 0) {
				exporter_advance(e);
				continue;
			}
		}
		exporter_send(e);
	}
	exporter_store(e);
	return NULL;
}

/* --- setting up --- */

static int exporter_metrics(struct exporter *e)
{
	static const char name[] = "ducha_influx_lines_total";
	static const char help[] = "Lines for InfluxDB, by result; error counts each failed try.";
	struct metrics *m = e->setup.metrics;
	e->ok = metrics_counter(m, name, help, "result=\"ok\"");
	e->rejected = metrics_counter(m, name, help, "result=\"rejected\"");
	e->error = metrics_counter(m, name, help, "result=\"error\"");
	e->skipped = metrics_counter(m, name, help, "result=\"skipped\"");
	if (e->ok == NULL || e->rejected == NULL || e->error == NULL || e->skipped == NULL)
		return -ENOMEM;
	return metrics_gauge_read(m, "ducha_influx_backlog",
				  "Lines stored and not yet accepted by InfluxDB.", "",
				  backlog_value, e);
}

static int exporter_init(struct exporter *e, const struct exporter_setup *setup)
{
	e->setup = *setup;
	e->source = SOURCE_BACKLOG;
	e->said = INFLUX_ACCEPTED;
	if (e->setup.batch_lines == 0)
		e->setup.batch_lines = 1;
	if (e->setup.pause_ms == 0)
		e->setup.pause_ms = FIRST_PAUSE_MS;
	e->most = e->setup.batch_lines;
	e->directory = strdup(setup->directory);
	if (e->directory == NULL)
		return -ENOMEM;
	int rc = pause_init(&e->pause, setup->heartbeat);
	e->setup.influx.heartbeat = setup->heartbeat;
	if (rc == 0)
		rc = influx_new(&e->influx, &e->setup.influx);
	if (rc == 0)
		rc = daybook_reader_open(&e->reader, setup->directory, setup->plan);
	if (rc == 0)
		rc = behind_init(&e->behind, setup->ledger, daybook_sequence(setup->daybook));
	if (rc == 0)
		rc = outbox_init(&e->events, setup->ledger, "influx/events", &case_filter);
	if (rc == 0)
		section_feed_init(&e->sections, e->directory, setup->plan, setup->ledger);
	return rc != 0 ? rc : exporter_metrics(e);
}

int exporter_new(struct exporter **out, const struct exporter_setup *setup)
{
	struct exporter *e = calloc(1, sizeof *e);
	if (e == NULL)
		return -ENOMEM;
	int rc = exporter_init(e, setup);
	if (rc != 0) {
		exporter_free(e);
		return rc;
	}
	*out = e;
	return 0;
}

int exporter_start(struct exporter *exporter)
{
	int rc = pthread_create(&exporter->thread, NULL, exporter_run, exporter);
	exporter->started = rc == 0;
	return -rc;
}

void exporter_stop(struct exporter *exporter)
{
	if (!exporter->started)
		return;
	pause_stop(&exporter->pause);
	influx_interrupt(exporter->influx);
	pthread_join(exporter->thread, NULL);
	exporter->started = false;
}

struct exporter *exporter_free(struct exporter *exporter)
{
	if (exporter == NULL)
		return NULL;
	exporter_stop(exporter);
	batch_deinit(&exporter->batch);
	section_feed_deinit(&exporter->sections);
	daybook_reader_close(exporter->reader);
	influx_free(exporter->influx);
	pause_deinit(&exporter->pause);
	free(exporter->directory);
	free(exporter);
	return NULL;
}

void exporter_wake(struct exporter *exporter)
{
	pause_wake(&exporter->pause);
}
