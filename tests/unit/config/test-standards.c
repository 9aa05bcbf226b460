/* SPDX-License-Identifier: Apache-2.0 */
/* What a `standard` entry makes of the standards' data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/dates.h"
#include "config/reader.h"
#include "config/standards.h"
#include "config/units.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* --- entries --- */

#define AT(kind, factor, keys, limits)                                                             \
	NODE MQTT "sites: ( { id = \"s\"; kind = \"" kind "\"; monitors: (\n"                      \
		  "{ factor = \"" factor "\"; connection = \"bus\"; topic = \"t\"; " keys          \
		  "\nlimits: (" limits "\n); } ); } );\n"
#define OUTFALL(factor, limits) AT("outfall", factor, "", limits)
#define AIR(factor, limits) AT("air", factor, "", limits)

static const struct config_monitor *load(void **state, const char *text)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, text);
	expect_ok(fixture);
	return &fixture->config->sites[0].monitors[0];
}

static void refuse(void **state, const char *text, const char *faults)
{
	fixture_load(*state, text);
	expect(*state, faults);
}

/* The notes are exactly these: lines "LINE: part of the message". */
static void noted(void **state, const char *wanted)
{
	struct fixture *fixture = *state;
	const struct config_faults *notes = &fixture->config->notes;
	size_t n = 0;
	for (; *wanted; n++) {
		char *message, line[512];
		size_t length = strcspn(wanted, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, wanted);
		int number = (int)strtol(line, &message, 10);
		message += strspn(message, ": ");
		if (n >= notes->n || notes->at[n].line != number ||
		    !strstr(notes->at[n].message, message)) {
			config_faults_print(notes, stderr);
			fail_msg("note %zu is not \"%s\"", n, line);
		}
		wanted += length + (wanted[length] == '\n');
	}
	if (n != notes->n) {
		config_faults_print(notes, stderr);
		fail_msg("%zu notes and not %zu", notes->n, n);
	}
}

static int day(const char *text)
{
	return text ? date_days(text) : 0;
}

static void check_limit(const struct config_monitor *monitor, size_t i, double max,
			const char *from, const char *to, const char *source)
{
	assert_in_range(i, 0, monitor->n_limits - 1);
	const struct config_limit *l = &monitor->limits[i];
	assert_true(l->has_max && l->max == max);
	assert_int_equal(l->from_day, day(from));
	assert_int_equal(l->to_day, day(to));
	assert_string_equal(l->source, source);
}

