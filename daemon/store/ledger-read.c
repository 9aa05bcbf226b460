/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of CASE_COLUMNS; texts are valid until the statement moves on. */
static struct case_view case_view(sqlite3_stmt *row)
{
	struct case_view c = {
		.id = sqlite3_column_int64(row, CASE_ID),
		.seq = sqlite3_column_int64(row, CASE_SEQ),
		.year = sqlite3_column_int64(row, CASE_YEAR),
		.site = sql_text(row, CASE_SITE),
		.site_name = sql_text(row, CASE_SITE_NAME),
		.factor = sql_text(row, CASE_FACTOR),
		.factor_name = sql_text(row, CASE_FACTOR_NAME),
		.kind = ledger_kind(sql_text(row, CASE_KIND)),
		.average = average_named(sql_text(row, CASE_AVERAGE)),
		.bound = ledger_bound(sql_text(row, CASE_BOUND)),
		.severity = severity_find(sql_text(row, CASE_SEVERITY)),
		.status = ledger_status(sql_text(row, CASE_STATUS)),
		.verified = sqlite3_column_int(row, CASE_VERIFIED) != 0,
		.level = sql_text(row, CASE_LEVEL),
		.escalation = sqlite3_column_int(row, CASE_ESCALATION),
		.source = sql_text(row, CASE_SOURCE),
		.opened_ms = sqlite3_column_int64(row, CASE_OPENED_AT),
		.closed_ms = sqlite3_column_int64(row, CASE_CLOSED_AT),
		.due_ms = sqlite3_column_int64(row, CASE_DUE),
		.peak_ms = sqlite3_column_int64(row, CASE_PEAK_AT),
		.limit_source = sql_text(row, CASE_LIMIT_SOURCE),
		.unit = sql_text(row, CASE_VALUE_UNIT),
		.decimals = sqlite3_column_int(row, CASE_DECIMALS),
		.n_readings = sqlite3_column_int64(row, CASE_READINGS),
		.responsible = {.unit = sql_text(row, CASE_UNIT),
				.leader = sql_text(row, CASE_LEADER),
				.team = sql_text(row, CASE_TEAM)},
		.title = sql_text(row, CASE_TITLE),
		.document = sql_text(row, CASE_DOCUMENT),
		.track = sql_text(row, CASE_TRACK),
		.reason = sql_text(row, CASE_REASON),
		.extended = sqlite3_column_int(row, CASE_EXTENDED) != 0,
		.relapses = sqlite3_column_int(row, CASE_RELAPSES),
		.reopened = sqlite3_column_int(row, CASE_REOPENED),
		.restored = sqlite3_column_int(row, CASE_RESTORED),
		.merged_into = sqlite3_column_int64(row, CASE_MERGED),
	};
	c.digest = sql_text(row, CASE_DIGEST);
	if (c.digest != NULL)
		c.n_readings = sqlite3_column_int64(row, CASE_DIGEST_READINGS);
	c.has_limit = sql_double(row, CASE_LIMIT, &c.limit);
	c.has_value = sql_double(row, CASE_FIRST, &c.first_value);
	sql_double(row, CASE_PEAK, &c.peak_value);
	sql_double(row, CASE_LAST, &c.last_value);
	c.has_multiple = sql_double(row, CASE_MULTIPLE, &c.multiple);
	return c;
}

void case_parts_deinit(struct case_parts *parts)
{
	for (size_t i = 0; i < parts->n_texts; i++)
		free(parts->texts[i]);
	free(parts->texts);
	free(parts->episodes);
	free(parts->factors);
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

static void oldest_first(struct case_parts *parts)
{
	for (size_t i = 0, j = parts->n_episodes; i + 1 < j; i++) {
		struct episode_view later = parts->episodes[i];
		parts->episodes[i] = parts->episodes[--j];
		parts->episodes[j] = later;
	}
}

/* SQL_CASE_EPISODES gives the newest first. */
static int parts_episodes(struct ledger *ledger, int64_t id, int64_t most, struct case_parts *parts)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_EPISODES];
	bool row;

	sql_bind(list, "i", id);
	int r = sql_step(list, &row);
	for (; r == 0 && row && (most < 0 || parts->n_episodes < (size_t)most);
	     r = sql_step(list, &row)) {
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
					   .limit_source = parts_text(parts, sql_text(list, 6)),
					   .factor = parts_text(parts, sql_text(list, 7)),
					   .unit = parts_text(parts, sql_text(list, 8)),
					   .decimals = sqlite3_column_int(list, 9),
					   .reason = parts_text(parts, sql_text(list, 10))};
		e->has_value = sql_double(list, 4, &e->peak);
		e->has_limit = sql_double(list, 5, &e->limit);
		parts->n_episodes++;
	}
	sql_reset(list);
	oldest_first(parts);
	return r;
}

