/* SPDX-License-Identifier: Apache-2.0 */
/* The practice of an office, and what is impossible: what sites that say nothing get, by their kind
 * or by the factor, and where it is from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define OFFICE                                                                                     \
	"node: { id = \"n1\"; data_directory = \"" TEST_DATA "\"; practice = \"office\"; };\n"
#define SITE(head, kind, rest, monitors)                                                           \
	head "sites: ( { id = \"s\"; kind = \"" kind "\"; " rest " monitors: ( " monitors          \
	     " ); } );\n"
#define PUSHED(factor, rest)                                                                       \
	"{ factor = \"" factor "\"; connection = \"bus\"; topic = \"t/" factor "\"; " rest " }"
#define POLLED(factor, rest)                                                                       \
	"{ factor = \"" factor                                                                     \
	"\"; connection = \"plc\"; unit_id = 1; table = \"holding\"; address = 0; "                \
	"type = \"float32\"; " rest " }"
#define MAX(rest) "limits: ( { max = 50; " rest " } );"

static const struct config_monitor *only(void **state, const char *text)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, text);
	expect_ok(fixture);
	return &fixture->config->sites[0].monitors[0];
}

static void expect_built_in(const struct config_monitor *m, double stale_after_s)
{
	const struct config_limit *l = &m->limits[0];
	assert_true(m->stale_after_s == stale_after_s && m->cycle_s == 0 && m->flat_after_s == 0);
	assert_true(m->flat_count == 0 && m->max_step_hour == 0 && m->step_times == 0);
	assert_true(l->on_delay_s == 0 && l->off_delay_s == 0 && l->deadband == 0);
	assert_true(l->on_count == 0 && l->off_count == 0 && l->opens == -1);
	assert_int_equal(m->from[CONFIG_RULE_STALE].whence, CONFIG_BUILT_IN);
	assert_int_equal(l->from[CONFIG_RULE_ON_COUNT].whence, CONFIG_BUILT_IN);
}

static void test_without_a_practice_the_built_in_defaults_hold(void **state)
{
	expect_built_in(only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w21003", MAX("")))),
			7200);
	expect_built_in(only(state, SITE(NODE TCP, "river_section", "", POLLED("w01001", MAX("")))),
			60);
}

static void test_a_kind_that_the_practice_does_not_know_keeps_them(void **state)
{
	expect_built_in(only(state, SITE(OFFICE MQTT, "air", "", PUSHED("a21005", MAX("")))), 7200);
}

static void test_a_site_may_have_none_or_one_of_its_own(void **state)
{
	expect_built_in(only(state, SITE(OFFICE MQTT, "outfall", "practice = \"none\";",
					 PUSHED("w21003", MAX("")))),
			7200);
	const struct config_monitor *m =
		only(state, SITE(NODE MQTT, "outfall", "practice = \"office\";",
				 PUSHED("w21003", MAX(""))));
	assert_true(m->stale_after_s == 9000);
}

static void test_acidity_has_delays_and_a_change_of_an_hour(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE TCP, "river_section", "",
				 POLLED("w01001", "limits: ( { min = 6; max = 9; } );")));
	const struct config_limit *l = &m->limits[0];
	assert_true(m->stale_after_s == 1800 && m->flat_after_s == 21600 && m->flat_count == 0);
	assert_true(m->max_step_hour == 1 && m->step_times == 0 && m->cycle_s == 0);
	assert_true(l->on_delay_s == 1800 && l->off_delay_s == 3600 && l->deadband == 0.1);
	assert_true(l->on_count == 0 && l->off_count == 0 && l->opens == 1);
}

static void test_an_analyser_counts_results_that_it_holds(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE TCP, "water_source", "", POLLED("w21011", MAX(""))));
	const struct config_limit *l = &m->limits[0];
	assert_true(m->cycle_s == 6600 && m->flat_count == 6 && m->flat_after_s == 0);
	assert_true(m->step_times == 2 && m->step_share == 0.5 && m->max_step_hour == 0);
	assert_true(l->on_count == 2 && l->off_count == 3 && l->deadband == 2.5);
	assert_true(l->on_delay_s == 0 && l->off_delay_s == 0 && l->opens == 1);
}

/* Asked again and again it is silent when the link is; what sends its results alone, between them.
 */