static void test_figures_are_those_of_the_printed_tables(void **state)
{
	static const struct {
		const char *standard, *class_name, *factor, *keys;
		int average;
		double bound; /* max; of oxygen min */
	} cases[] = {
		{"GB3838-2002", "I", "w01009", "", CONFIG_DAY, 7.5},
		{"GB3838-2002", "V", "w01009", "", CONFIG_INSTANT, 2},
		{"GB3838-2002", "II", "w01019", "", CONFIG_DAY, 4},
		{"GB3838-2002", "II", "w01018", "", CONFIG_DAY, 15},
		{"GB3838-2002", "III", "w21003", "", CONFIG_INSTANT, 1},
		{"GB3838-2002", "IV", "w21011", "condition = \"river\";", CONFIG_DAY, 0.3},
		{"GB3838-2002", "IV", "w21011", "condition = \"lake\";", CONFIG_DAY, 0.1},
		{"GB3838-2002", "II", "w21001", "condition = \"lake\";", CONFIG_DAY, 0.5},
		{"GB3838-2002", "I", "w20111", "", CONFIG_DAY, 0.05}, /* µg/L */
		{"GB3838-2002", "V", "w20117", "", CONFIG_DAY, 100},  /* µg/L */
		{"GB3838-2002", "III", "w22001", "", CONFIG_DAY, 0.05},
		{"GB3838-2002", "IV", "w02003", "", CONFIG_DAY, 20000},
		{"GB3838-2002", "source", "w20124", "", CONFIG_DAY, 0.1},
		{"GB3838-2002", "source", "w21007", "", CONFIG_INSTANT, 10},
		{"GB18918-2002", "1A", "w01018", "", CONFIG_DAY, 50},
		{"GB18918-2002", "3", "w22001", "", CONFIG_DAY, 15},
		{"GB18918-2002", "1B", "w21003", "condition = \"water > 12 C\";", CONFIG_DAY, 8},
		{"GB18918-2002", "1B", "w21003", "condition = \"water <= 12 C\";", CONFIG_DAY, 15},
		{"GB18918-2002", "1A", "w21011", "condition = \"built from 2006\";", CONFIG_DAY,
		 0.5},
		{"GB18918-2002", "1B", "w21011", "condition = \"built before 2006\";", CONFIG_DAY,
		 1.5},
		{"GB18918-2002", "2", "w20115", "", CONFIG_DAY, 10}, /* µg/L */
		{"GB18918-2002", "1A", "w20121", "", CONFIG_DAY, 0.05},
		{"GB8978-1996", "1", "w01018", "", CONFIG_DAY, 100},
		{"GB8978-1996", "3", "w01012", "", CONFIG_DAY, 400},
		{"GB8978-1996", "2", "w21003", "", CONFIG_DAY, 25},
		{"GB8978-1996", "3", "w20116", "", CONFIG_DAY, 1.5},
		{"GB8978-1996", "1", "w25043", "", CONFIG_DAY, 0.03}, /* µg/L */
		{"GB8978-1996", "2", "w20124", "", CONFIG_DAY, 2},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[2048];
		snprintf(text, sizeof(text),
			 OUTFALL("%s", "{ standard = \"%s\"; class = \"%s\"; %s }"),
			 cases[i].factor, cases[i].standard, cases[i].class_name, cases[i].keys);
		const struct config_monitor *m = load(state, text);
		const struct config_limit *l = NULL;
		for (size_t k = 0; k < m->n_limits; k++)
			if ((int)m->limits[k].average == cases[i].average)
				l = &m->limits[k];
		print_message("%s %s %s\n", cases[i].standard, cases[i].class_name,
			      cases[i].factor);
		assert_non_null(l);
		assert_true((l->has_max ? l->max : l->min) == cases[i].bound);
	}
}

static void test_air_was_limited_by_the_hour_and_the_day(void **state)
{
	struct fixture *fixture = *state;
	fixture->today = "2026-02-28";
	const struct config_monitor *m =
		load(state, AT("air", "a21026", "unit = \"ug/m3\";",
			       "{ standard = \"GB3095-2012\"; class = \"2\"; }"));
	assert_int_equal(m->n_limits, 2);
	check_limit(m, 0, 150, "2016-01-01", "2026-02-28", "GB3095-2012 2, table 1, 150 µg/m³");
	check_limit(m, 1, 500, "2016-01-01", "2026-02-28", "GB3095-2012 2, table 1, 500 µg/m³");
	assert_int_equal(m->limits[0].opens, 1);
	assert_int_equal(m->limits[1].opens, 0);
	m = load(state, AT("air", "a05024", "unit = \"ppb\";",
			   "{ standard = \"GB3095-2012\"; class = \"2\"; }"));
	assert_true(m->limits[1].derived);
	assert_true(m->limits[1].max > 101.93 && m->limits[1].max < 101.95);
}

static void test_a_limit_follows_its_standard_over_the_years(void **state)
{
	const struct config_monitor *m =
		load(state, AIR("a34004", "{ standard = \"GB3095-2012\"; class = \"2\"; }"));
	assert_int_equal(m->n_limits, 3);
	check_limit(m, 0, 75, "2016-01-01", "2026-02-28", "GB3095-2012 2, table 1");
	check_limit(m, 1, 60, "2026-03-01", "2030-12-31", "GB3095-2026 2, transition");
	check_limit(m, 2, 50, "2031-01-01", NULL, "GB3095-2026 2, final");
	noted(state, "");
	m = load(state, AIR("a34004", "{ standard = \"GB3095-2012\"; class = \"2\"; from = "
				      "\"2025-06-01\"; to = \"2027-12-31\"; },"
				      "{ max = 10; average = \"day\"; from = \"2028-01-01\"; }"));
	assert_int_equal(m->n_limits, 3);
	check_limit(m, 0, 75, "2025-06-01", "2026-02-28", "GB3095-2012 2, table 1");
	check_limit(m, 1, 60, "2026-03-01", "2027-12-31", "GB3095-2026 2, transition");
	check_limit(m, 2, 10, "2028-01-01", NULL, "configuration");
}

