/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live: the event stream on the operator's terminal. The daemon may go and come back: the stream is
 * asked for again from where it broke off, so that nothing is missed or said twice.
 */
#include "show.h"

#include "sse.h"
#include "words.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { AGAIN_MS = 500, SILENCE_S = 60, LATEST_BYTES = 24 };

struct live {
	struct client *client;
	const struct ctl_options *options;
	struct sse sse;
	struct text error;         /* body of an answer that is no stream */
	char latest[LATEST_BYTES]; /* id of the newest event; "" before the first word */
	long status;
	int signals; /* signalfd */
	bool colour, connected, told, ended;
};

/* --- one event --- */

static const char *colour_of(const char *type)
{
	if (strstr(type, ".raised") != NULL)
		return "\033[31m";
	if (strstr(type, ".cleared") != NULL)
		return "\033[32m";
	return "\033[1m";
}

/* Colours the second word of the line. */
static void add_coloured(struct text *out, const char *line, const char *colour)
{
	const char *word = strchr(line, ' ');
	if (word == NULL) {
		text_add(out, line);
		return;
	}
	size_t length = strcspn(word + 1, " ");
	text_add_n(out, line, (size_t)(word + 1 - line));
	text_add(out, colour);
	text_add_n(out, word + 1, length);
	text_add(out, "\033[0m");
	text_add(out, word + 1 + length);
}

static void print_event(struct live *live, struct text *out, const struct sse_event *event)
{
	struct text line = {0};
	if (live->options->json) {
		text_add(out, event->data);
		text_char(out, '\n');
		return;
	}
	if (strncmp(event->type, "ducha.connection.", strlen("ducha.connection.")) == 0 ||
	    strncmp(event->type, "ducha.seal.", strlen("ducha.seal.")) == 0)
		return; /* the connection's alert says the same */
	json_t *json = json_loads(event->data, 0, NULL);
	if (json != NULL && show_event(&line, json)) {
		if (live->colour)
			add_coloured(out, line.at, colour_of(event->type));
		else
			text_add(out, line.at);
		text_char(out, '\n');
	}
	text_deinit(&line);
	json_decref(json);
}

static void on_event(void *context, const struct sse_event *event)
{
	struct live *live = context;
	struct text out = {0};
	if (event->id[0] != '\0')
		snprintf(live->latest, sizeof live->latest, "%s", event->id);
	print_event(live, &out, event);
	if (fwrite(out.at == NULL ? "" : out.at, 1, out.length, stdout) != out.length ||
	    fflush(stdout) != 0)
		live->ended = true;
	text_deinit(&out);
}

/* ": at 41" says where a new stream stands, before its first event. */
static void on_comment(void *context, const char *text)
{
	struct live *live = context;
	if (live->latest[0] == '\0' && strncmp(text, " at ", 4) == 0)
		snprintf(live->latest, sizeof live->latest, "%s", text + 4);
}

static size_t on_bytes(char *data, size_t size, size_t n, void *context)
{
	struct live *live = context;
	curl_easy_getinfo(live->client->curl, CURLINFO_RESPONSE_CODE, &live->status);
	if (live->status != 200) {
		text_add_n(&live->error, data, size * n);
		return size * n;
	}
	if (live->told)
		fprintf(stderr, "duchactl: %s\n", tr("connected again"));
	live->connected = true;
	live->told = false;
	if (!sse_feed(&live->sse, data, size * n))
		return 0;
	return live->ended ? 0 : size * n;
}

/* --- one connection --- */

static void live_address(struct live *live, struct curl_slist **headers)
{
	char text[LATEST_BYTES + 32];
	client_path(live->client, "/api/v1/events");
	if (live->options->site != NULL)
		client_parameter(live->client, "site", live->options->site);
	if (live->latest[0] != '\0') {
		snprintf(text, sizeof text, "Last-Event-ID: %s", live->latest);
		*headers = curl_slist_append(NULL, text);
	} else if (live->options->lines > 0) {
		snprintf(text, sizeof text, "%d", live->options->lines);
		client_parameter(live->client, "last", text);
	}
	curl_easy_setopt(live->client->curl, CURLOPT_HTTPHEADER, *headers);
	curl_easy_setopt(live->client->curl, CURLOPT_URL, live->client->url.at);
}

/* A signal, or nobody reads our output any more. */
static bool live_over(struct live *live)
{
	struct pollfd fds[2] = {{.fd = live->signals, .events = POLLIN}, {.fd = STDOUT_FILENO}};
	if (poll(fds, 2, 0) > 0 && (fds[0].revents != 0 || (fds[1].revents & POLLERR) != 0))
		live->ended = true;
	return live->ended;
}

/* Runs the transfer until it ends or live_over(). */
static CURLcode live_transfer(struct live *live, CURLM *multi)
{
	struct curl_waitfd extra = {.fd = live->signals, .events = CURL_WAIT_POLLIN};
	int running = 1, left;
	do {
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		if (running > 0)
			curl_multi_poll(multi, &extra, 1, 1000, NULL);
	} while (running > 0 && !live_over(live));
	for (CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;)
		if (message->msg == CURLMSG_DONE)
			return message->data.result;
	return CURLE_OK;
}

static CURLcode live_connection(struct live *live)
{
	struct curl_slist *headers = NULL;
	CURL *curl = live->client->curl;
	CURLM *multi = curl_multi_init();
	if (multi == NULL)
		return CURLE_OUT_OF_MEMORY;
	live_address(live, &headers);
	sse_restart(&live->sse);
	text_clear(&live->error);
	live->status = 0;
	live->client->why[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, live);
	curl_multi_add_handle(multi, curl);
	CURLcode code = live_transfer(live, multi);
	curl_multi_remove_handle(multi, curl);
	curl_multi_cleanup(multi);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	return code;
}

static void live_pause(struct live *live)
{
	struct pollfd signal = {.fd = live->signals, .events = POLLIN};
	if (poll(&signal, 1, AGAIN_MS) > 0)
		live->ended = true;
}

/* Until the end; the exit code. */
static int live_run(struct live *live)
{
	for (;;) {
		CURLcode code = live_connection(live);
		if (live->ended)
			return CTL_OK;
		if (live->status != 0 && live->status != 200) {
			struct client_answer answer = {.status = live->status, .body = live->error};
			return client_refused(&answer);
		}
		if (!live->connected)
			return client_absent(live->client, code);
		if (!live->told)
			fprintf(stderr, "duchactl: %s\n",
				tr("the daemon is gone; waiting for it to come back"));
		live->told = true;
		live_pause(live);
		if (live->ended)
			return CTL_OK;
	}
}

int live_tail(struct client *client, const struct ctl_options *options)
{
	const char *plain = getenv("NO_COLOR");
	struct live live = {
		.client = client,
		.options = options,
		.colour = isatty(STDOUT_FILENO) && (plain == NULL || plain[0] == '\0'),
	};
	sigset_t set;
	live.sse = (struct sse){.fn = on_event, .comment = on_comment, .context = &live};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	live.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (live.signals < 0) {
		fprintf(stderr, "duchactl: signalfd: %s\n", strerror(errno));
		return CTL_FAILED;
	}
	int result = live_run(&live);
	close(live.signals);
	text_deinit(&live.error);
	sse_deinit(&live.sse);
	return result;
}
