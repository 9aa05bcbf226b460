/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/zone.h"

#include <string.h>
#include <time.h>

/* Europe/Berlin 2026: summer time from 29 March 01:00 UTC to 25 October 01:00 UTC. */
#define SPRING INT64_C(1774746000)
#define AUTUMN INT64_C(1792890000)

static const struct zone_change berlin_changes[] = {{0, 3600}, {SPRING, 7200}, {AUTUMN, 3600}};
static const struct zone berlin = {berlin_changes, 3};
static const struct zone utc = {NULL, 0};

static void test_an_offset_holds_from_the_very_second_of_its_change(void **state)
{
	assert_int_equal(zone_offset_s(&berlin, SPRING * 1000 - 1), 3600);
	assert_int_equal(zone_offset_s(&berlin, SPRING * 1000), 7200);
	assert_int_equal(zone_offset_s(&berlin, AUTUMN * 1000 - 1), 7200);
	assert_int_equal(zone_offset_s(&berlin, AUTUMN * 1000), 3600);
	assert_int_equal(zone_offset_s(&berlin, INT64_C(4102444800000)), 3600);
	assert_int_equal(zone_offset_s(&berlin, -1), 3600);
	assert_int_equal(zone_offset_s(&utc, 12345), 0);
	assert_int_equal(zone_offset_s(NULL, 12345), 0);
	(void)state;
}

static void check_civil(const struct zone *zone, int64_t second, int64_t year, int month, int day,
			int hour, int minute, int s)
{
	struct civil c = zone_civil(zone, second * 1000 + 999);
	assert_int_equal(c.year, year);
	assert_int_equal(c.month, month);
	assert_int_equal(c.day, day);
	assert_int_equal(c.hour, hour);
	assert_int_equal(c.minute, minute);
	assert_int_equal(c.second, s);
}

static void test_civil_times_jump_with_the_zone(void **state)
{
	check_civil(&berlin, SPRING - 1, 2026, 3, 29, 1, 59, 59);
	check_civil(&berlin, SPRING, 2026, 3, 29, 3, 0, 0);
	check_civil(&berlin, AUTUMN - 1, 2026, 10, 25, 2, 59, 59);
	check_civil(&berlin, AUTUMN, 2026, 10, 25, 2, 0, 0);
	check_civil(&utc, 0, 1970, 1, 1, 0, 0, 0);
	check_civil(&utc, -1, 1969, 12, 31, 23, 59, 59);
	(void)state;
}

static void test_civil_dates_agree_with_the_c_library(void **state)
{
	for (int64_t second = -62135596800; second < 253402300800; second += 86400 * 97 + 12345) {
		time_t t = (time_t)second;
		struct tm tm;
		gmtime_r(&t, &tm);
		check_civil(&utc, second, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			    tm.tm_min, tm.tm_sec);
		struct civil c = zone_civil(&utc, second * 1000);
		assert_int_equal(zone_wall_ms(&utc, &c, 7), second * 1000 + 7);
	}
	(void)state;
}

static void test_a_civil_time_that_occurs_twice_is_its_first(void **state)
{
	struct civil twice = {2026, 10, 25, 2, 30, 0};
	assert_int_equal(zone_wall_ms(&berlin, &twice, 0), (AUTUMN - 1800) * 1000);
	struct civil first = {2026, 10, 25, 2, 0, 0}, after = {2026, 10, 25, 3, 0, 0};
	assert_int_equal(zone_wall_ms(&berlin, &first, 0), (AUTUMN - 3600) * 1000);
	assert_int_equal(zone_wall_ms(&berlin, &after, 0), (AUTUMN + 3600) * 1000);
	(void)state;
}

static void test_a_civil_time_that_does_not_occur_is_as_before_the_change(void **state)
{
	struct civil none = {2026, 3, 29, 2, 30, 0};
	assert_int_equal(zone_wall_ms(&berlin, &none, 0), (SPRING + 1800) * 1000);
	(void)state;
}

static void test_every_hour_of_a_year_reads_back(void **state)
{
	for (int64_t s = 1767225600; s < 1767225600 + 365 * 86400; s += 1800) {
		struct civil c = zone_civil(&berlin, s * 1000);
		int64_t back = zone_wall_ms(&berlin, &c, 0) / 1000;
		bool repeated = s >= AUTUMN && s < AUTUMN + 3600;
		assert_int_equal(back, repeated ? s - 3600 : s);
	}
	(void)state;
}

static const int64_t none = INT64_MIN;

static int64_t parsed(const char *text, const struct zone *zone)
{
	int64_t ms;
	return time_parse(text, strlen(text), zone, &ms) ? ms : none;
}

