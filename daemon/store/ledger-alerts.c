/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 256

int ledger_recount_alerts(struct ledger *ledger)
{
	const struct plan *plan = ledger->plan;
	sqlite3_stmt *list = ledger->sql[SQL_ALERT_COUNT];
	uint32_t *kinds = calloc(plan->n_monitors + 1, sizeof *kinds);
	size_t active[ALERT_KINDS] = {0};
	bool row = false;
	int r = kinds != NULL ? sql_step(list, &row) : -ENOMEM;

	for (; r == 0 && row; r = sql_step(list, &row)) {
		const char *site = sql_text(list, 0), *factor = sql_text(list, 1);
		enum alert_kind kind = ledger_kind(sql_text(list, 2));
		if (kind == ALERT_KINDS)
			continue;
		active[kind]++;
		uint32_t monitor = site != NULL && factor != NULL ? plan_monitor(plan, site, factor)
								  : NO_INDEX;
		if (monitor != NO_INDEX)
			kinds[monitor] |= 1u << kind;
	}
	sql_reset(list);
	for (size_t i = 0; r == 0 && i < plan->n_monitors; i++)
		atomic_store_explicit(&ledger->kinds[i], kinds[i], memory_order_relaxed);
	for (size_t i = 0; r == 0 && i < ALERT_KINDS; i++)
		atomic_store_explicit(&ledger->active[i], active[i], memory_order_relaxed);
	free(kinds);
	return r;
}

uint32_t ledger_active_kinds(struct ledger *ledger, uint32_t monitor)
{
	if (monitor >= ledger->plan->n_monitors)
		return 0;
	return atomic_load_explicit(&ledger->kinds[monitor], memory_order_relaxed);
}

size_t ledger_active_count(struct ledger *ledger, enum alert_kind kind)
{
	return atomic_load_explicit(&ledger->active[kind], memory_order_relaxed);
}

/* The worse of two peaks, seen from the bound that is crossed. */
static bool alert_worse(enum bound bound, double peak, double than)
{
	if (bound == BOUND_NONE)
		return true;
	return bound == BOUND_MAX ? peak > than : peak < than;
}

static bool alert_multiple(const struct ledger *ledger, const struct verdict *v, double peak,
			   double *out)
{
	*out = 0;
	if (v->kind != ALERT_EXCEEDANCE || v->monitor == NO_INDEX || !v->has_limit || !v->has_value)
		return false;
	return case_multiple(&ledger->plan->monitors[v->monitor], v->bound, peak, v->limit_value,
			     out);
}

static int alert_add(struct ledger *ledger, const struct verdict *v, const char *key,
		     int64_t case_id, int64_t *id)
{
	static const struct site no_site;
	static const struct monitor no_monitor;
	static const struct limit no_limit;
	const struct plan *plan = ledger->plan;
	const struct monitor *m =
		v->monitor != NO_INDEX ? &plan->monitors[v->monitor] : &no_monitor;
	const struct site *site = v->monitor != NO_INDEX ? &plan->sites[m->site] : &no_site;
	const struct limit *limit =
		v->monitor != NO_INDEX && v->limit < m->n_limits ? &m->limits[v->limit] : &no_limit;
	const char *connection = v->kind == ALERT_CONNECTION && v->connection < plan->n_connections
					 ? plan->connections[v->connection].id
					 : NULL;
	double multiple;
	bool has_multiple = alert_multiple(ledger, v, v->peak_value, &multiple);

	int r = sql_do(ledger->sql[SQL_ALERT_ADD], "tttttttttiioooiootttitzi", key, site->id,
		       site->name, m->factor, m->factor_name, connection, alert_kind_name(v->kind),
		       average_name(v->average), ledger_bound_name(v->bound), v->began_ms,
		       v->raised_ms, (int)v->has_value, v->value, (int)v->has_limit, v->limit_value,
		       (int)v->has_value, v->peak_value, v->peak_ms, (int)v->has_value,
		       v->last_value, (int)has_multiple, multiple,
		       v->kind == ALERT_LOAD ? m->permit_source : limit->source, limit->key,
		       alert_unit(m, v->kind), (int64_t)alert_decimals(m, v->kind), v->reason,
		       case_id, (int64_t)v->readings);
	*id = sqlite3_last_insert_rowid(ledger->db);
	return r;
}

