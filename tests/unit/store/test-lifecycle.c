/* SPDX-License-Identifier: Apache-2.0 */
/* What is never rewritten, and what a person may not pass by: episodes, deadlines, lists. */
#include "ruled-ledger.h"

#include <errno.h>

static int act_at(struct ledger *ledger, int64_t id, struct case_order order, int64_t now,
		  const char *part)
{
	struct text out = {0};
	order.by = "Handler H";
	int r = ledger_act(ledger, id, &order, now, &out);
	if (part != NULL && (out.at == NULL || strstr(out.at, part) == NULL))
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}
#define ACT(ledger, id, now, part, ...)                                                            \
	act_at(ledger, id, (struct case_order){__VA_ARGS__}, now, part)

static int by_hand(struct ledger *ledger, struct case_order order, const char *part)
{
	struct text out = {0};
	order.by = "Handler H";
	int r = ledger_open_case(ledger, &order, NOW, &out);
	if (out.at == NULL || strstr(out.at, part) == NULL)
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}

static bool case_lacks(struct ledger *ledger, int64_t id, const char *part)
{
	struct text out = {0};
	assert_int_equal(ledger_case_json(ledger, id, &out), 0);
	bool lacks = strstr(out.at, part) == NULL;
	if (!lacks)
		print_message("%s\nhas %s\n", out.at, part);
	text_deinit(&out);
	return lacks;
}

/* --- episodes --- */

static void test_a_withdrawn_case_keeps_the_episode_that_a_later_one_takes_over(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW);
	static const char episode[] =
		"\"episodes\":[{\"alert\":1,\"began_at\":\"2026-01-02T03:03:55.000+08:00\"";

	apply(ledger, v);
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	assert_int_equal(ledger_tick(ledger, NOW + 20 * DAY_MS), 0); /* the shelf ends */
	assert_true(case_has(ledger, 2, episode));
	assert_true(case_has(ledger, 1, episode));
	assert_true(alerts_have(ledger, "\"case\":2"));
	ACT(ledger, 2, NOW + 20 * DAY_MS, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	assert_int_equal(ledger_tick(ledger, NOW + 40 * DAY_MS), 0);
	apply(ledger, cleared(v, NOW + 41 * DAY_MS));
	for (int id = 1; id <= 3; id++) {
		assert_true(case_has(ledger, id, episode));
		assert_true(case_has(ledger, id, "\"ended_at\":\"2026-02-12T03:04:05.000+08:00\""));
	}
	ledger_close(ledger);
}

static void test_an_episode_that_comes_back_to_its_case_is_one_of_it(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	assert_int_equal(ledger_tick(ledger, NOW + 20 * DAY_MS), 0); /* case 2 takes it over */
	ACT(ledger, 2, NOW + 20 * DAY_MS, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	ACT(ledger, 1, NOW + 21 * DAY_MS, NULL, .action = ACTION_REOPEN, .note = "n");
	assert_int_equal(ledger_tick(ledger, NOW + 40 * DAY_MS), 0);
	assert_true(alerts_have(ledger, "\"case\":1"));
	assert_true(case_has(ledger, 1, "\"episodes\":[{\"alert\":1,"));
	assert_false(case_has(ledger, 1, ",{\"alert\":1,"));
	ledger_close(ledger);
}

static void test_a_case_taken_up_again_is_as_loud_as_what_it_had(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	assert_int_equal(ledger_tick(ledger, NOW + 20 * DAY_MS), 0);
	ACT(ledger, 2, NOW + 20 * DAY_MS, NULL, .action = ACTION_WITHDRAW, .note = "n",
	    .reason = "unfounded");
	assert_int_equal(ACT(ledger, 1, NOW + 21 * DAY_MS, "\"status\":\"registered\"",
			     .action = ACTION_REOPEN, .note = "true after all"),
			 0);
	ACT(ledger, 1, NOW + 21 * DAY_MS, NULL, .action = ACTION_ASSIGN, .unit = "U");
	ACT(ledger, 1, NOW + 21 * DAY_MS, NULL, .action = ACTION_PLAN, .note = "n");
	ACT(ledger, 1, NOW + 21 * DAY_MS, "review", .action = ACTION_RECTIFIED);
	assert_int_equal(
		ACT(ledger, 1, NOW + 22 * DAY_MS, "\"clear\"", .action = ACTION_CLOSE, .note = "n"),
		LEDGER_REFUSED);
	ledger_close(ledger);
}

/* --- what is taken up again --- */

static void test_taken_up_again_after_withdrawal_is_no_rebound_after_closing(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	rules.closing = (struct closing){0};
	apply(ledger, raised(COD, 0, 61, NOW));
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "n",
	    .reason = "unfounded");
	ACT(ledger, 1, NOW + 2000, "\"restored\":1", .action = ACTION_REOPEN, .note = "n");
	assert_true(case_has(ledger, 1, "\"note\":\"n\",\"from\":\"withdrawn\"}"));
	assert_true(case_lacks(ledger, 1, "\"reopened\""));
	ACT(ledger, 1, NOW + 3000, NULL, .action = ACTION_ASSIGN, .unit = "U");
	ACT(ledger, 1, NOW + 3000, NULL, .action = ACTION_PLAN, .note = "n");
	ACT(ledger, 1, NOW + 3000, NULL, .action = ACTION_RECTIFIED);
	ACT(ledger, 1, NOW + 4000, "\"closed\"", .action = ACTION_CLOSE, .note = "n");
	ACT(ledger, 1, NOW + 5000, "\"reopened\":1,\"restored\":1", .action = ACTION_REOPEN,
	    .note = "again");
	assert_true(case_has(ledger, 1, "\"note\":\"again\",\"from\":\"closed\"}"));
	ledger_close(ledger);
}

