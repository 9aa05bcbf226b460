/* SPDX-License-Identifier: Apache-2.0 */
#include "duchactl/options.h"
#include "duchactl/sse.h"
#include "duchactl/table.h"
#include "duchactl/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- server-sent events --- */

static void note_event(void *context, const struct sse_event *event)
{
	text_format(context, "[%s|%s|%s]", event->id, event->type, event->data);
}

static void note_comment(void *context, const char *comment)
{
	text_format(context, "<%s>", comment);
}

static const char stream[] = ": at 4\n\nid: 5\nevent: a.b\ndata: {\"x\":1}\n\n"
			     "data:one\r\ndata: two\r\n\r\nid\ndata\n\n: ping\n\nevent: lost\n\n"
			     "data: cut off";
static const char wanted[] = "< at 4>[5|a.b|{\"x\":1}][5||one\ntwo][||]< ping>";

static void test_a_stream_is_read_in_pieces_of_any_size(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= sizeof stream; piece++) {
		struct text seen = {0};
		struct sse sse = {.fn = note_event, .comment = note_comment, .context = &seen};
		for (size_t at = 0; at < sizeof stream - 1; at += piece) {
			size_t left = sizeof stream - 1 - at;
			assert_true(sse_feed(&sse, stream + at, left < piece ? left : piece));
		}
		assert_string_equal(seen.at, wanted);
		text_deinit(&seen);
		sse_deinit(&sse);
	}
}

static void test_what_was_half_read_is_forgotten_with_the_connection(void **state)
{
	struct text seen = {0};
	struct sse sse = {.fn = note_event, .context = &seen};
	(void)state;
	assert_true(sse_feed(&sse, "id: 1\ndata: hal", 15));
	sse_restart(&sse);
	assert_true(sse_feed(&sse, "data: whole\n\n", 13));
	assert_string_equal(seen.at, "[1||whole]");
	text_deinit(&seen);
	sse_deinit(&sse);
}

static void test_a_line_without_end_is_given_up(void **state)
{
	struct sse sse = {.fn = note_event};
	char block[65536];
	size_t n = 0;
	(void)state;
	memset(block, 'x', sizeof block);
	while (n < 64 && sse_feed(&sse, block, sizeof block))
		n++;
	assert_int_equal(n, SSE_LINE_BYTES_MOST / sizeof block);
	sse_deinit(&sse);
}

/* --- tables --- */

static void test_columns_align_though_characters_are_wide(void **state)
{
	static const char *const cells[] = {"SITE", "VALUE", "三号排口", "1", "a", "22.5"};
	struct table table = {.columns = 2, .right = 1u << 1};
	struct text out = {0};
	(void)state;
	for (size_t i = 0; i < 6; i++)
		table_cell(&table, cells[i]);
	table_print(&table, &out);
	assert_string_equal(out.at, "SITE      VALUE\n"
				    "三号排口      1\n"
				    "a          22.5\n");
	text_deinit(&out);
	table_deinit(&table);
}

static void test_text_from_outside_cannot_command_the_terminal(void **state)
{
	struct text out = {0};
	(void)state;
	words_clean(&out, "a\033[2Jb\x07\nc\tz\xc2\x9b"
			  "d\xff");
	assert_string_equal(out.at, "a?[2Jb? c z?d\xef\xbf\xbd");
	text_deinit(&out);
}

/* --- options --- */

static bool read(struct ctl_options *options, struct text *error, const char *line)
{
	static char buffer[256];
	char *argv[16] = {buffer};
	int argc = 0;
	strcpy(buffer, line);
	for (char *word = strtok(buffer, " "); word != NULL; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	text_clear(error);
	return options_read(argc, argv, options, error);
}

static void test_options_may_stand_before_and_after_the_verb(void **state)
{
	struct ctl_options o;
	struct text error = {0};
	(void)state;
	assert_true(read(&o, &error, "duchactl -s /x --json tail -n 3 --site s"));
	assert_int_equal(o.verb, VERB_TAIL);
	assert_string_equal(o.socket, "/x");
	assert_true(o.json);
	assert_int_equal(o.lines, 3);
	assert_string_equal(o.site, "s");
	assert_true(read(&o, &error, "duchactl readings s f --since 2d --csv -s /y"));
	assert_string_equal(o.socket, "/y");
	assert_string_equal(o.factor, "f");
	assert_int_equal(o.since_s, 2 * 86400);
	assert_true(o.csv);
	assert_true(read(&o, &error, "duchactl case 7 close --by a --note b"));
	assert_string_equal(o.action, "close");
	assert_string_equal(o.note, "b");
	assert_true(read(&o, &error, "duchactl --socket=/z cases --all"));
	assert_string_equal(o.socket, "/z");
	assert_true(o.all);
	text_deinit(&error);
}

static void test_the_socket_has_its_defaults(void **state)
{
	struct ctl_options o;
	struct text error = {0};
	(void)state;
	unsetenv("DUCHA_SOCKET");
	assert_true(read(&o, &error, "duchactl status"));
	assert_string_equal(o.socket, "/run/ducha/duchad.sock");
	setenv("DUCHA_SOCKET", "/tmp/env.sock", 1);
	assert_true(read(&o, &error, "duchactl status"));
	assert_string_equal(o.socket, "/tmp/env.sock");
	unsetenv("DUCHA_SOCKET");
	text_deinit(&error);
}

static void test_durations_have_a_unit(void **state)
{
	int64_t s;
	(void)state;
	assert_true(duration_read("90s", &s) && s == 90);
	assert_true(duration_read("30m", &s) && s == 1800);
	assert_true(duration_read("1h", &s) && s == 3600);
	assert_true(duration_read("2d", &s) && s == 172800);
	static const char *const bad[] = {"",    "1",   "h",    "1x",          "0s",
					  "-1h", "1hh", "1.5h", "9999999999s", "4000d"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(duration_read(bad[i], &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stream_is_read_in_pieces_of_any_size),
		cmocka_unit_test(test_what_was_half_read_is_forgotten_with_the_connection),
		cmocka_unit_test(test_a_line_without_end_is_given_up),
		cmocka_unit_test(test_columns_align_though_characters_are_wide),
		cmocka_unit_test(test_text_from_outside_cannot_command_the_terminal),
		cmocka_unit_test(test_options_may_stand_before_and_after_the_verb),
		cmocka_unit_test(test_the_socket_has_its_defaults),
		cmocka_unit_test(test_durations_have_a_unit),
	};
	words_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
