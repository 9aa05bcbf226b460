/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the signal's own conditions: stale, flat, step, over_range, and connections. */
#include "rig.h"

#include <math.h>

/* --- stale --- */

static struct rig *silent(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	return rig;
}

static void test_a_monitor_never_heard_is_stale_from_the_start(void **state)
{
	rig_check(silent(state), "59.9! 60!", "");
	rig_check(silent(state), "60.001!", "+stale@60/0");
}

static void test_silence_counts_from_the_last_reading(void **state)
{
	rig_check(silent(state), "10:5 69.9! 70!", "");
	rig_check(silent(state), "70.2!", "+stale@70/10=5");
}

static void test_a_reading_exactly_at_the_end_of_the_time_is_in_time(void **state)
{
	rig_check(silent(state), "10:5 70! 70:6 70.2! 130!", "");
	rig_check(silent(state), "130.1!", "+stale@130/70=6");
}

static void test_a_recorded_clock_that_reached_the_moment_judges_it(void **state)
{
	rig_check(silent(state), "10:5 69.999$", "");
	rig_check(silent(state), "70$", "+stale@70/10=5");
}

static void test_a_communication_failure_is_not_heard(void **state)
{
	rig_check(silent(state), "10:5 20:-B 69:-B 70.2!", "+stale@70/10=5");
	rig_check(silent(state), "71:-B 72!", "");
}

static void test_any_other_flag_is_heard(void **state)
{
	rig_check(silent(state), "10:5 50:-D 100:5M 150:-C 200:-F 250:5S 300:5T 359!", "");
	rig_check(silent(state), "361!", "+stale@360/300=5");
}

static void test_stale_clears_with_the_next_reading_heard(void **state)
{
	rig_check(silent(state), "61! 70:5@71", "+stale@60/0 -stale@71");
	rig_check(silent(state), "130! 131!", "");
	rig_check(silent(state), "131.1!", "+stale@131/70=5");
}

static void test_no_stale_ends_before_it_was_raised(void **state)
{
	/* a clock that ran ahead of the readings, as recorded data can have it */
	rig_check(silent(state), "10:5 200! 50:5", "+stale@70/10=5 -stale@70");
	rig_check(silent(state), "110$", "+stale@110/50=5");
}

static void test_stale_is_raised_once_for_one_silence(void **state)
{
	rig_check(silent(state), "61! 62! 500!", "+stale@60/0");
}

static void test_stale_tells_the_last_valid_value(void **state)
{
	rig_check(silent(state), "10:5 20:99M 30:-D 91!", "+stale@90/30=5");
}

static void test_zero_switches_stale_off(void **state)
{
	rig_check(*state, "0:5 1000000!", "");
}

static void test_silence_is_of_the_receipt_and_not_of_the_measured_time(void **state)
{
	rig_check(silent(state), "10:5@50 80! 110!", "");
	rig_check(silent(state), "110.1!", "+stale@110/10=5");
}

static void test_a_late_reading_does_not_end_a_silence(void **state)
{
	rig_check(silent(state), "10:5 5:4@40 71!", "+stale@70/10=5");
	rig_check(silent(state), "6:4@80 81!", "");
}

/* --- connections --- */

static struct rig *connected(void **state)
{
	struct rig *rig = silent(state);
	rig->monitors[0].connection = 0;
	rig->monitors[1].connection = 0;
	rig->monitors[1].stale_after_ms = 60000;
	rig->monitors[2].connection = 1;
	rig->monitors[2].stale_after_ms = 60000;
	return rig;
}

static void test_a_lost_connection_is_one_alert_and_no_stale_behind_it(void **state)
{
	rig_check(connected(state), "10v 61!", "+connection@10/10 +m2.stale@60/0");
}

static void test_a_connection_lost_twice_is_one_alert(void **state)
{
	rig_check(connected(state), "10v 11v 12^ 13^", "+connection@10/10 -connection@12");
}

static void test_a_connection_that_answers_from_the_start_says_nothing(void **state)
{
	rig_check(connected(state), "1^ 2^", "");
}

