/* SPDX-License-Identifier: Apache-2.0 */
/* The life of cases in the ledger, under the default rules of an office, in virtual time. */
#include "measured.h"

#include <errno.h>
#include <sqlite3.h>

/* One action at @now; @part must stand in the answer. */
static int act_at(struct ledger *ledger, int64_t id, struct case_order order, int64_t now,
		  const char *part)
{
	struct text out = {0};
	if (order.by == NULL)
		order.by = "Handler H";
	int r = ledger_act(ledger, id, &order, now, &out);
	if (part != NULL && (out.at == NULL || strstr(out.at, part) == NULL))
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}
#define ACT(ledger, id, now, part, ...)                                                            \
	act_at(ledger, id, (struct case_order){__VA_ARGS__}, now, part)

static int attach(struct ledger *ledger, const char *type, const char *bytes, const char *part)
{
	struct text out = {0};
	const struct case_order order = {.by = "Handler H", .file = "a file.jpg", .type = type};
	int r = ledger_attach(ledger, 1, &order, bytes, strlen(bytes), NOW + DAY_MS, &out);
	if (part != NULL && (out.at == NULL || strstr(out.at, part) == NULL))
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}

/* NOW is Friday 2026-01-02 03:04:05; at outfalls verifying takes 24 h. */
static void test_a_case_is_due_from_its_registration_and_falls_overdue(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	said_is(ledger, &said, "alert.raised case.opened ");
	assert_true(case_has(ledger, 1, "\"due_at\":\"2026-01-03T03:04:05.050+08:00\""));
	assert_true(case_has(ledger, 1, "\"stage\":\"verify\""));
	assert_int_equal(ledger_timer(ledger), NOW + 50 + DAY_MS);
	assert_int_equal(ledger_tick(ledger, NOW + DAY_MS), 0);
	said_is(ledger, &said, "");
	assert_int_equal(ledger_tick(ledger, NOW + 50 + DAY_MS), 0);
	said_is(ledger, &said, "case.overdue ");
	assert_true(case_has(ledger, 1, "\"escalation\":1"));
	assert_true(case_has(ledger, 1,
			     "\"action\":\"overdue\",\"by\":\"duchad\",\"note\":null,"
			     "\"escalation\":1}"));
	assert_int_equal(ledger_tick(ledger, NOW + 2 * DAY_MS), 0);
	said_is(ledger, &said, "");
	ledger_close(ledger);
}

static void test_a_restart_after_weeks_says_the_newest_thing_once(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	said_is(ledger, &said, "alert.raised case.opened ");
	ledger_close(ledger);
	ledger = ruled_ledger(state);
	assert_int_equal(ledger_timer(ledger), NOW + 50 + DAY_MS);
	assert_int_equal(ledger_tick(ledger, NOW + 60 * DAY_MS), 0);
	said_is(ledger, &said, "case.overdue ");
	assert_true(case_has(ledger, 1, "\"escalation\":3"));
	assert_int_equal(ledger_timer(ledger), INT64_MAX);
	ledger_close(ledger);
}

static void test_each_stage_begins_a_deadline_of_its_own(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	int64_t monday = NOW + 3 * DAY_MS; /* 2026-01-05 03:04:05 */

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(ledger_tick(ledger, NOW + 2 * DAY_MS), 0);
	assert_int_equal(ACT(ledger, 1, monday, "\"escalation\":0,", .action = ACTION_ACCEPT), 0);
	assert_true(case_has(ledger, 1, "\"due_at\":\"2026-01-06T23:59:59.000+08:00\""));
	assert_true(case_has(ledger, 1, "\"stage\":\"assign\""));
	assert_int_equal(ACT(ledger, 1, monday, "\"due_at\":\"2026-01-08T23:59:59.000+08:00\"",
			     .action = ACTION_ASSIGN, .unit = "U"),
			 0);
	assert_int_equal(ACT(ledger, 1, monday + DAY_MS,
			     "\"due_at\":\"2026-01-08T23:59:59.000+08:00\"",
			     .action = ACTION_ASSIGN, .unit = "V"),
			 0); /* another unit, the same deadline */
	assert_int_equal(ACT(ledger, 1, monday, "\"due_at\":\"2026-01-12T23:59:59.000+08:00\"",
			     .action = ACTION_PLAN, .note = "n", .track = "immediate"),
			 0);
	assert_int_equal(ACT(ledger, 1, monday, "\"due_at\":\"2026-01-12T23:59:59.000+08:00\"",
			     .action = ACTION_RECTIFIED),
			 0);
	assert_true(case_has(ledger, 1, "\"stage\":\"check\""));
	ledger_close(ledger);
}

