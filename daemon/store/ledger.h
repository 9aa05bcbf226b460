/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Ledger: alerts, cases, their history, and the events that announce them, in one SQLite file.
 *
 * directory/ledger.db, journal_mode=TRUNCATE, synchronous=EXTRA, one connection behind one mutex:
 * it must survive a power cut, and writes are few. Each ledger_apply() is one transaction: alert,
 * case, history and event together, so what is announced is always what was committed. Events are
 * the outbox: deliveries and event streams read them behind cursors of their own.
 *
 * All of it stands a second time, as a copy (ledger.base) and what each transaction changed since
 * (ledger.since, store/since.h), from which a damaged or lost file is made again.
 *
 * Numbers and ids are never given twice, also when the file is damaged, gone, or replaced by an
 * older copy: directory/numbers has a second record of them (store/numbers.h).
 *
 * Any thread may call; each call holds the mutex for its own time.
 */
#include "core/chain.h"
#include "core/order.h"
#include "core/stock.h"
#include "core/text.h"
#include "core/verdict.h"

struct ledger;

enum ledger_result {
	LEDGER_FATAL = 1,     /* an fsync failed: never retried, the daemon must exit 1 */
	LEDGER_UNKNOWN = 2,   /* no such case or alert */
	LEDGER_REFUSED = 3,   /* the case's status does not allow the action */
	LEDGER_INCOMPLETE = 4 /* the action lacks a need (note, unit, reason, due) */
};

/** ledger_open() - @directory NULL: in memory only, for recorded data. Return: 0, negative errno.
 */
int ledger_open(struct ledger **out, const char *directory, const struct plan *plan);
/** ledger_alone() - before anything else of the store: this process opens it from one thread */
void ledger_alone(void);
struct ledger_event;
/**
 * ledger_hold() - of a ledger in memory, which is thrown away: one transaction for all that
 * follows, and none of it can be undone. Its events are told at once, and not kept.
 * @tell: an event whose json is its data alone. Return: false: out of memory.
 */
int ledger_hold(struct ledger *ledger,
		bool (*tell)(void *context, const struct ledger_event *event), void *context);
struct ledger *ledger_close(struct ledger *ledger);
/**
 * ledger_mended() - how often a damaged file was replaced since ledger_open() (any thread, no disk)
 *
 * A transaction that finds the file damaged fails; the next one first makes it again. An alert that
 * could not be is raised again when it is offered again.
 */
uint64_t ledger_mended(const struct ledger *ledger);
/** ledger_altered() - was a row found to be other than its chain says, since ledger_open()? (any
 * thread, no disk) */
bool ledger_altered(const struct ledger *ledger);

/**
 * ledger_keep_copy() - where it is time, make and check the copy from which a damaged file is made
 * again: a day after the one before, or when much was written since (one thread, now and then; it
 * takes its time, and holds nobody up for long)
 * Return: 0, LEDGER_FATAL, negative errno.
 */
int ledger_keep_copy(struct ledger *ledger, int64_t mono_ms);

/** ledger_bind() - from now on entries of the ledger's chain name where the daybook's stands
 * @daybook: quick, called with the mutex held; before the threads start */
void ledger_bind(struct ledger *ledger, void (*daybook)(void *context, struct chain_head *out),
		 void *context);
/** ledger_head() - where the ledger's chain stands on disk. Return: 0, negative errno. */
int ledger_head(struct ledger *ledger, struct chain_head *out);

/**
 * ledger_succeed() - go on under the next plan (nobody asks for active kinds meanwhile)
 * @kinds: in: zeros, one for each monitor of @plan and one more; out: those until now, to be freed
 */
void ledger_succeed(struct ledger *ledger, const struct plan *plan, _Atomic uint32_t **kinds);

/**
 * ledger_apply() - commit verdicts in order, in one transaction
 * @now_ms: wall clock: opened_at of cases that open (their year and number follow from it)
 * @opened: out, may be NULL: for each verdict the id of the case it opened, else 0
 *
 * Idempotent: a raise known by key and raised_ms, and a clear of what is not active, change
 * nothing. Return: 0, LEDGER_FATAL, or negative errno and then nothing of it is known to be kept:
 * offer again.
 */
int ledger_apply(struct ledger *ledger, const struct verdict *verdicts, size_t n, int64_t now_ms,
		 int64_t *opened);

/* Active alerts, for the judge to take up after a restart. Key as verdict_key() writes it. */
struct open_alert {
	int64_t id;
	const char *key; /* valid during the call */
	struct verdict
		verdict; /* type VERDICT_RAISED; indices NO_INDEX where the plan lacks them */
};
int ledger_open_alerts(struct ledger *ledger,
		       bool (*fn)(void *context, const struct open_alert *alert), void *context);
/** ledger_drop_alert() - clear an alert whose monitor or limit the plan no longer has */
int ledger_drop_alert(struct ledger *ledger, int64_t id, int64_t now_ms, const char *reason);

