/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger that was lost is made again, row by row the same, from its copy and the records since:
 * however it was damaged, killed at any moment of that, and never with less than was committed.
 */
#include "store-ledger.h"

#include "store/ledger-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { PAGE = 4096 };

static const char *file_of(void **state, const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	return path;
}

static void shell(void **state, const char *command)
{
	char line[1600];
	snprintf(line, sizeof line, "cd %s && %s", (const char *)*state, command);
	assert_int_equal(system(line), 0);
}

static off_t size_of(void **state, const char *name)
{
	struct stat status;
	assert_int_equal(stat(file_of(state, name), &status), 0);
	return status.st_size;
}

static void overwrite(void **state, const char *name, off_t at, size_t size, int byte)
{
	int fd = open(file_of(state, name), O_WRONLY);
	char *bytes = malloc(size);
	memset(bytes, byte, size);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
	free(bytes);
}

static void flip(void **state, const char *name, off_t at)
{
	int fd = open(file_of(state, name), O_RDWR);
	char byte;
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte = (char)(byte ^ 0x10);
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* --- what is in it --- */

static void row_add(sqlite3_stmt *row, struct text *out)
{
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const unsigned char *bytes = sqlite3_column_blob(row, i);
		text_format(out, "|%d:", sqlite3_column_type(row, i));
		for (int j = 0; j < sqlite3_column_bytes(row, i); j++)
			text_format(out, "%02x", bytes[j]);
	}
	text_add(out, "\n");
}

static void table_add(sqlite3 *db, const char *name, const char *where, struct text *out)
{
	sqlite3_stmt *list;
	char sql[200];
	snprintf(sql, sizeof sql, "SELECT * FROM %s %s ORDER BY 1", name, where);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &list, NULL), SQLITE_OK);
	text_format(out, "%s\n", name);
	while (sqlite3_step(list) == SQLITE_ROW)
		row_add(list, out);
	sqlite3_finalize(list);
}

/* All of it, but for what says how far numbers were given, and what may be an older one. */
static char *contents(void **state)
{
	static const char *const tables[] = {
		"cases",       "alerts",      "history",      "events",       "shelves",
		"marks",       "recomputed",  "chain",        "case_digests", "chain_days",
		"frames_gone", "instruments", "left_episodes"};
	struct text out = {0};
	sqlite3 *db;
	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		table_add(db, tables[i], "", &out);
	table_add(db, "named", "WHERE name <> 'often'", &out);
	table_add(db, "cursors", "WHERE name NOT GLOB 'number/*'", &out);
	sqlite3_close(db);
	assert_false(out.failed);
	return out.at;
}