static void walk_to_rectifying(struct ledger *ledger, const char *track)
{
	ACT(ledger, 1, NOW + 1000, NULL, .action = ACTION_ACCEPT);
	ACT(ledger, 1, NOW + 2000, NULL, .action = ACTION_ASSIGN, .unit = "U", .leader = "L",
	    .team = "T");
	assert_int_equal(ACT(ledger, 1, NOW + 3000, "rectifying", .action = ACTION_PLAN,
			     .note = "plan", .track = track),
			 0);
}

static void test_steps_of_a_plan_are_struck_off_one_by_one(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	walk_to_rectifying(ledger, NULL);
	assert_true(case_has(ledger, 1, "\"track\":\"planned\""));
	assert_int_equal(ACT(ledger, 1, NOW + 4000, NULL, .action = ACTION_PLAN, .note = "n",
			     .step = "pump", .due_ms = NOW + 5 * DAY_MS),
			 0);
	assert_int_equal(ACT(ledger, 1, NOW + 4000, NULL, .action = ACTION_PLAN, .note = "n",
			     .step = "pipe", .due_ms = NOW + 60 * DAY_MS),
			 0);
	assert_true(case_has(ledger, 1,
			     "\"steps\":[{\"step\":\"pump\",\"due_at\":\"2026-01-07T03:04:05.000+"
			     "08:00\",\"done_at\":null},{\"step\":\"pipe\""));
	assert_true(case_has(ledger, 1, "\"due_at\":\"2026-03-03T03:04:05.000+08:00\",\"limit\""));
	assert_int_equal(ACT(ledger, 1, NOW + 4000, "longest term", .action = ACTION_PLAN,
			     .note = "n", .step = "far", .due_ms = NOW + 300 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "\"status\":\"rectifying\"",
			     .action = ACTION_RECTIFIED, .step = "pump"),
			 0);
	assert_true(case_has(ledger, 1, "\"done_at\":\"2026-01-03T03:04:05.000+08:00\""));
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "no step of that name",
			     .action = ACTION_RECTIFIED, .step = "pump"),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + DAY_MS, "steps of the plan are not struck off",
			     .action = ACTION_RECTIFIED),
			 LEDGER_REFUSED);
	assert_true(case_has(ledger, 1, "\"status\":\"rectifying\""));
	rules.closing.steps = false; /* an office that does not ask for it */
	assert_int_equal(
		ACT(ledger, 1, NOW + DAY_MS, "\"status\":\"review\"", .action = ACTION_RECTIFIED),
		0);
	rules.closing.steps = true;
	assert_int_equal(
		ACT(ledger, 1, NOW + DAY_MS, "\"steps\"", .action = ACTION_CLOSE, .note = "n"),
		LEDGER_REFUSED);
	ACT(ledger, 1, NOW + DAY_MS, "rectifying", .action = ACTION_RETURN, .note = "n");
	ACT(ledger, 1, NOW + DAY_MS, NULL, .action = ACTION_RECTIFIED, .step = "pipe");
	assert_int_equal(
		ACT(ledger, 1, NOW + DAY_MS, "\"status\":\"review\"", .action = ACTION_RECTIFIED),
		0);
	ledger_close(ledger);
}

