/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Strip: what a cellular unit mixes into the bytes of its serial line, taken out again. Pure.
 *
 * A unit that dialled in repeats its registration packet and sends heartbeats whenever its timer
 * says so: before a reply, behind it, or in the middle, in any pieces. The same bytes may as well
 * be a reply's data. The CRC decides: what is sought is a way to leave packets out that makes the
 * rest a right reply, and leaving none out is one of the ways.
 */
#include "drivers/modbus/codec.h"

enum {
	STRIP_PACKETS = 2, /* registration and heartbeat; one without bytes does not exist */
	STRIP_MOST = 8,    /* packets within one reply; before it there may be more */
	STRIP_RAW_BYTES = 1024,
};

/**
 * strip_judge() - modbus_rtu_judge() of bytes with packets in between
 * @frame: out, room for MODBUS_REPLY_BYTES; @reply points into it
 * @used:  out, for MODBUS_COMPLETE and MODBUS_EXCEPTION: bytes that are done with. What follows is
 *         the beginning of a packet.
 */
enum modbus_verdict strip_judge(const struct modbus_packet packets[STRIP_PACKETS],
				const struct modbus_request *request, const uint8_t *raw, size_t n,
				uint8_t *frame, struct modbus_reply *reply, size_t *used);

/**
 * strip_idle() - take the packets out of bytes that came while nothing was asked
 * @n:      in and out: bytes in @raw; what is left is the beginning of a packet
 * Return: bytes that belong to no packet; they are taken out too
 */
size_t strip_idle(const struct modbus_packet packets[STRIP_PACKETS], uint8_t *raw, size_t *n);

enum strip_match { STRIP_NONE, STRIP_PART, STRIP_WHOLE };
/** strip_match() - does @raw begin with @packet, or is it the beginning of it (never of nothing) */
enum strip_match strip_match(const struct modbus_packet *packet, const uint8_t *raw, size_t n);
