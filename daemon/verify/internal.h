/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The verifier's inside: seals.c reads keys and seals, ledger.c and daybook.c what they speak of,
 * dayfile.c each file of it.
 */
#include "core/text.h"
#include "seal/hash.h"
#include "seal/sign.h"
#include "store/sql.h"
#include "verify/verify.h"

/* A daemon seals every minute; as much again for a busy machine. */
enum { UNSEALED_MS = 120000 };
/* From this format of the ledger's chain on a daemon seals before it writes anything, and says each
 * change of a case by an event. */
enum { CHAIN_FORMAT_STRICT = 5 };

/* What one place says of another: at @number the chain's hash is @hash. */
struct mark {
	int64_t number;
	uint8_t hash[CHAIN_HASH_BYTES];
	int64_t by; /* the seal's number; negative: the ledger's entry */
};
struct marks {
	struct mark *at;
	size_t n, capacity, next; /* next: not compared yet */
};

struct key_known {
	int64_t number, seal, time_ms;
	uint8_t public[SEAL_PUBLIC_BYTES];
};

struct seal_known {
	int64_t number, key, time_ms;
	enum seal_reason reason;
	struct chain_head daybook, ledger;
	uint8_t previous[CHAIN_HASH_BYTES], hash[CHAIN_HASH_BYTES];
	const char *file;
};

/* Entries of one flush: they grow by kind and row. */
struct entry_group {
	uint8_t kind; /* of the last one; 0: none yet */
	int64_t ref;
	int64_t event;              /* the first entry of an event among them; 0: none */
	struct chain_entry changed; /* the first that an event tells of; number 0: none */
	struct chain_entry waits;   /* one of the flush before that was not told of yet */
};

/* The first row that a daemon found to be changed by somebody else. */
struct outside {
	int64_t entry; /* of the chain, that says so; 0: none */
	uint8_t kind;
	int64_t ref;
};

struct verify {
	const struct verify_setup *setup;
	struct verify_sum *sum;
	struct hash *hash, *digest; /* digest: of what goes into a link as a digest */
	char node[SEAL_NODE_BYTES];
	struct key_known *keys;
	size_t n_keys;
	uint8_t key_hash[CHAIN_HASH_BYTES]; /* of the last key line */
	struct seal_known *seals;
	size_t n_seals, seals_capacity;
	bool resumed; /* a daemon sealed on meanwhile */
	const char *torn_file; /* of these, whose last line is no whole one; NULL: none */
	char **files; /* names of the seal files */
	size_t n_files;
	int64_t began_mono_ms, unsealed_mono_ms;
	int64_t unsealed_at_ms; /* of the newest batch behind the last seal */
	size_t next_hole;       /* the first seal that was not looked at for one */
	int64_t last_at_ms;     /* of the batch before; 0: none yet */
	int64_t began_batch;    /* that there was when the daemon last began */
	bool steady; /* the clock was synchronised at the last sealed batch, of this daemon's */
	struct marks ledger, daybook;
	int64_t pruned;       /* events up to here are gone */
	int64_t newest_event; /* that an entry spoke of */
	int64_t format;       /* of the ledger's chain: which kinds of rows it knows */
	int64_t format_from[CHAIN_FORMAT_NOW + 1]; /* the entry that said so; 0: none */
	struct entry_group group;
	struct outside outside;
	struct removed_frames *frames_gone;
	size_t n_frames_gone;
	uint8_t *anchors; /* CHAIN_HASH_BYTES each */
	bool *anchored;
	struct removed_day *days; /* by @first */
	size_t n_days;
	struct need *needs; /* of days that open cases keep */
	size_t n_needs;
	struct turn *turns; /* with which cases ended and went on */
	size_t n_turns;
	char former[64]; /* the file of the daybook that was looked at last */
	int64_t era;     /* the first sequence that must be in a chain; 0: its begin was not seen */
};

/* A day of the daybook that was removed, as the ledger keeps it. */
struct removed_day {
	char name[32];
	int64_t entry;          /* of the ledger's chain, that says so */
	int64_t first;          /* batch */
	int64_t sequence;       /* of its first reading */
	struct chain_head last; /* and its hash */
};

/* Frames that were removed, by their daybook file. */
struct removed_frames {
	char name[32];
	int64_t entry;
};

