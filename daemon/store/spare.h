/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Spare: room on the disk that is taken beforehand, for readings whose senders cannot wait until
 * the disk takes a commit.
 *
 * DIRECTORY/spare has a fixed length from the beginning, so it takes readings also while the disk
 * is full; each is one line of text, followed by zeros. A reading that is acknowledged before it is
 * in the daybook is made durable here first. When the daybook has all of them the file is emptied;
 * after a kill or a power cut the next life takes what is not in the daybook yet.
 *
 * spare_keep() is for one thread at a time, spare_empty() for any.
 */
#include "core/plan.h"
#include "core/reading.h"

struct spare;

/* Results besides 0 and negative errno. */
enum spare_result {
	SPARE_FATAL = 1, /* an fsync failed: never retried, the daemon must exit 1 */
};

/** spare_open() - Return: 0, negative errno, SPARE_FATAL. No room is no error: then nothing can be
 * kept. */
int spare_open(struct spare **out, const char *directory);
struct spare *spare_close(struct spare *spare);

/**
 * spare_keep() - make readings durable
 *
 * The write is asynchronous, so a disk that hangs costs no more than @timeout_ms. Return: true if
 * all are on disk; false if they did not fit, were not written, or are not known to be.
 */
bool spare_keep(struct spare *spare, const struct plan *plan, const struct reading *readings,
		size_t n, int timeout_ms);

/** spare_empty() - forget all, unless somebody keeps something right now or @needed says no */
void spare_empty(struct spare *spare, bool (*needed)(void *context), void *context);

/**
 * spare_left() - what an earlier life left, once: monitors that are not in the plan are said and
 * left out (main thread, after spare_open())
 * @out: to be freed; Return: how many
 */
size_t spare_left(struct spare *spare, const struct plan *plan, struct reading **out);

/** spare_line(), spare_parse() - a reading as a line without its end; @size: 512 at least. pure.
 * Return: its length, 0 if it does not fit; false if it is none, or of no monitor of the plan:
 * then reading->monitor is NO_INDEX */
size_t spare_line(char *out, size_t size, const struct plan *plan, const struct reading *reading);
bool spare_parse(const char *line, const struct plan *plan, struct reading *reading);
