/* SPDX-License-Identifier: Apache-2.0 */
#include "store/json.h"

#include "store/milestone.h"

#include <string.h>

/* A member's name; the first of an object follows '{'. */
static void json_key(struct text *out, const char *key)
{
	if (out->length > 0 && out->at[out->length - 1] != '{')
		text_char(out, ',');
	text_char(out, '"');
	text_add(out, key);
	text_add(out, "\":");
}

static void json_text(struct text *out, const char *key, const char *value)
{
	json_key(out, key);
	text_json(out, value);
}

static void json_int(struct text *out, const char *key, int64_t value)
{
	json_key(out, key);
	text_format(out, "%lld", (long long)value);
}

/* 0 stands for "none". */
static void json_id(struct text *out, const char *key, int64_t value)
{
	if (value != 0) {
		json_int(out, key, value);
		return;
	}
	json_key(out, key);
	text_add(out, "null");
}

static void json_bool(struct text *out, const char *key, bool value)
{
	json_key(out, key);
	text_add(out, value ? "true" : "false");
}

static void json_double(struct text *out, const char *key, bool has, double value)
{
	json_key(out, key);
	if (has)
		text_double(out, value);
	else
		text_add(out, "null");
}

static void json_time(struct text *out, const char *key, const struct plan *plan, bool has,
		      int64_t ms)
{
	json_key(out, key);
	if (!has) {
		text_add(out, "null");
		return;
	}
	text_char(out, '"');
	text_time(out, ms, &plan->zone, 3);
	text_char(out, '"');
}

/* Members that are left out where they do not apply. */
static void json_given(struct text *out, const char *key, const char *value)
{
	if (value != NULL)
		json_text(out, key, value);
}

static void json_moment(struct text *out, const char *key, const struct plan *plan, int64_t ms)
{
	if (ms != 0)
		json_time(out, key, plan, true, ms);
}

/* The day that stands behind a document's number. */
static void json_day(struct text *out, const char *key, const char *document)
{
	char day[DOCUMENT_DAY];
	if (document != NULL && document_day(document, day) != 0)
		json_text(out, key, day);
}

static void json_count(struct text *out, const char *key, int64_t n)
{
	if (n != 0)
		json_int(out, key, n);
}

static const char *json_bound(enum bound bound)
{
	switch (bound) {
	case BOUND_MAX:
		return "max";
	case BOUND_MIN:
		return "min";
	case BOUND_NONE:
	default:
		return NULL;
	}
}

/* Silence, flat lines, steps, loads and connections know no averaging. */
static const char *json_average(enum alert_kind kind, enum average average)
{
	bool averaged =
		kind == ALERT_WARNING || kind == ALERT_EXCEEDANCE || kind == ALERT_UNDETERMINED;
	return averaged ? average_name(average) : NULL;
}

void json_alert(struct text *out, const struct plan *plan, const struct alert_view *alert)
{
	text_char(out, '{');
	json_id(out, "id", alert->id);
	json_text(out, "site", alert->site);
	json_text(out, "site_name", alert->site_name);
	json_text(out, "factor", alert->factor);
	json_text(out, "factor_name", alert->factor_name);
	json_text(out, "connection", alert->connection);
	json_text(out, "kind", alert_kind_name(alert->kind));
	json_time(out, "began_at", plan, true, alert->began_ms);
	json_time(out, "raised_at", plan, true, alert->raised_ms);
	json_time(out, "cleared_at", plan, alert->cleared_ms != 0, alert->cleared_ms);
	json_double(out, "value", alert->has_value, alert->value);
	json_double(out, "limit", alert->has_limit, alert->limit);
	json_text(out, "bound", json_bound(alert->bound));
	json_text(out, "limit_source", alert->limit_source);
	json_text(out, "average", json_average(alert->kind, alert->average));
	json_text(out, "unit", alert->unit);
	json_int(out, "decimals", alert->decimals);
	json_double(out, "peak_value", alert->has_value, alert->peak);
	json_text(out, "reason", alert->reason);
	json_id(out, "case", alert->case_id);
	json_moment(out, "acknowledged_at", plan, alert->acknowledged_ms);
	json_given(out, "acknowledged_by", alert->acknowledged_by);
	json_moment(out, "shelved_until", plan, alert->shelved_ms);
	text_char(out, '}');
}

