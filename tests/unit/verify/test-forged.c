/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done to a store without any key, when nothing else is left to be done by halves. */
#include "forge.h"

#include <sys/stat.h>

static void anew(void **state)
{
	life_at(NOW);
	directory_clear(*state);
	assert_int_equal(mkdir(*state, 0700), 0);
	forge_fill(state);
}

/* A row was altered, and an entry says what it is now, or none (kind 0); what must be said of it.
 */
static const struct {
	const char *sql;
	uint8_t kind;
	int64_t ref;
	const char *words;
} rewritten[] = {
	{"UPDATE history SET by = 'B' WHERE id = 2", CHAIN_HISTORY, 2,
	 "step 2 has one already, and is never rewritten"},
	{"UPDATE events SET json = '{}' WHERE id = 2", CHAIN_EVENT, 2, "event 2 has one already"},
	{"UPDATE marks SET reason = 'none'", CHAIN_MARK, 1, "mark 1 has one already"},
	{"UPDATE recomputed SET became = 'exceeds'", CHAIN_CHANGE, 1,
	 "change by a mark 1 has one already"},
	{"UPDATE instruments SET scale = 2 WHERE id = 1", CHAIN_INSTRUMENT, 1,
	 "setting of an instrument 1 has one already"},
	{"UPDATE cases SET first_value = 50.1", CHAIN_CASE, 1, "case 1 was changed by no daemon"},
	{"UPDATE cases SET opened = opened + 86400000", CHAIN_OPENED, 1,
	 "registration of case 1 has one already"},
	{"UPDATE alerts SET value = 50.1", CHAIN_ALERT, 1, "alert 1 was changed by no daemon"},
	{"UPDATE alerts SET raised = raised + 5000", CHAIN_RAISED, 1,
	 "begin of alert 1 has one already"},
	{"DELETE FROM events", CHAIN_PRUNED, 1000000, "removes events up to 1000000, but there"},
	{"UPDATE alerts SET cleared = cleared + 60000", CHAIN_CLEARED, 1,
	 "end of alert 1 has one already"},
	{"UPDATE alerts SET peak = 51", CHAIN_ALERT, 1, "alert 1 was changed by no daemon"},
	{"UPDATE cases SET status = 'closed', closed = opened", CHAIN_CASE, 1,
	 "case 1 was changed by no daemon"},
	{"INSERT INTO history(case_id, at, action, by) VALUES(1, 1, 'close', 'B')", CHAIN_HISTORY,
	 5, "step 5 was changed by no daemon"},
	{"UPDATE alerts SET settled = 1", 0, 0, "settling of alert 1 is in no entry"},
	{"UPDATE cases SET fixed = 1 - fixed", 0, 0, "course of case 1 is not what the chain says"},
	{"UPDATE cases SET restored = 1", 0, 0, "course of case 1 is not what the chain says"},
	{"UPDATE cases SET kept_due = 1", 0, 0, "course of case 1 is not what the chain says"},
	{"UPDATE cases SET kept_stage_at = 1", 0, 0, "course of case 1 is not what the chain says"},
	{"UPDATE cases SET kept_extended = 1", 0, 0, "course of case 1 is not what the chain says"},
	{"UPDATE cases SET kept_fixed = 1", 0, 0, "course of case 1 is not what the chain says"},
	{"SELECT 1", CHAIN_FORMAT, CHAIN_FORMAT_NOW + 1, "of a later version"},
	{"SELECT 1", CHAIN_FORMAT, 1, "says format 1 behind format 6"},
};

static void test_no_row_is_rewritten_by_a_further_entry(void **state)
{
	for (size_t i = 0; i < sizeof rewritten / sizeof rewritten[0]; i++) {
		struct forger f;
		anew(state);
		check_clean(*state);
		forge_begin(&f, *state);
		forge_do(&f, rewritten[i].sql);
		if (rewritten[i].kind != 0)
			forge_append(&f, rewritten[i].kind, rewritten[i].ref);
		forge_end(&f);
		check_bad(*state, rewritten[i].words);
	}
}