static void test_closing_names_all_that_is_missing_and_then_goes_through(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW);
	int64_t later = NOW + 5 * DAY_MS;

	apply(ledger, v);
	walk_to_rectifying(ledger, NULL);
	assert_int_equal(attach(ledger, "record", "too early", NULL), 0);
	ACT(ledger, 1, NOW + DAY_MS, "review", .action = ACTION_RECTIFIED, .by = "Handler H");
	assert_int_equal(ACT(ledger, 1, NOW + 2 * DAY_MS,
			     "\"allowed\":[\"return\",\"withdraw\",\"extend\",\"transfer\","
			     "\"merge\",\"feedback\",\"attach\",\"note\",\"link\",\"level\"],"
			     "\"missing\":[\"clear\",\"other_person\",\"checkers\",\"record\","
			     "\"attachment\",\"approval\",\"days\"],\"days\":[]}",
			     .action = ACTION_CLOSE, .note = "n"),
			 LEDGER_REFUSED);
	apply(ledger, cleared(v, NOW + 1000));
	assert_int_equal(attach(ledger, "record", "record", NULL), 0);
	assert_int_equal(attach(ledger, "photo", "photo", NULL), 0);
	const struct case_order close = {.action = ACTION_CLOSE,
					 .by = "Inspector I",
					 .note = "done",
					 .checkers = "A, B",
					 .approved_by = "Leader L"};
	measured(state, COD, NOW + DAY_MS, 4);
	assert_int_equal(
		act_at(ledger, 1, close, later - 2 * DAY_MS,
		       "more compliant days (2 of 3); whole days count from 2026-01-03 on"),
		LEDGER_REFUSED);
	assert_int_equal(act_at(ledger, 1, close, later, "\"status\":\"closed\""), 0);
	assert_true(case_has(ledger, 1, "\"checkers\":\"A, B\",\"approved_by\":\"Leader L\""));
	assert_int_equal(ledger_timer(ledger), INT64_MAX);
	ledger_close(ledger);
}

static void test_a_new_episode_in_review_sends_the_case_back_as_a_relapse(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW);
	struct said said = {0};

	apply(ledger, v);
	walk_to_rectifying(ledger, "immediate");
	ACT(ledger, 1, NOW + DAY_MS, "review", .action = ACTION_RECTIFIED);
	apply(ledger, cleared(v, NOW + DAY_MS));
	said_is(ledger, &said,
		"alert.raised case.opened case.updated case.updated case.updated case.updated "
		"alert.cleared ");
	apply(ledger, raised(COD, 0, 70, NOW + 3 * DAY_MS));
	said_is(ledger, &said, "alert.raised case.updated ");
	assert_true(case_has(ledger, 1, "\"status\":\"rectifying\""));
	assert_true(case_has(ledger, 1, "\"action\":\"relapsed\",\"by\":\"duchad\""));
	assert_true(case_has(ledger, 1, "\"relapses\":1"));
	assert_true(case_has(ledger, 1,
			     "\"due_at\":\"2026-01-09T23:59:59.000+08:00\"")); /* as before */
	ledger_close(ledger);
}

static void test_an_extension_is_kept_to_its_rules(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	int64_t due = NOW + 50 + DAY_MS;

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(ACT(ledger, 1, NOW + 1000, "its own length", .action = ACTION_EXTEND,
			     .note = "n", .due_ms = due + DAY_MS + 1),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, 1, NOW + 1000, "\"extended\":true", .action = ACTION_EXTEND,
			     .note = "n", .due_ms = due + DAY_MS),
			 0);
	assert_int_equal(ledger_timer(ledger), due);
	assert_int_equal(ACT(ledger, 1, NOW + 2000, "once already", .action = ACTION_EXTEND,
			     .note = "n", .due_ms = due + 2 * DAY_MS),
			 LEDGER_REFUSED);
	ledger_close(ledger);
}

