/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/responder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MBAP_BYTES = 7, BUFFER_BYTES = 2048, MAX_BITS = 2000, MAX_REGISTERS = 125, BATCH = 256 };
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_VALUE = 3 };
enum { REFUSAL_STEP_MS = 10 }; /* how exactly a refusal begins and ends */

/* What epoll hands back: a listener, an accepted connection or the timer. */
struct responder_peer {
	int fd;
	bool is_listener, is_waiting; /* waiting: for room in the socket */
	bool is_deaf, is_refusing;
	struct sockaddr_in address;      /* of a listener */
	struct responder_peer *listener; /* of a connection */
	struct responder_source source;
	uint8_t before[FAULT_ROOM]; /* of a listener: its last reply, for FAULT_FOREIGN */
	size_t n_before;
	struct responder_peer *previous, *next;
	size_t n_in, n_out, sent;
	uint8_t in[BUFFER_BYTES], out[RESPONDER_ADU_BYTES];
};

/* Bytes that a fault sends later. */
struct delivery {
	struct delivery *next;
	struct responder_peer *to, *listener; /* to NULL: the newest connection of the listener */
	int64_t due_ms;
	size_t n;
	uint8_t bytes[FAULT_ROOM];
};

struct responder {
	int epoll;
	uint64_t requests, faults, writes, accepted;
	struct responder_peer *peers; /* newest first */
	struct responder_peer timer;
	struct delivery *deliveries; /* soonest first */
};

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The reply's PDU after the function code. Return: its length, or minus an exception code. */
static int responder_values(uint8_t function, unsigned count, const uint16_t *words, uint8_t *at)
{
	if (function > 2) {
		at[0] = (uint8_t)(count * 2);
		for (unsigned i = 0; i < count; i++)
			put16(at + 1 + 2 * i, words[i]);
		return (int)(1 + count * 2);
	}
	unsigned bytes = (count + 7) / 8;
	at[0] = (uint8_t)bytes;
	memset(at + 1, 0, bytes);
	for (unsigned i = 0; i < count; i++)
		if (words[i] != 0)
			at[1 + i / 8] |= (uint8_t)(1u << i % 8);
	return (int)(1 + bytes);
}

static int responder_ask(const struct responder_source *source, const uint8_t *adu, size_t length,
			 int64_t time_ms, uint16_t *words, unsigned *count)
{
	uint8_t function = adu[MBAP_BYTES];
	if (function < 1 || function > 4)
		return ILLEGAL_FUNCTION;
	if (length != MBAP_BYTES + 5)
		return ILLEGAL_VALUE;
	uint16_t address = get16(adu + 8);
	*count = get16(adu + 10);
	if (*count < 1 || *count > (function > 2 ? MAX_REGISTERS : MAX_BITS))
		return ILLEGAL_VALUE;
	if (address + *count > 65536)
		return 2;
	return source->read(source->context, adu[6], function, address, *count, time_ms, words);
}

size_t responder_reply(const struct responder_source *source, const uint8_t *adu, size_t length,
		       int64_t time_ms, uint8_t *reply)
{
	uint16_t words[MAX_BITS];
	unsigned count = 0;
	int result = responder_ask(source, adu, length, time_ms, words, &count);
	if (result > 255)
		return 0;
	memcpy(reply, adu, MBAP_BYTES + 1);
	size_t pdu = 1;
	if (result == 0) {
		pdu += (size_t)responder_values(adu[MBAP_BYTES], count, words, reply + 8);
	} else {
		reply[MBAP_BYTES] |= 0x80;
		reply[8] = (uint8_t)result;
		pdu++;
	}
	put16(reply + 4, 1 + pdu);
	return MBAP_BYTES + pdu;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int responder_open(struct responder *r)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &r->timer};
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (r->epoll < 0 || r->timer.fd < 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->timer.fd, &event) < 0)
		return -errno;
	return 0;
}

int responder_new(struct responder **out)
{
	struct responder *r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	int error = responder_open(r);
	if (error != 0)
		responder_free(r);
	else
		*out = r;
	return error;
}

static void responder_drop(struct responder *r, struct responder_peer *p)
{
	if (p->previous != NULL)
		p->previous->next = p->next;
	else
		r->peers = p->next;
	if (p->next != NULL)
		p->next->previous = p->previous;
	for (struct delivery **at = &r->deliveries, *d; (d = *at) != NULL;) {
		if (d->to == p || d->listener == p) {
			*at = d->next;
			free(d);
		} else {
			at = &d->next;
		}
	}
	close(p->fd);
	free(p);
}

