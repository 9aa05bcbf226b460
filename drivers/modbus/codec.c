/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers/modbus/codec.h"

#include <math.h>
#include <string.h>

enum {
	HEADER_BYTES = 6,
	EXCEPTION_BIT = 0x80,
	EXCEPTION_LENGTH = 3, /* unit, function, code */
	RTU_HEAD_BYTES = 3,   /* unit, function, byte count or code */
	CRC_BYTES = 2,
};

static uint8_t function_of(enum modbus_table table)
{
	switch (table) {
	case MODBUS_COIL:
		return 1;
	case MODBUS_DISCRETE:
		return 2;
	case MODBUS_HOLDING:
		return 3;
	case MODBUS_INPUT:
		return 4;
	}
	return 3;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)(value & 0xff);
}

static unsigned get16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

void modbus_build(const struct modbus_request *request, uint8_t out[MODBUS_REQUEST_BYTES])
{
	put16(out, request->transaction);
	put16(out + 2, 0);
	put16(out + 4, MODBUS_REQUEST_BYTES - HEADER_BYTES);
	out[6] = request->unit;
	out[7] = function_of(request->table);
	put16(out + 8, request->address);
	put16(out + 10, request->count);
}

static unsigned data_bytes_of(const struct modbus_request *request)
{
	if (modbus_is_bits(request->table))
		return (request->count + 7U) / 8U;
	return request->count * 2U;
}

enum modbus_verdict modbus_judge(const struct modbus_request *request, const uint8_t *bytes,
				 size_t n, struct modbus_reply *reply)
{
	unsigned data_bytes = data_bytes_of(request);
	uint8_t function = function_of(request->table);
	if (n >= 2 && get16(bytes) != request->transaction)
		return MODBUS_WRONG_TRANSACTION;
	if (n >= 4 && get16(bytes + 2) != 0)
		return MODBUS_WRONG_PROTOCOL;
	if (n < HEADER_BYTES)
		return MODBUS_MORE;
	unsigned length = get16(bytes + 4);
	if ((length != 3 + data_bytes && length != EXCEPTION_LENGTH) || n > HEADER_BYTES + length)
		return MODBUS_WRONG_LENGTH;
	if (n >= 7 && bytes[6] != request->unit)
		return MODBUS_WRONG_UNIT;
	bool exception = length == EXCEPTION_LENGTH;
	if (n >= 8 && bytes[7] != (exception ? function | EXCEPTION_BIT : function))
		return MODBUS_WRONG_FUNCTION;
	if (n >= 9 && (exception ? bytes[8] == 0 : bytes[8] != data_bytes))
		return MODBUS_WRONG_BYTE_COUNT;
	if (n < HEADER_BYTES + length)
		return MODBUS_MORE;
	*reply = (struct modbus_reply){.data = bytes + 9,
				       .data_bytes = exception ? 0 : data_bytes,
				       .exception = exception ? bytes[8] : 0};
	return exception ? MODBUS_EXCEPTION : MODBUS_COMPLETE;
}

uint16_t modbus_crc(const uint8_t *bytes, size_t n)
{
	unsigned crc = 0xffff;
	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? crc >> 1 ^ 0xa001 : crc >> 1;
	}
	return (uint16_t)crc;
}

void modbus_rtu_build(const struct modbus_request *request, uint8_t out[MODBUS_RTU_REQUEST_BYTES])
{
	uint8_t framed[MODBUS_REQUEST_BYTES];
	modbus_build(request, framed);
	size_t n = MODBUS_REQUEST_BYTES - HEADER_BYTES;
	memcpy(out, framed + HEADER_BYTES, n);
	uint16_t crc = modbus_crc(out, n);
	out[n] = (uint8_t)(crc & 0xff);
	out[n + 1] = (uint8_t)(crc >> 8);
}

size_t modbus_rtu_reply_bytes(const struct modbus_request *request)
{
	return RTU_HEAD_BYTES + data_bytes_of(request) + CRC_BYTES;
}

