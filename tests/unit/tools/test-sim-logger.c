/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated data logger, in a time of the test's own; the centre is a socket of the test. */
#include "sim/logger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000 };

#define BORN INT64_C(2209176300000) /* 2040-01-03T12:05:00+08:00 */
#define FIRST                                                                                      \
	"QN=20400103120500000;ST=32;CN=2011;PW=123456;MN=88888880000001;Flag=5;"                   \
	"CP=&&DataTime=20400103120500;w01018-Rtd=38.0,w01018-Flag=N;w00000-Rtd=300,w00000-Flag=N&" \
	"&"
#define FIRST_ANSWER                                                                               \
	"##0077QN=20400103120500000;ST=91;CN=9014;PW=123456;MN=88888880000001;Flag=4;CP=&&&&"

static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};
static const struct zone shanghai = {east, 1};
static struct signal_event dead[] = {{SIGNAL_NAN, 1000, 1000, 0}, {SIGNAL_SILENCE, 2000, 0, 0}};
static struct telegram_factor factors[] = {
	{"w01018", {.base = 38, .low = -1e15, .high = 1e15, .decimals = 1}},
	{"w00000", {.base = 300, .low = -1e15, .high = 1e15}}};
static struct telegram_factor dying[] = {
	{"w01018",
	 {.base = 38, .low = -1e15, .high = 1e15, .decimals = 1, .events = dead, .n_events = 2}}};
static struct logger_absence absence[] = {{3000, 2000}};

static struct logger_setup setup_of(void)
{
	return (struct logger_setup){.id = "works-3",
				     .sender = {.mn = "88888880000001",
						.password = "123456",
						.system = 32,
						.factors = factors,
						.n_factors = 2},
				     .interval_ms = 1000,
				     .timeout_ms = 400};
}

/* --- telegrams --- */

static void test_a_message_is_that_of_the_standard(void **state)
{
	(void)state;
	struct logger_setup setup = setup_of();
	struct text out = {0};
	char qn[TELEGRAM_QN + 1];
	assert_true(telegram_write(&setup.sender, 0, BORN, &shanghai, qn, &out));
	assert_string_equal(qn, "20400103120500000");
	assert_memory_equal(out.at, "##0159" FIRST, 6 + 159);
	assert_int_equal(out.length, 6 + 159 + 6);
	text_deinit(&out);
}

static void test_no_number_is_a_fault_and_silence_is_nothing(void **state)
{
	(void)state;
	struct logger_setup setup = setup_of();
	struct text out = {0};
	char qn[TELEGRAM_QN + 1];
	setup.sender.factors = dying;
	setup.sender.n_factors = 1;
	assert_true(telegram_write(&setup.sender, 1000, BORN, &shanghai, qn, &out));
	assert_non_null(strstr(out.at, ";w01018-Rtd=,w01018-Flag=D&&"));
	assert_false(telegram_write(&setup.sender, 2000, BORN, &shanghai, qn, &out));
	text_deinit(&out);
}

static void test_only_its_own_answer_is_one(void **state)
{
	(void)state;
	static const char good[] = FIRST_ANSWER "5B40\r\n";
	static const char *const others[] = {
		FIRST_ANSWER "5B41\r\n",
		"##0078QN=20400103120500000;ST=91;CN=9014;PW=123456;MN=88888880000001;Flag=4;"
		"CP=&&&&5B40\r\n",
		"##0077QN=20400103120500001;ST=91;CN=9014;PW=123456;MN=88888880000001;Flag=4;"
		"CP=&&&&0B40\r\n",
		"\r\n"};
	size_t used;
	for (size_t n = 0; n < sizeof good - 1; n++) {
		assert_false(telegram_answer(good, n, "20400103120500000", &used));
		assert_int_equal(used, 0);
	}
	assert_true(telegram_answer(good, sizeof good - 1, "20400103120500000", &used));
	assert_int_equal(used, sizeof good - 1);
	assert_false(telegram_answer(good, sizeof good - 1, "20400103120500001", &used));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		assert_false(
			telegram_answer(others[i], strlen(others[i]), "20400103120500000", &used));
		assert_int_equal(used, strlen(others[i]));
	}
}

/* --- a logger and its centre --- */

struct bench {
	struct logger_setup setup;
	struct logger *logger;
	int listener, fd;
	int64_t now_ms;
	char centre[32];
};

static void begin(struct bench *b)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof address;
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(b->listener, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(b->listener, (struct sockaddr *)&address, &n), 0);
	snprintf(b->centre, sizeof b->centre, "127.0.0.1:%u", ntohs(address.sin_port));
	assert_int_equal(logger_new(&b->logger, &b->setup, b->centre, &shanghai), 0);
}

static void step(struct bench *b)
{
	(void)logger_step(b->logger, b->now_ms, BORN + b->now_ms);
}

