/* SPDX-License-Identifier: Apache-2.0 */
#include "store-ledger.h"

#include "store/ledger-marks.h"

#include <errno.h>
#include <sqlite3.h>

struct types {
	char all[4096];
	int64_t last;
	size_t n;
};

static bool add_type(void *context, const struct ledger_event *event)
{
	struct types *types = context;
	char id[40];
	assert_true(event->id > types->last);
	types->last = event->id;
	types->n++;
	strcat(types->all, event->type + strlen("ducha."));
	strcat(types->all, " ");
	snprintf(id, sizeof id, "\"id\":\"%lld\"", (long long)event->id);
	assert_non_null(strstr(event->json, id));
	assert_non_null(strstr(event->json, event->type));
	return true;
}

static const char *event_types(struct ledger *ledger, struct types *types, int64_t after)
{
	*types = (struct types){.last = after};
	assert_int_equal(ledger_events(ledger, after, SIZE_MAX, add_type, types), 0);
	return types->all;
}

static void test_a_raise_registers_a_numbered_case(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct types types;

	assert_int_equal(apply(ledger, raised(COD, 0, 61.3, NOW)), 1);
	assert_true(case_has(ledger, 1, "\"number\":\"测督挂〔2026〕1号\""));
	assert_true(case_has(ledger, 1, "\"opened_at\":\"2026-01-02T03:04:05.050+08:00\""));
	assert_true(case_has(ledger, 1, "\"closed_at\":null,\"due_at\":null,\"limit\":50,"));
	assert_true(case_has(ledger, 1, "\"limit_source\":\"permit 7\",\"average\":\"instant\""));
	assert_true(case_has(ledger, 1, "\"first_value\":61.3,\"peak_value\":61.3"));
	assert_true(case_has(ledger, 1,
			     "\"status\":\"registered\",\"verified\":false,"
			     "\"level\":\"district\",\"escalation\":0,"
			     "\"source\":\"automatic\""));
	assert_true(case_has(ledger, 1,
			     "\"responsible\":{\"unit\":\"Unit A\",\"leader\":\"Leader B\""));
	assert_true(
		case_has(ledger, 1, "\"action\":\"registered\",\"by\":\"duchad\",\"note\":null"));
	assert_true(alerts_have(ledger, "\"began_at\":\"2026-01-02T03:03:55.000+08:00\""));
	assert_true(alerts_have(ledger, "\"cleared_at\":null,\"value\":61.3,\"limit\":50,"
					"\"bound\":\"max\""));
	assert_true(alerts_have(ledger, "\"case\":1"));
	assert_string_equal(event_types(ledger, &types, 0), "alert.raised case.opened ");
	assert_int_equal(ledger_active_kinds(ledger, COD), 1u << ALERT_EXCEEDANCE);
	assert_int_equal(ledger_active_kinds(ledger, AMMONIA), 0);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 1);
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 1);
	ledger_close(ledger);
}

static void test_an_alert_that_opens_no_case_is_an_alert_alone(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(AMMONIA, NO_INDEX, 1, NOW);
	struct types types;

	v.kind = ALERT_STALE;
	v.bound = BOUND_NONE;
	assert_int_equal(apply(ledger, v), 0);
	assert_true(alerts_have(ledger, "\"limit\":null,\"bound\":null,\"limit_source\":null,"
					"\"average\":null"));
	assert_true(alerts_have(ledger, "\"case\":null"));
	assert_string_equal(event_types(ledger, &types, 0), "alert.raised ");
	v.monitor = OXYGEN; /* whose site opens cases for silence */
	assert_int_equal(apply(ledger, v), 1);
	ledger_close(ledger);
}

