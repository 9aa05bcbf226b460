/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The second half of a backtest: verdicts in the order of their time, through a ledger in memory,
 * to the events that the daemon would have announced.
 */
#include "core/verdict.h"

#include <stdio.h>

/* What a verdict did to a case. */
struct backtest_fate {
	size_t verdict; /* of those given */
	int64_t case_id;
	const char *number; /* of the case; valid during the call */
	bool opened;        /* else it joined one that was open, or was told to it */
};

struct backtest_events {
	const struct plan *plan;
	FILE *out; /* a line of JSON each; NULL: nowhere */
	void (*fate)(void *context, const struct backtest_fate *fate); /* NULL: nobody asks */
	void *context;
	uint64_t raised, cleared, cases; /* out: how many */
};

/** backtest_events() - @verdicts as they were decided. Return: false without memory. */
bool backtest_events(struct backtest_events *events, const struct verdict *verdicts, size_t n);
