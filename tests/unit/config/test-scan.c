/* SPDX-License-Identifier: Apache-2.0 */
/* What stands before libconfig: comments, includes, numbers and syntax errors with their lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void check(struct fixture *fixture, const char *text, const char *faults)
{
	fixture_load(fixture, text);
	expect(fixture, faults);
}

static void test_an_unclosed_comment_does_not_end_the_file_silently(void **state)
{
	check(*state, NODE "storage: { };\n /* sites\n\n", "3: this comment is never closed");
	check(*state, NODE "/*/\n", "2: this comment is never closed");
	fixture_load(*state, NODE "/* a */ storage /* b\n */ : { # {\n// (\n}; /**/\n");
	expect_ok(*state);
}

static void test_a_text_ends_on_its_line(void **state)
{
	check(*state, NODE "storage: { directory = \"/var/lib;\n flush_ms = 1; };\n",
	      "2: a text is not closed on this line");
	check(*state, NODE "storage: { directory = \"\\", "2: a text is not closed on this line");
	fixture_load(*state, NODE "storage: { directory = \"/*\\\"//\" \"#\"; };\n");
	expect_ok(*state);
	assert_string_equal(((struct fixture *)*state)->config->directory, "/*\"//#");
}

static void test_integers_beyond_32_bits_need_an_l(void **state)
{
	struct fixture *fixture = *state;
	check(fixture, NODE "storage: {\n max_bytes = 20000000000; };\n",
	      "3: integer 20000000000 is beyond 32 bits and would be misread without an L; write "
	      "20000000000L");
	check(fixture, NODE "storage: {\n flush_ms = 4294967296; };\n",
	      "3: flush_ms = 4294967296 is out of range, 1 to 60000");
	check(fixture, NODE "storage: {\n flush_ms = -2147483649; };\n",
	      "3: flush_ms = -2147483649 is out of range");
	check(fixture, NODE "storage: { max_bytes = 0xFFFFFFFF; };\n",
	      "2: integer 0xFFFFFFFF is beyond 32 bits");
	check(fixture, NODE "storage: { max_bytes = 99999999999999999999L;\nflush_ms = 0; };\n",
	      "2: integer 99999999999999999999L is beyond 64 bits\n3: flush_ms = 0 is out");
	fixture_load(fixture, NODE "storage: { max_bytes = 20000000000L; flush_ms = 0x10; };\n");
	expect_ok(fixture);
	assert_int_equal(fixture->config->max_bytes, 20000000000);
	assert_int_equal(fixture->config->flush_ms, 16);
	fixture_load(fixture, NODE "storage: { max_bytes = 2147483647; flush_ms = 50.0; };\n");
	expect_ok(fixture);
	assert_int_equal(fixture->config->max_bytes, 2147483647);
	assert_int_equal(fixture->config->flush_ms, 50);
}

static void test_a_number_is_finite(void **state)
{
	check(*state,
	      NODE
	      "sites: ( { id = \"s\"; kind = \"air\"; latitude = 1;\nlongitude = 1e400; } );\n",
	      "3: 1e400 is too large for a number");
}

static void test_a_byte_order_mark_is_named(void **state)
{
	check(*state, "\xef\xbb\xbf" NODE, "1: the file begins with a byte order mark (BOM)");
	check(*state, "\xff\xfen", "1: the file is UTF-16");
}

static void test_a_comma_before_the_end_is_named(void **state)
{
	check(*state, NODE "sites: (\n { id = \"s\"; },\n);\n", "4: remove the comma before )");
	check(*state, NODE "x = [1, 2, ];\n", "2: remove the comma before ]");
}

static void test_an_array_of_mixed_types_is_named(void **state)
{
	check(*state, NODE "x = [0,\n 2000.0];\n",
	      "3: the elements of an array [ ] are of one type");
}

static void test_brackets_that_do_not_pair_name_both_lines(void **state)
{
	check(*state, NODE "storage: {\n x = (\n};\n", "4: stands where the ( of line 3");
	check(*state, NODE "storage: {\n", "2: { is never closed");
	check(*state, NODE "}\n", "2: } closes nothing");
	check(*state, NODE "a = ((((((((((((((((((((((((((((((((((((((((1)))",
	      "2: nested deeper than");
}

static void test_a_syntax_error_shows_its_line_and_comes_alone(void **state)
{
	check(*state, NODE "storage: { flush_ms = 0; };\nhttp { listen = 3; };\n",
	      "3: syntax error at \"http { listen = 3; };\": = is missing after the name");
	check(*state, NODE "storage = ;\n/* open",
	      "2: syntax error at \"storage = ;\": a value is missing");
	check(*state, NODE "storage.directory = 1;\n", "2: syntax error");
	check(*state, NODE "storage: { flush_ms § 3; };\n", "2: is no ASCII character");
}

