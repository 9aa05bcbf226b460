/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Text: a growing buffer, with the few ways in which ducha writes numbers, times and JSON.
 *
 * JSON is written here and not by a library because the API promises the shortest decimal that
 * reads back as the same double, which no packaged C library gives. A text that could not grow is
 * `failed` and stays so; check it once at the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *at; /* NUL-terminated once anything was added; NULL when empty */
	size_t length, capacity;
	bool failed; /* out of memory: what was written is cut */
};

struct zone;

void text_deinit(struct text *text);
void text_clear(struct text *text); /* keeps the memory */
void text_add(struct text *text, const char *s);
void text_add_n(struct text *text, const char *s, size_t n);
void text_char(struct text *text, char c);
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * text_room() - where to write at most @n bytes directly; text_take() then adds those written
 * Return: NULL if it failed
 */
char *text_room(struct text *text, size_t n);
void text_take(struct text *text, const char *end);

/** text_double() - the shortest decimal that reads back as the same double; "null" if not finite */
void text_double(struct text *text, double value);
/** double_text() - the same into @buffer (at least 32 bytes), with a NUL. Return: length. */
size_t double_text(char *buffer, double value);
/** digits_text() - @n without leading zeros into @buffer (at least 24 bytes), no NUL. Return:
 * length. */
size_t digits_text(char *buffer, uint64_t n);
/** text_fixed() - @decimals places (0 to 9), correctly rounded from the double's exact value */
void text_fixed(struct text *text, double value, int decimals);
/** text_json() - a JSON string with quotes; bytes that are not UTF-8 become U+FFFD; NULL → null */
void text_json(struct text *text, const char *s);
/** text_time() - RFC 3339 with @decimals 0 or 3 and the zone's offset, as
 * 2026-01-02T03:04:05.000+08:00 */
void text_time(struct text *text, int64_t wall_ms, const struct zone *zone, int decimals);
