/* SPDX-License-Identifier: Apache-2.0 */
#include "deliver/times.h"

#include "core/array.h"

#include <stdlib.h>

void times_add(struct times *times, struct span span)
{
	void *at = array_room(times->at, times->n, &times->room, sizeof *times->at);
	if (at == NULL) {
		times->failed = true;
		return;
	}
	times->at = at;
	times->at[times->n++] = span;
}

static int by_start(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return x->start_ms < y->start_ms ? -1 : x->start_ms > y->start_ms;
}

int64_t times_ms(struct times *times)
{
	int64_t sum_ms = 0, until_ms = INT64_MIN;
	if (times->n > 0)
		qsort(times->at, times->n, sizeof *times->at, by_start);
	for (size_t i = 0; i < times->n; i++) {
		struct span one = times->at[i];
		if (one.start_ms < until_ms)
			one.start_ms = until_ms;
		if (one.end_ms <= one.start_ms)
			continue;
		sum_ms += one.end_ms - one.start_ms;
		until_ms = one.end_ms;
	}
	return sum_ms;
}