static void test_times_are_read_as_rfc_3339_or_epoch(void **state)
{
	static const struct {
		const char *text;
		int64_t expected;
	} cases[] = {
		{"2026-01-02T03:04:05+08:00", 1767294245000},
		{"2026-01-01T19:04:05Z", 1767294245000},
		{"2026-01-01t19:04:05z", 1767294245000},
		{"2026-01-01 19:04:05Z", 1767294245000},
		{"2026-01-01T15:34:05-03:30", 1767294245000},
		{"2026-01-01T19:04:05.1Z", 1767294245100},
		{"2026-01-01T19:04:05.123999Z", 1767294245123},
		{"2026-01-01T20:04:05", 1767294245000}, /* in the zone */
		{"2026-10-25T02:30:00", (AUTUMN - 1800) * 1000},
		{"2026-10-25T02:30:00+01:00", (AUTUMN + 1800) * 1000},
		{"2024-02-29T00:00:00Z", 1709164800000},
		{"2016-12-31T23:59:60Z", 1483228800000},
		{"0", 0},
		{"1767294245", 1767294245000},
		{"1767294245.5", 1767294245500},
		{"1767294245.0009", 1767294245000},
		{"-1", -1000},
		{"-0.5", -500},
		{"-0.0001", -1},
		{"253402297199.999", 253402297199999},
		{"9999-12-31T22:59:59.999Z", 253402297199999},
		{"-62135596800", -62135596800000},
		{"0001-01-01T00:00:00Z", -62135596800000},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(parsed(cases[i].text, &berlin), cases[i].expected);
	(void)state;
}

static void test_what_is_no_whole_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"-",
		".",
		".5",
		"1.",
		"1e9",
		"+1",
		"0x10",
		"1 ",
		" 1",
		"nan",
		"2026-01-02T03:04Z",
		"2026-01-02T03:04",
		"2026-01-02",
		"2026-1-2T03:04:05Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T03:04:61Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05,5Z",
		"2026-01-02T03:04:05+0800",
		"2026-01-02T03:04:05+08",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05+08:60",
		"2026-01-02T03:04:05ZZ",
		"2026-01-02T03:04:05Z ",
		"2026-01-02  03:04:05Z",
		"0000-01-01T00:00:00Z",
		"253402300800",
		"-62135596801",
		"99999999999999",
		"12345678901234567890",
		"2026/01/02 03:04:05",
		"2026-01-02T03:04:05 +08:00",
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (parsed(bad[i], &berlin) != none)
			fail_msg("\"%s\" was taken as %lld", bad[i],
				 (long long)parsed(bad[i], &berlin));
	(void)state;
}

static void test_a_year_that_the_zone_cannot_write_is_refused(void **state)
{
	static const struct zone_change offsets[] = {{0, 8 * 3600}, {0, -8 * 3600}};
	const struct zone east = {&offsets[0], 1}, west = {&offsets[1], 1};
	assert_int_equal(parsed("9999-12-31T15:59:59Z", &east), 253402271999000);
	assert_int_equal(parsed("9999-12-31T16:00:00Z", &east), none);
	assert_int_equal(parsed("253402300799", &east), none);
	assert_int_equal(parsed("0001-01-01T08:00:00Z", &west), -62135568000000);
	assert_int_equal(parsed("0001-01-01T07:59:59Z", &west), none);
	assert_int_equal(parsed("-62135596800", &west), none);
	(void)state;
}

static void test_a_time_without_offset_needs_a_zone(void **state)
{
	assert_int_equal(parsed("2026-01-02T03:04:05", NULL), none);
	assert_int_equal(parsed("2026-01-02T03:04:05Z", NULL), 1767323045000);
	(void)state;
}

static void test_no_byte_behind_the_length_is_read_as_time(void **state)
{
	int64_t ms;
	assert_true(time_parse("17672942459", 10, &utc, &ms));
	assert_int_equal(ms, 1767294245000);
	assert_false(time_parse("2026-01-02T03:04:05Z", 18, &utc, &ms));
	assert_true(time_parse("2026-01-02T03:04:05Z", 19, &utc, &ms));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_offset_holds_from_the_very_second_of_its_change),
		cmocka_unit_test(test_civil_times_jump_with_the_zone),
		cmocka_unit_test(test_civil_dates_agree_with_the_c_library),
		cmocka_unit_test(test_a_civil_time_that_occurs_twice_is_its_first),
		cmocka_unit_test(test_a_civil_time_that_does_not_occur_is_as_before_the_change),
		cmocka_unit_test(test_every_hour_of_a_year_reads_back),
		cmocka_unit_test(test_times_are_read_as_rfc_3339_or_epoch),
		cmocka_unit_test(test_what_is_no_whole_time_is_refused),
		cmocka_unit_test(test_a_year_that_the_zone_cannot_write_is_refused),
		cmocka_unit_test(test_a_time_without_offset_needs_a_zone),
		cmocka_unit_test(test_no_byte_behind_the_length_is_read_as_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
