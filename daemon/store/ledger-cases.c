/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BY_DAEMON "duchad"

int ledger_recount_cases(struct ledger *ledger)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_COUNT];
	size_t cases[CASE_STATUSES] = {0};
	bool row;

	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		enum case_status status = ledger_status(sql_text(list, 0));
		if (status != CASE_STATUSES)
			cases[status] = (size_t)sqlite3_column_int64(list, 1);
	}
	sql_reset(list);
	for (size_t i = 0; r == 0 && i < CASE_STATUSES; i++)
		atomic_store_explicit(&ledger->cases[i], cases[i], memory_order_relaxed);
	return r;
}

size_t ledger_case_count(struct ledger *ledger, enum case_status status)
{
	return atomic_load_explicit(&ledger->cases[status], memory_order_relaxed);
}

/* --- registration --- */

static int case_number_next(struct ledger *ledger, int64_t year, int64_t *seq)
{
	sqlite3_stmt *next = ledger->sql[SQL_CASE_NEXT];
	bool row;

	sql_bind(next, "i", year);
	int r = sql_step(next, &row);
	if (r == 0)
		*seq = sqlite3_column_int64(next, 0);
	sql_reset(next);
	return r;
}

static int history_add(struct ledger *ledger, int64_t id, int64_t now_ms, const char *action,
		       const struct case_order *order)
{
	return sql_do(ledger->sql[SQL_HISTORY_ADD], "iitttttttz", id, now_ms, action, order->by,
		      order->note, order->unit, order->leader, order->team, order->reason,
		      order->due_ms);
}

static int case_register(struct ledger *ledger, const struct verdict *v, int64_t now_ms,
			 int64_t *id)
{
	const struct plan *plan = ledger->plan;
	const struct monitor *m = &plan->monitors[v->monitor];
	const struct site *site = &plan->sites[m->site];
	const struct responsible *who = &site->responsible;
	int64_t year = zone_civil(&plan->zone, now_ms).year, seq = 0;

	int r = case_number_next(ledger, year, &seq);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_CASE_ADD], "iittitttttiotiottt", year, seq, site->id,
			   site->name, (int64_t)site->kind, m->factor, m->factor_name,
			   alert_kind_name(v->kind), average_name(v->average),
			   ledger_bound_name(v->bound), now_ms, (int)v->has_limit, v->limit_value,
			   m->unit, (int64_t)m->decimals, (int)v->has_value, v->value, who->unit,
			   who->leader, who->team);
	*id = sqlite3_last_insert_rowid(ledger->db);
	if (r == 0)
		r = history_add(ledger, *id, now_ms, "registered",
				&(struct case_order){.by = BY_DAEMON});
	return r;
}

int ledger_case_raise(struct ledger *ledger, const struct verdict *v, int64_t now_ms, int64_t *id,
		      bool *opened)
{
	const struct monitor *m = &ledger->plan->monitors[v->monitor];
	sqlite3_stmt *find = ledger->sql[SQL_CASE_OPEN];
	bool row;

	sql_bind(find, "tttt", ledger->plan->sites[m->site].id, m->factor, alert_kind_name(v->kind),
		 average_name(v->average));
	int r = sql_step(find, &row);
	if (r == 0 && row)
		*id = sqlite3_column_int64(find, 0);
	sql_reset(find);
	*opened = r == 0 && !row;
	return *opened ? case_register(ledger, v, now_ms, id) : r;
}

int ledger_case_refresh(struct ledger *ledger, int64_t id, bool has_last, double last)
{
	sqlite3_stmt *worst = ledger->sql[SQL_CASE_WORST], *refresh = ledger->sql[SQL_CASE_REFRESH];
	double limit, peak, multiple;
	bool row;

	sql_bind(worst, "i", id);
	int r = sql_step(worst, &row);
	if (r == 0 && row) {
		bool has_limit = sql_double(worst, 1, &limit),
		     has_peak = sql_double(worst, 3, &peak);
		bool has_multiple = sql_double(worst, 5, &multiple);
		enum severity severity =
			strcmp(sql_text(worst, 7), alert_kind_name(ALERT_EXCEEDANCE)) == 0
				? case_severity((enum site_kind)sqlite3_column_int(worst, 6),
						has_multiple, multiple)
				: SEVERITY_GENERAL;
		r = sql_do(refresh, "itotoioto", id, sql_text(worst, 0), (int)has_limit, limit,
			   sql_text(worst, 2), (int)has_peak, peak, sqlite3_column_int64(worst, 4),
			   (int)has_multiple, multiple, severity_name(severity), (int)has_last,
			   last);
	}
	sql_reset(worst);
	return r;
}

