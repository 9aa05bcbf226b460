/* SPDX-License-Identifier: Apache-2.0 */
/* Values of several requests that belong together, and results that are read again. */
#include "value-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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
