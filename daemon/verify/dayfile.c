/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/dayfile.h"

#include "core/reading.h"
#include "store/chainrows.h"
#include "verify/frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A file on its way. */
struct walk {
	struct verify *v;
	const struct day_file *file;
	sqlite3 *db;
	sqlite3_stmt *links, *rows, *names, *gaps;
	struct frames_walk frames;
	bool row;                  /* rows stands on a row that is not in a batch yet */
	struct chain_head head;    /* so far */
	struct chain_trailer last; /* the link before */
	bool begins;               /* the first link hashes the file's begin, too */
	int64_t adopted_seq;
};

/* --- opening --- */

static int day_open(struct walk *w)
{
	char path[DAYFILE_PATH_BYTES];

	snprintf(path, sizeof path, "%s/daybook/%s", w->v->setup->directory, w->file->name);
	return copy_or_open(&w->db, path);
}

/* Whatever stands in the way of reading it: the file is named. */
static int unreadable(struct walk *w, int r)
{
	return verify_unreadable(w->v, "daybook/", w->file->name, w->db, r);
}

/* Its tables are those that a daemon makes before anything is read of them. */
static int walk_open(struct walk *w)
{
	int r = day_open(w);
	if (r == 0)
		r = structure_day(w->v, w->file->name, w->db);
	if (r == 0)
		r = sql_prepare(w->db, &w->links,
				"SELECT batch, first, last, monitors, gaps, at_ms, mono_ms,"
				" clock_error_us, hash FROM chain ORDER BY batch");
	if (r == 0)
		r = sql_prepare(w->db, &w->rows,
				"SELECT seq, boot, ring, rseq, monitor, measured_ms, received_ms,"
				" value, flag, raw FROM readings ORDER BY seq");
	if (r == 0)
		r = sql_prepare(w->db, &w->names, DAY_CHAIN_NAMES);
	if (r == 0)
		r = sql_prepare(w->db, &w->gaps, DAY_CHAIN_GAPS);
	if (r == 0)
		r = frames_open(w->v, &w->frames, w->db, w->file->name);
	return r;
}

static void walk_close(struct walk *w)
{
	frames_close(&w->frames);
	sqlite3_finalize(w->links);
	sqlite3_finalize(w->rows);
	sqlite3_finalize(w->names);
	sqlite3_finalize(w->gaps);
	sql_close(w->db);
}

/* --- a link --- */

/* A row holds what a reading can hold: what SQLite could keep beside that is no reading. */
static bool row_sound(sqlite3_stmt *row)
{
	int ring = sqlite3_column_int(row, 2);
	const unsigned char *flag = sqlite3_column_text(row, 8);
	return cells_are(row, "iiiiiiidti") && ring >= 0 && ring <= 255 &&
	       ring == sqlite3_column_int64(row, 2) && sqlite3_column_bytes(row, 8) == 1 &&
	       flag[0] < 0x80;
}

static void row_hash(struct walk *w)
{
	uint8_t bytes[CHAIN_READING_BYTES];
	sqlite3_stmt *row = w->rows;
	struct chain_reading r = {.sequence = sqlite3_column_int64(row, 0),
				  .boot = sqlite3_column_int64(row, 1),
				  .ring = sqlite3_column_int64(row, 2),
				  .ring_seq = sqlite3_column_int64(row, 3),
				  .monitor = sqlite3_column_int64(row, 4),
				  .measured_ms = sqlite3_column_int64(row, 5),
				  .received_ms = sqlite3_column_int64(row, 6),
				  .flag = sqlite3_column_text(row, 8)[0],
				  .raw = (uint64_t)sqlite3_column_int64(row, 9)};

	r.has_value = sql_double(row, 7, &r.value);
	hash_add(w->v->hash, bytes, (size_t)(chain_reading_bytes(bytes, &r) - bytes));
	w->v->sum->readings++;
}

static int rows_hash(struct walk *w, const struct chain_trailer *link)
{
	int64_t next = link->first;
	int r = 0;

	for (; r == 0 && w->row && sqlite3_column_int64(w->rows, 0) <= link->last;
	     r = sql_step(w->rows, &w->row)) {
		int64_t sequence = sqlite3_column_int64(w->rows, 0);
		if (sequence < link->first)
			return verify_bad(w->v, "daybook/%s: reading %lld is in no batch",
					  w->file->name, (long long)sequence);
		if (sequence != next++)
			return verify_bad(w->v, "daybook/%s: reading %lld of batch %lld is missing",
					  w->file->name, (long long)next - 1,
					  (long long)link->batch);
		if (!row_sound(w->rows))
			return verify_bad(w->v, "daybook/%s: reading %lld holds what is no reading",
					  w->file->name, (long long)sequence);
		row_hash(w);
	}
	if (r == 0 && link->first != 0 && next != link->last + 1)
		return verify_bad(w->v, "daybook/%s: reading %lld of batch %lld is missing",
				  w->file->name, (long long)next, (long long)link->batch);
	return r;
}