static void test_a_further_alert_joins_the_open_case(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict first = raised(COD, 0, 60, NOW), second = raised(COD, 0, 90, NOW + 60000);
	struct types types;

	assert_int_equal(apply(ledger, first), 1);
	assert_int_equal(apply(ledger, cleared(first, NOW + 30000)), 0);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 0);
	assert_int_equal(apply(ledger, second), 0);
	assert_string_equal(event_types(ledger, &types, 0),
			    "alert.raised case.opened alert.cleared alert.raised case.updated ");
	assert_true(case_has(ledger, 1, "\"episodes\":[{\"alert\":1,"));
	assert_true(case_has(ledger, 1, "},{\"alert\":2,"));
	assert_true(case_has(ledger, 1, "\"first_value\":60,\"peak_value\":90"));
	assert_true(case_has(ledger, 1, "\"last_value\":90,\"multiple\":0.8"));
	assert_true(case_has(ledger, 1, "\"severity\":\"serious\""));
	ledger_close(ledger);
}

static void test_another_averaging_is_another_case(void **state)
{
	struct ledger *ledger = open_ledger(state);

	assert_int_equal(apply(ledger, raised(COD, 0, 60, NOW)), 1);
	assert_int_equal(apply(ledger, raised(COD, 2, 60, NOW)), 2);
	assert_int_equal(apply(ledger, raised(COD, 1, 60, NOW)), 0);
	ledger_close(ledger);
}

static void test_the_limit_of_a_case_is_that_of_the_highest_multiple(void **state)
{
	struct ledger *ledger = open_ledger(state);

	apply(ledger, raised(COD, 0, 65, NOW));     /* 65 / 50 - 1 = 0.3, 15 above */
	apply(ledger, raised(COD, 1, 54, NOW));     /* 54 / 40 - 1 = 0.35, 14 above */
	apply(ledger, raised(COD, 0, 66, NOW + 9)); /* known: still the same alert */
	assert_true(
		case_has(ledger, 1, "\"limit\":40,\"bound\":\"max\",\"limit_source\":\"GB 1A\""));
	assert_true(case_has(ledger, 1, "\"multiple\":0.35"));
	assert_true(case_has(ledger, 1, "\"peak_value\":54,"));
	assert_true(case_has(ledger, 1, "\"limit\":50,\"limit_source\":\"permit 7\"}"));
	ledger_close(ledger);
}

static void test_acidity_has_no_multiple(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict low = raised(ACIDITY, 0, 5, NOW);

	low.bound = BOUND_MIN;
	low.limit_value = 6;
	apply(ledger, low);
	low.type = VERDICT_PEAK;
	low.peak_value = 3.5;
	low.last_value = 4;
	low.time_ms += 5000;
	apply(ledger, low);
	assert_true(case_has(ledger, 1, "\"bound\":\"min\""));
	assert_true(case_has(ledger, 1, "\"peak_value\":3.5"));
	assert_true(case_has(ledger, 1, "\"last_value\":4,\"multiple\":null"));
	ledger_close(ledger);
}

static void test_a_peak_changes_rows_without_an_event(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);

	apply(ledger, v);
	int64_t last = ledger_event_last(ledger);
	v.type = VERDICT_PEAK;
	v.peak_value = 75;
	v.peak_ms = NOW + 2000;
	v.last_value = 70;
	v.time_ms = NOW + 3000;
	apply(ledger, v);
	assert_int_equal(ledger_event_last(ledger), last);
	assert_true(case_has(ledger, 1,
			     "\"peak_value\":75,"
			     "\"peak_at\":\"2026-01-02T03:04:07.000+08:00\","
			     "\"last_value\":70,\"multiple\":0.5,"));
	v.peak_value = 70; /* a judge that began anew knows less than the ledger */
	apply(ledger, v);
	assert_true(case_has(ledger, 1, "\"peak_value\":75,"));
	ledger_close(ledger);
}

static void test_what_is_known_changes_nothing(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);

	assert_int_equal(apply(ledger, v), 1);
	int64_t last = ledger_event_last(ledger);
	assert_int_equal(apply(ledger, v), 0);
	assert_int_equal(ledger_event_last(ledger), last);
	/* the judge was restarted: the same alert, raised a little later, goes on */
	assert_int_equal(apply(ledger, raised(COD, 0, 62, NOW + 500)), 0);
	assert_int_equal(ledger_event_last(ledger), last);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 1);
	/* and is cleared by the judge's own idea of it */
	apply(ledger, cleared(raised(COD, 0, 62, NOW + 500), NOW + 1000));
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 0);
	last = ledger_event_last(ledger);
	apply(ledger, cleared(v, NOW + 1000));
	assert_int_equal(ledger_event_last(ledger), last);
	ledger_close(ledger);
}