/* While an alert is active; what must be said. Each row but the worst is in the chain. */
static const struct {
	const char *sql, *words;
} moving[] = {
	{"UPDATE cases SET limit_value = 13", "case 1: its limit is that of none of its episodes"},
	{"UPDATE cases SET limit_source = 'forged'", "case 1: its limit is that of none"},
	{"UPDATE cases SET bound = 'min'", "case 1: its limit is that of none"},
	{"UPDATE cases SET limit_value = NULL, limit_source = NULL, bound = NULL",
	 "case 1: its limit is that of none"},
	{"UPDATE cases SET severity = 'grave'", "course of case 1 is not what the chain says"},
	{"UPDATE cases SET multiple = 0.01", "case 1: its worst value is that of none"},
	{"UPDATE cases SET peak_value = 51", "case 1: its worst value is that of none"},
	{"UPDATE cases SET peak_at = peak_at - 1", "case 1: its worst value is that of none"},
	{"UPDATE cases SET multiple = 0.01; UPDATE alerts SET multiple = 0.01",
	 "alert 1: its multiple does not follow from its peak and limit"},
	{"UPDATE cases SET peak_value = 51, multiple = 51 / 50.0 - 1; UPDATE alerts SET peak = 51,"
	 " multiple = 51 / 50.0 - 1",
	 "alert 1: its peak is better than the value that raised it"},
	{"UPDATE alerts SET limit_value = 13", "alert 1 is not what the chain says"},
	{"UPDATE alerts SET value = 50.1", "alert 1 is not what the chain says"},
};

static void test_what_moves_fits_what_is_chained(void **state)
{
	for (size_t i = 0; i < sizeof moving / sizeof moving[0]; i++) {
		struct forger f;
		struct life life;
		life_at(NOW);
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
		life_begin(&life, *state, 0);
		life_batch(&life, 10, NOW);
		life_alert(&life, 0, NOW + 5000, true);
		life_end(&life, true);
		check_clean(*state);
		forge_begin(&f, *state);
		forge_do(&f, moving[i].sql);
		forge_end(&f);
		check_bad(*state, moving[i].words);
	}
}

static void peak_grows(struct life *life, double peak, int64_t at_ms)
{
	struct verdict v = life_verdict(VERDICT_PEAK, 0, NOW + 5000, at_ms);
	v.peak_value = peak;
	life_at(at_ms);
	assert_int_equal(ledger_apply(life->ledger, &v, 1, at_ms, NULL), 0);
}

/* The severity is made less while a daemon runs, which tells how it rises, and seals that. */
static void test_a_severity_that_a_case_did_not_have_is_found(void **state)
{
	struct forger f;
	struct life life;
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_alert(&life, 0, NOW + 5000, true);
	peak_grows(&life, 120, NOW + 10000);
	peak_grows(&life, 121, NOW + 20000);
	life_end(&life, true);
	check_clean(*state);
	life_begin(&life, *state, 0);
	forge_begin(&f, *state);
	forge_do(&f, "UPDATE cases SET severity = 'general'");
	forge_end(&f);
	check_bad(*state, "course of case 1 is not what the chain says");
	peak_grows(&life, 122, NOW + 30000);
	life_end(&life, true);
	check_bad(*state, "of case 1 says a severity that the case did not have");
}

/* A daemon that starts on such a ledger seals it, and it is bad all the same. */
static void test_a_daemon_that_starts_does_not_make_it_good(void **state)
{
	struct forger f;
	struct life life;
	forge_fill(state);
	forge_begin(&f, *state);
	forge_do(&f, "UPDATE history SET by = 'B' WHERE id = 2");
	forge_append(&f, CHAIN_HISTORY, 2);
	forge_end(&f);
	life_begin(&life, *state, 0);
	life_end(&life, true);
	check_bad(*state, "step 2 has one already");
}

/* A mark that is there twice, in a table without a key: no lookup by its id shows the second. */
static const char twice[] =
	"ALTER TABLE marks RENAME TO kept; CREATE TABLE marks(id INTEGER, at INTEGER NOT NULL,"
	" site TEXT NOT NULL, factor TEXT NOT NULL, from_at INTEGER NOT NULL, to_at INTEGER NOT"
	" NULL, flag TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL, file TEXT, sha256 TEXT,"
	" bytes INTEGER); INSERT INTO marks SELECT * FROM kept; INSERT INTO marks SELECT id, at,"
	" site, factor, from_at, to_at, 'N', 'forged', by, file, sha256, bytes FROM kept; DROP "
	"TABLE"
	" kept";

/* A daemon reads the rows of such a ledger into one of its own, which has each row once. */
static void test_a_row_that_is_there_twice_is_found_and_not_taken_up(void **state)
{
	struct forger f;
	struct life life;
	forge_fill(state);
	forge_begin(&f, *state);
	forge_do(&f, twice);
	forge_end(&f);
	check_bad(*state, "ledger.db: the table marks is none that a daemon makes");
	life_begin(&life, *state, 0);
	life_end(&life, true);
	check_clean(*state);
	forge_begin(&f, *state);
	assert_int_equal(forge_number(&f, "SELECT count(*) FROM marks WHERE reason = 'forged'"), 0);
	forge_end(&f);
}

