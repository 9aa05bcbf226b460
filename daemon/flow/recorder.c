/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/recorder.h"

#include "base/log.h"
#include "flow/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_MS = 500, RETRY_MIN_MS = 20, RETRY_MAX_MS = 1000, GIVE_UP_MS = 5000 };

struct recorder {
	struct recorder_setup setup;
	pthread_t thread;
	_Atomic bool stop;
	uint64_t seq[RINGS_MAX];          /* newest taken of each ring */
	struct metric *passed;            /* slots given up because the disk is behind */
	_Atomic int64_t failing_since_ns; /* 0: the disk works */
	uint64_t passed_now;              /* in the present failure */
	int retry_ms;
	bool fatal;
};

int recorder_new(struct recorder **out, const struct recorder_setup *setup)
{
	struct recorder *r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	r->setup = *setup;
	r->retry_ms = RETRY_MIN_MS;
	r->passed = metrics_counter(setup->metrics, "ducha_unrecorded_total",
				    "Samples that were acknowledged or read but not recorded",
				    "reason=\"disk\"");
	*out = r;
	return r->passed == NULL ? -ENOMEM : 0;
}

struct recorder *recorder_free(struct recorder *recorder)
{
	free(recorder);
	return NULL;
}

/* Take all that is ready in one ring into the open transaction. */
static int take_ring(struct recorder *r, size_t index, size_t *taken)
{
	struct ring *ring = &r->setup.rings->at[index];
	const struct reading *readings;
	size_t n;
	while (readings = ring_peek(ring, RING_RECORDER, &n), n > 0) {
		int result = r->setup.append(r->setup.context, readings, n);
		if (result != 0)
			return result;
		r->seq[index] = readings[n - 1].seq;
		ring_take(ring, RING_RECORDER, n);
		*taken += n;
	}
	return 0;
}

static int take_and_commit(struct recorder *r)
{
	size_t taken = 0;
	for (size_t i = 0; i < r->setup.rings->n; i++) {
		int result = take_ring(r, i, &taken);
		if (result != 0)
			return result;
	}
	return taken == 0 ? 0 : r->setup.commit(r->setup.context);
}

static void done(struct recorder *r)
{
	for (size_t i = 0; i < r->setup.rings->n; i++)
		ring_release(&r->setup.rings->at[i], RING_RECORDER);
	stored_advance(r->setup.rings, r->seq);
	if (r->setup.committed != NULL)
		r->setup.committed(r->setup.context);
	if (r->failing_since_ns != 0)
		log_warnx(
			"recording again after %lld s, %llu readings were judged but not recorded",
			(long long)((clock_mono_ns() - r->failing_since_ns) / 1000000000),
			(unsigned long long)r->passed_now);
	r->failing_since_ns = 0;
	r->passed_now = 0;
	r->retry_ms = RETRY_MIN_MS;
}

/* Give up the older half of a ring that fills: judging goes on. */
static void pass_over(struct recorder *r, size_t index)
{
	struct ring *ring = &r->setup.rings->at[index];
	size_t limit = ring_slots(ring) / 2, n;
	if (ring_used(ring, RING_RECORDER) < ring_slots(ring) / 4 * 3)
		return;
	while (ring_used(ring, RING_RECORDER) > limit) {
		ring_peek(ring, RING_RECORDER, &n);
		if (n > ring_used(ring, RING_RECORDER) - limit)
			n = ring_used(ring, RING_RECORDER) - limit;
		ring_take(ring, RING_RECORDER, n);
		ring_release(ring, RING_RECORDER);
		metric_add(r->passed, (int64_t)n);
		r->passed_now += n;
	}
}

static void failed(struct recorder *r, int result)
{
	for (size_t i = 0; i < r->setup.rings->n; i++)
		ring_give_back(&r->setup.rings->at[i], RING_RECORDER);
	if (result > 0) {
		r->fatal = true;
		r->setup.fatal(r->setup.context);
		return;
	}
	if (r->failing_since_ns == 0) {
		r->failing_since_ns = clock_mono_ns();
		errno = -result;
		log_warn("readings cannot be recorded, judging goes on");
	}
	for (size_t i = 0; i < r->setup.rings->n; i++)
		pass_over(r, i);
	bell_pause(&r->setup.rings->recorder, r->retry_ms);
	r->retry_ms = r->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : r->retry_ms * 2;
}

static bool recorder_round(struct recorder *r)
{
	int result = take_and_commit(r);
	if (result == 0)
		done(r);
	else
		failed(r, result);
	atomic_fetch_add_explicit(r->setup.heartbeat, 1, memory_order_relaxed);
	return result == 0;
}

static bool urgent(struct recorder *r)
{
	return atomic_load(&r->setup.rings->stored.waiting) > 0 || atomic_load(&r->stop);
}

static bool anything(void *context)
{
	struct recorder *r = context;
	return rings_ready(r->setup.rings, RING_RECORDER) || urgent(r);
}

/* Let readings gather for flush_ms, unless somebody waits for them. */
static void gather(struct recorder *r)
{
	int64_t until_ns = clock_mono_ns() + r->setup.flush_ms * 1000000, left_ns;
	while (!urgent(r) && (left_ns = until_ns - clock_mono_ns()) > 0)
		bell_pause(&r->setup.rings->recorder, (int)(left_ns / 1000000) + 1);
}

static void *recorder_run(void *context)
{
	struct recorder *r = context;
	(void)pthread_setname_np(pthread_self(), "recorder");
	while (!atomic_load(&r->stop) && !r->fatal) {
		bell_sleep(&r->setup.rings->recorder, IDLE_MS, anything, r);
		if (rings_ready(r->setup.rings, RING_RECORDER))
			gather(r);
		recorder_round(r);
	}
	int64_t until_ns = clock_mono_ns() + GIVE_UP_MS * (int64_t)1000000;
	while (!r->fatal && !recorder_round(r) && clock_mono_ns() < until_ns)
		continue;
	return NULL;
}

bool recorder_failing(const struct recorder *recorder)
{
	return atomic_load_explicit(&recorder->failing_since_ns, memory_order_relaxed) != 0;
}

int recorder_start(struct recorder *recorder)
{
	return -pthread_create(&recorder->thread, NULL, recorder_run, recorder);
}

void recorder_stop(struct recorder *recorder)
{
	atomic_store(&recorder->stop, true);
	bell_ring_always(&recorder->setup.rings->recorder);
	pthread_join(recorder->thread, NULL);
}