static void test_an_old_clear_does_not_end_a_newer_alert(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict first = raised(COD, 0, 60, NOW), second = raised(COD, 0, 70, NOW + 60000);

	apply(ledger, first);
	apply(ledger, cleared(first, NOW + 30000));
	apply(ledger, second);
	int64_t last = ledger_event_last(ledger);
	apply(ledger, first);
	apply(ledger, cleared(first, NOW + 30000));
	apply(ledger, second);
	assert_int_equal(ledger_event_last(ledger), last);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 1);
	ledger_close(ledger);
}

static void test_numbers_begin_anew_with_the_year_of_the_zone(void **state)
{
	struct ledger *ledger = open_ledger(state);
	int64_t midnight = INT64_C(1798732800000); /* 2027-01-01T00:00:00+08:00 */

	assert_int_equal(apply_at(ledger, raised(COD, 0, 60, NOW), midnight - 2), 1);
	assert_int_equal(apply_at(ledger, raised(COD, 2, 60, NOW), midnight - 1), 2);
	assert_int_equal(apply_at(ledger, raised(ACIDITY, 0, 10, NOW), midnight), 3);
	assert_true(case_has(ledger, 2, "\"number\":\"测督挂〔2026〕2号\""));
	assert_true(case_has(ledger, 3, "\"number\":\"测督挂〔2027〕1号\""));
	ledger_close(ledger);
}

static bool count_alert(void *context, const struct open_alert *alert)
{
	struct verdict *out = context;
	char key[256];
	verdict_key(&test_plan, &alert->verdict, key, sizeof key);
	assert_string_equal(key, alert->key);
	*out = alert->verdict;
	return true;
}

static void test_a_restart_finds_alerts_cases_and_counts(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 1, 60, NOW), link = raised(NO_INDEX, NO_INDEX, 0, NOW),
		       found;

	apply(ledger, v);
	link.kind = ALERT_CONNECTION;
	link.connection = 1;
	link.bound = BOUND_NONE;
	link.has_value = false;
	apply(ledger, link);
	assert_true(alerts_have(ledger, "\"site\":null,\"site_name\":null,\"factor\":null,"
					"\"factor_name\":null,\"connection\":\"broker\""));
	int64_t last = ledger_event_last(ledger);
	ledger_close(ledger);
	ledger = open_ledger(state);
	assert_int_equal(ledger_event_last(ledger), last);
	assert_int_equal(ledger_active_kinds(ledger, COD), 1u << ALERT_EXCEEDANCE);
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 1);
	assert_int_equal(ledger_active_count(ledger, ALERT_CONNECTION), 1);
	apply(ledger, cleared(link, NOW + 1));
	assert_int_equal(ledger_open_alerts(ledger, count_alert, &found), 0);
	assert_int_equal(found.monitor, COD);
	assert_int_equal(found.limit, 1);
	assert_int_equal(found.began_ms, v.began_ms);
	assert_int_equal(found.raised_ms, v.raised_ms);
	assert_true(found.peak_value == 60 && found.limit_value == 40);
	ledger_close(ledger);
}

static void test_a_dropped_alert_is_cleared_and_said(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct types types;

	apply(ledger, raised(COD, 0, 60, NOW));
	assert_int_equal(ledger_drop_alert(ledger, 1, NOW + 5, "removed"), 0);
	assert_int_equal(ledger_drop_alert(ledger, 1, NOW + 6, "removed"), LEDGER_UNKNOWN);
	assert_string_equal(event_types(ledger, &types, 2), "alert.cleared ");
	assert_true(alerts_have(ledger, "\"reason\":\"removed\""));
	ledger_close(ledger);
}

static int act(struct ledger *ledger, int64_t id, struct case_order order, const char *part)
{
	struct text out = {0};
	order.by = "Inspector C";
	int r = ledger_act(ledger, id, &order, NOW + DAY_MS, &out);
	if (part != NULL && (out.at == NULL || strstr(out.at, part) == NULL))
		fail_msg("%s lacks %s", out.at, part);
	text_deinit(&out);
	return r;
}

