/* SPDX-License-Identifier: Apache-2.0 */
#include "store/chainrows.h"

#include "core/reading.h"
#include "seal/hash.h"

#include <string.h>

/* What a case or an alert says of its values is final when nothing of it is active. Each column has
 * the name of the table's. */
#define QUIET_CASE                                                                                 \
	"NOT EXISTS(SELECT 1 FROM alerts a WHERE a.case_id = cases.id AND a.cleared IS NULL)"
#define WHEN_QUIET(column) "CASE WHEN " QUIET_CASE " THEN " column " END AS " column
#define WHEN_CLEARED(column) "CASE WHEN cleared IS NOT NULL THEN " column " END AS " column

/* A step of before there were users has the digest that it had; one of a user has the last cell as
 * a text, which no other step has. */
#define WITH_USER(column)                                                                          \
	"CASE WHEN user IS NOT NULL THEN quote(" column ") || ' ' || user WHEN typeof(" column     \
	") IN ('integer', 'null') THEN " column " ELSE 1e999 END AS " column

/* The columns are those of the format's first version, whatever the tables gain later. */
const char *const ledger_chain_row[CHAIN_KINDS] = {
	[CHAIN_CASE] =
		"SELECT id, year, seq, site, site_name, site_kind, factor, "
		"factor_name, kind,"
		" average, status, verified, level, escalation, source, "
		"opened, closed, due, unit,"
		" decimals, first_value, in_charge, leader, team, title, "
		"document, track, stage_at,"
		" extended, relapses, reopened, merged_into, "
		"withdrawn, " WHEN_QUIET("bound") ", " WHEN_QUIET("severity") ", " WHEN_QUIET(
			"limi"
			"t_"
			"valu"
			"e") ", " WHEN_QUIET("limit_source") ", " WHEN_QUIET("peak_value") ","
											   " " WHEN_QUIET(
												   "peak_at") ","
													      " " WHEN_QUIET(
														      "last_value") ","
																    " " WHEN_QUIET(
																	    "multiple") " FROM cases WHERE id = ?1",
	[CHAIN_ALERT] =
		"SELECT id, key, site, site_name, factor, factor_name, "
		"connection, kind, average,"
		" bound, began, raised, cleared, value, limit_value, "
		"limit_source, limit_key, unit,"
		" decimals, reason, case_id, acknowledged, "
		"acknowledged_by, " WHEN_CLEARED("peak") ", " WHEN_CLEARED(
			"peak_at") ", " WHEN_CLEARED("last") ", " WHEN_CLEARED("multiple") ","
											   " " WHEN_CLEARED(
												   "readings") " FROM alerts WHERE id = ?1",
	[CHAIN_HISTORY] = "SELECT id, case_id, at, action, by, note, unit, leader, "
			  "team, reason, due, track,"
			  " step, document, level, checkers, approved_by, "
			  "relation, file, type, sha256,"
			  " bytes, other, " WITH_USER("escalation") " FROM history WHERE id = ?1",
	[CHAIN_EVENT] = "SELECT id, at, type, site, case_id, json FROM events "
			"WHERE id = ?1",
	[CHAIN_SHELF] = "SELECT id, site, factor, began, until, reason, by, case_id, ended,"
			" ended_by FROM shelves WHERE id = ?1",
	[CHAIN_DIGEST] = "SELECT case_id, alert, readings, digest FROM case_digests"
			 " WHERE case_id = ?1",
	[CHAIN_DAY] = "SELECT id, name, first_batch, last_batch, hash, first, last, removed"
		      " FROM chain_days WHERE id = ?1",
	[CHAIN_FRAMES] = "SELECT id, name, bytes, removed FROM frames_gone WHERE id = ?1",
	[CHAIN_INSTRUMENT] = "SELECT id, at, site, factor, low, high, scale, shift FROM instruments"
			     " WHERE id = ?1",
	[CHAIN_LEFT] = "SELECT id, at, case_id, alert_id FROM left_episodes WHERE id = ?1",
	[CHAIN_OPENED] = "SELECT id, year, seq, site, site_name, site_kind, factor, factor_name,"
			 " kind, average, source, opened, unit, decimals, first_value, title"
			 " FROM cases WHERE id = ?1",
	[CHAIN_RAISED] = "SELECT id, key, site, site_name, factor, factor_name, connection, kind,"
			 " average, bound, began, raised, value, limit_value, limit_source,"
			 " limit_key, unit, decimals FROM alerts WHERE id = ?1",
	[CHAIN_CLEARED] = "SELECT id, cleared, peak, peak_at, last, multiple, readings, reason"
			  " FROM alerts WHERE id = ?1 AND cleared IS NOT NULL",
	[CHAIN_ACKNOWLEDGED] = "SELECT id, acknowledged, acknowledged_by FROM alerts"
			       " WHERE id = ?1 AND acknowledged IS NOT NULL",
	[CHAIN_SETTLED] = "SELECT id, settled FROM alerts WHERE id = ?1 AND settled <> 0",
	[CHAIN_COURSE] = "SELECT id, fixed, restored, kept_stage_at, kept_due, kept_extended,"
			 " kept_fixed, severity, (SELECT count(*) FROM history h WHERE"
			 " h.case_id = cases.id) AS steps, (SELECT max(h.id) FROM history h WHERE"
			 " h.case_id = cases.id) AS last_step, (SELECT count(*) FROM alerts a WHERE"
			 " a.case_id = cases.id) AS episodes, (SELECT count(*) FROM left_episodes l"
			 " WHERE l.case_id = cases.id) AS taken FROM cases WHERE id = ?1",
	[CHAIN_MARK] = "SELECT id, at, site, factor, from_at, to_at, flag, reason, by, file,"
		       " sha256, bytes FROM marks WHERE id = ?1",
	[CHAIN_CHANGE] = "SELECT id, mark_id, site, factor, average, limit_key, start_at, end_at,"
			 " before, after, was, became, limit_value, case_id FROM recomputed"
			 " WHERE id = ?1",
};

