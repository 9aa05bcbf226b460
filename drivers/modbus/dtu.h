/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * DTU: where cellular units dial in, up to the moment it is known which one is calling.
 *
 * Connections that name the same `listen` share a listener. A caller has 10 s to send one of their
 * registration packets; heartbeats before it are skipped. Then its socket belongs to the connection
 * (adopt). Whoever sends anything else is refused, said and counted; of more than 64 callers that
 * have not registered, the oldest goes. A registration is no secret: the network must keep others
 * out.
 */
#include "drivers/driver.h"
#include "drivers/modbus/modbus.h"

struct dtu;

/* @index: of the connection; the callee owns @fd; @rest came behind the registration */
typedef void (*dtu_adopt_fn)(void *context, size_t index, int fd, const uint8_t *rest, size_t n);

/**
 * dtu_open() - listen for those of the @n connections whose framing is MODBUS_DTU
 * @before: whose listeners dtu_succeed() will take over: they are left alone; NULL: none
 * Return: 0 and *out (NULL where there is none); negative errno, said with the address.
 */
int dtu_open(struct dtu **out, const struct driver_host *host,
	     const struct modbus_connection *connections, size_t n, const struct dtu *before,
	     dtu_adopt_fn adopt, void *context);
/** dtu_watch() - let callers in (NULL is welcome). Return: 0, negative errno. */
int dtu_watch(struct dtu *dtu);
/** dtu_succeed() - take listeners and callers of @old over, and let callers in; either may be NULL
 */
void dtu_succeed(struct dtu *dtu, struct dtu *old);
/** dtu_tick() - drop callers that have not registered in time (loop thread, each tick) */
void dtu_tick(struct dtu *dtu, int64_t now_ns);
struct dtu *dtu_free(struct dtu *dtu);
