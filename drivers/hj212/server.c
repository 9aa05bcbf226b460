/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HJ 212: data loggers dial in, on the thread of one event loop.
 *
 * A logger is a TCP client that sends of itself; nothing is asked of it and nothing is set in it.
 * It may keep its connection for months or make one for each message, so the end of a connection
 * says nothing: who is silent is told by its monitors (stale). Sessions are bounded in number,
 * bytes a second and answers owed; a peer that is gone without a word is found by keepalives, one
 * that says nothing known for idle_ms is dropped.
 */
#include "drivers/hj212/internal.h"
#include "drivers/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
enum { FRESH_S = 60 };

static const char *const outcome_names[OUTCOMES] = {
	"ok", "system", "crc", "length", "garbage", "syntax", "mn", "password", "command"};

/* --- what is said --- */

static uint64_t key_of(enum outcome outcome, struct hj212_text who)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)outcome;
	for (size_t i = 0; i < who.n; i++)
		key = (key ^ (uint8_t)who.at[i]) * UINT64_C(0x100000001b3);
	return key != 0 ? key : 1;
}

/* Whoever makes up a new MN for each telegram cannot fill the log. */
bool listener_note(struct listener *listener, enum outcome outcome, struct hj212_text who)
{
	uint64_t key = key_of(outcome, who);
	struct strange *strange = &listener->strange[(key >> 32) % STRANGE_MOST];
	if (outcome < OUTCOMES)
		metric_add(listener->outcomes[outcome], 1);
	if (strange->key != key) {
		if (listener->fresh_left == 0)
			return false;
		listener->fresh_left--;
		*strange = (struct strange){.key = key};
	}
	return log_due(&strange->said);
}

/* --- sessions --- */

void session_link(struct session *session, struct hj212 *hj212)
{
	session->next = hj212->sessions;
	session->link = &hj212->sessions;
	if (session->next != NULL)
		session->next->link = &session->next;
	hj212->sessions = session;
	hj212->n_sessions++;
	hj212->n_waiting += session->waits;
	metric_set(session->listener->sessions, (int64_t)++session->listener->n_sessions);
}

void session_drop(struct session *session)
{
	struct listener *listener = session->listener;
	struct hj212 *hj212 = listener->hj212;
	answers_forget(session);
	loop_remove(hj212->host.loop, session->fd);
	close(session->fd);
	*session->link = session->next;
	if (session->next != NULL)
		session->next->link = session->link;
	hj212->n_sessions--;
	hj212->n_waiting -= session->waits;
	metric_set(listener->sessions, (int64_t)--listener->n_sessions);
	free(session);
}

/* The one that has been there longest without having said who it is; NULL: all have. */
static struct session *oldest_stranger(const struct hj212 *hj212)
{
	struct session *oldest = NULL;
	for (struct session *s = hj212->sessions; s != NULL; s = s->next)
		if (!s->known && (oldest == NULL || s->heard_ns <= oldest->heard_ns))
			oldest = s;
	return oldest;
}

static bool make_room(struct hj212 *hj212)
{
	struct session *oldest = NULL;
	if (hj212->n_sessions < HJ212_SESSIONS_MOST)
		return true;
	metric_add(hj212->crowded, 1);
	oldest = oldest_stranger(hj212);
	if (oldest != NULL)
		session_drop(oldest);
	return oldest != NULL;
}

static void name_peer(struct session *session)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof address;
	if (getpeername(session->fd, (struct sockaddr *)&address, &n) != 0 ||
	    getnameinfo((struct sockaddr *)&address, n, session->peer, sizeof session->peer, NULL,
			0, NI_NUMERICHOST) != 0)
		snprintf(session->peer, sizeof session->peer, "a caller");
}

static void session_begin(void *context, int fd)
{
	struct listener *listener = context;
	struct hj212 *hj212 = listener->hj212;
	struct session *session = make_room(hj212) ? malloc(sizeof *session) : NULL;
	if (session == NULL) {
		close(fd);
		return;
	}
	memset(session, 0, offsetof(struct session, buffer));
	session->listener = listener;
	session->fd = fd;
	session->heard_ns = loop_now(hj212->host.loop);
	name_peer(session);
	if (loop_add(hj212->host.loop, fd, EPOLLIN, session_ready, session) != 0) {
		close(fd);
		free(session);
		return;
	}
	session_link(session, hj212);
}