static int verdict_shelved(struct ledger *ledger, const struct verdict *v, bool *shelved)
{
	const struct monitor *m = &ledger->plan->monitors[v->monitor];
	return ledger_shelved(ledger, ledger->plan->sites[m->site].id, m->factor, shelved);
}

static int verdict_raise(struct ledger *ledger, const struct verdict *v, int64_t now_ms,
			 int64_t *opened)
{
	char key[KEY_BYTES];
	int64_t case_id = 0, id;
	bool known, is_new = false, shelved = false;

	verdict_key(ledger->plan, v, key, sizeof key);
	sql_bind(ledger->sql[SQL_ALERT_KNOWN], "ti", key, v->raised_ms);
	int r = sql_step(ledger->sql[SQL_ALERT_KNOWN], &known);
	sql_reset(ledger->sql[SQL_ALERT_KNOWN]);
	if (r != 0 || known)
		return r;
	if (case_wanted(ledger->plan, v))
		r = verdict_shelved(ledger, v, &shelved);
	if (r == 0 && case_wanted(ledger->plan, v) && !shelved)
		r = ledger_case_raise(ledger, v, now_ms, &case_id, &is_new);
	if (r == 0)
		r = alert_add(ledger, v, key, case_id, &id);
	if (r == 0 && case_id != 0)
		r = ledger_case_refresh(ledger, case_id, v, v->has_value, v->time_ms,
					is_new ? 0 : now_ms);
	if (r == 0)
		r = ledger_alert_event(ledger, id, "ducha.alert.raised", v->time_ms, now_ms);
	if (r == 0 && !shelved)
		r = ledger_duty_raise(ledger, v, id, now_ms);
	if (r == 0 && case_id != 0)
		r = ledger_case_event(ledger, case_id,
				      is_new ? "ducha.case.opened" : "ducha.case.updated", now_ms);
	if (r == 0 && is_new)
		r = ledger_case_above(ledger, case_id, v, now_ms);
	if (is_new)
		*opened = case_id;
	return r;
}

/* A case for an alert that has none yet, or one that was withdrawn, whose episode it stays. */
static int alert_take_case(struct ledger *ledger, const struct verdict *v, int64_t id,
			   int64_t now_ms, int64_t *case_id, bool *is_new)
{
	int r = ledger_case_raise(ledger, v, now_ms, case_id, is_new);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_ALERT_LEAVE], "iii", id, *case_id, now_ms);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_ALERT_ADOPT], "ii", id, *case_id);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_DIGEST_VOID], "ii", id, *case_id);
	if (r == 0)
		r = ledger_case_refresh(ledger, *case_id, v, v->has_value, now_ms,
					*is_new ? 0 : now_ms);
	if (r == 0)
		r = ledger_case_event(ledger, *case_id,
				      *is_new ? "ducha.case.opened" : "ducha.case.updated", now_ms);
	return r;
}

struct active_alert {
	int64_t id, case_id, peak_ms;
	bool has_peak;
	bool quiet; /* it has called nobody, and nobody knows of it */
	double peak;
};

/*
 * The active alert that a clear or peak speaks of. After a restart the judge goes over old readings
 * again: what lies before the active alert's raise speaks of an earlier one.
 */
