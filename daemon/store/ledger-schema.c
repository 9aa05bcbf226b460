/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

static const char first_schema[] =
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

/* The life cycle of cases: deadlines, cases by hand, attachments, shelves. */
static const char cases_schema[] =
	"ALTER TABLE cases ADD COLUMN title TEXT;"
	"ALTER TABLE cases ADD COLUMN document TEXT;"
	"ALTER TABLE cases ADD COLUMN track TEXT;"
	"ALTER TABLE cases ADD COLUMN stage_at INTEGER;"
	"ALTER TABLE cases ADD COLUMN timer INTEGER;"
	"ALTER TABLE cases ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE cases ADD COLUMN extended INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE cases ADD COLUMN relapses INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE cases ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE cases ADD COLUMN merged_into INTEGER REFERENCES cases(id);"
	"ALTER TABLE cases ADD COLUMN withdrawn TEXT;"
	"DROP INDEX cases_open;"
	"CREATE UNIQUE INDEX cases_open ON cases(site, factor, kind, average)"
	" WHERE status NOT IN ('closed', 'withdrawn') AND source = 'automatic';"
	"CREATE INDEX cases_timer ON cases(timer) WHERE timer IS NOT NULL;"
	"CREATE TRIGGER cases_remain BEFORE DELETE ON cases"
	" BEGIN SELECT RAISE(ABORT, 'a case is never removed'); END;"
	"CREATE TRIGGER cases_number BEFORE UPDATE OF id, year, seq, opened, source ON cases"
	" BEGIN SELECT RAISE(ABORT, 'a registration is never rewritten'); END;"
	"ALTER TABLE history ADD COLUMN track TEXT;"
	"ALTER TABLE history ADD COLUMN step TEXT;"
	"ALTER TABLE history ADD COLUMN document TEXT;"
	"ALTER TABLE history ADD COLUMN level TEXT;"
	"ALTER TABLE history ADD COLUMN checkers TEXT;"
	"ALTER TABLE history ADD COLUMN approved_by TEXT;"
	"ALTER TABLE history ADD COLUMN relation TEXT;"
	"ALTER TABLE history ADD COLUMN file TEXT;"
	"ALTER TABLE history ADD COLUMN type TEXT;"
	"ALTER TABLE history ADD COLUMN sha256 TEXT;"
	"ALTER TABLE history ADD COLUMN bytes INTEGER;"
	"ALTER TABLE history ADD COLUMN other INTEGER REFERENCES cases(id);"
	"ALTER TABLE history ADD COLUMN escalation INTEGER;"
	"ALTER TABLE alerts ADD COLUMN acknowledged INTEGER;"
	"ALTER TABLE alerts ADD COLUMN acknowledged_by TEXT;"
	"CREATE TABLE shelves(id INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL,"
	" factor TEXT, began INTEGER NOT NULL, until INTEGER NOT NULL, reason TEXT NOT NULL,"
	" by TEXT NOT NULL, case_id INTEGER REFERENCES cases(id), ended INTEGER, ended_by TEXT);"
	"CREATE INDEX shelves_open ON shelves(site) WHERE ended IS NULL;"
	"PRAGMA user_version=2;";

/* Who was called for an alert. */
static const char duty_schema[] =
	"ALTER TABLE alerts ADD COLUMN calls INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE alerts ADD COLUMN call_at INTEGER;"
	"ALTER TABLE alerts ADD COLUMN digest INTEGER;"
	"CREATE INDEX alerts_call ON alerts(call_at) WHERE call_at IS NOT NULL;"
	"CREATE INDEX alerts_digest ON alerts(id) WHERE digest IS NOT NULL;"
	"PRAGMA user_version=3;";

/* What was said about stretches of data, and what each changed. @settled: the time for marking the
 * mean that raised the alert is over, and it stands. */