static void test_a_gap_in_time_is_a_fault_of_the_configuration(void **state)
{
	refuse(state, AIR("a21026", "{ class = \"2\";\nstandard = \"GB 3095-2012\"; }"),
	       "6: GB3095-2012 2, table 1, 500 µg/m³ ended on 2026-02-28, and no limit of the "
	       "hour's "
	       "mean is in force on 2026-11-25: a gap in time; state the one that is with max or "
	       "min\n"
	       "6: GB3095-2012 2, table 1, 150 µg/m³ ended on 2026-02-28, and no limit of the "
	       "day's "
	       "mean is in force on 2026-11-25");
	refuse(state, AIR("a34004", "{ standard = \"GB3095-2012\"; class = \"1\"; }"),
	       "5: GB3095-2012 1, table 1 ended on 2026-02-28, and no limit of the day's mean is "
	       "in "
	       "force on 2026-11-25");
	refuse(state, AIR("a34004", "{ standard = \"GB3095-2026\"; class = \"1\"; }"),
	       "5: GB3095-2026 1, final begins on 2031-01-01, and no limit of the day's mean is in "
	       "force on 2026-11-25");
	refuse(state, AIR("a34004", "{ max = 5;\nto = \"2026-11-24\"; }"),
	       "6: configuration ended on 2026-11-24, and no limit of a value is in force");
}

static void test_what_covers_the_gap_is_no_fault(void **state)
{
	struct fixture *fixture = *state;
	load(state,
	     AIR("a21026", "{ standard = \"GB3095-2012\"; class = \"2\"; average = \"day\"; },"
			   "{ max = 0.15; average = \"day\"; from = \"2026-03-01\"; }"));
	fixture->today = "2026-02-28";
	load(state, AIR("a34004", "{ standard = \"GB3095-2012\"; class = \"1\"; }"));
	noted(state, "5: GB3095-2012 1, table 1 ends on 2026-02-28, and nothing that follows it as "
		     "limit of the day's mean is known here");
	fixture->today = "2026-03-01";
	fixture->lenient = true;
	load(state, AIR("a34004", "{ standard = \"GB3095-2012\"; class = \"1\"; }"));
	noted(state, "5: GB3095-2012 1, table 1 ended on 2026-02-28");
	fixture->today = NULL;
	load(state, AIR("a34004", "{ standard = \"GB3095-2012\"; class = \"1\"; }"));
	noted(state, "");
}

static void test_a_condition_has_to_be_chosen(void **state)
{
	refuse(state, OUTFALL("w21003", "{ standard = \"GB18918-2002\"; class = \"1A\"; }"),
	       "5: GB18918-2002 class \"1A\" limits w21003 under conditions only; set condition to "
	       "one "
	       "of \"water > 12 C\", \"water <= 12 C\"");
	refuse(state,
	       OUTFALL("w21011", "{ standard = \"GB18918-2002\"; class = \"1A\";\ncondition = "
				 "\"lake\"; }"),
	       "6: GB18918-2002 class \"1A\" limits w21011 under conditions only; set condition to "
	       "one "
	       "of \"built from 2006\", \"built before 2006\"");
	refuse(state,
	       OUTFALL("w01018",
		       "{ standard = \"GB18918-2002\"; class = \"1A\"; condition = \"lake\"; }"),
	       "5: GB18918-2002 class \"1A\" limits w01018 without any condition; remove it");
	const struct config_monitor *m =
		load(state, OUTFALL("w21003", "{ standard = \"GB18918-2002\"; class = \"1A\"; "
					      "condition = \"water <= 12 C\"; }"));
	assert_int_equal(m->n_limits, 1);
	check_limit(m, 0, 8, "2003-07-01", NULL, "GB18918-2002 1A, table 1, water <= 12 C");
}

