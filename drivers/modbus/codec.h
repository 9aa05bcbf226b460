/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Codec: Modbus frames (TCP and RTU) to and from bytes, and registers to numbers. Pure.
 *
 * It can ask (functions 01 to 04) and judge an answer; nothing here can write to an instrument.
 * A reply counts only when everything in it fits the request: one that fits nearly belongs to
 * somebody else, and a value of the wrong register is worse than none.
 * Source: Modbus Application Protocol V1.1b3; Modbus Messaging on TCP/IP V1.0b, 3.1.3 (header);
 * Modbus over Serial Line V1.02, 2.5.1.2 and 6.2.2 (RTU frame, CRC).
 */
#include "drivers/modbus/modbus.h"

enum {
	MODBUS_REQUEST_BYTES = 12,
	MODBUS_REPLY_BYTES = 260, /* the longest frame there is */
	MODBUS_RTU_REQUEST_BYTES = 8,
	MODBUS_MAX_REGISTERS = 125,
	MODBUS_MAX_BITS = 2000,
};

struct modbus_request {
	uint16_t transaction;
	uint8_t unit;
	enum modbus_table table;
	uint16_t address;
	uint16_t count; /* registers or bits */
};

enum modbus_verdict {
	MODBUS_COMPLETE = 0,
	MODBUS_MORE,      /* right so far, more must come */
	MODBUS_EXCEPTION, /* the instrument says no, in good form */
	MODBUS_WRONG_TRANSACTION,
	MODBUS_WRONG_PROTOCOL,
	MODBUS_WRONG_LENGTH, /* also when more came than the frame holds */
	MODBUS_WRONG_UNIT,
	MODBUS_WRONG_FUNCTION,
	MODBUS_WRONG_BYTE_COUNT,
	MODBUS_WRONG_CRC,
};

struct modbus_reply {
	const uint8_t *data; /* registers or packed bits, within the judged bytes */
	size_t data_bytes;
	uint8_t exception; /* where the verdict is MODBUS_EXCEPTION; never 0 there */
};

/** modbus_build() - the bytes of @request */
void modbus_build(const struct modbus_request *request, uint8_t out[MODBUS_REQUEST_BYTES]);

/**
 * modbus_judge() - what the @n bytes received so far are worth
 * @reply: out, filled for MODBUS_COMPLETE and MODBUS_EXCEPTION
 *
 * Judges each field as soon as it is there, so a wrong frame is not waited for.
 */
enum modbus_verdict modbus_judge(const struct modbus_request *request, const uint8_t *bytes,
				 size_t n, struct modbus_reply *reply);

/** modbus_crc() - the check over @n bytes as RTU sends it: the low byte goes first */
uint16_t modbus_crc(const uint8_t *bytes, size_t n);

/** modbus_rtu_build() - the bytes of @request for a serial line; its transaction is not sent */
void modbus_rtu_build(const struct modbus_request *request, uint8_t out[MODBUS_RTU_REQUEST_BYTES]);

/**
 * modbus_rtu_judge() - modbus_judge() for a serial line
 *
 * The frame's end follows from function and byte count, since pauses between bytes mean nothing
 * once a gateway has put them into packets. There is no transaction: the caller must see to it that
 * no late reply to an earlier request can still come.
 */
enum modbus_verdict modbus_rtu_judge(const struct modbus_request *request, const uint8_t *bytes,
				     size_t n, struct modbus_reply *reply);

/** modbus_rtu_reply_bytes() - the length of a whole reply to @request that is no exception */
size_t modbus_rtu_reply_bytes(const struct modbus_request *request);

/** modbus_verdict_name() - such as "transaction", for logs */
const char *modbus_verdict_name(enum modbus_verdict verdict);
/** modbus_exception_name() - such as "illegal data address" (V1.1b3, 7) */
const char *modbus_exception_name(uint8_t exception);

struct modbus_value {
	bool has_value; /* false: NaN, infinity, no BCD digits, or beyond a double when scaled */
	double value;   /* finite where has_value, scaled */
	uint64_t raw;   /* the bytes as received, the first one highest */
};

/** modbus_width() - registers that a value of @type takes (bits of a bit table take one each) */
uint16_t modbus_width(enum modbus_table table, enum modbus_type type);

enum { MODBUS_NUMBER_BYTES = 8 };
/**
 * modbus_number() - the number whose registers (or whose bit, 0 or 1) begin at @bytes
 * @raw: out, the bytes as received, the first one highest
 *
 * Return: false for NaN of any payload, infinity and what are no BCD digits. A signalling NaN is
 * found by its bits: it never becomes a float, which could raise a flag or change its payload.
 */
bool modbus_number(const struct modbus_place *place, const uint8_t *bytes, double *number,
		   uint64_t *raw);

/** modbus_place_of() - where the first number of @point stands */
static inline struct modbus_place modbus_place_of(const struct modbus_point *point)
{
	return (struct modbus_place){.table = point->table,
				     .address = point->address,
				     .type = point->type,
				     .order = point->order,
				     .bit = point->bit};
}

/**
 * modbus_take() - copy what @width registers (or a bit) from @address on hold out of @reply
 * Return: false where @request asked for another table or @reply does not cover them
 */
bool modbus_take(enum modbus_table table, uint16_t address, uint16_t width,
		 const struct modbus_request *request, const struct modbus_reply *reply,
		 uint8_t *bytes);

/**
 * modbus_decode() - the first number of @point, scaled, out of the reply to @request
 */
struct modbus_value modbus_decode(const struct modbus_point *point,
				  const struct modbus_request *request,
				  const struct modbus_reply *reply);

/** modbus_is_bits() - true for the tables of single bits */
static inline bool modbus_is_bits(enum modbus_table table)
{
	return table == MODBUS_COIL || table == MODBUS_DISCRETE;
}
