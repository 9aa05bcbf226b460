/* SPDX-License-Identifier: Apache-2.0 */
#include "core/line.h"

#include "core/text.h"

#include <math.h>

/* A tag: "," key "=" value, with comma, equals sign and space escaped; control characters, which
 * could start another point, become '_'; an empty value is left out, since a server refuses it. */
static void add_tag(struct text *out, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	text_char(out, ',');
	text_add(out, key);
	text_char(out, '=');
	for (const char *at = value; *at != '\0'; at++) {
		char c = *at;
		if (c == ',' || c == '=' || c == ' ')
			text_char(out, '\\');
		if ((unsigned char)c < 0x20 || c == 0x7f || (c == '\\' && at[1] == '\0'))
			c = '_';
		text_char(out, c);
	}
}

static void add_string(struct text *out, const char *value)
{
	text_char(out, '"');
	for (const char *at = value; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			text_char(out, '\\');
		text_char(out, (unsigned char)*at < 0x20 || *at == 0x7f ? ' ' : *at);
	}
	text_char(out, '"');
}

static void add_time(struct text *out, int64_t time_ms)
{
	text_format(out, " %lld000000\n", (long long)time_ms);
}

void line_reading(struct text *out, const struct plan *plan, uint32_t monitor,
		  const struct reading *reading)
{
	const struct monitor *m = &plan->monitors[monitor];
	const struct site *s = &plan->sites[m->site];
	text_add(out, "reading");
	add_tag(out, "factor", m->factor);
	add_tag(out, "kind", site_kind_name(s->kind));
	add_tag(out, "node", plan->node);
	add_tag(out, "site", s->id);
	text_char(out, ' ');
	if (reading->has_value && isfinite(reading->value)) {
		text_add(out, "value=");
		text_double(out, reading->value);
		text_char(out, ',');
	}
	text_format(out, "flag=\"%c\"", reading->flag);
	add_time(out, reading->measured_ms);
}

void line_case(struct text *out, const struct line_case *event)
{
	text_add(out, "case");
	add_tag(out, "factor", event->factor);
	add_tag(out, "kind", event->kind);
	add_tag(out, "node", event->node);
	add_tag(out, "site", event->site);
	text_format(out, " id=%lldi,event=", (long long)event->id);
	add_string(out, event->event);
	if (event->has_value && isfinite(event->value)) {
		text_add(out, ",value=");
		text_double(out, event->value);
	}
	if (event->has_limit && isfinite(event->limit)) {
		text_add(out, ",limit=");
		text_double(out, event->limit);
	}
	add_time(out, event->time_ms);
}
