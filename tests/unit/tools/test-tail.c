/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tail.h"
#include "duchactl/show.h"
#include "duchactl/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct tail_line example = {
	.time = "2026-01-02T03:04:05.000+08:00",
	.word = "RAISED",
	.kind = "exceedance",
	.site = "outfall-3",
	.factor = "w01018",
	.has_value = true,
	.has_limit = true,
	.value = 61.3,
	.limit = 50,
	.bound = BOUND_MAX,
	.decimals = 1,
	.unit = "mg/L",
	.case_id = 7,
};

static void expect(const struct tail_line *line, tail_translate_fn translate, const char *wanted)
{
	struct text out = {0};
	tail_print(&out, line, translate);
	assert_string_equal(out.at, wanted);
	text_deinit(&out);
}

static void test_a_line_has_its_columns_in_order(void **state)
{
	(void)state;
	expect(&example, NULL,
	       "2026-01-02T03:04:05+08:00 RAISED exceedance outfall-3 w01018 61.3 > 50 mg/L case "
	       "7");
}

static void test_words_are_translated_and_columns_stay(void **state)
{
	(void)state;
	setenv("LANGUAGE", "zh_CN", 1);
	words_open();
	expect(&example, tr,
	       "2026-01-02T03:04:05+08:00 报警 超标 outfall-3 w01018 61.3 > 50 mg/L 案件 7");
	unsetenv("LANGUAGE");
	words_open();
	expect(&example, tr,
	       "2026-01-02T03:04:05+08:00 RAISED exceedance outfall-3 w01018 61.3 > 50 mg/L case "
	       "7");
}

static void test_what_is_missing_is_left_out(void **state)
{
	struct tail_line line = example;
	(void)state;
	line.has_limit = false;
	line.case_id = 0;
	line.kind = "stale";
	expect(&line, NULL, "2026-01-02T03:04:05+08:00 RAISED stale outfall-3 w01018 61.3 mg/L");
	line.has_value = false;
	expect(&line, NULL, "2026-01-02T03:04:05+08:00 RAISED stale outfall-3 w01018");
	line = (struct tail_line){.time = "2026-01-02T03:04:05+08:00",
				  .word = "RAISED",
				  .kind = "connection",
				  .site = "wwtp-3"};
	expect(&line, NULL, "2026-01-02T03:04:05+08:00 RAISED connection wwtp-3");
}

