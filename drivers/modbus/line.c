/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/line.h"

#include "drivers/modbus/exchange.h"
#include "drivers/modbus/round.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)
enum {
	CONNECT_MS = 3000,
	RETRY_FIRST_MS = 100,
	RETRY_CAP_LEAST_MS = 1000, /* else two intervals: a return is to be noticed soon */
	RETRY_CAP_MS = 30000,
};

static void line_ready(void *context, uint32_t events);

void line_await(struct line *line, int64_t now_ns)
{
	line->deadline_ns = wire_ready_ns(&line->wire, now_ns) + line->timeout_ns;
}

void line_answered(struct line *line)
{
	line->retry_pause_ns = RETRY_FIRST_MS * MS;
}

/* --- failing --- */

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
		loop_remove(line->host->loop, line->fd);
		close(line->fd);
	}
	line->fd = -1;
	line->fill = 0;
	line->state = LINE_OFFLINE;
	line->retry_ns = now_ns + jittered(line, line->retry_pause_ns);
	line->retry_pause_ns *= 2;
	if (line->retry_pause_ns > line->retry_cap_ns)
		line->retry_pause_ns = line->retry_cap_ns;
}

void line_fail(struct line *line, int64_t now_ns, const char *cause, bool is_timeout)
{
	bool asking = line->state == LINE_ASKING;
	bus_cause(&line->bus, cause, is_timeout);
	line_close(line, now_ns);
	if (!asking)
		return;
	wire_failed(&line->wire, now_ns);
	if (line->bus.units.n > 1 && line->bus.link == BUS_UP) {
		line->retry_ns = now_ns;
		line->retry_pause_ns = RETRY_FIRST_MS * MS;
	}
	bus_failed(&line->bus);
	line_await(line, now_ns);
}

/* A serial line keeps its connection, which may well serve other units: one to a gateway until it
 * seems lost, one from a unit that dialled in always, since dialling is slow. */
void line_fail_exchange(struct line *line, int64_t now_ns, const char *cause, bool is_timeout)
{
	bool seems_lost = line->bus.rounds_missed >= BUS_MISSES_OF_A_LOST_LINK;
	bool kept = wire_dials_in(&line->wire) ||
		    (is_timeout && wire_is_serial(&line->wire) && !seems_lost);
	if (!kept) {
		line_fail(line, now_ns, cause, is_timeout);
		return;
	}
	bus_cause(&line->bus, cause, is_timeout);
	line->fill = 0;
	line->state = LINE_CONNECTED;
	wire_failed(&line->wire, now_ns);
	bus_failed(&line->bus);
	line_await(line, now_ns);
}

void line_fail_errno(struct line *line, int64_t now_ns, int error)
{
	const char *text = strerrordesc_np(error);
	bool refused = error == ECONNREFUSED;
	line_fail(line, now_ns, text != NULL ? text : "unknown error", error == ETIMEDOUT);
	line->refusals = refused ? line->refusals + 1 : 0;
	if (line->refusals >= BUS_MISSES_OF_A_LOST_LINK)
		bus_link_down(&line->bus);
}

/* --- connecting --- */

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
		error = loop_add(line->host->loop, fd, EPOLLOUT, line_ready, line);
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
		resolver_address(line->host->resolver, line->index, line->address_turn, &bytes);
	if (address == NULL) {
		line_fail(line, now_ns, "host name not resolved", false);
		return;
	}
	line->host->connects_left--;
	line->address_turn++;
	int error = line_open(line, address, bytes);
	if (error != 0) {
		line_fail_errno(line, now_ns, -error);
		return;
	}
	line->state = LINE_CONNECTING;
	line->connect_by_ns = now_ns + CONNECT_MS * MS;
}

static void line_connected(struct line *line, int64_t now_ns)
{
	int error = 0;
	socklen_t bytes = sizeof error;
	if (getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0)
		error = errno;
	if (error == 0)
		error = -loop_change(line->host->loop, line->fd, EPOLLIN);
	if (error != 0) {
		line_fail_errno(line, now_ns, error);
		return;
	}
	line->refusals = 0;
	line->address_turn--;
	line->state = LINE_CONNECTED;
	wire_connected(&line->wire, now_ns);
}

/* --- time --- */

static void line_expire(struct line *line, int64_t now_ns)
{
	if (line->state == LINE_CONNECTING && now_ns >= line->connect_by_ns)
		line_fail(line, now_ns, "no answer to connect", true);
	if (line->state != LINE_OFFLINE && now_ns >= wire_idle_at_ns(&line->wire))
		line_fail(line, now_ns, "nothing heard for too long", true);
	if (!round_runs(&line->bus) || now_ns < line->deadline_ns)
		return;
	if (line->state == LINE_ASKING) {
		line_fail_exchange(line, now_ns, "timeout", true);
		return;
	}
	if (line->state == LINE_CONNECTED)
		line_fail(line, now_ns, "a line that is never quiet", false);
	while (round_runs(&line->bus)) /* the link has not come: none of them can be asked */
		round_miss(&line->bus);
	line_await(line, now_ns);
}

static void line_schedule(struct line *line)
{
	int64_t wake_ns = line->bus.due_ns;
	bool runs = round_runs(&line->bus);
	if (line->state == LINE_OFFLINE && !wire_dials_in(&line->wire) && line->retry_ns < wake_ns)
		wake_ns = line->retry_ns;
	if (line->state != LINE_OFFLINE && wire_idle_at_ns(&line->wire) < wake_ns)
		wake_ns = wire_idle_at_ns(&line->wire);
	if (line->state == LINE_CONNECTING && line->connect_by_ns < wake_ns)
		wake_ns = line->connect_by_ns;
	if (runs && line->deadline_ns < wake_ns)
		wake_ns = line->deadline_ns;
	if (runs && line->state == LINE_CONNECTED && line->wire.quiet_until_ns < wake_ns)
		wake_ns = line->wire.quiet_until_ns;
	line->host->wake_ns[line->index] = wake_ns;
}

