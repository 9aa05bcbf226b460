/* SPDX-License-Identifier: Apache-2.0 */
#include "config/limits.h"
#include "config/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry { /* as written */
	struct config_limit limit;
	int compare, average;
	char *standard, *class_name, *condition, *unit;
};

static const char *const averages[] = {"instant", "hour", "day", NULL};
static const char *const verdicts[] = {"alert", "case", NULL};
static const char *const compares[] = {"full", "rounded", NULL};

#define ENTRY(member) offsetof(struct entry, member)
#define LIMIT(member) offsetof(struct entry, limit.member)
#define YEAR_S 31622400.0

static const struct field fields[] = {
	{"standard", FIELD_TEXT, .offset = ENTRY(standard)},
	{"class", FIELD_TEXT, .offset = ENTRY(class_name)},
	{"condition", FIELD_TEXT, .offset = ENTRY(condition)},
	{"max", FIELD_NUMBER, .offset = LIMIT(max)},
	{"min", FIELD_NUMBER, .offset = LIMIT(min)},
	{"unit", FIELD_TEXT, .offset = ENTRY(unit), .low = 0, .high = 32},
	{"average", FIELD_CHOICE, .offset = ENTRY(average), .choices = averages},
	{"deadband", FIELD_NUMBER, .offset = LIMIT(deadband), .low = 0, .high = 1e15},
	{"on_delay_s", FIELD_NUMBER, .offset = LIMIT(on_delay_s), .low = 0, .high = YEAR_S},
	{"off_delay_s", FIELD_NUMBER, .offset = LIMIT(off_delay_s), .low = 0, .high = YEAR_S},
	{"on_count", FIELD_INT, .offset = LIMIT(on_count), .low = 0, .high = 100000},
	{"off_count", FIELD_INT, .offset = LIMIT(off_count), .low = 0, .high = 100000},
	{"warn_at", FIELD_NUMBER, .open = true, .offset = LIMIT(warn_at), .low = 0, .high = 1},
	{"opens", FIELD_CHOICE, .offset = LIMIT(opens), .choices = verdicts},
	{"decimals", FIELD_INT, .offset = LIMIT(decimals), .low = 0, .high = 9},
	{"compare", FIELD_CHOICE, .offset = ENTRY(compare), .choices = compares},
	{"grace_s", FIELD_NUMBER, .offset = LIMIT(grace_s), .low = 0, .high = 604800},
	{"min_valid", FIELD_NUMBER, .offset = LIMIT(min_valid), .low = 0, .high = 1},
	{"source", FIELD_TEXT, .offset = LIMIT(source), .low = 1, .high = 200},
};
static const struct schema schema = {"a limit", NULL, fields, sizeof(fields) / sizeof(fields[0])};

static void check_instant_keys(struct walk *walk, const config_setting_t *group)
{
	static const char *const keys[] = {"on_delay_s", "off_delay_s", "deadband"};
	for (size_t i = 0; i < 3; i++)
		if (schema_has(group, keys[i]))
			FAULT(walk, schema_key(group, keys[i]),
			      "%s does not apply to a mean; use on_count and off_count, which "
			      "count "
			      "windows, or average = \"instant\"",
			      keys[i]);
}

static void check_warning(struct walk *walk, const config_setting_t *group,
			  const struct config_limit *limit)
{
	if (limit->warn_at == 0)
		return;
	const config_setting_t *at = schema_key(group, "warn_at");
	char text[32];
	number_text(limit->warn_at, text);
	if ((limit->has_max && limit->max <= 0) || (limit->has_min && limit->min <= 0))
		FAULT(walk, at, "warn_at = %s is a share of the limit, which must then be above 0",
		      text);
	else if (limit->has_max && limit->has_min &&
		 limit->max * limit->warn_at <= limit->min / limit->warn_at)
		FAULT(walk, at,
		      "warn_at = %s leaves nothing between max and min that would not warn; "
		      "take a larger share",
		      text);
}

/* core keeps 8 windows of a limit open: the one that runs, those in their grace and one to spare.
 */
