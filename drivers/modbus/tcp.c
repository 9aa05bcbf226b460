/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus over sockets: many instruments on the thread of one event loop, asked in turn.
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
 * retry comes after 100 ms, then ever more rarely; a fitting reply sets that back.
 *
 *   time     0         interval    2·interval  3·interval  4·interval
 *   due      |           |           |           |           |       phase = interval · index / n
 *   round 0  [a][b]      |           |           |           |       spans asked one at a time
 *   round 1              [a][b~~~~~~~~~~~~~~~~]  |           |       b is slow: the round at
 *                                    ^ late                          2·interval is left out
 *   round 3                                      [a][b]      |       and the phase is kept
 *
 * A round is what is due at one moment. A span waits `timeout` for the connection and then, once
 * asked, `timeout` for its whole reply. Without either its points get readings without value and
 * flag B. Three rounds without any reply, or three refusals in a row, are a lost link. Behind one
 * connection, units that do not answer come last and ever more rarely (units.h), and the
 * connection that such a one spoiled is opened again at once while others answer there.
 */
#include "base/log.h"
#include "drivers/driver.h"
#include "drivers/modbus/codec.h"
#include "drivers/modbus/dtu.h"
#include "drivers/modbus/planner.h"
#include "drivers/modbus/resolve.h"
#include "drivers/modbus/units.h"
#include "drivers/modbus/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)
enum {
	TICK_MS = 10, /* of the loop: a round starts at the tick nearest to its due time */
	CONNECT_MS = 3000,
	RETRY_FIRST_MS = 100,
	RETRY_CAP_LEAST_MS = 1000, /* else two intervals: a return is to be noticed soon */
	RETRY_CAP_MS = 30000,
	MISSES_OF_A_LOST_LINK = 3,
	CONNECTS_PER_TICK = 128,
};

enum state { OFFLINE, CONNECTING, CONNECTED, ASKING };
enum link { LINK_UNKNOWN, LINK_UP, LINK_DOWN };

struct figures {
	struct metric *late;
	struct histogram *seconds;
};

struct span_state {
	uint64_t next_round;
	bool pending;  /* in the running round */
	uint16_t said; /* exception codes already logged, as bits; 0 for those above 15 */
};

struct line {
	const struct modbus_connection *config;
	struct tcp *tcp;
	size_t index;
	struct modbus_plan plan;
	struct span_state *spans;
	struct modbus_units units;

	enum state state;
	enum link link;
	int fd;
	unsigned refusals, address_turn;
	int64_t connect_by_ns, retry_ns, retry_pause_ns, retry_cap_ns;
	uint32_t jitter;

	struct wire wire;
	int64_t interval_ns, timeout_ns;
	int64_t due_ns;          /* of round `round`, the next to begin */
	uint64_t round, running; /* running: the one that runs or ran last */
	size_t turn;             /* span of the running round; plan.n_spans: no round runs */
	int64_t round_due_ns;
	bool first, answered; /* of the running round: none asked yet; somebody replied */
	bool doubtful;        /* of the running round: those that answer are through */
	int64_t deadline_ns;  /* for the span whose turn it is */
	uint64_t rounds_missed;
	const char *cause; /* of the last failure */
	bool cause_is_timeout;
	struct log_repeat wrong;

	struct modbus_request request;
	int64_t sent_ns;
	size_t fill;
	uint8_t buffer[MODBUS_REPLY_BYTES + 4]; /* more than fits shows that too much came */

	struct metric *ok, *timeout, *exception, *error, *up;
};

struct tcp {
	struct driver_host host;
	struct resolver *resolver;
	struct dtu *dtu; /* NULL: nobody dials in */
	struct figures figures;
	bool started;
	bool submitted; /* in this batch, and nobody was woken for it */
	int connects_left;
	size_t n_lines;
	int64_t *wake_ns; /* by line, apart from them: all are looked at every tick */
	struct line *lines;
};

static void line_ready(void *context, uint32_t events);
static void line_schedule(struct line *line);

