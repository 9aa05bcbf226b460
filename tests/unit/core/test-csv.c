/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct zone_change east = {0, 8 * 3600};
static const struct zone cst = {&east, 1};

static struct csv_header header_of(const char *line)
{
	struct csv_header header;
	char why[128] = "";
	if (!csv_header(line, strlen(line), &header, why, sizeof why))
		fail_msg("%s", why);
	return header;
}

static bool row_of(const struct csv_header *header, const char *line, struct csv_row *row,
		   char *why)
{
	return csv_row(line, strlen(line), header, &cst, row, why, 128);
}

static void test_columns_may_stand_in_any_order(void **state)
{
	struct csv_header h = header_of("value,extra,factor,\"time\", site ");
	assert_int_equal(h.n_fields, 5);
	assert_int_equal(h.place[CSV_VALUE], 0);
	assert_int_equal(h.place[CSV_FACTOR], 2);
	assert_int_equal(h.place[CSV_TIME], 3);
	assert_int_equal(h.place[CSV_SITE], 4);
	assert_int_equal(h.place[CSV_FLAG], -1);
	h = header_of("\xef\xbb\xbftime,site,factor,value,flag\r");
	assert_int_equal(h.place[CSV_TIME], 0);
	assert_int_equal(h.place[CSV_FLAG], 4);
	(void)state;
}

static void check_header_refused(const char *line, const char *part)
{
	struct csv_header header;
	char why[128] = "";
	assert_false(csv_header(line, strlen(line), &header, why, sizeof why));
	assert_non_null(strstr(why, part));
}

static void test_a_header_that_lacks_or_doubles_a_column_is_refused(void **state)
{
	check_header_refused("time,site,value", "\"factor\"");
	check_header_refused("", "\"time\"");
	check_header_refused("time,site,factor,value,time", "\"time\" stands twice");
	check_header_refused("time,site,factor,value,flag,flag", "\"flag\" stands twice");
	check_header_refused("time,site,factor,\"value", "\"time\"");
	(void)state;
}

static void test_a_row_is_read_with_its_names_value_and_flag(void **state)
{
	struct csv_header h = header_of("time,site,factor,value,flag");
	struct csv_row row = {0};
	char why[128];
	assert_true(row_of(&h, "2026-01-02T03:04:05, outfall-3 ,w01018,61.3,M\r", &row, why));
	assert_int_equal(row.time_ms, 1767294245000);
	assert_int_equal(row.site_length, 9);
	assert_memory_equal(row.site, "outfall-3", 9);
	assert_memory_equal(row.factor, "w01018", 6);
	assert_true(row.has_value && row.value == 61.3);
	assert_int_equal(row.flag, FLAG_MAINTENANCE);
	assert_true(row_of(&h, "1767294245.5,\"a,b\",x,-1e-3,", &row, why));
	assert_int_equal(row.time_ms, 1767294245500);
	assert_memory_equal(row.site, "a,b", 3);
	assert_int_equal(row.site_length, 3);
	assert_true(row.value == -1e-3);
	assert_int_equal(row.flag, FLAG_NORMAL);
	(void)state;
}

static void test_an_absent_value_is_no_reading(void **state)
{
	static const char *const rows[] = {"0,s,f,",    "0,s,f,NA",   "0,s,f,nan",
					   "0,s,f,NaN", "0,s,f, na ", "0,s,f,\"\""};
	struct csv_header h = header_of("time,site,factor,value");
	for (size_t i = 0; i < 6; i++) {
		struct csv_row row = {0};
		char why[128];
		assert_true(row_of(&h, rows[i], &row, why));
		assert_false(row.has_value);
	}
	(void)state;
}

static void test_malformed_rows_are_refused_with_the_cause(void **state)
{
	static const struct {
		const char *row, *why;
	} cases[] = {
		{"0,s,f", "3 fields, the header has 5"},
		{"0,s,f,1,N,x", "6 fields"},
		{"", "1 fields"},
		{"soon,s,f,1,N", "\"soon\""},
		{"2026-01-02T03:04,s,f,1,N", "seconds"},
		{"0,s,f,inf,N", "\"inf\""},
		{"0,s,f,1e999,N", "\"1e999\""},
		{"0,s,f,0x1p3,N", "\"0x1p3\""},
		{"0,s,f,1.2.3,N", "\"1.2.3\""},
		{"0,s,f,1,Q", "unknown flag \"Q\""},
		{"0,s,f,1,n", "unknown flag"},
		{"0,s,f,1,NN", "unknown flag"},
		{"0,\"s,f,1,N", "quote"},
	};
	struct csv_header h = header_of("time,site,factor,value,flag");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct csv_row row = {0};
		char why[128] = "";
		assert_false(row_of(&h, cases[i].row, &row, why));
		if (strstr(why, cases[i].why) == NULL)
			fail_msg("\"%s\": %s", cases[i].row, why);
	}
	(void)state;
}

