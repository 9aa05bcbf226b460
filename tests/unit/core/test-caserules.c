/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/caserules.h"
#include "core/text.h"

#include <string.h>

static struct case_rules rules;

static int set_up(void **state)
{
	(void)state;
	case_rules_default(&rules);
	return 0;
}

/* A case that may be closed. */
static const struct closing_facts whole = {.kind = SITE_OUTFALL,
					   .severity = SEVERITY_SERIOUS,
					   .track = TRACK_PLANNED,
					   .exceedance = true,
					   .district = true,
					   .record = true,
					   .approved = true,
					   .unit = true,
					   .leader = true,
					   .team = true,
					   .plan = true,
					   .checkers = 2,
					   .attachments = 1,
					   .compliant_days = 3};

static void test_a_whole_case_may_be_closed(void **state)
{
	(void)state;
	assert_int_equal(closing_lacks(&rules.closing, &whole), 0);
}

static void test_each_condition_alone_holds_a_case_open_until_it_is_switched_off(void **state)
{
	struct closing_facts f[CLOSING_LACKS];
	for (int i = 0; i < CLOSING_LACKS; i++)
		f[i] = whole;
	f[0].alert_active = true;
	f[1].judges_itself = true;
	f[2].checkers = 1;
	f[3].record = false;
	f[4].attachments = 0;
	f[5].approved = false;
	f[6].unit = false;
	f[7].leader = false;
	f[8].team = false;
	f[9].plan = false;
	f[10].open_steps = 1;
	f[11].compliant_days = 2;
	f[12].kind = SITE_WATER_SOURCE;
	f[13].district = false;
	const struct closing off = {.checkers = 0};
	(void)state;
	for (unsigned i = 0; i < CLOSING_LACKS; i++) {
		assert_int_equal(closing_lacks(&rules.closing, &f[i]), 1u << i);
		assert_int_equal(closing_lacks(&off, &f[i]), 0);
		assert_true(strlen(closing_lack_name(1u << i)) > 0);
		assert_true(strlen(closing_lack_text(1u << i)) > 0);
	}
}

static void test_a_small_case_put_right_at_once_needs_no_five_ones(void **state)
{
	struct closing_facts f = whole;
	(void)state;
	f.unit = f.leader = f.team = f.plan = false;
	f.track = TRACK_IMMEDIATE;
	assert_int_equal(closing_lacks(&rules.closing, &f),
			 LACK_UNIT | LACK_LEADER | LACK_TEAM | LACK_PLAN);
	f.severity = SEVERITY_GENERAL;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0);
	f.track = TRACK_PLANNED;
	assert_int_not_equal(closing_lacks(&rules.closing, &f), 0);
}

static void test_the_data_test_is_for_exceedances_and_by_the_kind_of_site(void **state)
{
	struct closing_facts f = whole;
	(void)state;
	f.kind = SITE_RIVER_SECTION;
	f.compliant_days = 6;
	assert_int_equal(closing_lacks(&rules.closing, &f), LACK_DAYS);
	f.compliant_days = 7;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0);
	f.kind = SITE_WATER_SOURCE;
	f.compliant_days = 2;
	assert_int_equal(closing_lacks(&rules.closing, &f), LACK_DAYS | LACK_LABORATORY);
	f.exceedance = false;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0);
}

static void test_a_listed_case_is_released_by_whoever_listed_it(void **state)
{
	struct closing_facts f = whole;
	(void)state;
	f.district = false;
	f.release = true;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0);
}

/* One that is asked for by itself does not stand beside the record as well. */
static void test_no_attachment_stands_for_two_that_are_asked_for(void **state)
{
	struct closing_facts f = whole;
	(void)state;
	f.attachments = 0;
	f.laboratory = true;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0); /* nobody asks for it here */
	f.kind = SITE_WATER_SOURCE;
	assert_int_equal(closing_lacks(&rules.closing, &f), LACK_ATTACHMENT);
	f = whole;
	f.attachments = 0;
	f.release = true;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0);
	f.district = false;
	assert_int_equal(closing_lacks(&rules.closing, &f), LACK_ATTACHMENT);
	f.attachments = 1;
	assert_int_equal(closing_lacks(&rules.closing, &f), 0);
}

