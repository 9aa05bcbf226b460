/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/witness.h"

#include "flow/recall.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_BYTES = FRAME_BYTES_MOST + 16, FETCHED_AT_ONCE = 256 };

struct witness {
	struct witness_setup setup;
	bool *said;               /* by monitor: a verdict came since its last reading */
	uint64_t last[RINGS_MAX]; /* the frame kept last; 0: none */
	struct recall *recall;
	struct metric *kept, *overwritten, *full;
	uint8_t room[ROOM_BYTES];
};

static int show(struct witness *w)
{
	static const char *const help = "Frames of readings that alerts are about";
	struct metrics *m = w->setup.metrics;

	if (m == NULL)
		return 0;
	w->kept = metrics_counter(m, "ducha_frames_total", help, "result=\"kept\"");
	w->overwritten = metrics_counter(m, "ducha_frames_total", help, "result=\"overwritten\"");
	w->full = metrics_counter(m, "ducha_frames_total", help, "result=\"full\"");
	return w->kept == NULL || w->overwritten == NULL || w->full == NULL ? -ENOMEM : 0;
}

int witness_new(struct witness **out, const struct witness_setup *setup)
{
	struct witness *w = calloc(1, sizeof *w);

	*out = NULL;
	if (w == NULL)
		return -ENOMEM;
	w->setup = *setup;
	w->said = calloc(setup->plan->n_monitors + 1, sizeof *w->said);
	int r = w->said == NULL ? -ENOMEM : show(w);
	if (r == 0)
		r = recall_new(&w->recall, setup->plan->n_monitors, setup->held_bytes);
	if (r != 0)
		w = witness_free(w);
	*out = w;
	return r;
}

struct witness *witness_free(struct witness *witness)
{
	if (witness == NULL)
		return NULL;
	recall_free(witness->recall);
	free(witness->said);
	free(witness);
	return NULL;
}

void witness_carry(struct witness *to, struct witness *from, const struct plan_change *change)
{
	recall_carry(to->recall, from->recall, change);
}

void witness_verdict(struct witness *w, const struct verdict *verdict)
{
	if (verdict->monitor == NO_INDEX)
		return;
	w->said[verdict->monitor] = true;
	if (verdict->type == VERDICT_RAISED)
		recall_want(w->recall, verdict->monitor, verdict->began_ms);
}

static void count(struct metric *metric)
{
	if (metric != NULL)
		metric_add(metric, 1);
}

/* Behind a frame that is not kept nothing can be the same as it. */
static void push(struct witness *w, struct frame_record *record)
{
	struct rings *rings = w->setup.rings;
	bool there = record->kind != FRAME_OVERWRITTEN;

	record->boot = w->setup.boot;
	bool pushed = kept_push(&rings->kept, record);
	w->last[record->ring] = pushed && there ? record->frame : 0;
	count(!pushed ? w->full : there ? w->kept : w->overwritten);
	bell_ring(&rings->recorder);
}

static bool get(struct witness *w, const struct reading *r, struct frame_record *out)
{
	return frames_get(&w->setup.rings->frames[r->ring], r->frame, w->room, out);
}

static void keep(struct witness *w, const struct reading *r)
{
	struct frame_record record = {.kind = FRAME_SAME};

	if (w->last[r->ring] != r->frame && !get(w, r, &record))
		record = (struct frame_record){.kind = FRAME_OVERWRITTEN};
	record.frame = r->frame;
	record.ring = r->ring;
	record.seq = r->seq;
	push(w, &record);
}

static void hold(struct witness *w, const struct reading *r, bool kept)
{
	struct frame_record record = {0};

	if (recall_has(w->recall, r->ring, r->frame) || get(w, r, &record))
		recall_put(w->recall, r, &record, kept);
}

void witness_see(struct witness *w, const struct reading *r)
{
	if (r->kind != SLOT_VALUE)
		return;
	bool concerns = evaluator_concern(w->setup.evaluator, r) || w->said[r->monitor];
	if (concerns && r->frame != 0)
		keep(w, r);
	if (r->frame != 0 && evaluator_looks_back(w->setup.evaluator, r->monitor))
		hold(w, r, concerns);
	w->said[r->monitor] = false;
}

/* Half of the room is for what is judged just now. */
bool witness_waits(const struct witness *w)
{
	const struct kept *kept = &w->setup.rings->kept;

	return recall_waits(w->recall) && kept_free(kept) > kept->mask / 2;
}

void witness_fetch(struct witness *w)
{
	struct frame_record record;

	for (int i = 0; i < FETCHED_AT_ONCE && witness_waits(w); i++)
		if (recall_next(w->recall, &record))
			push(w, &record);
}
