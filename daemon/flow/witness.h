/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Witness: which frames are kept for ever as evidence, beside the judge and on its thread.
 *
 * For each reading of a monitor at which something is raised or about to be (evaluator_concern()),
 * and for the one that ends it, its frame is copied out of the producer's ring before it is
 * overwritten, and left for the recorder. A frame that was overwritten already is left as a record
 * that says so. Where an alert turns out to have begun long ago, the frames since then follow, as
 * far as they are still held (flow/recall.h), in rounds that hold no reading up.
 */
#include "core/evaluate.h"
#include "core/metrics.h"
#include "flow/rings.h"

struct witness;

struct witness_setup {
	const struct plan *plan;
	const struct evaluator *evaluator;
	struct rings *rings;
	int64_t boot;
	size_t held_bytes;       /* of frames whose alert may come later */
	struct metrics *metrics; /* NULL: nothing is counted */
};

int witness_new(struct witness **out, const struct witness_setup *setup);
struct witness *witness_free(struct witness *witness);
/** witness_carry() - @to, made for the next plan, goes on with what @from holds */
void witness_carry(struct witness *to, struct witness *from, const struct plan_change *change);
/** witness_verdict() - something was said of a monitor: its next reading concerns, and if it began
 * earlier, those since */
void witness_verdict(struct witness *witness, const struct verdict *verdict);
/** witness_see() - a slot that the evaluator was fed just now */
void witness_see(struct witness *witness, const struct reading *reading);
/** witness_waits() - are there frames to be fetched, and room for them? */
bool witness_waits(const struct witness *witness);
/** witness_fetch() - some of the frames since the alerts began */
void witness_fetch(struct witness *witness);
