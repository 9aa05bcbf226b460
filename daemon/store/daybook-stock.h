/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The daybook as files on a disk: how large, of when, and taking one away. For the thread that owns
 * the reader; the writer's own file is always held (core/stock.h).
 */
#include "core/stock.h"
#include "core/text.h"
#include "store/daybook.h"

/** daybook_stock() - all files that have rows, oldest first; to be freed. Return: 0, -errno. */
int daybook_stock(struct daybook_reader *reader, struct stock_file **out, size_t *n);

/**
 * daybook_unsent() - of each monitor with rows behind @after in the file that begins with sequence
 * @first: from when to when, and how many; goes over all those rows. Return: 0, -ENOENT, -errno.
 */
int daybook_unsent(struct daybook_reader *reader, int64_t first, int64_t after, daybook_gap_fn fn,
		   void *context);

/**
 * daybook_holds() - has the file that begins with sequence @first a reading measured from @from_ms
 * to @to_ms, both included? Looks into blocks that may have one, row by row.
 * Return: 0; -ENOENT, -errno, SQL_FATAL.
 */
int daybook_holds(struct daybook_reader *reader, int64_t first, int64_t from_ms, int64_t to_ms,
		  bool *holds);

/** daybook_name() - of the file with this first sequence, such as "2026-01-02.db"; NULL: none.
 * Valid until the reader is used again. */
const char *daybook_name(struct daybook_reader *reader, int64_t first);
/**
 * daybook_removal() - what is to be known of the file that begins with sequence @first once it is
 * gone, as the inside of a JSON object: first, last, and where the file is chained the last batch
 * and its hash, behind which the next file goes on. Return: 0, -ENOENT, -errno.
 */
int daybook_removal(struct daybook_reader *reader, int64_t first, struct text *out);

/**
 * daybook_remove() - the file that begins with sequence @first, with its log; durable when it
 * returns 0. Who has it open reads on. Return: 0, -ENOENT, -errno, SQL_FATAL.
 */
int daybook_remove(struct daybook_reader *reader, int64_t first);

/** daybook_remove_frames() - those of the file that begins with sequence @first; durable when it
 * returns 0. Return: 0, -ENOENT, -errno, SQL_FATAL. */
int daybook_remove_frames(struct daybook_reader *reader, int64_t first);

struct store_use {
	int64_t bytes;       /* of all files below, as blocks of the disk */
	int64_t aside_bytes; /* of those among them that were set aside (NAME.corrupt-SECONDS) */
	size_t damaged;      /* how many these are */
};
/** store_use() - what lies below @directory. Return: 0, -errno. */
int store_use(const char *directory, struct store_use *out);
