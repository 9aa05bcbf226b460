/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence.h"

#include "core/csv.h"
#include "seal/hash.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 5000 };

/* --- which readings --- */

static int span_add(struct evidence_case *e, const char *factor, int64_t from_ms, int64_t to_ms)
{
	struct evidence_span *last = e->n_spans > 0 ? &e->spans[e->n_spans - 1] : NULL;

	if (last != NULL && strcmp(last->factor, factor) == 0 && from_ms <= last->to_ms) {
		if (to_ms > last->to_ms)
			last->to_ms = to_ms;
		return 0;
	}
	void *grown = reallocarray(e->spans, e->n_spans + 1, sizeof *e->spans);
	if (grown == NULL)
		return -ENOMEM;
	e->spans = grown;
	last = &e->spans[e->n_spans++];
	*last = (struct evidence_span){.from_ms = from_ms, .to_ms = to_ms};
	snprintf(last->factor, sizeof last->factor, "%s", factor);
	return 0;
}

static int spans_read(struct ledger *ledger, int64_t now_ms, struct evidence_case *e)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(ledger->db, &list,
			    "SELECT id, began, coalesce(cleared, ?2), coalesce(factor, ?3) FROM"
			    " alerts WHERE case_id = ?1 OR id IN (SELECT alert_id FROM"
			    " left_episodes WHERE case_id = ?1) ORDER BY factor <> ?3, factor,"
			    " began");
	if (r == 0) {
		sql_bind(list, "iit", e->id, now_ms, e->factor);
		r = sql_step(list, &row);
	}
	while (r == 0 && row) {
		if (sqlite3_column_int64(list, 0) > e->alert)
			e->alert = sqlite3_column_int64(list, 0);
		r = span_add(e, sql_text(list, 3), sqlite3_column_int64(list, 1),
			     sqlite3_column_int64(list, 2));
		if (r == 0)
			r = sql_step(list, &row);
	}
	sqlite3_finalize(list);
	return r;
}

int ledger_evidence(struct ledger *ledger, int64_t id, int64_t now_ms, struct evidence_case *out)
{
	struct case_row row;

	*out = (struct evidence_case){.id = id};
	pthread_mutex_lock(&ledger->lock);
	int r = ledger_case_row(ledger, id, &row);
	if (r == 0) {
		snprintf(out->site, sizeof out->site, "%s", row.site);
		snprintf(out->factor, sizeof out->factor, "%s", row.factor);
		r = spans_read(ledger, now_ms, out);
	}
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

void evidence_deinit(struct evidence_case *evidence)
{
	free(evidence->spans);
	evidence->spans = NULL;
	evidence->n_spans = 0;
}

/* --- whose digest is wanted --- */

/* an alert a of case c, also one that a later case took over */
#define OF_CASE                                                                                    \
	" (a.case_id = c.id OR a.id IN (SELECT l.alert_id FROM left_episodes l WHERE"              \
	" l.case_id = c.id))"

int ledger_evidence_next(struct ledger *ledger, int64_t after, int64_t *id)
{
	sqlite3_stmt *next = NULL;
	bool row = false;

	*id = 0;
	pthread_mutex_lock(&ledger->lock);
	int r = sql_prepare(
		ledger->db, &next,
		"SELECT c.id FROM cases c WHERE c.id > ?1 AND c.factor IS NOT NULL AND"
		" EXISTS(SELECT 1 FROM alerts a WHERE" OF_CASE ") AND NOT EXISTS(SELECT 1"
		" FROM alerts a WHERE" OF_CASE " AND a.cleared IS NULL) AND NOT EXISTS("
		"SELECT 1 FROM case_digests d WHERE d.case_id = c.id AND d.alert = (SELECT "
		"max(a.id)"
		" FROM alerts a WHERE" OF_CASE ")) ORDER BY c.id LIMIT 1");
	if (r == 0) {
		sql_bind(next, "i", after);
		r = sql_step(next, &row);
	}
	if (r == 0 && row)
		*id = sqlite3_column_int64(next, 0);
	sqlite3_finalize(next);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

int ledger_evidence_put(struct ledger *ledger, const struct evidence_case *e, const char *digest,
			int64_t readings)
{
	sqlite3_stmt *put = NULL;

	int r = ledger_begin(ledger);
	if (r == 0)
		r = sql_prepare(
			ledger->db, &put,
			"INSERT INTO case_digests VALUES(?1, ?2, ?3, ?4) ON CONFLICT(case_id)"
			" DO UPDATE SET alert = ?2, readings = ?3, digest = ?4");
	if (r == 0)
		r = sql_do(put, "iiit", e->id, e->alert, readings, digest);
	sqlite3_finalize(put);
	return ledger_end(ledger, r);
}

/* --- the lines --- */

struct lines_walk {
	const struct plan *plan;
	struct text line;
	evidence_line_fn fn;
	void *context;
	struct hash *hash;
	struct evidence_lines *out;
	int64_t last;
	size_t n;
	bool failed;
};

static bool line_add(void *context, const struct daybook_row *row)
{
	struct lines_walk *w = context;
	struct evidence_lines *out = w->out;

	text_clear(&w->line);
	csv_reading(&w->line, &w->plan->zone, row->site, row->factor, &row->reading);
	hash_add(w->hash, w->line.at, w->line.length);
	w->failed |= w->line.failed || (w->fn != NULL && !w->fn(w->context, row, &w->line));
	out->readings++;
	if (out->first == 0 || row->sequence < out->first)
		out->first = row->sequence;
	if (row->sequence > out->last)
		out->last = row->sequence;
	w->last = row->sequence;
	w->n++;
	return !w->failed;
}

static int span_read(struct daybook_reader *reader, struct lines_walk *w, const char *site_id,
		     const struct evidence_span *span)
{
	uint32_t site = plan_site(w->plan, site_id),
		 monitor = plan_monitor(w->plan, site_id, span->factor);
	struct daybook_query query = {.site = site,
				      .monitor = monitor,
				      .from_ms = span->from_ms,
				      .to_ms = span->to_ms + 1,
				      .limit = PAGE};
	int r;

	if (monitor == NO_INDEX)
		return -ENOENT;
	do {
		w->n = 0;
		r = daybook_range(reader, &query, line_add, w);
		query.after = w->last;
	} while (r == 0 && !w->failed && w->n == PAGE);
	return r == 0 && w->failed ? -ENOMEM : r;
}

int evidence_read(struct daybook_reader *reader, const struct plan *plan,
		  const struct evidence_case *e, evidence_line_fn fn, void *context,
		  struct evidence_lines *out)
{
	struct lines_walk w = {.plan = plan, .fn = fn, .context = context, .out = out};

	*out = (struct evidence_lines){0};
	int r = hash_new(&w.hash);
	if (r != 0)
		return r;
	hash_begin(w.hash);
	for (size_t i = 0; r == 0 && i < e->n_spans; i++)
		r = span_read(reader, &w, e->site, &e->spans[i]);
	if (r == 0)
		r = hash_end(w.hash, out->digest);
	hash_free(w.hash);
	text_deinit(&w.line);
	return r;
}
