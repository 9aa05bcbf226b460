/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/scenario.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes @content, loads it; *faults (free() them) begin with the file's name cut off. */
static int load(const char *content, struct scenario **s, char **faults)
{
	char name[] = "/tmp/test-sim-scenario-XXXXXX";
	int fd = mkstemp(name);
	size_t length, n = strlen(content);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, n), n);
	close(fd);
	FILE *out = open_memstream(faults, &length);
	assert_non_null(out);
	int error = scenario_load(name, NULL, s, out);
	fclose(out);
	unlink(name);
	for (char *at; (at = strstr(*faults, name)) != NULL;)
		memmove(at, at + strlen(name), strlen(at + strlen(name)) + 1);
	return error;
}

static void expect_fault(const char *content, const char *fault)
{
	struct scenario *s = NULL;
	char *faults = NULL;
	int error = load(content, &s, &faults);
	if (error != -EINVAL || strstr(faults, fault) == NULL)
		fail_msg("for\n%s\nexpected %s\ngot %d %s", content, fault, error, faults);
	assert_null(s);
	free(faults);
}

/* One instrument, with @extra among its keys on line 3. */
static void expect_instrument_fault(const char *extra, const char *fault)
{
	char content[1024];
	snprintf(content, sizeof content,
		 "servers: ( { id = \"a\";\ninstruments: ( { name = \"x\"; address = 4;\n%s } ); } "
		 ");",
		 extra);
	expect_fault(content, fault);
}

static void expect_publisher_fault(const char *text, const char *fault)
{
	char content[1024];
	snprintf(content, sizeof content, "publishers: (\n{ %s } );", text);
	expect_fault(content, fault);
}

static void test_a_good_scenario_is_read_with_its_defaults(void **state)
{
	struct scenario *s = NULL;
	char *faults = NULL;
	(void)state;
	assert_int_equal(
		load("seed = 5;\n"
		     "servers: ( { id = \"a\"; port = 0; instruments: (\n"
		     "  { name = \"y\"; address = 6; base = 2; type = \"int16\"; scale = 0.1; },\n"
		     "  { name = \"x\"; address = 0; base = 1.5; events: (\n"
		     "    { kind = \"exceedance\"; at = 10; for = 2.5; target = 9; } ); } ); } );\n"
		     "publishers: ( { topic = \"t\"; values: ( { name = \"z\"; base = 3; } ); } );",
		     &s, &faults),
		0);
	assert_string_equal(faults, "");
	assert_int_equal(s->seed, 5);
	assert_string_equal(s->listen, "127.0.0.1");
	assert_int_equal(s->servers[0].bank.n, 2);
	const struct bank_instrument *x = &s->servers[0].bank.at[0];
	assert_string_equal(x->name, "x");
	assert_int_equal(x->table, BANK_HOLDING);
	assert_int_equal(x->type, BANK_FLOAT32);
	assert_int_equal(x->unit_id, 1);
	assert_int_equal(x->signal.events[0].at_ms, 10000);
	assert_int_equal(x->signal.events[0].for_ms, 2500);
	assert_int_equal(s->publishers[0].qos, 1);
	assert_int_equal(s->publishers[0].interval_ms, 1000);
	assert_null(s->publishers[0].message.time);
	scenario_free(s);
	free(faults);
}

static void test_the_seed_of_the_command_line_comes_before_the_files(void **state)
{
	struct scenario *own = NULL, *other = NULL;
	uint64_t seed = 99;
	(void)state;
	assert_int_equal(scenario_load(DISTRICT, NULL, &own, stderr), 0);
	assert_int_equal(scenario_load(DISTRICT, &seed, &other, stderr), 0);
	assert_int_equal(other->seed, 99);
	assert_true(own->servers[0].bank.at[0].signal.key !=
		    other->servers[0].bank.at[0].signal.key);
	scenario_free(own);
	scenario_free(other);
}

