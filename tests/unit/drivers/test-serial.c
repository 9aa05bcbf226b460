/* SPDX-License-Identifier: Apache-2.0 */
/* Modbus on a serial line, over a pseudo-terminal. DUCHA_EXCHANGES sets how many exchanges the long
 * test makes, DUCHA_SEED which of them fail. */
#include "drivers/modbus/port.h"
#include "pty-meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* --- a healthy line --- */

static void test_a_serial_line_is_read(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_well, LONG_MS);
	bench.serial.baud = 19200;
	bench.serial.stop_bits = 2;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 20));
	struct termios line;
	assert_int_equal(tcgetattr(bench.master, &line), 0);
	assert_int_equal(cfgetospeed(&line), B19200);
	assert_true((line.c_cflag & CSTOPB) != 0 && (line.c_lflag & (ICANON | ECHO)) == 0);
	pty_bench_stop(&bench);
	assert_nothing_is_misattributed(&bench);
	assert_int_equal(good(&bench), bench.door->n_samples);
	assert_int_equal(pty_polls(&bench, "ok"), bench.door->n_samples);
	assert_int_equal(pty_unasked(&bench), 0);
	assert_true(bench.door->flushes > 0 && bench.heartbeat > 0);
	assert_int_equal(bench.door->n_links, 1);
	pty_bench_end(&bench);
}

static void answer_in_bytes(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t reply[REPLY_BYTES];
	reply_to(bench, request, reply);
	for (size_t i = 0; i < sizeof reply; i++) {
		pty_say(bench, reply + i, 1);
		sleep_ms(1);
	}
}

static void test_a_reply_may_come_byte_by_byte(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_in_bytes, LONG_MS);
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 6));
	assert_int_equal(good(&bench), 6);
	finish(&bench);
}

/* A byte each 20 ms moves no deadline: with 60 ms such a reply is never whole. */
static void answer_in_drops(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t reply[REPLY_BYTES];
	reply_to(bench, request, reply);
	for (size_t i = 0; i < sizeof reply; i++) {
		pty_say(bench, reply + i, 1);
		sleep_ms(20);
	}
}

static void test_the_deadline_holds_for_the_whole_exchange(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_in_drops, SHORT_MS);
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 6));
	assert_int_equal(good(&bench), 0);
	assert_true(pty_unasked(&bench) > 0);
	finish(&bench);
}

static _Atomic int64_t replied_ms;
static _Atomic unsigned too_soon;

static void mind_the_silence(struct pty_bench *bench, const uint8_t *request)
{
	too_soon += bench->asked > 1 && now_ms() - replied_ms < 115;
	answer_well(bench, request);
	replied_ms = now_ms();
}

static void test_frames_are_parted_by_silence(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, mind_the_silence, LONG_MS);
	bench.serial.baud = 300; /* 3.5 characters of 10 bits are 117 ms */
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 6));
	assert_int_equal(too_soon, 0);
	finish(&bench);
}

static void test_a_long_wait_ends_when_the_driver_stops(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, stay_silent, 600000);
	pty_bench_go(&bench);
	while (bench.asked == 0)
		sleep_ms(1);
	finish(&bench); /* else the test's own deadline */
}

/* --- what goes wrong, and a right reply after each --- */

static void answer_wrong(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t reply[2 * REPLY_BYTES];
	size_t n = REPLY_BYTES;
	reply_to(bench, request, reply);
	if (bench->asked % 2 == 0) {
		pty_say(bench, reply, n);
		return;
	}
	switch (bench->asked / 2 % 8) {
	case 0: /* another unit */
		reply[0]++;
		close_frame(reply, 7);
		break;
	case 1: /* another function */
		reply[1]++;
		close_frame(reply, 7);
		break;
	case 2: /* a damaged value */
		reply[4] ^= 0x10;
		break;
	case 3: /* longer than asked for */
		reply[2] = 6;
		close_frame(reply, 9);
		n = 11;
		break;
	case 4: /* shorter */
		reply[2] = 2;
		close_frame(reply, 5);
		n = 7;
		break;
	case 5: /* twice in one piece */
		memcpy(reply + n, reply, n);
		n *= 2;
		break;
	case 6: /* garbage before it */
		pty_say(bench, "\xff\x01", 2);
		break;
	default: /* a damaged check */
		reply[n - 1] ^= 1;
		break;
	}
	pty_say(bench, reply, n);
}

static void test_what_does_not_fit_costs_one_reading(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_wrong, LONG_MS);
	bench.connection.timeout_ms = 200;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, has_good, 9));
	pty_bench_stop(&bench);
	assert_nothing_is_misattributed(&bench);
	assert_true(pty_polls(&bench, "error") >= 8);
	assert_true(pty_said(&bench, "wrong reply (CRC) from unit 1") +
			    pty_said(&bench, "wrong reply (") >=
		    3);
	pty_bench_end(&bench);
}

