/* SPDX-License-Identifier: Apache-2.0 */
#include "store/daybook-internal.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_ROWS = 4096,     /* a block closes when it has so many rows */
	BLOCK_EACH = 16,       /* and so many of each monitor, since closing writes to each, */
	BLOCK_SOME = 256,      /* or so many */
	BLOCK_MS = 10000,      /* and covers so much time of receipt */
	WAL_PAGES = 1024,      /* 4 MiB: then the log is folded back into the file */
	BACKWARD_MS = 3600000, /* a clock set back by less than this begins no new file */
};

/* --- the open file --- */

static int wal_grown(void *context, sqlite3 *db, const char *name, int pages)
{
	struct daybook *daybook = context;

	(void)db;
	(void)name;
	daybook->wal_pages = pages;
	return SQLITE_OK;
}

#define ROW_PLACES "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
enum { ROW_COLUMNS = 10 };

static int day_prepare(struct daybook *daybook)
{
	static const char *const texts[DAY_STATEMENTS] = {
		[DAY_BEGIN] = "BEGIN IMMEDIATE",
		[DAY_COMMIT] = "COMMIT",
		[DAY_INSERT] = "INSERT INTO readings VALUES" ROW_PLACES,
		[DAY_INSERT_MANY] =
			"INSERT INTO readings VALUES" ROW_PLACES "," ROW_PLACES "," ROW_PLACES
			"," ROW_PLACES "," ROW_PLACES "," ROW_PLACES "," ROW_PLACES "," ROW_PLACES,
		[DAY_MONITOR] = "INSERT INTO monitors(site, factor) VALUES(?1, ?2)",
		[DAY_RING] = "INSERT OR REPLACE INTO rings VALUES(?1, ?2, ?3)",
		[DAY_BLOCK] = "INSERT INTO blocks VALUES(?1, ?2, ?3, ?4)",
		[DAY_LATEST] = "UPDATE monitors SET latest = ?2 WHERE id = ?1",
		[DAY_GAP] = "INSERT INTO gaps VALUES(?1, ?2, ?3, ?4)",
	};
	for (size_t i = 0; i < DAY_STATEMENTS; i++) {
		int r = sql_prepare(daybook->db, &daybook->sql[i], texts[i]);
		if (r != 0)
			return r;
	}
	return 0;
}

void daybook_disconnect(struct daybook *daybook)
{
	day_chain_disconnect(&daybook->chain);
	day_frames_disconnect(&daybook->frames);
	for (size_t i = 0; i < DAY_STATEMENTS; i++) {
		sqlite3_finalize(daybook->sql[i]);
		daybook->sql[i] = NULL;
	}
	daybook->db = sql_close(daybook->db);
}

int daybook_connect(struct daybook *daybook, const struct day_name *name)
{
	snprintf(daybook->path, sizeof daybook->path, "%s/%s", daybook->directory, name->text);
	int r = day_open_write(&daybook->db, daybook->path);
	if (r == 0)
		r = sql_sync_directory(daybook->directory);
	if (r == 0)
		r = day_prepare(daybook);
	if (r == 0)
		r = day_chain_connect(&daybook->chain, daybook->db, name);
	if (r == 0)
		r = day_frames_connect(&daybook->frames, daybook->db, daybook->path);
	if (r == 0) {
		sqlite3_wal_hook(daybook->db, wal_grown, daybook);
		daybook->wal_pages = daybook->wal_mark = 0;
		daybook->day = day_number(name);
		r = daybook_resync(daybook);
	}
	if (r != 0)
		daybook_disconnect(daybook);
	return r;
}

static int day_checkpoint(struct daybook *daybook, int mode)
{
	int rc = sqlite3_wal_checkpoint_v2(daybook->db, NULL, mode, NULL, NULL);
	return sql_error(daybook->db, rc);
}