static int64_t scalar(void **state, const char *file, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *one;
	assert_int_equal(sqlite3_open(file_of(state, file), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &one, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(one), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(one, 0);
	if (sqlite3_column_type(one, 0) == SQLITE_TEXT)
		value = strcmp((const char *)sqlite3_column_text(one, 0), "ok") == 0;
	sqlite3_finalize(one);
	sqlite3_close(db);
	return value;
}

/* --- what happens in it --- */

static void act(struct ledger *ledger, int64_t id, struct case_order order, int64_t at)
{
	struct text out = {0};
	order.by = "Inspector C";
	assert_int_equal(ledger_act(ledger, id, &order, at, &out), 0);
	text_deinit(&out);
}

static void by_hand(struct ledger *ledger, int64_t at)
{
	struct case_order order = {.site = "outfall-3",
				   .factor = "w01018",
				   .source = "inspection",
				   .by = "Inspector C",
				   .note = "seen from the bank"};
	struct text out = {0};
	assert_int_equal(ledger_open_case(ledger, &order, at, &out), 0);
	text_deinit(&out);
}

static void withdraw(struct ledger *ledger, int64_t id, int64_t at)
{
	act(ledger, id,
	    (struct case_order){.action = ACTION_WITHDRAW, .note = "n", .reason = "unfounded"}, at);
}

/* An episode after the other, cases that close and open again under the same key, and all kinds of
 * rows: inserts, changes, rows replaced and rows that go. */
static void one_day(struct ledger *ledger, int day)
{
	int64_t at = NOW + day * DAY_MS;
	struct shelf_order shelf = {.site = "river-1",
				    .reason = "works",
				    .by = "Inspector C",
				    .until_ms = at + DAY_MS / 2};
	struct verdict first = raised(COD, 0, 60, at), second = raised(ACIDITY, 0, 9.5, at + 1000),
		       again = raised(COD, 0, 70, at + 5000);
	struct text out = {0};

	int64_t id = apply(ledger, first);
	apply(ledger, second);
	act(ledger, id, (struct case_order){.action = ACTION_NOTE, .note = "a note"}, at + 2000);
	if (day == 0)
		assert_int_equal(ledger_acknowledge(ledger, 1, "Inspector C", at, &out), 0);
	text_deinit(&out);
	apply(ledger, cleared(first, at + 3000));
	withdraw(ledger, id, at + 4000);
	id = apply(ledger, again);
	apply(ledger, cleared(again, at + 6000));
	withdraw(ledger, id, at + 6000);
	if (day % 2 == 1)
		apply(ledger, cleared(second, at + 7000));
	by_hand(ledger, at + 8000);
	assert_int_equal(ledger_shelve(ledger, &shelf, at), 0);
	assert_int_equal(ledger_put(ledger, "held", &day, sizeof day), 0);
	assert_int_equal(ledger_put_often(ledger, "often", &day, sizeof day), 0);
	assert_int_equal(ledger_put_cursor(ledger, "delivery/office", ledger_event_last(ledger)),
			 0);
	assert_int_equal(ledger_prune(ledger, at - DAY_MS), 0);
}

static void some_days(void **state, int from, int days)
{
	struct ledger *ledger = open_ledger(state);
	for (int day = from; day < from + days; day++)
		one_day(ledger, day);
	ledger_close(ledger);
}

static char *reopened(void **state)
{
	ledger_close(open_ledger(state));
	assert_true(scalar(state, "ledger.db", "PRAGMA integrity_check") == 1);
	return contents(state);
}

/* The next case continues the numbers. */
static void goes_on(void **state)
{
	struct ledger *ledger = open_ledger(state);
	int64_t before = scalar(state, "ledger.db", "SELECT max(seq) FROM cases");
	by_hand(ledger, NOW + 100 * DAY_MS);
	ledger_close(ledger);
	assert_int_equal(scalar(state, "ledger.db", "SELECT max(seq) FROM cases"), before + 1);
}

static void lost_and_found(void **state, const char *how)
{
	char *before = contents(state);
	shell(state, how);
	char *after = reopened(state);
	if (strcmp(before, after) != 0)
		print_message("%s\n", how);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* --- damage --- */

static void test_a_lost_ledger_comes_back_whole(void **state)
{
	static const char *const ways[] = {
		"dd if=/dev/zero of=ledger.db bs=$(stat -c %s ledger.db) count=1 status=none",
		"dd if=/dev/zero of=ledger.db bs=100 count=1 conv=notrunc status=none",
		"head -c 100000 /dev/urandom > ledger.db",
		"head -c 20 ledger.base > ledger.db",
		": > ledger.db",
		"rm ledger.db",
		"rm ledger.db && mkdir ledger.db",
		"rm ledger.db && ln -s nowhere ledger.db",
	};

	some_days(state, 0, 3);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		lost_and_found(state, ways[i]);
		some_days(state, 3 + (int)i, 1); /* it goes on: the next way finds more of it */
	}
	goes_on(state);
}

static void test_any_page_and_any_cut_comes_back_whole(void **state)
{
	char how[200];

	some_days(state, 0, 3);
	off_t pages = size_of(state, "ledger.db") / PAGE;
	off_t step = getenv("DUCHA_LONG") != NULL ? 1 : 1 + pages / 12;
	for (off_t page = 0; page < pages; page += step) {
		snprintf(how, sizeof how,
			 "dd if=/dev/urandom of=ledger.db bs=%d seek=%lld count=1 conv=notrunc"
			 " status=none",
			 PAGE, (long long)page);
		lost_and_found(state, how);
		if (page > 0) {
			snprintf(how, sizeof how, "truncate -s %lld ledger.db",
				 (long long)page * PAGE);
			lost_and_found(state, how);
		}
	}
	assert_true(pages > 20);
	goes_on(state);
}

/* The copy itself, and records, are lost without harm while the ledger is there. */
static void test_what_stands_twice_may_be_lost_once(void **state)
{
	static const char *const ways[] = {"rm ledger.base",
					   "rm ledger.since",
					   "rm ledger.base ledger.since",
					   "head -c 5000 /dev/urandom > ledger.base",
					   "head -c 5000 /dev/urandom > ledger.since",
					   "truncate -s 200 ledger.since",
					   ": > ledger.base"};

	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		some_days(state, (int)i, 1);
		lost_and_found(state, ways[i]);
		lost_and_found(state, "rm ledger.db");
	}
	goes_on(state);
}

static void test_an_older_copy_put_back_catches_up(void **state)
{
	some_days(state, 0, 1);
	shell(state, "cp ledger.db old");
	some_days(state, 1, 1);
	lost_and_found(state, "cp old ledger.db"); /* by the records behind it */
	shell(state, "cp ledger.db old");
	some_days(state, 2, 1);
	struct ledger *ledger = open_ledger(state);
	assert_int_equal(ledger_copy(ledger), 0);
	ledger_close(ledger);
	some_days(state, 3, 1);
	lost_and_found(state, "cp old ledger.db"); /* older than the copy */
	goes_on(state);
}

/* --- a commit that is cut short --- */

/* Killed after the record and before the commit: it is made, once. */
static void test_what_has_a_record_is_committed(void **state)
{
	struct verdict v = raised(COD, 0, 60, NOW);

	ledger_close(open_ledger(state));
	shell(state, "cp ledger.db old");
	struct ledger *ledger = open_ledger(state);
	assert_int_equal(apply(ledger, v), 1);
	ledger_close(ledger);
	char *with = contents(state);
	shell(state, "cp old ledger.db");
	ledger = open_ledger(state);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 1);
	assert_int_equal(ledger_case_count(ledger, CASE_REGISTERED), 1);
	assert_int_equal(apply(ledger, v), 0); /* offered again */
	ledger_close(ledger);
	char *after = contents(state);
	assert_string_equal(with, after);
	free(with);
	free(after);
}

