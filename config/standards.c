/* SPDX-License-Identifier: Apache-2.0 */
#include "config/standards.h"
#include "config/checks.h"
#include "config/dates.h"
#include "config/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const averages[] = {"instant", "hour", "day", "day-8h", NULL};
static const char *const verdicts[] = {"alert", "case", NULL};
const char *const confidence_names[] = {"high", "medium", "low", NULL};

/* A row, and a table as what its rows have in common. */
#define AT(member) offsetof(struct standard_row, member)
#define SHARED(required_)                                                                          \
	{"classes", FIELD_TEXTS, .offset = AT(classes)},                                           \
		{"clause", FIELD_TEXT, .offset = AT(clause), .required = required_},               \
		{"average", FIELD_LATER, .offset = NOWHERE, .required = required_},                \
		{"opens", FIELD_LATER, .offset = NOWHERE, .required = required_},                  \
		{"from", FIELD_TEXT, .offset = AT(from), .required = required_,                    \
		 .check = check_date},                                                             \
		{"to", FIELD_TEXT, .offset = AT(to), .check = check_date},                         \
		{"source", FIELD_TEXT, .offset = AT(source), .required = required_},               \
	{                                                                                          \
		"confidence", FIELD_CHOICE, .offset = AT(confidence), .required = required_,       \
					    .choices = confidence_names                            \
	}