/* --- readings --- */

static void line_submit(struct line *line, const struct sample *sample)
{
	(void)door_submit(line->tcp->host.door, sample,
			  NULL); /* what is refused, the ring counts */
}

static const struct modbus_point *span_point(const struct line *line,
					     const struct modbus_span *span, size_t i)
{
	return &line->config->points[line->plan.order[span->first + i]];
}

static void span_without_value(struct line *line, const struct modbus_span *span, enum flag flag)
{
	for (size_t i = 0; i < span->n_points; i++)
		line_submit(line, &(struct sample){.monitor = span_point(line, span, i)->monitor,
						   .flag = flag});
}

static void span_values(struct line *line, const struct modbus_span *span,
			const struct modbus_reply *reply)
{
	for (size_t i = 0; i < span->n_points; i++) {
		const struct modbus_point *point = span_point(line, span, i);
		struct modbus_value value = modbus_decode(point, &line->request, reply);
		line_submit(line,
			    &(struct sample){.monitor = point->monitor,
					     .has_value = value.has_value,
					     .value = value.value,
					     .flag = value.has_value ? FLAG_NORMAL : FLAG_FAULT,
					     .raw = value.raw});
	}
}

/* --- link --- */

static void link_down(struct line *line)
{
	if (line->link == LINK_DOWN)
		return;
	line->link = LINK_DOWN;
	metric_set(line->up, 0);
	door_link(line->tcp->host.door, line->config->connection, false);
	const char *id = line->config->id;
	if (line->rounds_missed == 0)
		log_warnx("%s: no answer (%s)", id, line->cause);
	else
		log_warnx("%s: no answer for %" PRIu64 " polls (%s, unit %u)", id,
			  line->rounds_missed, line->cause, line->request.unit);
}

static void link_up(struct line *line)
{
	if (line->link == LINK_DOWN)
		log_info("%s: answering again, %" PRIu64 " polls missed", line->config->id,
			 line->rounds_missed);
	if (line->link == LINK_DOWN)
		modbus_units_wake(&line->units);
	line->rounds_missed = 0;
	line->retry_pause_ns = RETRY_FIRST_MS * MS;
	line->answered = true;
	if (line->link == LINK_UP)
		return;
	line->link = LINK_UP;
	metric_set(line->up, 1);
	door_link(line->tcp->host.door, line->config->connection, true);
}

/* --- rounds --- */

static bool round_runs(const struct line *line)
{
	return line->turn < line->plan.n_spans;
}

static void round_to_next(struct line *line)
{
	for (;;) {
		for (; round_runs(line); line->turn++)
			if (line->spans[line->turn].pending &&
			    modbus_unit_doubtful(modbus_units_of(&line->units, line->turn)) ==
				    line->doubtful)
				return;
		if (line->doubtful)
			return;
		line->doubtful = true;
		line->turn = 0;
	}
}

/* An outage of the whole link is said by link_down(), that of a unit while others answer here. */
static void round_say_units(struct line *line)
{
	for (size_t i = 0; i < line->units.n; i++) {
		struct modbus_unit *unit = &line->units.at[i];
		if (unit->is_said || !modbus_unit_dead(unit))
			continue;
		unit->is_said = true;
		log_warnx("%s: no answer from unit %u for %" PRIu64 " polls (%s)", line->config->id,
			  unit->id, unit->missed, unit->cause);
	}
}

static void round_end(struct line *line)
{
	if (line->answered) {
		round_say_units(line);
		return;
	}
	line->rounds_missed++;
	if (line->rounds_missed >= MISSES_OF_A_LOST_LINK)
		link_down(line);
}

/* The span whose turn it is has had its say; ends the round after the last one. */
static void round_advance(struct line *line, int64_t now_ns)
{
	line->spans[line->turn].pending = false;
	line->deadline_ns = wire_ready_ns(&line->wire, now_ns) + line->timeout_ns;
	round_to_next(line);
	if (!round_runs(line))
		round_end(line);
}

