/* SPDX-License-Identifier: Apache-2.0 */
/* Results that wait for the flow of their moment. Monitor 2 measures the flow. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig *gated(void **state)
{
	struct rig *rig = *state;
	rig->site.has_flow = rig->site.has_gate = true;
	rig->site.flow_monitor = 2;
	rig->site.gate_below = 5;
	rig->site.flow_wait_ms = 2000;
	rig->monitors[0].gated = true;
	return rig;
}

static struct rig *weighted(void **state)
{
	struct rig *rig = gated(state);
	rig->site.has_gate = rig->monitors[0].gated = false;
	rig->monitors[0].expected_per_hour = 2;
	rig->limits[0] = (struct limit){.has_max = true,
					.max = 50,
					.average = AVERAGE_HOUR,
					.by_flow = true,
					.min_valid = 0.75,
					.key = "a"};
	return rig;
}

static void test_a_flow_of_the_same_moment_counts_in_either_order(void **state)
{
	rig_check(gated(state), "m2 0:10 m0 600:51@600.1 m2 600:0@600.2 604!", "");
	rig_check(*state, "m0 1200:51@1200.1 m2 1200:10@1200.2", "+exceedance@1200/1200=51");
	rig_check(*state, "m2 1800:0@1800 m0 1800:10@1800.1 1804!", "");
}

static void test_a_flow_between_that_comes_later_counts(void **state)
{
	rig_check(gated(state), "m2 0:10 m0 600:51@600 m2 599:0@600.5", "");
	rig_check(*state, "m2 601:0@601", "");
}

static void test_without_a_flow_a_result_waits_no_longer(void **state)
{
	rig_check(gated(state), "m2 0:10 m0 600:51@600.1 602!", "");
	rig_check(*state, "602.1!", "+exceedance@600/600=51");
	rig_check(*state, "m0 603:10@603", "");
	rig_check(*state, "m0 610:52@610", "-exceedance@603");
}

static void test_a_monitor_keeps_its_order_while_it_waits(void **state)
{
	struct rig *rig = gated(state);
	rig->limits[0].on_count = 2;
	rig_check(rig, "m2 0:10@0 m0 600:51@600 m2 599.5:10@600.1 m0 599.2:70@600.2", "");
	rig_check(rig, "m0 601:52@600.3 m2 602:10@602", "+exceedance@601/600=52");
}

static void test_a_result_that_waits_was_heard(void **state)
{
	struct rig *rig = gated(state);
	rig->monitors[0].stale_after_ms = 60000;
	rig->monitors[2].stale_after_ms = 0;
	rig_check(rig, "m2 0:10 m0 59.5:10@59.5 60!", "");
	rig_check(rig, "m0 59:10@59.6 119.6!", "+stale@119.5/59.5=10");
	rig_check(rig, "m0 120:10@120", "-stale@120");
}

static void test_a_result_is_weighed_by_the_flow_of_its_moment(void **state)
{
	rig_check(weighted(state),
		  "m2 0:1 m0 600:10@600 m2 600:9@600.5 m0 1200:90@1200 m2 1200:1@1201 "
		  "3600!",
		  "");
	rig_check(*state, "m0 4200:10@4200 m2 4200:1@4201 m0 4800:90@4800 m2 4800:9@4801 7200!",
		  "+exceedance@7200/3600=82");
}

static void test_a_window_that_is_judged_waits_for_nothing(void **state)
{
	struct rig *rig = weighted(state);
	rig_check(rig, "m2 0:1 m0 600:51@600 603! m0 3599:51@3599.5 3600!",
		  "+exceedance@3600/0=51");
}

static void test_what_lies_behind_the_window_goes_on_waiting(void **state)
{
	struct rig *rig = weighted(state);
	rig->limits[0].grace_ms = 60000;
	rig_check(rig, "m2 0:1 m0 600:50@600 1200:50@1200 1203! m0 3660:90@3659.9 3660!", "");
	rig_check(rig, "m2 3660:9@3660.5 m0 4000:10@4000 m2 4000:1@4000 7260!",
		  "+exceedance@7200/3600=82");
}

static void test_a_waiting_result_outlasts_a_restart(void **state)
{
	struct rig *rig = gated(state);
	rig_play(rig, "m2 0:10 m0 600:51@600");
	size_t size = evaluator_save_size(rig->evaluator);
	void *bytes = malloc(size);
	size = evaluator_save(rig->evaluator, bytes);
	rig->evaluator = evaluator_free(rig->evaluator);
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, bytes, size));
	free(bytes);
	rig_check(rig, "m2 600:10@601", "+exceedance@600/600=51");
}

static void test_a_waiting_result_goes_into_the_next_plan(void **state)
{
	struct rig *rig = gated(state);
	uint32_t monitors[RIG_MONITORS] = {0, 1, 2}, connections[2] = {0, 1};
	const struct plan_change same = {
		.monitors = monitors, .connections = connections, .monitors_to = monitors};
	rig_play(rig, "m2 0:10 m0 600:51@600");
	struct evaluator *before = rig->evaluator;
	rig_start(rig);
	evaluator_carry(rig->evaluator, before, &same);
	evaluator_free(before);
	rig_check(rig, "m2 600:10@601", "+exceedance@600/600=51");
}

static void test_where_there_is_no_room_the_first_go_on(void **state)
{
	struct rig *rig = gated(state);
	char word[64];
	rig_play(rig, "m2 0:10 m0 600:51@600");
	for (int i = 1; i <= 128; i++) {
		snprintf(word, sizeof word, "600.%03d:52@600.%03d", i, i);
		rig_play(rig, word);
	}
	rig_said(rig, "+exceedance@600/600=51");
}

static void test_a_clock_set_back_ends_all_waiting(void **state)
{
	struct rig *rig = gated(state);
	rig_play(rig, "m2 0:10 m0 600:51@600");
	evaluator_set_back(rig->evaluator, RIG_START_MS);
	rig_said(rig, "+exceedance@600/600=51");
}

/* --- any order, and what recorded data say --- */

