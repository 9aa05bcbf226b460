/* SPDX-License-Identifier: Apache-2.0 */
#include "hot-journal.h"
#include "verify-store.h"

#include "core/chain.h"

#include <sqlite3.h>
#include <sys/stat.h>

static void change(void **state, const char *file, const char *sql)
{
	char path[256], *error = NULL;
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, file);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
	sqlite3_close(db);
}

#define DAY_1 "daybook/2026-01-02.db"
#define DAY_2 "daybook/2026-01-03.db"
#define LEDGER "ledger.db"
/* Its words are others, and nothing else. */
#define AGAIN(name, from, to)                                                                      \
	"PRAGMA writable_schema=1; UPDATE sqlite_master SET sql = replace(sql, '" from "', '" to   \
	"') WHERE name = '" name "'"

/* Two days, a case that went its way and one that is open, gaps, a clean stop between. */
static void fill(void **state)
{
	struct life life;
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_alert(&life, 0, NOW + 5000, false);
	life_act(&life, 1, ACTION_ACCEPT, NOW + 9000);
	life_batch(&life, 1, NOW + 20000);
	life_frames(&life, NOW + 20000);
	life_mark(&life, NOW + 20500);
	life_gap(&life, NOW + 21000);
	life_end(&life, true);
	life_begin(&life, *state, 1);
	life_batch(&life, 12, NOW + DAY_MS);
	life_alert(&life, 1, NOW + DAY_MS, true);
	life_at(NOW + DAY_MS + 60000);
	life_end(&life, true);
}

static void test_a_store_verifies_and_says_what_it_holds(void **state)
{
	struct verify_sum sum;
	struct said said;
	fill(state);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.batches, 5);
	assert_int_equal(sum.frames, 2 * FRAME_HEAD_BYTES + 25);
	assert_int_equal(sum.readings, 23);
	assert_int_equal(sum.seals, 4);
	assert_int_equal(sum.gaps, 1);
	assert_int_equal(sum.unsealed, 0);
	assert_true(sum.keys >= 2);
	assert_int_equal(sum.last.reason, SEAL_STOP);
	assert_non_null(strstr(said.notes, "gap: outfall-3 w21003, 9 readings"));
}

static void test_an_empty_store_verifies(void **state)
{
	struct life life;
	life_begin(&life, *state, 0);
	life_end(&life, true);
	check_clean(*state);
}

