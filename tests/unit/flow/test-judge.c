/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/caserules.h"
#include "flow/clerk.h"
#include "flow/clock.h"
#include "flow/judge.h"
#include "patience.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096, KEPT = 8192 };

static const struct limit limits[] = {{.has_max = true, .max = 50, .key = "a"}};

/* Judge and clerk with an office that keeps what they bring, and refuses it on demand. */
struct court {
	struct monitor monitor;
	struct site site;
	struct plan plan;
	struct rings rings;
	struct verdicts verdicts;
	struct metrics *metrics;
	struct judge *judge;
	struct clerk *clerk;
	uint64_t seq;
	_Atomic uint64_t judge_beat, clerk_beat;

	pthread_mutex_t lock;
	struct verdict committed[KEPT], announced[KEPT];
	size_t n_committed, n_announced, announced_early;
	size_t attempts, refuse; /* how many attempts are still refused */
	int refusal;
	size_t snapshots, committed_before_snapshot;
	unsigned char *snapshot;
	size_t snapshot_size;
	int fatals;
	bool (*fault)(void *context, enum own_fault fault);
	size_t looks; /* how often all faults were asked for */
};

static int commit(void *context, const struct verdict *verdicts, size_t n, int64_t *opened)
{
	struct court *c = context;
	int result = 0;
	pthread_mutex_lock(&c->lock);
	c->attempts++;
	if (c->refuse > 0) {
		c->refuse--;
		result = c->refusal;
	}
	for (size_t i = 0; i < n && result == 0; i++) {
		c->committed[c->n_committed++] = verdicts[i];
		opened[i] = verdicts[i].type == VERDICT_RAISED ? (int64_t)c->n_committed : 0;
	}
	pthread_mutex_unlock(&c->lock);
	return result;
}

static int keep(void *context, const void *snapshot, size_t size)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	free(c->snapshot);
	c->snapshot = malloc(size);
	memcpy(c->snapshot, snapshot, size);
	c->snapshot_size = size;
	c->snapshots++;
	c->committed_before_snapshot = c->n_committed;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

static void announce(void *context, const struct verdict *verdict, int64_t opened)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	if (c->n_announced >= c->n_committed || (opened == 0) != (verdict->type != VERDICT_RAISED))
		c->announced_early++;
	c->announced[c->n_announced++] = *verdict;
	pthread_mutex_unlock(&c->lock);
}

static void fatal(void *context)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	c->fatals++;
	pthread_mutex_unlock(&c->lock);
}

static int64_t recorded(void *context)
{
	(void)context;
	return SLOTS + 7;
}

static int make(void **state)
{
	struct court *c = calloc(1, sizeof *c);
	*state = c;
	c->monitor = (struct monitor){
		.factor = "w01018", .connection = NO_INDEX, .limits = limits, .n_limits = 1};
	c->site = (struct site){.id = "outfall-3", .n_monitors = 1};
	c->plan = (struct plan){
		.sites = &c->site, .n_sites = 1, .monitors = &c->monitor, .n_monitors = 1};
	pthread_mutex_init(&c->lock, NULL);
	return rings_init(&c->rings, 1, SLOTS) < 0 || verdicts_init(&c->verdicts) < 0 ||
			       metrics_new(&c->metrics) < 0
		       ? -1
		       : 0;
}

static void start_clerk(struct court *c)
{
	struct clerk_setup setup = {.verdicts = &c->verdicts,
				    .commit = commit,
				    .keep = keep,
				    .announce = announce,
				    .fatal = fatal,
				    .context = c,
				    .metrics = c->metrics,
				    .heartbeat = &c->clerk_beat};
	assert_int_equal(clerk_new(&c->clerk, &setup), 0);
	assert_int_equal(clerk_start(c->clerk), 0);
}

static void start(struct court *c)
{
	struct judge_setup setup = {.plan = &c->plan,
				    .rings = &c->rings,
				    .verdicts = &c->verdicts,
				    .boot = 3,
				    .recorded = recorded,
				    .fault = c->fault,
				    .context = c,
				    .heartbeat = &c->judge_beat};
	assert_int_equal(judge_new(&c->judge, &setup), 0);
	start_clerk(c);
	assert_int_equal(judge_start(c->judge), 0);
}

static void stop(struct court *c)
{
	judge_stop(c->judge);
	clerk_join(c->clerk);
}

static int discard(void **state)
{
	struct court *c = *state;
	judge_free(c->judge);
	clerk_free(c->clerk);
	verdicts_deinit(&c->verdicts);
	rings_deinit(&c->rings);
	metrics_free(c->metrics);
	pthread_mutex_destroy(&c->lock);
	free(c->snapshot);
	free(c);
	return 0;
}

