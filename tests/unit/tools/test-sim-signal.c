/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

static struct signal cod(struct signal_event *events, size_t n)
{
	return (struct signal){.key = signal_key(7, "outfall-1/w01018"),
			       .base = 34.0,
			       .noise = 1.0,
			       .start_hour = 8.0,
			       .low = -1e9,
			       .high = 1e9,
			       .decimals = 3,
			       .events = events,
			       .n_events = n};
}

static void test_the_same_seed_shows_the_same_values(void **state)
{
	struct signal a = cod(NULL, 0), b = cod(NULL, 0);
	double later = signal_value(&b, 500000);
	(void)state;
	for (int64_t t = 0; t < 400000; t += 700)
		assert_true(signal_value(&a, t) == signal_value(&b, t));
	assert_true(signal_value(&a, 500000) == later);
}

static void test_another_seed_or_name_shows_other_noise(void **state)
{
	struct signal a = cod(NULL, 0), b = cod(NULL, 0), c = cod(NULL, 0);
	int equal = 0;
	(void)state;
	b.key = signal_key(8, "outfall-1/w01018");
	c.key = signal_key(7, "outfall-1/w01019");
	for (int64_t t = 0; t < 100000; t += 1000)
		equal += signal_value(&a, t) == signal_value(&b, t) ||
			 signal_value(&a, t) == signal_value(&c, t);
	assert_true(equal < 5);
}

static void test_noise_has_its_deviation_and_its_bound(void **state)
{
	struct signal s = cod(NULL, 0);
	double sum = 0.0, squares = 0.0, worst = 0.0;
	const int n = 200000;
	(void)state;
	for (int i = 0; i < n; i++) {
		double off = signal_value(&s, i * 1000) - s.base;
		sum += off;
		squares += off * off;
		worst = fmax(worst, fabs(off));
	}
	assert_true(fabs(sum / n) < 0.05);
	assert_true(sqrt(squares / n) > 0.7 && sqrt(squares / n) < 1.1);
	assert_true(worst > 2.0 && worst <= 4.9);
}

static void test_the_daily_curve_peaks_at_its_hour(void **state)
{
	struct signal s = cod(NULL, 0);
	(void)state;
	s.noise = 0.0;
	s.daily = 5.0;
	s.peak_hour = 14.0;
	assert_true(signal_value(&s, 6 * 3600000) == 39.0);
	assert_true(signal_value(&s, 18 * 3600000) == 29.0);
	assert_true(signal_value(&s, 30 * 3600000) == 39.0);
}

static void test_an_exceedance_lasts_from_its_first_to_before_its_last_moment(void **state)
{
	struct signal_event e = {SIGNAL_EXCEEDANCE, 10000, 5000, 92.0};
	struct signal s = cod(&e, 1), plain = cod(NULL, 0);
	(void)state;
	assert_true(signal_value(&s, 9999) == signal_value(&plain, 9999));
	assert_true(fabs(signal_value(&s, 10000) - 92.0) < 4.9);
	assert_true(fabs(signal_value(&s, 14999) - 92.0) < 4.9);
	assert_true(signal_value(&s, 15000) == signal_value(&plain, 15000));
}

static void test_an_event_without_duration_lasts_to_the_end(void **state)
{
	struct signal_event e = {SIGNAL_STEP, 10000, 0, 6.0};
	struct signal s = cod(&e, 1), plain = cod(NULL, 0);
	(void)state;
	assert_true(signal_value(&s, 9000) == signal_value(&plain, 9000));
	assert_true(fabs(signal_value(&s, 90000000) - signal_value(&plain, 90000000) - 6.0) < 1e-9);
}

static void test_a_stuck_value_is_the_one_when_it_began(void **state)
{
	struct signal_event e = {SIGNAL_STUCK, 10000, 60000, 0.0};
	struct signal s = cod(&e, 1), plain = cod(NULL, 0);
	(void)state;
	for (int64_t t = 10000; t < 70000; t += 999)
		assert_true(signal_value(&s, t) == signal_value(&plain, 10000));
	assert_true(signal_value(&s, 70000) == signal_value(&plain, 70000));
	assert_true(signal_value(&s, 70000) != signal_value(&plain, 10000));
}

static void test_nan_and_silence_are_as_scripted(void **state)
{
	struct signal_event e[] = {{SIGNAL_NAN, 1000, 1000, 0.0},
				   {SIGNAL_SILENCE, 3000, 1000, 0.0}};
	struct signal s = cod(e, 2);
	(void)state;
	assert_true(isfinite(signal_value(&s, 999)) != 0);
	assert_true(isnan(signal_value(&s, 1000)) != 0);
	assert_true(isfinite(signal_value(&s, 2000)) != 0);
	assert_false(signal_is_silent(&s, 2999));
	assert_true(signal_is_silent(&s, 3000));
	assert_false(signal_is_silent(&s, 4000));
}

static void test_a_value_stays_within_the_instrument_and_its_resolution(void **state)
{
	struct signal s = cod(NULL, 0);
	(void)state;
	s.low = 33.5;
	s.high = 34.5;
	s.decimals = 1;
	for (int64_t t = 0; t < 100000; t += 1000) {
		double value = signal_value(&s, t);
		assert_true(value >= 33.5 && value <= 34.5);
		assert_true(fabs(value * 10.0 - round(value * 10.0)) < 1e-9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_seed_shows_the_same_values),
		cmocka_unit_test(test_another_seed_or_name_shows_other_noise),
		cmocka_unit_test(test_noise_has_its_deviation_and_its_bound),
		cmocka_unit_test(test_the_daily_curve_peaks_at_its_hour),
		cmocka_unit_test(test_an_exceedance_lasts_from_its_first_to_before_its_last_moment),
		cmocka_unit_test(test_an_event_without_duration_lasts_to_the_end),
		cmocka_unit_test(test_a_stuck_value_is_the_one_when_it_began),
		cmocka_unit_test(test_nan_and_silence_are_as_scripted),
		cmocka_unit_test(test_a_value_stays_within_the_instrument_and_its_resolution),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
