/* SPDX-License-Identifier: Apache-2.0 */
/* The codec against libmodbus' server, against tables of byte orders, and against damaged replies.
 */
#include "drivers/modbus/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <modbus.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct modbus_request five = {
	.transaction = 0x1234, .unit = 7, .table = MODBUS_HOLDING, .address = 100, .count = 5};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

/* --- orders and types --- */

static const char *const order_words[] = {"ABCD", "CDAB", "BADC", "DCBA"};
static const char *const order_words_64[] = {"ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"};
static const char *const order_words_16[] = {"AB", "AB", "BA", "BA"};

/* Lays the bytes A, B, C … of @word out as the words of the manual say. */
static void lay_out(uint64_t word, size_t n, const char *letters, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(word >> (8 * (n - 1 - (size_t)(letters[i] - 'A'))));
}

static const char *letters_of(size_t n, enum modbus_order order)
{
	return n == 2 ? order_words_16[order] : n == 4 ? order_words[order] : order_words_64[order];
}

static struct modbus_value decode(enum modbus_type type, enum modbus_order order, uint64_t word,
				  double scale, double offset, uint64_t *raw)
{
	uint8_t data[12] = {0xde, 0xad};
	size_t n = 2U * modbus_width(MODBUS_HOLDING, type);
	lay_out(word, n, letters_of(n, order), data + 2);
	*raw = 0;
	for (size_t i = 0; i < n; i++)
		*raw = *raw << 8 | data[2 + i];
	struct modbus_request request = {.table = MODBUS_HOLDING, .address = 41, .count = 6};
	struct modbus_reply reply = {.data = data, .data_bytes = sizeof data};
	struct modbus_point point = {.table = MODBUS_HOLDING,
				     .address = 42,
				     .type = type,
				     .order = order,
				     .bit = 9,
				     .scale = scale,
				     .offset = offset};
	return modbus_decode(&point, &request, &reply);
}