static void test_a_fault_of_the_instrument_opens_no_case_again_until_its_shelf_ends(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW), hour = raised(COD, 2, 61, NOW + 2000);

	apply(ledger, v);
	assert_int_equal(ACT(ledger, 1, NOW + 1000, "\"withdrawn_reason\":\"instrument_fault\"",
			     .action = ACTION_WITHDRAW, .note = "lamp",
			     .reason = "instrument_fault"),
			 0);
	/* five working days after Friday 2026-01-02 */
	assert_true(alerts_have(ledger, "\"shelved_until\":\"2026-01-09T23:59:59.000+08:00\""));
	assert_int_equal(apply(ledger, hour), 0);
	apply(ledger, cleared(v, NOW + 3000));
	apply(ledger, raised(COD, 0, 62, NOW + 5000));
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 0);
	assert_int_equal(ledger_tick(ledger, NOW + 20 * DAY_MS), 0);
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 2);
	assert_true(case_has(ledger, 2, "\"number\":\"测督挂〔2026〕2号\""));
	assert_true(case_has(ledger, 2, "\"peak_value\":61"));
	assert_true(case_has(ledger, 3, "\"peak_value\":62"));
	ledger_close(ledger);
}

static void test_a_shelf_by_hand_holds_a_site_and_can_be_taken_away(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	const struct shelf_order shelf = {
		.site = "outfall-3", .reason = "calibration", .by = "H", .until_ms = NOW + 7200000};
	struct text out = {0};

	assert_int_equal(ledger_shelve(ledger, &shelf, NOW), 0);
	assert_int_equal(ledger_timer(ledger), NOW + 7200000);
	assert_int_equal(apply(ledger, raised(COD, 0, 61, NOW)), 0);
	assert_int_equal(ledger_unshelve(ledger, "outfall-3", "w01018", "H", NOW + 1),
			 LEDGER_UNKNOWN);
	assert_int_equal(ledger_unshelve(ledger, "outfall-3", NULL, "H", NOW + 1), 0);
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 1);
	assert_int_equal(ledger_shelves_json(ledger, true, &out), 0);
	assert_non_null(strstr(out.at, "\"factor\":null"));
	assert_non_null(strstr(out.at, "\"reason\":\"calibration\",\"by\":\"H\",\"case\":null"));
	assert_non_null(strstr(out.at, "\"ended_by\":\"H\""));
	text_clear(&out);
	assert_int_equal(ledger_shelves_json(ledger, false, &out), 0);
	assert_string_equal(out.at, "{\"shelves\":[]}");
	text_deinit(&out);
	ledger_close(ledger);
}

static int open_by_hand(struct ledger *ledger, struct case_order order, const char *part)
{
	struct text out = {0};
	order.by = "Handler H";
	int r = ledger_open_case(ledger, &order, NOW, &out);
	if (out.at == NULL || strstr(out.at, part) == NULL)
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}

static void test_cases_by_hand_are_numbered_and_live_as_all_others(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(open_by_hand(ledger,
				      (struct case_order){.site = "outfall-3",
							  .factor = "w01018",
							  .kind = "exceedance",
							  .source = "12369",
							  .document = "受理 7",
							  .title = "smell"},
				      "\"number\":\"测督挂〔2026〕2号\""),
			 0);
	assert_true(case_has(ledger, 2, "\"source\":\"12369\""));
	assert_true(case_has(ledger, 2, "\"title\":\"smell\",\"document\":\"受理 7\""));
	assert_true(case_has(ledger, 2, "\"level\":\"district\""));
	assert_int_equal(open_by_hand(ledger,
				      (struct case_order){.site = "river-1",
							  .source = "province",
							  .document = "No. 3",
							  .severity = "grave"},
				      "\"level\":\"province\""),
			 0);
	assert_true(case_has(ledger, 3, "\"factor\":null"));
	assert_true(case_has(ledger, 3, "\"kind\":\"clue\",\"severity\":\"grave\""));
	apply(ledger, raised(COD, 2, 61, NOW + 9000));
	assert_true(case_has(ledger, 4, "\"number\":\"测督挂〔2026〕4号\""));
	assert_int_equal(ACT(ledger, 3, NOW + 9000, "\"verified\":true", .action = ACTION_ACCEPT),
			 0);
	assert_int_equal(open_by_hand(ledger, (struct case_order){.source = "mayor"}, "needs site"),
			 LEDGER_INCOMPLETE);
	assert_int_equal(
		open_by_hand(ledger, (struct case_order){.site = "outfall-3"}, "needs source"),
		LEDGER_INCOMPLETE);
	assert_int_equal(open_by_hand(ledger, (struct case_order){.site = "x", .source = "mayor"},
				      "no such site"),
			 LEDGER_UNKNOWN);
	assert_int_equal(open_by_hand(ledger,
				      (struct case_order){.site = "river-1",
							  .source = "mayor",
							  .factor = "w01018"},
				      "no such factor"),
			 LEDGER_UNKNOWN);
	ledger_close(ledger);
}

