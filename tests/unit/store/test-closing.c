/* SPDX-License-Identifier: Apache-2.0 */
/* Who may judge a case and by what: the conditions for closing as the history meets them. */
#include "ruled-ledger.h"

static int act_by(struct ledger *ledger, const char *by, struct case_order order, const char *part)
{
	struct text out = {0};
	order.by = by;
	int r = ledger_act(ledger, 1, &order, NOW + 2 * DAY_MS, &out);
	if (part != NULL && (out.at == NULL || strstr(out.at, part) == NULL))
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}
#define ACT(ledger, by, part, ...) act_by(ledger, by, (struct case_order){__VA_ARGS__}, part)

static void attach(struct ledger *ledger, const char *type, const char *bytes)
{
	struct text out = {0};
	const struct case_order order = {.by = "Clerk K", .file = "a file.jpg", .type = type};
	assert_int_equal(
		ledger_attach(ledger, 1, &order, bytes, strlen(bytes), NOW + 2 * DAY_MS, &out), 0);
	text_deinit(&out);
}

static int closes(struct ledger *ledger, const char *by, const char *checkers,
		  const char *approved_by, const char *part)
{
	return ACT(ledger, by, part, .action = ACTION_CLOSE, .note = "done", .checkers = checkers,
		   .approved_by = approved_by);
}

/* A case by hand, which no data hold open, in rectification. */
static struct ledger *rectifying(void **state, struct case_order order)
{
	struct ledger *ledger = ruled_ledger(state);
	struct text out = {0};
	order.by = "Clerk K";
	order.site = order.site == NULL ? "outfall-3" : order.site;
	assert_int_equal(ledger_open_case(ledger, &order, NOW, &out), 0);
	text_deinit(&out);
	ACT(ledger, "Clerk K", NULL, .action = ACTION_ASSIGN, .unit = "U", .leader = "L",
	    .team = "T");
	ACT(ledger, "Clerk K", "rectifying", .action = ACTION_PLAN, .note = "plan");
	return ledger;
}

static struct ledger *in_review(void **state, struct case_order order)
{
	struct ledger *ledger = rectifying(state, order);
	ACT(ledger, "Reporter R", "review", .action = ACTION_RECTIFIED);
	return ledger;
}

