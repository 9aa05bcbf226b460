/* SPDX-License-Identifier: Apache-2.0 */
/* What a `standard` entry of a limit stands for. */
#include "config/dates.h"
#include "config/standards.h"
#include "config/units.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MOST_SUCCESSORS = 8 };

/* A standard and those that replaced it, in order. */
struct chain {
	struct standard *at[MOST_SUCCESSORS];
	size_t n;
};

static struct chain chain_of(const struct standards *standards, struct standard *first)
{
	struct chain chain = {{first}, 1};
	const struct standard *last = first;
	while (last->replaced_by && chain.n < MOST_SUCCESSORS) {
		struct standard *next = standards_find(standards, last->replaced_by);
		if (!next)
			break;
		chain.at[chain.n++] = next;
		last = next;
	}
	return chain;
}

static bool has_average(const struct standard_row *row, int average)
{
	for (size_t i = 0; i < row->n_average; i++)
		if (average < 0 || row->average[i] == average)
			return true;
	return false;
}

static bool concerns(const struct standard_row *row, const struct standard_ask *ask)
{
	return strcmp(row->factor, ask->factor) == 0 &&
	       texts_hold(&row->classes, ask->class_name) && has_average(row, ask->average);
}

static bool condition_holds(const struct standard_row *row, const struct standard_ask *ask)
{
	if (!row->condition)
		return true;
	return ask->condition ? strcmp(ask->condition, row->condition) == 0
			      : texts_hold(&row->usual_at, ask->site_kind);
}

/* --- what is wrong --- */

static void no_such_standard(const struct standards *standards, struct walk *walk,
			     const config_setting_t *entry, const char *name)
{
	const char *names[30] = {"permit"};
	size_t n = 1;
	for (size_t i = 0; i < standards->n && n < COUNT(names); i++)
		names[n++] = standards->at[i].id;
	char *known = listed(names, n);
	FAULT(walk, schema_key(entry, "standard"),
	      "standard \"%s\" is not in the data; there are %s", name, known ? known : "others");
	free(known);
}

/* The classes that have a limit for the factor. */
static char *other_classes(const struct standard *standard, const struct standard_ask *ask)
{
	const char *names[30];
	size_t n = 0;
	for (size_t i = 0; i < standard->classes.n && n < COUNT(names); i++) {
		struct standard_ask other = *ask;
		bool some = false;
		other.class_name = standard->classes.at[i];
		for (size_t k = 0; k < standard->n_rows && !some; k++)
			some = concerns(&standard->rows[k], &other);
		if (some)
			names[n++] = other.class_name;
	}
	return listed(names, n);
}

static char *conditions(const struct chain *chain, const struct standard_ask *ask)
{
	const char *names[30];
	size_t n = 0;
	for (size_t i = 0; i < chain->n; i++)
		for (size_t k = 0; k < chain->at[i]->n_rows; k++) {
			const struct standard_row *row = &chain->at[i]->rows[k];
			bool before = !row->condition || !concerns(row, ask) || n == COUNT(names);
			for (size_t j = 0; j < n && !before; j++)
				before = strcmp(names[j], row->condition) == 0;
			if (!before)
				names[n++] = row->condition;
		}
	return listed(names, n);
}

static void no_class(const struct standard *standard, const struct standard_ask *ask,
		     struct walk *walk, const config_setting_t *entry)
{
	char *known = listed((const char *const *)standard->classes.at, standard->classes.n);
	FAULT(walk, schema_key(entry, "class"), "%s has no class \"%s\"; there are %s",
	      standard->id, ask->class_name, known ? known : "others");
	free(known);
}

static void no_factor(const struct standard *standard, const struct standard_ask *ask,
		      struct walk *walk, const config_setting_t *entry)
{
	const config_setting_t *at = schema_key(entry, "class");
	for (size_t i = 0; i < standard->n_absent; i++)
		if (strcmp(standard->absent[i].factor, ask->factor) == 0) {
			FAULT(walk, at, "%s has no limit for %s that can be judged here: %s",
			      standard->id, ask->factor, standard->absent[i].why);
			return;
		}
	char *known = other_classes(standard, ask);
	FAULT(walk, at, "%s class \"%s\" has no %slimit for %s; classes that have one: %s",
	      standard->id, ask->class_name, ask->average < 0 ? "" : "such ", ask->factor,
	      known ? known : "others");
	free(known);
}

