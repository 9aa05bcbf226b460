/* SPDX-License-Identifier: Apache-2.0 */
#include "store-plan.h"

#include "store/daybook.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* 2026-01-02 03:04:05 +08:00 */
#define NOW INT64_C(1767294245000)
#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

static struct daybook *open_daybook(void **state)
{
	struct daybook *daybook;
	assert_int_equal(daybook_open(&daybook, *state, &test_plan), 0);
	return daybook;
}

static struct daybook_reader *open_reader(void **state)
{
	struct daybook_reader *reader;
	assert_int_equal(daybook_reader_open(&reader, *state, &test_plan), 0);
	return reader;
}

static struct reading reading(uint32_t monitor, uint64_t seq, int64_t measured, int64_t received,
			      double value)
{
	return (struct reading){.monitor = monitor,
				.seq = seq,
				.measured_ms = measured,
				.received_ms = received,
				.has_value = true,
				.value = value,
				.raw = 0xfedcba9876543210u,
				.flag = FLAG_NORMAL};
}

static void store(struct daybook *daybook, struct reading r)
{
	assert_int_equal(daybook_append(daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(daybook), 0);
}

struct rows {
	size_t n;
	struct {
		int64_t sequence, boot;
		char site[16], factor[16];
		struct reading reading;
	} at[4000];
};

static bool add_row(void *context, const struct daybook_row *row)
{
	struct rows *rows = context;
	assert_true(rows->n < sizeof rows->at / sizeof rows->at[0]);
	rows->at[rows->n].sequence = row->sequence;
	rows->at[rows->n].boot = row->boot;
	rows->at[rows->n].reading = row->reading;
	snprintf(rows->at[rows->n].site, 16, "%s", row->site);
	snprintf(rows->at[rows->n].factor, 16, "%s", row->factor);
	assert_int_equal(row->monitor, row->reading.monitor);
	rows->n++;
	return true;
}

static struct rows *all_after(struct daybook_reader *reader, int64_t after, size_t limit)
{
	struct rows *rows = calloc(1, sizeof *rows);
	assert_int_equal(daybook_after(reader, after, limit, add_row, rows), 0);
	for (size_t i = 1; i < rows->n; i++)
		assert_true(rows->at[i].sequence > rows->at[i - 1].sequence);
	return rows;
}

static size_t count_after(void **state, int64_t after)
{
	struct daybook_reader *reader = open_reader(state);
	struct rows *rows = all_after(reader, after, SIZE_MAX);
	size_t n = rows->n;
	free(rows);
	daybook_reader_close(reader);
	return n;
}

static bool has_file(void **state, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/daybook/%s", (const char *)*state, name);
	return access(path, F_OK) == 0;
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
	assert_memory_equal(&rows->at[0].reading, &two[0], sizeof two[0]);
	assert_memory_equal(&rows->at[1].reading, &two[1], sizeof two[1]);
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

/* --- ranges against a plain list --- */

struct oracle {
	size_t n;
	struct {
		int64_t sequence;
		struct reading reading;
	} at[4000];
};

static int oracle_compare(const void *a, const void *b)
{
	const struct reading *x = (const void *)((const char *)a + sizeof(int64_t));
	const struct reading *y = (const void *)((const char *)b + sizeof(int64_t));
	if (x->measured_ms != y->measured_ms)
		return x->measured_ms < y->measured_ms ? -1 : 1;
	int64_t s = *(const int64_t *)a, t = *(const int64_t *)b;
	return s < t ? -1 : s > t;
}

static void check_range(struct daybook_reader *reader, const struct oracle *oracle,
			struct daybook_query query)
{
	struct rows *rows = calloc(1, sizeof *rows);
	size_t limit = query.limit, k = 0, before;

	query.after = 0;
	do { /* page by page */
		before = rows->n;
		assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
		assert_true(rows->n - before <= limit);
		if (rows->n > before)
			query.after = rows->at[rows->n - 1].sequence;
	} while (rows->n - before == limit);
	for (size_t i = 0; i < oracle->n; i++) {
		const struct reading *r = &oracle->at[i].reading;
		if (r->measured_ms < query.from_ms || r->measured_ms >= query.to_ms ||
		    test_plan.monitors[r->monitor].site != query.site ||
		    (query.monitor != NO_INDEX && r->monitor != query.monitor))
			continue;
		assert_true(k < rows->n);
		assert_int_equal(rows->at[k].sequence, oracle->at[i].sequence);
		assert_true(rows->at[k].reading.value == r->value);
		assert_int_equal(rows->at[k].reading.monitor, r->monitor);
		k++;
	}
	assert_int_equal(k, rows->n);
	free(rows);
}

/* Mostly in order; some late, and the receipt's clock steps back now and then, if at all. */
static void fill(struct daybook *daybook, struct oracle *oracle, uint64_t *seed, int64_t late_ms,
		 uint64_t steps)
{
	int64_t clock = NOW;

	while (oracle->n < 3900) {
		uint64_t dice = test_random(seed) % 1000;
		size_t batch = 1 + test_random(seed) % 300;
		clock += (int64_t)(test_random(seed) % 1200000);
		if (dice < steps)
			clock -= (int64_t)(test_random(seed) % (uint64_t)(3 * DAY_MS));
		for (size_t i = 0; i < batch && oracle->n < 3900; i++) {
			int64_t measured = clock - (int64_t)(test_random(seed) % 3000);
			if (test_random(seed) % 50 == 0)
				measured -= (int64_t)(test_random(seed) % (uint64_t)late_ms);
			struct reading r =
				reading((uint32_t)(test_random(seed) % MONITORS), oracle->n + 1,
					measured, clock, (double)oracle->n);
			assert_int_equal(daybook_append(daybook, &r, 1), 0);
			oracle->at[oracle->n].reading = r;
			oracle->at[oracle->n].sequence = (int64_t)oracle->n + 1;
			oracle->n++;
		}
		assert_int_equal(daybook_commit(daybook), 0);
	}
}

/* Bounds are often the very times of readings, since there the mistakes are. */
static int64_t pick_time(const struct oracle *oracle, uint64_t *seed)
{
	int64_t at = oracle->at[test_random(seed) % oracle->n].reading.measured_ms;
	return test_random(seed) % 3 == 0 ? at + (int64_t)(test_random(seed) % 100000) - 50000
					  : at + (int64_t)(test_random(seed) % 3) - 1;
}

static void check_ranges(void **state, int64_t late_ms, uint64_t steps)
{
	uint64_t seed = test_seed();
	struct oracle *oracle = calloc(1, sizeof *oracle);
	struct daybook *daybook = open_daybook(state);
	struct daybook_reader *reader = open_reader(state);

	fill(daybook, oracle, &seed, late_ms, steps);
	qsort(oracle->at, oracle->n, sizeof oracle->at[0], oracle_compare);
	check_range(reader, oracle,
		    (struct daybook_query){
			    .site = 0, .monitor = NO_INDEX, .to_ms = INT64_MAX, .limit = 4000});
	for (int i = 0; i < 300; i++) {
		struct daybook_query query = {
			.monitor = (uint32_t)(test_random(&seed) % (MONITORS + 1)),
			.from_ms = pick_time(oracle, &seed),
			.to_ms = pick_time(oracle, &seed),
			.limit = 1 + test_random(&seed) % 500};
		query.site = query.monitor == OXYGEN;
		if (query.monitor == MONITORS) {
			query.monitor = NO_INDEX;
			query.site = test_random(&seed) % 2 != 0;
		}
		check_range(reader, oracle, query);
	}
	/* each day's very first reading, after its file is known to be complete */
	for (size_t i = 0; i < oracle->n; i += 7)
		check_range(reader, oracle,
			    (struct daybook_query){.site = oracle->at[i].reading.monitor == OXYGEN,
						   .monitor = NO_INDEX,
						   .from_ms = oracle->at[i].reading.measured_ms - 1,
						   .to_ms = oracle->at[i].reading.measured_ms + 1,
						   .limit = 50});
	free(oracle);
	daybook_reader_close(reader);
	daybook_close(daybook);
}

static void test_ranges_are_exact_with_late_readings_and_clock_steps(void **state)
{
	check_ranges(state, 2 * DAY_MS, 60);
}

static void test_ranges_are_exact_when_blocks_overlap_a_little(void **state)
{
	check_ranges(state, HOUR_MS / 2, 0);
}

static void test_a_page_after_an_unknown_row_is_refused(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct daybook_reader *reader = open_reader(state);
	struct daybook_query query = {.to_ms = INT64_MAX, .after = 99, .limit = 5};
	struct rows rows = {0};

	store(daybook, reading(COD, 1, NOW, NOW, 1));
	assert_int_equal(daybook_range(reader, &query, add_row, &rows), -ENOENT);
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

/* --- threads --- */

struct follower {
	pthread_t thread;
	const char *directory;
	struct daybook *daybook;
	_Atomic bool stop;
	int64_t seen;
};

static bool follow_row(void *context, const struct daybook_row *row)
{
	struct follower *f = context;
	bool next = row->sequence == f->seen + 1 && row->reading.value == (double)row->sequence;
	f->seen = row->sequence;
	return next;
}

static bool order_row(void *context, const struct daybook_row *row)
{
	int64_t *last = context;
	bool good = row->sequence == *last + 1;
	*last = row->sequence;
	return good;
}

static void *follow(void *context)
{
	struct follower *f = context;
	struct daybook_reader *reader;
	struct daybook_query query = {
		.site = 0, .monitor = COD, .to_ms = INT64_MAX, .limit = SIZE_MAX};

	if (daybook_reader_open(&reader, f->directory, &test_plan) != 0)
		return (void *)1;
	for (bool last = false; !last;) {
		struct reading latest;
		int64_t before = daybook_sequence(f->daybook), seen = 0;
		last = f->stop;
		if (daybook_latest(f->daybook, COD, &latest) && latest.value < (double)before)
			return (void *)2; /* the latest is told before the sequence */
		if (daybook_after(reader, f->seen, SIZE_MAX, follow_row, f) != 0 ||
		    f->seen < before)
			return (void *)3;
		if (daybook_range(reader, &query, order_row, &seen) != 0 || seen < before)
			return (void *)4;
	}
	daybook_reader_close(reader);
	return NULL;
}

static void test_readers_follow_while_the_recorder_writes(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct follower followers[2] = {0};
	struct reading batch[50];

	for (size_t i = 0; i < 2; i++) {
		followers[i].directory = *state;
		followers[i].daybook = daybook;
		assert_int_equal(pthread_create(&followers[i].thread, NULL, follow, &followers[i]),
				 0);
	}
	/* over some days, so that files change under the readers */
	for (uint64_t i = 0; i < 100; i++) {
		for (uint64_t k = 0; k < 50; k++)
			batch[k] = reading(COD, i * 50 + k + 1, NOW + (int64_t)i * HOUR_MS,
					   NOW + (int64_t)i * HOUR_MS, (double)(i * 50 + k + 1));
		assert_int_equal(daybook_append(daybook, batch, 50), 0);
		assert_int_equal(daybook_commit(daybook), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		void *result;
		followers[i].stop = true;
		assert_int_equal(pthread_join(followers[i].thread, &result), 0);
		assert_null(result);
		assert_int_equal(followers[i].seen, 5000);
	}
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
		TEST(test_a_reader_sees_new_rows_days_and_monitors),
		TEST(test_ranges_are_exact_with_late_readings_and_clock_steps),
		TEST(test_ranges_are_exact_when_blocks_overlap_a_little),
		TEST(test_a_page_after_an_unknown_row_is_refused),
		TEST(test_what_was_stored_after_all_is_not_stored_twice),
		TEST(test_one_daybook_writes_in_a_directory),
		TEST(test_a_full_disk_is_an_error_and_then_over),
		TEST(test_committed_readings_survive_a_kill),
		TEST(test_a_damaged_day_is_set_aside_and_the_rest_goes_on),
		TEST(test_readers_follow_while_the_recorder_writes),
		TEST(test_readings_of_removed_monitors_keep_their_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