static void round_miss_span(struct line *line, size_t i)
{
	line->spans[i].pending = false;
	modbus_unit_missed(modbus_units_of(&line->units, i), line->running);
	span_without_value(line, &line->plan.spans[i], FLAG_COMMUNICATION);
}

static void round_miss_one(struct line *line, int64_t now_ns)
{
	line->request.unit = line->plan.spans[line->turn].unit;
	metric_add(line->cause_is_timeout ? line->timeout : line->error, 1);
	round_miss_span(line, line->turn);
	round_advance(line, now_ns);
	line->tcp->submitted = true;
}

/* Return: the dead unit whose turn it is; NULL: none. */
static const struct modbus_unit *round_probe(const struct line *line)
{
	const struct modbus_unit *probe = NULL;
	for (size_t i = 0; i < line->plan.n_spans; i++) {
		const struct modbus_unit *unit = modbus_units_of(&line->units, i);
		if (line->spans[i].pending && modbus_unit_dead(unit) &&
		    !modbus_units_rest(&line->units, unit, line->running) &&
		    (probe == NULL || unit->next_round < probe->next_round))
			probe = unit;
	}
	return probe;
}

/* Spans of units at rest get readings without value; nothing is asked, no poll counted. */
static void round_rest(struct line *line)
{
	const struct modbus_unit *probe = round_probe(line);
	bool rested = false;
	for (size_t i = 0; i < line->plan.n_spans; i++) {
		const struct modbus_unit *unit = modbus_units_of(&line->units, i);
		if (line->spans[i].pending &&
		    ((modbus_unit_dead(unit) && unit != probe) ||
		     modbus_units_rest(&line->units, unit, line->running))) {
			round_miss_span(line, i);
			rested = true;
		}
	}
	if (rested)
		line->tcp->submitted = true;
}

static void unit_failed(struct line *line, const char *cause)
{
	struct modbus_unit *unit = modbus_units_of(&line->units, line->turn);
	modbus_units_failed(&line->units, unit, line->running, cause,
			    line->answered || line->link == LINK_UP);
	if (!modbus_units_rest(&line->units, unit, line->running))
		return;
	for (size_t i = 0; i < line->plan.n_spans; i++)
		if (i != line->turn && line->spans[i].pending &&
		    modbus_units_of(&line->units, i) == unit)
			round_miss_span(line, i);
}

static void unit_answered(struct line *line)
{
	struct modbus_unit *unit = modbus_units_of(&line->units, line->turn);
	if (unit->is_said)
		log_info("%s: unit %u answering again, %" PRIu64 " polls missed", line->config->id,
			 unit->id, unit->missed);
	unit->is_said = false;
	unit->failures = 0;
	unit->missed = 0;
}

static void round_begin(struct line *line, int64_t now_ns)
{
	int64_t early_ns = TICK_MS * MS / 2;
	int64_t skipped = (now_ns + early_ns - line->due_ns) / line->interval_ns;
	if (round_runs(line))
		skipped++;
	metric_add(line->tcp->figures.late, skipped);
	line->round += (uint64_t)skipped;
	line->due_ns += skipped * line->interval_ns;
	if (round_runs(line))
		return;
	for (size_t i = 0; i < line->plan.n_spans; i++) {
		struct span_state *state = &line->spans[i];
		uint64_t every = line->plan.spans[i].every;
		state->pending = line->round >= state->next_round;
		if (state->pending)
			state->next_round = line->round - line->round % every + every;
	}
	line->round_due_ns = line->due_ns;
	line->running = line->round++;
	line->due_ns += line->interval_ns;
	line->deadline_ns = wire_ready_ns(&line->wire, now_ns) + line->timeout_ns;
	line->first = true;
	line->answered = false;
	line->doubtful = false;
	line->turn = 0;
	if (line->units.n > 1)
		round_rest(line);
	round_to_next(line);
	if (!round_runs(line) && line->link == LINK_DOWN)
		line->rounds_missed++; /* nobody was asked: no news */
}

