/* SPDX-License-Identifier: Apache-2.0 */
/* What config_load() takes, what it makes of it, and how it says what it does not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static void test_an_unknown_key_is_named_with_what_was_meant(void **state)
{
	static const struct example examples[] = {
		{NODE "nodes: { };\n",
		 "2: unknown key \"nodes\" in the file; did you mean \"node\"?"},
		{NODE "storage: {\n zzz = 1; };\n",
		 "3: unknown key \"zzz\" in storage; known are \"directory\", \"flush_ms\""},
		{NODE TCP
		 "sites: ( { id = \"s\"; kind = \"air\"; monitors: ( { factor = \"w01018\";\n"
		 "connection = \"plc\"; unit_id = 1; table = \"holding\"; addres = 3;\n"
		 "type = \"int16\"; } ); } );\n",
		 "3: key \"address\" is missing in a monitor\n"
		 "4: unknown key \"addres\" in a monitor; did you mean \"address\"?"},
		{NODE "http: { listen = \"127.0.0.1:1\"; lisen = 1; };\n",
		 "2: unknown key \"lisen\" in http; did you mean \"listen\"?"},
	};
	CHECK(state, examples);
}

static void test_minutes_that_go_before_their_readings_are_noted(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE "storage: { keep_days = { raw = 500;\n minute = 400; }; };\n");
	expect_ok(fixture);
	assert_int_equal(fixture->config->notes.n, 1);
	assert_int_equal(fixture->config->notes.at[0].line, 3);
	assert_non_null(strstr(fixture->config->notes.at[0].message,
			       "kept 400 days and go before the readings (500 days)"));
	fixture_load(fixture, NODE "storage: { keep_days = { raw = 500; }; };\n");
	assert_int_equal(fixture->config->notes.n, 0);
}

static void test_a_site_flows_into_another_one(void **state)
{
	static const struct example examples[] = {
		{NODE
		 "sites: ( { id = \"a\"; kind = \"air\"; upstream_of = \"a\"; travel_h = 1; },\n"
		 " { id = \"b\"; kind = \"air\"; upstream_of = \"c\"; },\n"
		 " { id = \"d\"; kind = \"air\"; travel_h = 2; } );\n",
		 "2: upstream_of = \"a\" is no other site\n"
		 "3: upstream_of = \"c\" is no other site\n"
		 "3: key \"travel_h\" is missing beside upstream_of\n"
		 "4: travel_h stands only beside upstream_of"},
	};
	CHECK(state, examples);
	fixture_load(
		*state, NODE
		"sites: ( { id = \"a\"; kind = \"air\"; upstream_of = \"b\"; travel_h = 1.5; },\n"
		" { id = \"b\"; kind = \"air\"; } );\n");
	expect_ok(*state);
}

static void test_a_site_names_the_one_with_its_rain_gauge(void **state)
{
	struct fixture *fixture = *state;
	static const struct example examples[] = {
		{NODE "sites: ( { id = \"a\"; kind = \"air\"; rain_site = \"c\"; },\n"
		      " { id = \"b\"; kind = \"air\";\n rain_site = \"a\"; } );\n",
		 "2: rain_site = \"c\" is no site; name the id of the one with the rain gauge\n"
		 "4: rain_site = \"a\" has no monitor of factor \"a-rain\""},
	};
	CHECK(state, examples);
	fixture_load(fixture,
		     NODE MQTT "sites: ( { id = \"a\"; kind = \"outfall\"; rain_site = \"b\"; },\n"
			       " { id = \"b\"; kind = \"air\"; monitors: ( { factor = \"a-rain\";\n"
			       " connection = \"bus\"; topic = \"r\"; } ); } );\n");
	expect_ok(fixture);
	assert_string_equal(fixture->config->sites[0].rain_site, "b");
	assert_string_equal(fixture->config->sites[1].monitors[0].factor.unit, "mm");
}

static void test_the_parties_of_a_site_are_kept(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     NODE "sites: ( { id = \"a\"; kind = \"outfall\"; river_chief = \"R\";\n"
			  " grid = { officer = \"O\"; };\n"
			  " responsible = { contact = \"C\"; appointed_by = \"No. 1\"; valid_until "
			  "= \"2026-12-31\";\n"
			  "  support_units = \"S\"; territory = \"T\"; };\n"
			  " enterprise = { name = \"E\"; credit_code = \"1\"; permit_no = \"2\"; "
			  "outlet = \"3\"; }; } );\n");
	expect_ok(fixture);
	const struct config_parties *p = &fixture->config->sites[0].parties;
	assert_string_equal(p->river_chief, "R");
	assert_string_equal(p->officer, "O");
	assert_string_equal(p->contact, "C");
	assert_string_equal(p->appointed_by, "No. 1");
	assert_string_equal(p->valid_until, "2026-12-31");
	assert_string_equal(p->support_units, "S");
	assert_string_equal(p->territory, "T");
	assert_string_equal(p->enterprise, "E");
	assert_string_equal(p->credit_code, "1");
	assert_string_equal(p->permit_no, "2");
	assert_string_equal(p->outlet, "3");
	static const struct example examples[] = {
		{NODE
		 "sites: ( { id = \"a\"; kind = \"outfall\"; enterprise = { outlet = \"3\"; };\n"
		 " responsible = { valid_until = \"soon\"; }; } );\n",
		 "2: key \"name\" is missing in enterprise\n3: valid_until = \"soon\" is not "
		 "right"},
	};
	CHECK(state, examples);
}

static void test_a_wrong_type_says_which_is_right(void **state)
{
	static const struct example examples[] = {
		{NODE "storage: { flush_ms = \"x\";\n directory = 3; };\n",
		 "2: flush_ms is a text, and must be an integer\n"
		 "3: directory is an integer, and must be a text"},
		{NODE "storage: { flush_ms = 1.5; keep_days = 3; };\n",
		 "2: flush_ms = 1.5 must be a whole number\n"
		 "2: keep_days is an integer, and must be a group { }"},
		{NODE "influx: { url = \"http://a\"; gzip = 1; };\n",
		 "2: gzip is an integer, and must be true or false"},
		{NODE "sites: { };\n", "2: sites is a group { }, and must be a list of groups"},
		{NODE "sites: ( 1 );\n",
		 "2: an element of sites is an integer, and must be a group { }"},
		{NODE "deliveries: ( { id = \"f\"; type = \"file\"; directory = \"/x\";\n"
		      " events = \"case.*\"; } );\n",
		 "3: events is a text, and must be a list of texts"},
		{"node = 1;\n", "1: node is an integer, and must be a group { }"},
	};
	CHECK(state, examples);
}

static void test_a_value_out_of_range_names_the_range(void **state)
{
	static const struct example examples[] = {
		{NODE "connections: ( { id = \"a\"; driver = \"modbus\"; host = \"h\";\n"
		      " port = 70000; timeout_ms = 0; max_registers = 126; } );\n",
		 "3: port = 70000 is out of range, 1 to 65535\n"
		 "3: timeout_ms = 0 is out of range, 10 to 600000\n"
		 "3: max_registers = 126 is out of range, 1 to 125"},
		{NODE
		 "sites: ( { id = \"s\"; kind = \"air\"; longitude = 180.5; latitude = 1; } );\n",
		 "2: longitude = 180.5 is out of range, -180 to 180"},
		{NODE
		 "connections: ( { id = \"a\"; driver = \"mqtt\"; uri = \"mqtt://h\"; qos = 2; "
		 "} );\n",
		 "2: qos = 2 is out of range, 0 to 1"},
		{NODE "storage: { keep_days = { raw = -1; }; };\n", "2: raw = -1 is out of range"},
		{NODE "threads = 17;\n", "2: threads = 17 is out of range, 1 to 16"},
		{NODE "threads: { };\n", "2: threads is a group { }, and must be an integer"},
	};
	CHECK(state, examples);
}

static void test_a_choice_lists_what_is_known(void **state)
{
	static const struct example examples[] = {
		{NODE "sites: ( { id = \"s\"; kind = \"outfal\"; } );\n",
		 "2: kind \"outfal\" is not known; did you mean \"outfall\"?"},
		{NODE
		 "sites: ( { id = \"s\"; kind = \"x\"; opens = (\"exceedance\", \"noise\"); } );\n",
		 "2: kind \"x\" is not known; known are \"river_section\", \"water_source\"\n"
		 "2: opens holds \"noise\", which is no kind of alert; there are \"warning\""},
		{"node: { id = \"n\"; data_directory = \"" TEST_DATA "\"; language = \"zh\"; };\n",
		 "1: language \"zh\" is not known; known are \"zh_CN\", \"en\""},
		{NODE "connections: ( { id = \"a\"; driver = \"modbuss\"; } );\n",
		 "2: driver \"modbuss\" is not known; did you mean \"modbus\"?"},
	};
	CHECK(state, examples);
}

static void test_each_influx_address_has_keys_of_its_own(void **state)
{
	static const struct example examples[] = {
		{NODE "influx: { url = \"http://h:1\"; api = \"v2\"; database = \"d\";\n"
		      "org = \"o\"; };\n",
		 "2: key \"database\" is not one of influx of api v2\n"
		 "2: key \"bucket\" is missing\n2: key \"token_file\" is missing"},
		{NODE "influx: { url = \"http://h:1\"; api = \"v3\"; bucket = \"b\"; };\n",
		 "2: key \"bucket\" is not one of influx of api v3"},
		{NODE "influx: { url = \"http://h:1\"; api = \"v4\"; };\n",
		 "2: influx api \"v4\" is not known"},
	};
	CHECK(state, examples);
	struct fixture *fixture = *state;
	fixture_write(fixture, "token", "secret\n");
	fixture_load(fixture, NODE "influx: { url = \"http://h:1\"; api = \"v2\"; org = \"o\";\n"
				   "bucket = \"b\"; token_file = \"token\"; };\n");
	expect_ok(fixture);
	assert_string_equal(fixture->config->influx.token, "secret");
}

static void test_dangling_and_duplicate_ids_name_both_sides(void **state)
{
	static const struct example examples[] = {
		{NODE TCP
		 "sites: ( { id = \"s\"; kind = \"air\"; monitors: ( { factor = \"w01018\";\n"
		 "connection = \"plc-9\"; } ); } );\n",
		 "4: connection \"plc-9\" does not exist; defined are \"plc\""},
		{NODE "connections: ( { id = \"a\"; driver = \"modbus\"; host = \"h\"; },\n"
		      "{ id = \"a\"; driver = \"modbus\"; host = \"h\"; } );\n",
		 "3: connection \"a\" is defined twice"},
		{NODE
		 "sites: ( { id = \"s\"; kind = \"air\"; },\n{ kind = \"air\";\nid = \"s\"; } );\n",
		 "4: site \"s\" is defined twice"},
		{NODE MQTT
		 "sites: ( { id = \"s\"; kind = \"air\"; monitors: (\n"
		 "{ factor = \"w01018\"; connection = \"bus\"; topic = \"a\"; },\n"
		 "{ factor = \"w01018\"; connection = \"bus\"; topic = \"b\"; } ); } );\n",
		 "5: factor \"w01018\" has a monitor at site \"s\" already"},
		{NODE "deliveries: ( { id = \"d\"; type = \"file\"; directory = \"/a\"; },\n"
		      "{ id = \"d\"; type = \"file\"; directory = \"/b\"; } );\n",
		 "3: delivery \"d\" is defined twice"},
		{NODE "storage: { flush_ms = 1;\nflush_ms = 2; };\n",
		 "3: key \"flush_ms\" occurs twice in this group, first at"},
		{NODE TCP
		 "sites: ( { id = \"s\"; kind = \"air\"; monitors: ( { factor = \"w99999\"; "
		 "connection = \"plc\";\nunit_id = 1; table = \"input\"; address = 0; type = "
		 "\"int16\"; },\n{ factor = \"W01018\"; connection = \"plc\"; unit_id = 1; table "
		 "= \"input\"; address = 0; type = \"int16\"; } ); } );\n",
		 "3: factor \"w99999\" is not in the catalogue; use a code of HJ 525\n"
		 "5: factor \"W01018\" is not in the catalogue; did you mean \"w01018\"?"},
	};
	CHECK(state, examples);
}

static void test_a_missing_key_is_told_at_the_brace_of_its_group(void **state)
{
	static const struct example examples[] = {
		{"node:\n{\n};\n", "2: key \"id\" is missing in node"},
		{"storage: { };\n", "1: key \"node\" is missing in the file"},
		{NODE "connections: (\n{\ndriver =\n\"modbus\"; }\n);\n",
		 "3: key \"id\" is missing in a connection\n3: key \"host\" is missing"},
		{NODE MQTT "sites: ( { id = \"s\"; kind = \"air\"; monitors: (\n{\nfactor = "
			   "\"w01018\"; connection = \"bus\"; } ); } );\n",
		 "4: key \"topic\" is missing in a monitor"},
	};
	CHECK(state, examples);
}

static void test_all_faults_come_in_one_run_sorted_by_file_and_line(void **state)
{
	struct fixture *fixture = *state;
	fixture_write(fixture, "a.cfg", "sites: (\n { id = \"s s\"; kind = \"air\"; } );\n");
	fixture_load(fixture,
		     NODE "http: { listen = 3; };\n@include \"a.cfg\"\n"
			  "storage: { flush_ms = 0; max_bytes = 1;\n directory = \"\"; };\n");
	expect(fixture, "2: id = \"s s\" is not right\n"
			"2: listen is an integer\n"
			"4: flush_ms = 0 is out of range\n"
			"4: max_bytes = 1 is out of range\n"
			"5: directory is empty");
	assert_non_null(strstr(fixture->faults.at[0].file, "/a.cfg"));
	assert_string_equal(fixture->faults.at[1].file, fixture->path);
}

static void test_texts_are_checked_for_their_form(void **state)
{
	static const struct example examples[] = {
		{"node: { id = \"Node_1\"; data_directory = \"" TEST_DATA "\";\n"
		 "timezone = \"Mars/Base\"; case_number = \"{seq}\"; };\n",
		 "1: id = \"Node_1\" is not right: use a to z, 0 to 9 and -\n"
		 "2: timezone = \"Mars/Base\" is not right: no such zone\n"
		 "2: case_number = \"{seq}\" is not right: it needs {year} and {seq}"},
		{"node: { id = \"n\"; data_directory = \"" TEST_DATA
		 "\"; timezone = \"../etc\"; };\n",
		 "1: timezone = \"../etc\" is not right"},
		{NODE "connections: ( { id = \"a\"; driver = \"mqtt\"; uri = \"http://h\"; } );\n",
		 "2: uri = \"http://h\" is not right: use mqtt://host:port"},
		{NODE "influx: { url = \"ftp://h\"; };\n",
		 "2: url = \"ftp://h\" is not right: use http:"},
		{NODE "influx: { url = \"http://u:p@h\"; };\n",
		 "2: a name or password does not belong"},
		{NODE "http: { listen = \"9212\"; };\n",
		 "2: listen = \"9212\" is not right: use address:"},
		{NODE "http: { listen = \"0.0.0.0:9212\"; };\n", "2: is open beyond this machine"},
		{NODE MQTT
		 "sites: ( { id = \"s\"; kind = \"air\"; monitors: ( { factor = \"w01018\"; "
		 "connection = \"bus\";\n topic = \"a/b#\"; value = \"data\"; }, { factor = "
		 "\"w01019\"; connection = \"bus\"; topic = \"a/#/b\";\n time = \"/~2\"; } ); } "
		 ");\n",
		 "4: topic = \"a/b#\" is not right: + and # stand alone\n"
		 "4: value = \"data\" is not right: a JSON pointer begins with /\n"
		 "4: topic = \"a/#/b\" is not right: # can only be the last level\n"
		 "5: time = \"/~2\" is not right: in a JSON pointer ~"},
		{NODE "deliveries: ( { id = \"d\"; type = \"file\"; directory = \"/a\"; events = "
		      "(\"cases.*\"); } );\n",
		 "2: it matches no event"},
		{NODE "storage: { directory = \"\xc4\xe3\"; };\n",
		 "2: directory is not valid UTF-8"},
		{NODE "storage: { directory = \"a\\nb\"; };\n",
		 "2: directory holds a control character"},
	};
	CHECK(state, examples);
}

#define MONITOR(keys)                                                                              \
	NODE TCP "sites: ( { id = \"s\"; kind = \"air\"; monitors: (\n"                            \
		 "{ factor = \"w01018\"; connection = \"plc\"; unit_id = 1;\n" keys " } ); } );\n"

static void test_registers_have_to_fit_their_table(void **state)
{
	static const struct example examples[] = {
		{MONITOR("table = \"holding\"; address = 65535; type = \"float32\";"),
		 "5: address = 65535 leaves no room for the 2 registers of \"float32\"; at most "
		 "65534"},
		{MONITOR("table = \"holding\"; address = 65536; type = \"float32\";"),
		 "5: address = 65536 is out of range, 0 to 65535"},
		{MONITOR("table = \"coil\"; address = 1; type = \"int16\";"),
		 "5: type \"int16\" does not fit table \"coil\""},
		{MONITOR("table = \"input\"; address = 1; type = \"bit\";"),
		 "4: key \"bit\" is missing"},
		{MONITOR("table = \"input\"; address = 1; type = \"bit\"; bit = 16;"),
		 "5: bit = 16 is out of range, 0 to 15"},
		{MONITOR("table = \"input\"; address = 1; type = \"int16\"; bit = 1;"),
		 "5: bit does not apply to type \"int16\""},
		{MONITOR("table = \"input\"; address = 1; type = \"int16\"; topic = \"x\";"),
		 "5: key \"topic\" is not one of a monitor of a modbus connection"},
		{MONITOR("table = \"input\"; address = 1; type = \"int16\"; interval_ms = 1500;"),
		 "5: interval_ms = 1500 must be a multiple of the connection's, 1000"},
		{MONITOR("table = \"input\"; address = 1; type = \"int16\"; range = (5, 1.0);"),
		 "5: range = (5, 1) must be ascending"},
		{MONITOR("table = \"input\"; address = 1; type = \"int16\"; scale = 0;"),
		 "5: scale = 0 makes every value the same"},
		{MONITOR("table = \"input\"; address = 1; type = \"int16\"; flat_count = 4;\n"
			 "flat_after_s = 60;"),
		 "5: flat_after_s and flat_count exclude each other"},
	};
	CHECK(state, examples);
}

static void test_a_block_has_to_hold_its_value(void **state)
{
#define BLOCK(keys) MONITOR("table = \"holding\"; address = 4; type = \"float32\";\n" keys)
	static const struct example examples[] = {
		{BLOCK("block = 0;"),
		 "6: block must be a list of the first address and a count of 1 to "
		 "125, such as (0, 20)"},
		{BLOCK("block = (0, 0);"), "6: block must be a list"},
		{BLOCK("block = (0, 126);"), "6: block must be a list"},
		{BLOCK("block = (0, 5);"),
		 "6: block = (0, 5) does not hold address 4, count 2 of the value"},
		{BLOCK("block = (5, 5);"), "6: block = (5, 5) does not hold address 4, count 2"},
		{BLOCK("block = (65535, 2);"),
		 "6: block = (65535, 2) reaches beyond address 65535"},
		{BLOCK("exact = 1;"), "6: exact is an integer, and must be true or false"},
	};
	CHECK(state, examples);
	struct fixture *fixture = *state;
	fixture_load(fixture,
		     NODE "connections: ( { id = \"plc\"; driver = \"modbus\"; host = "
			  "\"h\"; exact = true; } );\n"
			  "sites: ( { id = \"s\"; kind = \"air\"; monitors: (\n"
			  "{ factor = \"w01018\"; connection = \"plc\"; unit_id = 1; table = "
			  "\"holding\"; address = 4; type = \"float32\"; block = [2, 4]; },\n"
			  "{ factor = \"w21003\"; connection = \"plc\"; unit_id = 1; table = "
			  "\"holding\"; address = 8; type = \"float32\"; exact = false; } ); } );");
	expect_ok(fixture);
	const struct config_monitor *monitors = fixture->config->sites[0].monitors;
	assert_true(monitors[0].exact);
	assert_int_equal(monitors[0].block, 2);
	assert_int_equal(monitors[0].block_count, 4);
	assert_false(monitors[1].exact);
	assert_int_equal(monitors[1].block_count, 0);
}

#define REGISTER "table = \"holding\"; address = 0; type = \"float32\";\n"
#define LIMIT(keys) MONITOR(REGISTER "limits: ( { " keys " } );")

static void test_limits_that_cannot_hold_are_refused(void **state)
{
	static const struct example examples[] = {
		{LIMIT("opens = \"case\";"), "6: a limit needs max, min, or standard and class"},
		{LIMIT("max = 1; min = 1.0;"), "6: max = 1 must be above min = 1"},
		{LIMIT("max = 9; min = 6; deadband = 2;"),
		 "6: deadband = 2 leaves nothing between"},
		{LIMIT("max = 50; warn_at = 1.0;"),
		 "6: warn_at = 1 is out of range, 0 to 1 (the ends"},
		{LIMIT("max = 0; warn_at = 0.9;"), "6: warn_at = 0.9 is a share of the limit"},
		{LIMIT("max = 9; min = 6; warn_at = 0.5;"),
		 "6: warn_at = 0.5 leaves nothing between"},
		{LIMIT("max = 50; average = \"hour\";\ngrace_s = 21601;"),
		 "7: grace_s = 21601 is longer than 6 windows; at most 21600 for a mean of the "
		 "hour"},
		{LIMIT("max = 50; average = \"day\"; grace_s = 518401;"),
		 "6: grace_s = 518401 is longer than 6 windows; at most 518400"},
		{LIMIT("max = 50; average = \"day\";\non_delay_s = 1; deadband = 0.0;"),
		 "7: on_delay_s does not apply to a mean; use on_count\n"
		 "7: deadband does not apply to a mean"},
		{LIMIT("max = 50; class = \"1A\";"), "6: class stands only beside standard"},
		{LIMIT("standard = \"GB18918-2002\";"),
		 "6: key \"class\" is missing beside standard"},
		{LIMIT("standard = \"GB18918-2002\"; class = \"1A\"; max = 3;"),
		 "6: max cannot stand beside standard"},
	};
	CHECK(state, examples);
}

static const struct config_monitor *only_monitor(struct fixture *fixture)
{
	expect_ok(fixture);
	assert_int_equal(fixture->config->n_sites, 1);
	assert_int_equal(fixture->config->sites[0].n_monitors, 1);
	return &fixture->config->sites[0].monitors[0];
}

static void test_defaults_are_filled_in(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(fixture, NODE "influx: { url = \"http://127.0.0.1:8086\"; };\n");
	expect_ok(fixture);
	const struct config *config = fixture->config;
	assert_string_equal(config->timezone, "Asia/Shanghai");
	assert_string_equal(config->language, "zh_CN");
	assert_string_equal(config->case_number, "{prefix}〔{year}〕{seq}号");
	assert_string_equal(config->directory, "/var/lib/ducha");
	assert_string_equal(config->socket, "/run/ducha/duchad.sock");
	assert_null(config->listen);
	assert_int_equal(config->flush_ms, 100);
	assert_int_equal(config->max_bytes, 20000000000);
	assert_int_equal(config->frames_memory, 64 << 20);
	assert_int_equal(config->keep_mean, 3650);
	assert_string_equal(config->influx.api, "v1");
	assert_true(config->influx.gzip);
	assert_int_equal(config->influx.batch_lines, 5000);
	fixture_load(fixture, NODE "http: { socket = \"\"; };\n");
	expect_ok(fixture);
	assert_null(fixture->config->socket);
	assert_null(fixture->config->influx.url);
}

static void test_defaults_of_a_polled_monitor(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(
		fixture, NODE
		"connections: ( { id = \"plc\"; driver = \"modbus\"; host = \"h\"; interval_ms = "
		"30000; } );\n"
		"sites: ( { id = \"s\"; kind = \"outfall\"; monitors: ( { factor = \"w01018\"; "
		"connection = \"plc\"; unit_id = 1.0; table = \"input\"; address = 7; type = "
		"\"uint32\"; limits: ( { max = 50; } ); } ); } );\n");
	const struct config_monitor *monitor = only_monitor(fixture);
	assert_true(monitor->scale == 1 && monitor->offset == 0);
	assert_int_equal(monitor->unit_id, 1);
	assert_int_equal(monitor->table, 1);
	assert_int_equal(monitor->type, 3);
	assert_int_equal(monitor->order, 0);
	assert_int_equal(monitor->interval_ms, 30000);
	assert_true(monitor->stale_after_s == 90);
	assert_string_equal(monitor->unit, "mg/L");
	assert_int_equal(monitor->limits[0].opens, -1);
	assert_true(monitor->limits[0].grace_s == 60 && monitor->limits[0].min_valid == 0.75);
	assert_string_equal(monitor->limits[0].source, "configuration");
	assert_int_equal(fixture->config->sites[0].opens, 1u << 1 | 1u << 9);
	assert_int_equal(fixture->config->connections[0].port, 502);
	assert_string_equal(fixture->config->sites[0].name, "s");
}

static void test_signals_are_inherited_from_the_site(void **state)
{
	struct fixture *fixture = *state;
	fixture_load(
		fixture, NODE MQTT
		"sites: ( { id = \"s\"; kind = \"air\"; monitors: (\n"
		"{ factor = \"w01018\"; connection = \"bus\"; topic = \"a\"; },\n"
		"{ factor = \"w01019\"; connection = \"bus\"; topic = \"a\"; stale_after_s = 0; "
		"flat_count = 3; } ); flat_after_s = 7; stale_after_s = 33; },\n"
		"{ id = \"t\"; kind = \"air\"; monitors: ( { factor = \"w01018\"; connection = "
		"\"bus\"; topic = \"a\"; } ); } );\n");
	expect_ok(fixture);
	const struct config_monitor *monitors = fixture->config->sites[0].monitors;
	assert_true(monitors[0].stale_after_s == 33 && monitors[0].flat_after_s == 7);
	assert_true(monitors[1].stale_after_s == 0 && monitors[1].flat_after_s == 0);
	assert_true(fixture->config->sites[1].monitors[0].stale_after_s == 7200);
	assert_string_equal(fixture->config->connections[0].client_id, "n1-bus");
}

static void test_secrets_come_from_the_credentials_first(void **state)
{
	struct fixture *fixture = *state;
	const char *text =
		NODE "connections: ( { id = \"b\"; driver = \"mqtt\"; uri = \"mqtt://h\"; "
		     "username = \"u\";\n password_file = \"secret\"; } );\n";
	char folder[128], command[200];
	fixture_load(fixture, text);
	expect(fixture, "3: password_file = \"secret\" cannot be read: No such file");
	fixture_write(fixture, "secret", "beside\n");
	fixture_load(fixture, text);
	expect_ok(fixture);
	assert_string_equal(fixture->config->connections[0].password, "beside");
	snprintf(folder, sizeof(folder), "%s/credentials", fixture->folder);
	snprintf(command, sizeof(command), "mkdir %s", folder);
	assert_int_equal(system(command), 0);
	fixture_write(fixture, "credentials/secret", "first");
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	fixture_load(fixture, text);
	expect_ok(fixture);
	assert_string_equal(fixture->config->connections[0].password, "first");
	fixture_write(fixture, "credentials/secret", "\n");
	fixture_load(fixture, text);
	expect(fixture, "3: is empty; it is to hold the secret alone");
}

static void test_the_example_of_the_project_is_good(void **state)
{
	struct fixture *fixture = *state;
	fixture_load_file(fixture, TEST_DATA "/ducha.cfg");
	expect_ok(fixture);
	assert_int_equal(fixture->config->n_sites, 6);
	assert_int_equal(fixture->config->n_connections, 4);
	assert_true(fixture->config->n_monitors >= 20 && fixture->config->n_limits >= 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_unknown_key_is_named_with_what_was_meant),
		TEST(test_minutes_that_go_before_their_readings_are_noted),
		TEST(test_a_site_flows_into_another_one),
		TEST(test_a_site_names_the_one_with_its_rain_gauge),
		TEST(test_the_parties_of_a_site_are_kept),
		TEST(test_a_wrong_type_says_which_is_right),
		TEST(test_a_value_out_of_range_names_the_range),
		TEST(test_a_choice_lists_what_is_known),
		TEST(test_each_influx_address_has_keys_of_its_own),
		TEST(test_dangling_and_duplicate_ids_name_both_sides),
		TEST(test_a_missing_key_is_told_at_the_brace_of_its_group),
		TEST(test_all_faults_come_in_one_run_sorted_by_file_and_line),
		TEST(test_texts_are_checked_for_their_form),
		TEST(test_registers_have_to_fit_their_table),
		TEST(test_a_block_has_to_hold_its_value),
		TEST(test_limits_that_cannot_hold_are_refused),
		TEST(test_defaults_are_filled_in),
		TEST(test_defaults_of_a_polled_monitor),
		TEST(test_signals_are_inherited_from_the_site),
		TEST(test_secrets_come_from_the_credentials_first),
		TEST(test_the_example_of_the_project_is_good),
	};
	return cmocka_run_group_tests_name("config/load", tests, NULL, NULL);
}
