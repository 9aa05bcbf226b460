/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery type "webhook": each event as CloudEvents 1.0 JSON in structured mode, by POST, signed
 * after Standard Webhooks 1.0.0.
 *
 * webhook-id is NODE-ID, the same at every try and for no other event of any node;
 * webhook-timestamp is the try's.
 */
#include "deliver/webhook.h"

#include "base/log.h"
#include "deliver/signature.h"
#include "deliver/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct webhook {
	struct transfer transfer;
	struct signer *signer;
	const char *node;
};

enum courier_outcome webhook_judge(long status)
{
	switch (status) {
	case 400:
	case 409:
	case 413:
	case 414:
	case 422:
	case 431:
		return COURIER_REFUSED;
	case 0:
	case 408:
	case 425:
	case 429:
	case 502:
	case 503:
	case 504:
		return COURIER_UNREACHABLE;
	default:
		break;
	}
	if (status >= 200 && status < 300)
		return COURIER_DELIVERED;
	return status >= 500 && status < 600 ? COURIER_FAILED : COURIER_TURNED_AWAY;
}

static void say_key(const struct courier_host *host, const struct signer *signer)
{
	struct text key = {0};
	signer_public(signer, &key);
	if (key.length > 0 && !key.failed)
		log_info("delivery %s: signs with the key that belongs to %s", host->setup->id,
			 key.at);
	text_deinit(&key);
}

static void webhook_close(void *state)
{
	struct webhook *webhook = state;
	transfer_deinit(&webhook->transfer);
	signer_free(webhook->signer);
	free(webhook);
}

static int webhook_open(void **state, const struct courier_host *host)
{
	const struct delivery_setup *setup = host->setup;
	struct webhook *webhook = calloc(1, sizeof *webhook);
	if (webhook == NULL)
		return -ENOMEM;
	webhook->node = host->plan->node;
	int rc = signer_new(&webhook->signer, setup->secret, setup->signing_key);
	if (rc == 0)
		rc = transfer_init(&webhook->transfer,
				   &(struct transfer_setup){.url = setup->url,
							    .protocols = "http,https",
							    .ca_file = setup->ca_file,
							    .cert_file = setup->cert_file,
							    .key_file = setup->key_file,
							    .timeout_ms = setup->timeout_ms,
							    .pause = host->pause});
	if (rc != 0) {
		webhook_close(webhook);
		return rc;
	}
	say_key(host, webhook->signer);
	*state = webhook;
	return 0;
}

static int add_header(struct curl_slist **headers, const char *name, const char *value)
{
	char *line = NULL;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return -ENOMEM;
	struct curl_slist *grown = curl_slist_append(*headers, line);
	free(line);
	if (grown == NULL)
		return -ENOMEM;
	*headers = grown;
	return 0;
}

static int make_headers(const struct webhook *webhook, const struct outbox_event *event,
			struct curl_slist **headers)
{
	char id[128], timestamp[24];
	struct text signature = {0};
	int64_t now_s = pause_wall_ms() / 1000;
	snprintf(id, sizeof id, "%s-%s%lld", webhook->node,
		 strcmp(event->type, "test") == 0 ? "test-" : "", (long long)event->id);
	snprintf(timestamp, sizeof timestamp, "%lld", (long long)now_s);
	signer_sign(webhook->signer, id, now_s, event->json, strlen(event->json), &signature);
	int rc = signature.failed ? -ENOMEM : 0;
	if (rc == 0)
		rc = add_header(headers, "Content-Type",
				"application/cloudevents+json; charset=utf-8");
	if (rc == 0)
		rc = add_header(headers, "webhook-id", id);
	if (rc == 0)
		rc = add_header(headers, "webhook-timestamp", timestamp);
	if (rc == 0 && signature.length > 0)
		rc = add_header(headers, "webhook-signature", signature.at);
	if (rc == 0) /* "Expect: 100-continue" would cost a second with many servers */
		rc = add_header(headers, "Expect", "");
	text_deinit(&signature);
	return rc;
}

static enum courier_outcome webhook_send(void *state, const struct outbox_event *event,
					 struct courier_answer *answer)
{
	struct webhook *webhook = state;
	struct curl_slist *headers = NULL;
	struct transfer_answer said;
	int rc = make_headers(webhook, event, &headers);
	if (rc == 0)
		transfer_post(&webhook->transfer, headers, event->json, strlen(event->json), &said);
	curl_slist_free_all(headers);
	if (rc != 0)
		return courier_errno(answer, "webhook", rc);
	if (said.stopped)
		return COURIER_STOPPED;
	answer->retry_after_ms = said.retry_after_ms;
	if (said.status == 0)
		snprintf(answer->text, sizeof answer->text, "no answer: %.180s", said.text);
	else
		snprintf(answer->text, sizeof answer->text, "HTTP %ld%s%.180s", said.status,
			 said.text[0] == '\0' ? "" : ": ", said.text);
	return webhook_judge(said.status);
}

const struct courier_type courier_webhook = {
	.name = "webhook",
	.longest_pause_ms = 3600 * 1000,
	.open = webhook_open,
	.send = webhook_send,
	.close = webhook_close,
};