static void listener_ready(void *context, uint32_t events)
{
	(void)events;
	struct listener *listener = context;
	listener->muted =
		listen_take(listener->hj212->host.loop, listener->fd, session_begin, listener);
}

int listener_watch(struct listener *listener)
{
	return loop_add(listener->hj212->host.loop, listener->fd, EPOLLIN, listener_ready,
			listener);
}

/* --- the tick --- */

static void retry_waiting(struct hj212 *hj212)
{
	struct session *next;
	for (struct session *s = hj212->sessions; s != NULL && hj212->n_waiting > 0; s = next) {
		next = s->next;
		if (!s->waits)
			continue;
		session_work(s);
		if (s->failed)
			session_drop(s);
	}
}

/* Whoever waits is heard of as soon as there is room again. */
static void sessions_second(struct hj212 *hj212, int64_t now_ns)
{
	struct session *next;
	for (struct session *s = hj212->sessions; s != NULL; s = next) {
		int64_t idle_ns = s->listener->config->idle_ms * INT64_C(1000000);
		next = s->next;
		s->spent = 0;
		session_watch(s);
		if (s->waits || now_ns - s->heard_ns < idle_ns)
			continue;
		metric_add(hj212->silent, !s->known);
		session_drop(s);
	}
}

static void listeners_second(struct hj212 *hj212, bool fresh)
{
	for (size_t i = 0; i < hj212->n_listeners; i++) {
		struct listener *listener = &hj212->listeners[i];
		if (fresh)
			listener->fresh_left = FRESH_MOST;
		if (listener->muted)
			listener->muted = listen_again(hj212->host.loop, listener->fd);
		door_link(hj212->host.door, listener->config->connection, true);
		metric_set(listener->up, 1);
	}
}

static void hj212_tick(void *context, int64_t now_ns)
{
	struct hj212 *hj212 = context;
	answers_send(hj212);
	if (hj212->n_waiting > 0)
		retry_waiting(hj212);
	if (now_ns < hj212->second_ns)
		return;
	listeners_second(hj212, now_ns >= hj212->fresh_ns);
	if (now_ns >= hj212->fresh_ns)
		hj212->fresh_ns = now_ns + FRESH_S * SECOND_NS;
	hj212->second_ns = now_ns + SECOND_NS;
	sessions_second(hj212, now_ns);
}

static void hj212_batch_done(void *context, int64_t now_ns)
{
	struct hj212 *hj212 = context;
	(void)now_ns;
	if (hj212->submitted)
		door_flush(hj212->host.door);
	if (hj212->owes && answers_wait(hj212))
		door_commit(hj212->host.door);
	hj212->submitted = hj212->owes = false;
}

/* --- birth and death --- */

const struct listener *hj212_listener_of(const struct hj212 *hj212, const char *address)
{
	for (size_t i = 0; hj212 != NULL && i < hj212->n_listeners; i++)
		if (strcmp(hj212->listeners[i].config->listen, address) == 0)
			return &hj212->listeners[i];
	return NULL;
}

static int listener_metrics(struct listener *listener)
{
	struct metrics *metrics = listener->hj212->host.metrics;
	char labels[160];
	snprintf(labels, sizeof labels, "connection=\"%s\"", listener->config->id);
	listener->up = metrics_gauge(metrics, "ducha_connections_up",
				     "1 while the connection answers, else 0", labels);
	listener->sessions = metrics_gauge(metrics, "ducha_loggers",
					   "Connections that data loggers have made", labels);
	bool all = listener->up != NULL && listener->sessions != NULL;
	for (int i = 0; i < OUTCOMES; i++) {
		snprintf(labels, sizeof labels, "connection=\"%s\",result=\"%s\"",
			 listener->config->id, outcome_names[i]);
		listener->outcomes[i] = metrics_counter(metrics, "ducha_telegrams_total",
							"HJ 212 telegrams that came", labels);
		all = all && listener->outcomes[i] != NULL;
	}
	return all ? 0 : -ENOMEM;
}

