/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/rain.h"

#include "deliver/sheet.h"

uint32_t rain_gauge(const struct plan *plan, uint32_t site)
{
	const struct site *s = &plan->sites[site];
	return plan_monitor(plan, s->rain_site != NULL ? s->rain_site : s->id, RAIN_FACTOR);
}

uint32_t rain_beside(const struct plan *plan, const json_t *c)
{
	const char *id = json_words(c, "site");
	uint32_t site =
		id == NULL || !json_is(c, "kind", "exceedance") ? NO_INDEX : plan_site(plan, id);
	return site == NO_INDEX ? NO_INDEX : rain_gauge(plan, site);
}
