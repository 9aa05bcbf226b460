/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/recall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { RINGS = 256, WORD = 8, PASSED_AT_ONCE = 256 };
/* An instrument's clock may be ahead of ours by so much (interface: measured times). */
#define AHEAD_MS INT64_C(300000)

/* Places are counted from the first byte ever written, plus 1; 0: none. */
struct held {
	uint64_t before; /* the place of the monitor's frame before this one */
	uint64_t bytes;  /* the place of the one that came with the bytes; perhaps its own */
	uint64_t seq, frame;
	int64_t measured_ms, at_ms;
	uint32_t n_asked, n_answered;
	uint8_t ring, kind;
	bool kept;
};

/* What is wanted of a monitor: from the place on backwards. */
struct wanted {
	uint64_t place; /* 0: nothing */
	int64_t began_ms;
};

struct recall {
	uint8_t *store;
	uint64_t size, next;    /* next: bytes ever written */
	uint64_t newest[RINGS]; /* by ring: the place of the last frame with its bytes */
	uint64_t *last;         /* by monitor: the place of its last frame */
	struct wanted *wanted;  /* by monitor */
	uint32_t *queue;        /* monitors of which anything is wanted */
	size_t n_queue, n_monitors;
};

int recall_new(struct recall **out, size_t n_monitors, size_t bytes)
{
	struct recall *r = calloc(1, sizeof *r);

	*out = r;
	if (r == NULL)
		return -ENOMEM;
	r->size = bytes / WORD * WORD;
	r->n_monitors = n_monitors;
	r->store = calloc(r->size + WORD, 1); /* takes memory as it fills */
	r->last = calloc(n_monitors + 1, sizeof *r->last);
	r->wanted = calloc(n_monitors + 1, sizeof *r->wanted);
	r->queue = calloc(n_monitors + 1, sizeof *r->queue);
	if (r->store != NULL && r->last != NULL && r->wanted != NULL && r->queue != NULL)
		return 0;
	*out = recall_free(r);
	return -ENOMEM;
}

struct recall *recall_free(struct recall *recall)
{
	if (recall == NULL)
		return NULL;
	free(recall->store);
	free(recall->last);
	free(recall->wanted);
	free(recall->queue);
	free(recall);
	return NULL;
}

static bool is_there(const struct recall *r, uint64_t place)
{
	return place != 0 && r->next - (place - 1) <= r->size;
}

static struct held *held_at(const struct recall *r, uint64_t place)
{
	return (struct held *)(void *)(r->store + (place - 1) % r->size);
}

/* --- holding --- */

bool recall_has(const struct recall *r, uint8_t ring, uint64_t number)
{
	uint64_t place = r->newest[ring];

	return is_there(r, place) && held_at(r, place)->frame == number;
}

/* A piece never runs over the end: what is left there stays empty. Return: its place, 0: none. */
static uint64_t room_take(struct recall *r, size_t n)
{
	size_t whole = (n + WORD - 1) / WORD * WORD;
	uint64_t left = r->size > 0 ? r->size - r->next % r->size : 0;

	if (whole > r->size)
		return 0;
	if (left < whole)
		r->next += left;
	uint64_t place = r->next + 1;
	r->next += whole;
	return place;
}

static void bytes_put(struct recall *r, struct held *held, uint64_t place,
		      const struct frame_record *record)
{
	uint8_t *bytes = (uint8_t *)(held + 1);

	held->bytes = place;
	held->kind = record->kind;
	held->at_ms = record->at_ms;
	held->n_asked = (uint32_t)record->n_asked;
	held->n_answered = (uint32_t)record->n_answered;
	memcpy(bytes, record->asked, record->n_asked);
	memcpy(bytes + record->n_asked, record->answered, record->n_answered);
	r->newest[held->ring] = place;
}

static void bytes_share(struct held *held, const struct held *source, uint64_t place)
{
	held->bytes = place;
	held->kind = source->kind;
	held->at_ms = source->at_ms;
	held->n_asked = source->n_asked;
	held->n_answered = source->n_answered;
}