static void check_grace(struct walk *walk, const config_setting_t *group,
			const struct config_limit *limit)
{
	double most = limit->average == CONFIG_DAY ? 6 * 86400.0 : 6 * 3600.0;
	char given[32], longest[32];
	number_text(limit->grace_s, given);
	number_text(most, longest);
	if (limit->average != CONFIG_INSTANT && limit->grace_s > most)
		FAULT(walk, schema_key(group, "grace_s"),
		      "grace_s = %s is longer than 6 windows; at most %s for a mean of the %s",
		      given, longest, limit->average == CONFIG_DAY ? "day" : "hour");
}

static void check_bounds(struct walk *walk, const config_setting_t *group,
			 const struct config_limit *limit)
{
	char max[32], min[32], band[32];
	number_text(limit->max, max);
	number_text(limit->min, min);
	number_text(limit->deadband, band);
	if (!limit->has_max || !limit->has_min)
		return;
	if (limit->max <= limit->min)
		FAULT(walk, schema_key(group, "max"), "max = %s must be above min = %s", max, min);
	else if (limit->max - limit->deadband < limit->min + limit->deadband)
		FAULT(walk, schema_key(group, "deadband"),
		      "deadband = %s leaves nothing between min = %s and max = %s that would "
		      "clear; "
		      "take a smaller one",
		      band, min, max);
}

static bool append(struct walk *walk, struct config_monitor *monitor, struct config_limit limit)
{
	struct config_limit *grown =
		realloc(monitor->limits, (monitor->n_limits + 1) * sizeof(*grown));
	if (grown)
		monitor->limits = grown;
	if (!grown || !limit.source) {
		free(limit.source);
		walk->faults->no_memory = true;
		return false;
	}
	grown[monitor->n_limits++] = limit;
	return true;
}

/* Bounds and deadband as the entry's own unit says them become the monitor's. */
static void convert_own(struct walk *walk, const config_setting_t *group, const char *unit,
			const struct config_monitor *monitor, struct config_limit *limit)
{
	struct conversion c;
	if (!unit_conversion(unit, monitor->unit, NULL, &c)) {
		FAULT(walk, schema_key(group, "unit"),
		      "unit \"%s\" cannot be converted to \"%s\", the unit of the monitor", unit,
		      monitor->unit);
		return;
	}
	limit->max = conversion_level(&c, limit->max);
	limit->min = conversion_level(&c, limit->min);
	limit->deadband = conversion_size(&c, limit->deadband);
	limit->derived = !c.exact;
}

/* Decimals count in the unit of the limit, the catalogue's in that of the catalogue. */
static void settle_decimals(struct walk *walk, const config_setting_t *group, const char *unit,
			    const struct config_monitor *monitor, struct config_limit *limit)
{
	struct conversion c;
	const char *from = schema_has(group, "decimals") ? unit : monitor->factor.unit;
	if (!limit->rounded || !unit_conversion(from, monitor->unit, NULL, &c))
		return;
	if (!c.exact)
		FAULT(walk, schema_key(group, "compare"),
		      "rounding to decimals of \"%s\" means nothing in \"%s\", the unit of the "
		      "monitor",
		      from, monitor->unit);
	limit->decimals -= c.exponent;
	if (limit->decimals > 9)
		limit->decimals = 9;
	if (limit->decimals < -9)
		limit->decimals = -9;
}

static void add_own(struct walk *walk, const config_setting_t *group, struct entry *entry,
		    struct config_monitor *monitor)
{
	struct config_limit *limit = &entry->limit;
	limit->average = (enum config_average)entry->average;
	limit->has_max = schema_has(group, "max");
	limit->has_min = schema_has(group, "min");
	if (!limit->has_max && !limit->has_min)
		FAULT(walk, group, "a limit needs max, min, or standard and class");
	if (schema_has(group, "class") || schema_has(group, "condition"))
		FAULT(walk, schema_key(group, schema_has(group, "class") ? "class" : "condition"),
		      "class and condition stand only beside standard");
	if (limit->average != CONFIG_INSTANT)
		check_instant_keys(walk, group);
	if (entry->unit && monitor->unit)
		convert_own(walk, group, entry->unit, monitor, limit);
	if (monitor->unit)
		settle_decimals(walk, group, entry->unit ? entry->unit : monitor->unit, monitor,
				limit);
	check_bounds(walk, group, limit);
	check_warning(walk, group, limit);
	check_grace(walk, group, limit);
	if (!limit->source)
		limit->source = schema_copy(walk, "configuration");
	append(walk, monitor, *limit);
	limit->source = NULL;
}

