/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a store's daybook as the recorder would: fill-day DIRECTORY ROWS, of a thousand monitors
 * (site-0 … site-99, the factors of bench-daemon.py), each once a second, up to now.
 */
#include "store/daybook.h"

#include "bench.h"

#include <stdio.h>
#include <string.h>

enum { SITES = 100, FACTORS = 10, MONITORS = SITES * FACTORS, COMMIT_ROWS = 20000 };

static const char *const factors[FACTORS] = {"w01001", "w01009", "w01018", "w21003", "w21011",
					     "w21001", "w01019", "w01010", "w01012", "w00000"};
static const struct zone_change changes[] = {{0, 8 * 3600}};

static struct site sites[SITES];
static struct monitor monitors[MONITORS];
static char ids[SITES][16];
static struct reading batch[COMMIT_ROWS];

static void must(int r, const char *what)
{
	if (r != 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static void make_plan(struct plan *plan)
{
	for (uint32_t i = 0; i < SITES; i++) {
		snprintf(ids[i], sizeof ids[i], "site-%u", i);
		sites[i] = (struct site){
			.id = ids[i], .first_monitor = i * FACTORS, .n_monitors = FACTORS};
	}
	for (uint32_t i = 0; i < MONITORS; i++)
		monitors[i] = (struct monitor){.site = i / FACTORS,
					       .connection = NO_INDEX,
					       .factor = factors[i % FACTORS]};
	*plan = (struct plan){.node = "bench",
			      .zone = {.changes = changes, .n_changes = 1},
			      .sites = sites,
			      .n_sites = SITES,
			      .monitors = monitors,
			      .n_monitors = MONITORS};
}

static size_t fill(uint64_t *seq, uint64_t rows, int64_t end_ms)
{
	size_t n = 0;
	for (; n < COMMIT_ROWS && *seq < rows; n++, ++*seq) {
		int64_t ms = end_ms - (int64_t)(rows - *seq);
		batch[n] = (struct reading){.seq = *seq + 1,
					    .measured_ms = ms,
					    .received_ms = ms,
					    .value = 10 + (double)(*seq % 997) / 100,
					    .raw = *seq,
					    .monitor = (uint32_t)(*seq % MONITORS),
					    .flag = 'N',
					    .has_value = true};
	}
	return n;
}

int main(int argc, char **argv)
{
	struct plan plan;
	struct daybook *daybook;
	struct timespec now;
	uint64_t rows = argc == 3 ? strtoull(argv[2], NULL, 10) : 0, seq = 0;
	if (rows == 0) {
		fprintf(stderr, "usage: fill-day DIRECTORY ROWS\n");
		return 64;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t end_ms = (int64_t)now.tv_sec * 1000;
	make_plan(&plan);
	must(daybook_open(&daybook, argv[1], &plan), "daybook");
	for (size_t n; (n = fill(&seq, rows, end_ms)) > 0;) {
		must(daybook_append(daybook, batch, n), "append");
		must(daybook_commit(daybook), "commit");
	}
	daybook_close(daybook);
	return 0;
}
