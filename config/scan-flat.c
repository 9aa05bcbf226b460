/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scan-flat.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES 60

void scan_buffer_put(struct scan_buffer *buffer, const char *bytes, size_t length, bool *no_memory)
{
	if (buffer->length + length + 1 > buffer->room) {
		size_t room = (buffer->length + length + 1) * 2;
		char *grown = realloc(buffer->at, room);
		if (!grown) {
			*no_memory = true;
			return;
		}
		buffer->at = grown;
		buffer->room = room;
	}
	if (length)
		memcpy(buffer->at + buffer->length, bytes, length);
	buffer->length += length;
	buffer->at[buffer->length] = '\0';
}

void flat_put(struct scan *scan, const char *bytes, size_t length)
{
	scan_buffer_put(&scan->flat, bytes, length, &scan->no_memory);
}

static bool grow_places(struct scan *scan)
{
	size_t n = scan->n_places;
	if (n & (n - 1))
		return true; /* room for the next power of two is there */
	struct scan_place *grown = realloc(scan->places, (n ? 2 * n : 1) * sizeof(*grown));
	if (!grown)
		return false;
	scan->places = grown;
	return true;
}

void flat_line_end(struct scan *scan, uint32_t file, int line)
{
	if (!grow_places(scan)) {
		scan->no_memory = true;
		return;
	}
	if (scan->n_places > 0)
		flat_put(scan, "\n", 1);
	scan->places[scan->n_places++] = (struct scan_place){.file = file, .line = line};
}

void flat_note(struct scan *scan, enum scan_weight weight, const char *format, ...)
{
	struct scan_note *grown = realloc(scan->notes, (scan->n_notes + 1) * sizeof(*scan->notes));
	if (!grown) {
		scan->no_memory = true;
		return;
	}
	scan->notes = grown;
	char *message;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&message, format, arguments) < 0)
		scan->no_memory = true;
	else
		grown[scan->n_notes++] = (struct scan_note){
			.line = (int)scan->n_places, .weight = weight, .message = message};
	va_end(arguments);
}

void flat_break(struct scan *scan, const char *file, int line, const char *format, ...)
{
	if (scan->broken)
		return;
	scan->broken = true;
	scan->broken_line = line;
	scan->broken_file = strdup(file);
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&scan->broken_message, format, arguments) < 0)
		scan->broken_message = NULL;
	va_end(arguments);
	if (!scan->broken_file || !scan->broken_message)
		scan->no_memory = true;
}

/* How many bytes at @at are of the class; "" at the end of a token counts as its end. */
static size_t span(const char *at, const char *end, int (*of)(int))
{
	size_t n = 0;
	while (at + n < end && of((unsigned char)at[n]))
		n++;
	return n;
}

struct integer {
	bool is, hex, wide; /* wide: written with L */
};

