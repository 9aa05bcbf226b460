/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores that were left by a kill at any moment, and taken up again and again: never a false alarm,
 * neither before nor after the next start. DUCHA_LONG: 1,000 of them.
 */
#include "verify-store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* A life that goes on until it is killed, with a seal, a key, a batch or a case at any moment. */
static void live(const char *directory, uint64_t seed, int64_t at_ms)
{
	struct life life;
	life_at(at_ms);
	life_begin(&life, directory, 1);
	for (int64_t n = 1;; n++) {
		int64_t now_ms = at_ms + n * 1000;
		uint64_t dice = test_random(&seed) % 20;
		life_batch(&life, 1 + (int)(test_random(&seed) % 20), now_ms);
		if (dice < 4)
			life_seal(&life);
		else if (dice < 6)
			life_alert(&life, (uint32_t)dice % 2, now_ms, false);
		else if (dice < 7)
			life_gap(&life, now_ms);
		else if (dice < 11)
			life_frames(&life, now_ms);
		else if (dice < 12)
			life_mark(&life, now_ms);
	}
}

static void kill_one(const char *directory, uint64_t *random, int64_t at_ms)
{
	uint64_t seed = test_random(random);
	struct timespec pause = {.tv_nsec = (long)(test_random(random) % 20000000)};
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		live(directory, seed, at_ms);
		_exit(0);
	}
	nanosleep(&pause, NULL); /* the moment of the kill: any will do */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static bool begun(const char *directory)
{
	char path[256];
	snprintf(path, sizeof path, "%s/seals/keys", directory);
	return access(path, F_OK) == 0;
}

static void test_no_kill_leaves_a_store_that_is_called_bad(void **state)
{
	uint64_t random = test_seed();
	int rounds = getenv("DUCHA_LONG") != NULL ? 1000 : 40;
	struct life life;
	for (int i = 0; i < rounds; i++) {
		kill_one(*state, &random, NOW + i * (DAY_MS / 16));
		life_begin(&life, *state, 0);
		life_end(&life, i % 2 == 0);
		check_clean(*state);
		if (i % 50 == 49) { /* a store that has seen fifty lives is replaced */
			directory_clear(*state);
			assert_int_equal(mkdir(*state, 0700), 0);
		}
	}
}

/* Before the next start, too: the log of the daybook is not folded back yet. */
static void test_what_a_kill_leaves_verifies_as_it_lies(void **state)
{
	uint64_t random = test_seed();
	int rounds = getenv("DUCHA_LONG") != NULL ? 200 : 20;
	struct life life;
	life_begin(&life, *state, 0);
	life_end(&life, true);
	for (int i = 0; i < rounds; i++) {
		kill_one(*state, &random, NOW + i * 3600000);
		assert_true(begun(*state));
		check_clean(*state);
	}
}

/* A full disk: commits and seals fail here and there, what was not kept is a gap, all goes on. */
static void test_a_full_disk_leaves_a_store_that_verifies(void **state)
{
	struct rlimit before, limit;
	struct life life;
	struct verify_sum sum;
	struct said said;
	struct reading r;
	int failed = 0;
	signal(SIGXFSZ, SIG_IGN);
	life_begin(&life, *state, 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 90000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 60; i++) {
		r = life_reading(&life, 0, NOW + i * 1000, i);
		if (daybook_append(life.daybook, &r, 1) != 0 || daybook_commit(life.daybook) != 0)
			failed++;
	}
	life_seal(&life);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(failed > 0);
	life_gap(&life, NOW + 70000);
	life_batch(&life, 5, NOW + 80000);
	life_end(&life, true);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_int_equal(sum.gaps, 1);
	assert_int_equal(sum.unsealed, 0);
	assert_non_null(strstr(said.notes, "gap: outfall-3 w21003"));
}

/* A start that a full disk keeps from being sealed: the daemon goes on, and seals when it can. */
static void test_a_start_on_a_full_disk_is_no_alarm(void **state)
{
	struct rlimit before, limit;
	struct life life;
	struct verify_sum sum;
	struct said said;
	signal(SIGXFSZ, SIG_IGN);
	life_begin(&life, *state, 0);
	life_batch(&life, 3, NOW);
	life_end(&life, true);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 1;
	life = (struct life){.directory = *state};
	assert_int_equal(daybook_open(&life.daybook, *state, &store_plan), 0);
	assert_int_equal(ledger_open(&life.ledger, *state, &store_plan), 0);
	ledger_bind(life.ledger, life_daybook, &life);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	life_sealer(&life);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	life_batch(&life, 3, NOW + 60000);
	life_alert(&life, 0, NOW + 61000, false);
	life_minute(&life);
	life_end(&life, true);
	assert_int_equal(verify_with(*state, NULL, &said, &sum), VERIFY_CLEAN);
	assert_non_null(strstr(said.notes, "the start after seal 2 was not sealed at once"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_kill_leaves_a_store_that_is_called_bad),
		TEST(test_what_a_kill_leaves_verifies_as_it_lies),
		TEST(test_a_full_disk_leaves_a_store_that_verifies),
		TEST(test_a_start_on_a_full_disk_is_no_alarm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