static void test_a_case_walks_to_its_end_and_keeps_its_history(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);
	struct types types;

	apply(ledger, v);
	int64_t last = ledger_event_last(ledger);
	assert_int_equal(
		act(ledger, 9, (struct case_order){.action = ACTION_NOTE, .note = "x"}, NULL),
		LEDGER_UNKNOWN);
	assert_int_equal(
		act(ledger, 1, (struct case_order){.action = ACTION_ASSIGN}, "assign needs unit"),
		LEDGER_INCOMPLETE);
	assert_int_equal(act(ledger, 1, (struct case_order){.action = ACTION_CLOSE, .note = "x"},
			     "\"allowed\":[\"accept\",\"assign\","),
			 LEDGER_REFUSED);
	assert_int_equal(ledger_event_last(ledger), last);
	assert_int_equal(
		act(ledger, 1, (struct case_order){.action = ACTION_ACCEPT}, "\"verified\":true"),
		0);
	assert_int_equal(act(ledger, 1,
			     (struct case_order){.action = ACTION_ASSIGN, .unit = "Unit Z"},
			     "\"responsible\":{\"unit\":\"Unit Z\",\"leader\":\"Leader B\""),
			 0);
	assert_int_equal(
		act(ledger, 1,
		    (struct case_order){.action = ACTION_EXTEND, .note = "n", .due_ms = NOW},
		    "\"due_at\":\"2026-01-02T03:04:05.000+08:00\""),
		0);
	assert_int_equal(act(ledger, 1, (struct case_order){.action = ACTION_PLAN, .note = "n"},
			     "rectifying"),
			 0);
	assert_int_equal(act(ledger, 1, (struct case_order){.action = ACTION_RECTIFIED}, "review"),
			 0);
	assert_int_equal(act(ledger, 1, (struct case_order){.action = ACTION_CLOSE, .note = "done"},
			     "while an alert of it is active\",\"allowed\":[\"return\""),
			 LEDGER_REFUSED);
	apply(ledger, cleared(v, NOW + 1000));
	assert_int_equal(act(ledger, 1, (struct case_order){.action = ACTION_CLOSE, .note = "done"},
			     "\"closed_at\":\"2026-01-03T03:04:05.000+08:00\""),
			 0);
	assert_int_equal(ledger_case_count(ledger, CASE_CLOSED), 1);
	assert_true(case_has(ledger, 1,
			     "\"action\":\"close\",\"by\":\"Inspector C\",\"note\":\"done\"}]"));
	assert_string_equal(event_types(ledger, &types, last),
			    "case.updated case.updated case.updated case.updated case.updated "
			    "alert.cleared case.closed ");
	ledger_close(ledger);
}

static void test_a_case_does_not_reopen_beside_its_successor(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);

	apply(ledger, v);
	apply(ledger, cleared(v, NOW + 1000));
	assert_int_equal(
		act(ledger, 1,
		    (struct case_order){.action = ACTION_WITHDRAW, .note = "n", .reason = "r"},
		    "withdrawn"),
		0);
	v = raised(COD, 0, 70, NOW + 5000);
	assert_int_equal(apply(ledger, v), 2);
	assert_int_equal(
		act(ledger, 1, (struct case_order){.action = ACTION_REOPEN, .note = "n"}, "case 2"),
		LEDGER_REFUSED);
	assert_int_equal(
		act(ledger, 2,
		    (struct case_order){.action = ACTION_WITHDRAW, .note = "n", .reason = "r"},
		    "withdrawn"),
		0);
	assert_int_equal(act(ledger, 1, (struct case_order){.action = ACTION_REOPEN, .note = "n"},
			     "\"closed_at\":null"),
			 0);
	ledger_close(ledger);
}

