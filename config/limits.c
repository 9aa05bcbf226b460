/* SPDX-License-Identifier: Apache-2.0 */
#include "config/limits.h"
#include "config/checks.h"
#include "config/dates.h"
#include "config/origin.h"
#include "config/reach.h"
#include "config/timeline.h"
#include "config/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry { /* as written */
	struct config_limit limit;
	int compare, average, weight, mean_of;
	char *standard, *class_name, *condition, *unit, *cited_by, *number;
	char *from, *to, *valid_from, *valid_to, *mark_until;
	enum origin origin;
	const config_setting_t *group;
};

static const char *const averages[] = {"instant", "hour", "day", "day-8h", NULL};
static const char *const verdicts[] = {"alert", "case", NULL};
static const char *const compares[] = {"full", "rounded", NULL};
static const char *const weights[] = {"none", "flow", NULL};
static const char *const means_of[] = {"readings", "results", NULL};

const char *check_mark_until(const char *text)
{
	return minute_of_day(text) >= 0 ? NULL : "use a time of the next day, such as 12:00";
}

#define ENTRY(member) offsetof(struct entry, member)
#define LIMIT(member) offsetof(struct entry, limit.member)
#define YEAR_S 31622400.0

static const struct field fields[] = {
	{"standard", FIELD_TEXT, .offset = ENTRY(standard)},
	{"class", FIELD_TEXT, .offset = ENTRY(class_name)},
	{"condition", FIELD_TEXT, .offset = ENTRY(condition)},
	{"cited_by", FIELD_TEXT, .offset = ENTRY(cited_by), .low = 1, .high = 100},
	{"number", FIELD_TEXT, .offset = ENTRY(number), .low = 1, .high = 100},
	{"valid_from", FIELD_TEXT, .offset = ENTRY(valid_from), .check = check_date},
	{"valid_to", FIELD_TEXT, .offset = ENTRY(valid_to), .check = check_date},
	{"from", FIELD_TEXT, .offset = ENTRY(from), .check = check_date},
	{"to", FIELD_TEXT, .offset = ENTRY(to), .check = check_date},
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
	{"mark_until", FIELD_TEXT, .offset = ENTRY(mark_until), .check = check_mark_until},
	{"min_valid", FIELD_NUMBER, .offset = LIMIT(min_valid), .low = 0, .high = 1},
	{"weight", FIELD_CHOICE, .offset = ENTRY(weight), .choices = weights},
	{"mean_of", FIELD_CHOICE, .offset = ENTRY(mean_of), .choices = means_of},
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

/* Keys of means stand idle, or are a mistake, where the entry has none. */
static void check_mean_keys(struct walk *walk, const config_setting_t *group)
{
	static const char *const keys[] = {"weight", "mean_of"};
	for (size_t i = 0; i < 2; i++)
		if (schema_has(group, keys[i]))
			FAULT(walk, schema_key(group, keys[i]),
			      "%s applies to means alone; add average = \"hour\" or \"day\"",
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

/* Core keeps open the window that runs, those in their grace and one to spare: 8 windows of a mean,
 * the hours of 3 days for the largest of 8 hours. */
static void check_grace(struct walk *walk, const config_setting_t *group,
			const struct config_limit *limit)
{
	static const struct {
		double most;
		const char *windows, *mean;
	} graces[] = {[CONFIG_HOUR] = {6 * 3600.0, "6 windows", "a mean of the hour"},
		      [CONFIG_DAY] = {6 * 86400.0, "6 windows", "a mean of the day"},
		      [CONFIG_DAY_8H] = {86400.0, "a day", "the day's largest mean of 8 hours"}};
	double most = graces[limit->average].most;
	char given[32], longest[32];
	if (limit->average != CONFIG_INSTANT && limit->grace_s > most)
		FAULT(walk, schema_key(group, "grace_s"),
		      "grace_s = %s is longer than %s; at most %s for %s",
		      number_text(limit->grace_s, given), graces[limit->average].windows,
		      number_text(most, longest), graces[limit->average].mean);
}

/* The largest of a day's moving means is what an upper bound is for, and each hour counts alike. */
static void check_eight(struct walk *walk, const config_setting_t *group,
			const struct config_limit *limit)
{
	if (limit->average != CONFIG_DAY_8H)
		return;
	if (limit->has_min)
		FAULT(walk, schema_key(group, "min"),
		      "min says nothing of a day's largest mean of 8 hours; give max, or another "
		      "average");
	if (limit->by_flow)
		FAULT(walk, schema_key(group, "weight"),
		      "weight does not apply to average = \"day-8h\", of which each hour counts "
		      "alike");
}

static void check_bounds(struct walk *walk, const config_setting_t *group,
			 const struct config_limit *limit)
{
	char max[32], min[32], band[32];
	if (!limit->has_max || !limit->has_min)
		return;
	if (limit->max <= limit->min)
		FAULT(walk, schema_key(group, "max"), "max = %s must be above min = %s",
		      number_text(limit->max, max), number_text(limit->min, min));
	else if (limit->max - limit->deadband < limit->min + limit->deadband)
		FAULT(walk, schema_key(group, "deadband"),
		      "deadband = %s leaves nothing between min = %s and max = %s that would "
		      "clear; take a smaller one",
		      number_text(limit->deadband, band), number_text(limit->min, min),
		      number_text(limit->max, max));
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

/* Which keys belong to which kind of entry; the others to all. */
static void check_place(struct walk *walk, const struct entry *entry)
{
	enum {
		OWN = 1u << ORIGIN_OWN,
		STANDARD = 1u << ORIGIN_STANDARD,
		PERMIT = 1u << ORIGIN_PERMIT
	};
	static const struct {
		const char *key;
		unsigned at;
	} places[] = {{"class", STANDARD},      {"condition", STANDARD}, {"cited_by", STANDARD},
		      {"number", PERMIT},       {"valid_from", PERMIT},  {"valid_to", PERMIT},
		      {"from", OWN | STANDARD}, {"to", OWN | STANDARD},  {"source", OWN},
		      {"max", OWN | PERMIT},    {"min", OWN | PERMIT},   {"unit", OWN | PERMIT}};
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const config_setting_t *at = schema_key(entry->group, places[i].key);
		if (!schema_has(entry->group, places[i].key) ||
		    (places[i].at & 1u << entry->origin) != 0)
			continue;
		if (entry->origin == ORIGIN_STANDARD)
			FAULT(walk, at, "%s cannot stand beside standard; use two entries",
			      places[i].key);
		else if (entry->origin == ORIGIN_PERMIT)
			FAULT(walk, at, "%s cannot stand beside standard = \"permit\"",
			      places[i].key);
		else
			FAULT(walk, at, "%s stands only beside standard%s", places[i].key,
			      places[i].at == PERMIT ? " = \"permit\"" : "");
	}
}

static void check_needs(struct walk *walk, const struct entry *entry)
{
	static const char *const of_permit[] = {"number", "valid_from", "valid_to"};
	for (size_t i = 0; entry->origin == ORIGIN_PERMIT && i < 3; i++)
		if (!schema_has(entry->group, of_permit[i]))
			FAULT(walk, entry->group,
			      "key \"%s\" is missing beside standard = \"permit\"", of_permit[i]);
	if (entry->origin == ORIGIN_STANDARD && !schema_has(entry->group, "class"))
		FAULT(walk, entry->group, "key \"class\" is missing beside standard");
	if (entry->origin != ORIGIN_STANDARD && !schema_has(entry->group, "max") &&
	    !schema_has(entry->group, "min"))
		FAULT(walk, entry->group, "a limit needs max, min, or standard and class");
}

static void check_dates(struct walk *walk, struct entry *entry)
{
	bool permit = entry->origin == ORIGIN_PERMIT;
	const char *from = permit ? entry->valid_from : entry->from;
	const char *to = permit ? entry->valid_to : entry->to;
	entry->limit.from_day = from ? date_days(from) : 0;
	entry->limit.to_day = to ? date_days(to) : 0;
	if (to && entry->limit.to_day < entry->limit.from_day)
		FAULT(walk, schema_key(entry->group, permit ? "valid_to" : "to"),
		      "%s = \"%s\" is before %s = \"%s\"", permit ? "valid_to" : "to", to,
		      permit ? "valid_from" : "from", from);
}

/* "permit 91530000…", "configuration", or what the entry says. */
static char *own_source(struct walk *walk, struct entry *entry)
{
	char *text = NULL;
	if (entry->origin == ORIGIN_PERMIT && asprintf(&text, "permit %s", entry->number) < 0)
		walk->faults->no_memory = true;
	else if (entry->origin == ORIGIN_OWN)
		text = schema_copy(walk,
				   entry->limit.source ? entry->limit.source : "configuration");
	return text;
}

/* As the standards' data do: what is judged at once alerts, what is judged by the day opens a case.
 */
static int permit_opens(const struct config_limit *limit)
{
	return limit->opens >= 0 ? limit->opens : limit->average >= CONFIG_DAY;
}

static void add_own(struct walk *walk, struct entry *entry, const struct config_monitor *monitor,
		    struct timeline *timeline)
{
	const config_setting_t *group = entry->group;
	struct timed_limit timed = {entry->limit, entry->origin, group};
	struct config_limit *limit = &timed.limit;
	limit->has_max = schema_has(group, "max");
	limit->has_min = schema_has(group, "min");
	if (limit->average != CONFIG_INSTANT)
		check_instant_keys(walk, group);
	else
		check_mean_keys(walk, group);
	if (limit->average != CONFIG_INSTANT && monitor->factor.no_mean)
		NOTE(walk, schema_key(group, "average"),
		     "%s is judged value by value, and a mean of it hides what was out of bounds",
		     monitor->factor.name_en);
	check_eight(walk, group, limit);
	if (entry->origin == ORIGIN_PERMIT)
		limit->opens = permit_opens(limit);
	if (entry->unit && monitor->unit)
		convert_own(walk, group, entry->unit, monitor, limit);
	if (monitor->unit)
		settle_decimals(walk, group, entry->unit ? entry->unit : monitor->unit, monitor,
				limit);
	if (schema_has(group, "decimals") && !limit->rounded)
		NOTE(walk, schema_key(group, "decimals"),
		     "decimals is without effect where the full value is compared; compare = "
		     "\"rounded\" rounds to them");
	check_bounds(walk, group, limit);
	check_warning(walk, group, limit);
	check_grace(walk, group, limit);
	limit->source = own_source(walk, entry);
	timeline_add(walk, timeline, &timed);
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
	limit.derived = from->derived;
	limit.average = from->average;
	limit.from_day = from->from_day;
	limit.to_day = from->to_day;
	limit.source = from->source;
	if (limit.opens < 0)
		limit.opens = from->opens;
	if (limit.average == CONFIG_INSTANT)
		limit.of_results = false;
	if (limit.average == CONFIG_INSTANT || limit.average == CONFIG_DAY_8H)
		limit.by_flow = false;
	if (limit.average != CONFIG_INSTANT) {
		limit.deadband = limit.on_delay_s = limit.off_delay_s = 0;
		if (some_instant)
			limit.on_count = limit.off_count = 0;
	}
	return limit;
}

static void check_expanded(struct walk *walk, const struct entry *entry,
			   const struct standard_limit *from, const struct config_monitor *monitor,
			   struct config_limit *limit)
{
	check_bounds(walk, entry->group, limit);
	check_warning(walk, entry->group, limit);
	check_grace(walk, entry->group, limit);
	settle_decimals(walk, entry->group, from->unit, monitor, limit);
}

static void add_expanded(struct walk *walk, const struct entry *entry,
			 const struct standard_limit *found, size_t n,
			 const struct config_monitor *monitor, struct timeline *timeline)
{
	bool instant = false, means = false, faulty = false;
	for (size_t i = 0; i < n; i++)
		instant = instant || found[i].limit.average == CONFIG_INSTANT;
	for (size_t i = 0; i < n; i++) {
		struct timed_limit timed = {merged(entry, &found[i].limit, instant),
					    ORIGIN_STANDARD, entry->group};
		size_t before = walk->faults->list.n;
		if (!faulty)
			check_expanded(walk, entry, &found[i], monitor, &timed.limit);
		faulty = faulty || walk->faults->list.n > before;
		means = means || !found[i].rounded_means;
		timeline_add(walk, timeline, &timed);
	}
	if (!instant)
		check_instant_keys(walk, entry->group);
	if (entry->limit.rounded && means)
		NOTE(walk, schema_key(entry->group, "compare"),
		     "%s has the full value compared; rounding it first may hide an exceedance",
		     entry->standard);
}

static void add_standard(struct walk *walk, const struct limits_context *context,
			 const struct entry *entry, const struct config_monitor *monitor,
			 struct timeline *timeline)
{
	struct standard_ask ask = {
		.standard = entry->standard,
		.class_name = entry->class_name,
		.condition = entry->condition,
		.cited_by = entry->cited_by,
		.site_kind = context->site_kind,
		.average = schema_has(entry->group, "average") ? (int)entry->limit.average : -1,
		.from_day = entry->limit.from_day,
		.to_day = entry->limit.to_day,
		.factor = monitor->factor.code,
		.unit = monitor->unit,
		.molar_g = monitor->factor.molar_g,
	};
	struct standard_limit *found = NULL;
	size_t n = 0;
	if (!context->standards || !monitor->factor.code || !monitor->unit)
		return;
	if (standards_expand(context->standards, &ask, walk, entry->group, &found, &n)) {
		add_expanded(walk, entry, found, n, monitor, timeline);
	} else {
		for (size_t i = 0; i < n; i++)
			free(found[i].limit.source);
	}
	free(found);
}

/* A flow-weighted mean needs the monitor of the flow beside it. */
static void check_flow(struct walk *walk, const config_setting_t *group, const struct entry *entry)
{
	const config_setting_t *monitor = config_setting_parent(config_setting_parent(group));
	const config_setting_t *list = config_setting_parent(monitor);
	const char *flow = site_flow_factor(config_setting_parent(list));
	if (entry->weight == 0 || entry->limit.average == CONFIG_DAY_8H)
		return;
	for (int i = 0; i < config_setting_length(list); i++) {
		const char *factor =
			schema_peek(config_setting_get_elem(list, (unsigned)i), "factor");
		if (factor != NULL && strcmp(factor, flow) == 0)
			return;
	}
	FAULT(walk, schema_key(group, "weight"),
	      "weight = \"flow\" needs a monitor of the flow, factor \"%s\", at this site; name "
	      "another by flow_factor",
	      flow);
}

const char *site_flow_factor(const config_setting_t *site)
{
	const config_setting_t *gate = config_setting_get_member(site, "flow_gate");
	const char *own = schema_peek(site, "flow_factor");
	if (own == NULL && gate != NULL)
		own = schema_peek(gate, "factor");
	return own != NULL ? own : "w00000";
}

/* The entry's own, else that of the site, for means of the day. */
static void read_mark_until(struct walk *walk, struct entry *entry)
{
	const config_setting_t *monitor =
		config_setting_parent(config_setting_parent(entry->group));
	const config_setting_t *site = config_setting_parent(config_setting_parent(monitor));
	const char *text =
		entry->mark_until != NULL ? entry->mark_until : schema_peek(site, "mark_until");
	bool others = schema_has(entry->group, "average") || entry->standard == NULL ||
		      strcmp(entry->standard, "permit") == 0;
	if (text != NULL && minute_of_day(text) > 0)
		entry->limit.mark_until_min = minute_of_day(text);
	if (entry->mark_until != NULL && others && entry->limit.average != CONFIG_DAY)
		FAULT(walk, schema_key(entry->group, "mark_until"),
		      "mark_until applies to means of the day alone; add average = \"day\"");
}

static enum origin origin_of(const struct entry *entry)
{
	if (!entry->standard)
		return ORIGIN_OWN;
	return strcmp(entry->standard, "permit") == 0 ? ORIGIN_PERMIT : ORIGIN_STANDARD;
}

static void read_limit(struct walk *walk, const struct limits_context *context,
		       const config_setting_t *group, const struct config_monitor *monitor,
		       struct timeline *timeline)
{
	struct entry entry = {
		.limit = {.opens = -1,
			  .decimals = monitor->factor.decimals,
			  .grace_s = 60,
			  .min_valid = 0.75},
		.group = group,
	};
	size_t before = walk->faults->list.n;
	schema_read(walk, &schema, group, 0, &entry);
	entry.limit.rounded = entry.compare == 1;
	entry.limit.average = (enum config_average)entry.average;
	entry.limit.by_flow = entry.weight == 1;
	entry.limit.of_results = entry.mean_of == 1;
	check_flow(walk, group, &entry);
	read_mark_until(walk, &entry);
	entry.origin = origin_of(&entry);
	if (walk->faults->list.n == before) {
		check_place(walk, &entry);
		check_needs(walk, &entry);
		check_dates(walk, &entry);
	}
	if (walk->faults->list.n == before && entry.origin == ORIGIN_STANDARD)
		add_standard(walk, context, &entry, monitor, timeline);
	else if (walk->faults->list.n == before)
		add_own(walk, &entry, monitor, timeline);
	schema_free(&schema, &entry);
}

/* Where each rule of a limit comes from; what does not hold for a mean is not its own. */
static void trace(struct walk *walk, const struct timed_limit *timed, struct config_limit *limit)
{
	static const char *const keys[CONFIG_LIMIT_RULES] = {
		NULL,        "average",   "on_delay_s", "off_delay_s", "deadband", "on_count",
		"off_count", "warn_at",   "opens",      "compare",     "weight",   "mean_of",
		"grace_s",   "min_valid", "mark_until", "decimals"};
	const config_setting_t *monitor =
		config_setting_parent(config_setting_parent(timed->entry));
	const config_setting_t *site = config_setting_parent(config_setting_parent(monitor));
	struct config_origin *from = limit->from;
	from[CONFIG_RULE_DECIMALS].whence = CONFIG_DATA;
	from[CONFIG_RULE_BOUNDS] = origin_said(walk, timed->entry);
	if (timed->origin == ORIGIN_STANDARD) {
		from[CONFIG_RULE_BOUNDS].whence = CONFIG_STANDARD;
		from[CONFIG_RULE_AVERAGE] = from[CONFIG_RULE_OPENS] = from[CONFIG_RULE_BOUNDS];
	}
	if (limit->average == CONFIG_DAY && schema_has(site, "mark_until"))
		from[CONFIG_RULE_MARK_UNTIL] = origin_said(walk, schema_key(site, "mark_until"));
	origins_of_keys(walk, timed->entry, keys, CONFIG_LIMIT_RULES, from);
}

/* The monitor takes over what the timeline holds. */
static void take(struct walk *walk, struct timeline *timeline, struct config_monitor *monitor)
{
	monitor->limits = timeline->n > 0 ? calloc(timeline->n, sizeof(*monitor->limits)) : NULL;
	if (timeline->n > 0 && !monitor->limits) {
		walk->faults->no_memory = true;
		return;
	}
	for (; monitor->n_limits < timeline->n; monitor->n_limits++) {
		const struct timed_limit *timed = &timeline->at[monitor->n_limits];
		monitor->limits[monitor->n_limits] = timed->limit;
		trace(walk, timed, &monitor->limits[monitor->n_limits]);
		reach_check(walk, timed->entry, monitor, &timed->limit);
	}
	timeline->n = 0;
}

/* An instrument whose range is many times the limit reads a healthy effluent as a flat line. */
static void check_range(struct walk *walk, const config_setting_t *group,
			const struct config_monitor *monitor)
{
	const double times = 5;
	char top[32], max[32];
	for (size_t i = 0; monitor->has_range && i < monitor->n_limits; i++) {
		const struct config_limit *limit = &monitor->limits[i];
		if (!limit->has_max || limit->max <= 0 || monitor->range_high <= times * limit->max)
			continue;
		NOTE(walk, schema_key(group, "range"),
		     "range reaches to %s, over %.0f times the limit of %s (%s): equal values are "
		     "then no sign of a fault",
		     number_text(monitor->range_high, top), times, number_text(limit->max, max),
		     limit->source);
		return;
	}
}

size_t limits_read(struct walk *walk, const struct limits_context *context,
		   const config_setting_t *group, struct config_monitor *monitor)
{
	struct timeline timeline = {0};
	size_t n = schema_length(walk, group, "limits"), before = walk->faults->list.n;
	for (size_t i = 0; i < n; i++)
		read_limit(walk, context, schema_element(group, "limits", i), monitor, &timeline);
	if (walk->faults->list.n == before && !walk->faults->no_memory) {
		timeline_prefer_permits(walk, &timeline);
		timeline_check(walk, &timeline, context->dates);
	}
	take(walk, &timeline, monitor);
	check_range(walk, group, monitor);
	timeline_deinit(&timeline);
	return n;
}
