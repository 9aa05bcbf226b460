/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of instant limits: when an exceedance is raised and cleared. */
#include "rig.h"

#include <math.h>
#include <stdio.h>

/* --- raising --- */

static void test_a_value_equal_to_the_limit_complies(void **state)
{
	rig_check(*state, "0:50 1:49.999999 2:50", "");
}

static void test_a_value_strictly_above_max_is_raised_by_itself(void **state)
{
	rig_check(*state, "0:50 1:50.000000000001", "+exceedance@1/1=50");
}

static void test_a_value_strictly_below_min_is_raised_and_equal_complies(void **state)
{
	struct rig *rig = *state;
	rig->limits[0] = (struct limit){.has_min = true, .min = 5, .key = "a"};
	rig_check(rig, "0:5 1:4.9", "+exceedance(min)@1/1=4.9");
	rig_check(rig, "2:4.99 3:5", "-exceedance(min)@3");
}

static void test_a_plain_limit_is_compared_exactly(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].max = 0.1;
	rig_check(rig, "0:0.1 1:0.10000000000000002", "+exceedance@1/1=0.1");
	rig_check(rig, "2:0.1", "-exceedance@2");
}

static void test_an_exceedance_waits_for_its_delay_from_the_first_violation(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "3:51 8:52 12.999:53", "");
	rig_check(rig, "13:54", "+exceedance@13/3=54");
}

static void test_no_timer_raises_an_exceedance(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 10! 60! 3600!", "");
	rig_check(rig, "3601:51", "+exceedance@3601/0=51");
}

static void test_a_complying_reading_breaks_the_run(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 5:50 10:51 15:51", "");
	rig_check(rig, "20:51", "+exceedance@20/10=51");
}

static void test_a_reading_without_flag_N_neither_breaks_nor_completes_a_violation(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 5:10C 10:99D 11:-B 12:80M 13:80S 14:80F 15:80T", "");
	rig_check(rig, "16:51", "+exceedance@16/0=51");
}

static void test_a_reading_without_value_counts_for_nothing(void **state)
{
	rig_check(*state, "0:-N 1:-B 2:-D", "");
}

static void test_on_count_wants_so_many_new_results(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_count = 3;
	rig_check(rig, "0:51 1:51", "");
	rig_check(rig, "2:51", "+exceedance@2/0=51");
}

static void test_the_results_of_a_broken_run_do_not_count_for_the_next(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_count = 2;
	rig->limits[0].off_count = 2;
	rig_check(rig, "0:51 1:40 2:51 3:40 4:51 5:40 6:51", "");
	rig_check(rig, "7:51 8:40 9:51 10:40 11:51 12:40", "+exceedance@7/6=51");
	rig_check(rig, "13:40", "-exceedance@13");
}

static void test_a_second_reading_of_the_same_moment_is_no_new_result(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_count = 2;
	rig_check(rig, "0:51 0:52 0:53", "");
	rig_check(rig, "0.001:51", "+exceedance@0.001/0=51");
}

static void test_an_equal_value_within_the_cycle_is_the_same_result(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].cycle_ms = 7200000;
	rig->limits[0].on_count = 2;
	rig_check(rig, "0:51 60:51 7199.999:51", "");
	rig_check(rig, "7200:51", "+exceedance@7200/0=51");
}

static void test_another_value_within_the_cycle_is_a_new_result(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].cycle_ms = 7200000;
	rig->limits[0].on_count = 2;
	rig_check(rig, "0:51 60:51 120:52", "+exceedance@120/0=52");
}

static void test_a_cycle_runs_from_the_result_and_not_from_its_repetition(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].cycle_ms = 100000;
	rig->limits[0].on_count = 3;
	rig_check(rig, "0:51 60:51 100:51 160:51 199:51", "");
	rig_check(rig, "200:51", "+exceedance@200/0=51");
}

static void test_delay_and_count_must_both_be_met(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_count = 3;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 20:51", "");
	rig_check(rig, "21:51", "+exceedance@21/0=51");
	rig_check(rig, "22:40 30:51 31:51 32:51 39:51", "-exceedance@22");
	rig_check(rig, "40:51", "+exceedance@40/30=51");
}

