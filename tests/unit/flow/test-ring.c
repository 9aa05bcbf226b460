/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct reading numbered(uint64_t seq)
{
	return (struct reading){.seq = seq, .value = (double)seq};
}

static void push(struct ring *ring, uint64_t seq)
{
	struct reading r = numbered(seq);
	assert_true(ring_push(ring, &r));
}

/* Read exactly @first to @last, in order, and free them. */
static void expect(struct ring *ring, enum ring_reader who, uint64_t first, uint64_t last)
{
	while (first <= last) {
		size_t n;
		const struct reading *at = ring_peek(ring, who, &n);
		assert_true(n > 0 && n <= last - first + 1);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(at[i].seq, first++);
		ring_take(ring, who, n);
	}
	ring_release(ring, who);
}

static void expect_empty(struct ring *ring, enum ring_reader who)
{
	size_t n;
	ring_peek(ring, who, &n);
	assert_int_equal(n, 0);
}

static struct ring the_ring;

static struct ring *ring_of(size_t slots)
{
	assert_int_equal(ring_init(&the_ring, slots), 0);
	return &the_ring;
}

static void test_only_powers_of_two_from_two_are_sizes(void **state)
{
	static const size_t bad[] = {0, 1, 3, 6, 1000};
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(ring_init(&the_ring, bad[i]), -EINVAL);
	ring_deinit(ring_of(2));
	(void)state;
}

static void test_an_empty_ring_offers_nothing(void **state)
{
	struct ring *ring = ring_of(4);
	expect_empty(ring, RING_JUDGE);
	expect_empty(ring, RING_RECORDER);
	assert_int_equal(ring_used(ring, RING_JUDGE), 0);
	assert_int_equal(ring_slots(ring), 4);
	ring_deinit(ring);
	(void)state;
}

static void test_every_slot_is_usable_and_the_next_is_refused_and_counted(void **state)
{
	struct ring *ring = ring_of(4);
	struct reading r = numbered(5);
	for (uint64_t i = 1; i <= 4; i++)
		push(ring, i);
	assert_false(ring_push(ring, &r));
	assert_false(ring_push(ring, &r));
	assert_int_equal(atomic_load(&ring->refused), 2);
	expect(ring, RING_JUDGE, 1, 4);
	assert_false(ring_push(ring, &r)); /* the recorder has not passed */
	expect(ring, RING_RECORDER, 1, 4);
	push(ring, 5);
	assert_int_equal(atomic_load(&ring->refused), 3);
	ring_deinit(ring);
	(void)state;
}

static void test_one_slot_left_takes_one_more(void **state)
{
	struct ring *ring = ring_of(2);
	struct reading r = numbered(4);
	push(ring, 1);
	push(ring, 2);
	expect(ring, RING_JUDGE, 1, 2);
	size_t n;
	ring_peek(ring, RING_RECORDER, &n);
	ring_take(ring, RING_RECORDER, 1);
	ring_release(ring, RING_RECORDER);
	push(ring, 3);
	assert_false(ring_push(ring, &r));
	expect(ring, RING_RECORDER, 2, 3);
	expect(ring, RING_JUDGE, 3, 3);
	ring_deinit(ring);
	(void)state;
}

static void test_order_is_kept_over_many_turns(void **state)
{
	struct ring *ring = ring_of(8);
	uint64_t seq = 0;
	for (int turn = 0; turn < 100; turn++) {
		uint64_t first = seq + 1;
		for (int i = 0; i < 1 + turn % 8; i++)
			push(ring, ++seq);
		expect(ring, RING_JUDGE, first, seq);
		expect(ring, RING_RECORDER, first, seq);
		expect_empty(ring, RING_JUDGE);
	}
	ring_deinit(ring);
	(void)state;
}

static void test_two_readers_go_at_speeds_of_their_own(void **state)
{
	struct ring *ring = ring_of(4);
	push(ring, 1);
	push(ring, 2);
	expect(ring, RING_JUDGE, 1, 2);
	push(ring, 3);
	assert_int_equal(ring_used(ring, RING_JUDGE), 1);
	assert_int_equal(ring_used(ring, RING_RECORDER), 3);
	expect(ring, RING_JUDGE, 3, 3);
	expect_empty(ring, RING_JUDGE);
	expect(ring, RING_RECORDER, 1, 3);
	assert_int_equal(ring_used(ring, RING_RECORDER), 0);
	ring_deinit(ring);
	(void)state;
}

static void test_a_run_never_crosses_the_end_of_the_array(void **state)
{
	struct ring *ring = ring_of(8);
	size_t n;
	for (uint64_t i = 1; i <= 6; i++)
		push(ring, i);
	expect(ring, RING_JUDGE, 1, 6);
	expect(ring, RING_RECORDER, 1, 6);
	struct reading *slots = ring_reserve(ring, 5, &n);
	assert_int_equal(n, 2);
	slots[0] = numbered(7);
	slots[1] = numbered(8);
	ring_publish(ring, 2);
	slots = ring_reserve(ring, 3, &n);
	assert_int_equal(n, 3);
	for (uint64_t i = 0; i < 3; i++)
		slots[i] = numbered(9 + i);
	ring_publish(ring, 3);
	ring_peek(ring, RING_JUDGE, &n);
	assert_int_equal(n, 2);
	expect(ring, RING_JUDGE, 7, 11);
	expect(ring, RING_RECORDER, 7, 11);
	ring_deinit(ring);
	(void)state;
}

static void test_reserved_slots_are_seen_only_when_published(void **state)
{
	struct ring *ring = ring_of(8);
	size_t n;
	struct reading *slots = ring_reserve(ring, 4, &n);
	slots[0] = numbered(1);
	expect_empty(ring, RING_JUDGE);
	ring_publish(ring, 1);
	expect(ring, RING_JUDGE, 1, 1);
	expect_empty(ring, RING_JUDGE);
	ring_deinit(ring);
	(void)state;
}

