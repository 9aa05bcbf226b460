/* SPDX-License-Identifier: Apache-2.0 */
/* Minutes, and the record that an hour of them is packed into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/minute.h"
#include "core/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 300 };

static uint64_t state_of(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return *s >> 33;
}

/* What instruments say: whole counts, decimals, decimals by a factor, floats, doubles, and both
 * ends of what there is. */
enum { COUNTS, DECIMALS, SCALED, FLOATS, DOUBLES, EXTREMES, KINDS };

static double value_of(int kind, uint64_t *s)
{
	uint64_t n = state_of(s);

	switch (kind) {
	case COUNTS:
		return (double)(n % 100000);
	case DECIMALS:
		return (double)(int64_t)(n % 20000) / 100 - 50;
	case SCALED:
		return (double)(n % 5000) * 0.1;
	case FLOATS:
		return (double)(7.0f + (float)(n % 1000) / 333.0f);
	case DOUBLES:
		return sqrt((double)n);
	default:
		return ldexp((n & 1 ? 1.0 : -1.0) * (1 + (double)(n % 1000) / 7),
			     (int)(n % 1900) - 950);
	}
}

static void fill(struct minute *hour, int kind, uint64_t *s)
{
	memset(hour, 0, HOUR_MINUTES * sizeof *hour);
	for (int i = 0; i < HOUR_MINUTES; i++)
		for (uint64_t n = state_of(s) % 4 == 0 ? 0 : state_of(s) % 80; n > 0; n--)
			minute_add(&hour[i], value_of(kind, s));
}

static void assert_digits(double a, double b, double share)
{
	if (!(fabs(a - b) <= share * fabs(b)))
		fail_msg("%.17g is not %.17g", a, b);
}

static void assert_same(const struct minute *a, const struct minute *b, bool floats)
{
	assert_int_equal(a->n, b->n);
	if (a->n == 0)
		return;
	assert_int_equal(compare12(a->low, b->low), 0);
	assert_int_equal(compare12(a->high, b->high), 0);
	assert_true(a->low <= a->high);
	assert_digits(a->sum, b->sum, floats ? 1e-7 : 1e-12);
}

static void test_what_was_packed_comes_back(void **state)
{
	uint64_t s = 20261126;
	(void)state;
	for (int round = 0; round < ROUNDS; round++)
		for (int kind = 0; kind < KINDS; kind++) {
			struct minute hour[HOUR_MINUTES], back[HOUR_MINUTES];
			uint8_t packed[MINUTES_PACKED_MOST];
			fill(hour, kind, &s);
			size_t size = minutes_pack(hour, packed);
			assert_true(size <= sizeof packed);
			assert_true(minutes_unpack(back, packed, size));
			for (int i = 0; i < HOUR_MINUTES; i++)
				assert_same(&back[i], &hour[i], kind == FLOATS);
		}
}

static size_t packed_bytes(int kind, int a_minute)
{
	struct minute hour[HOUR_MINUTES] = {0};
	uint8_t packed[MINUTES_PACKED_MOST];
	uint64_t s = 7;
	for (int i = 0; i < HOUR_MINUTES; i++)
		for (int n = 0; n < a_minute; n++)
			minute_add(&hour[i], value_of(kind, &s));
	return minutes_pack(hour, packed);
}

static void test_an_hour_is_small(void **state)
{
	(void)state;
	/* of 60 readings a minute, which span all that the instrument can say */
	assert_true(packed_bytes(DECIMALS, 60) <= 9 + 60 * 9);
	assert_true(packed_bytes(FLOATS, 60) <= 9 + 60 * 13);
	/* one reading a minute is less than it was */
	assert_true(packed_bytes(DECIMALS, 1) <= 9 + 60 * 4);
	assert_true(packed_bytes(FLOATS, 1) <= 9 + 60 * 5);
}

static void test_one_value_for_long_is_smaller_still(void **state)
{
	struct minute hour[HOUR_MINUTES] = {0}, back[HOUR_MINUTES];
	uint8_t packed[MINUTES_PACKED_MOST];
	(void)state;
	for (int i = 0; i < HOUR_MINUTES; i++)
		for (int n = 0; n < 12; n++)
			minute_add(&hour[i], 7.1);
	size_t size = minutes_pack(hour, packed);
	assert_true(size <= 9 + 60 * 3 + 1);
	assert_true(minutes_unpack(back, packed, size));
	assert_true(back[59].low == 7.1 && back[59].high == 7.1);
	assert_digits(back[59].sum, 12 * 7.1, 1e-15);
}

static void test_what_is_not_finite_is_no_reading(void **state)
{
	struct minute hour[HOUR_MINUTES] = {0};
	(void)state;
	minute_add(&hour[3], NAN);
	minute_add(&hour[3], INFINITY);
	assert_false(minutes_any(hour));
	minute_add(&hour[3], -1);
	minute_add(&hour[3], NAN);
	assert_true(minutes_any(hour));
	assert_int_equal(hour[3].n, 1);
	assert_true(hour[3].low == -1 && hour[3].high == -1 && hour[3].sum == -1);
}

static void test_what_is_no_packed_hour_is_said_and_read_no_further(void **state)
{
	struct minute hour[HOUR_MINUTES], back[HOUR_MINUTES];
	uint8_t packed[MINUTES_PACKED_MOST];
	uint64_t s = 99;
	(void)state;
	for (int kind = 0; kind < KINDS; kind++) {
		fill(hour, kind, &s);
		size_t size = minutes_pack(hour, packed);
		for (size_t i = 0; i < size; i++)
			assert_false(minutes_unpack(back, packed, i));
		assert_false(minutes_any(back));
		for (int i = 0; i < 2000; i++) {
			uint8_t *copy = malloc(size); /* to the byte, for a sanitizer */
			memcpy(copy, packed, size);
			for (int flips = 0; flips < 3; flips++)
				copy[state_of(&s) % size] ^= (uint8_t)(1u << state_of(&s) % 8);
			if (minutes_unpack(back, copy, size))
				for (int j = 0; j < HOUR_MINUTES; j++)
					assert_true(isfinite(back[j].low) &&
						    isfinite(back[j].high));
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_packed_comes_back),
		cmocka_unit_test(test_an_hour_is_small),
		cmocka_unit_test(test_one_value_for_long_is_smaller_still),
		cmocka_unit_test(test_what_is_not_finite_is_no_reading),
		cmocka_unit_test(test_what_is_no_packed_hour_is_said_and_read_no_further),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
