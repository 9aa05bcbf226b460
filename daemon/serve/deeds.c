/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/deeds.h"

#include "core/caserules.h"
#include "store/ledger-marks.h"

#include <errno.h>
#include <string.h>

/* --- who may --- */

/* A token gives no role that its officer does not have, and none to whom is no officer. */
static struct officer token_officer(const struct case_rules *rules,
				    const struct serve_officer *known)
{
	const struct officer *officer = officer_of(rules, known->name, NULL);
	if (officer == NULL)
		return (struct officer){.id = known->name, .name = known->name};
	return (struct officer){
		.id = officer->id, .name = officer->name, .roles = officer->roles & known->roles};
}

unsigned deeds_of(const struct case_rules *rules, const struct serve_officer *known)
{
	const struct officer officer = token_officer(rules, known);
	unsigned deeds = 0;
	for (int i = 0; i < CASE_ACTIONS; i++)
		if ((officer.roles & rules->may[i]) != 0)
			deeds |= 1u << i;
	return deeds;
}

/* A token is one officer's, who acts in no other's name. */
static bool allow_token(const struct case_rules *rules, const struct serve_officer *known, int deed,
			struct case_order *order, struct api_answer *answer)
{
	struct text why = {0};
	const struct officer officer = token_officer(rules, known);
	bool himself = order->by == NULL || strcmp(order->by, officer.name) == 0 ||
		       strcmp(order->by, officer.id) == 0;
	bool may = himself && officer_may(rules, &officer, deed, &why);
	if (!himself)
		text_format(&why, "the token is that of %.200s, who acts for nobody else",
			    officer.name);
	order->by = officer.name;
	if (!may)
		api_error(answer, 403, why.at == NULL ? "not allowed" : why.at);
	text_deinit(&why);
	return may;
}

/* An officer with a user of the machine acts as that one alone: the kernel says who is there. */
static bool is_himself(const struct officer *officer, const char *peer)
{
	return officer == NULL || officer->user == NULL || strcmp(officer->user, peer) == 0;
}

/* Whoever acts is named; where the office has named its officers, it must be one who may. */
static bool allow(const struct api *api, const struct api_request *request, int deed,
		  struct case_order *order, struct api_answer *answer)
{
	const struct case_rules *rules = api->setup.plan->rules;
	struct text why = {0};
	order->user = request->officer == NULL ? request->peer : NULL;
	if (request->officer != NULL)
		return allow_token(rules, request->officer, deed, order, answer);
	const struct officer *officer =
		rules == NULL ? NULL : officer_of(rules, order->by, request->peer);
	if (officer == NULL && (rules == NULL || rules->strangers)) {
		order->by = order->by == NULL ? request->peer : order->by;
		return true;
	}
	bool himself = is_himself(officer, request->peer);
	bool may = officer != NULL && himself && officer_may(rules, officer, deed, &why);
	if (!himself)
		text_format(&why, "%.200s acts as the user \"%.64s\", and you are \"%.64s\"",
			    officer->name, officer->user, request->peer);
	else if (officer == NULL)
		text_format(&why, "\"%.200s\" is none of the officers",
			    order->by == NULL ? request->peer : order->by);
	else
		order->by = officer->name;
	if (!may)
		api_error(answer, 403, why.at == NULL ? "not allowed" : why.at);
	text_deinit(&why);
	return may;
}

/* Return: true and @body, to be deinitialised; else @answer is filled. */
static bool read_body(const struct api *api, const struct api_request *request, enum order_use use,
		      struct action_body *body, struct api_answer *answer)
{
	struct text error = {0};
	bool good = action_read(request->body, request->body_length, &api->setup.plan->zone, use,
				api_now_ms(), body, &error);
	if (!good)
		api_error(answer, 400, error.at == NULL ? "out of memory" : error.at);
	text_deinit(&error);
	return good;
}

void deed_act(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	struct action_body body;
	if (!read_body(api, request, USE_ACT, &body, answer))
		return;
	if (allow(api, request, (int)body.order.action, &body.order, answer))
		api_case_result(answer,
				ledger_act(api->setup.ledger, request->id, &body.order,
					   api_now_ms(), &answer->body),
				request->id);
	action_body_deinit(&body);
}

