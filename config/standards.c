/* SPDX-License-Identifier: Apache-2.0 */
#include "config/standards.h"
#include "config/checks.h"
#include "config/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const averages[] = {"instant", "hour", "day", NULL};
static const char *const verdicts[] = {"alert", "case", NULL};
static const char *const confidences[] = {"high", "medium", "low", NULL};

#define AT(member) offsetof(struct standard_limit, member)
static const struct field limit_fields[] = {
	{"factor", FIELD_TEXT, .offset = AT(factor), .required = EVERY, .check = check_factor},
	{"unit", FIELD_TEXT, .offset = AT(unit), .low = 0, .high = 32, .required = EVERY},
	{"classes", FIELD_TEXTS, .offset = AT(classes)},
	{"condition", FIELD_TEXT, .offset = AT(condition)},
	{"usual", FIELD_BOOL, .offset = AT(usual)},
	{"max", FIELD_NUMBER, .offset = AT(max)},
	{"min", FIELD_NUMBER, .offset = AT(min)},
	{"average", FIELD_CHOICE, .offset = AT(average), .required = EVERY, .choices = averages},
	{"opens", FIELD_CHOICE, .offset = AT(opens), .required = EVERY, .choices = verdicts},
	{"from", FIELD_TEXT, .offset = AT(from), .required = EVERY, .check = check_date},
	{"to", FIELD_TEXT, .offset = AT(to), .check = check_date},
	{"table", FIELD_TEXT, .offset = AT(table), .required = EVERY},
	{"source", FIELD_TEXT, .offset = AT(source), .required = EVERY},
	{"confidence", FIELD_CHOICE, .offset = AT(confidence), .required = EVERY,
	 .choices = confidences},
};
#undef AT
static const struct schema limit_schema = {"a standard's limit", NULL, limit_fields,
					   COUNT(limit_fields)};

#define AT(member) offsetof(struct standard, member)
static const struct field standard_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY},
	{"zh", FIELD_TEXT, .offset = AT(name_zh), .required = EVERY},
	{"en", FIELD_TEXT, .offset = AT(name_en), .required = EVERY},
	{"about", FIELD_TEXT, .offset = AT(about)},
	{"classes", FIELD_TEXTS, .offset = AT(classes), .required = EVERY},
	{"limits", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
#undef AT
static const struct schema standard_schema = {"a standard", NULL, standard_fields,
					      COUNT(standard_fields)};

static const struct field file_fields[] = {
	{"standard", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema file_schema = {"a standard's file", NULL, file_fields, 1};

static bool is_in(const struct texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strcmp(texts->at[i], text) == 0)
			return true;
	return false;
}

/* "GB 18918-2002" and "gb18918-2002" are the same standard. */
static bool same_name(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, " ");
		b += strspn(b, " ");
		if (strncasecmp(a, b, 1) != 0)
			return false;
		if (*a == '\0')
			return true;
	}
}

static struct standard *find_standard(const struct standards *standards, const char *name)
{
	for (size_t i = 0; i < standards->n; i++)
		if (same_name(standards->at[i].id, name))
			return &standards->at[i];
	return NULL;
}

static struct standard_limit *next_limit(struct standard *standard)
{
	if (standard->n_limits == standard->room) {
		size_t room = standard->room ? 2 * standard->room : 128;
		struct standard_limit *grown = realloc(standard->limits, room * sizeof(*grown));
		if (!grown)
			return NULL;
		standard->limits = grown;
		standard->room = room;
	}
	struct standard_limit *limit = &standard->limits[standard->n_limits++];
	*limit = (struct standard_limit){0};
	return limit;
}

static void read_limit(struct walk *walk, struct standard *standard, const config_setting_t *group)
{
	struct standard_limit *limit = next_limit(standard);
	if (!limit) {
		walk->faults->no_memory = true;
		return;
	}
	schema_read(walk, &limit_schema, group, 0, limit);
	limit->has_max = schema_has(group, "max");
	limit->has_min = schema_has(group, "min");
	if (!limit->has_max && !limit->has_min)
		FAULT(walk, group, "a standard's limit needs max or min");
	if (limit->usual && !limit->condition)
		FAULT(walk, group, "usual stands only beside a condition");
	for (size_t i = 0; i < limit->classes.n; i++)
		if (!is_in(&standard->classes, limit->classes.at[i]))
			FAULT(walk, schema_key(group, "classes"),
			      "class \"%s\" is not one of the standard's", limit->classes.at[i]);
}