struct responder *responder_free(struct responder *r)
{
	if (r == NULL)
		return NULL;
	while (r->peers != NULL)
		responder_drop(r, r->peers);
	if (r->timer.fd >= 0)
		close(r->timer.fd);
	if (r->epoll >= 0)
		close(r->epoll);
	free(r);
	return NULL;
}

/* Takes over the descriptor, also when it fails. @listener: NULL for a listener. */
static int responder_add(struct responder *r, int fd, struct responder_peer *listener,
			 struct responder_source source)
{
	struct responder_peer *p = calloc(1, sizeof *p);
	if (p == NULL) {
		close(fd);
		return -ENOMEM;
	}
	p->fd = fd;
	p->is_listener = listener == NULL;
	p->listener = listener;
	p->source = source;
	p->next = r->peers;
	if (r->peers != NULL)
		r->peers->previous = p;
	r->peers = p;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		int error = -errno;
		responder_drop(r, p);
		return error;
	}
	return 0;
}

/* Return: a socket bound to *address, whose port is filled in; a negative errno. */
static int responder_bind(struct sockaddr_in *address)
{
	socklen_t length = sizeof *address;
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)address, sizeof *address) < 0 ||
	    getsockname(fd, (struct sockaddr *)address, &length) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

/* Wakes the owner for the next delivery, and in steps where a refusal may come. */
static int responder_set_timer(struct responder *r)
{
	int64_t wait_ms = r->deliveries != NULL ? r->deliveries->due_ms - now_ms() : 0;
	struct itimerspec when = {.it_value = {.tv_nsec = 1}};
	if (wait_ms > 0)
		when.it_value = (struct timespec){.tv_sec = wait_ms / 1000,
						  .tv_nsec = wait_ms % 1000 * 1000000};
	if (r->deliveries == NULL)
		when.it_value.tv_nsec = 0;
	for (struct responder_peer *p = r->peers; p != NULL; p = p->next)
		if (p->is_listener && p->source.faults != NULL &&
		    fault_has_refusal(p->source.faults) &&
		    (r->deliveries == NULL || wait_ms > REFUSAL_STEP_MS))
			when.it_value = (struct timespec){.tv_nsec = REFUSAL_STEP_MS * 1000000};
	return timerfd_settime(r->timer.fd, 0, &when, NULL) < 0 ? -errno : 0;
}

int responder_listen(struct responder *r, const char *address, uint16_t *port,
		     struct responder_source source)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(*port)};
	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -EINVAL;
	int fd = responder_bind(&in);
	if (fd < 0)
		return fd;
	if (listen(fd, SOMAXCONN) < 0) {
		int error = -errno;
		close(fd);
		return error;
	}
	*port = ntohs(in.sin_port);
	int error = responder_add(r, fd, NULL, source);
	if (error != 0)
		return error;
	r->peers->address = in;
	return responder_set_timer(r);
}

int responder_fd(const struct responder *r)
{
	return r->epoll;
}

uint64_t responder_requests(const struct responder *r)
{
	return r->requests;
}

uint64_t responder_faults(const struct responder *r)
{
	return r->faults;
}

uint64_t responder_writes(const struct responder *r)
{
	return r->writes;
}

uint64_t responder_accepted(const struct responder *r)
{
	return r->accepted;
}

static int responder_accept(struct responder *r, struct responder_peer *listener)
{
	for (;;) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) /* a peer that is gone again, or no descriptor left: the others go on */
			return errno == EBADF || errno == EINVAL ? -errno : 0;
		int on = 1;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		r->accepted++;
		int error = responder_add(r, fd, listener, listener->source);
		if (error != 0)
			return error;
	}
}

static void responder_watch(struct responder *r, struct responder_peer *p, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = p};
	(void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, p->fd, &event);
}

/* Return: true when all is out; false when the peer does not take it now or never will. */
static bool responder_flush(struct responder *r, struct responder_peer *p, bool *is_gone)
{
	while (p->sent < p->n_out) {
		ssize_t n = send(p->fd, p->out + p->sent, p->n_out - p->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*is_gone = errno != EAGAIN;
			p->is_waiting = true;
			responder_watch(r, p, EPOLLOUT);
			return false;
		}
		p->sent += (size_t)n;
	}
	p->n_out = p->sent = 0;
	if (p->is_waiting)
		responder_watch(r, p, EPOLLIN);
	p->is_waiting = false;
	return true;
}

