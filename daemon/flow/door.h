/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Door: the one way in for every driver, polled or pushed, and the event loop that drivers share.
 *
 * A driver turns bytes into samples and hands them in here; limits, rings, rates and storage are
 * behind the door and no driver's business. A door belongs to exactly one producing thread.
 * The door stamps the receipt, replaces a time more than 5 minutes in the future by it, flags a
 * value outside the measuring range with T, and takes a redelivered sample (same monitor, time and
 * value) only once.
 */
#include "core/metrics.h"
#include "core/reading.h"

#include <sys/epoll.h>

struct door;
struct loop;

struct sample {
	uint32_t monitor;    /* index given by assemble.c */
	bool has_time;       /* the device says when it measured */
	int64_t measured_ms; /* wall clock, where has_time */
	bool has_value;      /* false: nothing usable came; flag says why */
	double value;        /* finite where has_value */
	enum flag flag;
	uint64_t raw;
	uint64_t frame; /* of door_frame(); 0: it was taken out of nothing that came */
};

enum door_result {
	DOOR_TAKEN = 0,
	DOOR_FULL = 1,      /* the ring is full: refused and counted */
	DOOR_DUPLICATE = 2, /* already there: nothing to do */
};

/**
 * door_frame() - what was exchanged for the samples that are handed in next (the door's thread
 * only): a request and its reply, or a topic and its payload. It is copied; of readings that an
 * alert is about it is kept as evidence.
 *
 * Return: for struct sample; 0 if it is too long to be kept.
 */
uint64_t door_frame(struct door *door, enum frame_kind kind, const void *asked, size_t n_asked,
		    const void *answered, size_t n_answered);

/**
 * door_show() - what will be handed in of one message, reply or telegram is known before any of it
 * is (core/beside.h); of a monitor of which it means nothing, nothing is done (the door's thread
 * only). door_looks() says whether it means something.
 */
void door_show(struct door *door, const struct sample *sample);
bool door_looks(const struct door *door, uint32_t monitor);

/**
 * door_submit() - hand in one sample (the door's thread only)
 * @seq: out, may be NULL: what to give to door_wait_stored(); of a duplicate the newest handed in
 */
enum door_result door_submit(struct door *door, const struct sample *sample, uint64_t *seq);

/** door_flush() - wake the readers after a batch; without it they see it within 100 ms */
void door_flush(struct door *door);

/** door_wait_stored() - wait until @seq is committed to disk. Return: true if so within @timeout_ms
 */
bool door_wait_stored(struct door *door, uint64_t seq, int timeout_ms);

/**
 * door_stored() - the newest that is committed to disk (the door's thread only)
 *
 * For a thread that does not wait: door_commit() asks for a commit at once of what was handed in.
 */
uint64_t door_stored(struct door *door);
void door_commit(struct door *door);
/** door_is_crowded() - half of the ring waits for the disk. Whoever can let its senders wait does
 * so now: from three quarters on the oldest are passed over. */
bool door_is_crowded(const struct door *door);

/** door_handed() - the sample handed in last, as it is to be recorded (the door's thread only) */
const struct reading *door_handed(const struct door *door);
/**
 * door_unrecorded() - the sender of what was handed in will not wait for the commit any longer:
 * make it durable elsewhere, and say so
 * @readings: of door_handed(); @seq: the newest of them; @timeout_ms: how long that may take
 *
 * Return: true: it may be acknowledged; false: it may be lost, so it must not be.
 */
bool door_unrecorded(struct door *door, const struct reading *readings, size_t n, uint64_t seq,
		     int timeout_ms);

/** door_link() - connection @connection (index) began or ceased to answer; repeats are harmless */
void door_link(struct door *door, uint32_t connection, bool up);

/* --- event loop: one thread, level-triggered epoll, one tick --- */

typedef void (*loop_ready_fn)(void *context, uint32_t events);
typedef void (*loop_tick_fn)(void *context, int64_t mono_ns);

/** loop_add() - watch @fd; the loop does not own it. Return: 0, negative errno. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_ready_fn ready, void *context);
int loop_change(struct loop *loop, int fd, uint32_t events);
/** loop_remove() - no further call for @fd, also none from the batch being handled */
void loop_remove(struct loop *loop, int fd);
/** loop_on_tick() - call @tick about every 10 ms with CLOCK_BOOTTIME (before the loop runs) */
int loop_on_tick(struct loop *loop, loop_tick_fn tick, void *context);
/** loop_on_batch() - call @done after each batch of events and ticks (before the loop runs) */
int loop_on_batch(struct loop *loop, loop_tick_fn done, void *context);
/** loop_relay() - what was called with @from is called with @to from now on (while the loop stands
 * at its gate) */
void loop_relay(struct loop *loop, const void *from, void *to);
/** loop_now() - CLOCK_BOOTTIME in ns, read once per batch (loop thread) */
int64_t loop_now(const struct loop *loop);