/* Each by itself on a fresh store: what was done, and what must be said. */
static const struct {
	const char *file, *sql, *words;
} changes[] = {
	{DAY_1, "UPDATE readings SET value = 39 WHERE seq = 3",
	 "2026-01-02.db: batch 1 (readings 1 to"},
	{DAY_1, "UPDATE readings SET flag = 'M' WHERE seq = 3", "batch 1"},
	{DAY_1, "UPDATE readings SET flag = 'NN' WHERE seq = 3",
	 "reading 3 holds what is no reading"},
	{DAY_1, "UPDATE readings SET raw = raw + 1 WHERE seq = 3", "batch 1"},
	{DAY_1, "UPDATE readings SET value = NULL WHERE seq = 1", "batch 1"},
	{DAY_1, "DELETE FROM readings WHERE seq = 3", "reading 3 of batch 1 is missing"},
	{DAY_1, "DELETE FROM readings WHERE seq = 10", "reading 10 of batch 1 is missing"},
	{DAY_1, "INSERT INTO readings SELECT 90, 1, 0, 90, 1, 1, 1, 5.5, 'N', 1",
	 "reading 90 is in no batch"},
	{DAY_1, "INSERT INTO readings SELECT 0, 1, 0, 90, 1, 1, 1, 5.5, 'N', 1",
	 "reading 0 is in no batch"},
	{DAY_1, "UPDATE monitors SET factor = 'w99999' WHERE id = 1", "batch 1"},
	{DAY_1, "INSERT INTO monitors(site, factor) VALUES('a', 'b')", "monitor 3 is in no batch"},
	{DAY_1, "UPDATE gaps SET count = 1", "batch 4"},
	{DAY_1, "DELETE FROM gaps", "batch 4"},
	{DAY_1, "INSERT INTO gaps VALUES(1, 1, 2, 3)", "gap 2 is in no batch"},
	{DAY_1, "UPDATE chain SET at_ms = at_ms + 1 WHERE batch = 2", "batch 2"},
	{DAY_1, "UPDATE chain SET clock_error_us = 5 WHERE batch = 2", "batch 2"},
	{DAY_1, "DELETE FROM chain WHERE batch = 2", "batch 2 is missing"},
	{DAY_1, "DELETE FROM chain_begin", "is not said once"},
	{DAY_1, "UPDATE chain_begin SET seq = 5", "batch 1"},
	{DAY_1, "DELETE FROM chain WHERE batch = 4; DELETE FROM gaps",
	 DAY_1 ": batch 4: is missing, of which seal "},
	{DAY_1, "UPDATE blocks SET min_ms = min_ms - 1", "the block of readings from 1 on"},
	{DAY_1, "DROP TABLE chain", "daybook/2026-01-02.db: the table chain is missing"},
	{DAY_1, "DELETE FROM chain", "2026-01-02.db: it has no chain, and what it holds is not"},
	{DAY_1, "ALTER TABLE readings DROP COLUMN raw",
	 "daybook/2026-01-02.db: the table readings is none that a daemon makes"},
	{DAY_2, "ALTER TABLE chain DROP COLUMN at_ms", "daybook/2026-01-03.db: the table chain is"},
	{DAY_1, "ALTER TABLE blocks DROP COLUMN min_ms",
	 "daybook/2026-01-02.db: the table blocks is"},
	{DAY_1,
	 "ALTER TABLE readings RENAME TO kept; CREATE VIEW readings AS SELECT seq, boot, ring, "
	 "rseq,"
	 " monitor, measured_ms, received_ms, iif(strftime('%Y') > '2099', 10, value) AS value,"
	 " flag, raw FROM kept",
	 "2026-01-02.db: the table kept is none that a daemon makes"},
	{DAY_1, "ALTER TABLE readings ADD COLUMN more AS\n(value + 1)",
	 "2026-01-02.db: the table readings is none that a daemon makes"},
	{DAY_2, "CREATE TRIGGER t BEFORE INSERT ON readings BEGIN SELECT RAISE(IGNORE); END",
	 "2026-01-03.db: the trigger t is none that a daemon makes"},
	{LEDGER,
	 "CREATE TRIGGER t BEFORE UPDATE ON cases BEGIN SELECT RAISE(ABORT, 'a') WHERE 0; UPDATE"
	 " alerts SET peak = 1; SELECT RAISE(ABORT, 'b') WHERE 0; END",
	 "ledger.db: the trigger t is none that a daemon makes"},
	{LEDGER,
	 "PRAGMA writable_schema=1; UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM"
	 " sqlite_master WHERE name = 'alerts_case') WHERE name = 'cases_opened'",
	 "ledger.db: it is damaged"},
	{LEDGER, AGAIN("cases", "id INTEGER PRIMARY KEY AUTOINCREMENT", "id INTEGER"),
	 "ledger.db: the table cases is none that a daemon makes"},
	{LEDGER, AGAIN("case_digests", "PRIMARY KEY ", ""), "the table case_digests is none"},
	{LEDGER, AGAIN("alerts", "UNIQUE(key, raised)", "UNIQUE(key, raised), CHECK(raised < 9)"),
	 "the table alerts is none"},
	{LEDGER, AGAIN("history", "note TEXT", "note TEXT COLLATE NOCASE"),
	 "the table history is none"},
	{LEDGER, AGAIN("marks_stay", "mark is", "mark was"), "the trigger marks_stay is none"},
	{LEDGER, "DROP TRIGGER marks_stay", "ledger.db: the trigger marks_stay is missing"},
	{LEDGER, "DROP INDEX alerts_case", "ledger.db: the index alerts_case is missing"},
	{LEDGER, "CREATE TABLE more(id INTEGER)", "the table more is none that a daemon makes"},
	{LEDGER, "PRAGMA user_version=6", " is none that a daemon makes"},
	{LEDGER, "PRAGMA user_version=8", "ledger.db: it is of a later version"},
	{DAY_2, AGAIN("rings", ", PRIMARY KEY(boot, ring)) WITHOUT ROWID", ")"),
	 "daybook/2026-01-03.db: the table rings is none"},
	{DAY_2, AGAIN("monitors", "factor TEXT NOT NULL", "factor TEXT"),
	 "daybook/2026-01-03.db: the table monitors is none"},
	{DAY_2, "UPDATE chain_begin SET hash = zeroblob(32)", "it goes on from another batch 4"},
	{DAY_2, "DELETE FROM readings; DELETE FROM chain", DAY_2 ": batch 5: is missing, of which"},
	{DAY_1, "UPDATE frames SET digest = zeroblob(32)", "bytes 0 to 111, of batch 3, are not"},
	{DAY_1, "DELETE FROM frames", "batch 3 (readings 0 to 0"},
	{DAY_1, "UPDATE frames SET batch = 4", "batch 3 (readings 0 to 0"},
	{DAY_1, "INSERT INTO frames VALUES(9, 111, 112, zeroblob(32))",
	 "frames of batch 9 are in no batch"},
	{LEDGER, "UPDATE history SET user = 'B' WHERE id = 2", "step 2 is not what"},
	{LEDGER, "UPDATE history SET user = NULL WHERE id = 2", "step 2 is not what"},
	{LEDGER,
	 "UPDATE history SET user = NULL, escalation = 'NULL uid 7'"
	 " WHERE id = 2",
	 "step 2 is not what"},
	{LEDGER, "UPDATE instruments SET scale = 2 WHERE id = 1",
	 "setting of an instrument 1 is not what"},
	{LEDGER, "ALTER TABLE history DROP COLUMN note",
	 "ledger.db: the table history is none that a daemon makes"},
	{LEDGER, "UPDATE marks SET flag = 'N'", "mark 1 is not what"},
	{LEDGER, "DELETE FROM marks", "mark 1 is missing"},
	{LEDGER, "UPDATE recomputed SET became = 'exceeds'", "change by a mark 1 is not what"},
	{LEDGER,
	 "INSERT INTO marks SELECT 2, at, site, factor, from_at, to_at, flag, reason, by,"
	 " file, sha256, bytes FROM marks",
	 "mark 2 is in no entry"},
	{LEDGER, "INSERT INTO frames_gone VALUES(1, '2026-01-02.db', 1, 1)",
	 "removal of frames 1 is in no entry"},
	{LEDGER, "INSERT INTO left_episodes(at, case_id, alert_id) VALUES(9, 1, 1)",
	 "episode taken over 1 is in no entry"},
	{LEDGER, "UPDATE cases SET status = 'closed' WHERE id = 1",
	 "case 1 is not what the chain says"},
	{LEDGER, "UPDATE cases SET peak_value = 51 WHERE id = 1", "is not what the chain says"},
	{LEDGER, "UPDATE alerts SET peak = 51 WHERE id = 1", "alert 1 is not what"},
	{LEDGER, "UPDATE alerts SET case_id = NULL WHERE id = 2", "is not what"},
	{LEDGER, "UPDATE history SET by = 'B'", "step 1 is not what"},
	{LEDGER, "DELETE FROM history WHERE id = 1", "step 1 is missing"},
	{LEDGER, "INSERT INTO history(case_id, at, action, by) VALUES(1, 1, 'note', 'x')",
	 "is in no entry of the chain"},
	{LEDGER, "UPDATE events SET json = '{}' WHERE id = 2", "event 2 is not what"},
	{LEDGER, "DELETE FROM events WHERE id = 2", "event 2 is missing"},
	{LEDGER, "UPDATE chain SET digest = zeroblob(32) WHERE number = 2",
	 "entry 2 of the chain: its hash is not right"},
	{LEDGER, "DELETE FROM chain WHERE number = 3", "entry 3 of the chain is missing"},
};

