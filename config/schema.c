/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

#include "config/checks.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX_BYTES 4096

static const char *type_name(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "an integer";
	case CONFIG_TYPE_FLOAT:
		return "a number";
	case CONFIG_TYPE_STRING:
		return "a text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	default:
		return "a list ( )";
	}
}

struct label {
	char text[80];
};

/* The key, or "an element of key" in a list. */
static struct label label_of(const config_setting_t *setting)
{
	struct label label;
	const char *name = config_setting_name(setting);
	const config_setting_t *list = name ? NULL : config_setting_parent(setting);
	const char *key = list ? config_setting_name(list) : NULL;
	snprintf(label.text, sizeof(label.text), "%s%s",
		 name  ? ""
		 : key ? "an element of "
		       : "an element",
		 name  ? name
		 : key ? key
		       : "");
	return label;
}

static void wrong_type(struct walk *walk, const config_setting_t *setting, const char *wanted)
{
	FAULT(walk, setting, "%s is %s, and must be %s", label_of(setting).text, type_name(setting),
	      wanted);
}

char *schema_copy(struct walk *walk, const char *text)
{
	char *copy = text ? strdup(text) : NULL;
	if (text && !copy)
		walk->faults->no_memory = true;
	return copy;
}

bool schema_number(const config_setting_t *setting, double *value)
{
	int type = config_setting_type(setting);
	if (type == CONFIG_TYPE_FLOAT)
		*value = config_setting_get_float(setting);
	else if (type == CONFIG_TYPE_INT)
		*value = config_setting_get_int(setting);
	else if (type == CONFIG_TYPE_INT64)
		*value = (double)config_setting_get_int64(setting);
	else
		return false;
	return isfinite(*value);
}

/* Return: false where it is no whole number. 50.0 counts as 50. */
static bool whole(const config_setting_t *setting, int64_t *value)
{
	double number;
	if (config_setting_type(setting) == CONFIG_TYPE_INT64) {
		*value = config_setting_get_int64(setting);
		return true;
	}
	if (!schema_number(setting, &number) || number < -9e15 || number > 9e15)
		return false;
	*value = (int64_t)number;
	return (double)*value == number;
}

static void out_of_range(struct walk *walk, const struct field *field,
			 const config_setting_t *setting, double value)
{
	char text[32], low[32], high[32];
	const char *excluded = field->open ? " (the ends excluded)" : "";
	number_text(value, text);
	number_text(field->low, low);
	number_text(field->high, high);
	if (field->high >= 9e15)
		FAULT(walk, setting, "%s = %s is out of range, %s %s%s", field->name, text,
		      field->open ? "more than" : "at least", low, "");
	else
		FAULT(walk, setting, "%s = %s is out of range, %s to %s%s", field->name, text, low,
		      high, excluded);
}

static bool in_range(struct walk *walk, const struct field *field, const config_setting_t *setting,
		     double value)
{
	if (field->low == field->high || (value > field->low && value < field->high) ||
	    (!field->open && (value == field->low || value == field->high)))
		return true;
	out_of_range(walk, field, setting, value);
	return false;
}

static bool read_whole(struct walk *walk, const struct field *field,
		       const config_setting_t *setting, void *at)
{
	int64_t value;
	if (!whole(setting, &value)) {
		double number;
		char text[32];
		if (schema_number(setting, &number))
			FAULT(walk, setting, "%s = %s must be a whole number", field->name,
			      number_text(number, text));
		else
			wrong_type(walk, setting, "an integer");
		return false;
	}
	if (!in_range(walk, field, setting, (double)value))
		return false;
	if (at && field->type == FIELD_INT)
		*(int *)at = (int)value;
	else if (at)
		*(int64_t *)at = value;
	return true;
}

static bool read_number(struct walk *walk, const struct field *field,
			const config_setting_t *setting, void *at)
{
	double value;
	if (!schema_number(setting, &value)) {
		wrong_type(walk, setting, "a number");
		return false;
	}
	if (!in_range(walk, field, setting, value))
		return false;
	if (at)
		*(double *)at = value;
	return true;
}

