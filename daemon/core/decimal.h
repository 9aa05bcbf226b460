/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Decimal: the shortest decimal that reads back as the same double, without trying.
 *
 * Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020, 9.9), kept to magnitudes
 * whose power of ten is exact in 64 bits: those of instruments. Printing and reading back, the way
 * for the rest, costs twenty times as much.
 */
#include <stdbool.h>
#include <stdint.h>

struct decimal {
	uint64_t digits; /* may end in zeros */
	int exponent;    /* of ten */
};

#define DECIMAL_LEAST 1e-4
#define DECIMAL_BEYOND 1e15

/** decimal_shortest() - of several shortest ones the nearest, @value in [LEAST, BEYOND) */
struct decimal decimal_shortest(double value);
