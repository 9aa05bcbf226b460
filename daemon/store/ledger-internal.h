/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The ledger's inside, shared by its files and nobody else:
 *   ledger.c         opening, transactions, named values
 *   ledger-mend.c    what takes the place of a damaged one
 *   ledger-since.c   each transaction a second time
 *   ledger-copy.c    the copy behind which these go on
 *   ledger-rebuild.c a ledger made of both
 *   ledger-alerts.c  verdicts to alerts
 *   ledger-cases.c   registration, joining, severity
 *   ledger-actions.c what people do to cases
 *   ledger-closing.c what a case lacks to be closed
 *   ledger-compliance.c the days of its monitors, as measured
 *   ledger-timers.c  deadlines and the ends of shelves
 *   ledger-shelves.c alerts that open no case for a while
 *   ledger-duty.c    whom an alert calls, and the digest
 *   ledger-read.c    cases as JSON
 *   ledger-needs.c   what open cases need of the daybook
 *   ledger-events.c  the outbox
 *   ledger-chain.c   the chain of what is evidence
 *   ledger-marks.c   what was said about stretches of data
 * Functions here are called with the mutex held unless they say otherwise. A statement is looked up
 * (ledger->sql[…]) with it held, too: a ledger that was mended meanwhile has others.
 */
#include "core/deadline.h"
#include "core/marks.h"
#include "store/json.h"
#include "store/ledger-chain.h"
#include "store/ledger-schema.h"
#include "store/ledger.h"
#include "store/numbers.h"
#include "store/since.h"
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
	SQL_CASE_HAND,
	SQL_CASE_ABOVE,
	SQL_CASE_DEGREES,
	SQL_CASE_WORST,
	SQL_CASE_DAYS,
	SQL_CASE_QUIET,
	SQL_CASE_MONITORS,
	SQL_CASE_LISTED,
	SQL_CASE_REFRESH,
	SQL_CASE_GRAVER,
	SQL_CASE_JOINS,
	SQL_CASE_RIVAL,
	SQL_CASE_ONE,
	SQL_CASE_COMPLAINED,
	SQL_CASE_WHOSE,
	SQL_CASE_LIST,
	SQL_CASE_EPISODES,
	SQL_CASE_FACTORS,
	SQL_CASE_SEVERAL,
	SQL_CASE_HISTORY,
	SQL_CASE_LOUD,
	SQL_CASE_ACT,
	SQL_CASE_CLOCK,
	SQL_CASE_RELAPSE,
	SQL_CASE_DUE,
	SQL_CASE_COUNT,
	SQL_HISTORY_ADD,
	SQL_TIMER_NEXT,
	SQL_CALL_SET,
	SQL_CALL_DUE,
	SQL_DIGEST_SET,
	SQL_DIGEST_LIST,
	SQL_DIGEST_DONE,
	SQL_CURSOR_ONCE,
	SQL_SHELF_ADD,
	SQL_SHELF_FIND,
	SQL_SHELF_LAST,
	SQL_SHELF_OVER,
	SQL_SHELF_CASE,
	SQL_SHELF_CALM,
	SQL_SHELF_END,
	SQL_SHELF_LIST,
	SQL_MARK_ADD,
	SQL_MARK_ALL,
	SQL_MARK_NEXT,
	SQL_MARK_LIST,
	SQL_MARK_CHANGE,
	SQL_MARK_CHANGES,
	SQL_MARK_WINDOWS,
	SQL_MARK_CASE,
	SQL_MARK_LEFT,
	SQL_LOAD_CASE,
	SQL_ALERT_ACKNOWLEDGE,
	SQL_ALERT_SETTLE,
	SQL_ALERT_LEAVE,
	SQL_ALERT_ADOPT,
	SQL_DIGEST_VOID,
	SQL_ALERT_WAITING,
	SQL_INSTRUMENT_ADD,
	SQL_INSTRUMENT_LIST,
	SQL_EVENT_NEXT,
	SQL_EVENT_ADD,
	SQL_EVENT_LIST,
	SQL_EVENT_FIRST,
	SQL_EVENT_LAST,
	SQL_EVENT_PRUNE,
	SQL_CASE_NEEDS,
	SQL_GIVEN,
	SQL_GIVEN_RAISE,
	SQL_YEAR_LIST,
	SQL_YEAR_RAISE,
	LEDGER_STATEMENTS
};
extern const char *const ledger_sql[LEDGER_STATEMENTS];

