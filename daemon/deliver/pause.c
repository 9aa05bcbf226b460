/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/pause.h"

#include <stdlib.h>
#include <time.h>

enum { NAP_MS = 500 };

int pause_init(struct pause *pause, _Atomic uint64_t *heartbeat)
{
	pthread_condattr_t attributes;
	int rc = pthread_condattr_init(&attributes);
	if (rc != 0)
		return -rc;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	rc = pthread_cond_init(&pause->cond, &attributes);
	pthread_condattr_destroy(&attributes);
	if (rc != 0)
		return -rc;
	rc = pthread_mutex_init(&pause->mutex, NULL);
	if (rc != 0) {
		pthread_cond_destroy(&pause->cond);
		return -rc;
	}
	atomic_store(&pause->stop, false);
	pause->heartbeat = heartbeat;
	pause->news = false;
	pause->ready = true;
	return 0;
}

void pause_deinit(struct pause *pause)
{
	if (!pause->ready)
		return;
	pthread_cond_destroy(&pause->cond);
	pthread_mutex_destroy(&pause->mutex);
	pause->ready = false;
}

void pause_beat(struct pause *pause)
{
	pulse_beat(&pause->pulse);
	if (pause->heartbeat != NULL)
		atomic_fetch_add_explicit(pause->heartbeat, 1, memory_order_relaxed);
}

void pause_wake(struct pause *pause)
{
	pthread_mutex_lock(&pause->mutex);
	pause->news = true;
	pthread_cond_signal(&pause->cond);
	pthread_mutex_unlock(&pause->mutex);
}

void pause_stop(struct pause *pause)
{
	if (!pause->ready)
		return;
	atomic_store(&pause->stop, true);
	pause_wake(pause);
}

bool pause_stopped(struct pause *pause)
{
	return atomic_load(&pause->stop);
}

int64_t pause_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t pause_wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(struct pause *pause, int64_t until_ms, bool for_news)
{
	int64_t most_ms = pause_now_ms() + NAP_MS;
	if (until_ms > most_ms)
		until_ms = most_ms;
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
	pthread_mutex_lock(&pause->mutex);
	int rc = 0;
	while (rc == 0 && !atomic_load(&pause->stop) && !(for_news && pause->news))
		rc = pthread_cond_timedwait(&pause->cond, &pause->mutex, &until);
	if (for_news)
		pause->news = false;
	pthread_mutex_unlock(&pause->mutex);
	pause_beat(pause);
}

void pause_until(struct pause *pause, int64_t until_ms)
{
	nap(pause, until_ms, false);
}

void pause_for_news(struct pause *pause)
{
	nap(pause, INT64_MAX, true);
}

void pause_for_news_until(struct pause *pause, int64_t until_ms)
{
	nap(pause, until_ms, true);
}

int64_t pause_growing_ms(unsigned failures, int64_t first_ms, int64_t longest_ms)
{
	int64_t ms = first_ms;
	for (unsigned i = 0; i < failures && ms < longest_ms; i++)
		ms *= 2;
	if (ms > longest_ms)
		ms = longest_ms;
	return ms - (int64_t)arc4random_uniform((uint32_t)(ms / 4) + 1);
}
