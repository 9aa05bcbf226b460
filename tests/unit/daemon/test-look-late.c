/* SPDX-License-Identifier: Apache-2.0 */
/* Readings that came late and exceed, from the daybook to the report: over a real daybook, tallier
 * and ledger. No alert was raised for them, and none is. */
#include "deliver/report.h"
#include "look-again.h"
#include "store/ledger-marks.h"
#include "tallied.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define START INT64_C(1780243200000) /* 2026-06-01T00:00:00+08:00 */
#define END (START + 30 * DAY)

enum { PLAIN, TWICE, MONITORS };
static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};
static const struct limit at_once[] = {{.has_max = true, .max = 5, .key = "i"}};
static const struct limit by_two[] = {{.has_max = true, .max = 5, .on_count = 2, .key = "i"}};
static const struct monitor monitors[MONITORS] = {
	[PLAIN] = {.factor = "w21003", .unit = "mg/L", .limits = at_once, .n_limits = 1},
	[TWICE] = {.factor = "w21011", .unit = "mg/L", .limits = by_two, .n_limits = 1},
};
static const struct site sites[] = {
	{.id = "outfall", .name = "outfall", .kind = SITE_OUTFALL, .n_monitors = MONITORS}};
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

static int judge_late(void *context, const struct plan *of, struct daybook_reader *reader,
		      const struct marks *marks, uint32_t monitor, struct span day, int64_t *beyond)
{
	const struct look look = {
		.plan = of, .reader = reader, .marks = marks, .now_ms = day.end_ms};
	(void)context;
	return look_late(&look, monitor, day, beyond);
}

static int setup(void **state)
{
	*state = bench_new(&plan, (struct tallier_setup){.late = judge_late});
	return 0;
}

static void record(struct bench *b, uint32_t monitor, int64_t at_ms, int64_t came_ms, double value)
{
	const struct reading r = {.seq = ++b->seq,
				  .measured_ms = START + at_ms,
				  .received_ms = START + came_ms,
				  .value = value,
				  .has_value = true,
				  .monitor = monitor,
				  .flag = FLAG_NORMAL};
	assert_int_equal(daybook_append(b->daybook, &r, 1), 0);
}

/* In time: 3 mg/L at each of these hours of the first day. */
static void record_day(struct bench *b, uint32_t monitor, int first_hour, int hours)
{
	for (int64_t hour = first_hour; hour < first_hour + hours; hour++)
		record(b, monitor, hour * HOUR, hour * HOUR, 3);
}

static void add_up(struct bench *b)
{
	assert_int_equal(daybook_commit(b->daybook), 0);
	assert_int_equal(tallier_pass(b->tallier, END), 0);
}

/* What follows behind the exceedances: judged days, exceeding days, compliance and note. */
static void assert_told(struct bench *b, const char *factor, const char *wanted)
{
	char start[64];
	struct text csv = {0};
	struct tallies *tallies = NULL;
	add_up(b);
	assert_int_equal(tallies_read(&tallies, b->directory, &plan), 0);
	const struct report report = {.plan = &plan,
				      .ledger = b->ledger,
				      .tallies = tallies,
				      .span = {START, END},
				      .now_ms = END};
	assert_int_equal(report_csv(&csv, &report), 0);
	snprintf(start, sizeof start, "monitors,outfall,%s,", factor);
	char *row = strstr(csv.at, start);
	assert_non_null(row);
	*strstr(row, "\r\n") = '\0';
	for (int i = 0; i < 14; i++)
		row = strchr(row, ',') + 1;
	assert_string_equal(row, wanted);
	text_deinit(&csv);
	tallies_close(tallies);
}

#define RATES "shares not known: no sampling rate is configured"
#define COMPLIES "1,0,1," RATES
#define EXCEEDS                                                                                    \
	"1,1,0,\"3 valid readings beyond a limit, on days for which some came late, are in no "    \
	"alert; those days count as exceeding; " RATES "\""

