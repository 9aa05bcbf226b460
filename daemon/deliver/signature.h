/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Signature: the webhook-signature header of the Standard Webhooks specification 1.0.0.
 *
 * "v1,BASE64" is HMAC-SHA256 and "v1a,BASE64" Ed25519, each over "ID.TIMESTAMP.BODY". There is one
 * for each secret, so that a receiver can change to a new one without a gap. Secrets are wiped when
 * they are freed. No clock, no file; any thread may sign.
 */
#include "core/text.h"

struct signer;

/**
 * signer_new() - take the keys over as the specification writes them
 * @secrets: "whsec_BASE64", one or more behind each other with spaces, of 24 to 64 bytes each; the
 *           prefix may be missing; NULL: none
 * @key: "whsk_BASE64", the 32 bytes of an Ed25519 seed, or those and the public key's; NULL: none
 * Return: 0; -EINVAL where one is none of that; -ENOMEM.
 */
int signer_new(struct signer **out, const char *secrets, const char *key);
struct signer *signer_free(struct signer *signer);
/** signer_sign() - add the header's value to @out, which fails if it cannot. @id: without '.' */
void signer_sign(const struct signer *signer, const char *id, int64_t timestamp_s, const char *body,
		 size_t length, struct text *out);
/** signer_public() - add "whpk_BASE64", for the receiver; nothing without an Ed25519 key */
void signer_public(const struct signer *signer, struct text *out);
