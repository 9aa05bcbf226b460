/* SPDX-License-Identifier: Apache-2.0 */
#include "config/cases.h"
#include "config/dates.h"
#include "config/catalogue.h"
#include "config/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const site_kinds[CONFIG_SITE_KINDS] = {
	"river_section", "water_source", "outfall", "air", "soil", "noise"};

/* --- terms --- */

bool config_term_read(const char *text, struct config_term *out)
{
	static const struct {
		const char *name;
		enum config_term_unit unit;
		int factor;
	} units[] = {
		{"min", CONFIG_TERM_MINUTES, 1},
		{"h", CONFIG_TERM_MINUTES, 60},
		{"d", CONFIG_TERM_DAYS, 1},
		{"wd", CONFIG_TERM_WORKDAYS, 1},
	};
	size_t digits = strspn(text, "0123456789");
	*out = (struct config_term){0};
	if (strcmp(text, "half") == 0) {
		out->unit = CONFIG_TERM_HALF;
		return true;
	}
	for (size_t i = 0; digits > 0 && digits <= 4 && i < COUNT(units); i++)
		if (strcmp(text + digits, units[i].name) == 0) {
			out->unit = units[i].unit;
			out->n = atoi(text) * units[i].factor;
		}
	return out->n > 0;
}

static const char *check_reminder(const char *text)
{
	struct config_term term;
	return config_term_read(text, &term) ? NULL
					     : "use a whole number with min, h, d or wd (working "
					       "days), such as 30min, 24h, "
					       "30d or 5wd; a reminder may be half";
}

static const char *check_term(const char *text)
{
	struct config_term term;
	return config_term_read(text, &term) && term.unit != CONFIG_TERM_HALF
		       ? NULL
		       : "use a whole number with min, h, d or wd (working days), such as 30min, "
			 "24h, "
			 "30d or 5wd";
}

/* What one group of terms is read into. */
struct terms_entry {
	char *stage[CONFIG_STAGES], *planned, *longest, *extended;
	struct texts remind, escalate;
};

#define AT(member) offsetof(struct terms_entry, member)
#define TERM(name, member)                                                                         \
	{                                                                                          \
		name, FIELD_TEXT, .offset = AT(member), .check = check_term                        \
	}
static const struct field terms_fields[] = {
	TERM("verify", stage[0]),
	TERM("assign", stage[1]),
	TERM("plan", stage[2]),
	TERM("rectify", stage[3]),
	TERM("check", stage[4]),
	TERM("planned", planned),
	TERM("longest", longest),
	TERM("extended", extended),
	{"remind", FIELD_TEXTS, .offset = AT(remind), .check = check_reminder},
	{"escalate", FIELD_TEXTS, .offset = AT(escalate), .check = check_term},
	{"serious", FIELD_LATER, .offset = NOWHERE, .only = 1},
	{"grave", FIELD_LATER, .offset = NOWHERE, .only = 1},
};
#undef AT
/* The terms of a kind of site hold those of its graver cases; these hold no others. */
static const char *const terms_variants[] = {"a kind of site", "a severity", NULL};
static const struct schema terms_schema = {"deadlines", terms_variants, terms_fields,
					   COUNT(terms_fields)};

static void take_term(const char *text, struct config_term *out)
{
	struct config_term term;
	if (text && config_term_read(text, &term))
		*out = term;
}

static void take_list(struct walk *walk, const config_setting_t *group, const char *key,
		      const struct texts *texts, struct config_term out[2], bool *said)
{
	if (!schema_has(group, key))
		return;
	*said = true;
	if (texts->n > 2)
		FAULT(walk, schema_key(group, key), "%s holds %zu terms; at most 2", key, texts->n);
	for (size_t i = 0; i < texts->n && i < 2; i++)
		take_term(texts->at[i], &out[i]);
}

