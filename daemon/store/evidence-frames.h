/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The frames that batches of the daybook brought, read back as bytes (core/frame.h).
 */
#include "core/chain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one batch brought. */
struct evidence_batch_frames {
	int64_t batch;
	const char *file; /* of the daybook, such as "2026-01-02.db" */
	const uint8_t
		*bytes; /* whole records; NULL: their file is gone, or shorter than it should be */
	size_t n;
	uint8_t digest[CHAIN_HASH_BYTES]; /* as the daybook has it */
};
/* Return: false to stop. */
typedef bool (*evidence_frames_fn)(void *context, const struct evidence_batch_frames *frames);

/**
 * evidence_frames() - of each batch from @from to @until that brought some, in order
 * @directory: of the store
 * Return: 0, negative errno.
 */
int evidence_frames(const char *directory, int64_t from, int64_t until, evidence_frames_fn fn,
		    void *context);
