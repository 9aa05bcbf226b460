/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/recorder.h"

#include "base/log.h"
#include "base/pulse.h"
#include "flow/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 4096,
	IDLE_MS = 500,
	RETRY_MIN_MS = 20,
	RETRY_MAX_MS = 1000,
	GIVE_UP_MS = 5000,
	RELIEF_MS = 50,
	HELD_UP_MS = 2000, /* a call to the disk that takes longer is said */
};

struct recorder {
	struct recorder_setup setup;
	struct pulse pulse; /* of the relief */
	pthread_t thread, relief;
	struct gate gate;
	_Atomic bool stop, relief_stop;
	struct bell relief_bell;

	/* the recorder's own */
	struct reading *batch;
	size_t n;
	bool more;               /* the last batch was full: no need to let readings gather */
	uint64_t seq[RINGS_MAX]; /* newest of each ring in the batch or before */
	struct gap *written;     /* gaps that go with the commit under way */
	size_t n_written;
	size_t frames; /* bytes of them that go with it */
	int retry_ms;
	bool fatal;

	_Atomic int64_t failing_since_ns; /* 0: the disk works */
	_Atomic int64_t busy_since_ns;    /* of the call to the disk under way; 0: none */

	pthread_mutex_t lock;     /* guards what follows, and RING_RECORDER of all rings */
	struct gap *gaps;         /* by monitor; count 0: none */
	_Atomic uint64_t missing; /* readings in gaps that are not on disk; written under lock */
	struct metric *passed;
};

/* --- birth and death --- */

int recorder_new(struct recorder **out, const struct recorder_setup *setup)
{
	struct recorder *r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	r->setup = *setup;
	if (r->setup.batch == 0)
		r->setup.batch = BATCH;
	r->retry_ms = RETRY_MIN_MS;
	r->relief_bell.fd = -1;
	pthread_mutex_init(&r->lock, NULL);
	r->batch = calloc(r->setup.batch, sizeof *r->batch);
	r->gaps = calloc(setup->n_monitors + 1, sizeof *r->gaps);
	r->written = calloc(setup->n_monitors + 1, sizeof *r->written);
	r->passed = metrics_counter(setup->metrics, "ducha_unrecorded_total",
				    "Samples that were acknowledged or read but not recorded",
				    "reason=\"disk\"");
	int error = gate_init(&r->gate);
	if (error == 0)
		error = bell_init(&r->relief_bell);
	if (r->batch == NULL || r->gaps == NULL || r->written == NULL || r->passed == NULL)
		error = -ENOMEM;
	if (error != 0)
		r = recorder_free(r);
	*out = r;
	return error;
}

struct recorder *recorder_free(struct recorder *recorder)
{
	if (recorder == NULL)
		return NULL;
	if (recorder->relief_bell.fd >= 0)
		bell_deinit(&recorder->relief_bell);
	pthread_mutex_destroy(&recorder->lock);
	gate_deinit(&recorder->gate);
	free(recorder->batch);
	free(recorder->gaps);
	free(recorder->written);
	free(recorder);
	return NULL;
}

/* --- rings to batch --- */

static void take_ring(struct recorder *r, size_t index)
{
	struct ring *ring = &r->setup.rings->at[index];
	const struct reading *readings;
	size_t n;
	while (readings = ring_peek(ring, RING_RECORDER, &n), n > 0 && r->n < r->setup.batch) {
		if (n > r->setup.batch - r->n)
			n = r->setup.batch - r->n;
		memcpy(&r->batch[r->n], readings, n * sizeof *readings);
		r->n += n;
		r->seq[index] = readings[n - 1].seq;
		ring_take(ring, RING_RECORDER, n);
	}
	ring_release(ring, RING_RECORDER);
}

static void take(struct recorder *r)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->setup.rings->n; i++)
		take_ring(r, i);
	pthread_mutex_unlock(&r->lock);
}

/* --- gaps --- */

static void gap_add(struct gap *gap, const struct reading *reading)
{
	if (gap->count++ == 0)
		*gap = (struct gap){reading->monitor, reading->measured_ms, reading->measured_ms,
				    1};
	if (reading->measured_ms < gap->from_ms)
		gap->from_ms = reading->measured_ms;
	if (reading->measured_ms > gap->to_ms)
		gap->to_ms = reading->measured_ms;
}

/* Those that go with the next commit: all there are now. */
static void gaps_take(struct recorder *r)
{
	r->n_written = 0;
	if (!recorder_missing(r))
		return;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->setup.n_monitors; i++)
		if (r->gaps[i].count > 0)
			r->written[r->n_written++] = r->gaps[i];
	pthread_mutex_unlock(&r->lock);
}

