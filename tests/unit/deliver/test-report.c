/* SPDX-License-Identifier: Apache-2.0 */
/* Which days of a report exceed: over a real daybook, tallier and ledger, with marks. */
#include "deliver/report.h"
#include "store/ledger-instruments.h"
#include "store/ledger-marks.h"
#include "tallied.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COD, AMMONIA, PHOSPHORUS, RAIN, NITROGEN, ACIDITY, CHLORINE, MONITORS };
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
/* 2026-06-01T00:00:00+08:00 */
#define START INT64_C(1780243200000)
#define END (START + 30 * DAY)

static const struct zone_change east[] = {{INT64_MIN, 8 * 3600}};
static const struct limit of_days[] = {
	{.has_max = true, .max = 50, .average = AVERAGE_DAY, .min_valid = 0.75, .key = "d"}};
static const struct limit of_values[] = {
	{.has_max = true, .max = 5, .opens_case = true, .key = "i"}};
static const struct limit of_hours[] = {
	{.has_max = true, .max = 5, .average = AVERAGE_HOUR, .off_count = 2, .key = "h"}};
static const struct monitor monitors[MONITORS] = {
	[COD] = {.factor = "w01018",
		 .factor_name = "COD",
		 .name_en = "COD",
		 .name_zh = "\u5316\u5b66\u9700\u6c27\u91cf",
		 .unit = "mg/L",
		 .expected_per_hour = 1.0 / 6,
		 .limits = of_days,
		 .n_limits = 1},
	[AMMONIA] = {.factor = "w21003", .unit = "mg/L", .limits = of_values, .n_limits = 1},
	[PHOSPHORUS] = {.factor = "w21011",
			.unit = "mg/L",
			.gated = true,
			.limits = of_days,
			.n_limits = 1},
	[NITROGEN] = {.factor = "w21001",
		      .unit = "mg/L",
		      .settle_results = 1,
		      .expected_per_hour = 1.0 / 6,
		      .limits = of_days,
		      .n_limits = 1},
	[CHLORINE] = {.factor = "w21022", .unit = "mg/L", .limits = of_hours, .n_limits = 1},
	[ACIDITY] = {.factor = "w01001", .no_mean = true},
	[RAIN] = {.factor = "a-rain", .unit = "mm", .decimals = 1, .no_mean = true},
};
static const struct site sites[] = {{.id = "outfall",
				     .name = "outfall",
				     .kind = SITE_WATER_SOURCE,
				     .opens = 1u << ALERT_EXCEEDANCE,
				     .n_monitors = MONITORS}};
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

static int setup(void **state)
{
	*state = bench_new(&plan, (struct tallier_setup){0});
	return 0;
}

static void record(struct bench *b, uint32_t monitor, int64_t at_ms, double value)
{
	const struct reading r = {.seq = ++b->seq,
				  .measured_ms = START + at_ms,
				  .received_ms = START + at_ms,
				  .value = value,
				  .has_value = true,
				  .monitor = monitor,
				  .flag = FLAG_NORMAL};
	assert_int_equal(daybook_append(b->daybook, &r, 1), 0);
}

/* A day's results, one every six hours; a negative one is missing. */
static void day(struct bench *b, uint32_t monitor, int64_t n, const double values[4])
{
	for (int i = 0; i < 4; i++)
		if (values[i] >= 0)
			record(b, monitor, n * DAY + i * 6 * HOUR, values[i]);
}

static void raise(struct bench *b, enum alert_kind kind, uint32_t monitor, enum average average,
		  int64_t began_ms, int64_t raised_ms, int64_t cleared_ms)
{
	struct verdict v = {.type = VERDICT_RAISED,
			    .kind = kind,
			    .has_limit = kind == ALERT_EXCEEDANCE,
			    .limit_value = 5,
			    .average = average,
			    .bound = BOUND_MAX,
			    .monitor = monitor,
			    .connection = NO_INDEX,
			    .began_ms = START + began_ms,
			    .raised_ms = START + raised_ms,
			    .time_ms = START + raised_ms};
	assert_int_equal(ledger_apply(b->ledger, &v, 1, v.time_ms, NULL), 0);
	v.type = VERDICT_CLEARED;
	v.time_ms = START + cleared_ms;
	assert_int_equal(ledger_apply(b->ledger, &v, 1, v.time_ms, NULL), 0);
}

