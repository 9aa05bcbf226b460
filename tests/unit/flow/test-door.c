/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/clock.h"
#include "flow/door-keeper.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>

enum { SLOTS = 8, REMEMBERED = 4 };

static const struct monitor monitors[] = {
	{.factor = "w01018", .has_range = true, .range_high = 100},
	{.factor = "w21003"},
	{.factor = "w01001", .seen_beside = true, .has_dead = true, .dead_at = 0.1},
	{.factor = "w01009", .seen_beside = true, .zero_beside = true}};
enum { COUNT = sizeof monitors / sizeof *monitors };
static const struct site site = {.id = "outfall-3", .n_monitors = COUNT};
static const struct connection connections[] = {{"one", "modbus"}, {"two", "modbus"}};
static const struct plan plan = {.sites = &site,
				 .n_sites = 1,
				 .monitors = monitors,
				 .n_monitors = COUNT,
				 .connections = connections,
				 .n_connections = 2};

struct entrance {
	struct rings rings;
	struct metrics *metrics;
	struct door *door;
};

static bool keeps; /* what is set aside is on disk */
static size_t kept;

static bool keep(void *context, const struct plan *of, const struct reading *readings, size_t n,
		 int timeout_ms)
{
	(void)context;
	(void)of;
	(void)readings;
	(void)timeout_ms;
	kept += n;
	return keeps;
}

static int make(void **state)
{
	struct entrance *e = calloc(1, sizeof *e);
	*state = e;
	if (rings_init(&e->rings, 2, SLOTS) < 0 || metrics_new(&e->metrics) < 0)
		return -1;
	struct door_setup setup = {.plan = &plan,
				   .rings = &e->rings,
				   .ring = 1,
				   .driver = "modbus",
				   .remembered = REMEMBERED,
				   .metrics = e->metrics,
				   .keep = keep};
	return door_new(&e->door, &setup);
}

/* A door that knows, of all monitors together, the newest MANY samples again. */
enum { MANY = 1000 };
static int make_attentive(void **state)
{
	if (make(state) != 0)
		return -1;
	struct entrance *e = *state;
	struct door_setup setup = {.plan = &plan,
				   .rings = &e->rings,
				   .ring = 1,
				   .driver = "mqtt",
				   .remembered = REMEMBERED,
				   .redelivered = MANY,
				   .metrics = e->metrics};
	door_free(e->door);
	return door_new(&e->door, &setup);
}

static int discard(void **state)
{
	struct entrance *e = *state;
	door_free(e->door);
	metrics_free(e->metrics);
	rings_deinit(&e->rings);
	free(e);
	return 0;
}

/* The next slot as a reader sees it; it is freed by the next call for both readers. */
static struct reading next(struct entrance *e)
{
	struct ring *ring = &e->rings.at[1];
	struct reading r = {0};
	for (int who = 0; who < RING_READERS; who++) {
		size_t n;
		const struct reading *at = ring_peek(ring, (enum ring_reader)who, &n);
		assert_true(n > 0);
		r = *at;
		ring_take(ring, (enum ring_reader)who, 1);
		ring_release(ring, (enum ring_reader)who);
	}
	return r;
}

static void expect_nothing(struct entrance *e)
{
	assert_int_equal(ring_used(&e->rings.at[1], RING_JUDGE), 0);
}

static struct sample at(int64_t measured_ms, double value)
{
	return (struct sample){.has_time = true,
			       .measured_ms = measured_ms,
			       .has_value = true,
			       .value = value,
			       .flag = FLAG_NORMAL};
}

static enum door_result submit(struct entrance *e, struct sample sample)
{
	return door_submit(e->door, &sample, NULL);
}

static void test_a_sample_is_stamped_and_numbered(void **state)
{
	struct entrance *e = *state;
	int64_t before_ms = clock_wall_ms(), before_ns = clock_mono_ns();
	struct sample s = {
		.monitor = 1, .has_value = true, .value = 5, .flag = FLAG_NORMAL, .raw = 77};
	uint64_t seq = 0;
	assert_int_equal(door_submit(e->door, &s, &seq), DOOR_TAKEN);
	assert_int_equal(seq, 1);
	struct reading r = next(e);
	assert_int_equal(r.kind, SLOT_VALUE);
	assert_int_equal(r.seq, 1);
	assert_int_equal(r.ring, 1);
	assert_int_equal(r.monitor, 1);
	assert_int_equal(r.raw, 77);
	assert_true(r.has_value && r.value == 5);
	assert_int_equal(r.flag, FLAG_NORMAL);
	assert_int_equal(r.measured_ms, r.received_ms); /* the device gave no time */
	assert_true(r.received_ms >= before_ms && r.received_ms <= clock_wall_ms());
	assert_true(r.received_mono_ns >= before_ns && r.received_mono_ns <= clock_mono_ns());
}

