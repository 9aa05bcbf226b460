/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int stored_init(struct stored *stored)
{
	pthread_condattr_t monotonic;
	memset(stored, 0, sizeof *stored);
	pthread_mutex_init(&stored->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	int r = pthread_cond_init(&stored->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return -r;
}

static int frames_all_init(struct rings *rings, size_t n)
{
	rings->frames = aligned_alloc(128, RINGS_MAX * sizeof *rings->frames);
	if (rings->frames == NULL)
		return -ENOMEM;
	memset(rings->frames, 0, RINGS_MAX * sizeof *rings->frames);
	int r = kept_init(&rings->kept, KEPT_BYTES);
	for (size_t i = 0; i < n && r == 0; i++)
		r = frames_init(&rings->frames[i], FRAMES_BYTES);
	return r;
}

int rings_init(struct rings *rings, size_t n, size_t slots)
{
	memset(rings, 0, sizeof *rings);
	rings->judge.fd = rings->recorder.fd = -1;
	rings->at = n > RINGS_MAX ? NULL : aligned_alloc(128, RINGS_MAX * sizeof *rings->at);
	if (rings->at == NULL)
		return n > RINGS_MAX ? -EINVAL : -ENOMEM;
	memset(rings->at, 0, RINGS_MAX * sizeof *rings->at);
	rings->n = n;
	int r = stored_init(&rings->stored);
	for (size_t i = 0; i < n && r == 0; i++)
		r = ring_init(&rings->at[i], slots);
	if (r == 0)
		r = frames_all_init(rings, n);
	if (r == 0)
		r = bell_init(&rings->judge);
	if (r == 0)
		r = bell_init(&rings->recorder);
	if (r < 0)
		rings_deinit(rings);
	return r;
}

void rings_deinit(struct rings *rings)
{
	for (size_t i = 0; i < rings->n; i++)
		ring_deinit(&rings->at[i]);
	for (size_t i = 0; rings->frames != NULL && i < rings->n; i++)
		frames_deinit(&rings->frames[i]);
	kept_deinit(&rings->kept);
	free(rings->frames);
	rings->frames = NULL;
	if (rings->n > 0) {
		pthread_cond_destroy(&rings->stored.changed);
		pthread_mutex_destroy(&rings->stored.lock);
	}
	bell_deinit(&rings->judge);
	bell_deinit(&rings->recorder);
	free(rings->at);
	rings->at = NULL;
	rings->n = 0;
}

int rings_add(struct rings *rings, size_t slots)
{
	if (rings->n == RINGS_MAX)
		return -EMFILE;
	int r = frames_init(&rings->frames[rings->n], FRAMES_BYTES);
	if (r == 0)
		r = ring_init(&rings->at[rings->n], slots);
	if (r != 0)
		frames_deinit(&rings->frames[rings->n]);
	pthread_mutex_lock(&rings->stored.lock); /* others look over all in there */
	if (r == 0)
		rings->n++;
	pthread_mutex_unlock(&rings->stored.lock);
	return r;
}

void rings_grow(struct rings *rings, size_t slots)
{
	for (size_t i = 0; i < rings->n; i++) {
		struct ring *ring = &rings->at[i], larger;
		if (ring_slots(ring) >= slots || ring_init(&larger, slots) != 0)
			continue;
		larger.refused = ring->refused;
		ring_deinit(ring);
		*ring = larger;
	}
}

bool rings_ready(struct rings *rings, enum ring_reader who)
{
	for (size_t i = 0; i < rings->n; i++) {
		size_t n;
		ring_peek(&rings->at[i], who, &n);
		if (n > 0)
			return true;
	}
	return false;
}

static struct timespec deadline(int timeout_ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

bool stored_wait(struct rings *rings, size_t ring, uint64_t seq, int timeout_ms)
{
	struct stored *s = &rings->stored;
	struct timespec until = deadline(timeout_ms);
	atomic_fetch_add(&s->waiting, 1);
	bell_ring_always(&rings->recorder);
	pthread_mutex_lock(&s->lock);
	while (s->seq[ring] < seq)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
			break;
	bool stored = s->seq[ring] >= seq;
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_sub(&s->waiting, 1);
	return stored;
}

void stored_ask(struct rings *rings)
{
	atomic_store(&rings->stored.asked, true);
	bell_ring_always(&rings->recorder);
}

uint64_t stored_upto(struct rings *rings, size_t ring)
{
	pthread_mutex_lock(&rings->stored.lock);
	uint64_t seq = rings->stored.seq[ring];
	pthread_mutex_unlock(&rings->stored.lock);
	return seq;
}

void stored_advance(struct rings *rings, const uint64_t *seq)
{
	pthread_mutex_lock(&rings->stored.lock);
	memcpy(rings->stored.seq, seq, rings->n * sizeof *seq);
	pthread_cond_broadcast(&rings->stored.changed);
	pthread_mutex_unlock(&rings->stored.lock);
}

void stored_owe(struct rings *rings, size_t ring, uint64_t seq)
{
	pthread_mutex_lock(&rings->stored.lock);
	rings->stored.owed[ring] = seq;
	pthread_mutex_unlock(&rings->stored.lock);
}

bool stored_owes(struct rings *rings)
{
	bool owes = false;
	pthread_mutex_lock(&rings->stored.lock);
	for (size_t i = 0; i < rings->n; i++)
		owes = owes || rings->stored.owed[i] > rings->stored.seq[i];
	pthread_mutex_unlock(&rings->stored.lock);
	return owes;
}
