/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/beside.h"

#include <math.h>

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

/* A works that says limits, and nothing of its instruments but the range of one. */
enum { ACID, LEAD, CHLORINE, HAZE, HEAT, FLOW, WORKS };
static const struct limit acid = {.has_max = true, .has_min = true, .max = 9, .min = 6};
static const struct limit chlorine = {.has_max = true, .has_min = true, .max = 0.8, .min = 0.1};
static const struct limit haze = {.has_max = true, .max = 1};
static const struct monitor works_monitors[WORKS] = {
	[ACID] = {.seen_beside = true,
		  .low_beside = true,
		  .has_dead = true,
		  .dead_at = 0.1,
		  .has_nothing = true,
		  .nothing_at = 0.1,
		  .limits = &acid,
		  .n_limits = 1},
	[LEAD] = {.seen_beside = true, .has_nothing = true},
	[CHLORINE] = {.seen_beside = true, .low_beside = true, .limits = &chlorine, .n_limits = 1},
	[HAZE] = {.seen_beside = true,
		  .low_beside = true,
		  .has_range = true,
		  .range_low = 0.5,
		  .range_high = 100,
		  .limits = &haze,
		  .n_limits = 1},
	[HEAT] = {.seen_beside = true},
	[FLOW] = {.seen_beside = true}};
static const struct site works = {.n_monitors = WORKS};
static const struct plan works_plan = {
	.sites = &works, .n_sites = 1, .monitors = works_monitors, .n_monitors = WORKS};

static struct beside shown[MONITORS + WORKS];

static int forget(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		shown[i] = (struct beside){0};
	return 0;
}

static enum flag flagged(uint32_t monitor, int64_t at_ms, double value, enum flag flag)
{
	struct reading r = {.monitor = monitor,
			    .measured_ms = at_ms,
			    .has_value = true,
			    .value = value,
			    .flag = (uint8_t)flag};
	beside_settle(&plan, shown, &r);
	return r.flag;
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
	beside_show(&plan, shown, &gone);
	assert_int_equal(comes(OXYGEN, 0), FLAG_NORMAL);
	const struct reading broken = {.monitor = PH, .measured_ms = NOW_MS, .flag = FLAG_FAULT};
	beside_show(&plan, shown, &broken);
	assert_int_equal(comes(OXYGEN, 0), FLAG_FAULT);
}

/* A whole row, of which each value is known before any is settled: NAN was not read. */
static const char *flags_at(int64_t at_ms, const double values[WORKS])
{
	static char flags[WORKS + 1];
	struct reading row[WORKS];
	for (uint32_t i = 0; i < WORKS; i++) {
		row[i] = (struct reading){.monitor = i, .measured_ms = at_ms, .value = values[i]};
		row[i].has_value = !isnan(values[i]);
		row[i].flag = row[i].has_value ? FLAG_NORMAL : FLAG_COMMUNICATION;
		beside_show(&works_plan, shown, &row[i]);
	}
	for (uint32_t i = 0; i < WORKS; i++) {
		beside_settle(&works_plan, shown, &row[i]);
		flags[i] = (char)row[i].flag;
		assert_int_equal(row[i].beside, row[i].flag == FLAG_FAULT);
	}
	return flags;
}

#define ROW(...) ROW_AT(0, __VA_ARGS__)
/* So many seconds later. */
#define ROW_AT(s, ...) flags_at(NOW_MS + (s)*1000, (const double[WORKS]){__VA_ARGS__})

