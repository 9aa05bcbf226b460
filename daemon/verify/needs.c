/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What open cases need: a daemon removes no day that one was registered on, or has an episode in,
 * while it is open. Which day that is, in its zone, nobody has to know: soon behind a registration
 * or an alert the ledger names the newest batch, and a file is called by its day.
 */
#include "store/chainrows.h"
#include "verify/internal.h"

#include <errno.h>
#include <stdlib.h>

/* From batch @first to @last, received from @from_ms to @to_ms, in an open case since entry @since
 * of the ledger. */
struct need {
	int64_t case_id, since, first, last, from_ms, to_ms;
};

/* An entry with which a case ended, or went on. */
struct turn {
	int64_t entry, case_id;
	bool open;
};

/* The newest batch as the ledger says it first behind entry @behind. */
#define BATCH_BEHIND(what, behind)                                                                 \
	"(SELECT " what " FROM chain d WHERE d.kind = 6 AND d.number > " behind                    \
	" ORDER BY d.number LIMIT 1)"
/* an alert has its case from the same transaction on, or from its last entry on, at the latest */
#define SINCE                                                                                      \
	"CASE WHEN EXISTS(SELECT 1 FROM chain c WHERE c.kind = 1 AND c.ref = e.case_id AND"        \
	" c.number < r.number AND NOT EXISTS(SELECT 1 FROM chain b WHERE b.number > c.number"      \
	" AND b.number < r.number AND b.kind IN (6, 7, 13)))"                                      \
	" THEN r.number ELSE (SELECT last FROM newest WHERE kind = 2 AND ref = a.id) END"

/* Registrations, and episodes, whose end is the last batch that was known by then: of each the
 * case, its entry, that from which on the case has it, the first batch and the entry that says so,
 * the last batch, and times. */
static const char needed[] =
	"SELECT c.id, o.number, o.number, " BATCH_BEHIND("d.ref", "o.number") ", " BATCH_BEHIND(
		"d.number",
		"o.number") ", 0, c.opened, c.opened FROM cases c JOIN newest o ON o.kind = 16"
			    " AND o.ref = c.id WHERE o.number > ?1 UNION ALL"
			    " SELECT e.case_id, r.number, " SINCE
			    ", " BATCH_BEHIND("d.ref", "r.number") ", " BATCH_BEHIND(
				    "d.number",
				    "r.number") ","
						" CASE WHEN a.cleared IS NULL THEN "
						"9223372036854775807 ELSE coalesce((SELECT d.ref "
						"FROM"
						" chain d WHERE d.kind = 6 AND d.number < k.number "
						"ORDER BY d.number DESC LIMIT 1), 0) END,"
						" a.began, coalesce(a.cleared, 9223372036854775807)"
						" FROM (SELECT id AS alert, case_id FROM alerts "
						"WHERE case_id IS NOT NULL UNION ALL"
						" SELECT alert_id, case_id FROM left_episodes) e "
						"JOIN alerts a ON a.id = e.alert"
						" JOIN newest r ON r.kind = 17 AND r.ref = a.id "
						"LEFT JOIN newest k ON k.kind = 18"
						" AND k.ref = a.id WHERE r.number > ?1";

static const char turned[] =
	"SELECT n.number, h.case_id, h.action = 'reopen' FROM history h JOIN newest n ON n.kind = 3"
	" AND n.ref = h.id WHERE h.action IN ('close', 'withdraw', 'merge', 'reopen')"
	" ORDER BY n.number";

/* Were two entries made within a minute or so? The first seal behind the one names the other. */
static bool sealed_together(const struct verify *v, int64_t former, int64_t later)
{
	size_t next = seals_before(v, former);

	return next < v->n_seals && v->seals[next].ledger.number >= later;
}

static int grow(void **at, size_t n, size_t size)
{
	void *grown = reallocarray(*at, n + 1, size);

	if (grown == NULL)
		return -ENOMEM;
	*at = grown;
	return 0;
}

static int need_take(struct verify *v, sqlite3_stmt *row)
{
	void *at = v->needs;

	if (!sealed_together(v, sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 4)))
		return 0;
	int r = grow(&at, v->n_needs, sizeof *v->needs);
	v->needs = at;
	if (r != 0)
		return r;
	struct need *need = &v->needs[v->n_needs++];
	*need = (struct need){.case_id = sqlite3_column_int64(row, 0),
			      .since = sqlite3_column_int64(row, 2),
			      .first = sqlite3_column_int64(row, 3),
			      .last = sqlite3_column_int64(row, 5),
			      .from_ms = sqlite3_column_int64(row, 6),
			      .to_ms = sqlite3_column_int64(row, 7)};
	if (need->last < need->first)
		need->last = need->first;
	return 0;
}

static int turn_take(struct verify *v, sqlite3_stmt *row)
{
	void *at = v->turns;
	int r = grow(&at, v->n_turns, sizeof *v->turns);

	v->turns = at;
	if (r == 0)
		v->turns[v->n_turns++] =
			(struct turn){sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
				      sqlite3_column_int(row, 2) != 0};
	return r;
}

static int each(struct verify *v, sqlite3 *db, const char *sql,
		int (*take)(struct verify *v, sqlite3_stmt *row))
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(db, &list, sql);
	if (r == 0) {
		sql_bind(list, "i", v->format_from[chain_format_of(CHAIN_RAISED)]);
		r = sql_step(list, &row);
	}
	while (r == 0 && row) {
		r = take(v, list);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

int needs_read(struct verify *v, sqlite3 *db)
{
	if (v->format < CHAIN_FORMAT_STRICT || v->n_days + v->n_frames_gone == 0)
		return 0;
	int r = each(v, db, needed, need_take);
	return r == 0 ? each(v, db, turned, turn_take) : r;
}

/* @entry: of the ledger */
static bool was_open(const struct verify *v, int64_t case_id, int64_t entry)
{
	bool open = true;

	for (size_t i = 0; i < v->n_turns && v->turns[i].entry < entry; i++)
		if (v->turns[i].case_id == case_id)
			open = v->turns[i].open;
	return open;
}

/* A file of this name, in whatever zone, has its day between. */
static bool is_between(const char *name, int64_t from_ms, int64_t to_ms)
{
	int64_t day_from_ms, day_to_ms;

	return day_of_name(name, ".db", &day_from_ms, &day_to_ms) && day_from_ms <= to_ms &&
	       day_to_ms >= from_ms;
}

int64_t needs_have(const struct verify *v, const char *name, int64_t first, int64_t last,
		   int64_t entry)
{
	for (size_t i = 0; i < v->n_needs; i++) {
		const struct need *need = &v->needs[i];
		if (need->first <= last && need->last >= first && need->since < entry &&
		    is_between(name, need->from_ms, need->to_ms) &&
		    was_open(v, need->case_id, entry))
			return need->case_id;
	}
	return 0;
}