static void test_different_names_are_counted(void **state)
{
	(void)state;
	assert_int_equal(names_count(&rules, NULL, ROLE_INSPECTOR), 0);
	assert_int_equal(names_count(&rules, "", ROLE_INSPECTOR), 0);
	assert_int_equal(names_count(&rules, " , ;", ROLE_INSPECTOR), 0);
	assert_int_equal(names_count(&rules, "A", ROLE_INSPECTOR), 1);
	assert_int_equal(names_count(&rules, "A, B", ROLE_INSPECTOR), 2);
	assert_int_equal(names_count(&rules, "A,A , A", ROLE_INSPECTOR), 1);
	assert_int_equal(names_count(&rules, "张示例、李示例；王示例，张示例", ROLE_INSPECTOR), 3);
	assert_int_equal(names_count(&rules, "AB, A, B", ROLE_INSPECTOR), 3);
	assert_int_equal(names_count(&rules, "Anna Aa, anna aa", ROLE_INSPECTOR), 1);
}

#define M TERM_MINUTES
#define D TERM_DAYS
#define W TERM_WORKDAYS
#define H TERM_HALF
/* The table of terms as an office has it on paper, in minutes, days and working days. */
static void test_the_default_terms_are_those_of_the_table(void **state)
{
	static const struct {
		enum site_kind kind;
		struct terms terms;
	} table[] = {
		{SITE_RIVER_SECTION,
		 {{{0, 0}, {W, 1}, {W, 2}, {W, 5}, {D, 30}, {W, 5}},
		  {D, 90},
		  {D, 90},
		  {D, 180},
		  {{D, 3}, {D, 1}},
		  {{W, 3}, {W, 10}}}},
		{SITE_WATER_SOURCE,
		 {{{0, 0}, {M, 30}, {M, 120}, {M, 1440}, {M, 4320}, {M, 1440}},
		  {M, 21600},
		  {M, 21600},
		  {M, 43200},
		  {{H, 0}, {0, 0}},
		  {{M, 60}, {M, 240}}}},
		{SITE_OUTFALL,
		 {{{0, 0}, {M, 1440}, {W, 1}, {W, 3}, {W, 5}, {W, 5}},
		  {D, 30},
		  {D, 180},
		  {D, 180},
		  {{D, 2}, {D, 1}},
		  {{W, 3}, {W, 10}}}},
	};
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct terms *at = rules.terms[table[i].kind];
		assert_memory_equal(&at[SEVERITY_GENERAL], &table[i].terms, sizeof *at);
		assert_memory_equal(&at[SEVERITY_SERIOUS], &table[i].terms, sizeof *at);
	}
	assert_int_equal(rules.terms[SITE_OUTFALL][SEVERITY_GRAVE].stage[STAGE_ASSIGN].n, 240);
	assert_int_equal(rules.fault_shelve_workdays, 5);
}

#undef M
#undef D
#undef W
#undef H

static const struct officer officers[] = {
	{.id = "h", .name = "张示例", .user = "zhang", .roles = ROLE_HANDLER},
	{.id = "i", .name = "李示例", .roles = ROLE_INSPECTOR},
	{.id = "l", .name = "王示例", .user = "wang", .roles = ROLE_LEADER},
	{.id = "all", .name = "赵示例", .roles = ROLE_HANDLER | ROLE_INSPECTOR | ROLE_LEADER},
};

static void test_an_officer_is_known_by_name_id_or_user(void **state)
{
	(void)state;
	rules.officers = officers;
	rules.n_officers = 4;
	assert_ptr_equal(officer_of(&rules, "张示例", "root"), &officers[0]);
	assert_ptr_equal(officer_of(&rules, "i", "root"), &officers[1]);
	assert_ptr_equal(officer_of(&rules, "wang", "root"), &officers[2]);
	assert_ptr_equal(officer_of(&rules, NULL, "zhang"), &officers[0]);
	assert_ptr_equal(officer_of(&rules, " I ", "root"), &officers[1]);
	assert_ptr_equal(officer_of(&rules, "Wang", "root"), &officers[2]);
	assert_null(officer_of(&rules, NULL, "root"));
	assert_null(officer_of(&rules, "somebody", "zhang")); /* not the peer under another name */
}

