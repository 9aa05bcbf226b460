/* SPDX-License-Identifier: Apache-2.0 */
#include "config/clues.h"

#include "config/checks.h"
#include "config/origin.h"
#include "config/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WEEK_S 604800.0
#define COURSE_S 900.0 /* results so far apart make a course, nearer ones just follow the water */

/* --- data --- */

#define AT(member) offsetof(struct contradicting, member)
static const struct field contradiction_fields[] = {
	{"reason", FIELD_TEXT, .offset = AT(reason), .required = EVERY, .check = check_id},
	{"factor", FIELD_TEXT, .offset = AT(factor), .required = EVERY, .check = check_factor},
	{"above", FIELD_TEXT, .offset = AT(above), .check = check_factor},
	{"saturated_at", FIELD_TEXT, .offset = AT(saturated_at), .check = check_factor},
	{"times", FIELD_NUMBER, .offset = AT(times), .low = 0, .high = 1000, .open = true},
	{"source", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
};
#undef AT
static const struct schema contradiction_schema = {"a contradiction", NULL, contradiction_fields,
						   COUNT(contradiction_fields)};
static const struct field file_fields[] = {
	{"contradictions", FIELD_LATER, .offset = NOWHERE},
	{"practices", FIELD_LATER, .offset = NOWHERE},
};
static const struct schema file_schema = {"signals", NULL, file_fields, COUNT(file_fields)};

struct signals_walk {
	struct signals *signals;
	const struct catalogue *catalogue;
};

static void check_known(struct walk *walk, const struct catalogue *catalogue,
			const config_setting_t *group, const char *key, const char *code)
{
	if (code && catalogue->n > 0 && !catalogue_find(catalogue, code))
		FAULT(walk, schema_key(group, key), "factor \"%s\" is not in the catalogue", code);
}

static void read_contradiction(const struct signals_walk *context, struct walk *walk,
			       const config_setting_t *group)
{
	struct contradicting *c = &context->signals->at[context->signals->n++];
	*c = (struct contradicting){.times = 1};
	schema_read(walk, &contradiction_schema, group, 0, c);
	c->file = schema_copy(walk, walk->document->scan.files[0].name);
	c->line = (int)origin_said(walk, group).line;
	check_known(walk, context->catalogue, group, "factor", c->factor);
	check_known(walk, context->catalogue, group, "above", c->above);
	check_known(walk, context->catalogue, group, "saturated_at", c->saturated_at);
	if (!c->above == !c->saturated_at)
		FAULT(walk, group, "a contradiction needs either \"above\" or \"saturated_at\"");
}

static void read_signals(void *data, struct walk *walk)
{
	const struct signals_walk *context = data;
	struct signals *signals = context->signals;
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	schema_read(walk, &file_schema, root, 0, NULL);
	size_t n = schema_length(walk, root, "contradictions");
	struct contradicting *grown = realloc(signals->at, (signals->n + n + 1) * sizeof(*grown));
	if (!grown) {
		walk->faults->no_memory = true;
		return;
	}
	signals->at = grown;
	for (size_t i = 0; i < n; i++)
		read_contradiction(context, walk, schema_element(root, "contradictions", i));
	practices_read(walk, &signals->practices, context->catalogue, root);
}

bool signals_wanted(const config_setting_t *root)
{
	const config_setting_t *sites = config_setting_get_member(root, "sites");
	const config_setting_t *node = config_setting_get_member(root, "node");
	int n = sites && config_setting_is_aggregate(sites) ? config_setting_length(sites) : 0;
	for (int i = 0; i < n; i++) {
		const config_setting_t *site = config_setting_get_elem(sites, (unsigned)i);
		if (schema_has(site, "clues") || schema_has(site, "practice"))
			return true;
	}
	return node && schema_has(node, "practice");
}

int signals_read(struct signals *signals, const struct catalogue *catalogue, const char *data,
		 const struct reader *reader, struct faults *faults)
{
	struct signals_walk context = {signals, catalogue};
	return data_files(data, "signals", reader, faults, read_signals, &context);
}

void signals_deinit(struct signals *signals)
{
	for (size_t i = 0; i < signals->n; i++) {
		free(signals->at[i].file);
		schema_free(&contradiction_schema, &signals->at[i]);
	}
	free(signals->at);
	practices_deinit(&signals->practices);
	*signals = (struct signals){0};
}

/* --- a site's group --- */

#define AT(member) offsetof(struct config_clues, member)
static const struct field clues_fields[] = {
	{"clipped_count", FIELD_INT, .offset = AT(clipped_count), .low = 0, .high = 1000000},
	{"clipped_share", FIELD_NUMBER, .offset = AT(clipped_share), .low = 0, .high = 1},
	{"weak_flat_count", FIELD_INT, .offset = AT(weak_flat_count), .low = 0,
	 .high = CONFIG_MOST_COURSE},
	{"weak_flat_share", FIELD_NUMBER, .offset = AT(weak_flat_share), .low = 0, .high = 1,
	 .open = true},
	{"repeating_count", FIELD_INT, .offset = AT(repeating_count), .low = 0, .high = 1000},
	{"alike_count", FIELD_INT, .offset = AT(alike_count), .low = 0, .high = CONFIG_MOST_COURSE},
	{"shut_count", FIELD_INT, .offset = AT(shut_count), .low = 0, .high = 1000000},
	{"shut_share", FIELD_NUMBER, .offset = AT(shut_share), .low = 0, .high = 1},
	{"shut_after_s", FIELD_NUMBER, .offset = AT(shut_after_s), .low = 0, .high = WEEK_S},
	{"flagged_after_s", FIELD_NUMBER, .offset = AT(flagged_after_s), .low = 0, .high = WEEK_S},
	{"contradicts_count", FIELD_INT, .offset = AT(contradicts_count), .low = 0,
	 .high = 1000000},
	{"within_s", FIELD_NUMBER, .offset = AT(within_s), .low = 0, .high = WEEK_S},
	{"hold_s", FIELD_NUMBER, .offset = AT(hold_s), .low = 0, .high = WEEK_S},
	{"altitude_m", FIELD_NUMBER, .offset = AT(altitude_m), .low = -500, .high = 9000},
};
#undef AT
static const struct schema clues_schema = {"clues", NULL, clues_fields, COUNT(clues_fields)};

static const struct config_clues defaults = {
	.on = true,
	.clipped_count = 4,
	.clipped_share = 0.005,
	.weak_flat_count = 24,
	.weak_flat_share = 0.005,
	.repeating_count = 12,
	.alike_count = 12,
	.shut_count = 3,
	.shut_share = 0.2,
	.shut_after_s = 86400,
	.flagged_after_s = 7200,
	.contradicts_count = 2,
	.within_s = 14400,
	.hold_s = 1800,
};

/* Results of a probe follow the water from second to second; an analyser's are taken one by one. */
static bool has_course(const struct config_monitor *m)
{
	return m->cycle_s >= COURSE_S || (double)m->interval_ms >= COURSE_S * 1000 ||
	       (m->expected_per_hour > 0 && m->expected_per_hour <= 3600 / COURSE_S);
}

/* Pushed at a rate that nobody said, the results themselves tell. Only what is discharged as a mass
 * is looked at so: a flow or a temperature may be the same for as long as it likes. */
static bool may_have_course(const struct config_monitor *m)
{
	bool rate_unsaid = m->interval_ms == 0 && m->cycle_s == 0 && m->expected_per_hour == 0;
	return rate_unsaid && m->factor.load_unit && strcmp(m->factor.load_unit, "m³") != 0;
}

static size_t monitor_of(const struct config_site *site, const char *factor)
{
	for (size_t i = 0; factor && i < site->n_monitors; i++)
		if (site->monitors[i].factor.code &&
		    strcmp(site->monitors[i].factor.code, factor) == 0)
			return i;
	return SIZE_MAX;
}

static bool add_contradiction(struct config_monitor *m, const struct contradicting *data,
			      size_t other, double times, struct config_origin from)
{
	struct config_contradiction *grown =
		realloc(m->contradictions, (m->n_contradictions + 1) * sizeof(*grown));
	char *reason = grown ? strdup(data->reason) : NULL;
	if (grown)
		m->contradictions = grown;
	if (!reason)
		return false;
	grown[m->n_contradictions++] =
		(struct config_contradiction){.reason = reason,
					      .other = other,
					      .saturation = data->above == NULL,
					      .times = times,
					      .from = from};
	return true;
}

/* What @m measures, in the unit that the bound has: of the other factor, or mg/L at °C. */
static void contradict(struct walk *walk, struct config *config, struct config_site *site,
		       const struct contradicting *data)
{
	size_t at = monitor_of(site, data->factor);
	size_t other = monitor_of(site, data->above ? data->above : data->saturated_at);
	if (at == SIZE_MAX || other == SIZE_MAX)
		return;
	struct config_monitor *m = &site->monitors[at];
	const char *others = site->monitors[other].unit;
	struct conversion c = {.factor = 1}, temperature = {.factor = 1};
	if (!m->unit || !others || m->n_contradictions == CONFIG_MOST_CONTRADICTIONS ||
	    !unit_conversion(data->above ? others : "mg/L", m->unit, NULL, &c) ||
	    (data->saturated_at && !unit_conversion(others, "°C", NULL, &temperature)) ||
	    temperature.offset != 0 || temperature.factor != 1)
		return;
	struct config_origin from = {0};
	if (data->file)
		from = origin_at(CONFIG_DATA, origin_file(walk, config, data->file), data->line);
	if (!add_contradiction(m, data, other, data->times * conversion_size(&c, 1), from))
		walk->faults->no_memory = true;
}

_Static_assert(COUNT(clues_fields) == CONFIG_SITE_RULES - CONFIG_RULE_CLUES,
	       "each key of the group has its origin");

void clues_read(struct walk *walk, const struct signals *signals, struct config *config,
		const config_setting_t *group, struct config_site *site)
{
	const config_setting_t *part = config_setting_get_member(group, "clues");
	if (!part && !site->clues.on)
		return;
	site->clues = defaults;
	if (part)
		schema_read(walk, &clues_schema, part, 0, &site->clues);
	for (size_t i = 0; part && i < COUNT(clues_fields); i++)
		origins_of_keys(walk, part, &clues_fields[i].name, 1,
				&site->from[CONFIG_RULE_CLUES + i]);
	for (size_t i = 0; i < site->n_monitors; i++) {
		struct config_monitor *m = &site->monitors[i];
		m->has_course = !m->is_probe && has_course(m);
		m->may_have_course = !m->is_probe && may_have_course(m);
	}
	for (size_t i = 0; site->clues.contradicts_count > 0 && i < signals->n; i++)
		contradict(walk, config, site, &signals->at[i]);
}

void clues_free(struct config_monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_contradictions; i++)
		free(monitor->contradictions[i].reason);
	free(monitor->contradictions);
}