/* A text that lies there as bytes, or the other way round: not as the daemon writes it. */
static bool cell_is_strange(sqlite3_stmt *row, int column)
{
	const char *declared = sqlite3_column_decltype(row, column);
	int type = sqlite3_column_type(row, column);

	return declared != NULL && ((type == SQLITE_BLOB && strcmp(declared, "TEXT") == 0) ||
				    (type == SQLITE_TEXT && strcmp(declared, "BLOB") == 0));
}

static void add_cell(struct hash *hash, sqlite3_stmt *row, int column)
{
	uint8_t bytes[CHAIN_CELL_HEAD_BYTES], *end = bytes;
	int length = 0;

	if (cell_is_strange(row, column))
		hash_add(hash, bytes, (size_t)(chain_null_bytes(bytes) - bytes));
	switch (sqlite3_column_type(row, column)) {
	case SQLITE_NULL:
		end = chain_null_bytes(bytes);
		break;
	case SQLITE_INTEGER:
		end = chain_int_bytes(bytes, sqlite3_column_int64(row, column));
		break;
	case SQLITE_FLOAT:
		end = chain_double_bytes(bytes, sqlite3_column_double(row, column));
		break;
	case SQLITE_TEXT:
	default:
		length = sqlite3_column_bytes(row, column);
		end = chain_text_bytes(bytes, (size_t)length);
	}
	hash_add(hash, bytes, (size_t)(end - bytes));
	if (length > 0)
		hash_add(hash, sqlite3_column_blob(row, column), (size_t)length);
}

int ledger_chain_digest(struct hash *hash, sqlite3_stmt *row, uint8_t kind,
			uint8_t out[CHAIN_HASH_BYTES])
{
	const uint8_t head[] = {CHAIN_PREFIX_ROW, kind};

	hash_begin(hash);
	hash_add(hash, head, sizeof head);
	for (int i = 0; i < sqlite3_column_count(row); i++)
		add_cell(hash, row, i);
	return hash_end(hash, out);
}

static void add_name(chain_sink sink, void *to, sqlite3_stmt *row)
{
	uint8_t bytes[CHAIN_NAME_MOST];
	const char *site = sql_text(row, 1), *factor = sql_text(row, 2);

	sink(to, bytes,
	     (size_t)(chain_name_bytes(bytes, sqlite3_column_int64(row, 0),
				       site != NULL ? site : "", factor != NULL ? factor : "") -
		      bytes));
}

static void add_gap(chain_sink sink, void *to, sqlite3_stmt *row)
{
	uint8_t bytes[CHAIN_GAP_BYTES];
	struct gap gap = {.from_ms = sqlite3_column_int64(row, 1),
			  .to_ms = sqlite3_column_int64(row, 2),
			  .count = (uint64_t)sqlite3_column_int64(row, 3)};

	sink(to, bytes,
	     (size_t)(chain_gap_bytes(bytes, &gap, sqlite3_column_int64(row, 0)) - bytes));
}

void chain_to_hash(void *to, const void *bytes, size_t n)
{
	hash_add(to, bytes, n);
}

int day_chain_rows(chain_sink sink, void *to, sqlite3_stmt *rows, int64_t after, int64_t until,
		   bool gaps)
{
	bool row = false;

	if (after >= until)
		return 0;
	sql_bind(rows, "ii", after, until);
	int r = sql_step(rows, &row);
	for (; r == 0 && row; r = sql_step(rows, &row)) {
		if (gaps)
			add_gap(sink, to, rows);
		else
			add_name(sink, to, rows);
	}
	sql_reset(rows);
	return r;
}
