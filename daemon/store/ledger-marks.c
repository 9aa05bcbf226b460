/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-marks.h"

#include "store/attachments.h"
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DONE_CURSOR "marks/done"

static const char *const outcomes[] = {NULL, "complies", "exceeds", "undetermined"};

/* --- the table in memory, for pages --- */

static int collect(struct ledger *ledger, int64_t last, struct mark **given, size_t *n)
{
	sqlite3_stmt *list = ledger->sql[SQL_MARK_ALL];
	size_t room = 0;
	bool row;

	*given = NULL;
	*n = 0;
	sql_bind(list, "i", last);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		uint32_t monitor = plan_monitor(ledger->plan, sql_text(list, 1), sql_text(list, 2));
		if (monitor == NO_INDEX)
			continue;
		if (*n == room) {
			room = room * 2 + 64;
			struct mark *more = reallocarray(*given, room, sizeof *more);
			if (more == NULL) {
				r = -ENOMEM;
				break;
			}
			*given = more;
		}
		(*given)[(*n)++] = (struct mark){monitor, sqlite3_column_int64(list, 3),
						 sqlite3_column_int64(list, 4),
						 (enum flag)sql_text(list, 5)[0]};
	}
	sql_reset(list);
	return r;
}

static int build(struct ledger *ledger, int64_t last, struct marks *out)
{
	struct mark *given;
	size_t n;

	*out = (struct marks){0};
	int r = collect(ledger, last, &given, &n);
	if (r == 0)
		r = marks_build(out, ledger->plan->n_monitors, given, n);
	free(given);
	return r;
}

int ledger_recount_marks(struct ledger *ledger)
{
	struct marks marks;
	int64_t last;

	int r = sql_number(ledger->db, "SELECT max(id) FROM marks", 0, &last);
	if (r == 0)
		r = build(ledger, INT64_MAX, &marks);
	if (r != 0)
		return r;
	pthread_mutex_lock(&ledger->marks_lock);
	struct marks old = ledger->marks;
	ledger->marks = marks;
	pthread_mutex_unlock(&ledger->marks_lock);
	atomic_store(&ledger->last_mark, last);
	marks_deinit(&old);
	return 0;
}

bool ledger_marked(struct ledger *ledger, uint32_t monitor, int64_t time_ms, enum flag *flag)
{
	pthread_mutex_lock(&ledger->marks_lock);
	bool marked = monitor < ledger->marks.n_monitors &&
		      marks_flag(&ledger->marks, monitor, time_ms, flag);
	pthread_mutex_unlock(&ledger->marks_lock);
	return marked;
}

int64_t ledger_mark_last(struct ledger *ledger)
{
	return atomic_load(&ledger->last_mark);
}