/*
 * What the entry says goes over what the standard's data say, except the bounds. Delays and
 * deadband are for instant limits, and so are counts where the standard has both instant limits and
 * means.
 */
static struct config_limit merged(const struct entry *entry, const struct config_limit *from,
				  bool some_instant)
{
	struct config_limit limit = entry->limit;
	limit.has_max = from->has_max;
	limit.has_min = from->has_min;
	limit.max = from->max;
	limit.min = from->min;
	limit.average = from->average;
	limit.source = from->source;
	if (limit.opens < 0)
		limit.opens = from->opens;
	if (limit.average != CONFIG_INSTANT) {
		limit.deadband = limit.on_delay_s = limit.off_delay_s = 0;
		if (some_instant)
			limit.on_count = limit.off_count = 0;
	}
	return limit;
}

static void add_expanded(struct walk *walk, const config_setting_t *group,
			 const struct entry *entry, const struct config_limit *limits, size_t n,
			 struct config_monitor *monitor)
{
	bool instant = false, faulty = false;
	for (size_t i = 0; i < n; i++)
		instant = instant || limits[i].average == CONFIG_INSTANT;
	for (size_t i = 0; i < n; i++) {
		struct config_limit limit = merged(entry, &limits[i], instant);
		size_t before = walk->faults->list.n;
		if (!faulty) {
			check_bounds(walk, group, &limit);
			check_warning(walk, group, &limit);
			check_grace(walk, group, &limit);
		}
		faulty = faulty || walk->faults->list.n > before;
		append(walk, monitor, limit);
	}
	if (!instant)
		check_instant_keys(walk, group);
}

static void add_standard(struct walk *walk, const struct standards *standards,
			 const config_setting_t *group, const struct entry *entry,
			 struct config_monitor *monitor)
{
	const char *own = schema_has(group, "max")      ? "max"
			  : schema_has(group, "min")    ? "min"
			  : schema_has(group, "source") ? "source"
			  : schema_has(group, "unit")   ? "unit"
							: NULL;
	if (own)
		FAULT(walk, schema_key(group, own),
		      "%s cannot stand beside standard; use two entries", own);
	if (!schema_has(group, "class"))
		FAULT(walk, group, "key \"class\" is missing beside standard");
	if (own || !entry->standard || !entry->class_name || !standards || !monitor->factor.code)
		return;
	struct standard_ask ask = {
		.standard = entry->standard,
		.class_name = entry->class_name,
		.condition = entry->condition,
		.average = schema_has(group, "average") ? entry->average : -1,
		.factor = monitor->factor.code,
		.unit = monitor->unit,
	};
	struct config_limit *limits = NULL;
	size_t n = 0;
	if (standards_expand(standards, &ask, walk, group, &limits, &n)) {
		add_expanded(walk, group, entry, limits, n, monitor);
	} else {
		for (size_t i = 0; i < n; i++)
			free(limits[i].source);
	}
	free(limits);
}

static void read_limit(struct walk *walk, const struct standards *standards,
		       const config_setting_t *group, struct config_monitor *monitor)
{
	struct entry entry = {
		.limit = {.opens = -1,
			  .decimals = monitor->factor.decimals,
			  .grace_s = 60,
			  .min_valid = 0.75},
	};
	size_t before = walk->faults->list.n;
	schema_read(walk, &schema, group, 0, &entry);
	entry.limit.rounded = entry.compare == 1;
	if (walk->faults->list.n == before && schema_has(group, "standard"))
		add_standard(walk, standards, group, &entry, monitor);
	else if (walk->faults->list.n == before)
		add_own(walk, group, &entry, monitor);
	schema_free(&schema, &entry);
}

size_t limits_read(struct walk *walk, const struct standards *standards,
		   const config_setting_t *group, struct config_monitor *monitor)
{
	size_t n = schema_length(walk, group, "limits");
	for (size_t i = 0; i < n; i++)
		read_limit(walk, standards, schema_element(group, "limits", i), monitor);
	return n;
}
