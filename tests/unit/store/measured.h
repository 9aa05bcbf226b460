/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What was added up of days, as the tallier does it, for the ledger to look at. */
#include "ruled-ledger.h"

#include "store/tallies.h"

/* Midnight in the zone of the test plan. */
#define DAY_START(wall_ms) ((wall_ms) - ((wall_ms) + 8 * 3600000) % DAY_MS)

static inline void measured_until(void **state, int64_t until_ms)
{
	struct tallies *tallies;
	assert_int_equal(tallies_open(&tallies, *state, &plan), 0);
	assert_int_equal(tallies_begin(tallies), 0);
	assert_int_equal(tallies_put(tallies, "until", &until_ms, sizeof until_ms), 0);
	assert_int_equal(tallies_end(tallies, 0), 0);
	tallies_close(tallies);
}

/* One day of a monitor; @wall_ms lies in it */
static inline void measured_day(void **state, uint32_t monitor, int64_t wall_ms,
				struct tally_count count)
{
	const struct span day = {DAY_START(wall_ms), DAY_START(wall_ms) + DAY_MS};
	struct tallies *tallies;
	assert_int_equal(tallies_open(&tallies, *state, &plan), 0);
	assert_int_equal(tallies_begin(tallies), 0);
	assert_int_equal(tallies_count(tallies, monitor, day, &count, true), 0);
	assert_int_equal(tallies_end(tallies, 0), 0);
	tallies_close(tallies);
}

/* So many whole days from @wall_ms on, each with good values, and all are added up. */
static inline void measured(void **state, uint32_t monitor, int64_t wall_ms, int days)
{
	const struct tally_count good = {
		.n = 24, .valid = 24, .sum = 240, .low = 10, .high = 10, .hours = 0xffffff};
	for (int i = 0; i < days; i++)
		measured_day(state, monitor, wall_ms + i * DAY_MS, good);
	measured_until(state, DAY_START(wall_ms) + days * DAY_MS);
}
