/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/mqtt/payload.h"
#include "drivers/mqtt/topic.h"
#include "drivers/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static enum payload_result map(const char *value, const char *time, const char *text,
			       struct payload *out)
{
	struct mqtt_point point = {.value = value, .time = time, .scale = 1};
	return payload_map(&point, text, strlen(text), out);
}

static void test_a_flag_is_one_of_hj_212_and_normal_where_it_is_left_out(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum payload_result result;
		enum flag flag;
	} cases[] = {{"{\"v\":1,\"flag\":\"M\"}", PAYLOAD_VALUE, FLAG_MAINTENANCE},
		     {"{\"v\":1,\"flag\":\"N\"}", PAYLOAD_VALUE, FLAG_NORMAL},
		     {"{\"v\":1,\"flag\":null}", PAYLOAD_VALUE, FLAG_NORMAL},
		     {"{\"v\":1}", PAYLOAD_VALUE, FLAG_NORMAL},
		     {"{\"v\":null,\"flag\":\"C\"}", PAYLOAD_NO_VALUE, FLAG_CALIBRATION},
		     {"{\"v\":1,\"flag\":\"Q\"}", PAYLOAD_BAD_FLAG, FLAG_NORMAL},
		     {"{\"v\":1,\"flag\":\"\"}", PAYLOAD_BAD_FLAG, FLAG_NORMAL},
		     {"{\"v\":1,\"flag\":\"MM\"}", PAYLOAD_BAD_FLAG, FLAG_NORMAL},
		     {"{\"v\":1,\"flag\":77}", PAYLOAD_BAD_FLAG, FLAG_NORMAL}};
	struct mqtt_point point = {.value = "/v", .flag = "/flag", .scale = 1};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct payload out;
		const char *text = cases[i].text;
		assert_int_equal(payload_map(&point, text, strlen(text), &out), cases[i].result);
		assert_int_equal(out.flag, cases[i].flag);
	}
}

static void test_a_plain_number_is_taken(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double value;
	} good[] = {{"0", 0},
		    {"-0", -0.0},
		    {"38.2", 38.2},
		    {" 7\r\n", 7},
		    {"+1.5", 1.5},
		    {".5", 0.5},
		    {"5.", 5},
		    {"1e3", 1000},
		    {"1E-3", 0.001},
		    {"007", 7},
		    {"\t-12.25\n", -12.25},
		    {"1e+2", 100},
		    {"4e-324", 5e-324},
		    {"0e999", 0}};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct payload out;
		assert_int_equal(map(NULL, NULL, good[i].text, &out), PAYLOAD_VALUE);
		assert_true(out.value == good[i].value);
		assert_false(out.has_time);
	}
}

static void test_what_only_looks_like_a_number_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",       " ",  "nan",   "NaN", "inf",   "-inf", "infinity", "0x10",  "1,5",
		"1.2.3",  "1e", "e5",    "--1", "1 2",   "+",    ".",        "1e5.0", "1e999",
		"-1e400", "1f", "12abc", "{}",  "\"1\"", "null", "١",        "1_000", "1\v"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct payload out;
		assert_int_equal(map(NULL, NULL, bad[i], &out), PAYLOAD_NOT_A_NUMBER);
		assert_true(out.cause[0] != '\0');
	}
	double value;
	assert_false(plain_number("1\0002", 3, &value));
	assert_true(plain_number("12garbage", 2, &value) && value == 12);
	char long_number[200];
	memset(long_number, '1', sizeof long_number);
	assert_false(plain_number(long_number, sizeof long_number, &value));
	assert_true(plain_number(long_number, 128, &value));
}

static void test_a_pointer_finds_the_value(void **state)
{
	(void)state;
	static const struct {
		const char *pointer, *text;
		double value;
	} good[] = {
		{"/data/nh3n", "{\"data\":{\"nh3n\":1.25}}", 1.25},
		{"", "5", 5},
		{"", "\"6.5\"", 6.5},
		{"/0", "[7]", 7},
		{"/1/v", "[1,{\"v\":80}]", 80},
		{"/a~1b", "{\"a/b\":1}", 1},
		{"/m~0n", "{\"m~n\":2}", 2},
		{"/~01", "{\"~1\":3}", 3},
		{"/", "{\"\":4}", 4},
		{"/v", "{\"v\":\" 12.5 \"}", 12.5},
		{"/v", "{\"v\":9223372036854775808}", 9223372036854775808.0},
		{"/氨氮", "{\"氨氮\":0.5}", 0.5},
		{"/01", "{\"01\":8}", 8},
		{"/v", "\n { \"v\" : -1e2 } \n", -100},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct payload out;
		assert_int_equal(map(good[i].pointer, NULL, good[i].text, &out), PAYLOAD_VALUE);
		assert_true(out.value == good[i].value);
	}
}

