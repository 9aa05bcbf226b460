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
	"file",     "text",   "user",     "document",
};
/* Members that say whose an unverified case is. */
static const char *const naming[] = {"site_name",   "unit",      "enterprise",
				     "credit_code", "permit_no", "outlet"};
/* All that is told of a case or alert that nothing may lead to: that it is there, and how far it
 * has come. Times and values would be found again among the readings. */
static const char *const course[] = {"id",         "number", "seq",      "year",  "node",
				     "kind",       "status", "verified", "level", "severity",
				     "escalation", "source", "stage",    "action"};
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

static enum alert_kind kind_of(const char *kind)
{
	int i = 0;
	while (i < ALERT_KINDS && strcmp(kind, alert_kind_name((enum alert_kind)i)) != 0)
		i++;
	return (enum alert_kind)i;
}

static bool is_data_kind(enum alert_kind kind)
{
	return kind < ALERT_KINDS && (data_kinds & 1u << kind) != 0;
}

/* --- how much is withheld --- */

/* Whether data come is everybody's; but not that an enterprise has a case for it. */
static enum secrecy of_alert(const struct plan *plan, const struct ledger_row *alert)
{
	if (alert->site == NULL)
		return SECRECY_NONE;
	if (!is_data_kind(alert->kind))
		return secrecy_of_site(plan, alert->site);
	return alert->has_case && secrecy_of_case(plan, alert->site, alert->verified) == SECRECY_ALL
		       ? SECRECY_ALL
		       : SECRECY_NONE;
}

bool redact_names(const struct plan *plan, uint32_t site)
{
	return site < plan->n_sites && secrecy_of_site(plan, plan->sites[site].id) == SECRECY_NONE;
}

uint32_t redact_kinds(const struct plan *plan, uint32_t site, uint32_t kinds)
{
	return redact_names(plan, site) ? kinds : kinds & data_kinds;
}

bool redact_alert_tells(const struct plan *plan, const struct ledger_row *row)
{
	return of_alert(plan, row) == SECRECY_NONE;
}

bool redact_case_tells(const struct plan *plan, const struct ledger_row *row)
{
	return secrecy_of_case(plan, row->site, row->verified) == SECRECY_NONE;
}

/* Another case, by its id; what cannot be read might be anybody's. */
static enum secrecy of_other(const struct redactor *by, int64_t id)
{
	struct case_whose whose;
	if (by->whose == NULL)
		return SECRECY_NONE;
	if (!by->whose(by->context, id, &whose))
		return SECRECY_ALL;
	return secrecy_of_case(by->plan, whose.site[0] == '\0' ? NULL : whose.site, whose.verified);
}

static enum secrecy secret(const struct redactor *by, const json_t *object)
{
	int64_t id = json_integer_value(json_object_get(object, "case"));
	const char *site = json_string_value(json_object_get(object, "site"));
	if (is_case(object))
		return secrecy_of_case(by->plan, site,
				       json_is_true(json_object_get(object, "verified")));
	if (!is_alert(object))
		return SECRECY_NONE;
	struct ledger_row alert = {
		.site = site,
		.kind = kind_of(json_string_value(json_object_get(object, "kind"))),
		.has_case = id != 0,
	};
	if (is_data_kind(alert.kind) && id != 0)
		alert.verified = of_other(by, id) == SECRECY_NONE;
	return of_alert(by->plan, &alert);
}

/* The most that anything in it withholds. */
static enum secrecy most_secret(const struct redactor *by, const json_t *value)
{
	const char *name;
	json_t *member;
	enum secrecy most = json_is_object(value) ? secret(by, value) : SECRECY_NONE, one;
	json_object_foreach((json_t *)(uintptr_t)value, name, member)
	{
		one = most_secret(by, member);
		most = one > most ? one : most;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		one = most_secret(by, json_array_get(value, i));
		most = one > most ? one : most;
	}
	return most;
}

/* --- the same JSON, with nulls --- */

struct redacting {
	const struct redactor *by;
	unsigned how;
	struct text *out;
};

/* The case or alert that a value is a part of. */
struct around {
	enum secrecy secrecy;
	bool unverified; /* a case: whoever is named in it is not named by a finding */
};

/* Members by which one thing names a case. */
static bool is_reference(const char *name)
{
	static const char *const names[] = {"case", "other", "merged_into"};
	return is_one_of(name, names, sizeof names / sizeof names[0]);
}

