/* SPDX-License-Identifier: Apache-2.0 */
#include "config/monitors.h"
#include "config/checks.h"
#include "config/impossible.h"
#include "config/limits.h"
#include "config/loads.h"
#include "config/origin.h"
#include "config/registers.h"
#include "config/units.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define YEAR_S 31622400.0
#define STEP_SHARE 0.5

struct monitor_entry { /* as written */
	struct config_monitor monitor;
	char *factor, *connection, *model, *quantity;
	int base, input;
};

enum { MODBUS = 1u << CONFIG_MODBUS, MQTT = 1u << CONFIG_MQTT, HJ212 = 1u << CONFIG_HJ212 };
enum { MODELLED = HJ212 << 1, REGISTERS = MODBUS | MODELLED };
static const char *const variants[] = {"a modbus connection", "an mqtt connection",
				       "an hj212 connection", "a modbus connection with a model",
				       NULL};

/* As in drivers/hj212: enum hj212_kind, enum hj212_field. */
static const char *const kinds_of_data[] = {"realtime", "minute", "hour", "day", NULL};
static const char *const fields_of_data[] = {"Rtd",   "Avg",   "Min",   "Max",   "Cou",
					     "ZsRtd", "ZsAvg", "ZsMin", "ZsMax", NULL};
enum { FIELD_RTD, FIELD_AVG };

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
	{"scale", FIELD_NUMBER, .offset = AT(scale)},
	{"offset", FIELD_NUMBER, .offset = AT(offset)},
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
	{"data", FIELD_CHOICE, .offset = AT(data), .only = HJ212, .choices = kinds_of_data},
	{"field", FIELD_CHOICE, .offset = AT(field), .only = HJ212, .choices = fields_of_data},
	{"end_stamp_s", FIELD_INT, .offset = AT(end_stamp_s), .low = 0, .high = 86400,
	 .only = HJ212},
	{"range", FIELD_LATER, .offset = NOWHERE},
	{"codes", FIELD_LATER, .offset = NOWHERE},
	{"live_zero", FIELD_BOOL, .offset = AT(live_zero)},
	{"under_range", FIELD_BOOL, .offset = AT(under_range)},
	{"stale_after_s", FIELD_NUMBER, .offset = AT(stale_after_s), .low = 0, .high = YEAR_S},
	{"flat_after_s", FIELD_NUMBER, .offset = AT(flat_after_s), .low = 0, .high = YEAR_S},
	{"flat_count", FIELD_INT, .offset = AT(flat_count), .low = 0, .high = 1000000},
	{"flat_band", FIELD_NUMBER, .offset = AT(flat_band), .low = 0, .high = 1e15},
	{"late_count", FIELD_INT, .offset = AT(late_count), .low = 0, .high = 1000000},
	{"detection_limit", FIELD_NUMBER, .offset = AT(detection_limit), .low = 0, .high = 1e15},
	{"max_step", FIELD_NUMBER, .offset = AT(max_step), .low = 0, .high = 1e15},
	{"max_step_hour", FIELD_NUMBER, .offset = AT(max_step_hour), .low = 0, .high = 1e15},
	{"step_times", FIELD_NUMBER, .offset = AT(step_times), .low = 0, .high = 1e6},
	{"step_share", FIELD_NUMBER, .offset = AT(step_share), .low = 0, .high = 1e6, .open = true},
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

