/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of clues: what several results, or several monitors, show together. */
#include "rig.h"

#include <math.h>
#include <stdlib.h>

/* A monitor 0 with clue rules, and no limit. */
static struct clue_rules *watched(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].n_limits = 0;
	rig->monitors[0].clues = &rig->clues[0];
	return &rig->clues[0];
}

static void restart(struct rig *rig)
{
	void *bytes = malloc(evaluator_save_size(rig->evaluator));
	size_t size = evaluator_save(rig->evaluator, bytes);
	evaluator_free(rig->evaluator);
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, bytes, size));
	free(bytes);
}

/* --- clipped --- */

static void clip(void **state)
{
	struct clue_rules *rules = watched(state);
	rules->clipped_count = 3;
	rules->clipped_from = 199;
	rules->hold_ms = 100000;
}

static void test_clipped_takes_results_and_time(void **state)
{
	clip(state);
	rig_check(*state, "0:199 60:199.5 99:200 99.9:200", "");
	rig_check(*state, "100:200", "+clue(clipped)@100/0=200");
	rig_check(*state, "110:200 120:198.9", "-clue(clipped)@120");
}

static void test_clipped_waits_for_enough_results(void **state)
{
	clip(state);
	rig_check(*state, "0:200 200:200", "");
	rig_check(*state, "201:200", "+clue(clipped)@201/0=200");
}

static void test_a_lower_result_begins_clipped_anew(void **state)
{
	clip(state);
	rig_check(*state, "0:200 60:200 90:150 100:200 150:200 199:200", "");
	rig_check(*state, "200:200", "+clue(clipped)@200/100=200");
}

static void test_a_gap_breaks_clipped_and_clears_nothing(void **state)
{
	clip(state);
	((struct rig *)*state)->monitors[0].stale_after_ms = 60000;
	rig_check(*state, "0:200 60:200 121:200 150:200", "");
	rig_check(*state, "180:200 221:200", "+clue(clipped)@221/121=200");
	rig_check(*state, "300:200", "");
}

static void test_a_held_result_counts_once(void **state)
{
	clip(state);
	((struct rig *)*state)->monitors[0].cycle_ms = 90000;
	rig_check(*state, "0:200 50:200 89:200 100:200", "");
	rig_check(*state, "191:200", "+clue(clipped)@191/0=200");
}

/* --- weak flat --- */

static void test_results_that_hardly_differ_are_a_clue(void **state)
{
	struct clue_rules *rules = watched(state);
	rules->weak_flat_count = 4;
	rules->weak_flat_share = 0.005;
	rig_check(*state, "0:100 1:100.2 2:99.9", "");
	rig_check(*state, "3:100.1", "+clue(weak_flat)@3/0=100.1");
	rig_check(*state, "4:100 5:110", "-clue(weak_flat)@5");
}

static void test_at_the_detection_limit_nothing_is_flat(void **state)
{
	struct clue_rules *rules = watched(state);
	rules->weak_flat_count = 3;
	rules->weak_flat_share = 0.005;
	((struct rig *)*state)->monitors[0].detection_limit = 0.5;
	rig_check(*state, "0:0.5 1:0.5 2:0.5 3:0.5", "");
	rig_check(*state, "4:0.6 5:0.6 6:0.6", "+clue(weak_flat)@6/4=0.6");
}

static void test_what_is_flat_already_is_not_weakly_flat_too(void **state)
{
	struct rig *rig = *state;
	struct clue_rules *rules = watched(state);
	rules->weak_flat_count = 4;
	rules->weak_flat_share = 0.005;
	rig->monitors[0].flat_count = 3;
	rig_check(rig, "0:5 1:5 2:5 3:5 4:5", "+flat@2/0=5");
}

/* --- repeating --- */

