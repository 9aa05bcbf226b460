/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody changes while no daemon runs, or beside one, is not chained with the next change of
 * the daemon as if it were its own; and what is gone is named when a daemon begins.
 */
#include "forge.h"

#include <sqlite3.h>
#include <sys/stat.h>

static void change(const char *directory, const char *sql)
{
	struct forger f;
	forge_begin(&f, directory);
	forge_do(&f, sql);
	forge_end(&f);
}

/* A case with an alert that is over, one whose alert goes on, a shelf. */
static void fill(void **state)
{
	struct life life;
	struct shelf_order shelf = {.site = "outfall-3",
				    .factor = "w01018",
				    .reason = "works",
				    .by = "Officer A",
				    .until_ms = NOW + 3600000};
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_alert(&life, 0, NOW + 1000, false);
	life_alert(&life, 1, NOW + 2000, true);
	life_act(&life, 1, ACTION_ACCEPT, NOW + 9000);
	assert_int_equal(ledger_shelve(life.ledger, &shelf, NOW + 9000), 0);
	life_end(&life, true);
	check_clean(*state);
}

static const struct {
	const char *sql, *row;
} changes[] = {
	{"UPDATE cases SET status = 'closed' WHERE id = 1", "case 1"},
	{"UPDATE cases SET due = 7 WHERE id = 2", "case 2"},
	{"UPDATE cases SET severity = 'serious' WHERE id = 1", "case 1"},
	{"UPDATE alerts SET cleared = raised + 1 WHERE id = 2", "alert 2"},
	{"UPDATE alerts SET case_id = NULL WHERE id = 1", "alert 1"},
	{"UPDATE shelves SET until = until + 1", "shelf 1"},
	{"INSERT INTO history(case_id, at, action, by) VALUES(1, 1, 'note', 'x')", "case 1"},
};

static void check_outside(const char *directory, const char *row)
{
	char words[100];
	snprintf(words, sizeof words, "ledger.db: %s was changed by somebody else", row);
	struct verify_sum sum;
	struct said said;
	assert_int_equal(verify_with(directory, NULL, &said, &sum), VERIFY_BAD);
	if (strstr(said.bad, words) == NULL)
		fail_msg("%s: %s", words, said.bad);
}

/* One change after the other of all that the cases and alerts have. */
static void live_on(void **state)
{
	struct life life;
	struct text out = {0};
	life_begin(&life, *state, 0);
	life_at(NOW + 60000);
	assert_true(ledger_altered(life.ledger));
	life_act(&life, 2, ACTION_NOTE, NOW + 61000);
	(void)ledger_acknowledge(life.ledger, 1, "Officer A", NOW + 62000, &out);
	life_end(&life, true);
	text_deinit(&out);
}

static void test_a_row_that_was_changed_while_no_daemon_ran_is_not_blessed(void **state)
{
	struct life life;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		fill(state);
		change(*state, changes[i].sql);
		live_on(state);
		if (strncmp(changes[i].sql, "INSERT", 6) == 0) /* which is in no entry itself */
			check_bad(*state, "is in no entry");
		else if (strstr(changes[i].sql, "cleared") != NULL)
			check_bad(*state, "alert 2");
		else
			check_outside(*state, changes[i].row);
		life_begin(&life, *state, 0); /* it is said once */
		assert_false(ledger_altered(life.ledger));
		life_end(&life, true);
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
	}
}

static void test_a_row_that_is_changed_beside_the_daemon_is_not_blessed(void **state)
{
	struct life life;
	fill(state);
	life_begin(&life, *state, 0);
	life_at(NOW + 60000);
	change(*state, "UPDATE cases SET team = 'B' WHERE id = 1");
	assert_false(ledger_altered(life.ledger));
	life_act(&life, 2, ACTION_NOTE, NOW + 61000);
	assert_false(ledger_altered(life.ledger));
	struct text out = {0};
	struct case_order order = {.action = ACTION_ASSIGN, .by = "A", .unit = "U", .note = "n"};
	assert_int_equal(ledger_act(life.ledger, 1, &order, NOW + 62000, &out), 0);
	assert_true(ledger_altered(life.ledger));
	text_deinit(&out);
	life_end(&life, true);
	check_outside(*state, "case 1");
}

/* What a daemon does itself is never taken for somebody else's. */
static void test_what_a_daemon_changes_is_no_surprise(void **state)
{
	struct life life;
	fill(state);
	for (int i = 0; i < 3; i++) {
		life_begin(&life, *state, 0);
		life_alert(&life, 0, NOW + 60000 + i * 20000, false);
		life_act(&life, 1, ACTION_NOTE, NOW + 66000 + i * 20000);
		life_mark(&life, NOW + 67000 + i * 20000);
		assert_false(ledger_altered(life.ledger));
		life_end(&life, true);
	}
	life_begin(&life, *state, 0);
	assert_int_equal(ledger_unshelve(life.ledger, "outfall-3", "w01018", "A", NOW + 129000), 0);
	life_leave(&life, 2, NOW + 130000);
	assert_false(ledger_altered(life.ledger));
	life_end(&life, true);
	check_clean(*state);
}

/* --- what is gone when a daemon begins --- */

static void two_days(void **state)
{
	struct life life;
	life_begin(&life, *state, 0);
	life_batch(&life, 5, NOW);
	life_end(&life, true);
	life_begin(&life, *state, 1);
	life_batch(&life, 5, NOW + DAY_MS);
	assert_false(sealer_amiss(life.sealer));
	life_end(&life, true);
	life_begin(&life, *state, 1);
	assert_false(sealer_amiss(life.sealer));
	life_end(&life, true);
}

static const char *const takings[] = {
	"rm daybook/2026-01-03.db",
	": > daybook/2026-01-03.db",
	"mv seals/2026-01-03.seals seals/2026-01-03.1.seals",
	"rm seals/2026-01-03.seals",
	": > seals/2026-01-03.seals",
};

static void test_a_file_that_is_gone_is_missed_when_a_daemon_begins(void **state)
{
	struct life life;
	char command[300];
	for (size_t i = 0; i < sizeof takings / sizeof takings[0]; i++) {
		two_days(state);
		snprintf(command, sizeof command, "cd %s && %s", (const char *)*state, takings[i]);
		assert_int_equal(system(command), 0);
		life_begin(&life, *state, 0);
		if (!sealer_amiss(life.sealer))
			fail_msg("%s: not missed", command);
		life_end(&life, true);
		directory_clear(*state);
		assert_int_equal(mkdir(*state, 0700), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_row_that_was_changed_while_no_daemon_ran_is_not_blessed),
		TEST(test_a_row_that_is_changed_beside_the_daemon_is_not_blessed),
		TEST(test_what_a_daemon_changes_is_no_surprise),
		TEST(test_a_file_that_is_gone_is_missed_when_a_daemon_begins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