static void test_history_is_never_rewritten(void **state)
{
	struct ledger *ledger = open_ledger(state);
	char path[256];
	sqlite3 *db;

	apply(ledger, raised(COD, 0, 60, NOW));
	ledger_close(ledger);
	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "UPDATE history SET note = 'x'", NULL, NULL, NULL),
			     SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "DELETE FROM history", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_cases_come_in_pages_newest_first(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct case_filter filter = {.all = true, .to_ms = INT64_MAX, .limit = 2};
	struct text out = {0};

	apply_at(ledger, raised(COD, 0, 60, NOW), NOW);
	apply_at(ledger, raised(COD, 2, 60, NOW), NOW);
	apply_at(ledger, raised(ACIDITY, 0, 10, NOW), NOW + 5);
	assert_int_equal(ledger_cases_json(ledger, &filter, &out), 0);
	assert_memory_equal(out.at, "{\"cases\":[{\"id\":3,", 18);
	assert_non_null(strstr(out.at, "\"next\":2}"));
	filter.after = 2;
	text_clear(&out);
	assert_int_equal(ledger_cases_json(ledger, &filter, &out), 0);
	assert_memory_equal(out.at, "{\"cases\":[{\"id\":1,", 18);
	assert_null(strstr(out.at, "next"));
	filter = (struct case_filter){.site = "river-1", .to_ms = INT64_MAX, .limit = 9};
	text_clear(&out);
	assert_int_equal(ledger_cases_json(ledger, &filter, &out), 0);
	assert_string_equal(out.at, "{\"cases\":[]}");
	filter = (struct case_filter){.from_ms = NOW + 5, .to_ms = NOW + 6, .limit = 9};
	text_clear(&out);
	assert_int_equal(ledger_cases_json(ledger, &filter, &out), 0);
	assert_memory_equal(out.at, "{\"cases\":[{\"id\":3,", 18);
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_values_and_cursors_are_kept_by_name(void **state)
{
	struct ledger *ledger = open_ledger(state);
	void *data;
	size_t size;

	assert_int_equal(ledger_get(ledger, "judge", &data, &size), -ENOENT);
	assert_int_equal(ledger_put(ledger, "judge", "a\0b", 3), 0);
	assert_int_equal(ledger_put(ledger, "judge", "c\0de", 4), 0);
	assert_int_equal(ledger_put(ledger, "empty", "", 0), 0);
	assert_int_equal(ledger_cursor(ledger, "delivery/x", -7), -7);
	assert_int_equal(ledger_put_cursor(ledger, "delivery/x", 5), 0);
	ledger_close(ledger);
	ledger = open_ledger(state);
	assert_int_equal(ledger_get(ledger, "judge", &data, &size), 0);
	assert_int_equal(size, 4);
	assert_memory_equal(data, "c\0de", 4);
	free(data);
	assert_int_equal(ledger_get(ledger, "empty", &data, &size), 0);
	assert_int_equal(size, 0);
	free(data);
	assert_int_equal(ledger_cursor(ledger, "delivery/x", -7), 5);
	ledger_close(ledger);
}

static void count_call(void *context)
{
	++*(int *)context;
}

static struct verdict link_verdict(enum verdict_type type, int64_t time_ms)
{
	return (struct verdict){.type = type,
				.kind = ALERT_CONNECTION,
				.monitor = NO_INDEX,
				.connection = 0,
				.limit = NO_INDEX,
				.time_ms = time_ms,
				.began_ms = time_ms,
				.raised_ms = time_ms};
}

static void test_listeners_hear_of_committed_events_only(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct types types;
	int calls = 0;

	assert_int_equal(ledger_listen(ledger, count_call, &calls), 0);
	apply(ledger, raised(COD, 0, 60, NOW));
	apply(ledger, raised(COD, 0, 60, NOW));
	assert_int_equal(ledger_put_cursor(ledger, "x", 1), 0);
	assert_int_equal(calls, 1);
	apply(ledger, link_verdict(VERDICT_RAISED, NOW));
	apply(ledger, link_verdict(VERDICT_CLEARED, NOW));
	assert_int_equal(calls, 3);
	assert_string_equal(event_types(ledger, &types, 2),
			    "alert.raised connection.lost alert.cleared connection.restored ");
	ledger_close(ledger);
}

static void test_events_are_pruned_behind_every_delivery(void **state)
{
	struct ledger *ledger = open_ledger(state);

	for (int i = 0; i < 100; i++) { /* two events each */
		enum verdict_type type = i % 2 == 0 ? VERDICT_RAISED : VERDICT_CLEARED;
		struct verdict verdict = link_verdict(type, NOW + 2 * i);
		assert_int_equal(ledger_apply(ledger, &verdict, 1, NOW + 2 * i, NULL), 0);
	}
	assert_int_equal(ledger_put_cursor(ledger, "influx/readings", 1), 0);
	assert_int_equal(ledger_put_cursor(ledger, "delivery/folder", 40), 0);
	assert_int_equal(ledger_prune(ledger, NOW + 100), 0);
	assert_int_equal(ledger_event_first(ledger), 41);
	assert_int_equal(ledger_put_cursor(ledger, "delivery/folder", 200), 0);
	assert_int_equal(ledger_prune(ledger, NOW + 100), 0);
	assert_int_equal(ledger_event_first(ledger), 101);
	struct types types;
	event_types(ledger, &types, 0);
	assert_int_equal(types.n, 100);
	assert_int_equal(ledger_prune(ledger, NOW + DAY_MS), 0);
	assert_int_equal(ledger_event_first(ledger), 0);
	assert_int_equal(ledger_event_last(ledger), 200);
	ledger_close(ledger);
	ledger = open_ledger(state);
	apply(ledger, link_verdict(VERDICT_RAISED, NOW + DAY_MS));
	assert_int_equal(ledger_event_last(ledger), 202);
	ledger_close(ledger);
}

static void test_a_damaged_ledger_is_set_aside(void **state)
{
	char path[256], command[600];
	FILE *file;

	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("no database at all", file);
	fclose(file);
	struct ledger *ledger = open_ledger(state);
	assert_int_equal(apply(ledger, raised(COD, 0, 60, NOW)), 1);
	ledger_close(ledger);
	snprintf(command, sizeof command, "ls %s/ledger.db.corrupt-* >/dev/null",
		 (const char *)*state);
	assert_int_equal(system(command), 0);
}

static void test_a_locked_file_is_busy_and_loses_nothing(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);
	char path[256];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(ledger_apply(ledger, &v, 1, NOW, NULL), -EBUSY);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(apply(ledger, v), 1);
	ledger_close(ledger);
}

