/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/farm.h"

#include "sim/bank.h"

double farm_value(const struct farm *farm, uint8_t unit_id, uint16_t address, int64_t time_ms)
{
	uint64_t x = farm->seed ^ ((uint64_t)unit_id << 48 | (uint64_t)address << 32 |
				   (uint64_t)(time_ms / 1000));
	x = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 32)) * 0x94d049bb133111ebu;
	return 20.0 + (double)(x >> 54) / 102.4;
}

int farm_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address, unsigned count,
	      int64_t time_ms, uint16_t *words)
{
	const struct farm *farm = context;
	uint16_t pair[2];
	if (unit_id < 1 || unit_id > 247)
		return BANK_NO_SUCH_UNIT;
	if (function < BANK_HOLDING || address + count > farm->registers)
		return BANK_ILLEGAL_ADDRESS;
	for (unsigned i = 0; i < count; i++) {
		unsigned at = address + i;
		if (i == 0 || at % 2 == 0)
			bank_encode(BANK_FLOAT32, BANK_ABCD,
				    farm_value(farm, unit_id, (uint16_t)(at - at % 2), time_ms),
				    pair);
		words[i] = pair[at % 2];
	}
	return BANK_OK;
}
