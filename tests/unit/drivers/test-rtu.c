/* SPDX-License-Identifier: Apache-2.0 */
/* RTU frames, against exchanges printed in instruments' manuals. */
#include "drivers/modbus/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

struct exchange {
	const char *what, *request, *reply;
	struct modbus_request asks;
	struct modbus_point point;
	double value;
};

#define FLOAT_AT(a, o)                                                                             \
	{                                                                                          \
		.address = (a), .type = MODBUS_FLOAT32, .order = (o), .scale = 1                   \
	}
static const struct exchange exchanges[] = {
	{"Jiangsu protocol, result",
	 "01 03 75 31 00 0B 4F CE",
	 "01 03 16 00 01 40 A1 A8 9D 46 0C A0 00 07 E1 00 08 00 1A 00 0D 00 2C 00 0A 71 6B",
	 {.unit = 1, .address = 0x7531, .count = 11},
	 FLOAT_AT(0x7534, MODBUS_ABCD),
	 9000},
	{"Jiangsu protocol, state",
	 "01 03 75 42 00 04 FE 11",
	 "01 03 08 00 01 00 01 00 01 00 00 E9 17",
	 {.unit = 1, .address = 0x7542, .count = 4},
	 {.address = 0x7544, .type = MODBUS_UINT16, .scale = 1},
	 1},
	{"Jiangsu protocol, factors",
	 "01 03 75 FA 00 06 FF F5",
	 "01 03 0C 3D 4C CC CD 3F 80 00 00 00 00 00 00 5B 78",
	 {.unit = 1, .address = 0x75fa, .count = 6},
	 FLOAT_AT(0x75fc, MODBUS_ABCD),
	 1},
	{"open-channel flow meter",
	 "01 03 00 00 00 10 44 06",
	 "01 03 20 3D 6F 97 C1 3E 69 0D 4E 3E 08 52 7C 43 EF A0 FE 00 00 00 00 00 01 4D A7 00 00 "
	 "00 "
	 "00 00 00 00 00 C5 6A",
	 {.unit = 1, .address = 0, .count = 16},
	 {.address = 10, .type = MODBUS_UINT32, .scale = 1},
	 85415},
	{"electromagnetic flow meter",
	 "01 03 00 00 00 02 C4 0B",
	 "01 03 04 00 00 C1 48 AB 95",
	 {.unit = 1, .address = 0, .count = 2},
	 FLOAT_AT(0, MODBUS_CDAB),
	 -12.5},
};
enum { N_EXCHANGES = sizeof exchanges / sizeof *exchanges };

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;
	for (int used = 0; sscanf(hex, "%2x%n", &byte, &used) == 1; hex += used)
		out[n++] = (uint8_t)byte;
	return n;
}

static void test_requests_are_those_of_the_manuals(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXCHANGES; i++) {
		uint8_t expected[64], built[MODBUS_RTU_REQUEST_BYTES];
		assert_int_equal(from_hex(exchanges[i].request, expected), sizeof built);
		modbus_rtu_build(&exchanges[i].asks, built);
		assert_memory_equal(built, expected, sizeof built);
	}
}

static void test_replies_of_the_manuals_are_taken_once_they_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXCHANGES; i++) {
		const struct exchange *x = &exchanges[i];
		uint8_t bytes[64];
		size_t n = from_hex(x->reply, bytes);
		struct modbus_reply reply;
		assert_int_equal(modbus_rtu_reply_bytes(&x->asks), n);
		for (size_t part = 0; part < n; part++)
			assert_int_equal(modbus_rtu_judge(&x->asks, bytes, part, &reply),
					 MODBUS_MORE);
		assert_int_equal(modbus_rtu_judge(&x->asks, bytes, n, &reply), MODBUS_COMPLETE);
		struct modbus_value value = modbus_decode(&x->point, &x->asks, &reply);
		assert_true(value.has_value);
		assert_true(value.value == x->value);
	}
}