void deed_open(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	struct action_body body;
	if (!read_body(api, request, USE_OPEN, &body, answer))
		return;
	if (allow(api, request, DEED_OPEN, &body.order, answer))
		api_case_result(answer,
				ledger_open_case(api->setup.ledger, &body.order, api_now_ms(),
						 &answer->body),
				0);
	action_body_deinit(&body);
}

void deed_attach(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	struct case_order order = request->query.order;
	if (request->body_length == 0 || order.file == NULL || order.type == NULL) {
		api_error(answer, 400,
			  request->body_length == 0 ? "the file is empty"
						    : "an attachment needs name and type");
		return;
	}
	if (allow(api, request, ACTION_ATTACH, &order, answer))
		api_case_result(answer,
				ledger_attach(api->setup.ledger, request->id, &order, request->body,
					      request->body_length, api_now_ms(), &answer->body),
				request->id);
}

/* The bytes as they came, for saving only: nothing of it is to run in a browser. */
void deed_attachment(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	if (!request->may_act) {
		api_error(answer, 403, "attachments are not read over this listener");
		return;
	}
	answer->type = "application/octet-stream";
	int result = ledger_attachment(api->setup.ledger, request->id, attachment_of(request->path),
				       &answer->body);
	if (result == LEDGER_UNKNOWN)
		api_error(answer, 404, "no such attachment");
	else if (result != 0)
		api_store_failed(answer, result, "attachment");
	if (result == -EBADMSG)
		api_error(answer, 500,
			  "the file is not the one that was attached: its hash differs");
}

void deed_acknowledge(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	struct action_body body;
	int result = 0;
	if (!read_body(api, request, USE_ACKNOWLEDGE, &body, answer))
		return;
	if (allow(api, request, DEED_ACKNOWLEDGE, &body.order, answer))
		result = ledger_acknowledge(api->setup.ledger, request->id, body.order.by,
					    api_now_ms(), &answer->body);
	if (result == LEDGER_UNKNOWN)
		api_error(answer, 404, "no such alert");
	else if (result != 0)
		api_store_failed(answer, result, "ledger");
	action_body_deinit(&body);
}

static bool shelf_known(const struct api *api, const struct case_order *order,
			struct api_answer *answer)
{
	const struct plan *plan = api->setup.plan;
	if (order->site == NULL) {
		api_error(answer, 400, "field \"site\" is missing");
		return false;
	}
	if (!api_site(api, order->site, answer))
		return false;
	if (order->factor == NULL || plan_monitor(plan, order->site, order->factor) != NO_INDEX)
		return true;
	api_error(answer, 404, "the site has no such factor");
	return false;
}

static int shelve(struct api *api, const struct api_request *request, const struct case_order *o,
		  struct api_answer *answer)
{
	const struct shelf_order shelf = {o->site, o->factor, o->why, o->by, o->due_ms};
	if (request->endpoint == ENDPOINT_UNSHELVE)
		return ledger_unshelve(api->setup.ledger, o->site, o->factor, o->by, api_now_ms());
	if (o->why == NULL || o->due_ms <= api_now_ms()) {
		api_error(answer, 400, "a shelf needs reason, and for_s or until ahead of now");
		return LEDGER_INCOMPLETE;
	}
	return ledger_shelve(api->setup.ledger, &shelf, api_now_ms());
}

void deed_shelve(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	struct action_body body;
	if (!read_body(api, request, USE_SHELVE, &body, answer))
		return;
	if (shelf_known(api, &body.order, answer) &&
	    allow(api, request, DEED_SHELVE, &body.order, answer)) {
		int result = shelve(api, request, &body.order, answer);
		if (result == 0)
			result = ledger_shelves_json(api->setup.ledger, false, &answer->body);
		if (result == LEDGER_UNKNOWN)
			api_error(answer, 404, "nothing is shelved there");
		else if (result != 0 && result != LEDGER_INCOMPLETE)
			api_store_failed(answer, result, "ledger");
	}
	action_body_deinit(&body);
}

void deed_shelves(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	if (request->method == METHOD_POST) {
		deed_shelve(api, request, answer);
		return;
	}
	int result = ledger_shelves_json(api->setup.ledger, request->query.all, &answer->body);
	if (result != 0)
		api_store_failed(answer, result, "ledger");
}

