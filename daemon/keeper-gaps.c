/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper-gaps.h"

#include "core/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "keeper/gaps"

int gaps_keep(struct ledger *ledger, const struct plan *plan, const struct gap *gaps)
{
	struct text text = {0};

	text_add(&text, "");
	for (size_t i = 0; i < plan->n_monitors; i++)
		if (gaps[i].count > 0)
			text_format(&text, "%s\t%s\t%" PRIu64 " %" PRId64 " %" PRId64 "\n",
				    plan->sites[plan->monitors[i].site].id,
				    plan->monitors[i].factor, gaps[i].count, gaps[i].from_ms,
				    gaps[i].to_ms);
	int r = text.failed ? -ENOMEM : ledger_put(ledger, NAME, text.at, text.length);
	text_deinit(&text);
	return r;
}

int gaps_forget(struct ledger *ledger)
{
	return ledger_put(ledger, NAME, "", 0);
}

static uint32_t find_monitor(const struct plan *plan, const char *site, const char *factor)
{
	uint32_t s = plan_site(plan, site);

	for (uint32_t i = 0; s != NO_INDEX && i < plan->sites[s].n_monitors; i++)
		if (strcmp(plan->monitors[plan->sites[s].first_monitor + i].factor, factor) == 0)
			return plan->sites[s].first_monitor + i;
	return NO_INDEX;
}

static bool line_take(const struct plan *plan, char *line, struct gap *gaps)
{
	char *factor = strchr(line, '\t'), *figures = factor ? strchr(factor + 1, '\t') : NULL;
	struct gap gap = {0};

	if (figures == NULL)
		return false;
	*factor++ = *figures++ = '\0';
	gap.monitor = find_monitor(plan, line, factor);
	if (gap.monitor == NO_INDEX || sscanf(figures, "%" SCNu64 " %" SCNd64 " %" SCNd64,
					      &gap.count, &gap.from_ms, &gap.to_ms) != 3)
		return false;
	gaps[gap.monitor] = gap;
	return gap.count > 0;
}

int gaps_recall(struct ledger *ledger, const struct plan *plan, struct gap *gaps)
{
	void *data = NULL;
	size_t size;
	int n = 0;

	int r = ledger_get(ledger, NAME, &data, &size);
	if (r != 0)
		return r == -ENOENT ? 0 : r;
	char *text = strndup(data, size), *rest = text, *line;
	free(data);
	if (text == NULL)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n")) != NULL)
		n += line_take(plan, line, gaps);
	free(text);
	return n;
}
