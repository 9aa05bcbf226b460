/* SPDX-License-Identifier: Apache-2.0 */
/* What is a value: the range, dead loops, codes and amounts that nothing has; and their clues. */
#include "rig.h"

#include <math.h>

static struct rig *ranged(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].has_range = true;
	rig->monitors[0].range_low = 0;
	rig->monitors[0].range_high = 200;
	return rig;
}

static void test_a_value_above_the_range_is_a_clue_at_once(void **state)
{
	struct rig *rig = ranged(state);
	rig_play(rig, "0:201T");
	assert_string_equal(rig->said[0].reason, "over_range");
	rig_said(rig, "+clue@0/0=201");
	rig_check(rig, "1:202T", "");
	rig_check(rig, "2:10", "-clue@2");
}

static void test_no_clue_where_the_limit_lies_beyond_the_range(void **state)
{
	struct rig *rig = ranged(state);
	rig->limits[0].max = 300;
	rig_check(rig, "0:250T", "");
}

static void test_the_end_of_the_range_belongs_to_it(void **state)
{
	struct rig *rig = ranged(state);
	rig->limits[0].max = 200;
	rig_check(rig, "0:200T 1:200.1T", "+clue@1/1=200.1");
}

static void test_no_clue_below_the_range_or_with_another_flag(void **state)
{
	rig_check(ranged(state), "0:-5T 1:300M 2:300D", "");
}

static void test_the_clue_stays_until_a_reading_within_the_range(void **state)
{
	rig_check(ranged(state), "0:300T 1:100M 2:-B", "+clue@0/0=300");
	rig_check(ranged(state), "3:40", "-clue@3");
}

static void test_what_lies_below_the_range_is_a_clue_where_it_is_wanted(void **state)
{
	struct rig *rig = ranged(state);
	rig->monitors[0].under_range = true;
	rig_check(rig, "0:0 1:-9999T 2:-9999T", "+clue(under_range)@1/1=-9999");
	rig_check(rig, "3:-1M 4:-B 5:5", "-clue(under_range)@5");
	rig_check(rig, "6:0D 7:5 8:-1M", "");
	rig_check(rig, "9:7999T 10:-9999T", "+clue@9/9=7999 +clue(under_range)@10/10=-9999");
	rig_check(rig, "11:5", "-clue@11 -clue(under_range)@11");
}

static void test_a_dead_loop_is_the_low_end_of_a_live_zero(void **state)
{
	struct rig *rig = ranged(state);
	struct monitor *m = &rig->monitors[0];
	m->has_dead = true;
	m->dead_at = 0.4;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 0), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -1), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 0.4), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 0.401), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 201), FLAG_OVER_RANGE);
	assert_int_equal(quality_flag(m, FLAG_MAINTENANCE, true, 0), FLAG_MAINTENANCE);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, false, 0), FLAG_NORMAL);
}

static void test_a_dead_loop_is_a_clue_until_it_speaks(void **state)
{
	struct rig *rig = ranged(state);
	rig->monitors[0].under_range = rig->monitors[0].has_dead = true;
	rig->monitors[0].dead_at = 0.4;
	rig_check(rig, "0:0.4D 1:0.1D 2:5D", "+clue(under_range)@0/0=0.4");
	rig_check(rig, "3:5", "-clue(under_range)@3");
}

static void test_a_dead_loop_needs_no_range_to_be_a_clue(void **state)
{
	struct rig *rig = *state;
	struct monitor *m = &rig->monitors[0];
	m->under_range = m->has_dead = true;
	m->dead_at = 0.1;
	rig_check(rig, "0:0D 1:-3D 2:5", "+clue(under_range)@0/0=0 -clue(under_range)@2");
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -3.5), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 1.5), FLAG_NORMAL);
}

static const double codes[] = {-9999, 7999};

static void test_a_code_of_a_logger_is_no_value_unless_the_range_holds_it(void **state)
{
	struct monitor *m = &((struct rig *)*state)->monitors[0];
	m->codes = codes;
	m->n_codes = 2;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 7999), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -9999), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 8000), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_CALIBRATION, true, 7999), FLAG_CALIBRATION);
	m->has_range = true;
	m->range_high = 7999;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 7999), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -9999), FLAG_OVER_RANGE);
}

static void test_more_than_water_can_have_is_no_value_in_any_range(void **state)
{
	struct monitor *m = &((struct rig *)*state)->monitors[0];
	m->has_range = m->has_most = true;
	m->range_high = 20;
	m->most = 14;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 14), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 14.1), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 20.1), FLAG_OVER_RANGE);
}

static void test_an_amount_that_nothing_has_is_no_value(void **state)
{
	struct monitor *m = &((struct rig *)*state)->monitors[0];
	m->unreal_from = m->codes_from = 1e15;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 9e14), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 1e15), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -1e15), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_MAINTENANCE, true, 1e308), FLAG_MAINTENANCE);
	m->has_range = true;
	m->range_high = 1e300;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 1e300), FLAG_FAULT);
}

static const double fills[] = {9999, 9999.9, 65535};