static void test_a_pattern_that_comes_again_is_a_clue(void **state)
{
	struct clue_rules *rules = watched(state);
	rules->repeating_count = 5;
	rig_check(*state, "0:1 1:2 2:3 3:1 4:2 5:3 6:1", "");
	rig_check(*state, "7:2", "+clue(repeating)@7/3=2");
	rig_check(*state, "8:3 9:4", "-clue(repeating)@9");
}

static void test_a_long_pattern_begins_where_it_came_again(void **state)
{
	watched(state)->repeating_count = 3;
	rig_check(*state, "0:1 1:2 2:3 3:4 4:1 5:2 6:3", "");
	rig_check(*state, "7:4", "+clue(repeating)@7/4=4");
}

/* --- contradictions --- */

static struct clue_rules *contradict(void **state, const struct contradiction *x)
{
	struct clue_rules *rules = watched(state);
	rules->contradictions = x;
	rules->n_contradictions = 1;
	rules->contradicts_count = 2;
	rules->within_ms = 60000;
	return rules;
}

static void test_more_than_the_whole_is_a_contradiction(void **state)
{
	static const struct contradiction x = {"part", 1, CONTRADICTION_ABOVE, 1.1};
	contradict(state, &x);
	rig_check(*state, "m1 0:10 m0 1:12 m1 2:10 m0 3:11", "");
	rig_check(*state, "4:11.1", "");
	rig_check(*state, "5:11.2", "+clue(part)@5/4=11.2");
	rig_check(*state, "6:11", "-clue(part)@6");
}

static void test_an_old_or_unknown_other_says_nothing(void **state)
{
	static const struct contradiction x = {"part", 1, CONTRADICTION_ABOVE, 1};
	contradict(state, &x);
	rig_check(*state, "0:12 1:12 2:12", "");
	rig_check(*state, "m1 3:10M 4:-B m0 5:12 6:12", "");
	rig_check(*state, "m1 10:10 m0 70:12 71:12 72:12", "");
	rig_check(*state, "m1 73:10 m0 74:12", "+clue(part)@74/70=12");
	rig_check(*state, "200:1 m1 200:10 m0 201:1", "-clue(part)@201");
}

static void test_a_gap_breaks_a_contradiction(void **state)
{
	static const struct contradiction x = {"part", 1, CONTRADICTION_ABOVE, 1};
	contradict(state, &x);
	((struct rig *)*state)->monitors[0].stale_after_ms = 60000;
	rig_check(*state, "m1 0:10 m0 1:12 m1 70:10 m0 71:12", "");
	rig_check(*state, "72:12", "+clue(part)@72/71=12");
}

static void test_oxygen_far_beyond_saturation_contradicts_the_temperature(void **state)
{
	static const struct contradiction x = {"oversaturated", 1, CONTRADICTION_SATURATION, 2};
	contradict(state, &x);
	/* 468 / (31.6 + 20) = 9.0698 */
	rig_check(*state, "m1 0:20 m0 1:18.13 2:18.13", "");
	rig_check(*state, "3:18.15 4:18.15", "+clue(oversaturated)@4/3=18.15");
}

static void test_saturation_falls_with_temperature_and_altitude(void **state)
{
	(void)state;
	assert_true(fabs(oxygen_saturation(0) - 14.81) < 0.01);
	assert_true(oxygen_saturation(25) < oxygen_saturation(10));
	assert_true(air_pressure_share(0) == 1);
	assert_true(fabs(air_pressure_share(1891) - 0.7953) < 0.001); /* 80.6 of 101.325 kPa */
}

/* --- set aside --- */

static void test_maintenance_for_too_long_is_a_clue(void **state)
{
	watched(state)->flagged_after_ms = 7200000;
	rig_check(*state, "0:5M 3600:80M 7199:5C", "");
	rig_check(*state, "7200:5S", "+clue(flagged)@7200/0=5");
	rig_check(*state, "7300:5M 7400:5", "-clue(flagged)@7400");
}

