/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Units: which of the units behind one connection answer, and how often the others are asked. Pure.
 *
 * A serial bus behind a gateway serves one request at a time, so a dead unit costs its neighbours
 * a whole timeout and, over TCP, the connection. It is therefore asked ever more rarely:
 *
 *   rounds in a row that failed   1  2  3  4  5  6   7   8   9 …
 *   rounds until it is asked      1  1  2  4  8  16  32  60  60    but at most REST_CAP_MS
 *
 * and after those that answer; of several dead ones, one in a round, the longest waiting. What its
 * timeout took of other rounds is no rest. A failure is whatever is no fitting reply, and a
 * gateway's word that it got none (exceptions 10 and 11).
 * While nobody answers at all, none rests longer than 4 rounds, and the end of such an outage
 * wakes all: it was the gateway's. A connection with one unit has nobody to spare: there the
 * unit never rests, and the connection's own retries grow rarer.
 */
#include "drivers/modbus/planner.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	MODBUS_REST_ROUNDS = 60,
	MODBUS_REST_CAP_MS = 300000,
	MODBUS_REST_ALL_DEAD_ROUNDS = 4,
	MODBUS_DEAD_AFTER = 3, /* failures in a row: an outage, said once */
};

struct modbus_unit {
	uint8_t id;
	bool is_said;        /* its outage is in the log */
	bool is_parted;      /* it refused requests for several values, and that is in the log */
	uint32_t failures;   /* in a row */
	uint64_t next_round; /* not asked before */
	uint64_t missed;     /* rounds since it last answered */
	uint64_t missed_in;  /* the last of them, plus one */
	const char *cause;   /* of the last failure */
};

struct modbus_units {
	struct modbus_unit *at;
	uint16_t *of_span; /* by span: index into at */
	size_t n;
	uint32_t cap_rounds;
};

/** modbus_units_init() - the units of @plan, asked every @interval_ms. Return: 0, -ENOMEM. */
int modbus_units_init(struct modbus_units *units, const struct modbus_plan *plan,
		      int64_t interval_ms);
void modbus_units_deinit(struct modbus_units *units);
/** modbus_units_reserve() - room for @n_spans spans. Return: 0, -ENOMEM. */
int modbus_units_reserve(struct modbus_units *units, size_t n_spans);
/** modbus_units_part() - span @i of @n_spans has become two, for which there is room */
void modbus_units_part(struct modbus_units *units, size_t i, size_t n_spans);

/** modbus_units_of() - the unit of span @span */
static inline struct modbus_unit *modbus_units_of(const struct modbus_units *units, size_t span)
{
	return &units->at[units->of_span[span]];
}
/** modbus_unit_doubtful() - it did not answer last time: its neighbours come first */
static inline bool modbus_unit_doubtful(const struct modbus_unit *unit)
{
	return unit->failures > 0;
}
/** modbus_unit_dead() - it failed so often that it may wait its turn */
static inline bool modbus_unit_dead(const struct modbus_unit *unit)
{
	return unit->failures >= MODBUS_DEAD_AFTER;
}
/** modbus_units_rest() - @unit is not to be asked (any more) in @round */
bool modbus_units_rest(const struct modbus_units *units, const struct modbus_unit *unit,
		       uint64_t round);
/** modbus_unit_missed() - a poll of @unit brought nothing in @round, be it asked or not */
void modbus_unit_missed(struct modbus_unit *unit, uint64_t round);
/**
 * modbus_units_failed() - @unit was asked in @round and gave no fitting reply because of @cause
 * @next:  the round that begins next; those since @round were left out
 * @alone: others on the connection answer
 */
void modbus_units_failed(const struct modbus_units *units, struct modbus_unit *unit, uint64_t round,
			 uint64_t next, const char *cause, bool alone);
/** modbus_units_wake() - the connection is back: all are asked in the next round, and those
 * whose outage was not their own have a clean record */
void modbus_units_wake(struct modbus_units *units);
