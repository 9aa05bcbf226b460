/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/verdicts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int verdicts_init(struct verdicts *verdicts)
{
	memset(verdicts, 0, sizeof *verdicts);
	pthread_mutex_init(&verdicts->lock, NULL);
	return bell_init(&verdicts->bell);
}

void verdicts_deinit(struct verdicts *verdicts)
{
	pthread_mutex_destroy(&verdicts->lock);
	bell_deinit(&verdicts->bell);
	free(verdicts->at);
	verdicts->at = NULL;
}

static bool grow(struct verdicts *verdicts)
{
	size_t capacity = verdicts->capacity == 0 ? 256 : verdicts->capacity * 2;
	struct verdict_item *at = realloc(verdicts->at, capacity * sizeof *at);
	if (at == NULL)
		return false;
	verdicts->at = at;
	verdicts->capacity = capacity;
	return true;
}

void verdicts_add(struct verdicts *verdicts, const struct verdict_item *item)
{
	pthread_mutex_lock(&verdicts->lock);
	while (verdicts->n == verdicts->capacity && !grow(verdicts)) {
		pthread_mutex_unlock(&verdicts->lock);
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
		pthread_mutex_lock(&verdicts->lock);
	}
	verdicts->at[verdicts->n++] = *item;
	pthread_mutex_unlock(&verdicts->lock);
	bell_ring(&verdicts->bell);
}

size_t verdicts_waiting(struct verdicts *verdicts)
{
	pthread_mutex_lock(&verdicts->lock);
	size_t n = verdicts->n;
	pthread_mutex_unlock(&verdicts->lock);
	return n;
}

void verdicts_close(struct verdicts *verdicts)
{
	pthread_mutex_lock(&verdicts->lock);
	verdicts->closed = true;
	pthread_mutex_unlock(&verdicts->lock);
	bell_ring(&verdicts->bell);
}

bool verdicts_take(struct verdicts *verdicts, struct verdict_item **items, size_t *n)
{
	pthread_mutex_lock(&verdicts->lock);
	*items = verdicts->at;
	*n = verdicts->n;
	if (*n > 0) {
		verdicts->at = NULL;
		verdicts->n = verdicts->capacity = 0;
	} else {
		*items = NULL;
	}
	bool more = !verdicts->closed;
	pthread_mutex_unlock(&verdicts->lock);
	return more;
}
