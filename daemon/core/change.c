/* SPDX-License-Identifier: Apache-2.0 */
#include "core/change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool same_monitor(const struct plan_change *c, uint32_t now, uint32_t was)
{
	const struct monitor *a = &c->to->monitors[now], *b = &c->from->monitors[was];
	return strcmp(a->factor, b->factor) == 0 &&
	       strcmp(c->to->sites[a->site].id, c->from->sites[b->site].id) == 0;
}

/* Plans are mostly alike: what follows one that was found follows it there, too. */
static uint32_t find_monitor(const struct plan_change *c, uint32_t now, uint32_t guess)
{
	if (guess < c->from->n_monitors && same_monitor(c, now, guess))
		return guess;
	const struct monitor *m = &c->to->monitors[now];
	return plan_monitor(c->from, c->to->sites[m->site].id, m->factor);
}

static void find_monitors(struct plan_change *c)
{
	uint32_t guess = 0;
	for (uint32_t i = 0; i < c->from->n_monitors; i++)
		c->monitors_to[i] = NO_INDEX;
	for (uint32_t i = 0; i < c->to->n_monitors; i++) {
		uint32_t was = find_monitor(c, i, guess);
		c->monitors[i] = was;
		if (was == NO_INDEX)
			continue;
		c->monitors_to[was] = i;
		guess = was + 1;
	}
}

static uint32_t find_connection(const struct plan *plan, const char *id, uint32_t guess)
{
	for (uint32_t i = 0; i < plan->n_connections; i++) {
		uint32_t at = (guess + i) % (uint32_t)plan->n_connections;
		if (strcmp(plan->connections[at].id, id) == 0)
			return at;
	}
	return NO_INDEX;
}

static void find_connections(struct plan_change *c)
{
	uint32_t guess = 0;
	for (uint32_t i = 0; i < c->to->n_connections; i++) {
		c->connections[i] = find_connection(c->from, c->to->connections[i].id, guess);
		if (c->connections[i] != NO_INDEX)
			guess = c->connections[i] + 1;
	}
}

int plan_change_init(struct plan_change *change, const struct plan *from, const struct plan *to)
{
	*change = (struct plan_change){
		.from = from,
		.to = to,
		.monitors = calloc(to->n_monitors + 1, sizeof *change->monitors),
		.connections = calloc(to->n_connections + 1, sizeof *change->connections),
		.monitors_to = calloc(from->n_monitors + 1, sizeof *change->monitors_to),
	};
	if (change->monitors == NULL || change->connections == NULL || change->monitors_to == NULL)
		return -ENOMEM;
	find_monitors(change);
	find_connections(change);
	return 0;
}

void plan_change_deinit(struct plan_change *change)
{
	free(change->monitors);
	free(change->connections);
	free(change->monitors_to);
	*change = (struct plan_change){.from = NULL};
}

void plan_carry(void *now, const void *old, const uint32_t *was, size_t n, size_t each)
{
	for (size_t i = 0; i < n; i++)
		if (was[i] != NO_INDEX)
			memcpy((unsigned char *)now + i * each,
			       (const unsigned char *)old + was[i] * each, each);
}