#define MARKS_SCHEMA                                                                               \
	"CREATE TABLE marks(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"            \
	" site TEXT NOT NULL, factor TEXT NOT NULL, from_at INTEGER NOT NULL,"                     \
	" to_at INTEGER NOT NULL, flag TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL,"     \
	" file TEXT, sha256 TEXT, bytes INTEGER);"                                                 \
	"CREATE TRIGGER marks_stay BEFORE UPDATE ON marks"                                         \
	" BEGIN SELECT RAISE(ABORT, 'a mark is never rewritten'); END;"                            \
	"CREATE TRIGGER marks_remain BEFORE DELETE ON marks"                                       \
	" BEGIN SELECT RAISE(ABORT, 'a mark is never rewritten'); END;"                            \
	"CREATE TABLE recomputed(id INTEGER PRIMARY KEY AUTOINCREMENT,"                            \
	" mark_id INTEGER NOT NULL REFERENCES marks(id), site TEXT NOT NULL,"                      \
	" factor TEXT NOT NULL, average TEXT NOT NULL, limit_key TEXT NOT NULL,"                   \
	" start_at INTEGER NOT NULL, end_at INTEGER NOT NULL, before REAL, after REAL,"            \
	" was TEXT, became TEXT, limit_value REAL, case_id INTEGER REFERENCES cases(id));"         \
	"CREATE INDEX recomputed_mark ON recomputed(mark_id);"                                     \
	"CREATE INDEX recomputed_window ON recomputed(site, factor, limit_key, start_at);"         \
	"CREATE INDEX recomputed_case ON recomputed(case_id) WHERE case_id IS NOT NULL;"           \
	"CREATE TRIGGER recomputed_stay BEFORE UPDATE ON recomputed"                               \
	" BEGIN SELECT RAISE(ABORT, 'what a mark changed is never rewritten'); END;"               \
	"CREATE TRIGGER recomputed_remain BEFORE DELETE ON recomputed"                             \
	" BEGIN SELECT RAISE(ABORT, 'what a mark changed is never rewritten'); END;"               \
	"ALTER TABLE alerts ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;"

/* The chain of what is evidence (store/ledger-chain.h). */
static const char fourth_schema[] =
	"CREATE TABLE chain(number INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	" ref INTEGER NOT NULL, digest BLOB NOT NULL, hash BLOB NOT NULL);"
	"CREATE TRIGGER chain_stays BEFORE UPDATE ON chain"
	" BEGIN SELECT RAISE(ABORT, 'the chain is never rewritten'); END;"
	"CREATE TRIGGER chain_remains BEFORE DELETE ON chain"
	" BEGIN SELECT RAISE(ABORT, 'the chain is never rewritten'); END;"
	"CREATE TABLE case_digests(case_id INTEGER PRIMARY KEY REFERENCES cases(id),"
	" alert INTEGER NOT NULL, readings INTEGER NOT NULL, digest TEXT NOT NULL);"
	"CREATE TABLE chain_days(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" first_batch INTEGER NOT NULL, last_batch INTEGER NOT NULL, hash BLOB NOT NULL,"
	" first INTEGER NOT NULL, last INTEGER NOT NULL, removed INTEGER NOT NULL);" MARKS_SCHEMA
	"PRAGMA user_version=4;";

/* @frames_gone: files of frames that were removed, by the name of their daybook file.
 * @instruments: low and high NULL without a range; value = raw × scale + shift. */
static const char fifth_schema[] =
	"CREATE TABLE frames_gone(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" bytes INTEGER NOT NULL, removed INTEGER NOT NULL);"
	"ALTER TABLE history ADD COLUMN user TEXT;"
	"CREATE TABLE instruments(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
	" site TEXT NOT NULL, factor TEXT NOT NULL, low REAL, high REAL, scale REAL NOT NULL,"
	" shift REAL NOT NULL);"
	"CREATE INDEX instruments_monitor ON instruments(site, factor);"
	"CREATE TRIGGER instruments_stay BEFORE UPDATE ON instruments"
	" BEGIN SELECT RAISE(ABORT, 'how an instrument was read is never rewritten'); END;"
	"CREATE TRIGGER instruments_remain BEFORE DELETE ON instruments"
	" BEGIN SELECT RAISE(ABORT, 'how an instrument was read is never rewritten'); END;"
	"PRAGMA user_version=5;";

/* @left_episodes: alerts that were a case's until a later case took them over; they are episodes of
 * both. @fixed: a person set the deadline. @restored: how often a case was taken up again after it
 * was withdrawn; until now @reopened counted these, too. */
