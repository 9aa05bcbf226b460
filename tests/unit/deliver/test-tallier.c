/* SPDX-License-Identifier: Apache-2.0 */
/* The tallier over a real daybook and ledger: figures worked out by hand, restarts, late readings.
 */
#include "deliver/tallier-internal.h"
#include "deliver/tallier.h"
#include "store/ledger-marks.h"
#include "testing.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLOW, COD, ACIDITY, MONITORS };
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* 2026-12-31T00:00:00+08:00 */
#define START INT64_C(1798646400000)

static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};
static const struct permit_share shares[] = {{0.5, "50%"}, {1, "100%"}};
/* a permit of 50 kg: what two hours of 36 m³ with 500 mg/L are half of is 36 kg */
static const struct monitor monitors[MONITORS] = {
	[FLOW] = {.factor = "w00000",
		  .unit = "L/s",
		  .load_unit = "m³",
		  .load_times = 0.001,
		  .hold_ms = MINUTE},
	[COD] = {.factor = "w01018",
		 .unit = "mg/L",
		 .load_unit = "kg",
		 .load_times = 0.001,
		 .hold_ms = 2 * HOUR,
		 .permit_tonnes = 0.05,
		 .permit_load = 50,
		 .permit_source = "permit 7",
		 .permit_shares = shares,
		 .n_permit_shares = 2},
	[ACIDITY] = {.factor = "w01001", .unit = "", .hold_ms = MINUTE},
};
static const struct site sites[] = {{.id = "outfall",
				     .name = "outfall",
				     .kind = SITE_OUTFALL,
				     .opens = 1u << ALERT_LOAD,
				     .n_monitors = MONITORS,
				     .has_flow = true}};
static const struct connection connections[] = {{"c", "modbus"}};
static const struct plan plan = {.node = "edge",
				 .case_prefix = "X",
				 .case_number = "{prefix}{seq}",
				 .language = "en",
				 .zone = {east, 1},
				 .sites = sites,
				 .n_sites = 1,
				 .monitors = monitors,
				 .n_monitors = MONITORS,
				 .connections = connections,
				 .n_connections = 1};

struct bench {
	char directory[64];
	struct daybook *daybook;
	struct ledger *ledger;
	struct tallier *tallier;
	uint64_t seq;
	int raised, cleared, opened, refused;
	int64_t age_ms, keep_ms; /* by which hours go */
	struct tallier_room hours;
};

static int commit(void *context, const struct verdict *v)
{
	struct bench *b = context;
	int64_t opened;
	if (b->refused > 0) {
		b->refused--;
		return -ENOSPC;
	}
	int r = ledger_apply(b->ledger, v, 1, v->time_ms, &opened);
	b->raised += v->type == VERDICT_RAISED;
	b->cleared += v->type == VERDICT_CLEARED;
	b->opened += opened != 0;
	return r;
}

static void note(void *context, double before, double after, bool withdraw, struct text *out)
{
	(void)context;
	text_format(out, "%.12g to %.12g %s", before, after, withdraw ? "withdrawn" : "kept");
}

static int64_t age(void *context)
{
	return ((struct bench *)context)->age_ms;
}

