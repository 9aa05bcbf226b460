/* SPDX-License-Identifier: Apache-2.0 */
#include "config/registers.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *const register_tables[] = {"holding", "input", "coil", "discrete", NULL};
const char *const register_types[] = {"int16",   "uint16",  "int32", "uint32", "int64", "uint64",
				      "float32", "float64", "bcd16", "bcd32",  "bit",   NULL};
const char *const register_orders[] = {"ABCD", "CDAB", "BADC", "DCBA", NULL};
enum { TYPE_INT16 = 0, TYPE_UINT16 = 1, TYPE_UINT32 = 3, TYPE_BCD16 = 8 };
static const int widths[] = {1, 1, 2, 2, 4, 4, 2, 4, 1, 2, 1};

/* As enum modbus_role. */
enum { ROLE_PLUS, ROLE_EXPONENT, ROLE_UNIT, ROLE_STATUS, ROLE_TIME };
enum { UNSAID = -1, CIVIL = 0, EPOCH = 1, CIVIL_REGISTERS = 6 };

static const char *const flags[] = {"N", "F", "M", "S", "D", "C", "T", "B", NULL};
static const char *const formats[] = {"civil", "epoch", NULL};
static const char *const clocks[] = {"local", "utc", NULL};
static const char *const readers[] = {"a monitor", "a model", NULL};

#define AT(member) offsetof(struct config_extra, member)
#define PLACE_FIELDS                                                                               \
	{"address", FIELD_INT,     .offset = AT(at.address),                                       \
	 .low = 0,  .high = 65535, .required = EVERY},                                             \
		{"table", FIELD_CHOICE, .offset = AT(at.table), .choices = register_tables},       \
		{"type", FIELD_CHOICE, .offset = AT(at.type), .choices = register_types},          \
		{"order", FIELD_CHOICE, .offset = AT(at.order), .choices = register_orders},       \
		{"bit", FIELD_INT, .offset = AT(at.bit), .low = 0, .high = 15},                    \
	{                                                                                          \
		"step", FIELD_INT, .offset = AT(step), .low = -1000, .high = 1000,                 \
				   .only = OF_MODEL                                                \
	}
#define MASK_FIELD                                                                                 \
	{                                                                                          \
		"mask", FIELD_INT64, .offset = AT(mask), .low = 1, .high = 4294967295.0            \
	}
