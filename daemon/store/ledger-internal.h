/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The ledger's inside, shared by its files and nobody else:
 *   ledger.c         opening, transactions, named values
 *   ledger-alerts.c  verdicts to alerts
 *   ledger-cases.c   registration, joining, actions
 *   ledger-events.c  the outbox
 * Functions here are called with the mutex held unless they say otherwise.
 */
#include "store/json.h"
#include "store/ledger.h"
#include "store/sql.h"

#include <pthread.h>
#include <stdatomic.h>

enum ledger_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_PUT,
	SQL_GET,
	SQL_PUT_CURSOR,
	SQL_GET_CURSOR,
	SQL_CURSOR_LIST,
	SQL_CURSOR_DROP,
	SQL_ALERT_KNOWN,
	SQL_ALERT_ACTIVE,
	SQL_ALERT_ADD,
	SQL_ALERT_WORST,
	SQL_ALERT_CLEAR,
	SQL_ALERT_DROP,
	SQL_ALERT_ONE,
	SQL_ALERT_LIST,
	SQL_ALERT_OPEN,
	SQL_ALERT_COUNT,
	SQL_CASE_OPEN,
	SQL_CASE_NEXT,
	SQL_CASE_ADD,
	SQL_CASE_WORST,
	SQL_CASE_REFRESH,
	SQL_CASE_ONE,
	SQL_CASE_LIST,
	SQL_CASE_EPISODES,
	SQL_CASE_HISTORY,
	SQL_CASE_LOUD,
	SQL_CASE_ACT,
	SQL_CASE_COUNT,
	SQL_HISTORY_ADD,
	SQL_EVENT_NEXT,
	SQL_EVENT_ADD,
	SQL_EVENT_LIST,
	SQL_EVENT_FIRST,
	SQL_EVENT_LAST,
	SQL_EVENT_PRUNE,
	LEDGER_STATEMENTS
};
extern const char *const ledger_sql[LEDGER_STATEMENTS];
extern const char ledger_schema[];

#define LEDGER_LISTENERS 8
#define LEDGER_WORDS 64

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *sql[LEDGER_STATEMENTS];
	const struct plan *plan;
	pthread_mutex_t lock;
	bool fatal;                /* an fsync failed: nothing is written any more */
	bool recount;              /* the figures below are not those of the file */
	bool announced;            /* the open transaction made events */
	struct text data, event;   /* scratch for events */
	char *words[LEDGER_WORDS]; /* reasons handed out with open alerts; they live as long as we
				    */
	size_t n_words;
	struct {
		void (*fn)(void *context);
		void *context;
	} listeners[LEDGER_LISTENERS];
	size_t n_listeners;
	/* read by any thread without the mutex */
	_Atomic uint32_t *kinds; /* by monitor of the plan */
	_Atomic size_t active[ALERT_KINDS];
	_Atomic size_t cases[CASE_STATUSES];
	_Atomic int64_t last_event;
};

/** ledger_begin(), ledger_end() - one transaction under the mutex, which begin takes and end gives
 * back in any case. ledger_end() commits if @r is 0, else rolls back; then the listeners hear. */
int ledger_begin(struct ledger *ledger);
int ledger_end(struct ledger *ledger, int r);
int ledger_recount_alerts(struct ledger *ledger);
int ledger_recount_cases(struct ledger *ledger);
int ledger_recount_events(struct ledger *ledger);

/* names to enums; the last value (ALERT_KINDS …) where unknown */
enum alert_kind ledger_kind(const char *name);
enum average ledger_average(const char *name);
enum case_status ledger_status(const char *name);
enum bound ledger_bound(const char *name);
const char *ledger_bound_name(enum bound bound);

/** ledger_alert_text() - JSON of one alert. Return: 0, LEDGER_UNKNOWN, error. */
int ledger_alert_text(struct ledger *ledger, int64_t id, struct text *out);

/** ledger_case_raise() - find or open the case of a raised alert
 * @alert: in, and its case_id out; @opened: out: true if the case is new */
int ledger_case_raise(struct ledger *ledger, const struct verdict *verdict, int64_t now_ms,
		      int64_t *id, bool *opened);
/** ledger_case_refresh() - take over the worst and newest values of the case's episodes */
int ledger_case_refresh(struct ledger *ledger, int64_t id, bool has_last, double last);
/* The events of a case that has gone on for long would otherwise grow with each episode. */
enum { EPISODES_ALL = -1, EPISODES_IN_EVENTS = 100 };
/** ledger_case_text() - @most: so many of the newest episodes */
int ledger_case_text(struct ledger *ledger, int64_t id, int64_t most, struct text *out);

/** ledger_case_event(), ledger_alert_event() - @type such as "ducha.case.opened" */
int ledger_case_event(struct ledger *ledger, int64_t id, const char *type, int64_t now_ms);
int ledger_alert_event(struct ledger *ledger, int64_t id, const char *type, int64_t time_ms,
		       int64_t now_ms);