static void begin(struct bench *b)
{
	struct tallier_setup setup = {.directory = b->directory,
				      .plan = &plan,
				      .ledger = b->ledger,
				      .newest = daybook_sequence(b->daybook),
				      .keep_ms = b->keep_ms,
				      .age_ms = age,
				      .hours = &b->hours,
				      .commit = commit,
				      .note = note,
				      .context = b};
	assert_int_equal(tallier_new(&b->tallier, &setup), 0);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	strcpy(b->directory, "/tmp/test-tallier-XXXXXX");
	assert_non_null(mkdtemp(b->directory));
	assert_int_equal(daybook_open(&b->daybook, b->directory, &plan), 0);
	assert_int_equal(ledger_open(&b->ledger, b->directory, &plan), 0);
	begin(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	tallier_free(b->tallier);
	ledger_close(b->ledger);
	daybook_close(b->daybook);
	nftw(b->directory, test_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

static void record(struct bench *b, uint32_t monitor, int64_t at_ms, double value, char flag,
		   int64_t received_ms)
{
	struct reading r = {.seq = ++b->seq,
			    .measured_ms = START + at_ms,
			    .received_ms = START + received_ms,
			    .value = value,
			    .has_value = true,
			    .monitor = monitor,
			    .flag = (uint8_t)flag};
	assert_int_equal(daybook_append(b->daybook, &r, 1), 0);
}

/* 10 L/s, 500 mg/L and pH 7: 18 kg in an hour. */
static void discharge(struct bench *b, int64_t from_ms, int64_t to_ms)
{
	for (int64_t at = from_ms; at < to_ms; at += 30 * SECOND)
		record(b, FLOW, at, 10, 'N', at);
	for (int64_t at = from_ms; at < to_ms; at += HOUR) {
		record(b, COD, at, 500, 'N', at + 5 * MINUTE);
		record(b, ACIDITY, at, 7, 'N', at);
	}
	assert_int_equal(daybook_commit(b->daybook), 0);
}

static void pass(struct bench *b, int64_t at_ms)
{
	assert_int_equal(tallier_pass(b->tallier, START + at_ms), 0);
}

/* As a kill leaves it: what was not committed is gone. */
static void restart(struct bench *b)
{
	b->tallier = tallier_free(b->tallier);
	begin(b);
}

struct found {
	size_t n;
	struct tally_row rows[64];
};

static bool find_row(void *context, const struct tally_row *row)
{
	struct found *f = context;
	assert_true(f->n < 64);
	f->rows[f->n++] = *row;
	return true;
}

static struct found look(struct bench *b, uint32_t monitor, enum tally_period period)
{
	struct found f = {0};
	struct tallies *tallies;
	assert_int_equal(tallies_read(&tallies, b->directory, &plan), 0);
	assert_int_equal(
		tallies_rows(tallies, monitor, period, (struct span){0, INT64_MAX}, find_row, &f),
		0);
	tallies_close(tallies);
	return f;
}

static void assert_same_count(const struct tally_count *a, const struct tally_count *b)
{
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->valid, b->valid);
	assert_memory_equal(&a->sum, &b->sum, sizeof a->sum);
	assert_memory_equal(&a->low, &b->low, sizeof a->low);
	assert_memory_equal(&a->high, &b->high, sizeof a->high);
	assert_int_equal(a->hours, b->hours);
}

/* To the bit; there is padding between. */
static void assert_same_row(const struct tally_row *a, const struct tally_row *b)
{
	assert_memory_equal(&a->span, &b->span, sizeof a->span);
	assert_memory_equal(&a->sum.load, &b->sum.load, sizeof a->sum.load);
	assert_memory_equal(&a->sum.excess, &b->sum.excess, sizeof a->sum.excess);
	assert_int_equal(a->sum.covered_ms, b->sum.covered_ms);
	assert_int_equal(a->sum.readings, b->sum.readings);
	assert_same_count(&a->count, &b->count);
}

static void assert_near(double value, double right)
{
	if (!(fabs(value - right) <= 1e-9))
		fail_msg("%.12g is not %.12g", value, right);
}

static void mark(struct bench *b, uint32_t monitor, int64_t from_ms, int64_t to_ms, char flag)
{
	struct text out = {0};
	const struct mark_order order = {.site = "outfall",
					 .factor = monitors[monitor].factor,
					 .reason = "invented",
					 .by = "H",
					 .from_ms = START + from_ms,
					 .to_ms = START + to_ms,
					 .flag = (enum flag)flag};
	assert_int_equal(ledger_mark(b->ledger, &order, START + to_ms, &out), 0);
	text_deinit(&out);
}

static void test_hours_days_months_and_years_add_up(void **state)
{
	struct bench *b = *state;
	discharge(b, 22 * HOUR, 26 * HOUR); /* two hours in each of two years */
	pass(b, 27 * HOUR);
	struct found hours = look(b, COD, TALLY_HOUR), days = look(b, COD, TALLY_DAY);
	struct found months = look(b, COD, TALLY_MONTH), years = look(b, COD, TALLY_YEAR);
	assert_int_equal(hours.n, 5);
	assert_near(hours.rows[0].sum.load, 18);
	assert_int_equal(hours.rows[0].sum.covered_ms, HOUR);
	assert_int_equal(days.n, 2);
	assert_near(days.rows[0].sum.load, 36);
	assert_int_equal(days.rows[0].sum.covered_ms, 2 * HOUR);
	assert_int_equal(days.rows[0].count.n, 2);
	assert_near(days.rows[1].count.sum, 1000);
	assert_int_equal(months.n, 2);
	assert_int_equal(months.rows[1].span.end_ms, START + 32 * DAY);
	assert_int_equal(years.n, 2);
	assert_int_equal(years.rows[0].span.end_ms, START + DAY);
	/* the last reading of the flow speaks for 30 s more than it was asked */
	assert_near(years.rows[1].sum.load, 36 + 0.15);
	assert_near(look(b, FLOW, TALLY_HOUR).rows[0].sum.load, 36);
	assert_int_equal(look(b, ACIDITY, TALLY_DAY).rows[0].count.valid, 2);
	assert_int_equal(look(b, ACIDITY, TALLY_HOUR).n, 0);
}

static void test_restarts_change_nothing(void **state)
{
	struct bench *b = *state;
	for (int64_t at = 0; at < 3 * HOUR; at += 7 * MINUTE + 30 * SECOND) {
		for (int64_t t = at; t < at + 7 * MINUTE + 30 * SECOND; t += 30 * SECOND)
			record(b, FLOW, t, 10, 'N', t);
		if (at % HOUR == 0)
			record(b, COD, at, 500, 'N', at);
		assert_int_equal(daybook_commit(b->daybook), 0);
		pass(b, at + 7 * MINUTE);
		restart(b);
	}
	pass(b, 4 * HOUR);
	struct found hours = look(b, COD, TALLY_HOUR);
	assert_int_equal(hours.n, 4); /* 30 s of the fourth */
	for (size_t i = 0; i < 3; i++) {
		assert_near(hours.rows[i].sum.load, 18);
		assert_int_equal(hours.rows[i].sum.covered_ms, HOUR);
	}
	assert_int_equal(look(b, FLOW, TALLY_DAY).rows[0].count.n, 360);
	assert_int_equal(look(b, COD, TALLY_DAY).rows[0].count.n, 3);
}

static void test_late_readings_do_the_day_again(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, 2 * HOUR);
	pass(b, 3 * HOUR);
	assert_near(look(b, COD, TALLY_DAY).rows[0].sum.load, 36 + 0.15);
	record(b, COD, 30 * MINUTE, 1000, 'N', 5 * HOUR); /* half an hour with 500 mg/L more */
	assert_int_equal(daybook_commit(b->daybook), 0);
	pass(b, 5 * HOUR);
	assert_near(look(b, COD, TALLY_HOUR).rows[0].sum.load, 18 + 9);
	assert_near(look(b, COD, TALLY_DAY).rows[0].sum.load, 36 + 0.15 + 9);
	assert_int_equal(look(b, COD, TALLY_DAY).rows[0].count.n, 3);
	assert_int_equal(look(b, FLOW, TALLY_DAY).rows[0].count.n, 240);
	pass(b, 6 * HOUR);
	assert_int_equal(look(b, FLOW, TALLY_DAY).rows[0].count.n, 240);
}

static void test_a_day_done_again_is_the_same(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, 3 * HOUR);
	pass(b, 30 * HOUR);
	struct found before = look(b, COD, TALLY_HOUR);
	mark(b, COD, HOUR, 2 * HOUR, 'N'); /* lifts nothing */
	pass(b, 30 * HOUR);
	struct found after = look(b, COD, TALLY_HOUR);
	assert_int_equal(before.n, after.n);
	for (size_t i = 0; i < before.n; i++)
		assert_same_row(&before.rows[i], &after.rows[i]);
}

