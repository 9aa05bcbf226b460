/* SPDX-License-Identifier: Apache-2.0 */
/* Marks as a file: pure functions over one line. */
#include "core/csv.h"
#include "core/marks.h"

#include <string.h>
#include <strings.h>

static const char *const names[MARKS_COLUMNS] = {"site", "factor", "from", "to", "flag", "reason"};

static bool is(struct csv_field f, const char *word)
{
	return f.length == strlen(word) && strncasecmp(f.at, word, f.length) == 0;
}

bool marks_header(const char *line, size_t length, struct marks_header *out, char *why,
		  size_t why_size)
{
	struct csv_field fields[CSV_FIELDS_MAX];
	if (length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		line += 3;
		length -= 3;
	}
	out->n_fields = csv_split(line, length, fields);
	for (int column = 0; column < MARKS_COLUMNS; column++) {
		int found = 0;
		for (int i = 0; i < out->n_fields; i++)
			if (is(fields[i], names[column])) {
				out->place[column] = i;
				found++;
			}
		if (found == 1)
			continue;
		snprintf(why, why_size,
			 "the header %s column \"%s\"; it names site,factor,from,to,flag,reason",
			 found == 0 ? "lacks" : "has twice the", names[column]);
		return false;
	}
	return true;
}

static bool refuse(char *why, size_t why_size, const char *what, struct csv_field f)
{
	snprintf(why, why_size, "%s \"%.*s\"", what, (int)(f.length > 60 ? 60 : f.length), f.at);
	return false;
}

bool marks_row(const char *line, size_t length, const struct marks_header *header,
	       const struct zone *zone, struct marks_row *out, char *why, size_t why_size)
{
	struct csv_field all[CSV_FIELDS_MAX], f[MARKS_COLUMNS];
	int n = csv_split(line, length, all);
	if (n < 0) {
		snprintf(why, why_size, "a quote is not closed, or more than %d fields",
			 CSV_FIELDS_MAX);
		return false;
	}
	if (n != header->n_fields) {
		snprintf(why, why_size, "%d fields, the header has %d", n, header->n_fields);
		return false;
	}
	for (int i = 0; i < MARKS_COLUMNS; i++)
		f[i] = all[header->place[i]];
	*out = (struct marks_row){.site = f[MARKS_SITE].at,
				  .site_length = f[MARKS_SITE].length,
				  .factor = f[MARKS_FACTOR].at,
				  .factor_length = f[MARKS_FACTOR].length};
	if (!time_parse(f[MARKS_FROM].at, f[MARKS_FROM].length, zone, &out->from_ms))
		return refuse(why, why_size, "not a time with seconds:", f[MARKS_FROM]);
	if (!time_parse(f[MARKS_TO].at, f[MARKS_TO].length, zone, &out->to_ms))
		return refuse(why, why_size, "not a time with seconds:", f[MARKS_TO]);
	if (out->from_ms >= out->to_ms)
		return refuse(why, why_size, "the mark must end behind its beginning, not at",
			      f[MARKS_TO]);
	if (f[MARKS_FLAG].length != 1 || !flag_known(f[MARKS_FLAG].at[0]))
		return refuse(why, why_size, "unknown flag", f[MARKS_FLAG]);
	out->flag = (enum flag)f[MARKS_FLAG].at[0];
	if (f[MARKS_REASON].length == 0)
		return refuse(why, why_size, "a mark needs a reason, not", f[MARKS_REASON]);
	return true;
}
