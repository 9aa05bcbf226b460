/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-chain.h"

#include "seal/hash.h"

#include <string.h>

/* clang-format off */
#define TOUCH(kind, ref) "INSERT OR IGNORE INTO touched VALUES(" #kind ", " ref ");"
#define TOUCH_CASE(ref) \
	"INSERT OR IGNORE INTO touched SELECT 1, " ref " WHERE " ref " IS NOT NULL;"
#define TOUCH_IF(kind, ref, what) \
	"INSERT OR IGNORE INTO touched SELECT " #kind ", " ref " WHERE " what ";"
#define TOUCH_COURSE(ref) TOUCH_IF(21, ref, ref " IS NOT NULL")
#define ON(name, when, what) "CREATE TEMP TRIGGER on_" name " AFTER " when " BEGIN " what " END;"

/* Kinds as in core/chain.h. A case changes with its alerts: what it says is final when they are. */
static const char triggers[] =
	"CREATE TEMP TABLE touched(kind INTEGER NOT NULL, ref INTEGER NOT NULL,"
	" PRIMARY KEY(kind, ref)) WITHOUT ROWID;"
	ON("case_new", "INSERT ON main.cases",
	   TOUCH(1, "NEW.id") TOUCH(16, "NEW.id") TOUCH(21, "NEW.id"))
	ON("case", "UPDATE OF status, verified, level, escalation, closed, due, in_charge, leader,"
		   " team, title, document, track, stage_at, extended, relapses, reopened,"
		   " merged_into, withdrawn, site, factor, kind, average ON main.cases",
	   TOUCH(1, "NEW.id"))
	ON("case_course", "UPDATE ON main.cases",
	   TOUCH_IF(21, "NEW.id",
		    "(OLD.fixed, OLD.restored, OLD.kept_stage_at, OLD.kept_due, OLD.kept_extended,"
		    " OLD.kept_fixed, OLD.severity) IS NOT (NEW.fixed, NEW.restored, NEW.kept_stage_at,"
		    " NEW.kept_due, NEW.kept_extended, NEW.kept_fixed, NEW.severity)"))
	ON("alert_new", "INSERT ON main.alerts",
	   TOUCH(2, "NEW.id") TOUCH_CASE("NEW.case_id") TOUCH(17, "NEW.id")
	   TOUCH_COURSE("NEW.case_id"))
	ON("alert", "UPDATE OF cleared, case_id, acknowledged, acknowledged_by, reason"
		    " ON main.alerts",
	   TOUCH(2, "NEW.id") TOUCH_CASE("OLD.case_id") TOUCH_CASE("NEW.case_id"))
	ON("alert_case", "UPDATE OF case_id ON main.alerts",
	   TOUCH_COURSE("OLD.case_id") TOUCH_COURSE("NEW.case_id"))
	ON("alert_cleared", "UPDATE OF cleared ON main.alerts",
	   TOUCH_IF(18, "NEW.id", "OLD.cleared IS NULL AND NEW.cleared IS NOT NULL"))
	ON("alert_acknowledged", "UPDATE OF acknowledged ON main.alerts",
	   TOUCH_IF(19, "NEW.id", "OLD.acknowledged IS NULL AND NEW.acknowledged IS NOT NULL"))
	ON("alert_settled", "UPDATE OF settled ON main.alerts",
	   TOUCH_IF(20, "NEW.id", "OLD.settled = 0 AND NEW.settled <> 0"))
	ON("history", "INSERT ON main.history", TOUCH(3, "NEW.id") TOUCH(21, "NEW.case_id"))
	ON("event", "INSERT ON main.events", TOUCH(4, "NEW.id"))
	ON("shelf_new", "INSERT ON main.shelves", TOUCH(5, "NEW.id"))
	ON("shelf", "UPDATE ON main.shelves", TOUCH(5, "NEW.id"))
	ON("digest_new", "INSERT ON main.case_digests", TOUCH(8, "NEW.case_id"))
	ON("digest", "UPDATE ON main.case_digests", TOUCH(8, "NEW.case_id"))
	ON("day", "INSERT ON main.chain_days", TOUCH(9, "NEW.id"))
	ON("frames", "INSERT ON main.frames_gone", TOUCH(10, "NEW.id"))
	ON("mark", "INSERT ON main.marks", TOUCH(11, "NEW.id"))
	ON("change", "INSERT ON main.recomputed", TOUCH(12, "NEW.id"))
	ON("instrument", "INSERT ON main.instruments", TOUCH(14, "NEW.id"))
	ON("left", "INSERT ON main.left_episodes",
	   TOUCH(15, "NEW.id") TOUCH(21, "NEW.case_id"));
