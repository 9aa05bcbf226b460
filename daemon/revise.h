/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Revise: the thread that works off marks, one after the other, away from the judge.
 *
 *   mark committed ──► judge: goes by it from now on, and forgets what its open windows hold of it
 *                  ──► recorder: what the judge had read until then is on disk
 *                  ──► daybook: the windows looked at again, without the mark and with it
 *                  ──► judge: what the open windows hold; they go on
 *                  ──► ledger: what changed of those judged before, notes in cases, the mark is
 * done
 *
 * A window is not judged while it is looked up, so none is judged by half of a mark. A kill at any
 * moment leaves the mark undone, and it is worked off again; revise_restore() makes good what the
 * judge's snapshot does not know of. A reload comes between two marks.
 */
#include "flow/judge.h"
#include "store/daybook.h"
#include "store/ledger-marks.h"

struct revise;

struct revise_setup {
	const struct plan *plan;
	const char *directory; /* of the store */
	struct ledger *ledger;
	struct judge *judge;
	struct rings *rings;
	void (*fatal)(void *context); /* an fsync failed */
	void *context;
};

/** revise_new() - and have the judge go by all marks given so far (main thread, before threads) */
int revise_new(struct revise **out, const struct revise_setup *setup);
struct revise *revise_free(struct revise *revise);
/**
 * revise_restore() - after the judge's snapshot was taken up and before readings are judged again:
 * its open windows as all marks have them
 * @read: how far the snapshot's judge had read
 */
int revise_restore(struct revise *revise, const struct judge_mark *read);
/** revise_note_load() - the same note of a load that was added up anew (deliver/tallier.h); any
 * thread */
void revise_note_load(void *context, double before, double after, bool withdraw, struct text *out);
int revise_start(struct revise *revise);
/** revise_wake() - a mark was given (any thread) */
void revise_wake(struct revise *revise);
/**
 * revise_hold() - let it stand with no mark in work (main thread); revise_release() either way
 * Return: false if it does not within @timeout_ms, or if one cannot be worked off now
 */
bool revise_hold(struct revise *revise, int timeout_ms);
void revise_release(struct revise *revise);
/** revise_succeed() - take over from @next, made for the next plan and never started, while held;
 * it has the old marks then, for revise_free() */
void revise_succeed(struct revise *revise, struct revise *next);
/** revise_stop() - while judge and recorder still run; a mark in work is left for the next start */
void revise_stop(struct revise *revise);
