/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct zone_change changes[] = {{.from_s = 0, .offset_s = 8 * 3600}};
static const struct zone zone = {.changes = changes, .n_changes = 1};

static bool ask(enum endpoint endpoint, const char *name, const char *value, struct query *out,
		struct text *error)
{
	const struct query_pair pairs[] = {{"site", "a"}, {name, value}};
	size_t skip = endpoint == ENDPOINT_READINGS ? 0 : 1;
	text_clear(error);
	return query_read(endpoint, pairs + skip, 2 - skip, &zone, out, error);
}

static void test_paths_name_their_endpoints(void **state)
{
	int64_t id;
	(void)state;
	assert_int_equal(endpoint_find("/health", &id), ENDPOINT_HEALTH);
	assert_int_equal(endpoint_find("/api/v1/cases", &id), ENDPOINT_CASES);
	assert_int_equal(endpoint_find("/api/v1/cases/17", &id), ENDPOINT_CASE);
	assert_int_equal(id, 17);
	assert_int_equal(endpoint_find("/api/v1/cases/17/actions", &id), ENDPOINT_ACTIONS);
	assert_int_equal(endpoint_find("/api/v1/cases/17/dossier", &id), ENDPOINT_DOSSIER);
	assert_int_equal(endpoint_find("/", &id), ENDPOINT_OFFICE);
	static const char *const none[] = {"",
					   "/health/",
					   "/api/v1/cases/",
					   "/api/v1/cases/x",
					   "/api/v1/cases/-1",
					   "/api/v1/cases/1x",
					   "/api/v1/cases/1/",
					   "/api/v1/cases/99999999999999999999999",
					   "/api/v1/cases/1234567890123456789",
					   "/api/v2/sites"};
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_int_equal(endpoint_find(none[i], &id), ENDPOINT_NONE);
}

static void test_readings_have_their_defaults(void **state)
{
	struct query query;
	struct text error = {0};
	const struct query_pair site = {"site", "a"};
	(void)state;
	assert_true(query_read(ENDPOINT_READINGS, &site, 1, &zone, &query, &error));
	assert_string_equal(query.site, "a");
	assert_null(query.factor);
	assert_int_equal(query.limit, 1000);
	assert_int_equal(query.after, 0);
	assert_false(query.has_from || query.has_to);
	assert_int_equal(query.active, -1);
	assert_false(query_read(ENDPOINT_READINGS, NULL, 0, &zone, &query, &error));
	assert_non_null(strstr(error.at, "\"site\" is missing"));
	text_deinit(&error);
}

static void test_means_are_of_one_monitor_and_of_minutes(void **state)
{
	struct query_pair pairs[] = {{"site", "a"}, {"factor", "w01018"}, {"period", "day"}};
	struct query query;
	struct text error = {0};
	int64_t id;
	(void)state;
	assert_int_equal(endpoint_find("/api/v1/means", &id), ENDPOINT_MEANS);
	assert_true(query_read(ENDPOINT_MEANS, pairs, 2, &zone, &query, &error));
	assert_true(query.minutes);
	assert_true(query_read(ENDPOINT_MEANS, pairs, 3, &zone, &query, &error));
	assert_false(query.minutes);
	assert_int_equal(query.period, TALLY_DAY);
	assert_false(query_read(ENDPOINT_MEANS, pairs, 1, &zone, &query, &error));
	assert_non_null(strstr(error.at, "\"factor\" is missing"));
	text_clear(&error);
	pairs[2].value = "hour"; /* of which there are sums alone */
	assert_false(query_read(ENDPOINT_MEANS, pairs, 3, &zone, &query, &error));
	assert_non_null(strstr(error.at, "it must be minute, day, month or year"));
	text_deinit(&error);
}

static void test_times_are_rfc3339_or_epoch_seconds(void **state)
{
	struct query query;
	struct text error = {0};
	(void)state;
	assert_true(ask(ENDPOINT_READINGS, "from", "2026-01-02T03:04:05+08:00", &query, &error));
	assert_int_equal(query.from_ms, 1767294245000);
	assert_true(ask(ENDPOINT_READINGS, "from", "2026-01-02T03:04:05.250", &query, &error));
	assert_int_equal(query.from_ms, 1767294245250);
	assert_true(ask(ENDPOINT_READINGS, "to", "1767294245.5", &query, &error));
	assert_int_equal(query.to_ms, 1767294245500);
	assert_true(query.has_to);
	text_deinit(&error);
}

static void test_a_plus_that_was_not_escaped_is_understood(void **state)
{
	struct query query;
	struct text error = {0};
	(void)state;
	assert_true(ask(ENDPOINT_READINGS, "from", "2026-01-02T03:04:05 08:00", &query, &error));
	assert_int_equal(query.from_ms, 1767294245000);
	assert_true(ask(ENDPOINT_READINGS, "from", "2026-01-02 03:04:05", &query, &error));
	assert_int_equal(query.from_ms, 1767294245000);
	text_deinit(&error);
}