static uint64_t bits_of_float(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static uint64_t bits_of_double(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static void check_all_orders(enum modbus_type type, uint64_t word, double expected)
{
	for (int order = 0; order < 4; order++) {
		uint64_t raw;
		struct modbus_value value =
			decode(type, (enum modbus_order)order, word, 1, 0, &raw);
		assert_true(value.raw == raw);
		if (isnan(expected)) {
			assert_false(value.has_value);
			assert_true(value.value == 0);
			continue;
		}
		assert_true(value.has_value);
		assert_true(value.value == expected);
		assert_int_equal(signbit(value.value) != 0, signbit(expected) != 0);
	}
}

static void test_every_type_is_read_in_every_order(void **state)
{
	(void)state;
	check_all_orders(MODBUS_INT16, 0x8001, -32767);
	check_all_orders(MODBUS_INT16, 0x7fff, 32767);
	check_all_orders(MODBUS_UINT16, 0x8001, 32769);
	check_all_orders(MODBUS_INT32, 0x80000001, -2147483647.0);
	check_all_orders(MODBUS_INT32, 0x01020304, 16909060);
	check_all_orders(MODBUS_UINT32, 0xf1020304, 4043440900.0);
	check_all_orders(MODBUS_INT64, 0xfffffffffffffffe, -2);
	check_all_orders(MODBUS_INT64, 0x0001020304050607, 283686952306183.0);
	check_all_orders(MODBUS_UINT64, 0x8000000000000000, 9223372036854775808.0);
	check_all_orders(MODBUS_FLOAT32, bits_of_float(61.25F), 61.25);
	check_all_orders(MODBUS_FLOAT32, bits_of_float(-1.0e-3F), (double)-1.0e-3F);
	check_all_orders(MODBUS_FLOAT64, bits_of_double(7.0123456789), 7.0123456789);
	check_all_orders(MODBUS_BCD16, 0x9876, 9876);
	check_all_orders(MODBUS_BCD32, 0x98765432, 98765432);
	check_all_orders(MODBUS_BCD32, 0, 0);
	check_all_orders(MODBUS_BIT, 1U << 9, 1);
	check_all_orders(MODBUS_BIT, 0xffff & ~(1U << 9), 0);
}

static void test_special_numbers_stop_here(void **state)
{
	(void)state;
	check_all_orders(MODBUS_FLOAT32, 0x7fc00000, NAN);
	check_all_orders(MODBUS_FLOAT32, 0xffc12345, NAN);
	check_all_orders(MODBUS_FLOAT32, 0x7f800001, NAN);
	check_all_orders(MODBUS_FLOAT32, 0x7f800000, NAN);
	check_all_orders(MODBUS_FLOAT32, 0xff800000, NAN);
	check_all_orders(MODBUS_FLOAT64, 0x7ff8000000000000, NAN);
	check_all_orders(MODBUS_FLOAT64, 0xfff0000000000000, NAN);
	check_all_orders(MODBUS_FLOAT64, 0x7ff0000000000001, NAN);
	check_all_orders(MODBUS_FLOAT32, 0x80000000, 0.0);
	check_all_orders(MODBUS_FLOAT32, 1, 0x1p-149);
	check_all_orders(MODBUS_FLOAT32, bits_of_float(3.4e38F), (double)3.4e38F);
	check_all_orders(MODBUS_BCD16, 0x12a4, NAN);
	check_all_orders(MODBUS_BCD16, 0xffff, NAN);
	check_all_orders(MODBUS_BCD32, 0xb0000000, NAN);
}

static void test_a_value_is_scaled_and_stays_finite(void **state)
{
	(void)state;
	uint64_t raw;
	struct modbus_value value = decode(MODBUS_INT16, MODBUS_ABCD, 250, 0.1, -5, &raw);
	assert_true(value.has_value && value.value == 250 * 0.1 - 5);
	value = decode(MODBUS_FLOAT64, MODBUS_ABCD, bits_of_double(1e300), 1e300, 0, &raw);
	assert_false(value.has_value);
	assert_true(value.raw == bits_of_double(1e300));
}

static void test_a_value_beyond_the_reply_is_none(void **state)
{
	(void)state;
	uint8_t data[4] = {1, 2, 3, 4};
	struct modbus_request request = {.table = MODBUS_HOLDING, .address = 10, .count = 2};
	struct modbus_reply reply = {.data = data, .data_bytes = 4};
	struct modbus_point point = {.address = 11, .type = MODBUS_FLOAT32, .scale = 1};
	assert_false(modbus_decode(&point, &request, &reply).has_value);
	point.address = 9;
	assert_false(modbus_decode(&point, &request, &reply).has_value);
	point = (struct modbus_point){.table = MODBUS_COIL, .address = 10 + 32, .scale = 1};
	assert_false(modbus_decode(&point, &request, &reply).has_value);
}

/* --- judging --- */

static size_t good_reply(const struct modbus_request *request, uint8_t *out)
{
	uint8_t asked[MODBUS_REQUEST_BYTES];
	modbus_build(request, asked);
	size_t data =
		modbus_is_bits(request->table) ? (request->count + 7U) / 8U : request->count * 2U;
	memcpy(out, asked, 8);
	out[4] = (uint8_t)((data + 3) >> 8);
	out[5] = (uint8_t)(data + 3);
	out[8] = (uint8_t)data;
	for (size_t i = 0; i < data; i++)
		out[9 + i] = (uint8_t)(i * 37 + 11);
	return 9 + data;
}

static void test_a_request_is_built_as_the_standard_says(void **state)
{
	(void)state;
	uint8_t bytes[MODBUS_REQUEST_BYTES];
	modbus_build(&five, bytes);
	const uint8_t expected[] = {0x12, 0x34, 0, 0, 0, 6, 7, 3, 0, 100, 0, 5};
	assert_memory_equal(bytes, expected, sizeof expected);
	const enum modbus_table tables[] = {MODBUS_COIL, MODBUS_DISCRETE, MODBUS_HOLDING,
					    MODBUS_INPUT};
	for (uint8_t i = 0; i < 4; i++) {
		struct modbus_request request = {.table = tables[i], .count = 1};
		modbus_build(&request, bytes);
		assert_int_equal(bytes[7], i + 1);
	}
}

static void test_a_reply_counts_when_it_is_whole(void **state)
{
	(void)state;
	uint8_t bytes[MODBUS_REPLY_BYTES];
	size_t n = good_reply(&five, bytes);
	struct modbus_reply reply;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(modbus_judge(&five, bytes, i, &reply), MODBUS_MORE);
	assert_int_equal(modbus_judge(&five, bytes, n, &reply), MODBUS_COMPLETE);
	assert_ptr_equal(reply.data, bytes + 9);
	assert_int_equal(reply.data_bytes, 10);
}

static void test_each_wrong_field_is_named(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		enum modbus_verdict verdict;
	} wrongs[] = {{0, MODBUS_WRONG_TRANSACTION}, {1, MODBUS_WRONG_TRANSACTION},
		      {2, MODBUS_WRONG_PROTOCOL},    {3, MODBUS_WRONG_PROTOCOL},
		      {4, MODBUS_WRONG_LENGTH},      {5, MODBUS_WRONG_LENGTH},
		      {6, MODBUS_WRONG_UNIT},        {7, MODBUS_WRONG_FUNCTION},
		      {8, MODBUS_WRONG_BYTE_COUNT}};
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		for (unsigned change = 1; change < 256; change++) {
			uint8_t bytes[MODBUS_REPLY_BYTES];
			size_t n = good_reply(&five, bytes);
			struct modbus_reply reply;
			bytes[wrongs[i].at] ^= (uint8_t)change;
			enum modbus_verdict verdict = modbus_judge(&five, bytes, n, &reply);
			assert_int_equal(verdict, wrongs[i].verdict);
		}
	}
	uint8_t bytes[MODBUS_REPLY_BYTES] = {0};
	size_t n = good_reply(&five, bytes);
	struct modbus_reply reply;
	assert_int_equal(modbus_judge(&five, bytes, n + 1, &reply), MODBUS_WRONG_LENGTH);
}