/* They are on disk. What was passed over meanwhile begins where they end. */
static uint64_t gaps_done(struct recorder *r)
{
	uint64_t count = 0;
	if (r->n_written == 0)
		return 0;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->n_written; i++) {
		struct gap *gap = &r->gaps[r->written[i].monitor];
		gap->count -= r->written[i].count;
		gap->from_ms = r->written[i].to_ms;
		count += r->written[i].count;
	}
	atomic_fetch_sub_explicit(&r->missing, count, memory_order_relaxed);
	pthread_mutex_unlock(&r->lock);
	return count;
}

/* --- batch to disk --- */

static bool frames_wait(const struct recorder *r)
{
	return r->setup.append_frames != NULL && kept_waits(&r->setup.rings->kept);
}

static int store_frames(struct recorder *r)
{
	const uint8_t *piece[2];
	size_t bytes[2];
	int result = 0;
	r->frames = frames_wait(r) ? kept_peek(&r->setup.rings->kept, piece, bytes) : 0;
	for (int i = 0; result == 0 && r->frames > 0 && i < 2; i++)
		if (bytes[i] > 0)
			result = r->setup.append_frames(r->setup.context, piece[i], bytes[i]);
	return result;
}

static int store(struct recorder *r)
{
	void *context = r->setup.context;
	int result = 0;
	if (r->n > 0)
		result = r->setup.append(context, r->batch, r->n);
	for (size_t i = 0; result == 0 && i < r->n_written; i++)
		result = r->setup.append_gap(context, &r->written[i]);
	if (result == 0)
		result = store_frames(r);
	return result == 0 ? r->setup.commit(context) : result;
}

static void done(struct recorder *r)
{
	uint64_t missed = gaps_done(r);
	r->n = 0;
	kept_release(&r->setup.rings->kept, r->frames);
	stored_advance(r->setup.rings, r->seq);
	if (r->setup.committed != NULL)
		r->setup.committed(r->setup.context);
	if (missed > 0)
		log_event(LOGGED_RECORDING_AGAIN, ABOUT_NOTHING,
			  "recording again, %llu readings were judged but not recorded",
			  (unsigned long long)missed);
	else if (r->failing_since_ns != 0)
		log_event(LOGGED_RECORDING_AGAIN, ABOUT_NOTHING, "recording again after %lld s",
			  (long long)((clock_mono_ns() - r->failing_since_ns) / 1000000000));
	r->failing_since_ns = 0;
	r->retry_ms = RETRY_MIN_MS;
}

static void failed(struct recorder *r, int result)
{
	if (result > 0) {
		r->fatal = true;
		r->setup.fatal(r->setup.context);
		return;
	}
	if (r->failing_since_ns == 0) {
		r->failing_since_ns = clock_mono_ns();
		log_event(LOGGED_RECORDING_STOPPED, ABOUT(.error = -result),
			  "readings cannot be recorded, judging goes on");
	}
	bell_pause(&r->setup.rings->recorder, r->retry_ms);
	r->retry_ms = r->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : r->retry_ms * 2;
}

static bool recorder_round(struct recorder *r)
{
	int result = 0;
	atomic_store(&r->setup.rings->stored.asked, false); /* who asks had pushed before */
	take(r);
	r->more = r->n == r->setup.batch;
	gaps_take(r);
	if (r->n > 0 || r->n_written > 0 || frames_wait(r)) {
		atomic_store_explicit(&r->busy_since_ns, clock_mono_ns(), memory_order_relaxed);
		result = store(r);
		atomic_store_explicit(&r->busy_since_ns, 0, memory_order_relaxed);
		if (result == 0)
			done(r);
		else
			failed(r, result);
	}
	atomic_fetch_add_explicit(r->setup.heartbeat, 1, memory_order_relaxed);
	return result == 0;
}

/* --- the recorder's thread --- */

static bool ready(struct recorder *r)
{
	pthread_mutex_lock(&r->lock);
	bool any = rings_ready(r->setup.rings, RING_RECORDER);
	pthread_mutex_unlock(&r->lock);
	return any;
}

static bool urgent(struct recorder *r)
{
	const struct stored *stored = &r->setup.rings->stored;
	return atomic_load(&stored->waiting) > 0 || atomic_load(&stored->asked) ||
	       atomic_load(&r->stop) || gate_is_shut(&r->gate);
}

static bool anything(void *context)
{
	struct recorder *r = context;
	return r->n > 0 || ready(r) || urgent(r) || frames_wait(r);
}

/* Let readings gather for flush_ms, unless somebody waits for them. */
static void gather(struct recorder *r)
{
	int64_t until_ns = clock_mono_ns() + r->setup.flush_ms * 1000000, left_ns;
	while (!urgent(r) && (left_ns = until_ns - clock_mono_ns()) > 0)
		bell_pause(&r->setup.rings->recorder, (int)(left_ns / 1000000) + 1);
}

static bool is_done(struct recorder *r)
{
	return r->n == 0 && !recorder_missing(r) && !ready(r);
}