static void test_the_devices_own_time_is_taken(void **state)
{
	struct entrance *e = *state;
	assert_int_equal(submit(e, at(1000, 5)), DOOR_TAKEN);
	struct reading r = next(e);
	assert_int_equal(r.measured_ms, 1000);
	assert_true(r.received_ms > 1000);
}

static void test_a_time_far_in_the_future_is_replaced_by_the_receipt(void **state)
{
	struct entrance *e = *state;
	int64_t soon = clock_wall_ms() + 4 * 60000, far = clock_wall_ms() + 6 * 60000;
	assert_int_equal(submit(e, at(soon, 5)), DOOR_TAKEN);
	assert_int_equal(next(e).measured_ms, soon);
	assert_int_equal(submit(e, at(far, 5)), DOOR_TAKEN);
	struct reading r = next(e);
	assert_int_equal(r.measured_ms, r.received_ms);
}

static void test_a_value_beyond_the_range_is_flagged_T(void **state)
{
	struct entrance *e = *state;
	struct sample s = at(1, 100.5);
	submit(e, s);
	assert_int_equal(next(e).flag, FLAG_OVER_RANGE);
	s = at(2, 100);
	submit(e, s);
	assert_int_equal(next(e).flag, FLAG_NORMAL);
	s = at(3, 500);
	s.flag = FLAG_MAINTENANCE;
	submit(e, s);
	assert_int_equal(next(e).flag, FLAG_MAINTENANCE);
}

static void test_the_same_sample_again_is_taken_once(void **state)
{
	struct entrance *e = *state;
	struct sample s = at(1000, 5);
	uint64_t seq = 0;
	assert_int_equal(submit(e, s), DOOR_TAKEN);
	assert_int_equal(submit(e, at(2000, 5)), DOOR_TAKEN);
	assert_int_equal(door_submit(e->door, &s, &seq), DOOR_DUPLICATE);
	assert_int_equal(seq, 2); /* waiting for it waits for the newest */
	next(e);
	next(e);
	expect_nothing(e);
}

static void test_the_same_moment_of_another_monitor_is_no_duplicate(void **state)
{
	struct entrance *e = *state;
	struct sample s = at(1000, 5);
	assert_int_equal(submit(e, s), DOOR_TAKEN);
	s.monitor = 1;
	assert_int_equal(submit(e, s), DOOR_TAKEN);
}

static void test_another_value_of_the_same_millisecond_is_kept_a_millisecond_later(void **state)
{
	struct entrance *e = *state;
	assert_int_equal(submit(e, at(1000, 5)), DOOR_TAKEN);
	assert_int_equal(submit(e, at(1000, 6)), DOOR_TAKEN);
	assert_int_equal(submit(e, at(1000, 7)), DOOR_TAKEN);
	assert_int_equal(next(e).measured_ms, 1000);
	assert_int_equal(next(e).measured_ms, 1001);
	struct reading r = next(e);
	assert_true(r.measured_ms == 1002 && r.value == 7);
	for (int i = 5; i < 8; i++) /* the three redelivered */
		assert_int_equal(submit(e, at(1000, i)), DOOR_DUPLICATE);
}

static void test_a_burst_is_kept_in_order_and_under_different_times(void **state)
{
	struct entrance *e = *state;
	int64_t last_ms = 0;
	for (int i = 0; i < 500;
	     i++) { /* far more than are remembered, within a few milliseconds */
		struct sample s = {.has_value = true, .value = i, .flag = FLAG_NORMAL};
		assert_int_equal(submit(e, s), DOOR_TAKEN);
		struct reading r = next(e);
		assert_true(r.value == i);
		assert_true(r.measured_ms > last_ms);
		last_ms = r.measured_ms;
	}
}

static void test_a_burst_of_one_device_time_pushes_the_next_ones_behind_it(void **state)
{
	struct entrance *e = *state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(submit(e, at(1000, i)), DOOR_TAKEN);
		assert_int_equal(next(e).measured_ms, 1000 + i);
	}
	assert_int_equal(submit(e, at(1020, 20)),
			 DOOR_TAKEN); /* no duplicate: another given time */
	assert_int_equal(next(e).measured_ms, 1050);
	assert_int_equal(submit(e, at(2000, 1)), DOOR_TAKEN);
	assert_int_equal(next(e).measured_ms, 2000);
	assert_int_equal(submit(e, at(900, 1)), DOOR_TAKEN); /* older than the newest: late */
	assert_int_equal(next(e).measured_ms, 900);
}

