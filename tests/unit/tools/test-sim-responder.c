/* SPDX-License-Identifier: Apache-2.0 */
/* libmodbus as client, and a plain socket for what libmodbus would never send. */
#include "sim/bank.h"
#include "sim/fleet.h"
#include "sim/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <modbus.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CLIENTS = 200, NOW_MS = 5000 };

static struct signal_event nan_event = {SIGNAL_NAN, 0, 0, 0.0};
static struct signal_event silence_event = {SIGNAL_SILENCE, 0, 0, 0.0};

static struct bank_instrument instrument(uint8_t unit_id, enum bank_table table, uint16_t address,
					 enum bank_type type, enum bank_order order, double value)
{
	return (struct bank_instrument){
		.unit_id = unit_id,
		.table = table,
		.address = address,
		.type = type,
		.order = order,
		.scale = 1.0,
		.signal = {.base = value, .low = -1e300, .high = 1e300, .decimals = 2}};
}

struct fixture {
	struct bank_instrument at[16];
	struct bank bank;
	struct fleet fleet;
	struct responder *responder;
	struct fault_rule rule;
	struct fault_plan faults;
	uint16_t port, fleet_port, faulty_port;
	int stop;
	pthread_t thread;
	modbus_t *client;
};

static int read_bank(void *context, uint8_t unit_id, uint8_t function, uint16_t address,
		     unsigned count, int64_t time_ms, uint16_t *words)
{
	return bank_read(context, unit_id, (enum bank_table)function, address, count, time_ms,
			 words);
}

static void *serve(void *argument)
{
	struct fixture *f = argument;
	struct pollfd fds[] = {{.fd = responder_fd(f->responder), .events = POLLIN},
			       {.fd = f->stop, .events = POLLIN}};
	while (poll(fds, 2, -1) >= 0 && fds[1].revents == 0)
		if (responder_serve(f->responder, NOW_MS) != 0)
			break;
	return NULL;
}

static void fill(struct fixture *f)
{
	size_t n = 0;
	f->at[n++] = instrument(1, BANK_HOLDING, 0, BANK_FLOAT32, BANK_ABCD, 123456.0);
	f->at[n++] = instrument(1, BANK_HOLDING, 2, BANK_FLOAT32, BANK_CDAB, 123456.0);
	f->at[n++] = instrument(1, BANK_HOLDING, 4, BANK_INT16, BANK_ABCD, -2.0);
	f->at[n++] = instrument(1, BANK_HOLDING, 5, BANK_FLOAT32, BANK_ABCD, 1.0);
	f->at[n - 1].signal.events = &nan_event;
	f->at[n - 1].signal.n_events = 1;
	f->at[n++] = instrument(1, BANK_HOLDING, 20, BANK_FLOAT32, BANK_ABCD, 1.0);
	f->at[n - 1].signal.events = &silence_event;
	f->at[n - 1].signal.n_events = 1;
	f->at[n++] = instrument(1, BANK_INPUT, 0, BANK_UINT64, BANK_ABCD, 1099511627777.0);
	for (uint16_t i = 0; i < 9; i++)
		f->at[n++] = instrument(1, BANK_DISCRETE, i, BANK_BIT, BANK_ABCD, i % 3 == 0);
	f->at[n++] = instrument(7, BANK_HOLDING, 65535, BANK_UINT16, BANK_DCBA, 0x1234);
	f->bank = (struct bank){f->at, n};
	bank_sort(&f->bank);
}

