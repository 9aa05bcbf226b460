/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Classes: the bounds of classes I to V of surface water (GB 3838-2002, table 1) for the monitors
 * of a section, from the standards' data.
 */
#include "config/standards.h"

/** classes_settle() - once a site (its group) and its monitors are read
 * @standards: NULL: could not be read; then there are no classes */
void classes_settle(struct walk *walk, const struct standards *standards,
		    const config_setting_t *group, struct config_site *site);
