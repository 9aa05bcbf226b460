/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Planner: which points are read together. Pure.
 *
 * Points of one unit and table that lie close together share a request: one round trip for
 * twenty values instead of twenty. A value is never split over two requests, because an
 * instrument may change it between them. Points with different `every` never share one.
 *
 * Some instruments answer only the blocks in their manual (Yosemitech sensors stay silent to
 * anything else). A point that is `exact` or has a block shares a request only with points that
 * want the very same registers. A request that is refused for an address in it can be parted.
 */
#include "drivers/modbus/codec.h"

struct modbus_span {
	uint8_t unit;
	bool exact;
	enum modbus_table table;
	uint16_t address, count;
	uint32_t every;
	uint32_t first, n_points; /* into modbus_plan.order */
};

struct modbus_plan {
	struct modbus_span *spans;
	size_t n_spans;
	uint32_t *order; /* indices of the points, span by span */
};

/**
 * modbus_plan_init() - make the requests for @n points
 * @max_gap:       registers or bits between two points that may be read though nobody asked
 * @max_registers: most registers in one request, 1 to 125 (bits: 2000); one wider value than that
 *                 is still asked for whole
 *
 * Return: 0; -ENOMEM; -ERANGE where a point reaches beyond address 65535 or out of its block.
 */
int modbus_plan_init(struct modbus_plan *plan, const struct modbus_point *points, size_t n,
		     uint16_t max_gap, uint16_t max_registers);
void modbus_plan_deinit(struct modbus_plan *plan);

enum modbus_part { MODBUS_PARTED = 0, MODBUS_ONE_PIECE = 1 };
/**
 * modbus_plan_part() - make two requests of span @i, at the widest gap nearest to its middle
 * @points: those of modbus_plan_init()
 *
 * The second is span @i + 1; later ones move up by one. Return: MODBUS_PARTED; MODBUS_ONE_PIECE
 * where all in it overlap or want the same; -ENOMEM: then nothing has changed.
 */
int modbus_plan_part(struct modbus_plan *plan, const struct modbus_point *points, size_t i);