/* --- connection --- */

/* 80 to 120 % of @ns, so that instruments behind one dead switch do not come back in step. */
static int64_t jittered(struct line *line, int64_t ns)
{
	line->jitter ^= line->jitter << 13;
	line->jitter ^= line->jitter >> 17;
	line->jitter ^= line->jitter << 5;
	return ns / 10 * 8 + ns / 1000 * (line->jitter % 400);
}

static void line_close(struct line *line, int64_t now_ns)
{
	if (line->fd >= 0) {
		loop_remove(line->tcp->host.loop, line->fd);
		close(line->fd);
	}
	line->fd = -1;
	line->fill = 0;
	line->state = OFFLINE;
	line->retry_ns = now_ns + jittered(line, line->retry_pause_ns);
	line->retry_pause_ns *= 2;
	if (line->retry_pause_ns > line->retry_cap_ns)
		line->retry_pause_ns = line->retry_cap_ns;
}

/* The connection is of no more use; the exchange that runs on it has failed. */
static void line_fail(struct line *line, int64_t now_ns, const char *cause, bool is_timeout)
{
	bool asking = line->state == ASKING;
	line->cause = cause;
	line->cause_is_timeout = is_timeout;
	line_close(line, now_ns);
	if (!asking)
		return;
	wire_failed(&line->wire, now_ns);
	if (line->units.n > 1 && line->link == LINK_UP) {
		line->retry_ns = now_ns;
		line->retry_pause_ns = RETRY_FIRST_MS * MS;
	}
	unit_failed(line, cause);
	round_miss_one(line, now_ns);
}

/* The exchange has failed. A serial line keeps its connection, which may well serve other units:
 * one to a gateway until it seems lost, one from a unit that dialled in always, since dialling is
 * slow. */
static void line_fail_exchange(struct line *line, int64_t now_ns, const char *cause,
			       bool is_timeout)
{
	bool kept = wire_dials_in(&line->wire) || (is_timeout && wire_is_serial(&line->wire) &&
						   line->rounds_missed < MISSES_OF_A_LOST_LINK);
	if (!kept) {
		line_fail(line, now_ns, cause, is_timeout);
		return;
	}
	line->cause = cause;
	line->cause_is_timeout = is_timeout;
	line->fill = 0;
	line->state = CONNECTED;
	wire_failed(&line->wire, now_ns);
	unit_failed(line, cause);
	round_miss_one(line, now_ns);
}

static void line_fail_errno(struct line *line, int64_t now_ns, int error)
{
	const char *text = strerrordesc_np(error);
	bool refused = error == ECONNREFUSED;
	line_fail(line, now_ns, text != NULL ? text : "unknown error", error == ETIMEDOUT);
	line->refusals = refused ? line->refusals + 1 : 0;
	if (line->refusals >= MISSES_OF_A_LOST_LINK)
		link_down(line);
}

static int line_open(struct line *line, const struct sockaddr *address, socklen_t bytes)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	int error = 0;
	if (connect(fd, address, bytes) < 0 && errno != EINPROGRESS)
		error = -errno;
	if (error == 0)
		error = loop_add(line->tcp->host.loop, fd, EPOLLOUT, line_ready, line);
	if (error != 0)
		close(fd);
	else
		line->fd = fd;
	return error;
}

static void line_connect(struct line *line, int64_t now_ns)
{
	socklen_t bytes = 0;
	const struct sockaddr *address =
		resolver_address(line->tcp->resolver, line->index, line->address_turn, &bytes);
	if (address == NULL) {
		line_fail(line, now_ns, "host name not resolved", false);
		return;
	}
	line->tcp->connects_left--;
	line->address_turn++;
	int error = line_open(line, address, bytes);
	if (error != 0) {
		line_fail_errno(line, now_ns, -error);
		return;
	}
	line->state = CONNECTING;
	line->connect_by_ns = now_ns + CONNECT_MS * MS;
}

