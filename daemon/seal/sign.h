/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sign: Ed25519 (RFC 8032) by OpenSSL. The secret is 32 bytes and is wiped from memory with its
 * key.
 */
#include "core/sealline.h"

enum { SIGN_SECRET_BYTES = 32 };

struct sign_key;

/** sign_make() - a new key from the system's random source. Return: 0, -EIO. */
int sign_make(struct sign_key **out);
/** sign_take() - the key of a secret. Return: 0, -EINVAL. */
int sign_take(struct sign_key **out, const uint8_t secret[SIGN_SECRET_BYTES]);
struct sign_key *sign_free(struct sign_key *key);

/** sign_secret() - a copy, to be wiped with sign_wipe() */
int sign_secret(const struct sign_key *key, uint8_t out[SIGN_SECRET_BYTES]);
int sign_public(const struct sign_key *key, uint8_t out[SEAL_PUBLIC_BYTES]);
int sign_bytes(const struct sign_key *key, const void *bytes, size_t n,
	       uint8_t out[SEAL_SIGNATURE_BYTES]);
/** sign_verify() - is it the signature of these bytes by the holder of the secret of @public? */
bool sign_verify(const uint8_t public[SEAL_PUBLIC_BYTES], const void *bytes, size_t n,
		 const uint8_t signature[SEAL_SIGNATURE_BYTES]);
void sign_wipe(void *bytes, size_t n);
