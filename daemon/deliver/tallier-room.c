/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of hours that go: by their age each day, and where whoever keeps the store has no room. */
#include "deliver/tallier-internal.h"

static int64_t asked_ms(const struct tallier *t)
{
	return t->setup.hours == NULL ? 0 : atomic_load(&t->setup.hours->drop_before_ms);
}

/* By the clock as far as it is believed. */
void room_prune(struct tallier *t)
{
	int64_t age_ms = t->setup.age_ms == NULL ? t->now_ms : t->setup.age_ms(t->setup.context);
	int64_t before_ms = t->setup.keep_ms == 0 ? 0 : age_ms - t->setup.keep_ms;
	int64_t asked = asked_ms(t);

	if (asked <= t->dropped_ms && t->pruned_ms <= age_ms && age_ms - t->pruned_ms < DAY_MS)
		return;
	t->pruned = true;
	t->pruned_ms = age_ms;
	tallier_keep(t, tallies_prune(t->store, asked > before_ms ? asked : before_ms));
}

static int drop(struct tallier *t, int64_t asked)
{
	struct text day = {0};
	int r = tallies_shrink(t->store);

	if (r != 0)
		return r;
	t->dropped_ms = asked;
	text_time(&day, asked, &t->setup.plan->zone, 0);
	log_info("sums of hours before %s removed: there is no room", day.failed ? "then" : day.at);
	text_deinit(&day);
	return 0;
}

int room_give(struct tallier *t)
{
	int64_t asked = asked_ms(t), from_ms;

	if (!t->pruned)
		return 0;
	int r = asked > t->dropped_ms ? drop(t, asked) : 0;
	if (r == 0)
		r = tallies_oldest_hour(t->store, &from_ms);
	if (r == 0 && t->setup.hours != NULL)
		atomic_store(&t->setup.hours->from_ms, from_ms);
	t->pruned = r != 0;
	return r;
}
