/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pulse: how a thread shows that it lives, for those that no other heartbeat is counted of.
 *
 * A thread begins its pulse, beats whenever it goes round, at least every few seconds, and ends it.
 * The watchdog is fed only while every pulse has moved within its patience: quick for threads that
 * are never long at one thing, slow for those that work on the disk, or wait for somebody else,
 * until it is done. The list is the process's, like its threads.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum pulse_pace { PULSE_QUICK, PULSE_SLOW };

struct pulse {
	_Atomic uint64_t beats;
	uint64_t seen;    /* from here on: under the list's lock */
	int64_t moved_ns; /* CLOCK_BOOTTIME */
	enum pulse_pace pace;
	char name[80];
	struct pulse *next;
};

/**
 * pulse_begin() - this thread is watched from now on
 * @name: "keeper"; two parts, the second may be NULL, as "delivery", "office"
 */
void pulse_begin(struct pulse *pulse, enum pulse_pace pace, const char *name, const char *of);
/** pulse_beat() - (the pulse's thread, or whoever knows that it lives) */
static inline void pulse_beat(struct pulse *pulse)
{
	atomic_fetch_add_explicit(&pulse->beats, 1, memory_order_relaxed);
}
/** pulse_end() - no longer watched; @pulse may go */
void pulse_end(struct pulse *pulse);

/* By pace, how long a pulse may stand. */
struct pulse_patience {
	int64_t ns[PULSE_SLOW + 1];
};

/**
 * pulses_move() - look at all (main thread, for the watchdog)
 * Return: true if all have moved within their patience
 */
bool pulses_move(int64_t now_ns, const struct pulse_patience *patience);
/** pulses_stuck() - call @say with the name of each that did not at the last look, or since (any
 * thread) */
void pulses_stuck(int64_t now_ns, const struct pulse_patience *patience,
		  void (*say)(void *context, const char *name), void *context);
