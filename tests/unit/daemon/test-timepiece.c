/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon knows of its clock after it was killed: on a real ledger, by given clocks. */
#include "store-plan.h"

#include "timepiece.h"

#define WALL INT64_C(1767294245000)
#define DAY TRUST_STEP_MS
#define MONO INT64_C(50000000)

/* The clocks @later ms on, the wall clock wrong by @off_ms. */
static struct trust_clocks at(int64_t later_ms, int64_t off_ms)
{
	return (struct trust_clocks){WALL + later_ms + off_ms, MONO + later_ms, false};
}

struct life {
	struct ledger *ledger;
	struct timepiece timepiece;
};

static void begin(struct life *life, const char *directory, const struct trust_clocks *now)
{
	const int64_t yesterday = WALL / DAY - 1;

	assert_int_equal(ledger_open(&life->ledger, directory, &test_plan), 0);
	assert_int_equal(timepiece_begin(&life->timepiece, life->ledger, &yesterday, 1, now), 0);
}

static void look(struct life *life, int64_t later_ms, int64_t off_ms)
{
	struct trust_clocks now = at(later_ms, off_ms);

	assert_int_equal(timepiece_look(&life->timepiece, &now), 0);
}

/* Killed, and started again @later ms after the first. */
static void again(struct life *life, const char *directory, int64_t later_ms, int64_t off_ms)
{
	struct trust_clocks now = at(later_ms, off_ms);

	ledger_close(life->ledger);
	begin(life, directory, &now);
}

static int64_t lived(const struct life *life, int64_t later_ms)
{
	return atomic_load(&life->timepiece.lived_ms) + MONO + later_ms;
}

static void test_a_start_with_a_clock_ahead_is_doubted_at_each_start(void **state)
{
	struct trust_clocks now = at(0, 500 * DAY);
	struct life life;

	begin(&life, *state, &now); /* the files alone tell, and end with yesterday */
	assert_true(timepiece_doubted(&life.timepiece));
	int64_t first = lived(&life, 0);
	assert_in_range(first, WALL - DAY, WALL);
	for (int64_t i = 1; i < 20; i++) {
		look(&life, i * 1000, 500 * DAY);
		again(&life, *state, i * 1000, 500 * DAY);
		assert_true(timepiece_doubted(&life.timepiece));
		assert_int_equal(lived(&life, i * 1000), first + i * 1000);
	}
	look(&life, 30000, 0); /* set right */
	assert_false(timepiece_doubted(&life.timepiece));
	again(&life, *state, 31000, 0);
	assert_false(timepiece_doubted(&life.timepiece));
	assert_int_equal(lived(&life, 31000), WALL + 31000);
	ledger_close(life.ledger);
}

static void test_a_step_under_way_is_kept_at_once(void **state)
{
	struct trust_clocks now = at(0, 0);
	struct life life;

	begin(&life, *state, &now);
	look(&life, 1000, 0);
	look(&life, 2000, 20 * DAY);
	assert_true(timepiece_doubted(&life.timepiece));
	again(&life, *state, 3000, 20 * DAY);
	assert_true(timepiece_doubted(&life.timepiece));
	assert_int_equal(lived(&life, 3000), WALL + 3000);
	ledger_close(life.ledger);
}

static void test_a_word_of_who_knows_lasts(void **state)
{
	struct trust_clocks now = at(0, 500 * DAY);
	struct life life;

	begin(&life, *state, &now);
	look(&life, 1000, 500 * DAY);
	assert_true(timepiece_doubted(&life.timepiece));
	timepiece_confirm(&life.timepiece);
	look(&life, 2000, 500 * DAY);
	assert_false(timepiece_doubted(&life.timepiece));
	again(&life, *state, 3000, 500 * DAY);
	assert_false(timepiece_doubted(&life.timepiece));
	assert_int_equal(lived(&life, 3000), WALL + 500 * DAY + 3000);
	ledger_close(life.ledger);
}

static void test_what_was_lived_goes_on_while_the_daemon_is_down(void **state)
{
	struct trust_clocks now = at(0, 0);
	struct life life;

	begin(&life, *state, &now);
	look(&life, 1000, 0);
	again(&life, *state, 40 * DAY, 0); /* the machine was up, as CLOCK_BOOTTIME shows */
	assert_false(timepiece_doubted(&life.timepiece));
	assert_int_equal(lived(&life, 40 * DAY), WALL + 40 * DAY);
	ledger_close(life.ledger);
	now = (struct trust_clocks){WALL + 60 * DAY, 1000, false}; /* it was not */
	begin(&life, *state, &now);
	assert_int_equal(atomic_load(&life.timepiece.lived_ms) + 1000, WALL + 1000);
	assert_true(timepiece_doubted(&life.timepiece));
	ledger_close(life.ledger);
}

static void test_what_nobody_understands_is_not_known(void **state)
{
	struct trust_clocks now = at(0, 0);
	struct life life;

	begin(&life, *state, &now);
	assert_int_equal(ledger_put(life.ledger, "clock/lived", "never", 5), 0);
	again(&life, *state, 1000, 0);
	assert_in_range(lived(&life, 1000), WALL - DAY, WALL + 1000);
	ledger_close(life.ledger);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, directory_make, directory_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_start_with_a_clock_ahead_is_doubted_at_each_start),
		TEST(test_a_step_under_way_is_kept_at_once),
		TEST(test_a_word_of_who_knows_lasts),
		TEST(test_what_was_lived_goes_on_while_the_daemon_is_down),
		TEST(test_what_nobody_understands_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