static const char sixth_schema[] =
	"CREATE TABLE left_episodes(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,"
	" case_id INTEGER NOT NULL REFERENCES cases(id),"
	" alert_id INTEGER NOT NULL REFERENCES alerts(id));"
	"CREATE INDEX left_episodes_case ON left_episodes(case_id);"
	"CREATE TRIGGER left_episodes_stay BEFORE UPDATE ON left_episodes"
	" BEGIN SELECT RAISE(ABORT, 'an episode is never rewritten'); END;"
	"CREATE TRIGGER left_episodes_remain BEFORE DELETE ON left_episodes"
	" BEGIN SELECT RAISE(ABORT, 'an episode is never rewritten'); END;"
	"ALTER TABLE cases ADD COLUMN fixed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE cases ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;"
	"UPDATE cases SET fixed = 1 WHERE status = 'rectifying' AND EXISTS(SELECT 1 FROM history h"
	" WHERE h.case_id = cases.id AND h.action = 'plan' AND h.due IS NOT NULL"
	" AND h.at >= cases.stage_at);"
	"PRAGMA user_version=6;";

/* @kept_…: the deadline of rectification while it is checked. */
static const char seventh_schema[] =
	"ALTER TABLE cases ADD COLUMN kept_stage_at INTEGER;"
	"ALTER TABLE cases ADD COLUMN kept_due INTEGER;"
	"ALTER TABLE cases ADD COLUMN kept_extended INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE cases ADD COLUMN kept_fixed INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX cases_merged ON cases(merged_into) WHERE merged_into IS NOT NULL;"
	"PRAGMA user_version=7;";

const char *const ledger_schemas[LEDGER_VERSION] = {first_schema,  cases_schema, duty_schema,
						    fourth_schema, fifth_schema, sixth_schema,
						    seventh_schema};

#define ALERT_COLUMNS                                                                              \
	"SELECT id, site, factor, connection, kind, bound, average, began, raised, cleared,"       \
	" value, limit_value, peak, limit_source, unit, reason, site_name, factor_name, decimals," \
	" case_id, key, limit_key, peak_at, last, readings, acknowledged, acknowledged_by,"        \
	" (SELECT max(until) FROM shelves s WHERE s.ended IS NULL AND alerts.cleared IS NULL"      \
	" AND s.site = alerts.site AND (s.factor IS NULL OR s.factor = alerts.factor)), settled"   \
	" FROM alerts "

/* A digest is void once the case has another episode, or one that goes on. */
#define CASE_DIGEST_VALID                                                                          \
	" FROM case_digests d WHERE d.case_id = cases.id AND d.alert = (SELECT max(a.id)"          \
	" FROM " EPISODES("cases.id", "id") " a) AND NOT EXISTS(SELECT 1 FROM " EPISODES(          \
		"cases.id", "cleared") " a WHERE a.cleared IS NULL)"

#define CASE_COLUMNS                                                                               \
	"SELECT id, seq, year, site, site_name, factor, factor_name, kind, average, bound,"        \
	" severity, status, verified, level, escalation, source, opened, closed, due,"             \
	" limit_value, first_value, peak_value, last_value, multiple, peak_at, limit_source,"      \
	" unit, decimals, in_charge, leader, team,"                                                \
	" (SELECT sum(readings) FROM " EPISODES(                                                   \
		"cases.id",                                                                        \
		"readings") "), site_kind, title,"                                                 \
			    " document, track, stage_at, reminded, extended, relapses, reopened, " \
			    "merged_into,"                                                         \
			    " withdrawn, (SELECT d.digest" CASE_DIGEST_VALID                       \
			    "), (SELECT d.readings" CASE_DIGEST_VALID                              \
			    "), fixed, restored, kept_stage_at, kept_due, kept_extended, "         \
			    "kept_fixed FROM cases "

/* of the recomputations r of one window */
#define NEWEST_OF_WINDOW                                                                           \
	"NOT EXISTS(SELECT 1 FROM recomputed n WHERE n.site = r.site AND n.factor = r.factor"      \
	" AND n.limit_key = r.limit_key AND n.start_at = r.start_at AND n.id > r.id)"

/* of a case: its alerts, and those that a later case took over, each once; of alerts only the
 * columns that are asked for, as a union makes a copy of each row. Not `id IN (SELECT …)`, for
 * which SQLite would make a table each time. */
#define LEFT_ALERTS(id)                                                                            \
	"(SELECT alert_id FROM left_episodes l WHERE case_id = " id " AND NOT EXISTS(SELECT 1"     \
	" FROM left_episodes m WHERE m.case_id = l.case_id AND m.alert_id = l.alert_id"            \
	" AND m.id < l.id))"