static void test_silence_is_of_the_link_or_of_the_results(void **state)
{
	assert_true(
		only(state, SITE(OFFICE TCP, "outfall", "", POLLED("w21003", "")))->stale_after_s ==
		600);
	assert_true(only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "")))
			    ->stale_after_s == 9000);
	assert_true(
		only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "cycle_s = 7000;")))
			->stale_after_s == 15750);
	assert_true(only(state, SITE(OFFICE MQTT, "river_section", "",
				     PUSHED("w21003", "expected_per_hour = 0.25;")))
			    ->stale_after_s == 32400);
	assert_true(only(state, SITE(OFFICE MQTT, "outfall", "",
				     PUSHED("w21003", "expected_per_hour = 0.125;")))
			    ->stale_after_s == 64800);
	assert_true(only(state,
			 SITE(OFFICE TCP, "outfall", "", POLLED("w01001", "interval_ms = 600000;")))
			    ->stale_after_s == 1800);
	assert_true(only(state, SITE(OFFICE MQTT, "outfall", "",
				     PUSHED("w01001", "expected_per_hour = 60;")))
			    ->stale_after_s == 600);
	assert_true(only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w01001", "")))
			    ->stale_after_s == 7200);
}

static void test_nothing_is_flat_on_fewer_than_four_values(void **state)
{
	assert_true(only(state, SITE(OFFICE MQTT, "outfall", "",
				     PUSHED("w01001", "expected_per_hour = 1;")))
			    ->flat_after_s == 10800);
	assert_true(only(state, SITE(OFFICE MQTT, "outfall", "",
				     PUSHED("w01001", "expected_per_hour = 60;")))
			    ->flat_after_s == 7200);
}

static void test_what_lies_below_the_range_is_a_clue(void **state)
{
	assert_true(
		only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "range = (0, 5);")))
			->under_range);
	assert_false(
		only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "")))->under_range);
	assert_false(only(state, SITE(OFFICE MQTT, "outfall", "",
				      PUSHED("w21003", "range = (0, 5); under_range = false;")))
			     ->under_range);
	assert_false(
		only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w21003", "range = (0, 5);")))
			->under_range);
	assert_true(only(state, SITE(NODE MQTT, "outfall", "",
				     PUSHED("w21003", "range = (0, 5); live_zero = true;")))
			    ->under_range);
}

static void test_a_disinfectant_steps_by_what_has_to_be_left_of_it(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE MQTT, "water_source", "", PUSHED("w21025", "")));
	assert_true(m->max_step_hour == 0.05 && m->is_probe);
	m = only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21025", "")));
	assert_true(m->max_step_hour == 0);
}

static void test_the_first_result_of_an_analyser_that_is_back_counts_for_nothing(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "")));
	assert_true(m->settle_results == 1);
	assert_int_equal(m->from[CONFIG_RULE_SETTLE].whence, CONFIG_PRACTICE);
	assert_true(m->own_pace);
	m = only(state,
		 SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "stale_after_s = 9000;")));
	assert_false(m->own_pace);
	m = only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w01001", "")));
	assert_false(m->own_pace);
	m = only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "settle_results = 0;")));
	assert_true(m->settle_results == 0);
	m = only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w01001", "")));
	assert_true(m->settle_results == 0);
}

static double dead_at(void **state, const char *factor, const char *settings)
{
	char text[1024];
	snprintf(text, sizeof(text),
		 SITE(NODE MQTT, "outfall", "",
		      "{ factor = \"%s\"; connection = \"bus\"; topic = \"t\"; limits: ( { max = "
		      "9; } ); %s }"),
		 factor, settings);
	const struct config_monitor *m = only(state, text);
	assert_int_equal(m->has_dead, m->under_range);
	return m->has_dead ? m->dead_at : NAN;
}