static void test_an_exception_is_told_from_damage(void **state)
{
	(void)state;
	uint8_t bytes[] = {0x12, 0x34, 0, 0, 0, 3, 7, 0x83, 2};
	struct modbus_reply reply;
	for (size_t i = 0; i < sizeof bytes; i++)
		assert_int_equal(modbus_judge(&five, bytes, i, &reply), MODBUS_MORE);
	assert_int_equal(modbus_judge(&five, bytes, sizeof bytes, &reply), MODBUS_EXCEPTION);
	assert_int_equal(reply.exception, 2);
	bytes[8] = 0;
	assert_int_equal(modbus_judge(&five, bytes, sizeof bytes, &reply), MODBUS_WRONG_BYTE_COUNT);
	bytes[8] = 2;
	bytes[7] = 0x84;
	assert_int_equal(modbus_judge(&five, bytes, sizeof bytes, &reply), MODBUS_WRONG_FUNCTION);
	bytes[7] = 3;
	assert_int_equal(modbus_judge(&five, bytes, sizeof bytes, &reply), MODBUS_WRONG_FUNCTION);
}

/* Independent of the code's order of tests: what a taken reply must hold, byte by byte. */
static bool fits(const struct modbus_request *request, const uint8_t *bytes, size_t n)
{
	uint8_t whole[MODBUS_REPLY_BYTES];
	size_t length = good_reply(request, whole);
	return n == length && memcmp(bytes, whole, 9) == 0;
}