static void test_a_river_is_a_river_by_itself(void **state)
{
	const struct config_monitor *m =
		load(state, AT("river_section", "w21011", "",
			       "{ standard = \"GB3838-2002\"; class = \"III\"; }"));
	check_limit(m, 0, 0.2, "2002-06-01", NULL, "GB3838-2002 III, table 1, river");
	m = load(state,
		 AT("river_section", "w21011", "",
		    "{ standard = \"GB3838-2002\"; class = \"III\"; condition = \"lake\"; }"));
	assert_true(m->limits[0].max == 0.05);
	refuse(state,
	       AT("water_source", "w21011", "", "{ standard = \"GB3838-2002\"; class = \"II\"; }"),
	       "5: GB3838-2002 class \"II\" limits w21011 under conditions only; set condition to "
	       "one "
	       "of \"river\", \"lake\"");
	refuse(state,
	       AT("river_section", "w21001", "", "{ standard = \"GB3838-2002\"; class = \"II\"; }"),
	       "5: GB3838-2002 class \"II\" limits w21001 under conditions only; set condition to "
	       "one "
	       "of \"lake\"");
}

static void test_what_is_no_limit_of_a_value_is_not_loaded(void **state)
{
	refuse(state,
	       AT("river_section", "w01010", "", "{ standard = \"GB3838-2002\"; class = \"II\"; }"),
	       "5: GB3838-2002 has no limit for w01010 that can be judged here: it limits how much "
	       "the "
	       "mean of a week may be changed");
}

/* Ozone has limits of the hour and of the largest mean of 8 hours, and nothing known follows them.
 */
static void test_ozone_is_limited_by_its_largest_mean_of_eight_hours(void **state)
{
	const struct config_monitor *m =
		load(state,
		     AIR("a05024", "{ standard = \"GB3095-2012\"; class = \"2\"; },\n"
				   "{ max = 200; average = \"hour\"; from = \"2026-03-01\"; },\n"
				   "{ max = 160; average = \"day-8h\"; from = \"2026-03-01\"; }"));
	assert_int_equal(m->n_limits, 4);
	assert_int_equal(m->limits[0].average, CONFIG_DAY_8H);
	check_limit(m, 0, 160, "2016-01-01", "2026-02-28", "GB3095-2012 2, table 1");
	assert_int_equal(m->limits[0].opens, 1);
	noted(state, "5: the figure of GB3095-2012, table 1 for a05024 is of medium confidence");
	refuse(state,
	       AIR("a05024", "{ standard = \"GB3095-2012\"; class = \"2\"; },\n"
			     "{ max = 200; average = \"hour\"; from = \"2026-03-01\"; }"),
	       "5: GB3095-2012 2, table 1 ended on 2026-02-28, and no limit of the "
	       "day's "
	       "largest mean of 8 hours is in force");
}

static void test_a_largest_mean_of_eight_hours_has_an_upper_bound_alone(void **state)
{
	refuse(state, AIR("a05024", "{ max = 1; min = 0.5; average = \"day-8h\"; }"),
	       "5: min says nothing of a day's largest mean of 8 hours; give max, or another "
	       "average");
	refuse(state, AIR("a05024", "{ max = 1; average = \"day-8h\"; grace_s = 86401; }"),
	       "5: grace_s = 86401 is longer than a day; at most 86400 for the day's largest mean "
	       "of 8 hours");
	refuse(state, AIR("a05024", "{ max = 1; average = \"day-8h\"; on_delay_s = 1; }"),
	       "5: on_delay_s does not apply to a mean");
	refuse(state, AIR("a05024", "{ max = 1; average = \"day-8h\"; weight = \"flow\"; }"),
	       "5: weight does not apply to average = \"day-8h\"");
	refuse(state,
	       NODE MQTT "sites: ( { id = \"s\"; kind = \"outfall\"; monitors: (\n"
			 "{ factor = \"w00000\"; connection = \"bus\"; topic = \"f\"; },\n"
			 "{ factor = \"w01018\"; connection = \"bus\"; topic = \"t\"; limits: (\n"
			 "{ max = 1; average = \"day-8h\"; weight = \"flow\"; } ); } ); } );\n",
	       "6: weight does not apply to average = \"day-8h\", of which each hour counts alike");
}