static void test_what_was_planned_before_a_withdrawal_is_no_plan_any_more(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	rules.closing = (struct closing){.five_ones = true, .steps = true};
	apply(ledger, raised(COD, 0, 61, NOW));
	ACT(ledger, 1, NOW, NULL, .action = ACTION_ASSIGN, .unit = "U", .leader = "L", .team = "T");
	ACT(ledger, 1, NOW, "\"track\":\"planned\"", .action = ACTION_PLAN, .note = "n",
	    .step = "pump", .due_ms = NOW + 5 * DAY_MS);
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "n",
	    .reason = "unfounded");
	assert_true(case_has(ledger, 1, "\"track\":\"planned\""));
	ACT(ledger, 1, NOW + 2000, "\"restored\":1", .action = ACTION_REOPEN, .note = "n");
	assert_true(case_lacks(ledger, 1, "\"steps\""));
	assert_true(case_lacks(ledger, 1, "\"track\":\"planned\",\"stage\""));
	ACT(ledger, 1, NOW + 3000, NULL, .action = ACTION_ASSIGN, .unit = "U");
	assert_true(case_lacks(ledger, 1, "\"track\":\"planned\",\"stage\""));
	ACT(ledger, 1, NOW + 3000, "\"track\":\"immediate\",\"stage\"", .action = ACTION_PLAN,
	    .note = "n", .track = "immediate");
	assert_int_equal(ACT(ledger, 1, NOW + 4000, "review", .action = ACTION_RECTIFIED), 0);
	assert_int_equal(
		ACT(ledger, 1, NOW + 5000, "\"closed\"", .action = ACTION_CLOSE, .note = "n"), 0);
	/* a rebound goes on with what it had */
	ACT(ledger, 1, NOW + 6000, "\"track\":\"immediate\",\"stage\"", .action = ACTION_REOPEN,
	    .note = "n");
	ledger_close(ledger);
}

/* Neither names the other as what it lives on in; the history has both. */
static void test_a_merger_that_is_undone_leaves_no_link(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	apply(ledger, raised(COD, 2, 61, NOW));
	ACT(ledger, 2, NOW, NULL, .action = ACTION_LINK, .other = 1, .relation = "upstream");
	ACT(ledger, 2, NOW, NULL, .action = ACTION_MERGE, .note = "same event", .other = 1);
	assert_true(case_has(ledger, 1,
			     "\"links\":[{\"case\":2,\"relation\":\"downstream\","
			     "\"at\":\"2026-01-02T03:04:05.000+08:00\",\"by\":\"Handler H\"},"
			     "{\"case\":2,\"relation\":\"merged\""));
	said_is(ledger, &said,
		"alert.raised case.opened alert.raised case.opened case.updated case.updated "
		"case.updated case.updated ");
	ACT(ledger, 2, NOW + 1000, "\"registered\"", .action = ACTION_REOPEN, .note = "another");
	said_is(ledger, &said, "case.updated case.updated ");
	assert_true(case_has(ledger, 1,
			     "{\"at\":\"2026-01-02T03:04:06.000+08:00\",\"action\":"
			     "\"parted\",\"by\":\"Handler H\",\"note\":\"another\","
			     "\"other\":2}"));
	for (int64_t id = 1; id <= 2; id++) {
		struct text out = {0};
		assert_int_equal(ledger_case_json(ledger, id, &out), 0);
		const char *links = strstr(out.at, "\"links\":");
		assert_non_null(links);
		assert_null(strstr(links, "merge"));
		assert_null(strstr(links, "parted"));
		assert_null(strstr(out.at, "\"merged_into\""));
		text_deinit(&out);
	}
	/* and it may be merged again */
	ACT(ledger, 2, NOW + 2000, "\"merged_into\":1", .action = ACTION_MERGE, .note = "n",
	    .other = 1);
	assert_true(case_has(ledger, 1,
			     "{\"case\":2,\"relation\":\"merged\",\"at\":\"2026-01-02T"
			     "03:04:07"));
	ledger_close(ledger);
}

