/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"
#include "core/text.h"
#include "core/zone.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The significant digits of a number as text, without zeros at the end. */
static size_t digits_of(char *out, const char *text)
{
	size_t n = 0, kept = 0;
	for (; *text != '\0' && *text != 'e'; text++) {
		if (*text < '0' || *text > '9' || (*text == '0' && n == 0))
			continue;
		out[n++] = *text;
		if (*text != '0')
			kept = n;
	}
	out[kept] = '\0';
	return kept;
}

static void check_double(double value)
{
	char ours[32], theirs[40];
	size_t length = double_text(ours, value);
	assert_int_equal(length, strlen(ours));
	assert_true(length < sizeof ours);
	assert_true(strtod(ours, NULL) == value);
	assert_int_equal(signbit(strtod(ours, NULL)) != 0, signbit(value) != 0);
	int precision = 1;
	do
		snprintf(theirs, sizeof theirs, "%.*e", precision - 1, value);
	while (strtod(theirs, NULL) != value && precision++ < 17);
	char our_digits[32], their_digits[32];
	size_t n = digits_of(our_digits, ours);
	size_t precise = digits_of(their_digits, theirs);
	if (n > precise)
		fail_msg("%s is longer than %s", ours, theirs);
	if (n == precise && strcmp(our_digits, their_digits) != 0)
		fail_msg("%s is not the nearest, %s", ours, theirs);
}

static void test_doubles_are_the_shortest_text_that_reads_back(void **state)
{
	uint64_t seed = test_seed();
	static const double plain[] = {0,
				       -0.0,
				       1,
				       -1,
				       0.1,
				       50,
				       61.3,
				       1e9,
				       1e21,
				       5e-324,
				       1.7976931348623157e308,
				       0.30000000000000004,
				       123456.789,
				       9007199254740992,
				       4.35,
				       0.0001,
				       0.00001,
				       999999999.999999,
				       9.999999999999999e-5,
				       999999999999999.9,
				       999999999999999.875,
				       1e15,
				       5e-5};
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		check_double(plain[i]);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = test_random(&seed);
		double value;
		memcpy(&value, &bits, sizeof value);
		if (isfinite(value))
			check_double(value);
		check_double((double)(int64_t)(bits % 2000000000) / 1000 - 1e6);
		check_double((double)(bits % 1000003) / 997);
		check_double((double)((float)(bits % 1000003) / 997.0f));
	}
	/* a power of two has a nearer neighbour below than above */
	for (int exponent = -20; exponent <= 60; exponent++)
		for (int step = -2; step <= 2; step++)
			check_double(ldexp(1, exponent) +
				     step * ldexp(1, exponent - (step < 0 ? 53 : 52)));
	(void)state;
}