static int listener_init(struct listener *listener, struct hj212 *hj212,
			 const struct hj212_connection *config, bool open)
{
	*listener = (struct listener){
		.hj212 = hj212, .config = config, .fd = -1, .fresh_left = FRESH_MOST};
	int error = stations_init(&listener->stations, config);
	if (error == 0)
		error = listener_metrics(listener);
	if (error != 0 || !open)
		return error;
	listener->fd = listen_open(config->listen);
	if (listener->fd >= 0)
		return 0;
	log_warnx("%s: cannot listen on %s: %s", config->id, config->listen,
		  strerrordesc_np(-listener->fd));
	return listener->fd;
}

static int hj212_metrics(struct hj212 *hj212)
{
	struct metrics *metrics = hj212->host.metrics;
	static const char unrecorded[] = "Samples that were acknowledged or read but not recorded";
	static const char refused[] = "Units that dialled in and were not let in";
	hj212->bad_value = metrics_counter(metrics, "ducha_unrecorded_total", unrecorded,
					   "reason=\"payload\"");
	hj212->crowded = metrics_counter(metrics, "ducha_callers_refused_total", refused,
					 "reason=\"crowded\"");
	hj212->silent = metrics_counter(metrics, "ducha_callers_refused_total", refused,
					"reason=\"silent\"");
	return hj212->bad_value && hj212->crowded && hj212->silent ? 0 : -ENOMEM;
}

static int hj212_alloc(struct hj212 *hj212, size_t n)
{
	if (n == 0)
		return 0;
	hj212->listeners = calloc(n, sizeof *hj212->listeners);
	hj212->answers.at = calloc(ANSWERS_MOST, sizeof *hj212->answers.at);
	return hj212->listeners != NULL && hj212->answers.at != NULL ? hj212_metrics(hj212)
								     : -ENOMEM;
}

int hj212_new(struct hj212 **out, const struct driver_host *host,
	      const struct hj212_connection *configs, size_t n, const struct hj212 *before)
{
	struct hj212 *hj212 = calloc(1, sizeof *hj212);
	if (hj212 == NULL)
		return -ENOMEM;
	hj212->host = *host;
	int error = hj212_alloc(hj212, n);
	for (size_t i = 0; error == 0 && i < n; i++, hj212->n_listeners++)
		error = listener_init(&hj212->listeners[i], hj212, &configs[i],
				      hj212_listener_of(before, configs[i].listen) == NULL);
	if (error != 0)
		hj212_free(hj212);
	else
		*out = hj212;
	return error;
}

void hj212_free(struct hj212 *hj212)
{
	while (hj212->sessions != NULL)
		session_drop(hj212->sessions);
	for (size_t i = 0; i < hj212->n_listeners; i++) {
		struct listener *listener = &hj212->listeners[i];
		if (listener->fd >= 0) {
			loop_remove(hj212->host.loop, listener->fd);
			close(listener->fd);
		}
		stations_deinit(&listener->stations);
	}
	free(hj212->listeners);
	free(hj212->answers.at);
	free(hj212);
}

static void hj212_stop(void *instance)
{
	hj212_free(instance);
}

static int hj212_start(const struct driver_host *host, const void *connections, size_t n,
		       void **instance)
{
	struct hj212 *hj212 = NULL;
	int error = hj212_new(&hj212, host, connections, n, NULL);
	if (error != 0)
		return error;
	for (size_t i = 0; error == 0 && i < n; i++)
		error = listener_watch(&hj212->listeners[i]);
	if (error == 0)
		error = loop_on_tick(host->loop, hj212_tick, hj212);
	if (error == 0)
		error = loop_on_batch(host->loop, hj212_batch_done, hj212);
	if (error != 0)
		hj212_free(hj212);
	else
		*instance = hj212;
	return error;
}

const struct driver hj212_driver = {.name = "hj212",
				    .start = hj212_start,
				    .prepare = hj212_prepare,
				    .succeed = hj212_succeed,
				    .drop = hj212_drop,
				    .stop = hj212_stop};
