/* SPDX-License-Identifier: Apache-2.0 */
#include "core/duty.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define LATE_MS (6 * 60 * MINUTE_MS)
enum { ROUNDS = 2 };

const char *duty_person(const struct duty *duty, const struct zone *zone, int64_t at_ms, int call)
{
	int64_t shift = zone_day(zone, at_ms - duty->change_min * MINUTE_MS);
	if (duty->rotation == DUTY_FIXED)
		shift = 0;
	else if (duty->rotation ==
		 DUTY_BY_WEEK) /* 1970-01-01 was a Thursday; weeks begin on Monday */
		shift = (shift + 3) / 7;
	return duty->people[(size_t)(shift + call) % duty->n];
}

int64_t duty_next(const struct duty *duty, enum site_kind kind, int64_t called_ms, int calls)
{
	int minutes = kind == SITE_WATER_SOURCE ? duty->source_next_min : duty->next_min;
	return (size_t)calls < ROUNDS * duty->n ? called_ms + minutes * MINUTE_MS : 0;
}

int64_t duty_digest(const struct duty *duty, const struct zone *zone, int64_t at_ms)
{
	int64_t day = zone_day(zone, at_ms);
	int64_t today_ms = zone_day_ms(zone, day) + duty->digest_min * MINUTE_MS;
	if (today_ms > at_ms)
		return today_ms;
	return zone_day_ms(zone, day + 1) + duty->digest_min * MINUTE_MS;
}

/* Grave or toxic, or water that burns. */
static bool is_urgent(enum alert_kind kind, const struct severity_facts *f)
{
	if (kind != ALERT_EXCEEDANCE)
		return false;
	if (f->kind == SITE_OUTFALL && f->factor != NULL && strcmp(f->factor, "w01001") == 0 &&
	    f->has_peak && (f->peak <= 4 || f->peak >= 11))
		return true;
	return case_severity(f) == SEVERITY_GRAVE || factor_is_toxic(f->factor);
}

bool duty_rings(enum alert_kind kind, const struct severity_facts *f, int64_t raised_ms,
		int64_t now_ms, bool flood)
{
	if (now_ms - raised_ms > LATE_MS)
		return false;
	return (f->kind == SITE_WATER_SOURCE && !flood) || is_urgent(kind, f);
}