/* Real-time data are single values, minute, hour and day data are means and what goes with them. */
static void settle_logger(struct walk *walk, const config_setting_t *group,
			  struct config_monitor *monitor)
{
	if (!schema_has(group, "field"))
		monitor->field = monitor->data == 0 ? FIELD_RTD : FIELD_AVG;
	if (schema_has(group, "end_stamp_s") && monitor->data == 0)
		FAULT(walk, schema_key(group, "end_stamp_s"),
		      "end_stamp_s belongs to means: it needs data = \"minute\", \"hour\" or "
		      "\"day\"");
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

static void settle_steps(struct walk *walk, const config_setting_t *group,
			 struct config_monitor *monitor)
{
	char times[32];
	if (monitor->step_times > 0 && monitor->step_share == 0)
		monitor->step_share = STEP_SHARE;
	if (monitor->step_times > 0 && monitor->step_times < 1)
		FAULT(walk, schema_key(group, "step_times"),
		      "step_times = %s is out of range, 1 to 1000000, or 0 for off",
		      number_text(monitor->step_times, times));
	if (schema_has(group, "step_share") && monitor->step_times == 0)
		FAULT(walk, schema_key(group, "step_share"),
		      "step_share stands only beside step_times");
}

static void settle_signals(struct walk *walk, const config_setting_t *group,
			   const struct monitor_defaults *defaults,
			   const struct config_connection *connection,
			   struct config_monitor *monitor)
{
	if (!schema_has(group, "stale_after_s"))
		monitor->stale_after_s = defaults->stale_after_s >= 0
						 ? defaults->stale_after_s
						 : default_stale_s(connection, monitor);
	if (monitor->flat_count == 1)
		FAULT(walk, schema_key(group, "flat_count"),
		      "flat_count = 1 is out of range, 2 to 1000000, or 0 for off");
	if (monitor->flat_count > 0 && monitor->flat_after_s > 0)
		FAULT(walk, schema_key(group, "flat_count"),
		      "flat_after_s and flat_count exclude each other; keep one");
	if (!schema_has(group, "flat_after_s") && !schema_has(group, "flat_count") &&
	    defaults->flat_after_s > 0)
		monitor->flat_after_s = defaults->flat_after_s;
	settle_steps(walk, group, monitor);
}

/* Where each rule comes from; what the site says for all holds where the monitor says nothing. */
static void trace(struct walk *walk, const config_setting_t *group,
		  const struct config_monitor *model, struct config_monitor *monitor)
{
	static const char *const keys[CONFIG_MONITOR_RULES] = {"range",
							       "stale_after_s",
							       "flat_after_s",
							       "flat_count",
							       "flat_band",
							       "detection_limit",
							       "max_step",
							       "max_step_hour",
							       "step_times",
							       "step_share",
							       "cycle_s",
							       "expected_per_hour",
							       "settle_results",
							       "gated",
							       "permit_tonnes_year",
							       "permit_warn_at",
							       "live_zero",
							       "under_range",
							       NULL,
							       NULL,
							       "late_count",
							       "codes",
							       NULL,
							       "unit"};
	const config_setting_t *site = config_setting_parent(config_setting_parent(group));
	struct config_origin *from = monitor->from;
	from[CONFIG_RULE_UNIT].whence = CONFIG_DATA;
	if (model && model->has_range)
		from[CONFIG_RULE_RANGE].whence = CONFIG_MODEL;
	if (model && model->cycle_s > 0)
		from[CONFIG_RULE_CYCLE].whence = CONFIG_MODEL;
	if (schema_has(site, "stale_after_s"))
		from[CONFIG_RULE_STALE] = origin_said(walk, schema_key(site, "stale_after_s"));
	if (schema_has(site, "flat_after_s") && !schema_has(group, "flat_count"))
		from[CONFIG_RULE_FLAT_AFTER] = origin_said(walk, schema_key(site, "flat_after_s"));
	origins_of_keys(walk, group, keys, CONFIG_MONITOR_RULES, from);
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
		.old_code = schema_copy(walk, factor->old_code),
		.name_zh = schema_copy(walk, factor->name_zh),
		.name_en = schema_copy(walk, factor->name_en),
		.unit = schema_copy(walk, factor->unit),
		.load_unit = schema_copy(walk, factor->load_unit),
		.molar_g = factor->molar_g,
		.decimals = factor->decimals,
		.no_multiple = factor->no_multiple,
		.no_mean = factor->no_mean,
		.has_dead = factor->has_dead,
		.has_most = factor->has_most,
		.zero_beside = factor->zero_beside,
		.dead_at = factor->dead_at,
		.drift = factor->drift,
		.drift_air = factor->drift_air,
		.drift_confidence = factor->drift_confidence,
		.most = factor->most,
		.file = schema_copy(walk, factor->file),
		.line = factor->line,
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

void monitor_free(struct config_monitor *monitor)
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
	free(monitor->codes);
	free(monitor->fills);
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
			const config_setting_t *group, const struct config_site *site,
			struct config_monitor *monitor)
{
	const struct limits_context limits = {context->standards, site_kinds[site->kind],
					      context->dates};
	context->config->n_limits += limits_read(walk, &limits, group, monitor);
}

static void read_monitor(struct walk *walk, const struct sites_context *context,
			 const config_setting_t *group, const struct monitor_defaults *defaults,
			 struct config_site *site)
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
		impossible_own_codes(walk, group, monitor);
		shares_read(walk, group, monitor);
		take_factor(walk, context->catalogue, group, entry.factor, monitor);
		check_repeated(walk, group, site, monitor->factor.code);
		read_limits(walk, context, group, site, monitor);
		if (variant & REGISTERS)
			read_monitor_registers(walk, group, connection, monitor,
					       walk->faults->list.n == before);
	}
	if (connection && connection->driver == CONFIG_HJ212)
		settle_logger(walk, group, monitor);
	if (connection && walk->faults->list.n == before) {
		monitor->connection = index;
		settle_signals(walk, group, defaults, connection, monitor);
		trace(walk, group, quantity ? &quantity->monitor : NULL, monitor);
		impossible_settle(walk, context, group, site, monitor);
	}
	site->monitors[site->n_monitors++] = *monitor;
	free(entry.factor);
	free(entry.connection);
	free(entry.model);
	free(entry.quantity);
}

void monitors_read(struct walk *walk, const struct sites_context *context,
		   const config_setting_t *group, const struct monitor_defaults *defaults,
		   struct config_site *site)
{
	size_t n = schema_length(walk, group, "monitors");
	site->monitors = calloc(n > 0 ? n : 1, sizeof(*site->monitors));
	if (!site->monitors)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++)
		read_monitor(walk, context, schema_element(group, "monitors", i), defaults, site);
	context->config->n_monitors += n;
}
