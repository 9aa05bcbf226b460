/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledgers that are damaged, gone, old or locked, and nothing else is left of them
 * (test-ledger-again.c has those that come back whole): no number comes twice, what can be read
 * stays, and what is raised afterwards is kept.
 */
#include "store-ledger.h"

#include "store/ledger-internal.h"
#include "store/numbers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>

enum { CASES = 40, PAGE = 4096 };

static const char *file_of(void **state, const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	return path;
}

/* Its copy and the records since are gone. */
static void leave_alone(void **state)
{
	unlink(file_of(state, "ledger.base"));
	unlink(file_of(state, "ledger.since"));
}

static void copy_file(void **state, const char *from, const char *to)
{
	leave_alone(state);
	char command[1200];
	snprintf(command, sizeof command, "cp %s/%s %s/%s", (const char *)*state, from,
		 (const char *)*state, to);
	assert_int_equal(system(command), 0);
}

static void overwrite(void **state, const char *name, off_t at, size_t size, int byte)
{
	leave_alone(state);
	int fd = open(file_of(state, name), O_WRONLY);
	char *bytes = malloc(size);
	memset(bytes, byte, size);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
	free(bytes);
}

static void take_away(void **state)
{
	leave_alone(state);
	assert_int_equal(unlink(file_of(state, "ledger.db")), 0);
}

static off_t size_of(void **state, const char *name)
{
	struct stat status;
	assert_int_equal(stat(file_of(state, name), &status), 0);
	return status.st_size;
}

static void register_case(struct ledger *ledger, int64_t now_ms)
{
	char note[1200];
	memset(note, 'n', sizeof note - 1); /* so that rows fill their pages */
	note[sizeof note - 1] = '\0';
	struct case_order order = {.site = "outfall-3",
				   .factor = "w01018",
				   .source = "inspection",
				   .by = "Inspector C",
				   .note = note};
	struct text out = {0};
	assert_int_equal(ledger_open_case(ledger, &order, now_ms, &out), 0);
	text_deinit(&out);
}

static void register_cases(void **state, int n)
{
	struct ledger *ledger = open_ledger(state);
	for (int i = 0; i < n; i++)
		register_case(ledger, NOW + i * 1000);
	ledger_close(ledger);
}

static bool is_numbered(struct ledger *ledger, int64_t id, int64_t seq)
{
	char number[64];
	struct text out = {0};
	snprintf(number, sizeof number, "\"number\":\"测督挂〔2026〕%lld号\"", (long long)seq);
	int r = ledger_case_json(ledger, id, &out);
	bool has = r == 0 && strstr(out.at, number) != NULL;
	text_deinit(&out);
	assert_true(r == 0 || r == LEDGER_UNKNOWN);
	return has;
}

static bool is_known(struct ledger *ledger, int64_t id)
{
	struct text out = {0};
	int r = ledger_case_json(ledger, id, &out);
	text_deinit(&out);
	return r == 0;
}

static int64_t scalar(void **state, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *one;
	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &one, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(one), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(one, 0);
	if (sqlite3_column_type(one, 0) == SQLITE_TEXT)
		value = strcmp((const char *)sqlite3_column_text(one, 0), "ok") == 0;
	sqlite3_finalize(one);
	sqlite3_close(db);
	return value;
}

/* The next case continues the numbers, and those that are left have theirs. Return: how many. */
static int check_numbers(void **state, int n)
{
	struct ledger *ledger = open_ledger(state);
	int left = 0;

	register_case(ledger, NOW + DAY_MS);
	assert_true(is_numbered(ledger, n + 1, n + 1));
	for (int64_t id = 1; id <= n; id++)
		if (is_known(ledger, id)) {
			assert_true(is_numbered(ledger, id, id));
			left++;
		}
	ledger_close(ledger);
	assert_true(scalar(state, "PRAGMA integrity_check") == 1);
	return left;
}

static bool is_set_aside(void **state)
{
	char command[600];
	snprintf(command, sizeof command, "ls %s/ledger.db.corrupt-* >/dev/null 2>&1",
		 (const char *)*state);
	return system(command) == 0;
}

static void test_a_damaged_head_costs_nothing(void **state)
{
	static const size_t sizes[] = {1, 100};

	register_cases(state, CASES);
	copy_file(state, "ledger.db", "good");
	copy_file(state, "numbers", "good-numbers");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		copy_file(state, "good", "ledger.db");
		copy_file(state, "good-numbers", "numbers");
		overwrite(state, "ledger.db", 0, sizes[i], 0xff);
		assert_int_equal(check_numbers(state, CASES), CASES);
		assert_int_equal(scalar(state, "SELECT count(*) FROM history"), CASES + 1);
		assert_true(is_set_aside(state));
	}
}

