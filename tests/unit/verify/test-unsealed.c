/* SPDX-License-Identifier: Apache-2.0 */
/* What is put behind the last seal, or dated to where it does not belong. */
#include "forge.h"

#include <sys/stat.h>

/* The store's last link, which brought no more than a gap, with another time and a hash that is
 * right. */
static void forge_time(void **state, int64_t later_ms)
{
	uint8_t bytes[CHAIN_TRAILER_BYTES], hash[CHAIN_HASH_BYTES];
	struct chain_trailer link;
	struct gap gap;
	struct hash *h;
	char path[256];
	sqlite3 *db;
	sqlite3_stmt *s;
	snprintf(path, sizeof path, "%s/daybook/2026-01-02.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(hash_new(&h), 0);
	assert_int_equal(
		sql_prepare(db, &s,
			    "SELECT c.batch, c.monitors, c.gaps, c.at_ms, c.mono_ms,"
			    " c.clock_error_us, p.hash, g.monitor, g.from_ms, g.to_ms, g.count"
			    " FROM chain c JOIN chain p ON p.batch = c.batch - 1, gaps g"
			    " ORDER BY c.batch DESC LIMIT 1"),
		0);
	assert_int_equal(sqlite3_step(s), SQLITE_ROW);
	link = (struct chain_trailer){.batch = sqlite3_column_int64(s, 0),
				      .monitors = sqlite3_column_int64(s, 1),
				      .gaps = sqlite3_column_int64(s, 2),
				      .at_ms = sqlite3_column_int64(s, 3) + later_ms,
				      .mono_ms = sqlite3_column_int64(s, 4),
				      .clock_error_us = sqlite3_column_int64(s, 5)};
	gap = (struct gap){.from_ms = sqlite3_column_int64(s, 8),
			   .to_ms = sqlite3_column_int64(s, 9),
			   .count = (uint64_t)sqlite3_column_int64(s, 10)};
	assert_true(sql_hash(s, 6, hash));
	hash_link(h, hash);
	hash_add(h, bytes,
		 (size_t)(chain_gap_bytes(bytes, &gap, sqlite3_column_int64(s, 7)) - bytes));
	hash_add(h, bytes, (size_t)(chain_trailer_bytes(bytes, &link) - bytes));
	assert_int_equal(hash_end(h, hash), 0);
	sqlite3_finalize(s);
	assert_int_equal(
		sql_prepare(db, &s, "UPDATE chain SET at_ms = ?2, hash = ?3 WHERE batch = ?1"), 0);
	assert_int_equal(sql_do(s, "iih", link.batch, link.at_ms, hash), 0);
	sqlite3_finalize(s);
	hash_free(h);
	sqlite3_close(db);
}

/* Minutes that no seal covers are found by the wall clock, too, where it cannot have been set. */
static void test_a_tail_of_minutes_is_bad_though_it_counts_none(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct life life;
		struct said said;
		struct verify_sum sum;
		life_clock.synchronised = i == 0;
		life_begin(&life, *state, 0);
		life_batch(&life, 3, NOW);
		life_minute(&life);
		life_gap(&life, NOW + 4000);
		life_end(&life, false);
		check_clean(*state);
		forge_time(state, 60000);
		check_clean(*state);
		forge_time(state, 540000);
		if (life_clock.synchronised) {
			check_bad(*state, "batch 2 (");
		} else {
			assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
			assert_non_null(strstr(said.notes, "the clock was set, or they were"));
		}
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
	}
}

/* A store that was killed: what is behind its last seal nobody has sealed. */
static void killed(void **state)
{
	struct life life;
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_alert(&life, 0, NOW + 5000, false);
	life_act(&life, 1, ACTION_ACCEPT, NOW + 9000);
	life_seal(&life);
	life_end(&life, false);
}

static void next_life(void **state, int64_t at_ms)
{
	struct life life;
	life_at(at_ms);
	life_begin(&life, *state, 0);
	life_end(&life, true);
}