static void come_late(struct bench *b, uint32_t monitor)
{
	for (int i = 0; i < 3; i++)
		record(b, monitor, 6 * HOUR + i * MINUTE, 13 * HOUR + i, 9);
}

static void test_a_day_that_exceeds_by_late_readings_is_none_that_complies(void **state)
{
	struct bench *b = *state;
	record_day(b, PLAIN, 0, 12);
	assert_told(b, "w21003", COMPLIES);
	come_late(b, PLAIN);
	assert_told(b, "w21003", EXCEEDS);
	record_day(b, PLAIN, 14, 4);
	assert_told(b, "w21003", EXCEEDS);
}

static void test_a_restart_takes_late_readings_for_none_in_time(void **state)
{
	struct bench *b = *state;
	record_day(b, PLAIN, 0, 12);
	add_up(b);
	b->tallier = tallier_free(b->tallier);
	come_late(b, PLAIN);
	assert_int_equal(daybook_commit(b->daybook), 0);
	bench_begin(b, &plan, (struct tallier_setup){.late = judge_late});
	assert_told(b, "w21003", EXCEEDS);
}

static void test_the_limits_own_count_holds_for_late_readings_too(void **state)
{
	struct bench *b = *state;
	record_day(b, TWICE, 0, 12);
	record(b, TWICE, 6 * HOUR + MINUTE, 13 * HOUR, 9); /* once, between two good ones */
	assert_told(b, "w21011", COMPLIES);
	record(b, TWICE, 6 * HOUR + 2 * MINUTE, 13 * HOUR + 1, 9);
	record(b, TWICE, 6 * HOUR + 3 * MINUTE, 13 * HOUR + 2, 9);
	assert_told(b, "w21011", EXCEEDS);
}

static void test_what_is_marked_exceeds_no_more(void **state)
{
	struct bench *b = *state;
	struct text out = {0};
	const struct mark_order order = {.site = "outfall",
					 .factor = "w21003",
					 .reason = "invented",
					 .by = "H",
					 .from_ms = START + 6 * HOUR,
					 .to_ms = START + 7 * HOUR,
					 .flag = FLAG_MAINTENANCE};
	record_day(b, PLAIN, 0, 12);
	come_late(b, PLAIN);
	assert_told(b, "w21003", EXCEEDS);
	assert_int_equal(ledger_mark(b->ledger, &order, END, &out), 0);
	assert_told(b, "w21003", COMPLIES);
	text_deinit(&out);
}

static void sql(struct bench *b, const char *text)
{
	char path[80];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/tally.db", b->directory);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* What was added up of days whose readings are no longer kept must not be lost by an update. */
static void test_a_file_of_the_version_before_is_gone_on_with(void **state)
{
	struct bench *b = *state;
	record_day(b, PLAIN, 0, 12);
	add_up(b);
	b->tallier = tallier_free(b->tallier);
	sql(b, "ALTER TABLE days DROP COLUMN late; ALTER TABLE days DROP COLUMN hours;"
	       "DROP TABLE minutes; PRAGMA user_version=2;"
	       "INSERT INTO days SELECT monitor, start + 86400000, until + 86400000, load, excess,"
	       " covered, n, valid, sum, low, high FROM days");
	bench_begin(b, &plan, (struct tallier_setup){.late = judge_late});
	assert_told(b, "w21003", "2,0,1," RATES);
	come_late(b, PLAIN);
	assert_told(b, "w21003",
		    "2,1,0.5,\"3 valid readings beyond a limit, on days for which some came late, "
		    "are in no alert; those days count as exceeding; " RATES "\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_day_that_exceeds_by_late_readings_is_none_that_complies, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(test_a_restart_takes_late_readings_for_none_in_time,
						setup, bench_free),
		cmocka_unit_test_setup_teardown(
			test_the_limits_own_count_holds_for_late_readings_too, setup, bench_free),
		cmocka_unit_test_setup_teardown(test_what_is_marked_exceeds_no_more, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(test_a_file_of_the_version_before_is_gone_on_with,
						setup, bench_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