/* Fold the log back in time. Only a failed fsync matters here: the rows are safe in the log. */
static int day_trim(struct daybook *daybook)
{
	if (daybook->wal_pages < daybook->wal_mark)
		daybook->wal_mark = 0;
	if (daybook->wal_pages - daybook->wal_mark < WAL_PAGES)
		return 0;
	daybook->wal_mark = daybook->wal_pages;
	return day_checkpoint(daybook, SQLITE_CHECKPOINT_PASSIVE) == SQL_FATAL ? DAYBOOK_FATAL : 0;
}

/* --- state --- */

static int resync_rings(struct daybook *daybook)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(daybook->db, &list, "SELECT ring, rseq FROM rings WHERE boot = ?1");
	if (r != 0)
		return r;
	sqlite3_bind_int64(list, 1, daybook->boot);
	r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		int ring = sqlite3_column_int(list, 0) & (DAYBOOK_RINGS - 1);
		daybook->rings[ring].stored = (uint64_t)sqlite3_column_int64(list, 1);
	}
	sqlite3_finalize(list);
	return r;
}

static int resync_monitors(struct daybook *daybook)
{
	struct day_monitors monitors = {0};

	memset(daybook->by.ids, 0, daybook->plan->n_monitors * sizeof *daybook->by.ids);
	int r = day_monitors_read(daybook->db, daybook->plan, &monitors);
	for (size_t id = 0; r == 0 && id < monitors.n; id++)
		if (monitors.at[id].site != NULL && monitors.at[id].monitor != NO_INDEX)
			daybook->by.ids[monitors.at[id].monitor] = (int64_t)id;
	day_monitors_free(&monitors);
	return r;
}

/* Which row of each monitor is the newest in the open block. */
static int resync_newest(struct daybook *daybook)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	memset(daybook->by.newest, 0, daybook->plan->n_monitors * sizeof *daybook->by.newest);
	int r = sql_prepare(daybook->db, &list,
			    "SELECT m.site, m.factor, max(r.seq) FROM readings r JOIN monitors m"
			    " ON m.id = r.monitor WHERE r.seq >= ?1 GROUP BY r.monitor");
	if (r != 0)
		return r;
	sqlite3_bind_int64(list, 1, daybook->block.first != 0 ? daybook->block.first : INT64_MAX);
	r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		uint32_t m = plan_monitor(daybook->plan, sql_text(list, 0), sql_text(list, 1));
		if (m != NO_INDEX)
			daybook->by.newest[m] = sqlite3_column_int64(list, 2);
	}
	sqlite3_finalize(list);
	return r;
}

static void daybook_show_head(struct daybook *daybook)
{
	pthread_mutex_lock(&daybook->lock);
	daybook->head = daybook->chain.head;
	pthread_mutex_unlock(&daybook->lock);
}

int daybook_resync(struct daybook *daybook)
{
	int64_t first, last;

	int r = day_bounds(daybook->db, &first, &last);
	if (r == 0)
		r = resync_rings(daybook);
	if (r == 0)
		r = resync_monitors(daybook);
	if (r == 0)
		r = day_tail(daybook->db, &daybook->block);
	if (r == 0)
		r = resync_newest(daybook);
	if (r == 0)
		r = day_chain_resync(&daybook->chain, daybook->db);
	if (r == 0)
		r = day_frames_resync(&daybook->frames, daybook->db);
	if (r != 0)
		return r;
	daybook_show_head(daybook);
	if (last < daybook->floor)
		last = daybook->floor;
	daybook->next = last + 1;
	if (first != 0)
		atomic_store_explicit(&daybook->sequence, last, memory_order_release);
	daybook->unsure = false;
	return 0;
}

static void daybook_forget(struct daybook *daybook)
{
	for (size_t i = 0; i < daybook->n_fresh; i++)
		daybook->by.is_fresh[daybook->by.fresh[i].monitor] = 0;
	daybook->n_fresh = 0;
	daybook->n_held = 0;
	day_chain_forget(&daybook->chain);
	for (size_t i = 0; i < DAYBOOK_RINGS; i++)
		daybook->rings[i].seen = 0;
	daybook->begun = false;
}

