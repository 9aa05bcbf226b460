/* SPDX-License-Identifier: Apache-2.0 */
/* The producers' rings of frames, and the way of those that are kept from judge to recorder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "testing.h"
#include "flow/frames.h"
#include "flow/kept.h"
#include "flow/witness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 1 << 20, LONG = FRAME_BYTES_MOST };

static uint8_t pattern[LONG], room[FRAME_BYTES_MOST + 16];

static int make_pattern(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pattern; i++)
		pattern[i] = (uint8_t)(i * 37 + i / 251);
	return 0;
}

static uint64_t put(struct frames *frames, size_t asked, size_t answered)
{
	return frames_put(frames, &(struct frame_record){.kind = FRAME_MQTT,
							 .at_ms = (int64_t)(asked + answered),
							 .asked = pattern,
							 .n_asked = asked,
							 .answered = pattern + asked,
							 .n_answered = answered});
}

static void expect(const struct frames *frames, uint64_t number, size_t asked, size_t answered)
{
	struct frame_record out;
	assert_true(frames_get(frames, number, room, &out));
	assert_int_equal(out.kind, FRAME_MQTT);
	assert_int_equal(out.frame, number);
	assert_int_equal(out.at_ms, asked + answered);
	assert_int_equal(out.n_asked, asked);
	assert_int_equal(out.n_answered, answered);
	assert_memory_equal(out.asked, pattern, asked);
	assert_memory_equal(out.answered, pattern + asked, answered);
}

static void test_frames_of_all_lengths_are_found_again(void **state)
{
	struct frames frames;
	uint64_t numbers[64];
	(void)state;
	assert_int_equal(frames_init(&frames, SMALL), 0);
	for (size_t i = 0; i < 64; i++)
		numbers[i] = put(&frames, i % 9, i);
	for (size_t i = 0; i < 64; i++)
		expect(&frames, numbers[i], i % 9, i);
	assert_int_equal(put(&frames, 8, LONG - 7), 0); /* one too many */
	expect(&frames, put(&frames, 7, LONG - 7), 7, LONG - 7);
	frames_deinit(&frames);
}

static void test_what_was_overwritten_is_known(void **state)
{
	struct frames frames;
	struct frame_record out;
	(void)state;
	assert_int_equal(frames_init(&frames, SMALL), 0);
	/* 13 + 100 bytes are 2 + 2 + 13 words */
	uint64_t first = put(&frames, 13, 100), fits = SMALL / 8 / 17;
	for (uint64_t i = 1; i < fits; i++)
		put(&frames, 13, 100);
	expect(&frames, first, 13, 100);
	uint64_t last = put(&frames, 13, 100);
	assert_false(frames_get(&frames, first, room, &out));
	expect(&frames, last, 13, 100);
	frames_deinit(&frames);
}

/* A producer that never waits, and a reader that looks at what is new, and at what is about to go. */
enum { RACE_FRAMES = 200000, RACE_WORDS = 2 + 2 + 13, RACE_FIT = SMALL / 8 / RACE_WORDS };

struct race {
	struct frames frames;
	_Atomic uint64_t made;
};

static void *produce(void *context)
{
	struct race *race = context;
	uint64_t words[13], asked[2] = {0};
	for (uint64_t i = 0; i < RACE_FRAMES; i++) {
		for (size_t j = 0; j < 13; j++)
			words[j] = i;
		frames_put(&race->frames, &(struct frame_record){.kind = FRAME_MODBUS_TCP,
								 .at_ms = (int64_t)i,
								 .asked = (const uint8_t *)asked,
								 .n_asked = 13,
								 .answered = (const uint8_t *)words,
								 .n_answered = 100});
		atomic_store(&race->made, i + 1);
	}
	return NULL;
}

static bool holds(const struct frame_record *record, uint64_t i)
{
	uint64_t word = i;
	bool good = record->at_ms == (int64_t)i && record->n_asked == 13 &&
		    record->n_answered == 100 && record->kind == FRAME_MODBUS_TCP;
	for (size_t j = 0; good && j < 12; j++)
		good = memcmp(record->answered + 8 * j, &word, 8) == 0;
	return good;
}

static void test_a_frame_is_whole_or_gone_while_the_producer_goes_on(void **state)
{
	static struct race race;
	struct frame_record out;
	pthread_t thread;
	uint64_t made, torn = 0, random = test_seed();
	(void)state;
	assert_int_equal(frames_init(&race.frames, SMALL), 0);
	assert_int_equal(pthread_create(&thread, NULL, produce, &race), 0);
	while ((made = atomic_load(&race.made)) < RACE_FRAMES) {
		/* half of them are new, half are on the edge of being overwritten */
		uint64_t back = test_random(&random) % 20;
		back += test_random(&random) % 2 == 0 ? 0 : RACE_FIT - 20;
		if (back >= made)
			continue;
		uint64_t i = made - 1 - back;
		if (!frames_get(&race.frames, i * RACE_WORDS + 1, room, &out))
			continue;
		torn += !holds(&out, i);
	}
	pthread_join(thread, NULL);
	assert_int_equal(torn, 0);
	assert_true(frames_get(&race.frames, (made - 1) * RACE_WORDS + 1, room, &out));
	assert_true(holds(&out, made - 1));
	assert_false(frames_get(&race.frames, (made - 1 - RACE_FIT) * RACE_WORDS + 1, room, &out));
	frames_deinit(&race.frames);
}

