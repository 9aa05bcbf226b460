/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble-clues.h"

#include "assemble-places.h"
#include "assemble-plan.h"
#include "core/clue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)CONFIG_MOST_CONTRADICTIONS == (int)CONTRADICTIONS_MOST, "as many fit");

static int fill_contradictions(struct clue_rules *out, const struct config_monitor *m,
			       const struct site *site, double altitude_m)
{
	struct contradiction *list = calloc(m->n_contradictions + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->n_contradictions; i++) {
		const struct config_contradiction *c = &m->contradictions[i];
		list[i] = (struct contradiction){
			.reason = c->reason,
			.other = site->first_monitor + (uint32_t)c->other,
			.kind = c->saturation ? CONTRADICTION_SATURATION : CONTRADICTION_ABOVE,
			.times = c->times * (c->saturation ? air_pressure_share(altitude_m) : 1),
			.place = place_of_rule(c->from)};
	}
	out->contradictions = list;
	out->n_contradictions = m->n_contradictions;
	return 0;
}

/* What a course of results says counts only where there is one. */
static void fill_course(struct clue_rules *out, const struct config_clues *c,
			const struct config_monitor *m, enum site_kind kind)
{
	if (!m->has_course && !m->may_have_course)
		return;
	out->apart_ms = m->has_course ? 0 : COURSE_APART_MS;
	out->weak_flat_count = (uint32_t)c->weak_flat_count;
	out->repeating_count = (uint32_t)c->repeating_count;
	out->alike_count = kind == SITE_OUTFALL ? (uint32_t)c->alike_count : 0;
}

static int fill_rules(struct clue_rules *out, const struct config_clues *c,
		      const struct config_monitor *m, const struct site *site, uint32_t monitor)
{
	size_t room = strlen(site->id) + sizeof "alike ";
	char *alike = malloc(room);
	*out = (struct clue_rules){
		.clipped_count = m->has_range ? (uint32_t)c->clipped_count : 0,
		.clipped_from = m->range_high - c->clipped_share * (m->range_high - m->range_low),
		.weak_flat_share = c->weak_flat_share,
		.shut_count = (uint32_t)c->shut_count,
		.shut_share = c->shut_share,
		.shut_after_ms = milliseconds(c->shut_after_s),
		.flagged_after_ms = milliseconds(c->flagged_after_s),
		.hold_ms = milliseconds(c->hold_s),
		.contradicts_count = (uint32_t)c->contradicts_count,
		.within_ms = milliseconds(c->within_s),
		.next_alike = monitor,
		.alike = alike,
	};
	if (alike == NULL)
		return -ENOMEM;
	snprintf(alike, room, "alike %s", site->id);
	fill_course(out, c, m, site->kind);
	return fill_contradictions(out, m, site, c->altitude_m);
}

/* Closes a circle of the monitors before this one that have its factor and are compared. */
static void join_alike(const struct plan *plan, struct clue_rules *rules, uint32_t monitor)
{
	struct clue_rules *own = &rules[plan->monitors[monitor].clues - plan->clues];
	if (own->alike_count == 0)
		return;
	for (uint32_t i = monitor; i-- > 0;) {
		const struct monitor *m = &plan->monitors[i];
		struct clue_rules *other = m->clues == NULL ? NULL : &rules[m->clues - plan->clues];
		if (other == NULL || other->alike_count == 0 ||
		    strcmp(m->factor, plan->monitors[monitor].factor) != 0)
			continue;
		own->next_alike = other->next_alike;
		other->next_alike = monitor;
		return;
	}
}

int clues_fill(struct plan *plan, const struct config *config)
{
	struct monitor *monitors = (struct monitor *)(uintptr_t)plan->monitors;
	struct clue_rules *rules = NULL;
	size_t n = 0;
	for (size_t i = 0; i < config->n_sites; i++)
		n += config->sites[i].clues.on ? config->sites[i].n_monitors : 0;
	plan->clues = rules = calloc(n + 1, sizeof *rules);
	if (rules == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < plan->n_monitors; i++) {
		const struct config_site *s = &config->sites[monitors[i].site];
		const struct site *site = &plan->sites[monitors[i].site];
		if (!s->clues.on)
			continue;
		monitors[i].clues = &rules[plan->n_clues++];
		if (fill_rules(&rules[plan->n_clues - 1], &s->clues,
			       &s->monitors[i - site->first_monitor], site, i) < 0)
			return -ENOMEM;
		join_alike(plan, rules, i);
	}
	return 0;
}

void clues_deinit(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_clues; i++) {
		free((void *)(uintptr_t)plan->clues[i].contradictions);
		free((void *)(uintptr_t)plan->clues[i].alike);
	}
	free((void *)(uintptr_t)plan->clues);
}