static void begin_hash(struct walk *w)
{
	uint8_t bytes[CHAIN_BEGIN_MOST];
	struct chain_begin begin = {w->adopted_seq, w->last.monitors, w->last.gaps, w->file->name};

	if (w->begins)
		hash_add(w->v->hash, bytes, (size_t)(chain_begin_bytes(bytes, &begin) - bytes));
	w->begins = false;
}

static int link_hash(struct walk *w, const struct chain_trailer *link, uint8_t *out)
{
	uint8_t bytes[CHAIN_TRAILER_BYTES];
	struct hash *hash = w->v->hash;

	hash_link(hash, w->head.hash);
	begin_hash(w);
	int r = rows_hash(w, link);
	if (r == 0)
		r = day_chain_rows(chain_to_hash, hash, w->names, w->last.monitors, link->monitors,
				   false);
	if (r == 0)
		r = day_chain_rows(chain_to_hash, hash, w->gaps, w->last.gaps, link->gaps, true);
	if (r == 0)
		r = frames_hash(w->v, &w->frames, link->batch);
	hash_add(hash, bytes, (size_t)(chain_trailer_bytes(bytes, link) - bytes));
	return r == 0 ? hash_end(hash, out) : r;
}

/* Behind the last seal there is no more than a daemon does in a minute, and what it did since. By
 * the wall clock only where it was not set meanwhile: a clock that is synchronised is not set, but
 * one that was free when a daemon began may be. */
static int link_sealed(struct walk *w, const struct chain_trailer *link)
{
	struct verify *v = w->v;

	int64_t most_ms = UNSEALED_MS + verify_mono_ms() - v->began_mono_ms;

	if (link->batch <= v->sum->last.daybook.number) {
		v->steady = link->clock_error_us >= 0 && link->batch > v->began_batch;
		return 0;
	}
	if (v->sum->unsealed++ == 0) {
		bool after_stop = false;
		int r = stopped(v, &after_stop);
		if (r != 0)
			return r;
		if (after_stop)
			return verify_bad(v,
					  "daybook/%s: batch %lld is behind seal %lld, that of a "
					  "clean stop: no daemon wrote it",
					  w->file->name, (long long)link->batch,
					  (long long)v->sum->last.number);
		v->unsealed_mono_ms = link->mono_ms;
	}
	v->unsealed_at_ms = link->at_ms;
	if (link->mono_ms - v->unsealed_mono_ms <= most_ms &&
	    !(v->steady && link->at_ms - v->sum->last.time_ms > most_ms))
		return 0;
	char gone[GONE_BYTES];
	gone_seals(v, link->at_ms, gone);
	return verify_bad(
		v,
		"%sdaybook/%s: batch %lld (%s) is sealed by nothing, though a seal was due "
		"before it: seals are missing behind seal %lld" COPY_HINT,
		gone, w->file->name, (long long)link->batch, time_of(link->at_ms),
		(long long)v->sum->last.number);
}

static int link_check(struct walk *w)
{
	sqlite3_stmt *row = w->links;
	struct chain_trailer link = {
		.batch = sqlite3_column_int64(row, 0),
		.first = sqlite3_column_int64(row, 1),
		.last = sqlite3_column_int64(row, 2),
		.monitors = sqlite3_column_int64(row, 3),
		.gaps = sqlite3_column_int64(row, 4),
		.at_ms = sqlite3_column_int64(row, 5),
		.mono_ms = sqlite3_column_int64(row, 6),
		.clock_error_us = sqlite3_column_int64(row, 7),
	};
	uint8_t hash[CHAIN_HASH_BYTES], said[CHAIN_HASH_BYTES];

	if (!cells_are(row, "iiiiiiiib"))
		return verify_bad(w->v, "daybook/%s: batch %lld is none", w->file->name,
				  (long long)link.batch);
	if (link.batch != w->head.number + 1)
		return verify_bad(w->v, "daybook/%s: batch %lld is missing", w->file->name,
				  (long long)w->head.number + 1);
	int r = link_hash(w, &link, hash);
	if (r != 0)
		return r;
	if (!sql_hash(row, 8, said) || memcmp(said, hash, sizeof hash) != 0)
		return verify_bad(w->v,
				  "daybook/%s: batch %lld (readings %lld to %lld, committed %s) is "
				  "not what the chain says",
				  w->file->name, (long long)link.batch, (long long)link.first,
				  (long long)link.last, time_of(link.at_ms));
	w->head.number = link.batch;
	memcpy(w->head.hash, hash, sizeof hash);
	w->last = link;
	w->v->sum->batches++;
	hole_note(w->v, &link);
	verify_anchor(w->v, hash);
	r = marks_check(w->v, &w->v->daybook, "daybook: batch", &w->head);
	return r == 0 ? link_sealed(w, &link) : r;
}

