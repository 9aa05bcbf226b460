/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readings by measured time. Rows lie in order of arrival, so a query goes over all blocks whose
 * measured times touch the range and keeps the first @limit rows of the result's order in a heap.
 */
#include "store/daybook-reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct range_heap {
	struct daybook_row *rows; /* the latest of the result's order at the top */
	size_t n, capacity, limit;
};

struct range_walk {
	struct daybook_reader *reader;
	const struct daybook_query *query;
	int64_t after_ms; /* measured time of query->after */
	struct range_heap heap;
};

/* --- the heap --- */

static int row_order(const struct daybook_row *a, const struct daybook_row *b)
{
	if (a->reading.measured_ms != b->reading.measured_ms)
		return a->reading.measured_ms < b->reading.measured_ms ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static int row_compare(const void *a, const void *b)
{
	return row_order(a, b);
}

static void heap_sink(struct range_heap *heap)
{
	struct daybook_row row = heap->rows[0];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < heap->n) {
		if (child + 1 < heap->n &&
		    row_order(&heap->rows[child], &heap->rows[child + 1]) < 0)
			child++;
		if (row_order(&row, &heap->rows[child]) >= 0)
			break;
		heap->rows[at] = heap->rows[child];
		at = child;
	}
	heap->rows[at] = row;
}

