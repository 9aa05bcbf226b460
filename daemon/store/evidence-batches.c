/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-batches.h"

#include "store/evidence-days.h"

#include <stdlib.h>

struct places {
	struct evidence_place *at;
	size_t n;
};

static int place_compare(const void *a, const void *b)
{
	const struct evidence_place *x = a, *y = b;

	return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* The first that is not before @sequence. */
static size_t place_from(const struct places *p, int64_t sequence)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (p->at[middle].sequence < sequence)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void batch_take(struct places *p, int64_t batch, int64_t first, int64_t last)
{
	for (size_t i = place_from(p, first); i < p->n && p->at[i].sequence <= last; i++)
		p->at[i].batch = batch;
}

static int file_take(void *context, const char *path, const struct day_name *name)
{
	struct places *p = context;
	sqlite3_stmt *list = NULL;
	bool row = false;
	sqlite3 *db;

	(void)name;
	int r = day_open_read(&db, path);
	if (r == 0)
		r = sql_prepare(db, &list,
				"SELECT batch, first, last FROM chain WHERE first > 0"
				" AND last >= ?1 AND first <= ?2");
	if (r == 0) {
		sql_bind(list, "ii", p->at[0].sequence, p->at[p->n - 1].sequence);
		r = sql_step(list, &row);
	}
	for (; r == 0 && row; r = sql_step(list, &row))
		batch_take(p, sqlite3_column_int64(list, 0), sqlite3_column_int64(list, 1),
			   sqlite3_column_int64(list, 2));
	sqlite3_finalize(list);
	sql_close(db);
	return r;
}

int evidence_places(const char *directory, struct evidence_place *at, size_t n)
{
	struct places p = {at, n};

	if (n == 0)
		return 0;
	qsort(at, n, sizeof *at, place_compare);
	return evidence_days(directory, file_take, &p);
}

struct newest {
	int64_t batch, sequence;
};

static int file_newest(void *context, const char *path, const struct day_name *name)
{
	struct newest *newest = context;
	sqlite3_stmt *find = NULL;
	bool row = false;
	sqlite3 *db;

	(void)name;
	int r = day_open_read(&db, path);
	if (r == 0)
		r = sql_prepare(db, &find, "SELECT max(last) FROM chain WHERE batch <= ?1");
	if (r == 0) {
		sql_bind(find, "i", newest->batch);
		r = sql_step(find, &row);
	}
	if (r == 0 && row && sqlite3_column_int64(find, 0) > newest->sequence)
		newest->sequence = sqlite3_column_int64(find, 0);
	sqlite3_finalize(find);
	sql_close(db);
	return r;
}

int evidence_until(const char *directory, int64_t batch, int64_t *sequence)
{
	struct newest newest = {.batch = batch};

	int r = evidence_days(directory, file_newest, &newest);
	*sequence = newest.sequence;
	return r;
}

struct evidence_place *evidence_place_find(const struct evidence_place *at, size_t n,
					   int64_t sequence)
{
	const struct evidence_place key = {.sequence = sequence};

	return at == NULL ? NULL : bsearch(&key, at, n, sizeof *at, place_compare);
}

int64_t evidence_place(const struct evidence_place *at, size_t n, int64_t sequence)
{
	const struct evidence_place *found = evidence_place_find(at, n, sequence);

	return found == NULL ? 0 : found->batch;
}
