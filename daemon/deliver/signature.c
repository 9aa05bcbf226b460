/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/signature.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SECRETS = 8, LEAST_BYTES = 24, MOST_BYTES = 64, SEED_BYTES = 32 };

struct signer {
	struct secret {
		unsigned char bytes[MOST_BYTES];
		size_t n;
	} secrets[MOST_SECRETS];
	size_t n_secrets;
	EVP_PKEY *key; /* NULL: none */
};

/* Return: how many bytes; 0 where it is not base64, or of more than MOST_BYTES. */
static size_t decode(const char *text, size_t length, unsigned char out[MOST_BYTES])
{
	unsigned char bytes[MOST_BYTES + 8];
	size_t padding = 0;
	if (length == 0 || length % 4 != 0 || length > sizeof bytes / 3 * 4)
		return 0;
	while (padding < 2 && text[length - 1 - padding] == '=')
		padding++;
	int n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	size_t size = n < 0 ? 0 : (size_t)n - padding;
	if (size > MOST_BYTES)
		size = 0;
	memcpy(out, bytes, size);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return size;
}

static const char *without(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);
	return strncmp(text, prefix, length) == 0 ? text + length : text;
}

static int add_secrets(struct signer *signer, const char *text)
{
	for (;;) {
		text += strspn(text, " ");
		if (*text == '\0')
			return signer->n_secrets > 0 ? 0 : -EINVAL;
		if (signer->n_secrets == MOST_SECRETS)
			return -EINVAL;
		struct secret *secret = &signer->secrets[signer->n_secrets++];
		text = without(text, "whsec_");
		size_t length = strcspn(text, " ");
		secret->n = decode(text, length, secret->bytes);
		if (secret->n < LEAST_BYTES)
			return -EINVAL;
		text += length;
	}
}

static int add_key(struct signer *signer, const char *text)
{
	unsigned char bytes[MOST_BYTES];
	text = without(text, "whsk_");
	size_t n = decode(text, strlen(text), bytes);
	if (n == SEED_BYTES || n == SEED_BYTES * 2)
		signer->key =
			EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, SEED_BYTES);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return signer->key == NULL ? -EINVAL : 0;
}

int signer_new(struct signer **out, const char *secrets, const char *key)
{
	struct signer *signer = calloc(1, sizeof *signer);
	int rc = signer == NULL ? -ENOMEM : 0;
	if (rc == 0 && secrets != NULL)
		rc = add_secrets(signer, secrets);
	if (rc == 0 && key != NULL)
		rc = add_key(signer, key);
	if (rc != 0)
		signer_free(signer);
	else
		*out = signer;
	return rc;
}

struct signer *signer_free(struct signer *signer)
{
	if (signer == NULL)
		return NULL;
	EVP_PKEY_free(signer->key);
	OPENSSL_cleanse(signer, sizeof *signer);
	free(signer);
	return NULL;
}

static void add_signature(struct text *out, const char *version, const unsigned char *bytes,
			  size_t n)
{
	unsigned char text[(EVP_MAX_MD_SIZE + 2) / 3 * 4 + 1];
	int length = EVP_EncodeBlock(text, bytes, (int)n);
	text_add(out, out->length > 0 ? " " : "");
	text_add(out, version);
	text_add_n(out, (const char *)text, (size_t)length);
}

static void sign_secret(const struct secret *secret, const struct text *content, struct text *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	if (HMAC(EVP_sha256(), secret->bytes, (int)secret->n, (const unsigned char *)content->at,
		 content->length, digest, &n) == NULL)
		out->failed = true;
	else
		add_signature(out, "v1,", digest, n);
}

static void sign_key(EVP_PKEY *key, const struct text *content, struct text *out)
{
	unsigned char signature[64];
	size_t n = sizeof signature;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(context, signature, &n, (const unsigned char *)content->at,
			   content->length) != 1)
		out->failed = true;
	else
		add_signature(out, "v1a,", signature, n);
	EVP_MD_CTX_free(context);
}

void signer_sign(const struct signer *signer, const char *id, int64_t timestamp_s, const char *body,
		 size_t length, struct text *out)
{
	struct text content = {0};
	text_format(&content, "%s.%lld.", id, (long long)timestamp_s);
	text_add_n(&content, body, length);
	if (content.failed)
		out->failed = true;
	for (size_t i = 0; !content.failed && i < signer->n_secrets; i++)
		sign_secret(&signer->secrets[i], &content, out);
	if (!content.failed && signer->key != NULL)
		sign_key(signer->key, &content, out);
	text_deinit(&content);
}

void signer_public(const struct signer *signer, struct text *out)
{
	unsigned char bytes[SEED_BYTES], text[(SEED_BYTES + 2) / 3 * 4 + 1];
	size_t n = sizeof bytes;
	if (signer->key == NULL || EVP_PKEY_get_raw_public_key(signer->key, bytes, &n) != 1)
		return;
	text_add(out, "whpk_");
	text_add_n(out, (const char *)text, (size_t)EVP_EncodeBlock(text, bytes, (int)n));
}
