/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/section-feed.h"

#define CURSOR "influx/sections"

void section_feed_init(struct section_feed *f, const char *directory, const struct plan *plan,
		       struct ledger *ledger)
{
	*f = (struct section_feed){.directory = directory, .plan = plan, .ledger = ledger};
	f->stored = ledger_cursor(ledger, CURSOR, 0);
	atomic_store(&f->passed, f->stored);
	section_feed_look(f);
	if (atomic_load(&f->newest) < f->stored) /* it was added up anew */
		atomic_store(&f->passed, 0);
}

void section_feed_deinit(struct section_feed *f)
{
	f->tallies = tallies_close(f->tallies);
}

void section_feed_look(struct section_feed *f)
{
	if (f->tallies == NULL && tallies_read(&f->tallies, f->directory, f->plan) != 0)
		return;
	atomic_store(&f->newest, tallies_section_last(f->tallies));
}

int64_t section_feed_pending(const struct section_feed *f)
{
	int64_t pending = atomic_load(&f->newest) - atomic_load(&f->passed);
	return pending > 0 ? pending : 0;
}

struct fill {
	struct batch *batch;
	const struct plan *plan;
};

static bool fill_row(void *context, const struct section_row *row)
{
	struct fill *fill = context;
	batch_add_section(fill->batch, fill->plan, row);
	return !fill->batch->failed;
}

int section_feed_fill(struct section_feed *f, size_t limit, struct batch *batch)
{
	struct fill fill = {batch, f->plan};
	if (f->tallies == NULL || section_feed_pending(f) == 0)
		return 0;
	return tallies_sections(f->tallies, atomic_load(&f->passed), limit, fill_row, &fill);
}

void section_feed_pass(struct section_feed *f, int64_t id)
{
	atomic_store(&f->passed, id);
}

int section_feed_store(struct section_feed *f)
{
	int64_t passed = atomic_load(&f->passed);
	int r = passed == f->stored ? 0 : ledger_put_cursor(f->ledger, CURSOR, passed);
	if (r == 0)
		f->stored = passed;
	return r;
}
