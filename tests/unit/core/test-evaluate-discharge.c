/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the flow: not discharging, settling, and weights of means. Monitor 2 measures the flow.
 */
#include "rig.h"

#include <stdlib.h>

static struct rig *gated(void **state)
{
	struct rig *rig = *state;
	rig->site.has_flow = rig->site.has_gate = true;
	rig->site.flow_monitor = 2;
	rig->site.gate_below = 5;
	rig->site.gate_for_ms = 600000;
	rig->monitors[0].gated = true;
	return rig;
}

static struct rig *hourly(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].expected_per_hour = 4;
	rig->limits[0] = (struct limit){.has_max = true,
					.max = 50,
					.average = AVERAGE_HOUR,
					.by_flow = true,
					.grace_ms = 60000,
					.min_valid = 0.75,
					.key = "a"};
	return rig;
}

static void test_a_result_counts_until_the_flow_was_low_for_long_enough(void **state)
{
	rig_check(gated(state), "m2 0:4.9 m0 599.9:51", "+exceedance@599.9/599.9=51");
	rig_check(*state, "m0 600:10 601:10", "");
}

static void test_a_flow_equal_to_the_bound_is_discharge(void **state)
{
	rig_check(gated(state), "m2 0:5 m0 600:51", "+exceedance@600/600=51");
}

static void test_a_flow_that_returns_opens_the_gate_at_once(void **state)
{
	rig_check(gated(state), "m2 0:1 m0 700:51 m2 800:6 m0 800:52", "+exceedance@800/800=52");
}

static void test_an_unknown_flow_is_discharge(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[2].stale_after_ms = 900000;
	rig_check(rig, "m2 0:1 m0 900:51", "");
	rig_check(rig, "m0 900.001:51", "+exceedance@900.001/900.001=51");
}

static void test_a_flow_backwards_is_discharge(void **state)
{
	struct rig *rig = gated(state);
	rig_check(rig, "m2 0:-5 m0 700:51", "+exceedance@700/700=51");
	rig_check(rig, "m2 800:-4.9 m0 1400:1", "");
	rig_check(rig, "m2 1500:-5 m0 1500:1", "-exceedance@1500");
}

static void test_the_gate_breaks_no_run_of_results(void **state)
{
	struct rig *rig = gated(state);
	rig->limits[0].on_count = 2;
	rig->limits[0].off_count = 2;
	rig_check(rig, "m0 0:51 m2 0:1 m2 700:9", "");
	rig_check(rig, "m0 1000:52", "+exceedance@1000/0=52");
	rig_check(rig, "m0 1010:1 m2 1020:1 m0 1700:60 m2 1800:9", "");
	rig_check(rig, "m0 1900:1", "-exceedance@1900");
}

static void test_a_gap_is_time_of_discharge(void **state)
{
	struct rig *rig = gated(state);
	rig->limits[0].on_count = 2;
	rig->monitors[0].stale_after_ms = 1000000;
	rig_check(rig, "m0 0:51 m2 0:1 m2 9000:9", "");
	rig_check(rig, "m0 9400:52", "+exceedance@9400/0=52");
	rig_check(rig, "m0 9500:1", "-exceedance@9500");
	rig_check(rig, "m0 9600:51 m0 10600.001:52", "");
	rig_check(rig, "m0 10700:52", "+exceedance@10700/10600.001=52");
}

static void test_the_gate_breaks_a_run(void **state)
{
	struct rig *rig = gated(state);
	rig->limits[0].on_delay_ms = 1000000;
	rig_check(rig, "m0 0:51 m2 0:1 m2 700:9 m0 1000:52 1999:53", "");
	rig_check(rig, "m0 2000:54", "+exceedance@2000/1000=54");
}

static void test_silence_without_discharge_is_no_stale(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].stale_after_ms = 1000000;
	rig_check(rig, "m2 0:1 m0 10:5 900! m2 900:1 1100! 1500! m2 1600:9 1700! 2600!", "");
	rig_check(rig, "2600.001!", "+stale@2600/10=5");
}

static void test_the_first_results_after_the_flow_settle(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 2;
	rig_check(rig, "m0 0:10 m2 0:1 m2 700:9 m0 800:60 800:61 900:60", "");
	rig_check(rig, "m0 1000:62", "+exceedance@1000/1000=62");
}

static void test_the_first_result_after_a_silence_settles(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig->monitors[0].stale_after_ms = 100000;
	rig_check(rig, "m0 0:60", "+exceedance@0/0=60");
	rig_check(rig, "m0 100:60 200.001:10", "");
	rig_check(rig, "m0 201:10", "-exceedance@201");
}

static void test_no_more_results_settle_in_a_row_than_said(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig_check(rig, "m0 0:1 m2 0:1 m2 700:9 m0 800:60 m2 800:1 m2 1500:9", "");
	rig_check(rig, "m0 1600:61", "+exceedance@1600/1600=61");
	rig_check(rig, "m2 1600:1 m2 2300:9 m0 2400:1 m2 2400:1 m2 3100:9", "");
	rig_check(rig, "m0 3200:1", "-exceedance@3200");
}

