/* SPDX-License-Identifier: Apache-2.0 */
/* What loads are computed with: units, permits, counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fixture.h"

#include <math.h>
#include <string.h>

#define COD(keys) "{ factor = \"w01018\"; connection = \"bus\"; topic = \"c\";\n" keys " }"
#define SITE(keys, monitors)                                                                       \
	NODE MQTT "sites: ( { id = \"s\"; kind = \"outfall\"; " keys "monitors: (\n" monitors      \
		  " ); } );"
#define FLOW(keys) "{ factor = \"w00000\"; connection = \"bus\"; topic = \"f\";\n" keys " }"

static void near(double value, double right)
{
	if (!(fabs(value - right) <= 1e-12 * fabs(right)))
		fail_msg("%.17g is not %.17g", value, right);
}

static void test_units_become_loads(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     SITE("",
			  FLOW("unit = \"m³/h\"; stale_after_s = 0;") "," COD(
				  "permit_tonnes_year = 900;") ",\n"
							       "{ factor = \"w20111\"; connection "
							       "= \"bus\"; topic = \"m\"; unit "
							       "= \"µg/L\"; permit_tonnes_year = "
							       "0.001; permit_warn_at = (); }"));
	expect_ok(fixture);
	const struct config_monitor *m = fixture->config->sites[0].monitors;
	assert_true(m[0].load_times ==
		    1.0 / 3600); /* m³/s in m³/h, in full: a year's sum is long */
	near(m[0].hold_s, 7200);
	near(m[1].load_times, 0.001); /* kg in mg/L and m³ */
	near(m[1].permit_load, 900000);
	assert_int_equal(m[1].n_permit_shares, 2);
	near(m[1].permit_shares[0], 0.8);
	near(m[1].permit_shares[1], 1);
	near(m[2].load_times, 0.001); /* g in µg/L and m³ */
	near(m[2].permit_load, 1000);
	assert_int_equal(m[2].n_permit_shares, 1);
}

static void test_a_counter_is_a_volume(void **state)
{
	static const struct example examples[] = {
		{SITE("", FLOW("unit = \"m³\";")),
		 "5: a flow in m³ is a counter's, and needs rollover"},
		{SITE("", FLOW("rollover = 1000000;")),
		 "5: rollover marks a counter of volume; its unit must be one, such as m³"},
		{SITE("flow_gate = { below = 1; };\n", FLOW("unit = \"m³\"; rollover = 10;")),
		 "3: flow_gate and weight = \"flow\" need a flow in a unit such as L/s"},
		{SITE("flow_wait_s = 61;\n", FLOW("")),
		 "3: flow_wait_s = 61 is out of range, 0 to 60"},
	};
	struct fixture *fixture = *state;
	CHECK(state, examples);
	fixture_load(fixture, SITE("", FLOW("unit = \"L\"; rollover = 1000000;")));
	expect_ok(fixture);
	near(fixture->config->sites[0].monitors[0].load_times, 0.001);
}

static void test_shares_of_a_permit_are_checked(void **state)
{
	static const struct example examples[] = {
		{SITE("",
		      FLOW("") "," COD("permit_tonnes_year = 1;\npermit_warn_at = (0.8, 0.5);")),
		 "7: permit_warn_at must be a list of at most 7 ascending shares between 0 and 1"},
		{SITE("", FLOW("") "," COD("permit_tonnes_year = 1;\npermit_warn_at = (1.0);")),
		 "7: permit_warn_at must be a list"},
		{SITE("", FLOW("") "," COD("permit_tonnes_year = 1;\npermit_warn_at = 0.8;")),
		 "7: permit_warn_at must be a list"},
		{SITE("", FLOW("") "," COD("permit_warn_at = (0.8);")),
		 "6: permit_warn_at stands only beside permit_tonnes_year"},
	};
	CHECK(state, examples);
}

static void test_a_permit_without_flow_is_noted(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, SITE("", COD("permit_tonnes_year = 1;")));
	assert_int_equal(fixture->result, 0);
	assert_int_equal(fixture->config->notes.n, 1);
	assert_non_null(strstr(fixture->config->notes.at[0].message,
			       "no load of w01018 can be computed here: no monitor measures"));
	near(fixture->config->sites[0].monitors[0].permit_load, 0);
}

/* Phosphorus has bounds of its own in rivers and lakes; the unit is the monitor's. */
static void test_sections_have_the_bounds_of_their_classes(void **state)
{
	struct fixture *fixture = *state;
#define SECTION(keys)                                                                              \
	NODE MQTT "sites: ( { id = \"s\"; " keys " monitors: (\n"                                  \
		  "{ factor = \"w21011\"; connection = \"bus\"; topic = \"p\"; },\n"               \
		  "{ factor = \"w21003\"; connection = \"bus\"; topic = \"n\"; unit = \"µg/L\"; " \
		  "},\n"                                                                           \
		  "{ factor = \"w01009\"; connection = \"bus\"; topic = \"o\"; },\n"               \
		  "{ factor = \"w21001\"; connection = \"bus\"; topic = \"t\"; } ); } );"
	fixture_load(fixture, SECTION("kind = \"river_section\"; target_class = \"III\";"));
	expect_ok(fixture);
	const struct config_site *site = &fixture->config->sites[0];
	assert_int_equal(site->target_class, 3);
	near(site->monitors[0].class_max[2], 0.2);
	near(site->monitors[1].class_max[0], 150);
	near(site->monitors[1].class_max[4], 2000);
	assert_true(site->monitors[2].class_has_min && !site->monitors[2].class_has_max);
	near(site->monitors[2].class_min[0], 7.5);
	assert_false(site->monitors[3].classed); /* total nitrogen */
	fixture_load(fixture, SECTION("kind = \"water_source\"; target_class = \"II\";"));
	near(fixture->config->sites[0].monitors[0].class_max[1], 0.025);
	fixture_load(fixture, SECTION("kind = \"water_source\"; target_class = \"II\";\n"
				      "water_body = \"river\";"));
	near(fixture->config->sites[0].monitors[0].class_max[1], 0.1);
	fixture_load(fixture, SECTION("kind = \"outfall\";\ntarget_class = \"II\";"));
	expect(fixture, "4: target_class stands only at a river_section or a water_source");
	fixture_load(fixture, SECTION("kind = \"river_section\";\ntarget_class = \"VI\";"));
	expect(fixture, "4: target_class \"VI\" is not known; known are");
}

static void test_steps_of_severity_are_read(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE "severity: { serious_multiple = 0.3; serious_days = 2; };");
	expect_ok(fixture);
	near(fixture->config->cases.severity.serious_multiple, 0.3);
	near(fixture->config->cases.severity.grave_multiple, 2);
	assert_int_equal(fixture->config->cases.severity.serious_days, 2);
	fixture_load(fixture, NODE "severity: { serious_multiple = 3;\ngrave_multiple = 2; };");
	expect(fixture, "3: grave_multiple is below serious_multiple");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_units_become_loads),
		TEST(test_a_counter_is_a_volume),
		TEST(test_shares_of_a_permit_are_checked),
		TEST(test_a_permit_without_flow_is_noted),
		TEST(test_sections_have_the_bounds_of_their_classes),
		TEST(test_steps_of_severity_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