/** ledger_put(), ledger_get() - small named values (the judge's snapshot, cursors), replaced whole
 * ledger_get() gives memory that the caller frees. Return: 0, -ENOENT, other negative errno. */
int ledger_put(struct ledger *ledger, const char *name, const void *data, size_t size);
int ledger_get(struct ledger *ledger, const char *name, void **data, size_t *size);
/** ledger_put_often() - the same for one that is replaced each minute, and can be made again of an
 * older one */
int ledger_put_often(struct ledger *ledger, const char *name, const void *data, size_t size);
int ledger_put_cursor(struct ledger *ledger, const char *name, int64_t value);
/** ledger_cursor() - Return: the value, or @missing */
int64_t ledger_cursor(struct ledger *ledger, const char *name, int64_t missing);

/**
 * ledger_keep_cursors() - drop the cursors below @prefix that nobody moves any more, which would
 * hold back ledger_prune() for ever
 * @keep: asked for each with its name behind the prefix; may not call the ledger
 */
int ledger_keep_cursors(struct ledger *ledger, const char *prefix,
			bool (*keep)(void *context, const char *name), void *context);

/* --- reading (JSON as in the interface, written into @out) --- */

/* A row of a list, before it is written. */
struct ledger_row {
	const char *site; /* NULL: none */
	enum alert_kind kind;
	bool has_case, verified; /* of a case: itself; of an alert: its case */
};
/* Which rows are wanted: NULL: all. Called with the ledger's lock held. */
struct ledger_choice {
	bool (*wanted)(const struct plan *plan, const struct ledger_row *row);
	const struct plan *plan;
};
struct alert_filter {
	int active;       /* -1 both, 0 cleared, 1 active */
	const char *site; /* NULL: all */
	int64_t after;    /* 0, or the id that ended the page before */
	size_t limit;
	struct ledger_choice choice;
};
struct case_filter {
	bool all; /* false: open ones */
	const char *site;
	int64_t from_ms, to_ms; /* opened_at; 0 and INT64_MAX: no bound */
	int64_t due_ms;         /* due before that; 0: whenever */
	int64_t after;          /* 0, or the id that ended the page before */
	size_t limit;
	struct ledger_choice choice;
};
/** ledger_alerts_json() - {"alerts":[…]}, newest first, with "next" when the page is full */
int ledger_alerts_json(struct ledger *ledger, const struct alert_filter *filter, struct text *out);
/** ledger_cases_json() - {"cases":[…]} newest first, with "next" when the page is full */
int ledger_cases_json(struct ledger *ledger, const struct case_filter *filter, struct text *out);
/** ledger_complained() - is a case a complaint by hand, and has its site had another in so long a
 * time before? Return: 0, negative errno. */
int ledger_complained(struct ledger *ledger, int64_t id, int64_t within_ms, bool *repeated);
int ledger_case_json(struct ledger *ledger, int64_t id, struct text *out); /* 0, LEDGER_UNKNOWN */
/** ledger_case_whose() - the site of a case, and whether somebody has verified it.
 * Return: 0, LEDGER_UNKNOWN, negative errno. */
struct case_whose {
	char site[65];
	bool verified;
};
int ledger_case_whose(struct ledger *ledger, int64_t id, struct case_whose *out);
/** ledger_needs() - the measured times that open cases speak of: the whole days of their episodes
 * in the node's zone, the day before and the day after; both ends included, to be freed. Return: 0,
 * -errno. */
int ledger_needs(struct ledger *ledger, struct stock_span **out, size_t *n);
/** ledger_active_kinds() - bit mask of alert kinds active at a monitor (any thread, no disk) */
uint32_t ledger_active_kinds(struct ledger *ledger, uint32_t monitor);
size_t ledger_active_count(struct ledger *ledger, enum alert_kind kind);
size_t ledger_case_count(struct ledger *ledger, enum case_status status);

/* --- acting on a case --- */

/**
 * ledger_act() - one step of one case, committed with its history line and event
 * @out: the case's JSON afterwards; on LEDGER_REFUSED {"error":…,"allowed":[…]}, when closing
 *       with "missing":[…]; on LEDGER_INCOMPLETE {"error":…} that names the need
 * What it needs beside the status (core/supcase.h, core/deadline.h, core/caserules.h): a deadline
 * may be extended once, a step must be planned to be struck off, and closing has its conditions.
 */
int ledger_act(struct ledger *ledger, int64_t id, const struct case_order *order, int64_t now_ms,
	       struct text *out);

/**
 * ledger_allowed() - what a case takes as it is, whoever asks
 * @allowed: out: OR of 1 << enum case_action
 * Return: 0; LEDGER_UNKNOWN, negative errno, and then nothing is allowed
 */
int ledger_allowed(struct ledger *ledger, int64_t id, unsigned *allowed);

/**
 * ledger_open_case() - register a case by hand: an inspection, a complaint, a higher authority's
 * list
 * @order: site (of the plan) and source are needed; kind is "clue" unless given
 * @out: as of ledger_act(); LEDGER_UNKNOWN: no such site or factor
 */