static void test_a_kill_after_a_day_was_done_again_counts_nothing_twice(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, 2 * HOUR);
	pass(b, 3 * HOUR);
	record(b, COD, 30 * MINUTE, 1000, 'N', 3 * HOUR);
	assert_int_equal(daybook_commit(b->daybook), 0);
	assert_int_equal(tallier_round(b->tallier, START + 3 * HOUR + SECOND, false), 0);
	record(b, FLOW, 3 * HOUR, 10, 'N', 3 * HOUR + 2 * SECOND);
	assert_int_equal(daybook_commit(b->daybook), 0);
	assert_int_equal(tallier_round(b->tallier, START + 3 * HOUR + 3 * SECOND, true), 0);
	restart(b);
	pass(b, 5 * HOUR);
	assert_int_equal(look(b, FLOW, TALLY_DAY).rows[0].count.n, 241);
	assert_int_equal(look(b, COD, TALLY_DAY).rows[0].count.n, 3);
}

static void assert_case_says(struct bench *b, const char *words, bool says)
{
	struct text json = {0};
	assert_int_equal(ledger_case_json(b->ledger, 1, &json), 0);
	assert_int_equal(strstr(json.at, words) != NULL, says);
	text_deinit(&json);
}

static void test_what_is_marked_afterwards_carries_nothing(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, 3 * HOUR);
	pass(b, 4 * HOUR);
	assert_near(look(b, COD, TALLY_DAY).rows[0].sum.load, 54 + 0.15);
	assert_int_equal(ledger_active_count(b->ledger, ALERT_LOAD), 2);
	mark(b, COD, HOUR, 2 * HOUR, 'M');
	restart(b); /* a mark that nobody has seen yet lasts */
	pass(b, 5 * HOUR);
	struct found hours = look(b, COD, TALLY_HOUR), days = look(b, COD, TALLY_DAY);
	assert_int_equal(hours.rows[1].sum.covered_ms, 0);
	assert_near(hours.rows[2].sum.load, 18);
	assert_near(days.rows[0].sum.load, 36 + 0.15);
	assert_int_equal(days.rows[0].sum.covered_ms, 2 * HOUR + 30 * SECOND);
	assert_int_equal(days.rows[0].count.n, 3);
	assert_int_equal(days.rows[0].count.valid, 2);
	assert_near(look(b, FLOW, TALLY_HOUR).rows[1].sum.load, 36);
	assert_int_equal(ledger_active_count(b->ledger, ALERT_LOAD), 1); /* 36 of 50 kg */
	assert_case_says(b, "0.05415 to 0.03615 kept", true);

	mark(b, COD, HOUR, 2 * HOUR, 'N'); /* an error: it is lifted */
	pass(b, 6 * HOUR);
	assert_near(look(b, COD, TALLY_DAY).rows[0].sum.load, 54 + 0.15);
	assert_int_equal(ledger_active_count(b->ledger, ALERT_LOAD), 2);
	assert_case_says(b, "0.03615 to 0.05415 kept", true);
	assert_case_says(b, "withdrawn", false);
	mark(b, FLOW, 0, 3 * HOUR, 'C');
	pass(b, 7 * HOUR);
	assert_near(look(b, COD, TALLY_DAY).rows[0].sum.load, 0);
	assert_int_equal(ledger_active_count(b->ledger, ALERT_LOAD), 0);
	assert_case_says(b, "0.05415 to 0 withdrawn", true);
}

