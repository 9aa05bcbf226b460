/* SPDX-License-Identifier: Apache-2.0 */
/* The clock: how far it is believed, and what falls due by it. */
#include "run-state.h"

#include "flow/clock.h"
#include "store/daybook-stock.h"

#include <errno.h>
#include <stdlib.h>

/* The days of the files of readings, in the order in which they were recorded. */
static int recorded_days(struct run *run, int64_t **out, size_t *n)
{
	struct daybook_reader *reader = NULL;
	struct stock_file *files = NULL;

	*out = NULL;
	int r = daybook_reader_open(&reader, run->directory, run->plan);
	if (r == 0)
		r = daybook_stock(reader, &files, n);
	if (r == 0)
		*out = calloc(*n + 1, sizeof **out);
	for (size_t i = 0; *out != NULL && i < *n; i++)
		(*out)[i] = files[i].day;
	free(files);
	daybook_reader_close(reader);
	return r == 0 && *out == NULL ? -ENOMEM : r;
}

int run_open_clock(struct run *run)
{
	struct trust_clocks now = timepiece_clocks();
	int64_t *days;
	size_t n = 0;

	int r = recorded_days(run, &days, &n);
	if (r == 0)
		r = timepiece_begin(&run->timepiece, run->ledger, days, n, &now);
	free(days);
	return r == 0 ? 0 : run_failed("how far the clock is believed cannot be read", r);
}

void run_tick(struct run *run)
{
	struct trust_clocks now = timepiece_clocks();
	bool steady = steady_look(&run->steady, now.wall_ms, now.mono_ms);

	int r = timepiece_look(&run->timepiece, &now);
	if (r == 0 && steady && !timepiece_doubted(&run->timepiece) &&
	    now.wall_ms >= ledger_timer(run->ledger))
		r = ledger_tick(run->ledger, now.wall_ms);
	if (r > 0)
		run_fatal(run);
	else if (r < 0 && !run->tick_failed)
		run_failed("what has fallen due cannot be written; it is tried again", r);
	run->tick_failed = r < 0;
}

int64_t run_age_ms(void *context)
{
	return timepiece_age_ms(&((struct run *)context)->timepiece);
}

void run_confirm_clock(void *context)
{
	timepiece_confirm(&((struct run *)context)->timepiece);
}
