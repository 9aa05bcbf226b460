/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/officers.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TOKEN_BYTES = 512, WRONG_BURST = 10, ACTS_BURST = 60 };
/* Refilled in a second. */
static const double wrong_rate = 0.2, acts_rate = 1.0;

int officers_init(struct officers *officers, const struct serve_officer *at, size_t n)
{
	*officers = (struct officers){.at = at, .n = n, .wrong = {.left = WRONG_BURST}};
	officers->acts = calloc(n + 1, sizeof *officers->acts);
	if (officers->acts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		officers->acts[i].left = ACTS_BURST;
	return -pthread_mutex_init(&officers->lock, NULL);
}

void officers_deinit(struct officers *officers)
{
	if (officers->acts != NULL)
		pthread_mutex_destroy(&officers->lock);
	free(officers->acts);
	officers->acts = NULL;
}

void officers_succeed(struct officers *officers, struct officers *next)
{
	const struct officers old = *officers;
	officers->at = next->at;
	officers->n = next->n;
	officers->acts = next->acts;
	next->at = old.at;
	next->n = old.n;
	next->acts = old.acts;
}

static bool bucket_take(struct officers *officers, struct bucket *bucket, double rate, int burst,
			int64_t now_ms)
{
	pthread_mutex_lock(&officers->lock);
	if (bucket->at_ms != 0)
		bucket->left += (double)(now_ms - bucket->at_ms) / 1000 * rate;
	bucket->at_ms = now_ms;
	if (bucket->left > burst)
		bucket->left = burst;
	bool taken = bucket->left >= 1;
	bucket->left -= taken;
	pthread_mutex_unlock(&officers->lock);
	return taken;
}

/* Return: the officer's index, n for nobody. Looks at all of them in any case. */
static size_t look_up(const struct officers *officers, const char *token)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	size_t length = strnlen(token, TOKEN_BYTES + 1), found = officers->n;
	if (length == 0 || length > TOKEN_BYTES ||
	    EVP_Digest(token, length, hash, NULL, EVP_sha256(), NULL) != 1)
		return officers->n;
	for (size_t i = 0; i < officers->n; i++)
		if (CRYPTO_memcmp(hash, officers->at[i].hash, OFFICER_HASH_BYTES) == 0)
			found = i;
	return found;
}

enum officers_result officers_find(struct officers *officers, const char *authorization, bool acts,
				   int64_t now_ms, const struct serve_officer **officer)
{
	static const char scheme[] = "Bearer ";
	*officer = NULL;
	if (officers->n == 0 || authorization == NULL)
		return OFFICERS_NONE;
	size_t found = officers->n;
	if (strncasecmp(authorization, scheme, sizeof scheme - 1) == 0)
		found = look_up(officers, authorization + sizeof scheme - 1);
	if (found == officers->n)
		return bucket_take(officers, &officers->wrong, wrong_rate, WRONG_BURST, now_ms)
			       ? OFFICERS_WRONG
			       : OFFICERS_MANY;
	if (acts && !bucket_take(officers, &officers->acts[found], acts_rate, ACTS_BURST, now_ms))
		return OFFICERS_MANY;
	*officer = &officers->at[found];
	return OFFICERS_KNOWN;
}
