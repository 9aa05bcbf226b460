/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Trust: how far the wall clock may be believed by what cannot be taken back: removing readings
 * and sums for their age, telling people that a deadline has passed.
 *
 * Beside the wall clock goes a time that was lived: it advances with CLOCK_BOOTTIME, over restarts
 * too, and no step of the wall clock moves it. Ages are counted by the earlier of the two, so that
 * a clock alone, however wrong and however often started with, makes nothing old.
 *
 *   at most a day apart, or synchronised ──► what was lived follows the wall clock
 *   wall clock ahead ──────────────────────► it waits until somebody confirms the clock
 *   wall clock behind ─────────────────────► it follows once a day was lived like that
 *
 * A daemon that was off for some weeks has simply not lived them: nothing falls due later for that,
 * but its readings are kept so much longer. A clock that jumps ahead under way by more than a day,
 * or is more than a month ahead at a start, is doubted.
 */
#include <stdbool.h>
#include <stdint.h>

#define TRUST_STEP_MS INT64_C(86400000)
enum { TRUST_AWAY_DAYS = 31 }; /* so long a daemon may have been off */

struct trust {
	int64_t lived_ms;  /* wall clock less CLOCK_BOOTTIME, as far as it is believed */
	int64_t away_ms;   /* so far ahead the wall clock may be without being doubted */
	int64_t behind_ms; /* CLOCK_BOOTTIME since when it is behind; INT64_MAX: it is not */
	bool doubted;
};

struct trust_clocks {
	int64_t wall_ms;
	int64_t mono_ms; /* CLOCK_BOOTTIME */
	bool synced;     /* the kernel calls the wall clock synchronised, and shows the same */
};

/**
 * trust_begin() - at a start
 * @lived_ms: the wall clock as far as it was believed when it was last seen to be so, and what
 *     CLOCK_BOOTTIME has advanced since, as far as that is known
 * @doubted: was it then?
 */
void trust_begin(struct trust *trust, int64_t lived_ms, bool doubted,
		 const struct trust_clocks *now);
/** trust_look() - to be called every second or so. Return: is the wall clock doubted? */
bool trust_look(struct trust *trust, const struct trust_clocks *now);
/** trust_confirm() - somebody who knows says that the wall clock is right */
void trust_confirm(struct trust *trust, const struct trust_clocks *now);
/** trust_ahead() - how far the wall clock is ahead of what was lived, ms; negative: behind */
int64_t trust_ahead(const struct trust *trust, const struct trust_clocks *now);

/**
 * trust_recorded() - what was lived by the days on which something was recorded alone, where
 * nothing better is known: their newest, but for those behind a hole of more than TRUST_AWAY_DAYS
 * @days: zone_day(), in the order in which they were recorded
 * Return: wall clock at its end, or @wall_ms where that is earlier or nothing was recorded
 */
int64_t trust_recorded(const int64_t *days, uint64_t n, int64_t wall_ms);
