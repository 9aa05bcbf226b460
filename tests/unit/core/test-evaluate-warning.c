/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of warnings: beside the exceedance of an instant limit, below it, and in its place. */
#include "rig.h"

static struct rig *warned(void **state)
{
	struct rig *rig = *state;
	rig->limits[0].warn_at = 0.9;
	return rig;
}

static void test_a_warning_is_raised_above_its_share_of_the_limit(void **state)
{
	struct rig *rig = warned(state);
	rig_check(rig, "0:45 1:45.1", "+warning@1/1=45.1");
	rig_check(rig, "2:45", "-warning@2");
}

static void test_a_warning_level_is_compared_as_it_reads(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0].max = 0.7;
	rig->limits[0].warn_at = 0.1; /* 0.7 * 0.1 lies below 0.07 */
	rig_check(rig, "0:0.07 1:0.07000000000001 2:0.0701", "+warning@2/2=0.0701");
}

static void test_a_warning_of_a_lower_bound_lies_above_it(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0] = (struct limit){.has_min = true, .min = 4.5, .warn_at = 0.9, .key = "a"};
	rig_check(rig, "0:5 1:4.9", "+warning(min)@1/1=4.9");
	rig_check(rig, "2:4.4", "+exceedance(min)@2/2=4.4 -warning(min)@2");
}

static void test_the_limit_of_a_warning_is_the_limit_itself(void **state)
{
	struct rig *rig = warned(state);
	rig_play(rig, "0:46");
	assert_true(rig->said[0].has_limit);
	assert_true(rig->said[0].limit_value == 50);
	rig_said(rig, "+warning@0/0=46");
}

static void test_an_exceedance_clears_its_warning(void **state)
{
	rig_check(warned(state), "0:46 1:51", "+warning@0/0=46 +exceedance@1/1=51 -warning@1");
}

static void test_a_value_at_once_beyond_the_limit_raises_no_warning(void **state)
{
	rig_check(warned(state), "0:51", "+exceedance@0/0=51");
}

static void test_a_value_beyond_the_limit_counts_for_the_warning_until_it_is_raised(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:46 5:51 10:51", "+warning@10/0=51");
	rig_check(rig, "15:51", "+exceedance@15/5=51 -warning@15");
}

static void test_after_an_exceedance_the_warnings_run_starts_with_the_clearing_reading(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0].on_delay_ms = 10000;
	rig_check(rig, "0:51 10:51 20:48 29:48", "+exceedance@10/0=51 -exceedance@20");
	rig_check(rig, "30:48", "+warning@30/20=48");
}

static void test_the_clearing_reading_may_raise_the_warning(void **state)
{
	rig_check(warned(state), "0:51 1:48", "+exceedance@0/0=51 -exceedance@1 +warning@1/1=48");
}

static void test_a_warning_has_delays_and_deadband_of_its_limit(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0].on_delay_ms = 10000;
	rig->limits[0].off_delay_ms = 10000;
	rig->limits[0].deadband = 2;
	rig_check(rig, "0:46 9.9:46", "");
	rig_check(rig, "10:46", "+warning@10/0=46");
	rig_check(rig, "11:44 12:43 13:44 14:43 23:43", "");
	rig_check(rig, "24:43", "-warning@24");
}

static void test_a_warning_has_the_counts_of_its_limit(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0].on_count = 2;
	rig->limits[0].off_count = 2;
	rig_check(rig, "0:46 1:46 2:44", "+warning@1/0=46");
	rig_check(rig, "3:44", "-warning@3");
}

static void test_a_reading_without_flag_N_breaks_the_recovery_of_a_warning(void **state)
{
	struct rig *rig = warned(state);
	rig->limits[0].off_delay_ms = 10000;
	rig_check(rig, "0:46 10:40 15:40M 20:40 25:40", "+warning@0/0=46");
	rig_check(rig, "30:40", "-warning@30");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rig_test(test_a_warning_is_raised_above_its_share_of_the_limit),
		rig_test(test_a_warning_level_is_compared_as_it_reads),
		rig_test(test_a_warning_of_a_lower_bound_lies_above_it),
		rig_test(test_the_limit_of_a_warning_is_the_limit_itself),
		rig_test(test_an_exceedance_clears_its_warning),
		rig_test(test_a_value_at_once_beyond_the_limit_raises_no_warning),
		rig_test(test_a_value_beyond_the_limit_counts_for_the_warning_until_it_is_raised),
		rig_test(
			test_after_an_exceedance_the_warnings_run_starts_with_the_clearing_reading),
		rig_test(test_the_clearing_reading_may_raise_the_warning),
		rig_test(test_a_warning_has_delays_and_deadband_of_its_limit),
		rig_test(test_a_warning_has_the_counts_of_its_limit),
		rig_test(test_a_reading_without_flag_N_breaks_the_recovery_of_a_warning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
