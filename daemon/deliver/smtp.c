/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery type "smtp": each event as a mail, over libcurl.
 *
 * A recipient that is refused does not keep the mail from the others; it is said. Until the server
 * has asked for the message (354), a no is to us: credentials, sender, all recipients; after that
 * it is to this message.
 */
#include "base/log.h"
#include "deliver/enclosure.h"
#include "deliver/mail.h"
#include "deliver/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct smtp {
	struct courier_host host;
	struct transfer transfer;
	struct curl_slist *recipients;
	struct text message;
	size_t sent;
	bool asked;       /* the server wants the message */
	char no[160];     /* the last refusal, as it was said */
	char missed[160]; /* of a recipient, where others were accepted */
};

static size_t give_message(char *buffer, size_t size, size_t n, void *context)
{
	struct smtp *smtp = context;
	size_t rest = smtp->message.length - smtp->sent, most = size * n;
	size_t length = rest < most ? rest : most;
	memcpy(buffer, smtp->message.at + smtp->sent, length);
	smtp->sent += length;
	return length;
}

/* Every line that the server says. */
static size_t take_reply(char *line, size_t size, size_t n, void *context)
{
	struct smtp *smtp = context;
	size_t length = size * n, kept = 0;
	if (length >= 3 && strncmp(line, "354", 3) == 0) {
		smtp->asked = true;
		memcpy(smtp->missed, smtp->no, sizeof smtp->missed);
		smtp->no[0] = '\0';
	}
	if (length < 3 || (line[0] != '4' && line[0] != '5'))
		return length;
	for (; kept < length && kept + 1 < sizeof smtp->no && line[kept] != '\r'; kept++)
		smtp->no[kept] = (unsigned char)line[kept] < ' ' ? ' ' : line[kept];
	smtp->no[kept] = '\0';
	return length;
}

static void smtp_close(void *state)
{
	struct smtp *smtp = state;
	transfer_deinit(&smtp->transfer);
	curl_slist_free_all(smtp->recipients);
	text_deinit(&smtp->message);
	free(smtp);
}

static int add_recipients(struct smtp *smtp, const struct delivery_setup *setup)
{
	for (size_t i = 0; i < setup->n_to; i++) {
		char *address = NULL;
		if (asprintf(&address, "<%s>", setup->to[i]) < 0)
			return -ENOMEM;
		struct curl_slist *grown = curl_slist_append(smtp->recipients, address);
		free(address);
		if (grown == NULL)
			return -ENOMEM;
		smtp->recipients = grown;
	}
	return 0;
}

static void set_mail(struct smtp *smtp, const struct delivery_setup *setup)
{
	CURL *easy = smtp->transfer.easy;
	char from[400];
	snprintf(from, sizeof from, "<%s>", setup->from);
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
			 (long)(setup->no_starttls ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, smtp->recipients);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(easy, CURLOPT_READDATA, smtp);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_reply);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, smtp);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

static int smtp_open(void **state, const struct courier_host *host)
{
	const struct delivery_setup *setup = host->setup;
	struct smtp *smtp = calloc(1, sizeof *smtp);
	if (smtp == NULL)
		return -ENOMEM;
	smtp->host = *host;
	int rc = add_recipients(smtp, setup);
	if (rc == 0)
		rc = transfer_init(&smtp->transfer,
				   &(struct transfer_setup){.url = setup->url,
							    .protocols = "smtp,smtps",
							    .username = setup->username,
							    .password = setup->password,
							    .ca_file = setup->ca_file,
							    .cert_file = setup->cert_file,
							    .key_file = setup->key_file,
							    .timeout_ms = setup->timeout_ms,
							    .pause = host->pause});
	if (rc != 0) {
		smtp_close(smtp);
		return rc;
	}
	set_mail(smtp, setup);
	*state = smtp;
	return 0;
}

/* A case is told with its dossier, where that can be had. */
static void write_message(struct smtp *smtp, const struct outbox_event *event)
{
	const struct courier_host *host = &smtp->host;
	struct text dossier = {0};
	bool is_case = event->case_id != 0 && strncmp(event->type, "case.", 5) == 0;
	if (is_case && host->directory != NULL &&
	    enclosure_dossier(host, event->case_id, &dossier) != 0)
		text_clear(&dossier);
	const struct mail mail = {.plan = host->plan,
				  .from = host->setup->from,
				  .to = host->setup->to,
				  .n_to = host->setup->n_to,
				  .now_ms = pause_wall_ms(),
				  .translate = host->translate,
				  .words = host->words,
				  .event = event,
				  .dossier = dossier.length > 0 ? dossier.at : NULL,
				  .dossier_bytes = dossier.length};
	text_clear(&smtp->message);
	mail_write(&mail, &smtp->message);
	text_deinit(&dossier);
}

static enum courier_outcome judge(struct smtp *smtp, const struct transfer_answer *said,
				  struct courier_answer *answer)
{
	const char *no = smtp->no[0] != '\0' ? smtp->no : said->text;
	if (said->result == CURLE_OK) {
		answer->partly = smtp->missed[0] != '\0';
		snprintf(answer->text, sizeof answer->text, "%s%s",
			 answer->partly ? "a recipient was refused: " : "sent", smtp->missed);
		return COURIER_DELIVERED;
	}
	snprintf(answer->text, sizeof answer->text, "SMTP: %.180s", no);
	if (smtp->no[0] != '5')
		return COURIER_UNREACHABLE;
	return smtp->asked ? COURIER_REFUSED : COURIER_TURNED_AWAY;
}

static enum courier_outcome smtp_send(void *state, const struct outbox_event *event,
				      struct courier_answer *answer)
{
	struct smtp *smtp = state;
	struct transfer_answer said;
	write_message(smtp, event);
	if (smtp->message.failed) {
		text_deinit(&smtp->message);
		smtp->message = (struct text){0};
		return courier_errno(answer, "mail", ENOMEM);
	}
	smtp->sent = 0;
	smtp->asked = false;
	smtp->no[0] = smtp->missed[0] = '\0';
	curl_easy_setopt(smtp->transfer.easy, CURLOPT_INFILESIZE_LARGE,
			 (curl_off_t)smtp->message.length);
	transfer_run(&smtp->transfer, &said);
	return said.stopped ? COURIER_STOPPED : judge(smtp, &said, answer);
}

const struct courier_type courier_smtp = {
	.name = "smtp",
	.longest_pause_ms = 3600 * 1000,
	.open = smtp_open,
	.send = smtp_send,
	.close = smtp_close,
};
