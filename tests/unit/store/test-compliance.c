/* SPDX-License-Identifier: Apache-2.0 */
/* The data test of closing: which days count, and what a refusal says of the others. */
#include "measured.h"

#include "store/ledger-marks.h"

#define GOOD                                                                                       \
	(struct tally_count)                                                                       \
	{                                                                                          \
		.n = 24, .valid = 24, .sum = 240, .low = 10, .high = 10, .hours = 0xffffff         \
	}

/* The test plan, with limits that ask for a share, and a flow before the others. */
static struct monitor monitors[MONITORS];
static struct limit limits[3];
static struct site sites[2];

static int set_up_shares(void **state)
{
	int r = set_up(state);
	memcpy(monitors, plan_monitors, sizeof monitors);
	memcpy(limits, cod_limits, sizeof limits);
	memcpy(sites, plan_sites, sizeof sites);
	for (size_t i = 0; i < 3; i++)
		limits[i].min_valid = 0.75;
	monitors[COD].limits = limits;
	plan.monitors = monitors;
	plan.sites = sites;
	rules.closing = (struct closing){.clear = true};
	rules.closing.compliant_days[SITE_OUTFALL] = 3;
	return r;
}
#define SHARES(f) cmocka_unit_test_setup_teardown(f, set_up_shares, directory_remove)

/* An exceedance of COD that ended on the day of NOW, put right and ready to be closed. */
static struct ledger *ready(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW);
	const struct case_order steps[] = {
		{.action = ACTION_ASSIGN, .by = "A", .unit = "U"},
		{.action = ACTION_PLAN, .by = "A", .note = "n"},
		{.action = ACTION_RECTIFIED, .by = "A"},
	};
	struct text out = {0};
	apply(ledger, v);
	apply(ledger, cleared(v, NOW + 1000));
	for (size_t i = 0; i < 3; i++) {
		text_clear(&out);
		assert_int_equal(ledger_act(ledger, 1, &steps[i], NOW + 2000, &out), 0);
	}
	text_deinit(&out);
	return ledger;
}

static int closes_case(struct ledger *ledger, int64_t id, int64_t now_ms, const char *part)
{
	const struct case_order close = {.action = ACTION_CLOSE, .by = "B", .note = "done"};
	struct text out = {0};
	int r = ledger_act(ledger, id, &close, now_ms, &out);
	if (out.at == NULL || strstr(out.at, part) == NULL)
		fail_msg("%s\nlacks %s", out.at, part);
	text_deinit(&out);
	return r;
}

static int closes(struct ledger *ledger, int64_t now_ms, const char *part)
{
	return closes_case(ledger, 1, now_ms, part);
}