/* clang-format on */

/* A ledger of an earlier version: what it holds is chained from now on. */
static const char *const adopt[CHAIN_FORMAT_NOW] = {
	("INSERT OR IGNORE INTO touched SELECT 1, id FROM main.cases;"
	 "INSERT OR IGNORE INTO touched SELECT 2, id FROM main.alerts;"
	 "INSERT OR IGNORE INTO touched SELECT 3, id FROM main.history;"
	 "INSERT OR IGNORE INTO touched SELECT 4, id FROM main.events;"
	 "INSERT OR IGNORE INTO touched SELECT 5, id FROM main.shelves;"),
	("INSERT OR IGNORE INTO touched SELECT 11, id FROM main.marks;"
	 "INSERT OR IGNORE INTO touched SELECT 12, id FROM main.recomputed;"
	 "INSERT OR IGNORE INTO touched SELECT 14, id FROM main.instruments;"),
	"INSERT OR IGNORE INTO touched SELECT 15, id FROM main.left_episodes;",
	("INSERT OR IGNORE INTO touched SELECT 16, id FROM main.cases;"
	 "INSERT OR IGNORE INTO touched SELECT 17, id FROM main.alerts;"),
	("INSERT OR IGNORE INTO touched SELECT 18, id FROM main.alerts WHERE cleared IS NOT NULL;"
	 "INSERT OR IGNORE INTO touched SELECT 19, id FROM main.alerts WHERE acknowledged IS NOT"
	 " NULL;"
	 "INSERT OR IGNORE INTO touched SELECT 20, id FROM main.alerts WHERE settled <> 0;"
	 "INSERT OR IGNORE INTO touched SELECT 21, id FROM main.cases;"),
};

static int chain_prepare(struct ledger_chain *chain, sqlite3 *db)
{
	int r = sql_prepare(db, &chain->touched,
			    "SELECT kind, ref FROM touched ORDER BY kind, ref");
	if (r == 0)
		r = sql_prepare(db, &chain->forget, "DELETE FROM touched");
	if (r == 0)
		r = sql_prepare(db, &chain->add,
				"INSERT INTO main.chain VALUES(?1, ?2, ?3, ?4, ?5)");
	if (r == 0)
		r = sql_prepare(db, &chain->last, LEDGER_CHAIN_LAST);
	for (int kind = 0; r == 0 && kind < CHAIN_KINDS; kind++)
		if (ledger_chain_row[kind] != NULL)
			r = sql_prepare(db, &chain->rows[kind], ledger_chain_row[kind]);
	return r;
}

static int head_read(struct ledger_chain *chain)
{
	bool row = false;

	chain->head = (struct chain_head){0};
	int r = sql_step(chain->last, &row);
	if (r == 0 && row) {
		chain->head.number = sqlite3_column_int64(chain->last, 0);
		if (!sql_hash(chain->last, 1, chain->head.hash))
			memset(chain->head.hash, 0, sizeof chain->head.hash);
	}
	sql_reset(chain->last);
	chain->stale = r != 0;
	return r;
}

static int format_read(sqlite3 *db, const struct ledger_chain *chain, int64_t *format)
{
	int r = sql_number(db, "SELECT max(ref) FROM main.chain WHERE kind = 13", 0, format);

	if (r == 0 && *format == 0 && chain->head.number != 0)
		*format = 1;
	return r;
}

static int entry_add(struct ledger_chain *chain, struct chain_entry *entry)
{
	entry->number = chain->head.number + 1;
	int r = hash_entry(chain->hash, &chain->head, entry);
	return r == 0 ? sql_do(chain->add, "iiihh", entry->number, (int64_t)entry->kind, entry->ref,
			       entry->digest, chain->head.hash)
		      : r;
}

