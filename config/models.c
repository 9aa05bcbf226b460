/* SPDX-License-Identifier: Apache-2.0 */
#include "config/models.h"

#include "config/checks.h"
#include "config/registers.h"
#include "config/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define YEAR_S 31622400.0

static const char *const confidences[] = {"high", "medium", "low", NULL};

#define AT(member) offsetof(struct model, member)
static const struct field model_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"name", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
	{"about", FIELD_TEXT, .offset = NOWHERE, .low = 1, .high = 2000},
	{"source", FIELD_TEXT, .offset = NOWHERE, .required = EVERY},
	{"confidence", FIELD_CHOICE, .offset = NOWHERE, .required = EVERY, .choices = confidences},
	{"inputs", FIELD_INT, .offset = AT(inputs), .low = 1, .high = 1000},
	{"exact", FIELD_BOOL, .offset = AT(exact)},
	{"alternatives", FIELD_BOOL, .offset = AT(alternatives)},
	{"bus", FIELD_LATER, .offset = NOWHERE},
	{"quantities", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema model_schema = {"a model", NULL, model_fields, COUNT(model_fields)};

static const struct field bus_fields[] = {
	{"request_gap_ms", FIELD_INT64, .offset = AT(request_gap_ms), .low = 0, .high = 60000},
	{"connect_pause_ms", FIELD_INT64, .offset = AT(connect_pause_ms), .low = 0, .high = 600000},
	{"timeout_ms", FIELD_INT64, .offset = AT(timeout_ms), .low = 10, .high = 600000},
	{"max_gap", FIELD_INT, .offset = AT(max_gap), .low = 0, .high = 124},
	{"max_registers", FIELD_INT, .offset = AT(max_registers), .low = 1, .high = 125},
};
static const struct schema bus_schema = {"bus", NULL, bus_fields, COUNT(bus_fields)};
#undef AT

#define AT(member) offsetof(struct model_quantity, member)
static const struct field quantity_fields[] = {
	{"id", FIELD_TEXT, .offset = AT(id), .required = EVERY, .check = check_id},
	{"about", FIELD_TEXT, .offset = NOWHERE, .low = 1, .high = 2000},
	{"source", FIELD_TEXT, .offset = NOWHERE},
	{"confidence", FIELD_CHOICE, .offset = NOWHERE, .choices = confidences},
	{"unit", FIELD_TEXT, .offset = AT(monitor.unit), .low = 0, .high = 32},
	REGISTER_FIELDS(0, EVERY),
	{"step", FIELD_INT, .offset = AT(step), .low = -1000, .high = 1000},
	{"scale", FIELD_NUMBER, .offset = AT(monitor.scale)},
	{"offset", FIELD_NUMBER, .offset = AT(monitor.offset)},
	{"range", FIELD_LATER, .offset = NOWHERE},
	{"cycle_s", FIELD_NUMBER, .offset = AT(monitor.cycle_s), .low = 0, .high = YEAR_S},
	{"rollover", FIELD_NUMBER, .offset = AT(monitor.rollover), .low = 0, .high = 1e300,
	 .open = true},
};
#undef AT
static const struct schema quantity_schema = {"a quantity", NULL, quantity_fields,
					      COUNT(quantity_fields)};
_Static_assert(offsetof(struct model_quantity, monitor) == 0, "REGISTER_FIELDS count on it");

static const struct field file_fields[] = {
	{"model", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct schema file_schema = {"a model's file", NULL, file_fields, 1};

/* --- overlaps --- */

/* Registers of a model, and the setting to blame. */
struct taken {
	int table, first, end, type;
	const char *quantity;
	const config_setting_t *setting;
};

struct takings {
	struct taken *at;
	size_t n, room;
};

static void take(struct walk *walk, struct takings *takings, const struct taken *taken)
{
	if (takings->n == takings->room) {
		size_t room = takings->room ? 2 * takings->room : 64;
		struct taken *grown = realloc(takings->at, room * sizeof(*grown));
		if (!grown) {
			walk->faults->no_memory = true;
			return;
		}
		takings->at = grown;
		takings->room = room;
	}
	takings->at[takings->n++] = *taken;
}

static void take_quantity(struct walk *walk, const struct model_quantity *quantity,
			  const config_setting_t *setting, struct takings *takings)
{
	const struct config_monitor *monitor = &quantity->monitor;
	for (size_t i = 0; i <= monitor->n_extras; i++) {
		struct config_place place;
		int width = registers_place(monitor, i, &place);
		int step = i == 0 ? quantity->step : monitor->extras[i - 1].step;
		for (int input = 0; input < (step == 0 ? 1 : quantity->inputs); input++) {
			int first = place.address + input * step;
			take(walk, takings,
			     &(struct taken){place.table, first, first + width, place.type,
					     quantity->id, schema_key(setting, "address")});
		}
	}
}

static int by_place(const void *left, const void *right)
{
	const struct taken *a = left, *b = right;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->first != b->first)
		return a->first < b->first ? -1 : 1;
	return (a->end > b->end) - (a->end < b->end);
}

/* The same register may serve several quantities (a state, a clock); two that overlap in part, or
 * are read as two types, cannot both be right. */
static void check_overlaps(struct walk *walk, struct takings *takings)
{
	if (takings->n == 0)
		return;
	qsort(takings->at, takings->n, sizeof(*takings->at), by_place);
	const struct taken *last = &takings->at[0];
	for (size_t i = 1; i < takings->n; i++) {
		const struct taken *next = &takings->at[i];
		bool same = next->first == last->first && next->end == last->end &&
			    next->type == last->type;
		if (next->table == last->table && next->first < last->end && !same) {
			FAULT(walk, next->setting,
			      "registers %d to %d of \"%s\" overlap registers %d to %d of \"%s\"",
			      next->first, next->end - 1, next->quantity, last->first,
			      last->end - 1, last->quantity);
			return;
		}
		if (next->table != last->table || next->end >= last->end)
			last = next;
	}
}

/* --- reading --- */

static void check_inputs(struct walk *walk, const struct model_quantity *quantity,
			 const config_setting_t *group)
{
	struct config_monitor last = quantity->monitor;
	if (quantity->inputs > 1 && quantity->step == 0)
		FAULT(walk, group,
		      "key \"step\" is missing in a quantity of a model with %d inputs",
		      quantity->inputs);
	last.extras = calloc(last.n_extras + 1, sizeof(*last.extras));
	if (!last.extras) {
		walk->faults->no_memory = true;
		return;
	}
	if (last.n_extras > 0)
		memcpy(last.extras, quantity->monitor.extras, last.n_extras * sizeof(*last.extras));
	if (!registers_move(NULL, 0, quantity->inputs, quantity->step, &last))
		FAULT(walk, group, "the registers of input %d lie beyond 0 to 65535",
		      quantity->inputs);
	free(last.extras);
}

static void check_twice(struct walk *walk, const struct model *model, const config_setting_t *group)
{
	const struct model_quantity *last = &model->quantities[model->n_quantities - 1];
	for (size_t i = 0; last->id && i + 1 < model->n_quantities; i++)
		if (model->quantities[i].id && strcmp(model->quantities[i].id, last->id) == 0)
			FAULT(walk, schema_key(group, "id"),
			      "quantity \"%s\" is defined twice; give each its own id", last->id);
}

static void read_quantity(struct walk *walk, struct model *model, const config_setting_t *group,
			  struct takings *takings)
{
	struct model_quantity *quantity = &model->quantities[model->n_quantities++];
	size_t before = walk->faults->list.n;
	quantity->inputs = model->inputs;
	quantity->monitor.exact = model->exact;
	registers_init(&quantity->monitor);
	schema_read(walk, &quantity_schema, group, 0, quantity);
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return;
	range_read(walk, group, &quantity->monitor);
	check_twice(walk, model, group);
	bool good = walk->faults->list.n == before;
	registers_read(walk, group, OF_MODEL, &quantity->monitor);
	if (good)
		registers_check(walk, group, 125, &quantity->monitor);
	if (walk->faults->list.n != before)
		return;
	check_inputs(walk, quantity, group);
	take_quantity(walk, quantity, group, takings);
}

static void read_quantities(struct walk *walk, struct model *model, const config_setting_t *group)
{
	struct takings takings = {0};
	size_t n = schema_length(walk, group, "quantities");
	model->quantities = calloc(n + 1, sizeof(*model->quantities));
	if (!model->quantities)
		walk->faults->no_memory = true;
	for (size_t i = 0; i < n && !walk->faults->no_memory; i++) {
		read_quantity(walk, model, schema_element(group, "quantities", i), &takings);
		if (model->alternatives) {
			check_overlaps(walk, &takings);
			takings.n = 0;
		}
	}
	if (n == 0)
		FAULT(walk, schema_key(group, "quantities"), "a model needs a quantity");
	check_overlaps(walk, &takings);
	free(takings.at);
}

static const struct model *find(const struct models *models, const char *id)
{
	for (size_t i = 0; id && i < models->n; i++)
		if (models->at[i].id && strcmp(models->at[i].id, id) == 0)
			return &models->at[i];
	return NULL;
}

static void read_model(void *context, struct walk *walk)
{
	struct models *models = context;
	const config_setting_t *root = config_root_setting(&walk->document->tree);
	schema_read(walk, &file_schema, root, 0, NULL);
	const config_setting_t *group = config_setting_get_member(root, "model");
	struct model *grown = realloc(models->at, (models->n + 1) * sizeof(*grown));
	if (!grown)
		walk->faults->no_memory = true;
	if (grown)
		models->at = grown;
	if (!grown || !group)
		return;
	struct model *model = &grown[models->n];
	*model = (struct model){.inputs = 1, .max_gap = -1};
	schema_read(walk, &model_schema, group, 0, model);
	if (find(models, model->id))
		FAULT(walk, schema_key(group, "id"), "model \"%s\" exists in another file",
		      model->id);
	models->n++;
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return;
	const config_setting_t *bus = config_setting_get_member(group, "bus");
	if (bus)
		schema_read(walk, &bus_schema, bus, 0, model);
	read_quantities(walk, model, group);
}

/* Data of before there were models have no such folder. */
static bool has_folder(const char *data, const struct reader *reader)
{
	char **names, *path = reader_join(data, "models");
	size_t n;
	int error = path ? reader_list(reader, path, &names, &n) : -ENOMEM;
	if (!error)
		reader_free_names(names, n);
	free(path);
	return error != -ENOENT;
}

int models_read(struct models *models, const char *data, const struct reader *reader,
		struct faults *faults)
{
	if (!has_folder(data, reader))
		return 0;
	return data_files(data, "models", reader, faults, read_model, models);
}

void models_deinit(struct models *models)
{
	for (size_t i = 0; i < models->n; i++) {
		struct model *model = &models->at[i];
		for (size_t k = 0; k < model->n_quantities; k++) {
			registers_free(&model->quantities[k].monitor);
			schema_free(&quantity_schema, &model->quantities[k]);
		}
		free(model->quantities);
		schema_free(&model_schema, model);
	}
	free(models->at);
	*models = (struct models){0};
}

/* --- asking --- */

static void unknown(struct walk *walk, const config_setting_t *setting, const char *what,
		    const char *id, const char *const *names, size_t n)
{
	const char *near = nearest(id, names, n);
	char *known = near ? NULL : listed(names, n);
	FAULT(walk, setting, "%s \"%s\" is not in the data; %s %s%s%s", what, id,
	      near ? "did you mean" : "there are", near ? "\"" : "",
	      near    ? near
	      : known ? known
		      : "others",
	      near ? "\"?" : "");
	free(known);
}

const struct model *models_find(const struct models *models, struct walk *walk,
				const config_setting_t *group)
{
	const char *id = schema_peek(group, "model"), *names[30];
	const struct model *model = find(models, id);
	size_t n = 0;
	for (; n < models->n && n < COUNT(names); n++)
		names[n] = models->at[n].id ? models->at[n].id : "";
	if (id && !model)
		unknown(walk, schema_key(group, "model"), "model", id, names, n);
	return model;
}

const struct model_quantity *model_quantity(const struct model *model, struct walk *walk,
					    const config_setting_t *group)
{
	const char *id = schema_peek(group, "quantity"), *names[30];
	size_t n = 0;
	if (!schema_has(group, "quantity") && model->n_quantities == 1)
		return &model->quantities[0];
	for (size_t i = 0; i < model->n_quantities; i++) {
		const char *name = model->quantities[i].id;
		if (id && name && strcmp(name, id) == 0)
			return &model->quantities[i];
		if (name && n < COUNT(names))
			names[n++] = name;
	}
	char *known = listed(names, n);
	if (id)
		unknown(walk, schema_key(group, "quantity"), "quantity", id, names, n);
	else if (!schema_has(group, "quantity"))
		FAULT(walk, group, "key \"quantity\" is missing beside model \"%s\"; there are %s",
		      model->id ? model->id : "?", known ? known : "others");
	free(known);
	return NULL;
}

static void at_least(int64_t *value, int64_t least, bool said)
{
	if (!said && *value < least)
		*value = least;
}

static void at_most(int *value, int most, bool said)
{
	if (!said && *value > most)
		*value = most;
}

void model_slow_down(const struct model *model, struct config_connection *connection)
{
	unsigned said = connection->said;
	at_least(&connection->request_gap_ms, model->request_gap_ms,
		 said & CONFIG_SAYS_REQUEST_GAP);
	at_least(&connection->connect_pause_ms, model->connect_pause_ms,
		 said & CONFIG_SAYS_CONNECT_PAUSE);
	at_least(&connection->timeout_ms, model->timeout_ms, said & CONFIG_SAYS_TIMEOUT);
	if (model->max_gap >= 0)
		at_most(&connection->max_gap, model->max_gap, said & CONFIG_SAYS_MAX_GAP);
	if (model->max_registers > 0)
		at_most(&connection->max_registers, model->max_registers,
			said & CONFIG_SAYS_MAX_REGISTERS);
}