static void test_whoever_reported_at_any_time_judges_nothing(void **state)
{
	static const char other[] = "\"missing\":[\"other_person\"]";
	struct ledger *ledger =
		in_review(state, (struct case_order){.source = "inspection", .kind = "clue"});

	ACT(ledger, "Inspector I", "rectifying", .action = ACTION_RETURN, .note = "n");
	ACT(ledger, "Reporter S", "review", .action = ACTION_RECTIFIED);
	attach(ledger, "record", "the record");
	attach(ledger, "photo", "the photo");
	assert_int_equal(closes(ledger, "Reporter S", "A, B", "Leader L", other), LEDGER_REFUSED);
	assert_int_equal(closes(ledger, "Reporter R", "A, B", "Leader L", other), LEDGER_REFUSED);
	assert_int_equal(closes(ledger, "Inspector I", "A, reporter r, B", "Leader L", other),
			 LEDGER_REFUSED);
	assert_int_equal(closes(ledger, "Inspector I", "A, B", " Reporter R", other),
			 LEDGER_REFUSED);
	/* who planned and wrote down may */
	assert_int_equal(closes(ledger, "Clerk K", "Clerk K, B", "Leader L", "\"closed\""), 0);
	/* and a reopened case forgets nobody */
	ACT(ledger, "Inspector I", "rectifying", .action = ACTION_REOPEN, .note = "n");
	ACT(ledger, "Reporter T", "review", .action = ACTION_RECTIFIED);
	attach(ledger, "record", "another record");
	attach(ledger, "photo", "another photo");
	assert_int_equal(closes(ledger, "Reporter R", "A, B", "Leader L", other), LEDGER_REFUSED);
	rules.closing.other_person = false;
	assert_int_equal(closes(ledger, "Reporter R", "A, B", "Leader L", "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_whoever_struck_off_a_step_judges_nothing_either(void **state)
{
	struct ledger *ledger =
		rectifying(state, (struct case_order){.source = "inspection", .kind = "clue"});

	ACT(ledger, "Clerk K", NULL, .action = ACTION_PLAN, .note = "n", .step = "pump");
	ACT(ledger, "Worker W", NULL, .action = ACTION_RECTIFIED, .step = "pump");
	ACT(ledger, "Reporter R", "review", .action = ACTION_RECTIFIED);
	attach(ledger, "record", "the record");
	attach(ledger, "photo", "the photo");
	assert_int_equal(closes(ledger, "Inspector I", "Worker W, B", "Leader L",
				"\"missing\":[\"other_person\"]"),
			 LEDGER_REFUSED);
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "Leader L", "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_a_file_stands_for_one_thing_that_it_was_attached_as_last(void **state)
{
	struct ledger *ledger =
		in_review(state, (struct case_order){.source = "city", .document = "No. 4"});

	attach(ledger, "record", "one file");
	attach(ledger, "photo", "one file");
	attach(ledger, "release", "one file");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L",
				"\"missing\":[\"record\",\"attachment\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "record", "the record");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"missing\":[\"attachment\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "photo", "one file");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"missing\":[\"release\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "release", "the release");
	rules.closing.attachments = 2;
	attach(ledger, "photo", "one file");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"missing\":[\"attachment\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "plan", "the plan");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_a_laboratory_proves_what_was_put_right_before_it(void **state)
{
	struct site sites[2];
	memcpy(sites, plan_sites, sizeof sites);
	sites[SITE_OUTFALL_3].kind = SITE_WATER_SOURCE;
	plan.sites = sites;
	rules.closing.compliant_days[SITE_WATER_SOURCE] = 0;
	struct ledger *ledger = rectifying(state, (struct case_order){.source = "inspection",
								      .factor = "w01018",
								      .kind = "exceedance"});

	attach(ledger, "laboratory", "that of the exceedance");
	ACT(ledger, "Reporter R", "review", .action = ACTION_RECTIFIED);
	attach(ledger, "record", "the record");
	attach(ledger, "photo", "the photo");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"missing\":[\"laboratory\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "laboratory", "that of the water since");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_a_listing_is_not_shaken_off_by_merging(void **state)
{
	struct ledger *ledger =
		in_review(state, (struct case_order){.source = "inspection", .kind = "clue"});
	const struct case_order listed = {.site = "outfall-3",
					  .source = "city",
					  .document = "No. 4",
					  .by = "Clerk K"},
				merge = {.action = ACTION_MERGE,
					 .by = "Clerk K",
					 .note = "the same",
					 .other = 1};
	struct text out = {0};

	assert_int_equal(ledger_open_case(ledger, &listed, NOW, &out), 0);
	text_clear(&out);
	assert_int_equal(ledger_act(ledger, 2, &merge, NOW + DAY_MS, &out), 0);
	text_deinit(&out);
	attach(ledger, "record", "the record");
	attach(ledger, "photo", "the photo");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"missing\":[\"release\"]"),
			 LEDGER_REFUSED);
	attach(ledger, "release", "the release");
	assert_int_equal(closes(ledger, "Inspector I", "A, B", "L", "\"closed\""), 0);
	ledger_close(ledger);
}

/* --- what stands for a case being true --- */

static void test_to_assign_is_to_accept_and_a_case_is_accepted_once(void **state)
{
	struct ledger *ledger = ruled_ledger(state);

	apply(ledger, raised(COD, 0, 61, NOW));
	assert_true(case_has(ledger, 1, "\"verified\":false"));
	assert_int_equal(
		ACT(ledger, "Clerk K", "\"verified\":true", .action = ACTION_ASSIGN, .unit = "U"),
		0);
	apply(ledger, raised(COD, 2, 61, NOW));
	struct text out = {0};
	const struct case_order accept = {.action = ACTION_ACCEPT, .by = "Clerk K"};
	assert_int_equal(ledger_act(ledger, 2, &accept, NOW + 1000, &out), 0);
	text_clear(&out);
	assert_int_equal(ledger_act(ledger, 2, &accept, NOW + 2000, &out), LEDGER_REFUSED);
	assert_non_null(strstr(out.at, "accepted already\",\"allowed\":[\"assign\","));
	text_deinit(&out);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_whoever_reported_at_any_time_judges_nothing),
		TEST(test_whoever_struck_off_a_step_judges_nothing_either),
		TEST(test_a_file_stands_for_one_thing_that_it_was_attached_as_last),
		TEST(test_a_listing_is_not_shaken_off_by_merging),
		TEST(test_a_laboratory_proves_what_was_put_right_before_it),
		TEST(test_to_assign_is_to_accept_and_a_case_is_accepted_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
