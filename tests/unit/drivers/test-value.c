/* SPDX-License-Identifier: Apache-2.0 */
/* Values made of several registers: sums, exponents, codes, states, clocks, error values. */
#include "value-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fenv.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- numbers --- */

static void test_a_number_is_shifted_by_its_exponent_register(void **state)
{
	(void)state;
	static const struct {
		int sign, bias, raw;
		int16_t exponent;
		double expected;
	} cases[] = {{1, 0, 1234, -2, 12.34},    {-1, 0, 1234, 2, 12.34}, {1, -3, 7, 3, 7},
		     {1, -3, 7, 0, 0.007},       {1, 0, 3, 22, 3e22},     {-1, 0, 5, 1, 0.5},
		     {1, 0, -4711, -4, -0.4711}, {1, 0, 0, -22, 0}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct modbus_extra extra = {.role = MODBUS_EXPONENT,
					     .at = at(9, MODBUS_INT16),
					     .sign = cases[i].sign,
					     .bias = cases[i].bias};
		struct modbus_more more = {.extras = &extra, .n_extras = 1};
		struct modbus_point point = {
			.address = 3, .type = MODBUS_INT16, .scale = 1, .more = &more};
		struct bench bench = bench_of(MODBUS_HOLDING);
		put(&bench, 3, (uint16_t)cases[i].raw);
		put(&bench, 9, (uint16_t)cases[i].exponent);
		expect_number(read_point(&bench, &point), cases[i].expected);
	}
}

static void test_an_exponent_that_can_be_none_gives_no_value(void **state)
{
	(void)state;
	struct modbus_extra extra = {.role = MODBUS_EXPONENT, .at = at(2, MODBUS_INT16), .sign = 1};
	struct modbus_more more = {.extras = &extra, .n_extras = 1};
	struct modbus_point point = float_at(0, &more);
	struct bench bench = bench_of(MODBUS_HOLDING);
	put_float(&bench, 0, 1);
	put(&bench, 2, 23);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put(&bench, 2, 0x8000);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	extra.at.type = MODBUS_FLOAT32;
	put_float(&bench, 2, 0.5F);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put32(&bench, 2, 0x7fa00000);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put_float(&bench, 2, -2);
	expect_number(read_point(&bench, &point), 0.01);
}

static void test_parts_of_a_number_are_added(void **state)
{
	(void)state;
	struct modbus_extra extras[] = {
		{.role = MODBUS_EXPONENT, .at = at(8, MODBUS_UINT16), .sign = -1},
		{.role = MODBUS_PLUS, .at = at(2, MODBUS_UINT32), .times = 1e8},
		{.role = MODBUS_PLUS, .at = at(4, MODBUS_FLOAT32), .times = 1}};
	struct modbus_more more = {.extras = extras, .n_extras = 3};
	struct modbus_point point = {.type = MODBUS_UINT32, .scale = 2, .offset = 1, .more = &more};
	struct bench bench = bench_of(MODBUS_HOLDING);
	put32(&bench, 0, 85415);
	put32(&bench, 2, 3);
	put_float(&bench, 4, 0.5F);
	put(&bench, 8, 1); /* the sum is shifted, whatever stands first */
	expect_number(read_point(&bench, &point), 300085415.5 / 10 * 2 + 1);
	put32(&bench, 4, 0x7fc00000);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
}

static void test_a_unit_code_stands_for_a_factor(void **state)
{
	(void)state;
	const struct modbus_meaning units[] = {{.value = 0, .factor = 1},
					       {.value = 1, .factor = 1000}};
	struct modbus_extra extra = {.role = MODBUS_FACTOR,
				     .at = at(2, MODBUS_UINT16),
				     .meanings = units,
				     .n_meanings = 2};
	struct modbus_more more = {.extras = &extra, .n_extras = 1};
	struct modbus_point point = float_at(0, &more);
	struct bench bench = bench_of(MODBUS_HOLDING);
	put_float(&bench, 0, 0.25F);
	expect_number(read_point(&bench, &point), 0.25);
	put(&bench, 2, 1);
	expect_number(read_point(&bench, &point), 250);
	put(&bench, 2, 2);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
}

