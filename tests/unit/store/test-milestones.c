/* SPDX-License-Identifier: Apache-2.0 */
/* Milestones of a plan fall due by themselves, and a deadline that was named outlives a return. */
#include "ruled-ledger.h"

static int act_at(struct ledger *ledger, struct case_order order, int64_t now, const char *part)
{
	struct text out = {0};
	order.by = "Handler H";
	int r = ledger_act(ledger, 1, &order, now, &out);
	if (part != NULL && (out.at == NULL || strstr(out.at, part) == NULL))
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}
#define ACT(ledger, now, part, ...) act_at(ledger, (struct case_order){__VA_ARGS__}, now, part)

static struct ledger *rectifying(void **state, struct said *said, int64_t due_ms)
{
	struct ledger *ledger = ruled_ledger(state);
	apply(ledger, raised(COD, 0, 61, NOW));
	ACT(ledger, NOW + 1000, NULL, .action = ACTION_ASSIGN, .unit = "U");
	ACT(ledger, NOW + 2000, "rectifying", .action = ACTION_PLAN, .note = "n", .due_ms = due_ms);
	*said = (struct said){.last = ledger_event_last(ledger)};
	return ledger;
}

static void step(struct ledger *ledger, const char *name, int64_t due_ms)
{
	assert_int_equal(ACT(ledger, NOW + 3000, NULL, .action = ACTION_PLAN, .note = "n",
			     .step = name, .due_ms = due_ms),
			 0);
}

static void tick(struct ledger *ledger, struct said *said, int64_t now, const char *expected)
{
	assert_int_equal(ledger_tick(ledger, now), 0);
	said_is(ledger, said, expected);
}

/* At outfalls: two days before, a day before, and when it passes. */
static void test_a_milestone_is_reminded_of_and_falls_overdue_by_itself(void **state)
{
	struct said said;
	struct ledger *ledger = rectifying(state, &said, NOW + 100 * DAY_MS);
	int64_t due = NOW + 10 * DAY_MS;

	step(ledger, "pump", due);
	step(ledger, "pipe", due + 10 * DAY_MS);
	said_is(ledger, &said, "case.updated case.updated ");
	assert_int_equal(ledger_timer(ledger), due - 2 * DAY_MS);
	tick(ledger, &said, due - 2 * DAY_MS - 1, "");
	tick(ledger, &said, due - 2 * DAY_MS, "case.updated ");
	assert_true(case_has(ledger, 1,
			     "\"action\":\"step_reminded\",\"by\":\"duchad\",\"note\":null,"
			     "\"step\":\"pump\",\"due\":\"2026-01-12T03:04:05.000+08:00\"}"));
	ledger_close(ledger); /* what was said is in the history, and so survives */
	ledger = ruled_ledger(state);
	assert_int_equal(ledger_timer(ledger), due - DAY_MS);
	tick(ledger, &said, due - DAY_MS, "case.updated ");
	tick(ledger, &said, due - 1, "");
	tick(ledger, &said, due, "case.overdue ");
	assert_true(case_has(ledger, 1, "\"action\":\"step_overdue\",\"by\":\"duchad\""));
	assert_true(case_has(ledger, 1, "\"escalation\":0,")); /* the case itself is in time */
	tick(ledger, &said, due + 7 * DAY_MS, "");
	assert_int_equal(ledger_timer(ledger), due + 8 * DAY_MS);
	assert_int_equal(
		ACT(ledger, due + 7 * DAY_MS, NULL, .action = ACTION_RECTIFIED, .step = "pipe"), 0);
	said_is(ledger, &said, "case.updated ");
	tick(ledger, &said, due + 30 * DAY_MS, ""); /* who is struck off is late no more */
	ledger_close(ledger);
}

static void test_who_comes_late_hears_of_a_milestone_once_and_of_the_case(void **state)
{
	struct said said;
	struct ledger *ledger = rectifying(state, &said, NOW + 20 * DAY_MS);

	step(ledger, "pump", NOW + 10 * DAY_MS);
	said_is(ledger, &said, "case.updated ");
	tick(ledger, &said, NOW + 21 * DAY_MS, "case.overdue case.overdue ");
	assert_true(case_has(ledger, 1, "\"escalation\":1,"));
	tick(ledger, &said, NOW + 21 * DAY_MS + 1000, "");
	ledger_close(ledger);
}

static void test_a_milestone_that_is_planned_anew_is_due_anew(void **state)
{
	struct said said;
	struct ledger *ledger = rectifying(state, &said, NOW + 100 * DAY_MS);

	step(ledger, "pump", NOW + 10 * DAY_MS);
	tick(ledger, &said, NOW + 10 * DAY_MS, "case.updated case.overdue ");
	step(ledger, "pump", NOW + 30 * DAY_MS);
	step(ledger, "some day", 0);
	said_is(ledger, &said, "case.updated case.updated ");
	assert_int_equal(ledger_timer(ledger), NOW + 28 * DAY_MS);
	ACT(ledger, NOW + 11 * DAY_MS, NULL, .action = ACTION_WITHDRAW, .reason = "other",
	    .note = "n");
	assert_int_equal(ledger_timer(ledger), INT64_MAX);
	ledger_close(ledger);
}

/* --- a deadline that was named --- */

static void test_a_return_keeps_the_deadline_and_that_it_was_extended(void **state)
{
	static const char due[] = "\"due_at\":\"2026-02-21T03:04:05.000+08:00\"";
	struct said said;
	struct ledger *ledger = rectifying(state, &said, NOW + 30 * DAY_MS);

	assert_int_equal(ACT(ledger, NOW + DAY_MS, due, .action = ACTION_EXTEND, .note = "n",
			     .due_ms = NOW + 50 * DAY_MS),
			 0);
	ACT(ledger, NOW + 5 * DAY_MS, "\"due_at\":\"2026-01-14T23:59:59",
	    .action = ACTION_RECTIFIED);
	ledger_close(ledger);
	ledger = ruled_ledger(state);
	assert_int_equal(ACT(ledger, NOW + 6 * DAY_MS, due, .action = ACTION_RETURN, .note = "n"),
			 0);
	assert_int_equal(ACT(ledger, NOW + 7 * DAY_MS, "extended once already",
			     .action = ACTION_EXTEND, .note = "n", .due_ms = NOW + 60 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, NOW + 7 * DAY_MS, "extension", .action = ACTION_PLAN,
			     .note = "n", .due_ms = NOW + 60 * DAY_MS),
			 LEDGER_REFUSED);
	ledger_close(ledger);
}

static void test_a_plan_and_its_extension_are_no_longer_than_the_longest_term(void **state)
{
	struct said said;
	struct ledger *ledger = rectifying(state, &said, NOW + 179 * DAY_MS);

	assert_int_equal(ACT(ledger, NOW + DAY_MS, "longest term", .action = ACTION_EXTEND,
			     .note = "n", .due_ms = NOW + 354 * DAY_MS),
			 LEDGER_REFUSED);
	assert_int_equal(ACT(ledger, NOW + DAY_MS, "\"extended\":true", .action = ACTION_EXTEND,
			     .note = "n", .due_ms = NOW + 180 * DAY_MS),
			 0);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_milestone_is_reminded_of_and_falls_overdue_by_itself),
		TEST(test_who_comes_late_hears_of_a_milestone_once_and_of_the_case),
		TEST(test_a_milestone_that_is_planned_anew_is_due_anew),
		TEST(test_a_return_keeps_the_deadline_and_that_it_was_extended),
		TEST(test_a_plan_and_its_extension_are_no_longer_than_the_longest_term),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
