/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Asked: the points as the planner gets them. Pure.
 *
 * The planner never parts an entry. A point whose registers lie close together is one entry that
 * holds them all; where they lie further apart than max_gap, or in several tables, or would be more
 * than max_registers, each lot of them is an entry of its own.
 */
#include "drivers/modbus/compose.h"

struct modbus_asked {
	const struct modbus_point *points; /* the configured ones, where each is one number */
	size_t n;
	struct modbus_point *made;
	uint32_t *of; /* by entry: which configured point; NULL: the same */
};

/** modbus_asked_init() - Return: 0, -ENOMEM, -ERANGE where a register lies beyond address 65535 */
int modbus_asked_init(struct modbus_asked *asked, const struct modbus_connection *config);
void modbus_asked_deinit(struct modbus_asked *asked);

/** modbus_asked_of() - the configured point of entry @i */
static inline uint32_t modbus_asked_of(const struct modbus_asked *asked, uint32_t i)
{
	return asked->of == NULL ? i : asked->of[i];
}
