/* SPDX-License-Identifier: Apache-2.0 */
/* The Modbus TCP driver against instruments with every fault there is. DUCHA_EXCHANGES sets how
 * many exchanges the long test makes; a million with DUCHA_LONG. */
#include "field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	INTERVAL_MS = 20,
	SHORT_MS = 60,
	LONG_MS = 10000,
	EXCHANGES = 100000,
	LONG_EXCHANGES = 1000000
};

static bool all_units_good(struct field *field, uint64_t wanted)
{
	for (size_t i = 0; i < field->n_lines; i++)
		for (size_t u = 0; u < field->n_units; u++)
			if (field->door.seen[i * FIELD_UNITS + u].good < wanted)
				return false;
	return true;
}

static bool first_unit_good(struct field *field, uint64_t wanted)
{
	return field->door.seen[0].good >= wanted;
}

static bool first_unit_without(struct field *field, uint64_t wanted)
{
	return field->door.seen[0].without >= wanted;
}

static bool first_unit_fault(struct field *field, uint64_t wanted)
{
	return field->door.seen[0].fault >= wanted;
}

static bool second_unit_good(struct field *field, uint64_t wanted)
{
	return field->door.seen[1].good >= wanted;
}

static bool first_link_up(struct field *field, uint64_t wanted)
{
	return field->door.ups[0] >= wanted;
}

static bool first_link_down(struct field *field, uint64_t wanted)
{
	return field->door.downs[0] >= wanted;
}

/* --- one fault a line, on a third of its requests --- */

enum outcome { TAKEN, TIMEOUT, ERROR, EXCEPTION };

static const struct {
	struct fault fault;
	enum outcome outcome;
	bool is_short; /* timeout: it has to pass */
} faults[] = {
	{{FAULT_SILENCE, 0, 0}, TIMEOUT, true},   {{FAULT_HALF_OPEN, 0, 0}, TIMEOUT, true},
	{{FAULT_CLOSE, 0, 0}, ERROR, false},      {{FAULT_RESET, 0, 0}, ERROR, false},
	{{FAULT_TRICKLE, 1, 0}, TAKEN, false},    {{FAULT_TRICKLE, 20, 0}, TIMEOUT, true},
	{{FAULT_LATE, 150, 0}, TIMEOUT, true},    {{FAULT_STRAY, 150, 0}, TIMEOUT, true},
	{{FAULT_STRAY, 350, 0}, TIMEOUT, true},   {{FAULT_DUPLICATE, 0, 0}, ERROR, false},
	{{FAULT_DUPLICATE, 5, 0}, TAKEN, false},  {{FAULT_DUPLICATE, 20, 0}, TAKEN, false},
	{{FAULT_FOREIGN, 0, 0}, ERROR, false},    {{FAULT_TRANSACTION, 0, 0}, ERROR, false},
	{{FAULT_PROTOCOL, 0, 0}, ERROR, false},   {{FAULT_UNIT, 0, 0}, ERROR, false},
	{{FAULT_FUNCTION, 0, 0}, ERROR, false},   {{FAULT_BYTE_COUNT, 0, 0}, ERROR, false},
	{{FAULT_LENGTH_LOW, 0, 0}, ERROR, false}, {{FAULT_LENGTH_HIGH, 0, 0}, ERROR, false},
	{{FAULT_CUT, 0, 0}, TIMEOUT, true},       {{FAULT_SURPLUS, 0, 0}, ERROR, false},
	{{FAULT_FEWER, 0, 0}, ERROR, false},      {{FAULT_MORE, 0, 0}, ERROR, false},
	{{FAULT_GARBAGE, 0, 0}, ERROR, false},    {{FAULT_CHATTER, 5, 0}, TAKEN, false},
};

enum { FAULTS = sizeof faults / sizeof *faults, NEIGHBOUR = FAULTS };

static bool fault_has_shown(struct field *field, size_t i)
{
	static const char *const results[] = {"ok", "timeout", "error", "exception"};
	return field->lines[i].n_faults >= 3 &&
	       field_polls(field, i, results[faults[i].outcome]) >= 3 &&
	       field->door.seen[i * FIELD_UNITS].good >= 5; /* good ones come in between */
}

