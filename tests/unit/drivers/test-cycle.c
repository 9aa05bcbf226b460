/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/cycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>

static struct modbus_point register_at(uint8_t unit, uint16_t address)
{
	return (struct modbus_point){
		.unit_id = unit, .address = address, .type = MODBUS_UINT16, .every = 1};
}

static struct modbus_cycle cycle_of(enum modbus_framing framing, int64_t gap_ms, int64_t pause_ms)
{
	struct modbus_point points[] = {register_at(1, 0), register_at(1, 4), register_at(1, 100),
					register_at(2, 0)};
	points[3].every = 60; /* due with the others in some rounds */
	struct modbus_connection config = {.framing = framing,
					   .interval_ms = 1000,
					   .timeout_ms = 300,
					   .request_gap_ms = gap_ms,
					   .connect_pause_ms = pause_ms,
					   .max_gap = 16,
					   .max_registers = 125,
					   .points = points,
					   .n_points = 4};
	struct modbus_cycle cycle;
	assert_int_equal(modbus_cycle(&config, &cycle), 0);
	return cycle;
}

static void test_requests_and_units_are_those_of_the_plan(void **state)
{
	(void)state;
	struct modbus_cycle cycle = cycle_of(MODBUS_MBAP, 0, 0);
	assert_int_equal(cycle.n_requests, 3);
	assert_int_equal(cycle.n_units, 2);
	assert_int_equal(cycle.least_ms, 0);
	assert_int_equal(cycle.worst_ms, 900);
}

static void test_pauses_count(void **state)
{
	(void)state;
	struct modbus_cycle cycle = cycle_of(MODBUS_MBAP, 20, 0);
	assert_int_equal(cycle.least_ms, 60);
	assert_int_equal(cycle.worst_ms, 960);
	assert_int_equal(cycle_of(MODBUS_MBAP, 20, 50).worst_ms, 1050);
}

static void test_a_late_reply_is_sat_out_on_a_serial_line(void **state)
{
	(void)state;
	assert_int_equal(cycle_of(MODBUS_RTU, 20, 50).worst_ms, 1800);
	assert_int_equal(cycle_of(MODBUS_DTU, 0, 0).worst_ms, 1800);
}

/* 8 bytes there, 5 + 2 x 5 back (count 5), 11 bits each, and 3.5 silent characters behind. */
static void test_bytes_take_their_time_on_a_serial_line(void **state)
{
	(void)state;
	struct modbus_point points[] = {register_at(1, 0), register_at(1, 4), register_at(2, 0)};
	struct modbus_serial serial = {.baud = 1200, .data_bits = 8, .stop_bits = 1, .parity = 'E'};
	struct modbus_connection config = {.framing = MODBUS_RTU,
					   .serial = &serial,
					   .interval_ms = 1000,
					   .timeout_ms = 300,
					   .max_gap = 16,
					   .max_registers = 125,
					   .points = points,
					   .n_points = 3};
	struct modbus_cycle cycle;
	assert_int_equal(modbus_cycle(&config, &cycle), 0);
	assert_int_equal(cycle.n_requests, 2);
	assert_int_equal(cycle.least_ms, (23 + 15 + 7) * 11 * 1000 / 1200);
	config.request_gap_ms = 50; /* longer than the silence */
	assert_int_equal(modbus_cycle(&config, &cycle), 0);
	assert_int_equal(cycle.least_ms, 100 + (23 + 15) * 11 * 1000 / 1200);
}

static void test_a_connection_without_monitors_asks_nothing(void **state)
{
	(void)state;
	struct modbus_connection config = {.interval_ms = 1000, .timeout_ms = 300};
	struct modbus_cycle cycle;
	assert_int_equal(modbus_cycle(&config, &cycle), 0);
	assert_int_equal(cycle.n_requests, 0);
	assert_int_equal(cycle.worst_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_and_units_are_those_of_the_plan),
		cmocka_unit_test(test_pauses_count),
		cmocka_unit_test(test_a_late_reply_is_sat_out_on_a_serial_line),
		cmocka_unit_test(test_bytes_take_their_time_on_a_serial_line),
		cmocka_unit_test(test_a_connection_without_monitors_asks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