static int set_up(void **state)
{
	static struct fixture fixture; /* one test at a time */
	struct fixture *f = &fixture;
	memset(f, 0, sizeof *f);
	fill(f);
	f->fleet = (struct fleet){.registers = 10, .seed = 3};
	f->rule = (struct fault_rule){.unit_id = 1, .share = 1.0, .at_ms = NOW_MS};
	f->faults = (struct fault_plan){.rules = &f->rule, .n = 1};
	f->stop = eventfd(0, EFD_CLOEXEC);
	if (responder_new(&f->responder) != 0 ||
	    responder_listen(f->responder, "127.0.0.1", &f->port,
			     (struct responder_source){.read = read_bank, .context = &f->bank}) !=
		    0 ||
	    responder_listen(f->responder, "127.0.0.1", &f->fleet_port,
			     (struct responder_source){.read = fleet_read, .context = &f->fleet}) !=
		    0 ||
	    responder_listen(f->responder, "127.0.0.1", &f->faulty_port,
			     (struct responder_source){read_bank, &f->bank, &f->faults}) != 0 ||
	    pthread_create(&f->thread, NULL, serve, f) != 0)
		return -1;
	f->client = modbus_new_tcp("127.0.0.1", f->port);
	modbus_set_slave(f->client, 1);
	*state = f;
	return modbus_connect(f->client);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	modbus_close(f->client);
	modbus_free(f->client);
	eventfd_write(f->stop, 1);
	pthread_join(f->thread, NULL);
	responder_free(f->responder);
	close(f->stop);
	return 0;
}

static void test_all_tables_are_read_as_libmodbus_asks(void **state)
{
	struct fixture *f = *state;
	uint16_t words[8];
	uint8_t bits[9];
	assert_int_equal(modbus_read_registers(f->client, 0, 7, words), 7);
	const uint16_t holding[] = {0x47f1, 0x2000, 0x2000, 0x47f1, 0xfffe, 0x7fc0, 0};
	assert_memory_equal(words, holding, sizeof holding);
	assert_int_equal(modbus_read_input_registers(f->client, 0, 4, words), 4);
	const uint16_t input[] = {0, 0x100, 0, 1};
	assert_memory_equal(words, input, sizeof input);
	assert_int_equal(modbus_read_input_bits(f->client, 0, 9, bits), 9);
	const uint8_t discrete[] = {1, 0, 0, 1, 0, 0, 1, 0, 0};
	assert_memory_equal(bits, discrete, sizeof discrete);
	modbus_set_slave(f->client, 7);
	assert_int_equal(modbus_read_registers(f->client, 65535, 1, words), 1);
	assert_int_equal(words[0], 0x3412);
}

static void expect_error(int result, int error)
{
	assert_int_equal(result, -1);
	assert_int_equal(errno, error);
}

static void test_what_is_not_there_is_an_exception(void **state)
{
	struct fixture *f = *state;
	uint16_t words[8];
	uint8_t bits[8];
	expect_error(modbus_read_registers(f->client, 6, 2, words), EMBXILADD);
	expect_error(modbus_read_registers(f->client, 100, 1, words), EMBXILADD);
	expect_error(modbus_read_bits(f->client, 0, 1, bits), EMBXILADD);
	expect_error(modbus_write_register(f->client, 0, 1), EMBXILFUN);
	modbus_set_slave(f->client, 9);
	expect_error(modbus_read_registers(f->client, 0, 1, words), EMBXGTAR);
	modbus_set_slave(f->client, 7);
	expect_error(modbus_read_registers(f->client, 65535, 2, words), EMBXILADD);
}

static int socket_to(uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
	return fd;
}

static int plain_socket(const struct fixture *f)
{
	return socket_to(f->port);
}

static void expect_bytes(int fd, const uint8_t *bytes, size_t n)
{
	uint8_t in[600];
	assert_true(n <= sizeof in);
	assert_int_equal(recv(fd, in, n, MSG_WAITALL), n);
	assert_memory_equal(in, bytes, n);
}

/* Transaction @id: one register of unit 1, its address and quantity. */
static void request(uint8_t at[12], uint8_t id, uint8_t address, uint8_t quantity)
{
	const uint8_t bytes[] = {0, id, 0, 0, 0, 6, 1, 3, 0, address, 0, quantity};
	memcpy(at, bytes, sizeof bytes);
}

