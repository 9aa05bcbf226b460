/* SPDX-License-Identifier: Apache-2.0 */
/* Raising and clearing: the one place where a condition becomes a verdict. */
#include "core/evaluate-state.h"
#include "core/supcase.h"

struct condition condition_of(uint32_t monitor, enum alert_kind kind)
{
	return (struct condition){monitor, NO_INDEX, NO_INDEX, kind, NULL};
}

static void fill_limit(const struct evaluator *e, const struct condition *c, struct verdict *v)
{
	const struct limit *l = &e->plan->monitors[c->monitor].limits[c->limit];
	v->average = l->average;
	v->has_limit = true;
	v->limit_value = v->bound == BOUND_MIN || !l->has_max ? l->min : l->max;
}

void alert_say(struct evaluator *e, enum verdict_type type, const struct condition *c,
	       const struct alert_state *a, int64_t time_ms, int64_t mono_ns)
{
	struct verdict v = {
		.type = type,
		.kind = c->kind,
		.monitor = c->monitor,
		.connection = c->connection,
		.limit = c->limit,
		.bound = a->bound,
		.time_ms = time_ms,
		.began_ms = a->began_ms,
		.raised_ms = a->raised_ms,
		.has_value = a->has_value,
		.value = a->value,
		.peak_value = a->peak,
		.peak_ms = a->peak_ms,
		.last_value = a->last,
		.readings = a->readings,
		.reason = c->reason,
		.received_mono_ns = type == VERDICT_RAISED ? mono_ns : 0,
	};
	if (c->limit != NO_INDEX)
		fill_limit(e, c, &v);
	e->emit(e->context, &v);
}

void evaluator_tell_rises(struct evaluator *e)
{
	e->tells_rises = true;
}

/* Exceeding days make a case graver, too. */
void alert_goes_on(struct evaluator *e, const struct condition *c, const struct alert_state *a,
		   double before, int64_t time_ms)
{
	const struct limit *l = &e->plan->monitors[c->monitor].limits[c->limit];
	double limit = a->bound == BOUND_MIN || !l->has_max ? l->min : l->max;
	if (!e->tells_rises || c->kind != ALERT_EXCEEDANCE)
		return;
	if (average_daily(l->average) ||
	    (a->peak != before &&
	     severity_by_peak(e->plan, c->monitor, a->bound, a->peak, limit) >
		     severity_by_peak(e->plan, c->monitor, a->bound, before, limit)))
		alert_say(e, VERDICT_PEAK, c, a, time_ms, 0);
}

static void count_raised(struct flood *flood)
{
	flood->raised_ms[flood->next] = flood->now_ms;
	flood->next = (flood->next + 1) % (FLOOD_BEGINS + 1);
}

void alert_raise(struct evaluator *e, const struct condition *c, struct alert_state *a,
		 int64_t time_ms, int64_t mono_ns)
{
	if (c->monitor != NO_INDEX)
		e->calms[c->monitor].on = false;
	a->active = true;
	a->dirty = false;
	a->raised_ms = time_ms;
	a->said_mono_ns = mono_ns;
	if (c->kind != ALERT_FAULT)
		count_raised(&e->flood);
	alert_say(e, VERDICT_RAISED, c, a, time_ms, mono_ns);
}

void alert_clear(struct evaluator *e, const struct condition *c, struct alert_state *a,
		 int64_t time_ms)
{
	if (!a->active)
		return;
	alert_say(e, VERDICT_CLEARED, c, a, time_ms, 0);
	a->active = a->dirty = false;
}

/* Raise an alert that has just its own value: step, flat, over_range, stale. */
void alert_raise_value(struct evaluator *e, const struct condition *c, struct alert_state *a,
		       const struct step *s, int64_t began_ms)
{
	*a = (struct alert_state){.began_ms = began_ms,
				  .has_value = true,
				  .value = s->value,
				  .last = s->value,
				  .peak = s->value,
				  .peak_ms = s->time_ms};
	alert_raise(e, c, a, s->time_ms, s->mono_ns);
}

void alert_raise_reading(struct evaluator *e, const struct condition *c, struct alert_state *a,
			 const struct reading *r, int64_t began_ms)
{
	*a = (struct alert_state){.began_ms = began_ms,
				  .has_value = r->has_value,
				  .value = r->value,
				  .last = r->value,
				  .peak = r->value,
				  .peak_ms = r->measured_ms};
	alert_raise(e, c, a, r->measured_ms, r->received_mono_ns);
}
