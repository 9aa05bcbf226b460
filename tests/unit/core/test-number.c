/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/number.h"

#include <float.h>

static void test_twelve_digits_make_computed_thresholds_equal(void **state)
{
	static const struct {
		double a, b;
		int order;
	} cases[] = {
		{0.3 - 0.1, 0.2, 0},
		{0.1 + 0.2, 0.3, 0},
		{0.7 * 0.1, 0.07, 0},
		{1, 1, 0},
		{1, 2, -1},
		{2, 1, 1},
		{-1, -2, 1},
		{1.00000000001, 1, 1},
		{1.000000000001, 1, 0},
		{1, 1.00000000001, -1},
		{0, 0, 0},
		{0.0, -0.0, 0},
		{0, 5e-324, -1},
		{1e-300, 1.000000000001e-300, 0},
		{DBL_MAX, DBL_MAX, 0},
		{DBL_MAX, -DBL_MAX, 1},
		{999999999999.4, 999999999999, 0},
		{999999999999.6, 999999999999, 1},
		{9.99999999999499e11, 1e12, -1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(compare12(cases[i].a, cases[i].b), cases[i].order);
		assert_int_equal(compare12(cases[i].b, cases[i].a), -cases[i].order);
	}
	(void)state;
}

static void test_halves_go_to_the_even_digit_of_the_number_as_it_reads(void **state)
{
	static const struct {
		double value;
		int decimals;
		double expected;
	} cases[] = {
		{50.15, 1, 50.2},    {50.25, 1, 50.2},
		{50.35, 1, 50.4},    {2.5, 0, 2},
		{3.5, 0, 4},         {-2.5, 0, -2},
		{-3.5, 0, -4},       {0.5, 0, 0},
		{2.675, 2, 2.68},    {2.665, 2, 2.66},
		{1.005, 2, 1},       {50.1500001, 1, 50.2},
		{50.249, 1, 50.2},   {1e300, 2, 1e300},
		{12, 0, 12},         {0.1234567895, 9, 0.123456790},
		{50.4999999, 0, 50}, {49.5, 0, 50},
		{-0.04, 1, 0},       {123456789.5, 0, 123456790},
		{50450, -2, 50400},  {50050.1, -2, 50100},
		{50500, -3, 50000},  {0.4, -9, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_true(round_even(cases[i].value, cases[i].decimals) == cases[i].expected);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twelve_digits_make_computed_thresholds_equal),
		cmocka_unit_test(test_halves_go_to_the_even_digit_of_the_number_as_it_reads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