static void alert(struct bench *b, uint32_t monitor, enum average average, int64_t began_ms,
		  int64_t raised_ms, int64_t cleared_ms)
{
	raise(b, ALERT_EXCEEDANCE, monitor, average, began_ms, raised_ms, cleared_ms);
}

static int64_t mark(struct bench *b, uint32_t monitor, int64_t from_ms, int64_t to_ms)
{
	struct text out = {0};
	const struct mark_order order = {.site = "outfall",
					 .factor = monitors[monitor].factor,
					 .reason = "invented",
					 .by = "H",
					 .from_ms = START + from_ms,
					 .to_ms = START + to_ms,
					 .flag = FLAG_MAINTENANCE};
	assert_int_equal(ledger_mark(b->ledger, &order, END, &out), 0);
	text_deinit(&out);
	return ledger_mark_last(b->ledger);
}

static void settled(void *context, const struct recomputation *change, bool withdraw,
		    struct text *out)
{
	(void)context;
	(void)change;
	(void)withdraw;
	text_add(out, "anew");
}

/* What a mark made of the mean of a day, as the daemon keeps it. */
static void recomputed(struct bench *b, int64_t mark_id, uint32_t monitor, int64_t n,
		       enum outcome was, enum outcome is)
{
	const struct recomputation change = {.monitor = monitor,
					     .start_ms = START + n * DAY,
					     .end_ms = START + (n + 1) * DAY,
					     .was = was,
					     .is = is};
	assert_int_equal(ledger_mark_settle(b->ledger, mark_id, &change, 1, END, settled, NULL), 0);
}

/* The columns days, exceedances, judged days, exceeding days and compliance of a factor. */
static void assert_row(struct bench *b, const char *factor, const char *expected)
{
	char start[64], row[128] = "";
	struct text csv = {0};
	struct tallies *tallies = NULL;
	assert_int_equal(daybook_commit(b->daybook), 0);
	assert_int_equal(tallier_pass(b->tallier, END), 0);
	assert_int_equal(tallies_read(&tallies, b->directory, &plan), 0);
	const struct report report = {.plan = &plan,
				      .ledger = b->ledger,
				      .tallies = tallies,
				      .span = {START, END},
				      .now_ms = END};
	assert_int_equal(report_csv(&csv, &report), 0);
	snprintf(start, sizeof start, "monitors,outfall,%s,", factor);
	char *at = strstr(csv.at, start), *save;
	assert_non_null(at);
	*strchr(at, '\r') = '\0';
	char *fields[20] = {0};
	size_t n = 0;
	for (char *field = at; field != NULL && n < 20; n++) {
		save = strchr(field, ',');
		if (save != NULL)
			*save++ = '\0';
		fields[n] = field;
		field = save;
	}
	assert_int_equal(n, 18);
	snprintf(row, sizeof row, "%s %s %s %s %s", fields[5], fields[13], fields[14], fields[15],
		 fields[16]);
	assert_string_equal(row, expected);
	text_deinit(&csv);
	tallies_close(tallies);
}

static void assert_told(struct bench *b, const char *line);

static void test_a_day_is_what_its_mean_says_and_not_what_an_alert_spans(void **state)
{
	struct bench *b = *state;
	day(b, COD, 0, (const double[]){186, 46, 46, 46}); /* 81 */
	day(b, COD, 1, (const double[]){90, 10, -1, -1});  /* too few to tell */
	day(b, COD, 2, (const double[]){50, 50, 50, 50});  /* equal complies */
	day(b, COD, 3, (const double[]){60, 60, 60, -1});
	alert(b, COD, AVERAGE_DAY, 0, DAY, 3 * DAY);
	alert(b, COD, AVERAGE_DAY, 3 * DAY, 4 * DAY, 6 * DAY);
	assert_row(b, "w01018", "4 2 3 2 0.333333333333");
}

