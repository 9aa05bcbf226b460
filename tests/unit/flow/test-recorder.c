/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/recorder.h"
#include "patience.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 16, BATCH = 8, MONITORS = 2, ROWS = 4096, GAPS = 64 };

/* A disk that fails, or does not return, on demand. */
struct disk {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	bool holds, holding; /* does not return from the next commit; one is held now */
	struct gap gaps[GAPS];
	size_t n_gaps, n_gaps_open;
	uint64_t rows[ROWS]; /* committed, then those of the open transaction */
	size_t n_rows, n_open;
	size_t commits, attempts;
	int append_result, commit_result; /* what it answers */
	size_t heal_after;                /* attempts, 0: never */
	int fatals;
};

struct house {
	struct rings rings;
	struct metrics *metrics;
	struct recorder *recorder;
	struct disk disk;
	uint64_t seq;
	_Atomic uint64_t heartbeat;
};

static int disk_append(void *context, const struct reading *readings, size_t n)
{
	struct disk *d = &((struct house *)context)->disk;
	pthread_mutex_lock(&d->lock);
	int result = d->append_result;
	for (size_t i = 0; i < n && result == 0; i++)
		d->rows[d->n_rows + d->n_open++] = readings[i].seq;
	if (result != 0) {
		d->attempts++;
		d->n_open = 0;
	}
	pthread_mutex_unlock(&d->lock);
	return result;
}

static int disk_append_gap(void *context, const struct gap *gap)
{
	struct disk *d = &((struct house *)context)->disk;
	pthread_mutex_lock(&d->lock);
	d->gaps[d->n_gaps + d->n_gaps_open++] = *gap;
	pthread_mutex_unlock(&d->lock);
	return 0;
}

static int disk_commit(void *context)
{
	struct disk *d = &((struct house *)context)->disk;
	pthread_mutex_lock(&d->lock);
	d->attempts++;
	d->holding = d->holds;
	while (d->holds)
		pthread_cond_wait(&d->freed, &d->lock);
	d->holding = false;
	if (d->heal_after != 0 && d->attempts > d->heal_after)
		d->commit_result = 0;
	int result = d->commit_result;
	if (result == 0) {
		d->n_rows += d->n_open;
		d->n_gaps += d->n_gaps_open;
		d->commits++;
	}
	d->n_open = d->n_gaps_open = 0;
	pthread_mutex_unlock(&d->lock);
	return result;
}

static void disk_fatal(void *context)
{
	struct disk *d = &((struct house *)context)->disk;
	pthread_mutex_lock(&d->lock);
	d->fatals++;
	pthread_mutex_unlock(&d->lock);
}

static int make(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	*state = h;
	pthread_mutex_init(&h->disk.lock, NULL);
	pthread_cond_init(&h->disk.freed, NULL);
	return rings_init(&h->rings, 2, SLOTS) < 0 || metrics_new(&h->metrics) < 0 ? -1 : 0;
}

static void start(struct house *h, int64_t flush_ms)
{
	struct recorder_setup setup = {.rings = &h->rings,
				       .n_monitors = MONITORS,
				       .batch = BATCH,
				       .flush_ms = flush_ms,
				       .append = disk_append,
				       .append_gap = disk_append_gap,
				       .commit = disk_commit,
				       .fatal = disk_fatal,
				       .context = h,
				       .metrics = h->metrics,
				       .heartbeat = &h->heartbeat};
	assert_int_equal(recorder_new(&h->recorder, &setup), 0);
	assert_int_equal(recorder_start(h->recorder), 0);
}

static void stop(struct house *h)
{
	recorder_stop(h->recorder);
	h->recorder = recorder_free(h->recorder);
}

static void hold(struct house *h, bool holds)
{
	pthread_mutex_lock(&h->disk.lock);
	h->disk.holds = holds;
	pthread_cond_broadcast(&h->disk.freed);
	pthread_mutex_unlock(&h->disk.lock);
}

static int discard(void **state)
{
	struct house *h = *state;
	hold(h, false); /* where a test failed meanwhile */
	if (h->recorder != NULL)
		stop(h);
	metrics_free(h->metrics);
	rings_deinit(&h->rings);
	pthread_cond_destroy(&h->disk.freed);
	pthread_mutex_destroy(&h->disk.lock);
	free(h);
	return 0;
}

/* Both readers pass: the judge is not part of these tests. */
static void judge_all(struct house *h, size_t ring)
{
	size_t n;
	while (ring_peek(&h->rings.at[ring], RING_JUDGE, &n), n > 0)
		ring_take(&h->rings.at[ring], RING_JUDGE, n);
	ring_release(&h->rings.at[ring], RING_JUDGE);
}