static const struct field table_fields[] = {
	SHARED(EVERY),
	{"limits", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema table_schema = {"a standard's table", NULL, table_fields,
					   COUNT(table_fields)};
static const struct field row_fields[] = {
	SHARED(0),
	{"factor", FIELD_TEXT, .offset = AT(factor), .required = EVERY, .check = check_factor},
	{"unit", FIELD_TEXT, .offset = AT(unit), .low = 0, .high = 32, .required = EVERY},
	{"condition", FIELD_TEXT, .offset = AT(condition)},
	{"usual_at", FIELD_TEXTS, .offset = AT(usual_at)},
	{"max", FIELD_LATER, .offset = NOWHERE},
	{"min", FIELD_LATER, .offset = NOWHERE},
};
static const struct schema row_schema = {"a standard's limit", NULL, row_fields, COUNT(row_fields)};
#undef AT

#define AT(member) offsetof(struct standard_absence, member)
static const struct field absence_fields[] = {
	{"factor", FIELD_TEXT, .offset = AT(factor), .required = EVERY, .check = check_factor},
	{"why", FIELD_TEXT, .offset = AT(why), .required = EVERY},
	{"source", FIELD_TEXT, .offset = AT(source), .required = EVERY},
};
#undef AT
static const struct schema absence_schema = {"an absent limit", NULL, absence_fields,
					     COUNT(absence_fields)};

#define AT(member) offsetof(struct standard, member)
static const struct field standard_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY},
	{"zh", FIELD_TEXT, .offset = AT(name_zh), .required = EVERY},
	{"en", FIELD_TEXT, .offset = AT(name_en), .required = EVERY},
	{"about", FIELD_TEXT, .offset = AT(about)},
	{"classes", FIELD_TEXTS, .offset = AT(classes), .required = EVERY},
	{"replaced_by", FIELD_TEXT, .offset = AT(replaced_by)},
	{"amended_on", FIELD_TEXT, .offset = AT(amended_on), .check = check_date},
	{"amendment", FIELD_TEXT, .offset = AT(amendment)},
	{"recommended", FIELD_BOOL, .offset = AT(recommended)},
	{"rounded_means", FIELD_BOOL, .offset = AT(rounded_means)},
	{"gas_kelvin", FIELD_NUMBER, .open = true, .offset = AT(gas_kelvin), .low = 200,
	 .high = 400},
	{"absent", FIELD_LATER, .offset = NOWHERE},
	{"tables", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
#undef AT
static const struct schema standard_schema = {"a standard", NULL, standard_fields,
					      COUNT(standard_fields)};

static const struct field file_fields[] = {
	{"standard", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema file_schema = {"a standard's file", NULL, file_fields, 1};

bool texts_hold(const struct texts *texts, const char *text)
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

struct standard *standards_find(const struct standards *standards, const char *name)
{
	for (size_t i = 0; i < standards->n; i++)
		if (same_name(standards->at[i].id, name))
			return &standards->at[i];
	return NULL;
}

/* --- reading --- */

struct reading_context {
	struct standards *standards;
	const struct catalogue *catalogue;
};

static bool is_list(const config_setting_t *setting)
{
	int type = config_setting_type(setting);
	return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
}

/* A number, or a list of them, one for each class. */
static void read_figures(struct walk *walk, const config_setting_t *group, const char *key,
			 double **out, size_t *n)
{
	const config_setting_t *setting = config_setting_get_member(group, key);
	if (!setting)
		return;
	*n = is_list(setting) ? (size_t)config_setting_length(setting) : 1;
	*out = calloc(*n + 1, sizeof(**out));
	if (!*out) {
		walk->faults->no_memory = true;
		*n = 0;
	}
	for (size_t i = 0; i < *n; i++) {
		const config_setting_t *at =
			is_list(setting) ? config_setting_get_elem(setting, (unsigned)i) : setting;
		if (!schema_number(at, &(*out)[i]))
			FAULT(walk, at, "%s must be a number, or a list of one for each class",
			      key);
	}
}

/* A word of @choices, or a list of them. */
static void read_words(struct walk *walk, const config_setting_t *group, const char *key,
		       const char *const *choices, int out[AVERAGES], size_t *n)
{
	const config_setting_t *setting = config_setting_get_member(group, key);
	if (!setting)
		return;
	size_t length = is_list(setting) ? (size_t)config_setting_length(setting) : 1;
	for (*n = 0; *n < length && *n < AVERAGES; ++*n) {
		const config_setting_t *at =
			is_list(setting) ? config_setting_get_elem(setting, (unsigned)*n) : setting;
		const char *text = schema_text(walk, at, 0, 100);
		int i = 0;
		while (text && choices[i] && strcmp(choices[i], text) != 0)
			i++;
		if (text && !choices[i])
			FAULT(walk, at, "%s \"%s\" is not known", key, text);
		out[*n] = i;
	}
}

static void read_lists(struct walk *walk, const config_setting_t *group, struct standard_row *row)
{
	read_words(walk, group, "average", averages, row->average, &row->n_average);
	read_words(walk, group, "opens", verdicts, row->opens, &row->n_opens);
}

static void inherit_text(struct walk *walk, char **text, const char *from)
{
	if (!*text)
		*text = schema_copy(walk, from);
}

static void inherit_texts(struct walk *walk, struct texts *texts, const struct texts *from)
{
	if (texts->n > 0 || from->n == 0)
		return;
	texts->at = calloc(from->n, sizeof(*texts->at));
	if (!texts->at) {
		walk->faults->no_memory = true;
		return;
	}
	for (; texts->n < from->n; texts->n++)
		texts->at[texts->n] = schema_copy(walk, from->at[texts->n]);
}

static void inherit(struct walk *walk, struct standard_row *row, const struct standard_row *table)
{
	inherit_text(walk, &row->clause, table->clause);
	inherit_text(walk, &row->from, table->from);
	inherit_text(walk, &row->to, table->to);
	inherit_text(walk, &row->source, table->source);
	inherit_texts(walk, &row->classes, &table->classes);
	if (row->n_average == 0 && row->n_opens == 0) {
		memcpy(row->average, table->average, sizeof(row->average));
		memcpy(row->opens, table->opens, sizeof(row->opens));
		row->n_average = table->n_average;
		row->n_opens = table->n_opens;
	}
	row->from_day = row->from ? date_days(row->from) : 0;
	row->to_day = row->to ? date_days(row->to) : 0;
}

static void check_figures(struct walk *walk, const config_setting_t *group, const char *key,
			  size_t n, size_t classes)
{
	if (n > 1 && n != classes)
		FAULT(walk, schema_key(group, key),
		      "%s has %zu figures for %zu classes; give one for each, or one for all", key,
		      n, classes);
}

static double figure(const double *figures, size_t n, size_t class)
{
	return n == 1 ? figures[0] : figures[class];
}

static void check_row(struct walk *walk, const config_setting_t *group,
		      const struct standard *standard, const struct standard_row *row)
{
	for (size_t i = 0; i < row->classes.n; i++)
		if (!texts_hold(&standard->classes, row->classes.at[i]))
			FAULT(walk, schema_key(group, "classes"),
			      "class \"%s\" is not one of the standard's", row->classes.at[i]);
	check_figures(walk, group, "max", row->n_max, row->classes.n);
	check_figures(walk, group, "min", row->n_min, row->classes.n);
	if (row->n_max == 0 && row->n_min == 0)
		FAULT(walk, group, "a standard's limit needs max or min");
	if (row->n_average != row->n_opens || row->n_average == 0)
		FAULT(walk, schema_key(group, "opens"),
		      "opens has to say one word for each average");
	if (row->usual_at.n > 0 && !row->condition)
		FAULT(walk, group, "usual_at stands only beside a condition");
	if (row->to_day > 0 && row->to_day < row->from_day)
		FAULT(walk, schema_key(group, "to"), "to = \"%s\" is before from = \"%s\"", row->to,
		      row->from);
}

static void check_bounds(struct walk *walk, const config_setting_t *group,
			 const struct standard_row *row)
{
	for (size_t i = 0; row->n_max > 0 && row->n_min > 0 && i < row->classes.n; i++)
		if (figure(row->max, row->n_max, i) <= figure(row->min, row->n_min, i))
			FAULT(walk, schema_key(group, "max"), "max must be above min");
}

static void check_factor_of(struct walk *walk, const config_setting_t *group,
			    const struct catalogue *catalogue, double kelvin,
			    const struct standard_row *row)
{
	const struct config_factor *factor = catalogue_find(catalogue, row->factor);
	struct conversion c;
	if (!factor) {
		FAULT(walk, schema_key(group, "factor"), "factor \"%s\" is not in the catalogue",
		      row->factor);
		return;
	}
	const struct gas gas = {factor->molar_g, kelvin};
	if (!unit_conversion(row->unit, factor->unit, &gas, &c) &&
	    (!factor->other_unit || !unit_conversion(row->unit, factor->other_unit, NULL, &c)))
		FAULT(walk, schema_key(group, "unit"), "unit \"%s\" cannot be converted to \"%s\"",
		      row->unit, factor->unit);
}

static struct standard_row *next_row(struct walk *walk, struct standard *standard)
{
	if (standard->n_rows == standard->room) {
		size_t room = standard->room ? 2 * standard->room : 64;
		struct standard_row *grown = realloc(standard->rows, room * sizeof(*grown));
		if (!grown) {
			walk->faults->no_memory = true;
			return NULL;
		}
		standard->rows = grown;
		standard->room = room;
	}
	struct standard_row *row = &standard->rows[standard->n_rows++];
	*row = (struct standard_row){0};
	return row;
}

static void read_row(struct walk *walk, const struct reading_context *context,
		     struct standard *standard, const struct standard_row *table,
		     const config_setting_t *group)
{
	struct standard_row *row = next_row(walk, standard);
	size_t before = walk->faults->list.n;
	if (!row)
		return;
	row->confidence = table->confidence;
	schema_read(walk, &row_schema, group, 0, row);
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return;
	read_figures(walk, group, "max", &row->max, &row->n_max);
	read_figures(walk, group, "min", &row->min, &row->n_min);
	read_lists(walk, group, row);
	inherit(walk, row, table);
	if (walk->faults->list.n > before || walk->faults->no_memory)
		return;
	check_row(walk, group, standard, row);
	if (walk->faults->list.n == before)
		check_bounds(walk, group, row);
	check_factor_of(walk, group, context->catalogue, standard->gas_kelvin, row);
}

static void free_row(struct standard_row *row)
{
	schema_free(&row_schema, row);
	free(row->max);
	free(row->min);
}

static void read_table(struct walk *walk, const struct reading_context *context,
		       struct standard *standard, const config_setting_t *group)
{
	struct standard_row table = {0};
	size_t before = walk->faults->list.n;
	schema_read(walk, &table_schema, group, 0, &table);
	if (config_setting_type(group) == CONFIG_TYPE_GROUP)
		read_lists(walk, group, &table);
	inherit_texts(walk, &table.classes, &standard->classes);
	size_t n = walk->faults->list.n == before ? schema_length(walk, group, "limits") : 0;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_row(walk, context, standard, &table, schema_element(group, "limits", i));
	schema_free(&table_schema, &table);
}

static void read_absent(struct walk *walk, struct standard *standard, const config_setting_t *group)
{
	size_t n = schema_length(walk, group, "absent");
	standard->absent = calloc(n + 1, sizeof(*standard->absent));
	if (!standard->absent)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && standard->absent; i++)
		schema_read(walk, &absence_schema, schema_element(group, "absent", i), 0,
			    &standard->absent[standard->n_absent++]);
}

static struct standard *next_standard(struct walk *walk, struct standards *standards)
{
	struct standard *grown =
		realloc(standards->at, (standards->n + 1) * sizeof(*standards->at));
	if (!grown) {
		walk->faults->no_memory = true;
		return NULL;
	}
	standards->at = grown;
	grown[standards->n] = (struct standard){0};
	return &grown[standards->n];
}

static void read_standard(void *context_, struct walk *walk)
{
	const struct reading_context *context = context_;
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	schema_read(walk, &file_schema, root, 0, NULL);
	const config_setting_t *group = config_setting_get_member(root, "standard");
	struct standard *standard = group ? next_standard(walk, context->standards) : NULL;
	if (!standard)
		return;
	schema_read(walk, &standard_schema, group, 0, standard);
	inherit_text(walk, &standard->id, "");
	if (standard->id && standards_find(context->standards, standard->id))
		FAULT(walk, schema_key(group, "id"), "standard \"%s\" exists in another file",
		      standard->id);
	if (!standard->amended_on != !standard->amendment)
		FAULT(walk, group, "amended_on and amendment stand together");
	context->standards->n++;
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return;
	read_absent(walk, standard, group);
	size_t n = schema_length(walk, group, "tables");
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_table(walk, context, standard, schema_element(group, "tables", i));
}

int standards_read(struct standards *standards, const struct catalogue *catalogue, const char *data,
		   const struct reader *reader, struct faults *faults)
{
	struct reading_context context = {standards, catalogue};
	return data_files(data, "standards", reader, faults, read_standard, &context);
}

void standards_deinit(struct standards *standards)
{
	for (size_t i = 0; i < standards->n; i++) {
		struct standard *standard = &standards->at[i];
		for (size_t k = 0; k < standard->n_rows; k++)
			free_row(&standard->rows[k]);
		for (size_t k = 0; k < standard->n_absent; k++)
			schema_free(&absence_schema, &standard->absent[k]);
		free(standard->rows);
		free(standard->absent);
		schema_free(&standard_schema, standard);
	}
	free(standards->at);
	*standards = (struct standards){0};
}