static void test_a_silent_instrument_is_passed_over(void **state)
{
	uint8_t two[24];
	int fd = plain_socket(*state);
	request(two, 1, 20, 2);
	request(two + 12, 2, 4, 1);
	assert_int_equal(write(fd, two, sizeof two), sizeof two);
	const uint8_t second[] = {0, 2, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe};
	expect_bytes(fd, second, sizeof second);
	close(fd);
}

static void test_requests_may_come_in_pieces_or_many_at_once(void **state)
{
	enum { MANY = 300 };
	uint8_t all[MANY * 12], reply[11] = {0, 0, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe};
	int fd = plain_socket(*state);
	for (unsigned i = 0; i < MANY; i++)
		request(all + i * 12, (uint8_t)i, 4, 1);
	for (size_t i = 0; i < 24; i++)
		assert_int_equal(write(fd, all + i, 1), 1);
	assert_int_equal(write(fd, all + 24, sizeof all - 24), sizeof all - 24);
	for (unsigned i = 0; i < MANY; i++) {
		reply[1] = (uint8_t)i;
		expect_bytes(fd, reply, sizeof reply);
	}
	close(fd);
}

static void test_a_wrong_quantity_or_length_is_exception_3(void **state)
{
	static const struct {
		uint8_t request[14];
		size_t n;
	} cases[] = {
		{{0, 5, 0, 0, 0, 6, 1, 3, 0, 0, 0, 0}, 12},
		{{0, 5, 0, 0, 0, 6, 1, 3, 0, 0, 0, 126}, 12},
		{{0, 5, 0, 0, 0, 4, 1, 3, 0, 0}, 10},
		{{0, 5, 0, 0, 0, 8, 1, 3, 0, 0, 0, 1, 0, 0}, 14},
	};
	const uint8_t reply[] = {0, 5, 0, 0, 0, 3, 1, 0x83, 3};
	int fd = plain_socket(*state);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		assert_int_equal(write(fd, cases[i].request, cases[i].n), cases[i].n);
		expect_bytes(fd, reply, sizeof reply);
	}
	close(fd);
}

static void test_what_is_not_modbus_ends_the_connection(void **state)
{
	static const uint8_t cases[][8] = {{0, 1, 0, 1, 0, 6, 1, 3},
					   {0, 1, 0, 0, 0, 1, 1, 3},
					   {0, 1, 0, 0, 1, 0, 1, 3},
					   {'G', 'E', 'T', ' ', '/', ' '}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t byte;
		int fd = plain_socket(*state);
		assert_int_equal(write(fd, cases[i], 8), 8);
		assert_true(recv(fd, &byte, 1, 0) <= 0);
		close(fd);
	}
}

static void test_a_fleet_answers_many_connections_at_once(void **state)
{
	struct fixture *f = *state;
	modbus_t *clients[CLIENTS];
	uint16_t words[10];
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = modbus_new_tcp("127.0.0.1", f->fleet_port);
		modbus_set_slave(clients[i], 1 + i % 247);
		assert_int_equal(modbus_connect(clients[i]), 0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		assert_int_equal(modbus_read_registers(clients[i], 0, 10, words), 10);
		double first = fleet_value(&f->fleet, (uint8_t)(1 + i % 247), 0, NOW_MS);
		double last = fleet_value(&f->fleet, (uint8_t)(1 + i % 247), 8, NOW_MS);
		uint16_t expected[4];
		bank_encode(BANK_FLOAT32, BANK_ABCD, first, expected);
		bank_encode(BANK_FLOAT32, BANK_ABCD, last, expected + 2);
		assert_memory_equal(words, expected, 4);
		assert_memory_equal(words + 8, expected + 2, 4);
	}
	expect_error(modbus_read_registers(clients[0], 9, 2, words), EMBXILADD);
	for (int i = 0; i < CLIENTS; i++) {
		modbus_close(clients[i]);
		modbus_free(clients[i]);
	}
}

/* What comes for the request of register 4, transaction 5; the right reply is 00 05 00 00 00 05 01
 * 03 02 ff fe. A reply of 0 bytes: the connection ends. */
