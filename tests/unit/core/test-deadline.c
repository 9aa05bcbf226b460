/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/deadline.h"
#include "core/text.h"

#include <stdio.h>
#include <string.h>

/* 2026-02: the Spring Festival is free from Sunday 15 to Monday 23, Saturdays 14 and 28 are worked.
 */
static int64_t off[9], on[2];
static const struct zone_change changes[] = {{.from_s = INT64_MIN / 2, .offset_s = 8 * 3600}};
static struct case_rules rules;
static struct plan plan = {.zone = {changes, 1}, .rules = &rules};

static int64_t at(const char *text)
{
	int64_t ms = 0;
	assert_true(time_parse(text, strlen(text), &plan.zone, &ms));
	return ms;
}

static int set_up(void **state)
{
	(void)state;
	case_rules_default(&rules);
	for (int i = 0; i < 9; i++)
		off[i] = zone_day(&plan.zone, at("2026-02-15T12:00:00")) + i;
	on[0] = zone_day(&plan.zone, at("2026-02-14T12:00:00"));
	on[1] = zone_day(&plan.zone, at("2026-02-28T12:00:00"));
	rules.workdays = (struct workdays){off, on, 9, 2};
	return 0;
}

static void expect_time(int64_t ms, const char *expected)
{
	struct text text = {0};
	text_time(&text, ms, &plan.zone, 0);
	text.at[19] = '\0';
	assert_string_equal(text.at, expected);
	text_deinit(&text);
}

static void ends(enum term_unit unit, int n, const char *from, const char *expected)
{
	expect_time(term_end((struct term){unit, n}, at(from), &rules.workdays, &plan.zone),
		    expected);
}

static void test_minutes_run_through_nights_and_holidays(void **state)
{
	(void)state;
	ends(TERM_MINUTES, 30, "2026-02-14T23:45:00", "2026-02-15T00:15:00");
	ends(TERM_MINUTES, 24 * 60, "2026-02-14T09:00:01", "2026-02-15T09:00:01");
}

static void test_a_working_day_ends_with_the_day_and_the_first_does_not_count(void **state)
{
	(void)state;
	ends(TERM_WORKDAYS, 1, "2026-03-02T00:00:00", "2026-03-03T23:59:59"); /* Monday */
	ends(TERM_WORKDAYS, 1, "2026-03-02T23:59:59", "2026-03-03T23:59:59");
	ends(TERM_WORKDAYS, 1, "2026-03-06T09:00:00", "2026-03-09T23:59:59"); /* Friday */
	ends(TERM_WORKDAYS, 5, "2026-03-06T09:00:00", "2026-03-13T23:59:59");
	ends(TERM_WORKDAYS, 1, "2026-03-07T09:00:00", "2026-03-09T23:59:59"); /* Saturday */
}

static void test_holidays_do_not_count_and_worked_weekends_do(void **state)
{
	(void)state;
	ends(TERM_WORKDAYS, 1, "2026-02-13T09:00:00", "2026-02-14T23:59:59");
	ends(TERM_WORKDAYS, 2, "2026-02-13T09:00:00", "2026-02-24T23:59:59");
	ends(TERM_WORKDAYS, 5, "2026-02-24T09:00:00", "2026-03-02T23:59:59");
}

static void test_calendar_days_that_end_on_a_day_off_go_on_to_the_next_working_day(void **state)
{
	(void)state;
	ends(TERM_DAYS, 30, "2026-03-02T09:00:00", "2026-04-01T23:59:59");
	ends(TERM_DAYS, 3, "2026-02-13T09:00:00", "2026-02-24T23:59:59");
	ends(TERM_DAYS, 1, "2026-02-13T09:00:00", "2026-02-14T23:59:59"); /* worked */
}

static void test_a_list_without_any_working_day_ends_the_search(void **state)
{
	static int64_t all[3000];
	(void)state;
	for (int i = 0; i < 3000; i++)
		all[i] = 20000 + i;
	const struct workdays none = {all, NULL, 3000, 0};
	assert_true(term_end((struct term){TERM_WORKDAYS, 1}, INT64_C(20500) * 86400000, &none,
			     &plan.zone) > 0);
}

