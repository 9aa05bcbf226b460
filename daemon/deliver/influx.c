/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/influx.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
	CONNECT_TIMEOUT_MS = 5000,
	TIMEOUT_MS = 30000,
	ANSWER_BYTES = 8192,        /* that are kept */
	ANSWER_LIMIT_BYTES = 65536, /* beyond which the connection is given up */
	POLL_MS = 500,
	LONGEST_WAIT_S = 600,
};

struct influx {
	CURL *easy;
	CURLM *multi;
	struct curl_slist *headers;
	char *url;
	bool gzip;
	_Atomic bool interrupted;
	_Atomic uint64_t *heartbeat;
	char *packed; /* the compressed body, reused */
	size_t packed_capacity;
	char body[ANSWER_BYTES + 1], error[CURL_ERROR_SIZE];
	size_t body_length, received;
};

static enum influx_verdict judge_400(const char *body)
{
	if (strstr(body, "partial write") != NULL)
		return INFLUX_PARTIAL;
	if (strstr(body, "unable to parse") != NULL)
		return INFLUX_MALFORMED;
	if (strstr(body, "database is required") != NULL)
		return INFLUX_REFUSED;
	return INFLUX_DOUBTFUL;
}

static enum influx_verdict judge_500(const char *body)
{
	if (strstr(body, "partial write") != NULL || strstr(body, "field type conflict") != NULL ||
	    strstr(body, "beyond retention") != NULL)
		return INFLUX_PARTIAL;
	return INFLUX_DOUBTFUL;
}

enum influx_verdict influx_judge(long status, const char *body)
{
	switch (status) {
	case 204:
		return INFLUX_ACCEPTED;
	case 400:
	case 422:
		return judge_400(body);
	case 413:
		return INFLUX_TOO_LARGE;
	case 429:
	case 503:
		return INFLUX_BUSY;
	case 500:
		return judge_500(body);
	case 0:
	case 408:
	case 502:
	case 504:
		return INFLUX_UNKNOWN;
	default:
		/* 401, 403, 404 and whatever is no InfluxDB at all, such as a page with 200 */
		return status > 500 ? INFLUX_UNKNOWN : INFLUX_REFUSED;
	}
}

int64_t influx_dropped(const char *body)
{
	const char *at = strstr(body, "dropped=");
	int64_t n = at == NULL ? 0 : strtoll(at + 8, NULL, 10);
	if (at == NULL) /* v3 lists them */
		for (at = body; (at = strstr(at, "\"line_number\"")) != NULL; at++)
			n++;
	return n < 1 ? 1 : n;
}

/* --- one transfer --- */

static size_t take_answer(char *data, size_t size, size_t n, void *context)
{
	struct influx *influx = context;
	size_t length = size * n, room = ANSWER_BYTES - influx->body_length;
	size_t kept = length < room ? length : room;
	memcpy(influx->body + influx->body_length, data, kept);
	influx->body_length += kept;
	influx->received += length;
	return influx->received > ANSWER_LIMIT_BYTES ? 0 : length;
}

static int pack(struct influx *influx, const char *text, size_t length, size_t *packed)
{
	z_stream stream = {0};
	/* 15 + 16: gzip. Level 1: on a small machine the network is rarely the narrow place. */
	if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	size_t bound = deflateBound(&stream, (uLong)length);
	if (bound > influx->packed_capacity) {
		char *grown = realloc(influx->packed, bound);
		if (grown == NULL) {
			deflateEnd(&stream);
			return -ENOMEM;
		}
		influx->packed = grown;
		influx->packed_capacity = bound;
	}
	union { /* zlib promises not to write through next_in */
		const char *text;
		Bytef *bytes;
	} in = {.text = text};
	stream.next_in = in.bytes;
	stream.avail_in = (uInt)length;
	stream.next_out = (Bytef *)influx->packed;
	stream.avail_out = (uInt)influx->packed_capacity;
	int rc = deflate(&stream, Z_FINISH);
	*packed = stream.total_out;
	deflateEnd(&stream);
	return rc == Z_STREAM_END ? 0 : -ENOMEM;
}