/* After any error: nothing is known of the file but what a fresh look at it tells. */
static int daybook_undo(struct daybook *daybook, int r)
{
	if (daybook->db != NULL) {
		for (size_t i = 0; i < DAY_STATEMENTS; i++)
			if (daybook->sql[i] != NULL)
				sql_reset(daybook->sql[i]);
		sql_rollback(daybook->db);
	}
	daybook_forget(daybook);
	daybook->unsure = true;
	if (r == DAYBOOK_FATAL)
		daybook->fatal = true;
	if (sql_damaged(r) && daybook->db != NULL) {
		daybook_disconnect(daybook);
		sql_set_aside(daybook->path);
		daybook->floor = daybook_sequence(daybook) + DAMAGED_ROWS;
	}
	return r;
}

/* --- appending --- */

static int block_close(struct daybook *daybook)
{
	struct day_block *block = &daybook->block;

	int r = sql_do(daybook->sql[DAY_BLOCK], "iiii", block->first, block->last, block->min_ms,
		       block->max_ms);
	for (size_t i = 0; r == 0 && i < daybook->plan->n_monitors; i++)
		if (daybook->by.newest[i] != 0)
			r = sql_do(daybook->sql[DAY_LATEST], "ii", daybook->by.ids[i],
				   daybook->by.newest[i]);
	return r;
}

static void block_clear(struct daybook *daybook)
{
	daybook->block = (struct day_block){0};
	memset(daybook->by.newest, 0, daybook->plan->n_monitors * sizeof *daybook->by.newest);
}

/* Its size is looked at when a block is closed: a file ends with whole blocks. */
static void block_done(struct daybook *daybook)
{
	int64_t bytes = 0;

	block_clear(daybook);
	if (daybook->limit_bytes == 0)
		return;
	int r = sql_number(daybook->db,
			   "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
			   0, &bytes);
	daybook->large = r == 0 && bytes > daybook->limit_bytes;
}

static bool block_full(const struct daybook *daybook)
{
	const struct day_block *block = &daybook->block;
	int64_t rows = block->first == 0 ? 0 : block->last - block->first + 1;
	int64_t span_ms = llabs(daybook->received_ms - daybook->block_ms);

	int64_t many = (int64_t)daybook->plan->n_monitors * BLOCK_EACH;

	if (many < BLOCK_ROWS)
		many = BLOCK_ROWS;
	return rows >= many || (rows >= BLOCK_SOME && span_ms >= BLOCK_MS);
}

/* The day is over: close its last block and fold the log back. The rows are safe in any case. */
static int day_finish(struct daybook *daybook)
{
	int r = 0;

	if (daybook->block.first != 0) {
		r = sql_do(daybook->sql[DAY_BEGIN], "");
		if (r == 0)
			r = block_close(daybook);
		if (r == 0)
			r = sql_do(daybook->sql[DAY_COMMIT], "");
		sql_rollback(daybook->db);
	}
	if (r != SQL_FATAL)
		r = day_checkpoint(daybook, SQLITE_CHECKPOINT_TRUNCATE);
	daybook_disconnect(daybook);
	daybook->floor = daybook_sequence(daybook) > daybook->floor ? daybook_sequence(daybook)
								    : daybook->floor;
	block_clear(daybook);
	return r == SQL_FATAL ? DAYBOOK_FATAL : 0;
}

static bool day_over(const struct daybook *daybook, int64_t received_ms)
{
	const struct zone *zone = &daybook->plan->zone;

	return day_of(zone, received_ms) > daybook->day ||
	       day_of(zone, received_ms + BACKWARD_MS) < daybook->day;
}

/* A name once chosen is kept until it can be used: a full disk must not leave a trail of files. */
static int day_begin(struct daybook *daybook, int64_t received_ms)
{
	const struct zone *zone = &daybook->plan->zone;
	struct day_name *name = &daybook->chosen;
	int r = 0;

	if (name->text[0] == '\0' || day_number(name) != day_of(zone, received_ms))
		r = day_choose(daybook->directory, zone, received_ms, name);
	if (r == 0)
		r = daybook_connect(daybook, name);
	if (sql_damaged(r))
		sql_set_aside(daybook->path);
	if (r == 0 || sql_damaged(r))
		name->text[0] = '\0';
	daybook->unmarked |= r == 0;
	daybook->large = false;
	return r;
}

