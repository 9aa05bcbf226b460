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
	size_t byte;             /* where its record begins in its link; 0: nobody has looked */
};

/**
 * evidence_places() - find the batch of each
 * @directory: of the store
 * @at: in any order; afterwards by sequence
 * Return: 0, negative errno.
 */
int evidence_places(const char *directory, struct evidence_place *at, size_t n);
/** evidence_until() - *sequence: the newest reading of the batches up to @batch, of the files that
 * are there; 0: none. Return: 0, negative errno. */
int evidence_until(const char *directory, int64_t batch, int64_t *sequence);
/** evidence_place_find() - that of @sequence, NULL: it is not among these. By sequence, as
 * evidence_places() left them. */
struct evidence_place *evidence_place_find(const struct evidence_place *at, size_t n,
					   int64_t sequence);
/** evidence_place() - the batch of @sequence, 0: it is not among these */
int64_t evidence_place(const struct evidence_place *at, size_t n, int64_t sequence);
