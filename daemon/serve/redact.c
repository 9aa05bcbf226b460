/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/redact.h"

#include <jansson.h>
#include <string.h>

/* --- whose words and names --- */

/* Members that name a person, or hold what somebody wrote. */
static const char *const personal[] = {
	"leader",   "team",   "contact",  "phone",       "by",
	"note",     "title",  "checkers", "approved_by", "acknowledged_by",
	"ended_by", "person", "step",     "relation",    "last_error",
	"file",     "text",   "user",
};
/* Members that say whose an unverified case is. */
static const char *const naming[] = {"site_name",   "unit",      "enterprise",
				     "credit_code", "permit_no", "outlet"};

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* What the daemon did by itself is nobody's. */
static bool is_ours(const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	return strcmp(name, "by") == 0 && text != NULL && strcmp(text, "duchad") == 0;
}

static bool is_case(const json_t *object)
{
	return json_is_boolean(json_object_get(object, "verified"));
}

static bool is_withheld(const struct plan *plan, const json_t *c)
{
	const char *id = json_string_value(json_object_get(c, "site"));
	uint32_t site = id == NULL ? NO_INDEX : plan_site(plan, id);
	return !json_is_true(json_object_get(c, "verified")) &&
	       (site == NO_INDEX || plan->sites[site].parties.enterprise != NULL);
}

/* --- the same JSON, with nulls --- */

struct redaction {
	const struct plan *plan;
	bool remarks;
	struct text *out;
};

static bool is_null(const struct redaction *r, const json_t *object, const char *name,
		    const json_t *value, bool withheld)
{
	if (!json_is_string(value) || is_ours(name, value))
		return false;
	if (is_one_of(name, personal, sizeof personal / sizeof personal[0]))
		return true;
	if (strcmp(name, "reason") == 0 && r->remarks)
		return true;
	if (strcmp(name, "name") == 0) /* of an attachment */
		return json_object_get(object, "sha256") != NULL;
	/* the unit of the case itself is that of its values */
	return withheld && is_one_of(name, naming, sizeof naming / sizeof naming[0]) &&
	       !(is_case(object) && strcmp(name, "unit") == 0);
}

static void write_value(const struct redaction *r, const json_t *value, bool withheld);

static void write_object(const struct redaction *r, json_t *object, bool withheld)
{
	const char *name, *comma = "";
	json_t *value;
	withheld = withheld || (is_case(object) && is_withheld(r->plan, object));
	text_char(r->out, '{');
	json_object_foreach(object, name, value)
	{
		text_add(r->out, comma);
		text_json(r->out, name);
		text_char(r->out, ':');
		if (is_null(r, object, name, value, withheld))
			text_add(r->out, "null");
		else
			write_value(r, value, withheld);
		comma = ",";
	}
	text_char(r->out, '}');
}

static void write_array(const struct redaction *r, const json_t *array, bool withheld)
{
	text_char(r->out, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		text_add(r->out, i == 0 ? "" : ",");
		write_value(r, json_array_get(array, i), withheld);
	}
	text_char(r->out, ']');
}

static void write_value(const struct redaction *r, const json_t *value, bool withheld)
{
	if (json_is_object(value))
		write_object(r, (json_t *)(uintptr_t)value, withheld);
	else if (json_is_array(value))
		write_array(r, value, withheld);
	else if (json_is_string(value))
		text_json(r->out, json_string_value(value));
	else if (json_is_integer(value))
		text_format(r->out, "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		text_double(r->out, json_real_value(value));
	else
		text_add(r->out,
			 json_is_boolean(value) ? json_is_true(value) ? "true" : "false" : "null");
}

bool redact(const struct plan *plan, bool remarks, struct text *json)
{
	struct text out = {0};
	const struct redaction r = {.plan = plan, .remarks = remarks, .out = &out};
	json_t *whole =
		json->at == NULL ? NULL : json_loadb(json->at, json->length, JSON_DECODE_ANY, NULL);
	if (whole != NULL)
		write_value(&r, whole, false);
	bool good = whole != NULL && !out.failed;
	json_decref(whole);
	text_deinit(json);
	if (good)
		*json = out;
	else
		text_deinit(&out);
	return good;
}