/* A record that was cut short is of what was not committed. */
static void test_a_torn_record_is_none(void **state)
{
	char how[300];

	some_days(state, 0, 1);
	off_t end = size_of(state, "ledger.since");
	shell(state, "cp ledger.db old && cp ledger.base old-base");
	struct ledger *ledger = open_ledger(state);
	apply(ledger, raised(COD, 0, 60, NOW + 50 * DAY_MS));
	ledger_close(ledger);
	shell(state, "cp ledger.since longer && cp old ledger.db");
	off_t all = size_of(state, "longer");
	assert_true(all > end + 100);
	for (off_t n = end; n < all; n += 1 + (all - end) / 10) {
		snprintf(how, sizeof how, "head -c %lld longer > ledger.since && rm ledger.db",
			 (long long)n);
		shell(state, "cp old ledger.db && cp old-base ledger.base");
		lost_and_found(state, how);
	}
	snprintf(how, sizeof how,
		 "head -c %lld longer > ledger.since && head -c 9000 /dev/zero >> ledger.since && "
		 "rm ledger.db",
		 (long long)end);
	shell(state, "cp old ledger.db && cp old-base ledger.base");
	lost_and_found(state, how);
}

/* Somebody reads for so long that a commit gives up: its record must not come back. */
static void test_what_was_refused_has_no_record(void **state)
{
	struct verdict v = raised(COD, 0, 60, NOW);
	sqlite3_stmt *reading;
	int64_t opened;
	sqlite3 *db;

	struct ledger *ledger = open_ledger(state);
	by_hand(ledger, NOW);
	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT * FROM sqlite_master", -1, &reading, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(reading), SQLITE_ROW);
	assert_int_equal(ledger_apply(ledger, &v, 1, NOW, &opened), -EBUSY);
	sqlite3_finalize(reading);
	sqlite3_close(db);
	by_hand(ledger, NOW + 1000); /* another one, in its place */
	ledger_close(ledger);
	lost_and_found(state, "rm ledger.db");
	assert_int_equal(scalar(state, "ledger.db", "SELECT count(*) FROM alerts"), 0);
	assert_int_equal(scalar(state, "ledger.db", "SELECT count(*) FROM cases"), 2);
}

