/* SPDX-License-Identifier: Apache-2.0 */
#include "revise.h"

#include "base/log.h"
#include "base/pulse.h"
#include "flow/clock.h"
#include "look-again.h"

#include <errno.h>
#include <libintl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_S = 2, STORED_MS = 500, REACHED_MOST = 64 };

struct revise {
	struct revise_setup setup;
	struct pulse pulse;
	struct marks *marks; /* that the judge goes by */
	pthread_t thread;
	struct gate gate;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool woken; /* under lock */
	_Atomic bool stop;
	bool failing;
};

/* A window as one look found it. */
struct found {
	uint32_t monitor, limit;
	struct window window;
	enum outcome outcome;
	double mean;
	bool open; /* the judge has it yet */
};
struct list {
	struct found *at;
	size_t n, room;
	bool failed;
};

/* One mark in work. */
struct work {
	struct revise *revise;
	int64_t id;
	struct mark mark;
	struct marks *newest; /* handed to the judge */
	struct judge_mark read;
	uint32_t reached[REACHED_MOST];
	size_t n_reached;
	struct list now, before, after;
	struct recomputation *changes;
	size_t n_changes;
};

static void keep(void *context, const struct judged *judged)
{
	struct list *list = context;
	if (list->n == list->room) {
		size_t room = list->room * 2 + 64;
		struct found *more = reallocarray(list->at, room, sizeof *more);
		if (more == NULL) {
			list->failed = true;
			return;
		}
		list->at = more;
		list->room = room;
	}
	list->at[list->n++] = (struct found){judged->monitor, judged->limit, *judged->window,
					     judged->outcome, judged->mean,  false};
}

static void reach(void *context, uint32_t monitor)
{
	struct work *w = context;
	if (w->n_reached < REACHED_MOST)
		w->reached[w->n_reached++] = monitor;
}

/* --- on the judge's thread --- */

static void install(void *context, struct evaluator *evaluator, const struct judge_mark *read)
{
	struct work *w = context;
	evaluator_marks(evaluator, w->newest);
	evaluator_unhear(evaluator, w->mark.monitor, w->mark.from_ms, w->mark.to_ms);
	for (size_t i = 0; i < w->n_reached; i++)
		evaluator_reopen(evaluator, w->reached[i], w->mark.from_ms, w->mark.to_ms);
	w->read = *read;
}

static void refill(void *context, struct evaluator *evaluator, const struct judge_mark *read)
{
	struct work *w = context;
	(void)read;
	for (size_t i = 0; i < w->now.n; i++) {
		const struct found *f = &w->now.at[i];
		evaluator_refill(evaluator, f->monitor, f->limit, &f->window);
		w->now.at[i].open = f->window.span.start_ms >=
				    evaluator_next_window(evaluator, f->monitor, f->limit);
	}
	for (size_t i = 0; i < w->n_reached; i++)
		evaluator_go_on(evaluator, w->reached[i]);
}

/* --- the looks --- */

static int look_at(struct work *w, struct daybook_reader *reader, const struct marks *marks,
		   struct list *out)
{
	const struct look look = {.plan = w->revise->setup.plan,
				  .reader = reader,
				  .marks = marks,
				  .read = w->read,
				  .now_ms = clock_wall_ms()};
	int r = 0;
	for (size_t i = 0; r == 0 && i < w->n_reached; i++)
		r = look_again(&look, w->reached[i], w->mark.from_ms, w->mark.to_ms, keep, out);
	return r == 0 && out->failed ? -ENOMEM : r;
}

static int look_with(struct work *w, struct daybook_reader *reader, int64_t last, struct list *out)
{
	struct marks marks;
	int r = ledger_marks(w->revise->setup.ledger, last, &marks);
	if (r == 0)
		r = look_at(w, reader, &marks, out);
	marks_deinit(&marks);
	return r;
}

