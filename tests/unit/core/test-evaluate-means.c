/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of mean limits: windows, grace, shares, and what a mean raises and clears. */
#include "rig.h"

#include <math.h>

/* Means of the hour over a reading every 15 minutes, UTC+8. */
static struct rig *hourly(void **state)
{
	static const struct zone_change east = {0, 8 * 3600};
	struct rig *rig = *state;
	rig->plan.zone = (struct zone){&east, 1};
	rig->monitors[0].interval_ms = 900000;
	rig->limits[0] = (struct limit){.has_max = true,
					.max = 50,
					.average = AVERAGE_HOUR,
					.grace_ms = 60000,
					.min_valid = 0.75,
					.key = "a"};
	return rig;
}

static void test_a_mean_is_judged_once_after_the_grace(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 1800:60 2700:60 3600! 3659.9!", "");
	rig_check(rig, "3660!", "+exceedance@3600/0=60");
	rig_check(rig, "3661! 4000!", "");
}

static void test_a_mean_equal_to_the_limit_complies(void **state)
{
	rig_check(hourly(state), "0:40 900:60 1800:45 2700:55 3660!", "");
}

static void test_a_mean_is_compared_as_it_reads(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].max = 0.2;
	rig_check(rig, "0:0.1 900:0.2 1800:0.3 3660!", "");
	rig_check(rig, "3600:0.2 4500:0.2 5400:0.2000001 7260!",
		  "+exceedance@7200/3600=0.2000000333");
}

/* What a mean is no more after an overflow complies with nothing. */
static void test_a_mean_that_is_no_number_is_undetermined(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 1800:60 2700:60 3660!", "+exceedance@3600/0=60");
	rig_check(rig, "3660:1e308 4500:1e308 5400:1e308 6300:1 7260!", "+undetermined@7200/3600");
	const struct limit *l = &rig->limits[0];
	assert_int_equal(mean_outcome(l, 0, NAN, 4, 4), OUTCOME_UNDETERMINED);
	assert_int_equal(mean_outcome(l, 0, INFINITY, 4, 4), OUTCOME_UNDETERMINED);
	assert_int_equal(mean_outcome(l, 0, 50, 4, 4), OUTCOME_COMPLIES);
}

static void test_a_steady_small_violation_of_a_mean_opens_on_time(void **state)
{
	rig_check(hourly(state), "0:50.001 900:50.001 1800:50.001 2700:50.001 3660!",
		  "+exceedance@3600/0=50.001");
}

static void test_the_window_holds_its_start_and_not_its_end(void **state)
{
	rig_check(hourly(state), "0:80 900:40 1800:40 2700:40 3600:99 3660!", "");
	rig_check(hourly(state), "4500:10 5400:10 6300:10 7260!", "");
}

static void test_equal_times_count_each(void **state)
{
	rig_check(hourly(state), "0:40 900:40 1800:60 1800:70 3660!", "+exceedance@3600/0=52.5");
}

static void test_only_valid_readings_enter_a_mean(void **state)
{
	rig_check(hourly(state), "0:40 900:999M 1000:-B 1800:40 2700:40 3660!", "");
}

static void test_a_share_below_min_valid_is_undetermined_once(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 3660!", "+undetermined@3600/0");
	rig_check(rig, "3600:60 4500:60 7260!", "");
	rig_check(rig, "10860!", "");
	rig_check(rig, "10900:40 11000:40 11100:40 14460!", "-undetermined@14400");
}

static void test_a_share_of_exactly_min_valid_suffices(void **state)
{
	rig_check(hourly(state), "0:60 900:60 1800:60 3660!", "+exceedance@3600/0=60");
}

static void test_an_undetermined_window_does_not_clear_the_limit(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 1800:60 3660!", "+exceedance@3600/0=60");
	rig_check(rig, "3700:10 7260!", "+undetermined@7200/3600");
	rig_check(rig, "7300:10 8000:10 9000:10 10860!", "-undetermined@10800 -exceedance@10800");
}

