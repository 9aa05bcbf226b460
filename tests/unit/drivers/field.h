/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Field: the driver on a real loop, and real sockets to instruments that misbehave as told.
 *
 * Each value says whose it is and which request it answers: a sample of the wrong instrument, of a
 * request whose reply came late, twice or from elsewhere, or older than the one before, is
 * counted as misattributed as it comes through the door.
 */
#include "drivers/modbus/modbus.h"
#include "sim/responder.h"

#include "core/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { FIELD_LINES = 128, FIELD_UNITS = 8, FIELD_REQUESTS = 1 << 22 };
enum { FIELD_MONITORS = FIELD_LINES * FIELD_UNITS };

struct seen { /* of one monitor */
	uint64_t good, without, fault;
	uint64_t last;                     /* request number */
	uint64_t without_before_last_good; /* readings without value, when the last good one came */
};

struct door {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct field *field;
	struct seen seen[FIELD_MONITORS];
	uint64_t good, without, misattributed;
	unsigned ups[FIELD_LINES], downs[FIELD_LINES];
	unsigned hold_ms; /* how long each reading of monitor 0 holds up the event loop */
};

struct field_line { /* an instrument, or a gateway with some */
	struct field *field;
	uint16_t port;
	struct fault_rule rules[4];
	struct fault_plan plan,
		shadow; /* shadow: the same draw, for the book of spoiled requests */
	_Atomic uint64_t asked[FIELD_UNITS + 1]; /* by unit */
	_Atomic uint64_t n_faults;
	int64_t first_asked_ns[16];
	unsigned n_first;
	struct modbus_point points[FIELD_UNITS];
	char id[32];
};

struct field {
	size_t n_lines, n_units;
	struct field_line lines[FIELD_LINES];
	struct modbus_connection connections[FIELD_LINES];
	_Atomic int64_t play_ms; /* the time of the faults: moved by the test alone */
	_Atomic uint64_t n_requests, n_faults;
	_Atomic uint8_t *spoiled; /* by request number: its value is never to be taken */
	struct responder *responder;
	int stop;
	pthread_t answering, polling;
	struct loop *loop;
	struct metrics *metrics;
	struct door door;
	void *driver;
	int said, stderr_before; /* file that has the log */
};

/** field_new() - @n_lines ports with @n_units each; nothing runs yet */
struct field *field_new(size_t n_lines, size_t n_units, int64_t interval_ms, int64_t timeout_ms);
/** field_fault() - from now to play time @until_ms (0: always); line @line, unit 0: all */
void field_fault(struct field *field, size_t line, uint8_t unit, struct fault fault, double share,
		 int64_t until_ms);
void field_start(struct field *field);
/** field_await() - until @reached holds. Fails the test after 30 s. */
void field_await(struct field *field, bool (*reached)(struct field *field, uint64_t wanted),
		 uint64_t wanted);
/** field_seen() - what came of unit @unit (from 1) of line @line */
struct seen field_seen(struct field *field, size_t line, uint8_t unit);
int64_t field_polls(struct field *field, size_t line, const char *result);
/** field_stop() - nothing more comes */
void field_stop(struct field *field);
/** field_said() - how often the log has @text */
unsigned field_said(struct field *field, const char *text);
/** field_free() - and fail the test where a value was misattributed or a write was asked */
void field_free(struct field *field);
