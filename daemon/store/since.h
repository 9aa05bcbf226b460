/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Since: what each transaction of the ledger changed, one record each, since a whole copy of it was
 * made. Copy and records together are the ledger a second time, in other files.
 *
 * directory/ledger.since is a head (the place of the copy that it goes on behind) and records, only
 * ever appended: what the transaction changed (a patch of SQLite's sessions), its number, where the
 * ledger's chain stood then, and the SHA-256 of all that and of the record before. A record is
 * written before its transaction commits, and synced where that makes evidence. So the newest may
 * be of a transaction that was not committed; nothing that was committed and synced lies behind it.
 *
 * Private to the store; guarded by the ledger's mutex. Numbers in the file are little-endian.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash;

/* Where one stands, behind a record. */
struct since_place {
	int64_t at;     /* byte of the file */
	int64_t number; /* of the record */
	int64_t head;   /* of the ledger's chain */
	uint8_t hash[32];
};

struct since {
	int fd;                                 /* -1: none */
	struct since_place first, before, last; /* the head's; the last but one's; the newest's */
	int64_t records;
	bool whole; /* behind the newest lies nothing, or one that was cut short */
	struct hash *hash;
	char path[4200];
};

void since_init(struct since *since);
/**
 * since_open() - read what is there
 *
 * Return: 0; -ENOENT, -EUCLEAN where the head is none, other -errno, and then it is not open.
 */
int since_open(struct since *since, const char *directory);
void since_close(struct since *since);
/** since_trim() - cut off what lies behind the newest record */
void since_trim(struct since *since);
/** since_begin() - a file without records, behind transaction @number. Durable. Return: 0,
 * SQL_FATAL, -errno. */
int since_begin(struct since *since, const char *directory, int64_t number, int64_t head);
/** since_append() - a record of the transaction after the newest. Return: 0, SQL_FATAL, -errno and
 * then it is not there. */
int since_append(struct since *since, int64_t head, const void *bytes, size_t n, bool sync);
/** since_undo() - take the newest away again, once. Return: 0, -errno. */
int since_undo(struct since *since);
/** since_drop() - those up to @number are in a copy now. Durable. Return: 0, SQL_FATAL, -errno. */
int since_drop(struct since *since, const char *directory, int64_t number);
/** since_each() - the records behind @number, oldest first, until @fn does not return 0. Return:
 * what it returned, -errno. */
int since_each(struct since *since, int64_t number,
	       int (*fn)(void *context, const void *bytes, size_t n), void *context);