#define EPISODES(id, columns)                                                                      \
	"(SELECT " columns " FROM alerts WHERE case_id = " id " UNION ALL SELECT " columns         \
	" FROM " LEFT_ALERTS(id) " JOIN alerts ON id = alert_id WHERE case_id IS NOT " id ")"
#define EPISODE_SAID                                                                               \
	"id, began, raised, cleared, peak, limit_value, limit_source, factor, unit, decimals, "    \
	"reason"
#define EPISODE_WORST                                                                              \
	"factor, factor_name, unit, decimals, bound, limit_value, limit_source, peak, peak_at,"    \
	" multiple"
#define WINDOW_MS "(CASE WHEN average LIKE 'day%' THEN 86400000 ELSE 3600000 END)"
#define MARK_COLUMNS "SELECT id, site, factor, from_at, to_at, flag"

/* a case, and all that were merged into it */
#define WITH_MERGED(id)                                                                            \
	"(WITH RECURSIVE w(id) AS (SELECT " id " UNION SELECT c.id FROM cases c JOIN w"            \
	" ON c.merged_into = w.id) SELECT id FROM w)"
/* the monitors whose exceedances these are about */
#define EXCEEDED(id)                                                                               \
	"(SELECT site, factor FROM cases WHERE kind = 'exceedance' AND factor IS NOT NULL"         \
	" AND id IN " WITH_MERGED(                                                                 \
		id) " UNION SELECT site, factor FROM alerts"                                       \
		    " WHERE kind = 'exceedance' AND (case_id IN " WITH_MERGED(                     \
			    id) " OR id IN (SELECT alert_id"                                       \
				" FROM left_episodes WHERE case_id IN " WITH_MERGED(id) ")))"
