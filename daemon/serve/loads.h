/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Loads: what a site discharged, from what was added up (store/tallies.h), never from the readings.
 */
#include "serve/query.h"
#include "store/tallies.h"

/**
 * page_loads() - {"site":…,"from":…,"to":…,"until":…,"loads":[…]}
 * @tallies: NULL: nothing was added up yet
 * @query: site is of the plan
 * Return: 0; negative errno.
 */
int page_loads(struct text *out, const struct plan *plan, struct tallies *tallies,
	       const struct query *query, int64_t now_ms);
