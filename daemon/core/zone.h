/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Zone: the node's time zone as a table, so that core needs neither files nor the C library's zone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone_change {
	int64_t from_s;   /* seconds since 1970, from which on offset_s holds */
	int32_t offset_s; /* east of UTC */
};

struct zone {
	const struct zone_change
		*changes; /* ascending; changes[0] holds for all time before, too */
	size_t n_changes; /* 0: UTC */
};

/* Civil time, proleptic Gregorian. */
struct civil {
	int64_t year;
	int month, day, hour, minute, second; /* 1..12, 1..31, 0..23, 0..59, 0..60 */
};

/** civil_valid() - a moment of the calendar between the years 1 and 9999; second 60 is none */
bool civil_valid(const struct civil *civil);
int32_t zone_offset_s(const struct zone *zone, int64_t wall_ms);
/** zone_civil() - wall clock to civil time in the zone */
struct civil zone_civil(const struct zone *zone, int64_t wall_ms);
/** zone_wall_ms() - civil time in the zone to ms; a time that occurs twice is its first occurrence,
 * one that does not occur is what it would have been before the change */
int64_t zone_wall_ms(const struct zone *zone, const struct civil *civil, int millisecond);

/** zone_day() - the civil day in the zone, counted from 1970-01-01 = 0 */
int64_t zone_day(const struct zone *zone, int64_t wall_ms);
/** zone_day_ms() - when a day so counted begins */
int64_t zone_day_ms(const struct zone *zone, int64_t day);

/**
 * time_parse() - RFC 3339 text, or epoch seconds with optional fraction
 * @zone: for times without offset; NULL: they are refused
 * @out_ms: whole milliseconds, rounded down
 *
 * Accepts 'T', 't' or one space between date and time, 'Z', ±hh:mm; seconds are required.
 * Return: true if @text is wholly a time between the years 1 and 9999, in @zone, too.
 */
bool time_parse(const char *text, size_t length, const struct zone *zone, int64_t *out_ms);