static void test_each_change_is_found_and_its_place_named(void **state)
{
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		fill(state);
		check_clean(*state);
		change(state, changes[i].file, changes[i].sql);
		check_bad(*state, changes[i].words);
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
	}
}

static void file_bytes(void **state, const char *name, struct stat *about)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	assert_int_equal(stat(path, about), 0);
}

static void test_a_ledger_killed_in_a_commit_verifies_and_is_not_written_to(void **state)
{
	char path[256];
	struct stat before, after;
	fill(state);
	snprintf(path, sizeof path, "%s/" LEDGER, (const char *)*state);
	hot_journal_leave(path);
	file_bytes(state, LEDGER "-journal", &before);
	check_clean(*state);
	file_bytes(state, LEDGER "-journal", &after);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

/* Events that everybody had are pruned; that is no change of what is evidence. */
static void test_pruned_events_are_no_gap(void **state)
{
	struct life life;
	fill(state);
	life_begin(&life, *state, 0);
	assert_int_equal(ledger_prune(life.ledger, NOW + 6000), 0);
	life_end(&life, true);
	check_clean(*state);
}

/* A peak moves while an alert is active, and no seal is due for it. */
static void test_a_moving_peak_is_no_change(void **state)
{
	struct life life;
	struct verdict peak = life_verdict(VERDICT_PEAK, 1, NOW + DAY_MS, NOW + DAY_MS + 20000);
	fill(state);
	life_begin(&life, *state, 0);
	peak.peak_value = 99;
	assert_int_equal(ledger_apply(life.ledger, &peak, 1, NOW + DAY_MS + 20000, NULL), 0);
	life_end(&life, true);
	check_clean(*state);
}

static void remove_file(void **state, const char *name)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	assert_int_equal(remove(path), 0);
}

