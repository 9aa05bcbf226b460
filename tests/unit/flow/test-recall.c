/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that are held until an alert asks for them: which come back, whole, and which are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "testing.h"
#include "flow/recall.h"

#include <stdlib.h>
#include <string.h>

#define MONITORS 3
#define NOW INT64_C(1767294245000)

/* What is asked is 12 bytes of the frame's number, what is answered some bytes of it. */
static size_t answer_bytes(uint64_t frame)
{
	return 9 + frame % 60;
}

static void put(struct recall *r, uint32_t monitor, uint64_t seq, uint64_t frame, bool kept)
{
	uint8_t asked[12], answered[80];
	struct reading reading = {.monitor = monitor,
				  .seq = seq,
				  .frame = frame,
				  .ring = (uint8_t)(frame % 2),
				  .measured_ms = NOW + (int64_t)seq * 1000};
	struct frame_record record = {.kind = FRAME_MODBUS_TCP,
				      .at_ms = NOW + (int64_t)seq * 1000 + 3,
				      .asked = asked,
				      .n_asked = sizeof asked,
				      .answered = answered,
				      .n_answered = answer_bytes(frame)};
	memset(asked, (int)frame, sizeof asked);
	memset(answered, (int)(frame + 1), sizeof answered);
	recall_put(r, &reading, recall_has(r, reading.ring, frame) ? NULL : &record, kept);
}

static bool next(struct recall *r, struct frame_record *out)
{
	while (recall_waits(r))
		if (recall_next(r, out))
			return true;
	return false;
}

static void check_whole(const struct frame_record *record)
{
	assert_int_equal(record->kind, FRAME_MODBUS_TCP);
	assert_int_equal(record->ring, record->frame % 2);
	assert_int_equal(record->n_asked, 12);
	assert_int_equal(record->n_answered, answer_bytes(record->frame));
	for (size_t i = 0; i < record->n_asked; i++)
		assert_int_equal(record->asked[i], (uint8_t)record->frame);
	for (size_t i = 0; i < record->n_answered; i++)
		assert_int_equal(record->answered[i], (uint8_t)(record->frame + 1));
}

static void test_what_was_held_since_the_begin_comes_back_once(void **state)
{
	struct frame_record record;
	struct recall *r;
	(void)state;
	assert_int_equal(recall_new(&r, MONITORS, 1 << 20), 0);
	assert_false(recall_waits(r));
	for (uint64_t i = 1; i <= 20; i++) {
		put(r, 0, 2 * i, i, i == 12); /* one of them was kept at once */
		put(r, 1, 2 * i + 1, i, false);
	}
	recall_want(r, 0, NOW + 2 * 10 * 1000);
	for (uint64_t i = 20; i >= 10; i--) {
		if (i == 12)
			continue;
		assert_true(next(r, &record));
		assert_int_equal(record.seq, 2 * i);
		assert_int_equal(record.frame, i);
		assert_int_equal(record.at_ms, NOW + (int64_t)i * 2 * 1000 + 3);
		check_whole(&record);
	}
	assert_false(next(r, &record));
	recall_want(r, 0, NOW + 2 * 9 * 1000); /* a further alert, that began before */
	assert_true(next(r, &record));
	assert_int_equal(record.seq, 18);
	assert_false(next(r, &record));
	recall_want(r, 2, 0);
	assert_false(recall_waits(r));
	recall_free(r);
}

static void test_what_came_while_it_was_fetched_comes_too(void **state)
{
	struct frame_record record;
	struct recall *r;
	uint64_t n = 0;
	(void)state;
	assert_int_equal(recall_new(&r, MONITORS, 1 << 20), 0);
	for (uint64_t i = 1; i <= 10; i++)
		put(r, 1, i, i, false);
	recall_want(r, 1, 0);
	assert_true(recall_next(r, &record));
	put(r, 1, 11, 11, false);
	recall_want(r, 1, NOW);
	while (next(r, &record))
		n++;
	assert_int_equal(n, 10); /* nine that were left, and the new one */
	recall_free(r);
}

