/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days whose readings are removed: what the ledger keeps of their chain, so that the next file
 * still goes on from something.
 */
#include "store/daybook-file.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdio.h>

/* What is kept of a file. */
struct day_end {
	int64_t first_batch, first, last;
	struct chain_head head;
};

static int day_read(const struct ledger *ledger, const char *name, struct day_end *out)
{
	char path[4400];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/daybook/%s", ledger->directory, name);
	int r = day_open_read(&db, path);
	if (r == 0)
		r = day_chain_head(db, &out->head);
	if (r == 0 && out->head.number != 0)
		r = sql_number(db, "SELECT min(batch) FROM chain", 0, &out->first_batch);
	if (r == 0)
		r = day_bounds(db, &out->first, &out->last);
	sql_close(db);
	return r;
}

static int day_keep(struct ledger *ledger, const char *name, const struct day_end *day,
		    int64_t now_ms)
{
	sqlite3_stmt *add = NULL;

	int r = sql_prepare(ledger->db, &add,
			    "INSERT OR IGNORE INTO chain_days(name, first_batch, last_batch, hash,"
			    " first, last, removed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	if (r == 0)
		r = sql_do(add, "tiihiii", name, day->first_batch, day->head.number, day->head.hash,
			   day->first, day->last, now_ms);
	sqlite3_finalize(add);
	return r;
}

int ledger_retire_day(struct ledger *ledger, const char *name, int64_t now_ms)
{
	struct day_end day = {0};

	if (ledger->directory == NULL)
		return -ENOTSUP;
	int r = day_read(ledger, name, &day);
	if (r != 0 || day.head.number == 0) /* nothing of it was ever chained */
		return r;
	r = ledger_begin(ledger);
	if (r == 0)
		r = day_keep(ledger, name, &day, now_ms);
	return ledger_end(ledger, r);
}

int ledger_retire_frames(struct ledger *ledger, const char *name, int64_t bytes, int64_t now_ms)
{
	sqlite3_stmt *add = NULL;

	if (ledger->directory == NULL)
		return -ENOTSUP;
	int r = ledger_begin(ledger);
	if (r == 0)
		r = sql_prepare(ledger->db, &add,
				"INSERT OR IGNORE INTO frames_gone(name, bytes, removed)"
				" VALUES(?1, ?2, ?3)");
	if (r == 0)
		r = sql_do(add, "tii", name, bytes, now_ms);
	sqlite3_finalize(add);
	return ledger_end(ledger, r);
}

int ledger_frames_gone(struct ledger *ledger, const char *name, bool *gone)
{
	sqlite3_stmt *find = NULL;

	pthread_mutex_lock(&ledger->lock);
	int r = sql_prepare(ledger->db, &find, "SELECT 1 FROM frames_gone WHERE name = ?1");
	if (r == 0) {
		sql_bind(find, "t", name);
		r = sql_step(find, gone);
	}
	sqlite3_finalize(find);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}
