/* SPDX-License-Identifier: Apache-2.0 */
/* A file of marks: a header and rows of any bytes, none of them terminated. */
#include "core/marks.h"

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

static void check_row(const char *line, size_t length, const struct marks_header *header)
{
	struct marks_row row;
	char why[160] = "";
	if (!marks_row(line, length, header, &berlin, &row, why, sizeof why)) {
		require(why[0] != '\0' && strlen(why) < sizeof why);
		return;
	}
	require(row.site >= line && row.site + row.site_length <= line + length);
	require(row.factor >= line && row.factor + row.factor_length <= line + length);
	require(row.from_ms < row.to_ms && flag_known((int)row.flag));
}

/* The first line is the header, the others are rows, each copied to exactly its length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char plain[] = "site,factor,from,to,flag,reason";
	struct marks_header header, usual;
	char why[160];
	bool has = false;
	require(marks_header(plain, strlen(plain), &usual, why, sizeof why));
	for (size_t from = 0; from <= size;) {
		const uint8_t *end = size > from ? memchr(data + from, '\n', size - from) : NULL;
		size_t length = end == NULL ? size - from : (size_t)(end - data) - from;
		char *line = malloc(length);
		require(line != NULL || length == 0);
		if (length > 0)
			memcpy(line, data + from, length);
		if (from == 0)
			has = marks_header(line, length, &header, why, sizeof why);
		if (has)
			check_row(line, length, &header);
		check_row(line, length, &usual);
		free(line);
		from += length + 1;
	}
	return 0;
}
