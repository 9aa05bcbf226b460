/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include "base/log.h"
#include "serve/deeds.h"
#include "serve/documents.h"
#include "serve/office.h"
#include "serve/loads.h"
#include "serve/means.h"
#include "serve/pages.h"
#include "serve/redact.h"
#include "serve/rules-page.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const char json_type[] = "application/json";
static const char csv_type[] = "text/csv; charset=utf-8; header=present";
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
	else if (post && request->officer != NULL && request->endpoint == ENDPOINT_RELOAD)
		api_error(answer, 403, "a reload is asked for over the socket alone");
	else if (post && request->officer != NULL && request->endpoint == ENDPOINT_CLOCK)
		api_error(answer, 403, "the clock is confirmed over the socket alone");
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

int64_t api_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void api_store_failed(struct api_answer *answer, int result, const char *what)
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
	const int64_t hour_ms = 3600000, now_ms = api_now_ms();
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
		answer->type = csv ? csv_type : json_type;
		result = csv ? page_readings_csv(&page, reader, &range, &answer->next)
			     : page_readings_json(&page, reader, &range);
		readers_give(&api->readers, reader, result != 0);
	}
	if (result != 0)
		api_store_failed(answer, result, "daybook");
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
		api_store_failed(answer, result, "daybook");
}

/* --- loads and means --- */

/* A connection for each request, read-only, so that a long answer holds nobody up. */
static void answer_loads(struct api *api, const struct query *query, struct api_answer *answer)
{
	struct tallies *tallies;
	if (!api_site(api, query->site, answer) ||
	    (query->factor != NULL && readings_monitor(api, query, answer) == NO_INDEX))
		return;
	int result = tallies_read(&tallies, api->setup.directory, api->setup.plan);
	if (result == 0 || result == -ENOENT)
		result = page_loads(&answer->body, api->setup.plan, tallies, query, api_now_ms());
	tallies_close(tallies);
	if (result != 0)
		api_store_failed(answer, result, "tally");
}

static void answer_means(struct api *api, const struct api_request *request,
			 struct api_answer *answer)
{
	const struct query *query = &request->query;
	bool csv = query_wants_csv(request->accept);
	struct tallies *tallies;
	if (!api_site(api, query->site, answer))
		return;
	uint32_t monitor = readings_monitor(api, query, answer);
	if (monitor == NO_INDEX)
		return;
	answer->type = csv ? csv_type : json_type;
	int result = tallies_read(&tallies, api->setup.directory, api->setup.plan);
	if (result == 0 || result == -ENOENT)
		result = page_means(&answer->body, api->setup.plan, tallies, monitor, query,
				    api_now_ms(), csv, &answer->next);
	tallies_close(tallies);
	if (result != 0)
		api_store_failed(answer, result, "tally");
}

/* --- alerts and cases --- */

/* Without a token, what is asked for by site or time says by the answer where or when it was. */
static struct ledger_choice choice_of(const struct api *api, const struct api_request *request,
				      bool (*tells)(const struct plan *plan,
						    const struct ledger_row *row))
{
	const struct query *query = &request->query;
	bool narrow = query->site != NULL || query->has_from || query->has_to;
	return (struct ledger_choice){request->sees_persons || !narrow ? NULL : tells,
				      api->setup.plan};
}

static void answer_alerts(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	const struct query *query = &request->query;
	const struct alert_filter filter = {.active = query->active,
					    .site = query->site,
					    .after = query->after,
					    .limit = query->limit,
					    .choice = choice_of(api, request, redact_alert_tells)};
	if (!api_site(api, query->site, answer))
		return;
	int result = ledger_alerts_json(api->setup.ledger, &filter, &answer->body);
	if (result != 0)
		api_store_failed(answer, result, "ledger");
}

