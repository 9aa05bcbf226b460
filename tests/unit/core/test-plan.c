/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/plan.h"
#include "core/reading.h"

#include <string.h>

static void test_names_of_kinds_are_those_of_the_interface(void **state)
{
	static const char *const alerts[] = {"warning",    "exceedance", "stale",        "flat",
					     "step",       "clue",       "undetermined", "fault",
					     "connection", "load"};
	static const char *const sites[] = {"river_section", "water_source", "outfall",
					    "air",           "soil",         "noise"};
	static const char *const averages[] = {"instant", "hour", "day", "day-8h"};
	for (unsigned i = 0; i < ALERT_KINDS; i++)
		assert_string_equal(alert_kind_name((enum alert_kind)i), alerts[i]);
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(site_kind_name((enum site_kind)i), sites[i]);
	for (unsigned i = 0; i < AVERAGES; i++) {
		assert_string_equal(average_name((enum average)i), averages[i]);
		assert_int_equal(average_named(averages[i]), i);
	}
	assert_int_equal(average_named(NULL), AVERAGE_INSTANT);
	(void)state;
}

static void test_sites_and_monitors_are_found_by_name(void **state)
{
	const struct site sites[] = {{.id = "one", .first_monitor = 0, .n_monitors = 2},
				     {.id = "two", .first_monitor = 2, .n_monitors = 1},
				     {.id = "three", .first_monitor = 3}};
	const struct monitor monitors[] = {
		{.factor = "a"}, {.factor = "b"}, {.site = 1, .factor = "a"}};
	const struct plan plan = {
		.sites = sites, .n_sites = 3, .monitors = monitors, .n_monitors = 3};
	assert_int_equal(plan_site(&plan, "two"), 1);
	assert_int_equal(plan_site(&plan, "tw"), NO_INDEX);
	assert_int_equal(plan_monitor(&plan, "one", "b"), 1);
	assert_int_equal(plan_monitor(&plan, "two", "a"), 2);
	assert_int_equal(plan_monitor(&plan, "two", "b"), NO_INDEX);
	assert_int_equal(plan_monitor(&plan, "three", "a"), NO_INDEX);
	assert_int_equal(plan_monitor(&plan, "four", "a"), NO_INDEX);
	(void)state;
}

static void test_the_eight_flags_are_known_and_no_others(void **state)
{
	for (int letter = -1; letter < 256; letter++)
		assert_int_equal(flag_known(letter),
				 letter > 0 && strchr("NFMSDCTB", letter) != NULL);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_kinds_are_those_of_the_interface),
		cmocka_unit_test(test_sites_and_monitors_are_found_by_name),
		cmocka_unit_test(test_the_eight_flags_are_known_and_no_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
