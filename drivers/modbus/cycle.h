/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cycle: how long one connection takes to ask for everything once. Pure.
 *
 * Requests go out one after the other, so a connection whose requests together take longer than its
 * interval leaves polls out. That is better known when the configuration is written than when the
 * first unit of a bus falls silent.
 */
#include "drivers/modbus/modbus.h"

struct modbus_cycle {
	size_t n_requests, n_units;
	int64_t least_ms; /* every reply at once: pauses, and the time of the bytes on a serial line
			   */
	int64_t longest_ms; /* of one request and its reply on a serial line; else 0 */
	int64_t worst_ms; /* no reply in time: each request has its whole timeout, and its pause */
};

/** modbus_cycle() - of the round in which all of @config is due. Return: 0, negative errno as of
 * modbus_plan_init() */
int modbus_cycle(const struct modbus_connection *config, struct modbus_cycle *cycle);
