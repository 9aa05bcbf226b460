/* SPDX-License-Identifier: Apache-2.0 */
#include "look-again.h"

#include <errno.h>
#include <stdlib.h>

enum { PAGE_ROWS = 20000, MOST_AHEAD_MS = 24 * 3600 * 1000 };

/* The plan of one monitor and its site's flow. */
struct small {
	struct plan plan;
	struct site site;
	struct monitor monitors[2];
	uint32_t of[2]; /* in the whole plan */
	size_t n;
	struct marks marks;
};

struct rows {
	struct daybook_row *at;
	size_t n, room;
	const struct judge_mark *read;
	int64_t last; /* sequence, in the order of the query */
	size_t seen;  /* of the page */
	uint32_t monitor;
	bool failed;
};

struct looking {
	const struct small *small;
	struct span day;
	int64_t from_ms, to_ms;
	judged_fn fn;
	void *context;
};

bool look_row_read(const struct judge_mark *read, const struct daybook_row *row)
{
	return row->boot < read->boot ||
	       (row->boot == read->boot && row->reading.ring < RINGS_MAX &&
		row->reading.seq <= read->seq[row->reading.ring]);
}

static int small_init(struct small *s, const struct look *look, uint32_t monitor)
{
	const struct plan *plan = look->plan;
	const struct site *site = &plan->sites[plan->monitors[monitor].site];
	*s = (struct small){.plan = *plan, .site = *site, .n = 1, .of = {monitor}};
	s->monitors[0] = plan->monitors[monitor];
	if (site->has_flow && site->flow_monitor != monitor) {
		s->of[s->n] = site->flow_monitor;
		s->monitors[s->n++] = plan->monitors[site->flow_monitor];
	}
	for (size_t i = 0; i < s->n; i++)
		s->monitors[i].site = 0;
	s->site.first_monitor = 0;
	s->site.n_monitors = (uint32_t)s->n;
	s->site.flow_monitor = (uint32_t)s->n - 1;
	s->plan.sites = &s->site;
	s->plan.n_sites = 1;
	s->plan.monitors = s->monitors;
	s->plan.n_monitors = s->n;
	return look->marks == NULL ? 0 : marks_pick(&s->marks, look->marks, s->of, s->n);
}

/* How far back what counts may depend on: a held result, a gap, a flow that is low or speaks. */
static int64_t ahead_ms(const struct small *s)
{
	int64_t ms = s->site.has_gate ? s->site.gate_for_ms : 0;
	for (size_t i = 0; i < s->n; i++)
		ms += s->monitors[i].cycle_ms + s->monitors[i].stale_after_ms;
	return ms < MOST_AHEAD_MS ? ms : MOST_AHEAD_MS;
}

/* --- the rows --- */

static bool keep_row(void *context, const struct daybook_row *row)
{
	struct rows *rows = context;
	rows->last = row->sequence;
	rows->seen++;
	if (!look_row_read(rows->read, row))
		return true;
	if (rows->n == rows->room) {
		size_t room = rows->room * 2 + 1024;
		struct daybook_row *more = reallocarray(rows->at, room, sizeof *more);
		rows->failed = more == NULL;
		if (rows->failed)
			return false;
		rows->at = more;
		rows->room = room;
	}
	rows->at[rows->n] = *row;
	rows->at[rows->n++].reading.monitor = rows->monitor;
	return true;
}

static int read_monitor(const struct look *look, uint32_t monitor, struct span span,
			struct rows *rows)
{
	struct daybook_query query = {.site = look->plan->monitors[monitor].site,
				      .monitor = monitor,
				      .from_ms = span.start_ms,
				      .to_ms = span.end_ms,
				      .limit = PAGE_ROWS};
	int r;
	do {
		rows->seen = 0;
		r = daybook_range(look->reader, &query, keep_row, rows);
		query.after = rows->last;
	} while (r == 0 && !rows->failed && rows->seen == PAGE_ROWS);
	return rows->failed ? -ENOMEM : r;
}

