/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

const char ledger_schema[] =
	"CREATE TABLE cases(id INTEGER PRIMARY KEY AUTOINCREMENT, year INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, site TEXT, site_name TEXT, site_kind INTEGER, factor TEXT,"
	" factor_name TEXT, kind TEXT NOT NULL, average TEXT NOT NULL, bound TEXT,"
	" severity TEXT NOT NULL, status TEXT NOT NULL, verified INTEGER NOT NULL DEFAULT 0,"
	" level TEXT NOT NULL, escalation INTEGER NOT NULL DEFAULT 0, source TEXT NOT NULL,"
	" opened INTEGER NOT NULL, closed INTEGER, due INTEGER, limit_value REAL,"
	" limit_source TEXT, unit TEXT, decimals INTEGER, first_value REAL, peak_value REAL,"
	" peak_at INTEGER, last_value REAL, multiple REAL, in_charge TEXT, leader TEXT, team TEXT,"
	" UNIQUE(year, seq));"
	"CREATE UNIQUE INDEX cases_open ON cases(site, factor, kind, average)"
	" WHERE status NOT IN ('closed', 'withdrawn');"
	"CREATE INDEX cases_status ON cases(status);"
	"CREATE INDEX cases_opened ON cases(opened, id);"
	"CREATE TABLE alerts(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, site TEXT,"
	" site_name TEXT, factor TEXT, factor_name TEXT, connection TEXT, kind TEXT NOT NULL,"
	" average TEXT NOT NULL, bound TEXT, began INTEGER NOT NULL, raised INTEGER NOT NULL,"
	" cleared INTEGER, value REAL, limit_value REAL, peak REAL, peak_at INTEGER, last REAL,"
	" multiple REAL, limit_source TEXT, limit_key TEXT, unit TEXT, decimals INTEGER,"
	" reason TEXT, readings INTEGER NOT NULL DEFAULT 0, case_id INTEGER REFERENCES cases(id), "
	"UNIQUE(key, raised));"
	"CREATE UNIQUE INDEX alerts_active ON alerts(key) WHERE cleared IS NULL;"
	"CREATE INDEX alerts_case ON alerts(case_id) WHERE case_id IS NOT NULL;"
	"CREATE TABLE history(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" case_id INTEGER NOT NULL REFERENCES cases(id), at INTEGER NOT NULL, action TEXT NOT NULL,"
	" by TEXT NOT NULL, note TEXT, unit TEXT, leader TEXT, team TEXT, reason TEXT, due "
	"INTEGER);"
	"CREATE INDEX history_case ON history(case_id);"
	"CREATE TRIGGER history_stays BEFORE UPDATE ON history"
	" BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"
	"CREATE TRIGGER history_remains BEFORE DELETE ON history"
	" BEGIN SELECT RAISE(ABORT, 'history is never rewritten'); END;"
	"CREATE TABLE events(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
	" type TEXT NOT NULL, site TEXT, case_id INTEGER, json TEXT NOT NULL);"
	"CREATE TABLE named(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE cursors(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version=1;";

#define ALERT_COLUMNS                                                                              \
	"SELECT id, site, factor, connection, kind, bound, average, began, raised, cleared,"       \
	" value, limit_value, peak, limit_source, unit, reason, site_name, factor_name, decimals," \
	" case_id, key, limit_key, peak_at, last, readings FROM alerts "

#define CASE_COLUMNS                                                                               \
	"SELECT id, seq, year, site, site_name, factor, factor_name, kind, average, bound,"        \
	" severity, status, verified, level, escalation, source, opened, closed, due,"             \
	" limit_value, first_value, peak_value, last_value, multiple, peak_at, limit_source,"      \
	" unit, decimals, in_charge, leader, team,"                                                \
	" (SELECT sum(readings) FROM alerts WHERE case_id = cases.id) FROM cases "

#define CASE_IS_OPEN "status NOT IN ('closed', 'withdrawn')"

