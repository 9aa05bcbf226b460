/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fleet: any number of equal instruments behind one port, for measuring how many a daemon can poll.
 */
#include <stdint.h>

struct fleet {
	unsigned registers; /* holding and input registers 0 to registers - 1, float32, ABCD */
	uint64_t seed;
};

/** fleet_value() - what unit @unit_id shows at @address, an even one; from 20 to 30 */
double fleet_value(const struct fleet *fleet, uint8_t unit_id, uint16_t address, int64_t time_ms);
/** fleet_read() - a responder_source's read for units 1 to 247, @context is the struct fleet */
int fleet_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address, unsigned count,
	       int64_t time_ms, uint16_t *words);
