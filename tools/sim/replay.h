/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Replay: a recorded series, read from the file that `duchad --backtest` reads, too, and served
 * as if it were measured now.
 *
 * Columns time,site,factor,value[,flag] in any order. Rows are played in the order of their times,
 * rows of one time in the order of the file. A row that cannot be read is named and left out.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct replay_options {
	const char *file;
	const char *const *sites; /* n_sites 0: all */
	size_t n_sites;
	const char *prefix; /* topic: prefix/site/factor */
	int32_t offset_s;   /* east of UTC, for times without an offset */
};

struct replay_series {
	char *site, *factor, *topic;
	uint8_t unit_id; /* one a site, from 1 */
	uint16_t
		address; /* of a float32 in holding and input registers; 0, 2, 4 ... in each site */
	double current;  /* what the registers show; NaN before the first row and for none */
};

struct replay_row {
	int64_t wall_ms;
	double value; /* NaN: none */
	uint32_t series, line;
	char flag;
};

struct replay {
	struct replay_series *series;
	struct replay_row *rows;                   /* ordered by wall_ms, then line */
	size_t n_series, n_rows, n_bad, n_skipped; /* skipped: of other sites */
};

/**
 * replay_load() - read all of it into memory
 * @faults: gets "file:line: what is wrong" for each bad row
 * Return: 0 and *out (replay_free() it), also with bad rows; -EINVAL (said) when the file or its
 * header cannot be used; -ENOMEM.
 */
int replay_load(const struct replay_options *options, struct replay **out, FILE *faults);
struct replay *replay_free(struct replay *r);
/** replay_payload() - {"ts":MS,"value":X,"flag":"N"}; free() it. NULL: out of memory. */
char *replay_payload(const struct replay_row *row);
/** replay_read() - a responder_source's read, @context is the struct replay */
int replay_read(void *context, uint8_t unit_id, uint8_t function, uint16_t address, unsigned count,
		int64_t time_ms, uint16_t *words);
