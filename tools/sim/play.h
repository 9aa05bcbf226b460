/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Play: the loop that lets a scenario, a recording or a fleet happen, until it is over, its time is
 * up or a signal comes. One thread; Paho has its own.
 */
#include "sim/fleet.h"
#include "sim/publisher.h"
#include "sim/replay.h"
#include "sim/responder.h"
#include "sim/scenario.h"

#include <stdbool.h>

struct play_options {
	const char *listen;   /* address of the Modbus servers */
	const char *broker;   /* NULL: nothing is published */
	const char *centre;   /* where loggers dial in; NULL: there are none */
	int32_t utc_offset_s; /* of their clocks */
	const char *client_id;
	const char *ready_file; /* NULL: none */
	uint16_t port;          /* of the first server, the others follow; 0: any, or the file's */
	int64_t for_ms;         /* 0: no end */
	bool is_held;           /* time begins with SIGUSR1 */
	double speed;           /* replay: times life; 0: as fast as the broker takes it */
	int qos;                /* replay */
};

/* What is played; exactly one is not NULL. */
struct play_piece {
	struct scenario *scenario;
	struct replay *replay;
	struct fleet *fleet;
};

/**
 * play_run() - from the first listener to the last reply (main thread; SIGINT, SIGTERM and SIGUSR1
 * must be blocked)
 * Return: exit code: 0, 1 after saying why.
 */
int play_run(const struct play_options *options, const struct play_piece *piece);
