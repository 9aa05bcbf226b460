/* SPDX-License-Identifier: Apache-2.0 */
/* What the site's flow makes of a reading: not discharging, and its weight in a mean. */
#include "core/evaluate-state.h"

#include <errno.h>
#include <stdlib.h>

static bool flow_matters(const struct plan *plan, const struct site *site)
{
	if (!site->has_flow)
		return false;
	bool matters = site->has_gate;
	for (uint32_t i = 0; i < site->n_monitors; i++) {
		const struct monitor *m = &plan->monitors[site->first_monitor + i];
		for (size_t j = 0; j < m->n_limits; j++)
			matters |= m->limits[j].by_flow;
	}
	return matters;
}

int discharges_new(struct evaluator *e)
{
	const struct plan *plan = e->plan;
	e->discharges = calloc(plan->n_sites + 1, sizeof *e->discharges);
	if (e->discharges == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < plan->n_sites; i++) {
		const struct site *site = &plan->sites[i];
		if (flow_matters(plan, site) &&
		    !discharge_init(&e->discharges[i], site, &plan->monitors[site->flow_monitor]))
			return -ENOMEM;
	}
	return 0;
}

void discharges_free(struct evaluator *e)
{
	for (size_t i = 0; e->discharges != NULL && i < e->plan->n_sites; i++)
		discharge_deinit(&e->discharges[i]);
	free(e->discharges);
}

const struct discharge *discharge_of(const struct evaluator *e, uint32_t monitor)
{
	const struct discharge *d = &e->discharges[e->plan->monitors[monitor].site];
	return e->plan->monitors[monitor].gated && d->gates ? d : NULL;
}

static struct discharge *measured_by(struct evaluator *e, uint32_t monitor)
{
	uint32_t site = e->plan->monitors[monitor].site;
	struct discharge *d = &e->discharges[site];
	return d->in_use && e->plan->sites[site].flow_monitor == monitor ? d : NULL;
}

bool discharge_concerns(const struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	const struct discharge *d = &e->discharges[m->site];
	bool measures = d->in_use && e->plan->sites[m->site].flow_monitor == monitor;
	bool weighed = false;
	for (size_t i = 0; i < m->n_limits; i++)
		weighed |= m->limits[i].by_flow;
	return measures || weighed || discharge_of(e, monitor) != NULL || m->settle_results > 0 ||
	       m->own_pace;
}

void discharge_hear(struct evaluator *e, const struct reading *r)
{
	struct discharge *d = measured_by(e, r->monitor);
	if (d != NULL && !e->flows_known)
		discharge_add(d, r->measured_ms, r->value);
}

bool evaluator_flow(struct evaluator *e, const struct reading *r)
{
	struct discharge *d = measured_by(e, r->monitor);
	struct reading room;
	e->flows_known = true;
	if (d == NULL || r->measured_ms < d->newest_ms) /* late: nothing, as live */
		return true;
	d->newest_ms = r->measured_ms;
	if (e->marks != NULL)
		r = marks_reading(e->marks, r, &room);
	if (r->flag != FLAG_NORMAL || !r->has_value)
		return true;
	d->grows = true;
	discharge_add(d, r->measured_ms, r->value);
	return !d->failed;
}

bool reading_shut(const struct evaluator *e, const struct reading *r)
{
	const struct discharge *d = discharge_of(e, r->monitor);
	int64_t end_ms;
	return d != NULL && discharge_shut(d, r->measured_ms, &end_ms);
}

bool reading_weight(const struct evaluator *e, const struct limit *l, const struct reading *r,
		    double *weight)
{
	*weight = 1;
	if (!l->by_flow)
		return true;
	if (!discharge_flow(&e->discharges[e->plan->monitors[r->monitor].site], r->measured_ms,
			    weight))
		return false;
	if (*weight < 0)
		*weight = 0;
	return true;
}

int64_t silence_from(const struct evaluator *e, uint32_t monitor)
{
	int64_t heard_ms = e->monitors[monitor].heard_ms;
	int64_t due_ms = heard_ms + e->plan->monitors[monitor].stale_after_ms, end_ms;
	const struct discharge *d = discharge_of(e, monitor);
	if (d == NULL)
		return heard_ms;
	if (!discharge_shut(d, due_ms, &end_ms))
		end_ms = discharge_returned(d, due_ms);
	return end_ms > heard_ms ? end_ms : heard_ms;
}
