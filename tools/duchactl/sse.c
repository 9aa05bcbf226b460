/* SPDX-License-Identifier: Apache-2.0 */
#include "sse.h"

#include <string.h>

static void set(struct text *field, const char *value)
{
	text_clear(field);
	text_add(field, value);
}

static const char *get(const struct text *field)
{
	return field->at == NULL ? "" : field->at;
}

static void dispatch(struct sse *sse)
{
	if (sse->has_data) {
		const struct sse_event event = {
			.id = get(&sse->id), .type = get(&sse->type), .data = get(&sse->data)};
		sse->fn(sse->context, &event);
	}
	text_clear(&sse->data);
	text_clear(&sse->type);
	sse->has_data = false;
}

static void field(struct sse *sse, const char *name, size_t length, const char *value)
{
	if (length == 2 && memcmp(name, "id", 2) == 0) {
		set(&sse->id, value);
	} else if (length == 5 && memcmp(name, "event", 5) == 0) {
		set(&sse->type, value);
	} else if (length == 4 && memcmp(name, "data", 4) == 0) {
		if (sse->has_data)
			text_char(&sse->data, '\n');
		text_add(&sse->data, value);
		sse->has_data = true;
	}
}

static void line_end(struct sse *sse)
{
	const char *line = get(&sse->line);
	size_t name = strcspn(line, ":");
	if (line[0] == '\0') {
		dispatch(sse);
	} else if (name == 0) {
		if (sse->comment != NULL)
			sse->comment(sse->context, line + 1);
	} else {
		const char *value = line + name + (line[name] == ':');
		field(sse, line, name, value[0] == ' ' ? value + 1 : value);
	}
	text_clear(&sse->line);
}

bool sse_feed(struct sse *sse, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool second = sse->after_return && data[i] == '\n'; /* of CR LF */
		sse->after_return = data[i] == '\r';
		if (second)
			continue;
		if (data[i] == '\n' || data[i] == '\r')
			line_end(sse);
		else
			text_char(&sse->line, data[i]);
		if (sse->line.failed || sse->data.failed || sse->line.length > SSE_LINE_BYTES_MOST)
			return false;
	}
	return true;
}

void sse_restart(struct sse *sse)
{
	text_clear(&sse->line);
	text_clear(&sse->type);
	text_clear(&sse->data);
	sse->has_data = sse->after_return = false;
}

void sse_deinit(struct sse *sse)
{
	text_deinit(&sse->line);
	text_deinit(&sse->id);
	text_deinit(&sse->type);
	text_deinit(&sse->data);
}
