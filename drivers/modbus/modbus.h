/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Modbus connections as assemble.c hands them over. Only reading functions exist (01 to 04).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

enum modbus_table { MODBUS_HOLDING, MODBUS_INPUT, MODBUS_COIL, MODBUS_DISCRETE };
enum modbus_type {
	MODBUS_INT16, MODBUS_UINT16, MODBUS_INT32, MODBUS_UINT32, MODBUS_INT64, MODBUS_UINT64,
	MODBUS_FLOAT32, MODBUS_FLOAT64, MODBUS_BCD16, MODBUS_BCD32, MODBUS_BIT
};
enum modbus_order { MODBUS_ABCD, MODBUS_CDAB, MODBUS_BADC, MODBUS_DCBA };
/* Modbus TCP; unit, PDU and CRC on a socket; the same from a unit that dials in */
enum modbus_framing { MODBUS_MBAP, MODBUS_RTU, MODBUS_DTU };

/* Where a number stands. */
struct modbus_place {
	enum modbus_table table;
	uint16_t address; /* zero-based, as on the wire */
	enum modbus_type type;
	enum modbus_order order;
	uint8_t bit; /* MODBUS_BIT in a register table: 0 to 15 */
};

/* What a further register does to a point's value. */
enum modbus_role {
	MODBUS_PLUS,     /* it is added, multiplied by `times` */
	MODBUS_EXPONENT, /* the value is multiplied by 10^(sign * register + bias) */
	MODBUS_FACTOR,   /* a code that stands for a factor of the value */
	MODBUS_STATUS,   /* a code that stands for a flag */
	MODBUS_TIME,     /* when the value was measured */
};

/* What a code means: one value, or any of some bits. */
struct modbus_meaning {
	uint32_t bits; /* one of these is set; 0: it equals `value` */
	int64_t value;
	char flag;     /* MODBUS_STATUS: enum flag */
	bool no_value; /* MODBUS_STATUS: what stands in the value's registers is none */
	double factor; /* MODBUS_FACTOR */
};

enum modbus_clock {
	MODBUS_CIVIL, /* six registers: year (of two digits or four) to second */
	MODBUS_EPOCH, /* seconds since 1970; from 10^11 up milliseconds */
};

struct modbus_extra {
	enum modbus_role role;
	struct modbus_place at; /* of MODBUS_CIVIL the first of six; type uint16 or bcd16 */
	double times;
	int sign, bias;
	uint32_t mask; /* of a code: these bits alone; 0: all */
	const struct modbus_meaning *meanings; /* the first that fits */
	size_t n_meanings;
	struct modbus_meaning otherwise; /* MODBUS_STATUS: where none fits */
	enum modbus_clock clock;
	bool is_utc; /* else the clock shows the node's local time */
};

enum { MODBUS_EXTRAS_MOST = 8 };
/* What makes a point more than one number. */
struct modbus_more {
	const struct modbus_extra *extras;
	size_t n_extras;       /* at most MODBUS_EXTRAS_MOST */
	const double *invalid; /* numbers, as they stand in the registers, that mean that there is none */
	size_t n_invalid;
};

enum { MODBUS_PACKET_BYTES = 64 };
struct modbus_packet { /* what a unit that dials in sends of itself */
	uint8_t n, bytes[MODBUS_PACKET_BYTES];
};

/* How a line with two wires is turned from sending to receiving. */
enum modbus_direction {
	MODBUS_DIRECTION_NONE, /* by itself */
	MODBUS_RS485, /* by the kernel's driver (TIOCSRS485) */
	MODBUS_RTS_UP, MODBUS_RTS_DOWN /* by RTS, up or down while sending */
};

struct modbus_serial { /* a line of this machine */
	const char *device;
	int baud, data_bits, stop_bits;
	char parity; /* N, E, O */
	enum modbus_direction direction;
	int rts_delay_us; /* before and after a request, with RTS; -1: one character */
	bool echo; /* the adapter gives back what is sent */
};

struct modbus_point {
	uint32_t monitor; /* for struct sample */
	uint8_t unit_id;
	enum modbus_table table;
	uint16_t address; /* zero-based, as on the wire */
	enum modbus_type type;
	enum modbus_order order;
	uint8_t bit; /* MODBUS_BIT in a register table: 0 to 15 */
	double scale, offset; /* value = raw * scale + offset */
	uint32_t every; /* read at each every-th interval of the connection, from 1 */
	bool exact; /* asked for its own registers alone, or for its block */
	uint16_t block, block_count; /* all that a request for it is to read; count 0: none */
	uint16_t registers; /* to be read from `address` on (asked.h); 0: those of the type */
	const struct modbus_more *more; /* NULL: nothing but one number */
};

struct modbus_connection {
	uint32_t connection; /* index, for door_link() */
	const char *id;
	const char *host; /* IP literal or name; names are resolved once at start */
	uint16_t port;
	enum modbus_framing framing;
	int64_t interval_ms, timeout_ms;
	const struct modbus_serial *serial; /* NULL: a socket */
	const char *listen; /* DTU: address:port, the address as digits */
	const struct modbus_packet *packets; /* DTU: registration and heartbeat (n = 0: none) */
	int64_t idle_ms; /* DTU: dropped when nothing came for so long */
	int64_t request_gap_ms, connect_pause_ms; /* before the next and the first request; 0: none */
	uint16_t max_gap, max_registers; /* registers that may be read though unused; 1..125 */
	const struct modbus_point *points;
	size_t n_points;
	const struct zone *zone; /* of instruments' clocks; NULL: UTC */
};