/* The columns of a case as they are read. */
enum case_column {
	CASE_ID,
	CASE_SEQ,
	CASE_YEAR,
	CASE_SITE,
	CASE_SITE_NAME,
	CASE_FACTOR,
	CASE_FACTOR_NAME,
	CASE_KIND,
	CASE_AVERAGE,
	CASE_BOUND,
	CASE_SEVERITY,
	CASE_STATUS,
	CASE_VERIFIED,
	CASE_LEVEL,
	CASE_ESCALATION,
	CASE_SOURCE,
	CASE_OPENED_AT,
	CASE_CLOSED_AT,
	CASE_DUE,
	CASE_LIMIT,
	CASE_FIRST,
	CASE_PEAK,
	CASE_LAST,
	CASE_MULTIPLE,
	CASE_PEAK_AT,
	CASE_LIMIT_SOURCE,
	CASE_VALUE_UNIT,
	CASE_DECIMALS,
	CASE_UNIT,
	CASE_LEADER,
	CASE_TEAM,
	CASE_READINGS,
	CASE_SITE_KIND,
	CASE_TITLE,
	CASE_DOCUMENT,
	CASE_TRACK,
	CASE_STAGE,
	CASE_REMINDED,
	CASE_EXTENDED,
	CASE_RELAPSES,
	CASE_REOPENED,
	CASE_MERGED,
	CASE_REASON,
	CASE_DIGEST,
	CASE_DIGEST_READINGS,
	CASE_FIXED,
	CASE_RESTORED,
	CASE_KEPT_STAGE,
	CASE_KEPT_DUE,
	CASE_KEPT_EXTENDED,
	CASE_KEPT_FIXED
};

#define LEDGER_LISTENERS 8
#define LEDGER_WORDS 64

struct ledger {
	sqlite3 *db;
	sqlite3_stmt *sql[LEDGER_STATEMENTS];
	const struct plan *plan;
	pthread_mutex_t lock;
	bool fatal;         /* an fsync failed: nothing is written any more */
	bool recount;       /* the figures below are not those of the file */
	bool announced;     /* the open transaction made events */
	bool timed;         /* it moved a timer */
	int64_t registered; /* cases that it registered */
	bool held;          /* one transaction holds all others (ledger_hold()), and then */
	bool (*tell)(void *context, const struct ledger_event *event);
	void *telling;
	bool damaged;              /* mended by the next transaction */
	struct numbers numbers;    /* as of the last record */
	struct since since;        /* each transaction a second time; not in memory only */
	sqlite3_session *session;  /* what the open transaction changes */
	bool lazy;                 /* it need not survive a power cut */
	bool unsettled;            /* nobody knows whether the newest record was committed */
	bool remade;               /* what stands in the file was put together just now */
	bool often;                /* it is a ledger_put_often() that goes into a record */
	int64_t often_s;           /* the last such, CLOCK_BOOTTIME */
	bool remark;               /* the table of marks is not that of the file */
	struct text data, event;   /* scratch for events */
	char *words[LEDGER_WORDS]; /* reasons handed out with open alerts; they live as long as we
				    */
	size_t n_words;
	struct {
		void (*fn)(void *context);
		void *context;
	} listeners[LEDGER_LISTENERS];
	size_t n_listeners;
	pthread_mutex_t marks_lock; /* of the table alone: pages ask it for each reading */
	struct marks marks;
	/* read by any thread without the mutex */
	_Atomic int64_t last_mark;
	_Atomic uint32_t *kinds; /* by monitor of the plan */
	_Atomic size_t active[ALERT_KINDS];
	_Atomic size_t cases[CASE_STATUSES];
	_Atomic int64_t last_event;
	_Atomic uint64_t mended; /* how often, since it was opened */
	_Atomic bool copy_due;
	_Atomic int64_t timer;     /* when ledger_tick() has something to do; INT64_MAX: never */
	char *directory;           /* of the attachments; NULL: in memory only */
	struct ledger_chain chain; /* not in memory only */
	/* of the thread of ledger_keep_copy() */
	int64_t begun_ms, copied_ms;
};

