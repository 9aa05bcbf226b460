/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble-places.h"

#include "core/rules.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert((int)CONFIG_DATA == (int)WHENCE_DATA, "origins are numbered alike");
_Static_assert((int)CONFIG_MONITOR_RULES == (int)MONITOR_RULES, "rules of monitors are");
_Static_assert((int)CONFIG_LIMIT_RULES == (int)LIMIT_RULES, "rules of limits are");
_Static_assert((int)CONFIG_SITE_RULES == (int)SITE_RULES, "rules of sites are");

struct rule_place place_of_rule(struct config_origin from)
{
	return (struct rule_place){.whence = from.whence, .file = from.file, .line = from.line};
}

/* Return: where the next ones go. */
static struct rule_place *take(struct rule_place *next, const struct config_origin *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		next[i] = place_of_rule(from[i]);
	return next + n;
}

static struct rule_place *fill_monitor(struct monitor *out, const struct config_monitor *m,
				       struct rule_place *next)
{
	struct limit *limits = (struct limit *)(uintptr_t)out->limits;
	out->places = next;
	next = take(next, m->from, MONITOR_RULES);
	for (size_t i = 0; i < out->n_limits; i++) {
		limits[i].places = next;
		next = take(next, m->limits[i].from, LIMIT_RULES);
	}
	return next;
}

static size_t places_needed(const struct plan *plan)
{
	size_t n = plan->n_sites * SITE_RULES + plan->n_monitors * MONITOR_RULES;
	for (size_t i = 0; i < plan->n_monitors; i++)
		n += plan->monitors[i].n_limits * LIMIT_RULES;
	return n;
}

int places_fill(struct plan *plan, const struct config *config)
{
	struct site *sites = (struct site *)(uintptr_t)plan->sites;
	struct monitor *monitors = (struct monitor *)(uintptr_t)plan->monitors;
	struct rule_place *next = calloc(places_needed(plan) + 1, sizeof *next);
	plan->places = next;
	if (next == NULL)
		return -ENOMEM;
	plan->files = (const char *const *)config->files;
	for (size_t i = 0; i < plan->n_sites; i++) {
		const struct config_site *s = &config->sites[i];
		sites[i].places = next;
		next = take(next, s->from, SITE_RULES);
		for (size_t j = 0; j < s->n_monitors; j++)
			next = fill_monitor(&monitors[sites[i].first_monitor + j], &s->monitors[j],
					    next);
	}
	return 0;
}

void places_deinit(struct plan *plan)
{
	free((void *)(uintptr_t)plan->places);
}
