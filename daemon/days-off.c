/* SPDX-License-Identifier: Apache-2.0 */
#include "days-off.h"

enum { PUBLISHED_IN = 11 }; /* the month */

static bool year_known(const struct config_days *off, const struct zone *zone, int year)
{
	for (size_t i = 0; i < off->n; i++)
		if (zone_civil(zone, zone_day_ms(zone, off->at[i])).year == year)
			return true;
	return false;
}

int days_off_unknown(const struct config_days *off, const struct zone *zone, int64_t now_ms)
{
	const struct civil now = zone_civil(zone, now_ms);
	const int year = (int)now.year;
	if (!year_known(off, zone, year))
		return year;
	return now.month >= PUBLISHED_IN && !year_known(off, zone, year + 1) ? year + 1 : 0;
}