static void test_what_libconfig_would_refuse_is_refused_with_the_reason(void **state)
{
	check(*state, NODE "x = (1 2);\n", "2: a comma is missing between two elements");
	check(*state, NODE "x = (1; 2);\n", "2: elements are parted by commas, not by ;");
	check(*state, NODE "x = [ (1) ];\n", "2: an array [ ] holds single values");
	check(*state, NODE "x = 1;;\n", "2: a name is to stand here");
	check(*state, NODE "x = abc;\n", "2: a value is missing; texts stand between");
	check(*state, NODE "x = 0b11;\n", "2: this is no number");
	check(*state, NODE "x = (1,,2);\n", "2: a value is missing");
	check(*state, NODE "x =\n\n", "4: the file ends where a value is to come");
	check(*state, NODE "storage: { x.y = 1; };\n", "2: names are made of letters, digits");
	fixture_load(*state, NODE "storage: { flush_ms: 5, }, http = { }; sites: [];\n");
	expect_ok(*state);
}

static void test_a_value_on_a_later_line_is_told_there(void **state)
{
	check(*state, NODE "storage:\n{\nflush_ms\n=\n0;\n};\n", "6: flush_ms = 0 is out of range");
}

static void test_includes_are_found_beside_the_including_file(void **state)
{
	struct fixture *fixture = *state;
	char command[128];
	snprintf(command, sizeof(command), "mkdir -p %s/sub/deep", fixture->folder);
	assert_int_equal(system(command), 0);
	fixture_write(fixture, "sub/a.cfg", "flush_ms = 7;\n@include \"deep/b.cfg\"\n");
	fixture_write(fixture, "sub/deep/b.cfg", "directory = \"/x\"; // no line end");
	fixture_load(fixture, NODE "storage: {\n  @include \"sub/a.cfg\" // the rest\r\n};\n");
	expect_ok(fixture);
	assert_int_equal(fixture->config->flush_ms, 7);
	assert_string_equal(fixture->config->directory, "/x");
	fixture_write(fixture, "sub/deep/b.cfg", "\ndirectory = 1;");
	fixture_load(fixture,
		     NODE "storage: {\n@include \"sub/a.cfg\"\n};\nhttp: { listen = 1; };\n");
	expect(fixture, "5: listen is an integer\n2: directory is an integer");
	assert_non_null(strstr(fixture->faults.at[1].file, "/sub/deep/b.cfg"));
}

static void test_an_include_that_cannot_be_read_is_told_of_it(void **state)
{
	struct fixture *fixture = *state;
	check(fixture, NODE "storage: {\n@include \"gone.cfg\"\n};\n",
	      "1: cannot be read: No such file or directory; it is included at");
	assert_non_null(strstr(fixture->faults.at[0].file, "/gone.cfg"));
	fixture_load_file(fixture, "/nonexistent/x.cfg");
	expect(fixture, "1: cannot be read: No such file");
	assert_string_equal(fixture->faults.at[0].file, "/nonexistent/x.cfg");
	fixture_load_file(fixture, fixture->folder);
	expect(fixture, "1: cannot be read: Is a directory");
}

static void test_includes_end(void **state)
{
	struct fixture *fixture = *state;
	check(fixture, NODE "@include \"main.cfg\"\n", "2: @include \"main.cfg\" includes itself");
	fixture_write(fixture, "a.cfg", "@include \"b.cfg\"\n");
	fixture_write(fixture, "b.cfg", "\n@include \"a.cfg\"\n");
	check(fixture, NODE "@include \"a.cfg\"\n", "2: @include \"a.cfg\" includes itself");
	for (int i = 0; i < 12; i++) {
		char name[16], text[64];
		snprintf(name, sizeof(name), "d%d.cfg", i);
		snprintf(text, sizeof(text), "@include \"d%d.cfg\"\n", i + 1);
		fixture_write(fixture, name, text);
	}
	check(fixture, NODE "@include \"d0.cfg\"\n",
	      "1: @include goes too far; at most 10 files deep");
}

static void test_an_include_stands_alone_on_its_line(void **state)
{
	check(*state, NODE "storage: { @include \"a.cfg\"\n };\n", "2: an include stands alone");
	check(*state, NODE "@include a.cfg\n", "2: an include stands alone");
	check(*state, NODE "@includes \"a.cfg\"\n", "2: an include stands alone");
	check(*state, NODE "@include \"a.cfg\" x\n", "2: an include stands alone");
	fixture_load(*state, NODE
		     "storage: { directory = \"@include \\\"a\\\"\"; }; /*\n@include \"b\"\n*/\n");
	expect_ok(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_unclosed_comment_does_not_end_the_file_silently),
		TEST(test_a_text_ends_on_its_line),
		TEST(test_integers_beyond_32_bits_need_an_l),
		TEST(test_a_number_is_finite),
		TEST(test_a_byte_order_mark_is_named),
		TEST(test_a_comma_before_the_end_is_named),
		TEST(test_an_array_of_mixed_types_is_named),
		TEST(test_brackets_that_do_not_pair_name_both_lines),
		TEST(test_a_syntax_error_shows_its_line_and_comes_alone),
		TEST(test_what_libconfig_would_refuse_is_refused_with_the_reason),
		TEST(test_a_value_on_a_later_line_is_told_there),
		TEST(test_includes_are_found_beside_the_including_file),
		TEST(test_an_include_that_cannot_be_read_is_told_of_it),
		TEST(test_includes_end),
		TEST(test_an_include_stands_alone_on_its_line),
	};
	return cmocka_run_group_tests_name("config/scan", tests, NULL, NULL);
}