static int64_t ledger_number(void **state, const char *sql)
{
	char path[256];
	sqlite3 *db;
	sqlite3_stmt *statement;
	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	int64_t n = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return n;
}

/* A chain that knew no marks yet takes up those there are, once. */
static void test_marks_of_before_their_chain_are_chained(void **state)
{
	struct text out = {0};
	struct ledger *ledger = open_ledger(state);
	struct mark_order order = {.site = test_plan.sites[0].id,
				   .factor = test_plan.monitors[0].factor,
				   .reason = "calibration",
				   .by = "Officer A",
				   .from_ms = NOW - 1000,
				   .to_ms = NOW,
				   .flag = FLAG_CALIBRATION};
	assert_int_equal(ledger_mark(ledger, &order, NOW, &out), 0);
	text_deinit(&out);
	ledger_close(ledger);
	assert_int_equal(ledger_number(state, "SELECT count(*) FROM chain WHERE kind = 11"), 1);
	/* as the version before would have left it: other kinds of entries in their place */
	ledger_number(state, "DROP TRIGGER chain_stays");
	ledger_number(state, "UPDATE chain SET kind = 7 WHERE kind IN (11, 13)");
	for (int i = 0; i < 2; i++)
		ledger_close(open_ledger(state));
	assert_int_equal(ledger_number(state, "SELECT count(*) FROM chain WHERE kind = 11"), 1);
	assert_int_equal(ledger_number(state, "SELECT count(*) FROM chain WHERE kind = 13"), 1);
	assert_int_equal(ledger_number(state, "SELECT max(ref) FROM chain WHERE kind = 13"),
			 CHAIN_FORMAT_NOW);
}