static void test_days_without_data_are_not_compliant(void **state)
{
	struct ledger *ledger = ready(state);
	int64_t later = NOW + 4 * DAY_MS;

	/* nothing was ever added up; then all is, and there is nothing */
	assert_int_equal(closes(ledger, later, "2026-01-05: not added up yet"), LEDGER_REFUSED);
	measured_until(state, later);
	assert_int_equal(
		closes(ledger, later,
		       "more compliant days (0 of 3); whole days count from 2026-01-03 on; "
		       "2026-01-05: nothing"
		       " was recorded; 2026-01-04: nothing was recorded; 2026-01-03: nothing"
		       " was recorded\","),
		LEDGER_REFUSED);
	assert_int_equal(
		closes(ledger, later,
		       "\"missing\":[\"days\"],\"days\":[{\"day\":\"2026-01-05\","
		       "\"is\":\"nothing\",\"site\":\"outfall-3\",\"factor\":\"w01018\"},"),
		LEDGER_REFUSED);
	measured(state, COD, NOW + DAY_MS, 3);
	assert_int_equal(closes(ledger, later, "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_a_day_counts_from_its_share_of_valid_readings_on(void **state)
{
	struct ledger *ledger = ready(state);
	struct tally_count short_of = GOOD;

	monitors[COD].expected_per_hour = 60;
	measured(state, COD, NOW + DAY_MS, 3);
	short_of.n = 1440; /* all came, a quarter and one marked as maintenance */
	for (int i = 1; i <= 3; i++) {
		short_of.valid = i == 2 ? 1079 : 1080;
		short_of.sum = 10 * (double)short_of.valid;
		measured_day(state, COD, NOW + i * DAY_MS, short_of);
	}
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS,
				"(2 of 3); whole days count from 2026-01-03 on; 2026-01-04: 1079 "
				"of 1440 readings are"
				" valid, and 1080 are needed\","),
			 LEDGER_REFUSED);
	/* it says nothing, and the days on both sides count */
	short_of.valid = 1080;
	measured_day(state, COD, NOW + 4 * DAY_MS, short_of);
	measured_until(state, NOW + 5 * DAY_MS);
	assert_int_equal(closes(ledger, NOW + 5 * DAY_MS, "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_where_nobody_said_how_many_are_due_the_hours_count(void **state)
{
	struct ledger *ledger = ready(state);
	struct tally_count one = GOOD;

	measured(state, COD, NOW + DAY_MS, 3);
	one.n = one.valid = 5000; /* within four hours */
	one.sum = 50000;
	one.hours = 0xf;
	measured_day(state, COD, NOW + 2 * DAY_MS, one);
	assert_int_equal(
		closes(ledger, NOW + 4 * DAY_MS,
		       "2026-01-04: 4 of 24 hours have a valid reading, and 18 are needed"),
		LEDGER_REFUSED);
	/* one result in six hours is what there can be */
	monitors[COD].cycle_ms = 6 * 3600000;
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS, "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_what_came_in_late_exceeds_without_an_alert(void **state)
{
	struct ledger *ledger = ready(state);
	struct tally_count late = GOOD;
	const struct span day = {DAY_START(NOW) + 2 * DAY_MS, DAY_START(NOW) + 3 * DAY_MS};
	struct tallies *tallies;

	measured(state, COD, NOW + DAY_MS, 4);
	late.high = 41; /* above an instant limit that waits for nothing */
	measured_day(state, COD, NOW + 2 * DAY_MS, late);
	assert_int_equal(closes(ledger, NOW + 5 * DAY_MS,
				"(2 of 3); whole days count from 2026-01-03 on; 2026-01-04: a "
				"limit is exceeded\","),
			 LEDGER_REFUSED);
	/* one that waits is its alert's to say, or the tallier's, who has put them in order */
	limits[0].on_delay_ms = limits[1].on_delay_ms = 1000;
	assert_int_equal(tallies_open(&tallies, *state, &plan), 0);
	assert_int_equal(tallies_put_late(tallies, COD, day, 2), 0);
	assert_int_equal(closes(ledger, NOW + 5 * DAY_MS, "2026-01-04: a limit is exceeded"),
			 LEDGER_REFUSED);
	assert_int_equal(tallies_put_late(tallies, COD, day, TALLY_LATE), 0);
	tallies_close(tallies);
	assert_int_equal(closes(ledger, NOW + 5 * DAY_MS, "\"closed\""), 0);
	ledger_close(ledger);
}

static void test_a_mean_of_the_day_is_taken_of_all_that_came(void **state)
{
	struct ledger *ledger = ready(state);
	struct tally_count late = GOOD;

	limits[0] = (struct limit){
		.has_max = true, .max = 20, .average = AVERAGE_DAY, .min_valid = 0.75};
	measured(state, COD, NOW + DAY_MS, 3);
	late.sum = 24 * 20.5;
	late.high = 35;
	measured_day(state, COD, NOW + 3 * DAY_MS, late);
	assert_int_equal(
		closes(ledger, NOW + 4 * DAY_MS,
		       "(0 of 3); whole days count from 2026-01-03 on; 2026-01-05: a limit"),
		LEDGER_REFUSED);
	ledger_close(ledger);
}

static void test_a_day_is_counted_once_it_is_added_up_with_its_marks(void **state)
{
	struct ledger *ledger = ready(state);
	struct tallies *tallies;

	measured(state, COD, NOW + DAY_MS, 3);
	measured_until(state, DAY_START(NOW) + 4 * DAY_MS - 1);
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS, "2026-01-05: not added up yet"),
			 LEDGER_REFUSED);
	measured_until(state, DAY_START(NOW) + 4 * DAY_MS);
	assert_int_equal(tallies_open(&tallies, *state, &plan), 0);
	assert_int_equal(tallies_again(tallies, SITE_OUTFALL_3, DAY_START(NOW) + 2 * DAY_MS,
				       DAY_START(NOW) + 2 * DAY_MS),
			 0);
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS, "2026-01-04: not added up yet"),
			 LEDGER_REFUSED);
	assert_int_equal(tallies_not_again(tallies, SITE_OUTFALL_3, DAY_START(NOW) + 2 * DAY_MS),
			 0);
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS, "\"closed\""), 0);
	tallies_close(tallies);
	ledger_close(ledger);
}