static bool is_personal(const struct redacting *r, const json_t *object, const char *name)
{
	if (is_one_of(name, personal, sizeof personal / sizeof personal[0]))
		return true;
	if (strcmp(name, "reason") == 0)
		return (r->how & REDACT_REMARKS) != 0;
	return strcmp(name, "name") == 0 && /* of an attachment */
	       json_object_get(object, "sha256") != NULL;
}

static bool is_null(const struct redacting *r, const json_t *object, const char *name,
		    const json_t *value, struct around around)
{
	if (json_is_object(value) || json_is_array(value) || is_ours(name, value))
		return false;
	if (around.secrecy == SECRECY_ALL)
		return !is_one_of(name, course, sizeof course / sizeof course[0]);
	if (json_is_integer(value) && is_reference(name))
		return of_other(r->by, json_integer_value(value)) == SECRECY_ALL;
	if (!json_is_string(value))
		return false;
	if (is_personal(r, object, name))
		return true;
	/* an event's is that of its data */
	if (strcmp(name, "subject") == 0 && json_object_get(object, "specversion") != NULL)
		return most_secret(r->by, object) == SECRECY_ALL;
	if (around.unverified && secrecy_in(r->by->plan, json_string_value(value)))
		return true;
	/* the unit of a case or an alert itself is that of its values */
	return around.secrecy == SECRECY_NAMES &&
	       is_one_of(name, naming, sizeof naming / sizeof naming[0]) &&
	       !((is_case(object) || is_alert(object)) && strcmp(name, "unit") == 0);
}

static void write_value(const struct redacting *r, const json_t *value, struct around around);

static struct around around_of(const struct redacting *r, const json_t *object, struct around outer)
{
	enum secrecy own = secret(r->by, object);
	outer.secrecy = own > outer.secrecy ? own : outer.secrecy;
	outer.unverified |= json_is_false(json_object_get(object, "verified"));
	return outer;
}

static void write_object(const struct redacting *r, json_t *object, struct around around)
{
	const char *name, *comma = "";
	json_t *value;
	around = around_of(r, object, around);
	text_char(r->out, '{');
	json_object_foreach(object, name, value)
	{
		text_add(r->out, comma);
		text_json(r->out, name);
		text_char(r->out, ':');
		if (is_null(r, object, name, value, around))
			text_add(r->out, "null");
		else
			write_value(r, value, around);
		comma = ",";
	}
	text_char(r->out, '}');
}

/* A link between two cases would name the one by the other. */
static bool is_left_out(const struct redacting *r, const json_t *link, struct around around)
{
	const json_t *other = json_object_get(link, "case");
	return json_object_get(link, "relation") != NULL && json_is_integer(other) &&
	       (around.secrecy == SECRECY_ALL ||
		of_other(r->by, json_integer_value(other)) == SECRECY_ALL);
}

static void write_array(const struct redacting *r, const json_t *array, struct around around)
{
	const char *comma = "";
	text_char(r->out, '[');
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *value = json_array_get(array, i);
		if (is_left_out(r, value, around))
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

static bool whose_in(void *ledger, int64_t id, struct case_whose *out)
{
	return ledger_case_whose(ledger, id, out) == 0;
}

struct redactor redactor_of(const struct plan *plan, struct ledger *ledger)
{
	return (struct redactor){plan, whose_in, ledger};
}

bool redact_withholds(const struct redactor *by, const char *json)
{
	json_t *whole = json_loads(json, JSON_DECODE_ANY, NULL);
	bool withholds = whole == NULL || most_secret(by, whole) != SECRECY_NONE;
	json_decref(whole);
	return withholds;
}

bool redact(const struct redactor *by, unsigned how, struct text *json)
{
	struct text out = {0};
	const struct redacting r = {.by = by, .how = how, .out = &out};
	json_t *whole =
		json->at == NULL ? NULL : json_loadb(json->at, json->length, JSON_DECODE_ANY, NULL);
	if (whole != NULL)
		write_value(&r, whole, (struct around){SECRECY_NONE, false});
	bool good = whole != NULL && !out.failed;
	json_decref(whole);
	text_deinit(json);
	if (good)
		*json = out;
	else
		text_deinit(&out);
	return good;
}