static bool read_bool(struct walk *walk, const config_setting_t *setting, void *at)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL) {
		wrong_type(walk, setting, "true or false");
		return false;
	}
	if (at)
		*(bool *)at = config_setting_get_bool(setting);
	return true;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

const char *schema_text(struct walk *walk, const config_setting_t *setting, double low, double high)
{
	const char *text = config_setting_get_string(setting);
	if (config_setting_type(setting) != CONFIG_TYPE_STRING || !text) {
		wrong_type(walk, setting, "a text in \" \"");
		return NULL;
	}
	size_t length = strlen(text);
	if (!scan_utf8(text, length))
		FAULT(walk, setting, "%s is not valid UTF-8; save the file as UTF-8",
		      label_of(setting).text);
	else if (has_control(text))
		FAULT(walk, setting,
		      "%s holds a control character; write it as plain text on one line",
		      label_of(setting).text);
	else if ((double)length < low)
		FAULT(walk, setting, "%s is empty; give it a text", label_of(setting).text);
	else if ((double)length > high)
		FAULT(walk, setting, "%s is %zu bytes long; at most %.0f are allowed",
		      label_of(setting).text, length, high);
	else
		return text;
	return NULL;
}

static const char *field_text(struct walk *walk, const struct field *field,
			      const config_setting_t *setting)
{
	double high = field->high > 0 ? field->high : 1000, low = field->high > 0 ? field->low : 1;
	const char *text = schema_text(walk, setting, low, high);
	const char *right = text && field->check ? field->check(text) : NULL;
	if (!right)
		return text;
	int said = check_sayable(text);
	FAULT(walk, setting, "%s = \"%.*s%s\" is not right: %s", label_of(setting).text, said, text,
	      text[said] == '\0' ? "" : "…", right);
	return NULL;
}

static bool keep(struct walk *walk, void *at, const char *text)
{
	if (at && text) {
		free(*(char **)at);
		*(char **)at = schema_copy(walk, text);
	}
	return text;
}

static size_t count(const char *const *names)
{
	size_t n = 0;
	while (names[n])
		n++;
	return n;
}

static void unknown_choice(struct walk *walk, const config_setting_t *setting, const char *kind,
			   const char *text, const char *const *names, size_t n)
{
	const char *near = nearest(text, names, n);
	char *known = listed(names, n);
	if (near)
		FAULT(walk, setting, "%s \"%s\" is not known; did you mean \"%s\"?", kind, text,
		      near);
	else
		FAULT(walk, setting, "%s \"%s\" is not known; known are %s", kind, text,
		      known ? known : "others");
	free(known);
}

static bool read_choice(struct walk *walk, const struct field *field,
			const config_setting_t *setting, void *at)
{
	const char *text = schema_text(walk, setting, 0, 1000);
	if (!text)
		return false;
	size_t n = count(field->choices);
	for (size_t i = 0; i < n; i++)
		if (strcmp(field->choices[i], text) == 0) {
			if (at)
				*(int *)at = (int)i;
			return true;
		}
	unknown_choice(walk, setting, field->name, text, field->choices, n);
	return false;
}

static bool read_feature(struct walk *walk, const struct field *field,
			 const config_setting_t *setting, void *at)
{
	const char *text = schema_text(walk, setting, 0, 1000);
	const char *names[16];
	size_t n = 0;
	for (size_t i = 0; text && i < n_features; i++) {
		if (strcmp(features[i].kind, field->feature) != 0)
			continue;
		if (strcmp(features[i].name, text) == 0)
			return keep(walk, at, text);
		names[n++] = features[i].name;
	}
	if (text)
		unknown_choice(walk, setting, field->feature, text, names, n);
	return false;
}

static bool add_text(struct walk *walk, struct texts *texts, const char *text)
{
	char **grown = realloc(texts->at, (texts->n + 1) * sizeof(*grown));
	char *copy = schema_copy(walk, text);
	if (grown)
		texts->at = grown;
	if (grown && copy) {
		texts->at[texts->n++] = copy;
		return true;
	}
	free(copy);
	walk->faults->no_memory = true;
	return false;
}

