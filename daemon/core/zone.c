/* SPDX-License-Identifier: Apache-2.0 */
#include "core/zone.h"

#include "core/digits.h"

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int32_t zone_offset_s(const struct zone *zone, int64_t wall_ms)
{
	if (zone == NULL || zone->n_changes == 0)
		return 0;
	int64_t second = floor_div(wall_ms, 1000);
	size_t low = 0, high = zone->n_changes; /* changes[low] holds, unless before all */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (zone->changes[middle].from_s <= second)
			low = middle;
		else
			high = middle;
	}
	return zone->changes[low].offset_s;
}

/* Days since 1970-01-01 of a civil date; after Howard Hinnant's days_from_civil. */
static int64_t days_of(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = floor_div(year, 400);
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void date_of(int64_t days, struct civil *out)
{
	days += 719468;
	int64_t era = floor_div(days, 146097);
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted = (5 * day_of_year + 2) / 153;
	out->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	out->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	out->year = year_of_era + era * 400 + (out->month <= 2);
}

struct civil zone_civil(const struct zone *zone, int64_t wall_ms)
{
	int64_t second = floor_div(wall_ms, 1000) + zone_offset_s(zone, wall_ms);
	int64_t days = floor_div(second, 86400);
	int rest = (int)(second - days * 86400);
	struct civil civil = {.hour = rest / 3600, .minute = rest / 60 % 60, .second = rest % 60};
	date_of(days, &civil);
	return civil;
}

int64_t zone_wall_ms(const struct zone *zone, const struct civil *civil, int millisecond)
{
	int64_t local = days_of(civil->year, civil->month, civil->day) * 86400 +
			civil->hour * 3600 + civil->minute * 60 + civil->second;
	/* No offset exceeds a day: the larger of the two around it is in force first, and gives the
	 * earlier of two moments that the local clock shows alike. */
	int32_t before = zone_offset_s(zone, (local - 86400) * 1000);
	int32_t after = zone_offset_s(zone, (local + 86400) * 1000);
	int32_t offset = before;
	if (zone_offset_s(zone, (local - before) * 1000) != before &&
	    zone_offset_s(zone, (local - after) * 1000) == after)
		offset = after;
	return (local - offset) * 1000 + millisecond;
}

static int month_days(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

bool civil_valid(const struct civil *c)
{
	return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	       c->day <= month_days(c->year, c->month) && c->hour >= 0 && c->hour <= 23 &&
	       c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 59;
}

int64_t zone_day(const struct zone *zone, int64_t wall_ms)
{
	return floor_div(floor_div(wall_ms, 1000) + zone_offset_s(zone, wall_ms), 86400);
}

int64_t zone_day_ms(const struct zone *zone, int64_t day)
{
	struct civil civil = {0};
	date_of(day, &civil);
	return zone_wall_ms(zone, &civil, 0);
}

/* --- parsing --- */

struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return false;
	c->at++;
	return true;
}

static bool take_number(struct cursor *c, int width, int low, int high, int *out)
{
	int n = 0;
	if (c->end - c->at < width)
		return false;
	for (int i = 0; i < width; i++, c->at++) {
		if (*c->at < '0' || *c->at > '9')
			return false;
		n = n * 10 + (*c->at - '0');
	}
	*out = n;
	return n >= low && n <= high;
}

/* ".123…" to whole milliseconds, rounded down; absent is 0. */
static bool take_fraction(struct cursor *c, int *ms)
{
	*ms = 0;
	if (!take(c, '.'))
		return true;
	int scale = 100, count = 0;
	for (; c->at != c->end && *c->at >= '0' && *c->at <= '9'; c->at++, count++) {
		*ms += (*c->at - '0') * scale;
		scale /= 10;
	}
	return count > 0;
}

static bool take_offset(struct cursor *c, int *offset_s)
{
	int hour = 0, minute = 0;
	if (take(c, 'Z') || take(c, 'z')) {
		*offset_s = 0;
		return true;
	}
	bool west = take(c, '-');
	if (!west && !take(c, '+'))
		return false;
	if (!take_number(c, 2, 0, 23, &hour) || !take(c, ':') || !take_number(c, 2, 0, 59, &minute))
		return false;
	*offset_s = (hour * 3600 + minute * 60) * (west ? -1 : 1);
	return true;
}

static bool take_civil(struct cursor *c, struct civil *out, int *ms)
{
	int year;
	if (!take_number(c, 4, 1, 9999, &year) || !take(c, '-') ||
	    !take_number(c, 2, 1, 12, &out->month) || !take(c, '-') ||
	    !take_number(c, 2, 1, month_days(year, out->month), &out->day))
		return false;
	out->year = year;
	if (!take(c, 'T') && !take(c, 't') && !take(c, ' '))
		return false;
	return take_number(c, 2, 0, 23, &out->hour) && take(c, ':') &&
	       take_number(c, 2, 0, 59, &out->minute) && take(c, ':') &&
	       take_number(c, 2, 0, 60, &out->second) && take_fraction(c, ms);
}

static bool parse_civil(struct cursor c, const struct zone *zone, int64_t *out_ms)
{
	struct civil civil = {0};
	int ms, offset_s;
	if (!take_civil(&c, &civil, &ms))
		return false;
	if (c.at == c.end) {
		if (zone == NULL)
			return false;
		*out_ms = zone_wall_ms(zone, &civil, ms);
		return true;
	}
	if (!take_offset(&c, &offset_s) || c.at != c.end)
		return false;
	*out_ms = zone_wall_ms(NULL, &civil, ms) - (int64_t)offset_s * 1000;
	return true;
}

/* Years 1 to 9999 in seconds since 1970. */
#define EPOCH_FIRST (-62135596800)
#define EPOCH_LAST 253402300799

static bool parse_epoch(struct cursor c, int64_t *out_ms)
{
	bool negative = take(&c, '-');
	int64_t second = 0;
	int count = 0, ms;
	for (; c.at != c.end && *c.at >= '0' && *c.at <= '9' && count < 13; c.at++, count++)
		second = second * 10 + (*c.at - '0');
	const char *fraction = c.at;
	if (count == 0 || !take_fraction(&c, &ms) || c.at != c.end)
		return false;
	if (negative) {
		bool finer = false; /* below a millisecond: rounding down goes away from zero */
		for (const char *p = fraction + 4; p < c.end; p++)
			finer |= *p != '0';
		*out_ms = -(second * 1000 + ms) - finer;
	} else {
		*out_ms = second * 1000 + ms;
	}
	return *out_ms >= EPOCH_FIRST * 1000 && *out_ms <= EPOCH_LAST * 1000 + 999;
}

/* Whole seconds since 1970 of any year before 9999. */
static bool seconds_fast(const char *text, size_t length, int64_t *out_ms)
{
	uint64_t second = 0; /* of no meaning, and no overflow, where something is no digit */
	unsigned worst = 0;
	size_t i = 0;
	if (length == 0 || length > 11)
		return false;
	if (length >= 8) {
		uint64_t head = digits_load(text);
		if (!digits_only(head))
			return false;
		second = digits_eight(head);
		i = 8;
	}
	for (; i < length; i++) {
		unsigned digit = (unsigned)(text[i] - '0');
		worst = digit > worst ? digit : worst;
		second = second * 10 + digit;
	}
	if (worst > 9)
		return false;
	*out_ms = (int64_t)second * 1000;
	return true;
}

/* It is written in the zone's own time, which may be another year. */
static bool has_year(const struct zone *zone, int64_t ms)
{
	const int64_t day_ms = 86400000;
	if (zone == NULL || (ms >= EPOCH_FIRST * 1000 + day_ms && ms < EPOCH_LAST * 1000 - day_ms))
		return true;
	int64_t year = zone_civil(zone, ms).year;
	return year >= 1 && year <= 9999;
}

bool time_parse(const char *text, size_t length, const struct zone *zone, int64_t *out_ms)
{
	if (seconds_fast(text, length, out_ms))
		return true;
	struct cursor c = {text, text + length};
	bool civil = length > 5 && text[4] == '-';
	return (civil ? parse_civil(c, zone, out_ms) : parse_epoch(c, out_ms)) &&
	       has_year(zone, *out_ms);
}
