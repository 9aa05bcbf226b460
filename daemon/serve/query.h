/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Query: what a request asks for, read from its path, parameters and body.
 *
 * Pure functions over bytes from outside: no connection, no store. Each refusal is a sentence that
 * names the parameter or field, for the caller's {"error":…}.
 */
#include "store/ledger.h"
#include "store/tallies.h"
#include "core/text.h"
#include "core/zone.h"

enum endpoint {
	ENDPOINT_NONE,
	ENDPOINT_OFFICE, /* "/" */
	ENDPOINT_HEALTH,
	ENDPOINT_METRICS,
	ENDPOINT_SITES,
	ENDPOINT_RULES,
	ENDPOINT_READINGS,
	ENDPOINT_GAPS,
	ENDPOINT_ALERTS,
	ENDPOINT_CASES,
	ENDPOINT_CASE,
	ENDPOINT_DOSSIER,
	ENDPOINT_EVIDENCE,
	ENDPOINT_ACTIONS,
	ENDPOINT_ATTACHMENTS,
	ENDPOINT_ATTACHMENT,
	ENDPOINT_ACKNOWLEDGE,
	ENDPOINT_SHELVES,
	ENDPOINT_UNSHELVE,
	ENDPOINT_DELIVERIES,
	ENDPOINT_DELIVERY_TEST,
	ENDPOINT_MARKS,
	ENDPOINT_EVENTS,
	ENDPOINT_LOADS,
	ENDPOINT_MEANS,
	ENDPOINT_REPORT,
	ENDPOINT_RELOAD,
	ENDPOINT_CLOCK,
	ENDPOINT_CONFIGURATION,
};

/**
 * endpoint_find() - which endpoint a path names
 * @id: set for those of one case or one alert
 */
enum endpoint endpoint_find(const char *path, int64_t *id);
/** endpoint_reads(), endpoint_posts() - may it be read, may it be posted to */
bool endpoint_reads(enum endpoint endpoint);
bool endpoint_posts(enum endpoint endpoint);
/** endpoint_body_most() - bytes of a body that is posted to it */
size_t endpoint_body_most(enum endpoint endpoint);
/** delivery_of() - the id in the path of a delivery's test, at most 64 bytes */
void delivery_of(const char *path, char out[static 65]);
/** attachment_of() - the hash at the end of an attachment's path */
const char *attachment_of(const char *path);

struct query_pair {
	const char *name, *value; /* value NULL: "?name" alone */
};

enum { QUERY_LIMIT_DEFAULT = 1000, QUERY_LIMIT_MOST = 100000, QUERY_LAST_MOST = 1000 };

struct query {
	const char *site, *factor; /* NULL: not given; into the pairs */
	bool has_from, has_to;
	int64_t from_ms, to_ms;
	int64_t after; /* 0: not given */
	size_t limit;
	int active;                         /* -1: both */
	bool all;                           /* status=all */
	bool overdue;                       /* status=overdue */
	bool open;                          /* public=1: of what is for everybody */
	const char *trust;                  /* a key that may begin anew; NULL: not given */
	const char *stage, *severity, *due; /* of the office page's cases; NULL: not given */
	size_t page;                        /* from 0 */
	const char *language;               /* "zh_CN" or "en"; NULL: not given */
	const char *last_event_id;
	bool has_span; /* month or year was given */
	struct span span;
	enum tally_period period;
	bool minutes;            /* of means; the period says nothing then */
	size_t last;             /* 0: not given */
	struct case_order order; /* of an attachment, a mark with a file */
};

/**
 * query_read() - the parameters of a request to @endpoint
 * @zone: for times without offset
 * @error: a sentence, where false is returned: unknown, given twice, or a bad value
 */
bool query_read(enum endpoint endpoint, const struct query_pair *pairs, size_t n,
		const struct zone *zone, struct query *out, struct text *error);

/** query_wants_csv() - does an Accept header (NULL: none) prefer text/csv to JSON? */
bool query_wants_csv(const char *accept);

/* The body of an action, of a case by hand, of a shelf or an acknowledgement. */
struct action_body {
	struct case_order order; /* by is NULL where not given; texts live in @json */
	void *json;
};

/**
 * action_read() - {"action":…,"by":…,"note":…,…}: the fields that core/order.h names for @use
 * @out: action_body_deinit() it when true is returned
 * @error: a sentence, where false is returned: not JSON, an unknown field or action, a bad value
 *
 * An empty text counts as not given. `due` is a time, or a date: then the end of that day; `until`
 * the same, or `for_s` seconds from @now_ms.
 */
bool action_read(const char *body, size_t length, const struct zone *zone, enum order_use use,
		 int64_t now_ms, struct action_body *out, struct text *error);
void action_body_deinit(struct action_body *body);
