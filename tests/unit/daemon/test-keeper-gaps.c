/* SPDX-License-Identifier: Apache-2.0 */
/* Gaps that nobody could write survive a life, on a real ledger. */
#include "store-plan.h"

#include "keeper-gaps.h"

static void test_gaps_last_until_they_are_written(void **state)
{
	struct gap gaps[MONITORS] = {
		[COD] = {COD, -5, INT64_MAX, 7}, [AMMONIA] = {AMMONIA, 1, 2, 3}};
	struct gap found[MONITORS] = {0};
	struct ledger *ledger;

	assert_int_equal(ledger_open(&ledger, *state, &test_plan), 0);
	assert_int_equal(gaps_recall(ledger, &test_plan, found), 0);
	assert_int_equal(gaps_keep(ledger, &test_plan, gaps), 0);
	ledger_close(ledger);
	assert_int_equal(ledger_open(&ledger, *state, &test_plan), 0);
	assert_int_equal(gaps_recall(ledger, &test_plan, found), 2);
	for (uint32_t i = 0; i < MONITORS; i++) {
		assert_int_equal(found[i].count, gaps[i].count);
		assert_int_equal(found[i].monitor, gaps[i].monitor);
		assert_int_equal(found[i].from_ms, gaps[i].from_ms);
		assert_int_equal(found[i].to_ms, gaps[i].to_ms);
	}
	assert_int_equal(gaps_forget(ledger), 0);
	memset(found, 0, sizeof found);
	assert_int_equal(gaps_recall(ledger, &test_plan, found), 0);
	ledger_close(ledger);
}

static void test_what_is_not_understood_or_gone_is_passed_over(void **state)
{
	static const char text[] = "outfall-3\tw01018\tmany\nnowhere\tw01018\t3 1 2\n\t\t\n"
				   "outfall-3\tw01018\t4 1 2\noutfall-3";
	struct gap found[MONITORS] = {0};
	struct ledger *ledger;

	assert_int_equal(ledger_open(&ledger, *state, &test_plan), 0);
	assert_int_equal(ledger_put(ledger, "keeper/gaps", text, sizeof text - 1), 0);
	assert_int_equal(gaps_recall(ledger, &test_plan, found), 1);
	assert_int_equal(found[COD].count, 4);
	ledger_close(ledger);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_gaps_last_until_they_are_written),
		TEST(test_what_is_not_understood_or_gone_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
