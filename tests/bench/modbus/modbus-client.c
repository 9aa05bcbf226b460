/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common way: a loop over libmodbus contexts, each asked once a second, one after the other.
 *
 * modbus-client PORT INSTRUMENTS REGISTERS SECONDS
 * Says what raw-client says. libmodbus aborts at the 1,024th descriptor, so at most 900 are taken.
 */
#include "bench.h"

#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST = 900 };

static double cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static modbus_t *dial(int port)
{
	modbus_t *one = modbus_new_tcp("127.0.0.1", port);
	if (one == NULL || modbus_connect(one) != 0) {
		fprintf(stderr, "libmodbus: %s\n", modbus_strerror(errno));
		exit(1);
	}
	modbus_set_slave(one, 1);
	return one;
}

static void until(double when_s)
{
	double left_s = when_s - bench_seconds();
	if (left_s > 0)
		usleep((useconds_t)(left_s * 1e6));
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 64;
	int port = atoi(argv[1]), n = atoi(argv[2]), registers = atoi(argv[3]);
	n = n < MOST ? n : MOST;
	modbus_t *all[MOST];
	for (int i = 0; i < n; i++)
		all[i] = dial(port);
	long polls = 0, late = 0;
	double begin_s = bench_seconds(), cpu = cpu_us(), sum = 0;
	for (int second = 0; second < atoi(argv[4]); second++) {
		until(begin_s + second);
		late += bench_seconds() - begin_s - second > 0.1 ? n : 0;
		for (int i = 0; i < n; i++) {
			uint16_t words[125];
			if (modbus_read_registers(all[i], 0, registers, words) != registers)
				continue;
			polls++;
			for (int w = 0; w + 1 < registers; w += 2)
				sum += (double)modbus_get_float_abcd(&words[w]);
		}
	}
	if (sum < 0)
		fprintf(stderr, "what the fleet shows is never negative\n");
	printf("%ld %ld %.0f 0\n", polls, late, cpu_us() - cpu);
	return 0;
}