static void test_json_that_does_not_fit_is_refused_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum payload_result result;
	} bad[] = {
		{"", PAYLOAD_BAD_JSON},
		{"{", PAYLOAD_BAD_JSON},
		{"{\"v\":1", PAYLOAD_BAD_JSON},
		{"{\"v\":1}x", PAYLOAD_BAD_JSON},
		{"{\"v\":1,}", PAYLOAD_BAD_JSON},
		{"{\"v\":1,\"v\":2}", PAYLOAD_BAD_JSON},
		{"{'v':1}", PAYLOAD_BAD_JSON},
		{"{\"v\":01}", PAYLOAD_BAD_JSON},
		{"{\"v\":NaN}", PAYLOAD_BAD_JSON},
		{"{\"v\":1e400}", PAYLOAD_BAD_JSON},
		{"{\"v\":\"\\ud800\"}", PAYLOAD_BAD_JSON},
		{"{\"v\":\"\\u0000\"}", PAYLOAD_BAD_JSON},
		{"{\"v\":\"\xff\"}", PAYLOAD_BAD_JSON},
		{"\xef\xbb\xbf{\"v\":1}", PAYLOAD_BAD_JSON},
		{"{}", PAYLOAD_NOT_FOUND},
		{"[]", PAYLOAD_NOT_FOUND},
		{"5", PAYLOAD_NOT_FOUND},
		{"{\"V\":1}", PAYLOAD_NOT_FOUND},
		{"{\"v\":true}", PAYLOAD_WRONG_TYPE},
		{"{\"v\":[1]}", PAYLOAD_WRONG_TYPE},
		{"{\"v\":{}}", PAYLOAD_WRONG_TYPE},
		{"{\"v\":\"\"}", PAYLOAD_NOT_A_NUMBER},
		{"{\"v\":\"high\"}", PAYLOAD_NOT_A_NUMBER},
		{"{\"v\":\"inf\"}", PAYLOAD_NOT_A_NUMBER},
		{"{\"v\":null}", PAYLOAD_NO_VALUE},
		{"{\"v\":\"NaN\"}", PAYLOAD_NO_VALUE},
		{"{\"v\":\"nan\"}", PAYLOAD_NO_VALUE},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct payload out;
		assert_int_equal(map("/v", NULL, bad[i].text, &out), bad[i].result);
		assert_int_equal(out.cause[0] != '\0', bad[i].result != PAYLOAD_NO_VALUE);
	}
}

static void test_array_indices_are_exact(void **state)
{
	(void)state;
	static const char *const nowhere[] = {
		"/-", "/2", "/01",  "/1x", "/ 1", "/+1", "/99999999999999999999",
		"/",  "0",  "/0/0", "/~",  "/~2"};
	for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
		struct payload out;
		assert_int_equal(map(nowhere[i], NULL, "[1,2]", &out), PAYLOAD_NOT_FOUND);
	}
}

static void test_depth_and_size_are_bounded(void **state)
{
	(void)state;
	struct payload out;
	char text[2 * 200 + 1] = "";
	for (int i = 0; i < 200; i++) {
		text[i] = '[';
		text[200 + i] = ']';
	}
	assert_int_equal(map("/v", NULL, text, &out), PAYLOAD_BAD_JSON);
	assert_int_equal(map("/v", NULL,
			     "{\"t\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\",\"v\":1}",
			     &out),
			 PAYLOAD_VALUE);
	size_t n = PAYLOAD_BYTES + 1;
	char *big = malloc(n);
	assert_non_null(big);
	memset(big, ' ', n);
	big[0] = '5';
	struct mqtt_point plain = {.scale = 1};
	assert_int_equal(payload_map(&plain, big, n, &out), PAYLOAD_TOO_BIG);
	assert_int_equal(payload_map(&plain, big, n - 1, &out), PAYLOAD_VALUE);
	free(big);
}

static void test_the_cause_names_the_place(void **state)
{
	(void)state;
	struct payload out;
	map("/v", NULL, "{\"v\":1,\n oops}", &out);
	assert_non_null(strstr(out.cause, "line 2"));
	assert_null(strstr(out.cause, "oops"));
	map("/a/b", NULL, "{}", &out);
	assert_non_null(strstr(out.cause, "/a/b"));
}

static void test_times_are_read_to_the_millisecond(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{"\"1970-01-01T00:00:00Z\"", 0},
		{"\"2026-01-02T03:04:05+08:00\"", 1767294245000},
		{"\"2026-01-02T03:04:05.678+08:00\"", 1767294245678},
		{"\"2026-01-01t19:04:05.6789z\"", 1767294245678},
		{"\"2026-01-01 14:34:05.6-04:30\"", 1767294245600},
		{"\"2024-02-29T23:59:60Z\"", 1709251200000},
		{"1767294245", 1767294245000},
		{"1767294245.6784", 1767294245678},
		{"1767294245678", 1767294245678},
		{"\"1767294245\"", 1767294245000},
		{"99999999999", 99999999999000},
		{"100000000000", 100000000000},
		{"0", 0},
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct payload out;
		char text[128];
		snprintf(text, sizeof text, "{\"v\":1,\"ts\":%s}", good[i].text);
		assert_int_equal(map("/v", "/ts", text, &out), PAYLOAD_VALUE);
		assert_true(out.has_time);
		assert_true(out.time_ms == good[i].ms);
	}
}

