/* SPDX-License-Identifier: Apache-2.0 */
#include "pty-bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static void must_at(bool holds, int line)
{
	if (!holds)
		(void)printf("%s:%d: %s\n", __FILE__, line, strerror(errno)), abort();
}
#define must(holds) must_at(holds, __LINE__)

void pty_say(struct pty_bench *bench, const void *bytes, size_t n)
{
	must(write(bench->master, bytes, n) == (ssize_t)n);
}

void pty_forget(struct pty_bench *bench)
{
	uint8_t sink[64];
	struct pollfd waiting = {.fd = bench->master, .events = POLLIN};
	while (poll(&waiting, 1, 0) == 1 && (waiting.revents & POLLIN) != 0 &&
	       read(bench->master, sink, sizeof sink) > 0)
		continue;
}

unsigned pty_random(struct pty_bench *bench, unsigned below)
{
	bench->random = bench->random * 1103515245U + 12345U;
	return (bench->random >> 16) % below;
}

/* --- the instrument --- */

static void instrument_read(struct pty_bench *bench, uint8_t *request, size_t *n)
{
	ssize_t got = read(bench->master, request + *n, MODBUS_RTU_REQUEST_BYTES - *n);
	if (got > 0)
		*n += (size_t)got;
	else
		(void)poll(NULL, 0, 1); /* nobody has the line open */
	if (*n < MODBUS_RTU_REQUEST_BYTES)
		return;
	*n = 0;
	bench->asked++;
	bench->written += request[1] < 1 || request[1] > 4;
	bench->answer(bench, request);
}

static void *instrument_run(void *context)
{
	struct pty_bench *bench = context;
	uint8_t request[MODBUS_RTU_REQUEST_BYTES];
	size_t n = 0;
	struct pollfd fds[] = {{.fd = bench->stop[0], .events = POLLIN},
			       {.fd = bench->master, .events = POLLIN}};
	while (poll(fds, 2, -1) >= 0 && fds[0].revents == 0)
		instrument_read(bench, request, &n);
	return NULL;
}

void pty_plug(struct pty_bench *bench)
{
	bench->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(bench->master >= 0 && grantpt(bench->master) == 0 && unlockpt(bench->master) == 0);
	must(symlink(ptsname(bench->master), bench->device) == 0);
	must(pthread_create(&bench->thread, NULL, instrument_run, bench) == 0);
}

void pty_unplug(struct pty_bench *bench)
{
	uint8_t byte;
	must(write(bench->stop[1], "x", 1) == 1);
	pthread_join(bench->thread, NULL);
	must(read(bench->stop[0], &byte, 1) == 1);
	must(unlink(bench->device) == 0);
	close(bench->master);
}

/* --- the driver --- */

void pty_bench_start(struct pty_bench *bench, pty_fn answer)
{
	*bench = (struct pty_bench){.door = fake_door_new(),
				    .answer = answer,
				    .random = 1,
				    .directory = "/tmp/ducha-pty-XXXXXX"};
	must(metrics_new(&bench->metrics) == 0 && mkdtemp(bench->directory) != NULL &&
	     pipe(bench->stop) == 0);
	snprintf(bench->device, sizeof bench->device, "%s/line", bench->directory);
	bench->serial = (struct modbus_serial){.device = bench->device,
					       .baud = 115200,
					       .data_bits = 8,
					       .stop_bits = 1,
					       .parity = 'N',
					       .rts_delay_us = -1};
	bench->connection = (struct modbus_connection){
		.id = "bus", .framing = MODBUS_RTU, .serial = &bench->serial, .max_registers = 125};
	pty_plug(bench);
}

void pty_bench_go(struct pty_bench *bench)
{
	char name[] = "/tmp/ducha-pty-said-XXXXXX";
	bench->said = mkstemp(name);
	must(bench->said >= 0);
	unlink(name);
	fflush(stderr);
	bench->stderr_before = dup(STDERR_FILENO);
	dup2(bench->said, STDERR_FILENO);
	struct driver_host host = {
		.door = bench->door, .metrics = bench->metrics, .heartbeat = &bench->heartbeat};
	must(modbus_rtu_driver.start(&host, &bench->connection, 1, &bench->driver) == 0);
}

void pty_bench_stop(struct pty_bench *bench)
{
	modbus_rtu_driver.stop(bench->driver);
	fflush(stderr);
	dup2(bench->stderr_before, STDERR_FILENO);
	close(bench->stderr_before);
}

void pty_bench_end(struct pty_bench *bench)
{
	pty_unplug(bench);
	must(rmdir(bench->directory) == 0 && bench->written == 0);
	close(bench->stop[0]);
	close(bench->stop[1]);
	close(bench->said);
	metrics_free(bench->metrics);
	fake_door_free(bench->door);
}

int64_t pty_polls(struct pty_bench *bench, const char *result)
{
	char labels[64];
	snprintf(labels, sizeof labels, "connection=\"bus\",result=\"%s\"", result);
	return metric_get(metrics_counter(bench->metrics, "ducha_polls_total", "", labels));
}

int64_t pty_unasked(struct pty_bench *bench)
{
	return metric_get(metrics_counter(bench->metrics, "ducha_unasked_bytes_total", "",
					  "connection=\"bus\""));
}

unsigned pty_said(struct pty_bench *bench, const char *text)
{
	char all[1 << 16];
	ssize_t n = pread(bench->said, all, sizeof all - 1, 0);
	unsigned times = 0;
	must(n >= 0);
	all[n] = '\0';
	for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
		times++;
	return times;
}