/* --- the shelf of a withdrawal --- */

static size_t shelves(struct ledger *ledger, const char *part)
{
	struct text out = {0};
	size_t n = 0;
	assert_int_equal(ledger_shelves_json(ledger, true, &out), 0);
	for (const char *at = out.at; (at = strstr(at, part)) != NULL; at++)
		n++;
	text_deinit(&out);
	return n;
}

static void test_a_shelf_of_a_withdrawal_ends_when_nothing_is_active_any_more(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW), hour = raised(COD, 2, 61, NOW + 3000);

	apply(ledger, v);
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	assert_int_equal(apply(ledger, hour), 0);
	apply(ledger, cleared(v, NOW + 4000));
	assert_int_equal(shelves(ledger, "\"ended_at\":null"), 1); /* something still is */
	apply(ledger, cleared(raised(ACIDITY, 0, 10, NOW), NOW + 5000));
	assert_int_equal(shelves(ledger, "\"ended_at\":null"), 1); /* of another monitor */
	apply(ledger, cleared(hour, NOW + 6000));
	assert_int_equal(shelves(ledger, "\"ended_at\":null"), 0);
	assert_int_equal(shelves(ledger, "\"ended_by\":\"duchad\""), 1);
	assert_int_equal(ledger_timer(ledger), INT64_MAX);
	assert_int_equal(apply(ledger, raised(COD, 0, 61, NOW + 7000)), 2);
	/* one that a person set lasts as long as was said */
	const struct shelf_order shelf = {"outfall-3", "w01001", "cleaning", "H", NOW + DAY_MS};
	assert_int_equal(ledger_shelve(ledger, &shelf, NOW), 0);
	apply(ledger, raised(ACIDITY, 0, 10, NOW + 8000));
	apply(ledger, cleared(raised(ACIDITY, 0, 10, NOW + 8000), NOW + 9000));
	assert_int_equal(shelves(ledger, "\"ended_at\":null"), 1);
	ledger_close(ledger);
}

static void test_a_shelf_of_a_withdrawal_ends_with_it(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_WITHDRAW, .note = "lamp",
	    .reason = "instrument_fault");
	assert_int_equal(apply(ledger, raised(COD, 2, 61, NOW + 2000)), 0);
	ACT(ledger, 1, NOW + 3000, "\"registered\"", .action = ACTION_REOPEN, .note = "n");
	assert_int_equal(shelves(ledger, "\"ended_by\":\"Handler H\""), 1);
	/* what waited has its case, and what was the case's stays with it */
	assert_true(case_has(ledger, 2, "\"average\":\"hour\""));
	assert_true(case_has(ledger, 1, "\"episodes\":[{\"alert\":1,"));
	assert_int_equal(apply(ledger, raised(COD, 1, 61, NOW + 4000)), 0);
	assert_true(case_has(ledger, 1, "{\"alert\":3,"));
	ledger_close(ledger);
}

/* --- deadlines that people name --- */

static void rectifying(struct ledger *ledger, struct case_order plan_order)
{
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_ASSIGN, .unit = "U");
	plan_order.action = ACTION_PLAN;
	plan_order.note = "plan";
	assert_int_equal(act_at(ledger, 1, plan_order, NOW + 2000, "rectifying"), 0);
}

