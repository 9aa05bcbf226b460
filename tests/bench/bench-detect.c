/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detection: from the receipt of the reading that raises to its case committed, through the real
 * door, ring, judge, clerk and ledger, with the recorder writing its daybook beside, all on the
 * disk of the present folder. Between the raises, a bare commit of one row with the ledger's
 * settings on the same folder shows what the disk alone costs.
 */
#include "core/text.h"
#include "flow/clerk.h"
#include "flow/clock.h"
#include "flow/door-keeper.h"
#include "flow/judge.h"
#include "flow/recorder.h"
#include "store/daybook.h"
#include "store/ledger.h"

#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { RAISES = 300 };

static const struct limit limits[] = {
	{.has_max = true, .max = 50, .opens_case = true, .source = "configuration", .key = "a"}};

struct bench {
	char directory[64], factors[RAISES][16];
	struct monitor monitors[RAISES];
	struct site site;
	struct plan plan;
	struct rings rings;
	struct verdicts verdicts;
	struct metrics *metrics;
	struct daybook *daybook;
	struct ledger *ledger;
	struct door *door;
	struct judge *judge;
	struct recorder *recorder;
	struct clerk *clerk;
	sqlite3 *bare;
	_Atomic uint64_t beat;
	_Atomic int64_t committed_ns;
	double detection_ms[RAISES], bare_ms[RAISES];
};

