/* SPDX-License-Identifier: Apache-2.0 */
/* What real servers read in our lines: hostile names, numbers, times, over v1 and v2. */
#include "core/line.h"
#include "core/text.h"
#include "deliver/influx.h"
#include "servers.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A name, and what is read back: only what no server can hold is replaced. */
static const struct {
	const char *written, *read;
} names[] = {
	{"plain", "plain"},
	{"a b,c=d", "a b,c=d"},
	{" leading, trailing= ", " leading, trailing= "},
	{"say \"hi\"", "say \"hi\""},
	{"'single' `back`", "'single' `back`"},
	{"a\\b", "a\\b"},
	{"ends\\", "ends_"},
	{"a\\ b\\,c\\=d", "a_ b_,c_=d"},
	{"two\\\\n", "two_\\n"},
	{"new\nline", "new_line"},
	{"x y=1 1\nreading,site=forged value=1 2", "x y=1 1_reading,site=forged value=1 2"},
	{"#comment", "#comment"},
	{"tab\tand\rbell\a", "tab_and_bell_"},
	{"盘龙江，三号", "盘龙江，三号"},
	{"\xf0\x9f\x8c\x8a wave", "\xf0\x9f\x8c\x8a wave"},
	{"{json}:[1,2]", "{json}:[1,2]"},
	{"null", "null"},
};

static const double values[] = {
	0,
	-0.0,
	38.2,
	-0.05,
	1e-4,
	9.5e-5,
	1e15,
	123456789.123456,
	0.1f, /* as a float32 register has it */
	0.30000000000000004,
	4.35,
	1e21,
	-1e-30,
};
static const double extremes[] = {1.7976931348623157e308, 5e-324, 2.2250738585072014e-308,
				  9007199254740993.0, 999999999999999.9};

enum { N_NAMES = sizeof names / sizeof names[0], N_VALUES = sizeof values / sizeof values[0] };
#define EPOCH_MS 1767225600007 /* the 7 ms show that precision is not lost */

struct plan_of_one {
	struct site site;
	struct monitor monitor;
	struct plan plan;
};

static const struct plan *plan_named(struct plan_of_one *one, const char *name)
{
	one->site = (struct site){.id = name, .kind = SITE_OUTFALL};
	one->monitor = (struct monitor){.factor = name};
	one->plan = (struct plan){.node = name,
				  .sites = &one->site,
				  .n_sites = 1,
				  .monitors = &one->monitor,
				  .n_monitors = 1};
	return &one->plan;
}

static void add_reading(struct text *text, const char *name, double value, int64_t time_ms)
{
	struct plan_of_one one;
	struct reading reading = {
		.has_value = true, .value = value, .flag = FLAG_NORMAL, .measured_ms = time_ms};
	line_reading(text, plan_named(&one, name), 0, &reading);
}

/* Every name once, then every value under the plain name, then what must not leave. */
static void write_all(struct text *text, const double *numbers, size_t n)
{
	for (size_t i = 0; i < N_NAMES; i++)
		add_reading(text, names[i].written, (double)i, EPOCH_MS);
	for (size_t i = 0; i < n; i++)
		add_reading(text, "numbers", numbers[i], EPOCH_MS + (int64_t)i);
	add_reading(text, "nothing", NAN, EPOCH_MS);
	add_reading(text, "nothing", INFINITY, EPOCH_MS + 1);
	add_reading(text, "nothing", -INFINITY, EPOCH_MS + 2);
}

static void send_all(const struct influx_setup *setup, const char *text, size_t length)
{
	struct influx *influx;
	struct influx_answer answer;
	assert_int_equal(influx_new(&influx, setup), 0);
	assert_int_equal(influx_write(influx, text, length, &answer), 0);
	influx_free(influx);
	if (answer.verdict != INFLUX_ACCEPTED)
		fail_msg("%ld %s", answer.status, answer.text);
}

static bool has_tag(const json_t *tags, const char *key, const char *value)
{
	const char *is = json_string_value(json_object_get(tags, key));
	return is != NULL && strcmp(is, value) == 0;
}

static bool all_tags(const json_t *tags, const char *name)
{
	return has_tag(tags, "site", name) && has_tag(tags, "node", name) &&
	       has_tag(tags, "factor", name) && has_tag(tags, "kind", "outfall");
}

/* --- v1 --- */

static json_t *series_of(struct influxd *influxd, const char *query)
{
	char *text = influxd_query(influxd, query);
	json_t *root = json_loads(text, 0, NULL);
	json_t *series =
		json_object_get(json_array_get(json_object_get(root, "results"), 0), "series");
	json_incref(series);
	json_decref(root);
	free(text);
	return series;
}

static const json_t *named(const json_t *series, const char *name)
{
	size_t i;
	const json_t *one;
	json_array_foreach(series, i, one) if (all_tags(json_object_get(one, "tags"),
							name)) return json_object_get(one,
										      "values");
	fail_msg("no series \"%s\"", name);
	return NULL;
}