/* Every fourth reply comes after the timeout, but before twice the timeout. */
static void answer_late(struct pty_bench *bench, const uint8_t *request)
{
	if (bench->asked % 4 != 0) {
		answer_well(bench, request);
		return;
	}
	int64_t asked_ms = now_ms();
	sleep_ms(130);
	if (now_ms() - asked_ms < 180) /* else this machine has slept: nothing can be told */
		answer_well(bench, request);
}

static void test_a_late_reply_is_thrown_away(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_late, 120);
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 20));
	pty_bench_stop(&bench);
	assert_nothing_is_misattributed(&bench);
	assert_true(pty_polls(&bench, "timeout") >= 4);
	assert_true(good(&bench) >= 12);
	assert_true(pty_unasked(&bench) >= 3 * REPLY_BYTES);
	pty_bench_end(&bench);
}

static void answer_twice(struct pty_bench *bench, const uint8_t *request)
{
	answer_well(bench, request);
	sleep_ms(10);
	answer_well(bench, request);
}

static void test_a_pause_between_requests_lets_a_second_reply_pass(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_twice, LONG_MS);
	bench.connection.request_gap_ms = 150;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 8));
	pty_bench_stop(&bench);
	assert_nothing_is_misattributed(&bench);
	assert_int_equal(good(&bench), bench.door->n_samples);
	assert_true(pty_unasked(&bench) >= 7 * REPLY_BYTES);
	pty_bench_end(&bench);
}

static void answer_with_code(struct pty_bench *bench, const uint8_t *request)
{
	static const uint8_t codes[] = {1, 2, 3, 4, 5, 6, 8, 10, 11, 200};
	uint8_t reply[5] = {request[0], (uint8_t)(request[1] | 0x80),
			    codes[bench->asked % sizeof codes]};
	close_frame(reply, 3);
	pty_say(bench, reply, sizeof reply);
}

/* Busy brings no sample: what comes is counted without it. */
static void test_an_exception_is_an_answer(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_with_code, LONG_MS);
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 32));
	pty_bench_stop(&bench);
	assert_int_equal(good(&bench), 0);
	assert_true(pty_polls(&bench, "exception") >= 39);
	assert_int_equal(pty_polls(&bench, "error") + pty_polls(&bench, "timeout"), 0);
	assert_true(bench.door->links[0] && bench.door->n_links == 1);
	assert_true(fake_door_count(bench.door, FLAG_FAULT) > 0); /* code 4 */
	pty_bench_end(&bench);
}

static void chatter(struct pty_bench *bench, const uint8_t *request)
{
	answer_well(bench, request);
	for (int i = 0; i < 60 && bench->asked % 2 == 1; i++) {
		pty_say(bench, "noise", 5);
		sleep_ms(5);
	}
	pty_forget(bench);
}

static void test_noise_costs_a_time_and_ends(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, chatter, 120);
	bench.connection.request_gap_ms = 60;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, has_good, 5));
	assert_true(pty_unasked(&bench) > 0);
	finish(&bench);
}

/* --- echo --- */

static void hear_and_answer(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t both[MODBUS_RTU_REQUEST_BYTES + REPLY_BYTES];
	memcpy(both, request, MODBUS_RTU_REQUEST_BYTES);
	reply_to(bench, request, both + MODBUS_RTU_REQUEST_BYTES);
	size_t piece = 1 + bench->asked % sizeof both;
	for (size_t at = 0; at < sizeof both; at += piece)
		pty_say(bench, both + at, at + piece < sizeof both ? piece : sizeof both - at);
}

static void test_an_echo_is_taken_out(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, hear_and_answer, LONG_MS);
	bench.serial.echo = true;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_samples, 40));
	assert_int_equal(good(&bench), bench.door->n_samples);
	assert_int_equal(pty_unasked(&bench), 0);
	finish(&bench);
}

static void hear_wrongly(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t heard[MODBUS_RTU_REQUEST_BYTES];
	memcpy(heard, request, sizeof heard);
	if (bench->asked % 2 == 1)
		heard[bench->asked / 2 % sizeof heard] ^= 1;
	pty_say(bench, heard, sizeof heard);
	answer_well(bench, request);
}

static void test_an_echo_that_differs_spoils_its_exchange(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, hear_wrongly, 100);
	bench.serial.echo = true;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, has_good, 8));
	pty_bench_stop(&bench);
	assert_nothing_is_misattributed(&bench);
	for (size_t i = 0; i < bench.door->n_samples; i++)
		assert_true(!bench.door->samples[i].has_value ||
			    bench.door->samples[i].raw % 2 == 0);
	assert_true(pty_said(&bench, "wrong reply (not the echo of the request)") >= 3);
	pty_bench_end(&bench);
}