static bool each_fault_has_shown(struct field *field, uint64_t wanted)
{
	(void)wanted;
	for (size_t i = 0; i < FAULTS; i++)
		if (!fault_has_shown(field, i))
			return false;
	return true;
}

static void check_line(struct field *field, size_t i)
{
	struct seen seen = field_seen(field, i, 1);
	print_message("fault: %s, delay %d ms: %u without\n", fault_words[faults[i].fault.kind],
		      (int)faults[i].fault.delay_ms, (unsigned)seen.without);
	assert_int_equal(field_polls(field, i, "exception"), 0);
	if (!faults[i].is_short)
		assert_int_equal(field_polls(field, i, "timeout"), 0);
	assert_int_equal(seen.good, field_polls(field, i, "ok"));
	assert_int_equal(seen.without,
			 field_polls(field, i, "timeout") + field_polls(field, i, "error"));
}

/* Each on a line of its own, all at once, beside a healthy one. */
static void test_each_fault_costs_only_its_own_reading(void **state)
{
	(void)state;
	struct field *field = field_new(FAULTS + 1, 1, INTERVAL_MS, LONG_MS);
	for (size_t i = 0; i < FAULTS; i++) {
		if (faults[i].is_short)
			field->connections[i].timeout_ms = SHORT_MS;
		field_fault(field, i, 0, faults[i].fault, 0.34, 1);
	}
	field_start(field);
	field_await(field, each_fault_has_shown, 0);
	field->play_ms = 1;
	uint64_t good = 0;
	for (size_t i = 0; i <= NEIGHBOUR; i++)
		good = field_seen(field, i, 1).good > good ? field_seen(field, i, 1).good : good;
	field_await(field, all_units_good, good + 5);
	field_stop(field);
	for (size_t i = 0; i < FAULTS; i++)
		check_line(field, i);
	struct seen neighbour = field_seen(field, NEIGHBOUR, 1);
	assert_int_equal(neighbour.without + neighbour.fault, 0);
	assert_int_equal(field->door.ups[NEIGHBOUR], 1);
	assert_int_equal(field->door.downs[NEIGHBOUR], 0);
	field_free(field);
}

/* A byte every 20 ms resets no clock: with a deadline of 60 ms such a reply is never whole. */
static void test_the_deadline_holds_for_the_whole_exchange(void **state)
{
	(void)state;
	struct field *field = field_new(1, 1, INTERVAL_MS, SHORT_MS);
	field_fault(field, 0, 0, (struct fault){.kind = FAULT_TRICKLE, .delay_ms = 20}, 1, 0);
	field_start(field);
	field_await(field, first_unit_without, 5);
	field_stop(field);
	assert_int_equal(field_seen(field, 0, 1).good, 0);
	assert_int_equal(field_polls(field, 0, "ok") + field_polls(field, 0, "error"), 0);
	field_free(field);
}

static void try_exception(uint8_t code)
{
	struct field *field = field_new(1, 1, INTERVAL_MS, LONG_MS);
	field_fault(field, 0, 0, (struct fault){.kind = FAULT_EXCEPTION, .code = code}, 1, 1);
	field_start(field);
	bool is_busy = code == 5 || code == 6;
	if (is_busy)
		field_await(field, first_link_up, 1);
	else
		field_await(field, code == 4 ? first_unit_fault : first_unit_without, 5);
	field->play_ms = 1;
	field_await(field, first_unit_good, 5);
	field_stop(field);
	struct seen seen = field_seen(field, 0, 1);
	assert_int_equal(responder_accepted(field->responder), 1); /* no reason to hang up */
	assert_int_equal(field->door.downs[0], 0);
	assert_int_equal(field_polls(field, 0, "error") + field_polls(field, 0, "timeout"), 0);
	assert_int_equal(field_polls(field, 0, "ok"), seen.good);
	assert_true(field_polls(field, 0, "exception") >= 1);
	if (is_busy)
		assert_int_equal(seen.without + seen.fault, 0);
	else
		assert_int_equal(field_polls(field, 0, "exception"),
				 code == 4 ? seen.fault : seen.without);
	bool is_of_gateway = code == 10 || code == 11;
	assert_int_equal(field_said(field, "answers exception"), !is_of_gateway);
	assert_int_equal(field_said(field, "no answer from unit 1 for 3 polls"), is_of_gateway);
	assert_int_equal(field_said(field, "unit 1 answering again"), is_of_gateway);
	field_free(field);
}