static int heap_push(struct range_heap *heap, const struct daybook_row *row)
{
	if (heap->n == heap->capacity) {
		size_t more = heap->capacity * 2 + 256;
		void *grown = reallocarray(heap->rows, more, sizeof *heap->rows);
		if (grown == NULL)
			return -ENOMEM;
		heap->rows = grown;
		heap->capacity = more;
	}
	size_t at = heap->n++;
	while (at > 0 && row_order(&heap->rows[(at - 1) / 2], row) < 0) {
		heap->rows[at] = heap->rows[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap->rows[at] = *row;
	return 0;
}

static bool heap_full(const struct range_heap *heap)
{
	return heap->n == heap->limit;
}

static int heap_offer(struct range_heap *heap, const struct daybook_row *row)
{
	if (!heap_full(heap))
		return heap_push(heap, row);
	if (row_order(row, &heap->rows[0]) < 0) {
		heap->rows[0] = *row;
		heap_sink(heap);
	}
	return 0;
}

/* --- names that outlive the file --- */

static const char *reader_factor(struct daybook_reader *reader, const char *factor)
{
	for (size_t i = 0; i < reader->n_factors; i++)
		if (strcmp(reader->factors[i], factor) == 0)
			return reader->factors[i];
	void *grown = reallocarray(reader->factors, reader->n_factors + 1, sizeof *reader->factors);
	if (grown == NULL)
		return NULL;
	reader->factors = grown;
	char *copy = strdup(factor);
	if (copy != NULL)
		reader->factors[reader->n_factors++] = copy;
	return copy;
}

/* Return: false if the row is of another site. */
static bool range_name(struct range_walk *walk, const struct reader_file *file,
		       struct daybook_row *row, int64_t id)
{
	const struct plan *plan = walk->reader->plan;
	const struct site *site = &plan->sites[walk->query->site];

	if (id < 0 || id >= (int64_t)file->monitors.n || file->monitors.at[id].site == NULL)
		return false;
	const struct day_monitor *m = &file->monitors.at[id];
	if (m->monitor != NO_INDEX ? plan->monitors[m->monitor].site != walk->query->site
				   : strcmp(m->site, site->id) != 0)
		return false;
	row->monitor = row->reading.monitor = m->monitor;
	row->site = site->id;
	row->factor = m->monitor != NO_INDEX ? plan->monitors[m->monitor].factor
					     : reader_factor(walk->reader, m->factor);
	return row->factor != NULL;
}

/* --- one file --- */

static int range_scan(struct range_walk *walk, struct reader_file *file,
		      const struct day_block *block, int64_t id)
{
	const struct daybook_query *query = walk->query;
	struct daybook_row row;
	bool there = false;
	int64_t row_id;

	sql_bind(file->range, "iiiii", block->first, block->last, query->from_ms, query->to_ms, id);
	int r = sql_step(file->range, &there);
	for (; r == 0 && there; r = sql_step(file->range, &there)) {
		day_row(file->range, &row, &row_id);
		if (query->after != 0 &&
		    (row.reading.measured_ms < walk->after_ms ||
		     (row.reading.measured_ms == walk->after_ms && row.sequence <= query->after)))
			continue;
		if (!range_name(walk, file, &row, row_id))
			continue;
		r = heap_offer(&walk->heap, &row);
		if (r != 0)
			break;
	}
	sql_reset(file->range);
	return r;
}

struct block_list {
	struct day_block *at;
	size_t n, capacity;
};

static int block_add(struct block_list *list, struct day_block block)
{
	if (list->n == list->capacity) {
		size_t more = list->capacity * 2 + 64;
		void *grown = reallocarray(list->at, more, sizeof *list->at);
		if (grown == NULL)
			return -ENOMEM;
		list->at = grown;
		list->capacity = more;
	}
	list->at[list->n++] = block;
	return 0;
}

/* Closed blocks that touch the range, then everything behind the last closed one. */
static int block_find(struct range_walk *walk, struct reader_file *file, struct block_list *list)
{
	sqlite3_stmt *find = NULL;
	bool row = false;
	int64_t last;

	/* the end first: what closes after this question is part of the tail */
	int r = sql_number(file->db, "SELECT max(last) FROM blocks", 0, &last);
	if (r == 0)
		r = sql_prepare(file->db, &find,
				"SELECT first, last, min_ms, max_ms FROM blocks WHERE last <= ?1"
				" AND max_ms >= ?2 AND min_ms < ?3 ORDER BY min_ms, first");
	if (r != 0)
		return r;
	sql_bind(find, "iii", last, walk->query->from_ms, walk->query->to_ms);
	r = sql_step(find, &row);
	while (r == 0 && row) {
		r = block_add(list, (struct day_block){sqlite3_column_int64(find, 0),
						       sqlite3_column_int64(find, 1),
						       sqlite3_column_int64(find, 2),
						       sqlite3_column_int64(find, 3)});
		if (r == 0)
			r = sql_step(find, &row);
	}
	sqlite3_finalize(find);
	if (r == 0)
		r = block_add(list, (struct day_block){last + 1, INT64_MAX, INT64_MIN, INT64_MAX});
	return r;
}

static int64_t range_monitor(const struct reader_file *file, uint32_t monitor)
{
	for (size_t i = 0; i < file->monitors.n; i++)
		if (file->monitors.at[i].site != NULL && file->monitors.at[i].monitor == monitor)
			return (int64_t)i;
	return -1;
}

/* The measured times in a file that gets no more rows are looked up once. */
int reader_seal(struct reader_file *file)
{
	struct day_block tail;
	int64_t min_ms, max_ms;

	int r = day_tail(file->db, &tail);
	if (r == 0)
		r = sql_number(file->db, "SELECT min(min_ms) FROM blocks", INT64_MAX, &min_ms);
	if (r == 0)
		r = sql_number(file->db, "SELECT max(max_ms) FROM blocks", INT64_MIN, &max_ms);
	if (r != 0)
		return r;
	file->min_ms = tail.first != 0 && tail.min_ms < min_ms ? tail.min_ms : min_ms;
	file->max_ms = tail.first != 0 && tail.max_ms > max_ms ? tail.max_ms : max_ms;
	file->sealed = true;
	return 0;
}

static bool range_outside(const struct range_walk *walk, const struct reader_file *file)
{
	return file->sealed &&
	       (file->max_ms < walk->query->from_ms || file->min_ms >= walk->query->to_ms);
}

static int range_file(struct range_walk *walk, size_t index)
{
	struct reader_file *file = &walk->reader->files[index];
	struct block_list blocks = {0};
	int64_t id = 0;

	if (file->first == 0 || range_outside(walk, file))
		return 0;
	int r = reader_use(walk->reader, file);
	if (r == 0 && !file->sealed && reader_end(walk->reader, index) != INT64_MAX)
		r = reader_seal(file);
	if (r == 0)
		r = reader_monitors(walk->reader, file);
	if (r != 0 || range_outside(walk, file))
		return r;
	if (walk->query->monitor != NO_INDEX)
		id = range_monitor(file, walk->query->monitor);
	if (id < 0)
		return 0;
	r = block_find(walk, file, &blocks);
	for (size_t i = 0; r == 0 && i < blocks.n; i++) {
		/* blocks come by their earliest time: none of those that follow has an earlier row
		 */
		if (heap_full(&walk->heap) && blocks.at[i].last != INT64_MAX &&
		    blocks.at[i].min_ms > walk->heap.rows[0].reading.measured_ms)
			continue;
		r = range_scan(walk, file, &blocks.at[i], id);
	}
	free(blocks.at);
	return r;
}

/* --- the whole --- */

/* Where the page before ended. Return: 0, -ENOENT if there is no such row. */
static int range_after(struct range_walk *walk)
{
	struct daybook_reader *reader = walk->reader;
	char sql[96];

	for (size_t i = 0; i < reader->n_files; i++) {
		struct reader_file *file = &reader->files[i];
		if (file->first == 0 || file->first > walk->query->after ||
		    reader_end(reader, i) <= walk->query->after)
			continue;
		int r = reader_use(reader, file);
		snprintf(sql, sizeof sql, "SELECT measured_ms FROM readings WHERE seq = %lld",
			 (long long)walk->query->after);
		if (r == 0)
			r = sql_number(file->db, sql, INT64_MIN, &walk->after_ms);
		return r == 0 && walk->after_ms == INT64_MIN ? -ENOENT : r;
	}
	return -ENOENT;
}

int daybook_range(struct daybook_reader *reader, const struct daybook_query *query,
		  daybook_row_fn fn, void *context)
{
	struct range_walk walk = {.reader = reader, .query = query, .heap.limit = query->limit};

	if (query->limit == 0)
		return 0;
	int r = reader_refresh(reader);
	if (r == 0 && query->after != 0)
		r = range_after(&walk);
	for (size_t i = 0; r == 0 && i < reader->n_files; i++) {
		r = range_file(&walk, i);
		if (sql_damaged(r))
			r = 0;
	}
	if (r == 0 && walk.heap.n > 0)
		qsort(walk.heap.rows, walk.heap.n, sizeof *walk.heap.rows, row_compare);
	for (size_t i = 0; r == 0 && i < walk.heap.n; i++)
		if (!fn(context, &walk.heap.rows[i]))
			break;
	free(walk.heap.rows);
	return r;
}