/* --- reading --- */

static enum severity case_severity_find(const char *name)
{
	int severity = SEVERITY_GRAVE;
	while (severity > SEVERITY_GENERAL &&
	       strcmp(severity_name((enum severity)severity), name) != 0)
		severity--;
	return (enum severity)severity;
}

/* The columns of CASE_COLUMNS; texts are valid until the statement moves on. */
static struct case_view case_view(sqlite3_stmt *row)
{
	struct case_view c = {
		.id = sqlite3_column_int64(row, 0),
		.seq = sqlite3_column_int64(row, 1),
		.year = sqlite3_column_int64(row, 2),
		.site = sql_text(row, 3),
		.site_name = sql_text(row, 4),
		.factor = sql_text(row, 5),
		.factor_name = sql_text(row, 6),
		.kind = ledger_kind(sql_text(row, 7)),
		.average = ledger_average(sql_text(row, 8)),
		.bound = ledger_bound(sql_text(row, 9)),
		.severity = case_severity_find(sql_text(row, 10)),
		.status = ledger_status(sql_text(row, 11)),
		.verified = sqlite3_column_int(row, 12) != 0,
		.level = sql_text(row, 13),
		.escalation = sqlite3_column_int(row, 14),
		.source = sql_text(row, 15),
		.opened_ms = sqlite3_column_int64(row, 16),
		.closed_ms = sqlite3_column_int64(row, 17),
		.due_ms = sqlite3_column_int64(row, 18),
		.peak_ms = sqlite3_column_int64(row, 24),
		.limit_source = sql_text(row, 25),
		.unit = sql_text(row, 26),
		.decimals = sqlite3_column_int(row, 27),
		.n_readings = sqlite3_column_int64(row, 31),
		.responsible = {.unit = sql_text(row, 28),
				.leader = sql_text(row, 29),
				.team = sql_text(row, 30)},
	};
	c.has_limit = sql_double(row, 19, &c.limit);
	c.has_value = sql_double(row, 20, &c.first_value);
	sql_double(row, 21, &c.peak_value);
	sql_double(row, 22, &c.last_value);
	c.has_multiple = sql_double(row, 23, &c.multiple);
	return c;
}

/* Texts read from one statement while another moves: kept until the case is written. */
struct case_parts {
	struct episode_view *episodes;
	struct history_view *history;
	size_t n_episodes, n_history;
	char **texts;
	size_t n_texts, capacity;
	bool failed;
};

static void parts_free(struct case_parts *parts)
{
	for (size_t i = 0; i < parts->n_texts; i++)
		free(parts->texts[i]);
	free(parts->texts);
	free(parts->episodes);
	free(parts->history);
}

static const char *parts_text(struct case_parts *parts, const char *s)
{
	if (s == NULL || parts->failed)
		return NULL;
	if (parts->n_texts == parts->capacity) {
		size_t more = parts->capacity * 2 + 16;
		void *grown = reallocarray(parts->texts, more, sizeof *parts->texts);
		if (grown == NULL) {
			parts->failed = true;
			return NULL;
		}
		parts->texts = grown;
		parts->capacity = more;
	}
	char *copy = strdup(s);
	if (copy == NULL)
		parts->failed = true;
	else
		parts->texts[parts->n_texts++] = copy;
	return copy;
}

/* Return: room for one more, NULL without memory. Grows by powers of two. */
static void *parts_grow(void **array, size_t n, size_t size)
{
	if (n == 0 || (n & (n - 1)) == 0) {
		void *grown = reallocarray(*array, n == 0 ? 1 : n * 2, size);
		if (grown == NULL)
			return NULL;
		*array = grown;
	}
	return (char *)*array + n * size;
}