static void test_a_plan_repeated_is_no_way_round_an_extension(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	static const char due[] = "\"due_at\":\"2026-01-12T03:04:05.000+08:00\"";

	apply(ledger, raised(COD, 0, 61, NOW));
	rectifying(ledger, (struct case_order){.due_ms = NOW + 10 * DAY_MS});
	assert_true(case_has(ledger, 1, due));
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "extension", .action = ACTION_PLAN,
			     .note = "n", .due_ms = NOW + 50 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "longest term", .action = ACTION_PLAN,
			     .note = "n", .due_ms = NOW + 400 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "extend that first", .action = ACTION_PLAN,
			     .note = "n", .step = "late", .due_ms = NOW + 11 * DAY_MS),
			 LEDGER_REFUSED);
	ledger_close(ledger);
	ledger = ruled_ledger(state); /* it is kept */
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "extension", .action = ACTION_PLAN,
			     .note = "n", .due_ms = NOW + 50 * DAY_MS),
			 LEDGER_REFUSED);
	assert_true(case_has(ledger, 1, due));
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, due, .action = ACTION_PLAN,
			     .note = "a step within", .step = "pump", .due_ms = NOW + 9 * DAY_MS),
			 0);
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "\"extended\":true", .action = ACTION_EXTEND,
			     .note = "n", .due_ms = NOW + 15 * DAY_MS),
			 0);
	ledger_close(ledger);
}

static void test_neither_is_a_plan_for_what_is_put_right_at_once(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	static const char due[] = "\"due_at\":\"2026-01-09T23:59:59.000+08:00\"";

	apply(ledger, raised(COD, 0, 61, NOW));
	rectifying(ledger, (struct case_order){.track = "immediate"});
	assert_true(case_has(ledger, 1, due));
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "put right at once", .action = ACTION_PLAN,
			     .note = "n", .due_ms = NOW + 30 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "extension", .action = ACTION_PLAN,
			     .note = "n", .track = "planned", .due_ms = NOW + 30 * DAY_MS),
			 LEDGER_REFUSED);
	assert_true(case_has(ledger, 1, due));
	ledger_close(ledger);
}

static void test_a_plan_that_turns_to_at_once_is_due_as_such(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	rectifying(ledger, (struct case_order){.track = "planned", .due_ms = NOW + 100 * DAY_MS});
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS,
			     "\"due_at\":\"2026-01-09T23:59:59.000+08:00\"", .action = ACTION_PLAN,
			     .note = "n", .track = "immediate"),
			 0);
	ledger_close(ledger);
}

static void test_an_assignment_names_until_when_there_is_a_plan(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	static const char due[] = "\"due_at\":\"2026-01-10T03:04:05.000+08:00\"";

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(ACT(ledger, 1, NOW + 1000, "longest term", .action = ACTION_ASSIGN,
			     .unit = "U", .due_ms = NOW + 400 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + 1000, "must lie ahead", .action = ACTION_ASSIGN,
			     .unit = "U", .due_ms = NOW),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + 1000, due, .action = ACTION_ASSIGN, .unit = "U",
			     .due_ms = NOW + 8 * DAY_MS),
			 0);
	assert_int_equal(ACT(ledger, 1, NOW + 2000, due, .action = ACTION_ASSIGN, .unit = "V"), 0);
	assert_int_equal(ACT(ledger, 1, NOW + 2000, "extension", .action = ACTION_ASSIGN,
			     .unit = "V", .due_ms = NOW + 9 * DAY_MS),
			 LEDGER_REFUSED);
	/* rectification has a term of its own */
	assert_int_equal(ACT(ledger, 1, NOW + 3000, "\"due_at\":\"2026-02-02T23:59:59.000+08:00\"",
			     .action = ACTION_PLAN, .note = "n"),
			 0);
	ledger_close(ledger);
}

/* --- severity --- */

static void test_a_rise_in_severity_is_a_step_that_says_why(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW);
	struct said said = {0};

	apply(ledger, v);
	assert_true(case_lacks(ledger, 1, "\"action\":\"severity\""));
	v.type = VERDICT_PEAK;
	v.time_ms = NOW + 1000;
	v.peak_value = v.last_value = 90;
	said_is(ledger, &said, "alert.raised case.opened ");
	apply_at(ledger, v, NOW + 60000);
	said_is(ledger, &said, "case.updated ");
	assert_true(case_has(ledger, 1,
			     "{\"at\":\"2026-01-02T03:05:05.000+08:00\",\"action\":\"severity\","
			     "\"by\":\"duchad\","
			     "\"note\":\"general → serious: 0.80 times over the limit\"}"));
	plan.language = "zh_CN";
	v.peak_value = v.last_value = 150;
	apply_at(ledger, v, NOW + 70000);
	assert_true(case_has(ledger, 1, "\"note\":\"较重→严重:超标2.00倍\""));
	ledger_close(ledger);
}