static int look(struct work *w)
{
	struct daybook_reader *reader;
	int r = daybook_reader_open(&reader, w->revise->setup.directory, w->revise->setup.plan);
	if (r != 0)
		return r;
	r = look_at(w, reader, w->newest, &w->now);
	if (r == 0)
		r = look_with(w, reader, w->id - 1, &w->before);
	if (r == 0)
		r = look_with(w, reader, w->id, &w->after);
	daybook_reader_close(reader);
	return r;
}

/* --- what changed --- */

static const struct found *find(const struct list *list, const struct found *as)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].monitor == as->monitor && list->at[i].limit == as->limit &&
		    list->at[i].window.span.start_ms == as->window.span.start_ms)
			return &list->at[i];
	return NULL;
}

static bool has_mean(const struct found *f)
{
	return f->outcome == OUTCOME_COMPLIES || f->outcome == OUTCOME_EXCEEDS;
}

/* To the last bit a sum may depend on the order in which it was made. */
static bool differs(const struct found *a, const struct found *b)
{
	return a->outcome != b->outcome ||
	       (has_mean(a) && fabs(a->mean - b->mean) > 1e-9 * fabs(a->mean));
}

static int compare(struct work *w)
{
	w->changes = calloc(w->before.n + 1, sizeof *w->changes);
	if (w->changes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < w->before.n; i++) {
		const struct found *b = &w->before.at[i], *a = find(&w->after, b),
				   *now = find(&w->now, b);
		if (a == NULL || now == NULL || now->open || !differs(a, b))
			continue;
		w->changes[w->n_changes++] = (struct recomputation){
			.monitor = b->monitor,
			.limit = b->limit,
			.start_ms = b->window.span.start_ms,
			.end_ms = b->window.span.end_ms,
			.has_before = has_mean(b),
			.has_after = has_mean(a),
			.before = b->mean,
			.after = a->mean,
			.was = b->outcome,
			.is = a->outcome,
		};
	}
	return 0;
}

/* With the catalogue's decimals, without zeros that say nothing: "46", "46.5". */
static void mean_text(struct text *out, bool has, double mean, int decimals)
{
	if (!has) {
		text_add(out, gettext("insufficient data"));
		return;
	}
	text_fixed(out, mean, decimals);
	if (decimals > 0) {
		while (out->length > 0 && out->at[out->length - 1] == '0')
			out->at[--out->length] = '\0';
		if (out->length > 0 && out->at[out->length - 1] == '.')
			out->at[--out->length] = '\0';
	}
}

static void note(void *context, const struct recomputation *c, bool withdraw, struct text *out)
{
	const struct plan *plan = context;
	const struct monitor *m = &plan->monitors[c->monitor];
	struct text before = {0}, after = {0};
	enum average average = m->limits[c->limit].average;
	mean_text(&before, c->has_before, c->before, m->decimals);
	mean_text(&after, c->has_after, c->after, m->decimals);
	text_add(out, average == AVERAGE_DAY_8H
			      ? gettext("recomputed: largest 8-hour mean of the day ")
		      : average == AVERAGE_DAY ? gettext("recomputed: day mean ")
					       : gettext("recomputed: hour mean "));
	text_add(out, before.at);
	text_add(out, "→");
	text_add(out, after.at);
	if (withdraw)
		text_add(out, gettext(", withdrawal is suggested"));
	out->failed |= before.failed || after.failed;
	text_deinit(&before);
	text_deinit(&after);
}

void revise_note_load(void *context, double before, double after, bool withdraw, struct text *out)
{
	(void)context;
	text_add(out, gettext("recomputed: load of the year "));
	text_format(out, "%.6g→%.6g t", before, after);
	if (withdraw)
		text_add(out, gettext(", withdrawal is suggested"));
}

/* --- one mark --- */

static int wait_stored(struct work *w)
{
	struct revise *rv = w->revise;
	for (size_t i = 0; i < rv->setup.rings->n; i++)
		while (!stored_wait(rv->setup.rings, i, w->read.seq[i], STORED_MS))
			if (atomic_load(&rv->stop))
				return -ECANCELED;
	return 0;
}