int ledger_open_case(struct ledger *ledger, const struct case_order *order, int64_t now_ms,
		     struct text *out);

/* The largest file that is kept with a case. */
#define ATTACHMENT_BYTES_MOST ((size_t)16 << 20)
/**
 * ledger_attach() - keep a file beside the ledger, directory/attachments/SHA256, and say so in the
 * case's history
 * @order: file (its name), type and by are needed; the rest as of ledger_act()
 */
int ledger_attach(struct ledger *ledger, int64_t id, const struct case_order *order,
		  const void *data, size_t size, int64_t now_ms, struct text *out);
/** ledger_attachment() - the bytes of an attachment of this case. Return: 0, LEDGER_UNKNOWN,
 * -EBADMSG where the file is not what was kept, other errors. */
int ledger_attachment(struct ledger *ledger, int64_t id, const char *sha256, struct text *out);

/* --- time --- */

/** ledger_timer() - when ledger_tick() has something to do (any thread, no disk); INT64_MAX: never
 */
int64_t ledger_timer(const struct ledger *ledger);
/** ledger_tick() - say what has fallen due: reminders, overdue cases, ends of shelves. Each is one
 * transaction; what fails is tried again. Return: 0, LEDGER_FATAL, negative errno. */
int ledger_tick(struct ledger *ledger, int64_t now_ms);

/* --- alerts: acknowledged, shelved --- */

/** ledger_acknowledge() - the first one counts. @out: the alert's JSON */
int ledger_acknowledge(struct ledger *ledger, int64_t id, const char *by, int64_t now_ms,
		       struct text *out);

/* For a while the alerts of a monitor (@factor NULL: of a site) open no case; they stay visible. */
struct shelf_order {
	const char *site, *factor, *reason, *by;
	int64_t until_ms;
};
int ledger_shelve(struct ledger *ledger, const struct shelf_order *order, int64_t now_ms);
/** ledger_unshelve() - what is still active then opens its case. LEDGER_UNKNOWN: there is none */
int ledger_unshelve(struct ledger *ledger, const char *site, const char *factor, const char *by,
		    int64_t now_ms);
/** ledger_shelf_json() - the shelf of a monitor that ends last, its own or its site's:
 * {"until":…,"reason":…,"by":…}, or null; @persons: with reason and by */
int ledger_shelf_json(struct ledger *ledger, const char *site, const char *factor, bool persons,
		      struct text *out);
/** ledger_shelves_json() - {"shelves":[…]}, newest first; @all: ended ones, too */
int ledger_shelves_json(struct ledger *ledger, bool all, struct text *out);

/* --- events: the outbox --- */

struct ledger_event {
	int64_t id; /* never repeats */
	int64_t at_ms;
	const char *type; /* "ducha.case.opened" */
	const char *site; /* NULL for connection events */
	const char *json; /* the CloudEvent, whole, as fixed when it was committed */
	int64_t case_id;  /* 0: none */
};
/** ledger_events() - events with id > @after, oldest first. Return: 0, negative errno. */
int ledger_events(struct ledger *ledger, int64_t after, size_t limit,
		  bool (*fn)(void *context, const struct ledger_event *event), void *context);
int64_t ledger_event_first(struct ledger *ledger); /* oldest kept, 0: none */
int64_t ledger_event_last(struct ledger *ledger);  /* newest committed, 0: none (no disk) */
/** ledger_listen() - call @fn after each commit that made events; quick, on the committing thread.
 * At most 8 listeners, registered before the threads start. */
int ledger_listen(struct ledger *ledger, void (*fn)(void *context), void *context);
/**
 * ledger_retire_day() - keep what the chain needs of a file of the daybook that is to be removed
 * @name: such as "2026-01-02.db". To be called, with success, before each removal, the oldest file
 *        first; again for the same file does no harm
 * Return: 0, LEDGER_FATAL, negative errno and then the file must stay.
 */
int ledger_retire_day(struct ledger *ledger, const char *name, int64_t now_ms);
/** ledger_retire_frames() - the same for the frames of a file, @bytes, which go before it does */
int ledger_retire_frames(struct ledger *ledger, const char *name, int64_t bytes, int64_t now_ms);
/** ledger_frames_gone() - were the frames of this file removed by rule? Return: 0, negative errno.
 */
int ledger_frames_gone(struct ledger *ledger, const char *name, bool *gone);
/** ledger_anchor() - announce a seal, so that its hash leaves the node: ducha.seal.anchored
 * @head: hex */
int ledger_anchor(struct ledger *ledger, int64_t seal, int64_t sealed_ms, const char *head,
		  int64_t now_ms);
/** ledger_prune() - drop events older than @before_ms that every cursor named "delivery/…" and
 * "influx/…" has passed */
int ledger_prune(struct ledger *ledger, int64_t before_ms);
