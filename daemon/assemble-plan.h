/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The sites, monitors, limits and connections of a configuration as the plan that all rooms share.
 */
#include "config/config.h"
#include "core/plan.h"

/** plan_fill() - Return: 0, negative errno; plan_deinit() is due in any case. Texts live as long as
 * @config. Main thread: without @zone, that of the present plan, sets $TZ and asks the system. */
int plan_fill(struct plan *plan, const struct config *config, const struct zone *zone);
void plan_deinit(struct plan *plan); /* zeroed is welcome */

/** milliseconds() - of the configuration's seconds */
static inline int64_t milliseconds(double seconds)
{
	return (int64_t)(seconds * 1000 + 0.5);
}