static void take_over(struct revise *rv, struct marks *newest)
{
	if (rv->marks != NULL)
		marks_deinit(rv->marks);
	free(rv->marks);
	rv->marks = newest;
}

static int newest_marks(struct revise *rv, struct marks **out)
{
	struct marks *marks = calloc(1, sizeof *marks);
	int r = marks == NULL
			? -ENOMEM
			: ledger_marks(rv->setup.ledger, ledger_mark_last(rv->setup.ledger), marks);
	if (r != 0)
		free(marks);
	else
		*out = marks;
	return r;
}

static int work_off(struct work *w)
{
	struct revise *rv = w->revise;
	look_each(rv->setup.plan, w->mark.monitor, reach, w);
	int r = newest_marks(rv, &w->newest);
	if (r != 0)
		return r;
	judge_call(rv->setup.judge, install, w);
	take_over(rv, w->newest);
	r = wait_stored(w);
	if (r == 0)
		r = look(w);
	if (r != 0)
		return r;
	judge_call(rv->setup.judge, refill, w);
	r = compare(w);
	if (r == 0)
		r = ledger_mark_settle(rv->setup.ledger, w->id, w->changes, w->n_changes,
				       clock_wall_ms(), note, (void *)(uintptr_t)rv->setup.plan);
	return r;
}

static void work_deinit(struct work *w)
{
	free(w->now.at);
	free(w->before.at);
	free(w->after.at);
	free(w->changes);
}

/* Return: 1 with a mark worked off, 0 when there is none, negative errno; LEDGER_FATAL is said. */
static int next(struct revise *rv)
{
	struct work w = {.revise = rv};
	int r = ledger_mark_next(rv->setup.ledger, ledger_mark_done(rv->setup.ledger), &w.id,
				 &w.mark);
	if (r != 0 || w.id == 0)
		return r;
	r = work_off(&w);
	if (r == 0)
		log_info("mark %lld: %zu means computed anew", (long long)w.id, w.n_changes);
	work_deinit(&w);
	if (r == LEDGER_FATAL)
		rv->setup.fatal(rv->setup.context);
	return r == 0 ? 1 : r > 0 ? -EIO : r;
}

/* --- the thread --- */

static void rest(struct revise *rv, bool failed)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_S;
	pthread_mutex_lock(&rv->lock);
	if (failed && !rv->woken)
		pthread_cond_timedwait(&rv->changed, &rv->lock, &until);
	for (; !failed && !rv->woken && !atomic_load(&rv->stop); until.tv_sec += RETRY_S) {
		pulse_beat(&rv->pulse);
		pthread_cond_timedwait(&rv->changed, &rv->lock, &until);
	}
	rv->woken = false;
	pthread_mutex_unlock(&rv->lock);
}

static void *revise_run(void *context)
{
	struct revise *rv = context;
	pulse_begin(&rv->pulse, PULSE_SLOW, "reviser", NULL);
	while (!atomic_load(&rv->stop)) {
		gate_pass(&rv->gate);
		int r = next(rv);
		if (r < 0 && !rv->failing && !atomic_load(&rv->stop)) {
			errno = -r;
			log_warn("a mark cannot be worked off yet; it is tried again");
		}
		rv->failing = r < 0;
		if (r <= 0)
			rest(rv, r < 0);
		pulse_beat(&rv->pulse);
	}
	pulse_end(&rv->pulse);
	return NULL;
}

int revise_new(struct revise **out, const struct revise_setup *setup)
{
	struct revise *rv = calloc(1, sizeof *rv);
	if (rv == NULL)
		return -ENOMEM;
	rv->setup = *setup;
	pthread_mutex_init(&rv->lock, NULL);
	pthread_cond_init(&rv->changed, NULL);
	int r = gate_init(&rv->gate);
	if (r == 0)
		r = newest_marks(rv, &rv->marks);
	if (r == 0)
		evaluator_marks(judge_evaluator(setup->judge), rv->marks);
	if (r != 0)
		rv = revise_free(rv);
	*out = rv;
	return r > 0 ? -EIO : r;
}