static void test_a_mark_makes_a_day_comply_and_another_undetermined(void **state)
{
	struct bench *b = *state;
	day(b, COD, 0, (const double[]){186, 46, 46, 46});
	day(b, COD, 1, (const double[]){60, 60, 60, -1});
	day(b, COD, 2, (const double[]){60, 60, 60, 60});
	assert_row(b, "w01018", "3 0 3 3 0");
	mark(b, COD, 0, HOUR);
	mark(b, COD, DAY, DAY + HOUR);
	assert_row(b, "w01018", "3 0 2 1 0.5");
}

static void test_a_day_that_is_not_over_is_not_judged(void **state)
{
	struct bench *b = *state;
	day(b, COD, 29, (const double[]){60, 60, 60, 60});
	assert_row(b, "w01018", "1 0 1 1 0");
	day(b, COD, 30, (const double[]){60, 60, 60, 60});
	assert_row(b, "w01018", "1 0 1 1 0");
}

static void test_without_a_limit_of_days_a_day_is_what_an_exceedance_touches(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 4; i++)
		day(b, AMMONIA, i, (const double[]){6, 4, 4, 6});
	alert(b, AMMONIA, AVERAGE_INSTANT, 23 * HOUR, 23 * HOUR, 2 * DAY + HOUR);
	assert_row(b, "w21003", "4 1 4 3 0.25");
	/* what was maintenance touches nothing; what is left of it does */
	mark(b, AMMONIA, 20 * HOUR, DAY);
	mark(b, AMMONIA, 2 * DAY, 3 * DAY);
	assert_row(b, "w21003", "3 1 3 1 0.666666666667");
}

static void
test_an_alert_that_goes_on_in_silence_touches_days_of_which_nothing_is_known(void **state)
{
	struct bench *b = *state;
	day(b, AMMONIA, 0, (const double[]){4, 4, 4, 6});
	alert(b, AMMONIA, AVERAGE_INSTANT, 23 * HOUR, 23 * HOUR, 12 * DAY);
	assert_row(b, "w21003", "1 1 1 1 0");
}

/* An alert that clears late, by its deadband or its delay, goes on over days that comply. */
static void test_a_day_without_a_value_beyond_the_limit_exceeds_in_no_alert(void **state)
{
	struct bench *b = *state;
	day(b, AMMONIA, 0, (const double[]){4, 4, 4, 6});
	day(b, AMMONIA, 1, (const double[]){5, 4.9, 4.9, 4.9}); /* equal complies */
	day(b, AMMONIA, 2, (const double[]){4.9, 5.1, 4.9, 4.9});
	day(b, AMMONIA, 3, (const double[]){4.9, 4, 6, 4}); /* beyond, but in no alert */
	alert(b, AMMONIA, AVERAGE_INSTANT, 18 * HOUR, 18 * HOUR, 3 * DAY);
	assert_row(b, "w21003", "4 1 4 2 0.5");
	mark(b, AMMONIA, 2 * DAY + 6 * HOUR, 2 * DAY + 7 * HOUR);
	assert_row(b, "w21003", "4 1 4 1 0.75");
}

/* A value beyond the limit in an hour whose mean is not, or cannot be told, is no exceedance. */
static void test_means_of_hours_are_counted_by_the_means(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 5; i++)
		day(b, CHLORINE, i, (const double[]){6, 4, 4, 6});
	/* from the last hour of the first day to the first of the third, then two good ones */
	alert(b, CHLORINE, AVERAGE_HOUR, 23 * HOUR, DAY, 2 * DAY + 3 * HOUR);
	assert_row(b, "w21022", "5 1 5 3 0.4");
	/* of the whole second day too little is known: it is told again at 1:00 of the third */
	raise(b, ALERT_UNDETERMINED, CHLORINE, AVERAGE_HOUR, DAY, DAY + HOUR, 2 * DAY + HOUR);
	assert_row(b, "w21022", "5 1 5 2 0.6");
	/* cleared by the last two hours of the fourth day */
	alert(b, CHLORINE, AVERAGE_HOUR, 3 * DAY, 3 * DAY + HOUR, 4 * DAY + HOUR);
	assert_row(b, "w21022", "5 2 5 3 0.4");
}

