/* SPDX-License-Identifier: Apache-2.0 */
/* The Modbus TCP driver on a real loop, against libmodbus and against a responder that misbehaves.
 */
#include "core/metrics.h"
#include "drivers/driver.h"
#include "drivers/modbus/modbus.h"
#include "fake-door.h"
#include "flow/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A busy machine answers late: AMPLE_MS where no silence is meant. */
enum { INTERVAL_MS = 50, TIMEOUT_MS = 40, AMPLE_MS = 2000 };

static const struct modbus_point point = {
	.monitor = 3, .unit_id = 1, .address = 10, .type = MODBUS_UINT16, .scale = 1, .every = 1};

/* --- the daemon's side: a loop on its thread, with the driver on it --- */

struct bench {
	struct loop *loop;
	struct door *door;
	struct metrics *metrics;
	struct modbus_connection connection;
	void *driver;
	pthread_t thread;
	_Atomic uint64_t heartbeat;
};

static void *bench_run(void *context)
{
	struct bench *bench = context;
	loop_run(bench->loop, &bench->heartbeat);
	return NULL;
}

static void bench_start(struct bench *bench, uint16_t port, const struct modbus_point *points,
			size_t n)
{
	*bench = (struct bench){.door = fake_door_new()};
	assert_int_equal(loop_new(&bench->loop), 0);
	assert_int_equal(metrics_new(&bench->metrics), 0);
	bench->connection = (struct modbus_connection){.id = "wwtp-3",
						       .host = "127.0.0.1",
						       .port = port,
						       .interval_ms = INTERVAL_MS,
						       .timeout_ms = TIMEOUT_MS,
						       .max_gap = 8,
						       .max_registers = 125,
						       .points = points,
						       .n_points = n};
}

static void bench_go(struct bench *bench)
{
	struct driver_host host = {
		.door = bench->door, .loop = bench->loop, .metrics = bench->metrics};
	assert_int_equal(modbus_driver.start(&host, &bench->connection, 1, &bench->driver), 0);
	assert_int_equal(pthread_create(&bench->thread, NULL, bench_run, bench), 0);
}

static void bench_pause(struct bench *bench)
{
	loop_stop(bench->loop);
	pthread_join(bench->thread, NULL);
}

static void bench_end(struct bench *bench)
{
	modbus_driver.stop(bench->driver);
	metrics_free(bench->metrics);
	loop_free(bench->loop);
	fake_door_free(bench->door);
}

static int64_t counted(struct bench *bench, const char *name, const char *labels)
{
	return metric_get(metrics_counter(bench->metrics, name, "", labels));
}

static int64_t polls(struct bench *bench, const char *result)
{
	char labels[64];
	snprintf(labels, sizeof labels, "connection=\"wwtp-3\",result=\"%s\"", result);
	return counted(bench, "ducha_polls_total", labels);
}

/* --- the instruments' side: one thread that answers as @answer says --- */

struct responder;
/* Return: bytes of @reply to send; 0: stay silent; -1: close the connection. */
typedef int (*answer_fn)(struct responder *responder, const uint8_t *request, uint8_t *reply);

struct responder {
	int listener, stop[2];
	uint16_t port;
	answer_fn answer;
	unsigned asked, connected;
	uint8_t kept[16];
	pthread_t thread;
};

static int listen_on(uint16_t port, uint16_t *got)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	*got = ntohs(address.sin_port);
	return fd;
}

static void responder_answer(struct responder *responder, struct pollfd *client)
{
	uint8_t request[12], reply[600];
	ssize_t n = recv(client->fd, request, sizeof request, MSG_WAITALL);
	int bytes = -1;
	if (n == (ssize_t)sizeof request) {
		responder->asked++;
		bytes = responder->answer(responder, request, reply);
	}
	if (bytes > 0)
		(void)send(client->fd, reply, (size_t)bytes, MSG_NOSIGNAL);
	if (bytes >= 0)
		return;
	close(client->fd);
	client->fd = -1;
}

static void *responder_run(void *context)
{
	struct responder *responder = context;
	struct pollfd fds[3] = {{.fd = responder->stop[0], .events = POLLIN},
				{.fd = responder->listener, .events = POLLIN},
				{.fd = -1, .events = POLLIN}};
	while (poll(fds, 3, -1) >= 0 && fds[0].revents == 0) {
		if (fds[1].revents != 0) {
			if (fds[2].fd >= 0)
				close(fds[2].fd);
			fds[2].fd = accept(responder->listener, NULL, NULL);
			fds[2].revents = 0;
			responder->connected++;
		}
		if (fds[2].fd >= 0 && fds[2].revents != 0)
			responder_answer(responder, &fds[2]);
	}
	if (fds[2].fd >= 0)
		close(fds[2].fd);
	return NULL;
}

