/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/planner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int three_way(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* What a request for one point has to read. */
struct extent {
	bool exact;
	uint32_t address, end; /* end: the first that is not read */
};

static uint32_t end_of_point(const struct modbus_point *point)
{
	uint32_t width =
		point->registers != 0 ? point->registers : modbus_width(point->table, point->type);
	return point->address + width;
}

static struct extent extent_of(const struct modbus_point *point)
{
	uint32_t end = end_of_point(point);
	if (point->block_count > 0)
		return (struct extent){true, point->block,
				       (uint32_t)point->block + point->block_count};
	return (struct extent){point->exact, point->address, end};
}

static bool is_in_range(const struct modbus_point *point)
{
	struct extent extent = extent_of(point);
	uint32_t end = end_of_point(point);
	uint32_t most = modbus_is_bits(point->table) ? MODBUS_MAX_BITS : MODBUS_MAX_REGISTERS;
	return extent.end <= 65536 && extent.address <= point->address && end <= extent.end &&
	       extent.end - extent.address <= most;
}

static int by_place(const void *left, const void *right, void *context)
{
	const struct modbus_point *points = context;
	uint32_t i = *(const uint32_t *)left, j = *(const uint32_t *)right;
	const struct modbus_point *a = &points[i], *b = &points[j];
	struct extent at = extent_of(a), bt = extent_of(b);
	int order = three_way(a->every, b->every);
	if (order == 0)
		order = three_way(a->unit_id, b->unit_id);
	if (order == 0)
		order = three_way(a->table, b->table);
	if (order == 0)
		order = three_way(at.exact, bt.exact);
	if (order == 0)
		order = three_way(at.address, bt.address);
	if (order == 0 && at.exact)
		order = three_way(at.end, bt.end);
	return order != 0 ? order : three_way(i, j);
}

static uint32_t end_of(const struct modbus_span *span)
{
	return (uint32_t)span->address + span->count;
}

static bool shares(const struct modbus_span *span, const struct modbus_point *point,
		   const struct extent *extent)
{
	bool same = span->address == extent->address && end_of(span) == extent->end;
	return span->every == point->every && span->unit == point->unit_id &&
	       span->table == point->table && span->exact == extent->exact &&
	       (!span->exact || same);
}

static void span_add(struct modbus_span *span, const struct extent *extent)
{
	if (extent->end > end_of(span))
		span->count = (uint16_t)(extent->end - span->address);
	span->n_points++;
}

/* Return: true where @point was taken into @span. Points come in the order of their addresses. */
static bool span_take(struct modbus_span *span, const struct modbus_point *point, uint32_t max_gap,
		      uint32_t max_registers)
{
	struct extent extent = extent_of(point);
	uint32_t most = modbus_is_bits(point->table) ? MODBUS_MAX_BITS : max_registers;
	if (!shares(span, point, &extent) || extent.address > end_of(span) + max_gap)
		return false;
	if (extent.end > end_of(span) && extent.end - span->address > most)
		return false;
	span_add(span, &extent);
	return true;
}

static struct modbus_span span_begin(const struct modbus_point *point, uint32_t first)
{
	struct extent extent = extent_of(point);
	return (struct modbus_span){.unit = point->unit_id,
				    .exact = extent.exact,
				    .table = point->table,
				    .address = (uint16_t)extent.address,
				    .count = (uint16_t)(extent.end - extent.address),
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
		if (!is_in_range(&points[i])) {
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
		plan->spans[plan->n_spans++] = span_begin(point, (uint32_t)i);
	}
	struct modbus_span *fitted =
		reallocarray(plan->spans, plan->n_spans + 1, sizeof *plan->spans);
	plan->spans = fitted != NULL ? fitted : plan->spans;
	return 0;
}

/* Return: how many points the first part gets; 0: it is one piece. */
static uint32_t place_to_part(const struct modbus_plan *plan, const struct modbus_point *points,
			      const struct modbus_span *span)
{
	uint32_t place = 0, widest = 0, off = UINT32_MAX;
	uint32_t end = extent_of(&points[plan->order[span->first]]).end;
	for (uint32_t i = 1; i < span->n_points; i++) {
		struct extent extent = extent_of(&points[plan->order[span->first + i]]);
		uint32_t from_middle =
			2 * i > span->n_points ? 2 * i - span->n_points : span->n_points - 2 * i;
		if (extent.address >= end &&
		    (place == 0 || extent.address - end > widest ||
		     (extent.address - end == widest && from_middle < off))) {
			place = i;
			widest = extent.address - end;
			off = from_middle;
		}
		if (extent.end > end)
			end = extent.end;
	}
	return place;
}

static struct modbus_span span_of(const struct modbus_plan *plan, const struct modbus_point *points,
				  uint32_t first, uint32_t n)
{
	struct modbus_span span = span_begin(&points[plan->order[first]], first);
	for (uint32_t i = 1; i < n; i++) {
		struct extent extent = extent_of(&points[plan->order[first + i]]);
		span_add(&span, &extent);
	}
	return span;
}

int modbus_plan_part(struct modbus_plan *plan, const struct modbus_point *points, size_t i)
{
	struct modbus_span whole = plan->spans[i];
	uint32_t n = place_to_part(plan, points, &whole);
	if (n == 0)
		return MODBUS_ONE_PIECE;
	struct modbus_span *spans = reallocarray(plan->spans, plan->n_spans + 1, sizeof *spans);
	if (spans == NULL)
		return -ENOMEM;
	plan->spans = spans;
	memmove(&spans[i + 1], &spans[i], (plan->n_spans - i) * sizeof *spans);
	spans[i] = span_of(plan, points, whole.first, n);
	spans[i + 1] = span_of(plan, points, whole.first + n, whole.n_points - n);
	plan->n_spans++;
	return MODBUS_PARTED;
}

void modbus_plan_deinit(struct modbus_plan *plan)
{
	free(plan->spans);
	free(plan->order);
	*plan = (struct modbus_plan){.spans = NULL};
}