static void test_the_sign_tells_the_truth(void **state)
{
	static const struct {
		double value;
		enum bound bound;
		const char *wanted;
	} signs[] = {
		{51, BOUND_MAX, "51.0 > 50"},  {46, BOUND_MAX, "46.0 <= 50"},
		{4, BOUND_MIN, "4.0 < 50"},    {54, BOUND_MIN, "54.0 >= 50"},
		{51, BOUND_NONE, "51.0 > 50"}, {49, BOUND_NONE, "49.0 < 50"},
		{50, BOUND_NONE, "50.0 = 50"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
		struct tail_line line = example;
		struct text out = {0};
		line.value = signs[i].value;
		line.bound = signs[i].bound;
		tail_print(&out, &line, NULL);
		assert_non_null(strstr(out.at, signs[i].wanted));
		text_deinit(&out);
	}
}

static void test_values_have_the_catalogue_s_decimals(void **state)
{
	struct tail_line line = example;
	struct text out = {0};
	(void)state;
	line.value = 0.125;
	line.limit = 0.05;
	line.decimals = 2;
	tail_print(&out, &line, NULL);
	assert_non_null(strstr(out.at, " 0.12 > 0.05 "));
	text_clear(&out);
	line.decimals = -1;
	tail_print(&out, &line, NULL);
	assert_non_null(strstr(out.at, " 0.125 > 0.05 "));
	text_deinit(&out);
}

static const struct zone_change changes[] = {{.from_s = 0, .offset_s = 8 * 3600}};
static const struct connection connection = {.id = "wwtp-3", .driver = "modbus"};
static const struct site site = {.id = "outfall-3", .name = "三号", .n_monitors = 1};
static const struct monitor monitor = {.factor = "w01018", .unit = "mg/L", .decimals = 1};
static const struct plan plan = {.node = "edge-01",
				 .zone = {.changes = changes, .n_changes = 1},
				 .sites = &site,
				 .n_sites = 1,
				 .monitors = &monitor,
				 .n_monitors = 1,
				 .connections = &connection,
				 .n_connections = 1};

static void test_a_verdict_reads_like_its_event(void **state)
{
	struct verdict verdict = {.type = VERDICT_RAISED,
				  .kind = ALERT_EXCEEDANCE,
				  .connection = NO_INDEX,
				  .bound = BOUND_MAX,
				  .time_ms = 1767294245999,
				  .has_value = true,
				  .has_limit = true,
				  .value = 61.3,
				  .limit_value = 50};
	struct text out = {0};
	(void)state;
	tail_verdict(&out, &plan, &verdict, 7, NULL);
	assert_string_equal(out.at, "2026-01-02T03:04:05+08:00 RAISED exceedance outfall-3 w01018 "
				    "61.3 > 50 mg/L case 7");
	text_clear(&out);
	verdict.type = VERDICT_CLEARED;
	verdict.kind = ALERT_CONNECTION;
	verdict.monitor = NO_INDEX;
	verdict.connection = 0;
	verdict.has_value = verdict.has_limit = false;
	tail_verdict(&out, &plan, &verdict, 0, NULL);
	assert_string_equal(out.at, "2026-01-02T03:04:05+08:00 CLEARED connection wwtp-3");
	text_clear(&out);
	verdict.type = VERDICT_RAISED;
	verdict.kind = ALERT_FAULT;
	verdict.connection = NO_INDEX;
	verdict.reason = "disk";
	tail_verdict(&out, &plan, &verdict, 0, NULL);
	assert_string_equal(out.at, "2026-01-02T03:04:05+08:00 RAISED fault edge-01 disk");
	text_deinit(&out);
}

static void expect_event(const char *event, const char *wanted)
{
	struct text out = {0};
	json_t *json = json_loads(event, 0, NULL);
	assert_true(show_event(&out, json));
	assert_string_equal(out.at, wanted);
	text_deinit(&out);
	json_decref(json);
}

static void test_events_become_lines(void **state)
{
	(void)state;
	expect_event(
		"{\"type\":\"ducha.alert.cleared\",\"time\":\"2026-01-02T03:04:05.000+08:00\","
		"\"data\":{\"site\":\"s\",\"factor\":\"f\",\"kind\":\"exceedance\",\"value\":5.25,"
		"\"limit\":6,\"bound\":\"min\",\"decimals\":1,\"unit\":\"mg/L\",\"case\":3}}",
		"2026-01-02T03:04:05+08:00 CLEARED exceedance s f 5.2 < 6 mg/L case 3");
	expect_event(
		"{\"type\":\"ducha.case.opened\",\"time\":\"2026-01-02T03:04:05.000+08:00\","
		"\"data\":{\"id\":3,\"number\":\"N〔2026〕3号\",\"site\":\"s\",\"factor\":\"f\","
		"\"kind\":\"exceedance\",\"status\":\"registered\",\"first_value\":61.3,"
		"\"limit\":50,\"bound\":\"max\",\"unit\":\"mg/L\"}}",
		"2026-01-02T03:04:05+08:00 OPENED exceedance s f 61.3 > 50 mg/L case 3 "
		"N〔2026〕3号 registered");
	expect_event(
		"{\"type\":\"ducha.alert.cleared\",\"time\":\"2026-01-02T03:04:05.000Z\","
		"\"data\":{\"connection\":\"wwtp-3\",\"kind\":\"connection\",\"site\":null}}",
		"2026-01-02T03:04:05Z CLEARED connection wwtp-3");
	expect_event("{\"type\":\"ducha.alert.raised\",\"time\":\"t\",\"data\":{\"site\":"
		     "\"a\\u001b[2J\"}}",
		     "t RAISED a?[2J");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_has_its_columns_in_order),
		cmocka_unit_test(test_words_are_translated_and_columns_stay),
		cmocka_unit_test(test_what_is_missing_is_left_out),
		cmocka_unit_test(test_the_sign_tells_the_truth),
		cmocka_unit_test(test_values_have_the_catalogue_s_decimals),
		cmocka_unit_test(test_a_verdict_reads_like_its_event),
		cmocka_unit_test(test_events_become_lines),
	};
	unsetenv("LANGUAGE");
	words_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