static void test_where_the_mean_is_of_discharge_the_judge_and_marks_speak(void **state)
{
	struct bench *b = *state;
	for (int i = 0; i < 4; i++)
		day(b, PHOSPHORUS, i, (const double[]){10, 10, 10, 60});
	alert(b, PHOSPHORUS, AVERAGE_DAY, 0, DAY, 3 * DAY);
	alert(b, PHOSPHORUS, AVERAGE_INSTANT, 3 * DAY, 3 * DAY, 4 * DAY);
	assert_row(b, "w21011", "4 2 4 2 0.5");
	recomputed(b, mark(b, PHOSPHORUS, 0, HOUR), PHOSPHORUS, 0, OUTCOME_EXCEEDS,
		   OUTCOME_COMPLIES);
	assert_row(b, "w21011", "4 2 4 1 0.75");
	recomputed(b, mark(b, PHOSPHORUS, 3 * DAY, 3 * DAY + HOUR), PHOSPHORUS, 3, OUTCOME_COMPLIES,
		   OUTCOME_EXCEEDS);
	assert_row(b, "w21011", "4 2 4 2 0.5");
	assert_told(b, "2 means were computed anew since data were marked; shares not known");
}

static void test_a_day_of_too_few_results_is_not_judged_either(void **state)
{
	struct bench *b = *state;
	day(b, NITROGEN, 0, (const double[]){10, 10, 10, 10});
	day(b, NITROGEN, 1, (const double[]){10, -1, -1, -1});
	assert_row(b, "w21001", "2 0 1 0 1");
	alert(b, NITROGEN, AVERAGE_DAY, DAY, 2 * DAY, 3 * DAY);
	assert_row(b, "w21001", "2 1 2 1 0.5"); /* by what the judge knew of it */
}

static void act(struct bench *b, int64_t id, struct case_order order, int64_t at_ms)
{
	struct text out = {0};
	order.by = "H";
	assert_int_equal(ledger_act(b->ledger, id, &order, START + at_ms, &out), 0);
	text_deinit(&out);
}

static void complain(struct bench *b, int64_t at_ms)
{
	struct text out = {0};
	const struct case_order order = {.by = "H", .site = "outfall", .source = "12369"};
	assert_int_equal(ledger_open_case(b->ledger, &order, START + at_ms, &out), 0);
	text_deinit(&out);
}

static void assert_lines(struct bench *b, const char *const *lines)
{
	struct text csv = {0};
	struct tallies *tallies = NULL;
	tallies_read(&tallies, b->directory, &plan);
	const struct report report = {.plan = &plan,
				      .ledger = b->ledger,
				      .tallies = tallies,
				      .span = {START, END},
				      .now_ms = END};
	assert_int_equal(report_csv(&csv, &report), 0);
	for (; *lines != NULL; lines++)
		if (strstr(csv.at, *lines) == NULL)
			fail_msg("\"%s\" is not in\n%s", *lines, csv.at);
	text_deinit(&csv);
	tallies_close(tallies);
}

static void assert_told(struct bench *b, const char *line)
{
	assert_lines(b, (const char *const[]){line, NULL});
}

static void test_a_monitor_that_never_sent_anything_is_noted(void **state)
{
	/* 30 days of a result every six hours were due of one, of the other nobody knows */
	static const char *const lines[] = {
		"monitors,outfall,w01018,COD,mg/L,0,0,0,0,,,,,0,0,0,,nothing was sent\r\n",
		"monitors,outfall,a-rain,", ",nothing was sent\r\n", NULL};
	struct bench *b = *state;
	assert_int_equal(ledger_instruments(b->ledger, START), 0);
	assert_lines(b, lines);
}

static void test_before_it_was_there_a_monitor_owes_nothing(void **state)
{
	struct bench *b = *state;
	assert_int_equal(ledger_instruments(b->ledger, END), 0);
	assert_row(b, "w01018", "0 0 0 0 ");
}

