/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "00000000000000000000000000000000000000000000000000000000000000ff"
#define C "11111111111111111111111111111111111111111111111111111111111111ff"
#define HTTP "http: { listen = \"127.0.0.1:1\";\nofficers_file = \"tokens\"; };\n"
#define OFFICERS "officers: ( { id = \"li\"; name = \"李伟\"; roles = (\"handler\"); } );\n"

static void test_a_token_has_a_name_roles_and_a_hash(void **state)
{
	fixture_write(*state, "tokens",
		      "# who may act\n\nLi Wei:handler,inspector:" A "\r\n王芳:leader:" B "\n");
	fixture_load(*state, NODE HTTP);
	expect_ok(*state);
	const struct config *config = ((struct fixture *)*state)->config;
	assert_int_equal(config->n_tokens, 2);
	assert_string_equal(config->tokens[0].name, "Li Wei");
	assert_int_equal(config->tokens[0].roles, 3);
	assert_int_equal(config->tokens[0].hash[31], 0xaa);
	assert_string_equal(config->tokens[1].name, "王芳");
	assert_int_equal(config->tokens[1].roles, 4);
	assert_int_equal(config->tokens[1].hash[31], 0xff);
}

static void test_each_wrong_line_is_named(void **state)
{
	fixture_write(*state, "tokens",
		      "Li:handler\nLi:boss:" A "\n:handler:" A "\nWang:leader:" A "x\n"
		      "Wang:leader:" B "\nWang:leader:" C "\nZhou:leader:" B "\n");
	static const struct example examples[] = {
		{NODE HTTP, "1: a line is NAME:ROLE,ROLE:HASH\n"
			    "2: \"boss\" is no role; there are handler, inspector and leader\n"
			    "3: a line is NAME:ROLE,ROLE:HASH\n"
			    "4: the hash is not SHA-256\n"
			    "6: \"Wang\" has a token already\n"
			    "7: \"Zhou\" has the token of \"Wang\""},
	};
	CHECK(state, examples);
}

static void test_a_token_is_for_one_who_is_an_officer(void **state)
{
	fixture_write(*state, "tokens", "li:handler:" A "\n李伟 2:handler:" B "\n");
	static const struct example examples[] = {
		{NODE HTTP OFFICERS, "2: \"李伟 2\" is none of the officers of the configuration"},
	};
	CHECK(state, examples);
}

static void test_a_file_without_officers_or_listener_is_a_slip(void **state)
{
	fixture_write(*state, "tokens", "# nobody\n");
	static const struct example examples[] = {
		{NODE HTTP, "3: officers_file names nobody"},
		{NODE "http: {\nofficers_file = \"tokens\"; };\n",
		 "3: key \"listen\" is missing beside officers_file"},
		{NODE "http: { listen = \"127.0.0.1:1\";\nofficers_file = \"none\"; };\n",
		 "3: officers_file = \"none\" cannot be read"},
	};
	CHECK(state, examples);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_token_has_a_name_roles_and_a_hash),
		TEST(test_each_wrong_line_is_named),
		TEST(test_a_token_is_for_one_who_is_an_officer),
		TEST(test_a_file_without_officers_or_listener_is_a_slip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