static void test_no_value_and_a_value_of_zero_are_two_readings(void **state)
{
	struct entrance *e = *state;
	struct sample none = at(1000, 0);
	none.has_value = false;
	none.flag = FLAG_FAULT;
	assert_int_equal(submit(e, none), DOOR_TAKEN);
	assert_int_equal(submit(e, at(1000, 0)), DOOR_TAKEN);
	assert_int_equal(submit(e, none), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(1000, 0)), DOOR_DUPLICATE);
}

static void test_samples_of_an_earlier_life_are_remembered(void **state)
{
	struct entrance *e = *state;
	door_remember(e->door, 0, 1000, 5);
	door_remember(e->door, 0, 2000, NAN);
	struct sample none = at(2000, 0);
	none.has_value = false;
	assert_int_equal(submit(e, at(1000, 5)), DOOR_DUPLICATE);
	assert_int_equal(submit(e, none), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(1000, 6)), DOOR_TAKEN);
	assert_int_equal(next(e).measured_ms, 1001);
}

static void test_what_was_sent_long_ago_is_known_again(void **state)
{
	struct entrance *e = *state;
	struct sample none = at(0, 0);
	none.has_value = false;
	assert_int_equal(submit(e, none), DOOR_TAKEN);
	for (int i = 1; i < MANY; i++) {
		assert_int_equal(submit(e, at(i, 5)), DOOR_TAKEN);
		next(e);
	}
	assert_int_equal(submit(e, none), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(1, 5)), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(MANY - 1, 5)), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(1, 6)), DOOR_TAKEN);
	next(e);
	for (int i = MANY; i < 4 * MANY; i++) { /* until it is forgotten */
		assert_int_equal(submit(e, at(i, 5)), DOOR_TAKEN);
		next(e);
		assert_int_equal(submit(e, at(i - MANY / 2, 5)), DOOR_DUPLICATE);
	}
	assert_int_equal(submit(e, at(1, 5)), DOOR_TAKEN);
}

static void test_many_samples_of_an_earlier_life_are_known_again(void **state)
{
	struct entrance *e = *state;
	for (int i = 0; i < MANY; i++)
		door_remember(e->door, (uint32_t)i % 2, i, i == 7 ? NAN : 5);
	struct sample none = at(7, 0);
	none.has_value = false;
	none.monitor = 1;
	assert_int_equal(submit(e, at(8, 5)), DOOR_DUPLICATE);
	assert_int_equal(submit(e, none), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(9, 5)), DOOR_TAKEN); /* that was the other's */
}

static void test_only_the_newest_samples_are_remembered(void **state)
{
	struct entrance *e = *state;
	for (int i = 0; i <= REMEMBERED; i++)
		assert_int_equal(submit(e, at(i, 5)), DOOR_TAKEN);
	assert_int_equal(submit(e, at(1, 5)), DOOR_DUPLICATE);
	assert_int_equal(submit(e, at(0, 5)), DOOR_TAKEN);
}

static void test_a_full_ring_refuses_and_leaves_a_gap_in_the_numbers(void **state)
{
	struct entrance *e = *state;
	for (int i = 0; i < SLOTS; i++)
		assert_int_equal(submit(e, at(i, 5)), DOOR_TAKEN);
	assert_int_equal(submit(e, at(100, 5)), DOOR_FULL);
	assert_int_equal(atomic_load(&e->rings.at[1].refused), 1);
	next(e);
	assert_int_equal(submit(e, at(100, 5)), DOOR_TAKEN); /* it is no duplicate */
	for (uint64_t i = 2; i <= SLOTS; i++)
		assert_int_equal(next(e).seq, i);
	assert_int_equal(next(e).seq, SLOTS + 2);
}

static void test_a_link_is_said_once_for_each_change(void **state)
{
	struct entrance *e = *state;
	door_link(e->door, 1, true);
	door_link(e->door, 1, true);
	door_link(e->door, 1, false);
	door_link(e->door, 1, false);
	struct reading r = next(e);
	assert_true(r.kind == SLOT_LINK_UP && r.monitor == 1 && r.seq == 1);
	r = next(e);
	assert_true(r.kind == SLOT_LINK_DOWN && r.monitor == 1 && r.seq == 2);
	expect_nothing(e);
}