static void test_cases_are_told_with_how_they_ended_and_what_was_no_finding(void **state)
{
	static const char *const lines[] = {
		/* registered, verified, withdrawn, closed, on time, days, repeated, reopened */
		"cases,total,,3,1,1,0,,,1,0\r\n",
		"cases,source,12369,2,1,0,0,,,1,0\r\n",
		"cases,leader,not given,3,1,1,0,,,1,0\r\n",
		"monitor_cases,outfall,w21003,,1,0,1,1,1\r\n",
		"documents,X2,outfall,2026-06-03 00:00:00,note,penalty_decision,P 7\r\n",
		NULL};
	struct bench *b = *state;
	complain(b, -400 * DAY); /* not in the span, and longer ago than a year */
	alert(b, AMMONIA, AVERAGE_INSTANT, HOUR, HOUR, 2 * HOUR);
	act(b, 2,
	    (struct case_order){.action = ACTION_WITHDRAW, .note = "n", .reason = "unfounded"},
	    3 * HOUR);
	complain(b, 4 * HOUR);
	complain(b, DAY);
	complain(b, 31 * DAY); /* behind the span */
	act(b, 3, (struct case_order){.action = ACTION_ASSIGN, .unit = "U"}, DAY);
	act(b, 3,
	    (struct case_order){.action = ACTION_NOTE,
				.note = "n",
				.relation = "penalty_decision",
				.document = "P 7"},
	    2 * DAY);
	assert_lines(b, lines);
}

static char *csv_of(struct bench *b, int64_t start_ms)
{
	struct text csv = {0};
	const struct report report = {.plan = &plan,
				      .ledger = b->ledger,
				      .span = {START + start_ms, START + start_ms + 30 * DAY},
				      .now_ms = END + 30 * DAY};
	assert_int_equal(report_csv(&csv, &report), 0);
	assert_int_equal(strncmp(csv.at, "\xef\xbb\xbftable,", 9), 0);
	return csv.at;
}

static void test_what_is_done_later_changes_no_report(void **state)
{
	struct bench *b = *state;
	const struct case_order course[] = {
		{.action = ACTION_ACCEPT},
		{.action = ACTION_ASSIGN, .unit = "U", .leader = "Liang"},
		{.action = ACTION_PLAN, .note = "n"},
		{.action = ACTION_RECTIFIED, .note = "n"},
		{.action = ACTION_CLOSE, .note = "n"},
	};
	complain(b, DAY);
	for (int i = 0; i < 5; i++)
		act(b, 1, course[i], (2 + i) * DAY);
	alert(b, AMMONIA, AVERAGE_INSTANT, 20 * DAY, 20 * DAY, 21 * DAY);
	char *before = csv_of(b, 0);
	assert_non_null(strstr(before, "cases,total,,2,1,0,1,1,5,0,0\r\n"));
	assert_non_null(strstr(before, "cases,leader,Liang,0,0,0,1,1,5,0,0\r\n"));
	complain(b, 31 * DAY);
	act(b, 1, (struct case_order){.action = ACTION_REOPEN, .note = "n"}, 32 * DAY);
	act(b, 1, (struct case_order){.action = ACTION_PLAN, .note = "n", .leader = "Zhou"},
	    33 * DAY);
	act(b, 1, (struct case_order){.action = ACTION_MERGE, .note = "n", .other = 3}, 34 * DAY);
	act(b, 2,
	    (struct case_order){.action = ACTION_WITHDRAW, .note = "n", .reason = "unfounded"},
	    35 * DAY);
	char *after = csv_of(b, 0), *next = csv_of(b, 30 * DAY);
	assert_string_equal(after, before);
	assert_non_null(strstr(next, "cases,total,,1,0,2,0,,,1,1\r\n"));
	assert_non_null(strstr(next, "cases,leader,Zhou,0,0,1,0,,,0,0\r\n"));
	assert_non_null(strstr(next, "monitor_cases,outfall,w21003,,0,0,1,1,1\r\n"));
	free(before);
	free(after);
	free(next);
}

static void test_a_sum_reads_as_what_was_added_up(void **state)
{
	struct bench *b = *state;
	record(b, RAIN, HOUR, 0.1); /* in binary the sum is 0.30000000000000004 */
	record(b, RAIN, 2 * HOUR, 0.2);
	assert_row(b, "a-rain", "1 0   ");
	assert_lines(
		b, (const char *const[]){"monitors,outfall,a-rain,,mm,1,2,,,,0.3,0.1,0.2,", NULL});
}