/* --- a file --- */

/* Where it goes on from must be where the file before it ended. */
static int begin_check(struct walk *w)
{
	sqlite3_stmt *begin = NULL;
	uint8_t hash[CHAIN_HASH_BYTES];
	bool row = false, good = false, renamed = false;
	size_t next = w->v->daybook.next; /* what is spoken of, and was not there yet */
	int64_t batch = 0, rows;

	int r = sql_number(w->db, "SELECT count(*) FROM chain_begin", 0, &rows);
	if (r == 0)
		r = sql_prepare(w->db, &begin,
				"SELECT batch, hash, seq, monitors, gaps, name FROM chain_begin");
	if (r == 0)
		r = sql_step(begin, &row);
	if (r == 0 && row) {
		batch = sqlite3_column_int64(begin, 0);
		good = rows == 1 && cells_are(begin, "ibiiit") && sql_hash(begin, 1, hash);
		w->adopted_seq = sqlite3_column_int64(begin, 2);
		w->last.monitors = sqlite3_column_int64(begin, 3);
		w->last.gaps = sqlite3_column_int64(begin, 4);
		w->begins = true;
		renamed = sql_text(begin, 5) == NULL ||
			  strcmp(sql_text(begin, 5), w->file->name) != 0;
	}
	sqlite3_finalize(begin);
	if (r != 0)
		return r;
	if (renamed)
		return verify_bad(w->v, "daybook/%s: it was written under another name",
				  w->file->name);
	if (!good)
		return verify_bad(w->v, "daybook/%s: where its chain begins is not said once",
				  w->file->name);
	if (batch > w->head.number && next < w->v->daybook.n &&
	    w->v->daybook.at[next].number <= batch)
		return gone_batch(w->v, &w->v->daybook.at[next], w->head.number + 1,
				  w->v->former);
	if (batch != w->head.number)
		return verify_bad(w->v, "daybook/%s: it goes on from batch %lld, not from %lld",
				  w->file->name, (long long)batch, (long long)w->head.number);
	if (memcmp(hash, w->head.hash, sizeof hash) != 0)
		return verify_bad(w->v, "daybook/%s: it goes on from another batch %lld",
				  w->file->name, (long long)batch);
	if (batch != 0 && w->adopted_seq != 0)
		return verify_bad(w->v, "daybook/%s: it holds readings from before its chain",
				  w->file->name);
	return 0;
}

/* Readings of an earlier version of ducha, in the first file that has a chain. */
static int adopted_skip(struct walk *w)
{
	int64_t n = 0;
	int r = sql_step(w->rows, &w->row);

	for (; r == 0 && w->row && w->adopted_seq != 0 &&
	       sqlite3_column_int64(w->rows, 0) <= w->adopted_seq;
	     n++)
		r = sql_step(w->rows, &w->row);
	if (n > 0)
		verify_note(w->v, "daybook/%s: %lld readings are from before the chain",
			    w->file->name, (long long)n);
	return r;
}

static int number_of(struct walk *w, const char *sql, int64_t *out)
{
	return sql_number(w->db, sql, 0, out);
}

/* Nothing may lie behind the last link. */
static int end_check(struct walk *w)
{
	int64_t names, gaps;

	if (w->row)
		return verify_bad(w->v, "daybook/%s: reading %lld is in no batch", w->file->name,
				  (long long)sqlite3_column_int64(w->rows, 0));
	int r = number_of(w, "SELECT max(id) FROM monitors", &names);
	if (r == 0)
		r = number_of(w, "SELECT max(rowid) FROM gaps", &gaps);
	if (r == 0 && names > w->last.monitors)
		return verify_bad(w->v, "daybook/%s: monitor %lld is in no batch", w->file->name,
				  (long long)names);
	if (r == 0 && gaps > w->last.gaps)
		return verify_bad(w->v, "daybook/%s: gap %lld is in no batch", w->file->name,
				  (long long)gaps);
	return r;
}

