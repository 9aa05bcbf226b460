/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The inside of a copy: files.c copies bytes, database.c what SQLite has to read, copy.c knows the
 * order. Names are paths below the two directories.
 */
#include "copy/copy.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { COPY_PATH_BYTES = 4400, COPY_NAME_BYTES = 320 };

/* A file of the source as it was when it was copied. */
struct copied {
	char name[COPY_NAME_BYTES];
	struct stat was;
	bool whole; /* byte by byte: unless it changes it need not be copied again */
};

struct copy {
	const struct copy_setup *setup;
	struct copy_sum *sum;
	int64_t of; /* bytes, as far as was known at the begin */
	struct copied *at;
	size_t n, capacity;
	bool said;
};

/** copy_failed() - say why, once. Return: @r, which is negative */
int copy_failed(struct copy *c, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

void copy_from(const struct copy *c, char path[COPY_PATH_BYTES], const char *name);
void copy_to(const struct copy *c, char path[COPY_PATH_BYTES], const char *name);
/** copy_went() - @bytes more are copied */
void copy_went(struct copy *c, int64_t bytes);

/** copied_find() - NULL: it was not copied yet */
struct copied *copied_find(struct copy *c, const char *name);
int copied_note(struct copy *c, const char *name, const struct stat *was, bool whole);

/** file_copy() - bytes, synced; -ENOENT is left to the caller to say
 * @lines: only up to the last line end */
int file_copy(struct copy *c, const char *name, bool lines);
/** file_unchanged() - is it what it was when it was copied whole? */
bool file_unchanged(struct copy *c, const char *name);
/** folder_make() - in the copy, with the mode of the source's. Return: 0 also where it is there. */
int folder_make(struct copy *c, const char *name);
int folder_sync(struct copy *c, const char *name);

/** database_copy() - a database and what its log holds, as of one moment, synced
 * @logged: it is written with a log (WAL); else a reader holds up who writes
 * Return: 0; said, but for -ENOENT and -EAGAIN: it went, or was written to as bytes were copied */
int database_copy(struct copy *c, const char *name, bool logged);
