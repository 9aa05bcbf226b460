/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Keys: the key that seals now, and its roll to the next one.
 *
 * directory/seals/keys has the public keys for ever, each signed by the one before it;
 * directory/secret/seal.key (mode 0600, in a folder of mode 0700) has the one secret that is in
 * use. A roll keeps the new secret beside it, then signs the new public key with the old secret,
 * then overwrites the old secret: whoever takes the machine over later can sign nothing in the name
 * of an earlier hour. A kill at any moment leaves one secret that fits the last public key.
 *
 * Where no secret fits (a store that came back from a backup, which must not hold secrets), a key
 * begins anew that is signed by itself, and whoever verifies is told so.
 */
#include "seal/linefile.h"
#include "seal/sign.h"

#define KEYS_FOLDER "seals"
#define KEYS_FILE "keys"

struct keys {
	char folder[4200]; /* …/seals */
	char secret[4200]; /* …/secret */
	char node[SEAL_NODE_BYTES];
	struct sign_key *key;
	int64_t number, born_ms;        /* wall clock */
	uint8_t last[CHAIN_HASH_BYTES]; /* of the last key line */
	int64_t found_seal; /* from which the last key signs that was there at the opening; 0: none
			     */
	bool untidy;        /* the secret in use is still under the name of the next one */
};

/** keys_open() - find the key in use, or make the first
 * @seal: the number that the next seal will have. Return: 0, negative errno, LINE_FILE_FATAL. */
int keys_open(struct keys *keys, const char *directory, const char *node, int64_t seal,
	      int64_t now_ms);
void keys_close(struct keys *keys);
/** keys_roll() - seals from @seal on are signed by a new key. Return: as keys_open(); after an
 * error the old key goes on. */
int keys_roll(struct keys *keys, int64_t seal, int64_t now_ms);
/** keys_sign() - add the signature to @line */
int keys_sign(const struct keys *keys, struct text *line);
