/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pages: the answers that serve itself writes: health, sites, readings.
 */
#include "serve/query.h"
#include "serve/serve.h"

/** page_health() - Return: 200 or 503 */
unsigned page_health(const struct serve_setup *setup, int64_t started_mono_s, struct text *out);
/** page_sites() - all, or the one that @site names
 * @open: to everybody, redact_kinds() */
void page_sites(const struct serve_setup *setup, const char *site, bool open, struct text *out);

struct page_readings {
	struct text *out;
	const struct plan *plan;
	struct ledger *ledger; /* of the marks */
	size_t n;
	int64_t last; /* sequence of the newest row written */
};

/** page_readings_json() - {"readings":[…],"next":…}. Return: 0; negative errno. */
int page_readings_json(struct page_readings *page, struct daybook_reader *reader,
		       const struct daybook_query *query);
/** page_readings_csv() - @next: out: what a full page would carry as "next", else 0 */
int page_readings_csv(struct page_readings *page, struct daybook_reader *reader,
		      const struct daybook_query *query, int64_t *next);

/** page_gaps() - {"gaps":[…]}: what was judged and is in no daybook. Return: 0; negative errno. */
int page_gaps(struct text *out, const struct plan *plan, struct daybook_reader *reader,
	      const struct query *query);

/** page_mono_s() - CLOCK_BOOTTIME in seconds */
int64_t page_mono_s(void);
