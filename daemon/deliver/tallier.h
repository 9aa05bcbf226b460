/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tallier: adds up what the daybooks hold, once, behind a cursor: loads by the hour (core/tally.h),
 * counts and means by the day. Reports, totals and classes read the result (store/tallies.h) and
 * never the readings.
 *
 * It follows the clock with a grace of ten minutes. What arrives later is counted, and the day of
 * its site is added up anew from the daybook, as is a day whose readings were marked: it looks at
 * the ledger's marks by itself, and one that it has not seen lasts over a restart. It also
 * judges the permits, since only it knows a year's load: a verdict is offered until it is
 * committed, and the ledger takes the same one twice without harm. One thread of low priority.
 */
#include "core/marks.h"
#include "store/daybook-reader.h"
#include "store/daybook.h"
#include "store/ledger.h"
#include "store/tallies.h"

#include <stdatomic.h>

struct tallier;

/* Between the tallier and whoever keeps the store within its bound: sums of hours. */
struct tallier_room {
	_Atomic int64_t from_ms; /* when the oldest begins, as of the last day; INT64_MAX: none */
	_Atomic int64_t drop_before_ms; /* asked for: those that begin before; 0: none */
};

struct tallier_setup {
	const char *directory; /* of the store */
	const struct plan *plan;
	struct ledger *ledger;
	int64_t newest;  /* sequence of the daybook */
	int64_t keep_ms; /* hours older than this are dropped; days stay */
	/* the wall clock as far as it is believed (any thread), by which they are; NULL: all of it
	 */
	int64_t (*age_ms)(void *context);
	/* commit(), fatal(): as of the clerk */
	int (*commit)(void *context, const struct verdict *verdict);
	void (*fatal)(void *context);
	/* adds a note for the history of a case: what a year's load was, and is since a day of it
	 * was added up anew, in tonnes; @withdraw: above no share of the permit any more; may be
	 * NULL */
	void (*note)(void *context, double before, double after, bool withdraw, struct text *out);
	/* whether a day exceeds by an instant limit where all its readings are in the order of
	 * their times: how many lie beyond one, 0 where it does not; may be NULL: nothing that
	 * comes late is looked at. Return: 0, negative errno. */
	int (*late)(void *context, const struct plan *plan, struct daybook_reader *reader,
		    const struct marks *marks, uint32_t monitor, struct span day, int64_t *beyond);
	void *context;
	struct tallier_room *hours;  /* may be NULL */
	_Atomic uint64_t *heartbeat; /* grows while the thread lives; may be NULL */
};

int tallier_new(struct tallier **out, const struct tallier_setup *setup);
int tallier_start(struct tallier *tallier);
/** tallier_stop() - joins the thread; what it read since it last kept is read again */
void tallier_stop(struct tallier *tallier);
struct tallier *tallier_free(struct tallier *tallier);
/** tallier_pass() - all there is until @now_ms, and nothing that a stop interrupts (tests; not
 * while the thread runs). Return: 0, TALLIES_FATAL, negative errno. */
int tallier_pass(struct tallier *tallier, int64_t now_ms);
