/* SPDX-License-Identifier: Apache-2.0 */
/* Values made of several registers: sums, exponents, codes, states, clocks, error values; requests
 * that belong together; results that are read again. */
#include "drivers/modbus/value.h"

#include "core/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fenv.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A block of registers from address 0 on, of which each test sets what it needs. */
struct bench {
	uint8_t data[2 * 120];
	struct modbus_request request;
	struct modbus_reply reply;
};

static struct bench bench_of(enum modbus_table table)
{
	return (struct bench){.request = {.table = table, .count = 120},
			      .reply = {.data_bytes = 240}};
}

static void put(struct bench *bench, uint16_t address, uint16_t word)
{
	bench->data[2 * address] = (uint8_t)(word >> 8);
	bench->data[2 * address + 1] = (uint8_t)(word & 0xff);
}

static void put32(struct bench *bench, uint16_t address, uint32_t word)
{
	put(bench, address, (uint16_t)(word >> 16));
	put(bench, (uint16_t)(address + 1), (uint16_t)(word & 0xffff));
}

static void put_float(struct bench *bench, uint16_t address, float value)
{
	uint32_t word;
	memcpy(&word, &value, sizeof word);
	put32(bench, address, word);
}

static const struct zone_change east_8[] = {{0, 8 * 3600}};
static const struct zone shanghai = {east_8, 1};

static struct modbus_result read_point(struct bench *bench, const struct modbus_point *point)
{
	struct modbus_words words = {.have = 0};
	bench->reply.data = bench->data;
	modbus_gather(point, &bench->request, &bench->reply, &words);
	assert_int_equal(words.have, (1U << modbus_places(point)) - 1);
	return modbus_compose(point, &words, &shanghai);
}

static struct modbus_place at(uint16_t address, enum modbus_type type)
{
	return (struct modbus_place){.address = address, .type = type};
}

static struct modbus_point float_at(uint16_t address, const struct modbus_more *more)
{
	return (struct modbus_point){
		.address = address, .type = MODBUS_FLOAT32, .scale = 1, .every = 1, .more = more};
}

static void expect_number(struct modbus_result result, double value)
{
	assert_true(result.has_value);
	assert_true(result.value == value);
	assert_int_equal(result.flag, FLAG_NORMAL);
}

static void expect_none(struct modbus_result result, enum flag flag)
{
	assert_false(result.has_value);
	assert_true(result.value == 0);
	assert_int_equal(result.flag, flag);
}

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

/* --- one point, several requests --- */

static struct modbus_extra state_at(uint16_t address, enum modbus_table table)
{
	return (struct modbus_extra){
		.role = MODBUS_STATUS,
		.at = {.table = table, .address = address, .type = MODBUS_UINT16},
		.otherwise = {.flag = 'N'}};
}

static struct modbus_connection connection_of(const struct modbus_point *points, size_t n)
{
	return (struct modbus_connection){.points = points,
					  .n_points = n,
					  .max_gap = 8,
					  .max_registers = 50,
					  .zone = &shanghai};
}

static void test_registers_close_together_are_one_entry(void **state)
{
	(void)state;
	struct modbus_extra extras[] = {state_at(14, MODBUS_HOLDING), state_at(2, MODBUS_HOLDING)};
	struct modbus_more more = {.extras = extras, .n_extras = 2};
	struct modbus_point points[] = {float_at(40, NULL), float_at(4, &more)};
	struct modbus_connection config = connection_of(points, 2);
	struct modbus_asked asked;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 2);
	assert_int_equal(asked.points[0].registers, 2);
	assert_int_equal(asked.points[1].address, 2);
	assert_int_equal(asked.points[1].registers, 13);
	assert_int_equal(modbus_asked_of(&asked, 1), 1);
	modbus_asked_deinit(&asked);
	config.max_gap = 7;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 3);
	modbus_asked_deinit(&asked);
	config.max_gap = 8;
	config.max_registers = 12;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 3);
	modbus_asked_deinit(&asked);
	extras[0].at.table = MODBUS_INPUT;
	config.max_registers = 50;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 3);
	assert_int_equal(asked.points[2].table, MODBUS_INPUT);
	modbus_asked_deinit(&asked);
	extras[0].at = (struct modbus_place){.address = 65535, .type = MODBUS_UINT32};
	assert_int_equal(modbus_asked_init(&asked, &config), -ERANGE);
	modbus_asked_deinit(&asked);
}