static void test_error_values_are_compared_before_scaling(void **state)
{
	(void)state;
	const double invalid[] = {-9999.9, 99999, 32767};
	struct modbus_more more = {.invalid = invalid, .n_invalid = 3};
	struct modbus_point point = float_at(0, &more);
	point.scale = 0.1;
	struct bench bench = bench_of(MODBUS_HOLDING);
	put_float(&bench, 0, -9999.9F); /* not the double -9999.9 */
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put_float(&bench, 0, 99999);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put_float(&bench, 0, 999990); /* it would be one after scaling */
	expect_number(read_point(&bench, &point), 999990 * 0.1);
	put_float(&bench, 0, nextafterf(99999, 0));
	assert_true(read_point(&bench, &point).has_value);
	point.type = MODBUS_INT16;
	put(&bench, 0, 0x7fff);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put(&bench, 0, 0x7ffe);
	expect_number(read_point(&bench, &point), 32766 * 0.1);
}

static void test_no_nan_ever_becomes_a_float(void **state)
{
	(void)state;
	const double invalid[] = {-1};
	struct modbus_more more = {.invalid = invalid, .n_invalid = 1};
	struct modbus_point point = float_at(0, &more);
	static const uint32_t nans[] = {0x7fa00000, 0x7f800001, 0xffbfffff, 0xff800001, 0x7fc00000,
					0xffffffff, 0x7fffffff, 0x7f800000, 0xff800000};
	feclearexcept(FE_ALL_EXCEPT);
	for (size_t i = 0; i < COUNT(nans); i++) {
		struct bench bench = bench_of(MODBUS_HOLDING);
		put32(&bench, 0, nans[i]);
		struct modbus_result result = read_point(&bench, &point);
		expect_none(result, FLAG_FAULT);
		assert_int_equal(result.raw, nans[i]);
		struct modbus_value plain =
			modbus_decode(&(struct modbus_point){.type = MODBUS_FLOAT32, .scale = 1},
				      &bench.request, &bench.reply);
		assert_false(plain.has_value);
	}
	assert_int_equal(fetestexcept(FE_INVALID), 0); /* what a signalling NaN raises on its way */
}

/* --- states --- */

static void test_a_state_becomes_a_flag(void **state)
{
	(void)state;
	const struct modbus_meaning states[] = {{.value = 0, .flag = 'N'},
						{.value = 1, .flag = 'D'},
						{.value = 2, .flag = 'D', .no_value = true},
						{.value = 5, .flag = 'M'}};
	struct modbus_extra extra = {.role = MODBUS_STATUS,
				     .at = at(2, MODBUS_UINT16),
				     .meanings = states,
				     .n_meanings = COUNT(states),
				     .otherwise = {.flag = 'D', .no_value = true}};
	struct modbus_more more = {.extras = &extra, .n_extras = 1};
	struct modbus_point point = float_at(0, &more);
	struct bench bench = bench_of(MODBUS_HOLDING);
	put_float(&bench, 0, 7.5F);
	expect_number(read_point(&bench, &point), 7.5);
	put(&bench, 2, 1);
	struct modbus_result result = read_point(&bench, &point);
	assert_true(result.has_value && result.value == 7.5 && result.flag == FLAG_FAULT);
	put(&bench, 2, 5);
	result = read_point(&bench, &point);
	assert_true(result.has_value && result.flag == FLAG_MAINTENANCE);
	put(&bench, 2, 2);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put(&bench, 2, 9);
	expect_none(read_point(&bench, &point), FLAG_FAULT);
	put(&bench, 2, 5);
	put32(&bench, 0, 0x7fa00000); /* the state's flag stays where there is no value */
	expect_none(read_point(&bench, &point), FLAG_MAINTENANCE);
}