static void test_an_officer_in_a_list_is_one_by_any_of_his_names(void **state)
{
	(void)state;
	rules.officers = officers;
	rules.n_officers = 4;
	assert_int_equal(names_count(&rules, "h, 张示例, ZHANG", ROLE_HANDLER), 1);
	/* who is no officer, or has no such role, does not count */
	assert_int_equal(names_count(&rules, "h, i, all, I, somebody", ROLE_INSPECTOR), 2);
	assert_int_equal(names_count(&rules, "h, i, somebody", ROLE_LEADER), 0);
	assert_true(names_share(&rules, "i、 zhang", "张示例"));
	assert_true(names_share(&rules, "A, B", "C; b"));
	assert_false(names_share(&rules, "A, B", "C"));
	assert_false(names_share(&rules, "AB", "A"));
	assert_false(names_share(&rules, NULL, "A"));
	assert_false(names_share(&rules, "A", NULL));
	assert_false(names_share(&rules, ", ", " ,"));
}

static void test_every_deed_takes_its_role(void **state)
{
	enum { H = ROLE_HANDLER, I = ROLE_INSPECTOR, L = ROLE_LEADER };
	static const unsigned may[DEEDS] = {
		[ACTION_ACCEPT] = H | I | L, [ACTION_ASSIGN] = H | L,
		[ACTION_PLAN] = H,           [ACTION_RECTIFIED] = H,
		[ACTION_RETURN] = I | L,     [ACTION_CLOSE] = I | L,
		[ACTION_REOPEN] = I | L,     [ACTION_WITHDRAW] = I | L,
		[ACTION_EXTEND] = L,         [ACTION_TRANSFER] = H | L,
		[ACTION_MERGE] = H | L,      [ACTION_FEEDBACK] = H | I | L,
		[ACTION_ATTACH] = H | I | L, [ACTION_NOTE] = H | I | L,
		[ACTION_LINK] = H | I | L,   [ACTION_LEVEL] = L,
		[DEED_OPEN] = H | I | L,     [DEED_ACKNOWLEDGE] = H | I | L,
		[DEED_SHELVE] = H | L,       [DEED_MARK] = H | I | L,
	};
	struct text why = {0};
	(void)state;
	for (int deed = 0; deed < DEEDS; deed++)
		for (int i = 0; i < 4; i++)
			assert_int_equal(officer_may(&rules, &officers[i], deed, &why),
					 (officers[i].roles & may[deed]) != 0);
	text_clear(&why);
	assert_false(officer_may(&rules, &officers[0], ACTION_CLOSE, &why));
	assert_string_equal(why.at, "张示例 may not close; it takes the role inspector or leader");
	text_deinit(&why);
}

static void test_without_officers_any_name_may_approve(void **state)
{
	(void)state;
	assert_true(officer_is(&rules, "anybody", ROLE_LEADER));
	rules.officers = officers;
	rules.n_officers = 4;
	assert_false(officer_is(&rules, "anybody", ROLE_LEADER));
	assert_false(officer_is(&rules, "张示例", ROLE_LEADER));
	assert_true(officer_is(&rules, "王示例", ROLE_LEADER));
	assert_true(officer_is(&rules, " L", ROLE_LEADER));
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_whole_case_may_be_closed),
		TEST(test_each_condition_alone_holds_a_case_open_until_it_is_switched_off),
		TEST(test_a_small_case_put_right_at_once_needs_no_five_ones),
		TEST(test_the_data_test_is_for_exceedances_and_by_the_kind_of_site),
		TEST(test_a_listed_case_is_released_by_whoever_listed_it),
		TEST(test_the_default_terms_are_those_of_the_table),
		TEST(test_no_attachment_stands_for_two_that_are_asked_for),
		TEST(test_different_names_are_counted),
		TEST(test_an_officer_in_a_list_is_one_by_any_of_his_names),
		TEST(test_an_officer_is_known_by_name_id_or_user),
		TEST(test_every_deed_takes_its_role),
		TEST(test_without_officers_any_name_may_approve),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
