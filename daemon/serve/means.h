/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Means: how many valid readings a minute, day, month or year had, their mean, the smallest and the
 * largest; from what was added up (store/tallies.h), so that they are there when the readings are
 * gone.
 */
#include "serve/query.h"
#include "store/tallies.h"

/**
 * page_means() - {"site":…,"factor":…,"unit":…,"means":[…],"next":…}, or CSV with these columns:
 * time, site, factor, count, mean, min, max
 * @tallies: NULL: nothing was added up yet
 * @monitor: that @query names
 * @next: out: what a full page carries as "next", else 0
 * Return: 0; negative errno.
 */
int page_means(struct text *out, const struct plan *plan, struct tallies *tallies, uint32_t monitor,
	       const struct query *query, int64_t now_ms, bool csv, int64_t *next);