static const struct field plus_fields[] = {
	PLACE_FIELDS,
	{"times", FIELD_NUMBER, .offset = AT(times)},
};
static const struct field exponent_fields[] = {
	PLACE_FIELDS,
	{"negative", FIELD_BOOL, .offset = AT(negative)},
	{"bias", FIELD_INT, .offset = AT(bias), .low = -22, .high = 22},
};
static const struct field unit_fields[] = {
	PLACE_FIELDS,
	MASK_FIELD,
	{"units", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
};
static const struct field status_fields[] = {
	PLACE_FIELDS,
	MASK_FIELD,
	{"flags", FIELD_LATER, .offset = NOWHERE, .required = EVERY},
	{"otherwise", FIELD_CHOICE, .offset = AT(otherwise), .choices = flags},
	{"no_value", FIELD_BOOL, .offset = AT(no_value)},
};
static const struct field time_fields[] = {
	PLACE_FIELDS,
	{"format", FIELD_CHOICE, .offset = AT(clock), .choices = formats},
	{"clock", FIELD_CHOICE, .offset = NOWHERE, .choices = clocks},
};
#undef AT

#define AT(member) offsetof(struct config_meaning, member)
static const struct field unit_meaning_fields[] = {
	{"value", FIELD_INT64, .offset = AT(value), .low = -2147483648.0, .high = 4294967295.0,
	 .required = EVERY},
	{"factor", FIELD_NUMBER, .offset = AT(factor), .required = EVERY},
};
static const struct field flag_meaning_fields[] = {
	{"value", FIELD_INT64, .offset = AT(value), .low = -2147483648.0, .high = 4294967295.0},
	{"bits", FIELD_INT64, .offset = AT(bits), .low = 1, .high = 4294967295.0},
	{"flag", FIELD_CHOICE, .offset = AT(flag), .required = EVERY, .choices = flags},
};
#undef AT

static const struct schema unit_meaning_schema = {"a unit", NULL, unit_meaning_fields,
						  COUNT(unit_meaning_fields)};
static const struct schema flag_meaning_schema = {"a flag", NULL, flag_meaning_fields,
						  COUNT(flag_meaning_fields)};

static const struct part {
	const char *key, *meanings;
	const struct schema *meaning;
	int type; /* unless said; UNSAID: the value's */
	struct schema schema;
} parts[] = {
	[ROLE_PLUS] =
		{"plus", NULL, NULL, UNSAID, {"plus", readers, plus_fields, COUNT(plus_fields)}},
	[ROLE_EXPONENT] = {"exponent",
			   NULL,
			   NULL,
			   TYPE_INT16,
			   {"an exponent", readers, exponent_fields, COUNT(exponent_fields)}},
	[ROLE_UNIT] = {"unit_code",
		       "units",
		       &unit_meaning_schema,
		       TYPE_UINT16,
		       {"a unit_code", readers, unit_fields, COUNT(unit_fields)}},
	[ROLE_STATUS] = {"status",
			 "flags",
			 &flag_meaning_schema,
			 TYPE_UINT16,
			 {"a status", readers, status_fields, COUNT(status_fields)}},
	[ROLE_TIME] = {"sample_time",
		       NULL,
		       NULL,
		       TYPE_UINT16,
		       {"a sample_time", readers, time_fields, COUNT(time_fields)}},
};

int registers_width(int table, int type)
{
	return table >= TABLE_COIL ? 1 : widths[type];
}

void registers_init(struct config_monitor *monitor)
{
	monitor->bit = UNSAID;
	monitor->scale = 1;
}

/* --- the value's own register --- */

static void check_own(struct walk *walk, const config_setting_t *group,
		      const struct config_monitor *monitor)
{
	bool is_bit = monitor->type == TYPE_BIT, bits = monitor->table >= TABLE_COIL;
	const char *table = register_tables[monitor->table];
	const char *type = register_types[monitor->type];
	int width = registers_width(monitor->table, monitor->type);
	if (bits && !is_bit)
		FAULT(walk, schema_key(group, "type"),
		      "type \"%s\" does not fit table \"%s\"; it holds bits, use type \"bit\"",
		      type, table);
	if (bits && monitor->bit != UNSAID)
		FAULT(walk, schema_key(group, "bit"),
		      "bit does not apply to table \"%s\", whose address is the bit's; remove it",
		      table);
	if (!bits && is_bit && monitor->bit == UNSAID)
		FAULT(walk, group, "key \"bit\" is missing in a monitor of type \"bit\"");
	if (!is_bit && monitor->bit != UNSAID)
		FAULT(walk, schema_key(group, "bit"),
		      "bit does not apply to type \"%s\"; remove it", type);
	if (!bits && monitor->address + width > 65536)
		FAULT(walk, schema_key(group, "address"),
		      "address = %d leaves no room for the %d registers of \"%s\"; at most %d",
		      monitor->address, width, type, 65536 - width);
}

/* Return: false where the element is no whole number from @least to @most. */
static bool block_number(const config_setting_t *element, int least, int most, int *value)
{
	double number;
	if (!schema_number(element, &number) || number < least || number > most)
		return false;
	*value = (int)number;
	return *value == number;
}

static bool is_list(const config_setting_t *setting)
{
	int type = config_setting_type(setting);
	return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
}

/* The registers that a request for this value reads, as the instrument's manual has them. */
static void read_block(struct walk *walk, const config_setting_t *group, int most,
		       struct config_monitor *monitor)
{
	const config_setting_t *list = config_setting_get_member(group, "block");
	if (!list)
		return;
	most = monitor->table >= TABLE_COIL ? 2000 : most;
	if (!is_list(list) || config_setting_length(list) != 2 ||
	    !block_number(config_setting_get_elem(list, 0), 0, 65535, &monitor->block) ||
	    !block_number(config_setting_get_elem(list, 1), 1, most, &monitor->block_count)) {
		FAULT(walk, list,
		      "block must be a list of the first address and a count of 1 to %d, such as "
		      "(0, 20)",
		      most);
		return;
	}
	int first = monitor->block, end = monitor->block + monitor->block_count;
	int width = registers_width(monitor->table, monitor->type);
	if (end > 65536)
		FAULT(walk, list, "block = (%d, %d) reaches beyond address 65535", first,
		      monitor->block_count);
	else if (monitor->address < first || monitor->address + width > end)
		FAULT(walk, list,
		      "block = (%d, %d) does not hold address %d, count %d of the value", first,
		      monitor->block_count, monitor->address, width);
}

static void read_invalid(struct walk *walk, const config_setting_t *group,
			 struct config_monitor *monitor)
{
	const config_setting_t *list = config_setting_get_member(group, "invalid");
	if (!list)
		return;
	size_t n = is_list(list) ? (size_t)config_setting_length(list) : 0;
	double *invalid = calloc(n + 1, sizeof(*invalid));
	bool good = is_list(list) && invalid;
	for (size_t i = 0; good && i < n; i++)
		good = schema_number(config_setting_get_elem(list, (unsigned)i), &invalid[i]);
	if (!invalid)
		walk->faults->no_memory = true;
	else if (!good)
		FAULT(walk, list, "invalid must be a list of numbers, such as (-9999.0, 32767)");
	free(monitor->invalid);
	monitor->invalid = invalid;
	monitor->n_invalid = good ? n : 0;
}

/* --- further registers --- */

static void free_extra(struct config_extra *extra)
{
	free(extra->meanings);
}

static void drop_role(struct config_monitor *monitor, int role)
{
	size_t kept = 0;
	for (size_t i = 0; i < monitor->n_extras; i++)
		if (monitor->extras[i].role == role)
			free_extra(&monitor->extras[i]);
		else
			monitor->extras[kept++] = monitor->extras[i];
	monitor->n_extras = kept;
}

static bool add_extra(struct walk *walk, struct config_monitor *monitor,
		      const struct config_extra *extra)
{
	struct config_extra *grown =
		realloc(monitor->extras, (monitor->n_extras + 1) * sizeof(*grown));
	if (!grown) {
		walk->faults->no_memory = true;
		return false;
	}
	monitor->extras = grown;
	grown[monitor->n_extras++] = *extra;
	return true;
}

static void check_flag(struct walk *walk, const config_setting_t *group)
{
	bool value = schema_has(group, "value"), bits = schema_has(group, "bits");
	if (value == bits)
		FAULT(walk, group,
		      "a flag needs either value or bits, as { value = 2; flag = "
		      "\"D\"; }");
}

static void read_meanings(struct walk *walk, const struct part *part, const config_setting_t *group,
			  struct config_extra *extra)
{
	size_t n = schema_length(walk, group, part->meanings);
	extra->meanings = calloc(n + 1, sizeof(*extra->meanings));
	if (!extra->meanings)
		walk->faults->no_memory = true;
	for (size_t i = 0; extra->meanings && i < n; i++) {
		struct config_meaning *meaning = &extra->meanings[extra->n_meanings++];
		const config_setting_t *element = schema_element(group, part->meanings, i);
		schema_read(walk, part->meaning, element, 0, meaning);
		if (extra->role == ROLE_STATUS && config_setting_type(element) == CONFIG_TYPE_GROUP)
			check_flag(walk, element);
		meaning->flag = (unsigned char)flags[meaning->flag][0];
	}
}

static void check_place(struct walk *walk, const config_setting_t *group,
			const struct config_monitor *monitor, const struct config_extra *extra)
{
	struct config_monitor one = *monitor;
	struct config_place place;
	one.extras = &(struct config_extra){0};
	one.extras[0] = *extra;
	one.n_extras = 1;
	registers_settle(&one);
	int width = registers_place(&one, 1, &place);
	bool bits = place.table >= TABLE_COIL, is_bit = place.type == TYPE_BIT;
	bool has_bit = extra->at.bit != UNSAID;
	if (bits ? !is_bit || has_bit : is_bit != has_bit)
		FAULT(walk, schema_key(group, "type"),
		      "type \"%s\" does not fit table \"%s\"; a bit of a register needs type "
		      "\"bit\" and key \"bit\", one of a table of bits type \"bit\" alone",
		      register_types[place.type], register_tables[place.table]);
	if (extra->role == ROLE_TIME && extra->clock == CIVIL && place.type != TYPE_UINT16 &&
	    place.type != TYPE_BCD16)
		FAULT(walk, schema_key(group, "type"),
		      "the six registers of a civil time are of type \"uint16\" or \"bcd16\"");
	if (place.address + width > 65536)
		FAULT(walk, schema_key(group, "address"),
		      "address = %d leaves no room for %d registers; at most %d", place.address,
		      width, 65536 - width);
}

static void read_extra(struct walk *walk, int role, const config_setting_t *group,
		       enum registers_of of, struct config_monitor *monitor)
{
	const struct part *part = &parts[role];
	size_t before = walk->faults->list.n;
	struct config_extra extra = {
		.role = role,
		.at = {.table = UNSAID, .type = part->type, .order = UNSAID, .bit = UNSAID},
		.times = 1,
		.otherwise = 4, /* D */
	};
	schema_read(walk, &part->schema, group, of, &extra);
	if (config_setting_type(group) != CONFIG_TYPE_GROUP)
		return;
	if (part->meaning)
		read_meanings(walk, part, group, &extra);
	extra.otherwise = (unsigned char)flags[extra.otherwise][0];
	if (role == ROLE_TIME) {
		const char *clock = schema_peek(group, "clock");
		extra.is_utc = clock ? strcmp(clock, "utc") == 0 : extra.clock == EPOCH;
		if (extra.clock == EPOCH && !schema_has(group, "type"))
			extra.at.type = TYPE_UINT32;
	}
	if (walk->faults->list.n == before)
		check_place(walk, group, monitor, &extra);
	if (!add_extra(walk, monitor, &extra))
		free_extra(&extra);
}

/* One group, or a list of them where several make sense. */
static void read_role(struct walk *walk, int role, const config_setting_t *group,
		      enum registers_of of, struct config_monitor *monitor)
{
	const config_setting_t *setting = config_setting_get_member(group, parts[role].key);
	if (!setting)
		return;
	drop_role(monitor, role);
	bool several = role == ROLE_PLUS || role == ROLE_STATUS;
	if (!several || config_setting_type(setting) == CONFIG_TYPE_GROUP) {
		read_extra(walk, role, setting, of, monitor);
		return;
	}
	size_t n = schema_length(walk, group, parts[role].key);
	for (size_t i = 0; i < n; i++)
		read_extra(walk, role, schema_element(group, parts[role].key, i), of, monitor);
}

void registers_check(struct walk *walk, const config_setting_t *group, int most,
		     struct config_monitor *monitor)
{
	check_own(walk, group, monitor);
	read_block(walk, group, most, monitor);
}

void registers_read(struct walk *walk, const config_setting_t *group, enum registers_of of,
		    struct config_monitor *monitor)
{
	read_invalid(walk, group, monitor);
	for (int role = 0; role < (int)COUNT(parts); role++)
		read_role(walk, role, group, of, monitor);
	if (monitor->n_extras > REGISTERS_MOST)
		FAULT(walk, group, "a value has at most %d further registers, and here are %zu",
		      REGISTERS_MOST, monitor->n_extras);
}

/* --- places --- */

static bool moved(int *address, int by, int width)
{
	*address += by;
	return *address >= 0 && *address + width <= 65536;
}

static bool says(const config_setting_t *group, const char *key)
{
	return group && schema_has(group, key);
}

bool registers_move(const config_setting_t *group, int by, int input, int step,
		    struct config_monitor *monitor)
{
	struct config_place place;
	bool good = true;
	int on = by + (input - 1) * step;
	if (!says(group, "address"))
		good = moved(&monitor->address, on, registers_place(monitor, 0, &place));
	if (!says(group, "block") && monitor->block_count > 0)
		good = moved(&monitor->block, on, monitor->block_count) && good;
	for (size_t i = 0; i < monitor->n_extras; i++) {
		struct config_extra *extra = &monitor->extras[i];
		if (!says(group, parts[extra->role].key))
			good = moved(&extra->at.address, by + (input - 1) * extra->step,
				     registers_place(monitor, i + 1, &place)) &&
			       good;
	}
	return good;
}

void registers_settle(struct config_monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_extras; i++) {
		struct config_place *at = &monitor->extras[i].at;
		at->table = at->table == UNSAID ? monitor->table : at->table;
		at->type = at->type == UNSAID ? monitor->type : at->type;
		at->order = at->order == UNSAID ? monitor->order : at->order;
		at->bit = at->bit == UNSAID ? 0 : at->bit;
	}
	monitor->bit = monitor->bit == UNSAID ? 0 : monitor->bit;
}

