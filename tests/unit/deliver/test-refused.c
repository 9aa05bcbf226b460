/* SPDX-License-Identifier: Apache-2.0 */
/* What the exporter does with what a server refuses: put aside a bad line, and never a good one. */
#include "exporting.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void test_a_bad_line_is_found_and_put_aside_alone(void **state)
{
	(void)state;
	script.poison = "value=103,";
	script.trouble = REPLY("400 Bad", "{\"error\":\"unable to parse 'x': invalid number\"}");
	house_record(&house, HOUSE_PLAIN, 20, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_true(house_wait(&house, OK_LINES, 19));
	assert_int_equal(house_metric(&house, REJECTED), 1);
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 1);
}

static void test_one_line_of_five_thousand_is_found_with_few_requests(void **state)
{
	(void)state;
	char text[1024] = "";
	script.poison = "value=3117,";
	script.trouble =
		REPLY("400 Bad", "{\"code\":\"invalid\",\"message\":\"unable to parse 'x'\"}");
	house_record(&house, HOUSE_PLAIN, 5000, 0);
	struct exporter *exporter = start_with(5000);
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_true(house_wait(&house, OK_LINES, 4999));
	assert_int_equal(house_metric(&house, REJECTED), 1);
	exporter_free(exporter);
	assert_true(responder.n <= 2 * 13); /* 2^13 > 5000 */
	assert_int_equal(read_rejected(text), 1);
	assert_non_null(
		strstr(text, "# {\"code\":\"invalid\",\"message\":\"unable to parse 'x'\"}\n"));
	assert_non_null(strstr(text, " value=3117,"));
}

static void test_a_cursor_waits_until_refused_text_is_on_disk(void **state)
{
	(void)state;
	char path[192];
	script.poison = "value=100,";
	script.trouble = REPLY("400 Bad", "{\"error\":\"unable to parse 'x': invalid number\"}");
	snprintf(path, sizeof path, "%s/rejected", house.directory);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); /* in the way of the directory */
	house_record(&house, HOUSE_PLAIN, 2, 100);
	struct exporter *exporter = start();
	wait_for_failed_lines(4);
	assert_int_equal(house_metric(&house, BACKLOG), 2);
	assert_int_equal(unlink(path), 0);
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 1);
}

static void test_batches_shrink_to_what_a_server_takes(void **state)
{
	(void)state;
	script.most_lines = 3;
	house_record(&house, HOUSE_PLAIN, 20, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, OK_LINES), 20);
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 0);
}

static void test_a_line_that_makes_a_server_fail_is_blamed_when_others_pass(void **state)
{
	(void)state;
	script.poison = "value=100,";
	script.trouble = REPLY("500 Panic", "{\"error\":\"internal\"}");
	house_record(&house, HOUSE_PLAIN, 8, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, OK_LINES), 7);
	assert_int_equal(house_metric(&house, REJECTED), 1);
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 1);
}

static void test_a_server_that_fails_at_everything_costs_no_line(void **state)
{
	(void)state;
	script.trouble = REPLY("500 Full", "{\"error\":\"no space left on device\"}");
	struct exporter *exporter = start();
	for (size_t times = 1; times <= 12; times++) { /* it recovers at any step of the search */
		script.times = responder.n + times;
		house_record(&house, HOUSE_PLAIN, 8, 100);
		exporter_wake(exporter);
		assert_true(house_wait(&house, OK_LINES, (double)times * 8));
	}
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 0);
}

/* InfluxDB 1.6 says of each of 500 bad lines what is wrong with it, in 100 KB. */
static void test_a_long_answer_is_judged_by_its_beginning(void **state)
{
	(void)state;
	static char text[200000];
	int n = snprintf(text, sizeof text,
			 "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n"
			 "{\"error\":\"partial write: unable to parse '");
	memset(text + n, 'x', sizeof text - 1 - (size_t)n);
	script.times = 1;
	script.trouble = text;
	house_record(&house, HOUSE_PLAIN, 3, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, REJECTED), 1);
	exporter_free(exporter);
	assert_int_equal(responder.n, 1);
	assert_int_equal(count_rejected_lines(), 3);
}

static void test_an_endless_answer_is_cut_and_costs_no_line(void **state)
{
	(void)state;
	keeps_everything(responder_endless);
}

static void test_a_partial_write_keeps_the_text_and_goes_on(void **state)
{
	(void)state;
	script.times = 1;
	script.trouble =
		REPLY("400 Bad", "{\"error\":\"partial write: field type conflict dropped=2\"}");
	house_record(&house, HOUSE_PLAIN, 12, 100);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_true(house_wait(&house, OK_LINES, 10));
	assert_int_equal(house_metric(&house, REJECTED), 2);
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 8);
}

static bool is_influx(void *context, const struct open_alert *alert)
{
	size_t *n = context;
	*n += strcmp(alert->key, "fault/delivery/to InfluxDB") == 0;
	return true;
}

static void wait_for_alert(size_t wanted)
{
	int64_t until = servers_now_ms() + 30000;
	size_t n = !wanted;
	while (n != wanted) {
		assert_true(servers_now_ms() < until);
		poll(NULL, 0, 5);
		n = 0;
		assert_int_equal(ledger_open_alerts(house.ledger, is_influx, &n), 0);
	}
}

/* A proxy that loses a header, or a limit of nothing: the lines are good, and the server as well.
 */