static void test_a_mark_that_lies_ahead_holds_for_what_comes(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, 2 * HOUR);
	pass(b, 90 * MINUTE);
	mark(b, COD, HOUR, 3 * HOUR, 'M');
	pass(b, 91 * MINUTE);
	discharge(b, 2 * HOUR, 4 * HOUR);
	pass(b, 3 * HOUR + 30 * MINUTE);
	struct found hours = look(b, COD, TALLY_HOUR);
	assert_near(hours.rows[0].sum.load, 18);
	assert_int_equal(hours.rows[1].sum.covered_ms, 0);
	assert_int_equal(hours.rows[2].sum.covered_ms, 0);
	pass(b, 5 * HOUR);
	assert_near(look(b, COD, TALLY_DAY).rows[0].sum.load, 36 + 0.15);
}

static void test_a_permit_is_judged_once(void **state)
{
	struct bench *b = *state;
	discharge(b, 20 * HOUR, 23 * HOUR); /* 18, 36 and 54 kg of 50 */
	pass(b, 22 * HOUR + 9 * MINUTE);
	assert_int_equal(b->raised, 0);
	pass(b, 22 * HOUR + 11 * MINUTE);
	assert_int_equal(b->raised, 1);
	assert_int_equal(b->opened, 1);
	restart(b);
	pass(b, 23 * HOUR + 11 * MINUTE);
	assert_int_equal(b->raised, 2);
	assert_int_equal(b->opened, 1); /* the same case */
	assert_int_equal(ledger_active_count(b->ledger, ALERT_LOAD), 2);
	restart(b);
	pass(b, 23 * HOUR + 30 * MINUTE);
	assert_int_equal(b->cleared, 0);
	discharge(b, 24 * HOUR, 25 * HOUR); /* another year */
	pass(b, 25 * HOUR + 11 * MINUTE);
	assert_int_equal(b->cleared, 2);
	assert_int_equal(ledger_active_count(b->ledger, ALERT_LOAD), 0);
}

static void test_a_ledger_that_cannot_be_written_is_asked_again(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, 3 * HOUR);
	b->refused = 1;
	assert_int_equal(tallier_pass(b->tallier, START + 3 * HOUR + 11 * MINUTE), -ENOSPC);
	assert_int_equal(b->raised, 0);
	pass(b, 3 * HOUR + 12 * MINUTE);
	assert_int_equal(b->raised, 2);
}

