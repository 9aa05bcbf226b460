/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest-loads.h"

#include <errno.h>
#include <stdlib.h>

/* Few enough to wait in a tally at once. */
enum { EVENTS_AT_ONCE = 4096 };

struct event {
	int64_t time_ms;
	double value;
	uint32_t monitor;
	bool valid;
	size_t place; /* in the file */
};

struct load_site {
	bool wanted;
	struct event *events;
	size_t n, room;
};

/* What a permit said last of the alerts that go on: only what is told next needs it. */
struct load_monitor {
	struct permit permit;
	int64_t covered_ms, until_ms; /* of its year */
	struct verdict peaks[PERMIT_SHARES_MOST];
	size_t n_peaks;
};

struct backtest_loads {
	const struct plan *plan;
	struct load_site *sites;
	struct load_monitor *monitors;
	const struct backtest_loads_watch *watch;
	struct load_monitor *judged; /* whose verdicts come */
};

static bool has_permit(const struct plan *plan, const struct site *site)
{
	for (uint32_t i = 0; i < site->n_monitors; i++)
		if (plan->monitors[site->first_monitor + i].permit_load > 0)
			return true;
	return false;
}

int backtest_loads_new(struct backtest_loads **out, const struct plan *plan)
{
	struct backtest_loads *loads = calloc(1, sizeof *loads);
	bool any = false;
	*out = NULL;
	if (loads == NULL)
		return -ENOMEM;
	loads->plan = plan;
	loads->sites = calloc(plan->n_sites + 1, sizeof *loads->sites);
	loads->monitors = calloc(plan->n_monitors + 1, sizeof *loads->monitors);
	bool good = loads->sites != NULL && loads->monitors != NULL;
	for (uint32_t i = 0; good && i < plan->n_sites; i++) {
		loads->sites[i].wanted = tally_wanted(plan, i) && has_permit(plan, &plan->sites[i]);
		any |= loads->sites[i].wanted;
	}
	*out = good && any ? loads : backtest_loads_free(loads);
	return good ? 0 : -ENOMEM;
}

struct backtest_loads *backtest_loads_free(struct backtest_loads *loads)
{
	if (loads == NULL)
		return NULL;
	for (size_t i = 0; loads->sites != NULL && i < loads->plan->n_sites; i++)
		free(loads->sites[i].events);
	free(loads->sites);
	free(loads->monitors);
	free(loads);
	return NULL;
}

bool backtest_loads_add(struct backtest_loads *loads, const struct reading *r)
{
	struct load_site *site = &loads->sites[loads->plan->monitors[r->monitor].site];
	if (!site->wanted || !tally_counts(loads->plan, r->monitor))
		return true;
	if (site->n == site->room) {
		size_t room = site->room == 0 ? EVENTS_AT_ONCE : 2 * site->room;
		struct event *more = reallocarray(site->events, room, sizeof *more);
		if (more == NULL)
			return false;
		site->events = more;
		site->room = room;
	}
	site->events[site->n] = (struct event){
		.time_ms = r->measured_ms,
		.value = r->value,
		.monitor = r->monitor,
		.valid = r->has_value && r->flag == FLAG_NORMAL,
		.place = site->n,
	};
	site->n++;
	return true;
}

/* --- judging --- */

static int order_time(const void *left, const void *right)
{
	const struct event *a = left, *b = right;
	int d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
	return d != 0 ? d : (a->place > b->place) - (a->place < b->place);
}

static void hold_peak(struct load_monitor *m, const struct verdict *v)
{
	size_t i = 0;
	while (i < m->n_peaks && m->peaks[i].reason != v->reason)
		i++;
	if (i == m->n_peaks && m->n_peaks < PERMIT_SHARES_MOST)
		m->n_peaks++;
	if (i < PERMIT_SHARES_MOST)
		m->peaks[i] = *v;
}

static void permit_says(void *context, const struct verdict *v)
{
	struct backtest_loads *loads = context;
	struct load_monitor *m = loads->judged;
	if (v->type == VERDICT_PEAK) {
		hold_peak(m, v);
		return;
	}
	for (size_t i = 0; i < m->n_peaks; i++)
		loads->watch->verdict(loads->watch->context, &m->peaks[i]);
	m->n_peaks = 0;
	loads->watch->verdict(loads->watch->context, v);
}

static void year_over(const struct backtest_loads *loads, uint32_t monitor)
{
	const struct load_monitor *m = &loads->monitors[monitor];
	if (loads->watch->year != NULL && m->permit.year.end_ms != 0)
		loads->watch->year(loads->watch->context, monitor, &m->permit, m->covered_ms,
				   m->until_ms);
}

static void hour_over(void *context, const struct tally *tally, struct span hour,
		      const struct tally_sum *sums)
{
	struct backtest_loads *loads = context;
	for (uint32_t i = 0; i < tally->site->n_monitors; i++) {
		uint32_t monitor = tally->site->first_monitor + i;
		struct load_monitor *m = &loads->monitors[monitor];
		if (loads->plan->monitors[monitor].permit_load <= 0)
			continue;
		if (hour.start_ms >= m->permit.year.end_ms) {
			year_over(loads, monitor);
			m->covered_ms = 0;
		}
		m->covered_ms += sums[i].covered_ms;
		m->until_ms = hour.end_ms;
		loads->judged = m;
		permit_hour(&m->permit, loads->plan, monitor, hour, &sums[i], permit_says, loads);
	}
}

static void judge_events(struct backtest_loads *loads, const struct load_site *site,
			 struct tally *tally, int64_t until_ms)
{
	for (size_t i = 0; i < site->n; i++) {
		const struct event *e = &site->events[i];
		const struct reading r = {.measured_ms = e->time_ms,
					  .value = e->value,
					  .monitor = e->monitor,
					  .has_value = true,
					  .flag = e->valid ? FLAG_NORMAL : FLAG_FAULT};
		tally_add(tally, &r, 0);
		if (tally->n_events >= EVENTS_AT_ONCE && e->time_ms <= until_ms)
			tally_until(tally, e->time_ms, hour_over, loads);
	}
	tally_until(tally, until_ms, hour_over, loads);
}

static bool judge_site(struct backtest_loads *loads, uint32_t index, int64_t until_ms)
{
	struct load_site *site = &loads->sites[index];
	const struct site *plan = &loads->plan->sites[index];
	struct tally tally;
	bool good = tally_init(&tally, loads->plan, index);
	if (good && site->n > 0) {
		qsort(site->events, site->n, sizeof *site->events, order_time);
		judge_events(loads, site, &tally, until_ms);
		for (uint32_t i = 0; i < plan->n_monitors; i++)
			year_over(loads, plan->first_monitor + i);
	}
	good = good && !tally.failed;
	tally_deinit(&tally);
	return good;
}

bool backtest_loads_judge(struct backtest_loads *loads, int64_t latest_ms,
			  const struct backtest_loads_watch *watch)
{
	bool good = true;
	loads->watch = watch;
	for (uint32_t i = 0; good && i < loads->plan->n_sites; i++)
		if (loads->sites[i].wanted)
			good = judge_site(loads, i, latest_ms - TALLY_GRACE_MS);
	return good;
}
