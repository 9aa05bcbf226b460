/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Marks: what people say afterwards, or beforehand, about a stretch of a monitor's data (标记规则):
 * maintenance, calibration, a stop. A mark lies over the readings and never changes them: the raw
 * value and flag stay, and the rules take the mark's flag instead of the raw one.
 *
 * Given one after the other, a later mark lies over an earlier one; flag N lifts what lies below
 * it, so that the raw flags stand again. It makes no reading valid that was not.
 *
 * A table of marks is immutable once built and may be read by any thread; whoever built it keeps it
 * for as long as somebody looks.
 */
#include "core/reading.h"
#include "core/zone.h"

struct mark {
	uint32_t monitor;
	int64_t from_ms, to_ms; /* measured; from included, to excluded */
	enum flag flag;         /* FLAG_NORMAL: lifts */
};

struct mark_span {
	int64_t from_ms, to_ms;
	enum flag flag; /* never FLAG_NORMAL */
};

struct marks {
	struct mark_span *spans; /* of a monitor ascending and apart */
	uint32_t *first;         /* by monitor, and one behind the last */
	size_t n_monitors;
};

/**
 * marks_build() - lay marks over each other
 * @given: the earlier given first; monitors below @n_monitors
 * Return: 0, -ENOMEM.
 */
int marks_build(struct marks *out, size_t n_monitors, const struct mark *given, size_t n);
void marks_deinit(struct marks *marks);
/** marks_pick() - those of some monitors, for a plan of these alone. Return: 0, -ENOMEM. */
int marks_pick(struct marks *out, const struct marks *marks, const uint32_t *monitors, size_t n);
/** marks_flag() - the mark over a moment. Return: false without one. */
bool marks_flag(const struct marks *marks, uint32_t monitor, int64_t time_ms, enum flag *flag);

/** marks_reading() - the reading as it counts: @r itself, or @room with the mark's flag */
const struct reading *marks_reading(const struct marks *marks, const struct reading *r,
				    struct reading *room);

/* --- as a file: a line each, the columns named by the first one --- */

enum marks_column {
	MARKS_SITE,
	MARKS_FACTOR,
	MARKS_FROM,
	MARKS_TO,
	MARKS_FLAG,
	MARKS_REASON,
	MARKS_COLUMNS
};

struct marks_header {
	int place[MARKS_COLUMNS];
	int n_fields;
};

struct marks_row {
	int64_t from_ms, to_ms;
	enum flag flag;
	const char *site, *factor; /* into the line, not NUL-terminated */
	size_t site_length, factor_length;
};

/** marks_header() - columns site, factor, from, to, flag, reason in any order; further ones are
 * passed over. @why: a sentence if it is refused, at least 160 bytes */
bool marks_header(const char *line, size_t length, struct marks_header *out, char *why,
		  size_t why_size);
/** marks_row() - one further line without its end; @zone: for times without offset */
bool marks_row(const char *line, size_t length, const struct marks_header *header,
	       const struct zone *zone, struct marks_row *out, char *why, size_t why_size);
