/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Seal lines: what is signed, as text that a person and `openssl pkeyutl` can read.
 *
 *   seal 1 ALGORITHMS NODE NUMBER TIME_MS KEY REASON BATCH HASH ENTRY HASH PREVIOUS SIGNATURE
 *   key 1 ALGORITHMS NODE NUMBER TIME_MS SEAL PUBLIC PREVIOUS SIGNATURE
 *
 * Fields are parted by one blank; the signature is over all that stands before the last blank.
 * A seal names where the daybook's chain stood (batch, hash) and the ledger's (entry, hash), and
 * the SHA-256 of the seal line before it. A key line names the seal from which on the key signs
 * (SEAL), and is signed by the key before it, the first by itself. ALGORITHMS is
 * ed25519-sha256; another pair, such as sm2-sm3, is another word there.
 */
#include "core/chain.h"
#include "core/text.h"

enum {
	SEAL_PUBLIC_BYTES = 32,
	SEAL_SIGNATURE_BYTES = 64,
	SEAL_NODE_BYTES = 72,
	SEAL_LINE_MOST = 1024,
};
#define SEAL_ALGORITHMS "ed25519-sha256"

enum seal_reason { SEAL_START, SEAL_TIME, SEAL_EVENT, SEAL_MIDNIGHT, SEAL_STOP, SEAL_REASONS };
const char *seal_reason_name(enum seal_reason reason);

struct seal_line {
	char node[SEAL_NODE_BYTES];
	int64_t number, time_ms, key;
	enum seal_reason reason;
	struct chain_head daybook, ledger;
	uint8_t previous[CHAIN_HASH_BYTES]; /* 0 of the first */
	uint8_t signature[SEAL_SIGNATURE_BYTES];
};

struct key_line {
	char node[SEAL_NODE_BYTES];
	int64_t number, time_ms, seal;
	uint8_t public[SEAL_PUBLIC_BYTES];
	uint8_t previous[CHAIN_HASH_BYTES];
	uint8_t signature[SEAL_SIGNATURE_BYTES];
};

/** seal_line_text(), key_line_text() - what is signed: the line without its signature */
void seal_line_text(struct text *out, const struct seal_line *seal);
void key_line_text(struct text *out, const struct key_line *key);
/** line_signature() - add the blank and the signature (no line end) */
void line_signature(struct text *out, const uint8_t signature[SEAL_SIGNATURE_BYTES]);

/**
 * seal_line_parse(), key_line_parse() - one line without its line end, as those above write it
 * @signed_length: out: how many bytes of it are signed
 * Return: NULL, or a sentence that says what is wrong. Any bytes may come.
 */
const char *seal_line_parse(const char *line, size_t length, struct seal_line *out,
			    size_t *signed_length);
const char *key_line_parse(const char *line, size_t length, struct key_line *out,
			   size_t *signed_length);
