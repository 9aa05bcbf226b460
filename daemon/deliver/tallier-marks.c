/* SPDX-License-Identifier: Apache-2.0 */
/* What people said of readings, as the ledger has it: loads and counts go by the flag that counts.
 */
#include "deliver/tallier-internal.h"

#include <errno.h>

/* Readings may be so far ahead of the clock (interface: measured times). */
#define AHEAD_MS INT64_C(300000)

static void again(struct tallier *t, const struct mark *mark)
{
	uint32_t site = t->setup.plan->monitors[mark->monitor].site;
	int64_t known_ms = t->now_ms + AHEAD_MS;
	int64_t to_ms = mark->to_ms < known_ms ? mark->to_ms : known_ms;
	struct span day = tallier_day(t, mark->from_ms);
	for (; day.start_ms < to_ms; day = tallier_day(t, day.end_ms))
		tallier_redo(t, site, (to_ms < day.end_ms ? to_ms : day.end_ms) - 1);
}

/* The value that a section has its class by may be among what was marked. */
static void forget_latest(struct tallier *t, const struct mark *mark)
{
	struct tally_value *latest = &t->latest[mark->monitor];
	if (mark->flag != FLAG_NORMAL && latest->at_ms >= mark->from_ms &&
	    latest->at_ms < mark->to_ms)
		*latest = (struct tally_value){.valid = true};
}

static int work_off(struct tallier *t, int64_t last)
{
	int r = 0;
	while (r == 0 && t->marked < last) {
		struct mark mark;
		int64_t id;
		r = ledger_mark_next(t->setup.ledger, t->marked, &id, &mark);
		if (r == 0 && id != 0) {
			again(t, &mark);
			forget_latest(t, &mark);
		}
		if (r == 0)
			t->marked = id == 0 || id > last ? last : id;
	}
	return r == 0 && t->failed ? -ENOMEM : r;
}

int marks_take(struct tallier *t)
{
	int64_t last = ledger_mark_last(t->setup.ledger);
	struct marks marks;
	if (t->marked > last)
		t->marked = last; /* of another ledger */
	if (t->marks.first != NULL && t->marked == last)
		return 0;
	int r = ledger_marks(t->setup.ledger, last, &marks);
	if (r != 0)
		return r;
	marks_deinit(&t->marks);
	t->marks = marks;
	return work_off(t, last);
}