static void test_silence_counts_anew_from_the_restored_connection(void **state)
{
	struct rig *rig = connected(state);
	rig->monitors[2].stale_after_ms = 0;
	rig_check(rig, "10v 100! 110^ 120! 170!", "+connection@10/10 -connection@110");
	rig_check(rig, "171!", "+stale@170/0 +m1.stale@170/0");
}

static void test_a_verdict_of_a_connection_names_it(void **state)
{
	struct rig *rig = connected(state);
	rig_play(rig, "10v");
	assert_int_equal(rig->said[0].connection, 0);
	assert_int_equal(rig->said[0].monitor, NO_INDEX);
	assert_int_equal(rig->said[0].limit, NO_INDEX);
	assert_false(rig->said[0].has_value);
}

/* --- flat --- */

static struct rig *flat(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].flat_after_ms = 60000;
	return rig;
}

static void test_flat_is_raised_by_the_reading_that_completes_the_time(void **state)
{
	rig_check(flat(state), "0:5 30:5 59.999:5 60! 100!", "");
	rig_check(flat(state), "101:5 102:5", "+flat@101/0=5");
}

static void test_flat_exactly_at_the_time(void **state)
{
	rig_check(flat(state), "0:5 60:5", "+flat@60/0=5");
}

static void test_another_value_starts_the_flat_run_anew(void **state)
{
	rig_check(flat(state), "0:5 30:6 60:6 89:6", "");
	rig_check(flat(state), "90:6", "+flat@90/30=6");
}

static void test_flat_clears_with_the_value_that_differs(void **state)
{
	rig_check(flat(state), "0:5 60:5 61:5.01", "+flat@60/0=5 -flat@61");
	rig_check(flat(state), "120:5.01", "");
	rig_check(flat(state), "121:5.01", "+flat@121/61=5.01");
}

static void test_a_flat_band_takes_the_largest_and_smallest_of_the_run(void **state)
{
	struct rig *rig = flat(state);
	rig->monitors[0].flat_band = 0.2;
	rig_check(rig, "0:5 20:5.1 40:4.9 60:5", "+flat@60/0=5");
	rig_check(rig, "61:5.1 62:4.9", "");
	rig_check(rig, "63:5.11", "-flat@63");
}

static void test_a_creeping_value_is_not_flat(void **state)
{
	struct rig *rig = flat(state);
	rig->monitors[0].flat_band = 0.2;
	rig_check(rig, "0:5 20:5.1 40:5.2 60:5.3 80:5.4 100:5.5", "");
}

static void test_flat_compares_its_band_as_it_reads(void **state)
{
	struct rig *rig = flat(state);
	rig->monitors[0].flat_band = 0.1;
	assert_true(0.8 - 0.7 > 0.1);
	rig_check(rig, "0:0.7 60:0.8", "+flat@60/0=0.8");
}

static void test_flat_by_count_wants_new_results(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].flat_count = 3;
	rig->monitors[0].cycle_ms = 100000;
	rig_check(rig, "0:5 50:5 100:5 150:5 199:5", "");
	rig_check(rig, "200:5", "+flat@200/0=5");
}

static void test_readings_without_flag_N_do_not_break_flat(void **state)
{
	rig_check(flat(state), "0:5 20:9M 40:-B 60:5", "+flat@60/0=5");
}

static void test_a_gap_breaks_the_flat_run(void **state)
{
	struct rig *rig = flat(state);
	rig->monitors[0].stale_after_ms = 30000;
	rig_check(rig, "0:5 30:5 60.001:5 90:5 120:5", "");
	rig_check(rig, "120.001:5", "+flat@120.001/60.001=5");
}

/* --- step --- */

static struct rig *stepping(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].max_step = 10;
	rig->monitors[0].n_limits = 0;
	return rig;
}

static void test_a_step_is_more_than_max_step_from_the_reading_before(void **state)
{
	rig_check(stepping(state), "0:5 1:15 2:5 3:15.1", "+step@3/3=15.1");
	rig_check(stepping(state), "4:16", "-step@4");
	rig_check(stepping(state), "5:5.9", "+step@5/5=5.9");
}

