/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The daybook's files one after the other, for whoever looks through all of them for evidence.
 */
#include "store/daybook-file.h"

/* What is asked of each file. Return: 0, negative errno, 1 to go no further. */
typedef int (*evidence_day_fn)(void *context, const char *path, const struct day_name *name);

/** evidence_days() - @directory: of the store. Return: 0, negative errno. */
int evidence_days(const char *directory, evidence_day_fn fn, void *context);
