/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Monitors: the list `monitors` of a site: how each one is measured, its signal, its limits.
 */
#include "config/sites.h"

/* What the site says for all its monitors; negative: nothing. */
struct monitor_defaults {
	double stale_after_s, flat_after_s;
};

/** monitors_read() - the list of the site @group, whose kind and flow factor are known */
void monitors_read(struct walk *walk, const struct sites_context *context,
		   const config_setting_t *group, const struct monitor_defaults *defaults,
		   struct config_site *site);
/** monitor_free() - what @monitor holds */
void monitor_free(struct config_monitor *monitor);