static void test_an_alert_is_raised_only_once_while_it_lasts(void **state)
{
	rig_check(*state, "0:51 1:52 2:53", "+exceedance@0/0=51");
}

static void test_several_limits_are_judged_each_by_itself(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].n_limits = 2;
	rig->limits[1] = (struct limit){.has_max = true, .max = 60, .key = "b"};
	rig_check(rig, "0:55", "+exceedance@0/0=55");
	rig_check(rig, "1:65", "+exceedance#1@1/1=65");
	rig_check(rig, "2:60", "-exceedance#1@2");
	rig_check(rig, "3:50", "-exceedance@3");
}

static void test_monitors_do_not_disturb_each_other(void **state)
{
	struct rig *rig = *state;
	struct limit other = {.has_max = true, .max = 5, .key = "a", .on_delay_ms = 10000};
	rig->limits[0].on_delay_ms = 10000;
	rig->monitors[1].limits = &other;
	rig->monitors[1].n_limits = 1;
	rig_check(rig, "m0 0:51 m1 5:1 m0 10:51", "+exceedance@10/0=51");
	rig_check(rig, "m1 11:6 m0 12:40 m1 21:6", "-exceedance@12 +m1.exceedance@21/11=6");
}

/* --- clearing --- */

static void test_it_clears_with_the_first_complying_reading_by_default(void **state)
{
	rig_check(*state, "0:51 1:50", "+exceedance@0/0=51 -exceedance@1");
}

static void test_off_delay_runs_from_the_first_of_the_recovery(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 30000;
	rig_check(rig, "0:51 10:50 39.999:50", "+exceedance@0/0=51");
	rig_check(rig, "40:50", "-exceedance@40");
}

static void test_a_violating_reading_breaks_the_recovery(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 30000;
	rig_check(rig, "0:51 10:50 20:51 30:50 59:50", "+exceedance@0/0=51");
	rig_check(rig, "60:50", "-exceedance@60");
}

static void test_a_reading_without_flag_N_breaks_the_recovery(void **state)
{
	static const char *const flags[] = {"C", "M", "S", "D", "F", "T", "B"};
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 30000;
	rig_check(rig, "0:51", "+exceedance@0/0=51");
	for (int i = 0; i < 7; i++) {
		char script[80];
		snprintf(script, sizeof script, "%d:40 %d:40%s %d:40", 10 + i * 40, 15 + i * 40,
			 flags[i], 41 + i * 40);
		rig_check(rig, script, "");
	}
	rig_check(rig, "311:40", "-exceedance@311");
}

static void test_the_deadband_must_be_left_below(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].deadband = 2;
	rig_check(rig, "0:51 1:50 2:48.1", "+exceedance@0/0=51");
	rig_check(rig, "3:48", "-exceedance@3");
}

static void test_a_value_within_the_deadband_raises_nothing_anew(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].deadband = 2;
	rig_check(rig, "0:51 1:48 2:49 3:50", "+exceedance@0/0=51 -exceedance@1");
}

static void test_the_deadband_breaks_a_recovery(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].deadband = 2;
	rig->limits[0].off_delay_ms = 10000;
	rig_check(rig, "0:51 1:40 5:49 11:40", "+exceedance@0/0=51");
	rig_check(rig, "21:48", "-exceedance@21");
}

static void test_the_deadband_lies_above_a_lower_bound(void **state)
{
	struct rig *rig = *state;
	rig->limits[0] = (struct limit){.has_min = true, .min = 5, .deadband = 0.5, .key = "a"};
	rig_check(rig, "0:4 1:5 2:5.4", "+exceedance(min)@0/0=4");
	rig_check(rig, "3:5.5", "-exceedance(min)@3");
}

static void test_a_threshold_from_a_deadband_is_compared_as_it_reads(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].max = 0.3;
	rig->limits[0].deadband = 0.1; /* 0.3 - 0.1 lies below 0.2 */
	assert_true(0.3 - 0.1 < 0.2);
	rig_check(rig, "0:0.4 1:0.2", "+exceedance@0/0=0.4 -exceedance@1");
}

