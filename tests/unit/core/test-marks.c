/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/marks.h"

#include <stdlib.h>
#include <string.h>

static const struct zone_change east = {0, 8 * 3600};
static const struct zone cst = {&east, 1};

static char flag_at(const struct marks *marks, uint32_t monitor, int64_t time_ms)
{
	enum flag flag;
	return marks_flag(marks, monitor, time_ms, &flag) ? (char)flag : '.';
}

/* What lies over the moments 0 to 9 of monitor 1, of three. */
static void check(const struct mark *given, size_t n, const char *expected)
{
	struct marks marks;
	char got[11] = "";
	assert_int_equal(marks_build(&marks, 3, given, n), 0);
	for (int i = 0; i < 10; i++)
		got[i] = flag_at(&marks, 1, i);
	assert_string_equal(got, expected);
	assert_int_equal(flag_at(&marks, 0, 5), '.');
	assert_int_equal(flag_at(&marks, 2, 5), '.');
	marks_deinit(&marks);
}

#define CHECK(expected, ...)                                                                       \
	do {                                                                                       \
		const struct mark given[] = {__VA_ARGS__};                                         \
		check(given, sizeof given / sizeof given[0], expected);                            \
	} while (0)

static void test_a_mark_holds_its_start_and_not_its_end(void **state)
{
	CHECK("...MMM....", {1, 3, 6, 'M'});
	(void)state;
}

static void test_a_later_mark_lies_over_an_earlier_one(void **state)
{
	CHECK(".MMCCMMM..", {1, 1, 8, 'M'}, {1, 3, 5, 'C'});
	CHECK(".MMMMMMM..", {1, 3, 5, 'C'}, {1, 1, 8, 'M'});
	CHECK(".CCMMM....", {1, 1, 4, 'C'}, {1, 3, 6, 'M'});
	CHECK("...MMMCC..", {1, 5, 8, 'C'}, {1, 3, 6, 'M'});
	CHECK("MMFFFFFCC.", {1, 0, 4, 'M'}, {1, 5, 9, 'C'}, {1, 2, 7, 'F'});
	(void)state;
}

static void test_flag_n_lifts_what_lies_below(void **state)
{
	CHECK(".MM..MMM..", {1, 1, 8, 'M'}, {1, 3, 5, 'N'});
	CHECK("..........", {1, 1, 8, 'M'}, {1, 0, 9, 'N'});
	CHECK("....CC....", {1, 1, 8, 'M'}, {1, 0, 9, 'N'}, {1, 4, 6, 'C'});
	(void)state;
}

static void test_a_mark_of_no_length_is_none(void **state)
{
	CHECK(".MMM......", {1, 1, 4, 'M'}, {1, 2, 2, 'C'}, {1, 3, 2, 'C'});
	(void)state;
}

/* Against the definition: the last one that covers a moment decides. */
static void test_random_marks_agree_with_the_definition(void **state)
{
	static const char flags[] = "MFCDN";
	srand(20260504);
	for (int round = 0; round < 2000; round++) {
		struct mark given[12];
		char expected[11] = "..........";
		size_t n = (size_t)(rand() % 12) + 1;
		for (size_t i = 0; i < n; i++) {
			given[i] = (struct mark){1, rand() % 10, rand() % 11,
						 (enum flag)flags[rand() % 5]};
			for (int64_t at = given[i].from_ms; at < given[i].to_ms; at++)
				expected[at] = given[i].flag == 'N' ? '.' : (char)given[i].flag;
		}
		check(given, n, expected);
	}
	(void)state;
}

static bool row_of(const char *line, struct marks_row *row, char *why)
{
	static const char head[] = "reason,by,flag,to,from,factor,site";
	struct marks_header header;
	assert_true(marks_header(head, strlen(head), &header, why, 160));
	return marks_row(line, strlen(line), &header, &cst, row, why, 160);
}

static void test_a_row_is_read_in_any_order(void **state)
{
	struct marks_row row;
	char why[160] = "";
	assert_true(row_of("\"pump, changed\",A,M,2026-05-04 09:15:00,2026-05-04 09:00:00,w01018,"
			   "outfall-a",
			   &row, why));
	assert_int_equal(row.flag, 'M');
	assert_int_equal(row.to_ms - row.from_ms, 15 * 60000);
	assert_memory_equal(row.site, "outfall-a", row.site_length);
	assert_memory_equal(row.factor, "w01018", row.factor_length);
	(void)state;
}

static void check_refused(const char *line, const char *part)
{
	struct marks_row row;
	char why[160] = "";
	assert_false(row_of(line, &row, why));
	assert_non_null(strstr(why, part));
}

static void test_a_bad_row_is_refused_with_its_reason(void **state)
{
	check_refused("r,b,M,2026-05-04 09:15,2026-05-04 09:00:00,f,s", "09:15\"");
	check_refused("r,b,M,2026-05-04 09:15:00,yesterday,f,s", "\"yesterday\"");
	check_refused("r,b,M,2026-05-04 09:00:00,2026-05-04 09:00:00,f,s", "must end behind");
	/* a quarter past nine in the node's zone is before nine in UTC */
	check_refused("r,b,M,2026-05-04 09:15:00,2026-05-04T09:00:00Z,f,s", "must end behind");
	check_refused("r,b,Q,2026-05-04 09:15:00,2026-05-04 09:00:00,f,s", "unknown flag \"Q\"");
	check_refused("r,b,,2026-05-04 09:15:00,2026-05-04 09:00:00,f,s", "unknown flag");
	check_refused(",b,M,2026-05-04 09:15:00,2026-05-04 09:00:00,f,s", "needs a reason");
	check_refused("r,M,2026-05-04 09:15:00,2026-05-04 09:00:00,f,s", "6 fields");
	check_refused("\"r,b,M,2026-05-04 09:15:00,2026-05-04 09:00:00,f,s", "quote is not closed");
	(void)state;
}

static void test_a_header_that_lacks_or_doubles_a_column_is_refused(void **state)
{
	struct marks_header header;
	char why[160] = "";
	static const char lacks[] = "site,factor,from,to,flag",
			  twice[] = "site,factor,from,to,flag,reason,to";
	assert_false(marks_header(lacks, strlen(lacks), &header, why, sizeof why));
	assert_non_null(strstr(why, "\"reason\""));
	assert_false(marks_header(twice, strlen(twice), &header, why, sizeof why));
	assert_non_null(strstr(why, "twice the column \"to\""));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mark_holds_its_start_and_not_its_end),
		cmocka_unit_test(test_a_later_mark_lies_over_an_earlier_one),
		cmocka_unit_test(test_flag_n_lifts_what_lies_below),
		cmocka_unit_test(test_a_mark_of_no_length_is_none),
		cmocka_unit_test(test_random_marks_agree_with_the_definition),
		cmocka_unit_test(test_a_row_is_read_in_any_order),
		cmocka_unit_test(test_a_bad_row_is_refused_with_its_reason),
		cmocka_unit_test(test_a_header_that_lacks_or_doubles_a_column_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
