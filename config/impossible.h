/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Impossible: values that no water gives, so that they say something of the instrument instead: the
 * codes that loggers write where they have nothing, what fills a register, and what a factor cannot
 * have. They are data of
 * the catalogue, and hold where a site says nothing, as nobody thinks of them before the first case
 * of a pH of 0.
 */
#include "config/catalogue.h"
#include "config/sites.h"

/** impossible_of_factor() - the keys `dead_at`, `drift` and `most` of a factor of the catalogue */
void impossible_of_factor(struct walk *walk, const config_setting_t *group,
			  struct config_factor *factor);
/** impossible_codes() - `codes` and `unreal_from` of a file of the catalogue */
void impossible_codes(struct walk *walk, struct catalogue *catalogue, const config_setting_t *root);
/** impossible_fills() - `fills` of a file of the catalogue */
void impossible_fills(struct walk *walk, struct catalogue *catalogue, const config_setting_t *root);
/** impossible_own_codes() - the key `codes` of a monitor */
void impossible_own_codes(struct walk *walk, const config_setting_t *group,
			  struct config_monitor *monitor);
/** impossible_settle() - what @monitor has of them, once its limits are read, where it has any, or
 * its
 * @site a target class; of its @group: `live_zero`, `under_range` */
void impossible_settle(struct walk *walk, const struct sites_context *context,
		       const config_setting_t *group, const struct config_site *site,
		       struct config_monitor *monitor);
