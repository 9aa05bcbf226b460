/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/batch.h"
#include "deliver/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct site sites[] = {{.id = "bend, 3", .kind = SITE_RIVER_SECTION, .n_monitors = 1}};
static const struct monitor monitors[] = {{.site = 0, .factor = "w01018"}};
static const struct plan plan = {
	.node = "edge-01", .sites = sites, .n_sites = 1, .monitors = monitors, .n_monitors = 1};

static struct daybook_row row_of(int64_t sequence, uint32_t monitor, const char *site,
				 const char *factor)
{
	return (struct daybook_row){.sequence = sequence,
				    .monitor = monitor,
				    .site = site,
				    .factor = factor,
				    .reading = {.measured_ms = 1000 + sequence,
						.value = 7.5,
						.has_value = true,
						.flag = 'N'}};
}

static void test_a_part_of_a_batch_is_whole_lines(void **state)
{
	(void)state;
	struct batch batch = {0};
	for (int64_t i = 1; i <= 3; i++) {
		struct daybook_row row = row_of(i, 0, "bend, 3", "w01018");
		batch_add_row(&batch, &plan, &row);
	}
	size_t length;
	const char *part = batch_part(&batch, 1, 1, &length);
	const char line[] =
		"reading,factor=w01018,kind=river_section,node=edge-01,site=bend\\,\\ 3 "
		"value=7.5,flag=\"N\" 1002000000\n";
	assert_int_equal(length, strlen(line));
	assert_memory_equal(part, line, length);
	part = batch_part(&batch, 0, 3, &length);
	assert_int_equal(length, batch.text.length);
	assert_int_equal(batch.first, 1);
	assert_int_equal(batch.last, 3);
	assert_int_equal(batch.n, 3);
	batch_deinit(&batch);
}

static void test_a_monitor_that_left_the_plan_is_still_written(void **state)
{
	(void)state;
	struct batch batch = {0};
	struct daybook_row row = row_of(9, NO_INDEX, "bend, 3", "w21003");
	batch_add_row(&batch, &plan, &row);
	assert_string_equal(
		batch.text.at,
		"reading,factor=w21003,kind=river_section,node=edge-01,site=bend\\,\\ 3 "
		"value=7.5,flag=\"N\" 1009000000\n");
	batch_deinit(&batch);
}

static void test_a_site_that_left_the_plan_is_written_without_its_kind(void **state)
{
	(void)state;
	struct batch batch = {0};
	struct daybook_row row = row_of(9, NO_INDEX, "gone", "w21003");
	batch_add_row(&batch, &plan, &row);
	assert_int_equal(batch.n, 1);
	assert_int_equal(batch.skipped, 0);
	assert_int_equal(batch.last, 9);
	assert_non_null(
		strstr(batch.text.at, "reading,factor=w21003,node=edge-01,site=gone value="));
	batch_deinit(&batch);
}

static void add_event(struct batch *batch, int64_t id, const char *type, const char *data)
{
	struct outbox_event event = {.id = id, .at_ms = 5000};
	snprintf(event.type, sizeof event.type, "%s", type);
	assert_true(asprintf(&event.json, "{\"id\":\"%lld\",\"chainhead\":\"0f\",\"data\":%s}",
			     (long long)id, data) > 0);
	batch_add_event(batch, &plan, &event);
	free(event.json);
}

static const char case_7[] =
	"{\"id\":7,\"site\":\"bend\",\"factor\":\"w01018\",\"kind\":\"exceedance\","
	"\"first_value\":61.3,\"last_value\":70,\"limit\":50}";

static void test_two_events_of_one_moment_stay_two_points(void **state)
{
	(void)state;
	struct batch batch = {0};
	add_event(&batch, 11, "case.opened", case_7);
	add_event(&batch, 12, "case.updated", case_7);
	assert_string_equal(batch.text.at,
			    "case,factor=w01018,kind=exceedance,node=edge-01,site=bend "
			    "id=7i,event=\"opened\",value=61.3,limit=50,head=\"0f\" 5000000011\n"
			    "case,factor=w01018,kind=exceedance,node=edge-01,site=bend "
			    "id=7i,event=\"updated\",value=70,limit=50,head=\"0f\" 5000000012\n");
	assert_int_equal(batch.events, 2);
	batch_deinit(&batch);
}

