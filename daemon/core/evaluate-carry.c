/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying the evaluator's state from one plan into the next while the daemon runs.
 *
 * What evaluate-keep.c does over a restart, without the way through bytes: conditions are found
 * again by the same names, and one that is new begins at rest. What only a restart loses goes
 * along: which connections answer, and the daemon's own faults.
 */
#include "core/evaluate-state.h"

#include <string.h>

static bool is_at_rest(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Tables that are mostly zeros take no memory where nothing is written. */
static void carry_rare(void *to, const void *from, size_t size)
{
	if (!is_at_rest(from, size))
		memcpy(to, from, size);
}

static uint32_t find_limit(const struct monitor *m, const char *key, uint32_t guess)
{
	if (guess < m->n_limits && strcmp(m->limits[guess].key, key) == 0)
		return guess;
	for (uint32_t i = 0; i < m->n_limits; i++)
		if (strcmp(m->limits[i].key, key) == 0)
			return i;
	return NO_INDEX;
}

static void carry_monitor(struct evaluator *to, uint32_t now, const struct evaluator *from,
			  uint32_t was)
{
	const struct monitor *m = &to->plan->monitors[now], *old = &from->plan->monitors[was];
	to->monitors[now] = from->monitors[was];
	carry_rare(&to->alerts[now], &from->alerts[was], sizeof *to->alerts);
	for (uint32_t i = 0; i < m->n_limits; i++) {
		uint32_t limit = find_limit(old, m->limits[i].key, i);
		uint32_t at = to->first_limit[now] + i, before = from->first_limit[was] + limit;
		if (limit == NO_INDEX)
			continue;
		to->limits[at] = from->limits[before];
		carry_rare(&to->rests[at], &from->rests[before], sizeof *to->rests);
		if (to->eights[at] != NULL && from->eights[before] != NULL)
			*to->eights[at] = *from->eights[before];
	}
}

static void carry_clues(struct evaluator *to, uint32_t now, const struct evaluator *from,
			uint32_t was)
{
	const struct clue_rules *rules = to->plan->monitors[now].clues;
	const struct clue_rules *before = from->plan->monitors[was].clues;
	if (rules != NULL && before != NULL)
		to->clues[rules - to->plan->clues] = from->clues[before - from->plan->clues];
}

static void carry_flow(struct evaluator *to, size_t site, const struct evaluator *from)
{
	uint32_t was = plan_site(from->plan, to->plan->sites[site].id);
	struct discharge_record record;
	if (was == NO_INDEX || !from->discharges[was].in_use)
		return;
	discharge_save(&from->discharges[was], &record);
	discharge_load(&to->discharges[site], &record);
}

static void carry_awaiting(struct evaluator *to, const struct evaluator *from,
			   const struct plan_change *change)
{
	for (size_t i = 0; i < from->plan->n_sites; i++)
		for (uint32_t j = 0; j < from->awaiting[i].n; j++) {
			struct reading r = from->awaiting[i].at[j];
			r.monitor = change->monitors_to[r.monitor];
			if (r.monitor != NO_INDEX)
				awaiting_put(to, &r);
		}
}

void evaluator_carry(struct evaluator *to, const struct evaluator *from,
		     const struct plan_change *change)
{
	for (uint32_t i = 0; i < to->plan->n_monitors; i++)
		if (change->monitors[i] != NO_INDEX) {
			carry_monitor(to, i, from, change->monitors[i]);
			carry_clues(to, i, from, change->monitors[i]);
		}
	carry_awaiting(to, from, change);
	plan_carry(to->links, from->links, change->connections, to->plan->n_connections,
		   sizeof *to->links);
	for (size_t i = 0; i < to->plan->n_sites; i++)
		if (to->discharges[i].in_use)
			carry_flow(to, i, from);
	memcpy(to->own, from->own, sizeof to->own);
	to->flood = from->flood;
}
