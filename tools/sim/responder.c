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
#include <unistd.h>

enum { MBAP_BYTES = 7, BUFFER_BYTES = 2048, MAX_BITS = 2000, MAX_REGISTERS = 125, BATCH = 256 };
enum { ILLEGAL_FUNCTION = 1, ILLEGAL_VALUE = 3 };

/* What epoll hands back: a listener or an accepted connection. */
struct responder_peer {
	int fd;
	bool is_listener, is_waiting; /* waiting: for room in the socket */
	struct responder_source source;
	struct responder_peer *previous, *next;
	size_t n_in, n_out, sent;
	uint8_t in[BUFFER_BYTES], out[RESPONDER_ADU_BYTES];
};

struct responder {
	int epoll;
	uint64_t requests;
	struct responder_peer *peers;
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

int responder_new(struct responder **out)
{
	struct responder *r = calloc(1, sizeof *r);
	if (r == NULL)
		return -ENOMEM;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0) {
		int error = -errno;
		free(r);
		return error;
	}
	*out = r;
	return 0;
}

static void responder_drop(struct responder *r, struct responder_peer *p)
{
	if (p->previous != NULL)
		p->previous->next = p->next;
	else
		r->peers = p->next;
	if (p->next != NULL)
		p->next->previous = p->previous;
	close(p->fd);
	free(p);
}

struct responder *responder_free(struct responder *r)
{
	if (r == NULL)
		return NULL;
	while (r->peers != NULL)
		responder_drop(r, r->peers);
	close(r->epoll);
	free(r);
	return NULL;
}

/* Takes over the descriptor, also when it fails. */
static int responder_add(struct responder *r, int fd, bool is_listener,
			 struct responder_source source)
{
	struct responder_peer *p = calloc(1, sizeof *p);
	if (p == NULL) {
		close(fd);
		return -ENOMEM;
	}
	p->fd = fd;
	p->is_listener = is_listener;
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

static int responder_bind(int fd, const char *address, uint16_t *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t length = sizeof in;
	int on = 1;
	if (inet_pton(AF_INET, address, &in.sin_addr) != 1)
		return -EINVAL;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&in, sizeof in) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &length) < 0)
		return -errno;
	*port = ntohs(in.sin_port);
	return 0;
}

int responder_listen(struct responder *r, const char *address, uint16_t *port,
		     struct responder_source source)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int error = responder_bind(fd, address, port);
	if (error != 0) {
		close(fd);
		return error;
	}
	return responder_add(r, fd, true, source);
}

int responder_fd(const struct responder *r)
{
	return r->epoll;
}

uint64_t responder_requests(const struct responder *r)
{
	return r->requests;
}

static int responder_accept(struct responder *r, const struct responder_peer *listener)
{
	for (;;) {
		int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) /* a peer that is gone again, or no descriptor left: the others go on */
			return errno == EBADF || errno == EINVAL ? -errno : 0;
		int on = 1;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		int error = responder_add(r, fd, false, listener->source);
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

/* Answers the whole requests in the buffer. Return: false when the peer is to be dropped. */
static bool responder_work(struct responder *r, struct responder_peer *p, int64_t time_ms)
{
	size_t at = 0;
	bool is_gone = false;
	while (p->n_out == 0 && p->n_in - at >= MBAP_BYTES + 1) {
		size_t length = 6u + get16(p->in + at + 4);
		if (get16(p->in + at + 2) != 0 || length < MBAP_BYTES + 1 ||
		    length > RESPONDER_ADU_BYTES)
			return false;
		if (p->n_in - at < length)
			break;
		p->n_out = responder_reply(&p->source, p->in + at, length, time_ms, p->out);
		r->requests++;
		at += length;
		(void)responder_flush(r, p, &is_gone);
	}
	memmove(p->in, p->in + at, p->n_in - at);
	p->n_in -= at;
	return !is_gone;
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
	for (int i = 0; i < n; i++) {
		struct responder_peer *p = events[i].data.ptr;
		if (p->is_listener) {
			int error = responder_accept(r, p);
			if (error != 0)
				return error;
		} else if (!responder_talk(r, p, events[i].events, time_ms)) {
			responder_drop(r, p);
		}
	}
	return 0;
}