static void test_a_full_ring_reserves_nothing_and_then_what_is_free(void **state)
{
	struct ring *ring = ring_of(4);
	size_t n = 9;
	for (uint64_t i = 1; i <= 4; i++)
		push(ring, i);
	assert_null(ring_reserve(ring, 3, &n));
	assert_int_equal(n, 0);
	expect(ring, RING_JUDGE, 1, 4);
	ring_peek(ring, RING_RECORDER, &n);
	ring_take(ring, RING_RECORDER, 2);
	ring_release(ring, RING_RECORDER);
	assert_non_null(ring_reserve(ring, 3, &n));
	assert_int_equal(n, 2);
	ring_deinit(ring);
	(void)state;
}

static void test_taken_slots_are_free_only_when_released(void **state)
{
	struct ring *ring = ring_of(2);
	struct reading r = numbered(3);
	size_t n;
	push(ring, 1);
	push(ring, 2);
	expect(ring, RING_JUDGE, 1, 2);
	ring_peek(ring, RING_RECORDER, &n);
	ring_take(ring, RING_RECORDER, n);
	assert_int_equal(ring_used(ring, RING_RECORDER), 2);
	assert_false(ring_push(ring, &r));
	ring_release(ring, RING_RECORDER);
	assert_true(ring_push(ring, &r));
	ring_deinit(ring);
	(void)state;
}

static void test_what_was_given_back_is_offered_again(void **state)
{
	struct ring *ring = ring_of(4);
	size_t n;
	for (uint64_t i = 1; i <= 3; i++)
		push(ring, i);
	expect(ring, RING_JUDGE, 1, 3);
	ring_peek(ring, RING_RECORDER, &n);
	ring_take(ring, RING_RECORDER, 1);
	ring_release(ring, RING_RECORDER);
	ring_take(ring, RING_RECORDER, 2);
	expect_empty(ring, RING_RECORDER);
	push(ring, 4);
	push(ring, 5); /* over the end of the array */
	ring_give_back(ring, RING_RECORDER);
	expect(ring, RING_RECORDER, 2, 5);
	ring_deinit(ring);
	(void)state;
}

/* --- memory: slots that were passed are shed --- */

enum { LARGE = 8 * RING_CHUNK_SLOTS, BURST = 500 };

static size_t resident_slots(const struct ring *ring)
{
	size_t bytes = ring_slots(ring) * sizeof *ring->slots, page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *pages = calloc(bytes / page, 1);
	assert_non_null(pages);
	assert_int_equal(mincore(ring->slots, bytes, pages), 0);
	size_t n = 0;
	for (size_t i = 0; i < bytes / page; i++)
		n += pages[i] & 1;
	free(pages);
	return n * page / sizeof *ring->slots;
}

static void push_numbers(struct ring *ring, uint64_t from, uint64_t until)
{
	for (uint64_t i = from; i < until; i++)
		assert_true(ring_push(ring, &(struct reading){.seq = i}));
}

static void take_numbers(struct ring *ring, enum ring_reader who, uint64_t from, uint64_t until)
{
	while (from < until) {
		size_t n;
		const struct reading *reading = ring_peek(ring, who, &n);
		assert_true(n > 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(reading[i].seq, from++);
		ring_take(ring, who, n);
		ring_release(ring, who);
	}
}

static void test_a_large_ring_takes_memory_for_what_it_holds(void **state)
{
	struct ring *ring = ring_of(LARGE);
	for (uint64_t i = 0; i < 3 * LARGE; i += BURST) {
		push_numbers(ring, i, i + BURST);
		take_numbers(ring, RING_JUDGE, i, i + BURST);
		take_numbers(ring, RING_RECORDER, i, i + BURST);
		assert_in_range(resident_slots(ring), 0, 2 * RING_CHUNK_SLOTS + 64);
	}
	ring_deinit(ring);
	(void)state;
}

/* The judge keeps pace, the recorder is behind by nearly all that fits. */
static void test_what_a_reader_has_not_passed_is_never_shed(void **state)
{
	struct ring *ring = ring_of(LARGE);
	uint64_t recorded = 0;
	for (uint64_t i = 0; i < 4 * LARGE; i += BURST) {
		push_numbers(ring, i, i + BURST);
		take_numbers(ring, RING_JUDGE, i, i + BURST);
		if (i + 2 * BURST - recorded <= LARGE)
			continue;
		take_numbers(ring, RING_RECORDER, recorded, i + BURST);
		recorded = i + BURST;
	}
	ring_deinit(ring);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_powers_of_two_from_two_are_sizes),
		cmocka_unit_test(test_an_empty_ring_offers_nothing),
		cmocka_unit_test(test_every_slot_is_usable_and_the_next_is_refused_and_counted),
		cmocka_unit_test(test_one_slot_left_takes_one_more),
		cmocka_unit_test(test_order_is_kept_over_many_turns),
		cmocka_unit_test(test_two_readers_go_at_speeds_of_their_own),
		cmocka_unit_test(test_a_run_never_crosses_the_end_of_the_array),
		cmocka_unit_test(test_reserved_slots_are_seen_only_when_published),
		cmocka_unit_test(test_a_full_ring_reserves_nothing_and_then_what_is_free),
		cmocka_unit_test(test_taken_slots_are_free_only_when_released),
		cmocka_unit_test(test_what_was_given_back_is_offered_again),
		cmocka_unit_test(test_a_large_ring_takes_memory_for_what_it_holds),
		cmocka_unit_test(test_what_a_reader_has_not_passed_is_never_shed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
