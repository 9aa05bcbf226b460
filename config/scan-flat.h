/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The flat text as scan.c writes it: bytes, line ends with their places, notes.
 */
#include "config/scan.h"

void flat_put(struct scan *scan, const char *bytes, size_t length);
/** flat_line_end() - end the line; the next one comes from @line of @file */
void flat_line_end(struct scan *scan, uint32_t file, int line);
/** flat_note() - note on the current line of the flat text */
void flat_note(struct scan *scan, enum scan_weight weight, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** flat_break() - a syntax error: the first one counts */
void flat_break(struct scan *scan, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/** flat_number() - put a number, rewritten where libconfig 1.5 would misread it */
void flat_number(struct scan *scan, const char *token, size_t length);
/** flat_number_kind() - 'i' 32 bits, 'l' 64 bits, 'f' floating, as libconfig types arrays */
char flat_number_kind(const char *token, size_t length);
/** flat_is_number() - an integer (with L, or hexadecimal) or a floating number of libconfig */
bool flat_is_number(const char *token, size_t length);
/** flat_add_file() - Return: its index, with its text read; or a negative errno in *error */
uint32_t flat_add_file(struct scan *scan, char *name, const struct reader *reader, int *error);
void scan_buffer_put(struct scan_buffer *buffer, const char *bytes, size_t length, bool *no_memory);
