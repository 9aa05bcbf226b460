/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/supcase.h"
#include "core/text.h"

#include <math.h>

enum { R = CASE_REGISTERED, A, F, V, C, W, X = -1 }; /* X: not allowed */

static void test_every_cell_of_the_action_table(void **state)
{
	static const int table[CASE_ACTIONS][CASE_STATUSES] = {
		[ACTION_ACCEPT] = {R, X, X, X, X, X}, [ACTION_ASSIGN] = {A, A, X, X, X, X},
		[ACTION_PLAN] = {X, F, F, X, X, X},   [ACTION_RECTIFIED] = {X, X, V, X, X, X},
		[ACTION_RETURN] = {X, X, X, F, X, X}, [ACTION_CLOSE] = {X, X, X, C, X, X},
		[ACTION_REOPEN] = {X, X, X, X, F, R}, [ACTION_WITHDRAW] = {W, W, W, W, X, X},
		[ACTION_EXTEND] = {R, A, F, V, X, X}, [ACTION_TRANSFER] = {R, A, F, V, C, W},
		[ACTION_MERGE] = {W, W, W, W, W, W},  [ACTION_FEEDBACK] = {R, A, F, V, C, W},
		[ACTION_ATTACH] = {R, A, F, V, C, W}, [ACTION_NOTE] = {R, A, F, V, C, W},
		[ACTION_LINK] = {R, A, F, V, C, W},   [ACTION_LEVEL] = {R, A, F, V, X, X},
	};
	for (unsigned action = 0; action < CASE_ACTIONS; action++) {
		for (unsigned from = 0; from < CASE_STATUSES; from++) {
			enum case_status to = CASE_STATUSES;
			bool allowed =
				case_step((enum case_status)from, (enum case_action)action, &to);
			assert_int_equal(allowed, table[action][from] != X);
			if (allowed)
				assert_int_equal(to, table[action][from]);
		}
	}
	(void)state;
}

static void test_every_action_has_its_name_and_needs(void **state)
{
	static const struct {
		enum case_action action;
		const char *name;
		unsigned needs;
	} cases[] = {
		{ACTION_ACCEPT, "accept", 0},
		{ACTION_ASSIGN, "assign", NEED_UNIT},
		{ACTION_PLAN, "plan", NEED_NOTE},
		{ACTION_RECTIFIED, "rectified", 0},
		{ACTION_RETURN, "return", NEED_NOTE},
		{ACTION_CLOSE, "close", NEED_NOTE},
		{ACTION_REOPEN, "reopen", NEED_NOTE},
		{ACTION_WITHDRAW, "withdraw", NEED_REASON | NEED_NOTE},
		{ACTION_EXTEND, "extend", NEED_DUE | NEED_NOTE},
		{ACTION_TRANSFER, "transfer", NEED_NOTE},
		{ACTION_MERGE, "merge", NEED_NOTE | NEED_OTHER},
		{ACTION_FEEDBACK, "feedback", NEED_NOTE},
		{ACTION_ATTACH, "attach", NEED_NOTE},
		{ACTION_NOTE, "note", NEED_NOTE},
		{ACTION_LINK, "link", NEED_OTHER},
		{ACTION_LEVEL, "level", NEED_LEVEL | NEED_DOCUMENT | NEED_DATED},
	};
	assert_int_equal(sizeof cases / sizeof cases[0], CASE_ACTIONS);
	for (size_t i = 0; i < CASE_ACTIONS; i++) {
		assert_string_equal(case_action_name(cases[i].action), cases[i].name);
		assert_int_equal(case_action_find(cases[i].name), cases[i].action);
		assert_int_equal(case_needs(cases[i].action), cases[i].needs);
	}
	assert_int_equal(case_action_find("accep"), CASE_ACTIONS);
	assert_int_equal(case_action_find(""), CASE_ACTIONS);
	(void)state;
}

static void test_accepting_and_assigning_stand_for_a_case_being_true(void **state)
{
	for (unsigned i = 0; i < CASE_ACTIONS; i++)
		assert_int_equal(case_verifies((enum case_action)i),
				 i == ACTION_ACCEPT || i == ACTION_ASSIGN);
	(void)state;
}

static void test_statuses_are_named_and_open_until_closed_or_withdrawn(void **state)
{
	static const char *const names[] = {"registered", "assigned", "rectifying",
					    "review",     "closed",   "withdrawn"};
	for (unsigned i = 0; i < CASE_STATUSES; i++) {
		assert_string_equal(case_status_name((enum case_status)i), names[i]);
		assert_int_equal(case_status_open((enum case_status)i), i < 4);
	}
	assert_string_equal(severity_name(SEVERITY_GENERAL), "general");
	assert_string_equal(severity_name(SEVERITY_SERIOUS), "serious");
	assert_string_equal(severity_name(SEVERITY_GRAVE), "grave");
	(void)state;
}

