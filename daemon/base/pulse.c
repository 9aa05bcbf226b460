/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pulse.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct pulse *first; /* under the lock */

static int64_t boot_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void pulse_begin(struct pulse *pulse, enum pulse_pace pace, const char *name, const char *of)
{
	atomic_store_explicit(&pulse->beats, 0, memory_order_relaxed);
	pulse->seen = 0;
	pulse->moved_ns = boot_ns();
	pulse->pace = pace;
	snprintf(pulse->name, sizeof pulse->name, "%s%s%s", name, of == NULL ? "" : " ",
		 of == NULL ? "" : of);
	char comm[16];
	snprintf(comm, sizeof comm, "%.15s", name);
	(void)pthread_setname_np(pthread_self(), comm);
	pthread_mutex_lock(&lock);
	pulse->next = first;
	first = pulse;
	pthread_mutex_unlock(&lock);
}

void pulse_end(struct pulse *pulse)
{
	pthread_mutex_lock(&lock);
	struct pulse **at = &first;
	while (*at != NULL && *at != pulse)
		at = &(*at)->next;
	if (*at != NULL)
		*at = pulse->next;
	pthread_mutex_unlock(&lock);
}

static bool is_stuck(const struct pulse *pulse, int64_t now_ns,
		     const struct pulse_patience *patience)
{
	return now_ns - pulse->moved_ns >= patience->ns[pulse->pace];
}

bool pulses_move(int64_t now_ns, const struct pulse_patience *patience)
{
	bool all = true;
	pthread_mutex_lock(&lock);
	for (struct pulse *pulse = first; pulse != NULL; pulse = pulse->next) {
		uint64_t beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);
		if (beats != pulse->seen)
			pulse->moved_ns = now_ns;
		pulse->seen = beats;
		all = all && !is_stuck(pulse, now_ns, patience);
	}
	pthread_mutex_unlock(&lock);
	return all;
}

void pulses_stuck(int64_t now_ns, const struct pulse_patience *patience,
		  void (*say)(void *context, const char *name), void *context)
{
	pthread_mutex_lock(&lock);
	for (const struct pulse *pulse = first; pulse != NULL; pulse = pulse->next)
		if (is_stuck(pulse, now_ns, patience))
			say(context, pulse->name);
	pthread_mutex_unlock(&lock);
}