static void test_an_echo_that_does_not_come_is_said(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, stay_silent, SHORT_MS);
	bench.serial.echo = true;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 1));
	pty_bench_stop(&bench);
	assert_int_equal(pty_said(&bench, "bus: no answer for 3 polls (no echo, unit 1)"), 1);
	pty_bench_end(&bench);
}

static void test_an_echo_that_nobody_told_of_is_said(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, hear_and_answer, 50);
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 1));
	pty_bench_stop(&bench);
	assert_true(pty_said(&bench, "wrong reply (the request comes back: set echo)") >= 1);
	assert_int_equal(good(&bench), 0);
	pty_bench_end(&bench);
}

/* --- outages --- */

static _Atomic bool is_quiet;

static void answer_unless_quiet(struct pty_bench *bench, const uint8_t *request)
{
	if (!is_quiet)
		answer_well(bench, request);
}

static void test_an_outage_is_said_when_it_begins_and_when_it_ends(void **state)
{
	(void)state;
	struct pty_bench bench;
	is_quiet = true;
	start_on(&bench, answer_unless_quiet, SHORT_MS);
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, fake_door_has_links, 1));
	is_quiet = false;
	assert_true(fake_door_await(bench.door, fake_door_has_links, 2));
	assert_true(fake_door_await(bench.door, has_good, 4));
	pty_bench_stop(&bench);
	assert_false(bench.door->links[0]);
	assert_true(bench.door->links[1]);
	assert_int_equal(pty_said(&bench, "bus: no answer for 3 polls (timeout, unit 1)"), 1);
	assert_int_equal(pty_said(&bench, "answering again"), 1);
	assert_int_equal(pty_said(&bench, "no answer"), 1);
	assert_nothing_is_misattributed(&bench);
	pty_bench_end(&bench);
}

static void test_a_line_that_is_unplugged_comes_back(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_well, SHORT_MS);
	pty_unplug(&bench);
	pty_bench_go(&bench); /* missing at the start */
	assert_true(fake_door_await(bench.door, fake_door_has_links, 1));
	for (int i = 2; i < 6; i += 2) {
		pty_plug(&bench);
		assert_true(fake_door_await(bench.door, fake_door_has_links, i));
		assert_true(fake_door_await(bench.door, has_good, 10 * i));
		pty_unplug(&bench);
		assert_true(fake_door_await(bench.door, fake_door_has_links, i + 1));
	}
	pty_plug(&bench);
	pty_bench_stop(&bench);
	for (size_t i = 0; i < bench.door->n_links; i++)
		assert_int_equal(bench.door->links[i], i % 2);
	/* missing at the start; of what is pulled out, the line may tell before its name does */
	assert_true(pty_said(&bench, "bus: no answer for 3 polls (No such file or directory") >= 1);
	assert_int_equal(pty_said(&bench, "bus: no answer for 3 polls"), 3);
	assert_int_equal(pty_said(&bench, "answering again"), bench.door->n_links / 2);
	pty_bench_end(&bench);
}

static void answer_but_two(struct pty_bench *bench, const uint8_t *request)
{
	if (request[0] != 2 || !is_quiet)
		answer_well(bench, request);
}

static void test_a_dead_unit_leaves_its_neighbours_their_rate(void **state)
{
	(void)state;
	static const struct modbus_point units[] = {
		{.monitor = 0,
		 .unit_id = 1,
		 .address = 10,
		 .type = MODBUS_UINT32,
		 .scale = 1,
		 .every = 1},
		{.monitor = 1,
		 .unit_id = 2,
		 .address = 200,
		 .type = MODBUS_UINT32,
		 .scale = 1,
		 .every = 1},
	};
	struct pty_bench bench;
	is_quiet = true;
	start_on(&bench, answer_but_two, SHORT_MS);
	bench.connection.points = units;
	pty_bench_go(&bench);
	assert_true(fake_door_await(bench.door, has_good, 40));
	assert_true(pty_polls(&bench, "timeout") <= 12);
	is_quiet = false;
	for (int i = 0; i < 20 && pty_said(&bench, "unit 2 answering again") == 0; i++)
		assert_true(fake_door_await(bench.door, has_good, 50 + 10 * i));
	pty_bench_stop(&bench);
	assert_int_equal(pty_said(&bench, "bus: no answer from unit 2 for 3 polls (timeout)"), 1);
	assert_int_equal(pty_said(&bench, "answering again"), 1);
	assert_int_equal(bench.door->n_links, 1);
	assert_nothing_is_misattributed(&bench);
	pty_bench_end(&bench);
}