/* Readings in a file that no chain names, with numbers below those that the chain begins with. */
static void test_readings_before_the_first_are_none(void **state)
{
	static const char *const numbers[] = {"seq - 10", "seq - 100"};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		char command[600], path[256], sql[200], *error = NULL;
		sqlite3 *db;
		anew(state);
		snprintf(path, sizeof path, "%s/daybook/2026-01-02.9.db", (const char *)*state);
		snprintf(command, sizeof command, "cp %s/daybook/2026-01-02.db %s",
			 (const char *)*state, path);
		assert_int_equal(system(command), 0);
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		snprintf(sql, sizeof sql,
			 "DROP TABLE chain; DROP TABLE chain_begin; DROP TABLE frames; DELETE FROM"
			 " gaps; UPDATE readings SET seq = %s; PRAGMA user_version=2",
			 numbers[i]);
		if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
			fail_msg("%s", error);
		sqlite3_close(db);
		check_bad(*state, "2026-01-02.9.db: it has no chain, and what it holds is not");
	}
}

/* What the ledger would keep of the file of a day, or of its frames, before it is removed. */
static void forge_day(struct forger *f, const char *directory, const char *day, bool frames)
{
	char sql[700];
	snprintf(sql, sizeof sql, "ATTACH '%s/daybook/%s.db' AS day", directory, day);
	forge_do(f, sql);
	snprintf(sql, sizeof sql,
		 frames ? "INSERT INTO frames_gone VALUES(1, '%s.db', 1, %lld)"
			: "INSERT INTO chain_days SELECT 1, '%s.db', (SELECT min(batch) FROM"
			  " day.chain), batch, hash, (SELECT min(seq) FROM day.readings), (SELECT"
			  " max(seq) FROM day.readings), %lld FROM day.chain ORDER BY batch DESC"
			  " LIMIT 1",
		 day, (long long)life_wall_ms());
	forge_do(f, sql);
	forge_append(f, frames ? CHAIN_FRAMES : CHAIN_DAY, 1);
}

static void change(void **state, const char *sql)
{
	char path[256], *error = NULL;
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/daybook/2026-01-02.db", (const char *)*state);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s", error);
	sqlite3_close(db);
}

static void last_line_twice(void **state)
{
	char command[600];
	snprintf(command, sizeof command,
		 "f=%s/seals/2026-01-02.seals; l=$(tail -n 1 $f); echo \"$l\" >> $f",
		 (const char *)*state);
	assert_int_equal(system(command), 0);
}

static void seals_copy(void **state, const char *to)
{
	char command[600];
	snprintf(command, sizeof command, "cp %s/seals/2026-01-02.seals %s/seals/%s",
		 (const char *)*state, (const char *)*state, to);
	assert_int_equal(system(command), 0);
}

static bool is_there(void **state, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	return access(path, F_OK) == 0;
}

/* As from a medium that nobody writes to; nor is anything made beside it. */
static void test_a_copy_with_a_log_and_no_index_of_it_verifies(void **state)
{
	struct life life;
	char command[600];
	forge_fill(state);
	life_begin(&life, *state, 0);
	life_batch(&life, 4, NOW + 60000);
	snprintf(command, sizeof command, "cp -r %s %s.copy && rm %s.copy/daybook/*-shm",
		 (const char *)*state, (const char *)*state, (const char *)*state);
	assert_int_equal(system(command), 0);
	life_end(&life, true);
	snprintf(command, sizeof command, "rm -rf %s && mv %s.copy %s", (const char *)*state,
		 (const char *)*state, (const char *)*state);
	assert_int_equal(system(command), 0);
	assert_true(is_there(state, "daybook/2026-01-02.db-wal"));
	check_clean(*state);
	assert_false(is_there(state, "daybook/2026-01-02.db-shm"));
}

/* The foreign file is named, not the one that a daemon wrote. */
static void test_a_file_of_seals_is_there_once_and_called_by_its_day(void **state)
{
	forge_fill(state);
	seals_copy(state, "2026-01-02.1.seals");
	check_bad(*state, "seals/2026-01-02.1.seals: no daemon calls a file of seals so");
	anew(state);
	seals_copy(state, "2026-01-03.seals");
	check_bad(*state,
		  "seals/2026-01-03.seals: seal 1, of 2026-01-01T19:04:05Z, is of another day");
	anew(state);
	last_line_twice(state);
	check_bad(*state, "stands in another line of it, too");
}

