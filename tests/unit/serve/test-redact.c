/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct site sites[] = {
	{.id = "firm",
	 .name = "Firm",
	 .parties = {.enterprise = "Invented Works", .permit_no = "P-77"}},
	{.id = "river", .name = "River"},
	{.id = "outfall", .name = "Works 3", .kind = SITE_OUTFALL},
};
static const struct plan plan = {.sites = sites, .n_sites = 3};

/* Cases 1 to 3 are unverified, of the sites in their order; 4 is the firm's and verified; 5 cannot
 * be read; of case 6 the site is gone. */
static bool whose(void *context, int64_t id, struct case_whose *out)
{
	static const char *const of[] = {"firm", "river", "outfall", "firm", NULL, "gone"};
	(void)context;
	assert_in_range(id, 1, 6);
	if (of[id - 1] == NULL)
		return false;
	*out = (struct case_whose){.verified = id == 4};
	strncpy(out->site, of[id - 1], sizeof out->site - 1);
	return true;
}

static const struct redactor by = {.plan = &plan, .whose = whose};

static void becomes(const char *json, unsigned how, const char *expected)
{
	struct text text = {0};
	text_add(&text, json);
	assert_true(redact(&by, how, &text));
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void test_what_names_nobody_stays_to_the_last_digit(void **state)
{
	static const char *const same[] = {
		"{\"alerts\":[]}",
		"{\"a\":61.3,\"b\":0.1,\"c\":1e+22,\"d\":50,\"e\":null,\"f\":true,\"g\":[]}",
		"{\"g\":[-7,[]],\"h\":{}}",
		"{\"site_name\":\"\xe4\xb8\x89\\\"\\\\\\u007f\",\"unit\":\"mg/L\",\"name\":\"x\"}",
		"{\"by\":\"duchad\",\"action\":\"opened\",\"reason\":\"duplicate\"}",
		"{\"verified\":false,\"site\":\"river\",\"site_name\":\"River\"}",
		"{\"verified\":true,\"site\":\"firm\",\"site_name\":\"Firm\"}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		becomes(same[i], 0, same[i]);
}

static void test_persons_and_their_words_are_null(void **state)
{
	(void)state;
	becomes("{\"data\":{\"responsible\":{\"unit\":\"U\",\"leader\":\"L\",\"team\":\"T\"},"
		"\"history\":[{\"by\":\"B\",\"note\":\"N\",\"checkers\":\"C\"}],\"title\":\"T\","
		"\"attachments\":[{\"name\":\"F\",\"sha256\":\"00\"}]}}",
		0,
		"{\"data\":{\"responsible\":{\"unit\":\"U\",\"leader\":null,\"team\":null},"
		"\"history\":[{\"by\":null,\"note\":null,\"checkers\":null}],\"title\":null,"
		"\"attachments\":[{\"name\":null,\"sha256\":\"00\"}]}}");
	becomes("[{\"reason\":\"sick\",\"until\":\"x\"}]", REDACT_REMARKS,
		"[{\"reason\":null,\"until\":\"x\"}]");
}

static void test_an_unverified_case_does_not_say_whose_it_is(void **state)
{
	(void)state;
	becomes("{\"site\":\"outfall\",\"site_name\":\"Works 3\",\"verified\":false,\"unit\":"
		"\"mg/L\",\"responsible\":{\"unit\":\"Works\"},\"parties\":{\"outlet\":\"east\","
		"\"territory\":\"T\"},\"history\":[{\"unit\":\"Works\"}],\"peak_value\":81}",
		0,
		"{\"site\":\"outfall\",\"site_name\":null,\"verified\":false,\"unit\":\"mg/L\","
		"\"responsible\":{\"unit\":null},\"parties\":{\"outlet\":null,"
		"\"territory\":\"T\"},\"history\":[{\"unit\":null}],\"peak_value\":81}");
}

/* Nothing by which the readings, or another case that is told, would lead to the enterprise. */
static void test_where_an_enterprise_is_named_only_the_course_is_told(void **state)
{
	(void)state;
	becomes("[{\"id\":1,\"number\":\"T1\",\"site\":\"firm\",\"factor\":\"w01018\","
		"\"kind\":\"exceedance\",\"verified\":false,\"opened_at\":\"2026-01-02\","
		"\"unit\":\"mg/L\",\"limit\":50,\"peak_value\":81.3,\"extended\":true,"
		"\"responsible\":{\"unit\":\"Firm\"},\"episodes\":[{\"alert\":12,\"peak_value\":81."
		"3}],"
		"\"history\":[{\"at\":\"2026-01-02\",\"action\":\"registered\",\"by\":\"duchad\","
		"\"other\":4}],\"links\":[{\"case\":4,\"relation\":\"merge\"},{\"case\":2,"
		"\"relation\":\"upstream\"}],\"merged_into\":4,\"evidence\":{\"readings\":9,"
		"\"digest\":\"00\"}},{\"site\":\"river\",\"verified\":false,\"site_name\":\"R\"}]",
		0,
		"[{\"id\":1,\"number\":\"T1\",\"site\":null,\"factor\":null,"
		"\"kind\":\"exceedance\",\"verified\":false,\"opened_at\":null,"
		"\"unit\":null,\"limit\":null,\"peak_value\":null,\"extended\":null,"
		"\"responsible\":{\"unit\":null},\"episodes\":[{\"alert\":null,\"peak_value\":null}"
		"],"
		"\"history\":[{\"at\":null,\"action\":\"registered\",\"by\":\"duchad\","
		"\"other\":null}],\"links\":[],\"merged_into\":null,\"evidence\":{\"readings\":"
		"null,"
		"\"digest\":null}},{\"site\":\"river\",\"verified\":false,\"site_name\":\"R\"}]");
	/* one that the plan no longer has may have been an enterprise's */
	becomes("{\"id\":6,\"site\":\"gone\",\"verified\":false,\"site_name\":\"G\"}", 0,
		"{\"id\":6,\"site\":null,\"verified\":false,\"site_name\":null}");
}

/* A section accuses nobody, not by whom its case was given to either. */
static void test_an_unverified_case_elsewhere_names_no_enterprise(void **state)
{
	(void)state;
	becomes("[{\"site\":\"river\",\"verified\":false,\"unit\":\"mg/"
		"L\",\"responsible\":{\"unit\":"
		"\"the Invented Works, plant 2\"},\"history\":[{\"unit\":\"by P-77\"},{\"unit\":"
		"\"Bureau\"}]},{\"site\":\"river\",\"verified\":true,\"responsible\":{\"unit\":"
		"\"Invented Works\"}}]",
		0,
		"[{\"site\":\"river\",\"verified\":false,\"unit\":\"mg/"
		"L\",\"responsible\":{\"unit\":"
		"null},\"history\":[{\"unit\":null},{\"unit\":"
		"\"Bureau\"}]},{\"site\":\"river\",\"verified\":true,\"responsible\":{\"unit\":"
		"\"Invented Works\"}}]");
}

static void test_no_other_case_alert_or_shelf_leads_to_it(void **state)
{
	(void)state;
	becomes("{\"site\":\"firm\",\"verified\":true,\"history\":[{\"action\":\"merge\",\"other\":"
		"1},"
		"{\"action\":\"note\",\"other\":2}],\"merged_into\":1,\"links\":[{\"case\":1,"
		"\"relation\":\"same outfall\",\"by\":\"duchad\"},{\"case\":2,\"relation\":\"x\"},"
		"{\"case\":5,\"relation\":\"x\"},{\"case\":6,\"relation\":\"x\"}]}",
		0,
		"{\"site\":\"firm\",\"verified\":true,\"history\":[{\"action\":\"merge\",\"other\":"
		"null},"
		"{\"action\":\"note\",\"other\":2}],\"merged_into\":null,\"links\":[{\"case\":2,"
		"\"relation\":null}]}");
	becomes("{\"shelves\":[{\"site\":\"firm\",\"case\":1},{\"site\":\"firm\",\"case\":4}]}",
		REDACT_REMARKS,
		"{\"shelves\":[{\"site\":\"firm\",\"case\":null},{\"site\":\"firm\",\"case\":4}]}");
	/* that data fail to come is told, but not with a case for it */
	becomes("[{\"site\":\"firm\",\"kind\":\"stale\",\"raised_at\":\"x\",\"case\":1},"
		"{\"site\":\"firm\",\"kind\":\"stale\",\"raised_at\":\"x\",\"case\":4}]",
		0,
		"[{\"site\":null,\"kind\":\"stale\",\"raised_at\":null,\"case\":null},"
		"{\"site\":\"firm\",\"kind\":\"stale\",\"raised_at\":\"x\",\"case\":4}]");
}

#define ALERT(site, name, kind)                                                                    \
	"{\"site\":" site ",\"site_name\":" name ",\"kind\":\"" kind                               \
	"\",\"raised_at\":\"2026-01-02\",\"unit\":\"mg/L\"}"

static void test_an_alert_says_no_more_of_an_enterprise_than_the_page(void **state)
{
	(void)state;
	becomes("[" ALERT("\"firm\"", "\"Firm\"",
			  "exceedance") "," ALERT("\"outfall\"", "\"Works 3\"", "clue") "]",
		0,
		"[{\"site\":null,\"site_name\":null,\"kind\":\"exceedance\",\"raised_at\":"
		"null,\"unit\":null},{\"site\":\"outfall\",\"site_name\":null,"
		"\"kind\":\"clue\",\"raised_at\":\"2026-01-02\",\"unit\":\"mg/L\"}]");
	/* whether data come, and what is nobody's, is everybody's */
	static const char *const same[] = {
		ALERT("\"firm\"", "\"Firm\"", "stale"),
		ALERT("\"river\"", "\"River\"", "exceedance"),
		ALERT("null", "null", "connection"),
	};
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
		becomes(same[i], 0, same[i]);
}

static void test_an_event_has_no_subject_where_its_data_have_no_site(void **state)
{
	(void)state;
	becomes("{\"specversion\":\"1.0\",\"subject\":\"firm/w01018\",\"data\":{\"site\":\"firm\","
		"\"kind\":\"exceedance\",\"raised_at\":\"x\",\"limit_source\":\"permit P-77\"}}",
		0,
		"{\"specversion\":\"1.0\",\"subject\":null,\"data\":{\"site\":null,"
		"\"kind\":\"exceedance\",\"raised_at\":null,\"limit_source\":null}}");
	becomes("{\"specversion\":\"1.0\",\"subject\":\"firm/w01018\",\"data\":{\"call\":1,"
		"\"alert\":{\"site\":\"firm\",\"kind\":\"exceedance\",\"raised_at\":\"x\"}}}",
		0,
		"{\"specversion\":\"1.0\",\"subject\":null,\"data\":{\"call\":1,"
		"\"alert\":{\"site\":null,\"kind\":\"exceedance\",\"raised_at\":null}}}");
}

/* Who asks for one site, or for a time, would know whose it is, or when. */
static void test_what_is_withheld_stands_in_no_narrow_list(void **state)
{
	static const char *const ids[] = {"firm", "river", "outfall", "gone", NULL};
	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct ledger_row row = {.site = ids[i], .kind = ALERT_EXCEEDANCE};
		assert_int_equal(redact_case_tells(&plan, &row), i == 1);
		assert_int_equal(redact_alert_tells(&plan, &row), i == 1 || i == 4);
		row.verified = true;
		assert_true(redact_case_tells(&plan, &row));
	}
	struct ledger_row stale = {.site = "firm", .kind = ALERT_STALE};
	assert_true(redact_alert_tells(&plan, &stale));
	stale.has_case = true;
	assert_false(redact_alert_tells(&plan, &stale));
	stale.verified = true;
	assert_true(redact_alert_tells(&plan, &stale));
	assert_true(redact_withholds(&by, ALERT("\"firm\"", "\"Firm\"", "clue")));
	assert_false(redact_withholds(&by, ALERT("\"firm\"", "\"Firm\"", "flat")));
	assert_true(redact_withholds(&by, "no json"));
}

static void test_kinds_of_alerts_are_those_of_the_data_at_an_enterprise(void **state)
{
	uint32_t bad = 1u << ALERT_EXCEEDANCE, silent = 1u << ALERT_STALE;
	(void)state;
	assert_int_equal(redact_kinds(&plan, 0, bad | silent), silent);
	assert_int_equal(redact_kinds(&plan, 1, bad | silent), bad | silent);
	assert_int_equal(redact_kinds(&plan, 2, bad | silent), silent);
	assert_false(redact_names(&plan, NO_INDEX));
}

static void test_what_is_no_json_is_not_shown(void **state)
{
	struct text text = {0};
	(void)state;
	text_add(&text, "{\"leader\":\"L\"");
	assert_false(redact(&by, 0, &text));
	assert_null(text.at);
	assert_false(redact(&by, 0, &text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_names_nobody_stays_to_the_last_digit),
		cmocka_unit_test(test_persons_and_their_words_are_null),
		cmocka_unit_test(test_an_unverified_case_does_not_say_whose_it_is),
		cmocka_unit_test(test_where_an_enterprise_is_named_only_the_course_is_told),
		cmocka_unit_test(test_an_unverified_case_elsewhere_names_no_enterprise),
		cmocka_unit_test(test_no_other_case_alert_or_shelf_leads_to_it),
		cmocka_unit_test(test_an_alert_says_no_more_of_an_enterprise_than_the_page),
		cmocka_unit_test(test_an_event_has_no_subject_where_its_data_have_no_site),
		cmocka_unit_test(test_what_is_withheld_stands_in_no_narrow_list),
		cmocka_unit_test(test_kinds_of_alerts_are_those_of_the_data_at_an_enterprise),
		cmocka_unit_test(test_what_is_no_json_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