static void test_a_dead_signal_is_known_where_nobody_says_a_range(void **state)
{
	assert_true(fabs(dead_at(state, "w01001", "") - 0.1) < 1e-12);
	assert_true(fabs(dead_at(state, "w01001", "range = (0, 14);") - 0.1) < 1e-12);
	assert_true(fabs(dead_at(state, "w01001", "range = (4, 10);") - 4.012) < 1e-12);
	assert_true(fabs(dead_at(state, "w01001", "range = (0, 14); live_zero = true;") - 0.028) <
		    1e-12);
	assert_true(isnan(dead_at(state, "w01001", "live_zero = false;")));
	assert_true(fabs(dead_at(state, "w01009", "range = (0, 20);") + 0.3) < 1e-12);
	assert_true(fabs(dead_at(state, "w01009", "unit = \"ug/L\";") + 300) < 1e-12);
	assert_true(isnan(dead_at(state, "w21003", "range = (0, 5);")));
	assert_true(dead_at(state, "w21003", "") == -5);
	assert_true(dead_at(state, "w21003", "unit = \"ug/L\";") == -5000);
	assert_true(isnan(dead_at(state, "w21003", "live_zero = false;")));
	assert_true(isnan(dead_at(state, "w03001", "")));
}

static void test_what_no_water_gives_is_data_of_the_catalogue(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01001", MAX(""))));
	assert_true(m->has_most && m->most == 14 && m->has_codes);
	assert_int_equal(m->from[CONFIG_RULE_MOST].whence, CONFIG_DATA);
	assert_int_equal(m->from[CONFIG_RULE_LIVE_ZERO].whence, CONFIG_DATA);
	assert_int_equal(m->from[CONFIG_RULE_CODES].whence, CONFIG_DATA);
	assert_true(m->from[CONFIG_RULE_CODES].line > 0);
	const struct config *config = ((struct fixture *)*state)->config;
	assert_true(config->n_codes >= 4);
	assert_true(config->unreal_from == 1e15);
	m = only(state, SITE(NODE MQTT, "outfall", "",
			     PUSHED("w00000", "unit = \"m3\"; rollover = 1e6; " MAX(""))));
	assert_false(m->has_codes);
	m = only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01001", "")));
	assert_false(m->has_dead || m->has_most || m->has_codes || m->under_range);
	m = only(state,
		 SITE(NODE MQTT, "river_section", "target_class = \"III\";", PUSHED("w01001", "")));
	assert_true(m->has_dead && m->has_most && m->has_codes);
}

static void test_oxygen_and_what_stands_beside_it_are_data_of_the_catalogue(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(NODE MQTT, "outfall", "",
				 PUSHED("w01009", MAX("")) ", " PUSHED("w01014", "") ", " PUSHED(
					 "w21003", "")));
	assert_true(m[0].zero_beside && m[0].has_nothing && m[0].has_most && m[0].most == 70);
	assert_int_equal(m[0].from[CONFIG_RULE_BESIDE].whence, CONFIG_DATA);
	assert_true(m[1].has_nothing && m[1].nothing_at == 0 && !m[1].has_dead);
	assert_false(m[2].has_nothing);
	m = only(state,
		 SITE(NODE MQTT, "outfall", "", PUSHED("w01009", "live_zero = false; " MAX(""))));
	assert_true(!m->zero_beside && m->has_nothing);
	m = only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01009", "")));
	assert_false(m->zero_beside);
}

static bool has_fill(const struct config_monitor *m, double value)
{
	for (size_t i = 0; i < m->n_fills; i++)
		if (m->fills[i] == value)
			return true;
	return false;
}

