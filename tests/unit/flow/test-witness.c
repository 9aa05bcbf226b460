/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames are left for the daybook when alerts are raised that began long before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "testing.h"
#include "flow/witness.h"

#include <stdlib.h>
#include <string.h>

/* 2026-01-02 03:00:00 +08:00, where an hour begins */
#define HOUR INT64_C(1767294000000)
enum { EVERY_MS = 10000, READINGS = 360, FLAT_MS = 600000 };

static const struct limit limit = {
	.average = AVERAGE_HOUR, .has_max = true, .max = 50, .key = "hour:max=50"};

struct bench {
	struct monitor monitors[2];
	struct site site;
	struct plan plan;
	struct rings rings;
	struct evaluator *evaluator;
	struct witness *witness;
	uint64_t seq;
	int raised;
	uint8_t seen[2 * READINGS + 10]; /* by seq: how often its frame was kept whole */
	int overwritten;
};

static void emit(void *context, const struct verdict *verdict)
{
	struct bench *b = context;
	b->raised += verdict->type == VERDICT_RAISED && verdict->kind != ALERT_UNDETERMINED;
	witness_verdict(b->witness, verdict);
}

static void make(struct bench *b, size_t held_bytes)
{
	*b = (struct bench){.monitors = {{.factor = "w01018",
					  .connection = NO_INDEX,
					  .interval_ms = EVERY_MS,
					  .limits = &limit,
					  .n_limits = 1},
					 {.factor = "w01001",
					  .connection = NO_INDEX,
					  .flat_after_ms = FLAT_MS}},
			    .site = {.id = "outfall-3", .n_monitors = 2}};
	b->plan = (struct plan){
		.sites = &b->site, .n_sites = 1, .monitors = b->monitors, .n_monitors = 2};
	assert_int_equal(rings_init(&b->rings, 1, 64), 0);
	assert_int_equal(evaluator_new(&b->evaluator, &b->plan, HOUR, 0, emit, b), 0);
	assert_int_equal(
		witness_new(&b->witness, &(struct witness_setup){.plan = &b->plan,
								 .evaluator = b->evaluator,
								 .rings = &b->rings,
								 .boot = 7,
								 .held_bytes = held_bytes}),
		0);
}

static void discard(struct bench *b)
{
	witness_free(b->witness);
	evaluator_free(b->evaluator);
	rings_deinit(&b->rings);
}

/* One exchange; the bytes of its answer are of the reading's number. */
static void measure(struct bench *b, uint32_t monitor, int64_t at_ms, double value)
{
	uint64_t seq = ++b->seq, asked = ~seq;
	struct frame_record record = {.kind = FRAME_MODBUS_RTU,
				      .at_ms = at_ms,
				      .asked = (const uint8_t *)&asked,
				      .n_asked = sizeof asked,
				      .answered = (const uint8_t *)&seq,
				      .n_answered = sizeof seq};
	struct reading reading = {.seq = seq,
				  .measured_ms = at_ms,
				  .received_ms = at_ms,
				  .received_mono_ns = (at_ms - HOUR) * 1000000,
				  .value = value,
				  .has_value = true,
				  .flag = FLAG_NORMAL,
				  .monitor = monitor,
				  .frame = frames_put(&b->rings.frames[0], &record)};
	evaluator_feed(b->evaluator, &reading);
	witness_see(b->witness, &reading);
}

/* What the recorder would find: each record names a reading, and its bytes are that reading's. */
static void drain(struct bench *b)
{
	const uint8_t *piece[2];
	size_t bytes[2], n = kept_peek(&b->rings.kept, piece, bytes);
	struct frame_record record;
	uint64_t answered;
	assert_int_equal(bytes[1], 0);
	for (size_t at = 0, length; at < n; at += length) {
		length = frame_parse(piece[0] + at, n - at, &record);
		assert_int_not_equal(length, 0);
		assert_int_equal(record.boot, 7);
		if (record.kind == FRAME_OVERWRITTEN) {
			b->overwritten++;
			continue;
		}
		assert_int_equal(record.n_answered, sizeof answered);
		memcpy(&answered, record.answered, sizeof answered);
		assert_int_equal(answered, record.seq);
		b->seen[record.seq]++;
	}
	kept_release(&b->rings.kept, n);
}

static void fetch(struct bench *b)
{
	while (witness_waits(b->witness)) {
		witness_fetch(b->witness);
		drain(b);
	}
	drain(b);
}

static void an_hour_above_its_limit(struct bench *b)
{
	/* the first half lies below the limit by itself */
	for (int64_t i = 0; i < READINGS; i++)
		measure(b, 0, HOUR + i * EVERY_MS, i < READINGS / 2 ? 40 : 90);
	assert_int_equal(b->raised, 0);
	fetch(b);
	evaluator_tick(b->evaluator, HOUR + 2 * 3600000, 2 * 3600 * INT64_C(1000000000));
	assert_int_equal(b->raised, 1);
}

static void test_of_a_mean_the_whole_window_is_kept_once(void **state)
{
	struct bench b;
	(void)state;
	make(&b, 1 << 20);
	an_hour_above_its_limit(&b);
	fetch(&b);
	for (uint64_t seq = 1; seq <= READINGS; seq++)
		assert_int_equal(b.seen[seq], 1);
	discard(&b);
}

static void test_without_room_those_beyond_the_limit_are_kept(void **state)
{
	struct bench b;
	(void)state;
	make(&b, 0);
	an_hour_above_its_limit(&b);
	fetch(&b);
	for (uint64_t seq = 1; seq <= READINGS; seq++)
		assert_int_equal(b.seen[seq], seq > READINGS / 2);
	discard(&b);
}

static void test_of_a_flat_signal_all_is_kept_since_it_is_flat(void **state)
{
	struct bench b;
	uint64_t flat_from;
	(void)state;
	make(&b, 1 << 20);
	for (int64_t i = 0; i < 20; i++)
		measure(&b, 1, HOUR + i * EVERY_MS, (double)i);
	flat_from = b.seq; /* the last that moved is the first that is the same */
	for (int64_t i = 20; b.raised == 0 && i < READINGS; i++)
		measure(&b, 1, HOUR + i * EVERY_MS, 19);
	assert_int_equal(b.raised, 1);
	fetch(&b);
	for (uint64_t seq = 1; seq <= b.seq; seq++)
		assert_int_equal(b.seen[seq], seq >= flat_from);
	discard(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_a_mean_the_whole_window_is_kept_once),
		cmocka_unit_test(test_without_room_those_beyond_the_limit_are_kept),
		cmocka_unit_test(test_of_a_flat_signal_all_is_kept_since_it_is_flat),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