static struct integer read_integer(const char *token, size_t length)
{
	struct integer result = {0};
	const char *at = token, *end = token + length;
	if (length > 2 && at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		result.hex = true;
	at += result.hex ? 2 : (*at == '+' || *at == '-') ? 1 : 0;
	size_t digits = span(at, end, result.hex ? isxdigit : isdigit);
	at += digits;
	while (at < end && *at == 'L' && !(result.wide && at[-2] == 'L')) {
		result.wide = true;
		at++;
	}
	result.is = digits > 0 && at == end;
	return result;
}

bool flat_is_number(const char *token, size_t length)
{
	char text[512], *end;
	if (read_integer(token, length).is)
		return true;
	if (length >= sizeof(text))
		return false;
	memcpy(text, token, length);
	text[length] = '\0';
	strtod(text, &end);
	return *end == '\0' && end != text && text[strspn(text, "0123456789+-.eE")] == '\0';
}

char flat_number_kind(const char *token, size_t length)
{
	struct integer integer = read_integer(token, length);
	return !integer.is ? 'f' : integer.wide ? 'l' : 'i';
}

/* An integer: libconfig needs the L from 2^31 on, and nothing holds more than 63 bits. */
static void put_integer(struct scan *scan, const char *text, size_t length, struct integer integer)
{
	errno = 0;
	long long value = strtoll(text, NULL, integer.hex ? 16 : 10);
	if (errno == ERANGE) {
		flat_note(scan, NOTE_INSTEAD, "integer %s is beyond 64 bits", text);
		flat_put(scan, "0", 1);
		return;
	}
	flat_put(scan, text, length);
	if (integer.wide || (value >= INT32_MIN && value <= INT32_MAX))
		return;
	flat_note(scan, NOTE_UNLESS,
		  "integer %s is beyond 32 bits and would be misread without an L; write %sL", text,
		  text);
	flat_put(scan, "L", 1);
}

void flat_number(struct scan *scan, const char *token, size_t length)
{
	char *text = strndup(token, length);
	if (!text) {
		scan->no_memory = true;
		return;
	}
	char *end;
	struct integer integer = read_integer(token, length);
	if (integer.is) {
		put_integer(scan, text, length, integer);
	} else if (isinf(strtod(text, &end)) && *end == '\0') {
		flat_note(scan, NOTE_INSTEAD, "%s is too large for a number; at most about 1.8e308",
			  text);
		flat_put(scan, "0.0", 3);
	} else {
		flat_put(scan, text, length);
	}
	free(text);
}

uint32_t flat_add_file(struct scan *scan, char *name, const struct reader *reader, int *error)
{
	struct scan_file *grown = realloc(scan->files, (scan->n_files + 1) * sizeof(*scan->files));
	*error = -ENOMEM;
	if (!grown || !name) {
		free(name);
		if (grown)
			scan->files = grown;
		scan->no_memory = true;
		return 0;
	}
	scan->files = grown;
	struct scan_file *file = &grown[scan->n_files];
	*file = (struct scan_file){.name = name};
	*error = reader_read(reader, name, &file->text, &file->length);
	scan->no_memory = scan->no_memory || *error == -ENOMEM;
	return (uint32_t)scan->n_files++;
}

struct scan_place scan_place(const struct scan *scan, int flat_line)
{
	if (scan->n_places == 0)
		return (struct scan_place){.line = 1};
	size_t at = flat_line < 1 ? 1 : (size_t)flat_line;
	return scan->places[(at > scan->n_places ? scan->n_places : at) - 1];
}

int scan_shown(const char *line, size_t length)
{
	if (length <= SHOWN_BYTES)
		return (int)length;
	size_t shown = SHOWN_BYTES;
	while (shown > 0 && ((unsigned char)line[shown] & 0xc0) == 0x80)
		shown--;
	return (int)shown;
}

const char *scan_line(const struct scan *scan, int flat_line, size_t *length)
{
	struct scan_place place = scan_place(scan, flat_line);
	const struct scan_file *file = &scan->files[place.file];
	const char *at = file->text ? file->text : "", *end = at + file->length;
	for (int line = 1; line < place.line && at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		at = newline ? newline + 1 : end;
	}
	const char *newline = memchr(at, '\n', (size_t)(end - at));
	end = newline ? newline : end;
	while (at < end && isspace((unsigned char)*at))
		at++;
	while (end > at && isspace((unsigned char)end[-1]))
		end--;
	*length = (size_t)(end - at);
	return at;
}

/* Length of the well-formed sequence at @at, 0 if there is none (Unicode 15, table 3-7). */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first, last, low, high, length;
	} forms[] = {{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		     {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		     {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		     {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		     {0xf4, 0xf4, 0x80, 0x8f, 4}};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (at[0] < forms[i].first || at[0] > forms[i].last)
			continue;
		size_t length = forms[i].length;
		if (length > left ||
		    (length > 1 && (at[1] < forms[i].low || at[1] > forms[i].high)))
			return 0;
		for (size_t k = 2; k < length; k++)
			if ((at[k] & 0xc0) != 0x80)
				return 0;
		return length;
	}
	return 0;
}

bool scan_utf8(const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	while (length > 0) {
		size_t sequence = utf8_sequence(at, length);
		if (sequence == 0)
			return false;
		at += sequence;
		length -= sequence;
	}
	return true;
}

void scan_deinit(struct scan *scan)
{
	for (size_t i = 0; i < scan->n_files; i++) {
		free(scan->files[i].name);
		free(scan->files[i].text);
	}
	for (size_t i = 0; i < scan->n_notes; i++)
		free(scan->notes[i].message);
	free(scan->files);
	free(scan->notes);
	free(scan->places);
	free(scan->flat.at);
	free(scan->broken_file);
	free(scan->broken_message);
	*scan = (struct scan){0};
}
