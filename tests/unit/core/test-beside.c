/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/beside.h"

enum { OXYGEN, TEMPERATURE, CONDUCTIVITY, PH, TURBIDITY, ELSEWHERE, MONITORS };
enum { NOW_MS = 1000000000 };

static const double codes[] = {-9999};
static const struct monitor monitors[MONITORS] = {
	[OXYGEN] = {.zero_beside = true,
		    .seen_beside = true,
		    .has_nothing = true,
		    .nothing_at = -0.3},
	[TEMPERATURE] = {.seen_beside = true, .has_nothing = true, .nothing_at = -5},
	[CONDUCTIVITY] = {.seen_beside = true, .has_nothing = true},
	[PH] = {.seen_beside = true, .has_nothing = true, .nothing_at = 0.1},
	[TURBIDITY] = {.seen_beside = true},
	[ELSEWHERE] = {.seen_beside = true, .connection = 1, .has_nothing = true}};
static const struct site site = {.n_monitors = MONITORS};
static const struct plan plan = {.sites = &site,
				 .n_sites = 1,
				 .monitors = monitors,
				 .n_monitors = MONITORS,
				 .codes = codes,
				 .n_codes = 1};

static struct beside shown[MONITORS];

static int forget(void **state)
{
	(void)state;
	for (size_t i = 0; i < MONITORS; i++)
		shown[i] = (struct beside){0};
	return 0;
}

static enum flag flagged(uint32_t monitor, int64_t at_ms, double value, enum flag flag)
{
	const struct reading r = {.monitor = monitor,
				  .measured_ms = at_ms,
				  .has_value = true,
				  .value = value,
				  .flag = (uint8_t)flag};
	return beside_flag(&plan, shown, &r);
}

static enum flag comes(uint32_t monitor, double value)
{
	return flagged(monitor, NOW_MS, value, FLAG_NORMAL);
}

static void test_oxygen_of_0_among_probes_that_show_nothing_is_none(void **state)
{
	(void)state;
	assert_int_equal(comes(TEMPERATURE, -9999), FLAG_NORMAL);
	assert_int_equal(comes(CONDUCTIVITY, 0), FLAG_NORMAL);
	assert_int_equal(flagged(PH, NOW_MS, 0, FLAG_FAULT), FLAG_FAULT);
	assert_int_equal(comes(OXYGEN, 0), FLAG_FAULT);
	assert_int_equal(comes(TURBIDITY, 1.7), FLAG_NORMAL);
	assert_int_equal(comes(OXYGEN, -0.0), FLAG_FAULT);
	assert_int_equal(comes(OXYGEN, 0.01), FLAG_NORMAL);
	assert_int_equal(flagged(OXYGEN, NOW_MS, 0, FLAG_MAINTENANCE), FLAG_MAINTENANCE);
}

static void test_black_water_is_measured_by_an_oxygen_probe_alone(void **state)
{
	(void)state;
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
	comes(PH, 0);
	comes(TEMPERATURE, 12);
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
	comes(CONDUCTIVITY, 0);
	assert_int_equal(comes(OXYGEN, 0), FLAG_FAULT);
	comes(TURBIDITY, 2);
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
}

static void test_what_was_measured_a_minute_ago_is_of_the_same_moment(void **state)
{
	(void)state;
	comes(PH, 0);
	assert_int_equal(flagged(OXYGEN, NOW_MS + 60000, 0, FLAG_NORMAL), FLAG_FAULT);
	assert_int_equal(flagged(OXYGEN, NOW_MS + 60001, 0, FLAG_NORMAL), FLAG_NORMAL);
	assert_int_equal(flagged(OXYGEN, NOW_MS - 60000, 0, FLAG_NORMAL), FLAG_FAULT);
	assert_int_equal(flagged(OXYGEN, NOW_MS - 60001, 0, FLAG_NORMAL), FLAG_NORMAL);
}

static void test_what_another_connection_reads_says_nothing(void **state)
{
	(void)state;
	comes(ELSEWHERE, 0);
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
}

/* Maintenance of the others is no word on them, nor is a failed communication. */
static void test_what_is_set_aside_by_its_flag_is_not_known(void **state)
{
	(void)state;
	flagged(PH, NOW_MS, 0, FLAG_MAINTENANCE);
	flagged(TEMPERATURE, NOW_MS, 12, FLAG_CALIBRATION);
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
	const struct reading gone = {
		.monitor = PH, .measured_ms = NOW_MS, .flag = FLAG_COMMUNICATION};
	beside_flag(&plan, shown, &gone);
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
	const struct reading broken = {.monitor = PH, .measured_ms = NOW_MS, .flag = FLAG_FAULT};
	beside_flag(&plan, shown, &broken);
	assert_int_equal(comes(OXYGEN, 0), FLAG_FAULT);
}

#define T(f) cmocka_unit_test_setup(f, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_oxygen_of_0_among_probes_that_show_nothing_is_none),
		T(test_black_water_is_measured_by_an_oxygen_probe_alone),
		T(test_what_was_measured_a_minute_ago_is_of_the_same_moment),
		T(test_what_another_connection_reads_says_nothing),
		T(test_what_is_set_aside_by_its_flag_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
