/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that are not an address to dial: units and loggers that dial in, serial lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <string.h>

#define UNIT(id, rest) "{ id = \"" id "\"; driver = \"modbus\"; transport = \"dtu\"; " rest " }"
static void test_units_that_dial_in_are_told_apart(void **state)
{
	static const struct example examples[] = {
		{NODE "connections: (\n" UNIT(
			 "a",
			 "listen = \"localhost:9003\"; registration = \"A\"; idle_s = 5;") " );\n",
		 "3: idle_s = 5 is out of range, 10 to 86400\n"
		 "3: listen = \"localhost:9003\" is not right: use address:port with the address "
		 "in digits, such as 192.0.2.1:9003"},
		{NODE "connections: (\n" UNIT("a", "listen = \"[::1]:9003\";") ",\n" UNIT(
			 "b", "listen = \"[::1]:9003\"; registration = \"hex:0\"; heartbeat = "
			      "\"hex:0g\";") " );\n",
		 "3: key \"registration\" is missing in a connection\n"
		 "4: registration = \"hex:0\" is not right: use a text of at most 64 bytes, or "
		 "hex: "
		 "with two digits for each byte, such as hex:0d0a\n"
		 "4: heartbeat = \"hex:0g\" is not right: use a text of at most 64 bytes, or hex: "
		 "with two digits for each byte, such as hex:0d0a"},
		{NODE "connections: (\n" UNIT(
			 "a",
			 "listen = \"127.0.0.1:9003\"; registration = "
			 "\"DTU-1\";") ",\n" UNIT("b",
						  "listen = \"127.0.0.1:9003\"; registration = "
						  "\"hex:4454552D3130\";") ",\n" UNIT("c",
										      "listen "
										      "= "
										      "\"127."
										      "0.0.1:"
										      "9004\";"
										      " "
										      "registr"
										      "ation "
										      "= "
										      "\"DTU-"
										      "1\"; "
										      "heartbe"
										      "at = "
										      "\"DTU\""
										      ";") " )"
											   ";"
											   "\n",
		 "4: registration begins as that of connection \"a\" at the same address, so "
		 "callers "
		 "cannot be told apart\n"
		 "5: heartbeat and registration begin alike, so they cannot be told apart"},
	};
	CHECK(state, examples);
}

#define RTU "driver = \"modbus\"; transport = \"rtu\"; device = \"/dev/ttyS1\"; "

static void test_a_serial_line_is_checked(void **state)
{
	static const struct example examples[] = {
		{NODE "connections: ( { id = \"a\"; driver = \"modbus\"; transport = \"rtu\";\n"
		      "host = \"192.0.2.1\"; } );\n",
		 "2: key \"device\" is missing in a connection\n"
		 "3: key \"host\" is not one of a connection of driver modbus, transport rtu; "
		 "remove it"},
		{NODE "connections: ( { id = \"a\"; " RTU "\nbaud = 2000000;\nparity = \"X\";\n"
		      "data_bits = 7;\nstop_bits = 3; } );\n",
		 "3: baud = 2000000 is no speed of serial lines; usual ones are 2400, 4800, 9600, "
		 "19200, 38400, 57600, 115200\n"
		 "4: parity \"X\" is not known; known are \"N\", \"E\", \"O\"\n"
		 "5: data_bits = 7 cannot carry RTU frames, which need 8\n"
		 "6: stop_bits = 3 is out of range, 1 to 2"},
		{NODE "connections: ( { id = \"a\"; driver = \"modbus\"; transport = \"rtu\";\n"
		      "device = \"ttyS1\";\nrs485 = true;\nrts = \"up\"; } );\n",
		 "3: device = \"ttyS1\" is not right: use the whole path, such as /dev/ttyS1 or "
		 "one "
		 "of /dev/serial/by-path\n"
		 "5: rts and rs485 both turn the line round; keep rs485 where the driver knows it"},
		{NODE "connections: ( { id = \"a\"; " RTU "\nrts_delay_us = 100; },\n"
		      "{ id = \"b\"; " RTU "rts = \"down\"; rts_delay_us = 100; } );\n",
		 "3: rts_delay_us needs rts = \"up\" or \"down\"\n"
		 "4: device \"/dev/ttyS1\" is that of connection \"a\"; a bus is one connection, "
		 "and "
		 "its instruments differ in unit_id"},
		{NODE "connections: ( { id = \"a\"; " RTU "} );\n"
		      "sites: ( { id = \"s\"; kind = \"air\"; monitors: ( { factor = \"w01018\";\n"
		      "connection = \"a\"; table = \"holding\"; address = 0; type = \"int16\";\n"
		      "unit_id = 0; } ); } );\n",
		 "5: unit_id = 0 is everybody on a serial line, and nobody answers it; an "
		 "instrument has 1 to 247"},
	};
	CHECK(state, examples);
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE "connections: ( { id = \"a\"; " RTU "}, { id = \"b\";"
				   "driver = \"modbus\"; transport = \"rtu\"; device = "
				   "\"/dev/ttyS2\"; baud = 19200; parity = \"E\"; data_bits = 8; "
				   "stop_bits = 2; rts = \"down\"; echo = true; } );\n");
	expect_ok(fixture);
	const struct config_connection *a = fixture->config->connections, *b = a + 1;
	assert_int_equal(a->baud, 9600);
	assert_true(a->parity == 0 && a->stop_bits == 1 && a->rts == 0 && !a->rs485 && !a->echo);
	assert_int_equal(b->baud, 19200);
	assert_true(b->parity == 1 && b->stop_bits == 2 && b->rts == 2 && b->echo);
}