static void must(int r, const char *what)
{
	if (r != 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static int append(void *context, const struct reading *readings, size_t n)
{
	return daybook_append(((struct bench *)context)->daybook, readings, n);
}

static int commit_rows(void *context)
{
	return daybook_commit(((struct bench *)context)->daybook);
}

static int64_t recorded(void *context)
{
	return daybook_sequence(((struct bench *)context)->daybook);
}

static int commit(void *context, const struct verdict *verdicts, size_t n, int64_t *opened)
{
	struct bench *b = context;
	int r = ledger_apply(b->ledger, verdicts, n, clock_wall_ms(), opened);
	if (r == 0 && opened[0] != 0)
		atomic_store(&b->committed_ns, clock_mono_ns());
	return r;
}

static int keep(void *context, const void *snapshot, size_t size)
{
	return ledger_put(((struct bench *)context)->ledger, "judge", snapshot, size);
}

static void announce(void *context, const struct verdict *verdict, int64_t opened)
{
	(void)context;
	(void)verdict;
	(void)opened;
}

static void fatal(void *context)
{
	(void)context;
	exit(1);
}

static void make_plan(struct bench *b)
{
	for (uint32_t i = 0; i < RAISES; i++) {
		snprintf(b->factors[i], sizeof b->factors[i], "w%05u", i);
		b->monitors[i] = (struct monitor){.connection = NO_INDEX,
						  .factor = b->factors[i],
						  .factor_name = b->factors[i],
						  .unit = "mg/L",
						  .limits = limits,
						  .n_limits = 1};
	}
	b->site = (struct site){
		.id = "outfall-3", .name = "outfall", .kind = SITE_OUTFALL, .n_monitors = RAISES};
	b->plan = (struct plan){.node = "bench",
				.office = "office",
				.case_prefix = "B",
				.case_number = "{prefix}-{year}-{seq}",
				.language = "en",
				.sites = &b->site,
				.n_sites = 1,
				.monitors = b->monitors,
				.n_monitors = RAISES};
}

static void open_stores(struct bench *b)
{
	char path[128];
	snprintf(b->directory, sizeof b->directory, "ducha-bench-XXXXXX");
	must(mkdtemp(b->directory) == NULL, "mkdtemp");
	must(daybook_open(&b->daybook, b->directory, &b->plan), "daybook");
	must(ledger_open(&b->ledger, b->directory, &b->plan), "ledger");
	snprintf(path, sizeof path, "%s/bare.db", b->directory);
	must(sqlite3_open(path, &b->bare), "bare");
	must(sqlite3_exec(b->bare,
			  "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=EXTRA;"
			  "CREATE TABLE t(at INTEGER, text TEXT)",
			  NULL, NULL, NULL),
	     "bare");
}

static void start(struct bench *b)
{
	must(metrics_new(&b->metrics), "metrics");
	must(rings_init(&b->rings, 1, 8192), "rings");
	must(verdicts_init(&b->verdicts), "verdicts");
	struct door_setup door = {.plan = &b->plan,
				  .rings = &b->rings,
				  .driver = "bench",
				  .remembered = 1,
				  .metrics = b->metrics};
	must(door_new(&b->door, &door), "door");
	struct judge_setup judge = {.plan = &b->plan,
				    .rings = &b->rings,
				    .verdicts = &b->verdicts,
				    .recorded = recorded,
				    .context = b,
				    .heartbeat = &b->beat};
	must(judge_new(&b->judge, &judge), "judge");
	struct recorder_setup recorder = {.rings = &b->rings,
					  .n_monitors = RAISES,
					  .flush_ms = 100,
					  .append = append,
					  .commit = commit_rows,
					  .fatal = fatal,
					  .context = b,
					  .metrics = b->metrics,
					  .heartbeat = &b->beat};
	must(recorder_new(&b->recorder, &recorder), "recorder");
	struct clerk_setup clerk = {.verdicts = &b->verdicts,
				    .commit = commit,
				    .keep = keep,
				    .announce = announce,
				    .fatal = fatal,
				    .context = b,
				    .metrics = b->metrics,
				    .heartbeat = &b->beat};
	must(clerk_new(&b->clerk, &clerk), "clerk");
	must(clerk_start(b->clerk), "clerk");
	must(recorder_start(b->recorder), "recorder");
	must(judge_start(b->judge), "judge");
}

static void end(struct bench *b)
{
	recorder_stop(b->recorder);
	judge_stop(b->judge);
	clerk_join(b->clerk);
	clerk_free(b->clerk);
	recorder_free(b->recorder);
	judge_free(b->judge);
	door_free(b->door);
	verdicts_deinit(&b->verdicts);
	rings_deinit(&b->rings);
	metrics_free(b->metrics);
	ledger_close(b->ledger);
	daybook_close(b->daybook);
	sqlite3_close(b->bare);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static double raise(struct bench *b, uint32_t monitor)
{
	struct sample sample = {
		.monitor = monitor, .has_value = true, .value = 61.3, .flag = FLAG_NORMAL};
	atomic_store(&b->committed_ns, 0);
	int64_t began_ns = clock_mono_ns(), committed_ns;
	must(door_submit(b->door, &sample, NULL) == DOOR_TAKEN ? 0 : 1, "submit");
	door_flush(b->door);
	while ((committed_ns = atomic_load(&b->committed_ns)) == 0)
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	return (double)(committed_ns - began_ns) / 1e6;
}

static double bare_commit(struct bench *b)
{
	double began = bench_seconds();
	must(sqlite3_exec(b->bare, "INSERT INTO t VALUES(1767294245000, 'one row')", NULL, NULL,
			  NULL),
	     "bare");
	return (bench_seconds() - began) * 1e3;
}

static void say(const char *what, double *values)
{
	double half = bench_percentile(values, RAISES, 0.5);
	printf("%s: p50 %.2f ms, p99 %.2f ms, worst %.2f ms\n", what, half,
	       bench_percentile(values, RAISES, 0.99), values[RAISES - 1]);
}

int main(void)
{
	static struct bench b;
	char command[128];
	make_plan(&b);
	open_stores(&b);
	start(&b);
	pause_ms(300);
	for (uint32_t i = 0; i < RAISES; i++) {
		b.detection_ms[i] = raise(&b, i);
		b.bare_ms[i] = bare_commit(&b);
		pause_ms(3 + i % 11);
	}
	end(&b);
	say("receipt to case committed", b.detection_ms);
	say("bare commit of one row", b.bare_ms);
	printf("%d raises, each a case of its own; p99 ratio %.2f\n", RAISES,
	       bench_percentile(b.detection_ms, RAISES, 0.99) /
		       bench_percentile(b.bare_ms, RAISES, 0.99));
	snprintf(command, sizeof command, "rm -rf %s", b.directory);
	return system(command) == 0 ? 0 : 1;
}