static void test_a_recommended_standard_binds_where_a_permit_cites_it(void **state)
{
	refuse(state, OUTFALL("w01018", "{ standard = \"DB5301/T 43-2020\"; class = \"A\"; }"),
	       "5: DB5301/T43-2020 is a recommended standard, which binds only where a permit "
	       "cites "
	       "it; name the permit with cited_by");
	refuse(state,
	       OUTFALL("w01018",
		       "{ standard = \"GB18918-2002\"; class = \"1A\"; cited_by = \"P-1\"; }"),
	       "5: cited_by is for recommended standards, and GB18918-2002 binds by itself");
	const struct config_monitor *m =
		load(state, OUTFALL("w01018", "{ standard = \"DB5301/T 43-2020\"; class = \"A\"; "
					      "cited_by = \"P-1\"; }"));
	check_limit(m, 0, 20, "2020-05-01", NULL,
		    "DB5301/T43-2020 A, table 1, cited by permit P-1");
	noted(state,
	      "5: the figure of DB5301/T43-2020, table 1 for w01018 is of medium confidence");
	m = load(state, OUTFALL("w01018", "{ standard = \"DB5301/T 43-2020\"; class = \"E\"; "
					  "cited_by = \"P-1\"; }"));
	check_limit(m, 0, 70, "2020-05-01", NULL,
		    "DB5301/T43-2020 E, table 1, cited by permit P-1 (figure not confirmed)");
	noted(state, "5: the figure of DB5301/T43-2020, table 1 for w01018 is of low confidence");
}

static void test_an_amended_standard_says_so_once(void **state)
{
	load(state, OUTFALL("w01018", "{ standard = \"GB18918-2002\"; class = \"1A\"; },\n"
				      "{ standard = \"GB18918-2002\"; class = \"1B\"; }"));
	noted(state, "5: GB18918-2002 was amended on 2026-03-01");
}

/* --- permits --- */

#define PERMIT "standard = \"permit\"; number = \"P-1\"; "

static void test_a_permit_goes_first_while_it_is_valid(void **state)
{
	const struct config_monitor *m =
		load(state, OUTFALL("w01018", "{ standard = \"GB18918-2002\"; class = \"1A\"; },\n"
					      "{ " PERMIT "valid_from = \"2026-01-01\"; valid_to = "
					      "\"2030-12-31\"; max = 40; average = \"day\"; }"));
	assert_int_equal(m->n_limits, 3);
	check_limit(m, 0, 50, "2003-07-01", "2025-12-31", "GB18918-2002 1A, table 1");
	check_limit(m, 1, 50, "2031-01-01", NULL, "GB18918-2002 1A, table 1");
	check_limit(m, 2, 40, "2026-01-01", "2030-12-31", "permit P-1");
	assert_int_equal(m->limits[2].opens, 1);
}

static void test_a_permit_leaves_other_means_and_other_bounds(void **state)
{
	const struct config_monitor *m =
		load(state, OUTFALL("w01018", "{ standard = \"GB3838-2002\"; class = \"V\"; },\n"
					      "{ max = 45; average = \"day\"; },\n"
					      "{ " PERMIT "valid_from = \"2000-01-01\"; valid_to = "
					      "\"2099-12-31\"; max = 30; average = \"day\"; }"));
	assert_int_equal(m->n_limits, 4);
	assert_int_equal(m->limits[0].average, CONFIG_INSTANT);
	check_limit(m, 0, 40, "2002-06-01", NULL, "GB3838-2002 V, table 1");
	check_limit(m, 1, 40, "2100-01-01", NULL, "GB3838-2002 V, table 1");
	check_limit(m, 2, 45, NULL, NULL, "configuration");
	check_limit(m, 3, 30, "2000-01-01", "2099-12-31", "permit P-1");
	m = load(state, OUTFALL("w01001", "{ standard = \"GB18918-2002\"; class = \"1A\"; },\n"
					  "{ " PERMIT "valid_from = \"2000-01-01\"; valid_to = "
					  "\"2099-12-31\"; max = 8.5; }"));
	assert_int_equal(m->n_limits, 3);
	assert_true(m->limits[0].has_min && !m->limits[0].has_max && m->limits[0].min == 6);
	assert_int_equal(m->limits[0].to_day, day("2099-12-31"));
	assert_true(m->limits[1].has_min && m->limits[1].has_max);
	assert_int_equal(m->limits[1].from_day, day("2100-01-01"));
	assert_true(m->limits[2].max == 8.5 && m->limits[2].opens == 0);
}