static void test_every_exception_is_told_apart(void **state)
{
	static const uint8_t codes[] = {1, 2, 3, 4, 5, 6, 8, 10, 11, 200};
	(void)state;
	for (size_t i = 0; i < sizeof codes; i++)
		try_exception(codes[i]);
}

/* --- units that share a connection --- */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What a dead unit may be asked within @rounds by the clock: 0 1 2 4 8 16 32 64, then each 60th. A
 * machine that is held up leaves rounds out, so readings would be the wrong measure. */
static uint64_t most_asked(int64_t rounds)
{
	return 9 + (uint64_t)rounds / 60;
}

static void expect_rest(struct fault fault, int64_t timeout_ms)
{
	struct field *field = field_new(1, 4, INTERVAL_MS, timeout_ms);
	field_fault(field, 0, 1, fault, 1, 1);
	int64_t began_ms = now_ms();
	field_start(field);
	field_await(field, second_unit_good, 250);
	struct seen dead = field_seen(field, 0, 1);
	uint64_t asked = field->lines[0].asked[1];
	int64_t rounds = (now_ms() - began_ms) / INTERVAL_MS + 1;
	field->play_ms = 1;
	field_await(field, first_unit_good, 5);
	field_stop(field);
	assert_int_equal(dead.good, 0);
	assert_true(dead.without >= 200); /* a reading in every round all the same */
	assert_true(asked >= 5); /* 1 1 2 4 8 16 32 60 60 rounds apart on an idle machine */
	assert_true(asked <= most_asked(rounds));
	for (uint8_t unit = 2; unit <= 4; unit++) /* the first failure may cost one */
		assert_in_range(field_seen(field, 0, unit).without, 0, 2);
	assert_int_equal(field_said(field, "no answer from unit 1 for 3 polls"), 1);
	assert_int_equal(field_said(field, "no answer"), 1 + (fault.code == 11));
	assert_int_equal(field_said(field, "answering again"), 1);
	char end[64];
	snprintf(end, sizeof end, "unit 1 answering again, %u polls missed",
		 (unsigned)field_seen(field, 0, 1).without_before_last_good);
	assert_int_equal(field_said(field, end), 1);
	assert_int_equal(field->door.ups[0], 1);
	assert_int_equal(field->door.downs[0], 0);
	field_free(field);
}

static void test_a_dead_unit_is_asked_ever_more_rarely(void **state)
{
	(void)state;
	expect_rest((struct fault){.kind = FAULT_SILENCE}, 300);
}

static void test_a_unit_that_answers_nonsense_is_asked_ever_more_rarely(void **state)
{
	(void)state;
	expect_rest((struct fault){.kind = FAULT_FUNCTION}, LONG_MS);
}

static void test_a_unit_that_the_gateway_misses_is_asked_ever_more_rarely(void **state)
{
	(void)state;
	expect_rest((struct fault){.kind = FAULT_EXCEPTION, .code = 11}, LONG_MS);
}

static bool last_unit_good(struct field *field, uint64_t wanted)
{
	return field->door.seen[7].good >= wanted;
}

static void test_dead_units_take_turns(void **state)
{
	(void)state;
	struct field *field = field_new(1, 8, INTERVAL_MS, 100);
	for (uint8_t unit = 1; unit <= 3; unit++)
		field_fault(field, 0, unit, (struct fault){.kind = FAULT_SILENCE}, 1, 1);
	field_start(field);
	field_await(field, last_unit_good, 150);
	for (uint8_t unit = 1; unit <= 3; unit++)
		assert_in_range(field->lines[0].asked[unit], 3, 12);
	field->play_ms = 1;
	field_await(field, all_units_good, 3);
	field_stop(field);
	assert_int_equal(field_said(field, "no answer from unit"), 3);
	assert_int_equal(field_said(field, "answering again") - field->door.downs[0], 3);
	field_free(field);
}