enum { ROWS = 6 };
static const char *const rows[ROWS] = {"m0 600:51@600", "m2 600:10@600", "m2 601:0@600",
				       "m0 601:52@600", "m0 602:53@600", "m2 602.5:10@600"};

/* Of each monitor in its order, otherwise as the bits of @order say. */
static void play_order(struct rig *rig, unsigned order)
{
	size_t result = 0, flow = 0;
	static const size_t results[] = {0, 3, 4}, flows[] = {1, 2, 5};
	rig_play(rig, "m2 0:10");
	for (unsigned i = 0; i < ROWS; i++) {
		bool of_flow = (order >> i & 1) != 0 ? flow < 3 : result == 3;
		rig_play(rig, rows[of_flow ? flows[flow++] : results[result++]]);
	}
	rig_play(rig, "m0 603:10@601 m2 603:10@601");
}

static void test_all_orders_of_arrival_say_the_same(void **state)
{
	struct rig *rig = gated(state);
	for (unsigned order = 0; order < 1u << ROWS; order++) {
		play_order(rig, order);
		rig_said(rig, "+exceedance@600/600=51 -exceedance@603");
		rig->evaluator = evaluator_free(rig->evaluator);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_flow_of_the_same_moment_counts_in_either_order),
		rig_test(test_a_flow_between_that_comes_later_counts),
		rig_test(test_without_a_flow_a_result_waits_no_longer),
		rig_test(test_a_monitor_keeps_its_order_while_it_waits),
		rig_test(test_a_result_that_waits_was_heard),
		rig_test(test_a_result_is_weighed_by_the_flow_of_its_moment),
		rig_test(test_a_window_that_is_judged_waits_for_nothing),
		rig_test(test_what_lies_behind_the_window_goes_on_waiting),
		rig_test(test_a_waiting_result_outlasts_a_restart),
		rig_test(test_a_waiting_result_goes_into_the_next_plan),
		rig_test(test_where_there_is_no_room_the_first_go_on),
		rig_test(test_a_clock_set_back_ends_all_waiting),
		rig_test(test_all_orders_of_arrival_say_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