static struct case_clock clock_of(enum site_kind kind, enum severity severity,
				  enum case_status status, bool verified, enum case_track track,
				  const char *now)
{
	struct case_clock clock = {.kind = kind,
				   .severity = severity,
				   .status = status,
				   .verified = verified,
				   .track = track};
	deadline_begin(&plan, &clock, at(now));
	return clock;
}

static void test_every_stage_has_its_default_deadline(void **state)
{
	enum { G = SEVERITY_GENERAL, S = SEVERITY_SERIOUS, X = SEVERITY_GRAVE };
	enum { RIVER = SITE_RIVER_SECTION, SOURCE = SITE_WATER_SOURCE, OUT = SITE_OUTFALL };
	enum { R = CASE_REGISTERED, A = CASE_ASSIGNED, F = CASE_RECTIFYING, V = CASE_REVIEW };
	static const struct {
		int kind, severity, status;
		bool verified;
		int track;
		const char *due; /* from Monday 2026-03-02 10:00 */
	} cells[] = {
		{RIVER, G, R, false, 0, "2026-03-03T23:59:59"},
		{RIVER, S, R, true, 0, "2026-03-04T23:59:59"},
		{RIVER, G, A, true, 0, "2026-03-09T23:59:59"},
		{RIVER, G, F, true, TRACK_IMMEDIATE, "2026-04-01T23:59:59"},
		{RIVER, G, F, true, TRACK_PLANNED, "2026-06-01T23:59:59"}, /* 05-31 is a Sunday */
		{RIVER, G, V, true, 0, "2026-03-09T23:59:59"},
		{SOURCE, S, R, false, 0, "2026-03-02T10:30:00"},
		{SOURCE, S, R, true, 0, "2026-03-02T12:00:00"},
		{SOURCE, X, A, true, 0, "2026-03-03T10:00:00"},
		{SOURCE, S, F, true, TRACK_IMMEDIATE, "2026-03-05T10:00:00"},
		{SOURCE, S, F, true, TRACK_PLANNED, "2026-03-17T10:00:00"},
		{SOURCE, S, V, true, 0, "2026-03-03T10:00:00"},
		{OUT, G, R, false, 0, "2026-03-03T10:00:00"},
		{OUT, G, R, true, 0, "2026-03-03T23:59:59"},
		{OUT, S, R, true, 0, "2026-03-03T23:59:59"},
		{OUT, X, R, true, 0, "2026-03-02T14:00:00"},
		{OUT, G, A, true, 0, "2026-03-05T23:59:59"},
		{OUT, G, F, true, TRACK_IMMEDIATE, "2026-03-09T23:59:59"},
		{OUT, G, F, true, TRACK_PLANNED, "2026-04-01T23:59:59"},
		{OUT, G, V, true, 0, "2026-03-09T23:59:59"},
		{OUT, G, V, true, TRACK_PLANNED,
		 "2026-03-09T23:59:59"}, /* the track is for one stage */
		{SITE_AIR, G, R, false, 0, "2026-03-03T10:00:00"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
		expect_time(clock_of((enum site_kind)cells[i].kind,
				     (enum severity)cells[i].severity,
				     (enum case_status)cells[i].status, cells[i].verified,
				     (enum case_track)cells[i].track, "2026-03-02T10:00:00")
				    .due_ms,
			    cells[i].due);
}

static void test_a_case_that_has_ended_and_one_without_rules_have_no_deadline(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_CLOSED, true,
					   TRACK_NONE, "2026-03-02T10:00:00");
	(void)state;
	assert_int_equal(clock.due_ms, 0);
	clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_REVIEW, true, TRACK_NONE,
			 "2026-03-02T10:00:00");
	clock.status = CASE_CLOSED; /* keeps it, and it says no more */
	assert_int_equal(deadline_timer(&plan, &clock), 0);
	assert_int_equal(deadline_tell(&plan, &clock, at("2027-01-01T00:00:00")), DEADLINE_NOTHING);
	clock.status = CASE_REVIEW; /* one that was registered before there were deadlines */
	clock.due_ms = 0;
	assert_int_equal(deadline_tell(&plan, &clock, at("2027-01-01T00:00:00")), DEADLINE_NOTHING);
	struct plan bare = {.zone = plan.zone};
	clock.status = CASE_REVIEW;
	deadline_begin(&bare, &clock, at("2026-03-02T10:00:00"));
	assert_int_equal(clock.due_ms, 0);
	assert_int_equal(deadline_timer(&bare, &clock), 0);
}

