/* SPDX-License-Identifier: Apache-2.0 */
#include "core/beside.h"

#include "core/evaluate-state.h"
#include "core/number.h"

#include <stdlib.h>

/* By the catalogue alone: a probe without limits has no flag for it, and shows it all the same. */
static bool is_nothing(const struct plan *plan, const struct monitor *m, double value)
{
	if (m->has_nothing && compare12(value, m->nothing_at) <= 0)
		return true;
	for (size_t i = 0; i < plan->n_codes; i++)
		if (value == plan->codes[i])
			return true;
	return signal_is_dead(m, value) || signal_is_impossible(m, value);
}

static enum shows shows_of(const struct plan *plan, const struct reading *r)
{
	bool by_value = r->has_value && (r->flag == FLAG_NORMAL || r->flag == FLAG_OVER_RANGE);
	if (r->flag == FLAG_FAULT)
		return SHOWS_NOTHING;
	if (!by_value)
		return SHOWS_UNKNOWN;
	return is_nothing(plan, &plan->monitors[r->monitor], r->value) ? SHOWS_NOTHING
								       : SHOWS_WATER;
}

static bool of_one_moment(const struct beside *other, const struct reading *r)
{
	return llabs(other->measured_ms - r->measured_ms) <= BESIDE_MS;
}

static bool most_show_nothing(const struct plan *plan, const struct beside *shown,
			      const struct reading *r)
{
	const struct monitor *m = &plan->monitors[r->monitor];
	const struct site *site = &plan->sites[m->site];
	int nothing = 0, water = 0;
	for (uint32_t i = site->first_monitor; i < site->first_monitor + site->n_monitors; i++) {
		if (i == r->monitor || plan->monitors[i].connection != m->connection ||
		    !of_one_moment(&shown[i], r))
			continue;
		nothing += shown[i].shows == SHOWS_NOTHING;
		water += shown[i].shows == SHOWS_WATER;
	}
	return nothing > water;
}

enum flag beside_flag(const struct plan *plan, struct beside *shown, const struct reading *r)
{
	const struct monitor *m = &plan->monitors[r->monitor];
	if (!m->seen_beside)
		return r->flag;
	shown[r->monitor].measured_ms = r->measured_ms;
	shown[r->monitor].shows = shows_of(plan, r);
	bool asks = m->zero_beside && r->flag == FLAG_NORMAL && r->has_value && r->value == 0;
	return asks && most_show_nothing(plan, shown, r) ? FLAG_FAULT : r->flag;
}
