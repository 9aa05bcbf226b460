/* SPDX-License-Identifier: Apache-2.0 */
/* Cellular units that dial in, with heartbeats in all the wrong places. */
#include "field-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INTERVAL_MS = 40, PATIENCE_MS = 20000 };

static const struct modbus_point points[2][1] = {
	{{.monitor = 0,
	  .unit_id = 1,
	  .address = 10,
	  .type = MODBUS_UINT16,
	  .scale = 1,
	  .every = 1}},
	{{.monitor = 1,
	  .unit_id = 1,
	  .address = 20,
	  .type = MODBUS_UINT16,
	  .scale = 1,
	  .every = 1}},
};
static const struct modbus_packet packets[2][2] = {{{7, "DTU-007"}, {4, "ping"}},
						   {{3, {0xd7, 0x0d, 0x0a}}, {0, {0}}}};

struct field {
	struct field_bench bench;
	char listen[32];
	uint16_t port;
};

/* The port stays bound while the driver listens on it, so nobody else can get it in between. */
static void field_start_with(struct field *field, int64_t timeout_ms, int64_t idle_ms)
{
	field_bench_start(&field->bench);
	int reserved = field_bind(0, &field->port);
	snprintf(field->listen, sizeof field->listen, "127.0.0.1:%u", field->port);
	for (size_t i = 0; i < 2; i++) {
		struct modbus_connection *connection = &field->bench.connections[i];
		connection->host = NULL;
		connection->framing = MODBUS_DTU;
		connection->listen = field->listen;
		connection->packets = packets[i];
		connection->idle_ms = idle_ms;
		connection->interval_ms = INTERVAL_MS;
		connection->timeout_ms = timeout_ms;
		connection->points = points[i];
		connection->n_points = 1;
	}
	field->bench.n_connections = 2;
	field_bench_go(&field->bench);
	close(reserved);
}

static void field_start(struct field *field)
{
	field_start_with(field, 5000, 60000);
}

static void field_stop(struct field *field)
{
	field_bench_pause(&field->bench);
	field_bench_end(&field->bench);
}

static int dial(const struct field *field, const char *packet)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(field->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	field_send(fd, packet, strlen(packet));
	return fd;
}

static bool asked(int fd, uint8_t request[MODBUS_RTU_REQUEST_BYTES])
{
	size_t n = 0;
	while (n < MODBUS_RTU_REQUEST_BYTES) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t got = poll(&ready, 1, PATIENCE_MS) == 1
				      ? recv(fd, request + n, MODBUS_RTU_REQUEST_BYTES - n, 0)
				      : -1;
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return true;
}

static bool is_closed(int fd)
{
	uint8_t sink[64];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	while (poll(&ready, 1, PATIENCE_MS) == 1)
		if (recv(fd, sink, sizeof sink, 0) <= 0)
			return true;
	return false;
}

static void answer_next(int fd, uint16_t value)
{
	uint8_t request[MODBUS_RTU_REQUEST_BYTES], reply[RTU_REPLY_BYTES];
	assert_true(asked(fd, request));
	field_send(fd, reply, rtu_reply(request, value, reply));
}

static int64_t unasked(struct field *field)
{
	return field_counted(&field->bench, "ducha_unasked_bytes_total", "connection=\"bus\"");
}

static int64_t refused(struct field *field, const char *reason)
{
	char labels[32];
	snprintf(labels, sizeof labels, "reason=\"%s\"", reason);
	return field_counted(&field->bench, "ducha_callers_refused_total", labels);
}

static bool has_value_of_both(const struct door *door, int64_t wanted)
{
	bool seen[2] = {false, false};
	for (size_t i = 0; i < door->n_samples; i++)
		if (door->samples[i].value == (double)(wanted + door->samples[i].monitor))
			seen[door->samples[i].monitor] = true;
	return seen[0] && seen[1];
}

/* A reading without value of @monitor */
static bool has_missed(const struct door *door, int64_t monitor)
{
	for (size_t i = 0; i < door->n_samples; i++)
		if (door->samples[i].monitor == monitor && !door->samples[i].has_value)
			return true;
	return false;
}

static void test_units_on_one_address_are_known_by_their_registration(void **state)
{
	(void)state;
	struct field field;
	field_start(&field);
	int text = dial(&field, "DTU-007"), hex = dial(&field, "ping\xd7\r");
	field_send(hex, "\n", 1);
	answer_next(hex, 701);
	answer_next(text, 700);
	assert_true(fake_door_await(field.bench.door, has_value_of_both, 700));
	close(text);
	close(hex);
	field_stop(&field);
}