static int parts_episodes(struct ledger *ledger, int64_t id, int64_t most, struct case_parts *parts)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_EPISODES];
	bool row;

	sql_bind(list, "ii", id, most);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		void *array = parts->episodes;
		struct episode_view *e = parts_grow(&array, parts->n_episodes, sizeof *e);
		parts->episodes = array;
		if (e == NULL) {
			r = -ENOMEM;
			break;
		}
		*e = (struct episode_view){.alert_id = sqlite3_column_int64(list, 0),
					   .began_ms = sqlite3_column_int64(list, 1),
					   .raised_ms = sqlite3_column_int64(list, 2),
					   .ended_ms = sqlite3_column_int64(list, 3),
					   .limit_source = parts_text(parts, sql_text(list, 6))};
		e->has_value = sql_double(list, 4, &e->peak);
		e->has_limit = sql_double(list, 5, &e->limit);
		parts->n_episodes++;
	}
	sql_reset(list);
	return r;
}

static int parts_history(struct ledger *ledger, int64_t id, struct case_parts *parts)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_HISTORY];
	bool row;

	sql_bind(list, "i", id);
	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		void *array = parts->history;
		struct history_view *h = parts_grow(&array, parts->n_history, sizeof *h);
		parts->history = array;
		if (h == NULL) {
			r = -ENOMEM;
			break;
		}
		*h = (struct history_view){.at_ms = sqlite3_column_int64(list, 0),
					   .action = parts_text(parts, sql_text(list, 1)),
					   .by = parts_text(parts, sql_text(list, 2)),
					   .note = parts_text(parts, sql_text(list, 3)),
					   .unit = parts_text(parts, sql_text(list, 4)),
					   .leader = parts_text(parts, sql_text(list, 5)),
					   .team = parts_text(parts, sql_text(list, 6)),
					   .reason = parts_text(parts, sql_text(list, 7)),
					   .due_ms = sqlite3_column_int64(list, 8)};
		parts->n_history++;
	}
	sql_reset(list);
	return r;
}

static int case_write(struct ledger *ledger, sqlite3_stmt *row, int64_t most, struct text *out)
{
	struct case_view c = case_view(row);
	struct case_parts parts = {0};

	int r = parts_episodes(ledger, c.id, most, &parts);
	if (r == 0)
		r = parts_history(ledger, c.id, &parts);
	if (r == 0 && parts.failed)
		r = -ENOMEM;
	c.episodes = parts.episodes;
	c.n_episodes = parts.n_episodes;
	c.history = parts.history;
	c.n_history = parts.n_history;
	if (r == 0)
		json_case(out, ledger->plan, &c);
	parts_free(&parts);
	return r;
}

int ledger_case_text(struct ledger *ledger, int64_t id, int64_t most, struct text *out)
{
	sqlite3_stmt *one = ledger->sql[SQL_CASE_ONE];
	bool row;

	sql_bind(one, "i", id);
	int r = sql_step(one, &row);
	if (r == 0)
		r = row ? case_write(ledger, one, most, out) : LEDGER_UNKNOWN;
	sql_reset(one);
	return r;
}

int ledger_case_json(struct ledger *ledger, int64_t id, struct text *out)
{
	pthread_mutex_lock(&ledger->lock);
	int r = ledger_case_text(ledger, id, EPISODES_ALL, out);
	pthread_mutex_unlock(&ledger->lock);
	return r == 0 && out->failed ? -ENOMEM : r;
}

int ledger_cases_json(struct ledger *ledger, const struct case_filter *filter, struct text *out)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_LIST];
	int64_t last = 0;
	size_t n = 0;
	bool row;

	text_add(out, "{\"cases\":[");
	pthread_mutex_lock(&ledger->lock);
	sql_bind(list, "btiiii", (int)filter->all, filter->site, filter->from_ms, filter->to_ms,
		 filter->after, (int64_t)filter->limit);
	int r = sql_step(list, &row);
	while (r == 0 && row) {
		last = sqlite3_column_int64(list, 0);
		text_add(out, n++ > 0 ? "," : "");
		r = case_write(ledger, list, EPISODES_ALL, out);
		if (r == 0)
			r = sql_step(list, &row);
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	text_add(out, "]");
	if (n > 0 && n == filter->limit)
		text_format(out, ",\"next\":%lld", (long long)last);
	text_add(out, "}");
	return r == 0 && out->failed ? -ENOMEM : r;
}