/* A daemon of an earlier version knows no records. */
static void test_records_that_lack_something_begin_anew(void **state)
{
	sqlite3 *db;

	some_days(state, 0, 1);
	assert_int_equal(sqlite3_open(file_of(state, "ledger.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "INSERT INTO chain SELECT max(number) + 1, 13, 5,"
				      " zeroblob(32), zeroblob(32) FROM chain",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	ledger_close(open_ledger(state));
	lost_and_found(state, "rm ledger.db");
	some_days(state, 1, 1);
	lost_and_found(state, "rm ledger.db");
}

/* --- both lost --- */

/* What neither has is said in the case that takes its place, and no number comes twice. */
static void test_what_nobody_has_is_said_in_the_next_case(void **state)
{
	struct ledger *ledger = open_ledger(state);
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	struct verdict v = raised(COD, 0, 60, now_ms - 60000);

	by_hand(ledger, NOW);
	assert_int_equal(ledger_copy(ledger), 0);
	assert_int_equal(apply(ledger, v), 2);
	by_hand(ledger, NOW + 2000);
	ledger_close(ledger);
	flip(state, "ledger.since", 150);
	shell(state, "head -c 50000 /dev/urandom > ledger.db");
	ledger = open_ledger(state);
	assert_int_equal(ledger_active_count(ledger, ALERT_EXCEEDANCE), 0);
	assert_true(case_has(ledger, 1, "inspection")); /* the copy has it */
	assert_int_equal(apply(ledger, v), 4);
	assert_true(case_has(ledger, 4,
			     "an earlier case of this may be lost. See "
			     "ledger.db.corrupt-"));
	assert_int_equal(apply(ledger, raised(ACIDITY, 0, 9.5, now_ms + 2 * 3600000)), 5);
	struct text out = {0};
	assert_int_equal(ledger_case_json(ledger, 5, &out), 0);
	assert_null(strstr(out.at, "may be lost"));
	text_deinit(&out);
	ledger_close(ledger);
	lost_and_found(state, "rm ledger.db"); /* it has a copy again */
}

/* Rows of the damaged file are newer than the copy's; those that it lost the copy has. */
static void test_damaged_file_and_copy_make_up_for_each_other(void **state)
{
	struct ledger *ledger = open_ledger(state);

	for (int i = 0; i < 30; i++)
		by_hand(ledger, NOW + i * 1000);
	assert_int_equal(ledger_copy(ledger), 0);
	by_hand(ledger, NOW + 40000);
	ledger_close(ledger);
	shell(state, "cp ledger.db good && cp ledger.base good-base");
	off_t pages = size_of(state, "good") / PAGE;
	for (off_t page = 1; page < pages; page += 1 + pages / 4) {
		shell(state, "cp good ledger.db && cp good-base ledger.base && rm -f ledger.since");
		overwrite(state, "ledger.db", page * PAGE, PAGE, 0xa5);
		ledger_close(open_ledger(state));
		assert_true(scalar(state, "ledger.db", "PRAGMA integrity_check") == 1);
		assert_true(scalar(state, "ledger.db", "SELECT count(*) FROM cases") >= 30);
		assert_true(scalar(state, "ledger.db", "SELECT count(*) FROM history") >= 30);
	}
}

/* --- the check of a copy --- */

static void test_a_copy_finds_what_nobody_reads(void **state)
{
	struct ledger *ledger = open_ledger(state);

	one_day(ledger, 0);
	one_day(ledger, 1);
	int64_t root = scalar(state, "ledger.db",
			      "SELECT rootpage FROM sqlite_master WHERE name = 'cases_opened'");
	sqlite3_db_release_memory(ledger->db);
	overwrite(state, "ledger.db", (root - 1) * PAGE, PAGE, 0x5a);
	assert_int_equal(ledger_copy(ledger), -EUCLEAN);
	assert_int_equal(ledger_mended(ledger), 0);
	assert_int_equal(ledger_put_often(ledger, "often", "", 0), 0); /* whatever comes next */
	assert_int_equal(ledger_mended(ledger), 1);
	assert_int_equal(ledger_copy(ledger), 0);
	one_day(ledger, 2);
	ledger_close(ledger);
	lost_and_found(state, "rm ledger.db");
	assert_true(scalar(state, "ledger.db", "PRAGMA integrity_check") == 1);
}

struct writing {
	struct ledger *ledger;
	_Atomic bool stop;
	int cases;
};

static void *keep_writing(void *context)
{
	struct writing *w = context;
	while (!w->stop)
		by_hand(w->ledger, NOW + w->cases++ * 1000);
	return NULL;
}

static void test_a_copy_is_made_while_others_write(void **state)
{
	struct writing w = {.ledger = open_ledger(state)};
	pthread_t thread;

	for (int i = 0; i < 200; i++)
		by_hand(w.ledger, NOW);
	assert_int_equal(pthread_create(&thread, NULL, keep_writing, &w), 0);
	for (int i = 0; i < 8; i++) {
		int r = ledger_copy(w.ledger);
		assert_true(r == 0 || r == -EAGAIN);
	}
	w.stop = true;
	pthread_join(thread, NULL);
	ledger_close(w.ledger);
	assert_true(w.cases > 0);
	lost_and_found(state, "rm ledger.db");
	assert_int_equal(scalar(state, "ledger.db", "SELECT count(*) FROM cases"), 200 + w.cases);
}

static void test_records_are_dropped_when_there_are_many(void **state)
{
	struct ledger *ledger = open_ledger(state);
	char *large = calloc(1, 1 << 20);

	by_hand(ledger, NOW);
	assert_int_equal(ledger_keep_copy(ledger, 1000), 0);
	assert_true(size_of(state, "ledger.since") > 96);
	for (int i = 0; i < 9; i++) {
		memset(large, 'a' + i, 1 << 20);
		assert_int_equal(ledger_put(ledger, "large", large, 1 << 20), 0);
	}
	free(large);
	assert_true(size_of(state, "ledger.since") > 9 << 20);
	assert_int_equal(ledger_keep_copy(ledger, 2000), 0);
	assert_int_equal(size_of(state, "ledger.since"), 96); /* the head */
	assert_int_equal(ledger_put_cursor(ledger, "delivery/office", 17), 0);
	by_hand(ledger, NOW + 1000);
	ledger_close(ledger);
	lost_and_found(state, "rm ledger.db");
	ledger = open_ledger(state);
	assert_int_equal(ledger_cursor(ledger, "delivery/office", 0), 17);
	assert_int_equal(ledger_keep_copy(ledger, 3000), 0);
	assert_int_equal(ledger_keep_copy(ledger, 3000 + DAY_MS), 0); /* each day */
	assert_int_equal(size_of(state, "ledger.since"), 96);
	ledger_close(ledger);
}

/* What is replaced each minute is in a record seldom, and never lost. */
static void test_what_is_put_often_is_an_older_one(void **state)
{
	struct ledger *ledger = open_ledger(state);
	void *data;
	size_t size;

	assert_int_equal(ledger_put_often(ledger, "often", "first", 5), 0);
	off_t end = size_of(state, "ledger.since");
	for (int i = 0; i < 10; i++)
		assert_int_equal(ledger_put_often(ledger, "often", "later", 5), 0);
	assert_int_equal(size_of(state, "ledger.since"), end);
	by_hand(ledger, NOW);
	ledger_close(ledger);
	lost_and_found(state, "rm ledger.db");
	ledger = open_ledger(state);
	assert_int_equal(ledger_get(ledger, "often", &data, &size), 0);
	assert_true(size == 5 && memcmp(data, "first", 5) == 0);
	free(data);
	ledger_close(ledger);
}

/* --- trouble while it is made again --- */

static void test_a_kill_while_it_is_made_again_costs_nothing(void **state)
{
	uint64_t seed = test_seed();

	some_days(state, 0, 20);
	char *before = contents(state);
	for (int i = 0; i < 20; i++) {
		shell(state, "head -c 90000 /dev/urandom > ledger.db");
		pid_t child = fork();
		if (child == 0) {
			struct ledger *ledger;
			_exit(ledger_open(&ledger, *state, &test_plan) != 0);
		}
		usleep((useconds_t)(test_random(&seed) % 30000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	char *after = reopened(state);
	assert_string_equal(before, after);
	free(before);
	free(after);
	goes_on(state);
}

/* No room: it fails, and with room it is there. */
static void test_no_room_to_make_it_again_costs_nothing(void **state)
{
	const struct rlimit none = {20000, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
	struct ledger *ledger;

	some_days(state, 0, 3);
	char *before = contents(state);
	shell(state, "head -c 90000 /dev/urandom > ledger.db");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_true(ledger_open(&ledger, *state, &test_plan) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_int_equal(size_of(state, "ledger.db"), 90000);
	char *after = reopened(state);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

/* --- the file of records --- */

static int count_record(void *context, const void *bytes, size_t n)
{
	assert_true(n == 5 && memcmp(bytes, "bytes", 5) == 0);
	++*(int *)context;
	return 0;
}

static void test_records_read_back_until_one_that_changed(void **state)
{
	struct since since;
	int n = 0;

	since_init(&since);
	assert_int_equal(since_open(&since, *state), -ENOENT);
	assert_int_equal(since_begin(&since, *state, 100, 7), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(since_append(&since, 8 + i, "bytes", 5, i % 2 == 0), 0);
	assert_int_equal(since_undo(&since), 0);
	assert_int_equal(since.last.number, 104);
	assert_int_equal(since_append(&since, 12, "bytes", 5, true), 0);
	assert_int_equal(since_drop(&since, *state, 101), 0);
	assert_int_equal(since.first.number, 101);
	assert_int_equal(since_each(&since, 102, count_record, &n), 0);
	assert_int_equal(n, 3);
	since_close(&since);
	off_t size = size_of(state, "ledger.since"), record = 32 + 5 + 32;
	assert_int_equal(size, 96 + 4 * record);
	for (off_t at = 0; at < size; at++) {
		flip(state, "ledger.since", at);
		int r = since_open(&since, *state);
		assert_int_equal(r, at < 96 ? -EUCLEAN : 0);
		if (r == 0)
			assert_int_equal(since.last.number, 101 + (at - 96) / record);
		if (r == 0 && at < size - record)
			assert_false(since.whole);
		since_close(&since);
		flip(state, "ledger.since", at);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make_in_memory, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_lost_ledger_comes_back_whole),
		TEST(test_any_page_and_any_cut_comes_back_whole),
		TEST(test_what_stands_twice_may_be_lost_once),
		TEST(test_an_older_copy_put_back_catches_up),
		TEST(test_what_has_a_record_is_committed),
		TEST(test_a_torn_record_is_none),
		TEST(test_what_was_refused_has_no_record),
		TEST(test_records_that_lack_something_begin_anew),
		TEST(test_what_nobody_has_is_said_in_the_next_case),
		TEST(test_damaged_file_and_copy_make_up_for_each_other),
		TEST(test_a_copy_finds_what_nobody_reads),
		TEST(test_a_copy_is_made_while_others_write),
		TEST(test_records_are_dropped_when_there_are_many),
		TEST(test_what_is_put_often_is_an_older_one),
		TEST(test_a_kill_while_it_is_made_again_costs_nothing),
		TEST(test_no_room_to_make_it_again_costs_nothing),
		TEST(test_records_read_back_until_one_that_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