static const json_t *cell(const json_t *rows, size_t row, size_t column)
{
	return json_array_get(json_array_get(rows, row), column);
}

static void check_v1(const json_t *series, const double *numbers, size_t n)
{
	assert_int_equal(json_array_size(series), N_NAMES + 1);
	for (size_t i = 0; i < N_NAMES; i++) {
		const json_t *rows = named(series, names[i].read);
		assert_int_equal(json_integer_value(cell(rows, 0, 0)), EPOCH_MS * 1000000);
		assert_true(json_number_value(cell(rows, 0, 1)) == (double)i);
	}
	const json_t *rows = named(series, "numbers");
	assert_int_equal(json_array_size(rows), n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(json_integer_value(cell(rows, i, 0)),
				 (EPOCH_MS + (int64_t)i) * 1000000);
		assert_true(json_number_value(cell(rows, i, 1)) == numbers[i]);
	}
}

static void test_influxdb_reads_names_and_numbers_as_they_were(void **state)
{
	(void)state;
	if (!influxd_here())
		skip();
	struct influxd influxd;
	struct text text = {0};
	double numbers[N_VALUES + sizeof extremes / sizeof extremes[0]];
	memcpy(numbers, values, sizeof values);
	memcpy(numbers + N_VALUES, extremes, sizeof extremes);
	const size_t n = sizeof numbers / sizeof numbers[0];
	influxd_init(&influxd);
	influxd_start(&influxd);
	free(influxd_query(&influxd, "CREATE DATABASE ducha"));
	write_all(&text, numbers, n);
	send_all(&(struct influx_setup){.url = influxd.url, .database = "ducha", .gzip = true},
		 text.at, text.length);
	json_t *series = series_of(&influxd, "SELECT value FROM reading GROUP BY *");
	check_v1(series, numbers, n);
	json_decref(series);
	/* NaN and infinities came as points without a value */
	series = series_of(&influxd, "SELECT flag FROM reading WHERE site = 'nothing'");
	assert_int_equal(json_array_size(json_object_get(json_array_get(series, 0), "values")), 3);
	json_decref(series);
	series = series_of(&influxd, "SHOW MEASUREMENTS");
	assert_int_equal(json_array_size(json_object_get(json_array_get(series, 0), "values")), 1);
	json_decref(series);
	text_deinit(&text);
	influxd_deinit(&influxd);
}

/* --- v2 --- */

/* The values of the series with this name, of one JSON object a line. */
static json_t *exported(const char *all, const char *name, const char *what)
{
	json_t *found = NULL;
	const char *text = all;
	while (*text != '\0' && found == NULL) {
		size_t length = strcspn(text, "\n");
		json_t *one = json_loadb(text, length, JSON_DECODE_INT_AS_REAL, NULL);
		if (one == NULL)
			fail_msg("not JSON: %s", text);
		if (all_tags(json_object_get(one, "metric"), name))
			found = json_incref(json_object_get(one, what));
		json_decref(one);
		text += length + (text[length] == '\n');
	}
	if (found == NULL)
		fail_msg("no series \"%s\" in %s", name, all);
	return found;
}

static void check_v2(const char *text, const char *name, double value)
{
	json_t *is = exported(text, name, "values");
	assert_int_equal(json_array_size(is), 1);
	double kept = json_number_value(json_array_get(is, 0)); /* it keeps some 14 digits */
	if (fabs(kept - value) > 1e-12 * fabs(value))
		fail_msg("%s is %.17g", name, kept);
	json_decref(is);
	is = exported(text, name, "timestamps");
	assert_true(json_number_value(json_array_get(is, 0)) == (double)EPOCH_MS);
	json_decref(is);
}

static void test_victoriametrics_reads_names_and_numbers_as_they_were(void **state)
{
	(void)state;
	if (!victoria_here())
		skip();
	struct victoria victoria;
	struct text text = {0};
	char name[32];
	victoria_start(&victoria);
	write_all(&text, NULL, 0);
	for (size_t i = 0; i < N_VALUES; i++) { /* one scale for a whole series: each has its own */
		snprintf(name, sizeof name, "number %zu", i);
		add_reading(&text, name, values[i], EPOCH_MS);
	}
	send_all(&(struct influx_setup){.url = victoria.url,
					.api = INFLUX_V2,
					.org = "五华 & co",
					.bucket = "a/b?c=d",
					.token = "opensesame",
					.gzip = true},
		 text.at, text.length);
	char *is = victoria_export(&victoria, "reading_value");
	for (size_t i = 0; i < N_NAMES; i++)
		check_v2(is, names[i].read, (double)i);
	for (size_t i = 0; i < N_VALUES; i++) {
		snprintf(name, sizeof name, "number %zu", i);
		check_v2(is, name, values[i]);
	}
	assert_null(strstr(is, "nothing")); /* NaN and infinities */
	free(is);
	text_deinit(&text);
	victoria_stop(&victoria);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_influxdb_reads_names_and_numbers_as_they_were),
		cmocka_unit_test(test_victoriametrics_reads_names_and_numbers_as_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