static void read_terms(struct walk *walk, const config_setting_t *group, unsigned variant,
		       struct config_terms *out)
{
	struct terms_entry entry = {.planned = NULL};
	schema_read(walk, &terms_schema, group, variant, &entry);
	if (config_setting_type(group) == CONFIG_TYPE_GROUP) {
		for (int i = 0; i < CONFIG_STAGES; i++)
			take_term(entry.stage[i], &out->stage[i]);
		take_term(entry.planned, &out->planned);
		take_term(entry.longest, &out->longest);
		take_term(entry.extended, &out->extended);
		take_list(walk, group, "remind", &entry.remind, out->remind, &out->reminds);
		take_list(walk, group, "escalate", &entry.escalate, out->escalate, &out->escalates);
	}
	schema_free(&terms_schema, &entry);
}

static void read_kind(struct walk *walk, const config_setting_t *group, struct config_terms out[3])
{
	static const char *const severities[] = {NULL, "serious", "grave"};
	read_terms(walk, group, 1, &out[0]);
	for (int i = 1; i < 3; i++) {
		const config_setting_t *part =
			config_setting_type(group) == CONFIG_TYPE_GROUP
				? config_setting_get_member(group, severities[i])
				: NULL;
		if (part)
			read_terms(walk, part, 2, &out[i]);
	}
}

/* --- days off --- */

static int64_t day_of(const char *date)
{
	int year = atoi(date), month = atoi(date + 5), day = atoi(date + 8);
	year -= month <= 2; /* days_from_civil(), for the years of our time */
	int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return 365 * (int64_t)year + year / 4 - year / 100 + year / 400 + of_year - 719468;
}

static int by_day(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
	return (one > other) - (one < other);
}

static void add_days(struct walk *walk, const struct texts *dates, struct config_days *days)
{
	int64_t *grown = realloc(days->at, (days->n + dates->n + 1) * sizeof(*grown));
	if (!grown) {
		walk->faults->no_memory = true;
		return;
	}
	days->at = grown;
	for (size_t i = 0; i < dates->n; i++)
		days->at[days->n++] = day_of(dates->at[i]);
	qsort(days->at, days->n, sizeof(*days->at), by_day);
}

struct year_entry {
	char *source;
	struct texts off, work;
};
static const struct field year_fields[] = {
	{"year", FIELD_INT, .offset = NOWHERE, .low = 2000, .high = 9999, .required = EVERY},
	{"source", FIELD_TEXT, .offset = offsetof(struct year_entry, source), .required = EVERY},
	{"off", FIELD_TEXTS, .offset = offsetof(struct year_entry, off), .check = check_date,
	 .required = EVERY},
	{"work", FIELD_TEXTS, .offset = offsetof(struct year_entry, work), .check = check_date},
};
static const struct schema year_schema = {"a year's days off", NULL, year_fields,
					  COUNT(year_fields)};
