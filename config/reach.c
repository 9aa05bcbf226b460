/* SPDX-License-Identifier: Apache-2.0 */
#include "config/reach.h"

#include "config/checks.h"
#include "config/units.h"

#include <math.h>

/* Of water there is no less than nothing of most factors; temperatures go on below 0, and of others
 * nobody says. In the monitor's unit. */
static double least_there_is(const struct config_monitor *m)
{
	const struct config_factor *f = &m->factor;
	struct conversion c;
	bool from_nothing = f->drift > 0 || f->zero_beside || (f->has_dead && f->dead_at >= 0);
	if (!from_nothing || !m->unit || !unit_conversion(f->unit, m->unit, NULL, &c))
		return -INFINITY;
	return conversion_level(&c, f->has_dead ? fmax(f->dead_at, 0) : 0);
}

static double most_there_is(const struct config_monitor *m)
{
	const struct config_factor *f = &m->factor;
	struct conversion c;
	if (!f->has_most || !m->unit || !unit_conversion(f->unit, m->unit, NULL, &c))
		return INFINITY;
	return conversion_level(&c, f->most);
}

static void check_raised(struct walk *walk, const config_setting_t *entry,
			 const struct config_monitor *m, const struct config_limit *l)
{
	char end[32], bound[32];
	if (l->has_max && m->range_high <= l->max)
		NOTE(walk, schema_key(entry, "max"),
		     "range ends at %s, so that no value that counts is above max = %s (%s), and "
		     "nothing is ever raised; set range to what the instrument shows, or lower max",
		     number_text(m->range_high, end), number_text(l->max, bound), l->source);
	if (l->has_min && m->range_low >= l->min)
		NOTE(walk, schema_key(entry, "min"),
		     "range begins at %s, so that no value that counts is below min = %s (%s), and "
		     "nothing is ever raised; set range to what the instrument shows, or raise min",
		     number_text(m->range_low, end), number_text(l->min, bound), l->source);
}

static void check_cleared(struct walk *walk, const config_setting_t *entry,
			  const struct config_monitor *m, const struct config_limit *l)
{
	double least = fmax(least_there_is(m), m->has_range ? m->range_low : -INFINITY);
	double most = fmin(most_there_is(m), m->has_range ? m->range_high : INFINITY);
	char band[32], bound[32];
	if (l->has_max && digits12(l->max - l->deadband) < least)
		NOTE(walk, schema_key(entry, "deadband"),
		     "deadband = %s leaves no value at or below max = %s less deadband, so that "
		     "what "
		     "is raised is never cleared; lower deadband",
		     number_text(l->deadband, band), number_text(l->max, bound));
	if (l->has_min && digits12(l->min + l->deadband) > most)
		NOTE(walk, schema_key(entry, "deadband"),
		     "deadband = %s leaves no value at or above min = %s plus deadband, so that "
		     "what "
		     "is raised is never cleared; lower deadband",
		     number_text(l->deadband, band), number_text(l->min, bound));
}

void reach_check(struct walk *walk, const config_setting_t *entry,
		 const struct config_monitor *monitor, const struct config_limit *limit)
{
	if (monitor->has_range)
		check_raised(walk, entry, monitor, limit);
	if (limit->deadband > 0)
		check_cleared(walk, entry, monitor, limit);
}
