/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The serial driver on a real thread, and at the other end of a pseudo-terminal an instrument that
 * behaves as told. The device is a link to the terminal, so it can be unplugged and plugged again.
 */
#include "drivers/driver.h"
#include "drivers/modbus/codec.h"
#include "fake-door.h"

struct pty_bench;
/* Answers one request (pty_say()) on the instrument's thread. */
typedef void (*pty_fn)(struct pty_bench *bench, const uint8_t *request);

struct pty_bench {
	struct door *door;
	struct metrics *metrics;
	struct modbus_serial serial;
	struct modbus_connection connection;
	void *driver;
	_Atomic uint64_t heartbeat;

	char directory[32], device[64];
	int master, stop[2];
	pty_fn answer;
	_Atomic unsigned asked, written; /* written: requests that are no reading */
	_Atomic uint32_t random;
	void *context;
	pthread_t thread;
	int said, stderr_before; /* file that has the log */
};

/** pty_bench_start() - a line with @answer at its end; the connection may still be changed */
void pty_bench_start(struct pty_bench *bench, pty_fn answer);
void pty_bench_go(struct pty_bench *bench);
/** pty_bench_stop() - the driver is gone; what came can be looked at */
void pty_bench_stop(struct pty_bench *bench);
/** pty_bench_end() - and fail the test where anything but reading was asked */
void pty_bench_end(struct pty_bench *bench);

void pty_unplug(struct pty_bench *bench);
void pty_plug(struct pty_bench *bench);

void pty_say(struct pty_bench *bench, const void *bytes, size_t n);
/** pty_forget() - requests that came meanwhile are not answered (instrument's thread) */
void pty_forget(struct pty_bench *bench);
unsigned pty_random(struct pty_bench *bench, unsigned below);
int64_t pty_polls(struct pty_bench *bench, const char *result);
int64_t pty_unasked(struct pty_bench *bench);
/** pty_said() - how often the log has @text; while the driver runs, too */
unsigned pty_said(struct pty_bench *bench, const char *text);