/* Any mix of monitors, lengths and shared frames: what comes back is whole and an unbroken end of
 * what was put; and it is as much as the bound allows. */
static void test_of_what_does_not_fit_the_newest_stays(void **state)
{
	enum { BYTES = 8192, PUT = 3000 };
	uint64_t random = test_seed(), last[MONITORS];
	struct frame_record record;
	struct recall *r;
	(void)state;
	for (int round = 0; round < 20; round++) {
		uint64_t seqs[MONITORS][PUT], n[MONITORS] = {0}, frame = 1;
		assert_int_equal(recall_new(&r, MONITORS, BYTES), 0);
		for (uint64_t i = 1; i <= PUT; i++) {
			uint32_t monitor = (uint32_t)(test_random(&random) % MONITORS);
			frame += test_random(&random) % 3 == 0 ? 0 : 2;
			put(r, monitor, i, frame, false);
			seqs[monitor][n[monitor]++] = i;
		}
		size_t back = 0;
		for (uint32_t monitor = 0; monitor < MONITORS; monitor++) {
			recall_want(r, monitor, 0);
			last[monitor] = n[monitor];
			while (next(r, &record)) {
				assert_int_equal(record.seq, seqs[monitor][--last[monitor]]);
				if (record.kind != FRAME_OVERWRITTEN)
					check_whole(&record);
				back++;
			}
		}
		assert_in_range(back, BYTES / (64 + 12 + 68 + 8) - 1, BYTES / 64);
		recall_free(r);
	}
}

static void test_a_bound_of_nothing_holds_nothing(void **state)
{
	struct recall *r;
	(void)state;
	assert_int_equal(recall_new(&r, MONITORS, 0), 0);
	put(r, 0, 1, 1, false);
	recall_want(r, 0, 0);
	assert_false(recall_waits(r));
	recall_free(r);
	assert_int_equal(recall_new(&r, MONITORS, 100), 0);
	put(r, 0, 1, 59, false); /* 64 + 12 + 68 bytes */
	recall_want(r, 0, 0);
	assert_false(recall_waits(r));
	recall_free(r);
}

static void test_a_reload_takes_along_what_is_held_and_wanted(void **state)
{
	uint32_t monitors[2] = {2, NO_INDEX}; /* of the next plan: what was 2 is 0, 1 is new */
	struct plan_change change = {.monitors = monitors};
	struct recall *from, *to;
	struct frame_record record;
	(void)state;
	assert_int_equal(recall_new(&from, MONITORS, 1 << 16), 0);
	assert_int_equal(recall_new(&to, 2, 1 << 16), 0);
	for (uint64_t i = 1; i <= 6; i++)
		put(from, i % 2 == 0 ? 2 : 1, i, i, false);
	recall_want(from, 2, 0);
	assert_true(recall_next(from, &record));
	recall_carry(to, from, &change);
	assert_false(recall_waits(from));
	put(to, 1, 7, 7, false);
	put(to, 0, 8, 8, false);
	for (uint64_t i = 4; i >= 2; i -= 2) {
		assert_true(next(to, &record));
		assert_int_equal(record.seq, i);
		check_whole(&record);
	}
	assert_false(next(to, &record));
	recall_want(to, 0, 0);
	assert_true(next(to, &record));
	assert_int_equal(record.seq, 8);
	recall_free(from);
	recall_free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_held_since_the_begin_comes_back_once),
		cmocka_unit_test(test_what_came_while_it_was_fetched_comes_too),
		cmocka_unit_test(test_of_what_does_not_fit_the_newest_stays),
		cmocka_unit_test(test_a_bound_of_nothing_holds_nothing),
		cmocka_unit_test(test_a_reload_takes_along_what_is_held_and_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
