/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/planner.h"

#include <errno.h>
#include <stdlib.h>

static int three_way(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int by_place(const void *left, const void *right, void *context)
{
	const struct modbus_point *points = context;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	const struct modbus_point *a = &points[i], *b = &points[j];
	int order = three_way(a->every, b->every);
	if (order == 0)
		order = three_way(a->unit_id, b->unit_id);
	if (order == 0)
		order = three_way(a->table, b->table);
	if (order == 0)
		order = three_way(a->address, b->address);
	return order != 0 ? order : three_way(i, j);
}

static bool shares(const struct modbus_span *span, const struct modbus_point *point)
{
	return span->every == point->every && span->unit == point->unit_id &&
	       span->table == point->table;
}

static uint32_t end_of(const struct modbus_point *point)
{
	return (uint32_t)point->address + modbus_width(point->table, point->type);
}

/* Return: true where @point was taken into @span. Points come in the order of their addresses. */
static bool span_take(struct modbus_span *span, const struct modbus_point *point, uint32_t max_gap,
		      uint32_t max_registers)
{
	uint32_t most = modbus_is_bits(point->table) ? MODBUS_MAX_BITS : max_registers;
	uint32_t end = (uint32_t)span->address + span->count;
	uint32_t new_end = end_of(point) > end ? end_of(point) : end;
	if (!shares(span, point) || point->address > end + max_gap)
		return false;
	if (new_end != end && new_end - span->address > most)
		return false;
	span->count = (uint16_t)(new_end - span->address);
	span->n_points++;
	return true;
}

static struct modbus_span span_begin(const struct modbus_point *point, size_t first)
{
	return (struct modbus_span){.unit = point->unit_id,
				    .table = point->table,
				    .address = point->address,
				    .count = modbus_width(point->table, point->type),
				    .every = point->every,
				    .first = first,
				    .n_points = 1};
}

/* qsort_r() hands the points through as a plain pointer and does not write to them. */
static void sort_by_place(uint32_t *order, size_t n, const struct modbus_point *points)
{
	union {
		const struct modbus_point *points;
		void *context;
	} through = {.points = points};
	qsort_r(order, n, sizeof *order, by_place, through.context);
}

int modbus_plan_init(struct modbus_plan *plan, const struct modbus_point *points, size_t n,
		     uint16_t max_gap, uint16_t max_registers)
{
	*plan = (struct modbus_plan){.spans = calloc(n + 1, sizeof *plan->spans),
				     .order = calloc(n + 1, sizeof *plan->order)};
	if (plan->spans == NULL || plan->order == NULL) {
		modbus_plan_deinit(plan);
		return -ENOMEM;
	}
	uint32_t most = max_registers < 1                      ? 1
			: max_registers > MODBUS_MAX_REGISTERS ? MODBUS_MAX_REGISTERS
							       : max_registers;
	for (size_t i = 0; i < n; i++) {
		plan->order[i] = (uint32_t)i;
		if (end_of(&points[i]) > 65536) {
			modbus_plan_deinit(plan);
			return -ERANGE;
		}
	}
	sort_by_place(plan->order, n, points);
	for (size_t i = 0; i < n; i++) {
		const struct modbus_point *point = &points[plan->order[i]];
		if (plan->n_spans > 0 &&
		    span_take(&plan->spans[plan->n_spans - 1], point, max_gap, most))
			continue;
		plan->spans[plan->n_spans++] = span_begin(point, i);
	}
	return 0;
}

void modbus_plan_deinit(struct modbus_plan *plan)
{
	free(plan->spans);
	free(plan->order);
	*plan = (struct modbus_plan){.spans = NULL};
}
