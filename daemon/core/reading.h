/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reading: one measured value of one monitor, the only thing that flows through the rings.
 *
 * A reading is a plain value of one cache line. It carries two clocks and never mixes them: the
 * wall clock is for the record and for limits, CLOCK_BOOTTIME for durations.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* HJ 212-2017 data flags. Only FLAG_NORMAL counts towards limits; every reading is kept. */
enum flag {
	FLAG_NORMAL = 'N',
	FLAG_STOPPED = 'F',
	FLAG_MAINTENANCE = 'M',
	FLAG_SET = 'S',
	FLAG_FAULT = 'D',
	FLAG_CALIBRATION = 'C',
	FLAG_OVER_RANGE = 'T',
	FLAG_COMMUNICATION = 'B',
};

/* What a ring slot says. Links travel the same road as values, so their order is kept. */
enum slot_kind {
	SLOT_VALUE = 0,     /* a reading of monitor @monitor */
	SLOT_LINK_UP = 1,   /* connection @monitor answers */
	SLOT_LINK_DOWN = 2, /* connection @monitor does not answer */
};

/* What was exchanged on the wire; of the last two no bytes are kept. */
enum frame_kind {
	FRAME_MODBUS_TCP = 'm', /* a request and its reply */
	FRAME_MODBUS_RTU = 'r', /* the same, as on a serial line */
	FRAME_MQTT = 't',       /* a topic and its payload */
	FRAME_HJ212 = 'h',      /* who sent it, and the telegram */
	FRAME_SAME = 's',       /* the frame of a reading before it */
	FRAME_OVERWRITTEN = 'x',
};

struct reading {
	uint64_t seq;             /* per ring, from 1; a gap is a refused reading */
	int64_t measured_ms;      /* wall clock, ms since 1970: when the device measured */
	int64_t received_ms;      /* wall clock, ms since 1970: when we had it */
	int64_t received_mono_ns; /* CLOCK_BOOTTIME */
	double value;             /* finite; 0 where has_value is false */
	uint64_t raw;             /* the registers or payload number as received, for the record */
	uint32_t monitor;         /* index into plan.monitors (SLOT_VALUE) or plan.connections */
	uint8_t ring;             /* which ring carried it */
	uint8_t kind;             /* enum slot_kind */
	uint8_t flag;             /* enum flag */
	bool has_value : 1;
	bool beside : 1; /* flag D by what was read beside it (core/beside.h) */
	uint64_t frame;  /* what it was taken out of (flow/frames.h); 0: nothing */
};

_Static_assert(sizeof(struct reading) == 64, "a reading is one cache line");

/* Readings of one monitor that were judged and are in no daybook. */
struct gap {
	uint32_t monitor;
	int64_t from_ms, to_ms; /* measured: the earliest and the latest of them */
	uint64_t count;
};

/** flag_known() - true for the eight letters of HJ 212-2017 */
static inline bool flag_known(int letter)
{
	return letter == 'N' || letter == 'F' || letter == 'M' || letter == 'S' || letter == 'D' ||
	       letter == 'C' || letter == 'T' || letter == 'B';
}
