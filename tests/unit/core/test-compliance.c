/* SPDX-License-Identifier: Apache-2.0 */
/* What a day says, from its counts alone. */
#include "testing.h"
#include "core/compliance.h"

#define HOUR INT64_C(3600000)
#define ALL UINT32_C(0xffffff)

static struct limit limits[2];
static struct monitor monitor;
static struct day_record day;
static struct day_share share;

/* A good day of a monitor with hourly readings, and a limit of 50 for values, which waits for
 * nothing. */
static int build(void **state)
{
	(void)state;
	limits[0] = (struct limit){.has_max = true, .max = 50, .min_valid = 0.75};
	limits[1] = (struct limit){.average = AVERAGE_HOUR, .min_valid = 0.5};
	monitor = (struct monitor){.limits = limits, .n_limits = 2, .expected_per_hour = 1};
	day = (struct day_record){
		.span = {0, 24 * HOUR},
		.count = {.n = 24, .valid = 24, .sum = 240, .low = 10, .high = 10, .hours = ALL}};
	return 0;
}

static enum day_state is(void)
{
	return compliance_day(&monitor, &day, &share);
}

static void test_the_largest_share_that_a_limit_asks_for_is_enough(void **state)
{
	(void)state;
	assert_int_equal(is(), DAY_COMPLIES);
	day.count.valid = 18;
	assert_int_equal(is(), DAY_COMPLIES);
	assert_false(share.hours);
	assert_true(share.valid == 18 && share.needed == 18 && share.due == 24);
	day.count.valid = 17;
	assert_int_equal(is(), DAY_SHORT);
	limits[0].min_valid = 0.5;
	assert_int_equal(is(), DAY_COMPLIES);
	monitor.n_limits = 0; /* the usual one */
	assert_int_equal(is(), DAY_SHORT);
	limits[0].min_valid = limits[1].min_valid = 0;
	monitor.n_limits = 2;
	assert_int_equal(is(), DAY_COMPLIES);
	day.count.valid = 0; /* none is never enough */
	assert_int_equal(is(), DAY_SHORT);
	day.count.n = 0;
	assert_int_equal(is(), DAY_NOTHING);
}

static void test_what_is_due_follows_from_the_interval_and_the_length_of_the_day(void **state)
{
	(void)state;
	monitor.expected_per_hour = 0;
	monitor.interval_ms = 60000;
	day.count.valid = 1080;
	assert_int_equal(is(), DAY_COMPLIES);
	day.count.valid = 1079;
	assert_int_equal(is(), DAY_SHORT);
	day.span.end_ms = 23 * HOUR;
	assert_int_equal(is(), DAY_COMPLIES);
	assert_true(share.due == 1380);
}

static void test_without_a_word_on_what_is_due_the_hours_speak(void **state)
{
	(void)state;
	monitor.expected_per_hour = 0;
	day.count.hours = 0x3ffff; /* 18 */
	assert_int_equal(is(), DAY_COMPLIES);
	assert_true(share.hours);
	day.count.hours = 0x1ffff;
	assert_int_equal(is(), DAY_SHORT);
	assert_true(share.valid == 17 && share.needed == 18 && share.due == 24);
	day.span.end_ms = 25 * HOUR; /* the longest day */
	day.count.hours = 0x1ffffff;
	assert_int_equal(is(), DAY_COMPLIES);
	assert_true(share.due == 25);
	/* a result in every two hours, or what may be silent for so long */
	day.count.hours = 0x3ff;
	assert_int_equal(is(), DAY_SHORT);
	monitor.stale_after_ms = 2 * HOUR;
	assert_int_equal(is(), DAY_COMPLIES);
	monitor.cycle_ms = HOUR / 60;
	assert_int_equal(is(), DAY_SHORT);
	assert_true(share.due == 25);
	monitor.cycle_ms = 4 * HOUR;
	assert_int_equal(is(), DAY_COMPLIES);
	assert_true(share.due == 6.25);
}

static void test_without_discharge_a_day_says_nothing(void **state)
{
	(void)state;
	monitor.gated = true;
	day.shut = ALL & ~UINT32_C(0xf);
	day.count.hours = ALL & ~UINT32_C(0x1); /* three of the four */
	assert_int_equal(is(), DAY_COMPLIES);
	assert_true(share.due == 4 && share.valid == 3);
	day.count.hours = 0x3 | ~UINT32_C(0xf);
	assert_int_equal(is(), DAY_SHORT);
	day.shut = ALL;
	assert_int_equal(is(), DAY_IDLE);
	day.count = (struct tally_count){0};
	assert_int_equal(is(), DAY_IDLE);
}

static void test_what_exceeds_by_itself_needs_no_alert(void **state)
{
	(void)state;
	day.count.high = 50;
	assert_int_equal(is(), DAY_COMPLIES);
	day.count.high = 50.1;
	assert_int_equal(is(), DAY_EXCEEDS);
	limits[0].on_delay_ms = 1;
	assert_int_equal(is(), DAY_COMPLIES);
	limits[0] = (struct limit){.has_max = true, .max = 50, .on_count = 2};
	assert_int_equal(is(), DAY_COMPLIES);
	day.late = true;
	assert_int_equal(is(), DAY_EXCEEDS);
	day.late = false;
	limits[0] = (struct limit){.has_min = true, .min = 11};
	assert_int_equal(is(), DAY_EXCEEDS);
	monitor.zero_beside = true; /* it may be no measurement at all */
	assert_int_equal(is(), DAY_COMPLIES);
	limits[0] = (struct limit){.has_max = true, .max = 9.9, .average = AVERAGE_DAY};
	assert_int_equal(is(), DAY_EXCEEDS);
	limits[0].by_flow = true; /* no plain mean */
	assert_int_equal(is(), DAY_COMPLIES);
	limits[0] = (struct limit){.has_max = true, .max = 9.9, .average = AVERAGE_HOUR};
	assert_int_equal(is(), DAY_COMPLIES);
}

static void test_an_hour_is_shut_by_the_flow_that_was_heard(void **state)
{
	const struct site site = {.has_gate = true, .gate_below = 2}, open = {.gate_below = 2};
	const struct monitor flow = {.load_times = 0.001}; /* L/s */
	(void)state;
	assert_true(flow_shut(&site, &flow, &(struct tally_sum){7.1, 0, HOUR, 0}));
	assert_false(flow_shut(&site, &flow, &(struct tally_sum){7.2, 0, HOUR, 0}));
	assert_true(flow_shut(&site, &flow, &(struct tally_sum){3.5, 0, HOUR / 2, 0}));
	assert_false(flow_shut(&site, &flow, &(struct tally_sum){0, 0, HOUR / 2 - 1, 0}));
	assert_false(flow_shut(&open, &flow, &(struct tally_sum){0, 0, HOUR, 0}));
	assert_int_equal(hour_of_day((struct span){HOUR, 25 * HOUR}, 2 * HOUR), 2);
	assert_int_equal(hour_of_day((struct span){HOUR, 25 * HOUR}, 2 * HOUR - 1), 1);
}

#define TEST(f) cmocka_unit_test_setup(f, build)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_largest_share_that_a_limit_asks_for_is_enough),
		TEST(test_what_is_due_follows_from_the_interval_and_the_length_of_the_day),
		TEST(test_without_a_word_on_what_is_due_the_hours_speak),
		TEST(test_without_discharge_a_day_says_nothing),
		TEST(test_what_exceeds_by_itself_needs_no_alert),
		TEST(test_an_hour_is_shut_by_the_flow_that_was_heard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
