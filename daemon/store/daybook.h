/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Daybook: every reading, one SQLite file a day (of receipt, in the node's zone), or
 * several where a day is large.
 *
 * journal_mode=WAL, synchronous=FULL, group commit; rowid = the daybook's own sequence, which goes
 * on from file to file and is the cursor of everything that leaves. There is no second index on
 * readings, since with a thousand monitors each commit would touch a thousand index pages; instead
 * a small table of blocks says which rowids cover which measured times, and a query scans just
 * those.
 *
 * One writing object, owned by the recorder thread; any other thread reads through readers of its
 * own (struct daybook_reader), each with read-only connections.
 */
#include "core/chain.h"
#include "core/change.h"
#include "core/reading.h"

struct daybook;
struct daybook_reader;

/* Results besides 0 and negative errno. */
enum daybook_result {
	DAYBOOK_FATAL = 1, /* an fsync failed: never retried, the daemon must exit 1 */
};

/**
 * daybook_open() - open for writing, making the directory if needed
 * @directory: such as /var/lib/ducha; files are directory/daybook/YYYY-MM-DD.db
 * Return: 0, -EBUSY while another object (of any process) writes there, other errno, DAYBOOK_FATAL.
 */
int daybook_open(struct daybook **out, const char *directory, const struct plan *plan);
struct daybook *daybook_close(struct daybook *daybook);

/** daybook_limit() - a file that is larger ends before its day does, and another of that day
 * begins; @bytes 0: never (the default). Before the first reading. */
void daybook_limit(struct daybook *daybook, int64_t bytes);

struct daybook_tables; /* what a daybook keeps by monitor */
/** daybook_tables_new() - for the next plan. Return: 0, -ENOMEM. */
int daybook_tables_new(struct daybook_tables **out, const struct plan *plan);
struct daybook_tables *daybook_tables_free(struct daybook_tables *tables);
/**
 * daybook_succeed() - go on under the next plan (the writing thread stands, all is committed, and
 * nobody asks for latest readings): @tables are taken, and hold the old ones for
 * daybook_tables_free()
 */
void daybook_succeed(struct daybook *daybook, struct daybook_tables *tables,
		     const struct plan_change *change);

/**
 * daybook_append() - add readings to the open transaction (begins one); only SLOT_VALUE slots count
 * daybook_commit() - make them durable: after return 0 a power cut keeps them
 *
 * A file that proves to be damaged is set aside, said in the log, and a new one begins with the
 * next offer. On a negative errno nothing of the open transaction is kept in memory or known to be
 * on disk: the caller offers the same readings again (rows already there are recognised by boot,
 * ring and seq).
 */
int daybook_append(struct daybook *daybook, const struct reading *readings, size_t n);
int daybook_commit(struct daybook *daybook);
/** daybook_begin_at() - begin a transaction of that moment, where none is open: readings that were
 * received on an earlier day go into its file */
int daybook_begin_at(struct daybook *daybook, int64_t received_ms);
/** daybook_append_gap() - add the record of a gap to the open transaction (begins one at
 * @received_ms) */
int daybook_append_gap(struct daybook *daybook, const struct gap *gap, int64_t received_ms);

/** daybook_append_frames() - records of core/frame.h, in pieces of whatever length that are whole
 * records by the commit (begins a transaction at @received_ms) */
int daybook_append_frames(struct daybook *daybook, const uint8_t *bytes, size_t n,
			  int64_t received_ms);

/* One reading with where it stands. */
struct daybook_row {
	int64_t sequence;
	uint32_t monitor; /* index in the plan, NO_INDEX if it is not in the present plan */
	const char *site, *factor; /* names as recorded; valid during the call */
	int64_t boot;              /* daybook_boot() of the daemon's life that wrote it */
	struct reading reading;
};
/* Return: true to go on. */
typedef bool (*daybook_row_fn)(void *context, const struct daybook_row *row);

/** daybook_boot() - a number that grows with each life of the daemon on this store, from 1 */
int64_t daybook_boot(const struct daybook *daybook);
/** daybook_sequence() - the newest committed sequence, 0 if none (any thread) */
int64_t daybook_sequence(const struct daybook *daybook);
/** daybook_head() - where the chain of commits stands on disk (any thread) */
void daybook_head(struct daybook *daybook, struct chain_head *out);
/** daybook_latest() - the reading of a monitor that was committed last (any thread). Return: true
 * if any; after a restart those of the two newest files are known. */
bool daybook_latest(struct daybook *daybook, uint32_t monitor, struct reading *out);

int daybook_reader_open(struct daybook_reader **out, const char *directory,
			const struct plan *plan);
struct daybook_reader *daybook_reader_close(struct daybook_reader *reader);

/** daybook_after() - rows with sequence > @after in order, at most @limit. Return: 0, -errno. */
int daybook_after(struct daybook_reader *reader, int64_t after, size_t limit, daybook_row_fn fn,
		  void *context);

/**
 * daybook_range() - one monitor's rows with from_ms <= measured < to_ms, by measured time, ties by
 * arrival
 * @after: 0, or the sequence of the last row of an earlier page: rows up to and including it (in
 * the result's order) are skipped
 */
struct daybook_query {
	uint32_t site;    /* plan index */
	uint32_t monitor; /* plan index, or NO_INDEX: all monitors of the site */
	int64_t from_ms, to_ms;
	int64_t after;
	size_t limit;
};
int daybook_range(struct daybook_reader *reader, const struct daybook_query *query,
		  daybook_row_fn fn, void *context);

/**
 * daybook_tail() - the newest @rows rows of all monitors, oldest first (to know after a restart
 * what was already taken). Return: 0, -errno.
 */
int daybook_tail(struct daybook_reader *reader, size_t rows, daybook_row_fn fn, void *context);

/* A gap as recorded, with the names of then; valid during the call. Return: true to go on. */
typedef bool (*daybook_gap_fn)(void *context, const char *site, const char *factor,
			       const struct gap *gap);

/**
 * daybook_gaps() - records of readings that were judged and not recorded, in order of writing
 * @site, @factor: of those alone; NULL: all
 * @from_ms, @to_ms: those that touch from_ms <= measured < to_ms
 */
int daybook_gaps(struct daybook_reader *reader, const char *site, const char *factor,
		 int64_t from_ms, int64_t to_ms, daybook_gap_fn fn, void *context);