static void test_no_damaged_reply_is_ever_taken(void **state)
{
	(void)state;
	uint32_t seed = 20260101;
	size_t taken = 0, refused = 0;
	for (int i = 0; i < 300000; i++) {
		struct modbus_request request = {
			.transaction = (uint16_t)next_random(&seed),
			.unit = (uint8_t)next_random(&seed),
			.table = (enum modbus_table)(next_random(&seed) % 4),
			.address = (uint16_t)next_random(&seed),
			.count = (uint16_t)(1 + next_random(&seed) % 100)};
		uint8_t bytes[MODBUS_REPLY_BYTES + 8] = {0};
		size_t n = good_reply(&request, bytes);
		for (uint32_t changes = next_random(&seed) % 3; changes > 0; changes--)
			bytes[next_random(&seed) % (n < 14 ? n : 14)] ^=
				(uint8_t)(1U << next_random(&seed) % 8);
		if (next_random(&seed) % 4 == 0)
			n = n - 2 + next_random(&seed) % 5;
		struct modbus_reply reply;
		bool complete = modbus_judge(&request, bytes, n, &reply) == MODBUS_COMPLETE;
		assert_int_equal(complete, fits(&request, bytes, n));
		taken += complete;
		refused += !complete;
	}
	assert_true(taken > 1000 && refused > 1000);
}

/* --- libmodbus as the oracle --- */

struct oracle {
	modbus_t *modbus;
	modbus_mapping_t *mapping;
	int listener;
	uint16_t port;
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

static void oracle_start(struct oracle *oracle)
{
	uint32_t seed = 5;
	oracle->modbus = modbus_new_tcp("127.0.0.1", 0);
	oracle->mapping = modbus_mapping_new(3000, 3000, 500, 500);
	for (int i = 0; i < 500; i++) {
		oracle->mapping->tab_registers[i] = (uint16_t)next_random(&seed);
		oracle->mapping->tab_input_registers[i] = (uint16_t)next_random(&seed);
	}
	for (int i = 0; i < 3000; i++) {
		oracle->mapping->tab_bits[i] = next_random(&seed) & 1;
		oracle->mapping->tab_input_bits[i] = next_random(&seed) & 1;
	}
	oracle->listener = modbus_tcp_listen(oracle->modbus, 2);
	assert_true(oracle->listener >= 0);
	struct sockaddr_in address;
	socklen_t bytes = sizeof address;
	assert_int_equal(getsockname(oracle->listener, (struct sockaddr *)&address, &bytes), 0);
	oracle->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&oracle->thread, NULL, oracle_serve, oracle), 0);
}

static void oracle_stop(struct oracle *oracle)
{
	shutdown(oracle->listener, SHUT_RDWR);
	pthread_join(oracle->thread, NULL);
	close(oracle->listener);
	modbus_mapping_free(oracle->mapping);
	modbus_free(oracle->modbus);
}

static enum modbus_verdict exchange(int fd, const struct modbus_request *request, uint8_t *bytes,
				    struct modbus_reply *reply)
{
	uint8_t asked[MODBUS_REQUEST_BYTES];
	modbus_build(request, asked);
	assert_int_equal(send(fd, asked, sizeof asked, MSG_NOSIGNAL), sizeof asked);
	size_t n = 0;
	enum modbus_verdict verdict = MODBUS_MORE;
	while (verdict == MODBUS_MORE) {
		ssize_t got = recv(fd, bytes + n, MODBUS_REPLY_BYTES - n, 0);
		assert_true(got > 0);
		n += (size_t)got;
		verdict = modbus_judge(request, bytes, n, reply);
	}
	return verdict;
}

