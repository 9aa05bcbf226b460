/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on a stderr that is a pipe: what is said at which level, and how. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int kept_stderr, reading;

static int set_up(void **state)
{
	int ends[2];
	(void)state;
	kept_stderr = dup(STDERR_FILENO);
	if (kept_stderr < 0 || pipe2(ends, O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	close(ends[1]);
	reading = ends[0];
	unsetenv("JOURNAL_STREAM");
	log_open(PRIORITY_INFO);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(reading);
	return dup2(kept_stderr, STDERR_FILENO) < 0 || close(kept_stderr) != 0;
}

/* What was said since the last look. */
static const char *said(void)
{
	static char text[8192];
	ssize_t n = read(reading, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void test_lines_are_plain_where_there_is_no_journal(void **state)
{
	(void)state;
	errno = ENOSPC;
	log_warn("cannot write %d", 7);
	assert_string_equal(said(), "cannot write 7: No space left on device\n");
	log_event(LOGGED_CONNECTION_LOST, ABOUT(.connection = "plain", .error = ETIMEDOUT),
		  "plain: no answer");
	assert_string_equal(said(), "plain: no answer: Connection timed out\n");
}

static void test_a_journal_that_is_somewhere_else_changes_nothing(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_open(PRIORITY_INFO);
	log_info("still plain");
	assert_string_equal(said(), "still plain\n");
}

static void test_outside_text_makes_no_second_line(void **state)
{
	(void)state;
	log_warnx("topic \"%s\"", "a\nb\x1b[2J\x7f");
	assert_string_equal(said(), "topic \"a b [2J \"\n");
}

static void test_a_long_text_is_cut_and_still_a_line(void **state)
{
	(void)state;
	char text[4096];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_warnx("%s", text);
	const char *line = said();
	assert_in_range(strlen(line), 1000, 1100);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static void test_the_level_moves_between_its_ends(void **state)
{
	(void)state;
	log_debug("hidden");
	assert_string_equal(said(), "");
	assert_int_equal(log_shift(1), PRIORITY_DEBUG);
	assert_int_equal(log_shift(1), PRIORITY_DEBUG);
	log_debug("seen");
	assert_string_equal(said(), "seen\n");
	assert_int_equal(log_shift(-1), PRIORITY_INFO);
	assert_int_equal(log_shift(-1), PRIORITY_WARNING);
	assert_int_equal(log_shift(-1), PRIORITY_WARNING);
	log_info("hidden");
	log_event(LOGGED_READY, ABOUT_NOTHING, "hidden");
	log_warnx("seen");
	assert_string_equal(said(), "seen\n");
	assert_string_equal(log_level_name(PRIORITY_WARNING), "warning");
}

static void test_of_many_the_last_is_said_with_their_number(void **state)
{
	(void)state;
	for (int i = 1; i <= 9; i++)
		log_event(LOGGED_WRONG_REPLY, ABOUT(.connection = "noisy", .unit = 3), "noisy %d",
			  i);
	assert_string_equal(said(), "noisy 1\nnoisy 2\nnoisy 3\nnoisy 4\n");
	log_settle(false);
	assert_string_equal(said(), "");
	log_settle(true);
	assert_string_equal(said(), "noisy 9 (5 like it)\n");
}

static void test_alerts_are_never_kept_back(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++)
		log_event(LOGGED_ALERT, ABOUT(.site = "outfall-1"), "%d", i);
	assert_string_equal(said(), "0\n1\n2\n3\n4\n5\n6\n7\n8\n");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_lines_are_plain_where_there_is_no_journal),
		TEST(test_a_journal_that_is_somewhere_else_changes_nothing),
		TEST(test_outside_text_makes_no_second_line),
		TEST(test_a_long_text_is_cut_and_still_a_line),
		TEST(test_the_level_moves_between_its_ends),
		TEST(test_of_many_the_last_is_said_with_their_number),
		TEST(test_alerts_are_never_kept_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