static void test_nothing_counts_before_a_mark_is_taken_up(void **state)
{
	struct ledger *ledger = ready(state);
	const struct mark_order mark = {.site = "outfall-3",
					.factor = "w01018",
					.reason = "r",
					.by = "B",
					.from_ms = NOW + 2 * DAY_MS,
					.to_ms = NOW + 2 * DAY_MS + 1,
					.flag = FLAG_MAINTENANCE};
	const int64_t marked = 1;
	struct tallies *tallies;
	struct text out = {0};

	measured(state, COD, NOW + DAY_MS, 3);
	assert_int_equal(ledger_mark(ledger, &mark, NOW + 3 * DAY_MS, &out), 0);
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS, "2026-01-05: not added up yet"),
			 LEDGER_REFUSED);
	assert_int_equal(tallies_open(&tallies, *state, &plan), 0);
	assert_int_equal(tallies_put(tallies, "marked", &marked, sizeof marked), 0);
	tallies_close(tallies);
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS, "\"closed\""), 0);
	text_deinit(&out);
	ledger_close(ledger);
}

static void put_flow(void **state, int64_t day_ms, int hour, double m3)
{
	const struct span span = {day_ms + hour * 3600000, day_ms + (hour + 1) * 3600000};
	const struct tally_sum sum = {.load = m3, .covered_ms = 3600000};
	struct tallies *tallies;
	assert_int_equal(tallies_open(&tallies, *state, &plan), 0);
	assert_int_equal(tallies_put_hour(tallies, AMMONIA, span, &sum), 0);
	tallies_close(tallies);
}

static void test_hours_without_discharge_are_not_asked_for(void **state)
{
	struct ledger *ledger = ready(state);
	struct tally_count few = {
		.n = 3, .valid = 3, .sum = 30, .low = 10, .high = 10, .hours = 0x7};

	monitors[COD].gated = true;
	sites[0].has_gate = sites[0].has_flow = true;
	sites[0].flow_monitor = AMMONIA; /* stands for one, in m³/s */
	sites[0].gate_below = 0.001;
	monitors[AMMONIA].load_times = 1;
	measured(state, COD, NOW + DAY_MS, 3);
	measured_day(state, COD, NOW + 2 * DAY_MS, few);
	assert_int_equal(
		closes(ledger, NOW + 4 * DAY_MS,
		       "2026-01-04: 3 of 24 hours have a valid reading, and 18 are needed"),
		LEDGER_REFUSED);
	for (int hour = 4; hour < 24; hour++)
		put_flow(state, DAY_START(NOW) + 2 * DAY_MS, hour, 3.5);
	measured_day(state, COD, NOW + 3 * DAY_MS, (struct tally_count){.n = 24});
	for (int hour = 0; hour < 24; hour++)
		put_flow(state, DAY_START(NOW) + 3 * DAY_MS, hour, 0);
	assert_int_equal(closes(ledger, NOW + 4 * DAY_MS,
				"(2 of 3); whole days count from 2026-01-03 on; 2026-01-05: "
				"nothing was discharged\","),
			 LEDGER_REFUSED);
	ledger_close(ledger);
}

