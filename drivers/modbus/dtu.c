/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/dtu.h"

#include "base/log.h"
#include "drivers/listen.h"
#include "drivers/modbus/strip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS INT64_C(1000000)
enum {
	CALLERS = 64,
	REGISTER_MS = 10000,
	CALLER_BYTES = 256,
	SAID_BYTES = 32, /* of an unknown registration, in the log */
};

struct listener {
	struct dtu *dtu;
	const char *listen;
	int fd;
	bool muted; /* no descriptor is left: not watched until the next tick */
};

struct caller {
	struct listener *listener; /* NULL: the place is free */
	int fd;
	int64_t since_ns;
	size_t fill;
	uint8_t bytes[CALLER_BYTES];
};

struct dtu {
	struct driver_host host;
	const struct modbus_connection *connections;
	size_t n_connections;
	dtu_adopt_fn adopt;
	void *context;
	struct metric *unknown, *silent, *crowded;
	struct log_repeat said_unknown, said_crowded;
	struct listener *listeners;
	size_t n_listeners;
	struct caller callers[CALLERS];
};

static void caller_leave(struct caller *caller)
{
	loop_remove(caller->listener->dtu->host.loop, caller->fd);
	caller->listener = NULL;
}

static void caller_drop(struct caller *caller)
{
	caller_leave(caller);
	close(caller->fd);
}

static void caller_refuse(struct caller *caller)
{
	struct dtu *dtu = caller->listener->dtu;
	metric_add(dtu->unknown, 1);
	if (log_due(&dtu->said_unknown)) {
		char text[SAID_BYTES + 1], hex[2 * SAID_BYTES + 1];
		size_t n = caller->fill < SAID_BYTES ? caller->fill : SAID_BYTES;
		for (size_t i = 0; i < n; i++) {
			uint8_t byte = caller->bytes[i];
			text[i] = (char)(byte >= ' ' && byte < 0x7f ? byte : '.');
			snprintf(hex + 2 * i, 3, "%02x", byte);
		}
		text[n] = '\0';
		log_event(LOGGED_CALLER_UNKNOWN, ABOUT_NOTHING,
			  "%s: no connection has a registration that begins \"%s\" (hex:%s); "
			  "caller refused, %llu so far",
			  caller->listener->listen, text, hex,
			  (unsigned long long)dtu->said_unknown.count);
	}
	caller_drop(caller);
}

static bool is_of(const struct modbus_connection *connection, const struct listener *listener)
{
	return connection->framing == MODBUS_DTU &&
	       strcmp(connection->listen, listener->listen) == 0;
}

/* Return: STRIP_WHOLE and *index; STRIP_PART while it can still become one; STRIP_NONE. */
static enum strip_match caller_is_who(const struct caller *caller, size_t *index, size_t *heartbeat)
{
	const struct dtu *dtu = caller->listener->dtu;
	enum strip_match best = STRIP_NONE;
	*heartbeat = 0;
	for (size_t i = 0; i < dtu->n_connections; i++) {
		const struct modbus_connection *connection = &dtu->connections[i];
		if (!is_of(connection, caller->listener))
			continue;
		enum strip_match match =
			strip_match(&connection->packets[0], caller->bytes, caller->fill);
		*index = i;
		if (match == STRIP_WHOLE)
			return match;
		enum strip_match beat =
			strip_match(&connection->packets[1], caller->bytes, caller->fill);
		if (match == STRIP_PART || beat == STRIP_PART)
			best = STRIP_PART;
		if (beat == STRIP_WHOLE)
			*heartbeat = connection->packets[1].n;
	}
	return best;
}

static void caller_registered(struct caller *caller, size_t index)
{
	struct dtu *dtu = caller->listener->dtu;
	size_t n = dtu->connections[index].packets[0].n;
	caller_leave(caller);
	dtu->adopt(dtu->context, index, caller->fd, caller->bytes + n, caller->fill - n);
}