static void test_a_stop_shorter_than_results_lie_apart_sets_none_aside(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig_check(rig, "m0 0:1 m0 1000:1 m2 1000:1 m2 1999:9", "");
	rig_check(rig, "m0 2000:60", "+exceedance@2000/2000=60");
	rig_check(rig, "m0 3000:60 m2 3001:1 m2 4002:9 m0 4100:1", "");
	rig_check(rig, "m0 5100:1", "-exceedance@5100");
}

static void test_what_settles_is_not_due(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].by_flow = false;
	rig->monitors[0].settle_results = 1;
	rig_check(rig, "m2 0:1 2400:9 m0 2400:999 2700:60 3660!", "+exceedance@3600/0=60");
}

static void test_a_window_of_which_all_settles_says_nothing(void **state)
{
	struct rig *rig = hourly(state);
	rig->monitors[0].settle_results = 1;
	rig_check(rig, "m2 0:1 3000:9 m0 3000:999 3660!", "");
	rig->monitors[0].expected_per_hour = 1;
	rig->monitors[0].stale_after_ms = 3000000;
	rig_check(rig, "m2 3601:9 m0 3700:20 4000:20 7260!", "");
	rig_check(rig, "m2 7300:9 m0 7300:999 10860!", "");
}

/* Results every 400 s, where silence is guessed to begin after 100. */
static void test_a_silence_is_one_against_the_pace_of_results(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig->monitors[0].own_pace = true;
	rig->monitors[0].stale_after_ms = 100000;
	rig->limits[0].on_count = 2;
	rig_check(rig, "m0 0:60 400:60", "");
	rig_check(rig, "m0 1300:60", "+exceedance@1300/400=60");
	rig_check(rig, "m0 3325.001:1 3700:1", "-exceedance@3700");
	rig_check(rig, "m0 4500:60 5300:61", "+exceedance@5300/4500=61");
}

static void test_what_lies_before_a_result_set_aside_breaks_the_runs_behind_it(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig->monitors[0].stale_after_ms = 100000;
	rig->limits[0].on_count = 2;
	rig_check(rig, "m0 0:60 100.001:60 150:60", "");
	rig_check(rig, "m0 160:60", "+exceedance@160/150=60");
}

static void test_so_does_a_stop_to_a_run_of_time(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig->limits[0].on_delay_ms = 1000000;
	rig_check(rig, "m0 0:51 m2 0:1 700:9 m0 800:52 1001:52 2000:52", "");
	rig_check(rig, "m0 2001:52", "+exceedance@2001/1001=52");
}

static void test_a_repeated_result_says_nothing_of_the_pace(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].settle_results = 1;
	rig->monitors[0].cycle_ms = 600000;
	rig_check(rig, "m0 0:1 1000:1 1100:1 m2 1101:1 2000:9", "");
	rig_check(rig, "m0 2050:60", "+exceedance@2050/2050=60");
}

static void test_a_mean_is_weighted_by_the_flow_at_each_result(void **state)
{
	rig_check(hourly(state), "m2 0:10 m0 0:80 900:80 m2 1800:30 m0 1800:45 2700:45 3660!",
		  "+exceedance@3600/0=53.75");
}

/* Known beforehand the flow of 1800 s would be 30, and the mean 53.75. */
static void test_live_a_result_has_the_flow_that_came_before_it(void **state)
{
	rig_check(hourly(state),
		  "m2 0:10 m0 0:80 900:80 1800:50 m2 1800:30 500:999 m0 2700:40 3660!",
		  "+exceedance@3600/0=55");
}

static void test_without_a_known_flow_a_result_does_not_enter(void **state)
{
	rig_check(hourly(state), "m0 0:80 m2 1:10 m0 900:40 1800:40 2700:40 3660!", "");
	rig_check(*state, "m0 3600:40 4500:40 7260!", "+undetermined@7200/3600");
}

static void test_results_without_weight_determine_no_mean(void **state)
{
	struct rig *rig = hourly(state);
	rig->site.has_gate = false;
	rig_check(rig, "m2 0:-1 m0 0:80 900:40 1800:40 2700:40 3660!", "+undetermined@3600/0");
}

static void test_the_share_is_of_results_due_while_discharging(void **state)
{
	rig_check(hourly(state), "m2 0:9 m0 0:40 900:40 m2 900:1 m2 3600:9 3660!", "");
	rig_check(*state, "m0 3600:40 m2 5400:1 m2 7200:9 7260!", "+undetermined@7200/3600");
}

static void test_a_window_without_discharge_is_not_applicable(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "m2 0:9 m0 0:60 900:60 1800:60 2700:60 m2 3000:1 3660!",
		  "+exceedance@3600/0=60");
	rig_check(rig, "m2 7200:1 7260! 10860! m2 10800:9", "");
	rig_check(rig, "m0 10800:40 11700:40 12600:40 14460!", "-exceedance@14400");
}

static void test_a_late_result_without_discharge_enters_no_window(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "m2 0:9 m0 0:40 m2 10:1 m2 1800:9 m0 1800:40 2700:40 900:999 3660!", "");
}

