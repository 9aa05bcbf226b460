/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include "base/log.h"
#include "core/caserules.h"
#include "serve/documents.h"
#include "serve/office.h"
#include "serve/loads.h"
#include "serve/pages.h"
#include "store/ledger-marks.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const char json_type[] = "application/json";
static const char html_type[] = "text/html; charset=utf-8";

void api_error(struct api_answer *answer, unsigned status, const char *sentence)
{
	answer->status = status;
	answer->type = json_type;
	text_clear(&answer->body);
	text_add(&answer->body, "{\"error\":");
	text_json(&answer->body, sentence);
	text_add(&answer->body, "}\n");
}

/* Return: true when @answer is filled. */
static bool refuse_token(const struct api_request *request, struct api_answer *answer)
{
	bool post = request->method == METHOD_POST;
	if (request->token == OFFICERS_MANY)
		api_error(answer, 429, "too many requests of this kind; wait a minute");
	else if (request->token == OFFICERS_WRONG)
		api_error(answer, 401, "this token is no officer's");
	else if (post && !request->may_act && request->officers)
		api_error(answer, 401, "acting takes an officer's token: Authorization: Bearer");
	else if (post && !request->may_act)
		api_error(answer, 403, "this listener is for reading only");
	else if (post && request->officer != NULL && request->endpoint == ENDPOINT_DELIVERY_TEST)
		api_error(answer, 403, "a test is sent over the socket alone");
	else
		return false;
	return true;
}

bool api_refuse(const struct api_request *request, struct api_answer *answer)
{
	enum endpoint endpoint = request->endpoint;
	bool post = request->method == METHOD_POST;
	if (refuse_token(request, answer))
		return true;
	if (request->endpoint == ENDPOINT_NONE) {
		api_error(answer, 404, "no such path");
		return true;
	}
	if (request->method == METHOD_OTHER ||
	    !(post ? endpoint_posts(endpoint) : endpoint_reads(endpoint))) {
		api_error(answer, 405, "this method is not for this path");
		answer->allow = !endpoint_posts(endpoint)  ? "GET, HEAD"
				: endpoint_reads(endpoint) ? "GET, HEAD, POST"
							   : "POST";
		return true;
	}
	if (post && request->body_too_large) {
		api_error(answer, 413,
			  endpoint_body_most(endpoint) == ATTACHMENT_BYTES_MOST
				  ? "the file is larger than 16 MiB"
				  : "the body is larger than 64 KiB");
		return true;
	}
	return false;
}

bool api_site(const struct api *api, const char *site, struct api_answer *answer)
{
	struct text sentence = {0};
	if (site == NULL || plan_site(api->setup.plan, site) != NO_INDEX)
		return true;
	text_format(&sentence, "no site \"%.64s\"", site);
	api_error(answer, 404, sentence.at);
	text_deinit(&sentence);
	return false;
}

static int64_t wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The store could not be read or written: said to the log once per request, without details to the
 * client. */
static void answer_store(struct api_answer *answer, int result, const char *what)
{
	log_warnx("http: the %s failed: %s", what,
		  result < 0 ? log_error_text(-result) : "the disk does not keep what is written");
	api_error(answer, 500, "the store could not be read or written; the daemon's log says why");
}

/* --- readings --- */

static uint32_t readings_monitor(const struct api *api, const struct query *query,
				 struct api_answer *answer)
{
	struct text sentence = {0};
	uint32_t monitor = plan_monitor(api->setup.plan, query->site, query->factor);
	if (monitor == NO_INDEX) {
		text_format(&sentence, "site \"%.64s\" has no factor \"%.64s\"", query->site,
			    query->factor);
		api_error(answer, 404, sentence.at);
		text_deinit(&sentence);
	}
	return monitor;
}

