/* SPDX-License-Identifier: Apache-2.0 */
#include "config/classes.h"
#include "config/units.h"

#include <string.h>

#define STANDARD "GB3838-2002"

/* Total nitrogen and faecal coliforms do not decide the class (环办〔2011〕22号); temperature has
 * no row of limits. */
static bool left_out(const char *factor)
{
	return strcmp(factor, "w21001") == 0 || strcmp(factor, "w02003") == 0;
}

/* Rivers and lakes have limits of their own for phosphorus. */
static bool row_holds(const struct standard_row *row, const char *factor, const char *water)
{
	return strcmp(row->factor, factor) == 0 && row->classes.n == CONFIG_CLASSES &&
	       (!row->condition || strcmp(row->condition, water) == 0);
}

static void take_figures(double *out, const struct conversion *c, const double *figures, size_t n)
{
	for (size_t i = 0; i < CONFIG_CLASSES; i++)
		out[i] = conversion_level(c, n == 1 ? figures[0] : figures[i]);
}

static void take_row(struct config_monitor *m, const struct standard_row *row)
{
	struct conversion c;
	if (!unit_conversion(row->unit, m->unit, NULL, &c))
		return;
	m->classed = true;
	m->class_has_max = row->n_max > 0;
	m->class_has_min = row->n_min > 0;
	if (m->class_has_max)
		take_figures(m->class_max, &c, row->max, row->n_max);
	if (m->class_has_min)
		take_figures(m->class_min, &c, row->min, row->n_min);
}

static void settle_monitor(const struct standard *standard, const char *water,
			   struct config_monitor *m)
{
	if (!m->factor.code || !m->unit || left_out(m->factor.code))
		return;
	for (size_t i = 0; i < standard->n_rows && !m->classed; i++)
		if (row_holds(&standard->rows[i], m->factor.code, water))
			take_row(m, &standard->rows[i]);
}

void classes_settle(struct walk *walk, const struct standards *standards,
		    const config_setting_t *group, struct config_site *site)
{
	const struct standard *standard =
		standards == NULL ? NULL : standards_find(standards, STANDARD);
	bool river = site->kind == CONFIG_RIVER_SECTION, source = site->kind == CONFIG_WATER_SOURCE;
	if (!river && !source) {
		const char *key = schema_has(group, "target_class") ? "target_class" : "water_body";
		if (schema_has(group, key))
			FAULT(walk, schema_key(group, key),
			      "%s stands only at a river_section or a water_source", key);
		return;
	}
	if (standard == NULL || (source && site->target_class == 0))
		return;
	bool lake = schema_has(group, "water_body") ? site->lake : source;
	for (size_t i = 0; i < site->n_monitors; i++)
		settle_monitor(standard, lake ? "lake" : "river", &site->monitors[i]);
}
