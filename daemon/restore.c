/* SPDX-License-Identifier: Apache-2.0 */
#include "restore.h"

#include "base/log.h"
#include "core/beside.h"
#include "deliver/trouble.h"
#include "flow/clock.h"
#include "look-again.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Without a snapshot, and for the senders' memory, no more than this is looked at. */
enum { TAIL_ROWS = 200000, PAGE_ROWS = 20000, CLOCK_AHEAD_MS = 5 * 60 * 1000 };

struct replay {
	const struct restore_setup *setup;
	struct evaluator *evaluator;
	struct judge_mark mark;
	struct beside *shown; /* by monitor */
	int64_t after, alive_ms;
	uint64_t rows, judged;
	bool have_snapshot;
};

static bool judged_before(const struct replay *p, const struct daybook_row *row)
{
	return p->have_snapshot && look_row_read(&p->mark, row);
}

static struct door *door_of(const struct restore_setup *setup, uint32_t monitor)
{
	const struct plan *plan = setup->plan;
	const char *driver = plan->connections[plan->monitors[monitor].connection].driver;
	if (strcmp(driver, "hj212") == 0)
		return setup->loggers;
	return strcmp(driver, "mqtt") == 0 ? setup->pushed : NULL;
}

static bool remember(void *context, const struct daybook_row *row)
{
	const struct reading *r = &row->reading;
	struct door *door = row->monitor == NO_INDEX ? NULL : door_of(context, row->monitor);
	if (door != NULL)
		door_remember(door, row->monitor, r->measured_ms, r->has_value ? r->value : NAN);
	return true;
}

static bool judge_row(void *context, const struct daybook_row *row)
{
	struct replay *p = context;
	p->after = row->sequence;
	p->rows++;
	(void)remember((void *)(uintptr_t)p->setup, row);
	if (row->monitor == NO_INDEX || judged_before(p, row))
		return true;
	struct reading r = row->reading;
	if (r.flag == FLAG_FAULT)
		beside_settle(p->setup->plan, p->shown, &r);
	else
		beside_show(p->setup->plan, p->shown, &r);
	r.received_mono_ns = 0; /* evaluator_resume() says what silence counts from */
	evaluator_windows(p->evaluator, row->monitor, r.received_ms);
	evaluator_feed(p->evaluator, &r);
	if (r.received_ms > p->alive_ms)
		p->alive_ms = r.received_ms;
	p->judged++;
	return true;
}

static void take_snapshot(struct replay *p)
{
	const void *state;
	size_t size, state_size;
	void *data = NULL;
	if (ledger_get(p->setup->ledger, RESTORE_SNAPSHOT, &data, &size) != 0)
		return;
	p->have_snapshot = judge_unpack(data, size, &p->mark, &state, &state_size) &&
			   evaluator_load(p->evaluator, state, state_size);
	if (!p->have_snapshot)
		log_warnx("the kept state is of another version: runs and windows begin anew");
	free(data);
}

static int judge_again(struct replay *p)
{
	struct daybook_reader *reader;
	int r = daybook_reader_open(&reader, p->setup->directory, p->setup->plan);
	if (r < 0)
		return r;
	if (!p->have_snapshot) {
		r = daybook_tail(reader, TAIL_ROWS, judge_row, p);
	} else {
		uint64_t before;
		p->after = p->mark.recorded;
		do {
			before = p->rows;
			r = daybook_after(reader, p->after, PAGE_ROWS, judge_row, p);
		} while (r == 0 && p->rows > before);
	}
	daybook_reader_close(reader);
	return r;
}

/*
 * What was decided again goes to the ledger, which knows most of it already. Without a snapshot the
 * readings were judged from rest, in the middle of what went on: they only warm the runs, and what
 * lasts is raised by its next reading.
 */
static int settle(const struct replay *p)
{
	const struct restore_setup *setup = p->setup;
	struct verdict_item *items;
	size_t n;
	int r = 0;
	verdicts_take(setup->verdicts, &items, &n);
	for (size_t i = 0; p->have_snapshot && i < n && r == 0; i++) {
		int64_t opened = 0;
		r = ledger_apply(setup->ledger, &items[i].verdict, 1, clock_wall_ms(), &opened);
		if (opened != 0)
			log_info("case %lld was registered from readings before the restart",
				 (long long)opened);
	}
	free(items);
	return r > 0 ? -EIO : r;
}

/* --- the ledger's word --- */

/* The judge's own have a place in its state; those of deliveries are the courier's. */
static bool is_couriers(const char *key)
{
	static const char prefix[] = "fault/" TROUBLE_KEY;
	return strncmp(key, prefix, sizeof prefix - 1) == 0;
}