static void line_ask(struct line *line, int64_t now_ns)
{
	const struct modbus_span *span = &line->plan.spans[line->turn];
	line->request =
		(struct modbus_request){.transaction = (uint16_t)(line->request.transaction + 1),
					.unit = span->unit,
					.table = span->table,
					.address = span->address,
					.count = span->count};
	uint8_t bytes[MODBUS_REQUEST_BYTES];
	size_t n = wire_build(&line->wire, &line->request, bytes);
	if (line->first && now_ns - line->round_due_ns > line->interval_ns / 10)
		metric_add(line->tcp->figures.late, 1);
	line->first = false;
	line->state = ASKING;
	line->sent_ns = now_ns;
	line->deadline_ns = now_ns + line->timeout_ns;
	ssize_t sent = send(line->fd, bytes, n, MSG_NOSIGNAL);
	if (sent < 0)
		line_fail_errno(line, now_ns, errno);
	else if (sent < (ssize_t)n)
		line_fail(line, now_ns, "request cut short", false);
}

/* --- replies --- */

static void say_exception(struct line *line, const struct modbus_span *span, uint8_t code)
{
	uint16_t *said = &line->spans[line->turn].said;
	uint16_t bit = (uint16_t)(1U << (code < 16 ? code : 0));
	if ((*said & bit) != 0)
		return;
	*said |= bit;
	log_warnx("%s: unit %u answers exception %u (%s) for address %u, count %u",
		  line->config->id, span->unit, code, modbus_exception_name(code), span->address,
		  span->count);
}

/* Busy (5, 6) says nothing about the value: the next round asks again. Code 4 is the instrument's
 * own word that it has failed. All others mean that the value could not be had, as silence does, so
 * that an instrument which only ever refuses goes stale. */
static void reply_is_exception(struct line *line, const struct modbus_span *span, uint8_t code)
{
	metric_add(line->exception, 1);
	if (code == 10 || code == 11) { /* the gateway speaks, not the unit */
		unit_failed(line, modbus_exception_name(code));
		modbus_unit_missed(modbus_units_of(&line->units, line->turn), line->running);
	} else {
		unit_answered(line);
		say_exception(line, span, code);
	}
	if (code == 5 || code == 6)
		return;
	span_without_value(line, span, code == 4 ? FLAG_FAULT : FLAG_COMMUNICATION);
}

static void line_replied(struct line *line, enum modbus_verdict verdict,
			 const struct modbus_reply *reply, int64_t now_ns)
{
	const struct modbus_span *span = &line->plan.spans[line->turn];
	histogram_observe(line->tcp->figures.seconds, now_ns - line->sent_ns);
	link_up(line);
	if (verdict == MODBUS_COMPLETE) {
		metric_add(line->ok, 1);
		unit_answered(line);
		span_values(line, span, reply);
	} else {
		reply_is_exception(line, span, reply->exception);
	}
	line->fill = wire_rest(&line->wire, wire_buffer(&line->wire, line->buffer, &(size_t){0}),
			       line->fill);
	line->state = CONNECTED;
	wire_replied(&line->wire, now_ns);
	round_advance(line, now_ns);
	line->tcp->submitted = true;
}

static void line_wrong(struct line *line, enum modbus_verdict verdict, int64_t now_ns)
{
	const char *what = modbus_verdict_name(verdict);
	if (log_due(&line->wrong))
		log_warnx("%s: wrong reply (%s) from unit %u, starting anew", line->config->id,
			  what, line->request.unit);
	line_fail_exchange(line, now_ns, "wrong reply", false);
}

static void line_judge(struct line *line, int64_t now_ns)
{
	struct modbus_reply reply;
	enum modbus_verdict verdict = wire_judge(
		&line->wire, &line->request, wire_buffer(&line->wire, line->buffer, &(size_t){0}),
		line->fill, &reply);
	if (verdict == MODBUS_MORE)
		return;
	if (verdict == MODBUS_COMPLETE || verdict == MODBUS_EXCEPTION)
		line_replied(line, verdict, &reply, now_ns);
	else
		line_wrong(line, verdict, now_ns);
}