static void answer_readings(struct api *api, const struct api_request *request,
			    struct api_answer *answer)
{
	const struct query *query = &request->query;
	const int64_t hour_ms = 3600000, now_ms = wall_ms();
	struct daybook_reader *reader;
	struct daybook_query range = {.monitor = NO_INDEX,
				      .after = query->after,
				      .limit = query->limit,
				      .to_ms = query->has_to ? query->to_ms : INT64_MAX};
	if (!api_site(api, query->site, answer))
		return;
	range.site = plan_site(api->setup.plan, query->site);
	range.from_ms = query->has_from        ? query->from_ms
			: range.to_ms < now_ms ? range.to_ms - hour_ms
					       : now_ms - hour_ms;
	if (query->factor != NULL) {
		range.monitor = readings_monitor(api, query, answer);
		if (range.monitor == NO_INDEX)
			return;
	}
	int result = readers_take(&api->readers, &reader);
	if (result == 0) {
		bool csv = query_wants_csv(request->accept);
		struct page_readings page = {
			.out = &answer->body, .plan = api->setup.plan, .ledger = api->setup.ledger};
		answer->type = csv ? "text/csv; charset=utf-8; header=present" : json_type;
		result = csv ? page_readings_csv(&page, reader, &range, &answer->next)
			     : page_readings_json(&page, reader, &range);
		readers_give(&api->readers, reader, result != 0);
	}
	if (result != 0)
		answer_store(answer, result, "daybook");
}

static void answer_gaps(struct api *api, const struct query *query, struct api_answer *answer)
{
	struct daybook_reader *reader;
	if (!api_site(api, query->site, answer))
		return;
	int result = readers_take(&api->readers, &reader);
	if (result == 0) {
		result = page_gaps(&answer->body, api->setup.plan, reader, query);
		readers_give(&api->readers, reader, result != 0);
	}
	if (result != 0)
		answer_store(answer, result, "daybook");
}

/* --- loads --- */

/* A connection for each request, read-only, so that a long answer holds nobody up. */
static void answer_loads(struct api *api, const struct query *query, struct api_answer *answer)
{
	struct tallies *tallies;
	if (!api_site(api, query->site, answer) ||
	    (query->factor != NULL && readings_monitor(api, query, answer) == NO_INDEX))
		return;
	int result = tallies_read(&tallies, api->setup.directory, api->setup.plan);
	if (result == 0 || result == -ENOENT)
		result = page_loads(&answer->body, api->setup.plan, tallies, query, wall_ms());
	tallies_close(tallies);
	if (result != 0)
		answer_store(answer, result, "tally");
}

/* --- alerts and cases --- */

static void answer_alerts(struct api *api, const struct query *query, struct api_answer *answer)
{
	const struct alert_filter filter = {.active = query->active,
					    .site = query->site,
					    .after = query->after,
					    .limit = query->limit};
	if (!api_site(api, query->site, answer))
		return;
	int result = ledger_alerts_json(api->setup.ledger, &filter, &answer->body);
	if (result != 0)
		answer_store(answer, result, "ledger");
}

static void answer_cases(struct api *api, const struct query *query, struct api_answer *answer)
{
	const struct case_filter filter = {
		.all = query->all,
		.site = query->site,
		.from_ms = query->has_from ? query->from_ms : 0,
		.to_ms = query->has_to ? query->to_ms : INT64_MAX,
		.after = query->after,
		.limit = query->limit,
	};
	if (!api_site(api, query->site, answer))
		return;
	int result = ledger_cases_json(api->setup.ledger, &filter, &answer->body);
	if (result != 0)
		answer_store(answer, result, "ledger");
}

static void answer_case_result(struct api_answer *answer, int result, int64_t id)
{
	struct text sentence = {0};
	switch (result) {
	case 0:
		break;
	case LEDGER_UNKNOWN:
		answer->status = 404;
		if (answer->body.length > 0)
			break;
		text_format(&sentence, "no case %lld", (long long)id);
		api_error(answer, 404, sentence.at);
		text_deinit(&sentence);
		break;
	case LEDGER_REFUSED:
		answer->status = 409;
		break;
	case LEDGER_INCOMPLETE:
		answer->status = 400;
		break;
	default:
		answer_store(answer, result, "ledger");
	}
}

