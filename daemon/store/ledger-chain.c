/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-chain.h"

#include "base/log.h"
#include "seal/hash.h"

#include <string.h>

/* clang-format off */
#define TOUCH(kind, ref) "INSERT OR IGNORE INTO touched VALUES(" #kind ", " ref ");"
#define TOUCH_CASE(ref) \
	"INSERT OR IGNORE INTO touched SELECT 1, " ref " WHERE " ref " IS NOT NULL;"
#define TOUCH_IF(kind, ref, what) \
	"INSERT OR IGNORE INTO touched SELECT " #kind ", " ref " WHERE " what ";"
#define TOUCH_COURSE(ref) TOUCH_IF(21, ref, ref " IS NOT NULL")
/* Is it still what its newest entry says? Once in a flush, and not behind our own change. */
#define OF_ROW(table, kind_is, ref_is) \
	"EXISTS(SELECT 1 FROM " table " WHERE kind = " #kind_is " AND ref = " ref_is ")"
#define LOOK(kind, ref) \
	"INSERT OR IGNORE INTO looked SELECT " #kind ", " ref ", row_odd(" #kind ", " ref ")" \
	" WHERE " ref " IS NOT NULL AND NOT " OF_ROW("touched", kind, ref) \
	" AND NOT " OF_ROW("looked", kind, ref) ";"
#define BEFORE(name, when, what) \
	"CREATE TEMP TRIGGER before_" name " BEFORE " when " BEGIN " what " END;"
#define ON(name, when, what) "CREATE TEMP TRIGGER on_" name " AFTER " when " BEGIN " what " END;"

#define CASE_CHANGES \
	"status, verified, level, escalation, closed, due, in_charge, leader, team, title," \
	" document, track, stage_at, extended, relapses, reopened, merged_into, withdrawn, site," \
	" factor, kind, average"
#define ALERT_CHANGES "cleared, case_id, acknowledged, acknowledged_by, reason"

/* Kinds as in core/chain.h. A case changes with its alerts: what it says is final when they are. */
static const char triggers[] =
	"CREATE TEMP TABLE touched(kind INTEGER NOT NULL, ref INTEGER NOT NULL,"
	" PRIMARY KEY(kind, ref)) WITHOUT ROWID;"
	ON("case_new", "INSERT ON main.cases",
	   TOUCH(1, "NEW.id") TOUCH(16, "NEW.id") TOUCH(21, "NEW.id"))
	ON("case", "UPDATE OF " CASE_CHANGES " ON main.cases", TOUCH(1, "NEW.id"))
	ON("case_course", "UPDATE ON main.cases",
	   TOUCH_IF(21, "NEW.id",
		    "(OLD.fixed, OLD.restored, OLD.kept_stage_at, OLD.kept_due, OLD.kept_extended,"
		    " OLD.kept_fixed, OLD.severity) IS NOT (NEW.fixed, NEW.restored, NEW.kept_stage_at,"
		    " NEW.kept_due, NEW.kept_extended, NEW.kept_fixed, NEW.severity)"))
	ON("alert_new", "INSERT ON main.alerts",
	   TOUCH(2, "NEW.id") TOUCH_CASE("NEW.case_id") TOUCH(17, "NEW.id")
	   TOUCH_COURSE("NEW.case_id"))
	ON("alert", "UPDATE OF " ALERT_CHANGES " ON main.alerts",
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
/* known: the newest digest of rows; looked: rows that were held against it, with what they are where that
 * differs. */
static const char looks[] =
	"CREATE TEMP TABLE known(kind INTEGER NOT NULL, ref INTEGER NOT NULL, digest BLOB,"
	" PRIMARY KEY(kind, ref)) WITHOUT ROWID;"
	"CREATE TEMP TABLE looked(kind INTEGER NOT NULL, ref INTEGER NOT NULL, digest BLOB,"
	" PRIMARY KEY(kind, ref)) WITHOUT ROWID;"
	BEFORE("case", "UPDATE OF " CASE_CHANGES " ON main.cases", LOOK(1, "OLD.id"))
	BEFORE("case_course", "UPDATE OF fixed, restored, kept_stage_at, kept_due, kept_extended,"
			      " kept_fixed, severity ON main.cases",
	       LOOK(21, "OLD.id"))
	BEFORE("history", "INSERT ON main.history", LOOK(21, "NEW.case_id"))
	BEFORE("left", "INSERT ON main.left_episodes", LOOK(21, "NEW.case_id"))
	BEFORE("shelf", "UPDATE ON main.shelves", LOOK(5, "OLD.id"))
	BEFORE("digest", "UPDATE ON main.case_digests", LOOK(8, "OLD.case_id"));
static const char looks_of_alerts[] =
	BEFORE("alert_new", "INSERT ON main.alerts",
	       LOOK(1, "NEW.case_id") LOOK(21, "NEW.case_id"))
	BEFORE("alert", "UPDATE OF " ALERT_CHANGES " ON main.alerts",
	       LOOK(2, "OLD.id") LOOK(1, "OLD.case_id") LOOK(1, "NEW.case_id"))
	BEFORE("alert_case", "UPDATE OF case_id ON main.alerts",
	       LOOK(21, "OLD.case_id") LOOK(21, "NEW.case_id"));
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
	"", /* it brought no rows */
};

