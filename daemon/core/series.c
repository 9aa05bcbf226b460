/* SPDX-License-Identifier: Apache-2.0 */
#include "core/series.h"

#include <math.h>
#include <string.h>

void series_clear(struct series *s)
{
	s->n = 0;
	memset(s->repeats, 0, sizeof s->repeats);
}

static uint32_t place(const struct series *s, uint32_t back)
{
	return (s->next + SERIES_RESULTS - 1 - back) % SERIES_RESULTS;
}

double series_value(const struct series *s, uint32_t back)
{
	return s->values[place(s, back)];
}

int64_t series_time(const struct series *s, uint32_t back)
{
	return s->times_ms[place(s, back)];
}

void series_add(struct series *s, int64_t time_ms, double value)
{
	for (uint32_t length = 1; length <= SERIES_LONGEST && length <= s->n; length++) {
		bool same = series_value(s, length - 1) == value;
		s->repeats[length] =
			!same ? 0
			      : (uint16_t)(s->repeats[length] + (s->repeats[length] < UINT16_MAX));
	}
	s->values[s->next] = value;
	s->times_ms[s->next] = time_ms;
	s->next = (s->next + 1) % SERIES_RESULTS;
	s->n += s->n < SERIES_RESULTS;
}

bool series_steady(const struct series *s, uint32_t count, double share)
{
	double sum = 0, squares = 0;
	if (s->n < count || count == 0)
		return false;
	for (uint32_t i = 0; i < count; i++)
		sum += series_value(s, i);
	double mean = sum / count;
	for (uint32_t i = 0; i < count; i++) {
		double off = series_value(s, i) - mean;
		squares += off * off;
	}
	return mean != 0 && sqrt(squares / count) < share * fabs(mean);
}

bool series_different(const struct series *s, uint32_t count)
{
	double seen[SERIES_DIFFERENT];
	uint32_t n = 0;
	for (uint32_t i = 0; i < count && i < s->n && n < SERIES_DIFFERENT; i++) {
		uint32_t j = 0;
		while (j < n && seen[j] != series_value(s, i))
			j++;
		if (j == n)
			seen[n++] = series_value(s, i);
	}
	return n == SERIES_DIFFERENT;
}

uint32_t series_pattern(const struct series *s, uint32_t count)
{
	for (uint32_t length = SERIES_DIFFERENT; length <= SERIES_LONGEST; length++) {
		uint32_t needed = count > length ? count : length;
		if (s->repeats[length] >= needed && series_different(s, length))
			return length;
	}
	return 0;
}
