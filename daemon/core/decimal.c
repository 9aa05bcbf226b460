/* SPDX-License-Identifier: Apache-2.0 */
#include "core/decimal.h"

#include <string.h>

/* 5^n; a double in range needs n from 2 (1e15) to 20 (1e-4). */
static const uint64_t power5[] = {
	1,
	5,
	25,
	125,
	625,
	3125,
	15625,
	78125,
	390625,
	1953125,
	9765625,
	48828125,
	244140625,
	1220703125,
	6103515625,
	30517578125,
	152587890625,
	762939453125,
	3814697265625,
	19073486328125,
	95367431640625,
	476837158203125,
};

__extension__ typedef unsigned __int128 wide;

/* Upper half of the product, its last bit set where something was cut off ("round to odd"). */
static uint64_t scale(uint64_t power, uint64_t n)
{
	wide product = (wide)power * n;
	return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

/* The value and the ends of the interval that reads back as it, four times as many units of
 * 10^exponent. */
struct interval {
	uint64_t low, value, high;
};

static struct decimal choose(const struct interval *of, int exponent)
{
	uint64_t below = of->value / 4, tens = below / 10;
	bool low_ten = of->low <= 40 * tens, high_ten = 40 * tens + 40 <= of->high;
	if (low_ten != high_ten)
		return (struct decimal){tens + high_ten, exponent + 1};
	bool low = of->low <= 4 * below, high = 4 * below + 4 <= of->high;
	if (low != high)
		return (struct decimal){below + high, exponent};
	uint64_t middle = 4 * below + 2;
	bool up = of->value > middle || (of->value == middle && (below & 1) != 0);
	return (struct decimal){below + up, exponent};
}

struct decimal decimal_shortest(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	uint64_t fraction = bits & ((1ULL << 52) - 1), c = fraction | 1ULL << 52;
	int q = (int)(bits >> 52) - 1075; /* value = c * 2^q */
	if (q <= 0 && q > -53 && (c & ((1ULL << -q) - 1)) == 0)
		return (struct decimal){c >> -q, 0};
	bool power_of_two = fraction == 0, odd = (c & 1) != 0;
	/* floor(log10(2^q)), or of three quarters of it where the lower neighbour is nearer */
	int k = (q * 1262611 - (power_of_two ? 524031 : 0)) >> 22;
	int h = q + ((-k * 1741647) >> 19) + 1;
	uint64_t power = power5[-k];
	power <<= __builtin_clzll(power);
	struct interval of = {
		.low = scale(power, (4 * c - 2 + power_of_two) << h) + odd,
		.value = scale(power, (4 * c) << h),
		.high = scale(power, (4 * c + 2) << h) - odd,
	};
	return choose(&of, k);
}