/* The columns of SQL_CASE_FACTORS. */
static struct factor_view factor_view(struct case_parts *parts, sqlite3_stmt *row)
{
	struct factor_view f = {.factor = parts_text(parts, sql_text(row, 0)),
				.factor_name = parts_text(parts, sql_text(row, 1)),
				.unit = parts_text(parts, sql_text(row, 2)),
				.decimals = sqlite3_column_int(row, 3),
				.bound = ledger_bound(sql_text(row, 4)),
				.limit_source = parts_text(parts, sql_text(row, 6)),
				.peak_ms = sqlite3_column_int64(row, 8)};
	f.has_limit = sql_double(row, 5, &f.limit);
	f.has_value = sql_double(row, 7, &f.peak);
	f.has_multiple = sql_double(row, 9, &f.multiple);
	return f;
}

static int parts_factors(struct ledger *ledger, int64_t id, const char *factor,
			 struct case_parts *parts)
{
	sqlite3_stmt *list = ledger->sql[SQL_CASE_FACTORS];
	sqlite3_stmt *several = ledger->sql[SQL_CASE_SEVERAL];
	bool row;

	sql_bind(several, "it", id, factor);
	int r = sql_step(several, &row);
	sql_reset(several);
	if (r != 0 || !row)
		return r;
	sql_bind(list, "it", id, factor);
	r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		void *array = parts->factors;
		struct factor_view *f = parts_grow(&array, parts->n_factors, sizeof *f);
		parts->factors = array;
		if (f == NULL) {
			r = -ENOMEM;
			break;
		}
		*f = factor_view(parts, list);
		parts->n_factors++;
	}
	sql_reset(list);
	return r;
}

/* The columns of SQL_CASE_HISTORY. */
static struct history_view history_view(struct case_parts *parts, sqlite3_stmt *row)
{
	struct history_view h = {.at_ms = sqlite3_column_int64(row, 0),
				 .action = parts_text(parts, sql_text(row, 1)),
				 .order = {.due_ms = sqlite3_column_int64(row, 18),
					   .other = sqlite3_column_int64(row, 19),
					   .bytes = sqlite3_column_int64(row, 20)},
				 .escalation = sqlite3_column_int(row, 21)};
	struct case_order *o = &h.order;
	const char **const texts[] = {&o->by,       &o->note,   &o->unit,     &o->leader,
				      &o->team,     &o->reason, &o->track,    &o->step,
				      &o->document, &o->level,  &o->checkers, &o->approved_by,
				      &o->relation, &o->file,   &o->type,     &o->sha256};
	o->user = parts_text(parts, sql_text(row, 22));
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		*texts[i] = parts_text(parts, sql_text(row, (int)i + 2));
	return h;
}

int ledger_case_history(struct ledger *ledger, int64_t id, struct case_parts *parts)
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
		*h = history_view(parts, list);
		parts->n_history++;
	}
	sql_reset(list);
	return r == 0 && parts->failed ? -ENOMEM : r;
}

static int case_write(struct ledger *ledger, sqlite3_stmt *row, int64_t most, struct text *out)
{
	struct case_view c = case_view(row);
	struct case_parts parts = {0};

	int r = parts_episodes(ledger, c.id, most, &parts);
	if (r == 0)
		r = parts_factors(ledger, c.id, c.factor, &parts);
	if (r == 0)
		r = ledger_case_history(ledger, c.id, &parts);
	c.episodes = parts.episodes;
	c.n_episodes = parts.n_episodes;
	c.factors = parts.factors;
	c.n_factors = parts.n_factors;
	c.history = parts.history;
	c.n_history = parts.n_history;
	if (r == 0)
		json_case(out, ledger->plan, &c);
	case_parts_deinit(&parts);
	return r;
}

