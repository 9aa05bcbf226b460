/* SPDX-License-Identifier: Apache-2.0 */
#include "config/impossible.h"

#include "config/checks.h"
#include "config/loads.h"
#include "config/origin.h"
#include "config/standards.h"
#include "config/units.h"

#include <math.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* An input that is good to some 0.2 % of its span (HJ 477-2009) shows no exact zero. */
#define INPUT_SHARE 0.002

/* --- data --- */

void impossible_of_factor(struct walk *walk, const config_setting_t *group,
			  struct config_factor *factor)
{
	factor->has_dead = schema_has(group, "dead_at");
	factor->has_most = schema_has(group, "most");
	if (factor->has_dead && factor->drift > 0)
		FAULT(walk, schema_key(group, "drift"),
		      "dead_at and drift exclude each other; keep one");
	if (factor->drift > 0 && !schema_has(group, "drift_confidence"))
		FAULT(walk, schema_key(group, "drift"),
		      "drift needs drift_confidence beside it: high, medium or low");
	if (factor->drift == 0 && factor->drift_air > 0)
		FAULT(walk, schema_key(group, "drift_air"), "drift_air stands only beside drift");
	if (!factor->has_dead && !factor->has_most && factor->drift == 0)
		return;
	if (factor->has_dead && factor->has_most && factor->dead_at >= factor->most)
		FAULT(walk, schema_key(group, "most"), "most must be above dead_at");
	factor->file = schema_copy(walk, walk->document->scan.files[0].name);
	factor->line = (int)origin_said(walk, group).line;
}

struct code {
	double value;
};
static const struct field code_fields[] = {
	{"value", FIELD_NUMBER, .offset = offsetof(struct code, value), .low = -1e39, .high = 1e39,
	 .required = EVERY},
	{"source", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
};
static const struct schema code_schema = {"a code", NULL, code_fields, COUNT(code_fields)};

void impossible_codes(struct walk *walk, struct catalogue *catalogue, const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "codes");
	if (schema_has(root, "unreal_from"))
		schema_number(schema_key(root, "unreal_from"), &catalogue->unreal_from);
	if (n == 0)
		return;
	double *grown = realloc(catalogue->codes, (catalogue->n_codes + n) * sizeof(*grown));
	if (!grown) {
		walk->faults->no_memory = true;
		return;
	}
	catalogue->codes = grown;
	for (size_t i = 0; i < n; i++) {
		struct code code = {0};
		schema_read(walk, &code_schema, schema_element(root, "codes", i), 0, &code);
		bool least = catalogue->n_codes == 0 || fabs(code.value) < catalogue->codes_from;
		catalogue->codes_from = least ? fabs(code.value) : catalogue->codes_from;
		catalogue->codes[catalogue->n_codes++] = code.value;
	}
	free(catalogue->codes_file);
	catalogue->codes_file = schema_copy(walk, walk->document->scan.files[0].name);
	catalogue->codes_line = (int)origin_said(walk, schema_key(root, "codes")).line;
}

static const struct field fill_fields[] = {
	{"value", FIELD_NUMBER, .offset = offsetof(struct fill, value), .open = true, .low = 0,
	 .high = 1e15, .required = EVERY},
	{"register", FIELD_BOOL, .offset = offsetof(struct fill, is_register)},
	{"source", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
};
static const struct schema fill_schema = {"a fill", NULL, fill_fields, COUNT(fill_fields)};

void impossible_fills(struct walk *walk, struct catalogue *catalogue, const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "fills");
	if (n == 0)
		return;
	struct fill *grown = realloc(catalogue->fills, (catalogue->n_fills + n) * sizeof(*grown));
	if (!grown) {
		walk->faults->no_memory = true;
		return;
	}
	catalogue->fills = grown;
	for (size_t i = 0; i < n; i++) {
		struct fill *fill = &grown[catalogue->n_fills++];
		*fill = (struct fill){0};
		schema_read(walk, &fill_schema, schema_element(root, "fills", i), 0, fill);
	}
	free(catalogue->fills_file);
	catalogue->fills_file = schema_copy(walk, walk->document->scan.files[0].name);
	catalogue->fills_line = (int)origin_said(walk, schema_key(root, "fills")).line;
}

/* --- a monitor --- */

void impossible_own_codes(struct walk *walk, const config_setting_t *group,
			  struct config_monitor *monitor)
{
	const config_setting_t *list = config_setting_get_member(group, "codes");
	if (!list)
		return;
	bool good = config_setting_type(list) == CONFIG_TYPE_LIST ||
		    config_setting_type(list) == CONFIG_TYPE_ARRAY;
	size_t n = good ? (size_t)config_setting_length(list) : 0;
	monitor->codes = calloc(n + 1, sizeof(*monitor->codes));
	if (!monitor->codes) {
		walk->faults->no_memory = true;
		return;
	}
	for (size_t i = 0; good && i < n; i++)
		good = schema_number(config_setting_get_elem(list, (unsigned)i),
				     &monitor->codes[i]);
	if (!good)
		FAULT(walk, list, "codes must be a list of numbers, such as (9999.0, 65535)");
	monitor->n_codes = good ? n : 0;
}

static struct config_origin data_at(struct walk *walk, const struct sites_context *context,
				    const char *file, int line)
{
	if (!file)
		return origin_at(CONFIG_DATA, 0, 0);
	return origin_at(CONFIG_DATA, origin_file(walk, context->config, file), line);
}

static double low_end(const struct config_monitor *m)
{
	return m->range_low + INPUT_SHARE * (m->range_high - m->range_low);
}

static double drift_of(const struct config_site *site, const struct config_factor *f)
{
	return site->kind == CONFIG_AIR && f->drift_air > 0 ? f->drift_air : f->drift;
}