static void read_limits(struct walk *walk, struct standard *standard, const config_setting_t *group)
{
	size_t n = schema_length(walk, group, "limits");
	for (size_t i = 0; i < n; i++)
		read_limit(walk, standard, schema_element(group, "limits", i));
}

static void read_standard(void *context, struct walk *walk)
{
	struct standards *standards = context;
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	schema_read(walk, &file_schema, root, 0, NULL);
	const config_setting_t *group = config_setting_get_member(root, "standard");
	struct standard *grown =
		realloc(standards->at, (standards->n + 1) * sizeof(*standards->at));
	if (!grown)
		walk->faults->no_memory = true;
	if (grown)
		standards->at = grown;
	if (!grown || !group)
		return;
	struct standard *standard = &grown[standards->n];
	*standard = (struct standard){0};
	schema_read(walk, &standard_schema, group, 0, standard);
	if (!standard->id)
		standard->id = schema_copy(walk, "");
	if (standard->id && find_standard(standards, standard->id))
		FAULT(walk, schema_key(group, "id"), "standard \"%s\" exists in another file",
		      standard->id);
	standards->n++;
	if (config_setting_type(group) == CONFIG_TYPE_GROUP)
		read_limits(walk, standard, group);
}

int standards_read(struct standards *standards, const char *data, const struct reader *reader,
		   struct faults *faults)
{
	time_t now = time(NULL);
	struct tm civil;
	gmtime_r(&now, &civil);
	strftime(standards->today, sizeof(standards->today), "%Y-%m-%d", &civil);
	return data_files(data, "standards", reader, faults, read_standard, standards);
}

void standards_deinit(struct standards *standards)
{
	for (size_t i = 0; i < standards->n; i++) {
		struct standard *standard = &standards->at[i];
		for (size_t k = 0; k < standard->n_limits; k++)
			schema_free(&limit_schema, &standard->limits[k]);
		free(standard->limits);
		schema_free(&standard_schema, standard);
	}
	free(standards->at);
	*standards = (struct standards){0};
}

static bool holds_for(const struct standard_limit *limit, const struct standard_ask *ask)
{
	return strcmp(limit->factor, ask->factor) == 0 &&
	       (limit->classes.n == 0 || is_in(&limit->classes, ask->class_name)) &&
	       (ask->average < 0 || ask->average == limit->average);
}

static bool condition_holds(const struct standard_limit *limit, const struct standard_ask *ask)
{
	if (!limit->condition)
		return true;
	return ask->condition ? strcmp(ask->condition, limit->condition) == 0 : limit->usual;
}

static bool in_force(const struct standard_limit *limit, const char *today)
{
	return strcmp(limit->from, today) <= 0 && (!limit->to || strcmp(today, limit->to) <= 0);
}

static char *source_text(const struct standard *standard, const struct standard_limit *limit,
			 const struct standard_ask *ask)
{
	char *text;
	int n = asprintf(&text, "%s %s, %s%s%s", standard->id, ask->class_name, limit->table,
			 limit->condition ? ", " : "", limit->condition ? limit->condition : "");
	return n < 0 ? NULL : text;
}

static struct config_limit converted(const struct standard *standard,
				     const struct standard_limit *limit,
				     const struct standard_ask *ask)
{
	struct conversion c;
	unit_conversion(limit->unit, ask->unit, NULL, &c);
	return (struct config_limit){
		.has_max = limit->has_max,
		.has_min = limit->has_min,
		.max = limit->has_max ? conversion_level(&c, limit->max) : 0,
		.min = limit->has_min ? conversion_level(&c, limit->min) : 0,
		.derived = !c.exact,
		.average = (enum config_average)limit->average,
		.opens = limit->opens,
		.source = source_text(standard, limit, ask),
	};
}

static void no_such_standard(const struct standards *standards, struct walk *walk,
			     const config_setting_t *entry, const char *name)
{
	const char *names[30];
	size_t n = 0;
	for (; n < standards->n && n < COUNT(names); n++)
		names[n] = standards->at[n].id;
	char *known = listed(names, n);
	FAULT(walk, schema_key(entry, "standard"),
	      "standard \"%s\" is not in the data; there are %s", name, known ? known : "others");
	free(known);
}

