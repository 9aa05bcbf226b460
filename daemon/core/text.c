/* SPDX-License-Identifier: Apache-2.0 */
#include "core/text.h"

#include "core/zone.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_deinit(struct text *text)
{
	free(text->at);
	*text = (struct text){0};
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->failed = false;
	if (text->at != NULL)
		text->at[0] = '\0';
}

/* Room for @n more bytes and the final NUL. */
static bool text_reserve(struct text *text, size_t n)
{
	if (text->failed)
		return false;
	if (text->capacity - text->length > n)
		return true;
	size_t capacity = text->capacity < 128 ? 256 : text->capacity * 2;
	while (capacity - text->length <= n)
		capacity *= 2;
	char *at = realloc(text->at, capacity);
	if (at == NULL) {
		text->failed = true;
		return false;
	}
	text->at = at;
	text->capacity = capacity;
	return true;
}

void text_add_n(struct text *text, const char *s, size_t n)
{
	if (!text_reserve(text, n))
		return;
	memcpy(text->at + text->length, s, n);
	text->length += n;
	text->at[text->length] = '\0';
}

void text_add(struct text *text, const char *s)
{
	text_add_n(text, s, strlen(s));
}

void text_char(struct text *text, char c)
{
	text_add_n(text, &c, 1);
}

void text_format(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (n < 0 || !text_reserve(text, (size_t)n))
		return;
	va_start(arguments, format);
	vsnprintf(text->at + text->length, (size_t)n + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)n;
}

/* Digits of @n, right-aligned and zero-padded to @width; returns the length. */
static size_t digits(char *buffer, uint64_t n, int width)
{
	char reversed[20];
	int length = 0;
	do
		reversed[length++] = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	while (length < width)
		reversed[length++] = '0';
	for (int i = 0; i < length; i++)
		buffer[i] = reversed[length - 1 - i];
	return (size_t)length;
}

/*
 * Most values of instruments have few decimals. If round(value * 10^k) / 10^k is the value again,
 * the division being correctly rounded, that decimal reads back as the same double, and the first
 * such k is the shortest.
 */
static size_t double_few_decimals(char *buffer, double value)
{
	static const double power[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
	double magnitude = fabs(value);
	if (!(magnitude < 1e9) || (magnitude < 1e-4 && magnitude != 0))
		return 0;
	for (int k = 0; k <= 6; k++) {
		double scaled = rint(magnitude * power[k]);
		if (scaled / power[k] != magnitude)
			continue;
		size_t at = 0;
		if (signbit(value))
			buffer[at++] = '-';
		uint64_t whole = (uint64_t)scaled, unit = (uint64_t)power[k];
		at += digits(buffer + at, whole / unit, 1);
		if (k > 0) {
			buffer[at++] = '.';
			at += digits(buffer + at, whole % unit, k);
		}
		buffer[at] = '\0';
		return at;
	}
	return 0;
}

size_t double_text(char *buffer, double value)
{
	if (!isfinite(value)) {
		memcpy(buffer, "null", 5);
		return 4;
	}
	size_t length = double_few_decimals(buffer, value);
	/* Up to 15 digits survive a double, so fewer need no try; subnormal ones hold fewer. */
	for (int precision = fabs(value) < DBL_MIN ? 1 : 15; length == 0; precision++) {
		int n = snprintf(buffer, 32, "%.*g", precision, value);
		if (precision >= 17 || strtod(buffer, NULL) == value)
			length = (size_t)n;
	}
	return length;
}

void text_double(struct text *text, double value)
{
	char buffer[32];
	text_add_n(text, buffer, double_text(buffer, value));
}

void text_fixed(struct text *text, double value, int decimals)
{
	text_format(text, "%.*f", decimals, value);
}

/* Length of the well-formed UTF-8 sequence at @s (RFC 3629), 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void text_json_char(struct text *text, unsigned char c)
{
	static const char shorthand[] = "btnvfr"; /* 8..13; \v has none */
	if (c == '"' || c == '\\') {
		text_char(text, '\\');
		text_char(text, (char)c);
	} else if (c >= 8 && c <= 13 && c != 11) {
		text_char(text, '\\');
		text_char(text, shorthand[c - 8]);
	} else if (c < 0x20 || c == 0x7f) {
		text_format(text, "\\u%04x", c);
	} else {
		text_char(text, (char)c);
	}
}

void text_json(struct text *text, const char *s)
{
	if (s == NULL) {
		text_add(text, "null");
		return;
	}
	text_char(text, '"');
	const unsigned char *at = (const unsigned char *)s;
	while (*at != '\0') {
		size_t n = utf8_length(at);
		if (n == 1)
			text_json_char(text, *at);
		else if (n == 0)
			text_add(text, "\xef\xbf\xbd");
		else
			text_add_n(text, (const char *)at, n);
		at += n == 0 ? 1 : n;
	}
	text_char(text, '"');
}

void text_time(struct text *text, int64_t wall_ms, const struct zone *zone, int decimals)
{
	struct civil c = zone_civil(zone, wall_ms);
	int32_t offset_min = zone_offset_s(zone, wall_ms) / 60;
	int64_t ms = wall_ms % 1000;
	text_format(text, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)c.year, c.month, c.day,
		    c.hour, c.minute, c.second);
	if (decimals > 0)
		text_format(text, ".%03d", (int)(ms < 0 ? ms + 1000 : ms));
	char sign = offset_min < 0 ? '-' : '+';
	if (offset_min < 0)
		offset_min = -offset_min;
	text_format(text, "%c%02d:%02d", sign, offset_min / 60, offset_min % 60);
}