static void test_the_first_state_that_is_not_normal_counts(void **state)
{
	(void)state;
	const struct modbus_meaning alarms[] = {{.bits = 0x0006, .flag = 'D'},
						{.bits = 0x0100, .flag = 'C'}};
	const struct modbus_meaning modes[] = {{.value = 2, .flag = 'M'}};
	struct modbus_extra extras[] = {{.role = MODBUS_STATUS,
					 .at = at(2, MODBUS_UINT16),
					 .meanings = alarms,
					 .n_meanings = 2,
					 .otherwise = {.flag = 'N'}},
					{.role = MODBUS_STATUS,
					 .at = at(3, MODBUS_UINT16),
					 .mask = 0x000f,
					 .meanings = modes,
					 .n_meanings = 1,
					 .otherwise = {.flag = 'N'}}};
	struct modbus_more more = {.extras = extras, .n_extras = 2};
	struct modbus_point point = float_at(0, &more);
	static const struct {
		uint16_t alarm, mode;
		enum flag flag;
	} cases[] = {{0, 0, FLAG_NORMAL},          {0x0004, 0, FLAG_FAULT},
		     {0x0002, 0x0002, FLAG_FAULT}, {0x0100, 0, FLAG_CALIBRATION},
		     {0x0104, 0, FLAG_FAULT},      {0x0008, 0xfff2, FLAG_MAINTENANCE},
		     {0xfef9, 0x0020, FLAG_NORMAL}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct bench bench = bench_of(MODBUS_HOLDING);
		put(&bench, 2, cases[i].alarm);
		put(&bench, 3, cases[i].mode);
		assert_int_equal(read_point(&bench, &point).flag, cases[i].flag);
	}
}

static void test_a_state_may_be_a_bit_of_a_table_of_bits(void **state)
{
	(void)state;
	const struct modbus_meaning states[] = {{.value = 1, .flag = 'M'}};
	struct modbus_extra extra = {
		.role = MODBUS_STATUS,
		.at = {.table = MODBUS_DISCRETE, .address = 13, .type = MODBUS_BIT},
		.meanings = states,
		.n_meanings = 1,
		.otherwise = {.flag = 'N'}};
	struct modbus_more more = {.extras = &extra, .n_extras = 1};
	struct modbus_point point = float_at(0, &more);
	struct bench registers = bench_of(MODBUS_HOLDING), bits = bench_of(MODBUS_DISCRETE);
	struct modbus_words words = {.have = 0};
	registers.reply.data = registers.data;
	bits.reply.data = bits.data;
	put_float(&registers, 0, 2);
	bits.data[1] = 1U << 5;
	modbus_gather(&point, &registers.request, &registers.reply, &words);
	assert_int_equal(words.have, 1);
	modbus_gather(&point, &bits.request, &bits.reply, &words);
	assert_int_equal(words.have, 3);
	assert_int_equal(modbus_compose(&point, &words, NULL).flag, FLAG_MAINTENANCE);
}

/* --- clocks --- */

static struct modbus_result civil(const uint16_t registers[6], enum modbus_type type, bool is_utc)
{
	struct modbus_extra extra = {
		.role = MODBUS_TIME, .at = at(10, type), .clock = MODBUS_CIVIL, .is_utc = is_utc};
	struct modbus_more more = {.extras = &extra, .n_extras = 1};
	struct modbus_point point = float_at(0, &more);
	struct bench bench = bench_of(MODBUS_HOLDING);
	for (uint16_t i = 0; i < 6; i++)
		put(&bench, (uint16_t)(10 + i), registers[i]);
	return read_point(&bench, &point);
}

static void test_six_registers_are_a_local_time(void **state)
{
	(void)state;
	const uint16_t full[] = {2017, 8, 26, 13, 44, 10}, two[] = {17, 8, 26, 13, 44, 10};
	const uint16_t coded[] = {0x2017, 0x08, 0x26, 0x13, 0x44, 0x10};
	int64_t expected = INT64_C(1503726250000); /* date -d 2017-08-26T13:44:10+08:00 +%s */
	struct modbus_result result = civil(full, MODBUS_UINT16, false);
	assert_true(result.has_time && result.measured_ms == expected);
	result = civil(two, MODBUS_UINT16, false);
	assert_true(result.has_time && result.measured_ms == expected);
	result = civil(coded, MODBUS_BCD16, false);
	assert_true(result.has_time && result.measured_ms == expected);
	result = civil(full, MODBUS_UINT16, true);
	assert_true(result.has_time && result.measured_ms == expected + 8 * 3600000);
}

