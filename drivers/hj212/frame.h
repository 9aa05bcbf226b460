/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Frame: telegrams out of a stream of bytes, and into one. Pure.
 *
 *   ##  4 digits: bytes of data  data  4 hex digits: CRC of the data  CR LF
 *
 * (HJ 212-2017, 5.2 and table 2.) TCP has no borders, so telegrams come glued and cut, and with
 * anything between. The check is weak: of its 16 bits only 256 values exist, one damaged telegram
 * in 256 passes it. So the length must lead to the end, and no control character, which data never
 * has, may stand before it: a telegram that was cut is known by the end of the one behind it, and
 * that one is not lost.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HJ212_DATA_MOST = 9999, /* the standard's 1024 are exceeded in the field */
	HJ212_FRAME_EXTRA = 12, /* what a frame has beside its data */
	HJ212_FRAME_MOST = HJ212_DATA_MOST + HJ212_FRAME_EXTRA,
};

enum hj212_found {
	HJ212_MORE,    /* nothing is complete; all bytes are to be kept */
	HJ212_FRAME,   /* a telegram: data and n */
	HJ212_BLANK,   /* line ends, blanks and zeros between telegrams */
	HJ212_GARBAGE, /* bytes that begin no telegram */
	HJ212_LENGTH,  /* ## without a length, or one that does not lead to the end */
	HJ212_CRC,     /* the whole of a telegram, damaged */
};

struct hj212_frame {
	const char *data; /* HJ212_FRAME, HJ212_CRC: within the bytes */
	size_t n;
	size_t used; /* bytes that are done with; 0 with HJ212_MORE alone */
};

/** hj212_crc() - HJ 212-2017, annex A: unlike that of Modbus it throws the low byte away */
uint16_t hj212_crc(const char *bytes, size_t n);

/**
 * hj212_frame_next() - what the @n bytes begin with
 * With HJ212_FRAME_MOST bytes of room the answer is never HJ212_MORE for a full buffer.
 */
enum hj212_found hj212_frame_next(const char *bytes, size_t n, struct hj212_frame *out);

/**
 * hj212_frame_write() - a telegram around @n bytes of data, at most HJ212_DATA_MOST
 * @out: room for n + HJ212_FRAME_EXTRA + 1 bytes; a NUL ends it
 * Return: its length
 */
size_t hj212_frame_write(char *out, const char *data, size_t n);
