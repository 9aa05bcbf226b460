/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Behind: which readings of the daybook have left, when the newest are not to wait for the oldest.
 *
 *   sequence   1 ......... passed ......... from ######### to ......... newest
 *              have left   |   wait: the backlog  | have left |  wait: fresh
 *
 * Everything up to `passed` has left. While a backlog is caught up, fresh readings leave ahead of
 * it: from and to bound what did. When the backlog reaches `from`, `passed` jumps to `to` and there
 * is one cursor again. When the fresh ones themselves fall far behind (a second outage meanwhile),
 * the range begins anew at the newest, and what had left ahead leaves once more: the same points.
 *
 * Stored as three cursors, in an order in which a crash between two of them only forgets that
 * something has left. One thread owns it; behind_waiting() is for any.
 */
#include "store/ledger.h"

#include <stdatomic.h>

struct behind {
	struct ledger *ledger;
	_Atomic int64_t passed, from, to; /* from and to count while passed <= from < to */
	int64_t stored_passed, stored_from, stored_to;
};

/**
 * behind_init() - take up the stored cursors; those beyond @newest belong to another daybook, then
 * all of this one waits
 * Return: 0, negative errno, or what ledger_put_cursor() returned
 */
int behind_init(struct behind *behind, struct ledger *ledger, int64_t newest);
/** behind_store() - make them durable; nothing if they are. Return: as ledger_put_cursor() */
int behind_store(struct behind *behind);
/** behind_waiting() - sequences up to @newest that wait (any thread); 0 only if none does */
int64_t behind_waiting(const struct behind *behind, int64_t newest);

/** behind_fresh() - sequences after those that left ahead; -1: none leave ahead now */
int64_t behind_fresh(const struct behind *behind, int64_t newest);
/** behind_part() - the newest @most are to leave ahead from now on */
void behind_part(struct behind *behind, int64_t newest, int64_t most);
/** behind_end() - the last sequence of the backlog; INT64_MAX while there is but one cursor */
int64_t behind_end(const struct behind *behind);
/** behind_pass(), behind_pass_fresh() - the backlog, the fresh have left up to @sequence */
void behind_pass(struct behind *behind, int64_t sequence);
void behind_pass_fresh(struct behind *behind, int64_t sequence);