static void test_a_mean_of_results_counts_each_once(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].by_flow = false;
	rig->limits[0].of_results = true;
	rig->monitors[0].cycle_ms = 1800000;
	rig->monitors[0].expected_per_hour = 2;
	rig_check(rig, "0:80 900:80 900:81 1799:80 1800:30 2700:30 3660!", "+exceedance@3600/0=55");
}

static void test_flow_known_beforehand_may_stand_behind_what_it_weighs(void **state)
{
	struct rig *rig = hourly(state);
	rig_start(rig);
	for (int i = 0; i < 2000; i++) {
		struct reading r = {.measured_ms = RIG_START_MS + i * INT64_C(1000),
				    .monitor = 2,
				    .flag = FLAG_NORMAL,
				    .has_value = true,
				    .value = i < 1800 ? 10 : 30};
		assert_true(evaluator_flow(rig->evaluator, &r));
	}
	rig_check(rig, "m0 0:80 900:80 1800:45 2700:45 3660!", "+exceedance@3600/0=53.75");
}

static void test_flow_behind_a_newer_one_of_any_flag_is_late_beforehand_as_live(void **state)
{
	struct rig *rig = hourly(state);
	rig_start(rig);
	const struct reading flows[] = {
		{.measured_ms = RIG_START_MS, .flag = FLAG_NORMAL, .value = 10},
		{.measured_ms = RIG_START_MS + 1800000, .flag = FLAG_MAINTENANCE, .value = 10},
		{.measured_ms = RIG_START_MS + 1700000, .flag = FLAG_NORMAL, .value = 1000},
	};
	for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++) {
		struct reading r = flows[i];
		r.monitor = 2;
		r.has_value = true;
		assert_true(evaluator_flow(rig->evaluator, &r));
	}
	rig_check(rig, "m0 0:60 900:60 1800:45 2700:45 3660!", "+exceedance@3600/0=52.5");
}

static void test_a_clock_set_back_forgets_the_flow_beyond(void **state)
{
	struct rig *rig = gated(state);
	rig_check(rig, "m2 100000:1 m2 101000:1", "");
	evaluator_set_back(rig->evaluator, RIG_START_MS);
	rig_check(rig, "m2 0:1 m0 599:51", "+exceedance@599/599=51");
	rig_check(rig, "m0 600:1", "");
}

static void test_a_restart_keeps_the_gate_and_the_periods_of_a_window(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "m2 0:9 m0 0:60 900:60 m2 900:1 1700:9 1900:1 1901:1", "");
	size_t size = evaluator_save_size(rig->evaluator);
	void *kept = calloc(1, size);
	assert_non_null(kept);
	size = evaluator_save(rig->evaluator, kept);
	rig->evaluator = evaluator_free(rig->evaluator);
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, kept, size));
	free(kept);
	rig_check(rig, "m0 2500:99 m2 3600:9 3660!", "+exceedance@3600/0=60");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_result_counts_until_the_flow_was_low_for_long_enough),
		rig_test(test_a_flow_equal_to_the_bound_is_discharge),
		rig_test(test_a_flow_that_returns_opens_the_gate_at_once),
		rig_test(test_an_unknown_flow_is_discharge),
		rig_test(test_a_flow_backwards_is_discharge),
		rig_test(test_the_gate_breaks_no_run_of_results),
		rig_test(test_a_gap_is_time_of_discharge),
		rig_test(test_no_more_results_settle_in_a_row_than_said),
		rig_test(test_a_stop_shorter_than_results_lie_apart_sets_none_aside),
		rig_test(test_what_settles_is_not_due),
		rig_test(test_a_window_of_which_all_settles_says_nothing),
		rig_test(test_a_silence_is_one_against_the_pace_of_results),
		rig_test(test_what_lies_before_a_result_set_aside_breaks_the_runs_behind_it),
		rig_test(test_so_does_a_stop_to_a_run_of_time),
		rig_test(test_a_repeated_result_says_nothing_of_the_pace),
		rig_test(test_the_gate_breaks_a_run),
		rig_test(test_silence_without_discharge_is_no_stale),
		rig_test(test_the_first_results_after_the_flow_settle),
		rig_test(test_the_first_result_after_a_silence_settles),
		rig_test(test_a_mean_is_weighted_by_the_flow_at_each_result),
		rig_test(test_live_a_result_has_the_flow_that_came_before_it),
		rig_test(test_without_a_known_flow_a_result_does_not_enter),
		rig_test(test_results_without_weight_determine_no_mean),
		rig_test(test_the_share_is_of_results_due_while_discharging),
		rig_test(test_a_window_without_discharge_is_not_applicable),
		rig_test(test_a_late_result_without_discharge_enters_no_window),
		rig_test(test_a_mean_of_results_counts_each_once),
		rig_test(test_flow_known_beforehand_may_stand_behind_what_it_weighs),
		rig_test(test_a_restart_keeps_the_gate_and_the_periods_of_a_window),
		rig_test(test_flow_behind_a_newer_one_of_any_flag_is_late_beforehand_as_live),
		rig_test(test_a_clock_set_back_forgets_the_flow_beyond),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
