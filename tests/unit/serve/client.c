/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t add(char *data, size_t size, size_t n, void *context)
{
	text_add_n(context, data, size * n);
	return size * n;
}

void reply_deinit(struct reply *reply)
{
	text_deinit(&reply->body);
	text_deinit(&reply->headers);
	json_decref(reply->json);
}

static void method_set(CURL *curl, const struct call *call)
{
	if (call->method != NULL && strcmp(call->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (call->method != NULL)
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	if (call->body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
}

struct reply http(const struct district *district, struct call call)
{
	struct reply reply = {0};
	char url[1024];
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	if (call.header != NULL)
		headers = curl_slist_append(headers, call.header);
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s",
		 call.listener ? serve_port(district->serve) : 80u, call.path);
	if (!call.listener)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, district->socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, add);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, add);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &reply.headers);
	method_set(curl, &call);
	CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		fail_msg("%s: %s", call.path, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	text_add(&reply.body, "");
	reply.json = json_loadb(reply.body.at, reply.body.length, 0, NULL);
	return reply;
}

struct reply get(const struct district *district, const char *path)
{
	return http(district, (struct call){.path = path});
}

void expect(const struct district *district, struct call call, long status, const char *word)
{
	struct reply reply = http(district, call);
	if (reply.status != status || strstr(reply.body.at, word) == NULL)
		fail_msg("%s: %ld %s; wanted %ld and \"%s\"", call.path, reply.status,
			 reply.body.at, status, word);
	if (status >= 400)
		assert_non_null(json_string_value(json_object_get(reply.json, "error")));
	reply_deinit(&reply);
}

size_t count(const char *text, const char *word)
{
	size_t n = 0;
	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		n++;
	return n;
}

int setup(void **state)
{
	struct district *district = malloc(sizeof *district);
	district_open(district);
	*state = district;
	return 0;
}

int teardown(void **state)
{
	district_close(*state);
	free(*state);
	return 0;
}
