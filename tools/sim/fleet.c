/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet.h"

#include "sim/bank.h"

double fleet_value(const struct fleet *fleet, uint8_t unit_id, uint16_t address, int64_t time_ms)
{
	uint64_t x = fleet->seed ^ ((uint64_t)unit_id << 48 | (uint64_t)address << 32 |
				    (uint64_t)(time_ms / 1000));
	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 32)) * 0x94d049bb133111ebu;
	return 20.0 + (double)(x >> 54) / 102.4;
}

int fleet_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address, unsigned count,
	       int64_t time_ms, uint16_t *words)
{
	const struct fleet *fleet = context;
	uint16_t pair[2];
	if (unit_id < 1 || unit_id > 247)
		return BANK_NO_SUCH_UNIT;
	if (function < BANK_HOLDING || address + count > fleet->registers)
		return BANK_ILLEGAL_ADDRESS;
	for (unsigned i = 0; i < count; i++) {
		unsigned at = address + i;
		if (i == 0 || at % 2 == 0)
			bank_encode(BANK_FLOAT32, BANK_ABCD,
				    fleet_value(fleet, unit_id, (uint16_t)(at - at % 2), time_ms),
				    pair);
		words[i] = pair[at % 2];
	}
	return BANK_OK;
}
