/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/window.h"

#define H INT64_C(3600000)
#define SPRING (INT64_C(1774746000) * 1000)
#define AUTUMN (INT64_C(1792890000) * 1000)
#define DAY0 (INT64_C(1767225600) * 1000) /* 2026-01-01T00:00Z */

static const struct zone_change berlin_changes[] = {
	{0, 3600}, {INT64_C(1774746000), 7200}, {INT64_C(1792890000), 3600}};
static const struct zone berlin = {berlin_changes, 3};
static const struct zone_change kathmandu_change = {0, 5 * 3600 + 2700};
static const struct zone kathmandu = {&kathmandu_change, 1};
static const struct zone utc = {NULL, 0};

static void check_span(const struct zone *zone, enum average average, int64_t at, int64_t start,
		       int64_t end)
{
	struct span span = window_span(zone, average, at);
	assert_int_equal(span.start_ms, start);
	assert_int_equal(span.end_ms, end);
}

static void test_an_hour_holds_its_start_and_not_its_end(void **state)
{
	check_span(&utc, AVERAGE_HOUR, DAY0, DAY0, DAY0 + H);
	check_span(&utc, AVERAGE_HOUR, DAY0 + H - 1, DAY0, DAY0 + H);
	check_span(&utc, AVERAGE_HOUR, DAY0 + H, DAY0 + H, DAY0 + 2 * H);
	check_span(&utc, AVERAGE_HOUR, -1, -H, 0);
	(void)state;
}

static void test_hours_follow_the_local_clock(void **state)
{
	check_span(&kathmandu, AVERAGE_HOUR, DAY0, DAY0 - 45 * 60000, DAY0 + 15 * 60000);
	(void)state;
}

static void test_the_repeated_hour_is_two_windows(void **state)
{
	check_span(&berlin, AVERAGE_HOUR, AUTUMN - 1, AUTUMN - H, AUTUMN);
	check_span(&berlin, AVERAGE_HOUR, AUTUMN, AUTUMN, AUTUMN + H);
	check_span(&berlin, AVERAGE_HOUR, SPRING - 1, SPRING - H, SPRING);
	check_span(&berlin, AVERAGE_HOUR, SPRING, SPRING, SPRING + H);
	(void)state;
}

static void test_a_day_has_its_true_length(void **state)
{
	check_span(&berlin, AVERAGE_DAY, SPRING, SPRING - 2 * H, SPRING + 21 * H);
	check_span(&berlin, AVERAGE_DAY, AUTUMN, AUTUMN - 3 * H, AUTUMN + 22 * H);
	check_span(&berlin, AVERAGE_DAY, AUTUMN + 22 * H, AUTUMN + 22 * H, AUTUMN + 46 * H);
	check_span(&utc, AVERAGE_DAY, DAY0 + 24 * H - 1, DAY0, DAY0 + 24 * H);
	(void)state;
}

static void test_spans_follow_one_another_without_gap_through_a_year(void **state)
{
	static const enum average averages[] = {AVERAGE_HOUR, AVERAGE_DAY};
	for (int i = 0; i < 2; i++) {
		struct span span = window_span(&berlin, averages[i], DAY0);
		while (span.end_ms < DAY0 + 366 * 24 * H) {
			struct span next = window_span(&berlin, averages[i], span.end_ms);
			assert_int_equal(next.start_ms, span.end_ms);
			assert_true(next.end_ms > next.start_ms);
			struct span last = window_span(&berlin, averages[i], span.end_ms - 1);
			assert_int_equal(last.start_ms, span.start_ms);
			span = next;
		}
	}
	(void)state;
}

static void test_half_an_hour_of_change_cuts_the_hours_at_it(void **state)
{
	/* Lord Howe Island: the clock goes back by half an hour at 02:00 */
	static const struct zone_change changes[] = {{0, 39600}, {1775314800, 37800}};
	const struct zone zone = {changes, 2};
	int64_t change = INT64_C(1775314800000);
	check_span(&zone, AVERAGE_HOUR, change - 1, change - H, change);
	check_span(&zone, AVERAGE_HOUR, change, change, change + H / 2);
	check_span(&zone, AVERAGE_HOUR, change + H / 2, change + H / 2, change + 3 * H / 2);
	(void)state;
}

