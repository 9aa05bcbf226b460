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
	double tonnes = round12(load / m->permit_load * m->permit_tonnes);
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

/* Of the share in place @i. */
static void say(const struct permit *p, const struct plan *plan, const struct verdict *about,
		enum verdict_type type, size_t i, permit_fn fn, void *context)
{
	struct verdict v = *about;
	v.type = type;
	v.reason = plan->monitors[v.monitor].permit_shares[i].name;
	v.readings = p->readings[i];
	fn(context, &v);
}

void permit_judge(struct permit *p, const struct plan *plan, uint32_t monitor, struct span hour,
		  bool clears, permit_fn fn, void *context)
{
	const struct monitor *m = &plan->monitors[monitor];
	const struct verdict v = verdict_of(plan, monitor, p->load, hour);
	size_t now = permit_reached(m, p->load);
	for (size_t i = now; clears && i < p->reached; i++)
		say(p, plan, &v, VERDICT_CLEARED, i, fn, context);
	if (clears && p->reached > now)
		p->reached = now;
	for (size_t i = 0; i < p->reached; i++)
		say(p, plan, &v, VERDICT_PEAK, i, fn, context);
	for (; p->reached < now; p->reached++)
		say(p, plan, &v, VERDICT_RAISED, p->reached, fn, context);
}

/* A year begins with nothing discharged. */
static void turn_year(struct permit *p, const struct plan *plan, uint32_t monitor, struct span hour,
		      permit_fn fn, void *context)
{
	if (hour.start_ms < p->year.end_ms)
		return;
	p->year = year_of(&plan->zone, hour.start_ms);
	p->load = 0;
	permit_judge(p, plan, monitor, (struct span){p->year.start_ms, p->year.start_ms}, true, fn,
		     context);
}

/* Shares that are reached go on, others begin with this hour. */
static void count_readings(struct permit *p, size_t reached, uint32_t readings)
{
	for (size_t i = 0; i < reached && i < PERMIT_SHARES_MOST; i++)
		p->readings[i] = i < p->reached ? p->readings[i] + readings : readings;
}

void permit_hour(struct permit *p, const struct plan *plan, uint32_t monitor, struct span hour,
		 const struct tally_sum *sum, permit_fn fn, void *context)
{
	turn_year(p, plan, monitor, hour, fn, context);
	if (hour.start_ms < p->year.start_ms)
		return;
	p->load += sum->load;
	count_readings(p, permit_reached(&plan->monitors[monitor], p->load), sum->readings);
	permit_judge(p, plan, monitor, hour, false, fn, context);
}