/* --- from the judge to the recorder --- */

static bool push(struct kept *kept, uint64_t seq, size_t n)
{
	return kept_push(kept, &(struct frame_record){.kind = FRAME_MQTT,
						      .ring = 2,
						      .boot = 3,
						      .seq = seq,
						      .at_ms = 4,
						      .frame = 5,
						      .asked = pattern,
						      .n_asked = n / 2,
						      .answered = pattern + n / 2,
						      .n_answered = n - n / 2});
}

/* All that waits in one piece. */
static size_t take(struct kept *kept, uint8_t *out)
{
	const uint8_t *piece[2];
	size_t bytes[2], n = kept_peek(kept, piece, bytes);
	memcpy(out, piece[0], bytes[0]);
	memcpy(out + bytes[0], piece[1], bytes[1]);
	return n;
}

static void test_records_come_out_as_they_went_in_also_over_the_edge(void **state)
{
	static uint8_t bytes[4096];
	struct frame_record out;
	struct kept kept;
	(void)state;
	assert_int_equal(kept_init(&kept, 1024), 0);
	for (uint64_t seq = 1; seq < 200; seq++) {
		size_t n = seq * 7 % 300;
		assert_false(kept_waits(&kept));
		assert_true(push(&kept, seq, n));
		assert_true(kept_waits(&kept));
		size_t taken = take(&kept, bytes);
		assert_int_equal(frame_parse(bytes, taken, &out), taken);
		assert_int_equal(out.seq, seq);
		assert_int_equal(out.ring, 2);
		assert_int_equal(out.boot, 3);
		assert_int_equal(out.at_ms, 4);
		assert_int_equal(out.frame, 5);
		assert_int_equal(out.n_asked, n / 2);
		assert_int_equal(out.n_asked + out.n_answered, n);
		assert_memory_equal(out.asked, pattern, n);
		assert_int_equal(take(&kept, bytes), taken); /* offered again until released */
		kept_release(&kept, taken);
	}
	kept_deinit(&kept);
}

static void test_what_finds_no_room_is_refused_whole(void **state)
{
	static uint8_t bytes[4096];
	struct kept kept;
	(void)state;
	assert_int_equal(kept_init(&kept, 1024), 0);
	assert_true(push(&kept, 1, 1024 - 2 * FRAME_HEAD_BYTES - 10));
	assert_false(push(&kept, 2, 11));
	assert_true(push(&kept, 3, 10));
	assert_int_equal(take(&kept, bytes), 1024);
	assert_false(push(&kept, 4, 0));
	kept_release(&kept, 1024);
	assert_true(push(&kept, 5, 900));
	kept_deinit(&kept);
}

static void test_no_record_is_read_out_of_half_of_one(void **state)
{
	static uint8_t bytes[4096];
	struct frame_record out;
	struct kept kept;
	(void)state;
	assert_int_equal(kept_init(&kept, 1024), 0);
	assert_true(push(&kept, 1, 33));
	size_t n = take(&kept, bytes);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(frame_parse(bytes, i, &out), 0);
	bytes[5] = 'q'; /* no kind */
	assert_int_equal(frame_parse(bytes, n, &out), 0);
	bytes[5] = FRAME_MQTT;
	bytes[39] = 34; /* more was asked than is there */
	assert_int_equal(frame_parse(bytes, n, &out), 0);
	kept_deinit(&kept);
}

/* --- whose frames --- */

struct stand {
	struct limit limit;
	struct monitor monitor;
	struct site site;
	struct plan plan;
	struct rings rings;
	struct evaluator *evaluator;
	struct witness *witness;
	uint64_t seq;
};

static void said(void *context, const struct verdict *verdict)
{
	struct stand *s = context;
	witness_verdict(s->witness, verdict);
}

static struct stand *stand_new(const struct limit *limit)
{
	struct stand *s = calloc(1, sizeof *s);
	assert_non_null(s);
	s->limit = *limit;
	s->monitor = (struct monitor){
		.factor = "w01018", .connection = NO_INDEX, .limits = &s->limit, .n_limits = 1};
	s->site = (struct site){.id = "outfall-3", .n_monitors = 1};
	s->plan = (struct plan){
		.sites = &s->site, .n_sites = 1, .monitors = &s->monitor, .n_monitors = 1};
	assert_int_equal(rings_init(&s->rings, 1, 64), 0);
	assert_int_equal(evaluator_new(&s->evaluator, &s->plan, 0, 0, said, s), 0);
	assert_int_equal(witness_new(&s->witness, &(struct witness_setup){.plan = &s->plan,
									   .evaluator = s->evaluator,
									   .rings = &s->rings,
									   .boot = 9}),
			 0);
	return s;
}