static void test_an_alert_breaks_the_row_and_a_monitor_that_is_gone_says_nothing(void **state)
{
	struct ledger *ledger = ready(state);
	struct verdict v = raised(COD, 2, 55, NOW + 2 * DAY_MS);

	measured(state, COD, NOW + DAY_MS, 4);
	apply(ledger, v);
	apply(ledger, cleared(v, NOW + 2 * DAY_MS + 3600000));
	assert_int_equal(
		closes(ledger, NOW + 5 * DAY_MS, "(2 of 3); whole days count from 2026-01-05 on"),
		LEDGER_REFUSED);
	monitors[COD].factor = "w99999";
	assert_int_equal(closes(ledger, NOW + 5 * DAY_MS,
				"2026-01-06: the monitor is no longer configured; 2026-01-05"),
			 LEDGER_REFUSED);
	ledger_close(ledger);
}

/* What lives on in another case is put right there, or nowhere. */
static void test_a_merged_case_holds_the_other_one_open_as_itself(void **state)
{
	struct ledger *ledger = ruled_ledger(state);
	struct verdict v = raised(COD, 0, 61, NOW);
	const struct case_order open = {.site = "river-1", .source = "complaint", .by = "A"};
	const struct case_order steps[] = {
		{.action = ACTION_ASSIGN, .by = "A", .unit = "U"},
		{.action = ACTION_PLAN, .by = "A", .note = "n"},
		{.action = ACTION_RECTIFIED, .by = "A"},
	};
	const struct case_order merge = {
		.action = ACTION_MERGE, .by = "A", .note = "n", .other = 2};
	struct text out = {0};

	rules.closing.compliant_days[SITE_RIVER_SECTION] = 2;
	apply(ledger, v);
	assert_int_equal(ledger_open_case(ledger, &open, NOW, &out), 0);
	for (size_t i = 0; i < 3; i++) {
		text_clear(&out);
		assert_int_equal(ledger_act(ledger, 2, &steps[i], NOW, &out), 0);
	}
	text_clear(&out);
	assert_int_equal(ledger_act(ledger, 1, &merge, NOW, &out), 0);
	assert_int_equal(closes_case(ledger, 2, NOW + 1000, "\"missing\":[\"clear\",\"days\"]"),
			 LEDGER_REFUSED);
	apply(ledger, cleared(v, NOW + DAY_MS));
	measured(state, COD, NOW + 2 * DAY_MS, 1);
	assert_int_equal(closes_case(ledger, 2, NOW + 4 * DAY_MS,
				     "(1 of 2); whole days count from 2026-01-04 on; 2026-01-05: "
				     "not added up yet\","),
			 LEDGER_REFUSED);
	measured(state, COD, NOW + 2 * DAY_MS, 2);
	assert_int_equal(closes_case(ledger, 2, NOW + 4 * DAY_MS, "\"closed\""), 0);
	text_deinit(&out);
	ledger_close(ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARES(test_days_without_data_are_not_compliant),
		SHARES(test_a_day_counts_from_its_share_of_valid_readings_on),
		SHARES(test_where_nobody_said_how_many_are_due_the_hours_count),
		SHARES(test_what_came_in_late_exceeds_without_an_alert),
		SHARES(test_a_mean_of_the_day_is_taken_of_all_that_came),
		SHARES(test_a_day_is_counted_once_it_is_added_up_with_its_marks),
		SHARES(test_nothing_counts_before_a_mark_is_taken_up),
		SHARES(test_hours_without_discharge_are_not_asked_for),
		SHARES(test_a_merged_case_holds_the_other_one_open_as_itself),
		SHARES(test_an_alert_breaks_the_row_and_a_monitor_that_is_gone_says_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