static void line_receive(struct line *line, int64_t now_ns)
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
	} else if (line->state == ASKING) {
		line->fill += (size_t)n;
		line_judge(line, now_ns);
	} else if (wire_is_serial(&line->wire)) {
		line->fill = wire_leave(&line->wire, buffer, line->fill + (size_t)n, now_ns);
	} else {
		line_fail(line, now_ns, "bytes that nobody asked for", false);
	}
}

static bool may_ask(const struct line *line, int64_t now_ns)
{
	return line->state == CONNECTED && round_runs(line) && now_ns >= line->wire.quiet_until_ns;
}

/* Ask for the span whose turn it is, if the line is there and quiet. */
static void line_proceed(struct line *line, int64_t now_ns)
{
	if (may_ask(line, now_ns) && wire_is_serial(&line->wire))
		line_receive(line, now_ns);
	if (may_ask(line, now_ns))
		line_ask(line, now_ns);
}

static void line_connected(struct line *line, int64_t now_ns)
{
	int error = 0;
	socklen_t bytes = sizeof error;
	if (getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0)
		error = errno;
	if (error == 0)
		error = -loop_change(line->tcp->host.loop, line->fd, EPOLLIN);
	if (error != 0) {
		line_fail_errno(line, now_ns, error);
		return;
	}
	line->refusals = 0;
	line->address_turn--;
	line->state = CONNECTED;
	wire_connected(&line->wire, now_ns);
}

/* A unit has dialled in. What the older connection was asked, the newer one is asked again. */
static void line_adopt(void *context, size_t index, int fd, const uint8_t *rest, size_t n)
{
	struct tcp *tcp = context;
	struct line *line = &tcp->lines[index];
	int64_t now_ns = loop_now(tcp->host.loop);
	if (line->state == ASKING)
		wire_failed(&line->wire, now_ns);
	if (line->state != OFFLINE)
		log_debug("%s: a newer connection replaces the older", line->config->id);
	line_close(line, now_ns);
	int error = loop_add(tcp->host.loop, fd, EPOLLIN, line_ready, line);
	if (error != 0) {
		close(fd);
		line_fail_errno(line, now_ns, -error);
		return;
	}
	line->fd = fd;
	line->state = CONNECTED;
	wire_heard(&line->wire, now_ns);
	wire_connected(&line->wire, now_ns);
	memcpy(line->wire.dial->raw, rest, n);
	line->fill = wire_leave(&line->wire, line->wire.dial->raw, n, now_ns);
	line->deadline_ns = wire_ready_ns(&line->wire, now_ns) + line->timeout_ns;
	line_schedule(line);
}

/* --- time --- */

static void line_expire(struct line *line, int64_t now_ns)
{
	if (line->state == CONNECTING && now_ns >= line->connect_by_ns)
		line_fail(line, now_ns, "no answer to connect", true);
	if (line->state != OFFLINE && now_ns >= wire_idle_at_ns(&line->wire))
		line_fail(line, now_ns, "nothing heard for too long", true);
	if (!round_runs(line) || now_ns < line->deadline_ns)
		return;
	if (line->state == ASKING) {
		line_fail_exchange(line, now_ns, "timeout", true);
		return;
	}
	if (line->state == CONNECTED)
		line_fail(line, now_ns, "a line that is never quiet", false);
	while (round_runs(line)) /* the link has not come: none of them can be asked */
		round_miss_one(line, now_ns);
}

