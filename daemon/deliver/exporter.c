/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/exporter-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_PAUSE_MS = 1000,
	LONGEST_PAUSE_MS = 60000,
	STORE_EVERY_MS = 1000,
	EVENTS_AT_ONCE = 256,
	BATCH_BYTES = 4 << 20, /* text of one batch, however many lines are allowed */
	PART_BATCHES = 4,      /* a backlog of more of them: what is new goes ahead */
	PART_LINES = 1000,     /* but not of fewer lines */
	LOST_TOUCH = 4,        /* so many times that: what went ahead has fallen behind itself */
	ALARM_AFTER_MS = 15 * 60 * 1000, /* of a server that is away */
};

static const char *const case_events[] = {"case.*", "seal.anchored"};
static const struct outbox_filter case_filter = {.events = case_events, .n_events = 2};

/* --- cursors --- */

int64_t exporter_backlog(struct exporter *e)
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
void exporter_store_at_times(struct exporter *e)
{
	if (pause_now_ms() - e->stored_ms < STORE_EVERY_MS)
		return;
	section_feed_look(&e->sections);
	trouble_tick(&e->trouble);
	exporter_store(e);
}

/* --- pauses --- */

void exporter_wait(struct exporter *e, int64_t ms)
{
	int64_t until = pause_now_ms() + ms;
	while (!pause_stopped(&e->pause) && pause_now_ms() < until) {
		pause_until(&e->pause, until);
		outbox_scan(&e->events);
		exporter_store_at_times(e);
	}
}

void exporter_back_off(struct exporter *e, int64_t first_ms)
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
	e->searching = e->probing = e->proven = false;
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

/* --- the thread --- */

static void exporter_send(struct exporter *e)
{
	struct influx_answer answer;
	size_t length;
	const char *text = exporter_text(e, &length);
	if (influx_write(e->influx, text, length, &answer) != 0) {
		exporter_back_off(e, e->setup.pause_ms);
		return;
	}
	exporter_answer(e, &answer);
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
	while (!pause_stopped(&e->pause) && !e->fatal) {
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
	e->removed =
		metrics_counter(m, "ducha_influx_rejects_removed_total",
				"Texts of refused lines that were removed for newer ones.", "");
	if (e->ok == NULL || e->rejected == NULL || e->error == NULL || e->skipped == NULL ||
	    e->removed == NULL)
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
	if (rc == 0)
		rc = trouble_init(&e->trouble, setup->ledger, "to InfluxDB", ALARM_AFTER_MS);
	e->trouble.silent = true;
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
	trouble_deinit(&exporter->trouble);
	text_deinit(&exporter->known);
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