static void test_any_other_flag_ends_the_time_set_aside(void **state)
{
	watched(state)->flagged_after_ms = 100000;
	rig_check(*state, "0:5M 50:5D 60:5M 100:5M 159:-M", "");
	rig_check(*state, "160:-M", "+clue(flagged)@160/60");
}

static void test_silence_ends_the_time_set_aside(void **state)
{
	struct rig *rig = *state;
	watched(state)->flagged_after_ms = 100000;
	rig->monitors[0].stale_after_ms = 60000;
	rig_check(rig, "0:5M 60:5M 121:5M 180:5M", "");
	rig_check(rig, "221:5M", "+clue(flagged)@221/121=5");
}

static void test_stopped_is_believed_where_no_flow_says_otherwise(void **state)
{
	struct rig *rig = *state;
	watched(state)->flagged_after_ms = 10000;
	rig_check(rig, "0:5F 10:5F 20:5F", "");
}

/* Monitor 1 measures the flow; below 2 for no time at all nothing is discharged. */
static struct rig *gated(void **state)
{
	struct rig *rig = *state;
	rig->site.has_flow = rig->site.has_gate = true;
	rig->site.flow_monitor = 1;
	rig->site.gate_below = 2;
	rig->monitors[0].gated = true;
	return rig;
}

static void test_stopped_while_water_runs_is_set_aside(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->flagged_after_ms = 10000;
	rig_check(rig, "m1 0:5 m0 1:5F", "");
	rig_check(rig, "11:5F", "+clue(flagged)@11/1=5");
	rig_check(rig, "m1 12:0 m0 13:5F", "-clue(flagged)@13");
	rig_check(rig, "30:5M 50:5M", "");
}

/* --- changes while nothing is discharged --- */

static void test_results_that_change_without_flow_are_a_clue(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_count = 3;
	rig->clues[0].shut_share = 0.2;
	rig_check(rig, "m1 0:0 m0 1:100 2:80", "");
	rig_check(rig, "3:80.1", "");
	rig_check(rig, "4:79", "+clue(shut)@4/1=79");
	rig_check(rig, "m1 5:9 m0 6:79", "-clue(shut)@6");
}

static void test_what_stands_still_without_flow_is_none(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_count = 3;
	rig->clues[0].shut_share = 0.2;
	rig_check(rig, "m1 0:0 m0 1:100 2:90 3:85 4:82 5:10M", "");
	rig_check(rig, "m1 6:9 m0 7:40 m1 8:0 m0 9:100 10:100 11:100", "");
}

static void test_each_time_without_flow_stands_for_itself(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_count = 3;
	rig->clues[0].shut_share = 0.2;
	rig_check(rig, "m1 0:0 m0 1:100 2:90 m1 3:9 m0 4:50 m1 5:0 m0 6:60", "");
	rig_check(rig, "7:50 7:40 7:30", ""); /* one moment is one result */
	rig_check(rig, "8:45", "+clue(shut)@8/6=45");
}

static void test_what_cannot_be_detected_does_not_change(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_count = 3;
	rig->clues[0].shut_share = 0.2;
	rig->monitors[0].detection_limit = 0.5;
	rig_check(rig, "m1 0:0 m0 1:0.4 2:0.1 3:0.5", "");
	rig_check(rig, "4:0.6", "+clue(shut)@4/1=0.6");
}

/* A limit of 50, and a standstill that is believed for 100 s. */
static struct rig *over(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_after_ms = 100000;
	rig->monitors[0].n_limits = 1;
	return rig;
}

static void test_a_standstill_is_believed_for_a_while(void **state)
{
	rig_check(over(state), "m1 0:0 m0 1:60 100.999:50.1", "");
	rig_check(*state, "101:51", "+clue(shut_over_limit)@101/1=51");
	rig_check(*state, "102:51M 103:50", "-clue(shut_over_limit)@103");
	rig_check(*state, "104:51 203:50 204:51 303:51", "");
	rig_check(*state, "304:51", "+clue(shut_over_limit)@304/204=51");
	rig_check(*state, "m1 305:9 m0 306:51",
		  "+exceedance@306/306=51 -clue(shut_over_limit)@306");
}