static void test_an_undetermined_window_stops_a_counted_recovery(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].off_count = 2;
	rig_check(rig, "0:60 900:60 1800:60 3660!", "+exceedance@3600/0=60");
	rig_check(rig, "3700:10 4000:10 5000:10 7260!", "^exceedance@7260=60");
	rig_check(rig, "10860!", "+undetermined@10800/7200");
	rig_check(rig, "10900:10 11000:10 12000:10 14460!",
		  "-undetermined@14400 ^exceedance@14460=60");
	rig_check(rig, "14500:10 15000:10 16000:10 18060!", "-exceedance@18000");
}

static void test_counts_of_a_mean_limit_count_windows(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].on_count = 2;
	rig_check(rig, "0:60 900:60 1800:60 3660!", "");
	rig_check(rig, "3600:60 4500:60 5400:60 7260!", "+exceedance@7200/0=60");
}

static void test_expected_per_hour_replaces_the_interval(void **state)
{
	struct rig *rig = hourly(state);
	rig->monitors[0].expected_per_hour = 2;
	rig->monitors[0].interval_ms = 1000;
	rig_check(rig, "0:60 900:60 3660!", "+exceedance@3600/0=60");
	rig_check(rig, "3700:60 7260!", "+undetermined@7200/3600");
}

static void test_without_any_expectation_one_reading_suffices(void **state)
{
	struct rig *rig = hourly(state);
	rig->monitors[0].interval_ms = 0;
	rig_check(rig, "100:60 3660!", "+exceedance@3600/0=60");
	rig_check(rig, "7260!", "+undetermined@7200/3600");
}

static void test_a_late_reading_enters_a_window_that_is_not_judged_yet(void **state)
{
	rig_check(hourly(state), "0:40 900:40 1800:40 3610:40 2700:120@3620 3660!",
		  "+exceedance@3600/0=60");
}

static void test_a_late_reading_changes_no_judged_window(void **state)
{
	rig_check(hourly(state), "0:40 900:40 1800:40 3660! 3661:40 2700:999@3662 3670!", "");
	rig_check(hourly(state), "4500:40 5400:40 7260!", "");
}

static void test_rounded_rounds_the_mean_and_not_the_readings(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].compare = COMPARE_ROUNDED;
	rig_check(rig, "0:50.4 900:50.4 1800:50.7 3660!", "");
	rig_check(rig, "3600:50.4 4500:50.8 5400:50.4 7260!", "+exceedance@7200/3600=50.53333333");
}

static void test_a_mean_warns_with_the_same_windows(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].warn_at = 0.9;
	rig_check(rig, "0:46 900:46 1800:46 3660!", "+warning@3600/0=46");
	rig_check(rig, "3600:60 4500:60 5400:60 7260!", "+exceedance@7200/3600=60 -warning@7200");
	rig_check(rig, "7200:46 8100:46 9000:46 10860!",
		  "-exceedance@10800 +warning@10800/7200=46");
}

static void test_a_lower_bound_of_a_mean(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].has_max = false;
	rig->limits[0].has_min = true;
	rig->limits[0].min = 5;
	rig_check(rig, "0:4 900:4 1800:4 3660!", "+exceedance(min)@3600/0=4");
	rig_check(rig, "3600:5 4500:5 5400:5 7260!", "-exceedance(min)@7200");
}

static void test_stale_gaps_do_not_break_means(void **state)
{
	struct rig *rig = hourly(state);
	rig->monitors[0].stale_after_ms = 60000000;
	rig->limits[0].on_count = 2;
	rig_check(rig, "0:60 900:60 1800:60 3660! 3600:60 4500:60 5400:60 7260!",
		  "+exceedance@7200/0=60");
}

static void test_instant_readings_do_not_recover_or_break_a_mean(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 1800:60 3660! 3700:10 3800:-D 3900:10",
		  "+exceedance@3600/0=60");
}

static void test_a_day_begins_at_the_nodes_midnight(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].average = AVERAGE_DAY;
	rig->monitors[0].interval_ms = 21600000;
	/* the rig starts at 03:00; midnight is 75600 s later */
	rig_check(rig, "0:60 20000:60 40000:60 75599.999:60 75600:1 75659!", "");
	rig_check(rig, "75660!", "+exceedance@75600/-10800=60");
}

