/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The chain of a daybook that is being written: a link a commit, in the same transaction. Private
 * to the store, owned by the recorder's thread.
 *
 * Readings are hashed as they are written; names and gaps are few, and are read back at the commit.
 * Of frames the batch has the digest alone.
 */
#include "store/chainrows.h"
#include "store/daybook-file.h"

struct day_chain {
	struct hash *hash;
	struct chain_head head; /* committed */
	/* of the open file: what was in it before the chain, and how far the committed links go */
	bool begun; /* the file has its row of chain_begin */
	struct chain_begin file;
	struct day_name name;
	/* of the open transaction */
	struct chain_trailer link;
	struct chain_frames frames;
	bool open;
	int64_t asked_ms, clock_error_us; /* of the clock's error: when, by CLOCK_BOOTTIME; what */
	sqlite3_stmt *add, *names, *gap_rows;
};

/** day_chain_connect() - statements for the open file, and how far its chain is (after any error
 * day_chain_resync() looks again). A file without a link goes on behind chain->head. */
int day_chain_connect(struct day_chain *chain, sqlite3 *db, const struct day_name *name);
void day_chain_disconnect(struct day_chain *chain);
int day_chain_resync(struct day_chain *chain, sqlite3 *db);
/** day_chain_forget() - nothing of the open transaction counts */
void day_chain_forget(struct day_chain *chain);
/** day_chain_add() - @n readings that are being written, their monitors as ids of the file */
void day_chain_add(struct day_chain *chain, const struct chain_reading *readings, int n);
/** day_chain_name(), day_chain_gap() - a new row of monitors or gaps */
void day_chain_name(struct day_chain *chain, int64_t id);
void day_chain_gap(struct day_chain *chain, int64_t row);
/** day_chain_batch() - the number of the batch that the open transaction is to become */
int64_t day_chain_batch(const struct day_chain *chain);
/** day_chain_frames() - what frames the batch brings, before its link is made */
void day_chain_frames(struct day_chain *chain, const struct chain_frames *frames);
/** day_chain_link() - write the link of the open transaction; @out: the head once it is committed
 */
int day_chain_link(struct day_chain *chain, sqlite3 *db, struct chain_head *out);
/** day_chain_done() - it was committed */
void day_chain_done(struct day_chain *chain, const struct chain_head *head);
