/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instant limits on random walks, against a model that shares nothing with the evaluator: it keeps
 * all readings and looks back over them, word for word as the rules are written.
 * DUCHA_SEED=n repeats a walk.
 */
#include "testing.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WALKS = 3000, STEPS = 120 };

static int pick(uint64_t *state, int n)
{
	return (int)(test_random(state) % (uint64_t)n);
}

struct model {
	const struct limit *limit;
	int64_t stale_after_ms, cycle_ms;
	struct reading all[STEPS]; /* without the late ones */
	bool result[STEPS];        /* a new result */
	int n, raised_at, cleared_at;
	bool active;
};

static bool valid(const struct reading *r)
{
	return r->flag == FLAG_NORMAL && r->has_value;
}

static int valid_before(const struct model *m, int at)
{
	for (at--; at >= 0 && !valid(&m->all[at]); at--)
		continue;
	return at;
}

static bool gap_before(const struct model *m, int at)
{
	int before = valid_before(m, at);
	return before >= 0 && m->stale_after_ms > 0 &&
	       m->all[at].measured_ms - m->all[before].measured_ms > m->stale_after_ms;
}

static bool new_result(const struct model *m, int at)
{
	int before = valid_before(m, at), last = before;
	if (before < 0)
		return true;
	while (last >= 0 && !(valid(&m->all[last]) && m->result[last]))
		last--;
	bool held = m->cycle_ms > 0 && m->all[last].value == m->all[at].value &&
		    m->all[at].measured_ms - m->all[last].measured_ms < m->cycle_ms;
	return m->all[at].measured_ms > m->all[before].measured_ms && !held;
}

static bool violates(const struct limit *l, double v)
{
	return (l->has_max && v > l->max) || (l->has_min && v < l->min);
}

static bool recovered(const struct limit *l, double v)
{
	return (!l->has_max || v <= l->max - l->deadband) &&
	       (!l->has_min || v >= l->min + l->deadband);
}

/* The first of the unbroken run that ends with the newest reading; *results of it are new. */
static int run_start(const struct model *m, bool recovery, uint32_t *results)
{
	int at = m->n - 1, first = m->n - 1;
	int stop = recovery ? m->raised_at : m->cleared_at;
	*results = 0;
	for (; at > stop; at--) {
		const struct reading *r = &m->all[at];
		if (!valid(r)) {
			if (recovery)
				break;
			continue;
		}
		if (recovery ? !recovered(m->limit, r->value) : !violates(m->limit, r->value))
			break;
		first = at;
		*results += m->result[at];
		if (gap_before(m, at))
			break;
	}
	return first;
}

/* Return: what the newest reading does: 1 raised (*began), -1 cleared, 0 nothing. */
static int model_feed(struct model *m, const struct reading *r, int64_t *began_ms)
{
	const struct limit *l = m->limit;
	uint32_t results;
	if (m->n > 0 && r->measured_ms < m->all[m->n - 1].measured_ms)
		return 0;
	m->all[m->n++] = *r;
	m->result[m->n - 1] = valid(r) && new_result(m, m->n - 1);
	if (!valid(r) || !(m->active ? recovered(l, r->value) : violates(l, r->value)))
		return 0;
	int first = run_start(m, m->active, &results);
	int64_t lasted_ms = r->measured_ms - m->all[first].measured_ms;
	if (lasted_ms < (m->active ? l->off_delay_ms : l->on_delay_ms) ||
	    results < (m->active ? l->off_count : l->on_count))
		return 0;
	m->active = !m->active;
	*(m->active ? &m->raised_at : &m->cleared_at) = m->n - 1;
	*began_ms = m->all[first].measured_ms;
	return m->active ? 1 : -1;
}

static void random_limit(uint64_t *seed, struct rig *rig)
{
	struct limit *l = &rig->limits[0];
	int bounds = pick(seed, 3);
	*l = (struct limit){.has_max = bounds != 1,
			    .has_min = bounds != 0,
			    .max = 6,
			    .min = 3,
			    .deadband = pick(seed, 2),
			    .on_delay_ms = pick(seed, 2) * pick(seed, 20),
			    .off_delay_ms = pick(seed, 2) * pick(seed, 20),
			    .on_count = (uint32_t)(pick(seed, 2) * pick(seed, 5)),
			    .off_count = (uint32_t)(pick(seed, 2) * pick(seed, 5)),
			    .key = "a"};
	rig->monitors[0].stale_after_ms = pick(seed, 2) * 12;
	rig->monitors[0].cycle_ms = pick(seed, 2) * pick(seed, 25);
}

static struct reading random_reading(uint64_t *seed, int64_t *now_ms, double *value)
{
	static const char flags[] = "NNNNNNNNNNNNMDBCT";
	*now_ms += pick(seed, 12) == 0 ? pick(seed, 40) : pick(seed, 5);
	*value = pick(seed, 3) == 0 ? pick(seed, 10) : *value;
	bool late = pick(seed, 15) == 0;
	struct reading r = {.measured_ms = *now_ms - (late ? pick(seed, 6) : 0),
			    .received_ms = *now_ms,
			    .flag = (uint8_t)flags[pick(seed, 17)],
			    .has_value = pick(seed, 30) != 0,
			    .value = *value};
	return r;
}

static void walk(uint64_t seed)
{
	struct rig *rig;
	rig_make((void **)&rig);
	random_limit(&seed, rig);
	struct model m = {.limit = &rig->limits[0],
			  .stale_after_ms = rig->monitors[0].stale_after_ms,
			  .cycle_ms = rig->monitors[0].cycle_ms,
			  .raised_at = -1,
			  .cleared_at = -1};
	int64_t now_ms = RIG_START_MS, began_ms = 0;
	double value = 5;
	rig_start(rig);
	for (int i = 0; i < STEPS; i++) {
		struct reading r = random_reading(&seed, &now_ms, &value);
		int expected = model_feed(&m, &r, &began_ms);
		evaluator_feed(rig->evaluator, &r);
		assert_int_equal(rig->n_said, expected != 0);
		for (size_t j = 0; j < rig->n_said; j++) {
			/* a stale that a reading ends is no part of the walk: no clock runs */
			assert_int_equal(rig->said[j].kind, ALERT_EXCEEDANCE);
			assert_int_equal(rig->said[j].type,
					 expected > 0 ? VERDICT_RAISED : VERDICT_CLEARED);
			assert_int_equal(rig->said[j].time_ms, r.measured_ms);
			if (expected > 0)
				assert_int_equal(rig->said[j].began_ms, began_ms);
		}
		rig->n_said = 0;
	}
	rig_remove((void **)&rig);
}

static void test_random_walks_agree_with_the_rules_read_backwards(void **state)
{
	uint64_t seed = test_seed();
	for (int i = 0; i < WALKS; i++)
		walk(seed + (uint64_t)i * 7919);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_walks_agree_with_the_rules_read_backwards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