static int verdict_find(struct ledger *ledger, const struct verdict *v, struct active_alert *out)
{
	sqlite3_stmt *find = ledger->sql[SQL_ALERT_ACTIVE];
	char key[KEY_BYTES];
	bool row;

	*out = (struct active_alert){0};
	verdict_key(ledger->plan, v, key, sizeof key);
	sql_bind(find, "t", key);
	int r = sql_step(find, &row);
	if (r == 0 && row) {
		int64_t raised = sqlite3_column_int64(find, 1);
		if (v->raised_ms == raised || v->time_ms > raised) {
			out->id = sqlite3_column_int64(find, 0);
			out->case_id = sqlite3_column_int64(find, 2);
			out->has_peak = sql_double(find, 4, &out->peak);
			out->peak_ms = sqlite3_column_int64(find, 5);
			out->quiet = sqlite3_column_int(find, 6) != 0;
		}
	}
	sql_reset(find);
	return r;
}

/* What waits for the morning and has become grave meanwhile calls. */
static int alert_worsened(struct ledger *ledger, const struct active_alert *alert,
			  const struct verdict *v, double peak, int64_t now_ms)
{
	bool shelved;

	if (!alert->quiet || v->type != VERDICT_PEAK || v->monitor == NO_INDEX)
		return 0;
	int r = verdict_shelved(ledger, v, &shelved);
	return r != 0 || shelved ? r : ledger_duty_worse(ledger, v, alert->id, peak, now_ms);
}

static int alert_take(struct ledger *ledger, const struct active_alert *alert,
		      const struct verdict *v, int64_t now_ms)
{
	double peak = v->peak_value, multiple;
	int64_t peak_ms = v->peak_ms;

	if (!v->has_value)
		return 0;
	if (alert->has_peak && !alert_worse(v->bound, peak, alert->peak)) {
		peak = alert->peak;
		peak_ms = alert->peak_ms;
	}
	bool has_multiple = alert_multiple(ledger, v, peak, &multiple);
	int r = sql_do(ledger->sql[SQL_ALERT_WORST], "ididoi", alert->id, peak, peak_ms,
		       v->last_value, (int)has_multiple, multiple, (int64_t)v->readings);
	if (r == 0 && alert->case_id != 0)
		r = ledger_case_refresh(ledger, alert->case_id, v, true, v->time_ms, now_ms);
	return r == 0 ? alert_worsened(ledger, alert, v, peak, now_ms) : r;
}

/* The time for marking is over: what waited for it opens its case, or joins one. */
static int verdict_settle(struct ledger *ledger, const struct verdict *v, int64_t now_ms,
			  int64_t *opened)
{
	struct active_alert alert;
	bool shelved = false, is_new;
	int64_t case_id;

	int r = verdict_find(ledger, v, &alert);
	if (r != 0 || alert.id == 0 || alert.case_id != 0)
		return r;
	r = sql_do(ledger->sql[SQL_ALERT_SETTLE], "i", alert.id);
	if (r == 0 && case_wanted(ledger->plan, v))
		r = verdict_shelved(ledger, v, &shelved);
	if (r != 0 || shelved || !case_wanted(ledger->plan, v))
		return r;
	r = alert_take_case(ledger, v, alert.id, now_ms, &case_id, &is_new);
	if (r == 0 && is_new)
		r = ledger_case_above(ledger, case_id, v, now_ms);
	*opened = is_new ? case_id : 0;
	return r;
}

/* What a shelf waited for. */
static int verdict_calm(struct ledger *ledger, const struct verdict *v, int64_t now_ms)
{
	const struct plan *plan = ledger->plan;

	if (v->monitor == NO_INDEX || plan->rules == NULL)
		return 0;
	const struct monitor *m = &plan->monitors[v->monitor];
	return ledger_shelves_calm(ledger, plan->sites[m->site].id, m->factor, now_ms);
}

static int verdict_end(struct ledger *ledger, const struct verdict *v, int64_t now_ms)
{
	struct active_alert alert;

	int r = verdict_find(ledger, v, &alert);
	if (r != 0 || alert.id == 0)
		return r;
	r = alert_take(ledger, &alert, v, now_ms);
	if (r != 0 || v->type == VERDICT_PEAK)
		return r;
	ledger->timed = true;
	r = sql_do(ledger->sql[SQL_ALERT_CLEAR], "ii", alert.id, v->time_ms);
	if (r == 0)
		r = ledger_alert_event(ledger, alert.id, "ducha.alert.cleared", v->time_ms, now_ms);
	return r == 0 ? verdict_calm(ledger, v, now_ms) : r;
}