int ledger_case_told(struct ledger *ledger, int64_t id, int64_t most, struct text *out, char **site)
{
	sqlite3_stmt *one = ledger->sql[SQL_CASE_ONE];
	bool row;

	*site = NULL;
	sql_bind(one, "i", id);
	int r = sql_step(one, &row);
	if (r == 0)
		r = row ? case_write(ledger, one, most, out) : LEDGER_UNKNOWN;
	if (r == 0 && sql_text(one, CASE_SITE) != NULL)
		*site = strdup(sql_text(one, CASE_SITE));
	sql_reset(one);
	return r;
}

int ledger_case_text(struct ledger *ledger, int64_t id, int64_t most, struct text *out)
{
	char *site;
	int r = ledger_case_told(ledger, id, most, out, &site);
	free(site);
	return r;
}

int ledger_case_json(struct ledger *ledger, int64_t id, struct text *out)
{
	pthread_mutex_lock(&ledger->lock);
	int r = ledger_case_text(ledger, id, EPISODES_ALL, out);
	pthread_mutex_unlock(&ledger->lock);
	return r == 0 && out->failed ? -ENOMEM : r;
}

/* Lock held. */
static int case_whose(struct ledger *ledger, int64_t id, struct case_whose *out)
{
	sqlite3_stmt *one = ledger->sql[SQL_CASE_WHOSE];
	bool row;

	*out = (struct case_whose){.verified = false};
	sql_bind(one, "i", id);
	int r = sql_step(one, &row);
	if (r == 0 && row) {
		const char *site = sql_text(one, 0);
		snprintf(out->site, sizeof out->site, "%s", site == NULL ? "" : site);
		out->verified = sqlite3_column_int(one, 1) != 0;
	}
	sql_reset(one);
	return r == 0 && !row ? LEDGER_UNKNOWN : r;
}

int ledger_case_whose(struct ledger *ledger, int64_t id, struct case_whose *out)
{
	pthread_mutex_lock(&ledger->lock);
	int r = case_whose(ledger, id, out);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

bool ledger_chosen(struct ledger *ledger, const struct ledger_choice *choice,
		   struct ledger_row *row, int64_t case_id)
{
	struct case_whose whose;

	if (choice->wanted == NULL)
		return true;
	row->has_case = case_id != 0;
	if (case_id != 0)
		row->verified = case_whose(ledger, case_id, &whose) == 0 && whose.verified;
	return choice->wanted(choice->plan, row);
}

/* Lock held. */
static bool case_chosen(struct ledger *ledger, const struct ledger_choice *choice,
			sqlite3_stmt *row)
{
	struct ledger_row whole = {.site = sql_text(row, CASE_SITE),
				   .kind = ledger_kind(sql_text(row, CASE_KIND))};
	return ledger_chosen(ledger, choice, &whole, sqlite3_column_int64(row, CASE_ID));
}

int ledger_cases_json(struct ledger *ledger, const struct case_filter *filter, struct text *out)
{
	int64_t last = 0;
	size_t n = 0;
	bool row;

	text_add(out, "{\"cases\":[");
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_CASE_LIST];
	sql_bind(list, "btiiiii", (int)filter->all, filter->site, filter->from_ms, filter->to_ms,
		 filter->after, ledger_list_most(&filter->choice, filter->limit), filter->due_ms);
	int r = sql_step(list, &row);
	while (r == 0 && row && n < filter->limit) {
		if (case_chosen(ledger, &filter->choice, list)) {
			last = sqlite3_column_int64(list, 0);
			text_add(out, n++ > 0 ? "," : "");
			r = case_write(ledger, list, EPISODES_ALL, out);
		}
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

int ledger_complained(struct ledger *ledger, int64_t id, int64_t within_ms, bool *repeated)
{
	sqlite3_stmt *find = ledger->sql[SQL_CASE_COMPLAINED];

	pthread_mutex_lock(&ledger->lock);
	sql_bind(find, "ii", id, within_ms);
	int r = sql_step(find, repeated);
	sql_reset(find);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}
