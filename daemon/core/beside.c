/* SPDX-License-Identifier: Apache-2.0 */
#include "core/beside.h"

#include "core/evaluate-state.h"
#include "core/number.h"

#include <math.h>
#include <stdlib.h>

/* By the catalogue alone: a probe without limits has no flag for it, and shows it all the same. */
static bool is_nothing(const struct plan *plan, const struct monitor *m, double value)
{
	if (m->has_nothing && compare12(value, m->nothing_at) <= 0)
		return true;
	for (size_t i = 0; fabs(value) >= m->codes_from && i < plan->n_codes; i++)
		if (value == plan->codes[i])
			return true;
	return signal_is_dead(m, value) || signal_is_impossible(m, value) ||
	       signal_is_fill(m, value);
}

static bool is_low_end(const struct monitor *m, double value)
{
	return value == (m->has_range ? m->range_low : 0);
}

/* Below what a limit asks for, of whatever averaging, whether it is in force or not. */
static bool is_too_low(const struct monitor *m, double value)
{
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].has_min && value < m->limits[i].min)
			return true;
	return false;
}

/* As near as a loop's noise lets it be: two steps of an input that is good to some 0.2 %. */
static bool is_near(double value, double end)
{
	return fabs(value - end) <= 0.005 * fabs(end);
}

/* Where an input begins that nobody knows the range of is a whole number. */
static bool may_be_low_end(const struct monitor *m, double value)
{
	return m->low_beside && !m->has_range && is_too_low(m, value) &&
	       is_near(value, rint(value));
}

static enum shows shows_of(const struct plan *plan, const struct reading *r)
{
	const struct monitor *m = &plan->monitors[r->monitor];
	bool by_value = r->has_value && (r->flag == FLAG_NORMAL || r->flag == FLAG_OVER_RANGE);
	if (!by_value && r->flag != FLAG_FAULT)
		return SHOWS_UNKNOWN;
	if (r->has_value && is_nothing(plan, m, r->value))
		return SHOWS_NOTHING;
	if (r->flag == FLAG_FAULT)
		return SHOWS_FAULT;
	if (is_low_end(m, r->value))
		return SHOWS_LOW_END;
	return may_be_low_end(m, r->value) ? SHOWS_UNKNOWN : SHOWS_WATER;
}

static bool of_one_moment(const struct beside *other, const struct reading *r)
{
	return llabs(other->measured_ms - r->measured_ms) <= BESIDE_MS;
}

/* How many of the site's others at the connection show what. */
struct among {
	int nothing, fault, low, water, fell;
};

static struct among among_of(const struct plan *plan, const struct beside *shown,
			     const struct reading *r)
{
	const struct monitor *m = &plan->monitors[r->monitor];
	const struct site *site = &plan->sites[m->site];
	struct among a = {0};
	for (uint32_t i = site->first_monitor; i < site->first_monitor + site->n_monitors; i++) {
		if (i == r->monitor || plan->monitors[i].connection != m->connection ||
		    !of_one_moment(&shown[i], r))
			continue;
		a.nothing += shown[i].shows == SHOWS_NOTHING;
		a.fault += shown[i].shows == SHOWS_FAULT;
		a.low += shown[i].shows == SHOWS_LOW_END;
		a.water += shown[i].shows == SHOWS_WATER;
		a.fell += shown[i].fell;
	}
	return a;
}

static bool most_show_nothing(const struct among *a)
{
	return a->nothing + a->fault > a->water;
}

/* What complies makes no case, and may be what clean water has: more is asked of those beside it.
 */
static bool row_is_dead(const struct among *a, bool too_low)
{
	int dead = a->nothing + a->low, wanted = too_low ? 2 : 3;
	bool most = dead >= wanted && dead >= wanted * a->water;
	bool all = too_low && a->water == 0;
	return (most && (a->nothing > 0 || all)) || (too_low && a->fell >= 2);
}

static bool asks_for_oxygen(const struct monitor *m, double value)
{
	return m->zero_beside && value == 0;
}

static bool asks_for_low_end(const struct monitor *m, double value)
{
	return m->low_beside && (is_low_end(m, value) || may_be_low_end(m, value));
}

void beside_begin(struct monitor *m)
{
	m->asks_most = m->zero_beside ? 0 : -INFINITY;
	if (!m->low_beside)
		return;
	m->asks_most = fmax(m->asks_most, m->has_range ? m->range_low : 0);
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].has_min)
			m->asks_most = fmax(m->asks_most, m->limits[i].min);
}

bool beside_asks(const struct plan *plan, uint32_t monitor, double value)
{
	const struct monitor *m = &plan->monitors[monitor];
	return asks_for_oxygen(m, value) || asks_for_low_end(m, value);
}

static bool is_no_water(const struct plan *plan, const struct beside *shown,
			const struct reading *r)
{
	const struct monitor *m = &plan->monitors[r->monitor];
	bool oxygen = asks_for_oxygen(m, r->value);
	bool low = asks_for_low_end(m, r->value);
	bool clings = m->low_beside && shown[r->monitor].clings;
	if (!r->has_value || (!oxygen && !low && !clings))
		return false;
	struct among a = among_of(plan, shown, r);
	return (oxygen && most_show_nothing(&a)) ||
	       (low && row_is_dead(&a, is_too_low(m, r->value))) ||
	       (clings && a.nothing + a.low >= 2);
}

/* Told once of each reading, though it may be shown before it is settled. */
static void note(struct beside *s, const struct reading *r, enum shows shows)
{
	bool recent = of_one_moment(s, r);
	s->fell = recent && s->shows == SHOWS_WATER && shows == SHOWS_LOW_END;
	s->clings = recent && s->dead && r->has_value && is_near(r->value, s->dead_end);
	s->dead = false;
	s->measured_ms = r->measured_ms;
	s->value = r->value;
	s->flag = r->flag;
	s->shows = shows;
}

void beside_show(const struct plan *plan, struct beside *shown, const struct reading *reading)
{
	struct beside *s = &shown[reading->monitor];
	if (!plan->monitors[reading->monitor].seen_beside)
		return;
	if (s->measured_ms != reading->measured_ms || s->value != reading->value ||
	    s->flag != reading->flag)
		note(s, reading, shows_of(plan, reading));
}

static void settle_dead(struct beside *s, double value)
{
	s->dead = true;
	if (!s->clings)
		s->dead_end = value;
}

void beside_settle(const struct plan *plan, struct beside *shown, struct reading *reading)
{
	bool asks = reading->flag == FLAG_NORMAL || reading->flag == FLAG_FAULT;
	if (!plan->monitors[reading->monitor].seen_beside)
		return;
	beside_show(plan, shown, reading);
	if (!asks || !is_no_water(plan, shown, reading))
		return;
	settle_dead(&shown[reading->monitor], reading->value);
	reading->flag = FLAG_FAULT;
	reading->beside = true;
}
