/* SPDX-License-Identifier: Apache-2.0 */
#include "hot-journal.h"
#include "store-daybook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* The bits behind its two are anything. */
static void assert_same_reading(const struct reading *a, const struct reading *b)
{
	assert_memory_equal(a, b, offsetof(struct reading, flag) + sizeof a->flag);
	assert_int_equal(a->has_value, b->has_value);
	assert_int_equal(a->beside, b->beside);
	assert_int_equal(a->frame, b->frame);
}

static void test_a_reading_comes_back_as_it_was(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct daybook_reader *reader = open_reader(state);
	struct reading two[] = {
		reading(COD, 1, NOW - 500, NOW, 0.1),
		{.monitor = OXYGEN,
		 .seq = 2,
		 .ring = 7,
		 .measured_ms = NOW,
		 .received_ms = NOW + 1,
		 .flag = FLAG_COMMUNICATION},
		{.monitor = 1, .seq = 3, .kind = SLOT_LINK_DOWN, .received_ms = NOW}};

	assert_int_equal(daybook_append(daybook, two, 3), 0);
	assert_int_equal(daybook_sequence(daybook), 0);
	assert_int_equal(count_after(state, 0), 0);
	assert_int_equal(daybook_commit(daybook), 0);
	assert_int_equal(daybook_sequence(daybook), 2);
	assert_true(has_file(state, "2026-01-02.db"));
	struct rows *rows = all_after(reader, 0, SIZE_MAX);
	assert_int_equal(rows->n, 2);
	assert_int_equal(rows->at[0].sequence, 1);
	assert_int_equal(rows->at[0].boot, 1);
	assert_string_equal(rows->at[0].site, "outfall-3");
	assert_string_equal(rows->at[0].factor, "w01018");
	two[0].received_mono_ns = 0;
	assert_same_reading(&rows->at[0].reading, &two[0]);
	assert_same_reading(&rows->at[1].reading, &two[1]);
	free(rows);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void test_the_latest_reading_is_known_after_the_commit_and_a_restart(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct reading r = reading(COD, 1, NOW, NOW, 5), found;

	assert_int_equal(daybook_append(daybook, &r, 1), 0);
	assert_false(daybook_latest(daybook, COD, &found));
	assert_int_equal(daybook_commit(daybook), 0);
	assert_true(daybook_latest(daybook, COD, &found) && found.value == 5);
	assert_false(daybook_latest(daybook, AMMONIA, &found));
	/* so many rows of another that the first lies far behind closed blocks */
	for (int i = 0; i < 5; i++) {
		struct reading many[3000];
		for (size_t k = 0; k < 3000; k++)
			many[k] = reading(AMMONIA, (uint64_t)i * 3000 + k + 2, NOW, NOW + i * 20000,
					  (double)k);
		assert_int_equal(daybook_append(daybook, many, 3000), 0);
		assert_int_equal(daybook_commit(daybook), 0);
	}
	daybook_close(daybook);
	daybook = open_daybook(state);
	assert_true(daybook_latest(daybook, COD, &found) && found.value == 5);
	assert_true(daybook_latest(daybook, AMMONIA, &found) && found.value == 2999);
	store(daybook, reading(AMMONIA, 1, NOW + DAY_MS, NOW + DAY_MS, 1));
	daybook_close(daybook);
	daybook = open_daybook(state);
	assert_true(daybook_latest(daybook, COD, &found) && found.value == 5);
	assert_true(daybook_latest(daybook, AMMONIA, &found) && found.value == 1);
	daybook_close(daybook);
}

static void test_the_sequence_goes_on_over_days_and_restarts(void **state)
{
	struct daybook *daybook = open_daybook(state);

	for (int day = 0; day < 3; day++) {
		assert_int_equal(daybook_boot(daybook), day + 1);
		for (int i = 0; i < 4; i++)
			store(daybook,
			      reading(COD, (uint64_t)i + 1, NOW + day * DAY_MS + i * 6 * HOUR_MS,
				      NOW + day * DAY_MS + i * 6 * HOUR_MS, i));
		daybook_close(daybook);
		daybook = open_daybook(state);
		assert_int_equal(daybook_sequence(daybook), (day + 1) * 4);
	}
	assert_true(has_file(state, "2026-01-02.db"));
	assert_true(has_file(state, "2026-01-04.db"));
	assert_false(has_file(state, "2026-01-05.db")); /* 21:04 is the last one's time */
	struct daybook_reader *reader = open_reader(state);
	struct rows *rows = all_after(reader, 0, SIZE_MAX);
	assert_int_equal(rows->n, 12);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(rows->at[i].sequence, i + 1);
	free(rows);
	rows = all_after(reader, 3, 6);
	assert_int_equal(rows->n, 6);
	assert_int_equal(rows->at[0].sequence, 4);
	assert_int_equal(rows->at[5].sequence, 9);
	rows->n = 0;
	assert_int_equal(daybook_tail(reader, 5, add_row, rows), 0);
	assert_int_equal(rows->n, 5);
	assert_int_equal(rows->at[0].sequence, 8);
	rows->n = 0;
	assert_int_equal(daybook_tail(reader, 100, add_row, rows), 0);
	assert_int_equal(rows->n, 12);
	/* the very first and last reading of a day that is over */
	for (int64_t hours = 0; hours < 24; hours += 18) {
		struct daybook_query query = {.site = 0, .monitor = COD, .limit = 9};
		query.from_ms = NOW + DAY_MS + hours * HOUR_MS;
		query.to_ms = query.from_ms + 1;
		rows->n = 0;
		assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
		assert_int_equal(rows->n, 1);
	}
	free(rows);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void test_the_day_is_that_of_the_zone(void **state)
{
	struct daybook *daybook = open_daybook(state);
	int64_t midnight = INT64_C(1767369600000); /* 2026-01-03T00:00:00+08:00 */

	store(daybook, reading(COD, 1, midnight - 1, midnight - 1, 1));
	assert_false(has_file(state, "2026-01-03.db"));
	store(daybook, reading(COD, 2, midnight, midnight, 1));
	assert_true(has_file(state, "2026-01-02.db") && has_file(state, "2026-01-03.db"));
	/* threads that disagree by some ms about midnight make no third file */
	store(daybook, reading(COD, 3, midnight - 1, midnight - 1, 1));
	assert_false(has_file(state, "2026-01-02.1.db"));
	assert_int_equal(count_after(state, 0), 3);
	daybook_close(daybook);
}

static void test_a_clock_set_back_keeps_the_order(void **state)
{
	struct daybook *daybook = open_daybook(state);
	static const int days[] = {0, 5, 1, 0, 9, 0};

	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		store(daybook, reading(COD, i + 1, NOW + days[i] * DAY_MS, NOW + days[i] * DAY_MS,
				       (double)i));
		if (i == 2) {
			daybook_close(daybook);
			daybook = open_daybook(state);
		}
	}
	assert_true(has_file(state, "2026-01-02.2.db"));
	struct daybook_reader *reader = open_reader(state);
	struct rows *rows = all_after(reader, 0, SIZE_MAX);
	assert_int_equal(rows->n, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(rows->at[i].sequence, i + 1);
		assert_true(rows->at[i].reading.value == (double)i);
	}
	rows->n = 0;
	struct daybook_query query = {
		.site = 0, .monitor = COD, .from_ms = NOW, .to_ms = NOW + HOUR_MS, .limit = 9};
	assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
	assert_int_equal(rows->n, 3);
	assert_true(rows->at[0].reading.value == 0 && rows->at[2].reading.value == 5);
	free(rows);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void remove_days(void **state, const char *pattern)
{
	char command[600];
	snprintf(command, sizeof command, "rm %s/daybook/%s.db*", (const char *)*state, pattern);
	assert_int_equal(system(command), 0);
}

/* Whoever has read up to a sequence must find what comes later behind it. */
static void test_the_sequence_never_goes_back_whatever_days_are_gone(void **state)
{
	struct daybook *daybook = open_daybook(state);
	int64_t newest = 0;

	for (int64_t day = 0; day < 3; day++)
		for (uint64_t i = 1; i <= 4; i++)
			store(daybook, reading(COD, (uint64_t)day * 4 + i, NOW + day * DAY_MS,
					       NOW + day * DAY_MS, 1));
	daybook_close(daybook);
	static const char *const gone[] = {"2026-01-02", "2026-01-04", "*"};
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		remove_days(state, gone[i]); /* the oldest, the newest, all */
		daybook = open_daybook(state);
		newest = daybook_sequence(daybook) > newest ? daybook_sequence(daybook) : newest;
		assert_true(newest >= 9);
		store(daybook, reading(COD, 1, NOW + 3 * DAY_MS, NOW + 3 * DAY_MS, 2));
		assert_true(daybook_sequence(daybook) > newest);
		assert_true(daybook_sequence(daybook) > 12);
		newest = daybook_sequence(daybook);
		struct daybook_reader *reader = open_reader(state);
		struct rows *rows = all_after(reader, newest - 1, SIZE_MAX);
		assert_int_equal(rows->n, 1);
		assert_true(rows->at[0].reading.value == 2);
		free(rows);
		daybook_reader_close(reader);
		daybook_close(daybook);
	}
}

static void test_a_large_day_has_several_files(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct daybook_reader *reader = open_reader(state);
	uint64_t seq = 0;

	daybook_limit(daybook, 200000);
	for (int i = 0; i < 8; i++) {
		struct reading many[3000];
		for (size_t k = 0; k < 3000; k++, seq++)
			many[k] = reading(AMMONIA, seq + 1, NOW + (int64_t)seq, NOW + (int64_t)seq,
					  (double)seq);
		assert_int_equal(daybook_append(daybook, many, 3000), 0);
		assert_int_equal(daybook_commit(daybook), 0);
	}
	assert_true(has_file(state, "2026-01-02.db") && has_file(state, "2026-01-02.1.db"));
	assert_true(has_file(state, "2026-01-02.2.db"));
	assert_false(has_file(state, "2026-01-02.4.db"));
	assert_int_equal(daybook_sequence(daybook), seq);
	struct rows *all = all_after(reader, 5990, 20); /* over the end of the first */
	assert_int_equal(all->n, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(all->at[i].sequence, 5991 + i);
	free(all);
	struct daybook_query query = {
		.monitor = AMMONIA, .from_ms = NOW + 5990, .to_ms = NOW + 6010, .limit = 100};
	struct rows *rows = calloc(1, sizeof *rows);
	assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
	assert_int_equal(rows->n, 20);
	for (size_t i = 0; i < 20; i++)
		assert_true(rows->at[i].reading.value == 5990 + (double)i);
	free(rows);
	daybook_reader_close(reader);
	daybook_close(daybook);
	daybook = open_daybook(state); /* goes on in the newest of them */
	store(daybook, reading(COD, 1, NOW, NOW, 1));
	assert_int_equal(daybook_sequence(daybook), seq + 1);
	daybook_close(daybook);
}

/* A clock that lost its battery, one that runs past 2^31 s, and steps of ten years either way. */
static void test_a_wild_clock_loses_and_reorders_nothing(void **state)
{
	static const int64_t clocks_ms[] = {NOW,
					    0,
					    999,
					    NOW - 3653 * DAY_MS,
					    INT64_C(2147483647999),
					    INT64_C(2147483648000),
					    NOW + 3653 * DAY_MS,
					    NOW - 1000,
					    NOW + 1000};
	enum { CLOCKS = sizeof clocks_ms / sizeof clocks_ms[0] };

	for (size_t i = 0; i < CLOCKS; i++) {
		struct daybook *daybook = open_daybook(state); /* each in a life of its own */
		assert_int_equal(daybook_sequence(daybook), i);
		store(daybook, reading(COD, 1, clocks_ms[i], clocks_ms[i], (double)i));
		daybook_close(daybook);
	}
	struct daybook_reader *reader = open_reader(state);
	struct rows *rows = all_after(reader, 0, SIZE_MAX);
	assert_int_equal(rows->n, CLOCKS);
	for (size_t i = 0; i < CLOCKS; i++) {
		assert_int_equal(rows->at[i].sequence, i + 1);
		assert_int_equal(rows->at[i].reading.measured_ms, clocks_ms[i]);
	}
	for (size_t i = 0; i < CLOCKS; i++) {
		struct daybook_query query = {.monitor = COD,
					      .from_ms = clocks_ms[i],
					      .to_ms = clocks_ms[i] + 1,
					      .limit = 9};
		rows->n = 0;
		assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
		assert_int_equal(rows->n, 1);
		assert_true(rows->at[0].reading.value == (double)i);
	}
	free(rows);
	daybook_reader_close(reader);
}

static void test_a_reader_sees_new_rows_days_and_monitors(void **state)
{
	struct daybook_reader *reader = open_reader(state); /* before there is anything */
	struct daybook *daybook = open_daybook(state);
	int64_t cursor = 0;

	for (int i = 0; i < 40; i++) {
		store(daybook, reading((uint32_t)(i / 10), (uint64_t)i + 1, NOW + i * 5 * HOUR_MS,
				       NOW + i * 5 * HOUR_MS, i));
		struct rows *rows = all_after(reader, cursor, SIZE_MAX);
		assert_int_equal(rows->n, 1);
		assert_true(rows->at[0].reading.value == i);
		assert_int_equal(rows->at[0].reading.monitor, i / 10);
		cursor = rows->at[0].sequence;
		rows->n = 0;
		struct daybook_query query = {.site = i / 10 == OXYGEN,
					      .monitor = (uint32_t)(i / 10),
					      .from_ms = NOW + i * 5 * HOUR_MS,
					      .to_ms = INT64_MAX,
					      .limit = 9};
		assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
		assert_int_equal(rows->n, 1);
		free(rows);
	}
	daybook_reader_close(reader);
	daybook_close(daybook);
}

/* --- trouble --- */

static void test_what_was_stored_after_all_is_not_stored_twice(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct reading batch[] = {reading(COD, 1, NOW, NOW, 1),
				  reading(COD, 2, NOW + 1, NOW + 1, 2),
				  reading(COD, 3, NOW + 2, NOW + 2, 3)};
	struct reading found;

	assert_int_equal(daybook_append(daybook, batch, 2), 0);
	assert_int_equal(daybook_commit(daybook), 0);
	/* the recorder did not hear of it and offers all again, with one more */
	assert_int_equal(daybook_append(daybook, batch, 3), 0);
	assert_int_equal(daybook_commit(daybook), 0);
	assert_int_equal(daybook_append(daybook, batch, 3), 0);
	assert_int_equal(daybook_commit(daybook), 0);
	assert_int_equal(daybook_sequence(daybook), 3);
	assert_int_equal(count_after(state, 0), 3);
	assert_true(daybook_latest(daybook, COD, &found) && found.value == 3);
	/* another ring has numbers of its own, and so has the next life */
	batch[0].ring = 1;
	store(daybook, batch[0]);
	daybook_close(daybook);
	daybook = open_daybook(state);
	store(daybook, batch[1]);
	assert_int_equal(count_after(state, 0), 5);
	daybook_close(daybook);
}

static void test_one_daybook_writes_in_a_directory(void **state)
{
	struct daybook *daybook = open_daybook(state), *second;

	assert_int_equal(daybook_open(&second, *state, &test_plan), -EBUSY);
	assert_null(second);
	daybook_close(daybook);
	daybook_close(open_daybook(state));
}

/* In a child, since a limit on file sizes stays for the whole process. */
static void fill_the_disk(const char *directory)
{
	struct daybook *daybook;
	struct rlimit limit = {600000, RLIM_INFINITY};
	int64_t kept = 0;
	int r = 0;

	signal(SIGXFSZ, SIG_IGN);
	if (daybook_open(&daybook, directory, &test_plan) != 0)
		_exit(10);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(11);
	for (uint64_t i = 0; r == 0 && i < 1000; i++) {
		struct reading batch[100];
		for (uint64_t k = 0; k < 100; k++)
			batch[k] = reading(COD, i * 100 + k + 1, NOW, NOW, 1);
		r = daybook_append(daybook, batch, 100);
		if (r == 0)
			r = daybook_commit(daybook);
		if (r == 0)
			kept = (int64_t)(i + 1) * 100;
	}
	if (r >= 0 || daybook_sequence(daybook) != kept)
		_exit(12);
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(13);
	for (uint64_t k = 1; k <= (uint64_t)kept + 100; k++) { /* all again, and more */
		struct reading again = reading(COD, k, NOW, NOW, 1);
		if (daybook_append(daybook, &again, 1) != 0)
			_exit(14);
	}
	if (daybook_commit(daybook) != 0 || daybook_sequence(daybook) != kept + 100)
		_exit(15);
	daybook_close(daybook);
	_exit(0);
}

static void test_a_full_disk_is_an_error_and_then_over(void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		fill_the_disk(*state);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	struct daybook *daybook = open_daybook(state);
	assert_int_equal(count_after(state, 0), daybook_sequence(daybook));
	daybook_close(daybook);
}

static void append_for_ever(const char *directory, int pipe_fd)
{
	struct daybook *daybook;
	if (daybook_open(&daybook, directory, &test_plan) != 0)
		_exit(1);
	for (uint64_t seq = 1;; seq += 50) {
		struct reading batch[50];
		for (uint64_t k = 0; k < 50; k++) {
			int64_t at = NOW + (int64_t)(seq + k) * 20000; /* some days a second */
			batch[k] = reading(COD, seq + k, at, at, (double)(seq + k));
		}
		if (daybook_append(daybook, batch, 50) != 0 || daybook_commit(daybook) != 0)
			_exit(2);
		int64_t last = daybook_sequence(daybook);
		if (write(pipe_fd, &last, sizeof last) != sizeof last)
			_exit(3);
	}
}

static void check_lives(void **state, int64_t reported)
{
	struct daybook_reader *reader = open_reader(state);
	uint64_t last_seq = 0;
	int64_t boot = 0, sequence = 0;

	for (size_t n = 1; n > 0;) {
		struct rows *rows = all_after(reader, sequence, 4000);
		n = rows->n;
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(rows->at[i].sequence, ++sequence);
			if (rows->at[i].boot != boot) {
				assert_true(rows->at[i].boot > boot);
				boot = rows->at[i].boot;
				last_seq = 0;
			}
			assert_int_equal(rows->at[i].reading.seq, ++last_seq);
		}
		free(rows);
	}
	assert_true(sequence >= reported);
	assert_int_equal(sequence % 50, 0); /* batches whole or not at all */
	daybook_reader_close(reader);
}

static void test_committed_readings_survive_a_kill(void **state)
{
	uint64_t seed = test_seed();

	for (int round = 0; round < 8; round++) {
		int fds[2];
		int64_t reported = 0, id;
		assert_int_equal(pipe(fds), 0);
		pid_t child = fork();
		if (child == 0)
			append_for_ever(*state, fds[1]);
		close(fds[1]);
		for (uint64_t wanted = 1 + test_random(&seed) % 60; wanted > 0; wanted--)
			assert_int_equal(read(fds[0], &reported, sizeof reported), sizeof reported);
		usleep((useconds_t)(test_random(&seed) % 3000));
		kill(child, SIGKILL);
		while (read(fds[0], &id, sizeof id) == sizeof id)
			reported = id;
		close(fds[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);
		check_lives(state, reported);
	}
}

static void spoil(void **state, const char *name)
{
	char path[256], junk[4096];
	snprintf(path, sizeof path, "%s/daybook/%s", (const char *)*state, name);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	memset(junk, 0x5a, sizeof junk);
	for (int i = 0; i < 4; i++)
		assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
	close(fd);
}

static void test_a_damaged_day_is_set_aside_and_the_rest_goes_on(void **state)
{
	struct daybook *daybook = open_daybook(state);
	char command[600];

	store(daybook, reading(COD, 1, NOW, NOW, 1));
	store(daybook, reading(COD, 2, NOW + DAY_MS, NOW + DAY_MS, 2));
	daybook_close(daybook);
	spoil(state, "2026-01-03.db");
	daybook = open_daybook(state);
	assert_int_equal(daybook_sequence(daybook), 1);
	store(daybook, reading(COD, 1, NOW + DAY_MS, NOW + DAY_MS, 3));
	assert_true(daybook_sequence(daybook) > 2); /* no sequence is given twice */
	assert_int_equal(count_after(state, 0), 2);
	assert_int_equal(count_after(state, 2), 1);
	daybook_close(daybook);
	snprintf(command, sizeof command, "ls %s/daybook/2026-01-03.db.corrupt-* >/dev/null",
		 (const char *)*state);
	assert_int_equal(system(command), 0);
	daybook = open_daybook(state);
	assert_int_equal(count_after(state, 0), 2);
	daybook_close(daybook);
}

/* A kill while the file of a new day was made. */
static void test_a_day_that_was_half_made_is_made_anew(void **state)
{
	struct daybook *daybook = open_daybook(state);
	char path[256];

	store(daybook, reading(COD, 1, NOW, NOW, 1));
	daybook_close(daybook);
	snprintf(path, sizeof path, "%s/daybook/2026-01-03.db", (const char *)*state);
	hot_journal_leave(path);
	daybook = open_daybook(state);
	store(daybook, reading(COD, 2, NOW + DAY_MS, NOW + DAY_MS, 2));
	assert_int_equal(count_after(state, 0), 2);
	daybook_close(daybook);
}

static void test_readings_of_removed_monitors_keep_their_names(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct monitor fewer[MONITORS];
	struct site sites[2];
	struct plan plan = test_plan;
	struct daybook_reader *reader;

	store(daybook, reading(COD, 1, NOW, NOW, 1));
	store(daybook, reading(AMMONIA, 2, NOW, NOW, 2));
	memcpy(fewer, test_plan.monitors, sizeof fewer);
	memcpy(sites, test_plan.sites, sizeof sites);
	sites[0].first_monitor = 1; /* COD is gone */
	sites[0].n_monitors = 2;
	plan.monitors = fewer;
	plan.sites = sites;
	assert_int_equal(daybook_reader_open(&reader, *state, &plan), 0);
	struct rows *rows = all_after(reader, 0, SIZE_MAX);
	assert_int_equal(rows->at[0].reading.monitor, NO_INDEX);
	assert_string_equal(rows->at[0].factor, "w01018");
	rows->n = 0;
	struct daybook_query query = {
		.site = 0, .monitor = NO_INDEX, .to_ms = INT64_MAX, .limit = 9};
	assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
	assert_int_equal(rows->n, 2);
	assert_string_equal(rows->at[0].factor, "w01018");
	assert_string_equal(rows->at[1].factor, "w21003");
	free(rows);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_reading_comes_back_as_it_was),
		TEST(test_the_latest_reading_is_known_after_the_commit_and_a_restart),
		TEST(test_the_sequence_goes_on_over_days_and_restarts),
		TEST(test_the_day_is_that_of_the_zone),
		TEST(test_a_clock_set_back_keeps_the_order),
		TEST(test_the_sequence_never_goes_back_whatever_days_are_gone),
		TEST(test_a_large_day_has_several_files),
		TEST(test_a_wild_clock_loses_and_reorders_nothing),
		TEST(test_a_reader_sees_new_rows_days_and_monitors),
		TEST(test_what_was_stored_after_all_is_not_stored_twice),
		TEST(test_one_daybook_writes_in_a_directory),
		TEST(test_a_full_disk_is_an_error_and_then_over),
		TEST(test_committed_readings_survive_a_kill),
		TEST(test_a_damaged_day_is_set_aside_and_the_rest_goes_on),
		TEST(test_a_day_that_was_half_made_is_made_anew),
		TEST(test_readings_of_removed_monitors_keep_their_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