static void test_one_permit_follows_another(void **state)
{
	const struct config_monitor *m = load(
		state,
		OUTFALL("w01018",
			"{ " PERMIT "valid_from = \"2021-01-01\"; valid_to = \"2025-12-31\"; max = "
			"45; average = \"day\"; },\n"
			"{ standard = \"permit\"; number = \"P-2\"; valid_from = \"2026-01-01\"; "
			"valid_to = \"2030-12-31\"; max = 40; average = \"day\"; opens = "
			"\"alert\"; "
			"},\n{ standard = \"GB18918-2002\"; class = \"1A\"; }"));
	assert_int_equal(m->n_limits, 4);
	check_limit(m, 0, 45, "2021-01-01", "2025-12-31", "permit P-1");
	check_limit(m, 1, 40, "2026-01-01", "2030-12-31", "permit P-2");
	check_limit(m, 2, 50, "2003-07-01", "2020-12-31", "GB18918-2002 1A, table 1");
	check_limit(m, 3, 50, "2031-01-01", NULL, "GB18918-2002 1A, table 1");
	assert_int_equal(m->limits[1].opens, 0);
	noted(state, "5: permit P-1 ended on 2025-12-31\n7: GB18918-2002 was amended");
}

static void test_an_end_is_said_half_a_year_before(void **state)
{
	struct fixture *fixture = *state;
	const char *text = OUTFALL("w01018", "{ " PERMIT "valid_from = \"2021-01-01\";\nvalid_to = "
					     "\"2025-12-31\"; max = 45; average = \"day\"; }");
	fixture->today = "2025-07-03";
	load(state, text);
	noted(state, "");
	fixture->today = "2025-07-04";
	load(state, text);
	noted(state,
	      "6: permit P-1 ends on 2025-12-31, and nothing that follows it as limit of the "
	      "day's mean is known here");
}

static void test_a_permit_that_cannot_hold_is_refused(void **state)
{
	refuse(state, OUTFALL("w01018", "{ standard = \"permit\"; max = 40; }"),
	       "5: key \"number\" is missing beside standard = \"permit\"\n"
	       "5: key \"valid_from\" is missing beside standard = \"permit\"\n"
	       "5: key \"valid_to\" is missing beside standard = \"permit\"");
	refuse(state,
	       OUTFALL("w01018",
		       "{ " PERMIT "valid_from = \"2026-01-01\";\nvalid_to = "
		       "\"2025-12-31\"; max = 40;\nclass = \"1A\"; from = \"2026-01-01\"; }"),
	       "6: valid_to = \"2025-12-31\" is before valid_from = \"2026-01-01\"\n"
	       "7: class cannot stand beside standard = \"permit\"\n"
	       "7: from cannot stand beside standard = \"permit\"");
	refuse(state,
	       OUTFALL("w01018", "{ " PERMIT "valid_from = \"2026-02-30\"; valid_to = "
				 "\"2030-12-31\"; max = 40; }"),
	       "5: valid_from = \"2026-02-30\" is not right: use a date such as 2026-03-01");
	refuse(state,
	       OUTFALL("w01018", "{ " PERMIT "valid_from = \"2021-01-01\"; valid_to = "
				 "\"2025-12-31\"; max = 40; }"),
	       "5: permit P-1 ended on 2025-12-31, and no limit of a value is in force");
	refuse(state,
	       OUTFALL("w01018", "{ " PERMIT "valid_from = \"2021-01-01\"; valid_to = "
				 "\"2029-12-31\"; }"),
	       "5: a limit needs max, min, or standard and class");
	refuse(state, OUTFALL("w01018", "{ max = 3; number = \"P-1\"; }"),
	       "5: number stands only beside standard = \"permit\"");
}

/* --- notes --- */

