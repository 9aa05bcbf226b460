/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Batch: lines of line protocol under way to a database, and where each begins, so that a part of
 * them can be sent alone.
 */
#include "core/line.h"
#include "core/text.h"
#include "deliver/outbox.h"
#include "store/daybook.h"
#include "store/tallies.h"

struct batch {
	struct text text;
	size_t *starts; /* of the lines */
	size_t n, capacity;
	int64_t first, last; /* cursor positions of the first and of the last thing looked at */
	int64_t skipped;     /* events that cannot be a line */
	int64_t events;      /* case events among them */
	bool failed;         /* out of memory: not to be sent */
	struct text *series; /* by monitor: how its lines begin, once it is known */
	size_t n_series;
};

void batch_clear(struct batch *batch); /* keeps the memory, and one plan for all its life */
void batch_deinit(struct batch *batch);
/** batch_add_row() - a reading, also one whose monitor has left the plan: under the names it was
 * recorded with, and without the kind where the site has left, too */
void batch_add_row(struct batch *batch, const struct plan *plan, const struct daybook_row *row);
/** batch_add_event() - a case event; one that is none or makes no sense adds no line */
void batch_add_event(struct batch *batch, const struct plan *plan,
		     const struct outbox_event *event);
/** batch_add_section() - the class of a section; without the kind where its site has left the plan
 */
void batch_add_section(struct batch *batch, const struct plan *plan,
		       const struct section_row *section);
/** batch_part() - the text of @n lines from line @from. Return: its start; @length: out. */
const char *batch_part(const struct batch *batch, size_t from, size_t n, size_t *length);
