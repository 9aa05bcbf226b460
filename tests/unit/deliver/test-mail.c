/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *english(const char *word)
{
	return word;
}

static void write_mail(struct text *out, const char *data, const char *dossier)
{
	static const struct plan plan = {.node = "edge-01", .office = "五华区环保督察办"};
	static const char *const to[] = {"a@office.example", "b@office.example"};
	struct text json = {0};
	text_format(&json, "{\"id\":\"7\",\"data\":%s}", data);
	struct outbox_event event = {.id = 7, .case_id = 3, .type = "case.opened", .json = json.at};
	const struct mail mail = {.plan = &plan,
				  .from = "ducha@edge.example",
				  .to = to,
				  .n_to = 2,
				  .now_ms = 1767225845000,
				  .translate = english,
				  .event = &event,
				  .dossier = dossier,
				  .dossier_bytes = dossier == NULL ? 0 : strlen(dossier)};
	mail_write(&mail, out);
	assert_false(out->failed);
	text_deinit(&json);
}

/* Every line ends with CRLF, is of at most 78 bytes, and of plain ASCII. */
static void check_lines(const char *at)
{
	while (*at != '\0') {
		const char *end = strstr(at, "\r\n");
		assert_non_null(end);
		if (end - at > 78)
			fail_msg("long line: %.*s", (int)(end - at), at);
		for (; at < end; at++)
			if (*at == '\n' || *at == '\r' || *at < ' ' || *at > '~')
				fail_msg("byte %d in a line", *at);
		at = end + 2;
	}
}

static int count(const char *text, const char *word)
{
	int n = 0;
	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

static void test_a_mail_has_its_headers_and_parts(void **state)
{
	(void)state;
	struct text out = {0};
	write_mail(&out, "{\"number\":\"T-1\",\"site_name\":\"Bend\",\"kind\":\"exceedance\"}",
		   "<p>dossier</p>");
	check_lines(out.at);
	assert_non_null(strstr(out.at, "Date: Thu, 01 Jan 2026 00:04:05 +0000\r\n"));
	assert_non_null(strstr(out.at, "From: <ducha@edge.example>\r\n"));
	assert_non_null(strstr(out.at, "To: <a@office.example>,\r\n <b@office.example>\r\n"));
	assert_non_null(strstr(out.at, "Subject: [edge-01] case opened T-1 Bend exceedance\r\n"));
	assert_non_null(strstr(out.at, "Message-ID: <edge-01-7@edge.example>\r\n"));
	assert_non_null(strstr(out.at, "References: <edge-01-case-3@edge.example>\r\n"));
	assert_non_null(strstr(out.at, "filename=\"dossier.html\"\r\n\r\nPHA+ZG9zc2llcjwvcD4="));
	text_deinit(&out);
}

static void test_no_text_becomes_a_header_or_a_part(void **state)
{
	(void)state;
	static const char evil[] =
		"{\"number\":\"1\\r\\nBcc: all@elsewhere.example\\r\\n\\r\\nhello\","
		"\"site_name\":\"=?UTF-8?B?DQpCY2M6IHg=?= \\n.\\n\","
		"\"title\":\"--=_ducha_part--\\r\\n.\\r\\n<script>\",\"kind\":\"%s%n\"}";
	struct text out = {0};
	write_mail(&out, evil, NULL);
	check_lines(out.at);
	const char *body = strstr(out.at, "\r\n\r\n");
	assert_int_equal(count(out.at, "\r\nBcc"), 0);
	assert_int_equal(count(out.at, "\r\nSubject: =?UTF-8?B?"), 1);
	assert_int_equal(count(out.at, "\r\n--=_ducha_part"), 2);
	assert_int_equal(count(body, "Bcc"), 0);
	assert_int_equal(count(out.at, "\r\n.\r\n"), 0);
	text_deinit(&out);
}

static void test_a_long_text_stays_in_bounds(void **state)
{
	(void)state;
	enum { N = 1 << 20 };
	struct text out = {0}, data = {0};
	text_add(&data, "{\"site_name\":\"");
	for (size_t i = 0; i < N / 3; i++)
		text_add(&data, "河");
	text_add(&data, "\"}");
	write_mail(&out, data.at, NULL);
	check_lines(out.at);
	const char *subject = strstr(out.at, "Subject: ");
	assert_non_null(subject);
	assert_true(strstr(subject, "\r\nMessage-ID") - subject < 1000);
	text_deinit(&data);
	text_deinit(&out);
}

static void test_words_break_between_characters(void **state)
{
	(void)state;
	struct text out = {0};
	mail_word(&out, "plain", 9);
	assert_string_equal(out.at, "plain");
	text_clear(&out);
	mail_word(&out, "盘龙江三号污水处理厂总排口化学需氧量超标", 9);
	assert_string_equal(out.at,
			    "=?UTF-8?B?55uY6b6Z5rGf5LiJ5Y+35rGh5rC05aSE55CG5Y6C5oC75o6S5Y+j?=\r\n"
			    " =?UTF-8?B?5YyW5a2m6ZyA5rCn6YeP6LaF5qCH?=");
	text_clear(&out);
	mail_word(&out, "=?UTF-8?Q?x?=", 9); /* what looks like a word is one */
	assert_string_equal(out.at, "=?UTF-8?B?PT9VVEYtOD9RP3g/PQ==?=");
	text_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mail_has_its_headers_and_parts),
		cmocka_unit_test(test_no_text_becomes_a_header_or_a_part),
		cmocka_unit_test(test_a_long_text_stays_in_bounds),
		cmocka_unit_test(test_words_break_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