static void test_a_block_is_asked_as_it_is(void **state)
{
	(void)state;
	struct modbus_extra extras[] = {state_at(0x2604, MODBUS_HOLDING),
					state_at(0x2605, MODBUS_HOLDING)};
	struct modbus_more more = {.extras = extras, .n_extras = 2};
	struct modbus_point point = float_at(0x2602, &more);
	point.block = 0x2600;
	point.block_count = 5;
	struct modbus_connection config = connection_of(&point, 1);
	struct modbus_asked asked;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 2);
	assert_int_equal(asked.points[0].block_count, 5);
	assert_int_equal(asked.points[0].address, 0x2600);
	assert_int_equal(asked.points[0].registers, 5);
	assert_int_equal(asked.points[1].block_count, 0);
	assert_int_equal(asked.points[1].address, 0x2605);
	assert_true(asked.points[1].exact);
	modbus_asked_deinit(&asked);
	point.block_count = 0;
	point.exact = true; /* then only what stands side by side is read together */
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 1);
	assert_int_equal(asked.points[0].registers, 4);
	modbus_asked_deinit(&asked);
	extras[0].at.address = 0x2606;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_int_equal(asked.n, 2);
	modbus_asked_deinit(&asked);
}

static void test_plain_points_cost_nothing(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(40, NULL), float_at(4, NULL)};
	struct modbus_connection config = connection_of(points, 2);
	struct modbus_asked asked;
	struct values values;
	assert_int_equal(modbus_asked_init(&asked, &config), 0);
	assert_ptr_equal(asked.points, points);
	assert_null(asked.made);
	assert_int_equal(values_init(&values, &config, &asked), 0);
	assert_null(values.memories);
	values_deinit(&values);
	modbus_asked_deinit(&asked);
}

/* A float in input registers whose state stands in a holding register. */
struct apart {
	struct modbus_extra extra;
	struct modbus_more more;
	struct modbus_point point;
	struct modbus_connection config;
	struct modbus_asked asked;
	struct values values;
	struct bench value, state;
};

static void apart_init(struct apart *apart)
{
	*apart = (struct apart){.extra = state_at(9, MODBUS_HOLDING)};
	apart->more = (struct modbus_more){.extras = &apart->extra, .n_extras = 1};
	apart->point = float_at(0, &apart->more);
	apart->point.table = MODBUS_INPUT;
	apart->config = connection_of(&apart->point, 1);
	assert_int_equal(modbus_asked_init(&apart->asked, &apart->config), 0);
	assert_int_equal(apart->asked.n, 2);
	assert_int_equal(values_init(&apart->values, &apart->config, &apart->asked), 0);
	apart->value = bench_of(MODBUS_INPUT);
	apart->state = bench_of(MODBUS_HOLDING);
	apart->value.reply.data = apart->value.data;
	apart->state.reply.data = apart->state.data;
	put_float(&apart->value, 0, 3.5F);
}

static void apart_deinit(struct apart *apart)
{
	values_deinit(&apart->values);
	modbus_asked_deinit(&apart->asked);
}

static bool take(struct apart *apart, const struct bench *bench, struct sample *out)
{
	return values_reply(&apart->values, 0, &bench->request, &bench->reply, out);
}

static void test_a_value_waits_for_all_its_requests(void **state)
{
	(void)state;
	struct apart apart;
	struct sample sample;
	apart_init(&apart);
	for (int round = 0; round < 2; round++) {
		assert_false(take(&apart, round ? &apart.value : &apart.state, &sample));
		assert_true(take(&apart, round ? &apart.state : &apart.value, &sample));
		assert_true(sample.has_value && sample.value == 3.5);
		assert_int_equal(sample.flag, FLAG_NORMAL);
	}
	apart_deinit(&apart);
}

static void test_without_its_state_a_value_is_none(void **state)
{
	(void)state;
	struct apart apart;
	struct sample sample;
	apart_init(&apart);
	assert_false(take(&apart, &apart.value, &sample));
	assert_true(values_missed(&apart.values, 0, 'B', &sample));
	assert_false(sample.has_value);
	assert_int_equal(sample.flag, FLAG_COMMUNICATION);
	/* Both failed: still one sample, with the flag of the first. */
	assert_false(values_missed(&apart.values, 0, 'D', &sample));
	assert_true(values_missed(&apart.values, 0, 'B', &sample));
	assert_int_equal(sample.flag, FLAG_FAULT);
	/* Busy: there is nothing to say, and the next round is as any other. */
	assert_false(take(&apart, &apart.value, &sample));
	assert_false(values_missed(&apart.values, 0, 0, &sample));
	assert_false(take(&apart, &apart.value, &sample));
	assert_true(take(&apart, &apart.state, &sample));
	assert_true(sample.has_value);
	apart_deinit(&apart);
}

/* --- results that are read again --- */

struct analyser {
	struct modbus_extra extras[2];
	struct modbus_meaning mode;
	struct modbus_more more;
	struct modbus_point point;
	struct modbus_connection config;
	struct modbus_asked asked;
	struct values values;
	struct bench bench;
};

