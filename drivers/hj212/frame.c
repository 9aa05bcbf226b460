/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/hj212/frame.h"

#include <stdio.h>
#include <string.h>

enum { HEAD = 6, TAIL = 6, LENGTH_DIGITS = 4, CRC_DIGITS = 4 };

uint16_t hj212_crc(const char *bytes, size_t n)
{
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < n; i++) {
		crc = (uint16_t)(crc >> 8 ^ (uint8_t)bytes[i]);
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

static bool is_blank(char c)
{
	return c == '\r' || c == '\n' || c == ' ' || c == '\t' || c == '\0';
}

/* Where the next telegram may begin, from @at on: all of @n where none does. */
static size_t next_start(const char *bytes, size_t at, size_t n)
{
	for (; at < n; at++)
		if (bytes[at] == '#' && (at + 1 == n || bytes[at + 1] == '#'))
			return at;
	return n;
}

static enum hj212_found skip(const char *bytes, size_t n, struct hj212_frame *out)
{
	out->used = next_start(bytes, 0, n);
	for (size_t i = 0; i < out->used; i++)
		if (!is_blank(bytes[i]))
			return HJ212_GARBAGE;
	return HJ212_BLANK;
}

static enum hj212_found refuse(enum hj212_found found, const char *bytes, size_t n,
			       struct hj212_frame *out)
{
	out->used = next_start(bytes, 1, n);
	return found;
}

/* Return: false where what there is of the length is none. */
static bool length_of(const char *bytes, size_t n, size_t *length)
{
	*length = 0;
	for (size_t i = 2; i < HEAD && i < n; i++) {
		if (bytes[i] < '0' || bytes[i] > '9')
			return false;
		*length = *length * 10 + (size_t)(bytes[i] - '0');
	}
	return true;
}

/* Data is text: UTF-8 where it is not ASCII (table 2). */
static bool is_text(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)bytes[i] < ' ' || bytes[i] == 0x7f)
			return false;
	return true;
}

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Published telegrams have the check in capitals and in small letters. */
static bool crc_of(const char *digits, uint16_t *crc)
{
	unsigned value = 0;
	for (size_t i = 0; i < CRC_DIGITS; i++) {
		int hex = hex_of(digits[i]);
		if (hex < 0)
			return false;
		value = value << 4 | (unsigned)hex;
	}
	*crc = (uint16_t)value;
	return true;
}

/* All bytes are there, and the data is text. */
static enum hj212_found judge(const char *bytes, size_t n, struct hj212_frame *out)
{
	uint16_t crc;
	const char *tail = out->data + out->n;
	if (!crc_of(tail, &crc) || tail[4] != '\r' || tail[5] != '\n')
		return refuse(HJ212_LENGTH, bytes, n, out);
	if (crc != hj212_crc(out->data, out->n))
		return refuse(HJ212_CRC, bytes, n, out);
	out->used = HEAD + out->n + TAIL;
	return HJ212_FRAME;
}

enum hj212_found hj212_frame_next(const char *bytes, size_t n, struct hj212_frame *out)
{
	*out = (struct hj212_frame){.data = NULL};
	if (n == 0)
		return HJ212_MORE;
	if (next_start(bytes, 0, n) != 0)
		return skip(bytes, n, out);
	size_t length;
	if (!length_of(bytes, n, &length))
		return refuse(HJ212_LENGTH, bytes, n, out);
	if (n < HEAD)
		return HJ212_MORE;
	size_t there = n - HEAD < length ? n - HEAD : length;
	if (!is_text(bytes + HEAD, there))
		return refuse(HJ212_LENGTH, bytes, n, out);
	if (n < HEAD + length + TAIL)
		return HJ212_MORE;
	out->data = bytes + HEAD;
	out->n = length;
	return judge(bytes, n, out);
}

size_t hj212_frame_write(char *out, const char *data, size_t n)
{
	snprintf(out, HEAD + 1, "##%0*u", LENGTH_DIGITS, (unsigned)n % 10000);
	memcpy(out + HEAD, data, n);
	snprintf(out + HEAD + n, TAIL + 1, "%04X\r\n", hj212_crc(data, n));
	return HEAD + n + TAIL;
}
