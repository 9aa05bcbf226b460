/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Order: rows of a recording as they would have come.
 *
 * What two monitors show together (contradictions, the same curve at two outfalls, an oxygen probe
 * that is as dead as those beside it) is found by whichever reading comes later. A file that holds
 * one monitor behind the other would show none of it. So its rows are taken in the order of their
 * monitors' clocks: each monitor's in the order of the file, as what is late is told by that, and
 * those of several monitors by the newest time that each has reached.
 */
#include "core/plan.h"
#include "recording.h"

struct backtest_order;

/** backtest_order_matters() - does a rule of the plan look at several monitors? */
bool backtest_order_matters(const struct plan *plan);
int backtest_order_new(struct backtest_order **out, const struct plan *plan);
struct backtest_order *backtest_order_free(struct backtest_order *order);
/** backtest_order_add() - the next row of the file, which stays where it is
 * @monitor: NO_INDEX: of none, and it keeps its place
 * @line: in the recording
 * Return: false without memory */
bool backtest_order_add(struct backtest_order *order, uint32_t monitor, int64_t time_ms,
			const char *line);
/** backtest_order_rows() - in @rows, behind the header: left as they are where they are in order,
 * else a copy that lasts as long as @order. Return: false without memory */
bool backtest_order_rows(struct backtest_order *order, struct recording *rows);
