/* SPDX-License-Identifier: Apache-2.0 */
#include "core/permit.h"

#include "core/number.h"

size_t permit_reached(const struct monitor *m, double load)
{
	size_t n = 0;
	while (n < m->n_permit_shares &&
	       compare12(load, m->permit_shares[n].share * m->permit_load) > 0)
		n++;
	return n;
}

/* What is said of a year's load at the end of an hour; type and reason are left open. */
static struct verdict verdict_of(const struct plan *plan, uint32_t monitor, double load,
				 struct span hour)
{
	const struct monitor *m = &plan->monitors[monitor];
	double tonnes = load / m->permit_load * m->permit_tonnes;
	return (struct verdict){.kind = ALERT_LOAD,
				.monitor = monitor,
				.connection = NO_INDEX,
				.limit = NO_INDEX,
				.bound = BOUND_MAX,
				.time_ms = hour.end_ms,
				.began_ms = hour.start_ms,
				.raised_ms = hour.end_ms,
				.has_value = true,
				.has_limit = true,
				.value = tonnes,
				.limit_value = m->permit_tonnes,
				.peak_value = tonnes,
				.peak_ms = hour.end_ms,
				.last_value = tonnes};
}

static void say(const struct verdict *about, enum verdict_type type,
		const struct permit_share *share, permit_fn fn, void *context)
{
	struct verdict v = *about;
	v.type = type;
	v.reason = share->name;
	fn(context, &v);
}

void permit_judge(struct permit *p, const struct plan *plan, uint32_t monitor, struct span hour,
		  bool clears, permit_fn fn, void *context)
{
	const struct monitor *m = &plan->monitors[monitor];
	const struct verdict v = verdict_of(plan, monitor, p->load, hour);
	size_t now = permit_reached(m, p->load);
	for (size_t i = now; clears && i < p->reached; i++)
		say(&v, VERDICT_CLEARED, &m->permit_shares[i], fn, context);
	if (clears && p->reached > now)
		p->reached = now;
	for (size_t i = 0; i < p->reached; i++)
		say(&v, VERDICT_PEAK, &m->permit_shares[i], fn, context);
	for (; p->reached < now; p->reached++)
		say(&v, VERDICT_RAISED, &m->permit_shares[p->reached], fn, context);
}

/* A year begins with nothing discharged. */
static void turn_year(struct permit *p, const struct plan *plan, uint32_t monitor, struct span hour,
		      permit_fn fn, void *context)
{
	if (hour.start_ms < p->year.end_ms)
		return;
	*p = (struct permit){.year = year_of(&plan->zone, hour.start_ms), .reached = p->reached};
	permit_judge(p, plan, monitor, (struct span){p->year.start_ms, p->year.start_ms}, true, fn,
		     context);
}

void permit_hour(struct permit *p, const struct plan *plan, uint32_t monitor, struct span hour,
		 double load, permit_fn fn, void *context)
{
	turn_year(p, plan, monitor, hour, fn, context);
	if (hour.start_ms < p->year.start_ms)
		return;
	p->load += load;
	permit_judge(p, plan, monitor, hour, false, fn, context);
}
