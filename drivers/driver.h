/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Driver: bytes to readings. Init, fini, and one door to hand samples in.
 *
 * A driver knows no limit, no ring, no other driver's retry policy and no configuration file. It
 * gets its connections as plain structs of its own (struct modbus_connection, struct
 * mqtt_connection), made by assemble.c, which outlive it.
 */
#include "core/metrics.h"
#include "flow/door.h"

struct driver_host {
	struct door *door;       /* of the thread this driver produces on */
	struct loop *loop;       /* for socket drivers; NULL for those with a thread of their own */
	struct metrics *metrics; /* register series in start() */
	/* Counted up at least once a second by a driver with a thread of its own; may be NULL. */
	_Atomic uint64_t *heartbeat;
};

struct driver {
	const char *name; /* the configuration's `driver` */
	/**
	 * start() - begin to serve @n connections (array of the driver's own struct)
	 * Runs on the main thread before the loop; may not block on a network.
	 * Return: 0 and *instance; negative errno. A connection that cannot be reached is no error.
	 */
	int (*start)(const struct driver_host *host, const void *connections, size_t n, void **instance);
	/**
	 * prepare() - make ready to serve @connections of the next plan in the place of those of
	 * @instance, which goes on meanwhile (main thread; registers series)
	 * Return: 0 and *next; negative errno.
	 */
	int (*prepare)(const struct driver_host *host, const void *connections, size_t n,
		       const void *instance, void **next);
	/**
	 * succeed() - @next takes over, while the producing thread stands: connections that are as
	 * before keep their sockets and what is under way on them. Cannot fail.
	 * @next: NULL: nobody follows; no sample is handed in any more, and stop() is still to come
	 * Return: the instance from now on; the other one is freed.
	 */
	void *(*succeed)(void *next, void *instance);
	/** drop() - free what prepare() made, unless it took over; NULL is welcome */
	void (*drop)(void *next);
	/**
	 * hold(), release() - let the producing thread stand between two samples, and go on; NULL for
	 * those on an event loop, which has a gate. Release also ends and begins connections as the
	 * next plan asks, and may wait for that.
	 * Return: false if it does not stand within @timeout_ms; it goes on then.
	 */
	bool (*hold)(void *instance, int timeout_ms);
	void (*release)(void *instance);
	/** stop() - no sample is handed in after it returns; called with the loop stopped; frees */
	void (*stop)(void *instance);
};

extern const struct driver modbus_driver; /* connections: struct modbus_connection */
/* connections: one struct modbus_connection with `serial`: a bus is a thread, and thus a producer */
extern const struct driver modbus_rtu_driver;
extern const struct driver mqtt_driver;   /* connections: struct mqtt_connection */
/* connections: struct hj212_connection; it has a door and a ring of its own on the loop of others */
extern const struct driver hj212_driver;