/* Measured at second @seq, in turn by each monitor. */
static bool push(struct house *h, size_t ring, uint64_t seq)
{
	struct reading r = {.seq = seq,
			    .ring = (uint8_t)ring,
			    .monitor = (uint32_t)(seq % MONITORS),
			    .measured_ms = (int64_t)seq * 1000};
	bool taken = ring_push(&h->rings.at[ring], &r);
	judge_all(h, ring);
	bell_ring(&h->rings.recorder);
	return taken;
}

static void push_many(struct house *h, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++)
		assert_true(push(h, 0, i));
}

static size_t rows(struct house *h)
{
	pthread_mutex_lock(&h->disk.lock);
	size_t n = h->disk.n_rows;
	pthread_mutex_unlock(&h->disk.lock);
	return n;
}

static size_t attempts(struct house *h)
{
	pthread_mutex_lock(&h->disk.lock);
	size_t n = h->disk.attempts;
	pthread_mutex_unlock(&h->disk.lock);
	return n;
}

static void answer(struct house *h, int append_result, int commit_result)
{
	pthread_mutex_lock(&h->disk.lock);
	h->disk.append_result = append_result;
	h->disk.commit_result = commit_result;
	pthread_mutex_unlock(&h->disk.lock);
}

static void expect_rows(struct house *h, uint64_t first, uint64_t last)
{
	assert_int_equal(h->disk.n_rows, last - first + 1);
	for (size_t i = 0; i < h->disk.n_rows; i++)
		assert_int_equal(h->disk.rows[i], first + i);
}

static bool tried_thrice(void *context)
{
	return attempts(context) >= 3;
}

static int64_t passed_over(struct house *h)
{
	return metric_get(
		metrics_counter(h->metrics, "ducha_unrecorded_total", "", "reason=\"disk\""));
}

static bool is_held(void *context)
{
	struct disk *d = &((struct house *)context)->disk;
	pthread_mutex_lock(&d->lock);
	bool holding = d->holding;
	pthread_mutex_unlock(&d->lock);
	return holding;
}

static bool has_room(void *context)
{
	return ring_used(&((struct house *)context)->rings.at[0], RING_RECORDER) < SLOTS;
}

static bool nothing_missing(void *context)
{
	return !recorder_missing(((struct house *)context)->recorder);
}

/* Like a producer that keeps to its pace: whatever the disk does, there is room before long. */
static void push_paced(struct house *h, uint64_t first, uint64_t last)
{
	for (uint64_t i = first; i <= last; i++) {
		assert_true(wait_for(has_room, h));
		assert_true(push(h, 0, i));
	}
}

/* Every reading from 1 to @last is either a row or in a gap of its monitor. */
static void expect_all_told(struct house *h, uint64_t last)
{
	uint64_t missing = 0;
	bool stored[ROWS] = {false};
	for (size_t i = 0; i < h->disk.n_rows; i++)
		stored[h->disk.rows[i]] = true;
	for (size_t i = 0; i < h->disk.n_gaps; i++)
		missing += h->disk.gaps[i].count;
	assert_int_equal(h->disk.n_rows + missing, last);
	assert_int_equal(missing, passed_over(h));
	for (uint64_t seq = 1; seq <= last; seq++) {
		bool told = stored[seq];
		for (size_t i = 0; i < h->disk.n_gaps; i++)
			told |= h->disk.gaps[i].monitor == seq % MONITORS &&
				h->disk.gaps[i].from_ms <= (int64_t)seq * 1000 &&
				h->disk.gaps[i].to_ms >= (int64_t)seq * 1000;
		assert_true(told);
	}
}

static bool four_rows(void *context)
{
	return rows(context) == 4;
}

static bool ring_empty(void *context)
{
	return ring_used(&((struct house *)context)->rings.at[0], RING_RECORDER) == 0;
}

/* Also where the recorder looked while the ring was still being filled: then more came in again. */
static bool half_passed(void *context)
{
	struct house *h = context;
	return recorder_missing(h->recorder) &&
	       ring_used(&h->rings.at[0], RING_RECORDER) <= SLOTS / 4 * 3;
}

static bool is_fatal(void *context)
{
	struct disk *d = &((struct house *)context)->disk;
	pthread_mutex_lock(&d->lock);
	bool fatal = d->fatals > 0;
	pthread_mutex_unlock(&d->lock);
	return fatal;
}