static void test_both_bounds_must_be_left(void **state)
{
	struct rig *rig = *state;
	rig->limits[0] = (struct limit){
		.has_max = true, .has_min = true, .max = 9, .min = 6, .deadband = 1, .key = "a"};
	rig_check(rig, "0:9.5 1:6.5 2:8.5", "+exceedance@0/0=9.5");
	rig_check(rig, "3:7", "-exceedance@3");
}

static void test_a_jump_from_one_bound_to_the_other_is_the_same_alert(void **state)
{
	struct rig *rig = *state;
	rig->limits[0] =
		(struct limit){.has_max = true, .has_min = true, .max = 9, .min = 6, .key = "a"};
	rig_check(rig, "0:10 1:5 2:11", "+exceedance@0/0=10");
	rig_check(rig, "3:7", "-exceedance@3");
}

static void test_a_run_goes_on_over_a_jump_between_the_bounds(void **state)
{
	struct rig *rig = *state;
	rig->limits[0] = (struct limit){.has_max = true,
					.has_min = true,
					.max = 9,
					.min = 6,
					.on_delay_ms = 10000,
					.key = "a"};
	rig_check(rig, "0:10 5:5 10:4", "+exceedance(min)@10/0=4");
}

static void test_off_count_wants_so_many_new_results(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_count = 2;
	rig_check(rig, "0:51 1:40 1:41", "+exceedance@0/0=51");
	rig_check(rig, "2:40", "-exceedance@2");
}

static void test_off_delay_and_off_count_must_both_be_met(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_count = 2;
	rig->limits[0].off_delay_ms = 10000;
	rig_check(rig, "0:51 1:40 2:40 3:40", "+exceedance@0/0=51");
	rig_check(rig, "11:40", "-exceedance@11");
}

static void test_the_next_violation_begins_a_run_of_its_own(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 10:51 11:40 12:51 21:51", "+exceedance@10/0=51 -exceedance@11");
	rig_check(rig, "22:51", "+exceedance@22/12=51");
}

static void test_a_recovery_of_an_earlier_alert_shortens_no_later_one(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 10000;
	rig_check(rig, "0:51 1:40 11:40 12:51 13:40",
		  "+exceedance@0/0=51 -exceedance@11 "
		  "+exceedance@12/12=51");
	rig_check(rig, "22.9:40 23:40", "-exceedance@23");
}

/* --- gaps and late readings --- */

static void test_a_gap_longer_than_stale_after_breaks_a_violation(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig->limits[0].on_delay_ms = 100000;
	rig_check(rig, "0:51 60:51 120.001:51 180:51 220:51", "");
	rig_check(rig, "220.001:51", "+exceedance@220.001/120.001=51");
}

static void test_a_gap_of_exactly_stale_after_breaks_nothing(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig->limits[0].on_delay_ms = 100000;
	rig_check(rig, "0:51 60:51 120:51", "+exceedance@120/0=51");
}

static void test_readings_without_flag_N_do_not_bridge_a_gap(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig->limits[0].on_delay_ms = 60000;
	rig_check(rig, "0:51 30:51M 60:51M 61:51 120:51", "");
	rig_check(rig, "121:51", "+exceedance@121/61=51");
}

static void test_a_gap_breaks_a_recovery(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig->limits[0].off_delay_ms = 70000;
	rig_check(rig, "0:51 10:40 71:40 130:40", "+exceedance@0/0=51");
	rig_check(rig, "141:40", "-exceedance@141");
}

static void test_without_stale_after_no_gap_breaks_a_run(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 1000000:51", "+exceedance@1000000/0=51");
}

static void test_a_late_reading_does_not_go_through_instant_limits(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 5000;
	rig_check(rig, "10:40 5:99 9.999:99", "");
	rig_check(rig, "10:51 11:40 8:99 16:40", "+exceedance@10/10=51 -exceedance@16");
}

static void test_late_is_also_behind_a_reading_without_flag_N(void **state)
{
	rig_check(*state, "10:-B 5:99 10:51", "+exceedance@10/10=51");
}