static void stand_free(struct stand *s)
{
	witness_free(s->witness);
	evaluator_free(s->evaluator);
	rings_deinit(&s->rings);
	free(s);
}

static void feed(struct stand *s, double value, uint64_t frame)
{
	struct reading r = {.seq = ++s->seq,
			    .measured_ms = (int64_t)s->seq * 1000,
			    .received_ms = (int64_t)s->seq * 1000,
			    .flag = FLAG_NORMAL,
			    .has_value = true,
			    .value = value,
			    .frame = frame};
	evaluator_feed(s->evaluator, &r);
	witness_see(s->witness, &r);
}

/* Which readings have a record, as "seq kind" each. */
static const char *records(struct stand *s)
{
	static char text[512];
	static uint8_t bytes[65536];
	struct frame_record out;
	size_t n = take(&s->rings.kept, bytes), length = 0, at = 0;
	for (text[0] = '\0'; at < n; at += frame_parse(bytes + at, n - at, &out)) {
		assert_true(frame_parse(bytes + at, n - at, &out) > 0);
		assert_int_equal(out.boot, 9);
		length += (size_t)snprintf(text + length, sizeof text - length, "%d%c ",
					   (int)out.seq, out.kind);
	}
	kept_release(&s->rings.kept, n);
	return text;
}

static void test_frames_of_an_alert_are_kept_and_no_others(void **state)
{
	struct stand *s = stand_new(&(struct limit){
		.has_max = true, .max = 50, .on_delay_ms = 2000, .off_delay_ms = 2000, .key = "a"});
	(void)state;
	feed(s, 40, put(&s->rings.frames[0], 12, 13)); /* 1 complies */
	feed(s, 60, put(&s->rings.frames[0], 12, 13)); /* 2 a run that breaks */
	feed(s, 40, put(&s->rings.frames[0], 12, 13));
	feed(s, 60, put(&s->rings.frames[0], 12, 13)); /* 4 to 6: the run that raises */
	feed(s, 60, put(&s->rings.frames[0], 12, 13));
	feed(s, 60, 0); /* nothing came for this one */
	feed(s, 40, put(&s->rings.frames[0], 12, 13)); /* 7 to 9: until it is cleared */
	feed(s, 40, put(&s->rings.frames[0], 12, 13));
	feed(s, 40, put(&s->rings.frames[0], 12, 13));
	feed(s, 40, put(&s->rings.frames[0], 12, 13));
	assert_string_equal(records(s), "2t 4t 5t 7t 8t 9t ");
	stand_free(s);
}

static void test_readings_of_one_frame_share_it(void **state)
{
	struct stand *s = stand_new(&(struct limit){.has_max = true, .max = 50, .key = "a"});
	(void)state;
	uint64_t frame = put(&s->rings.frames[0], 12, 13);
	feed(s, 60, frame);
	feed(s, 61, frame);
	feed(s, 62, put(&s->rings.frames[0], 12, 13));
	assert_string_equal(records(s), "1t 2s 3t ");
	stand_free(s);
}

static void test_an_overwritten_frame_is_said(void **state)
{
	struct stand *s = stand_new(&(struct limit){.has_max = true, .max = 50, .key = "a"});
	(void)state;
	uint64_t frame = put(&s->rings.frames[0], 12, 13);
	for (size_t i = 0; i < FRAMES_BYTES / (LONG / 2) + 1; i++)
		put(&s->rings.frames[0], 12, LONG / 2);
	feed(s, 60, frame);
	feed(s, 61, frame);
	assert_string_equal(records(s), "1x 2x ");
	stand_free(s);
}

static void test_of_a_mean_those_are_kept_that_are_beyond_it(void **state)
{
	struct stand *s = stand_new(
		&(struct limit){.has_max = true, .max = 50, .average = AVERAGE_HOUR, .key = "a"});
	(void)state;
	feed(s, 40, put(&s->rings.frames[0], 12, 13));
	feed(s, 50.5, put(&s->rings.frames[0], 12, 13));
	feed(s, 50, put(&s->rings.frames[0], 12, 13));
	assert_string_equal(records(s), "2t ");
	stand_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_of_all_lengths_are_found_again),
		cmocka_unit_test(test_what_was_overwritten_is_known),
		cmocka_unit_test(test_a_frame_is_whole_or_gone_while_the_producer_goes_on),
		cmocka_unit_test(test_records_come_out_as_they_went_in_also_over_the_edge),
		cmocka_unit_test(test_what_finds_no_room_is_refused_whole),
		cmocka_unit_test(test_no_record_is_read_out_of_half_of_one),
		cmocka_unit_test(test_frames_of_an_alert_are_kept_and_no_others),
		cmocka_unit_test(test_readings_of_one_frame_share_it),
		cmocka_unit_test(test_an_overwritten_frame_is_said),
		cmocka_unit_test(test_of_a_mean_those_are_kept_that_are_beyond_it),
	};
	return cmocka_run_group_tests(tests, make_pattern, NULL);
}
