/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Verify: is a store what was sealed? Reads a directory, live or copied, and nothing else.
 *
 * A room of its own that the operator's tool sees, too, since whoever doubts a daemon does not ask
 * it: it shares with the daemon the canonical bytes, the statements that read what is chained, and
 * the two hash and signature calls, and no state. It stops at the first bad place and names it.
 *
 * In this order, so that what a live daemon adds meanwhile is never missed: the seals (each signed
 * by its hour's key, each naming the one before it), the ledger's chain and the rows it speaks of,
 * the daybook's files. What was sealed must be there unchanged. What is behind the last seal may
 * be no older than a daemon's minute.
 */
#include "core/sealline.h"

enum verify_result {
	VERIFY_CLEAN = 0,
	VERIFY_BAD = 1, /* said */
};

struct verify_setup {
	const char *directory;
	const char *const *anchors; /* hex hashes that left the node; each must be found */
	size_t n_anchors;
	const char
		*trusted; /* hex of a public key that may sign itself beside the first; or NULL */
	/* @bad: the first bad place; else what a reader should know, such as a gap. A sentence. */
	void (*say)(void *context, bool bad, const char *sentence);
	void *context;
};

/* What was read, for a summary. */
struct verify_sum {
	int64_t keys, seals, entries, batches, readings, gaps;
	int64_t frames; /* bytes of frames */
	int64_t attachments;
	int64_t unsealed; /* batches behind the last seal */
	uint8_t first_key[SEAL_PUBLIC_BYTES];
	struct seal_line last; /* number 0: no seal */
	uint8_t last_hash[CHAIN_HASH_BYTES];
};

/** verify_store() - Return: enum verify_result, or negative errno where it cannot be read */
int verify_store(const struct verify_setup *setup, struct verify_sum *sum);
