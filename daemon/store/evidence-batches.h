/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Which batch of the daybook holds a reading: with it a reading has the clock's state of its
 * commit.
 */
#include <stddef.h>
#include <stdint.h>

struct evidence_place {
	int64_t sequence, batch; /* batch 0: in none that is there */
};

/**
 * evidence_places() - find the batch of each
 * @directory: of the store
 * @at: in any order; afterwards by sequence
 * Return: 0, negative errno.
 */
int evidence_places(const char *directory, struct evidence_place *at, size_t n);
/** evidence_place() - the batch of @sequence, 0: it is not among these. By sequence, as
 * evidence_places() left them. */
int64_t evidence_place(const struct evidence_place *at, size_t n, int64_t sequence);
