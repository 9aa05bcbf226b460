/* SPDX-License-Identifier: Apache-2.0 */
/* The standards' data: what the shipped files hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/dates.h"
#include "config/reader.h"
#include "config/standards.h"
#include "config/units.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* --- the files --- */

struct data {
	struct catalogue catalogue;
	struct standards standards;
};

static void data_read(struct data *data)
{
	struct faults faults = {0};
	*data = (struct data){0};
	int c = catalogue_read(&data->catalogue, TEST_DATA, &reader_disk, &faults);
	int s = standards_read(&data->standards, &data->catalogue, TEST_DATA, &reader_disk,
			       &faults);
	config_faults_print(&faults.list, stderr);
	config_faults_deinit(&faults.list);
	assert_int_equal(c, 0);
	assert_int_equal(s, 0);
}

static void data_deinit(struct data *data)
{
	standards_deinit(&data->standards);
	catalogue_deinit(&data->catalogue);
}

static void check_row(const struct data *data, const struct standard *standard,
		      const struct standard_row *row)
{
	const struct config_factor *factor = catalogue_find(&data->catalogue, row->factor);
	struct conversion c;
	assert_non_null(factor);
	assert_string_equal(factor->code, row->factor);
	bool fits = unit_conversion(row->unit, factor->unit, NULL, &c) && c.exact;
	assert_true(fits || (factor->other_unit && strcmp(factor->other_unit, row->unit) == 0));
	assert_true(row->clause && row->source && row->from);
	assert_true(row->from_day > 0 && (row->to_day == 0 || row->from_day < row->to_day));
	assert_in_range(row->confidence, CONFIDENCE_HIGH, CONFIDENCE_LOW);
	assert_true(row->n_average > 0 && row->n_average == row->n_opens);
	assert_true(row->classes.n > 0);
	for (size_t i = 0; i < row->classes.n; i++)
		assert_true(texts_hold(&standard->classes, row->classes.at[i]));
}

static void check_character(const struct standard_row *row)
{
	bool ph = strcmp(row->factor, "w01001") == 0;
	if (ph)
		assert_true(row->n_max > 0 && row->n_min > 0 && row->n_average == 1 &&
			    row->average[0] == CONFIG_INSTANT);
	else if (strcmp(row->factor, "w01009") == 0)
		assert_true(row->n_min > 0 && row->n_max == 0);
	else
		assert_true(row->n_max > 0 && row->n_min == 0);
	for (size_t i = 0; i < row->n_average; i++)
		assert_int_equal(row->opens[i], row->average[i] >= CONFIG_DAY);
	assert_string_not_equal(row->factor, "w01010");
}

static void test_every_row_of_every_file_is_whole(void **state)
{
	struct data data;
	size_t n = 0;
	(void)state;
	data_read(&data);
	assert_int_equal(data.standards.n, 6);
	for (size_t i = 0; i < data.standards.n; i++) {
		const struct standard *standard = &data.standards.at[i];
		for (size_t k = 0; k < standard->n_rows; k++, n++) {
			check_row(&data, standard, &standard->rows[k]);
			check_character(&standard->rows[k]);
		}
		if (standard->replaced_by)
			assert_non_null(standards_find(&data.standards, standard->replaced_by));
		for (size_t k = 0; k < standard->n_absent; k++)
			assert_non_null(
				catalogue_find(&data.catalogue, standard->absent[k].factor));
	}
	assert_true(n > 100);
	data_deinit(&data);
}

static bool overlap(const struct standard_row *a, const struct standard_row *b)
{
	bool apart = (a->to_day > 0 && a->to_day < b->from_day) ||
		     (b->to_day > 0 && b->to_day < a->from_day);
	bool alike =
		strcmp(a->factor, b->factor) == 0 &&
		strcmp(a->condition ? a->condition : "", b->condition ? b->condition : "") == 0;
	bool meet = false;
	for (size_t i = 0; i < a->classes.n; i++)
		for (size_t j = 0; j < a->n_average; j++)
			for (size_t k = 0; k < b->n_average; k++)
				meet = meet || (texts_hold(&b->classes, a->classes.at[i]) &&
						a->average[j] == b->average[k]);
	return alike && meet && !apart;
}

static void test_no_two_rows_say_the_same(void **state)
{
	struct data data;
	(void)state;
	data_read(&data);
	for (size_t i = 0; i < data.standards.n; i++) {
		const struct standard *standard = &data.standards.at[i];
		for (size_t a = 0; a < standard->n_rows; a++)
			for (size_t b = a + 1; b < standard->n_rows; b++)
				if (overlap(&standard->rows[a], &standard->rows[b]))
					fail_msg("%s has two rows for %s", standard->id,
						 standard->rows[a].factor);
	}
	data_deinit(&data);
}

static void test_dates_are_days_of_the_calendar(void **state)
{
	static const struct {
		const char *text;
		int days;
	} cases[] = {{"1970-01-02", 1},      {"2000-02-29", 11016}, {"2026-03-01", 20513},
		     {"2026-02-28", 20512},  {"2026-02-29", 0},     {"2100-02-29", 0},
		     {"2026-13-01", 0},      {"2026-00-10", 0},     {"2026-04-31", 0},
		     {"2026-4-30", 0},       {"1970-01-01", 0},     {"1969-12-31", 0},
		     {"9999-12-31", 2932896}};
	char text[DATE_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(date_days(cases[i].text), cases[i].days);
		if (cases[i].days > 0)
			assert_string_equal(date_text(cases[i].days, text), cases[i].text);
	}
	for (int day = 1; day < 60000; day += 13)
		assert_int_equal(date_days(date_text(day, text)), day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_row_of_every_file_is_whole),
		TEST(test_no_two_rows_say_the_same),
		TEST(test_dates_are_days_of_the_calendar),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