bool schema_texts(struct walk *walk, const struct field *field, const config_setting_t *setting,
		  struct texts *at)
{
	int type = config_setting_type(setting);
	if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY) {
		wrong_type(walk, setting, "a list of texts, such as (\"a\", \"b\")");
		return false;
	}
	bool good = true;
	int n = config_setting_length(setting);
	for (int i = 0; i < n; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		const char *text = field_text(walk, field, element);
		good = text && (!at || add_text(walk, at, text)) && good;
	}
	return good;
}

/* $CREDENTIALS_DIRECTORY first, then beside the configuration. NULL: no memory. */
static char *find_file(struct walk *walk, const char *name, char **text, size_t *length, int *error)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	if (folder && name[0] != '/') {
		char *path = reader_join(folder, name);
		*error = path ? reader_read(walk->reader, path, text, length) : -ENOMEM;
		if (*error == 0 || *error == -ENOMEM)
			return path;
		free(path);
	}
	char *path = reader_beside(walk->file, name);
	*error = path ? reader_read(walk->reader, path, text, length) : -ENOMEM;
	return path;
}

/* A secret is the file's text without the line end that editors leave. */
static const char *secret_fault(char *text, size_t length)
{
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	if (length == 0)
		return "is empty; it is to hold the secret alone";
	if (length > SECRET_MAX_BYTES || strlen(text) != length || has_control(text))
		return "is not one line of text; it is to hold the secret alone";
	return NULL;
}

static bool read_named_file(struct walk *walk, const struct field *field,
			    const config_setting_t *setting, void *at)
{
	const char *name = field_text(walk, field, setting);
	if (!name)
		return false;
	char *text = NULL;
	size_t length = 0;
	int error;
	char *path = find_file(walk, name, &text, &length, &error);
	const char *fault = NULL;
	if (error == -ENOMEM)
		walk->faults->no_memory = true;
	else if (error)
		FAULT(walk, setting,
		      "%s = \"%s\" cannot be read: %s; it is looked for in $CREDENTIALS_DIRECTORY "
		      "and as %s",
		      field->name, name, strerror(-error), path);
	else if (field->type == FIELD_SECRET && (fault = secret_fault(text, length)))
		FAULT(walk, setting, "%s = \"%s\": %s %s", field->name, name, path, fault);
	bool good = !error && !fault && keep(walk, at, field->type == FIELD_SECRET ? text : path);
	free(path);
	free(text);
	return good;
}

static bool read_field(struct walk *walk, const struct field *field,
		       const config_setting_t *setting, void *target)
{
	void *at = target && field->offset != NOWHERE ? (char *)target + field->offset : NULL;
	switch (field->type) {
	case FIELD_TEXT:
		return keep(walk, at, field_text(walk, field, setting));
	case FIELD_INT:
	case FIELD_INT64:
		return read_whole(walk, field, setting, at);
	case FIELD_NUMBER:
		return read_number(walk, field, setting, at);
	case FIELD_BOOL:
		return read_bool(walk, setting, at);
	case FIELD_CHOICE:
		return read_choice(walk, field, setting, at);
	case FIELD_FEATURE:
		return read_feature(walk, field, setting, at);
	case FIELD_TEXTS:
		return schema_texts(walk, field, setting, at);
	case FIELD_SECRET:
	case FIELD_FILE:
		return read_named_file(walk, field, setting, at);
	case FIELD_LATER:
		return true;
	}
	return false;
}

static void unknown_key(struct walk *walk, const struct schema *schema,
			const config_setting_t *setting)
{
	const char *names[64], *key = config_setting_name(setting);
	size_t n = 0;
	for (; n < schema->n && n < 64; n++)
		names[n] = schema->fields[n].name;
	const char *near = nearest(key, names, n);
	char *known = listed(names, n);
	if (near)
		FAULT(walk, setting, "unknown key \"%s\" in %s; did you mean \"%s\"?", key,
		      schema->what, near);
	else
		FAULT(walk, setting, "unknown key \"%s\" in %s; known are %s", key, schema->what,
		      known ? known : "others");
	free(known);
}