static void *recorder_run(void *context)
{
	struct recorder *r = context;
	(void)pthread_setname_np(pthread_self(), "recorder");
	while (!atomic_load(&r->stop) && !r->fatal) {
		bell_sleep(&r->setup.rings->recorder, IDLE_MS, anything, r);
		if (!r->more && r->n == 0 && ready(r))
			gather(r);
		recorder_round(r);
		if (gate_is_shut(&r->gate) && is_done(r))
			gate_pass(&r->gate);
	}
	int64_t until_ns = clock_mono_ns() + GIVE_UP_MS * (int64_t)1000000;
	while (!r->fatal && (!recorder_round(r) || ready(r)) && clock_mono_ns() < until_ns)
		continue;
	return NULL;
}

/* --- the relief's thread --- */

/* Give up the older readings of a ring that fills: judging goes on. */
static void pass_over(struct recorder *r, struct ring *ring)
{
	size_t most = ring_slots(ring) / 2, used = ring_used(ring, RING_RECORDER), n;
	const struct reading *readings;
	if (used < ring_slots(ring) / 4 * 3)
		return;
	for (; used > most; used -= n) {
		readings = ring_peek(ring, RING_RECORDER, &n);
		if (n > used - most)
			n = used - most;
		for (size_t i = 0; i < n; i++) {
			if (readings[i].kind != SLOT_VALUE)
				continue;
			gap_add(&r->gaps[readings[i].monitor], &readings[i]);
			atomic_fetch_add_explicit(&r->missing, 1, memory_order_relaxed);
			metric_add(r->passed, 1);
		}
		ring_take(ring, RING_RECORDER, n);
	}
	ring_release(ring, RING_RECORDER);
}

static void *relief_run(void *context)
{
	struct recorder *r = context;
	pulse_begin(&r->pulse, PULSE_QUICK, "relief", NULL);
	while (!atomic_load(&r->relief_stop)) {
		pthread_mutex_lock(&r->lock);
		for (size_t i = 0; i < r->setup.rings->n; i++)
			pass_over(r, &r->setup.rings->at[i]);
		pthread_mutex_unlock(&r->lock);
		if (atomic_load_explicit(&r->busy_since_ns, memory_order_relaxed) != 0)
			atomic_fetch_add_explicit(r->setup.heartbeat, 1, memory_order_relaxed);
		pulse_beat(&r->pulse);
		bell_pause(&r->relief_bell, RELIEF_MS);
	}
	pulse_end(&r->pulse);
	return NULL;
}

/* --- the outside --- */

bool recorder_failing(const struct recorder *recorder)
{
	int64_t busy_ns = atomic_load_explicit(&recorder->busy_since_ns, memory_order_relaxed);
	bool held_up = busy_ns != 0 && clock_mono_ns() - busy_ns > HELD_UP_MS * (int64_t)1000000;
	return held_up ||
	       atomic_load_explicit(&recorder->failing_since_ns, memory_order_relaxed) != 0;
}

bool recorder_missing(const struct recorder *recorder)
{
	return atomic_load_explicit(&recorder->missing, memory_order_relaxed) != 0;
}

struct gate *recorder_gate(struct recorder *recorder)
{
	return &recorder->gate;
}

void recorder_hold(struct recorder *recorder)
{
	pthread_mutex_lock(&recorder->lock);
}

static void swap_gaps(struct gap **a, struct gap **b)
{
	struct gap *gaps = *a;
	*a = *b;
	*b = gaps;
}

/* Nothing is missing, so both have gaps of zeros only. */
void recorder_succeed(struct recorder *recorder, struct recorder *next)
{
	if (next != NULL) {
		swap_gaps(&recorder->gaps, &next->gaps);
		swap_gaps(&recorder->written, &next->written);
		recorder->setup.n_monitors = next->setup.n_monitors;
		recorder->setup.flush_ms = next->setup.flush_ms;
	}
	pthread_mutex_unlock(&recorder->lock);
}

int recorder_start(struct recorder *recorder)
{
	int error = -pthread_create(&recorder->thread, NULL, recorder_run, recorder);
	if (error != 0)
		return error;
	error = -pthread_create(&recorder->relief, NULL, relief_run, recorder);
	if (error != 0) {
		atomic_store(&recorder->stop, true);
		bell_ring_always(&recorder->setup.rings->recorder);
		pthread_join(recorder->thread, NULL);
	}
	return error;
}

void recorder_stop(struct recorder *recorder)
{
	atomic_store(&recorder->relief_stop, true);
	bell_ring_always(&recorder->relief_bell);
	pthread_join(recorder->relief, NULL);
	atomic_store(&recorder->stop, true);
	bell_ring_always(&recorder->setup.rings->recorder);
	pthread_join(recorder->thread, NULL);
}

void recorder_finish(struct recorder *recorder)
{
	if (!recorder->fatal && recorder->n == 0 && frames_wait(recorder))
		recorder_round(recorder);
}
