/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The links of the daybook's chain as the bytes that were hashed, so that sha256sum can follow them
 * without knowing what they hold.
 */
#include "core/chain.h"
#include "core/text.h"

#include <stdint.h>

/**
 * evidence_links() - from batch @from to batch @until, in order
 * @fn: one link: its number, its bytes, and the hash that the daybook has of it; Return: false to
 *      stop
 * @directory: of the store
 * Return: 0, negative errno.
 */
int evidence_links(const char *directory, int64_t from, int64_t until,
		   bool (*fn)(void *context, int64_t batch, const struct text *bytes,
			      const uint8_t hash[CHAIN_HASH_BYTES]),
		   void *context);
/** evidence_batch() - *batch: the one that holds reading @sequence, 0: none */
int evidence_batch(const char *directory, int64_t sequence, int64_t *batch);
/** evidence_named() - *named: the batch that brought a monitor's name in the file that has @batch;
 * 0: none did */
int evidence_named(const char *directory, int64_t batch, const char *site, const char *factor,
		   int64_t *named);