static void test_the_shipped_district_exceeds_10_s_after_its_start(void **state)
{
	struct scenario *s = NULL;
	(void)state;
	assert_int_equal(scenario_load(DISTRICT, NULL, &s, stderr), 0);
	const struct bank_instrument *b = &s->servers[0].bank.at[0];
	assert_string_equal(b->name, "outfall-1/w01018");
	for (int64_t t = 0; t < 10000; t += 100)
		assert_true(signal_value(&b->signal, t) < 50.0);
	for (int64_t t = 10000; t < 85000; t += 100)
		assert_true(signal_value(&b->signal, t) > 80.0);
	assert_true(signal_value(&b->signal, 85000) < 48.0);
	scenario_free(s);
}

static void test_every_fault_of_a_file_is_named_with_its_line(void **state)
{
	(void)state;
	expect_fault("sed = 5;", ":1: unknown key \"sed\"");
	expect_fault("seed = 5;", ":1: nothing to play");
	expect_fault("seed = 5;\nservers = 3;", ":2: \"servers\" must be a list");
	expect_fault("seed = 5;\nservers: (\n3 );", ":3: \"servers\" must hold groups");
	expect_fault("servers: ( { port = 3;\n instruments: ( ); } );", "\"id\" is missing");
	expect_fault("servers: (\n{ id = \"a\"; port = 70000; instruments: ( ); } );",
		     ":2: \"port\" is 70000, must be from 0 to 65535");
	expect_fault("servers: (\n{ id = \"a\"; } );", ":2: \"instruments\" is missing");
	expect_fault("servers: (\n{ id = \"a\"; instruments: ( ); },\n{ id = \"a\"; instruments: ( "
		     "); } );",
		     ":3: a server \"a\" is there already");
	expect_fault(
		"loggers: (\n{ id = \"a\"; mn = \"A\"; interval_s = 0.5;\npw = 1; factors: ( ); "
		"} );",
		":3: unknown key \"pw\"");
	expect_fault("loggers: (\n{ id = \"a\"; interval_s = 0.5; factors: ( ); } );",
		     ":2: \"mn\" is missing");
	expect_fault("loggers: (\n{ id = \"a\"; mn = \"A\"; interval_s = 0.5; factors: ( ); } );",
		     "\"interval_s\" is 0.5, must be from 1 to 86400");
	expect_fault("loggers: (\n{ id = \"a\"; mn = \"A\"; factors: ( ); } );",
		     "a logger has 1 to 60 factors");
	expect_fault(
		"loggers: (\n{ id = \"a\"; mn = \"A\"; factors: ( { code = \"w\"; base = 1; } );\n"
		"away: ( { for = 3; } ); } );",
		":3: \"at\" is missing");
	expect_fault("servers: ( { id = \"a\"; instruments: ( );\nfaults: ( { kind = \"slow\"; } "
		     "); } );",
		     ":2: \"kind\" must be one of silence, refusal, half-open");
	expect_fault("servers: ( { id = \"a\"; instruments: ( );\nfaults: ( { kind = "
		     "\"exception\"; } ); } );",
		     ":2: \"code\" is missing");
	expect_fault("servers: ( { id = \"a\"; instruments: ( );\nfaults: ( { kind = "
		     "\"late\"; share = 2; } ); } );",
		     ":2: \"share\" is 2");
	expect_fault("seed = 5;\nservers = ;", ":2: syntax error");
	expect_fault("seed = 5;\n/* servers: (\n", ":2: this comment is never closed");
	expect_fault("seed = 1.5;\nservers: ( );", ":1: \"seed\" must be a whole number");
}

