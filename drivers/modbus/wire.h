/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Wire: what differs between Modbus TCP and a serial line behind a socket.
 *
 * With MBAP each request has its number, and a connection is closed once a reply is overdue. A
 * serial line has no numbers, and its bus goes on behind the gateway when the socket is closed. So
 * what comes unasked is thrown away and counted, and after a timeout or a wrong reply nothing is
 * asked for one timeout more: whoever answers within twice the timeout is not taken for the next.
 *
 *   asked      timeout              quiet until
 *     |-----------|----------------------|-- asked again
 *                     ^ a late reply: thrown away
 */
#include "core/metrics.h"
#include "drivers/modbus/strip.h"

/* What a unit that dials in needs beyond the others. */
struct dial {
	const struct modbus_packet *packets;
	int64_t idle_ns, heard_ns;
	size_t used; /* of raw, by the reply judged last */
	uint8_t raw[STRIP_RAW_BYTES], frame[MODBUS_REPLY_BYTES];
};

struct wire {
	enum modbus_framing framing;
	int64_t timeout_ns, gap_ns, pause_ns;
	int64_t quiet_until_ns; /* nothing is asked before */
	struct metric *unasked; /* bytes; NULL with MBAP */
	struct dial *dial;      /* NULL but with MODBUS_DTU */
};

/** wire_init() - Return: 0, -ENOMEM */
int wire_init(struct wire *wire, const struct modbus_connection *config, struct metrics *metrics);
void wire_deinit(struct wire *wire);
/** wire_succeed() - @next, of the same connection, goes on where @old is */
void wire_succeed(struct wire *next, struct wire *old);

/** wire_build() - the bytes of @request; Return: how many */
size_t wire_build(const struct wire *wire, const struct modbus_request *request,
		  uint8_t out[MODBUS_REQUEST_BYTES]);

/** wire_judge() - modbus_judge() of the wire's framing */
enum modbus_verdict wire_judge(struct wire *wire, const struct modbus_request *request,
			       const uint8_t *bytes, size_t n, struct modbus_reply *reply);

/** wire_is_serial() - true where replies have no number */
static inline bool wire_is_serial(const struct wire *wire)
{
	return wire->framing != MODBUS_MBAP;
}

/** wire_connected(), wire_replied(), wire_failed() - what happened at @now_ns,
 * which settles when the next request may go out. wire_failed() is for an exchange that was under
 * way. */
void wire_connected(struct wire *wire, int64_t now_ns);
void wire_replied(struct wire *wire, int64_t now_ns);
void wire_failed(struct wire *wire, int64_t now_ns);

/** wire_leave() - bytes @bytes came while nothing was asked. Return: how many stay there, since
 * they may become a heartbeat */
size_t wire_leave(struct wire *wire, uint8_t *bytes, size_t n, int64_t now_ns);
/** wire_rest() - the reply within @bytes has been read. Return: how many stay there */
size_t wire_rest(const struct wire *wire, uint8_t *bytes, size_t n);

/** wire_buffer() - where bytes are received: the dial's, which holds heartbeats too, or @own */
static inline uint8_t *wire_buffer(const struct wire *wire, uint8_t *own, size_t *bytes)
{
	if (wire->dial == NULL)
		return own;
	*bytes = sizeof wire->dial->raw;
	return wire->dial->raw;
}

/** wire_dials_in() - true where the other side makes the connection, and keeps it while it can */
static inline bool wire_dials_in(const struct wire *wire)
{
	return wire->dial != NULL;
}
void wire_heard(struct wire *wire, int64_t now_ns);
/** wire_idle_at_ns() - when the connection is to be dropped unless something is heard */
static inline int64_t wire_idle_at_ns(const struct wire *wire)
{
	return wire->dial == NULL ? INT64_MAX : wire->dial->heard_ns + wire->dial->idle_ns;
}

/** wire_ready_ns() - the earliest moment for a request, not before @now_ns */
static inline int64_t wire_ready_ns(const struct wire *wire, int64_t now_ns)
{
	return wire->quiet_until_ns > now_ns ? wire->quiet_until_ns : now_ns;
}
