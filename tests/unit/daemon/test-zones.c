/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same promises in every kind of zone: whole and half hours, clocks put forward and back by an
 * hour or a half, at midnight too, and a day that never was. The C library's own zone is the
 * oracle, at every half hour of the years and around each change.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/window.h"
#include "store/daybook-file.h"
#include "store/ledger.h"
#include "zone-load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { HOUR_S = 3600, STEP_S = 1800, FINEST_S = 900 };

/* Years that are over: what governments decide for later ones comes with an update. */
static const struct {
	const char *name;
	int from, to; /* years, both included */
	bool changes; /* within them */
} zones[] = {
	{"Asia/Shanghai", 2019, 2019, false},
	{"Asia/Shanghai", 1988, 1988, true}, /* had summer time then */
	{"UTC", 2019, 2019, false},
	{"Asia/Kolkata", 2019, 2019, false},       /* +05:30 */
	{"Asia/Kathmandu", 2019, 2019, false},     /* +05:45 */
	{"Australia/Lord_Howe", 2019, 2019, true}, /* half an hour of summer time, in the south */
	{"Europe/Berlin", 2019, 2019, true},
	{"America/New_York", 2019, 2019, true},
	{"America/St_Johns", 2019, 2019, true}, /* -03:30 */
	{"America/Havana", 2019, 2019, true},   /* midnight comes twice, or not at all */
	{"America/Sao_Paulo", 2018, 2018, true},
	{"Asia/Beirut", 2019, 2019, true},
	{"Pacific/Apia", 2011, 2011, true}, /* no 30 December 2011 */
	{"Pacific/Kwajalein", 1993, 1993, true},
	{"Pacific/Kiritimati", 2019, 2019, false}, /* +14:00 */
	{"Africa/Casablanca", 2019, 2019, true},   /* summer time but for Ramadan */
};
enum { ZONES = sizeof zones / sizeof zones[0] };

static struct tm local(int64_t second)
{
	time_t t = (time_t)second;
	struct tm tm;
	localtime_r(&t, &tm);
	return tm;
}

static int64_t utc_s(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return (int64_t)timegm(&tm);
}

/* The local day as a number, as the C library says it. */
static int64_t local_day(int64_t second)
{
	struct tm tm = local(second);
	return utc_s(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) / 86400;
}