/* The reply to request @i, with packets at a place that moves on, in pieces that change. */
static void answer_with_heartbeats(int fd, unsigned i)
{
	uint8_t request[MODBUS_RTU_REQUEST_BYTES], reply[RTU_REPLY_BYTES], bytes[512];
	assert_true(asked(fd, request));
	size_t n = rtu_reply(request, (uint16_t)(1000 + i), reply), at = i % (n + 1), sum = 0;
	memcpy(bytes, reply, at);
	memcpy(bytes + at, "ping", 4);
	memcpy(bytes + at + 4, reply + at, n - at);
	sum = n + 4;
	if (i % 3 == 0) {
		memcpy(bytes + sum, "DTU-007pi", 9); /* glued on; the next reply begins with ng */
		sum += 9;
	}
	size_t piece = 1 + i % 5;
	for (size_t sent = 0; sent < sum; sent += piece) {
		field_send(fd, bytes + sent, sum - sent < piece ? sum - sent : piece);
		field_sleep_ms(1);
	}
	if (i % 3 == 0)
		field_send(fd, "ng", 2);
}

static void test_heartbeats_are_taken_out_wherever_they_stand(void **state)
{
	(void)state;
	struct field field;
	field_start(&field);
	int fd = dial(&field, "DTU-007ping");
	for (unsigned i = 0; i < 48; i++)
		answer_with_heartbeats(fd, i);
	answer_next(fd, 2000);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 2000));
	field_bench_pause(&field.bench);
	unsigned next = 1000;
	for (size_t i = 0; i < field.bench.door->n_samples; i++) {
		const struct sample *sample = &field.bench.door->samples[i];
		if (sample->monitor != 0 || sample->value == 2000)
			continue;
		assert_true(sample->has_value);
		assert_true(sample->value == next++);
	}
	assert_int_equal(next, 1048);
	assert_int_equal(unasked(&field), 0);
	close(fd);
	field_bench_end(&field.bench);
}

static void test_values_that_look_like_a_heartbeat_are_values(void **state)
{
	(void)state;
	struct field field;
	field_start(&field);
	int fd = dial(&field, "DTU-007");
	for (unsigned i = 0; i < 5; i++)
		answer_next(fd, 'p' << 8 | 'i');
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 'p' << 8 | 'i'));
	close(fd);
	field_stop(&field);
}

static void test_a_newer_connection_replaces_the_older(void **state)
{
	(void)state;
	struct field field;
	field_start(&field);
	int older = dial(&field, "DTU-007");
	answer_next(older, 5);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 5));
	int newer = dial(&field, "DTU-007");
	assert_true(is_closed(older));
	close(older);
	answer_next(newer, 6);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 6));
	close(newer);
	field_stop(&field);
}

static void test_the_request_under_way_is_made_again_on_the_newer_connection(void **state)
{
	(void)state;
	struct field field;
	field_start_with(&field, 300, 60000);
	uint8_t request[MODBUS_RTU_REQUEST_BYTES];
	int older = dial(&field, "DTU-007");
	assert_true(asked(older, request));
	int newer = dial(&field, "DTU-007");
	assert_true(is_closed(older));
	close(older);
	answer_next(newer, 6);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 6));
	field_bench_pause(&field.bench);
	for (size_t i = 0; i < field.bench.door->n_samples; i++)
		assert_true(field.bench.door->samples[i].monitor != 0 ||
			    field.bench.door->samples[i].has_value);
	close(newer);
	field_bench_end(&field.bench);
}

/* A cellular network holds a reply back until its request is given up. */
static void test_a_late_reply_is_thrown_away_and_the_connection_kept(void **state)
{
	(void)state;
	struct field field;
	field_start_with(&field, 300, 60000);
	uint8_t request[MODBUS_RTU_REQUEST_BYTES], late[RTU_REPLY_BYTES];
	int fd = dial(&field, "DTU-007");
	assert_true(asked(fd, request));
	assert_true(fake_door_await(field.bench.door, has_missed, 0));
	size_t n = rtu_reply(request, 666, late);
	field_send(fd, late, 3);
	field_send(fd, "ping", 4);
	field_send(fd, late + 3, n - 3);
	answer_next(fd, 7);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 7));
	field_bench_pause(&field.bench);
	assert_false(fake_door_has_value(field.bench.door, 666));
	assert_int_equal(unasked(&field), n);
	close(fd);
	field_bench_end(&field.bench);
}

