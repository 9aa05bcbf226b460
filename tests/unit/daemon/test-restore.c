/* SPDX-License-Identifier: Apache-2.0 */
/* Restarts on real stores: lives of judge, daybook and ledger that end without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/clock.h"
#include "flow/door-keeper.h"
#include "restore.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct zone_change changes[] = {{0, 8 * 3600}};

/* One life of the daemon on a directory; the plan outlives it. */
struct town {
	char directory[64];
	struct limit limit;
	struct monitor monitor;
	struct site site;
	struct connection connection;
	struct plan plan;
	int64_t now_ms;
	uint64_t seq; /* of this life */
	struct daybook *daybook;
	struct ledger *ledger;
	struct rings rings;
	struct verdicts verdicts;
	struct judge *judge;
	struct metrics *metrics;
	struct door *door;
	_Atomic uint64_t heartbeat;
};

static int64_t recorded(void *context)
{
	return daybook_sequence(context);
}

static void begin(struct town *t)
{
	t->seq = 0;
	assert_int_equal(metrics_new(&t->metrics), 0);
	assert_int_equal(daybook_open(&t->daybook, t->directory, &t->plan), 0);
	assert_int_equal(ledger_open(&t->ledger, t->directory, &t->plan), 0);
	assert_int_equal(rings_init(&t->rings, 2, 256), 0);
	assert_int_equal(verdicts_init(&t->verdicts), 0);
	struct judge_setup setup = {.plan = &t->plan,
				    .rings = &t->rings,
				    .verdicts = &t->verdicts,
				    .boot = daybook_boot(t->daybook),
				    .recorded = recorded,
				    .context = t->daybook,
				    .heartbeat = &t->heartbeat};
	assert_int_equal(judge_new(&t->judge, &setup), 0);
	struct door_setup door = {.plan = &t->plan,
				  .rings = &t->rings,
				  .ring = 1,
				  .driver = "mqtt",
				  .remembered = 32,
				  .metrics = t->metrics};
	assert_int_equal(door_new(&t->door, &door), 0);
}

/* A kill: nothing is said any more, what was not committed is gone. */
static void end(struct town *t)
{
	door_free(t->door);
	judge_free(t->judge);
	verdicts_deinit(&t->verdicts);
	rings_deinit(&t->rings);
	ledger_close(t->ledger);
	daybook_close(t->daybook);
	metrics_free(t->metrics);
}

static void settle(struct town *t, bool keep)
{
	struct verdict_item *items;
	size_t n;
	verdicts_take(&t->verdicts, &items, &n);
	for (size_t i = 0; keep && i < n; i++)
		assert_int_equal(ledger_apply(t->ledger, &items[i].verdict, 1, t->now_ms, NULL), 0);
	free(items);
}

static void begin_again(struct town *t, struct door *pushed)
{
	struct restore_setup setup = {.plan = &t->plan,
				      .directory = t->directory,
				      .ledger = t->ledger,
				      .judge = t->judge,
				      .verdicts = &t->verdicts,
				      .pushed = pushed};
	assert_int_equal(restore(&setup), 0);
	settle(t, true);
}

static void restart(struct town *t)
{
	end(t);
	begin(t);
	begin_again(t, t->door);
}

static struct reading slot(struct town *t, enum slot_kind kind, int64_t ms, double value)
{
	return (struct reading){.seq = ++t->seq,
				.measured_ms = ms,
				.received_ms = ms,
				.received_mono_ns = ms * 1000000,
				.value = value,
				.kind = (uint8_t)kind,
				.flag = FLAG_NORMAL,
				.has_value = kind == SLOT_VALUE};
}

static void judge_slot(struct town *t, const struct reading *r, bool kept)
{
	evaluator_windows(judge_evaluator(t->judge), 0, r->received_ms);
	evaluator_feed(judge_evaluator(t->judge), r);
	settle(t, kept);
	if (!kept || r->kind != SLOT_VALUE)
		return;
	assert_int_equal(daybook_append(t->daybook, r, 1), 0);
	assert_int_equal(daybook_commit(t->daybook), 0);
}

static void read_at(struct town *t, int64_t ms, double value)
{
	struct reading r = slot(t, SLOT_VALUE, ms, value);
	judge_slot(t, &r, true);
}