static void responder_start(struct responder *responder, uint16_t port, answer_fn answer)
{
	*responder = (struct responder){.answer = answer};
	responder->listener = listen_on(port, &responder->port);
	assert_int_equal(listen(responder->listener, 4), 0);
	assert_int_equal(pipe(responder->stop), 0);
	assert_int_equal(pthread_create(&responder->thread, NULL, responder_run, responder), 0);
}

static void responder_end(struct responder *responder)
{
	assert_int_equal(write(responder->stop[1], "x", 1), 1);
	pthread_join(responder->thread, NULL);
	close(responder->stop[0]);
	close(responder->stop[1]);
	close(responder->listener);
}

/* A right reply with the count of requests so far as every register. */
static int good_answer(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	int registers = request[10] << 8 | request[11];
	memcpy(reply, request, 8);
	reply[4] = 0;
	reply[5] = (uint8_t)(3 + 2 * registers);
	reply[8] = (uint8_t)(2 * registers);
	for (int i = 0; i < registers; i++) {
		reply[9 + 2 * i] = (uint8_t)(responder->asked >> 8);
		reply[10 + 2 * i] = (uint8_t)responder->asked;
	}
	return 9 + 2 * registers;
}

static int exception_answer(const uint8_t *request, uint8_t *reply, uint8_t code)
{
	memcpy(reply, request, 8);
	reply[5] = 3;
	reply[7] |= 0x80;
	reply[8] = code;
	return 9;
}

/* --- tests --- */

struct oracle {
	modbus_t *modbus;
	modbus_mapping_t *mapping;
	int listener;
	pthread_t thread;
};

static void *oracle_serve(void *context)
{
	struct oracle *oracle = context;
	while (modbus_tcp_accept(oracle->modbus, &oracle->listener) >= 0) {
		uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
		int n;
		while ((n = modbus_receive(oracle->modbus, query)) >= 0)
			modbus_reply(oracle->modbus, query, n, oracle->mapping);
		modbus_close(oracle->modbus);
	}
	return NULL;
}

static void test_libmodbus_is_read_through_the_driver(void **state)
{
	(void)state;
	struct oracle oracle = {.modbus = modbus_new_tcp("127.0.0.1", 0),
				.mapping = modbus_mapping_new(40, 40, 40, 40)};
	modbus_set_float_abcd(61.25F, &oracle.mapping->tab_registers[4]);
	oracle.mapping->tab_registers[4] = 0x4275; /* 61.25 as the standard lays it out */
	oracle.mapping->tab_registers[5] = 0;
	oracle.mapping->tab_registers[6] = 0x7fc0; /* NaN */
	oracle.mapping->tab_input_registers[9] = 0xfffe;
	oracle.mapping->tab_bits[17] = 1;
	oracle.listener = modbus_tcp_listen(oracle.modbus, 2);
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;
	getsockname(oracle.listener, (struct sockaddr *)&address, &bytes);
	pthread_create(&oracle.thread, NULL, oracle_serve, &oracle);

	const struct modbus_point points[] = {{.monitor = 0,
					       .unit_id = 1,
					       .address = 4,
					       .type = MODBUS_FLOAT32,
					       .scale = 1,
					       .every = 1},
					      {.monitor = 1,
					       .unit_id = 1,
					       .address = 6,
					       .type = MODBUS_FLOAT32,
					       .scale = 1,
					       .every = 1},
					      {.monitor = 2,
					       .unit_id = 1,
					       .table = MODBUS_INPUT,
					       .address = 9,
					       .type = MODBUS_INT16,
					       .scale = 0.5,
					       .offset = 10,
					       .every = 1},
					      {.monitor = 3,
					       .unit_id = 1,
					       .table = MODBUS_COIL,
					       .address = 17,
					       .type = MODBUS_BIT,
					       .scale = 1,
					       .every = 1}};
	struct bench bench;
	bench_start(&bench, ntohs(address.sin_port), points, 4);
	bench.connection.timeout_ms = AMPLE_MS;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 12));
	bench_pause(&bench);
	const double expected[] = {61.25, 0, 9, 1};
	for (size_t i = 0; i < 12; i++) {
		const struct sample *sample = &bench.door->samples[i];
		assert_int_equal(sample->has_value, sample->monitor != 1);
		assert_int_equal(sample->flag, sample->monitor == 1 ? FLAG_FAULT : FLAG_NORMAL);
		assert_true(sample->value == expected[sample->monitor]);
		assert_false(sample->has_time);
	}
	assert_int_equal(bench.door->n_links, 1);
	assert_true(bench.door->links[0]);
	int64_t ok = polls(&bench, "ok");
	assert_true(ok >= 9);
	/* the first reply of a round wakes the readers, the next tick for both others; on a busy machine
	 * each does by itself, and never each value */
	assert_in_range(bench.door->flushes, 3, ok + 1);
	assert_true(fake_door_count(bench.door, FLAG_FAULT) > 0);
	bench_end(&bench);
	shutdown(oracle.listener, SHUT_RDWR);
	pthread_join(oracle.thread, NULL);
	close(oracle.listener);
	modbus_mapping_free(oracle.mapping);
	modbus_free(oracle.modbus);
}

