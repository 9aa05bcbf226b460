/* SPDX-License-Identifier: Apache-2.0 */
/* Further registers of a value, and models of instruments: what is taken, and how the rest is said.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SITE(monitor)                                                                              \
	NODE TCP "sites: ( { id = \"s\"; kind = \"outfall\"; monitors: (\n{ factor = "             \
		 "\"w01018\"; connection = \"plc\"; unit_id = 1; " monitor " } ) } );\n"
#define FLOAT "table = \"input\"; address = 10; type = \"float32\"; order = \"CDAB\";"

static const struct config_monitor *monitor_of(const struct fixture *fixture)
{
	return &fixture->config->sites[0].monitors[0];
}

static void test_further_registers_are_those_of_the_value(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     SITE(FLOAT "exponent: { address = 12; negative = true; bias = -3; };"
				"plus: ( { address = 14; times = 1e8; }, { address = 16; type = "
				"\"uint16\"; } );"
				"unit_code: { address = 18; mask = 0xff; units: ( { value = 1; "
				"factor = 1000; } ); };"
				"status: { address = 20; table = \"holding\"; flags: ( { value = "
				"0; flag = \"N\"; }, { bits = 6; flag = \"M\"; } ); otherwise = "
				"\"C\"; no_value = true; };"
				"sample_time: { address = 30; format = \"epoch\"; };"
				"invalid = (-9999, 99999.5); rollover = 1e8;"));
	expect_ok(fixture);
	const struct config_monitor *m = monitor_of(fixture);
	assert_int_equal(m->n_extras, 6);
	const struct config_extra *plus = &m->extras[0], *exponent = &m->extras[2];
	assert_int_equal(plus->at.table, 1);
	assert_int_equal(plus->at.type, 6);
	assert_int_equal(plus->at.order, 1);
	assert_true(plus->times == 1e8 && m->extras[1].times == 1);
	assert_int_equal(m->extras[1].at.type, 1);
	assert_true(exponent->negative && exponent->bias == -3 && exponent->at.type == 0);
	assert_true(m->extras[3].mask == 0xff && m->extras[3].meanings[0].factor == 1000);
	const struct config_extra *status = &m->extras[4];
	assert_true(status->at.table == 0 && status->no_value && status->otherwise == 'C');
	assert_true(status->meanings[0].flag == 'N' && status->meanings[1].bits == 6);
	assert_true(m->extras[5].is_utc && m->extras[5].clock == 1 && m->extras[5].at.type == 3);
	assert_true(m->n_invalid == 2 && m->invalid[1] == 99999.5 && m->rollover == 1e8);
	assert_true(m->stale_after_s == 7200);
}

static void test_a_dated_result_may_be_silent_for_three_cycles(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, SITE(FLOAT "cycle_s = 14400; sample_time: { address = 30; };"));
	expect_ok(fixture);
	assert_true(monitor_of(fixture)->stale_after_s == 43200);
	assert_false(monitor_of(fixture)->extras[0].is_utc);
}

static void test_what_is_wrong_with_further_registers_is_said(void **state)
{
	static const struct example examples[] = {
		{SITE(FLOAT "\nstatus: { adress = 1; flags: ( ); };"),
		 "5: unknown key \"adress\" in a status; did you mean \"address\"?\n"
		 "5: key \"address\" is missing in a status"},
		{SITE(FLOAT "\nstatus: { address = 1;\nflags: ( { flag = \"Q\"; value = 1; },\n{ "
			    "flag = \"D\"; } ); };"),
		 "6: flag \"Q\" is not known; known are \"N\", \"F\"\n"
		 "7: a flag needs either value or bits"},
		{SITE(FLOAT "\nexponent: { address = \"x\"; step = 2; };"),
		 "5: address is a text, and must be an integer\n"
		 "5: key \"step\" is not one of an exponent of a monitor; remove it"},
		{SITE(FLOAT "\nplus: { address = 65535; };"),
		 "5: address = 65535 leaves no room for 2 registers; at most 65534"},
		{SITE(FLOAT "\nsample_time: { address = 3;\ntype = \"float32\"; };"),
		 "6: the six registers of a civil time are of type \"uint16\" or \"bcd16\""},
		{SITE(FLOAT "\nstatus: { address = 3;\ntype = \"bit\"; flags: ( ); };"),
		 "6: type \"bit\" does not fit table \"input\"; a bit of a register needs"},
		{SITE(FLOAT "\nstatus: { address = 3; table = \"coil\"; flags: ( ); };"),
		 "5: type \"uint16\" does not fit table \"coil\""},
		{SITE(FLOAT "\ninvalid = (1, \"x\");"),
		 "5: invalid must be a list of numbers, such as (-9999.0, 32767)"},
		{SITE(FLOAT "\nunit_code: { address = 3; units = 1; };"),
		 "5: units is an integer, and must be a list of groups"},
		{SITE(FLOAT "\nrollover = 0;"), "5: rollover = 0 is out of range"},
		{SITE(FLOAT "plus: ( { address = 1; }, { address = 1; }, { address = 1; },"
			    "{ address = 1; }, { address = 1; }, { address = 1; }, { address = "
			    "1; }, { address = 1; }, { address = 1; } );"),
		 "4: a value has at most 8 further registers, and here are 9"},
		{NODE MQTT
		 "sites: ( { id = \"s\"; kind = \"air\"; monitors: ( { factor = \"w01018\";\n"
		 "connection = \"bus\"; topic = \"t\";\nstatus: { }; model = \"x\"; } ) } );\n",
		 "5: key \"status\" is not one of a monitor of an mqtt connection; remove it\n"
		 "5: key \"model\" is not one of a monitor of an mqtt connection; remove it"},
	};
	CHECK(state, examples);
}

/* --- models --- */

