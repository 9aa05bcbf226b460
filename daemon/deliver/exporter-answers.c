/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/exporter-internal.h"
#include "deliver/rejects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
	REFUSED_PAUSES = 5, /* a server that must be set right first is left in peace longer */
	PATIENCE = 3,       /* tries of a whole batch that a server fails at */
	GROW_AFTER = 64,    /* batches that fit, before a larger one is tried again */
};

/* --- settling --- */

void exporter_advance(struct exporter *e)
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
				  " events that make no line stay in the ledger only",
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
	e->proven = false;
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

static void say_removed(struct exporter *e, size_t files)
{
	metric_add(e->removed, (int64_t)files);
	if (files > 0 && log_due(&e->removals))
		log_warnx("influx: %s/rejected is full, the oldest texts of refused lines are "
			  "removed (%" PRId64 " so far)",
			  e->directory, metric_get(e->removed));
}

/* Return: true if the lines are on disk. */
static bool keep_rejected(struct exporter *e, const char *name, size_t lines, const char *why)
{
	size_t length, removed = 0;
	const char *text = batch_part(&e->batch, e->done, lines, &length);
	int rc = rejects_keep(e->directory, name, why, text, length, &removed);
	say_removed(e, removed);
	if (rc > 0) {
		e->fatal = true;
		e->setup.fatal(e->setup.context);
	} else if (rc < 0) {
		errno = -rc;
		if (log_due(&e->store_trouble))
			log_warn("influx: cannot keep refused lines in %s/rejected, they wait",
				 e->directory);
		exporter_back_off(e, e->setup.pause_ms);
	}
	return rc == 0;
}

/* Puts @lines from `done` on aside for good; if that fails they stay, and the answer will repeat.
 */
static void reject(struct exporter *e, size_t lines, int64_t dropped, const char *why)
{
	char name[128];
	snprintf(name, sizeof name, "influx-%s-%020" PRId64 "-%06zu.lp", source_name(e->source),
		 e->batch.first, e->done);
	if (!keep_rejected(e, name, lines, why))
		return;
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
	case INFLUX_MALFORMED:
		return "the server refuses whatever it gets, nothing is put aside";
	case INFLUX_ACCEPTED:
	case INFLUX_PARTIAL:
	case INFLUX_STOPPED:
		break;
	}
	return "trouble";
}

/* @refused: it says no to everything, so a person has to look */
static void say_trouble(struct exporter *e, const struct influx_answer *answer, bool refused)
{
	char text[TROUBLE_BYTES];
	snprintf(text, sizeof text, "%s (%ld %.100s)", trouble_text(answer->verdict),
		 answer->status, answer->text);
	trouble_is(&e->trouble, text, refused, exporter_backlog(e));
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
	trouble_over(&e->trouble);
}

/* A line that the server took; sent again it is the same point. */
static void know(struct exporter *e, size_t line)
{
	size_t length;
	const char *text = batch_part(&e->batch, line, 1, &length);
	text_clear(&e->known);
	text_add_n(&e->known, text, length);
	if (e->known.failed)
		text_clear(&e->known);
}

/* Return: false if there is no other line to try. */
static bool probe_next(struct exporter *e)
{
	if (!e->probing)
		e->ahead = e->known.length > 0 ? 0 : 1;
	else if (e->ahead == 0)
		return false;
	else
		e->ahead *= 2;
	e->probing = e->done + e->ahead < e->batch.n;
	return e->probing;
}

/* It is the server: nothing is put aside, and the same lines come again. */
static void blame_server(struct exporter *e, const struct influx_answer *answer)
{
	e->probing = e->proven = false;
	e->most = e->setup.batch_lines;
	say_trouble(e, answer, answer->verdict != INFLUX_UNKNOWN && answer->verdict != INFLUX_BUSY);
	batch_clear(&e->batch);
	exporter_back_off(e, e->setup.pause_ms);
}

/* The line at `done` was refused alone. */
static void suspect(struct exporter *e, const struct influx_answer *answer)
{
	if (e->proven)
		reject(e, 1, 1, answer->text);
	else if (!probe_next(e))
		blame_server(e, answer);
}

static void on_probe(struct exporter *e, const struct influx_answer *answer)
{
	switch (answer->verdict) {
	case INFLUX_ACCEPTED:
	case INFLUX_PARTIAL:
		e->probing = false;
		e->proven = true;
		say_good(e);
		if (e->ahead > 0 && answer->verdict == INFLUX_ACCEPTED)
			know(e, e->done + e->ahead);
		break;
	case INFLUX_MALFORMED:
	case INFLUX_TOO_LARGE:
	case INFLUX_DOUBTFUL:
		if (!probe_next(e))
			blame_server(e, answer);
		break;
	case INFLUX_REFUSED:
	case INFLUX_BUSY:
	case INFLUX_UNKNOWN:
		blame_server(e, answer);
		break;
	case INFLUX_STOPPED:
		break;
	}
}

static void on_accepted(struct exporter *e, size_t lines)
{
	say_good(e);
	e->refusals = (struct log_repeat){0};
	metric_add(e->ok, (int64_t)lines);
	know(e, e->done + lines - 1);
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
		suspect(e, answer);
	else
		narrow(e);
}

static void on_too_large(struct exporter *e, const struct influx_answer *answer)
{
	if (e->part == 1) {
		suspect(e, answer);
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
 * times; then halves down to one line.
 */
static void on_doubtful(struct exporter *e, const struct influx_answer *answer)
{
	if (answer->status >= 500 && !e->searching && ++e->tries < PATIENCE) {
		exporter_back_off(e, e->setup.pause_ms);
		return;
	}
	e->searching = true;
	on_malformed(e, answer);
}

static void on_trouble(struct exporter *e, const struct influx_answer *answer)
{
	say_trouble(e, answer, answer->verdict == INFLUX_REFUSED);
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

void exporter_answer(struct exporter *e, const struct influx_answer *answer)
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
		say_good(e);
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

const char *exporter_text(const struct exporter *e, size_t *length)
{
	if (!e->probing)
		return batch_part(&e->batch, e->done, e->part, length);
	if (e->ahead > 0)
		return batch_part(&e->batch, e->done + e->ahead, 1, length);
	*length = e->known.length;
	return e->known.at;
}
