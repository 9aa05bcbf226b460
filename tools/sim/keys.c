/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/keys.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void keys_fault(struct keys *k, const config_setting_t *at, const char *format, ...)
{
	va_list arguments;
	const char *file = at != NULL ? config_setting_source_file(at) : NULL;
	fprintf(k->faults, "%s:%u: ", file != NULL ? file : k->file,
		at != NULL ? config_setting_source_line(at) : 1u);
	va_start(arguments, format);
	vfprintf(k->faults, format, arguments);
	va_end(arguments);
	fputc('\n', k->faults);
	k->n_faults++;
}

static bool keys_among(const char *names, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = names; (at = strstr(at, name)) != NULL; at += n)
		if ((at == names || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

void keys_only(struct keys *k, const config_setting_t *group, const char *names)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(s);
		if (!keys_among(names, name))
			keys_fault(k, s, "unknown key \"%s\", known here: %s", name, names);
	}
}

static const config_setting_t *keys_find(struct keys *k, const config_setting_t *group,
					 const char *name, bool is_needed)
{
	const config_setting_t *s = config_setting_get_member(group, name);
	if (s == NULL && is_needed)
		keys_fault(k, group, "\"%s\" is missing", name);
	return s;
}

double keys_number(struct keys *k, const config_setting_t *group, const char *name, double low,
		   double high, double fallback)
{
	const config_setting_t *s = keys_find(k, group, name, isnan(fallback));
	double value;
	if (s == NULL)
		return fallback;
	int type = config_setting_type(s);
	if (type == CONFIG_TYPE_FLOAT) {
		value = config_setting_get_float(s);
	} else if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) {
		value = (double)config_setting_get_int64(s);
	} else {
		keys_fault(k, s, "\"%s\" must be a number", name);
		return low;
	}
	if (!(value >= low && value <= high)) {
		keys_fault(k, s, "\"%s\" is %g, must be from %g to %g", name, value, low, high);
		return low;
	}
	return value;
}

int64_t keys_whole(struct keys *k, const config_setting_t *group, const char *name, int64_t low,
		   int64_t high, int64_t fallback)
{
	const config_setting_t *s = keys_find(k, group, name, fallback == INT64_MIN);
	if (s == NULL)
		return fallback;
	int type = config_setting_type(s);
	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64) {
		keys_fault(k, s, "\"%s\" must be a whole number", name);
		return low;
	}
	int64_t value = config_setting_get_int64(s);
	if (value < low || value > high) {
		keys_fault(k, s, "\"%s\" is %lld, must be from %lld to %lld", name,
			   (long long)value, (long long)low, (long long)high);
		return low;
	}
	return value;
}

char *keys_text(struct keys *k, const config_setting_t *group, const char *name, bool is_needed)
{
	const config_setting_t *s = keys_find(k, group, name, is_needed);
	if (s == NULL)
		return NULL;
	const char *value = config_setting_get_string(s);
	if (value == NULL || *value == '\0') {
		keys_fault(k, s, "\"%s\" must be text in quotes, not empty", name);
		return NULL;
	}
	char *copy = strdup(value);
	if (copy == NULL)
		k->out_of_memory = true;
	return copy;
}

int keys_word(struct keys *k, const config_setting_t *group, const char *name,
	      const char *const *words, int fallback)
{
	const config_setting_t *s = keys_find(k, group, name, fallback < 0);
	if (s == NULL)
		return fallback < 0 ? 0 : fallback;
	const char *value = config_setting_get_string(s);
	for (int i = 0; value != NULL && words[i] != NULL; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	char known[256];
	size_t n = 0;
	for (int i = 0; words[i] != NULL && n < sizeof known; i++)
		n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", i > 0 ? ", " : "",
				      words[i]);
	keys_fault(k, s, "\"%s\" must be one of %s", name, known);
	return 0;
}

config_setting_t *keys_list(struct keys *k, const config_setting_t *group, const char *name,
			    bool is_needed)
{
	const config_setting_t *found = keys_find(k, group, name, is_needed);
	if (found == NULL)
		return NULL;
	config_setting_t *s = config_setting_get_member(group, name);
	if (config_setting_type(s) != CONFIG_TYPE_LIST) {
		keys_fault(k, s, "\"%s\" must be a list: %s = ( { ... }, ... );", name, name);
		return NULL;
	}
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned)i);
		if (config_setting_type(element) != CONFIG_TYPE_GROUP) {
			keys_fault(k, element, "\"%s\" must hold groups: ( { ... }, ... )", name);
			return NULL;
		}
	}
	return s;
}