/* --- by hand --- */

static void test_by_hand_a_water_source_is_serious_and_what_is_toxic_grave(void **state)
{
	struct site sites[2];
	struct monitor monitors[MONITORS];
	memcpy(sites, plan_sites, sizeof sites);
	memcpy(monitors, plan_monitors, sizeof monitors);
	sites[SITE_RIVER_1].kind = SITE_WATER_SOURCE;
	monitors[OXYGEN].factor = "w20115";
	plan.sites = sites;
	plan.monitors = monitors;
	struct ledger *ledger = ruled_ledger(state);

	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "river-1", .source = "complaint"},
				 "\"severity\":\"serious\""),
			 0);
	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "river-1",
						     .source = "inspection",
						     .kind = "exceedance",
						     .factor = "w20115"},
				 "\"severity\":\"grave\""),
			 0);
	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "river-1",
						     .source = "inspection",
						     .severity = "grave"},
				 "\"severity\":\"grave\""),
			 0);
	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "outfall-3", .source = "complaint"},
				 "\"severity\":\"general\""),
			 0);
	ledger_close(ledger);
}

static void test_a_listed_case_by_hand_has_the_number_of_the_document(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	assert_int_equal(by_hand(ledger, (struct case_order){.site = "river-1", .source = "city"},
				 "needs document"),
			 LEDGER_INCOMPLETE);
	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "river-1",
						     .source = "inspection",
						     .level = "province"},
				 "needs document"),
			 LEDGER_INCOMPLETE);
	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "river-1",
						     .source = "province",
						     .level = "district"},
				 "needs document"),
			 LEDGER_INCOMPLETE);
	assert_int_equal(by_hand(ledger,
				 (struct case_order){.site = "river-1",
						     .source = "inspection",
						     .level = "city",
						     .document = "No. 8"},
				 "\"number\":\"测督挂〔2026〕1号\""),
			 0); /* what was refused took no number */
	ledger_close(ledger);
}

/* --- links --- */

static void test_a_link_upstream_is_one_downstream_from_the_other_side(void **state)
{
	static const char *const words[][2] = {
		{"upstream", "downstream"}, {"downstream", "upstream"},       {"上游", "下游"},
		{"下游", "上游"},           {"same outfall", "same outfall"},
	};
	struct ledger *ledger = ruled_ledger(state);
	char part[96];

	apply(ledger, raised(COD, 0, 61, NOW));
	apply(ledger, raised(COD, 2, 61, NOW));
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		ACT(ledger, 1, NOW, NULL, .action = ACTION_LINK, .other = 2,
		    .relation = words[i][0]);
		for (int side = 0; side < 2; side++) {
			snprintf(part, sizeof part, "\"case\":%d,\"relation\":\"%s\"", 2 - side,
				 words[i][side]);
			assert_true(case_has(ledger, side + 1, part));
		}
	}
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_withdrawn_case_keeps_the_episode_that_a_later_one_takes_over),
		TEST(test_an_episode_that_comes_back_to_its_case_is_one_of_it),
		TEST(test_a_case_taken_up_again_is_as_loud_as_what_it_had),
		TEST(test_taken_up_again_after_withdrawal_is_no_rebound_after_closing),
		TEST(test_what_was_planned_before_a_withdrawal_is_no_plan_any_more),
		TEST(test_a_merger_that_is_undone_leaves_no_link),
		TEST(test_a_shelf_of_a_withdrawal_ends_when_nothing_is_active_any_more),
		TEST(test_a_shelf_of_a_withdrawal_ends_with_it),
		TEST(test_a_plan_repeated_is_no_way_round_an_extension),
		TEST(test_neither_is_a_plan_for_what_is_put_right_at_once),
		TEST(test_a_plan_that_turns_to_at_once_is_due_as_such),
		TEST(test_an_assignment_names_until_when_there_is_a_plan),
		TEST(test_a_rise_in_severity_is_a_step_that_says_why),
		TEST(test_by_hand_a_water_source_is_serious_and_what_is_toxic_grave),
		TEST(test_a_listed_case_by_hand_has_the_number_of_the_document),
		TEST(test_a_link_upstream_is_one_downstream_from_the_other_side),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