/* Runs virtual time from timer to timer and writes what was said. */
static void tell_all(struct case_clock *clock, const char *expected)
{
	struct text said = {0};
	for (int64_t timer; (timer = deadline_timer(&plan, clock)) != 0;) {
		assert_int_equal(deadline_tell(&plan, clock, timer - 1), DEADLINE_NOTHING);
		enum deadline_word word = deadline_tell(&plan, clock, timer);
		assert_int_not_equal(word, DEADLINE_NOTHING);
		text_time(&said, timer, &plan.zone, 0);
		said.length -= strlen("+08:00");
		text_format(&said, word == DEADLINE_REMINDED ? " reminded\n" : " overdue %d\n",
			    clock->escalation);
	}
	assert_string_equal(said.at, expected);
	text_deinit(&said);
}

static void test_a_case_is_reminded_of_and_then_escalates_in_three_steps(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_PLANNED, "2026-03-02T10:00:00");
	(void)state;
	tell_all(&clock, "2026-03-30T23:59:59 reminded\n"
			 "2026-03-31T23:59:59 reminded\n"
			 "2026-04-01T23:59:59 overdue 1\n"
			 "2026-04-06T23:59:59 overdue 2\n"
			 "2026-04-15T23:59:59 overdue 3\n");
}

static void test_a_water_source_is_reminded_of_at_half_time(void **state)
{
	struct case_clock clock = clock_of(SITE_WATER_SOURCE, SEVERITY_SERIOUS, CASE_REGISTERED,
					   false, TRACK_NONE, "2026-02-15T03:00:00");
	(void)state;
	tell_all(&clock, "2026-02-15T03:15:00 reminded\n"
			 "2026-02-15T03:30:00 overdue 1\n"
			 "2026-02-15T04:30:00 overdue 2\n"
			 "2026-02-15T07:30:00 overdue 3\n");
}

static void test_a_stage_too_short_for_a_reminder_has_none(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_REGISTERED, false,
					   TRACK_NONE, "2026-03-02T10:00:00");
	(void)state;
	assert_int_equal(deadline_timer(&plan, &clock), clock.due_ms);
	clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_REGISTERED, true, TRACK_NONE,
			 "2026-03-02T10:00:00"); /* due on the next day's end: one reminder fits */
	expect_time(deadline_timer(&plan, &clock), "2026-03-02T23:59:59");
}

static void test_who_comes_late_hears_of_the_newest_thing_alone(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_PLANNED, "2026-03-02T10:00:00"),
			  later = clock;
	(void)state;
	assert_int_equal(deadline_tell(&plan, &clock, at("2026-04-01T12:00:00")),
			 DEADLINE_REMINDED);
	assert_int_equal(clock.reminded, 2);
	assert_int_equal(deadline_tell(&plan, &clock, at("2026-04-01T12:00:00")), DEADLINE_NOTHING);
	assert_int_equal(deadline_tell(&plan, &later, at("2026-04-10T12:00:00")), DEADLINE_OVERDUE);
	assert_int_equal(later.escalation, 2);
	assert_int_equal(deadline_tell(&plan, &later, at("2026-04-10T12:00:00")), DEADLINE_NOTHING);
	expect_time(deadline_timer(&plan, &later), "2026-04-15T23:59:59");
}

static void test_a_new_stage_begins_with_a_clean_slate(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_PLANNED, "2026-03-02T10:00:00");
	(void)state;
	clock.reminded = 2;
	clock.escalation = 3;
	clock.extended = true;
	clock.status = CASE_REVIEW;
	deadline_begin(&plan, &clock, at("2026-05-04T10:00:00"));
	assert_true(clock.reminded == 0 && clock.escalation == 0 && !clock.extended);
	expect_time(clock.due_ms, "2026-05-11T23:59:59");
}

static void test_a_clock_set_back_says_nothing_twice(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_REVIEW, true,
					   TRACK_NONE, "2026-03-02T10:00:00");
	(void)state;
	assert_int_equal(deadline_tell(&plan, &clock, at("2026-03-10T00:00:00")), DEADLINE_OVERDUE);
	assert_int_equal(deadline_tell(&plan, &clock, at("2026-03-08T00:00:00")), DEADLINE_NOTHING);
	assert_int_equal(clock.escalation, 1);
}

