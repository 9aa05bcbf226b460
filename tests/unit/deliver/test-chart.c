/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/chart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int64_t begin_ms = 1767225600000, second = 1000;
static const struct zone zone = {0};

static void feed(struct chart *chart, int64_t time_ms, double value, enum flag flag)
{
	const struct reading reading = {
		.measured_ms = time_ms, .value = value, .has_value = true, .flag = (uint8_t)flag};
	chart_feed(chart, &reading, 0);
}

static char *drawn(const struct chart *chart)
{
	struct text text = {0};
	struct sheet sheet = {.out = &text, .zone = &zone};
	chart_svg(&sheet, chart, 0);
	assert_false(text.failed);
	return text.at;
}

static int setup(void **state)
{
	struct chart *chart = malloc(sizeof *chart);
	chart_begin(chart, &zone, begin_ms, begin_ms + 86400 * second, 60 * second);
	chart->name = "COD";
	chart->unit = "mg/L";
	chart->decimals = 1;
	chart->limits[chart->n_limits++] = (struct chart_level){.at = 50};
	*state = chart;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void test_a_marked_reading_is_hatched_beside_its_own_flag(void **state)
{
	struct chart *chart = *state;
	for (int64_t s = 0; s < 7200; s++) {
		const struct reading reading = {
			.measured_ms = begin_ms + s * second,
			.value = 60,
			.has_value = true,
			.flag = (uint8_t)(s < 4800 ? FLAG_NORMAL : FLAG_COMMUNICATION)};
		chart_feed(chart, &reading, s < 600 ? 0 : FLAG_CALIBRATION);
	}
	assert_int_equal(chart->valid, 600); /* those with a mark reach no limit */
	assert_int_equal(chart_marks(chart), chart_flag(FLAG_CALIBRATION));
	assert_int_equal(chart_flags(chart), chart_flag(FLAG_COMMUNICATION));
	char *svg = drawn(chart);
	assert_non_null(strstr(svg, "class=\"hatched\""));
	assert_non_null(strstr(svg, ">(C)<"));
	assert_non_null(strstr(svg, ">B<"));
	free(svg);
	struct text text = {0};
	struct sheet sheet = {.out = &text, .zone = &zone};
	chart_table(&sheet, chart);
	assert_non_null(strstr(text.at, ">B(C)<"));
	text_deinit(&text);
}

static void test_one_reading_above_the_limit_among_many_stays_to_be_seen(void **state)
{
	struct chart *chart = *state;
	for (int64_t s = 0; s < 86400; s++)
		feed(chart, begin_ms + s * second, s == 43217 ? 80 : 40, FLAG_NORMAL);
	chart_end(chart, begin_ms + 86400 * second);
	assert_int_equal(chart->n, 86400);
	assert_true(chart->at[360].high >= 80 && chart->at[359].high <= 40 &&
		    chart->at[361].high <= 40);
	char *svg = drawn(chart);
	assert_true(strlen(svg) < 64 << 10);
	assert_non_null(strstr(svg, "lie between 40.0 and 80.0 mg/L"));
	/* 40 to 80 on a scale from 30 to 90: the spike reaches up to its place alone */
	assert_non_null(strstr(svg, "L424 "));
	assert_int_equal(chart->n_gaps, 0);
	free(svg);
}

/* Where the name of the limit stands: the end of its text, its baseline. */
static void limit_name(const char *svg, double *x, double *y)
{
	const char *name = strstr(svg, "class=\"limit-name\"");
	assert_non_null(name);
	assert_int_equal(sscanf(strstr(name, "x="), "x=\"%lf\" y=\"%lf\"", x, y), 2);
}

static void test_the_limits_name_stands_where_the_curve_is_not(void **state)
{
	struct chart *chart = *state;
	double x, y;
	char *svg = drawn(chart);
	limit_name(svg, &x, &y); /* nothing is in its way */
	assert_true(x > 64 + 700);
	free(svg);
	/* up and down around the limit in the last eight hours, far below before */
	for (int64_t s = 0; s < 86400; s += 30)
		feed(chart, begin_ms + s * second,
		     s < 57600        ? 20
		     : s % 1800 < 900 ? 40
				      : 60,
		     FLAG_NORMAL);
	svg = drawn(chart);
	limit_name(svg, &x, &y);
	assert_true(x < 64 + 480);
	free(svg);
	/* on one side of the line all day long: then on the other side */
	for (size_t i = 0; i < CHART_COLUMNS; i++) {
		chart->at[i].first = chart->at[i].last = chart->at[i].low = 51;
		chart->at[i].high = 60;
	}
	chart->low = 51;
	svg = drawn(chart);
	limit_name(svg, &x, &y);
	double line;
	assert_int_equal(sscanf(strstr(strstr(svg, "class=\"limit\""), "y1="), "y1=\"%lf\"", &line),
			 1);
	assert_true(x > 64 + 700 && y > line);
	free(svg);
}

static void test_silence_breaks_the_line_and_is_listed(void **state)
{
	struct chart *chart = *state;
	for (int64_t s = 0; s < 3600; s += 30)
		feed(chart, begin_ms + s * second, 40, FLAG_NORMAL);
	for (int64_t s = 7200; s < 10800; s += 30)
		feed(chart, begin_ms + s * second, 40, FLAG_NORMAL);
	chart_end(chart, begin_ms + 90000 * second);
	assert_int_equal(chart->n_gaps, 2);
	assert_int_equal(chart->gaps[0].from_ms, begin_ms + 3570 * second);
	assert_int_equal(chart->gaps[0].to_ms, begin_ms + 7200 * second);
	assert_int_equal(chart->gaps[1].to_ms, begin_ms + 86400 * second);
	char *svg = drawn(chart);
	const char *path = strstr(svg, "class=\"curve\""), *first = strstr(path, "M"),
		   *end = strstr(path, "/>");
	const char *second_move = strstr(first + 1, "M");
	assert_true(second_move != NULL && second_move < end);
	assert_non_null(strstr(svg, "class=\"silent\""));
	free(svg);
}

static void test_flags_are_marked_and_reach_no_scale(void **state)
{
	struct chart *chart = *state;
	for (int64_t s = 0; s < 86400; s += 60)
		feed(chart, begin_ms + s * second, s > 30000 && s < 40000 ? 1900 : 40,
		     s > 30000 && s < 40000 ? FLAG_MAINTENANCE : FLAG_NORMAL);
	char *svg = drawn(chart);
	assert_true(chart->high <= 40);
	assert_non_null(strstr(svg, "class=\"hatched\""));
	assert_non_null(strstr(svg, ">M</text>"));
	assert_non_null(strstr(svg, "class=\"marked\""));
	free(svg);
}

static void test_a_chart_without_readings_says_so(void **state)
{
	struct chart *chart = *state;
	feed(chart, begin_ms - 1, 40, FLAG_NORMAL);
	feed(chart, begin_ms + 86400 * second, 40, FLAG_NORMAL);
	assert_int_equal(chart->n, 0);
	char *svg = drawn(chart);
	assert_non_null(strstr(svg, "no valid reading"));
	assert_null(strstr(svg, "nan"));
	assert_null(strstr(svg, "inf"));
	free(svg);
}

static void test_the_table_has_full_hours(void **state)
{
	static const struct zone_change change = {INT64_MIN / 2, 8 * 3600};
	static const struct zone east = {&change, 1};
	struct chart *chart = *state;
	struct text text = {0};
	struct sheet sheet = {.out = &text, .zone = &east};
	/* 08:17 to 20:17 of the day, by the clock there */
	chart_begin(chart, &east, begin_ms + 17 * 60000, begin_ms + 12 * 3600000 + 17 * 60000, 0);
	feed(chart, begin_ms + 2 * 3600000 - 1, 5, FLAG_NORMAL);
	feed(chart, begin_ms + 2 * 3600000, 7, FLAG_NORMAL);
	feed(chart, begin_ms + 2 * 3600000 + 60000, 9, FLAG_NORMAL);
	chart_table(&sheet, chart);
	assert_non_null(strstr(text.at, "01-01 08:17:00</time></th><td>0<"));
	assert_non_null(strstr(text.at, "01-01 09:00:00</time></th><td>1</td><td>5</td>"));
	assert_non_null(
		strstr(text.at, "01-01 10:00:00</time></th><td>2</td><td>7</td><td>9</td>"));
	assert_non_null(strstr(text.at, "01-01 20:00:00</time></th><td>0<"));
	assert_null(strstr(text.at, "21:00:00"));
	text_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_table_has_full_hours, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_marked_reading_is_hatched_beside_its_own_flag, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_one_reading_above_the_limit_among_many_stays_to_be_seen, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_the_limits_name_stands_where_the_curve_is_not,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_breaks_the_line_and_is_listed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_flags_are_marked_and_reach_no_scale, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_chart_without_readings_says_so, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
