/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSON of alerts, cases and events: the same bytes in the API, the events, and --backtest.
 */
#include "core/chain.h"
#include "core/deadline.h"
#include "core/order.h"
#include "core/text.h"

struct alert_view {
	int64_t id;
	const char *site, *factor, *connection; /* NULL where it does not apply */
	enum alert_kind kind;
	enum bound bound;
	enum average average;
	int64_t began_ms, raised_ms, cleared_ms; /* cleared_ms 0: active */
	bool has_value, has_limit;
	double value, limit, peak;
	const char *limit_source, *unit, *reason;
	const char *site_name, *factor_name;
	int decimals;                        /* the catalogue's, for showing values to people */
	int64_t case_id;                     /* 0: none */
	int64_t acknowledged_ms, shelved_ms; /* 0: left out */
	const char *acknowledged_by;
};
void json_alert(struct text *out, const struct plan *plan, const struct alert_view *alert);

struct episode_view {
	int64_t alert_id, began_ms, raised_ms, ended_ms; /* ended_ms 0: goes on */
	bool has_value, has_limit;
	double peak, limit;
	const char *limit_source;
	const char *reason;        /* which clue, or which share of a permit; NULL: none */
	const char *factor, *unit; /* these and the decimals are shown of a case with several */
	int decimals;
};
/* Of a case with several: the worst of a factor. */
struct factor_view {
	const char *factor, *factor_name, *unit, *limit_source;
	int decimals;
	enum bound bound;
	bool has_value, has_limit, has_multiple;
	double limit, peak, multiple;
	int64_t peak_ms;
};
struct history_view {
	int64_t at_ms;
	const char *action;
	struct case_order order; /* what was given; the rest is left out */
	int escalation;          /* 0: left out */
};
struct case_view {
	int64_t id, seq, year;
	const char *site, *site_name, *factor, *factor_name;
	enum alert_kind kind;
	enum average average;
	enum bound bound;
	enum severity severity;
	enum case_status status;
	bool verified;
	const char *level; /* "district" */
	int escalation;
	const char *source;                   /* "automatic" */
	int64_t opened_ms, closed_ms, due_ms; /* 0: null */
	bool has_value, has_limit, has_multiple;
	double limit, first_value, peak_value, last_value, multiple;
	int64_t peak_ms;
	const char *limit_source, *unit;
	int decimals;
	struct responsible responsible;
	const struct episode_view *episodes;
	size_t n_episodes;
	const struct factor_view *factors; /* its own first; none where there is no other */
	size_t n_factors;
	const struct history_view *history;
	size_t n_history;
	int64_t n_readings; /* evidence.readings */
	const char *digest; /* evidence.digest; NULL: not sealed yet */
	/* left out where they do not apply */
	const char *title, *document, *track, *reason;
	bool extended;
	int relapses, reopened, restored; /* after closing; after withdrawal */
	int64_t merged_into;
};
/** json_case() - with the steps, attachments and links that follow from the history */
void json_case(struct text *out, const struct plan *plan, const struct case_view *c);

struct shelf_view {
	int64_t id, began_ms, until_ms, ended_ms, case_id; /* 0: null */
	const char *site, *factor, *reason, *by, *ended_by;
};
void json_shelf(struct text *out, const struct plan *plan, const struct shelf_view *shelf);

/**
 * json_event() - a CloudEvent 1.0 around @data (JSON text)
 * @type:    whole, such as "ducha.case.opened"
 * @subject: such as "outfall-3/w01018" or "case/7"
 * @chain:   the hash that the ledger's chain had before the event, as "chainhead"; NULL: none
 */
void json_event(struct text *out, const struct plan *plan, int64_t id, const char *type,
		int64_t time_ms, const char *subject, const uint8_t *chain, const char *data);
