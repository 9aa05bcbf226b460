/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Loop: the owner's side of the event loop whose other half, for drivers, is in flow/door.h.
 *
 * One thread runs it: level-triggered epoll and one tick about every 10 ms. Everything but
 * loop_stop() belongs to that thread, or to the main thread before it starts and after it ended.
 */
#include "flow/door.h"
#include "flow/gate.h"

#include <stdatomic.h>

enum { LOOP_TICK_MS = 10 };

/** loop_new() - Return: 0, -ENOMEM or the negative errno of epoll and eventfd */
int loop_new(struct loop **out);
struct loop *loop_free(struct loop *loop);

/**
 * loop_run() - serve until loop_stop()
 * @heartbeat: counts the rounds, at least one every tick while all is well; may be NULL
 *
 * Return: 0 after loop_stop(), negative errno when epoll fails.
 */
int loop_run(struct loop *loop, _Atomic uint64_t *heartbeat);

/** loop_gate() - the thread stands there between two rounds; then the loop is the main thread's */
struct gate *loop_gate(struct loop *loop);

/** loop_stop() - let loop_run() return after the round it is in (any thread; also beforehand) */
void loop_stop(struct loop *loop);
