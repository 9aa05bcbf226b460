/* SPDX-License-Identifier: Apache-2.0 */
/* The group `clues` of a site: defaults, and which factors contradict each other there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SITE(rest, monitors)                                                                       \
	NODE MQTT "sites: ( { id = \"s\"; kind = \"outfall\"; " rest " monitors: ( " monitors      \
		  " ); } );\n"
#define MONITOR(factor, rest)                                                                      \
	"{ factor = \"" factor "\"; connection = \"bus\"; topic = \"t/" factor "\"; " rest " }"

static void test_without_the_group_nothing_is_looked_for(void **state)
{
	fixture_load(*state, SITE("", MONITOR("w21003", "")));
	expect_ok(*state);
	assert_false(((struct fixture *)*state)->config->sites[0].clues.on);
}

static void test_an_empty_group_takes_all_defaults(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, SITE("clues: { };", MONITOR("w21003", "")));
	expect_ok(fixture);
	const struct config_clues *clues = &fixture->config->sites[0].clues;
	assert_true(clues->on);
	assert_int_equal(clues->clipped_count, 4);
	assert_int_equal(clues->weak_flat_count, 24);
	assert_int_equal(clues->repeating_count, 12);
	assert_int_equal(clues->alike_count, 12);
	assert_int_equal(clues->shut_count, 3);
	assert_int_equal(clues->contradicts_count, 2);
	assert_true(clues->flagged_after_s == 7200 && clues->within_s == 14400);
	assert_true(clues->hold_s == 1800 && clues->weak_flat_share == 0.005);
}

static void test_what_is_said_is_kept(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     SITE("clues: { clipped_count = 0; weak_flat_share = 0.01; hold_s = 60; };",
			  MONITOR("w21003", "")));
	expect_ok(fixture);
	const struct config_clues *clues = &fixture->config->sites[0].clues;
	assert_int_equal(clues->clipped_count, 0);
	assert_true(clues->weak_flat_share == 0.01 && clues->hold_s == 60);
}

static void test_results_a_quarter_of_an_hour_apart_make_a_course(void **state)
{
	static const struct {
		const char *factor, *settings;
		bool has, may;
	} wanted[] = {
		{"w21003", "cycle_s = 900;", true, false},
		{"w21003", "cycle_s = 899;", false, false},
		{"w21003", "expected_per_hour = 4;", true, false},
		{"w21003", "expected_per_hour = 5;", false, false},
		{"w21003", "", false, true},
		{"w01001", "", false, false},
		{"w00000", "", false, false},
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		char text[512];
		snprintf(text, sizeof(text), SITE("clues: { };", MONITOR("%s", "%s")),
			 wanted[i].factor, wanted[i].factor, wanted[i].settings);
		fixture_load(fixture, text);
		expect_ok(fixture);
		const struct config_monitor *m = fixture->config->sites[0].monitors;
		assert_int_equal(m->has_course, wanted[i].has);
		assert_int_equal(m->may_have_course, wanted[i].may);
	}
}

static void test_factors_that_contradict_each_other_are_found_in_the_data(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     SITE("clues: { };",
			  MONITOR("w21001", "") ", " MONITOR(
				  "w21003", "unit = \"ug/L\";") ", " MONITOR("w01018", "")));
	expect_ok(fixture);
	const struct config_monitor *m = &fixture->config->sites[0].monitors[1];
	assert_int_equal(m->n_contradictions, 1);
	assert_string_equal(m->contradictions[0].reason, "ammonia_over_total_nitrogen");
	assert_int_equal(m->contradictions[0].other, 0);
	assert_true(fabs(m->contradictions[0].times - 1100) < 1e-9);
	assert_int_equal(fixture->config->sites[0].monitors[2].n_contradictions, 0);
}

static void test_oxygen_is_held_against_the_temperature(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, SITE("clues: { altitude_m = 1891; };",
				   MONITOR("w01009", "") ", " MONITOR("w01010", "")));
	expect_ok(fixture);
	const struct config_monitor *m = &fixture->config->sites[0].monitors[0];
	assert_int_equal(m->n_contradictions, 1);
	assert_true(m->contradictions[0].saturation && m->contradictions[0].times == 2);
	fixture_load(fixture, SITE("clues: { contradicts_count = 0; };",
				   MONITOR("w01009", "") ", " MONITOR("w01010", "")));
	expect_ok(fixture);
	assert_int_equal(fixture->config->sites[0].monitors[0].n_contradictions, 0);
}

static void test_faults_name_key_and_range(void **state)
{
	static const struct example examples[] = {
		{SITE("\nclues: { weak_flat_count = 65; };", MONITOR("w21003", "")),
		 "4: weak_flat_count = 65 is out of range, 0 to 64"},
		{SITE("\nclues: { clipping = 1; };", MONITOR("w21003", "")),
		 "4: unknown key \"clipping\""},
		{SITE("\nclues: { weak_flat_share = 0; };", MONITOR("w21003", "")),
		 "4: weak_flat_share = 0 is out of range"},
	};
	CHECK(state, examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_the_group_nothing_is_looked_for),
		TEST(test_an_empty_group_takes_all_defaults),
		TEST(test_what_is_said_is_kept),
		TEST(test_results_a_quarter_of_an_hour_apart_make_a_course),
		TEST(test_factors_that_contradict_each_other_are_found_in_the_data),
		TEST(test_oxygen_is_held_against_the_temperature),
		TEST(test_faults_name_key_and_range),
	};
	return cmocka_run_group_tests_name("clues", tests, NULL, NULL);
}