static void test_readings_are_committed_in_order_and_then_freed(void **state)
{
	struct house *h = *state;
	start(h, 1);
	for (uint64_t i = 1; i <= 4 * SLOTS; i += SLOTS / 2) {
		push_many(h, i, i + SLOTS / 2 - 1);
		assert_true(wait_for(ring_empty, h));
	}
	stop(h);
	expect_rows(h, 1, 4 * SLOTS);
}

static void test_all_rings_are_emptied_into_one_commit(void **state)
{
	struct house *h = *state;
	for (uint64_t i = 1; i <= 2; i++) {
		push(h, 0, i);
		push(h, 1, 100 + i);
	}
	start(h, 1);
	assert_true(wait_for(four_rows, h));
	assert_int_equal(h->disk.commits, 1);
	assert_true(stored_wait(&h->rings, 0, 2, 20000));
	assert_true(stored_wait(&h->rings, 1, 102, 20000));
	assert_false(stored_wait(&h->rings, 1, 103, 1));
}

static void test_a_waiter_hurries_the_commit_and_is_answered_after_it(void **state)
{
	struct house *h = *state;
	start(h, 600000); /* ten minutes */
	push_many(h, 1, 3);
	assert_true(stored_wait(&h->rings, 0, 3, 20000));
	assert_int_equal(rows(h), 3);
}

static bool three_are_stored(void *context)
{
	struct house *h = context;
	return stored_upto(&h->rings, 0) == 3;
}

static void test_who_does_not_wait_asks_and_looks(void **state)
{
	struct house *h = *state;
	start(h, 600000);
	push_many(h, 1, 3);
	assert_int_equal(stored_upto(&h->rings, 0), 0);
	stored_ask(&h->rings);
	assert_true(wait_for(three_are_stored, h));
	assert_int_equal(rows(h), 3);
}

static void test_a_failing_commit_loses_nothing(void **state)
{
	enum { MOST = BATCH + SLOTS / 4 * 3 - 1 }; /* in hand, and one short of three quarters */
	struct house *h = *state;
	h->disk.commit_result = -ENOSPC;
	push_many(h, 1, BATCH);
	start(h, 1);
	assert_true(wait_for(ring_empty, h));
	push_many(h, BATCH + 1, MOST);
	assert_true(wait_for(tried_thrice, h));
	answer(h, 0, 0);
	assert_true(wait_for(ring_empty, h));
	stop(h);
	expect_rows(h, 1, MOST);
	assert_int_equal(passed_over(h), 0);
	assert_int_equal(h->disk.n_gaps, 0);
}

static void test_a_failing_append_offers_the_same_readings_again(void **state)
{
	struct house *h = *state;
	h->disk.append_result = -EIO;
	push_many(h, 1, 5);
	start(h, 1);
	assert_true(wait_for(tried_thrice, h));
	answer(h, 0, 0);
	assert_true(wait_for(ring_empty, h));
	stop(h);
	expect_rows(h, 1, 5);
}

static void
test_beyond_three_quarters_the_older_half_is_passed_over_and_recorded_as_a_gap(void **state)
{
	struct house *h = *state;
	h->disk.commit_result = -ENOSPC;
	push_many(h, 1, BATCH);
	start(h, 1);
	assert_true(wait_for(ring_empty, h)); /* the batch is in the recorder's hand */
	push_many(h, BATCH + 1, BATCH + SLOTS);
	assert_true(wait_for(half_passed, h));
	assert_true(push(h, 0, BATCH + SLOTS + 1)); /* there is room again: judging goes on */
	assert_true(recorder_missing(h->recorder));
	answer(h, 0, 0);
	assert_true(wait_for(ring_empty, h));
	assert_true(wait_for(nothing_missing, h));
	stop(h);
	assert_true(passed_over(h) >= SLOTS / 4);
	assert_int_equal(h->disk.rows[0], 1);
	assert_int_equal(h->disk.n_gaps, MONITORS);
	expect_all_told(h, BATCH + SLOTS + 1);
	assert_int_equal(atomic_load(&h->rings.at[0].refused), 0);
}

static void test_a_disk_that_does_not_return_leaves_the_ring_open(void **state)
{
	enum { LAST = 20 * SLOTS };
	struct house *h = *state;
	start(h, 1);
	hold(h, true);
	push_many(h, 1, 1);
	assert_true(wait_for(is_held, h));
	push_paced(h, 2, LAST);
	assert_true(is_held(h)); /* all that while */
	assert_int_equal(rows(h), 0);
	hold(h, false);
	assert_true(wait_for(ring_empty, h));
	assert_true(wait_for(nothing_missing, h));
	stop(h);
	expect_all_told(h, LAST);
	assert_true(passed_over(h) > LAST / 2);
	for (size_t i = 1; i < h->disk.n_rows; i++)
		assert_true(h->disk.rows[i] > h->disk.rows[i - 1]);
}