static void load_with_model(struct fixture *fixture, const char *model, const char *monitor)
{
	char folder[100], text[2000];
	snprintf(folder, sizeof(folder), "%s/models", fixture->folder);
	(void)mkdir(folder, 0700);
	fixture_write(fixture, "models/m.cfg", model);
	snprintf(text, sizeof(text),
		 "node: { id = \"n\"; data_directory = \".\"; };\n" TCP
		 "sites: ( { id = \"s\"; kind = \"outfall\"; monitors: (\n{ factor = \"w01018\"; "
		 "connection = \"plc\"; unit_id = 1;\n%s } ) } );\n",
		 monitor);
	fixture_load(fixture, text);
}

#define MODEL(more, quantities)                                                                    \
	"model: { id = \"m-1\"; name = \"n\"; source = \"s\"; confidence = \"low\"; " more         \
	"\nquantities: (\n" quantities " ); };\n"
#define PAIR                                                                                       \
	MODEL("inputs = 3; exact = true; bus: { request_gap_ms = 70; max_gap = 2; };",             \
	      "{ id = \"a\"; unit = \"mg/L\"; table = \"input\"; address = 10; step = 4; type = "  \
	      "\"float32\"; order = \"CDAB\"; range = (0, 50); scale = 2; invalid = (-1); "        \
	      "status: { address = 12; step = 4; flags: ( { value = 0; flag = \"N\"; } ); }; },\n" \
	      "{ id = \"b\"; table = \"holding\"; address = 1; step = 1; type = \"int16\"; }")

static void test_a_monitor_says_only_what_differs(void **state)
{
	struct fixture *fixture = *state;
	load_with_model(fixture, PAIR, "model = \"m-1\"; quantity = \"a\";");
	expect_ok(fixture);
	const struct config_monitor *m = monitor_of(fixture);
	assert_true(m->table == 1 && m->address == 10 && m->type == 6 && m->order == 1);
	assert_true(m->exact && m->has_range && m->range_high == 50 && m->scale == 2);
	assert_string_equal(m->unit, "mg/L");
	assert_true(m->n_extras == 1 && m->extras[0].at.address == 12);
	assert_int_equal(m->extras[0].at.order, 1);
	assert_int_equal(fixture->config->connections[0].request_gap_ms, 70);
	assert_int_equal(fixture->config->connections[0].max_gap, 2);

	load_with_model(fixture, PAIR,
			"model = \"m-1\"; quantity = \"a\"; input = 3; base = 1000; order = "
			"\"DCBA\"; table = \"holding\"; scale = 1; range = (0, 9);");
	expect_ok(fixture);
	m = monitor_of(fixture);
	assert_true(m->table == 0 && m->address == 1018 && m->order == 3 && m->scale == 1);
	assert_true(m->extras[0].at.address == 1020 && m->extras[0].at.order == 3 &&
		    m->extras[0].at.table == 0);
	assert_true(m->range_high == 9 && m->n_invalid == 1);

	load_with_model(fixture, PAIR,
			"model = \"m-1\"; quantity = \"a\"; base = 5; address = 100; status: { "
			"address = 7; flags: ( ); }; invalid = ();");
	expect_ok(fixture);
	m = monitor_of(fixture); /* what the monitor says is where it says */
	assert_true(m->address == 100 && m->n_extras == 1 && m->extras[0].at.address == 7);
	assert_int_equal(m->n_invalid, 0);
}

static void test_a_connection_has_the_last_word_on_its_pauses(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     NODE "connections: ( { id = \"plc\"; driver = \"modbus\"; host = \"h\"; "
			  "request_gap_ms = 5; } );\n"
			  "sites: ( { id = \"s\"; kind = \"outfall\"; monitors: ( { factor = "
			  "\"w01001\"; connection = \"plc\"; unit_id = 1; model = \"yosemitech\"; "
			  "quantity = \"ph\"; } ) } );\n");
	expect_ok(fixture);
	assert_int_equal(fixture->config->connections[0].request_gap_ms, 5);
	assert_int_equal(fixture->config->connections[0].timeout_ms, 1000);
}