static void overwrite(void **state, const char *name, const char *bytes)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(bytes, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The newest: what it should hold is known from the seals and the ledger. */
static void test_a_newest_file_that_is_gone_or_empty_is_named(void **state)
{
	fill(state);
	remove_file(state, DAY_2);
	check_bad(*state, DAY_2 ": there is no such file, and batch 5: is missing, of which");
	overwrite(state, DAY_2, "");
	check_bad(*state, DAY_2 ": it is empty, and batch 5: is missing, of which");
}

static void test_a_missing_file_is_named(void **state)
{
	fill(state);
	remove_file(state, DAY_1);
	check_bad(*state, DAY_1 ": there is no such file, and batch 1: is missing, of which");
	overwrite(state, DAY_1, "");
	check_bad(*state, DAY_1 ": it is empty, and batch 1: is missing, of which");
	remove_file(state, DAY_1);
	remove_file(state, DAY_2);
	check_bad(
		*state,
		"daybook/2026-01-02.db: there is no such file, and batch 1: is missing, of which");
	remove_file(state, LEDGER);
	check_bad(*state, "ledger.db: there is no such file");
	remove_file(state, "seals/keys");
	check_bad(*state, "seals/keys: there is no such file");
}

static void test_a_file_under_another_name_is_found(void **state)
{
	char from[256], to[256];
	fill(state);
	snprintf(from, sizeof from, "%s/%s", (const char *)*state, DAY_2);
	snprintf(to, sizeof to, "%s/daybook/2026-01-04.db", (const char *)*state);
	assert_int_equal(rename(from, to), 0);
	check_bad(*state, "2026-01-04.db: it was written under another name");
}

/* A store that was cut back to an earlier seal is whole in itself: only an anchor tells. */
static void test_an_anchor_finds_what_was_cut_back(void **state)
{
	struct verify_sum before, after;
	struct said said;
	char anchor[CHAIN_HEX_BYTES], command[600];
	struct life life;
	fill(state);
	snprintf(command, sizeof command, "cp -r %s %s.old", (const char *)*state,
		 (const char *)*state);
	assert_int_equal(system(command), 0);
	life_begin(&life, *state, 0);
	life_batch(&life, 5, NOW + DAY_MS + 60000);
	life_end(&life, true);
	assert_int_equal(verify_with(*state, NULL, &said, &before), VERIFY_CLEAN);
	chain_hex(anchor, before.last_hash, sizeof before.last_hash);
	assert_int_equal(verify_with(*state, anchor, &said, &after), VERIFY_CLEAN);
	snprintf(command, sizeof command, "%s.old", (const char *)*state);
	check_clean(command);
	assert_int_equal(verify_with(command, anchor, &said, &after), VERIFY_BAD);
	assert_non_null(strstr(said.bad, anchor));
	chain_hex(anchor, before.last.daybook.hash, sizeof before.last.daybook.hash);
	assert_int_equal(verify_with(*state, anchor, &said, &after), VERIFY_CLEAN);
	chain_hex(anchor, before.last.ledger.hash, sizeof before.last.ledger.hash);
	assert_int_equal(verify_with(*state, anchor, &said, &after), VERIFY_CLEAN);
	directory_clear(command);
}

static void test_a_key_that_signs_itself_is_trusted_only_by_name(void **state)
{
	struct verify_sum sum;
	struct said said;
	struct life life;
	char key[2 * SEAL_PUBLIC_BYTES + 1], line[SEAL_LINE_MOST], path[256];
	fill(state);
	remove_file(state, "secret/seal.key");
	life_begin(&life, *state, 0);
	life_end(&life, true);
	check_bad(*state, "signs itself");
	snprintf(path, sizeof path, "%s/seals/keys", (const char *)*state);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL)
		assert_int_equal(sscanf(line, "key 1 %*s %*s %*s %*s %*s %64s", key), 1);
	fclose(file);
	struct verify_setup setup = {
		.directory = *state, .trusted = key, .say = say, .context = &said};
	said = (struct said){0};
	assert_int_equal(verify_store(&setup, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, "begins anew and is trusted"));
}

