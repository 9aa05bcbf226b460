/* SPDX-License-Identifier: Apache-2.0 */
/* What a line costs: CPU time to write one reading as line protocol, as a batch does. */
#include "bench.h"
#include "core/line.h"
#include "core/text.h"

#include <math.h>
#include <stdio.h>

enum { ROUNDS = 50, BATCH = 5000, BATCHES = 20 };

static const struct site site = {.id = "outfall-3", .kind = SITE_OUTFALL};
static const struct monitor monitor = {.factor = "w01018"};
static const struct plan plan = {.node = "wuhua-edge-01",
				 .sites = &site,
				 .n_sites = 1,
				 .monitors = &monitor,
				 .n_monitors = 1};

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *const kinds[] = {"two decimals", "float32", "17 digits", "traces"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* As instruments give them: two decimals, a float32 widened, all of a double, a float32 below 0.1.
 */
static double value_of(int kind, int i)
{
	double plain = (double)(i % 9973) / 100;
	const double values[KINDS] = {plain, (float)plain, sqrt(plain + 1), (float)(plain / 1000)};
	return values[kind];
}

static double measure(int kind)
{
	struct text text = {0}, series = {0};
	line_series(&series, &plan, 0);
	struct reading reading = {.has_value = true, .flag = FLAG_NORMAL};
	double began = cpu_seconds();
	for (int b = 0; b < BATCHES; b++) {
		text_clear(&text);
		for (int i = 0; i < BATCH; i++) {
			reading.value = value_of(kind, i);
			reading.measured_ms = 1767225600000 + i;
			text_add_n(&text, series.at, series.length);
			line_point(&text, &reading);
		}
	}
	double took = cpu_seconds() - began;
	text_deinit(&text);
	text_deinit(&series);
	return took * 1e9 / ((double)BATCH * BATCHES);
}

int main(void)
{
	for (int kind = 0; kind < KINDS; kind++) {
		double took[ROUNDS];
		for (int round = 0; round < ROUNDS; round++)
			took[round] = measure(kind);
		double median = bench_percentile(took, ROUNDS, 0.5); /* sorts */
		printf("%-12s  %6.1f ns a line in the quietest round, median %.1f\n", kinds[kind],
		       took[0], median);
	}
	return 0;
}