static void test_the_multiple_is_the_share_over_the_limit(void **state)
{
	const struct monitor plain = {.factor = "w01018"}, none = {.no_multiple = true};
	double multiple = -1;
	assert_true(case_multiple(&plain, BOUND_MAX, 75, 50, &multiple));
	assert_true(multiple == 0.5);
	assert_true(case_multiple(&plain, BOUND_MAX, 50, 50, &multiple));
	assert_true(multiple == 0);
	assert_false(case_multiple(&plain, BOUND_MIN, 3, 6, &multiple));
	assert_false(case_multiple(&plain, BOUND_NONE, 75, 50, &multiple));
	assert_false(case_multiple(&none, BOUND_MAX, 75, 50, &multiple));
	assert_false(case_multiple(&plain, BOUND_MAX, 75, 0, &multiple));
	assert_false(case_multiple(&plain, BOUND_MAX, 1e308, 1e-308, &multiple));
	(void)state;
}

static void test_severity_follows_the_multiple_and_the_kind_of_site(void **state)
{
	static const struct {
		enum site_kind kind;
		bool has;
		double multiple;
		enum severity severity;
	} cases[] = {
		{SITE_OUTFALL, false, 99, SEVERITY_GENERAL},
		{SITE_OUTFALL, true, 0, SEVERITY_GENERAL},
		{SITE_OUTFALL, true, 0.5, SEVERITY_GENERAL},
		{SITE_OUTFALL, true, 0.500001, SEVERITY_SERIOUS},
		{SITE_OUTFALL, true, 1.999, SEVERITY_SERIOUS},
		{SITE_OUTFALL, true, 2, SEVERITY_GRAVE},
		{SITE_AIR, true, 0.4, SEVERITY_GENERAL},
		{SITE_WATER_SOURCE, false, 0, SEVERITY_SERIOUS},
		{SITE_WATER_SOURCE, true, 0.5, SEVERITY_SERIOUS},
		{SITE_WATER_SOURCE, true, 0.51, SEVERITY_GRAVE},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(
			case_severity(&(struct severity_facts){.kind = cases[i].kind,
							       .factor = "w01018",
							       .has_multiple = cases[i].has,
							       .multiple = cases[i].multiple}),
			cases[i].severity);
	(void)state;
}

static void severity_is(struct severity_facts facts, enum severity expected)
{
	assert_int_equal(case_severity(&facts), expected);
}

static void test_acidity_is_grave_by_how_far_it_is_out(void **state)
{
	struct severity_facts f = {.kind = SITE_OUTFALL,
				   .factor = "w01001",
				   .has_peak = true,
				   .has_limit = true,
				   .limit = 9};
	static const struct {
		double peak;
		enum severity severity;
	} cells[] = {{9.5, SEVERITY_GENERAL},
		     {9.51, SEVERITY_SERIOUS},
		     {12.49, SEVERITY_SERIOUS},
		     {12.5, SEVERITY_GRAVE},
		     {2, SEVERITY_GRAVE}};
	for (size_t i = 0; i < 5; i++) {
		f.peak = cells[i].peak;
		severity_is(f, cells[i].severity);
	}
	f.limit = 6;
	f.peak = 5.5;
	severity_is(f, SEVERITY_GENERAL);
	f.peak = 2.01;
	severity_is(f, SEVERITY_SERIOUS);
	f.kind = SITE_WATER_SOURCE;
	f.peak = 5.5;
	severity_is(f, SEVERITY_SERIOUS);
	f.peak = 1.9;
	severity_is(f, SEVERITY_GRAVE);
	(void)state;
}

static void test_little_oxygen_is_serious(void **state)
{
	struct severity_facts f = {.kind = SITE_RIVER_SECTION,
				   .factor = "w01009",
				   .has_peak = true,
				   .has_limit = true,
				   .limit = 5,
				   .peak = 2};
	severity_is(f, SEVERITY_GENERAL);
	f.peak = 1.9;
	severity_is(f, SEVERITY_SERIOUS);
	(void)state;
}

static void test_a_section_is_judged_by_its_class(void **state)
{
	struct severity_facts f = {.kind = SITE_RIVER_SECTION,
				   .factor = "w21003",
				   .has_multiple = true,
				   .multiple = 5, /* which the class goes over */
				   .class = 4,
				   .below = 1};
	severity_is(f, SEVERITY_GENERAL);
	f.below = 2;
	severity_is(f, SEVERITY_SERIOUS);
	f.below = 1;
	f.class = 6;
	severity_is(f, SEVERITY_SERIOUS);
	f.inferior_beyond = true;
	severity_is(f, SEVERITY_GRAVE);
	f = (struct severity_facts){.kind = SITE_RIVER_SECTION,
				    .factor = "w01009",
				    .has_peak = true,
				    .peak = 1.9,
				    .class = 6};
	severity_is(f, SEVERITY_SERIOUS);
	(void)state;
}

static void test_an_office_sets_its_own_steps(void **state)
{
	struct severity_steps steps = severity_defaults;
	struct severity_facts f = {.steps = &steps,
				   .kind = SITE_OUTFALL,
				   .factor = "w01018",
				   .has_multiple = true,
				   .multiple = 0.4};
	steps.serious_multiple = 0.3;
	severity_is(f, SEVERITY_SERIOUS);
	steps.grave_multiple = 0.4;
	severity_is(f, SEVERITY_GRAVE);
	f = (struct severity_facts){.steps = &steps,
				    .kind = SITE_RIVER_SECTION,
				    .factor = "w21003",
				    .class = 4,
				    .below = 1};
	steps.serious_classes = 1;
	severity_is(f, SEVERITY_SERIOUS);
	(void)state;
}

static void test_toxic_factors_are_grave_where_water_is_drunk_or_flows(void **state)
{
	struct severity_facts f = {
		.factor = "w20115", .has_multiple = true, .multiple = 0.1, .kind = SITE_OUTFALL};
	severity_is(f, SEVERITY_GENERAL);
	f.kind = SITE_RIVER_SECTION;
	severity_is(f, SEVERITY_GRAVE);
	f.kind = SITE_WATER_SOURCE;
	severity_is(f, SEVERITY_GRAVE);
	f.factor = "w21003";
	severity_is(f, SEVERITY_SERIOUS);
	(void)state;
}

static void test_three_exceeding_days_in_thirty_are_serious_at_outfalls(void **state)
{
	struct severity_facts f = {
		.factor = "w01018", .has_multiple = true, .multiple = 0.1, .days = 2};
	f.kind = SITE_OUTFALL;
	severity_is(f, SEVERITY_GENERAL);
	f.days = 3;
	severity_is(f, SEVERITY_SERIOUS);
	f.kind = SITE_RIVER_SECTION;
	severity_is(f, SEVERITY_GENERAL);
	(void)state;
}

static void rises(const struct severity_facts *facts, const char *english, const char *chinese)
{
	struct text out = {0};
	severity_rise(SEVERITY_GENERAL, facts, false, &out);
	assert_string_equal(out.at, english);
	text_clear(&out);
	severity_rise(SEVERITY_GENERAL, facts, true, &out);
	assert_string_equal(out.at, chinese);
	text_deinit(&out);
}

static void test_a_rise_says_by_which_rule_it_is(void **state)
{
	const struct severity_facts many = {.kind = SITE_OUTFALL,
					    .factor = "w01018",
					    .has_multiple = true,
					    .multiple = 0.1,
					    .days = 3};
	struct severity_facts f = {.kind = SITE_OUTFALL, .factor = "w01018"};
	(void)state;
	f.has_multiple = true;
	f.multiple = 0.62;
	rises(&f, "general → serious: 0.62 times over the limit", "一般→较重:超标0.62倍");
	rises(&many, "general → serious: 3 exceeding days in 30", "一般→较重:30日内3日超标");
	f = (struct severity_facts){.kind = SITE_RIVER_SECTION, .factor = "w20115"};
	rises(&f, "general → grave: a toxic pollutant", "一般→严重:有毒污染物");
	f = (struct severity_facts){
		.kind = SITE_OUTFALL, .factor = "w01001", .has_peak = true, .peak = 2};
	rises(&f, "general → grave: pH of 2.00", "一般→严重:pH值2.00");
	f = (struct severity_facts){
		.kind = SITE_RIVER_SECTION, .factor = "w01009", .has_peak = true, .peak = 1.5};
	rises(&f, "general → serious: dissolved oxygen of 1.50 mg/L", "一般→较重:溶解氧1.50 mg/L");
	f = (struct severity_facts){
		.kind = SITE_RIVER_SECTION, .factor = "w01018", .class = 5, .below = 2};
	rises(&f, "general → serious: class V, 2 below the target",
	      "一般→较重:水质类别V,低于目标2级");
	f = (struct severity_facts){.kind = SITE_WATER_SOURCE, .factor = "w01003"};
	rises(&f, "general → serious: a water source", "一般→较重:饮用水水源地");
}

static void test_listed_words_are_taken_as_codes_and_in_chinese(void **state)
{
	static const struct {
		enum case_list list;
		const char *words, *chinese, *code;
	} lists[CASE_LISTS] = {
		{LIST_REASON,
		 "instrument_fault, maintenance, marked, duplicate, elsewhere, unfounded, other",
		 "核查不属实", "unfounded"},
		{LIST_TRACK, "immediate, planned", "限期整改", "planned"},
		{LIST_LEVEL, "district, city, province", "市级", "city"},
		{LIST_SOURCE, "inspection, complaint, 12369, 12319, mayor, city, province",
		 "市长热线", "mayor"},
		{LIST_ATTACHMENT,
		 "photo, record, laboratory, delivery, plan, acceptance, release, other",
		 "现场检查笔录", "record"},
		{LIST_SEVERITY, "general, serious, grave", "严重", "grave"},
	};
	for (size_t i = 0; i < CASE_LISTS; i++) {
		struct text text = {0};
		case_words(lists[i].list, &text);
		assert_string_equal(text.at, lists[i].words);
		assert_string_equal(case_word(lists[i].list, lists[i].chinese), lists[i].code);
		assert_string_equal(case_word(lists[i].list, lists[i].code), lists[i].code);
		assert_null(case_word(lists[i].list, "nonsense"));
		text_deinit(&text);
	}
	assert_int_equal(case_track_find("planned"), TRACK_PLANNED);
	assert_int_equal(case_track_find("immediate"), TRACK_IMMEDIATE);
	assert_int_equal(case_track_find(NULL), TRACK_NONE);
	assert_string_equal(case_track_name(TRACK_IMMEDIATE), "immediate");
	assert_string_equal(case_track_name(TRACK_PLANNED), "planned");
	assert_null(case_track_name(TRACK_NONE));
	assert_int_equal(severity_find("serious"), SEVERITY_SERIOUS);
	(void)state;
}

static void test_a_limits_own_word_decides_over_the_sites_list(void **state)
{
	const struct limit limits[] = {{.opens_case = true}, {.opens_case = false}};
	const struct monitor monitor = {.limits = limits, .n_limits = 2};
	struct site site = {.opens = 1u << ALERT_EXCEEDANCE | 1u << ALERT_STALE};
	const struct plan plan = {
		.sites = &site, .n_sites = 1, .monitors = &monitor, .n_monitors = 1};
	struct verdict v = {.kind = ALERT_EXCEEDANCE, .limit = 1};
	assert_false(case_wanted(&plan, &v));
	v.limit = 0;
	site.opens = 1u << ALERT_STALE;
	assert_true(case_wanted(&plan, &v));
	v.kind = ALERT_WARNING;
	assert_false(case_wanted(&plan, &v));
	v.kind = ALERT_STALE;
	v.limit = NO_INDEX;
	assert_true(case_wanted(&plan, &v));
	v.kind = ALERT_CONNECTION;
	v.monitor = NO_INDEX;
	assert_false(case_wanted(&plan, &v));
	(void)state;
}

static void check_number(const char *pattern, const char *expected)
{
	const struct plan plan = {.case_prefix = "五环督挂", .case_number = pattern};
	struct text text = {0};
	case_number(&plan, 2026, 12, &text);
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void test_numbers_follow_their_pattern(void **state)
{
	check_number("{prefix}〔{year}〕{seq}号", "五环督挂〔2026〕12号");
	check_number("{seq}/{seq}-{year}", "12/12-2026");
	check_number("{sequence}{", "{sequence}{");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cell_of_the_action_table),
		cmocka_unit_test(test_every_action_has_its_name_and_needs),
		cmocka_unit_test(test_accepting_and_assigning_stand_for_a_case_being_true),
		cmocka_unit_test(test_statuses_are_named_and_open_until_closed_or_withdrawn),
		cmocka_unit_test(test_the_multiple_is_the_share_over_the_limit),
		cmocka_unit_test(test_severity_follows_the_multiple_and_the_kind_of_site),
		cmocka_unit_test(test_acidity_is_grave_by_how_far_it_is_out),
		cmocka_unit_test(test_little_oxygen_is_serious),
		cmocka_unit_test(test_a_section_is_judged_by_its_class),
		cmocka_unit_test(test_an_office_sets_its_own_steps),
		cmocka_unit_test(test_toxic_factors_are_grave_where_water_is_drunk_or_flows),
		cmocka_unit_test(test_three_exceeding_days_in_thirty_are_serious_at_outfalls),
		cmocka_unit_test(test_a_rise_says_by_which_rule_it_is),
		cmocka_unit_test(test_listed_words_are_taken_as_codes_and_in_chinese),
		cmocka_unit_test(test_a_limits_own_word_decides_over_the_sites_list),
		cmocka_unit_test(test_numbers_follow_their_pattern),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
