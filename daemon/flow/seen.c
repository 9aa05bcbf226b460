/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/seen.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_MARKS = 4096 / sizeof(uint64_t) };

int seen_init(struct seen *seen, size_t most)
{
	*seen = (struct seen){.most = most};
	if (most == 0)
		return 0;
	for (seen->slots = 1; seen->slots < 2 * most;)
		seen->slots *= 2;
	seen->older = calloc(seen->slots, sizeof *seen->older);
	seen->newer = calloc(seen->slots, sizeof *seen->newer);
	return seen->older != NULL && seen->newer != NULL ? 0 : -ENOMEM;
}

void seen_deinit(struct seen *seen)
{
	free(seen->older);
	free(seen->newer);
	*seen = (struct seen){0};
}

/* The finalizer of SplitMix64. */
static uint64_t stir(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* FNV-1a, the NUL included: it parts the two names. */
static uint64_t add_text(uint64_t hash, const char *text)
{
	do
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	while (*text++ != '\0');
	return hash;
}

uint64_t seen_whose(const char *site, const char *factor)
{
	return add_text(add_text(UINT64_C(0xcbf29ce484222325), site), factor);
}

uint64_t seen_mark(uint64_t whose, int64_t ms, double value)
{
	double plain = isnan(value) ? NAN : value + 0.0; /* no two zeros */
	uint64_t bits;
	memcpy(&bits, &plain, sizeof bits);
	uint64_t mark = stir(stir(whose + (uint64_t)ms) ^ bits);
	return mark != 0 ? mark : 1; /* 0 is an empty slot */
}

/* Where the mark is, or where it would be. */
static size_t place(const struct seen *seen, const uint64_t *table, uint64_t mark)
{
	size_t i = mark & (seen->slots - 1);
	while (table[i] != 0 && table[i] != mark)
		i = (i + 1) & (seen->slots - 1);
	return i;
}

/* All of it with the first mark: the daemon is not to grow hours later. */
static void take_memory(struct seen *seen)
{
	for (size_t i = 0; i < seen->slots; i += PAGE_MARKS) {
		((volatile uint64_t *)seen->older)[i] = 0;
		((volatile uint64_t *)seen->newer)[i] = 0;
	}
	seen->taken = true;
}

void seen_add(struct seen *seen, uint64_t mark)
{
	if (seen->most == 0)
		return;
	if (!seen->taken)
		take_memory(seen);
	if (seen->n == seen->most) {
		uint64_t *emptied = seen->older;
		memset(emptied, 0, seen->slots * sizeof *emptied);
		seen->older = seen->newer;
		seen->newer = emptied;
		seen->n = 0;
	}
	size_t i = place(seen, seen->newer, mark);
	seen->n += seen->newer[i] == 0;
	seen->newer[i] = mark;
}

bool seen_has(const struct seen *seen, uint64_t mark)
{
	return seen->most != 0 && (seen->newer[place(seen, seen->newer, mark)] == mark ||
				   seen->older[place(seen, seen->older, mark)] == mark);
}