static void no_condition(const struct chain *chain, const struct standard_ask *ask,
			 struct walk *walk, const config_setting_t *entry)
{
	char *known = conditions(chain, ask);
	if (known && strcmp(known, "none") == 0)
		FAULT(walk, schema_key(entry, "condition"),
		      "%s class \"%s\" limits %s without any condition; remove it",
		      chain->at[0]->id, ask->class_name, ask->factor);
	else
		FAULT(walk, ask->condition ? schema_key(entry, "condition") : entry,
		      "%s class \"%s\" limits %s under conditions only; set condition to one of %s",
		      chain->at[0]->id, ask->class_name, ask->factor, known ? known : "others");
	free(known);
}

static bool may_bind(const struct standard *standard, const struct standard_ask *ask,
		     struct walk *walk, const config_setting_t *entry)
{
	if (standard->recommended && !ask->cited_by)
		FAULT(walk, entry,
		      "%s is a recommended standard, which binds only where a permit cites it; "
		      "name "
		      "the permit with cited_by",
		      standard->id);
	else if (!standard->recommended && ask->cited_by)
		FAULT(walk, schema_key(entry, "cited_by"),
		      "cited_by is for recommended standards, and %s binds by itself; remove it",
		      standard->id);
	else
		return true;
	return false;
}

/* --- what is worth knowing --- */

static void say_once(struct walk *walk, const config_setting_t *entry, struct standard *standard,
		     struct standard_row *row)
{
	const config_setting_t *at = schema_key(entry, "standard");
	if (row->confidence != CONFIDENCE_HIGH && !row->said)
		NOTE(walk, at,
		     "the figure of %s, %s for %s is of %s confidence (%s); check it against the "
		     "published text",
		     standard->id, row->clause, row->factor, confidence_names[row->confidence],
		     row->source);
	row->said = true;
	if (standard->amendment && !standard->amendment_said)
		NOTE(walk, at, "%s was amended on %s: %s", standard->id, standard->amended_on,
		     standard->amendment);
	standard->amendment_said = true;
}

/* --- the limits --- */

static size_t class_of(const struct standard_row *row, const char *class_name)
{
	size_t i = 0;
	while (strcmp(row->classes.at[i], class_name) != 0)
		i++;
	return i;
}

static void print_figures(FILE *out, const struct standard_row *row, size_t class)
{
	char text[32];
	if (row->min)
		fputs(number_text(row->min[row->n_min == 1 ? 0 : class], text), out);
	if (row->min && row->max)
		fputs(" to ", out);
	if (row->max)
		fputs(number_text(row->max[row->n_max == 1 ? 0 : class], text), out);
	fprintf(out, " %s", row->unit);
}

