/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/logger.h"

#include "base/log.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SENDS = 3, RETRY_MS = 1000 }; /* 6.2: two repeats, then the link counts as unusable */

struct kept {
	char qn[TELEGRAM_QN + 1];
	char *bytes;
	size_t n;
};

struct logger {
	const struct logger_setup *setup;
	const struct zone *zone;
	struct addrinfo *centre;
	struct kept *backlog; /* LOGGER_BACKLOG, a ring */
	size_t first, n;
	int64_t due_ms, deadline_ms, retry_ms;
	int64_t born_ms; /* wall clock at the start: its own clock, which the machine's does not
			    step */
	int fd;          /* -1: none */
	bool connected, said;
	int sends;   /* of the first of the backlog, over this connection */
	size_t sent; /* bytes of it that are on their way */
	char answer[TELEGRAM_ANSWER];
	size_t fill;
	struct logger_counts counts;
};

static int resolve(const char *centre, struct addrinfo **out)
{
	char host[80];
	const char *colon = strrchr(centre, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - centre);
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	if (n == 0 || n >= sizeof host)
		return -EINVAL;
	memcpy(host, centre, n);
	host[n] = '\0';
	return getaddrinfo(host, colon + 1, &hints, out) == 0 ? 0 : -EINVAL;
}

int logger_new(struct logger **out, const struct logger_setup *setup, const char *centre,
	       const struct zone *zone)
{
	struct logger *l = calloc(1, sizeof *l);
	if (l == NULL)
		return -ENOMEM;
	l->setup = setup;
	l->zone = zone;
	l->fd = -1;
	l->backlog = calloc(LOGGER_BACKLOG, sizeof *l->backlog);
	int error = l->backlog == NULL ? -ENOMEM : resolve(centre, &l->centre);
	if (error != 0)
		logger_free(l);
	else
		*out = l;
	return error;
}

static void drop_first(struct logger *l)
{
	free(l->backlog[l->first].bytes);
	l->backlog[l->first].bytes = NULL;
	l->first = (l->first + 1) % LOGGER_BACKLOG;
	l->n--;
	l->sends = 0;
	l->sent = 0;
}

struct logger *logger_free(struct logger *l)
{
	if (l == NULL)
		return NULL;
	while (l->n > 0)
		drop_first(l);
	if (l->fd >= 0)
		close(l->fd);
	if (l->centre != NULL)
		freeaddrinfo(l->centre);
	free(l->backlog);
	free(l);
	return NULL;
}

/* --- what it measures --- */

static void keep(struct logger *l, const char *qn, struct text *telegram)
{
	l->counts.made++;
	if (l->n == LOGGER_BACKLOG) {
		drop_first(l);
		l->counts.lost++;
	}
	struct kept *kept = &l->backlog[(l->first + l->n++) % LOGGER_BACKLOG];
	memcpy(kept->qn, qn, sizeof kept->qn);
	kept->bytes = telegram->at;
	kept->n = telegram->length;
}

static void measure_at(struct logger *l, int64_t due_ms)
{
	char qn[TELEGRAM_QN + 1];
	struct text telegram = {0};
	if (telegram_write(&l->setup->sender, due_ms, l->born_ms + due_ms, l->zone, qn,
			   &telegram) &&
	    !telegram.failed)
		keep(l, qn, &telegram);
	else
		text_deinit(&telegram);
}

/* Nothing is left out, also where the machine stood still for a while. */
static void measure(struct logger *l, int64_t time_ms, int64_t wall_ms)
{
	if (l->born_ms == 0)
		l->born_ms = wall_ms - time_ms;
	for (; l->due_ms <= time_ms; l->due_ms += l->setup->interval_ms)
		measure_at(l, l->due_ms);
}

/* --- the connection --- */

static bool is_away(const struct logger *l, int64_t time_ms)
{
	for (size_t i = 0; i < l->setup->n_absences; i++) {
		const struct logger_absence *a = &l->setup->absences[i];
		if (time_ms >= a->at_ms && (a->for_ms == 0 || time_ms < a->at_ms + a->for_ms))
			return true;
	}
	return false;
}

static void hang_up(struct logger *l, int64_t time_ms, const char *why)
{
	if (!l->said)
		log_info("%s: %s, %zu messages wait", l->setup->id, why, l->n);
	l->said = true;
	close(l->fd);
	l->fd = -1;
	l->connected = false;
	l->sends = 0;
	l->sent = l->fill = 0;
	l->retry_ms = time_ms + RETRY_MS;
}