static void caller_judge(struct caller *caller)
{
	while (caller->fill > 0) {
		size_t index = 0, heartbeat = 0;
		enum strip_match match = caller_is_who(caller, &index, &heartbeat);
		if (match == STRIP_WHOLE) {
			caller_registered(caller, index);
			return;
		}
		if (match == STRIP_PART)
			return;
		if (heartbeat == 0) {
			caller_refuse(caller);
			return;
		}
		caller->fill -= heartbeat;
		memmove(caller->bytes, caller->bytes + heartbeat, caller->fill);
	}
}

static void caller_ready(void *context, uint32_t events)
{
	(void)events;
	struct caller *caller = context;
	ssize_t n = recv(caller->fd, caller->bytes + caller->fill,
			 sizeof caller->bytes - caller->fill, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		caller_drop(caller);
		return;
	}
	caller->fill += (size_t)n;
	caller_judge(caller);
}

static struct caller *free_place(struct dtu *dtu)
{
	struct caller *oldest = &dtu->callers[0];
	for (size_t i = 0; i < CALLERS; i++) {
		if (dtu->callers[i].listener == NULL)
			return &dtu->callers[i];
		if (dtu->callers[i].since_ns < oldest->since_ns)
			oldest = &dtu->callers[i];
	}
	metric_add(dtu->crowded, 1);
	if (log_due(&dtu->said_crowded))
		log_warnx("%s: %d callers have not registered, the oldest is dropped",
			  oldest->listener->listen, CALLERS);
	caller_drop(oldest);
	return oldest;
}

static void caller_accept(void *context, int fd)
{
	struct listener *listener = context;
	struct dtu *dtu = listener->dtu;
	struct caller *caller = free_place(dtu);
	caller->fd = fd;
	caller->fill = 0;
	caller->since_ns = loop_now(dtu->host.loop);
	if (loop_add(dtu->host.loop, fd, EPOLLIN, caller_ready, caller) != 0)
		close(fd);
	else
		caller->listener = listener;
}

static void listener_ready(void *context, uint32_t events)
{
	(void)events;
	struct listener *listener = context;
	listener->muted =
		listen_take(listener->dtu->host.loop, listener->fd, caller_accept, listener);
}

void dtu_tick(struct dtu *dtu, int64_t now_ns)
{
	if (dtu == NULL)
		return;
	for (size_t i = 0; i < CALLERS; i++) {
		struct caller *caller = &dtu->callers[i];
		if (caller->listener == NULL || now_ns - caller->since_ns < REGISTER_MS * MS)
			continue;
		metric_add(dtu->silent, 1);
		caller_drop(caller);
	}
	for (size_t i = 0; i < dtu->n_listeners; i++) {
		struct listener *listener = &dtu->listeners[i];
		if (listener->muted)
			listener->muted = listen_again(dtu->host.loop, listener->fd);
	}
}

static const struct listener *listener_of(const struct dtu *dtu, const char *address)
{
	for (size_t i = 0; dtu != NULL && i < dtu->n_listeners; i++)
		if (strcmp(dtu->listeners[i].listen, address) == 0)
			return &dtu->listeners[i];
	return NULL;
}

static int open_listeners(struct dtu *dtu, const struct dtu *before)
{
	for (size_t i = 0; i < dtu->n_connections; i++) {
		bool there = dtu->connections[i].framing != MODBUS_DTU;
		for (size_t j = 0; !there && j < dtu->n_listeners; j++)
			there = is_of(&dtu->connections[i], &dtu->listeners[j]);
		if (there)
			continue;
		const char *address = dtu->connections[i].listen;
		struct listener *listener = &dtu->listeners[dtu->n_listeners++];
		*listener = (struct listener){.dtu = dtu, .listen = address, .fd = -1};
		if (listener_of(before, address) != NULL)
			continue;
		listener->fd = listen_open(address);
		if (listener->fd < 0) {
			log_warnx("%s: cannot listen on %s: %s", dtu->connections[i].id, address,
				  strerrordesc_np(-listener->fd));
			return listener->fd;
		}
	}
	return 0;
}