int registers_place(const struct config_monitor *monitor, size_t i, struct config_place *place)
{
	if (i == 0) {
		*place = (struct config_place){monitor->table, monitor->address, monitor->type,
					       monitor->order, monitor->bit};
		return registers_width(place->table, place->type);
	}
	const struct config_extra *extra = &monitor->extras[i - 1];
	*place = extra->at;
	place->table = place->table == UNSAID ? monitor->table : place->table;
	place->type = place->type == UNSAID ? monitor->type : place->type;
	if (extra->role == ROLE_TIME && extra->clock == CIVIL)
		return CIVIL_REGISTERS;
	return registers_width(place->table, place->type);
}

bool registers_dated(const struct config_monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_extras; i++)
		if (monitor->extras[i].role == ROLE_TIME)
			return true;
	return false;
}

/* --- birth and death --- */

static void *copy_of(struct walk *walk, const void *from, size_t bytes)
{
	void *copy = bytes > 0 ? malloc(bytes) : NULL;
	if (copy)
		memcpy(copy, from, bytes);
	else if (bytes > 0)
		walk->faults->no_memory = true;
	return copy;
}

void registers_copy(struct walk *walk, struct config_monitor *to, const struct config_monitor *from)
{
	to->extras = copy_of(walk, from->extras, from->n_extras * sizeof(*from->extras));
	to->n_extras = to->extras ? from->n_extras : 0;
	to->invalid = copy_of(walk, from->invalid, from->n_invalid * sizeof(*from->invalid));
	to->n_invalid = to->invalid ? from->n_invalid : 0;
	for (size_t i = 0; i < to->n_extras; i++) {
		struct config_extra *extra = &to->extras[i];
		extra->meanings = copy_of(walk, extra->meanings,
					  extra->n_meanings * sizeof(*extra->meanings));
		extra->n_meanings = extra->meanings ? extra->n_meanings : 0;
	}
}

void registers_free(struct config_monitor *monitor)
{
	for (size_t i = 0; i < monitor->n_extras; i++)
		free_extra(&monitor->extras[i]);
	free(monitor->extras);
	free(monitor->invalid);
	monitor->extras = NULL;
	monitor->n_extras = 0;
	monitor->invalid = NULL;
	monitor->n_invalid = 0;
}
