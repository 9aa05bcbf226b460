/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Marks in the ledger: what was said about stretches of data, and what each changed.
 *
 * Both tables only grow. A mark is committed before anybody goes by it; what follows from it (means
 * computed anew, notes in the histories of cases) is written by whoever works it off, in one
 * transaction with the cursor that says so, and is done again after a kill in between.
 */
#include "core/marks.h"
#include "core/window.h"
#include "store/ledger.h"

struct mark_order {
	const char *site, *factor; /* a monitor of the plan */
	const char *reason, *by;
	int64_t from_ms, to_ms;
	enum flag flag;
	/* what proves it, kept as an attachment is; NULL: nothing */
	const char *file;
	const void *data;
	size_t size;
};

/** ledger_mark() - give a mark. @out: its JSON. Return: 0, LEDGER_FATAL, negative errno. */
int ledger_mark(struct ledger *ledger, const struct mark_order *order, int64_t now_ms,
		struct text *out);

struct mark_filter {
	const char *site, *factor; /* NULL: all */
	int64_t from_ms, to_ms;    /* those that touch from_ms <= t < to_ms */
	int64_t after;             /* 0, or the id that ended the page before */
	size_t limit;
};
/** ledger_marks_json() - {"marks":[…]}, newest first, each with what it changed once that is known
 */
int ledger_marks_json(struct ledger *ledger, const struct mark_filter *filter, struct text *out);

/** ledger_marked() - the mark over a moment of a monitor (any thread, no disk) */
bool ledger_marked(struct ledger *ledger, uint32_t monitor, int64_t time_ms, enum flag *flag);

/* --- working them off --- */

/** ledger_marks() - those up to @last, as a table. Return: 0 and *out, to be deinitialised. */
int ledger_marks(struct ledger *ledger, int64_t last, struct marks *out);
/** ledger_mark_last() - the newest mark's id, 0: none (any thread, no disk) */
int64_t ledger_mark_last(struct ledger *ledger);
/** ledger_mark_next() - the first mark behind @after whose monitor the plan has; *id 0: none */
int ledger_mark_next(struct ledger *ledger, int64_t after, int64_t *id, struct mark *out);
/** ledger_mark_done() - the newest mark that was worked off, and with it all before */
int64_t ledger_mark_done(struct ledger *ledger);

/**
 * ledger_note_load() - a year's load was added up anew and is another: note it in the cases of the
 * monitor's load in that year, open or not. Return: 0, LEDGER_FATAL, negative errno.
 */
int ledger_note_load(struct ledger *ledger, uint32_t monitor, struct span year, const char *note,
		     int64_t now_ms);

/* What a window comes to with the marks over it, by the strictest of its limits. */
struct recomputed_window {
	uint32_t monitor;
	enum average average;
	struct span span;
	bool exceeds;
};
/** ledger_recomputed() - the windows that marks have changed and that a span touches, those of a
 * monitor and averaging in the order of time; not those of monitors that the plan no longer has.
 * @fn: must not call the ledger. Return: 0, negative errno. */
int ledger_recomputed(struct ledger *ledger, struct span span,
		      void (*fn)(void *context, const struct recomputed_window *window),
		      void *context);

/* A mean that a mark changed, after it was judged. */
struct recomputation {
	uint32_t monitor, limit;
	int64_t start_ms, end_ms; /* of the window */
	bool has_before, has_after;
	double before, after; /* mg/L or whatever the monitor's unit is */
	enum outcome was, is;
};
/**
 * ledger_mark_settle() - a mark is worked off: keep what it changed, and note it in the cases of
 * those windows, open or not; no alert and no case changes otherwise
 * @note: adds the note's text; @withdraw: no window of the case exceeds its limit any more
 */
int ledger_mark_settle(struct ledger *ledger, int64_t mark, const struct recomputation *changes,
		       size_t n, int64_t now_ms,
		       void (*note)(void *context, const struct recomputation *change,
				    bool withdraw, struct text *out),
		       void *context);
