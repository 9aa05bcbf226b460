/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Ring: one producing thread to the judge and the recorder, one way, no locks.
 *
 * Exactly one thread produces; each of the two readers has a cursor of its own and reads the slots
 * in place, in batches. A slot is free again when both readers have passed it. When the ring is
 * full a reading is refused and counted: a poller that waited for a reader would stop talking to
 * its instruments. Readers see the loss as a gap in reading.seq.
 *
 * Counts are free-running 64-bit numbers that never wrap in practice, so every slot is usable and
 * the fill is head minus the slowest cursor. Each side keeps a copy of the other's count and looks
 * at the shared one only when the copy does not suffice, and every shared count has cache lines of
 * its own (two, since processors fetch lines in pairs).
 *
 * A ring is sized for the worst ten seconds, and mostly holds some milliseconds. So its slots are
 * pages that cost memory only while they hold readings: the producer gives those that both readers
 * have passed back to the system, a megabyte at a time.
 */
#include "core/reading.h"

#include <stdalign.h>
#include <stdatomic.h>

enum ring_reader { RING_JUDGE, RING_RECORDER, RING_READERS };

struct ring_cursor {
	alignas(128) _Atomic uint64_t passed; /* written by this reader */
	alignas(128) uint64_t head;           /* this reader's copy of ring.head */
	uint64_t taken;                       /* this reader's own count, ahead of passed */
};

struct ring {
	alignas(128) _Atomic uint64_t head; /* written by the producer */
	alignas(128) uint64_t next;         /* producer's own: slots filled, published or not */
	uint64_t free_until;                /* producer's copy: next may grow up to here */
	uint64_t shed_until; /* producer's own: passed slots up to here have no memory */
	_Atomic uint64_t refused;
	struct ring_cursor cursor[RING_READERS];
	alignas(128) struct reading *slots;
	uint64_t mask;
};

enum { RING_CHUNK_SLOTS = 16384 }; /* shed at once; smaller rings keep what they have */

/** ring_init() - @slots: a power of two from 2. Return: 0, -EINVAL, -ENOMEM. Main thread. */
int ring_init(struct ring *ring, size_t slots);
void ring_deinit(struct ring *ring);

/**
 * ring_reserve() - up to @wanted free slots in a row, to be filled in place (producer only)
 * Return: the first; *n is how many, 0 when full and then NULL. Less than wanted at the array's
 * end.
 */
struct reading *ring_reserve(struct ring *ring, size_t wanted, size_t *n);
/** ring_publish() - the first @n reserved slots are filled: let the readers see them (producer
 * only) */
void ring_publish(struct ring *ring, size_t n);
/** ring_push() - one reading. Return: false if full, and then ring->refused has grown. */
bool ring_push(struct ring *ring, const struct reading *reading);

/**
 * ring_peek() - what is ready for this reader, oldest first (that reader's thread only)
 * Return: the first, valid until released; *n is how many in a row, 0 when there is nothing.
 * May be less than all that is queued, since a run never crosses the end of the array.
 */
const struct reading *ring_peek(struct ring *ring, enum ring_reader who, size_t *n);
/** ring_take() - go on behind the first @n without freeing them yet (that reader's thread only) */
void ring_take(struct ring *ring, enum ring_reader who, size_t n);
/** ring_release() - all that was taken is free for the producer (that reader's thread only) */
void ring_release(struct ring *ring, enum ring_reader who);
/** ring_give_back() - what was taken and not released is offered again (that reader's thread only)
 */
void ring_give_back(struct ring *ring, enum ring_reader who);

/** ring_used() - slots that @who has not passed (any thread; a moment's truth) */
uint64_t ring_used(const struct ring *ring, enum ring_reader who);
size_t ring_slots(const struct ring *ring);
