/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the signal's own conditions: stale, flat, step, and connections. */
#include "rig.h"

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
	rig->limits[0].has_max = false;
	rig->limits[0].has_min = true;
	rig->limits[0].min = -1000;
	rig_check(rig, "0:1 1:11", "");
	rig_check(rig, "10:1 11:11", "+step@11/11=11");
}

static void test_without_an_upper_limit_nothing_leaps(void **state)
{
	struct rig *rig = leaping(state);
	rig->monitors[0].n_limits = 0;
	rig_check(rig, "0:1 1:1000000", "");
}

/* --- the daemon itself, and all of it --- */

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
		rig_test(test_a_fault_of_the_daemon_is_raised_and_cleared_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
