/* SPDX-License-Identifier: Apache-2.0 */
/* What the course of a monitor's newest results says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/series.h"

static struct series of(const double *values, size_t n)
{
	struct series s = {0};
	for (size_t i = 0; i < n; i++)
		series_add(&s, (int64_t)i * 1000, values[i]);
	return s;
}
#define OF(...) of((const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double))

static void test_the_newest_result_is_none_before_the_newest(void **state)
{
	(void)state;
	struct series s = OF(1, 2, 3);
	assert_true(series_value(&s, 0) == 3 && series_value(&s, 2) == 1);
	assert_true(series_time(&s, 0) == 2000 && series_time(&s, 2) == 0);
}

static void test_only_the_newest_results_are_kept(void **state)
{
	(void)state;
	struct series s = {0};
	for (int i = 0; i < SERIES_RESULTS + 5; i++)
		series_add(&s, i, i);
	assert_int_equal(s.n, SERIES_RESULTS);
	assert_true(series_value(&s, SERIES_RESULTS - 1) == 5);
}

static void test_steady_is_a_variation_strictly_below_the_share(void **state)
{
	(void)state;
	struct series s = OF(99, 101, 99, 101); /* mean 100, deviation 1 */
	assert_false(series_steady(&s, 4, 0.01));
	assert_true(series_steady(&s, 4, 0.0100001));
	assert_false(series_steady(&s, 5, 1));
}

static void test_steady_looks_at_the_newest_only(void **state)
{
	(void)state;
	struct series s = OF(1, 50, 50, 50);
	assert_true(series_steady(&s, 3, 0.001));
	assert_false(series_steady(&s, 4, 0.001));
}

static void test_nothing_is_steady_around_zero(void **state)
{
	(void)state;
	struct series s = OF(0, 0, 0);
	assert_false(series_steady(&s, 3, 0.5));
	s = OF(-10, -10, -10);
	assert_true(series_steady(&s, 3, 0.5));
}

static void test_a_pattern_is_found_once_it_has_come_again_often_enough(void **state)
{
	(void)state;
	struct series s = OF(1, 2, 3, 1, 2, 3, 1, 2);
	assert_int_equal(series_pattern(&s, 6), 0);
	series_add(&s, 8000, 3);
	assert_int_equal(series_pattern(&s, 6), 3);
	series_add(&s, 9000, 2);
	assert_int_equal(series_pattern(&s, 6), 0);
}

static void test_a_long_pattern_has_to_come_again_as_a_whole(void **state)
{
	(void)state;
	struct series s = OF(1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7);
	assert_int_equal(series_pattern(&s, 4), 0);
	series_add(&s, 15000, 8);
	assert_int_equal(series_pattern(&s, 4), 8);
}

static void test_two_values_that_alternate_are_no_pattern(void **state)
{
	(void)state;
	struct series s = OF(1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2);
	assert_int_equal(series_pattern(&s, 6), 0);
	assert_false(series_different(&s, 16));
}

static void test_what_differs_lies_among_the_newest(void **state)
{
	(void)state;
	struct series s = OF(1, 2, 3, 5, 5, 5, 5);
	assert_false(series_different(&s, 4));
	assert_true(series_different(&s, 6));
}

static void test_a_pattern_goes_on_for_ever(void **state)
{
	(void)state;
	struct series s = {0};
	for (int i = 0; i < 70000; i++) {
		series_add(&s, i, i % 3);
		assert_int_equal(series_pattern(&s, 6), i < 8 ? 0 : 3);
	}
}

static void test_a_gap_begins_a_new_series(void **state)
{
	(void)state;
	struct series s = OF(1, 2, 3, 1, 2, 3);
	assert_int_equal(series_pattern(&s, 3), 3);
	series_clear(&s);
	assert_int_equal(s.n, 0);
	series_add(&s, 7000, 3);
	assert_int_equal(series_pattern(&s, 3), 0);
	assert_false(series_steady(&s, 3, 1));
	for (int i = 1; i <= 3; i++)
		series_add(&s, 7000 + i, i);
	assert_int_equal(series_pattern(&s, 3), 0); /* 3 comes again, and no more */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_newest_result_is_none_before_the_newest),
		cmocka_unit_test(test_only_the_newest_results_are_kept),
		cmocka_unit_test(test_steady_is_a_variation_strictly_below_the_share),
		cmocka_unit_test(test_steady_looks_at_the_newest_only),
		cmocka_unit_test(test_nothing_is_steady_around_zero),
		cmocka_unit_test(test_a_pattern_is_found_once_it_has_come_again_often_enough),
		cmocka_unit_test(test_a_long_pattern_has_to_come_again_as_a_whole),
		cmocka_unit_test(test_two_values_that_alternate_are_no_pattern),
		cmocka_unit_test(test_what_differs_lies_among_the_newest),
		cmocka_unit_test(test_a_pattern_goes_on_for_ever),
		cmocka_unit_test(test_a_gap_begins_a_new_series),
	};
	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