static void test_bad_values_are_refused_by_name(void **state)
{
	static const struct {
		enum endpoint endpoint;
		const char *name, *value;
	} bad[] = {
		{ENDPOINT_READINGS, "limit", "0"},
		{ENDPOINT_READINGS, "limit", "100001"},
		{ENDPOINT_READINGS, "limit", "-5"},
		{ENDPOINT_READINGS, "limit", "1e3"},
		{ENDPOINT_READINGS, "limit", ""},
		{ENDPOINT_READINGS, "limit", NULL},
		{ENDPOINT_READINGS, "from", "yesterday"},
		{ENDPOINT_READINGS, "to", "2026-13-01T00:00:00Z"},
		{ENDPOINT_READINGS, "after", "x"},
		{ENDPOINT_READINGS, "factor", ""},
		{ENDPOINT_READINGS, "limit", "99999999999999999999999999"},
		{ENDPOINT_ALERTS, "active", "yes"},
		{ENDPOINT_ALERTS, "site", NULL},
		{ENDPOINT_CASES, "status", "closed"},
		{ENDPOINT_EVENTS, "last", "1001"},
	};
	struct query query;
	struct text error = {0};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(ask(bad[i].endpoint, bad[i].name, bad[i].value, &query, &error));
		assert_non_null(strstr(error.at, bad[i].name));
		assert_non_null(strstr(error.at, "must be"));
	}
	text_deinit(&error);
}

static void test_unknown_and_repeated_parameters_are_refused(void **state)
{
	const struct query_pair twice[] = {{"site", "a"}, {"site", "b"}};
	const struct query_pair backwards[] = {{"site", "a"}, {"from", "20"}, {"to", "10"}};
	struct query query;
	struct text error = {0};
	(void)state;
	assert_false(ask(ENDPOINT_READINGS, "colour", "red", &query, &error));
	assert_non_null(strstr(error.at, "unknown parameter \"colour\""));
	assert_false(ask(ENDPOINT_ALERTS, "from", "1", &query, &error));
	assert_false(ask(ENDPOINT_HEALTH, "site", "a", &query, &error));
	text_clear(&error);
	assert_false(query_read(ENDPOINT_READINGS, twice, 2, &zone, &query, &error));
	assert_non_null(strstr(error.at, "twice"));
	text_clear(&error);
	assert_false(query_read(ENDPOINT_READINGS, backwards, 3, &zone, &query, &error));
	assert_non_null(strstr(error.at, "\"from\""));
	text_deinit(&error);
}

static void test_csv_is_given_to_those_who_ask_for_it(void **state)
{
	(void)state;
	assert_true(query_wants_csv("text/csv"));
	assert_true(query_wants_csv("TEXT/CSV; charset=utf-8"));
	assert_true(query_wants_csv("text/html, text/csv;q=0.5"));
	assert_true(query_wants_csv("application/json;q=0.2, text/csv;q=0.9"));
	assert_true(query_wants_csv("text/csv, */*;q=0.1"));
	assert_false(query_wants_csv(NULL));
	assert_false(query_wants_csv(""));
	assert_false(query_wants_csv("*/*"));
	assert_false(query_wants_csv("text/csv;q=0"));
	assert_false(query_wants_csv("text/csvx"));
	assert_false(query_wants_csv("application/json, text/csv;q=0.9"));
}

static bool act(const char *body, struct action_body *out, struct text *error)
{
	text_clear(error);
	return action_read(body, strlen(body), &zone, USE_ACT, 0, out, error);
}

static void test_an_action_is_read_whole(void **state)
{
	struct action_body action;
	struct text error = {0};
	(void)state;
	assert_true(act("{\"action\":\"assign\",\"by\":\"甲\",\"note\":\"n\",\"unit\":\"u\","
			"\"leader\":\"l\",\"team\":\"t\",\"reason\":\"\",\"due\":\"2026-01-02\"}",
			&action, &error));
	assert_int_equal(action.order.action, ACTION_ASSIGN);
	assert_string_equal(action.order.by, "甲");
	assert_string_equal(action.order.note, "n");
	assert_string_equal(action.order.unit, "u");
	assert_string_equal(action.order.leader, "l");
	assert_string_equal(action.order.team, "t");
	assert_null(action.order.reason);
	assert_int_equal(action.order.due_ms, 1767369599000);
	action_body_deinit(&action);
	text_deinit(&error);
}

static void test_a_bad_action_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *body, *error;
	} bad[] = {
		{"", "not JSON"},
		{"{", "not JSON"},
		{"[]", "object"},
		{"{}", "\"action\" is missing"},
		{"{\"action\":\"fly\"}", "unknown action \"fly\""},
		{"{\"action\":7}", "\"action\" must be text"},
		{"{\"action\":\"note\",\"colour\":\"red\"}", "unknown field \"colour\""},
		{"{\"action\":\"note\",\"note\":[]}", "\"note\" must be text"},
		{"{\"action\":\"note\",\"action\":\"close\"}", "not JSON"},
		{"{\"action\":\"extend\",\"due\":\"soon\"}", "\"due\""},
		{"{\"action\":\"extend\",\"due\":\"2026-02-30\"}", "\"due\""},
	};
	struct action_body action;
	struct text error = {0};
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(act(bad[i].body, &action, &error));
		assert_non_null(strstr(error.at, bad[i].error));
	}
	text_deinit(&error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_name_their_endpoints),
		cmocka_unit_test(test_readings_have_their_defaults),
		cmocka_unit_test(test_means_are_of_one_monitor_and_of_minutes),
		cmocka_unit_test(test_times_are_rfc3339_or_epoch_seconds),
		cmocka_unit_test(test_a_plus_that_was_not_escaped_is_understood),
		cmocka_unit_test(test_bad_values_are_refused_by_name),
		cmocka_unit_test(test_unknown_and_repeated_parameters_are_refused),
		cmocka_unit_test(test_csv_is_given_to_those_who_ask_for_it),
		cmocka_unit_test(test_an_action_is_read_whole),
		cmocka_unit_test(test_a_bad_action_is_refused_with_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