/* A daemon that was killed left nothing behind between its last batch and the first of the next. */
static void test_the_hole_of_a_kill_is_named(void **state)
{
	struct verify_sum sum;
	struct life life;
	struct said said;
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_end(&life, false);
	life_at(NOW + 600000);
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW + 600000);
	life_end(&life, true);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, "hole: nothing was recorded between "
					   "2026-01-01T19:04:05Z (batch 1) and "
					   "2026-01-01T19:14:05Z"));
}

/* What another program has changed is not written to any more, and is named. */
static void test_a_daemon_leaves_a_file_of_foreign_tables_alone(void **state)
{
	struct life life;
	char path[256];
	forge_fill(state);
	change(state, "CREATE TABLE more(id INTEGER)");
	life_begin(&life, *state, 0);
	life_batch(&life, 4, NOW + 60000);
	life_end(&life, true);
	check_bad(*state, "daybook/2026-01-02.db: the table more is none that a daemon makes");
	snprintf(path, sizeof path, "%s/daybook/2026-01-02.1.db", (const char *)*state);
	assert_int_equal(access(path, F_OK), 0);
	change(state, "DROP TABLE more");
	check_clean(*state);
}

static void remove_file(void **state, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	assert_int_equal(remove(path), 0);
}

/* A case that was registered while the day was written: it is open, or was closed since. */
static void case_of_the_day(void **state, bool open)
{
	struct life life;
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_alert(&life, 0, NOW + 5000, false);
	life_frames(&life, NOW + 20000);
	if (!open)
		life_withdraw(&life, 1, NOW + 30000);
	life_seal(&life);
	life_end(&life, false);
}

/* A day that the ledger calls removed is verified as long as it is there. */
static void test_a_day_called_removed_is_what_it_was_until_it_goes(void **state)
{
	struct forger f;
	struct said said;
	struct verify_sum sum;
	case_of_the_day(state, false);
	forge_begin(&f, *state);
	forge_day(&f, *state, "2026-01-02", false);
	forge_end(&f);
	remove_file(state, "daybook/2026-01-02.frames");
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, "2026-01-02.db: it is about to be removed"));
	assert_true(sum.readings > 0);
	change(state, "UPDATE readings SET value = 12 WHERE seq = 3");
	check_bad(*state, "2026-01-02.db: batch 1 (readings 1 to");
	remove_file(state, "daybook/2026-01-02.db");
	check_clean(*state);
}

static void test_what_an_open_case_needs_is_never_removed(void **state)
{
	static const char *const words[] = {
		"2026-01-02.db: it was removed, and case 1, which was open, needs it",
		"2026-01-02.db: its frames were removed, and case 1, which was open, needs them"};
	for (int i = 0; i < 4; i++) {
		struct forger f;
		bool frames = i % 2 != 0, open = i < 2;
		case_of_the_day(state, open);
		check_clean(*state);
		forge_begin(&f, *state);
		forge_day(&f, *state, "2026-01-02", frames);
		forge_end(&f);
		remove_file(state, "daybook/2026-01-02.frames");
		if (!frames)
			remove_file(state, "daybook/2026-01-02.db");
		if (open)
			check_bad(*state, words[i]);
		else
			check_clean(*state);
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
	}
}

static void test_files_that_no_daemon_makes_are_noted(void **state)
{
	static const char *const names[] = {"daybook/2026-01-01.frames", "daybook/foo.db2",
					    "seals/x"};
	struct verify_sum sum;
	struct said said;
	char path[256];
	forge_fill(state);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	if (strstr(said.notes, "no daemon's file") != NULL)
		fail_msg("%s", said.notes);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", (const char *)*state, names[i]);
		FILE *file = fopen(path, "we");
		assert_non_null(file);
		assert_int_equal(fclose(file), 0);
	}
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_non_null(strstr(said.notes, names[i]));
}

static void test_an_index_that_no_daemon_makes_is_bad(void **state)
{
	struct forger f;
	forge_fill(state);
	change(state, "CREATE INDEX few ON readings(monitor) WHERE seq > 3");
	check_bad(*state, "2026-01-02.db: the index few is none that a daemon makes");
	change(state, "DROP INDEX few");
	check_clean(*state);
	forge_begin(&f, *state);
	forge_do(&f, "DROP INDEX cases_opened");
	check_bad(*state, "ledger.db: the index cases_opened is missing");
	forge_do(&f, "CREATE INDEX cases_opened ON cases(opened, id) WHERE id > 1");
	check_bad(*state, "ledger.db: the index cases_opened is none that a daemon makes");
	forge_do(&f, "DROP INDEX cases_opened");
	forge_do(&f, "CREATE INDEX cases_opened ON cases(opened, id)");
	forge_end(&f);
	check_clean(*state);
}