static void test_several_windows_that_ended_are_judged_in_order(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 1800:60 3600:10 4500:10 5400:10 7200:70 8100:70 9000:70 10860!",
		  "+exceedance@3600/0=60 -exceedance@7200 +exceedance@10800/7200=70");
}

static void test_a_clock_that_leaps_years_ends_soon(void **state)
{
	struct rig *rig = hourly(state);
	rig_check(rig, "0:60 900:60 1800:60 3000000000!",
		  "+exceedance@3600/0=60 +undetermined@7200/3600");
}

static void test_windows_before_the_start_are_judged_once_they_are_reached_back_to(void **state)
{
	struct rig *rig = hourly(state);
	rig_start(rig);
	evaluator_reach_back(rig->evaluator, 0, RIG_START_MS - 7000000);
	evaluator_reach_back(rig->evaluator, 0, RIG_START_MS + 7000000); /* not forward */
	rig_check(rig, "-7000:60 -6000:60 -5000:60 -3540!", "+exceedance@-3600/-7200=60");
	evaluator_reach_back(rig->evaluator, 0, RIG_START_MS - 70000000); /* it has readings */
	rig_check(rig, "-3500:10 -2000:10 -1000:10 60!", "-exceedance@0");
}

/* --- daylight saving: Europe/Berlin in autumn 2026: 03:00 CEST becomes 02:00 CET at 01:00 UTC ---
 */

#define BERLIN_BACK_S INT64_C(1792890000)

static void feed_at(struct rig *rig, int64_t wall_s, double value)
{
	struct reading r = {.measured_ms = wall_s * 1000,
			    .received_ms = wall_s * 1000,
			    .flag = FLAG_NORMAL,
			    .has_value = true,
			    .value = value};
	evaluator_feed(rig->evaluator, &r);
}

static struct rig *berlin(void **state)
{
	static const struct zone_change changes[] = {{1774746000, 7200}, {BERLIN_BACK_S, 3600}};
	struct rig *rig = hourly(state);
	rig->plan.zone = (struct zone){changes, 2};
	return rig;
}

static void test_an_hour_that_occurs_twice_is_two_windows(void **state)
{
	struct rig *rig = berlin(state);
	int64_t first = BERLIN_BACK_S - 3600;
	assert_int_equal(evaluator_new(&rig->evaluator, &rig->plan, first * 1000, 0, NULL, NULL),
			 0);
	evaluator_free(rig->evaluator);
	rig_start(rig);
	evaluator_clock(rig->evaluator, 0, first * 1000 + 60000, 0, false);
	rig->n_said = 0;
	for (int i = 0; i < 4; i++)
		feed_at(rig, first + i * 900, 60);
	for (int i = 0; i < 4; i++)
		feed_at(rig, BERLIN_BACK_S + i * 900, 10);
	evaluator_clock(rig->evaluator, 0, (BERLIN_BACK_S + 3660) * 1000, 0, false);
	assert_int_equal(rig->n_said, 3);
	assert_int_equal(rig->said[0].kind, ALERT_UNDETERMINED);
	assert_int_equal(rig->said[1].type, VERDICT_RAISED);
	assert_int_equal(rig->said[1].time_ms, BERLIN_BACK_S * 1000);
	assert_int_equal(rig->said[1].began_ms, first * 1000);
	assert_int_equal(rig->said[2].type, VERDICT_CLEARED);
	assert_int_equal(rig->said[2].time_ms, (BERLIN_BACK_S + 3600) * 1000);
}

