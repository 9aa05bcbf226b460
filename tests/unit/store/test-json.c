/* SPDX-License-Identifier: Apache-2.0 */
#include "store-plan.h"

#include "store/json.h"

#define NOW INT64_C(1767294245000)

static void test_an_alert_has_the_names_of_the_interface(void **state)
{
	(void)state;
	struct text out = {0};
	json_alert(&out, &test_plan,
		   &(struct alert_view){.id = 3,
					.site = "s",
					.factor = "w01018",
					.kind = ALERT_EXCEEDANCE,
					.bound = BOUND_MAX,
					.began_ms = NOW,
					.raised_ms = NOW + 1,
					.cleared_ms = NOW + 2,
					.has_value = true,
					.has_limit = true,
					.value = 61.3,
					.limit = 50,
					.peak = 70.25,
					.limit_source = "a \"b\"",
					.unit = "mg/L",
					.site_name = "S",
					.factor_name = "COD",
					.decimals = 1,
					.case_id = 7});
	assert_string_equal(
		out.at,
		"{\"id\":3,\"site\":\"s\",\"site_name\":\"S\",\"factor\":\"w01018\",\"factor_"
		"name\":\"COD\","
		"\"connection\":null,\"kind\":\"exceedance\",\"began_at\":\"2026-01-02T03:04:05."
		"000+08:00\","
		"\"raised_at\":\"2026-01-02T03:04:05.001+08:00\",\"cleared_at\":\"2026-01-02T03:04:"
		"05.002+08:00\","
		"\"value\":61.3,\"limit\":50,\"bound\":\"max\",\"limit_source\":\"a \\\"b\\\"\","
		"\"average\":\"instant\",\"unit\":\"mg/L\",\"decimals\":1,\"peak_value\":70.25,"
		"\"reason\":null,\"case\":7}");
	text_deinit(&out);
}

static void test_what_is_unknown_is_null(void **state)
{
	(void)state;
	struct text out = {0};
	json_alert(&out, &test_plan,
		   &(struct alert_view){.kind = ALERT_CONNECTION,
					.connection = "c",
					.began_ms = NOW,
					.raised_ms = NOW});
	assert_string_equal(out.at,
			    "{\"id\":null,\"site\":null,\"site_name\":null,\"factor\":null,"
			    "\"factor_name\":null,"
			    "\"connection\":\"c\",\"kind\":\"connection\",\"began_at\":\"2026-01-"
			    "02T03:04:05.000+08:00\","
			    "\"raised_at\":\"2026-01-02T03:04:05.000+08:00\",\"cleared_at\":null,"
			    "\"value\":null,"
			    "\"limit\":null,\"bound\":null,\"limit_source\":null,\"average\":null,"
			    "\"unit\":null,"
			    "\"decimals\":0,\"peak_value\":null,\"reason\":null,\"case\":null}");
	text_deinit(&out);
}