int ledger_apply(struct ledger *ledger, const struct verdict *verdicts, size_t n, int64_t now_ms,
		 int64_t *opened)
{
	int64_t ignored;

	for (size_t i = 0; opened != NULL && i < n; i++)
		opened[i] = 0;
	if (n == 0)
		return 0;
	int r = ledger_begin(ledger);
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (verdicts[i].type == VERDICT_RAISED)
			r = verdict_raise(ledger, &verdicts[i], now_ms,
					  opened != NULL ? &opened[i] : &ignored);
		else if (verdicts[i].type == VERDICT_SETTLED)
			r = verdict_settle(ledger, &verdicts[i], now_ms,
					   opened != NULL ? &opened[i] : &ignored);
		else
			r = verdict_end(ledger, &verdicts[i], now_ms);
	}
	r = ledger_end(ledger, r);
	for (size_t i = 0; r != 0 && opened != NULL && i < n; i++)
		opened[i] = 0;
	return r;
}

/* The columns of ALERT_COLUMNS; texts are valid until the statement moves on. */
static struct alert_view alert_view(sqlite3_stmt *row)
{
	struct alert_view a = {
		.id = sqlite3_column_int64(row, 0),
		.site = sql_text(row, 1),
		.factor = sql_text(row, 2),
		.connection = sql_text(row, 3),
		.kind = ledger_kind(sql_text(row, 4)),
		.bound = ledger_bound(sql_text(row, 5)),
		.average = average_named(sql_text(row, 6)),
		.began_ms = sqlite3_column_int64(row, 7),
		.raised_ms = sqlite3_column_int64(row, 8),
		.cleared_ms = sqlite3_column_int64(row, 9),
		.limit_source = sql_text(row, 13),
		.unit = sql_text(row, 14),
		.reason = sql_text(row, 15),
		.site_name = sql_text(row, 16),
		.factor_name = sql_text(row, 17),
		.decimals = sqlite3_column_int(row, 18),
		.case_id = sqlite3_column_int64(row, 19),
	};
	a.acknowledged_ms = sqlite3_column_int64(row, 25);
	a.acknowledged_by = sql_text(row, 26);
	a.shelved_ms = sqlite3_column_int64(row, 27);
	a.has_value = sql_double(row, 10, &a.value);
	a.has_limit = sql_double(row, 11, &a.limit);
	sql_double(row, 12, &a.peak);
	return a;
}

static void alert_subject(const struct alert_view *alert, struct alert_subject *out)
{
	int n = 0;

	out->case_id = alert->case_id;
	if (alert->site != NULL) {
		out->site = strdup(alert->site);
		n = asprintf(&out->subject, "%s/%s", alert->site,
			     alert->factor != NULL ? alert->factor : "");
	} else if (alert->connection != NULL) {
		out->subject = strdup(alert->connection);
	}
	if (n < 0)
		out->subject = NULL;
}

void alert_subject_deinit(struct alert_subject *subject)
{
	free(subject->subject);
	free(subject->site);
}

int ledger_alert_told(struct ledger *ledger, int64_t id, struct text *out,
		      struct alert_subject *subject)
{
	sqlite3_stmt *one = ledger->sql[SQL_ALERT_ONE];
	bool row;

	*subject = (struct alert_subject){0};
	sql_bind(one, "i", id);
	int r = sql_step(one, &row);
	if (r == 0 && !row)
		r = LEDGER_UNKNOWN;
	if (r == 0) {
		const struct alert_view alert = alert_view(one);
		json_alert(out, ledger->plan, &alert);
		alert_subject(&alert, subject);
	}
	sql_reset(one);
	return r;
}