static void test_a_damaged_reply_costs_one_reading(void **state)
{
	(void)state;
	struct field field;
	field_start_with(&field, 200, 60000);
	uint8_t request[MODBUS_RTU_REQUEST_BYTES], reply[RTU_REPLY_BYTES];
	int fd = dial(&field, "DTU-007");
	for (unsigned i = 0; i < 4; i++) {
		assert_true(asked(fd, request));
		size_t n = rtu_reply(request, 666, reply);
		reply[i] ^= 1; /* unit, function, byte count, value */
		field_send(fd, reply, n);
		answer_next(fd, (uint16_t)(10 + i));
		assert_true(fake_door_await(field.bench.door, fake_door_has_value, 10 + i));
	}
	field_bench_pause(&field.bench);
	assert_false(fake_door_has_value(field.bench.door, 666));
	assert_int_equal(field_counted(&field.bench, "ducha_polls_total",
				       "connection=\"bus\",result=\"ok\""),
			 4);
	close(fd);
	field_bench_end(&field.bench);
}

static void test_a_silent_unit_is_dropped(void **state)
{
	(void)state;
	struct field field;
	field_start_with(&field, 400, 1500);
	int fd = dial(&field, "DTU-007");
	answer_next(fd, 5);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 5));
	assert_true(is_closed(fd));
	close(fd);
	fd = dial(&field, "DTU-007");
	answer_next(fd, 6);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 6));
	close(fd);
	field_stop(&field);
}

static void test_heartbeats_keep_a_connection(void **state)
{
	(void)state;
	struct field field;
	field_start_with(&field, 5000, 1500);
	int fd = dial(&field, "DTU-007");
	uint8_t request[MODBUS_RTU_REQUEST_BYTES], reply[RTU_REPLY_BYTES];
	assert_true(asked(fd, request));
	for (int i = 0; i < 25; i++) {
		field_send(fd, "ping", 4);
		field_sleep_ms(100);
	}
	field_send(fd, reply, rtu_reply(request, 5, reply));
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 5));
	close(fd);
	field_stop(&field);
}

static void test_unknown_callers_are_refused_and_counted(void **state)
{
	(void)state;
	struct field field;
	field_start(&field);
	const char *const unknown[] = {"DTU-008", "GET / HTTP/1.1\r\n\r\n", "pong"};
	for (size_t i = 0; i < 3; i++) {
		int fd = dial(&field, unknown[i]);
		assert_true(is_closed(fd));
		close(fd);
	}
	assert_int_equal(refused(&field, "unknown"), 3);
	int fd = dial(&field, "DTU-007");
	answer_next(fd, 9);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 9));
	close(fd);
	field_stop(&field);
}

static void test_callers_that_say_nothing_cannot_keep_others_out(void **state)
{
	(void)state;
	struct field field;
	field_start(&field);
	int silent[80];
	for (size_t i = 0; i < 80; i++)
		silent[i] = dial(&field, i % 2 == 0 ? "DTU-00" : "");
	int fd = dial(&field, "DTU-007");
	answer_next(fd, 9);
	assert_true(fake_door_await(field.bench.door, fake_door_has_value, 9));
	assert_true(refused(&field, "crowded") >= 80 - 64);
	assert_true(is_closed(silent[0]));
	for (size_t i = 0; i < 80; i++)
		close(silent[i]);
	close(fd);
	field_stop(&field);
}

static void test_an_address_in_use_is_an_error_at_the_start(void **state)
{
	(void)state;
	struct field_bench bench;
	field_bench_start(&bench);
	uint16_t port;
	int other = field_bind(0, &port);
	assert_int_equal(listen(other, 1), 0);
	char address[32];
	snprintf(address, sizeof address, "127.0.0.1:%u", port);
	bench.connections[0].framing = MODBUS_DTU;
	bench.connections[0].listen = address;
	bench.connections[0].packets = packets[0];
	bench.connections[0].interval_ms = INTERVAL_MS;
	struct driver_host host = {
		.door = bench.door, .loop = bench.loop, .metrics = bench.metrics};
	assert_true(modbus_driver.start(&host, bench.connections, 1, &bench.driver) < 0);
	close(other);
	metrics_free(bench.metrics);
	loop_free(bench.loop);
	fake_door_free(bench.door);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_on_one_address_are_known_by_their_registration),
		cmocka_unit_test(test_heartbeats_are_taken_out_wherever_they_stand),
		cmocka_unit_test(test_values_that_look_like_a_heartbeat_are_values),
		cmocka_unit_test(test_a_newer_connection_replaces_the_older),
		cmocka_unit_test(test_the_request_under_way_is_made_again_on_the_newer_connection),
		cmocka_unit_test(test_a_late_reply_is_thrown_away_and_the_connection_kept),
		cmocka_unit_test(test_a_damaged_reply_costs_one_reading),
		cmocka_unit_test(test_a_silent_unit_is_dropped),
		cmocka_unit_test(test_heartbeats_keep_a_connection),
		cmocka_unit_test(test_unknown_callers_are_refused_and_counted),
		cmocka_unit_test(test_callers_that_say_nothing_cannot_keep_others_out),
		cmocka_unit_test(test_an_address_in_use_is_an_error_at_the_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