static void test_a_deadline_is_extended_once_before_it_passes_by_its_own_length(void **state)
{
	const struct case_clock fresh =
		clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true, TRACK_IMMEDIATE,
			 "2026-03-02T10:00:00"); /* due 03-09 23:59:59 */
	struct case_clock clock = fresh;
	int64_t now = at("2026-03-05T10:00:00");
	(void)state;
	assert_non_null(deadline_extend(&plan, &clock, at("2026-03-09T23:59:59"), now));
	assert_non_null(deadline_extend(&plan, &clock, at("2026-03-17T14:00:00"), now));
	assert_non_null(deadline_extend(&plan, &clock, at("2026-03-12T23:59:59"), clock.due_ms));
	assert_memory_equal(&clock, &fresh, sizeof clock);
	clock.reminded = 2;
	assert_null(deadline_extend(&plan, &clock, at("2026-03-12T23:59:59"), now));
	expect_time(clock.due_ms, "2026-03-12T23:59:59");
	assert_int_equal(clock.reminded, 0);
	assert_non_null(deadline_extend(&plan, &clock, at("2026-03-13T23:59:59"), now));
	expect_time(clock.due_ms, "2026-03-12T23:59:59");
	clock = fresh; /* exactly its own length */
	assert_null(deadline_extend(&plan, &clock, 2 * fresh.due_ms - fresh.stage_ms, now));
}

static struct case_clock planned_until(enum site_kind kind, const char *due)
{
	struct case_clock clock = clock_of(kind, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_PLANNED, "2026-03-02T10:00:00");
	if (due != NULL)
		assert_null(deadline_plan(&plan, &clock, at(due), true, clock.stage_ms));
	return clock;
}

static void test_an_extension_goes_to_the_longest_term_in_all(void **state)
{
	struct case_clock clock = planned_until(SITE_OUTFALL, "2026-08-28T12:00:00");
	int64_t now = at("2026-08-01T10:00:00"), most = at("2026-08-31T23:59:59");
	(void)state;
	assert_non_null(strstr(deadline_extend(&plan, &clock, most + 1, now), "longest term"));
	assert_null(deadline_extend(&plan, &clock, most, now));
	/* a section has a plan of 90 days, and as many again */
	clock = planned_until(SITE_RIVER_SECTION, NULL);
	now = at("2026-05-01T10:00:00");
	assert_non_null(strstr(deadline_extend(&plan, &clock, most + 1, now), "longest term"));
	assert_null(deadline_extend(&plan, &clock, most, now));
	/* an office whose plans may take longer than that extends them to there */
	clock = planned_until(SITE_OUTFALL, "2026-08-28T12:00:00");
	rules.terms[SITE_OUTFALL][SEVERITY_GENERAL].longest = (struct term){TERM_DAYS, 200};
	assert_null(deadline_extend(&plan, &clock, most + 1, at("2026-08-01T10:00:00")));
	/* other stages have their own length alone */
	clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_ASSIGNED, true, TRACK_NONE,
			 "2026-03-02T10:00:00");
	rules.terms[SITE_OUTFALL][SEVERITY_GENERAL].longest =
		rules.terms[SITE_OUTFALL][SEVERITY_GENERAL].extended = (struct term){TERM_DAYS, 1};
	assert_null(deadline_extend(&plan, &clock, at("2026-03-08T10:00:00"), clock.stage_ms));
}

static void check_from(struct case_clock *clock, const char *reported, const char *returned)
{
	deadline_check(&plan, clock, at(reported));
	assert_int_equal(clock->status, CASE_REVIEW);
	assert_true(!clock->extended && !clock->fixed);
	deadline_again(&plan, clock, at(returned));
	assert_int_equal(clock->status, CASE_RECTIFYING);
	assert_int_equal(clock->kept.due_ms, 0);
}

