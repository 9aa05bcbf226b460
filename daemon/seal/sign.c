/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/sign.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/* An EVP_PKEY under our own name: nobody else needs OpenSSL's headers. */
static EVP_PKEY *pkey(const struct sign_key *key)
{
	union {
		const struct sign_key *ours;
		EVP_PKEY *theirs;
	} u = {key};
	return u.theirs;
}

int sign_make(struct sign_key **out)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	*out = (struct sign_key *)key;
	return key != NULL ? 0 : -EIO;
}

int sign_take(struct sign_key **out, const uint8_t secret[SIGN_SECRET_BYTES])
{
	EVP_PKEY *key =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, SIGN_SECRET_BYTES);

	*out = (struct sign_key *)key;
	return key != NULL ? 0 : -EINVAL;
}

struct sign_key *sign_free(struct sign_key *key)
{
	EVP_PKEY_free(pkey(key));
	return NULL;
}

int sign_secret(const struct sign_key *key, uint8_t out[SIGN_SECRET_BYTES])
{
	size_t n = SIGN_SECRET_BYTES;

	return EVP_PKEY_get_raw_private_key(pkey(key), out, &n) == 1 ? 0 : -EIO;
}

int sign_public(const struct sign_key *key, uint8_t out[SEAL_PUBLIC_BYTES])
{
	size_t n = SEAL_PUBLIC_BYTES;

	return EVP_PKEY_get_raw_public_key(pkey(key), out, &n) == 1 ? 0 : -EIO;
}

int sign_bytes(const struct sign_key *key, const void *bytes, size_t n,
	       uint8_t out[SEAL_SIGNATURE_BYTES])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t length = SEAL_SIGNATURE_BYTES;

	bool good = context != NULL &&
		    EVP_DigestSignInit(context, NULL, NULL, NULL, pkey(key)) == 1 &&
		    EVP_DigestSign(context, out, &length, bytes, n) == 1;
	EVP_MD_CTX_free(context);
	return good ? 0 : -EIO;
}

bool sign_verify(const uint8_t public[SEAL_PUBLIC_BYTES], const void *bytes, size_t n,
		 const uint8_t signature[SEAL_SIGNATURE_BYTES])
{
	EVP_PKEY *key =
		EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, SEAL_PUBLIC_BYTES);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	bool good = key != NULL && context != NULL &&
		    EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, SEAL_SIGNATURE_BYTES, bytes, n) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

void sign_wipe(void *bytes, size_t n)
{
	OPENSSL_cleanse(bytes, n);
}
