/* SPDX-License-Identifier: Apache-2.0 */
#include "core/line.h"

#include "core/text.h"

#include <math.h>
#include <string.h>

enum { ROOM = 256 }; /* for all of a line but the names in it */

static inline char *add(char *at, const char *text)
{
	return stpcpy(at, text);
}

/* Bytes of a name that are not written as they are: control characters, space and four more. */
#define EIGHT true, true, true, true, true, true, true, true
static const bool special[256] = {EIGHT,        EIGHT,         EIGHT,
				  EIGHT,        [' '] = true,  [','] = true,
				  ['='] = true, ['\\'] = true, [0x7f] = true};
#undef EIGHT

/* Comma, equals sign and space are escaped; a control character is replaced, as a newline would
 * start another point. No server reads a backslash back that stands before an escape or at the end
 * of a name, and VictoriaMetrics reads two as one. */
static char *add_special(char *at, char c, char next)
{
	if (c == ',' || c == '=' || c == ' ')
		*at++ = '\\';
	else if (c != '\\' || strchr("\\,= ", next) != NULL) /* finds '\0', too */
		c = '_';
	*at++ = c;
	return at;
}

static char *add_name(char *at, const char *name)
{
	for (;; name++) {
		while (!special[(unsigned char)*name])
			*at++ = *name++;
		if (*name == '\0')
			return at;
		at = add_special(at, *name, name[1]);
	}
}

/* A tag: "," key "=" value; an empty value is left out, since a server refuses it. */
static inline char *add_tag(char *at, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return at;
	*at++ = ',';
	at = add(at, key);
	*at++ = '=';
	return add_name(at, value);
}

static char *add_string(char *at, const char *value)
{
	*at++ = '"';
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*at++ = '\\';
		*at++ = (unsigned char)*value < 0x20 || *value == 0x7f ? ' ' : *value;
	}
	*at++ = '"';
	return at;
}

static char *add_number(char *at, const char *key, double value)
{
	at = add(at, key);
	return at + double_text(at, value);
}

static char *add_integer(char *at, int64_t n)
{
	if (n < 0)
		*at++ = '-';
	return at + digits_text(at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

/* Nanoseconds, by putting six digits behind the milliseconds. */
static char *add_time(char *at, int64_t time_ms)
{
	*at++ = ' ';
	at = add_integer(at, time_ms);
	return add(at, "000000\n");
}

static size_t room_for(const char *name)
{
	return name == NULL ? 0 : 2 * strlen(name);
}

void line_series_of(struct text *out, const struct line_names *names)
{
	char *at = text_room(out, ROOM + room_for(names->factor) + room_for(names->node) +
					  room_for(names->site));
	if (at == NULL)
		return;
	at = add(at, "reading");
	at = add_tag(at, "factor", names->factor);
	at = add_tag(at, "kind", names->kind);
	at = add_tag(at, "node", names->node);
	at = add_tag(at, "site", names->site);
	*at++ = ' ';
	text_take(out, at);
}

void line_series(struct text *out, const struct plan *plan, uint32_t monitor)
{
	const struct monitor *m = &plan->monitors[monitor];
	const struct site *s = &plan->sites[m->site];
	line_series_of(out, &(struct line_names){.factor = m->factor,
						 .kind = site_kind_name(s->kind),
						 .node = plan->node,
						 .site = s->id});
}

void line_point(struct text *out, const struct reading *reading)
{
	char *at = text_room(out, ROOM);
	if (at == NULL)
		return;
	if (reading->has_value && isfinite(reading->value)) {
		at = add_number(at, "value=", reading->value);
		*at++ = ',';
	}
	at = add(at, "flag=\"N\"");
	at[-2] = (char)reading->flag;
	text_take(out, add_time(at, reading->measured_ms));
}

void line_reading(struct text *out, const struct plan *plan, uint32_t monitor,
		  const struct reading *reading)
{
	size_t length = out->length;
	line_series(out, plan, monitor);
	if (out->length > length)
		line_point(out, reading);
}

void line_case(struct text *out, const struct line_case *event)
{
	char *at = text_room(out, ROOM + room_for(event->factor) + room_for(event->kind) +
					  room_for(event->node) + room_for(event->site) +
					  room_for(event->event) + room_for(event->head));
	if (at == NULL)
		return;
	at = add(at, "case");
	at = add_tag(at, "factor", event->factor);
	at = add_tag(at, "kind", event->kind);
	at = add_tag(at, "node", event->node);
	at = add_tag(at, "site", event->site);
	at = add(at, " id=");
	at = add_integer(at, event->id);
	at = add(at, "i,event=");
	at = add_string(at, event->event);
	if (event->has_value && isfinite(event->value))
		at = add_number(at, ",value=", event->value);
	if (event->has_limit && isfinite(event->limit))
		at = add_number(at, ",limit=", event->limit);
	if (event->head != NULL)
		at = add_string(add(at, ",head="), event->head);
	text_take(out, add_time(at, event->time_ms));
}

void line_anchor(struct text *out, const char *node, int64_t seal, const char *head,
		 int64_t time_ms)
{
	char *at = text_room(out, ROOM + room_for(node) + room_for(head));
	if (at == NULL)
		return;
	at = add(at, "anchor");
	at = add_tag(at, "node", node);
	at = add(at, " seal=");
	at = add_integer(at, seal);
	at = add(at, "i,head=");
	at = add_string(at, head);
	text_take(out, add_time(at, time_ms));
}

void line_section(struct text *out, const struct line_section *section)
{
	char *at = text_room(out, ROOM + room_for(section->kind) + room_for(section->node) +
					  room_for(section->site) + room_for(section->worst));
	if (at == NULL)
		return;
	at = add(at, "section");
	at = add_tag(at, "kind", section->kind);
	at = add_tag(at, "node", section->node);
	at = add_tag(at, "site", section->site);
	at = add(at, " class=");
	at = add_integer(at, section->class);
	at = add(at, "i,worst=");
	at = add_string(at, section->worst);
	text_take(out, add_time(at, section->time_ms));
}