/* --- rows that somebody else changed --- */

/* An entry as the row that it is of. */
#define ENTRY_KIND "CASE kind WHEN 22 THEN ref % 256 ELSE kind END"
#define ENTRY_REF "CASE kind WHEN 22 THEN ref / 256 ELSE ref END"
/* The rows that a daemon changes as a rule: those that go on, and the newest. Of others the newest
 * entry is looked for in the whole chain when they change. */
#define NEWEST_ROWS "2000"
#define GOES_ON(table, what)                                                                       \
	"(SELECT id FROM main." table " WHERE " what " OR id > (SELECT max(id) FROM main." table   \
	") - " NEWEST_ROWS ")"
static const char
	known_take
		[] = "DELETE FROM known; INSERT OR REPLACE INTO known SELECT " ENTRY_KIND
		     " AS k, " ENTRY_REF
		     " AS r, digest FROM main.chain WHERE (k IN (1, 21) AND r IN " GOES_ON(
			     "cases",
			     "status NOT IN ('closed', 'withdrawn')") ") OR (k = 2 AND r "
								      "IN " GOES_ON("alerts",
										    "cleared IS "
										    "NULL") ") OR "
											    "(k = "
											    "5 AND "
											    "r IN "
											    "(SELEC"
											    "T id "
											    "FROM "
											    "main."
											    "shelve"
											    "s"
											    " WHERE"
											    " ended"
											    " IS "
											    "NULL))"
											    " ORDER"
											    " BY "
											    "numbe"
											    "r";
static const char known_look[] =
	"INSERT OR REPLACE INTO looked SELECT kind, ref, odd FROM (SELECT kind, ref,"
	" row_odd(kind, ref) AS odd FROM known ORDER BY kind, ref LIMIT -1) WHERE odd IS NOT NULL";

static const char *mutable_name(int kind)
{
	switch (kind) {
	case CHAIN_CASE:
	case CHAIN_COURSE:
		return "case";
	case CHAIN_ALERT:
		return "alert";
	case CHAIN_SHELF:
		return "shelf";
	case CHAIN_DIGEST:
		return "digest of case";
	default:
		return NULL;
	}
}

/* Return: whether there is an entry of the row, and @out: the digest that the newest says */
static int digest_known(struct ledger_chain *chain, int64_t kind, int64_t ref, bool *known,
			uint8_t out[CHAIN_HASH_BYTES])
{
	sqlite3_stmt *const ways[] = {chain->known, chain->find};
	int r = 0;

	*known = false;
	for (size_t i = 0; r == 0 && !*known && i < 2; i++) {
		sql_bind(ways[i], "ii", kind, ref);
		r = sql_step(ways[i], known);
		if (r == 0 && *known && !sql_hash(ways[i], 0, out))
			memset(out, 0, CHAIN_HASH_BYTES);
		sql_reset(ways[i]);
	}
	return r;
}

/* Of a row that is gone the digest is zeros. */
static int digest_now(struct ledger_chain *chain, uint8_t kind, int64_t ref,
		      uint8_t out[CHAIN_HASH_BYTES])
{
	sqlite3_stmt *one = chain->rows[kind];
	bool row = false;

	memset(out, 0, CHAIN_HASH_BYTES);
	sql_bind(one, "i", ref);
	int r = sql_step(one, &row);
	if (r == 0 && row)
		r = ledger_chain_digest(chain->hash, one, kind, out);
	sql_reset(one);
	return r;
}

/* row_odd(kind, id) - NULL, or the digest of a row that is other than its newest entry says */
static void row_odd(sqlite3_context *context, int n, sqlite3_value **values)
{
	struct ledger_chain *chain = sqlite3_user_data(context);
	uint8_t said[CHAIN_HASH_BYTES], is[CHAIN_HASH_BYTES];
	int64_t kind = sqlite3_value_int64(values[0]), ref = sqlite3_value_int64(values[1]);
	bool known = false;

	(void)n;
	if (!chain->whole || kind < 0 || kind >= CHAIN_KINDS || mutable_name((int)kind) == NULL)
		return;
	chain->looked = true;
	if (digest_known(chain, kind, ref, &known, said) != 0 || !known ||
	    digest_now(chain, (uint8_t)kind, ref, is) != 0 || memcmp(is, said, sizeof is) == 0)
		return;
	log_event(LOGGED_DAMAGED, ABOUT_NOTHING,
		  "ledger.db: %s %lld is not what the chain says: it was changed, and not by this "
		  "daemon; what it holds now is kept as found",
		  mutable_name((int)kind), (long long)ref);
	atomic_store(&chain->altered, true);
	sqlite3_result_blob(context, is, sizeof is, SQLITE_TRANSIENT);
}

