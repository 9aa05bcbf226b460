/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Seen: which samples with a time of their own came through a door, to know one that a sender
 * repeats because it never got, or never took, the acknowledgement.
 *
 * A sample is a mark of 64 bits. There are two tables: the newer one is filled, and when it is full
 * the older one is emptied and becomes the newer. So the newest @most are always known, and at most
 * twice as many; nothing is ever searched for or moved.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
	uint64_t *older, *newer;
	size_t most, slots, n; /* slots: a power of two; n: marks in the newer */
	bool taken;            /* the memory, from the kernel */
};

/** seen_init() - @most 0: nothing is kept. Return: 0, -ENOMEM. */
int seen_init(struct seen *seen, size_t most);
void seen_deinit(struct seen *seen);

/** seen_whose() - whose samples they are, the same under any plan */
uint64_t seen_whose(const char *site, const char *factor);
/** seen_mark() - @value: NAN where the sample has none */
uint64_t seen_mark(uint64_t whose, int64_t ms, double value);
void seen_add(struct seen *seen, uint64_t mark);
bool seen_has(const struct seen *seen, uint64_t mark);
