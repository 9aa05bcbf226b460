/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Series: a monitor's newest results, and what their course says of itself. Pure.
 *
 * Kept are results of one unbroken run: series_clear() at a gap.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
	SERIES_RESULTS = 64,  /* kept */
	SERIES_LONGEST = 24,  /* a pattern that repeats, in results */
	SERIES_DIFFERENT = 3, /* values that a pattern needs: fewer repeat by themselves */
};

struct series {
	uint32_t n, next; /* results kept; where the next one goes */
	double values[SERIES_RESULTS];
	int64_t times_ms[SERIES_RESULTS];
	/* by distance: how many results in a row equalled the one that far before them */
	uint16_t repeats[SERIES_LONGEST + 1];
};

void series_clear(struct series *series);
void series_add(struct series *series, int64_t time_ms, double value);
/** series_value(), series_time() - of the result @back before the newest, 0 to n - 1 */
double series_value(const struct series *series, uint32_t back);
int64_t series_time(const struct series *series, uint32_t back);

/** series_steady() - are the newest @count results (at most SERIES_RESULTS) so alike that their
 * coefficient of variation (population) is below @share? False with fewer, or a mean of 0. */
bool series_steady(const struct series *series, uint32_t count, double share);
/** series_different() - do the newest @count results hold at least SERIES_DIFFERENT values? */
bool series_different(const struct series *series, uint32_t count);
/** series_pattern() - the length of the pattern, 0: none. The newest @count results, and at least
 * a whole pattern, each equal the one a pattern before; a pattern holds SERIES_DIFFERENT values. */
uint32_t series_pattern(const struct series *series, uint32_t count);