static void each_zone(void (*check)(const struct zone *zone, int64_t from_s, int64_t to_s))
{
	for (size_t i = 0; i < ZONES; i++) {
		struct zone zone;
		print_message("%s %d to %d\n", zones[i].name, zones[i].from, zones[i].to);
		assert_int_equal(zone_load(&zone, zones[i].name), 0);
		int64_t from = utc_s(zones[i].from, 1, 1), to = utc_s(zones[i].to + 1, 1, 2);
		check(&zone, from, to);
		free((void *)(uintptr_t)zone.changes);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

/* --- the clock --- */

static void check_clock_at(const struct zone *zone, int64_t s)
{
	struct tm tm = local(s);
	struct civil c = zone_civil(zone, s * 1000 + 999);
	assert_int_equal(zone_offset_s(zone, s * 1000), tm.tm_gmtoff);
	assert_int_equal(c.year, tm.tm_year + 1900);
	assert_int_equal(c.month, tm.tm_mon + 1);
	assert_int_equal(c.day, tm.tm_mday);
	assert_int_equal(c.hour, tm.tm_hour);
	assert_int_equal(c.minute, tm.tm_min);
	assert_int_equal(c.second, tm.tm_sec);
}

static void check_clock(const struct zone *zone, int64_t from_s, int64_t to_s)
{
	for (int64_t s = from_s; s < to_s; s += STEP_S) {
		check_clock_at(zone, s);
		check_clock_at(zone, s - 1);
	}
}

static void test_the_clock_is_that_of_the_c_library(void **state)
{
	for (size_t i = 0; i < ZONES; i++) { /* that the matrix holds what it says */
		struct zone zone;
		size_t n = 0;
		assert_int_equal(zone_load(&zone, zones[i].name), 0);
		for (size_t k = 0; k < zone.n_changes; k++)
			n += zone.changes[k].from_s >= utc_s(zones[i].from, 1, 1) &&
			     zone.changes[k].from_s < utc_s(zones[i].to + 1, 1, 1);
		if ((n > 0) != zones[i].changes)
			fail_msg("%s: %zu changes", zones[i].name, n);
		free((void *)(uintptr_t)zone.changes);
	}
	each_zone(check_clock);
	(void)state;
}

/* --- windows --- */

/* Days follow each other without a gap, each is one date and the whole of it. */
static void check_day_windows(const struct zone *zone, int64_t from_s, int64_t to_s)
{
	struct span day = window_span(zone, AVERAGE_DAY, from_s * 1000);
	while (day.end_ms < to_s * 1000) {
		int64_t date = local_day(day.start_ms / 1000);
		struct span next = window_span(zone, AVERAGE_DAY, day.end_ms);
		assert_int_equal(day.start_ms % 1000, 0);
		assert_int_equal(next.start_ms, day.end_ms);
		assert_true(local_day(day.start_ms / 1000 - 1) < date);
		assert_true(local_day(day.end_ms / 1000) > date);
		for (int64_t ms = day.start_ms; ms < day.end_ms; ms += STEP_S * 1000) {
			assert_int_equal(local_day(ms / 1000), date);
			struct span same = window_span(zone, AVERAGE_DAY, ms);
			assert_int_equal(same.start_ms, day.start_ms);
			assert_int_equal(same.end_ms, day.end_ms);
		}
		assert_int_equal(local_day(day.end_ms / 1000 - 1), date);
		day = next;
	}
}

/* An hour that comes twice is two windows; none is longer than an hour or spans a change. */
static void check_hour_windows(const struct zone *zone, int64_t from_s, int64_t to_s)
{
	struct span hour = window_span(zone, AVERAGE_HOUR, from_s * 1000);
	while (hour.end_ms < to_s * 1000) {
		struct tm first = local(hour.start_ms / 1000), last = local(hour.end_ms / 1000 - 1);
		struct span next = window_span(zone, AVERAGE_HOUR, hour.end_ms);
		assert_int_equal(next.start_ms, hour.end_ms);
		assert_true(hour.end_ms - hour.start_ms <= HOUR_S * 1000);
		assert_int_equal(first.tm_hour, last.tm_hour);
		assert_int_equal(first.tm_gmtoff, last.tm_gmtoff);
		struct tm after = local(hour.end_ms / 1000);
		assert_true(after.tm_gmtoff != last.tm_gmtoff || after.tm_hour != last.tm_hour);
		hour = next;
	}
}

static void test_days_and_hours_tile_the_years(void **state)
{
	each_zone(check_day_windows);
	each_zone(check_hour_windows);
	(void)state;
}

static void test_days_have_their_true_length(void **state)
{
	static const struct {
		const char *zone;
		int year, month, day;
		int64_t minutes;
	} days[] = {
		{"Europe/Berlin", 2019, 3, 31, 23 * 60},
		{"Europe/Berlin", 2019, 10, 27, 25 * 60},
		{"America/New_York", 2019, 3, 10, 23 * 60},
		{"Australia/Lord_Howe", 2019, 4, 7, 24 * 60 + 30},
		{"Australia/Lord_Howe", 2019, 10, 6, 23 * 60 + 30},
		{"America/Sao_Paulo", 2018, 11, 4, 23 * 60},
		{"America/Havana", 2019, 11, 3, 25 * 60},
		{"Asia/Shanghai", 2019, 3, 31, 24 * 60},
	};
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		struct zone zone;
		assert_int_equal(zone_load(&zone, days[i].zone), 0);
		int64_t noon = utc_s(days[i].year, days[i].month, days[i].day) + 12 * HOUR_S;
		noon -= zone_offset_s(&zone, noon * 1000);
		struct span day = window_span(&zone, AVERAGE_DAY, noon * 1000);
		assert_int_equal((day.end_ms - day.start_ms) / 60000, days[i].minutes);
		free((void *)(uintptr_t)zone.changes);
	}
	(void)state;
}

/* --- the daybook's days --- */

static char empty[] = "/tmp/ducha-zones-XXXXXX";

static void check_file_days(const struct zone *zone, int64_t from_s, int64_t to_s)
{
	for (int64_t s = from_s; s < to_s; s += STEP_S) {
		int64_t day = day_of(zone, s * 1000);
		struct day_name name;
		struct tm tm = local(s);
		assert_int_equal(day, local_day(s));
		assert_int_equal(day_of(zone, s * 1000 - 1), local_day(s - 1));
		assert_true(zone_day_ms(zone, day) <= s * 1000);
		assert_true(zone_day_ms(zone, day + 1) > s * 1000);
		if (s % (6 * HOUR_S) != 0)
			continue;
		char expected[32];
		snprintf(expected, sizeof expected, "%04d-%02d-%02d.db", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday);
		assert_int_equal(day_choose(empty, zone, s * 1000, &name), 0);
		assert_string_equal(name.text, expected);
		assert_int_equal(day_number(&name), day);
	}
}

static void test_a_file_is_of_the_day_that_the_clock_shows(void **state)
{
	assert_non_null(mkdtemp(empty));
	each_zone(check_file_days);
	rmdir(empty);
	(void)state;
}

/* --- years and numbers of cases --- */

static const struct monitor monitors[] = {{.factor = "w01018", .factor_name = "COD", .unit = ""}};
static const struct site sites[] = {{.id = "s", .name = "S", .n_monitors = 1}};

static void case_at(struct ledger *ledger, int64_t ms, int year, int seq)
{
	struct case_order order = {.site = "s", .source = "inspection", .by = "Inspector C"};
	struct text out = {0};
	char number[64];
	assert_int_equal(ledger_open_case(ledger, &order, ms, &out), 0);
	snprintf(number, sizeof number, "\"number\":\"T〔%d〕%d号\"", year, seq);
	if (strstr(out.at, number) == NULL)
		fail_msg("%s lacks %s", out.at, number);
	text_deinit(&out);
}

/* The last two milliseconds of a year and the first two of the next, wherever the new year lies. */
static void check_years(const struct zone *zone, int64_t from_s, int64_t to_s)
{
	struct plan plan = {.node = "edge-01",
			    .case_prefix = "T",
			    .case_number = "{prefix}〔{year}〕{seq}号",
			    .zone = *zone,
			    .sites = sites,
			    .n_sites = 1,
			    .monitors = monitors,
			    .n_monitors = 1};
	struct ledger *ledger;
	int seq = 0;
	assert_int_equal(ledger_open(&ledger, NULL, &plan), 0);
	for (int64_t s = from_s - 86400; s < to_s; s += FINEST_S) {
		int year = local(s).tm_year + 1900;
		if (local(s - 1).tm_year + 1900 == year)
			continue;
		case_at(ledger, s * 1000 - 2, year - 1, seq + 1);
		case_at(ledger, s * 1000 - 1, year - 1, seq + 2);
		case_at(ledger, s * 1000, year, 1);
		case_at(ledger, s * 1000 + 1, year, 2);
		seq = 2;
	}
	assert_int_equal(seq, 2);
	ledger_close(ledger);
}

static void test_a_case_is_of_the_year_that_the_clock_shows(void **state)
{
	each_zone(check_years);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_clock_is_that_of_the_c_library),
		cmocka_unit_test(test_days_and_hours_tile_the_years),
		cmocka_unit_test(test_days_have_their_true_length),
		cmocka_unit_test(test_a_file_is_of_the_day_that_the_clock_shows),
		cmocka_unit_test(test_a_case_is_of_the_year_that_the_clock_shows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
