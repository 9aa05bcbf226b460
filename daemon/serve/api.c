/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/api.h"

#include "base/log.h"
#include "serve/pages.h"

#include <string.h>
#include <time.h>

static const char json_type[] = "application/json";

void api_error(struct api_answer *answer, unsigned status, const char *sentence)
{
	answer->status = status;
	answer->type = json_type;
	text_clear(&answer->body);
	text_add(&answer->body, "{\"error\":");
	text_json(&answer->body, sentence);
	text_add(&answer->body, "}\n");
}

bool api_refuse(const struct api_request *request, struct api_answer *answer)
{
	bool posts = endpoint_posts(request->endpoint);
	if (request->method == METHOD_POST && !request->may_act) {
		api_error(answer, 403, "this listener is for reading only");
		return true;
	}
	if (request->endpoint == ENDPOINT_NONE) {
		api_error(answer, 404, "no such path");
		return true;
	}
	if (posts != (request->method == METHOD_POST) || request->method == METHOD_OTHER) {
		api_error(answer, 405, "this method is not for this path");
		answer->allow = posts ? "POST" : "GET, HEAD";
		return true;
	}
	if (request->body_too_large) {
		api_error(answer, 413, "the body is larger than 64 KiB");
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
		struct page_readings page = {.out = &answer->body, .plan = api->setup.plan};
		answer->type = csv ? "text/csv; charset=utf-8; header=present" : json_type;
		result = csv ? page_readings_csv(&page, reader, &range, &answer->next)
			     : page_readings_json(&page, reader, &range);
		readers_give(&api->readers, reader, result != 0);
	}
	if (result != 0)
		answer_store(answer, result, "daybook");
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

static void answer_action(struct api *api, const struct api_request *request,
			  struct api_answer *answer)
{
	struct action_body action;
	struct text error = {0};
	if (!action_read(request->body, request->body_length, &api->setup.plan->zone, &action,
			 &error)) {
		api_error(answer, 400, error.at == NULL ? "out of memory" : error.at);
		text_deinit(&error);
		return;
	}
	if (action.order.by == NULL)
		action.order.by = request->peer;
	answer_case_result(answer,
			   ledger_act(api->setup.ledger, request->case_id, &action.order, wall_ms(),
				      &answer->body),
			   request->case_id);
	action_body_deinit(&action);
	text_deinit(&error);
}

static void answer_dossier(struct api *api, const struct api_request *request,
			   struct api_answer *answer)
{
	struct text unused = {0};
	int result = ledger_case_json(api->setup.ledger, request->case_id, &unused);
	answer_case_result(answer, result, request->case_id);
	if (result == 0)
		api_error(answer, 501, "dossiers are not in this build");
	text_deinit(&unused);
}

void api_answer(struct api *api, const struct api_request *request, struct api_answer *answer)
{
	answer->status = 200;
	answer->type = json_type;
	switch (request->endpoint) {
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
	case ENDPOINT_ALERTS:
		answer_alerts(api, &request->query, answer);
		break;
	case ENDPOINT_CASES:
		answer_cases(api, &request->query, answer);
		break;
	case ENDPOINT_CASE:
		answer_case_result(
			answer,
			ledger_case_json(api->setup.ledger, request->case_id, &answer->body),
			request->case_id);
		break;
	case ENDPOINT_ACTIONS:
		answer_action(api, request, answer);
		break;
	case ENDPOINT_DOSSIER:
		answer_dossier(api, request, answer);
		break;
	case ENDPOINT_EVENTS: /* stream.c */
	case ENDPOINT_NONE:
		api_error(answer, 404, "no such path");
		break;
	}
	if (answer->body.failed)
		api_error(answer, 500, "out of memory");
}