/* --- faults --- */

static void responder_later(struct responder *r, struct responder_peer *to,
			    struct responder_peer *listener, int64_t delay_ms, const uint8_t *bytes,
			    size_t n)
{
	struct delivery *d = malloc(sizeof *d);
	if (d == NULL)
		return;
	*d = (struct delivery){
		.to = to, .listener = listener, .due_ms = now_ms() + delay_ms, .n = n};
	memcpy(d->bytes, bytes, n);
	struct delivery **at = &r->deliveries;
	while (*at != NULL && (*at)->due_ms <= d->due_ms)
		at = &(*at)->next;
	d->next = *at;
	*at = d;
}

/* What the peer does not take at once is lost: it is broken anyway. */
static void responder_send(const struct responder_peer *p, const uint8_t *bytes, size_t n)
{
	(void)send(p->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void responder_deliver(struct responder *r)
{
	int64_t now = now_ms();
	for (struct delivery *d; (d = r->deliveries) != NULL && d->due_ms <= now;) {
		struct responder_peer *to = d->to != NULL ? d->to : r->peers;
		while (d->to == NULL && to != NULL && to->listener != d->listener)
			to = to->next;
		if (to != NULL)
			responder_send(to, d->bytes, d->n);
		r->deliveries = d->next;
		free(d);
	}
}

static void responder_trickle(struct responder *r, struct responder_peer *p, int64_t delay_ms,
			      const uint8_t *reply, size_t n)
{
	for (size_t i = 0; i < n; i++)
		responder_later(r, p, p->listener, (int64_t)(i + 1) * delay_ms, reply + i, 1);
}

/* The faults that are wrong in time or place. Return: false when the peer is to be dropped. */
static bool responder_misdeliver(struct responder *r, struct responder_peer *p,
				 const struct fault *fault, const uint8_t *reply, size_t n)
{
	static const uint8_t chatter[] = {0x00, 0x41, 0xff};
	struct linger reset = {.l_onoff = 1};
	switch ((int)fault->kind) {
	case FAULT_SILENCE:
		return true;
	case FAULT_HALF_OPEN:
		p->is_deaf = true;
		responder_watch(r, p, EPOLLRDHUP);
		return true;
	case FAULT_RESET:
		(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		return false;
	case FAULT_CLOSE:
		return false;
	case FAULT_TRICKLE:
		responder_trickle(r, p, fault->delay_ms, reply, n);
		return true;
	case FAULT_LATE:
		responder_later(r, p, p->listener, fault->delay_ms, reply, n);
		return true;
	case FAULT_STRAY:
		responder_later(r, NULL, p->listener, fault->delay_ms, reply, n);
		return true;
	case FAULT_FOREIGN:
		if (p->listener->n_before == 0)
			break;
		responder_send(p, p->listener->before, p->listener->n_before);
		return true;
	case FAULT_CHATTER:
		responder_later(r, p, p->listener, fault->delay_ms, chatter, sizeof chatter);
		break;
	case FAULT_DUPLICATE:
		if (fault->delay_ms > 0)
			responder_later(r, p, p->listener, fault->delay_ms, reply, n);
		break;
	default:
		break;
	}
	responder_send(p, reply, n);
	return true;
}

/* Answers the request whose right reply is in p->out. Return: false when the peer is to be dropped.
 */
static bool responder_spoil(struct responder *r, struct responder_peer *p,
			    const struct fault *fault)
{
	uint8_t reply[FAULT_ROOM];
	size_t n = p->n_out;
	memcpy(reply, p->out, n);
	p->n_out = 0;
	r->faults++;
	n = fault_spoil(fault, reply, n);
	if (fault->kind == FAULT_FOREIGN && p->listener->n_before == 0)
		reply[0] ^= 0x80; /* the first of all: of another time */
	if (fault->kind == FAULT_DUPLICATE && fault->delay_ms == 0) {
		memcpy(reply + n, reply, n);
		n *= 2;
	}
	bool is_kept = responder_misdeliver(r, p, fault, reply, n);
	(void)responder_set_timer(r);
	return is_kept;
}

/* Return: false when the peer is to be dropped. */
static bool responder_answer(struct responder *r, struct responder_peer *p, const uint8_t *adu,
			     size_t length, int64_t time_ms)
{
	struct fault_plan *plan = p->source.faults;
	const struct fault *fault = plan != NULL ? fault_choose(plan, adu[6], time_ms) : NULL;
	bool is_gone = false, is_kept = true;
	r->requests++;
	r->writes += adu[MBAP_BYTES] < 1 || adu[MBAP_BYTES] > 4;
	p->n_out = responder_reply(&p->source, adu, length, time_ms, p->out);
	uint8_t before[RESPONDER_ADU_BYTES];
	size_t n_before = plan != NULL ? p->n_out : 0;
	memcpy(before, p->out, n_before);
	if (p->n_out > 0 && fault != NULL)
		is_kept = responder_spoil(r, p, fault);
	else
		(void)responder_flush(r, p, &is_gone);
	if (n_before > 0) {
		memcpy(p->listener->before, before, n_before);
		p->listener->n_before = n_before;
	}
	return is_kept && !is_gone;
}

static void responder_drop_of(struct responder *r, const struct responder_peer *listener)
{
	for (struct responder_peer *p = r->peers, *next; p != NULL; p = next) {
		next = p->next;
		if (p->listener == listener)
			responder_drop(r, p);
	}
}

/* A bound socket on which nobody listens refuses, and keeps the port. */
static int responder_refuse(struct responder *r, struct responder_peer *p, bool is_refusing)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
	p->is_refusing = is_refusing;
	if (!is_refusing) {
		if (listen(p->fd, SOMAXCONN) < 0 ||
		    epoll_ctl(r->epoll, EPOLL_CTL_ADD, p->fd, &event) < 0)
			return -errno;
		return 0;
	}
	close(p->fd);
	responder_drop_of(r, p);
	p->fd = responder_bind(&p->address);
	return p->fd < 0 ? p->fd : 0;
}

static int responder_on_timer(struct responder *r, int64_t time_ms)
{
	uint64_t times;
	(void)!read(r->timer.fd, &times, sizeof times);
	responder_deliver(r);
	for (struct responder_peer *p = r->peers; p != NULL; p = p->next) {
		if (!p->is_listener || p->source.faults == NULL)
			continue;
		bool is_refusing = fault_refuses(p->source.faults, time_ms);
		int error = 0;
		if (is_refusing != p->is_refusing)
			error = responder_refuse(r, p, is_refusing);
		if (error != 0)
			return error;
	}
	return responder_set_timer(r);
}

/* --- requests --- */

/* Answers the whole requests in the buffer. Return: false when the peer is to be dropped. */
static bool responder_work(struct responder *r, struct responder_peer *p, int64_t time_ms)
{
	size_t at = 0;
	bool is_kept = true;
	while (is_kept && !p->is_deaf && p->n_out == 0 && p->n_in - at >= MBAP_BYTES + 1) {
		size_t length = 6u + get16(p->in + at + 4);
		if (get16(p->in + at + 2) != 0 || length < MBAP_BYTES + 1 ||
		    length > RESPONDER_ADU_BYTES)
			return false;
		if (p->n_in - at < length)
			break;
		is_kept = responder_answer(r, p, p->in + at, length, time_ms);
		at += length;
	}
	memmove(p->in, p->in + at, p->n_in - at);
	p->n_in -= at;
	return is_kept;
}

static bool responder_read(struct responder_peer *p)
{
	ssize_t n = recv(p->fd, p->in + p->n_in, sizeof p->in - p->n_in, 0);
	if (n > 0)
		p->n_in += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool responder_talk(struct responder *r, struct responder_peer *p, uint32_t events,
			   int64_t time_ms)
{
	bool is_gone = false;
	if (p->is_deaf)
		return (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0;
	if ((events & EPOLLOUT) != 0 && !responder_flush(r, p, &is_gone))
		return !is_gone;
	if (p->n_out == 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !responder_read(p))
		return false;
	return responder_work(r, p, time_ms);
}

int responder_serve(struct responder *r, int64_t time_ms)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(r->epoll, events, BATCH, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	bool is_time = false;
	for (int i = 0; i < n; i++) {
		struct responder_peer *p = events[i].data.ptr;
		if (p == &r->timer) {
			is_time = true; /* last: it may end connections that this batch names */
		} else if (p->is_listener) {
			int error = responder_accept(r, p);
			if (error != 0)
				return error;
		} else if (!responder_talk(r, p, events[i].events, time_ms)) {
			responder_drop(r, p);
		}
	}
	return is_time ? responder_on_timer(r, time_ms) : 0;
}