/* of case ?5, whose own is ?2 */
#define CASE_FACTORS "(SELECT ?2 UNION SELECT factor FROM " EPISODES("?5", "factor") ")"
#define COMPLAINTS " IN ('complaint', '12369', '12319', 'mayor')"
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
	[SQL_ALERT_ACTIVE] = "SELECT id, raised, case_id, bound, peak, peak_at, calls = 0 AND"
			     " acknowledged IS NULL FROM alerts"
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
	[SQL_ALERT_CLEAR] = "UPDATE alerts SET cleared = ?2, call_at = NULL WHERE id = ?1",
	[SQL_ALERT_DROP] = "UPDATE alerts SET cleared = max(?2, raised), call_at = NULL,"
			   " reason = coalesce(reason, ?3)"
			   " WHERE id = ?1 AND cleared IS NULL RETURNING case_id",
	[SQL_ALERT_ONE] = ALERT_COLUMNS "WHERE id = ?1",
	[SQL_ALERT_LIST] = ALERT_COLUMNS
	"WHERE (?1 < 0 OR (cleared IS NULL) = ?1) AND (?2 IS NULL OR site = ?2)"
	" AND (?4 = 0 OR id < ?4) ORDER BY id DESC LIMIT ?3",
	[SQL_ALERT_OPEN] = ALERT_COLUMNS "WHERE cleared IS NULL ORDER BY id",
	[SQL_ALERT_COUNT] = "SELECT site, factor, kind FROM alerts WHERE cleared IS NULL",

	/* its own factor's before one that it has joined */
	/* of the factor itself, of which there is one at most, else one that it has joined */
	[SQL_CASE_OPEN] =
		"SELECT coalesce((SELECT id FROM cases WHERE site = ?1 AND factor = ?2"
		" AND kind = ?3 AND average = ?4 AND source = 'automatic' AND " CASE_IS_OPEN
		"), (SELECT id FROM cases WHERE site = ?1 AND kind = ?3 AND average = ?4"
		" AND source = 'automatic' AND " CASE_IS_OPEN
		" AND EXISTS(SELECT 1 FROM alerts a WHERE a.case_id = cases.id"
		" AND a.factor = ?2) ORDER BY id LIMIT 1))",
	[SQL_CASE_JOINS] = "SELECT id FROM cases WHERE site = ?1 AND kind = ?2 AND average = ?3"
			   " AND source = 'automatic' AND opened >= ?4 AND " CASE_IS_OPEN
			   " ORDER BY id LIMIT 1",
	[SQL_CASE_RIVAL] = "SELECT id FROM cases WHERE site = ?1 AND kind = ?3 AND average = ?4"
			   " AND source = 'automatic' AND id <> ?5 AND " CASE_IS_OPEN
			   " AND (factor IN " CASE_FACTORS " OR EXISTS(SELECT 1 FROM alerts a"
			   " WHERE a.case_id = cases.id AND a.factor IN " CASE_FACTORS ")) LIMIT 1",
	[SQL_CASE_NEXT] = "SELECT max(coalesce((SELECT max(seq) FROM cases WHERE year = ?1), 0),"
			  " coalesce((SELECT value FROM cursors WHERE name = 'number/' || ?1), 0))"
			  " + 1",
	[SQL_CASE_ADD] =
		"INSERT INTO cases(year, seq, site, site_name, site_kind, factor, factor_name, "
		"kind,"
		" average, bound, severity, status, level, source, opened, limit_value, unit,"
		" decimals, first_value, last_value, in_charge, leader, team) VALUES(?1, ?2, ?3,"
		" ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'general', 'registered', 'district', 'automatic',"
		" ?11, ?12, ?13, ?14, ?15, ?15, ?16, ?17, ?18)",
	[SQL_CASE_HAND] =
		"INSERT INTO cases(year, seq, site, site_name, site_kind, factor, factor_name, "
		"kind,"
		" average, severity, status, level, source, opened, unit, decimals, in_charge,"
		" leader, team, title, document) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'instant',"
		" ?9, 'registered', ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
	[SQL_CASE_ABOVE] = "SELECT id FROM cases WHERE site = ?1 AND kind = 'exceedance'"
			   " AND opened >= ?2 AND id <> ?3 AND status <> 'withdrawn' AND id > ?4"
			   " ORDER BY id LIMIT 1",
	[SQL_CASE_DEGREES] = "SELECT id, multiple, abs(peak - limit_value) FROM alerts"
			     " WHERE case_id = ?1 AND factor IS ?2 ORDER BY id",
	[SQL_CASE_WORST] =
		"SELECT a.bound, a.limit_value, a.limit_source, a.peak, a.peak_at, a.multiple,"
		" c.site_kind, c.kind, c.severity, a.factor, c.site, c.average,"
		" c.factor IS a.factor FROM cases c JOIN alerts a ON a.id = ?2 WHERE c.id = ?1",
	/* each alert of day means stands for the days from the one that raised it to its clear */
	[SQL_CASE_DAYS] =
		"SELECT sum(1 + (coalesce(cleared - 1, ?3) - raised) / 86400000) FROM alerts"
		" WHERE site = ?1 AND factor = ?2 AND kind = 'exceedance' AND average = 'day'"
		" AND coalesce(cleared, ?3) > ?3 - 2592000000",
	/* since when nothing exceeds at the monitors; the mean that clears is itself a good one,
	 * and a mark may take a good one away but gives none */
	[SQL_CASE_QUIET] =
		"SELECT max(at) FROM (SELECT max(CASE WHEN cleared IS NULL THEN ?2"
		" WHEN average LIKE 'day%' THEN cleared - 86400000"
		" ELSE cleared END) AS at FROM " EXCEEDED(
			"?1") " m JOIN alerts a"
			      " ON a.site = m.site AND a.factor = m.factor"
			      " WHERE a.kind = 'exceedance'"
			      " UNION ALL SELECT max(end_at) FROM " EXCEEDED(
				      "?1") " m"
					    " JOIN recomputed r ON r.site = m.site AND r.factor = "
					    "m.factor"
					    " WHERE became = 'exceeds' AND " NEWEST_OF_WINDOW ")",
	[SQL_CASE_LISTED] = "SELECT 1 FROM cases WHERE level <> 'district' AND id IN " WITH_MERGED(
		"?1") " LIMIT 1",
	[SQL_CASE_MONITORS] = "SELECT site, factor FROM " EXCEEDED("?1"),
	[SQL_CASE_REFRESH] =
		"UPDATE cases SET bound = ?2, limit_value = ?3, limit_source = ?4, peak_value = ?5,"
		" peak_at = ?6, multiple = ?7, severity = ?8, last_value = coalesce(?9, last_value)"
		" WHERE id = ?1",
	[SQL_CASE_COMPLAINED] =
		"SELECT 1 FROM cases c JOIN cases e ON e.site = c.site AND e.id < c.id"
		" AND e.opened >= c.opened - ?2 AND e.source" COMPLAINTS
		" WHERE c.id = ?1 AND c.source" COMPLAINTS " LIMIT 1",
	[SQL_CASE_GRAVER] = "UPDATE cases SET severity = ?2 WHERE id = ?1",
	[SQL_CASE_ONE] = CASE_COLUMNS "WHERE id = ?1",
	[SQL_CASE_WHOSE] = "SELECT site, verified FROM cases WHERE id = ?1",
	[SQL_CASE_LIST] = CASE_COLUMNS
	"WHERE (?1 OR " CASE_IS_OPEN ") AND (?2 IS NULL OR site = ?2) AND opened >= ?3"
	" AND (?7 = 0 OR due < ?7)"
	" AND opened < ?4 AND (?5 = 0 OR (opened, id) < (SELECT opened, id FROM cases"
	" WHERE id = ?5)) ORDER BY opened DESC, id DESC LIMIT ?6",
	/* the newest first, as the union is merged in that order, without a table of all of them;
	 * whoever wants some stops there: for a LIMIT SQLite would make a table each time */
	[SQL_CASE_EPISODES] = "SELECT * FROM " EPISODES("?1", EPISODE_SAID) " ORDER BY id DESC",
	/* has it episodes of another factor? Mostly not, which is sooner known than its factors */
	[SQL_CASE_SEVERAL] =
		"SELECT 1 FROM " EPISODES("?1", "factor") " WHERE factor IS NOT ?2 LIMIT 1",
	/* each with the worst of its episodes; nothing of a case with one factor */
	[SQL_CASE_FACTORS] =
		"SELECT a.factor, a.factor_name, a.unit, a.decimals, a.bound, a.limit_value,"
		" a.limit_source, a.peak, a.peak_at, a.multiple,"
		" max(coalesce(a.multiple, abs(a.peak - a.limit_value), 0)) FROM " EPISODES(
			"?1", EPISODE_WORST) " a"
					     " WHERE EXISTS(SELECT 1 FROM " EPISODES(
						     "?1", "factor") " b"
								     " WHERE b.factor IS NOT ?2) "
								     "GROUP BY a.factor ORDER BY "
								     "a.factor IS NOT ?2, a.factor",
	[SQL_CASE_HISTORY] =
		"SELECT at, action, by, note, unit, leader, team, reason, track, step, document,"
		" level, checkers, approved_by, relation, file, type, sha256, due, other, bytes,"
		" escalation, user FROM history WHERE case_id = ?1 ORDER BY id",
	[SQL_CASE_LOUD] = "SELECT 1 FROM " EPISODES(
		"?1", "cleared") " WHERE cleared IS NULL"
				 " UNION ALL SELECT 1 FROM alerts WHERE cleared IS NULL"
				 " AND case_id IN " WITH_MERGED("?1") " LIMIT 1",
	[SQL_CASE_ACT] = "UPDATE cases SET status = ?2, verified = ?3, closed = ?4, withdrawn = ?5,"
			 " merged_into = ?6, reopened = ?7, in_charge = coalesce(?8, in_charge),"
			 " leader = coalesce(?9, leader), team = coalesce(?10, team),"
			 " track = ?11, level = coalesce(?12, level),"
			 " restored = ?13 WHERE id = ?1",
	[SQL_CASE_CLOCK] = "UPDATE cases SET stage_at = ?2, due = ?3, timer = ?4, reminded = ?5,"
			   " escalation = ?6, extended = ?7, fixed = ?8, kept_stage_at = ?9,"
			   " kept_due = ?10, kept_extended = ?11, kept_fixed = ?12 WHERE id = ?1",
	[SQL_CASE_RELAPSE] = "UPDATE cases SET status = 'rectifying', relapses = relapses + 1"
			     " WHERE id = ?1 AND status = 'review'",
	[SQL_CASE_DUE] = "SELECT id FROM cases WHERE timer <= ?1 ORDER BY timer, id LIMIT 1",
	[SQL_CASE_COUNT] = "SELECT status, count(*) FROM cases GROUP BY status",

	[SQL_HISTORY_ADD] =
		"INSERT INTO history(case_id, at, action, by, note, unit, leader, team, reason,"
		" track, step, document, level, checkers, approved_by, relation, file, type,"
		" sha256, due, other, bytes, escalation, user) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7,"
		" ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23,"
		" ?24)",

	[SQL_TIMER_NEXT] = "SELECT min(at) FROM (SELECT min(timer) AS at FROM cases"
			   " WHERE timer IS NOT NULL"
			   " UNION ALL SELECT min(until) FROM shelves WHERE ended IS NULL"
			   " UNION ALL SELECT min(call_at) FROM alerts WHERE call_at IS NOT NULL"
			   " UNION ALL SELECT value FROM cursors WHERE name = 'duty/digest')",
	[SQL_CALL_SET] = "UPDATE alerts SET calls = ?2, call_at = ?3, digest = NULL WHERE id = ?1",
	[SQL_CALL_DUE] = "SELECT id, site, raised, calls FROM alerts WHERE call_at <= ?1"
			 " ORDER BY call_at, id LIMIT 1",
	[SQL_DIGEST_SET] = "UPDATE alerts SET digest = 1 WHERE id = ?1",
	[SQL_DIGEST_LIST] = "SELECT id FROM alerts WHERE digest IS NOT NULL ORDER BY id",
	[SQL_DIGEST_DONE] = "UPDATE alerts SET digest = NULL WHERE digest IS NOT NULL",
	[SQL_CURSOR_ONCE] = "INSERT OR IGNORE INTO cursors VALUES(?1, ?2)",
	[SQL_SHELF_ADD] = "INSERT INTO shelves(site, factor, began, until, reason, by, case_id)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_SHELF_FIND] = "SELECT id FROM shelves WHERE ended IS NULL AND site = ?1"
			   " AND (factor IS NULL OR factor = ?2) LIMIT 1",
	[SQL_SHELF_LAST] = "SELECT until, reason, by FROM shelves WHERE ended IS NULL"
			   " AND site = ?1 AND (factor IS NULL OR factor = ?2)"
			   " ORDER BY until DESC LIMIT 1",
	[SQL_SHELF_OVER] = "SELECT id, site, factor, case_id FROM shelves WHERE ended IS NULL"
			   " AND (until <= ?1 OR (site = ?2 AND factor IS ?3)) ORDER BY id LIMIT 1",
	[SQL_SHELF_CASE] = "SELECT id, site, factor, case_id FROM shelves WHERE ended IS NULL"
			   " AND case_id = ?1 ORDER BY id LIMIT 1",
	[SQL_SHELF_CALM] = "UPDATE shelves SET ended = ?3, ended_by = ?4 WHERE ended IS NULL"
			   " AND site = ?1 AND factor = ?2 AND case_id IS NOT NULL"
			   " AND NOT EXISTS(SELECT 1 FROM alerts a WHERE a.site = ?1"
			   " AND a.factor = ?2 AND a.cleared IS NULL)",
	[SQL_SHELF_END] = "UPDATE shelves SET ended = ?2, ended_by = ?3 WHERE id = ?1",
	[SQL_SHELF_LIST] = "SELECT id, site, factor, began, until, reason, by, case_id, ended,"
			   " ended_by FROM shelves WHERE ended IS NULL OR ?1 ORDER BY id DESC"
			   " LIMIT 1000",
	[SQL_MARK_ADD] = "INSERT INTO marks(at, site, factor, from_at, to_at, flag, reason, by,"
			 " file, sha256, bytes) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
			 " ?11)",
	[SQL_MARK_ALL] = MARK_COLUMNS " FROM marks WHERE id <= ?1 ORDER BY id",
	[SQL_MARK_NEXT] = MARK_COLUMNS " FROM marks WHERE id > ?1 ORDER BY id LIMIT 1",
	[SQL_MARK_LIST] = MARK_COLUMNS
	", reason, by, at, file, sha256 FROM marks WHERE (?1 IS NULL OR site = ?1)"
	" AND (?2 IS NULL OR factor = ?2) AND to_at > ?3 AND from_at < ?4"
	" AND (?5 = 0 OR id < ?5) ORDER BY id DESC LIMIT ?6",
	[SQL_MARK_CHANGE] = "INSERT INTO recomputed(mark_id, site, factor, average, limit_key,"
			    " start_at, end_at, before, after, was, became, limit_value, case_id)"
			    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[SQL_MARK_CHANGES] = "SELECT average, start_at, end_at, before, after, was, became,"
			     " limit_value, case_id FROM recomputed WHERE mark_id = ?1 ORDER BY id",
	[SQL_MARK_WINDOWS] =
		"SELECT site, factor, average, start_at, end_at, max(became IS 'exceeds')"
		" FROM recomputed r WHERE end_at > ?1 AND start_at < ?2 AND " NEWEST_OF_WINDOW
		" GROUP BY site, factor, average, start_at ORDER BY site, factor, average,"
		" start_at",
	/* the alert that spoke of a window: from its first one to the one before that cleared it */
	[SQL_MARK_CASE] = "SELECT case_id FROM alerts WHERE site = ?1 AND factor = ?2"
			  " AND limit_key = ?3 AND kind = 'exceedance' AND case_id IS NOT NULL"
			  " AND began <= ?4 AND (cleared IS NULL OR cleared > ?5)"
			  " ORDER BY id DESC LIMIT 1",
	/* the windows that a case's alerts stand for, without those found to comply since */
	[SQL_MARK_LEFT] =
		"SELECT (SELECT coalesce(sum((coalesce(cleared - " WINDOW_MS " / 2, ?2) - began)"
		" / " WINDOW_MS "), 0) FROM alerts WHERE case_id = ?1)"
		" - (SELECT count(*) FROM recomputed r WHERE case_id = ?1"
		" AND became = 'complies' AND " NEWEST_OF_WINDOW ")",
	[SQL_LOAD_CASE] = "SELECT case_id FROM alerts WHERE site = ?1 AND factor = ?2"
			  " AND kind = 'load' AND began >= ?3 AND began < ?4 AND case_id > ?5"
			  " ORDER BY case_id LIMIT 1",
	[SQL_ALERT_ACKNOWLEDGE] =
		"UPDATE alerts SET call_at = NULL, acknowledged = coalesce(acknowledged, ?2),"
		" acknowledged_by = coalesce(acknowledged_by, ?3) WHERE id = ?1 RETURNING id",
	[SQL_ALERT_SETTLE] = "UPDATE alerts SET settled = 1 WHERE id = ?1",
	[SQL_ALERT_ADOPT] = "UPDATE alerts SET case_id = ?2 WHERE id = ?1",
	[SQL_ALERT_LEAVE] =
		"INSERT INTO left_episodes(at, case_id, alert_id) SELECT ?3, case_id, id"
		" FROM alerts WHERE id = ?1 AND case_id <> ?2",
	/* a digest in force says the newest alert that it covers: here a newer one than joins */
	[SQL_DIGEST_VOID] = "UPDATE case_digests SET alert = 0 WHERE case_id = ?2 AND alert > ?1",
	[SQL_ALERT_WAITING] = ALERT_COLUMNS
	"WHERE cleared IS NULL AND site = ?1 AND (?2 IS NULL OR factor = ?2)"
	" AND (case_id IS NULL OR case_id = ?3) AND id > ?4 ORDER BY id LIMIT 1",

	[SQL_INSTRUMENT_ADD] =
		"INSERT INTO instruments(at, site, factor, low, high, scale, shift)"
		" SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS(SELECT 1 FROM (SELECT *"
		" FROM instruments WHERE site = ?2 AND factor = ?3 ORDER BY id DESC LIMIT 1)"
		" WHERE low IS ?4 AND high IS ?5 AND scale IS ?6 AND shift IS ?7)",
	[SQL_INSTRUMENT_LIST] = "SELECT at, low, high, scale, shift FROM instruments"
				" WHERE site = ?1 AND factor = ?2 ORDER BY id",

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
	/* a case by hand needs the days of its registration */
	[SQL_CASE_NEEDS] = "SELECT a.began, a.cleared FROM alerts a JOIN cases ON cases.id ="
			   " a.case_id WHERE " CASE_IS_OPEN
			   " UNION ALL SELECT a.began, a.cleared FROM left_episodes l JOIN alerts a"
			   " ON a.id = l.alert_id JOIN cases ON cases.id = l.case_id"
			   " WHERE " CASE_IS_OPEN " UNION ALL SELECT opened, opened"
			   " FROM cases WHERE " CASE_IS_OPEN,
	[SQL_GIVEN] = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'cases'), 0),"
		      " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'alerts'), 0),"
		      " coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
	[SQL_GIVEN_RAISE] =
		"INSERT INTO sqlite_sequence(rowid, name, seq) VALUES((SELECT rowid FROM"
		" sqlite_sequence WHERE name = ?1), ?1, ?2)"
		" ON CONFLICT(rowid) DO UPDATE SET seq = max(seq, excluded.seq)",
	[SQL_YEAR_LIST] = "SELECT year, max(seq) FROM cases GROUP BY year",
	[SQL_YEAR_RAISE] = "INSERT OR REPLACE INTO cursors VALUES('number/' || ?1, ?2)",
};