static void test_a_model_that_is_not_there_is_named(void **state)
{
	static const struct example examples[] = {
		{SITE("\nmodel = \"eh-liquiline-cm44\";"),
		 "5: model \"eh-liquiline-cm44\" is not in the data; did you mean "
		 "\"eh-liquiline-cm44x\"?"},
		{SITE("\nmodel = \"nobody's own kind of thing\";"),
		 "5: model \"nobody's own kind of thing\" is not in the data; there are "
		 "\"air-station-gas\""},
		{SITE("model = \"ysi-exo\";"),
		 "4: key \"quantity\" is missing beside model \"ysi-exo\"; there are "
		 "\"temperature\""},
		{SITE("model = \"ysi-exo\";\nquantity = \"turbidty\";"),
		 "5: quantity \"turbidty\" is not in the data; did you mean \"turbidity\"?"},
		{SITE("model = \"ysi-exo\"; quantity = \"suspended-solids\";\ninput = 33;"),
		 "5: input = 33 is out of range, 1 to 32 in model \"ysi-exo\""},
		{SITE("model = \"ysi-exo\"; quantity = \"suspended-solids\";\nbase = -129;"),
		 "5: base = -129 moves registers of model \"ysi-exo\" out of 0 to 65535"},
		{SITE(FLOAT "\nquantity = \"ph\";"),
		 "5: key \"quantity\" is not one of a monitor of a modbus connection; remove it"},
	};
	CHECK(state, examples);
}

static void test_a_wrong_model_is_an_error_with_its_file_and_line(void **state)
{
	struct fixture *fixture = *state;
	static const struct example examples[] = {
		{MODEL("", "{ id = \"a\"; table = \"holding\";\naddress = \"ten\"; type = "
			   "\"int16\"; }"),
		 "4: address is a text, and must be an integer"},
		{MODEL("", "{ id = \"a\"; table = \"holding\"; address = 10;\ntype = \"float\"; }"),
		 "4: type \"float\" is not known; did you mean \"float32\"?"},
		{MODEL("", "{ id = \"a\"; table = \"holding\"; address = 10; type = \"float32\"; "
			   "},\n{ id = \"b\"; table = \"holding\";\naddress = 11; type = "
			   "\"int16\"; }"),
		 "5: registers 11 to 11 of \"b\" overlap registers 10 to 11 of \"a\""},
		{MODEL("", "{ id = \"a\"; table = \"holding\"; address = 10; type = \"float32\"; "
			   "},\n{ id = \"b\"; table = \"holding\";\naddress = 10; type = "
			   "\"uint32\"; }"),
		 "5: registers 10 to 11 of \"b\" overlap registers 10 to 11 of \"a\""},
		{MODEL("", "{ id = \"a\"; table = \"holding\"; address = 10; type = \"float32\";\n"
			   "exponent: { address = 11; }; }"),
		 "3: registers 11 to 11 of \"a\" overlap registers 10 to 11 of \"a\""},
		{MODEL("inputs = 2;", "{ id = \"a\"; table = \"holding\"; address = 10; step = 1; "
				      "type = \"float32\"; }"),
		 "3: registers 11 to 12 of \"a\" overlap registers 10 to 11 of \"a\""},
		{MODEL("inputs = 2;",
		       "{ id = \"a\"; table = \"holding\"; address = 10; type = \"float32\"; }"),
		 "3: key \"step\" is missing in a quantity of a model with 2 inputs"},
		{MODEL("inputs = 9;", "{ id = \"a\"; table = \"holding\"; address = 65000; step = "
				      "100; type = \"int16\"; }"),
		 "3: the registers of input 9 lie beyond 0 to 65535"},
		{MODEL("", "{ id = \"a\"; table = \"holding\"; address = 1; type = \"int16\"; },\n"
			   "{ id = \"a\"; table = \"holding\"; address = 2; type = \"int16\"; }"),
		 "4: quantity \"a\" is defined twice; give each its own id"},
		{MODEL("color = 1;", ""), "1: unknown key \"color\" in a model\n"
					  "2: a model needs a quantity"},
		{"model: {\n", "1: syntax error: { is never closed"},
	};
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		print_message("example %zu\n", i);
		load_with_model(fixture, examples[i].text, FLOAT);
		expect(fixture, examples[i].faults);
		assert_non_null(strstr(fixture->faults.at[0].file, "/models/m.cfg"));
	}
}

static void test_data_without_models_will_do(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     "node: { id = \"n\"; data_directory = \".\"; };\n" TCP
		     "sites: ( { id = \"s\"; kind = \"outfall\"; monitors: ( { factor = "
		     "\"w01018\"; connection = \"plc\"; unit_id = 1; " FLOAT " } ) } );\n");
	expect_ok(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_further_registers_are_those_of_the_value),
		TEST(test_a_dated_result_may_be_silent_for_three_cycles),
		TEST(test_what_is_wrong_with_further_registers_is_said),
		TEST(test_a_monitor_says_only_what_differs),
		TEST(test_a_connection_has_the_last_word_on_its_pauses),
		TEST(test_a_model_that_is_not_there_is_named),
		TEST(test_a_wrong_model_is_an_error_with_its_file_and_line),
		TEST(test_data_without_models_will_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
