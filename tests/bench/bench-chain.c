/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the chain adds to recording: CPU time a reading with it and without, for commits of
 * different sizes. The linker puts what is below between daybook and chain, so that one program
 * does both in turn; files lie in memory, as nothing here is about disks. What lies beside the
 * readings in a commit (the page of the links, and its place in the log) is in it.
 */
#include "store/daybook-chain.h"
#include "store/daybook.h"

#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MONITORS = 1000, READINGS = 200000, ROUNDS = 5, MOST = 4000 };

static bool chained;
static char factors[MONITORS][16];
static struct monitor monitors[MONITORS];
static const struct site site = {.id = "outfall-3", .n_monitors = MONITORS};
static struct reading batch[MOST];

void __real_day_chain_add(struct day_chain *chain, const struct chain_reading *readings, int n);
int __real_day_chain_link(struct day_chain *chain, sqlite3 *db, struct chain_head *out);
void __wrap_day_chain_add(struct day_chain *chain, const struct chain_reading *readings, int n);
int __wrap_day_chain_link(struct day_chain *chain, sqlite3 *db, struct chain_head *out);

void __wrap_day_chain_add(struct day_chain *chain, const struct chain_reading *readings, int n)
{
	if (chained)
		__real_day_chain_add(chain, readings, n);
}

int __wrap_day_chain_link(struct day_chain *chain, sqlite3 *db, struct chain_head *out)
{
	if (chained)
		return __real_day_chain_link(chain, db, out);
	*out = chain->head;
	return 0;
}

static void must(int r, const char *what)
{
	if (r != 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static double cpu_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill(size_t n, uint64_t *seq)
{
	int64_t at_ms = 1767294245000 + (int64_t)*seq;
	for (size_t i = 0; i < n; i++)
		batch[i] = (struct reading){.seq = ++*seq,
					    .measured_ms = at_ms,
					    .received_ms = at_ms,
					    .value = (double)(*seq % 1000) / 10,
					    .raw = *seq,
					    .monitor = (uint32_t)(*seq % MONITORS),
					    .flag = 'N',
					    .has_value = true};
}

/* Microseconds of CPU a reading. */
static double run(size_t each)
{
	char directory[] = "/dev/shm/ducha-bench-XXXXXX", command[64];
	struct plan plan = {.node = "bench",
			    .sites = &site,
			    .n_sites = 1,
			    .monitors = monitors,
			    .n_monitors = MONITORS};
	struct daybook *daybook;
	uint64_t seq = 0;
	must(mkdtemp(directory) == NULL, "mkdtemp");
	must(daybook_open(&daybook, directory, &plan), "daybook");
	double spent = 0;
	while (seq < READINGS) {
		fill(each, &seq);
		double began = cpu_seconds();
		must(daybook_append(daybook, batch, each), "append");
		must(daybook_commit(daybook), "commit");
		spent += cpu_seconds() - began;
	}
	daybook_close(daybook);
	snprintf(command, sizeof command, "rm -rf %s", directory);
	must(system(command), "rm");
	return spent * 1e6 / READINGS;
}

static void compare(size_t each)
{
	double without[ROUNDS], with[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		chained = false;
		without[i] = run(each);
		chained = true;
		with[i] = run(each);
	}
	double plain = bench_percentile(without, ROUNDS, 0.5),
	       all = bench_percentile(with, ROUNDS, 0.5);
	printf("recording, %5zu readings a commit: %.3f us of CPU a reading, without the chain "
	       "%.3f, the chain %.3f\n",
	       each, all, plain, all - plain);
}

int main(void)
{
	static const size_t sizes[] = {8, 100, 1000, MOST};
	for (unsigned i = 0; i < MONITORS; i++) {
		snprintf(factors[i], sizeof factors[i], "w%05u", i);
		monitors[i] = (struct monitor){.connection = NO_INDEX, .factor = factors[i]};
	}
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		compare(sizes[i]);
	return 0;
}
