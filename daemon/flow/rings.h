/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rings: all rings of the daemon with the bells of their readers, and how far they are on disk;
 * beside each ring the frames that its readings were taken out of.
 */
#include "flow/bell.h"
#include "flow/frames.h"
#include "flow/kept.h"
#include "flow/ring.h"

#include <pthread.h>

#define RINGS_MAX 64

/* How far each ring was committed, and who waits for it (acknowledge after commit). */
struct stored {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t seq[RINGS_MAX];  /* under lock */
	uint64_t owed[RINGS_MAX]; /* under lock: acknowledged up to here before it was stored */
	_Atomic int waiting;
	_Atomic bool asked; /* for a commit at once, by who does not stand and wait */
};

struct rings {
	struct ring *at;
	struct frames *frames; /* by ring */
	size_t n;
	struct kept kept;
	struct bell judge, recorder;
	struct stored stored;
};

/** rings_init() - @n rings of @slots each. Main thread. Return: 0, negative errno. */
int rings_init(struct rings *rings, size_t n, size_t slots);
void rings_deinit(struct rings *rings);
/** rings_add() - one more ring, behind the others (all readers stand). Return: 0, negative errno.
 */
int rings_add(struct rings *rings, size_t slots);
/** rings_grow() - at least @slots in each, where all are empty (all readers and producers stand);
 * without memory they stay as they are */
void rings_grow(struct rings *rings, size_t slots);
/** rings_ready() - is anything unread by @who in any ring? (that reader's thread) */
bool rings_ready(struct rings *rings, enum ring_reader who);

/** stored_wait() - until ring @ring is committed up to @seq. Return: false after @timeout_ms. */
bool stored_wait(struct rings *rings, size_t ring, uint64_t seq, int timeout_ms);
/** stored_ask() - what the rings hold is to be committed at once; nobody stands and waits (any
 * thread)
 */
void stored_ask(struct rings *rings);
/** stored_upto() - the newest of ring @ring that is committed (any thread) */
uint64_t stored_upto(struct rings *rings, size_t ring);
/** stored_owe() - what ring @ring holds up to @seq was acknowledged without its commit */
void stored_owe(struct rings *rings, size_t ring, uint64_t seq);
/** stored_owes() - is anything acknowledged that is not stored yet? (any thread) */
bool stored_owes(struct rings *rings);
/** stored_advance() - the recorder committed ring @i up to @seq[i], for all rings */
void stored_advance(struct rings *rings, const uint64_t *seq);