static void test_a_listed_case_closes_only_with_its_release(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	open_by_hand(ledger,
		     (struct case_order){.site = "river-1", .source = "city", .document = "No. 4"},
		     "city");
	walk_to_rectifying(ledger, NULL);
	ACT(ledger, 1, NOW + DAY_MS, "review", .action = ACTION_RECTIFIED);
	attach(ledger, "record", "r", NULL);
	attach(ledger, "photo", "p", NULL);
	struct case_order close = {.action = ACTION_CLOSE,
				   .by = "Inspector I",
				   .note = "n",
				   .checkers = "A, B",
				   .approved_by = "L"};
	assert_int_equal(act_at(ledger, 1, close, NOW + 2 * DAY_MS, "\"missing\":[\"release\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "release", "released", NULL);
	assert_int_equal(act_at(ledger, 1, close, NOW + 2 * DAY_MS, "closed"), 0);
	ledger_close(ledger);
}

static void test_cases_are_merged_and_linked_from_both_sides(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct said said = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	apply(ledger, raised(COD, 2, 61, NOW));
	said_is(ledger, &said, "alert.raised case.opened alert.raised case.opened ");
	assert_int_equal(ACT(ledger, 1, NOW, "no other case 9", .action = ACTION_LINK, .other = 9),
			 LEDGER_INCOMPLETE);
	assert_int_equal(ACT(ledger, 1, NOW, "no other case 1", .action = ACTION_LINK, .other = 1),
			 LEDGER_INCOMPLETE);
	assert_int_equal(ACT(ledger, 1, NOW, NULL, .action = ACTION_LINK, .other = 2,
			     .relation = "upstream"),
			 0);
	assert_true(case_has(ledger, 1, "\"links\":[{\"case\":2,\"relation\":\"upstream\""));
	assert_true(case_has(ledger, 2, "\"links\":[{\"case\":1,\"relation\":\"downstream\""));
	assert_int_equal(ACT(ledger, 2, NOW, "\"merged_into\":1", .action = ACTION_MERGE,
			     .note = "same event", .other = 1),
			 0);
	assert_true(case_has(ledger, 2, "\"status\":\"withdrawn\""));
	assert_true(case_has(ledger, 1, "\"action\":\"merged\""));
	said_is(ledger, &said, "case.updated case.updated case.updated case.updated ");
	assert_int_equal(ACT(ledger, 1, NOW, "one that is open", .action = ACTION_MERGE,
			     .note = "n", .other = 2),
			 LEDGER_REFUSED);
	assert_int_equal(
		ACT(ledger, 1, NOW, "merge needs other", .action = ACTION_MERGE, .note = "n"),
		LEDGER_INCOMPLETE);
	ledger_close(ledger);
}

static void test_a_level_is_given_by_a_person_with_a_document(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(ACT(ledger, 1, NOW, "level needs document", .action = ACTION_LEVEL,
			     .level = "city"),
			 LEDGER_INCOMPLETE);
	assert_int_equal(ACT(ledger, 1, NOW, "level needs dated", .action = ACTION_LEVEL,
			     .level = "city", .document = "No. 12"),
			 LEDGER_INCOMPLETE);
	assert_int_equal(ACT(ledger, 1, NOW, "\"level\":\"city\"", .action = ACTION_LEVEL,
			     .level = "city", .document = "No. 12", .dated = "2026-01-01"),
			 0);
	assert_true(case_has(ledger, 1, "\"level_document\":\"No. 12 (2026-01-01)\""));
	ledger_close(ledger);
}

static void test_a_listing_stands_beside_the_document_with_which_the_case_came(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	open_by_hand(ledger,
		     (struct case_order){.site = "outfall-3",
					 .source = "12369",
					 .document = "No. 7",
					 .dated = "2025-12-31"},
		     "\"document\":\"No. 7 (2025-12-31)\"");
	ACT(ledger, 1, NOW, NULL, .action = ACTION_LEVEL, .level = "city", .document = "No. 12",
	    .dated = "2026-01-01");
	ACT(ledger, 1, NOW, NULL, .action = ACTION_LEVEL, .level = "province", .document = "No. 13",
	    .dated = "2026-01-02");
	assert_true(case_has(ledger, 1,
			     "\"document\":\"No. 7 (2025-12-31)\","
			     "\"level_document\":\"No. 13 (2026-01-02)\""));
	assert_true(case_has(ledger, 1, "\"document\":\"No. 12 (2026-01-01)\",\"level\":\"city\""));
	open_by_hand(
		ledger,
		(struct case_order){.site = "outfall-3", .source = "12369", .dated = "2025-12-31"},
		"needs document");
	ledger_close(ledger);
}

static void test_attachments_are_kept_by_their_hash_and_checked_when_read(void **state)
{
	static const char hash[] =
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; /* "abc" */
	struct ledger *ledger = ruled_ledger(state);
	struct text out = {0};
	char path[256];

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(attach(ledger, "photo", "abc",
				"\"name\":\"a file.jpg\",\"type\":\"photo\",\"bytes\":3,"
				"\"sha256\":\"ba7816bf"),
			 0);
	assert_int_equal(attach(ledger, "photo", "abc", NULL), 0); /* the same bytes */
	assert_int_equal(ledger_attachment(ledger, 1, hash, &out), 0);
	assert_string_equal(out.at, "abc");
	assert_int_equal(ledger_attachment(ledger, 2, hash, &out), LEDGER_UNKNOWN);
	snprintf(path, sizeof path, "%s/attachments/%s", (const char *)*state, hash);
	FILE *file = fopen(path, "w");
	fputs("abd", file);
	fclose(file);
	text_clear(&out);
	assert_int_equal(ledger_attachment(ledger, 1, hash, &out), -EBADMSG);
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_an_alert_is_acknowledged_once(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct text out = {0};

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_int_equal(ledger_acknowledge(ledger, 9, "D", NOW, &out), LEDGER_UNKNOWN);
	assert_int_equal(ledger_acknowledge(ledger, 1, "D", NOW, &out), 0);
	text_clear(&out);
	assert_int_equal(ledger_acknowledge(ledger, 1, "E", NOW + 1, &out), 0);
	assert_non_null(strstr(out.at, "\"acknowledged_at\":\"2026-01-02T03:04:05.000+08:00\","
				       "\"acknowledged_by\":\"D\""));
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_a_case_is_linked_to_what_may_have_flowed_down_to_it(void **state)
{
	struct site sites[2];
	memcpy(sites, plan_sites, sizeof sites);
	sites[SITE_OUTFALL_3].upstream_of = "river-1";
	sites[SITE_OUTFALL_3].travel_ms = 6 * 3600000;
	sites[SITE_OUTFALL_3].parties =
		(struct parties){.enterprise = "E <&>", .permit_no = "2", .contact = "Somebody"};
	plan.sites = sites;
	struct ledger *ledger = ruled_ledger(state);
	struct verdict river = raised(OXYGEN, NO_INDEX, 1, NOW + 3600000);
	struct said said = {0};

	river.bound = BOUND_MIN;
	apply(ledger, raised(COD, 0, 61, NOW));
	said_is(ledger, &said, "alert.raised case.opened ");
	apply(ledger, river);
	said_is(ledger, &said, "alert.raised case.opened case.updated case.updated ");
	assert_true(case_has(ledger, 2,
			     "\"links\":[{\"case\":1,\"relation\":\"suspected_same_event\""));
	assert_true(case_has(ledger, 1, "\"links\":[{\"case\":2,"));
	assert_true(
		case_has(ledger, 1, "\"parties\":{\"enterprise\":\"E <&>\",\"permit_no\":\"2\"}"));
	apply(ledger, cleared(river, NOW + 3700000));
	assert_int_equal(ACT(ledger, 2, NOW + 3700000, NULL, .action = ACTION_WITHDRAW, .note = "n",
			     .reason = "unfounded"),
			 0);
	river = raised(OXYGEN, NO_INDEX, 1, NOW + 7 * 3600000); /* too late */
	river.bound = BOUND_MIN;
	assert_int_equal(apply(ledger, river), 3);
	struct text out = {0};
	assert_int_equal(ledger_case_json(ledger, 3, &out), 0);
	assert_null(strstr(out.at, "links"));
	text_deinit(&out);
	ledger_close(ledger);
	plan.sites = plan_sites;
}

static void test_day_means_above_the_limit_on_three_days_are_serious(void **state)
{
	static const struct limit day[] = {{.has_max = true,
					    .max = 50,
					    .average = AVERAGE_DAY,
					    .opens_case = true,
					    .source = "permit 7",
					    .key = "day:max=50"}};
	struct monitor monitors[MONITORS];
	memcpy(monitors, plan_monitors, sizeof monitors);
	monitors[COD].limits = day;
	monitors[COD].n_limits = 1;
	plan.monitors = monitors;
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, NO_INDEX, 55, NOW);

	v.limit = 0;
	v.has_limit = true;
	v.limit_value = 50;
	v.average = AVERAGE_DAY;
	apply(ledger, v);
	assert_true(case_has(ledger, 1, "\"severity\":\"general\""));
	v.type = VERDICT_PEAK;
	v.time_ms = NOW + DAY_MS; /* the second exceeding mean */
	apply(ledger, v);
	assert_true(case_has(ledger, 1, "\"severity\":\"general\""));
	v.time_ms = NOW + 2 * DAY_MS;
	apply(ledger, v);
	assert_true(case_has(ledger, 1, "\"severity\":\"serious\""));
	ledger_close(ledger);
	plan.monitors = plan_monitors;
}

static void test_a_registration_is_never_removed_or_rewritten(void **state)
{
	static const char *const forbidden[] = {
		"DELETE FROM cases",           "UPDATE cases SET seq = 9",
		"UPDATE cases SET opened = 9", "UPDATE cases SET source = 'city'",
		"DELETE FROM history",         "UPDATE history SET at = 9",
	};
	char path[256];
	sqlite3 *db;

	struct ledger *ledger = ruled_ledger(state);
	apply(ledger, raised(COD, 0, 61, NOW));
	ledger_close(ledger);
	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
		assert_int_not_equal(sqlite3_exec(db, forbidden[i], NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE cases SET last_value = 9", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
}

/* What a ledger of the first version holds goes on: cases, numbers, history. */
static void test_a_ledger_of_the_first_version_is_taken_up(void **state)
{
	static const char *const back[] = {
		"DROP INDEX alerts_call",
		"DROP INDEX alerts_digest",
		"DROP TRIGGER cases_remain",
		"DROP TRIGGER cases_number",
		"DROP INDEX cases_timer",
		"DROP INDEX cases_open",
		"DROP INDEX cases_merged",
		"DROP TABLE shelves",
		"DROP TABLE chain",
		"DROP TABLE chain_days",
		"DROP TABLE frames_gone",
		"DROP TABLE instruments",
		"DROP TABLE case_digests",
		"DROP TABLE recomputed",
		"DROP TABLE marks",
		"DROP TABLE left_episodes",
		("CREATE UNIQUE INDEX cases_open ON cases(site, factor, kind, average)"
		 " WHERE status NOT IN ('closed', 'withdrawn')"),
	};
	static const char *const columns[] = {
		"cases title",       "cases document",      "cases track",
		"cases stage_at",    "cases timer",         "cases reminded",
		"cases extended",    "cases relapses",      "cases reopened",
		"cases fixed",       "cases restored",      "cases kept_stage_at",
		"cases kept_due",    "cases kept_extended", "cases kept_fixed",
		"cases merged_into", "cases withdrawn",     "history track",
		"history step",      "history document",    "history level",
		"history checkers",  "history approved_by", "history relation",
		"history file",      "history type",        "history sha256",
		"history bytes",     "history other",       "history escalation",
		"history user",      "alerts acknowledged", "alerts acknowledged_by",
		"alerts calls",      "alerts call_at",      "alerts digest",
		"alerts settled"};
	char path[256], sql[128], table[16], column[32];
	sqlite3 *db;

	struct ledger *ledger = ruled_ledger(state);
	apply(ledger, raised(COD, 0, 61, NOW));
	ledger_close(ledger);
	snprintf(path, sizeof path, "%s/ledger.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof back / sizeof back[0]; i++)
		assert_int_equal(sqlite3_exec(db, back[i], NULL, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		assert_int_equal(sscanf(columns[i], "%15s %31s", table, column), 2);
		snprintf(sql, sizeof sql, "ALTER TABLE %s DROP COLUMN %s", table, column);
		assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	}
	sqlite3_exec(db, "UPDATE cases SET due = NULL; PRAGMA user_version=1", NULL, NULL, NULL);
	sqlite3_close(db);
	ledger = ruled_ledger(state);
	assert_true(case_has(ledger, 1, "\"number\":\"测督挂〔2026〕1号\""));
	assert_true(case_has(ledger, 1, "\"due_at\":null"));
	assert_int_equal(ACT(ledger, 1, NOW, "\"stage\":\"assign\"", .action = ACTION_ACCEPT), 0);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_case_is_due_from_its_registration_and_falls_overdue),
		TEST(test_a_restart_after_weeks_says_the_newest_thing_once),
		TEST(test_each_stage_begins_a_deadline_of_its_own),
		TEST(test_steps_of_a_plan_are_struck_off_one_by_one),
		TEST(test_closing_names_all_that_is_missing_and_then_goes_through),
		TEST(test_a_new_episode_in_review_sends_the_case_back_as_a_relapse),
		TEST(test_an_extension_is_kept_to_its_rules),
		TEST(test_a_fault_of_the_instrument_opens_no_case_again_until_its_shelf_ends),
		TEST(test_a_shelf_by_hand_holds_a_site_and_can_be_taken_away),
		TEST(test_cases_by_hand_are_numbered_and_live_as_all_others),
		TEST(test_a_listed_case_closes_only_with_its_release),
		TEST(test_cases_are_merged_and_linked_from_both_sides),
		TEST(test_a_level_is_given_by_a_person_with_a_document),
		TEST(test_a_listing_stands_beside_the_document_with_which_the_case_came),
		TEST(test_attachments_are_kept_by_their_hash_and_checked_when_read),
		TEST(test_an_alert_is_acknowledged_once),
		TEST(test_a_case_is_linked_to_what_may_have_flowed_down_to_it),
		TEST(test_day_means_above_the_limit_on_three_days_are_serious),
		TEST(test_a_registration_is_never_removed_or_rewritten),
		TEST(test_a_ledger_of_the_first_version_is_taken_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
