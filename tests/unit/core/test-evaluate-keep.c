/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluator across restarts: saved, loaded into the same or a changed plan, resumed. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

/* What an evaluator that ended has left. */
struct left {
	void *bytes;
	size_t size;
};

static struct left end(struct rig *rig)
{
	size_t capacity = evaluator_save_size(rig->evaluator);
	struct left left = {malloc(capacity), 0};
	left.size = evaluator_save(rig->evaluator, left.bytes);
	assert_true(left.size <= capacity);
	rig->evaluator = evaluator_free(rig->evaluator);
	return left;
}

static void begin(struct rig *rig, struct left left)
{
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, left.bytes, left.size));
	free(left.bytes);
}

static void restart(struct rig *rig)
{
	begin(rig, end(rig));
}

static void test_a_running_delay_goes_on_after_a_restart(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "0:51 5:70");
	restart(rig);
	rig_play(rig, "10:52");
	assert_true(rig->said[0].peak_value == 70);
	rig_said(rig, "+exceedance@10/0=52");
}

static void test_an_active_alert_is_not_raised_again_after_a_restart(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51 1:60", "+exceedance@0/0=51");
	restart(rig);
	rig_play(rig, "2:55 3:40");
	assert_true(rig->said[0].peak_value == 60 && rig->said[0].value == 51);
	assert_int_equal(rig->said[0].raised_ms, RIG_START_MS);
	rig_said(rig, "-exceedance@3");
}

static void test_a_running_recovery_goes_on_after_a_restart(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 30000;
	rig_check(rig, "0:51 10:40", "+exceedance@0/0=51");
	restart(rig);
	rig_check(rig, "39:40 40:40", "-exceedance@40");
}

static void test_a_downtime_shorter_than_stale_after_breaks_no_run(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig->limits[0].on_delay_ms = 60000;
	rig_play(rig, "0:51");
	restart(rig);
	rig_check(rig, "60:51", "+exceedance@60/0=51");
}

static void test_a_longer_downtime_breaks_every_run(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig->limits[0].on_delay_ms = 60000;
	rig_play(rig, "0:51");
	restart(rig);
	rig_check(rig, "60.001:51", "");
	rig_check(rig, "120.001:51", "+exceedance@120.001/60.001=51");
}

static void test_downtime_is_no_silence_of_the_instrument(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].stale_after_ms = 60000;
	rig_play(rig, "10:5 40!");
	restart(rig);
	/* alive until 40 s, back at 1000 s: 30 s of silence are already known */
	evaluator_resume(rig->evaluator, RIG_START_MS + 40000,
			 RIG_MONO_NS + INT64_C(1000000000000));
	rig_check(rig, "1029!", "");
	rig_check(rig, "1030.1!", "+stale@70/10=5");
}

static void test_a_half_filled_window_goes_on_after_a_restart(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].interval_ms = 900000;
	rig->limits[0] = (struct limit){
		.has_max = true, .max = 50, .average = AVERAGE_HOUR, .min_valid = 1, .key = "a"};
	rig_play(rig, "0:60 900:60");
	restart(rig);
	rig_check(rig, "1800:60 2700:60 3600!", "+exceedance@3600/0=60");
}

static void test_flat_step_and_range_go_on_after_a_restart(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].flat_after_ms = 60000;
	rig->monitors[0].max_step = 10;
	rig_play(rig, "0:5 10:5");
	restart(rig);
	rig_check(rig, "60:5", "+flat@60/0=5");
	restart(rig);
	rig_check(rig, "61:16", "+step@61/61=16 -flat@61");
}

static void test_readings_that_are_fed_again_say_the_same_verdicts_again(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "0:51");
	size_t size = evaluator_save_size(rig->evaluator);
	void *bytes = malloc(size);
	size = evaluator_save(rig->evaluator, bytes);
	rig_check(rig, "10:52 20:40", "+exceedance@10/0=52 -exceedance@20");
	rig->evaluator = evaluator_free(rig->evaluator);
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, bytes, size));
	rig_check(rig, "10:52 20:40", "+exceedance@10/0=52 -exceedance@20");
	free(bytes);
}

/* --- a wall clock that is set back --- */

static void test_what_comes_after_the_clock_was_set_back_is_not_late(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "1000000:5 10:51", "");
	evaluator_set_back(rig->evaluator, RIG_START_MS + 20000);
	rig_check(rig, "21:51", "+exceedance@21/21=51");
}

