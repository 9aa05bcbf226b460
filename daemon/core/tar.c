/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tar.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 512 };

/* Where the fields of a header begin. */
enum {
	MODE = 100,
	OWNER = 108,
	GROUP = 116,
	SIZE = 124,
	TIME = 136,
	SUM = 148,
	TYPE = 156,
	MAGIC = 257
};

static void octal(char *at, int digits, uint64_t value)
{
	for (at[digits] = '\0'; digits-- > 0; value /= 8)
		at[digits] = (char)('0' + value % 8);
}

static void fill(struct text *tar)
{
	static const char zeros[BLOCK];
	size_t over = tar->length % BLOCK;

	if (over > 0)
		text_add_n(tar, zeros, BLOCK - over);
}

void tar_add(struct text *tar, const char *name, const void *bytes, size_t size, int64_t wall_s)
{
	char header[BLOCK] = {0};
	unsigned sum = 0;

	snprintf(header, MODE, "%s", name);
	octal(header + MODE, 7, 0644);
	octal(header + OWNER, 7, 0);
	octal(header + GROUP, 7, 0);
	octal(header + SIZE, 11, size);
	octal(header + TIME, 11, wall_s > 0 ? (uint64_t)wall_s : 0);
	header[TYPE] = '0';
	memcpy(header + MAGIC, "ustar\00000", 8);
	memset(header + SUM, ' ', 8);
	for (size_t i = 0; i < sizeof header; i++)
		sum += (unsigned char)header[i];
	octal(header + SUM, 6, sum);
	text_add_n(tar, header, sizeof header);
	text_add_n(tar, bytes, size);
	fill(tar);
}

void tar_end(struct text *tar)
{
	static const char zeros[2 * BLOCK];

	text_add_n(tar, zeros, sizeof zeros);
}
