/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Look again: what the windows of one monitor hold, found from the daybook as the judge found it
 * from the rings.
 *
 * The readings of a day are given once more to an evaluator of their own, of that monitor and the
 * flow beside it alone, in the order in which they arrived and with the windows judged as the
 * clock then went. So a mean comes out as it did, or as it would have with other marks. Nothing
 * live is touched; it costs the disk a day of two monitors for each day that a mark touches.
 */
#include "core/evaluate.h"
#include "flow/judge.h"
#include "store/daybook.h"

struct look {
	const struct plan *plan;
	struct daybook_reader *reader;
	const struct marks *marks; /* of the plan's monitors; NULL: none */
	struct judge_mark read;    /* rows that the judge had not read then are left out */
	int64_t now_ms;            /* its clock then */
};

/**
 * look_again() - each window of the monitor's means that a time touches, with readings or judged
 * @fn: called with the plan's own indices; valid during the call
 * Return: 0, negative errno.
 */
int look_again(const struct look *look, uint32_t monitor, int64_t from_ms, int64_t to_ms,
	       judged_fn fn, void *context);

/**
 * look_late() - what the monitor's instant limits would have said of a span, had all its readings
 * come in the order of their times
 * @look: all rows count, whatever the judge has read
 * @beyond: out: valid readings of the span beyond a limit; 0: it complies
 * Return: 0, negative errno.
 */
int look_late(const struct look *look, uint32_t monitor, struct span span, int64_t *beyond);

/** look_row_read() - had the judge read this row of the daybook? */
bool look_row_read(const struct judge_mark *read, const struct daybook_row *row);

/** look_each() - the monitors whose means a mark over @monitor may change: itself, and of a flow
 * those that weigh by it or stand behind its gate */
void look_each(const struct plan *plan, uint32_t monitor,
	       void (*fn)(void *context, uint32_t monitor), void *context);
