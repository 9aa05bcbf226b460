/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The frames of a case's readings as a table: a line for each reading, in the order of its
 * readings, with what was exchanged for it in hexadecimal, or why there is nothing, and the batch
 * that it was committed with.
 */
#include "core/chain.h"
#include "core/frame.h"
#include "core/text.h"
#include "store/daybook.h"
#include "store/evidence-batches.h"
#include "store/evidence.h"

/* A reading of the case. */
struct framed {
	int64_t boot, sequence;
	uint64_t seq, raw;
	uint8_t ring, kind; /* enum frame_kind; 0: nothing was kept */
	bool has_value;
	double value;
	int64_t measured_ms;
	int64_t at_ms;          /* when the frame was whole */
	size_t line, hex;       /* in lines and hex: where its CSV and its frame begin */
	size_t asked, answered; /* hex digits */
};

struct framed_lines {
	struct framed *at;
	size_t n, capacity, found;
	int64_t first_batch, last_batch; /* that brought any of its frames; 0: none */
	struct text lines, hex;
	struct framed **by_key;
	struct evidence_place *places; /* the batch of each, once framed_find() has looked */
	struct frame_source *sources;  /* by ring: the last frame with bytes */
	size_t most;                   /* 0: any number */
	bool failed, many;
};

/** framed_add() - one more reading, whose line in readings.csv is @line without its line end */
void framed_add(struct framed_lines *lines, const struct daybook_row *row, const char *line,
		size_t length);
/** framed_find() - take what batches @from to @until of the store brought for them */
int framed_find(struct framed_lines *lines, const char *directory, int64_t from, int64_t until);
/** framed_read() - the readings of the case with their frames
 * @most: readings; 0: any number. Return: 0, -E2BIG where there are more, negative errno. */
int framed_read(struct framed_lines *lines, const char *directory, struct daybook_reader *reader,
		const struct plan *plan, const struct evidence_case *evidence, size_t most);
/** framed_write() - the table, with its header */
void framed_write(const struct framed_lines *lines, const struct zone *zone, struct text *out);
/** framed_digest() - SHA-256 of the table. Return: 0, negative errno. */
int framed_digest(const struct framed_lines *lines, const struct zone *zone,
		  uint8_t out[CHAIN_HASH_BYTES]);
/** framed_asked(), framed_answered() - what was asked for a reading, and what was answered; as
 * digits, of which framed.asked and framed.answered say how many */
const char *framed_asked(const struct framed_lines *lines, const struct framed *framed);
const char *framed_answered(const struct framed_lines *lines, const struct framed *framed);
void framed_deinit(struct framed_lines *lines);
