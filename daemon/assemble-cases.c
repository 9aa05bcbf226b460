/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble-cases.h"

#include <errno.h>
#include <stdlib.h>

_Static_assert((int)CONFIG_TERM_HALF == (int)TERM_HALF, "terms are numbered alike");
_Static_assert((int)CONFIG_STAGES == (int)STAGES - 1, "stages are numbered alike, but for none");
_Static_assert((int)CONFIG_SITE_KINDS == (int)SITE_KINDS, "kinds of sites are numbered alike");
_Static_assert((int)CONFIG_DEEDS == (int)DEEDS, "deeds are numbered alike");

static bool equal(struct term a, struct term b)
{
	return a.unit == b.unit && a.n == b.n;
}

/*
 * What is said of a kind of site holds for all severities, but for one that differs from the
 * general case by default; what is said of a severity holds for it alone.
 */
static void take(struct terms *terms, size_t offset, struct config_term said, int severity)
{
	const struct term term = {(enum term_unit)said.unit, said.n};
	struct term *at[SEVERITIES];
	if (said.unit == CONFIG_TERM_NONE)
		return;
	for (int i = 0; i < SEVERITIES; i++)
		at[i] = (struct term *)(void *)((char *)&terms[i] + offset);
	const struct term general = *at[SEVERITY_GENERAL];
	for (int i = 0; i < SEVERITIES; i++)
		if (severity == i || (severity == SEVERITY_GENERAL && equal(*at[i], general)))
			*at[i] = term;
}

/* A list replaces the default's, and a shorter one ends sooner. */
static void take_list(struct terms *terms, size_t offset, const struct config_term said[2],
		      int severity)
{
	for (int i = 0; i < SEVERITIES; i++) {
		if (severity != SEVERITY_GENERAL && i != severity)
			continue;
		struct term *at = (struct term *)(void *)((char *)&terms[i] + offset);
		for (int k = 0; k < 2; k++)
			at[k] = (struct term){(enum term_unit)said[k].unit, said[k].n};
	}
}

static void fill_terms(struct terms *terms, const struct config_terms *said, int severity)
{
	for (size_t i = 0; i < CONFIG_STAGES; i++)
		take(terms, offsetof(struct terms, stage) + (i + 1) * sizeof(struct term),
		     said->stage[i], severity);
	take(terms, offsetof(struct terms, planned), said->planned, severity);
	take(terms, offsetof(struct terms, longest), said->longest, severity);
	take(terms, offsetof(struct terms, extended), said->extended, severity);
	if (said->reminds)
		take_list(terms, offsetof(struct terms, remind), said->remind, severity);
	if (said->escalates)
		take_list(terms, offsetof(struct terms, escalate), said->escalate, severity);
}

static struct closing closing_of(const struct config_closing *c)
{
	struct closing closing = {.clear = c->clear,
				  .other_person = c->other_person,
				  .record = c->record,
				  .approval = c->approval,
				  .five_ones = c->five_ones,
				  .steps = c->steps,
				  .laboratory = c->laboratory,
				  .release = c->release,
				  .checkers = c->checkers,
				  .attachments = c->attachments};
	for (int i = 0; i < SITE_KINDS; i++)
		closing.compliant_days[i] = c->compliant_days[i];
	return closing;
}

/* The list of the configuration; without one, whoever has a token is what the token says, and
 * everybody else who reaches the socket is none of them. */
static int fill_officers(struct case_rules *rules, const struct config *config)
{
	const struct config_cases *cases = &config->cases;
	bool listed = cases->n_officers > 0;
	size_t n = listed ? cases->n_officers : config->n_tokens;
	struct officer *officers = calloc(n + 1, sizeof *officers);
	rules->officers = officers;
	if (officers == NULL)
		return -ENOMEM;
	rules->n_officers = n;
	rules->strangers = !listed;
	for (size_t i = 0; i < n; i++) {
		const struct config_officer *o = listed ? &cases->officers[i] : NULL;
		const struct config_token *t = listed ? NULL : &config->tokens[i];
		officers[i] = listed ? (struct officer){o->id, o->name, o->user, o->roles}
				     : (struct officer){t->name, t->name, NULL, t->roles};
	}
	return 0;
}

_Static_assert((int)DUTY_FIXED == 2, "rotations are numbered alike");

static struct duty duty_of(const struct config_duty *d)
{
	return (struct duty){.people = (const char *const *)d->people,
			     .n = d->n,
			     .rotation = (enum duty_rotation)d->rotate,
			     .change_min = d->change_min,
			     .digest_min = d->digest_min,
			     .next_min = d->next_min,
			     .source_next_min = d->source_next_min};
}

struct severity_steps severity_fill(const struct config_severity *s)
{
	return (struct severity_steps){
		.serious_multiple = s->serious_multiple,
		.grave_multiple = s->grave_multiple,
		.source_grave_multiple = s->source_grave_multiple,
		.ph_serious = s->ph_serious,
		.ph_grave_low = s->ph_grave_low,
		.ph_grave_high = s->ph_grave_high,
		.oxygen_serious = s->oxygen_serious,
		.serious_classes = s->serious_classes,
		.grave_inferior_times = s->grave_inferior_times,
		.serious_days = s->serious_days,
	};
}

int case_rules_fill(struct case_rules *rules, const struct config *config)
{
	const struct config_cases *cases = &config->cases;
	case_rules_default(rules);
	for (int kind = 0; kind < SITE_KINDS; kind++)
		for (int severity = 0; severity < SEVERITIES; severity++)
			fill_terms(rules->terms[kind], &cases->terms[kind][severity], severity);
	rules->workdays =
		(struct workdays){cases->off.at, cases->work.at, cases->off.n, cases->work.n};
	rules->fault_shelve_workdays = cases->fault_shelve_workdays;
	rules->closing = closing_of(&cases->closing);
	rules->duty = duty_of(&cases->duty);
	for (int i = 0; i < DEEDS; i++)
		if (cases->may[i] != 0)
			rules->may[i] = cases->may[i];
	return fill_officers(rules, config);
}

void case_rules_deinit(struct case_rules *rules)
{
	free((void *)(uintptr_t)rules->officers);
}
