/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence-links.h"

#include "store/chainrows.h"
#include "store/daybook-frames.h"
#include "store/evidence-days.h"

#include <errno.h>
#include <string.h>

typedef bool (*link_fn)(void *context, int64_t batch, const struct text *bytes,
			const uint8_t hash[CHAIN_HASH_BYTES]);

/* The links from that of a reading on, or from a batch on. */
struct wanted {
	int64_t sequence, from; /* INT64_MAX: not asked for */
	int64_t until;          /* batch */
	link_fn fn;
	void *context;
};

/* One file on its way. */
struct walk {
	const struct day_name *name;
	sqlite3 *db;
	sqlite3_stmt *links, *rows, *names, *gaps;
	sqlite3_stmt *frames;      /* NULL: the file is of a version without any */
	struct chain_head head;    /* the link before */
	struct chain_trailer last; /* likewise; 0 before the file's first */
	bool begins;
	struct text bytes;
};

static int walk_prepare(struct walk *w)
{
	int r = sql_prepare(w->db, &w->links,
			    "SELECT batch, first, last, monitors, gaps, at_ms, mono_ms,"
			    " clock_error_us, hash FROM chain WHERE batch <= ?1 ORDER BY batch");
	if (r == 0)
		r = sql_prepare(w->db, &w->rows,
				DAY_COLUMNS "WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq");
	if (r == 0)
		r = sql_prepare(w->db, &w->names, DAY_CHAIN_NAMES);
	if (r == 0)
		r = sql_prepare(w->db, &w->gaps, DAY_CHAIN_GAPS);
	return r == 0 ? day_frames_prepare(w->db, &w->frames) : r;
}

static void walk_close(struct walk *w)
{
	sqlite3_finalize(w->links);
	sqlite3_finalize(w->rows);
	sqlite3_finalize(w->names);
	sqlite3_finalize(w->gaps);
	sqlite3_finalize(w->frames);
	sql_close(w->db);
	text_deinit(&w->bytes);
}

static void add(void *to, const void *bytes, size_t n)
{
	text_add_n(to, bytes, n);
}

static int rows_add(struct walk *w, const struct chain_trailer *link)
{
	uint8_t bytes[CHAIN_READING_BYTES];
	struct daybook_row row;
	bool there = false;
	int64_t id;

	sql_bind(w->rows, "ii", link->first, link->last);
	int r = link->first != 0 ? sql_step(w->rows, &there) : 0;
	for (; r == 0 && there; r = sql_step(w->rows, &there)) {
		day_row(w->rows, &row, &id);
		const struct reading *from = &row.reading;
		struct chain_reading reading = {.sequence = row.sequence,
						.boot = row.boot,
						.ring = from->ring,
						.ring_seq = (int64_t)from->seq,
						.monitor = id,
						.measured_ms = from->measured_ms,
						.received_ms = from->received_ms,
						.has_value = from->has_value,
						.value = from->value,
						.flag = from->flag,
						.raw = from->raw};
		add(&w->bytes, bytes, (size_t)(chain_reading_bytes(bytes, &reading) - bytes));
	}
	sql_reset(w->rows);
	return r;
}

static void begin_add(struct walk *w)
{
	static const uint8_t prefix = CHAIN_PREFIX_LINK;
	uint8_t bytes[CHAIN_BEGIN_MOST];
	struct chain_begin begin = {.monitors = w->last.monitors,
				    .gaps = w->last.gaps,
				    .seq = w->last.last,
				    .name = w->name->text};

	text_clear(&w->bytes);
	add(&w->bytes, &prefix, 1);
	add(&w->bytes, w->head.hash, sizeof w->head.hash);
	if (w->begins)
		add(&w->bytes, bytes, (size_t)(chain_begin_bytes(bytes, &begin) - bytes));
	w->begins = false;
}

static int frames_add(struct walk *w, int64_t batch)
{
	uint8_t bytes[CHAIN_FRAMES_BYTES];
	struct chain_frames frames;

	int r = day_frames_of(w->frames, batch, &frames);
	if (r == 0 && frames.first != frames.last)
		add(&w->bytes, bytes, (size_t)(chain_frames_bytes(bytes, &frames) - bytes));
	return r;
}

static int link_write(struct walk *w, const struct chain_trailer *link)
{
	uint8_t bytes[CHAIN_TRAILER_BYTES];

	begin_add(w);
	int r = rows_add(w, link);
	if (r == 0)
		r = day_chain_rows(add, &w->bytes, w->names, w->last.monitors, link->monitors,
				   false);
	if (r == 0)
		r = day_chain_rows(add, &w->bytes, w->gaps, w->last.gaps, link->gaps, true);
	if (r == 0)
		r = frames_add(w, link->batch);
	add(&w->bytes, bytes, (size_t)(chain_trailer_bytes(bytes, link) - bytes));
	return r == 0 && w->bytes.failed ? -ENOMEM : r;
}

