/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Limits: the list `limits` of a monitor: own bounds, a permit's, and those of standards.
 */
#include "config/standards.h"

struct limits_context {
	struct standards *standards; /* NULL where the data could not be read: then `standard`
					entries are not looked up */
	const char *site_kind;       /* as written */
	const struct config_dates *dates;
};

/** site_flow_factor() - the factor that measures the flow of a site (its group) */
const char *site_flow_factor(const config_setting_t *site);
/** check_mark_until() - NULL: until such a time of the next day a mean may be marked */
const char *check_mark_until(const char *text);
/**
 * limits_read() - read the list of @group into @monitor, whose factor and unit are known
 * Return: how many entries the list has as written; a `standard` entry counts as one
 */
size_t limits_read(struct walk *walk, const struct limits_context *context,
		   const config_setting_t *group, struct config_monitor *monitor);
