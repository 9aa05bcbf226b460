/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The rules in force at a site, as JSON: what duchactl sites SITE --effective shows.
 */
#include "core/plan.h"
#include "core/text.h"

/**
 * page_rules() - {"site":…,"kind":…,"rules":[{"factor","limit","rule","value","from","file",
 * "line","source","place"}]}
 * @site: of the plan
 *
 * `place` is all of where it comes from as people read it.
 */
void page_rules(struct text *out, const struct plan *plan, const char *site);
