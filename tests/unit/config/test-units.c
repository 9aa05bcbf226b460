/* SPDX-License-Identifier: Apache-2.0 */
/* Units: spellings, exact powers of ten, what is computed, what is refused, and what monitors and
 * limits make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/units.h"
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static double level(const char *from, const char *to, double value, bool exact)
{
	struct conversion c;
	if (!unit_conversion(from, to, NULL, &c))
		fail_msg("\"%s\" does not become \"%s\"", from, to);
	if (c.exact != exact)
		fail_msg("\"%s\" to \"%s\" is %sexact", from, to, c.exact ? "" : "not ");
	return conversion_level(&c, value);
}

static void test_powers_of_ten_are_exact(void **state)
{
	(void)state;
	assert_true(level("mg/L", "ug/L", 50, true) == 50000);
	assert_true(level("ug/L", "mg/L", 50000, true) == 50);
	assert_true(level("mg/L", "ug/L", 0.05, true) == 50); /* × 1000 is 50.000000000000007 */
	assert_true(level("mg/L", "ug/L", 0.00005, true) == 0.05);
	assert_true(level("mg/L", "ng/L", 0.00003, true) == 30);
	assert_true(level("ug/L", "g/L", 1.1, true) == 1.1e-6);
	assert_true(level("m3/s", "L/s", 0.57, true) == 570);
	assert_true(level("mS/cm", "uS/cm", 1.413, true) == 1413);
	assert_true(level("hPa", "kPa", 1013.25, true) == 101.325);
	assert_true(level("mg/m3", "ug/m3", 0.035, true) == 35);
}

static void test_every_shift_of_short_decimals_gives_what_is_read(void **state)
{
	(void)state;
	for (int i = 1; i < 10000; i++) {
		char text[32];
		snprintf(text, sizeof(text), "%d.%03de-3", i / 1000, i % 1000);
		double small = strtod(text, NULL);
		snprintf(text, sizeof(text), "%d.%03d", i / 1000, i % 1000);
		assert_true(level("g/L", "mg/L", small, true) == strtod(text, NULL));
	}
}

static void test_what_is_computed_is_kept_to_12_digits(void **state)
{
	(void)state;
	assert_true(level("m3/h", "L/s", 360, false) == 100);
	assert_true(level("L/s", "m3/h", 100, false) == 360);
	assert_true(level("m3/d", "L/s", 86.4, false) == 1);
	assert_true(level("m3/h", "m3/s", 1, false) == 0.000277777777778);
	assert_true(level("K", "°C", 285.15, false) == 12);
	assert_true(level("°C", "K", 12, false) == 285.15);
	assert_true(level("°F", "°C", 53.6, false) == 12);
	assert_true(level("°C", "°F", 100, false) == 212);
	assert_true(level("km/h", "m/s", 36, false) == 10);
}

static void test_a_difference_of_temperatures_has_no_offset(void **state)
{
	(void)state;
	struct conversion c;
	assert_true(unit_conversion("K", "°C", NULL, &c));
	assert_true(conversion_size(&c, 1.5) == 1.5);
	assert_true(unit_conversion("°F", "°C", NULL, &c));
	assert_true(conversion_size(&c, 1.8) == 1);
}

static void test_spellings_name_the_same_unit(void **state)
{
	static const char *const pairs[][2] = {{"\xc2\xb5g/L", "ug/L"},
					       {"\xce\xbcg/l", "ug/L"},
					       {"㎍/L", "ug/L"},
					       {"MG/L", "mg/L"},
					       {"㎎/L", "mg/L"},
					       {"毫克/升", "mg/L"},
					       {"mg / L", "mg/L"},
					       {"m³/h", "M3/H"},
					       {"m^3/h", "m3/h"},
					       {"µS/cm", "us/cm"},
					       {"℃", "°C"},
					       {"degC", "°C"},
					       {"㎎/m³", "mg/m3"},
					       {"-", ""},
					       {"dB(A)", "dB"},
					       {"立方米/小时", "m3/h"}};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		assert_true(level(pairs[i][0], pairs[i][1], 7.5, true) == 7.5);
}