static void test_a_link_that_did_not_fit_is_said_once_there_is_room(void **state)
{
	struct entrance *e = *state;
	for (int i = 0; i < SLOTS; i++)
		submit(e, at(i, 5));
	door_link(e->door, 0, false);
	next(e);
	next(e);
	submit(e, at(100, 5));
	for (int i = 2; i < SLOTS; i++)
		next(e);
	struct reading r = next(e);
	assert_int_equal(r.kind, SLOT_LINK_DOWN);
	assert_int_equal(r.monitor, 0);
	r = next(e);
	assert_int_equal(r.kind, SLOT_VALUE);
	assert_int_equal(r.seq, SLOTS + 2); /* no number is lost to the waiting link */
	expect_nothing(e);
}

static void test_a_link_that_came_back_while_it_waited_is_not_said(void **state)
{
	struct entrance *e = *state;
	door_link(e->door, 0, true);
	for (int i = 0; i < SLOTS - 1; i++)
		submit(e, at(i, 5));
	door_link(e->door, 0, false);
	door_link(e->door, 0, true);
	for (int i = 0; i < SLOTS; i++)
		next(e);
	submit(e, at(100, 5));
	assert_int_equal(next(e).kind, SLOT_VALUE);
	expect_nothing(e);
}

static void test_a_flush_rings_both_sleepers(void **state)
{
	struct entrance *e = *state;
	atomic_store(&e->rings.judge.asleep, true);
	atomic_store(&e->rings.recorder.asleep, true);
	door_flush(e->door);
	struct pollfd fds[] = {{.fd = e->rings.judge.fd, .events = POLLIN},
			       {.fd = e->rings.recorder.fd, .events = POLLIN}};
	assert_int_equal(poll(fds, 2, 0), 2);
}

static void test_waiting_for_what_is_not_stored_ends_with_its_time(void **state)
{
	struct entrance *e = *state;
	uint64_t seq[RINGS_MAX] = {9, 2};
	assert_false(door_wait_stored(e->door, 2, 1));
	stored_advance(&e->rings, seq);
	assert_true(door_wait_stored(e->door, 2, 0));
	assert_false(door_wait_stored(e->door, 3, 1));
	assert_int_equal(atomic_load(&e->rings.stored.waiting), 0);
}

static void test_what_was_acknowledged_unrecorded_is_counted(void **state)
{
	struct entrance *e = *state;
	const struct sample one = at(1000, 7), two = at(2000, 8);
	struct reading taken[2];
	uint64_t seq, newest[RINGS_MAX] = {0};
	struct metric *counted =
		metrics_counter(e->metrics, "ducha_unrecorded_total", "", "reason=\"timeout\"");
	door_submit(e->door, &one, NULL);
	taken[0] = *door_handed(e->door);
	door_submit(e->door, &two, &seq);
	taken[1] = *door_handed(e->door);
	kept = 0;
	keeps = true;
	assert_true(door_unrecorded(e->door, taken, 2, seq, 1));
	assert_int_equal(metric_get(counted), 2);
	assert_int_equal(kept, 2);
	assert_true(stored_owes(&e->rings));
	newest[0] = newest[1] = seq;
	stored_advance(&e->rings, newest);
	assert_false(stored_owes(&e->rings));
}

static void test_what_can_neither_be_recorded_nor_kept_is_not_to_be_acknowledged(void **state)
{
	struct entrance *e = *state;
	const struct sample one = at(1000, 7);
	uint64_t seq, newest[RINGS_MAX] = {0};
	struct metric *counted =
		metrics_counter(e->metrics, "ducha_unrecorded_total", "", "reason=\"timeout\"");
	door_submit(e->door, &one, &seq);
	const struct reading taken = *door_handed(e->door);
	keeps = false;
	assert_false(door_unrecorded(e->door, &taken, 1, seq, 1));
	assert_int_equal(metric_get(counted), 0);
	newest[0] = newest[1] = seq; /* the commit came meanwhile: all is well */
	stored_advance(&e->rings, newest);
	assert_true(door_unrecorded(e->door, &taken, 1, seq, 1));
	assert_int_equal(metric_get(counted), 0);
}

/* It was kept a millisecond later than given, and so is what is set aside of it. */
static void test_a_repeated_sample_is_handed_on_as_it_was_kept(void **state)
{
	struct entrance *e = *state;
	const struct sample one = at(1000, 7), other = at(1000, 8);
	door_submit(e->door, &one, NULL);
	door_submit(e->door, &other, NULL);
	const struct reading first = *door_handed(e->door);
	assert_int_equal(door_submit(e->door, &other, NULL), DOOR_DUPLICATE);
	assert_int_equal(door_handed(e->door)->measured_ms, first.measured_ms);
	assert_int_equal(first.measured_ms, 1001);
}

