/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One file of the daybook: its batches, that nothing in it is in no batch, and what a file may hold
 * that is from before there were batches. Each row is read once. Private to the verifier; what is
 * wrong is said there (verify_bad()), and a negative errno is only what stopped the look.
 */
#include "verify/internal.h"

enum { DAYFILE_PATH_BYTES = 4400, DAYFILE_NAME_BYTES = 64 };

struct day_file {
	char name[DAYFILE_NAME_BYTES];
	int64_t first; /* batch; 0: the file has no chain */
};

/** dayfile_first() - with which batch it begins; of the first file also what lies before it */
int dayfile_first(struct verify *v, struct day_file *file);
/** dayfile_check() - all of a file with a chain
 * @newest: a daemon may be writing to it
 * @head: the last batch before it, and then its own last */
int dayfile_check(struct verify *v, const struct day_file *file, bool newest,
		  struct chain_head *head);
/** dayfile_unchained() - what a file without a chain holds is from before this store had one */
int dayfile_unchained(struct verify *v, const struct day_file *file);
