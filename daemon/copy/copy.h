/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Copy: a store of one moment, taken while its daemon goes on, for whoever verifies it elsewhere
 * and for another machine.
 *
 * Every file names others: a seal names a batch of the daybook and an entry of the ledger, an entry
 * names a batch, a row names an attachment. Whatever is named is written before what names it, and
 * never rewritten, so files are copied in the order in which they name each other, and each later
 * one holds at least what the former ones speak of:
 *
 *   what closed long ago (days, frames, attachments)     takes as long as it takes
 *   numbers, spare, seals, tallies, ledger, newest day   some seconds: the moment
 *
 * What the newest day then holds behind the last seal is no more than a daemon may leave unsealed.
 * Databases are read through SQLite in one read transaction each: of the daybook and the tallies,
 * which have a log, it holds nobody up; of the ledger it is a lock that lasts no longer than a
 * daemon waits for one. Where a file goes meanwhile, as the keeper removes a day, or a daemon
 * begins, the moment is taken anew.
 *
 * The secret of the key is not copied (ducha-evidence(7), Keys). The source is never written to.
 * A copy that is not complete has the file COPY_UNFINISHED in it.
 */
#include <stdint.h>

#define COPY_UNFINISHED "copy.unfinished"

struct copy_setup {
	const char *from; /* the storage directory */
	const char *to;   /* is made; may be there if it is empty */
	/* why it failed, once: a sentence */
	void (*failed)(void *context, const char *sentence);
	/* now and then, how much of how much; NULL: nobody looks */
	void (*went)(void *context, int64_t bytes, int64_t of);
	void *context;
};

struct copy_sum {
	int64_t files, bytes;
	int64_t held_ms; /* how long the ledger was locked for reading */
};

/** copy_store() - Return: 0; negative errno, said by failed() */
int copy_store(const struct copy_setup *setup, struct copy_sum *sum);
