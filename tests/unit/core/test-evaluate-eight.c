/* SPDX-License-Identifier: Apache-2.0 */
/* The largest moving mean of eight hours in a day: which hours and means there are, and what lasts.
 */
#include "rig.h"

#include "core/eight.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HOUR_S = 3600 };

/* One value an hour; the day begins at the rig's start. */
static struct rig *ozone(void **state)
{
	static const struct zone_change east = {0, 5 * 3600};
	struct rig *rig = *state;
	rig->plan.zone = (struct zone){&east, 1};
	rig->monitors[0].expected_per_hour = 1;
	rig->limits[0] = (struct limit){.has_max = true,
					.max = 160,
					.average = AVERAGE_DAY_8H,
					.grace_ms = 60000,
					.min_valid = 0.75,
					.key = "day-8h:max=160"};
	return rig;
}

static void play_hours(struct rig *rig, int first, int n, double value)
{
	char word[64];
	for (int hour = first; hour < first + n; hour++) {
		snprintf(word, sizeof word, "%d:%.10g", hour * HOUR_S, value);
		rig_play(rig, word);
	}
}

static void test_eight_hours_of_one_day_make_the_mean(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 16, 60);
	play_hours(rig, 16, 8, 160.5);
	rig_check(rig, "86400! 86459!", "");
	rig_check(rig, "86460!", "+exceedance@86400/0=160.5");
	play_hours(rig, 24, 24, 160);
	rig_check(rig, "172860!", "-exceedance@172800");
}

static void test_hours_on_both_sides_of_midnight_make_none(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 20, 60);
	play_hours(rig, 20, 8, 250);
	play_hours(rig, 28, 20, 60);
	rig_check(rig, "172860!", "");
}

static void test_six_of_eight_hours_suffice_and_five_do_not(void **state)
{
	double hours[24];
	for (size_t i = 0; i < 24; i++)
		hours[i] = i < 8 ? 170 : 60;
	hours[0] = hours[1] = NAN;
	struct eight_day day = eight_day(hours, 24, 6);
	assert_int_equal(day.n, 17);
	assert_true(day.largest == 170);
	hours[2] = NAN;
	day = eight_day(hours, 24, 6);
	assert_int_equal(day.n, 16);
	assert_true(day.largest == (5 * 170 + 60) / 6.0);
	(void)state;
}

static void test_without_any_hour_there_is_no_mean(void **state)
{
	double hours[24];
	for (size_t i = 0; i < 24; i++)
		hours[i] = NAN;
	assert_int_equal(eight_day(hours, 24, 0).n, 0);
	assert_int_equal(eight_day(hours, 7, 0).n, 0);
	(void)state;
}

static void test_the_half_hour_by_which_a_day_is_longer_is_in_no_mean(void **state)
{
	static const struct zone_change back[] = {
		{0, 5 * 3600}, {RIG_START_MS / 1000 + 10 * 3600, 4 * 3600 + 1800}};
	struct rig *rig = ozone(state);
	rig->plan.zone = (struct zone){back, 2};
	rig->limits[0].grace_ms = HOUR_S * 1000;
	play_hours(rig, 0, 17, 60);
	play_hours(rig, 17, 7, 170); /* with the hour before it not enough, without it too much */
	play_hours(rig, 24, 1, 400); /* of this day, in an hour that ends in the next */
	rig_check(rig, "91800!", "");
	play_hours(rig, 26, 24, 161);
	rig_check(rig, "178200!", "+exceedance@174600/88200=161");
}

static void test_fourteen_means_decide_and_thirteen_only_an_exceedance(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 19, 60); /* the means that end at 8 to 21 o'clock */
	rig_check(rig, "86460!", "");
	play_hours(rig, 24, 18, 60);
	rig_check(rig, "172860!", "+undetermined@172800/86400");
	play_hours(rig, 48, 10, 60);
	play_hours(rig, 58, 8, 161);
	rig_check(rig, "259260!", "-undetermined@259200 +exceedance@259200/172800=161");
}

/* Of @n of the four readings due in an hour. */
static void play_hour(struct rig *rig, int hour, int n, double value)
{
	char word[64];
	for (int i = 0; i < n; i++) {
		snprintf(word, sizeof word, "%d:%.10g", hour * HOUR_S + i * 900, value);
		rig_play(rig, word);
	}
}

static void test_an_hour_has_a_mean_with_three_of_four_readings_and_not_with_two(void **state)
{
	struct rig *rig = ozone(state);
	rig->monitors[0].expected_per_hour = 4;
	rig->limits[0].max = 152.4;
	for (int hour = 0; hour < 24; hour++) {
		if (hour == 0)
			play_hour(rig, hour, 2, 9999);
		else
			play_hour(rig, hour, hour == 12 ? 3 : 4, hour == 12 ? 800 : 60);
	}
	rig_check(rig, "86460!", "+exceedance@86400/0=152.5");
}