static void test_each_fault_has_its_bytes(void **state)
{
	static const struct {
		struct fault fault;
		uint8_t reply[24];
		size_t n;
	} cases[] = {
		{{FAULT_TRANSACTION, 0, 0}, {0, 6, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_PROTOCOL, 0, 0}, {0, 5, 0, 1, 0, 5, 1, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_UNIT, 0, 0}, {0, 5, 0, 0, 0, 5, 2, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_FUNCTION, 0, 0}, {0, 5, 0, 0, 0, 5, 1, 4, 2, 0xff, 0xfe}, 11},
		{{FAULT_BYTE_COUNT, 0, 0}, {0, 5, 0, 0, 0, 5, 1, 3, 0, 0xff, 0xfe}, 11},
		{{FAULT_LENGTH_LOW, 0, 0}, {0, 5, 0, 0, 0, 3, 1, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_LENGTH_HIGH, 0, 0}, {0, 5, 0, 0, 0, 7, 1, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_SURPLUS, 0, 0}, {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe, 65, 65}, 13},
		{{FAULT_FEWER, 0, 0}, {0, 5, 0, 0, 0, 3, 1, 3, 0}, 9},
		{{FAULT_MORE, 0, 0}, {0, 5, 0, 0, 0, 7, 1, 3, 4, 0xff, 0xfe, 65, 65}, 13},
		{{FAULT_EXCEPTION, 0, 6}, {0, 5, 0, 0, 0, 3, 1, 0x83, 6}, 9},
		{{FAULT_GARBAGE, 0, 0},
		 {0xff, 0, 0x55, 0xaa, 0x0d, 0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe},
		 16},
		{{FAULT_DUPLICATE, 0, 0},
		 {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe, 0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe},
		 22},
		{{FAULT_DUPLICATE, 5, 0},
		 {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe, 0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe},
		 22},
		{{FAULT_CHATTER, 5, 0}, {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe, 0, 0x41, 0xff}, 14},
		{{FAULT_TRICKLE, 1, 0}, {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_LATE, 5, 0}, {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe}, 11},
		{{FAULT_CLOSE, 0, 0}, {0}, 0},
		{{FAULT_RESET, 0, 0}, {0}, 0},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t asked[12], rest;
		f->rule.fault = cases[i].fault; /* the responder waits for the request below */
		int fd = socket_to(f->faulty_port);
		request(asked, 5, 4, 1);
		assert_int_equal(write(fd, asked, sizeof asked), sizeof asked);
		if (cases[i].n > 0)
			expect_bytes(fd, cases[i].reply, cases[i].n);
		else
			assert_true(recv(fd, &rest, 1, 0) <= 0);
		close(fd);
	}
	assert_int_equal(responder_faults(f->responder), sizeof cases / sizeof *cases);
	assert_int_equal(responder_writes(f->responder), 0);
}

static void test_a_stray_reply_comes_on_the_next_connection(void **state)
{
	struct fixture *f = *state;
	const uint8_t reply[] = {0, 5, 0, 0, 0, 5, 1, 3, 2, 0xff, 0xfe};
	uint8_t asked[12];
	f->rule.fault = (struct fault){.kind = FAULT_STRAY, .delay_ms = 100};
	int first = socket_to(f->faulty_port);
	request(asked, 5, 4, 1);
	assert_int_equal(write(first, asked, sizeof asked), sizeof asked);
	close(first);
	int second = socket_to(f->faulty_port);
	expect_bytes(second, reply, sizeof reply);
	close(second);
}

static void test_a_share_of_the_requests_is_spoiled(void **state)
{
	(void)state;
	struct fault_rule rules[] = {
		{.fault.kind = FAULT_LATE, .unit_id = 3, .share = 1.0},
		{.fault.kind = FAULT_UNIT, .unit_id = -1, .share = 0.05},
		{.fault.kind = FAULT_CUT, .unit_id = 4, .share = 1.0, .at_ms = 10, .for_ms = 5}};
	struct fault_plan plan = {.rules = rules, .n = 3, .seed = 1};
	unsigned n = 0;
	for (unsigned i = 0; i < 100000; i++)
		n += fault_choose(&plan, 1, 0) != NULL;
	assert_in_range(n, 4500, 5500);
	assert_ptr_equal(fault_choose(&plan, 3, 0), &rules[0].fault);
	rules[1].share = 0;
	assert_null(fault_choose(&plan, 4, 9));
	assert_ptr_equal(fault_choose(&plan, 4, 10), &rules[2].fault);
	assert_null(fault_choose(&plan, 4, 15));
}