static void test_a_line_is_opened_alone(void **state)
{
	(void)state;
	struct pty_bench bench;
	start_on(&bench, answer_well, LONG_MS);
	struct port one, other;
	assert_int_equal(port_init(&one, &bench.serial), 0);
	assert_int_equal(port_init(&other, &bench.serial), 0);
	assert_int_equal(port_open(&one), 0);
	assert_int_equal(port_open(&other), -EBUSY);
	assert_int_equal(port_fd(&other), -1);
	port_close(&one);
	assert_int_equal(port_open(&other), 0);
	port_deinit(&one);
	port_deinit(&other);
	bench.serial.device = "/dev/null";
	assert_int_equal(port_init(&one, &bench.serial), 0);
	assert_int_equal(port_open(&one), -ENOTTY);
	port_deinit(&one);
	bench.serial.device = bench.device;
	pty_bench_go(&bench);
	finish(&bench);
}

/* --- attribution: one in twenty is late, comes twice, is another's, or damaged ---
 * A reply that takes longer than twice the timeout cannot be told from the next one's, so this is
 * long beside what a busy machine may hold the instrument up. */

/* Its number may not be taken. */
static void spoil(uint8_t reply[REPLY_BYTES])
{
	memset(reply + 4, 0, 3);
	close_frame(reply, 7);
}

static void answer_badly_at_times(struct pty_bench *bench, const uint8_t *request)
{
	uint8_t reply[REPLY_BYTES];
	int64_t asked_ms = now_ms();
	reply_to(bench, request, reply);
	if (pty_random(bench, 20) != 0) {
		pty_say(bench, reply, sizeof reply);
		return;
	}
	switch (pty_random(bench, 4)) {
	case 0:
		spoil(reply);
		sleep_ms(HASTY_MS + 5);
		if (now_ms() - asked_ms > HASTY_MS + 40)
			return; /* this machine has slept */
		break;
	case 1: {
		uint8_t twice[2 * REPLY_BYTES];
		memcpy(twice, reply, sizeof reply);
		memcpy(twice + sizeof reply, reply, sizeof reply);
		pty_say(bench, twice, sizeof twice);
		return;
	}
	case 2:
		spoil(reply);
		reply[0]++;
		close_frame(reply, 7);
		break;
	default:
		reply[6] ^= 0xff;
		break;
	}
	pty_say(bench, reply, sizeof reply);
}

static void test_no_reply_is_ever_given_to_another_request(void **state)
{
	(void)state;
	const char *wanted = getenv("DUCHA_EXCHANGES"), *seed = getenv("DUCHA_SEED");
	unsigned usual = getenv("DUCHA_LONG") != NULL ? LONG_EXCHANGES : EXCHANGES;
	unsigned exchanges = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : usual;
	struct pty_bench bench;
	start_on(&bench, answer_badly_at_times, HASTY_MS);
	bench.connection.interval_ms = 10;
	bench.serial.baud = 4000000;
	bench.random = seed != NULL ? (uint32_t)strtoul(seed, NULL, 10) : 1;
	print_message("seed %u\n", bench.random);
	assert_true(exchanges <= FAKE_SAMPLES);
	pty_bench_go(&bench);
	while (bench.asked < exchanges) {
		uint64_t before = bench.asked;
		sleep_ms(200);
		assert_true(bench.asked > before);
	}
	pty_bench_stop(&bench);
	assert_nothing_is_misattributed(&bench);
	assert_true(pty_polls(&bench, "error") >= exchanges / 60);
	assert_true(good(&bench) >= bench.door->n_samples / 2);
	pty_bench_end(&bench);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_serial_line_is_read),
		cmocka_unit_test(test_a_reply_may_come_byte_by_byte),
		cmocka_unit_test(test_the_deadline_holds_for_the_whole_exchange),
		cmocka_unit_test(test_frames_are_parted_by_silence),
		cmocka_unit_test(test_a_long_wait_ends_when_the_driver_stops),
		cmocka_unit_test(test_what_does_not_fit_costs_one_reading),
		cmocka_unit_test(test_a_late_reply_is_thrown_away),
		cmocka_unit_test(test_a_pause_between_requests_lets_a_second_reply_pass),
		cmocka_unit_test(test_an_exception_is_an_answer),
		cmocka_unit_test(test_noise_costs_a_time_and_ends),
		cmocka_unit_test(test_an_echo_is_taken_out),
		cmocka_unit_test(test_an_echo_that_differs_spoils_its_exchange),
		cmocka_unit_test(test_an_echo_that_does_not_come_is_said),
		cmocka_unit_test(test_an_echo_that_nobody_told_of_is_said),
		cmocka_unit_test(test_an_outage_is_said_when_it_begins_and_when_it_ends),
		cmocka_unit_test(test_a_line_that_is_unplugged_comes_back),
		cmocka_unit_test(test_a_dead_unit_leaves_its_neighbours_their_rate),
		cmocka_unit_test(test_a_line_is_opened_alone),
		cmocka_unit_test(test_no_reply_is_ever_given_to_another_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