static int silent_then_good(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	return responder->asked <= 4 ? 0 : good_answer(responder, request, reply);
}

static void test_silence_is_a_lost_link_until_it_ends(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, silent_then_good);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 2));
	bench_pause(&bench);
	assert_false(bench.door->links[0]);
	assert_true(bench.door->links[1]);
	assert_true(fake_door_count(bench.door, FLAG_COMMUNICATION) >= 3);
	assert_int_equal(bench.door->samples[0].flag, FLAG_COMMUNICATION);
	assert_false(bench.door->samples[0].has_value);
	assert_true(polls(&bench, "timeout") >= 3);
	assert_int_equal(polls(&bench, "timeout"), fake_door_count(bench.door, FLAG_COMMUNICATION));
	assert_true(responder.connected >= 5); /* anew after each silence */
	bench_end(&bench);
	responder_end(&responder);
}

/* Each second request gets the answer of the one before, as after a timeout on a slow line. */
static int late_answer(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	int n = good_answer(responder, request, reply);
	if (responder->asked % 2 == 0) {
		reply[0] = responder->kept[0];
		reply[1] = responder->kept[1];
		reply[9] = 0x7f; /* never to be seen */
	}
	memcpy(responder->kept, request, 12);
	return n;
}

static void test_a_late_reply_is_never_taken(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, late_answer);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench.connection.timeout_ms = AMPLE_MS;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 12));
	bench_pause(&bench);
	for (size_t i = 0; i < bench.door->n_samples; i++) {
		const struct sample *sample = &bench.door->samples[i];
		assert_true(sample->value < 0x7f00);
		assert_int_equal(sample->has_value, sample->flag == FLAG_NORMAL);
	}
	assert_true(polls(&bench, "error") >= 2);
	assert_int_equal(polls(&bench, "ok"), fake_door_count(bench.door, FLAG_NORMAL));
	bench_end(&bench);
	responder_end(&responder);
}

/* One kind of damage after the other, each followed by good answers. */
static int damaged_answer(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	int n = good_answer(responder, request, reply);
	reply[9] = responder->asked % 2 != 0 ? 0x7f : reply[9];
	if (responder->asked % 2 == 0)
		return n;
	switch (responder->asked / 2 % 8) {
	case 0:
		reply[1] ^= 1;
		break;
	case 1:
		reply[3] = 1;
		break;
	case 2:
		reply[5]++;
		break;
	case 3:
		reply[6]++;
		break;
	case 4:
		reply[7] = 4;
		break;
	case 5:
		reply[8]--;
		break;
	case 6:
		reply[n] = 0;
		return n + 1;
	default:
		return -1;
	}
	return n;
}

static void test_a_damaged_reply_is_refused_and_the_next_one_taken(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, damaged_answer);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench.connection.timeout_ms = AMPLE_MS; /* damage is seen at once, not waited for */
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 32));
	bench_pause(&bench);
	for (size_t i = 0; i < bench.door->n_samples; i++)
		assert_true(bench.door->samples[i].value < 0x7f00);
	assert_true(polls(&bench, "error") >= 15);
	assert_int_equal(polls(&bench, "timeout"), 0);
	assert_int_equal(polls(&bench, "error"), fake_door_count(bench.door, FLAG_COMMUNICATION));
	assert_true(bench.door->n_links == 1 && bench.door->links[0]);
	bench_end(&bench);
	responder_end(&responder);
}

static int failed_or_refused(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	return exception_answer(request, reply, responder->asked % 2 != 0 ? 4 : 2);
}

/* Else an instrument that refuses every request would never go stale. */
static void test_a_failed_device_is_a_fault_and_a_refusal_a_missing_answer(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, failed_or_refused);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench.connection.timeout_ms = AMPLE_MS;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_fault, 5));
	bench_pause(&bench);
	assert_int_equal(responder.connected, 1);
	assert_true(bench.door->links[0]);
	size_t missing = fake_door_count(bench.door, FLAG_COMMUNICATION);
	assert_true(missing >= 4);
	assert_int_equal(polls(&bench, "exception"),
			 fake_door_count(bench.door, FLAG_FAULT) + missing);
	assert_int_equal(polls(&bench, "ok"), 0);
	bench_end(&bench);
	responder_end(&responder);
}

