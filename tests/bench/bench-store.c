/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Daybook: rows per second when batches of different sizes are appended and committed, in the
 * present folder.
 */
#include "store/daybook.h"

#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MONITORS = 1000, BATCH_MAX = 20000 };

static char factors[MONITORS][16];
static struct monitor monitors[MONITORS];
static struct reading batch[BATCH_MAX];

static void must(int r, const char *what)
{
	if (r != 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static int64_t wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fill(size_t n, uint64_t *seq)
{
	int64_t now_ms = wall_ms();
	for (size_t i = 0; i < n; i++)
		batch[i] = (struct reading){.seq = ++*seq,
					    .measured_ms = now_ms,
					    .received_ms = now_ms,
					    .value = (double)(*seq % 1000) / 10,
					    .raw = *seq,
					    .monitor = (uint32_t)(*seq % MONITORS),
					    .flag = 'N',
					    .has_value = true};
}

static void run(struct daybook *daybook, size_t rows, double seconds, uint64_t *seq)
{
	uint64_t done = 0, commits = 0;
	double began = bench_seconds(), lasted;
	do {
		fill(rows, seq);
		must(daybook_append(daybook, batch, rows), "append");
		must(daybook_commit(daybook), "commit");
		done += rows;
		commits++;
	} while ((lasted = bench_seconds() - began) < seconds);
	printf("daybook, %5zu rows a commit: %.0f rows/s, %.2f ms a commit\n", rows,
	       (double)done / lasted, lasted * 1e3 / (double)commits);
}

int main(void)
{
	static const size_t sizes[] = {1, 100, 1000, BATCH_MAX};
	static const struct site site = {.id = "outfall-3", .n_monitors = MONITORS};
	struct plan plan = {.node = "bench",
			    .sites = &site,
			    .n_sites = 1,
			    .monitors = monitors,
			    .n_monitors = MONITORS};
	char directory[] = "ducha-bench-XXXXXX", command[64];
	struct daybook *daybook;
	uint64_t seq = 0;
	for (unsigned i = 0; i < MONITORS; i++) {
		snprintf(factors[i], sizeof factors[i], "w%05u", i);
		monitors[i] = (struct monitor){.connection = NO_INDEX, .factor = factors[i]};
	}
	must(mkdtemp(directory) == NULL, "mkdtemp");
	must(daybook_open(&daybook, directory, &plan), "daybook");
	for (int i = 0; i < 4; i++)
		run(daybook, sizes[i], 2, &seq);
	daybook_close(daybook);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	return system(command) == 0 ? 0 : 1;
}
