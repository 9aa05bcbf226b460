/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Stock: which file of readings may go next, and why. Pure: whoever asks takes it away and asks
 * again.
 *
 *   held ───────────────► stays          the newest two, which a start needs
 *   needed by a case ───► stays          measured times that an open case speaks of
 *   older than its time ─► goes          once it has left for the time-series database
 *   no room ────────────► the oldest goes, whether it has left or not
 *
 * Frames lie in files of their own beside the readings: they have a time of their own, and where
 * there is no room they go before any reading does.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stock_file {
	int64_t day;            /* zone_day() of its name */
	int64_t first, last;    /* sequences */
	int64_t from_ms, to_ms; /* measured times, both included */
	int64_t bytes;
	int64_t frames_bytes; /* of its frames; 0: there are none */
	bool held;
};

/* Measured times, both included. */
struct stock_span {
	int64_t from_ms, to_ms;
};

struct stock_rules {
	int64_t today;       /* zone_day() of now */
	int64_t keep_days;   /* whole days before today */
	int64_t keep_frames; /* likewise */
	int64_t used_bytes, most_bytes;
	int64_t sent; /* sequences up to here have left; INT64_MAX where nothing is to leave */
	const struct stock_span *spans; /* that open cases need */
	size_t n_spans;
	/* has a file a reading within the span? Asked where neither its earliest nor its latest
	 * one is: a single absurd time must not hold a file for ever. NULL: it has */
	bool (*holds)(void *context, const struct stock_file *file, const struct stock_span *span);
	void *context;
};

enum stock_why {
	STOCK_STAYS, /* nothing is to go, or nothing may */
	STOCK_AGE,
	STOCK_ROOM,
};

/**
 * stock_settle() - no file is older than one that was recorded before it: a clock that was set back
 * for a while names files after days long gone
 * @files: by sequence; their days are corrected, by days up to @today alone
 */
void stock_settle(struct stock_file *files, size_t n, int64_t today);

/**
 * stock_next() - the file to take away next
 * @files: by sequence, oldest first; @which: out, an index into it unless STOCK_STAYS
 */
enum stock_why stock_next(const struct stock_file *files, size_t n, const struct stock_rules *rules,
			  size_t *which);

/** stock_next_frames() - the file whose frames are to be taken away next, before stock_next() is
 * asked */
enum stock_why stock_next_frames(const struct stock_file *files, size_t n,
				 const struct stock_rules *rules, size_t *which);

/** stock_early() - would its age alone have let it stay? */
bool stock_early(const struct stock_file *file, const struct stock_rules *rules);

/** stock_most() - the bound of the store: @max_bytes, and 15/16 of its file system at most */
int64_t stock_most(int64_t max_bytes, int64_t disk_all_bytes);

/* Said before there is no room: from a tenth left, until there is half as much again. */
struct stock_room {
	int64_t used_bytes, most_bytes;          /* of the store */
	int64_t disk_free_bytes, disk_all_bytes; /* of its file system */
};
/** stock_filling() - @now: was it said before? */
bool stock_filling(const struct stock_room *room, bool now);
