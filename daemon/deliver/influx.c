/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/influx.h"

#include "deliver/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CONNECT_MS = 5000, TIMEOUT_MS = 30000, LONGEST_WAIT_MS = 600000 };

struct influx {
	struct pause pause; /* for its stop and its heartbeat */
	struct transfer transfer;
	struct curl_slist *headers;
	char *url;
	bool gzip;
	char *packed; /* the compressed body, reused */
	size_t packed_capacity;
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

static void read_answer(const struct influx *influx, const struct transfer_answer *said,
			struct influx_answer *answer)
{
	*answer = (struct influx_answer){.verdict = INFLUX_STOPPED};
	if (said->stopped)
		return;
	answer->verdict = INFLUX_UNKNOWN;
	memcpy(answer->text, said->text, sizeof answer->text);
	if (said->result != CURLE_OK && !said->cut) /* a long answer has its status in front */
		return;
	answer->status = said->status;
	answer->retry_after_ms =
		said->retry_after_ms < LONGEST_WAIT_MS ? said->retry_after_ms : LONGEST_WAIT_MS;
	answer->verdict = influx_judge(said->status, influx->transfer.body);
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
	struct transfer_answer said;
	transfer_post(&influx->transfer, influx->headers, body, size, &said);
	read_answer(influx, &said, answer);
	return 0;
}

void influx_interrupt(struct influx *influx)
{
	pause_stop(&influx->pause);
	transfer_wake(&influx->transfer);
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
	char *first = curl_easy_escape(NULL, v2 ? setup->org : setup->database, 0);
	char *second = curl_easy_escape(NULL, v2 ? setup->bucket : "", 0);
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

static int make_transfer(struct influx *influx, const struct influx_setup *setup)
{
	bool named = setup->username != NULL;
	return transfer_init(
		&influx->transfer,
		&(struct transfer_setup){
			.url = influx->url,
			.protocols = "http,https",
			.username = setup->username,
			.password = named && setup->password == NULL ? "" : setup->password,
			.timeout_ms = TIMEOUT_MS,
			.connect_ms = CONNECT_MS,
			.pause = &influx->pause,
		});
}

int influx_new(struct influx **out, const struct influx_setup *setup)
{
	struct influx *influx = calloc(1, sizeof *influx);
	if (influx == NULL)
		return -ENOMEM;
	influx->gzip = setup->gzip;
	int rc = pause_init(&influx->pause, setup->heartbeat);
	if (rc == 0)
		rc = make_url(influx, setup);
	if (rc == 0)
		rc = make_headers(influx, setup);
	if (rc == 0)
		rc = make_transfer(influx, setup);
	if (rc != 0)
		influx_free(influx);
	else
		*out = influx;
	return rc;
}

struct influx *influx_free(struct influx *influx)
{
	if (influx == NULL)
		return NULL;
	transfer_deinit(&influx->transfer);
	pause_deinit(&influx->pause);
	curl_slist_free_all(influx->headers);
	free(influx->url);
	free(influx->packed);
	free(influx);
	return NULL;
}