/* Values, and their bytes as the orders are defined: A is the most significant. */
static void test_every_type_and_order_has_its_bytes(void **state)
{
	static const struct {
		enum bank_type type;
		enum bank_order order;
		double raw;
		uint16_t words[4];
	} cases[] = {
		{BANK_INT16, BANK_ABCD, -32769.0, {0x8000}},
		{BANK_INT16, BANK_DCBA, 258.0, {0x0201}},
		{BANK_INT16, BANK_CDAB, 258.0, {0x0102}},
		{BANK_UINT16, BANK_ABCD, 65536.0, {0xffff}},
		{BANK_UINT16, BANK_ABCD, -1.0, {0}},
		{BANK_INT32, BANK_ABCD, -2.0, {0xffff, 0xfffe}},
		{BANK_INT32, BANK_ABCD, 16909060.0, {0x0102, 0x0304}},
		{BANK_INT32, BANK_CDAB, 16909060.0, {0x0304, 0x0102}},
		{BANK_INT32, BANK_BADC, 16909060.0, {0x0201, 0x0403}},
		{BANK_INT32, BANK_DCBA, 16909060.0, {0x0403, 0x0201}},
		{BANK_UINT32, BANK_ABCD, 4294967295.0, {0xffff, 0xffff}},
		{BANK_INT64, BANK_ABCD, -1.0, {0xffff, 0xffff, 0xffff, 0xffff}},
		{BANK_UINT64, BANK_CDAB, 1099511627777.0, {1, 0, 0x100, 0}},
		{BANK_UINT64, BANK_BADC, 1099511627777.0, {0, 1, 0, 0x100}},
		{BANK_UINT64, BANK_DCBA, 1099511627777.0, {0x100, 0, 1, 0}},
		{BANK_FLOAT64, BANK_ABCD, -1.5, {0xbff8, 0, 0, 0}},
		{BANK_FLOAT64, BANK_CDAB, -1.5, {0, 0, 0, 0xbff8}},
		{BANK_FLOAT64, BANK_ABCD, NAN, {0x7ff8, 0, 0, 0}},
		{BANK_BCD16, BANK_ABCD, 1234.0, {0x1234}},
		{BANK_BCD16, BANK_ABCD, 10000.0, {0x9999}},
		{BANK_BCD32, BANK_CDAB, 12345678.0, {0x5678, 0x1234}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint16_t words[4] = {0};
		bank_encode(cases[i].type, cases[i].order, cases[i].raw, words);
		if (memcmp(words, cases[i].words, sizeof words) != 0)
			fail_msg("case %zu: %04x %04x %04x %04x", i, words[0], words[1], words[2],
				 words[3]);
	}
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(test_all_tables_are_read_as_libmodbus_asks),
		WITH_SERVER(test_what_is_not_there_is_an_exception),
		WITH_SERVER(test_a_silent_instrument_is_passed_over),
		WITH_SERVER(test_requests_may_come_in_pieces_or_many_at_once),
		WITH_SERVER(test_a_wrong_quantity_or_length_is_exception_3),
		WITH_SERVER(test_what_is_not_modbus_ends_the_connection),
		WITH_SERVER(test_a_fleet_answers_many_connections_at_once),
		WITH_SERVER(test_each_fault_has_its_bytes),
		WITH_SERVER(test_a_stray_reply_comes_on_the_next_connection),
		cmocka_unit_test(test_a_share_of_the_requests_is_spoiled),
		cmocka_unit_test(test_every_type_and_order_has_its_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
