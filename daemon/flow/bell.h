/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bell: how a thread that found nothing to do is woken, without a system call while it is awake.
 *
 * The sleeper says that it sleeps, looks once more, and waits on an eventfd; whoever has something
 * for it rings, and only a ring that finds it asleep makes a system call.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct bell {
	int fd;
	_Atomic bool asleep;
};

int bell_init(struct bell *bell); /* 0, negative errno */
void bell_deinit(struct bell *bell);
/** bell_ring() - wake the sleeper if it sleeps (any thread); what it is to see was written before
 */
void bell_ring(struct bell *bell);
/** bell_ring_always() - wake it even if it only pauses (bell_pause) */
void bell_ring_always(struct bell *bell);
/**
 * bell_sleep() - wait for a ring or @timeout_ms (the one sleeping thread)
 * @anything: asked after saying that we sleep; true: do not wait
 */
void bell_sleep(struct bell *bell, int timeout_ms, bool (*anything)(void *context), void *context);
/** bell_pause() - wait for bell_ring_always() or @timeout_ms; ordinary rings do not shorten it */
void bell_pause(struct bell *bell, int timeout_ms);
