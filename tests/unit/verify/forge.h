/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What somebody who is root, has read how the chain is made, and has no key does to a ledger: he
 * keeps its triggers from running, alters a row, and appends an entry with the row's new digest and
 * a hash that is right.
 */
#include "verify-store.h"

#include "core/caserules.h"
#include "core/chain.h"
#include "seal/hash.h"
#include "store/chainrows.h"

#include <sqlite3.h>

struct forger {
	sqlite3 *db;
	struct hash *hash;
};

static inline void forge_do(const struct forger *f, const char *sql)
{
	char *error = NULL;
	if (sqlite3_exec(f->db, sql, NULL, NULL, &error) != SQLITE_OK)
		fail_msg("%s: %s", sql, error);
}

/* The ledger of a store, whose triggers stay where they are and do nothing. */
static inline void forge_begin(struct forger *f, const char *directory)
{
	char path[256];
	snprintf(path, sizeof path, "%s/ledger.db", directory);
	assert_int_equal(sqlite3_open(path, &f->db), SQLITE_OK);
	assert_int_equal(hash_new(&f->hash), 0);
	sqlite3_db_config(f->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
}

static inline int64_t forge_number(const struct forger *f, const char *sql)
{
	int64_t n;
	assert_int_equal(sql_number(f->db, sql, 0, &n), 0);
	return n;
}

static inline void forge_end(struct forger *f)
{
	f->hash = hash_free(f->hash);
	sqlite3_close(f->db);
}

static inline void forge_head(const struct forger *f, struct chain_head *head)
{
	sqlite3_stmt *last;
	assert_int_equal(sqlite3_prepare_v2(f->db, LEDGER_CHAIN_LAST, -1, &last, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(last), SQLITE_ROW);
	head->number = sqlite3_column_int64(last, 0);
	assert_true(sql_hash(last, 1, head->hash));
	sqlite3_finalize(last);
}

static inline void forge_row(const struct forger *f, struct chain_entry *entry)
{
	sqlite3_stmt *row;
	if (entry->kind >= CHAIN_KINDS || ledger_chain_row[entry->kind] == NULL)
		return;
	assert_int_equal(sqlite3_prepare_v2(f->db, ledger_chain_row[entry->kind], -1, &row, NULL),
			 SQLITE_OK);
	sqlite3_bind_int64(row, 1, entry->ref);
	if (sqlite3_step(row) == SQLITE_ROW)
		assert_int_equal(ledger_chain_digest(f->hash, row, entry->kind, entry->digest), 0);
	sqlite3_finalize(row);
}

/* An entry of row @ref of a kind, as it is now. */
static inline void forge_append(const struct forger *f, uint8_t kind, int64_t ref)
{
	struct chain_entry entry = {.kind = kind, .ref = ref};
	struct chain_head head;
	sqlite3_stmt *add;
	forge_head(f, &head);
	entry.number = head.number + 1;
	forge_row(f, &entry);
	assert_int_equal(hash_entry(f->hash, &head, &entry), 0);
	assert_int_equal(sqlite3_prepare_v2(f->db, "INSERT INTO chain VALUES(?1, ?2, ?3, ?4, ?5)",
					    -1, &add, NULL),
			 SQLITE_OK);
	assert_int_equal(
		sql_do(add, "iiihh", entry.number, (int64_t)kind, ref, entry.digest, head.hash), 0);
	sqlite3_finalize(add);
}

/* A case is withdrawn for its instrument while its alert on w21003 goes on; then somebody ends the
 * shelf that this made, and a later case takes the alert over. */
static inline void life_leave(struct life *life, int64_t id, int64_t at_ms)
{
	static const struct case_rules rules = {.fault_shelve_workdays = 1};
	static struct plan plan;
	struct text out = {0};
	struct case_order withdraw = {.action = ACTION_WITHDRAW,
				      .by = "Officer A",
				      .note = "n",
				      .reason = "instrument_fault"};
	_Atomic uint32_t *kinds = calloc(3, sizeof *kinds);
	plan = store_plan;
	plan.rules = &rules;
	assert_non_null(kinds);
	life_at(at_ms);
	ledger_succeed(life->ledger, &plan, &kinds);
	free(kinds);
	assert_int_equal(ledger_act(life->ledger, id, &withdraw, at_ms, &out), 0);
	assert_int_equal(ledger_unshelve(life->ledger, "outfall-3", "w21003", "A", at_ms), 0);
	text_deinit(&out);
}

/* One day, a case that went its way, a mark. */
static inline void forge_fill(void **state)
{
	struct life life;
	life_begin(&life, *state, 0);
	life_batch(&life, 10, NOW);
	life_alert(&life, 0, NOW + 5000, false);
	life_act(&life, 1, ACTION_ACCEPT, NOW + 9000);
	life_frames(&life, NOW + 20000);
	life_mark(&life, NOW + 20500);
	life_end(&life, true);
}