static void test_moments_of_flow_are_no_end_of_a_standstill(void **state)
{
	rig_check(over(state), "m1 0:0 m0 1:60 m1 50:9 51:0", "");
	rig_check(*state, "m0 101:51", "+clue(shut_over_limit)@101/1=51");
}

/* --- the first results after stops --- */

static void test_first_results_beyond_a_limit_time_and_again_are_a_clue(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_count = 2;
	rig->clues[0].shut_share = 1;
	rig->monitors[0].n_limits = 1;
	rig->monitors[0].settle_results = 1;
	rig_check(rig, "m0 0:1 m1 1:0 10:9 m0 11:60 12:1 m1 13:0 23:9 m0 24:50 25:1", "");
	rig_check(rig, "m1 26:0 36:9 m0 37:60 38:1", "");
	rig_check(rig, "m1 39:0 49:9 m0 50:61", "+clue(settled)@50/37=61");
	rig_check(rig, "m0 51:1 604850:1", "");
	rig_check(rig, "m0 604850.001:1", "-clue(settled)@604850.001");
}

static void test_a_first_result_that_complies_ends_the_clue(void **state)
{
	struct rig *rig = gated(state);
	watched(state)->shut_count = 1;
	rig->clues[0].shut_share = 1;
	rig->monitors[0].n_limits = 1;
	rig->monitors[0].settle_results = 1;
	rig_check(rig, "m0 0:1 m1 1:0 10:9 m0 11:60", "+clue(settled)@11/11=60");
	rig_check(rig, "m0 12:1 m1 13:0 23:9 m0 24:1", "-clue(settled)@24");
}

static void test_a_flow_backwards_is_a_clue(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[1].clues = &rig->clues[1];
	rig->clues[1].contradicts_count = 2;
	rig->clues[1].hold_ms = 10000;
	rig_check(rig, "m1 0:-2 9:-3 9.5:-1.9 10:-2 19:-2", "");
	rig_check(rig, "20:-25", "+m1.clue(negative_flow)@20/10=-25");
	rig_check(rig, "m1 21:0", "-m1.clue(negative_flow)@21");
	rig->monitors[1].stale_after_ms = 5000;
	rig_check(rig, "m1 22:-2 25:-2 30.001:-2 35:-2 40:-2", "");
	rig_check(rig, "m1 40.001:-3", "+m1.clue(negative_flow)@40.001/30.001=-3");
}

/* Of a rate that nobody said, results a quarter of an hour apart make a course. */
static void test_nearer_results_begin_a_course_anew(void **state)
{
	struct clue_rules *rules = watched(state);
	struct rig *rig = *state;
	rules->repeating_count = 3;
	rules->apart_ms = COURSE_APART_MS;
	rig_check(rig, "0:1 900:2 1740:3 2640:1 3540:2", "");
	rig_check(rig, "4440:3", "+clue(repeating)@4440/2640=3");
	rig_check(rig, "5340:1 5940:2 6840:3", "");
	rig_check(rig, "7740:1", "-clue(repeating)@7740");
	rig_check(rig, "9600:1 9660:2 9720:3 9780:1 9840:2 9900:3 9960:1", "");
}

/* --- the same course elsewhere --- */

static struct rig *twins(void **state)
{
	struct rig *rig = *state;
	for (uint32_t i = 0; i < RIG_MONITORS; i++) {
		rig->monitors[i] = (struct monitor){
			.factor = "w01018", .connection = NO_INDEX, .clues = &rig->clues[i]};
		rig->clues[i].alike_count = 4;
		rig->clues[i].next_alike = (i + 1) % RIG_MONITORS;
	}
	rig->clues[0].alike = "alike a";
	rig->clues[1].alike = "alike b";
	rig->clues[2].alike = "alike c";
	return rig;
}

