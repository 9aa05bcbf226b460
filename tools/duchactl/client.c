/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include "core/casewords.h"
#include "core/refused.h"
#include "options.h"
#include "words.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

bool client_open(struct client *client, const char *socket)
{
	*client = (struct client){.curl = curl_easy_init(), .socket = socket};
	if (client->curl == NULL)
		return false;
	curl_easy_setopt(client->curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(client->curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(client->curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(client->curl, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, 60000L);
	curl_easy_setopt(client->curl, CURLOPT_ERRORBUFFER, client->why);
	client_header(client, "Expect:");
	return true;
}

void client_close(struct client *client)
{
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	text_deinit(&client->url);
}

void client_path(struct client *client, const char *path)
{
	text_clear(&client->url);
	text_add(&client->url, "http://duchad");
	text_add(&client->url, path);
}

void client_parameter(struct client *client, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(client->curl, value, 0);
	text_char(&client->url, strchr(client->url.at, '?') == NULL ? '?' : '&');
	text_add(&client->url, name);
	text_char(&client->url, '=');
	text_add(&client->url, escaped == NULL ? "" : escaped);
	curl_free(escaped);
}

void client_header(struct client *client, const char *header)
{
	struct curl_slist *headers = curl_slist_append(client->headers, header);
	if (headers != NULL)
		client->headers = headers;
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
}

static size_t body_add(char *data, size_t size, size_t n, void *context)
{
	struct client_answer *answer = context;
	text_add_n(&answer->body, data, size * n);
	return answer->body.failed ? 0 : size * n;
}

static size_t header_add(char *data, size_t size, size_t n, void *context)
{
	static const char name[] = "Ducha-Next:";
	struct client_answer *answer = context;
	size_t length = size * n, at = sizeof name - 1, used = 0;
	if (length <= at || strncasecmp(data, name, at) != 0)
		return length;
	for (; at < length && used + 1 < sizeof answer->next; at++)
		if (data[at] >= '0' && data[at] <= '9')
			answer->next[used++] = data[at];
	answer->next[used] = '\0';
	return length;
}

/* curl names a host and a port here, which mean nothing on a socket: ask the file. */
static const char *connect_reason(const char *socket, char *buffer, size_t size)
{
	if (access(socket, R_OK | W_OK) != 0)
		return strerror_r(errno, buffer, size);
	return strerror_r(ECONNREFUSED, buffer, size);
}

int client_absent(const struct client *client, CURLcode code)
{
	char buffer[128];
	const char *why = client->why[0] != '\0' ? client->why : curl_easy_strerror(code);
	if (code == CURLE_COULDNT_CONNECT)
		why = connect_reason(client->socket, buffer, sizeof buffer);
	fprintf(stderr, "duchactl: %s: %s: %s\n", client->socket, tr("the daemon is not reachable"),
		why);
	return CTL_ABSENT;
}

static void client_body(struct client *client, const void *data, size_t size, const char *type)
{
	client_header(client, type);
	curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, data);
	curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
}

static int client_ask(struct client *client, struct client_answer *answer)
{
	client_answer_deinit(answer);
	client->why[0] = '\0';
	curl_easy_setopt(client->curl, CURLOPT_URL, client->url.at);
	curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, body_add);
	curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(client->curl, CURLOPT_HEADERFUNCTION, header_add);
	curl_easy_setopt(client->curl, CURLOPT_HEADERDATA, answer);
	CURLcode code = curl_easy_perform(client->curl);
	if (code != CURLE_OK)
		return client_absent(client, code);
	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	return CTL_OK;
}

int client_do(struct client *client, const char *post, struct client_answer *answer)
{
	if (post != NULL)
		client_body(client, post, strlen(post), "Content-Type: application/json");
	else
		curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L); /* also after a POST */
	return client_ask(client, answer);
}

int client_send(struct client *client, const void *data, size_t size, struct client_answer *answer)
{
	client_body(client, data, size, "Content-Type: application/octet-stream");
	return client_ask(client, answer);
}

void client_answer_deinit(struct client_answer *answer)
{
	text_deinit(&answer->body);
	*answer = (struct client_answer){0};
}

/* What the daemon allows instead, where it says so: the word to type, and what it means. */
static void print_allowed(const json_t *allowed)
{
	if (json_array_size(allowed) == 0)
		return;
	fprintf(stderr, "duchactl: %s:", tr("allowed now"));
	for (size_t i = 0; i < json_array_size(allowed); i++) {
		const char *word = json_string_value(json_array_get(allowed, i));
		const char *said = word == NULL ? NULL : tr(action_words(word));
		fprintf(stderr, " %s", word == NULL ? "?" : word);
		if (said != NULL && said != action_words(word))
			fprintf(stderr, "(%s)", said);
	}
	fputc('\n', stderr);
}

int client_refused(const struct client_answer *answer)
{
	json_t *json = json_loadb(answer->body.at == NULL ? "" : answer->body.at,
				  answer->body.length, 0, NULL);
	const char *error = json_string_value(json_object_get(json, "error"));
	struct text said = {0}, clean = {0};
	refused_say(&said, error == NULL ? "the daemon gives no reason" : error, tr);
	words_clean(&clean, said.at);
	fprintf(stderr, "duchactl: %s (HTTP %ld)\n", clean.at, answer->status);
	print_allowed(json_object_get(json, "allowed"));
	text_deinit(&said);
	text_deinit(&clean);
	json_decref(json);
	return CTL_FAILED;
}
