/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ledger-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_BATCH = 64 };

int ledger_recount_events(struct ledger *ledger)
{
	sqlite3_stmt *last = ledger->sql[SQL_EVENT_LAST];
	bool row;

	int r = sql_step(last, &row);
	if (r == 0 && row)
		atomic_store_explicit(&ledger->last_event, sqlite3_column_int64(last, 0),
				      memory_order_release);
	sql_reset(last);
	return r;
}

struct event_head {
	const char *type, *subject, *site;
	int64_t time_ms, now_ms, case_id;
};

/* To whom a ledger that keeps no events tells them. */
static int event_tell(struct ledger *ledger, const struct event_head *head)
{
	const struct ledger_event event = {.at_ms = head->now_ms,
					   .type = head->type,
					   .site = head->site,
					   .json = ledger->data.at,
					   .case_id = head->case_id};
	return !ledger->data.failed && ledger->tell(ledger->telling, &event) ? 0 : -ENOMEM;
}

/* Adds the event around the JSON in ledger->data to the open transaction. */
static int event_add(struct ledger *ledger, const struct event_head *head)
{
	sqlite3_stmt *next = ledger->sql[SQL_EVENT_NEXT];
	int64_t id = 0;
	bool row;

	if (ledger->held)
		return event_tell(ledger, head);
	int r = sql_step(next, &row);
	if (r == 0 && row)
		id = sqlite3_column_int64(next, 0);
	sql_reset(next);
	if (r == 0)
		r = ledger_chain_flush(&ledger->chain); /* so the event carries all it tells of */
	if (r != 0)
		return r;
	text_clear(&ledger->event);
	json_event(&ledger->event, ledger->plan, id, head->type, head->time_ms, head->subject,
		   ledger->chain.head.number != 0 ? ledger->chain.head.hash : NULL,
		   ledger->data.at);
	if (ledger->data.failed || ledger->event.failed) {
		text_deinit(&ledger->data);
		text_deinit(&ledger->event);
		ledger->data = ledger->event = (struct text){0};
		return -ENOMEM;
	}
	ledger->announced = true;
	return sql_do(ledger->sql[SQL_EVENT_ADD], "iittzt", id, head->now_ms, head->type,
		      head->site, head->case_id, ledger->event.at);
}

int ledger_case_event(struct ledger *ledger, int64_t id, const char *type, int64_t now_ms)
{
	char subject[32], *site;

	text_clear(&ledger->data);
	int r = ledger_case_told(ledger, id, EPISODES_IN_EVENTS, &ledger->data, &site);
	snprintf(subject, sizeof subject, "case/%lld", (long long)id);
	if (r == 0)
		r = event_add(ledger, &(struct event_head){.type = type,
							   .subject = subject,
							   .site = site,
							   .time_ms = now_ms,
							   .now_ms = now_ms,
							   .case_id = id});
	free(site);
	return r;
}

int ledger_alert_event(struct ledger *ledger, int64_t id, const char *type, int64_t time_ms,
		       int64_t now_ms)
{
	struct alert_subject about;

	text_clear(&ledger->data);
	int r = ledger_alert_told(ledger, id, &ledger->data, &about);
	struct event_head head = {.type = type,
				  .subject = about.subject,
				  .site = about.site,
				  .time_ms = time_ms,
				  .now_ms = now_ms,
				  .case_id = about.case_id};
	if (r == 0)
		r = event_add(ledger, &head);
	if (r == 0 && about.site == NULL &&
	    about.subject != NULL) { /* a connection's: it has an event of its own */
		bool raised = strcmp(type, "ducha.alert.raised") == 0;
		head.type = raised ? "ducha.connection.lost" : "ducha.connection.restored";
		r = event_add(ledger, &head);
	}
	alert_subject_deinit(&about);
	return r;
}

/* --- duty: {"person":…,"call":…,"next_at":…,"alert":{…}} and {"person":…,"alerts":[…],"more":…} */

static void duty_head(struct ledger *ledger, const char *person)
{
	text_clear(&ledger->data);
	text_add(&ledger->data, "{\"person\":");
	text_json(&ledger->data, person);
}

int ledger_call_event(struct ledger *ledger, int64_t id, const char *person, int calls,
		      int64_t next_ms, int64_t now_ms)
{
	struct alert_subject about;

	duty_head(ledger, person);
	text_format(&ledger->data, ",\"call\":%d,\"next_at\":%s", calls,
		    next_ms == 0 ? "null" : "\"");
	if (next_ms != 0) {
		text_time(&ledger->data, next_ms, &ledger->plan->zone, 3);
		text_char(&ledger->data, '"');
	}
	text_add(&ledger->data, ",\"alert\":");
	int r = ledger_alert_told(ledger, id, &ledger->data, &about);
	text_char(&ledger->data, '}');
	if (r == 0)
		r = event_add(ledger, &(struct event_head){.type = "ducha.duty.called",
							   .subject = about.subject,
							   .site = about.site,
							   .time_ms = now_ms,
							   .now_ms = now_ms,
							   .case_id = about.case_id});
	alert_subject_deinit(&about);
	return r;
}

