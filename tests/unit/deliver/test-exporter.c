/* SPDX-License-Identifier: Apache-2.0 */
#include "exporting.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void test_every_line_goes_once_in_order_and_in_batches(void **state)
{
	(void)state;
	char value[32];
	house_record(&house, HOUSE_PLAIN, 20, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_true(house_wait(&house, OK_LINES, 20));
	exporter_free(exporter);
	assert_int_equal(readings_cursor(), daybook_sequence(house.daybook));
	assert_int_equal(responder.n, 3);
	for (size_t i = 0; i < 20; i++) {
		snprintf(value, sizeof value, " value=%zu,", 100 + i);
		assert_non_null(strstr(responder.bodies[i / 8], value));
	}
	assert_int_equal(count_lines(responder.bodies[0]), 8);
	assert_int_equal(count_lines(responder.bodies[2]), 4);
}

static void test_a_restart_sends_nothing_again(void **state)
{
	(void)state;
	house_record(&house, HOUSE_PLAIN, 3, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	house_close(&house);
	house_open(&house);
	exporter = start();
	house_record(&house, HOUSE_PLAIN, 1, 200);
	exporter_wake(exporter);
	assert_true(house_wait(&house, OK_LINES, 1));
	exporter_free(exporter);
	assert_int_equal(responder.n, 2);
	assert_int_equal(count_lines(responder.bodies[1]), 1);
	assert_non_null(strstr(responder.bodies[1], "value=200,"));
}

static void check_each_request_is_the_first(size_t n)
{
	for (size_t i = 1; i < n && i < RESPONDER_KEPT; i++)
		assert_string_equal(responder.bodies[0], responder.bodies[i]);
}

/* The same bytes come again until they are taken, and no sooner does the cursor move. */
static void repeats_until_taken(const char *trouble)
{
	script.trouble = trouble;
	script.times = FOR_EVER;
	house_record(&house, HOUSE_PLAIN, 3, 100);
	struct exporter *exporter = start();
	wait_for_failed_lines(2 * 3);
	assert_int_equal(house_metric(&house, BACKLOG), 3);
	assert_int_equal(readings_cursor(), 0);
	script.times = 0;
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, OK_LINES), 3);
	exporter_free(exporter);
	assert_int_equal(readings_cursor(), 3);
	assert_true(responder.n >= 3);
	check_each_request_is_the_first(responder.n);
	assert_int_equal(count_rejected_lines(), 0);
}

static void test_a_reset_connection_repeats_the_same_bytes(void **state)
{
	(void)state;
	repeats_until_taken(responder_reset);
}

static void test_a_reset_in_the_middle_of_an_answer_repeats_the_same_bytes(void **state)
{
	(void)state;
	repeats_until_taken(responder_half);
}

static void test_a_slow_answer_is_waited_for(void **state)
{
	(void)state;
	script.times = 1;
	script.trouble = responder_trickle;
	house_record(&house, HOUSE_PLAIN, 3, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	assert_int_equal(responder.n, 1);
}

static void test_a_bad_gateway_repeats_the_same_bytes(void **state)
{
	(void)state;
	repeats_until_taken(REPLY("502 Bad", ""));
}

static void waits_as_asked(const char *trouble)
{
	int64_t began = servers_now_ms();
	script.trouble = trouble;
	script.times = 1;
	house_record(&house, HOUSE_PLAIN, 3, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_true(servers_now_ms() - began >= 1000); /* whatever the load */
	exporter_free(exporter);
	assert_int_equal(responder.n, 2);
	check_each_request_is_the_first(responder.n);
}

static void test_a_server_that_asks_for_a_wait_gets_the_same_bytes_later(void **state)
{
	(void)state;
	waits_as_asked("HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nConnection: close\r\n\r\n");
}

static void test_too_many_requests_waits_as_asked(void **state)
{
	(void)state;
	waits_as_asked("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nConnection: close\r\n\r\n");
}

static void test_a_page_with_200_is_not_taken_for_stored(void **state)
{
	(void)state;
	script.times = FOR_EVER;
	script.trouble = REPLY("200 OK", "<html>welcome</html>");
	house_record(&house, HOUSE_PLAIN, 3, 100);
	struct exporter *exporter = start();
	wait_for_failed_lines(3);
	assert_int_equal(house_metric(&house, BACKLOG), 3);
	exporter_free(exporter);
	assert_int_equal(readings_cursor(), 0);
}

static void test_a_missing_database_keeps_everything(void **state)
{
	(void)state;
	keeps_everything(REPLY("404 None", "{\"error\":\"database not found: \\\"ducha\\\"\"}"));
}

static void test_a_refused_token_keeps_everything(void **state)
{
	(void)state;
	keeps_everything(REPLY("401 No", "{\"code\":\"unauthorized\",\"message\":\"x\"}"));
}

static void test_case_events_go_too_and_only_they_count_as_backlog(void **state)
{
	(void)state;
	script.times = FOR_EVER;
	script.trouble = REPLY("502 Bad", "");
	house_record(&house, HOUSE_PLAIN, 2, 100);
	house_warn(&house, true);
	house_exceed(&house, 61.3); /* alert.raised and case.opened */
	house_warn(&house, false);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 3));
	script.times = 0;
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_true(house_wait(&house, OK_LINES, 3));
	exporter_free(exporter);
	bool found = false;
	for (size_t i = 0; i < responder.n; i++)
		found |= strstr(responder.bodies[i],
				"case,factor=w01018,kind=exceedance,node=edge-01,"
				"site=bend-3 id=1i,event=\"opened\",value=61.3,"
				"limit=50,head=\"") != NULL;
	assert_true(found);
	assert_int_equal(ledger_cursor(house.ledger, "influx/events", -1),
			 ledger_event_last(house.ledger));
}