int ledger_alert_text(struct ledger *ledger, int64_t id, struct text *out)
{
	struct alert_subject subject;
	int r = ledger_alert_told(ledger, id, out, &subject);
	alert_subject_deinit(&subject);
	return r;
}

int ledger_alerts_json(struct ledger *ledger, const struct alert_filter *filter, struct text *out)
{
	int64_t last = 0;
	size_t n = 0;
	bool row;

	text_add(out, "{\"alerts\":[");
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_ALERT_LIST];
	sql_bind(list, "itii", (int64_t)filter->active, filter->site,
		 ledger_list_most(&filter->choice, filter->limit), filter->after);
	int r = sql_step(list, &row);
	for (; r == 0 && row && n < filter->limit; r = sql_step(list, &row)) {
		struct alert_view alert = alert_view(list);
		struct ledger_row whole = {.site = alert.site, .kind = alert.kind};
		if (!ledger_chosen(ledger, &filter->choice, &whole, alert.case_id))
			continue;
		last = alert.id;
		text_add(out, n++ > 0 ? "," : "");
		json_alert(out, ledger->plan, &alert);
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	text_add(out, "]");
	if (n > 0 && n == filter->limit)
		text_format(out, ",\"next\":%lld", (long long)last);
	text_add(out, "}");
	return r == 0 && out->failed ? -ENOMEM : r;
}

/* Reasons are static words to the judge: keep one copy of each as long as the ledger lives. */
static const char *ledger_word(struct ledger *ledger, const char *word)
{
	if (word == NULL)
		return NULL;
	for (size_t i = 0; i < ledger->n_words; i++)
		if (strcmp(ledger->words[i], word) == 0)
			return ledger->words[i];
	if (ledger->n_words == LEDGER_WORDS)
		return NULL;
	char *copy = strdup(word);
	if (copy != NULL)
		ledger->words[ledger->n_words++] = copy;
	return copy;
}

static uint32_t open_limit(const struct plan *plan, uint32_t monitor, const char *key)
{
	if (monitor == NO_INDEX || key == NULL)
		return NO_INDEX;
	const struct monitor *m = &plan->monitors[monitor];
	for (size_t i = 0; i < m->n_limits; i++)
		if (m->limits[i].key != NULL && strcmp(m->limits[i].key, key) == 0)
			return (uint32_t)i;
	return NO_INDEX;
}

static uint32_t open_connection(const struct plan *plan, const char *id)
{
	for (size_t i = 0; id != NULL && i < plan->n_connections; i++)
		if (strcmp(plan->connections[i].id, id) == 0)
			return (uint32_t)i;
	return NO_INDEX;
}

static int open_alert_read(struct ledger *ledger, sqlite3_stmt *row, struct open_alert *out)
{
	const struct plan *plan = ledger->plan;
	struct alert_view a = alert_view(row);
	struct verdict *v = &out->verdict;
	char *key = strdup(sql_text(row, 20));

	if (key == NULL)
		return -ENOMEM;
	*v = (struct verdict){.type = sqlite3_column_int(row, 28) != 0 ? VERDICT_SETTLED
								       : VERDICT_RAISED,
			      .kind = a.kind,
			      .average = a.average,
			      .bound = a.bound,
			      .time_ms = a.raised_ms,
			      .began_ms = a.began_ms,
			      .raised_ms = a.raised_ms,
			      .has_value = a.has_value,
			      .has_limit = a.has_limit,
			      .value = a.value,
			      .limit_value = a.limit,
			      .peak_value = a.peak,
			      .peak_ms = sqlite3_column_int64(row, 22),
			      .readings = (uint32_t)sqlite3_column_int64(row, 24),
			      .reason = ledger_word(ledger, a.reason)};
	sql_double(row, 23, &v->last_value);
	v->monitor = a.site != NULL && a.factor != NULL ? plan_monitor(plan, a.site, a.factor)
							: NO_INDEX;
	v->connection = open_connection(plan, a.connection);
	v->limit = open_limit(plan, v->monitor, sql_text(row, 21));
	out->id = a.id;
	out->key = key;
	return 0;
}

