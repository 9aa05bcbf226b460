/* SPDX-License-Identifier: Apache-2.0 */
/* A flood of alerts, where somebody is called by them. */
#include "core/caserules.h"

#include "rig.h"

#include <stdio.h>

static struct rig *roster(void **state)
{
	static const struct case_rules rules = {.duty.n = 1};
	struct rig *rig = *state;
	rig->plan.rules = &rules;
	rig->monitors[0].n_limits = 0;
	return rig;
}

/* Alerts of one monitor, one at each of @n seconds from @from. */
static void steps(struct rig *rig, int from, int n)
{
	char script[64];
	rig->monitors[0].max_step = 1;
	for (int i = 0; i < n; i++) {
		snprintf(script, sizeof script, "%d:0 %d.2:5 %d.4:5", from + i, from + i, from + i);
		rig_play(rig, script);
	}
	rig->n_said = 0;
}

static void test_more_than_ten_alerts_in_ten_minutes_are_a_flood(void **state)
{
	struct rig *rig = roster(state);
	steps(rig, 0, 5);
	rig_check(rig, "10!", "");
	steps(rig, 20, 5);
	rig_check(rig, "30!", "");
	steps(rig, 40, 1);
	rig_play(rig, "41!");
	assert_string_equal(rig->said[0].reason, "flood");
	assert_int_equal(rig->said[0].monitor, NO_INDEX);
	assert_int_equal(rig->n_said, 1);
	rig->n_said = 0;
	rig_check(rig, "603!", "");
	rig_play(rig, "623!");
	assert_int_equal(rig->n_said, 1);
	assert_int_equal(rig->said[0].type, VERDICT_CLEARED);
}

static void test_a_flood_outlasts_a_restart(void **state)
{
	const struct verdict flood = {.type = VERDICT_RAISED,
				      .kind = ALERT_FAULT,
				      .reason = "flood",
				      .monitor = NO_INDEX,
				      .connection = NO_INDEX,
				      .limit = NO_INDEX};
	struct rig *rig = roster(state);
	rig_play(rig, "0:0");
	assert_true(evaluator_adopt(rig->evaluator, &flood));
	rig_check(rig, "1! 599!", "");
	rig_play(rig, "602!");
	assert_int_equal(rig->n_said, 1);
	assert_int_equal(rig->said[0].type, VERDICT_CLEARED);
}

static void test_alerts_that_are_spread_out_are_no_flood(void **state)
{
	struct rig *rig = roster(state);
	for (int i = 0; i < 30; i++) {
		steps(rig, i * 60, 1);
		rig_play(rig, "0!");
	}
	assert_int_equal(rig->n_said, 0);
}

static void test_without_a_roster_nobody_is_flooded(void **state)
{
	struct rig *rig = *state;
	rig->monitors[0].n_limits = 0;
	steps(rig, 0, 20);
	rig_check(rig, "30!", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_more_than_ten_alerts_in_ten_minutes_are_a_flood),
		rig_test(test_a_flood_outlasts_a_restart),
		rig_test(test_alerts_that_are_spread_out_are_no_flood),
		rig_test(test_without_a_roster_nobody_is_flooded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
