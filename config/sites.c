/* SPDX-License-Identifier: Apache-2.0 */
#include "config/sites.h"
#include "config/checks.h"
#include "config/classes.h"
#include "config/limits.h"
#include "config/loads.h"
#include "config/monitors.h"
#include "config/origin.h"
#include "config/units.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define YEAR_S 31622400.0
#define NOT_SAID (-1.0)
#define RAIN "a-rain"

struct site_entry {
	struct config_site site;
	int kind, target_class, water_body;
	struct monitor_defaults monitors;
	char *mark_until; /* limits look for it themselves */
};

const char *const site_kinds[] = {"river_section", "water_source", "outfall", "air",
				  "soil",          "noise",        NULL};
static const char *const section_classes[] = {"I", "II", "III", "IV", "V", NULL};
static const char *const water_bodies[] = {"river", "lake", NULL};
/* Kinds of alerts, numbered as in core/plan.h. */
static const char *const alerts[] = {"warning", "exceedance",   "stale", "flat",       "step",
				     "clue",    "undetermined", "fault", "connection", "load"};
enum { ALERT_EXCEEDANCE = 1, ALERT_LOAD = 9 };

#define AT(member) offsetof(struct site_entry, site.member)
static const struct field site_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"name", FIELD_TEXT, .offset = AT(name)},
	{"kind", FIELD_CHOICE, .offset = offsetof(struct site_entry, kind), .required = EVERY,
	 .choices = site_kinds},
	{"river", FIELD_TEXT, .offset = AT(river)},
	{"longitude", FIELD_NUMBER, .offset = AT(longitude), .low = -180, .high = 180},
	{"latitude", FIELD_NUMBER, .offset = AT(latitude), .low = -90, .high = 90},
	{"grid", FIELD_LATER, .offset = NOWHERE},
	{"responsible", FIELD_LATER, .offset = NOWHERE},
	{"enterprise", FIELD_LATER, .offset = NOWHERE},
	{"river_chief", FIELD_TEXT, .offset = AT(parties.river_chief)},
	{"stale_after_s", FIELD_NUMBER,
	 .offset = offsetof(struct site_entry, monitors.stale_after_s), .low = 0, .high = YEAR_S},
	{"flat_after_s", FIELD_NUMBER, .offset = offsetof(struct site_entry, monitors.flat_after_s),
	 .low = 0, .high = YEAR_S},
	{"mark_until", FIELD_TEXT, .offset = offsetof(struct site_entry, mark_until),
	 .check = check_mark_until},
	{"upstream_of", FIELD_TEXT, .offset = AT(upstream_of)},
	{"rain_site", FIELD_TEXT, .offset = AT(rain_site)},
	{"travel_h", FIELD_NUMBER, .offset = AT(travel_h), .low = 0, .high = 720, .open = true},
	{"join_h", FIELD_NUMBER, .offset = AT(join_h), .low = 0, .high = 720},
	{"target_class", FIELD_CHOICE, .offset = offsetof(struct site_entry, target_class),
	 .choices = section_classes},
	{"water_body", FIELD_CHOICE, .offset = offsetof(struct site_entry, water_body),
	 .choices = water_bodies},
	{"flow_factor", FIELD_TEXT, .offset = AT(flow_factor), .check = check_factor},
	{"flow_gate", FIELD_LATER, .offset = NOWHERE},
	{"flow_wait_s", FIELD_NUMBER, .offset = AT(flow_wait_s), .low = 0, .high = 60},
	{"practice", FIELD_TEXT, .offset = AT(practice)},
	{"clues", FIELD_LATER, .offset = NOWHERE},
	{"opens", FIELD_LATER, .offset = NOWHERE},
	{"monitors", FIELD_LATER, .offset = NOWHERE},
};
static const struct schema site_schema = {"a site", NULL, site_fields, COUNT(site_fields)};

static const struct field grid_fields[] = {
	{"subdistrict", FIELD_TEXT, .offset = AT(subdistrict)},
	{"community", FIELD_TEXT, .offset = AT(community)},
	{"officer", FIELD_TEXT, .offset = AT(parties.officer)},
};
static const struct schema grid_schema = {"a grid", NULL, grid_fields, COUNT(grid_fields)};

enum { FLOW_WAIT_S = 2 }; /* longer than a message or a reply takes behind another */

struct gate_entry {
	char *factor;
	double below, for_s;
};
static const struct field gate_fields[] = {
	{"factor", FIELD_TEXT, .offset = offsetof(struct gate_entry, factor),
	 .check = check_factor},
	{"below", FIELD_NUMBER, .offset = offsetof(struct gate_entry, below), .required = EVERY},
	{"for_s", FIELD_NUMBER, .offset = offsetof(struct gate_entry, for_s), .low = 0,
	 .high = YEAR_S},
};
static const struct schema gate_schema = {"a flow_gate", NULL, gate_fields, COUNT(gate_fields)};

