/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The daybook's files one after the other, for whoever looks through all of them for evidence.
 */
#include "store/daybook-file.h"

/* What is asked of each file. Return: 0, negative errno, 1 to go no further. */
typedef int (*evidence_day_fn)(void *context, const char *path, const struct day_name *name);

/** evidence_days() - in whatever order
 * @directory: of the store
 * Return: 0, negative errno. */
int evidence_days(const char *directory, evidence_day_fn fn, void *context);
/** evidence_days_in_order() - the same by their batches: where a clock was set back, a file of an
 * earlier day goes on behind one of a later day. Each is opened once more for that. */
int evidence_days_in_order(const char *directory, evidence_day_fn fn, void *context);
