/* SPDX-License-Identifier: Apache-2.0 */
/* Minutes against a plain recomputation of all that was recorded: late readings, marks, kills, what
 * a power cut or a damaged file leaves. */
#include "deliver/tallier-internal.h"
#include "store/ledger-marks.h"
#include "store/meanfile.h"
#include "tallied.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACIDITY, COD, FLOAT, MONITORS };
#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
/* 2026-12-31T00:00:00+05:30: days that begin within an hour of UTC */
#define START INT64_C(1798655400000)

static const struct zone_change east[] = {{INT64_MIN, 5 * 3600 + 1800}};
static const struct monitor monitors[MONITORS] = {
	[ACIDITY] = {.factor = "w01001", .unit = "", .hold_ms = MINUTE},
	[COD] = {.factor = "w01018", .unit = "mg/L", .hold_ms = MINUTE},
	[FLOAT] = {.factor = "w01010", .unit = "°C", .hold_ms = MINUTE},
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

/* All that was recorded, in the order of recording. */
struct record {
	uint32_t monitor;
	int64_t at_ms;
	double value;
	char flag;
};
enum { RECORDS = 200000 };
static struct record records[RECORDS];
static size_t n_records;

struct stretch {
	uint32_t monitor;
	int64_t from_ms, to_ms;
};
static struct stretch marked[64];
static size_t n_marked;

static int setup(void **state)
{
	n_records = n_marked = 0;
	*state = bench_new(&plan, (struct tallier_setup){0});
	return 0;
}

static void restart(struct bench *b)
{
	b->tallier = tallier_free(b->tallier);
	bench_begin(b, &plan, (struct tallier_setup){0});
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
	assert_true(n_records < RECORDS);
	records[n_records++] = (struct record){monitor, START + at_ms, value, flag};
	assert_int_equal(daybook_append(b->daybook, &r, 1), 0);
}

static void commit(struct bench *b)
{
	assert_int_equal(daybook_commit(b->daybook), 0);
}

static void pass(struct bench *b, int64_t at_ms)
{
	assert_int_equal(tallier_pass(b->tallier, START + at_ms), 0);
}

static void mark(struct bench *b, uint32_t monitor, int64_t from_ms, int64_t to_ms)
{
	struct text out = {0};
	const struct mark_order order = {.site = "outfall",
					 .factor = monitors[monitor].factor,
					 .reason = "invented",
					 .by = "H",
					 .from_ms = START + from_ms,
					 .to_ms = START + to_ms,
					 .flag = FLAG_MAINTENANCE};
	assert_int_equal(ledger_mark(b->ledger, &order, START + to_ms, &out), 0);
	text_deinit(&out);
	assert_true(n_marked < sizeof marked / sizeof marked[0]);
	marked[n_marked++] = (struct stretch){monitor, START + from_ms, START + to_ms};
}

/* --- the recomputation --- */

enum { SPAN_MINUTES = 20 * 24 * 60, BEFORE_MINUTES = 10 * 24 * 60 };
static struct minute expected[MONITORS][SPAN_MINUTES];

static bool counts(const struct record *r)
{
	bool good = r->flag == 'N';
	for (size_t i = 0; i < n_marked; i++)
		good = good && !(marked[i].monitor == r->monitor && r->at_ms >= marked[i].from_ms &&
				 r->at_ms < marked[i].to_ms);
	return good;
}

static int64_t place_of(int64_t wall_ms)
{
	int64_t place = (wall_ms - (START - BEFORE_MINUTES * MINUTE)) / MINUTE;
	assert_true(place >= 0 && place < SPAN_MINUTES);
	return place;
}

static void recompute(void)
{
	memset(expected, 0, sizeof expected);
	for (size_t i = 0; i < n_records; i++) {
		const struct record *r = &records[i];
		struct minute *m = &expected[r->monitor][place_of(r->at_ms)];
		if (!counts(r))
			continue;
		m->low = m->n == 0 ? r->value : fmin(m->low, r->value);
		m->high = m->n == 0 ? r->value : fmax(m->high, r->value);
		m->sum += r->value;
		m->n++;
	}
}

struct look {
	uint32_t monitor;
	int64_t before_ms;
};

static bool same(void *context, int64_t start_ms, const struct minute *m)
{
	struct look *look = context;
	struct minute *e = &expected[look->monitor][place_of(start_ms)];
	assert_true(start_ms > look->before_ms);
	look->before_ms = start_ms;
	if (m->n != e->n)
		fail_msg("monitor %u, minute %lld: %u, not %u", look->monitor,
			 (long long)((start_ms - START) / MINUTE), m->n, e->n);
	assert_true(m->low == e->low && m->high == e->high);
	assert_true(fabs(m->sum - e->sum) <= 1e-7 * fabs(e->sum));
	*e = (struct minute){0};
	return true;
}

static void assert_all(struct bench *b)
{
	struct tallies *tallies;
	recompute();
	assert_int_equal(tallies_read(&tallies, b->directory, &plan), 0);
	for (uint32_t i = 0; i < MONITORS; i++) {
		struct look look = {i, 0};
		assert_int_equal(
			tallies_minutes(tallies, i, (struct span){0, INT64_MAX}, same, &look), 0);
	}
	tallies_close(tallies);
	for (uint32_t i = 0; i < MONITORS; i++)
		for (size_t j = 0; j < SPAN_MINUTES; j++)
			if (expected[i][j].n != 0)
				fail_msg("monitor %u, minute %lld: missing", i,
					 (long long)j - BEFORE_MINUTES);
}

/* --- what is on disk --- */

static size_t days_on_disk(struct bench *b)
{
	struct stock_file *files = NULL;
	size_t n = 0;
	assert_int_equal(meanfile_stock(b->directory, &plan.zone, 0, &files, &n), 0);
	free(files);
	return n;
}

static void path_of(const struct bench *b, const char *name, char out[static 256])
{
	snprintf(out, 256, "%s/%s", b->directory, name);
}

static void copy(const char *from, const char *to)
{
	char bytes[65536];
	ssize_t n;
	int in = open(from, O_RDONLY);
	(void)unlink(to);
	if (in < 0)
		return;
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0640);
	assert_true(out >= 0);
	while ((n = read(in, bytes, sizeof bytes)) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	close(in);
	close(out);
}

/* tally.db with its log. @out: to where copies are kept, else back from there */
static void keep_tally(const struct bench *b, bool out)
{
	static const char *const names[] = {"tally.db", "tally.db-wal"};
	char at[256], kept[300];
	for (size_t i = 0; i < 2; i++) {
		path_of(b, names[i], at);
		snprintf(kept, sizeof kept, "%s.kept", at);
		copy(out ? at : kept, out ? kept : at);
	}
}

static void lose_tally(struct bench *b)
{
	char path[256];
	b->tallier = tallier_free(b->tallier);
	path_of(b, "tally.db", path);
	assert_int_equal(unlink(path), 0);
	bench_begin(b, &plan, (struct tallier_setup){0});
}

/* --- tests --- */

static double value_of(uint32_t monitor, uint64_t *s)
{
	double hundredth = (double)(test_random(s) % 10000) / 100;
	return monitor == FLOAT ? (double)((float)hundredth / 3) : hundredth;
}

/* One reading every ten seconds. */
static void measure(struct bench *b, int64_t from_ms, int64_t to_ms, uint64_t *s)
{
	for (int64_t at = from_ms; at < to_ms; at += 10 * SECOND)
		for (uint32_t i = 0; i < MONITORS; i++)
			record(b, i, at, value_of(i, s), 'N', at);
	commit(b);
}

static void test_a_minute_is_what_its_valid_readings_were(void **state)
{
	struct bench *b = *state;
	record(b, COD, 0, 10, 'N', 0);
	record(b, COD, 20 * SECOND, 99, 'M', 20 * SECOND);
	record(b, COD, 59999, 20.5, 'N', MINUTE);
	record(b, COD, 2 * MINUTE, 7, 'N', 2 * MINUTE);
	commit(b);
	pass(b, 3 * MINUTE);
	assert_all(b);
	struct minute hour[HOUR_MINUTES];
	struct tallies *tallies;
	int64_t upto;
	assert_int_equal(tallies_read(&tallies, b->directory, &plan), 0);
	assert_int_equal(tallies_get_minutes(tallies, COD, mean_hour(START), hour, &upto), 0);
	tallies_close(tallies);
	/* the day begins half an hour into one of UTC */
	assert_int_equal(hour[30].n, 2);
	assert_true(hour[30].sum == 30.5 && hour[30].low == 10 && hour[30].high == 20.5);
	assert_int_equal(hour[31].n, 0);
	assert_int_equal(hour[32].n, 1);
}

static void test_an_hour_that_is_over_goes_to_the_file_of_its_day(void **state)
{
	struct bench *b = *state;
	uint64_t s = 1;
	measure(b, 0, HOUR, &s);
	pass(b, HOUR);
	assert_int_equal(days_on_disk(b), 1); /* the half hour to the full one of UTC */
	assert_all(b);
	measure(b, HOUR, 8 * HOUR, &s);
	pass(b, 8 * HOUR);
	assert_int_equal(days_on_disk(b), 2); /* since midnight of UTC, half past five */
	assert_all(b);
}

static void test_what_comes_late_is_added(void **state)
{
	struct bench *b = *state;
	uint64_t s = 2;
	measure(b, 0, 3 * HOUR, &s);
	pass(b, 3 * HOUR);
	record(b, COD, 10 * MINUTE, 5000, 'N', 3 * HOUR);
	record(b, COD, -3 * DAY, 1, 'N', 3 * HOUR);
	commit(b);
	pass(b, 4 * HOUR);
	assert_int_equal(days_on_disk(b), 2);
	assert_all(b);
}

static void test_marks_do_their_day_anew(void **state)
{
	struct bench *b = *state;
	uint64_t s = 3;
	measure(b, -2 * HOUR, 6 * HOUR, &s);
	pass(b, 8 * HOUR);
	mark(b, COD, -30 * MINUTE, 90 * MINUTE); /* over midnight */
	mark(b, ACIDITY, 4 * HOUR, 5 * HOUR);    /* nothing is left of an hour */
	pass(b, 9 * HOUR);
	assert_all(b);
	restart(b);
	pass(b, 10 * HOUR);
	assert_all(b);
}

static void test_a_restart_reads_again_what_is_not_kept_yet(void **state)
{
	struct bench *b = *state;
	uint64_t s = 4;
	measure(b, 0, HOUR, &s);
	assert_int_equal(tallier_round(b->tallier, START + HOUR, true), 0);
	for (int i = 1; i < 6; i++) { /* within the minutes for which nothing is kept */
		measure(b, HOUR + (i - 1) * MINUTE, HOUR + i * MINUTE, &s);
		assert_int_equal(tallier_round(b->tallier, START + HOUR + i * 30 * SECOND, true),
				 0);
		if (i % 2 == 0)
			restart(b);
	}
	pass(b, 2 * HOUR);
	assert_all(b);
}

static void test_many_hours_at_once_make_room_for_one_another(void **state)
{
	struct bench *b = *state;
	uint64_t s = 5;
	measure(b, 0, HOUR, &s);
	pass(b, HOUR);
	/* a logger that sends a day's backlog, newest first, between what is new; each round within
	 * the time in which nothing is due */
	for (int i = 0; i < 24; i++) {
		for (int j = 0; j < 10; j++)
			record(b, COD, -i * HOUR - j * SECOND, value_of(COD, &s), 'N',
			       HOUR + i * SECOND);
		record(b, COD, HOUR + i * SECOND, 1, 'N', HOUR + i * SECOND);
		commit(b);
		assert_int_equal(tallier_round(b->tallier, START + HOUR + i * 100, false), 0);
		if (i % 5 == 4)
			restart(b);
	}
	pass(b, 2 * HOUR);
	assert_all(b);
}

static void test_a_lost_tally_takes_none_twice(void **state)
{
	struct bench *b = *state;
	uint64_t s = 6;
	measure(b, 0, 8 * HOUR, &s);
	pass(b, 8 * HOUR);
	lose_tally(b);
	pass(b, 8 * HOUR + MINUTE);
	assert_all(b);
	record(b, COD, HOUR, 1, 'N', 9 * HOUR);
	commit(b);
	lose_tally(b);
	pass(b, 9 * HOUR);
	assert_all(b);
}

/* As a power cut leaves it, which takes commits of tally.db back, but none of a day's file. */
static void test_an_older_tally_takes_none_twice(void **state)
{
	struct bench *b = *state;
	uint64_t s = 7;
	measure(b, 0, 2 * HOUR, &s);
	pass(b, 2 * HOUR);
	keep_tally(b, true);
	measure(b, 2 * HOUR, 5 * HOUR, &s);
	record(b, COD, MINUTE, 1, 'N', 5 * HOUR);
	commit(b);
	pass(b, 5 * HOUR);
	b->tallier = tallier_free(b->tallier);
	keep_tally(b, false);
	bench_begin(b, &plan, (struct tallier_setup){0});
	pass(b, 5 * HOUR + MINUTE);
	assert_all(b);
}

/* The tallier in a process of its own, killed after so many microseconds. */
static void work_and_die(struct bench *b, int64_t at_ms, useconds_t after_us)
{
	b->tallier = tallier_free(b->tallier);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct tallier_setup own = {.directory = b->directory,
					    .plan = &plan,
					    .newest = daybook_sequence(b->daybook)};
		struct tallier *tallier;
		if (ledger_open(&own.ledger, b->directory, &plan) != 0 ||
		    tallier_new(&tallier, &own) != 0)
			_exit(1);
		for (;; at_ms += 11 * MINUTE)
			if (tallier_pass(tallier, START + at_ms) != 0)
				_exit(1);
	}
	usleep(after_us);
	kill(child, SIGKILL);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	bench_begin(b, &plan, (struct tallier_setup){0});
}