/* Any page, of tables, indices, or the root of either. */
static void test_a_damaged_page_costs_its_rows_alone(void **state)
{
	int least = CASES, damaged = 0;

	register_cases(state, CASES);
	copy_file(state, "ledger.db", "good");
	copy_file(state, "numbers", "good-numbers");
	off_t pages = size_of(state, "good") / PAGE;
	assert_true(pages > 30);
	for (off_t page = 1; page < pages; page += 1 + pages / 20) {
		copy_file(state, "good", "ledger.db");
		copy_file(state, "good-numbers", "numbers");
		overwrite(state, "ledger.db", page * PAGE, PAGE, 0xa5);
		int left = check_numbers(state, CASES);
		damaged += left < CASES;
		least = left < least ? left : least;
		assert_true(is_set_aside(state));
	}
	print_message("%d of %d cases left at least\n", least, CASES);
	assert_true(damaged > 0);
}

static void test_a_file_that_was_cut_keeps_its_numbers(void **state)
{
	register_cases(state, CASES);
	copy_file(state, "ledger.db", "good");
	copy_file(state, "numbers", "good-numbers");
	off_t size = size_of(state, "good");
	for (int i = 1; i < 5; i += 2) {
		copy_file(state, "good", "ledger.db");
		copy_file(state, "good-numbers", "numbers");
		assert_int_equal(truncate(file_of(state, "ledger.db"), size * i / 5 + 100), 0);
		check_numbers(state, CASES);
	}
}

static void test_a_file_that_is_gone_or_is_none_keeps_its_numbers(void **state)
{
	register_cases(state, CASES);
	take_away(state);
	assert_int_equal(check_numbers(state, CASES), 0);
	leave_alone(state);
	assert_int_equal(truncate(file_of(state, "ledger.db"), 0), 0);
	assert_int_equal(check_numbers(state, CASES + 1), 0);
	overwrite(state, "ledger.db", 0, 100000, 'x');
	assert_int_equal(check_numbers(state, CASES + 2), 0);
}

static void test_an_older_copy_put_back_repeats_no_number(void **state)
{
	register_cases(state, CASES);
	copy_file(state, "ledger.db", "good");
	struct ledger *ledger = open_ledger(state);
	for (int i = 0; i < 5; i++)
		register_case(ledger, NOW + DAY_MS);
	ledger_close(ledger);
	copy_file(state, "good", "ledger.db");
	assert_int_equal(check_numbers(state, CASES + 5), CASES);
}

/* The record goes ahead of the commit: what was not committed is not a gap. */
static void test_a_crash_before_the_commit_leaves_no_gap(void **state)
{
	struct numbers numbers;

	register_cases(state, CASES);
	assert_int_equal(numbers_read(&numbers, *state), 0);
	assert_int_equal(numbers.cases, CASES);
	numbers.known = CASES;
	numbers.cases = CASES + 3;
	assert_int_equal(numbers_year(&numbers, 2026, CASES + 3), 0);
	assert_int_equal(numbers_write(&numbers, *state), 0);
	numbers_deinit(&numbers);
	assert_int_equal(check_numbers(state, CASES), CASES);
}

static void test_a_record_that_is_damaged_or_gone_begins_anew(void **state)
{
	register_cases(state, CASES);
	assert_int_equal(unlink(file_of(state, "numbers")), 0);
	assert_int_equal(check_numbers(state, CASES), CASES);
	overwrite(state, "numbers", 10, 1, '7');
	assert_int_equal(check_numbers(state, CASES + 1), CASES + 1);
	take_away(state);
	assert_int_equal(check_numbers(state, CASES + 2), 0);
}

static void test_each_year_goes_on_with_its_own_numbers(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct text out = {0};

	for (int i = 0; i < 3; i++)
		register_case(ledger, NOW);
	for (int i = 0; i < 2; i++)
		register_case(ledger, NOW + 366 * DAY_MS);
	ledger_close(ledger);
	take_away(state);
	ledger = open_ledger(state);
	register_case(ledger, NOW);
	register_case(ledger, NOW + 366 * DAY_MS);
	assert_true(is_numbered(ledger, 6, 4));
	assert_int_equal(ledger_case_json(ledger, 7, &out), 0);
	assert_non_null(strstr(out.at, "〔2027〕3号"));
	text_deinit(&out);
	ledger_close(ledger);
}

static void test_ids_of_alerts_and_events_are_not_given_again(void **state)
{
	struct ledger *ledger = open_ledger(state);
	apply(ledger, raised(COD, 0, 60, NOW));
	int64_t event = ledger_event_last(ledger);
	ledger_close(ledger);
	take_away(state);
	ledger = open_ledger(state);
	assert_int_equal(apply(ledger, raised(COD, 0, 60, NOW + 1000)), 2);
	assert_true(ledger_event_first(ledger) > event);
	ledger_close(ledger);
	assert_true(scalar(state, "SELECT min(id) FROM alerts") > 1);
}