static void test_a_share_becomes_a_mass_at_a_reference_state_only(void **state)
{
	(void)state;
	struct conversion c;
	const struct gas ozone = {47.998, 298.15}, unknown = {0, 298.15}, nowhere = {48, 0};
	assert_false(unit_conversion("ppb", "ug/m3", NULL, &c));
	assert_false(unit_conversion("ppb", "ug/m3", &unknown, &c));
	assert_false(unit_conversion("ppb", "ug/m3", &nowhere, &c));
	assert_true(unit_conversion("ppb", "ug/m3", &ozone, &c));
	assert_false(c.exact);
	/* 24.465 L/mol at 25 °C: 100 ppb of ozone are 196.2 µg/m³ */
	assert_true(fabs(conversion_level(&c, 100) - 196.19) < 0.01);
	assert_true(unit_conversion("ug/m3", "ppb", &ozone, &c));
	assert_true(fabs(conversion_level(&c, 160) - 81.55) < 0.01);
}

static void test_different_things_do_not_convert(void **state)
{
	static const char *const pairs[][2] = {{"mg/L", "L/s"}, {"ppm", "mg/L"}, {"度", "倍"},
					       {"", "mg/L"},    {"uS/cm", "S"},  {"x", "mg/L"},
					       {"mg/L", "mg"},  {"°C", "°"},     {"kPa", "%"}};
	(void)state;
	struct conversion c;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (unit_conversion(pairs[i][0], pairs[i][1], NULL, &c))
			fail_msg("\"%s\" became \"%s\"", pairs[i][0], pairs[i][1]);
	assert_true(unit_conversion("furlong", "furlong", NULL, &c) && c.exact);
}

/* --- monitors and limits --- */

#define MONITOR(factor, keys)                                                                      \
	NODE MQTT "sites: ( { id = \"s\"; kind = \"outfall\"; monitors: (\n"                       \
		  "{ factor = \"" factor "\"; connection = \"bus\"; topic = \"t\";\n" keys         \
		  " } ); } );\n"

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

static void test_a_monitor_may_measure_in_any_unit_of_the_kind(void **state)
{
	const struct config_monitor *m = load(state, MONITOR("w01018", "unit = \"ug/L\";"));
	assert_string_equal(m->unit, "ug/L");
	assert_int_equal(m->decimals, 0);
	m = load(state, MONITOR("w20111", "unit = \"mg/L\";"));
	assert_int_equal(m->decimals, 5);
	m = load(state, MONITOR("w00000", "unit = \"m³/h\";"));
	assert_int_equal(m->decimals, 2);
	m = load(state, MONITOR("w01002", "unit = \"倍\";"));
	assert_string_equal(m->unit, "倍");
	m = load(state, MONITOR("a05024", "unit = \"ppb\";"));
	assert_string_equal(m->unit, "ppb");
}

static void test_an_impossible_unit_is_refused_where_it_stands(void **state)
{
	refuse(state, MONITOR("w01018", "\nunit = \"m3/h\";"),
	       "6: unit \"m3/h\" cannot be converted to \"mg/L\", in which the catalogue has "
	       "w01018; "
	       "units of that kind are \"mg/L\", \"ug/L\"");
	refuse(state, MONITOR("w01018", "unit = \"mgL\";"),
	       "5: unit \"mgL\" cannot be converted to \"mg/L\"");
	refuse(state, MONITOR("w20115", "unit = \"ppm\";"),
	       "5: unit \"ppm\" cannot be converted to \"µg/L\"");
	refuse(state, MONITOR("a34004", "unit = \"ppb\";"),
	       "5: unit \"ppb\" cannot be converted to \"µg/m³\"");
	refuse(state, MONITOR("w01018", "limits: ( { max = 50;\n unit = \"kg\"; } );"),
	       "6: unit \"kg\" cannot be converted to \"mg/L\", the unit of the monitor");
	refuse(state,
	       MONITOR("a05024", "unit = \"ppb\"; limits: ( { max = 1; unit = \"ug/m3\"; } );"),
	       "5: unit \"ug/m3\" cannot be converted to \"ppb\", the unit of the monitor");
	refuse(state,
	       MONITOR("w01018", "limits: ( { standard = \"GB18918-2002\"; class = \"1A\";\n"
				 "unit = \"g/L\"; } );"),
	       "6: unit cannot stand beside standard");
}