static int daybook_begin(struct daybook *daybook, int64_t received_ms)
{
	int r = 0;

	if (daybook->unsure && daybook->db != NULL)
		r = daybook_resync(daybook);
	if (r == 0 && daybook->db != NULL && (daybook->large || day_over(daybook, received_ms)))
		r = day_finish(daybook);
	if (r == 0 && daybook->db == NULL)
		r = day_begin(daybook, received_ms);
	if (r == 0)
		r = sql_do(daybook->sql[DAY_BEGIN], "");
	daybook->begun = r == 0;
	return r;
}

static int row_monitor(struct daybook *daybook, uint32_t index)
{
	if (daybook->by.ids[index] != 0)
		return 0;
	const struct monitor *m = &daybook->plan->monitors[index];
	int r = sql_do(daybook->sql[DAY_MONITOR], "tt", daybook->plan->sites[m->site].id,
		       m->factor);
	if (r != 0)
		return r;
	daybook->by.ids[index] = sqlite3_last_insert_rowid(daybook->db);
	day_chain_name(&daybook->chain, daybook->by.ids[index]);
	return 0;
}

static void row_bind(sqlite3_stmt *insert, int row, const struct daybook *daybook,
		     const struct held_row *held)
{
	const struct reading *reading = held->reading;
	int before = row * ROW_COLUMNS;

	sqlite3_bind_int64(insert, before + 1, held->sequence);
	sqlite3_bind_int64(insert, before + 2, daybook->boot);
	sqlite3_bind_int(insert, before + 3, reading->ring);
	sqlite3_bind_int64(insert, before + 4, (int64_t)reading->seq);
	sqlite3_bind_int64(insert, before + 5, daybook->by.ids[reading->monitor]);
	sqlite3_bind_int64(insert, before + 6, reading->measured_ms);
	sqlite3_bind_int64(insert, before + 7, reading->received_ms);
	if (reading->has_value)
		sqlite3_bind_double(insert, before + 8, reading->value);
	else
		sqlite3_bind_null(insert, before + 8);
	sqlite3_bind_text(insert, before + 9, (const char *)&reading->flag, 1, SQLITE_STATIC);
	sqlite3_bind_int64(insert, before + 10, (int64_t)reading->raw);
}

static int rows_step(struct daybook *daybook, sqlite3_stmt *insert)
{
	int rc = sqlite3_step(insert);
	sqlite3_reset(insert);
	return rc == SQLITE_DONE ? 0 : sql_error(daybook->db, rc);
}

static void rows_chain(struct daybook *daybook)
{
	struct chain_reading rows[HELD_ROWS];

	for (int i = 0; i < daybook->n_held; i++) {
		const struct reading *reading = daybook->held[i].reading;
		rows[i] = (struct chain_reading){
			.sequence = daybook->held[i].sequence,
			.boot = daybook->boot,
			.ring = reading->ring,
			.ring_seq = (int64_t)reading->seq,
			.monitor = daybook->by.ids[reading->monitor],
			.measured_ms = reading->measured_ms,
			.received_ms = reading->received_ms,
			.has_value = reading->has_value,
			.value = reading->value,
			.flag = reading->flag,
			.raw = reading->raw,
		};
	}
	if (daybook->n_held > 0)
		day_chain_add(&daybook->chain, rows, daybook->n_held);
}

