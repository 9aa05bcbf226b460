/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reach: limits that no value can exceed, and deadbands out of which none can come back, as the
 * monitor's range or the factor itself ends before. Such a limit is no fault and is judged all the
 * same; whoever wrote it believes that something is watched.
 */
#include "config/schema.h"
#include "config/sites.h"

/** reach_check() - notes where no value that counts of @monitor raises @limit, or clears it
 * @entry: where the limit stands */
void reach_check(struct walk *walk, const config_setting_t *entry,
		 const struct config_monitor *monitor, const struct config_limit *limit);