static const struct field responsible_fields[] = {
	{"unit", FIELD_TEXT, .offset = AT(unit)},
	{"leader", FIELD_TEXT, .offset = AT(leader)},
	{"team", FIELD_TEXT, .offset = AT(team)},
	{"phone", FIELD_TEXT, .offset = AT(phone)},
	{"support_units", FIELD_TEXT, .offset = AT(parties.support_units)},
	{"territory", FIELD_TEXT, .offset = AT(parties.territory)},
	{"contact", FIELD_TEXT, .offset = AT(parties.contact)},
	{"appointed_by", FIELD_TEXT, .offset = AT(parties.appointed_by)},
	{"valid_until", FIELD_TEXT, .offset = AT(parties.valid_until), .check = check_date},
};
static const struct schema responsible_schema = {"responsible", NULL, responsible_fields,
						 COUNT(responsible_fields)};

static const struct field enterprise_fields[] = {
	{"name", FIELD_TEXT, .offset = AT(parties.enterprise), .required = EVERY},
	{"credit_code", FIELD_TEXT, .offset = AT(parties.credit_code)},
	{"permit_no", FIELD_TEXT, .offset = AT(parties.permit_no)},
	{"outlet", FIELD_TEXT, .offset = AT(parties.outlet)},
};
static const struct schema enterprise_schema = {"enterprise", NULL, enterprise_fields,
						COUNT(enterprise_fields)};
#undef AT

static size_t id_hash(const struct config *config, const char *id)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (; *id; id++)
		hash = (hash ^ (unsigned char)*id) * 16777619u;
	return hash % COUNT(config->by_id);
}

size_t connection_index(const struct config *config, const char *id)
{
	uint32_t place = config->by_id[id_hash(config, id)];
	while (place > 0 && strcmp(config->connections[place - 1].id, id) != 0)
		place = config->connections[place - 1].alike;
	return place > 0 ? place - 1 : SIZE_MAX;
}

void connection_add(struct config *config, const struct config_connection *connection)
{
	struct config_connection *added = &config->connections[config->n_connections++];
	*added = *connection;
	if (!added->id)
		return;
	uint32_t *last = &config->by_id[id_hash(config, added->id)];
	added->alike = *last;
	*last = (uint32_t)config->n_connections;
}

void unknown_connection(struct walk *walk, const struct config *config,
			const config_setting_t *setting, const char *id)
{
	const char *names[30];
	size_t n = 0;
	for (size_t i = 0; i < config->n_connections && n < COUNT(names); i++)
		if (config->connections[i].id)
			names[n++] = config->connections[i].id;
	char *known = listed(names, n);
	FAULT(walk, setting, "connection \"%s\" does not exist; defined are %s", id,
	      known ? known : "others");
	free(known);
}

static void read_opens(struct walk *walk, const config_setting_t *group, struct config_site *site)
{
	struct texts names = {0};
	static const struct field field = {"opens", FIELD_TEXTS, .offset = 0};
	static const struct schema schema = {"opens", NULL, &field, 1};
	site->opens = 1u << ALERT_EXCEEDANCE | 1u << ALERT_LOAD;
	const config_setting_t *list = config_setting_get_member(group, "opens");
	if (!list || !schema_texts(walk, &field, list, &names))
		goto out;
	site->opens = 0;
	for (size_t i = 0; i < names.n; i++) {
		size_t kind = 0;
		while (kind < COUNT(alerts) && strcmp(alerts[kind], names.at[i]) != 0)
			kind++;
		if (kind < COUNT(alerts)) {
			site->opens |= 1u << kind;
			continue;
		}
		char *known = listed(alerts, COUNT(alerts));
		FAULT(walk, list, "opens holds \"%s\", which is no kind of alert; there are %s",
		      names.at[i], known ? known : "others");
		free(known);
	}
out:
	schema_free(&schema, &names);
}