const char *const ledger_sql[LEDGER_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_PUT] = "INSERT OR REPLACE INTO named VALUES(?1, ?2)",
	[SQL_GET] = "SELECT value FROM named WHERE name = ?1",
	[SQL_PUT_CURSOR] = "INSERT OR REPLACE INTO cursors VALUES(?1, ?2)",
	[SQL_GET_CURSOR] = "SELECT value FROM cursors WHERE name = ?1",
	[SQL_CURSOR_LIST] = "SELECT name FROM cursors WHERE name > ?1"
			    " AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT 1",
	[SQL_CURSOR_DROP] = "DELETE FROM cursors WHERE name = ?1",

	[SQL_ALERT_KNOWN] =
		"SELECT id FROM alerts WHERE key = ?1 AND (raised = ?2 OR cleared IS NULL)",
	[SQL_ALERT_ACTIVE] = "SELECT id, raised, case_id, bound, peak, peak_at FROM alerts"
			     " WHERE key = ?1 AND cleared IS NULL",
	[SQL_ALERT_ADD] =
		"INSERT INTO alerts(key, site, site_name, factor, factor_name, connection, kind,"
		" average, bound, began, raised, value, limit_value, peak, peak_at, last, multiple,"
		" limit_source, limit_key, unit, decimals, reason, case_id, readings)"
		" VALUES(?1, ?2, ?3, ?4,"
		" ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,"
		" ?22, ?23, ?24)",
	[SQL_ALERT_WORST] = "UPDATE alerts SET peak = ?2, peak_at = ?3, last = ?4, multiple = ?5,"
			    " readings = max(readings, ?6) WHERE id = ?1",
	[SQL_ALERT_CLEAR] = "UPDATE alerts SET cleared = ?2 WHERE id = ?1",
	[SQL_ALERT_DROP] =
		"UPDATE alerts SET cleared = max(?2, raised), reason = coalesce(reason, ?3)"
		" WHERE id = ?1 AND cleared IS NULL RETURNING case_id",
	[SQL_ALERT_ONE] = ALERT_COLUMNS "WHERE id = ?1",
	[SQL_ALERT_LIST] = ALERT_COLUMNS
	"WHERE (?1 < 0 OR (cleared IS NULL) = ?1) AND (?2 IS NULL OR site = ?2)"
	" AND (?4 = 0 OR id < ?4) ORDER BY id DESC LIMIT ?3",
	[SQL_ALERT_OPEN] = ALERT_COLUMNS "WHERE cleared IS NULL ORDER BY id",
	[SQL_ALERT_COUNT] = "SELECT site, factor, kind FROM alerts WHERE cleared IS NULL",

	[SQL_CASE_OPEN] = "SELECT id FROM cases WHERE site = ?1 AND factor = ?2 AND kind = ?3"
			  " AND average = ?4 AND " CASE_IS_OPEN,
	[SQL_CASE_NEXT] = "SELECT coalesce(max(seq), 0) + 1 FROM cases WHERE year = ?1",
	[SQL_CASE_ADD] =
		"INSERT INTO cases(year, seq, site, site_name, site_kind, factor, factor_name, "
		"kind,"
		" average, bound, severity, status, level, source, opened, limit_value, unit,"
		" decimals, first_value, last_value, in_charge, leader, team) VALUES(?1, ?2, ?3,"
		" ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'general', 'registered', 'district', 'automatic',"
		" ?11, ?12, ?13, ?14, ?15, ?15, ?16, ?17, ?18)",
	[SQL_CASE_WORST] =
		"SELECT a.bound, a.limit_value, a.limit_source, a.peak, a.peak_at, a.multiple,"
		" c.site_kind, c.kind FROM alerts a JOIN cases c ON c.id = a.case_id"
		" WHERE a.case_id = ?1 ORDER BY a.multiple DESC, abs(a.peak - a.limit_value) DESC,"
		" a.id LIMIT 1",
	[SQL_CASE_REFRESH] =
		"UPDATE cases SET bound = ?2, limit_value = ?3, limit_source = ?4, peak_value = ?5,"
		" peak_at = ?6, multiple = ?7, severity = ?8, last_value = coalesce(?9, last_value)"
		" WHERE id = ?1",
	[SQL_CASE_ONE] = CASE_COLUMNS "WHERE id = ?1",
	[SQL_CASE_LIST] = CASE_COLUMNS
	"WHERE (?1 OR " CASE_IS_OPEN ") AND (?2 IS NULL OR site = ?2) AND opened >= ?3"
	" AND opened < ?4 AND (?5 = 0 OR (opened, id) < (SELECT opened, id FROM cases"
	" WHERE id = ?5)) ORDER BY opened DESC, id DESC LIMIT ?6",
	[SQL_CASE_EPISODES] =
		"SELECT * FROM (SELECT id, began, raised, cleared, peak, limit_value, limit_source"
		" FROM alerts WHERE case_id = ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id",
	[SQL_CASE_HISTORY] =
		"SELECT at, action, by, note, unit, leader, team, reason, due FROM history"
		" WHERE case_id = ?1 ORDER BY id",
	[SQL_CASE_LOUD] = "SELECT 1 FROM alerts WHERE case_id = ?1 AND cleared IS NULL LIMIT 1",
	[SQL_CASE_ACT] =
		"UPDATE cases SET status = ?2, verified = ?3, closed = ?4, due = coalesce(?5, due),"
		" in_charge = coalesce(?6, in_charge), leader = coalesce(?7, leader),"
		" team = coalesce(?8, team) WHERE id = ?1",
	[SQL_CASE_COUNT] = "SELECT status, count(*) FROM cases GROUP BY status",

	[SQL_HISTORY_ADD] = "INSERT INTO history(case_id, at, action, by, note, unit, leader, "
			    "team, reason, due)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",

	[SQL_EVENT_NEXT] =
		"SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0) + 1",
	[SQL_EVENT_ADD] = "INSERT INTO events(id, at, type, site, case_id, json)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_EVENT_LIST] = "SELECT id, at, type, site, case_id, json FROM events WHERE id > ?1"
			   " ORDER BY id LIMIT ?2",
	[SQL_EVENT_FIRST] = "SELECT min(id) FROM events",
	[SQL_EVENT_LAST] =
		"SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
	[SQL_EVENT_PRUNE] =
		"DELETE FROM events WHERE at < ?1 AND id <= coalesce((SELECT min(value) FROM "
		"cursors"
		" WHERE name GLOB 'delivery/*' OR name = 'influx/events'), 9223372036854775807)",
};