#define LOGGERS                                                                                    \
	"connections: ( { id = \"loggers\"; driver = \"hj212\"; listen = \"127.0.0.1:9002\"; } "   \
	");\n"

static void test_data_loggers_have_keys_of_their_own(void **state)
{
	static const struct example examples[] = {
		{NODE
		 "connections: ( { id = \"a\"; driver = \"hj212\"; },\n"
		 "{ id = \"b\"; driver = \"hj212\"; listen = \"here:9002\"; },\n"
		 "{ id = \"c\"; driver = \"hj212\"; listen = \"127.0.0.1:9002\";\n"
		 "timeout_ms = 500; idle_s = 5; ack = \"never\"; },\n"
		 "{ id = \"d\"; driver = \"hj212\"; listen = \"127.0.0.1:9002\"; },\n"
		 "{ id = \"e\"; driver = \"modbus\"; transport = \"dtu\"; registration = \"x\";"
		 "listen = \"127.0.0.1:9002\"; } );\n",
		 "2: key \"listen\" is missing in a connection\n"
		 "3: listen = \"here:9002\" is not right: \n"
		 "5: key \"timeout_ms\" is not one of a connection of driver hj212; remove it\n"
		 "5: idle_s = 5 is out of range, 10 to 86400\n"
		 "5: ack \"never\" is not known; known are \"stored\", \"received\"\n"
		 "6: listen = \"127.0.0.1:9002\" is that of connection \"c\"; data loggers have an "
		 "address of their own, and all of them may share it\n"
		 "7: listen = \"127.0.0.1:9002\" is that of connection \"c\"; data loggers have an "
		 "address of their own, and all of them may share it"},
		{NODE LOGGERS "sites: ( { id = \"s\"; kind = \"air\"; monitors: (\n"
			      "{ factor = \"w01018\"; connection = \"loggers\"; },\n"
			      "{ factor = \"w21003\"; connection = \"loggers\"; mn = \"8 8\";\n"
			      "data = \"week\"; field = \"Mean\"; topic = \"t\"; },\n"
			      "{ factor = \"w01001\"; connection = \"loggers\"; mn = \"A\";"
			      "end_stamp_s = 600; } ); } );\n",
		 "4: key \"mn\" is missing in a monitor\n"
		 "5: mn = \"8 8\" is not right: use the logger's number, 1 to 27 letters and "
		 "digits\n"
		 "6: data \"week\" is not known; known are \"realtime\", \"minute\", \"hour\", "
		 "\"day\"\n"
		 "6: field \"Mean\" is not known\n"
		 "6: key \"topic\" is not one of a monitor of an hj212 connection; remove it\n"
		 "7: end_stamp_s belongs to means: it needs data = \"minute\", \"hour\" or "
		 "\"day\""},
	};
	CHECK(state, examples);
}

static void test_a_logger_s_monitor_has_its_defaults(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(
		fixture, NODE LOGGERS
		"sites: ( { id = \"s\"; kind = \"outfall\"; monitors: (\n"
		"{ factor = \"w01018\"; connection = \"loggers\"; mn = \"88888880000001\"; },\n"
		"{ factor = \"w21003\"; connection = \"loggers\"; mn = \"A\"; data = "
		"\"hour\"; end_stamp_s = 3600; },\n"
		"{ factor = \"w00000\"; connection = \"loggers\"; mn = \"A\"; data = "
		"\"day\"; field = \"Cou\"; scale = 3.6; } ); } );\n");
	expect_ok(fixture);
	const struct config_connection *loggers = fixture->config->connections;
	const struct config_monitor *m = fixture->config->sites[0].monitors;
	assert_true(loggers->driver == CONFIG_HJ212 && loggers->idle_s == 7200);
	assert_false(loggers->ack_received);
	assert_string_equal(m[0].mn, "88888880000001");
	assert_string_equal(m[0].factor.old_code, "011");
	assert_true(m[0].data == 0 && m[0].field == 0 && m[0].scale == 1);
	assert_true(m[0].stale_after_s == 7200);
	assert_true(m[1].data == 2 && m[1].field == 1 && m[1].end_stamp_s == 3600);
	assert_true(m[2].data == 3 && m[2].field == 4 && m[2].scale == 3.6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_units_that_dial_in_are_told_apart),
		TEST(test_a_serial_line_is_checked),
		TEST(test_data_loggers_have_keys_of_their_own),
		TEST(test_a_logger_s_monitor_has_its_defaults),
	};
	return cmocka_run_group_tests_name("config/connections", tests, NULL, NULL);
}
