/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int kept_init(struct kept *kept, size_t bytes)
{
	*kept = (struct kept){.bytes = calloc(bytes, 1), .mask = bytes - 1};
	return kept->bytes != NULL ? 0 : -ENOMEM;
}

void kept_deinit(struct kept *kept)
{
	free(kept->bytes);
	kept->bytes = NULL;
}

static uint64_t piece_put(struct kept *kept, uint64_t at, const uint8_t *bytes, size_t n)
{
	size_t from = at & kept->mask, first = kept->mask + 1 - from;

	if (first > n)
		first = n;
	if (first > 0)
		memcpy(kept->bytes + from, bytes, first);
	if (n > first)
		memcpy(kept->bytes, bytes + first, n - first);
	return at + n;
}

size_t kept_free(const struct kept *kept)
{
	uint64_t at = atomic_load_explicit(&kept->head, memory_order_relaxed);

	/* acquire: what the reader released has been read */
	return kept->mask + 1 - (at - atomic_load_explicit(&kept->passed, memory_order_acquire));
}

bool kept_push(struct kept *kept, const struct frame_record *record)
{
	uint8_t head[FRAME_HEAD_BYTES];
	uint64_t at = atomic_load_explicit(&kept->head, memory_order_relaxed);

	if (sizeof head + record->n_asked + record->n_answered > kept_free(kept))
		return false;
	frame_head(head, record);
	at = piece_put(kept, at, head, sizeof head);
	at = piece_put(kept, at, record->asked, record->n_asked);
	at = piece_put(kept, at, record->answered, record->n_answered);
	atomic_store_explicit(&kept->head, at, memory_order_release); /* kept_peek() */
	return true;
}

bool kept_waits(const struct kept *kept)
{
	return atomic_load_explicit(&kept->head, memory_order_relaxed) !=
	       atomic_load_explicit(&kept->passed, memory_order_relaxed);
}

size_t kept_peek(const struct kept *kept, const uint8_t *piece[2], size_t bytes[2])
{
	uint64_t head = atomic_load_explicit(&kept->head, memory_order_acquire);
	uint64_t passed = atomic_load_explicit(&kept->passed, memory_order_relaxed);
	size_t n = head - passed, from = passed & kept->mask, first = kept->mask + 1 - from;

	bytes[0] = first < n ? first : n;
	bytes[1] = n - bytes[0];
	piece[0] = kept->bytes + from;
	piece[1] = kept->bytes;
	return n;
}

void kept_release(struct kept *kept, size_t n)
{
	uint64_t passed = atomic_load_explicit(&kept->passed, memory_order_relaxed);

	atomic_store_explicit(&kept->passed, passed + n, memory_order_release); /* kept_push() */
}