static void test_where_no_rate_is_configured_no_share_is_known(void **state)
{
	struct bench *b = *state;
	day(b, AMMONIA, 0, (const double[]){1, -1, -1, -1});
	assert_row(b, "w21003", "1 0 1 0 1");
	assert_lines(b,
		     (const char *const[]){"monitors,outfall,w21003,,mg/L,1,1,,,1,,1,1,0,1,0,1,"
					   "shares not known: no sampling rate is configured\r\n",
					   NULL});
}

static void test_rain_stands_beside_an_exceedance_and_excuses_nothing(void **state)
{
	struct bench *b = *state;
	day(b, RAIN, 3, (const double[]){64, 64, 64, 64});
	day(b, RAIN, 4, (const double[]){1, 0.5, 0, 2});
	day(b, RAIN, 5, (const double[]){4, -1, -1, 8});
	day(b, RAIN, 6, (const double[]){32, 32, 32, 32});
	alert(b, AMMONIA, AVERAGE_INSTANT, 5 * DAY + HOUR, 5 * DAY + 2 * HOUR, 6 * DAY);
	alert(b, AMMONIA, AVERAGE_INSTANT, 12 * DAY, 12 * DAY, 12 * DAY + HOUR);
	assert_row(b, "a-rain", "4 0   "); /* no day of it is judged */
	assert_lines(b, (const char *const[]){
				"rain,X1,outfall,w21003,2026-06-06 01:00:00,outfall,15.5,6,6,"
				"rain excuses nothing\r\n",
				NULL});
	mark(b, RAIN, 4 * DAY, 4 * DAY + HOUR);
	assert_row(b, "a-rain", "4 0   ");
	assert_lines(b, (const char *const[]){
				"rain,X1,outfall,w21003,2026-06-06 01:00:00,outfall,14.5,6,5,"
				"rain excuses nothing\r\n",
				NULL});
}

static void test_a_water_source_exceeds_with_any_factor(void **state)
{
	static const char *const lines[] = {"water_sources,outfall,5,2,0.6\r\n", NULL};
	struct bench *b = *state;
	for (int i = 0; i < 4; i++) {
		day(b, COD, i, (const double[]){40, 40, 40, 40});
		day(b, AMMONIA, i, (const double[]){6, 4, 4, 4});
	}
	day(b, COD, 5, (const double[]){90, 90, 90, 90});
	alert(b, AMMONIA, AVERAGE_INSTANT, DAY, DAY, DAY + HOUR);
	assert_row(b, "w01018", "5 0 5 1 0.8");
	assert_lines(b, lines);
}

static void test_alarms_that_chatter_and_stand_are_counted(void **state)
{
	/* alerts, hours, chattering, standing */
	static const char *const lines[] = {"worst_monitors,outfall,w21003,,7,37.5,2,1\r\n", NULL};
	static const int64_t minutes[] = {0, 2, 4, 6, 17, 28};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++)
		alert(b, AMMONIA, AVERAGE_INSTANT, DAY + minutes[i] * 60000,
		      DAY + minutes[i] * 60000, DAY + (minutes[i] + 1) * 60000);
	alert(b, AMMONIA, AVERAGE_INSTANT, 2 * DAY, 2 * DAY, 3 * DAY + 13 * HOUR + 24 * 60000);
	assert_lines(b, lines);
}

static void test_alerts_at_the_same_time_last_once(void **state)
{
	/* 1:00 to 4:00, 2:00 to 3:00 and 3:00 to 6:00 are five hours; the last lies half before the
	 * span, and one wholly */
	static const char *const lines[] = {"worst_monitors,outfall,w21003,,3,6,0,0\r\n", NULL};
	struct bench *b = *state;
	alert(b, AMMONIA, AVERAGE_INSTANT, -6 * HOUR, -6 * HOUR, -5 * HOUR);
	alert(b, AMMONIA, AVERAGE_INSTANT, -1 * HOUR, -1 * HOUR, HOUR);
	alert(b, AMMONIA, AVERAGE_HOUR, HOUR, HOUR, 4 * HOUR);
	alert(b, AMMONIA, AVERAGE_DAY, 2 * HOUR, 2 * HOUR, 3 * HOUR);
	alert(b, AMMONIA, AVERAGE_INSTANT, 3 * HOUR, 3 * HOUR, 6 * HOUR);
	assert_lines(b, lines);
}

