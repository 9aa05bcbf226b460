/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Evidence: what follows from a seal. Ties the sealer to the store: where the chains stand, the
 * digests of cases that have come to rest, and now and then (ten minutes) an anchor.
 *
 * All of it runs on the sealer's thread, which may be held up by the disk.
 */
#include "seal/sealer.h"
#include "store/daybook.h"
#include "store/ledger.h"

struct evidence;

struct evidence_setup {
	const char *directory;
	const struct plan *plan;
	struct daybook *daybook;
	struct ledger *ledger;
	int64_t anchor_ms; /* a seal's hash is announced so often */
	/* are readings judged that are not recorded yet? Asked once there are readings. */
	bool (*unrecorded)(void *context);
	void (*fatal)(void *context); /* an fsync failed */
	void *context;
};

/** evidence_new() - open the seals, and seal once. Return: 0, negative errno, 1 failed fsync. */
int evidence_new(struct evidence **out, const struct evidence_setup *setup);
struct evidence *evidence_free(struct evidence *evidence);
int evidence_start(struct evidence *evidence);
/** evidence_succeed() - go on under the next plan (main thread; waits for a digest under way)
 * Return: 0; negative errno: it goes by the old one still. */
int evidence_succeed(struct evidence *evidence, const struct plan *plan, int64_t anchor_ms);
/** evidence_stop() - after all else has ended: a last seal */
void evidence_stop(struct evidence *evidence);
/** evidence_await() - as sealer_await() */
bool evidence_await(struct evidence *evidence, int64_t batch, int64_t entry, int64_t within_ms);
/** evidence_last() - as sealer_last() */
void evidence_last(struct evidence *evidence, struct sealed *out);
/** evidence_amiss() - as sealer_amiss() */
bool evidence_amiss(const struct evidence *evidence);
/** evidence_sign() - as sealer_sign() */
int evidence_sign(struct evidence *evidence, const void *bytes, size_t n,
		  uint8_t signature[SEAL_SIGNATURE_BYTES], uint8_t public[SEAL_PUBLIC_BYTES]);