/* Each channel at the low end of its loop, whatever the order; one may still show water. */
static void test_a_row_of_low_ends_is_no_water(void **state)
{
	(void)state;
	assert_string_equal(ROW(4, 0, 0, 0.5, 0, 0), "DNDDNN");
	assert_string_equal(ROW(4, 0, 0, 0.5, 8.7, 0), "DNDDNN");
	assert_string_equal(ROW(4, 0, 0, 0.5, 8.7, 120), "NNNNNN");
	assert_string_equal(ROW(2, 0, 0.3, 0.5, 0, 0), "DNNDNN");
	assert_string_equal(ROW(NAN, 0, 0, NAN, 8.7, 0), "BNDBNN");
	assert_string_equal(ROW(NAN, 0, 0, NAN, 8.7, 120), "BNNBNN");
	assert_string_equal(ROW(NAN, 0, NAN, 0.5, 0, 0), "BNBDNN");
	assert_string_equal(ROW(NAN, 0, NAN, 0.5, 0, NAN), "BNBNNB");
	assert_string_equal(ROW(7, 0, 0.3, 0.5, 0, 0), "NNNNNN");
}

/* What is less than a limit asks for is no water beside low ends alone, what it allows is. */
static void test_low_ends_without_a_dead_signal_are_water_unless_a_limit_forbids(void **state)
{
	(void)state;
	assert_string_equal(ROW(4, NAN, 0, 0.5, 0, 0), "DBDNNN");
	assert_string_equal(ROW(7, NAN, 0, 0.5, 0, 0), "NBNNNN");
	assert_string_equal(ROW(4, NAN, 0, 0.5, 0, 0.1), "NBNNNN");
	assert_string_equal(ROW(4, NAN, NAN, 0.5, NAN, NAN), "NBBNBB");
	assert_string_equal(ROW(4, 0, NAN, NAN, NAN, NAN), "NNBBBB");
}

/* An acid that no loop begins at, a lye, chlorine that is gone, a haze above the beginning of its
 * range.
 */
static void test_an_exceedance_among_low_ends_is_one(void **state)
{
	(void)state;
	assert_string_equal(ROW(3.9, 0, 0, 0.5, 0, 0), "NNDDNN");
	assert_string_equal(ROW(7.1, 412, 0, 0.6, 8.7, 0), "NNNNNN");
	assert_string_equal(ROW(4, 412, 0.3, 0.6, 8.7, 310), "NNNNNN");
	assert_string_equal(ROW(4, 0, 0, 2, 0, 0), "DNDNNN");
	assert_string_equal(ROW(10, 0, 0, 0.5, 0, 0), "NNDDNN");
}

/* The noise of a loop, and channels that were not read anew, as real rows have them. */
static void test_what_clings_to_a_low_end_is_none_while_others_show_as_little(void **state)
{
	(void)state;
	assert_string_equal(ROW_AT(0, 4, 0, 0, 0.5, 8.7, 0), "DNDDNN");
	assert_string_equal(ROW_AT(60, 4.01, 10, 0, 0.5, 0, 3101), "DNDDNN");
	assert_string_equal(ROW_AT(120, 4.02, 10, 0.7, 0.5, 0, 3101), "DNNNNN");
	assert_string_equal(ROW_AT(180, 4.03, 10, 0.7, 0.5, 0, 3101), "NNNNNN");
	assert_string_equal(ROW_AT(240, 4, 10, 0, 0.7, 8.7, 3101), "NNNNNN");
	assert_string_equal(ROW_AT(300, 4, 0, 0, 0.5, 0, 0), "DNDDNN");
	assert_string_equal(ROW_AT(360, 4.01, 211, 0, 0.7, 8.7, 610), "NNNNNN");
	assert_string_equal(ROW_AT(420, 4, 0, 0, 0.5, 0, 0), "DNDDNN");
	assert_string_equal(ROW_AT(481, 4.01, 10, 0.7, 0.5, 0, 610), "NNNNNN");
}