/* Write the rows in hand: a full set by one statement, which takes three quarters of the time. */
static int rows_write(struct daybook *daybook)
{
	bool full = daybook->n_held == HELD_ROWS;
	sqlite3_stmt *insert = daybook->sql[full ? DAY_INSERT_MANY : DAY_INSERT];
	int r = 0;

	rows_chain(daybook);
	for (int i = 0; r == 0 && i < daybook->n_held; i++) {
		row_bind(insert, full ? i : 0, daybook, &daybook->held[i]);
		if (!full || i + 1 == HELD_ROWS)
			r = rows_step(daybook, insert);
	}
	daybook->n_held = 0;
	return r;
}

/* The reading is written before daybook_append() returns, to whose caller it belongs. */
static int row_insert(struct daybook *daybook, const struct reading *reading)
{
	daybook->held[daybook->n_held++] = (struct held_row){reading, daybook->next};
	return daybook->n_held == HELD_ROWS ? rows_write(daybook) : 0;
}

static void row_count(struct daybook *daybook, const struct reading *reading)
{
	struct day_block *block = &daybook->block;

	if (block->first == 0) {
		*block = (struct day_block){daybook->next, daybook->next, reading->measured_ms,
					    reading->measured_ms};
		daybook->block_ms = reading->received_ms;
	}
	block->last = daybook->next;
	if (reading->measured_ms < block->min_ms)
		block->min_ms = reading->measured_ms;
	if (reading->measured_ms > block->max_ms)
		block->max_ms = reading->measured_ms;
	daybook->received_ms = reading->received_ms;
	daybook->by.newest[reading->monitor] = daybook->next++;
}

/* What becomes the latest reading with the commit; also of a row that proved to be stored. */
static void row_fresh(struct daybook *daybook, const struct reading *reading)
{
	uint32_t *place = &daybook->by.is_fresh[reading->monitor];

	if (*place == 0)
		*place = (uint32_t)++daybook->n_fresh;
	daybook->by.fresh[*place - 1] = *reading;
}

/* seq 0 comes from no ring and is never taken for a repetition. */
static int daybook_put(struct daybook *daybook, const struct reading *reading)
{
	struct daybook_ring *ring = &daybook->rings[reading->ring];

	if (reading->monitor >= daybook->plan->n_monitors)
		return 0;
	row_fresh(daybook, reading);
	if (reading->seq != 0 && reading->seq <= (ring->seen != 0 ? ring->seen : ring->stored))
		return 0;
	int r = row_monitor(daybook, reading->monitor);
	if (r == 0)
		r = row_insert(daybook, reading);
	if (r != 0)
		return r;
	row_count(daybook, reading);
	if (reading->seq != 0)
		ring->seen = reading->seq;
	return 0;
}

int daybook_append(struct daybook *daybook, const struct reading *readings, size_t n)
{
	int r = daybook->fatal ? DAYBOOK_FATAL : 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (readings[i].kind != SLOT_VALUE)
			continue;
		if (!daybook->begun)
			r = daybook_begin(daybook, readings[i].received_ms);
		if (r == 0)
			r = daybook_put(daybook, &readings[i]);
	}
	if (r == 0)
		r = rows_write(daybook);
	return r != 0 ? daybook_undo(daybook, r) : 0;
}

int daybook_begin_at(struct daybook *daybook, int64_t received_ms)
{
	int r = daybook->fatal ? DAYBOOK_FATAL : 0;

	if (r == 0 && !daybook->begun)
		r = daybook_begin(daybook, received_ms);
	return r != 0 ? daybook_undo(daybook, r) : 0;
}

int daybook_append_gap(struct daybook *daybook, const struct gap *gap, int64_t received_ms)
{
	int r = daybook->fatal ? DAYBOOK_FATAL : 0;

	if (r == 0 && !daybook->begun)
		r = daybook_begin(daybook, received_ms);
	if (r == 0)
		r = row_monitor(daybook, gap->monitor);
	if (r == 0)
		r = sql_do(daybook->sql[DAY_GAP], "iiii", daybook->by.ids[gap->monitor],
			   gap->from_ms, gap->to_ms, (int64_t)gap->count);
	if (r == 0)
		day_chain_gap(&daybook->chain, sqlite3_last_insert_rowid(daybook->db));
	return r != 0 ? daybook_undo(daybook, r) : 0;
}