static void test_figures_of_loggers_are_amounts_in_the_range_and_below_a_limit(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01018", MAX(""))));
	assert_true(has_fill(m, 9999) && has_fill(m, 65535) && !has_fill(m, 999));
	assert_int_equal(m->from[CONFIG_RULE_FILLS].whence, CONFIG_DATA);
	m = only(state,
		 SITE(NODE MQTT, "outfall", "", PUSHED("w01018", "range = (0, 10000); " MAX(""))));
	assert_true(!has_fill(m, 9999) && has_fill(m, 65535));
	m = only(state,
		 SITE(NODE MQTT, "outfall", "",
		      PUSHED("w01018",
			     "limits: ( { max = 50; }, { max = 9999.0; average = \"day\"; } );")));
	assert_true(!has_fill(m, 9999) && has_fill(m, 9999.9));
	m = only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01018", "scale = 0.1; " MAX(""))));
	assert_true(has_fill(m, 65535) && has_fill(m, 65535 * 0.1) && !has_fill(m, 9999 * 0.1));
	m = only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01018", "")));
	assert_int_equal(m->n_fills, 0);
	m = only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w00000", "")));
	assert_true(has_fill(m, 65535) && m->has_codes);
}

/* Waste gas and ambient air are measured in other ranges. */
static void test_the_drift_of_a_gas_is_that_of_its_air(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(NODE MQTT, "outfall", "", PUSHED("a21026", MAX(""))));
	assert_true(m->has_dead && m->dead_at == -125);
	assert_string_equal(m->dead_confidence, "low");
	m = only(state, SITE(NODE MQTT, "air", "", PUSHED("a21026", MAX(""))));
	assert_true(m->has_dead && m->dead_at == -0.03);
	m = only(state, SITE(NODE MQTT, "air", "", PUSHED("a05024", MAX(""))));
	assert_true(m->has_dead && m->dead_at == -20);
	m = only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w01001", MAX(""))));
	assert_null(m->dead_confidence);
}

static void test_a_monitor_may_have_codes_of_its_own(void **state)
{
	static const struct example examples[] = {
		{SITE(NODE MQTT, "outfall", "", PUSHED("w21003", "codes = 9999;")),
		 "3: codes must be a list of numbers, such as (9999.0, 65535)"},
		{SITE(NODE MQTT, "outfall", "", PUSHED("w21003", "codes = (9999.0, true);")),
		 "3: codes must be a list of numbers"},
	};
	const struct config_monitor *m =
		only(state,
		     SITE(NODE MQTT, "outfall", "", PUSHED("w21003", "codes = (9999.0, 65535);")));
	assert_true(m->n_codes == 2 && m->codes[0] == 9999 && m->codes[1] == 65535);
	assert_int_equal(m->from[CONFIG_RULE_OWN_CODES].whence, CONFIG_SAID);
	CHECK(state, examples);
}

static void test_late_readings_in_a_row_are_counted_where_clues_are_looked_for(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(NODE MQTT, "outfall", "", PUSHED("w21003", "")));
	assert_int_equal(m->late_count, 0);
	assert_int_equal(m->from[CONFIG_RULE_LATE].whence, CONFIG_BUILT_IN);
	m = only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "")));
	assert_int_equal(m->late_count, 5);
	assert_int_equal(m->from[CONFIG_RULE_LATE].whence, CONFIG_PRACTICE);
	m = only(state, SITE(OFFICE MQTT, "outfall", "", PUSHED("w21003", "late_count = 0;")));
	assert_int_equal(m->late_count, 0);
	assert_int_equal(m->from[CONFIG_RULE_LATE].whence, CONFIG_SAID);
}

static void test_clues_are_looked_for_unless_the_site_says_which(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE MQTT, "outfall", "",
				 PUSHED("w01001", "expected_per_hour = 1;") ", " PUSHED(
					 "w21003", "expected_per_hour = 1;")));
	const struct config_site *site = &((struct fixture *)*state)->config->sites[0];
	assert_true(site->clues.on && site->clues.flagged_after_s == 7200);
	assert_int_equal(site->from[CONFIG_RULE_CLUES].whence, CONFIG_PRACTICE);
	assert_true(!m[0].has_course && m[1].has_course);
	m = only(state, SITE(OFFICE MQTT, "outfall", "clues: { flagged_after_s = 60; };",
			     PUSHED("w01001", "expected_per_hour = 1;")));
	site = &((struct fixture *)*state)->config->sites[0];
	assert_true(site->clues.flagged_after_s == 60 && m->has_course);
	assert_int_equal(site->from[CONFIG_RULE_CLUES].whence, CONFIG_BUILT_IN);
	only(state, SITE(OFFICE MQTT, "outfall", "practice = \"none\";", PUSHED("w01001", "")));
	assert_false(((struct fixture *)*state)->config->sites[0].clues.on);
}

