/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/officers.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct serve_officer list[2] = {{.name = "Li", .roles = 1}, {.name = "Wang", .roles = 4}};
static struct officers officers;

static int build(void **state)
{
	(void)state;
	EVP_Digest("token of li", 11, list[0].hash, NULL, EVP_sha256(), NULL);
	EVP_Digest("token of wang", 13, list[1].hash, NULL, EVP_sha256(), NULL);
	return officers_init(&officers, list, 2);
}

static int tear_down(void **state)
{
	(void)state;
	officers_deinit(&officers);
	return 0;
}

static const char *whose(const char *authorization, bool acts, int64_t now_ms)
{
	static const char *const results[] = {"none", "known", "wrong", "many"};
	const struct serve_officer *officer;
	enum officers_result result =
		officers_find(&officers, authorization, acts, now_ms, &officer);
	assert_true((result == OFFICERS_KNOWN) == (officer != NULL));
	return officer != NULL ? officer->name : results[result];
}

static void test_a_token_is_one_officer_s(void **state)
{
	(void)state;
	char long_token[2000] = "Bearer ";
	memset(long_token + 7, 'x', sizeof long_token - 8);
	long_token[sizeof long_token - 1] = '\0';
	assert_string_equal(whose(NULL, true, 1), "none");
	assert_string_equal(whose("Bearer token of li", true, 1), "Li");
	assert_string_equal(whose("bearer token of wang", true, 1), "Wang");
	static const char *const wrong[] = {"",
					    "Bearer",
					    "Bearer ",
					    "Bearer token of l",
					    "Bearer token of lii",
					    "Basic dG9rZW4gb2YgbGk=",
					    "token of li"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (strcmp(whose(wrong[i], false, 1), "wrong") != 0)
			fail_msg("%s", wrong[i]);
	assert_string_equal(whose(long_token, true, 1), "wrong");
}

static void test_wrong_tokens_are_slowed_down_and_keep_nobody_out(void **state)
{
	(void)state;
	int wrong = 0, many = 0;
	for (int i = 0; i < 100; i++)
		if (strcmp(whose("Bearer x", true, 1000), "wrong") == 0)
			wrong++;
		else
			many++;
	assert_int_equal(wrong, 10);
	assert_int_equal(many, 90);
	assert_string_equal(whose("Bearer token of li", true, 1000), "Li");
	assert_string_equal(whose("Bearer x", true, 5999), "many");
	assert_string_equal(whose("Bearer x", true, 6001), "wrong");
	assert_string_equal(whose("Bearer x", true, 6001), "many");
}

static void test_each_officer_acts_at_a_bounded_rate(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++)
		assert_string_equal(whose("Bearer token of li", true, 1000), "Li");
	assert_string_equal(whose("Bearer token of li", true, 1000), "many");
	assert_string_equal(whose("Bearer token of li", false, 1000), "Li"); /* reading */
	assert_string_equal(whose("Bearer token of wang", true, 1000), "Wang");
	assert_string_equal(whose("Bearer token of li", true, 2001), "Li");
}

static void test_without_officers_no_token_means_anything(void **state)
{
	(void)state;
	struct officers none;
	const struct serve_officer *officer;
	assert_int_equal(officers_init(&none, NULL, 0), 0);
	assert_int_equal(officers_find(&none, "Bearer token of li", true, 1, &officer),
			 OFFICERS_NONE);
	officers_deinit(&none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_token_is_one_officer_s),
		TEST(test_wrong_tokens_are_slowed_down_and_keep_nobody_out),
		TEST(test_each_officer_acts_at_a_bounded_rate),
		TEST(test_without_officers_no_token_means_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
