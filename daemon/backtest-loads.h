/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Loads of recorded data against permits (duchad.cfg(5), LOADS): added up as the daemon does, once
 * all readings are known, so that none is late. Sites without a permit cost nothing.
 */
#include "core/evaluate.h"
#include "core/permit.h"

struct backtest_loads;

/** backtest_loads_new() - *out NULL: nothing of the plan has a permit. Return: 0, -ENOMEM. */
int backtest_loads_new(struct backtest_loads **out, const struct plan *plan);
struct backtest_loads *backtest_loads_free(struct backtest_loads *loads);
/** backtest_loads_add() - a reading with the flag that counts. Return: false without memory. */
bool backtest_loads_add(struct backtest_loads *loads, const struct reading *reading);

/* Told of the judging, in the order of each monitor's hours. */
struct backtest_loads_watch {
	verdict_fn verdict;
	/* NULL, or: what a year came to for a monitor with a permit, its last time @until_ms */
	void (*year)(void *context, uint32_t monitor, const struct permit *permit,
		     int64_t covered_ms, int64_t until_ms);
	void *context;
};
/** backtest_loads_judge() - all hours that were over ten minutes before @latest_ms, the data's end
 * Return: false without memory. */
bool backtest_loads_judge(struct backtest_loads *loads, int64_t latest_ms,
			  const struct backtest_loads_watch *watch);
