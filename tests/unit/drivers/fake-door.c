/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATIENCE_S = 20 };

struct door *fake_door_new(void)
{
	struct door *door = calloc(1, sizeof *door);
	if (door == NULL)
		abort();
	pthread_mutex_init(&door->lock, NULL);
	pthread_cond_init(&door->changed, NULL);
	return door;
}

void fake_door_free(struct door *door)
{
	pthread_cond_destroy(&door->changed);
	pthread_mutex_destroy(&door->lock);
	free(door);
}

static struct timespec in_ms(int64_t ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	return until;
}

bool fake_door_await(struct door *door, bool (*reached)(const struct door *door, int64_t wanted),
		     int64_t wanted)
{
	struct timespec until = in_ms(PATIENCE_S * 1000);
	pthread_mutex_lock(&door->lock);
	int error = 0;
	while (!reached(door, wanted) && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&door->changed, &door->lock, &until);
	bool is_reached = reached(door, wanted);
	pthread_mutex_unlock(&door->lock);
	return is_reached;
}

bool fake_door_has_samples(const struct door *door, int64_t wanted)
{
	return (int64_t)door->n_samples >= wanted;
}

bool fake_door_has_links(const struct door *door, int64_t wanted)
{
	return (int64_t)door->n_links >= wanted;
}

bool fake_door_has_waits(const struct door *door, int64_t wanted)
{
	return (int64_t)door->waits >= wanted;
}

bool fake_door_has_unrecorded(const struct door *door, int64_t wanted)
{
	return (int64_t)door->unrecorded >= wanted;
}

bool fake_door_has_value(const struct door *door, int64_t wanted)
{
	for (size_t i = 0; i < door->n_samples; i++)
		if (door->samples[i].has_value && door->samples[i].value == (double)wanted)
			return true;
	return false;
}

static size_t count(const struct door *door, enum flag flag)
{
	size_t n = 0;
	for (size_t i = 0; i < door->n_samples; i++)
		n += door->samples[i].flag == flag;
	return n;
}

bool fake_door_has_fault(const struct door *door, int64_t wanted)
{
	return (int64_t)count(door, FLAG_FAULT) >= wanted;
}

size_t fake_door_count(struct door *door, enum flag flag)
{
	pthread_mutex_lock(&door->lock);
	size_t n = count(door, flag);
	pthread_mutex_unlock(&door->lock);
	return n;
}

void fake_door_refuse(struct door *door, unsigned n)
{
	pthread_mutex_lock(&door->lock);
	door->refuse = n;
	pthread_mutex_unlock(&door->lock);
}

void fake_door_release(struct door *door, bool hold)
{
	pthread_mutex_lock(&door->lock);
	door->hold = hold;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
}

uint64_t door_frame(struct door *door, enum frame_kind kind, const void *asked, size_t n_asked,
		    const void *answered, size_t n_answered)
{
	pthread_mutex_lock(&door->lock);
	struct fake_frame *f = &door->frames[door->n_frames++ % FAKE_FRAMES];
	*f = (struct fake_frame){kind, n_asked, n_answered, {0}, {0}};
	memcpy(f->asked, asked, n_asked < sizeof f->asked ? n_asked : sizeof f->asked);
	memcpy(f->answered, answered,
	       n_answered < sizeof f->answered ? n_answered : sizeof f->answered);
	uint64_t number = door->n_frames;
	pthread_mutex_unlock(&door->lock);
	return number;
}

bool door_looks(const struct door *door, uint32_t monitor)
{
	(void)door, (void)monitor;
	return true;
}

void door_show(struct door *door, const struct sample *sample)
{
	(void)sample;
	pthread_mutex_lock(&door->lock);
	door->n_shown++;
	door->shown_first += door->n_samples == 0;
	pthread_mutex_unlock(&door->lock);
}

enum door_result door_submit(struct door *door, const struct sample *sample, uint64_t *seq)
{
	pthread_mutex_lock(&door->lock);
	enum door_result result = DOOR_FULL;
	if (door->refuse > 0 && door->n_samples >= door->refuse_from) {
		door->refuse--;
	} else if (door->n_samples < FAKE_SAMPLES) {
		door->samples[door->n_samples++] = *sample;
		result = DOOR_TAKEN;
		if (seq != NULL)
			*seq = door->n_samples;
	}
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
	return result;
}

void door_flush(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->flushes++;
	pthread_mutex_unlock(&door->lock);
}

bool door_wait_stored(struct door *door, uint64_t seq, int timeout_ms)
{
	struct timespec until = in_ms(timeout_ms);
	pthread_mutex_lock(&door->lock);
	door->waits++;
	door->waited_for = seq;
	pthread_cond_broadcast(&door->changed);
	int error = 0;
	while (door->hold && error != ETIMEDOUT)
		error = pthread_cond_timedwait(&door->changed, &door->lock, &until);
	bool stored = !door->hold;
	pthread_mutex_unlock(&door->lock);
	return stored;
}

uint64_t door_stored(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	if (!door->hold)
		door->stored = door->n_samples;
	uint64_t stored = door->stored;
	pthread_mutex_unlock(&door->lock);
	return stored;
}

void door_commit(struct door *door)
{
	pthread_mutex_lock(&door->lock);
	door->commits++;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
}

bool door_is_crowded(const struct door *door)
{
	struct door *d = (struct door *)(uintptr_t)door;
	pthread_mutex_lock(&d->lock);
	bool crowded = d->crowded;
	pthread_mutex_unlock(&d->lock);
	return crowded;
}

bool fake_door_has_commits(const struct door *door, int64_t wanted)
{
	return (int64_t)door->commits >= wanted;
}

void fake_door_crowd(struct door *door, bool crowded)
{
	pthread_mutex_lock(&door->lock);
	door->crowded = crowded;
	pthread_mutex_unlock(&door->lock);
}

const struct reading *door_handed(const struct door *door)
{
	return &door->handed;
}

bool door_unrecorded(struct door *door, const struct reading *readings, size_t n, uint64_t seq,
		     int timeout_ms)
{
	(void)readings;
	(void)seq;
	(void)timeout_ms;
	pthread_mutex_lock(&door->lock);
	door->unrecorded += (unsigned)n;
	bool kept = !door->lost;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
	return kept;
}

void door_link(struct door *door, uint32_t connection, bool up)
{
	(void)connection;
	pthread_mutex_lock(&door->lock);
	if (door->n_links < FAKE_LINKS)
		door->links[door->n_links++] = up;
	pthread_cond_broadcast(&door->changed);
	pthread_mutex_unlock(&door->lock);
}