#define BY_DAEMON "duchad"
/* When a ledger was put together of what was left of it (a cursor), and of which file (a name). */
#define LEDGER_LOST "ledger/lost"

/** ledger_begin(), ledger_end() - one transaction under the mutex, which begin takes and end gives
 * back in any case. ledger_end() commits if @r is 0, else rolls back; then the listeners hear. */
int ledger_begin(struct ledger *ledger);
int ledger_end(struct ledger *ledger, int r);
/** ledger_schema_begin() - bring a file to the present schema. @path: for the log */
int ledger_schema_begin(sqlite3 *db, const char *path);
/** ledger_mend() - put a new ledger in the place of a damaged one, made of its copy and the records
 * since, or else with all rows that can be read of it, and keep that; nobody has it open. Return:
 * 0, SQL_FATAL, -errno. */
int ledger_mend(const char *directory);
/** ledger_sound() - Return: 0, -EUCLEAN: the file is damaged, other errors */
int ledger_sound(sqlite3 *db);

/** ledger_since_settle() - ledger and records, as they were left, meet. Return: 0, -EUCLEAN: it is
 * to be made again, other errors. */
int ledger_since_settle(struct ledger *ledger);
/** ledger_since_begin(), ledger_since_note(), ledger_since_end() - before a transaction, before its
 * commit, and after it in any case */
int ledger_since_begin(struct ledger *ledger);
int ledger_since_note(struct ledger *ledger);
void ledger_since_end(struct ledger *ledger, bool committed);
/** ledger_since_often() - leave what follows out of the open transaction's record, unless the last
 * that was in one is long ago */
void ledger_since_often(struct ledger *ledger);
/** ledger_since_apply() - a record, for since_each(). @db: sqlite3. Return: 0, -EUCLEAN or -EEXIST
 * where it does not fit, other errors. */
int ledger_since_apply(void *db, const void *bytes, size_t n);
/** ledger_copy() - make the copy (lock not held). Return: 0, SQL_FATAL, -EUCLEAN: what was copied
 * is damaged, -EAGAIN: the ledger was replaced meanwhile, -ENOSPC, -errno. */
int ledger_copy(struct ledger *ledger);
/** ledger_copy_number() - the transaction that the copy is up to; -1: there is none of use */
int64_t ledger_copy_number(const char *directory);
/* What a ledger was made of. */
struct rebuilt {
	int64_t number, records; /* the newest transaction; how many were behind the copy */
	bool whole;              /* nothing is known to be missing */
};
/** ledger_rebuild() - a ledger in @path of copy and records. Return: 0, -ENOENT, -EUCLEAN: they are
 * of no use, SQL_FATAL, -errno. */
int ledger_rebuild(const char *directory, const char *path, struct rebuilt *out);
int ledger_recount_alerts(struct ledger *ledger);
int ledger_recount_cases(struct ledger *ledger);
int ledger_recount_events(struct ledger *ledger);
int ledger_recount_timer(struct ledger *ledger);
int ledger_recount_marks(struct ledger *ledger);

/* names to enums; the last value (ALERT_KINDS …) where unknown */
enum alert_kind ledger_kind(const char *name);
enum case_status ledger_status(const char *name);
enum bound ledger_bound(const char *name);
const char *ledger_bound_name(enum bound bound);

