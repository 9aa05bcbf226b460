/* SPDX-License-Identifier: Apache-2.0 */
/* The exporter against the real InfluxDB server. */
#include "deliver/exporter.h"
#include "deliver/influx.h"
#include "house.h"
#include "servers.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define BACKLOG "ducha_influx_backlog"

static struct house house;
static struct influxd influxd;

static int build(void **state)
{
	(void)state;
	house_build(&house);
	influxd_init(&influxd);
	influxd_start(&influxd);
	free(influxd_query(&influxd, "CREATE DATABASE ducha"));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	influxd_deinit(&influxd);
	house_tear_down(&house);
	return 0;
}

static struct exporter *start(void)
{
	struct exporter *exporter;
	const struct exporter_setup setup = {
		.influx = {.url = influxd.url, .database = "ducha", .gzip = true},
		.batch_lines = 500,
		.flush_ms = 20,
		.directory = house.directory,
		.plan = &house.plan,
		.daybook = house.daybook,
		.ledger = house.ledger,
		.metrics = house.metrics,
		.heartbeat = &house.heartbeat};
	assert_int_equal(exporter_new(&exporter, &setup), 0);
	assert_int_equal(exporter_start(exporter), 0);
	return exporter;
}

static enum influx_verdict ask(const char *database, bool gzip, const char *text)
{
	struct influx *influx;
	struct influx_answer answer;
	const struct influx_setup setup = {.url = influxd.url, .database = database, .gzip = gzip};
	assert_int_equal(influx_new(&influx, &setup), 0);
	assert_int_equal(influx_write(influx, text, strlen(text), &answer), 0);
	influx_free(influx);
	return answer.verdict;
}

static void test_the_real_server_words_its_answers_as_expected(void **state)
{
	(void)state;
	assert_int_equal(ask("absent", true, "m v=1 1000000000\n"), INFLUX_REFUSED);
	assert_int_equal(ask("", true, "m v=1 1000000000\n"), INFLUX_REFUSED);
	assert_int_equal(ask("ducha", true, "m v=1 1000000000\n"), INFLUX_ACCEPTED);
	assert_int_equal(ask("ducha", false, "m v=1 2000000000\n"), INFLUX_ACCEPTED);
	assert_int_equal(ask("ducha", true, "m v=\"text\" 3000000000\nm v=2 4000000000\n"),
			 INFLUX_PARTIAL);
	assert_int_equal(ask("ducha", true, "m v=+1 3000000000\nm v=2 5000000000\n"),
			 INFLUX_PARTIAL);
	assert_int_equal(ask("ducha", true, "m v=+1 3000000000\n"), INFLUX_MALFORMED);
	assert_int_equal(influxd_count(&influxd, "m", "v"), 4);
}

static void check_sum(int64_t n, int64_t sum)
{
	char expected[64];
	assert_int_equal(influxd_count(&influxd, "reading", "value"), n);
	char *text = influxd_query(&influxd, "SELECT SUM(value) FROM reading");
	snprintf(expected, sizeof expected, ",%lld]", (long long)sum);
	if (strstr(text, expected) == NULL)
		fail_msg("%s does not have %s", text, expected);
	free(text);
}

static void test_all_rows_arrive_under_their_names(void **state)
{
	(void)state;
	struct exporter *exporter = start();
	house_record(&house, HOUSE_PLAIN, 1200, 0);
	house_record(&house, HOUSE_HOSTILE, 3, 5000);
	house_exceed(&house, 61.3);
	exporter_wake(exporter);
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	check_sum(1203, 1199 * 1200 / 2 + 15003);
	assert_int_equal(influxd_count(&influxd, "case", "value"), 1);
	char *text = influxd_query(&influxd, "SHOW MEASUREMENTS");
	assert_non_null(strstr(text, "[[\"case\"],[\"reading\"]]")); /* the awful name added none */
	free(text);
	text = influxd_query(&influxd, "SELECT value FROM reading WHERE factor = 'w21003'");
	assert_non_null(strstr(text, "[1767225601200000000,5000]"));
	free(text);
}

static void test_a_restart_of_the_server_loses_nothing(void **state)
{
	(void)state;
	struct exporter *exporter = start();
	house_record(&house, HOUSE_PLAIN, 700, 0);
	exporter_wake(exporter);
	assert_true(house_wait(&house, BACKLOG, 0));
	influxd_stop(&influxd);
	house_record(&house, HOUSE_PLAIN, 700, 700);
	exporter_wake(exporter);
	assert_true(house_wait(&house, BACKLOG, 700));
	influxd_start(&influxd);
	house_record(&house, HOUSE_PLAIN, 100, 1400);
	exporter_wake(exporter);
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	check_sum(1500, 1499 * 1500 / 2);
}

static void record_until_killed(const void *context, int said)
{
	(void)context;
	house_open(&house);
	struct exporter *exporter = start();
	int64_t begun = daybook_sequence(house.daybook);
	for (;;) {
		/* one more than the highest on disk, so that lives need not talk to each other */
		int64_t last = daybook_sequence(house.daybook);
		house.seq = (uint64_t)last;
		house_record(&house, HOUSE_PLAIN, 20, (double)last);
		exporter_wake(exporter);
		if (last == begun)
			house_say(said);
		poll(NULL, 0, 2);
	}
}

static void test_a_kill_at_any_moment_loses_no_reading(void **state)
{
	(void)state;
	house_close(&house);
	for (int i = 0; i < 10; i++)
		house_kill_one(record_until_killed, NULL, i * 17);
	house_open(&house);
	int64_t n = daybook_sequence(house.daybook);
	assert_true(n > 0);
	struct exporter *exporter = start();
	assert_true(house_wait(&house, BACKLOG, 0));
	exporter_free(exporter);
	check_sum(n, n * (n - 1) / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!influxd_here()) {
		printf("skipped: there is no /usr/bin/influxd (package influxdb)\n");
		return 77;
	}
	const struct CMUnitTest tests[] = {
		TEST(test_the_real_server_words_its_answers_as_expected),
		TEST(test_all_rows_arrive_under_their_names),
		TEST(test_a_restart_of_the_server_loses_nothing),
		TEST(test_a_kill_at_any_moment_loses_no_reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