static void test_acidity_has_no_mean_and_rain_is_a_sum(void **state)
{
	/* unit, days, readings, sent, valid, mean, sum, lowest, highest */
	static const char *const lines[] = {"monitors,outfall,w01018,COD,mg/L,1,4,", ",25,,10,40,",
					    "monitors,outfall,w01001,,,1,4,,,,,6,9,",
					    "monitors,outfall,a-rain,,mm,2,6,,,,10.5,0.5,4,", NULL};
	struct bench *b = *state;
	day(b, COD, 0, (const double[]){10, 20, 30, 40});
	day(b, ACIDITY, 0, (const double[]){6, 7, 8, 9});
	day(b, RAIN, 0, (const double[]){1, 2, 4, 1});
	day(b, RAIN, 1, (const double[]){2, 0.5, -1, -1});
	assert_row(b, "w01018", "1 0 1 0 1");
	assert_lines(b, lines);
}

static void assert_named(struct bench *b, const struct wording *words, const char *name)
{
	char cell[64];
	struct text page = {0};
	const struct report report = {.plan = &plan,
				      .words = words,
				      .ledger = b->ledger,
				      .span = {START, END},
				      .now_ms = END};
	snprintf(cell, sizeof cell, "<td>%s</td>", name);
	assert_int_equal(report_html(&page, &report), 0);
	assert_non_null(strstr(page.at, cell));
	text_deinit(&page);
}

static void test_a_factor_is_named_in_the_language_of_the_page(void **state)
{
	const struct wording chinese = {0};
	assert_named(*state, NULL, "COD");
	assert_named(*state, &chinese, "\u5316\u5b66\u9700\u6c27\u91cf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_day_is_what_its_mean_says_and_not_what_an_alert_spans, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(
			test_a_mark_makes_a_day_comply_and_another_undetermined, setup, bench_free),
		cmocka_unit_test_setup_teardown(test_a_sum_reads_as_what_was_added_up, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(test_a_day_that_is_not_over_is_not_judged, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(
			test_without_a_limit_of_days_a_day_is_what_an_exceedance_touches, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(test_means_of_hours_are_counted_by_the_means, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(
			test_where_the_mean_is_of_discharge_the_judge_and_marks_speak, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(test_a_day_of_too_few_results_is_not_judged_either,
						setup, bench_free),
		cmocka_unit_test_setup_teardown(
			test_an_alert_that_goes_on_in_silence_touches_days_of_which_nothing_is_known,
			setup, bench_free),
		cmocka_unit_test_setup_teardown(test_a_monitor_that_never_sent_anything_is_noted,
						setup, bench_free),
		cmocka_unit_test_setup_teardown(test_before_it_was_there_a_monitor_owes_nothing,
						setup, bench_free),
		cmocka_unit_test_setup_teardown(
			test_a_day_without_a_value_beyond_the_limit_exceeds_in_no_alert, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(
			test_cases_are_told_with_how_they_ended_and_what_was_no_finding, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(test_what_is_done_later_changes_no_report, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(test_where_no_rate_is_configured_no_share_is_known,
						setup, bench_free),
		cmocka_unit_test_setup_teardown(test_alarms_that_chatter_and_stand_are_counted,
						setup, bench_free),
		cmocka_unit_test_setup_teardown(
			test_rain_stands_beside_an_exceedance_and_excuses_nothing, setup,
			bench_free),
		cmocka_unit_test_setup_teardown(test_a_water_source_exceeds_with_any_factor, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(test_alerts_at_the_same_time_last_once, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(test_acidity_has_no_mean_and_rain_is_a_sum, setup,
						bench_free),
		cmocka_unit_test_setup_teardown(test_a_factor_is_named_in_the_language_of_the_page,
						setup, bench_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
