/* SPDX-License-Identifier: Apache-2.0 */
#include "config/sites.h"
#include "config/checks.h"
#include "config/classes.h"
#include "config/limits.h"
#include "config/loads.h"
#include "config/registers.h"
#include "config/units.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define YEAR_S 31622400.0
#define NOT_SAID (-1.0)

struct monitor_entry { /* as written */
	struct config_monitor monitor;
	char *factor, *connection, *model, *quantity;
	int base, input;
};

struct site_entry {
	struct config_site site;
	int kind, target_class, water_body;
	double stale_after_s, flat_after_s; /* NOT_SAID, or for all its monitors */
	char *mark_until;                   /* limits look for it themselves */
};

enum { MODBUS = 1u << CONFIG_MODBUS, MQTT = 1u << CONFIG_MQTT, HJ212 = 1u << CONFIG_HJ212 };
enum { MODELLED = HJ212 << 1, REGISTERS = MODBUS | MODELLED };
static const char *const variants[] = {"a modbus connection", "an mqtt connection",
				       "an hj212 connection", "a modbus connection with a model",
				       NULL};

static const char *const kinds[] = {"river_section", "water_source", "outfall", "air",
				    "soil",          "noise",        NULL};
static const char *const section_classes[] = {"I", "II", "III", "IV", "V", NULL};
static const char *const water_bodies[] = {"river", "lake", NULL};
/* Kinds of alerts, numbered as in core/plan.h. */
static const char *const alerts[] = {"warning", "exceedance",   "stale", "flat",       "step",
				     "clue",    "undetermined", "fault", "connection", "load"};
enum { ALERT_EXCEEDANCE = 1, ALERT_LOAD = 9 };

#define ENTRY(member) offsetof(struct monitor_entry, member)
#define AT(member) offsetof(struct monitor_entry, monitor.member)
static const struct field monitor_fields[] = {
	{"factor", FIELD_TEXT, .offset = ENTRY(factor), .required = EVERY, .check = check_factor},
	{"connection", FIELD_TEXT, .offset = ENTRY(connection), .required = EVERY},
	{"unit", FIELD_TEXT, .offset = AT(unit), .low = 0, .high = 32},
	{"unit_id", FIELD_INT, .offset = AT(unit_id), .low = 0, .high = 255, .only = REGISTERS,
	 .required = REGISTERS},
	{"model", FIELD_TEXT, .offset = ENTRY(model), .only = MODELLED},
	{"quantity", FIELD_TEXT, .offset = ENTRY(quantity), .only = MODELLED},
	{"input", FIELD_INT, .offset = ENTRY(input), .low = 1, .high = 1000, .only = MODELLED},
	{"base", FIELD_INT, .offset = ENTRY(base), .low = -65535, .high = 65535, .only = MODELLED},
	REGISTER_FIELDS(REGISTERS, MODBUS),
	{"scale", FIELD_NUMBER, .offset = AT(scale), .only = REGISTERS | MQTT},
	{"offset", FIELD_NUMBER, .offset = AT(offset), .only = REGISTERS | MQTT},
	{"interval_ms", FIELD_INT64, .offset = AT(interval_ms), .low = 10, .high = 604800000,
	 .only = REGISTERS},
	{"topic", FIELD_TEXT, .offset = AT(topic), .low = 1, .high = 65535, .only = MQTT,
	 .required = MQTT, .check = check_topic_filter},
	{"value", FIELD_TEXT, .offset = AT(value), .low = 0, .high = 1000, .only = MQTT,
	 .check = check_pointer},
	{"time", FIELD_TEXT, .offset = AT(time), .low = 0, .high = 1000, .only = MQTT,
	 .check = check_pointer},
	{"flag", FIELD_TEXT, .offset = AT(flag), .low = 0, .high = 1000, .only = MQTT,
	 .check = check_pointer},
	{"mn", FIELD_TEXT, .offset = AT(mn), .only = HJ212, .required = HJ212, .check = check_mn},
	{"range", FIELD_LATER, .offset = NOWHERE},
	{"stale_after_s", FIELD_NUMBER, .offset = AT(stale_after_s), .low = 0, .high = YEAR_S},
	{"flat_after_s", FIELD_NUMBER, .offset = AT(flat_after_s), .low = 0, .high = YEAR_S},
	{"flat_count", FIELD_INT, .offset = AT(flat_count), .low = 0, .high = 1000000},
	{"flat_band", FIELD_NUMBER, .offset = AT(flat_band), .low = 0, .high = 1e15},
	{"detection_limit", FIELD_NUMBER, .offset = AT(detection_limit), .low = 0, .high = 1e15},
	{"max_step", FIELD_NUMBER, .offset = AT(max_step), .low = 0, .high = 1e15},
	{"cycle_s", FIELD_NUMBER, .offset = AT(cycle_s), .low = 0, .high = YEAR_S},
	{"expected_per_hour", FIELD_NUMBER, .offset = AT(expected_per_hour), .low = 0,
	 .high = 3600000},
	{"permit_tonnes_year", FIELD_NUMBER, .offset = AT(permit_tonnes_year), .low = 0,
	 .high = 1e15},
	{"permit_warn_at", FIELD_LATER, .offset = NOWHERE},
	{"rollover", FIELD_NUMBER, .offset = AT(rollover), .low = 0, .high = 1e300, .open = true},
	{"gated", FIELD_BOOL, .offset = AT(gated)},
	{"settle_results", FIELD_INT, .offset = AT(settle_results), .low = 0, .high = 1000},
	{"accepted_on", FIELD_TEXT, .offset = AT(accepted_on), .check = check_date},
	{"last_comparison", FIELD_TEXT, .offset = AT(last_comparison), .check = check_date},
	{"operator", FIELD_TEXT, .offset = AT(operator)},
	{"limits", FIELD_LATER, .offset = NOWHERE},
};
#undef AT
static const struct schema monitor_schema = {"a monitor", variants, monitor_fields,
					     COUNT(monitor_fields)};