static const struct field days_fields[] = {
	{"holidays", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema days_schema = {"a file of days off", NULL, days_fields, 1};

static void read_days(void *context, struct walk *walk)
{
	struct config_cases *cases = context;
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	schema_read(walk, &days_schema, root, 0, NULL);
	free(cases->days_file);
	cases->days_file = schema_copy(walk, walk->file);
	cases->days_line = document_line(walk->document, schema_key(root, "holidays"));
	size_t n = schema_length(walk, root, "holidays");
	for (size_t i = 0; i < n; i++) {
		struct year_entry entry = {.source = NULL};
		schema_read(walk, &year_schema, schema_element(root, "holidays", i), 0, &entry);
		add_days(walk, &entry.off, &cases->off);
		add_days(walk, &entry.work, &cases->work);
		schema_free(&year_schema, &entry);
	}
}

static void read_holidays(struct walk *walk, struct config_cases *cases, const char *data)
{
	char *folder = data ? reader_join(data, "holidays") : NULL;
	char **names;
	size_t n;
	if (folder && reader_list(walk->reader, folder, &names, &n) == 0) {
		reader_free_names(names, n);
		data_files(data, "holidays", walk->reader, walk->faults, read_days, cases);
	}
	free(folder);
}

/* --- deadlines --- */

struct deadlines_entry {
	struct texts off, work;
	int fault_shelve_workdays;
};
static const struct field deadlines_fields[] = {
	{"river_section", FIELD_LATER, .offset = NOWHERE},
	{"water_source", FIELD_LATER, .offset = NOWHERE},
	{"outfall", FIELD_LATER, .offset = NOWHERE},
	{"air", FIELD_LATER, .offset = NOWHERE},
	{"soil", FIELD_LATER, .offset = NOWHERE},
	{"noise", FIELD_LATER, .offset = NOWHERE},
	{"off", FIELD_TEXTS, .offset = offsetof(struct deadlines_entry, off), .check = check_date},
	{"work", FIELD_TEXTS, .offset = offsetof(struct deadlines_entry, work),
	 .check = check_date},
	{"fault_shelve_workdays", FIELD_INT,
	 .offset = offsetof(struct deadlines_entry, fault_shelve_workdays), .low = 0, .high = 60},
};
static const struct schema deadlines_schema = {"deadlines", NULL, deadlines_fields,
					       COUNT(deadlines_fields)};

static void read_deadlines(struct walk *walk, struct config_cases *cases,
			   const config_setting_t *group)
{
	struct deadlines_entry entry = {.fault_shelve_workdays = cases->fault_shelve_workdays};
	schema_read(walk, &deadlines_schema, group, 0, &entry);
	if (config_setting_type(group) == CONFIG_TYPE_GROUP) {
		for (int kind = 0; kind < CONFIG_SITE_KINDS; kind++) {
			const config_setting_t *part =
				config_setting_get_member(group, site_kinds[kind]);
			if (part)
				read_kind(walk, part, cases->terms[kind]);
		}
		add_days(walk, &entry.off, &cases->off);
		add_days(walk, &entry.work, &cases->work);
	}
	cases->fault_shelve_workdays = entry.fault_shelve_workdays;
	schema_free(&deadlines_schema, &entry);
}

/* --- closing --- */

#define AT(member) offsetof(struct config_cases, closing.member)
static const struct field closing_fields[] = {
	{"clear", FIELD_BOOL, .offset = AT(clear)},
	{"other_person", FIELD_BOOL, .offset = AT(other_person)},
	{"checkers", FIELD_INT, .offset = AT(checkers), .low = 0, .high = 20},
	{"record", FIELD_BOOL, .offset = AT(record)},
	{"attachments", FIELD_INT, .offset = AT(attachments), .low = 0, .high = 100},
	{"approval", FIELD_BOOL, .offset = AT(approval)},
	{"five_ones", FIELD_BOOL, .offset = AT(five_ones)},
	{"steps", FIELD_BOOL, .offset = AT(steps)},
	{"laboratory", FIELD_BOOL, .offset = AT(laboratory)},
	{"release", FIELD_BOOL, .offset = AT(release)},
	{"compliant_days", FIELD_LATER, .offset = NOWHERE},
};
#undef AT
static const struct schema closing_schema = {"closing", NULL, closing_fields,
					     COUNT(closing_fields)};

#define DAYS(name, kind)                                                                           \
	{                                                                                          \
		name, FIELD_INT,                                                                   \
			.offset = offsetof(struct config_cases, closing.compliant_days[kind]),     \
			.low = 0, .high = 366                                                      \
	}
static const struct field compliant_fields[] = {
	DAYS("river_section", CONFIG_RIVER_SECTION),
	DAYS("water_source", CONFIG_WATER_SOURCE),
	DAYS("outfall", CONFIG_OUTFALL),
	DAYS("air", CONFIG_AIR),
	DAYS("soil", CONFIG_SOIL),
	DAYS("noise", CONFIG_NOISE),
};
static const struct schema compliant_schema = {"compliant_days", NULL, compliant_fields,
					       COUNT(compliant_fields)};

static void read_closing(struct walk *walk, struct config_cases *cases,
			 const config_setting_t *group)
{
	schema_read(walk, &closing_schema, group, 0, cases);
	const config_setting_t *days = config_setting_type(group) == CONFIG_TYPE_GROUP
					       ? config_setting_get_member(group, "compliant_days")
					       : NULL;
	if (days)
		schema_read(walk, &compliant_schema, days, 0, cases);
}

/* --- officers and roles --- */

static const char *const role_names[] = {"handler", "inspector", "leader"};

static unsigned roles_of(struct walk *walk, const config_setting_t *list, const char *key,
			 const struct texts *names)
{
	unsigned roles = 0;
	for (size_t i = 0; i < names->n; i++) {
		size_t role = 0;
		while (role < COUNT(role_names) && strcmp(role_names[role], names->at[i]) != 0)
			role++;
		if (role < COUNT(role_names))
			roles |= 1u << role;
		else
			FAULT(walk, list,
			      "%s holds \"%s\", which is no role; there are \"handler\", "
			      "\"inspector\", \"leader\"",
			      key, names->at[i]);
	}
	return roles;
}

struct officer_entry {
	struct config_officer officer;
	struct texts roles;
};
#define AT(member) offsetof(struct officer_entry, officer.member)
static const struct field officer_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"name", FIELD_TEXT, .offset = AT(name), .required = EVERY, .low = 1, .high = 200},
	{"user", FIELD_TEXT, .offset = AT(user), .low = 1, .high = 32},
	{"roles", FIELD_TEXTS, .offset = offsetof(struct officer_entry, roles), .required = EVERY},
};
#undef AT
static const struct schema officer_schema = {"an officer", NULL, officer_fields,
					     COUNT(officer_fields)};

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* A name, an id and a user each mean one person. */
static void check_officer(struct walk *walk, const struct config_cases *cases,
			  const config_setting_t *group, const struct config_officer *officer)
{
	for (size_t i = 0; i < cases->n_officers; i++) {
		const struct config_officer *other = &cases->officers[i];
		const char *key =
			same(officer->id, other->id) || same(officer->id, other->name) ? "id"
			: same(officer->name, other->name) || same(officer->name, other->id)
				? "name"
			: same(officer->user, other->user) ? "user"
							   : NULL;
		if (key)
			FAULT(walk, schema_key(group, key),
			      "%s is that of officer \"%s\", too; give each its own", key,
			      other->id);
	}
}