static bool crc_fits(const uint8_t *bytes, size_t n)
{
	unsigned said = (unsigned)bytes[n - 1] << 8 | bytes[n - 2];
	return modbus_crc(bytes, n - CRC_BYTES) == said;
}

enum modbus_verdict modbus_rtu_judge(const struct modbus_request *request, const uint8_t *bytes,
				     size_t n, struct modbus_reply *reply)
{
	unsigned data_bytes = data_bytes_of(request);
	uint8_t function = function_of(request->table);
	if (n >= 1 && bytes[0] != request->unit)
		return MODBUS_WRONG_UNIT;
	if (n < 2)
		return MODBUS_MORE;
	bool exception = bytes[1] == (function | EXCEPTION_BIT);
	if (!exception && bytes[1] != function)
		return MODBUS_WRONG_FUNCTION;
	if (n >= RTU_HEAD_BYTES && (exception ? bytes[2] == 0 : bytes[2] != data_bytes))
		return MODBUS_WRONG_BYTE_COUNT;
	size_t length = RTU_HEAD_BYTES + (exception ? 0 : data_bytes) + CRC_BYTES;
	if (n > length)
		return MODBUS_WRONG_LENGTH;
	if (n < length)
		return MODBUS_MORE;
	if (!crc_fits(bytes, n))
		return MODBUS_WRONG_CRC;
	*reply = (struct modbus_reply){.data = bytes + RTU_HEAD_BYTES,
				       .data_bytes = exception ? 0 : data_bytes,
				       .exception = exception ? bytes[2] : 0};
	return exception ? MODBUS_EXCEPTION : MODBUS_COMPLETE;
}

const char *modbus_verdict_name(enum modbus_verdict verdict)
{
	switch (verdict) {
	case MODBUS_COMPLETE:
		return "complete";
	case MODBUS_MORE:
		return "incomplete";
	case MODBUS_EXCEPTION:
		return "exception";
	case MODBUS_WRONG_TRANSACTION:
		return "transaction";
	case MODBUS_WRONG_PROTOCOL:
		return "protocol";
	case MODBUS_WRONG_LENGTH:
		return "length";
	case MODBUS_WRONG_UNIT:
		return "unit";
	case MODBUS_WRONG_FUNCTION:
		return "function";
	case MODBUS_WRONG_BYTE_COUNT:
		return "byte count";
	case MODBUS_WRONG_CRC:
		return "CRC";
	}
	return "unknown";
}

const char *modbus_exception_name(uint8_t exception)
{
	static const char *const names[] = {
		[1] = "illegal function",
		[2] = "illegal data address",
		[3] = "illegal data value",
		[4] = "device failure",
		[5] = "acknowledge, still working",
		[6] = "device busy",
		[8] = "memory parity error",
		[10] = "gateway path unavailable",
		[11] = "no answer behind the gateway",
	};
	if (exception < sizeof names / sizeof *names && names[exception] != NULL)
		return names[exception];
	return "unknown code";
}

uint16_t modbus_width(enum modbus_table table, enum modbus_type type)
{
	if (modbus_is_bits(table))
		return 1;
	switch (type) {
	case MODBUS_INT16:
	case MODBUS_UINT16:
	case MODBUS_BCD16:
	case MODBUS_BIT:
		return 1;
	case MODBUS_INT32:
	case MODBUS_UINT32:
	case MODBUS_FLOAT32:
	case MODBUS_BCD32:
		return 2;
	case MODBUS_INT64:
	case MODBUS_UINT64:
	case MODBUS_FLOAT64:
		return 4;
	}
	return 1;
}

static uint64_t big_endian(const uint8_t *bytes, size_t n)
{
	uint64_t word = 0;
	for (size_t i = 0; i < n; i++)
		word = word << 8 | bytes[i];
	return word;
}

/* Registers of @n bytes, put into the order ABCD… : CDAB turns the registers round, BADC the bytes
 * within each, DCBA both. */
