/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct site sites[] = {
	{.id = "firm", .name = "Firm", .parties = {.enterprise = "Invented Works"}},
	{.id = "river", .name = "River"},
};
static const struct plan plan = {.sites = sites, .n_sites = 2};

static void becomes(const char *json, bool remarks, const char *expected)
{
	struct text text = {0};
	text_add(&text, json);
	assert_true(redact(&plan, remarks, &text));
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
		becomes(same[i], false, same[i]);
}

static void test_persons_and_their_words_are_null(void **state)
{
	(void)state;
	becomes("{\"data\":{\"responsible\":{\"unit\":\"U\",\"leader\":\"L\",\"team\":\"T\"},"
		"\"history\":[{\"by\":\"B\",\"note\":\"N\",\"checkers\":\"C\"}],\"title\":\"T\","
		"\"attachments\":[{\"name\":\"F\",\"sha256\":\"00\"}]}}",
		false,
		"{\"data\":{\"responsible\":{\"unit\":\"U\",\"leader\":null,\"team\":null},"
		"\"history\":[{\"by\":null,\"note\":null,\"checkers\":null}],\"title\":null,"
		"\"attachments\":[{\"name\":null,\"sha256\":\"00\"}]}}");
	becomes("[{\"reason\":\"sick\",\"until\":\"x\"}]", true,
		"[{\"reason\":null,\"until\":\"x\"}]");
}

static void test_an_unverified_case_does_not_say_whose_it_is(void **state)
{
	(void)state;
	becomes("{\"site\":\"firm\",\"site_name\":\"Firm\",\"verified\":false,\"unit\":\"mg/L\","
		"\"responsible\":{\"unit\":\"Firm\"},\"parties\":{\"enterprise\":\"Firm\","
		"\"permit_no\":\"1\",\"territory\":\"T\"},\"history\":[{\"unit\":\"Firm\"}]}",
		false,
		"{\"site\":\"firm\",\"site_name\":null,\"verified\":false,\"unit\":\"mg/L\","
		"\"responsible\":{\"unit\":null},\"parties\":{\"enterprise\":null,"
		"\"permit_no\":null,\"territory\":\"T\"},\"history\":[{\"unit\":null}]}");
	/* one that the plan no longer has may have been an enterprise's; the next case is its own
	 */
	becomes("[{\"site\":\"gone\",\"verified\":false,\"site_name\":\"G\"},{\"site\":\"river\","
		"\"verified\":false,\"site_name\":\"R\"}]",
		false,
		"[{\"site\":\"gone\",\"verified\":false,\"site_name\":null},{\"site\":\"river\","
		"\"verified\":false,\"site_name\":\"R\"}]");
}

static void test_what_is_no_json_is_not_shown(void **state)
{
	struct text text = {0};
	(void)state;
	text_add(&text, "{\"leader\":\"L\"");
	assert_false(redact(&plan, false, &text));
	assert_null(text.at);
	assert_false(redact(&plan, false, &text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_names_nobody_stays_to_the_last_digit),
		cmocka_unit_test(test_persons_and_their_words_are_null),
		cmocka_unit_test(test_an_unverified_case_does_not_say_whose_it_is),
		cmocka_unit_test(test_what_is_no_json_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
