/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One file of the daybook: its name, its tables, and where it stands in the sequence. Private to
 * the store.
 *
 * A file is YYYY-MM-DD.db, after the day of receipt. Each holds one unbroken stretch of the
 * sequence; when the clock was set back far enough that a day comes again, that day gets a second
 * file YYYY-MM-DD.1.db. So the order of files is that of their first sequence, never that of their
 * names.
 */
#include "core/chain.h"
#include "store/daybook.h"
#include "store/sql.h"

#define DAYBOOK_NAME 32

/* The tables, by steps, as those of the ledger (store/ledger-schema.h) */
enum { DAY_VERSION = 4 };
extern const char *const day_schemas[DAY_VERSION];

struct day_name {
	char text[DAYBOOK_NAME]; /* without directory */
};

/* A name of a monitor as a file knows it. */
struct day_monitor {
	char *site, *factor; /* NULL: no such id */
	uint32_t monitor;    /* index in the plan, NO_INDEX if it is not in it */
};

/* Names by id, as read from the file's table. */
struct day_monitors {
	struct day_monitor *at;
	size_t n, capacity; /* ids are 0 … n - 1 */
};

/* A stretch of rows and the measured times in it. */
struct day_block {
	int64_t first, last, min_ms, max_ms; /* first 0: empty */
};

/** day_list() - names of all daybook files in @directory, sorted by name; to be freed */
int day_list(const char *directory, struct day_name **out, size_t *n);
/** day_choose() - a name not in use for the day of @wall_ms */
int day_choose(const char *directory, const struct zone *zone, int64_t wall_ms,
	       struct day_name *out);
/** day_of() - the day as a number that grows by one from day to day in the zone */
int64_t day_of(const struct zone *zone, int64_t wall_ms);
/** day_open_write(), day_open_read() - open one; the former makes the tables if there are none */
int day_open_write(sqlite3 **out, const char *path);
int day_open_read(sqlite3 **out, const char *path);
/** day_shape() - has it the tables that are read? Return: 0, -EINVAL, other negative errno. */
int day_shape(sqlite3 *db);
/** day_bounds() - first and last sequence, 0 and 0 in an empty file */
int day_bounds(sqlite3 *db, int64_t *first, int64_t *last);
/** day_chain_head() - its newest batch, number 0 where it has none (or no chain yet) */
int day_chain_head(sqlite3 *db, struct chain_head *out);
/** day_batches() - first and last batch of its chain, 0 and 0 where it has none */
int day_batches(sqlite3 *db, int64_t *first, int64_t *last);
/** day_tail() - the rows after the last block, as a block */
int day_tail(sqlite3 *db, struct day_block *out);
int day_monitors_read(sqlite3 *db, const struct plan *plan, struct day_monitors *out);
void day_monitors_free(struct day_monitors *monitors);

#define DAY_COLUMNS                                                                                \
	"SELECT seq, boot, ring, rseq, monitor, measured_ms, received_ms, value, flag, raw"        \
	" FROM readings "
/** day_row() - the columns of DAY_COLUMNS; the monitor's id in the file goes to *id, names and
 * index are left to the caller */
void day_row(sqlite3_stmt *statement, struct daybook_row *out, int64_t *id);
/** day_number() - the day (as day_of()) that a file is named after */
int64_t day_number(const struct day_name *name);