static int chain_adopt(struct ledger_chain *chain, sqlite3 *db, int64_t format)
{
	struct chain_entry entry = {.kind = CHAIN_FORMAT, .ref = CHAIN_FORMAT_NOW};

	int r = sql_exec(db, "BEGIN IMMEDIATE");
	for (; r == 0 && format < CHAIN_FORMAT_NOW; format++)
		r = sql_exec(db, adopt[format]);
	if (r == 0)
		r = ledger_chain_flush(chain);
	if (r == 0)
		r = entry_add(chain, &entry);
	if (r == 0)
		r = sql_exec(db, "COMMIT");
	sql_rollback(db);
	return r;
}

int ledger_chain_open(struct ledger_chain *chain, sqlite3 *db)
{
	int64_t format = 0;
	int r = chain->hash == NULL ? hash_new(&chain->hash) : 0;

	if (r == 0)
		r = sql_exec(db, triggers);
	if (r == 0)
		r = chain_prepare(chain, db);
	if (r == 0)
		r = head_read(chain);
	if (r == 0)
		r = format_read(db, chain, &format);
	return r == 0 && format < CHAIN_FORMAT_NOW ? chain_adopt(chain, db, format) : r;
}

void ledger_chain_close(struct ledger_chain *chain)
{
	for (int kind = 0; kind < CHAIN_KINDS; kind++)
		sqlite3_finalize(chain->rows[kind]);
	memset(chain->rows, 0, sizeof chain->rows);
	sqlite3_finalize(chain->touched);
	sqlite3_finalize(chain->forget);
	sqlite3_finalize(chain->add);
	sqlite3_finalize(chain->last);
	chain->touched = chain->forget = chain->add = chain->last = NULL;
	chain->hash = hash_free(chain->hash);
}

/* A row that is gone within its own transaction leaves no entry. */
static int row_add(struct ledger_chain *chain, uint8_t kind, int64_t ref)
{
	struct chain_entry entry = {.kind = kind, .ref = ref};
	sqlite3_stmt *one = chain->rows[kind];
	bool row = false;

	sql_bind(one, "i", ref);
	int r = sql_step(one, &row);
	if (r == 0 && row)
		r = ledger_chain_digest(chain->hash, one, kind, entry.digest);
	sql_reset(one);
	return r == 0 && row ? entry_add(chain, &entry) : r;
}

static int daybook_add(struct ledger_chain *chain)
{
	struct chain_entry entry = {.kind = CHAIN_DAYBOOK};
	struct chain_head head;

	if (chain->daybook == NULL)
		return 0;
	chain->daybook(chain->context, &head);
	if (head.number == 0 || head.number == chain->bound)
		return 0;
	chain->bound = entry.ref = head.number;
	memcpy(entry.digest, head.hash, sizeof entry.digest);
	return entry_add(chain, &entry);
}

int ledger_chain_flush(struct ledger_chain *chain)
{
	bool row = false, any = false;

	if (chain->hash == NULL)
		return 0;
	int r = chain->stale ? head_read(chain) : 0;
	if (r == 0)
		r = sql_step(chain->touched, &row);
	for (; r == 0 && row; any = true) {
		r = row_add(chain, (uint8_t)sqlite3_column_int(chain->touched, 0),
			    sqlite3_column_int64(chain->touched, 1));
		if (r == 0)
			r = sql_step(chain->touched, &row);
	}
	sql_reset(chain->touched);
	if (r == 0 && any)
		r = sql_do(chain->forget, "");
	return r == 0 && any ? daybook_add(chain) : r;
}

int ledger_chain_pruned(struct ledger_chain *chain, int64_t id)
{
	struct chain_entry entry = {.kind = CHAIN_PRUNED, .ref = id};

	if (chain->hash == NULL)
		return 0;
	int r = chain->stale ? head_read(chain) : 0;
	return r == 0 ? entry_add(chain, &entry) : r;
}

void ledger_chain_failed(struct ledger_chain *chain)
{
	chain->stale = true;
	chain->bound = 0;
}

int ledger_chain_head(struct ledger_chain *chain, struct chain_head *out)
{
	int r = chain->hash != NULL && chain->stale ? head_read(chain) : 0;

	*out = chain->head;
	return r;
}