static void test_a_bad_time_refuses_the_message(void **state)
{
	(void)state;
	static const char *const bad[] = {"null",
					  "true",
					  "[]",
					  "-1",
					  "1e16",
					  "\"\"",
					  "\"yesterday\"",
					  "\"2026-01-02T03:04:05\"",
					  "\"2026-01-02\"",
					  "\"2026-13-02T03:04:05Z\"",
					  "\"2026-02-29T03:04:05Z\"",
					  "\"2026-01-02T24:04:05Z\"",
					  "\"2026-01-02T03:60:05Z\"",
					  "\"2026-01-02T03:04:61Z\"",
					  "\"2026-01-02T03:04:05.Z\"",
					  "\"2026-01-02T03:04:05+0800\"",
					  "\"2026-01-02T03:04:05+24:00\"",
					  "\"2026-1-2T03:04:05Z\"",
					  "\"2026-01-02T03:04:05Zx\"",
					  "\"1969-12-31T23:59:59Z\"",
					  "\"0000-00-00T00:00:00Z\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct payload out;
		char text[128];
		snprintf(text, sizeof text, "{\"v\":1,\"ts\":%s}", bad[i]);
		assert_int_equal(map("/v", "/ts", text, &out), PAYLOAD_BAD_TIME);
		assert_false(out.has_time);
	}
	struct payload out;
	assert_int_equal(map("/v", "/ts", "{\"v\":1}", &out), PAYLOAD_BAD_TIME);
	assert_int_equal(map("/v", "/ts", "{\"v\":null,\"ts\":5}", &out), PAYLOAD_NO_VALUE);
	assert_true(out.has_time && out.time_ms == 5000);
}

static void test_days_agree_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = 0; day < 120000; day += 13) {
		time_t seconds = day * 86400 + 3661;
		struct tm tm;
		char text[64];
		gmtime_r(&seconds, &tm);
		size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
		int64_t ms;
		assert_true(payload_time(text, n, &ms));
		assert_true(ms == seconds * 1000);
	}
}

static void test_a_value_is_scaled_and_stays_finite(void **state)
{
	(void)state;
	struct mqtt_point point = {.scale = 0.5, .offset = 3};
	struct payload out;
	assert_int_equal(payload_map(&point, "10", 2, &out), PAYLOAD_VALUE);
	assert_true(out.value == 8);
	double raw;
	memcpy(&raw, &out.raw, sizeof raw);
	assert_true(raw == 10);
	point.scale = 1e300;
	assert_int_equal(payload_map(&point, "1e300", 5, &out), PAYLOAD_NOT_A_NUMBER);
}

static void test_topics_fit_as_the_standard_says(void **state)
{
	(void)state;
	static const struct {
		const char *filter, *topic;
		bool fits;
	} cases[] = {
		{"a/b", "a/b", true},
		{"a/b", "a/bc", false},
		{"a/b", "a", false},
		{"a/b", "a/b/", false},
		{"a/b/", "a/b", false},
		{"a/+", "a/b", true},
		{"a/+", "a", false},
		{"a/+", "a/b/c", false},
		{"a/+/c", "a/b/c", true},
		{"a/+", "a/", true},
		{"+", "a", true},
		{"+", "/a", false},
		{"+/+", "/a", true},
		{"/+", "/a", true},
		{"#", "a/b", true},
		{"#", "/", true},
		{"a/#", "a", true},
		{"a/#", "a/b/c", true},
		{"a/#", "ab", false},
		{"a/#", "b", false},
		{"+/#", "a", true},
		{"a/+/#", "a", false},
		{"a/+/#", "a/b", true},
		{"#", "$SYS/x", false},
		{"+/x", "$SYS/x", false},
		{"$SYS/#", "$SYS/x", true},
		{"$SYS/+", "$SYS/x", true},
		{"a//b", "a//b", true},
		{"a/+/b", "a//b", true},
		{"", "", true},
		{"A/b", "a/b", false},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/x", true},
		{"五华/+/氨氮", "五华/三号/氨氮", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(topic_matches(cases[i].filter, cases[i].topic), cases[i].fits);
	assert_true(topic_has_wildcard("a/+/b") && topic_has_wildcard("#"));
	assert_false(topic_has_wildcard("a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_flag_is_one_of_hj_212_and_normal_where_it_is_left_out),
		cmocka_unit_test(test_a_plain_number_is_taken),
		cmocka_unit_test(test_what_only_looks_like_a_number_is_refused),
		cmocka_unit_test(test_a_pointer_finds_the_value),
		cmocka_unit_test(test_json_that_does_not_fit_is_refused_by_name),
		cmocka_unit_test(test_array_indices_are_exact),
		cmocka_unit_test(test_depth_and_size_are_bounded),
		cmocka_unit_test(test_the_cause_names_the_place),
		cmocka_unit_test(test_times_are_read_to_the_millisecond),
		cmocka_unit_test(test_a_bad_time_refuses_the_message),
		cmocka_unit_test(test_days_agree_with_the_c_library),
		cmocka_unit_test(test_a_value_is_scaled_and_stays_finite),
		cmocka_unit_test(test_topics_fit_as_the_standard_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