static void test_the_same_course_at_two_sites_is_a_clue(void **state)
{
	struct rig *rig = twins(state);
	rig_check(rig, "m0 0:1 m1 1:1 m0 1000:2 m1 1001:2 m0 2000:3 m1 2001:3 m0 3000:4", "");
	rig_check(rig, "m1 3001:4", "+m1.clue(alike a)@3001/1=4");
	rig_check(rig, "m0 4000:5 m1 4001:5 m0 5000:6 m1 5001:6.1", "-m1.clue(alike a)@5001");
}

static void test_it_does_not_matter_which_of_the_two_reports_first(void **state)
{
	struct rig *rig = twins(state);
	rig_check(rig, "m0 0:1 m1 420:1 m1 1000:2 m0 1001:2 m0 2000:3 m1 2001:3 m1 3000:4", "");
	rig_check(rig, "m0 3001:4", "+m1.clue(alike a)@3001/420=4");
}

static void test_the_same_course_at_other_times_is_none(void **state)
{
	struct rig *rig = twins(state);
	rig_check(rig,
		  "m0 0:1 m1 421:1 m0 1000:2 m1 1421:2 m0 2000:3 m1 2421:3 m0 3000:4 m1 3421:4",
		  "");
}

static void test_a_third_site_counts_for_itself(void **state)
{
	struct rig *rig = twins(state);
	rig_check(
		rig,
		"m0 0:1 m1 1:1 m2 2:1 m0 1000:2 m1 1001:2 m2 1002:2 m0 2000:3 m1 2001:3 m2 2002:3",
		"");
	rig_check(rig, "m0 3000:4 m1 3001:4 m2 3002:4",
		  "+m1.clue(alike a)@3001/1=4 +m2.clue(alike a)@3002/2=4");
}

static void test_a_gap_breaks_the_same_course(void **state)
{
	struct rig *rig = twins(state);
	for (uint32_t i = 0; i < RIG_MONITORS; i++)
		rig->monitors[i].stale_after_ms = 1500000;
	rig->monitors[2].stale_after_ms = 0;
	rig_play(rig, "m0 0:1 m1 1:1 m0 1000:2 m1 1001:2");
	rig_check(rig, "m0 3000:3 m1 3001:3 m0 4000:4 m1 4001:4 m0 5000:5 m1 5001:5", "");
	rig_check(rig, "m0 6000:6 m1 6001:6", "+m1.clue(alike a)@6001/3001=6");
}

static void test_two_values_alone_are_no_course(void **state)
{
	struct rig *rig = twins(state);
	rig_check(rig, "m0 0:1 m1 1:1 m0 1000:2 m1 1001:2 m0 2000:1 m1 2001:1 m0 3000:2 m1 3001:2",
		  "");
	rig_check(rig, "m0 4000:3 m1 4001:3", "+m1.clue(alike a)@4001/1=3");
}

/* --- restarts, late readings --- */

static void test_runs_and_alerts_of_clues_last_over_a_restart(void **state)
{
	struct rig *rig = twins(state);
	rig_play(rig, "m0 0:1 m1 1:1 m0 1000:2 m1 1001:2 m0 2000:3 m1 2001:3 m0 3000:4");
	restart(rig);
	rig_check(rig, "m1 3001:4", "+m1.clue(alike a)@3001/1=4");
	restart(rig);
	rig_check(rig, "m0 4000:5 m1 4001:7", "-m1.clue(alike a)@4001");
}