/* The reading is recorded with the flag that is judged. */
static void test_an_oxygen_of_0_beside_a_dead_probe_is_recorded_as_a_fault(void **state)
{
	struct entrance *e = *state;
	struct sample ph = at(1000, 0), oxygen = at(1000, 0);
	ph.monitor = 2;
	oxygen.monitor = 3;
	submit(e, oxygen);
	assert_int_equal(next(e).flag, FLAG_NORMAL);
	submit(e, ph);
	assert_int_equal(next(e).flag, FLAG_FAULT);
	oxygen.measured_ms++;
	submit(e, oxygen);
	assert_int_equal(next(e).flag, FLAG_FAULT);
}

/* Of one message, in whatever order it is handed in. */
static void test_what_is_shown_is_known_before_it_is_handed_in(void **state)
{
	struct entrance *e = *state;
	struct sample ph = at(1000, 0), oxygen = at(1000, 0);
	ph.monitor = 2;
	oxygen.monitor = 3;
	assert_true(door_looks(e->door, 2) && !door_looks(e->door, 0));
	door_show(e->door, &oxygen);
	door_show(e->door, &ph);
	submit(e, oxygen);
	const struct reading first = next(e);
	assert_true(first.flag == FLAG_FAULT && first.beside);
	submit(e, ph);
	const struct reading second = next(e);
	assert_true(second.flag == FLAG_FAULT && !second.beside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_sample_is_stamped_and_numbered, make,
						discard),
		cmocka_unit_test_setup_teardown(test_the_devices_own_time_is_taken, make, discard),
		cmocka_unit_test_setup_teardown(
			test_a_time_far_in_the_future_is_replaced_by_the_receipt, make, discard),
		cmocka_unit_test_setup_teardown(test_a_value_beyond_the_range_is_flagged_T, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_an_oxygen_of_0_beside_a_dead_probe_is_recorded_as_a_fault, make,
			discard),
		cmocka_unit_test_setup_teardown(test_what_is_shown_is_known_before_it_is_handed_in,
						make, discard),
		cmocka_unit_test_setup_teardown(test_the_same_sample_again_is_taken_once, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_the_same_moment_of_another_monitor_is_no_duplicate, make, discard),
		cmocka_unit_test_setup_teardown(
			test_another_value_of_the_same_millisecond_is_kept_a_millisecond_later,
			make, discard),
		cmocka_unit_test_setup_teardown(
			test_a_burst_is_kept_in_order_and_under_different_times, make, discard),
		cmocka_unit_test_setup_teardown(
			test_a_burst_of_one_device_time_pushes_the_next_ones_behind_it, make,
			discard),
		cmocka_unit_test_setup_teardown(test_no_value_and_a_value_of_zero_are_two_readings,
						make, discard),
		cmocka_unit_test_setup_teardown(test_samples_of_an_earlier_life_are_remembered,
						make, discard),
		cmocka_unit_test_setup_teardown(test_what_was_sent_long_ago_is_known_again,
						make_attentive, discard),
		cmocka_unit_test_setup_teardown(
			test_many_samples_of_an_earlier_life_are_known_again, make_attentive,
			discard),
		cmocka_unit_test_setup_teardown(test_only_the_newest_samples_are_remembered, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_a_full_ring_refuses_and_leaves_a_gap_in_the_numbers, make, discard),
		cmocka_unit_test_setup_teardown(test_a_link_is_said_once_for_each_change, make,
						discard),
		cmocka_unit_test_setup_teardown(
			test_a_link_that_did_not_fit_is_said_once_there_is_room, make, discard),
		cmocka_unit_test_setup_teardown(
			test_a_link_that_came_back_while_it_waited_is_not_said, make, discard),
		cmocka_unit_test_setup_teardown(test_a_flush_rings_both_sleepers, make, discard),
		cmocka_unit_test_setup_teardown(
			test_waiting_for_what_is_not_stored_ends_with_its_time, make, discard),
		cmocka_unit_test_setup_teardown(test_what_was_acknowledged_unrecorded_is_counted,
						make, discard),
		cmocka_unit_test_setup_teardown(
			test_what_can_neither_be_recorded_nor_kept_is_not_to_be_acknowledged, make,
			discard),
		cmocka_unit_test_setup_teardown(test_a_repeated_sample_is_handed_on_as_it_was_kept,
						make, discard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