static void answer_cases(struct api *api, const struct api_request *request,
			 struct api_answer *answer)
{
	const struct query *query = &request->query;
	const struct case_filter filter = {
		.all = query->all,
		.site = query->site,
		.from_ms = query->has_from ? query->from_ms : 0,
		.to_ms = query->has_to ? query->to_ms : INT64_MAX,
		.due_ms = query->overdue ? api_now_ms() : 0,
		.after = query->after,
		.limit = query->limit,
		.choice = choice_of(api, request, redact_case_tells),
	};
	if (!api_site(api, query->site, answer))
		return;
	int result = ledger_cases_json(api->setup.ledger, &filter, &answer->body);
	if (result != 0)
		api_store_failed(answer, result, "ledger");
}

void api_case_result(struct api_answer *answer, int result, int64_t id)
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
		api_store_failed(answer, result, "ledger");
	}
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
		.signs_in = request->officers,
		.officer = request->officer,
		.deeds = request->officer == NULL
				 ? 0
				 : deeds_of(api->setup.plan->rules, request->officer),
		.now_ms = api_now_ms(),
	};
	if (!api_site(api, request->query.site, answer))
		return;
	int result = office_write(&office, &answer->body);
	if (result != 0) {
		api_store_failed(answer, result, "ledger");
		return;
	}
	answer->type = html_type;
	answer->policy = api->office_policy.at;
}

/* --- documents --- */

static void answer_dossier(struct api *api, const struct api_request *request,
			   struct api_answer *answer)
{
	const struct document_order order = {
		.id = request->id,
		.language = request->query.language,
		.open = request->query.open || !request->sees_persons,
		.now_ms = api_now_ms(),
	};
	int result = document_dossier(&api->setup, &api->readers, &order, &answer->body);
	if (result == 0) {
		answer->type = html_type;
		answer->policy = document_policy;
	}
	api_case_result(answer, result, request->id);
}

/* All of a case, persons and configuration too: not for the listener. */
static void answer_evidence(struct api *api, const struct api_request *request,
			    struct api_answer *answer)
{
	const struct document_order order = {.id = request->id, .now_ms = api_now_ms()};
	struct text page = {0};
	if (!request->sees_persons || api->setup.evidence == NULL) {
		api_error(answer, 403, "evidence is given over the socket alone");
		return;
	}
	int result = document_dossier(&api->setup, &api->readers, &order, &page);
	if (result == 0)
		result = api->setup.evidence(api->setup.context, request->id, request->query.trust,
					     &page, &answer->body);
	if (result == 0)
		answer->type = "application/x-tar";
	else
		text_clear(&answer->body);
	text_deinit(&page);
	api_case_result(answer, result, request->id);
}

/* With its passwords. */
static void answer_configuration(struct api *api, const struct api_request *request,
				 struct api_answer *answer)
{
	if (!request->sees_persons || request->officer != NULL ||
	    api->setup.configuration == NULL) {
		api_error(answer, 403, "the configuration is given over the socket alone");
		return;
	}
	text_add(&answer->body, "{\"files\":[");
	api->setup.configuration(api->setup.context, &answer->body);
	text_add(&answer->body, "]}\n");
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
	int result =
		document_report(&api->setup, &request->query, csv, api_now_ms(), &answer->body);
	answer->type = csv ? "text/csv; charset=utf-8; header=present" : html_type;
	if (!csv)
		answer->policy = document_policy;
	if (result != 0)
		api_store_failed(answer, result, "report");
}

void api_reload(struct api *api, struct api_answer *answer)
{
	struct text said = {0};
	answer->type = json_type;
	if (api->setup.reload == NULL) {
		api_error(answer, 501, "this server cannot reload");
	} else if (api->setup.reload(api->setup.context, &said)) {
		answer->status = 200;
		answer->body = said;
		return;
	} else {
		api_error(answer, 409, said.at != NULL ? said.at : "the reload failed");
	}
	text_deinit(&said);
}

