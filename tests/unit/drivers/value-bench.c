/* SPDX-License-Identifier: Apache-2.0 */
#include "value-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

struct bench bench_of(enum modbus_table table)
{
	return (struct bench){.request = {.table = table, .count = 120},
			      .reply = {.data_bytes = 240}};
}

void put(struct bench *bench, uint16_t address, uint16_t word)
{
	bench->data[2 * address] = (uint8_t)(word >> 8);
	bench->data[2 * address + 1] = (uint8_t)(word & 0xff);
}

void put32(struct bench *bench, uint16_t address, uint32_t word)
{
	put(bench, address, (uint16_t)(word >> 16));
	put(bench, (uint16_t)(address + 1), (uint16_t)(word & 0xffff));
}

void put_float(struct bench *bench, uint16_t address, float value)
{
	uint32_t word;
	memcpy(&word, &value, sizeof word);
	put32(bench, address, word);
}

static const struct zone_change east_8[] = {{0, 8 * 3600}};
const struct zone shanghai = {east_8, 1};

struct modbus_result read_point(struct bench *bench, const struct modbus_point *point)
{
	struct modbus_words words = {.have = 0};
	bench->reply.data = bench->data;
	modbus_gather(point, &bench->request, &bench->reply, &words);
	assert_int_equal(words.have, (1U << modbus_places(point)) - 1);
	return modbus_compose(point, &words, &shanghai);
}

struct modbus_place at(uint16_t address, enum modbus_type type)
{
	return (struct modbus_place){.address = address, .type = type};
}

struct modbus_point float_at(uint16_t address, const struct modbus_more *more)
{
	return (struct modbus_point){
		.address = address, .type = MODBUS_FLOAT32, .scale = 1, .every = 1, .more = more};
}

void expect_number(struct modbus_result result, double value)
{
	assert_true(result.has_value);
	assert_true(result.value == value);
	assert_int_equal(result.flag, FLAG_NORMAL);
}

void expect_none(struct modbus_result result, enum flag flag)
{
	assert_false(result.has_value);
	assert_true(result.value == 0);
	assert_int_equal(result.flag, flag);
}