int ledger_marks(struct ledger *ledger, int64_t last, struct marks *out)
{
	pthread_mutex_lock(&ledger->lock);
	int r = build(ledger, last, out);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

int ledger_mark_next(struct ledger *ledger, int64_t after, int64_t *id, struct mark *out)
{
	bool row = true;
	int r = 0;

	*id = 0;
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *next = ledger->sql[SQL_MARK_NEXT];
	while (r == 0 && row && *id == 0) {
		sql_bind(next, "i", after);
		r = sql_step(next, &row);
		if (r != 0 || !row)
			break;
		after = sqlite3_column_int64(next, 0);
		*out = (struct mark){
			plan_monitor(ledger->plan, sql_text(next, 1), sql_text(next, 2)),
			sqlite3_column_int64(next, 3), sqlite3_column_int64(next, 4),
			(enum flag)sql_text(next, 5)[0]};
		if (out->monitor != NO_INDEX)
			*id = after;
		sql_reset(next);
	}
	sql_reset(next);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

int64_t ledger_mark_done(struct ledger *ledger)
{
	return ledger_cursor(ledger, DONE_CURSOR, 0);
}

int ledger_recomputed(struct ledger *ledger, struct span span,
		      void (*fn)(void *context, const struct recomputed_window *window),
		      void *context)
{
	bool row;

	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_MARK_WINDOWS];
	sql_bind(list, "ii", span.start_ms, span.end_ms);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		struct recomputed_window w = {
			.monitor = plan_monitor(ledger->plan, sql_text(list, 0), sql_text(list, 1)),
			.average = average_named(sql_text(list, 2)),
			.span = {sqlite3_column_int64(list, 3), sqlite3_column_int64(list, 4)},
			.exceeds = sqlite3_column_int(list, 5) != 0};
		if (w.monitor != NO_INDEX)
			fn(context, &w);
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

/* --- giving one --- */

static void key(struct text *out, const char *name)
{
	text_char(out, ',');
	text_json(out, name);
	text_char(out, ':');
}

static void add_text(struct text *out, const char *name, const char *value)
{
	key(out, name);
	text_json(out, value);
}

static void add_time(struct ledger *ledger, struct text *out, const char *name, int64_t at_ms)
{
	key(out, name);
	text_char(out, '"');
	text_time(out, at_ms, &ledger->plan->zone, 3);
	text_char(out, '"');
}

static void add_number(struct text *out, const char *name, sqlite3_stmt *row, int column)
{
	double value;

	key(out, name);
	if (sql_double(row, column, &value))
		text_double(out, value);
	else
		text_add(out, "null");
}

/* What a mark changed; its statement runs beside the one that lists marks. */
static int add_changes(struct ledger *ledger, int64_t mark, struct text *out)
{
	sqlite3_stmt *list = ledger->sql[SQL_MARK_CHANGES];
	size_t n = 0;
	bool row;

	key(out, "recomputed");
	text_char(out, '[');
	sql_bind(list, "i", mark);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		text_add(out, n++ > 0 ? ",{" : "{");
		text_add(out, "\"average\":");
		text_json(out, sql_text(list, 0));
		add_time(ledger, out, "from", sqlite3_column_int64(list, 1));
		add_time(ledger, out, "to", sqlite3_column_int64(list, 2));
		add_number(out, "before", list, 3);
		add_number(out, "after", list, 4);
		add_text(out, "was", sql_text(list, 5));
		add_text(out, "is", sql_text(list, 6));
		add_number(out, "limit", list, 7);
		key(out, "case");
		if (sqlite3_column_int64(list, 8) != 0)
			text_format(out, "%lld", (long long)sqlite3_column_int64(list, 8));
		else
			text_add(out, "null");
		text_char(out, '}');
	}
	sql_reset(list);
	text_char(out, ']');
	return r;
}

/* Of the means that it changed; where the plan has the monitor yet. */
static void add_unit(struct ledger *ledger, const char *site, const char *factor, struct text *out)
{
	uint32_t monitor = plan_monitor(ledger->plan, site, factor);
	if (monitor == NO_INDEX)
		return;
	add_text(out, "unit", ledger->plan->monitors[monitor].unit);
	key(out, "decimals");
	text_format(out, "%d", ledger->plan->monitors[monitor].decimals);
}

/* The columns of SQL_MARK_LIST. */
static int add_mark(struct ledger *ledger, sqlite3_stmt *row, int64_t done, struct text *out)
{
	int64_t id = sqlite3_column_int64(row, 0);

	text_format(out, "{\"id\":%lld", (long long)id);
	add_text(out, "site", sql_text(row, 1));
	add_text(out, "factor", sql_text(row, 2));
	add_time(ledger, out, "from", sqlite3_column_int64(row, 3));
	add_time(ledger, out, "to", sqlite3_column_int64(row, 4));
	add_text(out, "flag", sql_text(row, 5));
	add_text(out, "reason", sql_text(row, 6));
	add_text(out, "by", sql_text(row, 7));
	add_time(ledger, out, "given_at", sqlite3_column_int64(row, 8));
	add_text(out, "file", sql_text(row, 9));
	add_text(out, "sha256", sql_text(row, 10));
	add_unit(ledger, sql_text(row, 1), sql_text(row, 2), out);
	key(out, "done");
	text_add(out, id <= done ? "true" : "false");
	int r = add_changes(ledger, id, out);
	text_char(out, '}');
	return r;
}

static int mark_text(struct ledger *ledger, int64_t id, struct text *out)
{
	sqlite3_stmt *list = ledger->sql[SQL_MARK_LIST];
	bool row;

	sql_bind(list, "ttiiii", NULL, NULL, INT64_MIN, INT64_MAX, id + 1, (int64_t)1);
	int r = sql_step(list, &row);
	if (r == 0)
		r = row ? add_mark(ledger, list, 0, out) : -ENOENT;
	sql_reset(list);
	return r;
}

int ledger_mark(struct ledger *ledger, const struct mark_order *o, int64_t now_ms, struct text *out)
{
	const char flag[2] = {(char)o->flag, '\0'};
	char hash[SHA256_TEXT_BYTES] = "";
	int r = 0;

	if (o->file != NULL)
		r = ledger->directory == NULL
			    ? -ENOENT
			    : attachment_keep(ledger->directory, o->data, o->size, hash);
	if (r != 0)
		return r;
	r = ledger_begin(ledger);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_MARK_ADD], "ittiitttttz", now_ms, o->site, o->factor,
			   o->from_ms, o->to_ms, flag, o->reason, o->by, o->file,
			   o->file != NULL ? hash : NULL, (int64_t)o->size);
	if (r == 0)
		r = mark_text(ledger, sqlite3_last_insert_rowid(ledger->db), out);
	ledger->remark |= r == 0;
	return ledger_end(ledger, r);
}

int ledger_marks_json(struct ledger *ledger, const struct mark_filter *f, struct text *out)
{
	int64_t last = 0, done = ledger_mark_done(ledger);
	size_t n = 0;
	bool row;

	text_add(out, "{\"marks\":[");
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_MARK_LIST];
	sql_bind(list, "ttiiii", f->site, f->factor, f->from_ms, f->to_ms, f->after,
		 (int64_t)f->limit);
	int r = sql_step(list, &row);
	while (r == 0 && row) {
		last = sqlite3_column_int64(list, 0);
		text_add(out, n++ > 0 ? "," : "");
		r = add_mark(ledger, list, done, out);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	text_add(out, "]");
	if (n > 0 && n == f->limit)
		text_format(out, ",\"next\":%lld", (long long)last);
	text_add(out, "}\n");
	return r == 0 && out->failed ? -ENOMEM : r;
}