/* Standard, class, clause and condition; the figure where it stands there in another unit. */
static char *source_text(const struct standard *standard, const struct standard_row *row,
			 const struct standard_ask *ask)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fprintf(out, "%s %s, %s", standard->id, ask->class_name, row->clause);
	if (row->condition)
		fprintf(out, ", %s", row->condition);
	if (strcmp(row->unit, ask->unit) != 0) {
		fputs(", ", out);
		print_figures(out, row, class_of(row, ask->class_name));
	}
	if (ask->cited_by)
		fprintf(out, ", cited by permit %s", ask->cited_by);
	if (row->confidence == CONFIDENCE_LOW)
		fputs(" (figure not confirmed)", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static bool unit_agrees(const struct standard *standard, const struct standard_row *row,
			const struct standard_ask *ask, struct walk *walk,
			const config_setting_t *entry, struct conversion *c)
{
	const struct gas gas = {ask->molar_g, standard->gas_kelvin};
	if (unit_conversion(row->unit, ask->unit, &gas, c))
		return true;
	FAULT(walk, schema_key(entry, "standard"),
	      "%s limits %s in \"%s\", and the monitor's unit is \"%s\"; set its unit, or state "
	      "the "
	      "limit with max or min",
	      standard->id, ask->factor, row->unit, ask->unit);
	return false;
}

static int later(int a, int b)
{
	return a > b ? a : b;
}

static int earlier_end(int a, int b)
{
	return a == 0 ? b : b == 0 ? a : a < b ? a : b;
}

static bool add(struct walk *walk, struct standard_limit **out, size_t *n,
		struct standard_limit limit)
{
	struct standard_limit *grown = realloc(*out, (*n + 1) * sizeof(*grown));
	if (grown)
		*out = grown;
	if (!grown || !limit.limit.source) {
		free(limit.limit.source);
		walk->faults->no_memory = true;
		return false;
	}
	grown[(*n)++] = limit;
	return true;
}

static struct config_limit limit_of(const struct standard *standard, const struct standard_row *row,
				    const struct standard_ask *ask, const struct conversion *c)
{
	size_t class = class_of(row, ask->class_name);
	return (struct config_limit){
		.has_max = row->max != NULL,
		.has_min = row->min != NULL,
		.max = row->max ? conversion_level(c, row->max[row->n_max == 1 ? 0 : class]) : 0,
		.min = row->min ? conversion_level(c, row->min[row->n_min == 1 ? 0 : class]) : 0,
		.derived = !c->exact,
		.from_day = later(row->from_day, ask->from_day),
		.to_day = earlier_end(row->to_day, ask->to_day),
		.source = source_text(standard, row, ask),
	};
}

static bool add_row(struct standard *standard, struct standard_row *row,
		    const struct standard_ask *ask, struct walk *walk,
		    const config_setting_t *entry, struct standard_limit **out, size_t *n)
{
	struct conversion c;
	if (!unit_agrees(standard, row, ask, walk, entry, &c))
		return false;
	say_once(walk, entry, standard, row);
	for (size_t i = 0; i < row->n_average; i++) {
		if (ask->average >= 0 && row->average[i] != ask->average)
			continue;
		struct standard_limit found = {limit_of(standard, row, ask, &c), row->unit,
					       standard->rounded_means};
		found.limit.average = (enum config_average)row->average[i];
		found.limit.opens = row->opens[i];
		if (found.limit.to_day > 0 && found.limit.from_day > found.limit.to_day)
			free(found.limit.source);
		else if (!add(walk, out, n, found))
			return false;
	}
	return true;
}

/* The choice among conditions is whole when some limit holds, and one with a condition if any has.
 */
static bool choice_is_made(const struct chain *chain, const struct standard_ask *ask, bool *some)
{
	bool conditional = false, chosen = false;
	*some = false;
	for (size_t i = 0; i < chain->n; i++)
		for (size_t k = 0; k < chain->at[i]->n_rows; k++) {
			const struct standard_row *row = &chain->at[i]->rows[k];
			if (!concerns(row, ask))
				continue;
			*some = true;
			conditional = conditional || row->condition;
			chosen = chosen || (row->condition && condition_holds(row, ask));
		}
	return conditional ? chosen : !ask->condition;
}

bool standards_expand(struct standards *standards, const struct standard_ask *ask,
		      struct walk *walk, const config_setting_t *entry, struct standard_limit **out,
		      size_t *n)
{
	struct standard *standard = standards_find(standards, ask->standard);
	bool some;
	if (!standard) {
		no_such_standard(standards, walk, entry, ask->standard);
		return false;
	}
	struct chain chain = chain_of(standards, standard);
	bool made = choice_is_made(&chain, ask, &some);
	if (!texts_hold(&standard->classes, ask->class_name))
		no_class(standard, ask, walk, entry);
	else if (!some)
		no_factor(standard, ask, walk, entry);
	else if (!made)
		no_condition(&chain, ask, walk, entry);
	else if (may_bind(standard, ask, walk, entry))
		for (size_t i = 0; i < chain.n; i++)
			for (size_t k = 0; k < chain.at[i]->n_rows; k++) {
				struct standard_row *row = &chain.at[i]->rows[k];
				if (concerns(row, ask) && condition_holds(row, ask) &&
				    !add_row(chain.at[i], row, ask, walk, entry, out, n))
					return false;
			}
	return *n > 0;
}
