/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Change: one plan in the place of another, and what of the old is still there.
 *
 * A monitor is the same while its site and factor are, a connection while its id is. Whoever keeps
 * a table by index takes its entries over by this.
 */
#include "core/plan.h"

struct plan_change {
	const struct plan *from, *to;
	uint32_t *monitors;    /* by monitor of @to: its index in @from; NO_INDEX: it is new */
	uint32_t *connections; /* the same */
	uint32_t *monitors_to; /* by monitor of @from: its index in @to; NO_INDEX: it is gone */
};

/** plan_change_init() - Return: 0, -ENOMEM. plan_change_deinit() it either way. */
int plan_change_init(struct plan_change *change, const struct plan *from, const struct plan *to);
void plan_change_deinit(struct plan_change *change);

/** plan_carry() - entries of @each bytes from @old to @now, where they go on; others of @now stay
 * @was: by index of @now, of @n entries */
void plan_carry(void *now, const void *old, const uint32_t *was, size_t n, size_t each);
