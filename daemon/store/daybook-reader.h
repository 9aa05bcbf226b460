/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The reader's inside: daybook-reader.c keeps the files, daybook-range.c answers by measured time.
 */
#include "store/daybook-file.h"

struct reader_file {
	struct day_name name;
	int64_t first; /* 0: no rows yet, or not looked at */
	bool damaged;  /* said once, then passed over */
	bool told;     /* that rows of it cannot be read */
	bool sealed;   /* min_ms and max_ms are known and final */
	int64_t min_ms, max_ms;
	sqlite3 *db; /* NULL: not open now */
	sqlite3_stmt *after, *range;
	struct day_monitors monitors;
	uint64_t used;
};

struct daybook_reader {
	char directory[4096]; /* …/daybook */
	const struct plan *plan;
	struct reader_file *files; /* by first sequence; those without rows at the end */
	size_t n_files;
	uint64_t clock; /* for the least recently used file */
	char **factors; /* names that the plan no longer has */
	size_t n_factors;
};

/** reader_refresh() - look which files there are */
int reader_refresh(struct daybook_reader *reader);
/** reader_use() - have the file open; another may close for it */
int reader_use(struct daybook_reader *reader, struct reader_file *file);
/** reader_monitors() - have all names of the file that are in use now */
int reader_monitors(struct daybook_reader *reader, struct reader_file *file);
/** reader_end() - the first sequence after the file's, INT64_MAX for the newest one */
int64_t reader_end(const struct daybook_reader *reader, size_t file);
/** reader_seal() - look up the measured times of a file that is open and gets no more rows */
int reader_seal(struct reader_file *file);