static void test_a_gap_that_was_not_committed_is_offered_again(void **state)
{
	struct house *h = *state;
	start(h, 1);
	hold(h, true);
	push_many(h, 1, 1);
	assert_true(wait_for(is_held, h));
	push_paced(h, 2, 4 * SLOTS);
	answer(h, 0, -ENOSPC);
	hold(h, false);
	assert_true(wait_for(tried_thrice, h));
	assert_true(recorder_missing(h->recorder));
	assert_int_equal(h->disk.n_gaps, 0);
	answer(h, 0, 0);
	assert_true(wait_for(nothing_missing, h));
	assert_true(wait_for(ring_empty, h));
	stop(h);
	expect_all_told(h, 4 * SLOTS);
}

static void test_passing_over_goes_across_the_end_of_the_array(void **state)
{
	struct house *h = *state;
	start(h, 1);
	push_many(h, 1, 12);
	assert_true(wait_for(ring_empty, h));
	answer(h, 0, -ENOSPC);
	push_paced(h, 13, 12 + 3 * SLOTS);
	assert_true(wait_for(half_passed, h));
	answer(h, 0, 0);
	assert_true(wait_for(ring_empty, h));
	assert_true(wait_for(nothing_missing, h));
	stop(h);
	expect_all_told(h, 12 + 3 * SLOTS);
	for (size_t i = 1; i < h->disk.n_rows; i++)
		assert_true(h->disk.rows[i] > h->disk.rows[i - 1]);
}

static void test_a_waiter_is_not_answered_while_the_disk_fails(void **state)
{
	struct house *h = *state;
	h->disk.commit_result = -EIO;
	start(h, 1);
	push_many(h, 1, 2);
	assert_true(wait_for(tried_thrice, h));
	assert_false(stored_wait(&h->rings, 0, 2, 5));
	answer(h, 0, 0);
	assert_true(stored_wait(&h->rings, 0, 2, 20000));
	assert_int_equal(rows(h), 2);
}

static void test_a_failed_fsync_ends_it_and_is_said_once(void **state)
{
	struct house *h = *state;
	h->disk.commit_result = 1;
	start(h, 1);
	push_many(h, 1, 2);
	assert_true(wait_for(is_fatal, h));
	stop(h);
	assert_int_equal(h->disk.fatals, 1);
	assert_int_equal(h->disk.attempts, 1);
	assert_false(stored_wait(&h->rings, 0, 1, 1)); /* nothing is called stored */
}

static void test_the_end_stores_what_is_left(void **state)
{
	struct house *h = *state;
	start(h, 600000);
	push_many(h, 1, SLOTS);
	stop(h);
	expect_rows(h, 1, SLOTS);
}

static void test_nothing_is_committed_where_nothing_came(void **state)
{
	struct house *h = *state;
	start(h, 1);
	stop(h);
	assert_int_equal(h->disk.attempts, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_readings_are_committed_in_order_and_then_freed,
						make, discard),
		cmocka_unit_test_setup_teardown(test_all_rings_are_emptied_into_one_commit, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_a_waiter_hurries_the_commit_and_is_answered_after_it, make, discard),
		cmocka_unit_test_setup_teardown(test_who_does_not_wait_asks_and_looks, make,
						discard),
		cmocka_unit_test_setup_teardown(test_a_failing_commit_loses_nothing, make, discard),
		cmocka_unit_test_setup_teardown(
			test_a_failing_append_offers_the_same_readings_again, make, discard),
		cmocka_unit_test_setup_teardown(
			test_beyond_three_quarters_the_older_half_is_passed_over_and_recorded_as_a_gap,
			make, discard),
		cmocka_unit_test_setup_teardown(
			test_a_disk_that_does_not_return_leaves_the_ring_open, make, discard),
		cmocka_unit_test_setup_teardown(test_a_gap_that_was_not_committed_is_offered_again,
						make, discard),
		cmocka_unit_test_setup_teardown(test_passing_over_goes_across_the_end_of_the_array,
						make, discard),
		cmocka_unit_test_setup_teardown(test_a_waiter_is_not_answered_while_the_disk_fails,
						make, discard),
		cmocka_unit_test_setup_teardown(test_a_failed_fsync_ends_it_and_is_said_once, make,
						discard),
		cmocka_unit_test_setup_teardown(test_the_end_stores_what_is_left, make, discard),
		cmocka_unit_test_setup_teardown(test_nothing_is_committed_where_nothing_came, make,
						discard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