/* --- marks --- */

#define MARK_MOST_MS (366 * INT64_C(86400000))

static void mark_query(const struct query *query, struct case_order *order)
{
	*order = query->order;
	order->site = query->site;
	order->factor = query->factor;
	order->has_from = query->has_from;
	order->has_to = query->has_to;
	order->from_ms = query->from_ms;
	order->to_ms = query->to_ms;
}

/* Return: NULL; else what is wrong with it. */
static const char *mark_lacks(const struct case_order *o)
{
	return o->site == NULL                        ? "field \"site\" is missing"
	       : o->factor == NULL                    ? "field \"factor\" is missing"
	       : !o->has_from                         ? "field \"from\" is missing"
	       : !o->has_to                           ? "field \"to\" is missing"
	       : o->flag == 0                         ? "field \"flag\" is missing"
	       : o->why == NULL                       ? "field \"reason\" is missing"
	       : o->from_ms >= o->to_ms               ? "\"to\" must lie after \"from\""
	       : o->to_ms - o->from_ms > MARK_MOST_MS ? "a mark lasts 366 days at most"
						      : NULL;
}

static bool mark_monitor(const struct api *api, const struct case_order *o,
			 struct api_answer *answer)
{
	if (!api_site(api, o->site, answer))
		return false;
	if (o->factor == NULL || o->site == NULL ||
	    plan_monitor(api->setup.plan, o->site, o->factor) != NO_INDEX)
		return true;
	api_error(answer, 404, "the site has no such factor");
	return false;
}

static void mark_give(struct api *api, const struct api_request *request, struct case_order *o,
		      struct api_answer *answer)
{
	const char *lack = mark_lacks(o);
	if (lack != NULL)
		api_error(answer, 400, lack);
	if (lack != NULL || !mark_monitor(api, o, answer) ||
	    !allow(api, request, DEED_MARK, o, answer))
		return;
	struct mark_order order = {.site = o->site,
				   .factor = o->factor,
				   .reason = o->why,
				   .by = o->by,
				   .from_ms = o->from_ms,
				   .to_ms = o->to_ms,
				   .flag = (enum flag)o->flag,
				   .file = o->file};
	if (o->file != NULL) {
		order.data = request->body;
		order.size = request->body_length;
	}
	int result = ledger_mark(api->setup.ledger, &order, api_now_ms(), &answer->body);
	text_char(&answer->body, '\n');
	if (result != 0)
		api_store_failed(answer, result, "ledger");
	else if (api->setup.marked != NULL)
		api->setup.marked(api->setup.context);
}

/* A mark is a JSON body; or a file as the body, and the rest as parameters. */
static void answer_mark(struct api *api, const struct api_request *request,
			struct api_answer *answer)
{
	struct case_order order;
	struct action_body body;
	mark_query(&request->query, &order);
	if (order.file != NULL && request->body_length == 0) {
		api_error(answer, 400, "the file is empty");
	} else if (order.file != NULL) {
		mark_give(api, request, &order, answer);
	} else if (request->body_length > 65536) {
		api_error(answer, 413, "the body is larger than 64 KiB");
	} else if (read_body(api, request, USE_MARK, &body, answer)) {
		if (body.order.file != NULL)
			api_error(answer, 400,
				  "field \"name\" stands beside a file, as a parameter");
		else
			mark_give(api, request, &body.order, answer);
		action_body_deinit(&body);
	}
}

void deed_marks(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	const struct query *q = &request->query;
	const struct mark_filter filter = {.site = q->site,
					   .factor = q->factor,
					   .from_ms = q->has_from ? q->from_ms : INT64_MIN,
					   .to_ms = q->has_to ? q->to_ms : INT64_MAX,
					   .after = q->after,
					   .limit = q->limit};
	struct case_order order;
	if (request->method == METHOD_POST) {
		answer_mark(api, request, answer);
		return;
	}
	mark_query(q, &order);
	if (!mark_monitor(api, &order, answer))
		return;
	int result = ledger_marks_json(api->setup.ledger, &filter, &answer->body);
	if (result != 0)
		api_store_failed(answer, result, "ledger");
}
