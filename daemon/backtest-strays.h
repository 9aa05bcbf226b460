/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Strays: rows of a recording whose time cannot be, as the recording goes on where it was before.
 *
 * Live a time more than five minutes ahead is seen by the clock of the receipt. A recording has no
 * such clock, and one row that is dated a year ahead would make all that follow late, and nothing
 * of the monitor would be judged any more. So what comes behind tells: where a monitor's next
 * STRAY_BEHIND rows, each no earlier than the one before it, go on behind the rows before, and lie
 * more than five minutes before up to STRAYS_IN_A_ROW others, those are strays. Fewer rows behind
 * say nothing: messages overtake each other, and loggers catch up.
 */
#include "core/csv.h"
#include "core/verdict.h"
#include "recording.h"

enum { STRAY_AHEAD_MS = 300000, STRAY_BEHIND = 12, STRAYS_IN_A_ROW = 4 };

struct stray {
	uint32_t monitor;
	const char *line; /* in the recording */
	int64_t time_ms;  /* as dated */
	int64_t came_ms;  /* of the row before it, or else behind it, */
	int64_t after_ms; /* and of the row behind it */
	bool again;       /* right behind another one: one clue says both */
	bool has_value;
	double value;
};

struct backtest_strays;

int backtest_strays_new(struct backtest_strays **out, const struct plan *plan);
struct backtest_strays *backtest_strays_free(struct backtest_strays *strays);
/** backtest_strays_add() - the next row of the file. Return: false without memory. */
bool backtest_strays_add(struct backtest_strays *strays, uint32_t monitor,
			 const struct csv_row *row, const char *line);
/** backtest_strays_found() - Return: those of all monitors, @n of them */
const struct stray *backtest_strays_found(const struct backtest_strays *strays, size_t *n);
/**
 * backtest_strays_drop() - the recording with an empty line for each stray, so that lines keep
 * their numbers
 * @rows: what stands behind the header; its place afterwards, which is the strays' own
 * Return: false without memory.
 */
bool backtest_strays_drop(struct backtest_strays *strays, struct recording *rows);
/** stray_verdict() - the beginning or the end of its clue */
struct verdict stray_verdict(const struct stray *stray, enum verdict_type type);
