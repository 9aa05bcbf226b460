/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Outbox: the ledger's events as one reader sees them, behind that reader's own stored cursor.
 *
 * The reader passes events one by one after it has got rid of them, and stores the cursor when it
 * likes: a crash only makes it see some events again. How many wait is counted as they come, so
 * that the figure is true while the receiver is away. One thread owns it; outbox_pending() is for
 * any.
 */
#include "core/supcase.h"
#include "store/ledger.h"

#include <stdatomic.h>

/* Which events a reader wants; the texts live as long as the outbox. */
struct outbox_filter {
	const char *const *events; /* without "ducha.", '*' matches any rest; n_events 0: all */
	size_t n_events;
	const char *const *sites; /* n_sites 0: all, and what belongs to no site */
	size_t n_sites;
	enum severity least; /* of events that carry a severity: those of cases */
};

struct outbox {
	struct ledger *ledger;
	const char *name; /* of the cursor; not owned */
	struct outbox_filter filter;
	_Atomic int64_t passed, scanned, waiting;
	int64_t stored;
};

/* A copy, so that nothing slow happens inside the ledger's call. */
struct outbox_event {
	int64_t id, at_ms;
	int64_t case_id; /* 0: none */
	char type[64];   /* without "ducha." */
	char *site;      /* NULL: none */
	char *json;
};
struct outbox_events {
	struct outbox_event *at;
	size_t n, capacity;
	bool failed; /* out of memory: what is there is good, what follows is missing */
};

/**
 * outbox_init() - take up the stored cursor; a reader without one begins with the oldest event kept
 * Return: 0, or what ledger_put_cursor() returned for a new cursor
 */
int outbox_init(struct outbox *outbox, struct ledger *ledger, const char *name,
		const struct outbox_filter *filter);
/** outbox_scan() - count what has come since the last scan. Return: 0, negative errno. */
int outbox_scan(struct outbox *outbox);
/** outbox_fetch() - up to @limit events that follow @after, whether they pass the filters or not */
int outbox_fetch(struct outbox *outbox, int64_t after, size_t limit, struct outbox_events *out);
void outbox_events_deinit(struct outbox_events *events);
bool outbox_wants(const struct outbox *outbox, const struct outbox_event *event);
/** outbox_filter_wants() - does an event pass? (pure) @type without "ducha.", @site NULL: none */
bool outbox_filter_wants(const struct outbox_filter *filter, const char *type, const char *site,
			 const char *json);
/** outbox_pass() - the events up to @id are dealt with, @wanted of which passed the filters */
void outbox_pass(struct outbox *outbox, int64_t id, int64_t wanted);
/** outbox_store() - make the cursor durable; nothing if it is. Return: as ledger_put_cursor() */
int outbox_store(struct outbox *outbox);
/** outbox_pending() - events that wait; 0 only if every committed one is dealt with (any thread) */
int64_t outbox_pending(struct outbox *outbox);
