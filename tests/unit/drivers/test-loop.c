/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct bench {
	struct loop *loop;
	int fds[3];
	unsigned calls[3], ticks, ticks_wanted;
	int64_t last_ns;
};

static int signalled(void)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(fd >= 0);
	return fd;
}

static void tick(void *context, int64_t mono_ns)
{
	struct bench *bench = context;
	assert_true(mono_ns > bench->last_ns);
	assert_true(mono_ns == loop_now(bench->loop));
	bench->last_ns = mono_ns;
	if (++bench->ticks == bench->ticks_wanted)
		loop_stop(bench->loop);
}

static void test_ticks_come_until_the_loop_is_stopped(void **state)
{
	(void)state;
	struct bench bench = {.ticks_wanted = 5};
	_Atomic uint64_t heartbeat = 0;
	assert_int_equal(loop_new(&bench.loop), 0);
	assert_int_equal(loop_on_tick(bench.loop, tick, &bench), 0);
	assert_int_equal(loop_run(bench.loop, &heartbeat), 0);
	assert_int_equal(bench.ticks, 5);
	assert_true(atomic_load(&heartbeat) >= 5);
	loop_free(bench.loop);
}

static void *run(void *context)
{
	struct bench *bench = context;
	return loop_run(bench->loop, NULL) == 0 ? bench : NULL;
}

static void test_another_thread_may_stop_it(void **state)
{
	(void)state;
	struct bench bench = {.ticks_wanted = 0};
	assert_int_equal(loop_new(&bench.loop), 0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, run, &bench), 0);
	loop_stop(bench.loop);
	void *result = NULL;
	pthread_join(thread, &result);
	assert_ptr_equal(result, &bench);
	loop_free(bench.loop);
}

/* Whoever is first takes the other away, which stands in the same batch. */
static void removes_the_other(void *context, uint32_t events)
{
	struct bench *bench = context;
	assert_true((events & EPOLLIN) != 0);
	bench->calls[0]++;
	loop_remove(bench->loop, bench->fds[0]);
	loop_remove(bench->loop, bench->fds[1]);
}

static void test_what_is_removed_is_not_called_from_the_same_batch(void **state)
{
	(void)state;
	struct bench bench = {.ticks_wanted = 3, .fds = {signalled(), signalled()}};
	assert_int_equal(loop_new(&bench.loop), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			loop_add(bench.loop, bench.fds[i], EPOLLIN, removes_the_other, &bench), 0);
	assert_int_equal(loop_on_tick(bench.loop, tick, &bench), 0);
	assert_int_equal(loop_run(bench.loop, NULL), 0);
	assert_int_equal(bench.calls[0], 1);
	loop_free(bench.loop);
	close(bench.fds[0]);
	close(bench.fds[1]);
}

static void second_life(void *context, uint32_t events)
{
	struct bench *bench = context;
	(void)events;
	bench->calls[1]++;
}

/* Closes both and opens new ones, which get the same numbers and have nothing to read. */
static void replaces_both(void *context, uint32_t events)
{
	struct bench *bench = context;
	(void)events;
	bench->calls[0]++;
	for (int i = 0; i < 2; i++) {
		loop_remove(bench->loop, bench->fds[i]);
		close(bench->fds[i]);
	}
	for (int i = 0; i < 2; i++) {
		bench->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_int_equal(loop_add(bench->loop, bench->fds[i], EPOLLIN, second_life, bench),
				 0);
	}
}

static void test_events_of_a_closed_descriptor_do_not_reach_its_successor(void **state)
{
	(void)state;
	struct bench bench = {.ticks_wanted = 3, .fds = {signalled(), signalled()}};
	assert_int_equal(loop_new(&bench.loop), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(loop_add(bench.loop, bench.fds[i], EPOLLIN, replaces_both, &bench),
				 0);
	assert_int_equal(loop_on_tick(bench.loop, tick, &bench), 0);
	assert_int_equal(loop_run(bench.loop, NULL), 0);
	assert_int_equal(bench.calls[0], 1);
	assert_int_equal(bench.calls[1], 0);
	loop_free(bench.loop);
	close(bench.fds[0]);
	close(bench.fds[1]);
}

static void test_what_cannot_be_watched_is_an_error(void **state)
{
	(void)state;
	struct loop *loop;
	assert_int_equal(loop_new(&loop), 0);
	assert_int_equal(loop_add(loop, -1, EPOLLIN, second_life, NULL), -EINVAL);
	assert_int_equal(loop_add(loop, 1000, EPOLLIN, second_life, NULL), -EBADF);
	assert_int_equal(loop_change(loop, 1000, EPOLLIN), -ENOENT);
	loop_remove(loop, 1000);
	loop_free(loop);
	assert_null(loop_free(NULL));
}

static void counts(void *context, uint32_t events)
{
	struct bench *bench = context;
	(void)events;
	loop_remove(bench->loop, bench->fds[bench->calls[0]++]);
}

static void ends_when_both_were_heard(void *context, int64_t mono_ns)
{
	struct bench *bench = context;
	assert_true(mono_ns == loop_now(bench->loop));
	bench->calls[1]++;
	assert_int_equal(bench->calls[0], 2);
	loop_stop(bench->loop);
}

static void test_the_end_of_a_batch_is_said_once_after_all_of_it(void **state)
{
	(void)state;
	struct bench bench = {.ticks_wanted = 0};
	assert_int_equal(loop_new(&bench.loop), 0);
	assert_int_equal(loop_on_batch(bench.loop, ends_when_both_were_heard, &bench), 0);
	for (int i = 0; i < 2; i++) {
		bench.fds[i] = signalled();
		assert_int_equal(loop_add(bench.loop, bench.fds[i], EPOLLIN, counts, &bench), 0);
	}
	assert_int_equal(loop_run(bench.loop, NULL), 0);
	assert_int_equal(bench.calls[1], 1);
	close(bench.fds[0]);
	close(bench.fds[1]);
	loop_free(bench.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ticks_come_until_the_loop_is_stopped),
		cmocka_unit_test(test_another_thread_may_stop_it),
		cmocka_unit_test(test_what_is_removed_is_not_called_from_the_same_batch),
		cmocka_unit_test(test_events_of_a_closed_descriptor_do_not_reach_its_successor),
		cmocka_unit_test(test_what_cannot_be_watched_is_an_error),
		cmocka_unit_test(test_the_end_of_a_batch_is_said_once_after_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
