/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pty meter: an instrument behind a pseudo-terminal with two values that are alike but for the
 * address, whose replies say what was asked.
 */
#include "pty-bench.h"

enum {
	ALIKE = 2,
	INTERVAL_MS = 20,
	HASTY_MS = 100,
	SHORT_MS = 60,
	LONG_MS = 10000,
	REPLY_BYTES = 9,
	EXCHANGES = 200,
	LONG_EXCHANGES = 4000
};

extern const struct modbus_point alike[ALIKE];

int64_t now_ms(void);
void sleep_ms(int ms);
/** start_on() - a line to the meter with @answer at its end; the connection may still be changed */
void start_on(struct pty_bench *bench, pty_fn answer, int64_t timeout_ms);
/** finish() - stops, and looks that each value is of its own request */
void finish(struct pty_bench *bench);
void assert_nothing_is_misattributed(const struct pty_bench *bench);
/** good() - samples with a value */
size_t good(struct pty_bench *bench);
bool has_good(const struct door *door, int64_t wanted);
/** close_frame() - the checksum behind @n bytes */
void close_frame(uint8_t *bytes, size_t n);
/** reply_to() - the value says which address it was asked for, and in which request */
void reply_to(const struct pty_bench *bench, const uint8_t *request, uint8_t reply[REPLY_BYTES]);

/* Of type pty_fn. */
void answer_well(struct pty_bench *bench, const uint8_t *request);
void stay_silent(struct pty_bench *bench, const uint8_t *request);