static int walk_begin(struct walk *w)
{
	sqlite3_stmt *begin = NULL;
	bool row = false;

	int r = sql_prepare(w->db, &begin, "SELECT hash, seq, monitors, gaps FROM chain_begin");
	if (r == 0)
		r = sql_step(begin, &row);
	if (r == 0 && row) {
		if (!sql_hash(begin, 0, w->head.hash))
			r = -EUCLEAN;
		w->last = (struct chain_trailer){.last = sqlite3_column_int64(begin, 1),
						 .monitors = sqlite3_column_int64(begin, 2),
						 .gaps = sqlite3_column_int64(begin, 3)};
		w->begins = true;
	}
	sqlite3_finalize(begin);
	return r;
}

static int link_take(struct walk *w, const struct wanted *wanted, bool *more)
{
	struct chain_trailer link = {.batch = sqlite3_column_int64(w->links, 0),
				     .first = sqlite3_column_int64(w->links, 1),
				     .last = sqlite3_column_int64(w->links, 2),
				     .monitors = sqlite3_column_int64(w->links, 3),
				     .gaps = sqlite3_column_int64(w->links, 4),
				     .at_ms = sqlite3_column_int64(w->links, 5),
				     .mono_ms = sqlite3_column_int64(w->links, 6),
				     .clock_error_us = sqlite3_column_int64(w->links, 7)};
	int64_t newest = link.last != 0 ? link.last : w->last.last;
	uint8_t hash[CHAIN_HASH_BYTES];
	int r = 0;

	if (!sql_hash(w->links, 8, hash))
		return -EUCLEAN;
	if (newest >= wanted->sequence || link.batch >= wanted->from) {
		r = link_write(w, &link);
		*more = r == 0 && wanted->fn(wanted->context, link.batch, &w->bytes, hash);
	}
	w->begins = false;
	w->last = link;
	w->last.last = newest;
	memcpy(w->head.hash, hash, sizeof hash);
	return r;
}

/* Return: 0, negative errno, 1 to go no further. */
static int walk_links(struct walk *w, const struct wanted *wanted)
{
	bool row = false, more = true;

	int r = walk_prepare(w);
	if (r == 0)
		r = walk_begin(w);
	if (r == 0) {
		sql_bind(w->links, "i", wanted->until);
		r = sql_step(w->links, &row);
	}
	while (r == 0 && row && more) {
		r = link_take(w, wanted, &more);
		if (r == 0)
			r = sql_step(w->links, &row);
	}
	return r == 0 && !more ? 1 : r;
}

static int file_walk(void *context, const char *path, const struct day_name *name)
{
	const struct wanted *wanted = context;
	struct walk w = {.name = name};
	struct chain_head head = {0};
	int64_t last = 0, ignored;

	int r = day_open_read(&w.db, path);
	if (r == 0)
		r = day_bounds(w.db, &ignored, &last);
	if (r == 0)
		r = day_chain_head(w.db, &head);
	if (r == 0 && head.number != 0 && (last >= wanted->sequence || head.number >= wanted->from))
		r = walk_links(&w, wanted);
	walk_close(&w);
	return r;
}

int evidence_links(const char *directory, int64_t from, int64_t until, link_fn fn, void *context)
{
	struct wanted wanted = {INT64_MAX, from, until, fn, context};

	return evidence_days_in_order(directory, file_walk, &wanted);
}

static bool batch_note(void *context, int64_t batch, const struct text *bytes,
		       const uint8_t hash[CHAIN_HASH_BYTES])
{
	(void)bytes, (void)hash;
	*(int64_t *)context = batch;
	return false;
}

int evidence_batch(const char *directory, int64_t sequence, int64_t *batch)
{
	struct wanted wanted = {sequence, INT64_MAX, INT64_MAX, batch_note, batch};

	*batch = 0;
	return evidence_days_in_order(directory, file_walk, &wanted);
}

/* --- names --- */

struct asked {
	int64_t batch;
	const char *site, *factor;
	int64_t named;
};

static int named_find(sqlite3 *db, struct asked *asked)
{
	sqlite3_stmt *find = NULL;
	bool row = false;

	int r = sql_prepare(
		db, &find,
		"SELECT min(batch) FROM chain WHERE monitors >= (SELECT id FROM monitors"
		" WHERE site = ?1 AND factor = ?2)");
	if (r == 0) {
		sql_bind(find, "tt", asked->site, asked->factor);
		r = sql_step(find, &row);
	}
	if (r == 0 && row)
		asked->named = sqlite3_column_int64(find, 0);
	sqlite3_finalize(find);
	return r;
}

static int file_named(void *context, const char *path, const struct day_name *name)
{
	struct asked *asked = context;
	int64_t first = 0, last = 0;
	sqlite3 *db;

	(void)name;
	int r = day_open_read(&db, path);
	if (r == 0)
		r = day_batches(db, &first, &last);
	bool here = r == 0 && first != 0 && first <= asked->batch && asked->batch <= last;
	if (here)
		r = named_find(db, asked);
	sql_close(db);
	return r == 0 && here ? 1 : r;
}

int evidence_named(const char *directory, int64_t batch, const char *site, const char *factor,
		   int64_t *named)
{
	struct asked asked = {.batch = batch, .site = site, .factor = factor};

	int r = evidence_days(directory, file_named, &asked);
	*named = asked.named;
	return r;
}
