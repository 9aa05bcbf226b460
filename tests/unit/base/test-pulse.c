/* SPDX-License-Identifier: Apache-2.0 */
/* Pulses in virtual time: who stands longer than its patience is named, and the others are not. */
#include "base/pulse.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000000)

static const struct pulse_patience patience = {
	{[PULSE_QUICK] = 5 * SECOND, [PULSE_SLOW] = 60 * SECOND}};

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void add_name(void *context, const char *name)
{
	strcat(context, name);
	strcat(context, ";");
}

static const char *stuck(int64_t at_ns)
{
	static char names[200];
	names[0] = '\0';
	pulses_stuck(at_ns, &patience, add_name, names);
	return names;
}

static void test_each_has_its_own_patience(void **state)
{
	(void)state;
	struct pulse quick, slow;
	int64_t began_ns = now_ns();
	pulse_begin(&quick, PULSE_QUICK, "quick", NULL);
	pulse_begin(&slow, PULSE_SLOW, "delivery", "office");
	assert_true(pulses_move(began_ns + 4 * SECOND, &patience));
	assert_false(pulses_move(began_ns + 6 * SECOND, &patience));
	assert_string_equal(stuck(began_ns + 6 * SECOND), "quick;");
	assert_string_equal(stuck(began_ns + 61 * SECOND), "delivery office;quick;");
	pulse_beat(&quick);
	assert_true(pulses_move(began_ns + 7 * SECOND, &patience));
	assert_true(pulses_move(began_ns + 11 * SECOND, &patience));
	assert_false(pulses_move(began_ns + 12 * SECOND, &patience));
	pulse_end(&quick);
	assert_true(pulses_move(began_ns + 12 * SECOND, &patience));
	assert_false(pulses_move(began_ns + 61 * SECOND, &patience));
	pulse_end(&slow);
	assert_true(pulses_move(began_ns + 61 * SECOND, &patience));
}

static void test_one_that_ends_twice_or_never_began_harms_nobody(void **state)
{
	(void)state;
	struct pulse first, second = {.beats = 0};
	pulse_begin(&first, PULSE_QUICK, "first", NULL);
	pulse_end(&second);
	assert_string_equal(stuck(now_ns() + 6 * SECOND), "first;");
	pulse_end(&first);
	pulse_end(&first);
	assert_string_equal(stuck(now_ns() + 6 * SECOND), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_has_its_own_patience),
		cmocka_unit_test(test_one_that_ends_twice_or_never_began_harms_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