/* Loads are judged where they are added up (deliver/tallier.h). */
static bool is_of_a_permit(const struct plan *plan, const struct verdict *v)
{
	return v->kind == ALERT_LOAD && v->monitor != NO_INDEX &&
	       plan->monitors[v->monitor].permit_load > 0;
}

static bool keep_alert(void *context, const struct open_alert *alert)
{
	struct restore_alerts *alerts = context;
	if (is_couriers(alert->key))
		return true;
	struct open_alert *more = reallocarray(alerts->at, alerts->n + 1, sizeof *more);
	if (more == NULL) {
		alerts->failed = true;
		return false;
	}
	alerts->at = more;
	more[alerts->n] = *alert;
	more[alerts->n++].key = NULL; /* valid during the call */
	return true;
}

int restore_alerts(struct ledger *ledger, struct restore_alerts *alerts)
{
	*alerts = (struct restore_alerts){.at = NULL};
	int r = ledger_open_alerts(ledger, keep_alert, alerts);
	if (alerts->failed)
		r = -ENOMEM;
	return r > 0 ? -EIO : r;
}

size_t restore_adopt(const struct plan *plan, struct evaluator *evaluator,
		     struct restore_alerts *alerts)
{
	size_t left = 0, n = alerts->n;
	evaluator_forget_alerts(evaluator);
	for (size_t i = 0; i < n; i++)
		if (!is_of_a_permit(plan, &alerts->at[i].verdict) &&
		    !evaluator_adopt(evaluator, &alerts->at[i].verdict))
			alerts->at[left++] = alerts->at[i];
	alerts->n = left;
	return n - left;
}

int restore_drop(struct ledger *ledger, struct restore_alerts *alerts)
{
	int r = 0;
	while (r == 0 && alerts->n > 0) {
		r = ledger_drop_alert(ledger, alerts->at[alerts->n - 1].id, clock_wall_ms(),
				      "configuration");
		alerts->n -= r == 0;
	}
	return r > 0 ? -EIO : r;
}

static int adopt_alerts(const struct restore_setup *setup, size_t *adopted)
{
	struct restore_alerts alerts;
	int r = restore_alerts(setup->ledger, &alerts);
	if (r == 0) {
		*adopted = restore_adopt(setup->plan, judge_evaluator(setup->judge), &alerts);
		r = restore_drop(setup->ledger, &alerts);
	}
	free(alerts.at);
	return r;
}

/* --- the senders' memory --- */

static int remember_tail(const struct restore_setup *setup)
{
	struct daybook_reader *reader;
	int r = daybook_reader_open(&reader, setup->directory, setup->plan);
	if (r < 0)
		return r;
	r = daybook_tail(reader, TAIL_ROWS, remember, (void *)(uintptr_t)setup);
	daybook_reader_close(reader);
	return r;
}

/* A clock that ran ahead, before the restart or until it, must not make all that comes now late. */
static void mind_clock(struct replay *p)
{
	int64_t wall_ms = clock_wall_ms();
	if (p->alive_ms <= wall_ms + CLOCK_AHEAD_MS)
		return;
	log_event(LOGGED_CLOCK, ABOUT_NOTHING,
		  "the clock was %lld s ahead when the daemon last ran: runs begin anew",
		  (long long)(p->alive_ms - wall_ms) / 1000);
	evaluator_set_back(p->evaluator, wall_ms);
	p->alive_ms = wall_ms;
}

int restore(const struct restore_setup *setup)
{
	struct replay p = {.setup = setup, .evaluator = judge_evaluator(setup->judge)};
	size_t adopted = 0;
	take_snapshot(&p);
	p.alive_ms = p.have_snapshot ? p.mark.alive_ms : 0;
	p.shown = calloc(setup->plan->n_monitors + 1, sizeof *p.shown);
	int r = p.shown == NULL ? -ENOMEM : 0;
	if (r == 0 && p.have_snapshot && setup->revise != NULL)
		r = revise_restore(setup->revise, &p.mark);
	if (r == 0)
		r = judge_again(&p);
	free(p.shown);
	if (r == 0)
		r = settle(&p);
	if (p.alive_ms == 0) /* nothing was ever recorded */
		p.alive_ms = clock_wall_ms();
	mind_clock(&p);
	evaluator_resume(p.evaluator, p.alive_ms, clock_mono_ns());
	if (r == 0)
		r = adopt_alerts(setup, &adopted);
	/* Else nobody sends, or all that is in the tail was judged again. */
	bool may_come_again = setup->pushed != NULL || setup->loggers != NULL;
	if (r == 0 && may_come_again && p.rows < TAIL_ROWS)
		r = remember_tail(setup);
	if (r == 0 && (p.judged > 0 || adopted > 0))
		log_info("taken up: %zu active alerts, %llu readings judged again", adopted,
			 (unsigned long long)p.judged);
	return r;
}