static int connect_to(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static double oracle_value(const struct oracle *oracle, enum modbus_table table, int address)
{
	switch (table) {
	case MODBUS_COIL:
		return oracle->mapping->tab_bits[address];
	case MODBUS_DISCRETE:
		return oracle->mapping->tab_input_bits[address];
	case MODBUS_HOLDING:
		return oracle->mapping->tab_registers[address];
	case MODBUS_INPUT:
		return oracle->mapping->tab_input_registers[address];
	}
	return NAN;
}

static void test_libmodbus_answers_what_we_decode(void **state)
{
	(void)state;
	struct oracle oracle;
	oracle_start(&oracle);
	int fd = connect_to(oracle.port);
	uint32_t seed = 99;
	for (int i = 0; i < 2000; i++) {
		enum modbus_table table = (enum modbus_table)(i % 4);
		uint32_t most = modbus_is_bits(table) ? MODBUS_MAX_BITS : MODBUS_MAX_REGISTERS;
		uint32_t size = modbus_is_bits(table) ? 3000 : 500;
		struct modbus_request request = {
			.transaction = (uint16_t)i, .unit = 1, .table = table};
		request.count = (uint16_t)(1 + next_random(&seed) % most);
		request.address = (uint16_t)(next_random(&seed) % (size - request.count + 1));
		uint8_t bytes[MODBUS_REPLY_BYTES];
		struct modbus_reply reply;
		assert_int_equal(exchange(fd, &request, bytes, &reply), MODBUS_COMPLETE);
		struct modbus_point point = {.table = table, .type = MODBUS_UINT16, .scale = 1};
		for (uint16_t at = 0; at < request.count; at++) {
			point.address = (uint16_t)(request.address + at);
			struct modbus_value value = modbus_decode(&point, &request, &reply);
			assert_true(value.has_value);
			assert_true(value.value == oracle_value(&oracle, table, point.address));
		}
	}
	struct modbus_request beyond = {.transaction = 9, .unit = 1, .address = 490, .count = 20};
	uint8_t bytes[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	assert_int_equal(exchange(fd, &beyond, bytes, &reply), MODBUS_EXCEPTION);
	assert_int_equal(reply.exception, 2);
	close(fd);
	oracle_stop(&oracle);
}

static void test_libmodbus_reads_the_same_registers(void **state)
{
	(void)state;
	struct oracle oracle;
	oracle_start(&oracle);
	modbus_t *client = modbus_new_tcp("127.0.0.1", oracle.port);
	assert_int_equal(modbus_connect(client), 0);
	uint16_t theirs[125];
	assert_int_equal(modbus_read_input_registers(client, 3, 125, theirs), 125);
	modbus_close(client);
	modbus_free(client);

	int fd = connect_to(oracle.port);
	struct modbus_request request = {
		.transaction = 77, .unit = 255, .table = MODBUS_INPUT, .address = 3, .count = 125};
	uint8_t bytes[MODBUS_REPLY_BYTES];
	struct modbus_reply reply;
	assert_int_equal(exchange(fd, &request, bytes, &reply), MODBUS_COMPLETE);
	for (uint16_t i = 0; i < 125; i++) {
		struct modbus_point point = {.table = MODBUS_INPUT,
					     .address = (uint16_t)(3 + i),
					     .type = MODBUS_UINT16,
					     .scale = 1};
		assert_true(modbus_decode(&point, &request, &reply).value == theirs[i]);
	}
	close(fd);
	oracle_stop(&oracle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type_is_read_in_every_order),
		cmocka_unit_test(test_special_numbers_stop_here),
		cmocka_unit_test(test_a_value_is_scaled_and_stays_finite),
		cmocka_unit_test(test_a_value_beyond_the_reply_is_none),
		cmocka_unit_test(test_a_request_is_built_as_the_standard_says),
		cmocka_unit_test(test_a_reply_counts_when_it_is_whole),
		cmocka_unit_test(test_each_wrong_field_is_named),
		cmocka_unit_test(test_an_exception_is_told_from_damage),
		cmocka_unit_test(test_no_damaged_reply_is_ever_taken),
		cmocka_unit_test(test_libmodbus_answers_what_we_decode),
		cmocka_unit_test(test_libmodbus_reads_the_same_registers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