static void check_place(struct walk *walk, const config_setting_t *group, struct config_site *site)
{
	bool longitude = schema_has(group, "longitude"), latitude = schema_has(group, "latitude");
	site->has_place = longitude && latitude;
	if (longitude != latitude)
		FAULT(walk, schema_key(group, longitude ? "longitude" : "latitude"),
		      "key \"%s\" is missing beside %s", longitude ? "latitude" : "longitude",
		      longitude ? "longitude" : "latitude");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void check_site_id(struct walk *walk, void **ids, const config_setting_t *group,
			  const struct config_site *site)
{
	const void *const *found = site->id ? tsearch(site->id, ids, by_name) : NULL;
	if (site->id && !found)
		walk->faults->no_memory = true;
	if (found && *found != site->id)
		FAULT(walk, schema_key(group, "id"),
		      "site \"%s\" is defined twice; give each its own id", site->id);
}

static void read_part(struct walk *walk, const struct schema *schema, const config_setting_t *group,
		      const char *key, struct site_entry *entry)
{
	const config_setting_t *part = config_setting_get_member(group, key);
	if (part)
		schema_read(walk, schema, part, 0, entry);
}

static size_t site_index(const struct config *config, const char *id)
{
	size_t i = 0;
	while (i < config->n_sites &&
	       (!config->sites[i].id || strcmp(config->sites[i].id, id) != 0))
		i++;
	return i;
}

/* A site flows into another one, known once all are read. */
static void check_upstream(struct walk *walk, const struct config *config,
			   const config_setting_t *group, const struct config_site *site)
{
	if (!site->upstream_of && site->travel_h > 0)
		FAULT(walk, schema_key(group, "travel_h"),
		      "travel_h stands only beside upstream_of");
	if (!site->upstream_of)
		return;
	if (site_index(config, site->upstream_of) == config->n_sites ||
	    (site->id && strcmp(site->upstream_of, site->id) == 0))
		FAULT(walk, schema_key(group, "upstream_of"),
		      "upstream_of = \"%s\" is no other site; name the id of one further down",
		      site->upstream_of);
	if (site->travel_h == 0)
		FAULT(walk, schema_key(group, "upstream_of"),
		      "key \"travel_h\" is missing beside upstream_of");
}

static bool measures(const struct config_site *site, const char *factor)
{
	for (size_t i = 0; i < site->n_monitors; i++) {
		const char *code = site->monitors[i].factor.code;
		if (code && strcmp(code, factor) == 0)
			return true;
	}
	return false;
}

/* The rain of a site is measured at another one, known once all are read. */
static void check_rain(struct walk *walk, const struct config *config,
		       const config_setting_t *group, const struct config_site *site)
{
	size_t at = site->rain_site ? site_index(config, site->rain_site) : config->n_sites;
	if (!site->rain_site)
		return;
	if (at == config->n_sites)
		FAULT(walk, schema_key(group, "rain_site"),
		      "rain_site = \"%s\" is no site; name the id of the one with the rain gauge",
		      site->rain_site);
	else if (!measures(&config->sites[at], RAIN))
		FAULT(walk, schema_key(group, "rain_site"),
		      "rain_site = \"%s\" has no monitor of factor \"" RAIN "\"", site->rain_site);
}

/* The gate speaks of one flow monitor, and so does the weight of means. */
static void read_gate(struct walk *walk, const config_setting_t *group, struct config_site *site)
{
	const config_setting_t *part = config_setting_get_member(group, "flow_gate");
	struct gate_entry gate = {0};
	if (!part)
		return;
	schema_read(walk, &gate_schema, part, 0, &gate);
	if (gate.factor && site->flow_factor && strcmp(gate.factor, site->flow_factor) != 0)
		FAULT(walk, schema_key(part, "factor"),
		      "factor \"%s\" is not the site's flow_factor \"%s\"; a site has one",
		      gate.factor, site->flow_factor);
	site->has_gate = true;
	site->gate_below = gate.below;
	site->gate_for_s = gate.for_s;
	schema_free(&gate_schema, &gate);
}

static void check_gate(struct walk *walk, const config_setting_t *group,
		       const struct config_site *site)
{
	const char *key = schema_has(group, "flow_gate") ? "flow_gate" : "flow_factor";
	if (!site->flow_factor || !schema_has(group, key) || measures(site, site->flow_factor))
		return;
	FAULT(walk, schema_key(group, key), "%s needs a monitor of factor \"%s\" at this site", key,
	      site->flow_factor);
}

/* Without it what stands still in the pipe is judged, and nobody looks whether it does. A counter
 * of volume can have none. */
static void note_no_gate(struct walk *walk, const config_setting_t *group,
			 const struct config_site *site)
{
	struct conversion c;
	const struct config_monitor *flow = NULL;
	bool others = false;
	for (size_t i = 0; i < site->n_monitors; i++) {
		const struct config_monitor *m = &site->monitors[i];
		flow = loads_is_flow(site, m) ? m : flow;
		others = others || (!loads_is_flow(site, m) && m->gated);
	}
	if (site->kind != CONFIG_OUTFALL || site->has_gate || !flow || !others || !flow->unit ||
	    !unit_conversion("L/s", flow->unit, NULL, &c))
		return;
	NOTE(walk, schema_element(group, "monitors", (size_t)(flow - site->monitors)),
	     "site \"%s\" measures its flow and has no flow_gate: what is measured while nothing "
	     "is "
	     "discharged counts and may be flat, and no clue tells of results that go on; add "
	     "flow_gate = { below = "
	     "...; for_s = 600; }",
	     site->id ? site->id : "?");
}

/* The node's practice is that of each site which has none of its own. */
static void settle_practice(struct walk *walk, const struct sites_context *context,
			    const config_setting_t *group, struct config_site *site)
{
	static const char *const keys[] = {"practice",    "opens",        "flow_gate",
					   "flow_wait_s", "target_class", "join_h"};
	const config_setting_t *node =
		config_setting_get_member(config_root_setting(&walk->document->tree), "node");
	const struct practices *practices = &context->signals->practices;
	practice_check(walk, practices, group);
	if (!site->practice && context->config->practice) {
		site->practice = schema_copy(walk, context->config->practice);
		origins_of_keys(walk, node, keys, 1, site->from);
	}
	origins_of_keys(walk, group, keys, COUNT(keys), site->from);
	practice_settle(walk, practices, site->practice, context->config, group, site);
}

static void read_site(struct walk *walk, const struct sites_context *context, void **ids,
		      const config_setting_t *group)
{
	struct config *config = context->config;
	struct site_entry entry = {.monitors = {NOT_SAID, NOT_SAID}, .target_class = -1};
	struct config_site *site = &entry.site;
	site->flow_wait_s = FLOW_WAIT_S;
	schema_read(walk, &site_schema, group, 0, &entry);
	site->kind = (enum config_site_kind)entry.kind;
	site->target_class = entry.target_class + 1;
	site->lake = entry.water_body == 1;
	check_site_id(walk, ids, group, site);
	if (config_setting_type(group) == CONFIG_TYPE_GROUP) {
		read_part(walk, &grid_schema, group, "grid", &entry);
		read_part(walk, &responsible_schema, group, "responsible", &entry);
		read_part(walk, &enterprise_schema, group, "enterprise", &entry);
		check_place(walk, group, site);
		read_opens(walk, group, site);
		read_gate(walk, group, site);
		if (!site->flow_factor)
			site->flow_factor = schema_copy(walk, site_flow_factor(group));
		monitors_read(walk, context, group, &entry.monitors, site);
		check_gate(walk, group, site);
		settle_practice(walk, context, group, site);
		note_no_gate(walk, group, site);
		clues_read(walk, context->signals, config, group, site);
		loads_settle(walk, group, site);
		classes_settle(walk, context->standards, group, site);
	}
	if (!site->name)
		site->name = schema_copy(walk, site->id);
	free(entry.mark_until);
	config->sites[config->n_sites++] = *site;
}

static void keep_name(void *name)
{
	(void)name;
}

void sites_read(struct walk *walk, const struct sites_context *context,
		const config_setting_t *root)
{
	size_t n = schema_length(walk, root, "sites");
	void *ids = NULL;
	context->config->sites = calloc(n + 1, sizeof(*context->config->sites));
	if (!context->config->sites)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_site(walk, context, &ids, schema_element(root, "sites", i));
	tdestroy(ids, keep_name);
	for (size_t i = 0; i < context->config->n_sites; i++) {
		const config_setting_t *group = schema_element(root, "sites", i);
		check_upstream(walk, context->config, group, &context->config->sites[i]);
		check_rain(walk, context->config, group, &context->config->sites[i]);
	}
}

static void free_parties(struct config_parties *p)
{
	char *const texts[] = {p->support_units, p->territory, p->contact,     p->appointed_by,
			       p->valid_until,   p->officer,   p->river_chief, p->enterprise,
			       p->credit_code,   p->permit_no, p->outlet};
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
}

static void free_site(struct config_site *site)
{
	free_parties(&site->parties);
	for (size_t i = 0; i < site->n_monitors; i++)
		monitor_free(&site->monitors[i]);
	free(site->monitors);
	free(site->id);
	free(site->name);
	free(site->river);
	free(site->upstream_of);
	free(site->rain_site);
	free(site->subdistrict);
	free(site->community);
	free(site->flow_factor);
	free(site->practice);
	free(site->unit);
	free(site->leader);
	free(site->team);
	free(site->phone);
}

void sites_free(struct config *config)
{
	for (size_t i = 0; i < config->n_sites; i++)
		free_site(&config->sites[i]);
	free(config->sites);
}