int daybook_append_frames(struct daybook *daybook, const uint8_t *bytes, size_t n,
			  int64_t received_ms)
{
	int r = daybook->fatal ? DAYBOOK_FATAL : 0;

	if (r == 0 && !daybook->begun)
		r = daybook_begin(daybook, received_ms);
	if (r == 0)
		r = day_frames_add(&daybook->frames, bytes, n);
	return r != 0 ? daybook_undo(daybook, r) : 0;
}

static int commit_frames(struct daybook *daybook)
{
	struct chain_frames frames;

	int r = day_frames_end(&daybook->frames, day_chain_batch(&daybook->chain), &frames);
	if (r == 0)
		day_chain_frames(&daybook->chain, &frames);
	return r;
}

static int commit_rings(struct daybook *daybook)
{
	int r = 0;

	for (int64_t i = 0; r == 0 && i < DAYBOOK_RINGS; i++)
		if (daybook->rings[i].seen != 0)
			r = sql_do(daybook->sql[DAY_RING], "iii", daybook->boot, i,
				   (int64_t)daybook->rings[i].seen);
	return r;
}

static void commit_done(struct daybook *daybook)
{
	for (size_t i = 0; i < DAYBOOK_RINGS; i++)
		if (daybook->rings[i].seen != 0)
			daybook->rings[i].stored = daybook->rings[i].seen;
	pthread_mutex_lock(&daybook->lock);
	for (size_t i = 0; i < daybook->n_fresh; i++)
		daybook->by.latest[daybook->by.fresh[i].monitor] = daybook->by.fresh[i];
	daybook->head = daybook->chain.head;
	pthread_mutex_unlock(&daybook->lock);
	if (daybook->next - 1 > daybook->floor)
		atomic_store_explicit(&daybook->sequence, daybook->next - 1, memory_order_release);
	daybook_forget(daybook);
}

int daybook_commit(struct daybook *daybook)
{
	if (daybook->fatal)
		return DAYBOOK_FATAL;
	if (!daybook->begun)
		return 0;
	bool full = block_full(daybook);
	struct chain_head head;
	int r = commit_rings(daybook);
	if (r == 0 && full)
		r = block_close(daybook);
	if (r == 0 && daybook->next > daybook->reserved)
		r = daybook_mark(daybook);
	if (r == 0)
		r = commit_frames(daybook);
	if (r == 0)
		r = day_chain_link(&daybook->chain, daybook->db, &head);
	if (r == 0)
		r = sql_do(daybook->sql[DAY_COMMIT], "");
	if (r != 0)
		return daybook_undo(daybook, r);
	if (full)
		block_done(daybook);
	day_chain_done(&daybook->chain, &head);
	day_frames_done(&daybook->frames);
	commit_done(daybook);
	r = daybook->unmarked ? daybook_mark(daybook) : 0; /* else with the next commit */
	if (r != DAYBOOK_FATAL)
		r = day_trim(daybook);
	daybook->fatal = r == DAYBOOK_FATAL;
	return r;
}

/* --- figures --- */

void daybook_limit(struct daybook *daybook, int64_t bytes)
{
	daybook->limit_bytes = bytes;
}

int64_t daybook_boot(const struct daybook *daybook)
{
	return daybook->boot;
}

int64_t daybook_sequence(const struct daybook *daybook)
{
	return atomic_load_explicit(&daybook->sequence, memory_order_acquire);
}

void daybook_head(struct daybook *daybook, struct chain_head *out)
{
	pthread_mutex_lock(&daybook->lock);
	*out = daybook->head;
	pthread_mutex_unlock(&daybook->lock);
}

bool daybook_latest(struct daybook *daybook, uint32_t monitor, struct reading *out)
{
	if (monitor >= daybook->plan->n_monitors)
		return false;
	pthread_mutex_lock(&daybook->lock);
	*out = daybook->by.latest[monitor];
	pthread_mutex_unlock(&daybook->lock);
	return out->flag != 0;
}
