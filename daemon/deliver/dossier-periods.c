/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/dossier-periods.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool episode_is_of(const json_t *object, const char *factor)
{
	const char *own = json_words(object, "factor");
	return factor == NULL || own == NULL || strcmp(factor, own) == 0;
}

static double worst_of(const json_t *episode)
{
	const json_t *peak = json_object_get(episode, "peak_value"),
		     *limit = json_object_get(episode, "limit");
	double beyond = fabs(json_number_value(peak) - json_number_value(limit));
	if (!json_is_number(peak) || !json_is_number(limit))
		return 0;
	return beyond / fmax(fabs(json_number_value(limit)), 1e-9);
}

static struct period period_of(const struct dossier *dossier, const json_t *episode)
{
	int64_t ended_ms = json_ms(episode, "ended_at");
	return (struct period){.from_ms = json_ms(episode, "began_at"),
			       .to_ms = ended_ms == 0 ? dossier->now_ms : ended_ms,
			       .worst = worst_of(episode)};
}

static int by_begin(const void *a, const void *b)
{
	const struct period *x = a, *y = b;
	return x->from_ms < y->from_ms ? -1 : x->from_ms > y->from_ms;
}

/* Each episode of the factor by itself, in order. Return: how many. */
static size_t all_episodes(const struct dossier *dossier, const char *factor, struct period *all)
{
	const json_t *episode;
	size_t i, n = 0;
	json_array_foreach(json_object_get(dossier->c, "episodes"), i, episode)
	{
		if (episode_is_of(episode, factor))
			all[n++] = period_of(dossier, episode);
	}
	qsort(all, n, sizeof *all, by_begin);
	return n;
}

/* Return: how many are left. */
static size_t join(struct period *all, size_t n)
{
	size_t last = 0;
	for (size_t i = 1; i < n; i++) {
		if (all[i].from_ms - all[last].to_ms > PERIOD_APART_MS) {
			all[++last] = all[i];
			continue;
		}
		all[last].to_ms = all[i].to_ms > all[last].to_ms ? all[i].to_ms : all[last].to_ms;
		all[last].worst = fmax(all[last].worst, all[i].worst);
	}
	return n == 0 ? 0 : last + 1;
}

/* Of the same the newer. */
static size_t worst_among(const struct period *all, size_t n)
{
	size_t worst = 0;
	for (size_t i = 1; i < n; i++)
		worst = all[i].worst < all[worst].worst ? worst : i;
	return worst;
}

static size_t choose(struct period *all, size_t n, struct period *out, size_t most)
{
	size_t worst = worst_among(all, n), first = n > most ? n - most : 0, taken = 0;
	for (size_t i = 0; i < n; i++)
		all[i].number = i + 1;
	if (worst < first) {
		out[taken++] = all[worst];
		first++;
	}
	while (first < n)
		out[taken++] = all[first++];
	return taken;
}

size_t periods_of(const struct dossier *dossier, const char *factor, struct period *out,
		  size_t most, size_t *total)
{
	size_t n = json_array_size(json_object_get(dossier->c, "episodes"));
	struct period *all = calloc(n + 1, sizeof *all);
	int64_t opened_ms = json_ms(dossier->c, "opened_at");
	n = all == NULL ? 0 : join(all, all_episodes(dossier, factor, all));
	*total = n == 0 ? 1 : n;
	out[0] = (struct period){.from_ms = opened_ms, .to_ms = opened_ms, .number = 1};
	size_t taken = n == 0 ? 1 : choose(all, n, out, most);
	free(all);
	return taken;
}
