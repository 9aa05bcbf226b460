/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct hash {
	EVP_MD *sha256; /* fetched once: looking it up takes longer than a short hash */
	EVP_MD_CTX *context;
	bool failed;
};

int hash_new(struct hash **out)
{
	struct hash *hash = calloc(1, sizeof *hash);

	*out = NULL;
	if (hash == NULL)
		return -ENOMEM;
	hash->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hash->context = EVP_MD_CTX_new();
	if (hash->sha256 == NULL || hash->context == NULL) {
		hash_free(hash);
		return -ENOMEM;
	}
	*out = hash;
	return 0;
}

struct hash *hash_free(struct hash *hash)
{
	if (hash == NULL)
		return NULL;
	EVP_MD_CTX_free(hash->context);
	EVP_MD_free(hash->sha256);
	free(hash);
	return NULL;
}

void hash_begin(struct hash *hash)
{
	hash->failed = EVP_DigestInit_ex2(hash->context, hash->sha256, NULL) != 1;
}

void hash_add(struct hash *hash, const void *bytes, size_t n)
{
	hash->failed = hash->failed || EVP_DigestUpdate(hash->context, bytes, n) != 1;
}

int hash_end(struct hash *hash, uint8_t out[CHAIN_HASH_BYTES])
{
	if (!hash->failed && EVP_DigestFinal_ex(hash->context, out, NULL) == 1)
		return 0;
	return -EIO;
}

void hash_link(struct hash *hash, const uint8_t former[CHAIN_HASH_BYTES])
{
	static const uint8_t prefix = CHAIN_PREFIX_LINK;

	hash_begin(hash);
	hash_add(hash, &prefix, 1);
	hash_add(hash, former, CHAIN_HASH_BYTES);
}

int hash_entry(struct hash *hash, struct chain_head *head, const struct chain_entry *entry)
{
	uint8_t bytes[CHAIN_ENTRY_BYTES];

	hash_link(hash, head->hash);
	hash_add(hash, bytes, (size_t)(chain_entry_bytes(bytes, entry) - bytes));
	int r = hash_end(hash, head->hash);
	if (r == 0)
		head->number = entry->number;
	return r;
}

int hash_bytes(const void *bytes, size_t n, uint8_t out[CHAIN_HASH_BYTES])
{
	return EVP_Digest(bytes, n, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}
