/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The keeper's gaps in the ledger: readings are about to be removed that nobody has had, and the
 * recorder, whose disk may be full, could not write the gap records that say so. A kill between
 * must not take them along. (keeper's thread, or the main thread before it runs)
 */
#include "core/plan.h"
#include "core/reading.h"
#include "store/ledger.h"

/** gaps_keep() - those that have a count. @gaps: by monitor. Return: 0, negative errno,
 * LEDGER_FATAL. */
int gaps_keep(struct ledger *ledger, const struct plan *plan, const struct gap *gaps);
/** gaps_forget() - they are on disk. Return: as gaps_keep() */
int gaps_forget(struct ledger *ledger);
/**
 * gaps_recall() - those that were kept and not forgotten, of monitors that the plan still has
 * @gaps: by monitor, zeroed. Return: how many; negative errno.
 */
int gaps_recall(struct ledger *ledger, const struct plan *plan, struct gap *gaps);
