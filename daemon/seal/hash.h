/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Hash: SHA-256 of what comes in pieces, by OpenSSL. One thread an object.
 */
#include "core/chain.h"

struct hash;

int hash_new(struct hash **out); /* Return: 0, -ENOMEM */
struct hash *hash_free(struct hash *hash);
/** hash_begin(), hash_add(), hash_end() - what cannot be computed is remembered, and hash_end()
 * gives it back. Return: 0, -EIO. */
void hash_begin(struct hash *hash);
void hash_add(struct hash *hash, const void *bytes, size_t n);
int hash_end(struct hash *hash, uint8_t out[CHAIN_HASH_BYTES]);
/** hash_link() - begin a link of a chain, behind @former */
void hash_link(struct hash *hash, const uint8_t former[CHAIN_HASH_BYTES]);
/** hash_entry() - the link that one entry of the ledger makes; @head moves on to it */
int hash_entry(struct hash *hash, struct chain_head *head, const struct chain_entry *entry);
/** hash_bytes() - of one piece. Return: 0, -EIO. */
int hash_bytes(const void *bytes, size_t n, uint8_t out[CHAIN_HASH_BYTES]);
