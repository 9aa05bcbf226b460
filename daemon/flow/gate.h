/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Gate: where a thread stands still between two batches, so that another may change what it owns.
 *
 *   the thread   batch, batch, pass ═══ stands ═══ batch, …
 *   main                gate_shut() ───┘ changes └─ gate_open()
 *
 * What main does between the two happens behind the thread's last batch and before its next one, so
 * its objects need no lock of their own for it. An open gate costs a load of one flag.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct gate {
	_Atomic bool shut;
	bool stands; /* under lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

int gate_init(struct gate *gate); /* 0, negative errno */
void gate_deinit(struct gate *gate);

/** gate_is_shut() - somebody waits for the thread: it should come to its gate soon */
static inline bool gate_is_shut(struct gate *gate)
{
	return atomic_load_explicit(&gate->shut, memory_order_relaxed);
}

/** gate_pass() - the thread has nothing in hand; stands here while the gate is shut */
void gate_pass(struct gate *gate);
/** gate_shut() - from now on the thread is to stand (main thread; wake it afterwards) */
void gate_shut(struct gate *gate);
/** gate_stands() - wait until it does. Return: false if it does not within @timeout_ms */
bool gate_stands(struct gate *gate, int timeout_ms);
/** gate_open() - it goes on; also one that was not shut */
void gate_open(struct gate *gate);
