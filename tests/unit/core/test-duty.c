/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/duty.h"

#include <string.h>

static const struct zone_change changes[] = {{.from_s = INT64_MIN / 2, .offset_s = 8 * 3600}};
static const struct zone zone = {changes, 1};
static const char *const people[] = {"A", "B", "C"};
static const struct duty plain = {.people = people,
				  .n = 3,
				  .change_min = 510,
				  .digest_min = 510,
				  .next_min = 30,
				  .source_next_min = 15};

static int64_t at(const char *text)
{
	int64_t ms = 0;
	assert_true(time_parse(text, strlen(text), &zone, &ms));
	return ms;
}

static void test_the_roster_turns_at_its_hour(void **state)
{
	struct duty duty = plain;
	const char *before = duty_person(&duty, &zone, at("2026-03-02T08:29:59"), 0);
	const char *after = duty_person(&duty, &zone, at("2026-03-02T08:30:00"), 0);
	(void)state;
	assert_string_not_equal(before, after);
	assert_string_equal(duty_person(&duty, &zone, at("2026-03-02T08:29:59"), 1), after);
	assert_string_equal(duty_person(&duty, &zone, at("2026-03-03T08:29:59"), 0), after);
	duty.rotation = DUTY_FIXED;
	assert_string_equal(duty_person(&duty, &zone, at("2026-03-02T08:30:00"), 0), "A");
	assert_string_equal(duty_person(&duty, &zone, at("2026-03-09T08:30:00"), 4), "B");
	duty.rotation = DUTY_BY_WEEK; /* 2026-03-02 is a Monday */
	assert_string_not_equal(duty_person(&duty, &zone, at("2026-03-02T08:29:59"), 0),
				duty_person(&duty, &zone, at("2026-03-02T08:30:00"), 0));
	assert_string_equal(duty_person(&duty, &zone, at("2026-03-02T08:30:00"), 0),
			    duty_person(&duty, &zone, at("2026-03-09T08:29:59"), 0));
}

static void test_the_next_person_is_called_and_all_are_called_twice(void **state)
{
	(void)state;
	assert_int_equal(duty_next(&plain, SITE_OUTFALL, 1000, 1), 1000 + 30 * 60000);
	assert_int_equal(duty_next(&plain, SITE_WATER_SOURCE, 1000, 5), 1000 + 15 * 60000);
	assert_int_equal(duty_next(&plain, SITE_OUTFALL, 1000, 6), 0);
}

static void test_the_digest_comes_in_the_morning(void **state)
{
	(void)state;
	assert_int_equal(duty_digest(&plain, &zone, at("2026-03-02T23:00:00")),
			 at("2026-03-03T08:30:00"));
	assert_int_equal(duty_digest(&plain, &zone, at("2026-03-03T08:29:59")),
			 at("2026-03-03T08:30:00"));
	assert_int_equal(duty_digest(&plain, &zone, at("2026-03-03T08:30:00")),
			 at("2026-03-04T08:30:00"));
}

static bool rings(enum alert_kind kind, struct severity_facts facts)
{
	return duty_rings(kind, &facts, 1000, 1000, false);
}

static void test_what_is_urgent_rings_and_the_rest_waits(void **state)
{
	struct severity_facts f = {.kind = SITE_WATER_SOURCE, .factor = "w01018"};
	(void)state;
	assert_true(rings(ALERT_STALE, f));
	assert_true(duty_rings(ALERT_STALE, &f, 0, 6 * 3600000, false));
	assert_false(duty_rings(ALERT_STALE, &f, 0, 6 * 3600000 + 1, false));
	f.kind = SITE_OUTFALL;
	f.has_multiple = true;
	f.multiple = 1.9;
	assert_false(rings(ALERT_EXCEEDANCE, f));
	f.multiple = 2;
	assert_true(rings(ALERT_EXCEEDANCE, f));
	assert_false(rings(ALERT_WARNING, f));
	f = (struct severity_facts){.kind = SITE_OUTFALL, .factor = "w20115"};
	assert_true(rings(ALERT_EXCEEDANCE, f));
	f = (struct severity_facts){.kind = SITE_OUTFALL, .factor = "w01001", .has_peak = true};
	static const struct {
		double peak;
		bool rings;
	} acidity[] = {{4, true}, {4.1, false}, {10.9, false}, {11, true}};
	for (size_t i = 0; i < 4; i++) {
		f.peak = acidity[i].peak;
		assert_int_equal(rings(ALERT_EXCEEDANCE, f), acidity[i].rings);
	}
	f.kind = SITE_RIVER_SECTION;
	f.peak = 11;
	assert_false(rings(ALERT_EXCEEDANCE, f));
}

static void test_in_a_flood_only_what_is_urgent_rings(void **state)
{
	struct severity_facts f = {.kind = SITE_WATER_SOURCE, .factor = "w01018"};
	(void)state;
	assert_true(duty_rings(ALERT_STALE, &f, 0, 0, false));
	assert_false(duty_rings(ALERT_STALE, &f, 0, 0, true));
	f.factor = "w20115";
	assert_true(duty_rings(ALERT_EXCEEDANCE, &f, 0, 0, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_roster_turns_at_its_hour),
		cmocka_unit_test(test_the_next_person_is_called_and_all_are_called_twice),
		cmocka_unit_test(test_the_digest_comes_in_the_morning),
		cmocka_unit_test(test_what_is_urgent_rings_and_the_rest_waits),
		cmocka_unit_test(test_in_a_flood_only_what_is_urgent_rings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