static void test_a_late_reading_without_flag_N_breaks_no_recovery(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 10000;
	rig_check(rig, "0:51 10:40 5:40D 20:40", "+exceedance@0/0=51 -exceedance@20");
}

/* --- rounding --- */

static void test_rounded_compares_half_to_even(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].compare = COMPARE_ROUNDED;
	rig_check(rig, "0:50.5", "");
	rig_check(rig, "1:50.51", "+exceedance@1/1=50.51");
	rig_check(rig, "2:50.5", "-exceedance@2");
}

static void test_rounded_rounds_to_its_decimals(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].compare = COMPARE_ROUNDED;
	rig->limits[0].decimals = 1;
	rig->limits[0].max = 50.1;
	rig_check(rig, "0:50.14 1:50.149", "");
	rig_check(rig, "2:50.15", "+exceedance@2/2=50.15");
}

static void test_a_full_comparison_rounds_nothing(void **state)
{
	rig_check(*state, "0:50.001", "+exceedance@0/0=50.001");
}

static void test_all_pairs_of_zeros_and_extremes_compare_as_numbers(void **state)
{
	static const double values[] = {-1.7976931348623157e308, -1, -5e-324, -0.0, 0.0, 5e-324, 1,
					1.7976931348623157e308};
	for (size_t i = 0; i < 8; i++) {
		for (size_t j = 0; j < 8; j++) {
			struct rig *rig;
			char script[64];
			rig_make((void **)&rig);
			rig->limits[0] = (struct limit){.has_max = true,
							.has_min = true,
							.max = values[i],
							.min = values[i],
							.key = "a"};
			snprintf(script, sizeof script, "0:%.17g", values[j]);
			rig_play(rig, script);
			assert_int_equal(rig->n_said, values[j] == values[i] ? 0 : 1);
			if (rig->n_said == 1)
				assert_int_equal(rig->said[0].bound,
						 values[j] > values[i] ? BOUND_MAX : BOUND_MIN);
			rig_remove((void **)&rig);
		}
	}
	(void)state;
}

/* --- what a verdict tells --- */

static void test_a_verdict_carries_the_limit_and_the_receipt(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "0:51 5:99 10:60@12");
	const struct verdict v = rig->said[0];
	assert_true(v.has_limit && v.limit_value == 50 && v.average == AVERAGE_INSTANT);
	assert_int_equal(v.bound, BOUND_MAX);
	assert_int_equal(v.raised_ms, RIG_START_MS + 10000);
	assert_int_equal(v.received_mono_ns, RIG_MONO_NS + INT64_C(12000000000));
	assert_true(v.peak_value == 99 && v.peak_ms == RIG_START_MS + 5000);
	assert_int_equal(v.connection, NO_INDEX);
	rig_said(rig, "+exceedance@10/0=60");
}

static void test_a_cleared_verdict_keeps_the_raising_value_and_the_worst(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51 1:70", "+exceedance@0/0=51");
	rig_play(rig, "2:40");
	const struct verdict v = rig->said[0];
	assert_true(v.value == 51 && v.peak_value == 70 && v.last_value == 40);
	assert_int_equal(v.began_ms, RIG_START_MS);
	assert_int_equal(v.raised_ms, RIG_START_MS);
	assert_int_equal(v.peak_ms, RIG_START_MS + 1000);
	rig_said(rig, "-exceedance@2");
}

static void test_the_worst_of_a_lower_bound_is_the_lowest(void **state)
{
	struct rig *rig = *state;
	rig->limits[0] =
		(struct limit){.has_min = true, .min = 5, .on_delay_ms = 10000, .key = "a"};
	rig_play(rig, "0:4 5:1 10:3");
	assert_true(rig->said[0].peak_value == 1);
	assert_true(rig->said[0].limit_value == 5);
	rig_play(rig, "11:0.5 12:6");
	assert_true(rig->said[1].peak_value == 0.5);
	rig_said(rig, "+exceedance(min)@10/0=3 -exceedance(min)@12");
}