static void test_a_limit_in_its_own_unit_is_brought_to_the_monitors(void **state)
{
	const struct config_limit *l =
		load(state, MONITOR("w01018", "unit = \"ug/L\"; limits: ( { max = 50.0; min = 0.1; "
					      "deadband = 0.3; unit = \"mg/L\"; } );"))
			->limits;
	assert_true(l->max == 50000 && l->min == 100 && l->deadband == 300 && !l->derived);
	l = load(state, MONITOR("w00000", "unit = \"m3/h\"; limits: ( { max = 10; unit = \"L/s\"; "
					  "deadband = 1; } );"))
		    ->limits;
	assert_true(l->max == 36 && l->deadband == 3.6 && l->derived);
	l = load(state, MONITOR("w01010", "unit = \"K\"; limits: ( { max = 30; unit = \"°C\"; "
					  "deadband = 1; } );"))
		    ->limits;
	assert_true(l->max == 303.15 && l->deadband == 1);
}

static void test_a_standards_limit_is_brought_to_the_monitors_unit(void **state)
{
	const struct config_limit *l =
		load(state, MONITOR("w01018", "unit = \"ug/L\"; limits: ( { standard = "
					      "\"GB18918-2002\"; class = \"1A\"; } );"))
			->limits;
	assert_true(l->max == 50000 && !l->derived);
	l = load(state, MONITOR("w20117", "limits: ( { standard = \"GB18918-2002\"; class = \"3\"; "
					  "} );"))
		    ->limits;
	assert_true(l->max == 50);
	l = load(state, MONITOR("w01002", "unit = \"倍\"; limits: ( { standard = \"GB18918-2002\"; "
					  "class = \"2\"; } );"))
		    ->limits;
	assert_true(l->max == 40);
	refuse(state,
	       MONITOR("w01002", "limits: ( { standard = \"GB18918-2002\"; class = \"2\"; } );"),
	       "5: GB18918-2002 limits w01002 in \"倍\", and the monitor's unit is \"度\"");
}

static void test_decimals_for_rounding_follow_the_unit(void **state)
{
	const struct config_limit *l =
		load(state, MONITOR("w01018", "unit = \"ug/L\"; limits: ( { max = 50000; compare = "
					      "\"rounded\"; } );"))
			->limits;
	assert_int_equal(l->decimals, -2); /* the catalogue's 0.1 mg/L */
	l = load(state, MONITOR("w01018", "unit = \"ug/L\"; limits: ( { max = 50; unit = \"mg/L\"; "
					  "compare = \"rounded\"; decimals = 0; } );"))
		    ->limits;
	assert_int_equal(l->decimals, -3);
	l = load(state, MONITOR("w01018", "unit = \"g/L\"; limits: ( { max = 0.05; compare = "
					  "\"rounded\"; decimals = 2; } );"))
		    ->limits;
	assert_int_equal(l->decimals, 2);
	refuse(state,
	       MONITOR("w00000",
		       "unit = \"m3/h\"; limits: ( { max = 5;\ncompare = \"rounded\"; } );"),
	       "6: rounding to decimals of \"L/s\" means nothing in \"m3/h\"");
}

static void test_an_old_code_finds_the_factor(void **state)
{
	const struct config_monitor *m = load(state, MONITOR("011", ""));
	assert_string_equal(m->factor.code, "w01018");
	assert_string_equal(m->factor.load_unit, "kg");
	m = load(state, MONITOR("B02", ""));
	assert_string_equal(m->factor.code, "a00000");
	refuse(state,
	       MONITOR("011", " }, { factor = \"w01018\"; connection = \"bus\"; topic = \"u\";"),
	       "5: factor \"w01018\" has a monitor at site \"s\" already");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_powers_of_ten_are_exact),
		TEST(test_every_shift_of_short_decimals_gives_what_is_read),
		TEST(test_what_is_computed_is_kept_to_12_digits),
		TEST(test_a_difference_of_temperatures_has_no_offset),
		TEST(test_spellings_name_the_same_unit),
		TEST(test_a_share_becomes_a_mass_at_a_reference_state_only),
		TEST(test_different_things_do_not_convert),
		TEST(test_a_monitor_may_measure_in_any_unit_of_the_kind),
		TEST(test_an_impossible_unit_is_refused_where_it_stands),
		TEST(test_a_limit_in_its_own_unit_is_brought_to_the_monitors),
		TEST(test_a_standards_limit_is_brought_to_the_monitors_unit),
		TEST(test_decimals_for_rounding_follow_the_unit),
		TEST(test_an_old_code_finds_the_factor),
	};
	return cmocka_run_group_tests_name("config/units", tests, NULL, NULL);
}