int ledger_digest_event(struct ledger *ledger, const char *person, const int64_t *ids, size_t n,
			int64_t all, int64_t now_ms)
{
	int r = 0;

	duty_head(ledger, person);
	text_add(&ledger->data, ",\"alerts\":[");
	for (size_t i = 0; r == 0 && i < n; i++) {
		text_add(&ledger->data, i > 0 ? "," : "");
		r = ledger_alert_text(ledger, ids[i], &ledger->data);
	}
	text_format(&ledger->data, "],\"more\":%lld}", (long long)(all - (int64_t)n));
	if (r != 0)
		return r;
	return event_add(ledger, &(struct event_head){.type = "ducha.duty.digest",
						      .subject = "duty",
						      .time_ms = now_ms,
						      .now_ms = now_ms});
}

static int anchor_event(struct ledger *ledger, int64_t seal, int64_t sealed_ms, const char *head,
			int64_t now_ms)
{
	char subject[32];

	snprintf(subject, sizeof subject, "seal/%lld", (long long)seal);
	text_clear(&ledger->data);
	text_format(&ledger->data, "{\"seal\":%lld,\"sealed_at\":\"", (long long)seal);
	text_time(&ledger->data, sealed_ms, &ledger->plan->zone, 3);
	text_format(&ledger->data, "\",\"head\":\"%s\"}", head);
	return event_add(ledger, &(struct event_head){.type = "ducha.seal.anchored",
						      .subject = subject,
						      .time_ms = now_ms,
						      .now_ms = now_ms});
}

int ledger_anchor(struct ledger *ledger, int64_t seal, int64_t sealed_ms, const char *head,
		  int64_t now_ms)
{
	int r = ledger_begin(ledger);
	if (r == 0)
		r = anchor_event(ledger, seal, sealed_ms, head, now_ms);
	return ledger_end(ledger, r);
}

struct event_copy {
	struct ledger_event event;
	char *type, *site, *json;
};

static void event_free(struct event_copy *copy)
{
	free(copy->type);
	free(copy->site);
	free(copy->json);
}

static int event_copy(sqlite3_stmt *row, struct event_copy *out)
{
	const char *site = sql_text(row, 3);

	out->type = strdup(sql_text(row, 2));
	out->site = site != NULL ? strdup(site) : NULL;
	out->json = strdup(sql_text(row, 5));
	out->event = (struct ledger_event){.id = sqlite3_column_int64(row, 0),
					   .at_ms = sqlite3_column_int64(row, 1),
					   .type = out->type,
					   .site = out->site,
					   .json = out->json,
					   .case_id = sqlite3_column_int64(row, 4)};
	if (out->type != NULL && out->json != NULL && (site == NULL || out->site != NULL))
		return 0;
	event_free(out);
	return -ENOMEM;
}

static int event_batch(struct ledger *ledger, int64_t after, size_t limit,
		       struct event_copy *copies, size_t *n)
{
	bool row;

	*n = 0;
	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *list = ledger->sql[SQL_EVENT_LIST];
	sql_bind(list, "ii", after, (int64_t)(limit < EVENT_BATCH ? limit : EVENT_BATCH));
	int r = sql_step(list, &row);
	while (r == 0 && row) {
		r = event_copy(list, &copies[*n]);
		if (r == 0) {
			++*n;
			r = sql_step(list, &row);
		}
	}
	sql_reset(list);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

/* Copied in batches, so that a slow receiver never holds the mutex. */
int ledger_events(struct ledger *ledger, int64_t after, size_t limit,
		  bool (*fn)(void *context, const struct ledger_event *event), void *context)
{
	struct event_copy copies[EVENT_BATCH];
	bool more = true;
	size_t n;
	int r;

	do {
		r = event_batch(ledger, after, limit, copies, &n);
		for (size_t i = 0; i < n; i++) {
			more = more && r == 0 && fn(context, &copies[i].event);
			after = copies[i].event.id;
			event_free(&copies[i]);
		}
		limit -= n;
	} while (r == 0 && more && n == EVENT_BATCH && limit > 0);
	return r;
}

int64_t ledger_event_first(struct ledger *ledger)
{
	bool row;

	pthread_mutex_lock(&ledger->lock);
	sqlite3_stmt *first = ledger->sql[SQL_EVENT_FIRST];
	int64_t id = sql_step(first, &row) == 0 && row ? sqlite3_column_int64(first, 0) : 0;
	sql_reset(first);
	pthread_mutex_unlock(&ledger->lock);
	return id;
}

int64_t ledger_event_last(struct ledger *ledger)
{
	return atomic_load_explicit(&ledger->last_event, memory_order_acquire);
}

static int events_pruned(struct ledger *ledger)
{
	int64_t last;
	int r = sql_number(ledger->db,
			   "SELECT coalesce((SELECT min(id) - 1 FROM events), (SELECT seq FROM"
			   " sqlite_sequence WHERE name = 'events'))",
			   0, &last);

	return r == 0 ? ledger_chain_pruned(&ledger->chain, last) : r;
}

int ledger_prune(struct ledger *ledger, int64_t before_ms)
{
	int r = ledger_begin(ledger);
	if (r == 0)
		r = sql_do(ledger->sql[SQL_EVENT_PRUNE], "i", before_ms);
	if (r == 0 && sqlite3_changes(ledger->db) > 0)
		r = events_pruned(ledger);
	return ledger_end(ledger, r);
}
