/* SPDX-License-Identifier: Apache-2.0 */
#include "store-ledger.h"

#include <signal.h>
#include <sys/wait.h>

static void end_case(struct ledger *ledger, int64_t id, int64_t now)
{
	struct case_order order = {
		.action = ACTION_WITHDRAW, .by = "Inspector C", .note = "n", .reason = "unfounded"};
	struct text out = {0};
	ledger_act(ledger, id, &order, now, &out);
	text_deinit(&out);
}

/* In a child: a case after the other, each told to the parent once it is committed. */
static void commit_for_ever(const char *directory, int pipe_fd, int64_t at, int64_t newest)
{
	struct ledger *ledger;
	if (ledger_open(&ledger, directory, &test_plan) != 0)
		_exit(1);
	struct verdict v = cleared(raised(COD, 0, 60, at), at);
	ledger_apply(ledger, &v, 1, at, NULL);
	end_case(ledger, newest, at); /* what the last life left open: the last that was told, */
	end_case(ledger, newest + 1, at); /* or one that was committed and not told */
	for (;; at += 10) {
		int64_t id = 0;
		v = raised(COD, 0, 60, at);
		if (ledger_apply(ledger, &v, 1, at, &id) != 0 || id == 0)
			_exit(2);
		if (write(pipe_fd, &id, sizeof id) != sizeof id)
			_exit(3);
		v = cleared(v, at + 5);
		if (ledger_apply(ledger, &v, 1, at, NULL) != 0)
			_exit(4);
		end_case(ledger, id, at);
	}
}

/* Runs a child until it has told some cases and kills it. Return: the newest that it told. */
static int64_t kill_a_life(const char *directory, uint64_t *seed, int64_t at, int64_t newest)
{
	uint64_t wanted = 1 + test_random(seed) % 40;
	int fds[2];
	int64_t id;

	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	if (child == 0)
		commit_for_ever(directory, fds[1], at, newest);
	close(fds[1]);
	for (uint64_t i = 0; i < wanted; i++) {
		assert_int_equal(read(fds[0], &id, sizeof id), sizeof id);
		assert_true(id == newest + 1 || (i == 0 && id == newest + 2));
		newest = id;
	}
	usleep((useconds_t)(test_random(seed) % 3000));
	kill(child, SIGKILL);
	while (read(fds[0], &id, sizeof id) == sizeof id)
		newest = id;
	close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return newest;
}

static void test_what_was_committed_survives_a_kill(void **state)
{
	uint64_t seed = test_seed();
	int64_t newest = 0;

	for (int round = 0; round < 10; round++) {
		newest = kill_a_life(*state, &seed, NOW + round * 10000000, newest);
		struct ledger *ledger = open_ledger(state);
		for (int64_t id = 1; id <= newest; id++) {
			char number[64];
			snprintf(number, sizeof number, "\"number\":\"测督挂〔2026〕%lld号\"",
				 (long long)id);
			assert_true(case_has(ledger, id, number));
		}
		ledger_close(ledger);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_was_committed_survives_a_kill,
						directory_make, directory_remove),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