static void test_a_cursor_beyond_the_daybook_sends_all_of_it(void **state)
{
	(void)state;
	house_record(&house, HOUSE_PLAIN, 2, 100);
	assert_int_equal(ledger_put_cursor(house.ledger, "influx/readings", 1000), 0);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, OK_LINES, 2));
	exporter_free(exporter);
	assert_int_equal(readings_cursor(), 2);
}

/* A server that notes what it got: at which request a value first came. */
enum { MOST_VALUES = 8192 };
static struct {
	_Atomic size_t came[MOST_VALUES]; /* the request's number from 1, 0: not yet */
	_Atomic bool away;
} ledger;

static const char *note(void *context, const char *body, size_t n)
{
	(void)context;
	if (atomic_load(&ledger.away))
		return REPLY("502 Bad", "");
	poll(NULL, 0, 1); /* what is caught up takes a while */
	for (const char *at = body; (at = strstr(at, " value=")) != NULL; at++) {
		size_t value = strtoul(at + 7, NULL, 10), none = 0;
		assert_true(value < MOST_VALUES);
		atomic_compare_exchange_strong(&ledger.came[value], &none, n + 1);
	}
	return RESPONDER_204;
}

static void use_noting_server(void)
{
	responder_stop(&responder);
	memset(&ledger, 0, sizeof ledger);
	responder_start(&responder, note, NULL);
}

static void wait_for_value(size_t value)
{
	int64_t until = servers_now_ms() + 30000;
	while (atomic_load(&ledger.came[value]) == 0) {
		assert_true(servers_now_ms() < until);
		poll(NULL, 0, 1);
	}
}

static void check_all_came(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (atomic_load(&ledger.came[i]) == 0)
			fail_msg("%zu of %zu never came", i, n);
}

static void test_what_is_new_goes_ahead_of_a_backlog(void **state)
{
	(void)state;
	use_noting_server();
	house_record(&house, HOUSE_PLAIN, 4000, 0);
	struct exporter *exporter = start();
	wait_for_value(0);
	house_record(&house, HOUSE_PLAIN, 10, 4000);
	exporter_wake(exporter);
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	check_all_came(4010);
	assert_true(ledger.came[4009] < ledger.came[3900]);
	assert_true(ledger.came[3999] < ledger.came[2000]); /* the newest at its start, too */
	assert_int_equal(readings_cursor(), daybook_sequence(house.daybook));
}

/* The second outage makes what went ahead old, too; a stop in between changes nothing. */
static void test_two_outages_and_a_restart_while_catching_up_lose_nothing(void **state)
{
	(void)state;
	use_noting_server();
	house_record(&house, HOUSE_PLAIN, 2000, 0);
	struct exporter *exporter = start();
	wait_for_value(1999);
	atomic_store(&ledger.away, true);
	exporter_free(exporter);
	house_record(&house, HOUSE_PLAIN, 5000, 2000);
	house_close(&house);
	house_open(&house);
	exporter = start();
	wait_for_failed_lines(8);
	assert_true(house_metric(&house, BACKLOG) >= 5000);
	atomic_store(&ledger.away, false);
	wait_for_value(6999);
	assert_true(house_metric(&house, BACKLOG) > 0);
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	check_all_came(7000);
	assert_true(ledger.came[6999] < ledger.came[6000]);
}

static void test_a_stop_does_not_wait_for_a_silent_server(void **state)
{
	(void)state;
	script.times = FOR_EVER;
	script.trouble = responder_silence;
	house_record(&house, HOUSE_PLAIN, 2, 100);
	struct exporter *exporter = start();
	while (responder.n == 0)
		poll(NULL, 0, 5);
	exporter_stop(exporter);
	assert_int_equal(house_metric(&house, ERRORS), 0); /* it did not wait for the time limit */
	exporter_free(exporter);
	assert_int_equal(readings_cursor(), 0);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		TEST(test_every_line_goes_once_in_order_and_in_batches),
		TEST(test_a_restart_sends_nothing_again),
		TEST(test_a_reset_connection_repeats_the_same_bytes),
		TEST(test_a_reset_in_the_middle_of_an_answer_repeats_the_same_bytes),
		TEST(test_a_slow_answer_is_waited_for),
		TEST(test_a_bad_gateway_repeats_the_same_bytes),
		TEST(test_a_server_that_asks_for_a_wait_gets_the_same_bytes_later),
		TEST(test_too_many_requests_waits_as_asked),
		TEST(test_a_page_with_200_is_not_taken_for_stored),
		TEST(test_a_missing_database_keeps_everything),
		TEST(test_a_refused_token_keeps_everything),
		TEST(test_case_events_go_too_and_only_they_count_as_backlog),
		TEST(test_a_cursor_beyond_the_daybook_sends_all_of_it),
		TEST(test_what_is_new_goes_ahead_of_a_backlog),
		TEST(test_two_outages_and_a_restart_while_catching_up_lose_nothing),
		TEST(test_a_stop_does_not_wait_for_a_silent_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