/** verify_bad() - Return: VERIFY_BAD, after saying so */
int verify_bad(struct verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** verify_unreadable() - @r, but what keeps a file from being read is bad, and the file is named
 * @db: open on it, or NULL. Return: VERIFY_BAD, 0, -ENOMEM. */
int verify_unreadable(struct verify *v, const char *folder, const char *name, sqlite3 *db, int r);
void verify_note(struct verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** verify_anchor() - this hash is in the store */
void verify_anchor(struct verify *v, const uint8_t hash[CHAIN_HASH_BYTES]);
int64_t verify_mono_ms(void);
/** time_of() - a moment as people read it, in UTC; valid until the next call of the thread */
const char *time_of(int64_t wall_ms);

/**
 * day_of_name() - is it called YYYY-MM-DD and then @tail (or a number before it)?
 * @from_ms, @to_ms: out: between these lies that day, in whatever zone
 */
bool day_of_name(const char *name, const char *tail, int64_t *from_ms, int64_t *to_ms);

int marks_add(struct marks *marks, int64_t number, const uint8_t *hash, int64_t by);
void marks_sort(struct marks *marks);
/** marks_check() - the chain's hash at @number. Return: 0, VERIFY_BAD. */
int marks_check(struct verify *v, struct marks *marks, const char *what,
		const struct chain_head *head);
/** marks_end() - nothing may be spoken of that was not there. @last: what was there */
int marks_end(struct verify *v, const struct marks *marks, const char *what, int64_t last);

/**
 * cells_are() - is each cell of the kind that the daemon writes? What SQLite would convert silently
 * is not what was hashed.
 * @kinds: a letter a column: i integer, t text, b blob, d number or NULL
 */
bool cells_are(sqlite3_stmt *row, const char *kinds);

/** copy_open() - a database without a log as a copy in memory, a journal beside it rolled back
 * there */
int copy_open(sqlite3 **out, const char *path);
/** copy_rolled_back() - the same, of one that has a journal beside it */
int copy_rolled_back(sqlite3 **out, const char *path);
/** copy_or_open() - a daybook file: read as it is where nobody writes it, or with its log, or as a
 * copy that is rolled back. Return: as sql_open(). */
int copy_or_open(sqlite3 **out, const char *path);

/** frames_gone_entry() - the entry that says that the frames of this daybook file were removed; 0:
 * none does */
int64_t frames_gone_entry(const struct verify *v, const char *name);
/** frames_are_gone() - does the ledger say that the frames of this daybook file were removed? It is
 * looked at anew where it did not: a live daemon may have removed them since. */
bool frames_are_gone(struct verify *v, const char *name);

/** structure_check() - do its indices agree with its tables?
 * @pragma: an integrity_check that gives one row */
int structure_check(struct verify *v, const char *folder, const char *name, sqlite3 *db,
		    const char *pragma);
/** structure_ledger(), structure_day() - has it the tables, indices and triggers that a daemon
 * makes, word for word, and no others? */
int structure_ledger(struct verify *v, sqlite3 *db);
int structure_day(struct verify *v, const char *name, sqlite3 *db);
/** hole_note() - name what a daemon that did not end cleanly left out before batch @link */
void hole_note(struct verify *v, const struct chain_trailer *link);
/** active_check() - does what moves in the ledger @db while an alert is active fit what is chained?
 */
int active_check(struct verify *v, sqlite3 *db);
/** attachments_check() - is each file that the ledger @db names there, and what it was? */
int attachments_check(struct verify *v, sqlite3 *db);

/* What else looks like this, where it cannot be told apart. */
#define COPY_HINT                                                                                  \
	" (so does a copy whose files are of different moments, or that lacks a -wal: take it "    \
	"with duchactl copy)"
enum { GONE_BYTES = 160 };
/** gone_batch() - say that a batch is missing, and the file that it was in
 * @batch: the first that is missing up to the @mark
 * @newest: the last file before it that has a chain; "": there is none. Return: VERIFY_BAD. */
int gone_batch(struct verify *v, const struct mark *mark, int64_t batch, const char *newest);
/** gone_seals() - the file that seals of @time_ms stand in, where that is not there; the head of a
 * sentence, "" where it is there, or nobody knows its day */
const char *gone_seals(const struct verify *v, int64_t time_ms, char out[GONE_BYTES]);

/** strays_name() - note files of the daybook and the seals that no daemon makes */
void strays_name(struct verify *v);
/** needs_read() - which days must be there, from the ledger @db with its table of newest entries;
 * what was removed is known by then */
int needs_read(struct verify *v, sqlite3 *db);
/**
 * needs_have() - does a case that was open when the ledger's entry @entry was made need one of the
 * batches @first to @last, of the daybook file @name? Return: its id, or 0.
 */
int64_t needs_have(const struct verify *v, const char *name, int64_t first, int64_t last,
		   int64_t entry);

/** row_name() - what a row of a kind that has rows is called */
const char *row_name(uint8_t kind);
/**
 * group_take() - an entry behind those before it: what becomes of a case is told by an event of the
 * same transaction, which leaves the node
 * @changed: it is the first of its row, or says another digest than the one before it
 */
int group_take(struct verify *v, const struct chain_entry *e, bool changed);
int group_end(struct verify *v);

/** seals_before() - how many seals (by number) were made before entry @number of the ledger */
size_t seals_before(const struct verify *v, int64_t number);
/** seals_resumed() - is there a seal by now that follows the last one that was read? */
int seals_resumed(struct verify *v, bool *resumed);
/** times_check() - were rows of the ledger @db written when they say, and nothing while no daemon
 * ran? Needs its table of newest entries. */
int times_check(struct verify *v, sqlite3 *db);
/** stopped() - did the daemon end cleanly, and none began since? Then nothing is behind the last
 * seal. */
int stopped(struct verify *v, bool *yes);

int verify_seals(struct verify *v);
int verify_ledger(struct verify *v);
int verify_daybook(struct verify *v);
