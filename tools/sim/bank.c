/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/bank.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

unsigned bank_width(enum bank_type type)
{
	switch (type) {
	case BANK_INT16:
	case BANK_UINT16:
	case BANK_BCD16:
	case BANK_BIT:
		return 1;
	case BANK_INT64:
	case BANK_UINT64:
	case BANK_FLOAT64:
		return 4;
	case BANK_INT32:
	case BANK_UINT32:
	case BANK_FLOAT32:
	case BANK_BCD32:
		return 2;
	}
	return 1;
}

/* Nearest integer between the ends; the ends are given as doubles that convert without overflow. */
static uint64_t bank_integer(double raw, double low, double high)
{
	raw = isnan(raw) ? low : fmin(fmax(rint(raw), low), high);
	return raw < 0.0 ? (uint64_t)(int64_t)raw : (uint64_t)raw;
}

static uint64_t bank_bcd(double raw, double high)
{
	uint64_t number = bank_integer(raw, 0.0, high), bcd = 0;
	for (unsigned shift = 0; number != 0; number /= 10, shift += 4)
		bcd |= (number % 10) << shift;
	return bcd;
}

static uint64_t bank_float32(double raw)
{
	float single = (float)raw;
	uint32_t bits;
	memcpy(&bits, &single, sizeof bits);
	return isnan(raw) ? 0x7fc00000u : bits;
}

static uint64_t bank_float64(double raw)
{
	uint64_t bits;
	memcpy(&bits, &raw, sizeof bits);
	return isnan(raw) ? 0x7ff8000000000000u : bits;
}

static uint64_t bank_bits(enum bank_type type, double raw)
{
	switch (type) {
	case BANK_INT16:
		return bank_integer(raw, INT16_MIN, INT16_MAX);
	case BANK_UINT16:
		return bank_integer(raw, 0.0, UINT16_MAX);
	case BANK_INT32:
		return bank_integer(raw, INT32_MIN, INT32_MAX);
	case BANK_UINT32:
		return bank_integer(raw, 0.0, UINT32_MAX);
	case BANK_INT64: /* the largest double below the end */
		return bank_integer(raw, -0x1p63, 0x1.fffffffffffffp62);
	case BANK_UINT64:
		return bank_integer(raw, 0.0, 0x1.fffffffffffffp63);
	case BANK_FLOAT32:
		return bank_float32(raw);
	case BANK_FLOAT64:
		return bank_float64(raw);
	case BANK_BCD16:
		return bank_bcd(raw, 9999.0);
	case BANK_BCD32:
		return bank_bcd(raw, 99999999.0);
	case BANK_BIT:
		return raw >= 0.5;
	}
	return 0;
}

void bank_encode(enum bank_type type, enum bank_order order, double raw, uint16_t *words)
{
	unsigned width = bank_width(type);
	bool words_reversed = order == BANK_CDAB || order == BANK_DCBA;
	bool bytes_swapped = (order == BANK_BADC || order == BANK_DCBA) && type != BANK_BIT;
	uint64_t bits = bank_bits(type, raw);
	for (unsigned i = 0; i < width; i++, bits >>= 16) {
		unsigned word = (unsigned)(bits & 0xffff);
		if (bytes_swapped)
			word = (word >> 8 | word << 8) & 0xffff;
		words[words_reversed ? i : width - 1 - i] = (uint16_t)word;
	}
}

static int bank_compare(const void *left, const void *right)
{
	const struct bank_instrument *a = left, *b = right;
	if (a->unit_id != b->unit_id)
		return a->unit_id < b->unit_id ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	return (a->address > b->address) - (a->address < b->address);
}

void bank_sort(struct bank *bank)
{
	if (bank->n > 1)
		qsort(bank->at, bank->n, sizeof *bank->at, bank_compare);
}

const struct bank_instrument *bank_overlap(const struct bank *bank)
{
	for (size_t i = 1; i < bank->n; i++) {
		const struct bank_instrument *a = &bank->at[i - 1], *b = &bank->at[i];
		if (a->unit_id == b->unit_id && a->table == b->table &&
		    a->address + bank_width(a->type) > b->address)
			return a;
	}
	return NULL;
}

/* The first instrument not before (unit, table, address); bank->n when there is none. */
static size_t bank_seek(const struct bank *bank, uint8_t unit_id, enum bank_table table,
			uint16_t address)
{
	struct bank_instrument wanted = {.unit_id = unit_id, .table = table, .address = address};
	size_t low = 0, high = bank->n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (bank_compare(&bank->at[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool bank_has_unit(const struct bank *bank, uint8_t unit_id)
{
	size_t i = bank_seek(bank, unit_id, BANK_COIL, 0);
	return i < bank->n && bank->at[i].unit_id == unit_id;
}

/* Copies the words of one instrument that lie in [address, address + count). Return: how many. */
static unsigned bank_place(const struct bank_instrument *b, int64_t time_ms, uint16_t address,
			   unsigned count, uint16_t *words)
{
	uint16_t own[4];
	unsigned placed = 0, width = bank_width(b->type);
	bank_encode(b->type, b->order, (signal_value(&b->signal, time_ms) - b->offset) / b->scale,
		    own);
	for (unsigned i = 0; i < width; i++) {
		unsigned at = b->address + i;
		if (at >= address && at < address + count) {
			words[at - address] = own[i];
			placed++;
		}
	}
	return placed;
}

int bank_read(const struct bank *bank, uint8_t unit_id, enum bank_table table, uint16_t address,
	      unsigned count, int64_t time_ms, uint16_t *words)
{
	if (!bank_has_unit(bank, unit_id))
		return BANK_NO_SUCH_UNIT;
	size_t i = bank_seek(bank, unit_id, table, address > 3 ? (uint16_t)(address - 3) : 0);
	unsigned placed = 0;
	bool silent = false;
	for (; i < bank->n; i++) {
		const struct bank_instrument *b = &bank->at[i];
		if (b->unit_id != unit_id || b->table != table || b->address >= address + count)
			break;
		unsigned n = bank_place(b, time_ms, address, count, words);
		placed += n;
		if (n > 0 && signal_is_silent(&b->signal, time_ms))
			silent = true;
	}
	if (silent)
		return BANK_SILENT;
	return placed == count ? BANK_OK : BANK_ILLEGAL_ADDRESS;
}
