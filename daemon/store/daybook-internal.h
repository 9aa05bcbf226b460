/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The writing daybook's inside: daybook.c appends, daybook-open.c finds out where it stands,
 * daybook-mark.c keeps how far the sequence has gone.
 */
#include "store/daybook-chain.h"
#include "store/daybook-frames.h"
#include "store/daybook-file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { DAYBOOK_RINGS = 256 };
/* A damaged newest file may have held any number of rows: leave room for them in the sequence. */
#define DAMAGED_ROWS INT64_C(10000000000)

enum day_sql {
	DAY_BEGIN,
	DAY_COMMIT,
	DAY_INSERT,
	DAY_INSERT_MANY, /* HELD_ROWS of them */
	DAY_MONITOR,
	DAY_RING,
	DAY_BLOCK,
	DAY_LATEST,
	DAY_GAP,
	DAY_STATEMENTS
};

/* How far a ring's readings are stored; seen: in the open transaction (0: none). */
struct daybook_ring {
	uint64_t stored, seen;
};

enum { HELD_ROWS = 8 };

/* A row that is yet to be written, within one daybook_append(). */
struct held_row {
	const struct reading *reading;
	int64_t sequence;
};

/* What daybook/boot says. */
struct daybook_mark {
	int64_t boot;
	int64_t known;    /* the sequence had come at least to here, */
	int64_t reserved; /* and may since have come to here */
};

/* By monitor of the plan. */
struct daybook_tables {
	int64_t *ids;           /* its id in the file, 0: none yet */
	int64_t *newest;        /* its newest sequence in the open block, 0: none */
	struct reading *fresh;  /* by arrival of the monitor in the open transaction */
	uint32_t *is_fresh;     /* place in fresh plus 1, 0: none */
	struct reading *latest; /* under the daybook's lock; flag 0: none */
};

struct daybook {
	char directory[4096]; /* …/daybook */
	char path[4200];      /* of the open file */
	const struct plan *plan;
	int lock_fd;            /* on …/daybook/lock: one writer */
	struct day_name chosen; /* of a file that could not be begun yet; empty: none */
	sqlite3 *db;            /* NULL: no file is open */
	sqlite3_stmt *sql[DAY_STATEMENTS];
	int64_t day; /* of the open file */
	int64_t boot;
	int64_t floor; /* the sequence goes on from here in an empty file */
	int64_t next;
	int64_t reserved;    /* as of the last mark */
	int64_t limit_bytes; /* of a file; 0: none */
	bool large;          /* the open file has reached it */
	bool unmarked;       /* the open file had no rows at the last mark */
	_Atomic int64_t sequence;
	bool begun;  /* a transaction is open */
	bool unsure; /* after an error: look at the file before going on */
	bool fatal;
	int wal_pages, wal_mark;
	struct daybook_ring rings[DAYBOOK_RINGS];
	struct day_block block;        /* open: not yet in the table */
	int64_t block_ms, received_ms; /* receipt of its first and newest row */
	struct daybook_tables by;
	size_t n_fresh;
	struct held_row held[HELD_ROWS];
	int n_held;
	struct day_chain chain;
	struct day_frames frames;
	pthread_mutex_t lock;   /* guards what follows, and by.latest */
	struct chain_head head; /* of the chain, on disk */
};

int daybook_connect(struct daybook *daybook, const struct day_name *name);
void daybook_disconnect(struct daybook *daybook);
/** daybook_mark_read() - zeros where there is none, or it cannot be read */
void daybook_mark_read(struct daybook_mark *mark, const char *directory);
/** daybook_mark() - note how far the sequence has gone, durably. Return: 0, -errno, DAYBOOK_FATAL.
 */
int daybook_mark(struct daybook *daybook);
/** daybook_resync() - take over from the open file how far it is */
int daybook_resync(struct daybook *daybook);
