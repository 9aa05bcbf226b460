/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Scan: reads the text of a configuration with its includes before libconfig sees it.
 *
 * libconfig 1.5 ends a file silently at an unclosed comment, reads integers beyond 32 bits as
 * nonsense, takes 1e400 for infinity, resolves includes against the working directory, stops at
 * the first key that occurs twice, says no more than "syntax error" and then loses memory. So the
 * text and its whole grammar are checked here first: comments go, includes are put in place, a name
 * moves down to the line of its value (then libconfig's line of a setting is the value's), and the
 * result is one flat text whose lines are known by file and line. Nothing here touches the disk but
 * through the reader.
 */
#include "config/reader.h"

#include <stdbool.h>
#include <stdint.h>

#define SCAN_DUPLICATE "ducha-duplicate-" /* the flat text's name of a key that occurs again */

struct scan_place {
	uint32_t file; /* index into files */
	int line;
};

/* Something wrong with a value that libconfig would not notice. */
enum scan_weight {
	NOTE_INSTEAD, /* of other faults of the line, which follow from it */
	NOTE_ALSO,    /* beside others */
	NOTE_UNLESS,  /* there is another fault of the line */
};
struct scan_note {
	int line; /* of the flat text */
	enum scan_weight weight;
	char *message;
};

struct scan_file {
	char *name, *text;
	size_t length;
};

struct scan_buffer {
	char *at;
	size_t length, room;
};

struct scan {
	struct scan_buffer flat; /* NUL-terminated */
	struct scan_place *places;
	size_t n_places; /* places[i] is where line i + 1 of the flat text comes from */
	struct scan_file *files;
	size_t n_files;
	struct scan_note *notes;
	size_t n_notes;
	bool broken; /* a syntax error was found; the flat text ends there */
	char *broken_file, *broken_message;
	int broken_line;
	bool no_memory;
};

/**
 * scan_read() - read @file and what it includes
 * Return: 0, also for a broken text (see scan->broken); -ENOMEM. scan_deinit() it either way.
 */
int scan_read(struct scan *scan, const char *file, const struct reader *reader);
void scan_deinit(struct scan *scan);
/** scan_place() - where a line of the flat text comes from; lines out of the text count as its ends
 */
struct scan_place scan_place(const struct scan *scan, int flat_line);
/** scan_line() - the original line without blanks around it; not NUL-terminated */
const char *scan_line(const struct scan *scan, int flat_line, size_t *length);
/** scan_shown() - how many bytes of a line to show in a message, cut between characters */
int scan_shown(const char *line, size_t length);
/** scan_utf8() - true if the bytes are valid UTF-8 (RFC 3629) */
bool scan_utf8(const char *text, size_t length);
