/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One batch is under way at a time. `done` lines of it are settled (stored, or refused for good and
 * their text on disk); `part` is how many of the next ones go into one request. It shrinks to find
 * a bad line or to fit a server's limit, and the cursor moves when all lines are settled.
 *
 * A line that is refused alone is the suspect. It is put aside only when the server takes another
 * one right after, and then refuses the suspect again: the last that it took, or while it took none
 * yet, one further on in the batch, at growing distances. A server that takes none of them refuses
 * everything, and all waits.
 *
 * exporter.c: what goes next, and the thread; exporter-answers.c: what becomes of it.
 */
#include "base/log.h"
#include "deliver/batch.h"
#include "deliver/behind.h"
#include "deliver/exporter.h"
#include "deliver/influx.h"
#include "deliver/pause.h"
#include "deliver/section-feed.h"
#include "deliver/trouble.h"

#include <pthread.h>

enum source { SOURCE_BACKLOG, SOURCE_FRESH, SOURCE_EVENTS, SOURCE_SECTIONS };

struct exporter {
	struct exporter_setup setup;
	char *directory;
	struct influx *influx;
	struct daybook_reader *reader;
	struct outbox events;
	struct section_feed sections;
	struct behind behind; /* the readings' cursors */
	int64_t stored_ms, fresh_ms, end;
	struct metric *ok, *rejected, *error, *skipped, *removed;
	struct trouble trouble;
	struct pause pause;
	pthread_t thread;
	bool started, fatal;

	struct batch batch;
	enum source source;
	size_t done, part;
	size_t bad;  /* of the lines from `done` to before this one is one that is refused; 0:
			unknown */
	size_t most; /* lines in a batch at present; a 413 lowers it */
	unsigned failures, tries;
	unsigned good;     /* whole batches since the last 413 */
	bool searching;    /* the server fails at this batch: look for a line that is to blame */
	bool probing;      /* another line is tried, to see whether the server takes any */
	size_t ahead;      /* which: so far behind the suspect; 0: `known` */
	bool proven;       /* it took one: the suspect once more */
	struct text known; /* the line that the server took last; empty: none yet */
	enum influx_verdict said;
	struct log_repeat refusals, store_trouble, skips, sizes, removals;
};

/* --- exporter.c --- */

int64_t exporter_backlog(struct exporter *e);
/** exporter_store_at_times() - at least each second: store the cursors, look after the alert */
void exporter_store_at_times(struct exporter *e);
void exporter_wait(struct exporter *e, int64_t ms);
/** exporter_back_off() - a pause that grows with each further failure from @first_ms on */
void exporter_back_off(struct exporter *e, int64_t first_ms);

/* --- exporter-answers.c --- */

/** exporter_advance() - all lines of the batch are settled */
void exporter_advance(struct exporter *e);
/** exporter_text() - what is to be sent next of the batch, or as a probe */
const char *exporter_text(const struct exporter *e, size_t *length);
void exporter_answer(struct exporter *e, const struct influx_answer *answer);