static void test_what_is_asked_rarely_gives_a_result_each_time(void **state)
{
	assert_true(only(state,
			 SITE(OFFICE TCP, "outfall", "", POLLED("w21003", "interval_ms = 900000;")))
			    ->cycle_s == 0);
	assert_true(only(state,
			 SITE(OFFICE TCP, "outfall", "", POLLED("w21003", "interval_ms = 899000;")))
			    ->cycle_s == 3300);
}

static void test_means_count_but_have_neither_delay_nor_deadband(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE MQTT, "outfall", "",
				 PUSHED("w21003", "limits: ( { max = 8; average = \"hour\"; }, "
						  "{ max = 5; average = \"day\"; } );")));
	const struct config_limit *hour = &m->limits[0], *day = &m->limits[1];
	assert_true(hour->on_count == 2 && hour->off_count == 2 && hour->deadband == 0);
	assert_true(day->on_count == 0 && day->off_count == 0 && day->deadband == 0);
	assert_true(hour->opens == 0 && day->opens == 1);
	m = only(state, SITE(OFFICE MQTT, "outfall", "",
			     PUSHED("w01001", "limits: ( { max = 9; average = \"hour\"; } );")));
	assert_true(m->limits[0].on_delay_s == 0 && m->limits[0].deadband == 0);
}

static void test_the_practice_opens_over_the_standards_data(void **state)
{
	const struct config_monitor *m = only(
		state, SITE(OFFICE MQTT, "outfall", "",
			    PUSHED("w01001", "limits: ( { standard = \"GB18918-2002\"; class = "
					     "\"1A\"; } );")));
	assert_int_equal(m->limits[0].opens, 1);
	assert_int_equal(m->limits[0].from[CONFIG_RULE_OPENS].whence, CONFIG_PRACTICE);
	assert_int_equal(m->limits[0].from[CONFIG_RULE_BOUNDS].whence, CONFIG_STANDARD);
}

static void test_what_is_said_anywhere_wins(void **state)
{
	const struct config_monitor *m = only(
		state, SITE(OFFICE TCP, "outfall", "stale_after_s = 33; opens = (\"stale\");",
			    POLLED("w21003", "cycle_s = 40; flat_after_s = 50; max_step = 6; " MAX(
						     "on_delay_s = 7; off_count = 8; "
						     "deadband = 0;"))));
	const struct config_limit *l = &m->limits[0];
	assert_true(m->stale_after_s == 33 && m->cycle_s == 40);
	assert_true(m->flat_after_s == 50 && m->flat_count == 0);
	assert_true(m->max_step == 6 && m->step_times == 0);
	assert_true(l->on_delay_s == 7 && l->on_count == 0 && l->deadband == 0);
	assert_true(l->off_count == 8 && l->off_delay_s == 0 && l->opens == -1);
	m = only(state, SITE(OFFICE TCP, "outfall", "flat_after_s = 0;",
			     POLLED("w21003", "stale_after_s = 0; step_times = 0; " MAX(
						      "opens = \"case\"; off_delay_s = 0;"))));
	assert_true(m->stale_after_s == 0 && m->flat_count == 0 && m->step_times == 0);
	assert_true(m->limits[0].opens == 1 && m->limits[0].off_count == 0);
	assert_true(m->limits[0].on_count == 2);
}

static void test_figures_follow_the_unit_of_the_monitor(void **state)
{
	const struct config_monitor *m = only(
		state, SITE(OFFICE MQTT, "river_section", "",
			    PUSHED("w01009", "unit = \"ug/L\"; limits: ( { min = 5000; } );")));
	assert_true(m->limits[0].deadband == 300 && m->max_step_hour == 3000);
	assert_int_equal(m->limits[0].opens, 0);
}