static void test_setting_the_clock_back_breaks_runs(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "1000000:51");
	evaluator_set_back(rig->evaluator, RIG_START_MS + 20000);
	rig_check(rig, "21:51 30:51", "");
	rig_check(rig, "31:51", "+exceedance@31/21=51");
}

/* --- a changed plan --- */

static void test_a_limit_of_another_key_starts_at_rest(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51", "+exceedance@0/0=51");
	struct left left = end(rig);
	rig->limits[0].key = "other";
	begin(rig, left);
	rig_check(rig, "1:51", "+exceedance@1/1=51");
}

static void test_a_limit_keeps_its_state_at_another_place(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51", "+exceedance@0/0=51");
	struct left left = end(rig);
	rig->monitors[0].n_limits = 2;
	rig->limits[1] = rig->limits[0];
	rig->limits[0] = (struct limit){.has_max = true, .max = 90, .key = "new"};
	begin(rig, left);
	rig_check(rig, "1:51 2:40", "-exceedance#1@2");
}

static void test_a_monitor_keeps_its_state_at_another_place(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51", "+exceedance@0/0=51");
	struct left left = end(rig);
	struct monitor first = rig->monitors[0];
	rig->monitors[0] = rig->monitors[2];
	rig->monitors[2] = first;
	begin(rig, left);
	rig_check(rig, "m2 1:51 2:40", "-m2.exceedance@2");
}

static void test_a_monitor_that_is_gone_is_passed_over(void **state)
{
	struct rig *rig = *state;
	rig->monitors[1].limits = rig->limits;
	rig->monitors[1].n_limits = 1;
	rig_check(rig, "m1 0:51", "+m1.exceedance@0/0=51");
	struct left left = end(rig);
	rig->monitors[0] = rig->monitors[1];
	rig->plan.n_monitors = 1;
	begin(rig, left);
	rig_check(rig, "m0 1:51 2:40", "-exceedance@2");
}

/* --- bytes that do not fit --- */

static void test_bytes_of_another_version_or_length_are_refused(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "0:51", "+exceedance@0/0=51");
	size_t size = evaluator_save_size(rig->evaluator);
	unsigned char *bytes = malloc(size);
	size = evaluator_save(rig->evaluator, bytes);
	for (size_t cut = 0; cut < size; cut += 7)
		assert_false(evaluator_load(rig->evaluator, bytes, cut));
	for (size_t i = 0; i < 24; i++) { /* any change of the head */
		bytes[i] ^= 0x15;
		assert_false(evaluator_load(rig->evaluator, bytes, size));
		bytes[i] ^= 0x15;
	}
	assert_true(evaluator_load(rig->evaluator, bytes, size));
	free(bytes);
}

/* --- the ledger's word --- */

static void test_an_alert_that_the_ledger_does_not_know_needs_a_run_of_its_own(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 10:51", "+exceedance@10/0=51");
	restart(rig);
	evaluator_forget_alerts(rig->evaluator);
	rig_check(rig, "11:51 20:51", "");
	rig_check(rig, "21:51", "+exceedance@21/11=51");
}

static void test_forgetting_alerts_keeps_a_run_that_raised_none(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "0:51 5:51");
	restart(rig);
	evaluator_forget_alerts(rig->evaluator);
	rig_check(rig, "10:51", "+exceedance@10/0=51");
}

static void test_an_adopted_alert_keeps_its_recovery(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 30000;
	rig_play(rig, "0:51 10:40");
	struct verdict alert = rig->said[0];
	rig_said(rig, "+exceedance@0/0=51");
	restart(rig);
	evaluator_forget_alerts(rig->evaluator);
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_check(rig, "39:40 40:40", "-exceedance@40");
}

static void test_the_recovery_of_a_forgotten_alert_shortens_no_later_one(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].off_delay_ms = 30000;
	rig_check(rig, "0:51 10:40", "+exceedance@0/0=51");
	restart(rig);
	evaluator_forget_alerts(rig->evaluator);
	rig_check(rig, "11:51 12:40 40:40", "+exceedance@11/11=51");
	rig_check(rig, "42:40", "-exceedance@42");
}

static void test_an_adopted_alert_is_active_and_clears(void **state)
{
	struct rig *rig = *state;
	rig_start(rig);
	struct verdict alert = {.type = VERDICT_RAISED,
				.kind = ALERT_EXCEEDANCE,
				.connection = NO_INDEX,
				.bound = BOUND_MAX,
				.has_value = true,
				.value = 61,
				.peak_value = 70,
				.began_ms = RIG_START_MS - 20000,
				.raised_ms = RIG_START_MS - 10000};
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_play(rig, "0:51 1:40");
	assert_true(rig->said[0].value == 61 && rig->said[0].peak_value == 70);
	assert_int_equal(rig->said[0].raised_ms, RIG_START_MS - 10000);
	rig_said(rig, "-exceedance@1");
}

