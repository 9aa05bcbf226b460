/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Stock: what of the store may go next, and why. Pure: whoever asks takes it away and asks again.
 *
 *   held ───────────────► stays          the newest two, which a start needs
 *   needed by a case ───► stays          measured times that an open case speaks of
 *   older than its time ─► goes          readings once they have left for the time-series database
 *   no room ────────────► the oldest goes, whether it has left or not
 *
 * Each class has a time of its own. Where there is no room one goes after the other: frames, which
 * lie in files of their own beside the readings, then readings, and only when of these nothing may
 * go any more the means: those of minutes, then the sums of hours, by years. Sums of days stay, and
 * so do cases.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of readings with their frames, or of minutes. */
struct stock_file {
	int64_t day;            /* zone_day() of its name */
	int64_t first, last;    /* sequences; of minutes 0 */
	int64_t from_ms, to_ms; /* measured times, both included */
	int64_t bytes;
	int64_t frames_bytes; /* of its frames; 0: there are none */
	bool held;
};

/* Measured times, both included. */
struct stock_span {
	int64_t from_ms, to_ms;
};

/* In the order in which they go where there is no room. */
enum stock_class { STOCK_FRAMES, STOCK_READINGS, STOCK_MINUTES, STOCK_HOURS, STOCK_CLASSES };

/* What there is, oldest first: readings by sequence, minutes by day. */
struct stock {
	const struct stock_file *readings, *minutes;
	size_t n_readings, n_minutes;
	int64_t hours_from_ms; /* when the oldest sum of an hour begins; INT64_MAX: there is none */
};

struct stock_rules {
	int64_t today;         /* zone_day() of now */
	int64_t keep_days;     /* readings: whole days before today */
	int64_t keep_frames;   /* likewise */
	int64_t keep_minutes;  /* likewise */
	int64_t hours_stay_ms; /* hours that begin from here on stay: permits are judged by them */
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

/* What to take away next: a file of that class, by its place; of hours a year, whatever that is. */
struct stock_choice {
	enum stock_why why;
	enum stock_class class;
	size_t which;
};
struct stock_choice stock_choose(const struct stock *stock, const struct stock_rules *rules);

/** stock_early() - would its age alone have let a file of the class stay? */
bool stock_early(const struct stock_file *file, enum stock_class class,
		 const struct stock_rules *rules);

/** stock_most() - the bound of the store: @max_bytes, and 15/16 of its file system at most */
int64_t stock_most(int64_t max_bytes, int64_t disk_all_bytes);

/* Said before there is no room: from a tenth left, until there is half as much again. */
struct stock_room {
	int64_t used_bytes, most_bytes;          /* of the store */
	int64_t disk_free_bytes, disk_all_bytes; /* of its file system */
};
/** stock_filling() - @now: was it said before? */
bool stock_filling(const struct stock_room *room, bool now);