static void read_officer(struct walk *walk, struct config_cases *cases,
			 const config_setting_t *group)
{
	struct officer_entry entry = {.officer = {.id = NULL}};
	schema_read(walk, &officer_schema, group, 0, &entry);
	if (config_setting_type(group) == CONFIG_TYPE_GROUP) {
		check_officer(walk, cases, group, &entry.officer);
		entry.officer.roles =
			roles_of(walk, schema_key(group, "roles"), "roles", &entry.roles);
		if (schema_has(group, "roles") && entry.roles.n == 0)
			FAULT(walk, schema_key(group, "roles"),
			      "roles is empty; name at least one");
	}
	cases->officers[cases->n_officers++] = entry.officer;
	schema_free(&officer_schema, &(struct officer_entry){.roles = entry.roles});
}

static void read_officers(struct walk *walk, struct config_cases *cases,
			  const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "officers");
	cases->officers = calloc(n + 1, sizeof(*cases->officers));
	if (!cases->officers)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_officer(walk, cases, schema_element(root, "officers", i));
}

const char *const config_deeds[CONFIG_DEEDS] = {
	"accept",   "assign", "plan",     "rectified",   "return",   "close",  "reopen",
	"withdraw", "extend", "transfer", "merge",       "feedback", "attach", "note",
	"link",     "level",  "open",     "acknowledge", "shelve",   "mark"};

static void read_roles(struct walk *walk, struct config_cases *cases, const config_setting_t *group)
{
	struct texts names[CONFIG_DEEDS] = {{.n = 0}};
	struct field fields[CONFIG_DEEDS];
	const struct schema schema = {"roles", NULL, fields, CONFIG_DEEDS};
	for (size_t i = 0; i < CONFIG_DEEDS; i++)
		fields[i] = (struct field){.name = config_deeds[i],
					   .type = FIELD_TEXTS,
					   .offset = i * sizeof(names[0])};
	schema_read(walk, &schema, group, 0, names);
	for (size_t i = 0; i < CONFIG_DEEDS; i++)
		if (names[i].n > 0)
			cases->may[i] = roles_of(walk, schema_key(group, config_deeds[i]),
						 config_deeds[i], &names[i]);
	schema_free(&schema, names);
}