static int odd_prepare(struct ledger_chain *chain, sqlite3 *db)
{
	int rc = sqlite3_create_function_v2(db, "row_odd", 2, SQLITE_UTF8 | SQLITE_INNOCUOUS, chain,
					    row_odd, NULL, NULL, NULL);
	return sql_error(db, rc);
}

static int known_prepare(struct ledger_chain *chain, sqlite3 *db)
{
	int r = sql_prepare(db, &chain->known,
			    "SELECT digest FROM known WHERE kind = ?1 AND ref = ?2");
	if (r == 0)
		r = sql_prepare(db, &chain->keep,
				"INSERT OR REPLACE INTO known VALUES(?1, ?2, ?3)");
	if (r == 0)
		r = sql_prepare(
			db, &chain->find,
			"SELECT digest FROM main.chain WHERE (kind = ?1 AND ref = ?2) OR"
			" (kind = 22 AND ref = ?2 * 256 + ?1) ORDER BY number DESC LIMIT 1");
	if (r == 0)
		r = sql_prepare(db, &chain->odd,
				"SELECT kind, ref, digest FROM looked WHERE digest IS NOT NULL"
				" ORDER BY kind, ref");
	if (r == 0)
		r = sql_prepare(db, &chain->unlook, "DELETE FROM looked");
	return r;
}

static int chain_prepare(struct ledger_chain *chain, sqlite3 *db)
{
	int r = known_prepare(chain, db);
	if (r == 0)
		r = sql_prepare(db, &chain->touched,
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

	chain->whole = chain->looked = false;
	if (r == 0)
		r = odd_prepare(chain, db);
	if (r == 0)
		r = sql_exec(db, triggers);
	if (r == 0)
		r = sql_exec(db, looks);
	if (r == 0)
		r = sql_exec(db, looks_of_alerts);
	if (r == 0)
		r = chain_prepare(chain, db);
	if (r == 0)
		r = head_read(chain);
	if (r == 0)
		r = format_read(db, chain, &format);
	if (r == 0 && format < CHAIN_FORMAT_NOW)
		r = chain_adopt(chain, db, format);
	return r;
}

/* A chain that lost entries with a damaged page says nothing of rows. */
int ledger_chain_watch(struct ledger_chain *chain, sqlite3 *db)
{
	int64_t missing;

	int r = sql_number(db, "SELECT coalesce(max(number), 0) - count(*) FROM main.chain", 0,
			   &missing);
	chain->whole = r == 0 && missing == 0;
	if (r == 0)
		r = sql_do(chain->unlook, "");
	if (r == 0 && chain->whole)
		r = sql_exec(db, known_take);
	return r == 0 && chain->whole ? sql_exec(db, known_look) : r;
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
	sqlite3_finalize(chain->known);
	sqlite3_finalize(chain->keep);
	sqlite3_finalize(chain->find);
	sqlite3_finalize(chain->odd);
	sqlite3_finalize(chain->unlook);
	chain->touched = chain->forget = chain->add = chain->last = NULL;
	chain->known = chain->keep = chain->find = chain->odd = chain->unlook = NULL;
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
	if (r == 0 && row)
		r = entry_add(chain, &entry);
	return r == 0 && row && mutable_name(kind) != NULL
		       ? sql_do(chain->keep, "iih", (int64_t)kind, ref, entry.digest)
		       : r;
}

/* What was found changed, as it was found, before what the daemon changes. */
static int odd_add(struct ledger_chain *chain, bool *any)
{
	bool row = false;

	if (!chain->looked)
		return 0;
	int r = sql_step(chain->odd, &row);
	for (; r == 0 && row; *any = true) {
		int64_t kind = sqlite3_column_int64(chain->odd, 0);
		int64_t ref = sqlite3_column_int64(chain->odd, 1);
		struct chain_entry entry = {.kind = CHAIN_OUTSIDE,
					    .ref = chain_outside_ref((uint8_t)kind, ref)};
		(void)sql_hash(chain->odd, 2, entry.digest);
		r = entry_add(chain, &entry);
		if (r == 0)
			r = sql_do(chain->keep, "iih", kind, ref, entry.digest);
		if (r == 0)
			r = sql_step(chain->odd, &row);
	}
	sql_reset(chain->odd);
	if (r == 0)
		r = sql_do(chain->unlook, "");
	chain->looked = r != 0;
	return r;
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
		r = odd_add(chain, &any);
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
	chain->looked = true; /* what was found before is found again */
	chain->bound = 0;
}

int ledger_chain_head(struct ledger_chain *chain, struct chain_head *out)
{
	int r = chain->hash != NULL && chain->stale ? head_read(chain) : 0;

	*out = chain->head;
	return r;
}
