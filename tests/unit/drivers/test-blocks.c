/* SPDX-License-Identifier: Apache-2.0 */
/* Instruments that answer only for some blocks of registers, and are silent or refuse otherwise. */
#include "field-bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

enum { INTERVAL_MS = 40, TIMEOUT_MS = 200, MOST = 16 };

struct block {
	uint16_t address, count;
};

/* An instrument on the other side of the bench. */
struct instrument {
	struct peer peer;
	struct block asked[1024];
	_Atomic unsigned n_asked;
	struct block there[MOST]; /* it answers within one of these, or for exactly one of them */
	size_t n_there;
	bool is_exact;    /* and is silent to everything else */
	unsigned outages; /* the first, fifth, ninth request of a kind gets no answer */
};

static bool answers(const struct instrument *instrument, struct block wanted)
{
	for (size_t i = 0; i < instrument->n_there; i++) {
		struct block there = instrument->there[i];
		bool within = wanted.address >= there.address &&
			      wanted.address + wanted.count <= there.address + there.count;
		bool same = wanted.address == there.address && wanted.count == there.count;
		if (instrument->is_exact ? same : within)
			return true;
	}
	return false;
}

static unsigned times_asked(const struct instrument *instrument, uint16_t address, uint16_t count)
{
	unsigned n = 0;
	for (unsigned i = 0; i < instrument->n_asked; i++)
		n += instrument->asked[i].address == address && instrument->asked[i].count == count;
	return n;
}

static bool answer(struct peer *peer, int fd, const uint8_t *request)
{
	struct instrument *instrument = (struct instrument *)peer; /* its first member */
	struct block wanted = {rtu_address(request), request[5]};
	uint8_t reply[RTU_REPLY_BYTES] = {request[0], request[1] | 0x80, 2};
	unsigned number = times_asked(instrument, wanted.address, wanted.count);
	bool silent = number / 4 < instrument->outages && number % 4 == 0;
	if (instrument->n_asked < 1024)
		instrument->asked[instrument->n_asked++] = wanted;
	size_t n = 5;
	if (answers(instrument, wanted))
		n = rtu_reply(request, 7, reply);
	else
		rtu_close_frame(reply, 3);
	if (!silent && (n > 5 || !instrument->is_exact))
		field_send(fd, reply, n);
	return true;
}

static struct modbus_point value_at(uint32_t monitor, uint16_t address)
{
	return (struct modbus_point){.monitor = monitor,
				     .unit_id = 1,
				     .address = address,
				     .type = MODBUS_UINT32,
				     .scale = 1,
				     .every = 1};
}

/* Polls until @samples have come, and leaves what happened in @bench and @instrument. */
static void poll_for(struct field_bench *bench, struct instrument *instrument,
		     const struct modbus_point *points, size_t n, int64_t samples)
{
	peer_start(&instrument->peer, 0, answer);
	field_bench_start(bench);
	struct modbus_connection *c = &bench->connections[0];
	c->port = instrument->peer.port;
	c->interval_ms = INTERVAL_MS;
	c->timeout_ms = TIMEOUT_MS;
	c->max_gap = 16;
	c->points = points;
	c->n_points = n;
	field_bench_go(bench);
	assert_true(fake_door_await(bench->door, fake_door_has_samples, samples));
	field_bench_pause(bench);
}

static void end(struct field_bench *bench, struct instrument *instrument)
{
	field_bench_end(bench);
	peer_end(&instrument->peer);
}

static size_t samples_of(const struct field_bench *bench, uint32_t monitor, enum flag flag)
{
	size_t n = 0;
	for (size_t i = 0; i < bench->door->n_samples; i++)
		n += bench->door->samples[i].monitor == monitor &&
		     bench->door->samples[i].flag == flag;
	return n;
}

static void test_close_values_are_read_at_once(void **state)
{
	(void)state;
	struct instrument instrument = {.there = {{0, 100}}, .n_there = 1};
	struct modbus_point points[] = {value_at(0, 0), value_at(1, 2), value_at(2, 20)};
	struct field_bench bench;
	poll_for(&bench, &instrument, points, 3, 30);
	assert_int_equal(times_asked(&instrument, 0, 22), instrument.n_asked);
	assert_in_range(instrument.n_asked, 10, 12);
	assert_int_equal(bench.door->shown_first, 3); /* all of a reply before any of it */
	end(&bench, &instrument);
}