/* --- a transaction that was cut short --- */

/* A journal that SQLite would roll back, beside a file that it has half changed. */
static void leave_journal(void **state)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "PRAGMA journal_mode=TRUNCATE; PRAGMA cache_size=1;"
				      " PRAGMA synchronous=OFF; BEGIN;"
				      " UPDATE cases SET title = hex(zeroblob(300));"
				      " UPDATE events SET type = 'none'",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	copy_file(state, "ledger.db", "half");
	copy_file(state, "ledger.db-journal", "half-journal");
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	copy_file(state, "half", "ledger.db");
	copy_file(state, "half-journal", "ledger.db-journal");
	assert_true(size_of(state, "ledger.db-journal") > 10 * PAGE);
}

static void test_a_journal_that_was_left_is_rolled_back(void **state)
{
	register_cases(state, CASES);
	leave_journal(state);
	assert_int_equal(check_numbers(state, CASES), CASES);
	assert_false(is_set_aside(state));
	assert_int_equal(scalar(state, "SELECT count(*) FROM cases WHERE title IS NOT NULL"), 0);
}

static void test_a_journal_of_a_damaged_file_is_not_the_new_ones(void **state)
{
	char command[600];

	register_cases(state, CASES);
	leave_journal(state);
	overwrite(state, "ledger.db", 0, 3 * PAGE, 0xa5);
	assert_int_equal(ledger_mend(*state), 0); /* as if it could not be rolled back */
	assert_int_equal(access(file_of(state, "ledger.db-journal"), F_OK), -1);
	snprintf(command, sizeof command, "ls %s/ledger.db.corrupt-*-journal >/dev/null",
		 (const char *)*state);
	assert_int_equal(system(command), 0);
	int64_t kept = scalar(state, "SELECT count(*) FROM cases");
	assert_int_equal(check_numbers(state, CASES), kept);
}

/* --- while the daemon runs --- */

/* Offers again what was refused, as the clerk does. */
static int64_t offer(struct ledger *ledger, struct verdict v)
{
	int64_t opened = 0;
	int r = -EAGAIN;
	for (int tries = 0; r < 0 && tries < 5; tries++)
		r = ledger_apply(ledger, &v, 1, v.time_ms, &opened);
	assert_int_equal(r, 0);
	return opened;
}

static void test_a_file_damaged_under_way_is_mended_with_the_next_offer(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict first = raised(COD, 0, 60, NOW);

	assert_int_equal(apply(ledger, first), 1);
	assert_int_equal(ledger_mended(ledger), 0);
	overwrite(state, "ledger.db", 0, (size_t)size_of(state, "ledger.db"), 'x');
	assert_int_equal(offer(ledger, raised(ACIDITY, 0, 9.5, NOW + 1000)), 2);
	assert_int_equal(ledger_mended(ledger), 1);
	assert_true(is_set_aside(state));
	assert_int_equal(offer(ledger, first), 3); /* the judge offers what still lasts */
	assert_true(is_numbered(ledger, 3, 3));
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 2);
	ledger_close(ledger);
}

static bool is_heard(void *context, const struct ledger_event *event)
{
	(void)event;
	++*(size_t *)context;
	return true;
}

static void test_who_reads_is_told_to_wait_while_it_cannot_be_mended(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(ACIDITY, 0, 9.5, NOW + 1000);
	int64_t opened;
	char away[600];
	size_t n = 0;
	snprintf(away, sizeof away, "%s-away", (const char *)*state);
	assert_int_equal(apply(ledger, raised(COD, 0, 60, NOW)), 1);
	overwrite(state, "ledger.db", 0, (size_t)size_of(state, "ledger.db"), 'x');
	assert_int_equal(rename(*state, away), 0);
	close(open(*state, O_CREAT | O_WRONLY, 0600)); /* a file is where the folder was */
	for (int i = 0; i < 2; i++) /* the first sees the damage, the next cannot mend it */
		assert_true(ledger_apply(ledger, &v, 1, v.time_ms, &opened) < 0);
	assert_int_equal(ledger_events(ledger, 0, 10, is_heard, &n), -EBUSY);
	assert_int_equal(ledger_event_first(ledger), 0);
	assert_true(unlink(*state) == 0 && rename(away, *state) == 0);
	assert_int_equal(offer(ledger, v), 2);
	assert_int_equal(ledger_events(ledger, 0, 10, is_heard, &n), 0);
	assert_true(n > 0);
	ledger_close(ledger);
}