static const char *variant_name(const struct schema *schema, unsigned variant)
{
	for (size_t i = 0; schema->variants[i]; i++)
		if (variant & (1u << i))
			return schema->variants[i];
	return "this";
}

static const struct field *find_field(const struct schema *schema, const char *name)
{
	for (size_t i = 0; i < schema->n; i++)
		if (strcmp(schema->fields[i].name, name) == 0)
			return &schema->fields[i];
	return NULL;
}

static void read_keys(struct walk *walk, const struct schema *schema, const config_setting_t *group,
		      unsigned variant, void *target, uint64_t *good)
{
	int n = config_setting_length(group);
	for (int i = 0; i < n; i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(setting);
		const struct field *field = find_field(schema, name);
		if (strncmp(name, SCAN_DUPLICATE, strlen(SCAN_DUPLICATE)) == 0)
			continue; /* the scan has noted it */
		if (!field)
			unknown_key(walk, schema, setting);
		else if (field->only && variant && !(field->only & variant))
			FAULT(walk, setting, "key \"%s\" is not one of %s of %s; remove it", name,
			      schema->what, variant_name(schema, variant));
		else if (read_field(walk, field, setting, target))
			*good |= UINT64_C(1) << (field - schema->fields);
	}
}

uint64_t schema_read(struct walk *walk, const struct schema *schema, const config_setting_t *group,
		     unsigned variant, void *target)
{
	uint64_t good = 0;
	if (config_setting_type(group) != CONFIG_TYPE_GROUP) {
		wrong_type(walk, group, "a group { }");
		return 0;
	}
	read_keys(walk, schema, group, variant, target, &good);
	for (size_t i = 0; i < schema->n; i++) {
		const struct field *field = &schema->fields[i];
		bool needed = field->required == EVERY || (field->required & variant);
		if (needed && !schema_has(group, field->name))
			FAULT(walk, group, "key \"%s\" is missing in %s", field->name,
			      schema->what);
	}
	return good;
}

bool schema_has(const config_setting_t *group, const char *key)
{
	return config_setting_get_member(group, key) != NULL;
}

const config_setting_t *schema_key(const config_setting_t *group, const char *key)
{
	const config_setting_t *setting = config_setting_get_member(group, key);
	return setting ? setting : group;
}

static void free_texts(struct texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		free(texts->at[i]);
	free(texts->at);
	*texts = (struct texts){0};
}

void schema_free(const struct schema *schema, void *target)
{
	for (size_t i = 0; i < schema->n; i++) {
		const struct field *field = &schema->fields[i];
		if (field->offset == NOWHERE)
			continue;
		void *at = (char *)target + field->offset;
		if (field->type == FIELD_TEXT || field->type == FIELD_SECRET ||
		    field->type == FIELD_FILE || field->type == FIELD_FEATURE) {
			free(*(char **)at);
			*(char **)at = NULL;
		} else if (field->type == FIELD_TEXTS) {
			free_texts(at);
		}
	}
}

size_t schema_length(struct walk *walk, const config_setting_t *group, const char *key)
{
	const config_setting_t *list = config_setting_get_member(group, key);
	int type = list ? config_setting_type(list) : CONFIG_TYPE_LIST;
	bool empty_array = type == CONFIG_TYPE_ARRAY && config_setting_length(list) == 0;
	if (type != CONFIG_TYPE_LIST && !empty_array) {
		wrong_type(walk, list, "a list of groups, ( { }, { } )");
		return 0;
	}
	return list ? (size_t)config_setting_length(list) : 0;
}

const config_setting_t *schema_element(const config_setting_t *group, const char *key, size_t i)
{
	return config_setting_get_elem(config_setting_get_member(group, key), (unsigned)i);
}

const char *schema_peek(const config_setting_t *group, const char *key)
{
	const config_setting_t *setting = config_setting_type(group) == CONFIG_TYPE_GROUP
						  ? config_setting_get_member(group, key)
						  : NULL;
	return setting && config_setting_type(setting) == CONFIG_TYPE_STRING
		       ? config_setting_get_string(setting)
		       : NULL;
}
