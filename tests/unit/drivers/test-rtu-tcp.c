/* SPDX-License-Identifier: Apache-2.0 */
/* RTU over TCP: a serial line behind a transparent gateway, which may answer late, twice or wrong.
 */
#include "field-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { INTERVAL_MS = 40, TIMEOUT_MS = 120 };

/* Alike but for the address: a reply of one would pass for the other's. */
static const struct modbus_point alike[] = {
	{.monitor = 0, .unit_id = 1, .address = 10, .type = MODBUS_UINT16, .scale = 1, .every = 1},
	{.monitor = 1, .unit_id = 1, .address = 200, .type = MODBUS_UINT16, .scale = 1, .every = 1},
};

static void start_on(struct field_bench *bench, const struct peer *peer)
{
	field_bench_start(bench);
	struct modbus_connection *connection = &bench->connections[0];
	connection->port = peer->port;
	connection->interval_ms = INTERVAL_MS;
	connection->timeout_ms = TIMEOUT_MS;
	connection->points = alike;
	connection->n_points = 2;
}

static void assert_each_value_is_of_its_register(const struct field_bench *bench)
{
	for (size_t i = 0; i < bench->door->n_samples; i++) {
		const struct sample *sample = &bench->door->samples[i];
		if (sample->has_value)
			assert_true(sample->value == alike[sample->monitor].address);
		else
			assert_int_equal(sample->flag, FLAG_COMMUNICATION);
	}
}

static int64_t polls(struct field_bench *bench, const char *result)
{
	char labels[64];
	snprintf(labels, sizeof labels, "connection=\"bus\",result=\"%s\"", result);
	return field_counted(bench, "ducha_polls_total", labels);
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool answer_well(struct peer *peer, int fd, const uint8_t *request)
{
	(void)peer;
	uint8_t reply[RTU_REPLY_BYTES];
	field_send(fd, reply, rtu_reply(request, rtu_address(request), reply));
	return true;
}

/* What is handed in for a sample: the request, and the reply it was taken out of, each with its CRC
 * as it went over the line. */
static void assert_each_frame_is_whole(const struct door *door)
{
	for (size_t i = 0; i < door->n_samples; i++) {
		const struct sample *sample = &door->samples[i];
		assert_true(sample->frame != 0);
		if (sample->frame + FAKE_FRAMES <= door->n_frames)
			continue; /* the door remembers the newest alone */
		const struct fake_frame *f = &door->frames[(sample->frame - 1) % FAKE_FRAMES];
		assert_int_equal(f->kind, FRAME_MODBUS_RTU);
		assert_int_equal(f->n_asked, MODBUS_RTU_REQUEST_BYTES);
		assert_int_equal(modbus_crc(f->asked, 6), f->asked[6] | f->asked[7] << 8);
		assert_in_range(f->n_answered, 5, sizeof f->answered);
		const uint8_t *crc = f->answered + f->n_answered - 2;
		assert_int_equal(modbus_crc(f->answered, f->n_answered - 2), crc[0] | crc[1] << 8);
		assert_memory_equal(f->asked, f->answered, 2);
	}
}

static void test_a_serial_line_is_read_through_a_gateway(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, answer_well);
	struct field_bench bench;
	start_on(&bench, &peer);
	bench.connections[0].timeout_ms = 5000;
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 10));
	field_bench_pause(&bench);
	assert_each_value_is_of_its_register(&bench);
	assert_each_frame_is_whole(bench.door);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	assert_int_equal(peer.connected, 1);
	assert_int_equal(field_counted(&bench, "ducha_unasked_bytes_total", "connection=\"bus\""),
			 0);
	field_bench_end(&bench);
	peer_end(&peer);
}

static bool answer_in_bytes(struct peer *peer, int fd, const uint8_t *request)
{
	(void)peer;
	uint8_t reply[RTU_REPLY_BYTES];
	size_t n = rtu_reply(request, rtu_address(request), reply);
	for (size_t i = 0; i < n; i++) {
		field_send(fd, reply + i, 1);
		field_sleep_ms(1);
	}
	return true;
}

static void test_a_reply_may_come_byte_by_byte(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, answer_in_bytes);
	struct field_bench bench;
	start_on(&bench, &peer);
	bench.connections[0].timeout_ms = 5000;
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 6));
	field_bench_pause(&bench);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	field_bench_end(&bench);
	peer_end(&peer);
}

/* Every fourth reply comes after the timeout, but before twice the timeout. */
static bool answer_late(struct peer *peer, int fd, const uint8_t *request)
{
	if (peer->asked % 4 != 0)
		return answer_well(peer, fd, request);
	int64_t asked_ms = now_ms();
	field_sleep_ms(TIMEOUT_MS + 30);
	if (now_ms() - asked_ms > 2 * TIMEOUT_MS - 20)
		return false; /* this machine has slept: nothing can be told any more */
	return answer_well(peer, fd, request);
}

static void test_a_late_reply_is_thrown_away_and_the_line_kept(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, answer_late);
	struct field_bench bench;
	start_on(&bench, &peer);
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 40));
	field_bench_pause(&bench);
	assert_each_value_is_of_its_register(&bench);
	assert_true(polls(&bench, "timeout") >= 9);
	assert_true(polls(&bench, "ok") >= 28);
	assert_true(field_counted(&bench, "ducha_unasked_bytes_total", "connection=\"bus\"") >= 7);
	field_bench_end(&bench);
	peer_end(&peer);
}