static void test_what_is_returned_goes_on_with_the_deadline_it_had(void **state)
{
	struct case_clock clock = planned_until(SITE_OUTFALL, "2026-05-04T12:00:00");
	int64_t now = at("2026-04-13T10:00:00");
	(void)state;
	assert_null(deadline_extend(&plan, &clock, at("2026-06-01T12:00:00"), now));
	const struct case_clock before = clock;
	check_from(&clock, "2026-04-14T10:00:00", "2026-04-16T10:00:00");
	assert_memory_equal(&clock.stage_ms, &before.stage_ms, sizeof clock.stage_ms);
	expect_time(clock.due_ms, "2026-06-01T12:00:00");
	now = at("2026-04-16T10:00:00");
	assert_non_null(strstr(deadline_extend(&plan, &clock, clock.due_ms + 1, now), "once"));
	assert_non_null(
		strstr(deadline_plan(&plan, &clock, clock.due_ms - 1, true, now), "extension"));
	clock = planned_until(SITE_OUTFALL, "2026-05-04T12:00:00"); /* settled, not extended */
	check_from(&clock, "2026-04-14T10:00:00", "2026-04-16T10:00:00");
	assert_true(clock.fixed && !clock.extended);
	assert_null(deadline_extend(&plan, &clock, clock.due_ms + 1, now));
}

static void test_what_is_returned_late_has_the_short_term_and_no_more_than_the_longest(void **state)
{
	struct case_clock clock = planned_until(SITE_OUTFALL, NULL); /* 04-01 23:59:59 */
	(void)state;
	check_from(&clock, "2026-04-01T10:00:00", "2026-04-02T00:00:00");
	expect_time(clock.due_ms, "2026-04-09T23:59:59");
	expect_time(clock.stage_ms, "2026-03-02T10:00:00");
	assert_int_equal(clock.escalation, 0);
	check_from(&clock, "2026-04-03T10:00:00", "2026-08-28T10:00:00");
	expect_time(clock.due_ms, "2026-08-31T23:59:59");
	check_from(&clock, "2026-08-29T10:00:00", "2026-09-01T10:00:00");
	expect_time(clock.due_ms, "2026-08-31T23:59:59");
	assert_int_equal(deadline_tell(&plan, &clock, at("2026-09-01T10:00:00")), DEADLINE_OVERDUE);
	/* one that came into the check before deadlines were kept begins anew */
	clock.status = CASE_REVIEW;
	deadline_again(&plan, &clock, at("2026-03-02T10:00:00"));
	expect_time(clock.due_ms, "2026-04-01T23:59:59");
	assert_true(!clock.fixed && !clock.extended);
	/* and so does one that is reopened */
	check_from(&clock, "2026-03-03T10:00:00", "2026-03-03T11:00:00");
	deadline_check(&plan, &clock, at("2026-03-04T10:00:00"));
	clock.status = CASE_RECTIFYING;
	deadline_begin(&plan, &clock, at("2026-05-04T10:00:00"));
	expect_time(clock.stage_ms, "2026-05-04T10:00:00");
	assert_int_equal(clock.kept.due_ms, 0);
}

static void test_a_plan_names_its_day_up_to_the_longest_term(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_PLANNED, "2026-03-02T10:00:00");
	int64_t now = at("2026-03-02T10:00:00");
	(void)state;
	assert_non_null(deadline_plan(&plan, &clock, at("2026-09-01T23:59:59"), true, now));
	assert_non_null(deadline_plan(&plan, &clock, now, true, now));
	const struct case_clock fresh = clock;
	assert_null(deadline_plan(&plan, &clock, at("2026-03-20T23:59:59"), true, now));
	expect_time(clock.due_ms, "2026-03-20T23:59:59");
	assert_null(deadline_plan(&plan, &clock, at("2026-03-10T23:59:59"), false, now));
	expect_time(clock.due_ms, "2026-03-20T23:59:59");
	clock = fresh; /* a step beyond the default names the day, too; the last day there is */
	assert_null(deadline_plan(&plan, &clock, at("2026-08-31T23:59:59"), false, now));
	expect_time(clock.due_ms, "2026-08-31T23:59:59");
}

