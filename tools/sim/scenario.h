/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Scenario: the file that says which instruments a district has and what happens to them.
 *
 * Every key is checked, as in the daemon's own configuration: a scenario with a spelling mistake
 * that is silently not played would make a test pass for nothing.
 */
#include "sim/bank.h"
#include "sim/fault.h"
#include "sim/logger.h"
#include "sim/message.h"

#include <stdio.h>

struct scenario_server { /* one Modbus TCP port */
	char *id;
	uint16_t port; /* 0: a free one */
	struct bank bank;
	struct fault_plan faults;
};

struct scenario_publisher {
	int qos;
	int64_t interval_ms;
	struct message message;
};

struct scenario {
	uint64_t seed;
	double start_hour;
	char *listen; /* address of the servers */
	char *broker; /* NULL: none */
	char *centre; /* where loggers dial in; NULL: none */
	struct scenario_server *servers;
	size_t n_servers;
	struct scenario_publisher *publishers;
	size_t n_publishers;
	struct logger_setup *loggers;
	size_t n_loggers;
};

/**
 * scenario_load() - read and check a scenario
 * @seed: instead of the file's; NULL: the file's
 * @faults: gets a line "file:line: what is wrong" for each fault
 * Return: 0 and *out (scenario_free() it); -EINVAL after the faults were said; -ENOMEM.
 */
int scenario_load(const char *file, const uint64_t *seed, struct scenario **out, FILE *faults);
struct scenario *scenario_free(struct scenario *scenario);