static void test_every_fault_of_an_instrument_is_named_with_its_line(void **state)
{
	(void)state;
	expect_instrument_fault("", ":2: \"base\" is missing");
	expect_instrument_fault("base = \"5\";", ":3: \"base\" must be a number");
	expect_instrument_fault("base = 5; noise = -1;", ":3: \"noise\" is -1");
	expect_instrument_fault("base = 5; colour = 1;", ":3: unknown key \"colour\"");
	expect_instrument_fault("base = 5; type = \"float\";", ":3: \"type\" must be one of int16");
	expect_instrument_fault("base = 5; unit_id = 256;", ":3: \"unit_id\" is 256");
	expect_instrument_fault("base = 5; scale = 0;", "\"scale\" must not be 0");
	expect_instrument_fault("base = 5; low = 2; high = 1;", "\"low\" is 2, above \"high\" 1");
	expect_instrument_fault("base = 5; table = \"coil\"; type = \"int16\";", "hold bits");
	expect_instrument_fault("base = 5; events: ( { kind = \"nana\"; at = 1; } );",
				":3: \"kind\" must be one of exceedance");
	expect_instrument_fault("base = 5; events: ( { kind = \"nan\"; } );",
				":3: \"at\" is missing");
	expect_instrument_fault("base = 5; events: ( { kind = \"stuck\"; at = 1; target = 3; } );",
				":3: unknown key \"target\"");
	expect_instrument_fault("base = 5; events: ( { kind = \"exceedance\"; at = 1; } );",
				":3: \"target\" is missing");
	expect_instrument_fault(
		"base = 5; type = \"int16\"; events: ( { kind = \"nan\"; at = 1; } );",
		"only float32 and float64 can hold a NaN");
	expect_instrument_fault("base = 5; }, { name = \"y\"; address = 5; base = 1;",
				"the instrument after \"x\" lies on the same register 4");
}

static void test_every_fault_of_a_publisher_is_named_with_its_line(void **state)
{
	(void)state;
	expect_publisher_fault("topic = \"a\";", ":2: \"values\" is missing");
	expect_publisher_fault("topic = \"a/#\"; values: ( { name = \"x\"; base = 1; } );",
			       ":2: \"topic\" is published to");
	expect_publisher_fault("topic = \"a\"; qos = 2; values: ( { name = \"x\"; base = 1; } );",
			       ":2: \"qos\" is 2");
	expect_publisher_fault("topic = \"a\"; values: ( );", ":2: \"values\" is empty");
	expect_publisher_fault(
		"topic = \"a\"; time = \"/ts\"; values: ( { name = \"x\"; base = 1; } );",
		":2: a plain number stands alone");
	expect_publisher_fault(
		"topic = \"a\"; values: ( { name = \"x\"; base = 1; value = \"x\"; } );",
		":2: \"value\" must be a JSON pointer");
	expect_publisher_fault(
		"topic = \"a\"; values: ( { name = \"x\"; base = 1; value = \"/a\"; }, "
		"{ name = \"y\"; base = 1; value = \"/a/b\"; } );",
		"run through one another");
}

static void test_a_comment_sign_within_text_or_a_closed_comment_is_no_fault(void **state)
{
	struct scenario *s = NULL;
	char *faults = NULL;
	(void)state;
	assert_int_equal(load("/* one *//* two\n*/ # /* three\n// /* four\n"
			      "broker = \"mqtt://h/* \\\" */\";\n"
			      "publishers: ( { topic = \"/*\"; values: ( { name = \"z\"; base = 3; "
			      "} ); } );",
			      &s, &faults),
			 0);
	assert_string_equal(s->publishers[0].message.topic, "/*");
	scenario_free(s);
	free(faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_scenario_is_read_with_its_defaults),
		cmocka_unit_test(test_the_seed_of_the_command_line_comes_before_the_files),
		cmocka_unit_test(test_the_shipped_district_exceeds_10_s_after_its_start),
		cmocka_unit_test(test_every_fault_of_a_file_is_named_with_its_line),
		cmocka_unit_test(test_every_fault_of_an_instrument_is_named_with_its_line),
		cmocka_unit_test(test_every_fault_of_a_publisher_is_named_with_its_line),
		cmocka_unit_test(test_a_comment_sign_within_text_or_a_closed_comment_is_no_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
