/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/witness.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_BYTES = FRAME_BYTES_MOST + 16 };

struct witness {
	struct witness_setup setup;
	bool *said;               /* by monitor: a verdict came since its last reading */
	uint64_t last[RINGS_MAX]; /* the frame kept last; 0: none */
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
	if (r != 0)
		w = witness_free(w);
	*out = w;
	return r;
}

struct witness *witness_free(struct witness *witness)
{
	if (witness == NULL)
		return NULL;
	free(witness->said);
	free(witness);
	return NULL;
}

void witness_verdict(struct witness *w, const struct verdict *verdict)
{
	if (verdict->monitor != NO_INDEX)
		w->said[verdict->monitor] = true;
}

static void count(struct metric *metric)
{
	if (metric != NULL)
		metric_add(metric, 1);
}

/* Behind a frame that is not kept nothing can be the same as it. */
static void keep(struct witness *w, const struct reading *r)
{
	struct rings *rings = w->setup.rings;
	struct frame_record record = {.kind = FRAME_SAME, .frame = r->frame};
	struct metric *counted = w->kept;

	if (w->last[r->ring] != r->frame &&
	    !frames_get(&rings->frames[r->ring], r->frame, w->room, &record)) {
		record = (struct frame_record){.kind = FRAME_OVERWRITTEN, .frame = r->frame};
		counted = w->overwritten;
	}
	record.ring = r->ring;
	record.boot = w->setup.boot;
	record.seq = r->seq;
	bool pushed = kept_push(&rings->kept, &record);
	w->last[r->ring] = pushed && record.kind != FRAME_OVERWRITTEN ? r->frame : 0;
	count(pushed ? counted : w->full);
	bell_ring(&rings->recorder);
}

void witness_see(struct witness *w, const struct reading *r)
{
	if (r->kind != SLOT_VALUE)
		return;
	bool concerns = evaluator_concern(w->setup.evaluator, r) || w->said[r->monitor];
	if (concerns && r->frame != 0)
		keep(w, r);
	w->said[r->monitor] = false;
}