static void test_a_flag_in_the_last_column_may_be_left_out(void **state)
{
	(void)state;
	struct csv_header last, first;
	struct csv_row row = {0};
	char why[160];
	const char *names = "time,site,factor,value,flag", *turned = "flag,time,site,factor,value";
	assert_true(csv_header(names, strlen(names), &last, why, sizeof why));
	assert_true(csv_header(turned, strlen(turned), &first, why, sizeof why));
	assert_true(csv_row("7,s,f,1.5", 9, &last, NULL, &row, why, sizeof why));
	assert_true(row.value == 1.5 && row.flag == FLAG_NORMAL);
	assert_false(csv_row("7,s,f,1.5", 9, &first, NULL, &row, why, sizeof why));
}

static void test_too_many_fields_are_refused(void **state)
{
	char line[200], why[128];
	struct csv_header h = header_of("time,site,factor,value");
	struct csv_row row = {0};
	memset(line, ',', 199);
	line[199] = '\0';
	assert_false(row_of(&h, line, &row, why));
	assert_non_null(strstr(why, "more than 64 fields"));
	(void)state;
}

static void test_decimals_agree_with_the_c_library(void **state)
{
	static const char *const good[] = {"0",
					   "-0",
					   "1",
					   "-1.5",
					   "+2",
					   ".5",
					   "5.",
					   "-.25",
					   "1e3",
					   "1E-3",
					   "0.1",
					   "61.3",
					   "123456789012345",
					   "1234567890123456789",
					   "0.000000000000001",
					   "-1.7976931348623157e308",
					   "4.9e-324",
					   "00012.500",
					   "999999999999999.9",
					   "0.30000000000000004",
					   "1e-400"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		double value = NAN;
		assert_true(decimal_parse(good[i], strlen(good[i]), &value));
		assert_true(value == strtod(good[i], NULL));
		assert_int_equal(signbit(value) != 0, good[i][0] == '-');
	}
	(void)state;
}

static uint64_t dice(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Digits, a point anywhere among them, and now and then an exponent. */
static void random_decimal(uint64_t *seed, char *out, size_t size)
{
	int digits = 1 + (int)(dice(seed) % 19), point = (int)(dice(seed) % 20);
	size_t n = 0;
	if (dice(seed) % 3 == 0)
		out[n++] = '-';
	for (int i = 0; i < digits; i++) {
		if (i == point)
			out[n++] = '.';
		out[n++] = (char)('0' + dice(seed) % 10);
	}
	out[n] = '\0';
	if (dice(seed) % 4 == 0)
		snprintf(out + n, size - n, "e%d", (int)(dice(seed) % 80) - 40);
}

static void test_random_decimals_are_those_of_the_c_library(void **state)
{
	uint64_t seed = 212;
	for (int i = 0; i < 200000; i++) {
		char text[64];
		double value;
		random_decimal(&seed, text, sizeof text);
		assert_true(decimal_parse(text, strlen(text), &value));
		double expected = strtod(text, NULL);
		if (memcmp(&value, &expected, sizeof value) != 0)
			fail_msg("%s was read as %.17g", text, value);
	}
	(void)state;
}

static void test_what_is_no_decimal_is_refused(void **state)
{
	static const char *const bad[] = {"",      "-",        "+",     ".",  "-.",    "e5",
					  "1e",    "1e+",      "--1",   "1-", "1.2.3", "0x10",
					  "inf",   "nan",      "1e309", " 1", "1 ",    "1,5",
					  "1e5e5", "INFINITY", "1_0"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		double value;
		if (decimal_parse(bad[i], strlen(bad[i]), &value))
			fail_msg("\"%s\" was taken as %g", bad[i], value);
	}
	(void)state;
}

static void test_no_byte_behind_the_length_is_read(void **state)
{
	static const char *const texts[] = {"1.5e3", "12",  "1e999",
					    "-",     "abc", "1234567890123456789"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t length = strlen(texts[i]);
		char *exact = malloc(length); /* the address sanitizer watches its end */
		double value, expected;
		memcpy(exact, texts[i], length);
		bool good = decimal_parse(texts[i], length, &expected);
		assert_int_equal(decimal_parse(exact, length, &value), good);
		if (good)
			assert_true(value == expected);
		free(exact);
	}
	double value;
	assert_true(decimal_parse("1.5e3x", 5, &value) && value == 1500);
	assert_true(decimal_parse("1e55", 3, &value) && value == 1e5);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_may_stand_in_any_order),
		cmocka_unit_test(test_a_header_that_lacks_or_doubles_a_column_is_refused),
		cmocka_unit_test(test_a_row_is_read_with_its_names_value_and_flag),
		cmocka_unit_test(test_an_absent_value_is_no_reading),
		cmocka_unit_test(test_malformed_rows_are_refused_with_the_cause),
		cmocka_unit_test(test_a_flag_in_the_last_column_may_be_left_out),
		cmocka_unit_test(test_too_many_fields_are_refused),
		cmocka_unit_test(test_decimals_agree_with_the_c_library),
		cmocka_unit_test(test_random_decimals_are_those_of_the_c_library),
		cmocka_unit_test(test_what_is_no_decimal_is_refused),
		cmocka_unit_test(test_no_byte_behind_the_length_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