static void test_a_step_goes_on_while_values_jump(void **state)
{
	rig_check(stepping(state), "0:5 1:50 2:5 3:50", "+step@1/1=50");
	rig_check(stepping(state), "4:55", "-step@4");
}

static void test_the_first_reading_is_no_step(void **state)
{
	rig_check(stepping(state), "0:500", "");
}

static void test_a_step_passes_over_readings_without_flag_N(void **state)
{
	rig_check(stepping(state), "0:5 1:50C 2:-B 3:6", "");
	rig_check(stepping(state), "4:6 5:-D 6:17", "+step@6/6=17");
}

static void test_no_step_is_raised_across_a_gap(void **state)
{
	struct rig *rig = stepping(state);
	rig->monitors[0].stale_after_ms = 60000;
	rig_check(rig, "0:5 60.001:50", "");
	rig_check(rig, "120.001:5", "+step@120.001/120.001=5");
}

static void test_a_step_clears_also_after_a_gap(void **state)
{
	struct rig *rig = stepping(state);
	rig->monitors[0].stale_after_ms = 60000;
	rig_check(rig, "0:5 1:50 200:45", "+step@1/1=50 -step@200");
}

/* Across a gap nothing is compared, so the reading behind it is no step, however far it lies. */
static void test_a_distant_value_behind_a_gap_clears_a_step(void **state)
{
	struct rig *rig = stepping(state);
	rig->monitors[0].stale_after_ms = 60000;
	rig_check(rig, "0:5 1:50 200:5", "+step@1/1=50 -step@200");
}

static void test_a_step_is_compared_as_it_reads(void **state)
{
	struct rig *rig = stepping(state);
	rig->monitors[0].max_step = 0.1;
	rig_check(rig, "0:0.7 1:0.8 2:0.7", "");
}

/* At most a change of 1 in an hour. */
static struct rig *drifting(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].max_step_hour = 1;
	rig->monitors[0].n_limits = 0;
	return rig;
}

static void test_less_than_an_hour_may_take_the_whole_hours_change(void **state)
{
	rig_check(drifting(state), "0:7 1:8 2:7", "");
	rig_check(drifting(state), "3:8.1", "+step@3/3=8.1");
	rig_check(drifting(state), "4:7.1", "-step@4");
	rig_check(drifting(state), "5:6", "+step@5/5=6");
}

static void test_more_than_an_hour_may_change_by_as_much_more(void **state)
{
	rig_check(drifting(state), "0:7 7200:9", "");
	rig_check(drifting(state), "14400:11.1", "+step@14400/14400=11.1");
	rig_check(drifting(state), "21600:9.1", "-step@21600");
}

static void test_the_change_of_an_hour_is_not_judged_across_a_gap(void **state)
{
	struct rig *rig = drifting(state);
	rig->monitors[0].stale_after_ms = 60000;
	rig_check(rig, "0:7 60.001:12", "");
	rig_check(rig, "120.001:7", "+step@120.001/120.001=7");
}

static void test_either_of_two_steps_is_enough(void **state)
{
	struct rig *rig = drifting(state);
	rig->monitors[0].max_step = 0.5;
	rig_check(rig, "0:7 1:7.5", "");
	rig_check(rig, "2:8.1", "+step@2/2=8.1");
	rig->monitors[0].max_step = 5;
	rig_check(rig, "3:8 4:9.1", "-step@3 +step@4/4=9.1");
}

/* Above three times the last value, and above half the limit of 50. */
static struct rig *leaping(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].step_times = 3;
	rig->monitors[0].step_share = 0.5;
	rig->limits[0].on_count = 100;
	return rig;
}

static void test_a_leap_is_above_so_many_times_the_last_value(void **state)
{
	rig_check(leaping(state), "0:10 1:30", "");
	rig_check(leaping(state), "2:10 3:30.1", "+step@3/3=30.1");
	rig_check(leaping(state), "4:60", "-step@4");
}

