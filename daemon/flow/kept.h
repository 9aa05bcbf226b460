/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Kept: records of frames (core/frame.h) on their way from the judge to the daybook, as bytes.
 *
 * One thread pushes whole records, one takes what there is and frees it once it is on disk. Full
 * means that the disk has been behind for long: then a frame is not kept, and counted.
 */
#include "core/frame.h"

#include <stdalign.h>
#include <stdatomic.h>

enum { KEPT_BYTES = 4 << 20 };

struct kept {
	alignas(128) _Atomic uint64_t head; /* free-running count of bytes; written by the judge */
	alignas(128) _Atomic uint64_t passed; /* written by the reader */
	uint8_t *bytes;
	uint64_t mask;
};

/** kept_init() - @bytes: a power of two. Return: 0, -ENOMEM. */
int kept_init(struct kept *kept, size_t bytes);
void kept_deinit(struct kept *kept);
/** kept_push() - Return: false if there is no room (judge only) */
bool kept_push(struct kept *kept, const struct frame_record *record);
/** kept_free() - bytes for which there is room (judge only) */
size_t kept_free(const struct kept *kept);
/** kept_waits() - is there anything to be taken? (any thread) */
bool kept_waits(const struct kept *kept);
/**
 * kept_peek() - what has been pushed and not released, in up to two pieces (the reader only)
 * Return: how many bytes, which are whole records; the pieces are valid until released
 */
size_t kept_peek(const struct kept *kept, const uint8_t *piece[2], size_t bytes[2]);
/** kept_release() - the first @n bytes are on disk (the reader only) */
void kept_release(struct kept *kept, size_t n);
