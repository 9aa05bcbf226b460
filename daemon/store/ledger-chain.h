/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The ledger's chain: an entry for each row that becomes or changes evidence. Private to the store.
 *
 * Triggers of this connection note which rows a transaction touched, whoever wrote it; before the
 * commit, and before an event leaves, each of them gets an entry with the digest of what it is now.
 * So the newest entry of a row must always be the digest of the row, which is what a verifier asks.
 * Who alters a row while no daemon runs, or beside it, would have his change chained with the next
 * one of the daemon: so a row is held against its newest entry before it is changed, and those that
 * change most when the ledger is opened. What differs gets an entry that says so.
 * What moves without being evidence (a peak while the alert is active, a reminder's timer) is in no
 * digest. Called with the ledger's mutex held.
 */
#include "store/chainrows.h"

#include <stdatomic.h>

struct ledger_chain {
	struct hash *hash;
	sqlite3_stmt *touched, *forget, *add, *last;
	sqlite3_stmt *known, *keep, *find, *odd, *unlook;
	sqlite3_stmt *rows[CHAIN_KINDS];
	struct chain_head head; /* with the entries of the open transaction */
	bool stale;             /* a transaction failed: the table knows the head */
	bool whole;             /* no entry is missing: else no row is held against it */
	bool looked;            /* rows were held against their entries since the last flush */
	_Atomic bool altered;   /* one was other, since the ledger was first opened */
	int64_t bound;          /* the newest batch of the daybook that an entry names */
	void (*daybook)(void *context, struct chain_head *out); /* NULL: there is none */
	void *context;
};

/** ledger_chain_open() - on a connection whose tables are made; what is in them and in no entry
 * gets one */
int ledger_chain_open(struct ledger_chain *chain, sqlite3 *db);
/** ledger_chain_watch() - from now on rows are held against their entries, first those that change
 * most; behind whatever makes rows and entries again */
int ledger_chain_watch(struct ledger_chain *chain, sqlite3 *db);
void ledger_chain_close(struct ledger_chain *chain);
/** ledger_chain_flush() - entries for all that the open transaction touched so far */
int ledger_chain_flush(struct ledger_chain *chain);
/** ledger_chain_pruned() - events up to @id leave the outbox with the open transaction */
int ledger_chain_pruned(struct ledger_chain *chain, int64_t id);
/** ledger_chain_failed() - the open transaction was rolled back, or nobody knows */
void ledger_chain_failed(struct ledger_chain *chain);
/** ledger_chain_head() - Return: 0, or why the table cannot be read */
int ledger_chain_head(struct ledger_chain *chain, struct chain_head *out);
