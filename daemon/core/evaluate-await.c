/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results that wait for the flow of their moment.
 *
 * What a site's flow makes of a result, its weight and whether anything was discharged, is told by
 * the newest flow measured at or before it. Live the two come by different ways, and in any order:
 * until the flow monitor has spoken of that moment or a later one, a result waits, at most for the
 * site's flow_wait_s. It is heard as it comes; what it waits for is its value. A monitor's readings
 * stay in their order. In recorded data all flows are known beforehand, and nothing waits.
 */
#include "core/evaluate-state.h"

#include <errno.h>
#include <stdlib.h>

int awaiting_new(struct evaluator *e)
{
	e->awaiting = calloc(e->plan->n_sites + 1, sizeof *e->awaiting);
	return e->awaiting == NULL ? -ENOMEM : 0;
}

static struct awaiting *awaiting_of(struct evaluator *e, uint32_t monitor)
{
	return &e->awaiting[e->plan->monitors[monitor].site];
}

static bool uses_flow(const struct evaluator *e, uint32_t monitor)
{
	const struct monitor *m = &e->plan->monitors[monitor];
	if (!e->discharges[m->site].in_use || e->plan->sites[m->site].flow_monitor == monitor)
		return false;
	bool uses = discharge_of(e, monitor) != NULL;
	for (size_t i = 0; i < m->n_limits; i++)
		uses |= m->limits[i].by_flow;
	return uses;
}

static bool flow_may_come(const struct evaluator *e, const struct reading *r)
{
	const struct site *site = &e->plan->sites[e->plan->monitors[r->monitor].site];
	const struct monitor_state *flow = &e->monitors[site->flow_monitor];
	return !e->flows_known && site->flow_wait_ms > 0 && uses_flow(e, r->monitor) &&
	       !(flow->has_reading && flow->newest_ms >= r->measured_ms);
}

/* The last of a monitor's that waits among the first @n, NULL for none. */
static const struct reading *waits_before(const struct awaiting *a, uint32_t n, uint32_t monitor)
{
	while (n > 0 && a->at[n - 1].monitor != monitor)
		n--;
	return n > 0 ? &a->at[n - 1] : NULL;
}

/* Those go on whose flow is known, whose time is over at @now_ms, or that were measured before
 * @before_ms, unless an earlier one of the monitor still waits. */
static void go_on(struct evaluator *e, uint32_t site, int64_t now_ms, int64_t before_ms)
{
	struct awaiting *a = &e->awaiting[site];
	int64_t wait_ms = e->plan->sites[site].flow_wait_ms;
	uint32_t n = a->n, kept = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct reading r = a->at[i];
		bool due = r.received_ms + wait_ms <= now_ms || r.measured_ms < before_ms;
		if ((!due && flow_may_come(e, &r)) || waits_before(a, kept, r.monitor) != NULL)
			a->at[kept++] = r;
		else
			reading_feed(e, &r, false);
	}
	a->n = kept;
}

void awaiting_pass(struct evaluator *e, uint32_t site, int64_t now_ms)
{
	if (e->awaiting[site].n > 0)
		go_on(e, site, now_ms, INT64_MIN);
}

void awaiting_window(struct evaluator *e, uint32_t monitor, int64_t end_ms)
{
	if (awaiting_of(e, monitor)->n > 0)
		go_on(e, e->plan->monitors[monitor].site, INT64_MIN, end_ms);
}

void awaiting_end(struct evaluator *e)
{
	for (uint32_t i = 0; i < e->plan->n_sites; i++)
		awaiting_pass(e, i, INT64_MAX);
}

void awaiting_put(struct evaluator *e, const struct reading *r)
{
	struct awaiting *a = awaiting_of(e, r->monitor);
	if (a->n == AWAITING_MOST)
		awaiting_pass(e, e->plan->monitors[r->monitor].site, INT64_MAX);
	a->at[a->n++] = *r;
}

/* It was heard now, unless it is late. */
static void hear(struct evaluator *e, const struct reading *r, const struct reading *before)
{
	const struct monitor_state *m = &e->monitors[r->monitor];
	bool late = (m->has_reading && r->measured_ms < m->newest_ms) ||
		    (before != NULL && r->measured_ms < before->measured_ms);
	if (r->flag != FLAG_COMMUNICATION && !late)
		signal_heard(e, r);
}

bool awaiting_add(struct evaluator *e, const struct reading *r)
{
	struct awaiting *a = awaiting_of(e, r->monitor);
	awaiting_pass(e, e->plan->monitors[r->monitor].site, r->received_ms);
	const struct reading *before = waits_before(a, a->n, r->monitor);
	if (before == NULL && !flow_may_come(e, r))
		return false;
	hear(e, r, before);
	awaiting_put(e, r);
	return true;
}
