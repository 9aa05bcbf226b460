/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/verdict.h"

#include <string.h>

static const struct limit limits[] = {{.key = "instant:max=50"}, {.key = "hour:max=50"}};
static const struct monitor monitor = {.factor = "w01018", .limits = limits, .n_limits = 2};
static const struct site site = {.id = "outfall-3", .n_monitors = 1};
static const struct connection connection = {"wwtp-3", "modbus"};
static const struct plan plan = {.sites = &site,
				 .n_sites = 1,
				 .monitors = &monitor,
				 .n_monitors = 1,
				 .connections = &connection,
				 .n_connections = 1};

static void check_key(struct verdict v, const char *expected)
{
	char key[256];
	verdict_key(&plan, &v, key, sizeof key);
	assert_string_equal(key, expected);
}

static void test_keys_name_the_entry_across_restarts(void **state)
{
	struct verdict v = {.kind = ALERT_EXCEEDANCE, .limit = 1, .connection = NO_INDEX};
	check_key(v, "outfall-3/w01018/exceedance/hour:max=50");
	v.kind = ALERT_WARNING;
	v.limit = 0;
	check_key(v, "outfall-3/w01018/warning/instant:max=50");
	v.kind = ALERT_STALE;
	v.limit = NO_INDEX;
	check_key(v, "outfall-3/w01018/stale/");
	v.kind = ALERT_CLUE;
	v.reason = "over_range";
	check_key(v, "outfall-3/w01018/clue/over_range");
	v = (struct verdict){.kind = ALERT_CONNECTION, .monitor = NO_INDEX, .limit = NO_INDEX};
	check_key(v, "connection/wwtp-3");
	v = (struct verdict){.kind = ALERT_FAULT,
			     .monitor = NO_INDEX,
			     .connection = NO_INDEX,
			     .limit = NO_INDEX,
			     .reason = "disk"};
	check_key(v, "fault/disk");
	(void)state;
}

static void test_a_long_key_is_cut_and_terminated(void **state)
{
	struct verdict v = {.kind = ALERT_EXCEEDANCE, .connection = NO_INDEX};
	char key[16];
	memset(key, 'x', sizeof key);
	verdict_key(&plan, &v, key, sizeof key);
	assert_string_equal(key, "outfall-3/w0101");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_name_the_entry_across_restarts),
		cmocka_unit_test(test_a_long_key_is_cut_and_terminated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