/* --- what people do --- */

/* A token is one officer's, who acts in no other's name, and with no role that the configuration's
 * list of officers does not give as well. */
static bool allow_token(const struct case_rules *rules, const struct serve_officer *known, int deed,
			struct case_order *order, struct api_answer *answer)
{
	struct text why = {0};
	struct officer officer = {.id = known->name, .name = known->name, .roles = known->roles};
	const struct officer *listed =
		rules->n_officers > 0 ? officer_of(rules, known->name, NULL) : NULL;
	if (listed != NULL)
		officer = (struct officer){.id = listed->id,
					   .name = listed->name,
					   .roles = listed->roles & known->roles};
	bool himself = order->by == NULL || strcmp(order->by, officer.name) == 0 ||
		       strcmp(order->by, officer.id) == 0;
	bool may = himself && (rules->n_officers == 0 || listed != NULL) &&
		   officer_may(rules, &officer, deed, &why);
	if (!himself)
		text_format(&why, "the token is that of %.200s, who acts for nobody else",
			    officer.name);
	order->by = officer.name;
	if (!may)
		api_error(answer, 403, why.at == NULL ? "not allowed" : why.at);
	text_deinit(&why);
	return may;
}

/* Whoever acts is named; where the office has named its officers, it must be one who may. */
static bool allow(const struct api *api, const struct api_request *request, int deed,
		  struct case_order *order, struct api_answer *answer)
{
	const struct case_rules *rules = api->setup.plan->rules;
	struct text why = {0};
	if (request->officer != NULL)
		return allow_token(rules, request->officer, deed, order, answer);
	if (rules == NULL || rules->n_officers == 0) {
		order->by = order->by == NULL ? request->peer : order->by;
		return true;
	}
	const struct officer *officer = officer_of(rules, order->by, request->peer);
	bool may = officer != NULL && officer_may(rules, officer, deed, &why);
	if (officer == NULL)
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
				wall_ms(), body, &error);
	if (!good)
		api_error(answer, 400, error.at == NULL ? "out of memory" : error.at);
	text_deinit(&error);
	return good;
}

static void answer_action(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	struct action_body body;
	if (!read_body(api, request, USE_ACT, &body, answer))
		return;
	if (allow(api, request, (int)body.order.action, &body.order, answer))
		answer_case_result(answer,
				   ledger_act(api->setup.ledger, request->id, &body.order,
					      wall_ms(), &answer->body),
				   request->id);
	action_body_deinit(&body);
}

static void answer_open(struct api *api, const struct api_request *request,
			struct api_answer *answer)
{
	struct action_body body;
	if (!read_body(api, request, USE_OPEN, &body, answer))
		return;
	if (allow(api, request, DEED_OPEN, &body.order, answer))
		answer_case_result(
			answer,
			ledger_open_case(api->setup.ledger, &body.order, wall_ms(), &answer->body),
			0);
	action_body_deinit(&body);
}

static void answer_attach(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	struct case_order order = request->query.order;
	if (request->body_length == 0 || order.file == NULL || order.type == NULL) {
		api_error(answer, 400,
			  request->body_length == 0 ? "the file is empty"
						    : "an attachment needs name and type");
		return;
	}
	if (allow(api, request, ACTION_ATTACH, &order, answer))
		answer_case_result(answer,
				   ledger_attach(api->setup.ledger, request->id, &order,
						 request->body, request->body_length, wall_ms(),
						 &answer->body),
				   request->id);
}

/* The bytes as they came, for saving only: nothing of it is to run in a browser. */
static void answer_attachment(struct api *api, const struct api_request *request,
			      struct api_answer *answer)
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
		answer_store(answer, result, "attachment");
}