/* Names and gaps are hashed as they are read: none may be what is only read alike. */
static int kinds_check(struct walk *w)
{
	static const char wrong[] =
		"SELECT (SELECT count(*) FROM monitors WHERE id < 1) + (SELECT count(*) FROM gaps"
		" WHERE rowid < 1) + (SELECT count(*) FROM monitors WHERE typeof(site) <> 'text' "
		"OR "
		"typeof(factor)"
		" <> 'text' OR instr(CAST(site AS BLOB), x'00') > 0 OR instr(CAST(factor AS BLOB),"
		" x'00') > 0) + (SELECT count(*) FROM gaps WHERE typeof(monitor) <> 'integer'"
		" OR typeof(from_ms) <> 'integer' OR typeof(to_ms) <> 'integer' OR typeof(count) <>"
		" 'integer') + (SELECT count(*) FROM blocks WHERE typeof(last) <> 'integer' OR"
		" typeof(min_ms) <> 'integer' OR typeof(max_ms) <> 'integer')";
	int64_t n;
	int r = number_of(w, wrong, &n);

	if (r == 0 && n > 0)
		return verify_bad(w->v, "daybook/%s: a monitor, gap or block holds what is none",
				  w->file->name);
	return r;
}

/* Blocks tell where to look for a time: a wrong one hides readings. */
static int blocks_check(struct walk *w)
{
	static const char wrong[] =
		"SELECT b.first FROM blocks b WHERE b.first > b.last OR b.last NOT IN (SELECT seq "
		"FROM"
		" readings) OR b.first NOT IN (SELECT seq FROM readings)"
		" OR b.first <> coalesce((SELECT max(o.last) + 1 FROM blocks o WHERE o.last <"
		" b.first), (SELECT min(seq) FROM readings))"
		" OR b.min_ms IS NOT (SELECT min(measured_ms) FROM readings WHERE seq BETWEEN"
		" b.first AND b.last) OR b.max_ms IS NOT (SELECT max(measured_ms) FROM readings"
		" WHERE seq BETWEEN b.first AND b.last) ORDER BY b.first LIMIT 1";
	int64_t first;
	int r = number_of(w, wrong, &first);

	if (r == 0 && first != 0)
		return verify_bad(w->v,
				  "daybook/%s: the block of readings from %lld on is not what the "
				  "readings say",
				  w->file->name, (long long)first);
	return r;
}

static int gaps_name(struct walk *w)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(w->db, &list,
			    "SELECT m.site, m.factor, g.from_ms, g.to_ms, g.count FROM gaps g"
			    " LEFT JOIN monitors m ON m.id = g.monitor ORDER BY g.rowid");
	if (r == 0)
		r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		char from[32];
		snprintf(from, sizeof from, "%s", time_of(sqlite3_column_int64(list, 2)));
		verify_note(w->v, "gap: %s %s, %lld readings from %s to %s were judged, not kept",
			    sql_text(list, 0), sql_text(list, 1),
			    (long long)sqlite3_column_int64(list, 4), from,
			    time_of(sqlite3_column_int64(list, 3)));
		w->v->sum->gaps++;
	}
	sqlite3_finalize(list);
	return r;
}

/* That the frames were removed is in the ledger, or they were missed before. */
static int frames_needed(struct walk *w)
{
	int64_t id = w->frames.end == 0 || w->frames.fd >= 0
			     ? 0
			     : needs_have(w->v, w->file->name, w->file->first, w->head.number,
					  frames_gone_entry(w->v, w->file->name));
	return id == 0 ? 0
		       : verify_bad(w->v,
				    "daybook/%s: its frames were removed, and case %lld, which was "
				    "open, needs them",
				    w->file->name, (long long)id);
}

static int walk_links(struct walk *w, bool newest)
{
	bool link = false;
	int r = begin_check(w);

	if (r == 0)
		r = adopted_skip(w);
	if (r == 0)
		r = sql_step(w->links, &link);
	while (r == 0 && link) {
		r = link_check(w);
		if (r == 0)
			r = sql_step(w->links, &link);
	}
	if (r == 0)
		r = end_check(w);
	if (r == 0)
		r = frames_end(w->v, &w->frames, newest);
	if (r == 0)
		r = frames_needed(w);
	if (r == 0)
		r = kinds_check(w);
	if (r == 0)
		r = blocks_check(w);
	return r == 0 ? gaps_name(w) : r;
}

int dayfile_check(struct verify *v, const struct day_file *file, bool newest,
		  struct chain_head *head)
{
	struct walk w = {.v = v, .file = file, .head = *head, .frames.fd = -1};

