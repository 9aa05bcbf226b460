/* SPDX-License-Identifier: Apache-2.0 */
#include "core/reading.h"
#include "serve/query.h"

#include <jansson.h>
#include <string.h>

enum { FOR_S_MOST = 366 * 86400 };

/* One body on its way. */
struct body_reading {
	const struct zone *zone;
	enum order_use use;
	int64_t now_ms;
	struct case_order *order;
	struct text *error;
};

/* A date alone is the end of that day in the node's zone. */
static bool due_read(const char *text, const struct zone *zone, int64_t *out)
{
	char whole[32];
	if (time_parse(text, strlen(text), zone, out))
		return true;
	if (strlen(text) != 10)
		return false;
	memcpy(whole, text, 10);
	memcpy(whole + 10, "T23:59:59", sizeof "T23:59:59");
	return time_parse(whole, strlen(whole), zone, out);
}

static bool read_action(struct body_reading *r, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	r->order->action = text == NULL ? CASE_ACTIONS : case_action_find(text);
	if (r->order->action != CASE_ACTIONS)
		return true;
	if (text == NULL)
		text_format(r->error, "field \"%s\" must be text", name);
	else
		text_format(r->error, "unknown action \"%.64s\"", text);
	return false;
}

static bool read_due(struct body_reading *r, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	if (text == NULL)
		text_format(r->error, "field \"%s\" must be text", name);
	else if (text[0] == '\0' || due_read(text, r->zone, &r->order->due_ms))
		return true;
	else
		text_format(r->error,
			    "field \"%s\" is \"%.64s\"; it must be a date or an RFC 3339 time",
			    name, text);
	return false;
}

/* A whole number, as such or in digits. Return: -1 if it is none. */
static int64_t whole_of(const json_t *value)
{
	const char *text = json_string_value(value);
	if (json_is_integer(value))
		return json_integer_value(value);
	if (text == NULL || strlen(text) > 18 || text[0] == '\0' ||
	    strspn(text, "0123456789") != strlen(text))
		return -1;
	return (int64_t)strtoll(text, NULL, 10);
}

static bool read_other(struct body_reading *r, const char *name, const json_t *value)
{
	r->order->other = whole_of(value);
	if (r->order->other > 0)
		return true;
	text_format(r->error, "field \"%s\" must be the id of a case", name);
	return false;
}

static bool read_for(struct body_reading *r, const char *name, const json_t *value)
{
	int64_t seconds = whole_of(value);
	r->order->due_ms = r->now_ms + seconds * 1000;
	if (seconds > 0 && seconds <= FOR_S_MOST)
		return true;
	text_format(r->error, "field \"%s\" must be seconds, at most %d", name, FOR_S_MOST);
	return false;
}

static bool read_moment(struct body_reading *r, const char *name, const json_t *value, int64_t *out)
{
	const char *text = json_string_value(value);
	if (text != NULL && time_parse(text, strlen(text), r->zone, out))
		return true;
	text_format(r->error, "field \"%s\" must be an RFC 3339 time or epoch seconds, as text",
		    name);
	return false;
}

static bool read_from(struct body_reading *r, const char *name, const json_t *value)
{
	r->order->has_from = true;
	return read_moment(r, name, value, &r->order->from_ms);
}

static bool read_to(struct body_reading *r, const char *name, const json_t *value)
{
	r->order->has_to = true;
	return read_moment(r, name, value, &r->order->to_ms);
}

static bool read_flag(struct body_reading *r, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	if (text != NULL && flag_known(text[0]) && text[1] == '\0') {
		r->order->flag = text[0];
		return true;
	}
	text_format(r->error, "field \"%s\" must be one of N, F, M, S, D, C, T, B", name);
	return false;
}

static const struct special {
	const char *name;
	unsigned uses;
	bool (*read)(struct body_reading *r, const char *name, const json_t *value);
} specials[] = {
	{"action", USE_ACT, read_action}, {"due", USE_ACT, read_due},
	{"other", USE_ACT, read_other},   {"until", USE_SHELVE, read_due},
	{"for_s", USE_SHELVE, read_for},  {"from", USE_MARK, read_from},
	{"to", USE_MARK, read_to},        {"flag", USE_MARK, read_flag},
};

static const struct special *special_find(const char *name, enum order_use use)
{
	for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++)
		if ((specials[i].uses & use) != 0 && strcmp(specials[i].name, name) == 0)
			return &specials[i];
	return NULL;
}

static bool field_read(struct body_reading *r, const char *name, const json_t *value)
{
	const struct special *special = special_find(name, r->use);
	const struct order_field *field = order_field_find(name, r->use);
	if (special == NULL && field == NULL) {
		text_format(r->error, "unknown field \"%.64s\"", name);
		return false;
	}
	if (json_is_null(value))
		return true;
	if (special != NULL)
		return special->read(r, name, value);
	if (json_is_string(value))
		return order_take(r->order, field, json_string_value(value), r->error);
	text_format(r->error, "field \"%s\" must be text", name);
	return false;
}

static bool fields_read(struct body_reading *r, json_t *json)
{
	const char *name;
	json_t *value;
	json_object_foreach(json, name, value)
	{
		if (!field_read(r, name, value))
			return false;
	}
	if (r->use != USE_ACT || r->order->action != CASE_ACTIONS)
		return true;
	text_add(r->error, "field \"action\" is missing");
	return false;
}

bool action_read(const char *body, size_t length, const struct zone *zone, enum order_use use,
		 int64_t now_ms, struct action_body *out, struct text *error)
{
	json_error_t place;
	*out = (struct action_body){.order = {.action = CASE_ACTIONS}};
	struct body_reading reading = {zone, use, now_ms, &out->order, error};
	json_t *json = json_loadb(body == NULL ? "" : body, length, JSON_REJECT_DUPLICATES, &place);
	if (json == NULL) {
		text_format(error, "the body is not JSON: line %d, column %d: %s", place.line,
			    place.column, place.text);
		return false;
	}
	if (!json_is_object(json))
		text_add(error, "the body must be a JSON object");
	else if (fields_read(&reading, json)) {
		out->json = json;
		return true;
	}
	json_decref(json);
	return false;
}

void action_body_deinit(struct action_body *body)
{
	json_decref(body->json);
	body->json = NULL;
}
