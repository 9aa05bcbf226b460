/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pause: how a delivering thread sleeps, and how others wake or stop it.
 *
 * No sleep is longer than half a second at a time, and each beats the thread's heart, so a thread
 * in a long back-off is still seen to live.
 */
#include <pthread.h>
#include "base/pulse.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pause {
	pthread_mutex_t mutex;
	pthread_cond_t cond; /* on CLOCK_MONOTONIC */
	bool news, ready;
	_Atomic bool stop;
	_Atomic uint64_t *heartbeat; /* may be NULL */
	struct pulse pulse;          /* of the one thread that pauses here, if it began it */
};

int pause_init(struct pause *pause, _Atomic uint64_t *heartbeat);
void pause_deinit(struct pause *pause); /* zeroed is welcome */
void pause_beat(struct pause *pause);
/** pause_wake(), pause_stop() - any thread */
void pause_wake(struct pause *pause);
void pause_stop(struct pause *pause);
bool pause_stopped(struct pause *pause);
/** pause_until() - to CLOCK_MONOTONIC @until_ms, half a second or the stop, whichever is first */
void pause_until(struct pause *pause, int64_t until_ms);
/** pause_for_news() - to the next pause_wake() (also an earlier one), half a second, or the stop */
void pause_for_news(struct pause *pause);
void pause_for_news_until(struct pause *pause, int64_t until_ms);
int64_t pause_now_ms(void);  /* CLOCK_MONOTONIC */
int64_t pause_wall_ms(void); /* for the record */
/** pause_growing_ms() - @first doubled @failures times, at most @longest, less up to a quarter */
int64_t pause_growing_ms(unsigned failures, int64_t first_ms, int64_t longest_ms);