static void test_a_refused_gap_is_not_read_again_and_costs_no_reading(void **state)
{
	(void)state;
	struct instrument instrument = {.there = {{0, 4}, {10, 4}}, .n_there = 2};
	struct modbus_point points[] = {value_at(0, 0), value_at(1, 2), value_at(2, 10),
					value_at(3, 12)};
	struct field_bench bench;
	poll_for(&bench, &instrument, points, 4, 60);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	assert_int_equal(times_asked(&instrument, 0, 14), 1);
	assert_true(times_asked(&instrument, 0, 4) >= 14);
	assert_int_equal(field_counted(&bench, "ducha_polls_total",
				       "connection=\"bus\",result=\"exception\""),
			 1);
	end(&bench, &instrument);
}

static void test_a_value_that_is_not_there_costs_only_itself(void **state)
{
	(void)state;
	struct instrument instrument = {.there = {{0, 4}, {6, 4}}, .n_there = 2};
	struct modbus_point points[] = {value_at(0, 0), value_at(1, 2), value_at(2, 4),
					value_at(3, 6), value_at(4, 8)};
	struct field_bench bench;
	poll_for(&bench, &instrument, points, 5, 50);
	for (uint32_t monitor = 0; monitor < 5; monitor++) {
		bool missing = monitor == 2;
		assert_int_equal(samples_of(&bench, monitor, FLAG_NORMAL) == 0, missing);
		assert_int_equal(samples_of(&bench, monitor, FLAG_COMMUNICATION) > 0, missing);
	}
	assert_int_equal(times_asked(&instrument, 0, 10), 1);
	assert_true(times_asked(&instrument, 6, 4) >= 8); /* no more apart than needed */
	end(&bench, &instrument);
}

static void test_exact_values_are_asked_alone(void **state)
{
	(void)state;
	struct instrument instrument = {
		.there = {{0x2400, 2}, {0x2600, 2}, {0x2602, 2}}, .n_there = 3, .is_exact = true};
	struct modbus_point points[] = {value_at(0, 0x2400), value_at(1, 0x2600),
					value_at(2, 0x2602)};
	for (size_t i = 0; i < 3; i++)
		points[i].exact = true;
	struct field_bench bench;
	poll_for(&bench, &instrument, points, 3, 30);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	end(&bench, &instrument);
}

static void test_a_block_is_asked_whole(void **state)
{
	(void)state;
	struct instrument instrument = {.there = {{0, 20}}, .n_there = 1, .is_exact = true};
	struct modbus_point points[] = {value_at(0, 4), value_at(1, 16)};
	for (size_t i = 0; i < 2; i++)
		points[i].block_count = 20;
	struct field_bench bench;
	poll_for(&bench, &instrument, points, 2, 20);
	assert_int_equal(fake_door_count(bench.door, FLAG_NORMAL), bench.door->n_samples);
	assert_int_equal(times_asked(&instrument, 0, 20), instrument.n_asked);
	end(&bench, &instrument);
}

/* The requests to a unit that failed come last; the first reply must not lose the second. */
static void test_a_unit_that_answers_again_is_asked_for_all_of_it(void **state)
{
	(void)state;
	struct instrument instrument = {.there = {{0, 200}}, .n_there = 1, .outages = 3};
	struct modbus_point points[] = {value_at(0, 0), value_at(1, 100)};
	struct field_bench bench;
	poll_for(&bench, &instrument, points, 2, 40);
	assert_int_equal(samples_of(&bench, 0, FLAG_COMMUNICATION), 3);
	assert_int_equal(samples_of(&bench, 1, FLAG_COMMUNICATION), 3);
	size_t first = samples_of(&bench, 0, FLAG_NORMAL);
	assert_in_range(samples_of(&bench, 1, FLAG_NORMAL), first - 1, first);
	end(&bench, &instrument);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_values_are_read_at_once),
		cmocka_unit_test(test_a_refused_gap_is_not_read_again_and_costs_no_reading),
		cmocka_unit_test(test_a_value_that_is_not_there_costs_only_itself),
		cmocka_unit_test(test_exact_values_are_asked_alone),
		cmocka_unit_test(test_a_block_is_asked_whole),
		cmocka_unit_test(test_a_unit_that_answers_again_is_asked_for_all_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
