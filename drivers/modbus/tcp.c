/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus over sockets: many lines (line.h) on the thread of one event loop, polled by its tick.
 */
#include "drivers/driver.h"
#include "drivers/modbus/dtu.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/resolve.h"
#include "drivers/modbus/round.h"

#include <errno.h>
#include <stdlib.h>

#define MS INT64_C(1000000)
enum { CONNECTS_PER_TICK = 128 };

struct tcp {
	struct line_host host;
	struct dtu *dtu; /* NULL: nobody dials in */
	bool started;
	int64_t flushed_ns; /* when the readers were woken last */
	size_t n_lines;
	struct line *lines;
};

static void tcp_adopt(void *context, size_t index, int fd, const uint8_t *rest, size_t n)
{
	line_adopt(&((struct tcp *)context)->lines[index], fd, rest, n);
}

/* Phases are spread over the interval. */
static void tcp_begin(struct tcp *tcp, int64_t mono_ns)
{
	for (size_t i = 0; i < tcp->n_lines; i++) {
		struct line *line = &tcp->lines[i];
		line_begin(line, mono_ns,
			   line->bus.interval_ns / (int64_t)tcp->n_lines * (int64_t)i);
	}
	tcp->started = true;
}

static void tcp_tick(void *context, int64_t mono_ns)
{
	struct tcp *tcp = context;
	tcp->host.connects_left = CONNECTS_PER_TICK;
	dtu_tick(tcp->dtu, mono_ns);
	if (!tcp->started)
		tcp_begin(tcp, mono_ns);
	for (size_t i = 0; i < tcp->n_lines; i++)
		if (tcp->host.wake_ns[i] <= mono_ns + ROUND_TICK_MS * MS / 2)
			line_tick(&tcp->lines[i], mono_ns);
}

/* The readers are woken at once when they were not for a tick, else at the next one: thousands of
 * replies a second come in batches of a few, and waking a thread costs as much as a reply. */
static void tcp_batch_done(void *context, int64_t mono_ns)
{
	struct tcp *tcp = context;
	if (!tcp->host.bus.submitted || mono_ns - tcp->flushed_ns < ROUND_TICK_MS * MS)
		return;
	bus_host_flush(&tcp->host.bus);
	tcp->flushed_ns = mono_ns;
}

static void tcp_stop(void *instance)
{
	struct tcp *tcp = instance;
	for (size_t i = 0; tcp->lines != NULL && i < tcp->n_lines; i++)
		line_deinit(&tcp->lines[i]);
	dtu_free(tcp->dtu);
	resolver_free(tcp->host.resolver);
	free(tcp->host.wake_ns);
	free(tcp->lines);
	free(tcp);
}

static int tcp_init(struct tcp *tcp, const struct driver_host *driver,
		    const struct modbus_connection *connections)
{
	tcp->lines = calloc(tcp->n_lines + 1, sizeof *tcp->lines);
	tcp->host.wake_ns = calloc(tcp->n_lines + 1, sizeof *tcp->host.wake_ns);
	if (tcp->lines == NULL || tcp->host.wake_ns == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < tcp->n_lines; i++)
		tcp->lines[i].fd = -1;
	int error = resolver_new(&tcp->host.resolver, tcp->n_lines);
	if (error == 0)
		error = bus_host_init(&tcp->host.bus, driver);
	for (size_t i = 0; error == 0 && i < tcp->n_lines; i++)
		error = line_init(&tcp->lines[i], &tcp->host, i, &connections[i]);
	if (error == 0)
		error = resolver_start(tcp->host.resolver);
	if (error == 0)
		error = dtu_start(&tcp->dtu, driver, connections, tcp->n_lines, tcp_adopt, tcp);
	return error;
}

static int tcp_start(const struct driver_host *host, const void *connections, size_t n,
		     void **instance)
{
	struct tcp *tcp = calloc(1, sizeof *tcp);
	if (tcp == NULL)
		return -ENOMEM;
	tcp->host.loop = host->loop;
	tcp->n_lines = n;
	int error = tcp_init(tcp, host, connections);
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
