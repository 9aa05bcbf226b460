/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Registers: the part of the grammar that says where a Modbus value stands, in a site's monitor as
 * in a model's quantity: its own register, the block that is asked for, and the further registers
 * that scale it, add to it, flag it and date it.
 */
#include "config/schema.h"

enum { TABLE_COIL = 2, TYPE_BIT = 10 };
enum { REGISTERS_MOST = 8 }; /* further ones of a value */

extern const char *const register_tables[], *const register_types[], *const register_orders[];

/* What reads a group: only a model knows `step`. */
enum registers_of { OF_MONITOR = 1, OF_MODEL = 2 };

/** registers_width() - registers (of a table of bits: bits) that one number takes */
int registers_width(int table, int type);

/* The keys, of a struct that begins with its struct config_monitor; @mask: variants that know them,
 * @need: variants that need them. */
#define REGISTER_AT(member) offsetof(struct config_monitor, member)
#define REGISTER_FIELDS(mask, need)                                                                 \
	{"table",      FIELD_CHOICE,     .offset = REGISTER_AT(table),                              \
	 .only = mask, .required = need, .choices = register_tables},                               \
		{"address",       FIELD_INT,     .offset = REGISTER_AT(address),                    \
		 .low = 0,        .high = 65535, .only = mask,                                      \
		 .required = need},                                                                 \
		{"type",       FIELD_CHOICE,     .offset = REGISTER_AT(type),                       \
		 .only = mask, .required = need, .choices = register_types},                        \
		{"order", FIELD_CHOICE, .offset = REGISTER_AT(order), .only = mask,                 \
		 .choices = register_orders},                                                       \
		{"bit", FIELD_INT, .offset = REGISTER_AT(bit), .low = 0, .high = 15, .only = mask}, \
		{"exact", FIELD_BOOL, .offset = REGISTER_AT(exact), .only = mask},                  \
		{"block", FIELD_LATER, .offset = NOWHERE, .only = mask},                            \
		{"exponent", FIELD_LATER, .offset = NOWHERE, .only = mask},                         \
		{"plus", FIELD_LATER, .offset = NOWHERE, .only = mask},                             \
		{"unit_code", FIELD_LATER, .offset = NOWHERE, .only = mask},                        \
		{"status", FIELD_LATER, .offset = NOWHERE, .only = mask},                           \
		{"sample_time", FIELD_LATER, .offset = NOWHERE, .only = mask},                      \
	{                                                                                           \
		"invalid", FIELD_LATER, .offset = NOWHERE, .only = mask                             \
	}

/** registers_init() - nothing said yet */
void registers_init(struct config_monitor *monitor);

/** registers_read() - read `invalid` and the further registers of @group, and check them; what
 * stands there replaces what @monitor holds already. Its own register is read before */
void registers_read(struct walk *walk, const config_setting_t *group, enum registers_of of,
		    struct config_monitor *monitor);
/** registers_check() - check its own register, all keys of which are good, and read `block`
 * @most: registers of one request */
void registers_check(struct walk *walk, const config_setting_t *group, int most,
		     struct config_monitor *monitor);

/** registers_move() - add @by to the addresses, and the step of each input after the first; what
 * @group (or NULL) says itself stays. Return: false where one leaves 0 to 65535 */
bool registers_move(const config_setting_t *group, int by, int input, int step,
		    struct config_monitor *monitor);

/** registers_settle() - table, type and order that a further register leaves open are the value's
 */
void registers_settle(struct config_monitor *monitor);

/** registers_copy() - a copy of its own; @to holds none yet */
void registers_copy(struct walk *walk, struct config_monitor *to,
		    const struct config_monitor *from);
void registers_free(struct config_monitor *monitor);

/** registers_dated() - the instrument says when it measured */
bool registers_dated(const struct config_monitor *monitor);
/** registers_place() - place @i of @monitor, 0 being its own. Return: its width */
int registers_place(const struct config_monitor *monitor, size_t i, struct config_place *place);
