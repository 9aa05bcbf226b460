/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Numbers: a second record of how far the ledger's numbers have gone, so that none is given twice
 * when the ledger itself is lost.
 *
 * directory/numbers is a few lines of text, replaced whole (written, synced, renamed, directory
 * synced) before the transaction that goes beyond it is committed. So nothing that was ever
 * committed lies above it; what lies below it and was not committed is given again as long as the
 * ledger is there to say so. Cases stand here exactly, alerts and events some hundreds ahead, so
 * that few of their transactions write it. Private to the store; guarded by the ledger's mutex.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct number_year {
	int64_t year, seq; /* highest number of a case in it */
};

struct numbers {
	int64_t known;  /* case ids up to here were committed when this was written */
	int64_t cases;  /* highest id that may have been committed since; likewise: */
	int64_t alerts; /* with some to spare */
	int64_t events;
	struct number_year *years;
	size_t n_years;
};

/** numbers_read() - Return: 0, -ENOENT, -EUCLEAN where it is not what was written, other errno. */
int numbers_read(struct numbers *out, const char *directory);
/** numbers_write() - Return: 0, SQL_FATAL, -errno. Durable when it returns 0. */
int numbers_write(const struct numbers *numbers, const char *directory);
/** numbers_year() - a case of @year has the number @seq. Return: 0, -ENOMEM. */
int numbers_year(struct numbers *numbers, int64_t year, int64_t seq);
void numbers_deinit(struct numbers *numbers);

/** numbers_parse() - the text of the file (pure). Return: 0, -EUCLEAN, -ENOMEM. */
int numbers_parse(struct numbers *out, const char *text);