/** ledger_alert_text() - JSON of one alert. Return: 0, LEDGER_UNKNOWN, error. */
int ledger_alert_text(struct ledger *ledger, int64_t id, struct text *out);
/* What an alert's event is about. */
struct alert_subject {
	char *subject, *site; /* "site/factor", or the connection's name, and then no site */
	int64_t case_id;
};
/** ledger_alert_told() - the same, and what it is about; alert_subject_deinit() in any case */
int ledger_alert_told(struct ledger *ledger, int64_t id, struct text *out,
		      struct alert_subject *subject);
void alert_subject_deinit(struct alert_subject *subject);

/* What actions and deadlines need to know of a case. */
struct case_row {
	int64_t id, opened_ms, closed_ms, merged_into;
	char site[72], factor[72], kind[24], average[16], reason[24];
	bool automatic, has_unit, has_leader, has_team;
	int reopened, restored;
	struct case_clock clock;
};
/** ledger_case_row() - Return: 0, LEDGER_UNKNOWN, error. */
int ledger_case_row(struct ledger *ledger, int64_t id, struct case_row *out);
/** ledger_case_clock() - keep a case's clock, with the timer that follows from it and from the
 * milestones of its history */
int ledger_case_clock(struct ledger *ledger, int64_t id, const struct case_clock *clock);
/** ledger_history() - one step of a case; @escalation 0: none */
int ledger_history(struct ledger *ledger, int64_t id, int64_t now_ms, const char *action,
		   const struct case_order *order, int escalation);
/** ledger_case_above() - link a new case to those that may have flowed down to it */
int ledger_case_above(struct ledger *ledger, int64_t id, const struct verdict *v, int64_t now_ms);

/* Episodes and history of one case, with copies of their texts. */
struct case_parts {
	struct episode_view *episodes;
	struct factor_view *factors;
	struct history_view *history;
	size_t n_episodes, n_factors, n_history;
	char **texts;
	size_t n_texts, capacity;
	bool failed;
};
/** ledger_case_history() - read the history into @parts; case_parts_deinit() in any case */
int ledger_case_history(struct ledger *ledger, int64_t id, struct case_parts *parts);
void case_parts_deinit(struct case_parts *parts);

/* The data test of closing (core/compliance.h): how many days count of those needed, 0: none are,
 * and the newest that do not, with why, as text and as members of a JSON array */
struct compliance {
	int needed, days, said;
	struct text why, json;
};
/** ledger_compliance() - @out: needed in, the rest out; compliance_deinit() in any case.
 * Whole days of the node's zone since the case was registered, and an exceedance last was active at
 * its monitors and those of the cases that were merged into it. */
int ledger_compliance(struct ledger *ledger, const struct case_row *row, int64_t now_ms,
		      struct compliance *out);
void compliance_deinit(struct compliance *compliance);
/** ledger_case_lacks() - OR of enum closing_lack; @data: zeros in, compliance_deinit() after */
int ledger_case_lacks(struct ledger *ledger, const struct case_row *row,
		      const struct case_order *order, int64_t now_ms, bool loud, unsigned *lacks,
		      struct compliance *data);
/** ledger_steps_open() - is @step planned and not struck off? NULL: how many are so */
int ledger_steps_open(struct ledger *ledger, int64_t id, const char *step, int *open);

/** ledger_shelved() - does a shelf hold back the cases of a monitor? */
int ledger_shelved(struct ledger *ledger, const char *site, const char *factor, bool *shelved);
int ledger_shelf_add(struct ledger *ledger, const struct shelf_order *order, int64_t case_id,
		     int64_t now_ms);
/** ledger_shelves_over() - end those whose time has come, and of @site and @factor where given */
int ledger_shelves_over(struct ledger *ledger, const char *site, const char *factor, const char *by,
			int64_t now_ms, size_t *ended);
/** ledger_shelves_reopened() - end those that the withdrawal of a case made, once it is open again
 */