static void test_a_late_value_enters_its_hour_until_the_day_is_judged(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 16, 60);
	play_hours(rig, 17, 8, 161);
	rig_check(rig, "57600:170@86420 86460!", "+exceedance@86400/0=162.125");
	rig_check(rig, "61200:9999@86470 90000!", "");
}

static void test_the_hours_of_a_day_outlast_a_restart(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 12, 161);
	size_t size = evaluator_save_size(rig->evaluator);
	void *bytes = malloc(size);
	size = evaluator_save(rig->evaluator, bytes);
	rig->evaluator = evaluator_free(rig->evaluator);
	rig_start(rig);
	assert_true(evaluator_load(rig->evaluator, bytes, size));
	free(bytes);
	play_hours(rig, 12, 12, 60);
	rig_check(rig, "86460!", "+exceedance@86400/0=161");
}

static void test_the_hours_of_a_day_go_into_the_next_plan(void **state)
{
	struct rig *rig = ozone(state);
	uint32_t monitors[RIG_MONITORS] = {0, 1, 2}, connections[2] = {0, 1};
	const struct plan_change same = {.monitors = monitors, .connections = connections};
	play_hours(rig, 0, 12, 161);
	struct evaluator *before = rig->evaluator;
	rig_start(rig);
	evaluator_carry(rig->evaluator, before, &same);
	evaluator_free(before);
	play_hours(rig, 12, 12, 60);
	rig_check(rig, "86460!", "+exceedance@86400/0=161");
}

/* What a look at the stored readings finds of an hour. */
static void refill(struct rig *rig, int hour, double value)
{
	int64_t start_ms = RIG_START_MS + hour * INT64_C(3600000);
	struct window w = {.span = {start_ms, start_ms + 3600000}};
	window_add(&w, value, 1);
	evaluator_refill(rig->evaluator, 0, 0, &w);
}

static void test_marked_hours_are_looked_up_again(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 8, 161);
	play_hours(rig, 8, 15, 60);
	evaluator_reopen(rig->evaluator, 0, RIG_START_MS, RIG_START_MS + 2 * HOUR_S * 1000);
	assert_true(evaluator_reopened(rig->evaluator, 0));
	rig_check(rig, "82800:60 86460!", "");
	refill(rig, 1, 150);
	evaluator_go_on(rig->evaluator, 0);
	rig_check(rig, "86461!", "");
	refill(rig, 0, 9999); /* of a day that was judged */
	play_hours(rig, 24, 24, 160);
	rig_check(rig, "172860!", "");
}

static void count_hours(void *context, const struct judged *j)
{
	*(uint64_t *)context += j->window->n;
}

static void test_open_hours_are_shown(void **state)
{
	struct rig *rig = ozone(state);
	uint64_t n = 0;
	play_hours(rig, 0, 30, 60);
	evaluator_each_open(rig->evaluator, 0, count_hours, &n);
	assert_int_equal(n, 30);
	rig_play(rig, "86460!");
	n = 0;
	evaluator_each_open(rig->evaluator, 0, count_hours, &n);
	assert_int_equal(n, 6);
}

static void test_a_clock_set_back_begins_the_day_anew(void **state)
{
	struct rig *rig = ozone(state);
	play_hours(rig, 0, 24, 60);
	rig_play(rig, "86460!");
	play_hours(rig, 24, 12, 999);
	evaluator_set_back(rig->evaluator, RIG_START_MS + 1000);
	play_hours(rig, 1, 47, 60);
	rig_check(rig, "172860!", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_eight_hours_of_one_day_make_the_mean),
		rig_test(test_hours_on_both_sides_of_midnight_make_none),
		cmocka_unit_test(test_six_of_eight_hours_suffice_and_five_do_not),
		cmocka_unit_test(test_without_any_hour_there_is_no_mean),
		rig_test(test_the_half_hour_by_which_a_day_is_longer_is_in_no_mean),
		rig_test(test_fourteen_means_decide_and_thirteen_only_an_exceedance),
		rig_test(test_an_hour_has_a_mean_with_three_of_four_readings_and_not_with_two),
		rig_test(test_a_late_value_enters_its_hour_until_the_day_is_judged),
		rig_test(test_the_hours_of_a_day_outlast_a_restart),
		rig_test(test_the_hours_of_a_day_go_into_the_next_plan),
		rig_test(test_marked_hours_are_looked_up_again),
		rig_test(test_open_hours_are_shown),
		rig_test(test_a_clock_set_back_begins_the_day_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