static void push(struct court *c, double value)
{
	size_t n;
	struct reading r = {.seq = ++c->seq,
			    .measured_ms = 1767294000000 + (int64_t)c->seq * 1000,
			    .received_ms = clock_wall_ms(),
			    .received_mono_ns = clock_mono_ns(),
			    .flag = FLAG_NORMAL,
			    .has_value = true,
			    .value = value};
	assert_true(ring_push(&c->rings.at[0], &r));
	ring_peek(&c->rings.at[0], RING_RECORDER, &n);
	ring_take(&c->rings.at[0], RING_RECORDER, n);
	ring_release(&c->rings.at[0], RING_RECORDER);
	bell_ring(&c->rings.judge);
}

static bool one_announced(void *context)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	bool one = c->n_announced >= 1;
	pthread_mutex_unlock(&c->lock);
	return one;
}

static bool refused_thrice(void *context)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	bool thrice = c->attempts >= 3;
	pthread_mutex_unlock(&c->lock);
	return thrice;
}

static bool is_fatal(void *context)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	bool fatal_said = c->fatals > 0;
	pthread_mutex_unlock(&c->lock);
	return fatal_said;
}

static void expect_alternating(const struct verdict *verdicts, size_t n, size_t expected)
{
	assert_int_equal(n, expected);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(verdicts[i].type, i % 2 == 0 ? VERDICT_RAISED : VERDICT_CLEARED);
		assert_int_equal(verdicts[i].time_ms, 1767294000000 + (int64_t)(i + 1) * 1000);
	}
}

static void test_a_raise_is_committed_and_only_then_announced(void **state)
{
	struct court *c = *state;
	start(c);
	push(c, 51);
	assert_true(wait_for(one_announced, c));
	stop(c);
	expect_alternating(c->committed, c->n_committed, 1);
	assert_int_equal(c->n_announced, 1);
	assert_int_equal(c->announced_early, 0);
	struct histogram *h = metrics_histogram(c->metrics, "ducha_detection_seconds", "", "");
	uint64_t observed = 0;
	for (int i = 0; i <= METRICS_BOUNDS; i++)
		observed += h->bucket[i];
	assert_int_equal(observed, 1);
}

static void test_a_clean_stop_empties_everything_in_order(void **state)
{
	struct court *c = *state;
	start(c);
	for (int i = 0; i < 2000; i++)
		push(c, i % 2 == 0 ? 51 : 40);
	stop(c);
	expect_alternating(c->committed, c->n_committed, 2000);
	expect_alternating(c->announced, c->n_announced, 2000);
	assert_int_equal(c->announced_early, 0);
	assert_int_equal(ring_used(&c->rings.at[0], RING_JUDGE), 0);
}

static void test_verdicts_that_could_not_be_committed_are_offered_again_in_order(void **state)
{
	struct court *c = *state;
	c->refuse = 3;
	c->refusal = -ENOSPC;
	start(c);
	for (int i = 0; i < 500; i++)
		push(c, i % 2 == 0 ? 51 : 40);
	assert_true(wait_for(one_announced, c));
	stop(c);
	expect_alternating(c->committed, c->n_committed, 500);
	expect_alternating(c->announced, c->n_announced, 500);
	assert_true(c->attempts > 3);
	assert_int_equal(c->announced_early, 0);
}

static void test_nothing_is_announced_while_the_ledger_fails(void **state)
{
	struct court *c = *state;
	c->refuse = 1000000;
	c->refusal = -EIO;
	start(c);
	push(c, 51);
	assert_true(wait_for(refused_thrice, c));
	pthread_mutex_lock(&c->lock);
	assert_int_equal(c->n_announced, 0);
	c->refuse = 0;
	pthread_mutex_unlock(&c->lock);
	stop(c);
	expect_alternating(c->announced, c->n_announced, 1);
}

static void test_the_last_snapshot_comes_after_all_verdicts_and_says_how_far(void **state)
{
	struct court *c = *state;
	start(c);
	for (int i = 0; i < 9; i++)
		push(c, i % 2 == 0 ? 51 : 40);
	stop(c);
	struct judge_mark mark;
	const void *bytes;
	size_t size;
	assert_true(c->snapshots >= 1);
	assert_int_equal(c->committed_before_snapshot, 9);
	assert_true(judge_unpack(c->snapshot, c->snapshot_size, &mark, &bytes, &size));
	assert_int_equal(mark.boot, 3);
	assert_int_equal(mark.seq[0], 9);
	assert_int_equal(mark.recorded, 7); /* less what may be on its way */
	c->judge = judge_free(c->judge);
	struct judge_setup setup = {.plan = &c->plan,
				    .rings = &c->rings,
				    .verdicts = &c->verdicts,
				    .recorded = recorded,
				    .heartbeat = &c->judge_beat};
	assert_int_equal(judge_new(&c->judge, &setup), 0);
	assert_true(evaluator_load(judge_evaluator(c->judge), bytes, size));
}

static void test_bytes_too_short_for_a_snapshot_are_none(void **state)
{
	struct judge_mark mark;
	const void *bytes;
	size_t size;
	unsigned char none[sizeof mark] = {0};
	assert_false(judge_unpack(none, sizeof mark - 1, &mark, &bytes, &size));
	assert_true(judge_unpack(none, sizeof mark, &mark, &bytes, &size));
	assert_int_equal(size, 0);
	(void)state;
}

