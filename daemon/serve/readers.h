/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Readers: a small pool of daybook readers, since one belongs to one thread at a time.
 *
 * At most as many exist as threads answer requests.
 */
#include "store/daybook.h"

#include <pthread.h>

enum { READERS_MOST = 8 };

struct readers {
	pthread_mutex_t mutex; /* guards idle[] */
	struct daybook_reader *idle[READERS_MOST];
	size_t n_idle;
	const char *directory;
	const struct plan *plan;
};

void readers_init(struct readers *readers, const char *directory, const struct plan *plan);
void readers_deinit(struct readers *readers);
/** readers_take() - an idle one or a new one. Return: 0, negative errno. */
int readers_take(struct readers *readers, struct daybook_reader **out);
/** readers_give() - back to the pool; @broken: close it instead */
void readers_give(struct readers *readers, struct daybook_reader *reader, bool broken);