static void link_at(struct town *t, int64_t ms, bool up)
{
	struct reading r = slot(t, up ? SLOT_LINK_UP : SLOT_LINK_DOWN, ms, 0);
	judge_slot(t, &r, true);
}

static void leave_snapshot(struct town *t, int64_t ms)
{
	struct evaluator *e = judge_evaluator(t->judge);
	struct judge_mark mark = {.boot = daybook_boot(t->daybook),
				  .recorded = daybook_sequence(t->daybook),
				  .alive_ms = ms};
	mark.recorded = mark.recorded > 8 ? mark.recorded - 8 : 0; /* the rings' size, in short */
	mark.seq[0] = t->seq;
	char *bytes = malloc(sizeof mark + evaluator_save_size(e));
	memcpy(bytes, &mark, sizeof mark);
	size_t size = sizeof mark + evaluator_save(e, bytes + sizeof mark);
	assert_int_equal(ledger_put(t->ledger, RESTORE_SNAPSHOT, bytes, size), 0);
	free(bytes);
}

/* All alerts as JSON, to be freed. */
static char *alerts(struct town *t)
{
	struct text out = {0};
	struct alert_filter filter = {.active = -1, .limit = 1000};
	assert_int_equal(ledger_alerts_json(t->ledger, &filter, &out), 0);
	return out.at;
}

static void assert_alerts_are(struct town *t, char *expected)
{
	char *now = alerts(t);
	assert_string_equal(now, expected);
	free(now);
	free(expected);
}

static void assert_alerts_have(struct town *t, const char *part)
{
	char *now = alerts(t);
	if (strstr(now, part) == NULL)
		fail_msg("%s lacks %s", now, part);
	free(now);
}

static size_t open_cases(struct town *t)
{
	return ledger_case_count(t->ledger, CASE_REGISTERED);
}

static int town_make(void **state)
{
	struct town *t = calloc(1, sizeof *t);
	strcpy(t->directory, "/tmp/ducha-restore-XXXXXX");
	if (mkdtemp(t->directory) == NULL)
		return -1;
	t->limit = (struct limit){.has_max = true,
				  .max = 50,
				  .opens_case = true,
				  .source = "permit 7",
				  .key = "instant:max=50"};
	t->monitor = (struct monitor){.factor = "w01018",
				      .factor_name = "COD",
				      .unit = "mg/L",
				      .interval_ms = 1000,
				      .stale_after_ms = 60000,
				      .limits = &t->limit,
				      .n_limits = 1};
	t->site = (struct site){.id = "outfall-3",
				.name = "Outfall 3",
				.kind = SITE_OUTFALL,
				.opens = (1u << ALERT_KINDS) - 1,
				.n_monitors = 1};
	t->connection = (struct connection){"line", "mqtt"};
	t->plan = (struct plan){.node = "edge-01",
				.case_prefix = "T",
				.case_number = "{prefix}{year}{seq}",
				.language = "en",
				.zone = {changes, 1},
				.sites = &t->site,
				.n_sites = 1,
				.monitors = &t->monitor,
				.n_monitors = 1,
				.connections = &t->connection,
				.n_connections = 1};
	t->now_ms = clock_wall_ms();
	begin(t);
	*state = t;
	return 0;
}

static int unlink_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int town_remove(void **state)
{
	struct town *t = *state;
	end(t);
	nftw(t->directory, unlink_one, 8, FTW_DEPTH | FTW_PHYS);
	free(t);
	return 0;
}

/* --- what is not on record --- */

static void test_an_outage_that_ended_before_the_kill_is_no_silence_afterwards(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 3600000, 10);
	link_at(t, t->now_ms - 3590000, false);
	leave_snapshot(t, t->now_ms - 20000);
	link_at(t, t->now_ms - 10000, true);
	read_at(t, t->now_ms - 9990, 10);
	char *before = alerts(t);
	restart(t);
	assert_alerts_are(t, before);
	assert_null(strstr((before = alerts(t)), "\"stale\""));
	free(before);
	assert_int_equal(ledger_active_count(t->ledger, ALERT_STALE), 0);
}

