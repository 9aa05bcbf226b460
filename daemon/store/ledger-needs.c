/* SPDX-License-Identifier: Apache-2.0 */
/* What open cases need of the daybook: the readings of their episodes, of whole days in the node's
 * zone, and of the day before and after. */
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdlib.h>

static int span_add(const struct zone *zone, struct stock_span **spans, size_t *n,
		    sqlite3_stmt *row)
{
	void *more = reallocarray(*spans, *n + 1, sizeof **spans);

	if (more == NULL)
		return -ENOMEM;
	*spans = more;
	struct stock_span *span = &(*spans)[(*n)++];
	span->from_ms = zone_day_ms(zone, zone_day(zone, sqlite3_column_int64(row, 0)) - 1);
	span->to_ms =
		sqlite3_column_type(row, 1) == SQLITE_NULL
			? INT64_MAX
			: zone_day_ms(zone, zone_day(zone, sqlite3_column_int64(row, 1)) + 2) - 1;
	return 0;
}

int ledger_needs(struct ledger *ledger, struct stock_span **out, size_t *n)
{
	bool row = false;

	*out = NULL;
	*n = 0;
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_CASE_NEEDS];
	int r = sql_step(list, &row);
	while (r == 0 && row) {
		r = span_add(&ledger->plan->zone, out, n, list);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	if (r != 0) {
		free(*out);
		*out = NULL;
		*n = 0;
	}
	return r;
}