static void line_schedule(struct line *line)
{
	int64_t wake_ns = line->due_ns;
	if (line->state == OFFLINE && !wire_dials_in(&line->wire) && line->retry_ns < wake_ns)
		wake_ns = line->retry_ns;
	if (line->state != OFFLINE && wire_idle_at_ns(&line->wire) < wake_ns)
		wake_ns = wire_idle_at_ns(&line->wire);
	if (line->state == CONNECTING && line->connect_by_ns < wake_ns)
		wake_ns = line->connect_by_ns;
	if (round_runs(line) && line->deadline_ns < wake_ns)
		wake_ns = line->deadline_ns;
	if (round_runs(line) && line->state == CONNECTED && line->wire.quiet_until_ns < wake_ns)
		wake_ns = line->wire.quiet_until_ns;
	line->tcp->wake_ns[line->index] = wake_ns;
}

static void line_ready(void *context, uint32_t events)
{
	(void)events;
	struct line *line = context;
	int64_t now_ns = loop_now(line->tcp->host.loop);
	if (line->state == CONNECTING)
		line_connected(line, now_ns);
	else
		line_receive(line, now_ns);
	line_proceed(line, now_ns);
	line_schedule(line);
}

static void line_tick(struct line *line, int64_t now_ns)
{
	line_expire(line, now_ns);
	if (now_ns + TICK_MS * MS / 2 >= line->due_ns)
		round_begin(line, now_ns);
	if (line->state == OFFLINE && now_ns >= line->retry_ns && line->tcp->connects_left > 0 &&
	    !wire_dials_in(&line->wire))
		line_connect(line, now_ns);
	line_proceed(line, now_ns);
	line_schedule(line);
}

static void tcp_tick(void *context, int64_t mono_ns)
{
	struct tcp *tcp = context;
	tcp->connects_left = CONNECTS_PER_TICK;
	dtu_tick(tcp->dtu, mono_ns);
	if (!tcp->started) {
		tcp->started = true;
		for (size_t i = 0; i < tcp->n_lines; i++) {
			struct line *line = &tcp->lines[i];
			int64_t n = (int64_t)tcp->n_lines;
			line->due_ns = mono_ns + line->interval_ns / n * (int64_t)i;
			line->retry_ns = mono_ns;
			line_schedule(line);
		}
	}
	for (size_t i = 0; i < tcp->n_lines; i++)
		if (tcp->wake_ns[i] <= mono_ns + TICK_MS * MS / 2)
			line_tick(&tcp->lines[i], mono_ns);
}

/* One wake-up for all that a batch brought, not one for each reply. */
static void tcp_batch_done(void *context, int64_t mono_ns)
{
	struct tcp *tcp = context;
	(void)mono_ns;
	if (tcp->submitted)
		door_flush(tcp->host.door);
	tcp->submitted = false;
}

/* --- birth and death --- */

static struct metric *poll_counter(struct metrics *metrics, const char *id, const char *result)
{
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\",result=\"%s\"", id, result);
	return metrics_counter(metrics, "ducha_polls_total",
			       "Requests to instruments by their result", labels);
}

static int line_metrics(struct line *line, struct metrics *metrics)
{
	const char *id = line->config->id;
	char labels[512];
	snprintf(labels, sizeof labels, "connection=\"%s\"", id);
	line->ok = poll_counter(metrics, id, "ok");
	line->timeout = poll_counter(metrics, id, "timeout");
	line->exception = poll_counter(metrics, id, "exception");
	line->error = poll_counter(metrics, id, "error");
	line->up = metrics_gauge(metrics, "ducha_connections_up", "1 while the connection answers",
				 labels);
	bool all = line->ok != NULL && line->timeout != NULL && line->exception != NULL &&
		   line->error != NULL && line->up != NULL;
	return all ? 0 : -ENOMEM;
}

static int figures_init(struct figures *figures, struct metrics *metrics)
{
	figures->late = metrics_counter(metrics, "ducha_polls_late_total",
					"Polls sent late, and intervals left out", "");
	figures->seconds =
		metrics_histogram(metrics, "ducha_poll_seconds", "From request to reply", "");
	return figures->late != NULL && figures->seconds != NULL ? 0 : -ENOMEM;
}

