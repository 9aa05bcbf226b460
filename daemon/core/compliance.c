/* SPDX-License-Identifier: Apache-2.0 */
#include "core/compliance.h"

#include "core/number.h"

#define HOUR_MS INT64_C(3600000)
/* Where no limit says it: HJ 212 and the daemon's own default. */
static const double usual_share = 0.75;

static const struct {
	const char *name, *text;
} states[DAY_STATES] = {
	[DAY_COMPLIES] = {"complies", "it complies"},
	[DAY_IDLE] = {"no_discharge", "nothing was discharged"},
	[DAY_SHORT] = {"too_little", "too little valid data"},
	[DAY_NOTHING] = {"nothing", "nothing was recorded"},
	[DAY_PENDING] = {"pending", "not added up yet"},
	[DAY_UNKNOWN] = {"not_configured", "the monitor is no longer configured"},
	[DAY_EXCEEDS] = {"exceeds", "a limit is exceeded"},
};

const char *day_state_name(enum day_state state)
{
	return states[state].name;
}

const char *day_state_text(enum day_state state)
{
	return states[state].text;
}

double monitor_due(const struct monitor *m, double length_ms)
{
	if (m->expected_per_hour > 0)
		return m->expected_per_hour * length_ms / (double)HOUR_MS;
	return m->interval_ms > 0 ? length_ms / (double)m->interval_ms : 0;
}

uint32_t hour_of_day(struct span day, int64_t wall_ms)
{
	int64_t hour = (wall_ms - day.start_ms) / HOUR_MS;
	return UINT32_C(1) << (hour < 0 || hour > 31 ? 31 : hour);
}

bool flow_shut(const struct site *site, const struct monitor *flow, const struct tally_sum *hour)
{
	double seconds = (double)hour->covered_ms / 1000;
	return site->has_gate && 2 * hour->covered_ms >= HOUR_MS &&
	       hour->load < site->gate_below * flow->load_times * seconds;
}

static double least_share(const struct monitor *m)
{
	double share = m->n_limits == 0 ? usual_share : 0;
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].min_valid > share)
			share = m->limits[i].min_valid;
	return share;
}

/* In how many of its hours a monitor has a reading at all, at most each: a result may be held for
 * some, and what is silent for so long as that is no silence. */
static double hourly(const struct monitor *m)
{
	double one = monitor_due(m, (double)HOUR_MS);
	int64_t wait_ms = m->cycle_ms > 0 ? m->cycle_ms : m->stale_after_ms;
	if (one <= 0)
		one = wait_ms > 0 ? (double)HOUR_MS / (double)wait_ms : 1;
	return one < 1 ? one : 1;
}

static void share_of(const struct monitor *m, const struct day_record *day, struct day_share *share)
{
	int64_t length_ms = day->span.end_ms - day->span.start_ms;
	uint32_t all = (uint32_t)((UINT64_C(1) << (length_ms + HOUR_MS - 1) / HOUR_MS) - 1);
	double due = monitor_due(m, (double)length_ms);
	share->hours = m->gated || due <= 0;
	share->valid = (double)day->count.valid;
	if (share->hours) {
		due = hourly(m) * __builtin_popcount(all & ~day->shut);
		share->valid = __builtin_popcount(day->count.hours & all & ~day->shut);
	}
	share->due = due;
	share->needed = least_share(m) * due;
}

/* A plain mean, or a value as it is: what else decides is not in the counts of a day. */
static bool beyond(const struct monitor *m, const struct limit *l, const struct day_record *day)
{
	const struct tally_count *c = &day->count;
	int64_t at_ms = day->span.start_ms;
	bool doubtful = m->gated || m->settle_results > 0;
	bool low = !m->has_nothing && !m->zero_beside && !m->low_beside;
	if (doubtful || l->by_flow || l->of_results || c->valid == 0)
		return false;
	if (l->average == AVERAGE_DAY)
		return mean_outcome(l, at_ms, c->sum / (double)c->valid, (double)c->valid,
				    monitor_due(m, (double)(day->span.end_ms - at_ms))) ==
		       OUTCOME_EXCEEDS;
	if (l->average != AVERAGE_INSTANT || l->on_delay_ms > 0 || l->on_count > 1)
		return false;
	return limit_beyond(l, at_ms, c->high) || (low && limit_beyond(l, at_ms, c->low));
}

enum day_state compliance_day(const struct monitor *m, const struct day_record *day,
			      struct day_share *share)
{
	share_of(m, day, share);
	if (day->late)
		return DAY_EXCEEDS;
	for (size_t i = 0; i < m->n_limits; i++)
		if (beyond(m, &m->limits[i], day))
			return DAY_EXCEEDS;
	if (m->gated && share->due <= 0)
		return DAY_IDLE;
	if (day->count.n == 0)
		return DAY_NOTHING;
	return share->valid > 0 && compare12(share->valid, share->needed) >= 0 ? DAY_COMPLIES
									       : DAY_SHORT;
}
