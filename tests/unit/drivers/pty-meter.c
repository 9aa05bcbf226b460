/* SPDX-License-Identifier: Apache-2.0 */
#include "pty-meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <string.h>
#include <time.h>

/* Alike but for the address: a reply of one would pass for the other's. */
const struct modbus_point alike[ALIKE] = {
	{.monitor = 0, .unit_id = 1, .address = 10, .type = MODBUS_UINT32, .scale = 1, .every = 1},
	{.monitor = 1, .unit_id = 1, .address = 200, .type = MODBUS_UINT32, .scale = 1, .every = 1},
};

int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sleep_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

void start_on(struct pty_bench *bench, pty_fn answer, int64_t timeout_ms)
{
	pty_bench_start(bench, answer);
	bench->connection.interval_ms = INTERVAL_MS;
	bench->connection.timeout_ms = timeout_ms;
	bench->connection.points = alike;
	bench->connection.n_points = 2;
}

void close_frame(uint8_t *bytes, size_t n)
{
	uint16_t crc = modbus_crc(bytes, n);
	bytes[n] = (uint8_t)(crc & 0xff);
	bytes[n + 1] = (uint8_t)(crc >> 8);
}

/* The value says which address it was asked for, and in which request. */
void reply_to(const struct pty_bench *bench, const uint8_t *request, uint8_t reply[REPLY_BYTES])
{
	unsigned number = bench->asked;
	memcpy(reply, request, 2);
	reply[2] = 4;
	reply[3] = request[3];
	reply[4] = (uint8_t)(number >> 16);
	reply[5] = (uint8_t)(number >> 8);
	reply[6] = (uint8_t)number;
	close_frame(reply, 7);
}

void answer_well(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t reply[REPLY_BYTES];
	reply_to(bench, request, reply);
	pty_say(bench, reply, sizeof reply);
}

void stay_silent(struct pty_bench *bench, const uint8_t *request)
{
	(void)bench, (void)request;
}

/* Every value is of its own address, and of a request later than the one before. */
void assert_nothing_is_misattributed(const struct pty_bench *bench)
{
	uint32_t last = 0;
	for (size_t i = 0; i < bench->door->n_samples; i++) {
		const struct sample *sample = &bench->door->samples[i];
		if (!sample->has_value) {
			assert_int_equal(sample->flag, FLAG_COMMUNICATION);
			continue;
		}
		assert_int_equal(sample->raw >> 24, alike[sample->monitor].address);
		assert_true((sample->raw & 0xffffff) > last);
		last = sample->raw & 0xffffff;
	}
}

size_t good(struct pty_bench *bench)
{
	return fake_door_count(bench->door, FLAG_NORMAL);
}

bool has_good(const struct door *door, int64_t wanted)
{
	int64_t n = 0;
	for (size_t i = 0; i < door->n_samples; i++)
		n += door->samples[i].has_value;
	return n >= wanted;
}

void finish(struct pty_bench *bench)
{
	pty_bench_stop(bench);
	assert_nothing_is_misattributed(bench);
	pty_bench_end(bench);
}