/* What a kill leaves behind the last seal is no more than a note. */
static void test_an_unsealed_tail_is_noted(void **state)
{
	struct life life;
	struct said said;
	struct verify_sum sum;
	life_begin(&life, *state, 0);
	life_batch(&life, 3, NOW);
	life_batch(&life, 3, NOW + 10000);
	assert_int_equal(ledger_retire_frames(life.ledger, "2026-01-02.db", 1, NOW + 10000), 0);
	life_end(&life, false);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.unsealed, 2);
	assert_non_null(strstr(said.notes, "2 batches behind the last seal are not sealed yet"));
	assert_non_null(strstr(said.notes, "4 entries of the ledger behind the last seal are not"));
	life_begin(&life, *state, 0);
	life_end(&life, true);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.unsealed, 0);
	assert_non_null(strstr(said.notes, "did not end cleanly"));
}

/* Where all lies within the two minutes that a tail may have, the keys tell. */
static void test_seals_that_are_gone_are_missed_by_the_key_that_followed(void **state)
{
	char command[600];
	fill(state);
	snprintf(command, sizeof command,
		 "cd %s/seals && sed -i 2q 2026-01-02.seals && rm 2026-01-03.seals",
		 (const char *)*state);
	assert_int_equal(system(command), 0);
	check_bad(*state,
		  "seals/2026-01-03.seals: there is no such file: seal 3 is missing, since key ");
	overwrite(state, "seals/2026-01-03.seals", "");
	check_bad(*state, "seals/2026-01-03.seals: it is empty: seal 3 is missing, since key ");
	snprintf(command, sizeof command, "rm %s/seals/*.seals", (const char *)*state);
	assert_int_equal(system(command), 0);
	check_bad(*state, "seals: seal 1 is missing, since key ");
}