#define AT(member) offsetof(struct site_entry, site.member)
static const struct field site_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"name", FIELD_TEXT, .offset = AT(name)},
	{"kind", FIELD_CHOICE, .offset = offsetof(struct site_entry, kind), .required = EVERY,
	 .choices = kinds},
	{"river", FIELD_TEXT, .offset = AT(river)},
	{"longitude", FIELD_NUMBER, .offset = AT(longitude), .low = -180, .high = 180},
	{"latitude", FIELD_NUMBER, .offset = AT(latitude), .low = -90, .high = 90},
	{"grid", FIELD_LATER, .offset = NOWHERE},
	{"responsible", FIELD_LATER, .offset = NOWHERE},
	{"enterprise", FIELD_LATER, .offset = NOWHERE},
	{"river_chief", FIELD_TEXT, .offset = AT(parties.river_chief)},
	{"stale_after_s", FIELD_NUMBER, .offset = offsetof(struct site_entry, stale_after_s),
	 .low = 0, .high = YEAR_S},
	{"flat_after_s", FIELD_NUMBER, .offset = offsetof(struct site_entry, flat_after_s),
	 .low = 0, .high = YEAR_S},
	{"mark_until", FIELD_TEXT, .offset = offsetof(struct site_entry, mark_until),
	 .check = check_mark_until},
	{"upstream_of", FIELD_TEXT, .offset = AT(upstream_of)},
	{"travel_h", FIELD_NUMBER, .offset = AT(travel_h), .low = 0, .high = 720, .open = true},
	{"target_class", FIELD_CHOICE, .offset = offsetof(struct site_entry, target_class),
	 .choices = section_classes},
	{"water_body", FIELD_CHOICE, .offset = offsetof(struct site_entry, water_body),
	 .choices = water_bodies},
	{"flow_factor", FIELD_TEXT, .offset = AT(flow_factor), .check = check_factor},
	{"flow_gate", FIELD_LATER, .offset = NOWHERE},
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

void range_read(struct walk *walk, const config_setting_t *group, struct config_monitor *monitor)
{
	const config_setting_t *list = config_setting_get_member(group, "range");
	if (!list)
		return;
	int type = config_setting_type(list);
	bool pair = (type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY) &&
		    config_setting_length(list) == 2;
	if (!pair || !schema_number(config_setting_get_elem(list, 0), &monitor->range_low) ||
	    !schema_number(config_setting_get_elem(list, 1), &monitor->range_high)) {
		FAULT(walk, list, "range must be a list of two numbers, such as (0, 2000.0)");
		return;
	}
	monitor->has_range = true;
	char low[32], high[32];
	if (monitor->range_low >= monitor->range_high)
		FAULT(walk, list, "range = (%s, %s) must be ascending",
		      number_text(monitor->range_low, low), number_text(monitor->range_high, high));
}

