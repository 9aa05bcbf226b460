/* SPDX-License-Identifier: Apache-2.0 */
/* Data loggers that dial in: what is taken of them, what is answered, and when. */
#include "drivers/driver.h"
#include "drivers/hj212/frame.h"
#include "drivers/hj212/internal.h"
#include "fake-door.h"
#include "flow/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 20000, ROUNDS = 4 };

#define MN "88888880000001"
#define QN "20400103040506007"
#define ANSWER "##0077QN=" QN ";ST=91;CN=9014;PW=123456;MN=" MN ";Flag=4;CP=&&&&B541\r\n"

static const struct hj212_point points[] = {
	{.monitor = 0, .mn = MN, .factor = "w01018", .field = HJ212_RTD, .scale = 1},
	{.monitor = 1, .mn = MN, .factor = "w00000", .field = HJ212_RTD, .scale = 1},
	{.monitor = 2, .mn = "A", .factor = "w01018", .field = HJ212_RTD, .scale = 1},
};

struct bench {
	struct door *door;
	struct loop *loop;
	struct metrics *metrics;
	_Atomic uint64_t rounds;
	pthread_t thread;
	void *driver;
	struct hj212_connection connection, next;
	char listen[32];
	uint16_t port;
	int reserved; /* keeps the port ours while nobody listens */
};

static void *bench_run(void *context)
{
	struct bench *bench = context;
	(void)loop_run(bench->loop, &bench->rounds);
	return NULL;
}