static void test_doubles_read_as_people_write_them(void **state)
{
	static const struct {
		double value;
		const char *expected;
	} cases[] = {{61.3, "61.3"},
		     {50, "50"},
		     {-0.05, "-0.05"},
		     {0, "0"},
		     {1234567.5, "1234567.5"},
		     {NAN, "null"},
		     {INFINITY, "null"},
		     {-INFINITY, "null"},
		     {100000000, "100000000"},
		     {-0.0, "-0"},
		     {0.02, "0.02"},
		     {0.0001, "0.0001"},
		     {0.03500000014901161, "0.03500000014901161"},
		     {0.0001220703125, "0.0001220703125"},
		     {0.00012345678901234567, "0.00012345678901234567"},
		     {999999999999999.9, "999999999999999.9"},
		     {-100000000.00000001, "-100000000.00000001"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct text text = {0};
		text_double(&text, cases[i].value);
		assert_string_equal(text.at, cases[i].expected);
		text_deinit(&text);
	}
	(void)state;
}

static void check_digits(uint64_t n)
{
	char ours[25] = {0}, theirs[25];
	snprintf(theirs, sizeof theirs, "%llu", (unsigned long long)n);
	ours[digits_text(ours, n)] = '\0';
	assert_string_equal(ours, theirs);
}

static void test_whole_numbers_are_those_of_the_c_library(void **state)
{
	uint64_t seed = test_seed(), power = 1;
	for (int n = 0; n < 20; n++, power *= 10) {
		check_digits(power - 1);
		check_digits(power);
		check_digits(power + 1);
	}
	check_digits(UINT64_MAX);
	for (int i = 0; i < 20000; i++) {
		uint64_t bits = test_random(&seed);
		check_digits(bits >> (i & 63));
	}
	(void)state;
}

static void test_fixed_decimals_are_rounded_from_the_exact_value(void **state)
{
	struct text text = {0};
	text_fixed(&text, 61.25, 1);
	text_char(&text, ' ');
	text_fixed(&text, 61.35, 1);
	text_char(&text, ' ');
	text_fixed(&text, -0.5, 0);
	text_char(&text, ' ');
	text_fixed(&text, 7, 3);
	assert_string_equal(text.at, "61.2 61.4 -0 7.000");
	text_deinit(&text);
	(void)state;
}

static void check_json(const char *given, const char *expected)
{
	struct text text = {0};
	text_json(&text, given);
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void test_hostile_bytes_become_good_json(void **state)
{
	check_json(NULL, "null");
	check_json("", "\"\"");
	check_json("三号\"\\/", "\"三号\\\"\\\\/\"");
	check_json("\b\t\n\v\f\r\x01\x1f\x7f", "\"\\b\\t\\n\\u000b\\f\\r\\u0001\\u001f\\u007f\"");
	check_json("a\x80z", "\"a\xef\xbf\xbdz\"");             /* lone continuation */
	check_json("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* overlong */
	check_json("\xe4\xb8", "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut */
	check_json("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""); /* surrogate */
	check_json("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	check_json("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
	check_json("\xff", "\"\xef\xbf\xbd\"");
	(void)state;
}

static void test_random_bytes_never_leave_a_json_string(void **state)
{
	uint64_t seed = test_seed();
	for (int i = 0; i < 20000; i++) {
		char given[16] = {0};
		for (size_t j = 0; j < 15; j++)
			given[j] = (char)test_random(&seed);
		struct text text = {0};
		text_json(&text, given);
		assert_true(text.at[0] == '"' && text.at[text.length - 1] == '"');
		for (size_t j = 1; j + 1 < text.length; j++) {
			assert_true((unsigned char)text.at[j] >= 0x20);
			if (text.at[j] == '\\')
				j++;
			else
				assert_true(text.at[j] != '"');
		}
		text_deinit(&text);
	}
	(void)state;
}

static void test_a_text_grows_and_is_used_again(void **state)
{
	struct text text = {0};
	for (int i = 0; i < 1000; i++)
		text_format(&text, "%03d", i);
	assert_int_equal(text.length, 3000);
	assert_int_equal(strlen(text.at), 3000);
	assert_memory_equal(text.at + 2994, "998999", 6);
	text_clear(&text);
	assert_int_equal(text.length, 0);
	text_add(&text, "x");
	text_add_n(&text, "yzq", 2);
	text_add_n(&text, NULL, 0); /* nothing, wherever it is */
	assert_string_equal(text.at, "xyz");
	assert_false(text.failed);
	text_deinit(&text);
	assert_null(text.at);
	(void)state;
}

static void test_a_length_at_the_edge_of_the_capacity_is_terminated(void **state)
{
	for (size_t length = 250; length < 260; length++) {
		struct text text = {0};
		for (size_t i = 0; i < length; i++)
			text_char(&text, 'a');
		assert_int_equal(strlen(text.at), length);
		text_format(&text, "%s", "bb");
		assert_int_equal(strlen(text.at), length + 2);
		assert_string_equal(text.at + length, "bb");
		text_deinit(&text);
	}
	(void)state;
}

static void test_times_carry_the_zones_offset(void **state)
{
	static const struct zone_change east = {0, 8 * 3600}, west = {0, -(3 * 3600 + 1800)};
	const struct zone cst = {&east, 1}, nst = {&west, 1}, utc = {NULL, 0};
	struct text text = {0};
	text_time(&text, 1767294245007, &cst, 3);
	text_char(&text, ' ');
	text_time(&text, 1767294245999, &cst, 0);
	text_char(&text, ' ');
	text_time(&text, 1767294245000, &nst, 0);
	text_char(&text, ' ');
	text_time(&text, -1, &utc, 3);
	assert_string_equal(text.at, "2026-01-02T03:04:05.007+08:00 2026-01-02T03:04:05+08:00 "
				     "2026-01-01T15:34:05-03:30 1969-12-31T23:59:59.999+00:00");
	text_deinit(&text);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_are_the_shortest_text_that_reads_back),
		cmocka_unit_test(test_doubles_read_as_people_write_them),
		cmocka_unit_test(test_whole_numbers_are_those_of_the_c_library),
		cmocka_unit_test(test_fixed_decimals_are_rounded_from_the_exact_value),
		cmocka_unit_test(test_hostile_bytes_become_good_json),
		cmocka_unit_test(test_random_bytes_never_leave_a_json_string),
		cmocka_unit_test(test_a_text_grows_and_is_used_again),
		cmocka_unit_test(test_a_length_at_the_edge_of_the_capacity_is_terminated),
		cmocka_unit_test(test_times_carry_the_zones_offset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
