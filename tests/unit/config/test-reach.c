/* SPDX-License-Identifier: Apache-2.0 */
/* What a limit can never see: beyond the range, out of a deadband, without a gate or before marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <stdio.h>
#include <string.h>

#define ONE(factor, rest)                                                                          \
	NODE MQTT "sites: ( { id = \"s\"; kind = \"river_section\"; monitors: ( { factor = "       \
		  "\"" factor "\"; connection = \"bus\"; topic = \"t\";\n" rest " } ); } );\n"
#define OUTFALL(kind, site, flow, more)                                                            \
	NODE MQTT "sites: ( { id = \"s\"; kind = \"" kind "\"; " site " monitors: (\n"             \
		  "{ factor = \"w01018\"; connection = \"bus\"; topic = \"a\"; limits: ( "         \
		  "{ max = 50; average = \"day\"; " more " } ); },\n"                              \
		  "{ factor = \"w00000\"; connection = \"bus\"; topic = \"b\"; " flow              \
		  " } ); } );\n"

static const struct config *loaded(void **state, const char *text)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, text);
	expect_ok(fixture);
	return fixture->config;
}

/* NULL: of no line. */
static void expect_note(void **state, const char *text, int line, const char *message)
{
	const struct config_faults *notes = &loaded(state, text)->notes;
	config_faults_print(notes, stderr);
	assert_int_equal(notes->n, message ? 1 : 0);
	if (!message)
		return;
	assert_int_equal(notes->at[0].line, line);
	assert_non_null(strstr(notes->at[0].message, message));
}

static void test_a_limit_that_the_range_never_reaches_is_noted(void **state)
{
	expect_note(state, ONE("w01018", "range = (0, 40);\nlimits: ( {\nmax = 50; } );"), 6,
		    "range ends at 40, so that no value that counts is above max = 50");
	expect_note(state, ONE("w01018", "range = (0, 50);\nlimits: ( {\nmax = 50; } );"), 6,
		    "range ends at 50");
	expect_note(state, ONE("w01018", "range = (0, 50.5);\nlimits: ( {\nmax = 50; } );"), 0,
		    NULL);
	expect_note(state, ONE("w01009", "range = (2, 20);\nlimits: ( {\nmin = 2; } );"), 6,
		    "range begins at 2, so that no value that counts is below min = 2");
	expect_note(state, ONE("w01009", "range = (1.9, 20);\nlimits: ( {\nmin = 2; } );"), 0,
		    NULL);
}

static void test_a_deadband_that_nothing_clears_is_noted(void **state)
{
	expect_note(state, ONE("w01018", "limits: ( { max = 9;\ndeadband = 10; } );"), 5,
		    "deadband = 10 leaves no value at or below max = 9 less deadband");
	expect_note(state, ONE("w01018", "limits: ( { max = 9;\ndeadband = 9; } );"), 0, NULL);
	expect_note(state,
		    ONE("w01018", "unit = \"ug/L\"; limits: ( { max = 9;\ndeadband = 9.1; } );"), 5,
		    "deadband = 9.1 leaves no value");
	expect_note(state, ONE("w01009", "limits: ( { max = 9;\ndeadband = 9.1; } );"), 5,
		    "deadband = 9.1 leaves no value");
	expect_note(state, ONE("w01010", "limits: ( { max = 9;\ndeadband = 10; } );"), 0, NULL);
	expect_note(state,
		    ONE("w01010", "range = (0, 40);limits: ( { max = 9;\ndeadband = 10; } );"), 5,
		    "deadband = 10 leaves no value");
	expect_note(state, ONE("w01001", "limits: ( { min = 6;\ndeadband = 8.5; } );"), 5,
		    "deadband = 8.5 leaves no value at or above min = 6 plus deadband");
	expect_note(state, ONE("w01001", "limits: ( { min = 6;\ndeadband = 8; } );"), 0, NULL);
}

