/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A door for tests: it keeps what a driver hands in, and a test waits for it with a deadline.
 */
#include "flow/door.h"

#include <pthread.h>

enum { FAKE_SAMPLES = 65536, FAKE_LINKS = 256, FAKE_FRAMES = 64 };

/* Cut to what fits. */
struct fake_frame {
	enum frame_kind kind;
	size_t n_asked, n_answered;
	uint8_t asked[64], answered[300];
};

struct door {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct sample samples[FAKE_SAMPLES];
	size_t n_samples;
	size_t n_shown, shown_first; /* shown; and before the first sample was handed in */
	bool links[FAKE_LINKS];
	size_t n_links;
	struct fake_frame frames[FAKE_FRAMES]; /* the newest; that of number 1 first */
	size_t n_frames;
	unsigned flushes, waits, unrecorded;
	bool lost; /* door_unrecorded() says that nothing can be kept */
	struct reading handed;
	unsigned refuse;    /* so many submissions find the ring full */
	size_t refuse_from; /* once so many samples are there */
	bool hold;          /* nothing is stored until this is false */
	uint64_t waited_for;
	uint64_t stored;  /* of a thread that does not wait */
	unsigned commits; /* it asked for */
	bool crowded;
};

struct door *fake_door_new(void);
void fake_door_free(struct door *door);

/** fake_door_await() - wait until @reached says so; Return: false after 20 s */
bool fake_door_await(struct door *door, bool (*reached)(const struct door *door, int64_t wanted),
		     int64_t wanted);
bool fake_door_has_samples(const struct door *door, int64_t wanted);
bool fake_door_has_links(const struct door *door, int64_t wanted);
bool fake_door_has_waits(const struct door *door, int64_t wanted);
bool fake_door_has_unrecorded(const struct door *door, int64_t wanted);
/** fake_door_has_value() - some sample has exactly this value */
bool fake_door_has_value(const struct door *door, int64_t wanted);
/** fake_door_has_fault() - so many samples with flag D */
bool fake_door_has_fault(const struct door *door, int64_t wanted);

/** fake_door_count() - samples with @flag */
size_t fake_door_count(struct door *door, enum flag flag);
bool fake_door_has_commits(const struct door *door, int64_t wanted);
void fake_door_crowd(struct door *door, bool crowded);
/** fake_door_refuse() - the next @n submissions find the ring full */
void fake_door_refuse(struct door *door, unsigned n);
void fake_door_release(struct door *door, bool hold);