/* What is removed leaves its last hash; what follows it goes on from there. */
static void test_removed_days_leave_no_hole(void **state)
{
	struct life life;
	struct said said;
	struct verify_sum sum;
	fill(state);
	life_begin(&life, *state, 0);
	life_withdraw(&life, 1, NOW + 2 * DAY_MS);
	assert_int_equal(ledger_retire_day(life.ledger, "2026-01-02.db", NOW + 2 * DAY_MS), 0);
	assert_int_equal(ledger_retire_day(life.ledger, "2026-01-02.db", NOW + 2 * DAY_MS), 0);
	life_end(&life, true);
	check_clean(*state); /* a kill before the removal */
	remove_file(state, DAY_1);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.readings, 12);
	assert_non_null(strstr(said.notes, "1 days up to daybook/2026-01-02.db were removed"));
	change(state, LEDGER, "UPDATE chain_days SET hash = zeroblob(32)");
	check_bad(*state, "removed day 1 is not what the chain says");
}

/* As an open case leaves it: the older day stays, the newer one goes. */
static void test_a_day_that_is_kept_before_a_removed_one_is_verified(void **state)
{
	struct life life;
	struct said said;
	struct verify_sum sum;
	fill(state);
	life_begin(&life, *state, 2);
	life_batch(&life, 5, NOW + 2 * DAY_MS);
	life_withdraw(&life, 2, NOW + 2 * DAY_MS);
	life_at(NOW + 3 * DAY_MS);
	assert_int_equal(ledger_retire_day(life.ledger, "2026-01-03.db", NOW + 3 * DAY_MS), 0);
	life_end(&life, true);
	remove_file(state, DAY_2);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.readings, 11 + 5);
	change(state, DAY_1, "UPDATE readings SET value = 39 WHERE seq = 3");
	check_bad(*state, "2026-01-02.db: batch 1");
	remove_file(state, DAY_1);
	check_bad(*state, "2026-01-03.db, which was removed, went on from batch 4, not from 0");
}

#define FRAMES_1 "daybook/2026-01-02.frames"

static void test_frames_may_go_before_the_readings_if_the_ledger_says_so(void **state)
{
	struct life life;
	fill(state);
	remove_file(state, FRAMES_1);
	check_bad(*state, FRAMES_1 ": there is no such file");
	life_begin(&life, *state, 0);
	life_withdraw(&life, 1, NOW + 2 * DAY_MS);
	assert_int_equal(ledger_retire_frames(life.ledger, "2026-01-02.db", 111, NOW + 2 * DAY_MS),
			 0);
	assert_int_equal(ledger_retire_frames(life.ledger, "2026-01-02.db", 111, NOW + 2 * DAY_MS),
			 0);
	life_end(&life, true);
	check_clean(*state);
	change(state, LEDGER, "UPDATE frames_gone SET name = '2026-01-03.db'");
	check_bad(*state, "removal of frames 1 is not what the chain says");
}

static void append(void **state, const char *name, size_t n)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", (const char *)*state, name);
	FILE *f = fopen(path, "ae");
	assert_non_null(f);
	while (n-- > 0)
		assert_int_equal(fputc('F', f), 'F');
	assert_int_equal(fclose(f), 0);
}

/* What a kill leaves behind the last batch is no alarm, is cut off at the next start, and a clean
 * stop leaves nothing. */
static void test_frames_of_no_batch_are_those_of_a_kill_alone(void **state)
{
	struct life life;
	struct stat about;
	life_begin(&life, *state, 0);
	life_batch(&life, 1, NOW);
	life_frames(&life, NOW);
	life_end(&life, false);
	append(state, FRAMES_1, 9);
	check_clean(*state);
	life_begin(&life, *state, 0);
	file_bytes(state, FRAMES_1, &about);
	assert_int_equal(about.st_size, 111);
	life_frames(&life, NOW + 1000);
	life_end(&life, true);
	check_clean(*state);
	append(state, FRAMES_1, 1);
	check_bad(*state, FRAMES_1 ": bytes from 222 on are in no batch");
}