/* Something has to clear between two bounds, however near they lie. */
static void test_a_deadband_leaves_room_between_two_bounds(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE MQTT, "outfall", "",
				 PUSHED("w01001", "limits: ( { min = 6.9; max = 7.1; } );")));
	assert_true(m->limits[0].deadband > 0.049 && m->limits[0].deadband <= 0.05);
	m = only(state, SITE(OFFICE MQTT, "outfall", "",
			     PUSHED("w21003", "limits: ( { min = 90; max = 100; } );")));
	assert_true(m->limits[0].deadband == 0.5);
}

static void test_a_toxic_result_alerts_at_once_and_two_open_a_case(void **state)
{
	const struct config_monitor *m =
		only(state, SITE(OFFICE MQTT, "water_source", "", PUSHED("w20115", MAX(""))));
	struct fixture *fixture = *state;
	assert_int_equal(m->n_limits, 2);
	assert_int_equal(fixture->config->n_limits, 1);
	assert_true(m->limits[0].on_count == 2 && m->limits[0].opens == 1);
	assert_true(m->limits[1].on_count == 1 && m->limits[1].opens == 0);
	assert_true(m->limits[1].max == 50 && m->limits[1].deadband == 2.5);
	m = only(state,
		 SITE(OFFICE MQTT, "water_source", "", PUSHED("w20115", MAX("on_count = 3;"))));
	assert_int_equal(m->n_limits, 1);
}

static void test_each_rule_knows_its_line(void **state)
{
	const struct config_monitor *m = only(
		state, SITE(OFFICE MQTT, "outfall", "\nflat_after_s = 60;",
			    "\n" PUSHED("w21003", "\nmax_step = 3;\n" MAX("\ndeadband = 1;"))));
	const struct config *config = ((struct fixture *)*state)->config;
	const struct config_origin *from = m->from, *limit = m->limits[0].from;
	assert_true(from[CONFIG_RULE_FLAT_AFTER].whence == CONFIG_SAID &&
		    from[CONFIG_RULE_FLAT_AFTER].line == 4);
	assert_true(from[CONFIG_RULE_STEP].whence == CONFIG_SAID &&
		    from[CONFIG_RULE_STEP].line == 6);
	assert_true(limit[CONFIG_RULE_BOUNDS].whence == CONFIG_SAID &&
		    limit[CONFIG_RULE_BOUNDS].line == 7);
	assert_int_equal(limit[CONFIG_RULE_DEADBAND].line, 8);
	assert_non_null(strstr(config->files[limit[CONFIG_RULE_DEADBAND].file], "/main.cfg"));
	assert_int_equal(limit[CONFIG_RULE_ON_COUNT].whence, CONFIG_PRACTICE);
	assert_string_equal(config->files[limit[CONFIG_RULE_ON_COUNT].file],
			    TEST_DATA "/signals/kinds.cfg");
	assert_true(limit[CONFIG_RULE_ON_COUNT].line > 1);
	assert_int_equal(limit[CONFIG_RULE_GRACE].whence, CONFIG_BUILT_IN);
}

static void test_a_practice_that_is_not_there_is_a_fault(void **state)
{
	static const struct example examples[] = {
		{SITE(NODE MQTT, "outfall", "\npractice = \"Office\";", PUSHED("w21003", "")),
		 "4: practice \"Office\" is not in the data; there are \"office\", and \"none\""},
		{"node: { id = \"n1\"; data_directory = \"" TEST_DATA
		 "\";\npractice = \"home\"; };\n",
		 "2: practice \"home\" is not in the data"},
		{SITE(NODE MQTT, "outfall", "\npractice = 1;", PUSHED("w21003", "")),
		 "4: practice is an integer, and must be a text"},
		{SITE(NODE MQTT, "outfall", "", "\n" PUSHED("w21003", "step_share = 0.5;")),
		 "4: step_share stands only beside step_times"},
		{SITE(NODE MQTT, "outfall", "", "\n" PUSHED("w21003", "step_times = 0.5;")),
		 "4: step_times = 0.5 is out of range, 1 to 1000000, or 0 for off"},
		{SITE(NODE MQTT, "outfall", "", "\n" PUSHED("w21003", "live_zero = true;")),
		 "4: live_zero needs a range beside it"},
	};
	CHECK(state, examples);
}

