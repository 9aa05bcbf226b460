/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Recall: the last frames of the monitors whose alerts begin before anybody can know of them.
 *
 * A mean is judged at its window's end and a flat signal when it has been flat for long: what was
 * exchanged for their first readings is gone from the producers' rings by then (flow/frames.h). So
 * the frames of such monitors are held here, bytes once an exchange, in a store that is written
 * round and never grows; when an alert is raised, those since it began are asked for and come
 * back, the newest first. What was written over is gone: the bound counts, not the window.
 *
 * All of it is the judge's; nothing allocates after recall_new(). Memory is taken as it fills.
 */
#include "core/change.h"
#include "core/frame.h"

struct recall;

/** recall_new() - @bytes: how much is held; 0: nothing ever. Return: 0, -ENOMEM. */
int recall_new(struct recall **out, size_t n_monitors, size_t bytes);
struct recall *recall_free(struct recall *recall);
/** recall_carry() - what @from holds goes over to @to, made for the next plan; the two exchange it
 */
void recall_carry(struct recall *to, struct recall *from, const struct plan_change *change);

/** recall_has() - is frame @number of @ring the newest that was put of this ring, with its bytes?
 */
bool recall_has(const struct recall *recall, uint8_t ring, uint64_t number);
/**
 * recall_put() - hold the frame of @reading
 * @record: as of frames_get(); where recall_has() it is not looked at, and may be NULL
 * @kept: it is on its way to the disk already, and is not asked for again
 */
void recall_put(struct recall *recall, const struct reading *reading,
		const struct frame_record *record, bool kept);

/** recall_want() - what is held of @monitor that was measured from @began_ms on */
void recall_want(struct recall *recall, uint32_t monitor, int64_t began_ms);
/** recall_waits() - is anything wanted that did not come yet? */
bool recall_waits(const struct recall *recall);
/**
 * recall_next() - one frame that is wanted, which counts as kept from here on
 * @out: all but boot; valid until the next recall_put(). FRAME_OVERWRITTEN: only its bytes are gone
 * Return: false where there is none; few frames are passed over in one call, so others may wait yet
 */
bool recall_next(struct recall *recall, struct frame_record *out);
