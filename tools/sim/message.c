/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/message.h"

#include "core/text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 15, MEMBER_BYTES = 128 };

bool message_pointer_is_good(const char *pointer)
{
	if (*pointer != '/')
		return false;
	while (*pointer == '/') {
		size_t n = strcspn(pointer + 1, "/");
		if (n == 0 || n >= MEMBER_BYTES)
			return false;
		pointer += 1 + n;
	}
	return true;
}

/* The first member's name of @pointer, unescaped. Return: the rest of the pointer. */
static const char *message_member(const char *pointer, char member[MEMBER_BYTES])
{
	size_t n = 0;
	for (pointer++; *pointer != '/' && *pointer != '\0' && n < MEMBER_BYTES - 1; pointer++) {
		if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
			member[n++] = *++pointer == '0' ? '~' : '/';
		else
			member[n++] = *pointer;
	}
	member[n] = '\0';
	return pointer;
}

/* Steals @value. */
static int message_put(json_t *object, const char *pointer, json_t *value)
{
	char member[MEMBER_BYTES];
	pointer = message_member(pointer, member);
	while (*pointer != '\0') {
		json_t *inner = json_object_get(object, member);
		if (inner == NULL && json_object_set_new(object, member, json_object()) == 0)
			inner = json_object_get(object, member);
		if (!json_is_object(inner)) {
			json_decref(value);
			return -EINVAL;
		}
		object = inner;
		pointer = message_member(pointer, member);
	}
	if (json_object_get(object, member) != NULL) {
		json_decref(value);
		return -EINVAL;
	}
	return json_object_set_new(object, member, value) == 0 ? 0 : -ENOMEM;
}

static int message_json(const struct message *m, int64_t time_ms, int64_t wall_ms, char **out)
{
	json_t *root = json_object();
	int error = root == NULL ? -ENOMEM : 0;
	if (error == 0 && m->time != NULL)
		error = message_put(root, m->time, json_integer(wall_ms));
	for (size_t i = 0; error == 0 && i < m->n_values; i++) {
		const struct message_value *v = &m->values[i];
		double value = signal_value(&v->signal, time_ms);
		if (!signal_is_silent(&v->signal, time_ms))
			error = message_put(root, v->pointer,
					    isnan(value) ? json_null() : json_real(value));
	}
	if (error == 0) {
		*out = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
		error = *out == NULL ? -ENOMEM : 0;
	}
	json_decref(root);
	return error;
}

static int message_plain(const struct signal *s, int64_t time_ms, char **out)
{
	struct text text = {0};
	double value = signal_value(s, time_ms);
	if (isnan(value))
		text_add(&text, "NaN");
	else
		text_fixed(&text, value, s->decimals);
	if (text.failed) {
		text_deinit(&text);
		return -ENOMEM;
	}
	*out = text.at;
	return 0;
}

int message_text(const struct message *m, int64_t time_ms, int64_t wall_ms, char **out)
{
	bool is_silent = true;
	for (size_t i = 0; i < m->n_values; i++)
		is_silent = is_silent && signal_is_silent(&m->values[i].signal, time_ms);
	if (is_silent)
		return MESSAGE_SILENT;
	if (m->values[0].pointer == NULL)
		return message_plain(&m->values[0].signal, time_ms, out);
	return message_json(m, time_ms, wall_ms, out);
}
