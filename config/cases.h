/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cases: the part of the grammar with which an office sets its own rules for cases: deadlines,
 * days off, closing conditions, officers and their roles.
 *
 * Of terms and roles only what is said is kept; their defaults are core's (core/caserules.h), where
 * the rules are judged.
 */
#include "config/schema.h"

/** cases_read() - the groups deadlines, closing, roles, duty and the list officers of @root, and
 * the days off of DATA/holidays, which may be missing */
void cases_read(struct walk *walk, struct config_cases *cases, const char *data,
		const config_setting_t *root);
/** severity_read() - the group severity of @root; what is not said has the default */
void severity_read(struct walk *walk, struct config_severity *severity,
		   const config_setting_t *root);
void cases_free(struct config_cases *cases);