static void test_an_outage_that_lasts_at_the_kill_is_no_silence_afterwards(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 3600000, 10);
	link_at(t, t->now_ms - 3590000, false);
	leave_snapshot(t, t->now_ms - 20000);
	struct reading r = slot(t, SLOT_VALUE, t->now_ms - 10000, 0);
	r.flag = FLAG_COMMUNICATION;
	r.has_value = false;
	judge_slot(t, &r, true);
	size_t cases = open_cases(t);
	char *before = alerts(t);
	restart(t);
	assert_alerts_are(t, before);
	assert_int_equal(open_cases(t), cases);
	assert_int_equal(ledger_active_count(t->ledger, ALERT_STALE), 0);
}

/* --- what was recorded, and died before it was judged --- */

static void record(struct town *t, uint32_t monitor, double value, enum flag flag)
{
	struct reading r = slot(t, SLOT_VALUE, t->now_ms - 5000, value);
	r.monitor = monitor;
	r.flag = (uint8_t)flag;
	assert_int_equal(daybook_append(t->daybook, &r, 1), 0);
	assert_int_equal(daybook_commit(t->daybook), 0);
}

/* A plan of three probes at one connection in place of the one: what is beside the first. */
static void place_three(struct town *t)
{
	static const char *const factors[] = {"w01001", "w01014", "w01003"};
	static struct monitor three[3];
	t->limit = (struct limit){
		.has_min = true, .min = 6, .source = "permit 7", .key = "instant:min=6"};
	for (size_t i = 0; i < 3; i++) {
		three[i] = t->monitor;
		three[i].factor = factors[i];
		three[i].seen_beside = true;
		three[i].n_limits = i == 0;
	}
	three[0].low_beside = true;
	three[1].has_nothing = true;
	t->plan.monitors = three;
	t->plan.n_monitors = t->site.n_monitors = 3;
}

static void test_a_dead_loop_among_dead_loops_is_a_clue_by_what_was_recorded(void **state)
{
	struct town *t = *state;
	end(t);
	place_three(t);
	begin(t);
	leave_snapshot(t, t->now_ms - 20000);
	record(t, 1, 0, FLAG_NORMAL);
	record(t, 2, 0, FLAG_NORMAL);
	record(t, 0, 4, FLAG_FAULT);
	restart(t);
	assert_alerts_have(t, "\"reason\":\"under_range\"");
}

static void test_a_fault_beside_water_is_the_instruments_own(void **state)
{
	struct town *t = *state;
	end(t);
	place_three(t);
	begin(t);
	leave_snapshot(t, t->now_ms - 20000);
	record(t, 1, 412, FLAG_NORMAL);
	record(t, 2, 0, FLAG_NORMAL);
	record(t, 0, 4, FLAG_FAULT);
	restart(t);
	char *said = alerts(t);
	assert_null(strstr(said, "under_range"));
	free(said);
}

/* --- without a snapshot --- */

static void test_without_a_snapshot_old_readings_raise_nothing(void **state)
{
	struct town *t = *state;
	for (int i = 0; i < 5; i++) {
		struct reading r = slot(t, SLOT_VALUE, t->now_ms - 50000 + i * 1000, 60);
		judge_slot(t, &r, true);
	}
	struct text out = {0};
	struct case_order order = {
		.action = ACTION_WITHDRAW, .by = "p", .note = "n", .reason = "duplicate"};
	assert_int_equal(ledger_act(t->ledger, 1, &order, t->now_ms, &out), 0);
	text_deinit(&out);
	read_at(t, t->now_ms - 40000, 10);
	for (int i = 0; i < 3; i++) { /* rows whose verdicts the ledger never heard */
		struct reading r = slot(t, SLOT_VALUE, t->now_ms - 30000 + i * 1000, 60);
		assert_int_equal(daybook_append(t->daybook, &r, 1), 0);
	}
	assert_int_equal(daybook_commit(t->daybook), 0);
	char *before = alerts(t);
	restart(t);
	assert_alerts_are(t, before);
	assert_int_equal(open_cases(t), 0);
	read_at(t, t->now_ms - 20000, 60); /* what lasts */
	assert_int_equal(ledger_active_count(t->ledger, ALERT_EXCEEDANCE), 1);
	assert_int_equal(open_cases(t), 1);
}