static int by_arrival(const void *left, const void *right)
{
	const struct daybook_row *a = left, *b = right;
	return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

static int read_rows(const struct look *look, const struct small *s, struct span span,
		     struct rows *rows)
{
	int r = 0;
	*rows = (struct rows){.read = &look->read};
	for (uint32_t i = 0; i < s->n && r == 0; i++) {
		rows->monitor = i;
		r = read_monitor(look, s->of[i], span, rows);
	}
	if (rows->n > 0)
		qsort(rows->at, rows->n, sizeof *rows->at, by_arrival);
	return r;
}

/* --- the evaluation --- */

static void ignore(void *context, const struct verdict *verdict)
{
	(void)context;
	(void)verdict;
}

static void pass_on(void *context, const struct judged *judged)
{
	struct looking *l = context;
	struct span span = judged->window->span;
	struct judged whole = *judged;
	if (judged->monitor != 0 || span.start_ms < l->day.start_ms ||
	    span.start_ms >= l->day.end_ms || span.end_ms <= l->from_ms ||
	    span.start_ms >= l->to_ms)
		return;
	whole.monitor = l->small->of[0];
	l->fn(l->context, &whole);
}

static int look_at_day(const struct look *look, const struct small *s, struct looking *l)
{
	struct span span = {l->day.start_ms - ahead_ms(s), l->day.end_ms};
	struct evaluator *e = NULL;
	struct rows rows;
	int r = read_rows(look, s, span, &rows);
	if (r == 0)
		r = evaluator_new(&e, &s->plan, span.start_ms, 0, ignore, NULL);
	if (r == 0) {
		evaluator_marks(e, look->marks == NULL ? NULL : &s->marks);
		evaluator_watch(e, pass_on, l);
	}
	for (size_t i = 0; r == 0 && i < rows.n; i++) {
		const struct reading *reading = &rows.at[i].reading;
		evaluator_windows(e, 0, reading->received_ms);
		evaluator_feed(e, reading);
	}
	if (r == 0) {
		evaluator_wait_no_more(e);
		evaluator_windows(e, 0, look->now_ms);
		evaluator_each_open(e, 0, pass_on, l);
	}
	evaluator_free(e);
	free(rows.at);
	return r;
}

int look_again(const struct look *look, uint32_t monitor, int64_t from_ms, int64_t to_ms,
	       judged_fn fn, void *context)
{
	struct small small;
	struct looking l = {&small, {0}, from_ms, to_ms, fn, context};
	int64_t until_ms = to_ms < look->now_ms ? to_ms : look->now_ms;
	int r = small_init(&small, look, monitor);
	for (int64_t at_ms = from_ms; r == 0 && at_ms < until_ms; at_ms = l.day.end_ms) {
		l.day = window_span(&look->plan->zone, AVERAGE_DAY, at_ms);
		r = look_at_day(look, &small, &l);
	}
	marks_deinit(&small.marks);
	return r;
}

/* --- late readings in order --- */

struct instants {
	struct span span;
	int active; /* of several limits */
	bool exceeds;
};

static void take_instant(void *context, const struct verdict *v)
{
	struct instants *in = context;
	if (v->kind != ALERT_EXCEEDANCE || v->monitor != 0 || v->average != AVERAGE_INSTANT ||
	    (v->type != VERDICT_RAISED && v->type != VERDICT_CLEARED))
		return;
	in->active += v->type == VERDICT_RAISED ? 1 : -1;
	in->exceeds |= v->type == VERDICT_CLEARED && v->time_ms > in->span.start_ms;
}

static int by_time(const void *left, const void *right)
{
	const struct daybook_row *a = left, *b = right;
	int64_t x = a->reading.measured_ms, y = b->reading.measured_ms;
	return x == y ? by_arrival(left, right) : (x > y) - (x < y);
}

static bool is_beyond(const struct small *s, const struct look *look, const struct reading *raw)
{
	const struct monitor *m = &s->monitors[0];
	struct reading room;
	const struct reading *r = look->marks == NULL ? raw : marks_reading(&s->marks, raw, &room);
	if (r->monitor != 0 || !r->has_value ||
	    quality_flag(m, (enum flag)r->flag, true, r->value) != FLAG_NORMAL)
		return false;
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].average == AVERAGE_INSTANT &&
		    limit_beyond(&m->limits[i], r->measured_ms, r->value))
			return true;
	return false;
}

static void feed_in_order(struct evaluator *e, const struct look *look, const struct small *s,
			  const struct rows *rows)
{
	evaluator_marks(e, look->marks == NULL ? NULL : &s->marks);
	for (size_t i = 0; i < rows->n; i++)
		if (rows->at[i].reading.monitor != 0)
			(void)evaluator_flow(e, &rows->at[i].reading);
	for (size_t i = 0; i < rows->n; i++)
		evaluator_feed(e, &rows->at[i].reading);
	evaluator_wait_no_more(e);
}

static int look_in_order(const struct look *look, const struct small *s, struct instants *in,
			 int64_t *beyond)
{
	/* a run of results may begin a day before */
	const struct span span = {in->span.start_ms - MOST_AHEAD_MS, in->span.end_ms};
	struct evaluator *e = NULL;
	struct rows rows;
	int r = read_rows(look, s, span, &rows);
	if (r == 0)
		r = evaluator_new(&e, &s->plan, span.start_ms, 0, take_instant, in);
	if (r == 0 && rows.n > 0) {
		qsort(rows.at, rows.n, sizeof *rows.at, by_time);
		feed_in_order(e, look, s, &rows);
	}
	for (size_t i = 0; r == 0 && i < rows.n; i++)
		*beyond += rows.at[i].reading.measured_ms >= in->span.start_ms &&
			   is_beyond(s, look, &rows.at[i].reading);
	evaluator_free(e);
	free(rows.at);
	return r;
}

int look_late(const struct look *look, uint32_t monitor, struct span span, int64_t *beyond)
{
	struct small small;
	struct look whole = *look;
	struct instants in = {.span = span};
	*beyond = 0;
	whole.read.boot = INT64_MAX;
	int r = small_init(&small, look, monitor);
	if (r == 0)
		r = look_in_order(&whole, &small, &in, beyond);
	if (!in.exceeds && in.active == 0)
		*beyond = 0;
	marks_deinit(&small.marks);
	return r;
}

void look_each(const struct plan *plan, uint32_t monitor,
	       void (*fn)(void *context, uint32_t monitor), void *context)
{
	const struct site *site = &plan->sites[plan->monitors[monitor].site];
	bool flow = site->has_flow && site->flow_monitor == monitor;
	for (uint32_t i = 0; i < site->n_monitors; i++) {
		const struct monitor *m = &plan->monitors[site->first_monitor + i];
		bool means = false, weighs = false;
		for (size_t j = 0; j < m->n_limits; j++) {
			means |= m->limits[j].average != AVERAGE_INSTANT;
			weighs |= m->limits[j].by_flow;
		}
		if (means && (site->first_monitor + i == monitor ||
			      (flow && (weighs || (m->gated && site->has_gate)))))
			fn(context, site->first_monitor + i);
	}
}