static void test_a_leap_that_stays_small_beside_the_limit_is_none(void **state)
{
	rig_check(leaping(state), "0:1 1:25", "");
	rig_check(leaping(state), "2:1 3:25.1", "+step@3/3=25.1");
}

static void test_a_fall_is_no_leap(void **state)
{
	rig_check(leaping(state), "0:49 1:0.1", "");
}

static void test_from_nothing_or_below_any_value_near_the_limit_leaps(void **state)
{
	rig_check(leaping(state), "0:0 1:25.1", "+step@1/1=25.1");
	rig_check(leaping(state), "2:-10 3:-5 4:20", "-step@2");
	rig_check(leaping(state), "5:-1 6:26", "+step@6/6=26");
}

/* Below zero three times a value is less of it. */
static void test_nothing_below_zero_leaps(void **state)
{
	struct rig *rig = leaping(state);
	rig->limits[0].max = -10;
	rig_check(rig, "0:-5 1:-4", "");
}

static void test_the_lowest_limit_in_force_is_what_a_leap_is_held_against(void **state)
{
	struct rig *rig = leaping(state);
	rig->monitors[0].n_limits = 3;
	rig->limits[1] = rig->limits[0];
	rig->limits[1].max = 20;
	rig->limits[1].valid_from_ms = RIG_START_MS + 10000;
	rig->limits[2] = rig->limits[0];
	rig->limits[2].has_max = false;
	rig->limits[2].has_min = true;
	rig->limits[2].min = -1000;
	rig_check(rig, "0:1 1:11", "");
	rig_check(rig, "10:1 11:11", "+step@11/11=11");
}

static void test_without_an_upper_limit_nothing_leaps(void **state)
{
	struct rig *rig = leaping(state);
	rig->monitors[0].n_limits = 0;
	rig_check(rig, "0:1 1:1000000", "");
}

/* --- over_range --- */

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

static void test_a_fault_of_the_daemon_is_raised_and_cleared_once(void **state)
{
	static const bool holds[] = {false, true, true, false, false, true};
	struct rig *rig = *state;
	rig_start(rig);
	for (size_t i = 0; i < sizeof holds / sizeof *holds; i++)
		evaluator_own_fault(rig->evaluator, OWN_UNRECORDED, holds[i],
				    RIG_START_MS + (int64_t)i * 1000, RIG_MONO_NS);
	static const enum verdict_type types[] = {VERDICT_RAISED, VERDICT_CLEARED, VERDICT_RAISED};
	assert_int_equal(rig->n_said, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(rig->said[i].type, types[i]);
		assert_int_equal(rig->said[i].kind, ALERT_FAULT);
		assert_int_equal(rig->said[i].monitor, NO_INDEX);
		assert_string_equal(rig->said[i].reason, "unrecorded");
	}
	assert_int_equal(rig->said[1].raised_ms, RIG_START_MS + 1000);
	assert_int_equal(rig->said[1].time_ms, RIG_START_MS + 3000);
}