static void test_a_dead_gateway_is_one_outage_and_its_units_come_back_together(void **state)
{
	(void)state;
	struct field *field = field_new(1, 8, INTERVAL_MS, 40);
	field_fault(field, 0, 0, (struct fault){.kind = FAULT_SILENCE}, 1, 1);
	field_start(field);
	field_await(field, first_link_down, 1);
	field_await(field, first_unit_without, 60);
	field->play_ms = 1;
	field_await(field, first_link_up, 1);
	field_await(field, all_units_good, 5);
	field_stop(field);
	assert_int_equal(field_said(field, "no answer"), 1);
	assert_int_equal(field_said(field, "line-0: no answer for 3 polls (timeout, unit"), 1);
	assert_int_equal(field_said(field, "line-0: answering again"), 1);
	assert_int_equal(field_said(field, "answering again"), 1);
	field_free(field);
}

/* --- outages and attribution --- */

/* The loop is held up so long that the late reply lies there before the deadline is looked at. */
static void test_a_late_reply_stays_late_when_the_loop_is_held_up(void **state)
{
	(void)state;
	struct field *field = field_new(2, 1, INTERVAL_MS, INTERVAL_MS);
	field->door.hold_ms = 4 * INTERVAL_MS;
	field_fault(field, 1, 0, (struct fault){FAULT_LATE, 3 * INTERVAL_MS, 0}, 1, 0);
	field_start(field);
	field_await(field, first_unit_good, 20);
	field_stop(field);
	assert_int_equal(field_seen(field, 1, 1).good, 0);
	assert_true(field_polls(field, 1, "timeout") >= 3);
	field_free(field);
}

static bool each_without(struct field *field, uint64_t wanted)
{
	for (size_t i = 0; i < field->n_lines; i++)
		if (field->door.seen[i * FIELD_UNITS].without < wanted)
			return false;
	return true;
}

static void test_reconnecting_backs_off_and_is_spread(void **state)
{
	enum { LINES = 16 };
	(void)state;
	struct field *field = field_new(LINES, 1, INTERVAL_MS, INTERVAL_MS);
	for (size_t i = 0; i < LINES; i++)
		field_fault(field, i, 0, (struct fault){.kind = FAULT_CLOSE}, 1, 1);
	field_start(field);
	field_await(field, each_without, 100);
	uint64_t asked = 0;
	for (size_t i = 0; i < LINES; i++)
		asked += field->lines[i].asked[1];
	assert_in_range(asked, 3 * LINES, 20 * LINES); /* 100 rounds with a connection for few */
	field->play_ms = 1;
	field_await(field, all_units_good, 3);
	field_stop(field);
	int64_t least = INT64_MAX, most = 0;
	size_t longer = 0; /* 200 ms ± 20 % after 100 ms ± 20 %; a busy machine may stretch some */
	for (size_t i = 0; i < LINES; i++) {
		const int64_t *at = field->lines[i].first_asked_ns;
		int64_t pause = at[2] - at[1];
		longer += pause > at[1] - at[0];
		least = pause < least ? pause : least;
		most = pause > most ? pause : most;
	}
	assert_true(longer >= LINES / 4 * 3);
	assert_true(most - least > INT64_C(20000000)); /* of the 80 ms that they may lie apart */
	assert_int_equal(field_said(field, "no answer for 3 polls"), LINES);
	assert_int_equal(field_said(field, "answering again"), LINES);
	field_free(field);
}

static bool keeps_phase(const int64_t *asked_ns, int64_t interval_ns)
{
	int64_t off_ns = (asked_ns[2] - asked_ns[0] + interval_ns / 2) % interval_ns;
	return llabs(off_ns - interval_ns / 2) < interval_ns / 4;
}