/* --- what one changed --- */

/* The case of the alert that spoke of this window, of whatever status; 0: none. */
static int case_of(struct ledger *ledger, const struct recomputation *c, int64_t *id)
{
	sqlite3_stmt *find = ledger->sql[SQL_MARK_CASE];
	const struct monitor *m = &ledger->plan->monitors[c->monitor];
	bool row;

	*id = 0;
	sql_bind(find, "tttii", ledger->plan->sites[m->site].id, m->factor, m->limits[c->limit].key,
		 c->start_ms, c->end_ms);
	int r = sql_step(find, &row);
	if (r == 0 && row)
		*id = sqlite3_column_int64(find, 0);
	sql_reset(find);
	return r;
}

/* Has every window that an alert of the case stands for been found to comply since? */
static int all_comply(struct ledger *ledger, int64_t case_id, int64_t now_ms, bool *out)
{
	sqlite3_stmt *left = ledger->sql[SQL_MARK_LEFT];
	bool row = true;
	int64_t windows = 1;

	sql_bind(left, "ii", case_id, now_ms);
	int r = sql_step(left, &row);
	if (r == 0 && row)
		windows = sqlite3_column_int64(left, 0);
	sql_reset(left);
	*out = windows <= 0;
	return r;
}

struct settling {
	int64_t mark, now_ms;
	void (*note)(void *context, const struct recomputation *change, bool withdraw,
		     struct text *out);
	void *context;
};

static int note_case(struct ledger *ledger, const struct settling *s, const struct recomputation *c,
		     int64_t case_id)
{
	struct text note = {0};
	bool withdraw;

	int r = all_comply(ledger, case_id, s->now_ms, &withdraw);
	if (r == 0) {
		s->note(s->context, c, withdraw && c->is == OUTCOME_COMPLIES, &note);
		r = note.failed
			    ? -ENOMEM
			    : ledger_history(ledger, case_id, s->now_ms, "recomputed",
					     &(struct case_order){.by = BY_DAEMON, .note = note.at},
					     0);
	}
	if (r == 0)
		r = ledger_case_event(ledger, case_id, "ducha.case.updated", s->now_ms);
	text_deinit(&note);
	return r;
}

static int settle(struct ledger *ledger, const struct settling *s, const struct recomputation *c)
{
	const struct monitor *m = &ledger->plan->monitors[c->monitor];
	const struct limit *l = &m->limits[c->limit];
	bool max = l->has_max && (!l->has_min || c->before > l->max || c->after > l->max);
	int64_t case_id;

	int r = case_of(ledger, c, &case_id);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_MARK_CHANGE], "ittttiioottdz", s->mark,
			   ledger->plan->sites[m->site].id, m->factor, average_name(l->average),
			   l->key, c->start_ms, c->end_ms, (int)c->has_before, c->before,
			   (int)c->has_after, c->after, outcomes[c->was], outcomes[c->is],
			   max ? l->max : l->min, case_id);
	if (r == 0 && case_id != 0)
		r = note_case(ledger, s, c, case_id);
	return r;
}

int ledger_mark_settle(struct ledger *ledger, int64_t mark, const struct recomputation *changes,
		       size_t n, int64_t now_ms,
		       void (*note)(void *context, const struct recomputation *change,
				    bool withdraw, struct text *out),
		       void *context)
{
	const struct settling s = {mark, now_ms, note, context};
	int r = ledger_begin(ledger);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = settle(ledger, &s, &changes[i]);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_PUT_CURSOR], "ti", DONE_CURSOR, mark);
	return ledger_end(ledger, r);
}

/* --- and of loads --- */

static int load_case(struct ledger *ledger, uint32_t monitor, struct span year, int64_t after,
		     int64_t *id)
{
	const struct monitor *m = &ledger->plan->monitors[monitor];
	sqlite3_stmt *find = ledger->sql[SQL_LOAD_CASE];
	bool row;

	sql_bind(find, "ttiii", ledger->plan->sites[m->site].id, m->factor, year.start_ms,
		 year.end_ms, after);
	int r = sql_step(find, &row);
	*id = r == 0 && row ? sqlite3_column_int64(find, 0) : 0;
	sql_reset(find);
	return r;
}

int ledger_note_load(struct ledger *ledger, uint32_t monitor, struct span year, const char *note,
		     int64_t now_ms)
{
	const struct case_order order = {.by = BY_DAEMON, .note = note};
	int r = ledger_begin(ledger);
	int64_t id = 0;

	do {
		if (r == 0)
			r = load_case(ledger, monitor, year, id, &id);
		if (r == 0 && id != 0)
			r = ledger_history(ledger, id, now_ms, "recomputed", &order, 0);
		if (r == 0 && id != 0)
			r = ledger_case_event(ledger, id, "ducha.case.updated", now_ms);
	} while (r == 0 && id != 0);
	return ledger_end(ledger, r);
}
