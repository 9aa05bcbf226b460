/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Value bench: a block of registers, and what a point makes of it.
 */
#include "drivers/modbus/value.h"

#include "core/zone.h"

/* A block of registers from address 0 on, of which each test sets what it needs. */
struct bench {
	uint8_t data[2 * 120];
	struct modbus_request request;
	struct modbus_reply reply;
};

extern const struct zone shanghai;

struct bench bench_of(enum modbus_table table);
void put(struct bench *bench, uint16_t address, uint16_t word);
void put32(struct bench *bench, uint16_t address, uint32_t word);
void put_float(struct bench *bench, uint16_t address, float value);
/** read_point() - the value that a reply of the whole block gives */
struct modbus_result read_point(struct bench *bench, const struct modbus_point *point);
struct modbus_place at(uint16_t address, enum modbus_type type);
struct modbus_point float_at(uint16_t address, const struct modbus_more *more);
void expect_number(struct modbus_result result, double value);
void expect_none(struct modbus_result result, enum flag flag);
