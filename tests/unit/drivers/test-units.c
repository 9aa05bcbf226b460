/* SPDX-License-Identifier: Apache-2.0 */
/* A dead unit is asked ever more rarely, with a cap. */
#include "drivers/modbus/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct modbus_point points[] = {
	{.unit_id = 1, .type = MODBUS_UINT16, .every = 1},
	{.unit_id = 2, .type = MODBUS_UINT16, .every = 1},
};

struct rig {
	struct modbus_plan plan;
	struct modbus_units units;
	struct modbus_unit *dead;
};

static struct rig rig_with(size_t n_points, int64_t interval_ms)
{
	struct rig rig;
	assert_int_equal(modbus_plan_init(&rig.plan, points, n_points, 0, 125), 0);
	assert_int_equal(modbus_units_init(&rig.units, &rig.plan, interval_ms), 0);
	rig.dead = &rig.units.at[0];
	return rig;
}

static void rig_end(struct rig *rig)
{
	modbus_units_deinit(&rig->units);
	modbus_plan_deinit(&rig->plan);
}

/* Asked whenever it does not rest, it fails, and @lost rounds go by meanwhile.
 * Return: in how many of the next @rounds. */
static unsigned ask(struct rig *rig, uint64_t rounds, uint64_t lost, bool alone)
{
	unsigned asked = 0;
	for (uint64_t round = 0; round < rounds; round++) {
		if (modbus_units_rest(&rig->units, rig->dead, round))
			continue;
		asked++;
		modbus_units_failed(&rig->units, rig->dead, round, round + lost + 1, "timeout",
				    alone);
		round += lost;
	}
	return asked;
}

static void test_a_dead_unit_is_asked_ever_more_rarely(void **state)
{
	(void)state;
	struct rig rig = rig_with(2, 1000);
	assert_int_equal(ask(&rig, 65, 0, true), 8); /* 0 1 2 4 8 16 32 64 */
	rig_end(&rig);
	rig = rig_with(2, 1000);
	assert_int_equal(ask(&rig, 64 + 60 * 100, 0, true), 8 + 99);
	rig_end(&rig);
}

static void test_what_a_timeout_takes_is_no_rest(void **state)
{
	(void)state;
	struct rig rig = rig_with(2, 1000);
	assert_int_equal(ask(&rig, 97, 15, true), 6); /* 0 16 32 49 68 91 */
	rig_end(&rig);
}

static void test_a_rest_has_a_cap_in_time(void **state)
{
	(void)state;
	struct rig rig = rig_with(2, 60000); /* five minutes are 5 rounds */
	assert_int_equal(ask(&rig, 100, 0, true), 5 + 18); /* 0 1 2 4 8, then each 5th */
	rig_end(&rig);
	rig = rig_with(2, 86400000);
	assert_int_equal(ask(&rig, 100, 0, true), 100);
	rig_end(&rig);
}

static void test_while_nobody_answers_no_unit_rests_long(void **state)
{
	(void)state;
	struct rig rig = rig_with(2, 1000);
	assert_int_equal(ask(&rig, 4 + 4 * 50, 0, false), 3 + 50);
	rig_end(&rig);
}

static void test_a_unit_that_is_alone_never_rests(void **state)
{
	(void)state;
	struct rig rig = rig_with(1, 1000);
	assert_int_equal(ask(&rig, 100, 0, false), 100);
	rig_end(&rig);
}

static void test_two_requests_of_one_round_fail_once(void **state)
{
	(void)state;
	struct rig rig = rig_with(2, 1000);
	modbus_units_failed(&rig.units, rig.dead, 7, 8, "timeout", true);
	modbus_units_failed(&rig.units, rig.dead, 7, 12, "timeout", true);
	assert_int_equal(rig.dead->failures, 1);
	rig_end(&rig);
}

static void test_the_end_of_an_outage_wakes_all(void **state)
{
	(void)state;
	struct rig rig = rig_with(2, 1000);
	(void)ask(&rig, 200, 0, true);
	assert_true(modbus_units_rest(&rig.units, rig.dead, 200));
	modbus_units_wake(&rig.units);
	assert_false(modbus_units_rest(&rig.units, rig.dead, 200));
	assert_false(modbus_unit_doubtful(rig.dead));
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_dead_unit_is_asked_ever_more_rarely),
		cmocka_unit_test(test_what_a_timeout_takes_is_no_rest),
		cmocka_unit_test(test_a_rest_has_a_cap_in_time),
		cmocka_unit_test(test_while_nobody_answers_no_unit_rests_long),
		cmocka_unit_test(test_a_unit_that_is_alone_never_rests),
		cmocka_unit_test(test_two_requests_of_one_round_fail_once),
		cmocka_unit_test(test_the_end_of_an_outage_wakes_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