static void test_a_file_taken_away_under_way_is_missed(void **state)
{
	struct ledger *ledger = open_ledger(state);

	assert_int_equal(apply(ledger, raised(COD, 0, 60, NOW)), 1);
	take_away(state);
	assert_int_equal(offer(ledger, raised(ACIDITY, 0, 9.5, NOW + 1000)), 2);
	ledger_close(ledger);
	assert_int_equal(check_numbers(state, 2), 1);
}

static void test_an_active_alert_of_a_lost_case_is_raised_anew(void **state)
{
	struct ledger *ledger = open_ledger(state);
	struct verdict v = raised(COD, 0, 60, NOW);
	sqlite3 *db;

	assert_int_equal(apply(ledger, v), 1);
	ledger_close(ledger);
	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DROP TRIGGER cases_remain; DELETE FROM cases", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	overwrite(state, "ledger.db", 0, 16, 0); /* so that it is mended */
	ledger = open_ledger(state);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 0);
	assert_int_equal(offer(ledger, v), 2);
	ledger_close(ledger);
}

/* --- a lock --- */

static void *let_go(void *db)
{
	usleep(2300000); /* longer than SQLite itself waits */
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return NULL;
}

static void test_a_start_waits_for_whoever_holds_the_file(void **state)
{
	pthread_t thread;
	sqlite3 *db;

	register_cases(state, 1);
	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(pthread_create(&thread, NULL, let_go, db), 0);
	assert_int_equal(check_numbers(state, 1), 1);
	pthread_join(thread, NULL);
	sqlite3_close(db);
	assert_false(is_set_aside(state));
}

/* --- the record's text --- */

static void test_a_record_reads_back_or_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"cases 1 1\nalerts 1\nevents 1\n",
		"cases 1 1\nalerts 1\nevents 1\nsum 0\n",
		"cases 1 1\nalerts 1\nevents 1\nyear 2026\nsum 0\n",
		"cases 1\nalerts 1\nevents 1\nsum 0\n",
		"year 2026 1\nsum 0\n",
	};
	struct numbers numbers = {.known = 6, .cases = 7, .alerts = 1008, .events = 1020};
	struct numbers back;

	assert_int_equal(numbers_year(&numbers, 2026, 4), 0);
	assert_int_equal(numbers_year(&numbers, 2027, 3), 0);
	assert_int_equal(numbers_year(&numbers, 2026, 2), 0); /* never lower */
	assert_int_equal(numbers_write(&numbers, *state), 0);
	numbers_deinit(&numbers);
	assert_int_equal(numbers_read(&back, *state), 0);
	assert_int_equal(back.known, 6);
	assert_int_equal(back.cases, 7);
	assert_int_equal(back.alerts, 1008);
	assert_int_equal(back.events, 1020);
	assert_int_equal(back.n_years, 2);
	assert_int_equal(back.years[0].seq, 4);
	numbers_deinit(&back);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(numbers_parse(&back, bad[i]), -EUCLEAN);
	for (off_t at = 0; at < size_of(state, "numbers") - 1; at++) { /* any digit that changed */
		char byte;
		int fd = open(file_of(state, "numbers"), O_RDWR);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		if (byte >= '0' && byte <= '9') {
			char other = byte == '9' ? '8' : (char)(byte + 1);
			assert_int_equal(pwrite(fd, &other, 1, at), 1);
			assert_int_equal(numbers_read(&back, *state), -EUCLEAN);
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
		close(fd);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make_in_memory, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_damaged_head_costs_nothing),
		TEST(test_a_damaged_page_costs_its_rows_alone),
		TEST(test_a_file_that_was_cut_keeps_its_numbers),
		TEST(test_a_file_that_is_gone_or_is_none_keeps_its_numbers),
		TEST(test_an_older_copy_put_back_repeats_no_number),
		TEST(test_a_crash_before_the_commit_leaves_no_gap),
		TEST(test_a_record_that_is_damaged_or_gone_begins_anew),
		TEST(test_each_year_goes_on_with_its_own_numbers),
		TEST(test_ids_of_alerts_and_events_are_not_given_again),
		TEST(test_a_journal_that_was_left_is_rolled_back),
		TEST(test_a_journal_of_a_damaged_file_is_not_the_new_ones),
		TEST(test_a_file_damaged_under_way_is_mended_with_the_next_offer),
		TEST(test_who_reads_is_told_to_wait_while_it_cannot_be_mended),
		TEST(test_a_file_taken_away_under_way_is_missed),
		TEST(test_an_active_alert_of_a_lost_case_is_raised_anew),
		TEST(test_a_start_waits_for_whoever_holds_the_file),
		TEST(test_a_record_reads_back_or_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