/* A day of a version without a chain, as it lies on disk. */
static void old_day(void **state, const char *name, const char *rows)
{
	char path[256];
	snprintf(path, sizeof path, "%s/daybook", (const char *)*state);
	(void)mkdir(path, 0700);
	change(state, name,
	       "CREATE TABLE readings(seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, ring INTEGER"
	       " NOT NULL, rseq INTEGER NOT NULL, monitor INTEGER NOT NULL, measured_ms INTEGER NOT"
	       " NULL, received_ms INTEGER NOT NULL, value REAL, flag TEXT NOT NULL, raw INTEGER "
	       "NOT"
	       " NULL); CREATE TABLE monitors(id INTEGER PRIMARY KEY, site TEXT NOT NULL, factor "
	       "TEXT"
	       " NOT NULL, latest INTEGER NOT NULL DEFAULT 0, UNIQUE(site, factor)); CREATE TABLE"
	       " blocks(first INTEGER PRIMARY KEY, last INTEGER NOT NULL, min_ms INTEGER NOT NULL,"
	       " max_ms INTEGER NOT NULL); CREATE TABLE rings(boot INTEGER NOT NULL, ring INTEGER "
	       "NOT"
	       " NULL, rseq INTEGER NOT NULL, PRIMARY KEY(boot, ring)) WITHOUT ROWID; CREATE TABLE"
	       " gaps(monitor INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
	       " count INTEGER NOT NULL); INSERT INTO monitors VALUES(1, 'outfall-3', 'w01018', 0);"
	       " PRAGMA user_version=2");
	change(state, name, rows);
}

#define OLD_DAY "daybook/2025-12-31.db"
#define OLD_ROWS                                                                                   \
	"INSERT INTO readings VALUES(1, 1, 0, 1, 1, 1767150000000, 1767150000003, 41, 'N', 1)"
#define NO_CHAIN "2025-12-31.db: it has no chain"

/* A store that always had a chain has no day without one, wherever its sequences lie. */
static void test_a_fabricated_day_is_found(void **state)
{
	fill(state);
	old_day(state, OLD_DAY, OLD_ROWS);
	check_bad(*state, NO_CHAIN ", and what it holds is not from before this store had one");
	change(state, OLD_DAY, "DELETE FROM readings");
	check_clean(*state);
	change(state, OLD_DAY, "INSERT INTO gaps VALUES(1, 1, 2, 3)");
	check_bad(*state, NO_CHAIN ", and what");
}

static void test_days_of_before_the_chain_are_noted(void **state)
{
	struct said said;
	struct verify_sum sum;
	old_day(state, OLD_DAY, OLD_ROWS);
	old_day(state, "daybook/2026-01-01.db",
		"INSERT INTO readings VALUES(2, 1, 0, 2, 1, 1767236400000, 1767236400003, 42, 'N', "
		"1)");
	fill(state);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, NO_CHAIN ": it is from before"));
	assert_non_null(strstr(said.notes, "2026-01-01.db: it has no chain: it is from before"));
	change(state, OLD_DAY, "UPDATE readings SET seq = 3");
	check_bad(*state, NO_CHAIN ", and what");
}

/* The chain's begin may be gone with its day: the ledger keeps which reading it began with. */
static void test_a_fabricated_day_is_found_when_the_first_was_removed(void **state)
{
	struct life life;
	fill(state);
	life_begin(&life, *state, 0);
	life_withdraw(&life, 1, NOW + 2 * DAY_MS);
	assert_int_equal(ledger_retire_day(life.ledger, "2026-01-02.db", NOW + 2 * DAY_MS), 0);
	life_end(&life, true);
	remove_file(state, DAY_1);
	check_clean(*state);
	old_day(state, OLD_DAY, OLD_ROWS);
	check_bad(*state, NO_CHAIN ", and what");
}