static void test_a_case_has_the_names_of_the_interface(void **state)
{
	(void)state;
	struct text out = {0};
	struct episode_view episodes[] = {{.alert_id = 1,
					   .began_ms = NOW,
					   .raised_ms = NOW,
					   .ended_ms = NOW,
					   .has_value = true,
					   .peak = 2,
					   .has_limit = true,
					   .limit = 1,
					   .limit_source = "x"},
					  {.alert_id = 2, .began_ms = NOW, .raised_ms = NOW}};
	struct history_view history[] = {
		{.at_ms = NOW, .action = "registered", .order.by = "duchad"},
		{.at_ms = NOW,
		 .action = "extend",
		 .order.by = "B",
		 .order.note = "n",
		 .order.unit = "U",
		 .order.due_ms = NOW}};
	json_case(&out, &test_plan,
		  &(struct case_view){.id = 9,
				      .seq = 4,
				      .year = 2026,
				      .site = "s",
				      .site_name = "S",
				      .factor = "f",
				      .factor_name = "F",
				      .kind = ALERT_EXCEEDANCE,
				      .average = AVERAGE_DAY,
				      .bound = BOUND_MAX,
				      .severity = SEVERITY_GRAVE,
				      .status = CASE_REVIEW,
				      .verified = true,
				      .level = "district",
				      .source = "automatic",
				      .opened_ms = NOW,
				      .has_value = true,
				      .has_limit = true,
				      .has_multiple = true,
				      .limit = 1,
				      .first_value = 1.5,
				      .peak_value = 2,
				      .last_value = 1.25,
				      .multiple = 1,
				      .peak_ms = NOW,
				      .limit_source = "x",
				      .unit = "mg/L",
				      .decimals = 2,
				      .responsible = {.unit = "U", .phone = "1"},
				      .episodes = episodes,
				      .n_episodes = 2,
				      .history = history,
				      .n_history = 2,
				      .n_readings = 5});
#define T "\"2026-01-02T03:04:05.000+08:00\""
	assert_string_equal(
		out.at,
		"{\"id\":9,\"number\":\"测督挂〔2026〕4号\",\"seq\":4,\"year\":2026,\"node\":"
		"\"edge-01\","
		"\"site\":\"s\",\"site_name\":\"S\",\"factor\":\"f\",\"factor_name\":\"F\","
		"\"kind\":\"exceedance\",\"severity\":\"grave\",\"status\":\"review\",\"verified\":"
		"true,"
		"\"level\":\"district\",\"escalation\":0,\"source\":\"automatic\",\"opened_at\":" T
		","
		"\"closed_at\":null,\"due_at\":null,\"limit\":1,\"bound\":\"max\",\"limit_source\":"
		"\"x\","
		"\"average\":\"day\",\"unit\":\"mg/"
		"L\",\"decimals\":2,\"first_value\":1.5,\"peak_value\":2,"
		"\"peak_at\":" T ",\"last_value\":1.25,\"multiple\":1,"
		"\"episodes\":[{\"alert\":1,\"began_at\":" T ",\"raised_at\":" T ",\"ended_at\":" T
		","
		"\"peak_value\":2,\"limit\":1,\"limit_source\":\"x\"},{\"alert\":2,\"began_at\":" T
		","
		"\"raised_at\":" T
		",\"ended_at\":null,\"peak_value\":null,\"limit\":null,\"limit_source\":null}],"
		"\"responsible\":{\"unit\":\"U\",\"leader\":null,\"team\":null},"
		"\"history\":[{\"at\":" T
		",\"action\":\"registered\",\"by\":\"duchad\",\"note\":null},"
		"{\"at\":" T
		",\"action\":\"extend\",\"by\":\"B\",\"note\":\"n\",\"unit\":\"U\",\"due\":" T "}],"
		"\"evidence\":{\"readings\":5,\"digest\":null}}");
	text_deinit(&out);
}

static void test_an_event_is_a_cloud_event(void **state)
{
	(void)state;
	static const uint8_t head[CHAIN_HASH_BYTES] = {0xab, [31] = 0x01};
	struct text out = {0};
	json_event(&out, &test_plan, 12, "ducha.case.opened", NOW, "case/7", NULL, "{\"id\":7}");
	assert_string_equal(out.at,
			    "{\"specversion\":\"1.0\",\"id\":\"12\",\"source\":\"/nodes/edge-01\","
			    "\"type\":\"ducha.case.opened\",\"time\":" T
			    ",\"datacontenttype\":\"application/json\","
			    "\"subject\":\"case/7\",\"data\":{\"id\":7}}");
	text_clear(&out);
	json_event(&out, &test_plan, 13, "ducha.x", NOW, NULL, head, "{}");
	assert_null(strstr(out.at, "subject"));
	assert_non_null(strstr(out.at, ",\"chainhead\":\"ab000000000000000000000000000000"
				       "00000000000000000000000000000001\",\"data\":{}"));
	text_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_alert_has_the_names_of_the_interface),
		cmocka_unit_test(test_what_is_unknown_is_null),
		cmocka_unit_test(test_a_case_has_the_names_of_the_interface),
		cmocka_unit_test(test_an_event_is_a_cloud_event),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