/* Whoever names another day later extends the deadline, and that has its own rules. */
static void test_a_day_that_was_named_is_moved_by_an_extension_alone(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_PLANNED, "2026-03-02T10:00:00");
	int64_t now = at("2026-03-02T10:00:00"), due = at("2026-03-20T23:59:59");
	(void)state;
	assert_null(deadline_plan(&plan, &clock, due, true, now));
	const struct case_clock named = clock;
	assert_non_null(strstr(deadline_plan(&plan, &clock, due + 1000, true, now), "extension"));
	assert_non_null(strstr(deadline_plan(&plan, &clock, due - 1000, true, now), "extension"));
	assert_non_null(
		strstr(deadline_plan(&plan, &clock, due + 1000, false, now), "step lies beyond"));
	assert_null(deadline_plan(&plan, &clock, due, true, now)); /* the same again */
	assert_memory_equal(&clock, &named, sizeof clock);
	assert_null(deadline_extend(&plan, &clock, due + 1000, now));
	assert_non_null(deadline_plan(&plan, &clock, due + 2000, true, now));
	clock.fixed = false; /* extended from a deadline that nobody had named */
	assert_non_null(strstr(deadline_plan(&plan, &clock, due + 2000, true, now), "extension"));
	clock = named;
	rules.terms[SITE_OUTFALL][SEVERITY_GRAVE].planned = (struct term){TERM_DAYS, 1};
	clock.severity = SEVERITY_GRAVE;
	deadline_tighten(&plan, &clock);
	assert_int_equal(clock.due_ms, due);
	deadline_begin(&plan, &clock, now); /* a stage anew: as if nothing had been named */
	clock.severity = SEVERITY_GENERAL;
	assert_null(deadline_plan(&plan, &clock, due, true, now));
	clock.extended = false;
	clock.fixed = false;
	assert_non_null(strstr(deadline_plan(&plan, &clock, due + 2000, true, due), "passed"));
}

static void test_what_is_put_right_at_once_has_its_own_term_at_most(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_RECTIFYING, true,
					   TRACK_IMMEDIATE, "2026-03-02T10:00:00");
	int64_t now = at("2026-03-02T10:00:00"), most = at("2026-03-09T23:59:59");
	(void)state;
	assert_non_null(strstr(deadline_plan(&plan, &clock, most + 1, true, now), "at once"));
	assert_non_null(strstr(deadline_plan(&plan, &clock, most + 1, false, now), "at once"));
	assert_null(deadline_plan(&plan, &clock, most - 1000, true, now));
	clock.status = CASE_ASSIGNED; /* the track is of rectification alone */
	clock.fixed = false;
	assert_null(deadline_plan(&plan, &clock, most + 1, true, now));
}

static void test_a_graver_case_is_due_earlier_and_never_later(void **state)
{
	struct case_clock clock = clock_of(SITE_OUTFALL, SEVERITY_GENERAL, CASE_REGISTERED, true,
					   TRACK_NONE, "2026-03-02T10:00:00");
	(void)state;
	clock.severity = SEVERITY_GRAVE;
	deadline_tighten(&plan, &clock);
	expect_time(clock.due_ms, "2026-03-02T14:00:00");
	clock.severity = SEVERITY_GENERAL;
	deadline_tighten(&plan, &clock);
	expect_time(clock.due_ms, "2026-03-02T14:00:00");
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_minutes_run_through_nights_and_holidays),
		TEST(test_a_working_day_ends_with_the_day_and_the_first_does_not_count),
		TEST(test_holidays_do_not_count_and_worked_weekends_do),
		TEST(test_calendar_days_that_end_on_a_day_off_go_on_to_the_next_working_day),
		TEST(test_a_list_without_any_working_day_ends_the_search),
		TEST(test_every_stage_has_its_default_deadline),
		TEST(test_a_case_that_has_ended_and_one_without_rules_have_no_deadline),
		TEST(test_a_case_is_reminded_of_and_then_escalates_in_three_steps),
		TEST(test_a_water_source_is_reminded_of_at_half_time),
		TEST(test_a_stage_too_short_for_a_reminder_has_none),
		TEST(test_who_comes_late_hears_of_the_newest_thing_alone),
		TEST(test_a_new_stage_begins_with_a_clean_slate),
		TEST(test_a_clock_set_back_says_nothing_twice),
		TEST(test_a_deadline_is_extended_once_before_it_passes_by_its_own_length),
		TEST(test_an_extension_goes_to_the_longest_term_in_all),
		TEST(test_what_is_returned_goes_on_with_the_deadline_it_had),
		TEST(test_what_is_returned_late_has_the_short_term_and_no_more_than_the_longest),
		TEST(test_a_plan_names_its_day_up_to_the_longest_term),
		TEST(test_a_day_that_was_named_is_moved_by_an_extension_alone),
		TEST(test_what_is_put_right_at_once_has_its_own_term_at_most),
		TEST(test_a_graver_case_is_due_earlier_and_never_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
