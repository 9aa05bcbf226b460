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

/* --- lines, and the row that is expected --- */

static void test_lines_end_where_they_end(void **state)
{
	static const char text[] = "a,b\r\n\n\"x\ny\r\r\nlast";
	static const struct {
		size_t length, taken;
	} lines[] = {{3, 5}, {0, 1}, {2, 3}, {1, 4}, {4, 4}};
	const char *at = text, *end = text + sizeof text - 1;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct csv_line line;
		csv_line(at, end, &line);
		assert_ptr_equal(line.at, at);
		assert_int_equal(line.length, lines[i].length);
		assert_int_equal(line.taken, lines[i].taken);
		at += line.taken;
	}
	assert_ptr_equal(at, end);
	(void)state;
}

#define NAMES "outfall-3,w01018,"
#define EPOCH "1767294000"

/* As one of the lines of a file, of which @length bytes are looked at. */
static void same_row(const struct csv_row *a, const struct csv_row *b, const char *line)
{
	bool same = a->time_ms == b->time_ms && a->flag == b->flag &&
		    memcmp(&a->value, &b->value, sizeof a->value) == 0 && b->has_value &&
		    b->site_length == strlen("outfall-3") && b->factor_length == strlen("w01018") &&
		    memcmp(b->site, NAMES, strlen(NAMES) - 1) == 0;
	if (!same)
		fail_msg("%s: %lld %.17g", line, (long long)a->time_ms, a->value);
}

/* Return: was it as expected? Then it is read as the long way reads it. */
static bool like(const struct csv_header *header, const char *line)
{
	char text[512], why[128];
	struct csv_row before = {.time = EPOCH, .time_length = 10, .time_ms = 1767294000000};
	struct csv_row row = {0};
	struct csv_line whole;
	snprintf(text, sizeof text, "%s%80s\n", line, "next");
	const char *end = text + strlen(text);
	size_t taken = csv_row_like(text, end, header, NAMES, strlen(NAMES), &before);
	if (taken == 0) {
		assert_int_equal(before.time_ms, 1767294000000);
		return false;
	}
	csv_line(text, end, &whole);
	assert_int_equal(taken, whole.taken);
	if (!csv_row_of(&whole, header, &cst, &row, why, sizeof why))
		fail_msg("%s: %s", line, why);
	same_row(&before, &row, line);
	return true;
}

static void test_the_expected_row_is_read_like_any_other(void **state)
{
	static const char *const as_expected[] = {
		EPOCH "," NAMES "61.3\n",     EPOCH "," NAMES "-0\n",
		"1767294001," NAMES "5\r\n",  EPOCH "," NAMES "12345.678\n",
		"9999999999," NAMES ".5\n",   EPOCH "," NAMES "5.\n",
		EPOCH "," NAMES "7.1\n",      EPOCH "," NAMES "0.123456\n",
		EPOCH "," NAMES "1234567.\n", EPOCH "," NAMES "12345678\n",
		EPOCH "," NAMES "-1234.567\n"};
	static const char *const others[] = {EPOCH "," NAMES "\n",
					     EPOCH "," NAMES "NA\n",
					     EPOCH "," NAMES "1,N\n",
					     EPOCH ", " NAMES "1\n",
					     EPOCH "," NAMES "1 \n",
					     EPOCH "," NAMES "\"1\"\n",
					     EPOCH "," NAMES "1e3\n",
					     EPOCH ",outfall-4,w01018,1\n",
					     "176729400x," NAMES "1\n",
					     "17672940001," NAMES "1\n",
					     "2026-01-02T03:04:05Z," NAMES "1\n",
					     EPOCH "," NAMES "12345678901234567\n",
					     EPOCH "," NAMES "1\r\r\n",
					     EPOCH "," NAMES "1;2\n",
					     EPOCH "," NAMES ".\n",
					     EPOCH "," NAMES "-.\n",
					     EPOCH "," NAMES "1.2.3\n",
					     EPOCH "," NAMES "12-4\n"};
	struct csv_header header = header_of("time,site,factor,value");
	for (size_t i = 0; i < sizeof as_expected / sizeof as_expected[0]; i++)
		assert_true(like(&header, as_expected[i]));
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		if (like(&header, others[i]))
			fail_msg("taken as expected: %s", others[i]);
	(void)state;
}

static void test_the_expected_row_may_be_flagged_n(void **state)
{
	struct csv_header header = header_of("time,site,factor,value,flag");
	assert_true(like(&header, EPOCH "," NAMES "1,N\n"));
	assert_true(like(&header, EPOCH "," NAMES "1,N\r\n"));
	assert_true(like(&header, EPOCH "," NAMES "1\n"));
	assert_false(like(&header, EPOCH "," NAMES "1,M\n"));
	assert_false(like(&header, EPOCH "," NAMES "1,\n"));
	assert_false(like(&header, EPOCH "," NAMES "1,N,\n"));
	header = header_of("time,factor,site,value");
	assert_false(like(&header, EPOCH "," NAMES "1\n"));
	header = header_of("time,site,factor,value,more");
	assert_false(like(&header, EPOCH "," NAMES "1\n"));
	(void)state;
}

/* Whatever is changed in a row: read as expected is read as any other, or it is another row. */
static void test_no_expected_row_is_read_otherwise(void **state)
{
	static const char signs[] = "0123456789.,-+eNM \"\r\nx";
	struct csv_header header = header_of("time,site,factor,value,flag");
	uint64_t seed = 525;
	size_t taken = 0;
	for (int i = 0; i < 50000; i++) {
		char line[] = EPOCH "," NAMES "61.34,N\n";
		for (uint64_t n = 1 + dice(&seed) % 3; n > 0; n--) {
			size_t from = dice(&seed) % 4 == 0 ? 0 : strlen(EPOCH "," NAMES);
			line[from + dice(&seed) % (sizeof line - 1 - from)] =
				signs[dice(&seed) % (sizeof signs - 1)];
		}
		taken += like(&header, line);
	}
	assert_in_range(taken, 5000, 45000);
	(void)state;
}

static void test_near_the_end_of_the_file_no_row_is_expected(void **state)
{
	static const char line[] = EPOCH "," NAMES "61.3\n";
	struct csv_header header = header_of("time,site,factor,value");
	struct csv_row row = {.time = EPOCH, .time_length = 10};
	char *exact = malloc(sizeof line - 1); /* the address sanitizer watches its end */
	memcpy(exact, line, sizeof line - 1);
	assert_int_equal(
		csv_row_like(exact, exact + sizeof line - 1, &header, NAMES, strlen(NAMES), &row),
		0);
	free(exact);
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
		cmocka_unit_test(test_lines_end_where_they_end),
		cmocka_unit_test(test_the_expected_row_is_read_like_any_other),
		cmocka_unit_test(test_the_expected_row_may_be_flagged_n),
		cmocka_unit_test(test_no_expected_row_is_read_otherwise),
		cmocka_unit_test(test_near_the_end_of_the_file_no_row_is_expected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