struct revise *revise_free(struct revise *rv)
{
	if (rv == NULL)
		return NULL;
	take_over(rv, NULL);
	gate_deinit(&rv->gate);
	pthread_mutex_destroy(&rv->lock);
	pthread_cond_destroy(&rv->changed);
	free(rv);
	return NULL;
}

int revise_start(struct revise *rv)
{
	int r = -pthread_create(&rv->thread, NULL, revise_run, rv);
	rv->runs = r == 0;
	return r;
}

void revise_wake(struct revise *rv)
{
	pthread_mutex_lock(&rv->lock);
	rv->woken = true;
	pthread_cond_signal(&rv->changed);
	pthread_mutex_unlock(&rv->lock);
}

bool revise_hold(struct revise *rv, int timeout_ms)
{
	gate_shut(&rv->gate);
	revise_wake(rv);
	return gate_stands(&rv->gate, timeout_ms) && !rv->failing;
}

void revise_release(struct revise *rv)
{
	gate_open(&rv->gate);
}

void revise_succeed(struct revise *rv, struct revise *next)
{
	struct marks *marks = rv->marks;
	rv->marks = next->marks;
	next->marks = marks;
	rv->setup.plan = next->setup.plan;
}

void revise_stop(struct revise *rv)
{
	if (rv == NULL || !rv->runs)
		return;
	atomic_store(&rv->stop, true);
	revise_wake(rv);
	pthread_join(rv->thread, NULL);
	rv->runs = false;
}

/* --- after a restart --- */

/* Does a mark lie over the monitor, or over the flow of its site, behind a moment? */
static bool marked_since(const struct revise *rv, uint32_t monitor, int64_t since_ms)
{
	const struct plan *plan = rv->setup.plan;
	const struct site *site = &plan->sites[plan->monitors[monitor].site];
	const uint32_t of[] = {monitor, site->has_flow ? site->flow_monitor : monitor};
	for (size_t i = 0; i < 2; i++)
		for (size_t j = rv->marks->first[of[i]]; j < rv->marks->first[of[i] + 1]; j++)
			if (rv->marks->spans[j].to_ms > since_ms)
				return true;
	return false;
}

static void unhear_flows(struct revise *rv, struct evaluator *e)
{
	for (uint32_t i = 0; i < rv->setup.plan->n_monitors; i++)
		for (size_t j = rv->marks->first[i]; j < rv->marks->first[i + 1]; j++)
			evaluator_unhear(e, i, rv->marks->spans[j].from_ms,
					 rv->marks->spans[j].to_ms);
}

static int restore_monitor(struct revise *rv, struct look *look, uint32_t monitor, int64_t since_ms)
{
	struct evaluator *e = judge_evaluator(rv->setup.judge);
	struct list list = {0};
	evaluator_reopen(e, monitor, since_ms, INT64_MAX);
	int r = look_again(look, monitor, since_ms, look->now_ms + 1, keep, &list);
	for (size_t i = 0; r == 0 && i < list.n; i++)
		evaluator_refill(e, monitor, list.at[i].limit, &list.at[i].window);
	evaluator_go_on(e, monitor);
	free(list.at);
	return r == 0 && list.failed ? -ENOMEM : r;
}

int revise_restore(struct revise *rv, const struct judge_mark *read)
{
	struct evaluator *e = judge_evaluator(rv->setup.judge);
	struct look look = {.plan = rv->setup.plan,
			    .marks = rv->marks,
			    .read = *read,
			    .now_ms = read->alive_ms};
	int r = daybook_reader_open(&look.reader, rv->setup.directory, rv->setup.plan);
	if (r != 0)
		return r;
	unhear_flows(rv, e);
	for (uint32_t i = 0; r == 0 && i < rv->setup.plan->n_monitors; i++) {
		int64_t since_ms = evaluator_open_since(e, i);
		if (since_ms != INT64_MAX &&
		    (evaluator_reopened(e, i) || marked_since(rv, i, since_ms)))
			r = restore_monitor(rv, &look, i, since_ms);
	}
	daybook_reader_close(look.reader);
	return r;
}