	int r = walk_open(&w);
	if (r == 0) /* the only index; the readings themselves are gone through row by row */
		r = structure_check(v, "daybook/", file->name, w.db,
				    "PRAGMA integrity_check(monitors)");
	if (r == 0)
		r = walk_links(&w, newest);
	r = unreadable(&w, r);
	walk_close(&w);
	*head = w.head;
	snprintf(v->former, sizeof v->former, "%s", file->name);
	return r;
}

/* --- files without a chain --- */

/* Where the first link begins, readings of an earlier version may lie before it: the link says so
 * itself. */
static int era_of(struct walk *w)
{
	int64_t adopted = 0, first = 0;

	int r = number_of(w, "SELECT max(seq) FROM chain_begin", &adopted);
	if (r == 0)
		r = number_of(w, "SELECT min(first) FROM chain WHERE first > 0", &first);
	w->v->era = adopted > 0 ? adopted + 1 : first > 0 ? first : INT64_MAX;
	return r;
}

/* The first sequence that must be in the chain; all, where one was begun and its begin is not
 * there. */
static int64_t era(const struct verify *v)
{
	if (v->n_days > 0 && v->days[0].first == 1)
		return v->days[0].sequence;
	if (v->era == 0 && v->daybook.n == 0)
		return INT64_MAX; /* nothing was ever chained */
	return v->era;
}

/* By now: a live daemon may have made the file when the others were looked at. */
static bool is_chained(struct walk *w)
{
	int64_t batches;

	return number_of(w, "SELECT count(*) FROM chain", &batches) == 0 && batches > 0;
}

/* What a file without a chain may hold is from before there was one. */
static int unchained_rows(struct walk *w)
{
	int64_t tables, rows, last, gaps = 0;

	int r = number_of(w, "SELECT count(*) FROM sqlite_master WHERE name = 'readings'", &tables);
	if (r != 0 || tables == 0) /* a crash between making the file and its tables */
		return r;
	r = number_of(w, "SELECT count(*) FROM readings", &rows);
	if (r == 0)
		r = number_of(w, "SELECT max(seq) FROM readings", &last);
	if (r == 0)
		r = number_of(w, "SELECT count(*) FROM sqlite_master WHERE name = 'gaps'", &tables);
	if (r == 0 && tables > 0)
		r = number_of(w, "SELECT count(*) FROM gaps", &gaps);
	if (r != 0 || (rows == 0 && gaps == 0) || is_chained(w))
		return r;
	if (last >= era(w->v) || era(w->v) <= 1)
		return verify_bad(w->v,
				  "daybook/%s: it has no chain, and what it holds is not from "
				  "before this store had one",
				  w->file->name);
	verify_note(w->v, "daybook/%s: it has no chain: it is from before this store had one",
		    w->file->name);
	return 0;
}

int dayfile_unchained(struct verify *v, const struct day_file *file)
{
	struct walk w = {.v = v, .file = file};

	int r = day_open(&w);
	if (r == 0)
		r = structure_day(v, file->name, w.db);
	if (r == 0)
		r = unchained_rows(&w);
	r = unreadable(&w, r);
	sql_close(w.db);
	return r;
}

/* --- where it begins --- */

/* Files are looked at in the order of their first batches, so the first one has to be that behind
 * which the file says it goes on. */
static int first_read(struct walk *w, int64_t *first)
{
	int64_t batches, begin = -1;

	int r = number_of(w, "SELECT count(*) FROM chain", &batches);
	if (r == 0)
		r = number_of(w, "SELECT min(batch) FROM chain", first);
	if (r != 0 || batches == 0 ||
	    sql_number(w->db, "SELECT batch FROM chain_begin", -1, &begin) != 0 || begin < 0)
		return r; /* said when it is looked at */
	if (*first > begin + 1)
		return verify_bad(w->v, "daybook/%s: batch %lld is missing", w->file->name,
				  (long long)begin + 1);
	if (*first < begin + 1)
		return verify_bad(
			w->v, "daybook/%s: batch %lld is none of it: it goes on from batch %lld",
			w->file->name, (long long)*first, (long long)begin);
	return 0;
}

int dayfile_first(struct verify *v, struct day_file *file)
{
	struct walk w = {.v = v, .file = file};
	int64_t tables = 0;

	int r = day_open(&w);
	if (r == 0)
		r = number_of(&w, "SELECT count(*) FROM sqlite_master WHERE name = 'chain'",
			      &tables);
	if (r == 0 && tables > 0)
		r = first_read(&w, &file->first);
	if (r == 0 && file->first == 1)
		r = era_of(&w);
	r = unreadable(&w, r);
	sql_close(w.db);
	return r;
}
