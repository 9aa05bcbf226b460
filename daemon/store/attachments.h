/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Attachments: the files of cases, beside the ledger, each under the SHA-256 of its bytes.
 *
 * A file is on disk, synced, before the ledger speaks of it, and never changes afterwards: the same
 * bytes are the same file. One that no history names (a kill between the two) is harmless.
 */
#include <stddef.h>

struct text;

#define SHA256_TEXT_BYTES 65

/** attachment_keep() - @hash: out. Return: 0, SQL_FATAL (a failed fsync), negative errno. */
int attachment_keep(const char *directory, const void *data, size_t size,
		    char hash[SHA256_TEXT_BYTES]);
/** attachment_read() - the bytes, if they are still those of @hash; else -EBADMSG */
int attachment_read(const char *directory, const char *hash, struct text *out);
