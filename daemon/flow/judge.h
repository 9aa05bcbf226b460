/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Judge: the thread that holds every reading against the limits.
 *
 * It reads the slots of all rings in place, gives them to the evaluator, and hands verdicts to the
 * clerk. It touches neither disk nor network and never logs. Silence and windows are judged on a
 * tick of 250 ms, with a moment taken before the rings were emptied, so that a reading that came in
 * time counts. At least every 60 s, and when it ends, it leaves its state as a snapshot with the
 * clerk.
 */
#include "core/evaluate.h"
#include "flow/gate.h"
#include "flow/rings.h"
#include "flow/verdicts.h"

struct judge;

struct judge_setup {
	const struct plan *plan;
	struct rings *rings;
	struct verdicts *verdicts;
	int64_t boot;                       /* number of this life, kept in snapshots */
	int64_t (*recorded)(void *context); /* newest sequence of the daybook; quick, no disk */
	/* does the daemon itself have this fault, one before OWN_FLOOD? quick; NULL: never */
	bool (*fault)(void *context, enum own_fault fault);
	/* how often the ledger was replaced, and may have lost what lasts; quick; NULL: never */
	uint64_t (*replaced)(void *context);
	void *context;
	size_t held_bytes;       /* of frames whose alert may come later (flow/recall.h) */
	struct metrics *metrics; /* NULL: nothing is counted */
	_Atomic uint64_t *heartbeat;
};

/** judge_new() - makes the evaluator, at rest; restore it before judge_start() */
int judge_new(struct judge **out, const struct judge_setup *setup);
struct judge *judge_free(struct judge *judge);
struct evaluator *judge_evaluator(struct judge *judge);
int judge_start(struct judge *judge);
/** judge_stop() - after all producers ended: empties the rings, leaves a last snapshot, closes the
 * verdicts and joins */
void judge_stop(struct judge *judge);

struct judge_mark;
/**
 * judge_call() - have @fn run on the judge's thread between two batches, and wait until it has
 * (any other thread, one at a time; not before judge_start(), and to be back before judge_stop())
 * @fn: quick, without disk or lock; @read: how far the judge has read then
 */
void judge_call(struct judge *judge,
		void (*fn)(void *context, struct evaluator *evaluator,
			   const struct judge_mark *read),
		void *context);

/** judge_gate() - it stands there with all rings empty (judge_succeed()) */
struct gate *judge_gate(struct judge *judge);
/**
 * judge_succeed() - take over from @next, a judge made for the next plan and never started, while
 * standing at the gate: plan and evaluator are then those of @next, the state is carried along, and
 * @next has what they were, for judge_free()
 */
void judge_succeed(struct judge *judge, struct judge *next, const struct plan_change *change);

/* What a snapshot says of how far the judge had read. */
struct judge_mark {
	int64_t boot;
	int64_t recorded; /* rows of the daybook up to here need not be looked at again … */
	int64_t alive_ms; /* wall clock of the snapshot */
	uint64_t seq[RINGS_MAX]; /* … except those of this boot behind these */
};
/**
 * judge_unpack() - take a stored snapshot apart (pure)
 * Return: false if it is none; else *mark and the evaluator's bytes, which point into @data.
 */
bool judge_unpack(const void *data, size_t size, struct judge_mark *mark, const void **state,
		  size_t *state_size);