/* The classes (or, in a known class, the conditions) that have a limit for the factor. */
static char *alternatives(const struct standard *standard, const struct standard_ask *ask,
			  bool conditions)
{
	const char *names[30];
	size_t n = 0;
	for (size_t i = 0; !conditions && i < standard->classes.n && n < COUNT(names); i++) {
		struct standard_ask other = *ask;
		other.class_name = standard->classes.at[i];
		bool some = false;
		for (size_t k = 0; k < standard->n_limits && !some; k++)
			some = holds_for(&standard->limits[k], &other);
		if (some)
			names[n++] = other.class_name;
	}
	for (size_t k = 0; conditions && k < standard->n_limits && n < COUNT(names); k++) {
		const struct standard_limit *limit = &standard->limits[k];
		bool listed_before = false;
		for (size_t i = 0; i < n && limit->condition; i++)
			listed_before = listed_before || strcmp(names[i], limit->condition) == 0;
		if (limit->condition && !listed_before && holds_for(limit, ask))
			names[n++] = limit->condition;
	}
	return listed(names, n);
}

enum miss { MISS_CLASS, MISS_FACTOR, MISS_CONDITION, MISS_DATE };

static void no_limit(const struct standard *standard, const struct standard_ask *ask,
		     struct walk *walk, const config_setting_t *entry, enum miss miss,
		     const char *today)
{
	const config_setting_t *at =
		schema_key(entry, miss == MISS_CONDITION && ask->condition ? "condition" : "class");
	char *others = miss == MISS_CLASS ? listed((const char *const *)standard->classes.at,
						   standard->classes.n)
					  : alternatives(standard, ask, miss == MISS_CONDITION);
	const char *there = others ? others : "others";
	if (miss == MISS_CLASS)
		FAULT(walk, at, "%s has no class \"%s\"; there are %s", standard->id,
		      ask->class_name, there);
	else if (miss == MISS_FACTOR)
		FAULT(walk, at, "%s class \"%s\" has no %slimit for %s; classes that have one: %s",
		      standard->id, ask->class_name, ask->average < 0 ? "" : "such ", ask->factor,
		      there);
	else if (miss == MISS_CONDITION)
		FAULT(walk, at,
		      "%s class \"%s\" limits %s under conditions only; set condition to one of %s",
		      standard->id, ask->class_name, ask->factor, there);
	else
		FAULT(walk, at,
		      "%s class \"%s\" has a limit for %s, but none in force on %s: a gap in the "
		      "data, state the limit with max or min",
		      standard->id, ask->class_name, ask->factor, today);
	free(others);
}

static bool add_limit(struct config_limit **out, size_t *n, struct config_limit limit)
{
	struct config_limit *grown = realloc(*out, (*n + 1) * sizeof(*grown));
	if (!grown || !limit.source) {
		*out = grown ? grown : *out;
		free(limit.source);
		return false;
	}
	*out = grown;
	grown[(*n)++] = limit;
	return true;
}

static bool units_agree(const struct standard_limit *limit, const struct standard_ask *ask,
			struct walk *walk, const config_setting_t *entry)
{
	struct conversion c;
	if (unit_conversion(limit->unit, ask->unit, NULL, &c))
		return true;
	FAULT(walk, schema_key(entry, "standard"),
	      "%s limits %s in \"%s\", and the monitor's unit is \"%s\"; set its unit, or state "
	      "the "
	      "limit with max or min",
	      ask->standard, ask->factor, limit->unit, ask->unit);
	return false;
}

bool standards_expand(const struct standards *standards, const struct standard_ask *ask,
		      struct walk *walk, const config_setting_t *entry, struct config_limit **out,
		      size_t *n)
{
	const struct standard *standard = find_standard(standards, ask->standard);
	if (!standard) {
		no_such_standard(standards, walk, entry, ask->standard);
		return false;
	}
	enum miss miss = is_in(&standard->classes, ask->class_name) ? MISS_FACTOR : MISS_CLASS;
	for (size_t i = 0; miss != MISS_CLASS && i < standard->n_limits; i++) {
		const struct standard_limit *limit = &standard->limits[i];
		if (!holds_for(limit, ask))
			continue;
		miss = miss == MISS_FACTOR ? MISS_CONDITION : miss;
		if (!condition_holds(limit, ask))
			continue;
		miss = MISS_DATE;
		if (!in_force(limit, standards->today))
			continue;
		if (!units_agree(limit, ask, walk, entry))
			return false;
		if (!add_limit(out, n, converted(standard, limit, ask)))
			walk->faults->no_memory = true;
	}
	if (*n == 0)
		no_limit(standard, ask, walk, entry, miss, standards->today);
	return *n > 0;
}
