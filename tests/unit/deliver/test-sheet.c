/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/sheet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void escaped(const char *in, const char *out)
{
	struct text text = {0};
	html_text(&text, in);
	assert_string_equal(text.at == NULL ? "" : text.at, out);
	text_deinit(&text);
}

static void test_markup_from_outside_becomes_text(void **state)
{
	(void)state;
	escaped("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
	escaped("\" onload=\"x&amp;", "&quot; onload=&quot;x&amp;amp;");
	escaped("'; DROP TABLE cases; --", "&#39;; DROP TABLE cases; --");
	escaped("青溪 \xf0\x9f\x98\x80", "青溪 \xf0\x9f\x98\x80");
	escaped(NULL, "");
}

static void test_what_hides_or_turns_text_is_shown_as_unknown(void **state)
{
	(void)state;
	escaped("a\xe2\x80\xae"
		"b",
		"a\xef\xbf\xbd"
		"b");                                                            /* U+202E */
	escaped("a\x01\x1b[2J\x7f", "a\xef\xbf\xbd\xef\xbf\xbd[2J\xef\xbf\xbd"); /* controls */
	escaped("\xff\xc0\xaf\xed\xa0\x80",
		"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		"\xef\xbf\xbd");                         /* no UTF-8, overlong, surrogate */
	escaped("\xe9\x9d", "\xef\xbf\xbd\xef\xbf\xbd"); /* cut off */
	escaped("line\nline", "line\nline");
}

static void test_a_million_bytes_are_cut(void **state)
{
	enum { MILLION = 1 << 20 };
	char *long_text = malloc(MILLION + 1);
	struct text text = {0};
	(void)state;
	memset(long_text, '<', MILLION);
	long_text[MILLION] = '\0';
	html_text(&text, long_text);
	assert_true(text.length < 5 * HTML_TEXT_MOST);
	assert_string_equal(text.at + text.length - 3, "\xe2\x80\xa6");
	text_deinit(&text);
	free(long_text);
}

/* One translated text in the form of an MO file. */
static void one_word(struct wording *words, const char *english, const char *chinese)
{
	size_t n = strlen(english) + 1, m = strlen(chinese) + 1, size = 36 + n + m;
	char *data = calloc(1, size);
	const uint32_t head[] = {
		0x950412de,        0, 1, 20, 28, (uint32_t)(n - 1), 36, (uint32_t)(m - 1),
		(uint32_t)(36 + n)};
	memcpy(data, head, sizeof head);
	memcpy(data + 36, english, n);
	memcpy(data + 36 + n, chinese, m);
	assert_int_equal(wording_parse(words, data, size), 0);
}

static void phrased(const char *chinese, const char *out)
{
	static const char english[] = "{site} is above {limit}";
	struct wording words;
	struct text text = {0};
	one_word(&words, english, chinese);
	struct sheet sheet = {.out = &text, .words = &words};
	sheet_phrase(&sheet, english, "site", "<b>{limit}", "limit", "50", NULL);
	assert_string_equal(text.at, out);
	text_deinit(&text);
	wording_deinit(&words);
}

static void test_a_translation_with_other_places_gives_way_to_the_english(void **state)
{
	(void)state;
	phrased("{limit}以上:{site}", "50以上:&lt;b&gt;{limit}");
	phrased("{site}超标", "&lt;b&gt;{limit} is above 50");
	phrased("{site}{limit}{wrong}", "&lt;b&gt;{limit} is above 50");
	phrased("{site%s超过{limit}", "&lt;b&gt;{limit} is above 50");
	phrased("%s%n{site}超过{limit}", "%s%n&lt;b&gt;{limit}超过50");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup_from_outside_becomes_text),
		cmocka_unit_test(test_what_hides_or_turns_text_is_shown_as_unknown),
		cmocka_unit_test(test_a_million_bytes_are_cut),
		cmocka_unit_test(test_a_translation_with_other_places_gives_way_to_the_english),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