static int reserve(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static struct driver_host host_of(const struct bench *bench)
{
	return (struct driver_host){
		.door = bench->door, .loop = bench->loop, .metrics = bench->metrics};
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	assert_non_null(bench);
	bench->door = fake_door_new();
	assert_int_equal(loop_new(&bench->loop), 0);
	assert_int_equal(metrics_new(&bench->metrics), 0);
	bench->reserved = reserve(&bench->port);
	snprintf(bench->listen, sizeof bench->listen, "127.0.0.1:%u", bench->port);
	bench->connection = (struct hj212_connection){.id = "loggers",
						      .listen = bench->listen,
						      .idle_ms = 60000,
						      .points = points,
						      .n_points = 3};
	*state = bench;
	return 0;
}

static void start(struct bench *bench)
{
	struct driver_host host = host_of(bench);
	assert_int_equal(hj212_driver.start(&host, &bench->connection, 1, &bench->driver), 0);
	assert_int_equal(pthread_create(&bench->thread, NULL, bench_run, bench), 0);
}

static int tear_down(void **state)
{
	struct bench *bench = *state;
	loop_stop(bench->loop);
	pthread_join(bench->thread, NULL);
	hj212_driver.stop(bench->driver);
	metrics_free(bench->metrics);
	loop_free(bench->loop);
	fake_door_free(bench->door);
	close(bench->reserved);
	free(bench);
	return 0;
}

static int64_t counted(const struct bench *bench, const char *result)
{
	char labels[80];
	snprintf(labels, sizeof labels, "connection=\"loggers\",result=\"%s\"", result);
	return metric_get(metrics_counter(bench->metrics, "ducha_telegrams_total", "", labels));
}

/* --- a logger --- */

static int dial(const struct bench *bench)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(bench->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void say(int fd, const char *data)
{
	char frame[2048];
	size_t n = hj212_frame_write(frame, data, strlen(data));
	assert_int_equal(send(fd, frame, n, MSG_NOSIGNAL), n);
}

static void say_value(int fd, const char *mn, int value)
{
	char data[256];
	snprintf(data, sizeof data,
		 "QN=" QN ";ST=32;CN=2011;PW=123456;MN=%s;Flag=5;"
		 "CP=&&DataTime=20400103040500;w01018-Rtd=%d,w01018-Flag=N&&",
		 mn, value);
	say(fd, data);
}

/* The next so many bytes, which must come. */
static void expect_bytes(int fd, const char *wanted)
{
	char got[256] = "";
	size_t n = strlen(wanted), have = 0;
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	while (have < n) {
		assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
		ssize_t more = recv(fd, got + have, n - have, 0);
		assert_true(more > 0);
		have += (size_t)more;
	}
	assert_string_equal(got, wanted);
}

/* Some rounds of the loop later nothing has come. */
static void expect_silence(struct bench *bench, int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	for (uint64_t from = bench->rounds; bench->rounds < from + ROUNDS;)
		(void)poll(NULL, 0, 1);
	assert_int_equal(poll(&poll_fd, 1, 0), 0);
}

static void expect_end(int fd)
{
	char byte;
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

/* So many, and no more at this moment. */
static void await_samples(struct bench *bench, int64_t n)
{
	assert_true(fake_door_await(bench->door, fake_door_has_samples, n));
	pthread_mutex_lock(&bench->door->lock);
	assert_int_equal(bench->door->n_samples, n);
	pthread_mutex_unlock(&bench->door->lock);
}

/* --- what is taken, and the answer --- */

static void test_a_message_is_answered_when_it_is_stored(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int fd = dial(bench);
	fake_door_release(bench->door, true);
	say(fd, "QN=" QN ";ST=32;CN=2011;PW=123456;MN=" MN ";Flag=5;CP=&&DataTime=20400103040500;"
		"w01018-Rtd=61.3,w01018-Flag=N;w00000-Rtd=36.91,w00000-Flag=M&&");
	await_samples(bench, 2);
	assert_true(fake_door_await(bench->door, fake_door_has_commits, 1));
	expect_silence(bench, fd);
	fake_door_release(bench->door, false);
	expect_bytes(fd, ANSWER);
	const struct sample *samples = bench->door->samples;
	assert_true(samples[0].monitor == 0 && samples[0].value == 61.3);
	assert_true(samples[1].monitor == 1 && samples[1].flag == FLAG_MAINTENANCE);
	assert_true(samples[0].frame == 1 && samples[1].frame == 1);
	assert_int_equal(bench->door->shown_first, 2); /* all of it before any of it */
	const struct fake_frame *kept = &bench->door->frames[0];
	assert_int_equal(kept->kind, FRAME_HJ212);
	assert_memory_equal(kept->asked, "127.0.0.1", kept->n_asked);
	assert_memory_equal(kept->answered, "##0161QN=" QN, 20);
	assert_int_equal(kept->n_answered, 6 + 161 + 6);
	assert_int_equal(counted(bench, "ok"), 1);
	close(fd);
}

static void test_what_is_answered_is_what_was_asked_for(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int fd = dial(bench);
	say(fd, "ST=32;CN=2011;PW=1;MN=" MN ";CP=&&w01018-Rtd=1&&"); /* 2005: none */
	say(fd, "QN=1;ST=32;CN=2011;PW=1;MN=" MN ";Flag=4;CP=&&w01018-Rtd=2&&");
	say(fd, "QN=1;ST=91;CN=9015;PW=123456;MN=" MN ";Flag=9;CP=&&&&");
	expect_bytes(fd, "##0061QN=1;ST=91;CN=9013;PW=123456;MN=" MN ";Flag=8;CP=&&&&2640\r\n");
	say(fd, "ST=32;CN=2031;PW=123456;MN=" MN ";Flag=1;CP=&&w01018-Avg=3&&");
	expect_bytes(fd, "##0056ST=91;CN=9014;PW=123456;MN=" MN ";Flag=0;CP=&&&&35C0\r\n");
	say(fd,
	    "QN=" QN ";ST=32;CN=2051;PW=123456;MN=" MN ";Flag=7;PNUM=2;PNO=1;CP=&&w01018-Avg=4&&");
	expect_bytes(fd, ANSWER);
	await_samples(bench, 2);
	close(fd);
}

static void test_what_is_wrong_is_counted_and_the_session_goes_on(void **state)
{
	struct bench *bench = *state;
	bench->connection.password = "123456";
	start(bench);
	int fd = dial(bench);
	static const char noise[] = "hello ##0007CP=&&&&0000\r\n##12\r\n";
	assert_int_equal(send(fd, noise, sizeof noise - 1, 0), sizeof noise - 1);
	say(fd, "QN=1;ST=32;CN=2011;PW=123456;MN=B;Flag=5;CP=&&w01018-Rtd=1&&");
	say(fd, "QN=1;ST=32;CN=2011;PW=654321;MN=" MN ";Flag=5;CP=&&w01018-Rtd=1&&");
	say(fd, "QN=1;ST=32;CN=2011;MN=" MN ";Flag=5;CP=&&w01018-Rtd=1&&");
	say(fd, "QN=1;ST=32;CN=1062;PW=123456;MN=" MN ";Flag=5;CP=&&RtdInterval=30&&");
	say(fd, "QN=1;ST=32;CN=2011;PW=123456;MN=" MN ";Flag=5;w01018-Rtd=1");
	say(fd, "QN=1;ST=32;CN=2011;PW=123456;MN=" MN ";Flag=9;CP=&&9f3c0a51e7b2d846&&");
	say(fd, "QN=1;ST=32;CN=2011;PW=123456;MN=" MN ";Flag=4;CP=&&w01018-Rtd=1x&&");
	say(fd, "QN=1;ST=80;CN=2011;PW=123456;MN=" MN ";Flag=4;CP=&&w01018-Rtd=7&&");
	say_value(fd, MN, 8);
	expect_bytes(fd, ANSWER);
	expect_silence(bench, fd);
	await_samples(bench, 2);
	assert_true(bench->door->samples[0].value == 7);
	static const struct {
		const char *result;
		int64_t n;
	} wanted[] = {{"crc", 1},     {"length", 1}, {"mn", 1}, {"password", 2},
		      {"command", 1}, {"syntax", 2}, {"ok", 2}, {"system", 1}};
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		assert_int_equal(counted(bench, wanted[i].result), wanted[i].n);
	assert_true(counted(bench, "garbage") >= 1);
	assert_int_equal(metric_get(metrics_counter(bench->metrics, "ducha_unrecorded_total", "",
						    "reason=\"payload\"")),
			 1);
	close(fd);
}

static void test_a_full_ring_lets_the_sender_wait_and_doubles_nothing(void **state)
{
	struct bench *bench = *state;
	bench->door->refuse = 3;
	bench->door->refuse_from = 2;
	start(bench);
	int fd = dial(bench);
	say(fd, "QN=" QN ";ST=32;CN=2011;PW=123456;MN=" MN
		";Flag=5;CP=&&w01018-Rtd=1;w00000-Rtd=2;w01018-Rtd=3;w01018-Rtd=x;w00000-Rtd=4&&");
	expect_bytes(fd, ANSWER);
	await_samples(bench, 4);
	for (int i = 0; i < 4; i++)
		assert_true(bench->door->samples[i].value == i + 1);
	assert_int_equal(metric_get(metrics_counter(bench->metrics, "ducha_unrecorded_total", "",
						    "reason=\"payload\"")),
			 1);
	close(fd);
}

static void test_while_half_of_the_ring_waits_nothing_is_taken(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int fd = dial(bench);
	fake_door_crowd(bench->door, true);
	say_value(fd, MN, 1);
	expect_silence(bench, fd);
	await_samples(bench, 0);
	fake_door_crowd(bench->door, false);
	expect_bytes(fd, ANSWER);
	await_samples(bench, 1);
	assert_int_equal(counted(bench, "ok"), 1);
	close(fd);
}

/* --- many --- */

static void test_who_sends_is_said_by_the_message_and_not_by_the_connection(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int one = dial(bench), other = dial(bench);
	say_value(one, "A", 1);
	say_value(one, MN, 2);
	await_samples(bench, 2);
	say_value(other, MN, 3);
	await_samples(bench, 3);
	static const uint32_t monitors[] = {2, 0, 0};
	for (int i = 0; i < 3; i++)
		assert_int_equal(bench->door->samples[i].monitor, monitors[i]);
	expect_bytes(other, ANSWER);
	expect_silence(bench, other);
	close(one);
	close(other);
}

static int64_t seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* Each byte of this noise is a telegram without a length. */
static void flood(int fd)
{
	char noise[4096];
	memset(noise, '#', sizeof noise);
	while (send(fd, noise, sizeof noise, MSG_DONTWAIT) > 0)
		;
}

static void test_nobody_holds_up_another(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int half = dial(bench), deaf = dial(bench), mad = dial(bench), good = dial(bench);
	static const char part[] = "##9999QN=";
	assert_int_equal(send(half, part, sizeof part - 1, 0), sizeof part - 1);
	flood(mad);
	say_value(deaf, MN, 1);
	say_value(good, MN, 2);
	expect_bytes(good, ANSWER);
	int fds[] = {half, deaf, mad, good};
	for (size_t i = 0; i < 4; i++)
		close(fds[i]);
}

static void test_so_many_bytes_are_read_in_a_second_and_no_more(void **state)
{
	struct bench *bench = *state;
	int64_t from_s = seconds();
	start(bench);
	int fd = dial(bench);
	while (counted(bench, "length") < SECOND_MOST - 1)
		flood(fd);
	for (uint64_t from = bench->rounds; bench->rounds < from + 25 * ROUNDS;)
		flood(fd);
	int64_t n = counted(bench, "length");
	assert_true(n <= (seconds() - from_s + 2) * (SECOND_MOST + HJ212_FRAME_MOST));
	close(fd);
}

static void test_so_many_answers_are_owed_and_no_more(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int fd = dial(bench), other = dial(bench);
	fake_door_release(bench->door, true);
	for (int i = 0; i < 40; i++)
		say_value(fd, MN, i);
	await_samples(bench, 32);
	expect_silence(bench, fd);
	await_samples(bench, 32);
	say_value(other, MN, 99);
	await_samples(bench, 33);
	fake_door_release(bench->door, false);
	for (int i = 0; i < 40; i++)
		expect_bytes(fd, ANSWER);
	expect_bytes(other, ANSWER);
	await_samples(bench, 41);
	close(fd);
	close(other);
}

static void test_an_answer_owed_to_who_is_gone_goes_to_nobody(void **state)
{
	struct bench *bench = *state;
	start(bench);
	fake_door_release(bench->door, true);
	int gone = dial(bench);
	say_value(gone, MN, 1);
	await_samples(bench, 1);
	close(gone);
	int fd = dial(bench);
	say_value(fd, MN, 2);
	await_samples(bench, 2);
	fake_door_release(bench->door, false);
	expect_bytes(fd, ANSWER);
	expect_silence(bench, fd);
	close(fd);
}

static void test_who_says_nothing_known_is_dropped(void **state)
{
	struct bench *bench = *state;
	bench->connection.idle_ms = 1;
	start(bench);
	int fd = dial(bench);
	expect_end(fd);
	assert_int_equal(metric_get(metrics_counter(bench->metrics, "ducha_callers_refused_total",
						    "", "reason=\"silent\"")),
			 1);
}

/* --- the next plan --- */

static void reload(struct bench *bench, size_t n)
{
	struct driver_host host = host_of(bench);
	void *next = NULL;
	assert_int_equal(hj212_driver.prepare(&host, &bench->next, n, bench->driver, &next), 0);
	gate_shut(loop_gate(bench->loop));
	assert_true(gate_stands(loop_gate(bench->loop), PATIENCE_MS));
	bench->driver = hj212_driver.succeed(next, bench->driver);
	gate_open(loop_gate(bench->loop));
}

static void test_a_reload_keeps_who_is_there_and_what_is_owed(void **state)
{
	struct bench *bench = *state;
	static const struct hj212_point changed[] = {
		{.monitor = 5, .mn = MN, .factor = "w01018", .field = HJ212_RTD, .scale = 1},
		{.monitor = 6, .mn = "NEW", .factor = "w01018", .field = HJ212_RTD, .scale = 1}};
	static const char part[] = "##0061QN=1;ST=91;CN=9015;PW=123456;";
	static const char rest[] = "MN=" MN ";Flag=9;CP=&&&&";
	start(bench);
	int fd = dial(bench);
	fake_door_release(bench->door, true);
	say_value(fd, MN, 1);
	assert_int_equal(send(fd, part, sizeof part - 1, 0), sizeof part - 1);
	await_samples(bench, 1);
	bench->next = bench->connection;
	bench->next.points = changed;
	bench->next.n_points = 2;
	reload(bench, 1);
	char frame[128];
	hj212_frame_write(frame, "QN=1;ST=91;CN=9015;PW=123456;MN=" MN ";Flag=9;CP=&&&&", 61);
	assert_int_equal(send(fd, rest, sizeof rest - 1, 0), sizeof rest - 1);
	assert_int_equal(send(fd, frame + 67, 6, 0), 6);
	say_value(fd, "NEW", 2);
	await_samples(bench, 2);
	assert_int_equal(bench->door->samples[1].monitor, 6);
	expect_silence(bench, fd);
	fake_door_release(bench->door, false);
	expect_bytes(fd, ANSWER);
	expect_bytes(fd, "##0061QN=1;ST=91;CN=9013;PW=123456;MN=" MN ";Flag=8;CP=&&&&2640\r\n");
	close(fd);
}

static void test_a_reload_ends_an_address_and_begins_another(void **state)
{
	struct bench *bench = *state;
	start(bench);
	int fd = dial(bench);
	say_value(fd, MN, 1);
	expect_bytes(fd, ANSWER);
	reload(bench, 0);
	expect_end(fd);
	uint16_t port;
	int reserved = reserve(&port);
	char listen[32];
	snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
	bench->next = bench->connection;
	bench->next.listen = listen;
	reload(bench, 1);
	bench->port = port;
	fd = dial(bench);
	say_value(fd, MN, 2);
	expect_bytes(fd, ANSWER);
	close(fd);
	reload(bench, 0); /* its address is on this stack */
	close(reserved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_is_answered_when_it_is_stored),
		TEST(test_what_is_answered_is_what_was_asked_for),
		TEST(test_what_is_wrong_is_counted_and_the_session_goes_on),
		TEST(test_a_full_ring_lets_the_sender_wait_and_doubles_nothing),
		TEST(test_while_half_of_the_ring_waits_nothing_is_taken),
		TEST(test_who_sends_is_said_by_the_message_and_not_by_the_connection),
		TEST(test_nobody_holds_up_another),
		TEST(test_so_many_bytes_are_read_in_a_second_and_no_more),
		TEST(test_so_many_answers_are_owed_and_no_more),
		TEST(test_an_answer_owed_to_who_is_gone_goes_to_nobody),
		TEST(test_who_says_nothing_known_is_dropped),
		TEST(test_a_reload_keeps_who_is_there_and_what_is_owed),
		TEST(test_a_reload_ends_an_address_and_begins_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
