/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Line: the socket of one connection, from dialling to the end, on the thread of the event loop.
 *
 *             connect()                writable              a span's turn
 *   OFFLINE ────────────► CONNECTING ──────────► CONNECTED ─────────────► ASKING
 *      ▲   when retry_ns      │                   │   ▲   a fitting reply    │
 *      │                      │ refused, no       │   └─────────────────────┤
 *      │                      │ answer in 3 s     │ closed, unasked bytes   │ wrong reply, timeout,
 *      └──────────────────────┴───────────────────┴─────────────────────────┘ closed
 *
 * After anything but a fitting reply the connection is closed, since a late answer would otherwise
 * be taken for the next one's; on serial lines (wire.h) a timeout is sat out instead. The first
 * retry comes after 100 ms, then ever more rarely; a fitting reply sets that back. The connection
 * that a silent unit spoiled is opened again at once while others answer there.
 *
 * A span waits `timeout` for the connection and then, once asked, `timeout` for its whole reply.
 * Without either its points get readings without value and flag B.
 */
#include "base/log.h"
#include "drivers/modbus/bus.h"
#include "drivers/modbus/resolve.h"
#include "drivers/modbus/wire.h"

/* What the lines of one event loop share. */
struct line_host {
	struct bus_host bus;
	struct loop *loop;
	struct resolver *resolver;
	int connects_left; /* in this tick */
	int64_t *wake_ns;  /* by line, apart from them: all are looked at every tick */
};

enum line_state { LINE_OFFLINE, LINE_CONNECTING, LINE_CONNECTED, LINE_ASKING };

struct line {
	struct bus bus;
	struct line_host *host;
	size_t index;

	enum line_state state;
	int fd;
	unsigned refusals, address_turn;
	int64_t connect_by_ns, retry_ns, retry_pause_ns, retry_cap_ns;
	uint32_t jitter;

	struct wire wire;
	int64_t timeout_ns;
	int64_t deadline_ns; /* for the span whose turn it is */
	int64_t sent_ns;
	struct log_repeat wrong;
	size_t fill;
	uint8_t buffer[MODBUS_REPLY_BYTES + 4]; /* more than fits shows that too much came */
};

/** line_init() - Return: 0, negative errno. line_deinit() is to be called in any case. */
int line_init(struct line *line, struct line_host *host, size_t index,
	      const struct modbus_connection *config);
void line_deinit(struct line *line);

/** line_begin() - the first round is due @phase_ns after @now_ns, the first connection now */
void line_begin(struct line *line, int64_t now_ns, int64_t phase_ns);

/**
 * line_succeed() - @next, which never began, goes on where @old is, whose connection is the same
 *
 * The socket goes along. Where other points are asked while a reply is awaited that is for the old
 * ones, the connection is opened anew at once. line_begin() is not to be called then.
 */
void line_succeed(struct line *next, struct line *old, int64_t now_ns);

/** line_tick() - do what is due; before host->wake_ns[index] there is nothing to do */
void line_tick(struct line *line, int64_t now_ns);

/** line_adopt() - its unit has dialled in: @fd is the line's now, and @n bytes of it were read.
 * What the older connection was asked, the newer one is asked again. */
void line_adopt(struct line *line, int fd, const uint8_t *rest, size_t n);

/* --- for the exchanges on it (exchange.h) --- */

/** line_await() - the deadline of the span whose turn it is begins at @now_ns or when it is quiet
 */
void line_await(struct line *line, int64_t now_ns);
/** line_answered() - a fitting reply came: should the connection break, the first retry comes soon
 */
void line_answered(struct line *line);
/** line_fail() - the connection is of no more use; the exchange that runs on it has failed */
void line_fail(struct line *line, int64_t now_ns, const char *cause, bool is_timeout);
void line_fail_errno(struct line *line, int64_t now_ns, int error);
/** line_fail_exchange() - the exchange that runs has failed; a serial line may stay connected */
void line_fail_exchange(struct line *line, int64_t now_ns, const char *cause, bool is_timeout);
