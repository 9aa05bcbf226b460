/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The frames that batches of the daybook brought, read back as bytes (core/frame.h).
 */
#include "core/chain.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * evidence_frames() - of each batch from @from to @until that brought some, in order
 * @fn: whole records, and the digest that the daybook has of them; NULL where their file is gone,
 * or shorter than the batch says; Return: false to stop
 * @directory: of the store
 * Return: 0, negative errno.
 */
int evidence_frames(const char *directory, int64_t from, int64_t until,
		    bool (*fn)(void *context, int64_t batch, const uint8_t *bytes, size_t n,
			       const uint8_t digest[CHAIN_HASH_BYTES]),
		    void *context);