static void test_a_kill_at_any_moment_loses_none_and_takes_none_twice(void **state)
{
	struct bench *b = *state;
	uint64_t s = test_seed();
	for (int i = 0; i < 25; i++) {
		measure(b, i * 20 * MINUTE, (i + 1) * 20 * MINUTE, &s);
		record(b, COD, (i - 60) * 30 * MINUTE, 3, 'N', i * 20 * MINUTE);
		commit(b);
		work_and_die(b, i * 20 * MINUTE, (useconds_t)(test_random(&s) % 25000));
	}
	pass(b, 15 * HOUR);
	assert_all(b);
}

static void test_a_damaged_day_is_set_aside(void **state)
{
	struct bench *b = *state;
	uint64_t s = 8;
	char path[256];
	measure(b, 0, 3 * HOUR, &s);
	pass(b, 3 * HOUR);
	path_of(b, "means/2026-12-30.db", path);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(write(fd, "no database", 11), 11);
	close(fd);
	measure(b, 3 * HOUR, 4 * HOUR, &s);
	pass(b, 5 * HOUR);
	struct tallies *tallies;
	struct minute hour[HOUR_MINUTES];
	int64_t upto;
	assert_int_equal(tallies_read(&tallies, b->directory, &plan), 0);
	assert_int_equal(
		tallies_get_minutes(tallies, COD, mean_hour(START + 4 * HOUR - 1), hour, &upto), 0);
	assert_int_equal(hour[10].n, 6);
	assert_int_equal(tallies_get_minutes(tallies, COD, mean_hour(START + HOUR), hour, &upto),
			 0);
	assert_false(minutes_any(hour));
	tallies_close(tallies);
}