static void json_number(struct text *out, const struct plan *plan, const struct case_view *c)
{
	struct text number = {0};

	case_number(plan, c->year, c->seq, &number);
	json_text(out, "number", number.at);
	if (number.failed)
		out->failed = true;
	text_deinit(&number);
}

static void json_episodes(struct text *out, const struct plan *plan, const struct case_view *c)
{
	json_key(out, "episodes");
	text_char(out, '[');
	for (size_t i = 0; i < c->n_episodes; i++) {
		const struct episode_view *e = &c->episodes[i];
		text_add(out, i > 0 ? ",{" : "{");
		json_id(out, "alert", e->alert_id);
		json_time(out, "began_at", plan, true, e->began_ms);
		json_time(out, "raised_at", plan, true, e->raised_ms);
		json_time(out, "ended_at", plan, e->ended_ms != 0, e->ended_ms);
		json_double(out, "peak_value", e->has_value, e->peak);
		json_double(out, "limit", e->has_limit, e->limit);
		json_text(out, "limit_source", e->limit_source);
		json_given(out, "reason", e->reason);
		if (c->n_factors > 0) {
			json_text(out, "factor", e->factor);
			json_text(out, "unit", e->unit);
			json_int(out, "decimals", e->decimals);
		}
		text_char(out, '}');
	}
	text_char(out, ']');
}

/* Of a case that further factors of the site have joined. */
static void json_factors(struct text *out, const struct plan *plan, const struct case_view *c)
{
	if (c->n_factors == 0)
		return;
	json_key(out, "factors");
	text_char(out, '[');
	for (size_t i = 0; i < c->n_factors; i++) {
		const struct factor_view *f = &c->factors[i];
		text_add(out, i > 0 ? ",{" : "{");
		json_text(out, "factor", f->factor);
		json_text(out, "factor_name", f->factor_name);
		json_double(out, "limit", f->has_limit, f->limit);
		json_text(out, "bound", json_bound(f->bound));
		json_text(out, "limit_source", f->limit_source);
		json_text(out, "unit", f->unit);
		json_int(out, "decimals", f->decimals);
		json_double(out, "peak_value", f->has_value, f->peak);
		json_time(out, "peak_at", plan, f->has_value && f->peak_ms != 0, f->peak_ms);
		json_double(out, "multiple", f->has_multiple, f->multiple);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void json_step(struct text *out, const struct plan *plan, const struct case_view *c,
		      size_t at)
{
	const struct history_view *h = &c->history[at];
	struct case_order order = h->order;

	json_time(out, "at", plan, true, h->at_ms);
	json_text(out, "action", h->action);
	json_text(out, "by", order.by);
	json_text(out, "note", order.note);
	order.by = order.note = NULL;
	for (size_t i = 0; i < n_order_fields; i++)
		json_given(out, order_fields[i].name, *order_text(&order, &order_fields[i]));
	json_day(out, "dated", order.document);
	json_given(out, "sha256", order.sha256);
	json_count(out, "bytes", order.bytes);
	json_moment(out, "due", plan, order.due_ms);
	json_count(out, "other", order.other);
	json_count(out, "escalation", h->escalation);
	json_given(out, "user", order.user);
	if (reopened_from(c->history, at) != CASE_STATUSES)
		json_text(out, "from", case_status_name(reopened_from(c->history, at)));
}

static void json_history(struct text *out, const struct plan *plan, const struct case_view *c)
{
	json_key(out, "history");
	text_char(out, '[');
	for (size_t i = 0; i < c->n_history; i++) {
		text_add(out, i > 0 ? ",{" : "{");
		json_step(out, plan, c, i);
		text_char(out, '}');
	}
	text_char(out, ']');
}

/* --- what follows from the history --- */

/* The begin of an element of a list that is left out when it is empty. */
static void list_open(struct text *out, const char *key, size_t *n)
{
	if ((*n)++ == 0) {
		json_key(out, key);
		text_add(out, "[{");
	} else {
		text_add(out, ",{");
	}
}

static void json_steps(struct text *out, const struct plan *plan, const struct case_view *c)
{
	size_t n = 0;
	struct milestone m;

	for (size_t i = 0; i < c->n_history; i++) {
		if (!milestone_at(c->history, c->n_history, i, &m))
			continue;
		list_open(out, "steps", &n);
		json_text(out, "step", m.step);
		json_time(out, "due_at", plan, m.due_ms != 0, m.due_ms);
		json_time(out, "done_at", plan, m.done_ms != 0, m.done_ms);
		text_char(out, '}');
	}
	text_add(out, n > 0 ? "]" : "");
}

static void json_attachments(struct text *out, const struct plan *plan, const struct case_view *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_history; i++) {
		const struct case_order *o = &c->history[i].order;
		if (o->sha256 == NULL)
			continue;
		list_open(out, "attachments", &n);
		json_time(out, "at", plan, true, c->history[i].at_ms);
		json_text(out, "by", o->by);
		json_text(out, "name", o->file);
		json_text(out, "type", o->type);
		json_int(out, "bytes", o->bytes);
		json_text(out, "sha256", o->sha256);
		text_char(out, '}');
	}
	text_add(out, n > 0 ? "]" : "");
}

/* A merger that was undone: the case was taken up again, or parted from the one it lived on in. */
static bool is_parted(const struct case_view *c, size_t at)
{
	const struct history_view *link = &c->history[at];
	bool mine = strcmp(link->action, "merge") == 0,
	     theirs = strcmp(link->action, "merged") == 0;

	for (size_t i = at + 1; i < c->n_history; i++) {
		const struct history_view *h = &c->history[i];
		if ((mine && strcmp(h->action, "reopen") == 0) ||
		    (theirs && strcmp(h->action, "parted") == 0 &&
		     h->order.other == link->order.other))
			return true;
	}
	return strcmp(link->action, "parted") == 0;
}

static void json_links(struct text *out, const struct plan *plan, const struct case_view *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_history; i++) {
		const struct history_view *h = &c->history[i];
		if (h->order.other == 0 || is_parted(c, i))
			continue;
		list_open(out, "links", &n);
		json_int(out, "case", h->order.other);
		json_text(out, "relation",
			  h->order.relation == NULL ? h->action : h->order.relation);
		json_time(out, "at", plan, true, h->at_ms);
		json_text(out, "by", h->order.by);
		text_char(out, '}');
	}
	text_add(out, n > 0 ? "]" : "");
}

