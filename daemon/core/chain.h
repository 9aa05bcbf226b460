/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Chain: the canonical bytes of what is sealed, so that anybody can compute the same hash again.
 *
 * Every record begins with a letter that says what it is, and has either a fixed length or its
 * lengths in it; numbers are little-endian, never a struct's memory. A link of a chain is
 *
 *   hash = SHA-256(prefix | former hash | records)
 *
 * Daybook: the records of a batch are its readings, then the names of monitors and the gaps that
 * are new with it, the digest of the frames that came with it, if any, and its trailer; before
 * them, in a file's first batch, the file's begin.
 * Ledger: one entry a row of a case, an alert, a step of a history … that is new or has changed.
 * Hashes themselves are computed elsewhere: nothing here knows a library.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gap;

enum {
	CHAIN_HASH_BYTES = 32,
	CHAIN_HEX_BYTES = 65, /* with a NUL */
	CHAIN_READING_BYTES = 67,
	CHAIN_GAP_BYTES = 33,
	CHAIN_FRAMES_BYTES = 49,
	CHAIN_NAME_MOST = 1 + 8 + 2 + 2 + 2 * 255,
	CHAIN_TRAILER_BYTES = 65,
	CHAIN_BEGIN_MOST = 1 + 3 * 8 + 2 + 255,
	CHAIN_ENTRY_BYTES = 50,
	CHAIN_CELL_HEAD_BYTES = 9,
};

/* The first byte of what is hashed: a link is never a seal, and a digest of a row is no link. */
enum chain_prefix { CHAIN_PREFIX_LINK = 0, CHAIN_PREFIX_ROW = 2 };

/* Where a chain stands; number 0 and hash 0: nothing is in it. */
struct chain_head {
	int64_t number; /* of the batch, or of the ledger's entry, from 1 */
	uint8_t hash[CHAIN_HASH_BYTES];
};

/* A stored reading; the monitor is its id in the file. */
struct chain_reading {
	int64_t sequence, boot, ring, ring_seq, monitor, measured_ms, received_ms;
	bool has_value;
	double value;
	uint8_t flag;
	uint64_t raw;
};

/* Frames (core/frame.h) of a batch: they stand in a file of their own. */
struct chain_frames {
	int64_t first, last; /* bytes of that file, from first to before last; equal: none */
	uint8_t digest[CHAIN_HASH_BYTES]; /* of these bytes */
};

/* What is said of a batch as a whole. */
struct chain_trailer {
	int64_t batch;
	int64_t first, last;    /* sequences; 0, 0: no readings */
	int64_t monitors;       /* the newest id of a monitor in the file */
	int64_t gaps;           /* the newest gap's row in the file */
	int64_t at_ms;          /* wall clock of the commit */
	int64_t mono_ms;        /* CLOCK_BOOTTIME */
	int64_t clock_error_us; /* largest error of the wall clock, enum chain_clock if not known */
};
/* Before the first link of a file. */
struct chain_begin {
	int64_t seq, monitors, gaps; /* the newest it held; 0 unless an earlier version wrote it */
	const char *name;            /* such as 2026-01-02.db */
};
enum chain_clock { CHAIN_CLOCK_FREE = -1, CHAIN_CLOCK_UNKNOWN = -2 };

/* One entry of the ledger's chain. */
struct chain_entry {
	int64_t number;
	uint8_t kind; /* enum chain_kind */
	int64_t ref;  /* the row's id; of CHAIN_DAYBOOK the batch */
	uint8_t digest[CHAIN_HASH_BYTES];
};
/* Without a CHAIN_FORMAT the kinds up to CHAIN_DAY. */
enum { CHAIN_FORMAT_NOW = 6 };
/* Stored: never renumber. */
enum chain_kind {
	CHAIN_CASE = 1,
	CHAIN_ALERT = 2,
	CHAIN_HISTORY = 3,
	CHAIN_EVENT = 4,
	CHAIN_SHELF = 5,
	CHAIN_DAYBOOK = 6, /* where the daybook's chain stood; the digest is its hash */
	CHAIN_PRUNED = 7,  /* events up to the ref are gone, since everybody had them; no digest */
	CHAIN_DIGEST = 8,  /* of a case's readings */
	CHAIN_DAY = 9,     /* a file of the daybook that was removed */
	CHAIN_FRAMES = 10, /* the frames of one were */
	CHAIN_MARK = 11,
	CHAIN_CHANGE = 12, /* what a mark changed */
	CHAIN_FORMAT = 13, /* from here on all rows of kinds that format ref knows have entries */
	CHAIN_INSTRUMENT = 14, /* how a monitor was read from then on */
	CHAIN_LEFT = 15,       /* an alert that another case took over */
	CHAIN_OPENED = 16,     /* what of a case never changes: one entry each */
	CHAIN_RAISED = 17,     /* the same of an alert */
	CHAIN_CLEARED = 18,    /* how one ended */
	CHAIN_ACKNOWLEDGED = 19,
	CHAIN_SETTLED = 20, /* the time for marking what raised one is over */
	CHAIN_COURSE = 21,  /* how many steps and episodes a case has, and the last of them; and the
			     * deadline of rectification that is kept while it is checked, and the
			     * severity */
	CHAIN_OUTSIDE = 22, /* a row that was found to be other than its newest entry, before the
			     * daemon changed it; the ref is chain_outside_ref(), the digest that of
			     * the row as it was found */
	CHAIN_KINDS
};

/* Each writes to @out and gives the end of what it wrote. */
uint8_t *chain_reading_bytes(uint8_t *out, const struct chain_reading *reading);
/** chain_name_bytes() - a monitor's names; at most CHAIN_NAME_MOST bytes, longer ones are cut */
uint8_t *chain_name_bytes(uint8_t *out, int64_t id, const char *site, const char *factor);
uint8_t *chain_gap_bytes(uint8_t *out, const struct gap *gap, int64_t monitor);
uint8_t *chain_frames_bytes(uint8_t *out, const struct chain_frames *frames);
/** chain_begin_bytes() - the begin of a file: what it held before its first link, and its name; at
 * most CHAIN_BEGIN_MOST bytes */
uint8_t *chain_begin_bytes(uint8_t *out, const struct chain_begin *begin);
uint8_t *chain_trailer_bytes(uint8_t *out, const struct chain_trailer *trailer);
uint8_t *chain_entry_bytes(uint8_t *out, const struct chain_entry *entry);
/* A cell of a row: its kind and value, or the length of the bytes that follow. */
uint8_t *chain_null_bytes(uint8_t *out);
uint8_t *chain_int_bytes(uint8_t *out, int64_t value);
uint8_t *chain_double_bytes(uint8_t *out, double value);
uint8_t *chain_text_bytes(uint8_t *out, size_t length);

/** chain_format_of() - the first format that knows a kind; 0: it has no rows */
int chain_format_of(uint8_t kind);
/** chain_outside_ref() - the ref of CHAIN_OUTSIDE for row @id of @kind: id * 256 + kind */
static inline int64_t chain_outside_ref(uint8_t kind, int64_t id)
{
	return id * 256 + kind;
}
/** chain_is_once() - are rows of a kind never rewritten, so that each has one entry? */
bool chain_is_once(uint8_t kind);

/** chain_hex() - @n bytes as lower-case hex with a NUL, 2 * n + 1 bytes */
void chain_hex(char *out, const uint8_t *bytes, size_t n);
/** chain_unhex() - exactly 2 * @n digits at @text. Return: false if they are not. */
bool chain_unhex(uint8_t *out, size_t n, const char *text);
