/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/exchange.h"

#include "drivers/modbus/round.h"

#include <errno.h>
#include <sys/socket.h>

/* The request as it was sent; the reply as it came, with what a unit that dials in mixed into it.
 */
static void exchange_frame(struct line *line)
{
	const struct wire *wire = &line->wire;
	uint8_t asked[MODBUS_REQUEST_BYTES];
	size_t n = wire_build(wire, &line->bus.request, asked);
	bus_frame(&line->bus, wire_is_serial(wire) ? FRAME_MODBUS_RTU : FRAME_MODBUS_TCP, asked, n,
		  wire_buffer(wire, line->buffer, &(size_t){0}),
		  wire_dials_in(wire) ? wire->dial->used : line->fill);
}

static void exchange_replied(struct line *line, enum modbus_verdict verdict,
			     const struct modbus_reply *reply, int64_t now_ns)
{
	exchange_frame(line);
	bus_replied(&line->bus, verdict, reply, now_ns - line->sent_ns);
	line_answered(line);
	line->fill = wire_rest(&line->wire, wire_buffer(&line->wire, line->buffer, &(size_t){0}),
			       line->fill);
	line->state = LINE_CONNECTED;
	wire_replied(&line->wire, now_ns);
	line_await(line, now_ns);
}

static void exchange_wrong(struct line *line, enum modbus_verdict verdict, int64_t now_ns)
{
	if (log_due(&line->wrong))
		log_event(LOGGED_WRONG_REPLY,
			  ABOUT(.connection = line->bus.config->id, .unit = line->bus.request.unit),
			  "%s: wrong reply (%s) from unit %u, starting anew", line->bus.config->id,
			  modbus_verdict_name(verdict), line->bus.request.unit);
	line_fail_exchange(line, now_ns, "wrong reply", false);
}

static void exchange_judge(struct line *line, int64_t now_ns)
{
	struct modbus_reply reply;
	enum modbus_verdict verdict = wire_judge(
		&line->wire, &line->bus.request,
		wire_buffer(&line->wire, line->buffer, &(size_t){0}), line->fill, &reply);
	if (verdict == MODBUS_MORE)
		return;
	if (verdict == MODBUS_COMPLETE || verdict == MODBUS_EXCEPTION)
		exchange_replied(line, verdict, &reply, now_ns);
	else
		exchange_wrong(line, verdict, now_ns);
}

void exchange_receive(struct line *line, int64_t now_ns)
{
	size_t room = sizeof line->buffer;
	uint8_t *buffer = wire_buffer(&line->wire, line->buffer, &room);
	ssize_t n = recv(line->fd, buffer + line->fill, room - line->fill, 0);
	if (n > 0)
		wire_heard(&line->wire, now_ns);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			line_fail_errno(line, now_ns, errno);
	} else if (n == 0) {
		line_fail(line, now_ns, "connection closed by the instrument", false);
	} else if (line->state == LINE_ASKING) {
		line->fill += (size_t)n;
		exchange_judge(line, now_ns);
	} else if (wire_is_serial(&line->wire)) {
		line->fill = wire_leave(&line->wire, buffer, line->fill + (size_t)n, now_ns);
	} else {
		line_fail(line, now_ns, "bytes that nobody asked for", false);
	}
}

static void exchange_ask(struct line *line, int64_t now_ns)
{
	uint8_t bytes[MODBUS_REQUEST_BYTES];
	bus_ask(&line->bus, now_ns);
	size_t n = wire_build(&line->wire, &line->bus.request, bytes);
	line->state = LINE_ASKING;
	line->sent_ns = now_ns;
	line->deadline_ns = now_ns + line->timeout_ns;
	ssize_t sent = send(line->fd, bytes, n, MSG_NOSIGNAL);
	if (sent < 0)
		line_fail_errno(line, now_ns, errno);
	else if (sent < (ssize_t)n)
		line_fail(line, now_ns, "request cut short", false);
}

static bool may_ask(const struct line *line, int64_t now_ns)
{
	return line->state == LINE_CONNECTED && round_runs(&line->bus) &&
	       now_ns >= line->wire.quiet_until_ns;
}

void exchange_proceed(struct line *line, int64_t now_ns)
{
	if (may_ask(line, now_ns) && wire_is_serial(&line->wire))
		exchange_receive(line, now_ns);
	if (may_ask(line, now_ns))
		exchange_ask(line, now_ns);
}