static void test_without_a_snapshot_an_open_alert_stays_as_it_is(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 50000, 60);
	read_at(t, t->now_ms - 40000, 60);
	char *before = alerts(t);
	restart(t);
	assert_alerts_are(t, before);
	assert_int_equal(open_cases(t), 1);
	read_at(t, t->now_ms - 20000, 60);
	assert_int_equal(ledger_active_count(t->ledger, ALERT_EXCEEDANCE), 1);
	read_at(t, t->now_ms - 10000, 10);
	assert_int_equal(ledger_active_count(t->ledger, ALERT_EXCEEDANCE), 0);
}

static void test_without_a_snapshot_downtime_is_no_silence(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 7200000, 10);
	restart(t);
	evaluator_tick(judge_evaluator(t->judge), clock_wall_ms(), clock_mono_ns());
	settle(t, true);
	assert_int_equal(ledger_active_count(t->ledger, ALERT_STALE), 0);
}

/* --- clock and configuration --- */

static void test_a_clock_that_ran_ahead_makes_nothing_late(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms + INT64_C(315360000000), 10);
	leave_snapshot(t, t->now_ms + INT64_C(315360000000));
	restart(t);
	read_at(t, t->now_ms + 60000, 99);
	assert_int_equal(ledger_active_count(t->ledger, ALERT_EXCEEDANCE), 1);
}

static void close_case(struct town *t)
{
	static const enum case_action way[] = {ACTION_ASSIGN, ACTION_PLAN, ACTION_RECTIFIED,
					       ACTION_CLOSE};
	for (size_t i = 0; i < 4; i++) {
		struct text out = {0};
		struct case_order order = {.action = way[i], .by = "p", .note = "n", .unit = "u"};
		assert_int_equal(ledger_act(t->ledger, 1, &order, t->now_ms, &out), 0);
		text_deinit(&out);
	}
}

static void assert_cleared_by_configuration(struct town *t, enum alert_kind kind,
					    const char *reason)
{
	assert_int_equal(ledger_active_count(t->ledger, kind), 1);
	leave_snapshot(t, t->now_ms - 1500);
	struct monitor *m = &t->monitor;
	m->max_step = m->flat_band = 0;
	m->flat_after_ms = m->stale_after_ms = 0;
	m->has_range = false;
	t->limit.warn_at = 0;
	restart(t);
	assert_int_equal(ledger_active_count(t->ledger, kind), 0);
	assert_alerts_have(t, reason);
	close_case(t);
}

static void test_a_warning_ends_with_its_level(void **state)
{
	struct town *t = *state;
	t->limit.warn_at = 0.9;
	restart(t); /* levels are made once in a life */
	read_at(t, t->now_ms - 2000, 47);
	assert_cleared_by_configuration(t, ALERT_WARNING, "\"reason\":\"configuration\"");
}

static void test_a_step_ends_with_its_check(void **state)
{
	struct town *t = *state;
	t->monitor.max_step = 5;
	restart(t); /* what is judged is settled once in a life */
	read_at(t, t->now_ms - 3000, 10);
	read_at(t, t->now_ms - 2000, 40);
	assert_cleared_by_configuration(t, ALERT_STEP, "\"reason\":\"configuration\"");
}

static void test_a_flat_signal_ends_with_its_check(void **state)
{
	struct town *t = *state;
	t->monitor.flat_after_ms = 10000;
	restart(t);
	read_at(t, t->now_ms - 13000, 10);
	read_at(t, t->now_ms - 2000, 10);
	assert_cleared_by_configuration(t, ALERT_FLAT, "\"reason\":\"configuration\"");
}

static void test_a_clue_ends_with_its_range(void **state)
{
	struct town *t = *state;
	t->monitor.has_range = true;
	t->monitor.range_high = 100;
	restart(t);
	struct reading r = slot(t, SLOT_VALUE, t->now_ms - 2000, 110);
	r.flag = FLAG_OVER_RANGE;
	judge_slot(t, &r, true);
	assert_cleared_by_configuration(t, ALERT_CLUE, "\"cleared_at\":\"2");
}

static void test_a_silence_ends_with_its_check(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 100000, 10);
	evaluator_clock(judge_evaluator(t->judge), 0, t->now_ms - 2000,
			(t->now_ms - 2000) * 1000000, true);
	settle(t, true);
	assert_cleared_by_configuration(t, ALERT_STALE, "\"reason\":\"configuration\"");
}