static void analyser_init(struct analyser *a)
{
	*a = (struct analyser){.mode = {.value = 3, .flag = 'M'},
			       .bench = bench_of(MODBUS_HOLDING)};
	a->extras[0] = (struct modbus_extra){
		.role = MODBUS_TIME, .at = at(4, MODBUS_UINT16), .clock = MODBUS_CIVIL};
	a->extras[1] = state_at(2, MODBUS_HOLDING);
	a->extras[1].meanings = &a->mode;
	a->extras[1].n_meanings = 1;
	a->more = (struct modbus_more){.extras = a->extras, .n_extras = 2};
	a->point = float_at(0, &a->more);
	a->config = connection_of(&a->point, 1);
	assert_int_equal(modbus_asked_init(&a->asked, &a->config), 0);
	assert_int_equal(a->asked.n, 1);
	assert_int_equal(values_init(&a->values, &a->config, &a->asked), 0);
	a->bench.reply.data = a->bench.data;
}

static void analyser_deinit(struct analyser *a)
{
	values_deinit(&a->values);
	modbus_asked_deinit(&a->asked);
}

static void analyser_result(struct analyser *a, float value, uint16_t hour)
{
	const uint16_t civil[] = {2025, 6, 1, hour, 30, 0};
	put_float(&a->bench, 0, value);
	for (uint16_t i = 0; i < 6; i++)
		put(&a->bench, (uint16_t)(4 + i), civil[i]);
}

static bool analyser_poll(struct analyser *a, struct sample *out)
{
	return values_reply(&a->values, 0, &a->bench.request, &a->bench.reply, out);
}

static int64_t hour_ms(int hour)
{
	return INT64_C(1748709000000) + hour * INT64_C(3600000); /* 2025-06-01T00:30+08:00 */
}

static void test_a_result_is_handed_in_once(void **state)
{
	(void)state;
	struct analyser a;
	struct sample sample;
	analyser_init(&a);
	analyser_result(&a, 30, 1);
	assert_true(analyser_poll(&a, &sample));
	assert_true(sample.has_time && sample.measured_ms == hour_ms(1));
	assert_false(analyser_poll(&a, &sample));
	put_float(&a.bench, 0, 31); /* the new value is written before its time */
	assert_false(analyser_poll(&a, &sample));
	analyser_result(&a, 31, 2);
	assert_true(analyser_poll(&a, &sample));
	assert_true(sample.value == 31 && sample.measured_ms == hour_ms(2));
	analyser_result(&a, 31, 3); /* an equal value of another time is another result */
	assert_true(analyser_poll(&a, &sample));
	put(&a.bench, 2, 3);
	assert_true(analyser_poll(&a, &sample));
	assert_int_equal(sample.flag, FLAG_MAINTENANCE);
	assert_false(analyser_poll(&a, &sample));
	analyser_deinit(&a);
}

static void test_an_outage_stands_behind_the_last_result(void **state)
{
	(void)state;
	struct analyser a;
	struct sample sample;
	analyser_init(&a);
	assert_false(values_missed(&a.values, 0, 'B', &sample)); /* nothing is known yet */
	analyser_result(&a, 30, 1);
	assert_true(analyser_poll(&a, &sample));
	for (int outage = 0; outage < 2; outage++) {
		bool first = outage == 0;
		assert_int_equal(values_missed(&a.values, 0, 'B', &sample), first);
		assert_false(first && (sample.has_value || sample.measured_ms != hour_ms(1)));
		assert_false(values_missed(&a.values, 0, 'B', &sample));
		assert_false(analyser_poll(&a, &sample)); /* the old result, not a new one */
	}
	analyser_result(&a, 32, 2);
	assert_true(analyser_poll(&a, &sample));
	assert_true(sample.measured_ms == hour_ms(2));
	assert_true(values_missed(&a.values, 0, 'B', &sample));
	assert_true(sample.measured_ms == hour_ms(2));
	analyser_deinit(&a);
}

static void test_a_clock_that_tells_no_time_makes_each_reading_new(void **state)
{
	(void)state;
	struct analyser a;
	struct sample sample;
	analyser_init(&a);
	analyser_result(&a, 30, 1);
	put(&a.bench, 4, 2000);
	for (int i = 0; i < 2; i++) {
		assert_true(analyser_poll(&a, &sample));
		assert_true(sample.has_value && !sample.has_time);
	}
	analyser_deinit(&a);
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
		cmocka_unit_test(test_registers_close_together_are_one_entry),
		cmocka_unit_test(test_a_block_is_asked_as_it_is),
		cmocka_unit_test(test_plain_points_cost_nothing),
		cmocka_unit_test(test_a_value_waits_for_all_its_requests),
		cmocka_unit_test(test_without_its_state_a_value_is_none),
		cmocka_unit_test(test_a_result_is_handed_in_once),
		cmocka_unit_test(test_an_outage_stands_behind_the_last_result),
		cmocka_unit_test(test_a_clock_that_tells_no_time_makes_each_reading_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
