/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery type "alertmanager": alerts over the v2 API of Prometheus Alertmanager, so that the
 * on-call routes of a house that has one work for ours.
 *
 * An event says at once that an alert fires or is over. What fires is said again every resend_ms,
 * with an end four times as far away, as Alertmanager takes an alert that it does not hear of for
 * over. All that is active goes out then, whatever was said before.
 */
#include "deliver/courier-type.h"
#include "deliver/transfer.h"
#include "deliver/webhook.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ALERTS = 200, LIVES = 4 };

struct alertmanager {
	struct courier_host host;
	struct transfer transfer;
	struct curl_slist *headers;
	char *url;
	int64_t next_ms; /* CLOCK_MONOTONIC: when what fires is due again */
};

static const char *string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void label(json_t *labels, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_set_new(labels, name, json_string(value));
}

static json_t *labels_of(const struct alertmanager *am, const json_t *alert)
{
	char name[64], id[24];
	json_t *labels = json_object();
	const char *kind = string(alert, "kind");
	snprintf(name, sizeof name, "ducha_%s", kind == NULL ? "alert" : kind);
	snprintf(id, sizeof id, "%lld",
		 (long long)json_integer_value(json_object_get(alert, "id")));
	label(labels, "alertname", name);
	label(labels, "alert", id); /* two limits of one kind at one monitor are two alerts */
	label(labels, "node", am->host.plan->node);
	label(labels, "kind", kind);
	label(labels, "site", string(alert, "site"));
	label(labels, "factor", string(alert, "factor"));
	label(labels, "connection", string(alert, "connection"));
	return labels;
}

