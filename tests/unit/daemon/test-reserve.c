/* SPDX-License-Identifier: Apache-2.0 */
/* The reserve as a file: what it gives, to whom, and that it takes it back. */
#include "store-plan.h"

#include "reserve.h"

#include <sys/stat.h>

enum { BOUND = 1 << 20, ALL = BOUND / 32, STEP = ALL / 8 };

static int64_t held(const char *directory)
{
	struct stat status;
	char path[200];

	snprintf(path, sizeof path, "%s/reserve", directory);
	assert_int_equal(stat(path, &status), 0);
	assert_true(status.st_blocks * 512 >= status.st_size); /* no hole */
	return status.st_size;
}

static void test_work_leaves_the_last_steps_to_starts(void **state)
{
	struct reserve r;
	int given = 0;

	reserve_open(&r, *state, BOUND);
	assert_int_equal(held(*state), 0);
	assert_false(reserve_give(&r, RESERVE_START));
	reserve_refill(&r);
	assert_int_equal(held(*state), ALL);
	while (reserve_give(&r, RESERVE_WORK))
		assert_int_equal(held(*state), ALL - ++given * STEP);
	assert_int_equal(given, 4);
	reserve_close(&r);
	reserve_open(&r, *state, BOUND); /* the next life has what is left */
	while (reserve_give(&r, RESERVE_START))
		given++;
	assert_int_equal(given, 8);
	assert_int_equal(held(*state), 0);
	reserve_refill(&r);
	assert_int_equal(held(*state), ALL);
	reserve_start(&r); /* there is room */
	assert_int_equal(held(*state), ALL);
	reserve_close(&r);
}

static void test_it_follows_the_bound(void **state)
{
	struct reserve r;

	reserve_open(&r, *state, BOUND);
	reserve_refill(&r);
	reserve_close(&r);
	reserve_open(&r, *state, BOUND / 2);
	reserve_refill(&r);
	assert_int_equal(held(*state), ALL / 2);
	reserve_close(&r);
}

static void test_without_a_place_there_is_none(void **state)
{
	struct reserve r;

	(void)state;
	reserve_open(&r, "/proc/none", BOUND);
	reserve_start(&r);
	reserve_refill(&r);
	assert_false(reserve_give(&r, RESERVE_START));
	reserve_close(&r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_work_leaves_the_last_steps_to_starts),
		TEST(test_it_follows_the_bound),
		TEST(test_without_a_place_there_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
