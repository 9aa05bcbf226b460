/* SPDX-License-Identifier: Apache-2.0 */
#include "store-daybook.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

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

/* Monitors report for the first time all day long: a reader that is open since the morning must
 * know each, however its own table has grown. */
static void test_a_monitor_that_first_reports_later_is_read(void **state)
{
	struct daybook *daybook = open_daybook(state);
	struct daybook_reader *reader = open_reader(state);

	for (uint32_t i = 0; i < MONITORS; i++) {
		store(daybook, reading(i, i + 1, NOW + i, NOW + i, i));
		struct rows *rows = all_after(reader, 0, SIZE_MAX);
		assert_int_equal(rows->n, i + 1);
		assert_int_equal(rows->at[i].reading.monitor, i);
		free(rows);
		rows = calloc(1, sizeof *rows);
		struct daybook_query query = {.site = test_plan.monitors[i].site,
					      .monitor = i,
					      .from_ms = NOW,
					      .to_ms = NOW + DAY_MS,
					      .limit = 10};
		assert_int_equal(daybook_range(reader, &query, add_row, rows), 0);
		assert_int_equal(rows->n, 1);
		free(rows);
	}
	daybook_reader_close(reader);
	daybook_close(daybook);
}

/* --- gaps --- */

struct gaps_seen {
	size_t n, most;
	char at[8][64]; /* "site factor from-to count", times from NOW in seconds */
};

static bool add_gap(void *context, const char *site, const char *factor, const struct gap *gap)
{
	struct gaps_seen *seen = context;
	assert_true(seen->n < 8);
	snprintf(seen->at[seen->n++], sizeof seen->at[0], "%s %s %lld-%lld %llu", site, factor,
		 (long long)(gap->from_ms - NOW) / 1000, (long long)(gap->to_ms - NOW) / 1000,
		 (unsigned long long)gap->count);
	return seen->most == 0 || seen->n < seen->most;
}

static void check_gaps(struct daybook_reader *reader, const char *site, int64_t from_s,
		       int64_t to_s, const char *expected)
{
	struct gaps_seen seen = {0};
	char all[512] = "";
	assert_int_equal(daybook_gaps(reader, site, NULL, NOW + from_s * 1000, NOW + to_s * 1000,
				      add_gap, &seen),
			 0);
	for (size_t i = 0; i < seen.n; i++)
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i > 0 ? ", " : "",
			 seen.at[i]);
	assert_string_equal(all, expected);
}

static void put_gap(struct daybook *daybook, uint32_t monitor, int64_t from_s, int64_t to_s,
		    uint64_t count, int64_t received_ms)
{
	struct gap gap = {monitor, NOW + from_s * 1000, NOW + to_s * 1000, count};
	assert_int_equal(daybook_append_gap(daybook, &gap, received_ms), 0);
	assert_int_equal(daybook_commit(daybook), 0);
}

static void test_gaps_are_kept_with_their_monitors_and_times(void **state)
{
	struct daybook *daybook = open_daybook(state);
	const struct monitor *m = test_plan.monitors;
	const char *site = test_plan.sites[m[0].site].id;
	char first[64], second[64], both[160];
	put_gap(daybook, 0, 10, 20, 5, NOW);
	put_gap(daybook, 0, 30, 30, 1, NOW + DAY_MS); /* in the next day's file */
	snprintf(first, sizeof first, "%s %s 10-20 5", site, m[0].factor);
	snprintf(second, sizeof second, "%s %s 30-30 1", site, m[0].factor);
	snprintf(both, sizeof both, "%s, %s", first, second);
	daybook_close(daybook);
	struct daybook_reader *reader = open_reader(state);
	check_gaps(reader, NULL, 0, 100, both);
	check_gaps(reader, site, 0, 100, both);
	check_gaps(reader, "no-such-site", 0, 100, "");
	check_gaps(reader, NULL, 20, 30, first); /* from is included, to is not */
	check_gaps(reader, NULL, 21, 31, second);
	struct gaps_seen one = {.most = 1};
	assert_int_equal(daybook_gaps(reader, NULL, NULL, 0, INT64_MAX, add_gap, &one), 0);
	assert_int_equal(one.n, 1);
	daybook_reader_close(reader);
}

static void test_a_file_of_the_first_version_has_no_gaps_until_it_is_written(void **state)
{
	struct daybook *daybook = open_daybook(state);
	char command[512];
	store(daybook, reading(0, 1, NOW, NOW, 1));
	daybook_close(daybook);
	struct daybook_reader *reader = open_reader(state);
	sqlite3 *db;
	snprintf(command, sizeof command, "%s/daybook/2026-01-02.db", (const char *)*state);
	assert_int_equal(sqlite3_open(command, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "DROP TABLE gaps; DROP TABLE chain; DROP TABLE chain_begin;"
				      "DROP TABLE frames;"
				      "PRAGMA user_version = 1",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	check_gaps(reader, NULL, 0, 100, "");
	daybook = open_daybook(state);
	put_gap(daybook, 0, 1, 1, 1, NOW);
	daybook_close(daybook);
	struct gaps_seen one = {0};
	assert_int_equal(daybook_gaps(reader, NULL, NULL, 0, INT64_MAX, add_gap, &one), 0);
	assert_int_equal(one.n, 1);
	daybook_reader_close(reader);
	assert_int_equal(count_after(state, 0), 1);
}

/* Such a file is named and left out, whatever it lacks; the others are read. */
static void test_a_file_that_is_no_daybook_keeps_nobody_from_the_others(void **state)
{
	static const char *const lacks[] = {"DROP TABLE blocks", "DROP TABLE monitors",
					    "ALTER TABLE readings DROP COLUMN raw"};
	for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
		struct daybook *daybook = open_daybook(state);
		struct daybook_reader *reader;
		struct rows rows = {0};
		char path[300];
		sqlite3 *db;
		struct reading r = reading(0, 1, NOW + (int64_t)i * 2 * DAY_MS,
					   NOW + (int64_t)i * 2 * DAY_MS, 1);
		assert_int_equal(daybook_append(daybook, &r, 1), 0);
		assert_int_equal(daybook_commit(daybook), 0);
		r.received_ms = r.measured_ms += DAY_MS;
		r.seq = 2;
		assert_int_equal(daybook_append(daybook, &r, 1), 0);
		assert_int_equal(daybook_commit(daybook), 0);
		daybook_close(daybook);
		snprintf(path, sizeof path, "%s/daybook/2026-01-%02zu.db", (const char *)*state,
			 2 + 2 * i);
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, lacks[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(daybook_reader_open(&reader, *state, &test_plan), 0);
		struct daybook_query query = {.site = test_plan.monitors[0].site,
					      .monitor = NO_INDEX,
					      .from_ms = 0,
					      .to_ms = INT64_MAX,
					      .limit = 10};
		assert_int_equal(daybook_range(reader, &query, add_row, &rows), 0);
		assert_int_equal(rows.n, i + 1); /* a day of each round */
		daybook_reader_close(reader);
		assert_int_equal(count_after(state, 0), i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ranges_are_exact_with_late_readings_and_clock_steps),
		TEST(test_ranges_are_exact_when_blocks_overlap_a_little),
		TEST(test_a_page_after_an_unknown_row_is_refused),
		TEST(test_a_monitor_that_first_reports_later_is_read),
		TEST(test_readers_follow_while_the_recorder_writes),
		TEST(test_gaps_are_kept_with_their_monitors_and_times),
		TEST(test_a_file_of_the_first_version_has_no_gaps_until_it_is_written),
		TEST(test_a_file_that_is_no_daybook_keeps_nobody_from_the_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
