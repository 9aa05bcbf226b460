/* SPDX-License-Identifier: Apache-2.0 */
/* What open cases need of the daybook: the readings of their episodes, and some around them. */
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdlib.h>

#define AROUND_MS INT64_C(86400000)

static int span_add(struct stock_span **spans, size_t *n, sqlite3_stmt *row)
{
	void *more = reallocarray(*spans, *n + 1, sizeof **spans);

	if (more == NULL)
		return -ENOMEM;
	*spans = more;
	struct stock_span *span = &(*spans)[(*n)++];
	span->from_ms = sqlite3_column_int64(row, 0) - AROUND_MS;
	span->to_ms = sqlite3_column_type(row, 1) == SQLITE_NULL
			      ? INT64_MAX
			      : sqlite3_column_int64(row, 1) + AROUND_MS;
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
		r = span_add(out, n, list);
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
