/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sealer: one thread that signs where the chains stand.
 *
 * At the start, every minute, a second at most after each event of the ledger, when a day begins
 * and at a clean stop it asks the store for the heads of both chains, signs them in a line of
 * directory/seals/YYYY-MM-DD.seals (the day of the line, in the node's zone), and makes the line
 * durable. Every hour the key rolls (seal/keys.h). What the chains hold behind the last seal can be
 * altered by whoever is root: that is the minute; by the key in use what was sealed since it
 * rolled: that is the hour (ducha-evidence(7), LIMITS).
 *
 * It may be held up by the disk for any time, and nobody waits for it but the stop. A full disk is
 * said once and tried again.
 */
#include "core/plan.h"
#include "core/sealline.h"

struct sealer;

/* The last seal, and what names it. */
struct sealed {
	struct seal_line line;
	uint8_t hash[CHAIN_HASH_BYTES]; /* of the whole line: what an office keeps as an anchor */
};

struct sealer_setup {
	const char *directory;
	const char *node;
	const struct zone *zone;
	int64_t every_ms, roll_ms; /* 0: a minute, an hour */
	/* where the chains stand on disk; no disk is asked */
	void (*heads)(void *context, struct chain_head *daybook, struct chain_head *ledger);
	/* after each seal, on the sealer's thread; may be NULL */
	void (*sealed)(void *context, const struct sealed *last);
	void (*fatal)(void *context); /* an fsync failed: the daemon must end */
	void *context;
};

/** sealer_new() - open the seals and the key, and seal once. Return: 0, negative errno, 1 for a
 * failed fsync. */
int sealer_new(struct sealer **out, const struct sealer_setup *setup);
struct sealer *sealer_free(struct sealer *sealer);
int sealer_start(struct sealer *sealer);
/** sealer_wake() - something is to be sealed soon (any thread) */
void sealer_wake(struct sealer *sealer);
/** sealer_await() - have sealed what the chains hold up to @batch and @entry (any thread but its
 * own)
 * @within_ms: so long at most. Return: false: it is not sealed. */
bool sealer_await(struct sealer *sealer, int64_t batch, int64_t entry, int64_t within_ms);
/**
 * sealer_sign() - sign what leaves the node by the key in use (any thread; held up by a roll)
 * @bytes: of a kind that begins like no seal and no key's line
 * Return: 0, -EIO.
 */
int sealer_sign(struct sealer *sealer, const void *bytes, size_t n,
		uint8_t signature[SEAL_SIGNATURE_BYTES], uint8_t public[SEAL_PUBLIC_BYTES]);
/** sealer_last() - (any thread) */
void sealer_last(struct sealer *sealer, struct sealed *out);
/** sealer_amiss() - did what sealer_new() found lack what seals or keys name, or have seals under a
 * name that no daemon gives? Said in the log (any thread). */
bool sealer_amiss(const struct sealer *sealer);
/** sealer_stop() - end the thread; @seal: after a last seal, for which all else must have ended */
void sealer_stop(struct sealer *sealer, bool seal);