static void test_the_ledger_decides_which_clues_are_active(void **state)
{
	struct rig *rig = *state;
	clip(state);
	rig_check(rig, "0:200 60:200 100:200", "+clue(clipped)@100/0=200");
	struct verdict raised = rig->said[0];
	evaluator_forget_alerts(rig->evaluator);
	rig_check(rig, "120:150", "");
	rig_play(rig, "130:200 140:200");
	assert_true(evaluator_adopt(rig->evaluator, &raised));
	rig_check(rig, "150:150", "-clue(clipped)@150");
	rig->clues[0].clipped_count = 0;
	assert_false(evaluator_adopt(rig->evaluator, &raised));
	raised.reason = "alike a";
	assert_false(evaluator_adopt(rig->evaluator, &raised));
}

static void test_a_lost_ledger_is_told_of_active_clues(void **state)
{
	struct rig *rig = twins(state);
	rig_play(rig, "m0 0:1 m1 1:1 m0 1000:2 m1 1001:2 m0 2000:3 m1 2001:3 m0 3000:4 m1 3001:4");
	rig_said(rig, "+m1.clue(alike a)@3001/1=4");
	evaluator_repeat(rig->evaluator);
	rig_said(rig, "+m1.clue(alike a)@3001/1=4");
}

static void test_late_readings_are_no_clue(void **state)
{
	clip(state);
	rig_check(*state, "0:200 200:1 60:200 70:200 110:200", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_clipped_takes_results_and_time),
		rig_test(test_clipped_waits_for_enough_results),
		rig_test(test_a_lower_result_begins_clipped_anew),
		rig_test(test_a_gap_breaks_clipped_and_clears_nothing),
		rig_test(test_a_held_result_counts_once),
		rig_test(test_results_that_hardly_differ_are_a_clue),
		rig_test(test_at_the_detection_limit_nothing_is_flat),
		rig_test(test_what_is_flat_already_is_not_weakly_flat_too),
		rig_test(test_a_pattern_that_comes_again_is_a_clue),
		rig_test(test_a_long_pattern_begins_where_it_came_again),
		rig_test(test_a_gap_breaks_a_contradiction),
		rig_test(test_each_time_without_flow_stands_for_itself),
		rig_test(test_what_cannot_be_detected_does_not_change),
		rig_test(test_a_standstill_is_believed_for_a_while),
		rig_test(test_moments_of_flow_are_no_end_of_a_standstill),
		rig_test(test_first_results_beyond_a_limit_time_and_again_are_a_clue),
		rig_test(test_a_first_result_that_complies_ends_the_clue),
		rig_test(test_a_flow_backwards_is_a_clue),
		rig_test(test_a_third_site_counts_for_itself),
		rig_test(test_a_gap_breaks_the_same_course),
		rig_test(test_more_than_the_whole_is_a_contradiction),
		rig_test(test_an_old_or_unknown_other_says_nothing),
		rig_test(test_oxygen_far_beyond_saturation_contradicts_the_temperature),
		rig_test(test_saturation_falls_with_temperature_and_altitude),
		rig_test(test_maintenance_for_too_long_is_a_clue),
		rig_test(test_any_other_flag_ends_the_time_set_aside),
		rig_test(test_silence_ends_the_time_set_aside),
		rig_test(test_stopped_is_believed_where_no_flow_says_otherwise),
		rig_test(test_stopped_while_water_runs_is_set_aside),
		rig_test(test_results_that_change_without_flow_are_a_clue),
		rig_test(test_what_stands_still_without_flow_is_none),
		rig_test(test_the_same_course_at_two_sites_is_a_clue),
		rig_test(test_it_does_not_matter_which_of_the_two_reports_first),
		rig_test(test_the_same_course_at_other_times_is_none),
		rig_test(test_two_values_alone_are_no_course),
		rig_test(test_runs_and_alerts_of_clues_last_over_a_restart),
		rig_test(test_the_ledger_decides_which_clues_are_active),
		rig_test(test_a_lost_ledger_is_told_of_active_clues),
		rig_test(test_late_readings_are_no_clue),
		rig_test(test_nearer_results_begin_a_course_anew),
	};
	return cmocka_run_group_tests_name("evaluate-clue", tests, NULL, NULL);
}
