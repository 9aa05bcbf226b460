/* SPDX-License-Identifier: Apache-2.0 */
/* Readings in a row that are older than an earlier one: somebody's clock. */
#include "rig.h"

#include <stdlib.h>

static struct rig *watched(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].late_count = 3;
	return rig;
}

static void test_what_one_reading_dated_ahead_silences_is_a_clue(void **state)
{
	struct rig *rig = watched(state);
	rig_check(rig, "0:40 100:41 10:60 20:61", "");
	rig_check(rig, "30:62 40:63", "+clue(out_of_order)@30/10=62");
	rig_check(rig, "100:40 110:40", "");
	rig_check(rig, "120:40", "-clue(out_of_order)@120");
	rig_check(rig, "130:51", "+exceedance@130/130=51");
}

static void test_late_readings_that_do_not_follow_each_other_are_no_clue(void **state)
{
	struct rig *rig = watched(state);
	rig_check(rig, "0:1 10:1 5:1 20:1 15:1 30:1 25:1 40:1 35:1", "");
	rig_check(rig, "100:1 90:1 80:1 70:1 60:1 70:1 70:1 75:1", "");
	rig_check(rig, "76:1", "+clue(out_of_order)@76/70=1");
}

static void test_any_flag_counts_and_a_value_is_not_needed(void **state)
{
	struct rig *rig = watched(state);
	rig_check(rig, "100:1M 10:-B 20:5M 30:-D", "+clue(out_of_order)@30/10");
	rig_check(rig, "100:1B 110:1M 120:-D", "-clue(out_of_order)@120");
}

/* What is measured now comes between what a logger catches up with. */
static void test_a_logger_that_catches_up_is_one_clue(void **state)
{
	struct rig *rig = watched(state);
	rig_check(rig, "0:1 500:1 10:1 20:1 30:1", "+clue(out_of_order)@30/10=1");
	rig_check(rig, "501:1 502:1 40:1 50:1 60:1 503:1 504:1 70:1 505:1 506:1", "");
	rig_check(rig, "507:1", "-clue(out_of_order)@507");
}

static void test_the_count_says_how_many_and_zero_none(void **state)
{
	struct rig *rig = *state;
	rig_check(rig, "100:1 10:1 20:1 30:1 40:1 50:1 110:1", "");
	rig->monitors[0].late_count = 1;
	rig_check(rig, "50:1 120:1", "+clue(out_of_order)@50/50=1 -clue(out_of_order)@120");
}

/* A monitor that was calm is looked at until it is in order again. */
static void test_readings_that_comply_end_it_too(void **state)
{
	struct rig *rig = watched(state);
	rig_check(rig, "0:1 1:1 2:1 100:1 3:1 4:1 101:1 5:1 6:1", "");
	rig_check(rig, "7:1 102:1 103:1 104:1 105:1",
		  "+clue(out_of_order)@7/5=1 -clue(out_of_order)@104");
}

static void test_it_lasts_over_a_restart(void **state)
{
	struct rig *rig = watched(state);
	rig_check(rig, "0:1 100:1 3:1 4:1", "");
	size_t most = evaluator_save_size(rig->evaluator);
	void *bytes = malloc(most);
	assert_non_null(bytes);
	size_t size = evaluator_save(rig->evaluator, bytes);
	rig->evaluator = evaluator_free(rig->evaluator);
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, bytes, size));
	free(bytes);
	rig_check(rig, "5:1", "+clue(out_of_order)@5/3=1");
	const struct verdict raised = rig->said[0];
	evaluator_forget_alerts(rig->evaluator);
	assert_true(evaluator_adopt(rig->evaluator, &raised));
	evaluator_repeat(rig->evaluator);
	rig_said(rig, "+clue(out_of_order)@5/3=1");
	rig_check(rig, "100:1 101:1 102:1", "-clue(out_of_order)@102");
	rig->monitors[0].late_count = 0;
	assert_false(evaluator_adopt(rig->evaluator, &raised));
}

/* A daemon that was killed has the ledger's word alone. */
static void test_an_alert_that_is_adopted_ends(void **state)
{
	const struct verdict raised = {.type = VERDICT_RAISED,
				       .kind = ALERT_CLUE,
				       .reason = "out_of_order",
				       .connection = NO_INDEX,
				       .limit = NO_INDEX};
	struct rig *rig = watched(state);
	rig_check(rig, "0:1", "");
	assert_true(evaluator_adopt(rig->evaluator, &raised));
	rig_check(rig, "1:1 2:1 3:1", "-clue(out_of_order)@3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_what_one_reading_dated_ahead_silences_is_a_clue),
		rig_test(test_late_readings_that_do_not_follow_each_other_are_no_clue),
		rig_test(test_any_flag_counts_and_a_value_is_not_needed),
		rig_test(test_a_logger_that_catches_up_is_one_clue),
		rig_test(test_the_count_says_how_many_and_zero_none),
		rig_test(test_readings_that_comply_end_it_too),
		rig_test(test_it_lasts_over_a_restart),
		rig_test(test_an_alert_that_is_adopted_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
