/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Transfer: one libcurl handle to one receiver, with the bounds and the TLS that every delivery
 * over the network has.
 *
 * No transfer outlives its timeout, whatever the receiver sends, and at most 64 KiB of an answer
 * are read. TLS 1.2 at least, certificate and host name checked; no redirects, no proxy, no other
 * protocol than the one the configuration says. A stop ends it within half a second, and at once
 * with transfer_wake().
 *
 * One thread owns it.
 */
#include "deliver/pause.h"

#include <curl/curl.h>

struct transfer_setup {
	const char *url;
	const char *protocols;                      /* "http,https" */
	const char *ca_file, *cert_file, *key_file; /* NULL: the system's, none, none */
	const char *username, *password;            /* NULL: none */
	int64_t timeout_ms, connect_ms;             /* connect_ms 0: 10 s */
	struct pause *pause;
};

struct transfer_answer {
	bool stopped;           /* by us */
	bool cut;               /* there was more than 64 KiB of it; its beginning is there */
	long status;            /* HTTP's or SMTP's; 0: no answer */
	CURLcode result;        /* with a status, too, where the answer did not end well */
	int64_t retry_after_ms; /* 0: not said */
	char text[512];         /* its first line, or what went wrong; printable */
};

struct transfer {
	CURL *easy; /* for options of the caller's own */
	CURLM *multi;
	struct pause *pause;
	char body[8193], error[CURL_ERROR_SIZE];
	size_t kept, received;
	int64_t timeout_ms, until_ms; /* until: CLOCK_MONOTONIC; 0: no limit */
	bool late, cut;
};

int transfer_init(struct transfer *transfer, const struct transfer_setup *setup);
void transfer_deinit(struct transfer *transfer); /* zeroed is welcome */
/** transfer_wake() - any thread, after pause_stop(): do not wait for the network any more */
void transfer_wake(struct transfer *transfer);
void transfer_run(struct transfer *transfer, struct transfer_answer *answer);
/** transfer_post() - @headers and @body are used during the call only */
void transfer_post(struct transfer *transfer, struct curl_slist *headers, const char *body,
		   size_t length, struct transfer_answer *answer);
