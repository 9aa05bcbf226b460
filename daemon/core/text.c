/* SPDX-License-Identifier: Apache-2.0 */
#include "core/text.h"

#include "core/decimal.h"
#include "core/zone.h"

#include <endian.h>
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

char *text_room(struct text *text, size_t n)
{
	return text_reserve(text, n) ? text->at + text->length : NULL;
}

void text_take(struct text *text, const char *end)
{
	text->length = (size_t)(end - text->at);
	text->at[text->length] = '\0';
}

void text_add_n(struct text *text, const char *s, size_t n)
{
	if (!text_reserve(text, n))
		return;
	if (n > 0) /* memcpy() takes no NULL, not even for nothing (C17, 7.24.1) */
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
	if (!text_reserve(text, 1))
		return;
	text->at[text->length++] = c;
	text->at[text->length] = '\0';
}

/* What is there for @format and its NUL; 0: nothing yet. */
static size_t text_left(const struct text *text)
{
	return text->failed ? 0 : text->capacity - text->length;
}

void text_format(struct text *text, const char *format, ...)
{
	va_list arguments;
	size_t left = text_left(text);
	char *at = left > 0 ? text->at + text->length : NULL;
	va_start(arguments, format);
	int n = vsnprintf(at, left, format, arguments);
	va_end(arguments);
	if (n >= 0 && (size_t)n < left) {
		text->length += (size_t)n;
		return;
	}
	if (at != NULL)
		*at = '\0'; /* that what did not fit is not there */
	if (n < 0 || !text_reserve(text, (size_t)n))
		return;
	va_start(arguments, format);
	vsnprintf(text->at + text->length, (size_t)n + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)n;
}

/* The eight digits of @n < 10^8 as bytes 0 to 9, the first in the lowest byte: halves of 4, of 2
 * and of 1 digits are parted in all lanes at once. n * 10486 >> 20 is n / 100 below 10^4, n * 103
 * >> 10 is n / 10 below 100. */
static uint64_t eight_digits(uint32_t n)
{
	uint64_t fours = n / 10000 | (uint64_t)(n % 10000) << 32;
	uint64_t hundreds = (fours * 10486) >> 20 & 0x0000007f0000007f;
	uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
	uint64_t tens = (twos * 103) >> 10 & 0x000f000f000f000f;
	return tens | (twos - 10 * tens) << 8;
}

enum { EIGHT_DIGITS = 100000000 };

/* Bytes 0 to 9 as text; eight are written. */
static void put_digits(char *at, uint64_t digits)
{
	uint64_t text = htole64(digits + 0x3030303030303030);
	memcpy(at, &text, sizeof text);
}

/* The first group, @n < 10^8, without leading zeros; eight bytes are written. */
static char *put_first(char *at, uint64_t n)
{
	uint64_t digits = eight_digits((uint32_t)n);
	int zeros = n == 0 ? 7 : __builtin_ctzll(digits) / 8;
	put_digits(at, digits >> 8 * zeros);
	return at + 8 - zeros;
}

size_t digits_text(char *buffer, uint64_t n)
{
	uint64_t rest = n / EIGHT_DIGITS;
	char *at = buffer;
	if (rest == 0)
		return (size_t)(put_first(at, n) - buffer);
	if (rest < EIGHT_DIGITS) {
		at = put_first(at, rest);
	} else {
		at = put_first(at, rest / EIGHT_DIGITS);
		put_digits(at, eight_digits((uint32_t)(rest % EIGHT_DIGITS)));
		at += 8;
	}
	put_digits(at, eight_digits((uint32_t)(n % EIGHT_DIGITS)));
	return (size_t)(at + 8 - buffer);
}

static const uint64_t power10[] = {1,
				   10,
				   100,
				   1000,
				   10000,
				   100000,
				   1000000,
				   10000000,
				   100000000,
				   1000000000,
				   10000000000,
				   100000000000,
				   1000000000000,
				   10000000000000,
				   100000000000000,
				   1000000000000000,
				   10000000000000000};
enum { PLACES = 16 }; /* two groups */