/* "report" */
#define REPORT "845e91831319e89c4d656bdb80c278ac09a7230d61e5dfd2e1b1fbb436ac8917"
/* "log" */
#define LOG "836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213"

static void attach(void **state)
{
	struct life life;
	struct text out = {0};
	struct case_order order = {.by = "Officer A", .user = "uid 7", .file = "report.txt"};
	struct mark_order mark = {.site = "outfall-3",
				  .factor = "w01018",
				  .reason = "calibration",
				  .by = "Officer A",
				  .from_ms = NOW - 60000,
				  .to_ms = NOW,
				  .flag = FLAG_CALIBRATION,
				  .file = "log.txt",
				  .data = "log",
				  .size = 3};
	fill(state);
	life_begin(&life, *state, 0);
	int64_t at_ms = life_wall_ms();
	assert_int_equal(ledger_attach(life.ledger, 1, &order, "report", 6, at_ms, &out), 0);
	assert_int_equal(ledger_mark(life.ledger, &mark, at_ms, &out), 0);
	life_end(&life, true);
	text_deinit(&out);
}

static void test_an_attachment_that_is_not_what_it_was_is_named(void **state)
{
	struct said said;
	struct verify_sum sum;
	attach(state);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.attachments, 2);
	overwrite(state, "attachments/" REPORT, "rePort");
	check_bad(*state, "attachments/" REPORT ": it is not what it was (report.txt of step 4 of "
			  "case 1)");
	overwrite(state, "attachments/" REPORT, "report ");
	check_bad(*state, "attachments/" REPORT ": it has not the size that it had");
	overwrite(state, "attachments/" REPORT, "report");
	check_clean(*state);
	overwrite(state, "attachments/" LOG, "Log");
	check_bad(*state, "attachments/" LOG ": it is not what it was (log.txt of mark 2)");
	remove_file(state, "attachments/" LOG);
	check_bad(*state, "attachments/" LOG ": there is no such file (log.txt of mark 2)");
}

static void test_a_file_that_nobody_names_is_noted(void **state)
{
	struct said said;
	struct verify_sum sum;
	attach(state);
	overwrite(state, "attachments/x.part", "");
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, "attachments/x.part: no case and no mark names it"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_store_verifies_and_says_what_it_holds),
		TEST(test_an_empty_store_verifies),
		TEST(test_each_change_is_found_and_its_place_named),
		TEST(test_a_ledger_killed_in_a_commit_verifies_and_is_not_written_to),
		TEST(test_pruned_events_are_no_gap),
		TEST(test_a_moving_peak_is_no_change),
		TEST(test_a_missing_file_is_named),
		TEST(test_a_newest_file_that_is_gone_or_empty_is_named),
		TEST(test_a_file_under_another_name_is_found),
		TEST(test_an_anchor_finds_what_was_cut_back),
		TEST(test_a_key_that_signs_itself_is_trusted_only_by_name),
		TEST(test_an_unsealed_tail_is_noted),
		TEST(test_seals_that_are_gone_are_missed_by_the_key_that_followed),
		TEST(test_removed_days_leave_no_hole),
		TEST(test_a_day_that_is_kept_before_a_removed_one_is_verified),
		TEST(test_frames_may_go_before_the_readings_if_the_ledger_says_so),
		TEST(test_frames_of_no_batch_are_those_of_a_kill_alone),
		TEST(test_a_fabricated_day_is_found),
		TEST(test_days_of_before_the_chain_are_noted),
		TEST(test_a_fabricated_day_is_found_when_the_first_was_removed),
		TEST(test_an_attachment_that_is_not_what_it_was_is_named),
		TEST(test_a_file_that_nobody_names_is_noted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
