/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the benchmarks share: time, order, percentiles.
 */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline double bench_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The value below which the share @p of @values lies; sorts them. */
static inline double bench_percentile(double *values, size_t n, double p)
{
	qsort(values, n, sizeof *values, bench_compare);
	size_t at = (size_t)((double)n * p);
	return values[at < n ? at : n - 1];
}
