/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Keeper: the thread that keeps the store within its time and its bound.
 *
 * Every few seconds it looks how much there is, and takes away the files that may go (core/stock.h
 * says which), one after the other. Never cases, never what an open case needs, and
 * nothing at all while the ledger cannot say what that is. Readings that the time-series database
 * has not had yet go only when there is no room: then they are counted, and gap records say so.
 * Frames go before the readings that they are of, and means after all readings that may; sums of
 * hours it asks whoever adds them up to drop.
 *
 * The gap records are written by the recorder, which owns the daybook: keeper_gaps() adds them to
 * its open transaction, keeper_gaps_written() says that it was committed. A file goes once its gaps
 * are on disk; whoever has no room cannot wait for ever, so after ten seconds the ledger keeps them
 * instead until they are.
 */
#include "core/metrics.h"
#include "core/verdict.h"
#include "deliver/tallier.h"
#include "reserve.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct keeper;

struct keeper_setup {
	const char *directory; /* of the store */
	const struct plan *plan;
	struct ledger *ledger;
	bool exports; /* readings are to leave, behind the cursor "influx/readings" */
	int64_t keep_days, keep_frames, keep_minutes, max_bytes;
	struct tallier_room *hours;
	struct reserve *reserve;
	struct metrics *metrics;
	/* the wall clock as far as it is believed, by which ages are counted: what is removed does
	 * not come back when a clock does */
	int64_t (*age_ms)(void *context);
	void (*fatal)(void *context); /* an fsync failed */
	void *context;
};

/** keeper_new() - looks once, so that keeper_fault() is right from the start. Return: 0, -errno. */
int keeper_new(struct keeper **out, const struct keeper_setup *setup);
/** keeper_recall() - gaps that the last life could not write (before it is started first). Return:
 * 0, negative errno. */
int keeper_recall(struct keeper *keeper);
int keeper_start(struct keeper *keeper);
void keeper_stop(struct keeper *keeper);
struct keeper *keeper_free(struct keeper *keeper);
/**
 * keeper_succeed() - take over from @next, a keeper made for the next plan and never started, while
 * this one is stopped and judge and recorder stand
 * @next: NULL: all stays, but for the series that making @next took
 */
void keeper_succeed(struct keeper *keeper, struct keeper *next, const struct plan_change *change);

/** keeper_file_bytes() - how large a file of readings may become: the two newest always stay, so
 * that each may take an eighth of the bound */
int64_t keeper_file_bytes(int64_t max_bytes);

/** keeper_fault() - does the store have this fault? (any thread, no disk) */
bool keeper_fault(const struct keeper *keeper, enum own_fault fault);

/** keeper_gaps() - add the gap records that wait (recorder's thread). Return: of
 * daybook_append_gap() */
int keeper_gaps(struct keeper *keeper, struct daybook *daybook);
void keeper_gaps_written(struct keeper *keeper);
