/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/steady.h"

#define WALL INT64_C(1767294245000)

static void test_a_clock_is_believed_from_the_start_and_while_it_is_slewed(void **state)
{
	struct steady s = {0};
	(void)state;
	for (int i = 0; i < 100; i++) /* two hours in all, in small steps */
		assert_true(steady_look(&s, WALL + i * (1000 + 72000), 5000 + i * 1000));
}

static void test_a_step_is_waited_out(void **state)
{
	struct steady s = {0};
	const int64_t steps[] = {STEADY_STEP_MS, -STEADY_STEP_MS, 400 * INT64_C(86400000)};
	int64_t mono = 1000, wall = WALL;
	(void)state;
	assert_true(steady_look(&s, wall, mono));
	for (int i = 0; i < 3; i++) {
		wall += steps[i];
		assert_false(steady_look(&s, wall, mono));
		assert_false(steady_look(&s, wall + STEADY_HOLD_MS - 1, mono + STEADY_HOLD_MS - 1));
		assert_true(steady_look(&s, wall + STEADY_HOLD_MS, mono + STEADY_HOLD_MS));
		wall += STEADY_HOLD_MS;
		mono += STEADY_HOLD_MS;
	}
}

static void test_a_glitch_that_is_taken_back_says_nothing(void **state)
{
	struct steady s = {0};
	(void)state;
	assert_true(steady_look(&s, WALL, 0));
	assert_false(steady_look(&s, WALL * 2, 1000));
	assert_false(steady_look(&s, WALL + 2000, 2000)); /* back again: a step, too */
	assert_true(steady_look(&s, WALL + 62000, 62000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_clock_is_believed_from_the_start_and_while_it_is_slewed),
		cmocka_unit_test(test_a_step_is_waited_out),
		cmocka_unit_test(test_a_glitch_that_is_taken_back_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
