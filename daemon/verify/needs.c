/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What open cases need: a daemon removes no day that one was registered on. Which day that is, in
 * its zone, nobody has to know: soon behind the registration the ledger names the newest batch.
 */
#include "store/chainrows.h"
#include "verify/internal.h"

#include <errno.h>
#include <stdlib.h>

/* Cases that were never closed since; by hand they may speak of any day. */
static const char registrations[] =
	"SELECT o.number, d.number, d.ref FROM cases c JOIN newest o ON o.kind = 1 AND o.ref = c.id"
	" JOIN chain d ON d.number = (SELECT number FROM chain WHERE kind = 6 AND number > o.number"
	" ORDER BY number LIMIT 1) WHERE c.source = 'automatic' AND c.reopened = 0"
	" AND c.restored = 0 AND c.status NOT IN ('closed', 'withdrawn')";

/* Were two entries made within a minute or so? The first seal behind the one names the other. */
static bool sealed_together(const struct verify *v, int64_t former, int64_t later)
{
	size_t low = 0, high = v->n_seals;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (v->seals[middle].ledger.number < former)
			low = middle + 1;
		else
			high = middle;
	}
	return low < v->n_seals && v->seals[low].ledger.number >= later;
}

static int needed_add(struct verify *v, int64_t batch)
{
	void *grown = reallocarray(v->needed, v->n_needed + 1, sizeof *v->needed);

	if (grown == NULL)
		return -ENOMEM;
	v->needed = grown;
	v->needed[v->n_needed++] = batch;
	return 0;
}

int needs_read(struct verify *v, sqlite3 *db)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	if (v->format < chain_format_of(CHAIN_LEFT)) /* the columns may not be there */
		return 0;
	int r = sql_prepare(db, &list, registrations);
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		if (sealed_together(v, sqlite3_column_int64(list, 0),
				    sqlite3_column_int64(list, 1)))
			r = needed_add(v, sqlite3_column_int64(list, 2));
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

bool needs_have(const struct verify *v, int64_t first, int64_t last)
{
	for (size_t i = 0; i < v->n_needed; i++)
		if (v->needed[i] >= first && v->needed[i] <= last)
			return true;
	return false;
}