/* A look at the bounds alone says what a close look does, about each of the rules' edges. */
static void check_bounds(struct monitor *m)
{
	static const double edges[] = {0, 0.4, 14, 20, 7999, -9999, 9999, 65535, 1e15};
	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
		for (int step = -2; step <= 2; step++) {
			double value = edges[i] + step * (fabs(edges[i]) * 1e-13 + 1e-300);
			m->plain_low = m->plain_high = 0;
			enum flag closely = quality_flag(m, FLAG_NORMAL, true, value);
			quality_begin(m);
			assert_int_equal(quality_flag(m, FLAG_NORMAL, true, value), closely);
		}
}

static void test_bounds_say_what_a_close_look_does(void **state)
{
	struct monitor *m = &((struct rig *)*state)->monitors[0];
	m->dead_at = 0.4;
	m->most = 14;
	m->range_high = 20;
	m->codes = codes;
	m->fills = fills;
	for (unsigned rules = 0; rules < 64; rules++) {
		m->has_dead = rules & 1;
		m->has_most = rules & 2;
		m->has_range = rules & 4;
		m->n_codes = rules & 8 ? 2 : 0;
		m->unreal_from = rules & 16 ? 1e15 : 0;
		m->n_fills = rules & 32 ? 3 : 0;
		double fills_from = rules & 32 ? (1 - 1e-7) * 9999 : m->unreal_from;
		m->codes_from = rules & 8 ? 7999 : fills_from;
		check_bounds(m);
	}
	quality_begin(m);
	assert_true(m->plain_low < 0.5 && m->plain_high > 13);
}

/* To the digits of float32, and no further. */
static void test_what_loggers_write_for_nothing_is_no_value_and_may_be_one(void **state)
{
	struct rig *rig = *state;
	struct monitor *m = &rig->monitors[0];
	m->fills = fills;
	m->n_fills = 3;
	m->codes_from = (1 - 1e-7) * 9999;
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 9999), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, (double)9999.9F), FLAG_FAULT);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 9999.1), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 65534), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -9999), FLAG_NORMAL);
	rig_check(rig, "0:5 1:9999D 2:65535D 3:5", "+clue(fill_code)@1/1=9999 -clue(fill_code)@3");
	rig_check(rig, "4:9998D 5:9999M 6:5", "");
	m->codes = codes;
	m->n_codes = 2;
	rig_check(rig, "7:-9999D 8:9999D 9:5 10:9999D 11:-9999D 12:5",
		  "+clue(impossible)@7/7=-9999 -clue(impossible)@9 +clue(fill_code)@10/10=9999 "
		  "-clue(fill_code)@12");
}

static void test_what_is_no_value_is_a_clue_until_one_comes(void **state)
{
	struct rig *rig = ranged(state);
	rig->monitors[0].codes = codes;
	rig->monitors[0].n_codes = 2;
	rig_check(rig, "0:5 1:-9999T 2:-9999T 3:6M 4:-B 5:-9999T 6:5",
		  "+clue(impossible)@1/1=-9999 -clue(impossible)@6");
	rig_check(rig, "7:7999T 8:-9999T 9:5", "+clue@7/7=7999 -clue@9");
	rig_check(rig, "10:-9999M 11:5 12:-9998T 13:5", "");
	rig_check(rig, "14:-9999D", "+clue(impossible)@14/14=-9999");
}

static void test_the_flag_that_counts_beyond_the_range_is_T(void **state)
{
	const struct monitor *m = &ranged(state)->monitors[0];
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 200), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 200.1), FLAG_OVER_RANGE);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, 0), FLAG_NORMAL);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, true, -0.1), FLAG_OVER_RANGE);
	assert_int_equal(quality_flag(m, FLAG_MAINTENANCE, true, 300), FLAG_MAINTENANCE);
	assert_int_equal(quality_flag(m, FLAG_NORMAL, false, 300), FLAG_NORMAL);
	struct monitor free_range = {.range_high = 1};
	assert_int_equal(quality_flag(&free_range, FLAG_NORMAL, true, 300), FLAG_NORMAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_value_above_the_range_is_a_clue_at_once),
		rig_test(test_no_clue_where_the_limit_lies_beyond_the_range),
		rig_test(test_the_end_of_the_range_belongs_to_it),
		rig_test(test_no_clue_below_the_range_or_with_another_flag),
		rig_test(test_the_clue_stays_until_a_reading_within_the_range),
		rig_test(test_what_lies_below_the_range_is_a_clue_where_it_is_wanted),
		rig_test(test_a_dead_loop_is_the_low_end_of_a_live_zero),
		rig_test(test_a_dead_loop_needs_no_range_to_be_a_clue),
		rig_test(test_a_code_of_a_logger_is_no_value_unless_the_range_holds_it),
		rig_test(test_more_than_water_can_have_is_no_value_in_any_range),
		rig_test(test_an_amount_that_nothing_has_is_no_value),
		rig_test(test_bounds_say_what_a_close_look_does),
		rig_test(test_what_loggers_write_for_nothing_is_no_value_and_may_be_one),
		rig_test(test_what_is_no_value_is_a_clue_until_one_comes),
		rig_test(test_a_dead_loop_is_a_clue_until_it_speaks),
		rig_test(test_the_flag_that_counts_beyond_the_range_is_T),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