/* Organisations alone: the people stand in no open answer. */
static void json_parties(struct text *out, const struct plan *plan, const char *site)
{
	uint32_t index = site == NULL ? NO_INDEX : plan_site(plan, site);
	if (index == NO_INDEX)
		return;
	const struct parties *p = &plan->sites[index].parties;
	if (p->enterprise == NULL && p->support_units == NULL && p->territory == NULL)
		return;
	json_key(out, "parties");
	text_char(out, '{');
	json_given(out, "support_units", p->support_units);
	json_given(out, "territory", p->territory);
	json_given(out, "enterprise", p->enterprise);
	json_given(out, "credit_code", p->credit_code);
	json_given(out, "permit_no", p->permit_no);
	json_given(out, "outlet", p->outlet);
	text_char(out, '}');
}

/* By which a higher authority listed the case last; beside that with which it came. */
static const char *level_document(const struct case_view *c)
{
	for (size_t i = c->n_history; i-- > 0;)
		if (strcmp(c->history[i].action, "level") == 0)
			return c->history[i].order.document;
	return NULL;
}

/* Which deadline runs, and what has become of the case. */
static void json_case_course(struct text *out, const struct plan *plan, const struct case_view *c)
{
	json_factors(out, plan, c);
	json_given(out, "title", c->title);
	json_given(out, "document", c->document);
	json_given(out, "level_document", level_document(c));
	json_day(out, "document_dated", c->document);
	json_day(out, "level_document_dated", level_document(c));
	json_given(out, "track", c->track);
	if (c->due_ms != 0)
		json_given(out, "stage", stage_name(deadline_stage(c->status, c->verified)));
	if (c->extended)
		json_bool(out, "extended", true);
	json_count(out, "relapses", c->relapses);
	json_count(out, "reopened", c->reopened);
	json_count(out, "restored", c->restored);
	json_given(out, "withdrawn_reason", c->reason);
	json_count(out, "merged_into", c->merged_into);
	json_parties(out, plan, c->site);
	json_steps(out, plan, c);
	json_attachments(out, plan, c);
	json_links(out, plan, c);
}