static void check_modbus(struct walk *walk, const config_setting_t *group,
			 const struct config_connection *connection, struct config_monitor *monitor)
{
	registers_check(walk, group, connection->max_registers, monitor);
	if (monitor->unit_id == 0 && schema_has(group, "unit_id") && connection->transport &&
	    strcmp(connection->transport, "tcp") != 0)
		FAULT(walk, schema_key(group, "unit_id"),
		      "unit_id = 0 is everybody on a serial line, and nobody answers it; an "
		      "instrument has 1 to 247");
	int width = registers_width(monitor->table, monitor->type);
	if (monitor->table < TABLE_COIL && width > connection->max_registers)
		FAULT(walk, schema_key(group, "type"),
		      "type \"%s\" needs %d registers; max_registers of connection \"%s\" is %d",
		      register_types[monitor->type], width, connection->id,
		      connection->max_registers);
	if (monitor->interval_ms == 0)
		monitor->interval_ms = connection->interval_ms;
	else if (connection->interval_ms > 0 && monitor->interval_ms % connection->interval_ms)
		FAULT(walk, schema_key(group, "interval_ms"),
		      "interval_ms = %lld must be a multiple of the connection's, %lld",
		      (long long)monitor->interval_ms, (long long)connection->interval_ms);
}

static double default_stale_s(const struct config_connection *connection,
			      const struct config_monitor *monitor)
{
	double intervals_s = 3 * (double)monitor->interval_ms / 1000;
	if (registers_dated(monitor))
		return monitor->cycle_s > 2400 ? 3 * monitor->cycle_s : 7200;
	if (connection->driver != CONFIG_MODBUS)
		return 7200;
	return intervals_s > 60 ? intervals_s : 60;
}

static void settle_signals(struct walk *walk, const config_setting_t *group,
			   const struct site_entry *site,
			   const struct config_connection *connection,
			   struct config_monitor *monitor)
{
	if (!schema_has(group, "stale_after_s"))
		monitor->stale_after_s = site->stale_after_s >= 0
						 ? site->stale_after_s
						 : default_stale_s(connection, monitor);
	if (monitor->flat_count == 1)
		FAULT(walk, schema_key(group, "flat_count"),
		      "flat_count = 1 is out of range, 2 to 1000000, or 0 for off");
	if (monitor->flat_count > 0 && monitor->flat_after_s > 0)
		FAULT(walk, schema_key(group, "flat_count"),
		      "flat_after_s and flat_count exclude each other; keep one");
	if (!schema_has(group, "flat_after_s") && !schema_has(group, "flat_count") &&
	    site->flat_after_s > 0)
		monitor->flat_after_s = site->flat_after_s;
}