/* Waits for what the logger is to hear of, and lets it. */
static void step_on_news(struct bench *b)
{
	short events;
	struct pollfd fd = {.fd = logger_fd(b->logger, &events)};
	fd.events = events;
	assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
	step(b);
}

static void let_in(struct bench *b)
{
	assert_int_equal(listen(b->listener, 4), 0);
	step(b);
	b->fd = accept(b->listener, NULL, NULL);
	assert_true(b->fd >= 0);
	step(b);
}

/* The next telegram at the centre. Return: the second at which it was made. */
static int receive(const struct bench *b)
{
	char text[6 + 159 + 6];
	struct pollfd fd = {.fd = b->fd, .events = POLLIN};
	assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(b->fd, text, sizeof text, MSG_WAITALL), sizeof text);
	return (text[9 + 12] - '0') * 10 + text[9 + 13] - '0';
}

/* What it was sent, it hears of. */
static void answer(struct bench *b, int second, const char *check)
{
	char text[128];
	int n = snprintf(text, sizeof text,
			 "##0077QN=204001031205%02d000;ST=91;CN=9014;PW=123456;MN=88888880000001;"
			 "Flag=4;CP=&&&&%s\r\n",
			 second, check);
	assert_int_equal(send(b->fd, text, (size_t)n, MSG_NOSIGNAL), n);
	step_on_news(b);
}

static bool is_quiet(const struct bench *b)
{
	struct pollfd fd = {.fd = b->fd, .events = POLLIN};
	return poll(&fd, 1, 0) == 0;
}

static void end(struct bench *b)
{
	logger_free(b->logger);
	close(b->listener);
	close(b->fd);
}

static void test_each_message_waits_for_the_answer_to_the_one_before(void **state)
{
	(void)state;
	struct bench b = {.setup = setup_of()};
	b.setup.timeout_ms = 5000;
	begin(&b);
	let_in(&b);
	assert_int_equal(receive(&b), 0);
	b.now_ms = 1000;
	step(&b);
	assert_true(is_quiet(&b));
	answer(&b, 0, "5B40");
	assert_int_equal(receive(&b), 1);
	answer(&b, 0, "5B40"); /* of the first: not of this one */
	struct logger_counts c = logger_counts(b.logger);
	assert_true(c.made == 2 && c.answered == 1 && c.again == 0);
	end(&b);
}

static void test_without_an_answer_it_sends_thrice_and_dials_anew(void **state)
{
	(void)state;
	struct bench b = {.setup = setup_of()};
	char byte;
	b.setup.interval_ms = 100000;
	begin(&b);
	let_in(&b);
	for (int i = 0; i < 3; i++, b.now_ms += 400) {
		step(&b);
		assert_int_equal(receive(&b), 0);
	}
	assert_true(is_quiet(&b));
	step(&b);
	assert_int_equal(recv(b.fd, &byte, 1, 0), 0);
	close(b.fd);
	b.now_ms += 1000;
	let_in(&b);
	assert_int_equal(receive(&b), 0);
	answer(&b, 0, "5B40");
	struct logger_counts c = logger_counts(b.logger);
	assert_true(c.made == 1 && c.answered == 1 && c.again == 2);
	end(&b);
}

static void test_what_is_measured_meanwhile_comes_afterwards_in_its_order(void **state)
{
	(void)state;
	static const char *const checks[] = {"5B40", "5780", "4680", "4A40", "6B80", "6740"};
	struct bench b = {.setup = setup_of()};
	b.setup.absences = absence;
	b.setup.n_absences = 1;
	b.setup.timeout_ms = 60000;
	begin(&b);
	for (b.now_ms = 0; b.now_ms < 5000; b.now_ms += 1000)
		step(&b); /* at first nobody listens, then it is away */
	assert_int_equal(listen(b.listener, 4), 0);
	b.now_ms = 4900;
	step(&b);
	assert_int_equal(poll(&(struct pollfd){.fd = b.listener, .events = POLLIN}, 1, 0), 0);
	b.now_ms = 5900;
	let_in(&b);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(receive(&b), i);
		answer(&b, i, checks[i]);
	}
	struct logger_counts c = logger_counts(b.logger);
	assert_true(c.made == 6 && c.answered == 6 && c.again == 0 && c.lost == 0);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_message_is_that_of_the_standard),
		cmocka_unit_test(test_no_number_is_a_fault_and_silence_is_nothing),
		cmocka_unit_test(test_only_its_own_answer_is_one),
		cmocka_unit_test(test_each_message_waits_for_the_answer_to_the_one_before),
		cmocka_unit_test(test_without_an_answer_it_sends_thrice_and_dials_anew),
		cmocka_unit_test(test_what_is_measured_meanwhile_comes_afterwards_in_its_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