static void test_a_measured_flow_without_a_gate_is_noted_at_an_outfall(void **state)
{
	expect_note(state, OUTFALL("outfall", "", "", ""), 5,
		    "measures its flow and has no flow_gate");
	expect_note(state, OUTFALL("river_section", "", "", ""), 0, NULL);
	expect_note(state, OUTFALL("outfall", "flow_gate = { below = 0.5; };", "", ""), 0, NULL);
	expect_note(state, OUTFALL("outfall", "practice = \"office\";", "", ""), 0, NULL);
	expect_note(state, OUTFALL("outfall", "", "unit = \"m3\"; rollover = 1000;", ""), 0, NULL);
	assert_false(loaded(state, OUTFALL("outfall", "", "", ""))->sites[0].has_gate);
}

static void test_the_office_takes_no_flow_for_no_discharge(void **state)
{
	const struct config_site *s =
		loaded(state, OUTFALL("outfall", "practice = \"office\";", "unit = \"m3/h\";", ""))
			->sites;
	assert_true(s->has_gate && s->gate_below == 0.0036 && s->gate_for_s == 600);
	assert_int_equal(s->from[CONFIG_RULE_GATE].whence, CONFIG_PRACTICE);
	assert_true(s->from[CONFIG_RULE_GATE].line > 0);
	s = loaded(state,
		   OUTFALL("outfall", "practice = \"office\"; flow_gate = { below = 0; };", "", ""))
		    ->sites;
	assert_true(s->has_gate && s->gate_below == 0 && s->gate_for_s == 0);
	assert_int_equal(s->from[CONFIG_RULE_GATE].whence, CONFIG_SAID);
	s = loaded(state, OUTFALL("outfall", "practice = \"office\";",
				  "unit = \"m3\"; rollover = 1000;", ""))
		    ->sites;
	assert_false(s->has_gate);
	s = loaded(state, OUTFALL("river_section", "practice = \"office\";", "", ""))->sites;
	assert_false(s->has_gate);
}

static int marks_until(void **state, const char *text, unsigned whence)
{
	const struct config_limit *l = &loaded(state, text)->sites[0].monitors[0].limits[0];
	assert_int_equal(l->from[CONFIG_RULE_MARK_UNTIL].whence, whence);
	return l->mark_until_min;
}

static void test_the_office_waits_for_marks_of_the_day(void **state)
{
#define OFFICE "practice = \"office\";"
	assert_int_equal(marks_until(state, OUTFALL("outfall", OFFICE, "", ""), CONFIG_PRACTICE),
			 720);
	assert_int_equal(
		marks_until(state, OUTFALL("river_section", OFFICE, "", ""), CONFIG_PRACTICE), 720);
	assert_int_equal(
		marks_until(state, OUTFALL("water_source", OFFICE, "", ""), CONFIG_BUILT_IN), 0);
	assert_int_equal(marks_until(state,
				     OUTFALL("outfall", "flow_gate = { below = 0.5; };", "", ""),
				     CONFIG_BUILT_IN),
			 0);
	assert_int_equal(marks_until(state,
				     OUTFALL("outfall", OFFICE, "", "mark_until = \"09:30\";"),
				     CONFIG_SAID),
			 570);
	assert_int_equal(marks_until(state,
				     OUTFALL("outfall", OFFICE "mark_until = \"00:00\";", "", ""),
				     CONFIG_SAID),
			 0);
	const struct config *c = loaded(state, ONE("w01018", "limits: ( { max = 50; } );"));
	assert_int_equal(c->sites[0].monitors[0].limits[0].mark_until_min, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_limit_that_the_range_never_reaches_is_noted),
		TEST(test_a_deadband_that_nothing_clears_is_noted),
		TEST(test_a_measured_flow_without_a_gate_is_noted_at_an_outfall),
		TEST(test_the_office_takes_no_flow_for_no_discharge),
		TEST(test_the_office_waits_for_marks_of_the_day),
	};
	return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