static void sql(struct bench *b, const char *text)
{
	char path[256];
	sqlite3 *db;
	path_of(b, "tally.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* To go over all readings of a large store would hold up what it is there for. */
static void test_of_a_file_without_minutes_they_begin_with_what_comes(void **state)
{
	struct bench *b = *state;
	uint64_t s = 9;
	measure(b, 0, 10 * MINUTE, &s);
	pass(b, 10 * MINUTE);
	b->tallier = tallier_free(b->tallier);
	sql(b, "DROP TABLE minutes; DELETE FROM named WHERE name = 'minuted';"
	       "PRAGMA user_version=3");
	bench_begin(b, &plan, (struct tallier_setup){0});
	n_records = 0;
	measure(b, 20 * MINUTE, 30 * MINUTE, &s);
	pass(b, 2 * HOUR);
	assert_all(b);
}

static void random_step(struct bench *b, int64_t at_ms, uint64_t *s)
{
	for (uint64_t n = test_random(s) % 200; n > 0; n--) {
		uint32_t monitor = (uint32_t)(test_random(s) % MONITORS);
		int64_t late_ms =
			(int64_t)(test_random(s) % 20 == 0 ? test_random(s) % (5 * DAY)
							   : test_random(s) % (4 * MINUTE));
		record(b, monitor, at_ms - late_ms, value_of(monitor, s),
		       test_random(s) % 10 == 0 ? 'D' : 'N', at_ms);
	}
	commit(b);
}

static void test_whatever_happens_it_is_the_sum_of_what_was_recorded(void **state)
{
	struct bench *b = *state;
	uint64_t s = test_seed();
	int64_t at_ms = 0;
	for (int i = 0; i < 200; i++) {
		random_step(b, at_ms, &s);
		at_ms += (int64_t)(test_random(&s) % (20 * MINUTE));
		assert_int_equal(tallier_round(b->tallier, START + at_ms, test_random(&s) % 2), 0);
		if (test_random(&s) % 20 == 0 && n_marked < 10)
			mark(b, (uint32_t)(test_random(&s) % MONITORS), at_ms - 20 * HOUR,
			     at_ms - 18 * HOUR - 17 * SECOND);
		if (test_random(&s) % 10 == 0)
			restart(b);
		if (test_random(&s) % 50 == 0)
			lose_tally(b);
	}
	pass(b, at_ms + DAY);
	assert_all(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, bench_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_minute_is_what_its_valid_readings_were),
		TEST(test_an_hour_that_is_over_goes_to_the_file_of_its_day),
		TEST(test_what_comes_late_is_added),
		TEST(test_marks_do_their_day_anew),
		TEST(test_a_restart_reads_again_what_is_not_kept_yet),
		TEST(test_many_hours_at_once_make_room_for_one_another),
		TEST(test_a_lost_tally_takes_none_twice),
		TEST(test_an_older_tally_takes_none_twice),
		TEST(test_a_kill_at_any_moment_loses_none_and_takes_none_twice),
		TEST(test_a_damaged_day_is_set_aside),
		TEST(test_of_a_file_without_minutes_they_begin_with_what_comes),
		TEST(test_whatever_happens_it_is_the_sum_of_what_was_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