/* A ledger that was lost takes them as it took them first: same key, same raised_ms. */
static void test_all_that_is_active_is_said_again_as_it_was_raised(void **state)
{
	struct rig *rig = silent(state);
	rig_start(rig);
	evaluator_repeat(rig->evaluator);
	assert_int_equal(rig->n_said, 0);
	evaluator_tick(rig->evaluator, RIG_START_MS + 10 * 86400000, /* silence everywhere */
		       RIG_MONO_NS + 10 * INT64_C(86400000000000));
	evaluator_own_fault(rig->evaluator, OWN_DAMAGED, true, RIG_START_MS + 500, RIG_MONO_NS);
	evaluator_own_fault(rig->evaluator, OWN_FILLING, true, RIG_START_MS + 600, RIG_MONO_NS);
	evaluator_own_fault(rig->evaluator, OWN_FILLING, false, RIG_START_MS + 700, RIG_MONO_NS);
	size_t n = rig->n_said - 2; /* without what was raised and cleared */
	assert_true(n >= 2);
	assert_int_equal(rig->said[0].kind, ALERT_STALE);
	evaluator_repeat(rig->evaluator);
	assert_int_equal(rig->n_said, 2 * n + 2);
	for (size_t i = 0; i < n; i++) {
		const struct verdict *first = &rig->said[i], *again = &rig->said[n + 2 + i];
		assert_int_equal(again->type, VERDICT_RAISED);
		assert_int_equal(again->kind, first->kind);
		assert_int_equal(again->monitor, first->monitor);
		assert_int_equal(again->limit, first->limit);
		assert_int_equal(again->began_ms, first->began_ms);
		assert_int_equal(again->raised_ms, first->raised_ms);
		assert_int_equal(again->time_ms, first->raised_ms);
		assert_true((again->reason == NULL) == (first->reason == NULL));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_all_that_is_active_is_said_again_as_it_was_raised),
		rig_test(test_a_monitor_never_heard_is_stale_from_the_start),
		rig_test(test_silence_counts_from_the_last_reading),
		rig_test(test_a_reading_exactly_at_the_end_of_the_time_is_in_time),
		rig_test(test_a_recorded_clock_that_reached_the_moment_judges_it),
		rig_test(test_a_communication_failure_is_not_heard),
		rig_test(test_any_other_flag_is_heard),
		rig_test(test_stale_clears_with_the_next_reading_heard),
		rig_test(test_no_stale_ends_before_it_was_raised),
		rig_test(test_stale_is_raised_once_for_one_silence),
		rig_test(test_stale_tells_the_last_valid_value),
		rig_test(test_zero_switches_stale_off),
		rig_test(test_silence_is_of_the_receipt_and_not_of_the_measured_time),
		rig_test(test_a_late_reading_does_not_end_a_silence),
		rig_test(test_a_lost_connection_is_one_alert_and_no_stale_behind_it),
		rig_test(test_a_connection_lost_twice_is_one_alert),
		rig_test(test_a_connection_that_answers_from_the_start_says_nothing),
		rig_test(test_silence_counts_anew_from_the_restored_connection),
		rig_test(test_a_verdict_of_a_connection_names_it),
		rig_test(test_flat_is_raised_by_the_reading_that_completes_the_time),
		rig_test(test_flat_exactly_at_the_time),
		rig_test(test_another_value_starts_the_flat_run_anew),
		rig_test(test_flat_clears_with_the_value_that_differs),
		rig_test(test_a_flat_band_takes_the_largest_and_smallest_of_the_run),
		rig_test(test_a_creeping_value_is_not_flat),
		rig_test(test_flat_compares_its_band_as_it_reads),
		rig_test(test_flat_by_count_wants_new_results),
		rig_test(test_readings_without_flag_N_do_not_break_flat),
		rig_test(test_a_gap_breaks_the_flat_run),
		rig_test(test_a_step_is_more_than_max_step_from_the_reading_before),
		rig_test(test_a_step_goes_on_while_values_jump),
		rig_test(test_the_first_reading_is_no_step),
		rig_test(test_a_step_passes_over_readings_without_flag_N),
		rig_test(test_no_step_is_raised_across_a_gap),
		rig_test(test_a_step_clears_also_after_a_gap),
		rig_test(test_a_distant_value_behind_a_gap_clears_a_step),
		rig_test(test_a_step_is_compared_as_it_reads),
		rig_test(test_less_than_an_hour_may_take_the_whole_hours_change),
		rig_test(test_more_than_an_hour_may_change_by_as_much_more),
		rig_test(test_the_change_of_an_hour_is_not_judged_across_a_gap),
		rig_test(test_either_of_two_steps_is_enough),
		rig_test(test_a_leap_is_above_so_many_times_the_last_value),
		rig_test(test_a_leap_that_stays_small_beside_the_limit_is_none),
		rig_test(test_a_fall_is_no_leap),
		rig_test(test_from_nothing_or_below_any_value_near_the_limit_leaps),
		rig_test(test_nothing_below_zero_leaps),
		rig_test(test_the_lowest_limit_in_force_is_what_a_leap_is_held_against),
		rig_test(test_without_an_upper_limit_nothing_leaps),
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
		rig_test(test_a_fault_of_the_daemon_is_raised_and_cleared_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