static int64_t retry_cap_ns(int64_t interval_ns)
{
	int64_t cap_ns = 2 * interval_ns;
	if (cap_ns < RETRY_CAP_LEAST_MS * MS)
		return RETRY_CAP_LEAST_MS * MS;
	return cap_ns > RETRY_CAP_MS * MS ? RETRY_CAP_MS * MS : cap_ns;
}

static int line_init(struct line *line, struct tcp *tcp, size_t index,
		     const struct modbus_connection *config)
{
	*line = (struct line){.config = config,
			      .tcp = tcp,
			      .index = index,
			      .fd = -1,
			      .cause = "not connected",
			      .retry_pause_ns = RETRY_FIRST_MS * MS,
			      .jitter = 2463534242U + (uint32_t)index * 2654435761U,
			      .interval_ns = config->interval_ms * MS,
			      .timeout_ns = config->timeout_ms * MS};
	line->retry_cap_ns = retry_cap_ns(line->interval_ns);
	if (line->jitter == 0)
		line->jitter = 1;
	int error = modbus_plan_init(&line->plan, config->points, config->n_points, config->max_gap,
				     config->max_registers);
	if (error != 0)
		return error;
	line->turn = line->plan.n_spans;
	line->spans = calloc(line->plan.n_spans + 1, sizeof *line->spans);
	if (line->spans == NULL)
		return -ENOMEM;
	error = modbus_units_init(&line->units, &line->plan, config->interval_ms);
	if (error != 0)
		return error;
	error = line_metrics(line, tcp->host.metrics);
	if (error == 0)
		error = wire_init(&line->wire, config, tcp->host.metrics);
	if (error == 0 && !wire_dials_in(&line->wire))
		error = resolver_ask(tcp->resolver, index, config->host, config->port);
	return error;
}

static void tcp_stop(void *instance)
{
	struct tcp *tcp = instance;
	for (size_t i = 0; tcp->lines != NULL && i < tcp->n_lines; i++) {
		struct line *line = &tcp->lines[i];
		if (line->config == NULL)
			continue;
		line_close(line, 0);
		modbus_plan_deinit(&line->plan);
		wire_deinit(&line->wire);
		modbus_units_deinit(&line->units);
		free(line->spans);
	}
	dtu_free(tcp->dtu);
	resolver_free(tcp->resolver);
	free(tcp->wake_ns);
	free(tcp->lines);
	free(tcp);
}

static int tcp_init(struct tcp *tcp, const struct modbus_connection *connections)
{
	tcp->lines = calloc(tcp->n_lines + 1, sizeof *tcp->lines);
	tcp->wake_ns = calloc(tcp->n_lines + 1, sizeof *tcp->wake_ns);
	if (tcp->lines == NULL || tcp->wake_ns == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < tcp->n_lines; i++)
		tcp->lines[i].fd = -1;
	int error = resolver_new(&tcp->resolver, tcp->n_lines);
	if (error == 0)
		error = figures_init(&tcp->figures, tcp->host.metrics);
	for (size_t i = 0; error == 0 && i < tcp->n_lines; i++)
		error = line_init(&tcp->lines[i], tcp, i, &connections[i]);
	if (error == 0)
		error = resolver_start(tcp->resolver);
	if (error == 0)
		error = dtu_start(&tcp->dtu, &tcp->host, connections, tcp->n_lines, line_adopt,
				  tcp);
	return error;
}

static int tcp_start(const struct driver_host *host, const void *connections, size_t n,
		     void **instance)
{
	struct tcp *tcp = calloc(1, sizeof *tcp);
	if (tcp == NULL)
		return -ENOMEM;
	tcp->host = *host;
	tcp->n_lines = n;
	int error = tcp_init(tcp, connections);
	if (error == 0)
		error = loop_on_tick(host->loop, tcp_tick, tcp);
	if (error == 0)
		error = loop_on_batch(host->loop, tcp_batch_done, tcp);
	if (error != 0)
		tcp_stop(tcp);
	else
		*instance = tcp;
	return error;
}

const struct driver modbus_driver = {.name = "modbus", .start = tcp_start, .stop = tcp_stop};
