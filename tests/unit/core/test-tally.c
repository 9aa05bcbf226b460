/* SPDX-License-Identifier: Apache-2.0 */
/* Loads against figures worked out by hand: L/s × s = L, mg/L × m³ = g. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/tally.h"

#include <math.h>

enum { FLOW, COD, OTHER, PLACES };
#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};
/* 2026-03-01T00:00:00+08:00 */
#define START INT64_C(1772294400000)

struct bench {
	struct monitor monitors[PLACES];
	struct site site;
	struct plan plan;
	struct tally tally;
	size_t n;
	struct {
		struct span hour;
		struct tally_sum sums[PLACES];
	} hours[64];
};

static void assert_near(double value, double right)
{
	if (!(fabs(value - right) <= 1e-9))
		fail_msg("%.12g is not %.12g", value, right);
}

static void setup(struct bench *b)
{
	*b = (struct bench){
		.monitors = {[FLOW] = {.factor = "w00000", .load_times = 0.001, .hold_ms = MINUTE},
			     [COD] = {.factor = "w01018", .load_times = 0.001, .hold_ms = 2 * HOUR},
			     [OTHER] = {.factor = "w01001"}},
		.site = {.id = "outfall", .has_flow = true, .n_monitors = PLACES},
	};
	b->plan = (struct plan){.sites = &b->site,
				.n_sites = 1,
				.monitors = b->monitors,
				.n_monitors = PLACES,
				.zone = {east, 1}};
	assert_true(tally_init(&b->tally, &b->plan, 0));
}

static void closed(void *context, const struct tally *tally, struct span hour,
		   const struct tally_sum *sums)
{
	struct bench *b = context;
	assert_ptr_equal(tally, &b->tally);
	assert_true(b->n < 64);
	b->hours[b->n].hour = hour;
	for (size_t i = 0; i < PLACES; i++)
		b->hours[b->n].sums[i] = sums[i];
	b->n++;
}

static bool add(struct bench *b, uint32_t monitor, int64_t after_ms, double value, char flag)
{
	struct reading r = {.measured_ms = START + after_ms,
			    .value = value,
			    .has_value = true,
			    .monitor = monitor,
			    .flag = (uint8_t)flag};
	return tally_add(&b->tally, &r, 1 + after_ms);
}

static void flow(struct bench *b, int64_t from_ms, int64_t to_ms, double value)
{
	for (int64_t at = from_ms; at < to_ms; at += 5000)
		assert_true(add(b, FLOW, at, value, 'N'));
}

static void until(struct bench *b, int64_t after_ms)
{
	tally_until(&b->tally, START + after_ms, closed, b);
}

static void test_a_steady_hour_is_concentration_times_flow(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	flow(&b, 0, 2 * HOUR, 10); /* 10 L/s are 36 m³ in an hour */
	add(&b, COD, 0, 50, 'N');  /* 50 mg/L */
	until(&b, 2 * HOUR);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.hours[0].hour.start_ms, START);
	assert_int_equal(b.hours[0].hour.end_ms, START + HOUR);
	assert_near(b.hours[0].sums[FLOW].load, 36);
	assert_near(b.hours[0].sums[COD].load, 1.8); /* kg */
	assert_int_equal(b.hours[0].sums[COD].covered_ms, HOUR);
	assert_near(b.hours[1].sums[COD].load, 1.8);
	assert_int_equal(b.hours[0].sums[OTHER].covered_ms, 0);
	tally_deinit(&b.tally);
}

static void test_a_result_counts_from_its_time_on(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	flow(&b, 0, HOUR, 10);
	add(&b, COD, 15 * MINUTE, 40, 'N');
	add(&b, COD, 45 * MINUTE, 80, 'N');
	until(&b, HOUR);
	/* 30 min × 0.6 m³/min × 40 g + 15 min × 0.6 × 80 g = 720 g + 720 g */
	assert_near(b.hours[0].sums[COD].load, 1.44);
	assert_int_equal(b.hours[0].sums[COD].covered_ms, 45 * MINUTE);
	assert_int_equal(b.hours[0].sums[FLOW].covered_ms, HOUR);
	tally_deinit(&b.tally);
}

static void test_other_flags_and_silence_are_not_covered(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	flow(&b, 0, 30 * MINUTE, 10); /* then silent: it speaks for one minute more, less 5 s */
	add(&b, COD, 0, 50, 'N');
	add(&b, COD, 10 * MINUTE, 999, 'M'); /* maintenance */
	add(&b, COD, 20 * MINUTE, 50, 'N');
	until(&b, HOUR);
	assert_int_equal(b.hours[0].sums[FLOW].covered_ms, 31 * MINUTE - 5000);
	assert_int_equal(b.hours[0].sums[COD].covered_ms, 21 * MINUTE - 5000);
	/* 10 min × 30 g, and (11 min − 5 s) × 30 g */
	assert_near(b.hours[0].sums[COD].load, 0.3 + 0.3275);
	tally_deinit(&b.tally);
}