static void test_an_alert_that_a_calm_monitor_adopts_clears(void **state)
{
	struct rig *rig = *state;
	rig_play(rig, "0:51");
	struct verdict alert = rig->said[0];
	rig_check(rig, "1:40 2:40", "+exceedance@0/0=51 -exceedance@1");
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_check(rig, "3:40", "-exceedance@3");
}

static void test_a_run_that_is_loaded_into_a_calm_monitor_goes_on(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].on_delay_ms = 10000;
	rig_play(rig, "0:51 5:52");
	struct left left = end(rig);
	rig_start(rig);
	rig_play(rig, "0:40 1:40");
	assert_true(evaluator_load(rig->evaluator, left.bytes, left.size));
	free(left.bytes);
	rig_check(rig, "6:40 10:53 20:53", "+exceedance@20/10=53");
}

static void test_adopting_keeps_a_higher_peak_that_was_saved(void **state)
{
	struct rig *rig = *state;
	rig_play(rig, "0:51");
	struct verdict alert = rig->said[0];
	rig_play(rig, "1:80");
	restart(rig);
	evaluator_forget_alerts(rig->evaluator);
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_play(rig, "2:40");
	assert_true(rig->said[1].peak_value == 80);
	assert_int_equal(rig->said[1].peak_ms, RIG_START_MS + 1000);
}

static void test_every_kind_of_condition_is_adopted_and_clears(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].connection = 0;
	rig->monitors[0].stale_after_ms = 60000;
	rig->monitors[0].flat_after_ms = 60000;
	rig->monitors[0].max_step = 10;
	rig->monitors[0].has_range = true;
	rig->monitors[0].range_high = 100;
	rig->limits[0].warn_at = 0.9;
	rig_play(rig, "0:5");
	static const enum alert_kind kinds[] = {ALERT_CONNECTION, ALERT_STALE, ALERT_FLAT,
						ALERT_STEP,       ALERT_CLUE,  ALERT_WARNING};
	for (size_t i = 0; i < 6; i++) {
		struct verdict alert = {.kind = kinds[i],
					.monitor = kinds[i] == ALERT_CONNECTION ? NO_INDEX : 0,
					.connection = kinds[i] == ALERT_CONNECTION ? 0 : NO_INDEX,
					.limit = kinds[i] == ALERT_WARNING ? 0 : NO_INDEX,
					.raised_ms = RIG_START_MS,
					.bound =
						kinds[i] == ALERT_WARNING ? BOUND_MAX : BOUND_NONE};
		assert_true(evaluator_adopt(rig->evaluator, &alert));
	}
	rig_check(rig, "1^ 2:6", "-connection@1 -stale@2 -clue@2 -step@2 -warning@2 -flat@2");
}

static void test_a_step_of_any_sort_is_adopted(void **state)
{
	static const struct verdict alert = {.kind = ALERT_STEP,
					     .connection = NO_INDEX,
					     .limit = NO_INDEX,
					     .raised_ms = RIG_START_MS};
	struct rig *rig = *state;
	rig->monitors[0].max_step_hour = 1;
	rig_play(rig, "0:5");
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_check(rig, "1:5", "-step@1");
	rig->monitors[0].max_step_hour = 0;
	rig->monitors[0].step_times = 3;
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_check(rig, "2:5", "-step@2");
}

static void test_a_clue_below_the_range_is_adopted_where_it_is_looked_for(void **state)
{
	static const struct verdict alert = {.kind = ALERT_CLUE,
					     .connection = NO_INDEX,
					     .limit = NO_INDEX,
					     .reason = "under_range",
					     .raised_ms = RIG_START_MS};
	struct rig *rig = *state;
	rig->monitors[0].has_range = true;
	rig->monitors[0].range_high = 100;
	rig_start(rig);
	assert_false(evaluator_adopt(rig->evaluator, &alert));
	rig->monitors[0].under_range = true;
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	rig_check(rig, "1:5", "-clue(under_range)@1");
}