static void test_a_clock_that_was_never_set_tells_no_time(void **state)
{
	(void)state;
	static const uint16_t wrong[][6] = {{0, 0, 0, 0, 0, 0},
					    {1970, 1, 1, 0, 0, 9},
					    {2000, 1, 1, 0, 3, 7},
					    {2000, 12, 31, 23, 0, 0},
					    {2024, 13, 1, 0, 0, 0},
					    {2023, 2, 29, 0, 0, 0},
					    {2024, 4, 31, 0, 0, 0},
					    {2024, 1, 1, 24, 0, 0},
					    {2024, 1, 1, 0, 60, 0},
					    {2024, 1, 1, 0, 0, 60},
					    {65535, 65535, 65535, 65535, 65535, 65535}};
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(civil(wrong[i], MODBUS_UINT16, false).has_time);
	const uint16_t first[] = {2001, 1, 1, 0, 0, 0}, leap[] = {2024, 2, 29, 0, 0, 0};
	assert_true(civil(first, MODBUS_UINT16, false).has_time);
	assert_true(civil(leap, MODBUS_UINT16, false).has_time);
	const uint16_t letters[] = {0x20a7, 1, 1, 0, 0, 0};
	assert_false(civil(letters, MODBUS_BCD16, false).has_time);
}

static void test_an_epoch_is_in_seconds_or_milliseconds(void **state)
{
	(void)state;
	struct modbus_extra extra = {.role = MODBUS_TIME,
				     .at = at(10, MODBUS_UINT32),
				     .clock = MODBUS_EPOCH,
				     .is_utc = true};
	struct modbus_more more = {.extras = &extra, .n_extras = 1};
	struct modbus_point point = float_at(0, &more);
	struct bench bench = bench_of(MODBUS_HOLDING);
	put32(&bench, 10, 1503726250);
	struct modbus_result result = read_point(&bench, &point);
	assert_true(result.has_time && result.measured_ms == INT64_C(1503726250000));
	extra.is_utc = false; /* a clock that counts local seconds */
	result = read_point(&bench, &point);
	assert_true(result.has_time && result.measured_ms == INT64_C(1503726250000) - 8 * 3600000);
	put32(&bench, 10, 17);
	assert_false(read_point(&bench, &point).has_time);
	put32(&bench, 10, 0xffffffff); /* 2106: the door takes the receipt for it */
	assert_true(read_point(&bench, &point).has_time);
	extra.is_utc = true;
	extra.at.type = MODBUS_UINT64;
	put32(&bench, 10, (uint32_t)(INT64_C(1503726250123) >> 32));
	put32(&bench, 12, (uint32_t)INT64_C(1503726250123));
	result = read_point(&bench, &point);
	assert_true(result.has_time && result.measured_ms == INT64_C(1503726250123));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_is_shifted_by_its_exponent_register),
		cmocka_unit_test(test_an_exponent_that_can_be_none_gives_no_value),
		cmocka_unit_test(test_parts_of_a_number_are_added),
		cmocka_unit_test(test_a_unit_code_stands_for_a_factor),
		cmocka_unit_test(test_error_values_are_compared_before_scaling),
		cmocka_unit_test(test_no_nan_ever_becomes_a_float),
		cmocka_unit_test(test_a_state_becomes_a_flag),
		cmocka_unit_test(test_the_first_state_that_is_not_normal_counts),
		cmocka_unit_test(test_a_state_may_be_a_bit_of_a_table_of_bits),
		cmocka_unit_test(test_six_registers_are_a_local_time),
		cmocka_unit_test(test_a_clock_that_was_never_set_tells_no_time),
		cmocka_unit_test(test_an_epoch_is_in_seconds_or_milliseconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
