/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tar: files into one archive (POSIX.1-1988 ustar), in memory.
 */
#include "core/text.h"

/** tar_add() - one file; @name at most 99 bytes, @size below 8 GiB */
void tar_add(struct text *tar, const char *name, const void *bytes, size_t size, int64_t wall_s);
/** tar_end() - the two empty blocks at the end */
void tar_end(struct text *tar);
