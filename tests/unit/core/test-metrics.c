/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/metrics.h"
#include "core/text.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct metrics *make(void)
{
	struct metrics *m = NULL;
	assert_int_equal(metrics_new(&m), 0);
	return m;
}

static void check_print(struct metrics *m, const char *expected)
{
	struct text text = {0};
	metrics_print(m, &text);
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void test_every_series_exists_from_the_start_with_zero(void **state)
{
	struct metrics *m = make();
	assert_non_null(metrics_counter(m, "a_total", "Things", "kind=\"x\""));
	assert_non_null(metrics_gauge(m, "b", "Level", ""));
	assert_non_null(metrics_counter(m, "a_total", "other words", "kind=\"y\""));
	check_print(m, "# HELP a_total Things\n# TYPE a_total counter\n"
		       "a_total{kind=\"x\"} 0\na_total{kind=\"y\"} 0\n"
		       "# HELP b Level\n# TYPE b gauge\nb 0\n");
	metrics_free(m);
	(void)state;
}

static void test_a_series_registered_again_is_the_same(void **state)
{
	struct metrics *m = make();
	struct metric *a = metrics_counter(m, "a", "A", "");
	assert_ptr_equal(metrics_counter(m, "a", "A", ""), a);
	metric_add(a, 3);
	metric_add(a, -1);
	assert_int_equal(metric_get(a), 2);
	metric_set(a, 40);
	check_print(m, "# HELP a A\n# TYPE a counter\na 40\n");
	metrics_free(m);
	(void)state;
}

static double half(void *context)
{
	return *(const double *)context / 2;
}

static void test_many_series_are_told_apart_and_keep_their_order(void **state)
{
	enum { SERIES = 5000 };
	static struct metric *series[SERIES];
	struct metrics *metrics;
	char labels[32];
	assert_int_equal(metrics_new(&metrics), 0);
	for (int i = 0; i < SERIES; i++) {
		snprintf(labels, sizeof labels, "connection=\"%d\"", i);
		series[i] = metrics_counter(metrics, "polls", "Polls", labels);
		assert_non_null(series[i]);
		metric_set(series[i], i);
	}
	for (int i = 0; i < SERIES; i++) {
		snprintf(labels, sizeof labels, "connection=\"%d\"", i);
		assert_ptr_equal(metrics_counter(metrics, "polls", "Polls", labels), series[i]);
		assert_int_equal(metric_get(series[i]), i);
	}
	struct text out = {0};
	metrics_print(metrics, &out);
	assert_non_null(strstr(out.at, "polls{connection=\"1\"} 1\npolls{connection=\"2\"} 2\n"));
	text_deinit(&out);
	metrics_free(metrics);
	(void)state;
}

static void test_a_series_may_be_read_when_printed(void **state)
{
	double value = 5;
	struct metrics *m = make();
	assert_int_equal(metrics_gauge_read(m, "g", "G", "", half, &value), 0);
	assert_int_equal(metrics_counter_read(m, "c", "C", "l=\"1\"", half, &value), 0);
	value = 7;
	check_print(m, "# HELP g G\n# TYPE g gauge\ng 3.5\n"
		       "# HELP c C\n# TYPE c counter\nc{l=\"1\"} 3.5\n");
	metrics_free(m);
	(void)state;
}

static bool has(struct metrics *m, const char *part)
{
	struct text text = {0};
	metrics_print(m, &text);
	bool found = strstr(text.at, part) != NULL;
	if (!found)
		print_message("%s", text.at);
	text_deinit(&text);
	return found;
}

static void test_a_histogram_is_cumulative_with_bounds_included(void **state)
{
	struct metrics *m = make();
	struct histogram *h = metrics_histogram(m, "h_seconds", "H", "a=\"b\"");
	histogram_observe(h, 100000); /* exactly the first bound */
	histogram_observe(h, 100001);
	histogram_observe(h, -5);
	histogram_observe(h, INT64_C(5000000000));
	histogram_observe(h, INT64_C(5000000001));
	assert_true(has(m, "# TYPE h_seconds histogram\n"));
	assert_true(has(m, "h_seconds_bucket{a=\"b\",le=\"0.0001\"} 2\n"));
	assert_true(has(m, "h_seconds_bucket{a=\"b\",le=\"0.00025\"} 3\n"));
	assert_true(has(m, "h_seconds_bucket{a=\"b\",le=\"1\"} 3\n"));
	assert_true(has(m, "h_seconds_bucket{a=\"b\",le=\"5\"} 4\n"));
	assert_true(has(m, "h_seconds_bucket{a=\"b\",le=\"+Inf\"} 5\n"));
	assert_true(has(m, "h_seconds_count{a=\"b\"} 5\n"));
	assert_true(has(m, "h_seconds_sum{a=\"b\"} 10.000200002\n"));
	metrics_free(m);
	(void)state;
}

static void *add_many(void *context)
{
	for (int i = 0; i < 100000; i++)
		metric_add(context, 1);
	return NULL;
}

static void test_threads_lose_no_count(void **state)
{
	struct metrics *m = make();
	struct metric *a = metrics_counter(m, "a", "A", "");
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, a), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(metric_get(a), 400000);
	metrics_free(m);
	(void)state;
}

static double seven(void *context)
{
	(void)context;
	return 7;
}

static void test_what_is_gone_is_forgotten_and_nothing_else(void **state)
{
	(void)state;
	struct metrics *m = make();
	metric_set(metrics_gauge(m, "up", "Up.", "connection=\"a\""), 1);
	metric_set(metrics_gauge(m, "up", "Up.", "connection=\"ab\""), 1);
	metrics_counter(m, "polls", "Polls.", "connection=\"a\",result=\"ok\"");
	metrics_counter(m, "polls", "Polls.", "id=\"connection=\",x=\"a\"");
	assert_int_equal(metrics_gauge_read(m, "read", "Read.", "", seven, NULL), 0);
	metrics_forget(m, "", "connection=\"a\"", METRICS_ALL);
	assert_null(metrics_find(m, "up", "connection=\"a\""));
	metrics_forget(m, "r", NULL, METRICS_READ);
	metrics_forget(m, "u", NULL, METRICS_READ);
	check_print(m, "# HELP up Up.\n# TYPE up gauge\nup{connection=\"ab\"} 1\n"
		       "# HELP polls Polls.\n# TYPE polls counter\n"
		       "polls{id=\"connection=\",x=\"a\"} 0\n");
	metric_set(metrics_gauge(m, "up", "Up.", "connection=\"a\""), 2);
	assert_int_equal(metric_get(metrics_find(m, "up", "connection=\"a\"")), 2);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_series_exists_from_the_start_with_zero),
		cmocka_unit_test(test_a_series_registered_again_is_the_same),
		cmocka_unit_test(test_many_series_are_told_apart_and_keep_their_order),
		cmocka_unit_test(test_a_series_may_be_read_when_printed),
		cmocka_unit_test(test_a_histogram_is_cumulative_with_bounds_included),
		cmocka_unit_test(test_threads_lose_no_count),
		cmocka_unit_test(test_what_is_gone_is_forgotten_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
