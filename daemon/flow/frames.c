/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a frame: its lengths and kind in a word, its time in another, then each part from a new word
 * on. */
enum { WORD = sizeof(uint64_t), HEAD_WORDS = 2, LENGTH_BITS = 24 };

int frames_init(struct frames *frames, size_t bytes)
{
	*frames = (struct frames){.mask = bytes / WORD - 1};
	frames->words = calloc(bytes / WORD, WORD); /* takes memory as it fills */
	return frames->words != NULL ? 0 : -ENOMEM;
}

void frames_deinit(struct frames *frames)
{
	free(frames->words);
	frames->words = NULL;
}

static size_t words_of(size_t bytes)
{
	return (bytes + WORD - 1) / WORD;
}

static void word_put(struct frames *f, uint64_t word)
{
	atomic_store_explicit(&f->words[f->next++ & f->mask], word, memory_order_release);
}

static void part_put(struct frames *f, const uint8_t *bytes, size_t n)
{
	uint64_t word;

	for (; n >= WORD; n -= WORD, bytes += WORD) {
		memcpy(&word, bytes, WORD);
		word_put(f, word);
	}
	if (n == 0)
		return;
	word = 0;
	memcpy(&word, bytes, n);
	word_put(f, word);
}

uint64_t frames_put(struct frames *f, const struct frame_record *r)
{
	uint64_t number = f->next + 1;

	if (r->n_asked > FRAME_BYTES_MOST || r->n_answered > FRAME_BYTES_MOST - r->n_asked)
		return 0;
	/* relaxed: the words' releases carry it */
	atomic_store_explicit(&f->claimed,
			      f->next + HEAD_WORDS + words_of(r->n_asked) + words_of(r->n_answered),
			      memory_order_relaxed);
	word_put(f, (uint64_t)r->n_asked | (uint64_t)r->n_answered << LENGTH_BITS |
			    (uint64_t)r->kind << 2 * LENGTH_BITS);
	word_put(f, (uint64_t)r->at_ms);
	part_put(f, r->asked, r->n_asked);
	part_put(f, r->answered, r->n_answered);
	return number;
}

static uint64_t word_get(const struct frames *f, uint64_t at)
{
	return atomic_load_explicit(&f->words[at & f->mask], memory_order_acquire);
}

static void part_get(const struct frames *f, uint64_t at, uint8_t *out, size_t words)
{
	for (size_t i = 0; i < words; i++) {
		uint64_t word = word_get(f, at + i);
		memcpy(out + i * WORD, &word, WORD);
	}
}

/* Relaxed: each acquire of a word before it pairs with the release of whoever wrote over it. */
static bool still_there(const struct frames *f, uint64_t at)
{
	return atomic_load_explicit(&f->claimed, memory_order_relaxed) - at <= f->mask + 1;
}

bool frames_get(const struct frames *f, uint64_t number, uint8_t *room, struct frame_record *out)
{
	static const uint64_t length_mask = (UINT64_C(1) << LENGTH_BITS) - 1;
	uint64_t at = number - 1, head = word_get(f, at);
	int64_t at_ms = (int64_t)word_get(f, at + 1);

	if (!still_there(f, at))
		return false;
	*out = (struct frame_record){.kind = (uint8_t)(head >> 2 * LENGTH_BITS),
				     .at_ms = at_ms,
				     .frame = number,
				     .asked = room,
				     .n_asked = head & length_mask,
				     .n_answered = head >> LENGTH_BITS & length_mask};
	size_t asked = words_of(out->n_asked);
	out->answered = room + asked * WORD;
	part_get(f, at + HEAD_WORDS, room, asked);
	part_get(f, at + HEAD_WORDS + asked, room + asked * WORD, words_of(out->n_answered));
	return still_there(f, at);
}
