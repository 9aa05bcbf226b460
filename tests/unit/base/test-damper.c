/* SPDX-License-Identifier: Apache-2.0 */
/* The damper in virtual time: what is said at once, what is kept, and that the last state is said.
 */
#include "base/damper.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)

static struct log_record about(enum log_message message, const char *connection, const char *text)
{
	struct log_record record = {.message = message};
	snprintf(record.about[ABOUT_CONNECTION], sizeof record.about[0], "%s", connection);
	snprintf(record.text, sizeof record.text, "%s", text);
	return record;
}

static bool offer(struct damper *damper, enum log_message message, const char *connection,
		  int64_t now_ns)
{
	struct log_record record =
		about(message, connection, message == LOGGED_CONNECTION_LOST ? "lost" : "back");
	return damper_offer(damper, &record, now_ns);
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct damper));
	return *state == NULL;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void test_changes_now_and_then_are_all_said(void **state)
{
	struct log_record out;
	for (int hour = 0; hour < 100; hour++) {
		int64_t now = hour * 60 * MINUTE;
		assert_true(offer(*state, LOGGED_CONNECTION_LOST, "line", now));
		assert_true(offer(*state, LOGGED_CONNECTION_BACK, "line", now + SECOND));
		assert_false(damper_due(*state, now + 30 * MINUTE, false, &out));
	}
}

static void test_the_last_of_many_is_said_with_their_number(void **state)
{
	struct log_record out;
	for (int i = 0; i < 25; i++)
		assert_int_equal(offer(*state,
				       i % 2 == 0 ? LOGGED_CONNECTION_LOST : LOGGED_CONNECTION_BACK,
				       "line", i * SECOND),
				 i < DAMPER_AT_ONCE);
	assert_false(damper_due(*state, MINUTE - 1, false, &out));
	assert_true(damper_due(*state, MINUTE, false, &out));
	assert_int_equal(out.times, 25 - DAMPER_AT_ONCE);
	assert_int_equal(out.message, LOGGED_CONNECTION_LOST);
	assert_string_equal(out.text, "lost");
	assert_false(damper_due(*state, MINUTE, false, &out));
}

static void test_a_night_of_flapping_costs_some_lines(void **state)
{
	struct log_record out;
	int said = 0;
	for (int64_t now = 0; now < 12 * 60 * MINUTE; now += SECOND) {
		said += offer(*state, LOGGED_CONNECTION_LOST, "line", now);
		said += damper_due(*state, now, false, &out);
	}
	assert_in_range(said, 15, 25);
}

static void test_an_interval_without_any_ends_it(void **state)
{
	struct log_record out;
	for (int i = 0; i < 10; i++)
		offer(*state, LOGGED_CONNECTION_LOST, "line", i * SECOND);
	assert_true(damper_due(*state, MINUTE, false, &out));
	assert_false(offer(*state, LOGGED_CONNECTION_LOST, "line", 2 * MINUTE));
	assert_true(damper_due(*state, 3 * MINUTE, false, &out));
	assert_int_equal(out.times, 1);
	assert_true(offer(*state, LOGGED_CONNECTION_LOST, "line", 7 * MINUTE));
}

static void test_what_is_kept_is_said_at_the_end(void **state)
{
	struct log_record out;
	for (int i = 0; i < 6; i++)
		offer(*state, LOGGED_CONNECTION_LOST, "line", i);
	assert_true(damper_due(*state, 10, true, &out));
	assert_int_equal(out.times, 2);
	assert_false(damper_due(*state, 10, true, &out));
}

static void test_subjects_and_topics_do_not_share(void **state)
{
	for (int i = 0; i < 10; i++)
		offer(*state, LOGGED_CONNECTION_LOST, "line", i);
	assert_false(offer(*state, LOGGED_CONNECTION_BACK, "line", 20));
	assert_true(offer(*state, LOGGED_CONNECTION_LOST, "other", 20));
	assert_true(offer(*state, LOGGED_WRONG_REPLY, "line", 20));
}

static void test_more_subjects_than_slots_are_said_undamped(void **state)
{
	struct log_record out;
	char id[16];
	for (int i = 0; i < DAMPER_SLOTS + 10; i++)
		for (int j = 0; j < 6; j++) {
			snprintf(id, sizeof id, "line-%d", i);
			assert_int_equal(offer(*state, LOGGED_CONNECTION_LOST, id, j),
					 j < DAMPER_AT_ONCE || i >= DAMPER_SLOTS);
		}
	for (int i = 0; i < DAMPER_SLOTS; i++)
		assert_true(damper_due(*state, MINUTE + 6, false, &out));
	assert_false(damper_due(*state, MINUTE + 6, false, &out));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_changes_now_and_then_are_all_said),
		TEST(test_the_last_of_many_is_said_with_their_number),
		TEST(test_a_night_of_flapping_costs_some_lines),
		TEST(test_an_interval_without_any_ends_it),
		TEST(test_what_is_kept_is_said_at_the_end),
		TEST(test_subjects_and_topics_do_not_share),
		TEST(test_more_subjects_than_slots_are_said_undamped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
