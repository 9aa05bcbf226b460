/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"
#include "core/refused.h"

#include <string.h>

/* As gettext: the same pointer where there is none. */
static const char *german(const char *english)
{
	static const char *const words[][2] = {
		{"the case is accepted already", "schon angenommen"},
		{"{name} may not {action}; it takes the role {roles}",
		 "{action} darf {name} nicht, nur {roles}"},
		{"field \"{field}\" is \"{value}\"; it must be one of {words}",
		 "{field} ist {value}, nicht eines von {words}"},
		{"field \"{field}\" is missing", "{field} fehlt"},
		{"a case that is {status} does not take the action {action}",
		 "{status}: kein {action}"},
		{"the case cannot be closed yet; it lacks: {lacks}", "es fehlen: {lacks}"},
		{"no site \"{value}\"", "kein Ort „{value}“"},
		{"{action} needs {field}", "{action} braucht {field}"},
		{"handling officer", "Sachbearbeiter"},
		{"leading officer", "Leiter"},
		{"approved by", "Billigung"},
		{"registered", "erfasst"},
		{"close", "schließen"},
		{"planned", "geplant"},
		{"more compliant days", "gute Tage"},
		{"a team", "eine Gruppe"},
		{"nothing was recorded", "keine Daten"},
		{"whole days count from {day} on", "ganze Tage ab {day}"},
		{"{valid} of {due} readings are valid, and {needed} are needed",
		 "{valid} von {due}, nötig {needed}"},
		{", ", " / "},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i][0], english) == 0)
			return words[i][1];
	return english;
}

static const char *none(const char *english)
{
	return english;
}

static void says(const char *sentence, const char *wanted)
{
	struct text out = {0};
	refused_say(&out, sentence, german);
	assert_string_equal(out.at, wanted);
	text_clear(&out);
	refused_say(&out, sentence, none);
	assert_string_equal(out.at, sentence);
	text_deinit(&out);
}

static void test_a_whole_sentence_is_translated_as_such(void **state)
{
	(void)state;
	says("the case is accepted already", "schon angenommen");
}

static void test_codes_become_words_and_names_stay(void **state)
{
	(void)state;
	says("Li may not close; it takes the role handler or leader",
	     "schließen darf Li nicht, nur Sachbearbeiter / Leiter");
	says("field \"approved_by\" is missing", "Billigung fehlt");
	says("field \"track\" is \"close\"; it must be one of planned, slow",
	     "track ist close, nicht eines von geplant / slow");
	says("a case that is registered does not take the action close", "erfasst: kein schließen");
	says("close needs approved_by", "schließen braucht Billigung");
}

static void test_what_is_lacking_keeps_its_count(void **state)
{
	(void)state;
	says("the case cannot be closed yet; it lacks: more compliant days (1 of 7); a team",
	     "es fehlen: gute Tage (1 of 7) / eine Gruppe");
}

static void test_each_day_that_does_not_count_says_why(void **state)
{
	(void)state;
	says("the case cannot be closed yet; it lacks: more compliant days (1 of 7); whole days "
	     "count from 2026-03-03 on; 2026-03-05: nothing was recorded; 2026-03-04 w21003: 10 "
	     "of 24 readings are valid, and 18 are needed; 2026-03-03: who knows",
	     "es fehlen: gute Tage (1 of 7) / ganze Tage ab 2026-03-03 / 2026-03-05: keine Daten /"
	     " 2026-03-04 w21003: 10 von 24, nötig 18 / 2026-03-03: who knows");
}

static void test_a_sentence_of_no_form_stays(void **state)
{
	(void)state;
	says("something new went wrong", "something new went wrong");
	says("", "");
	says("no site \"{value}\" \"", "kein Ort „{value}\" “");
	says("no site \"x", "no site \"x");
	says("no site \"\"", "kein Ort „“");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_whole_sentence_is_translated_as_such),
		cmocka_unit_test(test_codes_become_words_and_names_stay),
		cmocka_unit_test(test_what_is_lacking_keeps_its_count),
		cmocka_unit_test(test_each_day_that_does_not_count_says_why),
		cmocka_unit_test(test_a_sentence_of_no_form_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
