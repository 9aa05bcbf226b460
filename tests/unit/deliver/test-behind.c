/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for gone after any stop, at any moment of storing, has really left. */
#include "deliver/behind.h"
#include "house.h"
#include "servers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { MOST = 4000, STEPS = 1500 };
static const char *const cursors[] = {"influx/readings", "influx/ahead-from", "influx/ahead-to"};

static struct house house;
static bool gone[MOST + 1];

static int build(void **state)
{
	(void)state;
	memset(gone, 0, sizeof gone);
	house_build(&house);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	house_tear_down(&house);
	return 0;
}

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

static void mark(int64_t after, int64_t to)
{
	for (int64_t i = after + 1; i <= to; i++)
		gone[i] = true;
}

/* Does what an exporter that takes up these cursors does, and sees what it would leave out. */
static void check_left_out(int64_t newest)
{
	struct behind behind;
	assert_int_equal(behind_init(&behind, house.ledger, newest), 0);
	int64_t passed = atomic_load(&behind.passed), end = behind_end(&behind), waiting = 0;
	for (int64_t i = 1; i <= newest; i++) {
		bool left = i <= passed || (end != INT64_MAX && i > end && i <= behind.to);
		if (left && !gone[i])
			fail_msg("%lld has not left; cursors %lld, %lld, %lld", (long long)i,
				 (long long)passed, (long long)behind.from, (long long)behind.to);
		waiting += !left;
	}
	assert_int_equal(behind_waiting(&behind, newest), waiting);
}

static void put(const int64_t *values)
{
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ledger_put_cursor(house.ledger, cursors[i], values[i]), 0);
}

static void get(int64_t *values)
{
	for (size_t i = 0; i < 3; i++)
		values[i] = ledger_cursor(house.ledger, cursors[i], 0);
}

/* The states that a kill may leave, one cursor after the other in the order of behind_store(). */
static void check_stops(struct behind *behind, int64_t newest)
{
	int64_t before[3], after[3];
	get(before);
	assert_int_equal(behind_store(behind), 0);
	get(after);
	for (size_t stored = 0; stored <= 3; stored++) {
		int64_t between[3];
		for (size_t i = 0; i < 3; i++)
			between[i] = i < stored ? after[i] : before[i];
		put(between);
		check_left_out(newest);
	}
}

static void step(struct behind *behind, int64_t *newest, uint64_t dice, int64_t n)
{
	int64_t after, to;
	switch (dice % 8) {
	case 0:
	case 1:
		*newest = *newest + n < MOST ? *newest + n : MOST;
		break;
	case 2:
		if (behind_waiting(behind, *newest) > 50)
			behind_part(behind, *newest, n);
		break;
	case 3:
	case 4:
		after = behind->to;
		to = after + n < *newest ? after + n : *newest;
		if (behind_fresh(behind, *newest) <= 0)
			break;
		mark(after, to);
		behind_pass_fresh(behind, to);
		break;
	default:
		after = behind->passed;
		to = after + n < *newest ? after + n : *newest;
		to = to < behind_end(behind) ? to : behind_end(behind);
		mark(after, to);
		if (to > after)
			behind_pass(behind, to);
		break;
	}
}

static void test_nothing_counts_as_gone_that_has_not_left(void **state)
{
	(void)state;
	const char *given = getenv("DUCHA_SEED");
	uint64_t seed = (uint64_t)getpid();
	if (given != NULL)
		seed = strtoull(given, NULL, 10);
	print_message("DUCHA_SEED=%llu\n", (unsigned long long)seed);
	struct behind behind;
	int64_t newest = 0;
	assert_int_equal(behind_init(&behind, house.ledger, newest), 0);
	for (int i = 0; i < STEPS; i++) {
		uint64_t dice = next_random(&seed);
		step(&behind, &newest, dice, 1 + (int64_t)(next_random(&seed) % 60));
		assert_true(behind.passed <= newest);
		if (i % 10 == 0)
			check_stops(&behind, newest);
	}
}

static void test_another_daybook_is_sent_whole(void **state)
{
	(void)state;
	struct behind behind;
	put((const int64_t[]){10, 50, 90});
	assert_int_equal(behind_init(&behind, house.ledger, 60), 0);
	assert_int_equal(behind_waiting(&behind, 60), 60);
	/* nor is anything of the old range believed when this daybook has grown */
	assert_int_equal(behind_init(&behind, house.ledger, 100), 0);
	assert_int_equal(behind_waiting(&behind, 100), 100);
}

static void test_a_backlog_that_meets_what_went_ahead_is_one_cursor_again(void **state)
{
	(void)state;
	struct behind behind;
	put((const int64_t[]){10, 50, 90});
	assert_int_equal(behind_init(&behind, house.ledger, 100), 0);
	assert_int_equal(behind_waiting(&behind, 100), 50);
	assert_int_equal(behind_end(&behind), 50);
	behind_pass(&behind, 49);
	assert_int_equal(behind_end(&behind), 50);
	behind_pass(&behind, 50);
	assert_int_equal(behind_end(&behind), INT64_MAX);
	assert_int_equal(behind.passed, 90);
	assert_int_equal(behind_waiting(&behind, 100), 10);
}

/* The new range begins inside the old one, whose end a stop may still find stored. */
static void test_a_range_that_begins_anew_does_not_claim_what_is_before_the_old_one(void **state)
{
	(void)state;
	struct behind behind;
	put((const int64_t[]){10, 50, 90});
	assert_int_equal(behind_init(&behind, house.ledger, 100), 0);
	mark(0, 10);
	mark(50, 90);
	behind_part(&behind, 100, 70);
	check_stops(&behind, 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, build, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_counts_as_gone_that_has_not_left),
		TEST(test_another_daybook_is_sent_whole),
		TEST(test_a_range_that_begins_anew_does_not_claim_what_is_before_the_old_one),
		TEST(test_a_backlog_that_meets_what_went_ahead_is_one_cursor_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