static void test_a_failed_fsync_is_said_once_and_the_end_does_not_hang(void **state)
{
	struct court *c = *state;
	c->refuse = 1000000;
	c->refusal = 1;
	start(c);
	push(c, 51);
	assert_true(wait_for(is_fatal, c));
	push(c, 40);
	stop(c);
	assert_int_equal(c->fatals, 1);
	assert_int_equal(c->n_announced, 0);
}

static void test_silence_is_judged_without_any_reading(void **state)
{
	struct court *c = *state;
	c->monitor.stale_after_ms = 1;
	start(c);
	assert_true(wait_for(one_announced, c));
	stop(c);
	assert_int_equal(c->committed[0].kind, ALERT_STALE);
	assert_int_equal(c->n_committed, 1);
}

static void test_peaks_are_committed_and_never_announced(void **state)
{
	struct court *c = *state;
	start_clerk(c);
	verdicts_add(&c->verdicts, &(struct verdict_item){.verdict = {.type = VERDICT_PEAK}});
	verdicts_add(&c->verdicts, &(struct verdict_item){.verdict = {.type = VERDICT_CLEARED}});
	verdicts_close(&c->verdicts);
	clerk_join(c->clerk);
	assert_int_equal(c->n_committed, 2);
	assert_int_equal(c->n_announced, 1);
}

static bool no_fault(void *context, enum own_fault fault)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	c->looks += fault == OWN_UNRECORDED;
	pthread_mutex_unlock(&c->lock);
	return false;
}

/* How many verdicts say of the daemon itself what @type is; call with the lock held. */
static size_t own_said(const struct court *c, enum verdict_type type)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n_committed; i++)
		n += c->committed[i].kind == ALERT_FAULT && c->committed[i].type == type;
	return n;
}

static bool is_flooded(void *context)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	bool flooded = own_said(c, VERDICT_RAISED) > 0;
	c->looks = 0;
	pthread_mutex_unlock(&c->lock);
	return flooded;
}

static bool looked_thrice(void *context)
{
	struct court *c = context;
	pthread_mutex_lock(&c->lock);
	bool enough = c->looks >= 3;
	pthread_mutex_unlock(&c->lock);
	return enough;
}

static void test_a_flood_lasts_though_the_daemon_has_no_fault(void **state)
{
	static const struct case_rules rules = {.duty.n = 1};
	struct court *c = *state;
	c->plan.rules = &rules;
	c->fault = no_fault;
	start(c);
	for (int i = 0; i < 22; i++)
		push(c, i % 2 == 0 ? 60 : 40);
	assert_true(wait_for(is_flooded, c));
	assert_true(wait_for(looked_thrice, c));
	stop(c);
	assert_int_equal(own_said(c, VERDICT_RAISED), 1);
	assert_int_equal(own_said(c, VERDICT_CLEARED), 0);
}

static void test_a_list_of_verdicts_grows_and_is_taken_whole(void **state)
{
	struct verdicts *v = &((struct court *)*state)->verdicts;
	struct verdict_item *items;
	size_t n;
	for (int64_t i = 0; i < 1000; i++)
		verdicts_add(v, &(struct verdict_item){.verdict = {.time_ms = i}});
	assert_true(verdicts_take(v, &items, &n));
	assert_int_equal(n, 1000);
	for (int64_t i = 0; i < 1000; i++)
		assert_int_equal(items[i].verdict.time_ms, i);
	free(items);
	verdicts_close(v);
	assert_false(verdicts_take(v, &items, &n));
	assert_int_equal(n, 0);
	assert_null(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_raise_is_committed_and_only_then_announced,
						make, discard),
		cmocka_unit_test_setup_teardown(test_a_clean_stop_empties_everything_in_order, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_verdicts_that_could_not_be_committed_are_offered_again_in_order, make,
			discard),
		cmocka_unit_test_setup_teardown(test_nothing_is_announced_while_the_ledger_fails,
						make, discard),
		cmocka_unit_test_setup_teardown(
			test_the_last_snapshot_comes_after_all_verdicts_and_says_how_far, make,
			discard),
		cmocka_unit_test_setup_teardown(test_bytes_too_short_for_a_snapshot_are_none, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_a_failed_fsync_is_said_once_and_the_end_does_not_hang, make, discard),
		cmocka_unit_test_setup_teardown(test_silence_is_judged_without_any_reading, make,
						discard),
		cmocka_unit_test_setup_teardown(test_peaks_are_committed_and_never_announced, make,
						discard),
		cmocka_unit_test_setup_teardown(test_a_flood_lasts_though_the_daemon_has_no_fault,
						make, discard),
		cmocka_unit_test_setup_teardown(test_a_list_of_verdicts_grows_and_is_taken_whole,
						make, discard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
