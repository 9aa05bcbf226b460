/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Chain rows: what is chained, as it is read from the tables. Whoever writes a chain and whoever
 * verifies one hash what they read through the same statements.
 */
#include "core/chain.h"
#include "store/sql.h"

struct hash;

/* Rows with ?1 < id <= ?2. */
#define DAY_CHAIN_NAMES                                                                            \
	"SELECT id, site, factor FROM monitors WHERE id > ?1 AND id <= ?2 ORDER BY id"
#define DAY_CHAIN_GAPS                                                                             \
	"SELECT monitor, from_ms, to_ms, count FROM gaps WHERE rowid > ?1 AND rowid <= ?2"         \
	" ORDER BY rowid"

/* Where canonical bytes go. */
typedef void (*chain_sink)(void *to, const void *bytes, size_t n);
/** chain_to_hash() - a sink; @to is a struct hash */
void chain_to_hash(void *to, const void *bytes, size_t n);
/** day_chain_rows() - the bytes of the rows of DAY_CHAIN_NAMES, or with @gaps of DAY_CHAIN_GAPS */
int day_chain_rows(chain_sink sink, void *to, sqlite3_stmt *rows, int64_t after, int64_t until,
		   bool gaps);

/* By enum chain_kind: the row ?1 of its table as it is evidence; NULL for kinds without a row. */
extern const char *const ledger_chain_row[CHAIN_KINDS];
#define LEDGER_CHAIN_LAST "SELECT number, hash FROM chain ORDER BY number DESC LIMIT 1"
/** ledger_chain_digest() - of the row on which @row of ledger_chain_row[@kind] stands */
int ledger_chain_digest(struct hash *hash, sqlite3_stmt *row, uint8_t kind,
			uint8_t out[CHAIN_HASH_BYTES]);
