/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus over sockets: many lines (line.h) on the thread of one event loop, polled by its tick.
 */
#include "drivers/driver.h"
#include "drivers/modbus/dtu.h"
#include "drivers/modbus/line.h"
#include "drivers/modbus/resolve.h"
#include "drivers/modbus/round.h"
#include "drivers/modbus/same.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
		    const struct modbus_connection *connections, const struct dtu *before)
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
		error = dtu_open(&tcp->dtu, driver, connections, tcp->n_lines, before, tcp_adopt,
				 tcp);
	return error;
}

static int tcp_new(struct tcp **out, const struct driver_host *host, const void *connections,
		   size_t n, const struct dtu *before)
{
	struct tcp *tcp = calloc(1, sizeof *tcp);
	if (tcp == NULL)
		return -ENOMEM;
	tcp->host.loop = host->loop;
	tcp->n_lines = n;
	int error = tcp_init(tcp, host, connections, before);
	if (error != 0)
		tcp_stop(tcp);
	else
		*out = tcp;
	return error;
}

static int tcp_start(const struct driver_host *host, const void *connections, size_t n,
		     void **instance)
{
	struct tcp *tcp = NULL;
	int error = tcp_new(&tcp, host, connections, n, NULL);
	if (error != 0)
		return error;
	error = dtu_watch(tcp->dtu);
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

/* --- the next plan --- */

static int tcp_prepare(const struct driver_host *host, const void *connections, size_t n,
		       const void *instance, void **next)
{
	struct tcp *tcp = NULL;
	int error = tcp_new(&tcp, host, connections, n, ((const struct tcp *)instance)->dtu);
	*next = tcp;
	return error;
}

/* The line that serves a connection so far; NULL where it is new, or another one by now. Plans are
 * mostly alike: it is sought from @guess on. */
static struct line *line_before(struct tcp *old, const struct modbus_connection *config,
				size_t guess)
{
	for (size_t i = 0; i < old->n_lines; i++) {
		struct line *line = &old->lines[(guess + i) % old->n_lines];
		if (strcmp(line->bus.config->id, config->id) == 0)
			return modbus_same_link(config, line->bus.config) ? line : NULL;
	}
	return NULL;
}

static void *tcp_succeed(void *next, void *instance)
{
	struct tcp *tcp = next, *old = instance;
	int64_t now_ns = loop_now(old->host.loop);
	size_t guess = 0;
	tcp->started = true;
	tcp->flushed_ns = old->flushed_ns;
	tcp->host.bus.submitted = old->host.bus.submitted;
	for (size_t i = 0; i < tcp->n_lines; i++) {
		struct line *line = &tcp->lines[i];
		struct line *before = line_before(old, line->bus.config, guess);
		if (before != NULL && old->started) {
			guess = (size_t)(before - old->lines) + 1;
			line_succeed(line, before, now_ns);
		} else {
			line_begin(line, now_ns,
				   line->bus.interval_ns / (int64_t)tcp->n_lines * (int64_t)i);
		}
	}
	dtu_succeed(tcp->dtu, old->dtu);
	loop_relay(tcp->host.loop, old, tcp);
	tcp_stop(old);
	return tcp;
}

static void tcp_drop(void *next)
{
	if (next != NULL)
		tcp_stop(next);
}

const struct driver modbus_driver = {.name = "modbus",
				     .start = tcp_start,
				     .prepare = tcp_prepare,
				     .succeed = tcp_succeed,
				     .drop = tcp_drop,
				     .stop = tcp_stop};