static void dial(struct logger *l, int64_t time_ms)
{
	const struct addrinfo *to = l->centre;
	l->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	l->deadline_ms = time_ms + l->setup->timeout_ms;
	l->retry_ms = time_ms + RETRY_MS;
	if (l->fd >= 0 && connect(l->fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS)
		hang_up(l, time_ms, "nobody listens");
}

/* The beginning of a connection, as far as it can be seen. */
static void see_connected(struct logger *l, int64_t time_ms)
{
	int error = 0;
	socklen_t n = sizeof error;
	struct pollfd fd = {.fd = l->fd, .events = POLLOUT};
	if (poll(&fd, 1, 0) <= 0)
		return;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) {
		hang_up(l, time_ms, "nobody listens");
		return;
	}
	l->connected = true;
	if (l->said)
		log_info("%s: connected, %zu messages wait", l->setup->id, l->n);
	l->said = false;
}

static void send_first(struct logger *l, int64_t time_ms)
{
	const struct kept *kept = &l->backlog[l->first];
	if (l->sent == 0) {
		l->deadline_ms = time_ms + l->setup->timeout_ms;
		l->counts.again += l->sends++ > 0;
	}
	ssize_t n = send(l->fd, kept->bytes + l->sent, kept->n - l->sent, MSG_NOSIGNAL);
	if (n >= 0)
		l->sent += (size_t)n;
	else if (errno != EAGAIN && errno != EINTR)
		hang_up(l, time_ms, "the connection broke");
}

static void take_answers(struct logger *l)
{
	size_t used;
	while (l->n > 0 && l->fill > 0) {
		bool is_ours = telegram_answer(l->answer, l->fill, l->backlog[l->first].qn, &used);
		if (used == 0 && l->fill == sizeof l->answer)
			used = l->fill;
		if (used == 0)
			return;
		l->fill -= used;
		memmove(l->answer, l->answer + used, l->fill);
		if (!is_ours)
			continue;
		l->counts.answered++;
		drop_first(l);
	}
}

static void hear(struct logger *l, int64_t time_ms)
{
	ssize_t n;
	while (l->fd >= 0 &&
	       (n = recv(l->fd, l->answer + l->fill, sizeof l->answer - l->fill, 0)) != -1) {
		if (n == 0) {
			hang_up(l, time_ms, "the centre hung up");
			return;
		}
		l->fill += (size_t)n;
		take_answers(l);
	}
	if (l->fd >= 0 && errno != EAGAIN && errno != EINTR)
		hang_up(l, time_ms, "the connection broke");
}

/* No answer in time: once more, or a new connection. */
static void lose_patience(struct logger *l, int64_t time_ms)
{
	if (time_ms < l->deadline_ms)
		return;
	if (l->connected && l->sends < SENDS)
		l->sent = 0;
	else
		hang_up(l, time_ms, "no answer");
}

static void converse(struct logger *l, int64_t time_ms)
{
	hear(l, time_ms);
	if (l->fd >= 0 && l->n > 0 && l->sends > 0)
		lose_patience(l, time_ms);
	if (l->fd >= 0 && l->n > 0 && l->sent < l->backlog[l->first].n)
		send_first(l, time_ms);
}

int64_t logger_step(struct logger *l, int64_t time_ms, int64_t wall_ms)
{
	measure(l, time_ms, wall_ms);
	if (is_away(l, time_ms)) {
		if (l->fd >= 0)
			hang_up(l, time_ms, "away");
		l->retry_ms = time_ms + RETRY_MS;
	} else if (l->fd < 0 && time_ms >= l->retry_ms) {
		dial(l, time_ms);
	}
	if (l->fd >= 0 && !l->connected) {
		see_connected(l, time_ms);
		if (l->fd >= 0 && !l->connected)
			lose_patience(l, time_ms);
	}
	if (l->connected)
		converse(l, time_ms);
	int64_t next = l->fd < 0 ? l->retry_ms : l->due_ms;
	if (l->fd >= 0 && (!l->connected || l->n > 0) && l->deadline_ms < next)
		next = l->deadline_ms;
	return l->due_ms < next ? l->due_ms : next;
}

int logger_fd(const struct logger *l, short *events)
{
	bool writes = !l->connected || (l->n > 0 && l->sent < l->backlog[l->first].n);
	*events = (short)(writes ? POLLIN | POLLOUT : POLLIN);
	return l->fd;
}

struct logger_counts logger_counts(const struct logger *l)
{
	return l->counts;
}