/* Taken up within a second. */
static void answer_clock(struct api *api, struct api_answer *answer)
{
	if (api->setup.confirm_clock == NULL) {
		api_error(answer, 501, "this server keeps no clock");
		return;
	}
	api->setup.confirm_clock(api->setup.context);
	text_add(&answer->body, "{\"confirmed\":\"");
	text_time(&answer->body, api_now_ms(), &api->setup.plan->zone, 3);
	text_add(&answer->body, "\"}");
}

/* Which answers name persons, or an enterprise. */
static bool names_somebody(enum endpoint endpoint)
{
	return endpoint == ENDPOINT_ALERTS || endpoint == ENDPOINT_CASES ||
	       endpoint == ENDPOINT_CASE || endpoint == ENDPOINT_SHELVES ||
	       endpoint == ENDPOINT_MARKS || endpoint == ENDPOINT_DELIVERIES;
}

static void redact_answer(const struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	enum endpoint endpoint = request->endpoint;
	bool remarks = endpoint == ENDPOINT_SHELVES || endpoint == ENDPOINT_MARKS;
	const struct redactor by = redactor_of(api->setup.plan, api->setup.ledger);
	if (request->sees_persons || answer->status != 200 || !names_somebody(endpoint))
		return;
	if (!redact(&by, remarks ? REDACT_REMARKS : 0, &answer->body))
		api_error(answer, 500, "out of memory");
}

static void answer_endpoint(struct api *api, const struct api_request *request,
			    struct api_answer *answer)
{
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
		if (api_site(api, request->query.site, answer))
			page_sites(&api->setup, request->query.site, !request->sees_persons,
				   &answer->body);
		break;
	case ENDPOINT_RULES:
		if (api_site(api, request->query.site, answer))
			page_rules(&answer->body, api->setup.plan, request->query.site);
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
	case ENDPOINT_MEANS:
		answer_means(api, request, answer);
		break;
	case ENDPOINT_ALERTS:
		answer_alerts(api, request, answer);
		break;
	case ENDPOINT_CASES:
		if (request->method == METHOD_POST)
			deed_open(api, request, answer);
		else
			answer_cases(api, request, answer);
		break;
	case ENDPOINT_CASE:
		api_case_result(answer,
				ledger_case_json(api->setup.ledger, request->id, &answer->body),
				request->id);
		break;
	case ENDPOINT_ACTIONS:
		deed_act(api, request, answer);
		break;
	case ENDPOINT_EVIDENCE:
		answer_evidence(api, request, answer);
		break;
	case ENDPOINT_CONFIGURATION:
		answer_configuration(api, request, answer);
		break;
	case ENDPOINT_DOSSIER:
		answer_dossier(api, request, answer);
		break;
	case ENDPOINT_ATTACHMENTS:
		deed_attach(api, request, answer);
		break;
	case ENDPOINT_ATTACHMENT:
		deed_attachment(api, request, answer);
		break;
	case ENDPOINT_ACKNOWLEDGE:
		deed_acknowledge(api, request, answer);
		break;
	case ENDPOINT_SHELVES:
		deed_shelves(api, request, answer);
		break;
	case ENDPOINT_UNSHELVE:
		deed_shelve(api, request, answer);
		break;
	case ENDPOINT_DELIVERIES:
		answer_deliveries(api, answer);
		break;
	case ENDPOINT_DELIVERY_TEST:
		answer_test(api, request, answer);
		break;
	case ENDPOINT_MARKS:
		deed_marks(api, request, answer);
		break;
	case ENDPOINT_CLOCK:
		answer_clock(api, answer);
		break;
	case ENDPOINT_EVENTS: /* stream.c */
	case ENDPOINT_RELOAD: /* api_reload() */
	case ENDPOINT_NONE:
		api_error(answer, 404, "no such path");
		break;
	}
}

void api_answer(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	answer->status = 200;
	answer->type = json_type;
	answer_endpoint(api, request, answer);
	redact_answer(api, request, answer);
	if (answer->body.failed)
		api_error(answer, 500, "out of memory");
}
