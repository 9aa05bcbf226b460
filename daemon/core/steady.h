/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Steady: may the wall clock be believed? Deadlines stand on it, and a clock that was set by an
 * hour or more may have been set wrongly: nothing falls due until it has stayed as it is for a
 * minute.
 */
#include <stdbool.h>
#include <stdint.h>

enum { STEADY_STEP_MS = 3600000, STEADY_HOLD_MS = 60000 };

struct steady {
	bool known;
	int64_t offset_ms;  /* wall clock less CLOCK_BOOTTIME, as last seen */
	int64_t stepped_ms; /* CLOCK_BOOTTIME; INT64_MIN: never */
};

/** steady_look() - Return: true when what falls due by @wall_ms may be said. Zeroed to begin with.
 */
bool steady_look(struct steady *steady, int64_t wall_ms, int64_t mono_ms);