static void answer_acknowledge(struct api *api, const struct api_request *request,
			       struct api_answer *answer)
{
	struct action_body body;
	int result = 0;
	if (!read_body(api, request, USE_ACKNOWLEDGE, &body, answer))
		return;
	if (allow(api, request, DEED_ACKNOWLEDGE, &body.order, answer))
		result = ledger_acknowledge(api->setup.ledger, request->id, body.order.by,
					    wall_ms(), &answer->body);
	if (result == LEDGER_UNKNOWN)
		api_error(answer, 404, "no such alert");
	else if (result != 0)
		answer_store(answer, result, "ledger");
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
		return ledger_unshelve(api->setup.ledger, o->site, o->factor, o->by, wall_ms());
	if (o->why == NULL || o->due_ms <= wall_ms()) {
		api_error(answer, 400, "a shelf needs reason, and for_s or until ahead of now");
		return LEDGER_INCOMPLETE;
	}
	return ledger_shelve(api->setup.ledger, &shelf, wall_ms());
}

static void answer_shelve(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
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
			answer_store(answer, result, "ledger");
	}
	action_body_deinit(&body);
}

static void answer_shelves(struct api *api, const struct api_request *request,
			   struct api_answer *answer)
{
	if (request->method == METHOD_POST) {
		answer_shelve(api, request, answer);
		return;
	}
	int result = ledger_shelves_json(api->setup.ledger, request->query.all, &answer->body);
	if (result != 0)
		answer_store(answer, result, "ledger");
}

/* --- deliveries --- */

static void answer_deliveries(struct api *api, struct api_answer *answer)
{
	if (api->setup.deliveries_json != NULL)
		api->setup.deliveries_json(api->setup.context, &answer->body);
	else
		text_add(&answer->body, "{\"deliveries\":[]}");
}

/* It is sent after this answer: the list says how it went. */
static void answer_test(struct api *api, const struct api_request *request,
			struct api_answer *answer)
{
	char id[65];
	int64_t number;
	struct text sentence = {0};
	delivery_of(request->path, id);
	if (api->setup.deliveries_test != NULL &&
	    api->setup.deliveries_test(api->setup.context, id, &number)) {
		answer->status = 202;
		text_format(&answer->body, "{\"test\":%lld}", (long long)number);
		return;
	}
	text_format(&sentence, "no delivery \"%s\"", id);
	api_error(answer, 404, sentence.at == NULL ? "no such delivery" : sentence.at);
	text_deinit(&sentence);
}

static void answer_office(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	const struct office office = {
		.setup = &api->setup,
		.sparks = &api->sparks,
		.query = &request->query,
		.sees_persons = request->sees_persons,
		.now_ms = wall_ms(),
	};
	if (!api_site(api, request->query.site, answer))
		return;
	int result = office_write(&office, &answer->body);
	if (result != 0) {
		answer_store(answer, result, "ledger");
		return;
	}
	answer->type = html_type;
	answer->policy = api->office_policy.at;
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
	int result = ledger_mark(api->setup.ledger, &order, wall_ms(), &answer->body);
	text_char(&answer->body, '\n');
	if (result != 0)
		answer_store(answer, result, "ledger");
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

static void answer_marks(struct api *api, const struct api_request *request,
			 struct api_answer *answer)
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
		answer_store(answer, result, "ledger");
}

static void answer_dossier(struct api *api, const struct api_request *request,
			   struct api_answer *answer)
{
	const struct document_order order = {
		.id = request->id,
		.language = request->query.language,
		.open = request->query.open || !request->sees_persons,
		.now_ms = wall_ms(),
	};
	int result = document_dossier(&api->setup, &api->readers, &order, &answer->body);
	if (result == 0) {
		answer->type = html_type;
		answer->policy = document_policy;
	}
	answer_case_result(answer, result, request->id);
}