static void test_a_condition_that_is_no_longer_looked_for_is_not_adopted(void **state)
{
	struct rig *rig = *state;
	rig_start(rig); /* the limit alone, without a warning and without checks of the signal */
	static const enum alert_kind kinds[] = {ALERT_STALE, ALERT_FLAT, ALERT_STEP, ALERT_CLUE,
						ALERT_WARNING};
	for (size_t i = 0; i < 5; i++) {
		struct verdict alert = {.kind = kinds[i],
					.connection = NO_INDEX,
					.limit = kinds[i] == ALERT_WARNING ? 0 : NO_INDEX,
					.raised_ms = RIG_START_MS};
		assert_false(evaluator_adopt(rig->evaluator, &alert));
	}
}

static void test_a_condition_that_cannot_be_is_not_adopted(void **state)
{
	struct rig *rig = *state;
	rig_start(rig);
	struct verdict alert = {.kind = ALERT_LOAD, .connection = NO_INDEX, .limit = NO_INDEX};
	assert_false(evaluator_adopt(rig->evaluator, &alert));
	alert.kind = ALERT_EXCEEDANCE;
	assert_false(evaluator_adopt(rig->evaluator, &alert));
	alert.kind = ALERT_STALE;
	alert.monitor = NO_INDEX;
	assert_false(evaluator_adopt(rig->evaluator, &alert));
}

static void test_a_fault_of_the_daemon_goes_on_after_a_restart_and_clears(void **state)
{
	struct rig *rig = *state;
	rig_start(rig);
	struct verdict alert = {.kind = ALERT_FAULT,
				.monitor = NO_INDEX,
				.connection = NO_INDEX,
				.limit = NO_INDEX,
				.reason = "unrecorded",
				.raised_ms = RIG_START_MS};
	assert_true(evaluator_adopt(rig->evaluator, &alert));
	evaluator_own_fault(rig->evaluator, OWN_UNRECORDED, true, RIG_START_MS + 1000, RIG_MONO_NS);
	assert_int_equal(rig->n_said, 0);
	evaluator_own_fault(rig->evaluator, OWN_UNRECORDED, false, RIG_START_MS + 2000,
			    RIG_MONO_NS);
	assert_int_equal(rig->n_said, 1);
	assert_int_equal(rig->said[0].type, VERDICT_CLEARED);
	assert_int_equal(rig->said[0].raised_ms, RIG_START_MS);
	alert.reason = "of another version";
	assert_false(evaluator_adopt(rig->evaluator, &alert));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_running_delay_goes_on_after_a_restart),
		rig_test(test_an_active_alert_is_not_raised_again_after_a_restart),
		rig_test(test_a_running_recovery_goes_on_after_a_restart),
		rig_test(test_a_downtime_shorter_than_stale_after_breaks_no_run),
		rig_test(test_a_longer_downtime_breaks_every_run),
		rig_test(test_downtime_is_no_silence_of_the_instrument),
		rig_test(test_a_half_filled_window_goes_on_after_a_restart),
		rig_test(test_flat_step_and_range_go_on_after_a_restart),
		rig_test(test_readings_that_are_fed_again_say_the_same_verdicts_again),
		rig_test(test_what_comes_after_the_clock_was_set_back_is_not_late),
		rig_test(test_setting_the_clock_back_breaks_runs),
		rig_test(test_a_limit_of_another_key_starts_at_rest),
		rig_test(test_a_limit_keeps_its_state_at_another_place),
		rig_test(test_a_monitor_keeps_its_state_at_another_place),
		rig_test(test_a_monitor_that_is_gone_is_passed_over),
		rig_test(test_bytes_of_another_version_or_length_are_refused),
		rig_test(test_an_alert_that_the_ledger_does_not_know_needs_a_run_of_its_own),
		rig_test(test_forgetting_alerts_keeps_a_run_that_raised_none),
		rig_test(test_an_adopted_alert_keeps_its_recovery),
		rig_test(test_the_recovery_of_a_forgotten_alert_shortens_no_later_one),
		rig_test(test_an_adopted_alert_is_active_and_clears),
		rig_test(test_an_alert_that_a_calm_monitor_adopts_clears),
		rig_test(test_a_run_that_is_loaded_into_a_calm_monitor_goes_on),
		rig_test(test_adopting_keeps_a_higher_peak_that_was_saved),
		rig_test(test_every_kind_of_condition_is_adopted_and_clears),
		rig_test(test_a_step_of_any_sort_is_adopted),
		rig_test(test_a_clue_below_the_range_is_adopted_where_it_is_looked_for),
		rig_test(test_a_condition_that_is_no_longer_looked_for_is_not_adopted),
		rig_test(test_a_condition_that_cannot_be_is_not_adopted),
		rig_test(test_a_fault_of_the_daemon_goes_on_after_a_restart_and_clears),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