static void line_ready(void *context, uint32_t events)
{
	(void)events;
	struct line *line = context;
	int64_t now_ns = loop_now(line->host->loop);
	if (line->state == LINE_CONNECTING)
		line_connected(line, now_ns);
	else if (line->state == LINE_ASKING && now_ns >= line->deadline_ns)
		line_expire(line, now_ns); /* a held-up thread sees the bytes before the tick */
	else
		exchange_receive(line, now_ns);
	exchange_proceed(line, now_ns);
	line_schedule(line);
}

void line_tick(struct line *line, int64_t now_ns)
{
	line_expire(line, now_ns);
	if (round_is_due(&line->bus, now_ns) && round_begin(&line->bus, now_ns))
		line_await(line, now_ns);
	if (line->state == LINE_OFFLINE && now_ns >= line->retry_ns &&
	    line->host->connects_left > 0 && !wire_dials_in(&line->wire))
		line_connect(line, now_ns);
	exchange_proceed(line, now_ns);
	line_schedule(line);
}

void line_adopt(struct line *line, int fd, const uint8_t *rest, size_t n)
{
	int64_t now_ns = loop_now(line->host->loop);
	if (line->state == LINE_ASKING)
		wire_failed(&line->wire, now_ns);
	if (line->state != LINE_OFFLINE)
		log_debug("%s: a newer connection replaces the older", line->bus.config->id);
	line_close(line, now_ns);
	int error = loop_add(line->host->loop, fd, EPOLLIN, line_ready, line);
	if (error != 0) {
		close(fd);
		line_fail_errno(line, now_ns, -error);
		return;
	}
	line->fd = fd;
	line->state = LINE_CONNECTED;
	wire_heard(&line->wire, now_ns);
	wire_connected(&line->wire, now_ns);
	memcpy(line->wire.dial->raw, rest, n);
	line->fill = wire_leave(&line->wire, line->wire.dial->raw, n, now_ns);
	line_await(line, now_ns);
	line_schedule(line);
}

/* --- birth and death --- */

static int64_t retry_cap_ns(int64_t interval_ns)
{
	int64_t cap_ns = 2 * interval_ns;
	if (cap_ns < RETRY_CAP_LEAST_MS * MS)
		return RETRY_CAP_LEAST_MS * MS;
	return cap_ns > RETRY_CAP_MS * MS ? RETRY_CAP_MS * MS : cap_ns;
}

int line_init(struct line *line, struct line_host *host, size_t index,
	      const struct modbus_connection *config)
{
	*line = (struct line){.host = host,
			      .index = index,
			      .fd = -1,
			      .retry_pause_ns = RETRY_FIRST_MS * MS,
			      .jitter = 2463534242U + (uint32_t)index * 2654435761U,
			      .timeout_ns = config->timeout_ms * MS};
	if (line->jitter == 0)
		line->jitter = 1;
	int error = bus_init(&line->bus, &host->bus, config);
	line->retry_cap_ns = retry_cap_ns(line->bus.interval_ns);
	if (error == 0)
		error = wire_init(&line->wire, config, host->bus.driver.metrics);
	if (error == 0 && !wire_dials_in(&line->wire))
		error = resolver_ask(host->resolver, index, config->host, config->port);
	return error;
}

void line_begin(struct line *line, int64_t now_ns, int64_t phase_ns)
{
	line->bus.due_ns = now_ns + phase_ns;
	line->retry_ns = now_ns;
	line_schedule(line);
}

/* The socket into the hands of another line, which may be of another loop. */
static void line_hand_over(struct line *next, struct line *old, int64_t now_ns)
{
	uint32_t events = old->state == LINE_CONNECTING ? EPOLLOUT : EPOLLIN;
	int fd = old->fd;
	if (fd < 0)
		return;
	loop_remove(old->host->loop, fd);
	old->fd = -1;
	next->fd = fd;
	if (loop_add(next->host->loop, fd, events, line_ready, next) == 0)
		return;
	line_close(next, now_ns);
	next->retry_ns = now_ns;
}

void line_succeed(struct line *next, struct line *old, int64_t now_ns)
{
	bool goes_on = bus_succeed(&next->bus, &old->bus);
	bool is_torn = !goes_on && old->state == LINE_ASKING;
	wire_succeed(&next->wire, &old->wire);
	next->refusals = old->refusals;
	next->address_turn = old->address_turn;
	next->connect_by_ns = old->connect_by_ns;
	next->retry_ns = is_torn ? now_ns : old->retry_ns;
	next->retry_pause_ns = old->retry_pause_ns;
	next->deadline_ns = old->deadline_ns;
	next->sent_ns = old->sent_ns;
	next->wrong = old->wrong;
	if (!is_torn) {
		next->state = old->state;
		next->fill = old->fill;
		memcpy(next->buffer, old->buffer, sizeof next->buffer);
		line_hand_over(next, old, now_ns);
	}
	line_schedule(next);
}

void line_deinit(struct line *line)
{
	if (line->fd >= 0) {
		loop_remove(line->host->loop, line->fd);
		close(line->fd);
	}
	line->fd = -1;
	bus_deinit(&line->bus);
	wire_deinit(&line->wire);
}
