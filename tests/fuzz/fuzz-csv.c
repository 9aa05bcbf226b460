/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded data: a header and rows of any bytes, times and decimals, none of them terminated. */
#include "core/csv.h"
#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct zone_change changes[] = {{0, 3600}, {1774746000, 7200}, {1792890000, 3600}};
static const struct zone berlin = {changes, 3};

static void require(bool good)
{
	if (!good)
		abort();
}

/* A copy of exactly its length, so that the address sanitizer sees a step too far. */
static char *exact(const char *from, size_t length)
{
	char *copy = malloc(length);
	require(copy != NULL || length == 0);
	if (length > 0)
		memcpy(copy, from, length);
	return copy;
}

static void check_row(const char *line, size_t length, const struct csv_header *header)
{
	struct csv_row row = {0};
	char why[128] = "";
	if (!csv_row(line, length, header, &berlin, &row, why, sizeof why)) {
		require(why[0] != '\0' && strlen(why) < sizeof why);
		return;
	}
	require(row.site >= line && row.site + row.site_length <= line + length);
	require(row.factor >= line && row.factor + row.factor_length <= line + length);
	require(!row.has_value || isfinite(row.value));
	require(flag_known((int)row.flag));
}

static void check_time(const char *text, size_t length)
{
	int64_t ms, again;
	struct text out = {0};
	if (!time_parse(text, length, &berlin, &ms))
		return;
	text_time(&out, ms, &berlin, 3); /* what was read can be written and read again */
	if (ms >= -62135596800000 + 7200000 && ms <= 253402300799999 - 7200000)
		require(time_parse(out.at, out.length, NULL, &again) && again == ms);
	text_deinit(&out);
}

static void check_decimal(const char *text, size_t length)
{
	double value, again;
	char buffer[32];
	if (!decimal_parse(text, length, &value))
		return;
	require(isfinite(value));
	require(decimal_parse(buffer, double_text(buffer, value), &again) && again == value);
}

/* Line by line, and where the row is the expected one, it is read as any other. */
static void check_lines(const char *from, const char *to, const struct csv_header *header)
{
	static const char names[] = "outfall-3,w01018,";
	struct csv_row row = {0}, same;
	struct csv_line line;
	char why[128];
	for (; from < to; from += line.taken) {
		struct csv_row expected = row;
		size_t taken = csv_row_like(from, to, header, names, strlen(names), &expected);
		csv_line(from, to, &line);
		require(line.taken > line.length || from + line.taken == to);
		require(from + line.taken <= to && line.at == from);
		bool good = csv_row_of(&line, header, &berlin, &row, why, sizeof why);
		require(taken == 0 ||
			(good && taken == line.taken && row.has_value &&
			 row.value == expected.value && row.time_ms == expected.time_ms &&
			 row.flag == expected.flag));
		same = (struct csv_row){0};
		require(csv_row(line.at, line.length, header, &berlin, &same, why, sizeof why) ==
			good);
	}
}

/* The first line is the header, the others are rows; each is tried as a time and a decimal, too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char plain[] = "time,site,factor,value,flag";
	struct csv_header header, usual;
	char why[128];
	bool first = true, has = false;
	require(csv_header(plain, strlen(plain), &usual, why, sizeof why));
	for (size_t from = 0; from <= size;) {
		const uint8_t *end = size > from ? memchr(data + from, '\n', size - from) : NULL;
		size_t length = end == NULL ? size - from : (size_t)(end - data) - from;
		char *line = exact((const char *)data + from, length);
		if (first)
			has = csv_header(line, length, &header, why, sizeof why);
		if (has)
			check_row(line, length, &header);
		check_row(line, length, &usual);
		check_time(line, length);
		check_decimal(line, length);
		free(line);
		from += length + 1;
		first = false;
	}
	char *all = exact((const char *)data, size);
	check_lines(all, all + size, &usual);
	free(all);
	return 0;
}
