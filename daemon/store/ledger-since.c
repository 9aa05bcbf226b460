/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each transaction of the ledger a second time, in ledger.since (store/since.h).
 *
 * What a transaction changes is noted by a session of SQLite's, and goes into the file as a record
 * before the commit. The ledger has the number of its newest transaction in a row of its own, which
 * changes with it; so whoever finds the two files apart knows which of them lacks something:
 *
 *   ledger  number = last   nothing
 *   ledger  number < last   the ledger: killed between record and commit, or an older copy that
 *                           somebody put back. The records behind its number are applied.
 *   ledger  number > last   the records: a power cut took those that are not synced, or a daemon of
 *                           an earlier version was at work. They begin anew behind a new copy.
 */
#include "store/ledger-internal.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NUMBER "ledger/number"
enum { OFTEN_S = 600 };

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

static int number_read(struct ledger *ledger, int64_t *out)
{
	sqlite3_stmt *get = ledger->sql[SQL_GET_CURSOR];
	bool row;

	*out = 0;
	sql_bind(get, "t", NUMBER);
	int r = sql_step(get, &row);
	if (r == 0 && row)
		*out = sqlite3_column_int64(get, 0);
	sql_reset(get);
	return r;
}

/* The first number of all is a time, so that those of another store are other ones. */
static int since_anew(struct ledger *ledger, int64_t number)
{
	int r = 0;

	since_close(&ledger->since);
	atomic_store(&ledger->copy_due, true);
	if (number == 0) {
		number = (int64_t)time(NULL) * 1000;
		r = sql_do(ledger->sql[SQL_PUT_CURSOR], "ti", NUMBER, number);
	}
	if (r == 0)
		r = since_begin(&ledger->since, ledger->directory, number,
				ledger->chain.head.number);
	return r;
}

/* --- putting ledger and records together --- */

static int conflict(void *context, int what, sqlite3_changeset_iter *change)
{
	(void)context;
	(void)what;
	(void)change;
	return SQLITE_CHANGESET_ABORT;
}

int ledger_since_apply(void *db, const void *bytes, size_t n)
{
	int rc = sqlite3changeset_apply(db, (int)n, (void *)(uintptr_t)bytes, NULL, conflict, NULL);

	return rc == SQLITE_ABORT ? -EUCLEAN : sql_error(db, rc);
}

/* The temporary triggers note what is applied, too; it has its entries in the chain already. */
static int since_forward(struct ledger *ledger, int64_t number)
{
	int64_t last = ledger->since.last.number;
	int r = sql_do(ledger->sql[SQL_BEGIN], "");

	if (r == 0)
		r = since_each(&ledger->since, number, ledger_since_apply, ledger->db);
	if (r == 0)
		r = sql_do(ledger->chain.forget, "");
	if (r == 0)
		r = sql_do(ledger->sql[SQL_COMMIT], "");
	sql_rollback(ledger->db);
	ledger_chain_failed(&ledger->chain);
	if (r == 0 && last - number > 1)
		log_warnx("%s: older than %s; %lld transactions were made again from that",
			  ledger->directory, ledger->since.path, (long long)(last - number));
	return r;
}

static bool same_place(const struct ledger *ledger, int64_t number)
{
	const struct since_place *last = &ledger->since.last;

	return number == last->number && ledger->chain.head.number == last->head;
}

static int since_meet(struct ledger *ledger, int64_t number)
{
	struct since *since = &ledger->since;

	if (same_place(ledger, number))
		return 0;
	if (number >= since->first.number && number < since->last.number) {
		int r = since_forward(ledger, number);
		return r == -EUCLEAN || r == -EEXIST ? since_anew(ledger, number) : r;
	}
	if (number < since->first.number && !ledger->remade &&
	    ledger_copy_number(ledger->directory) >= since->first.number)
		return -EUCLEAN; /* it is made again from copy and records */
	return since_anew(ledger, number);
}

int ledger_since_settle(struct ledger *ledger)
{
	struct since *since = &ledger->since;
	int64_t number;

	if (ledger->directory == NULL)
		return 0;
	int r = number_read(ledger, &number);
	if (r != 0)
		return r;
	r = since_open(since, ledger->directory);
	r = r == 0 ? since_meet(ledger, number) : r == -ENOMEM ? r : since_anew(ledger, number);
	if (r == 0)
		since_trim(since);
	int64_t copy = ledger_copy_number(ledger->directory);
	if (r == 0 && (copy < since->first.number || copy > since->last.number))
		atomic_store(&ledger->copy_due, true);
	if (r < 0 && r != -EUCLEAN && r != -ENOMEM && since->fd < 0)
		r = 0; /* a full disk: the next transaction tries again */
	return r;
}

/* A commit failed, or nobody knows whether it did. */
static int since_again(struct ledger *ledger)
{
	struct since *since = &ledger->since;
	int64_t number;

	int r = number_read(ledger, &number);
	if (r == 0 && since->fd >= 0 && number == since->before.number &&
	    number != since->last.number)
		r = since_undo(since);
	else if (r == 0 && (since->fd < 0 || number != since->last.number))
		r = since_anew(ledger, number);
	ledger->unsettled = r != 0;
	return r;
}

/* --- noting a transaction --- */

int ledger_since_begin(struct ledger *ledger)
{
	ledger->lazy = false;
	if (ledger->directory == NULL)
		return 0;
	int r = ledger->unsettled || ledger->since.fd < 0 ? since_again(ledger) : 0;
	if (r == 0)
		r = sql_error(ledger->db,
			      sqlite3session_create(ledger->db, "main", &ledger->session));
	if (r == 0)
		r = sql_error(ledger->db, sqlite3session_attach(ledger->session, NULL));
	return r;
}

void ledger_since_often(struct ledger *ledger)
{
	ledger->lazy = true;
	ledger->often = ledger->often_s == 0 || now_s() >= ledger->often_s + OFTEN_S;
	if (ledger->session != NULL && !ledger->often)
		sqlite3session_enable(ledger->session, 0);
}

int ledger_since_note(struct ledger *ledger)
{
	struct since *since = &ledger->since;
	void *bytes = NULL;
	int n = 0;

	if (ledger->session == NULL || sqlite3session_isempty(ledger->session))
		return 0;
	int r = sql_do(ledger->sql[SQL_PUT_CURSOR], "ti", NUMBER, since->last.number + 1);
	if (r == 0)
		r = sql_error(NULL, sqlite3session_patchset(ledger->session, &n, &bytes));
	if (r == 0) {
		r = since_append(since, ledger->chain.head.number, bytes, (size_t)n, !ledger->lazy);
		ledger->unsettled = true; /* until it is committed */
	}
	if (r < 0 && r != -ENOSPC && r != -ENOMEM)
		since_close(since); /* another file may be better */
	sqlite3_free(bytes);
	return r;
}

void ledger_since_end(struct ledger *ledger, bool committed)
{
	if (ledger->session != NULL)
		sqlite3session_delete(ledger->session);
	ledger->session = NULL;
	if (committed) {
		ledger->unsettled = false;
		ledger->often_s = ledger->often ? now_s() : ledger->often_s;
	}
	ledger->often = false;
}