/* All of a case, persons and configuration too: not for the listener. */
static void answer_evidence(struct api *api, const struct api_request *request,
			    struct api_answer *answer)
{
	const struct document_order order = {.id = request->id, .now_ms = wall_ms()};
	struct text page = {0};
	if (!request->sees_persons || api->setup.evidence == NULL) {
		api_error(answer, 403, "evidence is given over the socket alone");
		return;
	}
	int result = document_dossier(&api->setup, &api->readers, &order, &page);
	if (result == 0)
		result = api->setup.evidence(api->setup.context, request->id, &page, &answer->body);
	if (result == 0)
		answer->type = "application/x-tar";
	else
		text_clear(&answer->body);
	text_deinit(&page);
	answer_case_result(answer, result, request->id);
}

/* It names persons and what nobody has verified. */
static void answer_report(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	bool csv = query_wants_csv(request->accept);
	if (!request->may_act) {
		api_error(answer, 403, "reports are not read over this listener");
		return;
	}
	int result = document_report(&api->setup, &request->query, csv, wall_ms(), &answer->body);
	answer->type = csv ? "text/csv; charset=utf-8; header=present" : html_type;
	if (!csv)
		answer->policy = document_policy;
	if (result != 0)
		answer_store(answer, result, "report");
}

void api_answer(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	answer->status = 200;
	answer->type = json_type;
	switch (request->endpoint) {
	case ENDPOINT_OFFICE:
		answer_office(api, request, answer);
		break;
	case ENDPOINT_HEALTH:
		answer->status = page_health(&api->setup, api->started_mono_s, &answer->body);
		break;
	case ENDPOINT_METRICS:
		answer->type = "text/plain; version=0.0.4; charset=utf-8";
		metrics_print(api->setup.metrics, &answer->body);
		break;
	case ENDPOINT_SITES:
		page_sites(&api->setup, &answer->body);
		break;
	case ENDPOINT_READINGS:
		answer_readings(api, request, answer);
		break;
	case ENDPOINT_GAPS:
		answer_gaps(api, &request->query, answer);
		break;
	case ENDPOINT_REPORT:
		answer_report(api, request, answer);
		break;
	case ENDPOINT_LOADS:
		answer_loads(api, &request->query, answer);
		break;
	case ENDPOINT_ALERTS:
		answer_alerts(api, &request->query, answer);
		break;
	case ENDPOINT_CASES:
		if (request->method == METHOD_POST)
			answer_open(api, request, answer);
		else
			answer_cases(api, &request->query, answer);
		break;
	case ENDPOINT_CASE:
		answer_case_result(answer,
				   ledger_case_json(api->setup.ledger, request->id, &answer->body),
				   request->id);
		break;
	case ENDPOINT_ACTIONS:
		answer_action(api, request, answer);
		break;
	case ENDPOINT_EVIDENCE:
		answer_evidence(api, request, answer);
		break;
	case ENDPOINT_DOSSIER:
		answer_dossier(api, request, answer);
		break;
	case ENDPOINT_ATTACHMENTS:
		answer_attach(api, request, answer);
		break;
	case ENDPOINT_ATTACHMENT:
		answer_attachment(api, request, answer);
		break;
	case ENDPOINT_ACKNOWLEDGE:
		answer_acknowledge(api, request, answer);
		break;
	case ENDPOINT_SHELVES:
		answer_shelves(api, request, answer);
		break;
	case ENDPOINT_UNSHELVE:
		answer_shelve(api, request, answer);
		break;
	case ENDPOINT_DELIVERIES:
		answer_deliveries(api, answer);
		break;
	case ENDPOINT_DELIVERY_TEST:
		answer_test(api, request, answer);
		break;
	case ENDPOINT_MARKS:
		answer_marks(api, request, answer);
		break;
	case ENDPOINT_EVENTS: /* stream.c */
	case ENDPOINT_NONE:
		api_error(answer, 404, "no such path");
		break;
	}
	if (answer->body.failed)
		api_error(answer, 500, "out of memory");
}