static void test_notes_are_no_faults(void **state)
{
	load(state, AT("outfall", "w01018", "\nrange = (0, 251);", "{ max = 50; }"));
	noted(state, "5: range reaches to 251, over 5 times the limit of 50 (configuration)");
	load(state, AT("outfall", "w01018", "\nrange = (0, 250);", "{ max = 50; }"));
	noted(state, "");
	load(state, OUTFALL("w01018", "{ max = 5;\ndecimals = 1; }"));
	noted(state, "6: decimals is without effect where the full value is compared");
	load(state, OUTFALL("w01018", "{ max = 5; compare = \"rounded\";\ndecimals = 1; }"));
	noted(state, "");
	load(state, OUTFALL("w01001", "{ max = 9;\naverage = \"day\"; }"));
	noted(state, "6: pH is judged value by value, and a mean of it hides");
	load(state, OUTFALL("w01018", "{ standard = \"GB18918-2002\"; class = \"1A\";\ncompare = "
				      "\"rounded\"; }"));
	noted(state, "5: GB18918-2002 was amended\n"
		     "6: GB18918-2002 has the full value compared");
	load(state, AT("river_section", "w01018", "",
		       "{ standard = \"GB3838-2002\"; class = \"III\"; compare = \"rounded\"; }"));
	noted(state, "");
}

/* --- names and merging --- */

static void test_an_unknown_standard_or_class_names_what_exists(void **state)
{
	refuse(state, OUTFALL("w01018", "{ standard = \"GB1-2002\"; class = \"1A\"; }"),
	       "5: standard \"GB1-2002\" is not in the data; there are \"permit\", "
	       "\"DB5301/T43-2020\", \"GB18918-2002\", \"GB3095-2012\"");
	refuse(state, OUTFALL("w01018", "{ standard = \"GB18918-2002\"; class = \"4\"; }"),
	       "5: GB18918-2002 has no class \"4\"; there are \"1A\", \"1B\", \"2\", \"3\"");
	refuse(state,
	       OUTFALL("w01018",
		       "{ standard = \"GB18918-2002\"; class = \"1A\"; average = \"hour\"; }"),
	       "5: GB18918-2002 class \"1A\" has no such limit for w01018");
	refuse(state,
	       OUTFALL("w01018",
		       "{ standard = \"GB18918-2002\"; class = \"1A\"; on_delay_s = 5; }"),
	       "5: on_delay_s does not apply to a mean");
	refuse(state, OUTFALL("w21001", "{ standard = \"GB18918-2002\"; class = \"3\"; }"),
	       "5: GB18918-2002 class \"3\" has no limit for w21001; classes that have one: "
	       "\"1A\", "
	       "\"1B\"");
}

static void test_what_an_entry_says_goes_over_what_the_standard_says(void **state)
{
	const struct config_monitor *m =
		load(state, OUTFALL("w01018", "{ standard = \"gb 3838-2002\"; class = \"III\"; "
					      "on_delay_s = 5; on_count = 2; deadband = 1; }"));
	const struct config_limit *instant = &m->limits[0], *mean = &m->limits[1];
	assert_int_equal(m->n_limits, 2);
	assert_int_equal(((struct fixture *)*state)->config->n_limits, 1);
	assert_int_equal(instant->average, CONFIG_INSTANT);
	assert_int_equal(instant->opens, 0);
	assert_true(instant->max == 20 && instant->on_delay_s == 5 && instant->deadband == 1);
	assert_int_equal(instant->on_count, 2);
	assert_int_equal(mean->average, CONFIG_DAY);
	assert_int_equal(mean->opens, 1);
	assert_true(mean->max == 20 && mean->on_delay_s == 0 && mean->deadband == 0);
	assert_int_equal(mean->on_count, 0);
	m = load(state, OUTFALL("w01018", "{ standard = \"GB18918-2002\"; class = \"1A\"; opens = "
					  "\"alert\"; warn_at = 0.9; }"));
	assert_true(m->limits[0].warn_at == 0.9 && m->limits[0].opens == 0);
}

/* --- data that are not whole --- */

#define TABLE(rows)                                                                                \
	"standard: { id = \"S-1\"; zh = \"s\"; en = \"s\"; classes = (\"A\", \"B\"); tables: (\n"  \
	"{ clause = \"t\"; average = \"day\"; opens = \"case\"; from = \"2001-01-01\";\n"          \
	"source = \"s\"; confidence = \"high\"; limits: (\n" rows "\n); } ); };\n"