/* The CRC finds every burst of up to 16 bits, so every fault within two neighbouring bytes. */
static void test_no_damaged_reply_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXCHANGES; i++) {
		uint8_t bytes[64];
		size_t n = from_hex(exchanges[i].reply, bytes);
		for (size_t at = 0; at + 1 < n; at++) {
			for (unsigned fault = 1; fault < 0x10000; fault += 7) {
				struct modbus_reply reply;
				bytes[at] ^= (uint8_t)fault;
				bytes[at + 1] ^= (uint8_t)(fault >> 8);
				assert_int_not_equal(
					modbus_rtu_judge(&exchanges[i].asks, bytes, n, &reply),
					MODBUS_COMPLETE);
				bytes[at] ^= (uint8_t)fault;
				bytes[at + 1] ^= (uint8_t)(fault >> 8);
			}
		}
	}
}

static void close_frame(uint8_t *bytes, size_t n)
{
	uint16_t crc = modbus_crc(bytes, n);
	bytes[n] = (uint8_t)(crc & 0xff);
	bytes[n + 1] = (uint8_t)(crc >> 8);
}

static enum modbus_verdict judged(uint8_t unit, uint8_t function, uint8_t third, size_t n)
{
	const struct modbus_request request = {.unit = 1, .address = 0, .count = 2};
	uint8_t bytes[16] = {unit, function, third, 0x42, 0x48, 0, 0};
	struct modbus_reply reply;
	close_frame(bytes, n - 2);
	return modbus_rtu_judge(&request, bytes, n, &reply);
}

static void test_whole_frames_of_others_are_refused_by_what_does_not_fit(void **state)
{
	(void)state;
	assert_int_equal(judged(1, 3, 4, 9), MODBUS_COMPLETE);
	assert_int_equal(judged(2, 3, 4, 9), MODBUS_WRONG_UNIT);
	assert_int_equal(judged(0, 3, 4, 9), MODBUS_WRONG_UNIT);
	assert_int_equal(judged(1, 4, 4, 9), MODBUS_WRONG_FUNCTION);
	assert_int_equal(judged(1, 0x84, 2, 5), MODBUS_WRONG_FUNCTION);
	assert_int_equal(judged(1, 3, 2, 7), MODBUS_WRONG_BYTE_COUNT);
	assert_int_equal(judged(1, 3, 6, 11), MODBUS_WRONG_BYTE_COUNT);
	assert_int_equal(judged(1, 3, 4, 10), MODBUS_WRONG_LENGTH);
	assert_int_equal(judged(1, 0x83, 0, 5), MODBUS_WRONG_BYTE_COUNT);
	assert_string_equal(modbus_verdict_name(MODBUS_WRONG_CRC), "CRC");
}

static void test_an_exception_has_its_code_and_its_crc(void **state)
{
	(void)state;
	const struct modbus_request request = {.unit = 1, .address = 0, .count = 2};
	uint8_t bytes[5] = {1, 0x83, 2};
	struct modbus_reply reply;
	close_frame(bytes, 3);
	assert_int_equal(modbus_rtu_judge(&request, bytes, 4, &reply), MODBUS_MORE);
	assert_int_equal(modbus_rtu_judge(&request, bytes, 5, &reply), MODBUS_EXCEPTION);
	assert_int_equal(reply.exception, 2);
	bytes[2] = 3;
	assert_int_equal(modbus_rtu_judge(&request, bytes, 5, &reply), MODBUS_WRONG_CRC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_are_those_of_the_manuals),
		cmocka_unit_test(test_replies_of_the_manuals_are_taken_once_they_are_whole),
		cmocka_unit_test(test_no_damaged_reply_is_taken),
		cmocka_unit_test(test_whole_frames_of_others_are_refused_by_what_does_not_fit),
		cmocka_unit_test(test_an_exception_has_its_code_and_its_crc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
