/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Timepiece: the wall clock as far as it may be believed (core/trust.h), kept in the ledger over
 * restarts. The main thread looks once a second; any thread may ask.
 *
 * While the machine runs, CLOCK_BOOTTIME says exactly what was lived since the ledger was told,
 * whatever became of the daemon; after a reboot what the ledger was told last counts, and that is
 * an hour old at most.
 */
#include "core/trust.h"
#include "core/zone.h"
#include "store/ledger.h"

#include <stdatomic.h>

struct timepiece {
	struct ledger *ledger;
	struct trust trust;
	char boot[40];            /* of the kernel; empty: not known */
	int64_t due_ms;           /* CLOCK_BOOTTIME when the ledger is told next */
	int64_t kept_ms;          /* trust.lived_ms as it was told last */
	_Atomic int64_t lived_ms; /* as in struct trust */
	_Atomic bool doubted, confirm;
};

/**
 * timepiece_begin() - take up what is known (main thread, before the others)
 * @days: of files of readings, oldest first, for want of anything better
 * Return: 0, negative errno: nothing could be read
 */
int timepiece_begin(struct timepiece *timepiece, struct ledger *ledger, const int64_t *days,
		    size_t n_days, const struct trust_clocks *now);
/** timepiece_look() - once a second (main thread). Return: 0; negative errno: it could not be kept,
 * and is tried again; LEDGER_FATAL. */
int timepiece_look(struct timepiece *timepiece, const struct trust_clocks *now);
/** timepiece_clocks() - what the two clocks and the kernel say now */
struct trust_clocks timepiece_clocks(void);

/** timepiece_age_ms() - the wall clock by which ages are counted (any thread) */
int64_t timepiece_age_ms(const struct timepiece *timepiece);
/** timepiece_doubted() - nothing falls due by the wall clock (any thread) */
bool timepiece_doubted(const struct timepiece *timepiece);
/** timepiece_confirm() - the wall clock is right, says who knows; taken up at the next look (any
 * thread) */
void timepiece_confirm(struct timepiece *timepiece);
