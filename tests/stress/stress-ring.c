/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ring under load: one producer that pushes singly and in batches, two readers at changing speeds,
 * one of which now and then gives back what it took. Each reader sees every number that was not
 * refused, once, in order, with the contents that were written for it, and all of them together
 * with the refused ones are what was sent. Small rings, so that it is full and empty all the time.
 *
 * stress-ring [SECONDS]; meant for the thread sanitizer, which sees a release that is missing.
 */
#include "flow/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct load {
	struct ring ring;
	_Atomic bool done;
	int64_t until_ns;
	uint64_t sent, refused;
};

struct reader {
	struct load *load;
	enum ring_reader who;
	uint64_t got, last, faults;
};

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static struct reading made(uint64_t seq)
{
	uint64_t h = mix(seq);
	return (struct reading){.seq = seq,
				.measured_ms = (int64_t)h,
				.received_ms = (int64_t)(h ^ seq),
				.value = (double)(seq & 0xffffff),
				.raw = ~h,
				.monitor = (uint32_t)h,
				.flag = 'N'};
}

static bool whole(const struct reading *r)
{
	struct reading m = made(r->seq);
	return r->measured_ms == m.measured_ms && r->received_ms == m.received_ms &&
	       r->value == m.value && r->raw == m.raw && r->monitor == m.monitor &&
	       r->flag == m.flag;
}

/* Return: how many of @wanted fitted. */
static size_t send_batch(struct load *l, uint64_t first, size_t wanted)
{
	size_t n;
	struct reading *slots = ring_reserve(&l->ring, wanted, &n);
	for (size_t i = 0; i < n; i++)
		slots[i] = made(first + i);
	if (n > 0)
		ring_publish(&l->ring, n);
	return n;
}

static void *produce(void *context)
{
	struct load *l = context;
	for (uint64_t round = 0; (round & 1023) != 0 || now_ns() < l->until_ns; round++) {
		size_t wanted = 1 + mix(round) % 24;
		if (round % 3 == 0) {
			struct reading r = made(++l->sent);
			l->refused += !ring_push(&l->ring, &r);
		} else {
			size_t n = send_batch(l, l->sent + 1, wanted);
			l->sent += wanted;
			l->refused += wanted - n;
		}
		if (mix(round) % 64 == 0)
			sched_yield();
	}
	atomic_store(&l->done, true);
	return NULL;
}

static void check(struct reader *r, const struct reading *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (at[i].seq <= r->last || !whole(&at[i])) {
			if (r->faults++ < 5)
				fprintf(stderr, "reader %d: %llu after %llu\n", r->who,
					(unsigned long long)at[i].seq, (unsigned long long)r->last);
		}
		r->last = at[i].seq;
	}
	r->got += n;
}

static void *read_all(void *context)
{
	struct reader *r = context;
	struct ring *ring = &r->load->ring;
	for (uint64_t round = 0;; round++) {
		size_t n;
		bool done = atomic_load(&r->load->done);
		const struct reading *at = ring_peek(ring, r->who, &n);
		if (n == 0 && done)
			return NULL;
		if (n == 0) {
			sched_yield();
			continue;
		}
		if (mix(round) % 3 == 0 && n > 1)
			n = 1 + n / 2;
		if (r->who == RING_RECORDER && mix(round) % 7 == 0) {
			ring_take(ring, r->who, n);
			ring_give_back(ring, r->who);
			continue;
		}
		check(r, at, n);
		ring_take(ring, r->who, n);
		ring_release(ring, r->who);
		if (mix(round + 77) % 128 == 0)
			sched_yield();
	}
}

static bool loaded(size_t slots, double seconds)
{
	static struct load load;
	load = (struct load){.until_ns = now_ns() + (int64_t)(seconds * 1e9)};
	if (ring_init(&load.ring, slots) < 0)
		return false;
	struct reader readers[] = {{.load = &load, .who = RING_JUDGE},
				   {.load = &load, .who = RING_RECORDER}};
	pthread_t producer, threads[2];
	pthread_create(&threads[0], NULL, read_all, &readers[0]);
	pthread_create(&threads[1], NULL, read_all, &readers[1]);
	pthread_create(&producer, NULL, produce, &load);
	pthread_join(producer, NULL);
	bool good = load.sent > 0;
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
		good &= readers[i].faults == 0 && readers[i].got + load.refused == load.sent;
	}
	printf("%zu slots: sent %llu, refused %llu, judge %llu, recorder %llu: %s\n", slots,
	       (unsigned long long)load.sent, (unsigned long long)load.refused,
	       (unsigned long long)readers[0].got, (unsigned long long)readers[1].got,
	       good ? "ok" : "WRONG");
	ring_deinit(&load.ring);
	return good;
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {2, 16, 1024};
	double seconds = argc > 1 ? atof(argv[1]) : 3;
	bool good = true;
	for (int i = 0; i < 3; i++)
		good &= loaded(sizes[i], seconds / 3);
	return good ? 0 : 1;
}
