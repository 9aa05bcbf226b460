/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The Modbus driver on a real loop, and a serial instrument behind a socket that behaves as told.
 */
#include "drivers/driver.h"
#include "drivers/modbus/codec.h"
#include "fake-door.h"
#include "flow/loop.h"

struct field_bench {
	struct loop *loop;
	struct door *door;
	struct metrics *metrics;
	struct modbus_connection connections[2];
	size_t n_connections;
	void *driver;
	pthread_t thread;
	_Atomic uint64_t heartbeat;
};

void field_bench_start(struct field_bench *bench);
void field_bench_go(struct field_bench *bench);
/** field_bench_pause() - end the loop's thread; what came can be looked at */
void field_bench_pause(struct field_bench *bench);
void field_bench_end(struct field_bench *bench);
int64_t field_counted(struct field_bench *bench, const char *name, const char *labels);

enum { RTU_REPLY_BYTES = 256 };

/** rtu_reply() - a right reply whose registers all hold @value; Return: bytes */
size_t rtu_reply(const uint8_t *request, uint16_t value, uint8_t reply[RTU_REPLY_BYTES]);
uint16_t rtu_address(const uint8_t *request);
void rtu_close_frame(uint8_t *bytes, size_t n); /* puts the CRC behind @n bytes */

/** field_bind() - a socket bound to a free port (@port 0) or to @port, not listening */
int field_bind(uint16_t port, uint16_t *got);
void field_send(int fd, const void *bytes, size_t n);
void field_sleep_ms(int ms);

struct peer;
/* Answers one request. Return: false to close the connection. */
typedef bool (*peer_fn)(struct peer *peer, int fd, const uint8_t *request);

struct peer {
	int listener, stop[2];
	uint16_t port;
	peer_fn answer;
	_Atomic unsigned asked, connected;
	uint32_t random;
	pthread_t thread;
};

void peer_start(struct peer *peer, uint16_t port, peer_fn answer);
void peer_end(struct peer *peer);
unsigned peer_random(struct peer *peer, unsigned below);
