/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Recorder: two threads that bring every reading to disk and never let the disk hold up the judge.
 *
 * The recorder copies what the rings hold into a batch of its own, frees the slots, and writes the
 * batch in one commit; what could not be written stays in the batch and is offered again. It may be
 * held up in a call to the disk for any time, so it never holds slots meanwhile.
 *
 *   rings ──copy, free──► batch ──append, commit──► daybook          recorder, may block
 *   rings ──count, free──► gaps                                      relief, never blocks
 *
 * The relief looks every 50 ms. Where a ring is three quarters full the disk is behind, and it
 * passes over the older slots down to a half: they are counted for each monitor, and the counts are
 * written as gap records with the next commit that works. One lock covers the recorder's cursors
 * of the rings and the gaps; nobody holds it during a call to the disk.
 */
#include "core/metrics.h"
#include "flow/gate.h"
#include "flow/rings.h"

struct recorder;

struct recorder_setup {
	struct rings *rings;
	size_t n_monitors;
	size_t batch; /* readings in one commit at most; 0: 4096 */
	int64_t flush_ms;
	/* Return: 0, negative errno (offered again), positive: a failed fsync, the daemon must end
	 */
	int (*append)(void *context, const struct reading *readings, size_t n);
	int (*append_gap)(void *context, const struct gap *gap);
	/* frames (core/frame.h) that the judge left; NULL: nobody keeps them */
	int (*append_frames)(void *context, const uint8_t *bytes, size_t n);
	int (*commit)(void *context);
	void (*committed)(void *context); /* after each commit; quick */
	void (*fatal)(void *context);
	void *context;
	struct metrics *metrics;
	_Atomic uint64_t *heartbeat;
};

int recorder_new(struct recorder **out, const struct recorder_setup *setup);
struct recorder *recorder_free(struct recorder *recorder);
int recorder_start(struct recorder *recorder);
/** recorder_failing() - readings wait because the disk cannot be written, or does not answer for
 * seconds (any thread) */
bool recorder_failing(const struct recorder *recorder);
/** recorder_missing() - readings were passed over and no gap record says so yet (any thread) */
bool recorder_missing(const struct recorder *recorder);
/** recorder_gate() - it stands there with all that the rings held on disk */
struct gate *recorder_gate(struct recorder *recorder);
/**
 * recorder_hold() - keeps the relief away from the rings, too, until recorder_succeed() (main
 * thread, the recorder standing)
 * @next: a recorder made for the next plan and never started: its tables and times are taken, and
 * it gets the old ones, for recorder_free(); NULL: all stays
 */
void recorder_hold(struct recorder *recorder);
void recorder_succeed(struct recorder *recorder, struct recorder *next);
/** recorder_finish() - after recorder_stop() and the judge's end: the frames that it left last */
void recorder_finish(struct recorder *recorder);
/** recorder_stop() - after all producers ended: stores what is left (trying for up to 5 s) and
 * joins */
void recorder_stop(struct recorder *recorder);