static void test_the_worst_of_a_broken_run_is_forgotten(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "0:99 5:40 10:51 20:52");
	assert_true(rig->said[0].peak_value == 52);
	rig_said(rig, "+exceedance@20/10=52");
}

static void test_a_peak_is_said_at_most_every_ten_seconds(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51 1:60 9.9!", "+exceedance@0/0=51");
	rig_check(rig, "10!", "^exceedance@10=60");
	rig_check(rig, "11! 19:70 19.9!", "");
	rig_check(rig, "20!", "^exceedance@20=70");
	rig_check(rig, "30! 40!", "");
}

static void test_rounding_decides_and_the_measured_value_is_reported(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].compare = COMPARE_ROUNDED;
	rig_check(rig, "0:50.7 1:50.4", "+exceedance@0/0=50.7 -exceedance@1");
}

/* --- dates --- */

static void test_a_limit_holds_from_its_first_moment_until_its_end(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].valid_from_ms = RIG_START_MS + 10000;
	rig->limits[0].valid_to_ms = RIG_START_MS + 20000;
	rig_check(rig, "9.999:60", "");
	rig_check(rig, "10:60", "+exceedance@10/10=60");
	rig_check(rig, "19.999:60", "");
	rig_check(rig, "20:60", "-exceedance@20");
	rig_check(rig, "21:99", "");
}

static void test_one_limit_follows_another_at_a_date(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].n_limits = 2;
	rig->limits[0].valid_to_ms = rig->limits[1].valid_from_ms = RIG_START_MS + 10000;
	rig->limits[1].has_max = true;
	rig->limits[1].max = 40;
	rig_check(rig, "0:45 9:51", "+exceedance@9/9=51");
	rig_check(rig, "10:51", "-exceedance@10 +exceedance#1@10/10=51");
	rig_check(rig, "11:40", "-exceedance#1@11");
}

static void test_a_run_does_not_begin_before_the_limit_does(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 5000;
	rig->limits[0].valid_from_ms = RIG_START_MS + 10000;
	rig_check(rig, "0:60 9:60 10:60 14:60", "");
	rig_check(rig, "15:60", "+exceedance@15/10=60");
}

static void test_a_converted_limit_is_compared_as_it_reads(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].max = 0.1;
	rig->limits[0].derived = true;
	rig_check(rig, "0:0.10000000000000002", "");
	rig_check(rig, "1:0.100000000002", "+exceedance@1/1=0.1");
}

/* --- readings that comply while all is calm need no closer look; these do --- */

static void test_rounding_lifts_a_value_over_the_limit_of_a_calm_monitor(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].max = 50.06;
	rig->limits[0].compare = COMPARE_ROUNDED;
	rig->limits[0].decimals = 1;
	rig_check(rig, "0:40 1:40 2:50.04 3:50.055 4:40", "+exceedance@3/3=50.055 -exceedance@4");
}

static void test_a_silent_monitor_is_not_calm_by_what_is_no_sign_of_life(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig_check(rig, "0:40 1:40 62! 63:-B 64:40 65:51",
		  "+stale@61/1=40 -stale@64 +exceedance@65/65=51");
}

