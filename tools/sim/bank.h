/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bank: the registers behind one Modbus port, and the numbers in them.
 *
 * The encoding is the simulator's own and not the daemon's decoder turned round: a mistake in the
 * one must not cancel out in the other.
 */
#include "sim/signal.h"

#include <stdint.h>

enum bank_table { BANK_COIL = 1, BANK_DISCRETE, BANK_HOLDING, BANK_INPUT }; /* the function codes */
enum bank_type {
	BANK_INT16,
	BANK_UINT16,
	BANK_INT32,
	BANK_UINT32,
	BANK_INT64,
	BANK_UINT64,
	BANK_FLOAT32,
	BANK_FLOAT64,
	BANK_BCD16,
	BANK_BCD32,
	BANK_BIT
};
enum bank_order { BANK_ABCD, BANK_CDAB, BANK_BADC, BANK_DCBA };

/* How a request for registers ends, besides the exception codes 1 to 11, which go onto the wire. */
enum bank_result {
	BANK_OK = 0,
	BANK_ILLEGAL_ADDRESS = 2,
	BANK_NO_SUCH_UNIT = 11,
	BANK_SILENT = 256
};

struct bank_instrument {
	char *name;
	uint8_t unit_id;
	enum bank_table table;
	uint16_t address; /* zero-based, as on the wire */
	enum bank_type type;
	enum bank_order order;
	double scale, offset; /* the register holds (value - offset) / scale */
	struct signal signal;
};

struct bank {
	struct bank_instrument *at; /* sorted by bank_sort() */
	size_t n;
};

/** bank_width() - registers (bits for BANK_BIT) that a type fills */
unsigned bank_width(enum bank_type type);
/** bank_encode() - @raw into bank_width() words; what an integer cannot hold is its nearest end */
void bank_encode(enum bank_type type, enum bank_order order, double raw, uint16_t *words);
/** bank_sort() - by unit, table and address, as bank_read() needs it */
void bank_sort(struct bank *bank);
/** bank_overlap() - an instrument that shares a register with its successor; NULL: none. Sorted. */
const struct bank_instrument *bank_overlap(const struct bank *bank);
/**
 * bank_read() - the content of @count registers (bits: words of 0 or 1) at a moment
 * Return: enum bank_result; BANK_SILENT when an instrument among them does not answer.
 */
int bank_read(const struct bank *bank, uint8_t unit_id, enum bank_table table, uint16_t address,
	      unsigned count, int64_t time_ms, uint16_t *words);
