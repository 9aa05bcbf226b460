/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ring: readings per second from one producer to two readers, beside one pair (one producer, one
 * reader) on ConcurrencyKit's ck_ring with records of the same 64 bytes and as many slots.
 *
 * The producer has a core of its own; whoever reads shares the other one. Runs are interleaved and
 * their median counts.
 */
#include "flow/ring.h"

#include "bench.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#ifdef HAVE_CK
#include <ck_ring.h>
CK_RING_PROTOTYPE(reading, reading)
#endif

enum { SLOTS = 16384, BATCH = 32, RUNS = 9, READINGS = 8000000 };

static void pin(size_t core)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(core, &set);
	sched_setaffinity(0, sizeof set, &set);
}

/* The whole record is written, as the door does. */
static struct reading made(uint64_t seq)
{
	return (struct reading){.seq = seq,
				.measured_ms = (int64_t)seq,
				.received_ms = (int64_t)seq,
				.received_mono_ns = (int64_t)seq,
				.value = 1,
				.raw = seq,
				.monitor = 7,
				.flag = 'N',
				.has_value = true};
}

/* What both judge and recorder do at least: look at a reading's number and value. */
static double used(const struct reading *r, uint64_t *last)
{
	*last = r->seq;
	return r->value;
}

/* --- ours --- */

struct reader {
	struct ring *ring;
	enum ring_reader who;
	double sum;
};

static void *read_ours(void *context)
{
	struct reader *r = context;
	uint64_t last = 0;
	pin(1);
	while (last < READINGS) {
		size_t n;
		const struct reading *at = ring_peek(r->ring, r->who, &n);
		if (n == 0) {
			sched_yield();
			continue;
		}
		for (size_t i = 0; i < n; i++)
			r->sum += used(&at[i], &last);
		ring_take(r->ring, r->who, n);
		ring_release(r->ring, r->who);
	}
	return NULL;
}

static void produce_ours(struct ring *ring)
{
	for (uint64_t sent = 0; sent < READINGS;) {
		size_t n, wanted = READINGS - sent < BATCH ? READINGS - sent : BATCH;
		struct reading *slots = ring_reserve(ring, wanted, &n);
		if (n == 0) {
			sched_yield();
			continue;
		}
		for (size_t i = 0; i < n; i++)
			slots[i] = made(++sent);
		ring_publish(ring, n);
	}
}

static double run_ours(void)
{
	static struct ring ring;
	struct reader readers[] = {{&ring, RING_JUDGE, 0}, {&ring, RING_RECORDER, 0}};
	pthread_t threads[2];
	if (ring_init(&ring, SLOTS) < 0)
		exit(1);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, read_ours, &readers[i]);
	double began = bench_seconds();
	produce_ours(&ring);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	double lasted = bench_seconds() - began;
	for (int i = 0; i < 2; i++)
		if (readers[i].sum != READINGS)
			exit(1);
	ring_deinit(&ring);
	return READINGS / lasted / 1e6;
}

/* --- ConcurrencyKit --- */

#ifdef HAVE_CK
struct ck {
	ck_ring_t ring;
	struct reading *slots;
	double sum;
};

static void *read_ck(void *context)
{
	struct ck *ck = context;
	uint64_t last = 0;
	pin(1);
	while (last < READINGS) {
		struct reading r;
		if (!ck_ring_dequeue_spsc_reading(&ck->ring, ck->slots, &r)) {
			sched_yield();
			continue;
		}
		ck->sum += used(&r, &last);
	}
	return NULL;
}

static double run_ck(void)
{
	static struct ck ck;
	pthread_t thread;
	ck.sum = 0;
	ck.slots = aligned_alloc(128, SLOTS * sizeof *ck.slots);
	memset(ck.slots, 0, SLOTS * sizeof *ck.slots);
	ck_ring_init(&ck.ring, SLOTS);
	pthread_create(&thread, NULL, read_ck, &ck);
	double began = bench_seconds();
	for (uint64_t sent = 1; sent <= READINGS;) {
		struct reading r = made(sent);
		if (ck_ring_enqueue_spsc_reading(&ck.ring, ck.slots, &r))
			sent++;
		else
			sched_yield();
	}
	pthread_join(thread, NULL);
	double lasted = bench_seconds() - began;
	free(ck.slots);
	return ck.sum == READINGS ? READINGS / lasted / 1e6 : 0;
}
#endif

int main(void)
{
#ifdef HAVE_CK
	double ours[RUNS], theirs[RUNS];
	pin(0);
	for (int i = 0; i < RUNS; i++) {
		ours[i] = run_ours();
		theirs[i] = run_ck();
	}
	double a = bench_percentile(ours, RUNS, 0.5), b = bench_percentile(theirs, RUNS, 0.5);
	printf("ring, 1 producer, 2 readers: %.1f million readings/s (%.1f to %.1f)\n", a, ours[0],
	       ours[RUNS - 1]);
	printf("ck_ring spsc, 1 producer, 1 reader: %.1f million readings/s (%.1f to %.1f)\n", b,
	       theirs[0], theirs[RUNS - 1]);
	printf("ratio %.2f; median of %d interleaved runs of %d readings, %d slots of 64 bytes\n",
	       a / b, RUNS, READINGS, SLOTS);
	puts("ours is written and read in place and in batches (32 written, all that is there "
	     "read);"
	     " ck_ring copies one record a call");
	return 0;
#else
	(void)run_ours;
	puts("libck is not there: nothing to compare with");
	return 77;
#endif
}
