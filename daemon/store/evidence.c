/* SPDX-License-Identifier: Apache-2.0 */
#include "store/evidence.h"

#include "core/csv.h"
#include "seal/hash.h"
#include "store/evidence-batches.h"
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

static int spans_read(struct ledger *ledger, struct evidence_case *e)
{
	sqlite3_stmt *list = NULL;
	bool row = false;

	int r = sql_prepare(ledger->db, &list,
			    "SELECT id, began, coalesce(cleared, ?2), coalesce(factor, ?3) FROM"
			    " alerts WHERE case_id = ?1 OR id IN (SELECT alert_id FROM"
			    " left_episodes WHERE case_id = ?1) ORDER BY factor <> ?3, factor,"
			    " began");
	if (r == 0) {
		sql_bind(list, "iit", e->id, EVIDENCE_OPEN_END, e->factor);
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

static int kept_read(struct ledger *ledger, struct evidence_case *e)
{
	sqlite3_stmt *find = NULL;
	bool row = false;

	int r = sql_prepare(ledger->db, &find,
			    "SELECT readings FROM case_digests WHERE case_id = ?1 AND alert = ?2"
			    " AND NOT EXISTS(SELECT 1 FROM alerts WHERE case_id = ?1 AND cleared"
			    " IS NULL)");
	if (r == 0) {
		sql_bind(find, "ii", e->id, e->alert);
		r = sql_step(find, &row);
	}
	e->kept = r == 0 && row ? sqlite3_column_int64(find, 0) : -1;
	sqlite3_finalize(find);
	return r;
}

/* The batch that the chain names with the digest, or if there was no newer one the last that it had
 * named before. *batch 0: none, as in a chain of before it had any. */
static int kept_batch(struct ledger *ledger, int64_t id, int64_t *batch)
{
	sqlite3_stmt *find = NULL;
	bool row = false;

	*batch = 0;
	int r = sql_prepare(ledger->db, &find,
			    "SELECT coalesce((SELECT ref FROM chain WHERE number = d.number + 1"
			    " AND kind = 6), (SELECT ref FROM chain WHERE number < d.number AND"
			    " kind = 6 ORDER BY number DESC LIMIT 1)) FROM (SELECT number FROM"
			    " chain WHERE kind = 8 AND ref = ?1 ORDER BY number DESC LIMIT 1) d");
	if (r == 0) {
		sql_bind(find, "i", id);
		r = sql_step(find, &row);
	}
	if (r == 0 && row)
		*batch = sqlite3_column_int64(find, 0);
	sqlite3_finalize(find);
	return r;
}

int ledger_evidence(struct ledger *ledger, int64_t id, struct evidence_case *out)
{
	struct case_row row;
	int64_t batch = 0;

	*out = (struct evidence_case){.id = id, .kept = -1, .until = INT64_MAX};
	pthread_mutex_lock(&ledger->lock);
	int r = ledger_case_row(ledger, id, &row);
	if (r == 0) {
		snprintf(out->site, sizeof out->site, "%s", row.site);
		snprintf(out->factor, sizeof out->factor, "%s", row.factor);
		r = spans_read(ledger, out);
	}
	if (r == 0)
		r = kept_read(ledger, out);
	if (r == 0 && out->kept >= 0)
		r = kept_batch(ledger, id, &batch);
	pthread_mutex_unlock(&ledger->lock);
	if (r == 0 && batch != 0 && ledger->directory != NULL)
		r = evidence_until(ledger->directory, batch, &out->until);
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
	struct daybook_reader *reader;
	const struct plan *plan;
	const struct evidence_case *evidence;
	daybook_row_fn each;
	int64_t until; /* a greater sequence came since the digest */
	bool since;    /* these are wanted, and not the others */
	struct text line;
	evidence_line_fn fn;
	void *context;
	struct hash *hash;
	struct evidence_lines *out;
	int64_t last;
	size_t n;
	bool failed;
	int64_t *sequences;
	size_t n_sequences, capacity;
};

static bool line_add(void *context, const struct daybook_row *row)
{
	struct lines_walk *w = context;
	struct evidence_lines *out = w->out;

	w->last = row->sequence;
	w->n++;
	out->later += row->sequence > w->until;
	if ((row->sequence > w->until) != w->since)
		return true;
	text_clear(&w->line);
	csv_reading(&w->line, &w->plan->zone, row->site, row->factor, &row->reading);
	hash_add(w->hash, w->line.at, w->line.length);
	w->failed |= w->line.failed || (w->fn != NULL && !w->fn(w->context, row, &w->line));
	out->readings++;
	if (out->first == 0 || row->sequence < out->first)
		out->first = row->sequence;
	if (row->sequence > out->last)
		out->last = row->sequence;
	return !w->failed;
}

static int span_read(struct lines_walk *w, const struct evidence_span *span)
{
	const char *site_id = w->evidence->site;
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
		r = daybook_range(w->reader, &query, w->each, w);
		query.after = w->last;
	} while (r == 0 && !w->failed && w->n == PAGE);
	return r == 0 && w->failed ? -ENOMEM : r;
}

static int spans_walk(struct lines_walk *w, daybook_row_fn each)
{
	int r = 0;

	w->each = each;
	for (size_t i = 0; r == 0 && i < w->evidence->n_spans; i++)
		r = span_read(w, &w->evidence->spans[i]);
	return r;
}

/* --- which of them are the digest's --- */

static bool sequence_add(void *context, const struct daybook_row *row)
{
	struct lines_walk *w = context;

	w->last = row->sequence;
	w->n++;
	if (w->n_sequences == w->capacity) {
		size_t more = w->capacity * 2 + 1024;
		void *grown = reallocarray(w->sequences, more, sizeof *w->sequences);
		w->failed = grown == NULL;
		if (w->failed)
			return false;
		w->sequences = grown;
		w->capacity = more;
	}
	w->sequences[w->n_sequences++] = row->sequence;
	return true;
}

static int sequence_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The greatest sequence of the digest's readings, also where days of them were removed. */
static int until_find(struct lines_walk *w)
{
	int64_t kept = w->evidence->kept;
	size_t n = 0;

	w->until = kept < 0 ? INT64_MAX : w->evidence->until;
	int r = kept < 0 ? 0 : spans_walk(w, sequence_add);
	if (r == 0 && w->n_sequences > 0) {
		qsort(w->sequences, w->n_sequences, sizeof *w->sequences, sequence_compare);
		while (n < w->n_sequences && w->sequences[n] <= w->until)
			n++;
	}
	if (r == 0 && kept >= 0 && n > (size_t)kept)
		w->until = kept == 0 ? 0 : w->sequences[kept - 1];
	free(w->sequences);
	return r;
}

static int lines_read(struct lines_walk *w)
{
	*w->out = (struct evidence_lines){0};
	int r = until_find(w);
	if (r == 0)
		r = hash_new(&w->hash);
	if (r != 0)
		return r;
	hash_begin(w->hash);
	r = spans_walk(w, line_add);
	if (r == 0)
		r = hash_end(w->hash, w->out->digest);
	hash_free(w->hash);
	text_deinit(&w->line);
	return r;
}

int evidence_read(struct daybook_reader *reader, const struct plan *plan,
		  const struct evidence_case *e, evidence_line_fn fn, void *context,
		  struct evidence_lines *out)
{
	struct lines_walk w = {.reader = reader,
			       .plan = plan,
			       .evidence = e,
			       .fn = fn,
			       .context = context,
			       .out = out};

	return lines_read(&w);
}

int evidence_later(struct daybook_reader *reader, const struct plan *plan,
		   const struct evidence_case *e, evidence_line_fn fn, void *context,
		   struct evidence_lines *out)
{
	struct lines_walk w = {.reader = reader,
			       .plan = plan,
			       .evidence = e,
			       .since = true,
			       .fn = fn,
			       .context = context,
			       .out = out};

	return lines_read(&w);
}
