/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor: a client that sends requests, receives replies and counts, by epoll and a 10 ms tick.
 *
 * raw-client PORT INSTRUMENTS REGISTERS SECONDS
 * Each instrument is asked once a second, the phases spread over it. After two seconds to settle,
 * a line: polls, late polls (a second or more after the one before, by more than 100 ms), CPU in
 * microseconds, resident bytes that the instruments took.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TICK_MS = 10, BATCH = 256 };

struct instrument {
	int fd;
	uint16_t transaction;
	bool asked;
	double due_s;
	unsigned char reply[260];
};

struct figures {
	long polls, late, wrong;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static long resident_bytes(void)
{
	long size, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
		die("statm");
	fclose(f);
	return resident * sysconf(_SC_PAGESIZE);
}

static int dial(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	return fd;
}

static void ask(struct instrument *i, int registers)
{
	i->transaction++;
	unsigned char request[12] = {(unsigned char)(i->transaction >> 8),
				     (unsigned char)i->transaction,
				     0,
				     0,
				     0,
				     6,
				     1,
				     3,
				     0,
				     0,
				     0,
				     (unsigned char)registers};
	i->asked = true;
	if (send(i->fd, request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
		die("send");
}

static void tick(struct instrument *all, int n, int registers, double now_s,
		 struct figures *figures)
{
	for (int i = 0; i < n; i++) {
		if (now_s < all[i].due_s)
			continue;
		figures->late += all[i].asked || now_s - all[i].due_s > 0.1;
		all[i].due_s += 1;
		if (!all[i].asked)
			ask(&all[i], registers);
	}
}

static void hear(struct instrument *i, int registers, struct figures *figures)
{
	ssize_t n = recv(i->fd, i->reply, sizeof i->reply, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		die("recv");
	figures->wrong +=
		n != 9 + 2 * registers || (i->reply[0] << 8 | i->reply[1]) != i->transaction;
	figures->polls++;
	i->asked = false;
}

/* Serve until @until_s. */
static void serve(int epoll, struct instrument *all, int n, int registers, double until_s,
		  struct figures *figures)
{
	struct epoll_event events[BATCH];
	double next_s = bench_seconds();
	while (next_s < until_s) {
		int wait_ms = (int)((next_s - bench_seconds()) * 1e3 + 0.999);
		int ready = epoll_wait(epoll, events, BATCH, wait_ms > 0 ? wait_ms : 0);
		for (int i = 0; i < ready; i++)
			hear(events[i].data.ptr, registers, figures);
		double now_s = bench_seconds();
		if (now_s < next_s)
			continue;
		tick(all, n, registers, now_s, figures);
		while (next_s <= now_s)
			next_s += TICK_MS / 1e3;
	}
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 64;
	int port = atoi(argv[1]), n = atoi(argv[2]), registers = atoi(argv[3]);
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	long before = resident_bytes();
	struct instrument *all = calloc((size_t)n, sizeof *all);
	int epoll = epoll_create1(0);
	for (int i = 0; i < n; i++) {
		all[i].fd = dial(port);
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) < 0)
			die("epoll_ctl");
	}
	double begin_s = bench_seconds();
	for (int i = 0; i < n; i++)
		all[i].due_s = begin_s + (double)i / n;
	struct figures settling = {0}, figures = {0};
	serve(epoll, all, n, registers, begin_s + 2, &settling);
	double cpu = cpu_us();
	serve(epoll, all, n, registers, begin_s + 2 + atoi(argv[4]), &figures);
	if (figures.wrong > 0)
		fprintf(stderr, "%ld wrong replies\n", figures.wrong);
	printf("%ld %ld %.0f %ld\n", figures.polls, figures.late, cpu_us() - cpu,
	       resident_bytes() - before);
	return 0;
}
