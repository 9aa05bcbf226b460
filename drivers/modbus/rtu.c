/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus on a serial line of this machine: one bus, one thread, one request after the other.
 *
 * The rounds are those of every bus (round.h), and so is the rule between exchanges (wire.h): after
 * a timeout or a wrong reply the line is left alone for one timeout more, and what comes meanwhile
 * is thrown away, since a serial reply does not say which request it answers. Frames are parted by
 * the silence that the standard wants.
 *
 *   asked   reply    silence   next asked   timeout       quiet until
 *     |------|--------|---------|------------|--------------|-- asked again
 *
 * A device that is not there, or goes, is an outage of its connection: it is opened again, first
 * after 100 ms, then ever more rarely, when a round begins.
 */
#include "base/log.h"
#include "drivers/driver.h"
#include "drivers/modbus/bus.h"
#include "drivers/modbus/port.h"
#include "drivers/modbus/round.h"
#include "drivers/modbus/same.h"
#include "drivers/modbus/wire.h"
#include "flow/gate.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MS INT64_C(1000000)
enum {
	RETRY_FIRST_MS = 100,
	RETRY_CAP_MS = 5000, /* nobody else is hurt: an adapter may be back at any time */
	BEAT_MS = 1000,
};

struct rtu {
	struct bus_host host;
	struct bus bus;
	struct wire wire;
	struct port port;
	int64_t timeout_ns;
	int64_t retry_ns, retry_pause_ns;
	struct log_repeat wrong;
	size_t fill;
	uint8_t buffer[MODBUS_REPLY_BYTES + 4]; /* more than fits shows that too much came */
	_Atomic uint64_t *heartbeat;
	struct gate gate;
	int wake_fd;
	_Atomic bool stop;
	bool stopping, resting;
	pthread_t thread;
};

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* --- waiting --- */

enum wake { WAKE_TIME, WAKE_BYTES, WAKE_GONE, WAKE_STOP };

