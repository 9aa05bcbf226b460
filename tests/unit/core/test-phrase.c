/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"
#include "core/phrase.h"

static void say(struct text *out, const char *english, const char *translated, ...)
{
	va_list list;
	va_start(list, translated);
	const struct phrase places = phrase_places(list);
	va_end(list);
	text_clear(out);
	phrase_add(out, english, translated, &places, text_add);
}

static void test_places_are_filled_in_the_order_of_the_language(void **state)
{
	(void)state;
	struct text out = {0};
	say(&out, "{n} of {all}", "{all} 中 {n}", "n", "1", "all", "2", NULL);
	assert_string_equal(out.at, "2 中 1");
	say(&out, "{n}{n}", "{n}{n}", "n", "{n}", NULL);
	assert_string_equal(out.at, "{n}{n}"); /* what is filled in is not looked at again */
	say(&out, "a {b", "a {b", NULL);
	assert_string_equal(out.at, "a {b");
	text_deinit(&out);
}

static void test_a_translation_that_names_other_places_is_not_used(void **state)
{
	(void)state;
	struct text out = {0};
	say(&out, "above {limit}", "高于 {limits}", "limit", "50", NULL);
	assert_string_equal(out.at, "above 50");
	say(&out, "above {limit}", "高于", "limit", "50", NULL);
	assert_string_equal(out.at, "above 50");
	say(&out, "above", "高于 {limit}", "limit", "50", NULL);
	assert_string_equal(out.at, "above");
	text_deinit(&out);
}

static void test_a_place_without_a_text_is_left_empty(void **state)
{
	(void)state;
	struct text out = {0};
	say(&out, "[{a}{b}]", "[{a}{b}]", "a", NULL, "b", "x", NULL);
	assert_string_equal(out.at, "[x]");
	text_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_filled_in_the_order_of_the_language),
		cmocka_unit_test(test_a_translation_that_names_other_places_is_not_used),
		cmocka_unit_test(test_a_place_without_a_text_is_left_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
