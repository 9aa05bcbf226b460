/* SPDX-License-Identifier: Apache-2.0 */
/* Loads against permits: a share of the year's permitted load that is reached is an alert. */
#include "deliver/tallier-internal.h"

#include "core/array.h"

#include <stdlib.h>
#include <string.h>

static void offer(void *context, const struct verdict *v)
{
	struct tallier *t = context;
	void *at = array_room(t->verdicts, t->n_verdicts, &t->room, sizeof *t->verdicts);
	if (at == NULL) {
		t->failed = true;
		return;
	}
	t->verdicts = at;
	t->verdicts[t->n_verdicts++] = *v;
}

void permits_hour(struct tallier *t, uint32_t monitor, struct span hour,
		  const struct tally_sum *sum)
{
	permit_hour(&t->permits[monitor], t->setup.plan, monitor, hour, sum, offer, t);
}

/* The load of the running year, from the file, up to the hour that is open. */
static int recall_load(struct tallier *t, uint32_t monitor)
{
	const struct tally *tally = &t->sites[t->setup.plan->monitors[monitor].site];
	struct permit *p = &t->permits[monitor];
	if (!tally->begun)
		return 0;
	p->year = year_of(&t->setup.plan->zone, tally->hour.start_ms);
	return tallies_load(t->store, monitor,
			    (struct span){p->year.start_ms, tally->hour.start_ms}, &p->load);
}

static void recall_share(struct permit *p, size_t i, uint32_t readings)
{
	p->readings[i] = readings;
	if (i >= p->reached)
		p->reached = i + 1;
}

bool permits_recall_alert(void *context, const struct open_alert *alert)
{
	struct tallier *t = context;
	const struct verdict *v = &alert->verdict;
	if (v->kind != ALERT_LOAD || v->monitor == NO_INDEX || v->reason == NULL)
		return true;
	const struct monitor *m = &t->setup.plan->monitors[v->monitor];
	for (size_t i = 0; i < m->n_permit_shares; i++)
		if (strcmp(m->permit_shares[i].name, v->reason) == 0)
			recall_share(&t->permits[v->monitor], i, v->readings);
	return true;
}

bool permits_has(const struct tallier *t, uint32_t monitor)
{
	const struct monitor *m = &t->setup.plan->monitors[monitor];
	return m->permit_load > 0 && t->sites[m->site].plan != NULL;
}

int permits_recall(struct tallier *t, uint32_t site)
{
	const struct plan *plan = t->setup.plan;
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < plan->n_monitors; i++) {
		const struct tally *tally = &t->sites[plan->monitors[i].site];
		if ((site != NO_INDEX && plan->monitors[i].site != site) || !permits_has(t, i))
			continue;
		r = recall_load(t, i);
		if (r == 0 && tally->begun)
			permit_judge(&t->permits[i], plan, i,
				     (struct span){tally->hour.start_ms, tally->hour.start_ms},
				     true, offer, t);
	}
	return r;
}