/* A step with all that a daemon writes with it. */
static void forge_step(void **state, int64_t at_ms)
{
	struct forger f;
	char sql[200];
	forge_begin(&f, *state);
	snprintf(sql, sizeof sql,
		 "INSERT INTO history(case_id, at, action, by) VALUES(1, %lld, 'note', 'B')",
		 (long long)at_ms);
	forge_do(&f, sql);
	snprintf(sql, sizeof sql,
		 "INSERT INTO events(at, type, case_id, json) VALUES(%lld, 'x', 1, '{}')",
		 (long long)NOW + 20000);
	forge_do(&f, sql);
	forge_append(&f, CHAIN_HISTORY, forge_number(&f, "SELECT max(id) FROM history"));
	forge_append(&f, CHAIN_EVENT, forge_number(&f, "SELECT max(id) FROM events"));
	forge_append(&f, CHAIN_COURSE, 1);
	forge_end(&f);
}

/* Behind a seal it says a time of before it. */
static void test_a_step_is_no_older_than_the_seal_before_it(void **state)
{
	struct verify_sum sum;
	struct said said;
	killed(state);
	forge_step(state, NOW - DAY_MS);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(
		strstr(said.notes, "step 3 lies behind the last seal, of 2026-01-01T19:04"));
	next_life(state, NOW + 30000);
	check_bad(*state,
		  "step 3 says 2025-12-31T19:04:05Z, but was written about 2026-01-01T19:04");
}

static void test_a_step_is_no_younger_than_the_seal_behind_it(void **state)
{
	killed(state);
	forge_step(state, NOW + 20000);
	next_life(state, NOW + 30000);
	check_clean(*state);
	forge_step(state, NOW + DAY_MS);
	check_bad(*state, "is behind seal");
	next_life(state, NOW + 40000);
	check_bad(*state, "and before seal");
}

/* A clock that is set leaves two seals that say so. */
static void test_a_clock_that_is_set_is_no_alarm(void **state)
{
	struct life life;
	killed(state);
	next_life(state, NOW - 5 * DAY_MS);
	life_begin(&life, *state, 0);
	life_batch(&life, 3, NOW - 5 * DAY_MS);
	life_act(&life, 1, ACTION_NOTE, NOW - 5 * DAY_MS + 1000);
	life_seal(&life);
	life_act(&life, 1, ACTION_NOTE, NOW + 9 * DAY_MS);
	life_end(&life, true);
	check_clean(*state);
}

static void test_nothing_is_written_while_no_daemon_runs(void **state)
{
	struct life life = {0};
	forge_fill(state);
	life_at(NOW + 30000);
	assert_int_equal(daybook_open(&life.daybook, *state, &store_plan), 0);
	life_batch(&life, 2, NOW + 30000);
	daybook_close(life.daybook);
	check_bad(*state, "batch 3 is behind seal 2, that of a clean stop");
	next_life(state, NOW + 40000);
	check_bad(*state, "batch 3 is behind seal 2, that of a clean stop, and before seal 3");
}

/* A daemon leaves events for a day. */
static void test_events_that_went_early_are_named(void **state)
{
	struct verify_sum sum;
	struct said said;
	struct forger f;
	killed(state);
	forge_begin(&f, *state);
	int64_t last = forge_number(&f, "SELECT max(id) FROM events");
	forge_do(&f, "DELETE FROM events");
	forge_append(&f, CHAIN_PRUNED, last);
	forge_end(&f);
	next_life(state, NOW + 3570000);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, "was removed 59 minutes after it came at most"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_tail_of_minutes_is_bad_though_it_counts_none),
		TEST(test_a_step_is_no_older_than_the_seal_before_it),
		TEST(test_a_step_is_no_younger_than_the_seal_behind_it),
		TEST(test_a_clock_that_is_set_is_no_alarm),
		TEST(test_nothing_is_written_while_no_daemon_runs),
		TEST(test_events_that_went_early_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