static int busy_then_good(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	if (responder->asked % 2 != 0)
		return exception_answer(request, reply, 6);
	return good_answer(responder, request, reply);
}

static void test_a_busy_instrument_is_asked_again(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, busy_then_good);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench.connection.timeout_ms = AMPLE_MS;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 3));
	bench_pause(&bench);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	assert_true(polls(&bench, "exception") >= 3);
	bench_end(&bench);
	responder_end(&responder);
}

static void test_a_refused_connection_is_tried_until_it_succeeds(void **state)
{
	(void)state;
	uint16_t port;
	int reserved = listen_on(0, &port); /* bound, but nobody listens */
	struct bench bench;
	bench_start(&bench, port, &point, 1);
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 1));
	close(reserved);
	struct responder responder;
	responder_start(&responder, port, good_answer);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 2));
	bench_pause(&bench);
	assert_false(bench.door->links[0]);
	assert_true(bench.door->links[1]);
	assert_true(polls(&bench, "error") >= 1);
	bench_end(&bench);
	responder_end(&responder);
}

static void test_a_name_is_looked_up_away_from_the_loop(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, good_answer);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench.connection.host = "localhost";
	bench.connection.timeout_ms = AMPLE_MS;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 2));
	bench_pause(&bench);
	bench_end(&bench);
	responder_end(&responder);
}

static int slow_answer(struct responder *responder, const uint8_t *request, uint8_t *reply)
{
	poll(NULL, 0, 3 * INTERVAL_MS + INTERVAL_MS / 2);
	return good_answer(responder, request, reply);
}

static void test_a_slow_instrument_leaves_intervals_out(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, slow_answer);
	struct bench bench;
	bench_start(&bench, responder.port, &point, 1);
	bench.connection.timeout_ms = 5000;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 4));
	bench_pause(&bench);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	assert_true(counted(&bench, "ducha_polls_late_total", "") >= 3 * 3);
	assert_true(responder.asked <= bench.door->n_samples + 1); /* none is piled up */
	bench_end(&bench);
	responder_end(&responder);
}

static void test_a_rarer_point_is_read_at_every_tenth_interval(void **state)
{
	(void)state;
	struct responder responder;
	responder_start(&responder, 0, good_answer);
	struct modbus_point points[] = {point, point};
	points[1].monitor = 4;
	points[1].every = 10;
	struct bench bench;
	bench_start(&bench, responder.port, points, 2);
	bench.connection.timeout_ms = AMPLE_MS;
	bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 33));
	bench_pause(&bench);
	size_t rare = 0;
	for (size_t i = 0; i < 33; i++)
		rare += bench.door->samples[i].monitor == 4;
	/* an interval that a busy machine leaves out is one of the ten all the same */
	size_t often = 33 - rare, late = (size_t)counted(&bench, "ducha_polls_late_total", "");
	assert_in_range(rare, often / 10, (often + late + 9) / 10);
	bench_end(&bench);
	responder_end(&responder);
}

static void test_every_series_exists_from_the_start(void **state)
{
	(void)state;
	struct bench bench;
	bench_start(&bench, 1, &point, 1);
	struct driver_host host = {
		.door = bench.door, .loop = bench.loop, .metrics = bench.metrics};
	assert_int_equal(modbus_driver.start(&host, &bench.connection, 1, &bench.driver), 0);
	assert_int_equal(polls(&bench, "ok") + polls(&bench, "error") + polls(&bench, "timeout") +
				 polls(&bench, "exception"),
			 0);
	bench_end(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_libmodbus_is_read_through_the_driver),
		cmocka_unit_test(test_silence_is_a_lost_link_until_it_ends),
		cmocka_unit_test(test_a_late_reply_is_never_taken),
		cmocka_unit_test(test_a_damaged_reply_is_refused_and_the_next_one_taken),
		cmocka_unit_test(test_a_failed_device_is_a_fault_and_a_refusal_a_missing_answer),
		cmocka_unit_test(test_a_busy_instrument_is_asked_again),
		cmocka_unit_test(test_a_refused_connection_is_tried_until_it_succeeds),
		cmocka_unit_test(test_a_name_is_looked_up_away_from_the_loop),
		cmocka_unit_test(test_a_slow_instrument_leaves_intervals_out),
		cmocka_unit_test(test_a_rarer_point_is_read_at_every_tenth_interval),
		cmocka_unit_test(test_every_series_exists_from_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