/* @fraction / 10^@places, at most 21 and the fraction below 10^17, without the zeros at its end */
static char *put_fraction(char *at, uint64_t fraction, int places)
{
	if (places > PLACES) { /* zeros, and a digit more than two groups hold */
		put_digits(at, 0);
		at += places - PLACES - 1;
		*at++ = (char)('0' + fraction / power10[PLACES]);
		fraction %= power10[PLACES];
	} else {
		fraction *= power10[PLACES - places];
	}
	uint64_t digits = eight_digits((uint32_t)(fraction / EIGHT_DIGITS));
	if (fraction % EIGHT_DIGITS != 0) {
		put_digits(at, digits);
		at += 8;
		digits = eight_digits((uint32_t)(fraction % EIGHT_DIGITS));
	}
	put_digits(at, digits);
	return at + 8 - __builtin_clzll(digits) / 8; /* not 0: of 17 digits the last is none */
}

/* Without an exponent. What stands before the point of the shortest decimal is the whole part of
 * the double itself, as whole numbers of its size are doubles, which read back as no other. */
static char *put_plain(char *at, double magnitude)
{
	uint64_t whole = (uint64_t)magnitude;
	at += digits_text(at, whole);
	if ((double)whole == magnitude)
		return at;
	struct decimal decimal = decimal_shortest(magnitude);
	int places = -decimal.exponent;
	if (whole > 0) /* then there are at most 16 */
		decimal.digits -= whole * power10[places];
	*at++ = '.';
	return put_fraction(at, decimal.digits, places);
}

/* Up to 15 digits survive a double, so fewer need no try; subnormal ones hold fewer. */
static size_t printed_text(char *buffer, double value)
{
	int precision = fabs(value) < DBL_MIN ? 1 : 15, n;
	do
		n = snprintf(buffer, 32, "%.*g", precision, value);
	while (precision++ < 17 && strtod(buffer, NULL) != value);
	return (size_t)n;
}

size_t double_text(char *buffer, double value)
{
	if (!isfinite(value)) {
		memcpy(buffer, "null", 5);
		return 4;
	}
	double magnitude = fabs(value);
	bool plain = magnitude == 0 || (magnitude >= DECIMAL_LEAST && magnitude < DECIMAL_BEYOND);
	if (!plain)
		return printed_text(buffer, value);
	char *at = buffer;
	if (signbit(value))
		*at++ = '-';
	at = put_plain(at, magnitude);
	*at = '\0';
	return (size_t)(at - buffer);
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

/* How many bytes from @s on stand in a JSON string as they are. */
static size_t json_plain(const unsigned char *s)
{
	size_t n = 0;
	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
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
		size_t plain = json_plain(at);
		text_add_n(text, (const char *)at, plain);
		at += plain;
		if (*at == '\0')
			break;
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

/* Two digits behind @mark. Return: the place behind them. */
static char *put_two(char *at, char mark, int value)
{
	at[0] = mark;
	at[1] = (char)('0' + value / 10);
	at[2] = (char)('0' + value % 10);
	return at + 3;
}

/* Years of four digits, which nearly all are, without the library's way of writing numbers. */
static void text_year(struct text *text, int64_t year)
{
	if (year < 0 || year > 9999) {
		text_format(text, "%04lld", (long long)year);
		return;
	}
	const char digits[] = {(char)('0' + year / 1000), (char)('0' + year / 100 % 10),
			       (char)('0' + year / 10 % 10), (char)('0' + year % 10)};
	text_add_n(text, digits, sizeof digits);
}

void text_time(struct text *text, int64_t wall_ms, const struct zone *zone, int decimals)
{
	struct civil c = zone_civil(zone, wall_ms);
	int32_t offset_min = zone_offset_s(zone, wall_ms) / 60;
	int ms = (int)(wall_ms % 1000);
	char rest[32], *at = rest;
	at = put_two(at, '-', c.month);
	at = put_two(at, '-', c.day);
	at = put_two(at, 'T', c.hour);
	at = put_two(at, ':', c.minute);
	at = put_two(at, ':', c.second);
	if (decimals > 0) {
		ms += ms < 0 ? 1000 : 0;
		at = put_two(at, '.', ms / 10);
		*at++ = (char)('0' + ms % 10);
	}
	at = put_two(at, offset_min < 0 ? '-' : '+', abs(offset_min) / 60);
	at = put_two(at, ':', abs(offset_min) % 60);
	text_year(text, c.year);
	text_add_n(text, rest, (size_t)(at - rest));
}