static void data_refused(void **state, const char *text, const char *faults)
{
	struct fixture *fixture = *state;
	fixture_write(fixture, "data/standards/s.cfg", text);
	fixture_load(fixture, "node: { id = \"n\"; data_directory = \"data\"; };\n");
	expect(fixture, faults);
	assert_non_null(strstr(fixture->faults.at[0].file, "/data/standards/s.cfg"));
}

static void test_a_row_that_is_not_whole_is_refused_in_its_file(void **state)
{
	struct fixture *fixture = *state;
	char command[256];
	snprintf(command, sizeof(command),
		 "mkdir -p %s/data/standards && ln -s %s/catalogue %s/data/", fixture->folder,
		 TEST_DATA, fixture->folder);
	assert_int_equal(system(command), 0);
	data_refused(state, TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; }"),
		     "4: a standard's limit needs max or min");
	data_refused(state, TABLE("{ factor = \"w99999\"; unit = \"mg/L\"; max = 1; }"),
		     "4: factor \"w99999\" is not in the catalogue");
	data_refused(state, TABLE("{ factor = \"w01018\"; unit = \"m3/h\"; max = 1; }"),
		     "4: unit \"m3/h\" cannot be converted to \"mg/L\"");
	data_refused(state, TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = (1, 2, 3); }"),
		     "4: max has 3 figures for 2 classes; give one for each, or one for all");
	data_refused(state, TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = (1, \"x\"); }"),
		     "4: max must be a number, or a list of one for each class");
	data_refused(state,
		     TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = 1; classes = (\"C\"); }"),
		     "4: class \"C\" is not one of the standard's");
	data_refused(
		state,
		TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = 1; to = \"2000-12-31\"; }"),
		"4: to = \"2000-12-31\" is before from = \"2001-01-01\"");
	data_refused(state,
		     TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = 1; average = (\"day\", "
			   "\"hour\"); opens = \"case\"; }"),
		     "4: opens has to say one word for each average");
	data_refused(
		state,
		TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = 1; usual_at = (\"air\"); }"),
		"4: usual_at stands only beside a condition");
	data_refused(state,
		     TABLE("{ factor = \"w01018\"; unit = \"mg/L\"; max = (9, 5); min = 6; }"),
		     "4: max must be above min");
	data_refused(
		state,
		"standard: { id = \"S-1\"; zh = \"s\"; en = \"s\"; classes = (\"A\"); tables: (\n"
		"{ clause = \"t\"; limits: ( ); } ); };\n",
		"2: key \"average\" is missing in a standard's table\n"
		"2: key \"opens\" is missing\n2: key \"from\" is missing\n"
		"2: key \"source\" is missing\n2: key \"confidence\" is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_figures_are_those_of_the_printed_tables),
		TEST(test_air_was_limited_by_the_hour_and_the_day),
		TEST(test_a_limit_follows_its_standard_over_the_years),
		TEST(test_a_gap_in_time_is_a_fault_of_the_configuration),
		TEST(test_what_covers_the_gap_is_no_fault),
		TEST(test_a_condition_has_to_be_chosen),
		TEST(test_a_river_is_a_river_by_itself),
		TEST(test_what_is_no_limit_of_a_value_is_not_loaded),
		TEST(test_ozone_is_limited_by_its_largest_mean_of_eight_hours),
		TEST(test_a_largest_mean_of_eight_hours_has_an_upper_bound_alone),
		TEST(test_a_recommended_standard_binds_where_a_permit_cites_it),
		TEST(test_an_amended_standard_says_so_once),
		TEST(test_a_permit_goes_first_while_it_is_valid),
		TEST(test_a_permit_leaves_other_means_and_other_bounds),
		TEST(test_one_permit_follows_another),
		TEST(test_an_end_is_said_half_a_year_before),
		TEST(test_a_permit_that_cannot_hold_is_refused),
		TEST(test_notes_are_no_faults),
		TEST(test_an_unknown_standard_or_class_names_what_exists),
		TEST(test_what_an_entry_says_goes_over_what_the_standard_says),
		TEST(test_a_row_that_is_not_whole_is_refused_in_its_file),
	};
	return cmocka_run_group_tests_name("config/standards", tests, NULL, NULL);
}
