/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Frames: the last bytes that one producer exchanged on the wire, in a ring that never waits.
 *
 * The producer writes over what is oldest, whether somebody looked at it or not; a reading carries
 * the number of its frame, by which the judge finds it within the next seconds. No lock, no call,
 * no allocation: a reader copies first and then looks whether the producer came over it meanwhile.
 *
 *   claimed ── what may be overwritten ends here, minus the size
 *      writer:  claimed = end;  words (release)           pairs with
 *      reader:  words (acquire);  claimed: still within?  the release of the words
 *
 * A word that the reader takes was written by a release, behind the `claimed` of its own frame: so
 * a reader that sees one newer word sees also that its frame is gone.
 */
#include "core/frame.h"

#include <stdalign.h>
#include <stdatomic.h>

enum { FRAMES_BYTES = 4 << 20 };

struct frames {
	alignas(128) _Atomic uint64_t claimed; /* words, free-running; written by the producer */
	uint64_t next;                         /* the producer's own */
	_Atomic uint64_t *words;
	uint64_t mask;
};

/** frames_init() - @bytes: a power of two, at least 2 * FRAME_BYTES_MOST. Return: 0, -ENOMEM. */
int frames_init(struct frames *frames, size_t bytes);
void frames_deinit(struct frames *frames);

/**
 * frames_put() - keep @record (kind, at_ms, asked, answered) for a while (producer only)
 * Return: its number, never 0; 0 if it is longer than FRAME_BYTES_MOST
 */
uint64_t frames_put(struct frames *frames, const struct frame_record *record);

/**
 * frames_get() - the frame of that number (any one thread)
 * @room: FRAME_BYTES_MOST and 16 more; @out: kind, at_ms, frame, and what points into @room
 * Return: false where it has been overwritten
 */
bool frames_get(const struct frames *frames, uint64_t number, uint8_t *room,
		struct frame_record *out);
