/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats anywhere in a reply are taken out, and data that looks like one is left in. */
#include "drivers/modbus/strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

static const struct modbus_packet packets[STRIP_PACKETS] = {{7, "DTU-007"}, {4, "ping"}};
static const struct modbus_request request = {.unit = 1, .address = 10, .count = 4};

static size_t reply_of(const void *data, uint8_t *out)
{
	memcpy(out, "\x01\x03\x08", 3);
	memcpy(out + 3, data, 8);
	uint16_t crc = modbus_crc(out, 11);
	out[11] = (uint8_t)(crc & 0xff);
	out[12] = (uint8_t)(crc >> 8);
	return 13;
}

static size_t insert(uint8_t *raw, size_t n, size_t at, const char *packet)
{
	size_t bytes = strlen(packet);
	memmove(raw + at + bytes, raw + at, n - at);
	memcpy(raw + at, packet, bytes);
	return n + bytes;
}

/* Whole, it is taken with all bytes used; no part of it is taken, and none is refused. */
static void assert_taken(const uint8_t *raw, size_t n, size_t least, const void *data)
{
	uint8_t frame[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	size_t used = 0;
	for (size_t part = 0; part < least; part++)
		assert_int_equal(strip_judge(packets, &request, raw, part, frame, &reply, &used),
				 MODBUS_MORE);
	assert_int_equal(strip_judge(packets, &request, raw, n, frame, &reply, &used),
			 MODBUS_COMPLETE);
	assert_int_equal(used, n);
	assert_memory_equal(reply.data, data, 8);
}

static void test_a_heartbeat_at_any_place_is_taken_out(void **state)
{
	(void)state;
	for (size_t at = 0; at <= 13; at++) {
		uint8_t raw[64];
		size_t n = insert(raw, reply_of("\0\1\2\3\4\5\6\7", raw), at, "ping");
		assert_taken(raw, n, at == 13 ? 13 : n, "\0\1\2\3\4\5\6\7");
	}
}

static void test_two_packets_at_any_two_places_are_taken_out(void **state)
{
	(void)state;
	for (size_t at = 0; at < 13; at++) {
		for (size_t then = 0; then <= at; then++) {
			uint8_t raw[64];
			size_t n = insert(raw, reply_of("\0\1\2\3\4\5\6\7", raw), at, "ping");
			n = insert(raw, n, then, "DTU-007");
			assert_taken(raw, n, n, "\0\1\2\3\4\5\6\7");
		}
	}
}

static void test_many_heartbeats_may_come_before_a_reply(void **state)
{
	(void)state;
	uint8_t raw[128];
	size_t n = reply_of("\0\1\2\3\4\5\6\7", raw);
	for (int i = 0; i < 25; i++)
		n = insert(raw, n, 0, "ping");
	assert_taken(raw, n, n, "\0\1\2\3\4\5\6\7");
}

static void test_data_like_a_heartbeat_is_left_in(void **state)
{
	(void)state;
	uint8_t raw[64];
	size_t n = reply_of("..ping..", raw);
	assert_taken(raw, n, n, "..ping..");
	n = insert(raw, n, 4, "ping");
	assert_taken(raw, n, n, "..ping..");
	n = reply_of("pingping", raw);
	n = insert(raw, n, 5, "ping"); /* pi ping ng ping: within its like */
	assert_taken(raw, n, n, "pingping");
}

static void test_the_beginning_of_a_heartbeat_is_kept_for_later(void **state)
{
	(void)state;
	uint8_t raw[64], frame[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	size_t used = 0, n = reply_of("abcdefgh", raw);
	memcpy(raw + n, "pingpi", 6);
	assert_int_equal(strip_judge(packets, &request, raw, n + 6, frame, &reply, &used),
			 MODBUS_COMPLETE);
	assert_int_equal(used, n + 4);
	memcpy(raw + n, "pong", 4);
	assert_int_equal(strip_judge(packets, &request, raw, n + 4, frame, &reply, &used),
			 MODBUS_WRONG_LENGTH);
}

static void test_what_is_no_reply_is_refused(void **state)
{
	(void)state;
	uint8_t raw[STRIP_RAW_BYTES], frame[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	size_t used = 0, n = insert(raw, reply_of("abcdefgh", raw), 4, "ping");
	raw[12] ^= 1;
	assert_int_equal(strip_judge(packets, &request, raw, n, frame, &reply, &used),
			 MODBUS_WRONG_CRC);
	assert_int_equal(
		strip_judge(packets, &request, (const uint8_t *)"pong", 4, frame, &reply, &used),
		MODBUS_WRONG_UNIT);
	for (size_t i = 0; i < sizeof raw; i += 4)
		memcpy(raw + i, "ping", 4);
	assert_int_equal(strip_judge(packets, &request, raw, sizeof raw, frame, &reply, &used),
			 MODBUS_WRONG_LENGTH);
}

static void test_ways_beyond_number_end(void **state)
{
	(void)state;
	const struct modbus_packet zero[STRIP_PACKETS] = {{1, {0}}, {2, {0, 0}}};
	const struct modbus_request long_one = {.unit = 1, .count = 120};
	uint8_t raw[STRIP_RAW_BYTES] = {1, 3, 240}, frame[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	size_t used;
	assert_int_equal(strip_judge(zero, &long_one, raw, 200, frame, &reply, &used), MODBUS_MORE);
	(void)strip_judge(zero, &long_one, raw, 900, frame, &reply, &used);
}

/* Every place where a packet could stand makes another way, and only one gives the right frame. */
static void test_a_heartbeat_is_found_among_many_that_are_data(void **state)
{
	(void)state;
	const struct modbus_packet fefe[STRIP_PACKETS] = {{4, "ping"}, {2, {0xfe, 0xfe}}};
	const struct modbus_request long_one = {.unit = 1, .count = 125};
	uint8_t reply[MODBUS_REPLY_BYTES] = {1, 3, 250}, frame[MODBUS_REPLY_BYTES];
	for (size_t i = 0; i < 250; i++)
		reply[3 + i] = (uint8_t)(i % 20 < 2 ? 0xfe : i);
	uint16_t crc = modbus_crc(reply, 253);
	reply[253] = (uint8_t)(crc & 0xff);
	reply[254] = (uint8_t)(crc >> 8);
	for (size_t at = 0; at <= 255; at++) {
		uint8_t raw[STRIP_RAW_BYTES];
		struct modbus_reply out;
		size_t used = 0;
		memcpy(raw, reply, sizeof reply);
		size_t n = insert(raw, 255, at, "\xfe\xfe");
		assert_int_equal(strip_judge(fefe, &long_one, raw, n, frame, &out, &used),
				 MODBUS_COMPLETE);
		assert_memory_equal(out.data, reply + 3, 250);
		for (size_t part = 0; part < 255; part++)
			assert_int_equal(
				strip_judge(fefe, &long_one, raw, part, frame, &out, &used),
				MODBUS_MORE);
	}
}

static void test_a_heartbeat_is_found_in_a_reply_full_of_it(void **state)
{
	(void)state;
	const struct modbus_packet zero[STRIP_PACKETS] = {{1, {0}}, {2, {0, 0}}};
	const struct modbus_request long_one = {.unit = 1, .count = 120};
	uint8_t raw[STRIP_RAW_BYTES] = {1, 3, 240}, frame[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	size_t used = 0;
	uint16_t crc = modbus_crc(raw, 243);
	raw[246] = (uint8_t)(crc & 0xff);
	raw[247] = (uint8_t)(crc >> 8);
	assert_int_equal(strip_judge(zero, &long_one, raw, 248, frame, &reply, &used),
			 MODBUS_COMPLETE);
	assert_int_equal(used, 248);
	assert_int_equal(reply.data_bytes, 240);
}

/* A frame that is right by chance is one in 65536: damage is to be found, not tried away. */
static void test_damage_is_not_made_good_by_trying(void **state)
{
	(void)state;
	const struct modbus_packet fefe[STRIP_PACKETS] = {{0}, {2, {0xfe, 0xfe}}};
	const struct modbus_request long_one = {.unit = 1, .count = 120};
	size_t taken = 0;
	uint32_t random = 1;
	for (int i = 0; i < 300; i++) {
		uint8_t raw[STRIP_RAW_BYTES] = {1, 3, 240}, frame[MODBUS_REPLY_BYTES];
		struct modbus_reply reply;
		size_t used;
		for (size_t at = 3; at < 251; at++) {
			random = random * 1103515245U + 12345U;
			raw[at] = (uint8_t)(at % 3 < 2 ? 0xfe : random >> 16);
		}
		taken += strip_judge(fefe, &long_one, raw, 251, frame, &reply, &used) ==
			 MODBUS_COMPLETE;
	}
	assert_in_range(taken, 0, 5); /* 300 * 128 / 65536 = 0.6; with all ways tried nearly 300 */
}

static void test_between_replies_only_what_is_no_heartbeat_counts(void **state)
{
	(void)state;
	static const struct {
		const char *raw, *left;
		size_t unasked;
	} cases[] = {
		{"ping", "", 0},         {"pingpingDTU-007", "", 0}, {"pi", "pi", 0},
		{"pingpin", "pin", 0},   {"xping", "", 1},           {"pixping", "", 3},
		{"\1\3ping\4p", "p", 3}, {"DTU-0", "DTU-0", 0},      {"DTU-1", "", 5},
		{"ppping", "", 2},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t raw[32];
		size_t n = strlen(cases[i].raw);
		memcpy(raw, cases[i].raw, n);
		assert_int_equal(strip_idle(packets, raw, &n), cases[i].unasked);
		assert_int_equal(n, strlen(cases[i].left));
		assert_memory_equal(raw, cases[i].left, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_heartbeat_at_any_place_is_taken_out),
		cmocka_unit_test(test_two_packets_at_any_two_places_are_taken_out),
		cmocka_unit_test(test_many_heartbeats_may_come_before_a_reply),
		cmocka_unit_test(test_data_like_a_heartbeat_is_left_in),
		cmocka_unit_test(test_the_beginning_of_a_heartbeat_is_kept_for_later),
		cmocka_unit_test(test_what_is_no_reply_is_refused),
		cmocka_unit_test(test_ways_beyond_number_end),
		cmocka_unit_test(test_a_heartbeat_is_found_among_many_that_are_data),
		cmocka_unit_test(test_a_heartbeat_is_found_in_a_reply_full_of_it),
		cmocka_unit_test(test_damage_is_not_made_good_by_trying),
		cmocka_unit_test(test_between_replies_only_what_is_no_heartbeat_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