static struct metric *refused(const struct dtu *dtu, const char *labels)
{
	return metrics_counter(dtu->host.metrics, "ducha_callers_refused_total",
			       "Units that dialled in and were not let in", labels);
}

int dtu_open(struct dtu **out, const struct driver_host *host,
	     const struct modbus_connection *connections, size_t n, const struct dtu *before,
	     dtu_adopt_fn adopt, void *context)
{
	size_t wanted = 0;
	for (size_t i = 0; i < n; i++)
		wanted += connections[i].framing == MODBUS_DTU;
	if (wanted == 0)
		return 0;
	struct dtu *dtu = calloc(1, sizeof *dtu);
	if (dtu == NULL)
		return -ENOMEM;
	dtu->host = *host;
	dtu->connections = connections;
	dtu->n_connections = n;
	dtu->adopt = adopt;
	dtu->context = context;
	dtu->listeners = calloc(wanted, sizeof *dtu->listeners);
	dtu->unknown = refused(dtu, "reason=\"unknown\"");
	dtu->silent = refused(dtu, "reason=\"silent\"");
	dtu->crowded = refused(dtu, "reason=\"crowded\"");
	int error = -ENOMEM;
	if (dtu->listeners != NULL && dtu->unknown && dtu->silent && dtu->crowded)
		error = open_listeners(dtu, before);
	if (error != 0)
		dtu_free(dtu);
	else
		*out = dtu;
	return error;
}

int dtu_watch(struct dtu *dtu)
{
	int error = 0;
	for (size_t i = 0; dtu != NULL && error == 0 && i < dtu->n_listeners; i++) {
		struct listener *listener = &dtu->listeners[i];
		error = loop_add(dtu->host.loop, listener->fd, EPOLLIN, listener_ready, listener);
	}
	return error;
}

/* --- the next plan --- */

static void take_listener(struct listener *listener, const struct dtu *old)
{
	const struct listener *before = listener_of(old, listener->listen);
	if (before == NULL)
		return;
	loop_remove(old->host.loop, before->fd);
	listener->fd = before->fd;
	((struct listener *)(uintptr_t)before)->fd = -1;
}

/* Of whoever has not registered yet at a listener that goes on. */
static void take_caller(struct dtu *dtu, struct caller *caller, struct caller *old)
{
	const struct listener *listener = listener_of(dtu, old->listener->listen);
	if (listener == NULL)
		return;
	caller_leave(old);
	*caller = *old;
	if (loop_add(dtu->host.loop, caller->fd, EPOLLIN, caller_ready, caller) != 0)
		close(caller->fd);
	else
		caller->listener = (struct listener *)(uintptr_t)listener;
}

void dtu_succeed(struct dtu *dtu, struct dtu *old)
{
	if (dtu == NULL)
		return;
	for (size_t i = 0; i < dtu->n_listeners; i++)
		take_listener(&dtu->listeners[i], old);
	for (size_t i = 0; old != NULL && i < CALLERS; i++)
		if (old->callers[i].listener != NULL)
			take_caller(dtu, &dtu->callers[i], &old->callers[i]);
	(void)dtu_watch(dtu); /* only fails without memory: then nobody new is let in */
}

struct dtu *dtu_free(struct dtu *dtu)
{
	if (dtu == NULL)
		return NULL;
	for (size_t i = 0; i < CALLERS; i++)
		if (dtu->callers[i].listener != NULL)
			caller_drop(&dtu->callers[i]);
	for (size_t i = 0; i < dtu->n_listeners; i++) {
		if (dtu->listeners[i].fd < 0)
			continue;
		loop_remove(dtu->host.loop, dtu->listeners[i].fd);
		close(dtu->listeners[i].fd);
	}
	free(dtu->listeners);
	free(dtu);
	return NULL;
}
