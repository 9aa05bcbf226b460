/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Round: what is due on a bus at one moment, asked one span after the other.
 *
 *   time     0         interval    2·interval  3·interval  4·interval
 *   due      |           |           |           |           |       phase = interval · index / n
 *   round 0  [a][b]      |           |           |           |       spans asked one at a time
 *   round 1              [a][b~~~~~~~~~~~~~~~~]  |           |       b is slow: the round at
 *                                    ^ late                          2·interval is left out
 *   round 3                                      [a][b]      |       and the phase is kept
 *
 * Units that did not answer last time come last, dead ones ever more rarely (units.h). Whoever
 * carries the bytes sets the deadline of the span whose turn it is.
 */
#include "drivers/modbus/bus.h"

enum { ROUND_TICK_MS = 10 }; /* a round starts at the tick nearest to its due time */

static inline bool round_runs(const struct bus *bus)
{
	return bus->turn < bus->plan.n_spans;
}

/** round_is_due() - the next round is to begin at @now_ns */
static inline bool round_is_due(const struct bus *bus, int64_t now_ns)
{
	return now_ns + ROUND_TICK_MS * INT64_C(1000000) / 2 >= bus->due_ns;
}

/** round_begin() - begin the round that is due. Return: false where one still runs: then the new
 * one is left out and counted as late */
bool round_begin(struct bus *bus, int64_t now_ns);

/** round_advance() - the span whose turn it is has had its say; ends the round after the last one
 */
void round_advance(struct bus *bus);

/** round_miss() - the span whose turn it is brought nothing because of bus->cause; moves on */
void round_miss(struct bus *bus);

/** round_miss_others() - @unit is not asked any more in this round, but for the span under way */
void round_miss_others(struct bus *bus, const struct modbus_unit *unit);