static void test_a_day_of_twenty_five_hours_expects_as_many_readings(void **state)
{
	struct rig *rig = berlin(state);
	int64_t midnight = BERLIN_BACK_S - 3 * 3600;
	rig->limits[0].average = AVERAGE_DAY;
	rig->limits[0].min_valid = 1;
	rig->monitors[0].interval_ms = 3600000;
	rig_start(rig);
	evaluator_clock(rig->evaluator, 0, midnight * 1000 + 60000, 0, false);
	rig->n_said = 0;
	for (int i = 0; i < 24; i++)
		feed_at(rig, midnight + i * 3600, 60);
	feed_at(rig, midnight + 25 * 3600 - 1, 60);
	evaluator_clock(rig->evaluator, 0, (midnight + 24 * 3600 + 60) * 1000, 0, false);
	assert_int_equal(rig->n_said, 0);
	evaluator_clock(rig->evaluator, 0, (midnight + 25 * 3600 + 60) * 1000, 0, false);
	assert_int_equal(rig->n_said, 2);
	assert_int_equal(rig->said[0].kind, ALERT_UNDETERMINED);
	assert_int_equal(rig->said[0].type, VERDICT_CLEARED);
	assert_int_equal(rig->said[1].kind, ALERT_EXCEEDANCE);
	assert_int_equal(rig->said[1].time_ms, (midnight + 25 * 3600) * 1000);
}

static void test_a_mean_belongs_to_the_limit_in_force_at_its_start(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].valid_from_ms = RIG_START_MS + 3600000;
	rig->limits[0].valid_to_ms = RIG_START_MS + 7200000;
	rig_check(rig, "0:60 900:60 1800:60 2700:60 3660!", "");
	rig_check(rig, "3660:60 4500:60 5400:60 6300:60 7260!", "+exceedance@7200/3600=60");
	rig_check(rig, "7260:60 8100:60 9000:60 9900:60 10860!", "-exceedance@10800");
}

static void test_outside_its_dates_a_mean_is_not_undetermined(void **state)
{
	struct rig *rig = hourly(state);
	rig->limits[0].valid_to_ms = RIG_START_MS + 3600000;
	rig_check(rig, "3660!", "+undetermined@3600/0");
	rig_check(rig, "7260!", "-undetermined@7200");
	rig_check(rig, "10860!", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_mean_is_judged_once_after_the_grace),
		rig_test(test_a_mean_equal_to_the_limit_complies),
		rig_test(test_a_mean_is_compared_as_it_reads),
		rig_test(test_a_mean_that_is_no_number_is_undetermined),
		rig_test(test_a_steady_small_violation_of_a_mean_opens_on_time),
		rig_test(test_the_window_holds_its_start_and_not_its_end),
		rig_test(test_equal_times_count_each),
		rig_test(test_only_valid_readings_enter_a_mean),
		rig_test(test_a_share_below_min_valid_is_undetermined_once),
		rig_test(test_a_share_of_exactly_min_valid_suffices),
		rig_test(test_an_undetermined_window_does_not_clear_the_limit),
		rig_test(test_an_undetermined_window_stops_a_counted_recovery),
		rig_test(test_counts_of_a_mean_limit_count_windows),
		rig_test(test_expected_per_hour_replaces_the_interval),
		rig_test(test_without_any_expectation_one_reading_suffices),
		rig_test(test_a_late_reading_enters_a_window_that_is_not_judged_yet),
		rig_test(test_a_late_reading_changes_no_judged_window),
		rig_test(test_rounded_rounds_the_mean_and_not_the_readings),
		rig_test(test_a_mean_warns_with_the_same_windows),
		rig_test(test_a_lower_bound_of_a_mean),
		rig_test(test_stale_gaps_do_not_break_means),
		rig_test(test_instant_readings_do_not_recover_or_break_a_mean),
		rig_test(test_a_day_begins_at_the_nodes_midnight),
		rig_test(test_several_windows_that_ended_are_judged_in_order),
		rig_test(test_a_clock_that_leaps_years_ends_soon),
		rig_test(test_windows_before_the_start_are_judged_once_they_are_reached_back_to),
		rig_test(test_an_hour_that_occurs_twice_is_two_windows),
		rig_test(test_a_day_of_twenty_five_hours_expects_as_many_readings),
		rig_test(test_a_mean_belongs_to_the_limit_in_force_at_its_start),
		rig_test(test_outside_its_dates_a_mean_is_not_undetermined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