static void test_what_falls_with_others_to_a_low_end_is_none(void **state)
{
	(void)state;
	assert_string_equal(ROW_AT(0, 8.3, 211, 0.5, 0.6, 9.3, 571), "NNNNNN");
	assert_string_equal(ROW_AT(60, 4.01, 10, 0.5, 0.5, 0, 3923), "DNNNNN");
	assert_string_equal(ROW_AT(120, 8.3, 211, 0.5, 0.6, 9.3, 571), "NNNNNN");
	assert_string_equal(ROW_AT(180, 4.1, 10, 0.5, 0.5, 0, 3923), "NNNNNN");
	assert_string_equal(ROW_AT(240, 8.3, 211, 0.5, 0.6, 9.3, 571), "NNNNNN");
	assert_string_equal(ROW_AT(300, 4.01, 10, 0.5, 0.6, 0, 3923), "NNNNNN");
	assert_string_equal(ROW_AT(360, 8.3, 211, 0.5, 0.6, 9.3, 571), "NNNNNN");
	assert_string_equal(ROW_AT(421, 4.01, 10, 0.5, 0.5, 0, 3923), "NNNNNN");
	assert_string_equal(ROW_AT(481, 7.1, 412, 0.5, 0.6, 9.3, 571), "NNNNNN");
	assert_string_equal(ROW_AT(541, 7.1, 412, 0.5, 0.5, 0, 0), "NNNNNN");
}

/* The instrument's own D is noted where those beside it agree, and only there. */
static void test_a_fault_is_noted_as_one_of_the_row_where_it_is(void **state)
{
	(void)state;
	struct reading r = {.monitor = ACID, .measured_ms = NOW_MS, .flag = FLAG_FAULT};
	r.has_value = true;
	r.value = 4;
	beside_settle(&works_plan, shown, &r);
	assert_false(r.beside);
	ROW(NAN, 0, 0, NAN, 0, 0);
	beside_settle(&works_plan, shown, &r);
	assert_true(r.beside && r.flag == FLAG_FAULT);
	r = (struct reading){.monitor = ACID, .measured_ms = NOW_MS, .flag = FLAG_MAINTENANCE};
	r.has_value = true;
	r.value = 4;
	beside_settle(&works_plan, shown, &r);
	assert_true(!r.beside && r.flag == FLAG_MAINTENANCE);
}

/* The bound is of what beside_asks() takes, at the nearest values around each of its own. */
static void only_little_asks(const struct plan *of, uint32_t n)
{
	static const double around[] = {0, 0.1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 20, 500};
	for (uint32_t i = 0; i < n; i++) {
		struct monitor m = of->monitors[i];
		beside_begin(&m);
		for (size_t j = 0; j < sizeof around / sizeof *around; j++) {
			const double value[] = {around[j], -around[j],
						nextafter(around[j], INFINITY),
						nextafter(around[j], -INFINITY)};
			for (size_t k = 0; k < 4; k++)
				assert_true(!beside_asks(of, i, value[k]) ||
					    value[k] <= m.asks_most);
		}
	}
}

static void test_what_lies_above_a_bound_asks_nothing(void **state)
{
	(void)state;
	only_little_asks(&plan, MONITORS);
	only_little_asks(&works_plan, WORKS);
	static const struct {
		const struct monitor *monitor;
		double asks_most;
	} known[] = {{&works_monitors[ACID], 6},
		     {&works_monitors[CHLORINE], 0.1},
		     {&works_monitors[HAZE], 0.5},
		     {&monitors[OXYGEN], 0},
		     {&monitors[TURBIDITY], -INFINITY}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct monitor m = *known[i].monitor;
		beside_begin(&m);
		assert_true(m.asks_most == known[i].asks_most);
	}
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
		T(test_a_row_of_low_ends_is_no_water),
		T(test_low_ends_without_a_dead_signal_are_water_unless_a_limit_forbids),
		T(test_an_exceedance_among_low_ends_is_one),
		T(test_what_clings_to_a_low_end_is_none_while_others_show_as_little),
		T(test_what_falls_with_others_to_a_low_end_is_none),
		T(test_a_fault_is_noted_as_one_of_the_row_where_it_is),
		T(test_what_lies_above_a_bound_asks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
