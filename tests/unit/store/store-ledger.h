/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the ledger's tests share: verdicts of the test plan, and looks at the JSON.
 */
#include "store-plan.h"

#include "store/ledger.h"

/* 2026-01-02 03:04:05 +08:00 */
#define NOW INT64_C(1767294245000)
#define DAY_MS INT64_C(86400000)

static inline struct ledger *open_ledger(void **state)
{
	struct ledger *ledger;
	assert_int_equal(ledger_open(&ledger, *state, &test_plan), 0);
	return ledger;
}

static inline struct verdict raised(uint32_t monitor, uint32_t limit, double value, int64_t at)
{
	struct verdict v = {.type = VERDICT_RAISED,
			    .kind = ALERT_EXCEEDANCE,
			    .monitor = monitor,
			    .connection = NO_INDEX,
			    .limit = limit,
			    .bound = BOUND_MAX,
			    .time_ms = at,
			    .began_ms = at - 10000,
			    .raised_ms = at,
			    .has_value = true,
			    .value = value,
			    .peak_value = value,
			    .peak_ms = at,
			    .last_value = value};
	if (limit != NO_INDEX) {
		v.has_limit = true;
		v.limit_value = test_plan.monitors[monitor].limits[limit].max;
		v.average = test_plan.monitors[monitor].limits[limit].average;
	}
	return v;
}

static inline struct verdict cleared(struct verdict v, int64_t at)
{
	v.type = VERDICT_CLEARED;
	v.time_ms = at;
	return v;
}

static inline int64_t apply_at(struct ledger *ledger, struct verdict v, int64_t now)
{
	int64_t opened = -1;
	assert_int_equal(ledger_apply(ledger, &v, 1, now, &opened), 0);
	return opened;
}

static inline int64_t apply(struct ledger *ledger, struct verdict v)
{
	return apply_at(ledger, v, v.time_ms + 50);
}

static inline bool case_has(struct ledger *ledger, int64_t id, const char *part)
{
	struct text out = {0};
	assert_int_equal(ledger_case_json(ledger, id, &out), 0);
	bool has = strstr(out.at, part) != NULL;
	if (!has)
		print_message("%s\nlacks %s\n", out.at, part);
	text_deinit(&out);
	return has;
}

static inline bool alerts_have(struct ledger *ledger, const char *part)
{
	struct text out = {0};
	struct alert_filter filter = {.active = -1, .limit = 100};
	assert_int_equal(ledger_alerts_json(ledger, &filter, &out), 0);
	bool has = strstr(out.at, part) != NULL;
	if (!has)
		print_message("%s\nlacks %s\n", out.at, part);
	text_deinit(&out);
	return has;
}
