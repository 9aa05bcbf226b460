/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What moves without an entry while an alert is active: the worst of it and its last value, and
 * those of its case. They are held against what is in the chain: the limit, its source and its
 * bound of a case are those of an episode, and so is the worst, as a daemon takes all of them from
 * one; a multiple follows from peak and limit; a peak is no better than the value that raised.
 */
#include "core/supcase.h"
#include "verify/internal.h"

#include <string.h>

/* A sentence ends with @what is not right. */
struct rule {
	const char *row, *what, *sql; /* the first row that breaks it */
};

#define ACTIVE_CASE                                                                                \
	"SELECT c.id FROM cases c WHERE EXISTS(SELECT 1 FROM alerts a WHERE a.case_id = c.id AND"  \
	" a.cleared IS NULL) AND "
#define OWN_EPISODES                                                                               \
	"FROM alerts a WHERE a.factor IS c.factor AND (a.case_id = c.id OR a.id IN (SELECT"        \
	" alert_id FROM left_episodes WHERE case_id = c.id))"
#define LIMIT_OF(row) "(" row ".bound, " row ".limit_value, " row ".limit_source)"

static const struct rule rules[] = {
	{"case", "its limit is that of none of its episodes",
	 ACTIVE_CASE "NOT EXISTS(SELECT 1 " OWN_EPISODES " AND " LIMIT_OF("a") " IS " LIMIT_OF(
		 "c") ") AND (c.limit_value IS NOT NULL OR c.limit_source IS NOT NULL OR"
		      " c.bound IS NOT NULL OR EXISTS(SELECT 1 " OWN_EPISODES
		      ")) ORDER BY c.id LIMIT 1"},
	{"case", "its worst value is that of none of its episodes",
	 ACTIVE_CASE "NOT EXISTS(SELECT 1 FROM left_episodes WHERE case_id = c.id) AND"
		     " EXISTS(SELECT 1 " OWN_EPISODES ") AND NOT EXISTS(SELECT 1 " OWN_EPISODES
		     " AND " LIMIT_OF("a") " IS " LIMIT_OF(
			     "c") " AND (a.peak, a.peak_at, a.multiple) IS (c.peak_value,"
				  " c.peak_at, c.multiple)) ORDER BY c.id LIMIT 1"},
	{"alert", "its multiple does not follow from its peak and limit",
	 "SELECT id FROM alerts WHERE cleared IS NULL AND multiple IS NOT NULL AND"
	 " multiple IS NOT peak / limit_value - 1 ORDER BY id LIMIT 1"},
	{"alert", "its peak is better than the value that raised it",
	 "SELECT id FROM alerts WHERE cleared IS NULL AND kind = 'exceedance' AND"
	 " ((bound = 'max' AND peak < value) OR (bound = 'min' AND peak > value))"
	 " ORDER BY id LIMIT 1"},
};

/* --- severity: each step that says how it rose goes on from where the one before it ended --- */

static size_t word_length(const char *note, enum severity severity)
{
	const char *code = severity_name(severity);
	const char *chinese = case_word_chinese(LIST_SEVERITY, code);
	size_t n = strlen(chinese);

	if (strncmp(note, chinese, n) == 0)
		return n;
	n = strlen(code);
	return strncmp(note, code, n) == 0 ? n : 0;
}

/* Return: the severity that the note begins with, and what follows it; SEVERITIES: none */
static enum severity severity_take(const char **note)
{
	for (enum severity s = 0; s < SEVERITIES; s++) {
		size_t n = word_length(*note, s);
		*note += n;
		if (n > 0)
			return s;
	}
	return SEVERITIES;
}

/* @from, @to: SEVERITIES where the note says none, as one of another version may */
static void rise_read(const char *note, enum severity *from, enum severity *to)
{
	*from = *to = SEVERITIES;
	if (note == NULL)
		return;
	*from = severity_take(&note);
	note += strspn(note, " ");
	if (*from == SEVERITIES || strncmp(note, "→", strlen("→")) != 0)
		return;
	note += strlen("→");
	note += strspn(note, " ");
	*to = severity_take(&note);
}

static const char risen[] =
	"SELECT h.id, h.case_id, h.note, c.severity, h.id = (SELECT max(id) FROM history l WHERE"
	" l.case_id = h.case_id AND l.action = 'severity') FROM history h JOIN cases c ON"
	" c.id = h.case_id WHERE h.action = 'severity' ORDER BY h.case_id, h.id";

static int rise_check(struct verify *v, sqlite3_stmt *row, int64_t *of, enum severity *stands)
{
	enum severity from, to;
	int64_t id = sqlite3_column_int64(row, 0), case_id = sqlite3_column_int64(row, 1);
	const char *now = sql_text(row, 3);

	rise_read(sql_text(row, 2), &from, &to);
	if (to == SEVERITIES)
		return 0;
	if (to <= from || (case_id == *of && from != *stands))
		return verify_bad(v,
				  "ledger.db: step %lld of case %lld says a severity that the case "
				  "did not have",
				  (long long)id, (long long)case_id);
	*of = case_id;
	*stands = to;
	if (sqlite3_column_int(row, 4) == 0 || (now != NULL && strcmp(now, severity_name(to)) == 0))
		return 0;
	return verify_bad(v, "ledger.db: case %lld: its severity is not that of step %lld",
			  (long long)case_id, (long long)id);
}

static int severities_check(struct verify *v, sqlite3 *db)
{
	enum severity stands = SEVERITIES;
	sqlite3_stmt *list = NULL;
	int64_t of = 0;
	bool row = false;

	int r = sql_prepare(db, &list, risen);
	if (r == 0)
		r = sql_step(list, &row);
	while (r == 0 && row) {
		r = rise_check(v, list, &of, &stands);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

int active_check(struct verify *v, sqlite3 *db)
{
	int64_t id = 0;
	int r = 0;

	if (v->format < CHAIN_FORMAT_STRICT)
		return 0;
	for (size_t i = 0; r == 0 && i < sizeof rules / sizeof rules[0]; i++) {
		r = sql_number(db, rules[i].sql, 0, &id);
		if (r == 0 && id != 0)
			r = verify_bad(v, "ledger.db: %s %lld: %s", rules[i].row, (long long)id,
				       rules[i].what);
	}
	return r == 0 ? severities_check(v, db) : r;
}