static void test_windows_are_taken_once_each_in_order_with_their_readings(void **state)
{
	struct windows windows;
	struct window w;
	windows_start(&windows, &utc, AVERAGE_HOUR, DAY0 + 10);
	windows_add(&windows, &utc, AVERAGE_HOUR, DAY0 + 5, 1, 1);
	windows_add(&windows, &utc, AVERAGE_HOUR, DAY0 + H, 7, 1);
	windows_add(&windows, &utc, AVERAGE_HOUR, DAY0 + H - 1, 3, 1);
	assert_false(
		windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + H + 999, 1000, INT64_MIN, &w));
	assert_true(
		windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + H + 1000, 1000, INT64_MIN, &w));
	assert_int_equal(w.n, 2);
	assert_true(window_mean(&w) == 2);
	assert_false(
		windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + H + 1000, 1000, INT64_MIN, &w));
	windows_add(&windows, &utc, AVERAGE_HOUR, DAY0 + H - 1, 99, 1); /* judged: ignored */
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 2 * H + 1000, 1000, INT64_MIN,
				 &w));
	assert_int_equal(w.n, 1);
	assert_true(window_mean(&w) == 7);
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 3 * H + 1000, 1000, INT64_MIN,
				 &w));
	assert_int_equal(w.n, 0);
	assert_int_equal(w.span.start_ms, DAY0 + 2 * H);
	(void)state;
}

static void test_a_mean_loses_nothing_to_rounding(void **state)
{
	struct windows windows;
	struct window w;
	windows_start(&windows, &utc, AVERAGE_DAY, DAY0);
	windows_add(&windows, &utc, AVERAGE_DAY, DAY0, 1e16, 1);
	for (int i = 0; i < 1000; i++)
		windows_add(&windows, &utc, AVERAGE_DAY, DAY0 + i, 0.5, 1);
	windows_add(&windows, &utc, AVERAGE_DAY, DAY0 + 1000, -1e16, 1);
	assert_true(windows_take(&windows, &utc, AVERAGE_DAY, DAY0 + 24 * H, 0, INT64_MIN, &w));
	assert_true(window_mean(&w) == 500.0 / 1002);
	(void)state;
}

static void test_readings_far_in_the_future_do_not_push_out_the_present(void **state)
{
	struct windows windows;
	struct window w;
	windows_start(&windows, &utc, AVERAGE_HOUR, DAY0);
	windows_add(&windows, &utc, AVERAGE_HOUR, DAY0, 5, 1);
	for (int i = 1; i < 30; i++)
		windows_add(&windows, &utc, AVERAGE_HOUR, DAY0 + (i + 100) * H, 1, 1);
	windows_add(&windows, &utc, AVERAGE_HOUR, DAY0 + H, 6, 1);
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 2 * H, 0, INT64_MIN, &w));
	assert_true(w.n == 1 && window_mean(&w) == 5);
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 2 * H, 0, INT64_MIN, &w));
	assert_true(w.n == 1 && window_mean(&w) == 6);
	(void)state;
}

static void test_a_leap_of_the_clock_passes_empty_windows_in_few_steps(void **state)
{
	struct windows windows;
	struct window w;
	int taken = 0;
	windows_start(&windows, &utc, AVERAGE_HOUR, DAY0);
	while (windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 500000 * H, 0, INT64_MIN, &w))
		assert_true(++taken < 10);
	assert_true(taken >= 1);
	assert_int_equal(windows.next.start_ms, DAY0 + 500000 * H);
	(void)state;
}

/* Of one hour all was set aside; those behind it had nothing, which is undetermined from the first.
 */
static void test_a_window_with_what_was_set_aside_is_no_empty_one(void **state)
{
	struct windows windows;
	struct window w;
	windows_start(&windows, &utc, AVERAGE_HOUR, DAY0);
	windows_set_aside(&windows, &utc, AVERAGE_HOUR, DAY0 + 1);
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 9 * H, 0, INT64_MIN, &w));
	assert_true(w.n == 0 && w.aside == 1);
	const struct window found = w;
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + 9 * H, 0, INT64_MIN, &w));
	assert_true(w.span.start_ms == DAY0 + H && w.aside == 0);
	windows_start(&windows, &utc, AVERAGE_HOUR, DAY0);
	windows_refill(&windows, &found);
	assert_true(windows_take(&windows, &utc, AVERAGE_HOUR, DAY0 + H, 0, INT64_MIN, &w));
	assert_true(w.span.start_ms == DAY0 && w.aside == 1);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_hour_holds_its_start_and_not_its_end),
		cmocka_unit_test(test_hours_follow_the_local_clock),
		cmocka_unit_test(test_the_repeated_hour_is_two_windows),
		cmocka_unit_test(test_a_day_has_its_true_length),
		cmocka_unit_test(test_spans_follow_one_another_without_gap_through_a_year),
		cmocka_unit_test(test_half_an_hour_of_change_cuts_the_hours_at_it),
		cmocka_unit_test(test_windows_are_taken_once_each_in_order_with_their_readings),
		cmocka_unit_test(test_a_mean_loses_nothing_to_rounding),
		cmocka_unit_test(test_readings_far_in_the_future_do_not_push_out_the_present),
		cmocka_unit_test(test_a_leap_of_the_clock_passes_empty_windows_in_few_steps),
		cmocka_unit_test(test_a_window_with_what_was_set_aside_is_no_empty_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
