/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/planner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

static struct modbus_point float_at(uint16_t address)
{
	return (struct modbus_point){
		.unit_id = 1, .address = address, .type = MODBUS_FLOAT32, .every = 1};
}

static void test_close_points_share_one_request(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(8), float_at(0), float_at(2), float_at(4)};
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 4, 2, 125), 0);
	assert_int_equal(plan.n_spans, 1);
	assert_int_equal(plan.spans[0].address, 0);
	assert_int_equal(plan.spans[0].count, 10);
	assert_int_equal(plan.order[3], 0);
	modbus_plan_deinit(&plan);
}

static void test_a_gap_too_wide_parts_them(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(0), float_at(5)};
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 2, 3, 125), 0);
	assert_int_equal(plan.n_spans, 1);
	modbus_plan_deinit(&plan);
	assert_int_equal(modbus_plan_init(&plan, points, 2, 2, 125), 0);
	assert_int_equal(plan.n_spans, 2);
	modbus_plan_deinit(&plan);
}

static void test_units_tables_and_rates_stay_apart(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(0), float_at(2), float_at(4), float_at(6)};
	points[1].unit_id = 2;
	points[2].table = MODBUS_INPUT;
	points[3].every = 10;
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 4, 100, 125), 0);
	assert_int_equal(plan.n_spans, 4);
	modbus_plan_deinit(&plan);
}

static void test_a_value_wider_than_allowed_is_asked_whole(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(0), float_at(2)};
	points[0].type = MODBUS_FLOAT64;
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 2, 10, 1), 0);
	assert_int_equal(plan.n_spans, 1); /* the second lies within the first */
	assert_int_equal(plan.spans[0].count, 4);
	modbus_plan_deinit(&plan);
}

static void test_exact_points_are_asked_alone(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(0), float_at(2), float_at(4), float_at(6),
					float_at(2)};
	points[1].exact = points[4].exact = true;
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 5, 16, 125), 0);
	assert_int_equal(plan.n_spans, 2); /* 0, 4, 6 with a gap; 2 twice, for the same registers */
	assert_int_equal(plan.spans[0].address, 0);
	assert_int_equal(plan.spans[0].count, 8);
	assert_int_equal(plan.spans[0].n_points, 3);
	assert_int_equal(plan.spans[1].address, 2);
	assert_int_equal(plan.spans[1].count, 2);
	assert_int_equal(plan.spans[1].n_points, 2);
	modbus_plan_deinit(&plan);
}

static void test_a_block_is_asked_as_it_is_written(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(2), float_at(12), float_at(2), float_at(8)};
	for (size_t i = 0; i < 2; i++) {
		points[i].block = 0;
		points[i].block_count = 20;
	}
	points[2].block = 2; /* the same first value, and one register more of it */
	points[2].block_count = 3;
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 4, 16, 4), 0);
	assert_int_equal(plan.n_spans, 3);
	assert_int_equal(plan.spans[0].address, 8);
	assert_int_equal(plan.spans[1].address, 0);
	assert_int_equal(plan.spans[1].count, 20);
	assert_int_equal(plan.spans[1].n_points, 2);
	assert_int_equal(plan.spans[2].count, 3);
	modbus_plan_deinit(&plan);
}

static void test_a_block_that_does_not_hold_its_value_is_refused(void **state)
{
	(void)state;
	static const struct {
		uint16_t address, block, count;
	} wrong[] = {{0, 1, 20}, {19, 0, 20}, {65534, 65530, 7}, {100, 0, 126}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct modbus_point point = float_at(wrong[i].address);
		point.block = wrong[i].block;
		point.block_count = wrong[i].count;
		struct modbus_plan plan;
		assert_int_equal(modbus_plan_init(&plan, &point, 1, 0, 125), -ERANGE);
	}
}

static void expect_parts(struct modbus_plan *plan, const struct modbus_point *points,
			 size_t first_points)
{
	struct modbus_span whole = plan->spans[0], last = plan->spans[plan->n_spans - 1];
	size_t n = plan->n_spans;
	assert_int_equal(modbus_plan_part(plan, points, 0), MODBUS_PARTED);
	const struct modbus_span *a = &plan->spans[0], *b = &plan->spans[1];
	assert_int_equal(plan->n_spans, n + 1);
	assert_int_equal(a->n_points, first_points);
	assert_int_equal(a->n_points + b->n_points, whole.n_points);
	assert_int_equal(b->first, whole.first + a->n_points);
	assert_int_equal(a->address, whole.address);
	assert_int_equal(b->address + b->count, whole.address + whole.count);
	assert_true(a->address + a->count <= b->address);
	if (n > 1) /* those behind it have moved */
		assert_memory_equal(&plan->spans[n], &last, sizeof last);
}

