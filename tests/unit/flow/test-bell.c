/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/bell.h"
#include "patience.h"

#include <poll.h>
#include <pthread.h>

static bool rung(struct bell *bell)
{
	struct pollfd p = {.fd = bell->fd, .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

static void test_a_ring_for_someone_awake_makes_no_call(void **state)
{
	struct bell bell;
	assert_int_equal(bell_init(&bell), 0);
	bell_ring(&bell);
	assert_false(rung(&bell));
	bell_ring_always(&bell);
	assert_true(rung(&bell));
	bell_deinit(&bell);
	(void)state;
}

static bool something(void *context)
{
	*(int *)context += 1;
	return true;
}

static void test_the_sleeper_looks_once_more_before_it_waits(void **state)
{
	struct bell bell;
	int looked = 0;
	assert_int_equal(bell_init(&bell), 0);
	bell_sleep(&bell, -1, something, &looked); /* waits for ever if it does not look */
	assert_int_equal(looked, 1);
	bell_deinit(&bell);
	(void)state;
}

static bool ring_meanwhile(void *context)
{
	bell_ring(context);
	return false;
}

static void test_a_ring_between_the_look_and_the_wait_is_not_lost(void **state)
{
	struct bell bell;
	assert_int_equal(bell_init(&bell), 0);
	for (int i = 0; i < 3; i++)
		bell_sleep(&bell, -1, ring_meanwhile, &bell);
	assert_false(rung(&bell));
	bell_deinit(&bell);
	(void)state;
}

static void test_a_sleep_ends_with_its_time(void **state)
{
	struct bell bell;
	assert_int_equal(bell_init(&bell), 0);
	bell_sleep(&bell, 1, NULL, NULL);
	assert_false(atomic_load(&bell.asleep));
	bell_deinit(&bell);
	(void)state;
}

struct pair {
	struct bell bell;
	_Atomic int given, taken;
};

static bool anything(void *context)
{
	struct pair *pair = context;
	return atomic_load(&pair->given) > atomic_load(&pair->taken);
}

static void *take_all(void *context)
{
	struct pair *pair = context;
	while (atomic_load(&pair->taken) < 20000) {
		bell_sleep(&pair->bell, -1, anything, pair);
		atomic_store(&pair->taken, atomic_load(&pair->given));
	}
	return NULL;
}

static bool all_taken(void *context)
{
	return atomic_load(&((struct pair *)context)->taken) == 20000;
}

/* Without timeout: a single lost ring leaves the sleeper asleep. */
static void test_no_ring_is_lost_between_threads(void **state)
{
	struct pair pair = {0};
	pthread_t thread;
	assert_int_equal(bell_init(&pair.bell), 0);
	assert_int_equal(pthread_create(&thread, NULL, take_all, &pair), 0);
	for (int i = 0; i < 20000; i++) {
		atomic_fetch_add(&pair.given, 1);
		bell_ring(&pair.bell);
	}
	assert_true(wait_for(all_taken, &pair));
	pthread_join(thread, NULL);
	bell_deinit(&pair.bell);
	(void)state;
}

static void *pause_long(void *context)
{
	bell_pause(context, -1);
	return NULL;
}

static void test_a_pause_is_ended_by_a_ring_meant_always(void **state)
{
	struct bell bell;
	pthread_t thread;
	assert_int_equal(bell_init(&bell), 0);
	assert_int_equal(pthread_create(&thread, NULL, pause_long, &bell), 0);
	bell_ring_always(&bell);
	pthread_join(thread, NULL);
	bell_deinit(&bell);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_ring_for_someone_awake_makes_no_call),
		cmocka_unit_test(test_the_sleeper_looks_once_more_before_it_waits),
		cmocka_unit_test(test_a_ring_between_the_look_and_the_wait_is_not_lost),
		cmocka_unit_test(test_a_sleep_ends_with_its_time),
		cmocka_unit_test(test_no_ring_is_lost_between_threads),
		cmocka_unit_test(test_a_pause_is_ended_by_a_ring_meant_always),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