static void test_a_hold_ends_where_it_ends(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	flow(&b, 0, 4 * HOUR, 1);
	add(&b, COD, 0, 10, 'N');
	until(&b, 4 * HOUR);
	assert_int_equal(b.n, 4);
	assert_int_equal(b.hours[1].sums[COD].covered_ms, HOUR);
	assert_int_equal(b.hours[2].sums[COD].covered_ms, 0);
	assert_int_equal(b.hours[2].sums[FLOW].covered_ms, HOUR);
	tally_deinit(&b.tally);
}

static void test_order_of_arrival_means_nothing_within_the_grace(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	add(&b, COD, 30 * MINUTE, 100, 'N');
	flow(&b, 0, HOUR, 10);
	add(&b, COD, 0, 50, 'N');
	until(&b, HOUR);
	assert_near(b.hours[0].sums[COD].load, 0.9 + 1.8);
	assert_false(add(&b, COD, 10 * MINUTE, 70, 'N')); /* late now */
	assert_true(add(&b, COD, HOUR, 70, 'N'));
	tally_deinit(&b.tally);
}

static void test_how_often_it_is_added_up_means_nothing(void **state)
{
	struct bench once, often;
	(void)state;
	setup(&once);
	setup(&often);
	for (int64_t at = 0; at < 3 * HOUR; at += 7000) {
		double q = 5 + sin((double)at / 1e6), c = 40 + cos((double)at / 3e5);
		add(&once, FLOW, at, q, at % 11 == 0 ? 'C' : 'N');
		add(&once, COD, at + 1234, c, 'N');
		add(&often, FLOW, at, q, at % 11 == 0 ? 'C' : 'N');
		add(&often, COD, at + 1234, c, 'N');
		until(&often, at - 3333);
	}
	until(&once, 3 * HOUR);
	until(&often, 3 * HOUR);
	assert_int_equal(once.n, 3);
	assert_int_equal(often.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_near(once.hours[i].sums[COD].load, often.hours[i].sums[COD].load);
		assert_int_equal(once.hours[i].sums[COD].covered_ms,
				 often.hours[i].sums[COD].covered_ms);
	}
	tally_deinit(&once.tally);
	tally_deinit(&often.tally);
}

static void test_a_counter_gives_differences(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	b.monitors[FLOW].load_times = 1; /* m³ */
	b.monitors[FLOW].rollover = 10000;
	b.monitors[FLOW].hold_ms = 30 * MINUTE;
	add(&b, FLOW, 0, 9990, 'N');
	add(&b, FLOW, 20 * MINUTE, 2, 'N');   /* over the top: 12 m³ */
	add(&b, FLOW, 40 * MINUTE, 14, 'N');  /* 12 m³ */
	add(&b, FLOW, 50 * MINUTE, 3, 'N');   /* replaced: nothing is known of these 10 min */
	add(&b, FLOW, 70 * MINUTE, 23, 'N');  /* 20 m³, half of them in this hour */
	add(&b, FLOW, 120 * MINUTE, 99, 'N'); /* after more than its hold */
	add(&b, COD, 0, 100, 'N');
	until(&b, 3 * HOUR);
	assert_int_equal(b.n, 2);
	assert_near(b.hours[0].sums[FLOW].load, 34);
	assert_int_equal(b.hours[0].sums[FLOW].covered_ms, 50 * MINUTE);
	assert_near(b.hours[0].sums[COD].load, 3.4);
	assert_near(b.hours[1].sums[FLOW].load, 10);
	tally_deinit(&b.tally);
}

static void test_a_counter_that_is_marked_says_nothing_either_side(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	b.monitors[FLOW].load_times = 1;
	b.monitors[FLOW].rollover = 1e6;
	b.monitors[FLOW].hold_ms = 30 * MINUTE;
	add(&b, FLOW, 0, 0, 'N');
	add(&b, FLOW, 10 * MINUTE, 10, 'M');
	add(&b, FLOW, 20 * MINUTE, 20, 'N');
	add(&b, FLOW, 30 * MINUTE, 30, 'N');
	until(&b, 2 * HOUR);
	assert_int_equal(b.n, 1);
	assert_near(b.hours[0].sums[FLOW].load, 10);
	assert_int_equal(b.hours[0].sums[FLOW].covered_ms, 10 * MINUTE);
	tally_deinit(&b.tally);
}