/* Runs the prepared handle. A multi handle, as it can be woken from another thread. */
static CURLcode perform(struct influx *influx)
{
	CURLcode result = CURLE_ABORTED_BY_CALLBACK;
	if (curl_multi_add_handle(influx->multi, influx->easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (!atomic_load(&influx->interrupted)) {
		int running = 0, left = 0;
		if (influx->heartbeat != NULL)
			atomic_fetch_add_explicit(influx->heartbeat, 1, memory_order_relaxed);
		if (curl_multi_perform(influx->multi, &running) != CURLM_OK) {
			result = CURLE_FAILED_INIT;
			break;
		}
		CURLMsg *message = curl_multi_info_read(influx->multi, &left);
		if (message != NULL && message->msg == CURLMSG_DONE) {
			result = message->data.result;
			break;
		}
		curl_multi_poll(influx->multi, NULL, 0, POLL_MS, NULL);
	}
	curl_multi_remove_handle(influx->multi, influx->easy);
	return result;
}

/* The first line of what was said, fit for a log. */
static void copy_said(char *out, size_t size, const char *said)
{
	size_t n = 0;
	for (; said[n] != '\0' && said[n] != '\n' && said[n] != '\r' && n + 1 < size; n++)
		out[n] = (unsigned char)said[n] < 0x20 || said[n] == 0x7f ? ' ' : said[n];
	out[n] = '\0';
}

static void read_answer(struct influx *influx, CURLcode result, struct influx_answer *answer)
{
	*answer = (struct influx_answer){0};
	if (atomic_load(&influx->interrupted)) {
		answer->verdict = INFLUX_STOPPED;
		return;
	}
	if (result != CURLE_OK) {
		answer->verdict = INFLUX_UNKNOWN;
		copy_said(answer->text, sizeof answer->text,
			  influx->error[0] != '\0' ? influx->error : curl_easy_strerror(result));
		return;
	}
	curl_easy_getinfo(influx->easy, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_off_t wait_s = 0;
	curl_easy_getinfo(influx->easy, CURLINFO_RETRY_AFTER, &wait_s);
	if (wait_s > LONGEST_WAIT_S)
		wait_s = LONGEST_WAIT_S;
	answer->retry_after_ms = wait_s > 0 ? (int64_t)wait_s * 1000 : 0;
	answer->verdict = influx_judge(answer->status, influx->body);
	copy_said(answer->text, sizeof answer->text, influx->body);
}

int influx_write(struct influx *influx, const char *text, size_t length,
		 struct influx_answer *answer)
{
	const char *body = text;
	size_t size = length;
	if (influx->gzip) {
		int rc = pack(influx, text, length, &size);
		if (rc != 0)
			return rc;
		body = influx->packed;
	}
	influx->body_length = influx->received = 0;
	influx->error[0] = '\0';
	curl_easy_setopt(influx->easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(influx->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	CURLcode result = perform(influx);
	influx->body[influx->body_length] = '\0';
	read_answer(influx, result, answer);
	return 0;
}

void influx_interrupt(struct influx *influx)
{
	atomic_store(&influx->interrupted, true);
	curl_multi_wakeup(influx->multi);
}

/* --- setting up --- */

enum influx_api influx_api(const char *name)
{
	if (strcmp(name, "v2") == 0)
		return INFLUX_V2;
	return strcmp(name, "v3") == 0 ? INFLUX_V3 : INFLUX_V1;
}

/* Each says nanoseconds in its own word: a server of 1.6 takes an unknown precision for that
 * without an error, one of 3 guesses where none is said. no_sync=true would be answered before the
 * points are on the server's disk. */
static char *format_url(const char *base, enum influx_api api, const char *first,
			const char *second)
{
	char *url = NULL;
	int n = -1;
	switch (api) {
	case INFLUX_V1:
		n = asprintf(&url, "%s/write?db=%s&precision=ns", base, first);
		break;
	case INFLUX_V2:
		n = asprintf(&url, "%s/api/v2/write?org=%s&bucket=%s&precision=ns", base, first,
			     second);
		break;
	case INFLUX_V3:
		n = asprintf(&url,
			     "%s/api/v3/write_lp?db=%s&precision=nanosecond&accept_partial=true"
			     "&no_sync=false",
			     base, first);
		break;
	}
	return n < 0 ? NULL : url;
}

static int make_url(struct influx *influx, const struct influx_setup *setup)
{
	size_t length = strlen(setup->url);
	while (length > 0 && setup->url[length - 1] == '/')
		length--;
	bool v2 = setup->api == INFLUX_V2;
	char *base = strndup(setup->url, length);
	char *first = curl_easy_escape(influx->easy, v2 ? setup->org : setup->database, 0);
	char *second = curl_easy_escape(influx->easy, v2 ? setup->bucket : "", 0);
	if (base != NULL && first != NULL && second != NULL)
		influx->url = format_url(base, setup->api, first, second);
	free(base);
	curl_free(first);
	curl_free(second);
	return influx->url == NULL ? -ENOMEM : 0;
}

static int add_header(struct influx *influx, const char *header)
{
	struct curl_slist *grown = curl_slist_append(influx->headers, header);
	if (grown == NULL)
		return -ENOMEM;
	influx->headers = grown;
	return 0;
}

static int add_token(struct influx *influx, const struct influx_setup *setup)
{
	char *header = NULL;
	if (setup->token == NULL)
		return 0;
	int n = asprintf(&header, "Authorization: %s %s",
			 setup->api == INFLUX_V3 ? "Bearer" : "Token", setup->token);
	if (n < 0)
		return -ENOMEM;
	int rc = add_header(influx, header);
	free(header);
	return rc;
}

static int make_headers(struct influx *influx, const struct influx_setup *setup)
{
	int rc = add_header(influx, "Expect:");
	if (rc == 0)
		rc = add_header(influx, "Content-Type: text/plain; charset=utf-8");
	if (rc == 0 && influx->gzip)
		rc = add_header(influx, "Content-Encoding: gzip");
	return rc != 0 ? rc : add_token(influx, setup);
}

static void set_options(struct influx *influx, const struct influx_setup *setup)
{
	CURL *easy = influx->easy;
	curl_easy_setopt(easy, CURLOPT_URL, influx->url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, influx->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "ducha/" DUCHA_VERSION);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 60L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, influx);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, influx->error);
	if (setup->username != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, setup->username);
		curl_easy_setopt(easy, CURLOPT_PASSWORD,
				 setup->password != NULL ? setup->password : "");
	}
}

int influx_new(struct influx **out, const struct influx_setup *setup)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	struct influx *influx = calloc(1, sizeof *influx);
	if (influx == NULL) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	influx->gzip = setup->gzip;
	influx->heartbeat = setup->heartbeat;
	influx->easy = curl_easy_init();
	influx->multi = curl_multi_init();
	int rc = influx->easy == NULL || influx->multi == NULL ? -ENOMEM : make_url(influx, setup);
	if (rc == 0)
		rc = make_headers(influx, setup);
	if (rc != 0) {
		influx_free(influx);
		return rc;
	}
	set_options(influx, setup);
	*out = influx;
	return 0;
}

struct influx *influx_free(struct influx *influx)
{
	if (influx == NULL)
		return NULL;
	curl_easy_cleanup(influx->easy);
	curl_multi_cleanup(influx->multi);
	curl_slist_free_all(influx->headers);
	free(influx->url);
	free(influx->packed);
	free(influx);
	curl_global_cleanup();
	return NULL;
}
