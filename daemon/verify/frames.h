/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The frames of a daybook file: the bytes that its batches name, in a file of their own, which may
 * be gone before the readings are, if the ledger says so. Private to the verifier.
 */
#include "verify/internal.h"

struct frames_walk {
	sqlite3_stmt *rows; /* NULL: the file is of a version without frames */
	bool row;           /* rows stands on a batch with frames that was not reached yet */
	int64_t end;        /* bytes so far */
	const char *name;   /* of the daybook file */
	int fd;             /* -1: there is none */
};

/** frames_open() - of daybook file @name, open as @db. frames_close() in any case. */
int frames_open(struct verify *v, struct frames_walk *frames, sqlite3 *db, const char *name);
void frames_close(struct frames_walk *frames);
/** frames_hash() - add what batch @batch brought, if anything, to the link that is hashed */
int frames_hash(struct verify *v, struct frames_walk *frames, int64_t batch);
/** frames_end() - nothing may be left; @newest: of the file that a daemon writes to */
int frames_end(struct verify *v, struct frames_walk *frames, bool newest);