/* Data of one's own, of which the first practice is for outfalls. */
static void expect_of_data(void **state, const char *rule, const char *wanted)
{
	struct fixture *fixture = *state;
	char folder[96], text[512];
	snprintf(folder, sizeof(folder), "%s/signals", fixture->folder);
	(void)mkdir(folder, 0700);
	snprintf(folder, sizeof(folder), "%s/models", fixture->folder);
	(void)mkdir(folder, 0700);
	snprintf(text, sizeof(text),
		 "practices: ( { id = \"office\"; kind = \"outfall\"; rules: (\n%s ); } );\n",
		 rule);
	fixture_write(fixture, "signals/a.cfg", text);
	fixture_load(fixture, "node: { id = \"n1\"; data_directory = \".\"; practice = \"office\"; "
			      "};\n");
	expect(fixture, wanted);
	assert_non_null(strstr(fixture->faults.at[0].file, "/signals/a.cfg"));
}

static void test_faults_of_the_data_name_the_data(void **state)
{
	expect_of_data(state, "{ on_count = -1; }", "2: on_count = -1 is out of range");
	expect_of_data(state, "{ counts = 1; }", "2: unknown key \"counts\"");
	expect_of_data(state, "{ factors = (\"w99999\"); }",
		       "2: factor \"w99999\" is not in the catalogue");
	expect_of_data(state, "{ opens = (\"case\"); }", "2: opens needs three verdicts");
	expect_of_data(state, "{ opens = (\"case\", \"case\", \"bell\"); }",
		       "2: an element of opens = \"bell\" is not right: use \"alert\" or \"case\"");
	expect_of_data(state, "{ step_times = 2.0; }",
		       "2: step_times and step_share stand only together");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_practice_the_built_in_defaults_hold),
		TEST(test_a_kind_that_the_practice_does_not_know_keeps_them),
		TEST(test_a_site_may_have_none_or_one_of_its_own),
		TEST(test_acidity_has_delays_and_a_change_of_an_hour),
		TEST(test_an_analyser_counts_results_that_it_holds),
		TEST(test_silence_is_of_the_link_or_of_the_results),
		TEST(test_nothing_is_flat_on_fewer_than_four_values),
		TEST(test_oxygen_and_what_stands_beside_it_are_data_of_the_catalogue),
		TEST(test_figures_of_loggers_are_amounts_in_the_range_and_below_a_limit),
		TEST(test_the_drift_of_a_gas_is_that_of_its_air),
		TEST(test_a_monitor_may_have_codes_of_its_own),
		TEST(test_late_readings_in_a_row_are_counted_where_clues_are_looked_for),
		TEST(test_clues_are_looked_for_unless_the_site_says_which),
		TEST(test_what_lies_below_the_range_is_a_clue),
		TEST(test_a_disinfectant_steps_by_what_has_to_be_left_of_it),
		TEST(test_the_first_result_of_an_analyser_that_is_back_counts_for_nothing),
		TEST(test_a_dead_signal_is_known_where_nobody_says_a_range),
		TEST(test_what_no_water_gives_is_data_of_the_catalogue),
		TEST(test_what_is_asked_rarely_gives_a_result_each_time),
		TEST(test_means_count_but_have_neither_delay_nor_deadband),
		TEST(test_the_practice_opens_over_the_standards_data),
		TEST(test_what_is_said_anywhere_wins),
		TEST(test_figures_follow_the_unit_of_the_monitor),
		TEST(test_a_deadband_leaves_room_between_two_bounds),
		TEST(test_a_toxic_result_alerts_at_once_and_two_open_a_case),
		TEST(test_each_rule_knows_its_line),
		TEST(test_a_practice_that_is_not_there_is_a_fault),
		TEST(test_faults_of_the_data_name_the_data),
	};
	return cmocka_run_group_tests_name("practice", tests, NULL, NULL);
}