static void json_case_head(struct text *out, const struct plan *plan, const struct case_view *c)
{
	json_int(out, "id", c->id);
	json_number(out, plan, c);
	json_int(out, "seq", c->seq);
	json_int(out, "year", c->year);
	json_text(out, "node", plan->node);
	json_text(out, "site", c->site);
	json_text(out, "site_name", c->site_name);
	json_text(out, "factor", c->factor);
	json_text(out, "factor_name", c->factor_name);
	json_text(out, "kind", alert_kind_name(c->kind));
	json_text(out, "severity", severity_name(c->severity));
	json_text(out, "status", case_status_name(c->status));
	json_bool(out, "verified", c->verified);
	json_text(out, "level", c->level);
	json_int(out, "escalation", c->escalation);
	json_text(out, "source", c->source);
	json_time(out, "opened_at", plan, true, c->opened_ms);
	json_time(out, "closed_at", plan, c->closed_ms != 0, c->closed_ms);
	json_time(out, "due_at", plan, c->due_ms != 0, c->due_ms);
}

static void json_case_values(struct text *out, const struct plan *plan, const struct case_view *c)
{
	json_double(out, "limit", c->has_limit, c->limit);
	json_text(out, "bound", json_bound(c->bound));
	json_text(out, "limit_source", c->limit_source);
	json_text(out, "average", json_average(c->kind, c->average));
	json_text(out, "unit", c->unit);
	json_int(out, "decimals", c->decimals);
	json_double(out, "first_value", c->has_value, c->first_value);
	json_double(out, "peak_value", c->has_value, c->peak_value);
	json_time(out, "peak_at", plan, c->has_value && c->peak_ms != 0, c->peak_ms);
	json_double(out, "last_value", c->has_value, c->last_value);
	json_double(out, "multiple", c->has_multiple, c->multiple);
}

void json_case(struct text *out, const struct plan *plan, const struct case_view *c)
{
	text_char(out, '{');
	json_case_head(out, plan, c);
	json_case_values(out, plan, c);
	json_episodes(out, plan, c);
	json_key(out, "responsible");
	text_char(out, '{');
	json_text(out, "unit", c->responsible.unit);
	json_text(out, "leader", c->responsible.leader);
	json_text(out, "team", c->responsible.team);
	text_char(out, '}');
	json_history(out, plan, c);
	json_case_course(out, plan, c);
	json_key(out, "evidence");
	text_char(out, '{');
	json_int(out, "readings", c->n_readings);
	json_text(out, "digest", c->digest);
	text_add(out, "}}");
}

void json_shelf(struct text *out, const struct plan *plan, const struct shelf_view *shelf)
{
	text_char(out, '{');
	json_id(out, "id", shelf->id);
	json_text(out, "site", shelf->site);
	json_text(out, "factor", shelf->factor);
	json_time(out, "began_at", plan, true, shelf->began_ms);
	json_time(out, "until", plan, true, shelf->until_ms);
	json_text(out, "reason", shelf->reason);
	json_text(out, "by", shelf->by);
	json_id(out, "case", shelf->case_id);
	json_time(out, "ended_at", plan, shelf->ended_ms != 0, shelf->ended_ms);
	json_text(out, "ended_by", shelf->ended_by);
	text_char(out, '}');
}

void json_event(struct text *out, const struct plan *plan, int64_t id, const char *type,
		int64_t time_ms, const char *subject, const uint8_t *chain, const char *data)
{
	struct text source = {0};
	char hex[CHAIN_HEX_BYTES];

	text_char(out, '{');
	json_text(out, "specversion", "1.0");
	json_key(out, "id");
	text_format(out, "\"%lld\"", (long long)id);
	text_add(&source, "/nodes/");
	text_add(&source, plan->node);
	json_text(out, "source", source.at);
	if (source.failed)
		out->failed = true;
	text_deinit(&source);
	json_text(out, "type", type);
	json_time(out, "time", plan, true, time_ms);
	json_text(out, "datacontenttype", "application/json");
	json_given(out, "subject", subject);
	if (chain != NULL) {
		chain_hex(hex, chain, CHAIN_HASH_BYTES);
		json_text(out, "chainhead", hex);
	}
	json_key(out, "data");
	text_add(out, data);
	text_char(out, '}');
}