/* Decimals are for people: 0.05 mg/L with two of them is 50 µg/L with none. */
static int shown_decimals(const struct config_factor *factor, const char *unit)
{
	struct conversion c;
	int decimals = factor->decimals;
	if (unit_conversion(factor->unit, unit, NULL, &c) && c.exact)
		decimals -= c.exponent;
	return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

/* A gas may be measured as a share; at which state that is so many mg/m³ a standard says. */
static bool measures(const struct config_factor *factor, const char *unit)
{
	const struct gas gas = {factor->molar_g, 273.15};
	struct conversion c;
	return unit_conversion(unit, factor->unit, &gas, &c) ||
	       (factor->other_unit && unit_conversion(unit, factor->other_unit, NULL, &c));
}

static void check_unit_of(struct walk *walk, const config_setting_t *group,
			  const struct config_factor *factor, const char *unit)
{
	if (measures(factor, unit))
		return;
	char *known = unit_siblings(factor->unit);
	FAULT(walk, schema_key(group, "unit"),
	      "unit \"%s\" cannot be converted to \"%s\", in which the catalogue has %s; units of "
	      "that kind are %s",
	      unit, factor->unit, factor->code, known ? known : "others");
	free(known);
}

static void unknown_factor(struct walk *walk, const struct catalogue *catalogue,
			   const config_setting_t *group, const char *code)
{
	const char *near = catalogue_nearest(catalogue, code);
	FAULT(walk, schema_key(group, "factor"), "factor \"%s\" is not in the catalogue%s%s%s",
	      code, near ? "; did you mean \"" : "; use a code of HJ 525 such as w01018",
	      near ? near : "", near ? "\"?" : "");
}

/* What an old code names is known by its code from here on. */
static void take_factor(struct walk *walk, const struct catalogue *catalogue,
			const config_setting_t *group, const char *code,
			struct config_monitor *monitor)
{
	const struct config_factor *factor = code ? catalogue_find(catalogue, code) : NULL;
	if (code && !factor && catalogue->n > 0)
		unknown_factor(walk, catalogue, group, code);
	if (!factor)
		return;
	monitor->factor = (struct config_factor){
		.code = schema_copy(walk, factor->code),
		.name_zh = schema_copy(walk, factor->name_zh),
		.name_en = schema_copy(walk, factor->name_en),
		.unit = schema_copy(walk, factor->unit),
		.load_unit = schema_copy(walk, factor->load_unit),
		.molar_g = factor->molar_g,
		.decimals = factor->decimals,
		.no_multiple = factor->no_multiple,
		.no_mean = factor->no_mean,
	};
	if (!monitor->unit)
		monitor->unit = schema_copy(walk, factor->unit);
	if (!monitor->unit)
		return;
	check_unit_of(walk, group, factor, monitor->unit);
	monitor->decimals = shown_decimals(factor, monitor->unit);
}

static void check_repeated(struct walk *walk, const config_setting_t *group,
			   const struct config_site *site, const char *factor)
{
	for (size_t i = 0; factor && i < site->n_monitors; i++) {
		const char *code = site->monitors[i].factor.code;
		if (code && strcmp(code, factor) == 0)
			FAULT(walk, schema_key(group, "factor"),
			      "factor \"%s\" has a monitor at site \"%s\" already; a site has one "
			      "per "
			      "factor",
			      factor, site->id ? site->id : "?");
	}
}

static void free_monitor(struct config_monitor *monitor)
{
	config_factor_deinit(&monitor->factor);
	free(monitor->unit);
	free(monitor->topic);
	free(monitor->accepted_on);
	free(monitor->last_comparison);
	free(monitor->operator);
	free(monitor->value);
	free(monitor->time);
	free(monitor->flag);
	free(monitor->mn);
	clues_free(monitor);
	registers_free(monitor);
	for (size_t i = 0; i < monitor->n_limits; i++)
		free(monitor->limits[i].source);
	free(monitor->limits);
}

/* Begin with what the model knows; what the monitor says itself is read over it. */
static const struct model_quantity *take_model(struct walk *walk, const struct models *models,
					       const config_setting_t *group,
					       struct config_connection *connection,
					       struct config_monitor *monitor)
{
	const struct model *model = models_find(models, walk, group);
	const struct model_quantity *quantity = model ? model_quantity(model, walk, group) : NULL;
	if (!quantity)
		return NULL;
	*monitor = quantity->monitor;
	monitor->unit = schema_copy(walk, quantity->monitor.unit);
	registers_copy(walk, monitor, &quantity->monitor);
	model_slow_down(model, connection);
	return quantity;
}

static void place_model(struct walk *walk, const config_setting_t *group,
			const struct monitor_entry *entry, const struct model_quantity *quantity,
			struct config_monitor *monitor)
{
	if (entry->input > quantity->inputs)
		FAULT(walk, schema_key(group, "input"),
		      "input = %d is out of range, 1 to %d in model \"%s\"", entry->input,
		      quantity->inputs, entry->model);
	else if (!registers_move(group, entry->base, entry->input, quantity->step, monitor))
		FAULT(walk, schema_key(group, "base"),
		      "base = %d moves registers of model \"%s\" out of 0 to 65535", entry->base,
		      entry->model);
}

static void read_monitor_registers(struct walk *walk, const config_setting_t *group,
				   const struct config_connection *connection,
				   struct config_monitor *monitor, bool good)
{
	size_t before = walk->faults->list.n;
	registers_read(walk, group, OF_MONITOR, monitor);
	if (good)
		check_modbus(walk, group, connection, monitor);
	if (walk->faults->list.n == before)
		registers_settle(monitor);
}

static void read_limits(struct walk *walk, const struct sites_context *context,
			const config_setting_t *group, const struct site_entry *site,
			struct config_monitor *monitor)
{
	const struct limits_context limits = {context->standards, kinds[site->kind],
					      context->dates};
	context->config->n_limits += limits_read(walk, &limits, group, monitor);
}

static void read_monitor(struct walk *walk, const struct sites_context *context,
			 const config_setting_t *group, struct site_entry *site)
{
	struct monitor_entry entry = {.input = 1, .monitor = {.gated = true}};
	struct config_monitor *monitor = &entry.monitor;
	const char *id = schema_peek(group, "connection");
	size_t index = id ? connection_index(context->config, id) : SIZE_MAX;
	struct config_connection *connection =
		index == SIZE_MAX ? NULL : &context->config->connections[index];
	unsigned variant = connection ? 1u << connection->driver : 0;
	size_t before = walk->faults->list.n;
	const struct model_quantity *quantity = NULL;

	registers_init(monitor);
	if (variant == MODBUS && schema_has(group, "model")) {
		variant = MODELLED;
		quantity = take_model(walk, context->models, group, connection, monitor);
	}
	monitor->exact = monitor->exact || (connection && connection->exact);
	schema_read(walk, &monitor_schema, group, variant, &entry);
	if (id && !connection)
		unknown_connection(walk, context->config, schema_key(group, "connection"), id);
	if (schema_has(group, "scale") && monitor->scale == 0)
		FAULT(walk, schema_key(group, "scale"), "scale = 0 makes every value the same");
	if (quantity && walk->faults->list.n == before)
		place_model(walk, group, &entry, quantity, monitor);
	if (config_setting_type(group) == CONFIG_TYPE_GROUP) {
		range_read(walk, group, monitor);
		shares_read(walk, group, monitor);
		take_factor(walk, context->catalogue, group, entry.factor, monitor);
		check_repeated(walk, group, &site->site, monitor->factor.code);
		read_limits(walk, context, group, site, monitor);
		if (variant & REGISTERS)
			read_monitor_registers(walk, group, connection, monitor,
					       walk->faults->list.n == before);
	}
	if (connection && walk->faults->list.n == before) {
		monitor->connection = index;
		settle_signals(walk, group, site, connection, monitor);
	}
	site->site.monitors[site->site.n_monitors++] = *monitor;
	free(entry.factor);
	free(entry.connection);
	free(entry.model);
	free(entry.quantity);
}

static void read_monitors(struct walk *walk, const struct sites_context *context,
			  const config_setting_t *group, struct site_entry *site)
{
	size_t n = schema_length(walk, group, "monitors");
	site->site.monitors = calloc(n > 0 ? n : 1, sizeof(*site->site.monitors));
	if (!site->site.monitors)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_monitor(walk, context, schema_element(group, "monitors", i), site);
	context->config->n_monitors += n;
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
	if (!site->flow_factor || !schema_has(group, key))
		return;
	for (size_t i = 0; i < site->n_monitors; i++) {
		const char *code = site->monitors[i].factor.code;
		if (code && strcmp(code, site->flow_factor) == 0)
			return;
	}
	FAULT(walk, schema_key(group, key), "%s needs a monitor of factor \"%s\" at this site", key,
	      site->flow_factor);
}

static void read_site(struct walk *walk, const struct sites_context *context, void **ids,
		      const config_setting_t *group)
{
	struct config *config = context->config;
	struct site_entry entry = {
		.stale_after_s = NOT_SAID, .flat_after_s = NOT_SAID, .target_class = -1};
	struct config_site *site = &entry.site;
	schema_read(walk, &site_schema, group, 0, &entry);
	site->kind = (enum config_site_kind)entry.kind;
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
		read_monitors(walk, context, group, &entry);
		check_gate(walk, group, site);
		clues_read(walk, context->signals, group, site);
		site->target_class = entry.target_class + 1;
		site->lake = entry.water_body == 1;
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
	for (size_t i = 0; i < context->config->n_sites; i++)
		check_upstream(walk, context->config, schema_element(root, "sites", i),
			       &context->config->sites[i]);
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
		free_monitor(&site->monitors[i]);
	free(site->monitors);
	free(site->id);
	free(site->name);
	free(site->river);
	free(site->upstream_of);
	free(site->subdistrict);
	free(site->community);
	free(site->flow_factor);
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
