/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Are all batches of the daybook there, or said to be removed? A file that somebody took away
 * leaves a hole.
 */
#include "store/ledger.h"

/** evidence_hole() - *batch: the first up to @until that is in no file and was not removed by rule;
 * 0: there is none. Return: 0, negative errno. */
int evidence_hole(const char *directory, struct ledger *ledger, int64_t until, int64_t *batch);