struct open_alerts {
	struct open_alert *at;
	size_t n, capacity;
};

static int open_alerts_read(struct ledger *ledger, struct open_alerts *alerts)
{
	sqlite3_stmt *list = ledger->sql[SQL_ALERT_OPEN];
	bool row;

	int r = sql_step(list, &row);
	for (; r == 0 && row; r = sql_step(list, &row)) {
		if (alerts->n == alerts->capacity) {
			size_t more = alerts->capacity * 2 + 64;
			void *grown = reallocarray(alerts->at, more, sizeof *alerts->at);
			if (grown == NULL) {
				r = -ENOMEM;
				break;
			}
			alerts->at = grown;
			alerts->capacity = more;
		}
		r = open_alert_read(ledger, list, &alerts->at[alerts->n]);
		if (r != 0)
			break;
		alerts->n++;
	}
	sql_reset(list);
	return r;
}

/* Copied first, so that @fn may call the ledger. */
int ledger_open_alerts(struct ledger *ledger,
		       bool (*fn)(void *context, const struct open_alert *alert), void *context)
{
	struct open_alerts alerts = {0};
	bool more = true;

	pthread_mutex_lock(&ledger->lock);
	int r = open_alerts_read(ledger, &alerts);
	pthread_mutex_unlock(&ledger->lock);
	for (size_t i = 0; i < alerts.n; i++) {
		if (r == 0 && more)
			more = fn(context, &alerts.at[i]);
		free((void *)(uintptr_t)alerts.at[i].key);
	}
	free(alerts.at);
	return r;
}

/* --- what a shelf held back --- */

static int waiting_next(struct ledger *ledger, const char *site, const char *factor,
			int64_t case_id, int64_t after, struct open_alert *out)
{
	sqlite3_stmt *waiting = ledger->sql[SQL_ALERT_WAITING];
	bool row;

	*out = (struct open_alert){0};
	sql_bind(waiting, "ttii", site, factor, case_id, after);
	int r = sql_step(waiting, &row);
	if (r == 0 && row)
		r = open_alert_read(ledger, waiting, out);
	sql_reset(waiting);
	return r;
}

static int alert_adopt(struct ledger *ledger, const struct open_alert *alert, int64_t now_ms)
{
	const struct verdict *v = &alert->verdict;
	int64_t case_id;
	bool shelved, opened;

	if (!case_wanted(ledger->plan, v))
		return 0;
	int r = verdict_shelved(ledger, v, &shelved);
	if (r != 0 || shelved)
		return r;
	return alert_take_case(ledger, v, alert->id, now_ms, &case_id, &opened);
}

int ledger_alerts_adopt(struct ledger *ledger, const char *site, const char *factor,
			int64_t case_id, int64_t now_ms)
{
	struct open_alert alert;
	int64_t after = 0;
	int r;

	do {
		r = waiting_next(ledger, site, factor, case_id, after, &alert);
		if (r == 0 && alert.id != 0)
			r = alert_adopt(ledger, &alert, now_ms);
		after = alert.id;
		free((void *)(uintptr_t)alert.key);
	} while (r == 0 && after != 0);
	return r;
}

int ledger_drop_alert(struct ledger *ledger, int64_t id, int64_t now_ms, const char *reason)
{
	bool row = false;

	int r = ledger_begin(ledger);
	sqlite3_stmt *drop = ledger->sql[SQL_ALERT_DROP];
	if (r == 0) {
		sql_bind(drop, "iit", id, now_ms, reason);
		r = sql_step(drop, &row);
		sql_reset(drop);
	}
	if (r == 0 && !row)
		r = LEDGER_UNKNOWN;
	if (r == 0)
		r = ledger_alert_event(ledger, id, "ducha.alert.cleared", now_ms, now_ms);
	return ledger_end(ledger, r);
}
