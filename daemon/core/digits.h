/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Digits: eight bytes of text at once. The first byte is the lowest of a word, on any machine.
 */
#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EACH_BYTE UINT64_C(0x0101010101010101)

static inline uint64_t digits_load(const char *text)
{
	uint64_t word;
	memcpy(&word, text, sizeof word);
	return le64toh(word);
}

/** zero_bytes() - the high bit of each byte that is 0 */
static inline uint64_t zero_bytes(uint64_t word)
{
	const uint64_t low = EACH_BYTE * 0x7f;
	return ~(((word & low) + low) | word | low);
}

/** digits_only() - is each byte '0' to '9'? */
static inline bool digits_only(uint64_t word)
{
	return (((word + EACH_BYTE * 0x46) | (word - EACH_BYTE * '0')) & (EACH_BYTE << 7)) == 0;
}

/** digits_eight() - the number that eight digits are */
static inline uint64_t digits_eight(uint64_t word)
{
	word = (word & (EACH_BYTE * 0x0f)) * 2561 >> 8;
	word = (word & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
	return (word & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
}
