/* SPDX-License-Identifier: Apache-2.0 */
#include "backtest-names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t hash(const char *s, size_t n, size_t h)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 1099511628211u;
	return h;
}

/* Where the two columns stand side by side, as they mostly do, one look is enough. */
static bool reads(const struct backtest_name *n, const struct csv_row *row)
{
	return n->used && n->site_length == row->site_length &&
	       n->factor_length == row->factor_length &&
	       row->factor == row->site + row->site_length + 1 &&
	       memcmp(n->joined, row->site, n->site_length + 1 + n->factor_length) == 0;
}

static bool same(const struct backtest_name *n, const char *site, size_t site_length,
		 const char *factor, size_t factor_length)
{
	return n->used && n->site_length == site_length && n->factor_length == factor_length &&
	       memcmp(n->site, site, site_length) == 0 &&
	       memcmp(n->factor, factor, factor_length) == 0;
}

static struct backtest_name *find(struct backtest_names *names, const char *site,
				  size_t site_length, const char *factor, size_t factor_length)
{
	size_t at = hash(factor, factor_length, hash(site, site_length, 14695981039346656037u));
	for (;; at++) {
		struct backtest_name *n = &names->at[at & names->mask];
		if (!n->used || same(n, site, site_length, factor, factor_length))
			return n;
	}
}

struct backtest_name *backtest_names_find(struct backtest_names *names, const struct csv_row *row)
{
	struct backtest_name *n = backtest_names_expected(names);
	if (!reads(n, row))
		n = find(names, row->site, row->site_length, row->factor, row->factor_length);
	names->at[names->last].next = (size_t)(n - names->at);
	return n;
}

static void put(struct backtest_names *names, const struct backtest_name *name)
{
	*find(names, name->site, name->site_length, name->factor, name->factor_length) = *name;
	names->n++;
}

bool backtest_names_add(struct backtest_names *names, const struct backtest_name *name)
{
	struct backtest_name whole = *name;
	if (names->n * 2 >= names->mask + 1) {
		struct backtest_names larger = {.mask = names->mask * 2 + 1};
		larger.at = calloc(larger.mask + 1, sizeof *larger.at);
		if (larger.at == NULL)
			return false;
		for (size_t i = 0; i <= names->mask; i++)
			if (names->at[i].used)
				put(&larger, &names->at[i]);
		free(names->at);
		*names = larger;
	}
	int length = asprintf(&whole.joined, "%s,%s,", name->site, name->factor);
	if (length < 0)
		return false;
	bool plain = strpbrk(name->site, ",\"") == NULL && strpbrk(name->factor, ",\"") == NULL;
	whole.joined_length = plain ? (size_t)length : 0;
	whole.site_length = strlen(name->site);
	whole.factor_length = strlen(name->factor);
	put(names, &whole);
	return true;
}

bool backtest_names_fill(struct backtest_names *names, const struct plan *plan)
{
	names->mask = 255;
	names->at = calloc(names->mask + 1, sizeof *names->at);
	bool good = names->at != NULL;
	for (uint32_t i = 0; good && i < plan->n_monitors; i++)
		good = backtest_names_add(
			names,
			&(struct backtest_name){.site = plan->sites[plan->monitors[i].site].id,
						.factor = plan->monitors[i].factor,
						.monitor = i,
						.used = true});
	return good;
}

void backtest_names_deinit(struct backtest_names *names)
{
	for (size_t i = 0; names->at != NULL && i <= names->mask; i++) {
		free(names->at[i].joined);
		if (names->at[i].owned) {
			free((void *)(uintptr_t)names->at[i].site);
			free((void *)(uintptr_t)names->at[i].factor);
		}
	}
	free(names->at);
}