static void test_polls_are_spread_over_the_interval_and_keep_their_phase(void **state)
{
	enum { LINES = 8, LONG_INTERVAL_MS = 400 };
	const int64_t interval_ns = LONG_INTERVAL_MS * INT64_C(1000000);
	(void)state;
	struct field *field = field_new(LINES, 1, LONG_INTERVAL_MS, LONG_INTERVAL_MS);
	field_start(field);
	field_await(field, all_units_good, 3);
	field_stop(field);
	int64_t first = INT64_MAX, last = 0;
	size_t kept = 0;
	for (size_t i = 0; i < LINES; i++) {
		const int64_t *at = field->lines[i].first_asked_ns;
		first = at[1] < first ? at[1] : first;
		last = at[1] > last ? at[1] : last;
		kept += keeps_phase(at, interval_ns);
	}
	assert_true(last - first > interval_ns / 2); /* seven eighths, by their phases */
	assert_true(kept >= LINES / 4 * 3);
	field_free(field);
}

static bool exchanged(struct field *field, uint64_t wanted)
{
	return field->n_requests >= wanted;
}

/* One in twenty is late, on this connection or the next, comes twice or is another's. */
static void test_no_reply_is_ever_given_to_another_request(void **state)
{
	static const struct fault kinds[] = {{FAULT_LATE, 45, 0},
					     {FAULT_STRAY, 45, 0},
					     {FAULT_DUPLICATE, 0, 0},
					     {FAULT_DUPLICATE, 1, 0},
					     {FAULT_FOREIGN, 0, 0}};
	(void)state;
	const char *wanted = getenv("DUCHA_EXCHANGES");
	uint64_t usual = getenv("DUCHA_LONG") != NULL ? LONG_EXCHANGES : EXCHANGES;
	uint64_t exchanges = wanted != NULL ? strtoull(wanted, NULL, 10) : usual;
	assert_true(exchanges < FIELD_REQUESTS);
	struct field *field = field_new(FIELD_LINES, FIELD_UNITS, 10, 20);
	for (size_t i = 0; i < FIELD_LINES; i++) {
		struct fault fault = kinds[i % (sizeof kinds / sizeof *kinds)];
		field_fault(field, i, 0, fault, 0.05, 0);
	}
	field_start(field);
	uint64_t step = exchanges / 200 + 1; /* a deadline for each */
	for (uint64_t n = step; n < exchanges + step; n += step)
		field_await(field, exchanged, n < exchanges ? n : exchanges);
	field_stop(field);
	print_message("%llu exchanges, %llu faults, %llu values taken, %llu misattributed\n",
		      (unsigned long long)field->n_requests,
		      (unsigned long long)responder_faults(field->responder),
		      (unsigned long long)field->door.good,
		      (unsigned long long)field->door.misattributed);
	assert_true(responder_faults(field->responder) >= exchanges / 25);
	assert_true(field->door.good >= exchanges / 20); /* what a busy machine holds up is late */
	field_free(field);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fault_costs_only_its_own_reading),
		cmocka_unit_test(test_the_deadline_holds_for_the_whole_exchange),
		cmocka_unit_test(test_every_exception_is_told_apart),
		cmocka_unit_test(test_a_dead_unit_is_asked_ever_more_rarely),
		cmocka_unit_test(test_a_unit_that_answers_nonsense_is_asked_ever_more_rarely),
		cmocka_unit_test(test_a_unit_that_the_gateway_misses_is_asked_ever_more_rarely),
		cmocka_unit_test(test_dead_units_take_turns),
		cmocka_unit_test(
			test_a_dead_gateway_is_one_outage_and_its_units_come_back_together),
		cmocka_unit_test(test_reconnecting_backs_off_and_is_spread),
		cmocka_unit_test(test_polls_are_spread_over_the_interval_and_keep_their_phase),
		cmocka_unit_test(test_a_late_reply_stays_late_when_the_loop_is_held_up),
		cmocka_unit_test(test_no_reply_is_ever_given_to_another_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