static void test_events_that_are_no_case_add_no_line(void **state)
{
	(void)state;
	struct batch batch = {0};
	add_event(&batch, 11, "alert.raised", case_7);
	add_event(&batch, 12, "case.opened", "[]");
	add_event(&batch, 13, "case.opened", "{\"id\":7}");
	assert_int_equal(batch.n, 0);
	assert_int_equal(batch.last, 13);
	assert_int_equal(batch.events, 2);
	assert_int_equal(batch.skipped, 2);
	batch_deinit(&batch);
}

static void test_a_value_that_is_null_is_left_out(void **state)
{
	(void)state;
	struct batch batch = {0};
	add_event(&batch, 1000001, "case.closed",
		  "{\"id\":8,\"site\":\"bend\",\"factor\":\"w01018\",\"kind\":\"stale\","
		  "\"first_value\":null,\"last_value\":null,\"limit\":null}");
	assert_string_equal(batch.text.at, "case,factor=w01018,kind=stale,node=edge-01,site=bend "
					   "id=8i,event=\"closed\",head=\"0f\" 5000000001\n");
	batch_deinit(&batch);
}

/* --- filters --- */

static const struct {
	const char *filter, *type;
	bool passes;
} filters[] = {
	{"case.*", "case.opened", true},      {"case.*", "case.", true},
	{"case.*", "cases.opened", false},    {"case.*", "alert.raised", false},
	{"case.opened", "case.opened", true}, {"case.opened", "case.opened2", false},
	{"case.opened", "case.open", false},  {"*", "connection.lost", true},
	{"*.raised", "alert.raised", false}, /* '*' stands for a rest only */
	{"", "case.opened", false},           {"case.o*", "case.opened", true},
	{"case.o*", "case.closed", false},
};

static bool passes(const char *const *events, size_t n, const char *type)
{
	const struct outbox_filter filter = {.events = events, .n_events = n};
	return outbox_filter_wants(&filter, type, NULL, "{}");
}

static void test_a_star_matches_any_rest(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
		if (passes(&filters[i].filter, 1, filters[i].type) != filters[i].passes)
			fail_msg("%s for %s", filters[i].filter, filters[i].type);
}

static void test_no_filter_passes_all_and_one_of_several_is_enough(void **state)
{
	(void)state;
	const char *const two[] = {"case.opened", "alert.*"};
	assert_true(passes(NULL, 0, "anything"));
	assert_true(passes(two, 2, "alert.cleared"));
	assert_true(passes(two, 2, "case.opened"));
	assert_false(passes(two, 2, "case.closed"));
}

static void test_sites_and_severity_narrow_it_down(void **state)
{
	(void)state;
	const char *const wanted[] = {"bend-3", "weir"};
	const struct outbox_filter here = {.sites = wanted, .n_sites = 2};
	const struct outbox_filter grave = {.least = SEVERITY_GRAVE};
	const struct outbox_filter serious = {.least = SEVERITY_SERIOUS};
	const char *lied = "{\"site_name\":\"\\\"severity\\\":\\\"grave\\\"\","
			   "\"severity\":\"general\"}";
	assert_true(outbox_filter_wants(&here, "case.opened", "weir", "{}"));
	assert_false(outbox_filter_wants(&here, "case.opened", "weir-2", "{}"));
	assert_false(outbox_filter_wants(&here, "connection.lost", NULL, "{}"));
	assert_true(
		outbox_filter_wants(&serious, "case.opened", "weir", "{\"severity\":\"grave\"}"));
	assert_true(
		outbox_filter_wants(&serious, "case.opened", "weir", "{\"severity\":\"serious\"}"));
	assert_false(
		outbox_filter_wants(&grave, "case.opened", "weir", "{\"severity\":\"serious\"}"));
	assert_false(outbox_filter_wants(&grave, "case.opened", "weir", lied));
	assert_true(outbox_filter_wants(&grave, "alert.raised", "weir", "{\"kind\":\"flat\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_part_of_a_batch_is_whole_lines),
		cmocka_unit_test(test_a_monitor_that_left_the_plan_is_still_written),
		cmocka_unit_test(test_a_site_that_left_the_plan_is_written_without_its_kind),
		cmocka_unit_test(test_two_events_of_one_moment_stay_two_points),
		cmocka_unit_test(test_events_that_are_no_case_add_no_line),
		cmocka_unit_test(test_a_value_that_is_null_is_left_out),
		cmocka_unit_test(test_a_star_matches_any_rest),
		cmocka_unit_test(test_sites_and_severity_narrow_it_down),
		cmocka_unit_test(test_no_filter_passes_all_and_one_of_several_is_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