static uint64_t in_order(const uint8_t *data, size_t n, enum modbus_order order)
{
	bool turn_registers = order == MODBUS_CDAB || order == MODBUS_DCBA;
	bool turn_bytes = order == MODBUS_BADC || order == MODBUS_DCBA;
	uint8_t ordered[8];
	for (size_t i = 0; i < n; i++) {
		size_t from = turn_registers ? n - 2 - (i & ~(size_t)1) + (i & 1) : i;
		ordered[i] = data[turn_bytes ? from ^ 1 : from];
	}
	return big_endian(ordered, n);
}

/* Return: false where a digit is none. */
static bool bcd(uint64_t word, double *value)
{
	uint64_t sum = 0, unit = 1;
	for (; word != 0; word >>= 4, unit *= 10) {
		if ((word & 0xf) > 9)
			return false;
		sum += (word & 0xf) * unit;
	}
	*value = (double)sum;
	return true;
}

/* Return: false for NaN and infinity, by the bits alone. */
static bool float32_of(uint64_t word, double *value)
{
	uint32_t bits = (uint32_t)word;
	float number;
	if ((bits & 0x7f800000) == 0x7f800000)
		return false;
	memcpy(&number, &bits, sizeof number);
	*value = (double)number;
	return true;
}

static bool float64_of(uint64_t word, double *value)
{
	uint64_t exponent = UINT64_C(0x7ff0000000000000);
	if ((word & exponent) == exponent)
		return false;
	memcpy(value, &word, sizeof *value);
	return true;
}

static bool number_of(const struct modbus_place *place, uint64_t word, double *value)
{
	switch (place->type) {
	case MODBUS_INT16:
		*value = (int16_t)(uint16_t)word;
		return true;
	case MODBUS_INT32:
		*value = (int32_t)(uint32_t)word;
		return true;
	case MODBUS_INT64:
		*value = (double)(int64_t)word;
		return true;
	case MODBUS_UINT16:
	case MODBUS_UINT32:
	case MODBUS_UINT64:
		*value = (double)word;
		return true;
	case MODBUS_FLOAT32:
		return float32_of(word, value);
	case MODBUS_FLOAT64:
		return float64_of(word, value);
	case MODBUS_BCD16:
	case MODBUS_BCD32:
		return bcd(word, value);
	case MODBUS_BIT:
		*value = (double)(word >> (place->bit & 15) & 1);
		return true;
	}
	return false;
}

bool modbus_number(const struct modbus_place *place, const uint8_t *bytes, double *number,
		   uint64_t *raw)
{
	if (modbus_is_bits(place->table)) {
		*raw = bytes[0] & 1;
		*number = (double)*raw;
		return true;
	}
	size_t n = 2U * modbus_width(place->table, place->type);
	*raw = big_endian(bytes, n);
	*number = 0;
	return number_of(place, in_order(bytes, n, place->order), number);
}

bool modbus_take(enum modbus_table table, uint16_t address, uint16_t width,
		 const struct modbus_request *request, const struct modbus_reply *reply,
		 uint8_t *bytes)
{
	if (table != request->table || address < request->address)
		return false;
	size_t at = (size_t)(address - request->address);
	if (modbus_is_bits(table)) {
		if (at / 8 >= reply->data_bytes)
			return false;
		bytes[0] = reply->data[at / 8] >> (at % 8) & 1;
		return true;
	}
	if ((at + width) * 2 > reply->data_bytes)
		return false;
	memcpy(bytes, reply->data + at * 2, width * 2U);
	return true;
}

struct modbus_value modbus_decode(const struct modbus_point *point,
				  const struct modbus_request *request,
				  const struct modbus_reply *reply)
{
	struct modbus_value out = {.has_value = false};
	struct modbus_place place = modbus_place_of(point);
	uint8_t bytes[MODBUS_NUMBER_BYTES];
	double number;
	if (!modbus_take(place.table, place.address, modbus_width(place.table, place.type), request,
			 reply, bytes))
		return out;
	out.has_value = modbus_number(&place, bytes, &number, &out.raw);
	number = number * point->scale + point->offset;
	out.has_value = out.has_value && isfinite(number);
	out.value = out.has_value ? number : 0;
	return out;
}