static void test_seals_lie_in_the_file_of_their_day(void **state)
{
	static const struct {
		const char *name, *words;
	} names[] = {{"2026-01-02.old.seals",
		      "2026-01-02.old.seals: no daemon calls a file of seals so"},
		     {"2026-01-05.seals", "2026-01-05.seals: seal 1, of 2026-01-01T19:04"}};
	char from[256], to[256];
	forge_fill(state);
	snprintf(from, sizeof from, "%s/seals/2026-01-02.seals", (const char *)*state);
	for (size_t i = 0; i < 2; i++) {
		snprintf(to, sizeof to, "%s/seals/%s", (const char *)*state, names[i].name);
		assert_int_equal(rename(from, to), 0);
		check_bad(*state, names[i].words);
		assert_int_equal(rename(to, from), 0);
	}
	check_clean(*state);
}

/* The day of a later episode, or of a case by hand, removed while its case is open, or not. */
static void test_days_of_episodes_and_of_cases_by_hand_are_needed(void **state)
{
	static const struct {
		bool hand;
		enum case_action before; /* what was done before it was removed */
		const char *words;
	} cases[] = {
		{false, ACTION_NOTE, "2026-01-03.db: it was removed, and case 1, which was open"},
		{true, ACTION_NOTE, "2026-01-03.db: it was removed, and case 1, which was open"},
		{false, ACTION_WITHDRAW, NULL},
		{true, ACTION_WITHDRAW, NULL},
		{false, ACTION_REOPEN, "2026-01-03.db: it was removed, and case 1, which was open"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		enum case_action before = cases[i].before;
		struct life life;
		struct forger f;
		life_at(NOW);
		life_begin(&life, *state, 0);
		life_batch(&life, 10, NOW);
		if (!cases[i].hand)
			life_alert(&life, 0, NOW + 5000, false);
		life_batch(&life, 10, NOW + DAY_MS);
		if (cases[i].hand)
			life_hand(&life, NOW + DAY_MS + 4000);
		else
			life_alert(&life, 0, NOW + DAY_MS + 5000, false);
		life_batch(&life, 10, NOW + 2 * DAY_MS);
		if (before != ACTION_NOTE)
			life_withdraw(&life, 1, NOW + 2 * DAY_MS);
		if (before == ACTION_REOPEN)
			life_act(&life, 1, ACTION_REOPEN, NOW + 2 * DAY_MS);
		life_seal(&life);
		life_end(&life, false);
		forge_begin(&f, *state);
		forge_day(&f, *state, "2026-01-03", false);
		forge_end(&f);
		remove_file(state, "daybook/2026-01-03.db");
		if (before == ACTION_WITHDRAW) { /* and goes on when the day is gone */
			life_begin(&life, *state, 0);
			life_act(&life, 1, ACTION_REOPEN, NOW + 2 * DAY_MS + 1000);
			life_end(&life, true);
			check_clean(*state);
		} else {
			check_bad(*state, cases[i].words);
		}
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_row_is_rewritten_by_a_further_entry),
		TEST(test_a_daemon_that_starts_does_not_make_it_good),
		TEST(test_what_moves_fits_what_is_chained),
		TEST(test_a_severity_that_a_case_did_not_have_is_found),
		TEST(test_a_file_of_seals_is_there_once_and_called_by_its_day),
		TEST(test_a_copy_with_a_log_and_no_index_of_it_verifies),
		TEST(test_the_hole_of_a_kill_is_named),
		TEST(test_a_row_that_is_there_twice_is_found_and_not_taken_up),
		TEST(test_a_daemon_leaves_a_file_of_foreign_tables_alone),
		TEST(test_readings_before_the_first_are_none),
		TEST(test_a_day_called_removed_is_what_it_was_until_it_goes),
		TEST(test_what_an_open_case_needs_is_never_removed),
		TEST(test_files_that_no_daemon_makes_are_noted),
		TEST(test_an_index_that_no_daemon_makes_is_bad),
		TEST(test_seals_lie_in_the_file_of_their_day),
		TEST(test_days_of_episodes_and_of_cases_by_hand_are_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