void recall_put(struct recall *r, const struct reading *reading, const struct frame_record *record,
		bool kept)
{
	bool same = recall_has(r, reading->ring, reading->frame);
	uint64_t source = r->newest[reading->ring];
	uint64_t place = room_take(r, sizeof(struct held) +
					      (same ? 0 : record->n_asked + record->n_answered));

	if (place == 0)
		return;
	struct held *held = held_at(r, place);
	*held = (struct held){.before = r->last[reading->monitor],
			      .seq = reading->seq,
			      .frame = reading->frame,
			      .measured_ms = reading->measured_ms,
			      .ring = reading->ring,
			      .kept = kept};
	if (same)
		/* its head may be written over by this very piece, its length is not */
		bytes_share(held, is_there(r, source) ? held_at(r, source) : held, source);
	else
		bytes_put(r, held, place, record);
	r->last[reading->monitor] = place;
}

/* --- asking for it --- */

void recall_want(struct recall *r, uint32_t monitor, int64_t began_ms)
{
	struct wanted *wanted = &r->wanted[monitor];

	if (!is_there(r, r->last[monitor]))
		return;
	if (wanted->place == 0) {
		r->queue[r->n_queue++] = monitor;
		wanted->began_ms = began_ms;
	}
	wanted->place = r->last[monitor];
	if (began_ms < wanted->began_ms)
		wanted->began_ms = began_ms;
}

bool recall_waits(const struct recall *r)
{
	return r->n_queue > 0;
}

static void give(const struct recall *r, struct held *held, struct frame_record *out)
{
	bool whole = is_there(r, held->bytes);
	const uint8_t *bytes = whole ? (const uint8_t *)(held_at(r, held->bytes) + 1) : NULL;

	held->kept = true;
	*out = (struct frame_record){.kind = whole ? held->kind : FRAME_OVERWRITTEN,
				     .ring = held->ring,
				     .seq = held->seq,
				     .frame = held->frame};
	if (!whole)
		return;
	out->at_ms = held->at_ms;
	out->asked = bytes;
	out->n_asked = held->n_asked;
	out->answered = bytes + held->n_asked;
	out->n_answered = held->n_answered;
}

/* The next frame of a monitor, wanted or not; NULL: there is none that could be. */
static struct held *step_back(struct recall *r, struct wanted *wanted)
{
	if (!is_there(r, wanted->place))
		return NULL;
	struct held *held = held_at(r, wanted->place);
	wanted->place = held->before;
	return held->at_ms != 0 && held->at_ms + AHEAD_MS < wanted->began_ms ? NULL : held;
}

bool recall_next(struct recall *r, struct frame_record *out)
{
	for (int i = 0; i < PASSED_AT_ONCE && r->n_queue > 0; i++) {
		struct wanted *wanted = &r->wanted[r->queue[r->n_queue - 1]];
		struct held *held = step_back(r, wanted);
		if (held == NULL || wanted->place == 0)
			r->n_queue--;
		if (held == NULL)
			wanted->place = 0;
		if (held == NULL || held->kept || held->measured_ms < wanted->began_ms)
			continue;
		give(r, held, out);
		return true;
	}
	return false;
}

/* --- another plan --- */

static void queue_make(struct recall *r)
{
	r->n_queue = 0;
	for (uint32_t i = 0; i < r->n_monitors; i++)
		if (r->wanted[i].place != 0)
			r->queue[r->n_queue++] = i;
}

/* Where the bound is another, what was held goes with the old one. */
void recall_carry(struct recall *to, struct recall *from, const struct plan_change *change)
{
	uint8_t *store = to->store;

	if (to->size != from->size)
		return;
	plan_carry(to->last, from->last, change->monitors, to->n_monitors, sizeof *to->last);
	plan_carry(to->wanted, from->wanted, change->monitors, to->n_monitors, sizeof *to->wanted);
	queue_make(to);
	memcpy(to->newest, from->newest, sizeof to->newest);
	to->store = from->store;
	to->next = from->next;
	from->store = store;
	from->next = 0;
	memset(from->newest, 0, sizeof from->newest);
	memset(from->last, 0, from->n_monitors * sizeof *from->last);
	memset(from->wanted, 0, from->n_monitors * sizeof *from->wanted);
	from->n_queue = 0;
}
