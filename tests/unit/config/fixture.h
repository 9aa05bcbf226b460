/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fixture: a folder of its own for each test, in which texts are written as files, and the folder
 * of data (catalogue and standards) of the source tree.
 */
#include "config/config.h"

#define NODE "node: { id = \"n1\"; data_directory = \"" TEST_DATA "\"; };\n"
#define TCP "connections: ( { id = \"plc\"; driver = \"modbus\"; host = \"192.0.2.1\"; } );\n"
#define MQTT                                                                                       \
	"connections: ( { id = \"bus\"; driver = \"mqtt\"; uri = \"mqtt://127.0.0.1:1883\"; } "    \
	");\n"

#define FIXTURE_TODAY "2026-11-25"

struct fixture {
	char folder[64];
	char path[128];    /* of the last file written */
	const char *today; /* for dates; NULL: as for recorded data */
	bool lenient;      /* gaps in time are notes */
	struct config *config;
	struct config_faults faults;
	int result;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
void fixture_write(struct fixture *fixture, const char *name, const char *text);
/** fixture_load() - write main.cfg and load it by its full path */
void fixture_load(struct fixture *fixture, const char *text);
void fixture_load_file(struct fixture *fixture, const char *path);
/** expect() - the faults are exactly these: lines "LINE: part of the message", in this order */
void expect(struct fixture *fixture, const char *wanted);
/** expect_ok() - it loads without any */
void expect_ok(struct fixture *fixture);

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
/* One text and the faults that it has to give, as for expect(). */
struct example {
	const char *text, *faults;
};
void check_examples(struct fixture *fixture, const struct example *examples, size_t n);
#define CHECK(state, examples)                                                                     \
	check_examples(*(state), examples, sizeof(examples) / sizeof((examples)[0]))