static void test_a_clock_that_ran_ahead_is_followed_back(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, HOUR);
	pass(b, 3 * DAY); /* the clock was wrong */
	discharge(b, HOUR, 3 * HOUR);
	pass(b, 3 * HOUR + 11 * MINUTE);
	pass(b, 5 * HOUR);
	struct found hours = look(b, COD, TALLY_HOUR);
	assert_true(hours.n >= 3);
	for (size_t i = 0; i < 3; i++)
		assert_near(hours.rows[i].sum.load, 18);
	assert_int_equal(look(b, FLOW, TALLY_DAY).rows[0].count.n, 360);
}

static void test_hours_go_by_the_clock_that_is_believed(void **state)
{
	struct bench *b = *state;
	b->keep_ms = 30 * DAY;
	b->age_ms = START + 4 * HOUR;
	restart(b);
	discharge(b, 0, 3 * HOUR);
	pass(b, 3650 * DAY); /* by the wall clock they are long over */
	assert_int_equal(look(b, COD, TALLY_HOUR).n, 4);
	b->age_ms = START + 30 * DAY + HOUR;
	pass(b, 3650 * DAY + HOUR);
	assert_int_equal(look(b, COD, TALLY_HOUR).n, 3);
	assert_int_equal(look(b, COD, TALLY_DAY).n, 1); /* days stay */
}

static void test_hours_go_where_somebody_needs_their_room(void **state)
{
	struct bench *b = *state;
	b->keep_ms = 3650 * DAY;
	b->age_ms = START + 26 * HOUR;
	restart(b);
	discharge(b, 22 * HOUR, 26 * HOUR); /* over the turn of the year */
	pass(b, 27 * HOUR);
	struct found days = look(b, COD, TALLY_DAY);
	b->age_ms += DAY;
	pass(b, 51 * HOUR);
	assert_int_equal(atomic_load(&b->hours.from_ms), START + 22 * HOUR);
	atomic_store(&b->hours.drop_before_ms, START + DAY);
	pass(b, 52 * HOUR);
	assert_int_equal(atomic_load(&b->hours.from_ms), START + DAY);
	assert_int_equal(look(b, COD, TALLY_HOUR).n, 3);
	struct found left = look(b, COD, TALLY_DAY);
	assert_int_equal(left.n, 2); /* days stay as they were */
	assert_same_row(&left.rows[0], &days.rows[0]);
	pass(b, 53 * HOUR);
	assert_int_equal(look(b, COD, TALLY_HOUR).n, 3);
}

static void test_a_kill_after_many_late_days_counts_nothing_twice(void **state)
{
	struct bench *b = *state;
	discharge(b, 0, HOUR);
	pass(b, HOUR);
	for (int64_t i = 1; i <= 6; i++) /* more days than are counted in memory */
		record(b, ACIDITY, -i * DAY, 7, 'N', HOUR + SECOND);
	assert_int_equal(daybook_commit(b->daybook), 0);
	b->tallier->kept_ms = START + HOUR + SECOND; /* nothing is due */
	assert_int_equal(tallier_round(b->tallier, START + HOUR + 2 * SECOND, false), 0);
	restart(b);
	pass(b, HOUR + MINUTE);
	struct found days = look(b, ACIDITY, TALLY_DAY);
	assert_int_equal(days.n, 7);
	for (size_t i = 0; i < days.n; i++)
		assert_int_equal(days.rows[i].count.n, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hours_days_months_and_years_add_up),
		TEST(test_restarts_change_nothing),
		TEST(test_late_readings_do_the_day_again),
		TEST(test_a_day_done_again_is_the_same),
		TEST(test_a_kill_after_a_day_was_done_again_counts_nothing_twice),
		TEST(test_what_is_marked_afterwards_carries_nothing),
		TEST(test_a_mark_that_lies_ahead_holds_for_what_comes),
		TEST(test_a_permit_is_judged_once),
		TEST(test_a_ledger_that_cannot_be_written_is_asked_again),
		TEST(test_a_clock_that_ran_ahead_is_followed_back),
		TEST(test_hours_go_by_the_clock_that_is_believed),
		TEST(test_hours_go_where_somebody_needs_their_room),
		TEST(test_a_kill_after_many_late_days_counts_nothing_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
