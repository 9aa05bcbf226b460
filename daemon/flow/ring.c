/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int ring_init(struct ring *ring, size_t slots)
{
	if (slots < 2 || (slots & (slots - 1)) != 0)
		return -EINVAL;
	memset(ring, 0, sizeof *ring);
	void *pages = mmap(NULL, slots * sizeof *ring->slots, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return -errno;
	ring->slots = pages;
	ring->mask = slots - 1;
	ring->free_until = slots;
	return 0;
}

void ring_deinit(struct ring *ring)
{
	if (ring->slots != NULL)
		(void)munmap(ring->slots, ring_slots(ring) * sizeof *ring->slots);
	ring->slots = NULL;
}

/* Look where the readers are. Acquire pairs with the release in ring_release(): what a reader read
 * in a slot happened before we write there again. */
static void look_at_readers(struct ring *ring)
{
	uint64_t slowest = UINT64_MAX;
	for (int i = 0; i < RING_READERS; i++) {
		uint64_t passed =
			atomic_load_explicit(&ring->cursor[i].passed, memory_order_acquire);
		if (passed < slowest)
			slowest = passed;
	}
	ring->free_until = slowest + ring->mask + 1;
}

struct reading *ring_reserve(struct ring *ring, size_t wanted, size_t *n)
{
	if (ring->free_until - ring->next < wanted)
		look_at_readers(ring);
	uint64_t at = ring->next & ring->mask;
	uint64_t room = ring->free_until - ring->next, to_end = ring->mask + 1 - at;
	*n = wanted;
	if (*n > room)
		*n = room;
	if (*n > to_end)
		*n = to_end;
	return *n == 0 ? NULL : &ring->slots[at];
}

static uint64_t chunk_of(uint64_t slot)
{
	return slot - slot % RING_CHUNK_SLOTS;
}

/* Chunks that both readers have passed and that hold nothing newer: the one being filled follows
 * them, and what lies a whole ring behind it is the same memory. */
static void shed(struct ring *ring)
{
	look_at_readers(ring);
	uint64_t slots = ring->mask + 1, until = chunk_of(ring->free_until - slots);
	uint64_t oldest = chunk_of(ring->next) + RING_CHUNK_SLOTS;
	if (oldest > slots && ring->shed_until < oldest - slots)
		ring->shed_until = oldest - slots;
	for (; ring->shed_until < until; ring->shed_until += RING_CHUNK_SLOTS)
		(void)madvise(&ring->slots[ring->shed_until & ring->mask],
			      RING_CHUNK_SLOTS * sizeof *ring->slots, MADV_DONTNEED);
}

/* Release pairs with the acquire in ring_peek(): the slots are filled before their count shows. */
void ring_publish(struct ring *ring, size_t n)
{
	uint64_t before = ring->next;
	ring->next += n;
	atomic_store_explicit(&ring->head, ring->next, memory_order_release);
	if (chunk_of(before) != chunk_of(ring->next) && ring->mask >= 4 * RING_CHUNK_SLOTS)
		shed(ring);
}

bool ring_push(struct ring *ring, const struct reading *reading)
{
	size_t n;
	struct reading *slot = ring_reserve(ring, 1, &n);
	if (slot == NULL) {
		atomic_fetch_add_explicit(&ring->refused, 1, memory_order_relaxed);
		return false;
	}
	*slot = *reading;
	ring_publish(ring, 1);
	return true;
}

const struct reading *ring_peek(struct ring *ring, enum ring_reader who, size_t *n)
{
	struct ring_cursor *c = &ring->cursor[who];
	if (c->head == c->taken)
		c->head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint64_t at = c->taken & ring->mask;
	uint64_t ready = c->head - c->taken, to_end = ring->mask + 1 - at;
	*n = ready < to_end ? ready : to_end;
	return &ring->slots[at];
}

void ring_take(struct ring *ring, enum ring_reader who, size_t n)
{
	ring->cursor[who].taken += n;
}

/* Release pairs with the acquire in look_at_readers(): we are done reading before it is written. */
void ring_release(struct ring *ring, enum ring_reader who)
{
	struct ring_cursor *c = &ring->cursor[who];
	atomic_store_explicit(&c->passed, c->taken, memory_order_release);
}

void ring_give_back(struct ring *ring, enum ring_reader who)
{
	struct ring_cursor *c = &ring->cursor[who];
	c->taken = atomic_load_explicit(&c->passed, memory_order_relaxed);
}

uint64_t ring_used(const struct ring *ring, enum ring_reader who)
{
	uint64_t passed = atomic_load_explicit(&ring->cursor[who].passed, memory_order_acquire);
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	return head - passed;
}

size_t ring_slots(const struct ring *ring)
{
	return ring->mask + 1;
}
