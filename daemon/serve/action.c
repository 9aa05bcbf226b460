/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/query.h"

#include <jansson.h>
#include <string.h>

enum { BY_BYTES_MOST = 200 };

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

static bool field_special(const char *name, const char *value, const struct zone *zone,
			  struct case_order *order, struct text *error)
{
	if (strcmp(name, "action") == 0) {
		order->action = case_action_find(value);
		if (order->action == CASE_ACTIONS)
			text_format(error, "unknown action \"%.64s\"", value);
		return order->action != CASE_ACTIONS;
	}
	if (due_read(value, zone, &order->due_ms))
		return true;
	text_format(error, "field \"due\" is \"%.64s\"; it must be a date or an RFC 3339 time",
		    value);
	return false;
}

static bool field_known(const char *name)
{
	static const char *const names[] = {"action", "by",   "note",   "unit",
					    "leader", "team", "reason", "due"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool field_read(const char *name, const char *value, const struct zone *zone,
		       struct case_order *order, struct text *error)
{
	const struct {
		const char *name;
		const char **at;
	} fields[] = {
		{"by", &order->by},         {"note", &order->note}, {"unit", &order->unit},
		{"leader", &order->leader}, {"team", &order->team}, {"reason", &order->reason},
		{"action", NULL},           {"due", NULL},
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		if (strcmp(name, fields[i].name) != 0)
			continue;
		if (value == NULL || value[0] == '\0')
			return true;
		if (fields[i].at == NULL)
			return field_special(name, value, zone, order, error);
		*fields[i].at = value;
	}
	return true;
}

static bool fields_read(json_t *json, const struct zone *zone, struct case_order *order,
			struct text *error)
{
	const char *name;
	json_t *value;
	json_object_foreach(json, name, value)
	{
		if (!field_known(name)) {
			text_format(error, "unknown field \"%.64s\"", name);
			return false;
		}
		if (!json_is_string(value) && !json_is_null(value)) {
			text_format(error, "field \"%.64s\" must be text", name);
			return false;
		}
		if (!field_read(name, json_string_value(value), zone, order, error))
			return false;
	}
	if (order->action == CASE_ACTIONS) {
		text_add(error, "field \"action\" is missing");
		return false;
	}
	if (order->by != NULL && strlen(order->by) > BY_BYTES_MOST) {
		text_format(error, "field \"by\" is longer than %d bytes", BY_BYTES_MOST);
		return false;
	}
	return true;
}

bool action_read(const char *body, size_t length, const struct zone *zone, struct action_body *out,
		 struct text *error)
{
	json_error_t place;
	*out = (struct action_body){.order = {.action = CASE_ACTIONS}};
	json_t *json = json_loadb(body == NULL ? "" : body, length, JSON_REJECT_DUPLICATES, &place);
	if (json == NULL) {
		text_format(error, "the body is not JSON: line %d, column %d: %s", place.line,
			    place.column, place.text);
		return false;
	}
	if (!json_is_object(json))
		text_add(error, "the body must be a JSON object");
	else if (fields_read(json, zone, &out->order, error)) {
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