static enum wake wake_of(struct rtu *rtu, const struct pollfd fds[2])
{
	eventfd_t woken;
	if (fds[0].revents != 0 && eventfd_read(rtu->wake_fd, &woken) == 0)
		rtu->stopping = atomic_load(&rtu->stop);
	if (rtu->stopping)
		return WAKE_STOP;
	if ((fds[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
		return WAKE_GONE;
	return (fds[1].revents & POLLIN) != 0 ? WAKE_BYTES : WAKE_TIME;
}

/* Until @until_ns, or something comes before. */
static enum wake rtu_wait(struct rtu *rtu, int64_t until_ns)
{
	struct pollfd fds[] = {{.fd = rtu->wake_fd, .events = POLLIN},
			       {.fd = port_fd(&rtu->port), .events = POLLIN}};
	for (;;) {
		int64_t left_ns = until_ns - now_ns();
		left_ns = left_ns < 0 ? 0 : left_ns > BEAT_MS * MS ? BEAT_MS * MS : left_ns;
		struct timespec left = {.tv_sec = left_ns / (1000 * MS),
					.tv_nsec = left_ns % (1000 * MS)};
		if (rtu->heartbeat != NULL)
			atomic_fetch_add_explicit(rtu->heartbeat, 1, memory_order_relaxed);
		int n = ppoll(fds, 2, &left, NULL);
		enum wake wake = n > 0 ? wake_of(rtu, fds) : WAKE_TIME;
		if (wake != WAKE_TIME || now_ns() >= until_ns ||
		    (rtu->resting && gate_is_shut(&rtu->gate)))
			return wake;
	}
}

/* --- the device --- */

static void rtu_close(struct rtu *rtu)
{
	port_close(&rtu->port);
	rtu->retry_ns = now_ns() + rtu->retry_pause_ns;
	rtu->retry_pause_ns *= 2;
	if (rtu->retry_pause_ns > RETRY_CAP_MS * MS)
		rtu->retry_pause_ns = RETRY_CAP_MS * MS;
}

static void rtu_cause(struct rtu *rtu, int error)
{
	const char *text = strerrordesc_np(-error);
	bus_cause(&rtu->bus, text != NULL ? text : "unknown error", false);
}

static bool rtu_is_open(struct rtu *rtu)
{
	if (port_fd(&rtu->port) >= 0)
		return true;
	if (now_ns() < rtu->retry_ns)
		return false;
	int error = port_open(&rtu->port);
	if (error < 0) {
		rtu_cause(rtu, error);
		rtu_close(rtu);
		return false;
	}
	wire_connected(&rtu->wire, now_ns());
	return true;
}

/* Bytes that nobody asked for. Return: false where the device is gone. */
static bool rtu_drain(struct rtu *rtu)
{
	size_t n;
	int error = port_drain(&rtu->port, &n);
	(void)wire_leave(&rtu->wire, rtu->buffer, n, now_ns());
	if (error < 0)
		rtu_cause(rtu, error);
	return error == 0;
}

/* --- exchanges --- */

enum outcome { GOOD, NOTHING, WRONG, GONE, STOPPED };

/* A round that takes too long leaves the next ones out: said before its last span has had its turn.
 */
static void rtu_keep_phase(struct rtu *rtu)
{
	int64_t at_ns = now_ns();
	if (round_is_due(&rtu->bus, at_ns))
		(void)round_begin(&rtu->bus, at_ns);
}

/* A wrong reply may be the request itself, heard by an adapter that nobody has told us of. */
static const char *wrong_name(const struct rtu *rtu, enum modbus_verdict verdict)
{
	bool is_echo = rtu->fill >= MODBUS_RTU_REQUEST_BYTES &&
		       memcmp(rtu->buffer, rtu->port.sent, MODBUS_RTU_REQUEST_BYTES) == 0;
	return is_echo ? "the request comes back: set echo" : modbus_verdict_name(verdict);
}

static enum outcome rtu_wrong(struct rtu *rtu, const char *what)
{
	if (log_due(&rtu->wrong))
		log_event(LOGGED_WRONG_REPLY,
			  ABOUT(.connection = rtu->bus.config->id, .unit = rtu->bus.request.unit),
			  "%s: wrong reply (%s) from unit %u, leaving the line alone",
			  rtu->bus.config->id, what, rtu->bus.request.unit);
	bus_cause(&rtu->bus, "wrong reply", false);
	return WRONG;
}

/* What has come makes no reply yet, a fitting one, or a wrong one. */
static enum outcome rtu_judge(struct rtu *rtu, int64_t sent_ns)
{
	struct modbus_reply reply;
	enum modbus_verdict verdict =
		wire_judge(&rtu->wire, &rtu->bus.request, rtu->buffer, rtu->fill, &reply);
	if (verdict == MODBUS_MORE)
		return NOTHING;
	if (verdict != MODBUS_COMPLETE && verdict != MODBUS_EXCEPTION)
		return rtu_wrong(rtu, wrong_name(rtu, verdict));
	int64_t at_ns = now_ns();
	wire_replied(&rtu->wire, at_ns);
	rtu_keep_phase(rtu);
	bus_frame(&rtu->bus, FRAME_MODBUS_RTU, rtu->port.sent, sizeof rtu->port.sent, rtu->buffer,
		  rtu->fill);
	bus_replied(&rtu->bus, verdict, &reply, at_ns - sent_ns);
	return GOOD;
}

static enum outcome rtu_receive(struct rtu *rtu, int64_t sent_ns)
{
	size_t n;
	int error = port_receive(&rtu->port, rtu->buffer + rtu->fill,
				 sizeof rtu->buffer - rtu->fill, &n);
	if (error == -EBADMSG)
		return rtu_wrong(rtu, "not the echo of the request");
	if (error < 0) {
		rtu_cause(rtu, error);
		return GONE;
	}
	rtu->fill += n;
	return rtu_judge(rtu, sent_ns);
}

/* Nothing more can come, whatever was waited for. */
static enum outcome rtu_broken(struct rtu *rtu, enum wake wake)
{
	if (wake == WAKE_STOP)
		return STOPPED;
	bus_cause(&rtu->bus, "device gone", false);
	return GONE;
}

/* The deadline holds for the whole exchange: no byte moves it, nor a thread that was held up. */
static enum outcome rtu_listen(struct rtu *rtu, int64_t sent_ns)
{
	int64_t deadline_ns = sent_ns + rtu->timeout_ns;
	enum outcome outcome = NOTHING;
	while (outcome == NOTHING) {
		enum wake wake = rtu_wait(rtu, deadline_ns);
		if (now_ns() >= deadline_ns) {
			bus_cause(&rtu->bus, port_awaits_echo(&rtu->port) ? "no echo" : "timeout",
				  true);
			return NOTHING;
		}
		outcome = wake == WAKE_BYTES ? rtu_receive(rtu, sent_ns) : rtu_broken(rtu, wake);
	}
	return outcome;
}

static enum outcome rtu_exchange(struct rtu *rtu)
{
	int64_t sent_ns = now_ns();
	bus_ask(&rtu->bus, sent_ns);
	rtu->fill = 0;
	int error = port_send(&rtu->port, &rtu->bus.request);
	if (error < 0) {
		rtu_cause(rtu, error);
		return GONE;
	}
	return rtu_listen(rtu, sent_ns);
}

/* Until the line has been quiet as long as it must. */
static enum outcome rtu_settle(struct rtu *rtu)
{
	int64_t deadline_ns = wire_ready_ns(&rtu->wire, now_ns()) + rtu->timeout_ns;
	enum wake wake;
	while ((wake = rtu_wait(rtu, rtu->wire.quiet_until_ns)) == WAKE_BYTES) {
		if (!rtu_drain(rtu))
			return GONE;
		if (now_ns() >= deadline_ns) {
			bus_cause(&rtu->bus, "a line that is never quiet", false);
			return GONE;
		}
	}
	return wake == WAKE_TIME ? GOOD : rtu_broken(rtu, wake);
}

/* --- rounds --- */

static void rtu_miss_all(struct rtu *rtu)
{
	rtu_keep_phase(rtu);
	while (round_runs(&rtu->bus))
		round_miss(&rtu->bus);
}

/* The exchange brought nothing. A line that seems lost is opened anew: its adapter may hang. */
static void rtu_failed(struct rtu *rtu, enum outcome outcome)
{
	bool seems_lost = rtu->bus.rounds_missed >= BUS_MISSES_OF_A_LOST_LINK;
	wire_failed(&rtu->wire, now_ns());
	rtu_keep_phase(rtu);
	if (outcome == GONE || (outcome == NOTHING && seems_lost))
		rtu_close(rtu);
	bus_failed(&rtu->bus);
}

static void rtu_span(struct rtu *rtu)
{
	if (!rtu_is_open(rtu)) {
		rtu_miss_all(rtu);
		return;
	}
	enum outcome outcome = rtu_settle(rtu);
	if (outcome == GONE) {
		rtu_close(rtu);
		rtu_miss_all(rtu);
	}
	if (outcome != GOOD)
		return;
	outcome = rtu_exchange(rtu);
	if (outcome == GOOD)
		rtu->retry_pause_ns = RETRY_FIRST_MS * MS;
	else if (outcome != STOPPED)
		rtu_failed(rtu, outcome);
}

static void rtu_rest(struct rtu *rtu)
{
	rtu->resting = true;
	enum wake wake = rtu_wait(rtu, rtu->bus.due_ns);
	rtu->resting = false;
	if (wake == WAKE_GONE || (wake == WAKE_BYTES && !rtu_drain(rtu)))
		rtu_close(rtu);
}

static void *rtu_run(void *context)
{
	struct rtu *rtu = context;
	rtu->bus.due_ns = now_ns();
	while (!rtu->stopping) {
		gate_pass(&rtu->gate);
		if (atomic_load(&rtu->stop))
			break;
		int64_t at_ns = now_ns();
		if (!round_runs(&rtu->bus) && round_is_due(&rtu->bus, at_ns))
			(void)round_begin(&rtu->bus, at_ns);
		if (round_runs(&rtu->bus))
			rtu_span(rtu);
		else
			rtu_rest(rtu);
		bus_host_flush(&rtu->host);
	}
	return NULL;
}

/* --- birth and death --- */

static void rtu_free(struct rtu *rtu)
{
	port_deinit(&rtu->port);
	bus_deinit(&rtu->bus);
	wire_deinit(&rtu->wire);
	if (rtu->wake_fd >= 0)
		close(rtu->wake_fd);
	gate_deinit(&rtu->gate);
	free(rtu);
}

static void rtu_stop(void *instance)
{
	struct rtu *rtu = instance;
	atomic_store(&rtu->stop, true);
	eventfd_write(rtu->wake_fd, 1);
	pthread_join(rtu->thread, NULL);
	rtu_free(rtu);
}

static int rtu_init(struct rtu *rtu, const struct driver_host *host,
		    const struct modbus_connection *config)
{
	int error = bus_host_init(&rtu->host, host);
	if (error == 0)
		error = bus_init(&rtu->bus, &rtu->host, config);
	if (error == 0)
		error = wire_init(&rtu->wire, config, host->metrics);
	if (error == 0)
		error = port_init(&rtu->port, config->serial);
	if (error != 0)
		return error;
	int64_t silence_ns = port_silence_ns(config->serial);
	if (rtu->wire.gap_ns < silence_ns)
		rtu->wire.gap_ns = silence_ns;
	return rtu->wake_fd < 0 ? -errno : 0;
}

/* Names by the order of plugging in change from start to start. */
static void say_unstable(const struct modbus_connection *config)
{
	const char *device = config->serial->device;
	if (strncmp(device, "/dev/ttyUSB", 11) == 0 || strncmp(device, "/dev/ttyACM", 11) == 0)
		log_warnx("%s: %s may be another adapter after a restart; name it as in "
			  "/dev/serial/by-path",
			  config->id, device);
}

static int rtu_new(struct rtu **out, const struct driver_host *host,
		   const struct modbus_connection *config, size_t n)
{
	struct rtu *rtu = n == 1 ? calloc(1, sizeof *rtu) : NULL;
	if (rtu == NULL)
		return n == 1 ? -ENOMEM : -EINVAL;
	rtu->heartbeat = host->heartbeat;
	rtu->timeout_ns = config->timeout_ms * MS;
	rtu->retry_pause_ns = RETRY_FIRST_MS * MS;
	rtu->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int error = gate_init(&rtu->gate);
	if (error == 0)
		error = rtu_init(rtu, host, config);
	if (error != 0)
		rtu_free(rtu);
	else
		*out = rtu;
	return error;
}

static int rtu_start(const struct driver_host *host, const void *connections, size_t n,
		     void **instance)
{
	struct rtu *rtu = NULL;
	int error = rtu_new(&rtu, host, connections, n);
	if (error != 0)
		return error;
	say_unstable(connections);
	error = -pthread_create(&rtu->thread, NULL, rtu_run, rtu);
	if (error != 0)
		rtu_free(rtu);
	else
		*instance = rtu;
	return error;
}

/* --- the next plan --- */

static int rtu_prepare(const struct driver_host *host, const void *connections, size_t n,
		       const void *instance, void **next)
{
	struct rtu *rtu = NULL;
	(void)instance;
	int error = rtu_new(&rtu, host, connections, n);
	*next = rtu;
	return error;
}

static void swap_port(struct rtu *a, struct rtu *b)
{
	struct port port = a->port;
	struct wire wire = a->wire;
	a->port = b->port;
	a->wire = b->wire;
	b->port = port;
	b->wire = wire;
	a->timeout_ns = b->timeout_ns;
	a->retry_ns = 0;
	a->retry_pause_ns = RETRY_FIRST_MS * MS;
}

static void rtu_drop(void *next)
{
	if (next != NULL)
		rtu_free(next);
}

/* The thread goes on, and the device stays open where it is the same in the same way. */
static void *rtu_succeed(void *next, void *instance)
{
	struct rtu *rtu = instance, *with = next;
	if (with == NULL) {
		atomic_store(&rtu->stop, true);
		return rtu;
	}
	if (modbus_same_link(with->bus.config, rtu->bus.config)) {
		(void)bus_succeed(&with->bus, &rtu->bus);
		rtu->port.config = with->port.config;
	} else {
		with->bus.due_ns = now_ns();
		swap_port(rtu, with);
	}
	struct bus bus = rtu->bus;
	rtu->bus = with->bus;
	rtu->bus.host = &rtu->host;
	with->bus = bus;
	rtu_free(with);
	return rtu;
}

static bool rtu_hold(void *instance, int timeout_ms)
{
	struct rtu *rtu = instance;
	gate_shut(&rtu->gate);
	eventfd_write(rtu->wake_fd, 1);
	bool stands = gate_stands(&rtu->gate, timeout_ms);
	if (!stands)
		gate_open(&rtu->gate);
	return stands;
}

static void rtu_release(void *instance)
{
	gate_open(&((struct rtu *)instance)->gate);
}

const struct driver modbus_rtu_driver = {.name = "modbus",
					 .start = rtu_start,
					 .prepare = rtu_prepare,
					 .succeed = rtu_succeed,
					 .drop = rtu_drop,
					 .hold = rtu_hold,
					 .release = rtu_release,
					 .stop = rtu_stop};
