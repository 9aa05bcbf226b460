/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration's text to the rules that core judges by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "assemble-cases.h"
#include "days-off.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config *config;
static struct case_rules rules;

static void load(const char *text)
{
	char name[] = "/tmp/ducha-rules-XXXXXX";
	struct config_faults faults;
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	dprintf(fd, "node: { id = \"n\"; data_directory = \"%s\"; };\n%s", TEST_DATA, text);
	close(fd);
	int r = config_load(name, NULL, &config, &faults);
	config_faults_print(&faults, stderr);
	config_faults_deinit(&faults);
	unlink(name);
	assert_int_equal(r, 0);
	assert_int_equal(case_rules_fill(&rules, config), 0);
}

static void drop(void)
{
	case_rules_deinit(&rules);
	config = config_free(config);
}

static void test_without_a_word_the_rules_are_the_defaults(void **state)
{
	struct case_rules defaults;
	(void)state;
	case_rules_default(&defaults);
	load("");
	assert_memory_equal(rules.terms, defaults.terms, sizeof rules.terms);
	assert_memory_equal(rules.may, defaults.may, sizeof rules.may);
	assert_memory_equal(&rules.closing, &defaults.closing, sizeof rules.closing);
	assert_int_equal(rules.fault_shelve_workdays, defaults.fault_shelve_workdays);
	assert_int_equal(rules.n_officers, 0);
	assert_int_equal(rules.workdays.n_off, 33);
	drop();
}

static struct term at(enum severity severity, enum stage stage)
{
	return rules.terms[SITE_OUTFALL][severity].stage[stage];
}

static void
test_a_kinds_term_holds_for_all_severities_but_where_a_graver_one_has_its_own(void **state)
{
	(void)state;
	load("deadlines: { outfall: { verify = \"2h\"; assign = \"3wd\"; planned = \"9d\";\n"
	     " remind = (\"half\"); grave: { plan = \"1wd\"; }; serious: { assign = \"6h\"; }; }; "
	     "};");
	assert_int_equal(at(SEVERITY_GENERAL, STAGE_VERIFY).n, 120);
	assert_int_equal(at(SEVERITY_GRAVE, STAGE_VERIFY).n, 120);
	assert_int_equal(at(SEVERITY_GENERAL, STAGE_ASSIGN).n, 3);
	assert_int_equal(at(SEVERITY_SERIOUS, STAGE_ASSIGN).n, 360);
	assert_int_equal(at(SEVERITY_GRAVE, STAGE_ASSIGN).n, 240); /* the default's four hours */
	assert_int_equal(at(SEVERITY_SERIOUS, STAGE_PLAN).n, 3);
	assert_int_equal(at(SEVERITY_GRAVE, STAGE_PLAN).n, 1);
	assert_int_equal(rules.terms[SITE_OUTFALL][SEVERITY_GRAVE].planned.n, 9);
	assert_int_equal(rules.terms[SITE_OUTFALL][SEVERITY_SERIOUS].remind[0].unit, TERM_HALF);
	assert_int_equal(rules.terms[SITE_OUTFALL][SEVERITY_SERIOUS].remind[1].unit, TERM_NONE);
	assert_int_equal(rules.terms[SITE_RIVER_SECTION][SEVERITY_GENERAL].planned.n, 90);
	drop();
}

static void test_deeds_have_the_same_names_on_both_sides(void **state)
{
	(void)state;
	for (int i = 0; i < DEEDS; i++)
		assert_string_equal(config_deeds[i], deed_name(i));
	load("roles: { close = (\"leader\"); shelve = (\"inspector\"); };\n"
	     "officers: ( { id = \"a\"; name = \"A\"; user = \"anna\"; roles = (\"inspector\"); } "
	     ");");
	assert_int_equal(rules.may[ACTION_CLOSE], ROLE_LEADER);
	assert_int_equal(rules.may[DEED_SHELVE], ROLE_INSPECTOR);
	assert_int_equal(rules.officers[0].roles, ROLE_INSPECTOR);
	assert_string_equal(rules.officers[0].user, "anna");
	assert_false(rules.strangers);
	drop();
}

static void test_without_a_list_those_with_a_token_have_their_roles(void **state)
{
	char name[] = "/tmp/ducha-tokens-XXXXXX", text[256];
	int fd = mkstemp(name);
	(void)state;
	assert_true(fd >= 0);
	dprintf(fd, "Li:handler,leader:%064d\n", 1);
	close(fd);
	snprintf(text, sizeof text, "http: { listen = \"127.0.0.1:1\"; officers_file = \"%s\"; };",
		 name);
	load(text);
	unlink(name);
	assert_int_equal(rules.n_officers, 1);
	assert_string_equal(rules.officers[0].name, "Li");
	assert_int_equal(rules.officers[0].roles, ROLE_HANDLER | ROLE_LEADER);
	assert_true(rules.strangers);
	drop();
}

static void test_closing_is_as_said(void **state)
{
	(void)state;
	load("closing: { clear = false; other_person = false; checkers = 7; record = false;\n"
	     " attachments = 8; approval = false; five_ones = false; steps = false;\n"
	     " laboratory = false; release = false; compliant_days = { soil = 9; }; };");
	const struct closing said = {.checkers = 7,
				     .attachments = 8,
				     .compliant_days = {[SITE_RIVER_SECTION] = 7,
							[SITE_WATER_SOURCE] = 3,
							[SITE_OUTFALL] = 3,
							[SITE_SOIL] = 9}};
	assert_memory_equal(&rules.closing, &said, sizeof said);
	drop();
}

static int unknown_at(int year, int month)
{
	static const struct zone_change changes[] = {
		{.from_s = INT64_MIN / 2, .offset_s = 8 * 3600}};
	static const struct zone zone = {changes, 1};
	/* its last day: the zone's, which is earlier than that of UTC */
	int64_t first = zone_wall_ms(&zone,
				     &(struct civil){.year = month == 12 ? year + 1 : year,
						     .month = month % 12 + 1,
						     .day = 1},
				     0);
	return days_off_unknown(&config->cases.off, &zone, first - 1);
}

static void
test_a_year_without_days_off_is_named_and_the_next_one_once_it_is_published(void **state)
{
	(void)state;
	load("");
	assert_int_equal(unknown_at(2026, 10), 0);
	assert_int_equal(unknown_at(2026, 11), 2027);
	assert_int_equal(unknown_at(2026, 12), 2027);
	assert_int_equal(unknown_at(2027, 1), 2027);
	assert_int_equal(unknown_at(2025, 12), 2025);
	assert_non_null(strstr(config->cases.days_file, "/holidays/cn.cfg"));
	assert_int_equal(config->cases.days_line, 7);
	assert_false(config->cases.set);
	drop();
	load("deadlines: { off = (\"2027-01-01\"); };\n");
	assert_int_equal(unknown_at(2026, 11), 0);
	assert_int_equal(unknown_at(2027, 10), 0);
	assert_int_equal(unknown_at(2027, 11), 2028);
	assert_true(config->cases.set);
	drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_year_without_days_off_is_named_and_the_next_one_once_it_is_published),
		cmocka_unit_test(test_without_a_word_the_rules_are_the_defaults),
		cmocka_unit_test(
			test_a_kinds_term_holds_for_all_severities_but_where_a_graver_one_has_its_own),
		cmocka_unit_test(test_deeds_have_the_same_names_on_both_sides),
		cmocka_unit_test(test_closing_is_as_said),
		cmocka_unit_test(test_without_a_list_those_with_a_token_have_their_roles),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
