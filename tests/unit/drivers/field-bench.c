/* SPDX-License-Identifier: Apache-2.0 */
#include "field-bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool holds)
{
	if (!holds)
		abort();
}

void field_bench_start(struct field_bench *bench)
{
	*bench = (struct field_bench){.door = fake_door_new(), .n_connections = 1};
	must(loop_new(&bench->loop) == 0 && metrics_new(&bench->metrics) == 0);
	for (uint32_t i = 0; i < 2; i++)
		bench->connections[i] = (struct modbus_connection){.connection = i,
								   .id = i == 0 ? "bus" : "other",
								   .host = "127.0.0.1",
								   .framing = MODBUS_RTU,
								   .max_registers = 125};
}

static void *bench_run(void *context)
{
	struct field_bench *bench = context;
	must(loop_run(bench->loop, &bench->heartbeat) == 0);
	return NULL;
}

void field_bench_go(struct field_bench *bench)
{
	struct driver_host host = {
		.door = bench->door, .loop = bench->loop, .metrics = bench->metrics};
	must(modbus_driver.start(&host, bench->connections, bench->n_connections, &bench->driver) ==
	     0);
	must(pthread_create(&bench->thread, NULL, bench_run, bench) == 0);
}

void field_bench_pause(struct field_bench *bench)
{
	loop_stop(bench->loop);
	pthread_join(bench->thread, NULL);
}

void field_bench_end(struct field_bench *bench)
{
	modbus_driver.stop(bench->driver);
	metrics_free(bench->metrics);
	loop_free(bench->loop);
	fake_door_free(bench->door);
}

int64_t field_counted(struct field_bench *bench, const char *name, const char *labels)
{
	return metric_get(metrics_counter(bench->metrics, name, "", labels));
}

void rtu_close_frame(uint8_t *bytes, size_t n)
{
	uint16_t crc = modbus_crc(bytes, n);
	bytes[n] = (uint8_t)(crc & 0xff);
	bytes[n + 1] = (uint8_t)(crc >> 8);
}

uint16_t rtu_address(const uint8_t *request)
{
	return (uint16_t)(request[2] << 8 | request[3]);
}

size_t rtu_reply(const uint8_t *request, uint16_t value, uint8_t reply[RTU_REPLY_BYTES])
{
	size_t registers = request[5];
	reply[0] = request[0];
	reply[1] = request[1];
	reply[2] = (uint8_t)(2 * registers);
	for (size_t i = 0; i < registers; i++) {
		reply[3 + 2 * i] = (uint8_t)(value >> 8);
		reply[4 + 2 * i] = (uint8_t)(value & 0xff);
	}
	rtu_close_frame(reply, 3 + 2 * registers);
	return 5 + 2 * registers;
}

int field_bind(uint16_t port, uint16_t *got)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	must(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
	must(getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
	*got = ntohs(address.sin_port);
	return fd;
}

void field_send(int fd, const void *bytes, size_t n)
{
	(void)send(fd, bytes, n, MSG_NOSIGNAL);
}

void field_sleep_ms(int ms)
{
	(void)poll(NULL, 0, ms);
}

static void peer_serve(struct peer *peer, struct pollfd *client)
{
	uint8_t request[MODBUS_RTU_REQUEST_BYTES];
	ssize_t n = recv(client->fd, request, sizeof request, MSG_WAITALL);
	bool whole = n == (ssize_t)sizeof request;
	if (whole)
		peer->asked++;
	if (whole && peer->answer(peer, client->fd, request))
		return;
	close(client->fd);
	client->fd = -1;
}

static void *peer_run(void *context)
{
	struct peer *peer = context;
	struct pollfd fds[3] = {{.fd = peer->stop[0], .events = POLLIN},
				{.fd = peer->listener, .events = POLLIN},
				{.fd = -1, .events = POLLIN}};
	while (poll(fds, 3, -1) >= 0 && fds[0].revents == 0) {
		if (fds[1].revents != 0) {
			if (fds[2].fd >= 0)
				close(fds[2].fd);
			fds[2].fd = accept(peer->listener, NULL, NULL);
			fds[2].revents = 0;
			setsockopt(fds[2].fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
			peer->connected++;
		}
		if (fds[2].fd >= 0 && fds[2].revents != 0)
			peer_serve(peer, &fds[2]);
	}
	if (fds[2].fd >= 0)
		close(fds[2].fd);
	return NULL;
}

void peer_start(struct peer *peer, uint16_t port, peer_fn answer)
{
	*peer = (struct peer){.answer = answer, .random = 1};
	peer->listener = field_bind(port, &peer->port);
	must(listen(peer->listener, 4) == 0 && pipe(peer->stop) == 0);
	must(pthread_create(&peer->thread, NULL, peer_run, peer) == 0);
}

void peer_end(struct peer *peer)
{
	must(write(peer->stop[1], "x", 1) == 1);
	pthread_join(peer->thread, NULL);
	close(peer->stop[0]);
	close(peer->stop[1]);
	close(peer->listener);
}

unsigned peer_random(struct peer *peer, unsigned below)
{
	peer->random = peer->random * 1103515245U + 12345U;
	return (peer->random >> 16) % below;
}