/* Where a range says what the instrument shows, nobody needs to guess at its drift. In the unit of
 * the monitor. */
static bool dead_by_factor(const struct config_site *site, struct config_monitor *m,
			   double *dead_at)
{
	const struct config_factor *f = &m->factor;
	struct conversion c;
	bool drifts = f->drift > 0 && !m->has_range;
	if ((!f->has_dead && !drifts) || !unit_conversion(f->unit, m->unit, NULL, &c))
		return false;
	*dead_at = conversion_level(&c, f->has_dead ? f->dead_at : -drift_of(site, f));
	m->dead_confidence = f->has_dead ? NULL : confidence_names[f->drift_confidence];
	return true;
}

/* Where the range begins above what the factor cannot have, and above nothing at all, a dead signal
 * gives its low end. */
static void take_dead(struct walk *walk, const struct sites_context *context,
		      const config_setting_t *group, const struct config_site *site,
		      struct config_monitor *m)
{
	const struct config_factor *f = &m->factor;
	double dead_at;
	if (m->live_zero) {
		m->dead_at = low_end(m);
	} else if (!schema_has(group, "live_zero") && dead_by_factor(site, m, &dead_at)) {
		bool above = m->has_range && m->range_low > fmax(dead_at, 0);
		m->dead_at = above ? low_end(m) : dead_at;
		m->from[CONFIG_RULE_LIVE_ZERO] = data_at(walk, context, f->file, f->line);
	} else {
		return;
	}
	m->has_dead = true;
	if (schema_has(group, "under_range"))
		return;
	m->under_range = true;
	m->from[CONFIG_RULE_UNDER_RANGE] = m->from[CONFIG_RULE_LIVE_ZERO];
}

static void take_most(struct walk *walk, const struct sites_context *context,
		      struct config_monitor *m)
{
	const struct config_factor *f = &m->factor;
	struct conversion c;
	if (!f->has_most || !unit_conversion(f->unit, m->unit, NULL, &c))
		return;
	m->has_most = true;
	m->most = conversion_level(&c, f->most);
	m->from[CONFIG_RULE_MOST] = data_at(walk, context, f->file, f->line);
}

/* What is asked of those beside it, and what shows no water beside others, which is no matter of
 * limits. */
static void take_beside(struct walk *walk, const struct sites_context *context,
			const config_setting_t *group, struct config_monitor *m, bool judged)
{
	const struct config_factor *f = &m->factor;
	struct conversion c;
	m->low_beside = judged && m->rollover == 0 && !schema_has(group, "live_zero");
	if (!f->has_dead || !unit_conversion(f->unit, m->unit, NULL, &c))
		return;
	m->has_nothing = true;
	m->nothing_at = conversion_level(&c, f->dead_at);
	m->zero_beside = judged && f->zero_beside && !schema_has(group, "live_zero");
	if (m->zero_beside)
		m->from[CONFIG_RULE_BESIDE] = data_at(walk, context, f->file, f->line);
}

/* What no limit, class or permit is held against stays as it was read: nothing can come of it. A
 * flow weighs and carries what else is measured. */
static bool is_judged(const struct config_site *site, const struct config_monitor *m)
{
	return m->n_limits > 0 || site->target_class > 0 || m->live_zero ||
	       m->permit_tonnes_year > 0 || loads_is_flow(site, m);
}

/* What the instrument can show, or the limits allow, is an amount, whatever a logger writes. */
static bool is_amount(const struct config_monitor *m, double value)
{
	bool shown = m->has_range && value >= m->range_low && value <= m->range_high;
	for (size_t i = 0; !shown && i < m->n_limits; i++)
		shown = m->limits[i].has_max && value <= m->limits[i].max;
	return shown;
}

static void add_fill(struct config_monitor *m, double value)
{
	if (value > 0 && !is_amount(m, value))
		m->fills[m->n_fills++] = value;
}

/* A counter runs through all figures. */
static void take_fills(struct walk *walk, const struct sites_context *context,
		       struct config_monitor *m)
{
	const struct catalogue *catalogue = context->catalogue;
	bool scaled = m->scale != 1 || m->offset != 0;
	if (m->rollover > 0 || catalogue->n_fills == 0)
		return;
	m->fills = calloc(2 * catalogue->n_fills, sizeof(*m->fills));
	if (!m->fills) {
		walk->faults->no_memory = true;
		return;
	}
	for (size_t i = 0; i < catalogue->n_fills; i++) {
		const struct fill *fill = &catalogue->fills[i];
		add_fill(m, fill->value);
		if (scaled && fill->is_register)
			add_fill(m, fill->value * m->scale + m->offset);
	}
	m->from[CONFIG_RULE_FILLS] =
		data_at(walk, context, catalogue->fills_file, catalogue->fills_line);
}

void impossible_settle(struct walk *walk, const struct sites_context *context,
		       const config_setting_t *group, const struct config_site *site,
		       struct config_monitor *m)
{
	static const char *const keys[] = {"live_zero", "under_range"};
	const bool wanted[] = {m->live_zero, m->under_range};
	for (size_t i = 0; !m->has_range && i < COUNT(keys); i++)
		if (wanted[i])
			FAULT(walk, schema_key(group, keys[i]), "%s needs a range beside it",
			      keys[i]);
	if (!m->factor.unit || !m->unit)
		return;
	take_beside(walk, context, group, m, is_judged(site, m));
	if (!is_judged(site, m))
		return;
	take_dead(walk, context, group, site, m);
	take_most(walk, context, m);
	m->has_codes = m->rollover == 0 && context->config->n_codes > 0;
	if (m->has_codes)
		m->from[CONFIG_RULE_CODES] = data_at(walk, context, context->catalogue->codes_file,
						     context->catalogue->codes_line);
	take_fills(walk, context, m);
}