/* 2026-01-02 00:00 +08:00, when the day of NOW begins */
#define TODAY INT64_C(1767283200000)

static void test_open_cases_need_the_days_of_their_episodes(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);
	struct stock_span *spans;
	size_t n;

	assert_int_equal(ledger_needs(ledger, &spans, &n), 0);
	assert_int_equal(n, 0);
	free(spans);
	assert_int_equal(apply(ledger, v), 1);
	assert_int_equal(ledger_needs(ledger, &spans, &n), 0);
	assert_int_equal(n, 2); /* the episode, and the registration */
	/* whole days in the node's zone, and the day around them */
	assert_int_equal(spans[0].from_ms, TODAY - DAY_MS);
	assert_int_equal(spans[0].to_ms, INT64_MAX);
	assert_int_equal(spans[1].from_ms, TODAY - DAY_MS);
	assert_int_equal(spans[1].to_ms, TODAY + 2 * DAY_MS - 1);
	free(spans);
	apply(ledger, cleared(v, NOW + 5000));
	assert_int_equal(ledger_needs(ledger, &spans, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(spans[0].to_ms, TODAY + 2 * DAY_MS - 1);
	free(spans);
	ledger_close(ledger);
	sqlite3 *db;
	char path[256];
	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE cases SET status = 'closed'", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	ledger = open_ledger(state);
	assert_int_equal(ledger_needs(ledger, &spans, &n), 0);
	assert_int_equal(n, 0);
	free(spans);
	ledger_close(ledger);
}

static size_t count_of(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static bool count_episodes(void *context, const struct ledger_event *event)
{
	if (strcmp(event->type, "ducha.case.updated") == 0)
		*(size_t *)context = count_of(event->json, "\"alert\":");
	return true;
}

/* Else the events of a monitor that chatters for months would each be as long as its history. */
static void test_events_carry_the_newest_hundred_episodes_and_the_case_all(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct text out = {0};
	size_t in_event = 0;

	for (int i = 0; i < 130; i++) {
		struct verdict v = raised(COD, 0, 60, NOW + i * 1000);
		apply(ledger, v);
		v.type = VERDICT_CLEARED;
		v.time_ms += 500;
		apply(ledger, v);
	}
	assert_int_equal(ledger_events(ledger, 0, SIZE_MAX, count_episodes, &in_event), 0);
	assert_int_equal(in_event, 100);
	assert_int_equal(ledger_case_json(ledger, 1, &out), 0);
	assert_int_equal(count_of(out.at, "\"alert\":"), 130);
	text_deinit(&out);
	ledger_close(ledger);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_raise_registers_a_numbered_case),
		TEST(test_an_alert_that_opens_no_case_is_an_alert_alone),
		TEST(test_a_further_alert_joins_the_open_case),
		TEST(test_another_averaging_is_another_case),
		TEST(test_the_limit_of_a_case_is_that_of_the_highest_multiple),
		TEST(test_acidity_has_no_multiple),
		TEST(test_a_peak_changes_rows_without_an_event),
		TEST(test_what_is_known_changes_nothing),
		TEST(test_an_old_clear_does_not_end_a_newer_alert),
		TEST(test_numbers_begin_anew_with_the_year_of_the_zone),
		TEST(test_a_restart_finds_alerts_cases_and_counts),
		TEST(test_a_dropped_alert_is_cleared_and_said),
		TEST(test_a_case_walks_to_its_end_and_keeps_its_history),
		TEST(test_a_case_does_not_reopen_beside_its_successor),
		TEST(test_history_is_never_rewritten),
		TEST(test_cases_come_in_pages_newest_first),
		TEST(test_values_and_cursors_are_kept_by_name),
		TEST(test_listeners_hear_of_committed_events_only),
		TEST(test_events_are_pruned_behind_every_delivery),
		TEST(test_a_damaged_ledger_is_set_aside),
		TEST(test_marks_of_before_their_chain_are_chained),
		TEST(test_open_cases_need_the_days_of_their_episodes),
		TEST(test_a_locked_file_is_busy_and_loses_nothing),
		TEST(test_events_carry_the_newest_hundred_episodes_and_the_case_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
