/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Loads: what the totals of a site's discharge are computed with: units, how long a reading speaks,
 * permits and the shares of them that are said.
 */
#include "config/schema.h"

/** shares_read() - the key `permit_warn_at` of a monitor, and the permit's own share 1 */
void shares_read(struct walk *walk, const config_setting_t *group, struct config_monitor *monitor);
/** loads_is_flow() - does @monitor measure the flow of its @site? */
bool loads_is_flow(const struct config_site *site, const struct config_monitor *monitor);
/** loads_settle() - once a site (its group) and its monitors are read */
void loads_settle(struct walk *walk, const config_setting_t *group, struct config_site *site);