static void test_covered_ends_with_what_speaks_least_and_the_last_word_counts(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	b.monitors[COD].hold_ms = 30 * MINUTE + 2500;
	flow(&b, 0, HOUR, 10);
	add(&b, COD, 0, 9000, 'N');
	add(&b, COD, 0, 500, 'N'); /* the same moment again */
	until(&b, HOUR);
	assert_int_equal(b.hours[0].sums[COD].covered_ms, 30 * MINUTE + 2500);
	assert_near(b.hours[0].sums[COD].load, 0.5 * 0.01 * (30 * 60 + 2.5));
	tally_deinit(&b.tally);
}

static void test_a_counter_waits_for_its_next_reading(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	b.monitors[FLOW].load_times = 1;
	b.monitors[FLOW].rollover = 1e6;
	b.monitors[FLOW].hold_ms = 30 * MINUTE;
	add(&b, COD, 0, 100, 'N');
	for (int64_t at = 0; at <= 70; at += 10) {
		add(&b, FLOW, at * MINUTE, (double)at, 'N'); /* 1 m³/min */
		until(&b, at * MINUTE + 5000);
	}
	until(&b, 80 * MINUTE);
	assert_int_equal(b.n, 1);
	assert_near(b.hours[0].sums[FLOW].load, 60);
	assert_int_equal(b.hours[0].sums[COD].covered_ms, HOUR);
	tally_deinit(&b.tally);
}

static void test_excess_is_what_lies_above_the_target(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	b.monitors[COD].has_target = true;
	b.monitors[COD].target = 20;
	flow(&b, 0, HOUR, 1000); /* 3600 m³ */
	add(&b, COD, 0, 30, 'N');
	add(&b, COD, 30 * MINUTE, 15, 'N'); /* below: no credit for it */
	until(&b, HOUR);
	assert_near(b.hours[0].sums[COD].load, 54 + 27);
	assert_near(b.hours[0].sums[COD].excess, 18); /* 10 g × 1800 m³ */
	tally_deinit(&b.tally);
}

static void test_a_flow_below_zero_carries_nothing(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	flow(&b, 0, HOUR, -3);
	add(&b, COD, 0, 30, 'N');
	until(&b, HOUR);
	assert_near(b.hours[0].sums[COD].load, 0);
	assert_int_equal(b.hours[0].sums[COD].covered_ms, HOUR);
	tally_deinit(&b.tally);
}

static void test_years_of_silence_are_one_step(void **state)
{
	struct bench b;
	(void)state;
	setup(&b);
	flow(&b, 0, MINUTE, 1);
	until(&b, INT64_C(9000) * 365 * 24 * HOUR);
	assert_int_equal(b.n, 1);
	tally_deinit(&b.tally);
}

static void test_hours_and_years_are_those_of_the_zone(void **state)
{
	static const struct zone_change half[] = {{INT64_MIN, 5 * 3600 + 1800}};
	struct bench b;
	(void)state;
	setup(&b);
	b.plan.zone = (struct zone){half, 1};
	flow(&b, 0, HOUR, 1);
	until(&b, HOUR);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.hours[0].hour.end_ms, START + 30 * MINUTE);
	b.plan.zone = (struct zone){east, 1};
	struct span year = year_of(&b.plan.zone, START);
	assert_int_equal(year.start_ms, START - INT64_C(59) * 24 * HOUR);
	assert_int_equal(year.end_ms - year.start_ms, INT64_C(365) * 24 * HOUR);
	assert_int_equal(year_of(&b.plan.zone, year.end_ms - 1).start_ms, year.start_ms);
	assert_int_equal(year_of(&b.plan.zone, year.end_ms).start_ms, year.end_ms);
	tally_deinit(&b.tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_steady_hour_is_concentration_times_flow),
		cmocka_unit_test(test_a_result_counts_from_its_time_on),
		cmocka_unit_test(test_other_flags_and_silence_are_not_covered),
		cmocka_unit_test(test_a_hold_ends_where_it_ends),
		cmocka_unit_test(test_order_of_arrival_means_nothing_within_the_grace),
		cmocka_unit_test(test_how_often_it_is_added_up_means_nothing),
		cmocka_unit_test(test_a_counter_gives_differences),
		cmocka_unit_test(test_a_counter_that_is_marked_says_nothing_either_side),
		cmocka_unit_test(test_covered_ends_with_what_speaks_least_and_the_last_word_counts),
		cmocka_unit_test(test_a_counter_waits_for_its_next_reading),
		cmocka_unit_test(test_excess_is_what_lies_above_the_target),
		cmocka_unit_test(test_a_flow_below_zero_carries_nothing),
		cmocka_unit_test(test_years_of_silence_are_one_step),
		cmocka_unit_test(test_hours_and_years_are_those_of_the_zone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