int ledger_shelves_reopened(struct ledger *ledger, int64_t case_id, const char *by, int64_t now_ms);
/** ledger_shelves_calm() - end those that a withdrawal made at a monitor where nothing is active
 * any more: the instrument is mended */
int ledger_shelves_calm(struct ledger *ledger, const char *site, const char *factor,
			int64_t now_ms);
/** ledger_alerts_adopt() - cases for active alerts that a shelf held back
 * @case_id: alerts of this withdrawn case, too; 0: none */
int ledger_alerts_adopt(struct ledger *ledger, const char *site, const char *factor,
			int64_t case_id, int64_t now_ms);

/** ledger_case_raise() - find or open the case of a raised alert
 * @alert: in, and its case_id out; @opened: out: true if the case is new */
int ledger_case_raise(struct ledger *ledger, const struct verdict *verdict, int64_t now_ms,
		      int64_t *id, bool *opened);
/** ledger_case_refresh() - take over the worst and newest values of the case's episodes: of its own
 * factor; another one that has joined makes it graver at most
 * @at_ms: measured time; @told_ms: when a risen severity is told; 0: it is not, the case is new */
int ledger_case_refresh(struct ledger *ledger, int64_t id, const struct verdict *verdict,
			bool has_last, int64_t at_ms, int64_t told_ms);
/** ledger_severity() - what the severity of an exceedance follows from beside its values: the steps
 * of the office, the class, the exceeding days. Of a case and of whom an alert calls alike.
 * @facts: kind, factor and values in; the rest out */
int ledger_severity(struct ledger *ledger, const char *site, enum average average, int64_t at_ms,
		    struct severity_facts *facts);
/* The events of a case that has gone on for long would otherwise grow with each episode. */
enum { EPISODES_ALL = -1, EPISODES_IN_EVENTS = 100 };
/** ledger_case_text() - @most: so many of the newest episodes */
int ledger_case_text(struct ledger *ledger, int64_t id, int64_t most, struct text *out);
/** ledger_chosen() - is the row wanted? Fills what it says of its case (0: none). */
bool ledger_chosen(struct ledger *ledger, const struct ledger_choice *choice,
		   struct ledger_row *row, int64_t case_id);
/** ledger_list_most() - LIMIT of a list: rows that are not wanted do not count, and -1 is no limit
 */
static inline int64_t ledger_list_most(const struct ledger_choice *choice, size_t limit)
{
	return choice->wanted == NULL ? (int64_t)limit : -1;
}
/** ledger_case_told() - the same, and its site, to be freed (NULL: it has none) */
int ledger_case_told(struct ledger *ledger, int64_t id, int64_t most, struct text *out,
		     char **site);

/** ledger_duty_raise() - call somebody for a raised alert, or keep it for the digest */
int ledger_duty_raise(struct ledger *ledger, const struct verdict *v, int64_t id, int64_t now_ms);
/** ledger_duty_worse() - an alert that has called nobody is worse now: @peak; it may have to call
 */
int ledger_duty_worse(struct ledger *ledger, const struct verdict *v, int64_t id, double peak,
		      int64_t now_ms);
/** ledger_duty_tick() - one thing that is due; @more: there was one */
int ledger_duty_tick(struct ledger *ledger, int64_t now_ms, bool *more);
/** ledger_call_event() - @next_ms 0: nobody else will be called */
int ledger_call_event(struct ledger *ledger, int64_t id, const char *person, int calls,
		      int64_t next_ms, int64_t now_ms);
/** ledger_digest_event() - the alerts @ids, of @all that waited */
int ledger_digest_event(struct ledger *ledger, const char *person, const int64_t *ids, size_t n,
			int64_t all, int64_t now_ms);

/** ledger_case_event(), ledger_alert_event() - @type such as "ducha.case.opened" */
int ledger_case_event(struct ledger *ledger, int64_t id, const char *type, int64_t now_ms);
int ledger_alert_event(struct ledger *ledger, int64_t id, const char *type, int64_t time_ms,
		       int64_t now_ms);
