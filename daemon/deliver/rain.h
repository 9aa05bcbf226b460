/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rain: what fell beside an exceedance, for the people who look for its cause.
 *
 * A rain gauge is a monitor like any other, of the site itself or of the one that it names. What
 * fell is told and excuses nothing: no verdict, case or deadline knows of it. A reading is what
 * fell since the one before, in mm, so the valid ones are added up.
 */
#include "core/plan.h"

#include <jansson.h>

#define RAIN_FACTOR "a-rain" /* a code of the catalogue's own */
#define RAIN_BEFORE_MS INT64_C(86400000)

/** rain_gauge() - the monitor that measures a site's rain; NO_INDEX: none does */
uint32_t rain_gauge(const struct plan *plan, uint32_t site);
/** rain_beside() - that of the site where a case of exceedance is; of any other case NO_INDEX
 * @c: as ledger_case_json() writes it */
uint32_t rain_beside(const struct plan *plan, const json_t *c);