static void refuses_everything(const char *trouble, size_t taken_before)
{
	house_record(&house, HOUSE_PLAIN, taken_before, 50);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, OK_LINES, (double)taken_before));
	script.trouble = trouble;
	script.times = FOR_EVER;
	house_record(&house, HOUSE_PLAIN, 30, 100);
	exporter_wake(exporter);
	wait_for_failed_lines(40);
	assert_true(house_metric(&house, BACKLOG) >= 30); /* its alert is an event */
	assert_int_equal(house_metric(&house, REJECTED), 0);
	assert_int_equal(count_rejected_lines(), 0);
	script.times = 0;
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, OK_LINES), taken_before + 30);
	exporter_free(exporter);
}

static void test_a_server_that_can_parse_nothing_costs_no_line(void **state)
{
	(void)state;
	refuses_everything(REPLY("400 Bad", "{\"error\":\"unable to parse '\\u001f'\"}"), 0);
}

static void test_a_server_that_parses_nothing_any_more_costs_no_line(void **state)
{
	(void)state;
	refuses_everything(REPLY("400 Bad", "{\"error\":\"unable to parse '\\u001f'\"}"), 5);
}

static void test_a_server_to_which_everything_is_too_large_costs_no_line(void **state)
{
	(void)state;
	refuses_everything(REPLY("413 Large", "{\"error\":\"Request Entity Too Large\"}"), 5);
}

/* Ten bad ones in a row, @before good ones before them and ten behind. */
static void puts_ten_aside(const char *trouble, size_t before)
{
	script.poison = " value=10"; /* 100 to 109 */
	script.trouble = trouble;
	house_record(&house, HOUSE_PLAIN, before + 20, 100.0 - (double)before);
	struct exporter *exporter = start_with(before + 20);
	assert_true(house_wait(&house, BACKLOG, 0));
	assert_int_equal(house_metric(&house, OK_LINES), before + 10);
	assert_int_equal(house_metric(&house, REJECTED), 10);
	exporter_free(exporter);
	assert_int_equal(count_rejected_lines(), 10);
}

static void test_bad_lines_side_by_side_are_found_by_a_failing_server(void **state)
{
	(void)state;
	puts_ten_aside(REPLY("500 Panic", "{\"error\":\"internal\"}"), 7);
}

static void test_bad_lines_in_front_of_all_others_are_put_aside(void **state)
{
	(void)state;
	puts_ten_aside(REPLY("400 Bad", "{\"message\":\"bad point\"}"), 0);
}

static void test_bad_lines_side_by_side_are_found_by_their_words(void **state)
{
	(void)state;
	puts_ten_aside(REPLY("400 Bad", "{\"error\":\"unable to parse 'x'\"}"), 7);
}

static void test_a_server_that_refuses_everything_is_an_alert(void **state)
{
	(void)state;
	script.trouble = REPLY("400 Bad", "{\"error\":\"unable to parse 'x'\"}");
	script.times = FOR_EVER;
	house_record(&house, HOUSE_PLAIN, 2, 100);
	struct exporter *exporter = start();
	wait_for_alert(1);
	script.times = 0;
	assert_true(house_wait(&house, OK_LINES, 2));
	wait_for_alert(0);
	exporter_free(exporter);
}

static void test_a_failed_fsync_of_refused_text_is_not_tried_again(void **state)
{
	(void)state;
	script.poison = "value=100,";
	script.trouble = REPLY("400 Bad", "{\"error\":\"unable to parse 'x'\"}");
	house_record(&house, HOUSE_PLAIN, 2, 100);
	atomic_store(&failing_sync, true);
	struct exporter *exporter = start();
	int64_t until = servers_now_ms() + 30000;
	while (!atomic_load(&ended)) {
		assert_true(servers_now_ms() < until);
		poll(NULL, 0, 1);
	}
	atomic_store(&failing_sync, false);
	assert_int_equal(house_metric(&house, REJECTED), 0);
	exporter_free(exporter);
	assert_int_equal(readings_cursor(), 0);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		TEST(test_a_bad_line_is_found_and_put_aside_alone),
		TEST(test_one_line_of_five_thousand_is_found_with_few_requests),
		TEST(test_a_cursor_waits_until_refused_text_is_on_disk),
		TEST(test_batches_shrink_to_what_a_server_takes),
		TEST(test_a_line_that_makes_a_server_fail_is_blamed_when_others_pass),
		TEST(test_a_server_that_fails_at_everything_costs_no_line),
		TEST(test_a_long_answer_is_judged_by_its_beginning),
		TEST(test_an_endless_answer_is_cut_and_costs_no_line),
		TEST(test_a_partial_write_keeps_the_text_and_goes_on),
		TEST(test_a_server_that_can_parse_nothing_costs_no_line),
		TEST(test_a_server_that_parses_nothing_any_more_costs_no_line),
		TEST(test_a_server_to_which_everything_is_too_large_costs_no_line),
		TEST(test_bad_lines_side_by_side_are_found_by_a_failing_server),
		TEST(test_bad_lines_in_front_of_all_others_are_put_aside),
		TEST(test_bad_lines_side_by_side_are_found_by_their_words),
		TEST(test_a_server_that_refuses_everything_is_an_alert),
		TEST(test_a_failed_fsync_of_refused_text_is_not_tried_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
