/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/transfer.h"

#include <errno.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 10000, GRACE_MS = 500, ANSWER_LIMIT_BYTES = 65536, POLL_MS = 500 };

static size_t take_answer(char *data, size_t size, size_t n, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * n, room = sizeof transfer->body - 1 - transfer->kept;
	size_t kept = length < room ? length : room;
	memcpy(transfer->body + transfer->kept, data, kept);
	transfer->kept += kept;
	transfer->received += length;
	transfer->cut = transfer->received > ANSWER_LIMIT_BYTES;
	return transfer->cut ? 0 : length;
}

/* libcurl waits for what a mail server says behind the message without coming back to us, and
 * without looking at its own time limit (7.88); but it calls this each second at most. */
static int may_go_on(void *context, curl_off_t down, curl_off_t so_far, curl_off_t up,
		     curl_off_t sent)
{
	struct transfer *transfer = context;
	(void)down;
	(void)so_far;
	(void)up;
	(void)sent;
	pause_beat(transfer->pause);
	transfer->late = transfer->until_ms != 0 && pause_now_ms() >= transfer->until_ms;
	return transfer->late || pause_stopped(transfer->pause);
}

/* A multi handle, as an easy one alone would not see that we end. */
static CURLcode perform(struct transfer *transfer)
{
	CURLcode result = CURLE_ABORTED_BY_CALLBACK;
	if (curl_multi_add_handle(transfer->multi, transfer->easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (!pause_stopped(transfer->pause)) {
		int running = 0, left = 0;
		pause_beat(transfer->pause);
		if (curl_multi_perform(transfer->multi, &running) != CURLM_OK) {
			result = CURLE_FAILED_INIT;
			break;
		}
		CURLMsg *message = curl_multi_info_read(transfer->multi, &left);
		if (message != NULL && message->msg == CURLMSG_DONE) {
			result = message->data.result;
			break;
		}
		curl_multi_poll(transfer->multi, NULL, 0, POLL_MS, NULL);
	}
	curl_multi_remove_handle(transfer->multi, transfer->easy);
	return result;
}

void transfer_wake(struct transfer *transfer)
{
	curl_multi_wakeup(transfer->multi);
}

/* The first line that says something, fit for a log. */
static void copy_said(char *out, size_t size, const char *said)
{
	size_t n = 0;
	said += strspn(said, " \t\r\n");
	for (; said[n] != '\0' && said[n] != '\n' && said[n] != '\r' && n + 1 < size; n++)
		out[n] = (unsigned char)said[n] < 0x20 || said[n] == 0x7f ? ' ' : said[n];
	out[n] = '\0';
}

void transfer_run(struct transfer *transfer, struct transfer_answer *answer)
{
	curl_off_t wait_s = 0;
	transfer->kept = transfer->received = 0;
	transfer->error[0] = '\0';
	transfer->late = transfer->cut = false;
	transfer->until_ms =
		transfer->timeout_ms > 0 ? pause_now_ms() + transfer->timeout_ms + GRACE_MS : 0;
	*answer = (struct transfer_answer){.result = perform(transfer)};
	transfer->body[transfer->kept] = '\0';
	answer->stopped = pause_stopped(transfer->pause);
	answer->cut = transfer->cut;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &wait_s);
	answer->retry_after_ms = wait_s > 0 && wait_s < INT64_MAX / 1000 ? wait_s * 1000 : 0;
	copy_said(answer->text, sizeof answer->text,
		  answer->result == CURLE_OK || transfer->cut ? transfer->body
		  : transfer->late                            ? "no answer in time"
		  : transfer->error[0] != '\0'                ? transfer->error
							      : curl_easy_strerror(answer->result));
}

void transfer_post(struct transfer *transfer, struct curl_slist *headers, const char *body,
		   size_t length, struct transfer_answer *answer)
{
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	transfer_run(transfer, answer);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, NULL);
}

/* A CA file of its own is the only one that counts. */
static void set_tls(CURL *easy, const struct transfer_setup *setup)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (setup->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, setup->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (setup->cert_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, setup->cert_file);
	if (setup->key_file != NULL)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, setup->key_file);
}

static void set_options(struct transfer *transfer, const struct transfer_setup *setup)
{
	CURL *easy = transfer->easy;
	curl_easy_setopt(easy, CURLOPT_URL, setup->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, setup->protocols);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "ducha/" DUCHA_VERSION);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(setup->connect_ms > 0 ? setup->connect_ms : CONNECT_TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)setup->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 60L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, may_go_on);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
	if (setup->username != NULL)
		curl_easy_setopt(easy, CURLOPT_USERNAME, setup->username);
	if (setup->password != NULL)
		curl_easy_setopt(easy, CURLOPT_PASSWORD, setup->password);
	set_tls(easy, setup);
}

int transfer_init(struct transfer *transfer, const struct transfer_setup *setup)
{
	*transfer = (struct transfer){.pause = setup->pause, .timeout_ms = setup->timeout_ms};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	transfer->easy = curl_easy_init();
	transfer->multi = curl_multi_init();
	if (transfer->easy == NULL || transfer->multi == NULL)
		return -ENOMEM;
	set_options(transfer, setup);
	return 0;
}

void transfer_deinit(struct transfer *transfer)
{
	if (transfer->pause == NULL)
		return;
	curl_easy_cleanup(transfer->easy);
	curl_multi_cleanup(transfer->multi);
	curl_global_cleanup();
	*transfer = (struct transfer){0};
}
