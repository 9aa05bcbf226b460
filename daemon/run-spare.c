/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was acknowledged before it was recorded, over the end of a life: it goes into the daybook at
 * the start, or if the disk takes nothing then, with the first commit that works.
 */
#include "run-state.h"

#include "base/log.h"
#include "flow/clock.h"
#include "store/spare.h"

#include <errno.h>
#include <stdlib.h>

enum { RING_SPARE = 255 }; /* of no door: by it and its number an offer is known again */

static bool is_same(void *context, const struct daybook_row *row)
{
	struct reading *r = context;
	bool same = row->reading.has_value == r->has_value &&
		    (!r->has_value || row->reading.value == r->value);
	if (same)
		r->kind = SLOT_LINK_DOWN; /* is in the daybook */
	return !same;
}

static int look_up(struct run *run, struct daybook_reader *reader, struct reading *r)
{
	const struct daybook_query query = {.site = run->plan->monitors[r->monitor].site,
					    .monitor = r->monitor,
					    .from_ms = r->measured_ms,
					    .to_ms = r->measured_ms + 1,
					    .limit = 1000};
	return daybook_range(reader, &query, is_same, r);
}

/* Leaves out what is in the daybook; better twice than not at all where that cannot be read. */
static void choose(struct run *run)
{
	struct daybook_reader *reader = NULL;
	size_t n = 0;
	int r = daybook_reader_open(&reader, run->directory, run->plan);
	for (size_t i = 0; i < run->n_spared; i++) {
		struct reading *at = &run->spared[i];
		if (r == 0)
			r = look_up(run, reader, at);
		if (at->kind != SLOT_VALUE)
			continue;
		at->ring = RING_SPARE;
		at->seq = n + 1;
		run->spared[n++] = *at;
	}
	daybook_reader_close(reader);
	run->n_spared = n;
}

static bool needed(void *context)
{
	struct run *run = context;
	return run->n_spared > 0 || stored_owes(&run->rings);
}

int run_append_spared(struct run *run)
{
	if (run->n_spared == 0)
		return 0;
	int r = daybook_begin_at(run->daybook, clock_wall_ms());
	return r != 0 ? r : daybook_append(run->daybook, run->spared, run->n_spared);
}

void run_spared_written(struct run *run)
{
	if (run->n_spared > 0)
		log_info("%zu readings that were acknowledged and not recorded before the end are "
			 "recorded",
			 run->n_spared);
	run->n_spared = 0;
	spare_empty(run->spare, needed, run);
}

int run_open_spare(struct run *run)
{
	int r = spare_open(&run->spare, run->directory);
	if (r == 0)
		run->n_spared = spare_left(run->spare, run->plan, &run->spared);
	if (r == 0 && run->n_spared > 0)
		choose(run);
	if (r == 0)
		r = run_append_spared(run);
	if (r == 0)
		r = daybook_commit(run->daybook);
	if (r == 0)
		run_spared_written(run);
	if (r < 0 && run->spare != NULL) {
		errno = -r;
		log_warn("readings that were acknowledged before the end are not recorded yet");
		r = 0;
	}
	return r;
}

void run_change_spared(struct run *run, const struct plan_change *change)
{
	for (size_t i = 0; i < run->n_spared; i++)
		if (run->spared[i].monitor != NO_INDEX)
			run->spared[i].monitor = change->monitors_to[run->spared[i].monitor];
}

bool run_keep_spare(void *context, const struct plan *plan, const struct reading *readings,
		    size_t n, int timeout_ms)
{
	return spare_keep(((struct run *)context)->spare, plan, readings, n, timeout_ms);
}

void run_close_spare(struct run *run)
{
	run->spare = spare_close(run->spare);
	free(run->spared);
}
