/* SPDX-License-Identifier: Apache-2.0 */
/* The office's rules for cases: terms, days off, closing conditions, officers and roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <string.h>

static void test_terms_are_minutes_days_and_working_days(void **state)
{
	static const struct {
		const char *text;
		int unit, n;
	} good[] = {
		{"30min", CONFIG_TERM_MINUTES, 30}, {"24h", CONFIG_TERM_MINUTES, 1440},
		{"30d", CONFIG_TERM_DAYS, 30},      {"5wd", CONFIG_TERM_WORKDAYS, 5},
		{"half", CONFIG_TERM_HALF, 0},
	};
	static const char *const bad[] = {"",     "5",      "wd",   "0h", "-1d",
					  "1.5h", "12345d", "5 wd", "5w", "5hh"};
	struct config_term term;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(config_term_read(good[i].text, &term));
		assert_int_equal(term.unit, good[i].unit);
		assert_int_equal(term.n, good[i].n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(config_term_read(bad[i], &term));
}

static void test_what_is_said_is_kept(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(
		fixture, NODE
		"deadlines: { fault_shelve_workdays = 3;\n"
		" outfall: { verify = \"12h\"; planned = \"20d\"; longest = \"60d\"; extended = \"70d\";\n"
		"  remind = (\"half\"); escalate = (\"1wd\", \"2wd\");\n"
		"  grave: { assign = \"2h\"; remind = (); }; };\n"
		" off = (\"2027-01-01\"); work = (\"2027-01-02\"); };\n"
		"closing: { checkers = 0; record = false; compliant_days = { noise = 1; }; };\n"
		"officers: ( { id = \"a\"; name = \"A\"; user = \"anna\"; roles = (\"handler\", "
		"\"leader\"); } );\n"
		"roles: { close = (\"leader\"); };\n"
		"duty: { people = (\"A\", \"B\"); rotate = \"week\"; digest_at = \"07:05\";\n"
		" next_min = 20; };\n");
	expect_ok(fixture);
	const struct config_cases *cases = &fixture->config->cases;
	const struct config_terms *outfall = cases->terms[CONFIG_OUTFALL];
	assert_int_equal(outfall[0].stage[0].n, 720);
	assert_int_equal(outfall[0].stage[1].unit, CONFIG_TERM_NONE);
	assert_int_equal(outfall[0].planned.n, 20);
	assert_int_equal(outfall[0].longest.n, 60);
	assert_int_equal(outfall[0].extended.n, 70);
	assert_true(outfall[0].reminds && outfall[0].escalates && !outfall[1].reminds);
	assert_int_equal(outfall[0].remind[0].unit, CONFIG_TERM_HALF);
	assert_int_equal(outfall[0].escalate[1].n, 2);
	assert_int_equal(outfall[2].stage[1].n, 120);
	assert_true(outfall[2].reminds);
	assert_int_equal(cases->fault_shelve_workdays, 3);
	assert_int_equal(cases->closing.checkers, 0);
	assert_false(cases->closing.record);
	assert_true(cases->closing.approval);
	assert_int_equal(cases->closing.compliant_days[CONFIG_NOISE], 1);
	assert_int_equal(cases->closing.compliant_days[CONFIG_OUTFALL], 3);
	assert_int_equal(cases->n_officers, 1);
	assert_string_equal(cases->officers[0].user, "anna");
	assert_int_equal(cases->officers[0].roles, 1 | 4);
	assert_int_equal(cases->may[5], 4);
	assert_int_equal(cases->duty.n, 2);
	assert_string_equal(cases->duty.people[1], "B");
	assert_int_equal(cases->duty.rotate, 1);
	assert_int_equal(cases->duty.digest_min, 425);
	assert_int_equal(cases->duty.change_min, 510);
	assert_int_equal(cases->duty.next_min, 20);
	assert_int_equal(cases->duty.source_next_min, 15);
	assert_int_equal(cases->off.at[cases->off.n - 1], 20819); /* after those of the data */
	assert_int_equal(cases->work.at[cases->work.n - 1], 20820);
}

static void test_days_off_come_from_the_data(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE "deadlines: { off = (\"2026-01-05\"); };\n");
	expect_ok(fixture);
	const struct config_cases *cases = &fixture->config->cases;
	assert_int_equal(cases->off.n, 34);
	assert_int_equal(cases->work.n, 6);
	assert_int_equal(cases->off.at[0], 20454);     /* 2026-01-01 */
	assert_int_equal(cases->off.at[3], 20454 + 4); /* the one said, in its place */
	for (size_t i = 1; i < cases->off.n; i++)
		assert_true(cases->off.at[i] > cases->off.at[i - 1]);
}

static void test_what_is_wrong_is_named_where_it_stands(void **state)
{
	static const struct example examples[] = {
		{NODE "deadlines: { outfall: {\n verify = \"half\";\n plan = \"5\"; }; };\n",
		 "3: verify = \"half\" is not right: use a whole number with min, h, d or wd\n"
		 "4: plan = \"5\" is not right"},
		{NODE "deadlines: { outfal: { }; };\n", "2: unknown key \"outfal\" in deadlines"},
		{NODE "deadlines: { outfall: { grave: {\n grave: { }; }; }; };\n",
		 "3: key \"grave\" is not one of deadlines of a severity"},
		{NODE "deadlines: { air: { remind = (\"1d\", \"2d\", \"3d\"); }; };\n",
		 "2: remind holds 3 terms; at most 2"},
		{NODE "deadlines: { off = (\"2026-13-01\"); };\n", "2: an element of off"},
		{NODE "closing: { checkers = -1; approval = 1; };\n",
		 "2: checkers = -1 is out of range\n2: approval is an integer"},
		{NODE "closing: { compliant_days = { lake = 1; }; };\n",
		 "2: unknown key \"lake\" in compliant_days"},
		{NODE "officers: ( { id = \"a\"; name = \"A\"; roles = (\"boss\"); },\n"
		      " { id = \"A\"; name = \"B\"; roles = (\"leader\"); },\n"
		      " { id = \"c\"; name = \"C\"; } );\n",
		 "2: roles holds \"boss\", which is no role\n"
		 "3: id is that of officer \"a\", too\n"
		 "4: key \"roles\" is missing in an officer"},
		{NODE "officers: ( { id = \"a\"; name = \"A\"; roles = (); } );\n",
		 "2: roles is empty"},
		{NODE "roles: { clos = (\"leader\"); };\n",
		 "2: unknown key \"clos\" in roles; did you mean \"close\"?"},
		{NODE "closing = 3;\n", "2: closing is an integer"},
		{NODE "duty: { people = (); digest_at = \"24:00\";\n change_at = \"8:30\"; };\n",
		 "2: digest_at = \"24:00\" is not right\n2: people is empty\n"
		 "3: change_at = \"8:30\" is not right"},
		{NODE "duty: { rotate = \"month\"; };\n",
		 "2: rotate \"month\" is not known; known are\n2: key \"people\" is missing in duty"},
	};
	CHECK(state, examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_terms_are_minutes_days_and_working_days),
		TEST(test_what_is_said_is_kept),
		TEST(test_days_off_come_from_the_data),
		TEST(test_what_is_wrong_is_named_where_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
