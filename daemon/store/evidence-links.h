/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The links of the daybook's chain as the bytes that were hashed, so that sha256sum can follow them
 * without knowing what they hold.
 */
#include "core/text.h"

#include <stdint.h>

/**
 * evidence_links() - from batch @from to batch @until, in order
 * @fn: one link: its number and bytes; Return: false to stop
 * @directory: of the store
 * Return: 0, negative errno.
 */
int evidence_links(const char *directory, int64_t from, int64_t until,
		   bool (*fn)(void *context, int64_t batch, const struct text *bytes),
		   void *context);
/** evidence_batch() - *batch: the one that holds reading @sequence, 0: none */
int evidence_batch(const char *directory, int64_t sequence, int64_t *batch);