static void test_an_exceedance_ends_with_its_limit(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 2000, 60);
	t->limit.max = 80;
	t->limit.key = "instant:max=80";
	assert_cleared_by_configuration(t, ALERT_EXCEEDANCE, "\"reason\":\"configuration\"");
}

/* --- senders --- */

static void test_a_sample_of_an_earlier_life_is_a_duplicate(void **state)
{
	struct town *t = *state;
	read_at(t, t->now_ms - 2000, 12);
	restart(t);
	struct sample sample = {.has_time = true,
				.measured_ms = t->now_ms - 2000,
				.has_value = true,
				.value = 12,
				.flag = FLAG_NORMAL};
	assert_int_equal(door_submit(t->door, &sample, NULL), DOOR_DUPLICATE);
	sample.value = 13;
	assert_int_equal(door_submit(t->door, &sample, NULL), DOOR_TAKEN);
}

/* --- how much of the day is read --- */

enum { BATCH = 10000, BEHIND = 500 };

/* @n readings of before, a millisecond apart, on disk and judged. */
static void fill_day(struct town *t, size_t n)
{
	static struct reading batch[BATCH];
	for (size_t done = 0; done < n; done += BATCH) {
		for (size_t i = 0; i < BATCH; i++)
			batch[i] =
				slot(t, SLOT_VALUE, t->now_ms - 3600000 + (int64_t)(done + i), 12);
		assert_int_equal(daybook_append(t->daybook, batch, BATCH), 0);
		assert_int_equal(daybook_commit(t->daybook), 0);
	}
}

static long long bytes_read(void)
{
	long long n = -1;
	FILE *io = fopen("/proc/self/io", "re");
	assert_non_null(io);
	assert_int_equal(fscanf(io, "rchar: %lld", &n), 1);
	fclose(io);
	return n;
}

/* With an exceedance behind the kept state, which must not be missed for the hurry. */
static long long bytes_of_a_restart(struct town *t)
{
	leave_snapshot(t, t->now_ms);
	for (int i = 0; i < BEHIND; i++) {
		struct reading r = slot(t, SLOT_VALUE, t->now_ms + i, i == BEHIND / 2 ? 61 : 12);
		assert_int_equal(daybook_append(t->daybook, &r, 1), 0);
	}
	assert_int_equal(daybook_commit(t->daybook), 0);
	t->now_ms += BEHIND;
	end(t);
	long long before = bytes_read();
	begin(t);
	begin_again(t, NULL);
	return bytes_read() - before;
}

static void test_a_long_day_is_taken_up_by_reading_no_more_than_of_a_short_one(void **state)
{
	struct town *t = *state;
	fill_day(t, 2 * BATCH);
	long long of_short = bytes_of_a_restart(t);
	assert_int_equal(open_cases(t), 1);
	fill_day(t, 20 * BATCH);
	long long of_long = bytes_of_a_restart(t);
	if (of_long > of_short + of_short / 2)
		fail_msg("%lld bytes read where a tenth of the rows took %lld", of_long, of_short);
}

#define town_test(f) cmocka_unit_test_setup_teardown(f, town_make, town_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		town_test(test_an_outage_that_ended_before_the_kill_is_no_silence_afterwards),
		town_test(test_an_outage_that_lasts_at_the_kill_is_no_silence_afterwards),
		town_test(test_a_dead_loop_among_dead_loops_is_a_clue_by_what_was_recorded),
		town_test(test_a_fault_beside_water_is_the_instruments_own),
		town_test(test_without_a_snapshot_old_readings_raise_nothing),
		town_test(test_without_a_snapshot_an_open_alert_stays_as_it_is),
		town_test(test_without_a_snapshot_downtime_is_no_silence),
		town_test(test_a_clock_that_ran_ahead_makes_nothing_late),
		town_test(test_a_warning_ends_with_its_level),
		town_test(test_a_step_ends_with_its_check),
		town_test(test_a_flat_signal_ends_with_its_check),
		town_test(test_a_clue_ends_with_its_range),
		town_test(test_a_silence_ends_with_its_check),
		town_test(test_an_exceedance_ends_with_its_limit),
		town_test(test_a_sample_of_an_earlier_life_is_a_duplicate),
		town_test(test_a_long_day_is_taken_up_by_reading_no_more_than_of_a_short_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