static bool answer_twice(struct peer *peer, int fd, const uint8_t *request)
{
	(void)answer_well(peer, fd, request);
	field_sleep_ms(10);
	return answer_well(peer, fd, request);
}

static void test_a_pause_between_requests_lets_a_second_reply_pass(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, answer_twice);
	struct field_bench bench;
	start_on(&bench, &peer);
	bench.connections[0].timeout_ms = 5000;
	bench.connections[0].request_gap_ms = 200;
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 10));
	field_bench_pause(&bench);
	assert_each_value_is_of_its_register(&bench);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	assert_true(field_counted(&bench, "ducha_unasked_bytes_total", "connection=\"bus\"") >=
		    9 * 7);
	field_bench_end(&bench);
	peer_end(&peer);
}

/* Each way of being wrong in turn, with a right reply after each. */
static bool answer_wrong(struct peer *peer, int fd, const uint8_t *request)
{
	uint8_t reply[RTU_REPLY_BYTES];
	size_t n = rtu_reply(request, 0x5555, reply);
	if (peer->asked % 2 == 0)
		return answer_well(peer, fd, request);
	switch (peer->asked / 2 % 6) {
	case 0: /* another unit */
		reply[0]++;
		rtu_close_frame(reply, n - 2);
		break;
	case 1: /* another function */
		reply[1]++;
		rtu_close_frame(reply, n - 2);
		break;
	case 2: /* a damaged value */
		reply[3] ^= 0x10;
		break;
	case 3: /* longer than asked for */
		reply[2] = 4;
		rtu_close_frame(reply, n);
		n += 2;
		break;
	case 4: /* two replies in one packet */
		memcpy(reply + n, reply, n);
		n *= 2;
		break;
	default:
		reply[n - 1] ^= 1;
		break;
	}
	field_send(fd, reply, n);
	return true;
}

static void test_what_does_not_fit_is_refused_and_the_line_opened_anew(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, answer_wrong);
	struct field_bench bench;
	start_on(&bench, &peer);
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 26));
	field_bench_pause(&bench);
	assert_each_value_is_of_its_register(&bench);
	assert_true(polls(&bench, "error") >= 6);
	assert_true(fake_door_count(bench.door, FLAG_NORMAL) >= 6);
	assert_true(peer.connected >= 6);
	field_bench_end(&bench);
	peer_end(&peer);
}

static bool stay_silent(struct peer *peer, int fd, const uint8_t *request)
{
	return peer->asked <= 8 || answer_well(peer, fd, request);
}

static void test_a_line_that_stays_silent_is_connected_anew(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, stay_silent);
	struct field_bench bench;
	start_on(&bench, &peer);
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_value, 10));
	field_bench_pause(&bench);
	assert_true(peer.connected >= 2);
	assert_false(bench.door->links[0]);
	assert_true(bench.door->links[1]);
	field_bench_end(&bench);
	peer_end(&peer);
}

static bool chatter(struct peer *peer, int fd, const uint8_t *request)
{
	(void)answer_well(peer, fd, request);
	for (int i = 0; i < 100 && peer->asked % 2 == 1; i++) {
		field_send(fd, "noise", 5);
		field_sleep_ms(5);
	}
	return true;
}

static void test_noise_costs_a_time_and_ends(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, chatter);
	struct field_bench bench;
	start_on(&bench, &peer);
	bench.connections[0].request_gap_ms = 60;
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 3)); /* there, lost, there */
	field_bench_pause(&bench);
	assert_each_value_is_of_its_register(&bench);
	assert_true(field_counted(&bench, "ducha_unasked_bytes_total", "connection=\"bus\"") > 0);
	field_bench_end(&bench);
	peer_end(&peer);
}

/* The peer notes what is asked too soon after connecting or after a reply. */
static _Atomic int64_t allowed_ms;
static _Atomic unsigned too_soon;

static bool mind_the_gap(struct peer *peer, int fd, const uint8_t *request)
{
	too_soon += now_ms() < allowed_ms;
	allowed_ms = now_ms() + 58; /* 60, less what the clocks' reading takes */
	return answer_well(peer, fd, request);
}

static void test_requests_keep_their_distance(void **state)
{
	(void)state;
	struct peer peer;
	peer_start(&peer, 0, mind_the_gap);
	struct field_bench bench;
	start_on(&bench, &peer);
	bench.connections[0].timeout_ms = 5000;
	bench.connections[0].request_gap_ms = 60;
	bench.connections[0].connect_pause_ms = 150;
	allowed_ms = now_ms() + 150;
	field_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 12));
	field_bench_pause(&bench);
	assert_int_equal(too_soon, 0);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	field_bench_end(&bench);
	peer_end(&peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_serial_line_is_read_through_a_gateway),
		cmocka_unit_test(test_a_reply_may_come_byte_by_byte),
		cmocka_unit_test(test_a_late_reply_is_thrown_away_and_the_line_kept),
		cmocka_unit_test(test_a_pause_between_requests_lets_a_second_reply_pass),
		cmocka_unit_test(test_what_does_not_fit_is_refused_and_the_line_opened_anew),
		cmocka_unit_test(test_a_line_that_stays_silent_is_connected_anew),
		cmocka_unit_test(test_noise_costs_a_time_and_ends),
		cmocka_unit_test(test_requests_keep_their_distance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