/* --- duty --- */

static const char *check_minute(const char *text)
{
	return minute_of_day(text) >= 0 ? NULL : "use a time of the day, such as 08:30";
}

struct duty_entry {
	struct texts people;
	char *change_at, *digest_at;
	int rotate, next_min, source_next_min;
};
static const char *const rotations[] = {"day", "week", "none", NULL};
#define AT(member) offsetof(struct duty_entry, member)
static const struct field duty_fields[] = {
	{"people", FIELD_TEXTS, .offset = AT(people), .low = 1, .high = 200, .required = EVERY},
	{"rotate", FIELD_CHOICE, .offset = AT(rotate), .choices = rotations},
	{"change_at", FIELD_TEXT, .offset = AT(change_at), .check = check_minute},
	{"digest_at", FIELD_TEXT, .offset = AT(digest_at), .check = check_minute},
	{"next_min", FIELD_INT, .offset = AT(next_min), .low = 1, .high = 1440},
	{"source_next_min", FIELD_INT, .offset = AT(source_next_min), .low = 1, .high = 1440},
};
#undef AT
static const struct schema duty_schema = {"duty", NULL, duty_fields, COUNT(duty_fields)};

static void read_duty(struct walk *walk, struct config_cases *cases, const config_setting_t *group)
{
	struct duty_entry entry = {.next_min = 30, .source_next_min = 15};
	struct config_duty *duty = &cases->duty;
	schema_read(walk, &duty_schema, group, 0, &entry);
	*duty = (struct config_duty){
		.people = entry.people.at,
		.n = entry.people.n,
		.rotate = entry.rotate,
		.change_min = minute_of_day(entry.change_at ? entry.change_at : "08:30"),
		.digest_min = minute_of_day(entry.digest_at ? entry.digest_at : "08:30"),
		.next_min = entry.next_min,
		.source_next_min = entry.source_next_min,
	};
	if (config_setting_type(group) == CONFIG_TYPE_GROUP && schema_has(group, "people") &&
	    duty->n == 0)
		FAULT(walk, schema_key(group, "people"), "people is empty; name at least one");
	entry.people = (struct texts){.n = 0}; /* kept */
	schema_free(&duty_schema, &entry);
}

void cases_read(struct walk *walk, struct config_cases *cases, const char *data,
		const config_setting_t *root)
{
	static const struct {
		const char *key;
		void (*read)(struct walk *walk, struct config_cases *cases,
			     const config_setting_t *group);
	} parts[] = {{"deadlines", read_deadlines},
		     {"closing", read_closing},
		     {"roles", read_roles},
		     {"duty", read_duty}};
	*cases = (struct config_cases){
		.fault_shelve_workdays = 5,
		.closing = {.clear = true,
			    .other_person = true,
			    .record = true,
			    .approval = true,
			    .five_ones = true,
			    .steps = true,
			    .laboratory = true,
			    .release = true,
			    .checkers = 2,
			    .attachments = 1,
			    .compliant_days = {[CONFIG_RIVER_SECTION] = 7,
					       [CONFIG_WATER_SOURCE] = 3,
					       [CONFIG_OUTFALL] = 3}},
	};
	read_holidays(walk, cases, data);
	severity_read(walk, &cases->severity, root);
	for (size_t i = 0; i < COUNT(parts); i++) {
		const config_setting_t *group = config_setting_get_member(root, parts[i].key);
		if (group)
			parts[i].read(walk, cases, group);
		cases->set |= group != NULL;
	}
	read_officers(walk, cases, root);
	cases->set |= cases->n_officers > 0;
}

void cases_free(struct config_cases *cases)
{
	for (size_t i = 0; i < cases->n_officers; i++) {
		free(cases->officers[i].id);
		free(cases->officers[i].name);
		free(cases->officers[i].user);
	}
	free(cases->officers);
	for (size_t i = 0; i < cases->duty.n; i++)
		free(cases->duty.people[i]);
	free(cases->duty.people);
	free(cases->days_file);
	free(cases->off.at);
	free(cases->work.at);
}
