/* SPDX-License-Identifier: Apache-2.0 */
#include "core/plan.h"

#include <string.h>

const char *alert_kind_name(enum alert_kind kind)
{
	static const char *const names[ALERT_KINDS] = {
		[ALERT_WARNING] = "warning",
		[ALERT_EXCEEDANCE] = "exceedance",
		[ALERT_STALE] = "stale",
		[ALERT_FLAT] = "flat",
		[ALERT_STEP] = "step",
		[ALERT_CLUE] = "clue",
		[ALERT_UNDETERMINED] = "undetermined",
		[ALERT_FAULT] = "fault",
		[ALERT_CONNECTION] = "connection",
		[ALERT_LOAD] = "load",
	};
	return names[kind];
}

const char *site_kind_name(enum site_kind kind)
{
	static const char *const names[] = {
		[SITE_RIVER_SECTION] = "river_section",
		[SITE_WATER_SOURCE] = "water_source",
		[SITE_OUTFALL] = "outfall",
		[SITE_AIR] = "air",
		[SITE_SOIL] = "soil",
		[SITE_NOISE] = "noise",
	};
	return names[kind];
}

const char *average_name(enum average average)
{
	static const char *const names[] = {
		[AVERAGE_INSTANT] = "instant",
		[AVERAGE_HOUR] = "hour",
		[AVERAGE_DAY] = "day",
		[AVERAGE_DAY_8H] = "day-8h",
	};
	return names[average];
}

enum average average_named(const char *name)
{
	for (enum average a = AVERAGE_INSTANT; name != NULL && a < AVERAGES; a++)
		if (strcmp(name, average_name(a)) == 0)
			return a;
	return AVERAGE_INSTANT;
}

bool average_daily(enum average average)
{
	return average == AVERAGE_DAY || average == AVERAGE_DAY_8H;
}

bool limit_in_force(const struct limit *l, int64_t wall_ms)
{
	return wall_ms >= l->valid_from_ms && (l->valid_to_ms == 0 || wall_ms < l->valid_to_ms);
}

const char *alert_unit(const struct monitor *monitor, enum alert_kind kind)
{
	return kind == ALERT_LOAD ? "t" : monitor->unit;
}

int alert_decimals(const struct monitor *monitor, enum alert_kind kind)
{
	return kind == ALERT_LOAD ? 3 : monitor->decimals;
}

uint32_t plan_site(const struct plan *plan, const char *site)
{
	for (uint32_t i = 0; i < plan->n_sites; i++)
		if (strcmp(plan->sites[i].id, site) == 0)
			return i;
	return NO_INDEX;
}

bool monitor_looks_for_steps(const struct monitor *m)
{
	return m->max_step > 0 || m->max_step_hour > 0 || m->step_times > 0;
}

uint32_t plan_monitor(const struct plan *plan, const char *site, const char *factor)
{
	uint32_t s = plan_site(plan, site);
	if (s == NO_INDEX)
		return NO_INDEX;
	uint32_t first = plan->sites[s].first_monitor;
	for (uint32_t i = first; i < first + plan->sites[s].n_monitors; i++)
		if (strcmp(plan->monitors[i].factor, factor) == 0)
			return i;
	return NO_INDEX;
}
