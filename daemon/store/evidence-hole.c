/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-hole.h"

#include "store/evidence-days.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdlib.h>

struct stretch {
	int64_t first, last; /* batches */
};

struct stretches {
	struct stretch *at;
	size_t n;
};

static int stretch_add(struct stretches *s, int64_t first, int64_t last)
{
	void *grown = reallocarray(s->at, s->n + 1, sizeof *s->at);

	if (grown == NULL)
		return -ENOMEM;
	s->at = grown;
	s->at[s->n++] = (struct stretch){first, last};
	return 0;
}

static int file_add(void *context, const char *path, const struct day_name *name)
{
	int64_t first = 0, last = 0;
	sqlite3 *db;

	(void)name;
	int r = day_open_read(&db, path);
	if (r == 0)
		r = day_batches(db, &first, &last);
	sql_close(db);
	return r == 0 && first != 0 ? stretch_add(context, first, last) : r;
}

static int removed_add(struct stretches *s, struct ledger *ledger)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	pthread_mutex_lock(&ledger->lock);
	int r = sql_prepare(ledger->db, &list, "SELECT first_batch, last_batch FROM chain_days");
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		r = stretch_add(s, sqlite3_column_int64(list, 0), sqlite3_column_int64(list, 1));
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

static int stretch_compare(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

int evidence_hole(const char *directory, struct ledger *ledger, int64_t until, int64_t *batch)
{
	struct stretches s = {0};
	int64_t next = 1;

	int r = removed_add(
		&s,
		ledger); /* before the files: a day that is removed meanwhile is in one of both */
	if (r == 0)
		r = evidence_days(directory, file_add, &s);
	if (s.n > 1)
		qsort(s.at, s.n, sizeof *s.at, stretch_compare);
	for (size_t i = 0; i < s.n && s.at[i].first <= next; i++)
		if (s.at[i].last >= next)
			next = s.at[i].last + 1;
	*batch = next <= until ? next : 0;
	free(s.at);
	return r;
}