/* Of recorded data, whose peaks no tick says. */
static void test_what_makes_an_exceedance_graver_is_said_as_it_comes(void **state)
{
	struct rig *rig = *state;
	rig->site.kind = SITE_OUTFALL;
	rig_start(rig);
	evaluator_tell_rises(rig->evaluator);
	rig_check(rig, "0:51", "+exceedance@0/0=51");
	rig_check(rig, "1:74 2:75 3:60", "");
	rig_check(rig, "4:76", "^exceedance@4=76");
	rig_check(rig, "5:149 6:51", "");
	rig_check(rig, "7:150 8:900", "^exceedance@7=150");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_value_equal_to_the_limit_complies),
		rig_test(test_a_value_strictly_above_max_is_raised_by_itself),
		rig_test(test_a_value_strictly_below_min_is_raised_and_equal_complies),
		rig_test(test_a_plain_limit_is_compared_exactly),
		rig_test(test_an_exceedance_waits_for_its_delay_from_the_first_violation),
		rig_test(test_no_timer_raises_an_exceedance),
		rig_test(test_a_complying_reading_breaks_the_run),
		rig_test(test_a_reading_without_flag_N_neither_breaks_nor_completes_a_violation),
		rig_test(test_a_reading_without_value_counts_for_nothing),
		rig_test(test_on_count_wants_so_many_new_results),
		rig_test(test_the_results_of_a_broken_run_do_not_count_for_the_next),
		rig_test(test_a_second_reading_of_the_same_moment_is_no_new_result),
		rig_test(test_an_equal_value_within_the_cycle_is_the_same_result),
		rig_test(test_another_value_within_the_cycle_is_a_new_result),
		rig_test(test_a_cycle_runs_from_the_result_and_not_from_its_repetition),
		rig_test(test_delay_and_count_must_both_be_met),
		rig_test(test_an_alert_is_raised_only_once_while_it_lasts),
		rig_test(test_several_limits_are_judged_each_by_itself),
		rig_test(test_monitors_do_not_disturb_each_other),
		rig_test(test_it_clears_with_the_first_complying_reading_by_default),
		rig_test(test_off_delay_runs_from_the_first_of_the_recovery),
		rig_test(test_a_violating_reading_breaks_the_recovery),
		rig_test(test_a_reading_without_flag_N_breaks_the_recovery),
		rig_test(test_the_deadband_must_be_left_below),
		rig_test(test_a_value_within_the_deadband_raises_nothing_anew),
		rig_test(test_the_deadband_breaks_a_recovery),
		rig_test(test_the_deadband_lies_above_a_lower_bound),
		rig_test(test_a_threshold_from_a_deadband_is_compared_as_it_reads),
		rig_test(test_both_bounds_must_be_left),
		rig_test(test_a_jump_from_one_bound_to_the_other_is_the_same_alert),
		rig_test(test_a_run_goes_on_over_a_jump_between_the_bounds),
		rig_test(test_off_count_wants_so_many_new_results),
		rig_test(test_off_delay_and_off_count_must_both_be_met),
		rig_test(test_the_next_violation_begins_a_run_of_its_own),
		rig_test(test_a_recovery_of_an_earlier_alert_shortens_no_later_one),
		rig_test(test_a_gap_longer_than_stale_after_breaks_a_violation),
		rig_test(test_a_gap_of_exactly_stale_after_breaks_nothing),
		rig_test(test_readings_without_flag_N_do_not_bridge_a_gap),
		rig_test(test_a_gap_breaks_a_recovery),
		rig_test(test_without_stale_after_no_gap_breaks_a_run),
		rig_test(test_a_late_reading_does_not_go_through_instant_limits),
		rig_test(test_late_is_also_behind_a_reading_without_flag_N),
		rig_test(test_a_late_reading_without_flag_N_breaks_no_recovery),
		rig_test(test_rounded_compares_half_to_even),
		rig_test(test_rounded_rounds_to_its_decimals),
		rig_test(test_a_full_comparison_rounds_nothing),
		rig_test(test_all_pairs_of_zeros_and_extremes_compare_as_numbers),
		rig_test(test_a_verdict_carries_the_limit_and_the_receipt),
		rig_test(test_a_cleared_verdict_keeps_the_raising_value_and_the_worst),
		rig_test(test_the_worst_of_a_lower_bound_is_the_lowest),
		rig_test(test_the_worst_of_a_broken_run_is_forgotten),
		rig_test(test_a_peak_is_said_at_most_every_ten_seconds),
		rig_test(test_rounding_decides_and_the_measured_value_is_reported),
		rig_test(test_a_limit_holds_from_its_first_moment_until_its_end),
		rig_test(test_one_limit_follows_another_at_a_date),
		rig_test(test_a_run_does_not_begin_before_the_limit_does),
		rig_test(test_a_converted_limit_is_compared_as_it_reads),
		rig_test(test_rounding_lifts_a_value_over_the_limit_of_a_calm_monitor),
		rig_test(test_a_silent_monitor_is_not_calm_by_what_is_no_sign_of_life),
		rig_test(test_what_makes_an_exceedance_graver_is_said_as_it_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
