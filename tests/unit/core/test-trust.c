/* SPDX-License-Identifier: Apache-2.0 */
/* The rule by which a wall clock is believed, on given clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/trust.h"

#define WALL INT64_C(1767294245000)
#define DAY TRUST_STEP_MS
#define MONO INT64_C(5000000)

/* The clocks @later ms after WALL and MONO, the wall clock wrong by @off_ms. */
static struct trust_clocks at(int64_t later_ms, int64_t off_ms)
{
	return (struct trust_clocks){WALL + later_ms + off_ms, MONO + later_ms, false};
}

static int64_t lived_at(const struct trust *t, const struct trust_clocks *now)
{
	return t->lived_ms + now->mono_ms;
}

static struct trust begun(int64_t lived_ms, bool doubted)
{
	struct trust t;
	struct trust_clocks now = at(0, 0);
	trust_begin(&t, lived_ms, doubted, &now);
	return t;
}

static void test_a_clock_that_goes_on_is_believed(void **state)
{
	struct trust t = begun(WALL - 60000, false);
	(void)state;
	for (int64_t later = 0; later < 400 * DAY; later += 3600000) {
		/* slewed, an hour forth in summer and back again in winter */
		struct trust_clocks now = at(later, later / 1000 + (later / DAY % 2) * 3600000);
		assert_false(trust_look(&t, &now));
		assert_int_equal(lived_at(&t, &now), now.wall_ms);
	}
}

static void test_a_step_ahead_under_way_is_doubted_and_makes_nothing_old(void **state)
{
	const int64_t steps[] = {DAY + 1, 10 * DAY, 3653 * DAY};
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct trust t = begun(WALL, false);
		struct trust_clocks before = at(DAY - 1, DAY), now = at(20 * DAY, steps[i]);
		assert_false(trust_look(&t, &before)); /* within a day it is followed */
		before = at(DAY, 0);
		assert_false(trust_look(&t, &before));
		assert_true(trust_look(&t, &now));
		assert_int_equal(lived_at(&t, &now), WALL + 20 * DAY); /* what was lived */
		now = at(500 * DAY, steps[i]);
		assert_true(trust_look(&t, &now)); /* time alone proves nothing */
		now = at(500 * DAY + 1000, 2000);
		assert_false(trust_look(&t, &now)); /* set right again */
		assert_int_equal(lived_at(&t, &now), now.wall_ms);
	}
}

static void test_starts_do_not_make_a_doubted_clock_believed(void **state)
{
	struct trust_clocks now = at(0, 0);
	struct trust t = begun(WALL - 500 * DAY, false);
	(void)state;
	assert_true(t.doubted);
	for (int i = 0; i < 100; i++) /* each with what the one before had lived */
		trust_begin(&t, lived_at(&t, &now), t.doubted, &now);
	assert_true(t.doubted);
	assert_int_equal(lived_at(&t, &now), WALL - 500 * DAY);
	t = begun(WALL - 20 * DAY, true); /* a step under way, and a start: no time off */
	assert_true(t.doubted);
}

static void test_weeks_off_are_no_doubt_and_yet_make_nothing_old(void **state)
{
	struct trust t = begun(WALL - 20 * DAY, false);
	struct trust_clocks now = at(3 * DAY, 0);
	(void)state;
	assert_false(t.doubted);
	assert_false(trust_look(&t, &now));
	assert_int_equal(lived_at(&t, &now), now.wall_ms - 20 * DAY);
	now = at(4 * DAY, 2 * DAY); /* and a step behind them is still one */
	assert_true(trust_look(&t, &now));
	assert_false(begun(WALL - TRUST_AWAY_DAYS * DAY, false).doubted);
	assert_true(begun(WALL - TRUST_AWAY_DAYS * DAY - 1, false).doubted);
}

static void test_who_knows_may_say_so(void **state)
{
	struct trust t = begun(WALL - 500 * DAY, false);
	struct trust_clocks now = at(1000, 0);
	(void)state;
	trust_confirm(&t, &now);
	assert_false(trust_look(&t, &now));
	assert_int_equal(lived_at(&t, &now), now.wall_ms);
	t = begun(WALL - 500 * DAY, false);
	now.synced = true;
	assert_false(trust_look(&t, &now));
	assert_int_equal(lived_at(&t, &now), now.wall_ms);
}

static void test_a_clock_set_back_is_followed_after_a_day(void **state)
{
	struct trust t = begun(WALL, false);
	struct trust_clocks now;
	(void)state;
	for (int64_t later = 0; later < DAY;
	     later += 1000) { /* steps to 1970 and back are nothing */
		now = at(later, later % 60000 == 0 ? 0 : -WALL);
		assert_false(trust_look(&t, &now));
		assert_int_equal(lived_at(&t, &now), WALL + later);
	}
	now = at(DAY, 0);
	assert_false(trust_look(&t, &now));
	now = at(2 * DAY, -500 * DAY);
	assert_false(trust_look(&t, &now));
	now = at(3 * DAY - 1, -500 * DAY);
	assert_false(trust_look(&t, &now));
	assert_int_equal(lived_at(&t, &now), now.wall_ms + 500 * DAY);
	now = at(3 * DAY, -500 * DAY);
	assert_false(trust_look(&t, &now));
	assert_int_equal(lived_at(&t, &now), now.wall_ms);
	now = at(4 * DAY, 0); /* where it was before, it is not believed again */
	assert_true(trust_look(&t, &now));
}

static void test_what_was_recorded_says_little_behind_a_hole(void **state)
{
	const int64_t today = WALL / DAY,
		      days[] = {today - 3, today - 2, today + 500, today - 1, today + 501};
	(void)state;
	assert_int_equal(trust_recorded(days, 0, WALL), WALL);
	assert_int_equal(trust_recorded(days, 2, WALL), (today - 1) * DAY);
	assert_int_equal(trust_recorded(days, 5, WALL + 500 * DAY), today * DAY);
	assert_int_equal(trust_recorded(days, 5, WALL - 2 * DAY), WALL - 2 * DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_clock_that_goes_on_is_believed),
		cmocka_unit_test(test_a_step_ahead_under_way_is_doubted_and_makes_nothing_old),
		cmocka_unit_test(test_starts_do_not_make_a_doubted_clock_believed),
		cmocka_unit_test(test_weeks_off_are_no_doubt_and_yet_make_nothing_old),
		cmocka_unit_test(test_who_knows_may_say_so),
		cmocka_unit_test(test_a_clock_set_back_is_followed_after_a_day),
		cmocka_unit_test(test_what_was_recorded_says_little_behind_a_hole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