static void test_a_refused_request_is_parted_at_its_widest_gap(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(0),  float_at(2),  float_at(4),
					float_at(16), float_at(20), float_at(500)};
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 6, 16, 125), 0);
	assert_int_equal(plan.n_spans, 2);
	expect_parts(&plan, points, 3);
	expect_parts(&plan, points, 1); /* no gap: the first place nearest to the middle */
	assert_int_equal(modbus_plan_part(&plan, points, 0), MODBUS_ONE_PIECE);
	assert_int_equal(plan.n_spans, 4);
	modbus_plan_deinit(&plan);
}

static void test_values_that_overlap_stay_together(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(0), float_at(1), float_at(0)};
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 3, 16, 125), 0);
	assert_int_equal(modbus_plan_part(&plan, points, 0), MODBUS_ONE_PIECE);
	assert_int_equal(plan.n_spans, 1);
	assert_int_equal(plan.spans[0].count, 3);
	modbus_plan_deinit(&plan);
}

static void test_a_point_beyond_the_last_address_is_refused(void **state)
{
	(void)state;
	struct modbus_point points[] = {float_at(65534), float_at(65535)};
	struct modbus_plan plan;
	assert_int_equal(modbus_plan_init(&plan, points, 1, 0, 125), 0);
	assert_int_equal(plan.spans[0].count, 2);
	modbus_plan_deinit(&plan);
	assert_int_equal(modbus_plan_init(&plan, points, 2, 0, 125), -ERANGE);
}

static void check_span(const struct modbus_plan *plan, const struct modbus_span *span,
		       const struct modbus_point *points, uint32_t max_gap, uint32_t max_registers,
		       unsigned *seen)
{
	uint32_t most = modbus_is_bits(span->table) ? MODBUS_MAX_BITS : max_registers;
	uint32_t covered = span->address;
	uint32_t widest = 0;
	for (size_t i = 0; i < span->n_points; i++) {
		const struct modbus_point *point = &points[plan->order[span->first + i]];
		uint32_t width = modbus_width(point->table, point->type);
		seen[plan->order[span->first + i]]++;
		assert_int_equal(point->unit_id, span->unit);
		assert_int_equal(point->table, span->table);
		assert_int_equal(point->every, span->every);
		assert_true(point->address >= span->address);
		assert_true(point->address + width <= (uint32_t)span->address + span->count);
		assert_true(point->address <= covered + max_gap);
		covered = point->address + width > covered ? point->address + width : covered;
		widest = width > widest ? width : widest;
	}
	assert_int_equal(covered, (uint32_t)span->address + span->count);
	assert_true(span->count <= (most > widest ? most : widest));
}

static void test_any_points_are_covered_once_and_whole(void **state)
{
	(void)state;
	uint32_t seed = 7;
	for (int round = 0; round < 3000; round++) {
		struct modbus_point points[60];
		unsigned seen[60] = {0};
		size_t n = next_random(&seed) % 61;
		uint32_t range = 1 + next_random(&seed) % 3000;
		for (size_t i = 0; i < n; i++)
			points[i] = (struct modbus_point){
				.unit_id = (uint8_t)(next_random(&seed) % 3),
				.table = (enum modbus_table)(next_random(&seed) % 4),
				.address = (uint16_t)(next_random(&seed) % range),
				.type = (enum modbus_type)(next_random(&seed) % (MODBUS_BIT + 1)),
				.every = 1 + next_random(&seed) % 2};
		uint16_t gap = (uint16_t)(next_random(&seed) % 20);
		uint16_t most = (uint16_t)(1 + next_random(&seed) % 125);
		struct modbus_plan plan;
		assert_int_equal(modbus_plan_init(&plan, points, n, gap, most), 0);
		for (size_t i = 0; i < plan.n_spans; i++)
			check_span(&plan, &plan.spans[i], points, gap, most, seen);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(seen[i], 1);
		modbus_plan_deinit(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_points_share_one_request),
		cmocka_unit_test(test_a_gap_too_wide_parts_them),
		cmocka_unit_test(test_units_tables_and_rates_stay_apart),
		cmocka_unit_test(test_a_value_wider_than_allowed_is_asked_whole),
		cmocka_unit_test(test_exact_points_are_asked_alone),
		cmocka_unit_test(test_a_block_is_asked_as_it_is_written),
		cmocka_unit_test(test_a_block_that_does_not_hold_its_value_is_refused),
		cmocka_unit_test(test_a_refused_request_is_parted_at_its_widest_gap),
		cmocka_unit_test(test_values_that_overlap_stay_together),
		cmocka_unit_test(test_a_point_beyond_the_last_address_is_refused),
		cmocka_unit_test(test_any_points_are_covered_once_and_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
