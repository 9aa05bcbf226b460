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
/* Kinds that say whether data come, and nothing of an enterprise's water. */
static const uint32_t data_kinds = 1u << ALERT_STALE | 1u << ALERT_FLAT | 1u << ALERT_FAULT |
				   1u << ALERT_CONNECTION | 1u << ALERT_UNDETERMINED;

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

static bool is_alert(const json_t *object)
{
	return json_is_string(json_object_get(object, "raised_at")) &&
	       json_is_string(json_object_get(object, "kind"));
}

static uint32_t site_of(const struct plan *plan, const json_t *object)
{
	const char *id = json_string_value(json_object_get(object, "site"));
	return id == NULL ? NO_INDEX : plan_site(plan, id);
}

static bool is_data_kind(const char *kind)
{
	for (int i = 0; i < ALERT_KINDS; i++)
		if (strcmp(kind, alert_kind_name((enum alert_kind)i)) == 0)
			return (data_kinds & 1u << i) != 0;
	return false;
}

bool redact_names(const struct plan *plan, uint32_t site)
{
	return site < plan->n_sites && plan->sites[site].kind != SITE_OUTFALL &&
	       plan->sites[site].parties.enterprise == NULL;
}

uint32_t redact_kinds(const struct plan *plan, uint32_t site, uint32_t kinds)
{
	return redact_names(plan, site) ? kinds : kinds & data_kinds;
}

static bool is_withheld(const struct plan *plan, const json_t *object)
{
	if (is_case(object))
		return !json_is_true(json_object_get(object, "verified")) &&
		       !redact_names(plan, site_of(plan, object));
	return is_alert(object) && json_is_string(json_object_get(object, "site")) &&
	       !is_data_kind(json_string_value(json_object_get(object, "kind"))) &&
	       !redact_names(plan, site_of(plan, object));
}

/* The plan says by name whose it is, so that not even the site may be told. */
static bool is_nameless(const struct plan *plan, const json_t *object)
{
	uint32_t site = site_of(plan, object);
	return is_withheld(plan, object) && site != NO_INDEX &&
	       plan->sites[site].parties.enterprise != NULL;
}

/* The first object in it that @is so; NULL: there is none. */
static const json_t *holds(const struct plan *plan, const json_t *value,
			   bool (*is)(const struct plan *plan, const json_t *object))
{
	const char *name;
	json_t *member;
	const json_t *found = json_is_object(value) && is(plan, value) ? value : NULL;
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		if (found == NULL)
			found = holds(plan, member, is);
	}
	for (size_t i = 0; found == NULL && i < json_array_size(value); i++)
		found = holds(plan, json_array_get(value, i), is);
	return found;
}

/* --- the same JSON, with nulls --- */

struct redacting {
	const struct plan *plan;
	unsigned how;
	struct text *out;
};

/* What is around a value. */
struct around {
	bool withheld;
	uint32_t nameless; /* the site that is not even told; NO_INDEX: none */
};

static bool holds_text(const char *value, const char *part)
{
	return part != NULL && part[0] != '\0' && strstr(value, part) != NULL;
}

/* The site itself, or a text, such as a limit's source, in which its enterprise stands. */
static bool names_site(const struct plan *plan, uint32_t site, const char *name, const char *value)
{
	if (site == NO_INDEX)
		return false;
	const struct parties *p = &plan->sites[site].parties;
	return strcmp(name, "site") == 0 || strcmp(name, "subject") == 0 ||
	       holds_text(value, p->enterprise) || holds_text(value, p->credit_code) ||
	       holds_text(value, p->permit_no);
}

static bool is_null(const struct redacting *r, const json_t *object, const char *name,
		    const json_t *value, const struct around *around)
{
	if (!json_is_string(value) || is_ours(name, value))
		return false;
	if (is_one_of(name, personal, sizeof personal / sizeof personal[0]))
		return true;
	if (strcmp(name, "reason") == 0 && (r->how & REDACT_REMARKS) != 0)
		return true;
	if (names_site(r->plan, around->nameless, name, json_string_value(value)))
		return true;
	if (strcmp(name, "name") == 0) /* of an attachment */
		return json_object_get(object, "sha256") != NULL;
	/* the unit of a case or an alert itself is that of its values */
	return around->withheld && is_one_of(name, naming, sizeof naming / sizeof naming[0]) &&
	       !((is_case(object) || is_alert(object)) && strcmp(name, "unit") == 0);
}

static void write_value(const struct redacting *r, const json_t *value, struct around around);

/* An event's subject is its data's. */
static struct around around_of(const struct plan *plan, const json_t *object, struct around outer)
{
	bool event = json_object_get(object, "specversion") != NULL;
	const json_t *nameless = event                       ? holds(plan, object, is_nameless)
				 : is_nameless(plan, object) ? object
							     : NULL;
	outer.withheld |= is_withheld(plan, object);
	if (nameless != NULL)
		outer.nameless = site_of(plan, nameless);
	return outer;
}

static void write_object(const struct redacting *r, json_t *object, struct around around)
{
	const char *name, *comma = "";
	json_t *value;
	around = around_of(r->plan, object, around);
	text_char(r->out, '{');
	json_object_foreach(object, name, value)
	{
		text_add(r->out, comma);
		text_json(r->out, name);
		text_char(r->out, ':');
		if (is_null(r, object, name, value, &around))
			text_add(r->out, "null");
		else
			write_value(r, value, around);
		comma = ",";
	}
	text_char(r->out, '}');
}

static void write_array(const struct redacting *r, const json_t *array, struct around around)
{
	const char *comma = "";
	text_char(r->out, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *value = json_array_get(array, i);
		if ((r->how & REDACT_DROP) != 0 && json_is_object(value) &&
		    is_withheld(r->plan, value))
			continue;
		text_add(r->out, comma);
		write_value(r, value, around);
		comma = ",";
	}
	text_char(r->out, ']');
}

static void write_value(const struct redacting *r, const json_t *value, struct around around)
{
	if (json_is_object(value))
		write_object(r, (json_t *)(uintptr_t)value, around);
	else if (json_is_array(value))
		write_array(r, value, around);
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

bool redact_withholds(const struct plan *plan, const char *json)
{
	json_t *whole = json_loads(json, JSON_DECODE_ANY, NULL);
	bool withholds = whole == NULL || holds(plan, whole, is_withheld) != NULL;
	json_decref(whole);
	return withholds;
}

bool redact(const struct plan *plan, unsigned how, struct text *json)
{
	struct text out = {0};
	const struct redacting r = {.plan = plan, .how = how, .out = &out};
	const struct around nothing = {.nameless = NO_INDEX};
	json_t *whole =
		json->at == NULL ? NULL : json_loadb(json->at, json->length, JSON_DECODE_ANY, NULL);
	if (whole != NULL)
		write_value(&r, whole, nothing);
	bool good = whole != NULL && !out.failed;
	json_decref(whole);
	text_deinit(json);
	if (good)
		*json = out;
	else
		text_deinit(&out);
	return good;
}