static void number(json_t *notes, const char *name, const json_t *value)
{
	char *text = json_is_number(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
	label(notes, name, text);
	free(text);
}

static json_t *notes_of(const struct alertmanager *am, const json_t *alert)
{
	json_t *notes = json_object();
	struct text summary = {0};
	const char *const parts[] = {string(alert, "site_name"), string(alert, "factor_name"),
				     string(alert, "connection")};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		text_format(&summary, "%s%s", parts[i] == NULL ? "" : parts[i],
			    parts[i] == NULL ? "" : " ");
	text_add(&summary,
		 am->host.translate(string(alert, "kind") == NULL ? "alert"
								  : string(alert, "kind")));
	label(notes, "summary", summary.at);
	label(notes, "description", string(alert, "reason"));
	label(notes, "unit", string(alert, "unit"));
	label(notes, "limit_source", string(alert, "limit_source"));
	number(notes, "value", json_object_get(alert, "value"));
	number(notes, "limit", json_object_get(alert, "limit"));
	number(notes, "case", json_object_get(alert, "case"));
	text_deinit(&summary);
	return notes;
}

static json_t *alert_of(const struct alertmanager *am, const json_t *alert)
{
	struct text end = {0};
	const char *over = string(alert, "cleared_at");
	json_t *out = json_object();
	text_time(&end, pause_wall_ms() + am->host.setup->resend_ms * LIVES, &am->host.plan->zone,
		  3);
	json_object_set_new(out, "labels", labels_of(am, alert));
	json_object_set_new(out, "annotations", notes_of(am, alert));
	label(out, "startsAt", string(alert, "raised_at"));
	label(out, "endsAt", over != NULL ? over : end.at);
	text_deinit(&end);
	return out;
}

static enum courier_outcome post(struct alertmanager *am, const json_t *alerts,
				 struct courier_answer *answer)
{
	struct transfer_answer said;
	char *body = json_dumps(alerts, JSON_COMPACT);
	if (body == NULL)
		return courier_errno(answer, "alertmanager", ENOMEM);
	transfer_post(&am->transfer, am->headers, body, strlen(body), &said);
	free(body);
	if (said.stopped)
		return COURIER_STOPPED;
	answer->retry_after_ms = said.retry_after_ms;
	snprintf(answer->text, sizeof answer->text, "HTTP %ld%s%.180s", said.status,
		 said.text[0] == '\0' ? "" : ": ", said.text);
	return webhook_judge(said.status);
}

static enum courier_outcome send_test(struct alertmanager *am, struct courier_answer *answer)
{
	json_t *alert = json_pack("{s:{s:s,s:s,s:s}, s:{s:s}}", "labels", "alertname", "ducha_test",
				  "node", am->host.plan->node, "severity", "none", "annotations",
				  "summary", "a test; no case, no alert");
	json_t *alerts = json_array();
	json_array_append_new(alerts, alert);
	enum courier_outcome outcome = post(am, alerts, answer);
	json_decref(alerts);
	return outcome;
}

/* What is no alert of a site or connection has no place there: cases go to people. */
static enum courier_outcome alertmanager_send(void *state, const struct outbox_event *event,
					      struct courier_answer *answer)
{
	struct alertmanager *am = state;
	if (strcmp(event->type, "test") == 0)
		return send_test(am, answer);
	if (strncmp(event->type, "alert.", 6) != 0)
		return COURIER_DELIVERED;
	json_t *json = json_loads(event->json, 0, NULL), *alerts = json_array();
	json_array_append_new(alerts, alert_of(am, json_object_get(json, "data")));
	enum courier_outcome outcome =
		json == NULL ? courier_errno(answer, "event", EBADMSG) : post(am, alerts, answer);
	json_decref(alerts);
	json_decref(json);
	return outcome;
}

static void add_wanted(const struct alertmanager *am, const json_t *active, json_t *alerts)
{
	size_t i;
	const json_t *alert;
	json_array_foreach(active, i, alert)
	{
		if (outbox_filter_wants(&am->host.setup->filter, "alert.raised",
					string(alert, "site"), "{}"))
			json_array_append_new(alerts, alert_of(am, alert));
	}
}

/* Return: 0 and the id that ended the page, 0 after the last one. */
static int fetch_page(struct alertmanager *am, int64_t *after, json_t *alerts)
{
	const struct alert_filter filter = {.active = 1, .after = *after, .limit = PAGE_ALERTS};
	struct text text = {0};
	int rc = ledger_alerts_json(am->host.ledger, &filter, &text);
	json_t *page = rc == 0 ? json_loadb(text.at, text.length, 0, NULL) : NULL;
	if (rc == 0 && page == NULL)
		rc = -ENOMEM;
	*after = json_integer_value(json_object_get(page, "next"));
	add_wanted(am, json_object_get(page, "alerts"), alerts);
	json_decref(page);
	text_deinit(&text);
	return rc;
}

static enum courier_outcome alertmanager_idle(void *state, struct courier_answer *answer)
{
	struct alertmanager *am = state;
	enum courier_outcome outcome = COURIER_DELIVERED;
	int64_t after = 0;
	int rc;
	if (pause_now_ms() < am->next_ms)
		return COURIER_DELIVERED;
	do {
		json_t *alerts = json_array();
		rc = fetch_page(am, &after, alerts);
		if (rc == 0 && json_array_size(alerts) > 0)
			outcome = post(am, alerts, answer);
		json_decref(alerts);
	} while (rc == 0 && after != 0 && outcome == COURIER_DELIVERED);
	if (rc != 0)
		return courier_errno(answer, "the ledger", rc < 0 ? rc : EIO);
	if (outcome == COURIER_DELIVERED)
		am->next_ms = pause_now_ms() + am->host.setup->resend_ms;
	return outcome;
}

static void alertmanager_close(void *state)
{
	struct alertmanager *am = state;
	transfer_deinit(&am->transfer);
	curl_slist_free_all(am->headers);
	free(am->url);
	free(am);
}

static int prepare(struct alertmanager *am)
{
	const struct delivery_setup *setup = am->host.setup;
	size_t length = strlen(setup->url);
	while (length > 0 && setup->url[length - 1] == '/')
		length--;
	if (asprintf(&am->url, "%.*s/api/v2/alerts", (int)length, setup->url) < 0) {
		am->url = NULL;
		return -ENOMEM;
	}
	am->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (am->headers == NULL)
		return -ENOMEM;
	return transfer_init(&am->transfer,
			     &(struct transfer_setup){.url = am->url,
						      .protocols = "http,https",
						      .username = setup->username,
						      .password = setup->password,
						      .ca_file = setup->ca_file,
						      .cert_file = setup->cert_file,
						      .key_file = setup->key_file,
						      .timeout_ms = setup->timeout_ms,
						      .pause = am->host.pause});
}

static int alertmanager_open(void **state, const struct courier_host *host)
{
	struct alertmanager *am = calloc(1, sizeof *am);
	if (am == NULL)
		return -ENOMEM;
	am->host = *host;
	int rc = prepare(am);
	if (rc != 0)
		alertmanager_close(am);
	else
		*state = am;
	return rc;
}

const struct courier_type courier_alertmanager = {
	.name = "alertmanager",
	.longest_pause_ms = 60000,
	.open = alertmanager_open,
	.send = alertmanager_send,
	.idle = alertmanager_idle,
	.close = alertmanager_close,
};
